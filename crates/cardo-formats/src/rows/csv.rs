//! CSV (RFC 4180) with a header line: `id`, the columns, and the geometry as well-known text.

use std::io;

use super::{Head, Row, RowWriter};
use crate::wkt;

/// Writes a table as CSV. Cells without a value are empty; an empty text is `""`.
#[derive(Debug)]
pub struct CsvRows {
    head: Head,
}

/// The column of the geometry, by a name that no other column has.
const GEOMETRY: &str = "geometry";

impl CsvRows {
    /// Begins a table.
    pub fn new(head: Head) -> Self {
        Self { head }
    }
}

impl RowWriter for CsvRows {
    fn begin(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        push_cell("id", out);
        for column in &self.head.columns {
            out.push(b',');
            push_cell(&column.name, out);
        }
        if self.head.has_geometry {
            out.push(b',');
            push_cell(GEOMETRY, out);
        }
        out.extend_from_slice(b"\r\n");
        Ok(false)
    }

    fn write(&mut self, row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        push_cell(row.id, out);
        for value in row.values {
            out.push(b',');
            if let Some(text) = value.to_text() {
                push_cell(&text, out);
            }
        }
        if self.head.has_geometry {
            out.push(b',');
            if let Some(geometry) = row.geometry {
                push_cell(&wkt::write(geometry), out);
            }
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<u8>) -> io::Result<bool> {
        Ok(false)
    }
}

/// A cell, in quotation marks where it would be taken for something else without.
fn push_cell(text: &str, out: &mut Vec<u8>) {
    let is_plain = |byte: u8| !matches!(byte, b'"' | b',' | b'\n' | b'\r');
    let has_edges = text.starts_with(' ') || text.ends_with(' ');
    if !text.is_empty() && !has_edges && text.bytes().all(is_plain) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}
