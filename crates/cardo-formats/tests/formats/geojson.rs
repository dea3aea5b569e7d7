use std::io::Read;

use cardo_formats::{
    Fault, FieldValue, Format, Limits, ReadOptions,
    geojson::{GeoJsonReader, parse_feature, parse_geometry, write_feature},
};

use crate::{read, read_with};

const POINT: &str = r#"{"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[24.94,60.17]},"properties":{"name":"Ateneum","levels":3.5,"n":4,"open":true,"none":null,"tags":["x",1]}}"#;

fn collection(features: &[&str]) -> String {
    format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))
}

#[test]
fn a_feature_keeps_its_id_its_place_and_its_fields_in_order() {
    let text = collection(&[POINT, POINT]);
    let records = read(Format::GeoJson, &text).clean();
    assert_eq!(records.len(), 2);
    let second = &records[1];
    assert_eq!(second.ordinal, 1);
    let offset = usize::try_from(second.offset).unwrap();
    assert!(text[offset..].starts_with(POINT));
    assert_eq!(second.id.as_deref(), Some("a"));
    let names: Vec<&str> = second.fields.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["name", "levels", "n", "open", "none", "tags"]);
    assert_eq!(second.field("levels"), Some(&FieldValue::Float(3.5)));
    assert_eq!(second.field("n"), Some(&FieldValue::Int(4)));
    assert_eq!(second.field("none"), Some(&FieldValue::Null));
    let tags = FieldValue::Json(r#"["x",1]"#.to_owned());
    assert_eq!(second.field("tags"), Some(&tags));
}

#[test]
fn the_crs_member_is_known_before_the_first_feature_wherever_it_stands() {
    let crs = r#""crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::3879"}}"#;
    let before = format!(r#"{{{crs},"type":"FeatureCollection","features":[{POINT}]}}"#);
    let behind = format!(r#"{{"features":[{POINT}],"name":"x","type":"FeatureCollection",{crs}}}"#);
    for text in [before, behind] {
        let outcome = read(Format::GeoJson, &text);
        assert_eq!(outcome.crs.as_deref(), Some("urn:ogc:def:crs:EPSG::3879"));
        assert_eq!(outcome.clean().len(), 1);
    }
}

#[test]
fn a_stream_refuses_a_crs_member_that_comes_too_late() {
    let text = format!(
        r#"{{"type":"FeatureCollection","features":[{POINT}],"crs":{{"type":"EPSG","properties":{{"code":3067}}}}}}"#
    );
    let mut reader = GeoJsonReader::new(text.as_bytes(), Limits::default());
    assert!(reader.next().unwrap().is_ok());
    let error = reader.next().unwrap().unwrap_err();
    assert!(error.fatal && error.to_string().contains("crs member"), "{error}");
    assert!(reader.next().is_none());
}

#[test]
fn a_bad_feature_leaves_its_neighbours() {
    let bad = [
        r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[24.94]},"properties":{}}"#,
        r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[24.94,NaN]},"properties":{}}"#,
        r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[24.94,1e999]},"properties":{}}"#,
        r#"{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]},"properties":{}}"#,
        r#"{"type":"Feature","geometry":{"type":"Circle","coordinates":[0,0]},"properties":{}}"#,
        r#"{"type":"Feature","geometry":null,"properties":{"a":1,"a":2}}"#,
        r#"{"type":"Feature","geometry":{"type":"LineString","coordinates":[[0,0],[1,1},"properties":{}}"#,
        r#"{"type":"Feature","geometry":null,"properties":[]}"#,
        r#"{"type":"Thing"}"#,
        "17",
        "\"text\"",
    ];
    for bad in bad {
        let outcome = read(Format::GeoJson, collection(&[POINT, bad, POINT]));
        assert_eq!(outcome.records.len(), 2, "{bad}");
        let [error] = outcome.errors.as_slice() else {
            panic!("{bad}: {:?}", outcome.errors);
        };
        assert!(!error.fatal && error.ordinal == 1, "{bad}: {error}");
        assert_eq!(error.raw.as_deref(), Some(bad.as_bytes()));
    }
}

#[test]
fn one_bracket_too_many_between_features_is_reported_and_passed_over() {
    let text = collection(&[&format!("{POINT}}}"), POINT]);
    let outcome = read(Format::GeoJson, text);
    assert_eq!(outcome.records.len(), 2);
    assert_eq!(outcome.errors.len(), 1);
}

#[test]
fn an_open_ring_is_refused_and_not_closed() {
    let text = r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}"#;
    let fault = parse_geometry(text, &Limits::default()).unwrap_err();
    assert!(matches!(fault, Fault::OpenRing { .. }), "{fault}");
}

#[test]
fn heights_are_kept_where_every_position_has_one() {
    let limits = Limits::default();
    let text = r#"{"type":"LineString","coordinates":[[1,2,3],[4,5,6,7]]}"#;
    let geometry = parse_geometry(text, &limits).unwrap().unwrap();
    assert_eq!(geometry.heights, [3.0, 6.0]);
    let text = r#"{"type":"LineString","coordinates":[[1,2,3],[4,5]]}"#;
    let geometry = parse_geometry(text, &limits).unwrap().unwrap();
    assert!(geometry.heights.is_empty());
}

#[test]
fn a_feature_or_a_geometry_by_itself_is_one_record() {
    let records = read(Format::GeoJson, POINT).clean();
    assert_eq!(records[0].id.as_deref(), Some("a"));
    let records = read(Format::GeoJson, r#" {"coordinates":[1,2],"type":"Point"} "#).clean();
    assert!(records[0].geometry.is_some());
}

#[test]
fn an_object_that_is_no_geojson_is_an_error() {
    for text in
        ["", "[]", "{}", "{\"type\":\"FeatureCollection\"}", "{\"a\":1}", "{\"features\":[]}"]
    {
        let outcome = read(Format::GeoJson, text);
        assert_eq!(outcome.errors.len(), 1, "{text}");
    }
}

#[test]
fn nesting_beyond_the_limit_is_a_bad_record() {
    let deep = format!(
        r#"{{"type":"Feature","geometry":null,"properties":{{"a":{}{}}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let outcome = read(Format::GeoJson, collection(&[&deep, POINT]));
    assert_eq!(outcome.records.len(), 1);
    assert!(matches!(*outcome.errors[0].fault, Fault::TooDeep { .. }));
    let outcome = read(Format::GeoJsonSeq, format!("{deep}\n{POINT}\n"));
    assert_eq!(outcome.records.len(), 1);
    assert!(matches!(*outcome.errors[0].fault, Fault::TooDeep { .. }));
}

#[test]
fn a_feature_beyond_the_limit_is_passed_over() {
    let options = ReadOptions {
        limits: Limits { record_bytes: 1000, raw_bytes: 10, ..Limits::default() },
        ..ReadOptions::default()
    };
    let long = format!(
        r#"{{"type":"Feature","geometry":null,"properties":{{"a":"{}"}}}}"#,
        "x".repeat(300_000)
    );
    for (format, text) in [
        (Format::GeoJson, collection(&[POINT, &long, POINT])),
        (Format::GeoJsonSeq, format!("{POINT}\n{long}\n{POINT}")),
    ] {
        let outcome = read_with(format, text.as_bytes(), &options);
        assert_eq!(outcome.records.len(), 2);
        assert!(matches!(*outcome.errors[0].fault, Fault::TooLong { limit: 1000 }));
        assert_eq!(outcome.errors[0].raw.as_ref().map(Vec::len), Some(10));
    }
}

#[test]
fn a_file_of_one_feature_is_refused_whole_where_a_part_is_beyond_the_limit() {
    let options = ReadOptions {
        limits: Limits { record_bytes: 200, ..Limits::default() },
        ..ReadOptions::default()
    };
    let line = vec!["[1,2]"; 100].join(",");
    let text = format!(
        r#"{{"type":"Feature","properties":{{}},"geometry":{{"type":"LineString","coordinates":[{line}]}}}}"#
    );
    let outcome = read_with(Format::GeoJson, text.as_bytes(), &options);
    assert!(outcome.records.is_empty());
    assert!(matches!(*outcome.errors[0].fault, Fault::TooLong { limit: 200 }));
}

#[test]
fn invalid_utf8_is_named_by_its_byte() {
    let mut text = collection(&[POINT, POINT]).into_bytes();
    let at = text.windows(7).position(|w| w == b"Ateneum").unwrap();
    text[at] = 0xFF;
    let outcome = read(Format::GeoJson, &text);
    assert_eq!(outcome.records.len(), 1);
    match *outcome.errors[0].fault {
        Fault::NotUtf8 { offset } => assert_eq!(offset, at as u64),
        ref other => panic!("{other}"),
    }
}

#[test]
fn a_cut_collection_gives_what_came_before_the_cut() {
    let text = collection(&[POINT, POINT]);
    let outcome = read(Format::GeoJson, &text[..text.len() - 20]);
    assert_eq!(outcome.records.len(), 1);
    assert!(outcome.errors[0].fatal);
}

#[test]
fn sequences_are_told_apart_by_separators_or_by_lines() {
    let pretty = POINT.replace(',', ",\n");
    let separated = format!("\u{1E}{pretty}\n\u{1E}{POINT}\n");
    let records = read(Format::GeoJsonSeq, separated).clean();
    assert_eq!(records.len(), 2);
    let lines = format!("\u{FEFF}{POINT}\r\n\n  \n{POINT}");
    let records = read(Format::GeoJsonSeq, lines).clean();
    assert_eq!(records[1].line, Some(4));
    assert_eq!(read(Format::GeoJsonSeq, "").clean().len(), 0);
}

#[test]
fn a_broken_line_leaves_its_neighbours() {
    let text = format!("{POINT}\n{{\"type\":\"Feat\n{POINT}\n");
    let outcome = read(Format::GeoJsonSeq, text);
    assert_eq!(outcome.records.len(), 2);
    let error = &outcome.errors[0];
    assert_eq!((error.ordinal, error.line, error.fatal), (1, Some(2), false));
}

#[test]
fn a_feature_survives_writing_and_reading() {
    let record = parse_feature(POINT.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(write_feature(&record).len(), POINT.len());
    let again = parse_feature(write_feature(&record).as_bytes(), &Limits::default());
    assert_eq!(again.unwrap(), record);
}

/// A collection of two million features that is made while it is read.
struct Endless {
    left: u64,
    buffer: Vec<u8>,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.buffer.is_empty() && self.left > 0 {
            self.left -= 1;
            self.buffer = POINT.as_bytes().to_vec();
            self.buffer.push(if self.left > 0 { b',' } else { b']' });
        }
        let count = into.len().min(self.buffer.len());
        into[..count].copy_from_slice(&self.buffer[..count]);
        self.buffer.drain(..count);
        Ok(count)
    }
}

#[test]
fn a_collection_is_streamed_feature_by_feature() {
    let head = br#"{"type":"FeatureCollection","features":["#;
    let input = head.chain(Endless { left: 20_000, buffer: Vec::new() }).chain(&b"}"[..]);
    let mut reader = GeoJsonReader::new(input, Limits::default());
    assert!(reader.by_ref().take(10).all(|record| record.is_ok()));
    let position = cardo_formats::RecordReader::position(&reader);
    assert!(position < 10_000, "read no further than needed: {position}");
    assert_eq!(reader.flatten().count(), 19_990);
}
