use axum::http::Method;
use serde_json::json;

use crate::client::{Client, client};

async fn two_types() -> Client {
    let client = client().await;
    client
        .create(json!([
            { "id": "urn:x:1", "type": "Sensor", "n": 1, "isIn": { "object": "urn:x:r" } },
            { "id": "urn:x:2", "type": "Sensor", "n": { "object": "urn:x:r" } },
            { "id": "urn:x:3", "type": "Room", "n": 1 }
        ]))
        .await;
    client
}

const VOCAB: &str = "https://uri.etsi.org/ngsi-ld/default-context/";

#[tokio::test]
async fn types_are_listed_and_described() {
    let client = two_types().await;
    let list = client.get("/types").await.expect(200).json();
    assert_eq!(list["type"], "EntityTypeList");
    assert_eq!(list["typeList"], json!(["Room", "Sensor"]));
    let details = client.get("/types?details=true").await.expect(200).json();
    assert_eq!(details[1]["id"], format!("{VOCAB}Sensor"));
    assert_eq!(details[1]["typeName"], "Sensor");
    assert_eq!(details[1]["attributeNames"], json!(["isIn", "n"]));
    let one = client.get("/types/Sensor").await.expect(200).json();
    assert_eq!((&one["type"], &one["entityCount"]), (&json!("EntityTypeInfo"), &json!(2)));
    assert_eq!(one["attributeDetails"][0]["attributeTypes"], json!(["Relationship"]));
    client.get("/types/None").await.expect_problem(404, "ResourceNotFound", "None");
    let linked = client.ask(Method::GET, "/types").accept("application/ld+json").send().await;
    assert!(linked.expect(200).json()["@context"].is_string());
}

#[tokio::test]
async fn attributes_are_listed_and_described() {
    let client = two_types().await;
    let list = client.get("/attributes").await.expect(200).json();
    assert_eq!(list["attributeList"], json!(["isIn", "n"]));
    let details = client.get("/attributes?details=true").await.expect(200).json();
    assert_eq!(details[1]["typeNames"], json!(["Room", "Sensor"]));
    let one = client.get("/attributes/n").await.expect(200).json();
    assert_eq!(one["attributeCount"], 3);
    let mut kinds: Vec<_> = one["attributeTypes"].as_array().unwrap().clone();
    kinds.sort_by_key(ToString::to_string);
    assert_eq!(kinds, ["Property", "Relationship"]);
    client.get("/attributes/none").await.expect_problem(404, "ResourceNotFound", "none");
    client.get("/attributes?detail=true").await.expect_problem(400, "InvalidRequest", "detail");
}
