use cardo_query::{GeoCondition, GeoTest};
use cardo_spatial::{GeoRelation, PreparedQuery};
use geo_types::{Coord, Geometry as Shape};

/// Whether a registered geometry matches a geoquery, or may contain places that do (clause
/// 5.10.2.4).
pub(super) fn may_match(condition: &GeoCondition, registered: &Shape<f64>) -> bool {
    let test: &GeoTest = &condition.test;
    if test.matches(registered) {
        return true;
    }
    let relates =
        |relation| PreparedQuery::new(relation, test.reference().clone()).matches(registered);
    match test.relation() {
        // A part of what is registered can lie in the reference where both share a place.
        GeoRelation::Within | GeoRelation::Overlaps | GeoRelation::Intersects => {
            relates(GeoRelation::Intersects)
        }
        GeoRelation::Equals | GeoRelation::Contains => relates(GeoRelation::Contains),
        GeoRelation::Touches | GeoRelation::Crosses => relates(GeoRelation::Intersects),
        GeoRelation::Disjoint => !relates(GeoRelation::Within),
        // The farthest place of a geometry is one of its corners.
        GeoRelation::Near { .. } => {
            corners(registered).iter().any(|corner| test.matches_point(corner.x, corner.y))
        }
    }
}

fn corners(shape: &Shape<f64>) -> Vec<Coord<f64>> {
    match shape {
        Shape::Point(point) => vec![point.0],
        Shape::Line(line) => vec![line.start, line.end],
        Shape::LineString(line) => line.0.clone(),
        Shape::Polygon(polygon) => polygon.exterior().0.clone(),
        Shape::MultiPoint(points) => points.iter().map(|point| point.0).collect(),
        Shape::MultiLineString(lines) => lines.iter().flat_map(|line| line.0.clone()).collect(),
        Shape::MultiPolygon(polygons) => {
            polygons.iter().flat_map(|polygon| polygon.exterior().0.clone()).collect()
        }
        Shape::GeometryCollection(parts) => parts.iter().flat_map(corners).collect(),
        Shape::Rect(rect) => rect.to_polygon().exterior().0.clone(),
        Shape::Triangle(triangle) => triangle.to_array().to_vec(),
    }
}
