//! Snapshots (clauses 5.5.15, 5.16 and 6.36 to 6.38).

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::{Method, StatusCode};
use cardo_ngsild::{Courier, DeliveryError, Message, NgsildOptions};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::client::{Client, Reply, client, client_with};

fn vehicle(n: u32, speed: u32) -> Value {
    let speed = json!({ "type": "Property", "value": speed });
    let colour = json!({ "type": "Property", "value": "red" });
    json!({ "id": format!("urn:v:{n}"), "type": "Vehicle", "speed": speed, "colour": colour })
}

async fn city() -> Client {
    let client = client().await;
    client
        .create(json!([vehicle(1, 80), vehicle(2, 30), { "id": "urn:t:1", "type": "Tree" }]))
        .await;
    client
}

fn of_type(types: &str) -> Value {
    json!({ "type": "Query", "entities": [{ "type": types }] })
}

/// Makes a snapshot and waits until it is ready.
async fn made(client: &Client, body: Value) -> Value {
    let created = client.post("/snapshots", body).await.expect(201);
    ready(client, created.header("location")).await
}

async fn ready(client: &Client, location: &str) -> Value {
    let path = location.strip_prefix("/ngsi-ld/v1").expect("a relative path");
    loop {
        let snapshot = client.get(path).await.expect(200).json();
        if snapshot["snapshotStatus"] != "preparing" {
            return snapshot;
        }
        tokio::task::yield_now().await;
    }
}

async fn within(
    client: &Client,
    snapshot: &Value,
    method: Method,
    path: &str,
    body: Value,
) -> Reply {
    let asking =
        client.ask(method, path).header("ngsild-snapshot", snapshot["id"].as_str().unwrap());
    if body.is_null() { asking.send().await } else { asking.json(&body).send().await }
}

async fn ids(client: &Client, snapshot: &Value) -> Vec<String> {
    let path = "/entities?local=true";
    let reply = within(client, snapshot, Method::GET, path, Value::Null).await.expect(200);
    assert_eq!(reply.header("ngsild-snapshot"), snapshot["id"].as_str().unwrap());
    reply.ids()
}

#[tokio::test]
async fn a_snapshot_of_all_types_holds_all_and_no_more() {
    let client = city().await;
    let body = |types| json!({ "type": "Snapshot", "snapshotQueries": [of_type(types)] });
    let all = made(&client, body("Tree|Vehicle")).await;
    client.create(json!([{ "id": "urn:b:1", "type": "Boat" }])).await;
    assert_eq!(all["snapshotStatus"], "success");
    assert_eq!(ids(&client, &all).await, ["urn:v:1", "urn:v:2", "urn:t:1"]);
    let not_all = made(&client, body("Tree|Vehicle")).await;
    assert_eq!(ids(&client, &not_all).await, ["urn:v:1", "urn:v:2", "urn:t:1"]);
    let path = "/types?local=true";
    let types = within(&client, &not_all, Method::GET, path, Value::Null).await.expect(200).json();
    assert_eq!(types["typeList"], json!(["Tree", "Vehicle"]));
}

#[tokio::test]
async fn a_snapshot_freezes_what_its_queries_find() {
    let client = city().await;
    let fast = json!({ "type": "Query", "entities": [{ "type": "Vehicle" }], "q": "speed>50" });
    let body = json!({ "type": "Snapshot", "snapshotQueries": [fast, of_type("Boat")] });
    let snapshot = made(&client, body).await;
    assert_eq!(
        (&snapshot["snapshotStatus"], &snapshot["snapshotPriority"]),
        (&json!("partial"), &json!(5))
    );
    let details = json!([{ "resultStatus": "success" }, { "resultStatus": "empty" }]);
    assert_eq!(snapshot["snapshotQueriesDetails"], details);
    for time in ["createdAt", "modifiedAt", "expiresAt", "lastUsedAt"] {
        assert!(snapshot[time].is_string(), "{time}");
    }
    client
        .patch("/entities/urn:v:1/attrs", json!({ "speed": { "type": "Property", "value": 5 } }))
        .await
        .expect(204);
    assert_eq!(ids(&client, &snapshot).await, ["urn:v:1"]);
    let one =
        within(&client, &snapshot, Method::GET, "/entities/urn:v:1?options=keyValues", Value::Null)
            .await;
    assert_eq!(one.json()["speed"], 80);
}

#[tokio::test]
async fn a_snapshot_of_a_part_copies_nothing_and_knows_the_histories_of_what_it_holds() {
    let client = city().await;
    client.create(json!([{ "id": "urn:b:1", "type": "Boat" }])).await;
    client
        .patch("/entities/urn:v:1/attrs", json!({ "speed": { "type": "Property", "value": 5 } }))
        .await
        .expect(204);
    let one_tree = json!({ "type": "Query", "entities": [{ "type": "Tree", "id": "urn:t:1" }] });
    let mut red = of_type("Vehicle");
    red["q"] = json!("colour==\"red\";speed<10");
    let body = json!({ "type": "Snapshot", "snapshotQueries": [red, one_tree, of_type("Ship")] });
    let snapshot = made(&client, body).await;
    assert_eq!(snapshot["snapshotStatus"], "partial", "{snapshot}");
    assert_eq!(ids(&client, &snapshot).await, ["urn:v:1", "urn:t:1"]);
    assert_eq!(client.engine.metrics().branch_bytes, 0);
    let history = "/temporal/entities/urn:v:1";
    let told = within(&client, &snapshot, Method::GET, history, Value::Null).await.expect(200);
    assert_eq!(told.json()["speed"].as_array().unwrap().len(), 2, "{}", told.json());
    let other = "/temporal/entities/urn:v:2";
    within(&client, &snapshot, Method::GET, other, Value::Null).await.expect(404);
    // What was not chosen is not there, so that its id is free.
    within(&client, &snapshot, Method::DELETE, "/entities/urn:v:2", Value::Null).await.expect(404);
    within(&client, &snapshot, Method::POST, "/entities", vehicle(2, 7)).await.expect(201);
    let told = within(&client, &snapshot, Method::GET, other, Value::Null).await.expect(200);
    assert_eq!(told.json()["speed"].as_array().map_or(1, Vec::len), 1, "{}", told.json());
    let copy = format!("/snapshots/{}/clone", snapshot["id"].as_str().unwrap());
    let cloned = client.post(&copy, json!({ "type": "Snapshot" })).await.expect(201);
    let copy = ready(&client, cloned.header("location")).await;
    assert_eq!(ids(&client, &copy).await, ["urn:v:1", "urn:t:1", "urn:v:2"]);
}

#[tokio::test]
async fn a_projection_that_leaves_nothing_out_copies_nothing() {
    let client = city().await;
    let mut query = of_type("Vehicle");
    query["pick"] = json!(["id", "type", "speed", "colour"]);
    let body = json!({ "type": "Snapshot", "snapshotQueries": [query] });
    let snapshot = made(&client, body).await;
    assert_eq!(ids(&client, &snapshot).await, ["urn:v:1", "urn:v:2"]);
    assert_eq!(client.engine.metrics().branch_bytes, 0);
}

#[tokio::test]
async fn a_snapshot_can_be_changed_and_the_twin_stays() {
    let client = city().await;
    let snapshot =
        made(&client, json!({ "type": "Snapshot", "snapshotQueries": [of_type("*")] })).await;
    assert_eq!(snapshot["snapshotStatus"], "success");
    assert_eq!(ids(&client, &snapshot).await, ["urn:v:1", "urn:v:2", "urn:t:1"]);
    within(&client, &snapshot, Method::POST, "/entities", vehicle(3, 1)).await.expect(201);
    within(&client, &snapshot, Method::DELETE, "/entities/urn:v:2", Value::Null).await.expect(204);
    assert_eq!(ids(&client, &snapshot).await, ["urn:v:1", "urn:t:1", "urn:v:3"]);
    assert_eq!(client.get("/entities?local=true").await.ids(), ["urn:v:1", "urn:v:2", "urn:t:1"]);
    // Its history is that of the twin up to then, and its own.
    let path = "/temporal/entities/urn:v:3";
    within(&client, &snapshot, Method::GET, path, Value::Null).await.expect(200);
    client.get(path).await.expect(404);
    within(&client, &snapshot, Method::GET, "/temporal/entities/urn:v:1", Value::Null)
        .await
        .expect(200);
}

#[tokio::test]
async fn projections_choose_what_a_snapshot_keeps() {
    let client = city().await;
    let some = json!({ "type": "Query", "entities": [{ "type": "Vehicle" }], "pick": ["id", "type", "speed"] });
    let snapshot = made(&client, json!({ "type": "Snapshot", "snapshotQueries": [some] })).await;
    let one =
        within(&client, &snapshot, Method::GET, "/entities/urn:v:1", Value::Null).await.json();
    assert!(one["speed"].is_object() && one["colour"].is_null(), "{one}");
}

#[tokio::test]
async fn what_a_query_joins_is_kept_with_what_leads_to_it() {
    let client = city().await;
    let parks = json!({ "type": "Relationship", "object": "urn:g:1", "objectType": "Garage" });
    client
        .create(json!([
            { "id": "urn:v:9", "type": "Bus", "parksIn": parks },
            { "id": "urn:g:1", "type": "Garage", "name": "North", "size": 4 },
            { "id": "urn:g:2", "type": "Garage", "name": "South" },
        ]))
        .await;
    for (join, members) in [("flat", json!([])), ("inline", json!(["id", "type", "parksIn{name}"]))]
    {
        let mut query = of_type("Bus");
        query["join"] = json!(join);
        query["joinLevel"] = json!(1);
        if !members.as_array().unwrap().is_empty() {
            query["pick"] = members;
        }
        let snapshot =
            made(&client, json!({ "type": "Snapshot", "snapshotQueries": [query] })).await;
        assert_eq!(snapshot["snapshotStatus"], "success", "{snapshot}");
        assert_eq!(ids(&client, &snapshot).await, ["urn:v:9", "urn:g:1"], "{join}");
        let holds = client.engine.metrics().branch_bytes;
        assert_eq!(holds > 0, join == "inline", "what is shown in part is a copy");
        let path = "/entities/urn:v:9?join=inline&joinLevel=1&options=keyValues";
        let one =
            within(&client, &snapshot, Method::GET, path, Value::Null).await.expect(200).json();
        assert_eq!(one["parksIn"]["name"], "North", "{join}: {one}");
        assert_eq!(one["parksIn"]["size"].is_null(), join == "inline", "{join}: {one}");
    }
}

#[tokio::test]
async fn histories_can_be_frozen_too() {
    let client = city().await;
    client
        .patch("/entities/urn:v:1/attrs", json!({ "speed": { "type": "Property", "value": 5 } }))
        .await
        .expect(204);
    let when = json!({ "timerel": "before", "timeAt": "2999-01-01T00:00:00Z", "timeproperty": "createdAt" });
    let mut query = of_type("Vehicle");
    query["temporalQ"] = when;
    let snapshot =
        made(&client, json!({ "type": "Snapshot", "snapshotTemporalQueries": [query] })).await;
    assert_eq!(snapshot["snapshotStatus"], "success");
    assert_eq!(snapshot["snapshotTemporalQueriesDetails"], json!([{ "resultStatus": "success" }]));
    client.delete("/temporal/entities/urn:v:1").await.expect(204);
    let history =
        within(&client, &snapshot, Method::GET, "/temporal/entities/urn:v:1", Value::Null).await;
    let history = history.expect(200).json();
    assert_eq!(history["speed"].as_array().unwrap().len(), 2, "{history}");
}

#[tokio::test]
async fn a_snapshot_is_cloned_updated_deleted_and_purged() {
    let client = city().await;
    let snapshot = made(
        &client,
        json!({ "id": "urn:s:1", "type": "Snapshot", "snapshotQueries": [of_type("Vehicle")] }),
    )
    .await;
    within(&client, &snapshot, Method::DELETE, "/entities/urn:v:2", Value::Null).await.expect(204);
    let again =
        json!({ "id": "urn:s:1", "type": "Snapshot", "snapshotQueries": [of_type("Tree")] });
    client.post("/snapshots", again).await.expect_problem(409, "AlreadyExists", "urn:s:1");
    let cloned = client
        .post("/snapshots/urn:s:1/clone", json!({ "type": "Snapshot", "snapshotPriority": 9 }))
        .await;
    let copy = ready(&client, cloned.expect(201).header("location")).await;
    assert_eq!(copy["snapshotStatus"], "success");
    let updated = client
        .patch(
            "/snapshots/urn:s:1",
            json!({ "snapshotPriority": 2, "snapshotLifetime": "PT1H", "createdAt": "x" }),
        )
        .await;
    assert_eq!(updated.expect(200).json()["snapshotPriority"], 2);
    client.ask(Method::DELETE, "/snapshots?q=snapshotPriority%3C5").send().await.expect(204);
    client.get("/snapshots/urn:s:1").await.expect_problem(404, "ResourceNotFound", "urn:s:1");
    within(&client, &snapshot, Method::GET, "/entities?local=true", Value::Null).await.expect(404);
    assert_eq!(ids(&client, &copy).await, ["urn:v:1"]);
    client.ask(Method::DELETE, "/snapshots?q=snapshotPriority%3C5").send().await.expect(404);
    let path = format!("/snapshots/{}", copy["id"].as_str().unwrap());
    client.delete(&path).await.expect(204);
    client.delete(&path).await.expect_problem(404, "ResourceNotFound", "snapshot");
}

/// Changes a member of a snapshot again and again until it is ready; the last value.
async fn change(client: &Client, path: &str, member: &str, values: [Value; 2]) -> Value {
    for n in 0_usize.. {
        let value = &values[n % 2];
        let changed = client.patch(path, json!({ member: value })).await.expect(200).json();
        if changed["snapshotStatus"] != "preparing" {
            return value.clone();
        }
    }
    unreachable!("it becomes ready")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_changed_while_a_snapshot_becomes_ready_stays_and_so_does_what_came_of_it() {
    let client = city().await;
    for n in 0..60 {
        let id = format!("urn:s:{n}");
        let body = json!({ "id": id, "type": "Snapshot", "snapshotQueries": [of_type("Vehicle")] });
        client.post("/snapshots", body).await.expect(201);
        let path = format!("/snapshots/{id}");
        let pairs = |key: &str| json!([{ "key": key, "value": "x" }]);
        let (priority, told) = tokio::join!(
            change(&client, &path, "snapshotPriority", [json!(8), json!(9)]),
            change(&client, &path, "receiverInfo", [pairs("a"), pairs("b")]),
        );
        let now = client.get(&path).await.expect(200).json();
        assert_eq!(now["snapshotStatus"], "success", "{now}");
        assert_eq!((&now["snapshotPriority"], &now["receiverInfo"]), (&priority, &told));
        client.delete(&path).await.expect(204);
    }
}

#[tokio::test]
async fn what_is_no_snapshot_is_refused() {
    let client = city().await;
    let mut temporal = of_type("Vehicle");
    temporal["temporalQ"] = json!({ "timerel": "before", "timeAt": "2999-01-01T00:00:00Z" });
    for (body, detail) in [
        (json!({ "type": "Snapshot" }), "snapshotQueries"),
        (json!({ "snapshotQueries": [of_type("A")] }), "type"),
        (json!({ "type": "Snapshot", "snapshotQueries": [temporal] }), "temporalQ"),
        (
            json!({ "type": "Snapshot", "snapshotTemporalQueries": [of_type("A")] }),
            "temporal query",
        ),
        (json!({ "type": "Snapshot", "snapshotQueries": [] }), "list"),
        (
            json!({ "type": "Snapshot", "snapshotQueries": [of_type("A")], "snapshotPriority": 11 }),
            "11",
        ),
        (
            json!({ "type": "Snapshot", "snapshotQueries": [of_type("A")], "snapshotLifetime": "soon" }),
            "soon",
        ),
        (
            json!({ "type": "Snapshot", "snapshotQueries": [of_type("A")], "endpoint": "ftp://x" }),
            "ftp",
        ),
        (json!({ "type": "Snapshot", "snapshotQueries": [of_type("A")], "colour": 1 }), "colour"),
    ] {
        client.post("/snapshots", body).await.expect_problem(400, "BadRequestData", detail);
    }
    client.ask(Method::DELETE, "/snapshots?q=speed%3E50").send().await.expect_problem(
        400,
        "BadRequestData",
        "speed",
    );
    client.ask(Method::DELETE, "/snapshots").send().await.expect_problem(
        400,
        "BadRequestData",
        "q",
    );
    let absent = json!({ "id": "urn:s:absent" });
    within(&client, &absent, Method::GET, "/entities?type=Vehicle", Value::Null)
        .await
        .expect_problem(404, "ResourceNotFound", "urn:s:absent");
    within(&client, &absent, Method::POST, "/entities", vehicle(9, 1)).await.expect_problem(
        404,
        "ResourceNotFound",
        "urn:s:absent",
    );
    client.post("/snapshots/urn:s:absent/clone", json!({ "type": "Snapshot" })).await.expect(404);
    client.patch("/snapshots/urn:s:absent", json!({})).await.expect(404);
}

struct Mailbox(mpsc::UnboundedSender<Message>);

#[async_trait]
impl Courier for Mailbox {
    async fn deliver(&self, message: Message) -> Result<StatusCode, DeliveryError> {
        self.0.send(message).map_err(|_| DeliveryError::Stopped)?;
        Ok(StatusCode::OK)
    }
}

#[tokio::test]
async fn who_is_named_is_told_when_a_snapshot_is_ready_and_when_it_changes() {
    let (sender, mut messages) = mpsc::unbounded_channel();
    let courier = Arc::new(Mailbox(sender));
    let mut client = client_with(NgsildOptions { courier, ..NgsildOptions::default() }).await;
    tokio::spawn(client.runner.take().unwrap().run(std::future::pending()));
    client.create(vehicle(1, 80)).await;
    let body = json!({
        "id": "urn:s:1", "type": "Snapshot", "snapshotQueries": [of_type("Vehicle")],
        "endpoint": "http://127.0.0.1:9/told", "receiverInfo": [{ "key": "x-city", "value": "h" }],
    });
    client.post("/snapshots", body).await.expect(201);
    let told = messages.recv().await.unwrap();
    assert_eq!(
        (told.endpoint.as_str(), &told.headers["x-city"]),
        ("http://127.0.0.1:9/told", &"h".parse().unwrap())
    );
    let body: Value = serde_json::from_slice(&told.body).unwrap();
    let said = ["type", "snapshotId", "snapshotStatus"].map(|name| body[name].as_str().unwrap());
    assert_eq!(said, ["SnapshotNotification", "urn:s:1", "success"]);
    client.patch("/snapshots/urn:s:1", json!({ "snapshotPriority": 8 })).await.expect(200);
    let body: Value = serde_json::from_slice(&messages.recv().await.unwrap().body).unwrap();
    assert_eq!(body["snapshotPriority"], 8);
}
