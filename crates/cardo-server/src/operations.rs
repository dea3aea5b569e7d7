//! The addresses for operators: `/health`, `/ready`, `/metrics`, and the index at `/`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, VARY, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cardo_engine::Engine;
use cardo_http::{Access, Authorize, Denied, Rights, best_media_type};
use cardo_model::TwinId;
use serde_json::json;

use crate::index;
use crate::metrics::{Exposition, RequestMetrics, resident_bytes};

/// What the addresses for operators need.
#[derive(Clone)]
pub(crate) struct Operations {
    pub(crate) engine: Engine,
    pub(crate) authorizer: Arc<dyn Authorize>,
    pub(crate) requests: Arc<RequestMetrics>,
    pub(crate) started: Instant,
    /// What the first page says of the data, where it is made up in part.
    pub(crate) notice: Option<&'static str>,
}

const JSON: (HeaderName, &str) = (CONTENT_TYPE, "application/json");

pub(crate) fn router(operations: Operations) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(operations)
}

async fn index(State(operations): State<Operations>, headers: HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let page = match best_media_type(accept, &["application/json", "text/html"]) {
        Some(1) => (
            [(CONTENT_TYPE, "text/html; charset=utf-8"), (VARY, "Accept")],
            index::html(operations.notice),
        ),
        _ => ([JSON, (VARY, "Accept")], index::json(operations.notice).to_string()),
    };
    page.into_response()
}

/// The process runs and answers.
async fn health() -> Response {
    let body = json!({ "status": "up", "version": env!("CARGO_PKG_VERSION") });
    ([JSON, (CACHE_CONTROL, "no-store")], body.to_string()).into_response()
}

/// The store takes writes, and what follows the log keeps up.
async fn ready(State(operations): State<Operations>) -> Response {
    let metrics = operations.engine.metrics();
    let lag = metrics.twins.iter().map(|twin| twin.projector_lag).max().unwrap_or_default();
    let (status, word) = match metrics.failing {
        None => (StatusCode::OK, "ready"),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "failing"),
    };
    let body = json!({
        "status": word,
        "store": metrics.failing.as_deref().unwrap_or("takes writes"),
        "projectorLagSeconds": lag.as_secs_f64(),
    });
    (status, [JSON, (CACHE_CONTROL, "no-store")], body.to_string()).into_response()
}

async fn metrics(State(operations): State<Operations>, headers: HeaderMap) -> Response {
    let twin = TwinId::default();
    let access = Access { headers: &headers, twin: &twin, rights: Rights::Read };
    match operations.authorizer.authorize(&access) {
        Ok(_) => {
            let text = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
            (text, operations.exposition()).into_response()
        }
        Err(Denied::Unauthenticated) => {
            (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], "a valid token is required\n")
                .into_response()
        }
        Err(denied) => (StatusCode::FORBIDDEN, format!("{denied}\n")).into_response(),
    }
}

impl Operations {
    fn exposition(&self) -> String {
        let mut text = Exposition::default();
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        text.family("cardo_build_info", "gauge", "The version that runs.");
        text.sample("cardo_build_info", &version, 1.0);
        let uptime = self.started.elapsed().as_secs_f64();
        text.single("cardo_uptime_seconds", "gauge", "Time since the start.", uptime);
        if let Some(bytes) = resident_bytes() {
            let help = "Memory that the process holds.";
            text.single("cardo_resident_memory_bytes", "gauge", help, bytes as f64);
        }
        self.requests.write(&mut text);
        self.write_engine(&mut text);
        text.into_text()
    }

    fn write_engine(&self, text: &mut Exposition) {
        let metrics = self.engine.metrics();
        let seconds = |duration: Duration| duration.as_secs_f64();
        let per_twin = |text: &mut Exposition, name: &str, help: &str, value: &dyn Fn(usize) -> f64| {
            text.family(name, "gauge", help);
            for (at, twin) in metrics.twins.iter().enumerate() {
                text.sample(name, &labels(&twin.twin), value(at));
            }
        };
        let twins = &metrics.twins;
        per_twin(text, "cardo_revision", "The newest revision.", &|at| twins[at].revision.0 as f64);
        per_twin(text, "cardo_projected_revision", "The newest revision in state and history.", &|at| {
            twins[at].projected.0 as f64
        });
        per_twin(text, "cardo_projector_lag_bytes", "Log that is not projected yet.", &|at| {
            twins[at].projector_lag_bytes as f64
        });
        per_twin(text, "cardo_projector_lag_seconds", "Age of the oldest log not projected.", &|at| {
            seconds(twins[at].projector_lag)
        });
        text.family("cardo_entities", "gauge", "Entities by type; one of two types counts twice.");
        for twin in twins {
            let [tenant, branch] = labels(&twin.twin);
            for (name, count) in &twin.types {
                let labels = [tenant, branch, ("type", name.as_str())];
                text.sample("cardo_entities", &labels, *count as f64);
            }
        }
        text.family("cardo_commit_seconds", "histogram", "Time of an append to the log.");
        text.histogram(
            "cardo_commit_seconds",
            &[],
            &metrics.commit_buckets,
            metrics.commits,
            metrics.commit_seconds_sum,
        );
        let singles = [
            ("cardo_queued_writes", "Writes that wait to be committed.", metrics.queued_writes),
            ("cardo_costly_queries_running", "Costly questions that run.", metrics.running_costly),
            ("cardo_costly_queries_waiting", "Costly questions that wait.", metrics.waiting_costly),
        ];
        for (name, help, value) in singles {
            text.single(name, "gauge", help, value as f64);
        }
    }
}

fn labels(twin: &TwinId) -> [(&'static str, &str); 2] {
    [("tenant", twin.tenant()), ("branch", twin.branch())]
}
