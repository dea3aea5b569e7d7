//! What the addresses for operators refuse, and who they are open to.

use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use cardo_http::{Access, Denied, Granted, Rights, asked_twin};
use cardo_model::TwinId;
use serde_json::json;

use crate::operations::Operations;

/// A status, and what the client is told.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) StatusCode, pub(crate) String);

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let status = match denied {
            Denied::Unauthenticated => StatusCode::UNAUTHORIZED,
            _ => StatusCode::FORBIDDEN,
        };
        Self(status, denied.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, detail) = self;
        let title = status.canonical_reason();
        let body = json!({ "title": title, "status": status.as_u16(), "detail": detail });
        let media = [(CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, media, body.to_string()).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The twin that is asked about, and as whom the caller may see it.
pub(crate) fn granted(
    operations: &Operations,
    parts: &Parts,
    rights: Rights,
) -> Result<(TwinId, Granted), Refusal> {
    let twin = asked_twin(parts).map_err(|e| Refusal(StatusCode::BAD_REQUEST, e.to_string()))?;
    let twin = twin.unwrap_or_default();
    let access = Access { headers: &parts.headers, twin: &twin, rights };
    let granted = operations.authorizer.authorize(&access)?;
    Ok((twin, granted))
}
