use serde_json::json;

use super::{City, until};
use crate::support::Server;

const SENSORS: &str = "[[sources]]\nname = 'sensors'\npush = true\ntype = 'Sensor'\n";

#[test]
fn records_that_are_pushed_are_durable_when_they_are_answered() {
    let mut city = City::with(SENSORS);
    let answer = city.push(
        "sensors",
        &[],
        r#"[{"id":"a","v":1},{"v":2},{"id":"b","v":3,"lat":60.1,"lon":24.9}]"#,
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    let report = answer.json();
    assert_eq!((report["taken"].as_u64(), report["quarantined"].as_u64()), (Some(2), Some(1)));
    // Pushed twice it shows once.
    let again = city.push("sensors", &[], r#"[{"id":"a","v":1},{"v":2}]"#).json();
    assert_eq!((again["unchanged"].as_u64(), again["quarantined"].as_u64()), (Some(1), Some(1)));
    city.kill_and_start_again();
    assert_eq!(city.value("urn:ngsi-ld:Sensor:a", "v"), 1);
    assert_eq!(city.value("urn:ngsi-ld:Sensor:b", "location")["coordinates"], json!([24.9, 60.1]));
    assert!(city.quarantine("sensors").len() <= 2);
}

#[test]
fn what_cannot_be_read_at_all_is_refused() {
    let city = City::with(&format!("{SENSORS}\n[limits]\nbody = '1kB'\n"));
    for (body, status) in
        [("<html>", 400), ("", 400), ("{\"a\":", 400), (r#"{"type":"Notification","data":5}"#, 400)]
    {
        let answer = city.push("sensors", &[], body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.json()["status"], status);
    }
    assert_eq!(city.push("sensors", &[], &format!("[{}]", "1,".repeat(2_000))).status, 413);
    assert_eq!(city.push("nobody", &[], "{}").status, 404);
    assert_eq!(city.source("sensors")["quarantine"], 0);
}

#[test]
fn pushing_needs_the_right_to_write_or_the_secret_of_the_source() {
    let secret = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let city = City::configured(&format!(
        "[auth]\nanonymous = 'read'\n\n{SENSORS}secret_sha256 = '{secret}'\n"
    ));
    let body = r#"{"id":"a","v":1}"#;
    assert_eq!(city.push("sensors", &[], body).status, 401);
    assert_eq!(city.push("sensors", &[("Authorization", "Bearer wrong")], body).status, 401);
    assert_eq!(city.push("sensors", &[("Authorization", "Bearer secret")], body).status, 200);
    assert_eq!(city.value("urn:ngsi-ld:Sensor:a", "v"), 1);
    // The secret opens nothing else.
    let headers = [("Authorization", "Bearer secret")];
    let replay =
        city.server.connect().send("POST", "/sources/sensors/quarantine/replay", &headers, None);
    assert_eq!(replay.unwrap().status, 401);
    assert_eq!(city.server.send("DELETE", "/sources/sensors/quarantine", None).status, 401);
    assert_eq!(city.server.send("GET", "/sources", None).status, 200);
}

#[test]
fn a_twin_follows_another_by_a_subscription() {
    let follower = City::with("[[sources]]\nname = 'twin'\npush = true\n");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("cardo.toml");
    std::fs::write(&config, "[egress]\nallow_loopback = true\n").unwrap();
    let leader =
        Server::start_with(&folder.path().join("data"), &["--config", config.to_str().unwrap()]);
    let subscription = json!({
        "type": "Subscription",
        "entities": [{ "type": "Sample" }],
        "notificationTrigger": ["entityCreated", "attributeUpdated", "entityDeleted"],
        "notification": { "endpoint": {
            "uri": format!("http://{}/sources/twin/push", follower.server.address),
            "accept": "application/json",
        }},
    });
    let answer = leader.send("POST", "/ngsi-ld/v1/subscriptions", Some(&subscription.to_string()));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let attributes = r#""t": {"type": "Property", "value": 21.5, "unitCode": "CEL", "observedAt": "2026-01-01T00:00:00Z"},
        "near": {"type": "Relationship", "object": "urn:x:2"},
        "location": {"type": "Point", "coordinates": [24.9, 60.1]}"#;
    leader.create("urn:x:1", attributes);
    until(
        "the copy",
        || follower.value("urn:x:1", "t") == 21.5,
        || follower.source("twin").to_string(),
    );
    let path = crate::support::path_of("urn:x:1");
    assert_eq!(follower.server.get(&path), leader.get(&path));
    let patch = r#"{"t": {"type": "Property", "value": 22, "observedAt": "2026-01-01T01:00:00Z"}}"#;
    let answer = leader.send("PATCH", &format!("{path}/attrs"), Some(patch));
    assert_eq!(answer.status, 204, "{}", answer.text());
    until(
        "the change",
        || follower.value("urn:x:1", "t") == 22,
        || follower.source("twin").to_string(),
    );
    assert_eq!(follower.source("twin")["quarantine"], 0);
    assert_eq!(leader.send("DELETE", &path, None).status, 204);
    let is_gone = || follower.server.send("GET", &path, None).status == 404;
    until("its end", is_gone, || follower.source("twin").to_string());
}

#[test]
fn what_a_notification_tells_as_deleted_is_deleted_and_the_rest_is_taken_in() {
    let city = City::with("[[sources]]\nname = 'twin'\npush = true\n");
    let notify = |data: serde_json::Value| {
        let body = json!({ "id": "urn:n:1", "type": "Notification", "subscriptionId": "urn:s:1",
            "notifiedAt": "2026-01-01T00:00:00Z", "data": [data] });
        let report = city.push("twin", &[], &body.to_string()).json();
        assert_eq!(report["quarantined"], 0, "{report}");
    };
    let property = |value: serde_json::Value| json!({ "type": "Property", "value": value });
    let of = |value: i64, dataset: &str| json!({ "type": "Property", "value": value, "datasetId": dataset });
    let many = || json!([property(json!(1)), of(2, "urn:d:2"), of(3, "urn:d:3")]);
    notify(
        json!({ "id": "urn:x:1", "type": "T", "bare": property(json!(1)), "whole": property(json!(1)),
        "all": many(), "one": many(), "default": many(), "kept": property(json!(1)),
        "near": { "type": "Relationship", "object": "urn:x:2" } }),
    );
    let gone = "urn:ngsi-ld:null";
    notify(json!({ "id": "urn:x:1", "type": "T", "bare": gone,
        "whole": { "type": "Property", "value": gone, "previousValue": 1, "deletedAt": "2026-01-01T00:00:00Z" },
        "all": gone,
        "one": [property(json!(1)), { "type": "Property", "value": gone, "datasetId": "urn:d:2" }],
        "default": [of(2, "urn:d:2"), { "type": "Property", "value": gone, "previousValue": 1 }],
        "near": { "type": "Relationship", "object": gone, "previousObject": "urn:x:2" },
        "never": gone,
        "kept": { "type": "Property", "value": 2, "previousValue": 1 } }));
    let left = city.server.get(&crate::support::path_of("urn:x:1"));
    let expected = json!({ "id": "urn:x:1", "type": "T",
        "one": [property(json!(1)), of(3, "urn:d:3")],
        "default": [of(2, "urn:d:2"), of(3, "urn:d:3")],
        "kept": property(json!(2)) });
    assert_eq!(left, expected);
    notify(json!({ "id": "urn:x:1", "type": "T", "deletedAt": "2026-01-01T00:00:00Z",
        "kept": { "type": "Property", "value": gone, "previousValue": 2 } }));
    assert_eq!(city.server.send("GET", &crate::support::path_of("urn:x:1"), None).status, 404);
    assert_eq!(city.source("twin")["quarantine"], 0);
}
