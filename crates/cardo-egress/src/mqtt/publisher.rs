//! Messages that are told to brokers, over one connection to each.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::connection::{Connection, Login, MqttError};
use super::decode::Event;
use super::{Acknowledged, Endpoint, Quality, Version, answers, encode};
use crate::error::EgressError;
use crate::gate::Gate;

/// A connection that nobody used for so long is closed, before the broker misses a sign of life.
const IDLE: Duration = Duration::from_secs(20);
/// How long a broker keeps what it needs to finish a message after the connection broke.
const SESSION_SECONDS: u32 = 3_600;
/// What a broker may send to one who does not listen.
const MAX_PAYLOAD: usize = 1 << 10;
/// How many messages are remembered that were finished for somebody who had given up waiting.
const MAX_FINISHED: usize = 1_000;

/// A message for a topic of a broker.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a> {
    /// Where to.
    pub endpoint: &'a Endpoint,
    /// Which protocol.
    pub version: Version,
    /// The quality of service.
    pub quality: Quality,
    /// What is told. It is taken for the same message as before where it is the same to the byte.
    pub payload: &'a [u8],
    /// How long that may take.
    pub timeout: Duration,
}

/// Publishes messages. There is one connection to a broker for each user and version, and messages
/// go over it one after the other, so their order stays as it is.
///
/// An answer says that the broker has the message, at quality of service 0 too: a ping behind the
/// message is answered only when the message was read. Where the connection breaks before that, and
/// the broker keeps the session (version 5), the message is finished over the next connection and
/// not sent anew; so at quality of service 2 it arrives once.
#[derive(Clone)]
pub struct Publisher {
    gate: Gate,
    brokers: Arc<Mutex<HashMap<Key, Arc<Broker>>>>,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").finish_non_exhaustive()
    }
}

/// What shares a connection.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    host: String,
    port: u16,
    is_tls: bool,
    username: Option<String>,
    password: Option<String>,
    version: Version,
}

struct Broker {
    line: tokio::sync::Mutex<Line>,
}

/// The one connection, and what has begun on it.
struct Line {
    connection: Option<Connection>,
    client_id: String,
    last_id: u16,
    begun: Option<Begun>,
    finished: Vec<u64>,
    used: Instant,
    is_watched: bool,
    hasher: RandomState,
}

/// A message of which the broker has not said that it has it.
struct Begun {
    hash: u64,
    id: u16,
    quality: Quality,
    packet: Vec<u8>,
    is_received: bool,
}

impl Publisher {
    /// A publisher that connects through the gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate, brokers: Arc::default() }
    }

    /// Publishes a message; done when the broker has it.
    pub async fn publish(&self, publication: Publication<'_>) -> Result<(), EgressError> {
        let (broker, after) = (self.broker(&publication), publication.timeout);
        let url = || publication.endpoint.broker();
        let published = timeout(after, async {
            let mut line = broker.line.lock().await;
            let published = self.over(&mut line, &publication).await;
            line.used = Instant::now();
            if line.connection.is_some() && !line.is_watched {
                line.is_watched = true;
                tokio::spawn(close_when_idle(Arc::downgrade(&broker), publication.version));
            }
            published
        });
        published.await.map_err(|_| EgressError::Timeout { url: url(), after })?
    }

    fn broker(&self, publication: &Publication<'_>) -> Arc<Broker> {
        let Endpoint { host, port, is_tls, username, password, .. } = publication.endpoint.clone();
        let key = Key { host, port, is_tls, username, password, version: publication.version };
        let mut brokers = self.brokers.lock().unwrap_or_else(PoisonError::into_inner);
        if !brokers.contains_key(&key) {
            // Those that nobody uses and that have ended are forgotten.
            brokers.retain(|_, broker| Arc::strong_count(broker) > 1 || broker.is_in_use());
        }
        brokers.entry(key).or_insert_with(|| Arc::new(Broker::new())).clone()
    }

    /// The connection is out of the line meanwhile: where this future is dropped, it is closed.
    async fn over(
        &self,
        line: &mut Line,
        publication: &Publication<'_>,
    ) -> Result<(), EgressError> {
        let broken = |reason| EgressError::Mqtt { broker: publication.endpoint.broker(), reason };
        let open = line.connection.take();
        let mut connection = match usable(open).await {
            Some(connection) => connection,
            None => self.connect(line, publication).await?,
        };
        let hash = line.hasher.hash_one((&publication.endpoint.topic, publication.payload));
        if let Some(place) = line.finished.iter().position(|finished| *finished == hash) {
            line.finished.swap_remove(place);
            line.connection = Some(connection);
            return Ok(());
        }
        let told = line.tell(&mut connection, publication, hash).await;
        if told.is_ok() || matches!(told, Err(MqttError::Message(_))) {
            line.connection = Some(connection);
        }
        told.map_err(broken)
    }

    async fn connect(
        &self,
        line: &mut Line,
        publication: &Publication<'_>,
    ) -> Result<Connection, EgressError> {
        let endpoint = publication.endpoint;
        let broken = |reason| EgressError::Mqtt { broker: endpoint.broker(), reason };
        let stream = self.gate.connect(&endpoint.host, endpoint.port, &endpoint.security()).await?;
        let login = Login {
            client_id: line.client_id.clone(),
            username: endpoint.username.clone(),
            password: endpoint.password.clone(),
            version: publication.version,
            // A session of version 3.1.1 would stay with the broker for ever.
            is_clean: publication.version == Version::V3 || line.begun.is_none(),
            session_seconds: SESSION_SECONDS,
        };
        let opened = Connection::open(stream, &login, MAX_PAYLOAD).await;
        let mut connection = opened.map_err(broken)?;
        if let Some(begun) = line.begun.take()
            && connection.answer().session
        {
            let hash = begun.hash;
            line.begun = Some(begun);
            match line.finish(&mut connection, true).await {
                Ok(()) => {
                    line.finished.truncate(MAX_FINISHED - 1);
                    line.finished.push(hash);
                }
                // Whose it is hears of it when it is sent anew.
                Err(MqttError::Message(_)) => {}
                Err(error) => return Err(broken(error)),
            }
        }
        Ok(connection)
    }
}

impl Broker {
    fn new() -> Self {
        let line = Line {
            connection: None,
            client_id: format!("cardo-{:016x}", RandomState::new().hash_one(0)),
            last_id: 0,
            begun: None,
            finished: Vec::new(),
            used: Instant::now(),
            is_watched: false,
            hasher: RandomState::new(),
        };
        Self { line: tokio::sync::Mutex::new(line) }
    }

    fn is_in_use(&self) -> bool {
        match self.line.try_lock() {
            Ok(line) => {
                line.connection.is_some() || line.begun.is_some() || !line.finished.is_empty()
            }
            Err(_) => true,
        }
    }
}

impl Line {
    async fn tell(
        &mut self,
        connection: &mut Connection,
        publication: &Publication<'_>,
        hash: u64,
    ) -> Result<(), MqttError> {
        let Publication { endpoint, version, quality, payload, .. } = *publication;
        if quality > connection.answer().best {
            return Err(MqttError::Message(answers::meaning(0x9B)));
        }
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        let id = self.last_id;
        let packet = encode::publish(version, &endpoint.topic, payload, quality, id);
        let most = connection.answer().max_packet;
        if most.is_some_and(|most| usize::try_from(most).is_ok_and(|most| packet.len() > most)) {
            return Err(MqttError::Message(answers::meaning(0x95)));
        }
        if quality == Quality::AtMostOnce {
            connection.write(&packet).await?;
            connection.ping().await?;
            return until(connection, |event| matches!(event, Event::Alive).then_some(())).await;
        }
        self.begun = Some(Begun { hash, id, quality, packet, is_received: false });
        self.finish(connection, false).await
    }

    /// Goes through the steps that are left (4.3 and 4.4).
    async fn finish(
        &mut self,
        connection: &mut Connection,
        is_repeated: bool,
    ) -> Result<(), MqttError> {
        let Some(begun) = &mut self.begun else { return Ok(()) };
        let id = begun.id;
        if !begun.is_received {
            if is_repeated {
                encode::mark_repeated(&mut begun.packet);
            }
            connection.write(&begun.packet).await?;
            let step = match begun.quality {
                Quality::ExactlyOnce => Acknowledged::Received,
                Quality::AtMostOnce | Quality::AtLeastOnce => Acknowledged::Taken,
            };
            let code = acknowledged(connection, step, id).await?;
            if code >= 0x80 {
                self.begun = None;
                return Err(MqttError::Message(answers::meaning(code)));
            }
            begun.is_received = true;
        }
        if begun.quality == Quality::ExactlyOnce {
            connection.write(&encode::release(id)).await?;
            acknowledged(connection, Acknowledged::Complete, id).await?;
        }
        self.begun = None;
        Ok(())
    }
}

/// Waits for a step of a message.
async fn acknowledged(
    connection: &mut Connection,
    wanted: Acknowledged,
    of: u16,
) -> Result<u8, MqttError> {
    until(connection, |event| match event {
        Event::Acknowledged { step, id, code } if step == wanted && id == of => Some(code),
        _ => None,
    })
    .await
}

async fn until<T>(
    connection: &mut Connection,
    mut found: impl FnMut(Event) -> Option<T>,
) -> Result<T, MqttError> {
    loop {
        let event = connection.next().await?;
        if let Event::Disconnected { code } = event {
            return Err(MqttError::Ended(answers::meaning(code)));
        }
        if let Some(found) = found(event) {
            return Ok(found);
        }
    }
}

/// The connection, unless the broker has ended it meanwhile.
async fn usable(connection: Option<Connection>) -> Option<Connection> {
    let mut connection = connection?;
    loop {
        match connection.ready().await {
            Ok(None) => return Some(connection),
            Ok(Some(Event::Disconnected { .. })) | Err(_) => return None,
            Ok(Some(_)) => {}
        }
    }
}

async fn close_when_idle(broker: Weak<Broker>, version: Version) {
    let mut until = Instant::now() + IDLE;
    loop {
        tokio::time::sleep_until(until).await;
        let Some(broker) = broker.upgrade() else { return };
        let mut line = broker.line.lock().await;
        until = line.used + IDLE;
        if until <= Instant::now() {
            line.is_watched = false;
            if let Some(connection) = line.connection.take() {
                connection.leave(version).await;
            }
            return;
        }
    }
}
