use cardo_formats::{Fault, geojson::write_geometry, wkt::parse};

#[test]
fn every_geometry_type_is_read() {
    for (text, json) in [
        ("POINT(1 2)", r#"{"type":"Point","coordinates":[1.0,2.0]}"#),
        ("point z (1 2 3)", r#"{"type":"Point","coordinates":[1.0,2.0,3.0]}"#),
        ("POINTM(1 2 3)", r#"{"type":"Point","coordinates":[1.0,2.0]}"#),
        ("POINT ZM (1 2 3 4)", r#"{"type":"Point","coordinates":[1.0,2.0,3.0]}"#),
        ("LINESTRING (1 2, 3 4)", r#"{"type":"LineString","coordinates":[[1.0,2.0],[3.0,4.0]]}"#),
        (
            "POLYGON ((0 0, 1 0, 1 1, 0 0))",
            r#"{"type":"Polygon","coordinates":[[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.0]]]}"#,
        ),
        ("MULTIPOINT ((1 2), 3 4)", r#"{"type":"MultiPoint","coordinates":[[1.0,2.0],[3.0,4.0]]}"#),
        (
            "MULTILINESTRING ((1 2, 3 4))",
            r#"{"type":"MultiLineString","coordinates":[[[1.0,2.0],[3.0,4.0]]]}"#,
        ),
        (
            "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))",
            r#"{"type":"MultiPolygon","coordinates":[[[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.0]]]]}"#,
        ),
        (
            "GEOMETRYCOLLECTION (POINT (1 2), POINT EMPTY)",
            r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1.0,2.0]}]}"#,
        ),
    ] {
        let geometry = parse(text).unwrap().geometry.unwrap();
        assert_eq!(write_geometry(&geometry), json, "{text}");
    }
    assert_eq!(parse("POLYGON EMPTY").unwrap().geometry, None);
    assert_eq!(parse("POLYGON Z EMPTY").unwrap().geometry, None);
}

#[test]
fn what_is_no_wkt_is_refused_with_what_was_found() {
    for text in [
        "",
        "CIRCLE (1 2)",
        "POINT (1)",
        "POINT (1 x)",
        "POINT (1 2",
        "POINT (1 2) x",
        "SRID=;POINT (1 2)",
        "SRID=x;POINT (1 2)",
        "LINESTRING (1 2)",
        "POINT (NaN 1)",
        "POLYGON ((0 0, 1 0, 1 1, 0 1))",
        "Ä",
        "SRID=Ä",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
    let deep = "GEOMETRYCOLLECTION (".repeat(100_000);
    assert!(matches!(parse(&deep), Err(Fault::Geometry(_))));
}
