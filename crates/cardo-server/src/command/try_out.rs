//! `cardo ingest --dry-run` and `--suggest-mapping`: what would become of files, without a data
//! directory.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use cardo_engine::{Caller, Engine, EngineOptions};
use cardo_ingest::{FileJob, Ingestor, JobOptions, Quarantined, terminal_progress};
use cardo_jsonld::{Document, Limits};
use cardo_ngsild::NgsildOptions;
use cardo_store::MemoryStore;
use serde_json::Value;
use tower::ServiceExt;

use super::Failure;
use super::say::say;
use crate::config::Config;
use crate::contexts::KnownContexts;
use crate::parts::read_contexts;

/// So many records that would be put aside are told one by one.
const TOLD: usize = 50;
/// How much of an answer is read.
const MAX_ANSWER: usize = 64 << 20;
/// Under which URL a context of a file is known while it is tried.
const OF_FILE: &str = "https://context.invalid/file.jsonld";

/// Prints a mapping to begin with.
pub(super) fn suggest(job: &FileJob) -> Result<(), Failure> {
    let text = cardo_ingest::suggest_mapping(&job.path, &job.options).map_err(Failure::run)?;
    say(format_args!("{text}"))
}

/// Takes each file into a twin of its own that is forgotten at once, and shows what it holds then.
pub(super) async fn dry_run(config: &Config, jobs: &[FileJob], limit: u16) -> Result<(), Failure> {
    for job in jobs {
        let store = Arc::new(MemoryStore::new());
        let engine = Engine::open(store, EngineOptions::default()).await.map_err(Failure::run)?;
        let tried = try_out(config, &engine, job, limit).await;
        engine.close().await.map_err(Failure::run)?;
        tried?;
    }
    Ok(())
}

async fn try_out(
    config: &Config,
    engine: &Engine,
    job: &FileJob,
    limit: u16,
) -> Result<(), Failure> {
    let mut contexts = read_contexts(config).map_err(Failure::usage)?;
    let context = context(&job.options, &mut contexts)?;
    let known = KnownContexts::new(engine.clone(), contexts.clone(), None);
    let ingestor = Ingestor::new(engine.clone()).with_contexts(Arc::new(known));
    let caller = Caller::local("dry-run");
    let progress = terminal_progress();
    let mut report =
        ingestor.run_file(&caller, job, progress.as_ref()).await.map_err(Failure::run)?;
    let entries = ingestor.quarantined(&caller, None).await.map_err(Failure::run)?;

    say(format_args!("{}: a dry run, nothing is taken in. The first entities:\n", job.source))?;
    let options = NgsildOptions { preloaded_contexts: contexts, ..NgsildOptions::default() };
    let (router, _) = cardo_ngsild::router(engine.clone(), options);
    let entities = if limit == 0 { Vec::new() } else { first(router, context, limit).await? };
    for entity in entities {
        let text = serde_json::to_string_pretty(&entity).map_err(Failure::run)?;
        say(format_args!("{text}\n"))?;
    }
    // The entries below tell the same.
    report.first_reasons.clear();
    say(format_args!("\nA run into an empty twin would read {report}"))?;
    tell_quarantine(&entries, report.quarantined)?;
    match report.stopped {
        Some(reason) => Err(Failure::run(format!("{} broke off: {reason}", job.path.display()))),
        None => Ok(()),
    }
}

fn tell_quarantine(entries: &[Quarantined], all: u64) -> Result<(), Failure> {
    for entry in entries.iter().take(TOLD) {
        say(format_args!("  to the quarantine: {entry}\n"))?;
    }
    let told = entries.len().min(TOLD) as u64;
    if all > told {
        say(format_args!("  … and {} more\n", all - told))?;
    }
    Ok(())
}

/// The URL of the context by which the entities are shown: that of the job, whose file joins those
/// that are known.
fn context(options: &JobOptions, known: &mut Vec<Document>) -> Result<Option<String>, Failure> {
    let of_mapping = || options.mapping.as_ref().and_then(|mapping| mapping.context());
    let Some(name) = options.context.clone().or_else(of_mapping) else { return Ok(None) };
    if name.starts_with("http://") || name.starts_with("https://") {
        return Ok(Some(name));
    }
    let failed = |reason: String| Failure::run(format!("{name}: {reason}"));
    let bytes = std::fs::read(Path::new(&name)).map_err(|error| failed(error.to_string()))?;
    let document = Document::parse(OF_FILE, &bytes, &Limits::default());
    known.push(document.map_err(|error| failed(error.to_string()))?);
    Ok(Some(OF_FILE.to_owned()))
}

/// The first entities, as the server would give them.
async fn first(router: Router, context: Option<String>, limit: u16) -> Result<Vec<Value>, Failure> {
    let mut request = Request::get(format!("/ngsi-ld/v1/entities?local=true&limit={limit}"));
    if let Some(url) = context {
        let link = format!(
            "<{url}>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\""
        );
        request = request.header(header::LINK, link);
    }
    let request = request.body(Body::empty()).map_err(Failure::run)?;
    let Ok(answer) = router.oneshot(request).await;
    let (parts, body) = answer.into_parts();
    let bytes = to_bytes(body, MAX_ANSWER).await.map_err(Failure::run)?;
    let answer: Value = serde_json::from_slice(&bytes).map_err(Failure::run)?;
    match answer {
        Value::Array(entities) if parts.status == StatusCode::OK => Ok(entities),
        problem => {
            Err(Failure::run(format!("the entities cannot be shown: {}", problem["detail"])))
        }
    }
}
