//! The addresses for operators: `/health`, `/ready`, `/metrics`, `/names`, `/sources`, and the index
//! at `/`.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, VARY, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cardo_engine::{COMMIT_BUCKETS, Engine, EngineMetrics, Layers, TwinMetrics};
use cardo_http::{Access, Authorize, Denied, Rights, best_media_type};
use cardo_ingest::Sources;
use cardo_model::TwinId;
use cardo_ngsild::NotificationWatch;
use cardo_notify::Courier;
use serde_json::json;

use crate::index;
use crate::metrics::{Exposition, RequestMetrics, resident_bytes};
use crate::names;
use crate::source_metrics;
use crate::sources;

/// What the addresses for operators need.
#[derive(Clone)]
pub(crate) struct Operations {
    pub(crate) engine: Engine,
    pub(crate) authorizer: Arc<dyn Authorize>,
    pub(crate) requests: Arc<RequestMetrics>,
    pub(crate) courier: Courier,
    pub(crate) notifications: NotificationWatch,
    pub(crate) sources: Sources,
    pub(crate) layers: Arc<dyn Layers>,
    /// The largest body that is read.
    pub(crate) max_body: usize,
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
        .route("/names", get(names::names))
        .merge(sources::router())
        .merge(cardo_console::router())
        .with_state(operations)
}

/// The console for browsers, the index for programs.
async fn index(State(operations): State<Operations>, parts: Parts) -> Response {
    let accept = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    if best_media_type(accept, &["application/json", "text/html"]) == Some(1) {
        return cardo_console::page(&parts);
    }
    ([JSON, (VARY, "Accept")], index::json(operations.notice).to_string()).into_response()
}

/// What stands under no face.
pub(crate) async fn nothing_here() -> Response {
    let body = json!({ "title": "there is nothing at this address", "status": 404, "index": "/" });
    let problem = (CONTENT_TYPE, "application/problem+json");
    (StatusCode::NOT_FOUND, [problem], body.to_string()).into_response()
}

/// The process runs and answers.
async fn health() -> Response {
    let body = json!({ "status": "up", "version": env!("CARGO_PKG_VERSION") });
    ([JSON, (CACHE_CONTROL, "no-store")], body.to_string()).into_response()
}

/// The store takes writes, and what follows the log keeps up.
async fn ready(State(operations): State<Operations>) -> Response {
    let metrics = operations.engine.metrics();
    let lag =
        metrics.twins.iter().map(|twin| twin.revision.0.saturating_sub(twin.projected.0)).max();
    let (status, word) = match metrics.failing {
        None => (StatusCode::OK, "ready"),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "failing"),
    };
    let body = json!({
        "status": word,
        "store": metrics.failing.as_deref().unwrap_or("takes writes"),
        "projector": { "revisionsBehind": lag.unwrap_or(0), "bytes": metrics.unprojected_bytes },
    });
    (status, [JSON, (CACHE_CONTROL, "no-store")], body.to_string()).into_response()
}

async fn metrics(State(operations): State<Operations>, headers: HeaderMap) -> Response {
    let twin = TwinId::default();
    let access = Access { headers: &headers, twin: &twin, rights: Rights::Read };
    match operations.authorizer.authorize(&access) {
        Ok(_) => {
            let sources = source_metrics::read(&operations.sources).await;
            let text = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
            (text, operations.exposition(&sources)).into_response()
        }
        Err(Denied::Unauthenticated) => (
            StatusCode::UNAUTHORIZED,
            [(WWW_AUTHENTICATE, "Bearer")],
            "a valid token is required\n",
        )
            .into_response(),
        Err(denied) => (StatusCode::FORBIDDEN, format!("{denied}\n")).into_response(),
    }
}

impl Operations {
    fn exposition(&self, sources: &[source_metrics::Reading]) -> String {
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
        self.write_layers(&mut text);
        source_metrics::write(&mut text, sources);
        text.into_text()
    }

    fn write_layers(&self, text: &mut Exposition) {
        let layers = self.layers.of(&TwinId::default());
        let (all, damaged) = ("cardo_layer_features", "cardo_layer_damaged_features");
        text.family(all, "gauge", "Features of a file that is a layer.");
        for layer in &*layers {
            let layer = layer.description();
            text.sample(all, &[("layer", &layer.table.name)], layer.count() as f64);
        }
        text.family(damaged, "gauge", "Features found damaged, which are left out.");
        for layer in &*layers {
            let layer = layer.description();
            text.sample(damaged, &[("layer", &layer.table.name)], layer.damaged.count() as f64);
        }
    }

    fn write_engine(&self, text: &mut Exposition) {
        let metrics = self.engine.metrics();
        write_twins(text, &metrics.twins);
        write_commits(text, &metrics);
        let told = self.notifications.figures();
        let singles = [
            ("cardo_queued_writes", "Writes that wait to be committed.", metrics.queued_writes),
            ("cardo_costly_queries", "Costly questions that run.", metrics.costly_queries),
            (
                "cardo_unprojected_bytes",
                "Log that is not projected yet.",
                metrics.unprojected_bytes,
            ),
            ("cardo_branches", "Branches in memory.", metrics.branches),
            (
                "cardo_branch_bytes",
                "What branches keep in memory beside the main ones.",
                metrics.branch_bytes,
            ),
            ("cardo_moments", "Past twins in memory.", metrics.moments),
            (
                "cardo_moment_bytes",
                "What past twins keep in memory beside the twins as they are.",
                metrics.moment_bytes,
            ),
            ("cardo_names", "Names of types and attributes.", metrics.names),
            ("cardo_subscriptions", "Subscriptions at work.", told.subscriptions),
            (
                "cardo_subscriptions_behind",
                "Subscriptions that have something left to tell.",
                told.busy,
            ),
            (
                "cardo_subscriptions_unkept",
                "Subscriptions of which it is not kept yet how far they have come.",
                told.unkept,
            ),
            (
                "cardo_deliveries_waiting",
                "Changes that wait in memory to be told; more may wait in the log.",
                told.waiting,
            ),
            (
                "cardo_deliveries_under_way",
                "Notifications being sent.",
                self.courier.on_their_way(),
            ),
        ];
        for (name, help, value) in singles {
            text.single(name, "gauge", help, value as f64);
        }
        for (name, help, value) in [
            ("cardo_deliveries_total", "Notifications that arrived.", told.delivered),
            ("cardo_delivery_failures_total", "Attempts that failed.", told.failed),
            ("cardo_dead_letters_total", "Notifications that were given up.", told.dead_letters),
        ] {
            text.single(name, "counter", help, value as f64);
        }
    }
}

fn write_twins(text: &mut Exposition, twins: &[TwinMetrics]) {
    text.family("cardo_revision", "gauge", "The newest revision.");
    for twin in twins {
        text.sample("cardo_revision", &labels(&twin.twin), twin.revision.0 as f64);
    }
    text.family(
        "cardo_projector_lag_revisions",
        "gauge",
        "Revisions not yet in state and history.",
    );
    for twin in twins {
        let lag = twin.revision.0.saturating_sub(twin.projected.0);
        text.sample("cardo_projector_lag_revisions", &labels(&twin.twin), lag as f64);
    }
    text.family("cardo_entities", "gauge", "Entities.");
    for twin in twins {
        text.sample("cardo_entities", &labels(&twin.twin), twin.entities as f64);
    }
    text.family(
        "cardo_entities_of_type",
        "gauge",
        "Entities by type; one of two types is in both.",
    );
    for twin in twins {
        let [tenant, branch] = labels(&twin.twin);
        for (name, count) in &twin.types {
            let labels = [tenant, branch, ("type", name.as_str())];
            text.sample("cardo_entities_of_type", &labels, *count as f64);
        }
    }
}

fn write_commits(text: &mut Exposition, metrics: &EngineMetrics) {
    let mut below = 0;
    let mut buckets = Vec::with_capacity(COMMIT_BUCKETS.len());
    for (bound, count) in COMMIT_BUCKETS.iter().zip(&metrics.commits) {
        below += count;
        buckets.push((*bound, below));
    }
    let all = metrics.commits.iter().sum();
    text.family("cardo_commit_seconds", "histogram", "Time of an append to the log.");
    text.histogram("cardo_commit_seconds", &[], &buckets, all, metrics.commit_seconds);
    let failed = metrics.failed_commits as f64;
    let help = "Appends that the store refused.";
    text.single("cardo_failed_commits_total", "counter", help, failed);
}

fn labels(twin: &TwinId) -> [(&'static str, &str); 2] {
    [("tenant", twin.tenant()), ("branch", twin.branch())]
}
