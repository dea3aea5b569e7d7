use cardo_engine::{Column, Table, Tables};
use serde_json::{Map, Value, json};

use super::components::{components, query};
use super::edits::edits;
use super::{
    CSV, FLATGEOBUF, GEOJSON, GEOPACKAGE, MVT, OPENAPI, PARQUET, SCHEMA, STYLE, TILE_JSON, type_of,
};
use crate::options::OgcOptions;
use crate::params::{
    COLLECTION_TILE_PARAMETERS, FILTER_PARAMETERS, ITEM_PARAMETERS, PARAMETERS, TILE_PARAMETERS,
    is_queryable,
};
use crate::request::HTML;

/// The API definition in OpenAPI 3.0; each collection has operations of its own, because its
/// properties are parameters.
/// `maps` says whether there are collections of map tiles.
pub(crate) fn api_document(root: &str, options: &OgcOptions, tables: &Tables, maps: bool) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": options.title,
            "description": options.description,
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{ "url": root }],
        "tags": tags(),
        "paths": paths(tables, maps),
        "components": components(options),
    })
}

fn tags() -> Value {
    json!([
        { "name": "Capabilities", "description": "What the API is and which collections it has" },
        { "name": "Data", "description": "The features of the collections" },
        { "name": "Tiles", "description": "The collections as vector tiles" },
    ])
}

fn paths(tables: &Tables, maps: bool) -> Value {
    let mut paths = Map::new();
    let mut add = |path: &str, operation: Value| {
        paths.insert(path.into(), json!({ "get": operation }));
    };
    let json_and = |schema: &str| content(&[("application/json", Some(schema)), (HTML, None)]);
    let capability = |id: &str, summary: &str, content: Value| {
        operation("Capabilities", id, summary, &content, &[parameter("f")], false)
    };
    add("/", capability("getLandingPage", "The landing page", json_and("landingPage")));
    let definition = content(&[(OPENAPI, None), (HTML, None)]);
    add("/api", capability("getApi", "This document", definition));
    let conformance = json_and("confClasses");
    add("/conformance", capability("getConformance", "What the API conforms to", conformance));
    let functions = content(&[("application/json", None), (HTML, None)]);
    add("/functions", capability("getFunctions", "What filters may call", functions));
    add("/collections", capability("getCollections", "The collections", json_and("collections")));
    for (rest, id, summary, content) in [
        ("", "describeCollection", "A collection", json_and("collection")),
        ("/queryables", "getQueryables", "What can be asked for", schema_content()),
        ("/sortables", "getSortables", "What features can be sorted by", schema_content()),
        ("/schema", "getSchema", "What the features have", schema_content()),
    ] {
        let mut parameters = vec![parameter("collectionId"), parameter("f")];
        if !rest.is_empty() {
            parameters.push(parameter("schemaProfile"));
        }
        if rest == "/schema" {
            parameters.push(parameter("type"));
        }
        let operation = operation("Capabilities", id, summary, &content, &parameters, true);
        add(&format!("/collections/{{collectionId}}{rest}"), operation);
    }
    for table in tables.all() {
        let path = format!("/collections/{}/items", table.name);
        add(&path, features(table));
        add(&format!("{path}/{{featureId}}"), feature(table));
    }
    add("/features/{featureId}", feature_of_id());
    tile_paths(&mut add);
    if maps {
        map_paths(&mut add);
    }
    let names = ["areas", "countedCollections", "numbers", "aggregatesFormat"];
    let names: Vec<Value> = names.into_iter().chain(FILTER_PARAMETERS).map(parameter).collect();
    let table = json!({
        CSV: { "schema": { "type": "string" } },
        GEOJSON: { "schema": { "$ref": "#/components/schemas/featureCollectionGeoJSON" } },
    });
    let summary = "Counts and figures of numbers by area (an extension)";
    add("/aggregates", operation("Data", "getAggregates", summary, &table, &names, false));
    for table in tables.all() {
        for (path, method, operation) in edits(table) {
            if let Some(item) = paths.get_mut(&path) {
                item[method] = operation;
            }
        }
    }
    Value::Object(paths)
}

/// What a layer shows of much; the module `tiles` keeps to it.
const TILE_RULES: &str = "A layer a collection, with 4,096 units to a side and a buffer of 64. \
    What is smaller than a pixel both ways (a 512th of the tile) is merged into the cell of a grid, 64 cells to a side, in which \
    the centre of its box lies. Of other lines and polygons the 10,000 largest by their boxes are drawn, beside 10,000 that reach over the edge, and the rest is merged. \
    Up to 10,000 points are drawn; of more, those that are alone in their cell, and the others are merged. What is merged is one \
    point a cell, in the middle of what it stands for, with nothing but the property cardo:count. Below level 16 lines are \
    simplified by half a pixel. Behind 2 MiB features have no properties but id, and behind 4 MiB there are none. \
    As GeoJSON a tile has its features whole and as they are, 10,000 at the most.";

/// The operations of tiles; the names end as OGC 20-057 demands (/req/oas30).
fn tile_paths(add: &mut impl FnMut(&str, Value)) {
    let features = json!({ "$ref": "#/components/schemas/featureCollectionGeoJSON" });
    let tiles = json!({
        MVT: { "schema": { "type": "string", "format": "binary" } },
        GEOJSON: { "schema": features },
    });
    let document = || content(&[("application/json", None), (HTML, None)]);
    let set = || content(&[("application/json", None), (TILE_JSON, None), (HTML, None)]);
    let about = |id: &str, summary: &str, content: &Value, names: &[&str]| {
        let names = names.iter().map(|name| parameter(name)).collect::<Vec<_>>();
        operation("Tiles", id, summary, content, &names, true)
    };
    let of_set = "tileMatrixSetId";
    let summary = "How space is tiled";
    add("/tileMatrixSets", about("getTileMatrixSetsList", summary, &document(), &["f"]));
    let one = about("getTileMatrixSet", "A tile matrix set", &document(), &[of_set, "f"]);
    add("/tileMatrixSets/{tileMatrixSetId}", one);
    for (base, kind, chosen, own) in [
        ("", "Dataset", &["collections"][..], &[][..]),
        ("/collections/{collectionId}", "Collection", &[], &["collectionId"]),
    ] {
        let names = [own, &["f"]].concat();
        let list = about(&format!("get{kind}Styles"), "Styles for maps", &document(), &names);
        add(&format!("{base}/styles"), list);
        let names = [own, &["styleId"], chosen, &["styleFormat"]].concat();
        let style = content(&[(STYLE, None), (HTML, None)]);
        let summary = "A style for MapLibre and others that read styles of Mapbox";
        add(
            &format!("{base}/styles/{{styleId}}"),
            about(&format!("get{kind}Style"), summary, &style, &names),
        );
    }
    for (base, kind, list, chosen, own) in [
        ("/tiles", "dataset", &["collections", "f"][..], &TILE_PARAMETERS[..], &[][..]),
        (
            "/collections/{collectionId}/tiles",
            "collection",
            &["f"],
            &COLLECTION_TILE_PARAMETERS,
            &["collectionId"],
        ),
    ] {
        let id = |name: &str| format!("tiles.{kind}.vector.{name}");
        let names = [own, list].concat();
        add(base, about(&id("getTileSetsList"), "Vector tilesets", &document(), &names));
        let encoded = |f: &'static str| chosen.iter().map(move |n| if *n == "f" { f } else { *n });
        let names: Vec<&str> =
            own.iter().copied().chain([of_set]).chain(encoded("tilesetFormat")).collect();
        let tileset = about(&id("getTileSet"), "A tileset of vector tiles", &set(), &names);
        add(&format!("{base}/{{tileMatrixSetId}}"), tileset);
        let place = [of_set, "tileMatrix", "tileRow", "tileCol"];
        let names: Vec<&str> =
            own.iter().copied().chain(place).chain(encoded("tileFormat")).collect();
        let mut tile = about(&id("getTile"), "A vector tile", &tiles, &names);
        tile["description"] = TILE_RULES.into();
        add(&format!("{base}/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"), tile);
    }
}

/// The operations of map tiles, which some files have.
fn map_paths(add: &mut impl FnMut(&str, Value)) {
    let base = "/collections/{collectionId}/map/tiles";
    let (own, set) = ("collectionId", "tileMatrixSetId");
    let about = |id: &str, summary: &str, content: &Value, names: &[&str]| {
        let names = names.iter().map(|name| parameter(name)).collect::<Vec<_>>();
        let id = format!("tiles.collection.map.{id}");
        operation("Tiles", &id, summary, content, &names, true)
    };
    let document = content(&[("application/json", None), (HTML, None)]);
    add(base, about("getTileSetsList", "Tilesets of maps", &document, &[own, "f"]));
    let both = content(&[("application/json", None), (TILE_JSON, None), (HTML, None)]);
    let names = [own, set, "tilesetFormat"];
    let tileset = about("getTileSet", "A tileset of maps", &both, &names);
    add(&format!("{base}/{{tileMatrixSetId}}"), tileset);
    let image = || json!({ "schema": { "type": "string", "format": "binary" } });
    let images = json!({
        "image/png": image(), "image/jpeg": image(), "image/webp": image(), "image/avif": image(),
    });
    let names = [own, set, "tileMatrix", "tileRow", "tileCol"];
    let tile = about("getTile", "A tile of a map", &images, &names);
    add(&format!("{base}/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"), tile);
}

fn features(table: &Table) -> Value {
    let mut parameters: Vec<Value> =
        PARAMETERS.into_iter().map(|name| parameter(named(name, "itemsFormat"))).collect();
    let is_free = |column: &&Column| !PARAMETERS.contains(&column.name.as_ref());
    let columns = table.columns.iter().filter(|column| is_queryable(column.datatype));
    parameters.push(equality("id", &json!({ "type": "string" })));
    for column in columns.filter(is_free) {
        parameters.push(equality(&column.name, &type_of(column.datatype)));
    }
    let mut content = content(&[(GEOJSON, Some("featureCollectionGeoJSON")), (HTML, None)]);
    let files = [FLATGEOBUF, GEOPACKAGE, PARQUET].map(|media_type| (media_type, BINARY));
    for (media_type, format) in [(CSV, None)].into_iter().chain(files) {
        let mut schema = json!({ "type": "string" });
        if let Some(format) = format {
            schema["format"] = format.into();
        }
        content[media_type] = json!({ "schema": schema });
    }
    let name = &table.name;
    let summary = format!("Features of the collection {name}");
    let id = format!("get{name}Features");
    with_system(operation("Data", &id, &summary, &content, &parameters, true))
}

fn feature(table: &Table) -> Value {
    let content = content(&[(GEOJSON, Some("featureGeoJSON")), (HTML, None)]);
    let name = &table.name;
    let summary = format!("A feature of the collection {name}");
    let parameters = ["featureId", "If-Match", "If-Unmodified-Since"].map(parameter).into_iter();
    let own = ITEM_PARAMETERS.map(|name| parameter(named(name, "itemFormat")));
    let parameters: Vec<Value> = parameters.chain(own).collect();
    let id = format!("get{name}Feature");
    let mut operation = operation("Data", &id, &summary, &content, &parameters, true);
    operation["responses"]["412"] = json!({ "$ref": "#/components/responses/PreconditionFailed" });
    with_system(operation)
}

/// Where features are told by their id alone.
fn feature_of_id() -> Value {
    let parameters = [parameter("featureId")].into_iter();
    let own = ITEM_PARAMETERS.map(|name| parameter(named(name, "itemFormat")));
    let parameters: Vec<Value> = parameters.chain(own).collect();
    let summary = "Leads to the feature of an id, whatever its collection (an extension)";
    let mut operation = operation("Data", "getFeatureOfId", summary, &json!({}), &parameters, true);
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.remove("200");
        let location = json!({ "Location": { "$ref": "#/components/headers/Location" } });
        let content = content(&[("application/json", None)]);
        let found = json!({
            "description": "The address of the feature",
            "headers": location,
            "content": content,
        });
        responses.insert("303".into(), found);
    }
    operation
}

/// An operation whose answer says the reference system of its coordinates.
fn with_system(mut operation: Value) -> Value {
    operation["responses"]["200"]["headers"]["Content-Crs"] =
        json!({ "$ref": "#/components/headers/ContentCrs" });
    operation
}

const BINARY: Option<&str> = Some("binary");

/// The key of a parameter among the components; that of encodings is another where there are others.
fn named<'n>(name: &'n str, format: &'n str) -> &'n str {
    if name == "f" { format } else { name }
}

/// The parameter that asks for features whose property has a value.
fn equality(name: &str, schema: &Value) -> Value {
    // A list has one of its items asked for.
    let schema = match schema["type"].as_str() {
        Some("array") => &schema["items"],
        _ => schema,
    };
    query(name, &format!("Only features whose {name} is this"), schema)
}

fn schema_content() -> Value {
    json!({ SCHEMA: { "schema": { "type": "object" } }, HTML: { "schema": { "type": "string" } } })
}

fn content(media: &[(&str, Option<&str>)]) -> Value {
    let mut content = Map::new();
    for (media_type, schema) in media {
        let schema = match schema {
            Some(name) => json!({ "$ref": format!("#/components/schemas/{name}") }),
            None if *media_type == HTML => json!({ "type": "string" }),
            None => json!({ "type": "object" }),
        };
        content.insert((*media_type).into(), json!({ "schema": schema }));
    }
    Value::Object(content)
}

fn operation(
    tag: &str,
    id: &str,
    summary: &str,
    content: &Value,
    parameters: &[Value],
    can_miss: bool,
) -> Value {
    let mut responses = Map::new();
    let headers = json!({ "Cardo-Revision": { "$ref": "#/components/headers/Revision" } });
    let found = json!({ "description": summary, "headers": headers, "content": content });
    responses.insert("200".into(), found);
    let statuses = ["400", "401", "403", "404", "405", "406", "500", "503"];
    for status in statuses.into_iter().filter(|status| can_miss || *status != "404") {
        let name = response_name(status);
        responses
            .insert(status.into(), json!({ "$ref": format!("#/components/responses/{name}") }));
    }
    json!({
        "tags": [tag],
        "operationId": id,
        "summary": summary,
        "parameters": parameters,
        "responses": responses,
    })
}

pub(super) fn response_name(status: &str) -> &'static str {
    match status {
        "400" => "BadRequest",
        "401" => "Unauthorized",
        "403" => "Forbidden",
        "404" => "NotFound",
        "405" => "MethodNotAllowed",
        "406" => "NotAcceptable",
        "409" => "Conflict",
        "412" => "PreconditionFailed",
        "413" => "ContentTooLarge",
        "415" => "UnsupportedMediaType",
        "422" => "UnprocessableContent",
        "503" => "ServiceUnavailable",
        _ => "InternalServerError",
    }
}

pub(super) fn parameter(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}
