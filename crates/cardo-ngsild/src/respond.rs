//! What every answer carries.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LINK, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use cardo_http::{BaseUrl, REVISION, revision_header, tagged};
use cardo_model::Revision;
use serde_json::Value;

use crate::face::{BASE, Face};
use crate::represent::Naming;
use crate::request::{Ask, Media};

/// An answer with a body under a context (clause 6.3.6).
pub(crate) fn answer(
    ask: &Ask<'_>,
    media: Media,
    naming: &Naming,
    body: Vec<u8>,
    revision: Revision,
) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.as_str()));
    headers.insert(REVISION, revision_header(revision));
    if !context_in_body(ask, media)
        && let Some(link) = naming.link()
    {
        headers.insert(LINK, link.clone());
    }
    prefer_applied(ask, headers);
    response
}

/// What the answers at one address depend on, beside the twin.
const VARY: &str = "Accept, Link, Prefer, NGSILD-Tenant, Cardo-At, Authorization, Accept-Encoding";

impl Face {
    /// The same for an answer that is a function of the revision and the request alone: with its
    /// `ETag`, or 304.
    pub(crate) fn answer_tagged(
        &self,
        ask: &Ask<'_>,
        media: Media,
        naming: &Naming,
        body: Vec<u8>,
        revision: Revision,
    ) -> Response<Body> {
        let response = answer(ask, media, naming, body, revision);
        if ask.caller.reach.is_far() {
            return response;
        }
        let form = (media as u8, context_in_body(ask, media), naming.serial(), ask.version());
        // Where that has changed since, it is not certain which one has answered.
        let now = self.engine.incarnation(&ask.caller.twin);
        let incarnation = now.filter(|now| Some(*now) == ask.incarnation);
        let tag = self.tags.tag(&ask.caller, incarnation, revision, form);
        tagged(ask.parts, tag, VARY, response)
    }
}

/// Whether the `@context` is a member of the body.
pub(crate) fn context_in_body(ask: &Ask<'_>, media: Media) -> bool {
    match media {
        Media::Json => false,
        Media::JsonLd => true,
        Media::GeoJson => !ask.prefers("body", Some("json")),
    }
}

/// Clause 4.3.6.8: the version that an answer conforms to, where one was preferred.
fn prefer_applied(ask: &Ask<'_>, headers: &mut HeaderMap) {
    if let Some(version) = ask.version()
        && let Ok(applied) = HeaderValue::try_from(format!("ngsi-ld={version}"))
    {
        headers.insert("preference-applied", applied);
    }
}

/// A status without a body.
pub(crate) fn empty(status: StatusCode, revision: Revision) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(REVISION, revision_header(revision));
    response
}

/// 201 with the address of what was created.
pub(crate) fn created(
    ask: &Ask<'_>,
    resource: &str,
    id: &str,
    revision: Revision,
) -> Response<Body> {
    located(ask, resource, id, empty(StatusCode::CREATED, revision))
}

/// The same answer with the address of what it is about: a path, as the tables of clause 6 have it
/// for all that is created.
pub(crate) fn located(
    ask: &Ask<'_>,
    resource: &str,
    id: &str,
    mut response: Response<Body>,
) -> Response<Body> {
    let base = BaseUrl::of(ask.parts);
    let location = format!("{}{BASE}/{resource}/{}", base.path(), encode(id));
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// JSON without a context, such as the result of a batch (clause 6.3.6).
pub(crate) fn plain_json(status: StatusCode, body: &Value, revision: Revision) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(REVISION, revision_header(revision));
    response
}

/// Encodes what may not stand in a segment of a path (RFC 3986, section 3.3).
pub(crate) fn encode(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte);
        if is_plain {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
