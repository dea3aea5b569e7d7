//! What came back, or was sent to the receiver of notifications.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

/// An answer, whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The body, where it is JSON.
    pub(crate) json: Option<Value>,
}

impl Answer {
    pub(crate) fn new(status: u16, headers: HeaderMap, body: Bytes) -> Self {
        let json = serde_json::from_slice(&body).ok();
        Self { status, headers, body, json }
    }

    /// The values of a header, joined as if it had been one.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> =
            self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Where a link leads: that of the header (RFC 8288), else that of a list `links` in the body.
    pub(crate) fn link(&self, relation: &str) -> Option<String> {
        let in_header = self.header("link").and_then(|header| {
            header.split(", <").find_map(|link| {
                let (target, parameters) = link.trim_start_matches('<').split_once('>')?;
                let is_it = parameters.split(';').any(|parameter| {
                    let (name, value) = parameter.trim().split_once('=').unwrap_or_default();
                    name == "rel" && value.trim_matches('"').split(' ').any(|rel| rel == relation)
                });
                is_it.then(|| target.to_owned())
            })
        });
        in_header.or_else(|| {
            let links = self.json.as_ref()?.get("links")?.as_array()?;
            let link = links.iter().find(|link| link["rel"] == relation)?;
            link["href"].as_str().map(str::to_owned)
        })
    }

    /// The ids of listed entities, features or documents, in their order.
    pub(crate) fn ids(&self) -> Vec<String> {
        let Some(json) = &self.json else { return Vec::new() };
        let list = ["features", "data", "entities"]
            .iter()
            .find_map(|member| json.get(member))
            .unwrap_or(json);
        let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
        let id = |item: &Value| match item {
            Value::String(id) => Some(id.clone()),
            item => item.get("id").and_then(Value::as_str).map(str::to_owned),
        };
        items.iter().filter_map(id).collect()
    }

    /// In one line for a person: status and the beginning of the body.
    pub(crate) fn summary(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        if body.is_empty() {
            return format!("status {} without a body", self.status);
        }
        format!("status {}: {}", self.status, cut(&body, 400))
    }
}

/// The beginning of a text, in one line.
pub(crate) fn cut(text: &str, length: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(length) {
        Some((at, _)) => format!("{} …", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_from_the_header_and_from_the_body() {
        let mut headers = HeaderMap::new();
        let link = "<https://x/a,b>;rel=\"self\", </next?a=1>; type=\"x/y\"; rel=\"next\"";
        headers.insert("link", link.parse().unwrap());
        let body = Bytes::from(r#"{"links": [{"rel": "data", "href": "/data"}]}"#);
        let answer = Answer::new(200, headers, body);
        assert_eq!(answer.link("self").as_deref(), Some("https://x/a,b"));
        assert_eq!(answer.link("next").as_deref(), Some("/next?a=1"));
        assert_eq!(answer.link("data").as_deref(), Some("/data"));
        assert_eq!(answer.link("prev"), None);
    }

    #[test]
    fn a_summary_is_one_short_line() {
        let body = format!("{{\n  \"a\": \"{}\"\n}}", "ä".repeat(900));
        let summary = Answer::new(200, HeaderMap::new(), body.into()).summary();
        assert!(summary.starts_with("status 200: { \"a\": \"ä") && summary.ends_with('…'));
        assert!(summary.chars().count() < 450 && !summary.contains('\n'));
    }
}
