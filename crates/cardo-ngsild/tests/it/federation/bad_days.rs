use axum::Router;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use serde_json::json;
use tokio::net::TcpListener;

use super::{entity, far_client, peer, peer_of, register};
use crate::client::{Client, Reply};

const ONE: &str = "/entities/urn:ngsi-ld:T:1";

async fn with_local() -> Client {
    let client = far_client().await;
    client.create(entity("1", "speed", 1.0)).await;
    client
}

/// The entity as the twin has it, with one warning.
#[track_caller]
fn local_with_warning(reply: &Reply, code: &str) {
    assert_eq!(reply.json()["speed"]["value"], 1.0);
    let warning = reply.header("ngsild-warning");
    assert!(warning.starts_with(code), "{warning:?} is no {code}");
}

#[tokio::test]
async fn a_peer_that_is_gone_costs_a_warning() {
    let client = with_local().await;
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    register(&client.engine, address, json!({})).await;
    local_with_warning(&client.get(ONE).await.expect(200), "199 ");
    let listed = client.get("/entities?type=T").await.expect(200);
    assert_eq!(listed.ids(), ["urn:ngsi-ld:T:1"]);
    assert!(listed.header("ngsild-warning").starts_with("199 "));
    let missing = client.get("/entities/urn:ngsi-ld:T:2").await.expect(404);
    assert!(missing.header("ngsild-warning").starts_with("199 "));
}

#[tokio::test]
async fn a_peer_that_does_not_answer_is_waited_for_as_long_as_its_registration_says() {
    let client = with_local().await;
    let silent = || async {
        std::future::pending::<()>().await;
        StatusCode::OK
    };
    let (address, seen) = peer_of(Router::new().fallback(silent)).await;
    let management = json!({ "timeout": 50, "cooldown": 3_600_000 });
    register(&client.engine, address, json!({ "management": management })).await;
    local_with_warning(&client.get(ONE).await.expect(200), "199 ");
    // It is left alone until the cool-down is over.
    local_with_warning(&client.get(ONE).await.expect(200), "199 ");
    assert_eq!(seen.lock().len(), 1);
}

#[tokio::test]
async fn an_error_of_a_peer_is_told_and_not_found_is_none() {
    let client = with_local().await;
    let (address, _) = peer(403, "{}").await;
    register(&client.engine, address, json!({})).await;
    local_with_warning(&client.get(ONE).await.expect(200), "299 ");
    let client = with_local().await;
    let (address, _) = peer(404, "{}").await;
    register(&client.engine, address, json!({})).await;
    assert_eq!(client.get(ONE).await.expect(200).header("ngsild-warning"), "");
}

#[tokio::test]
async fn what_is_no_entity_is_no_part_of_the_answer() {
    for body in [
        "not a json document".to_owned(),
        json!({ "id": "nothing", "type": "T" }).to_string(),
        json!({ "id": "urn:ngsi-ld:T:1" }).to_string(),
        json!({ "id": "urn:ngsi-ld:T:1", "type": "T", "speed": { "type": "Nonsense" } })
            .to_string(),
        // Another entity, and one of another type, than was asked for.
        entity("2", "speed", 2.0).to_string(),
        json!({ "id": "urn:ngsi-ld:T:1", "type": "U", "a": { "type": "Property", "value": 1 } })
            .to_string(),
        // Deeper than any document is read.
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
    ] {
        let client = with_local().await;
        let (address, _) = peer(200, body.clone()).await;
        register(&client.engine, address, json!({})).await;
        let reply = client.get(ONE).await.expect(200);
        local_with_warning(&reply, "111 ");
        assert!(reply.json().get("a").is_none(), "{body}");
        let listed = client.get("/entities?type=T&count=true").await.expect(200);
        if !body.contains("T:2") {
            assert_eq!(listed.header("ngsild-results-count"), "1", "{body}");
        }
    }
}

#[tokio::test]
async fn an_answer_of_17_megabytes_is_not_read() {
    let client = with_local().await;
    let mut huge = entity("1", "speed", 2.0);
    huge["text"] = json!({ "type": "Property", "value": "x".repeat(17 << 20) });
    let (address, _) = peer(200, huge.to_string()).await;
    register(&client.engine, address, json!({})).await;
    local_with_warning(&client.get(ONE).await.expect(200), "111 ");
}

#[tokio::test]
async fn a_peer_that_redirects_for_ever_costs_a_warning() {
    let client = with_local().await;
    let again = || async { (StatusCode::FOUND, [(LOCATION, "/ngsi-ld/v1/entities/again")]) };
    let (address, seen) = peer_of(Router::new().fallback(again)).await;
    register(&client.engine, address, json!({})).await;
    local_with_warning(&client.get(ONE).await.expect(200), "199 ");
    assert!(seen.lock().len() < 20);
}

#[tokio::test]
async fn a_peer_that_knows_no_pages_is_not_asked_for_ever() {
    let client = far_client().await;
    let page: Vec<_> = (0..1_000).map(|n| entity(&n.to_string(), "speed", 1.0)).collect();
    let (address, seen) = peer(200, json!(page).to_string()).await;
    register(&client.engine, address, json!({})).await;
    let reply = client.get("/entities?type=T&count=true&limit=1").await.expect(200);
    assert_eq!(reply.header("ngsild-results-count"), "1000");
    assert!(seen.lock().len() < 5);
}
