//! Axis-aligned boxes in degrees of longitude and latitude.

use std::borrow::Cow;

use geo_types::{Coord, Geometry};
use smallvec::SmallVec;

use crate::parts::{self, Part};
use crate::{antimeridian, repair};

/// Of larger geometries it takes too long to learn whether they are sound.
const MOST_JUDGED: usize = 64;

/// The boxes that together cover a geometry: one, or two where the antimeridian lies between them.
pub type Boxes = SmallVec<[Aabb; 2]>;

/// An axis-aligned box, borders included: `[longitude, latitude]` of its south-west and north-east corners.
///
/// ```
/// use cardo_spatial::Aabb;
///
/// let box_ = Aabb::new([24.9, 60.1], [25.0, 60.2]);
/// assert!(box_.contains_point(24.95, 60.15));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aabb {
    /// South-west corner.
    pub min: [f64; 2],
    /// North-east corner.
    pub max: [f64; 2],
}

impl Aabb {
    /// The whole world.
    pub const WORLD: Self = Self { min: [-180.0, -90.0], max: [180.0, 90.0] };

    /// The box between two corners, in whichever order they come.
    pub fn new(a: [f64; 2], b: [f64; 2]) -> Self {
        Self { min: [a[0].min(b[0]), a[1].min(b[1])], max: [a[0].max(b[0]), a[1].max(b[1])] }
    }

    /// The box that is one position.
    #[inline]
    pub fn of_point(lon: f64, lat: f64) -> Self {
        Self { min: [lon, lat], max: [lon, lat] }
    }

    /// The planar extent of the coordinates as they stand; `None` for an empty geometry.
    ///
    /// See [`Aabb::covering`] for the boxes to index a geometry by.
    pub fn of(geometry: &Geometry<f64>) -> Option<Self> {
        if let Geometry::Point(point) = geometry {
            return Some(Self::of_point(point.x(), point.y()));
        }
        let mut extent: Option<Self> = None;
        parts::visit(geometry, &mut |part: Part<'_>| {
            for c in part.coords() {
                extend(&mut extent, *c);
            }
        });
        extent
    }

    /// The boxes, within ±180°, that cover a geometry on the globe: two where it crosses the antimeridian.
    ///
    /// ```
    /// use cardo_spatial::Aabb;
    /// use geo_types::{line_string, Geometry};
    ///
    /// let line = Geometry::from(line_string![(x: 179.0, y: -17.0), (x: -179.0, y: -17.0)]);
    /// assert_eq!(Aabb::covering(&line).len(), 2);
    /// ```
    pub fn covering(geometry: &Geometry<f64>) -> Boxes {
        let unwrapped = antimeridian::unwrap(geometry);
        let Some(extent) = Self::of(&unwrapped) else {
            return Boxes::new();
        };
        let mut boxes = extent.folded();
        if let Geometry::Point(_) = geometry {
            boxes.truncate(1);
        }
        boxes
    }

    /// The box of a geometry of which relations surely find a position on each of its sides: it is sound, lies away
    /// from the antimeridian and the poles, and has few positions. `None` for all others.
    ///
    /// ```
    /// use cardo_spatial::Aabb;
    /// use geo_types::{line_string, Geometry};
    ///
    /// let line = Geometry::from(line_string![(x: 24.0, y: 60.0), (x: 25.0, y: 61.0)]);
    /// let touched = Aabb::touched_by(&line).unwrap();
    /// // A box with its northern side has its northern end.
    /// assert!(Aabb::new([20.0, 60.5], [30.0, 70.0]).has_side_of(&touched));
    /// ```
    pub fn touched_by(geometry: &Geometry<f64>) -> Option<Self> {
        let mut count = 0;
        parts::visit(geometry, &mut |part| count += part.coords().len());
        let extent = Self::of(geometry)?;
        let is_plain = extent.min[0] > -180.0
            && extent.max[0] < 180.0
            && extent.min[1] > -90.0
            && extent.max[1] < 90.0
            && !parts::has_non_finite(geometry)
            && matches!(antimeridian::unwrap(geometry), Cow::Borrowed(_));
        let is_sound = || matches!(repair::repair_in_plane(geometry), Cow::Borrowed(_));
        (count <= MOST_JUDGED && is_plain && is_sound()).then_some(extent)
    }

    /// The boxes of an OGC `bbox`, where `west > east` crosses the antimeridian.
    ///
    /// ```
    /// use cardo_spatial::Aabb;
    ///
    /// let fiji = Aabb::from_bbox(177.0, -20.0, -178.0, -12.0);
    /// assert_eq!(fiji.len(), 2);
    /// ```
    pub fn from_bbox(west: f64, south: f64, east: f64, north: f64) -> Boxes {
        let east = if west > east { east + 360.0 } else { east };
        Self { min: [west, south], max: [east, north] }.folded()
    }

    /// Whether two boxes share a position.
    #[inline]
    #[expect(
        clippy::needless_bitwise_bool,
        reason = "with `&&` there would be branches, which among boxes side by side nobody can guess"
    )]
    pub fn intersects(&self, other: &Self) -> bool {
        (self.min[0] <= other.max[0])
            & (self.max[0] >= other.min[0])
            & (self.min[1] <= other.max[1])
            & (self.max[1] >= other.min[1])
    }

    /// Whether the other box lies in this one, borders included.
    #[inline]
    pub fn contains(&self, other: &Self) -> bool {
        self.min[0] <= other.min[0]
            && self.max[0] >= other.max[0]
            && self.min[1] <= other.min[1]
            && self.max[1] >= other.max[1]
    }

    /// Whether one of the four sides of the other box lies in this one, borders included.
    #[inline]
    pub fn has_side_of(&self, other: &Self) -> bool {
        let has = |at: usize, value: f64| self.min[at] <= value && value <= self.max[at];
        let [west, south, east, north] =
            [(0, other.min[0]), (1, other.min[1]), (0, other.max[0]), (1, other.max[1])]
                .map(|(axis, value)| has(axis, value));
        (south && north && (west || east)) || (west && east && (south || north))
    }

    /// Whether a position lies in the box, borders included.
    #[inline]
    pub fn contains_point(&self, lon: f64, lat: f64) -> bool {
        self.min[0] <= lon && lon <= self.max[0] && self.min[1] <= lat && lat <= self.max[1]
    }

    /// The smallest box around both.
    #[inline]
    pub fn union(&self, other: &Self) -> Self {
        Self {
            min: [self.min[0].min(other.min[0]), self.min[1].min(other.min[1])],
            max: [self.max[0].max(other.max[0]), self.max[1].max(other.max[1])],
        }
    }

    /// Degrees of longitude from border to border.
    pub fn width(&self) -> f64 {
        self.max[0] - self.min[0]
    }

    /// The centre.
    pub fn center(&self) -> [f64; 2] {
        [f64::midpoint(self.min[0], self.max[0]), f64::midpoint(self.min[1], self.max[1])]
    }

    pub(crate) fn shifted(&self, degrees: f64) -> Self {
        Self {
            min: [self.min[0] + degrees, self.min[1]],
            max: [self.max[0] + degrees, self.max[1]],
        }
    }

    /// Brings an extent whose longitudes may run past ±180° back onto the globe.
    ///
    /// The two faces of the antimeridian are one line, so a box that ends on it also covers the other face; a box
    /// that reaches a pole covers it at every longitude.
    pub(crate) fn folded(&self) -> Boxes {
        let (south, north) = (self.min[1], self.max[1]);
        let mut boxes = Boxes::new();
        let mut add = |west: f64, east: f64, south: f64, north: f64| {
            boxes.push(Self { min: [west, south], max: [east, north] });
        };
        if self.width() >= 360.0 {
            add(-180.0, 180.0, south, north);
            return boxes;
        }
        let turns = ((self.min[0] + 180.0) / 360.0).floor() * 360.0;
        let (west, east) = (self.min[0] - turns, self.max[0] - turns);
        add(west, east.min(180.0), south, north);
        if east >= 180.0 {
            add(-180.0, east - 360.0, south, north);
        } else if west == -180.0 {
            add(180.0, 180.0, south, north);
        }
        for pole in [-90.0, 90.0] {
            if south == pole || north == pole {
                add(-180.0, 180.0, pole, pole);
            }
        }
        boxes
    }
}

fn extend(extent: &mut Option<Aabb>, c: Coord<f64>) {
    let point = Aabb::of_point(c.x, c.y);
    *extent = Some(match extent {
        Some(known) => known.union(&point),
        None => point,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bbox_with_west_beyond_east_is_two_boxes() {
        let boxes = Aabb::from_bbox(170.0, -10.0, -170.0, 10.0);
        assert_eq!(boxes.len(), 2);
        assert!(boxes.iter().any(|b| b.contains_point(175.0, 0.0)));
        assert!(boxes.iter().any(|b| b.contains_point(-175.0, 0.0)));
        assert!(!boxes.iter().any(|b| b.contains_point(0.0, 0.0)));
    }

    #[test]
    fn a_box_that_ends_on_the_antimeridian_covers_both_its_faces() {
        let boxes = Aabb::from_bbox(170.0, 0.0, 180.0, 1.0);
        assert!(boxes.iter().any(|b| b.contains_point(-180.0, 0.5)));
        let boxes = Aabb::from_bbox(-180.0, 0.0, -170.0, 1.0);
        assert!(boxes.iter().any(|b| b.contains_point(180.0, 0.5)));
    }

    #[test]
    fn what_is_repaired_large_or_at_the_edge_of_the_world_touches_no_box_for_sure() {
        let ring = |coords: &[[f64; 2]]| {
            let line = coords.iter().map(|[x, y]| Coord { x: *x, y: *y }).collect();
            Geometry::from(geo_types::Polygon::new(line, Vec::new()))
        };
        let square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        assert_eq!(Aabb::touched_by(&ring(&square)), Some(Aabb::new([0.0, 0.0], [1.0, 1.0])));
        // The end of a spike is no part of the area.
        let spiked = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.5], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        let across = [[179.0, 0.0], [-179.0, 0.0], [-179.0, 1.0], [179.0, 1.0]];
        let polar = [[0.0, 80.0], [1.0, 80.0], [1.0, 90.0], [0.0, 90.0]];
        let fine: Vec<[f64; 2]> =
            (0..100_i32).map(|at| f64::from(at).to_radians().sin_cos().into()).collect();
        for ring in [ring(&spiked), ring(&across), ring(&polar), ring(&fine)] {
            assert_eq!(Aabb::touched_by(&ring), None);
        }
    }

    #[test]
    fn a_box_that_reaches_a_pole_covers_it_at_every_longitude() {
        let boxes = Aabb::from_bbox(10.0, 80.0, 20.0, 90.0);
        assert!(boxes.iter().any(|b| b.contains_point(-100.0, 90.0)));
    }

    #[test]
    fn the_world_is_one_box() {
        assert_eq!(Aabb::WORLD.folded().as_slice(), [Aabb::WORLD]);
    }
}
