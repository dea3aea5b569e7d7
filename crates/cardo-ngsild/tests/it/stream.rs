//! Questions that are followed: an extension of Cardo.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Response};
use cardo_engine::{Mask, Principal, Restriction, View};
use cardo_http::{Access, Authorize, Denied, Granted};
use cardo_model::{Iri, Revision, TwinId};
use cardo_ngsild::{NgsildLimits, NgsildOptions};
use cardo_query::{Comparison, Filter, Literal, Operand, Operator, Path};
use cardo_store::MemoryStore;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::client::{Client, client, client_over, client_with};

/// One who reads events.
struct Reader {
    headers: HeaderMap,
    body: Body,
    unread: String,
}

/// One event as a browser has it.
#[derive(Debug, Default, PartialEq)]
struct Event {
    id: String,
    kind: String,
    data: Value,
}

impl Reader {
    fn of(response: Response<Body>) -> Self {
        assert_eq!(response.status(), 200);
        let (parts, body) = response.into_parts();
        assert_eq!(parts.headers["content-type"], "text/event-stream");
        Self { headers: parts.headers, body, unread: String::new() }
    }

    /// The next event, with or without data; none at the end.
    async fn any(&mut self) -> Option<Event> {
        while !self.unread.contains("\n\n") {
            let frame = self.body.frame().await?.unwrap();
            self.unread += std::str::from_utf8(&frame.into_data().unwrap()).unwrap();
        }
        let end = self.unread.find("\n\n")? + 2;
        let text: String = self.unread.drain(..end).collect();
        let mut event = Event::default();
        for (name, value) in text.lines().filter_map(|line| line.split_once(": ")) {
            match name {
                "id" => value.clone_into(&mut event.id),
                "event" => value.clone_into(&mut event.kind),
                "data" => event.data = serde_json::from_str(value).unwrap(),
                _ => {}
            }
        }
        Some(event)
    }

    /// The next event that says something.
    async fn event(&mut self) -> Event {
        loop {
            let event = self.any().await.expect("the stream goes on");
            if event.data != Value::Null {
                return event;
            }
        }
    }

    /// The id and the attribute `a` of the one entity in the next event, with the event's id.
    async fn told(&mut self) -> (String, Value, String) {
        let Event { id, mut data, .. } = self.event().await;
        let entity = &mut data["data"][0];
        (entity["id"].as_str().unwrap().to_owned(), entity["a"]["value"].take(), id)
    }
}

async fn follow(client: &Client, question: &str) -> Reader {
    Reader::of(client.ask(Method::GET, &format!("/stream?{question}")).open().await)
}

async fn go_on(client: &Client, question: &str, last: &str) -> Reader {
    let asking = client.ask(Method::GET, &format!("/stream?{question}"));
    Reader::of(asking.header("last-event-id", last).open().await)
}

fn thing(n: u32, a: i32) -> Value {
    json!({ "id": format!("urn:x:{n}"), "type": "T", "a": a })
}

async fn set(client: &Client, n: u32, a: i32) {
    client.patch(&format!("/entities/urn:x:{n}/attrs"), json!({ "a": a })).await.expect(204);
}

#[tokio::test]
async fn a_question_is_followed_by_its_parameters() {
    let client = client().await;
    client.create(thing(1, 1)).await;
    let question = "type=T&q=a%3E1&watchedAttributes=a&pick=id,a&format=concise&showChanges=true";
    let mut reader = follow(&client, question).await;
    assert_eq!(reader.headers["cache-control"], "no-store");
    assert_eq!(reader.any().await.unwrap().id, reader.headers["cardo-revision"]);
    client.create(json!({ "id": "urn:x:2", "type": "Other", "a": 5 })).await;
    set(&client, 1, 0).await;
    client.post("/entities/urn:x:1/attrs", json!({ "b": 1 })).await.expect(204);
    let written = client.patch("/entities/urn:x:1/attrs", json!({ "a": 7 })).await.expect(204);
    let event = reader.event().await;
    assert_eq!((&*event.id, &*event.kind), (written.header("cardo-revision"), ""));
    assert_eq!(event.data["type"], "Notification");
    let told = json!([{ "id": "urn:x:1", "a": { "value": 7, "previousValue": 0 } }]);
    assert_eq!(event.data["data"], told);
}

#[tokio::test]
async fn who_was_cut_off_goes_on_without_loss_and_without_doubles() {
    let store = MemoryStore::new();
    let first = client_over(store.clone(), NgsildOptions::default()).await;
    let mut reader = follow(&first, "type=T").await;
    first.create(thing(1, 1)).await;
    let (_, _, cursor) = reader.told().await;
    drop(reader);
    set(&first, 1, 2).await;
    first.engine.close().await.unwrap();
    store.reopen();
    let second = client_over(store, NgsildOptions::default()).await;
    set(&second, 1, 3).await;
    // What stands in the address is where the first connection began.
    let mut reader = go_on(&second, "type=T&cursor=0", &cursor).await;
    set(&second, 1, 4).await;
    for a in 2..=4 {
        assert_eq!(reader.told().await.1, a);
    }
}

#[tokio::test]
async fn a_page_of_entities_says_where_to_go_on() {
    let client = client().await;
    client.create(json!([thing(1, 1), thing(2, 2)])).await;
    let page = client.get("/entities?type=T").await.expect(200);
    set(&client, 2, 9).await;
    let question = format!("type=T&cursor={}", page.header("cardo-revision"));
    let (id, a, _) = follow(&client, &question).await.told().await;
    assert_eq!((&*id, a), ("urn:x:2", json!(9)));
}

#[tokio::test]
async fn a_cursor_stands_within_a_revision_that_tells_of_an_entity_twice() {
    let client = client().await;
    client.create(thing(1, 1)).await;
    let mut reader = follow(&client, "type=T").await;
    let twice = json!([thing(1, 2), thing(1, 3)]);
    let written = client.post("/entityOperations/update", twice).await.expect(204);
    let revision = written.header("cardo-revision").to_owned();
    let (_, a, within) = reader.told().await;
    assert_eq!((a, &*within), (json!(2), &*format!("{revision}.1")));
    let (_, a, behind) = reader.told().await;
    assert_eq!((a, behind), (json!(3), revision));
    let (_, a, _) = go_on(&client, "type=T", &within).await.told().await;
    assert_eq!(a, 3, "the first half is not told again");
}

#[tokio::test]
async fn a_cursor_that_the_log_no_longer_has_is_gone() {
    let store = MemoryStore::new();
    let first = client_over(store.clone(), NgsildOptions::default()).await;
    first.create(json!([thing(1, 1), thing(2, 1), thing(3, 1)])).await;
    first.engine.project_all().await.unwrap();
    first.engine.store().cut_log(&TwinId::default(), Revision(2)).await.unwrap();
    first.engine.close().await.unwrap();
    store.reopen();
    let second = client_over(store, NgsildOptions::default()).await;
    let reply = second.get("/stream?type=T&cursor=1").await.expect(410).json();
    let detail = reply["detail"].as_str().unwrap();
    assert!(detail.contains("oldest is 3") && detail.contains("cursor is 2"), "{detail}");
    assert_eq!(follow(&second, "type=T&cursor=2").await.told().await.0, "urn:x:3");
}

#[tokio::test]
async fn a_body_asks_as_a_subscription_does_and_names_no_receiver() {
    let client = client().await;
    let context = json!({ "T": "urn:own:T", "a": "urn:own:a" });
    let question = json!({
        "type": "Subscription", "id": "urn:x:s", "entities": [{ "type": "T" }], "cursor": "0",
        "notificationTrigger": ["entityDeleted"], "@context": context,
        "notification": { "endpoint": { "accept": "application/geo+json" } },
    });
    client.create(json!({ "id": "urn:x:1", "type": "urn:own:T", "urn:own:a": 1 })).await;
    client.delete("/entities/urn:x:1").await.expect(204);
    let asking = client.ask(Method::POST, "/stream").json_ld(&question);
    let event = Reader::of(asking.open().await).event().await;
    assert_eq!(event.data["subscriptionId"], "urn:x:s");
    let feature = &event.data["data"]["features"][0];
    assert_eq!((&feature["id"], &feature["geometry"]), (&json!("urn:x:1"), &Value::Null));
    assert_eq!(feature["properties"]["type"], "T");
    client.get("/subscriptions/urn:x:s").await.expect(404);
}

#[tokio::test]
async fn a_stream_ends_behind_the_last_notification_that_is_wanted() {
    let client = client().await;
    client.create(json!([thing(1, 1), thing(2, 1)])).await;
    for question in ["type=T&cursor=0&limit=2", "type=T&timeInterval=0.05&limit=2"] {
        let mut reader = follow(&client, question).await;
        reader.event().await;
        reader.event().await;
        assert_eq!(reader.any().await, None, "{question}");
    }
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let options = NgsildOptions::default();
    let closing = options.closing.clone();
    let client = client_with(options).await;
    let mut reader = follow(&client, "type=T").await;
    reader.any().await.unwrap();
    closing.cancel();
    assert_eq!(reader.any().await, None);
}

#[tokio::test]
async fn only_so_many_follow_one_tenant() {
    let limits = NgsildLimits { followers: 1, ..NgsildLimits::default() };
    let client = client_with(NgsildOptions { limits, ..NgsildOptions::default() }).await;
    let reader = follow(&client, "type=T").await;
    client.get("/stream?type=T").await.expect(503);
    client.create(thing(1, 1)).await;
    drop(reader);
    while client.get("/stream?type=T").await.status != 200 {
        tokio::task::yield_now().await;
    }
}

/// Shows entities with `a` below 5, and of those no `secret`.
struct Partly;

impl Authorize for Partly {
    fn authorize(&self, access: &Access<'_>) -> Result<Granted, Denied> {
        let name = |term: &str| {
            Iri::new(format!("https://uri.etsi.org/ngsi-ld/default-context/{term}")).unwrap()
        };
        let view = if access.headers.contains_key("authorization") {
            View::all()
        } else {
            let rows = Filter::Compare(Comparison {
                path: Path::of_attribute(name("a")),
                operator: Operator::Less,
                operand: Operand::One(Literal::Number(5.0)),
            });
            let attributes = Mask::Without(vec![name("secret")]);
            View::restricted(Restriction { rows, attributes })
        };
        Ok(Granted { principal: Principal::anonymous(), view })
    }
}

#[tokio::test]
async fn what_a_view_hides_is_not_followed() {
    let options = NgsildOptions { authorize: Arc::new(Partly), ..NgsildOptions::default() };
    let client = client_with(options).await;
    let question = "type=T&notificationTrigger=entityCreated,entityUpdated,entityDeleted";
    let mut reader = follow(&client, question).await;
    let write = async |method: Method, path: &str, body: Value| {
        let asking = client.ask(method, path).header("authorization", "all").json(&body);
        assert!(asking.send().await.status.is_success());
    };
    let attributes = "/entities/urn:x:1/attrs";
    let entity = json!({ "id": "urn:x:1", "type": "T", "a": 9, "secret": 1 });
    write(Method::POST, "/entities", entity).await;
    write(Method::PATCH, attributes, json!({ "a": 1 })).await;
    let event = reader.event().await;
    let told = &event.data["data"][0];
    assert_eq!(told["a"]["value"], 1, "it comes into sight: {told}");
    assert_eq!(told.get("secret"), None);
    write(Method::PATCH, attributes, json!({ "secret": 2 })).await;
    write(Method::PATCH, attributes, json!({ "a": 8 })).await;
    let told = &reader.event().await.data["data"][0];
    assert!(told["deletedAt"].is_string(), "it goes out of sight: {told}");
}

#[tokio::test]
async fn what_cannot_be_followed_is_refused() {
    let client = client().await;
    for (question, detail) in [
        ("", "entities"),
        ("type=T&q=a%3E", "expected"),
        ("type=T&cursor=x", "cursor"),
        ("type=T&cursor=0.1", "cursor"),
        ("type=T&limit=0", "limit"),
        ("type=T&limit=many", "limit"),
        ("type=T&timeInterval=soon", "soon"),
        ("type=T&timeInterval=1&throttling=1", "timeInterval"),
        ("type=T&accept=text/csv", "text/csv"),
        ("type=T&format=pretty", "pretty"),
        ("type=T&options=keyValues&showChanges=true", "showChanges"),
        ("type=T&georel=near", "geo"),
        ("type=T&expiresAt=2000-01-01T00:00:00Z", "past"),
        ("type=T&notificationTrigger=entityMoved", "entityMoved"),
        ("type=T&join=outer", "outer"),
    ] {
        let reply = client.get(&format!("/stream?{question}")).await;
        reply.expect_problem(400, "BadRequestData", detail);
    }
    client.get("/stream?type=T&x=1").await.expect_problem(400, "InvalidRequest", "x");
    let asking = client.ask(Method::GET, "/stream?type=T").header("ngsild-tenant", "nobody");
    asking.send().await.expect_problem(404, "NonexistentTenant", "nobody");
    let body = json!({ "type": "Query", "entities": [{ "type": "T" }] });
    client.post("/stream", body).await.expect_problem(400, "BadRequestData", "Subscription");
}
