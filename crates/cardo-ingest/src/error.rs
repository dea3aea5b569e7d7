use std::io;
use std::path::PathBuf;

use cardo_engine::{QueryError, WriteError};
use cardo_formats::RecordError;

use crate::mapping::MappingError;

/// Why a source is not taken in, or no further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The file cannot be opened or read.
    #[error("{} cannot be read: {error}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// Neither name nor content tell the format.
    #[error(
        "the format of {0} is not recognized; name it with --format: geojson, geojsonseq, csv, flatgeobuf, geopackage, shapefile, gtfs-realtime or json"
    )]
    UnknownFormat(String),
    /// The beginning of the source is not of its format.
    #[error("{source_name} is not readable as {format}: {error}")]
    Unreadable {
        /// The source.
        source_name: String,
        /// The format it was read as.
        format: &'static str,
        /// What is wrong.
        error: RecordError,
    },
    /// A database that another program has open holds changes that are not in the file yet.
    #[error(
        "{} is open in another program, and some changes stand beside it ({}-wal); close it there first",
        path.display(), path.display()
    )]
    Unfinished {
        /// The file.
        path: PathBuf,
    },
    /// A file of places that names no reference system, and whose coordinates are no longitude and
    /// latitude.
    #[error(
        "{source_name} does not say its coordinate reference system, and its coordinates ({} {}) are not clearly \
         longitude and latitude; give it as --crs EPSG:n", position[0], position[1]
    )]
    NoCrs {
        /// The source.
        source_name: String,
        /// A position of it.
        position: [f64; 2],
    },
    /// The coordinates are not of the reference system that the source names.
    #[error(
        "{source_name} says that its coordinates are {crs}, but they ({} {}) {doubt}; give the right system as --crs \
         EPSG:n, or {crs} to insist", position[0], position[1]
    )]
    WrongCrs {
        /// The source.
        source_name: String,
        /// What it says.
        crs: cardo_spatial::Crs,
        /// A position of it.
        position: [f64; 2],
        /// What is the matter with it.
        doubt: cardo_spatial::Doubt,
    },
    /// The mapping cannot be used.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The context is not there or not right.
    #[error("the context {name} cannot be used: {reason}")]
    Context {
        /// Its URL or path.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The twin cannot be read.
    #[error(transparent)]
    Read(#[from] QueryError),
    /// The twin takes no writes. What was acknowledged stays; the next run goes on behind it.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The download has failed.
    #[error("{url}: {reason}")]
    Download {
        /// The address.
        url: String,
        /// What happened.
        reason: String,
    },
    /// A broker is not listened to, or no longer.
    #[error("{broker}: {reason}")]
    Broker {
        /// Its address.
        broker: String,
        /// What happened.
        reason: String,
    },
    /// The reading thread has ended before its time.
    #[error("reading {0} has broken off")]
    BrokenOff(String),
}
