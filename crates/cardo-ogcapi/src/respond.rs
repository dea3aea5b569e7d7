//! What every answer carries.

use axum::body::Body;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    VARY,
};
use axum::http::request::Parts;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use cardo_http::{BaseUrl, REVISION, best_media_type, revision_header, tagged};
use cardo_model::Revision;
use serde_json::Value;

use crate::face::{BASE, Face};
use crate::fault::Fault;
use crate::html;
use crate::request::{Ask, HTML};
use crate::systems::System;

/// Pages load nothing but what this server sends.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; \
                      img-src 'self' data:; form-action 'self'; base-uri 'none'";

/// A body of a media type that was chosen among others.
pub(crate) fn answer(
    media_type: &'static str,
    body: impl Into<Body>,
    revision: Revision,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    headers.insert(REVISION, revision_header(revision));
    response
}

/// Which reference system coordinates are in (OGC 18-058r1, /req/crs/ogc-crs-header).
const CONTENT_CRS: HeaderName = HeaderName::from_static("content-crs");

/// The answer, saying the reference system of its coordinates.
pub(crate) fn in_system(mut response: Response<Body>, system: &System) -> Response<Body> {
    if let Ok(value) = HeaderValue::try_from(system.header()) {
        response.headers_mut().insert(CONTENT_CRS, value);
    }
    response
}

/// What the answers at one address depend on, beside the twin.
pub(crate) const VARY_ON: &str = "Accept, NGSILD-Tenant, Cardo-At, Authorization, Accept-Encoding";

impl Face {
    /// An answer with its `ETag`, or 304. All of it but the `timeStamp` of a page is a function of
    /// the revision, the shape of the tables and the request, and tags are weak.
    pub(crate) fn tagged(&self, ask: &Ask<'_>, response: Response<Body>) -> Response<Body> {
        let headers = response.headers();
        // What context sources say is no function of the revision.
        if headers.contains_key(ETAG) || ask.caller.reach.is_far() {
            return response;
        }
        let revision = headers.get(REVISION).and_then(|value| value.to_str().ok()?.parse().ok());
        let Some(revision) = revision else { return response };
        let form = (headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes), ask.shape.get());
        let tag =
            self.tags.tag(&ask.caller, ask.incarnation(&self.engine), Revision(revision), form);
        tagged(ask.parts, tag, VARY_ON, response)
    }
}

impl Face {
    /// A feature with its tag, or 304. The tag is strong, so that changes can be made to depend on it
    /// (/req/optimistic-locking-etags/get-etag-response); what context sources have of the feature is
    /// not in it, so there is none where they were asked.
    pub(crate) fn feature_tagged(
        &self,
        ask: &Ask<'_>,
        state: (&str, Revision),
        media_type: &str,
        response: Response<Body>,
    ) -> Response<Body> {
        if ask.caller.reach.is_far() {
            return response;
        }
        let query = ask.parts.uri.query().filter(|query| !query.is_empty());
        let form = (media_type, query, ask.shape.get().copied());
        let tag = self.feature_tag(ask, state, form);
        tagged(ask.parts, tag, VARY_ON, response)
    }
}

/// A JSON document.
pub(crate) fn json(media_type: &'static str, body: &Value, revision: Revision) -> Response<Body> {
    answer(media_type, body.to_string(), revision)
}

/// A page for people.
pub(crate) fn page(body: String, revision: Revision) -> Response<Body> {
    let mut response = answer("text/html; charset=utf-8", body, revision);
    let policy = HeaderValue::from_static(POLICY);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// A problem document, or a page for those who asked for pages.
pub(crate) fn fault(parts: &Parts, fault: &Fault) -> Response<Body> {
    let mut response = if wants_page(parts) {
        let page = html::fault_page(&BaseUrl::of(parts).to(BASE), fault.status(), fault.detail());
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        let policy = HeaderValue::from_static(POLICY);
        let headers = [(CONTENT_TYPE, html), (CONTENT_SECURITY_POLICY, policy)];
        (fault.status(), headers, page).into_response()
    } else {
        fault.to_problem().into_response()
    };
    if let Some((name, value)) = fault.header() {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response
}

fn wants_page(parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or("");
    if let Some(pair) = query.split('&').find(|pair| pair.starts_with("f=")) {
        return pair == "f=html";
    }
    let accept = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    best_media_type(accept, &["application/problem+json", "application/json", HTML]) == Some(2)
}

/// The script of the pages: it makes their forms and maps handier, and nothing depends on it.
pub(crate) async fn page_script() -> Response<Body> {
    let script = HeaderValue::from_static("text/javascript; charset=utf-8");
    let keep = HeaderValue::from_static("max-age=3600");
    let headers = [(CONTENT_TYPE, script), (CACHE_CONTROL, keep)];
    (StatusCode::OK, headers, include_str!("html/pages.js")).into_response()
}
