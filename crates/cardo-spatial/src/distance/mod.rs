//! Geodesic distances on WGS 84, and tests against them that are cheap where the answer is certain.

mod earth;
mod index;

use geo_types::{Coord, Geometry};

use crate::aabb::{Aabb, Boxes};
use crate::antimeridian;
use crate::planar;
use crate::reference::{Form, Reference};
use crate::relations::GeoRelation;
use earth::{Threshold, chord_squared, ecef};
use index::{DistanceIndex, Nearest};

/// The geodesic distance between two positions in metres.
///
/// ```
/// use cardo_spatial::point_distance;
///
/// let metres = point_distance([24.9384, 60.1699], [24.7536, 59.4370]);
/// assert!((metres - 82_309.0).abs() < 100.0, "{metres}");
/// ```
pub fn point_distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    earth::geodesic(Coord { x: a[0], y: a[1] }, Coord { x: b[0], y: b[1] })
}

/// The geodesic distance between the nearest positions of two geometries in metres, 0 where they share one; `None`
/// where one is empty.
///
/// Edges are straight in longitude and latitude. The nearest position is found by the straight chord through the
/// earth: at 100 km the result may exceed the true minimum by 2 cm, at 1,000 km by 20 m; between points it is exact.
pub fn distance(a: &Geometry<f64>, b: &Geometry<f64>) -> Option<f64> {
    if let (Geometry::Point(a), Geometry::Point(b)) = (a, b) {
        return Some(earth::geodesic(a.0, b.0));
    }
    let centre = Centre::new(a.clone());
    if let Geometry::Point(b) = b {
        return centre.distance_to_point(b.0);
    }
    centre.distance_to(b)
}

/// Whether targets lie within, or beyond, a distance of a centre geometry.
///
/// ```
/// use cardo_spatial::DistanceTest;
/// use geo_types::{point, Geometry};
///
/// let near = DistanceTest::new(Geometry::from(point!(x: 24.9384, y: 60.1699)), None, Some(500.0));
/// assert!(near.matches_point(24.94, 60.17));
/// assert!(!near.matches_point(24.96, 60.17));
/// ```
#[derive(Debug)]
pub struct DistanceTest {
    centre: Centre,
    min: Option<Threshold>,
    max: Option<Threshold>,
    bounds: Option<Boxes>,
}

impl DistanceTest {
    /// A test for targets farther than `min` and not farther than `max` metres from the centre.
    pub fn new(centre: Geometry<f64>, min: Option<f64>, max: Option<f64>) -> Self {
        let bounds = max.map(|metres| boxes_around(&centre, metres));
        Self {
            centre: Centre::new(centre),
            min: min.map(Threshold::new),
            max: max.map(Threshold::new),
            bounds,
        }
    }

    /// The centre as given.
    pub fn centre(&self) -> &Geometry<f64> {
        &self.centre.given
    }

    /// Boxes outside of which nothing matches; `None` without a greatest distance.
    pub fn bounds(&self) -> Option<Boxes> {
        self.bounds.clone()
    }

    /// Whether a point matches. Where the centre is a point too, nothing is allocated and the exact distance is
    /// computed only within micrometres to metres of the limit.
    pub fn matches_point(&self, lon: f64, lat: f64) -> bool {
        let target = Coord { x: lon, y: lat };
        let Some(centre) = self.centre.point else {
            return self.decide(self.centre.nearest_to_point(target).as_ref());
        };
        if self.max.is_some_and(|max| max.is_beyond_parallel(lat - centre.at.y)) {
            return false;
        }
        let chord = chord_squared(&centre.ecef, &ecef(target));
        self.decide(Some(&Found::Apart(Nearest { chord_squared: chord, a: centre.at, b: target })))
    }

    /// Whether a geometry matches: the distance is that of its nearest position.
    pub fn matches(&self, target: &Geometry<f64>) -> bool {
        self.matches_form(target, Form::Given)
    }

    pub(crate) fn matches_form(&self, target: &Geometry<f64>, form: Form) -> bool {
        match target {
            Geometry::Point(point) => self.matches_point(point.x(), point.y()),
            _ => self.decide(self.centre.nearest_to(target, form).as_ref()),
        }
    }

    fn decide(&self, found: Option<&Found>) -> bool {
        match found {
            None => false,
            Some(Found::Meeting) => {
                self.min.is_none() && self.max.is_none_or(|max| max.metres() >= 0.0)
            }
            Some(Found::Apart(nearest)) => {
                self.max.is_none_or(|max| nearest.is_within(&max))
                    && self.min.is_none_or(|min| !nearest.is_within(&min))
            }
        }
    }
}

impl Nearest {
    fn is_within(&self, threshold: &Threshold) -> bool {
        threshold
            .judge(self.chord_squared)
            .unwrap_or_else(|| earth::geodesic(self.a, self.b) <= threshold.metres())
    }
}

/// What was found between two geometries that both have a position.
enum Found {
    /// They share one.
    Meeting,
    Apart(Nearest),
}

impl Found {
    fn metres(&self) -> f64 {
        match self {
            Self::Meeting => 0.0,
            Self::Apart(nearest) => earth::geodesic(nearest.a, nearest.b),
        }
    }
}

/// A geometry that distances are measured from.
#[derive(Debug)]
struct Centre {
    given: Geometry<f64>,
    point: Option<CentrePoint>,
    /// For all that is not a point.
    body: Option<(Reference, DistanceIndex)>,
}

#[derive(Clone, Copy, Debug)]
struct CentrePoint {
    at: Coord<f64>,
    ecef: [f64; 3],
}

impl Centre {
    fn new(given: Geometry<f64>) -> Self {
        if let Geometry::Point(point) = given {
            let point = Some(CentrePoint { at: point.0, ecef: ecef(point.0) });
            return Self { given, point, body: None };
        }
        let reference = Reference::new(&given);
        let index = DistanceIndex::new(reference.geometry());
        let body = Some((reference, index));
        Self { given, point: None, body }
    }

    fn distance_to_point(&self, target: Coord<f64>) -> Option<f64> {
        self.nearest_to_point(target).map(|found| found.metres())
    }

    fn distance_to(&self, target: &Geometry<f64>) -> Option<f64> {
        self.nearest_to(target, Form::Given).map(|found| found.metres())
    }

    fn nearest_to_point(&self, target: Coord<f64>) -> Option<Found> {
        if let Some(centre) = self.point {
            let chord_squared = chord_squared(&centre.ecef, &ecef(target));
            return Some(Found::Apart(Nearest { chord_squared, a: centre.at, b: target }));
        }
        let (reference, index) = self.body.as_ref()?;
        if reference.position(target.x, target.y) != planar::Position::Outside {
            return Some(Found::Meeting);
        }
        index.nearest(target).map(Found::Apart)
    }

    fn nearest_to(&self, target: &Geometry<f64>, form: Form) -> Option<Found> {
        let unwrapped = antimeridian::unwrap(target);
        let sound = form.made_sound(&unwrapped);
        let own = DistanceIndex::new(&sound);
        if let Some(centre) = self.point {
            if covers_on_globe(&sound, centre.at) {
                return Some(Found::Meeting);
            }
            return own.nearest(centre.at).map(Found::Apart);
        }
        let (reference, index) = self.body.as_ref()?;
        if reference.relates(GeoRelation::Intersects, &sound, Form::Repaired) {
            return Some(Found::Meeting);
        }
        index.nearest_pair(&own).map(Found::Apart)
    }
}

/// Whether a position lies in the area of a geometry in continuous coordinates.
fn covers_on_globe(geometry: &Geometry<f64>, c: Coord<f64>) -> bool {
    [0.0, 360.0, -360.0]
        .into_iter()
        .any(|turn| planar::covers(geometry, Coord { x: c.x + turn, y: c.y }))
}

/// Boxes around all that lies within a distance of a geometry.
fn boxes_around(centre: &Geometry<f64>, metres: f64) -> Boxes {
    let Some(extent) = Aabb::of(&antimeridian::unwrap(centre)) else {
        return Boxes::new();
    };
    earth::grown(&extent, metres).folded()
}
