//! One filter tree, its evaluator over a [`Candidate`], and a module per text dialect.

mod ast;
mod candidate;
mod collation;
pub mod cql2;
mod evaluate;
mod geo_test;
mod ngsi;
mod pattern;
mod predicate;
mod simplify;
mod time_text;

pub use ast::{
    Comparison, Datasets, Filter, GeoCondition, HeightCondition, Key, Link, LinkTarget, Literal,
    Member, Observed, Operand, Operator, Path, Resolved, Root, ScopeTest, TimeCondition,
};
pub use candidate::Candidate;
pub use collation::{Collation, InvalidCollation};
pub use evaluate::{
    Ranked, Ranking, SortKey, evaluate, instance_has, instance_matches, is_dated, is_moment,
    scalar_number, scalar_text, scope_matches,
};
pub use geo_test::GeoTest;
pub use ngsi::{
    GeoError, GeoParameters, InvalidName, MAX_COORDINATES_BYTES, MAX_LIST_ITEMS, MAX_NESTING,
    MAX_TERMS, MAX_TEXT_BYTES, NamePrinter, NameResolver, QError, QOptions, TemporalError,
    TemporalParameters, TemporalProperty, TemporalRange, TimeRelation, attributes_filter,
    parse_attributes, parse_geo, parse_geo_query, parse_geometry, parse_id_pattern, parse_ids,
    parse_path, parse_q, parse_scope_q, parse_temporal, parse_type_selection, print,
};
pub use pattern::{InvalidPattern, Pattern};
pub use predicate::{
    ArrayRelation, Datum, Function, Instant, Order, Predicate, Signature, Sort, Term, TimeOrder,
    all_functions,
};
