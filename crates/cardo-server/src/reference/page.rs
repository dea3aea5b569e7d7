//! The page: contents beside the operations of every face.

use std::fmt::Write;

use axum::http::StatusCode;
use cardo_http::BaseUrl;

use super::document::{Api, Operation, Schema, Tag, slug};
use super::example::{Example, LANGUAGES};
use super::highlight::highlighted;
use super::rows;

/// A face on the page; in the place of its document why the client may not see it.
pub(super) struct Part {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) links: &'static [Link],
    pub(super) api: Result<Api, StatusCode>,
}

/// Where more is to be found, relative to the page.
pub(super) struct Link {
    pub(super) href: &'static str,
    pub(super) says: &'static str,
}

/// Groups with more operations than this are folded in the contents.
const UNFOLDED: usize = 12;

pub(super) fn html(base: &BaseUrl, parts: &[Part]) -> String {
    let mut contents = String::new();
    let mut body = String::with_capacity(1 << 19);
    for part in parts {
        write_contents(part, &mut contents);
        write_part(part, &mut body);
    }
    let address = if base.as_str().is_empty() { "/" } else { base.as_str() };
    include_str!("page.html")
        .replace("{version}", env!("CARGO_PKG_VERSION"))
        .replace("{base}", &escaped(address))
        .replace("{contents}", &contents)
        .replace("{body}", &body)
}

fn write_contents(part: &Part, html: &mut String) {
    let (id, name) = (part.id, escaped(part.name));
    let _ = writeln!(html, "<h2><a href=\"#{id}\">{name}</a></h2>");
    let Ok(api) = &part.api else { return };
    for tag in &api.tags {
        let open = if tag.operations.len() > UNFOLDED { "" } else { " open" };
        let name = escaped(&tag.name);
        let _ = writeln!(html, "<details{open}><summary>{name}</summary><ul>");
        for operation in &tag.operations {
            let (id, summary) = (&operation.id, escaped(&operation.summary));
            let method = badge(operation);
            let _ = writeln!(html, "<li><a href=\"#{id}\">{method}<span>{summary}</span></a></li>");
        }
        html.push_str("</ul></details>\n");
    }
    if !api.schemas.is_empty() {
        let _ = writeln!(html, "<p><a href=\"#{id}-schemas\">Schemas</a></p>");
    }
}

fn write_part(part: &Part, html: &mut String) {
    let (id, name) = (part.id, escaped(part.name));
    let _ = writeln!(
        html,
        "<section class=\"api\" aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{name}</h2>"
    );
    match &part.api {
        Ok(api) => write_api(part, api, html),
        Err(status) => {
            let why = if matches!(*status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                "What stands here depends on the data: it is shown to those who may read them. \
                 Ask for this page with a token."
            } else {
                "There is nothing to show of this twin."
            };
            let _ = writeln!(html, "<p class=\"lead\">{why}</p>");
        }
    }
    html.push_str("</section>\n");
}

fn write_api(part: &Part, api: &Api, html: &mut String) {
    let links = part.links.iter();
    let links = links.map(|link| format!("<a href=\"{}\">{}</a>", link.href, escaped(link.says)));
    let links = links.collect::<Vec<_>>().join(" ");
    let says = escaped(&api.says);
    let _ = writeln!(html, "<p class=\"lead\">{says}</p>\n<p class=\"links\">{links}</p>");
    for tag in &api.tags {
        write_tag(part.id, api, tag, html);
    }
    if !api.schemas.is_empty() {
        write_schemas(part.id, &api.schemas, html);
    }
}

fn write_tag(id: &str, api: &Api, tag: &Tag, html: &mut String) {
    let (tag_id, name) = (format!("{id}-tag-{}", slug(&tag.name)), escaped(&tag.name));
    let says = escaped(&tag.says);
    let _ = writeln!(
        html,
        "<section class=\"tag\" aria-labelledby=\"{tag_id}\">\n<h3 id=\"{tag_id}\">{name}</h3>\n<p class=\"lead\">{says}</p>"
    );
    for operation in &tag.operations {
        write_operation(id, api, operation, html);
    }
    html.push_str("</section>\n");
}

fn write_operation(id: &str, api: &Api, operation: &Operation, html: &mut String) {
    let own = escaped(&operation.id);
    let summary = escaped(&operation.summary);
    let (method, path) = (badge(operation), path(&api.prefix, &operation.path));
    let _ = writeln!(
        html,
        "<article class=\"operation\" aria-labelledby=\"{own}\">\n<div class=\"text\">\n\
         <h4 id=\"{own}\">{summary} <a class=\"here\" href=\"#{own}\" aria-label=\"Link to {summary}\">#</a></h4>\n\
         <p class=\"address\">{method} <code>{path}</code></p>"
    );
    if !operation.says.is_empty() {
        let _ = writeln!(html, "<p>{}</p>", escaped(&operation.says));
    }
    rows::operation(id, operation, html);
    html.push_str("</div>\n");
    if let Some(example) = &operation.example {
        write_example(example, &summary, html);
    }
    html.push_str("</article>\n");
}

fn write_example(example: &Example, summary: &str, html: &mut String) {
    let _ = writeln!(
        html,
        "<div class=\"example\" role=\"group\" aria-label=\"Example: {summary}\"><div class=\"bar\"></div>"
    );
    for language in LANGUAGES {
        let code = highlighted(&(language.write)(example));
        let (id, name) = (language.id, language.name);
        let _ = writeln!(
            html,
            "<figure data-language=\"{id}\"><figcaption>{name}</figcaption>\
             <pre tabindex=\"0\" aria-label=\"{name}\"><code>{code}</code></pre></figure>"
        );
    }
    html.push_str("</div>\n");
}

fn write_schemas(id: &str, schemas: &[Schema], html: &mut String) {
    let _ = writeln!(
        html,
        "<section class=\"tag schemas\" aria-labelledby=\"{id}-schemas\">\n<h3 id=\"{id}-schemas\">Schemas</h3>"
    );
    for schema in schemas {
        let (own, name) = (rows::schema_id(id, &schema.name), escaped(&schema.name));
        let kind = rows::kind(id, &schema.kind);
        let _ = writeln!(
            html,
            "<article class=\"schema\" aria-labelledby=\"{own}\"><h4 id=\"{own}\">{name} <span class=\"kind\">{kind}</span></h4>"
        );
        if !schema.says.is_empty() {
            let _ = writeln!(html, "<p>{}</p>", escaped(&schema.says));
        }
        if !schema.members.is_empty() {
            rows::members(id, &schema.members, html);
        }
        html.push_str("</article>\n");
    }
    html.push_str("</section>\n");
}

fn badge(operation: &Operation) -> String {
    let (method, class) = (&operation.method, operation.method.to_lowercase());
    format!("<span class=\"method {class}\">{method}</span>")
}

/// A path in which a line may break behind each slash, with its parameters marked.
fn path(prefix: &str, path: &str) -> String {
    let path = escaped(prefix.trim_end_matches('/')) + &escaped(path);
    path.replace('{', "<var>{")
        .replace('}', "}</var>")
        .replace('/', "/<wbr>")
        .replace("</<wbr>var", "</var")
}

pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            _ => html.push(c),
        }
    }
    html
}
