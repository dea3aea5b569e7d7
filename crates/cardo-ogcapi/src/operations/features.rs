use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use cardo_engine::{Listing, Table, Tables};
use cardo_model::{EntityId, Record};
use cardo_query::Filter;

use crate::answer::{END, GeoJsonPieces, View, open_page, write_features, write_links};
use crate::documents::{GEOJSON, Link, own_links};
use crate::face::{BASE, Face, collection_of};
use crate::fault::Fault;
use crate::html;
use crate::layers::MOST_ON_A_PAGE;
use crate::params::{Edges, ITEM_PARAMETERS, ItemsQuery, Side, shown};
use crate::represent::{FeatureWriter, Shown};
use crate::request::{Ask, Format};
use crate::respond;

/// Pages up to this size are written whole before they are sent.
const AT_ONCE: usize = 1_000;
/// How many features of a large page are looked at before others come.
const CHECKED_TOGETHER: usize = 256;

/// The features of a collection (clauses 7.15 and 7.16).
pub(crate) async fn features(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    let format = ask.format(GEOJSON)?;
    let tables = face.tables(ask).await?;
    let table = collection_of(&tables, ask)?;
    let limits = face.options.limits;
    let mut items = ItemsQuery::parse(&ask.query, table, limits, &face.options.systems)?;
    let layer = face.layer_of(ask, table);
    if format == Format::Html {
        items.at_most(limits.max_html_page);
    } else if layer.is_some() {
        items.at_most(MOST_ON_A_PAGE);
    } else if items.limit > AT_ONCE {
        return large(face, ask, format, &tables, table, &items).await;
    }
    let system = &items.shown.system;
    let page = match layer {
        Some(layer) => face.page_of_layer(ask, layer, &items.query).await?,
        None => face.engine.query(&ask.caller, &items.query).await?,
    };
    items.check_revision(page.revision)?;
    let links = page_links(ask, format, &items, &Edges::of(&page));
    if format == Format::Html {
        let answer = html::features_page(ask, table, &items, &page, &links);
        return Ok(respond::in_system(respond::page(answer, page.revision), system));
    }
    let mut body = open_page(&page.entities, page.count, page.entities.len(), &links);
    write_features(table, &items.shown, &page.entities, &mut body)?;
    body.extend_from_slice(END);
    Ok(respond::in_system(respond::answer(GEOJSON, body, page.revision), system))
}

/// A page that is too large to be held in memory as a whole: it is written from one snapshot as
/// fast as the client takes it.
async fn large(
    face: &Face,
    ask: &Ask<'_>,
    format: Format,
    tables: &Arc<Tables>,
    table: &Table,
    items: &ItemsQuery,
) -> Result<Response<Body>, Fault> {
    let listing = face.engine.listing(&ask.caller, &items.query).await?;
    items.check_revision(listing.revision)?;
    let revision = listing.revision;
    let ends = listing.ends();
    let links = page_links(ask, format, items, &Edges::of_listing(&listing, ends.as_ref()));
    let head = open_page(&[], listing.count, listing.len(), &links);
    let view = View::new(tables.clone(), table, items.shown.clone());
    all_have_places(table, &items.shown, &listing).await?;
    let pieces = GeoJsonPieces::new(head, view, listing);
    let answer = respond::answer(GEOJSON, face.stream(pieces)?, revision);
    Ok(respond::in_system(answer, &items.shown.system))
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
        write_features(table, shown, &listing.read(start..start + CHECKED_TOGETHER), &mut out)?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// One feature (clause 7.17).
pub(crate) async fn feature(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&ITEM_PARAMETERS)?;
    let format = ask.format(GEOJSON)?;
    let tables = face.tables(ask).await?;
    let table = collection_of(&tables, ask)?;
    let shown = shown(&ask.query, table, &face.options.systems)?;
    let id = ask.segment(3)?;
    let mut snapshot = face.snapshot(ask).await?;
    if ask.caller.reach.is_far()
        && let Ok(id) = EntityId::new(id.as_ref())
    {
        let filter = Filter::Ids(vec![id]);
        snapshot = face.engine.completed(&ask.caller, snapshot, &filter).await?;
    }
    let found = match face.layer_of(ask, table) {
        Some(layer) => face.feature_of_layer(ask, layer, &id).await?,
        None => snapshot.retrieve(&id),
    };
    let is_of_table = |record: &Record| record.view().types().any(|name| name == table.id);
    let record = found.filter(is_of_table).ok_or_else(|| {
        Fault::not_found(format!("there is no feature {id:?} in the collection {:?}", table.name))
    })?;
    let revision = snapshot.revision();
    let mut links = own_links(ask, format, GEOJSON);
    let collection = format!("/collections/{}", table.name);
    links.push(Link::new(ask.url(&collection), "collection", "application/json", "The collection"));
    if format == Format::Html {
        let page = respond::page(html::feature_page(ask, table, &record, &shown), revision);
        return Ok(respond::in_system(page, &shown.system));
    }
    let mut out = Vec::with_capacity(record.as_bytes().len() * 2 + 512);
    FeatureWriter::new(&mut out, table, &shown).open_feature(&record.view())?;
    out.extend_from_slice(b",\"links\":");
    write_links(&links, &mut out);
    out.push(b'}');
    Ok(respond::in_system(respond::answer(GEOJSON, out, revision), &shown.system))
}

/// Links to this page, to its other encoding, and to the pages beside it.
fn page_links(ask: &Ask<'_>, format: Format, items: &ItemsQuery, page: &Edges<'_>) -> Vec<Link> {
    let mut links = own_links(ask, format, GEOJSON);
    let path = ask.parts.uri.path().strip_prefix(BASE).unwrap_or_default();
    let collection = path.trim_end_matches('/').trim_end_matches("/items");
    links.push(Link::new(ask.url(collection), "collection", "application/json", "The collection"));
    let limit = items.limit.to_string();
    let mut other = |side, rel, title| {
        let Some((name, value)) = items.beside(page, side) else { return };
        let left_out = if name == "cursor" { "offset" } else { "cursor" };
        let changed =
            [(left_out, None), ("limit", Some(limit.as_str())), (name, Some(value.as_str()))];
        links.push(Link::new(ask.url_with(&changed), rel, media_of(format), title));
    };
    if page.has_more {
        other(Side::After, "next", "The next page");
    }
    if page.has_before {
        other(Side::Before, "prev", "The page before");
    }
    links
}

fn media_of(format: Format) -> &'static str {
    match format {
        Format::Json => GEOJSON,
        Format::Html => crate::request::HTML,
    }
}
