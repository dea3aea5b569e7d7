use geo_types::{
    Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A geometry that a GeoProperty can hold: often at the antimeridian, a pole or the null island,
/// sometimes without extent, crossing itself, or more than half way round the world.
pub fn random_shape() -> impl Strategy<Value = Geometry<f64>> {
    prop_oneof![
        8 => position().prop_map(|c| Geometry::Point(Point(c))),
        2 => vec(position(), 1..4)
            .prop_map(|all| Geometry::MultiPoint(MultiPoint(all.into_iter().map(Point).collect()))),
        2 => line().prop_map(Geometry::LineString),
        1 => vec(line(), 1..3).prop_map(|lines| Geometry::MultiLineString(MultiLineString(lines))),
        4 => polygon().prop_map(Geometry::Polygon),
        1 => vec(polygon(), 1..3).prop_map(|all| Geometry::MultiPolygon(MultiPolygon(all))),
    ]
}

fn position() -> impl Strategy<Value = Coord<f64>> {
    let lon = prop_oneof![
        3 => select(vec![-180.0, -179.5, -170.0, -90.0, -0.5, 0.0, 0.5, 90.0, 170.0, 179.5, 180.0]),
        2 => (0_i32..8).prop_map(|n| 24.8 + f64::from(n) / 20.0),
        1 => -180.0..=180.0,
    ];
    let lat = prop_oneof![
        3 => select(vec![-90.0, -89.5, -45.0, 0.0, 0.5, 45.0, 89.5, 90.0]),
        2 => (0_i32..8).prop_map(|n| 60.1 + f64::from(n) / 40.0),
        1 => -90.0..=90.0,
    ];
    (lon, lat).prop_map(|(x, y)| Coord { x, y })
}

fn line() -> impl Strategy<Value = LineString<f64>> {
    vec(position(), 2..5).prop_map(LineString)
}

fn polygon() -> impl Strategy<Value = Polygon<f64>> {
    let boxes = (position(), position())
        .prop_map(|(a, b)| ring(vec![a, Coord { x: b.x, y: a.y }, b, Coord { x: a.x, y: b.y }]));
    let around = (-20_i32..20, -20_i32..20, 1_i32..6).prop_map(|(x, y, size)| {
        let (x, y, size) =
            (24.9 + f64::from(x) / 100.0, 60.2 + f64::from(y) / 200.0, f64::from(size) / 50.0);
        ring(corners(x - size, y - size, x + size, y + size))
    });
    let triangles = vec(position(), 3..4).prop_map(ring);
    let crossing = (position(), position())
        .prop_map(|(a, b)| ring(vec![a, b, Coord { x: b.x, y: a.y }, Coord { x: a.x, y: b.y }]));
    let caps = select(vec![1.0, -1.0]).prop_map(|side: f64| {
        ring(vec![
            Coord { x: -180.0, y: side * 80.0 },
            Coord { x: 180.0, y: side * 80.0 },
            Coord { x: 180.0, y: side * 90.0 },
            Coord { x: -180.0, y: side * 90.0 },
        ])
    });
    let across = (-60_i32..60).prop_map(|lat| {
        let lat = f64::from(lat);
        ring(vec![
            Coord { x: 170.0, y: lat },
            Coord { x: -170.0, y: lat },
            Coord { x: -170.0, y: lat + 10.0 },
            Coord { x: 170.0, y: lat + 10.0 },
        ])
    });
    let holed = (0_i32..40).prop_map(|lat| {
        let lat = f64::from(lat);
        Polygon::new(
            closed(corners(0.0, lat, 10.0, lat + 10.0)),
            vec![closed(corners(4.0, lat + 4.0, 6.0, lat + 6.0))],
        )
    });
    prop_oneof![3 => boxes, 3 => around, 2 => triangles, 1 => crossing, 1 => caps, 1 => across, 1 => holed]
}

fn corners(west: f64, south: f64, east: f64, north: f64) -> Vec<Coord<f64>> {
    vec![
        Coord { x: west, y: south },
        Coord { x: east, y: south },
        Coord { x: east, y: north },
        Coord { x: west, y: north },
    ]
}

fn ring(corners: Vec<Coord<f64>>) -> Polygon<f64> {
    Polygon::new(closed(corners), Vec::new())
}

fn closed(mut corners: Vec<Coord<f64>>) -> LineString<f64> {
    corners.push(corners[0]);
    LineString(corners)
}
