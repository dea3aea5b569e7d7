//! Requests to the server under test, and how a person would repeat them.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use http::{HeaderName, HeaderValue, Method, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use crate::answer::Answer;

/// More than that of an answer is not read.
const MOST: usize = 64 << 20;

/// A request as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
}

/// Sends requests; it follows no redirects, which are answers like others.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    inner: HyperClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

impl Client {
    pub(crate) fn new(timeout: Duration) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .expect("ring supports the default versions of TLS")
            .https_or_http()
            .enable_http1()
            .build();
        let inner = HyperClient::builder(TokioExecutor::new())
            .http1_title_case_headers(true)
            .build(connector);
        Self { inner, timeout }
    }

    /// The answer, or in words why there is none.
    pub(crate) async fn send(&self, sent: &Sent) -> Result<Answer, String> {
        match timeout(self.timeout, self.exchange(sent)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {:?}", self.timeout)),
        }
    }

    async fn exchange(&self, sent: &Sent) -> Result<Answer, String> {
        let uri: Uri = sent.url.parse().map_err(|error| format!("{}: {error}", sent.url))?;
        let method = Method::from_bytes(sent.method.as_bytes()).map_err(|e| e.to_string())?;
        let body = Bytes::from(sent.body.clone().unwrap_or_default());
        let mut request = http::Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        for (name, value) in &sent.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| e.to_string())?;
            let value = HeaderValue::from_str(value).map_err(|e| e.to_string())?;
            request.headers_mut().append(name, value);
        }
        let is_write = matches!(sent.method.as_str(), "POST" | "PUT" | "PATCH");
        if is_write && sent.body.is_none() {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let response = self.inner.request(request).await.map_err(|error| reasons(&error))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MOST).collect().await.map_err(|error| error.to_string())?;
        Ok(Answer::new(parts.status.as_u16(), parts.headers, body.to_bytes()))
    }
}

/// An error with all that it came from.
fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        let _ = write!(text, ": {reason}");
        source = reason.source();
    }
    text
}

impl Sent {
    /// The request as a line for a shell, without the secret of who asks.
    pub(crate) fn curl(&self) -> String {
        let mut line = match self.method.as_str() {
            "GET" => "curl -i".to_owned(),
            "HEAD" => "curl -I".to_owned(),
            method => format!("curl -i -X {method}"),
        };
        let _ = write!(line, " {}", quoted(&self.url));
        for (name, value) in &self.headers {
            let secret = name.eq_ignore_ascii_case(AUTHORIZATION.as_str());
            let value = if secret { "…" } else { value };
            let _ = write!(line, " -H {}", quoted(&format!("{name}: {value}")));
        }
        if let Some(body) = &self.body {
            let _ = write!(line, " --data-binary {}", quoted(body));
        }
        line
    }
}

/// A text that a shell takes as one word.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A target whose query is written as people read it, with all that needs it encoded; what is encoded stays.
pub(crate) fn encoded(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return part(target, PATH) };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) => format!("{}={}", part(name, NAME), part(value, NAME)),
        None => part(pair, NAME),
    });
    format!("{}?{}", part(path, PATH), pairs.collect::<Vec<_>>().join("&"))
}

const PATH: &[u8] = b"-._~/:@!$*'(),;=%";
const NAME: &[u8] = b"-._~:@*%/,";

fn part(text: &str, plain: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_encoded_and_what_is_encoded_stays() {
        for (written, sent) in [
            ("/entities/urn:x:1", "/entities/urn:x:1"),
            (
                "/a?q=size>1;name==\"é b\"&type=T",
                "/a?q=size%3E1%3Bname%3D%3D%22%C3%A9%20b%22&type=T",
            ),
            ("/a?coordinates=[1,2]&local", "/a?coordinates=%5B1,2%5D&local"),
            ("/a?q=a%26b", "/a?q=a%26b"),
        ] {
            assert_eq!(encoded(written), sent);
        }
    }

    #[test]
    fn a_line_for_the_shell_repeats_the_request_and_keeps_the_secret() {
        let sent = Sent {
            method: "POST".to_owned(),
            url: "http://x/a".to_owned(),
            headers: vec![
                ("Authorization".to_owned(), "Bearer 1234".to_owned()),
                ("Content-Type".to_owned(), "application/json".to_owned()),
            ],
            body: Some(r#"{"a": "it's"}"#.to_owned()),
        };
        let wanted = r#"curl -i -X POST 'http://x/a' -H 'Authorization: …' -H 'Content-Type: application/json' --data-binary '{"a": "it'\''s"}'"#;
        assert_eq!(sent.curl(), wanted);
    }
}
