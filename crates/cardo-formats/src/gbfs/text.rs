//! Texts: plain before version 3, from then on a list with a text for each language.

use serde_json::{Map, Value};

use crate::{FieldValue, Record, names::Names};

/// The text in the wanted language, or the first.
pub(super) fn localized(value: &Value, language: Option<&str>) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(texts) => {
            let is_wanted = |text: &&Value| text["language"].as_str() == language;
            let chosen = texts.iter().find(is_wanted).or_else(|| texts.first())?;
            chosen["text"].as_str().map(str::to_owned)
        }
        _ => None,
    }
}

/// Makes one text of a field in several languages, and a field beside it that holds all: of
/// `name` it is `names`, by language.
pub(super) fn plain(record: &mut Record, field: &str, names: &mut Names, language: Option<&str>) {
    let Some(at) = record.fields.iter().position(|(name, _)| &**name == field) else { return };
    let FieldValue::Json(json) = &record.fields[at].1 else { return };
    let Ok(value) = serde_json::from_str::<Value>(json) else { return };
    let Some(text) = localized(&value, language) else { return };
    record.fields[at].1 = FieldValue::Text(text);
    let mut all = Map::new();
    for text in value.as_array().into_iter().flatten() {
        if let (Some(language), Some(text)) = (text["language"].as_str(), text["text"].as_str()) {
            all.insert(language.to_owned(), text.into());
        }
    }
    let all = FieldValue::Json(Value::Object(all).to_string());
    record.fields.push((names.get(&format!("{field}s")), all));
}
