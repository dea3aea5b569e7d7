//! No input makes a reader panic, hang, or go on for ever.

use std::sync::LazyLock;

use cardo_formats::{
    FieldKind, FieldSchema, FieldValue, FlatGeobufWriter, Format, Record, RecordGeometry,
    gtfs_rt::{FeedEntity, FeedHeader, FeedMessage, Position, VehiclePosition},
};
use geo_types::{Point, line_string};
use proptest::{collection::vec, prelude::*};
use prost::Message;

use crate::read;

fn examples() -> Vec<(Format, Vec<u8>)> {
    let feature = r#"{"type":"Feature","id":1,"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]},"properties":{"a":"ä\"\\","b":[{}]}}"#;
    let collection = format!(
        r#"{{"type":"FeatureCollection","crs":{{"type":"name","properties":{{"name":"EPSG:3067"}}}},"features":[{feature},{feature}],"x":1}}"#
    );
    let sequence = format!("\u{1E}{feature}\n\u{1E}{feature}\n");
    let csv = "name,x,y,geom\n\"a \"\"b\"\"\n\",1,2,\"POINT (1 2)\"\nä,3,4,\n";
    let schema = vec![FieldSchema { name: "name".into(), kind: FieldKind::Text }];
    let mut writer = FlatGeobufWriter::new("x", Some(4326), schema);
    for geometry in [
        RecordGeometry::flat(Point::new(1.0, 2.0)),
        RecordGeometry::flat(line_string![(x: 0.0, y: 0.0), (x: 1.0, y: 1.0)]),
    ] {
        let record = Record {
            geometry: Some(geometry),
            fields: vec![("name".into(), FieldValue::Text("ä".to_owned()))],
            ..Record::default()
        };
        writer.write(&record).unwrap();
    }
    let mut flatgeobuf = Vec::new();
    writer.finish(&mut flatgeobuf).unwrap();
    let feed = FeedMessage {
        header: Some(FeedHeader {
            gtfs_realtime_version: "2.0".to_owned(),
            ..FeedHeader::default()
        }),
        entity: vec![
            FeedEntity {
                id: "a".to_owned(),
                vehicle: Some(VehiclePosition {
                    position: Some(Position {
                        latitude: Some(60.0),
                        longitude: Some(25.0),
                        ..Position::default()
                    }),
                    ..VehiclePosition::default()
                }),
                ..FeedEntity::default()
            };
            3
        ],
    };
    vec![
        (Format::GeoJson, collection.into_bytes()),
        (Format::GeoJsonSeq, sequence.into_bytes()),
        (Format::Csv, csv.as_bytes().to_vec()),
        (Format::Json, format!("[{feature},{{\"id\":1,\"lon\":2,\"lat\":3}},4]").into_bytes()),
        (Format::FlatGeobuf, flatgeobuf),
        (Format::GtfsRealtime, feed.encode_to_vec()),
        (Format::Shapefile, crate::shapefile::example()),
        (Format::GeoPackage, PACKAGE.clone()),
    ]
}

/// SQLite takes its time, so one is made for all cases.
static PACKAGE: LazyLock<Vec<u8>> = LazyLock::new(crate::geopackage::example);

#[test]
fn every_example_is_sound() {
    for (format, bytes) in examples() {
        assert!(read(format, bytes).clean().len() >= 2, "{format}");
    }
}

#[test]
fn truncation_at_every_byte_gives_records_or_errors() {
    for (format, bytes) in examples() {
        for cut in 0..bytes.len() {
            let outcome = read(format, &bytes[..cut]);
            let fatal = outcome.errors.iter().filter(|error| error.fatal).count();
            assert!(fatal <= 1, "{format} cut at {cut}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_answered(bytes in vec(any::<u8>(), 0..300)) {
        for format in Format::ALL {
            read(format, &bytes);
        }
    }

    #[test]
    fn arbitrary_text_is_answered(text in "[\\[\\]{}\",:a1 \n\u{1E}\\\\]{0,80}") {
        for format in [Format::GeoJson, Format::GeoJsonSeq, Format::Csv] {
            read(format, &text);
            read(format, format!(r#"{{"type":"FeatureCollection","features":[{text}"#));
        }
        let _ = cardo_formats::wkt::parse(&text);
    }

    #[test]
    fn changed_bytes_are_answered(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        for (format, mut bytes) in examples() {
            for (index, byte) in &changes {
                let index = index.index(bytes.len());
                bytes[index] = *byte;
            }
            read(format, &bytes);
        }
    }
}
