//! What can be expected of an answer, and whether it holds.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::Value;

use crate::answer::Answer;
use crate::script::Path;
use crate::script::rings::is_right_handed;

const ERRORS: &str = "https://uri.etsi.org/ngsi-ld/errors/";

/// Something that shall hold of an answer; texts may hold variables.
#[derive(Debug, Clone)]
pub(crate) enum Expectation {
    /// One of these statuses.
    Status(Statuses),
    /// An error of this type, in the form of clause 5.5.3.
    Problem { status: u16, kind: String },
    /// Something about a part of the answer.
    That { target: Target, every: bool, comparison: Comparison },
    /// No promise: a part is kept under a name.
    Let { name: String, target: Target, last_segment: bool },
}

/// Statuses that are right.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statuses(pub(crate) Vec<String>);

/// A part of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Header(String),
    Body(Path),
    /// The bytes of the body.
    Bytes,
    /// Where a link of this relation leads, in the header or in the body.
    Link(String),
    /// The ids of what is listed.
    Ids,
}

/// How a part is judged.
#[derive(Debug, Clone)]
pub(crate) enum Comparison {
    Equal(Operand),
    Unequal(Operand),
    Has(Operand),
    Contains(Operand),
    Lacks(Operand),
    AnyOrder(Operand),
    Matches(Operand),
    Ends(Operand),
    Less(Operand),
    More(Operand),
    Length(Operand),
    Is(String),
    Present,
    Absent,
    Empty,
}

/// What a part is compared with.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    /// A text that becomes JSON, or the text itself for headers.
    Text(String),
    /// Another part of the same answer.
    Part(Path),
    /// The length of another part.
    LengthOf(Path),
}

/// Nothing where it holds, else what was expected and what came.
pub(crate) type Verdict = Result<(), (String, String)>;

impl Statuses {
    /// Whether the status is among them; `2xx` stands for all of a class.
    pub(crate) fn allow(&self, status: u16) -> bool {
        let status = status.to_string();
        self.0.iter().any(|allowed| match allowed.strip_suffix("xx") {
            Some(class) => status.starts_with(class),
            None => *allowed == status,
        })
    }
}

/// An expectation whose variables are filled in.
pub(crate) struct Bound<'e> {
    pub(crate) expectation: &'e Expectation,
    /// Fills variables in.
    pub(crate) fill: &'e dyn Fn(&str) -> String,
}

impl Bound<'_> {
    /// Judges an answer.
    pub(crate) fn judge(&self, answer: &Answer) -> Verdict {
        match self.expectation {
            Expectation::Status(statuses) if statuses.allow(answer.status) => Ok(()),
            Expectation::Status(statuses) => {
                Err((format!("status {}", statuses.0.join(" or ")), answer.summary()))
            }
            Expectation::Problem { status, kind } => problem(*status, kind, answer),
            Expectation::That { target, every, comparison } => {
                self.compare(target, *every, comparison, answer)
            }
            Expectation::Let { .. } => Ok(()),
        }
    }

    fn compare(
        &self,
        target: &Target,
        every: bool,
        comparison: &Comparison,
        answer: &Answer,
    ) -> Verdict {
        let target = target.filled(self.fill);
        let found = target.find(answer);
        let name = target.name();
        if every {
            if found.is_empty() {
                return Err((format!("{name} to be there"), answer.summary()));
            }
            for value in &found {
                self.one(&name, Some(value), comparison, answer)?;
            }
            return Ok(());
        }
        if target.is_plural() {
            return self.one(&name, Some(&Value::Array(found)), comparison, answer);
        }
        self.one(&name, found.first(), comparison, answer)
    }

    fn one(
        &self,
        name: &str,
        value: Option<&Value>,
        comparison: &Comparison,
        answer: &Answer,
    ) -> Verdict {
        match (comparison, value) {
            (Comparison::Absent, None) | (Comparison::Present, Some(_)) => Ok(()),
            (Comparison::Absent, Some(value)) => {
                Err((format!("no {name}"), format!("{name} is {}", short(value))))
            }
            (_, None) => Err((format!("{name} to be there"), answer.summary())),
            (comparison, Some(value)) => {
                let (holds, wanted) = self.holds(value, comparison, answer)?;
                if holds {
                    Ok(())
                } else {
                    Err((format!("{name} {wanted}"), format!("{name} is {}", short(value))))
                }
            }
        }
    }

    /// Whether it holds, and in words what was wanted.
    fn holds(
        &self,
        value: &Value,
        comparison: &Comparison,
        answer: &Answer,
    ) -> Result<(bool, String), (String, String)> {
        let operand = |operand: &Operand| self.operand(operand, answer);
        Ok(match comparison {
            Comparison::Equal(to) => {
                let to = operand(to)?;
                (equal(value, &to), format!("= {to}"))
            }
            Comparison::Unequal(to) => {
                let to = operand(to)?;
                (!equal(value, &to), format!("other than {to}"))
            }
            Comparison::Has(to) => {
                let to = operand(to)?;
                (has(value, &to), format!("with {to}"))
            }
            Comparison::Contains(to) => {
                let to = operand(to)?;
                (contains(value, &to), format!("containing {to}"))
            }
            Comparison::Lacks(to) => {
                let to = operand(to)?;
                (!contains(value, &to), format!("without {to}"))
            }
            Comparison::AnyOrder(to) => {
                let to = operand(to)?;
                (same_set(value, &to), format!("{to} in any order"))
            }
            Comparison::Matches(pattern) => {
                let pattern = text(&operand(pattern)?);
                let is_match = Regex::new(&pattern).is_ok_and(|regex| regex.is_match(&text(value)));
                (is_match, format!("to match {pattern}"))
            }
            Comparison::Ends(end) => {
                let end = text(&operand(end)?);
                (text(value).ends_with(&end), format!("to end in {end}"))
            }
            Comparison::Less(than) => {
                let than = operand(than)?;
                (compare(value, &than).is_some_and(Ordering::is_lt), format!("< {than}"))
            }
            Comparison::More(than) => {
                let than = operand(than)?;
                (compare(value, &than).is_some_and(Ordering::is_gt), format!("> {than}"))
            }
            Comparison::Length(wanted) => {
                let wanted = operand(wanted)?;
                let length = length(value).map(Value::from);
                (
                    length.is_some_and(|length| equal(&length, &wanted)),
                    format!("of length {wanted}"),
                )
            }
            Comparison::Is(kind) => (is_kind(value, kind), format!("to be a {kind}")),
            Comparison::Empty => (length(value) == Some(0), "to be empty".to_owned()),
            Comparison::Present | Comparison::Absent => (true, String::new()),
        })
    }

    fn operand(&self, operand: &Operand, answer: &Answer) -> Result<Value, (String, String)> {
        let part = |path: &Path| {
            let found = Target::Body(path.filled(self.fill)).find(answer);
            let missing = || (format!("{} to be there", path.as_str()), answer.summary());
            if path.is_plural() {
                return Ok(Value::Array(found));
            }
            found.into_iter().next().ok_or_else(missing)
        };
        match operand {
            Operand::Text(text) => {
                let text = (self.fill)(text);
                Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
            }
            Operand::Part(path) => part(path),
            Operand::LengthOf(path) => Ok(length(&part(path)?).unwrap_or_default().into()),
        }
    }
}

impl Target {
    /// The same with its variables filled in.
    pub(crate) fn filled(&self, fill: &dyn Fn(&str) -> String) -> Self {
        match self {
            Self::Body(path) => Self::Body(path.filled(fill)),
            other => other.clone(),
        }
    }

    /// What stands there, which is nothing where it is absent.
    pub(crate) fn find(&self, answer: &Answer) -> Vec<Value> {
        match self {
            Self::Header(name) => answer.header(name).map(Value::from).into_iter().collect(),
            Self::Body(path) => {
                answer.json.iter().flat_map(|json| path.find(json)).cloned().collect()
            }
            Self::Bytes => vec![String::from_utf8_lossy(&answer.body).into()],
            Self::Link(relation) => answer.link(relation).map(Value::from).into_iter().collect(),
            Self::Ids => answer.ids().into_iter().map(Value::from).collect(),
        }
    }

    fn is_plural(&self) -> bool {
        match self {
            Self::Body(path) => path.is_plural(),
            Self::Ids => true,
            Self::Header(_) | Self::Link(_) | Self::Bytes => false,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Header(name) => format!("header {name}"),
            Self::Body(path) if path.as_str() == "." => "the body".to_owned(),
            Self::Body(path) => path.as_str().to_owned(),
            Self::Bytes => "the body".to_owned(),
            Self::Link(relation) => format!("a link {relation}"),
            Self::Ids => "the ids".to_owned(),
        }
    }
}

/// An error as clauses 5.5.2, 5.5.3 and 6.3.3 want it.
fn problem(status: u16, kind: &str, answer: &Answer) -> Verdict {
    let expected = || format!("status {status} with an error of type {ERRORS}{kind}");
    let json = answer.json.as_ref();
    let text = |member: &str| json.and_then(|json| json.get(member)).and_then(Value::as_str);
    if answer.status != status || text("type") != Some(&format!("{ERRORS}{kind}")) {
        return Err((expected(), answer.summary()));
    }
    for member in ["title", "detail"] {
        if text(member).is_none_or(str::is_empty) {
            return Err((format!("an error with a {member}"), answer.summary()));
        }
    }
    let media = answer.header("content-type").unwrap_or_default();
    if media.starts_with("application/json") {
        return Ok(());
    }
    Err(("an error of media type application/json".to_owned(), format!("it is {media:?}")))
}

/// Equal as JSON: members have no order, and 1 is 1.0.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|o| equal(value, o)))
        }
        _ => one == other,
    }
}

/// Whether a value has all members that are wanted; other values are equal.
fn has(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, wanted)| value.get(name).is_some_and(|value| has(value, wanted))),
        (Value::Array(value), Value::Array(wanted)) => {
            value.len() == wanted.len() && value.iter().zip(wanted).all(|(v, w)| has(v, w))
        }
        _ => equal(value, wanted),
    }
}

/// Whether a text contains another, or an array something that has what is wanted.
fn contains(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::String(value), wanted) => {
            value.to_lowercase().contains(&text(wanted).to_lowercase())
        }
        (Value::Array(items), wanted) => items.iter().any(|item| has(item, wanted)),
        _ => false,
    }
}

/// Whether two arrays hold the same, in any order.
fn same_set(value: &Value, wanted: &Value) -> bool {
    let (Value::Array(value), Value::Array(wanted)) = (value, wanted) else { return false };
    let mut rest: Vec<&Value> = value.iter().collect();
    wanted.iter().all(|wanted| {
        let at = rest.iter().position(|value| equal(value, wanted));
        at.map(|at| rest.swap_remove(at)).is_some()
    }) && rest.is_empty()
}

fn compare(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::Array(items) => Some(items.len()),
        Value::Object(members) => Some(members.len()),
        Value::String(text) => Some(text.len()),
        _ => None,
    }
}

/// A text as it is, anything else as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_kind(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "time" => value
            .as_str()
            .is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok() && text.ends_with('Z')),
        "uri" => value.as_str().is_some_and(|text| url::Url::parse(text).is_ok()),
        "right-handed" => is_right_handed(value),
        _ => false,
    }
}

/// A value as a person wants to see it in a message.
fn short(value: &Value) -> String {
    crate::answer::cut(&value.to_string(), 400)
}
