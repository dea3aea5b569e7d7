//! Distances against brute force.

mod common;

use cardo_spatial::{
    Aabb, DistanceTest, GeoRelation, PreparedQuery, distance, point_distance, repair,
};
use geo::MapCoords;
use geo_types::{
    Coord, Geometry, LineString, MultiPoint, MultiPolygon, Point, Polygon, line_string, point,
    polygon,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Positions along all edges, close together.
fn samples(geometry: &Geometry<f64>) -> Vec<Coord<f64>> {
    let line = |line: &LineString<f64>| -> Vec<Coord<f64>> {
        line.lines()
            .flat_map(|line| {
                (0..=64_u32)
                    .map(move |i| line.start + (line.end - line.start) * (f64::from(i) / 64.0))
            })
            .collect()
    };
    let polygon = |polygon: &Polygon<f64>| -> Vec<Coord<f64>> {
        std::iter::once(polygon.exterior()).chain(polygon.interiors()).flat_map(line).collect()
    };
    match geometry {
        Geometry::Point(point) => vec![point.0],
        Geometry::MultiPoint(points) => points.iter().map(|p| p.0).collect(),
        Geometry::LineString(only) => line(only),
        Geometry::MultiLineString(lines) => lines.iter().flat_map(line).collect(),
        Geometry::Polygon(only) => polygon(only),
        Geometry::MultiPolygon(polygons) => polygons.iter().flat_map(polygon).collect(),
        Geometry::GeometryCollection(all) => all.iter().flat_map(samples).collect(),
        other => panic!("{other:?} is not made here"),
    }
}

fn brute_force(a: &Geometry<f64>, b: &Geometry<f64>) -> f64 {
    if PreparedQuery::new(GeoRelation::Intersects, a.clone()).matches(b) {
        return 0.0;
    }
    let (a, b) = (samples(repair(a).geometry()), samples(repair(b).geometry()));
    let pairs = a.iter().flat_map(|p| b.iter().map(|q| point_distance([p.x, p.y], [q.x, q.y])));
    pairs.fold(f64::INFINITY, f64::min)
}

/// Where in the world: a city, the antimeridian, high latitudes.
fn place() -> impl Strategy<Value = (f64, f64, f64)> {
    prop_oneof![
        Just((24.9, 60.1, 0.01)),
        Just((179.96, -17.0, 0.01)),
        Just((0.0, 0.0, 1.0)),
        Just((100.0, 80.0, 0.5)),
    ]
}

fn placed(geometry: &Geometry<f64>, (lon, lat, scale): (f64, f64, f64)) -> Geometry<f64> {
    geometry.map_coords(|c| Coord { x: c.x * scale + lon, y: c.y * scale + lat })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, rng_seed: RngSeed::Fixed(10), ..ProptestConfig::default() })]

    #[test]
    fn distances_agree_with_brute_force(a in common::geometry(), b in common::geometry(), place in place()) {
        let (a, b) = (placed(&a, place), placed(&b, place));
        let (found, sampled) = (distance(&a, &b).unwrap(), brute_force(&a, &b));
        // Sampling every 64th of an edge finds at best a little more than the least distance.
        prop_assert!(found <= sampled + 1e-6 + sampled * 1e-6, "{found} {sampled}");
        prop_assert!(sampled - found <= sampled * 0.05 + 6.0e4 * place.2, "{found} {sampled}");
        let back = distance(&b, &a).unwrap();
        prop_assert!((found - back).abs() <= 1e-6 + found * 1e-6, "{found} {back}");
    }

    #[test]
    fn near_agrees_with_the_distance(
        a in common::geometry(), b in common::geometry(), place in place(), limit in 0.0..200_000.0_f64,
    ) {
        let (a, b) = (placed(&a, place), placed(&b, place));
        let limit = limit * place.2;
        let metres = distance(&a, &b).unwrap();
        prop_assume!((metres - limit).abs() > 1e-4 + limit * 1e-6);
        let near = DistanceTest::new(a.clone(), None, Some(limit));
        let far = DistanceTest::new(a.clone(), Some(limit), None);
        prop_assert_eq!(near.matches(&b), metres <= limit);
        prop_assert_eq!(far.matches(&b), metres > limit);
        prop_assert!(far.bounds().is_none());
        if metres <= limit {
            let bounds = near.bounds().unwrap();
            let meets = Aabb::covering(&b).iter().any(|own| bounds.iter().any(|found| found.intersects(own)));
            prop_assert!(meets, "{:?} {:?}", bounds, Aabb::covering(&b));
        }
    }

    #[test]
    fn near_between_points_is_exact(
        lon in -180.0..180.0_f64, lat in -90.0..90.0_f64, east in -1.0..1.0_f64, north in -1.0..1.0_f64,
        power in -5.0..2.2_f64, factor in prop_oneof![Just(1.0), 0.9999..1.0001_f64, 0.0..2.0_f64],
    ) {
        let reach = 10_f64.powf(power);
        let target = [lon + east * reach, (lat + north * reach).clamp(-90.0, 90.0)];
        let metres = point_distance([lon, lat], target);
        let limit = metres * factor;
        let centre = Geometry::from(point!(x: lon, y: lat));
        prop_assert_eq!(
            DistanceTest::new(centre.clone(), None, Some(limit)).matches_point(target[0], target[1]),
            metres <= limit
        );
        prop_assert_eq!(
            DistanceTest::new(centre, Some(limit), None).matches_point(target[0], target[1]),
            metres > limit
        );
    }
}

#[test]
fn near_reaches_across_the_antimeridian_and_over_the_pole() {
    let fiji = DistanceTest::new(Geometry::from(point!(x: 179.99, y: -17.0)), None, Some(5_000.0));
    assert!(fiji.matches_point(-179.99, -17.0));
    assert_eq!(fiji.bounds().unwrap().len(), 2);
    let pole = DistanceTest::new(Geometry::from(point!(x: 0.0, y: 89.99)), None, Some(3_000.0));
    assert!(pole.matches_point(180.0, 89.99));
    assert!(pole.bounds().unwrap().iter().any(|b| b.contains_point(180.0, 89.99)));
}

#[test]
fn antipodes_are_found_and_missed_at_the_right_distance() {
    let centre = Geometry::from(point!(x: 0.0, y: 0.0));
    let metres = point_distance([0.0, 0.0], [180.0, 0.0]);
    assert!(DistanceTest::new(centre.clone(), None, Some(metres + 1.0)).matches_point(180.0, 0.0));
    assert!(!DistanceTest::new(centre.clone(), None, Some(metres - 1.0)).matches_point(180.0, 0.0));
    assert!(DistanceTest::new(centre, None, Some(1e9)).matches_point(179.5, 0.2));
}

#[test]
fn a_point_inside_of_a_polygon_is_at_distance_zero() {
    let area = Geometry::from(
        polygon![(x: 24.0, y: 60.0), (x: 25.0, y: 60.0), (x: 25.0, y: 61.0), (x: 24.0, y: 61.0)],
    );
    let inside = Geometry::from(point!(x: 24.5, y: 60.5));
    assert_eq!(distance(&area, &inside), Some(0.0));
    assert_eq!(distance(&inside, &area), Some(0.0));
    assert!(DistanceTest::new(inside.clone(), None, Some(0.1)).matches(&area));
    assert!(!DistanceTest::new(inside, Some(0.1), None).matches(&area));
}

#[test]
fn a_long_edge_runs_along_its_parallel() {
    let parallel = Geometry::from(line_string![(x: 0.0, y: 60.0), (x: 40.0, y: 60.0)]);
    let metres = distance(&parallel, &Geometry::from(point!(x: 20.0, y: 61.0))).unwrap();
    let expected = point_distance([20.0, 60.0], [20.0, 61.0]);
    assert!((metres - expected).abs() < 0.5, "{metres} {expected}");
}

#[test]
fn an_empty_geometry_is_near_nothing() {
    let nothing = Geometry::from(MultiPoint::<f64>::new(vec![]));
    let point = Geometry::from(point!(x: 0.0, y: 0.0));
    assert_eq!(distance(&nothing, &point), None);
    assert_eq!(distance(&point, &nothing), None);
    assert!(!DistanceTest::new(nothing.clone(), None, Some(1.0)).matches_point(0.0, 0.0));
    assert!(!DistanceTest::new(point, None, Some(1.0)).matches(&nothing));
}

#[test]
fn geometries_without_extent_are_measured_like_points() {
    let still = Geometry::from(LineString::from(vec![(1.0, 1.0), (1.0, 1.0)]));
    let flat = Geometry::from(MultiPolygon::new(vec![Polygon::new(
        LineString::from(vec![(1.0, 1.0); 4]),
        vec![],
    )]));
    let target = Geometry::from(Point::new(1.0, 2.0));
    let expected = point_distance([1.0, 1.0], [1.0, 2.0]);
    for geometry in [still, flat] {
        assert!((distance(&geometry, &target).unwrap() - expected).abs() < 1e-6);
        assert!((distance(&target, &geometry).unwrap() - expected).abs() < 1e-6);
    }
}
