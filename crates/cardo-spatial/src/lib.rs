//! Geometric relations, distances, coordinate reference systems and validity.
//!
//! Geometries are `geo_types::Geometry<f64>` in WGS 84 longitude and latitude. What the antimeridian, the poles and
//! faulty geometries do to a relation is decided in this crate and nowhere else:
//!
//! - [`check_geometry`] refuses what cannot be stored; [`is_self_crossing`] and [`repair`] deal with what can be stored
//!   but not related as it stands.
//! - [`PreparedQuery`] answers the relations of NGSI-LD geoqueries and of OGC languages, [`DistanceTest`] the ones by
//!   distance.
//! - [`Crs`] brings coordinates of any EPSG code to WGS 84 and back.
//! - [`Aabb`] is the box that indexes hold.
//! - [`is_right_handed`] tells which way rings run.
//! - [`TileFrame`] brings geometries into the whole numbers of a map tile: projected, cut, simplified, sound.
//!
//! # Feature `proj`
//!
//! By default reference systems are computed in Rust. The feature `proj` builds the PROJ library from source instead,
//! which needs a C++ compiler, cmake, the `sqlite3` command and the headers of SQLite. Its database `proj.db` is linked
//! into the binary, so no file of PROJ needs to be installed or configured where the binary runs, only the runtime
//! library of C++; a `proj.db` in the directory of the environment variable `PROJ_DATA`, should it be set, is preferred.

mod aabb;
mod along;
mod antimeridian;
mod bbox;
mod center;
mod crossing;
mod crs;
mod distance;
mod effort;
mod globe;
mod guard;
mod packed;
mod parts;
mod planar;
mod reference;
mod relations;
mod repair;
mod rings;
mod tile;
mod validity;

pub use aabb::{Aabb, Boxes};
pub use bbox::bbox_geometry;
pub use center::{centroid, representative_point};
pub use crossing::is_self_crossing;
#[cfg(feature = "proj")]
pub use crs::ProjLibrary;
pub use crs::{AxisOrder, Crs, CrsError, Doubt, PureRust, Transform};
pub use distance::{DistanceTest, distance, point_distance};
pub use globe::{onto_globe, settled};
pub use relations::{GeoRelation, PreparedQuery};
pub use repair::{Repaired, repair};
pub use rings::{is_right_handed, wrong_rings};
pub use tile::{TileFrame, TilePlane, TileShape};
pub use validity::{Collections, CoordinatePath, GeometryError, Rules, check_geometry, check_ring};
