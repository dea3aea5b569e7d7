use serde_json::{Value, json};

use super::receiver::Receiver;
use super::{set, subscribe, until_metric};
use crate::feeds::{City, until};

const ID: &str = "urn:x:1";
const CONFIG: &str =
    "[egress]\nallow_loopback = true\n\n[notify]\nlongest_pause = \"200ms\"\ndead_letters = 10\n";

#[test]
fn a_receiver_that_was_away_gets_everything_once_and_in_order_though_the_server_is_killed() {
    let mut receiver = Receiver::new();
    let living = Receiver::new();
    let mut city = City::configured(CONFIG);
    let path = subscribe(&city, &json!({ "uri": receiver.endpoint() }));
    subscribe(&city, &json!({ "uri": living.endpoint() }));
    city.server.create(ID, "\"a\": 0");
    let mut next = 1;
    let mut go_on = |city: &City, changes: u64| {
        for value in next..next + changes {
            set(city, ID, value);
        }
        next += changes;
        until(
            "the living",
            || living.received().len() as u64 == next,
            || format!("{:?}", living.values()),
        );
        // What arrived before a kill is told again unless that it did was kept.
        until_metric(city, "cardo_subscriptions_unkept", |unkept| unkept == 0.0);
    };
    go_on(&city, 10);
    until("the first", || receiver.received().len() == 11, || format!("{:?}", receiver.values()));
    until_metric(&city, "cardo_subscriptions_unkept", |unkept| unkept == 0.0);
    receiver.go_away();
    for _ in 0..3 {
        go_on(&city, 10);
        until_metric(&city, "cardo_subscriptions_behind", |behind| behind == 1.0);
        city.kill_and_start_again();
    }
    go_on(&city, 10);
    let shown = || city.server.get(&path)["notification"].clone();
    until("a failure", || shown()["status"] == "failed", || shown().to_string());
    let reason = shown()["lastFailureReason"].clone();
    assert!(reason.as_str().unwrap().contains("could not connect"), "{reason}");
    receiver.come_back();
    until("the rest", || receiver.received().len() >= 51, || format!("{:?}", receiver.values()));
    go_on(&city, 1);
    until(
        "the last",
        || receiver.values().contains(&51.into()),
        || format!("{:?}", receiver.values()),
    );
    let expected: Vec<Value> = (0..=51).map(Value::from).collect();
    assert_eq!(receiver.values(), expected);
    assert_eq!(living.values(), expected);
    until("a success", || shown()["status"] == "ok", || shown().to_string());
    assert!(shown()["timesFailed"].as_u64().unwrap() > 0, "{}", shown());
    until_metric(&city, "cardo_subscriptions_behind", |behind| behind == 0.0);
}

#[test]
fn what_a_receiver_condemns_is_kept_through_a_kill_and_told_again_on_demand() {
    let mut city = City::configured("");
    let receiver = Receiver::new();
    // Without the key the address is refused, and no attempt can change that.
    let path = subscribe(&city, &json!({ "uri": receiver.endpoint() }));
    city.server.create(ID, "\"a\": 0");
    set(&city, ID, 1);
    let letters = |city: &City| city.server.get(&format!("{path}/deadLetters"));
    until(
        "two letters",
        || letters(&city).as_array().unwrap().len() == 2,
        || letters(&city).to_string(),
    );
    let kept = letters(&city);
    assert!(kept[0]["reason"].as_str().unwrap().contains("egress.allow_loopback"), "{kept}");
    until_metric(&city, "cardo_dead_letters_total", |count| count == 2.0);
    city.file("cardo.toml", CONFIG);
    city.kill_and_start_again();
    assert_eq!(letters(&city), kept);
    let answer = city.server.send("POST", &format!("{path}/replay"), Some("{}"));
    assert_eq!(answer.status, 204, "{}", answer.text());
    until("both", || receiver.values() == [0, 1], || format!("{:?}", receiver.values()));
    assert_eq!(letters(&city), json!([]));
}
