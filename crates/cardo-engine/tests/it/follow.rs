//! Those who follow a log see the same, whether they come at once or later.

use std::sync::Arc;

use crate::common::{at, engine, id, iri, name, number, one, sensor, value};
use cardo_engine::{
    Caller, Engine, EngineOptions, Followed, LogError, Operation, Store, WhichInstances,
};
use cardo_model::{Instance, JsonText, Record, Revision, TwinId, Value};

fn text(length: usize) -> Instance {
    let text = format!("\"{}\"", "x".repeat(length));
    Instance::new(Value::property(JsonText::parse(&text).unwrap(), false))
}

fn of_dataset(value: f64, dataset: &str) -> Instance {
    let mut instance = number(value);
    instance.dataset_id = Some(iri(dataset));
    instance
}

fn append(number_of: u32, attributes: Vec<(&str, Instance)>) -> Operation {
    let attributes = sensor(number_of, attributes).attributes;
    Operation::Append {
        id: id(number_of),
        types: vec![],
        scopes: None,
        attributes,
        expires_at: None,
        no_overwrite: false,
    }
}

fn replace_attribute(number_of: u32, term: &str, instance: Instance) -> Operation {
    Operation::ReplaceAttribute { id: id(number_of), name: name(term), instance }
}

/// Another engine on the same store, which has nothing of the log in memory.
async fn restarted(engine: &Engine, store: &Arc<cardo_store::MemoryStore>) -> Engine {
    engine.project_all().await.unwrap();
    Engine::open(store.clone(), EngineOptions::default()).await.unwrap()
}

/// What an engine hands to a follower that begins behind a revision.
async fn followed(engine: &Engine, after: Revision) -> Vec<Arc<Followed>> {
    let head = engine.snapshot(&Caller::local("test")).await.unwrap().revision();
    let mut follower = engine.follow(&TwinId::default(), after).await.unwrap();
    let mut all = Vec::new();
    while follower.position() < head {
        all.push(follower.next().await.unwrap());
    }
    all
}

/// An entity as text, without an order of its attributes and instances.
fn shown(record: &Record) -> Vec<String> {
    let view = record.view();
    let mut shown = vec![format!("{} {:?} {:?}", view.id(), view.revision(), view.modified_at())];
    for attribute in view.attributes() {
        for instance in attribute.instances() {
            shown.push(format!("{:?} {:?}", attribute.name(), instance.to_bytes()));
        }
    }
    shown.sort();
    shown
}

fn entities(all: &[Arc<Followed>]) -> Vec<Option<Vec<String>>> {
    let entities = all.iter().flat_map(|followed| &followed.entities);
    entities.map(|entity| entity.as_ref().map(shown)).collect()
}

#[tokio::test]
async fn a_record_that_is_read_back_comes_with_the_entity_as_it_was_then() {
    let (engine, store, caller) = engine().await;
    one(
        &engine,
        &caller,
        Operation::Create(sensor(1, vec![("a", number(1.0)), ("b", number(5.0))])),
    )
    .await
    .unwrap();
    for n in 2..6 {
        one(&engine, &caller, replace_attribute(1, "a", number(f64::from(n)))).await.unwrap();
    }
    one(&engine, &caller, replace_attribute(1, "b", number(6.0))).await.unwrap();
    let later = restarted(&engine, &store).await;
    // The follower begins behind the creation, so that only updates are read back.
    let all = followed(&later, Revision(1)).await;
    let values = |followed: &Arc<Followed>| {
        let record = followed.entities[0].as_ref().unwrap();
        (value(&later, record, "a").unwrap(), value(&later, record, "b").unwrap())
    };
    let seen: Vec<(String, String)> = all.iter().map(values).collect();
    let expected = [("2", "5"), ("3", "5"), ("4", "5"), ("5", "5"), ("5", "6")];
    let expected = expected.map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(seen, expected);
    let before = all[0].before(0).unwrap();
    assert_eq!(value(&later, &before, "a").as_deref(), Some("1"));
}

#[tokio::test]
async fn a_log_that_is_read_back_from_any_place_says_the_same_as_it_did_live() {
    let (engine, store, caller) = engine().await;
    let mut live = engine.follow(&TwinId::default(), Revision(0)).await.unwrap();
    let mut seen = Vec::new();
    let mut operations = vec![
        Operation::Create(sensor(1, vec![("a", number(1.0))])),
        Operation::Create(sensor(2, vec![("a", number(1.0)), ("b", of_dataset(1.0, "urn:x:d"))])),
        append(1, vec![("b", number(2.0)), ("c", of_dataset(3.0, "urn:x:d"))]),
        append(2, vec![("b", number(2.0)), ("b", of_dataset(9.0, "urn:x:e"))]),
        Operation::DeleteAttribute { id: id(2), name: name("b"), which: WhichInstances::Default },
        Operation::DeleteAttribute { id: id(2), name: name("b"), which: WhichInstances::All },
        Operation::Replace(sensor(2, vec![("z", number(1.0))])),
        append(2, vec![("b", number(7.0))]),
        Operation::Delete(id(1)),
        Operation::Create(sensor(1, vec![("b", number(8.0))])),
        append(1, vec![("a", at(number(1.0), 10))]),
        Operation::Ingest(sensor(1, vec![("a", at(number(2.0), 5))])),
        append(1, vec![("a", at(number(3.0), 20))]),
        Operation::Delete(id(2)),
    ];
    // Enough that the log is read back in several parts, each with entities of parts behind it.
    let changes = operations.len();
    for n in 0..12 {
        operations.push(append(1, vec![("text", text(250_000 + n)), ("b", number(0.0))]));
        operations.push(replace_attribute(1, "b", number(20.0)));
    }
    for operation in operations {
        one(&engine, &caller, operation).await.unwrap();
        seen.push(live.next().await.unwrap());
    }
    let later = restarted(&engine, &store).await;
    for after in (0..changes).chain([seen.len() - 9, seen.len() - 1]) {
        let back = followed(&later, Revision(after as u64)).await;
        let records = |all: &[Arc<Followed>]| -> Vec<_> {
            all.iter().map(|followed| followed.record.clone()).collect()
        };
        assert_eq!(records(&back), records(&seen[after..]));
        let (back, live) = (entities(&back), entities(&seen[after..]));
        for (place, (back, live)) in back.iter().zip(&live).enumerate() {
            let is_observed = seen[after..][place]
                .record
                .changes
                .iter()
                .any(|change| matches!(change, cardo_model::EntityChange::Observed { .. }));
            // When an entity that only had a late reading was modified before is not in the log.
            assert!(is_observed || back == live, "change {place} behind {after}");
        }
        assert_eq!(back.len(), live.len());
    }
}

#[tokio::test]
async fn the_log_is_kept_for_the_slowest_position_up_to_a_limit() {
    let store = Arc::new(cardo_store::MemoryStore::new());
    let options =
        EngineOptions { log_revisions: 8, held_log_revisions: 100, ..EngineOptions::default() };
    let engine = Engine::open(store.clone(), options).await.unwrap();
    let caller = Caller::local("test");
    let twin = TwinId::default();
    one(&engine, &caller, Operation::Create(sensor(1, vec![("a", number(0.0))]))).await.unwrap();
    store.save_position(&twin, "subscription:slow", Some(Revision(5))).await.unwrap();
    let write = async |more: u32| {
        for n in 0..more {
            let change = append(1, vec![("a", number(f64::from(n) + 0.5))]);
            one(&engine, &caller, change).await.unwrap();
        }
        engine.project_all().await.unwrap();
    };
    write(60).await;
    assert_eq!(store.read_log(&twin, Revision(5), 1).await.unwrap()[0].revision, Revision(6));
    let before = store.read_log(&twin, Revision(0), 1).await;
    assert!(matches!(before, Err(LogError::Gone { .. })), "what everybody has read is cut");
    write(60).await;
    let Err(LogError::Gone { oldest }) = store.read_log(&twin, Revision(5), 1).await else {
        panic!("a follower that is further behind than the limit holds the log for ever");
    };
    assert!(oldest.0 >= 20, "{oldest}");
    assert_eq!(store.read_log(&twin, Revision(oldest.0 - 1), 1).await.unwrap()[0].revision, oldest);
}
