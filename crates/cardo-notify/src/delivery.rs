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
    /// How long the last attempt took.
    pub duration: Duration,
    /// How many attempts there were.
    pub attempts: u32,
}

/// Why a delivery did not arrive.
#[derive(Debug, Error)]
pub enum DeliveryFailure {
    /// The receiver answered that it does not want it.
    #[error("{endpoint} answered {status} after {attempts} attempts")]
    Rejected {
        /// The URL of the receiver.
        endpoint: String,
        /// What it answered last.
        status: StatusCode,
        /// How many attempts there were.
        attempts: u32,
    },
    /// No answer was had.
    #[error("{endpoint} was not reached in {attempts} attempts: {reason}")]
    Unreached {
        /// The URL of the receiver.
        endpoint: String,
        /// How many attempts there were.
        attempts: u32,
        /// Why the last one failed.
        #[source]
        reason: EgressError,
    },
    /// The courier stopped before the delivery had succeeded or failed.
    #[error("stopped before the delivery was decided")]
    Stopped,
}

impl DeliveryFailure {
    /// Whether the delivery is given up. False where the courier was stopped: the same delivery is due again.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Rejected { .. } | Self::Unreached { .. } => true,
            Self::Stopped => false,
        }
    }

    /// The status that the receiver answered with last, if it answered.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Rejected { status, .. } => Some(*status),
            Self::Unreached { .. } | Self::Stopped => None,
        }
    }
}
