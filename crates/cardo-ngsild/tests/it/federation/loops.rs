use axum::http::Method;
use serde_json::json;

use super::{broker, entity, far_client, full, register};

#[tokio::test]
async fn two_servers_that_know_each_other_answer_and_end() {
    let (north, south) = (broker().await, broker().await);
    register(&north.engine, south.address, json!({})).await;
    register(&south.engine, north.address, json!({})).await;
    let client = far_client().await;
    register(&client.engine, north.address, json!({})).await;
    let reply = client.get("/entities/urn:ngsi-ld:T:1").await.expect(404);
    assert!(reply.header("ngsild-warning").starts_with("199 "), "the loop is told");
    let seen = (north.seen.lock().len(), south.seen.lock().len());
    assert_eq!(seen, (2, 1), "north, south, and north once more, which knows itself");
    let reply = client.get("/entities?type=T").await.expect(200);
    assert!(reply.header("ngsild-warning").starts_with("199 "), "the loop is told");
}

#[tokio::test]
async fn a_source_that_is_known_by_its_alias_is_not_asked_again() {
    let (north, south) = (broker().await, broker().await);
    let alias = north.engine.alias(&cardo_model::TwinId::default());
    register(&north.engine, south.address, json!({})).await;
    register(&south.engine, north.address, json!({ "contextSourceAlias": alias })).await;
    let client = far_client().await;
    client.create(entity("1", "speed", 1.0)).await;
    register(&client.engine, north.address, json!({})).await;
    let reply = client.get("/entities/urn:ngsi-ld:T:1").await.expect(200);
    assert_eq!((north.seen.lock().len(), south.seen.lock().len()), (1, 1));
    assert_eq!(reply.header("ngsild-warning"), "");
}

#[tokio::test]
async fn what_its_single_source_has_passed_on_is_a_loop_and_not_written_here() {
    const ID: &str = "urn:ngsi-ld:T:1";
    let source = async |mode: &str, more: serde_json::Value| {
        let (client, other) = (far_client().await, broker().await);
        let mut members = json!({ "mode": mode, "operations": ["redirectionOps"], "contextSourceAlias": "west",
            "id": "urn:ngsi-ld:ContextSourceRegistration:west" });
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        register(&client.engine, other.address, members).await;
        (client, other)
    };
    let of_speed = json!({ "information": [{
        "entities": [{ "id": ID, "type": full("T") }], "propertyNames": [full("speed")] }] });
    for (mode, more) in [("redirect", json!({})), ("exclusive", of_speed.clone())] {
        let (client, other) = source(mode, more).await;
        let via = |method: Method, path: &str| client.ask(method, path).header("via", "1.1 west");
        let create = via(Method::POST, "/entities").json(&entity("1", "speed", 1.0));
        create.send().await.expect(508);
        let batch = via(Method::POST, "/entityOperations/upsert");
        let reply = batch.json(&json!([entity("1", "speed", 1.0)])).send().await.expect(207).json();
        assert!(reply["errors"][0]["error"]["status"] == 508, "{reply}");
        via(Method::DELETE, &format!("/entities/{ID}")).send().await.expect(508);
        client.get(&format!("/entities/{ID}?local=true")).await.expect(404);
        assert!(other.seen.lock().is_empty());
    }
    // The rest of an entity is the twin's, and is deleted without the source.
    let (client, other) = source("exclusive", of_speed).await;
    let mut both = entity("1", "speed", 1.0);
    both["height"] = json!({ "type": "Property", "value": 2 });
    let create = client.ask(Method::POST, "/entities").header("via", "1.1 west").json(&both);
    let reply = create.send().await.expect(207).json();
    assert_eq!(reply["success"], json!([ID]), "{reply}");
    let path = format!("/entities/{ID}?local=true&options=keyValues");
    assert_eq!(client.get(&path).await.json(), json!({ "id": ID, "type": "T", "height": 2 }));
    let delete = client.ask(Method::DELETE, &format!("/entities/{ID}")).header("via", "1.1 west");
    delete.send().await.expect(204);
    assert!(other.seen.lock().is_empty());
    // An inclusive source has no part in what it has passed on (clause 5.12).
    let (client, other) = source("inclusive", json!({})).await;
    let create = client.ask(Method::POST, "/entities").header("via", "1.1 west");
    create.json(&entity("1", "speed", 1.0)).send().await.expect(201);
    // Of two sources to redirect to, the one that has passed it on is not missed.
    let (client, other_west) = source("redirect", json!({})).await;
    let east = json!({ "mode": "redirect", "operations": ["redirectionOps"] });
    register(&client.engine, other.address, east).await;
    let create = client.ask(Method::POST, "/entities").header("via", "1.1 west");
    create.json(&entity("1", "speed", 1.0)).send().await.expect(201);
    assert!(other_west.seen.lock().is_empty() && !other.seen.lock().is_empty());
}
