use cardo_engine::Table;
use serde_json::{Map, Value, json};

use super::GEOJSON;
use super::openapi::{parameter, response_name};
use crate::receive::ACCEPT_PATCH;

/// The operations that change features of a collection (OGC 20-002): path, method and operation.
pub(super) fn edits(table: &Table) -> [(String, &'static str, Value); 4] {
    let name = &table.name;
    let items = format!("/collections/{name}/items");
    let item = format!("{items}/{{featureId}}");
    let id = format!("urn:ngsi-ld:{name}:example");
    let geometry = |lon| match table.geometry {
        Some(_) => json!({ "type": "Point", "coordinates": [lon, 60.17] }),
        None => Value::Null,
    };
    let feature =
        json!({ "type": "Feature", "id": &id, "geometry": geometry(24.94), "properties": {} });
    let whole = json!({ GEOJSON: {
        "schema": { "$ref": "#/components/schemas/featureGeoJSON" }, "example": feature,
    } });
    let change = json!({ "geometry": geometry(24.95) });
    let part = json!({ ACCEPT_PATCH: { "schema": { "type": "object" }, "example": change } });
    let edit = |verb: &str, what: &str, parameters: &[&str], body: Option<&Value>| {
        let mut operation = json!({
            "tags": ["Data"],
            "operationId": format!("{verb}{name}Feature"),
            "summary": what,
            "parameters": parameters.iter().map(|name| parameter(name)).collect::<Vec<_>>(),
            "responses": responses(verb),
            "security": [{}, { "token": [] }],
        });
        if verb != "create" {
            operation["x-example"] = json!({ "path": { "featureId": &id } });
        }
        if let Some(content) = body {
            operation["requestBody"] = json!({ "required": true, "content": content });
        }
        operation
    };
    let locked = ["featureId", "If-Match", "If-None-Match", "If-Unmodified-Since", "Content-Crs"];
    let (adds, puts) = ("Adds a feature", "Puts a feature in the place of one, or where none is");
    [
        (items, "post", edit("create", adds, &["Content-Crs"], Some(&whole))),
        (item.clone(), "put", edit("replace", puts, &locked, Some(&whole))),
        (item.clone(), "patch", edit("update", "Changes a feature", &locked, Some(&part))),
        (item, "delete", edit("delete", "Removes a feature", &locked[..4], None)),
    ]
}

fn responses(verb: &str) -> Value {
    let mut responses = Map::new();
    let header = |name: &str| json!({ "$ref": format!("#/components/headers/{name}") });
    if ["create", "replace"].contains(&verb) {
        let headers = json!({
            "Location": header("Location"),
            "ETag": header("ETag"),
            "Last-Modified": header("LastModified"),
            "Cardo-Revision": header("Revision"),
        });
        responses
            .insert("201".into(), json!({ "description": "It is created", "headers": headers }));
    }
    if verb != "create" {
        let headers = json!({
            "ETag": header("ETag"),
            "Last-Modified": header("LastModified"),
            "Cardo-Revision": header("Revision"),
        });
        responses.insert("204".into(), json!({ "description": "It is done", "headers": headers }));
    }
    let statuses =
        ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "500", "503"];
    for status in statuses {
        let name = response_name(status);
        let response = json!({ "$ref": format!("#/components/responses/{name}") });
        responses.insert(status.into(), response);
    }
    Value::Object(responses)
}
