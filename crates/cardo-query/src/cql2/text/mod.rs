//! CQL2 text (OGC 21-065r2, clause 8.2 and annex B).

mod lexer;
mod parser;
mod wkt;
mod write;

pub use parser::parse_text;
pub use write::write_text;

/// Words that are no names of properties unless they stand in double quotes; what is called as an
/// operator (`S_INTERSECTS`) is none either.
const RESERVED: [&str; 23] = [
    "and",
    "or",
    "not",
    "like",
    "between",
    "in",
    "is",
    "null",
    "true",
    "false",
    "div",
    "casei",
    "accenti",
    "date",
    "timestamp",
    "interval",
    "bbox",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
];

fn is_reserved(name: &str) -> bool {
    let is_word = |word: &str| word.eq_ignore_ascii_case(name);
    RESERVED.into_iter().any(is_word)
        || is_word("geometrycollection")
        || !matches!(crate::cql2::Operation::of_call(name), crate::cql2::Operation::Function(_))
}
