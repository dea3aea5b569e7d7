use cardo_formats::json::records;
use cardo_formats::{FieldValue, Format, Limits};

use crate::read;

fn fields(text: &str) -> Vec<(String, FieldValue)> {
    let record = records(text.as_bytes(), &Limits::default()).unwrap().remove(0).unwrap();
    record.fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

#[test]
fn an_object_is_a_record_and_so_is_each_element_of_an_array() {
    let one = records(br#"{"id":7,"lat":60.2,"lon":24.9,"t":{"c":[1]}}"#, &Limits::default());
    let record = one.unwrap().remove(0).unwrap();
    assert_eq!(record.id.as_deref(), Some("7"));
    assert_eq!(record.field("t"), Some(&FieldValue::Json(r#"{"c":[1]}"#.into())));
    assert!(record.geometry.is_some());
    let many = read(Format::Json, r#" [{"a":1}, 5, [1], {"a":1,"a":2}, {"a":2}] "#);
    assert_eq!(many.records.len(), 3);
    let places: Vec<_> = many.errors.iter().map(|error| (error.ordinal, error.offset)).collect();
    assert_eq!(places, [(2, 14), (3, 19)]);
    assert!(many.errors[1].raw.as_deref() == Some(br#"{"a":1,"a":2}"#));
}

#[test]
fn a_number_by_itself_is_the_field_value() {
    assert_eq!(fields("21.5"), [("value".to_owned(), FieldValue::Float(21.5))]);
    assert_eq!(fields("\"on\""), [("value".to_owned(), FieldValue::Text("on".into()))]);
}

#[test]
fn a_feature_is_read_as_such() {
    let text = r#"{"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[1,2]},"properties":{"v":1}}"#;
    let record = records(text.as_bytes(), &Limits::default()).unwrap().remove(0).unwrap();
    assert!(record.geometry.is_some() && record.field("v").is_some());
}

#[test]
fn what_is_no_json_is_refused_as_a_whole() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    for text in ["", "<html>", "{\"a\":1} {\"a\":2}", "{\"a\":", "\u{feff}", deep.as_str()] {
        assert!(records(text.as_bytes(), &Limits::default()).is_err(), "{text:?}");
    }
    assert!(records(b"{\"a\":\"\xff\"}", &Limits::default()).is_err());
    let small = Limits { record_bytes: 4, ..Limits::default() };
    assert!(records(b"{\"a\":1}", &small).is_err());
    assert!(read(Format::Json, "<html>").errors[0].fatal);
}
