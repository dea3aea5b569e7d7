//! Texts that a client makes large, deep or slow.

use std::time::{Duration, Instant};

use cardo_model::Kind;
use cardo_query::{
    MAX_NESTING, MAX_TERMS, MAX_TEXT_BYTES, QError, parse_geo_query, parse_scope_q,
    parse_type_selection,
};
use proptest::prelude::*;

use crate::common::{Terms, matches, q, with};

fn terms(count: usize) -> String {
    vec!["a==1"; count].join(";")
}

#[test]
fn a_thousand_terms_are_read_and_ten_thousand_refused() {
    assert!(q(&terms(1_000)).is_ok());
    assert!(q(&terms(MAX_TERMS)).is_ok());
    assert_eq!(q(&terms(10_000)), Err(QError::TooManyTerms));
    assert!(QError::TooManyTerms.to_string().contains("2000"));
    let list = vec!["1"; 10_000].join(",");
    assert_eq!(q(&format!("a=={list}")), Err(QError::TooManyTerms));
    assert_eq!(parse_type_selection(&list, &Terms), Err(QError::TooManyTerms));
    assert_eq!(parse_scope_q(&vec!["/a"; 10_000].join("|")), Err(QError::TooManyTerms));
}

#[test]
fn nesting_is_bounded_without_deep_recursion() {
    let nested = |depth: usize| format!("{}a==1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(q(&nested(MAX_NESTING)).is_ok());
    assert_eq!(q(&nested(MAX_NESTING + 1)), Err(QError::TooDeep { position: 66 }));
    assert!(matches!(q(&"(".repeat(200_000)), Err(QError::TooDeep { .. })));
}

#[test]
fn a_long_text_is_refused_before_it_is_read() {
    let long = format!("a==\"{}\"", "x".repeat(MAX_TEXT_BYTES));
    assert_eq!(q(&long), Err(QError::TooLong(long.len())));
}

#[test]
fn exploding_patterns_take_linear_time() {
    let text = format!("\"{}!\"", "a".repeat(50_000));
    let entity = with("a", Kind::Property, &text);
    let start = Instant::now();
    for pattern in ["(a+)+$", "(a|a)+$", "(a|aa)+$", "(.*a){11}$", "^(([a-z])+.)+[A-Z]([a-z])+$"] {
        assert!(!matches(&format!("a~=\"{pattern}\""), &entity), "{pattern}");
    }
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
    for pattern in ["(a{500}){500}", "((a{99}){99}){99}", &"(".repeat(1_000), &"x".repeat(2_000)] {
        assert!(
            matches!(q(&format!("a~=\"{pattern}\"")), Err(QError::Pattern { .. })),
            "{pattern}"
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        let _ = q(&text);
        let _ = parse_type_selection(&text, &Terms);
        let _ = parse_scope_q(&text);
        let _ = parse_geo_query(&text, &Terms);
    }

    #[test]
    fn any_text_of_the_languages_own_characters_is_read_or_refused(
        text in r#"([a-c1-3é();|,.\[\]{}*!~=<>":/#+\-TZ ]|\.\.|==|observedAt|2020-01-01){0,30}"#,
    ) {
        let _ = q(&text);
        let _ = q(&format!("a=={text}"));
        let _ = q(&format!("a~={text}"));
        let _ = parse_type_selection(&text, &Terms);
        let _ = parse_scope_q(&text);
    }
}
