use axum::http::Method;
use cardo_ngsild::{NgsildLimits, NgsildOptions};
use serde_json::{Value, json};

use super::{Broker, broker, entity, far_client, far_options, full, peer, register};
use crate::client::{Client, client_with};

const ALL: &str = "redirectionOps";
const ID: &str = "urn:ngsi-ld:T:1";
const SOURCE: &str = "urn:ngsi-ld:ContextSourceRegistration:source";

fn at(broker: &Broker) -> Client {
    Client::of(broker.engine.clone())
}

fn of_speed(mode: &str) -> Value {
    json!({
        "id": SOURCE,
        "mode": mode,
        "operations": [ALL],
        "information": [{
            "entities": [{ "id": ID, "type": full("T") }],
            "propertyNames": [full("speed")],
        }],
    })
}

fn of_all(mode: &str) -> Value {
    json!({ "id": SOURCE, "mode": mode, "operations": [ALL] })
}

/// An entity with an attribute of every kind.
fn every_kind() -> Value {
    json!({
        "id": ID,
        "type": ["T", "U"],
        "scope": ["/a/b", "/c"],
        "p": [
            { "type": "Property", "value": 1.50, "unitCode": "CEL", "observedAt": "2026-01-01T00:00:00Z",
              "accuracy": { "type": "Property", "value": { "deep": [1, "é\"", null] } } },
            { "type": "Property", "value": 2, "datasetId": "urn:ngsi-ld:D:2" },
        ],
        "r": { "type": "Relationship", "object": ["urn:ngsi-ld:A:1", "urn:ngsi-ld:A:2"], "objectType": "A" },
        "location": { "type": "GeoProperty", "value": { "type": "Point", "coordinates": [24.9, 60.2] } },
        "names": { "type": "LanguageProperty", "languageMap": { "fi": "yksi", "en": ["one", "uno"] } },
        "v": { "type": "VocabProperty", "vocab": ["red", "green"] },
        "j": { "type": "JsonProperty", "json": { "a": { "b": 1 } } },
        "l": { "type": "ListProperty", "valueList": [1, [2, 3]] },
        "lr": { "type": "ListRelationship",
                "objectList": [{ "object": "urn:ngsi-ld:A:2" }, { "object": "urn:ngsi-ld:A:1" }] },
    })
}

#[tokio::test]
async fn an_entity_goes_whole_to_where_its_type_is_redirected() {
    let (client, one, other) = (far_client().await, broker().await, broker().await);
    let twin = at(&one);
    twin.create(every_kind()).await;
    let expected = twin.get(&format!("/entities/{ID}")).await.expect(200).json();
    twin.delete(&format!("/entities/{ID}")).await.expect(204);
    let both = json!([{ "entities": [{ "type": full("T") }, { "type": full("U") }] }]);
    let with = |mode: &str| json!({ "mode": mode, "operations": [ALL], "information": both });
    register(&client.engine, one.address, with("redirect")).await;
    register(&client.engine, other.address, with("redirect")).await;
    let created = client.post("/entities", every_kind()).await.expect(201);
    assert!(created.header("location").ends_with(ID));
    client.get(&format!("/entities/{ID}?local=true")).await.expect(404);
    for broker in [&one, &other] {
        let found = at(broker).get(&format!("/entities/{ID}")).await.expect(200).json();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn an_exclusive_source_gets_its_attribute_and_the_twin_the_rest() {
    let (client, other) = (far_client().await, broker().await);
    register(&client.engine, other.address, of_speed("exclusive")).await;
    let mut both = entity("1", "speed", 1.0);
    both["height"] = json!({ "type": "Property", "value": 2 });
    client.post("/entities", both).await.expect(201);
    let here = client.get(&format!("/entities/{ID}?local=true&options=keyValues")).await.json();
    assert_eq!(here, json!({ "id": ID, "type": "T", "height": 2 }));
    let there = at(&other).get(&format!("/entities/{ID}?options=keyValues")).await.json();
    assert_eq!(there, json!({ "id": ID, "type": "T", "speed": 1.0 }));
    let whole = client.get(&format!("/entities/{ID}?options=keyValues")).await.json();
    assert_eq!((&whole["speed"], &whole["height"]), (&json!(1.0), &json!(2)));
}

#[tokio::test]
async fn every_change_of_an_exclusive_attribute_is_made_at_its_source() {
    let (client, other) = (far_client().await, broker().await);
    register(&client.engine, other.address, of_speed("exclusive")).await;
    client.post("/entities", entity("1", "speed", 1.0)).await.expect(201);
    let value = async || {
        let found = at(&other).get(&format!("/entities/{ID}?options=keyValues")).await.json();
        found["speed"].clone()
    };
    let attrs = format!("/entities/{ID}/attrs");
    let speed = |value: Value| json!({ "speed": { "type": "Property", "value": value } });
    client.patch(&attrs, speed(json!(2))).await.expect(204);
    assert_eq!(value().await, 2);
    client.post(&attrs, speed(json!(3))).await.expect(204);
    assert_eq!(value().await, 3);
    client.patch(&format!("{attrs}/speed"), json!({ "value": 4 })).await.expect(204);
    assert_eq!(value().await, 4);
    client
        .put(&format!("{attrs}/speed"), json!({ "type": "Property", "value": 5 }))
        .await
        .expect(204);
    assert_eq!(value().await, 5);
    client.patch(&format!("/entities/{ID}"), speed(json!(6))).await.expect(204);
    assert_eq!(value().await, 6);
    let simplified = format!("/entities/{ID}?format=simplified");
    client.patch(&simplified, json!({ "speed": 7 })).await.expect(204);
    assert_eq!(value().await, 7);
    let merged = json!({ "speed": { "type": "Property", "value": "urn:ngsi-ld:null" } });
    client.patch(&format!("/entities/{ID}"), merged).await.expect(204);
    assert_eq!(value().await, Value::Null);
    at(&other).post(&attrs, speed(json!(8))).await.expect(204);
    client.delete(&format!("{attrs}/speed")).await.expect(204);
    assert_eq!(value().await, Value::Null);
    client.get(&format!("/entities/{ID}?local=true")).await.expect(404);
}

#[tokio::test]
async fn inclusive_sources_are_changed_like_the_twin_and_tell_what_they_miss() {
    let (client, other) = (far_client().await, broker().await);
    register(&client.engine, other.address, of_all("inclusive")).await;
    client.post("/entities", entity("1", "speed", 1.0)).await.expect(201);
    at(&other).get(&format!("/entities/{ID}")).await.expect(200);
    at(&other).delete(&format!("/entities/{ID}")).await.expect(204);
    let patch = json!({ "speed": { "type": "Property", "value": 2 } });
    let mixed = client.patch(&format!("/entities/{ID}/attrs"), patch).await.expect(207).json();
    assert_eq!(mixed["updated"], json!([full("speed")]));
    assert_eq!(mixed["notUpdated"][0]["attributeName"], full("speed"));
    assert_eq!(mixed["notUpdated"][0]["registrationId"], SOURCE);
    let deleted = client.delete(&format!("/entities/{ID}")).await.expect(207).json();
    assert_eq!(deleted["success"], json!([ID]));
    assert_eq!(deleted["errors"][0]["registrationId"], SOURCE);
    assert_eq!(deleted["errors"][0]["error"]["status"], 404);
    client.delete(&format!("/entities/{ID}")).await.expect(404);
}

#[tokio::test]
async fn what_a_single_source_does_not_do_is_told_by_the_status() {
    let silent = json!({
        "mode": "redirect", "operations": [ALL], "endpoint": "http://127.0.0.1:1",
        "management": { "timeout": 500 },
    });
    let not_taken = json!({ "mode": "redirect", "operations": ["retrieveOps"] });
    let (gone, _) = peer(404, "").await;
    let (forbidden, _) = peer(403, r#"{"title": "no"}"#).await;
    let (partly, _) = peer(207, "").await;
    for (address, more, status) in [
        (gone, silent, 504),
        (gone, not_taken, 409),
        (gone, of_all("redirect"), 404),
        (forbidden, of_all("redirect"), 502),
        (partly, of_all("redirect"), 207),
    ] {
        let client = far_client().await;
        register(&client.engine, address, more).await;
        client.post("/entities", entity("1", "speed", 1.0)).await.expect(status);
        client.get(&format!("/entities/{ID}?local=true")).await.expect(404);
    }
}

#[tokio::test]
async fn a_change_that_comes_back_is_a_loop() {
    let (client, north) = (far_client().await, broker().await);
    register(&north.engine, north.address, of_all("redirect")).await;
    register(&client.engine, north.address, of_all("redirect")).await;
    at(&north).post("/entities", entity("1", "speed", 1.0)).await.expect(508);
    client.post("/entities", entity("1", "speed", 1.0)).await.expect(508);
}

#[tokio::test]
async fn an_auxiliary_source_is_never_written_to() {
    let (client, other) = (far_client().await, broker().await);
    let auxiliary = json!({ "mode": "auxiliary", "operations": ["retrieveOps"] });
    register(&client.engine, other.address, auxiliary).await;
    client.post("/entities", entity("1", "speed", 1.0)).await.expect(201);
    client.delete(&format!("/entities/{ID}")).await.expect(204);
    assert!(other.seen.lock().is_empty());
}

#[tokio::test]
async fn a_batch_is_one_request_to_a_source_that_takes_it() {
    let (client, other) = (far_client().await, broker().await);
    let batch = json!({
        "id": SOURCE,
        "mode": "inclusive",
        "operations": ["createBatch", "upsertBatch", "updateBatch", "mergeBatch", "deleteBatch"],
    });
    register(&client.engine, other.address, batch).await;
    let all = || json!([entity("1", "speed", 1.0), entity("2", "speed", 2.0)]);
    let created = client.post("/entityOperations/create", all()).await.expect(201).json();
    assert_eq!(created.as_array().unwrap().len(), 2);
    client.post("/entityOperations/upsert", all()).await.expect(204);
    client.post("/entityOperations/update", all()).await.expect(204);
    client.post("/entityOperations/merge", all()).await.expect(204);
    at(&other).delete("/entities/urn:ngsi-ld:T:2").await.expect(204);
    let ids = json!(["urn:ngsi-ld:T:1", "urn:ngsi-ld:T:2"]);
    let mixed = client.post("/entityOperations/delete", ids.clone()).await.expect(207).json();
    assert_eq!(mixed["success"], ids);
    assert_eq!(mixed["errors"].as_array().unwrap().len(), 1);
    assert_eq!(mixed["errors"][0]["entityId"], "urn:ngsi-ld:T:2");
    assert_eq!(mixed["errors"][0]["registrationId"], SOURCE);
    assert_eq!(other.seen.lock().len(), 5);
}

#[tokio::test]
async fn of_a_batch_for_a_source_those_are_told_as_created_that_it_had_not() {
    let (client, other) = (far_client().await, broker().await);
    let batch = json!({ "id": SOURCE, "mode": "redirect", "operations": ["upsertBatch"] });
    register(&client.engine, other.address, batch).await;
    at(&other).create(entity("1", "speed", 1.0)).await;
    let all = json!([entity("1", "speed", 2.0), entity("2", "speed", 2.0)]);
    let created = client.post("/entityOperations/upsert", all).await.expect(201).json();
    assert_eq!(created, json!(["urn:ngsi-ld:T:2"]));
    assert_eq!(other.seen.lock().len(), 1);
}

#[tokio::test]
async fn a_batch_goes_one_by_one_to_a_source_that_takes_no_batches() {
    let (client, other) = (far_client().await, broker().await);
    register(&client.engine, other.address, of_all("redirect")).await;
    let all = |value: f64| json!([entity("1", "speed", value), entity("2", "speed", value)]);
    client.post("/entityOperations/upsert", all(1.0)).await.expect(201);
    client.post("/entityOperations/upsert", all(2.0)).await.expect(204);
    let found = at(&other).get("/entities?type=T&options=keyValues").await.json();
    let speeds: Vec<_> = found.as_array().unwrap().iter().map(|one| one["speed"].clone()).collect();
    assert_eq!(speeds, [json!(2.0), json!(2.0)]);
    client.get("/entities?type=T&local=true").await.expect(200).ids().is_empty();
}

#[tokio::test]
async fn a_purge_takes_no_more_of_a_source_than_is_registered() {
    let (client, other) = (far_client().await, broker().await);
    let mut one = entity("1", "speed", 1.0);
    one["height"] = json!({ "type": "Property", "value": 2 });
    at(&other).create(json!([one, entity("2", "speed", 1.0)])).await;
    register(&client.engine, other.address, of_speed("inclusive")).await;
    client.create(entity("3", "speed", 3.0)).await;
    client.delete("/entities?type=T").await.expect(204);
    let left = at(&other).get("/entities?type=T&options=keyValues").await.json();
    assert_eq!(left[0], json!({ "id": ID, "type": "T", "height": 2 }));
    assert_eq!(left[1]["speed"], 1.0);
    assert!(client.get("/entities?type=T&local=true").await.ids().is_empty());
}

#[tokio::test]
async fn a_purge_is_not_sent_to_a_source_that_cannot_judge_its_condition() {
    let (client, other) = (far_client().await, broker().await);
    at(&other).create(entity("1", "speed", 1.0)).await;
    register(&client.engine, other.address, of_speed("inclusive")).await;
    let reply = client.delete("/entities?type=T&q=height%3E5").await.expect(207).json();
    assert_eq!(reply["errors"][0]["registrationId"], SOURCE);
    at(&other).get(&format!("/entities/{ID}")).await.expect(200);
    assert!(other.seen.lock().iter().all(|came| !came.target.contains("type=T&")));
}

#[tokio::test]
async fn a_purge_that_is_refused_here_is_sent_to_nobody() {
    let limits = NgsildLimits { purge: 1, ..NgsildLimits::default() };
    let client = client_with(NgsildOptions { limits, ..far_options() }).await;
    let other = broker().await;
    at(&other).create(entity("1", "speed", 1.0)).await;
    client.create(json!([entity("2", "speed", 2.0), entity("3", "speed", 3.0)])).await;
    register(&client.engine, other.address, of_all("inclusive")).await;
    client.delete("/entities?type=T").await.expect(403);
    assert!(other.seen.lock().is_empty());
}

#[tokio::test]
async fn a_deletion_looks_for_a_context_only_where_sources_are_told_of_it() {
    let client = far_client().await;
    client.create(entity("1", "speed", 1.0)).await;
    let link = "<http://127.0.0.1:1/c.jsonld>; rel=\"http://www.w3.org/ns/json-ld#context\"; \
                type=\"application/ld+json\"";
    let deletion = client.ask(Method::DELETE, &format!("/entities/{ID}")).header("link", link);
    deletion.send().await.expect(204);
}
