//! A server that answers as it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cardo_conform::{Check, Options, Outcome, Session, Standard, read_checks};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What came in.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What goes out: a status, headers, a body.
pub(crate) type Canned = (u16, Vec<(&'static str, String)>, String);

/// A server, and what it was asked.
pub(crate) struct Stub {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
}

impl Stub {
    /// Answers by a function. The question by which servers of NGSI-LD are found is answered for it, and those by
    /// which landing pages are found are not kept.
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Canned + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (kept, answer) = (seen.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, answer) = (kept.clone(), answer.clone());
                tokio::spawn(async move {
                    let service = service_fn(|request| serve(request, &kept, &*answer));
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
                });
            }
        });
        Self { url, seen }
    }
}

async fn serve(
    request: Request<Incoming>,
    seen: &Mutex<Vec<Seen>>,
    answer: &(dyn Fn(&Seen) -> Canned + Send + Sync),
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let request = Seen {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: parts.headers.iter().map(|(n, v)| (n.to_string(), text(v))).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let (status, headers, body) = if request.target == "/entities?type=Conform" {
        (200, Vec::new(), "[]".to_owned())
    } else {
        if !["/", "/ogc"].contains(&request.target.as_str()) {
            seen.lock().expect("nobody panicked").push(request.clone());
        }
        answer(&request)
    };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::from(body)).expect("headers are well-formed"))
}

/// Options with little patience.
pub(crate) fn options(url: &str) -> Options {
    Options { patience: Duration::from_millis(200), ..Options::new(url) }
}

pub(crate) fn with_callback(url: &str) -> Options {
    let callback: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    Options { callback: Some(callback), patience: Duration::from_secs(10), ..options(url) }
}

/// A check made of these steps.
pub(crate) fn check(steps: &str) -> Check {
    let text = format!("clause 1 Things\n\n== 1.2 name\nThings shall be so.\n{steps}\n");
    let mut checks = read_checks("test", Standard::NgsiLd, &text).expect("a check");
    assert_eq!(checks.len(), 1);
    checks.remove(0)
}

/// What comes of a check at a server.
pub(crate) async fn outcome(options: Options, steps: &str) -> Outcome {
    Session::open(options).await.expect("it is found").run(&check(steps)).await
}
