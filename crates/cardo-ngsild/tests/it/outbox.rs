//! Notifications of registrations and of snapshots that are late or refused (clauses 5.11.7 and
//! 5.16.6): they wait over restarts, and what is given up can be listed and sent again.

use cardo_store::MemoryStore;
use serde_json::{Value, json};

use crate::deliveries::{City, Mood, QUICK, endpoint};

const SUBSCRIPTION: &str = "/csourceSubscriptions/urn:s:1";

async fn subscribe(city: &City, more: Value) {
    let mut members = json!({
        "id": "urn:s:1", "type": "Subscription", "entities": [{ "type": "Tree" }],
        "notification": { "endpoint": { "uri": endpoint("r") } },
    });
    members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    city.client.post("/csourceSubscriptions", members).await.expect(201);
}

async fn register(city: &City, n: u32) {
    let registration = json!({
        "id": format!("urn:reg:{n}"), "type": "ContextSourceRegistration",
        "endpoint": "http://source.example/", "information": [{ "entities": [{ "type": "Tree" }] }],
    });
    city.client.post("/csourceRegistrations", registration).await.expect(201);
}

/// The registration of which the next notification tells.
async fn told(city: &mut City) -> String {
    let (receiver, body) = city.told().await;
    assert_eq!(receiver, endpoint("r"));
    body["data"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_receiver_that_is_away_is_told_of_registrations_later_over_a_restart() {
    let store = MemoryStore::new();
    let mut first = City::over(store.clone(), QUICK).await;
    subscribe(&first, json!({})).await;
    first.is("r", Mood::Fails);
    register(&first, 1).await;
    first.attempts(3).await;
    register(&first, 2).await;
    let shown = first.shown(SUBSCRIPTION, |shown| shown["notification"]["timesFailed"].is_u64());
    assert_eq!(shown.await["notification"]["lastFailureReason"], "out of order");
    first.stop().await;
    store.reopen();
    let mut second = City::over(store, QUICK).await;
    assert_eq!(told(&mut second).await, "urn:reg:1");
    assert_eq!(told(&mut second).await, "urn:reg:2");
    register(&second, 3).await;
    assert_eq!(told(&mut second).await, "urn:reg:3");
    let shown = second.shown(SUBSCRIPTION, |shown| shown["notification"]["status"] == "ok").await;
    assert!(shown["notification"]["lastSuccess"].is_string(), "{shown}");
    assert!(second.told.try_recv().is_err());
}

#[tokio::test]
async fn what_is_given_up_of_registrations_is_listed_sent_again_and_forgotten() {
    let mut city = City::over(MemoryStore::new(), QUICK).await;
    let letters = format!("{SUBSCRIPTION}/deadLetters");
    subscribe(&city, json!({})).await;
    city.is("r", Mood::Condemns);
    for n in 1..=3 {
        register(&city, n).await;
        city.shown(&letters, |shown| shown.as_array().unwrap().len() == n as usize).await;
    }
    let kept = city.client.get(&letters).await.expect(200).json();
    assert_eq!((&kept[0]["reason"], &kept[0]["attempts"]), (&json!("not wanted"), &json!(1)));
    let notification = &kept[0]["notification"];
    assert_eq!(notification["type"], "ContextSourceNotification");
    assert_eq!(notification["data"][0]["id"], "urn:reg:1");
    let page = city.client.get(&format!("{letters}?limit=1&count=true")).await.expect(200);
    assert_eq!(
        (page.json().as_array().unwrap().len(), page.header("ngsild-results-count")),
        (1, "3")
    );
    let wrong = city.client.post(&format!("{SUBSCRIPTION}/replay"), json!({ "from": 1 })).await;
    wrong.expect_problem(400, "BadRequestData", "from");
    city.is("r", Mood::Takes);
    city.client.post(&format!("{SUBSCRIPTION}/replay"), json!({})).await.expect(204);
    for n in 1..=3 {
        assert_eq!(told(&mut city).await, format!("urn:reg:{n}"));
    }
    assert_eq!(city.client.get(&letters).await.expect(200).json(), json!([]));
    city.is("r", Mood::Condemns);
    register(&city, 4).await;
    city.shown(&letters, |shown| shown.as_array().unwrap().len() == 1).await;
    city.client.delete(&letters).await.expect(204);
    assert_eq!(city.client.get(&letters).await.expect(200).json(), json!([]));
    city.client.get("/csourceSubscriptions/urn:s:none/deadLetters").await.expect(404);
    city.client.post("/csourceSubscriptions/urn:s:none/replay", json!({})).await.expect(404);
}

#[tokio::test]
async fn old_dead_letters_of_registrations_make_room_and_go_with_their_subscription() {
    let city = City::over(MemoryStore::new(), QUICK).await;
    let letters = format!("{SUBSCRIPTION}/deadLetters");
    subscribe(&city, json!({})).await;
    city.is("r", Mood::Condemns);
    let last = |shown: &Value| {
        let last = shown.as_array().unwrap().last();
        last.map(|one| one["notification"]["data"][0]["id"].clone())
    };
    for n in 1..=8 {
        register(&city, n).await;
        city.shown(&letters, |shown| last(shown) == Some(json!(format!("urn:reg:{n}")))).await;
    }
    let kept = city.client.get(&letters).await.expect(200).json();
    let ids: Vec<&Value> =
        kept.as_array().unwrap().iter().map(|one| &one["notification"]["data"][0]["id"]).collect();
    let newest: Vec<String> = (4..=8).map(|n| format!("urn:reg:{n}")).collect();
    assert_eq!(json!(ids), json!(newest), "five are kept");
    city.client.delete(SUBSCRIPTION).await.expect(204);
    city.client.get(&letters).await.expect(404);
    city.is("r", Mood::Fails);
    subscribe(&city, json!({})).await;
    assert_eq!(city.client.get(&letters).await.expect(200).json(), json!([]));
}

#[tokio::test]
async fn a_subscription_to_registrations_that_is_paused_or_deleted_tells_no_more() {
    let mut city = City::over(MemoryStore::new(), QUICK).await;
    subscribe(&city, json!({})).await;
    city.is("r", Mood::Fails);
    register(&city, 1).await;
    city.attempts(2).await;
    city.client.patch(SUBSCRIPTION, json!({ "isActive": false })).await.expect(204);
    let letters = format!("{SUBSCRIPTION}/deadLetters");
    let kept = city.shown(&letters, |shown| shown.as_array().unwrap().len() == 1).await;
    assert!(kept[0]["reason"].as_str().unwrap().contains("paused"), "{kept}");
    city.client.delete(SUBSCRIPTION).await.expect(204);
    city.is("r", Mood::Takes);
    let other = json!({ "id": "urn:s:2", "type": "Subscription", "entities": [{ "type": "Tree" }],
        "notification": { "endpoint": { "uri": endpoint("other") } } });
    city.client.post("/csourceSubscriptions", other).await.expect(201);
    assert_eq!(city.told().await.0, endpoint("other"));
    assert!(city.told.try_recv().is_err());
}

#[tokio::test]
async fn what_a_snapshot_tells_waits_over_a_restart_and_can_be_sent_again() {
    let store = MemoryStore::new();
    let mut first = City::over(store.clone(), QUICK).await;
    first.client.create(json!({ "id": "urn:t:1", "type": "Tree" })).await;
    first.is("r", Mood::Fails);
    let snapshot = json!({
        "id": "urn:snap:1", "type": "Snapshot", "endpoint": endpoint("r"),
        "snapshotQueries": [{ "type": "Query", "entities": [{ "type": "Tree" }] }],
    });
    first.client.post("/snapshots", snapshot).await.expect(201);
    first.attempts(2).await;
    first.stop().await;
    store.reopen();
    let mut second = City::over(store, QUICK).await;
    let (receiver, body) = second.told().await;
    assert_eq!((receiver, &body["snapshotStatus"]), (endpoint("r"), &json!("success")));
    second.is("r", Mood::Condemns);
    let one = "/snapshots/urn:snap:1";
    second.client.patch(one, json!({ "snapshotPriority": 8 })).await.expect(200);
    let letters = format!("{one}/deadLetters");
    let kept = second.shown(&letters, |shown| shown.as_array().unwrap().len() == 1).await;
    assert_eq!(kept[0]["notification"]["snapshotPriority"], 8);
    second.is("r", Mood::Takes);
    second.client.post(&format!("{one}/replay"), json!({})).await.expect(204);
    let again = second.told().await.1;
    assert_eq!(again["id"], kept[0]["notification"]["id"], "it is the same notification");
    second.client.delete(one).await.expect(204);
    second.client.get(&letters).await.expect(404);
}
