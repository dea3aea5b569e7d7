//! What the engine promises, over the memory store.
use crate::common::*;
use cardo_engine::{
    Batch, Done, HistoryEvent, HistoryRequest, MergeOptions, Operation, OperationError, Order,
    PageRequest, PageStart, QueryError, Restriction, View, WhichInstances, WriteError,
};
use cardo_engine::{Caller, EntityQuery, Mask};
use cardo_model::{
    AttributeFragment, Fragment, InstanceFragment, JsonText, Kind, Revision, Timestamp, TwinId,
    Value,
};
use cardo_query::{
    Comparison, Filter, Function, Literal, Operand, Operator, Order as Comparing, Path, Predicate,
    Sort, Term,
};

fn greater(term: &str, than: f64) -> Filter {
    Filter::Compare(Comparison {
        path: Path::of_attribute(name(term)),
        operator: Operator::Greater,
        operand: Operand::One(Literal::Number(than)),
    })
}

fn term(attribute: &str) -> Term {
    Term::Path(Path::of_attribute(name(attribute)), Sort::Number)
}

fn json_property(text: &str) -> Value {
    Value::property(JsonText::parse(text).unwrap(), false)
}

#[tokio::test]
async fn a_created_entity_is_visible_and_cannot_be_created_again() {
    let (engine, _, caller) = engine().await;
    let entity = sensor(1, vec![("temperature", number(21.0))]);
    assert_eq!(one(&engine, &caller, Operation::Create(entity.clone())).await, Ok(Done::Created));
    let record = retrieve(&engine, &caller, 1).await.unwrap();
    assert_eq!(value(&engine, &record, "temperature").as_deref(), Some("21"));
    assert_eq!(record.view().revision(), Revision(1));
    let again = one(&engine, &caller, Operation::Create(entity)).await;
    assert_eq!(again, Err(OperationError::AlreadyExists(id(1))));
}

#[tokio::test]
async fn operations_of_one_batch_see_one_another_and_share_a_revision() {
    let (engine, _, caller) = engine().await;
    let operations = vec![
        Operation::Create(sensor(1, vec![("a", number(1.0))])),
        Operation::Delete(id(1)),
        Operation::Create(sensor(1, vec![("a", number(2.0))])),
        Operation::Delete(id(2)),
    ];
    let outcome = engine.apply(&caller, Batch { operations, ..Batch::default() }).await.unwrap();
    assert_eq!(outcome.revision, Revision(1));
    assert_eq!(outcome.results[3], Err(OperationError::NotFound(id(2))));
    let record = retrieve(&engine, &caller, 1).await.unwrap();
    assert_eq!(value(&engine, &record, "a").as_deref(), Some("2"));
}

#[tokio::test]
async fn a_failed_append_is_seen_by_nobody() {
    let (engine, store, caller) = engine().await;
    store.fail_next_append();
    let batch =
        Batch { operations: vec![Operation::Create(sensor(1, vec![]))], ..Batch::default() };
    assert!(matches!(engine.apply(&caller, batch).await, Err(WriteError::Store(_))));
    assert!(retrieve(&engine, &caller, 1).await.is_none());
    assert_eq!(engine.snapshot(&caller).await.unwrap().revision(), Revision(0));
}

#[tokio::test]
async fn a_full_store_refuses_writes_and_answers_reads() {
    let (engine, store, caller) = engine().await;
    one(&engine, &caller, Operation::Create(sensor(1, vec![]))).await.unwrap();
    store.set_full(true);
    let batch = Batch { operations: vec![Operation::Delete(id(1))], ..Batch::default() };
    let refused = engine.apply(&caller, batch.clone()).await;
    assert!(matches!(refused, Err(WriteError::Store(cardo_engine::StoreError::Full(_)))));
    assert!(retrieve(&engine, &caller, 1).await.is_some());
    store.set_full(false);
    assert!(engine.apply(&caller, batch).await.is_ok());
    assert!(retrieve(&engine, &caller, 1).await.is_none());
}

#[tokio::test]
async fn a_merge_goes_into_compound_values_and_removes_nulls() {
    let (engine, _, caller) = engine().await;
    let mut entity = sensor(1, vec![("temperature", at(number(20.0), 5))]);
    let address = json_property(r#"{"street":"A","city":"Berlin","country":"Germany"}"#);
    entity
        .attributes
        .push(cardo_model::Attribute::new(name("address"), cardo_model::Instance::new(address)));
    one(&engine, &caller, Operation::Create(entity)).await.unwrap();
    let part = |term: &str, value: Value| AttributeFragment {
        name: name(term),
        instances: vec![InstanceFragment { value: Some(value), ..InstanceFragment::default() }],
    };
    let fragment = Fragment {
        attributes: vec![
            part("address", json_property(r#"{"street":"B","country":"urn:ngsi-ld:null"}"#)),
            part("temperature", json_property("25")),
            part("humidity", json_property("60")),
        ],
        ..Fragment::default()
    };
    let options =
        MergeOptions { observed_at: Some(Timestamp::from_seconds(9)), ..MergeOptions::default() };
    one(&engine, &caller, Operation::Merge { id: id(1), fragment, options }).await.unwrap();
    let record = retrieve(&engine, &caller, 1).await.unwrap();
    assert_eq!(
        value(&engine, &record, "address").as_deref(),
        Some(r#"{"street":"B","city":"Berlin"}"#)
    );
    assert_eq!(value(&engine, &record, "humidity").as_deref(), Some("60"));
    let temperature = engine.names().id(name("temperature").as_str()).unwrap();
    let instance = record.view().attribute(temperature).unwrap().instance(None).unwrap();
    assert_eq!(
        (instance.value(), instance.observed_at()),
        ("25", Some(Timestamp::from_seconds(9)))
    );
}

#[tokio::test]
async fn a_partial_update_keeps_what_it_does_not_name_and_refuses_another_kind() {
    let (engine, _, caller) = engine().await;
    let mut reading = number(20.0);
    reading.unit_code = Some("CEL".into());
    one(&engine, &caller, Operation::Create(sensor(1, vec![("temperature", reading)])))
        .await
        .unwrap();
    let update = |kind, text: &str| Operation::PartialUpdate {
        id: id(1),
        name: name("temperature"),
        fragment: InstanceFragment {
            kind: Some(kind),
            value: Some(json_property(text)),
            ..InstanceFragment::default()
        },
    };
    one(&engine, &caller, update(Kind::Property, "30")).await.unwrap();
    let record = retrieve(&engine, &caller, 1).await.unwrap();
    let attribute = record.view().attributes().next().unwrap();
    let instance = attribute.instance(None).unwrap();
    assert_eq!((instance.value(), instance.unit_code()), ("30", Some("CEL")));
    let other = one(&engine, &caller, update(Kind::Relationship, "\"urn:x:1\"")).await;
    assert!(matches!(other, Err(OperationError::OtherKind { .. })));
}

#[tokio::test]
async fn deleting_an_attribute_can_mean_one_instance_or_all() {
    let (engine, _, caller) = engine().await;
    let mut entity = sensor(1, vec![("speed", number(1.0))]);
    let mut second = number(2.0);
    second.dataset_id = Some(iri("urn:d:1"));
    entity.attributes[0].instances.push(second);
    one(&engine, &caller, Operation::Create(entity)).await.unwrap();
    let delete = |which| Operation::DeleteAttribute { id: id(1), name: name("speed"), which };
    one(&engine, &caller, delete(WhichInstances::Default)).await.unwrap();
    let record = retrieve(&engine, &caller, 1).await.unwrap();
    assert_eq!(record.view().attributes().next().unwrap().instances().len(), 1);
    let missing = one(&engine, &caller, delete(WhichInstances::Default)).await;
    assert!(matches!(missing, Err(OperationError::AttributeNotFound { .. })));
    one(&engine, &caller, delete(WhichInstances::All)).await.unwrap();
    assert_eq!(retrieve(&engine, &caller, 1).await.unwrap().view().attributes().len(), 0);
}

#[tokio::test]
async fn pages_go_both_ways_in_the_order_of_creation() {
    let (engine, _, caller) = engine().await;
    let operations = (0..10).map(|n| Operation::Create(sensor(n, vec![]))).collect();
    engine.apply(&caller, Batch { operations, ..Batch::default() }).await.unwrap();
    let page = async |start| {
        let query = EntityQuery {
            filter: Filter::True,
            order: Order::default(),
            page: PageRequest { limit: 3, start },
            count: true,
        };
        engine.query(&caller, &query).await.unwrap()
    };
    let ids = |page: &cardo_engine::Page| -> Vec<String> {
        page.entities.iter().map(|r| r.view().id().rsplit(':').next().unwrap().to_owned()).collect()
    };
    let first = page(PageStart::Offset(0)).await;
    assert_eq!(
        (ids(&first), first.count, first.has_more, first.has_before),
        (vec!["0".into(), "1".into(), "2".into()], Some(10), true, false)
    );
    let last_seen = first.entities[2].view().seq();
    let second = page(PageStart::After(last_seen)).await;
    assert_eq!(ids(&second), ["3", "4", "5"]);
    let back = page(PageStart::Before(second.entities[0].view().seq())).await;
    assert_eq!((ids(&back), back.has_before), (vec!["0".into(), "1".into(), "2".into()], false));
    let end = page(PageStart::Offset(9)).await;
    assert_eq!((ids(&end), end.has_more), (vec!["9".into()], false));
}

#[tokio::test]
async fn a_view_hides_rows_and_attributes_from_filters_counts_and_statistics() {
    let (engine, _, caller) = engine().await;
    let operations = (0..10)
        .map(|n| {
            Operation::Create(sensor(
                n,
                vec![("level", number(f64::from(n))), ("secret", number(1.0))],
            ))
        })
        .collect();
    engine.apply(&caller, Batch { operations, ..Batch::default() }).await.unwrap();
    let restriction = Restriction {
        rows: greater("level", 6.0),
        attributes: Mask::Without(vec![name("secret")]),
    };
    let guest = Caller { view: View::restricted(restriction), ..caller.clone() };
    let seen = engine.query(&guest, &all(Filter::True)).await.unwrap();
    assert_eq!((seen.entities.len(), seen.count), (3, Some(3)));
    assert!(value(&engine, &seen.entities[0], "secret").is_none());
    let asked = engine.query(&guest, &all(greater("secret", 0.0))).await.unwrap();
    assert_eq!(asked.count, Some(0));
    let denied = Filter::Not(Box::new(Filter::HasAttribute(name("secret"))));
    assert_eq!(engine.query(&guest, &all(denied)).await.unwrap().count, Some(3));
    // What is computed of it is unknown, whatever is asked.
    let doubled = Term::Call(Function::Add, vec![term("secret"), term("level")]);
    let above =
        Predicate::Compare { order: Comparing::Greater, left: doubled, right: term("level") };
    let filter = Filter::Holds(Box::new(above.clone()));
    assert_eq!(engine.query(&caller, &all(filter.clone())).await.unwrap().count, Some(10));
    assert_eq!(engine.query(&guest, &all(filter)).await.unwrap().count, Some(0));
    let not_above = Filter::Holds(Box::new(Predicate::Not(Box::new(above))));
    assert_eq!(engine.query(&guest, &all(not_above)).await.unwrap().count, Some(0));
    assert!(retrieve(&engine, &guest, 1).await.is_none());
    assert!(retrieve(&engine, &guest, 8).await.is_some());
    let types = engine.snapshot(&guest).await.unwrap().types();
    assert_eq!((types[0].count, types[0].attributes.len()), (3, 1));
}

#[tokio::test]
async fn ingest_takes_newer_readings_and_drops_what_it_knows() {
    let (engine, _, caller) = engine().await;
    let reading = |value: f64, second| sensor(1, vec![("temperature", at(number(value), second))]);
    let ingest = async |entity| one(&engine, &caller, Operation::Ingest(entity)).await.unwrap();
    assert_eq!(ingest(reading(1.0, 100)).await, Done::Created);
    assert!(matches!(ingest(reading(2.0, 200)).await, Done::Updated { .. }));
    assert_eq!(ingest(reading(2.0, 200)).await, Done::Unchanged);
    assert_eq!(ingest(reading(1.5, 150)).await, Done::HistoryOnly);
    let revision = engine.snapshot(&caller).await.unwrap().revision();
    assert_eq!(ingest(reading(1.5, 150)).await, Done::Unchanged);
    assert_eq!(engine.snapshot(&caller).await.unwrap().revision(), revision);
    let record = retrieve(&engine, &caller, 1).await.unwrap();
    assert_eq!(value(&engine, &record, "temperature").as_deref(), Some("2"));
    let values = async || history(&engine, &caller, None).await;
    assert_eq!(values().await, ["1", "1.5", "2"]);
    engine.project_all().await.unwrap();
    assert_eq!(values().await, ["1", "1.5", "2"]);
    assert_eq!(ingest(reading(1.5, 150)).await, Done::Unchanged);
}

async fn history(
    engine: &cardo_engine::Engine,
    caller: &Caller,
    last: Option<usize>,
) -> Vec<String> {
    let request = HistoryRequest { last, ..history_of(1, 1_000) };
    let history = engine.history(caller, &request).await.unwrap().unwrap();
    let values = history.rows.iter().map(|row| match &row.event {
        HistoryEvent::Instance { instance, .. } => {
            cardo_model::InstanceRef::from_bytes(instance).unwrap().value().to_owned()
        }
        HistoryEvent::InstanceDeleted { .. } => "deleted".to_owned(),
        HistoryEvent::Entity(_)
        | HistoryEvent::Head(_)
        | HistoryEvent::Amended(_)
        | HistoryEvent::Deleted => unreachable!("they are taken apart"),
    });
    values.collect()
}

#[tokio::test]
async fn history_joins_what_is_projected_with_what_is_not() {
    let (engine, _, caller) = engine().await;
    let set = |value: f64, second| Operation::Append {
        id: id(1),
        types: Vec::new(),
        scopes: None,
        attributes: sensor(1, vec![("temperature", at(number(value), second))]).attributes,
        expires_at: None,
        no_overwrite: false,
    };
    one(&engine, &caller, Operation::Create(sensor(1, vec![("temperature", at(number(1.0), 10))])))
        .await
        .unwrap();
    one(&engine, &caller, set(2.0, 20)).await.unwrap();
    engine.project_all().await.unwrap();
    one(&engine, &caller, set(3.0, 30)).await.unwrap();
    assert_eq!(history(&engine, &caller, None).await, ["1", "2", "3"]);
    assert_eq!(history(&engine, &caller, Some(2)).await, ["2", "3"]);
    one(&engine, &caller, Operation::Delete(id(1))).await.unwrap();
    let request = history_of(1, 10);
    let gone = engine.history(&caller, &request).await.unwrap().unwrap();
    assert!(gone.current.is_none());
    assert_eq!((gone.rows.len(), gone.deleted_at.len()), (3, 1));
}

#[tokio::test]
async fn a_follower_sees_each_change_with_what_was_and_what_is() {
    let (engine, _, caller) = engine().await;
    let mut follower = engine.follow(&TwinId::default(), Revision(0)).await.unwrap();
    one(&engine, &caller, Operation::Create(sensor(1, vec![("a", number(1.0))]))).await.unwrap();
    let update = Operation::ReplaceAttribute { id: id(1), name: name("a"), instance: number(2.0) };
    one(&engine, &caller, update).await.unwrap();
    let created = follower.next().await.unwrap();
    assert_eq!(created.before(0), None);
    let updated = follower.next().await.unwrap();
    let before = updated.before(0).unwrap();
    assert_eq!(value(&engine, &before, "a").as_deref(), Some("1"));
    assert_eq!(value(&engine, updated.entities[0].as_ref().unwrap(), "a").as_deref(), Some("2"));
    assert_eq!(&*updated.record.origin, "test");
    assert_eq!(follower.position(), Revision(2));
}

#[tokio::test]
async fn a_reopened_engine_answers_as_before() {
    let (first, store, caller) = engine().await;
    for n in 0..20 {
        let entity =
            sensor(n, vec![("level", number(f64::from(n))), ("location", point(24.0, 60.0))]);
        one(&first, &caller, Operation::Create(entity)).await.unwrap();
        if n == 10 {
            first.project_all().await.unwrap();
        }
    }
    one(&first, &caller, Operation::Delete(id(3))).await.unwrap();
    let before = first.query(&caller, &all(greater("level", 1.0))).await.unwrap();
    // Only a part is projected: the rest comes back from the log.
    let engine = cardo_engine::Engine::open(store.clone(), cardo_engine::EngineOptions::default())
        .await
        .unwrap();
    let after = engine.query(&caller, &all(greater("level", 1.0))).await.unwrap();
    assert_eq!(before.entities, after.entities);
    assert_eq!((before.count, before.revision), (after.count, after.revision));
}

#[tokio::test]
async fn tenants_come_into_being_with_the_first_write() {
    let (engine, _, caller) = engine().await;
    let other = Caller { twin: TwinId::of_tenant("espoo").unwrap(), ..caller.clone() };
    assert!(
        matches!(engine.snapshot(&other).await, Err(QueryError::UnknownTenant(name)) if name == "espoo")
    );
    one(&engine, &other, Operation::Create(sensor(1, vec![]))).await.unwrap();
    assert_eq!(engine.snapshot(&other).await.unwrap().len(), 1);
    assert_eq!(engine.snapshot(&caller).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_write_on_condition_of_a_revision_is_refused_when_it_has_passed() {
    let (engine, _, caller) = engine().await;
    one(&engine, &caller, Operation::Create(sensor(1, vec![]))).await.unwrap();
    let batch = |revision| Batch {
        operations: vec![Operation::Delete(id(1))],
        if_revision: Some(Revision(revision)),
        ..Batch::default()
    };
    assert!(matches!(
        engine.apply(&caller, batch(0)).await,
        Err(WriteError::RevisionConflict(Revision(1)))
    ));
    assert!(engine.apply(&caller, batch(1)).await.is_ok());
}

#[tokio::test]
async fn many_writers_at_once_each_find_their_write() {
    let (engine, _, caller) = engine().await;
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let (engine, caller) = (engine.clone(), caller.clone());
            tokio::spawn(async move {
                one(&engine, &caller, Operation::Create(sensor(n, vec![("level", number(1.0))])))
                    .await
                    .unwrap();
                assert!(retrieve(&engine, &caller, n).await.is_some());
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let snapshot = engine.snapshot(&caller).await.unwrap();
    assert_eq!((snapshot.len(), snapshot.revision()), (200, Revision(200)));
}

#[tokio::test]
async fn an_index_on_demand_answers_as_the_scan_did() {
    let (engine, _, caller) = engine().await;
    let operations = (0..600)
        .map(|n| Operation::Create(sensor(n, vec![("level", number(f64::from(n % 100)))])))
        .collect();
    engine.apply(&caller, Batch { operations, ..Batch::default() }).await.unwrap();
    let question = all(Filter::Type(name("Sensor")).and(greater("level", 97.0)));
    let scanned = engine.query(&caller, &question).await.unwrap();
    for n in 0..50 {
        let update =
            Operation::ReplaceAttribute { id: id(n), name: name("level"), instance: number(99.0) };
        one(&engine, &caller, update).await.unwrap();
        engine.query(&caller, &question).await.unwrap();
    }
    let answered = engine.query(&caller, &question).await.unwrap();
    assert_eq!(scanned.count, Some(12));
    assert_eq!(answered.count, Some(12 + 50));
}

#[tokio::test]
async fn a_simplified_merge_into_a_language_map_keeps_its_tags() {
    let (engine, _, caller) = engine().await;
    let mut entity = sensor(1, vec![]);
    let map = Value::language_map(JsonText::parse(r#"{"en":"a","fi":"b"}"#).unwrap());
    let instance = cardo_model::Instance::new(map);
    entity.attributes.push(cardo_model::Attribute::new(name("label"), instance));
    one(&engine, &caller, Operation::Create(entity)).await.unwrap();
    let expanded = JsonText::parse(r#"{"https://example.org/en":"c"}"#).unwrap();
    let instance = InstanceFragment {
        value: Some(Value::property(expanded, true)),
        simplified: Some(JsonText::parse(r#"{"en":"c"}"#).unwrap()),
        ..InstanceFragment::default()
    };
    let attribute = AttributeFragment { name: name("label"), instances: vec![instance] };
    let fragment = Fragment { attributes: vec![attribute], ..Fragment::default() };
    let merge = Operation::Merge { id: id(1), fragment, options: MergeOptions::default() };
    one(&engine, &caller, merge).await.unwrap();
    let record = retrieve(&engine, &caller, 1).await.unwrap();
    assert_eq!(value(&engine, &record, "label").as_deref(), Some(r#"{"en":"c","fi":"b"}"#));
}
