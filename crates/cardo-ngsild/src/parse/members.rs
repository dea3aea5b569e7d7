use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{DataFault, InvalidInput, shorten};

/// The members of a JSON object in the order in which they came, their values still text.
pub(crate) struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// The items of a JSON array, still text.
pub(crate) struct Items<'a>(pub(crate) Vec<&'a RawValue>);

impl<'a> Members<'a> {
    /// Reads an object out of a body.
    pub(crate) fn from_body(body: &'a [u8]) -> Result<Self, InvalidInput> {
        let raw = raw_of_body(body)?;
        Self::of(raw)
    }

    /// Reads an object out of checked JSON.
    pub(crate) fn of(raw: &'a RawValue) -> Result<Self, InvalidInput> {
        if !raw.get().starts_with('{') {
            return Err(DataFault::Expected(shorten(raw.get()), "a JSON object").into());
        }
        serde_json::from_str(raw.get()).map_err(|error| InvalidInput::NotJson(error.to_string()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, raw)| (name.as_ref(), *raw))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of a member; an error where it is given twice.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&'a RawValue>, InvalidInput> {
        let mut found = self.0.iter().filter(|(own, _)| own == name);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(DataFault::Twice(shorten(name)).into()),
            (found, _) => Ok(found.map(|(_, raw)| *raw)),
        }
    }

    /// The value of a keyword or its alias, such as `id` and `@id` (clause 4.4).
    pub(crate) fn keyword(
        &self,
        alias: &str,
        keyword: &str,
    ) -> Result<Option<&'a RawValue>, InvalidInput> {
        match (self.get(alias)?, self.get(keyword)?) {
            (Some(one), Some(two)) if one.get() != two.get() => {
                Err(DataFault::Twice(alias.to_owned()).into())
            }
            (one, two) => Ok(one.or(two)),
        }
    }

    /// A name that is given twice.
    pub(crate) fn repeated(&self) -> Option<&str> {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    }

    /// The same members but one.
    pub(crate) fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(own, _)| own != name).cloned().collect())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }
}

impl<'a> Items<'a> {
    pub(crate) fn from_body(body: &'a [u8]) -> Result<Self, InvalidInput> {
        // A long array is gone through once and not checked beforehand.
        if body.trim_ascii_start().starts_with(b"[") {
            return serde_json::from_slice(body)
                .map_err(|error| InvalidInput::NotJson(error.to_string()));
        }
        Self::of(raw_of_body(body)?)
    }

    pub(crate) fn of(raw: &'a RawValue) -> Result<Self, InvalidInput> {
        if !raw.get().starts_with('[') {
            return Err(DataFault::Expected(shorten(raw.get()), "a JSON array").into());
        }
        serde_json::from_str(raw.get()).map_err(|error| InvalidInput::NotJson(error.to_string()))
    }
}

pub(super) fn raw_of_body(body: &[u8]) -> Result<&RawValue, InvalidInput> {
    serde_json::from_slice(body).map_err(|error| InvalidInput::NotJson(error.to_string()))
}

/// A string, borrowed where it holds no escapes.
pub(crate) fn string<'a>(
    raw: &'a RawValue,
    what: &'static str,
) -> Result<Cow<'a, str>, InvalidInput> {
    as_string(raw).ok_or_else(|| DataFault::Expected(shorten(raw.get()), what).into())
}

/// The text of a JSON string; none for all else.
pub(crate) fn as_string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text = raw.get();
    let inner = text.strip_prefix('"')?;
    if !text.contains('\\') {
        return Some(Cow::Borrowed(inner.strip_suffix('"')?));
    }
    serde_json::from_str::<String>(text).ok().map(Cow::Owned)
}

/// A string or an array of strings.
pub(crate) fn strings<'a>(
    raw: &'a RawValue,
    what: &'static str,
) -> Result<Vec<Cow<'a, str>>, InvalidInput> {
    if raw.get().starts_with('[') {
        return Items::of(raw)?.0.into_iter().map(|item| string(item, what)).collect();
    }
    Ok(vec![string(raw, what)?])
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                members_of(map)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

pub(super) fn members_of<'de, A: MapAccess<'de>>(mut map: A) -> Result<Members<'de>, A::Error> {
    let mut members = Vec::with_capacity(16);
    while let Some(Key(name)) = map.next_key()? {
        members.push((name, map.next_value()?));
    }
    Ok(Members(members))
}

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array;
        impl<'de> Visitor<'de> for Array {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(items)
            }
        }
        deserializer.deserialize_seq(Array).map(Items)
    }
}

/// A key, borrowed where it holds no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Text).map(Key)
    }
}
