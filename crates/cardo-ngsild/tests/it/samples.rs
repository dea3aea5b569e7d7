//! Published data models, read from the folder that `CARDO_SAMPLES` names.

use std::path::{Path, PathBuf};

use axum::http::Method;
use cardo_jsonld::{Document, Limits};
use cardo_ngsild::NgsildOptions;
use serde_json::{Map, Value};

use crate::client::{Client, client_with};

/// Examples that are no NGSI-LD as they were published: types of attributes called `number` and
/// `string`, a point of two points, a time as the object of a relationship, an id that is no URI,
/// a time of observation with an offset (clause 4.6.3).
const BROKEN: [&str; 6] =
    ["Event", "FloodMonitoring", "SolarEnergy", "Vehicle", "WaterObserved", "WeatherForecast"];

fn contexts(folder: &Path) -> Vec<Document> {
    let mut documents = Vec::new();
    let mut add = |url: String, path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        let limits = Limits { document_bytes: 64 << 20, ..Limits::default() };
        documents.push(Document::parse(&url, &bytes, &limits).unwrap());
    };
    for entry in std::fs::read_dir(folder.join("ngsi-ld/_contexts")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        add(
            format!(
                "https://raw.githubusercontent.com/smart-data-models/{name}/master/context.jsonld"
            ),
            &path,
        );
        add(format!("https://smart-data-models.github.io/{name}/context.jsonld"), &path);
    }
    documents
}

fn examples(folder: &Path) -> Vec<PathBuf> {
    let models = std::fs::read_dir(folder.join("ngsi-ld")).unwrap();
    let mut paths: Vec<PathBuf> = models
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.is_dir() && !path.file_name().unwrap().to_str().unwrap().starts_with('_')
        })
        .flat_map(|model| std::fs::read_dir(model).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.file_name().unwrap() == "example-normalized.jsonld")
        .collect();
    paths.sort();
    paths
}

/// The values alone, in the simplest way.
fn simplified(entity: &Value) -> Value {
    let mut members = Map::new();
    for (name, value) in entity.as_object().unwrap() {
        let simple = match value.get("type").and_then(Value::as_str) {
            Some("Property" | "GeoProperty") => value["value"].clone(),
            Some("Relationship") => value["object"].clone(),
            Some("VocabProperty") => serde_json::json!({ "vocab": value["vocab"] }),
            Some("LanguageProperty") => serde_json::json!({ "languageMap": value["languageMap"] }),
            _ => value.clone(),
        };
        members.insert(name.clone(), simple);
    }
    members.into()
}

async fn ask(client: &Client, path: &str, context: &Value) -> Value {
    let query = client.ask(Method::GET, path).accept("application/ld+json");
    let urls: Vec<&str> =
        context.as_array().unwrap().iter().map(|url| url.as_str().unwrap()).collect();
    let own: Vec<&&str> = urls.iter().filter(|url| !url.contains("ngsi-ld-core-context")).collect();
    let query = match own.as_slice() {
        [one] => query.header(
            "link",
            &format!("<{one}>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\""),
        ),
        [] => query,
        _ => panic!("several contexts"),
    };
    let mut answer = query.send().await.expect(200).json();
    answer.as_object_mut().unwrap().remove("@context");
    answer
}

/// Numbers and moments as they are meant, however they are written.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (Value::String(a), Value::String(b)) => {
            let moment = |text: &str| cardo_model::Timestamp::parse(text).ok();
            a == b || (moment(a).is_some() && moment(a) == moment(b))
        }
        _ => a == b,
    }
}

#[tokio::test]
async fn published_examples_come_back_equal_in_every_representation() {
    let Some(folder) = std::env::var_os("CARDO_SAMPLES").map(PathBuf::from) else {
        eprintln!("CARDO_SAMPLES is not set: the published examples were not run");
        return;
    };
    let options =
        NgsildOptions { preloaded_contexts: contexts(&folder), ..NgsildOptions::default() };
    let client = client_with(options).await;
    let (mut equal, mut failed) = (0, Vec::new());
    for path in examples(&folder) {
        let Ok(document) = serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()) else {
            continue;
        };
        let name = path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        let reply = client.ask(Method::POST, "/entities").json_ld(&document).send().await;
        if BROKEN.contains(&name.as_str()) {
            reply.expect(400);
            continue;
        }
        reply.expect(201);
        let context = match &document["@context"] {
            list @ Value::Array(_) => list.clone(),
            one => Value::Array(vec![one.clone()]),
        };
        let mut sent = document.clone();
        // The twin's own time of modification, which no client sets (table 5.2.2-1).
        for own in ["@context", "modifiedAt"] {
            sent.as_object_mut().unwrap().remove(own);
        }
        let id = sent["id"].as_str().unwrap();
        let at = format!("/entities/{}", id.replace('#', "%23").replace(' ', "%20"));
        let normalized = ask(&client, &at, &context).await;
        let simple = ask(&client, &format!("{at}?format=simplified"), &context).await;
        let mut concise = ask(&client, &format!("{at}?format=concise"), &context).await;
        concise["@context"] = document["@context"].clone();
        client.delete(&at).await.expect(204);
        client.ask(Method::POST, "/entities").json_ld(&concise).send().await.expect(201);
        let again = ask(&client, &at, &context).await;
        client.delete(&at).await.expect(204);
        for (what, is_equal) in [
            ("normalized", same(&normalized, &sent)),
            ("simplified", same(&simple, &simplified(&sent))),
            ("concise", same(&again, &normalized)),
        ] {
            if !is_equal {
                failed.push(format!("{name} {what}:\n  sent {sent}\n  got  {normalized}\n  {simple}\n  {concise}\n  {again}"));
            }
        }
        equal += 1;
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(equal >= 30, "only {equal} examples were taken");
}
