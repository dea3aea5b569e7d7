use std::hash::BuildHasher;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::Response;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, HeaderValue, IF_NONE_MATCH, LINK};
use axum::http::uri::PathAndQuery;
use cardo_engine::Table;
use cardo_http::{CodedForms, is_known, tagged};
use cardo_model::Revision;
use foldhash::fast::FixedState;

use super::geojson_tile::geojson_tile;
use super::tile_layers::ready_tile;
use crate::documents::{DataType, GEOJSON, MVT};
use crate::face::{BASE, Face, collection_of};
use crate::fault::Fault;
use crate::layers::{in_background, tile_layer_of};
use crate::params::{
    COLLECTION_TILE_PARAMETERS, TILE_PARAMETERS, chosen_columns, chosen_tables, is_tiled,
    tile_filters,
};
use crate::request::Ask;
use crate::respond::{self, VARY_ON};
use crate::tiles::{FileLayer, Kept, MatrixSet, Picture, Place, Shown, Tile, completed};

/// A tile of a collection (OGC 20-057, /req/core).
pub(crate) async fn collection_tile(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    let form = Form::of(ask)?;
    let keeping = Keeping::of(face, ask, form);
    if let Some(answer) = keeping.fresh_answer(ask) {
        return Ok(answer);
    }
    ask.query.only(&COLLECTION_TILE_PARAMETERS)?;
    let tile = tile_of(ask, 3)?;
    let tables = face.tables(ask).await?;
    if let Some(layer) = tile_layer_of(&tables, ask)? {
        return ready_tile(face, ask, layer, (DataType::Vector, matrix_set_of(ask, 3)?), tile)
            .await;
    }
    let table = tiled_collection(collection_of(&tables, ask)?)?;
    match form {
        Form::Vector => answer(face, ask, keeping, tile, vec![table]).await,
        Form::GeoJson => geojson_tile(face, ask, tile, &[table]).await,
    }
}

/// A tile of the dataset, a layer a collection (/req/dataset-tilesets).
pub(crate) async fn dataset_tile(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    let form = Form::of(ask)?;
    let keeping = Keeping::of(face, ask, form);
    if let Some(answer) = keeping.fresh_answer(ask) {
        return Ok(answer);
    }
    ask.query.only(&TILE_PARAMETERS)?;
    let tile = tile_of(ask, 1)?;
    let tables = face.tables(ask).await?;
    let chosen = chosen_tables(&ask.query, &tables)?;
    match form {
        Form::Vector => answer(face, ask, keeping, tile, chosen).await,
        Form::GeoJson => geojson_tile(face, ask, tile, &chosen).await,
    }
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

pub(super) fn tile_of(ask: &Ask<'_>, place: usize) -> Result<Tile, Fault> {
    let set = matrix_set_of(ask, place)?;
    let [matrix, row, col] = [1, 2, 3].map(|behind| ask.segment(place + behind));
    Tile::parse(set, &matrix?, &row?, &col?)
}

/// In which form a tile is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Vector,
    GeoJson,
}

impl Form {
    fn of(ask: &Ask<'_>) -> Result<Self, Fault> {
        if let Some(name) = ask.query.get("f") {
            return match name {
                "mvt" => Ok(Self::Vector),
                "geojson" => Ok(Self::GeoJson),
                other => Err(Fault::invalid(format!(
                    "f={other:?}: a tile can be had as mvt and geojson"
                ))),
            };
        }
        let known = [MVT, "application/x-protobuf", "application/octet-stream", GEOJSON];
        match ask.best_of(&known) {
            Some(3) => Ok(Self::GeoJson),
            Some(_) => Ok(Self::Vector),
            None => Err(Fault::not_acceptable(&[MVT, GEOJSON])),
        }
    }
}

/// A tile as it was kept, where it was.
struct Keeping {
    place: Option<Place>,
    known: Option<Arc<Kept>>,
}

impl Keeping {
    fn of(face: &Face, ask: &Ask<'_>, form: Form) -> Self {
        // Only what is drawn is worth keeping.
        let is_off = face.tiles.is_off() || form == Form::GeoJson;
        let place = if is_off { None } else { Place::of(&face.engine, &ask.caller) };
        let known = place.as_ref().and_then(|place| face.tiles.get(place, address(ask)));
        let layers_version = face.layers_version(ask);
        let known = known.filter(|known| known.layers_version == layers_version);
        Self { place, known }
    }

    /// The kept tile, where nothing was written since that it could show.
    fn fresh_answer(&self, ask: &Ask<'_>) -> Option<Response<Body>> {
        let (place, known) = (self.place.as_ref()?, self.known.as_ref()?);
        let revision = place.snapshot.revision();
        place.is_fresh(known).then(|| {
            coded(ask, respond_with(ask, &known.tag, known.body.clone(), revision), &known.coded)
        })
    }
}

/// The address that a tile is kept by.
fn address<'a>(ask: &Ask<'a>) -> &'a str {
    ask.parts.uri.path_and_query().map_or("", PathAndQuery::as_str)
}

fn respond_with(
    ask: &Ask<'_>,
    tag: &HeaderValue,
    body: Bytes,
    revision: Revision,
) -> Response<Body> {
    tagged(ask.parts, tag.clone(), VARY_ON, untagged(ask, body, revision))
}

fn untagged(ask: &Ask<'_>, body: Bytes, revision: Revision) -> Response<Body> {
    let mut response = respond::answer(MVT, body, revision);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // A tile has no room for links.
    let (own, tileset) = (ask.own_url(), tileset_url(ask));
    let links = format!("<{own}>; rel=\"self\"; type=\"{MVT}\", <{tileset}>; rel=\"describedby\"");
    if let Ok(links) = HeaderValue::try_from(links) {
        response.headers_mut().insert(LINK, links);
    }
    response
}

/// The tile, and the fingerprint of the picture.
async fn drawn(
    face: &Face,
    picture: &Picture<'_>,
    files: Vec<FileLayer>,
    tile: Tile,
) -> Result<(Bytes, u64), Fault> {
    let (mut bytes, fingerprint) = picture.draw().await?;
    for file in files {
        bytes.extend(drawn_of_file(face, file, tile).await?);
    }
    Ok((bytes.into(), fingerprint))
}

/// A layer of the tile, which waits for its turn where much has to be read for it.
async fn drawn_of_file(face: &Face, file: FileLayer, tile: Tile) -> Result<Vec<u8>, Fault> {
    let judging = file.clone();
    let mut turn = None;
    if in_background(move || judging.is_costly(tile)).await?? {
        let free = face.scans.clone().acquire_owned().await;
        turn = Some(free.map_err(|error| Fault::failed(&error))?);
    }
    let draw = move || {
        // What was begun keeps its turn, whether anybody still waits for it or not.
        let _turn = turn;
        file.draw(tile)
    };
    Ok(in_background(draw).await??)
}

/// The tileset that the tile is of: its address without matrix, row and column.
fn tileset_url(ask: &Ask<'_>) -> String {
    let mut url = ask.path_url();
    let end = url.rmatch_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
    url.truncate(end);
    url
}

async fn answer(
    face: &Face,
    ask: &Ask<'_>,
    keeping: Keeping,
    tile: Tile,
    tables: Vec<&Table>,
) -> Result<Response<Body>, Fault> {
    let columns = chosen_columns(&ask.query, &tables)?;
    let filters = tile_filters(&ask.query, &tables, &face.options.systems)?;
    let mut shown = Vec::new();
    let mut files = Vec::new();
    for ((table, columns), filter) in tables.into_iter().zip(columns).zip(filters) {
        match face.layer_of(ask, table) {
            Some(layer) => files.push(FileLayer { layer, columns, filter }),
            None => shown.push(Shown { table, columns, filter }),
        }
    }
    let made_of = (shown.iter().map(|one| one.table.id).collect(), tile.frame.boxes());
    let versions: Vec<u64> = files.iter().map(|one| one.layer.description().version).collect();
    let layers_version = face.layers_version(ask);
    let snapshot = if let Some(place) = &keeping.place {
        place.snapshot.clone()
    } else {
        let at = (&face.engine, &ask.caller);
        completed(at, face.snapshot(ask).await?, &tile, &shown).await?
    };
    let picture = Picture::of(&face.engine, &snapshot, tile, shown).await?;
    if snapshot.contributions().is_some() {
        // What context sources say is no function of the revision, so there is no tag.
        let (bytes, _) = drawn(face, &picture, files, tile).await?;
        return Ok(untagged(ask, bytes, snapshot.revision()));
    }
    // The tag says nothing of the revision, so a write elsewhere leaves it as it is.
    let tag_of = |mut fingerprint| {
        if !versions.is_empty() {
            // A file is shown alike as long as it is the same and the same is asked of it.
            fingerprint = FixedState::default().hash_one((fingerprint, &versions, address(ask)));
        }
        let incarnation = ask.incarnation(&face.engine);
        face.tags.tag(&ask.caller, incarnation, Revision(0), fingerprint)
    };
    let knows_one = keeping.known.is_some() || ask.parts.headers.contains_key(IF_NONE_MATCH);
    let known_tag = if knows_one { Some(tag_of(picture.fingerprint().await?)) } else { None };
    let (tag, body) = match (known_tag, &keeping.known) {
        (Some(tag), Some(known)) if known.tag == tag => (tag, Some(known.body.clone())),
        (Some(tag), _) if is_known(&ask.parts.headers, &tag) => (tag, None),
        _ => {
            let (bytes, fingerprint) = drawn(face, &picture, files, tile).await?;
            (tag_of(fingerprint), Some(bytes))
        }
    };
    let forms = match &keeping.known {
        Some(known) if known.tag == tag => known.coded.clone(),
        _ => CodedForms::new(face.tiles.coded_room()),
    };
    if let (Some(place), Some(body)) = (&keeping.place, &body) {
        let body = (body.clone(), forms.clone());
        let kept = Kept::new(place, body, tag.clone(), made_of, layers_version);
        face.tiles.keep(place, address(ask), Arc::new(kept));
    }
    let response = respond_with(ask, &tag, body.unwrap_or_default(), snapshot.revision());
    Ok(if keeping.place.is_some() { coded(ask, response, &forms) } else { response })
}

/// An answer whose body is compressed once for all that ask for it.
fn coded(ask: &Ask<'_>, mut response: Response<Body>, forms: &CodedForms) -> Response<Body> {
    if ask.parts.headers.contains_key(ACCEPT_ENCODING) {
        response.extensions_mut().insert(forms.clone());
    }
    response
}
