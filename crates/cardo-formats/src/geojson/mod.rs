//! GeoJSON (RFC 7946), its text sequences (RFC 8142), and the `crs` member of
//! the 2008 specification.

mod collection;
mod crs;
mod feature;
mod geometry;
mod sequence;
mod value;
mod write;

pub use collection::GeoJsonReader;
pub use feature::parse_feature;
pub use geometry::parse_geometry;
pub use sequence::GeoJsonSeqReader;
pub use write::{FeatureWriter, Framing, write_feature, write_geometry};
