//! Collections of ready tiles: what they answer stands in their files.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, HeaderValue};
use axum::http::{HeaderMap, Response, StatusCode};
use cardo_engine::{TileForm, TileLayer, TileLayerDescription, TilePacking};
use cardo_http::{is_known, tagged, takes_coding};
use cardo_model::Revision;

use super::tiles::{matrix_set_of, tile_of};
use super::tilesets::{list, one};
use crate::documents::{DataType, Shows, Tileset, media_type, tile_limits, title};
use crate::face::{BASE, Face, collection_of};
use crate::fault::Fault;
use crate::layers::{in_background, tile_layer_of};
use crate::request::Ask;
use crate::respond::{self, VARY_ON};
use crate::tiles::{MatrixSet, Tile};

/// The tilesets of maps of a collection (OGC 20-057, /req/geodata-tilesets).
pub(crate) async fn collection_map_tilesets(
    face: &Face,
    ask: &Ask<'_>,
) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let layer = map_of(face, ask).await?;
    let set = MatrixSet::WebMercatorQuad;
    list(face, ask, &[tileset_of_layer(set, layer.description(), DataType::Map)?]).await
}

/// A tileset of maps.
pub(crate) async fn collection_map_tileset(
    face: &Face,
    ask: &Ask<'_>,
) -> Result<Response<Body>, Fault> {
    ask.query.only(&["f"])?;
    let set = matrix_set_of(ask, 4)?;
    let layer = map_of(face, ask).await?;
    one(face, ask, &tileset_of_layer(set, layer.description(), DataType::Map)?).await
}

/// A tile of a map.
pub(crate) async fn collection_map_tile(
    face: &Face,
    ask: &Ask<'_>,
) -> Result<Response<Body>, Fault> {
    let set = matrix_set_of(ask, 4)?;
    let tile = tile_of(ask, 4)?;
    let layer = map_of(face, ask).await?;
    ready_tile(face, ask, &layer, (DataType::Map, set), tile).await
}

async fn map_of(face: &Face, ask: &Ask<'_>) -> Result<Arc<dyn TileLayer>, Fault> {
    let tables = face.tables(ask).await?;
    if let Some(layer) = tile_layer_of(&tables, ask)? {
        return Ok(layer.clone());
    }
    let name = &collection_of(&tables, ask)?.name;
    Err(Fault::not_found(format!("the collection {name:?} has vector tiles and no maps")))
}

/// Why there are no features, and what there is.
pub(crate) fn no_features(layer: &TileLayerDescription) -> Fault {
    let (name, path) = (&layer.name, DataType::of(layer).path());
    Fault::not_found(format!(
        "the collection {name:?} is a file of ready tiles and has no features; its tiles are at {BASE}/collections/{name}{path}"
    ))
}

/// The tileset of a layer, where its tiles are of the kind and in the matrix set that are asked for.
pub(super) fn tileset_of_layer(
    set: MatrixSet,
    layer: &TileLayerDescription,
    wanted: DataType,
) -> Result<Tileset<'_>, Fault> {
    let (name, kind) = (&layer.name, DataType::of(layer));
    let path = format!("/collections/{name}{}", kind.path());
    if kind != wanted {
        let media_type = media_type(layer);
        let detail = format!("the tiles of {name:?} are {media_type}; they are at {BASE}{path}");
        return Err(Fault::not_found(detail));
    }
    if set != MatrixSet::WebMercatorQuad {
        let own = MatrixSet::WebMercatorQuad.id();
        return Err(Fault::not_found(format!("the tiles of {name:?} are in {own} only")));
    }
    Ok(Tileset {
        set,
        title: title(layer).to_owned(),
        path,
        shows: Shows::Ready(layer),
        query: String::new(),
    })
}

/// A tile as it stands in the file of its layer.
pub(super) async fn ready_tile(
    face: &Face,
    ask: &Ask<'_>,
    layer: &Arc<dyn TileLayer>,
    (wanted, set): (DataType, MatrixSet),
    tile: Tile,
) -> Result<Response<Body>, Fault> {
    let description = layer.description();
    ask.query.only(&["f"])?;
    tileset_of_layer(set, description, wanted)?;
    check_format(ask, description)?;
    check_limits(description, tile)?;
    let place = [tile.zoom.into(), tile.col, tile.row];
    let finder = layer.clone();
    let found = in_background(move || finder.find(place)).await??;
    let revision = face.snapshot(ask).await?.revision();
    // Equal tiles are one and have one tag, whichever of them is asked for.
    let incarnation = ask.incarnation(&face.engine);
    let form = (description.version, found);
    let tag = face.tags.tag(&ask.caller, incarnation, Revision(0), form);
    let answer = |body: Vec<u8>| {
        let mut response = respond::answer(media_type(description), body, revision);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    };
    let tagged = |response| Ok(tagged(ask.parts, tag.clone(), VARY_ON, response));
    let Some(found) = found else {
        let mut response = answer(Vec::new());
        if wanted == DataType::Map {
            // No bytes are an empty vector tile, but no image.
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
        return tagged(response);
    };
    if is_known(&ask.parts.headers, &tag) {
        return tagged(answer(Vec::new()));
    }
    let coding = coding(description, &ask.parts.headers);
    let form = if coding.is_some() { TileForm::Stored } else { TileForm::Plain };
    let reader = layer.clone();
    let body = in_background(move || reader.read(found, form)).await??;
    let mut response = answer(body);
    if let Some(coding) = coding {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    tagged(response)
}

/// The coding in which tiles stand in the file, where the client takes it.
fn coding(layer: &TileLayerDescription, headers: &HeaderMap) -> Option<&'static str> {
    let own = match layer.packing {
        TilePacking::None => return None,
        TilePacking::Gzip => "gzip",
        TilePacking::Zstd => "zstd",
    };
    takes_coding(headers, own).then_some(own)
}

fn check_format(ask: &Ask<'_>, layer: &TileLayerDescription) -> Result<(), Fault> {
    let own = media_type(layer);
    let name = match DataType::of(layer) {
        DataType::Vector => "mvt",
        DataType::Map => own.trim_start_matches("image/"),
    };
    match ask.query.get("f") {
        Some(given) if given == name => Ok(()),
        Some(other) => Err(Fault::invalid(format!("f={other:?}: a tile can be had as {name}"))),
        None => match ask.best_of(&[own, "application/x-protobuf", "application/octet-stream"]) {
            Some(_) => Ok(()),
            None => Err(Fault::not_acceptable(&[own])),
        },
    }
}

/// A tile beyond the limits of its tileset is not found (OGC 20-057, /req/core/tc-error).
fn check_limits(layer: &TileLayerDescription, tile: Tile) -> Result<(), Fault> {
    let name = &layer.name;
    let Some(limits) = tile_limits(layer).find(|limits| limits.zoom == tile.zoom) else {
        let [first, last] = layer.zooms;
        let detail = format!("{name:?} has the tile matrices {first} to {last}, no {}", tile.zoom);
        return Err(Fault::not_found(detail));
    };
    if limits.holds(tile.row, tile.col) {
        return Ok(());
    }
    let ([top, bottom], [left, right]) = (limits.rows, limits.cols);
    Err(Fault::not_found(format!(
        "in tile matrix {} {name:?} has rows {top} to {bottom} and columns {left} to {right}, no row {}, column {}",
        tile.zoom, tile.row, tile.col
    )))
}
