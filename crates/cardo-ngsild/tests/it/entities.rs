use axum::http::Method;
use serde_json::json;

use crate::client::client;

fn sensor() -> serde_json::Value {
    json!({
        "id": "urn:ngsi-ld:Sensor:1",
        "type": "Sensor",
        "temperature": { "type": "Property", "value": 21.50, "unitCode": "CEL", "observedAt": "2026-01-31T12:00:00Z" },
        "isIn": { "type": "Relationship", "object": "urn:ngsi-ld:Room:1" },
        "location": { "type": "GeoProperty", "value": { "type": "Point", "coordinates": [24.94, 60.17] } }
    })
}

#[tokio::test]
async fn an_entity_that_was_created_is_retrieved_as_it_was_sent() {
    let client = client().await;
    let reply = client.post("/entities", sensor()).await.expect(201);
    assert_eq!(reply.header("location"), "/ngsi-ld/v1/entities/urn:ngsi-ld:Sensor:1");
    assert_eq!(reply.header("cardo-revision"), "1");
    let reply = client.get("/entities/urn:ngsi-ld:Sensor:1").await.expect(200);
    assert_eq!(reply.json(), sensor());
    assert!(reply.text.contains("21.5"), "digits stay");
    assert_eq!(reply.header("content-type"), "application/json");
    assert!(reply.header("link").contains("ngsi-ld-core-context-v1.9.jsonld"));
    assert_eq!(reply.header("cardo-revision"), "1");
}

#[tokio::test]
async fn a_slash_behind_a_path_changes_nothing() {
    let client = client().await;
    client.post("/entities/", sensor()).await.expect(201);
    client.get("/entities/urn:ngsi-ld:Sensor:1/").await.expect(200);
    assert_eq!(client.get("/entities/?type=Sensor").await.expect(200).ids().len(), 1);
}

#[tokio::test]
async fn an_entity_is_created_once() {
    let client = client().await;
    client.create(sensor()).await;
    client.post("/entities", sensor()).await.expect_problem(
        409,
        "AlreadyExists",
        "urn:ngsi-ld:Sensor:1",
    );
}

#[tokio::test]
async fn ids_in_paths_are_decoded() {
    let client = client().await;
    let id = "https://example.org/things/1?a=b";
    let reply = client.post("/entities", json!({ "id": id, "type": "T" })).await.expect(201);
    let location = reply.header("location").strip_prefix("/ngsi-ld/v1").unwrap().to_owned();
    assert_eq!(client.get(&location).await.expect(200).json()["id"], id);
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_what_is_no_uri_is_bad() {
    let client = client().await;
    for (method, path) in [
        (Method::GET, "/entities/urn:x:1"),
        (Method::DELETE, "/entities/urn:x:1"),
        (Method::DELETE, "/entities/urn:x:1/attrs/a"),
    ] {
        let reply = client.ask(method, path).send().await;
        reply.expect_problem(404, "ResourceNotFound", "urn:x:1");
    }
    for (method, path) in [(Method::GET, "/entities/1"), (Method::DELETE, "/entities/a%20b")] {
        client.ask(method, path).send().await.expect_problem(400, "BadRequestData", "URI");
    }
    client.get("/nonsense").await.expect_problem(404, "ResourceNotFound", "no such resource");
    client.get("/entityOperations/x").await.expect_problem(
        501,
        "OperationNotSupported",
        "not implemented",
    );
    let reply = client.ask(Method::PUT, "/types").send().await.expect(405);
    assert!(reply.header("allow").contains("GET"));
}

#[tokio::test]
async fn replacing_an_entity_keeps_nothing_but_its_creation() {
    let client = client().await;
    client.create(sensor()).await;
    let created = client.get("/entities/urn:ngsi-ld:Sensor:1?options=sysAttrs").await.json();
    let new = json!({ "id": "urn:ngsi-ld:Sensor:1", "type": "Device", "on": { "type": "Property", "value": true } });
    client.put("/entities/urn:ngsi-ld:Sensor:1", new.clone()).await.expect(204);
    assert_eq!(client.get("/entities/urn:ngsi-ld:Sensor:1").await.json(), new);
    let now = client.get("/entities/urn:ngsi-ld:Sensor:1?options=sysAttrs").await.json();
    assert_eq!(now["createdAt"], created["createdAt"]);
    client.put("/entities/urn:x:2", json!({ "type": "Device" })).await.expect(404);
    let other = json!({ "id": "urn:x:2", "type": "Device" });
    client.put("/entities/urn:ngsi-ld:Sensor:1", other).await.expect_problem(
        400,
        "BadRequestData",
        "urn:x:2",
    );
}

#[tokio::test]
async fn a_merge_goes_into_compound_values() {
    let client = client().await;
    client
        .create(json!({
            "id": "urn:x:1", "type": "T",
            "address": { "type": "Property", "value": { "street": "A", "city": "B", "zip": "C" } },
            "name": { "type": "Property", "value": "n", "unitCode": "X" }
        }))
        .await;
    let fragment = json!({
        "address": { "type": "Property", "value": { "street": "D", "zip": "urn:ngsi-ld:null" } },
        "name": "urn:ngsi-ld:null",
        "new": 1
    });
    client.patch("/entities/urn:x:1", fragment).await.expect(204);
    assert_eq!(
        client.get("/entities/urn:x:1?format=simplified").await.json(),
        json!({ "id": "urn:x:1", "type": "T", "address": { "street": "D", "city": "B" }, "new": 1 })
    );
}

#[tokio::test]
async fn a_simplified_merge_keeps_the_types_of_attributes() {
    let client = client().await;
    client.create(sensor()).await;
    let fragment = json!({ "isIn": "urn:ngsi-ld:Room:2", "temperature": 22 });
    let path = "/entities/urn:ngsi-ld:Sensor:1?options=keyValues&observedAt=2026-02-01T00:00:00Z";
    client.patch(path, fragment).await.expect(204);
    let entity = client.get("/entities/urn:ngsi-ld:Sensor:1").await.json();
    assert_eq!(entity["isIn"], json!({ "type": "Relationship", "object": "urn:ngsi-ld:Room:2" }));
    assert_eq!(entity["temperature"]["observedAt"], "2026-02-01T00:00:00Z");
    assert_eq!(entity["temperature"]["unitCode"], "CEL");
    client
        .patch("/entities/urn:ngsi-ld:Sensor:1?format=simplified", json!({ "isIn": 7 }))
        .await
        .expect_problem(400, "BadRequestData", "no URI");
}

#[tokio::test]
async fn a_deleted_entity_is_gone() {
    let client = client().await;
    client.create(sensor()).await;
    client.delete("/entities/urn:ngsi-ld:Sensor:1?type=Other").await.expect(404);
    client.delete("/entities/urn:ngsi-ld:Sensor:1?type=Sensor").await.expect(204);
    client.get("/entities/urn:ngsi-ld:Sensor:1").await.expect(404);
    client.delete("/entities/urn:ngsi-ld:Sensor:1").await.expect(404);
}

#[tokio::test]
async fn an_answer_waits_for_the_revision_that_is_asked_for() {
    let client = client().await;
    client.create(sensor()).await;
    let ask = |revision: &'static str| {
        let path = "/entities/urn:ngsi-ld:Sensor:1";
        client.ask(Method::GET, path).header("cardo-min-revision", revision).send()
    };
    ask("1").await.expect(200);
    ask("soon").await.expect_problem(400, "InvalidRequest", "soon");
}
