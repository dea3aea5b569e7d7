//! Landing page, conformance and API definition (OGC 17-069r4, clauses 7.2 to 7.4).

use axum::http::Method;
use serde_json::Value;

use crate::client::client_of_town;

#[tokio::test]
async fn f1_f2_the_landing_page_leads_everywhere_with_and_without_a_slash() {
    let client = client_of_town().await;
    let landing = client.json("").await;
    assert!(landing["title"].is_string() && landing["description"].is_string());
    let links = landing["links"].as_array().unwrap();
    let rels: Vec<_> = links.iter().map(|link| link["rel"].as_str().unwrap()).collect();
    let first = ["self", "alternate", "service-desc", "service-doc", "conformance", "data"];
    assert_eq!(rels[..6], first);
    let ogc = "http://www.opengis.net/def/rel/ogc/1.0";
    let rest = ["tilesets-vector", "styles", "functions", "tiling-schemes"];
    assert_eq!(rels[6..], rest.map(|rel| format!("{ogc}/{rel}")));
    assert_eq!(links[2]["type"], "application/vnd.oai.openapi+json;version=3.0");
    for link in links {
        let href = link["href"].as_str().unwrap();
        let path = href.strip_prefix("http://city.example:8787").unwrap();
        let accept = [("accept", link["type"].as_str().unwrap())];
        let reply = client.send(Method::GET, path, &accept).await.expect(200);
        let own = link["type"].as_str().unwrap();
        assert!(reply.header("content-type").starts_with(own), "{href}");
    }
    assert_eq!(client.json("/").await["title"], landing["title"]);
}

#[tokio::test]
async fn f10_conformance_lists_the_core() {
    let client = client_of_town().await;
    let classes = client.json("/conformance").await["conformsTo"].clone();
    let core = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core";
    assert!(classes.as_array().unwrap().iter().any(|class| class == core));
}

fn parameter<'a>(document: &'a Value, path: &str, name: &str) -> &'a Value {
    let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
    let resolved = parameters.iter().map(|parameter| match parameter["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => parameter,
    });
    resolved.into_iter().find(|parameter| parameter["name"] == name).unwrap()
}

#[tokio::test]
async fn f3_to_f9_the_definition_is_openapi_3_0_and_names_every_parameter() {
    let client = client_of_town().await;
    let document = client.json("/api").await;
    assert_eq!(document["openapi"], "3.0.3");
    assert_eq!(document["servers"][0]["url"], "http://city.example:8787/ogc");
    for path in ["/", "/conformance", "/collections", "/collections/{collectionId}"] {
        assert!(document["paths"][path]["get"]["responses"]["200"].is_object(), "{path}");
    }
    let items = "/collections/Sensor/items";
    for name in ["limit", "bbox", "datetime", "filter", "filter-crs", "temperature", "active"] {
        let parameter = parameter(&document, items, name);
        assert_eq!(parameter["in"], "query");
        assert_eq!(parameter["required"], false);
        assert_eq!(parameter["style"], "form");
        assert_eq!(parameter["explode"], false);
    }
    assert_eq!(parameter(&document, items, "limit")["schema"]["minimum"], 1);
    assert_eq!(parameter(&document, items, "bbox")["schema"]["maxItems"], 6);
    assert_eq!(parameter(&document, items, "temperature")["schema"]["type"], "number");
    let languages = &parameter(&document, items, "filter-lang")["schema"];
    assert_eq!(languages["enum"], serde_json::json!(["cql2-text", "cql2-json"]));
    assert_eq!(languages["default"], "cql2-text");
    assert!(document["paths"]["/functions"].is_object());
    assert!(document["paths"]["/collections/Sensor/items/{featureId}"].is_object());
}

#[tokio::test]
async fn every_reference_in_the_definition_leads_somewhere() {
    let client = client_of_town().await;
    let document = client.json("/api").await;
    let mut waiting = vec![&document];
    let mut found = 0;
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                    found += 1;
                }
                waiting.extend(members.values());
            }
            Value::Array(items) => waiting.extend(items),
            _ => {}
        }
    }
    assert!(found > 50);
}

/// The operations of the definition, with an example for each part of a path.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let examples = [
        ("collectionId", "Sensor"),
        ("featureId", "urn:ngsi-ld:Sensor:f"),
        ("styleId", "default"),
        ("tileMatrixSetId", "WebMercatorQuad"),
        ("tileMatrix", "0"),
        ("tileRow", "0"),
        ("tileCol", "0"),
    ];
    let mut found = Vec::new();
    for (template, item) in document["paths"].as_object().unwrap() {
        let mut path = template.trim_end_matches('/').to_owned();
        for (name, example) in examples {
            path = path.replace(&format!("{{{name}}}"), example);
        }
        let path = path.replace(
            "Building/items/urn:ngsi-ld:Sensor:f",
            "Building/items/urn:ngsi-ld:Building:1",
        );
        assert!(!path.contains('{'), "{path}");
        for (method, operation) in item.as_object().unwrap() {
            found.push((method.to_uppercase(), path.clone(), operation));
        }
    }
    found
}

#[tokio::test]
async fn f18_answers_are_those_that_the_definition_lists() {
    let client = client_of_town().await;
    let document = client.json("/api").await;
    assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    let mut operations = operations(&document);
    // What is deleted is deleted last.
    operations.sort_by_key(|(method, _, _)| method == "DELETE");
    let mut tried = 0;
    for (method, path, operation) in operations {
        let needed = if path == "/aggregates" { "?areas=Building" } else { "" };
        let and = if needed.is_empty() { "?" } else { "&" };
        let own = format!("/ogc{path}{needed}");
        let requests = [
            (own.clone(), vec![]),
            (format!("{own}{and}noSuchParameter=1"), vec![]),
            (own.clone(), vec![("accept", "image/png")]),
            (own.clone(), vec![("content-type", "image/png")]),
            (own.clone(), vec![("content-type", "application/geo+json"), ("if-match", "\"x\"")]),
            (own.replace("Sensor", "NoSuch"), vec![]),
        ];
        for (path, headers) in requests {
            let sent = method.parse::<Method>().unwrap();
            let reply = client.write(sent, &path, &headers, "{}").await;
            let status = reply.status.as_str();
            let listed = operation["responses"].as_object().unwrap();
            assert!(listed.contains_key(status), "{method} {path} {headers:?}: {status}");
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried} requests");
}
