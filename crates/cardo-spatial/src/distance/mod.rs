//! Geodesic distances on WGS 84, and tests against them that are cheap where the answer is certain.

mod earth;
mod index;

use std::borrow::Cow;

use geo_types::{Coord, Geometry};

use crate::aabb::{Aabb, Boxes};
use crate::antimeridian;
use crate::parts;
use crate::planar;
use crate::reference::{Form, Reference};
use crate::relations::GeoRelation;
use earth::{Band, Threshold, chord_squared, ecef};
use index::{ChordRange, DistanceIndex};

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
    Centre::new(a.clone()).bodies_to(b, Form::Given).metres()
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
    /// Of both distances, where the centre is a point.
    bands: [Option<Band>; 2],
    bounds: Option<Boxes>,
}

impl DistanceTest {
    /// A test for targets farther than `min` and not farther than `max` metres from the centre.
    pub fn new(centre: Geometry<f64>, min: Option<f64>, max: Option<f64>) -> Self {
        let bounds = max.map(|metres| boxes_around(&centre, metres));
        let centre = Centre::new(centre);
        let band = |metres| centre.point.map(|point| Band::new(point.at, metres));
        Self {
            bands: [min.and_then(band), max.and_then(band)],
            min: min.map(Threshold::new),
            max: max.map(Threshold::new),
            centre,
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
    #[inline]
    pub fn matches_point(&self, lon: f64, lat: f64) -> bool {
        let target = Coord { x: lon, y: lat };
        let Some(centre) = self.centre.point else {
            return self.decide(&self.centre.bodies_to_point(target));
        };
        let [min, max] = self.bands;
        let near_enough = max.map_or(Some(true), |band| band.judge(target));
        let far_enough = min.map_or(Some(true), |band| Some(!band.judge(target)?));
        if let Some(decided) = both(near_enough, far_enough) {
            return decided;
        }
        let chord = chord_squared(&centre.ecef, &ecef(target));
        self.judge(ChordRange { low: chord, high: chord })
            .unwrap_or_else(|| self.accepts(Some(earth::geodesic(centre.at, target))))
    }

    /// Whether a geometry matches: the distance is that of its nearest position.
    pub fn matches(&self, target: &Geometry<f64>) -> bool {
        self.matches_form(target, Form::Given)
    }

    pub(crate) fn matches_form(&self, target: &Geometry<f64>, form: Form) -> bool {
        match target {
            Geometry::Point(point) => self.matches_point(point.x(), point.y()),
            _ if self.is_surely_near(target, form) => true,
            _ => self.decide(&self.centre.bodies_to(target, form)),
        }
    }

    /// Whether a vertex of the target is so near to a centre point that nothing else matters.
    fn is_surely_near(&self, target: &Geometry<f64>, form: Form) -> bool {
        let (Some(centre), Some(max), None) = (self.centre.point, self.max, self.min) else {
            return false;
        };
        // Of a polygon that is repaired some vertices may not remain.
        if form == Form::Given && parts::has_ring(target) {
            return false;
        }
        let mut found = false;
        parts::visit(target, &mut |part| {
            let near =
                |c: &Coord<f64>| max.judge(chord_squared(&centre.ecef, &ecef(*c))) == Some(true);
            found = found || part.coords().iter().any(near);
        });
        found
    }

    fn decide(&self, bodies: &Bodies<'_>) -> bool {
        match bodies {
            Bodies::Nothing => false,
            Bodies::Meeting => self.accepts(Some(0.0)),
            _ => {
                let enough = match (self.min, self.max) {
                    (None, Some(max)) => max.surely_within(),
                    _ => 0.0,
                };
                self.judge(bodies.range(enough)).unwrap_or_else(|| self.accepts(bodies.metres()))
            }
        }
    }

    /// What a range of chords tells, if it tells.
    fn judge(&self, range: ChordRange) -> Option<bool> {
        let is_within = |limit: Threshold| limit.judge_range(range.low, range.high);
        let near_enough = self.max.map_or(Some(true), is_within);
        let far_enough = self.min.map_or(Some(true), |limit| Some(!is_within(limit)?));
        both(near_enough, far_enough)
    }

    fn accepts(&self, metres: Option<f64>) -> bool {
        metres.is_some_and(|metres| {
            self.max.is_none_or(|max| metres <= max.metres())
                && self.min.is_none_or(|min| metres > min.metres())
        })
    }
}

/// Whether both hold, as far as that is known.
fn both(near_enough: Option<bool>, far_enough: Option<bool>) -> Option<bool> {
    match (near_enough, far_enough) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// Two geometries between which a distance is asked.
enum Bodies<'a> {
    /// One is empty.
    Nothing,
    /// They share a position.
    Meeting,
    /// One is a point.
    Point(Coord<f64>, Cow<'a, DistanceIndex>),
    Pair(&'a DistanceIndex, DistanceIndex),
}

impl Bodies<'_> {
    fn range(&self, enough: f64) -> ChordRange {
        let mut range = ChordRange::UNKNOWN;
        match self {
            Self::Nothing => {}
            Self::Meeting => range = ChordRange { low: 0.0, high: 0.0 },
            Self::Point(point, index) => index.narrow(&mut range, &ecef(*point), enough),
            Self::Pair(a, b) => a.narrow_pair(&mut range, b, enough),
        }
        range
    }

    fn metres(&self) -> Option<f64> {
        let nearest = match self {
            Self::Nothing => None,
            Self::Meeting => return Some(0.0),
            Self::Point(point, index) => index.nearest(*point),
            Self::Pair(a, b) => a.nearest_pair(b),
        };
        nearest.map(|nearest| earth::geodesic(nearest.a, nearest.b))
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

    fn bodies_to_point(&self, target: Coord<f64>) -> Bodies<'_> {
        if let Some(centre) = self.point {
            let point = Geometry::Point(target.into());
            return Bodies::Point(centre.at, Cow::Owned(DistanceIndex::new(&point)));
        }
        let Some((reference, index)) = &self.body else {
            return Bodies::Nothing;
        };
        if index.is_empty() {
            Bodies::Nothing
        } else if reference.position(target.x, target.y) != planar::Position::Outside {
            Bodies::Meeting
        } else {
            Bodies::Point(target, Cow::Borrowed(index))
        }
    }

    fn bodies_to(&self, target: &Geometry<f64>, form: Form) -> Bodies<'_> {
        if let Geometry::Point(point) = target {
            return self.bodies_to_point(point.0);
        }
        let unwrapped = antimeridian::unwrap(target);
        let sound = form.made_sound(&unwrapped);
        let own = DistanceIndex::new(&sound);
        if own.is_empty() {
            return Bodies::Nothing;
        }
        if let Some(centre) = self.point {
            return if covers_on_globe(&sound, centre.at) {
                Bodies::Meeting
            } else {
                Bodies::Point(centre.at, Cow::Owned(own))
            };
        }
        match &self.body {
            Some((_, index)) if index.is_empty() => Bodies::Nothing,
            Some((reference, _))
                if reference.relates(GeoRelation::Intersects, &sound, Form::Repaired) =>
            {
                Bodies::Meeting
            }
            Some((_, index)) => Bodies::Pair(index, own),
            None => Bodies::Nothing,
        }
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
