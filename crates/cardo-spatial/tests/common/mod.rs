//! Random geometries, sound and odd ones, on a coarse grid so that they meet, touch and coincide often.

use geo_types::{
    Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
};
use proptest::prelude::*;

fn coord() -> impl Strategy<Value = Coord<f64>> {
    (0..9_i32, 0..9_i32).prop_map(|(x, y)| Coord { x: f64::from(x), y: f64::from(y) })
}

fn line() -> impl Strategy<Value = LineString<f64>> {
    prop::collection::vec(coord(), 2..6).prop_map(LineString)
}

/// Any ring at all: crossing itself, without area, with repeated vertices.
fn odd_polygon() -> impl Strategy<Value = Polygon<f64>> {
    (prop::collection::vec(coord(), 3..7), prop::collection::vec(coord(), 3..5), any::<bool>())
        .prop_map(|(shell, hole, has_hole)| {
            let holes = if has_hole { vec![LineString(hole)] } else { Vec::new() };
            Polygon::new(LineString(shell), holes)
        })
}

/// A rectangle, perhaps with a hole.
fn sound_polygon() -> impl Strategy<Value = Polygon<f64>> {
    (coord(), 1..5_i32, 1..5_i32, any::<bool>()).prop_map(|(c, width, height, has_hole)| {
        let rect = |inset: f64| {
            let (w, s) = (c.x + inset, c.y + inset);
            let (e, n) = (c.x + f64::from(width) - inset, c.y + f64::from(height) - inset);
            LineString::from(vec![(w, s), (e, s), (e, n), (w, n), (w, s)])
        };
        Polygon::new(rect(0.0), if has_hole { vec![rect(0.25)] } else { Vec::new() })
    })
}

/// Points and lines.
#[allow(dead_code, reason = "not every test binary asks for them")]
pub(crate) fn thin_geometry() -> impl Strategy<Value = Geometry<f64>> {
    prop_oneof![
        coord().prop_map(|c| Geometry::Point(Point(c))),
        line().prop_map(Geometry::LineString),
        prop::collection::vec(line(), 1..4)
            .prop_map(|ls| Geometry::MultiLineString(MultiLineString::new(ls))),
    ]
}

/// Points, lines and sound polygons whose rings are counterclockwise.
#[allow(dead_code, reason = "not every test binary asks for them")]
pub(crate) fn sound_geometry() -> impl Strategy<Value = Geometry<f64>> {
    prop_oneof![thin_geometry(), sound_polygon().prop_map(Geometry::Polygon)]
}

pub(crate) fn geometry() -> impl Strategy<Value = Geometry<f64>> {
    prop_oneof![
        3 => coord().prop_map(|c| Geometry::Point(Point(c))),
        2 => line().prop_map(Geometry::LineString),
        2 => odd_polygon().prop_map(Geometry::Polygon),
        3 => sound_polygon().prop_map(Geometry::Polygon),
        1 => prop::collection::vec(coord(), 1..5)
            .prop_map(|cs| Geometry::MultiPoint(MultiPoint::new(cs.into_iter().map(Point).collect()))),
        1 => prop::collection::vec(line(), 1..4).prop_map(|ls| Geometry::MultiLineString(MultiLineString::new(ls))),
        1 => prop::collection::vec(sound_polygon(), 1..4)
            .prop_map(|ps| Geometry::MultiPolygon(MultiPolygon::new(ps))),
        1 => prop::collection::vec(odd_polygon(), 1..4)
            .prop_map(|ps| Geometry::MultiPolygon(MultiPolygon::new(ps))),
    ]
}

/// The geometry moved by degrees in the plane.
#[allow(dead_code, reason = "not every test binary moves geometries")]
pub(crate) fn translated(geometry: &Geometry<f64>, lon: f64, lat: f64) -> Geometry<f64> {
    use geo::MapCoords;
    geometry.map_coords(|c| Coord { x: c.x + lon, y: c.y + lat })
}

/// The geometry moved by degrees, its longitudes brought back to ±180.
#[allow(dead_code, reason = "not every test binary moves geometries")]
pub(crate) fn moved(geometry: &Geometry<f64>, lon: f64, lat: f64) -> Geometry<f64> {
    use geo::MapCoords;
    translated(geometry, lon, lat)
        .map_coords(|c| Coord { x: if c.x > 180.0 { c.x - 360.0 } else { c.x }, y: c.y })
}
