//! How a twin looks as tables.
use std::sync::Arc;

use crate::common::{self, *};
use cardo_engine::{
    Batch, Caller, Cell, ColumnType, Engine, EngineOptions, Mask, Operation, Restriction, Table,
    Tables, Terms, View,
};
use cardo_model::{Attribute, Entity, Instance, JsonText, Record, Value};
use cardo_query::{Datasets, Filter, evaluate};
use cardo_store::MemoryStore;
use cardo_testkit::random::random_entity;
use proptest::prelude::*;

fn text(value: &str) -> Instance {
    Instance::new(Value::property(JsonText::string(value), false))
}

fn languages(map: &str) -> Instance {
    Instance::new(Value::language_map(JsonText::parse(map).unwrap()))
}

fn rich_sensor() -> Entity {
    let mut temperature = at(number(21.5), 60);
    temperature.unit_code = Some("CEL".into());
    temperature.attributes.push(Attribute::new(name("accuracy"), number(0.5)));
    let mut model = number(22.0);
    model.dataset_id = Some(iri("urn:ngsi-ld:Dataset:model-A"));
    let mut entity = sensor(1, vec![("name", languages(r#"{"fi":"Anturi","en":"Sensor"}"#))]);
    entity
        .attributes
        .push(Attribute { name: name("temperature"), instances: vec![temperature, model] });
    let location = iri("https://uri.etsi.org/ngsi-ld/location");
    entity.attributes.push(Attribute::new(location, point(24.9, 60.1)));
    let owner = Value::relationship(&iri("urn:ngsi-ld:Owner:1"));
    entity.attributes.push(Attribute::new(name("owner"), Instance::new(owner)));
    entity
}

fn columns(table: &Table) -> Vec<(&str, ColumnType)> {
    table.columns.iter().map(|column| (column.name.as_ref(), column.datatype)).collect()
}

fn row(table: &Table, record: &Record) -> Vec<(String, String)> {
    let mut row = Vec::new();
    table.read(&record.view(), &mut |at: usize, cell: Cell<'_>| {
        let text = match cell {
            Cell::Json(text) => std::str::from_utf8(text).unwrap().to_owned(),
            Cell::Shown(text) => text.into(),
            Cell::Text(text) => text.to_owned(),
            Cell::Time(time) => format!("{time:?}"),
        };
        row.push((table.columns[at].name.to_string(), text));
    });
    row.sort();
    row
}

async fn tables(engine: &Engine, caller: &Caller) -> Arc<Tables> {
    engine.tables(caller).await.unwrap()
}

#[tokio::test]
async fn everything_said_of_an_attribute_has_a_column_with_a_plain_name() {
    let (engine, _, caller) = engine().await;
    one(&engine, &caller, Operation::Create(rich_sensor())).await.unwrap();
    let tables = tables(&engine, &caller).await;
    let table = tables.get("Sensor").unwrap();
    assert_eq!(
        columns(table),
        [
            ("location", ColumnType::Geometry),
            ("name", ColumnType::Text),
            ("name__en", ColumnType::Text),
            ("name__fi", ColumnType::Text),
            ("owner", ColumnType::Relationship),
            ("temperature", ColumnType::Number),
            ("temperature__observedAt", ColumnType::DateTime),
            ("temperature__unitCode", ColumnType::Text),
            ("temperature__accuracy", ColumnType::Number),
            ("temperature__at_model_A", ColumnType::Number),
        ]
    );
    assert_eq!(table.geometry, Some(0));
    let record = retrieve(&engine, &caller, 1).await.unwrap();
    let row = row(table, &record);
    let cell = |name: &str| row.iter().find(|(n, _)| n == name).map(|(_, text)| text.as_str());
    assert_eq!(row.len(), table.columns.len());
    assert_eq!(cell("name"), Some("\"Sensor\""));
    assert_eq!(cell("name__fi"), Some("\"Anturi\""));
    assert_eq!(cell("temperature"), Some("21.5"));
    assert_eq!(cell("temperature__accuracy"), Some("0.5"));
    assert_eq!(cell("temperature__at_model_A"), Some("22"));
    assert_eq!(cell("temperature__unitCode"), Some("CEL"));
}

#[tokio::test]
async fn a_column_has_a_unit_while_all_its_numbers_have_it() {
    let (engine, _, caller) = engine().await;
    let measured = |n: u32, unit: Option<&str>| {
        let mut level = number(1.0);
        level.unit_code = unit.map(Box::from);
        Operation::Create(sensor(n, vec![("level", level)]))
    };
    let unit = async || {
        let tables = tables(&engine, &caller).await;
        tables.get("Sensor").unwrap().column("level").unwrap().unit.clone()
    };
    one(&engine, &caller, measured(0, Some("MTR"))).await.unwrap();
    one(&engine, &caller, measured(1, Some("MTR"))).await.unwrap();
    assert_eq!(unit().await.as_deref(), Some("MTR"));
    // More units than are told apart come and go again.
    for n in 2..22 {
        let code = format!("U{n}");
        one(&engine, &caller, measured(n, Some(&code))).await.unwrap();
        assert_eq!(unit().await, None);
    }
    one(&engine, &caller, measured(22, None)).await.unwrap();
    for n in (2..23).rev() {
        assert_eq!(unit().await, None);
        one(&engine, &caller, Operation::Delete(id(n))).await.unwrap();
    }
    assert_eq!(unit().await.as_deref(), Some("MTR"));
}

#[tokio::test]
async fn a_column_is_of_moments_while_all_its_values_are() {
    let (engine, _, caller) = engine().await;
    let seen = |n: u32, datatype: Option<&str>| {
        let mut seen = text("2026-11-01T00:00:00Z");
        seen.value_type = datatype.map(Box::from);
        Operation::Create(sensor(n, vec![("seen", seen)]))
    };
    let datatype = async || {
        let tables = tables(&engine, &caller).await;
        tables.get("Sensor").unwrap().column("seen").unwrap().datatype
    };
    one(&engine, &caller, seen(1, Some("DateTime"))).await.unwrap();
    assert_eq!(datatype().await, ColumnType::DateTime);
    one(&engine, &caller, seen(2, None)).await.unwrap();
    assert_eq!(datatype().await, ColumnType::Text);
    one(&engine, &caller, Operation::Delete(id(2))).await.unwrap();
    assert_eq!(datatype().await, ColumnType::DateTime);
}

#[tokio::test]
async fn tables_stay_the_same_until_something_new_occurs_and_go_back_with_it() {
    let (engine, _, caller) = engine().await;
    one(&engine, &caller, Operation::Create(sensor(1, vec![("a", number(1.0))]))).await.unwrap();
    let before = tables(&engine, &caller).await;
    one(&engine, &caller, Operation::Create(sensor(2, vec![("a", number(2.0))]))).await.unwrap();
    assert!(Arc::ptr_eq(&before, &tables(&engine, &caller).await));
    one(&engine, &caller, Operation::Create(sensor(3, vec![("a", text("x"))]))).await.unwrap();
    let mixed = tables(&engine, &caller).await;
    assert_eq!(columns(mixed.get("Sensor").unwrap()), [("a", ColumnType::Json)]);
    assert_ne!(mixed.version(), before.version());
    one(&engine, &caller, Operation::Delete(id(3))).await.unwrap();
    assert_eq!(tables(&engine, &caller).await.version(), before.version());
}

#[tokio::test]
async fn a_taken_name_is_given_once_and_the_other_is_told() {
    let (engine, _, caller) = engine().await;
    let mut entity = sensor(1, vec![("level", number(1.0)), ("id", number(2.0))]);
    let other = Attribute::new(iri("https://example.org/level"), number(3.0));
    entity.attributes.push(other);
    one(&engine, &caller, Operation::Create(entity)).await.unwrap();
    let tables = tables(&engine, &caller).await;
    let table = tables.get("Sensor").unwrap();
    assert_eq!(table.column("level").unwrap().attribute(), &name("level"));
    assert!(table.column("id").is_none(), "the id of the entity has that name");
    let told: Vec<(&str, &str)> =
        tables.collisions().iter().map(|c| (c.wanted.as_ref(), c.of.as_ref())).collect();
    assert_eq!(told.len(), 2);
    assert!(told.contains(&("level", "https://example.org/level")));
    for collision in tables.collisions() {
        assert!(table.column(&collision.given).is_some());
    }
}

#[tokio::test]
async fn a_configured_term_is_the_name() {
    let terms = Terms::new(|iri| iri.ends_with("/temperature").then(|| "lämpö-tila".to_owned()));
    let options = EngineOptions { terms, ..EngineOptions::default() };
    let engine = Engine::open(Arc::new(MemoryStore::new()), options).await.unwrap();
    let caller = Caller::local("test");
    let entity = sensor(1, vec![("temperature", number(1.0))]);
    one(&engine, &caller, Operation::Create(entity)).await.unwrap();
    let tables = tables(&engine, &caller).await;
    assert_eq!(columns(tables.get("Sensor").unwrap()), [("l_mp__tila", ColumnType::Number)]);
}

#[tokio::test]
async fn what_a_view_hides_has_no_column_and_no_table() {
    let (engine, _, caller) = engine().await;
    one(&engine, &caller, Operation::Create(rich_sensor())).await.unwrap();
    let attributes = Mask::Only(vec![name("owner")]);
    let view = View::restricted(Restriction { rows: Filter::True, attributes });
    let masked = Caller { view, ..caller.clone() };
    let masked_tables = tables(&engine, &masked).await;
    let names = columns(masked_tables.get("Sensor").unwrap());
    assert_eq!(names, [("owner", ColumnType::Relationship)]);
    let nothing = Restriction { rows: Filter::False, attributes: Mask::All };
    let blind = Caller { view: View::restricted(nothing), ..caller };
    assert!(tables(&engine, &blind).await.all().is_empty());
}

#[tokio::test]
async fn data_used_as_names_does_not_make_columns_without_end() {
    let (engine, _, caller) = engine().await;
    let names: Vec<String> = (0..1_200).map(|n| format!("a{n:04}")).collect();
    let attributes = names.iter().map(|n| (n.as_str(), number(1.0))).collect();
    one(&engine, &caller, Operation::Create(sensor(1, attributes))).await.unwrap();
    let tables = tables(&engine, &caller).await;
    let table = tables.get("Sensor").unwrap();
    assert_eq!((table.columns.len(), table.left_out), (1_000, 200));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Counting changes one by one leads to the tables that counting all at once does, and a cell
    /// is read exactly where the evaluator finds something.
    #[test]
    fn tables_follow_random_writes_and_their_cells_are_what_conditions_see(
        entities in prop::collection::vec(random_entity(), 1..12),
        deleted in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (engine, _, caller) = engine().await;
            let mut operations: Vec<Operation> =
                entities.iter().cloned().map(Operation::CreateOrReplace).collect();
            operations.extend(deleted.iter().map(|i| Operation::Delete(i.get(&entities).id.clone())));
            for operation in operations {
                let batch = Batch { operations: vec![operation], ..Batch::default() };
                engine.apply(&caller, batch).await.unwrap();
            }
            let followed = tables(&engine, &caller).await;
            // Under a restriction that hides nothing the tables are counted anew.
            let all = Restriction { rows: Filter::True, attributes: Mask::All };
            let anew = Caller { view: View::restricted(all), ..caller.clone() };
            prop_assert_eq!(followed.version(), tables(&engine, &anew).await.version());
            let records = engine.query(&caller, &common::all(Filter::True)).await.unwrap().entities;
            for record in &records {
                for table in record.view().types().filter_map(|id| followed.of_id(id)) {
                    check_row(&engine, table, record)?;
                }
            }
            Ok(())
        })?;
    }
}

fn check_row(engine: &Engine, table: &Table, record: &Record) -> Result<(), TestCaseError> {
    let mut is_read = vec![false; table.columns.len()];
    table.read(&record.view(), &mut |at: usize, _: Cell<'_>| is_read[at] = true);
    for (at, is_read) in is_read.iter().enumerate() {
        prop_assert_eq!(table.cell(&record.view(), at).is_some(), *is_read);
    }
    for (column, is_read) in table.columns.iter().zip(is_read) {
        // Below an attribute a condition looks at every instance, a column at the first.
        if !column.path.attributes.is_empty() || matches!(column.path.datasets, Datasets::Any) {
            continue;
        }
        let filter = Filter::Exists(column.path.clone());
        let resolved = filter.map_names(&mut |name| engine.names().id_or_unknown(name.as_str()));
        let exists = evaluate(&resolved, &record.view());
        prop_assert_eq!(exists, is_read, "{:?}", column);
    }
    Ok(())
}
