//! The gate against a server on the loopback address.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use cardo_egress::{
    EgressConfig, EgressError, Gate, Kind, Method, Request, Resolve, Resolving, header,
};

/// Names that lead where a test says.
#[derive(Clone, Default)]
struct Names(HashMap<String, Vec<IpAddr>>);

impl Names {
    fn with(mut self, name: &str, addresses: &[&str]) -> Self {
        self.0.insert(
            name.to_owned(),
            addresses.iter().map(|a| a.parse().expect("an address")).collect(),
        );
        self
    }
}

impl Resolve for Names {
    fn resolve(&self, host: &str) -> Resolving {
        let found = self.0.get(host).cloned();
        Box::pin(async move { found.ok_or_else(|| io::Error::other("no such name")) })
    }
}

/// A name that leads to a public address first and to this machine ever after.
#[derive(Clone, Default)]
struct Rebinding(Arc<AtomicUsize>);

impl Resolve for Rebinding {
    fn resolve(&self, _: &str) -> Resolving {
        let first = self.0.fetch_add(1, Ordering::Relaxed) == 0;
        let address: IpAddr = if first { [192, 0, 2, 1] } else { [127, 0, 0, 1] }.into();
        Box::pin(async move { Ok(vec![address]) })
    }
}

async fn echo(method: axum::http::Method, headers: HeaderMap, uri: Uri, body: Bytes) -> Response {
    let agent = headers.get("user-agent").and_then(|v| v.to_str().ok()).unwrap_or("-").to_owned();
    let secret = headers.contains_key("authorization");
    let body = String::from_utf8_lossy(&body).into_owned();
    format!("{method} {uri} agent={agent} secret={secret} body={body}").into_response()
}

async fn endless() -> Body {
    Body::from_stream(futures_util::stream::repeat_with(|| {
        Ok::<_, io::Error>(Bytes::from_static(&[b'x'; 1024]))
    }))
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(60)).await;
    "late"
}

async fn to(State(target): State<Arc<str>>) -> Redirect {
    Redirect::temporary(&target)
}

async fn chain(Path(left): Path<usize>) -> Response {
    match left {
        0 => "arrived".into_response(),
        _ => Redirect::to(&format!("/chain/{}", left - 1)).into_response(),
    }
}

async fn peer(ConnectInfo(peer): ConnectInfo<SocketAddr>) -> String {
    peer.to_string()
}

/// Serves on a free port; `/to` redirects to the target.
async fn serve(target: &str) -> SocketAddr {
    let app = Router::new()
        .route("/echo", any(echo))
        .route("/endless", get(endless))
        .route("/slow", get(slow))
        .route("/to", any(to))
        .route("/found", any(|| async { (StatusCode::FOUND, [("location", "/echo")]) }))
        .route("/chain/{left}", get(chain))
        .route("/peer", get(peer))
        .with_state(Arc::from(target));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
    });
    address
}

fn open() -> EgressConfig {
    EgressConfig { allow_loopback: true, ..EgressConfig::default() }
}

fn text(response: &cardo_egress::Response) -> &str {
    std::str::from_utf8(&response.body).expect("the server sends text")
}

#[tokio::test]
async fn this_machine_is_refused_by_default_and_the_key_is_named() {
    let server = serve("").await;
    let gate = Gate::new(EgressConfig::default());
    let error = gate.send(Request::get(format!("http://{server}/echo"))).await.unwrap_err();
    assert!(matches!(&error, EgressError::Refused(refusal) if refusal.kind == Kind::Loopback));
    assert_eq!(
        error.to_string(),
        "refused to connect: 127.0.0.1 is a loopback address; egress.allow_loopback allows these"
    );
}

#[tokio::test]
async fn this_machine_is_reached_where_that_is_allowed() {
    let server = serve("").await;
    let response = Gate::new(open())
        .send(Request::post(format!("http://{server}/echo?a=1#part"), "hello"))
        .await
        .unwrap();
    assert_eq!(response.status, 200);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        text(&response),
        format!("POST /echo?a=1 agent=cardo/{version} secret=false body=hello")
    );
}

#[tokio::test]
async fn every_way_to_write_a_private_address_is_refused() {
    let gate = Gate::new(EgressConfig::default());
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.0.0.1.",
        "127%2e0%2e0%2e1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "[::127.0.0.1]",
        "10.0.0.1",
        "192.168.0.1",
        "172.16.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00::1]",
        "[::ffff:10.0.0.1]",
        "0",
        "0.0.0.0",
        "[::]",
        "224.0.0.1",
        "[ff02::1]",
        "①②⑦.0.0.1",
    ] {
        let error = gate.send(Request::get(format!("http://{host}/"))).await.unwrap_err();
        assert!(matches!(error, EgressError::Refused(_)), "{host}: {error}");
    }
}

#[tokio::test]
async fn the_address_behind_a_name_is_judged() {
    let names = Names::default()
        .with("inside.example", &["10.9.8.7"])
        .with("mixed.example", &["127.0.0.1", "10.9.8.7"]);
    let gate = Gate::with_resolver(EgressConfig::default(), names.clone());
    let error = gate.send(Request::get("http://inside.example/")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "refused to connect: inside.example (10.9.8.7) is a private address; egress.allow_private allows these"
    );
    // Of several addresses only those are tried that may be.
    let server = serve("").await;
    let gate = Gate::with_resolver(open(), names);
    let response = gate
        .send(Request::get(format!("http://mixed.example:{}/echo", server.port())))
        .await
        .unwrap();
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn a_name_that_changes_its_address_gains_nothing() {
    let server = serve("").await;
    let config =
        EgressConfig { connect_timeout_ms: 50, allow_private: true, ..EgressConfig::default() };
    let gate = Gate::with_resolver(config, Rebinding::default());
    let url = format!("http://rebinding.example:{}/echo", server.port());
    assert!(gate.send(Request::get(&url)).await.is_err());
    for _ in 0..3 {
        let error = gate.send(Request::get(&url)).await.unwrap_err();
        assert!(matches!(error, EgressError::Refused(_)), "{error}");
    }
}

#[tokio::test]
async fn a_host_can_be_allowed_by_name() {
    let server = serve("").await;
    let names = Names::default()
        .with("broker.internal", &["127.0.0.1"])
        .with("other.internal", &["127.0.0.1"]);
    let config =
        EgressConfig { allow_hosts: vec!["broker.internal".to_owned()], ..EgressConfig::default() };
    let gate = Gate::with_resolver(config, names);
    let port = server.port();
    assert!(gate.send(Request::get(format!("http://broker.internal:{port}/echo"))).await.is_ok());
    assert!(gate.send(Request::get(format!("http://other.internal:{port}/echo"))).await.is_err());
    assert!(gate.send(Request::get(format!("http://127.0.0.1:{port}/echo"))).await.is_err());
}

#[tokio::test]
async fn a_redirect_to_a_refused_address_is_refused() {
    for target in
        ["http://10.0.0.1/secret", "http://[::ffff:169.254.169.254]/", "http://inside.example/"]
    {
        let server = serve(target).await;
        let gate =
            Gate::with_resolver(open(), Names::default().with("inside.example", &["192.168.1.1"]));
        let error = gate.send(Request::get(format!("http://{server}/to"))).await.unwrap_err();
        assert!(matches!(error, EgressError::Refused(_)), "{target}: {error}");
    }
    let server = serve("file:///etc/passwd").await;
    let error =
        Gate::new(open()).send(Request::get(format!("http://{server}/to"))).await.unwrap_err();
    assert!(matches!(error, EgressError::Scheme { .. }), "{error}");
}

#[tokio::test]
async fn redirects_are_followed_up_to_a_limit() {
    let server = serve("").await;
    let gate = Gate::new(open());
    let response = gate.send(Request::get(format!("http://{server}/chain/5"))).await.unwrap();
    assert_eq!(text(&response), "arrived");
    assert_eq!(response.url.path(), "/chain/0");
    let error = gate.send(Request::get(format!("http://{server}/chain/6"))).await.unwrap_err();
    assert!(matches!(error, EgressError::TooManyRedirects { limit: 5, .. }), "{error}");
}

#[tokio::test]
async fn a_post_keeps_its_body_over_a_redirect_that_asks_so_and_ends_at_others() {
    let other = serve("").await;
    let server = serve(&format!("http://{other}/echo")).await;
    let gate = Gate::new(open());
    let mut request = Request::post(format!("http://{server}/to"), "kept");
    request.headers.insert(header::AUTHORIZATION, "Bearer secret".parse().unwrap());
    let response = gate.send(request).await.unwrap();
    assert!(text(&response).starts_with("POST"), "{}", text(&response));
    assert!(
        text(&response).ends_with("secret=false body=kept"),
        "credentials stay at home: {}",
        text(&response)
    );
    let response =
        gate.send(Request::post(format!("http://{server}/found"), "kept")).await.unwrap();
    assert_eq!(response.status, 302);
}

#[tokio::test]
async fn a_body_over_the_limit_is_cut_off_with_an_error() {
    let server = serve("").await;
    let gate = Gate::new(EgressConfig { max_response_bytes: 10_000, ..open() });
    let error = gate.send(Request::get(format!("http://{server}/endless"))).await.unwrap_err();
    assert!(matches!(error, EgressError::TooLarge { limit: 10_000, .. }), "{error}");
    let mut announced = Request::get(format!("http://{server}/echo"));
    announced.max_response_bytes = Some(3);
    let error = gate.send(announced).await.unwrap_err();
    assert!(matches!(error, EgressError::TooLarge { limit: 3, .. }), "{error}");
}

#[tokio::test]
async fn a_slow_server_is_given_up() {
    let server = serve("").await;
    let mut request = Request::get(format!("http://{server}/slow"));
    request.timeout = Some(Duration::from_millis(30));
    let error = Gate::new(open()).send(request).await.unwrap_err();
    assert!(matches!(error, EgressError::Timeout { .. }), "{error}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = serve("").await;
    let gate = Gate::new(open());
    let mut peers = Vec::new();
    for _ in 0..3 {
        let response = gate.send(Request::get(format!("http://{server}/peer"))).await.unwrap();
        peers.push(text(&response).to_owned());
    }
    peers.dedup();
    assert_eq!(peers.len(), 1, "{peers:?}");
}

#[tokio::test]
async fn addresses_that_are_none_are_refused_with_the_reason() {
    let gate = Gate::new(open());
    for url in [
        "",
        "example.org",
        "http://",
        "http://[::1",
        "http://user:secret@example.org/",
        "http://a b/",
    ] {
        let error = gate.send(Request::get(url)).await.unwrap_err();
        assert!(matches!(error, EgressError::Url { .. }), "{url}: {error}");
    }
    for url in
        ["ftp://example.org/", "file:///etc/passwd", "gopher://127.0.0.1/", "unix:/run/docker.sock"]
    {
        let error = gate.send(Request::new(Method::GET, url)).await.unwrap_err();
        assert!(matches!(error, EgressError::Scheme { .. }), "{url}: {error}");
    }
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let gate = Gate::with_resolver(open(), Names::default().with("empty.example", &[]));
    for host in ["nowhere.example", "empty.example"] {
        let error = gate.send(Request::get(format!("http://{host}/"))).await.unwrap_err();
        assert!(
            matches!(&error, EgressError::Resolve { host: named, .. } if named == host),
            "{error}"
        );
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let error = gate.send(Request::get(format!("http://{closed}/"))).await.unwrap_err();
    assert!(matches!(error, EgressError::Connect { .. }), "{error}");
    let plain = serve("").await;
    let error = gate.send(Request::get(format!("https://{plain}/"))).await.unwrap_err();
    assert!(matches!(error, EgressError::Connect { .. }), "TLS with a plain server: {error}");
}
