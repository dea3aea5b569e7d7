//! The formats, their names, and one way to open any of them.

use std::{
    fmt,
    io::{Read, Seek},
    str::FromStr,
};

use crate::{
    CsvOptions, CsvReader, FieldSchema, FlatGeobufReader, Record, RecordError,
    geojson::{GeoJsonReader, GeoJsonSeqReader},
    gtfs_rt::GtfsRealtimeReader,
};

/// A format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// GeoJSON (RFC 7946).
    GeoJson,
    /// GeoJSON text sequences (RFC 8142) and newline-delimited GeoJSON.
    GeoJsonSeq,
    /// Comma-separated values with a header.
    Csv,
    /// FlatGeobuf, version 3.
    FlatGeobuf,
    /// GTFS-Realtime vehicle positions.
    GtfsRealtime,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] =
        [Self::GeoJson, Self::GeoJsonSeq, Self::Csv, Self::FlatGeobuf, Self::GtfsRealtime];

    /// The name used in configuration and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::GeoJson => "geojson",
            Self::GeoJsonSeq => "geojsonseq",
            Self::Csv => "csv",
            Self::FlatGeobuf => "flatgeobuf",
            Self::GtfsRealtime => "gtfs-realtime",
        }
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::GeoJson => "application/geo+json",
            Self::GeoJsonSeq => "application/geo+json-seq",
            Self::Csv => "text/csv",
            Self::FlatGeobuf => "application/vnd.flatgeobuf",
            Self::GtfsRealtime => "application/x-protobuf",
        }
    }

    /// Usual endings of file names, without the dot.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::GeoJson => &["geojson", "json"],
            Self::GeoJsonSeq => &["geojsonl", "geojsons", "geojsonseq", "ndjson", "jsonl"],
            Self::Csv => &["csv", "tsv", "txt"],
            Self::FlatGeobuf => &["fgb"],
            Self::GtfsRealtime => &["pb", "pbf"],
        }
    }

    /// Guesses the format from the first bytes of a source, and where these do
    /// not tell, from its name.
    pub fn guess(file_name: &str, first_bytes: &[u8]) -> Option<Self> {
        if first_bytes.starts_with(b"fgb") {
            return Some(Self::FlatGeobuf);
        }
        if first_bytes.first() == Some(&0x1E) {
            return Some(Self::GeoJsonSeq);
        }
        let extension = file_name.rsplit_once('.')?.1.to_ascii_lowercase();
        Self::ALL.into_iter().find(|format| format.extensions().contains(&extension.as_str()))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that belongs to no format.
#[derive(Debug, thiserror::Error)]
#[error("unknown format `{0}`; known are geojson, geojsonseq, csv, flatgeobuf, gtfs-realtime")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// What a reader may hold in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest record, in bytes. A longer one is refused.
    pub record_bytes: usize,
    /// How much of a refused record its error carries, in bytes.
    pub raw_bytes: usize,
    /// Deepest nesting of values and geometry collections.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { record_bytes: 64 << 20, raw_bytes: 64 << 10, depth: 64 }
    }
}

/// How a source is read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// What the reader may hold in memory.
    pub limits: Limits,
    /// How CSV is read.
    pub csv: CsvOptions,
}

/// The records of a source, and what the source says about all of them.
pub trait RecordReader: Iterator<Item = Result<Record, RecordError>> {
    /// The coordinate reference system, where the source names one: a code
    /// (`EPSG:3067`), a URN or WKT.
    fn crs(&self) -> Option<&str> {
        None
    }

    /// The declared fields; empty where nothing is declared.
    fn schema(&self) -> &[FieldSchema] {
        &[]
    }

    /// Bytes consumed so far.
    fn position(&self) -> u64;

    /// The number of records, where the source says so.
    fn expected(&self) -> Option<u64> {
        None
    }

    /// Entries passed over because they are not of the kind this format reads,
    /// such as the alerts of a feed of vehicle positions.
    fn skipped(&self) -> u64 {
        0
    }
}

/// Opens a source of any format.
///
/// The coordinate reference system is known at once, also where a GeoJSON file
/// names it behind its features.
///
/// # Errors
/// A fatal [`RecordError`] if the beginning of the source cannot be read.
pub fn open<'a, R>(
    format: Format,
    input: R,
    options: &ReadOptions,
) -> Result<Box<dyn RecordReader + Send + 'a>, RecordError>
where
    R: Read + Seek + Send + 'a,
{
    let limits = options.limits;
    Ok(match format {
        Format::GeoJson => Box::new(GeoJsonReader::seekable(input, limits)?),
        Format::GeoJsonSeq => Box::new(GeoJsonSeqReader::new(input, limits)),
        Format::Csv => Box::new(CsvReader::new(input, options)?),
        Format::FlatGeobuf => Box::new(FlatGeobufReader::new(input, limits)?),
        Format::GtfsRealtime => Box::new(GtfsRealtimeReader::new(input, limits)),
    })
}
