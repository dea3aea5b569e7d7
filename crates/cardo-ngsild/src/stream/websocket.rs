//! The same over WebSocket (RFC 6455): each notification is a text with its `cursor` in it.
//!
//! Browsers give a WebSocket no headers, so the first message may hold what a request would: the
//! question, the cursor and the credentials.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::extract::{FromRequestParts, WebSocketUpgrade};
use axum::http::header::{AUTHORIZATION, UPGRADE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Response};
use cardo_http::{Params, Rights};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value, json};

use super::cursor::Cursor;
use super::following::{End, Event, Following};
use super::question::{Extent, PARAMS, Question};
use crate::face::Face;
use crate::fault::Fault;
use crate::request::{Ask, Payload};

/// The largest question.
const MAX_MESSAGE: usize = 1 << 20;
/// How long a client may take to ask.
const BEGIN: Duration = Duration::from_secs(10);
/// How long the close frame may take.
const CLOSING: Duration = Duration::from_secs(1);

/// Close codes: those of RFC 6455, and 4000 with the HTTP status of a problem behind it.
const COMPLETE: u16 = 1000;
const GOING_AWAY: u16 = 1001;
const TOO_SLOW: u16 = 1013;
const PROBLEM: u16 = 4000;

/// Why a connection ends.
enum Close {
    /// The other side has gone.
    Gone,
    Frame(u16, &'static str),
    Problem(Fault),
}

impl From<Fault> for Close {
    fn from(fault: Fault) -> Self {
        Self::Problem(fault)
    }
}

pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
}

/// Takes the connection over.
pub(crate) async fn accept(face: Arc<Face>, mut parts: Parts) -> Result<Response<Body>, Fault> {
    Params::parse(parts.uri.query(), &PARAMS, &[])?;
    // What the server counts connections by is kept as long as this one lasts.
    let kept = parts.clone();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let upgrade = upgrade.map_err(|rejection| Fault::invalid(rejection.body_text()))?;
    Ok(upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE).on_upgrade(
        move |socket| async move {
            let (sink, stream) = socket.split();
            Connection { face, parts: kept, sink }.serve(stream).await;
        },
    ))
}

struct Connection {
    face: Arc<Face>,
    parts: Parts,
    sink: SplitSink<WebSocket, Message>,
}

impl Connection {
    async fn serve(mut self, mut stream: SplitStream<WebSocket>) {
        let close = match self.begin(&mut stream).await {
            Ok(following) => self.follow(following, &mut stream).await,
            Err(close) => close,
        };
        let (code, reason) = match close {
            Close::Gone => return,
            Close::Frame(code, reason) => (code, reason),
            Close::Problem(fault) => {
                let problem = fault.to_json();
                let status = problem["status"].as_u64().and_then(|status| status.try_into().ok());
                let _ = self.write(Message::Text(problem.to_string().into())).await;
                (PROBLEM + status.unwrap_or(0_u16), "see the problem before")
            }
        };
        let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let _ = tokio::time::timeout(CLOSING, self.sink.send(frame)).await;
    }

    /// Begins at once where the address asks and nobody has to say who they are; else with the first
    /// message.
    async fn begin(&mut self, stream: &mut SplitStream<WebSocket>) -> Result<Following, Close> {
        let query = self.parts.uri.query().map(str::to_owned);
        let params = Params::parse(query.as_deref(), &PARAMS, &[]).map_err(Fault::from)?;
        let asks = params.iter().any(|(name, _)| !["cursor", "limit"].contains(&name));
        let is_known = self.face.ask(&self.parts, Rights::Read).await.is_ok();
        let mut message = Map::new();
        if !asks || !is_known {
            let Ok(first) = tokio::time::timeout(BEGIN, first(stream)).await else {
                return Err(Close::Problem(Fault::invalid("no question came in time")));
            };
            message = first?;
            self.take_credentials(&mut message)?;
        }
        let ask = self.face.ask(&self.parts, Rights::Read).await?;
        let question = question(&self.face, &ask, &params, asks, message).await?;
        let headers = self.parts.headers.clone();
        Ok(Following::begin(&self.face, ask.caller.clone(), headers, question).await?)
    }

    fn take_credentials(&mut self, message: &mut Map<String, Value>) -> Result<(), Fault> {
        let Some(authorization) = message.remove("authorization") else { return Ok(()) };
        let value = authorization.as_str().and_then(|text| HeaderValue::try_from(text).ok());
        let value = value.ok_or_else(|| Fault::bad_data("authorization is no header"))?;
        self.parts.headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    async fn follow(
        &mut self,
        mut following: Following,
        stream: &mut SplitStream<WebSocket>,
    ) -> Close {
        let start = json!({ "cursor": following.position().to_string() });
        if let Err(close) = self.write(Message::Text(start.to_string().into())).await {
            return close;
        }
        loop {
            let event = match next(&mut following, stream).await {
                Ok(event) => event,
                Err(close) => return close,
            };
            let text = match event {
                Ok(Event::Notification(body, cursor)) => with_cursor(&body, cursor),
                Ok(Event::Alive(cursor)) => json!({ "cursor": cursor.to_string() }).to_string(),
                Err(End::Complete) => return Close::Frame(COMPLETE, "all is told"),
                Err(End::Stopping) => return Close::Frame(GOING_AWAY, "the server stops"),
                Err(End::Failed(fault)) => return Close::Problem(fault),
            };
            if let Err(close) = self.write(Message::Text(text.into())).await {
                return close;
            }
        }
    }

    /// Writes a message; a client that does not take it in time is let go.
    async fn write(&mut self, message: Message) -> Result<(), Close> {
        let unread = self.face.options.limits.unread;
        match tokio::time::timeout(unread, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Close::Gone),
            Err(_) => Err(Close::Frame(TOO_SLOW, "too slow a reader")),
        }
    }
}

/// The next event, while the other side says nothing but that it is there.
async fn next(
    following: &mut Following,
    stream: &mut SplitStream<WebSocket>,
) -> Result<Result<Event, End>, Close> {
    let mut event = std::pin::pin!(following.next());
    loop {
        tokio::select! {
            event = &mut event => return Ok(event),
            message = stream.next() => match message {
                None | Some(Err(_) | Ok(Message::Close(_))) => return Err(Close::Gone),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Text(_) | Message::Binary(_))) => {
                    let detail = "a connection has one question; open another for the next";
                    return Err(Close::Problem(Fault::invalid(detail)));
                }
            },
        }
    }
}

/// The first message.
async fn first(stream: &mut SplitStream<WebSocket>) -> Result<Map<String, Value>, Close> {
    loop {
        match stream.next().await {
            None | Some(Err(_) | Ok(Message::Close(_))) => return Err(Close::Gone),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Binary(_))) => {
                return Err(Close::Problem(Fault::invalid("a question is a text")));
            }
            Some(Ok(Message::Text(text))) => {
                return serde_json::from_str(&text).map_err(|error| {
                    Close::Problem(Fault::invalid(format!("the message is no object: {error}")))
                });
            }
        }
    }
}

/// The question in the address, or in the first message.
async fn question(
    face: &Face,
    ask: &Ask<'_>,
    params: &Params<'_>,
    asks: bool,
    mut message: Map<String, Value>,
) -> Result<Question, Fault> {
    if asks {
        if let Some(name) = message.keys().next() {
            let detail = format!("{name:?} is in the message, but the address holds the question");
            return Err(Fault::bad_data(detail));
        }
        return face.question_of(ask.parts, ask.place(), params).await;
    }
    let cursor = message.remove("cursor");
    let extent = Extent::of(&ask.parts.headers, params, cursor.as_ref())?;
    let payload = Payload::of_message(ask, Value::Object(message).to_string())?;
    let given = face.given(&payload).await?;
    face.question_in(ask.place(), given, extent).await
}

/// The notification with one more member.
fn with_cursor(body: &[u8], cursor: Cursor) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    text.pop();
    text + &format!(",\"cursor\":\"{cursor}\"}}")
}
