//! Comma-separated values with a header (RFC 4180 and what people make of it).

mod cells;
mod geometry;
mod reader;
mod rows;

pub use geometry::GeometryColumns;
pub use reader::CsvReader;

/// How CSV is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// The byte between cells; `None` finds out which of `,` `;` tab `|` it is.
    pub delimiter: Option<u8>,
    /// Whether numbers are written as `12,5`.
    pub decimal_comma: bool,
    /// Where the geometry stands.
    pub geometry: GeometryColumns,
    /// Whether a cell that is plainly a number becomes one. A number with a
    /// leading zero, such as a postal code, stays text. Without this every cell
    /// that is not empty is text.
    pub typed: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: None,
            decimal_comma: false,
            geometry: GeometryColumns::default(),
            typed: true,
        }
    }
}
