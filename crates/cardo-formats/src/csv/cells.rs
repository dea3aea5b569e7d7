//! Cells as values.

use std::borrow::Cow;

use crate::{Fault, FieldValue};

/// The value of a cell; an empty one has none.
pub(super) fn value(cell: &str, typed: bool, decimal_comma: bool) -> FieldValue {
    if cell.is_empty() {
        return FieldValue::Null;
    }
    if typed && let Some(number) = plain_number(cell.trim(), decimal_comma) {
        return number;
    }
    FieldValue::Text(cell.to_owned())
}

/// A number as JSON would write it.
fn plain_number(text: &str, decimal_comma: bool) -> Option<FieldValue> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let whole = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    if whole == 0 || (whole > 1 && unsigned.starts_with('0')) {
        return None;
    }
    if whole == unsigned.len() {
        return text.parse().ok().map(FieldValue::Int);
    }
    let text = dotted(text, decimal_comma);
    let behind = &text[text.len() - unsigned.len() + whole..];
    let plain = behind.starts_with(['.', 'e', 'E']) && !behind.ends_with(['.', 'e', 'E', '+', '-']);
    let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
    plain.then_some(FieldValue::Float(value))
}

fn dotted(text: &str, decimal_comma: bool) -> Cow<'_, str> {
    if decimal_comma && text.contains(',') {
        return text.replacen(',', ".", 1).into();
    }
    text.into()
}

/// The number in a cell of coordinates; `None` where it is empty.
pub(super) fn coordinate(
    column: &str,
    cell: &str,
    decimal_comma: bool,
) -> Result<Option<f64>, Fault> {
    let text = cell.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match dotted(text, decimal_comma).parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some(value)),
        Ok(_) => Err(Fault::NotFinite(text.to_owned())),
        Err(_) => Err(Fault::NotNumber { column: column.to_owned(), value: text.to_owned() }),
    }
}
