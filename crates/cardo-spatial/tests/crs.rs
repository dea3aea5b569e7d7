//! One table of test points for every implementation of coordinate reference systems.

use cardo_spatial::{AxisOrder, Crs, CrsError, GeoRelation, PreparedQuery, PureRust, Transform};
use geo_types::{Geometry, line_string, point, polygon};
use proptest::prelude::*;

type Row = (&'static str, u32, [f64; 2], [f64; 2], f64);

/// A place, a code, its longitude and latitude, its east and north, and by how much an implementation may differ in
/// the units of the system. The coordinates are those of PROJ without grids; where the definitions that are built in
/// round the shift between the datums otherwise, the tolerance says so.
#[rustfmt::skip]
#[expect(clippy::unreadable_literal, reason = "coordinates are compared with those of other tools")]
const POINTS: &[Row] = &[
    ("Helsinki", 3_879, [24.9384, 60.1699], [25496580.36, 6673003.6067], 0.01),
    ("Helsinki", 3_067, [24.9384, 60.1699], [385611.3167, 6672118.3802], 0.01),
    ("Helsinki", 2_392, [24.9384, 60.1699], [2552271.3285, 6673512.0743], 0.01),
    ("Finland", 2_393, [27.0, 62.0], [3500170.438, 6877062.9094], 0.01),
    ("Munich", 25_832, [11.5755, 48.1374], [691603.032, 5334780.0308], 0.01),
    ("Berlin", 25_833, [13.405, 52.52], [391779.2593, 5820072.1591], 0.01),
    ("Brussels", 31_370, [4.3517, 50.8503], [148799.1702, 171100.1548], 0.01),
    ("London", 27_700, [-0.1276, 51.5072], [530043.195, 180358.2086], 0.01),
    ("Paris", 2_154, [2.3522, 48.8566], [652469.0227, 6862035.2594], 0.01),
    ("Vienna", 3_857, [16.3738, 48.2082], [1822723.0784, 6141562.0543], 0.01),
    ("Warsaw", 4_258, [21.0122, 52.2297], [21.0122, 52.2297], 1e-8),
    ("Prague", 5_514, [14.4378, 50.0755], [-741817.7721, -1044492.5575], 0.1),
    ("Bucharest", 3_844, [26.1025, 44.4268], [587904.3249, 325824.3903], 0.01),
    ("Vienna", 32_633, [16.3738, 48.2082], [602065.2074, 5340353.5943], 0.01),
    ("Helsinki", 32_635, [24.9384, 60.1699], [385611.3167, 6672118.3803], 0.01),
    ("Warsaw", 2_180, [21.0122, 52.2297], [637382.2044, 486757.2095], 0.01),
    ("Amsterdam", 28_992, [4.9041, 52.3676], [122096.8093, 486744.861], 0.01),
    ("Milan", 3_035, [9.19, 45.4642], [4257558.0022, 2483883.682], 0.01),
    ("Vienna", 31_287, [16.3738, 48.2082], [625923.3384, 483187.202], 0.01),
    ("Vienna", 31_256, [16.3738, 48.2082], [3096.8044, 341089.3696], 0.01),
    ("Zurich", 2_056, [8.5417, 47.3769], [2683303.8937, 1247925.6279], 0.01),
    ("Zurich", 21_781, [8.5417, 47.3769], [683303.8937, 247925.6279], 0.01),
    ("Budapest", 23_700, [19.0402, 47.4979], [649454.1546, 239329.4111], 0.01),
    ("Stockholm", 3_006, [18.0686, 59.3293], [674571.8664, 6580743.0083], 0.01),
    ("Madrid", 25_830, [-3.7038, 40.4168], [440290.4581, 4474257.3819], 0.01),
    ("Lisbon", 3_763, [-9.1393, 38.7223], [-87503.4389, -104538.8924], 0.01),
    ("Tallinn", 3_301, [24.7536, 59.437], [542763.3691, 6589036.2754], 0.01),
    ("Athens", 2_100, [23.7275, 37.9838], [475920.2652, 4203764.6992], 0.01),
    ("Munich", 31_467, [11.5755, 48.1374], [3691756.2623, 5336476.2100], 0.01),
    ("Tirana", 6_870, [19.8187, 41.3275], [484822.0405, 4576960.3409], 0.01),
    ("Zagreb", 3_765, [15.9819, 45.815], [459736.7617, 5075146.2567], 0.01),
    ("Ljubljana", 3_794, [14.5058, 46.0569], [461760.7387, 102018.9719], 0.01),
    ("Vilnius", 3_346, [25.2797, 54.6872], [582510.3673, 6061948.683], 0.01),
    ("Riga", 3_059, [24.1052, 56.9496], [506399.3118, 311780.5749], 0.01),
    ("Dublin", 29_902, [-6.2603, 53.3498], [315900.5618, 234671.359], 0.1),
    ("Dublin", 2_157, [-6.2603, 53.3498], [715826.5066, 734697.5926], 0.01),
    ("Oslo", 5_972, [10.7522, 59.9139], [597979.9029, 6643118.9914], 0.01),
    ("New York", 4_326, [-74.006, 40.7128], [-74.006, 40.7128], 1e-12),
];

fn check(open: impl Fn(u32) -> Result<Box<dyn Transform>, CrsError>) {
    for (place, code, lon_lat, east_north, tolerance) in POINTS {
        let system = open(*code).unwrap_or_else(|error| panic!("{place}: {error}"));
        let found = system.project(*lon_lat).expect("the place lies in its system");
        let apart = (found[0] - east_north[0]).hypot(found[1] - east_north[1]);
        assert!(
            apart <= *tolerance,
            "{place} in EPSG:{code}: {found:?} is {apart} off {east_north:?}"
        );
        let back = system.to_wgs84(found).expect("what was found lies in its system");
        let apart = (back[0] - lon_lat[0]).hypot(back[1] - lon_lat[1]);
        assert!(apart < 2e-8, "{place} in EPSG:{code}: came back as {back:?}");
    }
}

#[test]
fn known_points_are_met_by_what_is_chosen_for_each_code() {
    check(|code| Crs::from_epsg(code).map(|crs| Box::new(Chosen(crs)) as Box<dyn Transform>));
}

/// A system as it is used, whichever way it is computed.
#[derive(Debug)]
struct Chosen(Crs);

impl Transform for Chosen {
    fn to_wgs84(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError> {
        self.0.to_wgs84(position)
    }

    fn project(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError> {
        self.0.project(position)
    }

    fn project_all(&self, positions: &mut [[f64; 2]]) -> Result<(), CrsError> {
        self.0.project_all(positions)
    }
}

#[test]
fn known_points_are_met_in_pure_rust() {
    check(|code| Ok(Box::new(PureRust::new(code)?)));
}

#[cfg(feature = "proj")]
#[test]
fn known_points_are_met_by_the_proj_library() {
    check(|code| Ok(Box::new(cardo_spatial::ProjLibrary::new(code)?)));
}

#[test]
fn the_authority_s_axis_order_is_an_option() {
    let east_north = Crs::from_epsg(3879).unwrap();
    let north_east = east_north.clone().with_axes(AxisOrder::Authority);
    let [east, north] = east_north.project([24.9384, 60.1699]).unwrap();
    assert_eq!(north_east.project([24.9384, 60.1699]).unwrap(), [north, east]);
    assert_eq!(
        north_east.to_wgs84([north, east]).unwrap(),
        east_north.to_wgs84([east, north]).unwrap()
    );

    let lat_lon = Crs::from_user("http://www.opengis.net/def/crs/EPSG/0/4326").unwrap();
    assert!(lat_lon.is_lon_lat());
    let lat_lon = lat_lon.with_axes(AxisOrder::Authority);
    assert_eq!(lat_lon.to_wgs84([60.0, 25.0]).unwrap(), [25.0, 60.0]);
    assert!(Crs::CRS84.with_axes(AxisOrder::Authority).is_lon_lat());
}

#[test]
fn a_geometry_goes_there_and_back() {
    let crs = Crs::from_user("urn:ogc:def:crs:EPSG::3067").unwrap();
    let area = Geometry::from(polygon![(x: 24.9, y: 60.1), (x: 25.0, y: 60.1), (x: 25.0, y: 60.2)]);
    let back = crs.geometry_to_wgs84(&crs.project_geometry(&area).unwrap()).unwrap();
    let (Geometry::Polygon(area), Geometry::Polygon(back)) = (area, back) else {
        panic!("polygons stay polygons")
    };
    for (a, b) in area.exterior().0.iter().zip(&back.exterior().0) {
        assert!((a.x - b.x).abs() < 1e-9 && (a.y - b.y).abs() < 1e-9);
    }
}

#[test]
fn what_cannot_be_named_or_transformed_is_refused_with_a_reason() {
    assert_eq!(
        Crs::from_user("Gauss-Krüger").unwrap_err().to_string(),
        "\"Gauss-Krüger\" does not name a coordinate reference system; try EPSG:3067 or CRS84"
    );
    assert_eq!(
        Crs::from_epsg(999_999).unwrap_err().to_string(),
        "EPSG:999999 is not a known horizontal coordinate reference system"
    );
    let crs = Crs::from_epsg(3067).unwrap();
    let nowhere = Geometry::from(point!(x: 1e30, y: 1e30));
    assert!(matches!(crs.geometry_to_wgs84(&nowhere), Err(CrsError::Position { code: 3067, .. })));
    assert!(crs.to_wgs84([f64::NAN, 0.0]).is_err());
}

#[test]
fn a_system_says_its_name() {
    let crs = Crs::from_user("EPSG:3879").unwrap();
    assert_eq!(crs.to_string(), "EPSG:3879");
    assert_eq!(crs.uri(), "http://www.opengis.net/def/crs/EPSG/0/3879");
    assert_eq!(crs.epsg(), Some(3879));
    assert_eq!(Crs::CRS84.uri(), "http://www.opengis.net/def/crs/OGC/1.3/CRS84");
}

#[test]
fn a_uri_names_a_system_in_the_order_of_its_authority() {
    for (uri, position) in [
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", [25.0, 60.0]),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", [60.0, 25.0]),
        ("urn:ogc:def:crs:EPSG::4258", [60.0, 25.0]),
        ("[EPSG:4979]", [60.0, 25.0]),
    ] {
        let crs = Crs::from_uri(uri).unwrap();
        let [lon, lat] = crs.to_wgs84(position).unwrap();
        assert!((lon - 25.0).abs() < 1e-9 && (lat - 60.0).abs() < 1e-9, "{uri}");
    }
    for code in [3067, 3857, 25_832, 28_992] {
        let crs = Crs::from_uri(&format!("urn:ogc:def:crs:EPSG::{code}")).unwrap();
        assert_eq!(crs.east_north([1.0, 2.0]), [1.0, 2.0], "{code}");
    }
    let north_first = Crs::from_uri("[EPSG:3879]").unwrap();
    assert_eq!(north_first.east_north([6_673_003.0, 25_496_580.0])[0], 25_496_580.0);
    for (uri, says) in [
        ("EPSG:3067", "does not name"),
        ("http://www.opengis.net/def/crs/0/unsupported", "does not name"),
        ("[EPSG:5773]", "no coordinate reference system of positions on the ground"),
        ("[EPSG:4978]", "no coordinate reference system of positions on the ground"),
    ] {
        let refused = Crs::from_uri(uri).unwrap_err().to_string();
        assert!(refused.contains(says), "{uri}: {refused}");
    }
}

/// The axes of Křovák's system point south and west; the numbers are those of PROJ.
#[test]
fn axes_that_run_south_and_west_come_in_their_order() {
    let [south, west] = Crs::from_uri("[EPSG:2065]").unwrap().project([14.4378, 50.0755]).unwrap();
    assert!((1_044_400.0..1_044_600.0).contains(&south), "{south}");
    assert!((741_700.0..741_900.0).contains(&west), "{west}");
}

/// The numbers are those of PROJ.
#[test]
#[expect(clippy::unreadable_literal, reason = "coordinates are compared with those of other tools")]
fn each_city_of_colombia_has_a_plane_at_its_own_height() {
    for (code, lon_lat, east_north) in [
        (6247, [-74.0721, 4.711], [100602.7295, 112697.0384]),
        (6257, [-75.5636, 6.2518], [835521.0964, 1183315.7617]),
        (6249, [-76.5225, 3.4372], [1061684.8501, 871846.6735]),
        (6255, [-69.9406, -4.2153], [26223.6930, 25553.3610]),
        (6250, [-75.4794, 10.391], [846464.4535, 1641218.3478]),
        (6272, [-73.3678, 5.5353], [1078756.6675, 1103894.3303]),
    ] {
        let crs = Crs::from_epsg(code).unwrap();
        let [east, north] = crs.project(lon_lat).unwrap();
        let apart = (east - east_north[0]).hypot(north - east_north[1]);
        assert!(apart < 1e-3, "EPSG:{code}: {east} {north}");
        let [lon, lat] = crs.to_wgs84([east, north]).unwrap();
        assert!((lon - lon_lat[0]).abs() < 1e-8 && (lat - lon_lat[1]).abs() < 1e-8, "{lon} {lat}");
        // PROJ has numbers for the other side of the Earth.
        let is_refused = crs.project_all(&mut [[24.9, 60.2]]).is_err();
        assert!(is_refused || cfg!(feature = "proj"), "{code}");
    }
}

/// The New Zealand Map Grid has a method of its own; the numbers are those of PROJ.
#[test]
fn what_only_proj_computes_is_refused_without_it() {
    let crs = Crs::from_uri("[EPSG:27200]");
    if cfg!(feature = "proj") {
        let [east, north] = crs.unwrap().project([174.78, -41.28]).unwrap();
        assert!((2_658_000.0..2_660_000.0).contains(&east), "{east}");
        assert!((5_989_000.0..5_992_000.0).contains(&north), "{north}");
    } else {
        assert_eq!(crs.unwrap_err(), CrsError::NeedsProj(27_200));
    }
    let count = Crs::codes().count();
    assert!((6_900..7_300).contains(&count), "{count}");
}

fn uri(code: u32) -> Crs {
    Crs::from_uri(&format!("http://www.opengis.net/def/crs/EPSG/0/{code}")).expect("it is known")
}

#[test]
fn where_a_system_has_no_place_nothing_is_made_up() {
    for (code, lon_lat) in [(3857, [24.9, 90.0]), (3067, [117.0, 0.0]), (5514, [-170.0, -60.0])] {
        let mut positions = [[24.9, 60.1], lon_lat];
        let Err(refused) = uri(code).project_all(&mut positions) else {
            panic!("EPSG:{code} has {positions:?}")
        };
        assert!(matches!(refused, CrsError::Position { way: "to", .. }), "{code}: {refused}");
    }
    let crs = uri(3067);
    assert!(crs.bbox_to_wgs84([1e12, 1e12], [2e12, 2e12]).is_err());
    assert_eq!(
        crs.bbox_to_wgs84([3e5, 7e6], [4e5, 6e6]).unwrap_err().to_string(),
        "the lower corner has 7000000 where the upper one has 6000000, which is less"
    );
    assert!(crs.bbox_to_wgs84([4e5, 6e6], [3e5, 7e6]).is_err());
}

fn holds(area: &Geometry<f64>, lon: f64, lat: f64) -> bool {
    let point = Geometry::from(point!(x: lon, y: lat));
    PreparedQuery::new(GeoRelation::Intersects, area.clone()).matches(&point)
}

#[test]
fn a_box_has_what_its_system_puts_into_it() {
    // The corners of a wide box bend away by kilometres: what lies between a chord and its edge tells.
    let crs = uri(3067);
    let area = crs.bbox_to_wgs84([100_000.0, 6_650_000.0], [700_000.0, 7_700_000.0]).unwrap();
    for (east, north, is_in) in [
        (400_000.0, 6_650_001.0, true),
        (400_000.0, 6_649_999.0, false),
        (100_001.0, 7_000_000.0, true),
        (99_999.0, 7_000_000.0, false),
        (250_000.0, 7_699_999.0, true),
        (250_000.0, 7_700_001.0, false),
    ] {
        let [lon, lat] = crs.to_wgs84([east, north]).unwrap();
        assert_eq!(holds(&area, lon, lat), is_in, "{east} {north}");
    }
    // Boxes of longitudes and latitudes stay boxes, north first.
    let area = uri(4326).bbox_to_wgs84([60.0, 24.0], [61.0, 25.0]).unwrap();
    assert!(holds(&area, 24.0, 60.0) && !holds(&area, 23.999_999, 60.0));
    let area = uri(4258).bbox_to_wgs84([-20.0, 177.0], [-12.0, -178.0]).unwrap();
    assert!(holds(&area, 179.0, -15.0) && holds(&area, -179.0, -15.0) && !holds(&area, 0.0, -15.0));
    // The web's map, scrolled over its end.
    let area = uri(3857).bbox_to_wgs84([19_700_000.0, -3e6], [20_300_000.0, 3e6]).unwrap();
    assert!(holds(&area, 179.9, 0.0) && holds(&area, -179.9, 0.0) && !holds(&area, 0.0, 0.0));
    let area = uri(3857).bbox_to_wgs84([-3e7, -3e7], [3e7, 3e7]).unwrap();
    assert!(holds(&area, 179.9, 0.0) && holds(&area, 0.0, 80.0));
    // A box on a polar map holds the pole.
    let area = uri(3995).bbox_to_wgs84([-2e6, -2e6], [2e6, 2e6]).unwrap();
    for lon in [-170.0, -60.0, 0.0, 100.0, 179.0] {
        assert!(holds(&area, lon, 85.0) && !holds(&area, lon, 50.0), "{lon}");
    }
    let point = crs.bbox_to_wgs84([385_611.0, 6_672_118.0], [385_611.0, 6_672_118.0]).unwrap();
    assert!(matches!(point, Geometry::Point(_)));
    let line = crs.bbox_to_wgs84([385_611.0, 6_672_118.0], [385_611.0, 6_673_118.0]).unwrap();
    assert!(matches!(line, Geometry::LineString(_)));
}

#[test]
fn a_shape_is_bent_as_its_system_bends_it() {
    let crs = uri(3067);
    let drawn = Geometry::from(
        line_string![(x: 100_000.0, y: 6_700_000.0), (x: 600_000.0, y: 6_700_000.0)],
    );
    let Geometry::LineString(line) = crs.shape_to_wgs84(&drawn).unwrap() else {
        panic!("a line stays one")
    };
    assert!(line.0.len() > 50, "{} positions", line.0.len());
    for pair in line.0.windows(2) {
        let middle = [f64::midpoint(pair[0].x, pair[1].x), f64::midpoint(pair[0].y, pair[1].y)];
        let [_, north] = crs.project(middle).unwrap();
        assert!((north - 6_700_000.0).abs() < 0.05, "{north}");
    }
    let lat_lon =
        Geometry::from(polygon![(x: 60.0, y: 24.0), (x: 60.0, y: 25.0), (x: 61.0, y: 25.0)]);
    let Geometry::Polygon(area) = uri(4326).shape_to_wgs84(&lat_lon).unwrap() else {
        panic!("a polygon stays one")
    };
    assert_eq!(area.exterior().0[0], (24.0, 60.0).into());
}

/// Systems, and where they are at home.
#[rustfmt::skip]
const HOMES: &[(u32, [f64; 4])] = &[
    (3067, [19.0, 59.5, 31.6, 70.1]), (3879, [24.5, 59.9, 25.5, 60.9]), (4258, [-16.0, 33.0, 40.0, 84.0]),
    (3857, [-180.0, -85.0, 180.0, 85.0]), (25_832, [6.0, 38.8, 12.0, 84.0]), (28_992, [3.4, 50.8, 7.2, 53.6]),
    (2154, [-9.0, 41.0, 10.0, 51.5]), (3035, [-16.0, 33.0, 33.0, 71.0]), (2056, [6.0, 45.8, 10.5, 47.8]),
];

proptest! {
    #[test]
    fn a_position_at_home_comes_back(home in 0..HOMES.len(), east in 0.0..1.0_f64, north in 0.0..1.0_f64) {
        let (code, [west, south, far_east, far_north]) = HOMES[home];
        let lon_lat = [west + (far_east - west) * east, south + (far_north - south) * north];
        let crs = uri(code);
        let mut positions = [lon_lat];
        crs.project_all(&mut positions).unwrap();
        prop_assert_eq!(positions[0], crs.project(lon_lat).unwrap());
        let back = crs.to_wgs84(positions[0]).unwrap();
        prop_assert!((back[0] - lon_lat[0]).abs() < 1e-7 && (back[1] - lon_lat[1]).abs() < 1e-7, "{code}: {back:?}");
    }
}

#[test]
fn a_system_is_described_in_projjson_with_its_axes_in_the_order_of_the_authority() {
    let described = |code| Crs::from_epsg(code).unwrap().to_projjson().unwrap().unwrap();
    let finland = described(3067);
    assert_eq!(finland["type"], "ProjectedCRS");
    assert_eq!(finland["id"], serde_json::json!({ "authority": "EPSG", "code": 3067 }));
    assert_eq!(finland["conversion"]["method"]["name"], "Transverse Mercator");
    let scale = serde_json::json!({
        "name": "Scale factor at natural origin",
        "value": 0.9996,
        "unit": "unity",
        "id": { "authority": "EPSG", "code": 8805 },
    });
    assert!(finland["conversion"]["parameters"].as_array().unwrap().contains(&scale), "{finland}");
    assert_eq!(finland["base_crs"]["id"]["code"], 4258);
    let first = |code: u32| described(code)["coordinate_system"]["axis"][0]["direction"].clone();
    assert_eq!([3067, 3879, 4326, 3857].map(first), ["east", "north", "north", "east"]);
    let feet = described(2263)["coordinate_system"]["axis"][0]["unit"].clone();
    assert_eq!(feet["conversion_factor"], 0.304_800_609_601_219_2);
    assert_eq!(Crs::CRS84.to_projjson().unwrap(), None);
}

/// Poles, grads and axes that run south or west are not told by the definitions that are built in.
#[cfg(not(feature = "proj"))]
#[test]
fn a_system_that_is_not_described_is_an_error() {
    for code in [3031, 3571, 27572] {
        let crs = Crs::from_epsg(code).unwrap();
        assert_eq!(crs.to_projjson().unwrap_err(), CrsError::NotDescribed(code));
    }
}

#[cfg(feature = "proj")]
#[test]
fn what_is_described_means_the_same_to_the_proj_library() {
    for (code, position) in [
        (3067, (24.9, 60.2)),
        (3879, (24.9, 60.2)),
        (2154, (2.4, 48.9)),
        (28992, (5.1, 52.1)),
        (3035, (10.4, 48.9)),
        (2056, (8.5, 47.4)),
        (2263, (-74.0, 40.7)),
        (5070, (-90.0, 40.0)),
        (3857, (24.9, 60.2)),
        (3031, (60.0, -70.0)),
    ] {
        let described = Crs::from_epsg(code).unwrap().to_projjson().unwrap().unwrap();
        let through = |system: &str| {
            let proj = proj::Proj::new_known_crs("EPSG:4326", system, None).unwrap();
            let place: (f64, f64) = proj.convert(position).unwrap();
            place
        };
        let (own, theirs) = (through(&described.to_string()), through(&format!("EPSG:{code}")));
        let distance = (own.0 - theirs.0).hypot(own.1 - theirs.1);
        assert!(distance < 0.01, "EPSG:{code}: {own:?} and {theirs:?}");
    }
}

#[test]
fn well_known_text_is_that_of_the_code() {
    let text = Crs::from_epsg(3067).unwrap().to_wkt().unwrap();
    assert!(text.starts_with("PROJCS[\"ETRS89 / TM35FIN(E,N)\"") && text.contains("\"3067\""));
    assert!(Crs::CRS84.to_wkt().unwrap().starts_with("GEOGCS[\"WGS 84\""));
}
