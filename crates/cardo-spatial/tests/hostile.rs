//! No geometry makes anything panic.

mod common;

use cardo_spatial::{
    Aabb, DistanceTest, GeoRelation, PreparedQuery, Rules, centroid, check_geometry, distance,
    is_self_crossing, repair, representative_point,
};
use geo::MapCoords;
use geo_types::{Coord, Geometry, GeometryCollection, LineString, MultiPolygon, Polygon};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Numbers that break careless arithmetic.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -180.0..180.0_f64,
        2 => prop::sample::select(vec![
            0.0, -0.0, 180.0, -180.0, 90.0, -90.0, 89.999_999_999, 179.999_999_999, -179.999_999_999, 1e-300, 5e-324,
        ]),
        1 => prop::sample::select(vec![
            f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, f64::MAX, f64::MIN, 360.0, 540.0, -541.0,
        ]),
        2 => any::<f64>(),
    ]
}

fn coord() -> impl Strategy<Value = Coord<f64>> {
    (number(), number()).prop_map(|(x, y)| Coord { x, y })
}

fn ring() -> impl Strategy<Value = LineString<f64>> {
    prop::collection::vec(coord(), 0..7).prop_map(LineString)
}

fn wild() -> impl Strategy<Value = Geometry<f64>> {
    let polygon = || {
        (ring(), prop::collection::vec(ring(), 0..2))
            .prop_map(|(shell, holes)| Polygon::new(shell, holes))
    };
    let simple = prop_oneof![
        coord().prop_map(|c| Geometry::Point(c.into())),
        ring().prop_map(Geometry::LineString),
        polygon().prop_map(Geometry::Polygon),
        prop::collection::vec(polygon(), 0..3)
            .prop_map(|all| Geometry::MultiPolygon(MultiPolygon::new(all))),
    ];
    simple.prop_recursive(2, 8, 3, |inner| {
        prop::collection::vec(inner, 0..3)
            .prop_map(|all| Geometry::GeometryCollection(GeometryCollection(all)))
    })
}

/// Geometries that meet, moved by amounts that leave no coordinate round.
fn jittered() -> impl Strategy<Value = Geometry<f64>> {
    (
        common::geometry(),
        prop::sample::select(vec![0.0, 1e-16, 1e-15, 1e-12, 1e-9, 0.1]),
        any::<u32>(),
    )
        .prop_map(|(geometry, size, seed)| {
            let state = std::cell::Cell::new(seed);
            let state = &state;
            geometry.map_coords(move |c| {
                state.set(state.get().wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
                let shift = f64::from(state.get() >> 8) / f64::from(1 << 24) * size;
                Coord { x: c.x / 3.0 + shift, y: c.y / 7.0 - shift }
            })
        })
}

fn ask_everything(a: &Geometry<f64>, b: &Geometry<f64>) {
    let relations = [
        GeoRelation::Within,
        GeoRelation::Contains,
        GeoRelation::Overlaps,
        GeoRelation::Intersects,
        GeoRelation::Equals,
        GeoRelation::Disjoint,
        GeoRelation::Touches,
        GeoRelation::Crosses,
        GeoRelation::Near { min: None, max: Some(1e5) },
        GeoRelation::Near { min: Some(f64::NAN), max: Some(f64::INFINITY) },
    ];
    for relation in relations {
        let query = PreparedQuery::new(relation, b.clone());
        let _ = (
            query.matches(a),
            query.matches_repaired(a),
            query.matches_point(7.0, 95.0),
            query.bounds(),
        );
    }
    let _ = (check_geometry(a, &Rules::STORED), is_self_crossing(a), repair(a).changed());
    let _ = (centroid(a), representative_point(a));
    let _ = (Aabb::of(a), Aabb::covering(a), distance(a, b));
    let _ = DistanceTest::new(a.clone(), Some(-1.0), Some(-5.0)).matches(b);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, rng_seed: RngSeed::Fixed(3), ..ProptestConfig::default() })]

    #[test]
    fn wild_numbers_are_survived(a in wild(), b in wild()) {
        ask_everything(&a, &b);
    }

    #[test]
    fn nearly_coincident_edges_are_survived(a in jittered(), b in jittered()) {
        ask_everything(&a, &b);
    }

    #[test]
    fn what_passes_the_check_keeps_the_laws(a in jittered(), b in jittered()) {
        prop_assume!(check_geometry(&a, &Rules::STORED).is_ok() && check_geometry(&b, &Rules::STORED).is_ok());
        let holds = |relation, target: &Geometry<f64>, reference: &Geometry<f64>| {
            PreparedQuery::new(relation, reference.clone()).matches(target)
        };
        prop_assert_eq!(holds(GeoRelation::Intersects, &a, &b), holds(GeoRelation::Intersects, &b, &a));
        prop_assert_ne!(holds(GeoRelation::Intersects, &a, &b), holds(GeoRelation::Disjoint, &a, &b));
        prop_assert!(holds(GeoRelation::Intersects, &a, &a));
    }
}

#[test]
fn geometries_made_to_be_costly_are_not() {
    // Ends of edges far apart in every direction: a few million crossings.
    let tangle = |shift: f64| -> Vec<Coord<f64>> {
        (0..4_000_u32)
            .map(|i| {
                let angle = f64::from(i) * 2.6 + shift;
                Coord { x: 20.0 * angle.cos(), y: 20.0 * angle.sin() + f64::from(i) * 1e-5 }
            })
            .collect()
    };
    let star = Geometry::from(Polygon::new(LineString(tangle(0.0)), vec![]));
    let line = Geometry::from(LineString(tangle(1.0)));
    let started = std::time::Instant::now();
    assert!(is_self_crossing(&star));
    assert!(PreparedQuery::new(GeoRelation::Intersects, star.clone()).matches(&line));
    assert!(!PreparedQuery::new(GeoRelation::Disjoint, star.clone()).matches(&line));
    for relation in
        [GeoRelation::Within, GeoRelation::Overlaps, GeoRelation::Equals, GeoRelation::Crosses]
    {
        let _ = PreparedQuery::new(relation, star.clone()).matches(&line);
        let _ = PreparedQuery::new(relation, line.clone()).matches(&star);
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
