//! Downloads that are asked for only where they have changed.

use cardo_egress::header::{
    CONTENT_TYPE, ETAG, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use cardo_egress::{Bytes, Gate, HeaderMap, HeaderValue, Request, StatusCode, Url};

use super::SourceConfig;
use crate::error::IngestError;

/// What a server said to tell one version from another (RFC 9110, sections 8.8 and 13.1).
#[derive(Clone, Debug, Default)]
pub(super) struct Validators {
    tag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
}

/// A body with its validators, which count once its data are durable.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) body: Bytes,
    pub(super) url: Url,
    pub(super) validators: Validators,
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        let get = |name: HeaderName| headers.get(name).cloned();
        Self { tag: get(ETAG), modified: get(LAST_MODIFIED) }
    }

    fn ask(&self, headers: &mut HeaderMap) {
        // Where there is a tag, the time is not looked at (section 13.1.3).
        let header = match (&self.tag, &self.modified) {
            (Some(tag), _) => (IF_NONE_MATCH, tag),
            (None, Some(modified)) => (IF_MODIFIED_SINCE, modified),
            (None, None) => return,
        };
        headers.insert(header.0, header.1.clone());
    }
}

/// Downloads an address; `None` where it has not changed. Errors name the address without its
/// query, which may hold a key.
pub(super) async fn fetch(
    gate: &Gate,
    config: &SourceConfig,
    address: &str,
    known: &Validators,
) -> Result<Option<Fetched>, IngestError> {
    let shown = shown(address);
    let failed = |reason: String| IngestError::Download {
        url: shown.clone(),
        reason: reason.replace(address, &shown),
    };
    let headers = config.request_headers().map_err(&failed)?;
    let mut request = Request { headers, ..Request::get(address) };
    known.ask(&mut request.headers);
    let response = gate.send(request).await.map_err(|error| failed(error.to_string()))?;
    if response.status == StatusCode::NOT_MODIFIED {
        return Ok(None);
    }
    if !response.status.is_success() {
        return Err(failed(format!("the answer was {}", response.status)));
    }
    if is_page(&response.headers, &response.body) {
        return Err(failed(format!(
            "the answer was {} with a web page (HTML) in place of data",
            response.status
        )));
    }
    let validators = Validators::of(&response.headers);
    Ok(Some(Fetched { body: response.body, url: response.url, validators }))
}

/// Whether a person was meant: the page of a login, of an error, of a proxy.
fn is_page(headers: &HeaderMap, body: &[u8]) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media = media.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start();
    let begins = |text: &[u8]| body.get(..text.len()).is_some_and(|b| b.eq_ignore_ascii_case(text));
    matches!(media.as_str(), "text/html" | "application/xhtml+xml") && body.first() == Some(&b'<')
        || begins(b"<!doctype html")
        || begins(b"<html")
}

/// An address without what may be secret in it.
pub(super) fn shown(address: &str) -> String {
    match Url::parse(address) {
        Ok(mut url) => {
            if url.query().is_some() {
                url.set_query(Some("…"));
            }
            // Only addresses that cannot have a user fail here.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string().replace("%E2%80%A6", "…")
        }
        Err(_) => "the address".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_addresses_are_not_shown() {
        assert_eq!(shown("https://a.example/x?key=secret"), "https://a.example/x?…");
        assert_eq!(shown("https://a.example/x"), "https://a.example/x");
    }

    #[test]
    fn a_page_is_told_from_data() {
        let html =
            HeaderMap::from_iter([(CONTENT_TYPE, "text/html; charset=utf-8".parse().unwrap())]);
        let none = HeaderMap::new();
        assert!(is_page(&html, b"<p>Log in</p>"));
        assert!(is_page(&none, b"\n<!DOCTYPE html><html>"));
        assert!(is_page(&none, b"<HTML>"));
        // Feeds with the wrong media type are common.
        assert!(!is_page(&html, b"{\"type\":\"FeatureCollection\"}"));
        assert!(!is_page(&none, b"<?xml version=\"1.0\"?>"));
    }
}
