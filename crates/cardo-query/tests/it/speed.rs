//! What one evaluation costs; the figures are printed with `--nocapture`.

use std::hint::black_box;
use std::time::Instant;

use cardo_model::{Entity, Kind, Record};
use cardo_query::evaluate;

use crate::common::{attribute, id_of, instance, iri, q, record};

const ROUNDS: u32 = if cfg!(debug_assertions) { 100 } else { 20_000 };
const BATCHES: usize = 20;

fn sensor() -> Record {
    let mut entity =
        Entity::new(iri("urn:ngsi-ld:AirQualityObserved:Helsinki:17"), iri("urn:x:Sensor"));
    let point = r#"{"type":"Point","coordinates":[24.9384,60.1699]}"#;
    entity.attributes = vec![
        attribute("name", vec![instance(Kind::Property, r#""Mannerheimintie 5""#)]),
        attribute("location", vec![instance(Kind::GeoProperty, point)]),
        attribute("humidity", vec![instance(Kind::Property, "0.63")]),
        attribute("temperature", vec![instance(Kind::Property, "21.7")]),
        attribute("refDevice", vec![instance(Kind::Relationship, r#""urn:ngsi-ld:Device:17""#)]),
    ];
    record(entity)
}

#[test]
fn an_evaluation_takes_a_fraction_of_a_microsecond() {
    let sensor = sensor();
    let view = sensor.view();
    for query in [
        "temperature>30",
        "temperature==20..25",
        r#"name=="Mannerheimintie 5""#,
        r#"name~="tie 5$""#,
        "refDevice==urn:ngsi-ld:Device:17",
        "temperature>20;humidity<0.7",
        "missing",
    ] {
        let filter = q(query).expect(query).map_names(&mut id_of);
        let mut matched = 0_u32;
        let mut batch = || {
            let start = Instant::now();
            for _ in 0..ROUNDS {
                matched += u32::from(evaluate(black_box(&filter), black_box(&view)));
            }
            start.elapsed() / ROUNDS
        };
        // The least of several, since others may use the machine.
        let each = (0..BATCHES).map(|_| batch()).min().expect("there are batches");
        println!("{query:36} {each:?} ({matched} matched)");
        assert!(each.as_micros() < 100, "{query} took {each:?}");
    }
}
