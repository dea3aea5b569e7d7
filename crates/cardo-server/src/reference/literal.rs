//! JSON values as literals of the languages of the examples.

use serde_json::Value;

/// What fits into a line stays on one.
const LINE: usize = 48;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Json,
    JavaScript,
    Python,
}

impl Dialect {
    /// By what a line stands further in.
    fn step(self) -> &'static str {
        if self == Self::Python { "    " } else { "  " }
    }
}

/// A value; lines after its first are `indent` steps deep.
pub(super) fn literal(value: &Value, dialect: Dialect, indent: usize) -> String {
    let flat = flat(value, dialect);
    if flat.chars().count() + dialect.step().len() * indent <= LINE {
        return flat;
    }
    let (open, close, items): (_, _, Vec<String>) = match value {
        Value::Object(members) => {
            let item = |(name, value): (&String, &Value)| {
                format!("{}: {}", key(name, dialect), literal(value, dialect, indent + 1))
            };
            ('{', '}', members.iter().map(item).collect())
        }
        Value::Array(items) => {
            ('[', ']', items.iter().map(|item| literal(item, dialect, indent + 1)).collect())
        }
        _ => return flat,
    };
    let inner = dialect.step().repeat(indent + 1);
    let comma = if dialect == Dialect::Json { "" } else { "," };
    let items = items.join(&format!(",\n{inner}"));
    format!("{open}\n{inner}{items}{comma}\n{}{close}", dialect.step().repeat(indent))
}

fn flat(value: &Value, dialect: Dialect) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let item = |(name, value): (&String, &Value)| {
                format!("{}: {}", key(name, dialect), flat(value, dialect))
            };
            let items = members.iter().map(item).collect::<Vec<_>>().join(", ");
            if dialect == Dialect::Python {
                format!("{{{items}}}")
            } else {
                format!("{{ {items} }}")
            }
        }
        Value::Array(items) => {
            let items = items.iter().map(|item| flat(item, dialect)).collect::<Vec<_>>();
            format!("[{}]", items.join(", "))
        }
        Value::Bool(true) if dialect == Dialect::Python => "True".to_owned(),
        Value::Bool(false) if dialect == Dialect::Python => "False".to_owned(),
        Value::Null if dialect == Dialect::Python => "None".to_owned(),
        other => other.to_string(),
    }
}

fn key(name: &str, dialect: Dialect) -> String {
    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if dialect == Dialect::JavaScript && is_word && !name.is_empty() {
        name.to_owned()
    } else {
        text(name)
    }
}

/// A text in double quotes; its escapes mean the same in all three languages.
pub(super) fn text(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_of_json_become_those_of_python() {
        let value = json!({ "a": true, "b": [null, false, "it's"] });
        let python = literal(&value, Dialect::Python, 0);
        assert_eq!(python, r#"{"a": True, "b": [None, False, "it's"]}"#);
        assert_eq!(
            literal(&value, Dialect::JavaScript, 0),
            r#"{ a: true, b: [null, false, "it's"] }"#
        );
    }

    #[test]
    fn long_values_are_broken_and_are_still_json() {
        let value = json!({ "location": { "type": "Point", "coordinates": [24.9414, 60.1719] }, "name": "x" });
        let shown = literal(&value, Dialect::Json, 0);
        assert!(shown.lines().count() > 2, "{shown}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }
}
