use std::borrow::Cow;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::request::{Ask, Format, HTML};

/// A link in a document (RFC 8288).
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) href: String,
    pub(crate) rel: &'static str,
    pub(crate) media_type: &'static str,
    pub(crate) title: Cow<'static, str>,
}

impl Link {
    pub(crate) fn new(
        href: String,
        rel: &'static str,
        media_type: &'static str,
        title: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { href, rel, media_type, title: title.into() }
    }
}

/// Links as the member of a document.
pub(crate) fn links_json(links: &[Link]) -> Value {
    let link = |link: &Link| {
        json!({
            "href": link.href,
            "rel": link.rel,
            "type": link.media_type,
            "title": link.title,
        })
    };
    links.iter().map(link).collect()
}

/// The links to a resource itself and to its other encoding; `media_type` is that of JSON.
pub(crate) fn own_links(ask: &Ask<'_>, format: Format, media_type: &'static str) -> Vec<Link> {
    let media = |format| match format {
        Format::Json => media_type,
        Format::Html => HTML,
    };
    let other = format.other();
    let elsewhere = ask.url_with(&[("f", Some(other.as_str()))]);
    let title = match other {
        Format::Json => "This document as JSON",
        Format::Html => "This document as a page",
    };
    vec![
        Link::new(ask.own_url(), "self", media(format), "This document"),
        Link::new(elsewhere, "alternate", media(other), title),
    ]
}

/// Encodes what may not stand in a segment of a path (RFC 3986, section 3.3).
pub(crate) fn encode_segment(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*,;=:@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
