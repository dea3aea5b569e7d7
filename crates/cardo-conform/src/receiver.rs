//! Listens for notifications, and answers as a context source.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::answer::Answer;

/// More than that of a notification is not read.
const MOST: usize = 4 << 20;

/// Checks by their names, which begin the paths below which they are told.
type Waiting = Arc<Mutex<HashMap<String, Post>>>;

/// A check that waits.
#[derive(Debug)]
struct Post {
    sender: UnboundedSender<Answer>,
    /// What it answers as a context source, by method and path; nothing where there is no status.
    answers: HashMap<String, (Option<StatusCode>, Bytes)>,
}

/// Accepts notifications and hands each to the check whose name begins its path.
#[derive(Debug)]
pub(crate) struct Receiver {
    address: SocketAddr,
    waiting: Waiting,
    task: JoinHandle<()>,
}

/// The notifications of one check.
#[derive(Debug)]
pub(crate) struct Inbox(UnboundedReceiver<Answer>);

impl Receiver {
    pub(crate) async fn listen(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let waiting = Waiting::default();
        let task = tokio::spawn(accept(listener, Arc::clone(&waiting)));
        Ok(Self { address, waiting, task })
    }

    /// Where a check of this name is told.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    pub(crate) fn inbox(&self, name: &str) -> Inbox {
        let (sender, receiver) = unbounded_channel();
        lock(&self.waiting).insert(name.to_owned(), Post { sender, answers: HashMap::new() });
        Inbox(receiver)
    }

    /// From now on a request to a path of the check is answered so, or never.
    pub(crate) fn answer(
        &self,
        name: &str,
        request: String,
        status: Option<StatusCode>,
        body: Bytes,
    ) {
        if let Some(post) = lock(&self.waiting).get_mut(name) {
            post.answers.insert(request, (status, body));
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Inbox {
    /// The next one, unless none comes in time.
    pub(crate) async fn next(&mut self, patience: Duration) -> Option<Answer> {
        timeout(patience, self.0.recv()).await.ok().flatten()
    }
}

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, HashMap<String, Post>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, waiting: Waiting) {
    while let Ok((stream, _)) = listener.accept().await {
        let waiting = Arc::clone(&waiting);
        tokio::spawn(async move {
            let service = service_fn(|request| take(request, &waiting));
            // A connection that breaks is the matter of who opened it.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Under this name a check reads the method and target of what it was sent.
const REQUEST: &str = "x-conform-request";

/// Takes one and answers as the check said, else 200, or the status at the end of its path.
async fn take(
    request: Request<Incoming>,
    waiting: &Waiting,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().trim_matches('/').to_owned();
    let (name, below) = path.split_once('/').unwrap_or((&path, ""));
    let status = below.rsplit('/').next().and_then(|last| last.parse().ok());
    let mut response = Response::new(Full::default());
    let Ok(body) = Limited::new(body, MOST).collect().await else {
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(response);
    };
    *response.status_mut() = status.unwrap_or(StatusCode::OK);
    let mut is_silent = false;
    if let Some(post) = lock(waiting).get(name) {
        if let Some((status, body)) = post.answers.get(&format!("{} /{below}", parts.method)) {
            is_silent = status.is_none();
            *response.status_mut() = status.unwrap_or_default();
            *response.body_mut() = Full::new(body.clone());
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
        }
        if let Ok(line) = HeaderValue::try_from(format!("{} {}", parts.method, parts.uri)) {
            parts.headers.insert(REQUEST, line);
        }
        // A check that is over waits no more.
        let _ = post.sender.send(Answer::new(0, parts.headers, body.to_bytes()));
    }
    if is_silent {
        std::future::pending::<()>().await;
    }
    Ok(response)
}
