//! The statement of conformance says what is so: its proofs are tests that exist, what it calls
//! implemented is what is declared, and what it calls not built answers so.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use cardo_conform::{Standard, checks};
use tempfile::tempdir;

use crate::support::Server;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn statement() -> String {
    fs::read_to_string(root().join("conformance/README.md")).expect("the statement is there")
}

/// The cells of the rows of a table, which are those with a state, and of no other line.
fn rows(statement: &str) -> Vec<Vec<&str>> {
    statement
        .lines()
        .filter_map(|line| line.trim().strip_prefix('|')?.strip_suffix('|'))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect()
}

/// What the statement counts as proof beside our own tests.
const PROOFS: [&str; 4] = ["ETSI", "CITE", "`crates/", "`conform "];

/// The clauses of ETSI GS CIM 009 v1.9.1 that say how a server behaves, by the clause they stand in.
const CLAUSES: &[(&str, RangeInclusive<u32>)] = &[
    ("4.3.6", 2..=8),
    ("4.3", 7..=7),
    ("4", 4..=4),
    ("4.5", 1..=25),
    ("4.6", 1..=6),
    ("4", 7..=23),
    ("5.2", 2..=2),
    ("5.2", 4..=44),
    ("5.3", 1..=4),
    ("5", 4..=4),
    ("5.5", 2..=15),
    ("5.6", 1..=21),
    ("5.7", 1..=11),
    ("5.8", 1..=6),
    ("5.9", 2..=4),
    ("5.10", 1..=2),
    ("5.11", 2..=7),
    ("5", 12..=12),
    ("5.13", 2..=5),
    ("5.14", 1..=5),
    ("5.15", 1..=1),
    ("5.16", 1..=7),
    ("6.3", 2..=22),
    ("6", 4..=38),
    ("7", 2..=2),
];

/// Clause numbers of a cell such as `5.6.9, 5.6.13 to 5.6.16`.
fn clauses(cell: &str) -> Vec<String> {
    let number = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let mut clauses = Vec::new();
    for part in cell.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once(" to ") {
            Some((first, last)) => {
                let (place, first) = first.rsplit_once('.').expect("a clause");
                let last = last.rsplit('.').next().expect("a clause");
                let range =
                    first.parse::<u32>().expect("a number")..=last.parse().expect("a number");
                clauses.extend(range.map(|n| format!("{place}.{n}")));
            }
            None if number(part) => clauses.push(part.to_owned()),
            None => {}
        }
    }
    clauses
}

/// Whether a clause is another or stands in it.
fn is_within(clause: &str, other: &str) -> bool {
    clause.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Crate, file and function of each proof.
fn proofs(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    quoted(text).filter_map(|name| {
        let (place, function) = name.split_once("::")?;
        let (package, file) = place.split_once('/')?;
        package.starts_with("cardo-").then_some((package, file, function))
    })
}

fn state<'t>(row: &[&'t str]) -> Option<&'t str> {
    let is_state = |cell: &&&str| {
        ["implemented", "partial", "not"].iter().any(|state| {
            cell.strip_prefix(state).is_some_and(|rest| !rest.starts_with(char::is_alphabetic))
        })
    };
    row.iter().find(is_state).copied()
}

/// The files of this name below a folder.
fn files_called(name: &str, folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_called(name, &path, found);
        } else if path.file_name().is_some_and(|file| file == name) {
            found.push(path);
        }
    }
}

/// Whether a file has a test function of this name.
fn has_test(file: &Path, function: &str) -> bool {
    let text = fs::read_to_string(file).expect("it can be read");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let begins = |line: &&str| {
        line.trim_start_matches("async ").strip_prefix("fn ").is_some_and(|rest| {
            rest.strip_prefix(function).is_some_and(|rest| rest.starts_with('('))
        })
    };
    let Some(at) = lines.iter().position(begins) else { return false };
    let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
    attributes.into_iter().any(|line| line.starts_with("#[test]") || line.contains("::test"))
}

#[test]
fn every_proof_of_the_statement_is_a_test_that_exists() {
    let statement = statement();
    let mut missing = Vec::new();
    let mut count = 0;
    for (package, file, function) in proofs(&statement) {
        count += 1;
        let mut files = Vec::new();
        for folder in ["tests", "src"] {
            let folder = root().join("crates").join(package).join(folder);
            files_called(&format!("{file}.rs"), &folder, &mut files);
        }
        if !files.iter().any(|file| has_test(file, function)) {
            missing.push(format!("{package}/{file}::{function}"));
        }
    }
    let files = quoted(&statement).filter(|name| name.starts_with("crates/"));
    missing.extend(files.filter(|file| !root().join(file).exists()).map(str::to_owned));
    assert!(count > 100, "{count} proofs");
    assert!(missing.is_empty(), "no such tests:\n{}", missing.join("\n"));
}

#[test]
fn what_is_said_to_be_built_has_a_proof() {
    let statement = statement();
    let rows = rows(&statement);
    let unproven: Vec<String> = rows
        .iter()
        .filter(|row| state(row).is_some_and(|state| !state.starts_with("not")))
        .map(|row| row.join(" | "))
        .filter(|row| {
            proofs(row).next().is_none() && !PROOFS.iter().any(|proof| row.contains(proof))
        })
        .collect();
    assert!(rows.len() > 100, "{} rows", rows.len());
    assert!(unproven.is_empty(), "without proof:\n{}", unproven.join("\n"));
}

#[test]
fn every_clause_that_says_how_a_server_behaves_is_in_the_statement() {
    let statement = statement();
    let (_, ngsi_ld) = statement.split_once("## NGSI-LD").expect("the part about NGSI-LD");
    let (ngsi_ld, _) = ngsi_ld.split_once("## OGC API").expect("the next part");
    let stated: Vec<String> = rows(ngsi_ld)
        .iter()
        .filter(|row| state(row).is_some())
        .flat_map(|row| clauses(row[0]))
        .collect();
    let all = CLAUSES
        .iter()
        .flat_map(|(place, range)| range.clone().map(move |number| format!("{place}.{number}")));
    let missing: Vec<String> =
        all.filter(|clause| !stated.iter().any(|stated| is_within(clause, stated))).collect();
    assert!(missing.is_empty(), "not in the statement: {}", missing.join(", "));
}

#[test]
fn the_checks_of_cardo_conform_are_those_that_the_statement_names() {
    let statement = statement();
    let named: BTreeSet<&str> =
        quoted(&statement).filter_map(|name| name.strip_prefix("conform ")).collect();
    let checks = checks();
    let without: Vec<&&str> =
        named.iter().filter(|clause| !checks.iter().any(|check| check.is_of(clause))).collect();
    assert!(without.is_empty(), "no check is of {without:?}");
    let unnamed: BTreeSet<&str> = checks
        .iter()
        .filter(|check| check.standard() == Standard::NgsiLd)
        .filter(|check| !named.iter().any(|clause| check.is_of(clause)))
        .map(cardo_conform::Check::clause)
        .collect();
    assert!(unnamed.is_empty(), "clauses with checks that no row names: {unnamed:?}");
}

#[test]
fn the_classes_that_are_declared_are_those_called_implemented() {
    const SPEC: &str = "http://www.opengis.net/spec/";
    let statement = statement();
    let stated: BTreeSet<&str> = rows(&statement)
        .iter()
        .filter(|row| state(row) == Some("implemented"))
        .flat_map(|row| quoted(row[1]).filter(|class| class.contains("/conf/")))
        .collect();
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let conformance = server.get("/ogc/conformance");
    let declared: BTreeSet<&str> = conformance["conformsTo"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|uri| uri.as_str().and_then(|uri| uri.strip_prefix(SPEC)).expect("a class of OGC"))
        .collect();
    assert_eq!(declared, stated);
}

/// The lines of the checklist of OGC API that the executable suites assert or lean on.
const LINES: &[(&str, &[RangeInclusive<u32>])] = &[
    ("g", &[1..=7, 12..=12]),
    ("f", &[1..=17, 20..=29, 31..=32, 34..=40]),
    ("c", &[1..=10]),
    ("tl", &[1..=11, 13..=13, 15..=15, 25..=25]),
];

/// Letters and number of a word such as `f27`.
fn line_of(word: &str) -> Option<(&str, u32)> {
    let digits = word.find(|c: char| c.is_ascii_digit())?;
    let (letters, number) = word.split_at(digits);
    let is_known = LINES.iter().any(|(known, _)| *known == letters);
    Some((letters, number.parse().ok()?)).filter(|_| is_known)
}

/// The lines that the name of a test begins with, such as `f20_to_f23_f25_a_page_is_…`.
fn lines_of(name: &str) -> Vec<(&str, RangeInclusive<u32>)> {
    let mut lines: Vec<(&str, RangeInclusive<u32>)> = Vec::new();
    let mut goes_on = false;
    for word in name.split('_') {
        match (line_of(word), lines.last_mut()) {
            (Some((_, until)), Some((_, range))) if goes_on => *range = *range.start()..=until,
            (Some((letters, number)), _) => lines.push((letters, number..=number)),
            (None, Some(_)) if word == "to" => {}
            (None, _) => break,
        }
        goes_on = word == "to";
    }
    lines
}

/// The names of the functions in the files below a folder.
fn functions_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            functions_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("it can be read");
            let lines = text.lines().map(|line| line.trim().trim_start_matches("async "));
            let names = lines.filter_map(|line| line.strip_prefix("fn ")?.split('(').next());
            found.extend(names.map(str::to_owned));
        }
    }
}

#[test]
fn every_line_of_the_checklist_that_suites_assert_is_a_test_named_by_it() {
    let mut names = BTreeSet::new();
    for package in ["cardo-ogcapi", "cardo-server"] {
        functions_below(&root().join("crates").join(package).join("tests"), &mut names);
    }
    let named: Vec<(&str, RangeInclusive<u32>)> =
        names.iter().flat_map(|name| lines_of(name)).collect();
    let missing: Vec<String> = LINES
        .iter()
        .flat_map(|(letters, ranges)| {
            ranges.iter().cloned().flatten().map(move |number| (*letters, number))
        })
        .filter(|(letters, number)| {
            !named.iter().any(|(other, range)| other == letters && range.contains(number))
        })
        .map(|(letters, number)| format!("{letters}{number}"))
        .collect();
    assert!(missing.is_empty(), "no test is named by {missing:?}");
}
