//! What becomes of a connection whose request was answered before its body was read. A small rest is read and forgotten, so
//! that the next request can follow; otherwise the answer says that the connection ends (RFC 9112, section 9.6), since a client
//! that does not know may send its next request into it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONNECTION, EXPECT};
use axum::http::{HeaderValue, Request, Response, Version};
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};

/// So much of a body is read to be forgotten.
const FORGOTTEN: u64 = 64 << 10;
/// How long that may take: a small body mostly comes with its head.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known of the body of a request.
pub(crate) struct Reading {
    rest: Option<Arc<Mutex<Rest>>>,
    /// Whether the client waits for a word before it sends the body.
    is_expecting: bool,
}

/// What is left of a body.
enum Rest {
    /// Somebody may still read it.
    Held,
    /// This, which nobody reads any more.
    Left(Incoming),
    Nothing,
}

impl Reading {
    /// Watches over the body of a request, where it has one and its connection is of one request at a time.
    pub(crate) fn of(request: Request<Incoming>) -> (Request<Body>, Self) {
        let is_expecting = request.headers().contains_key(EXPECT);
        if request.body().is_end_stream() || request.version() >= Version::HTTP_2 {
            return (request.map(Body::new), Self { rest: None, is_expecting });
        }
        let rest = Arc::new(Mutex::new(Rest::Held));
        let watched = |body| Body::new(Watched { body: Some(body), rest: rest.clone() });
        let request = request.map(watched);
        (request, Self { rest: Some(rest), is_expecting })
    }

    /// Reads what is left, or says in the answer that it is not read.
    pub(crate) async fn finish(self, mut response: Response<Body>) -> Response<Body> {
        let Some(rest) = &self.rest else { return response };
        let rest = {
            let mut rest = rest.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *rest, Rest::Held)
        };
        let is_read = match rest {
            Rest::Nothing => true,
            Rest::Held => false,
            Rest::Left(body) => !self.is_expecting && forget(body).await,
        };
        if !is_read {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Whether a body could be read to its end.
async fn forget(mut body: Incoming) -> bool {
    if body.size_hint().lower() > FORGOTTEN {
        return false;
    }
    let reading = async {
        let mut length = 0;
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let Ok(frame) = frame else { return false };
            length += frame.data_ref().map_or(0, |data| data.len() as u64);
            if length > FORGOTTEN {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap_or(false)
}

/// A body that leaves behind what was not read of it.
struct Watched {
    body: Option<Incoming>,
    rest: Arc<Mutex<Rest>>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if frame.is_none() {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let left = self.body.take().filter(|body| !body.is_end_stream());
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        *rest = left.map_or(Rest::Nothing, Rest::Left);
    }
}
