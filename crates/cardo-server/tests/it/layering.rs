//! The crates depend on one another as the table of ARCHITECTURE.md says, and on nothing that
//! belongs to a higher layer.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Own crates that each crate may use, as in the table of ARCHITECTURE.md.
const MAY_USE: &[(&str, &[&str])] = &[
    ("cardo-model", &[]),
    ("cardo-spatial", &["model"]),
    ("cardo-egress", &["model"]),
    ("cardo-query", &["model", "spatial"]),
    ("cardo-jsonld", &["model"]),
    ("cardo-formats", &["model", "spatial"]),
    ("cardo-engine", &["model", "spatial", "query"]),
    ("cardo-store", &["engine", "model", "spatial", "query"]),
    ("cardo-ingest", &["engine", "jsonld", "formats", "egress", "model", "spatial", "query"]),
    ("cardo-layers", &["engine", "formats", "model", "spatial", "query"]),
    ("cardo-notify", &["engine", "egress", "model", "spatial", "query"]),
    ("cardo-http", &["engine", "model", "spatial", "query"]),
    ("cardo-ngsild", FACE),
    ("cardo-graphql", FACE),
    ("cardo-ogcapi", FACE),
    ("cardo-sensorthings", FACE),
    ("cardo-console", &["http"]),
    ("cardo-conform", &[]),
];

const FACE: &[&str] =
    &["http", "engine", "query", "jsonld", "formats", "egress", "model", "spatial"];

/// May use every crate.
const TOP: [&str; 1] = ["cardo-server"];

/// May use every crate but the server, and are used by tests alone.
const TEST_ONLY: [&str; 2] = ["cardo-testkit", "cardo-bench"];

/// Crates of others that may be used by some of ours alone.
const RESERVED: &[(&str, &[&str])] = &[
    ("axum", &["cardo-http", "cardo-server", "cardo-bench", "cardo-testkit", "cardo-console"]),
    ("sqlx", &["cardo-store"]),
    ("hyper", &["cardo-egress", "cardo-conform", "cardo-server", "cardo-bench", "cardo-testkit"]),
    ("reqwest", &["cardo-egress", "cardo-bench", "cardo-testkit"]),
];

/// What dev-dependencies may add to the table.
const FOR_TESTS: [&str; 2] = ["cardo-testkit", "cardo-store"];

#[derive(Debug)]
struct Package {
    dependencies: Vec<Dependency>,
}

#[derive(Debug)]
struct Dependency {
    name: String,
    is_dev: bool,
}

fn packages() -> BTreeMap<String, Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let dependencies = dependencies
                .iter()
                .map(|dependency| Dependency {
                    name: text(&dependency["name"]),
                    is_dev: dependency["kind"] == "dev",
                })
                .collect();
            (text(&package["name"]), Package { dependencies })
        })
        .collect()
}

fn allowed(name: &str) -> Option<BTreeSet<String>> {
    let row = MAY_USE.iter().find(|(of, _)| *of == name)?;
    Some(row.1.iter().map(|short| format!("cardo-{short}")).collect())
}

#[test]
fn every_crate_stands_in_the_table_and_its_folder_has_its_name() {
    for name in packages().keys() {
        let is_known = allowed(name).is_some()
            || TOP.contains(&name.as_str())
            || TEST_ONLY.contains(&name.as_str());
        assert!(is_known, "{name} is not in the layering table");
        let folder = format!("{}/../{name}", env!("CARGO_MANIFEST_DIR"));
        assert!(std::path::Path::new(&folder).is_dir(), "crates/{name} is missing");
    }
}

#[test]
fn no_crate_uses_one_that_the_table_does_not_grant_it() {
    let mut broken = Vec::new();
    for (name, package) in packages() {
        for dependency in package.dependencies.iter().filter(|d| d.name.starts_with("cardo-")) {
            let used = dependency.name.as_str();
            let is_fine = if TOP.contains(&name.as_str()) {
                dependency.is_dev || !TEST_ONLY.contains(&used)
            } else if TEST_ONLY.contains(&name.as_str()) {
                !TOP.contains(&used)
            } else {
                let granted = allowed(&name).is_some_and(|granted| granted.contains(used));
                granted || (dependency.is_dev && FOR_TESTS.contains(&used))
            };
            if !is_fine {
                let kind = if dependency.is_dev { " (for tests)" } else { "" };
                broken.push(format!("{name} uses {used}{kind}"));
            }
        }
    }
    assert!(broken.is_empty(), "edges outside the layering table:\n{}", broken.join("\n"));
}

#[test]
fn http_and_sql_stay_in_their_layers() {
    let faces: Vec<&str> =
        MAY_USE.iter().filter(|(_, row)| *row == FACE).map(|(name, _)| *name).collect();
    let mut broken = Vec::new();
    for (name, package) in packages() {
        for dependency in package.dependencies.iter().filter(|d| !d.is_dev) {
            let Some((reserved, owners)) =
                RESERVED.iter().find(|(reserved, _)| *reserved == dependency.name)
            else {
                continue;
            };
            let is_face = *reserved == "axum" && faces.contains(&name.as_str());
            if !owners.contains(&name.as_str()) && !is_face {
                broken.push(format!("{name} uses {reserved}"));
            }
        }
    }
    assert!(broken.is_empty(), "crates outside their layer:\n{}", broken.join("\n"));
}
