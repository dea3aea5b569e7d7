//! Listens for notifications.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
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

/// Who waits for what is sent to the paths below their name.
type Waiting = Arc<Mutex<HashMap<String, UnboundedSender<Answer>>>>;

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
        lock(&self.waiting).insert(name.to_owned(), sender);
        Inbox(receiver)
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

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, HashMap<String, UnboundedSender<Answer>>> {
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

/// Takes one and answers 200, or the status at the end of its path.
async fn take(
    request: Request<Incoming>,
    waiting: &Waiting,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let mut segments = parts.uri.path().trim_matches('/').split('/');
    let name = segments.next().unwrap_or_default().to_owned();
    let status = segments.next_back().and_then(|last| last.parse().ok());
    let mut response = Response::new(Full::default());
    match Limited::new(body, MOST).collect().await {
        Ok(body) => {
            *response.status_mut() = status.unwrap_or(StatusCode::OK);
            if let Some(sender) = lock(&waiting.clone()).get(&name) {
                // A check that is over waits no more.
                let _ = sender.send(Answer::new(0, parts.headers, body.to_bytes()));
            }
        }
        Err(_) => *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE,
    }
    Ok(response)
}
