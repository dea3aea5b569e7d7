//! The reference at `/reference`: every operation of every face, from their OpenAPI documents.
//!
//! ```text
//! faces ─ ask.rs ─ OpenAPI documents ─ document.rs ─ page.rs ─ HTML
//!                    ogc.rs, graphql.rs    example.rs (one request, three languages)
//! ```

mod ask;
mod document;
mod example;
mod graphql;
mod highlight;
mod kind;
mod literal;
mod ogc;
mod page;
mod rows;

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cardo_http::BaseUrl;

use ask::Asker;
use document::Api;
use page::{Link, Part};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page loads nothing but its two assets, and sends nothing.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

const NGSI_LD: &[Link] = &[Link { href: "ngsi-ld/v1/openapi.json", says: "OpenAPI 3.1" }];
const OGC: &[Link] = &[
    Link { href: "ogc/api?f=json", says: "OpenAPI 3.0" },
    Link { href: "ogc", says: "Landing page" },
];
const GRAPHQL: &[Link] = &[
    Link { href: "graphql", says: "GraphiQL" },
    Link { href: "graphql/schema.graphql", says: "Schema" },
];

/// The page about these faces, and its assets.
pub(crate) fn router(faces: Router) -> Router {
    let page = async move |request: Request| reference(faces.clone(), request).await;
    Router::new().route("/reference", get(page)).route("/reference/assets/{name}", get(asset))
}

async fn reference(faces: Router, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let base = BaseUrl::of(&parts);
    let asker = Asker::new(faces, parts);
    let described = asker.json("/ngsi-ld/v1/openapi.json").await;
    let ngsi_ld = described.map(|document| Api::read("ngsi-ld", &document, &base));
    let described = ogc::document(&asker).await;
    let ogc = described.map(|document| Api::read("ogc", &document, &base));
    let graphql = Ok(Api::read("graphql", &graphql::document(&base), &base));
    let parts = [
        Part { id: "ngsi-ld", name: "NGSI-LD", links: NGSI_LD, api: ngsi_ld },
        Part { id: "ogc", name: "OGC API Features", links: OGC, api: ogc },
        Part { id: "graphql", name: "GraphQL", links: GRAPHQL, api: graphql },
    ];
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
        (VARY, "Authorization, NGSILD-Tenant, Host"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, page::html(&base, &parts)).into_response()
}

async fn asset(Path(name): Path<String>) -> Response {
    let (media_type, text) = match name.as_str() {
        "page.css" => ("text/css; charset=utf-8", STYLE),
        "page.js" => ("text/javascript; charset=utf-8", SCRIPT),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-cache")], text).into_response()
}
