//! The formats, their names, and one way to open any of them.

use std::{
    fmt,
    io::{Read, Seek},
    str::FromStr,
};

use crate::{
    CsvOptions, CsvReader, Fault, FieldSchema, FlatGeobufReader, GeoPackageReader, Record,
    RecordError, ShapefileParts, ShapefileReader,
    error::Place,
    geojson::{GeoJsonReader, GeoJsonSeqReader},
    geopackage,
    gtfs_rt::GtfsRealtimeReader,
    json::JsonReader,
    shapefile,
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
    /// GeoPackage: the features or attributes of one table.
    GeoPackage,
    /// A Shapefile, plain or in a zip.
    Shapefile,
    /// GTFS-Realtime vehicle positions.
    GtfsRealtime,
    /// JSON: an object, or an array with a record in each element.
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 8] = [
        Self::GeoJson,
        Self::GeoJsonSeq,
        Self::Csv,
        Self::FlatGeobuf,
        Self::GeoPackage,
        Self::Shapefile,
        Self::GtfsRealtime,
        Self::Json,
    ];

    /// The name used in configuration and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::GeoJson => "geojson",
            Self::GeoJsonSeq => "geojsonseq",
            Self::Csv => "csv",
            Self::FlatGeobuf => "flatgeobuf",
            Self::GeoPackage => "geopackage",
            Self::Shapefile => "shapefile",
            Self::GtfsRealtime => "gtfs-realtime",
            Self::Json => "json",
        }
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::GeoJson => "application/geo+json",
            Self::GeoJsonSeq => "application/geo+json-seq",
            Self::Csv => "text/csv",
            Self::FlatGeobuf => "application/vnd.flatgeobuf",
            Self::GeoPackage => "application/geopackage+sqlite3",
            Self::Shapefile => "application/vnd.shp",
            Self::GtfsRealtime => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }

    /// Usual endings of file names, without the dot.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::GeoJson => &["geojson", "json"],
            Self::GeoJsonSeq => &["geojsonl", "geojsons", "geojsonseq", "ndjson", "jsonl"],
            Self::Csv => &["csv", "tsv", "txt"],
            Self::FlatGeobuf => &["fgb"],
            Self::GeoPackage => &["gpkg"],
            Self::Shapefile => &["shp", "zip", "shz"],
            Self::GtfsRealtime => &["pb", "pbf"],
            // Files that end so are GeoJSON more often than not.
            Self::Json => &[],
        }
    }

    /// Guesses the format from the first bytes of a source, and where these do
    /// not tell, from its name.
    pub fn guess(file_name: &str, first_bytes: &[u8]) -> Option<Self> {
        if first_bytes.starts_with(b"fgb") {
            return Some(Self::FlatGeobuf);
        }
        if first_bytes.starts_with(geopackage::MAGIC) {
            return Some(Self::GeoPackage);
        }
        if first_bytes.starts_with(shapefile::ZIP) || first_bytes.starts_with(&shapefile::MAGIC) {
            return Some(Self::Shapefile);
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
#[error(
    "unknown format `{0}`; known are geojson, geojsonseq, csv, flatgeobuf, geopackage, shapefile, gtfs-realtime, json"
)]
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
    /// Most bytes that a file in a zip may have once it is unpacked.
    pub unpacked_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { record_bytes: 64 << 20, raw_bytes: 64 << 10, depth: 64, unpacked_bytes: 4 << 30 }
    }
}

/// How a source is read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// What the reader may hold in memory.
    pub limits: Limits,
    /// How CSV is read.
    pub csv: CsvOptions,
    /// Which table of a GeoPackage or shapefile of a zip is read, where there are several.
    pub layer: Option<String>,
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

    /// The layer that is read, in formats that may hold several.
    fn layer(&self) -> Option<&str> {
        None
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

    /// What a user should know about how the source was read; complete at its end.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The layer of a file that is wanted, or the only one.
pub(crate) fn choose_layer(
    file: &str,
    layers: &[String],
    wanted: Option<&str>,
) -> Result<String, Fault> {
    let all = || {
        let names: Vec<String> = layers.iter().take(20).map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let refused = |why: String| Err(Fault::Unsupported(why));
    if let Some(wanted) = wanted {
        let exact = layers.iter().find(|name| *name == wanted);
        let found = exact.or_else(|| layers.iter().find(|name| name.eq_ignore_ascii_case(wanted)));
        return match found {
            Some(name) => Ok(name.clone()),
            None => refused(format!("the {file} has no layer `{wanted}`; it has {}", all())),
        };
    }
    match layers {
        [one] => Ok(one.clone()),
        [] => refused(format!("the {file} holds no layer that can be read")),
        _ => {
            refused(format!("the {file} holds several layers, choose one with --layer: {}", all()))
        }
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
    let layer = options.layer.as_deref();
    Ok(match format {
        Format::GeoJson => Box::new(GeoJsonReader::seekable(input, limits)?),
        Format::GeoJsonSeq => Box::new(GeoJsonSeqReader::new(input, limits)),
        Format::Csv => Box::new(CsvReader::new(input, options)?),
        Format::FlatGeobuf => Box::new(FlatGeobufReader::new(input, limits)?),
        Format::GeoPackage => Box::new(GeoPackageReader::new(input, layer, limits)?),
        Format::Shapefile => open_shapefile(input, options)?,
        Format::GtfsRealtime => Box::new(GtfsRealtimeReader::new(input, limits)),
        Format::Json => Box::new(JsonReader::new(input, limits)?),
    })
}

/// A zip, or a `.shp` alone; the files beside one are given to [`ShapefileReader::new`].
fn open_shapefile<'a, R>(
    mut input: R,
    options: &ReadOptions,
) -> Result<Box<dyn RecordReader + Send + 'a>, RecordError>
where
    R: Read + Seek + Send + 'a,
{
    let failed = |error: std::io::Error| RecordError::fatal(Place::default(), error.into());
    let mut first = [0; 4];
    let is_zip = match input.read_exact(&mut first) {
        Ok(()) => first == *shapefile::ZIP,
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => false,
        Err(error) => return Err(failed(error)),
    };
    input.rewind().map_err(failed)?;
    Ok(if is_zip {
        Box::new(ShapefileReader::in_zip(input, options.layer.as_deref(), options.limits)?)
    } else {
        Box::new(ShapefileReader::new(ShapefileParts::new(input), options.limits)?)
    })
}
