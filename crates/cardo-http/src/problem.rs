use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;

/// A closed set of errors of one protocol; each answers for its own status and name.
pub trait ErrorKind: Copy {
    /// The HTTP status.
    fn status(self) -> StatusCode;

    /// The URI that names the error.
    fn type_uri(self) -> &'static str;

    /// What has happened, in a few words.
    fn title(self) -> &'static str;
}

/// An error as a client sees it (RFC 7807).
///
/// Its detail is meant for the client; what only operators may know is logged instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    type_uri: Cow<'static, str>,
    title: Cow<'static, str>,
    detail: String,
    instance: Option<String>,
    media_type: &'static str,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of a kind, with what the client should know of it.
    pub fn new(kind: impl ErrorKind, detail: impl Into<String>) -> Self {
        Self {
            status: kind.status(),
            type_uri: Cow::Borrowed(kind.type_uri()),
            title: Cow::Borrowed(kind.title()),
            detail: detail.into(),
            instance: None,
            media_type: "application/problem+json",
            headers: Vec::new(),
        }
    }

    /// Names the thing that the problem is about.
    #[must_use]
    pub fn about(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// Answers with another media type than `application/problem+json`.
    #[must_use]
    pub fn as_media_type(mut self, media_type: &'static str) -> Self {
        self.media_type = media_type;
        self
    }

    /// Answers with one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The URI that names the error.
    pub fn type_uri(&self) -> &str {
        &self.type_uri
    }

    /// What the client is told.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The problem as a JSON object.
    pub fn to_json(&self) -> serde_json::Value {
        let mut members = serde_json::Map::new();
        members.insert("type".to_owned(), self.type_uri.as_ref().into());
        members.insert("title".to_owned(), self.title.as_ref().into());
        members.insert("detail".to_owned(), self.detail.as_str().into());
        members.insert("status".to_owned(), self.status.as_u16().into());
        if let Some(instance) = &self.instance {
            members.insert("instance".to_owned(), instance.as_str().into());
        }
        members.into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.to_json().to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.extend(self.headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    struct Missing;

    impl ErrorKind for Missing {
        fn status(self) -> StatusCode {
            StatusCode::NOT_FOUND
        }

        fn type_uri(self) -> &'static str {
            "https://example.org/errors/missing"
        }

        fn title(self) -> &'static str {
            "It is not there."
        }
    }

    #[test]
    fn a_problem_says_what_and_where() {
        let problem = Problem::new(Missing, "urn:x:1 not found").about("urn:x:1");
        assert_eq!(
            problem.to_json().to_string(),
            r#"{"type":"https://example.org/errors/missing","title":"It is not there.","detail":"urn:x:1 not found","status":404,"instance":"urn:x:1"}"#
        );
        let response = problem.as_media_type("application/json").into_response();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    }
}
