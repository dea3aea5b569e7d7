//! The language in which checks are written: requests and what is expected of their answers.
//!
//! A file holds checks one after another:
//!
//! ```text
//! clause 5.6.1 Create Entity
//!
//! fixture tree
//! POST /entities
//! {"id": "$a", "type": "$T", "height": 20}
//!
//! == 5.6.1.5 location
//! An entity that is created is answered with 201 and its address.
//! with tree
//! GET /entities/$a
//! Accept: application/json
//! > 200
//! > header Content-Type contains json
//! > .height.value = 20
//! ```
//!
//! `$callback` is where the check itself listens: `notified` waits for what is sent there, and
//! `source GET /path` with a body answers there as a context source, `source GET /path 404` with that
//! status, and `source GET /path silent` never. `$root` is where the base of the API stands.
//!
//! A line `needs CLASS` keeps a check for servers that declare the class, and `needs definition TEXT` for
//! those in whose API definition the text stands. `$a` is an id and `$T` a type that nobody else uses. A step that expects no status wants a 2xx. A table behind
//! the steps makes a check of each of its rows, with `<column>` in the text replaced by the cell.

mod expect;
mod parse;
mod path;
mod rings;

pub(crate) use expect::{Bound, Comparison, Expectation, Operand, Statuses, Target};
pub use parse::ScriptError;
pub(crate) use parse::parse;
pub(crate) use path::Path;

use crate::check::Standard;

/// A check as it is written.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) standard: Standard,
    pub(crate) heading: String,
    pub(crate) clause: String,
    pub(crate) name: String,
    pub(crate) rule: String,
    /// The conformance class that a server has to declare for it.
    pub(crate) needs: Option<String>,
    pub(crate) steps: Vec<Step>,
}

/// A request with what is expected, or something to wait for.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) kind: StepKind,
    pub(crate) expectations: Vec<Expectation>,
}

/// What a step does.
#[derive(Debug, Clone)]
pub(crate) enum StepKind {
    /// Sends a request; again and again where its answer may take a while to be right.
    Send { request: Request, eventually: bool },
    /// Goes where a link of the last answer leads.
    Follow { relation: String },
    /// Waits for the next notification, or for the next request to a context source.
    Notified,
    /// Answers as a context source from now on, or never where there is no status.
    Source { request: Request, status: Option<u16> },
}

/// A request whose texts may hold variables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
}

impl Script {
    /// Whether a variable stands anywhere in what is sent.
    pub(crate) fn uses(&self, variable: &str) -> bool {
        self.steps.iter().any(|step| match &step.kind {
            StepKind::Send { request, .. } => {
                request.target.contains(variable)
                    || request.body.as_ref().is_some_and(|body| body.contains(variable))
                    || request.headers.iter().any(|(_, value)| value.contains(variable))
            }
            StepKind::Follow { .. } => false,
            StepKind::Notified | StepKind::Source { .. } => variable == "$callback",
        })
    }
}
