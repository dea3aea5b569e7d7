//! GeoPackages written by SQLite itself.

use cardo_formats::{FieldKind, FieldValue, Format, ReadOptions, open};
use geo_types::{Geometry, Point, polygon};
use proptest::{collection::vec, option, prelude::*};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::{Outcome, read, read_with};

const TABLES: &str = "
    CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
        organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
    CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE);
    CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT,
        srs_id INTEGER NOT NULL, z TINYINT, m TINYINT, CONSTRAINT pk PRIMARY KEY (table_name, column_name));
    INSERT INTO gpkg_spatial_ref_sys VALUES ('none', -1, 'NONE', -1, 'undefined', NULL),
        ('grid', 3067, 'EPSG', 3067, 'PROJCS[]', NULL), ('own', 100000, 'NONE', 100000, 'PROJCS[\"own\"]', NULL);";

/// A database of these statements, by the real SQLite.
pub(crate) fn database(page_size: u32, statements: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.gpkg");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut connection: SqliteConnection =
            options.page_size(page_size).connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
    std::fs::read(path).unwrap()
}

fn package(statements: &str) -> Vec<u8> {
    database(4096, &format!("{TABLES}{statements}"))
}

/// The statements for a table of features.
fn layer(name: &str, columns: &str, srs: i64) -> String {
    format!(
        "CREATE TABLE \"{name}\" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom GEOMETRY{columns});
         INSERT INTO gpkg_contents VALUES ('{name}', 'features', '{name}');
         INSERT INTO gpkg_geometry_columns VALUES ('{name}', 'geom', 'GEOMETRY', {srs}, 2, 2);"
    )
}

/// A geometry with its header, in SQL.
fn blob(flags: u8, envelope: usize, wkb: &[u8]) -> String {
    let mut bytes = vec![b'G', b'P', 0, flags, 0, 0, 0, 0];
    bytes.extend(vec![0; envelope]);
    bytes.extend(wkb);
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("X'{}'", digits.concat())
}

fn point(is_little: bool, code: u32, numbers: &[f64]) -> Vec<u8> {
    let mut wkb = vec![u8::from(is_little)];
    wkb.extend(if is_little { code.to_le_bytes() } else { code.to_be_bytes() });
    for number in numbers {
        wkb.extend(if is_little { number.to_le_bytes() } else { number.to_be_bytes() });
    }
    wkb
}

/// A geometry of members, little-endian.
fn of_members(code: u32, members: &[Vec<u8>]) -> Vec<u8> {
    let mut wkb = vec![1];
    wkb.extend(code.to_le_bytes());
    wkb.extend(u32::try_from(members.len()).unwrap().to_le_bytes());
    wkb.extend(members.concat());
    wkb
}

/// Bare positions as `of_members` takes them for lines.
fn position(x: f64, y: f64) -> Vec<u8> {
    [x.to_le_bytes(), y.to_le_bytes()].concat()
}

fn of_layer(bytes: &[u8], name: &str) -> Outcome {
    read_with(
        Format::GeoPackage,
        bytes,
        &ReadOptions { layer: Some(name.into()), ..ReadOptions::default() },
    )
}

fn reason(outcome: &Outcome) -> String {
    outcome.errors[0].to_string()
}

#[test]
fn values_keep_their_types() {
    let columns = ", name TEXT(20), floors MEDIUMINT, height DOUBLE, open BOOLEAN, day DATE, at DATETIME, photo BLOB";
    let geometry = blob(0b11, 32, &point(true, 1, &[25.0, 60.0]));
    let bytes = package(&format!(
        "{} INSERT INTO a VALUES (7, {geometry}, 'Töölö', -5, 3, 1, '2024-02-29', '2024-02-29T10:00:00.000Z', X'00'),
         (9, NULL, NULL, 9007199254740993, 2.5, 0, NULL, 'someday', NULL);
         ALTER TABLE a ADD COLUMN later TEXT DEFAULT 'none';",
        layer("a", columns, 3067)
    ));
    let mut reader =
        open(Format::GeoPackage, std::io::Cursor::new(&bytes), &ReadOptions::default()).unwrap();
    assert_eq!((reader.crs(), reader.layer()), (Some("EPSG:3067"), Some("a")));
    let first = reader.next().unwrap().unwrap();
    assert_eq!(first.geometry.as_ref().map(|g| &g.shape), Some(&Point::new(25.0, 60.0).into()));
    for (name, value) in [
        ("fid", FieldValue::Int(7)),
        ("name", FieldValue::Text("Töölö".into())),
        ("floors", FieldValue::Int(-5)),
        ("height", FieldValue::Float(3.0)),
        ("open", FieldValue::Bool(true)),
        ("day", FieldValue::DateTime("2024-02-29".into())),
        ("at", FieldValue::DateTime("2024-02-29T10:00:00.000Z".into())),
        ("later", FieldValue::Text("none".into())),
    ] {
        assert_eq!(first.field(name), Some(&value), "{name}");
    }
    assert_eq!(first.field("photo"), None);
    let second = reader.next().unwrap().unwrap();
    assert_eq!(second.geometry, None);
    assert_eq!(second.field("floors"), Some(&FieldValue::Int(9_007_199_254_740_993)));
    assert!(second.field("name").unwrap().is_null());
    assert!(reader.next().is_none());
    assert!(reader.notes()[0].contains("`photo`"));
    assert!(
        reader.schema().iter().any(|field| &*field.name == "open" && field.kind == FieldKind::Bool)
    );
}

#[test]
fn geometries_of_every_header_and_byte_order_are_read() {
    let numbers = [25.0, 60.0, 7.5, 1.0];
    for (flags, envelope, code, count, height) in [
        (0b0_0001, 0, 1, 2, None),
        (0b0_0011, 32, 1, 2, None),
        (0b0_0101, 48, 1001, 3, Some(7.5)),
        (0b0_0111, 48, 2001, 3, None),
        (0b0_1001, 64, 3001, 4, Some(7.5)),
        (0b0_0001, 0, 0x8000_0001, 3, Some(7.5)),
        (0b0_0001, 0, 0x4000_0001, 3, None),
        (0b0_0001, 0, 0xC000_0001, 4, Some(7.5)),
    ] {
        for is_little in [true, false] {
            let geometry = blob(flags, envelope, &point(is_little, code, &numbers[..count]));
            let bytes =
                package(&format!("{} INSERT INTO a VALUES (1, {geometry});", layer("a", "", 3067)));
            let records = read(Format::GeoPackage, bytes).clean();
            let found = records[0].geometry.as_ref().unwrap();
            assert_eq!(found.shape, Point::new(25.0, 60.0).into(), "{code:X}");
            assert_eq!(found.height(0), height, "{code:X}");
        }
    }
    let mut with_srid = vec![1];
    with_srid.extend(0x2000_0001_u32.to_le_bytes());
    with_srid.extend(4326_u32.to_le_bytes());
    with_srid.extend(position(25.0, 60.0));
    let bytes = package(&format!(
        "{} INSERT INTO a VALUES (1, {}), (2, {}), (3, {});",
        layer("a", "", 3067),
        blob(1, 0, &with_srid),
        blob(0b1_0001, 0, &point(true, 1, &[f64::NAN, f64::NAN])),
        blob(1, 0, &point(true, 1, &[f64::NAN, f64::NAN])),
    ));
    let records = read(Format::GeoPackage, bytes).clean();
    assert!(records[0].geometry.is_some());
    assert!(records[1].geometry.is_none() && records[2].geometry.is_none(), "empty");
}

#[test]
fn arcs_are_refused_one_by_one_and_straight_curves_are_lines() {
    let ring: Vec<Vec<u8>> =
        [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)].map(|(x, y)| position(x, y)).into();
    let line = of_members(2, &ring);
    let arc = of_members(8, &ring[..3]);
    let bytes = package(&format!(
        "{} INSERT INTO a VALUES (1, {}), (2, {}), (3, {}), (4, {});",
        layer("a", "", 3067),
        blob(1, 0, &of_members(10, std::slice::from_ref(&line))),
        blob(1, 0, &of_members(10, &[of_members(9, &[arc])])),
        blob(1, 0, &of_members(11, &[line.clone(), of_members(9, &[line])])),
        blob(1, 0, &of_members(15, &[])),
    ));
    let outcome = read(Format::GeoPackage, bytes);
    assert_eq!(outcome.records.len(), 2);
    let square = polygon![(x: 0.0, y: 0.0), (x: 1.0, y: 0.0), (x: 1.0, y: 1.0), (x: 0.0, y: 0.0)];
    assert_eq!(outcome.records[0].geometry.as_ref().unwrap().shape, square.into());
    assert!(matches!(
        outcome.records[1].geometry.as_ref().unwrap().shape,
        Geometry::MultiLineString(_)
    ));
    let reason = reason(&outcome);
    assert!(reason.contains("circular arcs") && reason.contains("CONVERT_TO_LINEAR"), "{reason}");
    assert_eq!(
        (outcome.errors.len(), outcome.errors[0].ordinal, outcome.errors[0].fatal),
        (2, 1, false)
    );
}

#[test]
fn of_several_layers_one_has_to_be_chosen() {
    let row = "INSERT INTO";
    let bytes = package(&format!(
        "{}{}{} CREATE TABLE styles (id INTEGER PRIMARY KEY, css TEXT);
         INSERT INTO gpkg_contents VALUES ('styles', 'attributes', 'styles'); {row} styles VALUES (1, 'x');
         {row} roads VALUES (1, NULL); {row} trees VALUES (1, NULL), (2, NULL);",
        layer("roads", "", 3067),
        layer("trees", "", 3067),
        layer("nothing", "", 3067),
    ));
    let refused = read(Format::GeoPackage, &bytes);
    assert!(refused.errors[0].fatal);
    let says = reason(&refused);
    assert!(says.contains("--layer: `roads`, `trees`") && !says.contains("nothing"), "{says}");
    assert_eq!(of_layer(&bytes, "trees").clean().len(), 2);
    assert_eq!(of_layer(&bytes, "Roads").clean().len(), 1);
    assert_eq!(
        of_layer(&bytes, "styles").clean()[0].field("css"),
        Some(&FieldValue::Text("x".into()))
    );
    assert!(of_layer(&bytes, "nothing").clean().is_empty());
    assert!(reason(&of_layer(&bytes, "rivers")).contains("no layer `rivers`; it has `roads`"));
}

#[test]
fn a_reference_system_is_told_by_code_or_by_text_or_not_at_all() {
    for (srs, crs) in
        [(3067, Some("EPSG:3067")), (100_000, Some("PROJCS[\"own\"]")), (-1, None), (0, None)]
    {
        let bytes = package(&format!("{} INSERT INTO a VALUES (1, NULL);", layer("a", "", srs)));
        assert_eq!(read(Format::GeoPackage, bytes).crs.as_deref(), crs, "{srs}");
    }
    let bytes = package(&format!("{} INSERT INTO a VALUES (1, NULL);", layer("a", "", 5)));
    assert!(read(Format::GeoPackage, bytes).crs.unwrap().contains("does not define"));
}

#[test]
fn long_rows_and_many_rows_are_read_from_pages_of_any_size() {
    for page_size in [512, 1024, 65_536] {
        let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
            INSERT INTO a SELECT i, NULL, printf('%.*c', 1 + i % 1500, 'x') FROM n; DELETE FROM a WHERE fid % 7 = 0;";
        let statements = format!("{TABLES}{}{rows}", layer("a", ", t TEXT", 3067));
        let records = read(Format::GeoPackage, database(page_size, &statements)).clean();
        let expected: Vec<i64> = (1..=3000).filter(|i| i % 7 != 0).collect();
        let found: Vec<i64> =
            records.iter().map(|r| r.field("fid").unwrap().as_i64().unwrap()).collect();
        assert_eq!(found, expected);
        for (record, id) in records.iter().zip(expected) {
            let length = record.field("t").unwrap().to_text().len();
            assert_eq!(length, usize::try_from(1 + id % 1500).unwrap(), "{page_size}: {id}");
        }
    }
}

#[test]
fn texts_of_sixteen_bits_are_read() {
    for encoding in ["UTF-16le", "UTF-16be"] {
        let statements = format!(
            "PRAGMA encoding = '{encoding}';{TABLES}{} INSERT INTO a VALUES (1, NULL, 'Töölö 🚋');",
            layer("a", ", t TEXT", 3067)
        );
        let records = read(Format::GeoPackage, database(4096, &statements)).clean();
        assert_eq!(records[0].field("t").unwrap().as_str(), Some("Töölö 🚋"), "{encoding}");
    }
}

#[test]
fn what_is_no_geopackage_is_refused_by_name() {
    let plain = database(4096, "CREATE TABLE t (a); INSERT INTO t VALUES (1);");
    assert!(reason(&read(Format::GeoPackage, plain)).contains("no GeoPackage"));
    assert!(reason(&read(Format::GeoPackage, b"GIF89a")).contains("no SQLite database"));
    let view = package(
        "CREATE TABLE t (fid INTEGER PRIMARY KEY); CREATE VIEW v AS SELECT fid FROM t;
         INSERT INTO gpkg_contents VALUES ('v', 'features', 'v'), ('lost', 'attributes', 'lost');",
    );
    assert!(reason(&read(Format::GeoPackage, &view)).contains("`v` is a view"));
    assert!(reason(&of_layer(&view, "lost")).contains("`lost` is missing"));
}

/// A package with interior pages and overflow, for damaging.
pub(crate) fn example() -> Vec<u8> {
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12)
        INSERT INTO a SELECT i, NULL, printf('%.*c', i * 60, 'x') FROM n;";
    let geometry = blob(0b11, 32, &point(true, 1, &[25.0, 60.0]));
    let statements =
        format!("{TABLES}{}{rows} UPDATE a SET geom = {geometry};", layer("a", ", t TEXT", 3067));
    database(512, &statements)
}

/// Rows as SQLite stores them when they are bound as values.
fn written(rows: &[(i64, Option<f64>, Option<String>, bool)]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.gpkg");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut connection: SqliteConnection = options.page_size(512).connect().await.unwrap();
        let build = format!(
            "{TABLES}{}BEGIN;",
            layer("a", ", i BIGINT, f DOUBLE, t TEXT, b BOOLEAN", 3067)
        );
        sqlx::raw_sql(AssertSqlSafe(build)).execute(&mut connection).await.unwrap();
        for (int, float, text, truth) in rows {
            let insert = sqlx::query("INSERT INTO a (i, f, t, b) VALUES (?, ?, ?, ?)");
            let insert = insert.bind(int).bind(float).bind(text).bind(truth);
            insert.execute(&mut connection).await.unwrap();
        }
        sqlx::raw_sql("COMMIT").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
    std::fs::read(path).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_sqlite_writes_is_read(
        rows in vec((any::<i64>(), option::of(-1e12..1e12), option::of("[^\u{0}]{0,300}"), any::<bool>()), 0..60),
    ) {
        let records = read(Format::GeoPackage, written(&rows)).clean();
        prop_assert_eq!(records.len(), rows.len());
        for (record, (int, float, text, truth)) in records.iter().zip(&rows) {
            let float = float.map_or(FieldValue::Null, FieldValue::Float);
            let text = text.clone().map_or(FieldValue::Null, FieldValue::Text);
            prop_assert_eq!(record.field("i"), Some(&FieldValue::Int(*int)));
            prop_assert_eq!(record.field("f"), Some(&float));
            prop_assert_eq!(record.field("t"), Some(&text));
            prop_assert_eq!(record.field("b"), Some(&FieldValue::Bool(*truth)));
        }
    }
}

#[test]
fn a_file_cut_anywhere_gives_what_came_before_and_then_an_error() {
    let bytes = example();
    let whole = read(Format::GeoPackage, &bytes).clean();
    assert_eq!(whole.len(), 12);
    for cut in (0..bytes.len()).step_by(37) {
        let outcome = read(Format::GeoPackage, &bytes[..cut]);
        for record in &outcome.records {
            assert!(whole.contains(record), "cut at {cut}");
        }
        assert!(outcome.errors.iter().filter(|error| error.fatal).count() <= 1, "cut at {cut}");
        assert!(!outcome.errors.is_empty(), "cut at {cut}");
    }
}

#[test]
fn pages_that_point_in_a_circle_end_the_reading() {
    let bytes = example();
    let mut seen = 0;
    // Every interior page of a table points to itself.
    for page in 1..bytes.len() / 512 {
        if bytes[page * 512] == 0x05 {
            let mut turned = bytes.clone();
            let number = u32::try_from(page + 1).unwrap();
            turned[page * 512 + 8..page * 512 + 12].copy_from_slice(&number.to_be_bytes());
            let outcome = read(Format::GeoPackage, &turned);
            assert!(outcome.errors.last().unwrap().to_string().contains("circle"));
            seen += 1;
        }
    }
    assert!(seen > 0);
}
