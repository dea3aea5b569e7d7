//! A connection to a broker.

use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::answers::{Answer, meaning};
use super::decode::{Decoder, Event};
use super::{Version, encode};
use crate::stream::Stream;

/// The broker hears of us at least so often.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long an answer or the taking of bytes may last.
const PATIENCE: Duration = Duration::from_secs(15);

/// As whom to connect, and how. Clean is a login that takes up no session.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// By which the broker knows the client.
    pub client_id: String,
    /// As whom.
    pub username: Option<String>,
    /// With what secret.
    pub password: Option<String>,
    /// Which protocol.
    pub version: Version,
    /// Whether it begins without the session that the broker may have kept.
    pub is_clean: bool,
    /// How long the broker keeps the session of a client that is gone (version 5).
    pub session_seconds: u32,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum MqttError {
    /// The connection broke.
    #[error("the connection to the broker broke: {0}")]
    Broken(#[from] std::io::Error),
    /// It ended without a word.
    #[error("the broker has closed the connection")]
    Closed,
    /// Nothing was heard.
    #[error("the broker is silent")]
    Silent,
    /// What was received is no MQTT, or not what was expected.
    #[error("the broker sent {0}")]
    Protocol(String),
    /// It takes no connection (3.2.2.3).
    #[error("the broker refuses the connection: {0}")]
    Refused(&'static str),
    /// It does not let us listen.
    #[error("the broker refuses the topic {0}")]
    Topic(String),
    /// It does not take the message (version 5).
    #[error("the broker refuses the message: {0}")]
    Message(&'static str),
    /// It ended the connection with a reason (version 5).
    #[error("the broker ends the connection: {0}")]
    Ended(&'static str),
}

/// An open connection.
pub struct Connection {
    stream: Pin<Box<dyn Stream>>,
    decoder: Decoder,
    answer: Answer,
    heard: Instant,
    told: Instant,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("answer", &self.answer).finish_non_exhaustive()
    }
}

impl Connection {
    /// Logs in, and takes up the session that the broker keeps for the client.
    pub async fn open(
        stream: Pin<Box<dyn Stream>>,
        login: &Login,
        max_payload: usize,
    ) -> Result<Self, MqttError> {
        let now = Instant::now();
        let decoder = Decoder::new(max_payload);
        let answer =
            Answer { session: false, code: 0, best: super::Quality::ExactlyOnce, max_packet: None };
        let mut connection = Self { stream, decoder, answer, heard: now, told: now };
        let seconds = u16::try_from(KEEP_ALIVE.as_secs()).unwrap_or(u16::MAX);
        connection.write(&encode::connect(login, seconds)).await?;
        match timeout(PATIENCE, connection.next()).await.map_err(|_| MqttError::Silent)?? {
            Event::Connected(answer) if answer.code == 0 => {
                tracing::debug!(client = %login.client_id, session = answer.session, "connected to a broker");
                connection.answer = answer;
                Ok(connection)
            }
            Event::Connected(answer) => Err(MqttError::Refused(meaning(answer.code))),
            other => Err(MqttError::Protocol(format!("{other:?} before it took the connection"))),
        }
    }

    /// What the broker answered to the login.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Asks for messages. Those that come before the answer are handed to `early`.
    pub async fn subscribe(
        &mut self,
        filters: &[String],
        mut early: impl FnMut(Event),
    ) -> Result<(), MqttError> {
        self.write(&encode::subscribe(1, filters.iter().map(String::as_str))).await?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let next = tokio::time::timeout_at(deadline, self.next()).await;
            match next.map_err(|_| MqttError::Silent)?? {
                Event::Subscribed { codes } => {
                    let refused = codes.iter().position(|code| *code > 2);
                    return match refused.and_then(|at| filters.get(at)) {
                        Some(filter) => Err(MqttError::Topic(filter.clone())),
                        None => Ok(()),
                    };
                }
                other => early(other),
            }
        }
    }

    /// The next event. May be dropped at any moment without losing one.
    pub async fn next(&mut self) -> Result<Event, MqttError> {
        loop {
            if let Some(event) = self.decoder.next()? {
                return Ok(event);
            }
            self.fill().await?;
        }
    }

    /// The next event that has arrived already.
    pub async fn ready(&mut self) -> Result<Option<Event>, MqttError> {
        loop {
            if let Some(event) = self.decoder.next()? {
                return Ok(Some(event));
            }
            tokio::select! {
                biased;
                filled = self.fill() => filled?,
                () = std::future::ready(()) => return Ok(None),
            }
        }
    }

    async fn fill(&mut self) -> Result<(), MqttError> {
        const STEP: usize = 16 << 10;
        self.decoder.buffer.reserve(STEP);
        if self.stream.read_buf(&mut self.decoder.buffer).await? == 0 {
            return Err(MqttError::Closed);
        }
        self.heard = Instant::now();
        Ok(())
    }

    /// Acknowledges messages.
    pub async fn acknowledge(&mut self, ids: &[u16]) -> Result<(), MqttError> {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| encode::acknowledgement(*id)).collect();
        if bytes.is_empty() { Ok(()) } else { self.write(&bytes).await }
    }

    /// When it is time to say something.
    pub fn due(&self) -> Instant {
        self.told + KEEP_ALIVE / 2
    }

    /// Says that we are here.
    pub async fn ping(&mut self) -> Result<(), MqttError> {
        self.write(&encode::PING).await
    }

    /// Fails where the broker has been silent for too long while it was listened to since `from`.
    pub fn check_alive(&self, from: Instant) -> Result<(), MqttError> {
        if self.heard.max(from).elapsed() > KEEP_ALIVE + PATIENCE {
            return Err(MqttError::Silent);
        }
        Ok(())
    }

    /// Says goodbye; the broker forgets the session.
    pub(super) async fn leave(mut self, version: Version) {
        let _ = self.write(encode::disconnect(version)).await;
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), MqttError> {
        let writing = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        timeout(PATIENCE, writing).await.map_err(|_| MqttError::Silent)??;
        self.told = Instant::now();
        Ok(())
    }
}
