use cardo_formats::{
    Fault, FieldKind, FieldSchema, FieldValue, FlatGeobufReader, FlatGeobufWriter, Format,
    IndexedFlatGeobuf, Limits, Record, RecordGeometry, RecordReader, Visit,
};
use geo_types::{Point, polygon};

use crate::read;

fn file(count: u32) -> Vec<u8> {
    let schema = vec![FieldSchema { name: "name".into(), kind: FieldKind::Text }];
    let mut writer = FlatGeobufWriter::new("test", Some(4326), schema);
    for index in 0..count {
        let x = f64::from(index);
        let square = polygon![(x: x, y: 0.0), (x: x + 1.0, y: 0.0), (x: x, y: 1.0), (x: x, y: 0.0)];
        let record = Record {
            geometry: Some(RecordGeometry::flat(square)),
            fields: vec![("name".into(), FieldValue::Text(format!("square {index}")))],
            ..Record::default()
        };
        writer.write(&record).unwrap();
    }
    let mut bytes = Vec::new();
    writer.finish(&mut bytes).unwrap();
    bytes
}

#[test]
fn the_header_tells_the_system_the_fields_and_the_count() {
    let bytes = file(40);
    let mut reader = FlatGeobufReader::new(&*bytes, Limits::default()).unwrap();
    assert_eq!(reader.crs(), Some("EPSG:4326"));
    assert_eq!(reader.expected(), Some(40));
    assert_eq!(reader.schema()[0].kind, FieldKind::Text);
    assert!(reader.all(|record| record.is_ok()));
}

#[test]
fn the_index_is_one_that_other_readers_use() {
    use flatgeobuf::{FallibleStreamingIterator, FeatureProperties, FgbReader};
    let bytes = file(100);
    let reader = FgbReader::open(std::io::Cursor::new(bytes)).unwrap();
    let mut found = reader.select_bbox(41.2, 0.1, 41.3, 0.2).unwrap();
    let mut names = Vec::new();
    while let Some(feature) = found.next().unwrap() {
        names.push(feature.property::<String>("name").unwrap());
    }
    assert_eq!(names, ["square 41"]);
}

#[test]
fn a_file_cut_in_the_middle_gives_what_came_before_and_then_a_fatal_error() {
    let bytes = file(10);
    let whole = read(Format::FlatGeobuf, &bytes).clean();
    let mut seen = 0;
    for cut in 0..bytes.len() {
        let outcome = read(Format::FlatGeobuf, &bytes[..cut]);
        assert_eq!(outcome.records, whole[..outcome.records.len()]);
        assert_eq!(outcome.errors.len(), 1, "cut at {cut}");
        assert!(outcome.errors[0].fatal);
        seen = seen.max(outcome.records.len());
    }
    assert_eq!(seen, 9);
}

#[test]
fn absurd_sizes_are_refused_without_the_memory() {
    let mut bytes = file(3);
    let header = u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
    bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    let outcome = read(Format::FlatGeobuf, &bytes);
    assert!(outcome.errors[0].to_string().contains("4294967295"));

    let mut bytes = file(3);
    let first = 12 + header + 4 * 40;
    bytes[first..first + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let outcome = read(Format::FlatGeobuf, &bytes);
    assert!(matches!(*outcome.errors[0].fault, Fault::Truncated));
}

#[test]
fn a_feature_that_does_not_verify_leaves_its_neighbours() {
    let mut bytes = file(3);
    let header = u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
    let first = 12 + header + 4 * 40;
    bytes[first + 4..first + 8].copy_from_slice(&u32::MAX.to_le_bytes());
    let outcome = read(Format::FlatGeobuf, &bytes);
    assert_eq!(outcome.records.len(), 2);
    assert!(!outcome.errors[0].fatal && outcome.errors[0].raw.is_some());
}

#[test]
fn other_versions_and_other_files_are_refused_by_name() {
    let mut bytes = file(1);
    bytes[3] = 2;
    let outcome = read(Format::FlatGeobuf, &bytes);
    assert!(outcome.errors[0].to_string().contains("version 2"));
    let outcome = read(Format::FlatGeobuf, b"PK\x03\x04 something else");
    assert!(outcome.errors[0].to_string().contains("magic"));
}

#[test]
fn features_without_geometry_are_written_without_an_index() {
    let mut writer = FlatGeobufWriter::new("mixed", None, Vec::new());
    let point =
        Record { geometry: Some(RecordGeometry::flat(Point::new(1.0, 2.0))), ..Record::default() };
    writer.write(&point).unwrap();
    writer.write(&Record::default()).unwrap();
    let mut bytes = Vec::new();
    writer.finish(&mut bytes).unwrap();
    let records = read(Format::FlatGeobuf, &bytes).clean();
    assert_eq!(records[0].geometry, point.geometry);
    assert_eq!(records[1].geometry, None);
}

#[test]
fn in_place_the_tree_leads_to_the_features_of_a_box_and_to_each_one() {
    for count in [1_u64, 2, 16, 17, 400] {
        let mut writer = FlatGeobufWriter::new(
            "places",
            Some(4326),
            vec![FieldSchema { name: "n".into(), kind: FieldKind::Int }],
        );
        for n in 0..count {
            let (x, y) = ((n % 20) as f64, (n / 20) as f64);
            let geometry = Some(RecordGeometry::flat(geo_types::Point::new(x, y)));
            let fields = vec![("n".into(), FieldValue::Int(n.cast_signed()))];
            writer.write(&Record { geometry, fields, ..Record::default() }).unwrap();
        }
        let mut bytes = Vec::new();
        writer.finish(&mut bytes).unwrap();
        let read = FlatGeobufReader::new(bytes.as_slice(), Limits::default()).unwrap();
        let all: Vec<Record> = read.map(Result::unwrap).collect();
        let len = bytes.len() as u64;
        let file = IndexedFlatGeobuf::open(bytes, len, Limits::default()).unwrap();
        assert_eq!((file.count(), file.schema().len()), (count, 1));
        let mut leaves = Vec::new();
        let mut largest = 0;
        file.walk(&mut |node| {
            largest = largest.max(node.count);
            if node.is_feature {
                leaves.push(*node);
            }
            Visit::Enter
        })
        .unwrap();
        assert_eq!(largest, count, "the top holds all");
        for (leaf, record) in leaves.iter().zip(&all) {
            let found = file.record(&file.node(leaf.first).unwrap().unwrap()).unwrap();
            assert_eq!((&found.geometry, &found.fields), (&record.geometry, &record.fields));
        }
        assert_eq!(leaves.len() as u64, count);
        assert!(leaves.iter().enumerate().all(|(at, leaf)| leaf.first == at as u64));
        assert_eq!(file.node(count).unwrap(), None);
        // Only what lies in a box is entered.
        let mut found = Vec::new();
        file.walk(&mut |node| {
            let [west, south, east, north] = node.bounds;
            if east < 3.0 || west > 6.0 || north < 0.0 || south > 2.0 {
                return Visit::Pass;
            }
            if node.is_feature {
                found.push(file.record(node).unwrap().field("n").unwrap().as_i64().unwrap());
            }
            Visit::Enter
        })
        .unwrap();
        found.sort_unstable();
        let expected =
            (0..count.cast_signed()).filter(|n| (3..=6).contains(&(n % 20)) && n / 20 <= 2);
        assert_eq!(found, expected.collect::<Vec<_>>());
    }
}

#[test]
fn in_place_a_file_that_is_cut_off_is_refused_or_says_so() {
    let mut writer = FlatGeobufWriter::new("places", Some(4326), Vec::new());
    for n in 0..40 {
        let geometry = Some(RecordGeometry::flat(geo_types::Point::new(f64::from(n), 1.0)));
        writer.write(&Record { geometry, ..Record::default() }).unwrap();
    }
    let mut bytes = Vec::new();
    writer.finish(&mut bytes).unwrap();
    for len in 0..bytes.len() {
        let part = bytes[..len].to_vec();
        let Ok(file) = IndexedFlatGeobuf::open(part, len as u64, Limits::default()) else {
            continue;
        };
        let mut broken = 0;
        file.walk(&mut |node| {
            broken += usize::from(node.is_feature && file.record(node).is_err());
            Visit::Enter
        })
        .unwrap();
        assert!(broken > 0, "{len} bytes are not all");
    }
}
