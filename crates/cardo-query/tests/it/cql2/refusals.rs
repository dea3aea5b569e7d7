//! What is wrong is told with its place and its reason.

use cardo_query::Sort;
use cardo_query::cql2::{MAX_FILTER_NESTING, MAX_FILTER_TERMS, compile, parse_json, parse_text};

use super::{Properties, filter};

fn properties() -> Properties {
    Properties::of(&[
        ("name", Sort::Text),
        ("level", Sort::Number),
        ("on", Sort::Bool),
        ("date", Sort::Date),
        ("start", Sort::Moment),
        ("end", Sort::Moment),
        ("geom", Sort::Geometry),
        ("tags", Sort::Array),
        ("any", Sort::Any),
    ])
}

fn refusal(text: &str) -> String {
    match filter(text, &properties()) {
        Err(error) => error.to_string(),
        Ok(filter) => panic!("{text} is {filter:?}"),
    }
}

#[test]
fn t_1_t_2_t_4_what_cannot_be_read_is_told_with_the_character_where_it_stands() {
    for (text, says) in [
        ("", "at character 1: expected a value or a condition, found the end"),
        ("name='x", "at character 6: expected a text that ends with a quote"),
        ("\"name", "at character 1: expected a name that ends with a double quote"),
        ("name = ", "at character 8: expected a value or a condition, found the end"),
        ("level = 1 2", "at character 11: expected AND, OR or the end, found the number 2"),
        ("(level = 1", "at character 11: expected an operator or ')', found the end"),
        ("level = 1 AND", "at character 14: expected a value"),
        ("level + = 1", "at character 9: expected a value or a condition, found \"=\""),
        ("level IS 1", "at character 10: expected NULL"),
        ("level BETWEEN 1 OR 2", "at character 17: expected AND and the upper bound"),
        ("level IN 1", "at character 10: expected '(' and a list"),
        ("level IN ()", "at character 11: expected a value"),
        ("name = 'å' AND ?", "at character 16: expected a name, a constant or an operator"),
        ("date = DATE('2022-01-01')", "at character 1: date is a reserved word"),
        ("\"date\" = DATE('2022-02-30')", "at character 15: \"2022-02-30\" is no date"),
        ("start = TIMESTAMP('2022-01-01')", "at character 19: \"2022-01-01\" is no timestamp"),
        ("start = TIMESTAMP('2022-01-01T00:00:00+02:00')", "is no timestamp"),
        ("level = 2 ^ 3 ^ 4", "at character 15: expected AND, OR or the end"),
        ("S_INTERSECTS(geom, POINT(1))", "at character 27: expected a number"),
        ("S_INTERSECTS(geom, POINT(1 2)", "at character 30: expected ',' or ')'"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(says), "{text}: {refusal}");
    }
}

#[test]
fn t_6_to_t_23_what_means_nothing_is_told_with_its_place() {
    for (text, says) in [
        ("nmae = 'x'", "at character 1: \"nmae\" is no property here; there are any, date, end"),
        ("name = 1", "at character 8: the property \"name\" is a text, and this is a number"),
        ("level = 'x'", "they cannot be compared"),
        ("start = '2022-01-01T00:00:00Z'", "they cannot be compared"),
        ("level IN (1, 'x')", "at character 14"),
        ("name BETWEEN 1 AND 2", "at character 1: a number is expected, and the property \"name\""),
        ("level BETWEEN 'a' AND 'b'", "at character 15: a number is expected, and \"a\" is a text"),
        ("level LIKE 'x'", "a text is expected"),
        ("name LIKE name", "at character 11: a pattern is a text in quotes"),
        ("CASEI(level) = 'x'", "at character 7: a text is expected"),
        ("ACCENTI(on) = 'x'", "a text is expected"),
        ("level", "at character 1: a condition is expected"),
        ("level AND on", "at character 1: a condition is expected"),
        ("name + 1 = 2", "a number is expected"),
        ("geom = POINT(1 2)", "geometries are compared by S_EQUALS"),
        ("tags = 'x'", "arrays are compared by A_EQUALS"),
        ("S_WITHIN(name, POINT(1 2))", "a geometry is expected"),
        ("S_WITHIN(geom)", "at character 1: s_within takes 2 arguments and has 1"),
        ("S_INTERSECTS(geom, POINT(90 180))", "latitude 180 is outside of -90..90"),
        ("S_INTERSECTS(geom, MULTIPOINT(90 180))", "latitude 180"),
        ("S_INTERSECTS(geom, POLYGON((0 0,1 0,1 1,0 1)))", "the ring begins at"),
        ("S_INTERSECTS(geom, BBOX(1,2,3))", "a box has 4 or 6 numbers, and not 3"),
        ("S_INTERSECTS(geom, BBOX(0,50,10,40))", "the south 50 lies above the north 40"),
        ("T_AFTER(level, DATE('2022-01-01'))", "an instant or an interval is expected"),
        ("T_DURING(start, INTERVAL('2022-01-01','..'))", "an interval is expected"),
        ("T_CONTAINS(DATE('2022-01-01'), INTERVAL(start,end))", "at character 12: an interval"),
        ("T_AFTER(start, '2022-01-01')", "an instant or an interval is expected"),
        ("A_CONTAINS(name, ('a'))", "an array is expected"),
        ("A_CONTAINS(tags, 'a')", "an array is expected"),
        ("avg(level) > 1", "at character 1: \"avg\" is no function here; there are lower, upper"),
        ("round(level, 2) > 1", "round takes 1 arguments and has 2"),
        ("round(name) > 1", "a number is expected"),
        ("length(name)", "a condition is expected"),
        ("'..' = name AND INTERVAL('..','..') = name", "intervals are compared by T_EQUALS"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(says), "{text}: {refusal}");
    }
}

#[test]
fn t_24_t_25_faults_in_json_are_told_with_a_pointer() {
    for (text, says) in [
        ("", "it is no JSON"),
        ("null", "at the top: expected a condition or a value, found null"),
        (r#"{"args":[]}"#, "at the top: expected an object with op, property"),
        (r#"{"op":"="}"#, "at the top: the operator \"=\" has no member args"),
        (r#"{"op":1,"args":[]}"#, "at /op: expected a text, found 1"),
        (r#"{"op":"=","args":[{"property":"level"}]}"#, "= takes 2 arguments and has 1"),
        (r#"{"op":"and","args":[true]}"#, "and takes 2 arguments or more and has 1"),
        (r#"{"op":"in","args":[{"property":"level"},1]}"#, "at /args/1: the second argument of in"),
        (r#"{"op":"between","args":[{"property":"level"},[1,2]]}"#, "takes 3 arguments"),
        (
            r#"{"op":"not","args":[{"op":"=","args":[{"property":"x"},1]}]}"#,
            "at /args/0/args/0: \"x\"",
        ),
        (
            r#"{"op":"s_within","args":[{"property":"geom"},{"type":"Point","coordinates":[1]}]}"#,
            "at /args/1/coordinates: expected a position",
        ),
        (r#"{"op":"s_within","args":[{"property":"geom"},{"type":"Circle"}]}"#, "/args/1/type"),
        (r#"{"op":"=","args":[{"property":"date"},{"date":"2022-13-01"}]}"#, "at /args/1/date"),
        (
            r#"{"op":"t_after","args":[{"property":"start"},{"interval":["..","x"]}]}"#,
            "at /args/1/interval/1",
        ),
        (r#"{"op":"nope","args":[]}"#, "\"nope\" is no function here"),
        (r#"{"op":"AND","args":[true,true]}"#, "\"AND\" is no function here"),
    ] {
        let refusal = parse_json(text).and_then(|e| compile(&e, &properties())).unwrap_err();
        assert!(refusal.to_string().contains(says), "{text}: {refusal}");
    }
}

#[test]
fn ten_thousand_terms_are_refused_and_a_thousand_are_not() {
    let terms = |count: usize| vec!["level=1"; count].join(" OR ");
    assert!(filter(&terms(1_000), &properties()).is_ok());
    let error = parse_text(&terms(10_000)).unwrap_err().to_string();
    assert!(error.contains(&MAX_FILTER_TERMS.to_string()), "{error}");
    let list = vec!["1"; 10_000].join(",");
    assert!(parse_text(&format!("level IN ({list})")).is_err());
    let parts = vec![r#"{"op":"=","args":[{"property":"level"},1]}"#; 10_000].join(",");
    assert!(parse_json(&format!(r#"{{"op":"or","args":[{parts}]}}"#)).is_err());
}

#[test]
fn nesting_is_bounded_without_deep_recursion() {
    let nested = |open: &str, depth: usize, close: &str| {
        format!("{}level=1{}", open.repeat(depth), close.repeat(depth))
    };
    assert!(parse_text(&nested("(", MAX_FILTER_NESTING - 1, ")")).is_ok());
    for open in ["(", "NOT (", "-(", "lower(", "A_CONTAINS(", "CASEI("] {
        assert!(parse_text(&open.repeat(100_000 / open.len())).is_err(), "{open}");
    }
    assert!(parse_text(&format!("{}TRUE", "NOT ".repeat(60_000))).is_err());
    assert!(parse_text(&format!("level = {}1", "-".repeat(60_000))).is_err());
    let json = format!("{}true{}", r#"{"op":"not","args":["#.repeat(90), "]}".repeat(90));
    assert!(parse_json(&json).is_err());
}
