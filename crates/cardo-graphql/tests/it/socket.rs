use std::time::Duration;

use cardo_engine::Operation;
use cardo_graphql::GraphqlLimits;
use cardo_model::EntityId;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::city::{City, entity, point, property, tree};

pub(crate) struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

pub(crate) async fn serve(city: &City) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = city.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("ws://{address}/graphql")
}

impl Client {
    async fn connect(url: &str, protocol: &str) -> Self {
        let mut request = url.into_client_request().unwrap();
        if !protocol.is_empty() {
            request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        }
        Self(tokio_tungstenite::connect_async(request).await.unwrap().0)
    }

    pub(crate) async fn begun(url: &str) -> Self {
        Self::begun_with(url, json!({})).await
    }

    pub(crate) async fn begun_with(url: &str, payload: Json) -> Self {
        let mut client = Self::connect(url, "graphql-transport-ws").await;
        client.send(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(client.next().await, json!({ "type": "connection_ack" }));
        client
    }

    pub(crate) async fn send(&mut self, message: Json) {
        self.0.send(Message::Text(message.to_string().into())).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str) {
        self.send(json!({ "type": "subscribe", "id": id, "payload": { "query": query } })).await;
        // The answer to what comes behind it says that it was taken.
        self.send(
            json!({ "type": "subscribe", "id": "sync", "payload": { "query": "{ revision }" } }),
        )
        .await;
        loop {
            let message = self.next().await;
            if message["id"] == "sync" && message["type"] == "complete" {
                return;
            }
        }
    }

    async fn message(&mut self) -> Message {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(5), self.0.next()).await;
            match next.expect("a message in time").expect("an open connection").unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                other => return other,
            }
        }
    }

    async fn next(&mut self) -> Json {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn event(&mut self, id: &str) -> Json {
        let message = self.next().await;
        assert_eq!((&message["id"], &message["type"]), (&json!(id), &json!("next")), "{message}");
        message["payload"].clone()
    }

    async fn closed(&mut self) -> u16 {
        match self.message().await {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn changes_of_a_type_arrive_under_a_filter() {
    let city = City::new().await;
    let mut client = Client::begun(&serve(&city).await).await;
    let query = "subscription { treeChanged(filter: { height: { gt: 20 } }) { change matches matched \
                 changed revision entity { id height locatedIn { name } } } }";
    client.subscribe("1", query).await;
    city.create(vec![tree(5), tree(30)]).await;
    let payload = client.event("1").await;
    let event = &payload["data"]["treeChanged"];
    assert_eq!(event["change"], "CREATED");
    assert_eq!(event["entity"]["id"], "urn:t:30");
    assert_eq!(event["entity"]["locatedIn"]["name"], "Area 0");
    assert_eq!(event["revision"], payload["extensions"]["revision"]);

    let smaller = entity("urn:t:30", "Tree", vec![("height", property(json!(2)))]);
    city.create(vec![smaller]).await;
    let event = client.event("1").await["data"]["treeChanged"].clone();
    assert_eq!(
        (&event["change"], &event["matches"], &event["matched"]),
        (&json!("UPDATED"), &json!(false), &json!(true))
    );
    assert!(event["changed"].as_array().unwrap().contains(&json!("height")), "{event}");

    client.send(json!({ "type": "complete", "id": "1" })).await;
    client
        .subscribe(
            "2",
            "subscription { entityChanged(on: [DELETED]) { change entity { id __typename } } }",
        )
        .await;
    city.create(vec![tree(31)]).await;
    city.apply(vec![Operation::Delete(EntityId::new("urn:t:31".to_owned()).unwrap())]).await;
    let event = client.event("2").await["data"]["entityChanged"].clone();
    assert_eq!(
        event,
        json!({ "change": "DELETED", "entity": { "id": "urn:t:31", "__typename": "Tree" } })
    );
}

#[tokio::test]
async fn a_fence_tells_who_enters_moves_within_and_leaves() {
    let city = City::new().await;
    let mut client = Client::begun(&serve(&city).await).await;
    let query = "subscription { treeFence(near: { lon: 25.5, lat: 60.5, maxDistance: 1000 }) { event entity { id } } }";
    client.subscribe("1", query).await;
    let at = |lon| vec![entity("urn:t:1", "Tree", vec![("location", point(lon, 60.5))])];
    for (lon, event) in [(25.5, "ENTER"), (25.501, "INSIDE"), (26.0, "LEAVE")] {
        city.create(at(lon)).await;
        let told = client.event("1").await["data"]["treeFence"].clone();
        assert_eq!(told, json!({ "event": event, "entity": { "id": "urn:t:1" } }));
    }
}

#[tokio::test]
async fn questions_are_answered_over_the_socket_as_well() {
    let city = City::new().await;
    let mut client = Client::begun(&serve(&city).await).await;
    let query = "{ treeList(first: 1) { nodes { id } } }";
    client.send(json!({ "type": "subscribe", "id": "q", "payload": { "query": query } })).await;
    assert_eq!(client.event("q").await["data"]["treeList"]["nodes"][0]["id"], "urn:t:0");
    assert_eq!(client.next().await, json!({ "id": "q", "type": "complete" }));
    for query in ["{ altitude }", "subscription { treeChanged(filter: { x: 1 }) { change } }", "{"]
    {
        client.send(json!({ "type": "subscribe", "id": "q", "payload": { "query": query } })).await;
        let message = client.next().await;
        assert_eq!(message["type"], "error", "{message}");
        assert!(message["payload"][0]["message"].is_string(), "{message}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_the_protocol_is_closed_with_its_code() {
    let limits = GraphqlLimits { begin: Duration::from_millis(200), ..GraphqlLimits::default() };
    let city = City::with(limits).await;
    let url = serve(&city).await;
    let mut client = Client::connect(&url, "").await;
    assert_eq!(client.closed().await, 4406);
    let mut client = Client::connect(&url, "graphql-transport-ws").await;
    assert_eq!(client.closed().await, 4408);
    let mut client = Client::connect(&url, "graphql-transport-ws").await;
    client
        .send(json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ revision }" } }))
        .await;
    assert_eq!(client.closed().await, 4401);
    let mut client = Client::begun(&url).await;
    client.send(json!({ "type": "connection_init" })).await;
    assert_eq!(client.closed().await, 4429);
    let mut client = Client::begun(&url).await;
    client.send(json!({ "type": "nonsense" })).await;
    assert_eq!(client.closed().await, 4400);
    let mut client = Client::begun(&url).await;
    for _ in 0..2 {
        let payload = json!({ "query": "subscription { treeChanged { change } }" });
        client.send(json!({ "type": "subscribe", "id": "1", "payload": payload })).await;
    }
    assert_eq!(client.closed().await, 4409);
}

#[tokio::test]
async fn a_client_that_never_reads_is_let_go() {
    let limits = GraphqlLimits { unread: Duration::from_millis(300), ..GraphqlLimits::default() };
    let city = City::with(limits).await;
    let mut client = Client::begun(&serve(&city).await).await;
    client
        .subscribe(
            "1",
            "subscription { treeChanged { entity { id note } } }".replace(" note", "").as_str(),
        )
        .await;
    // Far more than the buffers of both sockets take.
    let text = "x".repeat(200_000);
    let loud = |n: u32| {
        entity("urn:t:0", "Tree", vec![("species", property(json!(format!("{text}{n}"))))])
    };
    client.send(json!({ "type": "complete", "id": "1" })).await;
    client.subscribe("2", "subscription { treeChanged { entity { species } } }").await;
    for n in 0..100 {
        city.create(vec![loud(n)]).await;
    }
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let mut received = 0_usize;
    let ended = loop {
        match tokio::time::timeout(Duration::from_secs(5), client.0.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => received += text.len(),
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => break true,
            Ok(Some(Ok(_))) => {}
            Err(_) => break false,
        }
    };
    assert!(ended, "the connection is still open after {received} bytes");
    assert!(received < 100 * 200_000, "everything was kept for a client that did not read");
}

/// Bytes of memory that this process holds.
#[cfg(target_os = "linux")]
fn held() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_waits_for_a_client_that_never_reads_is_bounded() {
    let limits = GraphqlLimits { unread: Duration::from_mins(1), ..GraphqlLimits::default() };
    let city = City::with(limits).await;
    let mut client = Client::begun(&serve(&city).await).await;
    // Each event is a hundred times as large as what the twin holds of it.
    let fields: Vec<String> = (0..100).map(|n| format!("a{n}: species")).collect();
    let query = format!("subscription {{ treeChanged {{ entity {{ {} }} }} }}", fields.join(" "));
    client.subscribe("1", &query).await;
    let before = held();
    let (events, text) = (2_000_usize, "x".repeat(5_000));
    for n in 0..events {
        let species = ("species", property(json!(format!("{text}{n}"))));
        city.create(vec![entity("urn:t:0", "Tree", vec![species])]).await;
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let more = held().saturating_sub(before);
    let all = events * fields.len() * text.len();
    assert!(more < all / 4, "{more} bytes more are held of {all}");
    let event = client.event("1").await;
    assert_eq!(event["data"]["treeChanged"]["entity"]["a99"], format!("{text}0"));
}

#[tokio::test]
async fn a_reader_who_falls_too_far_behind_is_let_go() {
    let limits = GraphqlLimits { lag: 100, ..GraphqlLimits::default() };
    let city = City::with(limits).await;
    let mut client = Client::begun(&serve(&city).await).await;
    client.subscribe("1", "subscription { treeChanged { entity { species } } }").await;
    let text = "x".repeat(100_000);
    for n in 0..600 {
        let text = format!("{text}{n}");
        let change = entity("urn:t:0", "Tree", vec![("species", property(json!(text)))]);
        city.create(vec![change]).await;
    }
    loop {
        match client.message().await {
            Message::Text(_) => {}
            Message::Close(Some(frame)) => {
                assert_eq!(u16::from(frame.code), 1013);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
}
