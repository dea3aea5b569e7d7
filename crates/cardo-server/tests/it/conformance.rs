//! The statement of conformance says what is so: its proofs are tests that exist, what it calls
//! implemented is what is declared, and what it calls not built answers so.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

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
const PROOFS: [&str; 3] = ["ETSI", "CITE", "`crates/"];

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

#[test]
fn resources_that_are_said_not_to_be_built_say_so_themselves() {
    let statement = statement();
    let (_, resources) = statement.split_once("### Resources").expect("the part about resources");
    let (resources, _) = resources.split_once("\n## ").expect("the next part");
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut asked = 0;
    for row in rows(resources).iter().filter(|row| state(row) == Some("not")) {
        for resource in quoted(row[1]) {
            let path = format!("/ngsi-ld/v1/{resource}").replace('{', "urn:x:").replace('}', "");
            for method in row[2].split(", ") {
                let answer = server.send(method, &path, None);
                assert_eq!(answer.status, 501, "{method} {path}: {}", answer.text());
                asked += 1;
            }
        }
    }
    assert!(asked > 10, "{asked} requests");
}
