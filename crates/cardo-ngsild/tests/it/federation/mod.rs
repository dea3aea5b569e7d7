//! Reads that are completed by context sources, over HTTP between servers of this process.

mod bad_days;
mod loops;
mod past;
mod queries;
mod retrieval;
mod subscriptions;
mod writes;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Response, StatusCode};
use cardo_egress::{EgressConfig, Gate};
use cardo_engine::{Batch, Caller, Engine, EngineOptions, Operation, REGISTRATION_KIND};
use cardo_model::DocumentChange;
use cardo_ngsild::{NgsildOptions, router};
use cardo_store::MemoryStore;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::{Client, client_with};

/// A name as the core context expands it.
pub(super) fn full(term: &str) -> String {
    format!("https://uri.etsi.org/ngsi-ld/default-context/{term}")
}

/// What a server needs to ask sources on this machine.
pub(super) fn far_options() -> NgsildOptions {
    let gate = Gate::new(EgressConfig { allow_loopback: true, ..EgressConfig::default() });
    NgsildOptions { sources: Some(gate), ..NgsildOptions::default() }
}

/// A client whose server asks sources on this machine.
pub(super) async fn far_client() -> Client {
    client_with(far_options()).await
}

/// A server that listens, with the engine behind it.
pub(super) struct Broker {
    pub(super) address: SocketAddr,
    pub(super) engine: Engine,
    pub(super) seen: Seen,
}

/// The requests that came.
pub(super) type Seen = Arc<Mutex<Vec<Came>>>;

/// A request that came.
#[derive(Debug, Clone)]
pub(super) struct Came {
    pub(super) target: String,
    pub(super) headers: HeaderMap,
}

/// Serves a router on a free port of this machine and notes what comes.
async fn serve(router: Router) -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let noted = seen.clone();
    let router = router.layer(axum::middleware::from_fn(
        move |request: Request, next: axum::middleware::Next| {
            let target = request.uri().to_string();
            noted.lock().push(Came { target, headers: request.headers().clone() });
            next.run(request)
        },
    ));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, seen)
}

/// A server of this kind.
pub(super) async fn broker() -> Broker {
    let engine =
        Engine::open(Arc::new(MemoryStore::new()), EngineOptions::default()).await.unwrap();
    let (router, runner) = router(engine.clone(), far_options());
    // The face lives as long as its router; nothing is notified in these tests.
    drop(runner);
    let (address, seen) = serve(router).await;
    Broker { address, engine, seen }
}

/// A peer that gives one answer to everything.
pub(super) async fn peer(status: u16, body: impl Into<String>) -> (SocketAddr, Seen) {
    let body: String = body.into();
    let answer = move || {
        let mut response = Response::new(Body::from(body.clone()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        async move { response }
    };
    serve(Router::new().fallback(answer)).await
}

/// A peer whose handler is given.
pub(super) async fn peer_of(router: Router) -> (SocketAddr, Seen) {
    serve(router).await
}

/// Registers a source for entities of the type `T` and puts members over that.
pub(super) async fn register(engine: &Engine, address: SocketAddr, more: Value) {
    register_for(engine, "", address, more).await;
}

/// The same for a tenant.
pub(super) async fn register_for(engine: &Engine, tenant: &str, address: SocketAddr, more: Value) {
    let registration = registration(address, &more);
    let client = Client::of(engine.clone());
    let mut asking = client.ask(Method::POST, "/csourceRegistrations").json(&registration);
    if !tenant.is_empty() {
        asking = asking.header("ngsild-tenant", tenant);
    }
    asking.send().await.expect(201);
}

fn registration(address: SocketAddr, more: &Value) -> Value {
    let mut registration = json!({
        "type": "ContextSourceRegistration",
        "information": [{ "entities": [{ "type": full("T") }] }],
        "endpoint": format!("http://{address}"),
    });
    for (name, value) in more.as_object().unwrap() {
        registration[name] = value.clone();
    }
    registration
}

/// Puts a registration that nobody could make any more, since it has expired.
pub(super) async fn register_expired(engine: &Engine, address: SocketAddr) {
    let id = "urn:ngsi-ld:ContextSourceRegistration:expired";
    let more = json!({ "id": id, "expiresAt": "2020-01-01T00:00:00Z" });
    let body = json!({ "registration": registration(address, &more) }).to_string();
    let change =
        DocumentChange { kind: REGISTRATION_KIND.into(), id: id.into(), body: Some(body.into()) };
    let batch = Batch { operations: vec![Operation::Document(change)], ..Batch::default() };
    engine.apply(&Caller::local("test"), batch).await.unwrap();
}

/// An entity of the type `T` with one number.
pub(super) fn entity(id: &str, attribute: &str, value: f64) -> Value {
    let mut entity = json!({ "id": format!("urn:ngsi-ld:T:{id}"), "type": "T" });
    entity[attribute] = json!({ "type": "Property", "value": value });
    entity
}
