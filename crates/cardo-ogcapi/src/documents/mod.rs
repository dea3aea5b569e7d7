//! The JSON documents that are no features.

mod collection;
mod components;
mod edits;
mod link;
mod openapi;
mod schema;
mod style;
mod tile_layer;
mod tileset;
mod units;

pub(crate) use collection::Collection;
pub(crate) use link::{Link, encode_segment, links_json, own_links};
pub(crate) use openapi::api_document;
pub(crate) use schema::{About, Schema, type_of};
pub(crate) use style::{STYLE, STYLES, style};
pub(crate) use tile_layer::{
    DataType, description, limits as tile_limits, media_type, tile_collection, tile_links, title,
};
pub(crate) use tileset::{InfoOf, Shows, TILE_JSON, TILESETS, TILING_SCHEME, Tileset};

/// The media type of features.
pub(crate) const GEOJSON: &str = "application/geo+json";
/// The media type of vector tiles.
pub(crate) const MVT: &str = "application/vnd.mapbox-vector-tile";
/// The media type of tables.
pub(crate) const CSV: &str = "text/csv; charset=utf-8; header=present";
/// The media type of FlatGeobuf.
pub(crate) const FLATGEOBUF: &str = "application/vnd.flatgeobuf";
/// The media type of GeoPackages.
pub(crate) const GEOPACKAGE: &str = "application/geopackage+sqlite3";
/// The media type of GeoParquet.
pub(crate) const PARQUET: &str = "application/vnd.apache.parquet";
/// The media type of schemas.
pub(crate) const SCHEMA: &str = "application/schema+json";
/// The media type of the API definition; clients compare it without any space.
pub(crate) const OPENAPI: &str = "application/vnd.oai.openapi+json;version=3.0";
