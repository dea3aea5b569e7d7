//! Self-crossing and degenerate geometries, and the forms that relations can work with.

use std::borrow::Cow;

use geo::kernels::{Kernel, Orientation, RobustKernel};
use geo::{BooleanOps, CoordsIter, MapCoordsInPlace};
use geo_types::{
    Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon,
    Point, Polygon,
};

use crate::antimeridian::{self, signed_area};
use crate::crossing::{multi_polygon_crosses_itself, polygon_crosses_itself};
use crate::guard::guarded;
use crate::packed::Extent;
use crate::parts;
use crate::planar::PlanarIndex;

/// A geometry in the form that relations use, beside whether that differs from what was given.
///
/// ```
/// use cardo_spatial::repair;
/// use geo_types::{polygon, Geometry};
///
/// let bow_tie = Geometry::from(polygon![(x: 0., y: 0.), (x: 2., y: 2.), (x: 2., y: 0.), (x: 0., y: 2.)]);
/// let repaired = repair(&bow_tie);
/// assert!(repaired.changed());
/// assert!(matches!(repaired.geometry(), Geometry::MultiPolygon(parts) if parts.0.len() == 2));
/// ```
#[derive(Clone, Debug)]
pub struct Repaired<'a>(Cow<'a, Geometry<f64>>);

impl<'a> Repaired<'a> {
    /// The form that relations use.
    pub fn geometry(&self) -> &Geometry<f64> {
        &self.0
    }

    /// Whether it differs from the geometry as given.
    pub fn changed(&self) -> bool {
        matches!(self.0, Cow::Owned(_))
    }

    /// The form that relations use, borrowed where nothing was changed.
    pub fn into_geometry(self) -> Cow<'a, Geometry<f64>> {
        self.0
    }
}

/// The valid geometry that a faulty one means.
///
/// A self-crossing polygon becomes the area enclosed by an odd number of its rings (the even-odd rule); a polygon
/// without area becomes its outline, a line without length a point, and a line of one position likewise. Everything
/// else is lent as it is; so are geometries with coordinates that are not finite, and those that cross themselves tens
/// of thousands of times.
///
/// What crosses the antimeridian is repaired as the body it means, with longitudes that may run on past 180°.
pub fn repair(geometry: &Geometry<f64>) -> Repaired<'_> {
    let repaired = match antimeridian::unwrap(geometry) {
        Cow::Borrowed(plain) => repair_in_plane(plain),
        Cow::Owned(unwrapped) => match repair_in_plane(&unwrapped) {
            Cow::Borrowed(_) => Cow::Borrowed(geometry),
            Cow::Owned(repaired) => Cow::Owned(repaired),
        },
    };
    Repaired(repaired)
}

/// The same for coordinates that are continuous.
pub(crate) fn repair_in_plane(geometry: &Geometry<f64>) -> Cow<'_, Geometry<f64>> {
    let is_hopeless =
        || parts::has_non_finite(geometry) || PlanarIndex::new(geometry).is_entangled();
    if !is_faulty(geometry) || is_hopeless() {
        return Cow::Borrowed(geometry);
    }
    let mut out = Pieces::default();
    out.add(geometry);
    Cow::Owned(out.into_geometry())
}

fn is_faulty(geometry: &Geometry<f64>) -> bool {
    match geometry {
        Geometry::Point(_) | Geometry::MultiPoint(_) => false,
        Geometry::Line(line) => line.start == line.end,
        Geometry::LineString(line) => is_point_like(&line.0),
        Geometry::MultiLineString(lines) => lines.iter().any(|line| is_point_like(&line.0)),
        Geometry::Polygon(polygon) => is_faulty_polygon(polygon),
        Geometry::MultiPolygon(polygons) => {
            polygons.iter().any(is_flat) || multi_polygon_crosses_itself(polygons)
        }
        Geometry::Rect(rect) => rect.width() == 0.0 || rect.height() == 0.0,
        Geometry::Triangle(triangle) => is_faulty_polygon(&triangle.to_polygon()),
        Geometry::GeometryCollection(all) => all.iter().any(is_faulty),
    }
}

fn is_faulty_polygon(polygon: &Polygon<f64>) -> bool {
    is_flat(polygon) || (!is_upright(polygon) && polygon_crosses_itself(polygon))
}

/// Whether the edges are four, by turns along a meridian and along a parallel, as those of a
/// bounding box are.
fn is_upright(polygon: &Polygon<f64>) -> bool {
    let [a, b, c, d, _] = polygon.exterior().0[..] else { return false };
    let from_meridian = a.x == b.x && b.y == c.y && c.x == d.x && d.y == a.y;
    let from_parallel = a.y == b.y && b.x == c.x && c.y == d.y && d.x == a.x;
    polygon.interiors().is_empty() && (from_meridian || from_parallel)
}

fn is_point_like(coords: &[Coord<f64>]) -> bool {
    coords.iter().all(|c| *c == coords[0])
}

/// Whether no three vertices of the exterior, or none of some hole, span an area.
fn is_flat(polygon: &Polygon<f64>) -> bool {
    std::iter::once(polygon.exterior())
        .chain(polygon.interiors())
        .any(|ring| signed_area(&ring.0) == 0.0)
}

/// What is left of a geometry, by dimension.
#[derive(Default)]
struct Pieces {
    points: Vec<Point<f64>>,
    lines: Vec<LineString<f64>>,
    polygons: Vec<Polygon<f64>>,
}

impl Pieces {
    fn add(&mut self, geometry: &Geometry<f64>) {
        match geometry {
            Geometry::Point(point) => self.points.push(*point),
            Geometry::MultiPoint(points) => self.points.extend(points.iter()),
            Geometry::Line(line) => self.add_line(&[line.start, line.end]),
            Geometry::LineString(line) => self.add_line(&line.0),
            Geometry::MultiLineString(lines) => {
                for line in lines {
                    self.add_line(&line.0);
                }
            }
            Geometry::Polygon(polygon) => {
                self.add_polygons(&MultiPolygon::new(vec![polygon.clone()]));
            }
            Geometry::MultiPolygon(polygons) => self.add_polygons(polygons),
            Geometry::Rect(rect) => self.add_polygons(&MultiPolygon::new(vec![rect.to_polygon()])),
            Geometry::Triangle(triangle) => {
                self.add_polygons(&MultiPolygon::new(vec![triangle.to_polygon()]));
            }
            Geometry::GeometryCollection(all) => all.iter().for_each(|g| self.add(g)),
        }
    }

    fn add_line(&mut self, coords: &[Coord<f64>]) {
        match coords {
            [] => {}
            [first, ..] if is_point_like(coords) => self.points.push(Point(*first)),
            _ => self.lines.push(LineString(coords.to_vec())),
        }
    }

    fn add_polygons(&mut self, polygons: &MultiPolygon<f64>) {
        let mut solid = Vec::new();
        for polygon in polygons {
            let holes: Vec<_> = polygon
                .interiors()
                .iter()
                .filter(|hole| signed_area(&hole.0) != 0.0 || crosses(hole))
                .cloned()
                .collect();
            if signed_area(&polygon.exterior().0) == 0.0 && !crosses(polygon.exterior()) {
                self.add_outline(polygon.exterior());
            } else {
                solid.push(Polygon::new(polygon.exterior().clone(), holes));
            }
        }
        let solid = MultiPolygon::new(solid);
        if !multi_polygon_crosses_itself(&solid) {
            self.polygons.extend(solid);
            return;
        }
        let area = even_odd(&solid);
        if area.0.is_empty() {
            solid.iter().for_each(|polygon| self.add_outline(polygon.exterior()));
        }
        self.polygons.extend(area);
    }

    /// A ring without area runs over its edges twice; each is kept once.
    fn add_outline(&mut self, ring: &LineString<f64>) {
        let mut edges: Vec<[Coord<f64>; 2]> = Vec::new();
        for line in ring.lines().filter(|line| line.start != line.end) {
            let (a, b) = (line.start, line.end);
            edges.push(if (a.x, a.y) <= (b.x, b.y) { [a, b] } else { [b, a] });
        }
        edges.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
        edges.dedup();
        match edges.as_slice() {
            [] => self.points.extend(ring.0.first().map(|c| Point(*c))),
            [first, .., last] if is_straight(&edges) => {
                self.lines.push(LineString(vec![first[0], farthest(&edges, last)]));
            }
            _ => self.lines.extend(edges.into_iter().map(|edge| LineString(edge.to_vec()))),
        }
    }

    fn into_geometry(mut self) -> Geometry<f64> {
        let kinds = [self.points.is_empty(), self.lines.is_empty(), self.polygons.is_empty()];
        if kinds.iter().filter(|empty| !**empty).count() > 1 {
            let mut all = Vec::new();
            all.extend(self.points.into_iter().map(Geometry::Point));
            all.extend(self.lines.into_iter().map(Geometry::LineString));
            all.extend(self.polygons.into_iter().map(Geometry::Polygon));
            return Geometry::GeometryCollection(GeometryCollection(all));
        }
        match (self.points.len(), self.lines.len(), self.polygons.len()) {
            (1, ..) => Geometry::Point(self.points.swap_remove(0)),
            (_, 1, _) => Geometry::LineString(self.lines.swap_remove(0)),
            (.., 1) => Geometry::Polygon(self.polygons.swap_remove(0)),
            (0, 0, _) => Geometry::MultiPolygon(MultiPolygon::new(self.polygons)),
            (0, ..) => Geometry::MultiLineString(MultiLineString::new(self.lines)),
            _ => Geometry::MultiPoint(MultiPoint::new(self.points)),
        }
    }
}

fn key(edge: &[Coord<f64>; 2]) -> [f64; 4] {
    [edge[0].x, edge[0].y, edge[1].x, edge[1].y]
}

/// Whether all edges lie on one line.
fn is_straight(edges: &[[Coord<f64>; 2]]) -> bool {
    let [a, b] = edges[0];
    edges.iter().flatten().all(|c| RobustKernel::orient2d(a, b, *c) == Orientation::Collinear)
}

fn farthest(edges: &[[Coord<f64>; 2]], last: &[Coord<f64>; 2]) -> Coord<f64> {
    edges.iter().fold(last[1], |best, [_, c]| if (c.x, c.y) > (best.x, best.y) { *c } else { best })
}

fn crosses(ring: &LineString<f64>) -> bool {
    polygon_crosses_itself(&Polygon::new(ring.clone(), Vec::new()))
}

/// The area inside an odd number of rings.
fn even_odd(polygons: &MultiPolygon<f64>) -> MultiPolygon<f64> {
    let nothing = MultiPolygon::new(Vec::new());
    let mut area = guarded(|| polygons.union(&nothing)).unwrap_or(nothing);
    let vertices = Vertices::of(polygons);
    area.map_coords_in_place(|c| vertices.nearest(c).unwrap_or(c));
    area
}

/// The vertices of the given geometry: the overlay works on a grid of a billionth of the extent, and what it returns is
/// set back to the vertices it began with.
struct Vertices {
    sorted: Vec<Coord<f64>>,
    tolerance: f64,
}

impl Vertices {
    fn of(polygons: &MultiPolygon<f64>) -> Self {
        let mut sorted: Vec<Coord<f64>> = polygons.coords_iter().collect();
        sorted.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
        sorted.dedup();
        let mut extent = Extent::EMPTY;
        for c in &sorted {
            extent.add(&Extent::new([c.x, c.y], [c.x, c.y]));
        }
        let size = (0..2).map(|i| extent.max[i] - extent.min[i]).fold(0.0, f64::max);
        Self { sorted, tolerance: size * 4e-9 }
    }

    fn nearest(&self, c: Coord<f64>) -> Option<Coord<f64>> {
        let from = self.sorted.partition_point(|v| v.x < c.x - self.tolerance);
        self.sorted[from..]
            .iter()
            .take_while(|v| v.x <= c.x + self.tolerance)
            .find(|v| (v.y - c.y).abs() <= self.tolerance)
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::is_self_crossing;
    use geo::Area;
    use geo_types::{line_string, polygon};

    #[test]
    fn a_sound_geometry_is_lent_unchanged() {
        let square = Geometry::from(
            polygon![(x: 0., y: 0.), (x: 1., y: 0.), (x: 1., y: 1.), (x: 0., y: 1.)],
        );
        assert!(!repair(&square).changed());
        assert!(!is_self_crossing(&square));
    }

    #[test]
    fn repeated_vertices_do_not_cross() {
        let square = Geometry::from(
            polygon![(x: 0., y: 0.), (x: 0., y: 0.), (x: 1., y: 0.), (x: 1., y: 1.), (x: 1., y: 1.), (x: 0., y: 1.)],
        );
        assert!(!is_self_crossing(&square));
    }

    #[test]
    fn a_bow_tie_crosses_itself_and_becomes_two_triangles() {
        let bow_tie = Geometry::from(
            polygon![(x: 0., y: 0.), (x: 2., y: 2.), (x: 2., y: 0.), (x: 0., y: 2.)],
        );
        assert!(is_self_crossing(&bow_tie));
        assert_eq!(repair(&bow_tie).geometry().unsigned_area(), 2.0);
    }

    #[test]
    fn a_spike_is_cut_off() {
        let spiked = Geometry::from(
            polygon![(x: 0., y: 0.), (x: 1., y: 0.), (x: 2., y: 0.5), (x: 1., y: 0.), (x: 1., y: 1.), (x: 0., y: 1.)],
        );
        assert!(is_self_crossing(&spiked));
        assert_eq!(repair(&spiked).geometry().unsigned_area(), 1.0);
    }

    #[test]
    fn a_hole_outside_its_shell_counts_as_crossing() {
        let shell = line_string![(x: 0., y: 0.), (x: 1., y: 0.), (x: 1., y: 1.), (x: 0., y: 0.)];
        let hole = line_string![(x: 5., y: 5.), (x: 6., y: 5.), (x: 6., y: 6.), (x: 5., y: 5.)];
        assert!(is_self_crossing(&Geometry::from(Polygon::new(shell, vec![hole]))));
    }

    #[test]
    fn a_polygon_without_area_becomes_its_outline_and_a_line_without_length_a_point() {
        let flat = Geometry::from(polygon![(x: 0., y: 0.), (x: 1., y: 1.), (x: 2., y: 2.)]);
        assert!(matches!(repair(&flat).geometry(), Geometry::LineString(_)));
        let dot = Geometry::from(polygon![(x: 1., y: 1.), (x: 1., y: 1.), (x: 1., y: 1.)]);
        assert!(matches!(repair(&dot).geometry(), Geometry::Point(_)));
        let still = Geometry::from(line_string![(x: 1., y: 1.), (x: 1., y: 1.)]);
        assert!(matches!(repair(&still).geometry(), Geometry::Point(_)));
    }

    #[test]
    fn overlapping_parts_count_as_crossing() {
        let a = polygon![(x: 0., y: 0.), (x: 2., y: 0.), (x: 2., y: 2.), (x: 0., y: 2.)];
        let b = polygon![(x: 0.5, y: 0.5), (x: 1., y: 0.5), (x: 1., y: 1.), (x: 0.5, y: 1.)];
        assert!(is_self_crossing(&Geometry::from(MultiPolygon::new(vec![a, b]))));
    }
}
