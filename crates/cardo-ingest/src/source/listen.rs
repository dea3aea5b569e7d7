//! Messages of a broker.

use cardo_egress::mqtt::{Connection, Event, Login, Message, MqttError, Version};
use cardo_formats::{FieldValue, Format, Limits, Record, RecordError, json};
use tokio::time::Instant;

use super::Source;
use super::intake::{Habit, Intake, Item};
use crate::error::IngestError;
use crate::options::JobOptions;
use crate::quarantine::{Quarantined, number_of};
use crate::topic::TopicPattern;

/// So many messages, or bytes of them, are taken together.
const MOST_MESSAGES: usize = 1_000;
const MOST_BYTES: usize = 4 << 20;
const MAX_PAYLOAD: usize = 1_000_000;

/// Messages that are taken together.
#[derive(Default)]
struct Gathered {
    items: Vec<Item>,
    messages: usize,
    bytes: usize,
    /// What has to be acknowledged once they are durable.
    ids: Vec<u16>,
}

impl Source {
    /// Listens until the connection breaks.
    ///
    /// Messages are read only when those before them are durable, and acknowledged only then. What
    /// the broker has sent and was not acknowledged it sends again, and sent again it changes
    /// nothing.
    pub(super) async fn listen(&self, options: &JobOptions) -> Result<(), IngestError> {
        let broker = self.config.mqtt.clone().unwrap_or_default();
        let failed = |reason: String| IngestError::Broker { broker: broker.clone(), reason };
        let habit = Habit { format: Format::Json, repeats_faults: false, may_lack_type: false };
        let mut intake = Intake::new(self, options, habit).await?;
        let patterns = self.config.patterns().map_err(|error| failed(error.to_string()))?;
        let mut early = Vec::new();
        let mut connection = self.connect(&patterns, &mut early).await?;
        self.status.running();
        let broken = |error: MqttError| failed(error.to_string());
        loop {
            let gathered = self.gather(&mut connection, &patterns, &mut early).await;
            let Gathered { items, ids, .. } = gathered.map_err(broken)?;
            {
                let taking = intake.take(self, items, None);
                tokio::pin!(taking);
                loop {
                    // The broker must not think us gone while the twin is slow.
                    tokio::select! {
                        taken = &mut taking => {
                            taken?;
                            break;
                        }
                        () = tokio::time::sleep_until(connection.due()) => {
                            connection.ping().await.map_err(broken)?;
                        }
                    }
                }
            }
            connection.acknowledge(&ids).await.map_err(broken)?;
        }
    }

    async fn connect(
        &self,
        patterns: &[TopicPattern],
        early: &mut Vec<Event>,
    ) -> Result<Connection, IngestError> {
        let failed = |reason: String| IngestError::Broker {
            broker: self.config.mqtt.clone().unwrap_or_default(),
            reason,
        };
        let broker = self.config.broker().map_err(failed)?;
        let gate = self.gate()?;
        let stream = gate.connect(&broker.host, broker.port, &broker.security).await;
        let stream = stream.map_err(|error| failed(error.to_string()))?;
        let login = self.login().map_err(failed)?;
        let most = self.config.max_payload.unwrap_or(MAX_PAYLOAD);
        let opened = Connection::open(stream, &login, most).await;
        let mut connection = opened.map_err(|error| failed(error.to_string()))?;
        let filters: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        let subscribed = connection.subscribe(&filters, |event| early.push(event)).await;
        subscribed.map_err(|error| failed(error.to_string()))?;
        tracing::info!(source = %self.config.name, broker = %broker.host, "listening to a broker");
        Ok(connection)
    }

    fn login(&self) -> Result<Login, String> {
        let config = &self.config;
        let password = match &config.password_file {
            Some(path) => {
                let text = std::fs::read_to_string(path);
                let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
                Some(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            None => config.password.clone(),
        };
        let client_id = config.client_id.clone().unwrap_or_else(|| {
            let tenant = self.caller.twin.tenant();
            let tenant = if tenant.is_empty() { String::new() } else { format!("{tenant}-") };
            format!("cardo-{tenant}{}", config.name)
        });
        // The broker keeps the session, and with it what nobody has acknowledged.
        Ok(Login {
            client_id,
            username: config.username.clone(),
            password,
            version: Version::V3,
            ..Login::default()
        })
    }

    /// Waits for a message and gathers those that have arrived behind it.
    async fn gather(
        &self,
        connection: &mut Connection,
        patterns: &[TopicPattern],
        early: &mut Vec<Event>,
    ) -> Result<Gathered, MqttError> {
        let mut gathered = Gathered::default();
        for event in early.drain(..) {
            self.hear(event, patterns, &mut gathered)?;
        }
        let listening_since = Instant::now();
        while gathered.messages == 0 {
            let due = connection.due();
            tokio::select! {
                event = connection.next() => self.hear(event?, patterns, &mut gathered)?,
                () = tokio::time::sleep_until(due) => {
                    connection.ping().await?;
                    connection.check_alive(listening_since)?;
                }
            }
        }
        while gathered.messages < MOST_MESSAGES && gathered.bytes < MOST_BYTES {
            let Some(event) = connection.ready().await? else { break };
            self.hear(event, patterns, &mut gathered)?;
        }
        Ok(gathered)
    }

    fn hear(
        &self,
        event: Event,
        patterns: &[TopicPattern],
        gathered: &mut Gathered,
    ) -> Result<(), MqttError> {
        match event {
            Event::Message(message) => {
                gathered.messages += 1;
                gathered.bytes += message.payload.as_ref().map_or(0, Vec::len);
                gathered.ids.extend(message.id);
                self.items_of(&message, patterns, &mut gathered.items);
                Ok(())
            }
            Event::Alive => Ok(()),
            Event::Connected(_)
            | Event::Subscribed { .. }
            | Event::Acknowledged { .. }
            | Event::Disconnected { .. } => {
                Err(MqttError::Protocol("an answer that was not asked for".to_owned()))
            }
        }
    }

    /// The records of a message, with the named levels of its topic as fields.
    fn items_of(&self, message: &Message, patterns: &[TopicPattern], items: &mut Vec<Item>) {
        let topic = &message.topic;
        // A session may hold messages of topics that are no longer in the configuration.
        let Some(fields) = patterns.iter().find_map(|pattern| pattern.fields(topic)) else {
            return;
        };
        let name = &self.config.name;
        let payload = match &message.payload {
            Ok(payload) if payload.is_empty() => return,
            Ok(payload) => payload,
            Err(size) => {
                let most = self.config.max_payload.unwrap_or(MAX_PAYLOAD);
                let why = format!(
                    "a message of {size} bytes on topic {topic}, where `max_payload` allows {most}"
                );
                let place = format!("{topic} {size}");
                items.push(Item::Faulty(Quarantined::of_nothing(name, why, place.as_bytes())));
                return;
            }
        };
        let records = match json::records(payload, &Limits::default()) {
            Ok(records) => records,
            Err(fault) => {
                let why = format!("topic {topic}: {fault}");
                items.push(Item::Faulty(Quarantined::of_text(name, why, payload)));
                return;
            }
        };
        let first = number_of(&[topic.as_bytes(), payload]);
        for (ordinal, record) in (first..).zip(records) {
            items.push(match record {
                Ok(record) => {
                    let mut record = Record { ordinal, ..record };
                    for (field, value) in &fields {
                        record.fields.retain(|(known, _)| known != field);
                        record.fields.push((field.clone(), FieldValue::Text(value.clone())));
                    }
                    Item::Record(record)
                }
                Err(error) => Item::Error(RecordError { ordinal, ..error }),
            });
        }
    }
}
