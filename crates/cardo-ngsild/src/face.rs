use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, any, get, post, put};
use cardo_engine::Engine;
use cardo_http::{EntityTags, Rights};
use cardo_model::TwinId;

use crate::contexts::Contexts;
use crate::fault::Fault;
use crate::operations as op;
use crate::options::NgsildOptions;
use crate::request::TENANT;
use crate::subscriptions::{self, Registry};

/// Where the face stands.
pub const BASE: &str = "/ngsi-ld/v1";

/// What all operations share.
pub(crate) struct Face {
    pub(crate) engine: Engine,
    pub(crate) options: NgsildOptions,
    pub(crate) contexts: Arc<Contexts>,
    pub(crate) default_twin: TwinId,
    pub(crate) origin: Arc<str>,
    pub(crate) subscriptions: Registry,
    pub(crate) tags: EntityTags,
}

/// A request that has begun: what its answer needs whatever comes of it.
pub(crate) struct Begun {
    tenant: Option<HeaderValue>,
    at: Option<Instant>,
}

impl Face {
    pub(crate) fn new(engine: Engine, options: NgsildOptions) -> Arc<Self> {
        let preloaded = options.preloaded_contexts.clone();
        let contexts = Arc::new(Contexts::new(engine.clone(), options.contexts.clone(), preloaded));
        Arc::new(Self {
            engine,
            options,
            contexts,
            default_twin: TwinId::default(),
            origin: "ngsi-ld".into(),
            subscriptions: Registry::default(),
            tags: EntityTags::default(),
        })
    }

    fn begin(&self, parts: &Parts) -> Begun {
        Begun {
            tenant: parts.headers.get(TENANT).cloned(),
            at: self.options.observer.is_some().then(Instant::now),
        }
    }

    fn finish(
        &self,
        operation: &'static str,
        begun: Begun,
        outcome: Result<Response<Body>, Fault>,
    ) -> Response<Body> {
        let mut response = outcome.unwrap_or_else(IntoResponse::into_response);
        if let Some(tenant) = begun.tenant {
            response.headers_mut().insert(TENANT, tenant);
        }
        if let (Some(observer), Some(at)) = (&self.options.observer, begun.at) {
            observer.answered(operation, response.status(), at.elapsed());
        }
        response
    }
}

/// Makes a handler of an operation `async fn(&Arc<Face>, &Ask, Body) -> Result<Response, Fault>`.
macro_rules! handler {
    ($face:expr, $label:literal, $rights:ident, $operation:path) => {{
        let face: Arc<Face> = $face.clone();
        move |request: axum::extract::Request| {
            let face = face.clone();
            async move {
                let (parts, body) = request.into_parts();
                let begun = face.begin(&parts);
                let outcome = match face.ask(&parts, Rights::$rights).await {
                    Ok(ask) => $operation(&face, &ask, body).await,
                    Err(fault) => Err(fault),
                };
                face.finish($label, begun, outcome)
            }
        }
    }};
}

/// Everything below [`BASE`], and what keeps subscriptions going.
///
/// The router answers at once; notifications are sent once [`NotificationRunner::run`] is awaited.
pub fn router(engine: Engine, options: NgsildOptions) -> (Router, NotificationRunner) {
    let face = Face::new(engine, options);
    let runner = NotificationRunner { face: face.clone() };
    (routes(&face), runner)
}

/// Sends the notifications of all subscriptions.
pub struct NotificationRunner {
    face: Arc<Face>,
}

impl NotificationRunner {
    /// Follows the logs of the twins that have subscriptions until `stop` comes. What is on its way
    /// then is waited for, and positions are kept; to be stopped before the engine is closed.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        subscriptions::run(self.face, stop).await;
    }
}

/// Routes below [`BASE`], each with and without the slash that clause 6 writes behind collections.
struct Routes(Router);

impl Routes {
    fn at(self, path: &str, methods: MethodRouter) -> Self {
        let path = format!("{BASE}/{path}");
        let with_slash = format!("{path}/");
        Self(self.0.route(&path, methods.clone()).route(&with_slash, methods))
    }
}

fn routes(face: &Arc<Face>) -> Router {
    let routes = Routes(other_routes());
    let routes = subscription_routes(discovery_routes(routes, face), face);
    batch_routes(entity_routes(routes, face), face).0
}

/// Resources of the API that are not built, and those of nobody.
fn other_routes() -> Router {
    let unbuilt = async || {
        Fault::not_implemented("this resource of the NGSI-LD API is not implemented")
            .into_response()
    };
    let unknown = async || Fault::not_found("there is no such resource").into_response();
    let mut router = Router::new();
    for path in UNBUILT {
        router = router.route(&format!("{BASE}/{path}"), any(unbuilt));
        if !path.contains('{') {
            router = router.route(&format!("{BASE}/{path}/"), any(unbuilt));
        }
    }
    router.route(&format!("{BASE}/{{*rest}}"), any(unknown))
}

const UNBUILT: [&str; 14] = [
    "csourceRegistrations",
    "csourceRegistrations/{*rest}",
    "csourceSubscriptions",
    "csourceSubscriptions/{*rest}",
    "jsonldContexts",
    "jsonldContexts/{*rest}",
    "temporal/entities",
    "temporal/entities/{id}/{*rest}",
    "temporal/entityOperations/{*rest}",
    "entityMaps/{*rest}",
    "entityOperations/{other}",
    "snapshots",
    "snapshots/{*rest}",
    "info/{*rest}",
];

fn entity_routes(routes: Routes, face: &Arc<Face>) -> Routes {
    routes
        .at(
            "entities",
            get(handler!(face, "query-entities", Read, op::query::query_entities))
                .post(handler!(face, "create-entity", Write, op::entities::create))
                .put(handler!(face, "replace-entity", Write, op::entities::without_id))
                .patch(handler!(face, "merge-entity", Write, op::entities::without_id))
                .delete(handler!(face, "purge-entities", Write, op::entities::purge)),
        )
        .at(
            "entities/{id}",
            get(handler!(face, "retrieve-entity", Read, op::entities::retrieve))
                .put(handler!(face, "replace-entity", Write, op::entities::replace))
                .patch(handler!(face, "merge-entity", Write, op::merge::merge))
                .delete(handler!(face, "delete-entity", Write, op::entities::delete)),
        )
        .at(
            "entities/{id}/attrs",
            post(handler!(face, "append-attributes", Write, op::attributes::append))
                .patch(handler!(face, "update-attributes", Write, op::attributes::update)),
        )
        .at(
            "entities/{id}/attrs/{attribute}",
            put(handler!(face, "replace-attribute", Write, op::attributes::replace))
                .patch(handler!(face, "update-attribute", Write, op::attributes::partial_update))
                .delete(handler!(face, "delete-attribute", Write, op::attributes::delete)),
        )
        .at(
            "temporal/entities/{id}",
            get(handler!(face, "retrieve-temporal-evolution", Read, op::temporal::retrieve)),
        )
}

fn batch_routes(routes: Routes, face: &Arc<Face>) -> Routes {
    routes
        .at(
            "entityOperations/create",
            post(handler!(face, "batch-create", Write, op::batch::create)),
        )
        .at(
            "entityOperations/upsert",
            post(handler!(face, "batch-upsert", Write, op::batch::upsert)),
        )
        .at(
            "entityOperations/update",
            post(handler!(face, "batch-update", Write, op::batch::update)),
        )
        .at("entityOperations/merge", post(handler!(face, "batch-merge", Write, op::batch::merge)))
        .at(
            "entityOperations/delete",
            post(handler!(face, "batch-delete", Write, op::batch::delete)),
        )
        .at(
            "entityOperations/query",
            post(handler!(face, "post-query", Read, op::post_query::query)),
        )
}

fn discovery_routes(routes: Routes, face: &Arc<Face>) -> Routes {
    routes
        .at("types", get(handler!(face, "list-types", Read, op::discovery::types)))
        .at("types/{type}", get(handler!(face, "retrieve-type", Read, op::discovery::one_type)))
        .at("attributes", get(handler!(face, "list-attributes", Read, op::discovery::attributes)))
        .at(
            "attributes/{attribute}",
            get(handler!(face, "retrieve-attribute", Read, op::discovery::one_attribute)),
        )
}

fn subscription_routes(routes: Routes, face: &Arc<Face>) -> Routes {
    routes
        .at(
            "subscriptions",
            get(handler!(face, "query-subscriptions", Read, op::subscriptions::list))
                .post(handler!(face, "create-subscription", Write, op::subscriptions::create)),
        )
        .at(
            "subscriptions/{id}",
            get(handler!(face, "retrieve-subscription", Read, op::subscriptions::retrieve))
                .patch(handler!(face, "update-subscription", Write, op::subscriptions::update))
                .delete(handler!(face, "delete-subscription", Write, op::subscriptions::delete)),
        )
}
