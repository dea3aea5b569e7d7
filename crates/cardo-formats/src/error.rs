//! What can be wrong with a record, and where it stood.

use std::{fmt, io};

/// Why a record, or a whole source, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Text that is not UTF-8.
    #[error("invalid UTF-8 at byte {offset}")]
    NotUtf8 {
        /// Byte position in the source.
        offset: u64,
    },
    /// Bytes that do not follow the grammar of the format.
    #[error("malformed {format}: {detail}")]
    Malformed {
        /// The format, as people call it.
        format: &'static str,
        /// What was found and what should stand there.
        detail: String,
    },
    /// A geometry that cannot be represented.
    #[error("bad geometry: {0}")]
    Geometry(String),
    /// A ring whose last position is not its first.
    #[error("open ring: it starts at {first:?} and ends at {last:?}")]
    OpenRing {
        /// First position of the ring.
        first: (f64, f64),
        /// Last position of the ring.
        last: (f64, f64),
    },
    /// NaN or an infinite number where a number is needed.
    #[error("not a finite number: `{0}`")]
    NotFinite(String),
    /// A cell that should hold a number.
    #[error("column `{column}` holds `{value}`, which is not a number")]
    NotNumber {
        /// Name of the column.
        column: String,
        /// What it holds.
        value: String,
    },
    /// A row whose number of cells is not that of the header.
    #[error("the row has {found} cells and the header {expected}")]
    Ragged {
        /// Cells of the row.
        found: usize,
        /// Cells of the header.
        expected: usize,
    },
    /// A quotation mark that is never closed.
    #[error("a quotation mark is not closed")]
    OpenQuote,
    /// The source ends inside a record.
    #[error("the source ends inside a record")]
    Truncated,
    /// A record above the limit.
    #[error("the record is longer than {limit} bytes")]
    TooLong {
        /// The limit in force.
        limit: usize,
    },
    /// Values nested above the limit.
    #[error("values are nested deeper than {limit} levels")]
    TooDeep {
        /// The limit in force.
        limit: usize,
    },
    /// The source is of another format or version, or misses a part.
    #[error("{0}")]
    Unsupported(String),
    /// The source cannot be read any further.
    #[error("reading failed: {0}")]
    Io(#[from] io::Error),
}

impl Fault {
    pub(crate) fn malformed(format: &'static str, detail: impl fmt::Display) -> Self {
        Self::Malformed { format, detail: detail.to_string() }
    }

    pub(crate) fn geometry(detail: impl fmt::Display) -> Self {
        Self::Geometry(detail.to_string())
    }
}

/// A record that cannot be read, with its place in the source.
#[derive(Debug)]
pub struct RecordError {
    /// Place among all records of the source, from 0.
    pub ordinal: u64,
    /// Byte at which the record starts.
    pub offset: u64,
    /// Line at which it starts, from 1, in formats made of lines.
    pub line: Option<u64>,
    /// What is wrong.
    pub fault: Box<Fault>,
    /// The record as it stood, cut at [`Limits::raw_bytes`](crate::Limits::raw_bytes).
    pub raw: Option<Vec<u8>>,
    /// Whether the source ends here.
    pub fatal: bool,
}

impl RecordError {
    pub(crate) fn new(place: Place, fault: Fault) -> Self {
        Self {
            ordinal: place.ordinal,
            offset: place.offset,
            line: place.line,
            fault: Box::new(fault),
            raw: None,
            fatal: false,
        }
    }

    pub(crate) fn fatal(place: Place, fault: Fault) -> Self {
        Self { fatal: true, ..Self::new(place, fault) }
    }

    pub(crate) fn with_raw(mut self, raw: &[u8], limit: usize) -> Self {
        self.raw = Some(raw[..raw.len().min(limit)].to_vec());
        self
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} at byte {}", self.ordinal, self.offset)?;
        if let Some(line) = self.line {
            write!(f, " (line {line})")?;
        }
        write!(f, ": {}", self.fault)
    }
}

impl std::error::Error for RecordError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.fault)
    }
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub(crate) ordinal: u64,
    pub(crate) offset: u64,
    pub(crate) line: Option<u64>,
}
