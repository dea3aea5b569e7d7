//! Answers that a client has already are not sent again.

use axum::http::Method;
use serde_json::json;

use crate::client::{Client, Reply, client};

const ENTITY: &str = "/entities/urn:x:1";

async fn known(client: &Client, path: &str, tag: &str) -> Reply {
    client.ask(Method::GET, path).header("if-none-match", tag).send().await
}

#[tokio::test]
async fn an_answer_is_304_until_the_twin_changes() {
    let client = client().await;
    client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1 })).await;
    let paths = [
        ENTITY,
        "/entities?type=T&count=true",
        "/types",
        "/types/T",
        "/attributes",
        "/attributes/a",
        "/temporal/entities/urn:x:1",
    ];
    for path in paths {
        let first = client.get(path).await.expect(200);
        let tag = first.header("etag");
        let revision = first.header("cardo-revision");
        assert!(tag.starts_with(&format!("W/\"{revision}-")), "{path}: {tag}");
        for header in ["Accept", "Link", "NGSILD-Tenant", "Authorization", "Accept-Encoding"] {
            assert!(first.header("vary").contains(header), "{path}: {header}");
        }
        let second = known(&client, path, tag).await.expect(304);
        assert_eq!((second.text.as_str(), second.header("etag")), ("", tag));
        known(&client, path, "\"other\"").await.expect(200);
        client.patch(&format!("{ENTITY}/attrs"), json!({ "a": 2 })).await.expect(204);
        let third = known(&client, path, tag).await.expect(200);
        assert_ne!(third.header("etag"), tag, "{path}");
    }
}

#[tokio::test]
async fn each_form_of_an_answer_has_a_tag_of_its_own() {
    let client = client().await;
    client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1 })).await;
    let other = client.ask(Method::POST, "/entities").header("ngsild-tenant", "north");
    other.json(&json!({ "id": "urn:x:1", "type": "T", "a": 1 })).send().await.expect(201);
    let get = || client.ask(Method::GET, ENTITY);
    let geo = || get().accept("application/geo+json");
    let answers = [
        get().send().await,
        get().accept("application/ld+json").send().await,
        geo().send().await,
        geo().header("prefer", "body=json").send().await,
        get().header("ngsild-tenant", "north").send().await,
    ];
    let tags: Vec<&str> = answers.iter().map(|answer| answer.header("etag")).collect();
    for (at, tag) in tags.iter().enumerate() {
        assert!(!tag.is_empty() && !tags[..at].contains(tag), "{tags:?}");
    }
}

#[tokio::test]
async fn what_depends_on_more_than_the_revision_has_no_tag() {
    let client = client().await;
    client.create(json!({ "id": "urn:x:1", "type": "T" })).await;
    let subscription = json!({
        "id": "urn:x:s", "type": "Subscription", "entities": [{ "type": "T" }],
        "notification": { "endpoint": { "uri": "http://127.0.0.1:9/" } },
    });
    client.post("/subscriptions", subscription).await.expect(201);
    for path in ["/subscriptions", "/subscriptions/urn:x:s", "/entities/urn:x:2"] {
        assert_eq!(known(&client, path, "*").await.header("etag"), "", "{path}");
    }
    let question = json!({ "type": "Query", "entities": [{ "type": "T" }] });
    let asking = client.ask(Method::POST, "/entityOperations/query").json(&question);
    let reply = asking.header("if-none-match", "*").send().await.expect(200);
    assert_eq!(reply.header("etag"), "");
}

#[tokio::test]
async fn a_coding_of_a_body_that_is_not_understood_is_told() {
    let client = client().await;
    let asking =
        client.ask(Method::POST, "/entities").json(&json!({ "id": "urn:x:1", "type": "T" }));
    let reply = asking.header("content-encoding", "br").send().await.expect(415);
    assert_eq!(reply.header("accept-encoding"), "gzip");
    reply.expect_problem(415, "InvalidRequest", "\"br\"");
}
