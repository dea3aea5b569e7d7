use std::time::Duration;

use async_trait::async_trait;
use cardo_egress::{Gate, HeaderMap, HeaderValue, Request, header};

use crate::contexts::{ContextLoader, ContextUnavailable, LoadedContext};

/// Fetches contexts through the egress gate.
#[derive(Clone)]
pub struct GateLoader {
    gate: Gate,
}

impl GateLoader {
    /// A loader behind this gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

#[async_trait]
impl ContextLoader for GateLoader {
    async fn load(&self, url: &str, limit: usize) -> Result<LoadedContext, ContextUnavailable> {
        let mut request = Request::get(url);
        let accept =
            HeaderValue::from_static("application/ld+json, application/json;q=0.9, */*;q=0.1");
        request.headers.insert(header::ACCEPT, accept);
        request.max_response_bytes = Some(limit);
        let response =
            self.gate.send(request).await.map_err(|error| ContextUnavailable(error.to_string()))?;
        if !response.status.is_success() {
            return Err(ContextUnavailable(format!("it was answered with {}", response.status)));
        }
        let max_age = max_age(&response.headers);
        Ok(LoadedContext { bytes: response.body, max_age })
    }
}

/// `s-maxage`, else `max-age` (clause 6.3.16).
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let control = headers.get(header::CACHE_CONTROL)?.to_str().ok()?;
    let seconds = |name: &str| {
        let mut directives = control.split(',').filter_map(|part| part.trim().split_once('='));
        let (_, value) = directives.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        value.trim_matches('"').parse().ok().map(Duration::from_secs)
    };
    seconds("s-maxage").or_else(|| seconds("max-age"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_download_is_read() {
        let age = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(text));
            max_age(&headers)
        };
        assert_eq!(age("public, max-age=60"), Some(Duration::from_secs(60)));
        assert_eq!(age("max-age=60, s-maxage=\"5\""), Some(Duration::from_secs(5)));
        assert_eq!(age("no-store"), None);
        assert_eq!(max_age(&HeaderMap::new()), None);
    }
}
