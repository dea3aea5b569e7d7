//! A small city, and a client of its GraphQL face.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use cardo_engine::{Batch, Caller, Engine, EngineOptions, Operation};
use cardo_graphql::{GraphqlLimits, GraphqlOptions};
use cardo_model::{
    Attribute, Entity, EntityId, Geometry, Instance, Iri, JsonText, Timestamp, Value,
};
use cardo_store::MemoryStore;
use http_body_util::BodyExt;
use serde_json::{Value as Json, json};
use tower::ServiceExt;

pub(crate) struct City {
    pub(crate) engine: Engine,
    pub(crate) router: Router,
}

pub(crate) fn iri(text: &str) -> Iri {
    Iri::new(text.to_owned()).unwrap()
}

pub(crate) fn name(term: &str) -> Iri {
    iri(&format!("https://uri.etsi.org/ngsi-ld/default-context/{term}"))
}

pub(crate) fn property(value: Json) -> Instance {
    Instance::new(Value::property(JsonText::from_value(&value), false))
}

pub(crate) fn point(lon: f64, lat: f64) -> Instance {
    let text = json!({ "type": "Point", "coordinates": [lon, lat] }).to_string();
    Instance::new(Value::geo(&Geometry::parse(&text).unwrap()))
}

pub(crate) fn relationship(id: &str) -> Instance {
    Instance::new(Value::relationship(&iri(id)))
}

pub(crate) fn entity(id: &str, ty: &str, attributes: Vec<(&str, Instance)>) -> Entity {
    let mut entity = Entity::new(EntityId::new(id.to_owned()).unwrap(), name(ty));
    for (term, instance) in attributes {
        let name = if term == "location" {
            iri("https://uri.etsi.org/ngsi-ld/location")
        } else {
            name(term)
        };
        entity.attributes.push(Attribute::new(name, instance));
    }
    entity
}

pub(crate) fn tree(number: u32) -> Entity {
    let mut height = property(json!(f64::from(number)));
    height.observed_at = Some(Timestamp::from_seconds(1_700_000_000 + i64::from(number)));
    height.unit_code = Some("MTR".into());
    let mut attributes = vec![
        ("height", height),
        ("species", property(json!(if number.is_multiple_of(2) { "Tilia" } else { "Acer" }))),
        ("location", point(24.9 + f64::from(number) / 1_000.0, 60.17)),
        ("locatedIn", relationship(&format!("urn:d:{}", number % 3))),
    ];
    if !number.is_multiple_of(4) {
        attributes.push(("healthy", property(json!(number.is_multiple_of(3)))));
    }
    entity(&format!("urn:t:{number}"), "Tree", attributes)
}

fn district(number: u32) -> Entity {
    let names = Value::language_map(JsonText::from_value(
        &json!({ "fi": format!("Alue {number}"), "en": format!("Area {number}") }),
    ));
    entity(
        &format!("urn:d:{number}"),
        "District",
        vec![("name", Instance::new(names)), ("partOf", relationship("urn:c:1"))],
    )
}

impl City {
    /// Twelve trees in three districts of one city.
    pub(crate) async fn new() -> Self {
        Self::with(GraphqlLimits::default()).await
    }

    pub(crate) async fn with(limits: GraphqlLimits) -> Self {
        Self::under(GraphqlOptions { limits, ..GraphqlOptions::default() }).await
    }

    pub(crate) async fn under(options: GraphqlOptions) -> Self {
        let store = Arc::new(MemoryStore::new());
        let engine = Engine::open(store, EngineOptions::default()).await.unwrap();
        let router = cardo_graphql::router(engine.clone(), options);
        let city = Self { engine, router };
        let town = entity("urn:c:1", "Town", vec![("title", property(json!("Helsinki")))]);
        let mut all = vec![town];
        all.extend((0..3).map(district));
        all.extend((0..12).map(tree));
        city.create(all).await;
        city
    }

    pub(crate) async fn create(&self, entities: Vec<Entity>) -> u64 {
        let operations = entities.into_iter().map(Operation::CreateOrReplace).collect();
        self.apply(operations).await
    }

    pub(crate) async fn apply(&self, operations: Vec<Operation>) -> u64 {
        let batch = Batch { operations, ..Batch::default() };
        let outcome = self.engine.apply(&Caller::local("test"), batch).await.unwrap();
        assert!(outcome.results.iter().all(Result::is_ok), "{:?}", outcome.results);
        outcome.revision.0
    }

    /// Sends a request; its status, headers and body.
    pub(crate) async fn send(
        &self,
        request: Request<Body>,
    ) -> (StatusCode, axum::http::HeaderMap, String) {
        let Ok(answer) = self.router.clone().oneshot(request).await;
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
    }

    pub(crate) async fn post(&self, body: &str) -> (StatusCode, Json) {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .body(Body::from(body.to_owned()))
            .unwrap();
        let (status, _, body) = self.send(request).await;
        (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")))
    }

    /// Asks a question with a token; the status and the whole answer.
    pub(crate) async fn ask_as(&self, token: &str, query: &str) -> (StatusCode, Json) {
        let body = json!({ "query": query }).to_string();
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from(body))
            .unwrap();
        let (status, _, body) = self.send(request).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    /// Asks a question; the whole answer.
    pub(crate) async fn ask(&self, query: &str) -> Json {
        let (status, answer) = self.post(&json!({ "query": query }).to_string()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    pub(crate) async fn ask_with(&self, query: &str, variables: Json) -> Json {
        let body = json!({ "query": query, "variables": variables }).to_string();
        self.post(&body).await.1
    }

    /// Asks a question that has an answer; its data. A question is asked twice: the second answer
    /// may come by a plan, and has to be the same.
    pub(crate) async fn data(&self, query: &str) -> Json {
        let answer = self.ask(query).await;
        assert_eq!(answer["errors"], Json::Null, "{query}");
        if query.starts_with('{') {
            assert_eq!(self.ask(query).await, answer, "{query}");
        }
        answer["data"].clone()
    }

    /// Asks a question that has none; the code and the message of its first error.
    pub(crate) async fn error(&self, query: &str) -> (String, String) {
        let (_, answer) = self.post(&json!({ "query": query }).to_string()).await;
        error_of(&answer)
    }
}

pub(crate) fn error_of(answer: &Json) -> (String, String) {
    let error = &answer["errors"][0];
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    assert!(!error.is_null(), "no error in {answer}");
    (text(&error["extensions"]["code"]), text(&error["message"]))
}

/// The ids of a page.
pub(crate) fn ids(page: &Json) -> Vec<String> {
    let nodes = page["nodes"].as_array().unwrap_or_else(|| panic!("no nodes in {page}"));
    nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn trees(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("urn:t:{number}")).collect()
}
