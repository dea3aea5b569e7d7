use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, any, get, post};
use cardo_engine::{ContextSources, Engine};
use cardo_http::{BaseUrl, EntityTags, Rights, TENANT};
use cardo_model::TwinId;
use tokio::sync::watch;

use crate::contexts::Contexts;
use crate::fault::Fault;
use crate::federation::Sources;
use crate::federation::subscriptions::{self as far, Copies};
use crate::openapi;
use crate::operations as op;
use crate::options::{NgsildLimits, NgsildOptions};
use crate::outbox::{self, Outbox};
use crate::registrations;
use crate::snapshots::{SNAPSHOT, Snapshots};
use crate::stream::{self, Places};
use crate::subscriptions::{self, DeliveryFigures, Registry};

/// Where the face stands.
pub const BASE: &str = "/ngsi-ld/v1";

/// Where its OpenAPI document stands.
const DOCUMENT: &str = "/ngsi-ld/v1/openapi.json";

/// Where questions are followed, below [`BASE`].
const STREAM: &str = "stream";

/// What all operations share.
pub(crate) struct Face {
    pub(crate) engine: Engine,
    pub(crate) options: NgsildOptions,
    pub(crate) contexts: Arc<Contexts>,
    pub(crate) default_twin: TwinId,
    pub(crate) origin: Arc<str>,
    pub(crate) subscriptions: Registry,
    pub(crate) snapshots: Snapshots,
    pub(crate) registrations: registrations::Registry,
    pub(crate) started: Instant,
    pub(crate) places: Arc<Places>,
    pub(crate) tags: EntityTags,
    /// Asks context sources, also for the engine, which does not hold it.
    pub(crate) sources: Option<Arc<Sources>>,
    pub(crate) copies: Copies,
    /// Notifications that wait, beside those that the log holds.
    pub(crate) outbox: Outbox,
}

/// A request that has begun: what its answer needs whatever comes of it.
pub(crate) struct Begun {
    tenant: Option<HeaderValue>,
    snapshot: Option<HeaderValue>,
    at: Option<Instant>,
}

impl Face {
    pub(crate) fn new(engine: Engine, options: NgsildOptions) -> Arc<Self> {
        let preloaded = options.preloaded_contexts.clone();
        let contexts = Arc::new(Contexts::new(engine.clone(), options.contexts.clone(), preloaded));
        let sources = options.sources.clone().map(|gate| {
            let sources = Arc::new(Sources::new(gate, contexts.clone()));
            let port: Arc<dyn ContextSources> = sources.clone();
            engine.use_sources(&port);
            sources
        });
        Arc::new(Self {
            engine,
            options,
            contexts,
            default_twin: TwinId::default(),
            origin: "ngsi-ld".into(),
            subscriptions: Registry::default(),
            snapshots: Snapshots::default(),
            registrations: registrations::Registry::default(),
            started: Instant::now(),
            places: Arc::default(),
            tags: EntityTags::default(),
            sources,
            copies: Copies::default(),
            outbox: Outbox::default(),
        })
    }

    fn begin(&self, parts: &Parts) -> Begun {
        Begun {
            tenant: parts.headers.get(TENANT).cloned(),
            snapshot: parts.headers.get(SNAPSHOT).cloned(),
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
        if let Some(snapshot) = begun.snapshot {
            response.headers_mut().insert(SNAPSHOT, snapshot);
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

/// Looks at how notifications go.
#[derive(Clone)]
pub struct NotificationWatch {
    face: Arc<Face>,
}

impl NotificationWatch {
    /// How they go now.
    pub fn figures(&self) -> DeliveryFigures {
        subscriptions::figures(&self.face)
    }
}

impl NotificationRunner {
    /// Looks at how notifications go while they are sent.
    pub fn watch(&self) -> NotificationWatch {
        NotificationWatch { face: self.face.clone() }
    }

    /// Follows the logs of the twins that have subscriptions until `stop` comes. What is on its way
    /// then is waited for, and positions are kept; to be stopped before the engine is closed.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let (stopping, stopped) = watch::channel(false);
        let sources = registrations::run(self.face.clone(), stopped.clone());
        let outbox = outbox::run(self.face.clone(), stopped.clone());
        let copies = far::run(self.face.clone(), stopped);
        let entities = async {
            subscriptions::run(self.face, stop).await;
            stopping.send_replace(true);
        };
        tokio::join!(entities, sources, outbox, copies);
    }
}

/// A method of a resource, and the name of what it does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) operation: &'static str,
}

/// Routes below [`BASE`], each with and without the slash that clause 6 writes behind collections,
/// and the table of them.
struct Routes {
    router: Router,
    table: Vec<Route>,
}

impl Routes {
    fn at(mut self, path: &'static str, methods: MethodRouter, table: &[Route]) -> Self {
        let below = format!("{BASE}/{path}");
        let with_slash = format!("{below}/");
        self.router = self.router.route(&below, methods.clone()).route(&with_slash, methods);
        self.table.extend(table);
        self
    }
}

/// Adds the methods of a resource to the router and to the table at once.
macro_rules! resource {
    ($routes:expr, $face:expr, $path:literal,
     $($method:ident $label:literal $rights:ident $operation:path;)+) => {
        $routes.at(
            $path,
            MethodRouter::new()$(.$method(handler!($face, $label, $rights, $operation)))+,
            &[$(Route { method: stringify!($method), path: $path, operation: $label }),+],
        )
    };
}

fn routes(face: &Arc<Face>) -> Router {
    let taking = face.clone();
    let notified = post(move |request| far::notified(taking.clone(), request));
    let router = other_routes().route(far::NOTIFIED, notified);
    let routes = Routes { router, table: Vec::new() };
    let routes = subscription_routes(discovery_routes(routes, face), face);
    let routes = source_routes(context_routes(routes, face), face);
    let routes = map_routes(routes, face);
    let routes = stream_routes(routes, face);
    let Routes { router, table } = batch_routes(entity_routes(routes, face), face);
    let face = face.clone();
    let document = async move |base: BaseUrl| described(&table, &base, &face.options.limits);
    router.route(DOCUMENT, get(document))
}

/// The OpenAPI document (it is no resource of the standard).
fn described(table: &[Route], base: &BaseUrl, limits: &NgsildLimits) -> Response<Body> {
    let document = openapi::document(table, base, limits);
    let media_type = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (media_type, format!("{document:#}\n")).into_response()
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
    // The id of the entity is missing in these (clauses 5.6.12.4 to 5.6.15.4).
    let no_id = async || Fault::bad_data("the path holds no id of an entity").into_response();
    for path in ["attrs", "attrs/", "attrs/{attribute}", "attrs/{attribute}/{instance}"] {
        router = router.route(&format!("{BASE}/temporal/entities//{path}"), any(no_id));
    }
    router.route(&format!("{BASE}/{{*rest}}"), any(unknown))
}

const UNBUILT: [&str; 1] = ["entityOperations/{other}"];

fn entity_routes(routes: Routes, face: &Arc<Face>) -> Routes {
    let routes = resource!(routes, face, "entities",
        get "query-entities" Read op::query::query_entities;
        post "create-entity" Write op::entities::create;
        put "replace-entity" Write op::entities::without_id;
        patch "merge-entity" Write op::entities::without_id;
        delete "purge-entities" Write op::purge::purge;
    );
    let routes = resource!(routes, face, "entities/{id}",
        get "retrieve-entity" Read op::entities::retrieve;
        put "replace-entity" Write op::entities::replace;
        patch "merge-entity" Write op::merge::merge;
        delete "delete-entity" Write op::entities::delete;
    );
    let routes = resource!(routes, face, "entities/{id}/attrs",
        post "append-attributes" Write op::attributes::append;
        patch "update-attributes" Write op::attributes::update;
    );
    let routes = resource!(routes, face, "entities/{id}/attrs/{attribute}",
        put "replace-attribute" Write op::attributes::replace;
        patch "update-attribute" Write op::attributes::partial_update;
        delete "delete-attribute" Write op::attributes::delete;
    );
    temporal_routes(routes, face)
}

fn temporal_routes(routes: Routes, face: &Arc<Face>) -> Routes {
    let routes = resource!(routes, face, "temporal/entities",
        get "query-temporal-evolution" Read op::temporal::query;
        post "upsert-temporal-evolution" Write op::temporal::upsert;
    );
    let routes = resource!(routes, face, "temporal/entities/{id}",
        get "retrieve-temporal-evolution" Read op::temporal::retrieve;
        delete "delete-temporal-evolution" Write op::temporal::delete;
    );
    let routes = resource!(routes, face, "temporal/entities/{id}/attrs",
        post "append-temporal-attributes" Write op::temporal::append;
    );
    let routes = resource!(routes, face, "temporal/entities/{id}/attrs/{attribute}",
        delete "delete-temporal-attribute" Write op::temporal::delete_attribute;
    );
    let routes = resource!(routes, face, "temporal/entities/{id}/attrs/{attribute}/{instance}",
        patch "modify-temporal-instance" Write op::temporal::modify_instance;
        delete "delete-temporal-instance" Write op::temporal::delete_instance;
    );
    resource!(routes, face, "temporal/entityOperations/query",
        post "post-temporal-query" Read op::temporal::post_query;
    )
}

fn batch_routes(routes: Routes, face: &Arc<Face>) -> Routes {
    let routes = resource!(routes, face, "entityOperations/create",
        post "batch-create" Write op::batch::create;
    );
    let routes = resource!(routes, face, "entityOperations/upsert",
        post "batch-upsert" Write op::batch::upsert;
    );
    let routes = resource!(routes, face, "entityOperations/update",
        post "batch-update" Write op::batch::update;
    );
    let routes = resource!(routes, face, "entityOperations/merge",
        post "batch-merge" Write op::batch::merge;
    );
    let routes = resource!(routes, face, "entityOperations/delete",
        post "batch-delete" Write op::batch::delete;
    );
    resource!(routes, face, "entityOperations/query",
        post "post-query" Read op::post_query::query;
    )
}

fn discovery_routes(routes: Routes, face: &Arc<Face>) -> Routes {
    let routes = resource!(routes, face, "types",
        get "list-types" Read op::discovery::types;
    );
    let routes = resource!(routes, face, "types/{type}",
        get "retrieve-type" Read op::discovery::one_type;
    );
    let routes = resource!(routes, face, "attributes",
        get "list-attributes" Read op::discovery::attributes;
    );
    resource!(routes, face, "attributes/{attribute}",
        get "retrieve-attribute" Read op::discovery::one_attribute;
    )
}

fn subscription_routes(routes: Routes, face: &Arc<Face>) -> Routes {
    let routes = resource!(routes, face, "subscriptions",
        get "query-subscriptions" Read op::subscriptions::list;
        post "create-subscription" Write op::subscriptions::create;
    );
    let routes = resource!(routes, face, "subscriptions/{id}",
        get "retrieve-subscription" Read op::subscriptions::retrieve;
        patch "update-subscription" Write op::subscriptions::update;
        delete "delete-subscription" Write op::subscriptions::delete;
    );
    let routes = resource!(routes, face, "subscriptions/{id}/deadLetters",
        get "list-dead-letters" Read op::deliveries::list;
        delete "forget-dead-letters" Write op::deliveries::forget;
    );
    resource!(routes, face, "subscriptions/{id}/replay",
        post "replay-notifications" Write op::deliveries::replay;
    )
}

fn source_routes(routes: Routes, face: &Arc<Face>) -> Routes {
    let routes = resource!(routes, face, "csourceRegistrations",
        get "query-registrations" Read op::registrations::query;
        post "register-source" Write op::registrations::create;
    );
    let routes = resource!(routes, face, "csourceRegistrations/{id}",
        get "retrieve-registration" Read op::registrations::retrieve;
        patch "update-registration" Write op::registrations::update;
        delete "delete-registration" Write op::registrations::delete;
    );
    let routes = resource!(routes, face, "csourceSubscriptions",
        get "query-source-subscriptions" Read op::source_subscriptions::list;
        post "create-source-subscription" Write op::source_subscriptions::create;
    );
    let routes = resource!(routes, face, "csourceSubscriptions/{id}",
        get "retrieve-source-subscription" Read op::source_subscriptions::retrieve;
        patch "update-source-subscription" Write op::source_subscriptions::update;
        delete "delete-source-subscription" Write op::source_subscriptions::delete;
    );
    let routes = resource!(routes, face, "csourceSubscriptions/{id}/deadLetters",
        get "list-source-dead-letters" Read op::parcels::list;
        delete "forget-source-dead-letters" Write op::parcels::forget;
    );
    let routes = resource!(routes, face, "csourceSubscriptions/{id}/replay",
        post "replay-source-notifications" Write op::parcels::replay;
    );
    resource!(routes, face, "info/sourceIdentity",
        get "retrieve-source-identity" Read op::identity::retrieve;
    )
}

fn map_routes(routes: Routes, face: &Arc<Face>) -> Routes {
    let routes = resource!(routes, face, "entityMaps",
        get "create-entity-map" Read op::entity_maps::create;
        post "post-entity-map" Read op::entity_maps::create_by_post;
    );
    let routes = resource!(routes, face, "entityMaps/{id}",
        get "retrieve-entity-map" Read op::entity_maps::retrieve;
        patch "update-entity-map" Read op::entity_maps::update;
        delete "delete-entity-map" Read op::entity_maps::delete;
    );
    let routes = resource!(routes, face, "snapshots",
        post "create-snapshot" Write op::snapshots::create;
        delete "purge-snapshots" Write op::snapshots::purge;
    );
    let routes = resource!(routes, face, "snapshots/{id}",
        get "retrieve-snapshot" Read op::snapshots::retrieve;
        patch "update-snapshot" Write op::snapshots::update;
        delete "delete-snapshot" Write op::snapshots::delete;
    );
    let routes = resource!(routes, face, "snapshots/{id}/clone",
        post "clone-snapshot" Write op::snapshots::clone;
    );
    let routes = resource!(routes, face, "snapshots/{id}/deadLetters",
        get "list-snapshot-dead-letters" Read op::parcels::list;
        delete "forget-snapshot-dead-letters" Write op::parcels::forget;
    );
    let routes = resource!(routes, face, "snapshots/{id}/replay",
        post "replay-snapshot-notifications" Write op::parcels::replay;
    );
    resource!(routes, face, "temporal/entityMaps",
        get "create-temporal-entity-map" Read op::temporal::create_map;
        post "post-temporal-entity-map" Read op::temporal::post_map;
    )
}

/// The extension by which questions are followed: the same address takes a WebSocket.
fn stream_routes(routes: Routes, face: &Arc<Face>) -> Routes {
    let (shared, follow) = (face.clone(), handler!(face, "follow", Read, stream::follow));
    let get = move |request: axum::extract::Request| {
        let (face, follow) = (shared.clone(), follow.clone());
        async move {
            if !stream::is_upgrade(request.headers()) {
                return follow(request).await;
            }
            let parts = request.into_parts().0;
            let begun = face.begin(&parts);
            let outcome = stream::accept(face.clone(), parts).await;
            face.finish("follow-by-websocket", begun, outcome)
        }
    };
    let post = handler!(face, "follow-by-body", Read, stream::follow_posted);
    let table = [("get", "follow"), ("post", "follow-by-body")];
    let table = table.map(|(method, operation)| Route { method, path: STREAM, operation });
    routes.at(STREAM, MethodRouter::new().get(get).post(post), &table)
}

fn context_routes(routes: Routes, face: &Arc<Face>) -> Routes {
    let routes = resource!(routes, face, "jsonldContexts",
        get "list-contexts" Read op::contexts::list;
        post "add-context" Write op::contexts::add;
    );
    resource!(routes, face, "jsonldContexts/{id}",
        get "serve-context" Read op::contexts::serve;
        delete "delete-context" Write op::contexts::delete;
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardo_engine::EngineOptions;

    #[tokio::test]
    async fn every_route_is_described_once_and_every_description_has_a_route() {
        let store = Arc::new(cardo_store::MemoryStore::new());
        let engine = Engine::open(store, EngineOptions::default()).await.unwrap();
        let face = Face::new(engine, NgsildOptions::default());
        let routes = Routes { router: Router::new(), table: Vec::new() };
        let routes = subscription_routes(discovery_routes(routes, &face), &face);
        let routes = source_routes(context_routes(routes, &face), &face);
        let routes = map_routes(routes, &face);
        let routes = stream_routes(routes, &face);
        let table = batch_routes(entity_routes(routes, &face), &face).table;
        openapi::check(&table);
    }
}
