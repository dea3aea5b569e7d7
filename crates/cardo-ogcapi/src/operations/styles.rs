use axum::body::Body;
use axum::http::Response;
use cardo_engine::Table;
use serde_json::json;

use super::tile_layers::tileset_of_layer;
use super::tiles::tiled_collection;
use super::tilesets::{of_collection, of_dataset};
use crate::answer::link_headers;
use crate::documents::{DataType, Link, STYLE, Tileset, links_json, own_links, style};
use crate::face::{Face, collection_of};
use crate::fault::Fault;
use crate::html;
use crate::layers::tile_layer_of;
use crate::params::chosen_tables;
use crate::request::{Ask, Format, HTML};
use crate::respond;
use crate::tiles::MatrixSet;

const JSON: &str = "application/json";
/// The style that there is.
pub(crate) const DEFAULT: &str = "default";
/// The matrix set that maps draw.
const SET: MatrixSet = MatrixSet::WebMercatorQuad;

/// The styles of a collection (after the draft of OGC API Styles, 20-009).
pub(crate) async fn collection_styles(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    let tables = face.tables(ask).await?;
    if let Some(layer) = tile_layer_of(&tables, ask)? {
        let layer = layer.description();
        return list(face, ask, &tileset_of_layer(SET, layer, DataType::of(layer))?).await;
    }
    let table = tiled_collection(collection_of(&tables, ask)?)?;
    list(face, ask, &of_collection(SET, table, String::new())).await
}

/// The styles of the dataset.
pub(crate) async fn dataset_styles(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    let tables = face.tables(ask).await?;
    let chosen = chosen_tables(&ask.query, &tables)?;
    list(face, ask, &of_dataset(face, SET, chosen, String::new())).await
}

/// A style of a collection.
pub(crate) async fn collection_style(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    check_style(ask, 3)?;
    let tables = face.tables(ask).await?;
    if let Some(layer) = tile_layer_of(&tables, ask)? {
        let layer = layer.description();
        return one(face, ask, &tileset_of_layer(SET, layer, DataType::of(layer))?).await;
    }
    let table = tiled_collection(collection_of(&tables, ask)?)?;
    one(face, ask, &of_collection(SET, table, String::new())).await
}

/// A style of the dataset, or of some of its collections.
pub(crate) async fn dataset_style(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f", "collections"])?;
    check_style(ask, 1)?;
    let tables = face.tables(ask).await?;
    let chosen = chosen_tables(&ask.query, &tables)?;
    one(face, ask, &of_dataset(face, SET, chosen, super::tilesets::tile_query(ask))).await
}

fn check_style(ask: &Ask<'_>, place: usize) -> Result<(), Fault> {
    let name = ask.segment(place)?;
    if name == DEFAULT {
        return Ok(());
    }
    Err(Fault::not_found(format!("there is no style {name:?}; there is {DEFAULT:?}")))
}

async fn list(face: &Face, ask: &Ask<'_>, tileset: &Tileset<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let format = ask.format(JSON)?;
    let revision = face.snapshot(ask).await?.revision();
    let link = Link::new(tileset.style_url(ask), "stylesheet", STYLE, DEFAULT);
    if format == Format::Html {
        return Ok(respond::page(html::links_page(ask, "Styles", &[link]), revision));
    }
    let body = json!({
        "default": DEFAULT,
        "styles": [{ "id": DEFAULT, "title": tileset.title, "links": links_json(&[link]) }],
        "links": links_json(&own_links(ask, format, JSON)),
    });
    Ok(respond::json(JSON, &body, revision))
}

async fn one(face: &Face, ask: &Ask<'_>, tileset: &Tileset<'_>) -> Result<Response<Body>, Fault> {
    let is_page = match ask.query.get("f") {
        Some("json" | "mapbox") => false,
        Some("html") => true,
        Some(other) => {
            return Err(Fault::invalid(format!("f={other:?} is none of mapbox, json, html")));
        }
        None => match ask.best_of(&[STYLE, JSON, HTML]) {
            Some(place) => place == 2,
            None => return Err(Fault::not_acceptable(&[STYLE, HTML])),
        },
    };
    let snapshot = face.snapshot(ask).await?;
    let info_of = |table: &Table| face.info_of(ask, &snapshot, table);
    if is_page {
        let link =
            Link::new(ask.url_with(&[("f", Some("mapbox"))]), "alternate", STYLE, "For MapLibre");
        let page = html::links_page(ask, &tileset.title, &[link]);
        return Ok(respond::page(page, snapshot.revision()));
    }
    let mut response = respond::json(STYLE, &style(ask, tileset, &info_of), snapshot.revision());
    link_headers(&own_links(ask, Format::Json, STYLE), response.headers_mut());
    Ok(response)
}
