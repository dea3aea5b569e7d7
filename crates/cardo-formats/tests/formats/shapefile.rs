//! Shapefiles that the tests write byte by byte.

use std::io::{Cursor, Write};

use cardo_formats::{
    FieldKind, FieldValue, Format, Limits, ReadOptions, Record, RecordError, RecordReader,
    ShapefileParts, ShapefileReader, open,
};
use geo_types::{Geometry, Point};
use proptest::prelude::*;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{read, read_with};

/// A `.shp` of these contents.
fn shp(shapes: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (number, shape) in (1_i32..).zip(shapes) {
        body.extend(number.to_be_bytes());
        body.extend(i32::try_from(shape.len() / 2).unwrap().to_be_bytes());
        body.extend(shape);
    }
    let mut bytes = vec![0; 100];
    bytes[..4].copy_from_slice(&9994_i32.to_be_bytes());
    let words = i32::try_from(body.len() / 2 + 50).unwrap();
    bytes[24..28].copy_from_slice(&words.to_be_bytes());
    bytes[28..32].copy_from_slice(&1000_i32.to_le_bytes());
    bytes.extend(body);
    bytes
}

fn numbers(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn point(kind: i32, values: &[f64]) -> Vec<u8> {
    [kind.to_le_bytes().to_vec(), numbers(values)].concat()
}

/// Parts of positions, with heights where they are given.
fn parts(kind: i32, parts: &[&[(f64, f64)]], heights: Option<&[f64]>) -> Vec<u8> {
    let count: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = [kind.to_le_bytes().to_vec(), numbers(&[0.0; 4])].concat();
    bytes.extend(i32::try_from(parts.len()).unwrap().to_le_bytes());
    bytes.extend(i32::try_from(count).unwrap().to_le_bytes());
    let mut begin = 0_i32;
    for part in parts {
        bytes.extend(begin.to_le_bytes());
        begin += i32::try_from(part.len()).unwrap();
    }
    for (x, y) in parts.iter().flat_map(|part| part.iter()) {
        bytes.extend(numbers(&[*x, *y]));
    }
    if let Some(heights) = heights {
        bytes.extend(numbers(&[0.0; 2]));
        bytes.extend(numbers(heights));
    }
    bytes
}

type Column<'a> = (&'a str, u8, u8, u8);

/// A `.dbf` of rows whose cells have the width of their columns.
fn dbf(driver: u8, columns: &[Column<'_>], rows: &[Vec<&[u8]>]) -> Vec<u8> {
    let width: usize = 1 + columns.iter().map(|column| usize::from(column.2)).sum::<usize>();
    let mut bytes = vec![0; 32];
    bytes[0] = 3;
    bytes[4..8].copy_from_slice(&u32::try_from(rows.len()).unwrap().to_le_bytes());
    bytes[8..10].copy_from_slice(&u16::try_from(33 + 32 * columns.len()).unwrap().to_le_bytes());
    bytes[10..12].copy_from_slice(&u16::try_from(width).unwrap().to_le_bytes());
    bytes[29] = driver;
    for (name, kind, width, decimals) in columns {
        let mut described = [0; 32];
        described[..name.len()].copy_from_slice(name.as_bytes());
        (described[11], described[16], described[17]) = (*kind, *width, *decimals);
        bytes.extend(described);
    }
    bytes.push(0x0D);
    for row in rows {
        bytes.push(b' ');
        for (cell, column) in row.iter().zip(columns) {
            let mut padded = cell.to_vec();
            padded.resize(usize::from(column.2), b' ');
            bytes.extend(padded);
        }
    }
    bytes.push(0x1A);
    bytes
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::DEFLATE);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn beside(
    shp: &[u8],
    dbf: Option<&[u8]>,
    cpg: Option<&str>,
) -> (Vec<Record>, Vec<RecordError>, Vec<String>) {
    let mut parts = ShapefileParts::new(shp);
    parts.dbf = dbf.map(|dbf| Box::new(dbf) as Box<dyn std::io::Read + Send + '_>);
    parts.cpg = cpg.map(|name| name.as_bytes().to_vec());
    let (mut records, mut errors) = (Vec::new(), Vec::new());
    let mut reader = match ShapefileReader::new(parts, Limits::default()) {
        Ok(reader) => reader,
        Err(error) => return (records, vec![error], Vec::new()),
    };
    for item in &mut reader {
        match item {
            Ok(record) => records.push(record),
            Err(error) => errors.push(error),
        }
    }
    (records, errors, reader.notes())
}

fn shapes(contents: &[Vec<u8>]) -> Vec<Option<Geometry<f64>>> {
    let (records, errors, _) = beside(&shp(contents), None, None);
    assert!(errors.is_empty(), "{errors:?}");
    records.into_iter().map(|record| record.geometry.map(|geometry| geometry.shape)).collect()
}

const OUTER: [(f64, f64); 5] = [(0.0, 0.0), (0.0, 10.0), (10.0, 10.0), (10.0, 0.0), (0.0, 0.0)];
const HOLE: [(f64, f64); 4] = [(2.0, 2.0), (4.0, 2.0), (4.0, 4.0), (2.0, 2.0)];
const APART: [(f64, f64); 4] = [(20.0, 0.0), (20.0, 5.0), (25.0, 0.0), (20.0, 0.0)];

#[test]
fn rings_become_polygons_with_their_holes_whichever_way_they_run() {
    let turned = |ring: &[(f64, f64)]| ring.iter().rev().copied().collect::<Vec<_>>();
    let all = shapes(&[
        parts(5, &[&OUTER, &HOLE, &APART], None),
        parts(5, &[&HOLE, &APART, &OUTER], None),
        parts(5, &[&turned(&OUTER), &turned(&HOLE), &turned(&APART)], None),
        parts(5, &[&turned(&OUTER)], None),
    ]);
    for shape in &all[..3] {
        let Some(Geometry::MultiPolygon(polygons)) = shape else { panic!("{shape:?}") };
        let with_hole = polygons.0.iter().find(|polygon| polygon.exterior().0.len() == 5).unwrap();
        assert_eq!((polygons.0.len(), with_hole.interiors().len()), (2, 1), "{shape:?}");
        // The exterior runs anticlockwise: from the origin to the east first or to it from the north.
        let east = with_hole
            .exterior()
            .0
            .windows(2)
            .any(|two| (two[0].x, two[0].y, two[1].x) == (0.0, 0.0, 10.0));
        assert!(east, "{shape:?}");
    }
    assert!(matches!(&all[3], Some(Geometry::Polygon(polygon)) if polygon.interiors().is_empty()));
}

#[test]
fn every_kind_of_shape_is_read_and_heights_are_kept() {
    let with_heights = [
        point(11, &[1.0, 2.0, 7.5, 0.0]),
        parts(13, &[&[(0.0, 0.0), (1.0, 1.0)]], Some(&[1.0, 2.0])),
        parts(15, &[&OUTER], Some(&[1.0, 2.0, 3.0, 4.0, 1.0])),
        parts(13, &[&[(0.0, 0.0), (1.0, 1.0)]], Some(&[1.0, -1e39])),
    ];
    let (records, errors, _) = beside(&shp(&with_heights), None, None);
    assert!(errors.is_empty(), "{errors:?}");
    let heights: Vec<Vec<f64>> = records.into_iter().map(|r| r.geometry.unwrap().heights).collect();
    // The ring was turned, and its heights with it.
    assert_eq!(heights, [vec![7.5], vec![1.0, 2.0], vec![1.0, 4.0, 3.0, 2.0, 1.0], vec![]]);
    let mut many = parts(8, &[], None);
    many.truncate(36);
    many.extend(2_i32.to_le_bytes());
    many.extend(numbers(&[1.0, 2.0, 3.0, 4.0]));
    let all = shapes(&[
        0_i32.to_le_bytes().to_vec(),
        point(1, &[1.0, 2.0]),
        point(21, &[1.0, 2.0, 5.0]),
        many,
        parts(3, &[&[(0.0, 0.0), (1.0, 1.0)], &[(2.0, 2.0), (3.0, 3.0)]], None),
        parts(23, &[&[(0.0, 0.0), (1.0, 1.0)]], None),
    ]);
    assert_eq!(all[0], None);
    assert_eq!(all[1], Some(Point::new(1.0, 2.0).into()));
    assert_eq!(all[1], all[2]);
    assert!(matches!(&all[3], Some(Geometry::MultiPoint(points)) if points.0.len() == 2));
    assert!(matches!(&all[4], Some(Geometry::MultiLineString(lines)) if lines.0.len() == 2));
    assert!(matches!(&all[5], Some(Geometry::LineString(_))));
}

#[test]
fn a_wrong_shape_leaves_its_neighbours() {
    let good = point(1, &[1.0, 2.0]);
    let open = parts(5, &[&OUTER[..4]], None);
    let multipatch = parts(31, &[&OUTER], None);
    let mut overlap = parts(3, &[&OUTER[..2], &OUTER[2..]], None);
    overlap[44..48].copy_from_slice(&9_i32.to_le_bytes());
    let nan = point(1, &[f64::NAN, 1.0]);
    let (records, errors, _) = beside(&shp(&[open, multipatch, overlap, nan, good]), None, None);
    assert_eq!((records.len(), records[0].ordinal), (1, 4));
    let reasons: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(errors.iter().all(|error| !error.fatal));
    for (reason, part) in reasons.iter().zip(["open ring", "MultiPatch", "part", "finite"]) {
        assert!(reason.contains(part), "{reason}");
    }
}

#[test]
fn cells_become_values_of_their_kind() {
    use FieldValue::{Bool, DateTime, Float, Int, Json, Null, Text};
    let columns: [Column<'_>; 8] = [
        ("NAME", b'C', 10, 0),
        ("COUNT", b'N', 20, 0),
        ("SIZE", b'N', 10, 3),
        ("EXP", b'F', 13, 6),
        ("DAY", b'D', 8, 0),
        ("OPEN", b'L', 1, 0),
        ("MEMO", b'M', 10, 0),
        ("NAME", b'C', 4, 0),
    ];
    let text = |text: &'static str| text.as_bytes();
    let rows = [
        [text("T\u{f6}"), b"42", b"1.500", b"1.2e+003", b"20240229", b"T", b"1", b"x"],
        [b"", b"********", b"", b"", b"", b"?", b"", b""],
        [b"a", b"99999999999999999999", b"-.5", b"0", b"00000000", b"n", b"", b"y"],
        [b"b", b"twelve", b"", b"", b"", b"", b"", b""],
        [b"c", b"1", b"", b"", b"20230229", b"", b"", b""],
    ]
    .map(|row| row.to_vec());
    let table = dbf(0, &columns, &rows);
    let points: Vec<Vec<u8>> = (0..5).map(|x| point(1, &[f64::from(x), 0.0])).collect();
    let (records, errors, notes) = beside(&shp(&points), Some(&table), Some("UTF-8"));
    let values = |record: &Record| -> Vec<FieldValue> {
        record.fields.iter().map(|(_, v)| v.clone()).collect()
    };
    let names: Vec<&str> = records[0].fields.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["NAME", "COUNT", "SIZE", "EXP", "DAY", "OPEN", "NAME_2"]);
    let date = DateTime("2024-02-29".into());
    let expected =
        [Text("Tö".into()), Int(42), Float(1.5), Float(1200.0), date, Bool(true), Text("x".into())];
    assert_eq!(values(&records[0]), expected);
    assert!(values(&records[1]).iter().all(FieldValue::is_null));
    let big = Json("99999999999999999999".into());
    assert_eq!(
        values(&records[2]),
        [Text("a".into()), big, Float(-0.5), Float(0.0), Null, Bool(false), Text("y".into())]
    );
    assert!(errors[0].to_string().contains("`COUNT` holds `twelve`"), "{}", errors[0]);
    assert!(errors[1].to_string().contains("`20230229`, which is not a date"), "{}", errors[1]);
    assert!(notes[0].contains("`MEMO`"), "{notes:?}");
}

#[test]
fn texts_are_read_in_the_encoding_that_is_stated() {
    let columns = [("N", b'C', 6, 0)];
    let shapes = shp(&[point(1, &[0.0, 0.0])]);
    let read = |driver, cell: &[u8], cpg| {
        let (records, errors, notes) =
            beside(&shapes, Some(&dbf(driver, &columns, &[vec![cell]])), cpg);
        let text = records.first().map(|record| record.fields[0].1.to_text());
        (text.unwrap_or_else(|| errors[0].to_string()), notes)
    };
    assert_eq!(read(0, b"T\xf6\xf6l\xf6", Some("ISO-8859-1")).0, "Töölö");
    assert_eq!(read(0x57, b"T\xf6\xf6l\xf6", None).0, "Töölö");
    assert_eq!(read(0x02, b"T\x94\x94l\x94", None).0, "Töölö");
    assert_eq!(read(0xC9, b"\xcc\xee\xf1\xf2", None).0, "Мост");
    assert_eq!(read(0x57, "Töl".as_bytes(), Some("UTF-8")).0, "Töl", "a .cpg wins");
    let (text, notes) = read(0, b"T\xf6\xf6l\xf6", None);
    assert!(text == "Töölö" && notes[0].contains("encoding"), "{notes:?}");
    assert!(read(0, b"T\xf6l", Some("UTF-8")).0.contains("no text of the stated encoding"));
    assert!(read(0, b"x", Some("klingon")).1[0].contains("klingon"));
}

#[test]
fn rows_and_shapes_that_do_not_fit_are_told() {
    let columns = [("N", b'N', 3, 0)];
    let rows: Vec<Vec<&[u8]>> = vec![vec![b"1"], vec![b"2"], vec![b"3"]];
    let shape = point(1, &[0.0, 0.0]);
    let (records, _, notes) =
        beside(&shp(std::slice::from_ref(&shape)), Some(&dbf(0, &columns, &rows)), None);
    assert!(records.len() == 1 && notes[0].contains("2 rows"), "{notes:?}");
    let (records, errors, _) =
        beside(&shp(&[shape.clone(), shape.clone()]), Some(&dbf(0, &columns, &rows[..1])), None);
    assert_eq!(records.len(), 1);
    assert!(errors[0].fatal && errors[0].to_string().contains("fewer rows"), "{}", errors[0]);
    let mut deleted = dbf(0, &columns, &rows[..2]);
    let first = 33 + 32;
    deleted[first] = b'*';
    let (records, ..) = beside(&shp(&[shape.clone(), shape.clone()]), Some(&deleted), None);
    assert_eq!(records[0].ordinal, 1);
    let (records, _, notes) = beside(&shp(&[shape]), None, None);
    assert!(records[0].fields.is_empty() && notes[0].contains(".dbf"), "{notes:?}");
}

/// A zip with everything in it.
pub(crate) fn example() -> Vec<u8> {
    let columns = [("NAME", b'C', 6, 0), ("N", b'N', 4, 1)];
    let rows: Vec<Vec<&[u8]>> = vec![vec![b"a", b"1.5"], vec![b"b", b""], vec![b"c", b"7"]];
    let shapes = shp(&[
        parts(5, &[&OUTER, &HOLE], None),
        point(1, &[1.0, 2.0]),
        point(11, &[1.0, 2.0, 3.0]),
    ]);
    zipped(&[
        ("data/", b""),
        ("data/areas.SHP", &shapes),
        ("data/areas.dbf", &dbf(0x57, &columns, &rows)),
        ("data/areas.prj", b"GEOGCS[\"x\"]"),
        ("__MACOSX/data/._areas.shp", b"shadow"),
    ])
}

#[test]
fn a_zip_is_read_with_all_its_parts() {
    let bytes = example();
    assert_eq!(Format::guess("upload", &bytes), Some(Format::Shapefile));
    let mut reader = open(Format::Shapefile, Cursor::new(&bytes), &ReadOptions::default()).unwrap();
    assert_eq!((reader.crs(), reader.layer()), (Some("GEOGCS[\"x\"]"), Some("areas")));
    assert_eq!(reader.schema()[1].kind, FieldKind::Float);
    let records: Vec<Record> = reader.by_ref().map(|record| record.unwrap()).collect();
    assert_eq!(records.len(), 3);
    assert_eq!(records[2].field("N"), Some(&FieldValue::Float(7.0)));
    let position = RecordReader::position(&*reader);
    assert!(position > 0 && position <= bytes.len() as u64);
}

#[test]
fn of_several_shapefiles_in_a_zip_one_has_to_be_chosen() {
    let one = shp(&[point(1, &[1.0, 2.0])]);
    let two = shp(&[point(1, &[1.0, 2.0]), point(1, &[3.0, 4.0])]);
    let bytes = zipped(&[("x/roads.shp", &one), ("x/trees.shp", &two), ("y/trees.shp", &one)]);
    let refused = read(Format::Shapefile, &bytes);
    let says = refused.errors[0].to_string();
    assert!(says.contains("`roads`, `x/trees`, `y/trees`"), "{says}");
    let layer = |name: &str| ReadOptions { layer: Some(name.into()), ..ReadOptions::default() };
    assert_eq!(read_with(Format::Shapefile, &bytes, &layer("x/trees")).clean().len(), 2);
    assert_eq!(read_with(Format::Shapefile, &bytes, &layer("roads")).clean().len(), 1);
}

#[test]
fn zips_of_other_things_are_refused_by_name() {
    let says = |bytes: Vec<u8>| read(Format::Shapefile, bytes).errors[0].to_string();
    assert!(says(zipped(&[("stops.txt", b"a,b\n")])).contains("without a shapefile"));
    assert!(says(zipped(&[("a.shp", b"GIF89a")])).contains("source ends"));
    assert!(says(b"PK\x03\x04 broken".to_vec()).contains("zip"));
    let mut other = shp(&[]);
    other[28] = 7;
    assert!(says(other).contains("version"));
}

#[test]
fn what_unpacks_to_too_much_is_refused_without_the_memory() {
    let mut shapes = shp(&[]);
    shapes.resize(8 << 20, 0);
    let bytes = zipped(&[("a.shp", &shapes)]);
    assert!(bytes.len() < 64 << 10);
    let limits = Limits { unpacked_bytes: 1 << 20, ..Limits::default() };
    let options = ReadOptions { limits, ..ReadOptions::default() };
    let honest = read_with(Format::Shapefile, &bytes, &options);
    assert!(honest.errors[0].to_string().contains("8388608 bytes"), "{}", honest.errors[0]);

    // A shape of eight megabytes, whose zip says that all is well.
    let mut shape = parts(3, &[], None);
    shape.resize(8 << 20, 0);
    let mut bytes = zipped(&[("a.shp", &shp(&[shape]))]);
    let size = u32::try_from(100 + 8 + (8 << 20)).unwrap().to_le_bytes();
    let at: Vec<usize> =
        (0..bytes.len() - 4).filter(|at| bytes[*at..].starts_with(&size)).collect();
    assert!(!at.is_empty());
    for at in at {
        bytes[at..at + 4].copy_from_slice(&200_u32.to_le_bytes());
    }
    let lying = read_with(Format::Shapefile, &bytes, &options);
    assert!(
        lying.errors[0].to_string().contains("longer than 1048576 bytes"),
        "{}",
        lying.errors[0]
    );
}

#[test]
fn a_file_cut_anywhere_gives_what_came_before_and_then_a_fatal_error() {
    let bytes = shp(&[parts(5, &[&OUTER, &HOLE], None), point(1, &[1.0, 2.0])]);
    let whole = read(Format::Shapefile, &bytes).clean();
    for cut in 0..bytes.len() {
        let outcome = read(Format::Shapefile, &bytes[..cut]);
        assert_eq!(outcome.records, whole[..outcome.records.len()]);
        assert!(outcome.errors.len() == 1 && outcome.errors[0].fatal, "cut at {cut}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_parts_are_answered(
        shapes in any::<Vec<u8>>(),
        table in any::<Vec<u8>>(),
        kind in prop::sample::select(vec![0, 1, 3, 5, 8, 11, 13, 15, 18, 21, 23, 25, 28, 31]),
        cpg in prop::option::of("[a-zA-Z0-9 -]{0,12}"),
    ) {
        let mut content = i32::to_le_bytes(kind).to_vec();
        content.extend(&shapes);
        if content.len() % 2 == 1 {
            content.push(0);
        }
        let mut rows = dbf(3, &[("A", b'N', 4, 1), ("B", b'D', 8, 0), ("C", b'C', 5, 0)], &[]);
        rows.pop();
        rows.extend(&table);
        beside(&shp(&[content.clone(), content]), Some(&rows), cpg.as_deref());
        beside(&shp(&[]), Some(&table), None);
    }
}
