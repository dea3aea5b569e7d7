use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

use super::tiles::{check_matrix_set, tiled_collection};
use crate::documents::{Link, TILE_JSON, TILING_SCHEME, Tileset, links_json, own_links};
use crate::face::{Face, collection_of};
use crate::fault::Fault;
use crate::html;
use crate::params::{
    COLLECTION_TILE_PARAMETERS, TILE_PARAMETERS, chosen_columns, chosen_tables, filter,
};
use crate::request::{Ask, Format, HTML};
use crate::respond;
use crate::tiles::{MATRIX_SET, MATRIX_SET_URI, MERCATOR, matrix_set};

const JSON: &str = "application/json";

/// The tilesets of a collection (OGC 20-057, /req/tilesets-list and /req/geodata-tilesets).
pub(crate) async fn collection_tilesets(
    face: &Face,
    ask: &Ask<'_>,
) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let tables = face.tables(ask).await?;
    let table = tiled_collection(collection_of(&tables, ask)?)?;
    list(face, ask, &of_collection(table, String::new())).await
}

/// The tilesets of the dataset (/req/dataset-tilesets).
pub(crate) async fn dataset_tilesets(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let tables = face.tables(ask).await?;
    let tables = chosen_tables(&ask.query, &tables)?;
    list(face, ask, &of_dataset(face, tables, String::new())).await
}

/// The tileset of a collection (/req/tileset).
pub(crate) async fn collection_tileset(
    face: &Face,
    ask: &Ask<'_>,
) -> Result<Response<Body>, Fault> {
    ask.query.only(&COLLECTION_TILE_PARAMETERS)?;
    check_matrix_set(ask, 3)?;
    let tables = face.tables(ask).await?;
    let table = tiled_collection(collection_of(&tables, ask)?)?;
    chosen_columns(&ask.query, &[table])?;
    filter(&ask.query, table)?;
    one(face, ask, &of_collection(table, tile_query(ask))).await
}

/// The tileset of the dataset.
pub(crate) async fn dataset_tileset(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&TILE_PARAMETERS)?;
    check_matrix_set(ask, 1)?;
    let tables = face.tables(ask).await?;
    let chosen = chosen_tables(&ask.query, &tables)?;
    chosen_columns(&ask.query, &chosen)?;
    one(face, ask, &of_dataset(face, chosen, tile_query(ask))).await
}

/// The tile matrix sets (OGC 17-083r4).
pub(crate) async fn tile_matrix_sets(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let format = ask.format(JSON)?;
    let revision = face.snapshot(ask).await?.revision();
    let url = ask.url(&format!("/tileMatrixSets/{MATRIX_SET}"));
    let links = own_links(ask, format, JSON);
    if format == Format::Html {
        let link = Link::new(url, TILING_SCHEME, JSON, MATRIX_SET);
        return Ok(respond::page(html::links_page(ask, "Tile matrix sets", &[link]), revision));
    }
    let set = json!({
        "id": MATRIX_SET,
        "title": "Google Maps Compatible for the World",
        "uri": MATRIX_SET_URI,
        "crs": MERCATOR,
        "links": links_json(&[
            Link::new(url.clone(), "self", JSON, "The definition"),
            Link::new(url, TILING_SCHEME, JSON, "The definition"),
        ]),
    });
    let body = json!({ "links": links_json(&links), "tileMatrixSets": [set] });
    Ok(respond::json(JSON, &body, revision))
}

/// The definition of a tile matrix set.
pub(crate) async fn tile_matrix_set(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    check_matrix_set(ask, 1)?;
    let format = ask.format(JSON)?;
    let revision = face.snapshot(ask).await?.revision();
    let links = own_links(ask, format, JSON);
    if format == Format::Html {
        return Ok(respond::page(html::links_page(ask, MATRIX_SET, &links), revision));
    }
    let mut body = matrix_set();
    body["links"] = links_json(&links);
    Ok(respond::json(JSON, &body, revision))
}

fn of_collection(table: &cardo_engine::Table, query: String) -> Tileset<'_> {
    Tileset {
        title: format!("Vector tiles of {}", table.name),
        path: format!("/collections/{}/tiles", table.name),
        tables: vec![table],
        query,
    }
}

fn of_dataset<'t>(face: &Face, tables: Vec<&'t cardo_engine::Table>, query: String) -> Tileset<'t> {
    let title = format!("Vector tiles of {}", face.options.title);
    Tileset { title, path: "/tiles".into(), tables, query }
}

/// The parameters of a tileset that are those of its tiles as well.
const OF_TILES: [&str; 5] = ["properties", "collections", "filter", "filter-lang", "filter-crs"];

/// The parameters that stay for the tiles.
fn tile_query(ask: &Ask<'_>) -> String {
    let raw = ask.parts.uri.query().unwrap_or("");
    let stays = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or("");
        OF_TILES.contains(&name)
    };
    raw.split('&').filter(stays).collect::<Vec<_>>().join("&")
}

async fn list(face: &Face, ask: &Ask<'_>, tileset: &Tileset<'_>) -> Result<Response<Body>, Fault> {
    let format = ask.format(JSON)?;
    let revision = face.snapshot(ask).await?.revision();
    if format == Format::Html {
        let url = ask.url(&format!("{}/{MATRIX_SET}", tileset.path));
        let links = [
            Link::new(format!("{url}?f=html"), "item", HTML, MATRIX_SET),
            Link::new(format!("{url}?f=tilejson"), "item", TILE_JSON, "TileJSON"),
        ];
        return Ok(respond::page(html::links_page(ask, &tileset.title, &links), revision));
    }
    let links = links_json(&own_links(ask, format, JSON));
    let body = json!({ "links": links, "tilesets": [tileset.listed(ask)] });
    Ok(respond::json(JSON, &body, revision))
}

async fn one(face: &Face, ask: &Ask<'_>, tileset: &Tileset<'_>) -> Result<Response<Body>, Fault> {
    let snapshot = face.snapshot(ask).await?;
    let revision = snapshot.revision();
    if wants_tile_json(ask) {
        let body: Value = tileset.to_tile_json(ask, &snapshot);
        return Ok(respond::json(TILE_JSON, &body, revision));
    }
    let format = ask.format(JSON)?;
    let mut links = own_links(ask, format, JSON);
    let tile_json = ask.url_with(&[("f", Some("tilejson"))]);
    links.push(Link::new(tile_json, "alternate", TILE_JSON, "This tileset as TileJSON"));
    if format == Format::Html {
        return Ok(respond::page(html::links_page(ask, &tileset.title, &links), revision));
    }
    Ok(respond::json(JSON, &tileset.to_json(ask, &snapshot, links), revision))
}

fn wants_tile_json(ask: &Ask<'_>) -> bool {
    if let Some(name) = ask.query.get("f") {
        return name == "tilejson";
    }
    ask.best_of(&[JSON, HTML, TILE_JSON]) == Some(2)
}
