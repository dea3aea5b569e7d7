use std::borrow::Cow;

use axum::http::header::{CONTENT_TYPE, LINK};
use axum::http::{HeaderMap, StatusCode};
use cardo_http::{media_type_of, parse_links};

use crate::fault::Fault;

const CONTEXT_REL: &str = "http://www.w3.org/ns/json-ld#context";

/// The context that a `Link` header names.
pub(crate) type LinkContext<'a> = Option<Cow<'a, str>>;

/// Where the context of a request with a body stands (clause 6.3.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BodyContext<'a> {
    /// `application/json`: in the `Link` header, or it is the core.
    Link(LinkContext<'a>),
    /// `application/ld+json`: in the body.
    Body,
}

/// The URL in the `Link` header (JSON-LD 1.1, section 6.1).
pub(crate) fn link_context(headers: &HeaderMap) -> Result<LinkContext<'_>, Fault> {
    let mut found: LinkContext<'_> = None;
    for header in headers.get_all(LINK) {
        let malformed = || Fault::bad_data("the Link header is malformed");
        let text = header.to_str().map_err(|_| malformed())?;
        for link in parse_links(text).ok_or_else(malformed)? {
            if !link.rel.iter().any(|rel| rel == CONTEXT_REL) {
                continue;
            }
            if found.as_deref().is_some_and(|url| url != link.target) {
                return Err(Fault::bad_data("the Link header names two contexts"));
            }
            found = Some(Cow::Borrowed(link.target));
        }
    }
    Ok(found)
}

/// Checks the media type of a body and says where its context stands (clauses 6.3.4 and 6.3.5).
pub(crate) fn body_kind(headers: &HeaderMap, is_patch: bool) -> Result<BodyContext<'_>, Fault> {
    let content_type =
        headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = media_type_of(content_type);
    let is = |other: &str| media_type.eq_ignore_ascii_case(other);
    if is("application/json") || (is_patch && is("application/merge-patch+json")) {
        return Ok(BodyContext::Link(link_context(headers)?));
    }
    if is("application/ld+json") {
        return match link_context(headers)? {
            None => Ok(BodyContext::Body),
            Some(url) => Err(Fault::bad_data(format!(
                "application/ld+json carries its @context in the body, but the Link header names {url:?}"
            ))),
        };
    }
    Err(Fault::Bare(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(axum::http::HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    const ONE: &str = r#"<https://e.org/a>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json""#;
    const TWO: &str = "<https://e.org/b>;rel=http://www.w3.org/ns/json-ld#context";

    #[test]
    fn the_link_header_names_at_most_one_context() {
        assert_eq!(link_context(&headers(&[])).unwrap(), None);
        assert_eq!(link_context(&headers(&[(LINK, "</x>;rel=next")])).unwrap(), None);
        assert_eq!(link_context(&headers(&[(LINK, ONE)])).unwrap().unwrap(), "https://e.org/a");
        assert_eq!(
            link_context(&headers(&[(LINK, ONE), (LINK, ONE)])).unwrap().unwrap(),
            "https://e.org/a"
        );
        assert!(link_context(&headers(&[(LINK, ONE), (LINK, TWO)])).is_err());
        assert!(link_context(&headers(&[(LINK, "nonsense")])).is_err());
    }

    #[test]
    fn the_media_type_says_where_the_context_stands() {
        let kind = |media_type, link: Option<&'static str>, is_patch| {
            let mut headers = headers(&[(CONTENT_TYPE, media_type)]);
            if let Some(link) = link {
                headers.insert(LINK, HeaderValue::from_static(link));
            }
            body_kind(&headers, is_patch).map(|kind| format!("{kind:?}")).map_err(|_| ())
        };
        assert_eq!(kind("application/json; charset=utf-8", None, false), Ok("Link(None)".into()));
        assert_eq!(
            kind("application/json", Some(ONE), false),
            Ok("Link(Some(\"https://e.org/a\"))".into())
        );
        assert_eq!(kind("application/ld+json", None, false), Ok("Body".into()));
        assert!(kind("application/ld+json", Some(ONE), false).is_err());
        assert!(kind("application/merge-patch+json", None, false).is_err());
        assert!(kind("application/merge-patch+json", None, true).is_ok());
        assert!(kind("text/plain", None, false).is_err());
    }
}
