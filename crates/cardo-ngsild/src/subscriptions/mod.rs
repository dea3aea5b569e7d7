//! Subscriptions and their notifications (clause 5.8). Each twin that has subscriptions has a desk, which
//! follows its log once for all of them. How far each has come is kept, so that a restart goes on
//! where it stopped.

mod desk;
mod index;
mod keep;
mod lane;
mod letters;
mod matcher;
mod model;
mod notification;
mod options;
mod params;
mod periodic;
mod port;
mod progress;
mod read;
mod registry;
mod run;
mod stored;
mod told;
mod worker;

use std::time::Duration;

pub(crate) use letters::{LETTER_KIND, Letter, forget as forget_letter, prefix as letters_of};
pub(crate) use matcher::{MAX_ENTITIES, Matcher, News};
pub(crate) use model::Subscription;
pub(crate) use notification::{Rendering, envelope};
pub use options::DeliveryOptions;
pub use port::{Courier, DeliveryError, Message, MqttParameters, NoCourier};
pub(crate) use progress::Tally;
pub(crate) use read::text;
pub(crate) use registry::Registry;
pub use run::DeliveryFigures;
pub(crate) use run::{figures, run};
pub(crate) use stored::{Deliveries, FAILURE_REASON, LETTERS_DROPPED, Stored, expand_names};
pub(crate) use worker::try_briefly;

/// The kind of document under which subscriptions are kept in their twin, by id.
pub const SUBSCRIPTION_KIND: &str = "subscription";
/// The kind under which what has come of them is kept.
pub(crate) const STATE_KIND: &str = "subscription-state";

/// The name under which a subscription's position in the log is kept, where it has one of its own.
pub(crate) fn follower_name(id: &str) -> String {
    format!("{FOLLOWER_PREFIX}{id}")
}

const FOLLOWER_PREFIX: &str = "subscription:";
/// The name under which the position of all others is kept.
const DESK_FOLLOWER: &str = "subscriptions";

/// How long to wait before what could not be done is tried again.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(30);
