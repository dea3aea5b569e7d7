use cardo_engine::{Column, Table, Tables};
use serde_json::{Map, Value, json};

use super::edits::edits;
use super::{
    CSV, FLATGEOBUF, GEOJSON, GEOPACKAGE, MVT, OPENAPI, SCHEMA, STYLE, TILE_JSON, type_of,
};
use crate::answer::Encoding;
use crate::options::{OgcLimits, OgcOptions};
use crate::params::{
    COLLECTION_TILE_PARAMETERS, FILTER_PARAMETERS, ITEM_PARAMETERS, LANGUAGES, PARAMETERS,
    PROFILES, Profile, TILE_PARAMETERS, is_queryable,
};
use crate::request::HTML;
use crate::systems::{CRS84, Systems};
use crate::tiles::MatrixSet;

/// How many reference systems the definition names.
const MAX_SYSTEMS: usize = 100;

/// The API definition in OpenAPI 3.0; each collection has operations of its own, because its
/// properties are parameters.
pub(crate) fn api_document(root: &str, options: &OgcOptions, tables: &Tables) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": options.title,
            "description": options.description,
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{ "url": root }],
        "tags": tags(),
        "paths": paths(tables),
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

fn paths(tables: &Tables) -> Value {
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
    tile_paths(&mut add);
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
    the centre of its box lies. Of other lines and polygons the 10,000 largest by their boxes are drawn and the rest is merged. \
    Up to 10,000 points are drawn; of more, those that are alone in their cell, and the others are merged. What is merged is one \
    point a cell, in the middle of what it stands for, with nothing but the property cardo:count. Below level 16 lines are \
    simplified by half a pixel. Behind 2 MiB features have no properties but id, and behind 4 MiB there are none.";

/// The operations of tiles; the names end as OGC 20-057 demands (/req/oas30).
fn tile_paths(add: &mut impl FnMut(&str, Value)) {
    let mvt = || json!({ MVT: { "schema": { "type": "string", "format": "binary" } } });
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
        let mut tile = about(&id("getTile"), "A vector tile", &mvt(), &names);
        tile["description"] = TILE_RULES.into();
        add(&format!("{base}/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"), tile);
    }
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
    for (media_type, format) in [(CSV, None), (FLATGEOBUF, BINARY), (GEOPACKAGE, BINARY)] {
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
    let parameters = [parameter("featureId")].into_iter();
    let own = ITEM_PARAMETERS.map(|name| parameter(named(name, "itemFormat")));
    let parameters: Vec<Value> = parameters.chain(own).collect();
    let id = format!("get{name}Feature");
    with_system(operation("Data", &id, &summary, &content, &parameters, true))
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
    json!({
        "name": name,
        "in": "query",
        "description": format!("Only features whose {name} is this"),
        "required": false,
        "schema": schema,
        "style": "form",
        "explode": false,
    })
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

fn components(options: &OgcOptions) -> Value {
    let problem = |description: &str| {
        json!({
            "description": description,
            "content": {
                "application/problem+json": { "schema": { "$ref": "#/components/schemas/problem" } },
            },
        })
    };
    json!({
        "parameters": parameters(options.limits, &options.systems),
        "headers": {
            "Revision": {
                "description": "The revision of the twin that the answer shows",
                "schema": { "type": "integer" },
            },
            "ContentCrs": {
                "description": "The reference system of the coordinates in the answer, in angle brackets",
                "schema": { "type": "string" },
            },
            "ETag": {
                "description": "The state of the feature, for If-Match and If-None-Match",
                "schema": { "type": "string" },
            },
            "Location": {
                "description": "The address of the new feature",
                "schema": { "type": "string", "format": "uri" },
            },
        },
        "responses": {
            "BadRequest": problem("A parameter is unknown or has a value that cannot be; the detail quotes it"),
            "Unauthorized": problem("A valid token is required"),
            "Forbidden": problem("The token does not allow this, or the question took too long"),
            "NotFound": problem("There is no such collection or feature"),
            "MethodNotAllowed": problem("The resource has no such method; Allow names those that it has"),
            "NotAcceptable": problem("The resource cannot be had in an accepted media type"),
            "Conflict": problem("There is such a feature already, or it was changed by others all the while"),
            "PreconditionFailed": problem("The feature is in another state than If-Match or If-None-Match demand"),
            "ContentTooLarge": problem("The body is larger than what is accepted"),
            "UnsupportedMediaType": problem("The body is of a media type that is not read; the answer names those that are"),
            "UnprocessableContent": problem("The feature is not what the schema of the collection describes"),
            "InternalServerError": problem("The server failed"),
            "ServiceUnavailable": problem("Too much is asked at once, or the asked revision has not arrived"),
        },
        "schemas": schemas(),
        "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
    })
}

fn query(name: &str, description: &str, schema: &Value) -> Value {
    json!({
        "name": name,
        "in": "query",
        "description": description,
        "required": false,
        "schema": schema,
        "style": "form",
        "explode": false,
    })
}

fn encodings(all: &[Encoding]) -> Vec<&'static str> {
    all.iter().map(|encoding| encoding.name()).collect()
}

fn header(name: &str, description: &str) -> Value {
    json!({
        "name": name,
        "in": "header",
        "description": description,
        "required": false,
        "schema": { "type": "string" },
    })
}

fn path(name: &str, description: &str) -> Value {
    json!({
        "name": name,
        "in": "path",
        "description": description,
        "required": true,
        "schema": { "type": "string" },
    })
}

fn tile_path(name: &str, description: &str, schema: &Value) -> Value {
    let mut parameter = path(name, description);
    parameter["schema"] = schema.clone();
    let one = match schema["type"].as_str() {
        Some("integer") => json!(0),
        _ => schema["enum"].get(0).cloned().unwrap_or_else(|| json!("0")),
    };
    parameter["example"] = one;
    parameter
}

/// A parameter that names a reference system (OGC 18-058r1).
fn system(name: &str, description: &str, systems: &Systems) -> Value {
    let mut schema = json!({ "type": "string", "format": "uri", "default": CRS84 });
    let uris: Vec<&str> = systems.uris().collect();
    // Thousands stand in the description of each collection, and nowhere else.
    if uris.len() <= MAX_SYSTEMS {
        schema["enum"] = uris.into();
    }
    query(name, description, &schema)
}

fn parameters(limits: OgcLimits, systems: &Systems) -> Value {
    json!({
        "crs": system(
            "crs",
            "The reference system of the coordinates in the answer, in the order of its axes; the header Content-Crs says it",
            systems,
        ),
        "bbox-crs": system(
            "bbox-crs",
            "The reference system of the bbox, in the order of its axes",
            systems,
        ),
        "f": query(
            "f",
            "The encoding of the answer; without it the header Accept decides",
            &json!({ "type": "string", "enum": ["json", "html"] }),
        ),
        "itemsFormat": query(
            "f",
            "The encoding of the answer; without it the header Accept decides. Those that are no JSON and no page \
             have their links in the header Link. In csv the geometry is well-known text; fgb is FlatGeobuf, \
             gpkg a GeoPackage.",
            &json!({ "type": "string", "enum": encodings(Encoding::of_pages()) }),
        ),
        "itemFormat": query(
            "f",
            "The encoding of the answer; without it the header Accept decides",
            &json!({ "type": "string", "enum": encodings(Encoding::of_features()) }),
        ),
        "profile": query(
            "profile",
            "The profile of GeoJSON (OGC 21-045r1): jsonfg adds the members of JSON-FG; with jsonfg-plus what \
             stands in another reference system stands in WGS 84 as well. f=jsonfg is short for f=json&profile=jsonfg.",
            &json!({
                "type": "string",
                "enum": PROFILES.map(Profile::name),
                "default": PROFILES[0].name(),
            }),
        ),
        "limit": query(
            "limit",
            "The most features of a page",
            &json!({
                "type": "integer",
                "minimum": 1,
                "maximum": limits.max_page,
                "default": limits.default_page,
            }),
        ),
        "bbox": query(
            "bbox",
            "Only features whose geometry meets this box, and those without a geometry: west, south, \
             east, north in CRS84 unless bbox-crs names another system, or west, south, bottom, east, north, top. Where the west is \
             greater than the east, the antimeridian runs through the box.",
            &json!({ "type": "array", "minItems": 4, "maxItems": 6, "items": { "type": "number" } }),
        ),
        "datetime": query(
            "datetime",
            "Only features whose time meets this instant or interval, and those without a time: \
             2026-11-01T12:00:00Z, 2026-11-01T12:00:00Z/2026-11-02T12:00:00Z, ../2026-11-01 or \
             2026-11-01/.. ; the time of a feature is the latest of its observations.",
            &json!({ "type": "string" }),
        ),
        "filter": query(
            "filter",
            "Only features for which this is true: a condition on queryables in CQL2 \
             (https://docs.ogc.org/is/21-065r2/21-065r2.html). /functions lists what it may call.",
            &json!({ "type": "string" }),
        ),
        "filter-lang": query(
            "filter-lang",
            "The language of the filter",
            &json!({ "type": "string", "enum": LANGUAGES, "default": LANGUAGES[0] }),
        ),
        "filter-crs": system(
            "filter-crs",
            "The reference system of coordinates in the filter, in the order of its axes",
            systems,
        ),
        "sortby": query(
            "sortby",
            "The sortables by which features are sorted, each behind + (upwards, also where it is left \
             out) or - (downwards). Features without a value stand last both ways; of equal ones the \
             older stands first.",
            &json!({
                "type": "array",
                "minItems": 1,
                "items": { "type": "string", "pattern": "[+|-]?[A-Za-z_].*" },
            }),
        ),
        "skipGeometry": query(
            "skipGeometry",
            "Whether geometries are left out",
            &json!({ "type": "boolean", "default": false }),
        ),
        "cursor": query(
            "cursor",
            "Where the page begins, from a link to another page",
            &json!({ "type": "string" }),
        ),
        "offset": query(
            "offset",
            "How many features are left out before the page",
            &json!({ "type": "integer", "minimum": 0, "default": 0 }),
        ),
        "type": query(
            "type",
            "With replace, the schema of the GeoJSON feature that takes the place of one",
            &json!({ "type": "string", "enum": ["replace"] }),
        ),
        "If-Match": header("If-Match", "Only if the feature is in the state that this tag was of"),
        "If-None-Match": header("If-None-Match", "With * only if there is no such feature"),
        "Content-Crs": header("Content-Crs", "The reference system of the body, in angle brackets; CRS84"),
        "collectionId": path("collectionId", "The collection"),
        "featureId": path("featureId", "The id of the feature"),
        "areas": json!({
            "name": "areas",
            "in": "query",
            "description": "The collection whose polygons are the areas, a row each. An entity counts in \
                            one area at the most: in the one that has its point, or a position on its \
                            line or polygon, borders included, and of several in the oldest.",
            "required": true,
            "schema": { "type": "string" },
            "style": "form",
            "explode": false,
        }),
        "countedCollections": query(
            "collections",
            "The collections that are counted; all others with a geometry where it is left out",
            &json!({ "type": "array", "items": { "type": "string" } }),
        ),
        "numbers": query(
            "properties",
            "The properties whose numbers are added up, by unit; all where it is left out",
            &json!({ "type": "array", "items": { "type": "string" } }),
        ),
        "aggregatesFormat": query(
            "f",
            "The encoding of the table; without it the header Accept decides",
            &json!({ "type": "string", "enum": ["csv", "geojson"] }),
        ),
        "tileMatrixSetId": tile_path("tileMatrixSetId", "How space is tiled", &json!({
            "type": "string",
            "enum": MatrixSet::ALL.map(MatrixSet::id),
        })),
        "tileMatrix": tile_path(
            "tileMatrix",
            "The zoom level: 0 to 24 in WebMercatorQuad, 0 to 17 in WorldCRS84Quad",
            &json!({ "type": "string" }),
        ),
        "tileRow": tile_path("tileRow", "The row, from the north", &json!({
            "type": "integer",
            "minimum": 0,
        })),
        "tileCol": tile_path("tileCol", "The column, from the west", &json!({
            "type": "integer",
            "minimum": 0,
        })),
        "tilesetFormat": query(
            "f",
            "The encoding of the tileset; without it the header Accept decides. TileJSON knows \
             WebMercatorQuad only",
            &json!({ "type": "string", "enum": ["json", "html", "tilejson"] }),
        ),
        "styleId": tile_path("styleId", "The style", &json!({ "type": "string", "enum": ["default"] })),
        "styleFormat": query(
            "f",
            "The encoding of the style; without it the header Accept decides",
            &json!({ "type": "string", "enum": ["mapbox", "json", "html"] }),
        ),
        "tileFormat": query(
            "f",
            "The encoding of the tile; without it the header Accept decides",
            &json!({ "type": "string", "enum": ["mvt"] }),
        ),
        "subset": query(
            "subset",
            "The same as datetime, as a subset of that axis: datetime(\"2026-11-01\":\"2026-11-02\"), \
             with * where the interval is open",
            &json!({ "type": "string" }),
        ),
        "properties": query(
            "properties",
            "The properties that are shown, beside the id and the geometry; all where it is left out",
            &json!({ "type": "array", "items": { "type": "string" } }),
        ),
        "collections": query(
            "collections",
            "The collections that tiles show, a layer each; all with a geometry where it is left out",
            &json!({ "type": "array", "items": { "type": "string" } }),
        ),
    })
}

fn schemas() -> Value {
    let links = json!({ "type": "array", "items": { "$ref": "#/components/schemas/link" } });
    let text = json!({ "type": "string" });
    let geometry =
        json!({ "type": "object", "nullable": true, "description": "GeoJSON (RFC 7946)" });
    json!({
        "link": {
            "type": "object",
            "required": ["href", "rel"],
            "properties": { "href": text, "rel": text, "type": text, "title": text },
        },
        "landingPage": {
            "type": "object",
            "required": ["links"],
            "properties": { "title": text, "description": text, "links": links },
        },
        "confClasses": {
            "type": "object",
            "required": ["conformsTo"],
            "properties": { "conformsTo": { "type": "array", "items": text }, "links": links },
        },
        "collections": {
            "type": "object",
            "required": ["links", "collections"],
            "properties": {
                "links": links,
                "crs": { "type": "array", "items": text },
                "collections": {
                    "type": "array",
                    "items": { "$ref": "#/components/schemas/collection" },
                },
            },
        },
        "collection": {
            "type": "object",
            "required": ["id", "links"],
            "properties": {
                "id": text,
                "title": text,
                "description": text,
                "links": links,
                "extent": { "$ref": "#/components/schemas/extent" },
                "itemType": text,
                "crs": { "type": "array", "items": text },
                "storageCrs": { "type": "string", "format": "uri" },
            },
        },
        "extent": {
            "type": "object",
            "properties": {
                "spatial": {
                    "type": "object",
                    "properties": {
                        "bbox": {
                            "type": "array",
                            "items": { "type": "array", "items": { "type": "number" } },
                        },
                        "crs": text,
                    },
                },
                "temporal": {
                    "type": "object",
                    "properties": {
                        "interval": {
                            "type": "array",
                            "items": {
                                "type": "array",
                                "items": { "type": "string", "format": "date-time", "nullable": true },
                            },
                        },
                        "trs": text,
                    },
                },
            },
        },
        "featureCollectionGeoJSON": {
            "type": "object",
            "required": ["type", "features"],
            "properties": {
                "type": { "type": "string", "enum": ["FeatureCollection"] },
                "timeStamp": { "type": "string", "format": "date-time" },
                "numberMatched": { "type": "integer", "minimum": 0 },
                "numberReturned": { "type": "integer", "minimum": 0 },
                "links": links,
                "features": {
                    "type": "array",
                    "items": { "$ref": "#/components/schemas/featureGeoJSON" },
                },
            },
        },
        "featureGeoJSON": {
            "type": "object",
            "required": ["type", "geometry", "properties"],
            "properties": {
                "type": { "type": "string", "enum": ["Feature"] },
                "id": text,
                "geometry": geometry,
                "properties": { "type": "object" },
                "links": links,
            },
        },
        "problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": text,
                "title": text,
                "status": { "type": "integer" },
                "detail": text,
            },
        },
    })
}
