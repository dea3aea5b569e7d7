//! Cells of tables as GraphQL values, and scalars as the twin writes them.

use async_graphql::{Number, Value};
use cardo_engine::{Cell, ColumnType};
use cardo_model::Timestamp;

/// A cell as the field of its column shows it; null where the value is not of the column's type.
pub(crate) fn of_cell(cell: &Cell<'_>, datatype: ColumnType) -> Value {
    match cell {
        Cell::Json(text) => of_json(text_of(text), datatype),
        Cell::Shown(text) => of_json(text, datatype),
        Cell::Text(text) => Value::String((*text).to_owned()),
        Cell::Time(time) => of_time(*time),
    }
}

/// The JSON of a cell as text.
pub(crate) fn text_of(json: &[u8]) -> &str {
    std::str::from_utf8(json).expect("records hold UTF-8")
}

fn of_json(text: &str, datatype: ColumnType) -> Value {
    let parsed = match datatype {
        ColumnType::Number => serde_json::from_str::<Number>(text).ok().map(Value::Number),
        ColumnType::Text
        | ColumnType::Date
        | ColumnType::DateTime
        | ColumnType::Vocab
        | ColumnType::Relationship => of_text(text),
        ColumnType::Boolean => serde_json::from_str(text).ok().map(Value::Boolean),
        ColumnType::Relationships => {
            return Value::List(ids(text).into_iter().map(Value::String).collect());
        }
        ColumnType::Json | ColumnType::List | ColumnType::Geometry => {
            serde_json::from_str(text).ok()
        }
    };
    parsed.unwrap_or_default()
}

/// A JSON text; of a list of texts, as a language map may hold them, the first.
fn of_text(json: &str) -> Option<Value> {
    let inner = json.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    if let Some(plain) = inner.filter(|text| !text.contains('\\')) {
        return Some(Value::String(plain.to_owned()));
    }
    if json.starts_with('[') {
        let texts: Vec<String> = serde_json::from_str(json).ok()?;
        return texts.into_iter().next().map(Value::String);
    }
    serde_json::from_str(json).ok().map(Value::String)
}

/// The ids of a relationship's value.
pub(crate) fn ids(json: &str) -> Vec<String> {
    if json.starts_with('[') {
        return serde_json::from_str(json).unwrap_or_default();
    }
    serde_json::from_str(json).ok().into_iter().collect()
}

pub(crate) fn of_time(time: Timestamp) -> Value {
    Value::String(time.to_string())
}

/// A JSON value, and whether it is what the scalar `JSON` and `Geometry` take.
pub(crate) fn to_json(value: &Value) -> Option<serde_json::Value> {
    value.clone().into_json().ok()
}
