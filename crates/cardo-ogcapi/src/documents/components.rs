//! What the operations of the API definition share: parameters, headers, answers and schemas.

use serde_json::{Value, json};

use crate::answer::Encoding;
use crate::options::{OgcLimits, OgcOptions};
use crate::params::{FEATURE_PROFILES, LANGUAGES, SCHEMA_PROFILES};
use crate::systems::{CRS84, Systems};
use crate::tiles::MatrixSet;

/// How many reference systems the definition names.
const MAX_SYSTEMS: usize = 100;

pub(super) fn components(options: &OgcOptions) -> Value {
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
            "LastModified": {
                "description": "When the feature was last modified, for If-Unmodified-Since; to the second",
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
            "PreconditionFailed": problem("The feature is in another state than If-Match, If-None-Match or If-Unmodified-Since demand"),
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

pub(super) fn query(name: &str, description: &str, schema: &Value) -> Value {
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

fn profiles(names: &[&str]) -> Value {
    json!({ "type": "array", "items": { "type": "string", "enum": names } })
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
    let mut all = json!({
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
             gpkg a GeoPackage, parquet GeoParquet.",
            &json!({ "type": "string", "enum": encodings(Encoding::of_pages()) }),
        ),
        "itemFormat": query(
            "f",
            "The encoding of the answer; without it the header Accept decides",
            &json!({ "type": "string", "enum": encodings(Encoding::of_features()) }),
        ),
        "profile": query(
            "profile",
            "The profiles of the answer, each also by its address in the register of the OGC. Of GeoJSON (OGC 21-045r1): \
             jsonfg adds the members of JSON-FG; with jsonfg-plus what stands in another reference system stands in WGS 84 \
             as well. f=jsonfg is short for f=json&profile=jsonfg. Of references (OGC 23-058r2): the id of the other \
             feature, its address, or a link with its title. An encoding that does not have a profile, or a profile that is \
             not known, leaves the default; the header Link says which the answer has.",
            &profiles(&FEATURE_PROFILES),
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
             2026-11-01/.. ; a duration may stand for an end, as in 2026-11-01/P2D; the time of a \
             feature is the latest of its observations.",
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
            "The schema of a feature in GeoJSON, or with replace of that which takes the place of one",
            &json!({ "type": "string", "enum": ["feature", "replace"] }),
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
            &json!({ "type": "string", "enum": ["mvt", "geojson"] }),
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
    });
    all["If-Unmodified-Since"] = header(
        "If-Unmodified-Since",
        "Only if the feature has not been modified since this time, which is that of Last-Modified; two \
         changes within a second are not told apart, as tags tell them",
    );
    all["schemaProfile"] = query(
        "profile",
        "Whether the schema tells of the values that are accepted, or of those that features have now; \
         codelist-inline tells of the latter and lists the names of vocabularies with what they stand for (OGC \
         23-058r2). A profile that is not known makes no difference; the header Link says which the answer has",
        &profiles(&SCHEMA_PROFILES),
    );
    all
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
