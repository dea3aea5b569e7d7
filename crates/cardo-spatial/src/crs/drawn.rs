//! Shapes that are drawn in the plane of a reference system, on the globe: their edges are straight there, and bent here.

use geo_types::{
    Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon,
    Point, Polygon,
};

use super::{Crs, CrsError, mercator};
use crate::bbox::bbox_geometry;

/// How far from its edge a chord may run, in degrees: about a centimetre.
const FLAT: f64 = 1e-7;
/// A position that does not come back this near, in units of the system, lies where the system has no place.
const RETURN: f64 = 10.0;

impl Crs {
    /// What the box between two corners, in the order of this system's axes, covers on the globe. In systems of longitude
    /// and latitude it crosses the antimeridian where its west lies east of its east.
    ///
    /// ```
    /// use cardo_spatial::{AxisOrder, Crs};
    ///
    /// let crs = Crs::from_uri("http://www.opengis.net/def/crs/EPSG/0/3067")?;
    /// let area = crs.bbox_to_wgs84([380_000.0, 6_670_000.0], [390_000.0, 6_680_000.0])?;
    /// assert!(matches!(area, geo_types::Geometry::Polygon(_)));
    /// # Ok::<(), cardo_spatial::CrsError>(())
    /// ```
    pub fn bbox_to_wgs84(&self, low: [f64; 2], high: [f64; 2]) -> Result<Geometry<f64>, CrsError> {
        let ([west, south], [east, north]) = (self.east_north(low), self.east_north(high));
        let wrong = |low, high| Err(CrsError::Box { low, high });
        if south > north {
            return wrong(south, north);
        }
        let turn = if west > east { 360.0 } else { 0.0 };
        if turn > 0.0 && !self.is_geographic() {
            return wrong(west, east);
        }
        if self.transform.is_none() {
            return Ok(bbox_geometry(west, south, east, north));
        }
        if self.ground() == Some(mercator::CODE) {
            return Ok(mercator_box([west, south], [east, north]));
        }
        let east = east + turn;
        let drawing = Drawing { crs: self, depth: 10 };
        let corners = [[west, south], [east, south], [east, north], [west, north], [west, south]];
        if west == east && south == north {
            return drawing.place(corners[0]).map(|place| Geometry::Point(Point(place)));
        }
        if west == east || south == north {
            let line = drawing.line(&[corners[0], corners[2]])?;
            return Ok(Geometry::LineString(LineString(line)));
        }
        let ring = drawing.line(&corners)?;
        Ok(as_box(&ring)
            .unwrap_or_else(|| Geometry::Polygon(Polygon::new(closed(ring), Vec::new()))))
    }

    /// A shape whose edges are straight in the plane of this system, on the globe. Longitudes may run on past the
    /// antimeridian. Of systems of longitude and latitude the edges are straight as they are.
    pub fn shape_to_wgs84(&self, shape: &Geometry<f64>) -> Result<Geometry<f64>, CrsError> {
        if self.is_geographic() {
            return self.geometry_to_wgs84(shape);
        }
        let mut edges = 0;
        crate::parts::visit(shape, &mut |part| edges += part.coords().len());
        let depth = match edges {
            0..=64 => 10,
            65..=4_096 => 6,
            _ => 3,
        };
        Drawing { crs: self, depth }.shape(shape)
    }
}

/// The box of the web's map is one of longitudes and latitudes, wherever it has been scrolled to.
fn mercator_box([west, south]: [f64; 2], [east, north]: [f64; 2]) -> Geometry<f64> {
    let lon = |x: f64| x / mercator::HALF * 180.0;
    let (south, north) = (mercator::latitude(south), mercator::latitude(north));
    if east - west >= 2.0 * mercator::HALF {
        return bbox_geometry(-180.0, south, 180.0, north);
    }
    let (west, east) = (lon(west), lon(east));
    if west >= -180.0 && east <= 180.0 {
        return bbox_geometry(west, south, east, north);
    }
    bbox_geometry(wrapped(west), south, wrapped(east), north)
}

fn wrapped(lon: f64) -> f64 {
    (lon + 180.0).rem_euclid(360.0) - 180.0
}

/// The difference of two longitudes, the shorter way round.
fn turn(from: f64, to: f64) -> f64 {
    wrapped(to - from)
}

struct Drawing<'a> {
    crs: &'a Crs,
    /// How many times an edge may be cut in half.
    depth: u32,
}

/// A position of the system, east before north, and its place on the globe.
type Known = ([f64; 2], Coord<f64>);

impl Drawing<'_> {
    fn shape(&self, shape: &Geometry<f64>) -> Result<Geometry<f64>, CrsError> {
        Ok(match shape {
            Geometry::Point(point) => Geometry::Point(self.point(point)?),
            Geometry::Line(line) => self.line_string([line.start, line.end].iter())?.into(),
            Geometry::LineString(line) => self.line_string(line.0.iter())?.into(),
            Geometry::Polygon(polygon) => self.polygon(polygon)?.into(),
            Geometry::Rect(rect) => self.polygon(&rect.to_polygon())?.into(),
            Geometry::Triangle(triangle) => self.polygon(&triangle.to_polygon())?.into(),
            Geometry::MultiPoint(points) => {
                let points: Result<Vec<_>, _> = points.iter().map(|p| self.point(p)).collect();
                MultiPoint(points?).into()
            }
            Geometry::MultiLineString(lines) => {
                let lines: Result<Vec<_>, _> =
                    lines.iter().map(|line| self.line_string(line.0.iter())).collect();
                MultiLineString(lines?).into()
            }
            Geometry::MultiPolygon(polygons) => {
                let polygons: Result<Vec<_>, _> =
                    polygons.iter().map(|p| self.polygon(p)).collect();
                MultiPolygon(polygons?).into()
            }
            Geometry::GeometryCollection(all) => {
                let all: Result<Vec<_>, _> = all.iter().map(|one| self.shape(one)).collect();
                Geometry::GeometryCollection(GeometryCollection(all?))
            }
        })
    }

    fn point(&self, point: &Point<f64>) -> Result<Point<f64>, CrsError> {
        self.place(self.crs.east_north([point.x(), point.y()])).map(Point)
    }

    fn line_string<'c>(
        &self,
        coords: impl Iterator<Item = &'c Coord<f64>>,
    ) -> Result<LineString<f64>, CrsError> {
        let positions: Vec<_> = coords.map(|c| self.crs.east_north([c.x, c.y])).collect();
        self.line(&positions).map(LineString)
    }

    fn polygon(&self, polygon: &Polygon<f64>) -> Result<Polygon<f64>, CrsError> {
        let ring = |ring: &LineString<f64>| Ok(closed(self.line_string(ring.0.iter())?.0));
        let holes: Result<_, CrsError> = polygon.interiors().iter().map(ring).collect();
        Ok(Polygon::new(ring(polygon.exterior())?, holes?))
    }

    /// The place of a position, east before north, if the system has one there.
    fn place(&self, position: [f64; 2]) -> Result<Coord<f64>, CrsError> {
        let Some(transform) = &self.crs.transform else { return Ok(Coord::from(position)) };
        let is_geographic = self.crs.is_geographic();
        let asked = if is_geographic && position[0].abs() > 180.0 {
            [wrapped(position[0]), position[1]]
        } else {
            position
        };
        let place = transform.to_wgs84(asked)?;
        if !is_geographic {
            let [x, y] = transform.project(place)?;
            if (x - position[0]).abs() > RETURN || (y - position[1]).abs() > RETURN {
                let code = self.crs.epsg().unwrap_or_default();
                return Err(CrsError::Position { position, way: "from", code });
            }
        }
        Ok(Coord::from(place))
    }

    /// The places along a line, its longitudes running on past the antimeridian.
    fn line(&self, positions: &[[f64; 2]]) -> Result<Vec<Coord<f64>>, CrsError> {
        let mut out = Vec::with_capacity(positions.len() * 4);
        let Some(first) = positions.first() else { return Ok(out) };
        let mut start = (*first, self.place(*first)?);
        out.push(start.1);
        for position in &positions[1..] {
            let end = (*position, self.place(*position)?);
            self.edge(start, end, self.depth, &mut out)?;
            out.push(end.1);
            start = end;
        }
        for at in 1..out.len() {
            out[at].x = out[at - 1].x + turn(out[at - 1].x, out[at].x);
        }
        Ok(out)
    }

    /// The places between two ends, close enough for chords.
    fn edge(
        &self,
        start: Known,
        end: Known,
        depth: u32,
        out: &mut Vec<Coord<f64>>,
    ) -> Result<(), CrsError> {
        if depth == 0 || start.0 == end.0 {
            return Ok(());
        }
        let middle = between(start.0, end.0, 0.5);
        let middle = (middle, self.place(middle)?);
        let mut is_flat = is_flat(start.1, end.1, middle.1, 0.5);
        if is_flat && depth == self.depth {
            // The middle of an edge that bends both ways says nothing.
            let quarter = self.place(between(start.0, end.0, 0.25))?;
            is_flat = self::is_flat(start.1, end.1, quarter, 0.25);
        }
        if is_flat {
            return Ok(());
        }
        self.edge(start, middle, depth - 1, out)?;
        out.push(middle.1);
        self.edge(middle, end, depth - 1, out)
    }
}

fn between(start: [f64; 2], end: [f64; 2], share: f64) -> [f64; 2] {
    [0, 1].map(|axis| start[axis] + (end[axis] - start[axis]) * share)
}

fn is_flat(start: Coord<f64>, end: Coord<f64>, found: Coord<f64>, share: f64) -> bool {
    let lat = start.y + (end.y - start.y) * share;
    let lon = start.x + turn(start.x, end.x) * share;
    (found.y - lat).abs() <= FLAT && turn(lon, found.x).abs() * lat.to_radians().cos() <= FLAT
}

/// A ring, closed along its seam and over a pole where it winds round one.
fn closed(mut ring: Vec<Coord<f64>>) -> LineString<f64> {
    let (Some(first), Some(last)) = (ring.first().copied(), ring.last().copied()) else {
        return LineString(ring);
    };
    if (last.x - first.x).abs() > 180.0 {
        let pole = if ring.iter().map(|c| c.y).sum::<f64>() < 0.0 { -90.0 } else { 90.0 };
        ring.extend([Coord { x: last.x, y: pole }, Coord { x: first.x, y: pole }, first]);
    } else if let Some(end) = ring.last_mut() {
        *end = first;
    }
    LineString(ring)
}

/// The box that a ring of four corners is, if it is one.
fn as_box(ring: &[Coord<f64>]) -> Option<Geometry<f64>> {
    const SAME: f64 = 1e-11;
    let [start, east, north, west, end] = <[Coord<f64>; 5]>::try_from(ring).ok()?;
    let is_same = |one: f64, two: f64| (one - two).abs() <= SAME;
    let is_box = is_same(start.y, east.y)
        && is_same(east.x, north.x)
        && is_same(north.y, west.y)
        && is_same(west.x, end.x)
        && is_same(end.x, start.x);
    let is_between = |lon: f64| (-180.0..=180.0).contains(&lon);
    let ([west, south], [east, north]) = ([start.x, start.y], [north.x, north.y]);
    (is_box && west < east && south < north).then(|| {
        if is_between(west) && is_between(east) {
            bbox_geometry(west, south, east, north)
        } else {
            bbox_geometry(wrapped(west), south, wrapped(east), north)
        }
    })
}
