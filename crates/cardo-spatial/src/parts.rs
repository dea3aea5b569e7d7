//! A geometry as the points, lines and rings it is made of.

use geo_types::{Coord, Geometry, LineString, Polygon};

/// One simple part of a geometry.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'a> {
    Point(&'a Coord<f64>),
    Line(&'a [Coord<f64>]),
    /// Exterior or interior ring of a polygon.
    Ring(&'a [Coord<f64>]),
}

impl<'a> Part<'a> {
    pub(crate) fn coords(self) -> &'a [Coord<f64>] {
        match self {
            Self::Point(c) => std::slice::from_ref(c),
            Self::Line(coords) | Self::Ring(coords) => coords,
        }
    }
}

/// Calls `see` with each part that has a position.
pub(crate) fn visit(geometry: &Geometry<f64>, see: &mut dyn FnMut(Part<'_>)) {
    match geometry {
        Geometry::Point(point) => see(Part::Point(&point.0)),
        Geometry::Line(line) => see(Part::Line(&[line.start, line.end])),
        Geometry::LineString(line) => see_line(line, see),
        Geometry::Polygon(polygon) => see_polygon(polygon, see),
        Geometry::MultiPoint(points) => points.iter().for_each(|p| see(Part::Point(&p.0))),
        Geometry::MultiLineString(lines) => lines.iter().for_each(|line| see_line(line, see)),
        Geometry::MultiPolygon(polygons) => polygons.iter().for_each(|p| see_polygon(p, see)),
        Geometry::GeometryCollection(all) => all.iter().for_each(|g| visit(g, see)),
        Geometry::Rect(rect) => see_polygon(&rect.to_polygon(), see),
        Geometry::Triangle(triangle) => see_polygon(&triangle.to_polygon(), see),
    }
}

fn see_line(line: &LineString<f64>, see: &mut dyn FnMut(Part<'_>)) {
    if !line.0.is_empty() {
        see(Part::Line(&line.0));
    }
}

fn see_polygon(polygon: &Polygon<f64>, see: &mut dyn FnMut(Part<'_>)) {
    for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
        if !ring.0.is_empty() {
            see(Part::Ring(&ring.0));
        }
    }
}

/// Whether any coordinate is NaN or infinite.
pub(crate) fn has_non_finite(geometry: &Geometry<f64>) -> bool {
    let mut found = false;
    visit(geometry, &mut |part| {
        found |= part.coords().iter().any(|c| !c.x.is_finite() || !c.y.is_finite());
    });
    found
}

/// Whether any latitude is beyond the poles, or any longitude several turns round.
pub(crate) fn is_off_globe(geometry: &Geometry<f64>) -> bool {
    let mut found = false;
    visit(geometry, &mut |part| {
        found |= !part.coords().iter().all(|c| c.x.abs() <= 1080.0 && c.y.abs() <= 90.0);
    });
    found
}

/// Whether the geometry has an area: a polygon of any kind.
pub(crate) fn has_ring(geometry: &Geometry<f64>) -> bool {
    let mut found = false;
    visit(geometry, &mut |part| found |= matches!(part, Part::Ring(_)));
    found
}
