use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// An absolute IRI: the id of an entity, or the full name of a type, an attribute or a dataset.
///
/// Cloning is cheap. Short terms are never held in an `Iri`; they end at the binding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iri(Arc<str>);

/// Ids of entities are IRIs (ETSI GS CIM 009, clause 4.6.1: URI).
pub type EntityId = Iri;

/// The longest IRI that is accepted, in bytes.
pub const MAX_IRI_BYTES: usize = 2_048;

/// Why a text is not an absolute IRI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidIri {
    /// No scheme, or nothing behind it.
    #[error("{0:?} is not an absolute URI: a scheme such as `urn:` or `https:` is missing")]
    NoScheme(String),
    /// A character that no IRI may hold.
    #[error("{text:?} is not a URI: the character {found:?} may not stand in one")]
    Character {
        /// The whole text, cut where it is long.
        text: String,
        /// The first offending character.
        found: char,
    },
    /// Longer than [`MAX_IRI_BYTES`].
    #[error("a URI of {0} bytes is longer than the {MAX_IRI_BYTES} that are accepted")]
    TooLong(usize),
}

impl Iri {
    /// Checks that `text` is an absolute IRI (RFC 3987: scheme, colon, no forbidden characters).
    pub fn new(text: impl Into<Arc<str>> + AsRef<str>) -> Result<Self, InvalidIri> {
        check(text.as_ref())?;
        Ok(Self(text.into()))
    }

    /// The id of a feature of a layer from a file, `layer.n`. It is unique among layers and no IRI,
    /// because such a feature is in no twin.
    pub fn of_feature(layer: &str, place: u64) -> Self {
        Self(format!("{layer}.{place}").into())
    }

    /// The id of a feature of a layer, where the text is one.
    pub fn parse_feature(text: &str) -> Option<Self> {
        let (layer, number) = text.rsplit_once('.')?;
        let place = number.parse().ok()?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let id = Self::of_feature(layer, place);
        let is_id = !layer.is_empty() && layer.bytes().all(is_plain) && *id.0 == *text;
        is_id.then_some(id)
    }

    /// The IRI as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The shared text.
    pub fn into_inner(self) -> Arc<str> {
        self.0
    }
}

fn check(text: &str) -> Result<(), InvalidIri> {
    if text.len() > MAX_IRI_BYTES {
        return Err(InvalidIri::TooLong(text.len()));
    }
    let Some(colon) = text.bytes().position(|b| b == b':') else {
        return Err(InvalidIri::NoScheme(shorten(text)));
    };
    let scheme = &text.as_bytes()[..colon];
    let scheme_is_valid = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if !scheme_is_valid || colon + 1 == text.len() {
        return Err(InvalidIri::NoScheme(shorten(text)));
    }
    if text.bytes().all(|byte| PLAIN[usize::from(byte)]) {
        return Ok(());
    }
    match text.chars().find(|c| is_forbidden(*c)) {
        Some(found) => Err(InvalidIri::Character { text: shorten(text), found }),
        None => Ok(()),
    }
}

/// The ASCII characters that are not forbidden, of which most IRIs are made.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = b'!';
    while byte < 0x7f {
        plain[byte as usize] = !is_forbidden_ascii(byte);
        byte += 1;
    }
    plain
};

const fn is_forbidden_ascii(byte: u8) -> bool {
    byte <= b' '
        || matches!(byte, b'<' | b'>' | b'"' | b'{' | b'}' | b'|' | b'\\' | b'^' | b'`' | 0x7f)
}

fn is_forbidden(c: char) -> bool {
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => is_forbidden_ascii(byte),
        _ => is_unseen(c),
    }
}

/// Beyond ASCII: what no IRI holds (RFC 3987, section 2.2), what turns text around (section 4.1),
/// and what leaves no mark, so that two ids would look alike.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

fn shorten(text: &str) -> String {
    text.chars().take(120).collect()
}

impl AsRef<str> for Iri {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Iri {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Iri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Iri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urns_and_urls_are_accepted() {
        for text in ["urn:ngsi-ld:Sensor:1", "https://example.org/a?b#c", "a:b", "urn:ngsi-ld:Ä:ö"]
        {
            assert_eq!(Iri::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn relative_and_broken_texts_are_refused() {
        for text in
            ["", "x", "a b:c", ":x", "urn:", "1a:b", "urn:a b", "urn:a<b>", "urn:\u{0}", "urn:a\\b"]
        {
            assert!(Iri::new(text).is_err(), "{text:?} was accepted");
        }
        assert!(Iri::new(format!("urn:{}", "x".repeat(3_000))).is_err());
    }

    #[test]
    fn what_nobody_can_see_is_refused() {
        for unseen in "\u{a0}\u{115f}\u{200b}\u{2028}\u{202e}\u{2800}\u{3164}\u{fdd0}\u{fe0f}\u{feff}\u{ffa0}\u{fffe}\u{1fffe}\u{e0100}".chars() {
            assert!(Iri::new(format!("urn:a{unseen}b")).is_err(), "{unseen:?} was accepted");
        }
        for seen in ["urn:日本", "urn:Ω", "urn:עברית", "urn:\u{1f333}"] {
            assert!(Iri::new(seen).is_ok(), "{seen:?} was refused");
        }
    }
}
