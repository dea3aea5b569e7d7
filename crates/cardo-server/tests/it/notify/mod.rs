//! Notifications of the running server to receivers that come and go.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod away;
mod mqtt;
mod receiver;

use serde_json::{Value, json};

use crate::feeds::{City, until};

/// Subscribes to entities of type `Sample`; gives the path of the subscription.
fn subscribe(city: &City, endpoint: &Value) -> String {
    let subscription = json!({
        "type": "Subscription", "entities": [{ "type": "Sample" }],
        "notification": { "endpoint": endpoint, "format": "keyValues" }
    });
    let answer =
        city.server.send("POST", "/ngsi-ld/v1/subscriptions", Some(&subscription.to_string()));
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.header("location").unwrap().to_owned()
}

/// Waits until a gauge or counter of `/metrics` is what it should be.
fn until_metric(city: &City, name: &str, holds: impl Fn(f64) -> bool) {
    let value = || {
        let text = city.server.send("GET", "/metrics", None).text();
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    until(name, || holds(value()), || value().to_string());
}

fn set(city: &City, id: &str, value: u64) {
    let path = format!("/ngsi-ld/v1/entities/{id}/attrs");
    let answer = city.server.send("POST", &path, Some(&format!("{{\"a\": {value}}}")));
    assert_eq!(answer.status, 204, "{}", answer.text());
}
