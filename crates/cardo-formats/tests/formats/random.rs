//! Random records, to be written and read again.

use cardo_formats::{
    CsvOptions, FieldKind, FieldSchema, FieldValue, FlatGeobufWriter, Format, GeometryColumns,
    ReadOptions, Record, RecordGeometry,
    geojson::{FeatureWriter, Framing},
};
use geo_types::{
    Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon,
    Point, Polygon,
};
use proptest::{collection::vec, option, prelude::*};

use crate::{read, read_with};

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![-180.0..180.0, -1e9..1e9, Just(0.0), Just(-0.5)]
}

fn position() -> impl Strategy<Value = Coord<f64>> {
    (number(), number()).prop_map(|(x, y)| Coord { x, y })
}

fn line() -> impl Strategy<Value = LineString<f64>> {
    vec(position(), 2..6).prop_map(LineString)
}

fn polygon() -> impl Strategy<Value = Polygon<f64>> {
    vec(vec(position(), 3..6), 1..3).prop_map(|rings| {
        let mut rings = rings.into_iter().map(|mut ring| {
            ring.push(ring[0]);
            LineString(ring)
        });
        let exterior = rings.next().unwrap();
        Polygon::new(exterior, rings.collect())
    })
}

fn shape() -> impl Strategy<Value = Geometry<f64>> {
    let simple = prop_oneof![
        position().prop_map(|position| Point(position).into()),
        line().prop_map(Geometry::from),
        polygon().prop_map(Geometry::from),
        vec(position(), 1..4)
            .prop_map(|points| MultiPoint(points.into_iter().map(Point).collect()).into()),
        vec(line(), 1..4).prop_map(|lines| MultiLineString(lines).into()),
        vec(polygon(), 1..3).prop_map(|polygons| MultiPolygon(polygons).into()),
    ];
    simple.prop_recursive(2, 8, 3, |inner| {
        vec(inner, 1..3)
            .prop_map(|members| Geometry::GeometryCollection(GeometryCollection(members)))
    })
}

fn positions(shape: &Geometry<f64>) -> usize {
    let rings = |polygon: &Polygon<f64>| {
        let inner: usize = polygon.interiors().iter().map(|ring| ring.0.len()).sum();
        polygon.exterior().0.len() + inner
    };
    match shape {
        Geometry::Point(_) => 1,
        Geometry::LineString(line) => line.0.len(),
        Geometry::Polygon(polygon) => rings(polygon),
        Geometry::MultiPoint(points) => points.0.len(),
        Geometry::MultiLineString(lines) => lines.0.iter().map(|line| line.0.len()).sum(),
        Geometry::MultiPolygon(polygons) => polygons.0.iter().map(rings).sum(),
        Geometry::GeometryCollection(members) => members.0.iter().map(positions).sum(),
        _ => unreachable!("not generated"),
    }
}

pub(crate) fn geometry() -> impl Strategy<Value = RecordGeometry> {
    (shape(), any::<bool>()).prop_map(|(shape, high)| {
        let count = if high { positions(&shape) } else { 0 };
        let heights = (0..count).map(|index| index as f64 / 4.0).collect();
        RecordGeometry { shape, heights }
    })
}

fn value() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        Just(FieldValue::Null),
        any::<bool>().prop_map(FieldValue::Bool),
        any::<i64>().prop_map(FieldValue::Int),
        number().prop_map(FieldValue::Float),
        any::<String>().prop_map(FieldValue::Text),
        Just(FieldValue::Json(r#"{"a":[1,"}]"]}"#.to_owned())),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let names = ["name", "ä ö", "a\"b", "", "x"];
    let fields = vec(value(), names.len()).prop_map(move |values| {
        let fields = names.iter().map(|name| (*name).into()).zip(values);
        fields.collect::<Vec<_>>()
    });
    (option::of("[a-z/0-9\"]{1,9}"), option::of(geometry()), fields)
        .prop_map(|(id, geometry, fields)| Record { id, geometry, fields, ..Record::default() })
}

/// Records as they were before they had a place in a file.
fn unplaced(records: Vec<Record>) -> Vec<Record> {
    let each =
        records.into_iter().map(|record| Record { ordinal: 0, offset: 0, line: None, ..record });
    each.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_survive_geojson(records in vec(record(), 0..6)) {
        for (framing, format) in [
            (Framing::Collection, Format::GeoJson),
            (Framing::Lines, Format::GeoJsonSeq),
            (Framing::Sequence, Format::GeoJsonSeq),
        ] {
            let mut writer = FeatureWriter::new(Vec::new(), framing).unwrap();
            for record in &records {
                writer.write(record).unwrap();
            }
            let bytes = writer.finish().unwrap();
            prop_assert_eq!(&unplaced(read(format, &bytes).clean()), &records);
        }
    }

    #[test]
    fn records_survive_flatgeobuf(mut records in vec(record(), 0..6)) {
        let kinds = [FieldKind::Text, FieldKind::Float, FieldKind::Int, FieldKind::Bool, FieldKind::Json];
        let names = ["name", "ä ö", "a\"b", "", "x"];
        let schema = names.iter().zip(kinds).map(|(name, kind)| FieldSchema { name: (*name).into(), kind });
        for (index, record) in records.iter_mut().enumerate() {
            record.id = None;
            // What is null is not written, so it is not there afterwards.
            record.fields = vec![
                ("name".into(), FieldValue::Text(format!("{index}\u{0}ä"))),
                ("ä ö".into(), FieldValue::Float(index as f64 / 3.0)),
                ("a\"b".into(), FieldValue::Int(i64::MIN)),
                ("".into(), FieldValue::Bool(index % 2 == 0)),
                ("x".into(), FieldValue::Json("[1]".to_owned())),
            ];
        }
        let mut writer = FlatGeobufWriter::new("random", Some(3879), schema.collect());
        for record in &records {
            writer.write(record).unwrap();
        }
        let mut bytes = Vec::new();
        writer.finish(&mut bytes).unwrap();
        let outcome = read(Format::FlatGeobuf, &bytes);
        prop_assert_eq!(outcome.crs.as_deref(), Some("EPSG:3879"));
        let mut read = unplaced(outcome.clean());
        // The index puts features that are near each other together.
        read.sort_by_key(|record| record.field("name").and_then(FieldValue::as_str).map(str::to_owned));
        prop_assert_eq!(read, records);
    }

    #[test]
    fn rows_survive_csv(
        rows in vec(vec(".{0,6}|[\",;\\n\\r ]{0,5}", 3), 1..8),
        delimiter in prop_oneof![Just(b','), Just(b';'), Just(b'\t')],
    ) {
        let mut writer = ::csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        writer.write_record(["a", "b", "c"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let options = ReadOptions {
            csv: CsvOptions {
                delimiter: Some(delimiter),
                typed: false,
                geometry: GeometryColumns::None,
                ..CsvOptions::default()
            },
            ..ReadOptions::default()
        };
        let records = read_with(Format::Csv, &bytes, &options).clean();
        let texts: Vec<Vec<String>> = records
            .iter()
            .map(|record| record.fields.iter().map(|(_, value)| value.to_text()).collect())
            .collect();
        prop_assert_eq!(texts, rows);
    }

    #[test]
    fn csv_rows_are_those_of_the_csv_crate(text in "[ab\",\n\r]{0,40}") {
        let text = format!("h,i\n{text}");
        let mut other = ::csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let expected: Vec<Vec<String>> = other
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect();
        let options = ReadOptions {
            csv: CsvOptions {
                delimiter: Some(b','),
                typed: false,
                geometry: GeometryColumns::None,
                ..CsvOptions::default()
            },
            ..ReadOptions::default()
        };
        let outcome = read_with(Format::Csv, text.as_bytes(), &options);
        // An open quote ends that crate's last row with the file.
        prop_assume!(outcome.errors.iter().all(|error| !error.to_string().contains("quotation")));
        let rows: Vec<Vec<String>> = outcome
            .records
            .iter()
            .map(|record| record.fields.iter().map(|(_, value)| value.to_text()).collect())
            .collect();
        let whole: Vec<Vec<String>> = expected.iter().filter(|row| row.len() == 2).cloned().collect();
        prop_assert_eq!(rows, whole);
        prop_assert_eq!(outcome.errors.len(), expected.iter().filter(|row| row.len() != 2).count());
    }
}
