use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use cardo_engine::{Engine, EngineOptions};
use cardo_ngsild::{
    ContextLoader, ContextUnavailable, LoadedContext, NgsildOptions, NotificationRunner, router,
};
use cardo_store::MemoryStore;
use http_body_util::BodyExt;
use parking_lot::Mutex;
use serde_json::Value;
use tower::ServiceExt;

/// A face and its client.
pub(crate) struct Client {
    pub(crate) engine: Engine,
    pub(crate) router: Router,
    pub(crate) runner: Option<NotificationRunner>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// A request in the making.
pub(crate) struct Asking<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

/// Gives the documents that a test puts in, and counts what it is asked.
#[derive(Default)]
pub(crate) struct Documents {
    pub(crate) by_url: Mutex<HashMap<String, String>>,
    pub(crate) asked: Mutex<Vec<String>>,
}

#[async_trait]
impl ContextLoader for Documents {
    async fn load(&self, url: &str, _: usize) -> Result<LoadedContext, ContextUnavailable> {
        self.asked.lock().push(url.to_owned());
        match self.by_url.lock().get(url) {
            Some(text) => Ok(LoadedContext { bytes: text.clone().into(), max_age: None }),
            None => Err(ContextUnavailable("nobody answers".to_owned())),
        }
    }
}

pub(crate) async fn client() -> Client {
    client_with(NgsildOptions::default()).await
}

pub(crate) async fn client_with(options: NgsildOptions) -> Client {
    client_over(MemoryStore::new(), options).await
}

pub(crate) async fn client_over(store: MemoryStore, options: NgsildOptions) -> Client {
    let engine = Engine::open(Arc::new(store), EngineOptions::default()).await.unwrap();
    let (router, runner) = router(engine.clone(), options);
    Client { engine, router, runner: Some(runner) }
}

impl Client {
    /// A client of a twin that others reach as well; it asks nobody else.
    pub(crate) fn of(engine: Engine) -> Self {
        let (router, runner) = router(engine.clone(), NgsildOptions::default());
        Self { engine, router, runner: Some(runner) }
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> Asking<'_> {
        let path = format!("/ngsi-ld/v1{path}");
        Asking { client: self, method, path, headers: HeaderMap::new(), body: None }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask(Method::POST, path).json(&body).send().await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        self.ask(Method::PATCH, path).json(&body).send().await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.ask(Method::PUT, path).json(&body).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.ask(Method::DELETE, path).send().await
    }

    /// Creates entities that have to be accepted.
    pub(crate) async fn create(&self, entities: Value) {
        let entities = match entities {
            Value::Array(entities) => entities,
            one => vec![one],
        };
        for entity in entities {
            self.post("/entities", entity).await.expect(201);
        }
    }
}

impl Asking<'_> {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).unwrap();
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    /// Sets a header in the place of the one that is there.
    pub(crate) fn instead(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    pub(crate) fn accept(self, media_type: &str) -> Self {
        self.header("accept", media_type)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn json_ld(self, body: &Value) -> Self {
        self.body("application/ld+json", body.to_string())
    }

    pub(crate) fn body(mut self, media_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        self.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        self.body = Some(body);
        self
    }

    /// Sends it and leaves the body of the answer to be read.
    pub(crate) async fn open(self) -> Response<Body> {
        let mut request = Request::new(self.body.map_or_else(Body::empty, Body::from));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().unwrap();
        *request.headers_mut() = self.headers;
        self.client.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(self) -> Reply {
        let response = self.open().await;
        let (parts, body) = response.into_parts();
        let is_stream =
            parts.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let bytes = if is_stream {
            // A stream has no end: its first event is what it says.
            let mut body = body;
            body.frame().await.unwrap().unwrap().into_data().unwrap()
        } else {
            body.collect().await.unwrap().to_bytes()
        };
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Reply { status: parts.status, headers: parts.headers, text }
    }
}

impl Reply {
    /// Checks the status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Checks that the answer is a problem of NGSI-LD with this status, name and part of its detail.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, name: &str, detail: &str) {
        let reply = self.expect(status);
        let problem = reply.json();
        let uri = format!("https://uri.etsi.org/ngsi-ld/errors/{name}");
        assert_eq!(problem["type"], uri, "{problem}");
        let said = problem["detail"].as_str().unwrap();
        assert!(said.contains(detail), "{said:?} does not hold {detail:?}");
        assert_eq!(reply.header("content-type"), "application/json");
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The ids of the entities in a list.
    #[track_caller]
    pub(crate) fn ids(&self) -> Vec<String> {
        let Value::Array(list) = self.json() else { panic!("no list: {}", self.text) };
        list.iter().map(|entity| entity["id"].as_str().unwrap().to_owned()).collect()
    }
}
