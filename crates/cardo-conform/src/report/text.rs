//! For people, by clause.

use std::fmt::Write as _;

use crate::check::{Check, Outcome};
use crate::report::{Report, Tried};

/// How text is written: with colours for a terminal, or plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// As it is.
    Plain,
    /// With the colours of a terminal.
    Coloured,
}

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const DIM: &str = "2";

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

impl Tried {
    /// A line that says what came of it, with what was expected below where it failed; a heading stands
    /// before the first check of its part of the standard.
    pub fn text(&self, paint: Paint, before: Option<&Check>) -> String {
        let check = &self.check;
        let mut text = String::new();
        if before.is_none_or(|before| before.standard() != check.standard()) {
            let _ = writeln!(text, "\n{}", paint.with(BOLD, check.standard().title()));
        }
        if before.is_none_or(|before| before.heading() != check.heading()) {
            let _ = writeln!(text, "\n{}", paint.with(BOLD, check.heading()));
        }
        let id = check.id();
        match &self.outcome {
            Outcome::Passed => {
                let rule = paint.with(DIM, check.rule());
                let _ = writeln!(text, "  {} {id}  {rule}", paint.with(GREEN, "✓"));
            }
            Outcome::Failed(failure) => {
                let _ = writeln!(text, "  {} {id}  {}", paint.with(RED, "✗"), check.rule());
                for (name, value) in [
                    ("expected", &failure.expected),
                    ("came", &failure.came),
                    ("request", &failure.request),
                ] {
                    let _ =
                        writeln!(text, "      {}  {value}", paint.with(DIM, &format!("{name:8}")));
                }
            }
            Outcome::Skipped(reason) => {
                let _ = writeln!(text, "  {} {id}  {reason}", paint.with(YELLOW, "–"));
            }
        }
        text
    }
}

impl Report {
    /// The last lines: how many passed, and what failed.
    pub fn summary(&self, paint: Paint) -> String {
        let [passed, failed, skipped] = self.counts();
        let mut text = String::new();
        let is_failed = |tried: &&Tried| matches!(tried.outcome, Outcome::Failed(_));
        for tried in self.tried.iter().filter(is_failed) {
            let _ = writeln!(text, "  {} {}", paint.with(RED, "✗"), tried.check.id());
        }
        if failed > 0 {
            text = format!("\nWhat failed:\n{text}");
        }
        let colour = if failed > 0 { RED } else { GREEN };
        let counts = format!("{passed} passed, {failed} failed, {skipped} skipped");
        format!("{text}\n{}\n", paint.with(colour, &counts))
    }
}
