use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LAST_MODIFIED, LOCATION, VARY};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use cardo_engine::{Listing, Snapshot, Table, Tables, TileLayerDescription};
use cardo_formats::rows::{CsvRows, FlatGeobufRows, GeoPackageRows, GeoParquetRows, RowWriter};
use cardo_model::{EntityId, Record, Timestamp};
use cardo_query::Filter;
use serde_json::json;

use crate::answer::{
    END, Encoding, GeoJsonPieces, Pieces, RowPieces, View, head_of, json_fg_members, link_headers,
    open_page, whole, write_features, write_links,
};
use crate::documents::{GEOJSON, Link, encode_segment, links_json, tile_links};
use crate::face::{BASE, Face, collection_of};
use crate::fault::Fault;
use crate::html;
use crate::layers::{MOST_ON_A_PAGE, tile_layer_of};
use crate::params::{
    Edges, ITEM_PARAMETERS, ItemsQuery, PARAMETERS, Profile, Profiles, References, Side, shown,
};
use crate::receive::{Conditions, State, last_modified};
use crate::represent::{FeatureWriter, Resolver, Shown, is_reference, table_of};
use crate::request::{Ask, HTML};
use crate::respond;

/// Pages up to this size are written whole before they are sent.
const AT_ONCE: usize = 1_000;
/// How many features of a large page are looked at before others come.
const CHECKED_TOGETHER: usize = 256;
/// FlatGeobuf files up to this size have an index, which takes some thirty bytes of memory a feature.
const MOST_INDEXED: usize = 1_000_000;
/// How many features match and are in the answer, where the encoding has no room for it.
const NUMBER_MATCHED: HeaderName = HeaderName::from_static("ogc-numbermatched");
const NUMBER_RETURNED: HeaderName = HeaderName::from_static("ogc-numberreturned");

/// The features of a collection (clauses 7.15 and 7.16).
pub(crate) async fn features(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    let encoding = Encoding::of_items(ask)?;
    let tables = face.tables(ask).await?;
    if let (Some(layer), Encoding::GeoJson) = (tile_layer_of(&tables, ask)?, encoding) {
        return no_page(face, ask, layer.description()).await;
    }
    let table = collection_of(&tables, ask)?;
    let limits = face.options.limits;
    let mut items = ItemsQuery::parse(&ask.query, table, limits, &face.options.systems)?;
    let references = references(ask, encoding, table)?;
    let layer = face.layer_of(ask, table);
    if layer.is_some() {
        items.at_most(MOST_ON_A_PAGE);
    }
    if encoding == Encoding::Html {
        items.at_most(limits.max_html_page);
        let page = match layer {
            Some(layer) => face.page_of_layer(ask, layer, &items.query).await?,
            None => face.engine.query(&ask.caller, &items.query).await?,
        };
        items.check_revision(page.revision)?;
        // Behind the page, so that its tag does not name a later state than that of what references lead to.
        items.shown.references = face.resolver(ask, &tables, references).await?;
        let links = page_links(ask, (encoding, references), &items, &Edges::of(&page));
        let answer = html::features_page(ask, table, &items, &page, &links);
        return Ok(respond::in_system(respond::page(answer, page.revision), &items.shown.system));
    }
    let listing = match layer {
        Some(layer) => face.page_of_layer(ask, layer, &items.query).await?.into(),
        None => face.engine.listing(&ask.caller, &items.query).await?,
    };
    items.check_revision(listing.revision)?;
    items.shown.is_right_handed = listing.is_right_handed(table);
    items.shown.references = face.resolver(ask, &tables, references).await?;
    let form = (encoding, references);
    match encoding {
        Encoding::GeoJson | Encoding::JsonFg(_) if listing.len() <= AT_ONCE => {
            small_page(ask, form, table, &items, &listing)
        }
        _ => listed(face, ask, form, &tables, table, &items, listing).await,
    }
}

/// The page of a collection of ready tiles, which has no features. Programs that copy all collections, as GDAL
/// does, come to an end with it; other encodings are refused with the reason.
async fn no_page(
    face: &Face,
    ask: &Ask<'_>,
    layer: &TileLayerDescription,
) -> Result<Response<Body>, Fault> {
    ask.query.only(&PARAMETERS)?;
    let mut links = vec![Link::new(ask.own_url(), "self", GEOJSON, "This document")];
    links.extend(tile_links(ask, layer));
    let mut body = open_page(0, Some(0), 0, &links, "");
    body.extend_from_slice(END);
    Ok(respond::answer(GEOJSON, body, face.snapshot(ask).await?.revision()))
}

/// A page that is written before it is sent.
fn small_page(
    ask: &Ask<'_>,
    (encoding, references): (Encoding, Option<References>),
    table: &Table,
    items: &ItemsQuery,
    listing: &Listing,
) -> Result<Response<Body>, Fault> {
    let records = listing.gather(0..listing.len());
    let ends = records.first().zip(records.last());
    let ends = ends.map(|(first, last)| (first.as_ref(), last.as_ref()));
    let edges = Edges::of_listing(listing, ends);
    let links = page_links(ask, (encoding, references), items, &edges);
    let about = about(ask, encoding, table, &items.shown);
    let room = records.iter().map(|record| record.as_bytes().len() * 5 / 4 + 64).sum();
    let mut body = open_page(room, listing.count, records.len(), &links, &about);
    let profile = encoding.profile_of_json();
    write_features(table, &items.shown, profile, &records, &mut body)?;
    body.extend_from_slice(END);
    let mut response = respond::answer(GEOJSON, body, listing.revision);
    encoding.describe(ask, &table.name, references, &mut response);
    Ok(respond::in_system(response, &items.shown.system))
}

/// A page that may be too large to be held in memory as a whole: it is written from one snapshot as
/// fast as the client takes it.
async fn listed(
    face: &Face,
    ask: &Ask<'_>,
    (encoding, references): (Encoding, Option<References>),
    tables: &Arc<Tables>,
    table: &Table,
    items: &ItemsQuery,
    listing: Listing,
) -> Result<Response<Body>, Fault> {
    let (revision, count, returned) = (listing.revision, listing.count, listing.len());
    let ends = listing.ends();
    let ends = ends.as_ref().map(|(first, last)| (first, last));
    let edges = Edges::of_listing(&listing, ends);
    let links = page_links(ask, (encoding, references), items, &edges);
    let view = View::new(tables.clone(), table, items.shown.clone());
    all_have_places(table, &items.shown, &listing).await?;
    let head = || head_of(table, &items.shown);
    let rows: Box<dyn RowWriter> = match encoding {
        Encoding::GeoJson | Encoding::JsonFg(_) | Encoding::Html => {
            let about = about(ask, encoding, table, &items.shown);
            let head = open_page(0, count, returned, &links, &about);
            let pieces = GeoJsonPieces::new(head, encoding.profile_of_json(), view, listing);
            let mut response = respond::answer(GEOJSON, face.body(pieces, returned)?, revision);
            encoding.describe(ask, &table.name, references, &mut response);
            return Ok(respond::in_system(response, &items.shown.system));
        }
        Encoding::Csv => Box::new(CsvRows::new(head())),
        Encoding::FlatGeobuf => Box::new(FlatGeobufRows::new(head(), returned <= MOST_INDEXED)),
        Encoding::GeoPackage => {
            let system = items.shown.system.crs.to_wkt();
            Box::new(GeoPackageRows::new(head(), system.as_deref(), Timestamp::now()))
        }
        Encoding::GeoParquet => {
            let system = items.shown.system.crs.to_projjson();
            let system = system.map_err(|error| Fault::unavailable_as(error.to_string()))?;
            Box::new(GeoParquetRows::new(head(), system))
        }
    };
    let is_authority_order = encoding == Encoding::Csv;
    let pieces = RowPieces::new(view, listing, rows, is_authority_order);
    let body = if returned > AT_ONCE { face.stream_beside(pieces)? } else { at_once(pieces)? };
    let mut response = respond::answer(encoding.media_type(), body, revision);
    let headers = response.headers_mut();
    link_headers(&links, headers);
    for (name, number) in [(NUMBER_MATCHED, count), (NUMBER_RETURNED, Some(returned))] {
        if let Some(number) = number {
            headers.insert(name, HeaderValue::from(number));
        }
    }
    encoding.describe(ask, &table.name, references, &mut response);
    Ok(respond::in_system(response, &items.shown.system))
}

/// Refuses features that the system has no place for while there is a status to say so with: what
/// is under way can only be broken off.
async fn all_have_places(table: &Table, shown: &Shown, listing: &Listing) -> Result<(), Fault> {
    if shown.system.crs.is_lon_lat() || !shown.geometry {
        return Ok(());
    }
    let mut out = Vec::new();
    for start in (0..listing.len()).step_by(CHECKED_TOGETHER) {
        out.clear();
        let records = listing.gather(start..start + CHECKED_TOGETHER);
        write_features(table, shown, Profile::Rfc7946, &records, &mut out)?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

impl Face {
    /// A small answer as a whole, a large one as a stream.
    fn body(&self, pieces: impl Pieces, features: usize) -> Result<Body, Fault> {
        if features > AT_ONCE { self.stream(pieces) } else { at_once(pieces) }
    }
}

fn at_once(pieces: impl Pieces) -> Result<Body, Fault> {
    Ok(whole(pieces).map_err(|error| Fault::unavailable_as(error.to_string()))?.into())
}

/// What the root of a document has more in this encoding.
fn about(ask: &Ask<'_>, encoding: Encoding, table: &Table, shown: &Shown) -> String {
    match encoding {
        Encoding::JsonFg(_) => {
            let schema = ask.url(&format!("/collections/{}/schema", table.name));
            json_fg_members(table, shown, &schema)
        }
        _ => String::new(),
    }
}

/// One feature (clause 7.17).
pub(crate) async fn feature(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&ITEM_PARAMETERS)?;
    let encoding = Encoding::of_item(ask)?;
    let tables = face.tables(ask).await?;
    let table = collection_of(&tables, ask)?;
    let mut shown = shown(&ask.query, table, &face.options.systems)?;
    let references = references(ask, encoding, table)?;
    let id = ask.behind(2)?;
    let (snapshot, record) = find(face, ask, table, &id).await?;
    let record = record.ok_or_else(|| {
        Fault::not_found(format!("there is no feature {id:?} in the collection {:?}", table.name))
    })?;
    let revision = snapshot.revision();
    shown.references = face.resolver(ask, &tables, references).await?;
    let mut links = encoding.own_links(ask, false);
    let collection = format!("/collections/{}", table.name);
    links.push(Link::new(ask.url(&collection), "collection", "application/json", "The collection"));
    links.extend(encoding.profile_links(references));
    let view = record.view();
    let state = (view.id(), view.revision());
    let is_layer = face.layer_of(ask, table).is_some();
    if !is_layer {
        Conditions::of_read(ask.parts)?.check(Some(&State::of(face, ask, &record)))?;
    }
    // What is in a file is no function of a revision; how other features are called is one of the twin's.
    let tagged = |form: &str, answer| {
        let mut tagged = match &shown.references {
            _ if is_layer => return answer,
            None => face.feature_tagged(ask, state, form, answer),
            Some(references) => {
                let form = format!("{form} {}", references.revision().0);
                face.feature_tagged(ask, state, &form, answer)
            }
        };
        if let Some(time) = last_modified(view.modified_at()).filter(|_| !ask.caller.reach.is_far())
        {
            tagged.headers_mut().insert(LAST_MODIFIED, time);
        }
        tagged
    };
    if encoding == Encoding::Html {
        let page = respond::page(html::feature_page(ask, table, &record, &shown), revision);
        return Ok(respond::in_system(tagged(HTML, page), &shown.system));
    }
    let mut out = Vec::with_capacity(record.as_bytes().len() * 2 + 512);
    let writer = FeatureWriter::new(&mut out, table, &shown);
    writer.in_profile(encoding.profile_of_json()).open_feature(&record.view())?;
    out.extend_from_slice(about(ask, encoding, table, &shown).as_bytes());
    out.extend_from_slice(b",\"links\":");
    write_links(&links, &mut out);
    out.push(b'}');
    let mut answer = respond::answer(GEOJSON, out, revision);
    encoding.describe(ask, &table.name, references, &mut answer);
    // The form by which changes tell the tag is plain GeoJSON.
    let name = encoding.name();
    let form = if name == "json" { GEOJSON } else { name };
    Ok(respond::in_system(tagged(form, answer), &shown.system))
}

/// Where the feature of an id stands (an extension): references lead here that may be to features of
/// several collections.
pub(crate) async fn feature_of_id(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&ITEM_PARAMETERS)?;
    let tables = face.tables(ask).await?;
    let id = ask.behind(0)?;
    let record = completed(face, ask, &id).await?.retrieve(&id);
    let table = record.as_ref().and_then(|record| table_of(&tables, record));
    let table = table.ok_or_else(|| Fault::not_found(format!("there is no feature {id:?}")))?;
    let query = ask.parts.uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let place = format!("/collections/{}/items/{}{query}", table.name, encode_segment(&id));
    let place = ask.url(&place);
    let location = HeaderValue::try_from(&place).map_err(|error| Fault::failed(&error))?;
    let link = Link::new(place, "canonical", GEOJSON, "The feature");
    let body = json!({ "links": links_json(&[link]) });
    let mut response = Response::new(body.to_string().into());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(LOCATION, location);
    headers.insert(VARY, HeaderValue::from_static(respond::VARY_ON));
    Ok(response)
}

/// How references of a collection are shown, where it has any.
fn references(
    ask: &Ask<'_>,
    encoding: Encoding,
    table: &Table,
) -> Result<Option<References>, Fault> {
    let asked = Profiles::parse(&ask.query)?.references;
    let has_some = table.columns.iter().any(is_reference);
    Ok(has_some.then(|| encoding.references(asked)))
}

impl Face {
    /// What shows references as addresses, where they are to be shown so.
    async fn resolver(
        &self,
        ask: &Ask<'_>,
        tables: &Arc<Tables>,
        form: Option<References>,
    ) -> Result<Option<Arc<Resolver>>, Fault> {
        match form {
            None | Some(References::Key) => Ok(None),
            Some(form) => {
                let snapshot = self.snapshot(ask).await?;
                Ok(Some(Arc::new(Resolver::new(form, ask.root(), snapshot, tables.clone()))))
            }
        }
    }
}

/// The twin with what context sources have of an entity.
async fn completed(face: &Face, ask: &Ask<'_>, id: &str) -> Result<Snapshot, Fault> {
    let snapshot = face.snapshot(ask).await?;
    match EntityId::new(id) {
        Ok(id) if ask.caller.reach.is_far() => {
            Ok(face.engine.completed(&ask.caller, snapshot, &Filter::Ids(vec![id])).await?)
        }
        _ => Ok(snapshot),
    }
}

/// The entity that is a feature of a collection, and the twin as it was looked at.
pub(super) async fn find(
    face: &Face,
    ask: &Ask<'_>,
    table: &Table,
    id: &str,
) -> Result<(Snapshot, Option<Record>), Fault> {
    let snapshot = completed(face, ask, id).await?;
    let found = match face.layer_of(ask, table) {
        Some(layer) => face.feature_of_layer(ask, layer, id).await?,
        None => snapshot.look_up(id)?,
    };
    let is_of_table = |record: &Record| record.view().types().any(|name| name == table.id);
    let record = found.filter(is_of_table);
    Ok((snapshot, record))
}

/// Links to this page, to its other encodings, and to the pages beside it.
fn page_links(
    ask: &Ask<'_>,
    (encoding, references): (Encoding, Option<References>),
    items: &ItemsQuery,
    page: &Edges<'_>,
) -> Vec<Link> {
    let mut links = encoding.own_links(ask, true);
    let path = ask.parts.uri.path().strip_prefix(BASE).unwrap_or_default();
    let collection = path.trim_end_matches('/').trim_end_matches("/items");
    links.push(Link::new(ask.url(collection), "collection", "application/json", "The collection"));
    if encoding.media_type() == GEOJSON {
        links.extend(encoding.profile_links(references));
    }
    let limit = items.limit.to_string();
    let mut other = |side, rel, title| {
        let Some((name, value)) = items.beside(page, side) else { return };
        let left_out = if name == "cursor" { "offset" } else { "cursor" };
        let changed =
            [(left_out, None), ("limit", Some(limit.as_str())), (name, Some(value.as_str()))];
        links.push(Link::new(ask.url_with(&changed), rel, encoding.media_type(), title));
    };
    if page.has_more {
        other(Side::After, "next", "The next page");
    }
    if page.has_before {
        other(Side::Before, "prev", "The page before");
    }
    links
}
