//! Server-Sent Events (HTML Living Standard, section 9.2).

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Response};
use bytes::Bytes;
use cardo_http::{REVISION, revision_header};
use futures_util::stream;
use tokio::sync::mpsc;

use super::cursor::Cursor;
use super::following::{End, Event, Following};
use super::question::{Extent, PARAMS};
use crate::face::Face;
use crate::fault::Fault;
use crate::request::Ask;

type Answer = Result<Response<Body>, Fault>;

const MEDIA_TYPE: &str = "text/event-stream";
/// Asks a proxy in between to hand on each event at once.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Follows the question in the parameters.
pub(crate) async fn follow(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&PARAMS, &[])?;
    let question = face.question_of(ask.parts, ask.place(), &params).await?;
    let headers = ask.parts.headers.clone();
    let following = Following::begin(face, ask.caller.clone(), headers, question).await?;
    Ok(events(face, following))
}

/// Follows the question in the body.
pub(crate) async fn follow_posted(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    let params = ask.params(&["cursor", "limit"], &[])?;
    let payload = face.payload(ask, body).await?;
    let mut given = face.given(&payload).await?;
    let cursor = given.members.remove("cursor");
    let extent = Extent::of(&ask.parts.headers, &params, cursor.as_ref())?;
    let question = face.question_in(ask.place(), given, extent).await?;
    let headers = ask.parts.headers.clone();
    let following = Following::begin(face, ask.caller.clone(), headers, question).await?;
    Ok(events(face, following))
}

fn events(face: &Arc<Face>, following: Following) -> Response<Body> {
    let revision = revision_header(following.position().revision);
    // One event waits to be written, and the next is not taken before that is.
    let (sender, mut receiver) = mpsc::channel(1);
    tokio::spawn(write(face.clone(), following, sender));
    let chunks = stream::poll_fn(move |context| receiver.poll_recv(context));
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(UNBUFFERED, HeaderValue::from_static("no"));
    headers.insert(REVISION, revision);
    response
}

type Sender = mpsc::Sender<Result<Bytes, Infallible>>;

/// Writes events until the reader has gone, reads nothing, or nothing more comes.
async fn write(face: Arc<Face>, mut following: Following, sender: Sender) {
    let send = async |chunk: String| {
        let sent = sender.send(Ok(chunk.into()));
        matches!(tokio::time::timeout(face.options.limits.unread, sent).await, Ok(Ok(())))
    };
    // Who is cut off before the first event goes on from here.
    let mut goes_on = send(format!("retry: 1000\nid: {}\n\n", following.position())).await;
    while goes_on {
        let event = tokio::select! {
            () = sender.closed() => return,
            event = following.next() => event,
        };
        goes_on = match event {
            Ok(Event::Notification(body, cursor)) => send(notification(&body, cursor)).await,
            // An id without data is remembered and dispatches nothing.
            Ok(Event::Alive(cursor)) => send(format!(": nothing new\nid: {cursor}\n\n")).await,
            Err(End::Complete | End::Stopping) => false,
            Err(End::Failed(fault)) => {
                send(format!("event: problem\ndata: {}\n\n", fault.to_json())).await;
                false
            }
        };
    }
}

fn notification(body: &[u8], cursor: Cursor) -> String {
    let text = String::from_utf8_lossy(body);
    let mut event = format!("id: {cursor}\n");
    for line in text.lines() {
        event.push_str("data: ");
        event.push_str(line);
        event.push('\n');
    }
    event.push('\n');
    event
}
