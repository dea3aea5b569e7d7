use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::{Method, StatusCode};
use cardo_egress::mqtt::{Quality, Version};
use cardo_ngsild::{Courier, DeliveryError, Message, NgsildOptions};
use cardo_store::MemoryStore;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::client::{Client, client, client_over};

/// Hands every message to the test.
struct Mailbox {
    sender: mpsc::UnboundedSender<Message>,
    status: StatusCode,
}

#[async_trait]
impl Courier for Mailbox {
    async fn deliver(&self, message: Message) -> Result<StatusCode, DeliveryError> {
        self.sender.send(message).map_err(|_| DeliveryError::Stopped)?;
        if self.status.is_success() {
            Ok(self.status)
        } else {
            let reason = format!("answered {}", self.status);
            let is_final = self.status.is_client_error();
            Err(DeliveryError::Failed { reason, is_final, pause: None })
        }
    }
}

/// A face whose notifications arrive in a channel.
pub(crate) struct Notified {
    pub(crate) client: Client,
    messages: mpsc::UnboundedReceiver<Message>,
    stop: Option<oneshot::Sender<()>>,
    runner: JoinHandle<()>,
}

pub(crate) async fn notified() -> Notified {
    notified_over(MemoryStore::new(), StatusCode::OK).await
}

async fn notified_over(store: MemoryStore, status: StatusCode) -> Notified {
    let (sender, messages) = mpsc::unbounded_channel();
    let courier = Arc::new(Mailbox { sender, status });
    let mut client =
        client_over(store, NgsildOptions { courier, ..NgsildOptions::default() }).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let runner = client.runner.take().unwrap();
    let runner = tokio::spawn(runner.run(async {
        let _ = stopped.await;
    }));
    Notified { client, messages, stop: Some(stop), runner }
}

impl Notified {
    pub(crate) async fn message(&mut self) -> Message {
        let next = tokio::time::timeout(Duration::from_secs(20), self.messages.recv());
        next.await.expect("a notification comes in time").unwrap()
    }

    pub(crate) async fn body(&mut self) -> Value {
        serde_json::from_slice(&self.message().await.body).unwrap()
    }

    pub(crate) async fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        (&mut self.runner).await.unwrap();
    }

    pub(crate) async fn subscribe(&self, members: Value) -> String {
        let mut subscription = json!({
            "type": "Subscription",
            "entities": [{ "type": "T" }],
            "notification": { "endpoint": { "uri": "http://receiver.example/notify" } }
        });
        for (name, value) in members.as_object().unwrap() {
            subscription[name] = value.clone();
        }
        let reply = self.client.post("/subscriptions", subscription).await.expect(201);
        reply.header("location").rsplit('/').next().unwrap().to_owned()
    }

    pub(crate) async fn set(&self, name: &str, value: Value) {
        self.client.post("/entities/urn:x:1/attrs", json!({ (name): value })).await.expect(204);
    }
}

#[tokio::test]
async fn a_change_is_told_to_those_who_subscribed() {
    let mut notified = notified().await;
    let id = notified.subscribe(json!({})).await;
    notified.client.create(json!({ "id": "urn:x:0", "type": "Other", "a": 1 })).await;
    notified.client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1 })).await;
    let message = notified.message().await;
    assert_eq!(message.endpoint, "http://receiver.example/notify");
    assert_eq!(message.headers["content-type"], "application/json");
    assert!(message.headers["link"].to_str().unwrap().contains("ngsi-ld-core-context"));
    let body: Value = serde_json::from_slice(&message.body).unwrap();
    assert_eq!((&body["type"], &body["subscriptionId"]), (&json!("Notification"), &json!(id)));
    assert!(body["id"].as_str().unwrap().starts_with("urn:") && body["notifiedAt"].is_string());
    assert_eq!(
        body["data"],
        json!([{ "id": "urn:x:1", "type": "T", "a": { "type": "Property", "value": 1 } }])
    );
    notified.set("a", json!(2)).await;
    assert_eq!(notified.body().await["data"][0]["a"]["value"], 2);
}

#[tokio::test]
async fn a_context_that_was_given_in_place_is_told_by_a_url_of_the_server() {
    let store = MemoryStore::new();
    let mut first = notified_over(store.clone(), StatusCode::OK).await;
    let subscription = json!({
        "type": "Subscription", "entities": [{ "type": "T" }],
        "notification": { "endpoint": { "uri": "http://receiver.example/notify" } },
        "@context": [{ "T": "urn:own:T", "a": "urn:own:a" }],
    });
    let asking = first.client.ask(Method::POST, "/subscriptions").header("ngsild-tenant", "north");
    asking.header("host", "twin.example").json_ld(&subscription).send().await.expect(201);
    let create = async |client: &Client, id: &str| {
        let entity = json!({ "id": id, "type": "urn:own:T", "urn:own:a": 1 });
        let asking = client.ask(Method::POST, "/entities").header("ngsild-tenant", "north");
        asking.json(&entity).send().await.expect(201);
    };
    create(&first.client, "urn:x:1").await;
    let message = first.message().await;
    let link = message.headers["link"].to_str().unwrap().to_owned();
    assert!(link.starts_with("<http://twin.example/tenants/north/ngsi-ld/v1/jsonldContexts/urn:"));
    let data = |message: &Message| {
        serde_json::from_slice::<Value>(&message.body).unwrap()["data"][0]["a"]["value"].clone()
    };
    assert_eq!(data(&message), 1);
    first.stop().await;
    first.client.engine.close().await.unwrap();
    store.reopen();
    let mut second = notified_over(store, StatusCode::OK).await;
    create(&second.client, "urn:x:2").await;
    let message = second.message().await;
    assert_eq!((message.headers["link"].to_str().unwrap(), data(&message)), (&*link, json!(1)));
}

#[tokio::test]
async fn only_what_is_watched_and_matches_is_told() {
    let mut notified = notified().await;
    notified
        .client
        .create(json!({ "id": "urn:x:1", "type": "T", "a": 1, "b": 1, "scope": "/A" }))
        .await;
    notified
        .subscribe(json!({ "watchedAttributes": ["a"], "q": "a>5", "scopeQ": "/A", "entities": [{ "type": "T", "idPattern": "1$" }] }))
        .await;
    for (name, value) in [("b", 9), ("a", 3), ("a", 6), ("b", 10), ("a", 7)] {
        notified.set(name, json!(value)).await;
    }
    assert_eq!(notified.body().await["data"][0]["a"]["value"], 6);
    assert_eq!(notified.body().await["data"][0]["a"]["value"], 7);
}

#[tokio::test]
async fn an_update_that_changes_nothing_is_not_told() {
    let mut notified = notified().await;
    notified.client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1 })).await;
    notified.subscribe(json!({})).await;
    notified.set("a", json!(1)).await;
    notified.set("a", json!(2)).await;
    assert_eq!(notified.body().await["data"][0]["a"]["value"], 2);
}

#[tokio::test]
async fn a_geoquery_decides_who_is_told_of() {
    let mut notified = notified().await;
    notified
        .subscribe(json!({ "geoQ": { "georel": "near;maxDistance==100", "geometry": "Point", "coordinates": "[24,60]" } }))
        .await;
    let at = |n: u8, x: f64| json!({ "id": format!("urn:x:{n}"), "type": "T", "location": { "type": "Point", "coordinates": [x, 60] } });
    notified.client.create(json!([at(1, 25.0), at(2, 24.0)])).await;
    assert_eq!(notified.body().await["data"][0]["id"], "urn:x:2");
}

#[tokio::test]
async fn triggers_choose_what_counts() {
    let mut notified = notified().await;
    notified
        .subscribe(json!({ "notificationTrigger": ["entityDeleted", "attributeDeleted"] }))
        .await;
    notified.client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1, "b": 2 })).await;
    notified.set("a", json!(5)).await;
    notified.client.delete("/entities/urn:x:1/attrs/a").await.expect(204);
    let gone = notified.body().await;
    let null = json!({ "type": "Property", "value": "urn:ngsi-ld:null" });
    assert_eq!(gone["data"][0]["a"], null);
    assert_eq!(gone["data"][0]["b"]["value"], 2);
    notified.client.delete("/entities/urn:x:1").await.expect(204);
    let gone = &notified.body().await["data"][0];
    assert_eq!((&gone["id"], &gone["type"]), (&json!("urn:x:1"), &json!("T")));
    assert!(gone["deletedAt"].is_string() && gone.get("b").is_none(), "{gone}");
}

#[tokio::test]
async fn an_entity_that_goes_takes_its_watched_attributes_along() {
    let mut notified = notified().await;
    notified
        .subscribe(
            json!({ "notificationTrigger": ["attributeDeleted"], "watchedAttributes": ["a"] }),
        )
        .await;
    notified
        .client
        .create(json!([
            { "id": "urn:x:1", "type": "T", "b": 2 },
            { "id": "urn:x:2", "type": "T", "a": 1, "b": 2 },
        ]))
        .await;
    notified.client.delete("/entities/urn:x:1").await.expect(204);
    notified.client.delete("/entities/urn:x:2").await.expect(204);
    let gone = &notified.body().await["data"][0];
    assert_eq!(gone["id"], "urn:x:2", "the other had nothing that is watched");
    let null = json!({ "type": "Property", "value": "urn:ngsi-ld:null" });
    assert_eq!((&gone["a"], &gone["b"]), (&null, &json!(null)));
    assert!(gone["deletedAt"].is_string());
}

#[tokio::test]
async fn an_instance_that_is_gone_is_told_beside_those_that_are_left() {
    let mut notified = notified().await;
    let speed = json!([{ "value": 1 }, { "value": 2, "datasetId": "urn:x:gps" }]);
    notified.client.create(json!({ "id": "urn:x:1", "type": "T", "speed": speed })).await;
    notified.subscribe(json!({ "notificationTrigger": ["attributeDeleted"] })).await;
    notified.client.delete("/entities/urn:x:1/attrs/speed?datasetId=urn:x:gps").await.expect(204);
    let gone = json!({ "type": "Property", "value": "urn:ngsi-ld:null", "datasetId": "urn:x:gps" });
    let told = notified.body().await["data"][0]["speed"].clone();
    assert_eq!(told, json!([{ "type": "Property", "value": 1 }, gone]));
}

#[tokio::test]
async fn a_notification_is_made_as_the_subscription_says() {
    let mut notified = notified().await;
    notified.client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1, "b": 2, "location": { "type": "Point", "coordinates": [1, 2] } })).await;
    let endpoint = |accept: &str| {
        json!({ "uri": "http://r.example/", "accept": accept,
        "receiverInfo": [{ "key": "Authorization", "value": "Bearer x" }] })
    };
    notified
        .subscribe(json!({ "notification": { "attributes": ["a"], "format": "keyValues", "endpoint": endpoint("application/ld+json") } }))
        .await;
    notified.set("a", json!(3)).await;
    let message = notified.message().await;
    assert_eq!(message.headers["content-type"], "application/ld+json");
    assert_eq!(message.headers["authorization"], "Bearer x");
    assert!(message.headers.get("link").is_none());
    let body: Value = serde_json::from_slice(&message.body).unwrap();
    assert!(body["@context"].is_string());
    let mut data = body["data"][0].clone();
    assert!(data.as_object_mut().unwrap().remove("@context").is_some());
    assert_eq!(data, json!({ "id": "urn:x:1", "type": "T", "a": 3 }));
}

#[tokio::test]
async fn a_broker_is_told_in_the_body_what_http_has_in_headers() {
    let mut notified = notified().await;
    let endpoint = json!({
        "uri": "mqtt://user:secret@broker.example/city/air",
        "notifierInfo": [
            { "key": "MQTT-QoS", "value": "2" }, { "key": "MQTT-Version", "value": "mqtt3.1.1" }
        ],
        "receiverInfo": [{ "key": "My-Key", "value": "\"mine\"" }, { "key": "Link", "value": "no" }]
    });
    notified.subscribe(json!({ "notification": { "endpoint": endpoint } })).await;
    let in_body = json!({ "uri": "mqtt://broker.example/b", "accept": "application/ld+json" });
    notified.client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1 })).await;
    let message = notified.message().await;
    assert_eq!(message.endpoint, "mqtt://user:secret@broker.example/city/air");
    let parameters = message.mqtt.unwrap();
    assert_eq!((parameters.version, parameters.quality), (Version::V3, Quality::ExactlyOnce));
    let told: Value = serde_json::from_slice(&message.body).unwrap();
    let metadata = &told["metadata"];
    assert_eq!(metadata["Content-Type"], "application/json");
    assert!(
        metadata["Link"].as_str().unwrap().contains("rel=\"http://www.w3.org/ns/json-ld#context\"")
    );
    assert_eq!(metadata["My-Key"], "\"mine\"");
    assert_eq!((metadata.as_object().unwrap().len(), told.as_object().unwrap().len()), (3, 2));
    assert_eq!(told["body"]["type"], "Notification");
    assert_eq!(told["body"]["data"][0]["a"]["value"], 1);

    notified
        .subscribe(
            json!({ "entities": [{ "type": "U" }], "notification": { "endpoint": in_body } }),
        )
        .await;
    notified.client.create(json!({ "id": "urn:x:2", "type": "U", "a": 1 })).await;
    let message = notified.message().await;
    let parameters = message.mqtt.unwrap();
    assert_eq!((parameters.version, parameters.quality), (Version::V5, Quality::AtMostOnce));
    let told: Value = serde_json::from_slice(&message.body).unwrap();
    assert_eq!(told["metadata"], json!({ "Content-Type": "application/ld+json" }));
    assert!(told["body"]["@context"].is_string() || told["body"]["@context"].is_array());
}

#[tokio::test]
async fn features_and_previous_values_are_told_where_they_are_wanted() {
    let mut notified = notified().await;
    notified.client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1, "location": { "type": "Point", "coordinates": [1, 2] } })).await;
    notified
        .subscribe(json!({ "notification": { "endpoint": { "uri": "http://r.example/", "accept": "application/geo+json" } } }))
        .await;
    notified.set("a", json!(3)).await;
    let body = notified.body().await;
    assert_eq!(body["data"]["type"], "FeatureCollection");
    assert_eq!(body["data"]["features"][0]["geometry"]["type"], "Point");
    let showing = json!({ "notification": { "showChanges": true, "sysAttrs": true, "endpoint": { "uri": "http://s.example/" } } });
    notified.subscribe(showing).await;
    notified.set("a", json!(4)).await;
    let mut changed = None;
    for _ in 0..2 {
        let message = notified.message().await;
        if message.endpoint == "http://s.example/" {
            changed = Some(serde_json::from_slice::<Value>(&message.body).unwrap());
        }
    }
    let attribute = &changed.unwrap()["data"][0]["a"];
    assert_eq!((&attribute["value"], &attribute["previousValue"]), (&json!(4), &json!(3)));
    assert!(attribute["modifiedAt"].is_string());
}

#[tokio::test]
async fn texts_are_told_in_the_language_of_the_subscription() {
    let mut notified = notified().await;
    let text = json!({ "type": "LanguageProperty", "languageMap": { "fi": "Tori", "sv": "Torg" } });
    notified.client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1, "name": text })).await;
    notified.subscribe(json!({ "lang": "sv" })).await;
    notified.set("a", json!(3)).await;
    let body = notified.body().await;
    let told = json!({ "type": "Property", "value": "Torg", "lang": "sv" });
    assert_eq!(body["data"][0]["name"], told);
}

#[tokio::test]
async fn a_paused_subscription_tells_nothing_until_it_goes_on() {
    let mut notified = notified().await;
    notified.client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1 })).await;
    let id = notified.subscribe(json!({ "isActive": false })).await;
    let path = format!("/subscriptions/{id}");
    assert_eq!(notified.client.get(&path).await.json()["status"], "paused");
    for n in 2..20 {
        notified.set("a", json!(n)).await;
    }
    notified.client.patch(&path, json!({ "isActive": true })).await.expect(204);
    assert_eq!(notified.client.get(&path).await.json()["status"], "active");
    notified.set("a", json!(3)).await;
    assert_eq!(notified.body().await["data"][0]["a"]["value"], 3);
}

#[tokio::test]
async fn deliveries_are_counted() {
    for (status, outcome, counter) in
        [(StatusCode::OK, "ok", "lastSuccess"), (StatusCode::BAD_GATEWAY, "failed", "lastFailure")]
    {
        let mut notified = notified_over(MemoryStore::new(), status).await;
        let id = notified.subscribe(json!({ "throttling": 3600 })).await;
        notified.client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1 })).await;
        notified.message().await;
        notified.set("a", json!(2)).await;
        notified.stop().await;
        let shown = notified.client.get(&format!("/subscriptions/{id}")).await.expect(200).json();
        let notification = &shown["notification"];
        assert_eq!(
            (&notification["timesSent"], &notification["status"]),
            (&json!(1), &json!(outcome)),
            "{shown}"
        );
        assert!(notification[counter].is_string() && notification["lastNotification"].is_string());
        assert!(notified.messages.try_recv().is_err(), "throttling holds the second one back");
    }
}

#[tokio::test]
async fn a_restart_goes_on_where_the_last_run_stopped() {
    let store = MemoryStore::new();
    let mut first = notified_over(store.clone(), StatusCode::OK).await;
    let id = first.subscribe(json!({})).await;
    first.client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1 })).await;
    first.message().await;
    first.stop().await;
    first.set("a", json!(2)).await;
    first.client.engine.close().await.unwrap();
    store.reopen();
    let mut second = notified_over(store, StatusCode::OK).await;
    assert_eq!(second.body().await["data"][0]["a"]["value"], 2);
    second.set("a", json!(3)).await;
    assert_eq!(second.body().await["data"][0]["a"]["value"], 3);
    second.client.delete(&format!("/subscriptions/{id}")).await.expect(204);
    second.client.get(&format!("/subscriptions/{id}")).await.expect(404);
}

#[tokio::test]
async fn a_periodic_subscription_tells_of_all_that_match() {
    let mut notified = notified().await;
    notified
        .client
        .create(json!([{ "id": "urn:x:1", "type": "T" }, { "id": "urn:x:2", "type": "T" }]))
        .await;
    notified.subscribe(json!({ "timeInterval": 0.05 })).await;
    for _ in 0..2 {
        assert_eq!(notified.body().await["data"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn subscriptions_are_kept_listed_changed_and_deleted() {
    let client = client().await;
    let subscription = json!({
        "id": "urn:x:s", "type": "Subscription", "description": "d",
        "entities": [{ "type": "T,U" }], "watchedAttributes": ["a"],
        "q": "a>1", "status": "expired",
        "notification": { "attributes": ["a"], "endpoint": { "uri": "http://r.example/" }, "timesSent": 99 },
        "@context": { "T": "https://example.org/T", "a": "https://example.org/a" }
    });
    let post = || client.ask(Method::POST, "/subscriptions").json_ld(&subscription).send();
    assert_eq!(post().await.expect(201).header("location"), "/ngsi-ld/v1/subscriptions/urn:x:s");
    post().await.expect_problem(409, "AlreadyExists", "urn:x:s");
    let shown = client.get("/subscriptions/urn:x:s?options=sysAttrs").await.expect(200).json();
    assert_eq!((&shown["status"], &shown["description"]), (&json!("active"), &json!("d")));
    assert_eq!(shown["entities"][0]["type"], "https://example.org/T,U");
    assert_eq!(shown["watchedAttributes"], json!(["https://example.org/a"]));
    assert!(shown["notification"].get("timesSent").is_none() && shown["createdAt"].is_string());
    let fragment = json!({ "description": "urn:ngsi-ld:null", "throttling": 5 });
    client.patch("/subscriptions/urn:x:s", fragment).await.expect(204);
    let shown = client.get("/subscriptions/urn:x:s").await.json();
    assert_eq!((shown.get("description"), &shown["throttling"]), (None, &json!(5)));
    let past = json!({ "expiresAt": "2000-01-01T00:00:00Z" });
    client.patch("/subscriptions/urn:x:s", past).await.expect_problem(
        400,
        "BadRequestData",
        "past",
    );
    let list = client.get("/subscriptions?limit=1&count=true").await.expect(200);
    assert_eq!((list.ids().len(), list.header("ngsild-results-count")), (1, "1"));
    client.delete("/subscriptions/urn:x:s").await.expect(204);
    for (method, body) in
        [(Method::GET, None), (Method::DELETE, None), (Method::PATCH, Some(json!({})))]
    {
        let asking = client.ask(method, "/subscriptions/urn:x:s");
        let asking = match &body {
            Some(body) => asking.json(body),
            None => asking,
        };
        asking.send().await.expect_problem(404, "ResourceNotFound", "urn:x:s");
    }
    client.get("/subscriptions/s").await.expect_problem(400, "BadRequestData", "URI");
}

#[tokio::test]
async fn subscriptions_that_break_a_rule_are_refused() {
    let client = client().await;
    let valid = json!({
        "type": "Subscription", "entities": [{ "type": "T" }],
        "notification": { "endpoint": { "uri": "http://r.example/" } }
    });
    let cases = [
        (json!({ "type": "Sub" }), 400, "Subscription"),
        (json!({ "entities": [] }), 400, "entities"),
        (json!({ "entities": [{ "id": "urn:x:1" }] }), 400, "type"),
        (json!({ "entities": [{ "type": "T", "id": "x" }] }), 400, "URI"),
        (json!({ "watchedAttributes": [] }), 400, "watchedAttributes"),
        (json!({ "watchedAttributes": ["no name"] }), 400, "no name"),
        (json!({ "entities": [{ "type": "T;!U" }] }), 400, "!"),
        (json!({ "notification": { "pick": ["no name"] } }), 400, "no name"),
        (
            json!({ "geoQ": { "georel": "equals", "geometry": "Point", "coordinates": [1, 1], "geoproperty": "no name" } }),
            400,
            "no name",
        ),
        (json!({ "watchedAttributes": ["a"], "timeInterval": 5 }), 400, "timeInterval"),
        (json!({ "throttling": 0 }), 400, "throttling"),
        (json!({ "q": "a>" }), 400, "expected"),
        (json!({ "geoQ": { "georel": "near" } }), 400, "geo"),
        (json!({ "expiresAt": "2000-01-01T00:00:00Z" }), 400, "past"),
        (json!({ "expiresAt": "soon" }), 400, "soon"),
        (json!({ "isActive": "yes" }), 400, "isActive"),
        (json!({ "notificationTrigger": ["entityMoved"] }), 400, "entityMoved"),
        (json!({ "notification": {} }), 400, "endpoint"),
        (json!({ "notification": { "endpoint": { "uri": "here" } } }), 400, "here"),
        (json!({ "notification": { "endpoint": { "uri": "ftp://r.example/" } } }), 400, "ftp"),
        (json!({ "notification": { "endpoint": { "uri": "http://" } } }), 400, "host"),
        (
            json!({ "notification": { "endpoint": { "uri": "mqtt://r.example/t/+" } } }),
            400,
            "wildcard",
        ),
        (json!({ "notification": { "endpoint": { "uri": "mqtt://r.example" } } }), 400, "topic"),
        (
            json!({ "notification": { "endpoint": {
                "uri": "mqtt://r.example/t", "notifierInfo": [{ "key": "MQTT-QoS", "value": "3" }]
            } } }),
            400,
            "MQTT-QoS",
        ),
        (
            json!({ "notification": { "endpoint": {
                "uri": "mqtt://r.example/t", "notifierInfo": [{ "key": "MQTT-Version", "value": "4" }]
            } } }),
            400,
            "MQTT-Version",
        ),
        (
            json!({ "notification": { "endpoint": {
                "uri": "mqtt://r.example/t", "accept": "application/geo+json"
            } } }),
            400,
            "7.2-2",
        ),
        (
            json!({ "notification": { "endpoint": { "uri": "http://r.example/", "accept": "text/csv" } } }),
            400,
            "text/csv",
        ),
        (
            json!({ "notification": { "format": "pretty", "endpoint": { "uri": "http://r.example/" } } }),
            400,
            "pretty",
        ),
        (
            json!({ "notification": { "attributes": [], "endpoint": { "uri": "http://r.example/" } } }),
            400,
            "attributes",
        ),
        (json!({ "unknownMember": 1 }), 400, "unknownMember"),
        (json!({ "lang": "f i" }), 400, "lang"),
        (json!({ "expandValues": 1 }), 400, "expandValues"),
        (json!({ "jsonKeys": ["a"] }), 400, "jsonKeys"),
        (json!({ "csf": "((" }), 400, "expected"),
        (
            json!({ "temporalQ": { "timerel": "before", "timeAt": "2026-01-01T00:00:00Z" } }),
            400,
            "registrations",
        ),
        (json!({ "ngsildConformance": "newest" }), 400, "newest"),
        (json!({ "ngsildConformance": "1" }), 400, "version"),
        (json!({ "entities": [{ "type": "*" }], "localOnly": false }), 400, "local"),
        (json!({ "q": format!("{}x{}", "a{".repeat(11), "}".repeat(11)) }), 400, "deep"),
        (json!({ "datasetId": ["x"] }), 400, "URI"),
        (
            json!({ "notification": { "join": "outer", "endpoint": { "uri": "http://r.example/" } } }),
            400,
            "outer",
        ),
        (
            json!({ "notification": { "join": "flat", "joinLevel": 0, "endpoint": { "uri": "http://r.example/" } } }),
            400,
            "joinLevel",
        ),
        (
            json!({ "notification": { "attributes": ["a", "type"], "endpoint": { "uri": "http://r.example/" } } }),
            400,
            "type",
        ),
        (
            json!({ "notification": { "showChanges": true, "format": "keyValues", "endpoint": { "uri": "http://r.example/" } } }),
            400,
            "showChanges",
        ),
        (
            json!({ "notification": { "containedBy": ["urn:x:1"], "endpoint": { "uri": "http://r.example/" } } }),
            400,
            "containedBy",
        ),
        (json!({ "jsonldContext": "http://nowhere.invalid/c.jsonld" }), 504, "nowhere"),
        (json!({ "id": "x" }), 400, "URI"),
    ];
    for (members, status, detail) in cases {
        let mut subscription = valid.clone();
        for (name, value) in members.as_object().unwrap() {
            subscription[name] = value.clone();
        }
        let name = match status {
            501 => "OperationNotSupported",
            504 => "LdContextNotAvailable",
            _ => "BadRequestData",
        };
        client.post("/subscriptions", subscription).await.expect_problem(status, name, detail);
    }
    let mut none = valid.clone();
    none.as_object_mut().unwrap().remove("entities");
    client.post("/subscriptions", none).await.expect_problem(400, "BadRequestData", "entities");
}
