//! Reading checks from text.

use std::collections::HashMap;

use thiserror::Error;

use crate::check::Standard;
use crate::script::{
    Comparison, Expectation, Operand, Path, Request, Script, Statuses, Step, StepKind, Target,
};

/// A file of checks that cannot be read.
#[derive(Debug, Error)]
#[error("{file}, line {line}: {reason}")]
pub struct ScriptError {
    file: String,
    line: usize,
    reason: String,
}

/// A line with its number.
type Line<'t> = (usize, &'t str);

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Reads all checks of a file.
pub(crate) fn parse(
    file: &str,
    standard: Standard,
    text: &str,
) -> Result<Vec<Script>, ScriptError> {
    let lines: Vec<Line<'_>> = text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim()))
        .filter(|(_, line)| !line.starts_with("# "))
        .collect();
    let error =
        |(line, reason): (usize, String)| ScriptError { file: file.to_owned(), line, reason };
    let mut fixtures = HashMap::new();
    let mut scripts = Vec::new();
    let begins =
        |line: &str| ["== ", "fixture ", "clause "].iter().any(|word| line.starts_with(word));
    let mut heading = "";
    let mut rest = &lines[..];
    while let Some(&(number, line)) = rest.first() {
        rest = &rest[1..];
        let end = rest.iter().position(|(_, line)| begins(line)).unwrap_or(rest.len());
        if let Some(name) = line.strip_prefix("fixture ") {
            let steps = steps(&rest[..end], &fixtures).map_err(error)?;
            fixtures.insert(name.to_owned(), steps);
        } else if let Some(title) = line.strip_prefix("== ") {
            let place = Place { standard, heading, title, number };
            scripts.extend(check(&place, &rest[..end], &fixtures).map_err(error)?);
        } else if let Some(title) = line.strip_prefix("clause ") {
            heading = title;
        } else if line.is_empty() {
            continue;
        } else {
            return Err(error((number, format!("{line:?} begins neither a check nor a fixture"))));
        }
        rest = &rest[end..];
    }
    Ok(scripts)
}

type Fixtures = HashMap<String, Vec<Step>>;
type Problem = (usize, String);

/// Where a check stands, and its first line.
#[derive(Clone, Copy)]
struct Place<'t> {
    standard: Standard,
    heading: &'t str,
    title: &'t str,
    number: usize,
}

/// A check, or as many as its table has rows.
fn check(
    place: &Place<'_>,
    block: &[Line<'_>],
    fixtures: &Fixtures,
) -> Result<Vec<Script>, Problem> {
    let is_row = |line: &str| line.starts_with("| ");
    let table: Vec<Line<'_>> = block.iter().filter(|(_, line)| is_row(line)).copied().collect();
    let block: Vec<Line<'_>> = block.iter().filter(|(_, line)| !is_row(line)).copied().collect();
    let Some(((_, head), rows)) = table.split_first() else {
        return Ok(vec![one(place, &block, fixtures)?]);
    };
    let columns = cells(head);
    let mut scripts = Vec::with_capacity(rows.len());
    for &(number, row) in rows {
        let cells = cells(row);
        if cells.len() != columns.len() {
            return Err((number, format!("{} cells, not {}", cells.len(), columns.len())));
        }
        let fill = |text: &str| {
            columns.iter().zip(&cells).fold(text.to_owned(), |text, (column, cell)| {
                text.replace(&format!("<{column}>"), cell)
            })
        };
        let filled: Vec<(usize, String)> =
            block.iter().map(|(at, line)| (*at, fill(line))).collect();
        let lines: Vec<Line<'_>> = filled.iter().map(|(at, line)| (*at, line.as_str())).collect();
        let title = fill(place.title);
        let place = Place { title: &title, number, ..*place };
        scripts.push(one(&place, &lines, fixtures)?);
    }
    Ok(scripts)
}

/// The cells of a row; `||` between words is an operator of `q` and no border.
fn cells(row: &str) -> Vec<&str> {
    let inner = row.strip_prefix("| ").unwrap_or(row);
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    inner.split(" | ").map(str::trim).collect()
}

fn one(place: &Place<'_>, block: &[Line<'_>], fixtures: &Fixtures) -> Result<Script, Problem> {
    let Place { standard, heading, title, number } = *place;
    let (clause, name) =
        title.split_once(' ').ok_or((number, "a check has a clause and a name".to_owned()))?;
    let begins = block
        .iter()
        .position(|(_, line)| begins_step(line))
        .ok_or((number, "no steps".to_owned()))?;
    let words = block[..begins].iter().map(|(_, line)| *line).filter(|line| !line.is_empty());
    let (needs, words): (Vec<&str>, Vec<&str>) = words.partition(|line| line.starts_with("needs "));
    let needs = needs.first().map(|line| line["needs ".len()..].to_owned());
    let rule = words.join(" ");
    if rule.is_empty() {
        return Err((number, "a check says what shall hold".to_owned()));
    }
    let steps = steps(&block[begins..], fixtures)?;
    let (heading, clause, name) = (heading.to_owned(), clause.to_owned(), name.to_owned());
    Ok(Script { standard, heading, clause, name, rule, needs, steps })
}

fn is_request(line: &str) -> bool {
    METHODS.iter().any(|method| {
        line.strip_prefix(method)
            .is_some_and(|rest| rest.starts_with(" /") || rest.starts_with(" $"))
    })
}

fn begins_step(line: &str) -> bool {
    is_request(line.strip_prefix("eventually ").unwrap_or(line))
        || line.starts_with("with ")
        || line.starts_with("follow ")
        || line.starts_with("source ")
        || line == "notified"
}

fn steps(lines: &[Line<'_>], fixtures: &Fixtures) -> Result<Vec<Step>, Problem> {
    let mut steps: Vec<Step> = Vec::new();
    let mut rest = lines;
    while let Some(&(number, line)) = rest.first() {
        rest = &rest[1..];
        if line.is_empty() {
            continue;
        }
        if let Some(fixture) = line.strip_prefix("with ") {
            let known = fixtures.get(fixture);
            steps.extend(known.ok_or((number, format!("no fixture {fixture}")))?.iter().cloned());
            continue;
        }
        let end = rest.iter().position(|(_, line)| begins_step(line)).unwrap_or(rest.len());
        steps.push(step(number, line, &rest[..end])?);
        rest = &rest[end..];
    }
    Ok(steps)
}

fn step(number: usize, line: &str, block: &[Line<'_>]) -> Result<Step, Problem> {
    let mut expectations = Vec::new();
    let mut sent = Vec::new();
    for &(number, line) in block {
        match line.strip_prefix("> ") {
            Some(text) => {
                expectations.push(expectation(text).map_err(|reason| (number, reason))?);
            }
            None if line.is_empty() => {}
            None => sent.push((number, line)),
        }
    }
    if let Some(relation) = line.strip_prefix("follow ") {
        let kind = StepKind::Follow { relation: relation.to_owned() };
        return Ok(Step { kind, expectations });
    }
    if line == "notified" {
        return Ok(Step { kind: StepKind::Notified, expectations });
    }
    if let Some(line) = line.strip_prefix("source ") {
        let words: Vec<&str> = line.split(' ').collect();
        let status = match words.get(2) {
            None => Some(200),
            Some(&"silent") => None,
            Some(status) => {
                Some(status.parse().map_err(|_| (number, format!("{line:?} has no status")))?)
            }
        };
        let request = request(&words[..words.len().min(2)].join(" "), &sent);
        return Ok(Step { kind: StepKind::Source { request, status }, expectations });
    }
    let (line, eventually) = match line.strip_prefix("eventually ") {
        Some(line) => (line, true),
        None => (line, false),
    };
    if !is_request(line) {
        return Err((number, format!("{line:?} is no step")));
    }
    let request = request(line, &sent);
    Ok(Step { kind: StepKind::Send { request, eventually }, expectations })
}

fn request(line: &str, sent: &[Line<'_>]) -> Request {
    let (method, target) = line.split_once(' ').unwrap_or((line, "/"));
    let mut request =
        Request { method: method.to_owned(), target: target.to_owned(), ..Request::default() };
    let begins = sent.iter().position(|(_, line)| line.starts_with(['{', '[', '"', '<']));
    let (heads, body) = sent.split_at(begins.unwrap_or(sent.len()));
    for (_, line) in heads {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        request.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    if !body.is_empty() {
        let body = body.iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
        request.body =
            Some(body.strip_prefix("<<<").map_or(body.clone(), |raw| raw.trim().to_owned()));
    }
    request
}

/// What stands behind `> `.
fn expectation(text: &str) -> Result<Expectation, String> {
    if let Some(rest) = text.strip_prefix("let ") {
        let (name, what) = rest.split_once(" = ").ok_or("let NAME = WHAT")?;
        let (what, last_segment) = match what.strip_prefix("last of ") {
            Some(what) => (what, true),
            None => (what, false),
        };
        let (target, rest) = target(what)?;
        return nothing_behind(
            rest,
            Expectation::Let { name: name.to_owned(), target, last_segment },
        );
    }
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return status(text);
    }
    let (text, every) = match text.strip_prefix("every ") {
        Some(text) => (text, true),
        None => (text, false),
    };
    if let Some(rest) = text.strip_prefix("ids ") {
        return ids(rest);
    }
    let (target, rest) = target(text)?;
    let comparison = comparison(rest)?;
    Ok(Expectation::That { target, every, comparison })
}

fn nothing_behind<T>(rest: &str, value: T) -> Result<T, String> {
    if rest.is_empty() { Ok(value) } else { Err(format!("{rest:?} is too much")) }
}

fn status(text: &str) -> Result<Expectation, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if let [status, kind] = words[..]
        && kind.starts_with(|first: char| first.is_ascii_uppercase())
    {
        let status = status.parse().map_err(|_| format!("{status} is no status"))?;
        return Ok(Expectation::Problem { status, kind: kind.to_owned() });
    }
    let is_status = |word: &&str| word.len() == 3 && word.starts_with(|c: char| c.is_ascii_digit());
    if !words.iter().all(is_status) {
        return Err(format!("{text:?} are no statuses"));
    }
    Ok(Expectation::Status(Statuses(words.into_iter().map(str::to_owned).collect())))
}

/// `= $a $b` in this order, `any $a $b` in any.
fn ids(rest: &str) -> Result<Expectation, String> {
    let (how, names) = rest.split_once(' ').unwrap_or((rest, ""));
    let quoted: Vec<String> = names
        .split_whitespace()
        .filter(|name| *name != "none")
        .map(|name| format!("\"{name}\""))
        .collect();
    let list = Operand::Text(format!("[{}]", quoted.join(",")));
    let comparison = match how {
        "=" => Comparison::Equal(list),
        "any" => Comparison::AnyOrder(list),
        _ => return Err(format!("ids = … or ids any …, not {how:?}")),
    };
    Ok(Expectation::That { target: Target::Ids, every: false, comparison })
}

fn target(text: &str) -> Result<(Target, &str), String> {
    let named = |rest: &'_ str| -> (String, usize) {
        let end = rest.find(' ').unwrap_or(rest.len());
        (rest[..end].to_owned(), end)
    };
    if let Some(rest) = text.strip_prefix("header ") {
        let (name, end) = named(rest);
        return Ok((Target::Header(name), rest[end..].trim_start()));
    }
    if let Some(rest) = text.strip_prefix("link ") {
        let (relation, end) = named(rest);
        return Ok((Target::Link(relation), rest[end..].trim_start()));
    }
    if let Some(rest) = text.strip_prefix("body") {
        return Ok((Target::Bytes, rest.trim_start()));
    }
    if text.starts_with(['.', '[']) {
        let (path, rest) = Path::read(text)?;
        return Ok((Target::Body(path), rest));
    }
    Err(format!("{text:?} is no part of an answer"))
}

fn comparison(text: &str) -> Result<Comparison, String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let plain = |comparison| nothing_behind(rest, comparison);
    match word {
        "present" => return plain(Comparison::Present),
        "absent" => return plain(Comparison::Absent),
        "empty" => return plain(Comparison::Empty),
        "is" => return Ok(Comparison::Is(rest.to_owned())),
        _ => {}
    }
    let operand = operand(rest)?;
    Ok(match word {
        "=" => Comparison::Equal(operand),
        "!=" => Comparison::Unequal(operand),
        "has" => Comparison::Has(operand),
        "contains" => Comparison::Contains(operand),
        "lacks" => Comparison::Lacks(operand),
        "any" => Comparison::AnyOrder(operand),
        "matches" => Comparison::Matches(operand),
        "ends" => Comparison::Ends(operand),
        "<" => Comparison::Less(operand),
        ">" => Comparison::More(operand),
        "len" => Comparison::Length(operand),
        _ => return Err(format!("{word:?} is no comparison")),
    })
}

fn operand(text: &str) -> Result<Operand, String> {
    let whole = |text: &str| {
        let (path, rest) = Path::read(text)?;
        nothing_behind(rest, path)
    };
    if let Some(path) = text.strip_prefix("len ") {
        return whole(path).map(Operand::LengthOf);
    }
    if text.starts_with('.') {
        return whole(text).map(Operand::Part);
    }
    if text.is_empty() {
        return Err("nothing to compare with".to_owned());
    }
    Ok(Operand::Text(text.to_owned()))
}
