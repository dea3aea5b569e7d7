//! `/sources`: how the sources of the configuration are, their quarantines, and where records are
//! pushed to.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LINK, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cardo_http::{
    Access, BodyError, Params, Rights, TENANT, asked_twin, bearer_token, parse_links, read_body,
};
use cardo_ingest::{
    IngestError, PushError, Pushed, Quarantined, Report, RunningSource, SourceStatus,
};
use cardo_model::TwinId;
use serde_json::{Value, json};

use crate::operations::Operations;
use crate::refusal::{Refusal, granted};

/// How many entries of a quarantine a page holds where nothing is said, and at most.
const USUAL_PAGE: usize = 100;
const LARGEST_PAGE: usize = 1_000;

const CONTEXT_REL: &str = "http://www.w3.org/ns/json-ld#context";

pub(crate) fn router() -> Router<Operations> {
    Router::new()
        .route("/sources", get(list))
        .route("/sources/{name}", get(one))
        .route("/sources/{name}/quarantine", get(quarantine).delete(clear))
        .route("/sources/{name}/quarantine/replay", post(replay))
        .route("/sources/{name}/push", post(push))
}

type Answer = Result<Value, Refusal>;

async fn list(State(operations): State<Operations>, parts: Parts) -> Response {
    let sources = async {
        let twin = permitted(&operations, &parts, Rights::Read)?;
        let mut list = Vec::new();
        for source in operations.sources.of(&twin) {
            list.push(of_source(&source).await?);
        }
        Ok(Value::Array(list))
    };
    answer(sources.await)
}

async fn one(
    State(operations): State<Operations>,
    Path(name): Path<String>,
    parts: Parts,
) -> Response {
    let source = async { of_source(&found(&operations, &parts, &name, Rights::Read)?).await };
    answer(source.await)
}

async fn quarantine(
    State(operations): State<Operations>,
    Path(name): Path<String>,
    parts: Parts,
) -> Response {
    let page = async {
        let source = found(&operations, &parts, &name, Rights::Read)?;
        let (offset, limit) = page_of(parts.uri.query())?;
        let entries = source.quarantined().await.map_err(unavailable)?;
        let page = entries.iter().skip(offset).take(limit).map(of_entry);
        Ok(json!({
            "source": name,
            "total": entries.len(),
            "offset": offset,
            "limit": limit,
            "records": page.collect::<Vec<_>>(),
        }))
    };
    answer(page.await)
}

async fn clear(
    State(operations): State<Operations>,
    Path(name): Path<String>,
    parts: Parts,
) -> Response {
    let cleared = async {
        let source = found(&operations, &parts, &name, Rights::Write)?;
        let removed = source.clear_quarantine().await.map_err(unavailable)?;
        Ok(json!({ "removed": removed }))
    };
    answer(cleared.await)
}

async fn replay(
    State(operations): State<Operations>,
    Path(name): Path<String>,
    parts: Parts,
) -> Response {
    let replayed = async {
        let source = found(&operations, &parts, &name, Rights::Write)?;
        Ok(of_report(&source.replay_quarantine().await.map_err(unavailable)?))
    };
    answer(replayed.await)
}

async fn push(
    State(operations): State<Operations>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    answer(pushed(&operations, &name, &parts, body).await)
}

async fn pushed(operations: &Operations, name: &str, parts: &Parts, body: Body) -> Answer {
    let source = pushed_to(operations, name, parts);
    let knows_secret = |source: &RunningSource| {
        bearer_token(&parts.headers).is_some_and(|secret| source.is_secret(secret))
    };
    if !source.as_ref().is_some_and(knows_secret) {
        let twin = source.as_ref().map(|source| source.twin().clone());
        let twin = twin.unwrap_or_default();
        let access = Access { headers: &parts.headers, twin: &twin, rights: Rights::Write };
        operations.authorizer.authorize(&access)?;
    }
    let source = source.ok_or_else(|| unknown(name))?;
    let body = read_body(&parts.headers, body, operations.max_body)
        .await
        .map_err(|error| of_body(&error))?;
    let context = context_of(parts)?;
    let report = source.push(Pushed { body: &body, context: context.as_deref() }).await;
    Ok(of_report(&report.map_err(of_push)?))
}

/// The source that is pushed to. Who notifies names a tenant of their own, which may be none of ours;
/// then it is the path that counts.
fn pushed_to(operations: &Operations, name: &str, parts: &Parts) -> Option<RunningSource> {
    let asked = asked_twin(parts).ok().flatten().unwrap_or_default();
    operations.sources.find(&asked, name).or_else(|| {
        let mut by_path = Request::new(()).into_parts().0;
        by_path.extensions = parts.extensions.clone();
        let twin = asked_twin(&by_path).ok().flatten().unwrap_or_default();
        parts.headers.contains_key(TENANT).then(|| operations.sources.find(&twin, name)).flatten()
    })
}

fn context_of(parts: &Parts) -> Result<Option<String>, Refusal> {
    let malformed = || Refusal(StatusCode::BAD_REQUEST, "the Link header is malformed".to_owned());
    for header in parts.headers.get_all(LINK) {
        let text = header.to_str().map_err(|_| malformed())?;
        for link in parse_links(text).ok_or_else(malformed)? {
            if link.rel.iter().any(|rel| rel == CONTEXT_REL) {
                return Ok(Some(link.target.to_owned()));
            }
        }
    }
    Ok(None)
}

/// The twin that is asked about, where the caller may do that.
fn permitted(operations: &Operations, parts: &Parts, rights: Rights) -> Result<TwinId, Refusal> {
    let (twin, granted) = granted(operations, parts, rights)?;
    // A quarantine holds records before anybody can say who may see them.
    if granted.view.restriction().is_some() {
        let why = "the sources are for those who see all of the twin".to_owned();
        return Err(Refusal(StatusCode::FORBIDDEN, why));
    }
    Ok(twin)
}

fn found(
    operations: &Operations,
    parts: &Parts,
    name: &str,
    rights: Rights,
) -> Result<RunningSource, Refusal> {
    let twin = permitted(operations, parts, rights)?;
    operations.sources.find(&twin, name).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Refusal {
    Refusal(StatusCode::NOT_FOUND, format!("there is no source {name:?}"))
}

fn page_of(query: Option<&str>) -> Result<(usize, usize), Refusal> {
    let bad = |detail: String| Refusal(StatusCode::BAD_REQUEST, detail);
    let params = Params::parse(query, &["limit", "offset"], &[]).map_err(|e| bad(e.to_string()))?;
    let number = |name: &str, usual: usize| match params.get(name) {
        None => Ok(usual),
        Some(text) => {
            text.parse().map_err(|_| bad(format!("{name} is {text:?}, which is no whole number")))
        }
    };
    Ok((number("offset", 0)?, number("limit", USUAL_PAGE)?.min(LARGEST_PAGE)))
}

fn unavailable(error: IngestError) -> Refusal {
    match error {
        // What the operator has configured is what they are told.
        IngestError::Mapping(_) | IngestError::Context { .. } => {
            Refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
        }
        error => {
            tracing::error!(%error, "a source could not be worked on");
            let why = "the twin cannot be read or written now".to_owned();
            Refusal(StatusCode::SERVICE_UNAVAILABLE, why)
        }
    }
}

fn of_push(error: PushError) -> Refusal {
    match error {
        PushError::NotPushed(_) => Refusal(StatusCode::CONFLICT, error.to_string()),
        PushError::Body(why) => Refusal(StatusCode::BAD_REQUEST, why),
        PushError::Failed(error) => unavailable(error),
        error => Refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

fn of_body(error: &BodyError) -> Refusal {
    let status = match error {
        BodyError::LengthRequired => StatusCode::LENGTH_REQUIRED,
        BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::Coding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        _ => StatusCode::BAD_REQUEST,
    };
    Refusal(status, error.to_string())
}

async fn of_source(source: &RunningSource) -> Answer {
    let SourceStatus { state, counts, rate, last_record, last_error, next_attempt } =
        source.status();
    let config = source.config();
    let errors = counts.failures + counts.quarantined;
    Ok(json!({
        "name": config.name,
        "kind": config.kind().map(cardo_ingest::SourceKind::name),
        "state": state.name(),
        "lastRecord": last_record.map(|moment| moment.to_string()),
        "rate": (rate * 1_000.0).round() / 1_000.0,
        "taken": counts.taken,
        "unchanged": counts.unchanged,
        "late": counts.late,
        "skipped": counts.skipped,
        "quarantined": counts.quarantined,
        "failures": counts.failures,
        "errors": errors,
        "lastError": last_error.map(|(text, moment)| json!({
            "message": text,
            "at": moment.to_string(),
        })),
        "quarantine": source.quarantine_size().await.map_err(unavailable)?,
        "nextAttempt": next_attempt.map(|moment| moment.to_string()),
        "simulated": config.simulated || config.replay.is_some(),
    }))
}

fn of_entry(entry: &Quarantined) -> Value {
    serde_json::to_value(entry).expect("texts and numbers are always JSON")
}

fn of_report(report: &Report) -> Value {
    json!({
        "records": report.records,
        "taken": report.created + report.updated + report.unchanged + report.history_only,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "late": report.history_only,
        "quarantined": report.quarantined,
        "released": report.released,
    })
}

fn answer(result: Answer) -> Response {
    let refusal = match result {
        Ok(document) => {
            let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
            return (headers, document.to_string()).into_response();
        }
        Err(refusal) => refusal,
    };
    let mut response = refusal.into_response();
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}
