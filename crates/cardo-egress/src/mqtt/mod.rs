//! MQTT 3.1.1 (OASIS, 2014) and 5 (OASIS, 2019), as far as a twin needs them.
//!
//! One who listens must be able to stop reading while the twin is behind, to acknowledge a message only
//! when it is durable, and to pass over one that is too large without holding it. One who tells must
//! know of each message whether the broker has it. What these need is the whole of this module.

mod address;
mod answers;
mod connection;
mod decode;
mod encode;
mod publisher;

pub use address::{Endpoint, InvalidEndpoint};
pub use answers::{Acknowledged, Answer};
pub use connection::{Connection, Login, MqttError};
pub use decode::{Event, Message};
pub use publisher::{Publication, Publisher};

/// The protocol's version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// 3.1.1.
    V3,
    /// 5.0.
    #[default]
    V5,
}

/// The quality of service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quality {
    /// 0: the broker need not acknowledge it.
    #[default]
    AtMostOnce,
    /// 1: it is acknowledged, and may arrive twice.
    AtLeastOnce,
    /// 2: it is acknowledged in two steps, and arrives once.
    ExactlyOnce,
}

impl Quality {
    pub(crate) fn level(self) -> u8 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
            Self::ExactlyOnce => 2,
        }
    }
}
