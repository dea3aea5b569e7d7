//! When a type was observed first and last, while readings come and go.

use std::collections::BTreeMap;

use cardo_engine::Operation;
use proptest::prelude::*;

use crate::common::{at, engine, id, name, number, one, sensor};

/// A sensor with readings at these seconds, or its end.
type Change = (u32, Option<(u8, Option<u8>)>);

async fn follows(changes: Vec<Change>) {
    let (engine, _, caller) = engine().await;
    let mut plain: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for (sensor_id, readings) in changes {
        let operation = match readings {
            None => Operation::Delete(id(sensor_id)),
            Some((level, noise)) => {
                let mut attributes = vec![("level", at(number(1.0), i64::from(level)))];
                attributes.extend(noise.map(|noise| ("noise", at(number(2.0), i64::from(noise)))));
                Operation::CreateOrReplace(sensor(sensor_id, attributes))
            }
        };
        if one(&engine, &caller, operation).await.is_ok() {
            let seconds = readings.map(|(level, noise)| [Some(level), noise]);
            let seconds = seconds.into_iter().flatten().flatten().map(i64::from).collect();
            plain.insert(sensor_id, seconds);
        }
        let expected = plain.values().flatten().min().zip(plain.values().flatten().max());
        let snapshot = engine.snapshot_with_times(&caller).await.unwrap();
        let info = snapshot.type_info(name("Sensor").as_str());
        let seconds = |time: cardo_model::Timestamp| time.as_micros() / 1_000_000;
        let found = info.and_then(|info| info.time).map(|(a, b)| (seconds(a), seconds(b)));
        assert_eq!(found, expected.map(|(a, b)| (*a, *b)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_first_and_the_last_reading_are_those_that_are_there(
        changes in prop::collection::vec(
            (0_u32..6, prop::option::weighted(0.7, (0_u8..20, prop::option::of(0_u8..20)))),
            0..40,
        ),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follows(changes));
    }
}
