//! The lists of an operation: parameters, answers, members of a schema.

use std::fmt::Write;

use super::document::{Answer, Content, Member, Operation, Parameter, slug};
use super::kind::Kind;
use super::page::escaped;

/// What an operation takes and gives; `api` is the id of its document on the page.
pub(super) fn operation(api: &str, operation: &Operation, html: &mut String) {
    let places =
        [("path", "In the path"), ("query", "In the query"), ("header", "Headers of the request")];
    for (place, title) in places {
        let all = &operation.parameters;
        let here: Vec<&Parameter> = all.iter().filter(|one| one.place == place).collect();
        if here.is_empty() {
            continue;
        }
        let mut list = String::new();
        for one in &here {
            parameter(api, one, &mut list);
        }
        if place == "header" {
            folded(title, here.iter().map(|one| one.name.as_str()), &list, html);
        } else {
            let _ = writeln!(html, "<h5>{title}</h5>\n<dl class=\"rows\">{list}</dl>");
        }
    }
    if let Some(body) = &operation.body {
        let _ = writeln!(html, "<h5>Body</h5>\n<p class=\"content\">{}</p>", content(api, body));
    }
    answers(api, &operation.answers, html);
}

fn answers(api: &str, answers: &[Answer], html: &mut String) {
    let is_error = |answer: &&Answer| answer.status.as_str() >= "400";
    let mut list = String::new();
    for one in answers.iter().filter(|one| !is_error(one)) {
        answer(api, one, &mut list);
    }
    let _ = writeln!(html, "<h5>Answers</h5>\n<dl class=\"rows\">{list}</dl>");
    let errors = || answers.iter().filter(is_error);
    if errors().next().is_some() {
        let mut list = String::new();
        for one in errors() {
            answer(api, one, &mut list);
        }
        folded("Errors", errors().map(|one| one.status.as_str()), &list, html);
    }
}

fn folded<'t>(title: &str, names: impl Iterator<Item = &'t str>, list: &str, html: &mut String) {
    let names: Vec<String> = names.map(|name| format!("<code>{}</code>", escaped(name))).collect();
    let _ = writeln!(
        html,
        "<details class=\"fold\"><summary><h5>{title}</h5> {}</summary>\n<dl class=\"rows\">{list}</dl></details>",
        names.join(" ")
    );
}

fn parameter(api: &str, parameter: &Parameter, html: &mut String) {
    let more = [("Default", &parameter.default), ("Example", &parameter.example)];
    let mut says = escaped(&parameter.says);
    for (word, value) in more {
        if let Some(value) = value {
            let value = escaped(value);
            let _ = write!(says, " <span class=\"more\">{word}: <code>{value}</code></span>");
        }
    }
    row(&parameter.name, &kind(api, &parameter.kind), parameter.is_required, &says, html);
}

/// The members of a schema.
pub(super) fn members(api: &str, members: &[Member], html: &mut String) {
    html.push_str("<dl class=\"rows\">");
    for member in members {
        let says = escaped(&member.says);
        row(&member.name, &kind(api, &member.kind), member.is_required, &says, html);
    }
    html.push_str("</dl>\n");
}

fn row(name: &str, kind: &str, is_required: bool, says: &str, html: &mut String) {
    let required = if is_required { " <span class=\"required\">required</span>" } else { "" };
    let name = escaped(name);
    let _ = write!(
        html,
        "<div><dt><code class=\"name\">{name}</code></dt><dd><span class=\"kind\">{kind}</span>{required}"
    );
    if !says.is_empty() {
        let _ = write!(html, "<p>{says}</p>");
    }
    html.push_str("</dd></div>\n");
}

fn answer(api: &str, answer: &Answer, html: &mut String) {
    let status = escaped(&answer.status);
    let class = status.get(..1).unwrap_or_default();
    let says = escaped(&answer.says);
    let _ = write!(
        html,
        "<div><dt><code class=\"status s{class}\">{status}</code></dt><dd><p>{says}</p>"
    );
    if let Some(found) = &answer.content {
        let _ = write!(html, "<p class=\"content\">{}</p>", content(api, found));
    }
    if !answer.headers.is_empty() {
        let names = answer.headers.iter().map(|name| format!("<code>{}</code>", escaped(name)));
        let names = names.collect::<Vec<_>>().join(" ");
        let _ = write!(html, "<p class=\"more\">Headers: {names}</p>");
    }
    html.push_str("</dd></div>\n");
}

fn content(api: &str, content: &Content) -> String {
    let types = content.media_types.iter().map(|name| format!("<code>{}</code>", escaped(name)));
    let types = types.collect::<Vec<_>>().join(" ");
    format!("<span class=\"kind\">{}</span> as {types}", kind(api, &content.kind))
}

/// What a value may be, with a link to a schema that has a name.
pub(super) fn kind(api: &str, kind: &Kind) -> String {
    let words = escaped(&kind.words);
    match &kind.schema {
        Some(name) => {
            let (target, name) = (schema_id(api, name), escaped(name));
            format!("{words}<a href=\"#{target}\">{name}</a>")
        }
        None => words,
    }
}

/// The id of a schema on the page.
pub(super) fn schema_id(api: &str, name: &str) -> String {
    format!("{api}-schema-{}", slug(name))
}
