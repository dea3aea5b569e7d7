//! History that is written, put right and taken away (clauses 5.6.11 to 5.6.16).

use axum::http::Method;
use serde_json::{Value, json};

use crate::client::{Client, client};

const PATH: &str = "/temporal/entities/urn:x:1";

fn at(value: impl Into<Value>, hour: u32) -> Value {
    json!({ "type": "Property", "value": value.into(), "observedAt": format!("2026-01-01T{hour:02}:00:00Z") })
}

fn in_dataset(value: i64, hour: u32, dataset: &str) -> Value {
    let mut instance = at(value, hour);
    instance["datasetId"] = dataset.into();
    instance
}

async fn recorded() -> Client {
    let client = client().await;
    let body = json!({ "id": "urn:x:1", "type": "T", "scope": "/A",
        "t": [at(1, 1), at(2, 2), in_dataset(9, 2, "urn:d:1")], "u": at(7, 3) });
    let reply = client.post("/temporal/entities", body).await.expect(201);
    assert!(reply.header("location").ends_with("/ngsi-ld/v1/temporal/entities/urn:x:1"));
    client
}

async fn values(client: &Client, attribute: &str) -> Vec<Value> {
    let entity = client.get(PATH).await.expect(200).json();
    let instances = entity[attribute].as_array().cloned().unwrap_or_default();
    instances.iter().map(|instance| instance["value"].clone()).collect()
}

async fn instance_id(client: &Client, attribute: &str, place: usize) -> String {
    let entity = client.get(PATH).await.expect(200).json();
    entity[attribute][place]["instanceId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_evolution_is_created_and_added_to_without_the_entity() {
    let client = recorded().await;
    client.get("/entities/urn:x:1").await.expect(404);
    assert_eq!(values(&client, "t").await, [1, 2, 9]);
    let entity = client.get(PATH).await.expect(200).json();
    assert_eq!((&entity["type"], &entity["scope"][0]["value"]), (&json!("T"), &json!("/A")));
    let more = json!({ "id": "urn:x:1", "type": ["T", "V"], "t": [at(0, 0), at(3, 3)] });
    client.post("/temporal/entities", more).await.expect(204);
    assert_eq!(values(&client, "t").await, [0, 1, 2, 3, 9]);
    client.post(&format!("{PATH}/attrs"), json!({ "v": [at("x", 4)] })).await.expect(204);
    assert_eq!(values(&client, "v").await, ["x"]);
    assert_eq!(client.get(PATH).await.json()["type"], json!(["T", "V"]));
}

#[tokio::test]
async fn what_is_recorded_of_an_entity_that_is_there_leaves_it_as_it_is() {
    let client = client().await;
    client.create(json!({ "id": "urn:x:1", "type": "T", "t": at(5, 5) })).await;
    let more = json!({ "id": "urn:x:1", "type": ["T", "V"], "t": [at(6, 6)] });
    client.post("/temporal/entities", more).await.expect(204);
    assert_eq!(values(&client, "t").await, [5, 6]);
    assert_eq!(client.get(PATH).await.json()["type"], json!(["T", "V"]));
    let entity = client.get("/entities/urn:x:1").await.expect(200).json();
    assert_eq!((&entity["type"], &entity["t"]["value"]), (&json!("T"), &json!(5)));
}

#[tokio::test]
async fn a_deletion_may_be_part_of_what_is_recorded() {
    let client = recorded().await;
    let gone = json!({ "type": "LanguageProperty", "languageMap": { "@none": "urn:ngsi-ld:null" },
        "observedAt": "2026-01-01T05:00:00Z" });
    let body = json!({ "id": "urn:x:1", "t": at("urn:ngsi-ld:null", 4), "l": [gone] });
    client.post("/temporal/entities", body).await.expect(204);
    let entity = client.get(PATH).await.expect(200).json();
    assert_eq!(entity["t"][2]["value"], "urn:ngsi-ld:null");
    assert_eq!(entity["t"][2]["deletedAt"], "2026-01-01T04:00:00Z");
    assert_eq!(entity["l"][0]["languageMap"], json!({ "@none": "urn:ngsi-ld:null" }));
}

#[tokio::test]
async fn attributes_are_taken_out_by_dataset_or_all_at_once() {
    let client = recorded().await;
    client.delete(&format!("{PATH}/attrs/t?datasetId=urn:d:1")).await.expect(204);
    assert_eq!(values(&client, "t").await, [1, 2]);
    client.delete(&format!("{PATH}/attrs/t?datasetId=urn:d:1")).await.expect(404);
    client.delete(&format!("{PATH}/attrs/t")).await.expect(204);
    assert!(values(&client, "t").await.is_empty());
    client
        .post(&format!("{PATH}/attrs"), json!({ "t": [at(4, 4), in_dataset(8, 1, "urn:d:1")] }))
        .await
        .expect(204);
    assert_eq!(values(&client, "t").await, [4, 8]);
    client.delete(&format!("{PATH}/attrs/t?deleteAll=true")).await.expect(204);
    assert!(values(&client, "t").await.is_empty());
    assert_eq!(values(&client, "u").await, [7]);
}

#[tokio::test]
async fn an_instance_is_put_right_and_keeps_its_id_and_its_creation() {
    let client = recorded().await;
    let with_dates = format!("{PATH}?options=sysAttrs");
    let before = client.get(&with_dates).await.json()["t"][0].clone();
    let id = instance_id(&client, "t", 0).await;
    client.patch(&format!("{PATH}/attrs/t/{id}"), at(100, 6)).await.expect(204);
    assert_eq!(values(&client, "t").await, [2, 100, 9]);
    let after = client.get(&with_dates).await.json()["t"][1].clone();
    assert_eq!((&after["instanceId"], &after["createdAt"]), (&json!(id), &before["createdAt"]));
    // Again, with the attribute by its name, and in the range of time where it now lies.
    let body = json!({ "t": [at(101, 7)] });
    client.patch(&format!("{PATH}/attrs/t/{id}"), body).await.expect(204);
    let late = client.get(&format!("{PATH}?timerel=after&timeAt=2026-01-01T06:30:00Z")).await;
    assert_eq!(late.expect(200).json()["t"][0]["value"], 101);
    let last = client.get(&format!("{PATH}?lastN=1&attrs=t&datasetId=@none")).await;
    assert_eq!(last.expect(200).json()["t"][0]["value"], 101);
    client.delete(&format!("{PATH}/attrs/t/{id}")).await.expect(204);
    assert_eq!(values(&client, "t").await, [2, 9]);
    client.delete(&format!("{PATH}/attrs/t/{id}")).await.expect(404);
}

#[tokio::test]
async fn instances_of_an_entity_that_is_there_are_taken_out_of_its_history_alone() {
    let client = client().await;
    client.create(json!({ "id": "urn:x:1", "type": "T", "t": at(5, 5), "u": at(6, 6) })).await;
    let id = instance_id(&client, "t", 0).await;
    client.delete(&format!("{PATH}/attrs/t/{id}")).await.expect(204);
    assert!(values(&client, "t").await.is_empty());
    assert_eq!(values(&client, "u").await, [6]);
    assert_eq!(client.get("/entities/urn:x:1").await.json()["t"]["value"], 5);
    client.delete(PATH).await.expect(204);
    client.get(PATH).await.expect(404);
    client.delete(PATH).await.expect(404);
    client.patch("/entities/urn:x:1/attrs/t", at(9, 9)).await.expect(204);
    assert_eq!(values(&client, "t").await, [9]);
}

#[tokio::test]
async fn a_history_that_was_deleted_is_gone_and_may_begin_anew() {
    let client = recorded().await;
    client.engine.project_all().await.unwrap();
    client.delete(PATH).await.expect(204);
    client.get(PATH).await.expect(404);
    client.engine.project_all().await.unwrap();
    client.get(PATH).await.expect(404);
    let path = "/temporal/entities?type=T&timerel=after&timeAt=2000-01-01T00:00:00Z";
    assert_eq!(client.get(path).await.expect(200).json(), json!([]));
    let body = json!({ "id": "urn:x:1", "type": "T", "t": at(1, 1) });
    client.post("/temporal/entities", body).await.expect(201);
    assert_eq!(values(&client, "t").await, [1]);
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused() {
    let client = recorded().await;
    let create = "/temporal/entities";
    for (body, name, detail) in [
        (json!({}), "InvalidRequest", "empty"),
        (json!({ "type": "T", "t": at(1, 1) }), "BadRequestData", "id"),
        (json!({ "id": "x", "type": "T" }), "BadRequestData", "x"),
        (json!({ "id": "urn:x:2", "t": at(1, 1) }), "BadRequestData", "type"),
        (
            json!({ "id": "urn:x:2", "type": "T", "expiresAt": "urn:ngsi-ld:null" }),
            "BadRequestData",
            "null",
        ),
        (
            json!({ "id": "urn:x:2", "type": "T", "t": [{ "value": 1, "observedAt": "late" }] }),
            "BadRequestData",
            "late",
        ),
        (
            json!({ "id": "urn:x:2", "type": "T", "scope": [{ "value": "/A", "observedAt": 5 }] }),
            "BadRequestData",
            "scope",
        ),
    ] {
        client.post(create, body).await.expect_problem(400, name, detail);
    }
    let attrs = json!({ "t": [at(1, 1)] });
    let append = "/temporal/entities/urn:x:2/attrs";
    client.post(append, attrs.clone()).await.expect_problem(404, "ResourceNotFound", "urn:x:2");
    let invalid = client.post("/temporal/entities/x/attrs", attrs.clone()).await;
    invalid.expect_problem(400, "BadRequestData", "x");
    client.post("/temporal/entities//attrs", attrs).await.expect(400);
    for (path, status) in [
        ("urn:x:2/attrs/t", 404),
        ("urn:x:1/attrs/none", 404),
        ("urn:x:1/attrs/a(b", 400),
        ("x/attrs/t", 400),
        ("urn:x:1/attrs/t/none", 400),
        ("urn:x:1/attrs/t/urn:ngsi-ld:instance:1-0-999", 404),
        ("urn:x:2/attrs/t/urn:ngsi-ld:instance:1-0-1", 404),
        ("urn:x:2", 404),
        ("x", 400),
    ] {
        client.delete(&format!("/temporal/entities/{path}")).await.expect(status);
    }
    let id = instance_id(&client, "t", 0).await;
    for body in [json!({}), json!({ "t": [at(1, 1), at(2, 2)] }), json!({ "u": at(1, 1) })] {
        client.patch(&format!("{PATH}/attrs/t/{id}"), body).await.expect(400);
    }
    client.ask(Method::PUT, PATH).json(&json!({})).send().await.expect(405);
}
