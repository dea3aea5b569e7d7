//! The Common Query Language of the OGC (CQL2, OGC 21-065r2), in text and in JSON.
//!
//! A text becomes an [`Expression`], which says what was written and where; [`compile`] makes a
//! [`Filter`](crate::Filter) of it, once it knows what the names mean. What comparisons of a
//! property with constants, geometries and logic say is said by the nodes that all languages share,
//! so that indexes answer it; the rest are [`Predicate`](crate::Predicate)s.

mod compile;
mod error;
mod geometry;
mod json;
mod operator;
mod reading;
mod syntax;
mod text;

pub use compile::{Queryable, Queryables, compile, compile_in};
pub use error::{Cql2Error, Place};
pub use geometry::{Literal as GeometryLiteral, Position};
pub use json::{parse_json, write_json};
pub use operator::Operation;
pub use syntax::{Expression, Kind};
pub use text::{parse_text, write_text};

/// The longest filter that is read, in bytes.
pub const MAX_FILTER_BYTES: usize = 256 * 1024;
/// How many terms (operators, names, constants) one filter may hold.
pub const MAX_FILTER_TERMS: usize = 4_000;
/// How deep terms may stand in one another.
pub const MAX_FILTER_NESTING: usize = 64;
