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
pub(crate) use feature::parse as parse_whole_feature;
pub use feature::parse_feature;
pub use geometry::parse_geometry;
pub use sequence::GeoJsonSeqReader;
pub(crate) use value::{field, object_fields};
pub use write::{FeatureWriter, Framing, write_feature, write_geometry};
