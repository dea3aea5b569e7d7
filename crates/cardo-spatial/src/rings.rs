//! Which way rings run. By the right-hand rule (RFC 7946, clause 3.1.6) an exterior runs counterclockwise and a hole
//! clockwise.

use geo_types::{Geometry, LineString, Polygon};

/// Whether all rings of a geometry run by the right-hand rule.
///
/// A ring with an edge over more than 180° of longitude always does: which side of it is meant is said by the way
/// in which it runs.
pub fn is_right_handed(geometry: &Geometry<f64>) -> bool {
    let is_right = |polygon: &Polygon<f64>| {
        let is_hole = |ring: &LineString<f64>| runs_wrong(ring, true);
        !runs_wrong(polygon.exterior(), false) && !polygon.interiors().iter().any(is_hole)
    };
    match geometry {
        Geometry::Polygon(polygon) => is_right(polygon),
        Geometry::MultiPolygon(polygons) => polygons.iter().all(is_right),
        Geometry::GeometryCollection(all) => all.iter().all(is_right_handed),
        _ => true,
    }
}

/// Of each ring of a polygon, or of several, in their order: whether it runs against the right-hand rule.
pub fn wrong_rings(geometry: &Geometry<f64>) -> Vec<bool> {
    let polygons = match geometry {
        Geometry::Polygon(polygon) => std::slice::from_ref(polygon),
        Geometry::MultiPolygon(polygons) => &polygons.0,
        _ => &[],
    };
    let rings = polygons.iter().flat_map(|polygon| {
        let holes = polygon.interiors().iter().map(|ring| runs_wrong(ring, true));
        std::iter::once(runs_wrong(polygon.exterior(), false)).chain(holes)
    });
    rings.collect()
}

fn runs_wrong(ring: &LineString<f64>, is_hole: bool) -> bool {
    let Some(first) = ring.0.first() else { return false };
    let mut twice_area = 0.0;
    for edge in ring.0.windows(2) {
        if (edge[1].x - edge[0].x).abs() > 180.0 {
            return false;
        }
        let (a, b) = (edge[0] - *first, edge[1] - *first);
        twice_area += a.x * b.y - b.x * a.y;
    }
    if is_hole { twice_area > 0.0 } else { twice_area < 0.0 }
}

#[cfg(test)]
mod tests {
    use geo_types::{MultiPolygon, Point, polygon};

    use super::*;

    #[test]
    fn an_exterior_runs_counterclockwise_and_a_hole_clockwise() {
        let right = polygon!(
            exterior: [(x: 0., y: 0.), (x: 9., y: 0.), (x: 9., y: 9.), (x: 0., y: 9.)],
            interiors: [[(x: 1., y: 1.), (x: 1., y: 2.), (x: 2., y: 2.)]],
        );
        assert!(is_right_handed(&right.clone().into()));
        let mut wrong = right.clone();
        wrong.exterior_mut(|ring| ring.0.reverse());
        assert!(!is_right_handed(&wrong.clone().into()));
        assert_eq!(wrong_rings(&wrong.clone().into()), [true, false]);
        wrong.interiors_mut(|rings| rings[0].0.reverse());
        let both = Geometry::MultiPolygon(MultiPolygon(vec![right, wrong]));
        assert_eq!(wrong_rings(&both), [false, false, true, true]);
        assert!(is_right_handed(&Point::new(1., 2.).into()));
        assert!(wrong_rings(&Point::new(1., 2.).into()).is_empty());
    }

    #[test]
    fn a_ring_whose_side_its_direction_tells_runs_as_it_should() {
        let over_the_antimeridian =
            polygon!((x: 170., y: 0.), (x: -170., y: 0.), (x: -170., y: 9.), (x: 170., y: 9.));
        assert!(is_right_handed(&over_the_antimeridian.into()));
        let round_the_world =
            polygon!((x: 170., y: 9.), (x: -170., y: 9.), (x: -170., y: 0.), (x: 170., y: 0.));
        assert!(is_right_handed(&round_the_world.into()));
        let without_area = polygon!((x: 1., y: 1.), (x: 2., y: 2.), (x: 3., y: 3.));
        assert!(is_right_handed(&without_area.into()));
    }
}
