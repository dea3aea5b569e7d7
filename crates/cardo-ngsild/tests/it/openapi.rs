//! The OpenAPI document says what the server does.

use std::path::Path;

use axum::http::Method;
use serde_json::Value;

use crate::client::{Client, client};

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "patch", "trace"];

async fn document(client: &Client) -> Value {
    client.get("/openapi.json").await.expect(200).json()
}

/// Everything under a key, at any depth.
fn all<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get(key));
            members.values().for_each(|member| all(member, key, found));
        }
        Value::Array(items) => items.iter().for_each(|item| all(item, key, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_committed_document_is_the_one_that_is_served() {
    let served = client().await.get("/openapi.json").await.expect(200).text;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../api-specs/ngsi-ld.openapi.json");
    if std::env::var_os("CARDO_WRITE_SPECS").is_some() {
        std::fs::write(&file, &served).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == served,
        "api-specs/ngsi-ld.openapi.json is out of date; CARDO_WRITE_SPECS=1 writes it anew"
    );
}

#[tokio::test]
async fn each_address_answers_the_methods_that_the_document_lists_and_no_others() {
    let client = client().await;
    let document = document(&client).await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let address =
            path.replace("{id}", "urn:x:1").replace("{attribute}", "a").replace("{type}", "T");
        let address = address.replace("{instance}", "urn:x:instance");
        for name in METHODS {
            let method = Method::from_bytes(name.to_uppercase().as_bytes()).unwrap();
            let status = client.ask(method, &address).send().await.status.as_u16();
            let is_listed = methods.get(name).is_some();
            // Clause 6 has these without an id, and they are refused.
            let is_refusal = path == "/entities" && matches!(name, "put" | "patch");
            let is_there = !matches!(status, 405 | 501) && !is_refusal;
            assert_eq!(is_there, is_listed, "{name} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = document(&client().await).await;
    let mut references = Vec::new();
    all(&document, "$ref", &mut references);
    let references: Vec<&str> = references.iter().map(|name| name.as_str().unwrap()).collect();
    for reference in &references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for (kind, components) in document["components"].as_object().unwrap() {
        for name in components.as_object().unwrap().keys().filter(|_| kind != "securitySchemes") {
            let reference = format!("#/components/{kind}/{name}");
            assert!(references.contains(&reference.as_str()), "{reference} is not used");
        }
    }
}

#[tokio::test]
async fn every_parameter_that_is_listed_is_known_to_its_operation() {
    let client = client().await;
    let document = document(&client).await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let address =
            path.replace("{id}", "urn:x:1").replace("{attribute}", "a").replace("{type}", "T");
        let address = address.replace("{instance}", "urn:x:instance");
        for (name, operation) in methods.as_object().unwrap() {
            let method = Method::from_bytes(name.to_uppercase().as_bytes()).unwrap();
            for parameter in operation["parameters"].as_array().unwrap() {
                let pointer = &parameter["$ref"].as_str().unwrap()[1..];
                let parameter = document.pointer(pointer).unwrap();
                if parameter["in"] != "query" {
                    continue;
                }
                let key = parameter["name"].as_str().unwrap();
                let value = match &parameter["example"] {
                    Value::String(text) => text.replace(['[', ']', '"', '>', ' '], ""),
                    other => other.to_string(),
                };
                let asked =
                    format!("{address}?{key}={}", value.replace('#', "%23").replace('^', ""));
                let text = client.ask(method.clone(), &asked).send().await.text;
                assert!(
                    !text.contains("is not a parameter") && !text.contains("is not implemented"),
                    "{name} {asked}: {text}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_server_of_the_document_is_the_one_that_was_asked() {
    let client = client().await;
    let asking = client.ask(Method::GET, "/openapi.json").header("host", "twin.example:8787");
    let document = asking.send().await.expect(200).json();
    assert_eq!(document["servers"][0]["url"], "http://twin.example:8787/ngsi-ld/v1");
}
