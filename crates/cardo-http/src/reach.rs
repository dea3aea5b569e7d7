use std::sync::Arc;

use axum::http::header::VIA;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use cardo_engine::{Engine, Forwarding, QueryError, Reach};
use cardo_model::TwinId;

/// How far the answer to a request reaches: to the context sources that are registered for the
/// twin, which is loaded where that is not known otherwise. Where none is registered, nothing of the
/// request is looked at.
#[inline]
pub async fn reach(
    engine: &Engine,
    headers: &HeaderMap,
    twin: &TwinId,
) -> Result<Reach, QueryError> {
    if !engine.may_have_sources(twin) {
        return Ok(Reach::Local);
    }
    engine.ready(twin).await?;
    Ok(if engine.may_have_sources(twin) { far(engine, headers, twin) } else { Reach::Local })
}

/// The same, whether sources are registered or not.
#[cold]
pub fn far(engine: &Engine, headers: &HeaderMap, twin: &TwinId) -> Reach {
    Reach::Sources(Arc::new(Forwarding {
        alias: engine.alias(twin),
        passed: passed(headers),
        said: headers.iter().filter_map(said).collect(),
        ..Forwarding::default()
    }))
}

/// The pseudonyms in the `Via` headers, first to last (RFC 9110, section 7.6.3).
fn passed(headers: &HeaderMap) -> Vec<Box<str>> {
    let texts = headers.get_all(VIA).iter().filter_map(|value| value.to_str().ok());
    let parts = texts.flat_map(|text| text.split(','));
    parts.filter_map(|part| part.split_whitespace().nth(1)).map(Box::from).collect()
}

fn said((name, value): (&HeaderName, &HeaderValue)) -> Option<(Box<str>, Box<str>)> {
    Some((name.as_str().into(), value.to_str().ok()?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_are_read_in_their_order_from_all_via_headers() {
        let mut headers = HeaderMap::new();
        headers.append(VIA, HeaderValue::from_static("1.1 north, 1.0 south (comment)"));
        headers.append(VIA, HeaderValue::from_static("HTTP/2.0 east"));
        let names: Vec<Box<str>> = passed(&headers);
        assert_eq!(
            names.iter().map(|name| &**name).collect::<Vec<_>>(),
            ["north", "south", "east"]
        );
    }
}
