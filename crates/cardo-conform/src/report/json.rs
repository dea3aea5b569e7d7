//! For programs.

use serde_json::{Value, json};

use crate::check::{Outcome, Standard};
use crate::report::{Report, Tried};

impl Report {
    /// A document with the counts and each check.
    pub fn to_json(&self) -> Value {
        let [passed, failed, skipped] = self.counts();
        json!({
            "url": self.url,
            "passed": passed,
            "failed": failed,
            "skipped": skipped,
            "checks": self.tried.iter().map(Tried::to_json).collect::<Vec<_>>(),
        })
    }
}

impl Tried {
    fn to_json(&self) -> Value {
        let standard = match self.check.standard() {
            Standard::NgsiLd => "NGSI-LD",
            Standard::OgcApi => "OGC API",
        };
        let mut document = json!({
            "id": self.check.id(),
            "standard": standard,
            "clause": self.check.clause(),
            "rule": self.check.rule(),
            "milliseconds": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
        });
        match &self.outcome {
            Outcome::Passed => document["outcome"] = "passed".into(),
            Outcome::Failed(failure) => {
                document["outcome"] = "failed".into();
                document["step"] = failure.step.into();
                document["expected"] = failure.expected.as_str().into();
                document["came"] = failure.came.as_str().into();
                document["request"] = failure.request.as_str().into();
            }
            Outcome::Skipped(reason) => {
                document["outcome"] = "skipped".into();
                document["reason"] = reason.as_str().into();
            }
        }
        document
    }
}
