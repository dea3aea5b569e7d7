//! Which part of a record is meant.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use cardo_formats::geojson::write_feature;
use cardo_formats::{FieldValue, Record};
use serde::de::{self, Deserialize, Deserializer};
use sha2::{Digest, Sha256};

use super::template::plain_text;
use crate::options::hex;

/// A field, a place inside a field, or something about the record itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FieldRef {
    /// The field of this name.
    Name(Arc<str>),
    /// A field that holds JSON, and a pointer into it (RFC 6901).
    Pointer { field: Arc<str>, pointer: String },
    /// `$id`: what the format itself calls the record.
    Id,
    /// `$ordinal`: its place in the source.
    Ordinal,
    /// `$hash`: sixteen digits that depend on all of its content.
    Hash,
    /// `$source`: the name of the source.
    Source,
    /// `$value`: one of the parts that `split` has made.
    Value,
}

/// A text that names no part of a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not known; known are $id, $ordinal, $hash, $source and $value")]
pub(crate) struct UnknownField(String);

impl FieldRef {
    pub(crate) fn parse(text: &str) -> Result<Self, UnknownField> {
        match text {
            "$id" => return Ok(Self::Id),
            "$ordinal" => return Ok(Self::Ordinal),
            "$hash" => return Ok(Self::Hash),
            "$source" => return Ok(Self::Source),
            "$value" => return Ok(Self::Value),
            _ if text.starts_with('$') => return Err(UnknownField(text.to_owned())),
            _ => {}
        }
        let Some(inner) = text.strip_prefix('/') else {
            return Ok(Self::Name(text.into()));
        };
        Ok(match inner.find('/') {
            Some(at) => {
                Self::Pointer { field: unescape(&inner[..at]), pointer: inner[at..].to_owned() }
            }
            None => Self::Name(unescape(inner)),
        })
    }

    /// The field of the record that it needs, where it needs one.
    pub(crate) fn field(&self) -> Option<&Arc<str>> {
        match self {
            Self::Name(field) | Self::Pointer { field, .. } => Some(field),
            Self::Id | Self::Ordinal | Self::Hash | Self::Source | Self::Value => None,
        }
    }
}

fn unescape(token: &str) -> Arc<str> {
    token.replace("~1", "/").replace("~0", "~").into()
}

impl fmt::Display for FieldRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Pointer { field, pointer } => write!(f, "/{field}{pointer}"),
            Self::Id => f.write_str("$id"),
            Self::Ordinal => f.write_str("$ordinal"),
            Self::Hash => f.write_str("$hash"),
            Self::Source => f.write_str("$source"),
            Self::Value => f.write_str("$value"),
        }
    }
}

impl<'de> Deserialize<'de> for FieldRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

/// A record with all that templates may ask about it.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) record: &'a Record,
    source: &'a str,
    /// Texts that count as absent.
    skip: &'a [String],
    value: Option<&'a str>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(record: &'a Record, source: &'a str, skip: &'a [String]) -> Self {
        Self { record, source, skip, value: None }
    }

    /// The same with one part of a list as `$value`.
    pub(crate) fn with_value(self, value: &'a str) -> Self {
        Self { value: Some(value), ..self }
    }

    /// The value that is meant; absent where it is null, empty or of the texts to skip.
    pub(crate) fn value(&self, field: &FieldRef) -> Option<Cow<'a, FieldValue>> {
        let value = match field {
            FieldRef::Name(name) => named(self.record, name)?,
            FieldRef::Pointer { field, pointer } => {
                Cow::Owned(point_into(self.record.field(field)?, pointer)?)
            }
            FieldRef::Id => Cow::Owned(FieldValue::Text(self.record.id.clone()?)),
            FieldRef::Ordinal => {
                Cow::Owned(FieldValue::Int(i64::try_from(self.record.ordinal).ok()?))
            }
            FieldRef::Hash => Cow::Owned(FieldValue::Text(content_hash(self.record))),
            FieldRef::Source => Cow::Owned(FieldValue::Text(self.source.to_owned())),
            FieldRef::Value => Cow::Owned(FieldValue::Text(self.value?.to_owned())),
        };
        (!self.is_absent(&value)).then_some(value)
    }

    /// The text of the value that is meant.
    pub(crate) fn text(&self, field: &FieldRef) -> Option<String> {
        self.value(field).and_then(|value| plain_text(&value).map(Cow::into_owned))
    }

    pub(crate) fn is_absent(&self, value: &FieldValue) -> bool {
        match value {
            FieldValue::Null => true,
            FieldValue::Text(text) => {
                text.trim().is_empty() || self.skip.iter().any(|skip| skip == text.trim())
            }
            other if !self.skip.is_empty() => {
                plain_text(other).is_some_and(|text| self.skip.iter().any(|skip| **skip == *text))
            }
            _ => false,
        }
    }
}

/// The field of a name; where there is none, and the name has dots, the member at that path inside
/// the field that its first part names: `VP.lat` is `/VP/lat`.
pub(crate) fn named<'a>(record: &'a Record, name: &str) -> Option<Cow<'a, FieldValue>> {
    if let Some(value) = record.field(name) {
        return Some(Cow::Borrowed(value));
    }
    let (field, path) = name.split_once('.')?;
    let pointer = format!("/{}", path.replace('~', "~0").replace('/', "~1").replace('.', "/"));
    Some(Cow::Owned(point_into(record.field(field)?, &pointer)?))
}

fn point_into(value: &FieldValue, pointer: &str) -> Option<FieldValue> {
    let FieldValue::Json(text) = value else { return None };
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(match json.pointer(pointer)? {
        serde_json::Value::Null => FieldValue::Null,
        serde_json::Value::Bool(value) => FieldValue::Bool(*value),
        serde_json::Value::String(text) => FieldValue::Text(text.clone()),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => FieldValue::Int(integer),
            (None, Some(float)) => FieldValue::Float(float),
            (None, None) => return None,
        },
        other => FieldValue::Json(other.to_string()),
    })
}

/// Sixteen hexadecimal digits of the content of a record, wherever it stands.
pub(crate) fn content_hash(record: &Record) -> String {
    let digest = Sha256::digest(write_feature(record).as_bytes());
    hex(&digest[..8])
}
