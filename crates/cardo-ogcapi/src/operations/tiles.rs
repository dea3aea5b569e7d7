use axum::body::Body;
use axum::http::Response;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use cardo_engine::Table;
use cardo_http::{is_known, tagged};
use cardo_model::Revision;

use crate::documents::MVT;
use crate::face::{BASE, Face, collection_of};
use crate::fault::Fault;
use crate::params::{
    COLLECTION_TILE_PARAMETERS, TILE_PARAMETERS, chosen_columns, chosen_tables, is_tiled,
    tile_filters,
};
use crate::request::Ask;
use crate::respond::{self, VARY_ON};
use crate::tiles::{MatrixSet, Picture, Shown, Tile};

/// A tile of a collection (OGC 20-057, /req/core).
pub(crate) async fn collection_tile(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&COLLECTION_TILE_PARAMETERS)?;
    let tile = tile_of(ask, 3)?;
    let tables = face.tables(ask).await?;
    let table = tiled_collection(collection_of(&tables, ask)?)?;
    answer(face, ask, tile, vec![table]).await
}

/// A tile of the dataset, a layer a collection (/req/dataset-tilesets).
pub(crate) async fn dataset_tile(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&TILE_PARAMETERS)?;
    let tile = tile_of(ask, 1)?;
    let tables = face.tables(ask).await?;
    let chosen = chosen_tables(&ask.query, &tables)?;
    answer(face, ask, tile, chosen).await
}

/// The collection, where its features have places.
pub(super) fn tiled_collection(table: &Table) -> Result<&Table, Fault> {
    if is_tiled(table) {
        return Ok(table);
    }
    Err(Fault::not_found(format!("the collection {:?} has no geometries and no tiles", table.name)))
}

/// The tile matrix set that a segment of the path names.
pub(super) fn matrix_set_of(ask: &Ask<'_>, place: usize) -> Result<MatrixSet, Fault> {
    let name = ask.segment(place)?;
    MatrixSet::of(&name).ok_or_else(|| {
        Fault::not_found(format!(
            "there is no tile matrix set {name:?}; {BASE}/tileMatrixSets lists them"
        ))
    })
}

fn tile_of(ask: &Ask<'_>, place: usize) -> Result<Tile, Fault> {
    let set = matrix_set_of(ask, place)?;
    let [matrix, row, col] = [1, 2, 3].map(|behind| ask.segment(place + behind));
    let tile = Tile::parse(set, &matrix?, &row?, &col?)?;
    check_format(ask)?;
    Ok(tile)
}

fn check_format(ask: &Ask<'_>) -> Result<(), Fault> {
    if let Some(name) = ask.query.get("f") {
        return match name {
            "mvt" => Ok(()),
            other => Err(Fault::invalid(format!("f={other:?}: a tile can be had as mvt"))),
        };
    }
    match ask.best_of(&[MVT, "application/x-protobuf", "application/octet-stream"]) {
        Some(_) => Ok(()),
        None => Err(Fault::not_acceptable(&[MVT])),
    }
}

async fn answer(
    face: &Face,
    ask: &Ask<'_>,
    tile: Tile,
    tables: Vec<&Table>,
) -> Result<Response<Body>, Fault> {
    let columns = chosen_columns(&ask.query, &tables)?;
    let filters = tile_filters(&ask.query, &tables, &face.options.systems)?;
    let shown = tables.into_iter().zip(columns).zip(filters);
    let shown = shown.map(|((table, columns), filter)| Shown { table, columns, filter }).collect();
    let snapshot = face.snapshot(ask).await?;
    let picture = Picture::of(&face.engine, &snapshot, tile, shown).await?;
    // The tag says nothing of the revision, so a write elsewhere leaves it as it is.
    let tag = face.tags.tag(
        &ask.caller,
        ask.incarnation(&face.engine),
        Revision(0),
        picture.fingerprint().await?,
    );
    let has_it = is_known(&ask.parts.headers, &tag);
    let body = if has_it { Vec::new() } else { picture.draw().await? };
    let mut response = respond::answer(MVT, body, snapshot.revision());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(tagged(ask.parts, tag, VARY_ON, response))
}
