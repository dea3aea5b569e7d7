//! Pages of other origins (the Fetch standard, section 3.2).

use std::net::IpAddr;

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, ORIGIN, UPGRADE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

use crate::BaseUrl;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
/// How long a browser may remember that it was allowed, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
/// The longest list of header names that a page may ask for.
const MAX_HEADERS: usize = 1_024;

/// Which pages a browser lets use the server.
///
/// Credentials of the browser itself are never allowed, so a page can do no more than what its own
/// token, or no token, may do. Where that includes writing without a token, any page that a user
/// looks at could write; so only the origins that are named, those of this machine and the
/// server's own may then do more than read. A POST that only asks is a read.
#[derive(Debug, Clone)]
pub struct Cors {
    any: bool,
    named: Vec<HeaderValue>,
    exposed: &'static str,
    is_guarded: bool,
    posted: PostedReads,
}

/// Addresses, as a face sees them, at which a POST may ask without changing anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct PostedReads {
    /// Those where it never changes anything.
    pub always: &'static [&'static str],
    /// Those where the body decides. The face at such an address promises to change nothing for a
    /// request that is marked with [`ForeignPage`].
    pub by_body: &'static [&'static str],
}

/// Marks a request of a page that may read and not write; an extension of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignPage;

impl ForeignPage {
    /// What such a page is told when it wants to write.
    pub const REFUSAL: &str = "pages of other origins may ask here and change nothing; \
                               http.cors_origins names those that may";
}

/// An origin that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no origin; it looks like https://app.example or *")]
pub struct InvalidOrigin(String);

/// What is to be done with a request of a page.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is answered here.
    Answer(Box<Response<Body>>),
    /// Its answer may be read by this origin, or by none.
    Go(Option<HeaderValue>),
    /// The same for a request that may change nothing.
    GoReading(HeaderValue),
}

impl Cors {
    /// Allows the origins, `*` being any. `exposed` are headers of answers that pages may read;
    /// `is_guarded` says that requests without a token may write.
    pub fn new(
        origins: &[String],
        exposed: &'static str,
        is_guarded: bool,
        posted: PostedReads,
    ) -> Result<Self, InvalidOrigin> {
        let mut named = Vec::new();
        for origin in origins.iter().map(|origin| origin.trim()).filter(|origin| *origin != "*") {
            let is_origin = origin == "null" || is_origin(origin);
            let value = HeaderValue::from_str(origin).ok().filter(|_| is_origin);
            named.push(value.ok_or_else(|| InvalidOrigin(origin.to_owned()))?);
        }
        let any = origins.iter().any(|origin| origin.trim() == "*");
        Ok(Self { any, named, exposed, is_guarded, posted })
    }

    /// Whether what a page may read depends on its origin, so that caches have to know.
    pub(crate) fn varies(&self) -> bool {
        !self.any
    }

    /// Decides about a request; nothing where it is not of a page.
    #[inline]
    pub(crate) fn judge<B>(&self, request: &Request<B>) -> Option<Verdict> {
        let origin = request.headers().get(ORIGIN)?;
        Some(self.judge_page(origin, request))
    }

    fn judge_page<B>(&self, origin: &HeaderValue, request: &Request<B>) -> Verdict {
        let headers = request.headers();
        let wanted = headers.get(ACCESS_CONTROL_REQUEST_METHOD);
        if let (Some(wanted), &Method::OPTIONS) = (wanted, request.method()) {
            let method = Method::from_bytes(wanted.as_bytes()).unwrap_or(Method::OPTIONS);
            let allowed = match self.allow(origin, self.kind(&method, request), request) {
                Verdict::Go(allowed) => allowed,
                Verdict::GoReading(allowed) => Some(allowed),
                answer @ Verdict::Answer(_) => return answer,
            };
            return Verdict::Answer(Box::new(preflight(allowed, headers, origin)));
        }
        self.allow(origin, self.kind(request.method(), request), request)
    }

    /// What a request with a method would do.
    fn kind<B>(&self, method: &Method, request: &Request<B>) -> Kind {
        // Anything can be said over a WebSocket.
        if request.headers().contains_key(UPGRADE) {
            return Kind::Writes;
        }
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => Kind::Reads,
            Method::POST => {
                let path = request.uri().path();
                let path = path.strip_suffix('/').unwrap_or(path);
                match self.posted {
                    PostedReads { always, .. } if always.contains(&path) => Kind::Reads,
                    PostedReads { by_body, .. } if by_body.contains(&path) => Kind::ByBody,
                    PostedReads { .. } => Kind::Writes,
                }
            }
            _ => Kind::Writes,
        }
    }

    /// Whether a page may do something, and read the answer.
    fn allow<B>(&self, origin: &HeaderValue, kind: Kind, request: &Request<B>) -> Verdict {
        if self.any && (!self.is_guarded || kind == Kind::Reads) {
            return Verdict::Go(Some(HeaderValue::from_static("*")));
        }
        let is_trusted = self.named.contains(origin)
            || (self.any && (is_local(origin) || is_own(origin, request)));
        if is_trusted {
            return Verdict::Go(Some(origin.clone()));
        }
        match kind {
            Kind::ByBody if self.any => Verdict::GoReading(HeaderValue::from_static("*")),
            Kind::Reads => Verdict::Go(None),
            _ if !self.is_guarded || is_own(origin, request) => Verdict::Go(None),
            _ => Verdict::Answer(Box::new(refused(origin))),
        }
    }

    /// Lets the page read the answer.
    pub(crate) fn allow_in(&self, allowed: HeaderValue, headers: &mut HeaderMap) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        let exposed = HeaderValue::from_static(self.exposed);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

/// What a request does with the twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Reads,
    /// One of the two, as its body says.
    ByBody,
    Writes,
}

fn is_own<B>(origin: &HeaderValue, request: &Request<B>) -> bool {
    let base = BaseUrl::of_request(request.uri(), request.headers(), request.extensions());
    !base.origin().is_empty() && origin.as_bytes().eq_ignore_ascii_case(base.origin().as_bytes())
}

/// Scheme, host and port alone.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let is_scheme = scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    is_scheme && !scheme.is_empty() && crate::base_url::is_host(host)
}

/// Whether an origin is a page of this machine.
fn is_local(origin: &HeaderValue) -> bool {
    let Some((_, host)) = origin.to_str().ok().and_then(|text| text.split_once("://")) else {
        return false;
    };
    if let Some(rest) = host.strip_prefix("[::1]") {
        return rest.is_empty() || rest.starts_with(':');
    }
    let name = host.split(':').next().unwrap_or("");
    let is_loopback = |address: IpAddr| address.is_loopback();
    name == "localhost" || name.ends_with(".localhost") || name.parse().is_ok_and(is_loopback)
}

fn preflight(
    allowed: Option<HeaderValue>,
    request: &HeaderMap,
    origin: &HeaderValue,
) -> Response<Body> {
    let Some(allowed) = allowed else { return refused(origin) };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    let wanted = request.get(ACCESS_CONTROL_REQUEST_HEADERS).filter(|wanted| is_names(wanted));
    if let Some(wanted) = wanted {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
    headers.insert(VARY, HeaderValue::from_static(vary));
    response
}

/// Whether a value is a list of names of headers.
fn is_names(value: &HeaderValue) -> bool {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_, ".contains(byte);
    value.len() <= MAX_HEADERS && value.as_bytes().iter().all(is_of_name)
}

fn refused(origin: &HeaderValue) -> Response<Body> {
    let origin: String = String::from_utf8_lossy(origin.as_bytes()).chars().take(256).collect();
    let problem = serde_json::json!({
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": format!("pages of {origin:?} may not do this here; http.cors_origins names those that may"),
    });
    let mut response = Response::new(Body::from(problem.to_string()));
    *response.status_mut() = StatusCode::FORBIDDEN;
    let media_type = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response.headers_mut().insert(VARY, HeaderValue::from_static("Origin"));
    response
}
