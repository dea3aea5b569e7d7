//! The checks that come with the library are well written.

use std::collections::HashSet;

use cardo_conform::{Standard, checks, read_checks};

#[test]
fn every_check_has_an_id_of_its_own_a_rule_and_a_heading() {
    let mut ids = HashSet::new();
    for check in checks() {
        assert!(ids.insert(check.id()), "{} is there twice", check.id());
        let rule = check.rule();
        assert!(rule.ends_with('.') && rule.len() > 15, "{}: {rule}", check.id());
        assert!(!check.heading().is_empty(), "{}", check.id());
        assert!(!check.rule().contains('<'), "{}: a column is missing", check.id());
    }
    assert!(ids.len() > 300, "{} checks", ids.len());
}

#[test]
fn every_check_looks_at_something_that_it_did_not_send() {
    for check in checks() {
        assert!(!check.looks().is_empty(), "{}", check.id());
    }
}

#[test]
fn clauses_of_ngsi_ld_are_numbers_and_requirements_of_ogc_are_ids() {
    for check in checks() {
        let clause = check.clause();
        match check.standard() {
            Standard::NgsiLd => {
                assert!(clause.split('.').all(|part| part.parse::<u32>().is_ok()), "{clause}");
            }
            Standard::OgcApi => assert!(clause.starts_with("/req/"), "{clause}"),
        }
    }
}

#[test]
fn checks_are_selected_by_clause_and_not_by_the_beginning_of_a_number() {
    let of = |clause: &str| checks().iter().filter(|check| check.is_of(clause)).count();
    assert!(of("5.6.1") > 0 && of("5.6.1.") == of("5.6.1"));
    assert!(
        checks().iter().filter(|c| c.is_of("5.6.1")).all(|c| !c.clause().starts_with("5.6.10"))
    );
    assert_eq!(of("5.6.1.5:created"), 1);
    assert!(of("/req/core") > of("/req/core/fc-links"));
    assert_eq!(of("99"), 0);
}

#[test]
fn a_file_that_cannot_be_read_is_refused_with_its_line() {
    for (text, line, reason) in [
        ("== 1 a\nSo.\nGET /a\n> .a = ", 4, "compare"),
        ("== 1 a\nSo.\nGET /a\n> .a maybe 1", 4, "maybe"),
        ("== 1 a\nSo.\nGET /a\n> 2000", 4, "2000"),
        ("== 1 a\nSo.\nwith tree", 3, "tree"),
        ("== 1 a\nSo.", 1, "no steps"),
        ("== 1\nSo.\nGET /a", 1, "name"),
        ("== 1 a\nGET /a", 1, "shall hold"),
        ("GET /a", 1, "neither"),
        ("== 1 <a>\nSo.\nGET /a\n| a | b |\n| 1 |", 5, "cells"),
    ] {
        let error = read_checks("mine", Standard::NgsiLd, text).unwrap_err().to_string();
        assert!(error.starts_with(&format!("mine, line {line}: ")), "{error}");
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_table_makes_a_check_of_each_row() {
    let text = "== 1 <n>\nIt is <v>.\nGET /a?q=<q>\n> .a = <v>\n| n | q | v |\n| one | a|b | 1 |\n| two | c | 2 |";
    let checks = read_checks("mine", Standard::NgsiLd, text).unwrap();
    let ids: Vec<String> = checks.iter().map(cardo_conform::Check::id).collect();
    assert_eq!(ids, ["1:one", "1:two"]);
    assert_eq!(checks[1].rule(), "It is 2.");
}
