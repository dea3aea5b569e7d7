use axum::body::Body;
use axum::http::Response;
use cardo_query::{Sort, all_functions};
use serde_json::{Value, json};

use crate::documents::{links_json, own_links};
use crate::face::Face;
use crate::fault::Fault;
use crate::html;
use crate::request::{Ask, Format};
use crate::respond;

const JSON: &str = "application/json";

/// The functions that filters may call (OGC 19-079r2, clause 6.4).
pub(crate) async fn functions(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let format = ask.format(JSON)?;
    let revision = face.snapshot(ask).await?.revision();
    if format == Format::Html {
        return Ok(respond::page(html::functions_page(ask), revision));
    }
    let functions = all_functions().iter().map(|function| {
        let arguments = function.arguments.iter();
        let argument =
            |(title, sort): &(&str, Sort)| json!({ "title": title, "type": kinds(*sort) });
        json!({
            "name": function.name,
            "description": function.description,
            "arguments": arguments.map(argument).collect::<Vec<_>>(),
            "returns": kinds(function.returns),
        })
    });
    let links = links_json(&own_links(ask, format, JSON));
    let body = json!({ "functions": functions.collect::<Vec<_>>(), "links": links });
    Ok(respond::json(JSON, &body, revision))
}

/// The names of a sort of values.
fn kinds(sort: Sort) -> Value {
    match sort {
        Sort::Bool => json!(["boolean"]),
        Sort::Number => json!(["number"]),
        Sort::Text | Sort::Vocab => json!(["string"]),
        Sort::Date | Sort::Moment | Sort::Interval => json!(["datetime"]),
        Sort::Geometry => json!(["geometry"]),
        // The schema of the resource has no name for arrays, so no function takes or gives one.
        Sort::Array | Sort::Any => json!(["string", "number", "boolean", "datetime", "geometry"]),
    }
}
