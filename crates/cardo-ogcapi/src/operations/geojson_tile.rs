//! Tiles as GeoJSON (OGC 20-057, /req/geojson): the features that meet the tile, as they are and whole, in longitude
//! and latitude whatever the system of the tile is. Nothing is merged or cut, so a tile with too many is refused.

use axum::body::Body;
use axum::http::Response;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use cardo_engine::{EntityQuery, Order, Page, PageRequest, PageStart, Table};
use cardo_query::Filter;

use crate::answer::{END, open_page, write_features};
use crate::documents::{GEOJSON, Link, MVT};
use crate::face::Face;
use crate::fault::Fault;
use crate::params::{Profile, chosen_columns, tile_filters};
use crate::represent::Shown;
use crate::request::Ask;
use crate::respond;
use crate::tiles::{Tile, meets_boxes};

/// The most features of a tile.
const MOST: usize = 10_000;

/// The features of some collections in a tile.
pub(super) async fn geojson_tile(
    face: &Face,
    ask: &Ask<'_>,
    tile: Tile,
    tables: &[&Table],
) -> Result<Response<Body>, Fault> {
    let columns = chosen_columns(&ask.query, tables)?;
    let filters = tile_filters(&ask.query, tables, &face.options.systems)?;
    let snapshot = face.snapshot(ask).await?;
    let mut pages: Vec<Page> = Vec::with_capacity(tables.len());
    let mut count = 0;
    for (table, filter) in tables.iter().zip(filters) {
        let filter =
            Filter::Type(table.type_name.clone()).and(meets_boxes(table, &tile)).and(filter);
        let page = PageRequest { limit: MOST + 1 - count, start: PageStart::Offset(0) };
        let query = EntityQuery { filter, order: Order::default(), page, count: false };
        let page = match face.layer_of(ask, table) {
            Some(layer) => face.page_of_layer(ask, layer, &query).await?,
            None => face.engine.query_in(&ask.caller, &snapshot, &query).await?,
        };
        count += page.entities.len();
        if count > MOST || page.has_more {
            return Err(Fault::invalid(format!(
                "the tile has more than {MOST} features, the most that it has as GeoJSON; \
                 ask for tiles of a greater zoom, or for f=mvt"
            )));
        }
        pages.push(page);
    }
    let links = [
        Link::new(ask.own_url(), "self", GEOJSON, "This tile"),
        Link::new(
            ask.url_with(&[("f", Some("mvt"))]),
            "alternate",
            MVT,
            "This tile as vector tile",
        ),
    ];
    let size =
        |page: &Page| page.entities.iter().map(|record| record.as_bytes().len() * 2).sum::<usize>();
    let mut body = open_page(pages.iter().map(size).sum(), Some(count), count, &links, "");
    let mut is_first = true;
    for ((table, columns), page) in tables.iter().zip(columns).zip(&pages) {
        if page.entities.is_empty() {
            continue;
        }
        if !is_first {
            body.push(b',');
        }
        is_first = false;
        let shown = Shown { columns: Some(columns.into()), ..Shown::default() };
        write_features(table, &shown, Profile::Rfc7946, &page.entities, &mut body)?;
    }
    body.extend_from_slice(END);
    let mut response = respond::answer(GEOJSON, body, snapshot.revision());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}
