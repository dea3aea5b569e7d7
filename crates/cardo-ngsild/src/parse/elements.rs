use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::error::{DataFault, InvalidInput, shorten};
use super::members::{Members, members_of, raw_of_body};

/// The elements of a batch. Batches are large, so their text is gone through once: an array of
/// objects comes apart into their members at once.
pub(crate) struct Elements<'a> {
    /// The first elements, as many as are kept.
    pub(crate) first: Vec<Element<'a>>,
    /// How many there are.
    pub(crate) count: usize,
}

/// An element of a batch.
pub(crate) enum Element<'a> {
    /// As it should be.
    Object(Members<'a>),
    /// Anything else, as it is shown in errors.
    Other(String),
    /// The JSON literal.
    Null,
}

/// Keeps so many elements and counts the others: each takes far more room than its text.
struct Most(usize);

impl<'a> Elements<'a> {
    /// Reads an array out of a body, of which so many elements are kept.
    pub(crate) fn from_body(body: &'a [u8], most: usize) -> Result<Self, InvalidInput> {
        if !body.trim_ascii_start().starts_with(b"[") {
            let raw = raw_of_body(body)?;
            return Err(DataFault::Expected(shorten(raw.get()), "a JSON array").into());
        }
        let not_json = |reason: String| InvalidInput::NotJson(reason);
        let text = std::str::from_utf8(body).map_err(|error| not_json(error.to_string()))?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let elements = Most(most).deserialize(&mut deserializer);
        let elements = elements.and_then(|elements| deserializer.end().map(|()| elements));
        elements.map_err(|error| not_json(error.to_string()))
    }
}

impl<'de> DeserializeSeed<'de> for Most {
    type Value = Elements<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Most {
    type Value = Elements<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut first = Vec::new();
        while first.len() < self.0 {
            let Some(element) = seq.next_element()? else { break };
            first.push(element);
        }
        let mut count = first.len();
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Elements { first, count })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Element<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Element<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                members_of(map).map(Element::Object)
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Element::Null)
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Element::Other(value.to_string()))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Element::Other(value.to_string()))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Element::Other(value.to_string()))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Element::Other(value.to_string()))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
                Ok(Element::Other(format!("{:?}", shorten(value))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Element::Other("an array".to_owned()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
