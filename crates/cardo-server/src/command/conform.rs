//! Checks a server from outside and says by clause what holds.

use std::fs;
use std::io::{IsTerminal, stdout};
use std::time::{Duration, Instant};

use cardo_conform::{Check, Options, Paint, Report, Session, Standard, Tried, checks, read_checks};
use futures_util::stream::{self, StreamExt};

use crate::cli::ConformArgs;
use crate::command::Failure;
use crate::command::say::say;

pub(super) fn run(args: &ConformArgs) -> Result<(), Failure> {
    let checks = selected(args)?;
    if args.list {
        for check in &checks {
            say(format_args!("{}  {}\n", check.id(), check.rule()))?;
        }
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let report = runtime.map_err(Failure::run)?.block_on(check(args, &checks))?;
    if let Some(file) = &args.junit {
        let said = |error| Failure::run(format!("{}: {error}", file.display()));
        fs::write(file, report.to_junit()).map_err(said)?;
    }
    if args.json {
        say(format_args!("{:#}\n", report.to_json()))?;
    } else {
        say(format_args!("{}", report.summary(paint())))?;
    }
    let [passed, failed, _] = report.counts();
    match (passed, failed) {
        (_, 1..) => Err(Failure::run(format!("{failed} checks failed"))),
        (0, 0) => Err(Failure::run("no check could be tried")),
        _ => Ok(()),
    }
}

async fn check(args: &ConformArgs, checks: &[Check]) -> Result<Report, Failure> {
    let options = Options {
        tenant: args.tenant.clone(),
        headers: args.headers.iter().map(|header| pair(header)).collect::<Result<_, _>>()?,
        timeout: Duration::from_secs(args.timeout),
        patience: Duration::from_secs(args.patience),
        callback: args.callback,
        ..Options::new(args.url.clone().unwrap_or_default())
    };
    let session = Session::open(options).await.map_err(Failure::run)?;
    let mut report = Report { url: args.url.clone().unwrap_or_default(), tried: Vec::new() };
    let wanted = checks.iter().filter(|check| session.applies(check));
    let mut coming = stream::iter(wanted).map(|check| tried(&session, check)).buffered(args.jobs);
    while let Some(tried) = coming.next().await {
        if !args.json {
            let before = report.tried.last().map(|tried| &tried.check);
            say(format_args!("{}", tried.text(paint(), before)))?;
        }
        report.tried.push(tried);
    }
    drop(coming);
    Ok(report)
}

async fn tried(session: &Session, check: &Check) -> Tried {
    let begin = Instant::now();
    let outcome = session.run(check).await;
    Tried { check: check.clone(), outcome, took: begin.elapsed() }
}

/// The checks that are wanted.
fn selected(args: &ConformArgs) -> Result<Vec<Check>, Failure> {
    let mut all = match &args.checks {
        Some(file) => {
            let name = file.display().to_string();
            let text = fs::read_to_string(file);
            let text = text.map_err(|error| Failure::usage(format!("{name}: {error}")))?;
            read_checks(&name, Standard::NgsiLd, &text).map_err(Failure::usage)?
        }
        None => checks(),
    };
    for clause in &args.only {
        if !all.iter().any(|check| check.is_of(clause)) {
            return Err(Failure::usage(format!("no check is of {clause:?}; --list names all")));
        }
    }
    all.retain(|check| args.only.is_empty() || args.only.iter().any(|clause| check.is_of(clause)));
    Ok(all)
}

fn pair(header: &str) -> Result<(String, String), Failure> {
    match header.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(Failure::usage(format!("{header:?} is no header; NAME: VALUE"))),
    }
}

fn paint() -> Paint {
    if stdout().is_terminal() { Paint::Coloured } else { Paint::Plain }
}
