use std::sync::Arc;

use axum::http::Method;
use cardo_engine::{Batch, Caller};
use cardo_ngsild::{NgsildOptions, context_operation};
use cardo_store::MemoryStore;
use serde_json::json;

use crate::client::{Client, Documents, client, client_over, client_with};

const URL: &str = "https://example.org/context.jsonld";
const LINK: &str = r#"<https://example.org/context.jsonld>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json""#;
const DOCUMENT: &str =
    r#"{"@context": {"Sensor": "https://example.org/Sensor", "t": "https://example.org/t"}}"#;

fn documents(pairs: &[(&str, &str)]) -> Arc<Documents> {
    let documents = Documents::default();
    for (url, text) in pairs {
        documents.by_url.lock().insert((*url).to_owned(), (*text).to_owned());
    }
    Arc::new(documents)
}

async fn with(documents: &Arc<Documents>) -> Client {
    client_with(NgsildOptions { contexts: documents.clone(), ..NgsildOptions::default() }).await
}

#[tokio::test]
async fn names_mean_what_the_context_of_the_request_says() {
    let documents = documents(&[(URL, DOCUMENT)]);
    let client = with(&documents).await;
    let entity = json!({ "id": "urn:x:1", "type": "Sensor", "t": { "type": "Property", "value": 1 }, "other": { "type": "Property", "value": 2 } });
    client
        .ask(Method::POST, "/entities")
        .header("link", LINK)
        .json(&entity)
        .send()
        .await
        .expect(201);
    let reply =
        client.ask(Method::GET, "/entities/urn:x:1").header("link", LINK).send().await.expect(200);
    assert_eq!(reply.json(), entity);
    assert!(reply.header("link").contains(URL));
    let core = client.get("/entities/urn:x:1").await.json();
    assert_eq!(core["type"], "https://example.org/Sensor");
    assert_eq!(core["https://example.org/t"]["value"], 1);
    assert_eq!(core["other"]["value"], 2);
    let reply =
        client.ask(Method::GET, "/entities?type=Sensor&q=t==1").header("link", LINK).send().await;
    assert_eq!(reply.expect(200).ids(), ["urn:x:1"]);
    assert_eq!(client.get("/entities?type=Sensor").await.ids().len(), 0);
    assert_eq!(*documents.asked.lock(), [URL], "it is fetched once");
    let in_body = client
        .ask(Method::GET, "/entities/urn:x:1")
        .header("link", LINK)
        .accept("application/ld+json");
    let context = in_body.send().await.json()["@context"].clone();
    assert_eq!(context[0], URL);
}

#[tokio::test]
async fn a_body_and_a_link_header_do_not_both_bring_a_context() {
    let client = with(&documents(&[(URL, DOCUMENT)])).await;
    let bare = json!({ "id": "urn:x:1", "type": "Sensor" });
    let with_context = json!({ "id": "urn:x:1", "type": "Sensor", "@context": URL });
    let post = || client.ask(Method::POST, "/entities");
    post().json(&with_context).send().await.expect_problem(400, "BadRequestData", "@context");
    post().json_ld(&bare).send().await.expect_problem(400, "BadRequestData", "@context");
    let both = post().header("link", LINK).json_ld(&with_context).send().await;
    both.expect_problem(400, "BadRequestData", "Link");
    post().json_ld(&with_context).send().await.expect(201);
    let nested = json!({ "id": "urn:x:2", "type": "T", "a": { "type": "Property", "value": 1, "@context": URL }, "@context": URL });
    post().json_ld(&nested).send().await.expect_problem(400, "BadRequestData", "@context");
}

#[tokio::test]
async fn a_context_that_fails_is_asked_for_again() {
    let documents = documents(&[]);
    let client = with(&documents).await;
    let ask = || client.ask(Method::GET, "/entities?type=Sensor").header("link", LINK).send();
    ask().await.expect_problem(504, "LdContextNotAvailable", URL);
    ask().await.expect_problem(504, "LdContextNotAvailable", "nobody answers");
    documents.by_url.lock().insert(URL.to_owned(), "not json".to_owned());
    ask().await.expect_problem(400, "BadRequestData", "not JSON");
    documents.by_url.lock().insert(URL.to_owned(), "{}".to_owned());
    ask().await.expect_problem(400, "BadRequestData", "no @context");
    documents.by_url.lock().insert(URL.to_owned(), DOCUMENT.to_owned());
    ask().await.expect(200);
    ask().await.expect(200);
    assert_eq!(documents.asked.lock().len(), 5, "what was fetched is kept");
}

#[tokio::test]
async fn cyclic_huge_and_invalid_contexts_are_refused() {
    let other = "https://example.org/other.jsonld";
    let huge = format!("{{\"@context\": {{\"a\": \"urn:x:{}\"}}}}", "a".repeat(2 << 20));
    let documents = documents(&[
        (URL, r#"{"@context": ["https://example.org/other.jsonld"]}"#),
        (other, r#"{"@context": ["https://example.org/context.jsonld"]}"#),
        ("https://example.org/huge", &huge),
    ]);
    let client = with(&documents).await;
    let ask = |context: serde_json::Value| {
        let entity = json!({ "id": "urn:x:1", "type": "T", "@context": context });
        client.ask(Method::POST, "/entities").json_ld(&entity).send()
    };
    ask(json!(URL)).await.expect_problem(400, "BadRequestData", "includes itself");
    ask(json!("https://example.org/huge")).await.expect_problem(400, "BadRequestData", "more than");
    ask(json!("https://example.org/none")).await.expect_problem(
        504,
        "LdContextNotAvailable",
        "none",
    );
    ask(json!(7)).await.expect_problem(400, "BadRequestData", "context");
    ask(json!({ "a": { "@id": "urn:x:a", "@context": {} } })).await.expect_problem(
        400,
        "BadRequestData",
        "scoped",
    );
    let many: Vec<String> = (0..200).map(|n| format!("https://example.org/{n}")).collect();
    ask(json!(many)).await.expect_problem(400, "BadRequestData", "more than");
}

#[tokio::test]
async fn contexts_that_were_added_or_fetched_outlive_the_server() {
    let store = MemoryStore::new();
    let documents = documents(&[(URL, DOCUMENT)]);
    let options = NgsildOptions { contexts: documents.clone(), ..NgsildOptions::default() };
    let first = client_over(store.clone(), options).await;
    first.ask(Method::GET, "/entities?type=Sensor").header("link", LINK).send().await.expect(200);
    let added = "https://example.org/added.jsonld";
    let operation = context_operation(added, DOCUMENT.as_bytes()).unwrap();
    let batch = Batch { operations: vec![operation], ..Batch::default() };
    first.engine.apply(&Caller::local("test"), batch).await.unwrap();
    assert!(context_operation(added, b"{}").is_err());
    first.engine.close().await.unwrap();
    store.reopen();
    let second = client_over(store, NgsildOptions::default()).await;
    second.ask(Method::GET, "/entities?type=Sensor").header("link", LINK).send().await.expect(200);
    let link = LINK.replace("context.jsonld>", "added.jsonld>");
    second.ask(Method::GET, "/entities?type=Sensor").header("link", &link).send().await.expect(200);
}

#[tokio::test]
async fn the_core_context_needs_no_network() {
    let client = client().await;
    for version in ["", "-v1.3", "-v1.8", "-v1.9"] {
        let url = format!("https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context{version}.jsonld");
        let entity = json!({ "id": format!("urn:x:1{version}"), "type": "T", "@context": [url] });
        client.ask(Method::POST, "/entities").json_ld(&entity).send().await.expect(201);
    }
    let two = format!("{LINK}, {}", LINK.replace("context.jsonld>", "b.jsonld>"));
    client.ask(Method::GET, "/entities?type=T").header("link", &two).send().await.expect_problem(
        400,
        "BadRequestData",
        "two",
    );
}
