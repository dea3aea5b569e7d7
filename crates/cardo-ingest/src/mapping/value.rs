//! Values of fields as values of attributes.

use cardo_formats::FieldValue;
use cardo_model::JsonText;

use super::fault::MapFault;
use super::file::{AttributeTable, Unmapped, ValueType};
use super::template::plain_text;
use super::time::read_with_offset;

/// How the texts of a source are read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// All values are texts at first, as in CSV, so that `true` may be a truth value.
    pub(crate) is_text_only: bool,
    /// Numbers are written as `12,5`.
    pub(crate) decimal_comma: bool,
}

impl Reading {
    /// The JSON of a value by what it looks like; none for null and empty text.
    pub(crate) fn guess(
        self,
        attribute: &str,
        value: &FieldValue,
    ) -> Result<Option<JsonText>, MapFault> {
        Ok(match value {
            FieldValue::Null => None,
            FieldValue::Text(text) => self.guess_text(text),
            FieldValue::DateTime(text) => Some(moment_or_text(text)),
            FieldValue::Json(text) => Some(parse(attribute, text)?),
            FieldValue::Bool(_) | FieldValue::Int(_) | FieldValue::Float(_) => Some(as_json(value)),
        })
    }

    fn guess_text(self, text: &str) -> Option<JsonText> {
        let trimmed = if self.is_text_only { text.trim() } else { text };
        match trimmed {
            _ if trimmed.trim().is_empty() => None,
            "true" | "True" | "TRUE" if self.is_text_only => Some(JsonText::from_canonical("true")),
            "false" | "False" | "FALSE" if self.is_text_only => {
                Some(JsonText::from_canonical("false"))
            }
            _ => Some(moment_or_text(trimmed)),
        }
    }

    /// The number of a value.
    pub(crate) fn number(self, value: &FieldValue) -> Option<f64> {
        let text = match value {
            FieldValue::Text(text) | FieldValue::Json(text) => text.trim(),
            other => return other.as_f64(),
        };
        let parsed = if self.decimal_comma && text.contains(',') {
            text.replace('.', "").replace(',', ".").parse::<f64>()
        } else {
            text.parse::<f64>()
        };
        parsed.ok().filter(|number| number.is_finite())
    }

    /// The JSON of a value as a mapping wants it; none where it counts as absent.
    pub(crate) fn convert(
        self,
        attribute: &str,
        table: &AttributeTable,
        value: &FieldValue,
    ) -> Result<Option<JsonText>, MapFault> {
        let Some(text) = plain_text(value) else { return Ok(None) };
        if table.skip.iter().any(|skip| *skip == text.trim()) {
            return Ok(None);
        }
        if let Some(constant) = table.values.get(text.trim()) {
            return Ok(Some(constant.0.clone()));
        }
        if !table.values.is_empty() {
            match table.unmapped {
                Unmapped::Keep => {}
                Unmapped::Skip => return Ok(None),
                Unmapped::Refuse => {
                    let (attribute, value) = (attribute.to_owned(), text.into_owned());
                    return Err(MapFault::Unmapped { attribute, value });
                }
            }
        }
        let refused = |wanted| MapFault::value(attribute, &text, wanted);
        let numeric = matches!(table.value_type, ValueType::Number | ValueType::Integer);
        if numeric || table.is_scaled() {
            let number = self.number(value).ok_or_else(|| refused("a number"))?;
            let number = number * table.scale.unwrap_or(1.0) + table.offset.unwrap_or(0.0);
            if table.value_type == ValueType::Integer && number.fract() != 0.0 {
                return Err(refused("an integer"));
            }
            if let (FieldValue::Int(_), false) = (value, table.is_scaled()) {
                return Ok(Some(as_json(value)));
            }
            let decimals = match table.value_type {
                ValueType::Integer => Some(0),
                _ => table.decimals,
            };
            return write_number(number, decimals).map(Some).ok_or_else(|| refused("a number"));
        }
        Ok(match table.value_type {
            ValueType::Text => Some(JsonText::string(text.trim())),
            ValueType::Boolean => {
                let truth = boolean(value, text.trim()).ok_or_else(|| refused("a truth value"))?;
                Some(JsonText::from_canonical(if truth { "true" } else { "false" }))
            }
            ValueType::DateTime => {
                let moment = table.time_format.read(value, &table.zone).map_err(|reason| {
                    MapFault::AttributeTime { attribute: attribute.to_owned(), reason }
                })?;
                Some(JsonText::string(&moment.to_string()))
            }
            ValueType::Json => Some(match value {
                FieldValue::Text(text) | FieldValue::Json(text) => parse(attribute, text)?,
                other => as_json(other),
            }),
            ValueType::Auto | ValueType::Number | ValueType::Integer => {
                self.guess(attribute, value)?
            }
        })
    }
}

/// Moments with an offset are told in UTC (clause 4.6.3); all else stays the text it is.
fn moment_or_text(text: &str) -> JsonText {
    match read_with_offset(text) {
        Some(moment) => JsonText::string(&moment.to_string()),
        None => JsonText::string(text),
    }
}

fn as_json(value: &FieldValue) -> JsonText {
    let mut out = String::new();
    value.write_json(&mut out);
    JsonText::from_canonical(out)
}

fn parse(attribute: &str, text: &str) -> Result<JsonText, MapFault> {
    JsonText::parse(text)
        .map_err(|reason| MapFault::Json { attribute: attribute.to_owned(), reason })
}

fn boolean(value: &FieldValue, text: &str) -> Option<bool> {
    if let FieldValue::Bool(value) = value {
        return Some(*value);
    }
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "t" | "y" => Some(true),
        "false" | "0" | "no" | "f" | "n" => Some(false),
        _ => None,
    }
}

/// A number after a calculation, without the noise of binary fractions.
fn write_number(number: f64, decimals: Option<u8>) -> Option<JsonText> {
    if !number.is_finite() {
        return None;
    }
    let text = match decimals {
        Some(decimals) => format!("{number:.*}", usize::from(decimals)),
        None => format!("{number:.11e}").parse::<f64>().ok()?.to_string(),
    };
    let text = if text.parse() == Ok(0.0) { text.trim_start_matches('-').to_owned() } else { text };
    JsonText::parse(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> AttributeTable {
        toml::from_str(text).unwrap()
    }

    fn convert(rules: &str, value: &FieldValue) -> Result<Option<String>, String> {
        let reading = Reading { is_text_only: true, decimal_comma: false };
        let converted = reading.convert("a", &table(rules), value);
        converted.map(|json| json.map(|j| j.as_str().to_owned())).map_err(|e| e.to_string())
    }

    fn text(text: &str) -> FieldValue {
        FieldValue::Text(text.into())
    }

    #[test]
    fn values_are_typed_by_what_they_look_like() {
        assert_eq!(convert("", &FieldValue::Int(5)), Ok(Some("5".into())));
        assert_eq!(convert("", &text("True")), Ok(Some("true".into())));
        assert_eq!(convert("", &text("00170")), Ok(Some("\"00170\"".into())));
        assert_eq!(convert("", &text("  ")), Ok(None));
        assert_eq!(
            convert("", &text("2025-03-01 08:03:38.255000+00:00")),
            Ok(Some("\"2025-03-01T08:03:38.255Z\"".into()))
        );
        assert_eq!(convert("", &FieldValue::Json("[1, 2]".into())), Ok(Some("[1,2]".into())));
    }

    #[test]
    fn a_calculation_leaves_no_noise() {
        assert_eq!(convert("scale = 0.1", &FieldValue::Int(73)), Ok(Some("7.3".into())));
        assert_eq!(convert("offset = -273.15", &text("280.65")), Ok(Some("7.5".into())));
        assert_eq!(convert("decimals = 1", &FieldValue::Float(2.25)), Ok(Some("2.2".into())));
        assert_eq!(convert("decimals = 0", &FieldValue::Float(-0.2)), Ok(Some("0".into())));
        assert_eq!(convert("type = 'integer'", &FieldValue::Float(7.0)), Ok(Some("7".into())));
        assert!(convert("type = 'integer'", &FieldValue::Float(7.5)).is_err());
        assert!(convert("type = 'number'", &text("abc")).is_err());
        assert!(convert("scale = 1e308", &FieldValue::Float(1e308)).is_err());
    }

    #[test]
    fn a_table_of_values_translates() {
        let rules = "values = { yes = true, '2' = 'two' }\nunmapped = 'refuse'";
        assert_eq!(convert(rules, &text("yes")), Ok(Some("true".into())));
        assert_eq!(convert(rules, &FieldValue::Float(2.0)), Ok(Some("\"two\"".into())));
        assert!(convert(rules, &text("no")).unwrap_err().contains("table of values"));
        assert_eq!(convert("skip = ['-9999']", &FieldValue::Int(-9999)), Ok(None));
    }

    #[test]
    fn a_date_of_a_zone_is_told_in_utc() {
        let rules = "type = 'date-time'\ntime_format = '%d.%m.%Y'\nzone = 'Europe/Helsinki'";
        assert_eq!(convert(rules, &text("1.7.2024")), Ok(Some("\"2024-06-30T21:00:00Z\"".into())));
        assert!(convert(rules, &text("July")).is_err());
    }

    #[test]
    fn decimal_commas_are_numbers_where_they_are_the_custom() {
        let reading = Reading { is_text_only: true, decimal_comma: true };
        assert_eq!(reading.number(&text("1.234,5")), Some(1234.5));
        assert_eq!(Reading::default().number(&text("1,5")), None);
        assert_eq!(Reading::default().number(&text("inf")), None);
    }
}
