//! Checks, and what comes of them.

use std::fmt;

use crate::script::{Comparison, Expectation, Script, ScriptError, Step, StepKind, Target, parse};

/// The standard that a check belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standard {
    /// ETSI GS CIM 009 v1.9.1; a clause is one of its clauses.
    NgsiLd,
    /// OGC API; a clause is the id of a requirement.
    OgcApi,
}

impl Standard {
    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::NgsiLd => "NGSI-LD (ETSI GS CIM 009 v1.9.1)",
            Self::OgcApi => "OGC API",
        }
    }
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// Something that shall hold of a server.
#[derive(Debug, Clone)]
pub struct Check {
    pub(crate) script: Script,
}

impl Check {
    /// The standard that demands it.
    pub fn standard(&self) -> Standard {
        self.script.standard
    }

    /// A name that no other check has: the clause and a word.
    pub fn id(&self) -> String {
        format!("{}:{}", self.script.clause, self.script.name)
    }

    /// The clause or requirement.
    pub fn clause(&self) -> &str {
        &self.script.clause
    }

    /// Number and title of the part of the standard that it is told under.
    pub fn heading(&self) -> &str {
        &self.script.heading
    }

    /// What shall hold, as a sentence.
    pub fn rule(&self) -> &str {
        &self.script.rule
    }

    /// What each of its steps looks at, so that a test can let a server lie there.
    pub fn looks(&self) -> Vec<Look> {
        self.script.steps.iter().map(Look::of).collect()
    }

    /// Whether it belongs to a clause or to one below it, or has this id.
    pub fn is_of(&self, clause: &str) -> bool {
        let clause = clause.trim_end_matches('.');
        let id = self.id();
        id.strip_prefix(clause).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    }
}

/// How often a step of a check sends its request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sends {
    /// It has none.
    #[default]
    Nothing,
    /// Once.
    Once,
    /// Until its answer is right.
    Again,
}

/// What a step of a check looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// How often it sends its request.
    pub sends: Sends,
    /// It looks at headers.
    pub headers: bool,
    /// It looks at more of the body than the type of an error.
    pub body: bool,
}

impl Look {
    fn of(step: &Step) -> Self {
        let sends = match step.kind {
            StepKind::Notified | StepKind::Source { .. } => Sends::Nothing,
            StepKind::Send { eventually: true, .. } => Sends::Again,
            StepKind::Send { .. } | StepKind::Follow { .. } => Sends::Once,
        };
        let mut look = Self { sends, ..Self::default() };
        for expectation in &step.expectations {
            let Expectation::That { target, comparison, .. } = expectation else { continue };
            if matches!(comparison, Comparison::Absent | Comparison::Empty) {
                continue;
            }
            match target {
                Target::Header(_) => look.headers = true,
                Target::Body(_) | Target::Bytes | Target::Ids => look.body = true,
                Target::Link(_) => {}
            }
        }
        look
    }
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not.
    Failed(Failure),
    /// It could not be tried, and why.
    Skipped(String),
}

/// In which way a server does not do what it shall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What should have come.
    pub expected: String,
    /// What came.
    pub came: String,
    /// The request, as a line for a shell.
    pub request: String,
    /// At which step of the check, from 1.
    pub step: usize,
}

/// The files of checks that come with this library.
const FILES: &[(Standard, &str, &str)] = &[
    (Standard::NgsiLd, "provision", include_str!("../checks/ngsi-ld/provision.checks")),
    (Standard::NgsiLd, "batch", include_str!("../checks/ngsi-ld/batch.checks")),
    (Standard::NgsiLd, "consumption", include_str!("../checks/ngsi-ld/consumption.checks")),
    (Standard::NgsiLd, "temporal", include_str!("../checks/ngsi-ld/temporal.checks")),
    (Standard::NgsiLd, "discovery", include_str!("../checks/ngsi-ld/discovery.checks")),
    (Standard::NgsiLd, "subscriptions", include_str!("../checks/ngsi-ld/subscriptions.checks")),
    (Standard::NgsiLd, "contexts", include_str!("../checks/ngsi-ld/contexts.checks")),
    (Standard::NgsiLd, "common", include_str!("../checks/ngsi-ld/common.checks")),
    (Standard::NgsiLd, "model", include_str!("../checks/ngsi-ld/model.checks")),
    (Standard::NgsiLd, "sources", include_str!("../checks/ngsi-ld/sources.checks")),
    (Standard::NgsiLd, "maps", include_str!("../checks/ngsi-ld/maps.checks")),
    (Standard::NgsiLd, "finer", include_str!("../checks/ngsi-ld/finer.checks")),
    (Standard::NgsiLd, "snapshots", include_str!("../checks/ngsi-ld/snapshots.checks")),
    (Standard::OgcApi, "features", include_str!("../checks/ogc/features.checks")),
    (Standard::OgcApi, "edit", include_str!("../checks/ogc/edit.checks")),
    (Standard::OgcApi, "schemas", include_str!("../checks/ogc/schemas.checks")),
    (Standard::OgcApi, "selection", include_str!("../checks/ogc/selection.checks")),
    (Standard::OgcApi, "tiles", include_str!("../checks/ogc/tiles.checks")),
];

/// All checks, by standard and clause.
pub fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for (standard, file, text) in FILES {
        let read = parse(file, *standard, text);
        let scripts = read.unwrap_or_else(|error| panic!("the checks are under test: {error}"));
        checks.extend(scripts.into_iter().map(|script| Check { script }));
    }
    sort(&mut checks);
    checks
}

/// Checks of a file of one's own.
pub fn read_checks(file: &str, standard: Standard, text: &str) -> Result<Vec<Check>, ScriptError> {
    let scripts = parse(file, standard, text)?;
    Ok(scripts.into_iter().map(|script| Check { script }).collect())
}

/// By clause, as people count, and otherwise as they are written.
fn sort(checks: &mut [Check]) {
    checks.sort_by_cached_key(|check| (check.standard(), numbers(check.heading())));
}

fn numbers(heading: &str) -> (Vec<u32>, String) {
    let number = heading.split(' ').next().unwrap_or_default();
    (number.split('.').filter_map(|part| part.parse().ok()).collect(), heading.to_owned())
}
