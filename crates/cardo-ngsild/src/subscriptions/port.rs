use std::time::Duration;

use async_trait::async_trait;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use cardo_egress::mqtt::{Quality, Version};

/// Takes notifications to their receivers; the server gives one that passes the egress gate.
#[async_trait]
pub trait Courier: Send + Sync + 'static {
    /// Tries once to deliver a message, and says how that ended.
    async fn deliver(&self, message: Message) -> Result<StatusCode, DeliveryError>;
}

/// A notification, ready to be sent by POST or to be published.
#[derive(Debug, Clone)]
pub struct Message {
    /// The URL of the receiver, or the topic of a broker (clause 7.2).
    pub endpoint: String,
    /// Headers, `Content-Type` among them; a broker gets them in the body.
    pub headers: HeaderMap,
    /// How the broker is spoken to, where the receiver is one.
    pub mqtt: Option<MqttParameters>,
    /// The body.
    pub body: Bytes,
    /// How long the receiver may take, where the subscription says so (clause 5.2.15).
    pub timeout: Option<Duration>,
}

/// How a broker is spoken to (table 7.2-1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MqttParameters {
    /// `MQTT-Version`.
    pub version: Version,
    /// `MQTT-QoS`.
    pub quality: Quality,
}

/// Why a message did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The receiver was not reached, or did not take it.
    #[error("{reason}")]
    Failed {
        /// What happened.
        reason: String,
        /// Whether it would end so again.
        is_final: bool,
        /// How long the receiver asks to wait.
        pause: Option<Duration>,
    },
    /// The courier was stopped before that was decided; the same message is due again.
    #[error("stopped before the delivery was decided")]
    Stopped,
}

/// Delivers nothing: every message fails.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCourier;

#[async_trait]
impl Courier for NoCourier {
    async fn deliver(&self, _: Message) -> Result<StatusCode, DeliveryError> {
        let reason = "this server delivers no notifications".to_owned();
        Err(DeliveryError::Failed { reason, is_final: true, pause: None })
    }
}
