//! Rows of a table to the bytes of a format, a piece at a time.
//!
//! A writer appends what it has to a buffer that its caller takes away, so that tables of any length
//! can be sent as they are written. Formats whose beginning says where everything stands look at all
//! rows before ([`RowWriter::survey`]); what they keep of a row is a few bytes.
//!
//! ```
//! use cardo_formats::rows::{ColumnKind, CsvRows, Head, Row, RowColumn, RowWriter, Value};
//!
//! let columns = vec![RowColumn { name: "seats".into(), kind: ColumnKind::Number }];
//! let head = Head { name: "Bench".into(), columns, has_geometry: false, epsg: 4326 };
//! let (mut csv, mut out) = (CsvRows::new(head), Vec::new());
//! while csv.begin(&mut out)? {}
//! csv.write(&Row { id: "urn:x:1", geometry: None, values: &[Value::Number("4")] }, &mut out)?;
//! while csv.finish(&mut out)? {}
//! assert_eq!(out, b"id,seats\r\nurn:x:1,4\r\n");
//! # Ok::<(), std::io::Error>(())
//! ```

mod csv;
mod flatgeobuf;
mod geopackage;
mod geoparquet;
mod packed;
mod rtree;
mod sqlite;
mod tables;

use std::borrow::Cow;
use std::io;

use cardo_model::Timestamp;

pub use csv::CsvRows;
pub use flatgeobuf::FlatGeobufRows;
pub use geopackage::GeoPackageRows;
pub use geoparquet::GeoParquetRows;

use crate::RecordGeometry;

/// What is said of a table once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The name of the table.
    pub name: Box<str>,
    /// Its columns. Before them stands one named `id`.
    pub columns: Vec<RowColumn>,
    /// Whether rows may have geometries.
    pub has_geometry: bool,
    /// The reference system of coordinates by its EPSG code; longitude and easting come first,
    /// whatever that authority says, in all formats but CSV.
    pub epsg: u32,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowColumn {
    /// Its name; no two are equal but for their case.
    pub name: Box<str>,
    /// What its values are.
    pub kind: ColumnKind,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Truth values.
    Bool,
    /// Numbers.
    Number,
    /// Texts.
    Text,
    /// Dates.
    Date,
    /// Moments.
    DateTime,
    /// JSON of any kind.
    Json,
}

/// A row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Its identifier.
    pub id: &'a str,
    /// Its geometry.
    pub geometry: Option<&'a RecordGeometry>,
    /// The value of each column of the table.
    pub values: &'a [Value<'a>],
}

/// What stands in a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number as JSON text.
    Number(&'a str),
    /// A text, date or moment.
    Text(Cow<'a, str>),
    /// A moment.
    Time(Timestamp),
    /// JSON text.
    Json(Cow<'a, str>),
}

impl Value<'_> {
    /// The value as text; none where there is nothing.
    pub(crate) fn to_text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(true) => "true".into(),
            Self::Bool(false) => "false".into(),
            Self::Number(text) => (*text).into(),
            Self::Text(text) | Self::Json(text) => text.as_ref().into(),
            Self::Time(moment) => moment_text(*moment).into(),
        })
    }

    /// The number, where it is one.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }
}

fn moment_text(moment: Timestamp) -> String {
    let mut out = Vec::with_capacity(28);
    moment.write_to(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Writes rows, all of them in the same order wherever they are looked at.
pub trait RowWriter: Send {
    /// Whether all rows have to be looked at before the first byte.
    fn surveys(&self) -> bool {
        false
    }

    /// Looks at a row.
    ///
    /// # Errors
    /// Where the format cannot hold it.
    fn survey(&mut self, _row: &Row<'_>) -> io::Result<()> {
        Ok(())
    }

    /// The places of the rows in the order in which they are to be written, where that is not the
    /// order in which they were looked at.
    fn order(&mut self) -> Option<Vec<u32>> {
        None
    }

    /// Writes the next piece of what stands before the rows, and says whether there is more.
    ///
    /// # Errors
    /// Where the format cannot hold the table.
    fn begin(&mut self, out: &mut Vec<u8>) -> io::Result<bool>;

    /// Writes a row, or keeps it for later.
    ///
    /// # Errors
    /// Where the format cannot hold it.
    fn write(&mut self, row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()>;

    /// Writes the next piece of what is left, and says whether there is more.
    ///
    /// # Errors
    /// Where the rows were others than those looked at.
    fn finish(&mut self, out: &mut Vec<u8>) -> io::Result<bool>;
}
