//! The definition of the OGC API face, with examples from the twin: its document knows the
//! collections and not what is in them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::ask::Asker;
use super::example::encoded;

/// How many features the examples ask for.
const SHOWN: u32 = 3;

pub(super) async fn document(asker: &Asker) -> Result<Value, StatusCode> {
    let mut document = asker.json("/ogc/api?f=json").await?;
    let Some(paths) = document["paths"].as_object_mut() else {
        return Ok(document);
    };
    let tiled = asker.json("/ogc/tiles/WebMercatorQuad?f=tilejson").await?;
    let tiled = tiled["vector_layers"][0]["id"].as_str().map(str::to_owned);
    let first = paths.keys().find_map(|path| collection_of(path)).map(str::to_owned);
    for (path, item) in paths.iter_mut() {
        let example = match collection_of(path) {
            Some(name) if path.ends_with(FEATURE) => feature_of(asker, name).await,
            Some(_) => Some(json!({ "query": { "limit": SHOWN } })),
            None if path.ends_with(FEATURE) => match &first {
                Some(name) => feature_of(asker, name).await,
                None => None,
            },
            None if path == "/aggregates" => {
                let areas = tiled.as_ref();
                areas.map(|name| json!({ "query": { "areas": name, "f": "csv" } }))
            }
            None => {
                let name = if path.contains("/tiles") { &tiled } else { &first };
                name.as_ref().map(|name| json!({ "path": { "collectionId": name } }))
            }
        };
        if let Some(example) = example {
            item["get"]["x-example"] = example;
        }
    }
    Ok(document)
}

/// How the path of a feature ends.
const FEATURE: &str = "/{featureId}";

/// An example that asks for a feature of a collection.
async fn feature_of(asker: &Asker, collection: &str) -> Option<Value> {
    let id = first_feature(asker, collection).await?;
    Some(json!({ "path": { "featureId": id } }))
}

/// The collection whose features a path leads to.
fn collection_of(path: &str) -> Option<&str> {
    let (name, rest) = path.strip_prefix("/collections/")?.split_once('/')?;
    rest.starts_with("items").then_some(name)
}

async fn first_feature(asker: &Asker, collection: &str) -> Option<String> {
    let path = format!("/ogc/collections/{}/items?limit=1", encoded(collection));
    let page = asker.json(&path).await.ok()?;
    Some(page["features"][0]["id"].as_str()?.to_owned())
}
