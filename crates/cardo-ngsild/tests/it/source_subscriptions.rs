//! Subscriptions to registrations and their notifications (clause 5.11), the end of registrations
//! (clause 5.9.2.4) and the identity of the server (clause 5.15).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::{Method, StatusCode};
use cardo_model::Timestamp;
use cardo_ngsild::{Courier, DeliveryError, Message, NgsildOptions};
use cardo_store::MemoryStore;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::client::{Client, client, client_over};

/// Hands every message to the test.
struct Mailbox(mpsc::UnboundedSender<Message>, StatusCode);

#[async_trait]
impl Courier for Mailbox {
    async fn deliver(&self, message: Message) -> Result<StatusCode, DeliveryError> {
        self.0.send(message).map_err(|_| DeliveryError::Stopped)?;
        if self.1.is_success() {
            Ok(self.1)
        } else {
            let reason = format!("answered {}", self.1);
            Err(DeliveryError::Failed { reason, is_final: true, pause: None })
        }
    }
}

struct Told {
    client: Client,
    messages: mpsc::UnboundedReceiver<Message>,
    stop: Option<oneshot::Sender<()>>,
    runner: JoinHandle<()>,
}

async fn told(store: MemoryStore, status: StatusCode) -> Told {
    let (sender, messages) = mpsc::unbounded_channel();
    let courier = Arc::new(Mailbox(sender, status));
    let options = NgsildOptions { courier, ..NgsildOptions::default() };
    let mut client = client_over(store, options).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let runner = client.runner.take().unwrap();
    let runner = tokio::spawn(runner.run(async {
        let _ = stopped.await;
    }));
    Told { client, messages, stop: Some(stop), runner }
}

impl Told {
    async fn message(&mut self) -> Message {
        let next = tokio::time::timeout(Duration::from_secs(20), self.messages.recv());
        next.await.expect("a notification comes in time").unwrap()
    }

    /// The reason and the ids of the next notification.
    async fn news(&mut self) -> (String, Vec<String>) {
        let body: Value = serde_json::from_slice(&self.message().await.body).unwrap();
        assert_eq!(body["type"], "ContextSourceNotification");
        assert!(body["notifiedAt"].is_string());
        let data = body["data"].as_array().unwrap().iter();
        let ids = data.map(|one| one["id"].as_str().unwrap().replace("urn:reg:", "")).collect();
        (body["triggerReason"].as_str().unwrap().to_owned(), ids)
    }

    async fn expect(&mut self, reason: &str, ids: &[&str]) {
        let (said, of) = self.news().await;
        assert_eq!((said.as_str(), of), (reason, ids.iter().map(|id| (*id).to_owned()).collect()));
    }

    async fn register(&self, id: &str, more: Value) {
        let mut members = json!({
            "id": format!("urn:reg:{id}"),
            "type": "ContextSourceRegistration",
            "endpoint": "http://source.example/ngsi-ld/v1",
            "information": [{ "entities": [{ "type": "Tree" }] }, { "entities": [{ "type": "Car" }] }],
        });
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.client.post("/csourceRegistrations", members).await.expect(201);
    }

    async fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        (&mut self.runner).await.unwrap();
    }
}

const ID: &str = "urn:ngsi-ld:Subscription:s";
const ONE: &str = "/csourceSubscriptions/urn:ngsi-ld:Subscription:s";

fn subscription(more: &Value) -> Value {
    let mut members = json!({
        "id": ID,
        "type": "Subscription",
        "entities": [{ "type": "Tree" }],
        "notification": { "endpoint": { "uri": "http://receiver.example/told" } },
    });
    members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    members
}

async fn subscribe(client: &Client, more: Value) {
    client.post("/csourceSubscriptions", subscription(&more)).await.expect(201);
}

#[tokio::test]
async fn subscriptions_to_registrations_are_kept_listed_changed_and_deleted() {
    let client = client().await;
    let time = json!({ "timerel": "after", "timeAt": "2020-01-01T00:00:00Z", "timeproperty": "createdAt" });
    let more = json!({ "watchedAttributes": ["height"], "csf": "endpoint~=\"example\"", "temporalQ": time });
    let reply = client.post("/csourceSubscriptions", subscription(&more)).await.expect(201);
    assert!(reply.header("location").ends_with(ONE));
    let shown = client.get(ONE).await.expect(200).json();
    assert_eq!(
        (&shown["entities"][0]["type"], &shown["watchedAttributes"][0]),
        (&json!("Tree"), &json!("height"))
    );
    assert_eq!((&shown["temporalQ"], &shown["status"]), (&time, &json!("active")));
    // It is no subscription to entities.
    client.get(&format!("/subscriptions/{ID}")).await.expect(404);
    client.post("/csourceSubscriptions", subscription(&json!({}))).await.expect_problem(
        409,
        "AlreadyExists",
        ID,
    );

    client
        .patch(ONE, json!({ "isActive": false, "watchedAttributes": "urn:ngsi-ld:null" }))
        .await
        .expect(204);
    let shown = client.get(&format!("{ONE}?options=sysAttrs")).await.expect(200).json();
    assert_eq!((&shown["status"], shown.get("watchedAttributes")), (&json!("paused"), None));
    assert!(shown["createdAt"].is_string());
    let list = client.get("/csourceSubscriptions?count=true&limit=1").await.expect(200);
    assert_eq!((list.ids(), list.header("ngsild-results-count")), (vec![ID.to_owned()], "1"));

    client.delete(ONE).await.expect(204);
    client.get(ONE).await.expect_problem(404, "ResourceNotFound", ID);
    client.delete(ONE).await.expect_problem(404, "ResourceNotFound", ID);
    client.patch(ONE, json!({ "isActive": true })).await.expect_problem(
        404,
        "ResourceNotFound",
        ID,
    );
    client.get("/csourceSubscriptions/x").await.expect_problem(400, "BadRequestData", "\"x\"");
}

#[tokio::test]
async fn subscriptions_to_registrations_that_break_a_rule_are_refused() {
    let client = client().await;
    for (more, detail) in [
        (json!({ "type": "Other" }), "type"),
        (json!({ "notification": {} }), "endpoint"),
        (json!({ "csf": "(" }), "expected"),
        (json!({ "temporalQ": 5 }), "temporalQ"),
        (json!({ "temporalQ": { "timerel": "later", "timeAt": "2020-01-01T00:00:00Z" } }), "later"),
        (json!({ "temporalQ": { "lastN": 5 } }), "lastN"),
        (json!({ "expiresAt": "2020-01-01T00:00:00Z" }), "past"),
        (json!({ "watchedAttributes": [] }), "watchedAttributes"),
    ] {
        let reply = client.post("/csourceSubscriptions", subscription(&more)).await;
        reply.expect_problem(400, "BadRequestData", detail);
    }
}

#[tokio::test]
async fn what_matches_is_told_at_first_and_whenever_it_changes() {
    let mut told = told(MemoryStore::new(), StatusCode::OK).await;
    told.register("a", json!({})).await;
    told.register("other", json!({ "information": [{ "entities": [{ "type": "Car" }] }] })).await;
    subscribe(&told.client, json!({})).await;
    let body: Value = serde_json::from_slice(&told.message().await.body).unwrap();
    assert_eq!(
        (&body["subscriptionId"], &body["triggerReason"]),
        (&json!(ID), &json!("newlyMatching"))
    );
    // Only what matches of a registration is told (clause 5.11.7).
    assert_eq!(body["data"][0]["information"], json!([{ "entities": [{ "type": "Tree" }] }]));
    assert_eq!(body["data"].as_array().unwrap().len(), 1);

    told.register("b", json!({})).await;
    told.expect("newlyMatching", &["b"]).await;
    let path = "/csourceRegistrations/urn:reg:b";
    told.client.patch(path, json!({ "description": "changed" })).await.expect(204);
    told.expect("updated", &["b"]).await;
    let cars = json!({ "information": [{ "entities": [{ "type": "Car" }] }] });
    told.client.patch(path, cars).await.expect(204);
    told.expect("noLongerMatching", &["b"]).await;
    told.client.delete("/csourceRegistrations/urn:reg:a").await.expect(204);
    told.expect("noLongerMatching", &["a"]).await;

    // Another subscription is told everything again.
    let both = json!({ "entities": [{ "type": "Car" }] });
    told.client.patch(ONE, both).await.expect(204);
    told.expect("newlyMatching", &["b", "other"]).await;
    let shown = told.client.get(ONE).await.expect(200).json();
    assert_eq!(shown["notification"]["timesSent"], 6);
    assert_eq!(shown["notification"]["status"], "ok");
    told.client.delete(ONE).await.expect(204);
    told.stop().await;
}

#[tokio::test]
async fn a_restart_tells_only_what_has_changed_since() {
    let store = MemoryStore::new();
    let mut first = told(store.clone(), StatusCode::OK).await;
    first.register("a", json!({})).await;
    first.register("b", json!({})).await;
    subscribe(&first.client, json!({})).await;
    first.expect("newlyMatching", &["a", "b"]).await;
    first.stop().await;
    first.client.delete("/csourceRegistrations/urn:reg:a").await.expect(204);
    first.client.engine.project_all().await.unwrap();
    drop(first);
    let mut second = told(store, StatusCode::OK).await;
    second.expect("noLongerMatching", &["a"]).await;
    second.register("c", json!({})).await;
    second.expect("newlyMatching", &["c"]).await;
    second.stop().await;
}

#[tokio::test]
async fn a_periodic_subscription_tells_of_all_registrations_that_match() {
    let mut told = told(MemoryStore::new(), StatusCode::OK).await;
    told.register("a", json!({})).await;
    subscribe(&told.client, json!({ "timeInterval": 0.05 })).await;
    told.expect("newlyMatching", &["a"]).await;
    told.expect("updated", &["a"]).await;
    told.stop().await;
}

#[tokio::test]
async fn a_failure_is_counted() {
    let mut told = told(MemoryStore::new(), StatusCode::NOT_FOUND).await;
    told.register("a", json!({})).await;
    subscribe(&told.client, json!({})).await;
    told.expect("newlyMatching", &["a"]).await;
    told.stop().await;
    let shown = told.client.get(ONE).await.expect(200).json();
    let notification = &shown["notification"];
    assert_eq!(
        (&notification["status"], &notification["timesFailed"]),
        (&json!("failed"), &json!(1))
    );
}

#[tokio::test]
async fn a_registration_goes_when_its_time_is_over_also_after_a_restart() {
    let store = MemoryStore::new();
    let mut first = told(store.clone(), StatusCode::OK).await;
    subscribe(&first.client, json!({})).await;
    let soon = |micros| Timestamp::now().plus_micros(micros).to_string();
    first.register("a", json!({ "expiresAt": soon(300_000) })).await;
    first.expect("newlyMatching", &["a"]).await;
    first.expect("noLongerMatching", &["a"]).await;
    first.client.get("/csourceRegistrations/urn:reg:a").await.expect(404);
    first.register("b", json!({ "expiresAt": soon(500_000) })).await;
    first.expect("newlyMatching", &["b"]).await;
    first.stop().await;
    drop(first);
    let mut second = told(store, StatusCode::OK).await;
    second.expect("noLongerMatching", &["b"]).await;
    second.client.get("/csourceRegistrations/urn:reg:b").await.expect(404);
    second.stop().await;
}

#[tokio::test]
async fn the_server_says_who_it_is_to_each_tenant() {
    let client = client().await;
    let identity = client.get("/info/sourceIdentity").await.expect(200).json();
    assert_eq!(identity["type"], "ContextSourceIdentity");
    let alias = identity["contextSourceAlias"].as_str().unwrap();
    assert_eq!(identity["id"], format!("urn:ngsi-ld:ContextSource:{alias}"));
    assert!(identity["contextSourceUptime"].as_str().unwrap().starts_with("PT"));
    Timestamp::parse(identity["contextSourceTimeAt"].as_str().unwrap()).unwrap();
    let tenant = client.ask(Method::GET, "/info/sourceIdentity").header("ngsild-tenant", "green");
    let tenant = tenant.accept("application/ld+json").send().await.expect(200).json();
    assert_ne!(tenant["contextSourceAlias"], identity["contextSourceAlias"]);
    assert!(tenant["@context"].is_string());
    client.get("/info/else").await.expect(404);
    client.get("/info/sourceIdentity?x=1").await.expect_problem(400, "InvalidRequest", "x");
}
