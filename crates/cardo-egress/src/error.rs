//! Why an outgoing request was not answered.

use std::error::Error as StdError;
use std::time::Duration;

use http::StatusCode;
use thiserror::Error;

use crate::address::Refusal;
use crate::mqtt::MqttError;

/// Why an outgoing request was not answered.
#[derive(Debug, Error)]
pub enum EgressError {
    /// The address is not a URL with a host.
    #[error("{url:?} is not a usable address: {reason}")]
    Url {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The URL has another scheme than `http` and `https`.
    #[error("{url:?} is not reached by http or https")]
    Scheme {
        /// As given.
        url: String,
    },
    /// The configuration does not allow the address.
    #[error("refused to connect: {0}")]
    Refused(#[from] Refusal),
    /// The name has no address.
    #[error("the host {host:?} was not found: {reason}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// No connection was established.
    #[error("could not connect to {url}: {reason}")]
    Connect {
        /// Where to.
        url: String,
        /// What happened.
        reason: String,
    },
    /// It took too long.
    #[error("no complete answer from {url} within {} ms", after.as_millis())]
    Timeout {
        /// Where from.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// There were more redirects than are followed.
    #[error("{url} redirects more than {limit} times")]
    TooManyRedirects {
        /// The first address.
        url: String,
        /// How many are followed.
        limit: usize,
    },
    /// A redirect leads nowhere.
    #[error("{url} redirects to {location:?}, which is no address")]
    Redirect {
        /// What was asked.
        url: String,
        /// Where it points.
        location: String,
    },
    /// The body of the response is larger than is accepted.
    #[error("the answer of {url} is larger than {limit} bytes")]
    TooLarge {
        /// What was asked.
        url: String,
        /// How large it may be.
        limit: usize,
        /// The status that the answer began with.
        status: StatusCode,
    },
    /// A broker did not take a message.
    #[error("{broker}: {reason}")]
    Mqtt {
        /// The broker.
        broker: String,
        /// What happened.
        reason: MqttError,
    },
    /// The connection broke, or what came is not HTTP.
    #[error("the exchange with {url} failed: {reason}")]
    Exchange {
        /// With whom.
        url: String,
        /// What happened.
        reason: String,
    },
}

impl EgressError {
    /// Whether the same request may well succeed later: true unless the request itself or the configuration is at fault.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Exchange { .. } => true,
            Self::Mqtt { reason, .. } => !matches!(reason, MqttError::Message(_)),
            Self::Url { .. }
            | Self::Scheme { .. }
            | Self::Refused(_)
            | Self::TooManyRedirects { .. }
            | Self::Redirect { .. }
            | Self::TooLarge { .. } => false,
        }
    }
}

/// The messages of an error and its causes, each once.
pub(crate) fn reasons(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

/// The first error of a kind among an error and its causes. Errors wrapped by `io::Error` count as causes.
pub(crate) fn cause<'a, E: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
