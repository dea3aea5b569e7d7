//! Paths into JSON: `.size.value`, `."https://example.org/a"`, `.links[rel=next].href`, `[*].id`.

use serde_json::Value;

/// Where in a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Member(String),
    Index(usize),
    Last,
    All,
    With { member: String, value: String },
}

impl Path {
    /// Reads a path from the beginning of a text; what follows it.
    pub(crate) fn read(text: &str) -> Result<(Self, &str), String> {
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            if let Some(after) = rest.strip_prefix(".\"") {
                let (member, after) = after.split_once('"').ok_or("a quote is not closed")?;
                parts.push(Part::Member(member.to_owned()));
                rest = after;
            } else if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[', ' ']).unwrap_or(after.len());
                if end > 0 {
                    parts.push(Part::Member(after[..end].to_owned()));
                }
                rest = &after[end..];
            } else if let Some(after) = rest.strip_prefix('[') {
                let (inner, after) = after.split_once(']').ok_or("a bracket is not closed")?;
                parts.push(bracket(inner)?);
                rest = after;
            } else {
                break;
            }
        }
        let text = text[..text.len() - rest.len()].to_owned();
        Ok((Self { text, parts }, rest.trim_start()))
    }

    /// The same with its variables filled in.
    pub(crate) fn filled(&self, fill: &dyn Fn(&str) -> String) -> Self {
        if !self.text.contains('$') {
            return self.clone();
        }
        Self::read(&fill(&self.text)).map_or_else(|_| self.clone(), |(path, _)| path)
    }

    /// How it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it can lead to several values.
    pub(crate) fn is_plural(&self) -> bool {
        self.parts.contains(&Part::All)
    }

    /// What stands there.
    pub(crate) fn find<'v>(&self, document: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![document];
        for part in &self.parts {
            found = found.into_iter().flat_map(|value| part.step(value)).collect();
        }
        found
    }
}

fn bracket(inner: &str) -> Result<Part, String> {
    if inner == "*" {
        return Ok(Part::All);
    }
    if inner == "last" {
        return Ok(Part::Last);
    }
    if let Some((member, value)) = inner.split_once('=') {
        return Ok(Part::With { member: member.to_owned(), value: value.to_owned() });
    }
    inner.parse().map(Part::Index).map_err(|_| format!("[{inner}] is no position"))
}

impl Part {
    fn step<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        match (self, value) {
            (Self::Member(name), _) => value.get(name).into_iter().collect(),
            (Self::Index(index), _) => value.get(index).into_iter().collect(),
            (Self::Last, Value::Array(items)) => items.last().into_iter().collect(),
            (Self::All, Value::Array(items)) => items.iter().collect(),
            (Self::All, Value::Object(members)) => members.values().collect(),
            (Self::With { .. }, Value::Array(items)) => {
                items.iter().filter(|item| self.is_it(item)).take(1).collect()
            }
            (Self::With { .. }, Value::Object(members)) => {
                members.values().filter(|member| self.is_it(member)).take(1).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether a value has the member that is wanted.
    fn is_it(&self, item: &Value) -> bool {
        let Self::With { member, value: wanted } = self else { return false };
        match item.get(member) {
            Some(Value::String(text)) => text == wanted,
            Some(other) => serde_json::from_str(wanted).is_ok_and(|w: Value| w == *other),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Path;

    #[test]
    fn a_path_leads_to_what_stands_there() {
        let document = json!({
            "a": {"b": [{"c": 1}, {"c": 2, "rel": "next"}]},
            "https://x/y": true,
            "of": {"one": {"rel": "up", "c": 3}}
        });
        for (path, wanted) in [
            (".", json!([document])),
            (".a.b[1].c", json!([2])),
            (".a.b[last].c", json!([2])),
            (".a.b[*].c", json!([1, 2])),
            (".a.b[rel=next].c", json!([2])),
            (".a.b[rel=prev].c", json!([])),
            (".of[rel=up].c", json!([3])),
            (".\"https://x/y\"", json!([true])),
        ] {
            let (read, rest) = Path::read(path).unwrap();
            assert_eq!((json!(read.find(&document)), rest), (wanted, ""), "{path}");
        }
    }

    #[test]
    fn what_follows_a_path_is_left() {
        let (path, rest) = Path::read(".a.b = 3").unwrap();
        assert_eq!((path.as_str(), rest), (".a.b", "= 3"));
    }
}
