//! The record: what every format is read into.

use std::{fmt::Write as _, sync::Arc};

use crate::{error::Place, geometry::RecordGeometry};

/// One feature, row or feed entity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Place among all records of the source, good and bad, from 0.
    pub ordinal: u64,
    /// Byte at which the record starts.
    pub offset: u64,
    /// Line at which it starts, from 1, in formats made of lines.
    pub line: Option<u64>,
    /// The identifier which the format itself gives; a number is kept as text.
    pub id: Option<String>,
    /// The geometry in the coordinates of the source.
    pub geometry: Option<RecordGeometry>,
    /// Fields in the order of the source, each name once.
    pub fields: Vec<(Arc<str>, FieldValue)>,
}

impl Record {
    pub(crate) fn at(place: Place) -> Self {
        Self { ordinal: place.ordinal, offset: place.offset, line: place.line, ..Self::default() }
    }

    /// The value of the field `name`.
    pub fn field(&self, name: &str) -> Option<&FieldValue> {
        self.fields.iter().find_map(|(known, value)| (&**known == name).then_some(value))
    }
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// Present without a value.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// Text.
    Text(String),
    /// A moment or date in ISO 8601 text, as the source gives it.
    DateTime(String),
    /// Valid JSON text: an array, an object, or an integer beyond `i64`.
    Json(String),
}

impl FieldValue {
    /// The text of a text or moment.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::DateTime(text) => Some(text),
            _ => None,
        }
    }

    /// The number, as a float.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Plain text of the value, as it stands in an id or a name; empty for null.
    pub fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(text) | Self::DateTime(text) | Self::Json(text) => text.clone(),
        }
    }

    /// Appends the value as JSON text.
    pub fn write_json(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(value) => {
                let _ = write!(out, "{value}");
            }
            Self::Float(value) => push_number(*value, out),
            Self::Text(text) | Self::DateTime(text) => push_json_text(text, out),
            Self::Json(text) => out.push_str(text),
        }
    }
}

/// Appends a number as JSON; what is not finite has no JSON form and is `null`.
pub(crate) fn push_number(value: f64, out: &mut String) {
    if value.is_finite() {
        out.push_str(ryu::Buffer::new().format_finite(value));
    } else {
        out.push_str("null");
    }
}

/// Appends `text` as a JSON string.
pub(crate) fn push_json_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("a string is always JSON"));
}

/// A field that the header of a source declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSchema {
    /// Name of the field.
    pub name: Arc<str>,
    /// Kind of its values.
    pub kind: FieldKind,
}

/// The kind of values that a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Not declared.
    Any,
    /// Truth values.
    Bool,
    /// Integers.
    Int,
    /// Numbers.
    Float,
    /// Text.
    Text,
    /// Moments.
    DateTime,
    /// JSON text.
    Json,
    /// Bytes, which no record carries.
    Binary,
}
