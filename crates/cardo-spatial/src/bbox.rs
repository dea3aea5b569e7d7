//! Bounding boxes as geometries.

use geo_types::{Coord, Geometry, LineString, MultiLineString, MultiPolygon, Point, Polygon, Rect};

use crate::aabb::Aabb;

/// The widest edge that has one reading on the globe, in degrees of longitude.
const WIDEST: f64 = 170.0;

/// What an OGC `bbox` covers, whatever it degenerates to. Where `west > east` the antimeridian runs
/// through it; what is wide is cut, so that none of its edges could be taken for one that goes the
/// other way round the globe.
///
/// ```
/// use cardo_spatial::bbox_geometry;
/// use geo_types::Geometry;
///
/// assert!(matches!(bbox_geometry(24.0, 60.0, 25.0, 61.0), Geometry::Polygon(_)));
/// assert!(matches!(bbox_geometry(177.0, -20.0, -178.0, -12.0), Geometry::MultiPolygon(_)));
/// ```
pub fn bbox_geometry(west: f64, south: f64, east: f64, north: f64) -> Geometry<f64> {
    if west == east {
        return if south == north {
            Geometry::Point(Point::new(west, south))
        } else {
            Geometry::LineString(LineString::from(vec![(west, south), (east, north)]))
        };
    }
    let boxes = Aabb::from_bbox(west, south, east, north);
    if south == north {
        return match <[LineString<f64>; 1]>::try_from(boxes.iter().map(line).collect::<Vec<_>>()) {
            Ok([one]) => Geometry::LineString(one),
            Err(several) => Geometry::MultiLineString(MultiLineString(several)),
        };
    }
    match <[Polygon<f64>; 1]>::try_from(boxes.iter().flat_map(rectangles).collect::<Vec<_>>()) {
        Ok([one]) => Geometry::Polygon(one),
        Err(several) => Geometry::MultiPolygon(MultiPolygon(several)),
    }
}

/// The meridians at which a box is cut, its borders among them.
fn cuts(area: &Aabb) -> Vec<f64> {
    let pieces = if area.width() <= WIDEST { 1 } else { 3 };
    let step = area.width() / f64::from(pieces);
    let inner = (0..pieces).map(|piece| area.min[0] + step * f64::from(piece));
    inner.chain([area.max[0]]).collect()
}

fn line(area: &Aabb) -> LineString<f64> {
    cuts(area).into_iter().map(|x| Coord { x, y: area.min[1] }).collect()
}

fn rectangles(area: &Aabb) -> Vec<Polygon<f64>> {
    let between =
        |ends: &[f64]| Rect::new((ends[0], area.min[1]), (ends[1], area.max[1])).to_polygon();
    cuts(area).windows(2).map(between).collect()
}
