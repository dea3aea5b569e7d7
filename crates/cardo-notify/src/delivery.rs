//! What is delivered, and how that ended.

use std::time::Duration;

use cardo_egress::mqtt::{Quality, Version};
use cardo_egress::{Bytes, EgressError, HeaderMap, StatusCode, Url};
use thiserror::Error;

/// Bytes for an endpoint, sent by POST or published to a broker.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The URL of the receiver: `http`, `https`, `mqtt` or `mqtts`.
    pub endpoint: String,
    /// Headers, `Content-Type` among them; a broker gets none.
    pub headers: HeaderMap,
    /// How a broker is spoken to.
    pub mqtt: MqttOptions,
    /// The rendered notification.
    pub body: Bytes,
    /// How long one attempt may take, where the subscription says so.
    pub timeout: Option<Duration>,
}

impl Delivery {
    /// The URL of the receiver without what a broker is to know alone.
    pub(crate) fn receiver(&self) -> String {
        match Url::parse(&self.endpoint) {
            Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
                let _ = url.set_password(None);
                let _ = url.set_username("");
                url.into()
            }
            _ => self.endpoint.clone(),
        }
    }
}

/// How a broker is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MqttOptions {
    /// The version of the protocol.
    pub version: Version,
    /// The quality of service.
    pub quality: Quality,
}

/// A delivery that the receiver accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryOutcome {
    /// The 2xx status it answered with; 200 where a broker took the message.
    pub status: StatusCode,
    /// How long that took.
    pub duration: Duration,
}

/// Why a delivery did not arrive.
#[derive(Debug, Error)]
pub enum DeliveryFailure {
    /// The receiver answered that it did not take it.
    #[error("{endpoint} answered {status}")]
    Rejected {
        /// The URL of the receiver.
        endpoint: String,
        /// What it answered.
        status: StatusCode,
        /// How long it asks to wait.
        pause: Option<Duration>,
    },
    /// No answer was had.
    #[error("{endpoint} was not reached: {reason}")]
    Unreached {
        /// The URL of the receiver.
        endpoint: String,
        /// Why.
        #[source]
        reason: EgressError,
    },
    /// The courier stopped before that was decided.
    #[error("stopped before the delivery was decided")]
    Stopped,
}

impl DeliveryFailure {
    /// Whether the same delivery would fail again: the address is not allowed or none, or the
    /// receiver condemned this very message. A receiver that does not know us, or is not there, may
    /// be put right.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Rejected { status, .. } => is_of_the_message(*status),
            Self::Unreached { reason, .. } => !reason.is_transient(),
            Self::Stopped => false,
        }
    }
}

fn is_of_the_message(status: StatusCode) -> bool {
    status.is_client_error()
        && !matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::PAYMENT_REQUIRED
                | StatusCode::FORBIDDEN
                | StatusCode::NOT_FOUND
                | StatusCode::PROXY_AUTHENTICATION_REQUIRED
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::MISDIRECTED_REQUEST
                | StatusCode::LOCKED
                | StatusCode::TOO_EARLY
                | StatusCode::TOO_MANY_REQUESTS
        )
}
