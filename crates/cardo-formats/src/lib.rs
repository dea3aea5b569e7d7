//! Bytes of GIS and feed formats to records and back, a module per format.
//!
//! Every reader is an iterator of [`Record`]s. A record that cannot be read
//! is an `Err` in its place, and the iteration goes on with its neighbours; an
//! error that ends the source is marked `fatal` and comes last.
//! Readers hold one record at a time, so memory stays flat on files of any
//! size.
//!
//! ```
//! use cardo_formats::{open, Format, ReadOptions};
//!
//! let text = "name,lon,lat\nKumpula,24.9613,60.2031\n";
//! let input = std::io::Cursor::new(text);
//! let mut records = open(Format::Csv, input, &ReadOptions::default())?;
//! let record = records.next().expect("one row")?;
//! assert_eq!(record.field("name").and_then(|name| name.as_str()), Some("Kumpula"));
//! assert!(record.geometry.is_some());
//! # Ok::<(), cardo_formats::RecordError>(())
//! ```

mod csv;
mod error;
mod flatgeobuf;
mod format;
pub mod gbfs;
pub mod geojson;
mod geometry;
mod geopackage;
pub mod gtfs_rt;
pub mod json;
mod names;
mod pmtiles;
mod record;
pub mod rows;
mod shapefile;
mod source;
mod wkb;
pub mod wkt;

pub use csv::{CsvOptions, CsvReader, GeometryColumns};
pub use error::{Fault, RecordError};
pub use flatgeobuf::{FlatGeobufReader, FlatGeobufWriter, IndexedFlatGeobuf, Node, ReadAt, Visit};
pub use format::{Format, Limits, ReadOptions, RecordReader, UnknownFormat, open};
pub use geometry::RecordGeometry;
pub use geopackage::GeoPackageReader;
pub use pmtiles::{
    Directory, DirectoryEntry, Packing, Piece, PmTiles, PmTilesHeader, PmTilesMetadata, TileKind,
    VectorLayerMetadata, tile_id,
};
pub use record::{FieldKind, FieldSchema, FieldValue, Record};
pub use shapefile::{ShapefileParts, ShapefileReader};
