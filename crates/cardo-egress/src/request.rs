//! What is asked and what comes back.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

/// An outgoing request.
///
/// ```
/// use cardo_egress::{Method, Request};
///
/// let request = Request::get("https://example.org/context.jsonld");
/// assert_eq!(request.method, Method::GET);
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    /// GET, POST and so on.
    pub method: Method,
    /// Where to, with `http` or `https`.
    pub url: String,
    /// Beyond `Host`, `User-Agent` and `Content-Length`, which the gate sets.
    pub headers: HeaderMap,
    /// What is sent along.
    pub body: Bytes,
    /// Another total timeout than that of the configuration.
    pub timeout: Option<Duration>,
    /// Another limit of the response than that of the configuration.
    pub max_response_bytes: Option<usize>,
}

impl Request {
    /// A request with a method and nothing else.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: None,
            max_response_bytes: None,
        }
    }

    /// A GET.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    /// A POST with a body.
    pub fn post(url: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..Self::new(Method::POST, url) }
    }
}

/// The answer to a [`Request`], whatever its status.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status of the last answer.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Where it came from, after redirects.
    pub url: Url,
}
