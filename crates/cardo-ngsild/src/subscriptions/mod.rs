//! Subscriptions and their notifications (clause 5.8). Each active subscription follows the log of
//! its twin from a position that is kept, so that a restart goes on where it stopped.

mod matcher;
mod model;
mod notification;
mod params;
mod port;
mod read;
mod registry;
mod run;
mod stored;
mod task;
mod told;

pub(crate) use matcher::{MAX_ENTITIES, Matcher, News};
pub(crate) use model::Subscription;
pub(crate) use notification::{Rendering, envelope};
pub use port::{Courier, DeliveryError, Message, MqttParameters, NoCourier};
pub(crate) use read::text;
pub(crate) use registry::Registry;
pub(crate) use run::run;
pub(crate) use stored::{Deliveries, Stored, expand_names};

/// The kind of document under which subscriptions are kept in their twin, by id.
pub const SUBSCRIPTION_KIND: &str = "subscription";
/// The kind under which what has come of them is kept.
pub(crate) const STATE_KIND: &str = "subscription-state";

/// The name under which a subscription's position in the log is kept.
pub(crate) fn follower_name(id: &str) -> String {
    format!("{FOLLOWER_PREFIX}{id}")
}

pub(crate) const FOLLOWER_PREFIX: &str = "subscription:";
