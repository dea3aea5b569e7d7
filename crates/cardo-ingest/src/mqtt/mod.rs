//! MQTT 3.1.1 (OASIS, 2014) as far as one who listens needs it.
//!
//! A source must be able to stop reading while the twin is behind, to acknowledge a message only
//! when it is durable, and to pass over one that is too large without holding it. What these need
//! is the whole of this module; messages are never sent.

mod connection;
mod decode;
mod encode;
mod topic;

pub(crate) use connection::{Connection, Login, MqttError};
pub(crate) use decode::{Event, Message};
pub(crate) use topic::{InvalidTopic, TopicPattern};
