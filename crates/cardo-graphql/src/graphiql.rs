//! GraphiQL for browsers, from assets of our own.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};

use crate::face::BASE;

const PAGE: &str = include_str!("../assets/graphiql.html");

/// Files of the page: name, media type, bytes. Their licences stand beside them.
const ASSETS: [(&str, &str, &[u8]); 6] = [
    ("graphiql.min.css", "text/css", include_bytes!("../assets/graphiql.min.css")),
    ("graphiql.min.js", "text/javascript", include_bytes!("../assets/graphiql.min.js")),
    ("graphiql.start.js", "text/javascript", include_bytes!("../assets/graphiql.start.js")),
    ("graphql-ws.min.js", "text/javascript", include_bytes!("../assets/graphql-ws.min.js")),
    (
        "react.production.min.js",
        "text/javascript",
        include_bytes!("../assets/react.production.min.js"),
    ),
    (
        "react-dom.production.min.js",
        "text/javascript",
        include_bytes!("../assets/react-dom.production.min.js"),
    ),
];

/// Nothing but what this server sends itself; GraphiQL puts styles into its elements.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:";

/// The page; `prefix` is what stands before the path that the face sees.
pub(crate) fn page(prefix: &str) -> Response<Body> {
    let page = PAGE.replace("{base}", &format!("{prefix}{BASE}"));
    let mut response = Response::new(Body::from(page));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// A file of the page, where it has one of that name.
pub(crate) fn asset(name: &str) -> Option<Response<Body>> {
    let (_, media, bytes) = ASSETS.iter().find(|(other, _, _)| *other == name)?;
    let mut response = Response::new(Body::from(*bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    Some(response)
}
