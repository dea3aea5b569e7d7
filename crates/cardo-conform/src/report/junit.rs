//! For build servers, in the XML of JUnit: a suite for each part of the standard.

use std::fmt::Write as _;

use crate::check::Outcome;
use crate::report::{Report, Tried};

impl Report {
    /// The XML document.
    pub fn to_junit(&self) -> String {
        let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
        for group in self.tried.chunk_by(|one, other| one.check.heading() == other.check.heading())
        {
            let failed = group.iter().filter(|t| matches!(t.outcome, Outcome::Failed(_))).count();
            let skipped = group.iter().filter(|t| matches!(t.outcome, Outcome::Skipped(_))).count();
            let _ = writeln!(
                text,
                "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" skipped=\"{skipped}\">",
                escaped(group[0].check.heading()),
                group.len()
            );
            for tried in group {
                case(&mut text, tried);
            }
            text += "  </testsuite>\n";
        }
        text + "</testsuites>\n"
    }
}

fn case(text: &mut String, tried: &Tried) {
    let _ = write!(
        text,
        "    <testcase classname=\"{}\" name=\"{}: {}\" time=\"{:.3}\"",
        escaped(tried.check.clause()),
        escaped(&tried.check.id()),
        escaped(tried.check.rule()),
        tried.took.as_secs_f64()
    );
    match &tried.outcome {
        Outcome::Passed => text.push_str("/>\n"),
        Outcome::Failed(failure) => {
            let _ = writeln!(
                text,
                ">\n      <failure message=\"expected {}\">{}\n{}</failure>\n    </testcase>",
                escaped(&failure.expected),
                escaped(&failure.came),
                escaped(&failure.request)
            );
        }
        Outcome::Skipped(reason) => {
            let reason = escaped(reason);
            let _ = writeln!(text, ">\n      <skipped message=\"{reason}\"/>\n    </testcase>");
        }
    }
}

/// A text as XML holds it; characters that XML cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            character if character.is_control() => {}
            character => out.push(character),
        }
    }
    out
}
