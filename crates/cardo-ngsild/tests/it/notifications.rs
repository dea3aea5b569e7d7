//! What subscriptions may say of their notifications (clauses 5.2.12, 5.2.14 and 5.8.6).

use axum::http::Method;
use cardo_model::Timestamp;
use serde_json::{Value, json};

use crate::subscriptions::{Notified, notified};

/// The members of a notification, with the endpoint that it needs.
fn notification(mut params: Value) -> Value {
    params["endpoint"] = json!({ "uri": "http://receiver.example/notify" });
    json!({ "notification": params })
}

fn features(members: Value) -> Value {
    let mut subscription = notification(members);
    subscription["notification"]["endpoint"]["accept"] = json!("application/geo+json");
    subscription
}

fn null(kind: &str) -> Value {
    let value = match kind {
        "LanguageProperty" => ("languageMap", json!({ "@none": "urn:ngsi-ld:null" })),
        "Relationship" => ("object", json!("urn:ngsi-ld:null")),
        _ => ("value", json!("urn:ngsi-ld:null")),
    };
    json!({ "type": kind, (value.0): value.1 })
}

async fn data(notified: &mut Notified) -> Value {
    notified.body().await["data"].take()
}

#[tokio::test]
async fn a_condition_on_linked_entities_decides_who_is_told_of() {
    let mut notified = notified().await;
    let to = |id: &str| json!({ "type": "Relationship", "object": id });
    notified
        .client
        .create(json!([
            { "id": "urn:x:low", "type": "Device", "level": 1 },
            { "id": "urn:x:full", "type": "Device", "level": 9, "of": to("urn:x:low") },
        ]))
        .await;
    notified.subscribe(json!({ "q": "to{level}>5", "watchedAttributes": ["to"] })).await;
    notified.subscribe(json!({ "q": "to{of{level}}==1", "watchedAttributes": ["deep"] })).await;
    let linked = |n: u8, id: &str| json!({ "id": format!("urn:x:{n}"), "type": "T", "to": to(id) });
    notified
        .client
        .create(json!([linked(1, "urn:x:low"), linked(2, "urn:x:full"), linked(3, "urn:x:none")]))
        .await;
    assert_eq!(data(&mut notified).await[0]["id"], "urn:x:2");
    let deep = json!({ "deep": true });
    notified.client.post("/entities/urn:x:1/attrs", deep.clone()).await.expect(204);
    notified.client.post("/entities/urn:x:2/attrs", deep).await.expect(204);
    assert_eq!(data(&mut notified).await[0]["id"], "urn:x:2");
    // The one that is linked has changed since, and only what is watched wakes the subscription.
    let level = json!({ "level": 7 });
    notified.client.patch("/entities/urn:x:low/attrs", level).await.expect(204);
    let again = json!({ "to": { "type": "Relationship", "object": "urn:x:low", "x": 1 } });
    notified.client.patch("/entities/urn:x:1/attrs", again).await.expect(204);
    assert_eq!(data(&mut notified).await[0]["id"], "urn:x:1");
}

#[tokio::test]
async fn linked_entities_are_told_within_the_entity_or_behind_it() {
    let mut notified = notified().await;
    let to = json!({ "type": "Relationship", "object": "urn:x:2" });
    notified
        .client
        .create(json!({ "id": "urn:x:2", "type": "Room", "name": "Hall", "a": 1 }))
        .await;
    notified.client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1, "in": to })).await;
    let join = json!({ "join": "inline", "format": "keyValues", "pick": ["id", "in{name}"] });
    notified.subscribe(notification(join)).await;
    notified.set("a", json!(2)).await;
    assert_eq!(data(&mut notified).await, json!([{ "id": "urn:x:1", "in": { "name": "Hall" } }]));
    let id = notified.subscribe(notification(json!({ "join": "flat", "joinLevel": 2 }))).await;
    notified.set("a", json!(3)).await;
    let mut told = notified.body().await;
    if told["subscriptionId"] != id {
        told = notified.body().await;
    }
    let told = &told["data"];
    assert_eq!((&told[0]["id"], &told[1]["id"]), (&json!("urn:x:1"), &json!("urn:x:2")));
    assert_eq!(told[1]["name"], json!({ "type": "Property", "value": "Hall" }));
}

#[tokio::test]
async fn changes_are_shown_in_the_concise_form_too() {
    let mut notified = notified().await;
    notified.client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1, "b": 2 })).await;
    notified.subscribe(notification(json!({ "showChanges": true, "format": "concise" }))).await;
    notified.set("a", json!(3)).await;
    let told = data(&mut notified).await[0].take();
    assert_eq!((&told["a"], &told["b"]), (&json!({ "value": 3, "previousValue": 1 }), &json!(2)));
}

#[tokio::test]
async fn a_deleted_entity_shows_what_it_was_instance_by_instance() {
    let mut notified = notified().await;
    let text = json!({ "type": "LanguageProperty", "languageMap": { "fi": "Tori" } });
    let speed = json!([{ "value": 1 }, { "value": 2, "datasetId": "urn:x:gps" }]);
    let to = json!({ "type": "Relationship", "object": "urn:x:2" });
    notified
        .client
        .create(json!({ "id": "urn:x:1", "type": "T", "name": text, "speed": speed, "to": to }))
        .await;
    let mut showing = notification(json!({ "showChanges": true, "omit": ["type"] }));
    showing["notificationTrigger"] = json!(["entityDeleted"]);
    notified.subscribe(showing).await;
    notified.client.delete("/entities/urn:x:1").await.expect(204);
    let mut told = data(&mut notified).await[0].take();
    assert!(told["deletedAt"].take().is_string());
    let with = |kind: &str, name: &str, value: Value| {
        let mut gone = null(kind);
        gone[name] = value;
        gone
    };
    let mut of_gps = with("Property", "previousValue", json!(2));
    of_gps["datasetId"] = json!("urn:x:gps");
    assert_eq!(
        told,
        json!({
            "id": "urn:x:1", "deletedAt": null,
            "name": with("LanguageProperty", "previousLanguageMap", json!({ "fi": "Tori" })),
            "speed": [with("Property", "previousValue", json!(1)), of_gps],
            "to": with("Relationship", "previousObject", json!("urn:x:2")),
        })
    );
}

#[tokio::test]
async fn a_feature_tells_of_deletions_and_of_what_was() {
    let mut notified = notified().await;
    let place = json!({ "type": "Point", "coordinates": [1, 2] });
    let entity = json!({ "id": "urn:x:1", "type": "T", "a": 1, "b": 2, "location": place });
    notified.client.create(entity).await;
    let mut showing = features(json!({ "showChanges": true }));
    showing["notificationTrigger"] = json!(["entityUpdated"]);
    notified.subscribe(showing).await;
    notified.set("a", json!(3)).await;
    let told = data(&mut notified).await["features"][0].take();
    assert_eq!(told["geometry"]["type"], "Point");
    assert_eq!(told["properties"]["a"]["previousValue"], 1);
    notified.client.delete("/entities/urn:x:1/attrs/a").await.expect(204);
    let told = data(&mut notified).await["features"][0].take();
    assert_eq!(told["properties"]["a"]["value"], "urn:ngsi-ld:null");
    let mut deleted = features(json!({}));
    deleted["notificationTrigger"] = json!(["entityDeleted"]);
    notified.subscribe(deleted).await;
    notified.client.delete("/entities/urn:x:1").await.expect(204);
    let mut told = data(&mut notified).await["features"][0].take();
    while told["geometry"] != Value::Null {
        told = data(&mut notified).await["features"][0].take();
    }
    assert_eq!(told["properties"]["type"], "T");
    assert!(told["properties"]["deletedAt"].is_string());
}

#[tokio::test]
async fn only_the_instances_that_are_asked_for_are_told() {
    let mut notified = notified().await;
    let speed = json!([{ "value": 1 }, { "value": 2, "datasetId": "urn:x:gps" }]);
    notified.client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1, "speed": speed })).await;
    let mut asking = notification(json!({}));
    asking["datasetId"] = json!(["urn:x:gps"]);
    asking["notificationTrigger"] = json!(["entityUpdated"]);
    notified.subscribe(asking).await;
    notified.set("speed", json!({ "value": 5 })).await;
    let told = data(&mut notified).await[0].take();
    assert_eq!((told.get("a"), &told["speed"]["value"]), (None, &json!(2)));
    let gone = notified.client.delete("/entities/urn:x:1/attrs/speed").await;
    gone.expect(204);
    let told = data(&mut notified).await[0].take();
    assert_eq!(told["speed"]["value"], 2, "the one that is gone was not asked for: {told}");
}

#[tokio::test]
async fn an_attribute_that_is_gone_with_all_its_instances_is_one_null() {
    let mut notified = notified().await;
    let speed = json!([{ "value": 1 }, { "value": 2, "datasetId": "urn:x:gps" }]);
    for (format, expected) in
        [("normalized", null("Property")), ("concise", json!("urn:ngsi-ld:null"))]
    {
        notified.client.create(json!({ "id": "urn:x:1", "type": "T", "speed": speed })).await;
        let mut telling = notification(json!({ "format": format }));
        telling["notificationTrigger"] = json!(["attributeDeleted"]);
        let path = format!("/subscriptions/{}", notified.subscribe(telling).await);
        notified.client.delete("/entities/urn:x:1/attrs/speed?deleteAll=true").await.expect(204);
        assert_eq!(data(&mut notified).await[0]["speed"], expected);
        notified.client.delete(&path).await.expect(204);
        notified.client.delete("/entities/urn:x:1").await.expect(204);
    }
}

#[tokio::test]
async fn notifications_conform_to_the_version_that_is_asked_for() {
    let mut notified = notified().await;
    let list = json!({ "type": "ListProperty", "valueList": [1, 2] });
    let entity = json!({ "id": "urn:x:1", "type": "T", "a": 1, "l": list, "scope": "/A" });
    notified.client.create(entity).await;
    notified.subscribe(json!({ "ngsildConformance": "1.3" })).await;
    notified.set("a", json!(2)).await;
    assert_eq!(
        data(&mut notified).await[0],
        json!({
            "id": "urn:x:1", "type": "T",
            "a": { "type": "Property", "value": 2 },
            "l": { "type": "Property", "value": [1, 2] },
        })
    );
}

#[tokio::test]
async fn values_in_a_question_are_expanded_where_that_is_asked_for() {
    let mut notified = notified().await;
    let names = ["kind", "raw", "to", "name", "Oak", "Elm"];
    let names = names.map(|name| (name.to_owned(), format!("https://example.org/{name}").into()));
    let context = Value::Object(names.into_iter().collect());
    let entity = |n: u8, value: &str| {
        json!({ "id": format!("urn:x:{n}"), "type": "T",
            "kind": { "type": "VocabProperty", "vocab": value }, "@context": context })
    };
    let subscription = json!({
        "type": "Subscription", "id": "urn:x:s", "entities": [{ "type": "T" }],
        "q": "kind==Oak", "expandValues": "kind", "jsonKeys": "raw",
        "notification": { "pick": ["id", "to{name}"], "join": "flat",
            "endpoint": { "uri": "http://receiver.example/" } },
        "@context": context,
    });
    let post = async |path: &str, body: &Value| {
        notified.client.ask(Method::POST, path).json_ld(body).send().await.expect(201);
    };
    post("/subscriptions", &subscription).await;
    for (n, value) in [(1, "Elm"), (2, "Oak")] {
        post("/entities", &entity(n, value)).await;
    }
    let shown = notified.client.get("/subscriptions/urn:x:s").await.expect(200).json();
    assert_eq!(shown["expandValues"], "https://example.org/kind");
    assert_eq!(
        shown["notification"]["pick"][1],
        "https://example.org/to{https://example.org/name}"
    );
    assert_eq!(data(&mut notified).await, json!([{ "id": "urn:x:2" }]));
}

#[tokio::test]
async fn what_has_expired_is_active_again_with_a_new_end() {
    let notified = notified().await;
    let later = json!({ "expiresAt": "2999-01-02T00:00:00Z" });
    let mut status = Vec::new();
    for end in [Timestamp::now().plus_micros(200_000), Timestamp::now().plus_months(1)] {
        let paused = json!({ "isActive": false, "expiresAt": end.to_string() });
        let path = format!("/subscriptions/{}", notified.subscribe(paused).await);
        let shown = async || notified.client.get(&path).await.json()["status"].take();
        let waits = end < Timestamp::now().plus_micros(1_000_000);
        while waits && shown().await != "expired" {
            tokio::task::yield_now().await;
        }
        notified.client.patch(&path, later.clone()).await.expect(204);
        status.push(shown().await);
    }
    assert_eq!(status, ["active", "paused"], "the second had not expired");
}
