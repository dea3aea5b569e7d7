//! Figures of entities, in all and by areas, against a plain scan.

use std::collections::BTreeMap;

use cardo_engine::{
    Batch, Caller, Counting, Engine, Figures, Mask, Operation, Restriction, Snapshot, Table,
    Tables, View,
};
use cardo_model::{Attribute, Entity, Geometry, Instance, Record, Value};
use cardo_query::{Comparison, Filter, Literal, Operand, Operator, Path};
use cardo_spatial::representative_point;
use geo_types::{Geometry as Shape, LineString, Point, Rect, coord};
use proptest::prelude::*;

use crate::common::{all, engine, iri, name, number, sensor};

const LOCATION: &str = "https://uri.etsi.org/ngsi-ld/location";

/// A sensor as the plain scan knows it.
#[derive(Clone, Debug)]
struct Plain {
    height: Option<i32>,
    unit: Option<&'static str>,
    shape: Shape<f64>,
}

fn located(mut entity: Entity, shape: &Shape<f64>) -> Entity {
    let geometry = Geometry::from_shape(shape).unwrap();
    entity.attributes.push(Attribute::new(iri(LOCATION), Instance::new(Value::geo(&geometry))));
    entity
}

fn entity_of(number_of: u32, plain: &Plain) -> Entity {
    let mut attributes = Vec::new();
    if let Some(height) = plain.height {
        let mut instance = number(f64::from(height));
        instance.unit_code = plain.unit.map(Into::into);
        attributes.push(("height", instance));
    }
    located(sensor(number_of, attributes), &plain.shape)
}

fn district(number_of: u32, [x, y, w, h]: [i32; 4]) -> Entity {
    let at = |x: i32, y: i32| coord! { x: f64::from(x), y: f64::from(y) };
    let square = Rect::new(at(x, y), at(x + w, y + h)).to_polygon();
    let entity = Entity::new(iri(&format!("urn:d:{number_of}")), name("District"));
    located(entity, &Shape::Polygon(square))
}

fn shapes() -> impl Strategy<Value = Shape<f64>> {
    let place = || (0_i32..20, 0_i32..20).prop_map(|(x, y)| (f64::from(x), f64::from(y)));
    prop_oneof![
        4 => place().prop_map(|(x, y)| Shape::Point(Point::new(x, y))),
        1 => (place(), 1_i32..6).prop_map(|((x, y), by)| {
            Shape::LineString(LineString::from(vec![(x, y), (x + f64::from(by), y + 1.0)]))
        }),
        1 => (place(), 1_i32..6).prop_map(|((x, y), by)| {
            let to = coord! { x: x + f64::from(by), y: y + 2.0 };
            Shape::Polygon(Rect::new(coord! { x: x, y: y }, to).to_polygon())
        }),
    ]
}

fn plains() -> impl Strategy<Value = Vec<Plain>> {
    let units = prop::sample::select(vec![None, Some("MTR"), Some("FOT")]);
    let one = (prop::option::of(-50_i32..50), units, shapes());
    prop::collection::vec(
        one.prop_map(|(height, unit, shape)| Plain { height, unit, shape }),
        0..60,
    )
}

/// Count, sum, smallest and largest by unit.
type Sums = BTreeMap<Option<String>, (u64, f64, f64, f64)>;

fn scanned<'p>(plains: impl Iterator<Item = &'p Plain>) -> (u64, Sums) {
    let (mut count, mut sums) = (0, Sums::new());
    for plain in plains {
        count += 1;
        if let Some(height) = plain.height.map(f64::from) {
            let unit = plain.unit.map(str::to_owned);
            let sum = sums.entry(unit).or_insert((0, 0.0, f64::MAX, f64::MIN));
            *sum = (sum.0 + 1, sum.1 + height, sum.2.min(height), sum.3.max(height));
        }
    }
    (count, sums)
}

fn shown(figures: &Figures) -> (u64, Sums) {
    let numbers = figures.numbers.iter().map(|n| {
        assert!((n.mean() - n.sum / n.count as f64).abs() < 1e-12);
        (n.unit.as_deref().map(str::to_owned), (n.count, n.sum, n.min, n.max))
    });
    (figures.count, numbers.collect())
}

fn counting(table: &Table, filter: Filter) -> Counting<'_> {
    Counting { table, filter, columns: table.number_columns().collect() }
}

async fn filled(plains: &[Plain], districts: &[[i32; 4]]) -> (Engine, Caller) {
    let (engine, _, caller) = engine().await;
    let sensors = (0..).zip(plains).map(|(at, plain)| entity_of(at, plain));
    let districts = (0..).zip(districts).map(|(at, square)| district(at, *square));
    let operations = sensors.chain(districts).map(Operation::Create).collect();
    engine.apply(&caller, Batch { operations, ..Batch::default() }).await.unwrap();
    (engine, caller)
}

fn districts_of(snapshot: &Snapshot) -> Vec<Record> {
    snapshot.query(&all(Filter::Type(name("District")))).entities
}

async fn seen(engine: &Engine, caller: &Caller) -> (Snapshot, std::sync::Arc<Tables>) {
    (engine.snapshot(caller).await.unwrap(), engine.tables(caller).await.unwrap())
}

fn higher_than(limit: i32) -> Filter {
    let literal = Operand::One(Literal::Number(f64::from(limit)));
    let path = Path::of_attribute(name("height"));
    Filter::Compare(Comparison { path, operator: Operator::Greater, operand: literal })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn figures_are_those_of_a_plain_scan(
        plains in plains(),
        districts in prop::collection::vec([0_i32..15, 0_i32..15, 1_i32..12, 1_i32..12], 1..6),
        limit in prop::option::of(-50_i32..50),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (engine, caller) = filled(&plains, &districts).await;
            let (snapshot, tables) = seen(&engine, &caller).await;
            let Some(sensors) = tables.get("Sensor") else {
                assert!(plains.is_empty());
                return;
            };
            let passes = |plain: &&Plain| match limit {
                None => true,
                Some(limit) => plain.height.is_some_and(|height| height > limit),
            };
            let filter = limit.map_or(Filter::True, higher_than);
            let counting = counting(sensors, filter);
            let figures = engine.aggregate(&snapshot, &counting).await.unwrap();
            assert_eq!(shown(&figures), scanned(plains.iter().filter(passes)));

            // Each lies in the first district that has its point, or in none.
            let inside = |plain: &Plain, [x, y, w, h]: &[i32; 4]| {
                let [lon, lat] = representative_point(&plain.shape).unwrap();
                (f64::from(*x)..=f64::from(x + w)).contains(&lon)
                    && (f64::from(*y)..=f64::from(y + h)).contains(&lat)
            };
            let home = |plain: &Plain| districts.iter().position(|one| inside(plain, one));
            let areas = districts_of(&snapshot);
            let of = tables.get("District").unwrap();
            let by_area =
                engine.aggregate_by_area(&snapshot, of, &areas, &[counting]).await.unwrap();
            assert_eq!(by_area.len(), districts.len());
            for (at, figures) in by_area.iter().enumerate() {
                let own = plains.iter().filter(passes).filter(|plain| home(plain) == Some(at));
                assert_eq!(shown(&figures[0]), scanned(own), "district {at}");
            }
        });
    }
}

#[tokio::test]
async fn what_a_caller_may_not_see_counts_nowhere() {
    let plain = |height, x: f64| Plain {
        height: Some(height),
        unit: Some("MTR"),
        shape: Shape::Point(Point::new(x, 1.0)),
    };
    let plains: Vec<Plain> = (0..10).map(|at| plain(at, f64::from(at) / 10.0)).collect();
    let (engine, everybody) = filled(&plains, &[[0, 0, 2, 2]]).await;
    let seen_by = |rows, attributes| {
        let view = View::restricted(Restriction { rows, attributes });
        Caller { view, ..everybody.clone() }
    };
    let few = seen_by(Filter::Or(vec![higher_than(6), Filter::Type(name("District"))]), Mask::All);
    let (snapshot, tables) = seen(&engine, &few).await;
    let counted = counting(tables.get("Sensor").unwrap(), Filter::True);
    let figures = engine.aggregate(&snapshot, &counted).await.unwrap();
    assert_eq!((figures.count, figures.numbers[0].sum), (3, 24.0));
    let areas = districts_of(&snapshot);
    let of = tables.get("District").unwrap();
    let by_area = engine.aggregate_by_area(&snapshot, of, &areas, &[counted]).await.unwrap();
    assert_eq!((by_area[0][0].count, by_area[0][0].numbers[0].min), (3, 7.0));

    let blind = seen_by(Filter::True, Mask::Without(vec![name("height")]));
    let (snapshot, tables) = seen(&engine, &blind).await;
    let counted = counting(tables.get("Sensor").unwrap(), Filter::True);
    let figures = engine.aggregate(&snapshot, &counted).await.unwrap();
    assert_eq!((figures.count, figures.numbers.len()), (10, 0));
}

#[tokio::test]
async fn sums_lose_nothing_to_the_order_of_additions() {
    let (engine, _, caller) = engine().await;
    let values = [1e16, 1.0, -1e16, 1.0];
    let operations = (0..)
        .zip(values)
        .map(|(at, value)| Operation::Create(sensor(at, vec![("height", number(value))])));
    let batch = Batch { operations: operations.collect(), ..Batch::default() };
    engine.apply(&caller, batch).await.unwrap();
    let (snapshot, tables) = seen(&engine, &caller).await;
    let counted = counting(tables.get("Sensor").unwrap(), Filter::True);
    let figures = engine.aggregate(&snapshot, &counted).await.unwrap();
    assert_eq!(figures.numbers[0].sum, 2.0);
}
