use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

/// JSON in canonical text: no white space, no needless escapes, every number finite.
///
/// Numbers keep the digits they were sent with, so that nothing is lost in binary fractions.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JsonText(Box<str>);

/// How deep arrays and objects may nest.
pub const MAX_JSON_DEPTH: usize = 64;

/// Why a text cannot be held as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidJson {
    /// Not JSON at all.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// Nested deeper than [`MAX_JSON_DEPTH`].
    #[error("JSON nested deeper than {MAX_JSON_DEPTH} levels")]
    TooDeep,
    /// A number beyond the range of binary floating point.
    #[error("the number {0} is too large")]
    NumberTooLarge(String),
}

impl JsonText {
    /// Checks that `text` is JSON and brings it into canonical form.
    pub fn parse(text: &str) -> Result<Self, InvalidJson> {
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| InvalidJson::Syntax(error.to_string()))?;
        Self::from_raw(raw)
    }

    /// Brings JSON that a parser has accepted into canonical form.
    pub fn from_raw(raw: &RawValue) -> Result<Self, InvalidJson> {
        canonical(raw.get()).map(|text| Self(text.into()))
    }

    /// The canonical text of a string.
    pub fn string(text: &str) -> Self {
        let quoted = serde_json::to_string(text).expect("a string is always JSON");
        Self(quoted.into())
    }

    /// The canonical text of a list of strings.
    pub fn strings<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let list: Vec<&str> = texts.into_iter().collect();
        Self(serde_json::to_string(&list).expect("strings are always JSON").into())
    }

    /// The canonical text of a value that is already parsed.
    pub fn from_value(value: &serde_json::Value) -> Self {
        Self(value.to_string().into())
    }

    /// Takes text that is known to be canonical, such as that of a record.
    pub fn from_canonical(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<JsonText> for Box<str> {
    fn from(json: JsonText) -> Self {
        json.0
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn canonical(text: &str) -> Result<Cow<'_, str>, InvalidJson> {
    let bytes = text.as_bytes();
    let is_plain = match bytes.first() {
        Some(b'"') => !text.contains('\\'),
        Some(b't' | b'f' | b'n') => true,
        Some(b'-' | b'0'..=b'9') => !may_overflow(text),
        _ => false,
    };
    if is_plain {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'"' => at + string_length(&bytes[at..]),
            b'-' | b'0'..=b'9' => at + number_length(&bytes[at..]),
            _ => at + 1,
        };
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_JSON_DEPTH {
                    return Err(InvalidJson::TooDeep);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'-' | b'0'..=b'9' => check_number(&text[at..end])?,
            _ => {}
        }
        push_token(&text[at..end], &mut out)?;
        at = end;
    }
    Ok(Cow::Owned(out))
}

fn string_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn number_length(bytes: &[u8]) -> usize {
    let is_part = |b: &u8| matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
    bytes.iter().take_while(|b| is_part(b)).count()
}

fn check_number(text: &str) -> Result<(), InvalidJson> {
    if may_overflow(text) && !text.parse::<f64>().is_ok_and(f64::is_finite) {
        let shown = text.chars().take(40).collect();
        return Err(InvalidJson::NumberTooLarge(shown));
    }
    Ok(())
}

fn may_overflow(number: &str) -> bool {
    number.len() > 300 || number.bytes().any(|byte| matches!(byte, b'e' | b'E'))
}

fn push_token(token: &str, out: &mut String) -> Result<(), InvalidJson> {
    if token.starts_with('"') && token.contains('\\') {
        let plain: Cow<'_, str> =
            serde_json::from_str(token).map_err(|error| InvalidJson::Syntax(error.to_string()))?;
        out.push_str(JsonText::string(&plain).as_str());
    } else {
        out.push_str(token);
    }
    Ok(())
}

/// Writes a text as a JSON string; most need no escapes and are copied.
pub fn write_json_string(text: &str, out: &mut Vec<u8>) {
    let escapes = |byte| u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\');
    // Looking at all of them goes sixteen and more at a time.
    if text.bytes().fold(0, |found, byte| found | escapes(byte)) == 0 {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(JsonText::string(text).as_str().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn white_space_goes_and_digits_stay() {
        let text = JsonText::parse(" { \"a b\" : [ 1.50 , -2e3, true ] }\n").unwrap();
        assert_eq!(text.as_str(), "{\"a b\":[1.50,-2e3,true]}");
    }

    #[test]
    fn escapes_are_brought_to_one_form() {
        let text = JsonText::parse(r#"["\u00e9\/", "a\"b"]"#).unwrap();
        assert_eq!(text.as_str(), r#"["é/","a\"b"]"#);
    }

    #[test]
    fn deep_huge_and_broken_texts_are_refused() {
        let deep = "[".repeat(65) + &"]".repeat(65);
        assert_eq!(JsonText::parse(&deep), Err(InvalidJson::TooDeep));
        assert!(JsonText::parse(&("[".repeat(64) + &"]".repeat(64))).is_ok());
        assert!(matches!(JsonText::parse("1e999"), Err(InvalidJson::NumberTooLarge(_))));
        for text in ["", "{", "NaN", "Infinity", "[1,]", "'a'", "\"\\ud800\""] {
            assert!(JsonText::parse(text).is_err(), "{text:?} was accepted");
        }
    }

    proptest! {
        #[test]
        fn canonical_text_says_the_same(keys in prop::collection::vec("\\PC{0,8}", 0..5), n in any::<f64>()) {
            prop_assume!(n.is_finite());
            let object: serde_json::Map<_, _> =
                keys.iter().map(|k| (k.clone(), serde_json::json!([n, k]))).collect();
            let value = serde_json::Value::Object(object);
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            let canonical = JsonText::parse(&pretty).unwrap();
            prop_assert_eq!(canonical.as_str(), value.to_string());
        }
    }
}
