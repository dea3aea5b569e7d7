use std::collections::BTreeMap;
use std::future::Future;

use cardo_engine::{HistoryQuery, HistoryRow, Projection, Store};
use cardo_model::{InstanceRef, NameId, Record, Revision, Seq, Timestamp, TwinId};
use proptest::prelude::*;

use super::build::{
    Collected, append, deleted, entity_event, instance_deleted, project, reading, record_at,
    sensor, twin,
};
use crate::random::sample;

/// Entities of the random twins; few, so that many rows meet.
const SENSORS: u64 = 6;
const DATASETS: [Option<&str>; 3] = [None, Some("urn:dataset:a"), Some("urn:dataset:b")];

/// A random run of projections, each with its changes of entities and its history.
pub fn random_projections() -> impl Strategy<Value = Vec<Projection>> {
    let step = (
        proptest::collection::btree_map(
            (1_u64..4, 0_u32..40),
            proptest::option::of(0_u64..9),
            0..30,
        ),
        proptest::collection::vec(random_row(), 0..120),
    );
    proptest::collection::vec(step, 1..14).prop_map(|steps| {
        let numbered = steps.into_iter().zip(0..);
        numbered.map(|((entities, history), n)| to_projection(n, entities, history)).collect()
    })
}

fn to_projection(
    n: u64,
    entities: BTreeMap<(u64, u32), Option<u64>>,
    history: Vec<HistoryRow>,
) -> Projection {
    let entry = |((revision, ordinal), value): ((u64, u32), Option<u64>)| {
        let record = value.map(|value| record_at(revision, ordinal, value));
        (Seq::new(Revision(revision), ordinal), record)
    };
    let numbered = history.into_iter().zip(0..);
    let place = |(row, ordinal): (HistoryRow, u32)| HistoryRow {
        revision: Revision(n + 1),
        ordinal,
        ..row
    };
    Projection {
        entities: entities.into_iter().map(entry).collect(),
        history: numbered.map(place).collect(),
        ..project(n, n + 1)
    }
}

fn random_row() -> impl Strategy<Value = HistoryRow> {
    (0..SENSORS, 0_u32..4, 0_usize..3, 0_i64..500, 0_u32..40).prop_map(
        |(n, name, dataset, seconds, kind)| match kind {
            0 => entity_event(n, seconds, 1),
            1 => deleted(n, seconds, 1),
            2 => instance_deleted(n, name, DATASETS[dataset], seconds, 1),
            // Most rows go to one series, so that some grow long.
            3..=20 => reading(0, 0, None, seconds, 1),
            _ => reading(n, name, DATASETS[dataset], seconds, 1),
        },
    )
}

/// A random question after the history of one of the entities.
pub fn random_history_query() -> impl Strategy<Value = HistoryQuery> {
    let moment = || proptest::option::weighted(0.4, (0_i64..500).prop_map(Timestamp::from_seconds));
    (
        prop_oneof![Just(0), 0..SENSORS],
        proptest::sample::subsequence(vec![0_u32, 1, 2, 3], 0..=3),
        moment(),
        moment(),
        proptest::option::weighted(0.4, 0_usize..60),
        prop_oneof![Just(usize::MAX), 0_usize..200],
    )
        .prop_map(|(n, attributes, from, until, last, limit)| HistoryQuery {
            attributes: attributes.into_iter().map(NameId::new).collect(),
            from,
            until,
            last,
            limit,
            ..HistoryQuery::whole(sensor(n))
        })
}

/// What a store has to answer, found in the plainest way.
pub fn expected_history(projections: &[Projection], query: &HistoryQuery) -> Vec<HistoryRow> {
    let mut series: BTreeMap<(Option<NameId>, Option<String>), Vec<HistoryRow>> = BTreeMap::new();
    for row in projections.iter().flat_map(|projection| &projection.history) {
        let key = series_of(row);
        let is_asked = key
            .0
            .is_none_or(|name| query.attributes.is_empty() || query.attributes.contains(&name));
        let is_in_time = key.0.is_none()
            || query.from.is_none_or(|from| row.time >= from)
                && query.until.is_none_or(|until| row.time < until);
        if row.entity == query.entity && is_asked && is_in_time {
            series.entry(key).or_default().push(row.clone());
        }
    }
    let mut rows = Vec::new();
    for ((name, _), mut own) in series {
        own.sort_by_key(|row| (row.time, row.revision, row.ordinal));
        if let (Some(last), true) = (query.last, name.is_some()) {
            own.drain(..own.len().saturating_sub(last));
        }
        rows.append(&mut own);
    }
    keep_limit(&rows, query)
}

/// The rows about the entity itself, and the earliest of the others, or the latest where the last
/// ones are asked for.
fn keep_limit(rows: &[HistoryRow], query: &HistoryQuery) -> Vec<HistoryRow> {
    let is_whole = |place: &usize| series_of(&rows[*place]).0.is_none();
    let (mut kept, mut others): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(is_whole);
    others.sort_by_key(|place| (rows[*place].time, rows[*place].revision, rows[*place].ordinal));
    if query.last.is_some() {
        others.reverse();
    }
    kept.append(&mut others);
    kept.truncate(query.limit);
    kept.sort_unstable();
    kept.into_iter().map(|place| rows[place].clone()).collect()
}

fn series_of(row: &HistoryRow) -> (Option<NameId>, Option<String>) {
    use cardo_engine::HistoryEvent::{Amended, Deleted, Entity, Head, Instance, InstanceDeleted};
    match &row.event {
        Instance { name, instance } => {
            let dataset = InstanceRef::from_bytes(instance).and_then(|i| i.dataset_id());
            (Some(*name), dataset.map(str::to_owned))
        }
        InstanceDeleted { name, dataset_id } => {
            (Some(*name), dataset_id.as_ref().map(ToString::to_string))
        }
        Entity(_) | Head(_) | Amended(_) | Deleted => (None, None),
    }
}

/// The entities that are left behind by projections, in the order of creation.
pub fn expected_entities(projections: &[Projection]) -> Vec<Record> {
    let mut entities = BTreeMap::new();
    for (seq, record) in projections.iter().flat_map(|projection| &projection.entities) {
        match record {
            Some(record) => entities.insert(*seq, record.clone()),
            None => entities.remove(seq),
        };
    }
    entities.into_values().collect()
}

/// Projects all of a random run.
pub async fn project_all<S: Store>(store: &S, twin: &TwinId, projections: &[Projection]) {
    let appended = store.append(vec![append(twin, 0, projections.len() as u64)]).await;
    assert_eq!(appended.expect("the log is sound"), [Ok(())]);
    for projection in projections {
        store.project(twin, projection.clone()).await.expect("it builds on what was reached");
    }
}

/// State and history after random projections are what the plain model says.
pub async fn random_twins_equal_a_plain_model<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    for seed in 0..8 {
        let twin = twin(&format!("t{seed}"));
        let projections = sample(&random_projections(), seed);
        project_all(&store, &twin, &projections).await;
        let mut loaded = Collected::default();
        store.load(&twin, &mut loaded).await.expect("the state is sound");
        assert!(loaded.entities == expected_entities(&projections), "entities of seed {seed}");
        for query in sample(&proptest::collection::vec(random_history_query(), 30), seed) {
            let answer = store.history(&twin, &query).await.expect("the history is sound");
            let expected = expected_history(&projections, &query);
            assert!(answer == expected, "seed {seed}, {query:?}");
        }
    }
}
