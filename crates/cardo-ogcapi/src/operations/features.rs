use axum::body::Body;
use axum::http::Response;
use cardo_engine::{Page, Table};
use cardo_model::{EntityId, Record, Timestamp, write_json_string};
use cardo_query::Filter;

use crate::documents::{GEOJSON, Link, own_links};
use crate::face::{BASE, Face, collection_of};
use crate::fault::Fault;
use crate::html;
use crate::params::{Cursor, ITEM_PARAMETERS, ItemsQuery, Side, shown};
use crate::represent::{FeatureWriter, Shown, write_moment};
use crate::request::{Ask, Format};
use crate::respond;

/// The features of a collection (clauses 7.15 and 7.16).
pub(crate) async fn features(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    let format = ask.format(GEOJSON)?;
    let tables = face.tables(ask).await?;
    let table = collection_of(&tables, ask)?;
    let items = ItemsQuery::parse(&ask.query, table, face.options.limits)?;
    let page = face.engine.query(&ask.caller, &items.query).await?;
    items.check_revision(page.revision)?;
    let links = page_links(ask, format, &items, &page);
    if format == Format::Html {
        return Ok(respond::page(
            html::features_page(ask, table, &items, &page, &links),
            page.revision,
        ));
    }
    let body = write_page(table, &page, &links, &items.shown);
    Ok(respond::answer(GEOJSON, body, page.revision))
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
fn page_links(ask: &Ask<'_>, format: Format, items: &ItemsQuery, page: &Page) -> Vec<Link> {
    let mut links = own_links(ask, format, GEOJSON);
    let path = ask.parts.uri.path().strip_prefix(BASE).unwrap_or_default();
    let collection = path.trim_end_matches('/').trim_end_matches("/items");
    links.push(Link::new(ask.url(collection), "collection", "application/json", "The collection"));
    let limit = items.limit.to_string();
    let mut other = |side, beside: Option<&Record>, rel, title| {
        let Some(record) = beside else { return };
        let (seq, question) = (record.view().seq(), items.question);
        let cursor = Cursor { side, seq, revision: page.revision, question }.to_string();
        let changed =
            [("offset", None), ("limit", Some(limit.as_str())), ("cursor", Some(cursor.as_str()))];
        links.push(Link::new(ask.url_with(&changed), rel, media_of(format), title));
    };
    if page.has_more {
        other(Side::After, page.entities.last(), "next", "The next page");
    }
    if page.has_before {
        other(Side::Before, page.entities.first(), "prev", "The page before");
    }
    links
}

fn media_of(format: Format) -> &'static str {
    match format {
        Format::Json => GEOJSON,
        Format::Html => crate::request::HTML,
    }
}

fn write_page(table: &Table, page: &Page, links: &[Link], shown: &Shown) -> Vec<u8> {
    let bytes: usize = page.entities.iter().map(|record| record.as_bytes().len() * 2 + 64).sum();
    let mut out = Vec::with_capacity(bytes + 2_048);
    out.extend_from_slice(b"{\"type\":\"FeatureCollection\",\"timeStamp\":");
    write_moment(Timestamp::now(), &mut out);
    let mut digits = itoa::Buffer::new();
    if let Some(count) = page.count {
        out.extend_from_slice(b",\"numberMatched\":");
        out.extend_from_slice(digits.format(count).as_bytes());
    }
    out.extend_from_slice(b",\"numberReturned\":");
    out.extend_from_slice(digits.format(page.entities.len()).as_bytes());
    out.extend_from_slice(b",\"links\":");
    write_links(links, &mut out);
    out.extend_from_slice(b",\"features\":[");
    let mut writer = FeatureWriter::new(&mut out, table, shown);
    for (at, record) in page.entities.iter().enumerate() {
        if at > 0 {
            writer.out.push(b',');
        }
        writer.feature(&record.view());
    }
    out.extend_from_slice(b"]}");
    out
}

fn write_links(links: &[Link], out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, link) in links.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"href\":");
        write_json_string(&link.href, out);
        out.extend_from_slice(b",\"rel\":");
        write_json_string(link.rel, out);
        out.extend_from_slice(b",\"type\":");
        write_json_string(link.media_type, out);
        out.extend_from_slice(b",\"title\":");
        write_json_string(&link.title, out);
        out.push(b'}');
    }
    out.push(b']');
}
