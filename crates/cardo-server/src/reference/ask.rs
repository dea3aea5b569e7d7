use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{ACCEPT, IF_NONE_MATCH, RANGE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, StatusCode, Uri};
use serde_json::Value;
use tower::ServiceExt;

/// No document of ours is longer.
const MAX_DOCUMENT: usize = 64 << 20;

/// Asks the faces on behalf of the client of a request: on the same twin, with the same token, at
/// the same address.
pub(super) struct Asker {
    faces: Router,
    parts: Parts,
}

impl Asker {
    pub(super) fn new(faces: Router, parts: Parts) -> Self {
        Self { faces, parts }
    }

    /// The JSON document at a path; where it is refused, with which status.
    pub(super) async fn json(&self, path: &str) -> Result<Value, StatusCode> {
        let Ok(answer) = self.faces.clone().oneshot(self.request(path)?).await;
        if answer.status() != StatusCode::OK {
            return Err(answer.status());
        }
        let bytes = to_bytes(answer.into_body(), MAX_DOCUMENT).await;
        let bytes = bytes.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        serde_json::from_slice(&bytes).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn request(&self, path: &str) -> Result<Request<Body>, StatusCode> {
        let mut uri = self.parts.uri.clone().into_parts();
        uri.path_and_query = Some(path.parse().map_err(|_| StatusCode::BAD_REQUEST)?);
        let uri = Uri::from_parts(uri).map_err(|_| StatusCode::BAD_REQUEST)?;
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = uri;
        *request.headers_mut() = self.parts.headers.clone();
        *request.extensions_mut() = self.parts.extensions.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5"));
        headers.remove(IF_NONE_MATCH);
        headers.remove(RANGE);
        Ok(request)
    }
}
