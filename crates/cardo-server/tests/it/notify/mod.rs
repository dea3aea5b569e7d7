//! Notifications of the running server to receivers that come and go.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod mqtt;

use serde_json::{Value, json};

use crate::feeds::City;

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

fn set(city: &City, id: &str, value: u64) {
    let path = format!("/ngsi-ld/v1/entities/{id}/attrs");
    let answer = city.server.send("POST", &path, Some(&format!("{{\"a\": {value}}}")));
    assert_eq!(answer.status, 204, "{}", answer.text());
}
