//! The protocol graphql-transport-ws: questions, changes and subscriptions over one connection.
//!
//! Events are taken from the log only when the one before is written, so a reader who is slow
//! holds nothing but their place in the log; one who does not read at all is let go.

mod message;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, Value};
use axum::body::Body;
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::http::header::AUTHORIZATION;
use axum::http::{Extensions, HeaderMap, HeaderValue, Response as Answer};
use cardo_http::Rights;
use cardo_model::TwinId;
use futures_util::stream::{AbortHandle, Abortable, BoxStream, SelectAll, SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt, stream};

use crate::face::Face;
use crate::fault::{Code, Fault};
use crate::run::{self, Allowed};
use message::{Incoming, outgoing};

const PROTOCOL: &str = "graphql-transport-ws";
/// Bytes that may wait to be written.
const MAX_UNWRITTEN: usize = 4 << 20;
/// How often a quiet connection is asked whether it lives.
const PING_EVERY: Duration = Duration::from_secs(20);
/// How long the close frame may take.
const CLOSING: Duration = Duration::from_secs(1);

/// Close codes of the protocol, and 1013 of RFC 6455 for a reader who is too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
enum Close {
    TooSlow = 1013,
    BadRequest = 4400,
    Unauthorized = 4401,
    Forbidden = 4403,
    WrongProtocol = 4406,
    InitTimeout = 4408,
    AlreadyExists = 4409,
    TooManyInits = 4429,
    Internal = 4500,
}

/// Why a connection ends.
enum End {
    /// The other side has gone.
    Gone,
    Closed(Close, String),
}

/// What a running operation has to tell.
enum Event {
    Next(Response),
    Refused(Response),
    Complete,
}

/// Takes the connection over; `kept` is held as long as it lasts.
pub(crate) fn accept(
    face: Arc<Face>,
    upgrade: WebSocketUpgrade,
    headers: HeaderMap,
    twin: TwinId,
    kept: Extensions,
) -> Answer<Body> {
    let bytes = face.options.limits.body_bytes;
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(bytes)
        .max_frame_size(bytes)
        .max_write_buffer_size(MAX_UNWRITTEN)
        .on_upgrade(move |socket| async move {
            let speaks = socket.protocol().is_some_and(|protocol| protocol == PROTOCOL);
            let (sink, stream) = socket.split();
            let connection = Connection {
                face,
                headers,
                twin,
                sink,
                running: HashMap::new(),
                events: SelectAll::new(),
            };
            connection.serve(stream, speaks).await;
            drop(kept);
        })
}

type Events = SelectAll<BoxStream<'static, (Arc<str>, Event)>>;

struct Connection {
    face: Arc<Face>,
    headers: HeaderMap,
    twin: TwinId,
    sink: SplitSink<WebSocket, Message>,
    running: HashMap<Arc<str>, AbortHandle>,
    events: Events,
}

impl Connection {
    async fn serve(mut self, mut stream: SplitStream<WebSocket>, speaks: bool) {
        let end = if speaks {
            match self.begin(&mut stream).await {
                Ok(()) => self.work(&mut stream).await,
                Err(end) => end,
            }
        } else {
            End::Closed(Close::WrongProtocol, "Subprotocol not acceptable".to_owned())
        };
        for running in self.running.values() {
            running.abort();
        }
        if let End::Closed(code, reason) = end {
            // RFC 6455, section 5.5: a reason has at most 123 bytes.
            let mut reason = reason;
            while reason.len() > 123 {
                reason.pop();
            }
            let frame = CloseFrame { code: code as u16, reason: reason.into() };
            let closing = self.sink.send(Message::Close(Some(frame)));
            let _ = tokio::time::timeout(CLOSING, closing).await;
        }
    }

    /// The client says who it is; until then it may do nothing.
    async fn begin(&mut self, stream: &mut SplitStream<WebSocket>) -> Result<(), End> {
        let deadline = tokio::time::Instant::now() + self.face.options.limits.begin;
        loop {
            let Ok(next) = tokio::time::timeout_at(deadline, next(stream)).await else {
                let reason = "Connection initialisation timeout".to_owned();
                return Err(End::Closed(Close::InitTimeout, reason));
            };
            match next? {
                Incoming::Init { authorization } => {
                    if let Some(text) = authorization {
                        let value = HeaderValue::try_from(text);
                        let value = value.map_err(|_| bad("authorization is no header"))?;
                        self.headers.insert(AUTHORIZATION, value);
                    }
                    let allowed = self.face.caller(&self.headers, &self.twin, Rights::Read);
                    allowed.await.map_err(|fault| denied(&fault))?;
                    return self.send(outgoing::ack()).await;
                }
                Incoming::Ping => self.send(outgoing::pong()).await?,
                Incoming::Pong => {}
                Incoming::Subscribe { .. } | Incoming::Complete { .. } => {
                    return Err(End::Closed(Close::Unauthorized, "Unauthorized".to_owned()));
                }
            }
        }
    }

    async fn work(&mut self, stream: &mut SplitStream<WebSocket>) -> End {
        let mut pings = tokio::time::interval(PING_EVERY);
        pings.reset();
        loop {
            let done = tokio::select! {
                incoming = next(stream) => match incoming {
                    Ok(incoming) => self.take(incoming).await,
                    Err(end) => Err(end),
                },
                Some((id, event)) = self.events.next(), if !self.events.is_empty() => {
                    self.tell(&id, event).await
                }
                _ = pings.tick() => self.write(Message::Ping(Vec::new().into())).await,
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    async fn take(&mut self, incoming: Incoming) -> Result<(), End> {
        match incoming {
            Incoming::Init { .. } => {
                let reason = "Too many initialisation requests".to_owned();
                Err(End::Closed(Close::TooManyInits, reason))
            }
            Incoming::Ping => self.send(outgoing::pong()).await,
            Incoming::Pong => Ok(()),
            Incoming::Complete { id } => {
                if let Some(running) = self.running.remove(id.as_str()) {
                    running.abort();
                }
                Ok(())
            }
            Incoming::Subscribe { id, request } => self.subscribe(id.into(), *request),
        }
    }

    fn subscribe(&mut self, id: Arc<str>, request: Request) -> Result<(), End> {
        if self.running.contains_key(&id) {
            let reason = format!("Subscriber for {id} already exists");
            return Err(End::Closed(Close::AlreadyExists, reason));
        }
        let limit = self.face.options.limits.subscriptions;
        let events = if self.running.len() >= limit {
            let message = format!("a connection may have {limit} operations at once");
            let fault = Fault::new(Code::TooLarge, message).with("limit", limit);
            stream::iter([Event::Refused(run::refusal(&fault))]).boxed()
        } else {
            let (face, headers, twin) =
                (self.face.clone(), self.headers.clone(), self.twin.clone());
            async move { operate(face, request, headers, twin).await }.flatten_stream().boxed()
        };
        let (handle, registration) = AbortHandle::new_pair();
        self.running.insert(id.clone(), handle);
        let events = Abortable::new(events, registration).map(move |event| (id.clone(), event));
        self.events.push(events.boxed());
        Ok(())
    }

    async fn tell(&mut self, id: &Arc<str>, event: Event) -> Result<(), End> {
        if !self.running.contains_key(id) {
            return Ok(());
        }
        match event {
            Event::Next(response) => {
                if is_too_slow(&response) {
                    return Err(End::Closed(Close::TooSlow, "Too slow a reader".to_owned()));
                }
                self.send(outgoing::next(id, &response)).await
            }
            Event::Refused(response) => {
                self.running.remove(id);
                self.send(outgoing::error(id, &response)).await
            }
            Event::Complete => {
                self.running.remove(id);
                self.send(outgoing::complete(id)).await
            }
        }
    }

    async fn send(&mut self, text: String) -> Result<(), End> {
        self.write(Message::Text(text.into())).await
    }

    /// Writes a message; a client that does not take it in time is let go.
    async fn write(&mut self, message: Message) -> Result<(), End> {
        let limit = self.face.options.limits.unread;
        match tokio::time::timeout(limit, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Closed(Close::TooSlow, "Too slow a reader".to_owned())),
        }
    }
}

fn bad(reason: &str) -> End {
    End::Closed(Close::BadRequest, reason.to_owned())
}

fn denied(fault: &Fault) -> End {
    let close = match fault.code {
        Code::Forbidden => Close::Forbidden,
        Code::Unauthenticated => Close::Unauthorized,
        _ => Close::Internal,
    };
    End::Closed(close, fault.message.clone())
}

/// The next message of the protocol.
async fn next(stream: &mut SplitStream<WebSocket>) -> Result<Incoming, End> {
    loop {
        let message = match stream.next().await {
            None | Some(Err(_) | Ok(Message::Close(_))) => return Err(End::Gone),
            Some(Ok(message)) => message,
        };
        match message {
            Message::Text(text) => return Incoming::read(&text).map_err(|reason| bad(&reason)),
            Message::Binary(_) => return Err(bad("messages are texts")),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
    }
}

/// An operation as the events that it leads to.
async fn operate(
    face: Arc<Face>,
    request: Request,
    headers: HeaderMap,
    twin: TwinId,
) -> BoxStream<'static, Event> {
    let prepared = run::prepare(&face, request, &headers, &twin, None, Allowed::Any).await;
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(fault) => return stream::iter([Event::Refused(run::refusal(&fault))]).boxed(),
    };
    if prepared.operation != OperationType::Subscription {
        let response = prepared.execute().await;
        if run::is_request_error(&response) {
            return stream::iter([Event::Refused(response)]).boxed();
        }
        return stream::iter([Event::Next(response), Event::Complete]).boxed();
    }
    let session = prepared.session.clone();
    let built = prepared.built.clone();
    let responses = built.schema.execute_stream(prepared.into_request());
    let events = responses.map(move |response| {
        let response = run::finished(response, session.revision());
        if run::is_request_error(&response) && !is_too_slow(&response) {
            Event::Refused(response)
        } else {
            Event::Next(response)
        }
    });
    events.chain(stream::iter([Event::Complete])).boxed()
}

fn is_too_slow(response: &Response) -> bool {
    response.errors.iter().any(|error| {
        let code = error.extensions.as_ref().and_then(|values| values.get("code"));
        matches!(code, Some(Value::String(code)) if code == Code::TooSlow.as_str())
    })
}
