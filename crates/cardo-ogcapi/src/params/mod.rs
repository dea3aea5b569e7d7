//! Query strings to filters and pages (OGC 17-069r4, clause 7.15).

use cardo_query::cql2::Cql2Error;

mod bbox;
mod cursor;
mod datetime;
mod edges;
mod filter;
mod items;
mod profile;
mod property;
mod query;
mod shown;
mod sort;
mod tile;

pub(crate) use bbox::Bbox;
pub(crate) use cursor::{Cursor, Side};
pub(crate) use edges::Edges;
pub(crate) use filter::{FILTER_PARAMETERS, LANGUAGES, filter, system};
pub(crate) use items::{ItemsQuery, PARAMETERS};
pub(crate) use profile::{
    Domain, FEATURE_PROFILES, Profile, Profiles, References, SCHEMA_PROFILES, SchemaProfiles,
    profile_uri,
};
pub(crate) use property::is_queryable;
pub(crate) use query::Query;
pub(crate) use shown::{ITEM_PARAMETERS, shown};
pub(crate) use sort::{SORTABLE_MEMBERS, is_sortable};
pub(crate) use tile::{
    AGGREGATE_PARAMETERS, COLLECTION_TILE_PARAMETERS, TILE_PARAMETERS, chosen_columns,
    chosen_numbers, chosen_tables, is_property, is_tiled, tile_filters,
};

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParamFault {
    #[error("{name:?} is no parameter of this resource; it has {known}")]
    Unknown { name: String, known: String },
    #[error("{name:?} is no property here; there are {known}")]
    UnknownProperty { name: String, known: String },
    #[error("{0:?} is no collection of features that have places, of which tiles are made")]
    NotTiled(String),
    #[error("the parameter {name:?} has two values: {first:?} and {second:?}")]
    Repeated { name: String, first: String, second: String },
    #[error("the parameter {0:?} is no UTF-8 in percent-encoding")]
    Encoding(String),
    #[error("more than {0} parameters")]
    TooMany(usize),
    #[error("f={text:?} is none of {known}")]
    Format { text: String, known: String },
    #[error("profile={0:?} is no name or address of a profile, such as {1}")]
    Profile(String, String),
    #[error("limit={0:?} is no whole number of 1 or more")]
    Limit(String),
    #[error("offset={0:?} is no whole number of 0 or more")]
    Offset(String),
    #[error("offset and cursor both say where the page begins; give one of them")]
    OffsetAndCursor,
    #[error("bbox={0:?} has {1} numbers: 4 (west,south,east,north) or 6 (with heights) are needed")]
    BboxLength(String, usize),
    #[error("bbox={0:?}: {1:?} is no number")]
    BboxNumber(String, String),
    #[error("bbox={text:?}: {number} is no longitude of -180 to 180")]
    BboxLongitude { text: String, number: String },
    #[error("bbox={text:?}: {number} is no latitude of -90 to 90")]
    BboxLatitude { text: String, number: String },
    #[error("bbox={text:?}: the south {south} lies above the north {north}")]
    BboxSouth { text: String, south: String, north: String },
    #[error("bbox={text:?}: the bottom {bottom} lies above the top {top}")]
    BboxBottom { text: String, bottom: String, top: String },
    #[error("datetime={0:?}: {1:?} is neither a date nor a date-time such as 2026-01-31T12:00:00Z")]
    Moment(String, String),
    #[error("datetime={0:?}: {1:?} is no duration such as P2D, P1M or PT12H")]
    Duration(String, String),
    #[error("datetime={0:?} has no end that {1:?} is counted from")]
    DatetimeDuration(String, String),
    #[error("datetime={0:?} is open at both ends; leave it out instead")]
    DatetimeOpen(String),
    #[error("datetime={0:?} ends before it begins")]
    DatetimeOrder(String),
    #[error("datetime={0:?} has more than two parts")]
    DatetimeParts(String),
    #[error("subset={0:?} is none of datetime(\"…\") and datetime(\"…\":\"…\")")]
    Subset(String),
    #[error("datetime and subset both say which time is meant; give one of them")]
    DatetimeAndSubset,
    #[error("filter: {0}")]
    Filter(Cql2Error),
    #[error("filter-lang={0:?} is none of cql2-text, cql2-json")]
    FilterLanguage(String),
    #[error("{name}={text:?} is none of the coordinate reference systems here: {why}")]
    System { name: &'static str, text: String, why: String },
    #[error("bbox={text:?} is no area in {system}: {why}")]
    BboxSystem { text: String, system: String, why: String },
    #[error("{name}={text:?} is no {expected}")]
    Property { name: String, text: String, expected: &'static str },
    #[error("{0:?} has values that can be looked at, but not asked for by a parameter")]
    NotQueryable(String),
    #[error("sortby names {0:?} twice")]
    SortTwice(String),
    #[error("sortby has more than {0} keys")]
    SortKeys(usize),
    #[error("type={0:?} is neither feature nor replace, of which there are schemas of their own")]
    SchemaType(String),
    #[error("skipGeometry={0:?} is neither true nor false")]
    SkipGeometry(String),
    #[error("cursor={0:?} is none that this server made")]
    Cursor(String),
    #[error("cursor={0:?} was made by an older version of this server; begin anew without it")]
    CursorVersion(String),
    #[error("cursor={0:?} belongs to another question; begin anew without it")]
    CursorQuestion(String),
    #[error("cursor={0:?} is of a state that this twin has not reached; begin anew without it")]
    CursorRevision(String),
}

/// What of an offending value is quoted.
pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}
