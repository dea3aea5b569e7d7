use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use cardo_engine::{Batch, Caller, Engine, EngineOptions, Operation, Principal, Restriction, View};
use cardo_http::{Access, Authorize, Denied, Granted, Rights};
use cardo_model::{
    Attribute, Entity, EntityId, Geometry, Instance, Iri, JsonText, Timestamp, Value as AnyValue,
};
use cardo_ogcapi::{OgcOptions, router};
use cardo_store::MemoryStore;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// A face and its client.
pub(crate) struct Client {
    pub(crate) engine: Engine,
    pub(crate) router: Router,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) async fn client() -> Client {
    client_with(OgcOptions::default()).await
}

pub(crate) async fn client_with(options: OgcOptions) -> Client {
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::open(store, EngineOptions::default()).await.unwrap();
    let router = router(engine.clone(), options);
    Client { engine, router }
}

/// A face of a small town: see [`town`].
pub(crate) async fn client_of_town() -> Client {
    let client = client().await;
    client.create(town()).await;
    client
}

/// Lets everybody see the same part.
struct SeenBy(View);

impl Authorize for SeenBy {
    fn authorize(&self, _: &Access<'_>) -> Result<Granted, Denied> {
        Ok(Granted { principal: Principal::new("guest"), view: self.0.clone() })
    }
}

async fn read(response: Response<Body>) -> Reply {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes().to_vec();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Reply { status: parts.status, headers: parts.headers, text, bytes }
}

/// Lets everybody look and nobody write.
struct ReadOnly;

impl Authorize for ReadOnly {
    fn authorize(&self, access: &Access<'_>) -> Result<Granted, Denied> {
        if access.rights > Rights::Read {
            return Err(Denied::Forbidden);
        }
        Ok(Granted { principal: Principal::new("guest"), view: View::all() })
    }
}

/// The same twin for one who may only look.
pub(crate) fn client_read_only(client: &Client) -> Client {
    let options = OgcOptions { authorize: Arc::new(ReadOnly), ..OgcOptions::default() };
    let engine = client.engine.clone();
    Client { router: router(engine.clone(), options), engine }
}

impl Client {
    /// The same twin for one who sees a part of it.
    pub(crate) fn seen_by(&self, restriction: Restriction) -> Self {
        let authorize = Arc::new(SeenBy(View::restricted(restriction)));
        let options = OgcOptions { authorize, ..OgcOptions::default() };
        Self { engine: self.engine.clone(), router: router(self.engine.clone(), options) }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
        read(self.open(method, path, headers).await).await
    }

    /// Sends a body.
    pub(crate) async fn write(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let length = body.len().to_string();
        let length = ("content-length", length.as_str());
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain([length]).collect();
        read(self.request(method, path, &headers, body.to_owned().into()).await).await
    }

    /// The answer to a request, of which the body is not read yet.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Response<Body> {
        self.request(method, path, headers, Body::empty()).await
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Response<Body> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        let host = ("host", "city.example:8787");
        for (name, value) in headers.iter().chain([&host]) {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
        }
        let request = cardo_http::strip_tenant(request);
        let Ok(response) = self.router.clone().oneshot(request).await;
        response
    }

    /// Gets a path below `/ogc`.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, &format!("/ogc{path}"), &[]).await
    }

    /// The same, which has to succeed, as JSON.
    pub(crate) async fn json(&self, path: &str) -> Value {
        self.get(path).await.expect(200).json()
    }

    /// The same as a page.
    pub(crate) async fn page(&self, path: &str) -> String {
        let reply =
            self.send(Method::GET, &format!("/ogc{path}"), &[("accept", "text/html")]).await;
        let reply = reply.expect(200);
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        reply.text
    }

    /// The ids of the features that a query string asks for, and how many match in all.
    pub(crate) async fn ids(&self, collection: &str, query: &str) -> (Vec<String>, u64) {
        let page = self.json(&format!("/collections/{collection}/items{query}")).await;
        let features = page["features"].as_array().unwrap();
        let short = |id: &str| id.rsplit(':').next().unwrap().to_owned();
        let ids: Vec<_> = features.iter().map(|f| short(f["id"].as_str().unwrap())).collect();
        assert_eq!(page["numberReturned"], ids.len());
        (ids, page["numberMatched"].as_u64().unwrap())
    }

    /// Follows a link to its JSON document.
    pub(crate) async fn follow(&self, url: &str) -> Value {
        let path = url.strip_prefix("http://city.example:8787").expect("an absolute link");
        self.send(Method::GET, path, &[]).await.expect(200).json()
    }

    pub(crate) async fn create(&self, entities: Vec<Entity>) {
        self.create_as(&Caller::local("test"), entities).await;
    }

    pub(crate) async fn create_as(&self, caller: &Caller, entities: Vec<Entity>) {
        let operations = entities.into_iter().map(Operation::Create).collect();
        self.apply(caller, operations).await;
    }

    pub(crate) async fn apply(&self, caller: &Caller, operations: Vec<Operation>) {
        let outcome =
            self.engine.apply(caller, Batch { operations, ..Batch::default() }).await.unwrap();
        for result in outcome.results {
            result.unwrap();
        }
    }
}

impl Reply {
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) fn iri(name: &str) -> Iri {
    let base = match name {
        "location" | "observationSpace" => "https://uri.etsi.org/ngsi-ld/",
        _ => "https://uri.etsi.org/ngsi-ld/default-context/",
    };
    Iri::new(format!("{base}{name}")).unwrap()
}

pub(crate) fn id(name: &str) -> EntityId {
    EntityId::new(format!("urn:ngsi-ld:{name}")).unwrap()
}

/// An entity in the making.
pub(crate) struct Make(Entity);

pub(crate) fn make(type_name: &str, name: &str) -> Make {
    Make(Entity::new(id(&format!("{type_name}:{name}")), iri(type_name)))
}

impl Make {
    pub(crate) fn instance(mut self, name: &str, instance: Instance) -> Self {
        match self.0.attributes.iter_mut().find(|attribute| attribute.name == iri(name)) {
            Some(attribute) => attribute.instances.push(instance),
            None => self.0.attributes.push(Attribute::new(iri(name), instance)),
        }
        self
    }

    pub(crate) fn value(self, name: &str, json: &str) -> Self {
        self.instance(name, property(json))
    }

    pub(crate) fn observed(self, name: &str, json: &str, at: &str) -> Self {
        let mut instance = property(json);
        instance.observed_at = Some(Timestamp::parse(at).unwrap());
        self.instance(name, instance)
    }

    pub(crate) fn relation(self, name: &str, to: &str) -> Self {
        self.instance(name, Instance::new(AnyValue::relationship(&id(to))))
    }

    pub(crate) fn geometry(self, name: &str, geojson: &str) -> Self {
        let geometry = Geometry::parse(geojson).unwrap();
        self.instance(name, Instance::new(AnyValue::geo(&geometry)))
    }

    pub(crate) fn at(self, lon: f64, lat: f64) -> Self {
        self.geometry("location", &format!("{{\"type\":\"Point\",\"coordinates\":[{lon},{lat}]}}"))
    }

    pub(crate) fn done(self) -> Entity {
        self.0
    }
}

pub(crate) fn property(json: &str) -> Instance {
    Instance::new(AnyValue::property(JsonText::parse(json).unwrap(), false))
}

/// An entity with all that an instance of an attribute can have.
pub(crate) fn rich_entity() -> Entity {
    let mut level = property("4.5");
    level.unit_code = Some("MTR".into());
    level.observed_at = Some(Timestamp::parse("2026-11-01T00:00:00Z").unwrap());
    level.attributes.push(Attribute::new(iri("accuracy"), property("0.1")));
    let mut backup = property("4.4");
    backup.dataset_id = Some(Iri::new("urn:ngsi-ld:Dataset:backup").unwrap());
    let mut opened = property("\"2026-01-31\"");
    opened.value_type = Some("Date".into());
    let texts = JsonText::parse(r#"{"en":"Station Square","fi":"Asema-aukio"}"#).unwrap();
    let checked = r#"{"@type":"DateTime","@value":"2026-01-31T10:00:00Z"}"#;
    make("Station", "1")
        .instance("name", Instance::new(AnyValue::language_map(texts)))
        .instance("level", level)
        .instance("level", backup)
        .instance("opened", opened)
        .value("checked", checked)
        .at(24.94, 60.17)
        .done()
}

/// Six sensors, of which one has neither place nor time, and two buildings.
pub(crate) fn town() -> Vec<Entity> {
    let sensor = |name: &str, lon: f64, lat: f64, temperature: &str, day: &str| {
        make("Sensor", name)
            .observed("temperature", temperature, &format!("2026-11-{day}T10:00:00Z"))
            .value("name", &format!("\"sensor {name}\""))
            .relation("refDistrict", "District:1")
            .at(lon, lat)
    };
    vec![
        sensor("a", 24.90, 60.10, "21.5", "01").value("active", "true").done(),
        sensor("b", 24.95, 60.15, "-3", "02").value("active", "false").done(),
        sensor("c", 25.00, 60.20, "21.50", "03").done(),
        sensor("d", 179.5, -17.0, "28", "04").done(),
        sensor("e", -179.5, -17.0, "27", "05").done(),
        make("Sensor", "f").value("name", "\"no place & <no> time\"").done(),
        make("Building", "1")
            .value("floors", "4")
            .value("address", "{\"street\":\"Aleksanterinkatu\",\"number\":1}")
            .geometry(
                "location",
                r#"{"type":"Polygon","coordinates":[[[24.95,60.16],[24.96,60.16],[24.96,60.17],[24.95,60.17],[24.95,60.16]]]}"#,
            )
            .done(),
        make("Building", "2").value("floors", "7").geometry(
            "location",
            r#"{"type":"Point","coordinates":[24.97,60.18,35.5]}"#,
        ).done(),
    ]
}
