//! T-26: what one encoding says, the other does.

use cardo_query::cql2::{parse_json, parse_text, write_json, write_text};
use proptest::prelude::*;
use serde_json::Value;

use super::sample::fixture;
use super::tree::expression;

#[test]
fn t_24_t_25_t_26_the_examples_of_the_standard_say_the_same_in_text_and_in_json() {
    let examples = fixture("examples.jsonl");
    let mut count = 0;
    for line in examples.lines() {
        let example: Value = serde_json::from_str(line).unwrap();
        let (name, text) = (&example["name"], example["text"].as_str().unwrap());
        let of_text = parse_text(text).unwrap_or_else(|error| panic!("{name}: {text}: {error}"));
        let of_json = parse_json(&example["json"].to_string())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(of_text, of_json, "{name}: {text}");
        assert_eq!(parse_text(&write_text(&of_text)).unwrap(), of_text, "{name}: {text}");
        assert_eq!(parse_json(&write_json(&of_text).to_string()).unwrap(), of_text, "{name}");
        count += 1;
    }
    assert_eq!(count, 120);
}

proptest! {
    #[test]
    fn t_26_an_expression_is_the_same_after_text_and_after_json(expression in expression()) {
        let text = write_text(&expression);
        prop_assert_eq!(&parse_text(&text).unwrap(), &expression, "{}", text);
        let json = write_json(&expression).to_string();
        prop_assert_eq!(&parse_json(&json).unwrap(), &expression, "{}", json);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
        let _ = parse_text(&text);
        let _ = parse_json(&text);
    }

    #[test]
    fn any_text_of_the_words_of_the_language_is_read_or_refused(
        words in prop::collection::vec(prop::sample::select(WORDS), 0..24),
    ) {
        let text = words.join(" ");
        if let Ok(expression) = parse_text(&text) {
            let again = parse_text(&write_text(&expression));
            prop_assert!(again.is_ok(), "{} became {}", text, write_text(&expression));
        }
    }

    #[test]
    fn any_json_of_the_names_of_the_language_is_read_or_refused(
        text in r#"(\{"op":"(and|=|in|casei|s_within|foo)","args":\[|\{"(property|date|interval|bbox|type)":|"x"|1|null|\[|\]|\}|,){0,16}"#,
    ) {
        let _ = parse_json(&text);
    }
}

const WORDS: &[&str] = &[
    "a",
    "b.c",
    "\"d\"",
    "'x'",
    "''",
    "1",
    "-2.5e3",
    ".5",
    "(",
    ")",
    ",",
    "AND",
    "or",
    "NOT",
    "=",
    "<>",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "DIV",
    "LIKE",
    "BETWEEN",
    "IN",
    "IS",
    "NULL",
    "TRUE",
    "CASEI",
    "ACCENTI",
    "DATE",
    "('2020-01-31')",
    "TIMESTAMP",
    "INTERVAL",
    "('..','..')",
    "POINT",
    "(1 2)",
    "POLYGON",
    "((0 0,1 0,1 1,0 0))",
    "BBOX",
    "(1,2,3,4)",
    "S_INTERSECTS",
    "T_AFTER",
    "A_CONTAINS",
    "avg",
    "Z",
];
