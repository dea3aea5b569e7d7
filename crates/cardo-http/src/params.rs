use std::borrow::Cow;

use smallvec::SmallVec;

/// The parameters of a query string, each at most once, all of a closed list.
#[derive(Debug, Clone, Default)]
pub struct Params<'a> {
    pairs: SmallVec<[(&'static str, Cow<'a, str>); 8]>,
}

/// Why a query string was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamError {
    /// The operation has no such parameter.
    #[error("{0:?} is not a parameter of this operation")]
    Unknown(String),
    /// The operation has it, but it is not built yet.
    #[error("the parameter {0:?} is not implemented")]
    Unbuilt(&'static str),
    /// Given more than once.
    #[error("the parameter {0:?} is given more than once")]
    Repeated(&'static str),
    /// Percent-encoding that is no UTF-8.
    #[error("the parameter {0:?} is not UTF-8 in percent-encoding")]
    Encoding(String),
    /// Too many parameters.
    #[error("more than {0} parameters")]
    TooMany(usize),
}

const MAX_PARAMS: usize = 64;

impl<'a> Params<'a> {
    /// Reads a raw query string. `known` are the parameters of the operation, `unbuilt` those
    /// that its standard knows and this program does not do yet.
    pub fn parse(
        raw: Option<&'a str>,
        known: &[&'static str],
        unbuilt: &[&'static str],
    ) -> Result<Self, ParamError> {
        let mut params = Self::default();
        let Some(raw) = raw else { return Ok(params) };
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or_else(|| ParamError::Encoding(shorten(name)))?;
            let find = |list: &[&'static str]| list.iter().find(|known| **known == name).copied();
            let Some(name) = find(known) else {
                return Err(match find(unbuilt) {
                    Some(name) => ParamError::Unbuilt(name),
                    None => ParamError::Unknown(shorten(&name)),
                });
            };
            let value = decode(value).ok_or_else(|| ParamError::Encoding(name.to_owned()))?;
            if params.get(name).is_some() {
                return Err(ParamError::Repeated(name));
            }
            if params.pairs.len() == MAX_PARAMS {
                return Err(ParamError::TooMany(MAX_PARAMS));
            }
            params.pairs.push((name, value));
        }
        Ok(params)
    }

    /// The decoded value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref())
    }

    /// Whether a parameter was given.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All parameters with their decoded values, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.pairs.iter().map(|(name, value)| (*name, value.as_ref()))
    }
}

/// Reads a part of a query string, `application/x-www-form-urlencoded`; `None` where that is no
/// UTF-8 in percent-encoding.
pub fn query_decode(text: &str) -> Option<Cow<'_, str>> {
    decode(text)
}

/// Reads a segment of a path, where `+` is no space; `None` where it is no UTF-8 in
/// percent-encoding.
pub fn path_decode(segment: &str) -> Option<Cow<'_, str>> {
    if !segment.contains('+') {
        return decode(segment);
    }
    let encoded = segment.replace('+', "%2B");
    decode(&encoded).map(|text| Cow::Owned(text.into_owned()))
}

/// Without allocation where nothing is encoded.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'+' => out.push(b' '),
            b'%' => {
                let high = char::from(*bytes.get(at + 1)?).to_digit(16)?;
                let low = char::from(*bytes.get(at + 2)?).to_digit(16)?;
                out.push(u8::try_from(high * 16 + low).ok()?);
                at += 2;
            }
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KNOWN: [&str; 3] = ["type", "q", "limit"];

    fn parse(raw: &str) -> Result<Params<'_>, ParamError> {
        Params::parse(Some(raw), &KNOWN, &["lang"])
    }

    #[test]
    fn known_parameters_are_decoded() {
        let params = parse("type=Sensor&q=name==%22a+b%22&&limit").unwrap();
        assert_eq!(params.get("type"), Some("Sensor"));
        assert_eq!(params.get("q"), Some("name==\"a b\""));
        assert_eq!(params.get("limit"), Some(""));
        assert!(!params.has("offset"));
        assert!(Params::parse(None, &KNOWN, &[]).unwrap().iter().next().is_none());
    }

    #[test]
    fn unknown_unbuilt_repeated_and_broken_ones_are_told_apart() {
        assert_eq!(parse("typ=a").unwrap_err(), ParamError::Unknown("typ".into()));
        assert_eq!(parse("lang=fi").unwrap_err(), ParamError::Unbuilt("lang"));
        assert_eq!(parse("q=a&q=b").unwrap_err(), ParamError::Repeated("q"));
        for broken in ["q=%f", "q=%zz", "q=%ff", "q=%C3%28"] {
            assert_eq!(parse(broken).unwrap_err(), ParamError::Encoding("q".into()));
        }
    }

    #[test]
    fn a_plus_is_a_space_in_a_query_and_itself_in_a_path() {
        assert_eq!(query_decode("a+b%2Bc").unwrap(), "a b+c");
        assert_eq!(path_decode("a+b%20c").unwrap(), "a+b c");
        assert_eq!(path_decode("%2").or(query_decode("%zz")), None);
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "\\PC{0,40}") {
            let encoded = text.bytes().fold(String::new(), |out, byte| out + &format!("%{byte:02X}"));
            let raw = format!("q={encoded}");
            let params = parse(&raw).unwrap();
            prop_assert_eq!(params.get("q"), Some(text.as_str()));
        }

        #[test]
        fn any_query_string_is_read_or_refused(raw in "\\PC{0,60}") {
            let _ = parse(&raw);
        }
    }
}
