use geo::Validation;
use geo_types::{LineString, MultiPolygon, Point, polygon};
use proptest::prelude::*;

use super::*;

fn frame(zoom: u8, row: u32, col: u32) -> TileFrame {
    TileFrame::new(TilePlane::Mercator, [zoom.into(), row, col], 4096, 64).unwrap()
}

#[test]
fn in_degrees_the_world_is_two_squares_and_the_poles_are_in_it() {
    let of = |zoom, row, col| TileFrame::new(TilePlane::Degrees, [zoom, row, col], 4096, 64);
    assert!(of(0, 1, 0).is_none() && of(0, 0, 2).is_none() && of(18, 0, 0).is_none());
    let west = of(0, 0, 0).unwrap();
    assert_eq!(west.bounds(), Aabb { min: [-180.0, -90.0], max: [0.0, 90.0] });
    assert_eq!(west.place(-180.0, 90.0), Some([0, 0]));
    assert_eq!(west.place(-90.0, -90.0), Some([2048, 4096]));
    // What lies just east of the antimeridian is in the buffer of the last column.
    let last = of(1, 1, 3).unwrap();
    assert_eq!(last.place(-179.9, -45.0).map(|at| at[0]), Some(4101));
    assert!(last.boxes().iter().any(|b| b.contains_point(-179.9, -45.0)));
    assert_eq!(
        of(17, 43_000, 149_000).unwrap().size(&Aabb { min: [24.0, 60.0], max: [24.0, 60.0] }),
        [0.0, 0.0]
    );
}

fn to_geo(polygons: &[Vec<Vec<[i32; 2]>>]) -> MultiPolygon<f64> {
    let ring = |ring: &Vec<[i32; 2]>| {
        let coords = ring.iter().map(|[x, y]| Coord { x: f64::from(*x), y: f64::from(*y) });
        LineString(
            coords.chain([Coord { x: f64::from(ring[0][0]), y: f64::from(ring[0][1]) }]).collect(),
        )
    };
    let polygon = |rings: &Vec<Vec<[i32; 2]>>| {
        Polygon::new(ring(&rings[0]), rings[1..].iter().map(ring).collect())
    };
    MultiPolygon(polygons.iter().map(polygon).collect())
}

#[test]
fn what_runs_across_the_antimeridian_is_in_the_tiles_of_both_sides() {
    let across = Geometry::from(polygon![
        (x: 170.0, y: -10.0), (x: -170.0, y: -10.0), (x: -170.0, y: 10.0), (x: 170.0, y: 10.0),
    ]);
    for (col, inner) in [(0, 0), (3, 4096)] {
        let TileShape::Polygons(found) = frame(2, 1, col).cut(&across, 0.0) else {
            panic!("nothing in column {col}");
        };
        let xs: Vec<i32> = found.iter().flatten().flatten().map(|at| at[0]).collect();
        assert!(xs.iter().min() < Some(&inner) && xs.iter().max() > Some(&inner), "{xs:?}");
    }
    assert_eq!(frame(2, 1, 1).cut(&across, 0.0), TileShape::Empty);
    // The point on the line shows on both sides, as do the boxes that are searched for it.
    for (col, x) in [(0, 0), (3, 4096)] {
        let frame = frame(2, 1, col);
        assert_eq!(frame.place(180.0, 1.0).map(|at| at[0]), Some(x));
        assert!(frame.boxes().iter().any(|b| b.contains_point(179.99, 1.0)));
        assert!(frame.boxes().iter().any(|b| b.contains_point(-179.99, 1.0)));
    }
}

#[test]
fn a_hole_turns_the_other_way_and_a_bow_tie_is_two_polygons() {
    let with_hole = Geometry::Polygon(Polygon::new(
        LineString::from(vec![(0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0), (0.0, 0.0)]),
        vec![LineString::from(vec![(10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 10.0)])],
    ));
    let TileShape::Polygons(found) = frame(0, 0, 0).cut(&with_hole, 4.0) else { panic!("nothing") };
    assert_eq!((found.len(), found[0].len()), (1, 2));
    assert!(area::doubled(&found[0][0]) > 0 && area::doubled(&found[0][1]) < 0);
    let bow_tie = Geometry::from(polygon![
        (x: 0., y: 0.), (x: 20., y: 20.), (x: 20., y: 0.), (x: 0., y: 20.),
    ]);
    let TileShape::Polygons(found) = frame(0, 0, 0).cut(&bow_tie, 0.0) else { panic!("nothing") };
    assert_eq!(found.len(), 2);
}

#[test]
fn a_line_that_leaves_the_tile_and_returns_is_two_runs() {
    let line = Geometry::from(LineString::from(vec![
        (10.0, 10.0),
        (-20.0, 10.0),
        (-20.0, 20.0),
        (10.0, 20.0),
    ]));
    let TileShape::Lines(runs) = frame(1, 0, 1).cut(&line, 0.0) else { panic!("nothing") };
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().flatten().all(|at| at[0] >= -64));
}

#[test]
fn what_has_no_area_in_whole_numbers_is_left_out() {
    let speck =
        Geometry::from(polygon![(x: 10., y: 10.), (x: 10.001, y: 10.), (x: 10.001, y: 10.001)]);
    assert_eq!(frame(0, 0, 0).cut(&speck, 0.0), TileShape::Empty);
}

proptest! {
    #[test]
    fn polygons_stay_sound_and_turn_as_the_standard_demands(
        corners in prop::collection::vec((-170_i32..170, -80_i32..80), 3..40),
        hole in prop::collection::vec((-40_i32..40, -40_i32..40), 0..8),
        (zoom, row, col) in (0_u8..4).prop_flat_map(|z| (Just(z), 0..1_u32 << z, 0..1_u32 << z)),
        tolerance in prop::sample::select(vec![0.0, 4.0]),
    ) {
        let ring = |corners: &[(i32, i32)]| {
            LineString::from(corners.iter().map(|(x, y)| (f64::from(*x), f64::from(*y))).collect::<Vec<_>>())
        };
        let holes = if hole.len() > 2 { vec![ring(&hole)] } else { vec![] };
        let given = Geometry::Polygon(Polygon::new(ring(&corners), holes));
        if let TileShape::Polygons(found) = frame(zoom, row, col).cut(&given, tolerance) {
            for polygon in &found {
                prop_assert!(area::doubled(&polygon[0]) > 0);
                prop_assert!(polygon[1..].iter().all(|hole| area::doubled(hole) < 0));
            }
            let parts = to_geo(&found);
            prop_assert!(parts.0.iter().all(Validation::is_valid), "{:?}", found);
            let in_buffer = found.iter().flatten().flatten().flatten().all(|axis| (-64..=4160).contains(axis));
            prop_assert!(in_buffer);
        }
    }

    #[test]
    fn in_degrees_a_position_is_in_the_tile_that_it_is_in(
        lon in -180.0..180.0_f64, lat in -90.0..90.0_f64, zoom in 0_u32..=17,
    ) {
        let side = 180.0 / f64::from(1_u32 << zoom);
        let number = |axis: f64| format!("{}", (axis / side).floor()).parse::<u32>().unwrap();
        let (row, col) = (number(90.0 - lat), number(lon + 180.0));
        if let Some(frame) = TileFrame::new(TilePlane::Degrees, [zoom, row, col], 4096, 64) {
            let [x, y] = frame.place(lon, lat).unwrap();
            prop_assert!((0..=4096).contains(&x) && (0..=4096).contains(&y));
            prop_assert!(frame.boxes().iter().any(|b| b.contains_point(lon, lat)));
        }
    }

    #[test]
    fn near_a_tile_a_polynomial_stands_for_the_projection(
        zoom in 10_u32..=24, part in 0.0..1.0_f64, off in -0.99..0.99_f64,
    ) {
        let rows = f64::from(1_u32 << zoom);
        let row = (part * rows).floor();
        let near = mercator::Near::new(zoom, format!("{row}").parse().unwrap(), 4096.0).unwrap();
        let [north, middle, south] = [0.0, 0.5, 1.0].map(|part| mercator::latitude((row + part) / rows));
        let lat = middle + off * (north - south);
        let exact = mercator::from_north(lat) * rows * 4096.0 - row * 4096.0;
        let found = near.project(lat).unwrap();
        // Of 2^36 units a double leaves some 1e-5 beside what the series leaves out.
        prop_assert!((found - exact).abs() < 1e-4, "{found} {exact}");
        prop_assert_eq!(near.project(middle + 1.01 * (north - south)), None);
    }

    #[test]
    fn a_position_stands_where_the_projection_puts_it(
        lon in -180.0..180.0_f64, lat in -85.0..85.0_f64, zoom in 0_u8..=24,
    ) {
        let count = f64::from(1_u32 << zoom);
        let x = (lon + 180.0) / 360.0 * count;
        let y = (1.0 - (lat.to_radians().tan() + 1.0 / lat.to_radians().cos()).ln() / std::f64::consts::PI) / 2.0 * count;
        let part = |axis: f64| (format!("{}", axis.floor()).parse::<u32>().unwrap(), axis.fract());
        let ((col, in_x), (row, in_y)) = (part(x), part(y));
        let frame = frame(zoom, row, col);
        let [px, py] = frame.place(lon, lat).unwrap();
        prop_assert!((f64::from(px) - in_x * 4096.0).abs() < 0.6, "{px} {in_x}");
        prop_assert!((f64::from(py) - in_y * 4096.0).abs() < 0.6, "{py} {in_y}");
        prop_assert!(frame.boxes().iter().any(|b| b.contains_point(lon, lat)));
        let cut = frame.cut(&Geometry::Point(Point::new(lon, lat)), 0.0);
        prop_assert_eq!(cut, TileShape::Points(vec![[px, py]]));
    }
}

proptest! {
    #[test]
    fn polygons_off_the_antimeridian_are_cut_as_all_others_are(
        middle in -90.0..90.0_f64,
        ring in prop::collection::vec((-80.0..80.0_f64, -84.0..84.0_f64), 3..9),
        hole in prop::collection::vec((-80.0..80.0_f64, -84.0..84.0_f64), 0..5),
        (zoom, row, col) in (0_u8..5, 0_u32..32, 0_u32..32),
        tolerance in 0.0..4.0_f64,
    ) {
        let size = 1 << zoom;
        let frame = frame(zoom, row % size, col % size);
        let line = |positions: Vec<(f64, f64)>| -> LineString {
            positions.into_iter().map(|(lon, lat)| (middle + lon, lat)).collect()
        };
        let holes = if hole.len() > 2 { vec![line(hole)] } else { Vec::new() };
        let polygon = Polygon::new(line(ring), holes);
        let alone = frame.cut(&Geometry::Polygon(polygon.clone()), tolerance);
        // In a collection nothing is taken for granted.
        let among = geo_types::GeometryCollection(vec![Geometry::Polygon(polygon)]);
        prop_assert_eq!(alone, frame.cut(&Geometry::GeometryCollection(among), tolerance));
    }

    #[test]
    fn positions_are_rounded_as_usual(axis in -70_000.0..70_000.0_f64, quarters in -400_i32..400) {
        for axis in [axis, f64::from(quarters) / 4.0] {
            prop_assert_eq!(f64::from(rounded(axis)), axis.round() + 0.0);
        }
    }
}
