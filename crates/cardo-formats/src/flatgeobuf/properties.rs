//! Properties of a FlatGeobuf feature: column numbers and values in a row.

use std::sync::Arc;

use flatgeobuf::ColumnType;
use serde::de::IgnoredAny;

use super::header::{TypedColumn, malformed};
use crate::{Fault, FieldValue, geometry::finite};

pub(super) fn read(
    bytes: &[u8],
    columns: &[TypedColumn],
) -> Result<Vec<(Arc<str>, FieldValue)>, Fault> {
    let mut cursor = Cursor(bytes);
    let mut fields: Vec<(Arc<str>, FieldValue)> = Vec::with_capacity(columns.len());
    // Some writers leave one byte behind the last value.
    while cursor.0.len() > 1 {
        let index = usize::from(u16::from_le_bytes(cursor.array()?));
        let column = columns
            .get(index)
            .ok_or_else(|| malformed(format_args!("column {index} of {}", columns.len())))?;
        if fields.len() == columns.len() {
            return Err(malformed(format_args!("column `{}` stands twice", column.name)));
        }
        if let Some(value) = cursor.value(column)? {
            fields.push((Arc::clone(&column.name), value));
        }
    }
    Ok(fields)
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) =
            self.0.split_at_checked(count).ok_or_else(|| malformed("a property is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (taken, rest) =
            self.0.split_first_chunk().ok_or_else(|| malformed("a property is cut off"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn text(&mut self, column: &TypedColumn) -> Result<String, Fault> {
        let length = u32::from_le_bytes(self.array()?);
        let bytes = self.take(length as usize)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(malformed(format_args!("column `{}` holds invalid UTF-8", column.name))),
        }
    }

    /// The next value; `None` for bytes, which no record carries.
    fn value(&mut self, column: &TypedColumn) -> Result<Option<FieldValue>, Fault> {
        Ok(Some(match column.kind {
            ColumnType::Byte => int(i8::from_le_bytes(self.array()?)),
            ColumnType::UByte => int(u8::from_le_bytes(self.array()?)),
            ColumnType::Bool => FieldValue::Bool(self.array::<1>()? != [0]),
            ColumnType::Short => int(i16::from_le_bytes(self.array()?)),
            ColumnType::UShort => int(u16::from_le_bytes(self.array()?)),
            ColumnType::Int => int(i32::from_le_bytes(self.array()?)),
            ColumnType::UInt => int(u32::from_le_bytes(self.array()?)),
            ColumnType::Long => int(i64::from_le_bytes(self.array()?)),
            ColumnType::ULong => {
                let value = u64::from_le_bytes(self.array()?);
                match i64::try_from(value) {
                    Ok(value) => int(value),
                    Err(_) => FieldValue::Json(value.to_string()),
                }
            }
            ColumnType::Float => {
                let value = f32::from_le_bytes(self.array()?);
                let written = ryu::Buffer::new().format(value).parse();
                float(written.unwrap_or(f64::from(value)))?
            }
            ColumnType::Double => float(f64::from_le_bytes(self.array()?))?,
            ColumnType::String => FieldValue::Text(self.text(column)?),
            ColumnType::DateTime => FieldValue::DateTime(self.text(column)?),
            // Not everything that is declared as JSON is JSON.
            ColumnType::Json => {
                let text = self.text(column)?;
                match serde_json::from_str::<IgnoredAny>(&text) {
                    Ok(_) => FieldValue::Json(text),
                    Err(_) => FieldValue::Text(text),
                }
            }
            ColumnType::Binary => {
                let length = u32::from_le_bytes(self.array()?);
                self.take(length as usize)?;
                return Ok(None);
            }
            other => {
                return Err(malformed(format_args!(
                    "column `{}` of unknown type {}",
                    column.name, other.0
                )));
            }
        }))
    }
}

fn int(value: impl Into<i64>) -> FieldValue {
    FieldValue::Int(value.into())
}

/// NaN is how tables of numbers say that there is no value.
fn float(value: f64) -> Result<FieldValue, Fault> {
    if value.is_nan() {
        return Ok(FieldValue::Null);
    }
    finite(value).map(FieldValue::Float)
}
