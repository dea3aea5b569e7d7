//! Systems with heights: compound ones, and those of longitude, latitude and height above an ellipsoid.

use cardo_spatial::{Crs, CrsError};
use geo_types::{Geometry, point, polygon};

type Row = (u32, [f64; 3], [f64; 3]);

/// A code, a place as longitude, latitude and height in metres, and the same as east, north and third coordinate. The
/// coordinates are those of PROJ 9.5 without grids, with the EPSG dataset v12.029.
#[rustfmt::skip]
#[expect(clippy::unreadable_literal, reason = "coordinates are compared with those of other tools")]
const PLACES: &[Row] = &[
    (3901, [25.415, 64.92, 100.0], [3425180.8332, 7203492.2382, 100.0]),
    (3902, [24.7975, 63.369, 1234.5], [389864.4703, 7028595.8004, 1234.5]),
    (3903, [25.415, 64.92, 100.0], [425039.3562, 7200477.9497, 100.0]),
    (4097, [9.0, 56.22, 100.0], [200000.0, 1232933.9928, 100.0]),
    (5318, [-6.968, 61.708, 1234.5], [201692.7641, 844369.3911, 1234.5]),
    (5498, [-122.6525, 40.8565, 1234.5], [-122.6525, 40.8565, 1234.5]),
    (5555, [9.0, 51.18, 100.0], [500000.0, 5669841.8781, 100.0]),
    (5556, [13.368, 50.008, 1234.5], [383061.4766, 5540796.2774, 1234.5]),
    (5598, [11.323, 54.539, 1234.5], [999331.1673, 6045912.1754, 1234.5]),
    (5698, [1.025, 45.4135, 1234.5], [545535.9636, 6481273.8697, 1234.5]),
    (5707, [1.68, 49.64, 100.0], [552587.5956, 1215784.1946, 100.0]),
    (5832, [6.6025, 50.755, 1234.5], [2542558.9344, 5624564.4065, 1234.5]),
    (5846, [11.911, 57.9265, 1234.5], [144726.3968, 6423099.933, 1234.5]),
    (5972, [8.7045, 61.288, 1234.5], [484162.5786, 6794902.6045, 1234.5]),
    (6190, [4.255, 50.2035, 1234.5], [141879.9613, 99160.5473, 1234.5]),
    (6649, [-90.87, 62.335, 100.0], [-90.86998884, 62.33498992, 100.0]),
    (6700, [142.4765, 42.81, 1234.5], [142.48032949, 42.80750972, 1234.5]),
    (6871, [16.3738, 48.2082, 171.5], [1822723.0784, 6141562.0543, 171.5]),
    (7400, [1.025, 45.4135, 1234.5], [-1.45722356, 50.45948908, 1234.5]),
    (7404, [16.888, 60.1065, 1234.5], [16.89130923, 60.10709811, 1234.5]),
    (7405, [-2.63, 54.32, 100.0], [359117.9764, 491785.0284, 100.0]),
    (7415, [5.21, 52.225, 100.0], [142892.1926, 470783.8672, 100.0]),
    (7956, [-5.733, -15.9995, 1234.5], [207496.5938, 8229196.039, 1234.5]),
    (8360, [16.8015, 48.8955, 1234.5], [16.8015, 48.8955, 1234.5]),
    (8370, [4.255, 50.2035, 1234.5], [641888.1583, 599160.5625, 1234.5]),
    (8700, [-110.375, 34.17, 100.0], [636986.5508, 1153309.1964, 328.084]),
    (8746, [-70.2665, 44.279, 1234.5], [2926603.8308, 526961.6759, 4050.1888]),
    (8801, [-85.84, 32.995, 100.0], [199376.9684, 276640.7418, 100.0]),
    (9289, [4.87, 53.545, 100.0], [4.87, 53.545, -100.0]),
    (9290, [4.636, 52.8775, -34.5], [4.636, 52.8775, 34.5]),
    (9306, [-1.5125, 52.0975, 1234.5], [198016.3957, 352532.0578, 1234.5]),
    (9504, [-80.035, 19.685, 100.0], [-80.035, 19.685, 328.084]),
    (9518, [-18.0, -27.0, 1234.5], [-18.0, -27.0, 1234.5]),
    (9883, [17.925, 64.57, 100.0], [17.925, 64.57, -100.0]),
    (9928, [6.6025, 50.755, 1234.5], [2542558.9344, 5624564.4065, 1234.5]),
    (9948, [-19.584, 64.423, 1234.5], [-19.584, 64.423, 1234.5]),
    (10184, [-4.1905, 52.646, 1234.5], [62118.4111, 116258.1723, 1234.5]),
    (4937, [10.955, 58.995, 100.0], [10.955, 58.995, 100.0]),
    (4955, [-90.87, 62.335, 100.0], [-90.86998884, 62.33498992, 100.4264]),
    (4979, [24.9, 60.1, 12.5], [24.9, 60.1, 12.5]),
    (4985, [0.0, 0.0, 100.0], [-0.00015389, -4.07e-05, 100.6032]),
    (4995, [122.995, 12.59, 100.0], [122.99359602, 12.59132597, 46.0929]),
    (5560, [30.2635, 46.4, 1234.5], [30.26501595, 46.40018491, 1207.8809]),
    (5830, [9.991, 50.007, 1234.5], [9.99218513, 50.00814155, 1185.2126]),
    (9893, [6.13, 49.815, 100.0], [6.12854251, 49.81393342, 52.1173]),
    (9895, [6.13, 49.815, 100.0], [77255.9946, 97842.8515, 52.1173]),
];

/// Centimetres, or ten-millionths of a degree.
fn tolerance(crs: &Crs) -> f64 {
    if crs.is_geographic() { 1e-7 } else { 0.015 }
}

fn apart(one: [f64; 3], other: [f64; 3]) -> [f64; 2] {
    [(one[0] - other[0]).hypot(one[1] - other[1]), (one[2] - other[2]).abs()]
}

#[test]
fn known_places_are_met_with_their_heights_and_come_back() {
    for (code, place, expected) in PLACES {
        let crs = Crs::from_epsg(*code).unwrap_or_else(|error| panic!("{error}"));
        let found = crs.project_high(*place).unwrap();
        let [flat, high] = apart(found, *expected);
        assert!(flat <= tolerance(&crs) && high <= 1e-3, "EPSG:{code}: {found:?}");
        let [flat, high] = apart(crs.to_wgs84_high(found).unwrap(), *place);
        // Shifts of datums with large rotations do not come back exactly, in PROJ neither.
        assert!(flat < 1e-6 && high <= 0.02, "EPSG:{code} does not come back: {flat} {high}");
    }
}

fn named(code: u32) -> Crs {
    Crs::from_uri(&format!("http://www.opengis.net/def/crs/EPSG/0/{code}")).expect("it is known")
}

#[test]
fn the_ground_of_a_compound_system_is_that_of_its_own_code_and_order() {
    for (code, ground, place) in [
        (7415, 28_992, [5.21, 52.225]),
        (3901, 2_393, [25.415, 64.92]),
        (3903, 5_048, [25.415, 64.92]),
        (5555, 25_832, [9.0, 51.18]),
        (6871, 3_857, [16.3738, 48.2082]),
        (9518, 4_326, [24.9, 60.1]),
    ] {
        let (crs, alone) = (named(code), named(ground));
        assert_eq!(crs.project(place).unwrap(), alone.project(place).unwrap(), "{code}");
        assert_eq!((crs.ground(), crs.epsg()), (Some(ground), Some(code)));
        assert_eq!(crs.is_geographic(), alone.is_geographic());
        assert_eq!(crs.uri(), format!("http://www.opengis.net/def/crs/EPSG/0/{code}"));
        let low = alone.project(place).unwrap();
        let high = low.map(|axis| axis + 0.5);
        assert_eq!(crs.bbox_to_wgs84(low, high), alone.bbox_to_wgs84(low, high));
    }
    assert_eq!(named(9518).project_high([24.9, 60.1, 7.0]).unwrap(), [60.1, 24.9, 7.0]);
}

#[test]
fn what_is_no_position_on_the_ground_is_still_refused() {
    // Heights alone, the middle of the Earth, the plan of a plant.
    for code in [5773, 3855, 4978, 4936, 5800, 5817] {
        let refused = Crs::from_uri(&format!("[EPSG:{code}]")).unwrap_err();
        assert_eq!(refused, CrsError::NotHorizontal(code));
    }
}

#[test]
fn nearly_all_compound_systems_and_those_of_three_dimensions_are_computed() {
    let codes: Vec<u32> = Crs::codes().collect();
    for code in [7415, 3901, 5972, 6349, 9518, 9705, 9928, 20_001, 4937, 4979, 9895] {
        assert!(codes.contains(&code), "{code}");
    }
    // PROJ takes a tenth of a second to open one.
    let every = if cfg!(feature = "proj") { 97 } else { 1 };
    for code in codes.iter().step_by(every) {
        assert!(Crs::from_uri(&format!("[EPSG:{code}]")).is_ok(), "{code}");
    }
    assert!(!codes.contains(&4978) && !codes.contains(&5773));
}

#[test]
fn a_box_says_its_heights_in_the_unit_and_direction_of_its_system() {
    let of = |code, low, high, thirds| named(code).heights_of_box(low, high, thirds).unwrap();
    let rijnmond = ([80_000.0, 430_000.0], [90_000.0, 440_000.0]);
    assert_eq!(of(7415, rijnmond.0, rijnmond.1, [-3.0, 10.0]), [-3.0, 10.0]);
    let sea = ([53.0, 4.0], [54.0, 5.0]);
    assert_eq!(of(9289, sea.0, sea.1, [10.0, 40.0]), [-40.0, -10.0]);
    let maine = ([900_000.0, 400_000.0], [3_000_000.0, 600_000.0]);
    assert_eq!(of(8746, maine.0, maine.1, [0.0, 3937.0]), [0.0, 1200.0]);
    // The ellipsoid of Luxembourg lies 48 metres above that of WGS 84, here more and there less.
    let [bottom, top] = of(9895, [50_000.0, 60_000.0], [100_000.0, 130_000.0], [0.0, 100.0]);
    assert!((46.0..48.0).contains(&bottom) && (147.5..149.0).contains(&top), "{bottom} {top}");
}

#[test]
fn the_heights_of_a_geometry_stay_with_their_positions() {
    let crs = Crs::from_epsg(8700).unwrap();
    let area = Geometry::from(polygon!(
        exterior: [(x: -110.3, y: 34.1), (x: -110.1, y: 34.1), (x: -110.1, y: 34.3), (x: -110.3, y: 34.1)],
        interiors: [[(x: -110.2, y: 34.15), (x: -110.15, y: 34.15), (x: -110.15, y: 34.2), (x: -110.2, y: 34.15)]],
    ));
    let heights = [1.0, 2.0, 3.0, 1.0, 4.0, 5.0, 6.0, 4.0].map(|feet| feet * 0.3048);
    let (shape, feet) = crs.project_with_heights(&area, &heights).unwrap();
    assert_eq!(feet, [1.0, 2.0, 3.0, 1.0, 4.0, 5.0, 6.0, 4.0]);
    assert_eq!(shape, crs.project_geometry(&area).unwrap());
    let (back, metres) = crs.place_with_heights(&shape, &feet).unwrap();
    assert_eq!(back, area);
    assert!(metres.iter().zip(heights).all(|(one, other)| (one - other).abs() < 1e-6));
    let flat = Geometry::from(point!(x: -110.3, y: 34.1));
    assert_eq!(crs.project_with_heights(&flat, &[]).unwrap().1, Vec::<f64>::new());
    assert!(crs.project_high([-110.3, 34.1, f64::MAX]).is_err());
}

#[test]
fn a_compound_system_is_known_by_its_well_known_text() {
    for code in [7415, 3901, 8746, 9289, 9948] {
        let text = Crs::from_epsg(code).unwrap().to_wkt().unwrap();
        assert!(text.starts_with("COMPD_CS[\"") && text.contains("VERT_CS"), "{text}");
        assert_eq!(Crs::from_user(&text).unwrap().epsg(), Some(code), "{text}");
        // By its parts alone, too.
        let own = format!(",AUTHORITY[\"EPSG\",\"{code}\"]]");
        let text = format!("{}]", text.strip_suffix(&own).unwrap());
        assert_eq!(Crs::from_user(&text).unwrap().epsg(), Some(code), "{text}");
    }
    let feet = Crs::from_epsg(8746).unwrap().to_wkt().unwrap();
    assert!(feet.contains("UNIT[\"US survey foot\",0.30480060960"), "{feet}");
    let depth = Crs::from_epsg(9289).unwrap().to_wkt().unwrap();
    assert!(depth.contains("AXIS[\"Depth\",DOWN]"), "{depth}");
}

#[test]
fn a_system_with_heights_is_described_in_projjson_with_three_axes() {
    let described = |code| Crs::from_epsg(code).unwrap().to_projjson().unwrap().unwrap();
    let rijnmond = described(3903);
    assert_eq!(rijnmond["type"], "CompoundCRS");
    assert_eq!(rijnmond["name"], "ETRS89 / TM35FIN(N,E) + N2000 height");
    assert_eq!(rijnmond["id"]["code"], 3903);
    let [ground, heights] = [0, 1].map(|at| rijnmond["components"][at].clone());
    assert_eq!((&ground["id"]["code"], &ground["type"]), (&5048.into(), &"ProjectedCRS".into()));
    assert!(ground.get("$schema").is_none());
    assert_eq!((&heights["id"]["code"], &heights["type"]), (&3900.into(), &"VerticalCRS".into()));
    // One that is defined and named by tables of our own.
    let norway = described(5972)["components"][0].clone();
    assert_eq!(norway["name"], "ETRS89-NOR [EUREF89] / UTM zone 32N");
    assert_eq!(
        (&norway["id"]["code"], &norway["base_crs"]["id"]["code"]),
        (&11_022.into(), &10_875.into())
    );
    let axis = &described(8700)["components"][1]["coordinate_system"]["axis"][0];
    assert_eq!(axis["unit"]["conversion_factor"], 0.3048);
    let axes = described(4937)["coordinate_system"]["axis"].clone();
    assert_eq!(axes.as_array().unwrap().len(), 3);
    assert_eq!((&axes[2]["direction"], &axes[2]["unit"]), (&"up".into(), &"metre".into()));
}
