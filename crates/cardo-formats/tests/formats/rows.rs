//! Tables written as CSV, FlatGeobuf, GeoPackage and GeoParquet, read again by our readers and those of
//! others.

use std::borrow::Cow;

use bytes::Bytes;
use cardo_formats::rows::{
    ColumnKind, CsvRows, FlatGeobufRows, GeoPackageRows, GeoParquetRows, Head, Row, RowColumn,
    RowWriter, Value,
};
use cardo_formats::{CsvOptions, FieldValue, Format, GeometryColumns, ReadOptions, RecordGeometry};
use cardo_model::Timestamp;
use geo_types::{Coord, LineString, Point};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row as Read};
use proptest::{collection::vec, option, prelude::*};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Row as _};

use crate::random::geometry;
use crate::{read, read_with};

/// A row that owns what it holds.
#[derive(Clone, Debug)]
struct Own {
    id: String,
    geometry: Option<RecordGeometry>,
    values: Vec<Value<'static>>,
}

const KINDS: [(&str, ColumnKind); 6] = [
    ("name", ColumnKind::Text),
    ("active", ColumnKind::Bool),
    ("number", ColumnKind::Number),
    ("day", ColumnKind::Date),
    ("seen", ColumnKind::DateTime),
    ("more", ColumnKind::Json),
];

fn head(has_geometry: bool) -> Head {
    let column = |(name, kind): (&str, ColumnKind)| RowColumn { name: name.into(), kind };
    let columns = KINDS.into_iter().map(column).collect();
    Head { name: "Thing".into(), columns, has_geometry, epsg: 3067 }
}

/// Writes a table as its caller has to: all rows are looked at where that is wanted, then written in
/// the order that is asked for.
fn written(mut writer: impl RowWriter, rows: &[Own]) -> Vec<u8> {
    fn row(own: &Own) -> Row<'_> {
        Row { id: &own.id, geometry: own.geometry.as_ref(), values: &own.values }
    }
    let mut out = Vec::new();
    if writer.surveys() {
        for own in rows {
            writer.survey(&row(own)).unwrap();
        }
    }
    let order = writer.order();
    while writer.begin(&mut out).unwrap() {}
    match order {
        Some(order) => {
            for at in order {
                writer.write(&row(&rows[at as usize]), &mut out).unwrap();
            }
        }
        None => {
            for own in rows {
                writer.write(&row(own), &mut out).unwrap();
            }
        }
    }
    while writer.finish(&mut out).unwrap() {}
    out
}

fn as_csv(rows: &[Own]) -> Vec<u8> {
    written(CsvRows::new(head(true)), rows)
}

fn as_flatgeobuf(rows: &[Own], is_indexed: bool) -> Vec<u8> {
    written(FlatGeobufRows::new(head(true), is_indexed), rows)
}

fn as_geopackage(rows: &[Own], has_geometry: bool) -> Vec<u8> {
    let as_of = Timestamp::parse("2026-11-27T20:00:00Z").unwrap();
    written(GeoPackageRows::new(head(has_geometry), Some(TM35), as_of), rows)
}

fn as_geoparquet(rows: &[Own], has_geometry: bool) -> Vec<u8> {
    written(GeoParquetRows::new(head(has_geometry), None), rows)
}

/// A definition of a reference system; what stands in it is not read here.
const TM35: &str = r#"PROJCS["ETRS89 / TM35FIN(E,N)",AUTHORITY["EPSG","3067"]]"#;

fn value(kind: ColumnKind) -> BoxedStrategy<Value<'static>> {
    let known = match kind {
        ColumnKind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        ColumnKind::Number => {
            proptest::sample::select(&["0", "-1", "21.5", "1e3", "9007199254740993"][..])
                .prop_map(Value::Number)
                .boxed()
        }
        ColumnKind::Text => any::<String>().prop_map(|text| Value::Text(text.into())).boxed(),
        ColumnKind::Date => Just(Value::Text("2026-11-27".into())).boxed(),
        ColumnKind::DateTime => (0_i64..2_000_000_000)
            .prop_map(|seconds| Value::Time(Timestamp::from_seconds(seconds)))
            .boxed(),
        ColumnKind::Json => Just(Value::Json(Cow::from(r#"{"a":[1,"\""]}"#))).boxed(),
    };
    prop_oneof![1 => Just(Value::Null), 4 => known].boxed()
}

fn rows() -> impl Strategy<Value = Vec<Own>> {
    let values: Vec<_> = KINDS.iter().map(|(_, kind)| value(*kind)).collect();
    let row = (option::weighted(0.9, geometry()), values);
    vec(row, 0..12).prop_map(|rows| {
        let row = |(at, (geometry, values))| Own { id: format!("urn:x:{at:02}"), geometry, values };
        rows.into_iter().enumerate().map(row).collect()
    })
}

/// What a value is once it was written and read again.
fn expected(value: &Value<'_>, kind: ColumnKind, format: Format) -> Option<FieldValue> {
    let time = |moment: &Timestamp| {
        let mut out = Vec::new();
        moment.write_to(&mut out);
        String::from_utf8(out).unwrap()
    };
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => FieldValue::Bool(*value),
        Value::Number(text) => FieldValue::Float(text.parse().unwrap()),
        Value::Text(text) if kind == ColumnKind::Date && format == Format::GeoPackage => {
            FieldValue::DateTime(text.to_string())
        }
        Value::Text(text) => FieldValue::Text(text.to_string()),
        Value::Time(moment) if format == Format::GeoPackage => {
            FieldValue::DateTime(time(moment).replace('Z', ".000Z"))
        }
        Value::Time(moment) => FieldValue::DateTime(time(moment)),
        Value::Json(json) if format == Format::GeoPackage => FieldValue::Text(json.to_string()),
        Value::Json(json) => FieldValue::Json(json.to_string()),
    })
}

fn same(rows: &[Own], bytes: &[u8], format: Format) -> Result<(), TestCaseError> {
    let outcome = read(format, bytes);
    prop_assert_eq!(outcome.crs.as_deref(), Some("EPSG:3067"));
    let mut records = outcome.clean();
    records
        .sort_by_key(|record| record.field("id").and_then(FieldValue::as_str).map(str::to_owned));
    prop_assert_eq!(records.len(), rows.len());
    for (own, record) in rows.iter().zip(&records) {
        prop_assert_eq!(&record.geometry, &own.geometry);
        prop_assert_eq!(record.field("id").and_then(FieldValue::as_str), Some(own.id.as_str()));
        for ((name, kind), value) in KINDS.iter().zip(&own.values) {
            let read = record.field(name).filter(|value| !value.is_null());
            let expected = expected(value, *kind, format);
            prop_assert_eq!(read, expected.as_ref(), "{}", name);
        }
    }
    Ok(())
}

/// What a value is in Parquet.
fn of_parquet(value: &Value<'_>) -> Field {
    match value {
        Value::Null => Field::Null,
        Value::Bool(value) => Field::Bool(*value),
        Value::Number(text) => Field::Double(text.parse().unwrap()),
        Value::Text(text) if text == "2026-11-27" => Field::Date(20_784),
        Value::Text(text) | Value::Json(text) => Field::Str(text.to_string()),
        Value::Time(moment) => Field::TimestampMicros(moment.as_micros()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tables_survive_flatgeobuf(rows in rows(), is_indexed: bool) {
        same(&rows, &as_flatgeobuf(&rows, is_indexed), Format::FlatGeobuf)?;
    }

    #[test]
    fn tables_survive_geopackage(rows in rows()) {
        same(&rows, &as_geopackage(&rows, true), Format::GeoPackage)?;
    }

    #[test]
    fn tables_survive_geoparquet(rows in rows()) {
        let file = SerializedFileReader::new(Bytes::from(as_geoparquet(&rows, true))).unwrap();
        let read: Vec<Read> = file.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(read.len(), rows.len());
        for (own, read) in rows.iter().zip(&read) {
            let fields: Vec<&Field> = read.get_column_iter().map(|(_, field)| field).collect();
            prop_assert_eq!(fields[0], &Field::Str(own.id.clone()));
            for (field, value) in fields[1..].iter().zip(&own.values) {
                prop_assert_eq!(*field, &of_parquet(value));
            }
            let [wkb, bbox] = [fields[7], fields[8]];
            let is_there = own.geometry.is_some();
            prop_assert_eq!(matches!(wkb, Field::Bytes(_)), is_there);
            prop_assert_eq!(matches!(bbox, Field::Group(_)), is_there);
        }
    }

    #[test]
    fn tables_survive_csv(rows in rows()) {
        let options = ReadOptions {
            csv: CsvOptions {
                delimiter: Some(b','),
                typed: false,
                geometry: GeometryColumns::Wkt("geometry".to_owned()),
                ..CsvOptions::default()
            },
            ..ReadOptions::default()
        };
        let records = read_with(Format::Csv, &as_csv(&rows), &options).clean();
        prop_assert_eq!(records.len(), rows.len());
        for (own, record) in rows.iter().zip(&records) {
            prop_assert_eq!(&record.geometry, &own.geometry);
            for ((name, _), value) in KINDS.iter().zip(&own.values) {
                let text = match value {
                    Value::Null => String::new(),
                    Value::Bool(value) => value.to_string(),
                    Value::Number(text) => (*text).to_owned(),
                    Value::Text(text) | Value::Json(text) => text.to_string(),
                    Value::Time(_) => continue,
                };
                let read = record.field(name).map(FieldValue::to_text).unwrap_or_default();
                prop_assert_eq!(read, text, "{}", name);
            }
        }
    }
}

#[test]
fn csv_has_a_header_and_quotes_what_would_be_taken_for_something_else() {
    let geometry = RecordGeometry { shape: Point::new(24.9, 60.1).into(), heights: vec![2.5] };
    let values = vec![
        Value::Text("a \"b\", c\nd".into()),
        Value::Bool(true),
        Value::Number("21.50"),
        Value::Null,
        Value::Time(Timestamp::parse("2026-11-27T20:00:00Z").unwrap()),
        Value::Json("[1,2]".into()),
    ];
    let mut empty = vec![Value::Null; 6];
    empty[0] = Value::Text("".into());
    let rows = [
        Own { id: "urn:x:1".into(), geometry: Some(geometry), values },
        Own { id: "urn:x:2".into(), geometry: None, values: empty },
    ];
    assert_eq!(
        String::from_utf8(as_csv(&rows)).unwrap(),
        "id,name,active,number,day,seen,more,geometry\r\n\
         urn:x:1,\"a \"\"b\"\", c\nd\",true,21.50,,2026-11-27T20:00:00Z,\"[1,2]\",POINT Z(24.9 60.1 2.5)\r\n\
         urn:x:2,\"\",,,,,,\r\n"
    );
}

/// What SQLite itself says of a file.
fn asked(bytes: &[u8], questions: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.gpkg");
    std::fs::write(&path, bytes).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
        let mut answers = Vec::new();
        for question in questions {
            let sql = AssertSqlSafe((*question).to_owned());
            let rows = sqlx::query(sql).fetch_all(&mut connection).await;
            let rows = rows.unwrap_or_else(|error| panic!("{question}: {error}"));
            let texts: Vec<String> = rows
                .iter()
                .map(|row| {
                    let text = row.try_get::<String, _>(0);
                    text.unwrap_or_else(|_| row.get_unchecked::<i64, _>(0).to_string())
                })
                .collect();
            answers.push(texts.join("|"));
        }
        answers
    })
}

fn many(count: u32) -> Vec<Own> {
    let row = |n: u32| {
        let (x, y) = (f64::from(n % 300) / 7.0, f64::from(n / 300) / 11.0);
        // Some lines overflow into pages of their own, one into many.
        let length = if n == 77 { 60_000 } else { n % 400 };
        let position = |at: u32| Coord { x: x + f64::from(at) / 1e6, y };
        let line: LineString<f64> = (0..length + 2).map(position).collect();
        let mut values = vec![Value::Null; 6];
        values[0] = Value::Text(format!("thing {n}").into());
        values[2] = Value::Number("1.5");
        let geometry = (!n.is_multiple_of(50)).then(|| RecordGeometry::flat(line));
        Own { id: format!("urn:x:{n:06}"), geometry, values }
    };
    (0..count).map(row).collect()
}

#[test]
fn sqlite_finds_a_large_geopackage_sound_and_its_index_right() {
    let rows = many(12_000);
    let bytes = as_geopackage(&rows, true);
    let answers = asked(
        &bytes,
        &[
            "PRAGMA integrity_check",
            "PRAGMA foreign_key_check",
            "PRAGMA application_id",
            "PRAGMA user_version",
            "PRAGMA page_count",
            "SELECT count(*) FROM Thing",
            "SELECT group_concat(fid || id) FROM Thing WHERE fid IN (1, 6000, 12000)",
            "SELECT length(geom) FROM Thing WHERE fid = 78",
            "SELECT rtreecheck('rtree_Thing_geom')",
            "SELECT count(*) FROM rtree_Thing_geom",
            "SELECT count(*) FROM rtree_Thing_geom WHERE minx > 10 AND maxx < 11 AND miny > 1 AND maxy < 2",
            "SELECT geometry_type_name || srs_id || z FROM gpkg_geometry_columns",
            "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'",
            "SELECT last_change FROM gpkg_contents",
            "SELECT count(*) FROM gpkg_spatial_ref_sys WHERE srs_id IN (-1, 0, 4326, 3067)",
            "SELECT srs_name || organization_coordsys_id FROM gpkg_spatial_ref_sys WHERE srs_id = 3067",
            "SELECT definition FROM gpkg_spatial_ref_sys WHERE srs_id = 3067",
        ],
    );
    let inside = |own: &&Own| {
        let Some(RecordGeometry { shape: geo_types::Geometry::LineString(line), .. }) =
            &own.geometry
        else {
            return false;
        };
        line.0.iter().all(|at| at.x > 10.0 && at.x < 11.0 && at.y > 1.0 && at.y < 2.0)
    };
    let found = rows.iter().filter(inside).count();
    assert!(found > 20, "{found}");
    let pages = bytes.len() / 4_096;
    let expected = [
        "ok",
        "",
        "1196444487",
        "10400",
        &pages.to_string(),
        "12000",
        "1urn:x:000000,6000urn:x:005999,12000urn:x:011999",
        &(8 + 32 + 9 + 16 * 60_002).to_string(),
        "ok",
        "11760",
        &found.to_string(),
        "LINESTRING30670",
        "7",
        "2026-11-27T20:00:00.000Z",
        "4",
        "ETRS89 / TM35FIN(E,N)3067",
        TM35,
    ];
    assert_eq!(answers, expected);
}

#[test]
fn geopackages_of_any_size_are_sound() {
    for count in [0, 1, 2, 50, 51, 52, 53, 700, 2_700] {
        for has_geometry in [true, false] {
            let rows = many(count);
            let bytes = as_geopackage(&rows, has_geometry);
            let mut questions = vec![
                "PRAGMA integrity_check",
                "SELECT count(*) FROM Thing",
                "SELECT count(*) FROM gpkg_geometry_columns",
            ];
            if has_geometry {
                questions.push("SELECT rtreecheck('rtree_Thing_geom')");
            }
            let answers = asked(&bytes, &questions);
            assert_eq!(answers[0], "ok", "{count}");
            assert_eq!(answers[1], count.to_string());
            assert_eq!(answers[2], u8::from(has_geometry).to_string());
            assert!(answers.get(3).is_none_or(|answer| answer == "ok"), "{count}: {answers:?}");
        }
    }
}

#[test]
fn a_geopackage_renames_what_differs_in_case_alone_or_has_a_meaning_there() {
    let names = ["Name", "name", "ID", "fid", "GEOM", "a\"b"];
    let column = |name: &&str| RowColumn { name: (*name).into(), kind: ColumnKind::Text };
    let columns = names.iter().map(column).collect();
    let head = Head { name: "gpkg_x".into(), columns, has_geometry: true, epsg: 4326 };
    let as_of = Timestamp::from_seconds(0);
    let values = names.map(|name| Value::Text(name.into())).to_vec();
    let geometry = Some(RecordGeometry::flat(Point::new(1.0, 2.0)));
    let rows = [Own { id: "urn:x:1".into(), geometry, values }];
    let bytes = written(GeoPackageRows::new(head, None, as_of), &rows);
    let record = &read(Format::GeoPackage, &bytes).clean()[0];
    for (renamed, name) in ["Name", "name_2", "ID_2", "fid", "GEOM", "a\"b"].into_iter().zip(names)
    {
        assert_eq!(record.field(renamed).and_then(FieldValue::as_str), Some(name), "{record:?}");
    }
    let answers = asked(&bytes, &["PRAGMA integrity_check", "SELECT fid_2 FROM t_gpkg_x"]);
    assert_eq!(answers, ["ok", "1"]);
}

#[test]
fn an_index_is_written_where_all_rows_have_a_place() {
    let mut rows = many(500);
    rows.retain(|own| own.geometry.is_some());
    let indexed = as_flatgeobuf(&rows, true);
    let plain = as_flatgeobuf(&rows, false);
    assert!(indexed.len() > plain.len() + 40 * rows.len(), "{} {}", indexed.len(), plain.len());
    rows[0].geometry = None;
    assert!(as_flatgeobuf(&rows, true).len() < plain.len());
}

/// What a file of GeoParquet says of itself.
fn geo_of(bytes: &[u8]) -> Option<serde_json::Value> {
    let file = SerializedFileReader::new(Bytes::copy_from_slice(bytes)).unwrap();
    let pairs = file.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let geo = pairs.into_iter().find(|pair| pair.key == "geo")?;
    Some(serde_json::from_str(&geo.value.unwrap()).unwrap())
}

#[test]
fn geoparquet_says_which_geometries_it_has_where_they_lie_and_in_which_system() {
    let point = RecordGeometry { shape: Point::new(24.9, 60.1).into(), heights: vec![-2.5] };
    let line: LineString<f64> = vec![(25.0, 61.0), (26.0, 60.0)].into();
    let own = |geometry| Own { id: "urn:x:1".into(), geometry, values: vec![Value::Null; 6] };
    let rows = [own(Some(point)), own(None), own(Some(RecordGeometry::flat(line)))];
    let geo = geo_of(&as_geoparquet(&rows, true)).unwrap();
    let edge = |edge: &str| serde_json::json!(["bbox", edge]);
    assert_eq!(
        geo,
        serde_json::json!({
            "version": "1.1.0",
            "primary_column": "geometry",
            "columns": { "geometry": {
                "encoding": "WKB",
                "geometry_types": ["LineString", "Point Z"],
                "bbox": [24.9, 60.0, -2.5, 26.0, 61.0, -2.5],
                "covering": { "bbox": {
                    "xmin": edge("xmin"), "ymin": edge("ymin"), "xmax": edge("xmax"), "ymax": edge("ymax"),
                } },
            } },
        })
    );
    let system = serde_json::json!({ "type": "ProjectedCRS", "name": "somewhere" });
    let bytes = written(GeoParquetRows::new(head(true), Some(system.clone())), &rows[..1]);
    assert_eq!(geo_of(&bytes).unwrap()["columns"]["geometry"]["crs"], system);
    let empty = geo_of(&as_geoparquet(&[], true)).unwrap()["columns"]["geometry"].clone();
    assert_eq!(empty["geometry_types"], serde_json::json!([]));
    assert_eq!(empty.get("bbox"), None);
    assert_eq!(geo_of(&as_geoparquet(&rows, false)), None);
}

#[test]
fn geoparquet_has_a_place_for_geometries_beside_columns_of_any_name() {
    let column = |name: &str| RowColumn { name: name.into(), kind: ColumnKind::Text };
    let columns = ["geometry", "BBOX", "a.b"].map(column).to_vec();
    let head = Head { name: "Thing".into(), columns, has_geometry: true, epsg: 4326 };
    let values = ["one", "two", "three"].map(|text| Value::Text(text.into())).to_vec();
    let geometry = Some(RecordGeometry::flat(Point::new(1.0, 2.0)));
    let rows = [Own { id: "urn:x:1".into(), geometry, values }];
    let bytes = written(GeoParquetRows::new(head, None), &rows);
    let geo = geo_of(&bytes).unwrap();
    assert_eq!(geo["primary_column"], "geometry_2");
    let file = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    let row = file.get_row_iter(None).unwrap().next().unwrap().unwrap();
    let names: Vec<&str> = row.get_column_iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["id", "geometry", "BBOX", "a.b", "geometry_2", "bbox_2"]);
}

#[test]
fn large_tables_come_in_groups_of_rows_with_the_box_of_each() {
    let mut rows = many(12_000);
    rows.extend(many(3_000));
    let file = SerializedFileReader::new(Bytes::from(as_geoparquet(&rows, true))).unwrap();
    let metadata = file.metadata();
    assert_eq!(metadata.file_metadata().num_rows(), 15_000);
    assert!(metadata.num_row_groups() > 3, "{} groups", metadata.num_row_groups());
    for group in metadata.row_groups() {
        // Not more is held than is written together.
        assert!(group.total_byte_size() < 12 << 20, "{} bytes", group.total_byte_size());
        let edges =
            group.columns().iter().filter(|column| column.column_path().parts()[0] == "bbox");
        assert!(
            edges.clone().count() == 4 && edges.clone().all(|edge| edge.statistics().is_some())
        );
    }
    let ids =
        file.get_row_iter(None).unwrap().map(|row| row.unwrap().into_columns().swap_remove(0).1);
    for (at, (read, own)) in ids.zip(&rows).enumerate() {
        assert_eq!(read, Field::Str(own.id.clone()), "{at}");
    }
}
