//! Questions that are followed over a WebSocket.

use std::sync::Arc;

use cardo_engine::{Principal, View};
use cardo_http::{Access, Authorize, Denied, Granted};
use cardo_ngsild::NgsildOptions;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::client::{Client, client, client_with};

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// The address of a server with the same face.
async fn serve(client: &Client) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = client.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("ws://{address}/ngsi-ld/v1/stream")
}

impl Socket {
    async fn open(url: &str) -> Self {
        Self(connect_async(url).await.unwrap().0)
    }

    async fn send(&mut self, message: &Value) {
        self.0.send(Message::Text(message.to_string().into())).await.unwrap();
    }

    async fn next(&mut self) -> Value {
        match self.0.next().await.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The code with which the server ends the connection.
    async fn closed(&mut self) -> u16 {
        match self.0.next().await.unwrap().unwrap() {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("{other:?}"),
        }
    }
}

fn thing(n: u32) -> Value {
    json!({ "id": format!("urn:x:{n}"), "type": "T", "a": n })
}

#[tokio::test]
async fn the_address_may_hold_the_question_and_a_cursor_goes_on() {
    let client = client().await;
    let url = serve(&client).await;
    let mut socket = Socket::open(&format!("{url}?type=T&pick=id")).await;
    assert_eq!(socket.next().await, json!({ "cursor": "0" }));
    client.create(json!([thing(1), thing(2)])).await;
    let told = socket.next().await;
    assert_eq!(
        (&told["type"], &told["data"][0]["id"]),
        (&json!("Notification"), &json!("urn:x:1"))
    );
    drop(socket);
    let cursor = told["cursor"].as_str().unwrap();
    let url = format!("{url}?type=T&pick=id&limit=1&cursor={cursor}");
    let mut socket = Socket::open(&url).await;
    assert_eq!(socket.next().await["cursor"], cursor);
    assert_eq!(socket.next().await["data"], json!([{ "id": "urn:x:2" }]));
    assert_eq!(socket.closed().await, 1000);
}

#[tokio::test]
async fn the_first_message_may_be_a_subscription() {
    let client = client().await;
    let url = serve(&client).await;
    client.create(json!([thing(1), thing(2)])).await;
    let mut socket = Socket::open(&url).await;
    let context = json!({ "own": "https://uri.etsi.org/ngsi-ld/default-context/a" });
    let question = json!({
        "type": "Subscription", "entities": [{ "type": "T" }], "q": "own>1", "cursor": "0",
        "notification": { "pick": ["own"], "format": "keyValues" }, "@context": context,
    });
    socket.send(&question).await;
    assert_eq!(socket.next().await["cursor"], "0");
    assert_eq!(socket.next().await["data"], json!([{ "own": 2 }]));
}

/// Lets those in who have a token.
struct Guard;

impl Authorize for Guard {
    fn authorize(&self, access: &Access<'_>) -> Result<Granted, Denied> {
        match access.headers.get("authorization").and_then(|value| value.to_str().ok()) {
            Some("Bearer x") => Ok(Granted { principal: Principal::new("x"), view: View::all() }),
            _ => Err(Denied::Unauthenticated),
        }
    }
}

#[tokio::test]
async fn the_first_message_may_say_who_asks() {
    let options = NgsildOptions { authorize: Arc::new(Guard), ..NgsildOptions::default() };
    let client = client_with(options).await;
    let url = format!("{}?type=T", serve(&client).await);
    let mut socket = Socket::open(&url).await;
    socket.send(&json!({ "authorization": "Bearer x" })).await;
    assert_eq!(socket.next().await, json!({ "cursor": "0" }));
    let mut socket = Socket::open(&url).await;
    socket.send(&json!({ "authorization": "Bearer y" })).await;
    assert!(socket.next().await["type"].is_string());
    assert_eq!(socket.closed().await, 4401);
}

#[tokio::test]
async fn what_is_wrong_is_told_before_the_connection_ends() {
    let client = client().await;
    let url = serve(&client).await;
    for (message, detail) in [
        (json!([]), "no object"),
        (json!({ "type": "Subscription" }), "entities"),
        (json!({ "type": "Subscription", "entities": [{ "type": "T" }], "cursor": "x" }), "cursor"),
    ] {
        let mut socket = Socket::open(&url).await;
        socket.send(&message).await;
        let problem = socket.next().await;
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
        assert_eq!(socket.closed().await, 4400);
    }
    let mut socket = Socket::open(&format!("{url}?type=T")).await;
    socket.next().await;
    socket.send(&json!({ "type": "Subscription" })).await;
    assert!(socket.next().await["detail"].as_str().unwrap().contains("one question"));
    assert_eq!(socket.closed().await, 4400);
    assert!(connect_async(&format!("{url}?unknown=1")).await.is_err());
}
