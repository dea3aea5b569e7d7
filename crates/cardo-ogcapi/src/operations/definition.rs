use axum::body::Body;
use axum::http::Response;

use crate::answer::link_headers;
use crate::documents::{DataType, OPENAPI, api_document, own_links};
use crate::face::Face;
use crate::fault::Fault;
use crate::html;
use crate::request::{Ask, Format};
use crate::respond;

/// The API definition (clause 7.3), in OpenAPI 3.0.
pub(crate) async fn api_definition(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let format = ask.format("application/vnd.oai.openapi+json")?;
    let tables = face.tables(ask).await?;
    let revision = face.snapshot(ask).await?.revision();
    let mut layers = face.tile_layers(ask).iter().map(|layer| DataType::of(layer.description()));
    let maps = layers.any(|kind| kind == DataType::Map);
    let document = api_document(&ask.root(), &face.options, &tables, maps);
    if format == Format::Html {
        return Ok(respond::page(html::definition_page(ask, &document), revision));
    }
    let mut response = respond::json(OPENAPI, &document, revision);
    link_headers(&own_links(ask, format, OPENAPI), response.headers_mut());
    Ok(response)
}
