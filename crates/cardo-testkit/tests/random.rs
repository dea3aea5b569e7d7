//! The random world is varied enough to tell right from wrong.

use cardo_query::{Filter, evaluate};
use cardo_testkit::random::{name_id, random_entity, random_filter, record, sample};
use proptest::collection::vec;

#[test]
fn random_questions_part_random_twins() {
    let entities = sample(&vec(random_entity(), 200), 1);
    let records: Vec<_> = entities.into_iter().map(|entity| record(entity, 1)).collect();
    let (mut judged, mut matched, mut parting) = (0, 0, 0);
    for seed in 0..300 {
        let filter: Filter<_> = sample(&random_filter(), seed).map_names(&mut name_id);
        let found = records.iter().filter(|record| evaluate(&filter, &record.view())).count();
        judged += records.len();
        matched += found;
        parting += usize::from(found > 0 && found < records.len());
    }
    assert!((judged / 10..judged * 6 / 10).contains(&matched), "{matched} of {judged} matched");
    assert!(parting > 100, "only {parting} of 300 questions parted the twins");
}

#[test]
fn a_seed_gives_the_same_twin_again() {
    assert_eq!(sample(&random_entity(), 7), sample(&random_entity(), 7));
    assert_ne!(sample(&random_entity(), 7), sample(&random_entity(), 8));
}
