use serde_json::json;

use super::{broker, entity, far_client, register};

#[tokio::test]
async fn two_servers_that_know_each_other_answer_and_end() {
    let (north, south) = (broker().await, broker().await);
    register(&north.engine, south.address, json!({})).await;
    register(&south.engine, north.address, json!({})).await;
    let client = far_client().await;
    register(&client.engine, north.address, json!({})).await;
    client.get("/entities/urn:ngsi-ld:T:1").await.expect(404);
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
