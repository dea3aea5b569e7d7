use axum::body::Body;
use axum::http::Response;
use serde_json::json;

use crate::documents::{Link, OPENAPI, STYLES, TILESETS, links_json, own_links};
use crate::face::Face;
use crate::fault::Fault;
use crate::html;
use crate::request::{Ask, Format, HTML};
use crate::respond;

const JSON: &str = "application/json";
const FUNCTIONS: &str = "http://www.opengis.net/def/rel/ogc/1.0/functions";
const TILING_SCHEMES: &str = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes";

/// What the face keeps to. A class stands here when its tests pass.
const CONFORMS_TO: &[&str] = &[
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/schemas",
    "http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/advanced-property-roles",
    "http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/references",
    "http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/returnables-and-receivables",
    "http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/sortables",
    "http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/profile-parameter",
    "http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/profile-references",
    "http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/profile-codelists",
    "http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/profile-domains",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/update",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/optimistic-locking-etags",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/optimistic-locking-timestamps",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/features",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
    "http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators",
    "http://www.opengis.net/spec/cql2/1.0/conf/case-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/accent-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions-plus",
    "http://www.opengis.net/spec/cql2/1.0/conf/spatial-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/temporal-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/array-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/property-property",
    "http://www.opengis.net/spec/cql2/1.0/conf/functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/arithmetic",
    "http://www.opengis.net/spec/json-fg-1/1.0/conf/core",
    "http://www.opengis.net/spec/json-fg-1/1.0/conf/types-schemas",
    "http://www.opengis.net/spec/json-fg-1/1.0/conf/profiles",
    "http://www.opengis.net/spec/json-fg-1/1.0/conf/api",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/dataset-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/collections-selection",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/datetime",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geojson",
];

/// The landing page (clause 7.2).
pub(crate) async fn landing_page(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let format = ask.format(JSON)?;
    let mut links = own_links(ask, format, JSON);
    links.extend([
        Link::new(ask.url("/api"), "service-desc", OPENAPI, "The API definition"),
        Link::new(ask.url("/api?f=html"), "service-doc", HTML, "The documentation of the API"),
        Link::new(ask.url("/conformance"), "conformance", JSON, "What the API conforms to"),
        Link::new(ask.url("/collections"), "data", JSON, "The collections"),
        Link::new(ask.url("/tiles"), TILESETS, JSON, "Vector tiles of all collections"),
        Link::new(ask.url("/styles"), STYLES, JSON, "Styles for maps"),
        Link::new(ask.url("/functions"), FUNCTIONS, JSON, "What filters may call"),
        Link::new(ask.url("/tileMatrixSets"), TILING_SCHEMES, JSON, "How space is tiled"),
    ]);
    let revision = face.snapshot(ask).await?.revision();
    let options = &face.options;
    if format == Format::Html {
        return Ok(respond::page(html::landing_page(ask, options), revision));
    }
    let body = json!({
        "title": options.title,
        "description": options.description,
        "links": links_json(&links),
    });
    Ok(respond::json(JSON, &body, revision))
}

/// The conformance declaration (clause 7.4).
pub(crate) async fn conformance(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let format = ask.format(JSON)?;
    let revision = face.snapshot(ask).await?.revision();
    if format == Format::Html {
        return Ok(respond::page(html::conformance_page(ask, CONFORMS_TO), revision));
    }
    let links = links_json(&own_links(ask, format, JSON));
    Ok(respond::json(JSON, &json!({ "links": links, "conformsTo": CONFORMS_TO }), revision))
}
