//! Conditions on the entities that relationships lead to.

use crate::common::*;
use cardo_engine::{Batch, Caller, Engine, Mask, Operation, Restriction, View};
use cardo_model::{Instance, JsonText, Value};
use cardo_query::{Comparison, Filter, Link, LinkTarget, Literal, Operand, Operator, Path};

fn link_to(number: u32) -> Instance {
    Instance::new(Value::relationship(&id(number)))
}

fn text(value: &str) -> Instance {
    Instance::new(Value::property(JsonText::string(value), false))
}

fn above(term: &str, least: f64) -> Filter {
    Filter::Compare(Comparison {
        path: Path::of_attribute(name(term)),
        operator: Operator::GreaterOrEqual,
        operand: Operand::One(Literal::Number(least)),
    })
}

fn leads(term: &str, filter: Filter) -> Filter {
    Filter::Link(Link { relationship: name(term), target: LinkTarget::Matching(Box::new(filter)) })
}

/// Two hundred sensors with a level, each with a follower; one that only names an id.
async fn chain() -> (Engine, Caller) {
    let (engine, _, caller) = engine().await;
    let mut operations = Vec::new();
    for n in 0..200 {
        operations.push(Operation::Create(sensor(n, vec![("level", number(f64::from(n)))])));
        operations.push(Operation::Create(sensor(1_000 + n, vec![("to", link_to(n))])));
    }
    operations.push(Operation::Create(sensor(2_000, vec![("to", link_to(1_199))])));
    operations.push(Operation::Create(sensor(2_001, vec![("to", text(id(199).as_str()))])));
    let batch = Batch { operations, ..Batch::default() };
    engine.apply(&caller, batch).await.unwrap();
    (engine, caller)
}

async fn count(engine: &Engine, caller: &Caller, filter: Filter) -> usize {
    engine.query(caller, &all(filter)).await.unwrap().count.unwrap()
}

#[tokio::test]
async fn links_to_few_to_many_and_over_several_steps_are_followed() {
    let (engine, caller) = chain().await;
    for (least, expected) in [(0.0, 200), (50.0, 150), (190.0, 10), (199.0, 1), (200.0, 0)] {
        let filter = leads("to", above("level", least));
        assert_eq!(count(&engine, &caller, filter.clone()).await, expected, "{least}");
        let rest = count(&engine, &caller, Filter::Not(Box::new(filter))).await;
        assert_eq!(rest, 402 - expected, "not {least}");
    }
    let twice = leads("to", leads("to", above("level", 150.0)));
    assert_eq!(count(&engine, &caller, twice.clone()).await, 1);
    let either = Filter::Or(vec![twice, leads("to", above("level", 199.0))]);
    assert_eq!(count(&engine, &caller, either).await, 2);
    assert_eq!(count(&engine, &caller, leads("none", Filter::True)).await, 0);
}

#[tokio::test]
async fn what_a_view_hides_leads_nowhere_and_is_led_to_by_nothing() {
    let (engine, caller) = chain().await;
    let filter = leads("to", above("level", 100.0));
    let seen = |rows: Filter, attributes: Mask| Caller {
        view: View::restricted(Restriction { rows, attributes }),
        ..caller.clone()
    };
    let without = |term: &str| Mask::Without(vec![name(term)]);
    let hides_high = Filter::Not(Box::new(above("level", 110.0)));
    assert_eq!(count(&engine, &seen(hides_high, Mask::All), filter.clone()).await, 10);
    for term in ["to", "level"] {
        assert_eq!(count(&engine, &seen(Filter::True, without(term)), filter.clone()).await, 0);
    }
}

#[tokio::test]
async fn who_watches_judges_by_links_as_a_question_does() {
    let (engine, caller) = chain().await;
    let records = engine.query(&caller, &all(Filter::True)).await.unwrap().entities;
    let level = || leads("to", above("level", 150.0));
    let hidden = Filter::Not(Box::new(above("level", 170.0)));
    let restriction = |rows, attributes| View::restricted(Restriction { rows, attributes });
    for (view, expected) in [
        (View::all(), [50, 352, 51]),
        (restriction(hidden, Mask::All), [20, 352, 20]),
        (restriction(Filter::True, Mask::Without(vec![name("level")])), [0, 402, 0]),
    ] {
        let caller = Caller { view, ..caller.clone() };
        for (filter, expected) in [
            level().and(Filter::True),
            Filter::Not(Box::new(level())),
            Filter::Or(vec![leads("to", level()), level()]),
        ]
        .into_iter()
        .zip(expected)
        {
            let mut watch = engine.watch(&caller, filter.clone());
            let judged = records.iter().filter(|record| watch.judge(record).is_some()).count();
            assert_eq!(judged, count(&engine, &caller, filter).await);
            assert_eq!(judged, expected);
        }
    }
}
