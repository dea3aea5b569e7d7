//! The geometry of a record, and the rules that every format shares.

use geo_types::{Coord, Geometry, LineString, Polygon, Rect};

use crate::Fault;

/// A geometry in the coordinates of its source.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordGeometry {
    /// The geometry in the plane: x is east or longitude.
    pub shape: Geometry<f64>,
    /// Heights in the order of the positions: one each, or none at all.
    pub heights: Vec<f64>,
}

impl RecordGeometry {
    /// A geometry without heights.
    pub fn flat(shape: impl Into<Geometry<f64>>) -> Self {
        Self { shape: shape.into(), heights: Vec::new() }
    }

    /// The height of position `index`, where heights are known.
    pub fn height(&self, index: usize) -> Option<f64> {
        self.heights.get(index).copied()
    }
}

/// Gathers heights while positions are read. They count only if every
/// position has one.
#[derive(Debug, Default)]
pub(crate) struct Heights {
    values: Vec<f64>,
    positions: usize,
}

impl Heights {
    pub(crate) fn take(&mut self, height: Option<f64>) -> Result<(), Fault> {
        self.positions += 1;
        if let Some(height) = height {
            self.values.push(finite(height)?);
        }
        Ok(())
    }

    pub(crate) fn with(self, shape: Geometry<f64>) -> RecordGeometry {
        let heights = if self.values.len() == self.positions { self.values } else { Vec::new() };
        RecordGeometry { shape, heights }
    }
}

pub(crate) fn finite(value: f64) -> Result<f64, Fault> {
    if value.is_finite() { Ok(value) } else { Err(Fault::NotFinite(value.to_string())) }
}

pub(crate) fn coord(x: f64, y: f64) -> Result<Coord<f64>, Fault> {
    Ok(Coord { x: finite(x)?, y: finite(y)? })
}

pub(crate) fn line(positions: Vec<Coord<f64>>) -> Result<LineString<f64>, Fault> {
    if positions.len() == 1 {
        return Err(Fault::geometry("a line of one position"));
    }
    Ok(LineString(positions))
}

/// A polygon of rings that are closed already: `geo_types` would close an open
/// one without a word.
pub(crate) fn polygon(rings: Vec<Vec<Coord<f64>>>) -> Result<Polygon<f64>, Fault> {
    let mut rings = rings.into_iter().map(ring);
    let exterior = rings.next().transpose()?.unwrap_or(LineString(Vec::new()));
    let interiors = rings.collect::<Result<_, _>>()?;
    Ok(Polygon::new(exterior, interiors))
}

fn ring(positions: Vec<Coord<f64>>) -> Result<LineString<f64>, Fault> {
    let (Some(first), Some(last)) = (positions.first(), positions.last()) else {
        return Err(Fault::geometry("an empty ring"));
    };
    if first != last {
        return Err(Fault::OpenRing { first: (first.x, first.y), last: (last.x, last.y) });
    }
    if positions.len() < 4 {
        return Err(Fault::geometry(format!("a ring of {} positions", positions.len())));
    }
    Ok(LineString(positions))
}

/// The box around a geometry; none where it has no position.
pub(crate) fn bounds(shape: &Geometry<f64>) -> Option<Rect<f64>> {
    let mut area: Option<[f64; 4]> = None;
    each_position(shape, &mut |Coord { x, y }| {
        let [west, south, east, north] = area.unwrap_or([x, y, x, y]);
        area = Some([west.min(x), south.min(y), east.max(x), north.max(y)]);
    });
    area.map(|[west, south, east, north]| Rect::new((west, south), (east, north)))
}

/// Hands over all positions in the order in which heights are kept.
pub(crate) fn each_position(shape: &Geometry<f64>, take: &mut dyn FnMut(Coord<f64>)) {
    match shape {
        Geometry::Point(point) => take(point.0),
        Geometry::Line(line) => [line.start, line.end].into_iter().for_each(take),
        Geometry::LineString(line) => line.0.iter().copied().for_each(take),
        Geometry::Polygon(polygon) => each_of_polygon(polygon, take),
        Geometry::Rect(rect) => each_of_polygon(&rect.to_polygon(), take),
        Geometry::Triangle(triangle) => each_of_polygon(&triangle.to_polygon(), take),
        Geometry::MultiPoint(many) => many.0.iter().for_each(|point| take(point.0)),
        Geometry::MultiLineString(many) => {
            many.0.iter().flat_map(|line| &line.0).copied().for_each(take);
        }
        Geometry::MultiPolygon(many) => {
            many.0.iter().for_each(|polygon| each_of_polygon(polygon, take));
        }
        Geometry::GeometryCollection(many) => {
            many.0.iter().for_each(|member| each_position(member, take));
        }
    }
}

fn each_of_polygon(polygon: &Polygon<f64>, take: &mut dyn FnMut(Coord<f64>)) {
    let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
    rings.flat_map(|ring| &ring.0).copied().for_each(take);
}
