//! The spatial relations of NGSI-LD geoqueries (clause 4.10) and of OGC languages.

use geo_types::{Coord, Geometry};

use crate::aabb::Boxes;
use crate::distance::DistanceTest;
use crate::planar::Position;
use crate::reference::{Form, Reference};

/// How a target geometry must lie with regard to the reference geometry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GeoRelation {
    /// Within, or beyond, a geodesic distance in metres (`near;maxDistance==…`, `near;minDistance==…`).
    ///
    /// A target at exactly `max` matches; one at exactly `min` does not, being no longer disjoint with the buffer.
    Near {
        /// The least distance, exclusive.
        min: Option<f64>,
        /// The greatest distance, inclusive.
        max: Option<f64>,
    },
    /// The target lies within the reference, and not only on its border.
    Within,
    /// The target contains the reference, and not only on its border.
    Contains,
    /// Both have the same dimension, share some of their inside, and each has some of its own.
    Overlaps,
    /// They share a position.
    Intersects,
    /// They are the same set of positions.
    Equals,
    /// They share no position.
    Disjoint,
    /// They share positions, but of their borders only.
    Touches,
    /// One passes through the other, which has another dimension; or two lines meet in points.
    Crosses,
}

/// A reference geometry made ready to be tested against many targets.
///
/// Edges are straight in longitude and latitude (RFC 7946 clause 3.1.1). Self-crossing geometries on either side are
/// judged by their repaired form; the antimeridian may lie anywhere, in one geometry or both. A point on a pole is
/// where the reference is at that pole, whatever its longitude. Where edges meet tens of thousands of times more often
/// than there are edges, only what follows from positions and contacts is answered, and everything else denied.
///
/// ```
/// use cardo_spatial::{GeoRelation, PreparedQuery};
/// use geo_types::{polygon, Geometry};
///
/// let area = polygon![(x: 24.9, y: 60.1), (x: 25.0, y: 60.1), (x: 25.0, y: 60.2), (x: 24.9, y: 60.2)];
/// let query = PreparedQuery::new(GeoRelation::Within, Geometry::from(area));
/// assert!(query.matches_point(24.95, 60.15));
/// assert!(!query.matches_point(24.9, 60.15)); // on the border
/// ```
#[derive(Debug)]
pub struct PreparedQuery {
    relation: GeoRelation,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Near(Box<DistanceTest>),
    Topology(Box<Reference>),
}

impl PreparedQuery {
    /// Prepares a reference geometry, whose coordinates are finite.
    pub fn new(relation: GeoRelation, reference: Geometry<f64>) -> Self {
        let test = match relation {
            GeoRelation::Near { min, max } => {
                Test::Near(Box::new(DistanceTest::new(reference, min, max)))
            }
            _ => Test::Topology(Box::new(Reference::new(&reference))),
        };
        Self { relation, test }
    }

    /// The relation asked for.
    pub fn relation(&self) -> GeoRelation {
        self.relation
    }

    /// Whether a target that is one point matches. Allocates nothing.
    #[inline]
    pub fn matches_point(&self, lon: f64, lat: f64) -> bool {
        match &self.test {
            Test::Near(test) => test.matches_point(lon, lat),
            Test::Topology(reference) => {
                let position = reference.position(lon, lat);
                match self.relation {
                    GeoRelation::Intersects => position != Position::Outside,
                    GeoRelation::Disjoint => position == Position::Outside,
                    GeoRelation::Within => position == Position::Inside,
                    GeoRelation::Touches => position == Position::Boundary,
                    GeoRelation::Contains | GeoRelation::Equals => reference.is_only(lon, lat),
                    // One point has no inside to share in part, nor can it pass through anything.
                    GeoRelation::Overlaps | GeoRelation::Crosses | GeoRelation::Near { .. } => {
                        false
                    }
                }
            }
        }
    }

    /// Whether a target matches, whatever its faults.
    pub fn matches(&self, target: &Geometry<f64>) -> bool {
        self.matches_form(target, Form::Given)
    }

    /// Whether a target matches that is known to be sound: [`repair`](crate::repair()) left it alone or made it.
    ///
    /// Saves looking for self-crossings again, which costs more than most answers.
    pub fn matches_repaired(&self, target: &Geometry<f64>) -> bool {
        self.matches_form(target, Form::Repaired)
    }

    fn matches_form(&self, target: &Geometry<f64>, form: Form) -> bool {
        if let Geometry::Point(point) = target {
            let Coord { x, y } = point.0;
            return self.matches_point(x, y);
        }
        match &self.test {
            Test::Near(test) => test.matches_form(target, form),
            Test::Topology(reference) => reference.relates(self.relation, target, form),
        }
    }

    /// Boxes outside of which nothing can match; `None` where a match can be anywhere.
    pub fn bounds(&self) -> Option<Boxes> {
        match &self.test {
            Test::Near(test) => test.bounds(),
            Test::Topology(_) if self.relation == GeoRelation::Disjoint => None,
            Test::Topology(reference) => Some(reference.boxes()),
        }
    }

    /// Whether every point within the bounds matches.
    pub fn is_its_bounds(&self) -> bool {
        match &self.test {
            Test::Near(_) => false,
            Test::Topology(reference) => {
                self.relation == GeoRelation::Intersects && reference.is_plain_box()
            }
        }
    }
}
