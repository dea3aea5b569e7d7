//! The query languages of NGSI-LD (ETSI GS CIM 009, clauses 4.9, 4.10, 4.11, 4.17 and 4.19).

mod boolean;
mod cursor;
mod error;
mod geo;
mod lists;
mod names;
mod q;
mod scopes;
mod temporal;
mod types;

pub use error::QError;
pub use geo::{
    GeoError, GeoParameters, MAX_COORDINATES_BYTES, parse_geo, parse_geo_query, parse_geometry,
};
pub use lists::{MAX_LIST_ITEMS, attributes_filter, parse_attributes, parse_id_pattern, parse_ids};
pub use names::{InvalidName, NamePrinter, NameResolver};
pub use q::{QOptions, parse_path, parse_q, print};
pub use scopes::parse_scope_q;
pub use temporal::{
    TemporalError, TemporalParameters, TemporalProperty, TemporalRange, TimeRelation,
    parse_temporal,
};
pub use types::parse_type_selection;

/// The longest text of a query language that is read, in bytes.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;
/// How many terms and constants one text may hold.
pub const MAX_TERMS: usize = 2_000;
/// How deep parentheses may nest.
pub const MAX_NESTING: usize = 64;
