//! One example request, written in three languages.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::literal::{Dialect, literal, text};

/// A request as an example shows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Example {
    pub(super) method: String,
    /// Without its query.
    pub(super) url: String,
    pub(super) query: Vec<(String, String)>,
    /// With its media type.
    pub(super) body: Option<(String, Value)>,
    /// Whether the answer is no text, so that only its size is shown.
    pub(super) is_binary: bool,
}

/// A language of the examples: its name, the one by which pages know it, and what writes it.
pub(super) struct Language {
    pub(super) name: &'static str,
    pub(super) id: &'static str,
    pub(super) write: fn(&Example) -> String,
}

pub(super) const LANGUAGES: [Language; 3] = [
    Language { name: "curl", id: "curl", write: Example::curl },
    Language { name: "JavaScript", id: "javascript", write: Example::javascript },
    Language { name: "Python", id: "python", write: Example::python },
];

impl Example {
    fn curl(&self) -> String {
        let is_get = self.method == "GET";
        let method = match &self.body {
            _ if is_get && self.query.is_empty() => String::new(),
            _ if is_get => " --get".to_owned(),
            Some(_) if self.method == "POST" => String::new(),
            _ => format!(" --request {}", self.method),
        };
        let url = if is_get { self.url.clone() } else { self.whole_url() };
        let mut lines = vec![format!("curl -sS --fail-with-body{method}"), quoted(&url)];
        if is_get {
            let pairs = self.query.iter().map(|(name, value)| format!("{name}={value}"));
            lines.extend(pairs.map(|pair| format!("--data-urlencode {}", quoted(&pair))));
        }
        if let Some((media_type, body)) = &self.body {
            lines.push(format!("--header {}", quoted(&format!("Content-Type: {media_type}"))));
            lines.push(format!("--data {}", quoted(&literal(body, Dialect::Json, 0))));
        }
        if self.is_binary {
            lines.push("| wc -c".to_owned());
        }
        lines.join(" \\\n  ")
    }

    fn javascript(&self) -> String {
        let mut code = String::new();
        if self.query.is_empty() {
            let _ = writeln!(code, "const url = {};", text(&self.url));
        } else {
            let _ = writeln!(code, "const url = new URL({});", text(&self.url));
            let query = literal(&self.query_object(), Dialect::JavaScript, 0);
            let _ = writeln!(code, "url.search = new URLSearchParams({query});");
        }
        code += "const answer = await fetch(url";
        if self.method != "GET" {
            let _ = writeln!(code, ", {{\n  method: {},", text(&self.method));
            if let Some((media_type, body)) = &self.body {
                let _ = writeln!(code, "  headers: {{ \"Content-Type\": {} }},", text(media_type));
                let body = literal(body, Dialect::JavaScript, 1);
                let _ = writeln!(code, "  body: JSON.stringify({body}),");
            }
            code.push('}');
        }
        code += ");\nif (!answer.ok) throw new Error(await answer.text());\n";
        let body =
            if self.is_binary { "(await answer.blob()).size" } else { "await answer.text()" };
        let _ = write!(code, "console.log(answer.status, {body});");
        code
    }

    fn python(&self) -> String {
        let mut modules = Vec::new();
        modules.extend(self.body.as_ref().map(|_| "json"));
        modules.extend((!self.query.is_empty()).then_some("urllib.parse"));
        modules.push("urllib.request");
        let mut code = format!("import {}\n\nurl = {}", modules.join(", "), text(&self.url));
        if !self.query.is_empty() {
            code.truncate(code.len() - 1);
            let query = literal(&self.query_object(), Dialect::Python, 0);
            let _ = write!(code, "?\" + urllib.parse.urlencode({query})");
        }
        code.push('\n');
        let asked = if self.method == "GET" {
            "url"
        } else {
            let mut arguments = vec!["url".to_owned(), format!("method={}", text(&self.method))];
            if let Some((media_type, body)) = &self.body {
                let _ = writeln!(code, "body = {}", literal(body, Dialect::Python, 0));
                arguments.push(format!("headers={{\"Content-Type\": {}}}", text(media_type)));
                arguments.push("data=json.dumps(body).encode()".to_owned());
            }
            let arguments = if arguments.len() > 2 {
                format!("\n    {},\n", arguments.join(",\n    "))
            } else {
                arguments.join(", ")
            };
            let _ = writeln!(code, "request = urllib.request.Request({arguments})");
            "request"
        };
        let _ = writeln!(code, "with urllib.request.urlopen({asked}) as answer:");
        let body = if self.is_binary { "len(answer.read())" } else { "answer.read().decode()" };
        let _ = write!(code, "    print(answer.status, {body})");
        code
    }

    fn whole_url(&self) -> String {
        let pairs: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", self.url, pairs.join("&"))
    }

    fn query_object(&self) -> Value {
        let pairs = self.query.iter();
        let pairs = pairs.map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        Value::Object(pairs.collect::<Map<_, _>>())
    }
}

/// A word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A segment of a path, or a piece of a query.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b',' => {
                encoded.push(byte.into());
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn question(value: &str) -> Example {
        Example {
            method: "GET".to_owned(),
            url: "http://city.example/e".to_owned(),
            query: vec![("q".to_owned(), value.to_owned())],
            body: None,
            is_binary: false,
        }
    }

    #[test]
    fn what_ends_a_text_of_a_language_does_not_end_it_in_an_example() {
        let example = question("a=='x\"\\'");
        assert!(example.curl().ends_with(r#"'q=a=='\''x"\'\'''"#), "{}", example.curl());
        assert!(example.javascript().contains(r#"{ q: "a=='x\"\\'" }"#));
        assert!(example.python().contains(r#"{"q": "a=='x\"\\'"}"#));
    }

    #[test]
    fn a_change_keeps_its_query_in_every_language() {
        let mut example = question("a b&c");
        example.method = "PATCH".to_owned();
        example.body = Some(("application/json".to_owned(), json!({ "a": 1 })));
        assert!(
            example.curl().contains("--request PATCH \\\n  'http://city.example/e?q=a%20b%26c'")
        );
        assert!(example.javascript().contains("URLSearchParams({ q: \"a b&c\" })"));
        assert!(example.python().contains("e?\" + urllib.parse.urlencode({\"q\": \"a b&c\"})"));
    }
}
