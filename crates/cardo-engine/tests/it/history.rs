//! History that is written by itself, put right and aggregated, against plain computations.

use std::sync::Arc;

use cardo_engine::{
    AggregateValue, Aggregation, Caller, Duration, Engine, EngineOptions, EntityHistory,
    HistoryEvent, HistoryRequest, Mask, Method, Operation, Restriction, Retention, RetentionRule,
    View, WhichInstances,
};
use cardo_model::{Attribute, Instance, InstanceRef, Timestamp};
use cardo_query::{Filter, TemporalProperty};
use cardo_store::MemoryStore;
use proptest::prelude::*;

use crate::common::{at, engine, history_of, id, name, number, one, sensor};

fn request(last: Option<usize>) -> HistoryRequest {
    HistoryRequest { property: Some(TemporalProperty::ObservedAt), last, ..history_of(1, 10_000) }
}

async fn record(engine: &Engine, caller: &Caller, term: &str, instances: Vec<Instance>) {
    let operation = Operation::Record {
        id: id(1),
        types: vec![name("Sensor")],
        scopes: Vec::new(),
        attributes: vec![Attribute { name: name(term), instances }],
        must_exist: false,
    };
    one(engine, caller, operation).await.unwrap();
}

async fn ask(engine: &Engine, caller: &Caller, last: Option<usize>) -> Option<EntityHistory> {
    engine.history(caller, &request(last)).await.unwrap()
}

fn values(history: Option<EntityHistory>) -> Vec<(i64, f64)> {
    let rows = history.into_iter().flat_map(|history| history.rows);
    let value = |event: &HistoryEvent| match event {
        HistoryEvent::Instance { instance, .. } => {
            InstanceRef::from_bytes(instance).unwrap().value().parse::<f64>().unwrap()
        }
        other => panic!("{other:?}"),
    };
    rows.map(|row| (row.time.as_micros() / 1_000_000, value(&row.event))).collect()
}

/// One period of a plain computation.
#[derive(Default)]
struct Plain {
    values: Vec<f64>,
}

#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
impl Plain {
    fn of(&self, method: Method) -> f64 {
        let (count, sum) = (self.values.len() as f64, self.values.iter().sum::<f64>());
        let squares = |from: f64| self.values.iter().map(|v| (v - from).powi(2)).sum::<f64>();
        match method {
            Method::TotalCount => count,
            Method::DistinctCount => {
                let mut distinct = self.values.clone();
                distinct.sort_by(f64::total_cmp);
                distinct.dedup();
                distinct.len() as f64
            }
            Method::Sum => sum,
            Method::Avg => sum / count,
            Method::Min => self.values.iter().copied().fold(f64::MAX, f64::min),
            Method::Max => self.values.iter().copied().fold(f64::MIN, f64::max),
            Method::Stddev => (squares(sum / count) / count).sqrt(),
            Method::Sumsq => squares(0.0),
        }
    }
}

fn as_number(value: &AggregateValue) -> f64 {
    match value {
        AggregateValue::Number(number) => *number,
        #[expect(clippy::cast_precision_loss, reason = "the counts are small")]
        AggregateValue::Count(count) => *count as f64,
        AggregateValue::Text(_) | AggregateValue::Nothing => panic!("{value:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn aggregates_are_those_of_a_plain_computation(
        readings in proptest::collection::btree_map(0_i64..5_000, -20_i32..20, 1..120),
        period in 1_i64..2_000,
        from in proptest::option::of(0_i64..1_000),
        length in 0_i64..9_000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let history = runtime.block_on(async {
            let (engine, _, caller) = engine().await;
            let instances = readings.iter().map(|(second, v)| at(number(f64::from(*v)), *second));
            record(&engine, &caller, "t", instances.collect()).await;
            let from = from.map(Timestamp::from_seconds);
            engine.history(&caller, &HistoryRequest { from, ..request(None) }).await.unwrap()
        }).unwrap();
        let aggregation = Aggregation {
            methods: Method::ALL.to_vec(),
            period: Duration::parse(&format!("PT{period}S")).unwrap(),
            from: from.map(Timestamp::from_seconds),
            until: None,
            property: TemporalProperty::ObservedAt,
        };
        let made = aggregation.of(&history);
        prop_assert_eq!(aggregation.periods(), None);
        if let Some(from) = from {
            let until = Some(Timestamp::from_seconds(from + length));
            let aggregation = Aggregation { until, ..aggregation.clone() };
            let count = u64::try_from((length + period - 1) / period).unwrap();
            prop_assert_eq!(aggregation.periods(), Some(count));
        }
        let inside = readings.iter().filter(|(second, _)| from.is_none_or(|from| **second >= from));
        let inside: Vec<(i64, f64)> = inside.map(|(s, v)| (*s, f64::from(*v))).collect();
        let Some(origin) = from.or_else(|| inside.first().map(|(second, _)| *second)) else {
            return Ok(());
        };
        let mut expected: Vec<(i64, Plain)> = Vec::new();
        let mut start = origin;
        while start < 10_000 {
            let own = inside.iter().filter(|(s, _)| (start..start + period).contains(s));
            let values: Vec<f64> = own.map(|(_, value)| *value).collect();
            if !values.is_empty() {
                expected.push((start, Plain { values }));
            }
            start += period;
        }
        prop_assert_eq!(made.len(), usize::from(!inside.is_empty()));
        for (method, periods) in made.iter().flat_map(|one| &one.methods) {
            prop_assert_eq!(periods.len(), expected.len());
            for (made, (start, plain)) in periods.iter().zip(&expected) {
                prop_assert_eq!(made.start, Timestamp::from_seconds(*start));
                prop_assert_eq!(made.end, Timestamp::from_seconds(start + period));
                let (made, plain) = (as_number(&made.value), plain.of(*method));
                prop_assert!((made - plain).abs() < 1e-9 * plain.abs().max(1.0), "{method:?}: {made} {plain}");
            }
        }
    }

    /// Instances are written, put right and taken out, projected in between or not; what is left is
    /// what a list of them says.
    #[test]
    fn an_amended_history_is_that_of_a_plain_list(
        steps in proptest::collection::vec((0_u8..6, 0_usize..20, 0_i64..1_000, 1_i32..100), 1..30),
        last in proptest::option::of(1_usize..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (found, mut expected) = runtime.block_on(async {
            let (engine, _, caller) = engine().await;
            let mut plain: Vec<(i64, f64)> = Vec::new();
            for (step, place, second, value) in steps {
                let value = f64::from(value);
                let rows = ask(&engine, &caller, None).await.map(|h| h.rows).unwrap_or_default();
                let row = rows.get(place % rows.len().max(1)).cloned();
                match (step, row) {
                    (0..=2, _) | (_, None) => {
                        if !plain.iter().any(|(known, _)| *known == second) {
                            record(&engine, &caller, "t", vec![at(number(value), second)]).await;
                            plain.push((second, value));
                        }
                    }
                    (3 | 4, Some(row)) => {
                        let at_second = row.time.as_micros() / 1_000_000;
                        plain.retain(|(known, _)| *known != at_second);
                        let by = (step == 3 && !plain.iter().any(|(known, _)| *known == second))
                            .then(|| Box::new(at(number(value), second)));
                        if by.is_some() {
                            plain.push((second, value));
                        }
                        let (line, instance_id) = ((row.revision, row.ordinal), name("i"));
                        let operation = Operation::AmendInstance {
                            id: id(1), name: name("t"), dataset_id: None, instance_id, line, by,
                        };
                        one(&engine, &caller, operation).await.unwrap();
                    }
                    (_, Some(_)) if place == 0 => {
                        let which = WhichInstances::Default;
                        let operation = Operation::ForgetAttribute { id: id(1), name: name("t"), which };
                        one(&engine, &caller, operation).await.unwrap();
                        plain.clear();
                    }
                    (_, Some(_)) => engine.project_all().await.unwrap(),
                }
            }
            (values(ask(&engine, &caller, last).await), plain)
        });
        expected.sort_by_key(|(second, _)| *second);
        let dropped = last.map_or(0, |last| expected.len().saturating_sub(last));
        prop_assert_eq!(found, expected.split_off(dropped));
    }
}

#[tokio::test]
async fn a_part_of_the_twin_shows_nothing_of_what_is_known_by_history_alone() {
    let (engine, _, caller) = engine().await;
    record(&engine, &caller, "t", vec![at(number(1.0), 10)]).await;
    record(&engine, &caller, "secret", vec![at(number(2.0), 20)]).await;
    let hides = Restriction { rows: Filter::True, attributes: Mask::Without(vec![name("secret")]) };
    let other = Caller { view: View::restricted(hides), ..caller.clone() };
    assert!(ask(&engine, &other, None).await.is_none());
    one(&engine, &caller, Operation::Create(sensor(1, vec![("u", at(number(3.0), 30))])))
        .await
        .unwrap();
    assert_eq!(values(ask(&engine, &other, None).await).len(), 2);
    assert_eq!(values(ask(&engine, &caller, None).await).len(), 3);
}

#[tokio::test]
async fn histories_are_kept_as_long_as_the_rule_of_their_type_says() {
    let keep = |seconds| Some(std::time::Duration::from_secs(seconds));
    let of_type = |term: &str, rule: RetentionRule| rule.of_type(name(term).as_str()).unwrap();
    let rules = vec![
        RetentionRule { tenant: Some("else".into()), keep: keep(1), ..RetentionRule::default() },
        of_type("Short", RetentionRule { keep: keep(100), ..RetentionRule::default() }),
        of_type("Ever", RetentionRule::default()),
        RetentionRule { keep: keep(500), ..RetentionRule::default() },
    ];
    let options = EngineOptions {
        retention: Retention { rules },
        clock: Arc::new(|| Timestamp::from_seconds(1_000)),
        ..EngineOptions::default()
    };
    let engine = Engine::open(Arc::new(MemoryStore::new()), options).await.unwrap();
    let caller = Caller::local("test");
    for (n, term) in [(1, "Short"), (2, "Ever"), (3, "Sensor")] {
        let instances = (0..10).map(|i| at(number(f64::from(i)), i64::from(i) * 100)).collect();
        let operation = Operation::Record {
            id: id(n),
            types: vec![name(term)],
            scopes: Vec::new(),
            attributes: vec![Attribute { name: name("t"), instances }],
            must_exist: false,
        };
        one(&engine, &caller, operation).await.unwrap();
    }
    engine.project_all().await.unwrap();
    engine.prune_histories().await.unwrap();
    for (n, first) in [(1, 900), (2, 0), (3, 500)] {
        let request = HistoryRequest { entity: id(n), ..request(None) };
        let left = values(engine.history(&caller, &request).await.unwrap());
        assert_eq!(left.first().map(|(second, _)| *second), Some(first), "{n}");
        assert_eq!(left.last().map(|(second, _)| *second), Some(900), "{n}");
    }
}

#[tokio::test]
async fn a_history_goes_with_its_entity_where_that_is_wanted() {
    let with_entity = RetentionRule { with_entity: true, ..RetentionRule::default() };
    let rules = vec![with_entity.of_type(name("Sensor").as_str()).unwrap()];
    let options = EngineOptions { retention: Retention { rules }, ..EngineOptions::default() };
    let engine = Engine::open(Arc::new(MemoryStore::new()), options).await.unwrap();
    let caller = Caller::local("test");
    let mut other = sensor(2, vec![("t", number(1.0))]);
    other.types = vec![name("Other")];
    for entity in [sensor(1, vec![("t", number(1.0))]), other] {
        let id = entity.id.clone();
        one(&engine, &caller, Operation::Create(entity)).await.unwrap();
        one(&engine, &caller, Operation::Delete(id)).await.unwrap();
    }
    for is_projected in [false, true] {
        if is_projected {
            engine.project_all().await.unwrap();
        }
        let history = |n| HistoryRequest { entity: id(n), ..request(None) };
        assert!(engine.history(&caller, &history(1)).await.unwrap().is_none());
        assert!(engine.history(&caller, &history(2)).await.unwrap().is_some());
    }
    one(&engine, &caller, Operation::Create(sensor(1, vec![("t", number(2.0))]))).await.unwrap();
    assert_eq!(ask(&engine, &caller, None).await.unwrap().rows.len(), 1);
}
