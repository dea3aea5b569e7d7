use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use cardo_engine::{Table, Tables};
use cardo_model::{EntityId, Record};
use cardo_query::Filter;

use crate::answer::{END, GeoJsonPieces, View, open_page, write_features, write_links};
use crate::documents::{GEOJSON, Link, own_links};
use crate::face::{BASE, Face, collection_of};
use crate::fault::Fault;
use crate::html;
use crate::params::{Edges, ITEM_PARAMETERS, ItemsQuery, Side, shown};
use crate::represent::FeatureWriter;
use crate::request::{Ask, Format};
use crate::respond;

/// Pages up to this size are written whole before they are sent.
const AT_ONCE: usize = 1_000;

/// The features of a collection (clauses 7.15 and 7.16).
pub(crate) async fn features(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    let format = ask.format(GEOJSON)?;
    let tables = face.tables(ask).await?;
    let table = collection_of(&tables, ask)?;
    let limits = face.options.limits;
    let mut items = ItemsQuery::parse(&ask.query, table, limits)?;
    if format == Format::Html {
        items.at_most(limits.max_html_page);
    } else if items.limit > AT_ONCE {
        return large(face, ask, format, &tables, table, &items).await;
    }
    let page = face.engine.query(&ask.caller, &items.query).await?;
    items.check_revision(page.revision)?;
    let links = page_links(ask, format, &items, &Edges::of(&page));
    if format == Format::Html {
        return Ok(respond::page(
            html::features_page(ask, table, &items, &page, &links),
            page.revision,
        ));
    }
    let mut body = open_page(&page.entities, page.count, page.entities.len(), &links);
    write_features(table, &items.shown, &page.entities, &mut body);
    body.extend_from_slice(END);
    Ok(respond::answer(GEOJSON, body, page.revision))
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
    let pieces = GeoJsonPieces::new(head, view, listing);
    Ok(respond::answer(GEOJSON, face.stream(pieces)?, revision))
}

/// One feature (clause 7.17).
pub(crate) async fn feature(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    ask.query.only(&ITEM_PARAMETERS)?;
    let format = ask.format(GEOJSON)?;
    let tables = face.tables(ask).await?;
    let table = collection_of(&tables, ask)?;
    let shown = shown(&ask.query, table)?;
    let id = ask.segment(3)?;
    let mut snapshot = face.snapshot(ask).await?;
    if ask.caller.reach.is_far()
        && let Ok(id) = EntityId::new(id.as_ref())
    {
        let filter = Filter::Ids(vec![id]);
        snapshot = face.engine.completed(&ask.caller, snapshot, &filter).await?;
    }
    let found = snapshot.retrieve(&id);
    let is_of_table = |record: &Record| record.view().types().any(|name| name == table.id);
    let record = found.filter(is_of_table).ok_or_else(|| {
        Fault::not_found(format!("there is no feature {id:?} in the collection {:?}", table.name))
    })?;
    let revision = snapshot.revision();
    let mut links = own_links(ask, format, GEOJSON);
    let collection = format!("/collections/{}", table.name);
    links.push(Link::new(ask.url(&collection), "collection", "application/json", "The collection"));
    if format == Format::Html {
        return Ok(respond::page(html::feature_page(ask, table, &record, &shown), revision));
    }
    let mut out = Vec::with_capacity(record.as_bytes().len() * 2 + 512);
    FeatureWriter::new(&mut out, table, &shown).open_feature(&record.view());
    out.extend_from_slice(b",\"links\":");
    write_links(&links, &mut out);
    out.push(b'}');
    Ok(respond::answer(GEOJSON, out, revision))
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
