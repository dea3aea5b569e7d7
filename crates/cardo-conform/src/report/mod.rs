//! What came of all checks, for people and for programs.

mod json;
mod junit;
mod text;

use std::time::Duration;

pub use text::Paint;

use crate::check::{Check, Outcome};

/// A check that was tried.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The check.
    pub check: Check,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// All checks that were tried on a server.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The URL that was given.
    pub url: String,
    /// The checks, in their order.
    pub tried: Vec<Tried>,
}

impl Report {
    /// How many passed, failed and were skipped.
    pub fn counts(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for tried in &self.tried {
            counts[match tried.outcome {
                Outcome::Passed => 0,
                Outcome::Failed(_) => 1,
                Outcome::Skipped(_) => 2,
            }] += 1;
        }
        counts
    }

    /// Whether no check failed and at least one passed.
    pub fn is_good(&self) -> bool {
        let [passed, failed, _] = self.counts();
        passed > 0 && failed == 0
    }
}
