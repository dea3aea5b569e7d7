use std::fmt::{Display, Write};

use axum::http::StatusCode;

use crate::request::Ask;

/// A page in the making.
pub(super) struct Page {
    title: String,
    /// What stands above the title: texts and addresses.
    trail: Vec<(String, String)>,
    /// Where this page can be had as JSON.
    json: Option<(String, &'static str)>,
    /// The address of the API.
    root: String,
    body: String,
}

impl Page {
    pub(super) fn new(ask: &Ask<'_>, title: impl Into<String>) -> Self {
        let json = ask.url_with(&[("f", Some("json"))]);
        let root = ask.root();
        Self {
            title: title.into(),
            trail: Vec::new(),
            json: Some((json, "JSON")),
            root,
            body: String::new(),
        }
    }

    /// Adds a step to what stands above the title; `path` is below the root of the API.
    pub(super) fn below(mut self, name: &str, path: &str) -> Self {
        let url = format!("{}{path}?f=html", self.root);
        self.trail.push((name.to_owned(), url));
        self
    }

    pub(super) fn json_is(mut self, name: &'static str) -> Self {
        if let Some(json) = &mut self.json {
            json.1 = name;
        }
        self
    }

    /// Adds markup.
    pub(super) fn add(&mut self, markup: impl Display) {
        let _ = writeln!(self.body, "{markup}");
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.add(format_args!("<h2>{}</h2>", escaped(text)));
    }

    pub(super) fn finish(self) -> String {
        let steps = self.trail.iter().map(|(name, url)| link(url, name));
        let trail = steps.collect::<Vec<_>>().join(" / ");
        let title = escaped(&self.title);
        let json = match &self.json {
            Some((url, name)) => {
                format!("<p class=\"links\"><a href=\"{}\">{name}</a></p>\n", escaped(url))
            }
            None => String::new(),
        };
        let style = include_str!("style.css");
        let script = format!("{}/assets/pages.js", self.root);
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>\n{style}</style>\n\
             <script src=\"{}\" defer></script>\n\
             <nav>{trail}</nav>\n<h1>{title}</h1>\n{json}{}</html>\n",
            escaped(&script),
            self.body,
        )
    }
}

/// The page for what went wrong.
pub(crate) fn fault_page(root: &str, status: StatusCode, detail: &str) -> String {
    let title = status.canonical_reason().unwrap_or("Error").to_owned();
    let page = Page {
        title,
        trail: vec![("OGC API".to_owned(), format!("{root}?f=html"))],
        json: None,
        root: root.to_owned(),
        body: format!("<p>{}</p>\n", escaped(detail)),
    };
    page.finish()
}

/// A link.
pub(super) fn link(url: &str, text: &str) -> String {
    format!("<a href=\"{}\">{}</a>", escaped(url), escaped(text))
}

/// Text as markup, also within quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A number with its thousands apart.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escaped("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
        assert!(!fault_page("/ogc", StatusCode::BAD_REQUEST, "<script>").contains("<script>\n"));
        assert!(fault_page("/ogc", StatusCode::BAD_REQUEST, "<b>").contains("&lt;b&gt;"));
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(["0", "999", "1,000", "1,234,567"], [0, 999, 1_000, 1_234_567].map(grouped)[..]);
    }
}
