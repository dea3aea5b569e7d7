use axum::body::Body;
use axum::http::Response;
use cardo_engine::Table;
use serde_json::{Value, json};

use super::tile_layers::tileset_of_layer;
use super::tiles::{matrix_set_of, tiled_collection};
use crate::documents::{
    DataType, Link, Shows, TILE_JSON, TILING_SCHEME, Tileset, links_json, own_links,
};
use crate::face::{Face, collection_of};
use crate::fault::Fault;
use crate::html;
use crate::layers::tile_layer_of;
use crate::params::{
    COLLECTION_TILE_PARAMETERS, TILE_PARAMETERS, chosen_columns, chosen_tables, tile_filters,
};
use crate::request::{Ask, Format, HTML};
use crate::respond;
use crate::tiles::MatrixSet;

const JSON: &str = "application/json";

/// The tilesets of a collection (OGC 20-057, /req/tilesets-list and /req/geodata-tilesets).
pub(crate) async fn collection_tilesets(
    face: &Face,
    ask: &Ask<'_>,
) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let tables = face.tables(ask).await?;
    if let Some(layer) = tile_layer_of(&tables, ask)? {
        let set = MatrixSet::WebMercatorQuad;
        let tileset = tileset_of_layer(set, layer.description(), DataType::Vector)?;
        return list(face, ask, &[tileset]).await;
    }
    let table = tiled_collection(collection_of(&tables, ask)?)?;
    let of_set = |set| of_collection(set, table, String::new());
    list(face, ask, &MatrixSet::ALL.map(of_set)).await
}

/// The tilesets of the dataset (/req/dataset-tilesets).
pub(crate) async fn dataset_tilesets(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f", "collections"])?;
    let tables = face.tables(ask).await?;
    let tables = chosen_tables(&ask.query, &tables)?;
    let of_set = |set| of_dataset(face, set, tables.clone(), tile_query(ask));
    list(face, ask, &MatrixSet::ALL.map(of_set)).await
}

/// The tileset of a collection (/req/tileset).
pub(crate) async fn collection_tileset(
    face: &Face,
    ask: &Ask<'_>,
) -> Result<Response<Body>, Fault> {
    ask.query.only(&COLLECTION_TILE_PARAMETERS)?;
    let set = matrix_set_of(ask, 3)?;
    let tables = face.tables(ask).await?;
    if let Some(layer) = tile_layer_of(&tables, ask)? {
        ask.query.only(&["f"])?;
        let tileset = tileset_of_layer(set, layer.description(), DataType::Vector)?;
        return one(face, ask, &tileset).await;
    }
    let table = tiled_collection(collection_of(&tables, ask)?)?;
    chosen_columns(&ask.query, &[table])?;
    tile_filters(&ask.query, &[table], &face.options.systems)?;
    one(face, ask, &of_collection(set, table, tile_query(ask))).await
}

/// The tileset of the dataset.
pub(crate) async fn dataset_tileset(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&TILE_PARAMETERS)?;
    let set = matrix_set_of(ask, 1)?;
    let tables = face.tables(ask).await?;
    let chosen = chosen_tables(&ask.query, &tables)?;
    chosen_columns(&ask.query, &chosen)?;
    tile_filters(&ask.query, &chosen, &face.options.systems)?;
    one(face, ask, &of_dataset(face, set, chosen, tile_query(ask))).await
}

/// The tile matrix sets (OGC 17-083r4).
pub(crate) async fn tile_matrix_sets(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let format = ask.format(JSON)?;
    let revision = face.snapshot(ask).await?.revision();
    let links = own_links(ask, format, JSON);
    let definition = |set: MatrixSet, rel, title: &'static str| {
        Link::new(ask.url(&format!("/tileMatrixSets/{}", set.id())), rel, JSON, title)
    };
    if format == Format::Html {
        let all = MatrixSet::ALL.map(|set| definition(set, TILING_SCHEME, set.id()));
        return Ok(respond::page(html::links_page(ask, "Tile matrix sets", &all), revision));
    }
    let sets = MatrixSet::ALL.map(|set| {
        let links = ["self", TILING_SCHEME].map(|rel| definition(set, rel, "The definition"));
        json!({
            "id": set.id(),
            "title": set.title(),
            "uri": set.uri(),
            "crs": set.crs(),
            "links": links_json(&links),
        })
    });
    let body = json!({ "links": links_json(&links), "tileMatrixSets": sets });
    Ok(respond::json(JSON, &body, revision))
}

/// The definition of a tile matrix set.
pub(crate) async fn tile_matrix_set(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let set = matrix_set_of(ask, 1)?;
    let format = ask.format(JSON)?;
    let revision = face.snapshot(ask).await?.revision();
    let links = own_links(ask, format, JSON);
    if format == Format::Html {
        return Ok(respond::page(html::links_page(ask, set.id(), &links), revision));
    }
    let mut body = set.to_json();
    body["links"] = links_json(&links);
    Ok(respond::json(JSON, &body, revision))
}

pub(super) fn of_collection(set: MatrixSet, table: &Table, query: String) -> Tileset<'_> {
    Tileset {
        set,
        title: format!("Vector tiles of {}", table.name),
        path: format!("/collections/{}/tiles", table.name),
        shows: Shows::Tables(vec![table]),
        query,
    }
}

pub(super) fn of_dataset<'t>(
    face: &Face,
    set: MatrixSet,
    tables: Vec<&'t Table>,
    query: String,
) -> Tileset<'t> {
    let title = format!("Vector tiles of {}", face.options.title);
    Tileset { set, title, path: "/tiles".into(), shows: Shows::Tables(tables), query }
}

/// The parameters that stay for the tiles: all but the encoding of the document.
pub(super) fn tile_query(ask: &Ask<'_>) -> String {
    let raw = ask.parts.uri.query().unwrap_or("");
    let stays = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or("");
        name != "f" && TILE_PARAMETERS.contains(&name)
    };
    raw.split('&').filter(stays).collect::<Vec<_>>().join("&")
}

pub(super) async fn list(
    face: &Face,
    ask: &Ask<'_>,
    tilesets: &[Tileset<'_>],
) -> Result<Response<Body>, Fault> {
    let format = ask.format(JSON)?;
    let revision = face.snapshot(ask).await?.revision();
    if format == Format::Html {
        let link = |tileset: &Tileset<'_>| {
            let url = tileset.url(ask, "", "f=html");
            Link::new(url, "item", HTML, tileset.set.id())
        };
        let mut links: Vec<Link> = tilesets.iter().map(link).collect();
        links.extend(tilesets.iter().filter_map(|tileset| tileset.tile_json_link(ask)));
        return Ok(respond::page(html::links_page(ask, &tilesets[0].title, &links), revision));
    }
    let links = links_json(&own_links(ask, format, JSON));
    let tilesets: Vec<Value> = tilesets.iter().map(|tileset| tileset.listed(ask)).collect();
    Ok(respond::json(JSON, &json!({ "links": links, "tilesets": tilesets }), revision))
}

pub(super) async fn one(
    face: &Face,
    ask: &Ask<'_>,
    tileset: &Tileset<'_>,
) -> Result<Response<Body>, Fault> {
    let snapshot = face.snapshot(ask).await?;
    let info_of = |table: &Table| face.info_of(ask, &snapshot, table);
    let revision = snapshot.revision();
    if wants_tile_json(ask) {
        if !tileset.has_tile_json() {
            let detail = format!("TileJSON knows no tiles of {}", tileset.set.id());
            return Err(Fault::unavailable_as(detail));
        }
        let body: Value = tileset.to_tile_json(ask, &info_of);
        return Ok(respond::json(TILE_JSON, &body, revision));
    }
    let format = ask.format(JSON)?;
    let mut links = own_links(ask, format, JSON);
    links.extend(tileset.tile_json_link(ask));
    if format == Format::Html {
        return Ok(respond::page(html::links_page(ask, &tileset.title, &links), revision));
    }
    Ok(respond::json(JSON, &tileset.to_json(ask, &info_of, links), revision))
}

fn wants_tile_json(ask: &Ask<'_>) -> bool {
    if let Some(name) = ask.query.get("f") {
        return name == "tilejson";
    }
    ask.best_of(&[JSON, HTML, TILE_JSON]) == Some(2)
}
