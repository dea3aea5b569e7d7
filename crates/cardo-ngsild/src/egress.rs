use std::time::{Duration, SystemTime};

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

/// `s-maxage`, else `max-age`, else `Expires` (clause 6.3.16); nothing where a copy is not wanted.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let control = headers.get_all(header::CACHE_CONTROL).iter();
    let directives: Vec<(&str, &str)> = control
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|part| part.trim().split_once('=').unwrap_or((part.trim(), "")))
        .collect();
    let find = |name: &str| directives.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    if find("no-store").is_some() || find("no-cache").is_some() {
        return Some(Duration::ZERO);
    }
    let seconds = |name| find(name)?.1.trim_matches('"').parse().ok().map(Duration::from_secs);
    seconds("s-maxage").or_else(|| seconds("max-age")).or_else(|| expires(headers))
}

/// How long it is until `Expires`, by the clock of who says it; what is no date is over (RFC 9111,
/// section 5.3).
fn expires(headers: &HeaderMap) -> Option<Duration> {
    let date = |name| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok();
    headers.get(header::EXPIRES)?;
    let now = date(header::DATE).unwrap_or_else(SystemTime::now);
    let end = date(header::EXPIRES).and_then(|end| end.duration_since(now).ok());
    Some(end.unwrap_or_default())
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
        assert_eq!(age("no-store"), Some(Duration::ZERO));
        assert_eq!(age("no-cache, max-age=60"), Some(Duration::ZERO));
        assert_eq!(age("public"), None);
        assert_eq!(max_age(&HeaderMap::new()), None);
    }

    #[test]
    fn the_end_of_a_download_is_read_by_the_clock_of_its_server() {
        let age = |expires: &'static str, control: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::EXPIRES, HeaderValue::from_static(expires));
            headers.insert(header::DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
            if let Some(control) = control {
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
            }
            max_age(&headers)
        };
        let minute = Some(Duration::from_secs(60));
        assert_eq!(age("Sun, 06 Nov 1994 08:50:37 GMT", None), minute);
        assert_eq!(age("Sun, 06 Nov 1994 08:00:00 GMT", None), Some(Duration::ZERO));
        assert_eq!(age("0", None), Some(Duration::ZERO));
        assert_eq!(age("0", Some("max-age=60")), minute);
    }
}
