//! A twin over the memory store, and short ways to say entities.

use std::sync::Arc;

use cardo_engine::{
    Batch, Caller, Done, Engine, EngineOptions, EntityQuery, HistoryRequest, Operation,
    OperationError, Order, PageRequest, PageStart,
};
use cardo_model::{
    Attribute, Entity, EntityId, Geometry, Instance, Iri, JsonText, Record, Timestamp, Value,
};
use cardo_query::Filter;
use cardo_store::MemoryStore;

pub(crate) fn iri(text: &str) -> Iri {
    Iri::new(text).unwrap()
}

pub(crate) fn id(number: u32) -> EntityId {
    iri(&format!("urn:ngsi-ld:Sensor:{number}"))
}

pub(crate) fn name(term: &str) -> Iri {
    iri(&format!("https://uri.etsi.org/ngsi-ld/default-context/{term}"))
}

pub(crate) fn number(value: f64) -> Instance {
    Instance::new(Value::property(JsonText::parse(&value.to_string()).unwrap(), false))
}

pub(crate) fn at(mut instance: Instance, second: i64) -> Instance {
    instance.observed_at = Some(Timestamp::from_seconds(second));
    instance
}

pub(crate) fn sensor(number_of: u32, attributes: Vec<(&str, Instance)>) -> Entity {
    let mut entity = Entity::new(id(number_of), name("Sensor"));
    for (term, instance) in attributes {
        entity.attributes.push(Attribute::new(name(term), instance));
    }
    entity
}

pub(crate) fn point(lon: f64, lat: f64) -> Instance {
    let text = format!("{{\"type\":\"Point\",\"coordinates\":[{lon},{lat}]}}");
    Instance::new(Value::geo(&Geometry::parse(&text).unwrap()))
}

pub(crate) async fn engine() -> (Engine, Arc<MemoryStore>, Caller) {
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::open(store.clone(), EngineOptions::default()).await.unwrap();
    (engine, store, Caller::local("test"))
}

pub(crate) async fn one(
    engine: &Engine,
    caller: &Caller,
    operation: Operation,
) -> Result<Done, OperationError> {
    let batch = Batch { operations: vec![operation], ..Batch::default() };
    engine.apply(caller, batch).await.unwrap().results.remove(0)
}

pub(crate) async fn retrieve(engine: &Engine, caller: &Caller, number: u32) -> Option<Record> {
    engine.snapshot(caller).await.unwrap().retrieve(id(number).as_str())
}

pub(crate) fn value(engine: &Engine, record: &Record, term: &str) -> Option<String> {
    let name = engine.names().id(name(term).as_str())?;
    let attribute = record.view().attribute(name)?;
    attribute.instance(None).map(|i| i.value().to_owned())
}

pub(crate) fn all(filter: Filter) -> EntityQuery {
    let page = PageRequest { limit: 1_000, start: PageStart::Offset(0) };
    EntityQuery { filter, order: Order::default(), page, count: true }
}

/// The first values of all attributes of an entity.
pub(crate) fn history_of(number: u32, limit: usize) -> HistoryRequest {
    HistoryRequest {
        entity: id(number),
        attributes: Vec::new(),
        omitted: Vec::new(),
        datasets: None,
        property: None,
        from: None,
        until: None,
        last: None,
        limit,
    }
}
