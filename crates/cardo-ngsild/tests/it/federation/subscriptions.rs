//! Subscriptions whose copies are at context sources (clauses 5.8.1.4, 5.8.2.4, 5.8.5.4 and 5.8.6).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::StatusCode;
use cardo_egress::{EgressConfig, Gate, Method, Request};
use cardo_engine::{Engine, EngineOptions};
use cardo_ngsild::{Courier, DeliveryError, Message, NgsildOptions, router};
use cardo_store::MemoryStore;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use super::far_options;

fn gate() -> Gate {
    Gate::new(EgressConfig { allow_loopback: true, ..EgressConfig::default() })
}

/// Sends what goes to servers of this test, and hands everything else to it.
struct Post(Gate, mpsc::UnboundedSender<Value>, Arc<AtomicBool>);

#[async_trait]
impl Courier for Post {
    async fn deliver(&self, message: Message) -> Result<StatusCode, DeliveryError> {
        if message.endpoint.starts_with("http://subscriber.example") {
            if self.2.load(Ordering::Acquire) {
                let reason = "not wanted".to_owned();
                return Err(DeliveryError::Failed { reason, is_final: true, pause: None });
            }
            let body = serde_json::from_slice(&message.body).unwrap();
            self.1.send(body).map_err(|_| DeliveryError::Stopped)?;
            return Ok(StatusCode::OK);
        }
        let request = Request {
            headers: message.headers,
            body: message.body,
            ..Request::new(Method::POST, message.endpoint)
        };
        let answer = self.0.send(request).await;
        let failed = |error: cardo_egress::EgressError| DeliveryError::Failed {
            reason: error.to_string(),
            is_final: true,
            pause: None,
        };
        answer.map(|answer| answer.status).map_err(failed)
    }
}

/// A server that listens, asks sources and notifies.
struct Server {
    address: SocketAddr,
    told: mpsc::UnboundedReceiver<Value>,
    /// Whether its subscribers condemn what they are told.
    condemns: Arc<AtomicBool>,
    _stop: oneshot::Sender<()>,
}

async fn server() -> Server {
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::open(store, EngineOptions::default()).await.unwrap();
    let (sender, told) = mpsc::unbounded_channel();
    let condemns = Arc::new(AtomicBool::new(false));
    let courier = Arc::new(Post(gate(), sender, condemns.clone()));
    let (router, runner) = router(engine, NgsildOptions { courier, ..far_options() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(runner.run(async {
        let _ = stopped.await;
    }));
    Server { address, told, condemns, _stop: stop }
}

impl Server {
    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("http://{}{path}", self.address);
        let mut request = Request::new(method, url);
        if let Some(body) = body {
            request.headers.insert("content-type", "application/json".parse().unwrap());
            request.body = body.to_string().into_bytes().into();
        }
        let answer = gate().send(request).await.unwrap();
        (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    async fn post(&self, path: &str, body: Value) {
        let (status, said) = self.send(Method::POST, path, Some(body)).await;
        assert_eq!(status, 201, "{said}");
    }

    async fn copies(&self) -> Vec<Value> {
        let (_, list) = self.send(Method::GET, "/ngsi-ld/v1/subscriptions", None).await;
        list.as_array().unwrap().clone()
    }

    /// Waits until the copies here are as they have to be.
    async fn copied(&self, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        for _ in 0..400 {
            let copies = self.copies().await;
            if is_so(&copies) {
                return copies;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the copies are not as they have to be: {:?}", self.copies().await);
    }

    async fn news(&mut self) -> Value {
        let next = tokio::time::timeout(Duration::from_secs(20), self.told.recv());
        next.await.expect("a notification comes in time").unwrap()
    }

    async fn register(&self, source: &Server, more: Value) {
        let mut members = json!({
            "id": "urn:reg:1", "type": "ContextSourceRegistration",
            "information": [{ "entities": [{ "type": "T" }] }],
            "endpoint": format!("http://{}", source.address),
        });
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post("/ngsi-ld/v1/csourceRegistrations", members).await;
    }

    async fn subscribe(&self, more: Value) {
        let mut members = json!({
            "id": "urn:sub:1", "type": "Subscription", "entities": [{ "type": "T" }, { "type": "U" }],
            "notification": { "endpoint": { "uri": "http://subscriber.example/told" } },
        });
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post("/ngsi-ld/v1/subscriptions", members).await;
    }

    async fn create(&self, speed: u32) {
        let entity = json!({ "id": format!("urn:ngsi-ld:T:{speed}"), "type": "T",
            "speed": { "type": "Property", "value": speed } });
        self.post("/ngsi-ld/v1/entities", entity).await;
    }
}

#[tokio::test]
async fn what_a_source_notifies_is_told_to_the_subscriber_by_their_own_subscription() {
    let (mut north, south) = (server().await, server().await);
    // The registration may come before the subscription or, as here, behind it.
    north.subscribe(json!({ "q": "speed>10" })).await;
    north.register(&south, json!({})).await;
    let copies = south.copied(|copies| copies.len() == 1).await;
    assert_eq!(copies[0]["entities"], json!([{ "type": "T" }]));
    assert_ne!(copies[0]["id"], "urn:sub:1");
    assert_eq!(copies[0]["q"], "speed>10");
    south.create(5).await;
    south.create(50).await;
    let news = north.news().await;
    assert_eq!(news["subscriptionId"], "urn:sub:1");
    assert_eq!(news["data"][0]["id"], "urn:ngsi-ld:T:50");
    assert_eq!(news["data"][0]["speed"]["value"], 50);

    let changed = json!({ "q": "speed>100", "isActive": true });
    let (status, _) =
        north.send(Method::PATCH, "/ngsi-ld/v1/subscriptions/urn:sub:1", Some(changed)).await;
    assert_eq!(status, 204);
    south.copied(|copies| copies[0]["q"] == "speed>100").await;
    south.create(60).await;
    south.create(600).await;
    assert_eq!(north.news().await["data"][0]["speed"]["value"], 600);

    let (status, _) = north.send(Method::DELETE, "/ngsi-ld/v1/subscriptions/urn:sub:1", None).await;
    assert_eq!(status, 204);
    south.copied(<[Value]>::is_empty).await;
}

#[tokio::test]
async fn a_copy_is_reduced_to_what_is_registered_and_goes_with_the_registration() {
    let (north, south) = (server().await, server().await);
    let info = json!([{ "entities": [{ "type": "T", "id": "urn:ngsi-ld:T:1" }], "propertyNames": ["speed"] }]);
    north.register(&south, json!({ "information": info })).await;
    north.subscribe(json!({ "watchedAttributes": ["speed", "name"] })).await;
    let copies = south.copied(|copies| copies.len() == 1).await;
    assert_eq!(copies[0]["entities"], json!([{ "type": "T", "id": "urn:ngsi-ld:T:1" }]));
    assert_eq!(copies[0]["watchedAttributes"], json!(["speed"]));
    assert_eq!(copies[0]["notification"]["attributes"], json!(["speed"]));
    let (status, _) =
        north.send(Method::DELETE, "/ngsi-ld/v1/csourceRegistrations/urn:reg:1", None).await;
    assert_eq!(status, 204);
    south.copied(<[Value]>::is_empty).await;
}

#[tokio::test]
async fn sources_that_do_not_take_it_or_have_nothing_of_it_get_no_copy() {
    let (north, south) = (server().await, server().await);
    north.register(&south, json!({ "id": "urn:reg:a", "operations": ["retrieveOps"] })).await;
    north
        .register(
            &south,
            json!({ "id": "urn:reg:b", "information": [{ "entities": [{ "type": "V" }] }] }),
        )
        .await;
    let auxiliary =
        json!({ "id": "urn:reg:c", "mode": "auxiliary", "operations": ["retrieveOps"] });
    north.register(&south, auxiliary).await;
    north.subscribe(json!({})).await;
    north
        .subscribe(json!({ "id": "urn:sub:2", "localOnly": true, "entities": [{ "type": "V" }] }))
        .await;
    // A copy that comes last shows that the others were not made.
    north.subscribe(json!({ "id": "urn:sub:3", "entities": [{ "type": "V" }] })).await;
    let copies = south.copied(|copies| !copies.is_empty()).await;
    assert_eq!(copies.len(), 1);
}

#[tokio::test]
async fn only_who_knows_a_copy_is_listened_to() {
    let north = server().await;
    let forged = json!({ "type": "Notification", "subscriptionId": "urn:sub:1", "data": [{ "id": "urn:a:b", "type": "T" }] });
    north.subscribe(json!({})).await;
    for body in [forged, json!({}), json!([])] {
        let (status, _) = north.send(Method::POST, "/ngsi-ld/ex/remote-notify", Some(body)).await;
        assert_eq!(status, 404);
    }
}

#[tokio::test]
async fn parts_of_an_entity_are_judged_and_told_when_they_are_whole() {
    let (mut north, south) = (server().await, server().await);
    north.register(&south, json!({})).await;
    for number in [10, 50] {
        let local = json!({ "id": format!("urn:ngsi-ld:T:{number}"), "type": "T",
            "brand": { "type": "Property", "value": "Tatra" } });
        north.post("/ngsi-ld/v1/entities?local=true", local).await;
    }
    let subscription = json!({ "q": "speed>20;brand==\"Tatra\"", "splitEntities": true, "watchedAttributes": ["speed"] });
    north.subscribe(subscription).await;
    let copies = south.copied(|copies| copies.len() == 1).await;
    assert_eq!((copies[0].get("q"), &copies[0]["splitEntities"]), (None, &json!(true)));
    south.create(10).await;
    south.create(30).await;
    south.create(50).await;
    // Neither is fast enough or of the brand, but for the last.
    let news = north.news().await;
    assert_eq!(news["subscriptionId"], "urn:sub:1");
    let told = &news["data"][0];
    assert_eq!(
        (&told["id"], &told["brand"]["value"], &told["speed"]["value"]),
        (&json!("urn:ngsi-ld:T:50"), &json!("Tatra"), &json!(50))
    );
}

#[tokio::test]
async fn what_a_source_has_deleted_is_told_as_deleted_unless_others_have_a_part_of_it() {
    let (mut north, south) = (server().await, server().await);
    north.register(&south, json!({})).await;
    let local = json!({ "id": "urn:ngsi-ld:T:50", "type": "T",
        "brand": { "type": "Property", "value": "Tatra" } });
    north.post("/ngsi-ld/v1/entities?local=true", local).await;
    let split = json!({ "splitEntities": true, "notificationTrigger": ["entityDeleted"] });
    north.subscribe(split.clone()).await;
    let mut judged = split;
    judged["id"] = json!("urn:sub:2");
    judged["q"] = json!("brand");
    north.subscribe(judged).await;
    south.copied(|copies| copies.len() == 2).await;
    for number in [30, 50] {
        south.create(number).await;
    }
    for number in [30, 50] {
        let path = format!("/ngsi-ld/v1/entities/urn:ngsi-ld:T:{number}");
        assert_eq!(south.send(Method::DELETE, &path, None).await.0, 204);
    }
    let mut told = Vec::new();
    for _ in 0..3 {
        let news = north.news().await;
        let of = news["subscriptionId"].as_str().unwrap().to_owned();
        told.push((of, news["data"][0].clone()));
    }
    told.sort_by_key(|(of, entity)| (of.clone(), entity["id"].to_string()));
    let says = |at: usize, is_deleted: bool| {
        let (_, entity) = &told[at];
        assert!(entity["speed"].is_null(), "{entity}");
        assert_eq!(
            (entity["deletedAt"].is_string(), entity["brand"].is_null()),
            (is_deleted, is_deleted),
            "{entity}"
        );
        assert_eq!(entity["type"], "T");
        entity["id"].as_str().unwrap().to_owned()
    };
    assert_eq!((told[0].0.as_str(), says(0, true).as_str()), ("urn:sub:1", "urn:ngsi-ld:T:30"));
    assert_eq!((told[1].0.as_str(), says(1, false).as_str()), ("urn:sub:1", "urn:ngsi-ld:T:50"));
    assert_eq!((told[2].0.as_str(), says(2, false).as_str()), ("urn:sub:2", "urn:ngsi-ld:T:50"));
}

#[tokio::test]
async fn attributes_that_a_source_has_deleted_are_told_as_deleted_unless_others_have_them() {
    let (mut north, south) = (server().await, server().await);
    north.register(&south, json!({})).await;
    let property = |value: &str| json!({ "type": "Property", "value": value });
    let id = "urn:ngsi-ld:T:50";
    let local = json!({ "id": id, "type": "T", "brand": property("Tatra"), "name": property("N") });
    north.post("/ngsi-ld/v1/entities?local=true", local).await;
    let trigger = json!(["attributeDeleted"]);
    north.subscribe(json!({ "splitEntities": true, "notificationTrigger": trigger })).await;
    let judged = json!({ "id": "urn:sub:2", "splitEntities": true, "notificationTrigger": trigger,
        "q": "brand==\"Tatra\";line", "entities": [{ "type": "T" }] });
    north.subscribe(judged).await;
    let copies = south.copied(|copies| copies.len() == 2).await;
    let there = json!({ "id": id, "type": "T", "speed": property("S"), "name": property("M"),
        "line": property("L"), "greeting": { "type": "LanguageProperty", "languageMap": { "fi": "moi" } } });
    south.post("/ngsi-ld/v1/entities", there).await;
    for name in ["greeting", "name", "line"] {
        let path = format!("/ngsi-ld/v1/entities/{id}/attrs/{name}");
        assert_eq!(south.send(Method::DELETE, &path, None).await.0, 204);
    }
    let mut told: [Vec<Value>; 2] = Default::default();
    for _ in 0..5 {
        let news = north.news().await;
        assert_eq!(news["data"][0]["brand"]["value"], "Tatra", "{news}");
        told[usize::from(news["subscriptionId"] == "urn:sub:2")].push(news["data"][0].clone());
    }
    // Without the line it is none of those that the second subscription is about.
    assert_eq!((told[0].len(), told[1].len()), (3, 2));
    for told in &told {
        let gone =
            json!({ "type": "LanguageProperty", "languageMap": { "@none": "urn:ngsi-ld:null" } });
        assert_eq!((&told[0]["greeting"], &told[0]["line"]["value"]), (&gone, &json!("L")));
        // Of what both have, what was written last is told; this server has a name of its own.
        assert_eq!(told[0]["name"]["value"], "M");
        assert_eq!((told[0].get("createdAt"), told[0]["name"].get("createdAt")), (None, None));
        assert_eq!((&told[1]["name"]["value"], &told[1]["greeting"]), (&json!("N"), &Value::Null));
    }
    assert_eq!(told[0][2]["line"]["value"], "urn:ngsi-ld:null");
    // The bare form of the clause, and of an entity that is gone.
    let notify = json!({ "type": "Notification", "data": [
        { "id": id, "type": "T", "line": "urn:ngsi-ld:null" },
        { "id": "urn:ngsi-ld:T:60", "type": "T", "deletedAt": "2026-01-01T00:00:00Z", "line": "urn:ngsi-ld:null" },
    ] });
    for copy in &copies {
        let mut notify = notify.clone();
        notify["subscriptionId"] = copy["id"].clone();
        let path = "/ngsi-ld/ex/remote-notify";
        assert_eq!(north.send(Method::POST, path, Some(notify)).await.0, 200);
    }
    let news = north.news().await;
    assert_eq!(news["subscriptionId"], "urn:sub:1");
    let (first, second) = (&news["data"][0], &news["data"][1]);
    assert_eq!(
        (&first["line"]["value"], &second["id"]),
        (&json!("urn:ngsi-ld:null"), &json!("urn:ngsi-ld:T:60"))
    );
    assert!(
        second["deletedAt"].is_string() && second["line"]["value"] == "urn:ngsi-ld:null",
        "{second}"
    );
}

#[tokio::test]
async fn what_a_source_has_changed_and_deleted_is_told_with_what_it_was() {
    let (mut north, south) = (server().await, server().await);
    north.register(&south, json!({})).await;
    let id = "urn:ngsi-ld:T:50";
    let local = json!({ "id": id, "type": "T", "brand": { "type": "Property", "value": "Tatra" } });
    north.post("/ngsi-ld/v1/entities?local=true", local).await;
    let triggers = json!(["attributeUpdated", "attributeDeleted", "entityDeleted"]);
    let notification = json!({ "showChanges": true,
        "endpoint": { "uri": "http://subscriber.example/told" } });
    north
        .subscribe(json!({ "splitEntities": true, "notificationTrigger": triggers,
            "notification": notification }))
        .await;
    let copies = south.copied(|copies| copies.len() == 1).await;
    assert_eq!(copies[0]["notification"]["showChanges"], true);
    let there = json!({ "id": id, "type": "T", "speed": { "type": "Property", "value": 1 },
        "driver": { "type": "Relationship", "object": "urn:x:1" },
        "greeting": { "type": "LanguageProperty", "languageMap": { "fi": "moi" } } });
    south.post("/ngsi-ld/v1/entities", there).await;
    let attrs = format!("/ngsi-ld/v1/entities/{id}/attrs");
    let faster = json!({ "speed": { "type": "Property", "value": 2 } });
    assert_eq!(south.send(Method::PATCH, &attrs, Some(faster)).await.0, 204);
    let news = north.news().await;
    let told = &news["data"][0];
    assert_eq!((&told["speed"]["value"], &told["speed"]["previousValue"]), (&json!(2), &json!(1)));
    assert_eq!(
        (&told["brand"]["value"], told["brand"].get("previousValue")),
        (&json!("Tatra"), None)
    );
    assert_eq!(told["driver"].get("previousObject"), None, "{told}");
    assert_eq!(south.send(Method::DELETE, &format!("{attrs}/greeting"), None).await.0, 204);
    let news = north.news().await;
    let gone = json!({ "type": "LanguageProperty", "languageMap": { "@none": "urn:ngsi-ld:null" },
        "previousLanguageMap": { "fi": "moi" } });
    assert_eq!(news["data"][0]["greeting"], gone);
    let path = format!("/ngsi-ld/v1/entities/{id}");
    assert_eq!(south.send(Method::DELETE, &path, None).await.0, 204);
    let news = north.news().await;
    let told = &news["data"][0];
    let gone = json!({ "type": "Relationship", "object": "urn:ngsi-ld:null", "previousObject": "urn:x:1" });
    assert_eq!((&told["driver"], &told["speed"]["previousValue"]), (&gone, &json!(2)), "{told}");
    assert_eq!((&told["brand"]["value"], told.get("deletedAt")), (&json!("Tatra"), None));
}

#[tokio::test]
async fn bare_null_of_a_source_is_told_as_of_the_kind_that_the_attribute_has() {
    let (mut north, south) = (server().await, server().await);
    north.register(&south, json!({})).await;
    let other = json!({ "id": "urn:ngsi-ld:T:1", "type": "T",
        "driver": { "type": "Relationship", "object": "urn:x:1" },
        "greeting": { "type": "LanguageProperty", "languageMap": { "fi": "moi" } } });
    north.post("/ngsi-ld/v1/entities?local=true", other).await;
    north
        .subscribe(json!({ "splitEntities": true, "notificationTrigger": ["attributeDeleted"] }))
        .await;
    let copies = south.copied(|copies| copies.len() == 1).await;
    let notify = json!({ "type": "Notification", "subscriptionId": copies[0]["id"], "data": [
        { "id": "urn:ngsi-ld:T:50", "type": "T", "driver": "urn:ngsi-ld:null",
          "greeting": { "value": "urn:ngsi-ld:null", "datasetId": "urn:d:1" }, "line": "urn:ngsi-ld:null" } ] });
    let path = "/ngsi-ld/ex/remote-notify";
    assert_eq!(north.send(Method::POST, path, Some(notify)).await.0, 200);
    let news = north.news().await;
    let told = &news["data"][0];
    let driver = json!({ "type": "Relationship", "object": "urn:ngsi-ld:null" });
    let greeting = json!({ "type": "LanguageProperty", "languageMap": { "@none": "urn:ngsi-ld:null" },
        "datasetId": "urn:d:1" });
    assert_eq!((&told["driver"], &told["greeting"]), (&driver, &greeting), "{told}");
    assert_eq!(told["line"]["type"], "Property");
}

#[tokio::test]
async fn what_a_source_notified_is_a_dead_letter_where_the_subscriber_does_not_take_it() {
    let (mut north, south) = (server().await, server().await);
    north.subscribe(json!({})).await;
    north.register(&south, json!({})).await;
    south.copied(|copies| copies.len() == 1).await;
    north.condemns.store(true, Ordering::Release);
    let path = "/ngsi-ld/v1/subscriptions/urn:sub:1";
    let letters = format!("{path}/deadLetters");
    for (speed, count) in [(5, 1), (6, 2)] {
        south.create(speed).await;
        let mut kept = Value::Null;
        for _ in 0..400 {
            kept = north.send(Method::GET, &letters, None).await.1;
            if kept.as_array().is_some_and(|kept| kept.len() == count) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let last = &kept[count - 1];
        assert_eq!(
            last["notification"]["data"][0]["id"],
            format!("urn:ngsi-ld:T:{speed}"),
            "{kept}"
        );
        assert_eq!((&last["reason"], &last["attempts"]), (&json!("not wanted"), &json!(1)));
    }
    north.condemns.store(false, Ordering::Release);
    let (status, _) = north.send(Method::POST, &format!("{path}/replay"), Some(json!({}))).await;
    assert_eq!(status, 204);
    for speed in [5, 6] {
        let news = north.news().await;
        assert_eq!(news["data"][0]["id"], format!("urn:ngsi-ld:T:{speed}"));
        assert_eq!(news["subscriptionId"], "urn:sub:1");
    }
    assert_eq!(north.send(Method::GET, &letters, None).await.1, json!([]));
}
