//! Geometries that cross the antimeridian or wind round a pole, laid out in one continuous plane.
//!
//! RFC 7946 clause 3.1.9 asks that a geometry be cut at the antimeridian. Both cut and uncut ones arrive, so:
//!
//! - An edge whose ends are more than 180° and less than 360° of longitude apart goes the shorter way round, across
//!   the antimeridian.
//! - A ring with such edges that is counterclockwise as it stands (clause 3.1.6: the exterior ring) is taken at its
//!   word: a box 340° wide, drawn as such. Clockwise as it stands, it crosses.
//! - A ring whose longitudes do not come back to where they began winds round a pole; it encloses the pole of the
//!   hemisphere of its mean latitude.
//! - An edge of exactly 360° runs round the world along its parallel.
//! - Longitudes beyond ±180° are accepted and mean the same meridian.
//! - The parts of a multi-geometry lie together: the widest empty stretch of longitude is outside of it. Polygons cut
//!   at ±180° are joined again.

use std::borrow::Cow;

use geo::BooleanOps;
use geo_types::{
    Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
};

use crate::guard::guarded;
use crate::parts::{self, Part};

/// The geometry in continuous coordinates: its west end lies in [-180, 180), its east end may lie beyond 180.
pub(crate) fn unwrap(geometry: &Geometry<f64>) -> Cow<'_, Geometry<f64>> {
    if is_plain(geometry) {
        return Cow::Borrowed(geometry);
    }
    Cow::Owned(match geometry {
        Geometry::Point(p) => Geometry::Point(Point(home(&[p.0])[0])),
        Geometry::Line(line) => {
            Geometry::LineString(LineString(unwrap_line(&[line.start, line.end])))
        }
        Geometry::LineString(line) => Geometry::LineString(LineString(unwrap_line(&line.0))),
        Geometry::Polygon(polygon) => Geometry::Polygon(unwrap_polygon(polygon)),
        Geometry::Rect(rect) => Geometry::Polygon(unwrap_polygon(&rect.to_polygon())),
        Geometry::Triangle(triangle) => Geometry::Polygon(unwrap_polygon(&triangle.to_polygon())),
        Geometry::MultiPoint(points) => {
            let mut parts: Vec<Vec<Coord<f64>>> = points.iter().map(|p| home(&[p.0])).collect();
            gather(&mut parts, |part, by| shift_coords(part, by), |part| extent_of(part));
            Geometry::MultiPoint(MultiPoint(parts.iter().map(|part| Point(part[0])).collect()))
        }
        Geometry::MultiLineString(lines) => {
            let mut parts: Vec<Vec<Coord<f64>>> = lines.iter().map(|l| unwrap_line(&l.0)).collect();
            gather(&mut parts, |part, by| shift_coords(part, by), |part| extent_of(part));
            Geometry::MultiLineString(MultiLineString(parts.into_iter().map(LineString).collect()))
        }
        Geometry::MultiPolygon(polygons) => unwrap_multi_polygon(polygons),
        Geometry::GeometryCollection(all) => {
            Geometry::GeometryCollection(all.iter().map(|g| unwrap(g).into_owned()).collect())
        }
    })
}

/// Whether the coordinates need no treatment at all, as those of nearly every geometry.
fn is_plain(geometry: &Geometry<f64>) -> bool {
    if let Geometry::Point(p) = geometry {
        return (-180.0..180.0).contains(&p.x());
    }
    let (mut plain, mut west, mut east) = (true, f64::INFINITY, f64::NEG_INFINITY);
    parts::visit(geometry, &mut |part: Part<'_>| {
        let coords = part.coords();
        for c in coords {
            (west, east) = (west.min(c.x), east.max(c.x));
        }
        plain &= !coords.windows(2).any(|edge| is_long(edge[0], edge[1]));
    });
    let in_parts = matches!(
        geometry,
        Geometry::MultiPoint(_)
            | Geometry::MultiLineString(_)
            | Geometry::MultiPolygon(_)
            | Geometry::GeometryCollection(_)
    );
    let is_narrow = !in_parts || east - west <= 180.0;
    plain && west >= -180.0 && east <= 180.0 && is_narrow
}

fn is_long(a: Coord<f64>, b: Coord<f64>) -> bool {
    let span = (b.x - a.x).abs();
    span > 180.0 && span < 360.0
}

/// Follows the shorter way from vertex to vertex.
fn follow(coords: &[Coord<f64>]) -> Vec<Coord<f64>> {
    let mut turn = 0.0;
    let mut out: Vec<Coord<f64>> = Vec::with_capacity(coords.len());
    for (i, c) in coords.iter().enumerate() {
        if i > 0 && is_long(coords[i - 1], *c) {
            turn += if c.x < coords[i - 1].x { 360.0 } else { -360.0 };
        }
        out.push(Coord { x: c.x + turn, y: c.y });
    }
    out
}

fn unwrap_line(coords: &[Coord<f64>]) -> Vec<Coord<f64>> {
    home(&follow(coords))
}

/// Shifts by whole turns so that the west end lies in [-180, 180).
fn home(coords: &[Coord<f64>]) -> Vec<Coord<f64>> {
    let mut out = coords.to_vec();
    let west = extent_of(&out).0;
    shift_coords(&mut out, home_shift(west));
    out
}

fn home_shift(west: f64) -> f64 {
    let turns = ((west + 180.0) / 360.0).floor();
    if turns == 0.0 || !turns.is_finite() { 0.0 } else { -360.0 * turns }
}

fn shift_coords(coords: &mut [Coord<f64>], by: f64) {
    if by != 0.0 {
        for c in coords {
            c.x += by;
        }
    }
}

fn extent_of(coords: &[Coord<f64>]) -> (f64, f64) {
    coords
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(west, east), c| (west.min(c.x), east.max(c.x)))
}

/// Twice the signed area in the plane.
pub(crate) fn signed_area(ring: &[Coord<f64>]) -> f64 {
    let Some(origin) = ring.first() else { return 0.0 };
    ring.windows(2)
        .map(|edge| {
            (edge[0].x - origin.x) * (edge[1].y - origin.y)
                - (edge[1].x - origin.x) * (edge[0].y - origin.y)
        })
        .sum()
}

fn unwrap_ring(ring: &[Coord<f64>], is_exterior: bool) -> Vec<Coord<f64>> {
    if !ring.windows(2).any(|edge| is_long(edge[0], edge[1])) {
        return ring.to_vec();
    }
    let mut followed = follow(ring);
    let (first, last) = (followed[0], followed[followed.len() - 1]);
    if first.x != last.x {
        close_over_pole(&mut followed);
        return followed;
    }
    if is_exterior && signed_area(ring) > 0.0 { ring.to_vec() } else { followed }
}

/// Closes a ring that winds round a pole along the meridian of its seam and the pole itself.
fn close_over_pole(ring: &mut Vec<Coord<f64>>) {
    let mean = ring.iter().map(|c| c.y).sum::<f64>() / ring.len() as f64;
    let pole = if mean < 0.0 { -90.0 } else { 90.0 };
    let (first, last) = (ring[0], ring[ring.len() - 1]);
    ring.push(Coord { x: last.x, y: pole });
    ring.push(Coord { x: first.x, y: pole });
    ring.push(first);
}

fn unwrap_polygon(polygon: &Polygon<f64>) -> Polygon<f64> {
    let exterior = home(&unwrap_ring(&polygon.exterior().0, true));
    let (west, east) = extent_of(&exterior);
    let interiors = polygon
        .interiors()
        .iter()
        .map(|hole| {
            let mut hole = home(&unwrap_ring(&hole.0, false));
            let (hole_west, hole_east) = extent_of(&hole);
            if hole_west < west && hole_east + 360.0 <= east {
                shift_coords(&mut hole, 360.0);
            }
            LineString(hole)
        })
        .collect();
    Polygon::new(LineString(exterior), interiors)
}

fn unwrap_multi_polygon(polygons: &MultiPolygon<f64>) -> Geometry<f64> {
    let mut parts: Vec<Polygon<f64>> = polygons.iter().map(unwrap_polygon).collect();
    gather(&mut parts, shift_polygon, |part| extent_of(&part.exterior().0));
    let (at_seam, mut rest): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| {
        let (west, east) = extent_of(&part.exterior().0);
        west == 180.0 || east == 180.0
    });
    if at_seam.len() > 1 && !at_seam.iter().any(crate::crossing::polygon_crosses_itself) {
        let nothing = MultiPolygon::new(Vec::new());
        let at_seam = MultiPolygon::new(at_seam);
        rest.extend(guarded(|| at_seam.union(&nothing)).unwrap_or(at_seam));
    } else {
        rest.extend(at_seam);
    }
    Geometry::MultiPolygon(MultiPolygon::new(rest))
}

fn shift_polygon(polygon: &mut Polygon<f64>, by: f64) {
    polygon.exterior_mut(|ring| shift_coords(&mut ring.0, by));
    polygon.interiors_mut(|rings| rings.iter_mut().for_each(|ring| shift_coords(&mut ring.0, by)));
}

/// Lays the parts of a multi-geometry side by side: those west of the widest stretch that none covers move one turn
/// east, unless that stretch contains the antimeridian.
fn gather<T>(parts: &mut [T], shift: impl Fn(&mut T, f64), extent: impl Fn(&T) -> (f64, f64)) {
    let extents: Vec<(f64, f64)> = parts.iter().map(&extent).collect();
    let Some(cut) = after_widest_gap(&extents) else { return };
    for (part, extent) in parts.iter_mut().zip(&extents) {
        if extent.0 < cut {
            shift(part, 360.0);
        }
    }
}

/// The longitude at which the widest stretch that no part covers ends; `None` where it runs across the antimeridian.
fn after_widest_gap(extents: &[(f64, f64)]) -> Option<f64> {
    let mut sorted: Vec<(f64, f64)> = extents
        .iter()
        .filter(|e| e.0.is_finite())
        .flat_map(|&(west, east)| {
            let spill = (east > 180.0).then_some((-180.0, east - 360.0));
            std::iter::once((west, east.min(180.0))).chain(spill)
        })
        .collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let &(first_west, mut reach) = sorted.first()?;
    let mut widest: Option<(f64, f64)> = None;
    for &(west, east) in &sorted[1..] {
        let gap = west - reach;
        if gap > widest.map_or(0.0, |(width, _)| width) {
            widest = Some((gap, west));
        }
        reach = reach.max(east);
    }
    let over_antimeridian = first_west + 360.0 - reach;
    widest.filter(|(width, _)| *width > over_antimeridian).map(|(_, cut)| cut)
}

/// The geometry moved east by whole turns.
pub(crate) fn shifted(geometry: &Geometry<f64>, by: f64) -> Geometry<f64> {
    use geo::MapCoords;
    geometry.map_coords(|c| Coord { x: c.x + by, y: c.y })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aabb;
    use geo_types::{line_string, polygon};

    fn extent(geometry: &Geometry<f64>) -> (f64, f64) {
        let extent = Aabb::of(&unwrap(geometry)).unwrap();
        (extent.min[0], extent.max[0])
    }

    #[test]
    fn a_line_goes_the_shorter_way_round() {
        let line = Geometry::from(
            line_string![(x: 170.0, y: 0.0), (x: -170.0, y: 0.0), (x: 170.0, y: 1.0)],
        );
        assert_eq!(extent(&line), (170.0, 190.0));
    }

    #[test]
    fn a_clockwise_box_crosses_and_a_counterclockwise_one_is_wide() {
        let wide = polygon![(x: -170.0, y: -10.0), (x: 170.0, y: -10.0), (x: 170.0, y: 10.0), (x: -170.0, y: 10.0)];
        assert_eq!(extent(&wide.into()), (-170.0, 170.0));
        let crossing = polygon![(x: 170.0, y: -10.0), (x: -170.0, y: -10.0), (x: -170.0, y: 10.0), (x: 170.0, y: 10.0)];
        assert_eq!(extent(&crossing.into()), (170.0, 190.0));
    }

    #[test]
    fn a_ring_round_a_pole_encloses_it() {
        let arctic =
            Geometry::from(polygon![(x: -120.0, y: 70.0), (x: 0.0, y: 71.0), (x: 120.0, y: 70.0)]);
        let cap = Aabb::of(&unwrap(&arctic)).unwrap();
        assert_eq!(cap.width(), 360.0);
        assert_eq!(cap.max[1], 90.0);
    }

    #[test]
    fn the_world_stays_as_it_is() {
        let world = Geometry::from(
            polygon![(x: -180.0, y: -90.0), (x: 180.0, y: -90.0), (x: 180.0, y: 90.0), (x: -180.0, y: 90.0)],
        );
        assert!(matches!(unwrap(&world), Cow::Borrowed(_)));
    }

    #[test]
    fn parts_cut_at_the_antimeridian_are_joined_again() {
        let west = polygon![(x: 170.0, y: 0.0), (x: 180.0, y: 0.0), (x: 180.0, y: 5.0), (x: 170.0, y: 5.0)];
        let east = polygon![(x: -180.0, y: 0.0), (x: -170.0, y: 0.0), (x: -170.0, y: 5.0), (x: -180.0, y: 5.0)];
        let island = polygon![(x: -160.0, y: 0.0), (x: -159.0, y: 0.0), (x: -159.0, y: 1.0)];
        let cut = Geometry::from(MultiPolygon::new(vec![west, east, island]));
        let Geometry::MultiPolygon(joined) = unwrap(&cut).into_owned() else {
            panic!("a multi-polygon stays one")
        };
        assert_eq!(joined.0.len(), 2);
        assert_eq!(extent(&cut), (170.0, 201.0));
    }

    #[test]
    fn longitudes_beyond_180_mean_the_same_meridian() {
        let box_ =
            Geometry::from(polygon![(x: 370.0, y: 0.0), (x: 371.0, y: 0.0), (x: 371.0, y: 1.0)]);
        assert_eq!(extent(&box_), (10.0, 11.0));
    }
}
