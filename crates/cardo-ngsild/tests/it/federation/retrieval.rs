use cardo_model::TwinId;
use serde_json::{Value, json};

use super::{entity, far_client, full, peer, register, register_expired, register_for};

const ONE: &str = "/entities/urn:ngsi-ld:T:1";

fn observed(value: i64, at: &str) -> Value {
    json!({ "type": "Property", "value": value, "observedAt": at })
}

#[tokio::test]
async fn an_entity_that_only_a_source_has_is_found() {
    let client = far_client().await;
    let (address, seen) = peer(200, entity("1", "speed", 7.0).to_string()).await;
    register(&client.engine, address, json!({})).await;
    let reply = client.get(ONE).await.expect(200);
    assert_eq!(reply.json()["speed"]["value"], 7.0);
    assert_eq!(reply.header("ngsild-warning"), "");
    assert_eq!(reply.header("etag"), "", "what others say is no function of the revision");
    assert!(seen.lock()[0].target.starts_with("/ngsi-ld/v1/entities/urn:ngsi-ld:T:1?"));
}

#[tokio::test]
async fn of_two_instances_the_one_observed_last_is_shown() {
    let client = far_client().await;
    let theirs = json!({ "id": "urn:ngsi-ld:T:1", "type": "T",
        "old": observed(1, "2026-01-01T00:00:00Z"), "new": observed(2, "2026-01-03T00:00:00Z"),
        "only": { "type": "Property", "value": 3 } });
    client
        .create(json!({ "id": "urn:ngsi-ld:T:1", "type": "T",
            "old": observed(10, "2026-01-02T00:00:00Z"), "new": observed(20, "2026-01-02T00:00:00Z") }))
        .await;
    let (address, _) = peer(200, theirs.to_string()).await;
    register(&client.engine, address, json!({})).await;
    let found = client.get(&format!("{ONE}?options=keyValues")).await.expect(200).json();
    assert_eq!(
        found,
        json!({ "id": "urn:ngsi-ld:T:1", "type": "T", "old": 10, "new": 2, "only": 3 })
    );
    let local = client.get(&format!("{ONE}?options=keyValues&local=true")).await.expect(200).json();
    assert_eq!(local["new"], 20);
}

#[tokio::test]
async fn an_auxiliary_source_adds_what_is_missing_and_overrides_nothing() {
    let client = far_client().await;
    client.create(entity("1", "speed", 1.0)).await;
    let theirs = json!({ "id": "urn:ngsi-ld:T:1", "type": "T",
        "speed": observed(2, "2026-01-03T00:00:00Z"), "more": { "type": "Property", "value": 3 } });
    let (address, _) = peer(200, theirs.to_string()).await;
    register(
        &client.engine,
        address,
        json!({ "mode": "auxiliary", "operations": ["retrieveOps"] }),
    )
    .await;
    let found = client.get(&format!("{ONE}?options=keyValues")).await.expect(200).json();
    assert_eq!((&found["speed"], &found["more"]), (&json!(1.0), &json!(3)));
}

#[tokio::test]
async fn a_source_is_asked_for_what_is_registered_and_no_more_is_taken_from_it() {
    let client = far_client().await;
    client.create(entity("1", "weight", 5.0)).await;
    let theirs = json!({ "id": "urn:ngsi-ld:T:1", "type": "T",
        "speed": { "type": "Property", "value": 2 }, "weight": observed(9, "2026-01-03T00:00:00Z") });
    let (address, seen) = peer(200, theirs.to_string()).await;
    let information = json!([{ "entities": [{ "type": full("T"), "id": "urn:ngsi-ld:T:1" }],
        "propertyNames": [full("speed")] }]);
    let more = json!({ "mode": "exclusive", "information": information });
    register(&client.engine, address, more).await;
    let found = client.get(&format!("{ONE}?options=keyValues")).await.expect(200).json();
    assert_eq!((&found["speed"], &found["weight"]), (&json!(2), &json!(5.0)));
    assert!(seen.lock()[0].target.contains("attrs=speed"), "{:?}", seen.lock());
    client.get("/entities/urn:ngsi-ld:T:2").await.expect(404);
    client.get(&format!("{ONE}?attrs=weight")).await.expect(200);
    assert_eq!(seen.lock().len(), 1, "other entities and attributes are none of its business");
}

#[tokio::test]
async fn several_sources_are_merged_and_an_attribute_nobody_had_yet_can_be_picked() {
    let client = far_client().await;
    for (attribute, value) in [("a", 1.0), ("b", 2.0)] {
        let (address, _) = peer(200, entity("1", attribute, value).to_string()).await;
        register(&client.engine, address, json!({ "mode": "redirect" })).await;
    }
    let found = client.get(&format!("{ONE}?options=keyValues&pick=b,id")).await.expect(200).json();
    assert_eq!(found, json!({ "id": "urn:ngsi-ld:T:1", "b": 2.0 }));
    client.get(&format!("{ONE}?attrs=c")).await.expect(404);
}

#[tokio::test]
async fn a_source_is_told_what_its_registration_says() {
    let client = far_client().await;
    let (address, seen) = peer(200, entity("1", "speed", 7.0).to_string()).await;
    let more = json!({
        "tenant": "north",
        "management": { "localOnly": true },
        "contextSourceInfo": [
            { "key": "Authorization", "value": "Bearer secret" },
            { "key": "User", "value": "urn:ngsi-ld:request" },
            { "key": "Absent", "value": "urn:ngsi-ld:request" },
            { "key": "NGSILD-Tenant", "value": "evil" },
            { "key": "Via", "value": "1.1 evil" },
        ],
    });
    register(&client.engine, address, more).await;
    let asking = client.ask(axum::http::Method::GET, ONE).header("user", "abcd");
    asking.header("via", "1.1 someone").send().await.expect(200);
    let came = seen.lock()[0].clone();
    let told = |name: &str| came.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(told("authorization").as_deref(), Some("Bearer secret"));
    assert_eq!(told("user").as_deref(), Some("abcd"));
    assert_eq!(told("absent"), None);
    assert_eq!(told("ngsild-tenant").as_deref(), Some("north"));
    let alias = client.engine.alias(&TwinId::default());
    assert_eq!(told("via").unwrap(), format!("1.1 someone, 1.1 {alias}"));
    assert!(came.target.contains("local=true"), "{}", came.target);
}

#[tokio::test]
async fn names_are_those_of_the_context_of_the_registration() {
    let client = far_client().await;
    let (address, seen) = peer(200, entity("1", "speed", 7.0).to_string()).await;
    let core = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld";
    let more = json!({ "contextSourceInfo": [{ "key": "jsonldContext", "value": core }] });
    register(&client.engine, address, more).await;
    client.get(ONE).await.expect(200);
    let link = seen.lock()[0].headers["link"].to_str().unwrap().to_owned();
    assert!(link.starts_with(&format!("<{core}>; rel=")), "{link}");
}

#[tokio::test]
async fn sources_of_one_tenant_are_none_of_another() {
    let client = far_client().await;
    let (address, _) = peer(200, entity("1", "speed", 7.0).to_string()).await;
    register_for(&client.engine, "north", address, json!({})).await;
    client.get(ONE).await.expect(404);
    let asking = client.ask(axum::http::Method::GET, ONE).header("ngsild-tenant", "north");
    asking.send().await.expect(200);
}

#[tokio::test]
async fn what_does_not_take_part_is_not_asked() {
    let client = far_client().await;
    let (address, seen) = peer(200, entity("1", "speed", 7.0).to_string()).await;
    let other = json!([{ "entities": [{ "type": full("U"), "idPattern": "^urn:x:" }] }]);
    for more in [
        json!({ "operations": ["updateOps"] }),
        json!({ "information": other }),
        json!({ "contextSourceAlias": "been-there" }),
        json!({ "observationInterval": { "startAt": "2020-01-01T00:00:00Z" } }),
    ] {
        register(&client.engine, address, more).await;
    }
    register_expired(&client.engine, address).await;
    let asking = client.ask(axum::http::Method::GET, ONE).header("via", "1.1 been-there");
    asking.send().await.expect(404);
    assert!(seen.lock().is_empty(), "{:?}", seen.lock());
}

#[tokio::test]
async fn what_a_source_said_is_used_again_for_as_long_as_its_registration_says() {
    let client = far_client().await;
    let (address, seen) = peer(200, entity("1", "speed", 7.0).to_string()).await;
    let more = json!({ "management": { "cacheDuration": "PT1H" }, "operations": ["retrieveEntity", "deleteEntity"] });
    register(&client.engine, address, more).await;
    let path = "/entities/urn:ngsi-ld:T:1";
    let first = client.get(path).await.expect(200);
    assert!(first.headers.get("ngsild-warning").is_none());
    let again = client.get(path).await.expect(200);
    assert_eq!(again.json(), first.json());
    assert!(again.header("ngsild-warning").starts_with("110 "), "{:?}", again.headers);
    assert_eq!(seen.lock().len(), 1);
    // Another question is another copy, and a change ends them all.
    client.get(&format!("{path}?attrs=speed")).await.expect(200);
    assert_eq!(seen.lock().len(), 2);
    client.delete("/entities/urn:ngsi-ld:T:1").await;
    let before = seen.lock().len();
    let fresh = client.get(path).await.expect(200);
    assert!(fresh.headers.get("ngsild-warning").is_none());
    assert_eq!(seen.lock().len(), before + 1);
    let client = far_client().await;
    register(&client.engine, address, json!({ "operations": ["retrieveEntity"] })).await;
    let before = seen.lock().len();
    client.get(path).await.expect(200);
    client.get(path).await.expect(200);
    assert_eq!(seen.lock().len(), before + 2);
}
