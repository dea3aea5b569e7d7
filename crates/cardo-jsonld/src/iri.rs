//! The small questions JSON-LD asks of a string: is it a keyword, a compact IRI, an IRI?

/// Keywords of JSON-LD 1.1.
const KEYWORDS: &[&str] = &[
    "@base",
    "@container",
    "@context",
    "@default",
    "@direction",
    "@embed",
    "@explicit",
    "@graph",
    "@id",
    "@import",
    "@included",
    "@index",
    "@json",
    "@language",
    "@list",
    "@nest",
    "@none",
    "@omitDefault",
    "@prefix",
    "@preserve",
    "@propagate",
    "@protected",
    "@requireAll",
    "@reverse",
    "@set",
    "@type",
    "@value",
    "@version",
    "@vocab",
];

pub(crate) fn is_keyword(text: &str) -> bool {
    text.starts_with('@') && KEYWORDS.binary_search(&text).is_ok()
}

/// Has the form `@` and letters, which JSON-LD reserves for keywords to come.
pub(crate) fn is_keyword_like(text: &str) -> bool {
    text.strip_prefix('@')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// Splits at the first colon behind the first character.
pub(crate) fn split_compact(text: &str) -> Option<(&str, &str)> {
    let colon = text.bytes().skip(1).position(|b| b == b':')? + 1;
    Some((&text[..colon], &text[colon + 1..]))
}

/// Has the form of an absolute IRI: a scheme, and no character that an IRI may not hold.
pub(crate) fn is_iri(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    let scheme_is_valid = scheme.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    scheme_is_valid && !text.chars().any(is_forbidden)
}

pub(crate) fn is_blank(text: &str) -> bool {
    text.starts_with("_:")
}

/// A simple term whose IRI ends so can serve as a prefix (JSON-LD 1.1, section 4.4).
pub(crate) fn ends_with_delimiter(iri: &str) -> bool {
    iri.ends_with([':', '/', '?', '#', '[', ']', '@'])
}

fn is_forbidden(c: char) -> bool {
    c <= ' '
        || matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`' | '\u{7f}'..='\u{9f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted_for_the_binary_search() {
        assert!(KEYWORDS.is_sorted());
        assert!(is_keyword("@type") && !is_keyword("type") && !is_keyword("@foo"));
        assert!(is_keyword_like("@foo") && !is_keyword_like("@") && !is_keyword_like("@a1"));
    }

    #[test]
    fn a_colon_in_front_splits_nothing() {
        assert_eq!(split_compact(":a"), None);
        assert_eq!(split_compact("a:b:c"), Some(("a", "b:c")));
        assert_eq!(split_compact("é:"), Some(("é", "")));
        assert_eq!(split_compact(""), None);
    }
}
