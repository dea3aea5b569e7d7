use cardo_formats::{CsvOptions, Fault, FieldValue, Format, GeometryColumns, ReadOptions};
use geo_types::{Geometry, Point};

use crate::{read, read_with};

fn with(csv: CsvOptions) -> ReadOptions {
    ReadOptions { csv, ..ReadOptions::default() }
}

#[test]
fn the_delimiter_is_found_out() {
    for delimiter in [',', ';', '\t', '|'] {
        let text = "name,lon,lat,note\nA,1.5,2.5,\"x, y; z | w\"\nB,3,4,\n"
            .replace("x, y", "\u{1}")
            .replace(',', &delimiter.to_string())
            .replace('\u{1}', "x, y");
        let records = read(Format::Csv, text).clean();
        assert_eq!(records.len(), 2, "{delimiter:?}");
        let note = records[0].field("note").and_then(FieldValue::as_str);
        assert_eq!(note, Some("x, y; z | w"));
        let point = Geometry::Point(Point::new(1.5, 2.5));
        assert_eq!(records[0].geometry.as_ref().unwrap().shape, point);
        assert_eq!(records[1].field("note"), Some(&FieldValue::Null));
    }
}

#[test]
fn cells_are_typed_only_where_they_are_plainly_numbers() {
    let text = "a,b,c,d,e,f,g\n12,-1.5,00170,1e3,+5,1.,NaN\n";
    let record = &read(Format::Csv, text).clean()[0];
    let expected = [
        FieldValue::Int(12),
        FieldValue::Float(-1.5),
        FieldValue::Text("00170".to_owned()),
        FieldValue::Float(1000.0),
        FieldValue::Text("+5".to_owned()),
        FieldValue::Text("1.".to_owned()),
        FieldValue::Text("NaN".to_owned()),
    ];
    let values: Vec<FieldValue> = record.fields.iter().map(|(_, value)| value.clone()).collect();
    assert_eq!(values, expected);
    let untyped = with(CsvOptions { typed: false, ..CsvOptions::default() });
    let record = &read_with(Format::Csv, text.as_bytes(), &untyped).clean()[0];
    assert_eq!(record.field("a"), Some(&FieldValue::Text("12".to_owned())));
}

#[test]
fn a_decimal_comma_is_read_where_it_is_asked_for() {
    let options = with(CsvOptions { decimal_comma: true, ..CsvOptions::default() });
    let text = "x;y;t\n24,94;60,17;19,3\n";
    let record = &read_with(Format::Csv, text.as_bytes(), &options).clean()[0];
    assert_eq!(record.field("t"), Some(&FieldValue::Float(19.3)));
    let point = Geometry::Point(Point::new(24.94, 60.17));
    assert_eq!(record.geometry.as_ref().unwrap().shape, point);
}

#[test]
fn a_ragged_row_leaves_its_neighbours() {
    let outcome = read(Format::Csv, "a,b\n1,2\n3\n4,5,6\n7,8\n");
    assert_eq!(outcome.records.len(), 2);
    let faults: Vec<String> = outcome.errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "record 1 at byte 8 (line 3): the row has 1 cells and the header 2",
            "record 2 at byte 10 (line 4): the row has 3 cells and the header 2",
        ]
    );
}

#[test]
fn invalid_utf8_is_named_by_its_byte() {
    let outcome = read(Format::Csv, b"a,b\n1,\"x\xFF\"\n2,y\n");
    assert_eq!(outcome.records.len(), 1);
    assert!(matches!(*outcome.errors[0].fault, Fault::NotUtf8 { offset: 8 }));
}

#[test]
fn coordinates_that_are_no_finite_numbers_are_refused() {
    for (cell, fault) in [("NaN", "finite"), ("inf", "finite"), ("x", "number"), ("", "only one")] {
        let outcome = read(Format::Csv, format!("lon,lat\n{cell},60\n24,60\n"));
        assert_eq!(outcome.records.len(), 1);
        assert!(outcome.errors[0].to_string().contains(fault), "{cell}");
    }
    let outcome = read(Format::Csv, "lon,lat,n\n,,1\n");
    assert!(outcome.clean()[0].geometry.is_none());
}

#[test]
fn wkt_columns_are_found_and_their_srid_is_the_system() {
    let text = "id;geom\n1;SRID=3879;POINT (1 2)\n";
    assert_eq!(read(Format::Csv, text).errors.len(), 1);
    let text = "id;geom\n1;\"SRID=3879;POINT (25496000.123456 6672000)\"\n2;\"SRID=4326;POINT (1 2)\"\n3;\n";
    let outcome = read(Format::Csv, text);
    assert_eq!(outcome.crs.as_deref(), Some("EPSG:3879"));
    assert_eq!(outcome.records.len(), 2);
    assert!(outcome.errors[0].to_string().contains("SRID 4326"));
    // A column of that name which holds something else is a field.
    let records = read(Format::Csv, "id,location\n1,Kumpula\n").clean();
    assert!(records[0].field("location").is_some());
}

#[test]
fn named_columns_are_used_and_missing_ones_refused() {
    let xy = |z: Option<&str>| {
        with(CsvOptions {
            geometry: GeometryColumns::Xy {
                x: "east".to_owned(),
                y: "north".to_owned(),
                z: z.map(str::to_owned),
            },
            ..CsvOptions::default()
        })
    };
    let text = b"east,north,up\n1,2,3\n";
    let record = &read_with(Format::Csv, text, &xy(Some("up"))).clean()[0];
    assert_eq!(record.geometry.as_ref().unwrap().heights, [3.0]);
    assert!(record.fields.is_empty());
    let outcome = read_with(Format::Csv, text, &xy(Some("height")));
    assert!(outcome.errors[0].to_string().contains("no column `height`"));
}

#[test]
fn an_open_quote_costs_its_line_alone() {
    let outcome = read(Format::Csv, "a,b\n1,2\n3,\"open\n5,6\n7,8\n");
    assert_eq!(outcome.records.len(), 3);
    assert!(matches!(*outcome.errors[0].fault, Fault::OpenQuote));
    assert_eq!(outcome.records[1].line, Some(4));
}

#[test]
fn headers_are_trimmed_named_and_made_unique() {
    let text = "\u{FEFF} a ,,a\r\n1,2,3\r\n";
    let record = &read(Format::Csv, text).clean()[0];
    let names: Vec<&str> = record.fields.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["a", "column_2", "a_3"]);
    assert_eq!(read(Format::Csv, "").errors.len(), 1);
    assert_eq!(read(Format::Csv, "a,b\n").clean().len(), 0);
}
