use std::fmt;

use cardo_model::{read_point, read_shape};
use cardo_spatial::{Boxes, GeoRelation, PreparedQuery};
use geo_types::Geometry as Shape;

/// A spatial relation to a constant geometry, prepared for many tests.
pub struct GeoTest {
    query: PreparedQuery,
    reference: Shape<f64>,
}

impl GeoTest {
    /// Prepares a reference geometry, whose coordinates are finite.
    pub fn new(relation: GeoRelation, reference: Shape<f64>) -> Self {
        Self { query: PreparedQuery::new(relation, reference.clone()), reference }
    }

    /// The relation asked for.
    pub fn relation(&self) -> GeoRelation {
        self.query.relation()
    }

    /// The geometry that targets are related to, as it was given.
    pub fn reference(&self) -> &Shape<f64> {
        &self.reference
    }

    /// Whether a target that is one point matches.
    #[inline]
    pub fn matches_point(&self, lon: f64, lat: f64) -> bool {
        self.query.matches_point(lon, lat)
    }

    /// Whether a target matches.
    pub fn matches(&self, target: &Shape<f64>) -> bool {
        self.query.matches(target)
    }

    /// The same where the target is known to have no faults, see [`PreparedQuery::matches_repaired`].
    pub fn matches_repaired(&self, target: &Shape<f64>) -> bool {
        self.query.matches_repaired(target)
    }

    /// Whether a geometry in GeoJSON text matches; what is no geometry does not.
    pub fn matches_text(&self, geojson: &str) -> bool {
        if let Some([lon, lat]) = read_point(geojson) {
            return self.matches_point(lon, lat);
        }
        read_shape(geojson).is_some_and(|shape| self.matches(&shape))
    }

    /// Boxes outside of which nothing can match; `None` where a match can be anywhere.
    pub fn bounds(&self) -> Option<Boxes> {
        self.query.bounds()
    }

    /// Whether every point within the bounds matches.
    pub fn is_its_bounds(&self) -> bool {
        self.query.is_its_bounds()
    }
}

impl PartialEq for GeoTest {
    fn eq(&self, other: &Self) -> bool {
        self.relation() == other.relation() && self.reference == other.reference
    }
}

impl fmt::Debug for GeoTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeoTest")
            .field("relation", &self.relation())
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}
