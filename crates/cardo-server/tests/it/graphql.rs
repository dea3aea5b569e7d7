//! GraphQL over HTTP and WebSocket, with the real binary.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::access::token;
use crate::support::Server;

pub(crate) fn ask(
    server: &Server,
    path: &str,
    headers: &[(&str, &str)],
    query: &str,
) -> (u16, Value) {
    let headers = [&[("content-type", "application/json")], headers].concat();
    let body = json!({ "query": query }).to_string();
    let answer = server.connect().send("POST", path, &headers, Some(&body)).expect("an answer");
    (answer.status, answer.json())
}

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn connect(server: &Server, path: &str, payload: Value) -> Socket {
    let mut request = format!("ws://{}{path}", server.address).into_client_request().unwrap();
    let protocol = "graphql-transport-ws".parse().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    send(&mut socket, json!({ "type": "connection_init", "payload": payload })).await;
    socket
}

async fn send(socket: &mut Socket, message: Value) {
    socket.send(Message::Text(message.to_string().into())).await.unwrap();
}

async fn next(socket: &mut Socket) -> Message {
    loop {
        let next = tokio::time::timeout(Duration::from_secs(10), socket.next()).await;
        match next.expect("a message in time").expect("an open connection").unwrap() {
            Message::Ping(_) | Message::Pong(_) => {}
            other => return other,
        }
    }
}

async fn json_of(socket: &mut Socket) -> Value {
    match next(socket).await {
        Message::Text(text) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn subscribed(server: &Server, path: &str, payload: Value, query: &str) -> Socket {
    let mut socket = connect(server, path, payload).await;
    assert_eq!(json_of(&mut socket).await["type"], "connection_ack");
    let subscribe = |id: &str, query: &str| json!({ "type": "subscribe", "id": id, "payload": { "query": query } });
    send(&mut socket, subscribe("news", query)).await;
    send(&mut socket, subscribe("sync", "{ revision }")).await;
    while json_of(&mut socket).await != json!({ "id": "sync", "type": "complete" }) {}
    socket
}

fn create(server: &Server, id: &str, level: u32) {
    server.create(id, &format!("\"level\": {level}"));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn a_write_through_ngsi_ld_is_told_over_the_socket_and_found_by_the_next_question() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    create(&server, "urn:s:1", 1);
    runtime().block_on(async {
        let query = "subscription { sampleChanged(filter: { level: { gt: 5 } }) { change entity { id level } } }";
        let mut socket = subscribed(&server, "/graphql", json!({}), query).await;
        create(&server, "urn:s:2", 3);
        create(&server, "urn:s:3", 7);
        let news = json_of(&mut socket).await;
        let event = &news["payload"]["data"]["sampleChanged"];
        let expected = json!({ "change": "CREATED", "entity": { "id": "urn:s:3", "level": 7 } });
        assert_eq!(event, &expected, "{news}");
        let (_, answer) = ask(&server, "/graphql", &[], "{ sampleList { totalCount } }");
        assert_eq!(answer["data"]["sampleList"]["totalCount"], 3);
        // A connection that was taken over stays open when its request is long over.
        tokio::time::sleep(Duration::from_secs(6)).await;
        create(&server, "urn:s:4", 9);
        let news = json_of(&mut socket).await;
        assert_eq!(news["payload"]["data"]["sampleChanged"]["entity"]["id"], "urn:s:4");
    });
    server.stop();
}

fn with_tokens(folder: &Path) -> (Server, String, String) {
    let file = folder.join("cardo.toml");
    let reader = token(&file, &["--name", "reader"]);
    let writer = token(&file, &["--name", "writer", "--rights", "write"]);
    let server = Server::start_with(&folder.join("data"), &["--config", file.to_str().unwrap()]);
    (server, reader, writer)
}

#[test]
fn tokens_decide_who_asks_who_changes_and_who_is_told() {
    let folder = tempdir().unwrap();
    let (server, reader, writer) = with_tokens(folder.path());
    let bearer = |token: &str| format!("Bearer {token}");
    let mutation = "mutation { deleteEntity(id: \"urn:nobody\") { id } }";
    let status = |token: Option<&str>, query: &str| {
        let value = token.map(bearer).unwrap_or_default();
        let headers = [("authorization", value.as_str())];
        ask(&server, "/graphql", if token.is_some() { &headers } else { &[] }, query).0
    };
    assert_eq!(status(None, "{ revision }"), 401);
    assert_eq!(status(Some(&reader), "{ revision }"), 200);
    assert_eq!(status(Some(&reader), mutation), 403);
    assert_eq!(status(Some(&writer), mutation), 200);

    runtime().block_on(async {
        let closed =
            async |payload: Value| match next(&mut connect(&server, "/graphql", payload).await)
                .await
            {
                Message::Close(Some(frame)) => u16::from(frame.code),
                Message::Text(text) if text.contains("connection_ack") => 0,
                other => panic!("{other:?}"),
            };
        assert_eq!(closed(json!({})).await, 4401);
        assert_eq!(closed(json!({ "authorization": "Bearer no" })).await, 4401);
        assert_eq!(closed(json!({ "Authorization": bearer(&reader) })).await, 0);
        assert_eq!(closed(json!({ "authorization": reader })).await, 0);
    });
}

#[test]
fn tenants_are_named_by_header_or_path() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let entity = "{\"id\": \"urn:s:1\", \"type\": \"Sample\", \"level\": 4}";
    let headers = [("content-type", "application/json"), ("ngsild-tenant", "harbour")];
    let answer =
        server.connect().send("POST", "/ngsi-ld/v1/entities", &headers, Some(entity)).unwrap();
    assert_eq!(answer.status, 201);
    let query = "{ sampleList { nodes { level } } }";
    let expected = json!([{ "level": 4 }]);
    let (_, by_path) = ask(&server, "/tenants/harbour/graphql", &[], query);
    assert_eq!(by_path["data"]["sampleList"]["nodes"], expected);
    let (_, by_header) = ask(&server, "/graphql", &[("ngsild-tenant", "harbour")], query);
    assert_eq!(by_header["data"]["sampleList"]["nodes"], expected);
    let (_, other) = ask(&server, "/graphql", &[], query);
    assert!(other["errors"].is_array(), "{other}");
    runtime().block_on(async {
        let query = "subscription { sampleChanged { entity { level } } }";
        subscribed(&server, "/tenants/harbour/graphql", json!({}), query).await;
    });
}

#[test]
fn a_server_with_open_sockets_stops_in_time() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    create(&server, "urn:s:1", 1);
    let runtime = runtime();
    let query = "subscription { sampleChanged { change } }";
    let _socket = runtime.block_on(subscribed(&server, "/graphql", json!({}), query));
    let begin = Instant::now();
    server.stop();
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
}
