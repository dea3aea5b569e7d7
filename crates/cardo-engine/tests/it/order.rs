//! Ordered pages against a plain sort of everything.

use crate::common::*;
use cardo_engine::{
    Batch, Caller, Engine, EntityQuery, Mask, Operation, Order, OrderBy, Page, PageRequest,
    PageStart, Restriction, View,
};
use cardo_model::{Instance, JsonText, Record, Value};
use cardo_query::{Filter, Path, SortKey};
use proptest::prelude::*;

fn text(value: &str) -> Instance {
    Instance::new(Value::property(JsonText::string(value), false))
}

fn by(term: &str, descending: bool) -> OrderBy {
    OrderBy { path: Path::of_attribute(name(term)), descending, ranking: None }
}

fn question(order: &[OrderBy], limit: usize, start: PageStart, from: Vec<SortKey>) -> EntityQuery {
    EntityQuery {
        filter: Filter::True,
        order: Order { by: order.to_vec(), from },
        page: PageRequest { limit, start },
        count: true,
    }
}

async fn twin(rows: &[(Option<u8>, Option<u8>)]) -> (Engine, Caller) {
    let (engine, _, caller) = engine().await;
    let operations = rows.iter().zip(0..).map(|((level, label), row)| {
        let mut attributes = Vec::new();
        if let Some(level) = level {
            // Of two types, so that their order among one another is under test as well.
            let value = if *level == 0 { text("low") } else { number(f64::from(*level)) };
            attributes.push(("level", value));
        }
        if let Some(label) = label {
            attributes.push(("label", text(&label.to_string())));
        }
        Operation::Create(sensor(row, attributes))
    });
    let batch = Batch { operations: operations.collect(), ..Batch::default() };
    engine.apply(&caller, batch).await.unwrap();
    (engine, caller)
}

fn ids(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.view().id().to_owned()).collect()
}

/// What a plain sort makes of all entities.
async fn sorted(engine: &Engine, caller: &Caller, order: &[OrderBy]) -> Vec<String> {
    let all = question(&[], 10_000, PageStart::Offset(0), Vec::new());
    let mut records = engine.query(caller, &all).await.unwrap().entities;
    let names = engine.names();
    records.sort_by(|a, b| {
        let columns = order.iter().map(|by| {
            let path = by.path.map_names(&mut |name| names.id_or_unknown(name.as_str()));
            let (a, b) = (SortKey::of(&path, &a.view()), SortKey::of(&path, &b.view()));
            match (a == SortKey::Missing, b == SortKey::Missing) {
                (false, false) if by.descending => b.compare(&a, false),
                (a_is_missing, b_is_missing) => {
                    a_is_missing.cmp(&b_is_missing).then(a.compare(&b, false))
                }
            }
        });
        columns.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    ids(&records)
}

async fn page(engine: &Engine, caller: &Caller, query: EntityQuery) -> Page {
    engine.query(caller, &query).await.unwrap()
}

async fn agrees(rows: Vec<(Option<u8>, Option<u8>)>, directions: (bool, bool), size: usize) {
    let (engine, caller) = twin(&rows).await;
    let order = [by("level", directions.0), by("label", directions.1)];
    let expected = sorted(&engine, &caller, &order).await;

    let whole =
        page(&engine, &caller, question(&order, 10_000, PageStart::Offset(0), vec![])).await;
    assert_eq!(ids(&whole.entities), expected);
    assert_eq!(whole.count, Some(rows.len()));

    let mut forward = Vec::new();
    let mut query = question(&order, size, PageStart::Offset(0), vec![]);
    loop {
        let found = page(&engine, &caller, query).await;
        forward.extend(ids(&found.entities));
        assert_eq!(found.has_more, forward.len() < rows.len());
        assert_eq!(found.count, Some(rows.len()));
        let Some(last) = found.entities.last().filter(|_| found.has_more) else { break };
        let after = PageStart::After(last.view().seq());
        query = question(&order, size, after, found.keys.last().unwrap().clone());
    }
    assert_eq!(forward, expected);

    let (Some(last), Some(keys)) = (whole.entities.last(), whole.keys.last()) else { return };
    let mut backward = vec![ids(&whole.entities).pop().unwrap()];
    let mut query = question(&order, size, PageStart::Before(last.view().seq()), keys.clone());
    loop {
        let found = page(&engine, &caller, query).await;
        backward.splice(0..0, ids(&found.entities));
        assert_eq!(found.has_before, backward.len() < rows.len());
        let Some(first) = found.entities.first().filter(|_| found.has_before) else { break };
        let before = PageStart::Before(first.view().seq());
        query = question(&order, size, before, found.keys.first().unwrap().clone());
    }
    assert_eq!(backward, expected);

    let skipped =
        page(&engine, &caller, question(&order, size, PageStart::Offset(2), vec![])).await;
    let wanted: Vec<String> = expected.into_iter().skip(2).take(size).collect();
    assert_eq!(ids(&skipped.entities), wanted);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn ordered_pages_are_those_of_a_plain_sort(
        rows in prop::collection::vec((prop::option::of(0_u8..5), prop::option::of(0_u8..12)), 0..40),
        directions in any::<(bool, bool)>(),
        size in 1_usize..9,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(agrees(rows, directions, size));
    }
}

#[tokio::test]
async fn entities_without_a_value_stand_last_both_ways() {
    let rows = [(None, None), (Some(2), None), (Some(1), None)];
    let (engine, caller) = twin(&rows).await;
    for (descending, expected) in [(false, [2, 1, 0]), (true, [1, 2, 0])] {
        let order = [by("level", descending)];
        let found =
            page(&engine, &caller, question(&order, 10, PageStart::Offset(0), vec![])).await;
        let expected = expected.map(|number| id(number).as_str().to_owned());
        assert_eq!(ids(&found.entities), expected);
    }
}

#[tokio::test]
async fn a_masked_attribute_gives_no_order_away() {
    let (engine, caller) = twin(&[(Some(3), None), (Some(1), None), (Some(2), None)]).await;
    let attributes = Mask::Without(vec![name("level")]);
    let view = View::restricted(Restriction { rows: Filter::True, attributes });
    let caller = Caller { view, ..caller };
    let order = [by("level", false)];
    let found = page(&engine, &caller, question(&order, 10, PageStart::Offset(0), vec![])).await;
    let expected = [0, 1, 2].map(|number| id(number).as_str().to_owned());
    assert_eq!(ids(&found.entities), expected);
    assert!(found.keys.iter().flatten().all(|key| *key == SortKey::Missing));
}
