use std::borrow::Cow;
use std::fmt::Write;

use axum::http::HeaderValue;

/// One link of a `Link` header (RFC 8288, section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkValue<'a> {
    /// The target, as it stands between `<` and `>`.
    pub target: &'a str,
    /// The relation types.
    pub rel: Vec<Cow<'a, str>>,
    /// The media type of the target.
    pub media_type: Option<Cow<'a, str>>,
}

/// Reads a `Link` header; `None` where it is malformed.
pub fn parse_links(header: &str) -> Option<Vec<LinkValue<'_>>> {
    let mut links = Vec::new();
    let mut rest = header.trim();
    while !rest.is_empty() {
        let (target, behind) = rest.strip_prefix('<')?.split_once('>')?;
        let mut link = LinkValue { target: target.trim(), rel: Vec::new(), media_type: None };
        rest = parse_parameters(behind.trim_start(), &mut link)?;
        links.push(link);
        rest = rest.trim_start_matches([',', ' ', '\t']);
    }
    Some(links)
}

fn parse_parameters<'a>(mut rest: &'a str, link: &mut LinkValue<'a>) -> Option<&'a str> {
    while let Some(behind) = rest.strip_prefix(';') {
        let behind = behind.trim_start();
        let end = behind.find(['=', ';', ',']).unwrap_or(behind.len());
        let name = behind[..end].trim();
        rest = &behind[end..];
        let Some(value) = rest.strip_prefix('=') else { continue };
        let (value, behind) = parse_value(value.trim_start())?;
        rest = behind.trim_start();
        // Only the first parameter of a name counts (RFC 8288, sections 3.3 and 3.4.1).
        if name.eq_ignore_ascii_case("rel") && link.rel.is_empty() {
            link.rel =
                value.split_ascii_whitespace().map(|rel| Cow::Owned(rel.to_owned())).collect();
        } else if name.eq_ignore_ascii_case("type") && link.media_type.is_none() {
            link.media_type = Some(value);
        }
    }
    (rest.is_empty() || rest.starts_with(',')).then_some(rest)
}

fn parse_value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',', ' ', '\t']).unwrap_or(text.len());
        return Some((Cow::Borrowed(&text[..end]), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((Cow::Owned(value), &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

/// Links to the pages before and behind an answer.
#[derive(Debug, Clone, Copy)]
pub struct PageLinks<'a> {
    /// The address of the request, without its query.
    pub path: &'a str,
    /// Its raw query string.
    pub query: Option<&'a str>,
    /// The page size.
    pub limit: usize,
    /// The media type of the answer.
    pub media_type: &'a str,
}

impl PageLinks<'_> {
    /// A link to the same question at another offset, one text however the question was written: by
    /// name, and encoded only where that is needed. `None` where the request's own address holds what
    /// no header can.
    pub fn to_offset(&self, offset: usize, rel: &str) -> Option<HeaderValue> {
        let (limit, offset) = (format!("limit={}", self.limit), format!("offset={offset}"));
        let name = |pair: &str| pair.split('=').next().unwrap_or("").len();
        let kept = self.query.unwrap_or("").split('&');
        let kept = kept.filter(|pair| !matches!(&pair[..name(pair)], "" | "limit" | "offset"));
        let mut pairs: Vec<&str> = kept.chain([limit.as_str(), offset.as_str()]).collect();
        pairs.sort_by_key(|pair| &pair[..name(pair)]);
        let mut link = String::with_capacity(192);
        link.push('<');
        link.push_str(self.path);
        for (at, pair) in pairs.into_iter().enumerate() {
            link.push(if at == 0 { '?' } else { '&' });
            push_plain(pair, &mut link);
        }
        let _ = write!(link, ">;rel=\"{rel}\";type=\"{}\"", self.media_type);
        HeaderValue::try_from(link).ok()
    }
}

/// Decodes what a query may hold as it is (RFC 3986, section 3.4), but for what separates within a query or a
/// header.
fn push_plain(pair: &str, out: &mut String) {
    let mut rest = pair;
    while let Some((before, behind)) = rest.split_once('%') {
        out.push_str(before);
        let byte = behind.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:@/*!$()".contains(byte);
        if let Some(byte) = byte.filter(is_plain) {
            out.push(char::from(byte));
            rest = &behind[2..];
        } else {
            out.push('%');
            rest = behind;
        }
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONTEXT: &str = "http://www.w3.org/ns/json-ld#context";

    #[test]
    fn links_are_read_in_all_their_forms() {
        let header = r#"<https://e.org/c.jsonld>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json", </next>;rel=next;title="a, \"b\"; c" , <x>"#;
        let links = parse_links(header).unwrap();
        assert_eq!(links.len(), 3);
        assert_eq!(links[0].target, "https://e.org/c.jsonld");
        assert_eq!(links[0].rel, [CONTEXT]);
        assert_eq!(links[0].media_type.as_deref(), Some("application/ld+json"));
        assert_eq!(
            (links[1].target, links[1].rel.as_slice()),
            ("/next", [Cow::from("next")].as_slice())
        );
        assert!(links[2].rel.is_empty());
        assert_eq!(parse_links("<a>;rel=\"next prev\"").unwrap()[0].rel, ["next", "prev"]);
        assert_eq!(parse_links(""), Some(Vec::new()));
    }

    #[test]
    fn broken_links_are_refused() {
        for header in ["a", "<a", "<a>;rel=\"x", "<a> b", "<a>;rel=\"x\" y"] {
            assert_eq!(parse_links(header), None, "{header}");
        }
    }

    #[test]
    fn a_page_link_keeps_the_question() {
        let links = PageLinks {
            path: "/entities",
            query: Some("type=T&offset=5&limit=2&q=a%3D%3D1"),
            limit: 2,
            media_type: "application/json",
        };
        assert_eq!(
            links.to_offset(7, "next").unwrap(),
            "</entities?limit=2&offset=7&q=a%3D%3D1&type=T>;rel=\"next\";type=\"application/json\""
        );
        let encoded = PageLinks { query: Some("type=T&id=urn%3Ax%3A%2A%2C%C3%A4&g=%+%2"), ..links };
        assert_eq!(
            encoded.to_offset(0, "prev").unwrap(),
            "</entities?g=%+%2&id=urn:x:*%2C%C3%A4&limit=2&offset=0&type=T>;rel=\"prev\";type=\"application/json\""
        );
        let bare = PageLinks { query: None, ..links };
        assert_eq!(
            bare.to_offset(0, "prev").unwrap(),
            "</entities?limit=2&offset=0>;rel=\"prev\";type=\"application/json\""
        );
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(text in "[<>;,=\" a-z\\\\]{0,40}") {
            let _ = parse_links(&text);
        }

        #[test]
        fn a_page_link_asks_what_was_asked(query in "([a-d=&+]|%[2-7][0-9A-F]){0,20}") {
            let links =
                PageLinks { path: "/e", query: Some(&query), limit: 2, media_type: "text/plain" };
            let link = links.to_offset(3, "next").unwrap();
            let target = link.to_str().unwrap().split('>').next().unwrap();
            let decoded = |text: &str| {
                let named = text.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with('='));
                let mut pairs: Vec<String> = named
                    .map(|pair| crate::query_decode(pair).expect("it is well-formed").into_owned())
                    .collect();
                pairs.sort();
                pairs
            };
            let wanted = format!("{query}&limit=2&offset=3");
            prop_assert_eq!(decoded(target.strip_prefix("</e?").unwrap()), decoded(&wanted));
        }
    }
}
