//! Notifications that are late, refused or many.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::StatusCode;
use cardo_engine::Store;
use cardo_model::{Revision, TwinId};
use cardo_ngsild::{
    Courier, DeliveryError, DeliveryOptions, Message, NgsildOptions, NotificationWatch,
};
use cardo_store::MemoryStore;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::client::{Client, client_over};

/// How a receiver is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Takes,
    Fails,
    Condemns,
    Hangs,
}

/// Carries messages to receivers whose mood the test sets by their endpoint.
struct Road {
    moods: watch::Receiver<HashMap<String, Mood>>,
    told: mpsc::UnboundedSender<(String, Value)>,
    tried: watch::Sender<u64>,
}

#[async_trait]
impl Courier for Road {
    async fn deliver(&self, message: Message) -> Result<StatusCode, DeliveryError> {
        let mut moods = self.moods.clone();
        let mood = |moods: &HashMap<String, Mood>| {
            moods.get(&message.endpoint).copied().unwrap_or(Mood::Takes)
        };
        self.tried.send_modify(|tried| *tried += 1);
        let mood = mood(&moods.wait_for(|moods| mood(moods) != Mood::Hangs).await.unwrap());
        let failed = |reason: &str, is_final| {
            Err(DeliveryError::Failed { reason: reason.to_owned(), is_final, pause: None })
        };
        match mood {
            Mood::Fails => failed("out of order", false),
            Mood::Condemns => failed("not wanted", true),
            Mood::Takes | Mood::Hangs => {
                let body = serde_json::from_slice(&message.body).unwrap();
                self.told.send((message.endpoint, body)).unwrap();
                Ok(StatusCode::OK)
            }
        }
    }
}

pub(crate) struct City {
    pub(crate) client: Client,
    moods: watch::Sender<HashMap<String, Mood>>,
    pub(crate) told: mpsc::UnboundedReceiver<(String, Value)>,
    tried: watch::Receiver<u64>,
    watch: NotificationWatch,
    stop: Option<oneshot::Sender<()>>,
    runner: JoinHandle<()>,
}

pub(crate) const QUICK: DeliveryOptions = DeliveryOptions {
    retry_for: Duration::from_secs(3_600),
    first_pause: Duration::from_millis(1),
    longest_pause: Duration::from_millis(3),
    dead_letters: 5,
};

impl City {
    async fn new() -> Self {
        Self::over(MemoryStore::new(), QUICK).await
    }

    pub(crate) async fn over(store: MemoryStore, deliveries: DeliveryOptions) -> Self {
        let (moods, moods_seen) = watch::channel(HashMap::new());
        let (sender, told) = mpsc::unbounded_channel();
        let (tried, tried_seen) = watch::channel(0);
        let courier = Arc::new(Road { moods: moods_seen, told: sender, tried });
        let options = NgsildOptions { courier, deliveries, ..NgsildOptions::default() };
        let mut client = client_over(store, options).await;
        let (stop, stopped) = oneshot::channel::<()>();
        let runner = client.runner.take().unwrap();
        let watch = runner.watch();
        let runner = tokio::spawn(runner.run(async {
            let _ = stopped.await;
        }));
        Self { client, moods, told, tried: tried_seen, watch, stop: Some(stop), runner }
    }

    pub(crate) async fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        (&mut self.runner).await.unwrap();
        self.client.engine.close().await.unwrap();
    }

    pub(crate) fn is(&self, receiver: &str, mood: Mood) {
        self.moods.send_modify(|moods| {
            moods.insert(endpoint(receiver), mood);
        });
    }

    async fn subscribe(&self, receiver: &str, members: Value) -> String {
        let mut subscription = json!({
            "type": "Subscription", "entities": [{ "type": "T" }],
            "notification": { "endpoint": { "uri": endpoint(receiver) }, "format": "keyValues" }
        });
        for (name, value) in members.as_object().unwrap() {
            subscription[name] = value.clone();
        }
        let reply = self.client.post("/subscriptions", subscription).await.expect(201);
        let id = reply.header("location").rsplit('/').next().unwrap();
        format!("/subscriptions/{id}")
    }

    async fn create(&self) {
        self.client.create(json!({ "id": ID, "type": "T", "a": 0 })).await;
    }

    async fn set(&self, value: u64) {
        let path = format!("/entities/{ID}/attrs");
        self.client.post(&path, json!({ "a": value })).await.expect(204);
    }

    /// Waits until so many more attempts were made.
    pub(crate) async fn attempts(&mut self, more: u64) {
        let goal = *self.tried.borrow() + more;
        let reached = self.tried.wait_for(|tried| *tried >= goal);
        tokio::time::timeout(PATIENCE, reached).await.expect("it is tried").unwrap();
    }

    pub(crate) async fn told(&mut self) -> (String, Value) {
        let next = tokio::time::timeout(PATIENCE, self.told.recv());
        next.await.expect("a notification comes in time").unwrap()
    }

    async fn value(&mut self) -> Value {
        self.told().await.1["data"][0]["a"].clone()
    }

    /// Waits until what is said of a subscription holds.
    pub(crate) async fn shown(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let begun = std::time::Instant::now();
        loop {
            let shown = self.client.get(path).await.expect(200).json();
            if holds(&shown) {
                return shown;
            }
            assert!(begun.elapsed() < PATIENCE, "{shown}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
const ID: &str = "urn:x:1";

pub(crate) fn endpoint(receiver: &str) -> String {
    format!("http://{receiver}.example/")
}

#[tokio::test]
async fn what_fails_is_tried_again_and_the_order_stays() {
    let mut city = City::new().await;
    let path = city.subscribe("r", json!({})).await;
    city.create().await;
    assert_eq!(city.value().await, 0);
    city.is("r", Mood::Fails);
    for value in 1..=20 {
        city.set(value).await;
    }
    city.attempts(5).await;
    let failing = city.client.get(&path).await.json();
    assert_eq!(failing["notification"]["status"], "failed");
    assert_eq!(failing["notification"]["lastFailureReason"], "out of order");
    assert!(failing["notification"]["timesFailed"].as_u64().unwrap() >= 4, "{failing}");
    city.is("r", Mood::Takes);
    for value in 1..=20 {
        assert_eq!(city.value().await, value);
    }
    let shown = city.shown(&path, |shown| shown["notification"]["status"] == "ok").await;
    assert_eq!(shown["notification"]["timesSent"], 21);
    assert!(city.told.try_recv().is_err());
}

#[tokio::test]
async fn what_changes_within_the_time_of_throttling_is_told_at_its_end_each_entity_once() {
    let mut city = City::new().await;
    let members = json!({ "throttling": 3_600, "notification": {
        "endpoint": { "uri": endpoint("r") }, "showChanges": true },
        "notificationTrigger": ["entityCreated", "attributeUpdated", "entityDeleted"] });
    let path = city.subscribe("r", members).await;
    city.create().await;
    city.told().await;
    city.client.create(json!({ "id": "urn:x:2", "type": "T", "a": 0 })).await;
    for value in 1..=100 {
        city.set(value).await;
    }
    city.client.delete("/entities/urn:x:2").await.expect(204);
    assert!(city.told.try_recv().is_err());
    // A shorter time ends it.
    city.client.patch(&path, json!({ "throttling": 0.001 })).await.expect(204);
    let data = city.told().await.1["data"].clone();
    let of = |id: &str| {
        let mut found = data.as_array().unwrap().iter().filter(|one| one["id"] == id);
        (found.next().cloned().unwrap_or_default(), found.count())
    };
    let ((one, again), (gone, _)) = (of(ID), of("urn:x:2"));
    assert_eq!(
        (&one["a"]["value"], &one["a"]["previousValue"], again),
        (&json!(100), &json!(0), 0)
    );
    assert!(gone["deletedAt"].is_string(), "{data}");
    city.set(101).await;
    assert_eq!(city.told().await.1["data"][0]["a"]["value"], 101);
    assert!(city.told.try_recv().is_err());
}

#[tokio::test]
async fn throttling_holds_back_more_than_waits_in_memory() {
    let mut city = City::new().await;
    let path = city.subscribe("r", json!({ "throttling": 3_600 })).await;
    city.create().await;
    assert_eq!(city.value().await, 0);
    for value in 1..=400 {
        city.set(value).await;
    }
    city.client.patch(&path, json!({ "throttling": 0.001 })).await.expect(204);
    let mut last = city.value().await;
    while last != 400 {
        let next = city.value().await;
        assert!(next.as_u64() > last.as_u64(), "{next} behind {last}");
        last = next;
    }
    assert!(city.told.try_recv().is_err());
}

#[tokio::test]
async fn a_stop_within_the_time_of_throttling_loses_nothing() {
    let store = MemoryStore::new();
    let mut first = City::over(store.clone(), QUICK).await;
    let path = first.subscribe("r", json!({ "throttling": 3_600 })).await;
    first.create().await;
    assert_eq!(first.value().await, 0);
    for value in 1..=3 {
        first.set(value).await;
    }
    first.stop().await;
    assert!(first.told.try_recv().is_err());
    store.reopen();
    let mut second = City::over(store, QUICK).await;
    second.set(4).await;
    assert!(second.told.try_recv().is_err(), "its time is not over yet");
    second.client.patch(&path, json!({ "throttling": 0.001 })).await.expect(204);
    let mut value = second.value().await;
    while value != 4 {
        value = second.value().await;
    }
}

#[tokio::test]
async fn what_is_too_much_to_wait_in_memory_is_read_from_the_log_again() {
    let mut city = City::new().await;
    city.subscribe("hanging", json!({})).await;
    city.subscribe("failing", json!({})).await;
    city.is("hanging", Mood::Hangs);
    city.is("failing", Mood::Fails);
    city.create().await;
    for value in 1..=400 {
        city.set(value).await;
    }
    assert!(city.watch.figures().waiting < 300, "{:?}", city.watch.figures());
    city.is("hanging", Mood::Takes);
    city.is("failing", Mood::Takes);
    let mut next = HashMap::from([(endpoint("hanging"), 0), (endpoint("failing"), 0)]);
    for _ in 0..802 {
        let (receiver, body) = city.told().await;
        let expected = next.get_mut(&receiver).unwrap();
        assert_eq!(body["data"][0]["a"], *expected, "{receiver}");
        *expected += 1;
    }
    city.set(401).await;
    for _ in 0..2 {
        assert_eq!(city.value().await, 401);
    }
    assert!(city.told.try_recv().is_err());
}

#[tokio::test]
async fn a_receiver_that_hangs_or_fails_delays_nobody_else() {
    let mut city = City::new().await;
    for receiver in ["hanging", "failing", "well"] {
        city.subscribe(receiver, json!({})).await;
    }
    city.is("hanging", Mood::Hangs);
    city.is("failing", Mood::Fails);
    city.create().await;
    for value in 1..=50 {
        city.set(value).await;
    }
    for value in 0..=50 {
        let (receiver, body) = city.told().await;
        assert_eq!((receiver, &body["data"][0]["a"]), (endpoint("well"), &json!(value)));
    }
}

#[tokio::test]
async fn a_restart_goes_on_with_what_was_not_delivered() {
    let store = MemoryStore::new();
    let mut first = City::over(store.clone(), QUICK).await;
    let path = first.subscribe("r", json!({})).await;
    first.subscribe("other", json!({})).await;
    first.create().await;
    let mut early = vec![first.told().await.0, first.told().await.0];
    early.sort();
    assert_eq!(early, [endpoint("other"), endpoint("r")]);
    first.is("r", Mood::Fails);
    first.set(1).await;
    first.attempts(3).await;
    first.set(2).await;
    first.stop().await;
    let others: Vec<Value> = std::iter::from_fn(|| first.told.try_recv().ok())
        .map(|(_, body)| body["data"][0]["a"].clone())
        .collect();
    assert_eq!(others, [1, 2]);
    store.reopen();
    let mut second = City::over(store, QUICK).await;
    second.set(3).await;
    let mut told: Vec<(String, Value)> = Vec::new();
    for _ in 0..4 {
        let (receiver, body) = second.told().await;
        told.push((receiver, body["data"][0]["a"].clone()));
    }
    let of = |receiver: &str| {
        let own = told.iter().filter(|(one, _)| *one == endpoint(receiver));
        own.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    assert_eq!((of("r"), of("other")), (vec![json!(1), json!(2), json!(3)], vec![json!(3)]));
    let shown = second.shown(&path, |shown| shown["notification"]["timesSent"] == 5).await;
    assert!(shown["notification"]["timesFailed"].as_u64().unwrap() >= 3, "{shown}");
    assert_eq!(shown["notification"]["status"], "ok");
}

#[tokio::test]
async fn what_is_given_up_is_a_dead_letter_that_can_be_told_again_in_order() {
    let store = MemoryStore::new();
    let mut city = City::over(store.clone(), QUICK).await;
    let path = city.subscribe("r", json!({})).await;
    let letters = format!("{path}/deadLetters");
    city.create().await;
    city.value().await;
    assert_eq!(city.client.get(&letters).await.expect(200).json(), json!([]));
    city.is("r", Mood::Condemns);
    for value in 1..=3 {
        city.set(value).await;
    }
    let kept = city.shown(&letters, |shown| shown.as_array().unwrap().len() == 3).await;
    assert_eq!((&kept[0]["reason"], &kept[0]["attempts"]), (&json!("not wanted"), &json!(1)));
    city.stop().await;
    store.reopen();

    let mut city = City::over(store, QUICK).await;
    assert_eq!(city.client.get(&letters).await.expect(200).json(), kept);
    let page = city.client.get(&format!("{letters}?limit=1&count=true")).await.expect(200);
    assert_eq!(
        (page.json().as_array().unwrap().len(), page.header("ngsild-results-count")),
        (1, "3")
    );
    let second = kept[1]["revision"].clone();
    city.client.post(&format!("{path}/replay"), json!({ "from": second })).await.expect(204);
    assert_eq!((city.value().await, city.value().await), (json!(2), json!(3)));
    let left = city.client.get(&letters).await.expect(200).json();
    assert_eq!((left.as_array().unwrap().len(), &left[0]["revision"]), (1, &kept[0]["revision"]));
    city.client.post(&format!("{path}/replay"), json!({})).await.expect(204);
    for value in 1..=3 {
        assert_eq!(city.value().await, value);
    }
    city.set(4).await;
    assert_eq!(city.value().await, 4);
    assert_eq!(city.client.get(&letters).await.expect(200).json(), json!([]));
    // Nothing is left that could be told again.
    city.client.post(&format!("{path}/replay"), json!({})).await.expect(204);
    for (body, detail) in [
        (json!({ "from": 0 }), "revision"),
        (json!({ "from": "x" }), "revision"),
        (json!({ "from": 1_000_000 }), "newest"),
        (json!({ "to": 1 }), "to"),
        (json!([]), "object"),
    ] {
        let reply = city.client.post(&format!("{path}/replay"), body).await;
        reply.expect_problem(400, "BadRequestData", detail);
    }
    city.client.get("/subscriptions/urn:x:none/deadLetters").await.expect(404);
    assert!(city.told.try_recv().is_err());
}

#[tokio::test]
async fn old_dead_letters_make_room_and_are_counted() {
    let city = City::new().await;
    let path = city.subscribe("r", json!({})).await;
    let letters = format!("{path}/deadLetters");
    city.is("r", Mood::Condemns);
    city.create().await;
    for value in 1..=11 {
        city.set(value).await;
    }
    let is_told = |shown: &Value| shown["notification"]["deadLettersDropped"] == 7;
    city.shown(&path, is_told).await;
    let kept = city.client.get(&letters).await.expect(200).json();
    let revisions: Vec<u64> =
        kept.as_array().unwrap().iter().map(|one| one["revision"].as_u64().unwrap()).collect();
    assert!(revisions.len() == 5 && revisions.is_sorted(), "{kept}");
    city.client.delete(&letters).await.expect(204);
    assert_eq!(city.client.get(&letters).await.expect(200).json(), json!([]));
    city.client.delete(&path).await.expect(204);
    city.client.get(&letters).await.expect(404);
}

#[tokio::test]
async fn a_notification_is_given_up_when_the_change_is_too_old() {
    let city =
        City::over(MemoryStore::new(), DeliveryOptions { retry_for: Duration::ZERO, ..QUICK })
            .await;
    let path = city.subscribe("r", json!({})).await;
    city.is("r", Mood::Fails);
    city.create().await;
    let letters = format!("{path}/deadLetters");
    let kept = city.shown(&letters, |shown| shown.as_array().unwrap().len() == 1).await;
    assert_eq!(kept[0]["reason"], "out of order");
    assert_eq!(city.watch.figures().dead_letters, 1);
}

#[tokio::test]
async fn what_is_under_way_follows_the_subscription_when_it_changes() {
    let mut city = City::new().await;
    let path = city.subscribe("old", json!({})).await;
    city.is("old", Mood::Fails);
    city.create().await;
    city.set(1).await;
    city.attempts(3).await;
    let notification = json!({ "endpoint": { "uri": endpoint("new") }, "format": "keyValues" });
    city.client.patch(&path, json!({ "notification": notification })).await.expect(204);
    for value in 0..=1 {
        let (receiver, body) = city.told().await;
        assert_eq!((receiver, &body["data"][0]["a"]), (endpoint("new"), &json!(value)));
    }
    // Paused, it tells nothing more; what it had begun to tell is a dead letter.
    city.is("new", Mood::Fails);
    city.set(2).await;
    city.attempts(3).await;
    city.client.patch(&path, json!({ "isActive": false })).await.expect(204);
    let letters = format!("{path}/deadLetters");
    let kept = city.shown(&letters, |shown| shown.as_array().unwrap().len() == 1).await;
    assert!(kept[0]["reason"].as_str().unwrap().contains("paused"), "{kept}");
    city.is("new", Mood::Takes);
    city.client.patch(&path, json!({ "isActive": true })).await.expect(204);
    city.client.post(&format!("{path}/replay"), json!({})).await.expect(204);
    assert_eq!(city.value().await, 2);
    // Deleted, it is not tried any more.
    city.is("new", Mood::Fails);
    city.set(3).await;
    city.attempts(2).await;
    city.client.delete(&path).await.expect(204);
    city.is("new", Mood::Takes);
    city.subscribe("last", json!({})).await;
    city.set(4).await;
    let (receiver, body) = city.told().await;
    assert_eq!((receiver, &body["data"][0]["a"]), (endpoint("last"), &json!(4)));
}

#[tokio::test]
async fn a_notification_that_is_told_again_has_the_same_id() {
    let mut city = City::new().await;
    let path = city.subscribe("r", json!({})).await;
    city.create().await;
    city.set(1).await;
    let ids = [city.told().await.1["id"].clone(), city.told().await.1["id"].clone()];
    assert_ne!(ids[0], ids[1]);
    city.client.post(&format!("{path}/replay"), json!({ "from": 1 })).await.expect(204);
    let again = [city.told().await.1["id"].clone(), city.told().await.1["id"].clone()];
    assert_eq!(ids, again);
}

#[tokio::test]
async fn where_the_log_was_cut_a_dead_letter_says_that_it_is_gone() {
    let store = MemoryStore::new();
    let mut first = City::over(store.clone(), QUICK).await;
    let path = first.subscribe("r", json!({})).await;
    first.is("r", Mood::Fails);
    first.create().await;
    for value in 1..=5 {
        first.set(value).await;
    }
    first.attempts(2).await;
    let head = first.client.get(&path).await.header("cardo-revision").parse().unwrap();
    first.stop().await;
    store.reopen();
    store.cut_log(&TwinId::default(), Revision(head)).await.unwrap();
    let mut second = City::over(store, QUICK).await;
    second.set(6).await;
    assert_eq!(second.value().await, 6);
    let letters = format!("{path}/deadLetters");
    let kept = second.shown(&letters, |shown| shown.as_array().unwrap().len() == 1).await;
    assert!(kept[0]["reason"].as_str().unwrap().starts_with("gone"), "{kept}");
    let revision = kept[0]["revision"].clone();
    let replay = second.client.post(&format!("{path}/replay"), json!({ "from": revision })).await;
    assert_eq!(replay.expect(410).json()["status"], 410);
}

/// Subscriptions that stand at different places of the index.
fn condition(number: usize) -> Value {
    match number % 6 {
        0 => json!({ "entities": [{ "type": format!("T{number}") }] }),
        1 => json!({ "entities": [{ "type": "T", "id": format!("urn:x:other:{number}") }] }),
        2 => json!({ "entities": [{ "type": "T" }], "watchedAttributes": [format!("a{number}")] }),
        3 => {
            json!({ "entities": [{ "type": "T" }], "watchedAttributes": ["a"], "q": format!("a>{number}") })
        }
        4 => json!({ "entities": [{ "type": format!("(U|T{number});V") }] }),
        _ => json!({ "entities": [{ "type": "*", "id": format!("urn:x:other:{number}") }] }),
    }
}

#[tokio::test]
async fn of_ten_thousand_subscriptions_exactly_those_that_match_are_told() {
    const MATCHING: [fn() -> Value; 10] = [
        || json!({}),
        || json!({ "watchedAttributes": ["a"] }),
        || json!({ "watchedAttributes": ["b", "a"], "q": "a>0" }),
        || json!({ "entities": [{ "type": "T", "id": ID }] }),
        || json!({ "entities": [{ "type": "*" }] }),
        || json!({ "entities": [{ "type": "X" }, { "type": "T" }] }),
        || json!({ "entities": [{ "type": "T", "idPattern": "^urn:x:1$" }] }),
        || json!({ "entities": [{ "type": "(X|T)" }], "watchedAttributes": ["a"] }),
        || json!({ "entities": [{ "type": "T" }, { "type": "X", "id": "urn:x:7" }], "scopeQ": "/A" }),
        || json!({ "entities": [{ "type": "*", "id": [ID, "urn:x:2"] }], "watchedAttributes": ["a"] }),
    ];
    let mut city = City::new().await;
    city.client.create(json!({ "id": ID, "type": "T", "a": 0, "scope": "/A" })).await;
    for number in 0..9_990 {
        let receiver = format!("none{number}");
        city.subscribe(&receiver, condition(number)).await;
    }
    for (place, members) in MATCHING.iter().enumerate() {
        city.subscribe(&format!("r{place}"), members()).await;
    }
    city.set(1).await;
    let mut told = Vec::new();
    for _ in MATCHING {
        told.push(city.told().await.0);
    }
    told.sort();
    let expected: Vec<String> = (0..10).map(|place| endpoint(&format!("r{place}"))).collect();
    assert_eq!(told, expected);
    assert_eq!(city.watch.figures().subscriptions, 10_000);
    // What comes behind is told when all of this was: nobody else has been.
    city.set(2).await;
    for _ in MATCHING {
        let (receiver, body) = city.told().await;
        assert!(expected.contains(&receiver) && body["data"][0]["a"] == 2, "{receiver} {body}");
    }
}
