use axum::http::Method;
use serde_json::json;

use crate::client::{Client, client};

async fn city() -> Client {
    let client = client().await;
    let entities: Vec<_> = (0..2_500)
        .map(|n| {
            json!({
                "id": format!("urn:x:{n:04}"),
                "type": if n % 2 == 0 { "Sensor" } else { "Lamp" },
                "n": { "type": "Property", "value": n },
                "name": { "type": "Property", "value": "x" },
                "other": [
                    { "type": "Property", "value": 1 },
                    { "type": "Property", "value": 2, "datasetId": "urn:d" }
                ]
            })
        })
        .collect();
    client.post("/entityOperations/create", json!(entities)).await.expect(201);
    client
}

async fn count(client: &Client, question: &str) -> String {
    let reply = client.get(&format!("/entities?{question}&limit=0&count=true")).await.expect(200);
    reply.header("ngsild-results-count").to_owned()
}

#[tokio::test]
async fn all_entities_that_are_found_are_deleted() {
    let client = city().await;
    let reply = client.delete("/entities?type=Sensor&q=n%3C2000").await.expect(204);
    assert_eq!(reply.text, "");
    assert_eq!(count(&client, "type=Sensor").await, "250");
    assert_eq!(count(&client, "type=Lamp").await, "1250");
    client.delete("/entities?type=Lamp&id=urn:x:0001,urn:x:0002").await.expect(204);
    client.get("/entities/urn:x:0001").await.expect(404);
    assert_eq!(count(&client, "type=Lamp").await, "1249");
    client.delete("/entities?type=Nothing").await.expect(204);
    client.delete("/entities?local=true").await.expect(204);
    assert_eq!(count(&client, "type=*").await, "0");
}

#[tokio::test]
async fn attributes_are_dropped_or_kept() {
    let client = city().await;
    client.delete("/entities?type=Sensor&drop=name,none").await.expect(204);
    assert_eq!(count(&client, "attrs=name").await, "1250");
    client.delete("/entities?type=Lamp&keep=n").await.expect(204);
    let lamp = client.get("/entities/urn:x:0001?format=simplified").await.expect(200).json();
    assert_eq!(lamp, json!({ "id": "urn:x:0001", "type": "Lamp", "n": 1 }));
    let sensor = client.get("/entities/urn:x:0000").await.expect(200).json();
    assert_eq!(sensor["other"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_purge_by_an_entity_map_is_about_its_entities_alone() {
    let client = city().await;
    let asked = client.get("/entities?type=Lamp&q=n%3C100&entityMap=true").await.expect(201);
    let address = asked.header("ngsild-entitymap").to_owned();
    let purge = async |question: &str| {
        let path = format!("/entities?{question}");
        client.ask(Method::DELETE, &path).header("ngsild-entitymap", &address).send().await
    };
    let reply = purge("type=Lamp&drop=name").await.expect(204);
    assert_eq!(reply.header("ngsild-entitymap"), address);
    assert_eq!(count(&client, "type=Lamp&attrs=name").await, "1200");
    purge("type=Lamp&id=urn:x:0001,urn:x:0101").await.expect(204);
    assert_eq!(count(&client, "type=Lamp").await, "1249");
    purge("type=*").await.expect(204);
    assert_eq!(count(&client, "type=Lamp").await, "1200");
    assert_eq!(count(&client, "type=Sensor").await, "1250");
}

#[tokio::test]
async fn a_purge_that_is_too_wide_or_wrong_deletes_nothing() {
    let client = city().await;
    for (path, detail) in [
        ("/entities", "too wide"),
        ("/entities?id=urn:x:0001", "too wide"),
        ("/entities?idPattern=.*", "too wide"),
        ("/entities?attrs=createdAt", "too wide"),
        ("/entities?drop=name", "too wide"),
        ("/entities?type=Lamp&keep=n&drop=name", "keep"),
        ("/entities?type=Lamp&q=in%7Bname%7D", "linked"),
        ("/entities?type=Lamp&attrs=in%7Bname%7D", "in{name}"),
        ("/entities?type=Lamp&drop=in%7Bname%7D", "in{name}"),
        ("/entities?type=*&local=false", "local"),
    ] {
        client.delete(path).await.expect_problem(400, "BadRequestData", detail);
    }
    assert_eq!(count(&client, "type=*").await, "2500");
}
