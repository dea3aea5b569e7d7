use axum::http::{HeaderMap, HeaderName, HeaderValue};
use cardo_model::Revision;

/// Answers name the revision of the twin that they show.
pub const REVISION: HeaderName = HeaderName::from_static("cardo-revision");
/// A request may ask to be answered by this revision or a later one.
pub const MIN_REVISION: HeaderName = HeaderName::from_static("cardo-min-revision");

/// The value of [`REVISION`].
pub fn revision_header(revision: Revision) -> HeaderValue {
    HeaderValue::from(revision.0)
}

/// The revision that a request waits for; the text that is no revision where it is none.
pub fn min_revision(headers: &HeaderMap) -> Result<Option<Revision>, String> {
    let Some(value) = headers.get(MIN_REVISION) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    match number {
        Some(number) => Ok(Some(Revision(number))),
        None => Err(String::from_utf8_lossy(value.as_bytes()).chars().take(64).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_a_number() {
        let mut headers = HeaderMap::new();
        assert_eq!(min_revision(&headers), Ok(None));
        headers.insert(MIN_REVISION, revision_header(Revision(17)));
        assert_eq!(min_revision(&headers), Ok(Some(Revision(17))));
        headers.insert(MIN_REVISION, HeaderValue::from_static("latest"));
        assert_eq!(min_revision(&headers), Err("latest".to_owned()));
    }
}
