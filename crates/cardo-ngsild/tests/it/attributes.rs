use axum::http::Method;
use serde_json::{Value, json};

use crate::client::{Client, client};

async fn with_entity() -> Client {
    let client = client().await;
    client
        .create(json!({
            "id": "urn:x:1", "type": "T", "scope": "/A",
            "a": { "type": "Property", "value": 1, "unitCode": "CEL" },
            "speed": [
                { "type": "Property", "value": 1 },
                { "type": "Property", "value": 2, "datasetId": "urn:x:gps" }
            ]
        }))
        .await;
    client
}

async fn simplified(client: &Client) -> Value {
    client.get("/entities/urn:x:1?format=simplified").await.expect(200).json()
}

#[tokio::test]
async fn appended_attributes_replace_those_that_are_unless_told_otherwise() {
    let client = with_entity().await;
    client
        .post("/entities/urn:x:1/attrs", json!({ "a": 2, "b": 3, "type": "U" }))
        .await
        .expect(204);
    let now = simplified(&client).await;
    assert_eq!((&now["a"], &now["b"], &now["type"]), (&json!(2), &json!(3), &json!(["T", "U"])));
    let reply =
        client.post("/entities/urn:x:1/attrs?options=noOverwrite", json!({ "a": 4, "c": 5 })).await;
    let result = reply.expect(207).json();
    assert!(result["updated"][0].as_str().unwrap().ends_with("/c"));
    assert!(result["notUpdated"][0]["attributeName"].as_str().unwrap().ends_with("/a"));
    assert!(result["notUpdated"][0]["reason"].is_string());
    assert_eq!(simplified(&client).await["a"], 2);
    client.post("/entities/urn:x:2/attrs", json!({ "a": 1 })).await.expect(404);
    let bad = client.post("/entities/urn:x:1/attrs?options=overwrite", json!({ "a": 1 })).await;
    bad.expect_problem(400, "InvalidRequest", "overwrite");
}

#[tokio::test]
async fn updated_attributes_are_replaced_whole_and_null_deletes() {
    let client = with_entity().await;
    let fragment = json!({
        "a": { "type": "Property", "value": 5 },
        "speed": { "type": "Property", "value": "urn:ngsi-ld:null", "datasetId": "urn:x:gps" }
    });
    client.patch("/entities/urn:x:1/attrs", fragment).await.expect(204);
    let entity = client.get("/entities/urn:x:1").await.json();
    assert_eq!(entity["a"], json!({ "type": "Property", "value": 5 }));
    assert_eq!(entity["speed"], json!({ "type": "Property", "value": 1 }));
}

#[tokio::test]
async fn the_end_of_an_entity_is_updated_and_appended_with_its_attributes() {
    let client = with_entity().await;
    let end = async || {
        let entity = client.get("/entities/urn:x:1?options=sysAttrs").await.expect(200).json();
        entity["expiresAt"].as_str().map(str::to_owned)
    };
    let at = |year: u32| json!({ "expiresAt": format!("{year}-01-01T00:00:00Z") });
    client.patch("/entities/urn:x:1/attrs", at(2991)).await.expect(204);
    assert_eq!(end().await.as_deref(), Some("2991-01-01T00:00:00Z"));
    client.post("/entities/urn:x:1/attrs?options=noOverwrite", at(2992)).await.expect(204);
    assert_eq!(end().await.as_deref(), Some("2991-01-01T00:00:00Z"));
    client.post("/entities/urn:x:1/attrs", at(2993)).await.expect(204);
    assert_eq!(end().await.as_deref(), Some("2993-01-01T00:00:00Z"));
    for (batch, year) in [("update", 2994), ("upsert?options=update", 2995)] {
        let mut entity = at(year);
        entity["id"] = json!("urn:x:1");
        entity["type"] = json!("T");
        client.post(&format!("/entityOperations/{batch}"), json!([entity])).await.expect(204);
        assert_eq!(end().await.unwrap(), format!("{year}-01-01T00:00:00Z"));
    }
    let never = json!({ "expiresAt": "urn:ngsi-ld:null" });
    client.patch("/entities/urn:x:1/attrs", never).await.expect(204);
    assert_eq!(end().await, None);
    client.patch("/entities/urn:x:1/attrs", at(2001)).await.expect(204);
    client.get("/entities/urn:x:1").await.expect(404);
}

#[tokio::test]
async fn a_partial_update_leaves_what_it_does_not_name() {
    let client = with_entity().await;
    client.patch("/entities/urn:x:1/attrs/a", json!({ "value": 7 })).await.expect(204);
    let entity = client.get("/entities/urn:x:1").await.json();
    assert_eq!(entity["a"], json!({ "type": "Property", "value": 7, "unitCode": "CEL" }));
    client
        .patch("/entities/urn:x:1/attrs/a", json!({ "unitCode": "urn:ngsi-ld:null" }))
        .await
        .expect(204);
    assert_eq!(
        client.get("/entities/urn:x:1").await.json()["a"],
        json!({ "type": "Property", "value": 7 })
    );
    let gps = json!({ "value": 9, "datasetId": "urn:x:gps" });
    client.patch("/entities/urn:x:1/attrs/speed", gps).await.expect(204);
    assert_eq!(
        simplified(&client).await["speed"]["dataset"],
        json!({ "@none": 1, "urn:x:gps": 9 })
    );
    let kind = json!({ "type": "Relationship", "object": "urn:x:2" });
    client.patch("/entities/urn:x:1/attrs/a", kind).await.expect_problem(
        400,
        "BadRequestData",
        "Relationship",
    );
    client.patch("/entities/urn:x:1/attrs/none", json!({ "value": 1 })).await.expect(404);
    client.patch("/entities/urn:x:1/attrs/scope", json!({ "value": "/B" })).await.expect(400);
}

#[tokio::test]
async fn a_replaced_attribute_is_as_given() {
    let client = with_entity().await;
    client
        .put("/entities/urn:x:1/attrs/a", json!({ "type": "Property", "value": 8 }))
        .await
        .expect(204);
    assert_eq!(
        client.get("/entities/urn:x:1").await.json()["a"],
        json!({ "type": "Property", "value": 8 })
    );
    client
        .put("/entities/urn:x:1/attrs/none", json!({ "type": "Property", "value": 8 }))
        .await
        .expect(404);
    client.put("/entities/urn:x:1/attrs/a", json!({ "unitCode": "X" })).await.expect(400);
}

#[tokio::test]
async fn attributes_are_deleted_by_dataset_or_all_at_once() {
    let client = with_entity().await;
    client.delete("/entities/urn:x:1/attrs/speed?datasetId=urn:x:none").await.expect(404);
    client.delete("/entities/urn:x:1/attrs/speed").await.expect(204);
    assert_eq!(simplified(&client).await["speed"], 2);
    client.delete("/entities/urn:x:1/attrs/speed?datasetId=urn:x:gps").await.expect(204);
    assert!(simplified(&client).await.get("speed").is_none());
    client
        .post(
            "/entities/urn:x:1/attrs",
            json!({ "speed": [{ "value": 1 }, { "value": 2, "datasetId": "urn:x:a" }] }),
        )
        .await
        .expect(204);
    client.delete("/entities/urn:x:1/attrs/speed?deleteAll=true").await.expect(204);
    assert!(simplified(&client).await.get("speed").is_none());
    client.delete("/entities/urn:x:1/attrs/scope").await.expect(204);
    assert!(simplified(&client).await.get("scope").is_none());
    client.delete("/entities/urn:x:1/attrs/speed?deleteAll=yes").await.expect(400);
}

#[tokio::test]
async fn merge_patch_is_a_media_type_of_patches_alone() {
    let client = with_entity().await;
    let body = json!({ "value": 3 }).to_string();
    let patch = |method, path: &'static str| {
        client.ask(method, path).body("application/merge-patch+json", body.clone()).send()
    };
    patch(Method::PATCH, "/entities/urn:x:1/attrs/a").await.expect(204);
    patch(Method::POST, "/entities/urn:x:1/attrs").await.expect(415);
}
