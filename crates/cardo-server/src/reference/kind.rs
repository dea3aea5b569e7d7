use serde_json::Value;

/// What values a schema allows, in words; the last of them may be a schema that has a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) words: String,
    pub(super) schema: Option<String>,
}

impl Kind {
    pub(super) fn of(schema: &Value) -> Self {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or(reference);
            return Self { words: String::new(), schema: Some(name.to_owned()) };
        }
        if let (Some("array"), Some(items)) = (schema["type"].as_str(), schema.get("items")) {
            let Self { words, schema } = Self::of(items);
            return Self { words: format!("list of {words}"), schema };
        }
        Self { words: words(schema), schema: None }
    }

    fn flat(self) -> String {
        self.words + &self.schema.unwrap_or_default()
    }
}

fn words(schema: &Value) -> String {
    if let Some(only) = schema.get("const") {
        return plain(only);
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(plain).collect::<Vec<_>>().join(" | ");
    }
    if let Some(choices) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        return choices.iter().map(|one| Kind::of(one).flat()).collect::<Vec<_>>().join(" or ");
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("string"), Some("date-time")) => "time".to_owned(),
        (Some("string"), Some("uri" | "uri-reference")) => "URI".to_owned(),
        (Some("array"), _) => "list".to_owned(),
        (Some(name @ ("integer" | "number")), _) => bounded(name, schema),
        (Some(name), _) => name.to_owned(),
        (None, _) => "any value".to_owned(),
    }
}

fn bounded(name: &str, schema: &Value) -> String {
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => format!("{name}, {least} to {most}"),
        (Some(least), None) => format!("{name}, {least} or more"),
        (None, Some(most)) => format!("{name}, {most} at most"),
        (None, None) => name.to_owned(),
    }
}

/// A value as a parameter or a table shows it.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
