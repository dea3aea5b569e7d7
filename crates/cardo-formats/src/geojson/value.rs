//! JSON members as field values.

use std::{fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{Fault, FieldValue, names::Names};

/// The members of an object in their order, values as text.
#[derive(Debug, Default)]
pub(super) struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of properties")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(map.size_hint().unwrap_or(8).min(64));
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl Members<'_> {
    pub(super) fn into_fields(
        self,
        names: &mut Names,
    ) -> Result<Vec<(Arc<str>, FieldValue)>, Fault> {
        let mut seen: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        seen.sort_unstable();
        for pair in seen.windows(2) {
            if let [one, next] = pair
                && one == next
            {
                let detail = format!("property `{one}` stands twice");
                return Err(Fault::malformed("GeoJSON", detail));
            }
        }
        self.0.iter().map(|(name, value)| Ok((names.get(name), field(value)?))).collect()
    }
}

/// The members of the text of an object as fields.
pub(crate) fn object_fields(
    text: &str,
    names: &mut Names,
) -> Result<Vec<(Arc<str>, FieldValue)>, Fault> {
    let members: Members<'_> =
        serde_json::from_str(text).map_err(|error| Fault::malformed("JSON", error))?;
    members.into_fields(names)
}

/// A JSON value as a field value.
pub(crate) fn field(value: &RawValue) -> Result<FieldValue, Fault> {
    let text = value.get();
    let malformed = |error| Fault::malformed("GeoJSON", error);
    Ok(match text.as_bytes()[0] {
        b'n' => FieldValue::Null,
        b't' => FieldValue::Bool(true),
        b'f' => FieldValue::Bool(false),
        b'"' => FieldValue::Text(serde_json::from_str(text).map_err(malformed)?),
        b'{' | b'[' => FieldValue::Json(text.to_owned()),
        _ => number(text)?,
    })
}

/// A JSON number: an integer where it is written as one.
fn number(text: &str) -> Result<FieldValue, Fault> {
    if !text.contains(['.', 'e', 'E']) {
        return Ok(match text.parse() {
            Ok(value) => FieldValue::Int(value),
            Err(_) => FieldValue::Json(text.to_owned()),
        });
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(FieldValue::Float(value)),
        _ => Err(Fault::NotFinite(text.to_owned())),
    }
}

/// A feature id: a string as it is, a number as its text.
pub(super) fn id(value: &RawValue) -> Result<String, Fault> {
    match field(value)? {
        FieldValue::Text(text) => Ok(text),
        FieldValue::Int(_) | FieldValue::Float(_) => Ok(value.get().to_owned()),
        FieldValue::Json(text) if !text.starts_with(['{', '[']) => Ok(text),
        _ => Err(Fault::malformed(
            "GeoJSON",
            format_args!("the id `{value}` is neither a string nor a number"),
        )),
    }
}
