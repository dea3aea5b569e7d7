//! Geometric relations, distances, coordinate reference systems and validity.
//!
//! Geometries are `geo_types::Geometry<f64>` in WGS 84 longitude and latitude. What the antimeridian, the poles and
//! faulty geometries do to a relation is decided in this crate and nowhere else:
//!
//! - [`check_geometry`] refuses what cannot be stored; [`is_self_crossing`] and [`repair`] deal with what can be stored
//!   but not related as it stands.
//! - [`PreparedQuery`] answers the relations of NGSI-LD geoqueries and of OGC languages, [`DistanceTest`] the ones by
//!   distance.
//! - [`Aabb`] is the box that indexes hold.

mod aabb;
mod antimeridian;
mod distance;
mod packed;
mod parts;
mod planar;
mod reference;
mod relations;
mod repair;
mod validity;

pub use aabb::{Aabb, Boxes};
pub use distance::{DistanceTest, distance, point_distance};
pub use relations::{GeoRelation, PreparedQuery};
pub use repair::{Repaired, is_self_crossing, repair};
pub use validity::{Collections, CoordinatePath, GeometryError, Rules, check_geometry, check_ring};
