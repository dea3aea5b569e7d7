//! The limit: a bare axum handler that answers with the same bytes as Cardo did.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use axum::routing::get;
use axum::serve::ListenerExt as _;

use crate::wire::Answer;

/// Writes an answer to a folder, for the limit to repeat.
pub(crate) fn keep_answer(folder: &Path, number: usize, answer: &Answer<'_>) -> io::Result<()> {
    std::fs::write(folder.join(number.to_string()), [answer.head, answer.body].concat())
}

/// Serves the answers in a folder, one after the other, whatever is asked.
pub async fn serve_limit(listen: SocketAddr, folder: &Path) -> io::Result<()> {
    let mut answers = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        answers.push(Kept::parse(&std::fs::read(entry?.path())?)?);
    }
    let limit = Arc::new(Limit { answers, next: AtomicUsize::new(0) });
    let router = Router::new()
        .route("/ngsi-ld/v1/entities", get(read).post(write))
        .route("/ngsi-ld/v1/entities/{id}", get(read))
        .route("/ngsi-ld/v1/entities/{id}/attrs/{name}", axum::routing::patch(write))
        .route("/ogc/collections/{id}/items", get(read))
        .route("/ogc/tiles/{set}/{matrix}/{row}/{col}", get(read))
        .route("/graphql", axum::routing::post(write))
        .with_state(limit);
    let listener = tokio::net::TcpListener::bind(listen).await?;
    let listener = listener.tap_io(|stream| {
        // As Cardo does.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await
}

struct Limit {
    answers: Vec<Kept>,
    next: AtomicUsize,
}

struct Kept {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

async fn read(State(limit): State<Arc<Limit>>) -> Response<Body> {
    limit.answer()
}

async fn write(State(limit): State<Arc<Limit>>, _body: Bytes) -> Response<Body> {
    limit.answer()
}

impl Limit {
    fn answer(&self) -> Response<Body> {
        let number = self.next.fetch_add(1, Ordering::Relaxed) % self.answers.len().max(1);
        let Some(kept) = self.answers.get(number) else { return Response::default() };
        let mut response = Response::new(Body::from(kept.body.clone()));
        *response.status_mut() = kept.status;
        *response.headers_mut() = kept.headers.clone();
        response
    }
}

impl Kept {
    fn parse(bytes: &[u8]) -> io::Result<Self> {
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "a kept answer is unreadable");
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").ok_or_else(bad)? + 4;
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| bad())?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or_else(bad)?;
        let status = StatusCode::from_bytes(status.as_bytes()).map_err(|_| bad())?;
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
            let value = HeaderValue::from_str(value.trim()).map_err(|_| bad())?;
            // The server below adds these itself.
            if name != "date" && name != "content-length" {
                headers.append(name, value);
            }
        }
        Ok(Self { status, headers, body: Bytes::copy_from_slice(&bytes[end..]) })
    }
}
