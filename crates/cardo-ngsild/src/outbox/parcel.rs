use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use cardo_egress::mqtt::{Quality, Version};
use cardo_model::Timestamp;
use serde_json::{Value, json};

use crate::subscriptions::{Message, MqttParameters};

const VERSION: u64 = 1;

/// A message that waits, or a dead letter.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(super) message: Message,
    /// The least time between two attempts (clause 5.2.15).
    pub(super) cooldown: Option<Duration>,
    /// Since when it is tried.
    pub(super) since: Timestamp,
    /// Of a dead letter: why it was given up.
    pub(super) given_up: Option<GivenUp>,
}

/// Why a message was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivenUp {
    pub(super) attempts: u32,
    pub(super) reason: String,
    pub(super) at: Timestamp,
}

impl Parcel {
    pub(super) fn new(message: &Message, cooldown: Option<Duration>, since: Timestamp) -> Self {
        Self { message: message.clone(), cooldown, since, given_up: None }
    }

    /// The same, to be tried anew.
    pub(super) fn anew(self, since: Timestamp) -> Self {
        Self { since, given_up: None, ..self }
    }

    pub(super) fn given_up(self, attempts: u32, reason: &str, at: Timestamp) -> Self {
        let reason = reason.chars().take(500).collect();
        Self { given_up: Some(GivenUp { attempts, reason, at }), ..self }
    }

    pub(super) fn to_text(&self) -> String {
        let Message { endpoint, headers, mqtt, body, timeout } = &self.message;
        let headers: Vec<[&str; 2]> = headers
            .iter()
            .filter_map(|(name, value)| {
                Some([name.as_str(), std::str::from_utf8(value.as_bytes()).ok()?])
            })
            .collect();
        let milliseconds = |time: &Option<Duration>| time.map(|time| time.as_secs_f64() * 1_000.0);
        let mut document = json!({
            "version": VERSION,
            "endpoint": endpoint,
            "headers": headers,
            "mqtt": mqtt.map(|mqtt| [version_number(mqtt.version), quality_number(mqtt.quality)]),
            "body": String::from_utf8_lossy(body),
            "timeout": milliseconds(timeout),
            "cooldown": milliseconds(&self.cooldown),
            "since": self.since.to_string(),
        });
        if let Some(GivenUp { attempts, reason, at }) = &self.given_up {
            document["givenUp"] =
                json!({ "attempts": attempts, "reason": reason, "at": at.to_string() });
        }
        document.to_string()
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let document: Value = serde_json::from_str(text).ok()?;
        if document["version"].as_u64()? != VERSION {
            return None;
        }
        let moment = |value: &Value| Timestamp::parse(value.as_str()?).ok();
        let duration =
            |name: &str| Duration::try_from_secs_f64(document[name].as_f64()? / 1_000.0).ok();
        let mut headers = HeaderMap::new();
        for pair in document["headers"].as_array()? {
            let name = HeaderName::try_from(pair[0].as_str()?).ok()?;
            headers.append(name, HeaderValue::try_from(pair[1].as_str()?).ok()?);
        }
        let mqtt = document["mqtt"].as_array().map(|pair| MqttParameters {
            version: if pair[0] == 3 { Version::V3 } else { Version::V5 },
            quality: quality_of(&pair[1]),
        });
        let given_up = match document.get("givenUp") {
            None => None,
            Some(said) => Some(GivenUp {
                attempts: u32::try_from(said["attempts"].as_u64()?).ok()?,
                reason: said["reason"].as_str()?.to_owned(),
                at: moment(&said["at"])?,
            }),
        };
        let message = Message {
            endpoint: document["endpoint"].as_str()?.to_owned(),
            headers,
            mqtt,
            body: document["body"].as_str()?.to_owned().into(),
            timeout: duration("timeout"),
        };
        let since = moment(&document["since"])?;
        Some(Self { message, cooldown: duration("cooldown"), since, given_up })
    }

    /// A dead letter as it is listed: without its receiver, whose address may hold a password.
    pub(crate) fn show(&self) -> Option<Value> {
        let GivenUp { attempts, reason, at } = self.given_up.as_ref()?;
        let body: Value = serde_json::from_slice(&self.message.body).unwrap_or_default();
        // What a broker gets has the notification in its body (clause 7.2).
        let notification = if self.message.mqtt.is_some() { &body["body"] } else { &body };
        Some(json!({
            "notification": notification,
            "attempts": attempts,
            "reason": reason,
            "at": at.to_string(),
        }))
    }
}

fn version_number(version: Version) -> u8 {
    match version {
        Version::V3 => 3,
        Version::V5 => 5,
    }
}

fn quality_number(quality: Quality) -> u8 {
    match quality {
        Quality::AtMostOnce => 0,
        Quality::AtLeastOnce => 1,
        Quality::ExactlyOnce => 2,
    }
}

fn quality_of(number: &Value) -> Quality {
    match number.as_u64() {
        Some(1) => Quality::AtLeastOnce,
        Some(2) => Quality::ExactlyOnce,
        _ => Quality::AtMostOnce,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_survives_its_document() {
        let mut headers = HeaderMap::new();
        headers.append("x-key", "one".parse().unwrap());
        headers.append("x-key", HeaderValue::from_bytes("zwei ü".as_bytes()).unwrap());
        let mqtt = MqttParameters { version: Version::V3, quality: Quality::ExactlyOnce };
        let message = Message {
            endpoint: "mqtt://user:secret@broker.example/told".to_owned(),
            headers,
            mqtt: Some(mqtt),
            body: r#"{"metadata":{},"body":{"id":"urn:n:1"}}"#.into(),
            timeout: Some(Duration::from_millis(1_500)),
        };
        let parcel = Parcel::new(&message, Some(Duration::from_secs(3)), Timestamp::now());
        let read = Parcel::from_text(&parcel.to_text()).unwrap();
        assert_eq!(read.message.headers, message.headers);
        assert_eq!(read.message.mqtt, message.mqtt);
        assert_eq!((read.message.timeout, read.cooldown), (message.timeout, parcel.cooldown));
        assert_eq!((&read.message.body, read.since), (&message.body, parcel.since));
        assert!(read.show().is_none());
        let letter = read.given_up(3, "away", Timestamp::now());
        let shown = Parcel::from_text(&letter.to_text()).unwrap().show().unwrap();
        assert_eq!(shown["notification"], json!({ "id": "urn:n:1" }));
        assert_eq!((&shown["attempts"], &shown["reason"]), (&json!(3), &json!("away")));
        assert!(!shown.to_string().contains("secret"));
        assert!(Parcel::from_text("{}").is_none());
    }
}
