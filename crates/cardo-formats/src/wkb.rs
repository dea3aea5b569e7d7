//! Well-known binary (OGC 06-103 clause 8, ISO 19125), with heights in the numbering of ISO or the flags of EWKB.

use geo_types::{
    Coord, Geometry, GeometryCollection, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
};

use crate::{
    Fault, RecordGeometry,
    geometry::{Heights, coord, line, polygon},
};

/// Reads a geometry; none where it is empty. What is behind it is not looked at.
pub(crate) fn read(bytes: &[u8], depth: usize) -> Result<Option<RecordGeometry>, Fault> {
    let mut reader = Reader { rest: bytes, heights: Heights::default(), limit: depth };
    let shape = reader.geometry(depth)?;
    Ok(shape.map(|shape| reader.heights.with(shape)))
}

/// Appends a geometry, little-endian, with heights in the numbering of ISO.
pub(crate) fn write(geometry: &RecordGeometry, out: &mut Vec<u8>) {
    let mut writer = Writer { out, heights: geometry.heights.iter() };
    writer.geometry(&geometry.shape);
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    heights: std::slice::Iter<'a, f64>,
}

impl Writer<'_> {
    fn geometry(&mut self, shape: &Geometry<f64>) {
        match shape {
            Geometry::Point(point) => {
                self.head(1);
                self.position(point.0);
            }
            Geometry::Line(line) => {
                self.head(2);
                self.positions(&[line.start, line.end]);
            }
            Geometry::LineString(line) => {
                self.head(2);
                self.positions(&line.0);
            }
            Geometry::Polygon(polygon) => self.polygon(polygon),
            Geometry::Rect(rect) => self.polygon(&rect.to_polygon()),
            Geometry::Triangle(triangle) => self.polygon(&triangle.to_polygon()),
            Geometry::MultiPoint(many) => {
                self.members(4, many.0.iter(), |writer, point| {
                    writer.head(1);
                    writer.position(point.0);
                });
            }
            Geometry::MultiLineString(many) => {
                self.members(5, many.0.iter(), |writer, line| {
                    writer.head(2);
                    writer.positions(&line.0);
                });
            }
            Geometry::MultiPolygon(many) => self.members(6, many.0.iter(), Self::polygon),
            Geometry::GeometryCollection(many) => self.members(7, many.0.iter(), Self::geometry),
        }
    }

    /// The byte order and the kind; positions that follow have heights as long as there are any.
    fn head(&mut self, kind: u32) {
        let high = if self.heights.as_slice().is_empty() { 0 } else { 1_000 };
        self.out.push(1);
        self.out.extend_from_slice(&(kind + high).to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        self.out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn members<'m, T: 'm>(
        &mut self,
        kind: u32,
        members: impl ExactSizeIterator<Item = &'m T>,
        mut write: impl FnMut(&mut Self, &T),
    ) {
        self.head(kind);
        self.count(members.len());
        members.for_each(|member| write(self, member));
    }

    fn polygon(&mut self, polygon: &Polygon<f64>) {
        self.head(3);
        self.count(1 + polygon.interiors().len());
        self.positions(&polygon.exterior().0);
        for ring in polygon.interiors() {
            self.positions(&ring.0);
        }
    }

    fn positions(&mut self, positions: &[Coord<f64>]) {
        self.count(positions.len());
        for position in positions {
            self.position(*position);
        }
    }

    fn position(&mut self, position: Coord<f64>) {
        self.out.extend_from_slice(&position.x.to_le_bytes());
        self.out.extend_from_slice(&position.y.to_le_bytes());
        if let Some(height) = self.heights.next() {
            self.out.extend_from_slice(&height.to_le_bytes());
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    heights: Heights,
    limit: usize,
}

/// What stands before each geometry.
#[derive(Clone, Copy)]
struct Head {
    is_little: bool,
    kind: u32,
    has_height: bool,
    has_measure: bool,
}

const Z_FLAG: u32 = 0x8000_0000;
const M_FLAG: u32 = 0x4000_0000;
const SRID_FLAG: u32 = 0x2000_0000;

impl Reader<'_> {
    fn geometry(&mut self, depth: usize) -> Result<Option<Geometry<f64>>, Fault> {
        let head = self.head()?;
        let inner = depth.checked_sub(1).ok_or(Fault::TooDeep { limit: self.limit })?;
        let shape = match head.kind {
            1 => self.point(head)?.map(|position| Point(position).into()),
            2 => filled(line(self.positions(head)?)?, |line| line.0.is_empty()),
            // A triangle is a polygon of one ring.
            3 | 17 => self.polygon(head)?.map(Geometry::from),
            4 => {
                let points = self.members(head, inner)?.into_iter().map(|member| match member {
                    Geometry::Point(point) => Ok(point),
                    _ => Err(misplaced("MultiPoint")),
                });
                filled(MultiPoint(points.collect::<Result<_, _>>()?), |many| many.0.is_empty())
            }
            // Curves and surfaces may hold straight lines only, and are lines and polygons then.
            5 | 11 => {
                let lines = self.members(head, inner)?.into_iter().map(|member| match member {
                    Geometry::LineString(line) => Ok(line),
                    _ => Err(misplaced("MultiLineString")),
                });
                filled(MultiLineString(lines.collect::<Result<_, _>>()?), |many| many.0.is_empty())
            }
            6 | 12 => {
                let polygons = self.members(head, inner)?.into_iter().map(|member| match member {
                    Geometry::Polygon(polygon) => Ok(polygon),
                    _ => Err(misplaced("MultiPolygon")),
                });
                filled(MultiPolygon(polygons.collect::<Result<_, _>>()?), |many| many.0.is_empty())
            }
            7 => {
                let members = GeometryCollection(self.members(head, inner)?);
                (!members.0.is_empty()).then_some(Geometry::GeometryCollection(members))
            }
            9 => {
                let mut joined: Vec<Coord<f64>> = Vec::new();
                for member in self.members(head, inner)? {
                    let Geometry::LineString(part) = member else {
                        return Err(misplaced("CompoundCurve"));
                    };
                    joined.extend(part.0);
                }
                filled(line(joined)?, |line| line.0.is_empty())
            }
            10 => {
                let mut rings = Vec::new();
                for member in self.members(head, inner)? {
                    let Geometry::LineString(ring) = member else {
                        return Err(misplaced("CurvePolygon"));
                    };
                    rings.push(ring.0);
                }
                if rings.is_empty() { None } else { Some(polygon(rings)?.into()) }
            }
            8 => return Err(refused("circular arcs (CircularString)")),
            13 | 14 => return Err(refused("a curve or surface without a kind")),
            15 => return Err(refused("a polyhedral surface")),
            16 => return Err(refused("a triangulated surface (TIN)")),
            other => return Err(malformed(format_args!("geometry type {other}"))),
        };
        Ok(shape)
    }

    fn head(&mut self) -> Result<Head, Fault> {
        let [order] = self.take()?;
        if order > 1 {
            return Err(malformed(format_args!("byte order {order}")));
        }
        let is_little = order == 1;
        let code = self.int(is_little)?;
        if code & SRID_FLAG != 0 {
            self.int(is_little)?;
        }
        let plain = code & !(Z_FLAG | M_FLAG | SRID_FLAG);
        let dimensions = plain / 1000;
        if dimensions > 3 {
            return Err(malformed(format_args!("geometry type {plain}")));
        }
        Ok(Head {
            is_little,
            kind: plain % 1000,
            has_height: code & Z_FLAG != 0 || matches!(dimensions, 1 | 3),
            has_measure: code & M_FLAG != 0 || dimensions >= 2,
        })
    }

    fn point(&mut self, head: Head) -> Result<Option<Coord<f64>>, Fault> {
        let (x, y) = (self.number(head)?, self.number(head)?);
        let z = if head.has_height { Some(self.number(head)?) } else { None };
        if head.has_measure {
            self.number(head)?;
        }
        // A point of no coordinates is the empty one.
        if x.is_nan() && y.is_nan() {
            return Ok(None);
        }
        let position = coord(x, y)?;
        self.heights.take(z.filter(|z| !z.is_nan()))?;
        Ok(Some(position))
    }

    fn positions(&mut self, head: Head) -> Result<Vec<Coord<f64>>, Fault> {
        let count = self.int(head.is_little)?;
        let mut positions = Vec::new();
        for _ in 0..count {
            let position = self.point(head)?;
            positions.push(position.ok_or_else(|| Fault::NotFinite("NaN".to_owned()))?);
        }
        Ok(positions)
    }

    fn polygon(&mut self, head: Head) -> Result<Option<geo_types::Polygon<f64>>, Fault> {
        let count = self.int(head.is_little)?;
        let mut rings = Vec::new();
        for _ in 0..count {
            rings.push(self.positions(head)?);
        }
        if rings.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        polygon(rings).map(Some)
    }

    /// The members that are not empty.
    fn members(&mut self, head: Head, depth: usize) -> Result<Vec<Geometry<f64>>, Fault> {
        let count = self.int(head.is_little)?;
        let mut members = Vec::new();
        for _ in 0..count {
            members.extend(self.geometry(depth)?);
        }
        Ok(members)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (taken, rest) =
            self.rest.split_first_chunk().ok_or_else(|| malformed("the geometry is cut off"))?;
        self.rest = rest;
        Ok(*taken)
    }

    fn int(&mut self, is_little: bool) -> Result<u32, Fault> {
        let bytes = self.take()?;
        Ok(if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn number(&mut self, head: Head) -> Result<f64, Fault> {
        let bytes = self.take()?;
        Ok(if head.is_little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
    }
}

fn filled<T: Into<Geometry<f64>>>(
    shape: T,
    is_empty: impl Fn(&T) -> bool,
) -> Option<Geometry<f64>> {
    if is_empty(&shape) { None } else { Some(shape.into()) }
}

fn malformed(detail: impl std::fmt::Display) -> Fault {
    Fault::malformed("WKB", detail)
}

fn misplaced(within: &str) -> Fault {
    malformed(format_args!("a member of another kind in a {within}"))
}

fn refused(what: &str) -> Fault {
    Fault::geometry(format_args!(
        "it holds {what}, which is not taken in; convert it to lines and polygons first \
         (ogr2ogr -nlt CONVERT_TO_LINEAR)"
    ))
}
