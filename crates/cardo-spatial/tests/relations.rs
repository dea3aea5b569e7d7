//! Relations against plain DE-9IM, their laws, the antimeridian and the poles.

mod common;

use cardo_spatial::{Aabb, GeoRelation, PreparedQuery, is_self_crossing, repair};
use geo::Relate;
use geo_types::{Geometry, LineString, MultiPolygon, Polygon, line_string, point, polygon};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const RELATIONS: [GeoRelation; 8] = [
    GeoRelation::Within,
    GeoRelation::Contains,
    GeoRelation::Overlaps,
    GeoRelation::Intersects,
    GeoRelation::Equals,
    GeoRelation::Disjoint,
    GeoRelation::Touches,
    GeoRelation::Crosses,
];

fn holds(relation: GeoRelation, target: &Geometry<f64>, reference: &Geometry<f64>) -> bool {
    PreparedQuery::new(relation, reference.clone()).matches(target)
}

/// Straight from the matrix of the repaired forms.
fn naive(relation: GeoRelation, target: &Geometry<f64>, reference: &Geometry<f64>) -> bool {
    let matrix = repair(target).geometry().relate(repair(reference).geometry());
    match relation {
        GeoRelation::Within => matrix.is_within(),
        GeoRelation::Contains => matrix.is_contains(),
        GeoRelation::Overlaps => matrix.is_overlaps(),
        GeoRelation::Intersects => matrix.is_intersects(),
        GeoRelation::Equals => matrix.is_equal_topo(),
        GeoRelation::Disjoint => matrix.is_disjoint(),
        GeoRelation::Touches => matrix.is_touches(),
        GeoRelation::Crosses => matrix.is_crosses(),
        GeoRelation::Near { .. } => unreachable!("not a matrix relation"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, rng_seed: RngSeed::Fixed(10), ..ProptestConfig::default() })]

    #[test]
    fn relations_agree_with_the_matrix(a in common::geometry(), b in common::geometry()) {
        for relation in RELATIONS {
            prop_assert_eq!(
                holds(relation, &a, &b), naive(relation, &a, &b),
                "{:?}\n a {:?}\n b {:?}\n repaired a {:?}\n repaired b {:?}",
                relation, &a, &b, repair(&a).geometry(), repair(&b).geometry()
            );
        }
    }

    #[test]
    fn what_is_cut_from_a_line_lies_within_it_however_it_crosses_itself(
        places in prop::collection::vec((0..10_i32, 0..10_i32), 4..9), at in 0..8_usize,
    ) {
        let mut places: Vec<_> = places.into_iter().map(|(x, y)| (f64::from(x), f64::from(y))).collect();
        places.dedup();
        prop_assume!(places.len() > 3);
        let at = at % (places.len() - 1);
        let line = |places: Vec<(f64, f64)>| Geometry::from(LineString::from(places));
        let (whole, part) = (line(places.clone()), line(places[at..at + 2].to_vec()));
        let back = line(places.iter().rev().copied().collect());
        prop_assert!(holds(GeoRelation::Equals, &whole, &back));
        prop_assert!(holds(GeoRelation::Within, &part, &whole));
        prop_assert!(!holds(GeoRelation::Crosses, &part, &whole));
        // One end is led out of all that there is.
        let (from, to) = (places[at], (places[at].0 - 20.0, places[at].1 - 20.5));
        let led_out = line(vec![to, from, places[at + 1]]);
        prop_assert!(!holds(GeoRelation::Within, &led_out, &whole));
        prop_assert!(!holds(GeoRelation::Crosses, &led_out, &whole));
        prop_assert!(holds(GeoRelation::Overlaps, &led_out, &whole) || holds(GeoRelation::Contains, &led_out, &whole));
    }

    #[test]
    fn relations_keep_their_laws(a in common::geometry(), b in common::geometry()) {
        prop_assert_eq!(holds(GeoRelation::Within, &a, &b), holds(GeoRelation::Contains, &b, &a));
        prop_assert_eq!(holds(GeoRelation::Intersects, &a, &b), !holds(GeoRelation::Disjoint, &a, &b));
        for relation in [
            GeoRelation::Overlaps, GeoRelation::Intersects, GeoRelation::Equals, GeoRelation::Disjoint,
            GeoRelation::Touches, GeoRelation::Crosses,
        ] {
            prop_assert_eq!(holds(relation, &a, &b), holds(relation, &b, &a), "{:?}", relation);
        }
        prop_assert!(holds(GeoRelation::Equals, &a, &a));
    }

    // Random rings are left out: their orientation may say that they go the wide way round.
    #[test]
    fn relations_are_the_same_across_the_antimeridian(a in common::sound_geometry(), b in common::sound_geometry()) {
        let (a, b) = (repair(&a).into_geometry(), repair(&b).into_geometry());
        let (far_a, far_b) = (common::moved(&a, 175.0, 0.0), common::moved(&b, 175.0, 0.0));
        // The matrix misses what lines share where they cross it.
        let are_lines = [&a, &b].iter().all(|shape| {
            matches!(&***shape, Geometry::LineString(_) | Geometry::MultiLineString(_))
        });
        for relation in RELATIONS {
            let expected = if are_lines {
                holds(relation, &a, &b)
            } else {
                let [a, b] = [&a, &b].map(|shape| common::translated(shape, 175.0, 0.0));
                naive(relation, &a, &b)
            };
            prop_assert_eq!(holds(relation, &far_a, &far_b), expected, "{:?}", relation);
        }
    }

    #[test]
    fn nothing_matches_outside_of_the_bounds(a in common::geometry(), b in common::geometry(), lon in 160..180_i32) {
        let (a, b) = (common::moved(&a, f64::from(lon), 0.0), common::moved(&b, f64::from(lon), 0.0));
        for relation in RELATIONS {
            let query = PreparedQuery::new(relation, b.clone());
            let Some(bounds) = query.bounds() else { continue };
            if query.matches(&a) {
                let meets = Aabb::covering(&a).iter().any(|own| bounds.iter().any(|found| found.intersects(own)));
                prop_assert!(meets, "{:?} {:?} {:?}", relation, &a, &b);
            }
        }
    }

    #[test]
    fn a_box_with_a_side_of_what_is_touched_meets_it(
        a in common::geometry(), corners in prop::array::uniform4(-1..10_i32),
    ) {
        let [west, south, east, north] = corners.map(|c| f64::from(c) + 0.5);
        let wanted = Aabb::new([west, south], [east, north]);
        let Some(touched) = Aabb::touched_by(&a) else { return Ok(()) };
        prop_assert_eq!(Aabb::covering(&a).to_vec(), vec![touched]);
        if wanted.has_side_of(&touched) {
            let ([w, s], [e, n]) = (wanted.min, wanted.max);
            let wanted = polygon![(x: w, y: s), (x: e, y: s), (x: e, y: n), (x: w, y: n)];
            prop_assert!(holds(GeoRelation::Intersects, &a, &wanted.into()));
        }
    }

    #[test]
    fn a_target_may_be_repaired_beforehand(a in common::geometry(), b in common::geometry()) {
        let repaired = repair(&a);
        for relation in RELATIONS {
            let query = PreparedQuery::new(relation, b.clone());
            prop_assert_eq!(query.matches(&a), query.matches_repaired(repaired.geometry()), "{:?}", relation);
        }
    }

    #[test]
    fn what_is_repaired_is_sound(a in common::geometry()) {
        let repaired = repair(&a);
        prop_assert!(!is_self_crossing(repaired.geometry()), "{:?}", repaired.geometry());
        prop_assert!(!repair(repaired.geometry()).changed());
    }
}

fn square(west: f64, south: f64, east: f64, north: f64) -> Polygon<f64> {
    polygon![(x: west, y: south), (x: east, y: south), (x: east, y: north), (x: west, y: north)]
}

#[test]
fn a_box_across_the_antimeridian_finds_both_sides() {
    let crossing = Geometry::from(square(170.0, -20.0, -170.0, -10.0));
    let cut = Geometry::from(MultiPolygon::new(vec![
        square(170.0, -20.0, 180.0, -10.0),
        square(-180.0, -20.0, -170.0, -10.0),
    ]));
    let scrolled = Geometry::from(square(170.0, -20.0, 190.0, -10.0));
    for area in [crossing, cut, scrolled] {
        let within = PreparedQuery::new(GeoRelation::Within, area.clone());
        for lon in [171.0, 180.0, -180.0, -171.0] {
            assert!(within.matches_point(lon, -15.0), "{lon} in {area:?}");
        }
        for lon in [169.0, -169.0, 0.0] {
            assert!(!within.matches_point(lon, -15.0), "{lon} in {area:?}");
        }
        let ferry = Geometry::from(line_string![(x: 179.0, y: -15.0), (x: -179.0, y: -16.0)]);
        assert!(within.matches(&ferry));
        let island = Geometry::from(MultiPolygon::new(vec![
            square(179.0, -17.0, 180.0, -16.0),
            square(-180.0, -17.0, -179.0, -16.0),
        ]));
        assert!(within.matches(&island));
        assert!(!PreparedQuery::new(GeoRelation::Overlaps, area.clone()).matches(&island));
        let boxes = within.bounds().unwrap();
        assert!(boxes.iter().any(|b| b.contains_point(175.0, -15.0)));
        assert!(boxes.iter().any(|b| b.contains_point(-175.0, -15.0)));
        assert!(!boxes.iter().any(|b| b.contains_point(0.0, -15.0)));
    }
}

#[test]
fn a_polar_cap_holds_the_pole_at_every_longitude() {
    let arctic = polygon![(x: -120.0, y: 70.0), (x: 0.0, y: 70.0), (x: 120.0, y: 70.0)];
    let within = PreparedQuery::new(GeoRelation::Within, Geometry::from(arctic));
    for lon in [-180.0, -30.0, 0.0, 90.0, 180.0] {
        assert!(within.matches_point(lon, 90.0), "{lon}");
        assert!(!within.matches_point(lon, -90.0));
        assert!(!within.matches_point(lon, 60.0));
    }
    for lon in [-170.0, -30.0, 10.0, 90.0] {
        assert!(within.matches_point(lon, 85.0), "{lon}");
    }
}

#[test]
fn a_pole_is_one_point() {
    let pole = Geometry::from(point!(x: 10.0, y: 90.0));
    assert!(PreparedQuery::new(GeoRelation::Equals, pole.clone()).matches_point(-70.0, 90.0));
    assert!(PreparedQuery::new(GeoRelation::Intersects, pole).matches_point(100.0, 90.0));
    let wedge = Geometry::from(square(0.0, 80.0, 10.0, 90.0));
    assert!(PreparedQuery::new(GeoRelation::Intersects, wedge).matches_point(100.0, 90.0));
}

#[test]
fn a_bow_tie_is_judged_by_its_two_wings() {
    let bow_tie =
        Geometry::from(polygon![(x: 0., y: 0.), (x: 2., y: 2.), (x: 2., y: 0.), (x: 0., y: 2.)]);
    let within = PreparedQuery::new(GeoRelation::Within, bow_tie.clone());
    assert!(within.matches_point(0.2, 1.0) && within.matches_point(1.8, 1.0));
    assert!(!within.matches_point(1.0, 0.2) && !within.matches_point(1.0, 1.0));
    assert!(holds(GeoRelation::Contains, &bow_tie, &Geometry::from(point!(x: 0.2, y: 1.0))));
    assert!(holds(GeoRelation::Overlaps, &bow_tie, &Geometry::from(square(1.0, 0.0, 3.0, 2.0))));
}

#[test]
fn lines_share_a_stretch_also_where_another_part_of_them_crosses_it() {
    let line = |places: &[(f64, f64)]| Geometry::from(LineString::from(places.to_vec()));
    // The first part of the one runs through what both share, at thirds.
    let one = line(&[(2.0, 0.0), (1.0, 3.0), (6.0, 8.0), (3.0, 1.0)]);
    let other = line(&[(5.0, 6.0), (0.0, 4.0), (8.0, 10.0), (3.0, 5.0)]);
    assert!(
        holds(GeoRelation::Overlaps, &one, &other) && holds(GeoRelation::Overlaps, &other, &one)
    );
    assert!(
        !holds(GeoRelation::Crosses, &one, &other) && !holds(GeoRelation::Touches, &one, &other)
    );
    let (part, whole) = (
        line(&[(1.0, 8.0), (8.0, 3.0)]),
        line(&[(5.0, 1.0), (6.0, 3.0), (0.0, 10.0), (1.0, 8.0), (8.0, 3.0)]),
    );
    assert!(
        holds(GeoRelation::Within, &part, &whole) && holds(GeoRelation::Contains, &whole, &part)
    );
}

#[test]
fn a_target_with_the_reference_in_its_hole_is_disjoint() {
    let ring = Polygon::new(
        LineString::from(vec![(0., 0.), (9., 0.), (9., 9.), (0., 9.), (0., 0.)]),
        vec![LineString::from(vec![(1., 1.), (8., 1.), (8., 8.), (1., 8.), (1., 1.)])],
    );
    let inner = Geometry::from(square(3.0, 3.0, 4.0, 4.0));
    assert!(holds(GeoRelation::Disjoint, &ring.clone().into(), &inner));
    assert!(holds(GeoRelation::Disjoint, &inner, &ring.into()));
}
