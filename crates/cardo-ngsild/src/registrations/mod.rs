//! Registrations of context sources as the twin keeps them, and as clients see them (clauses 5.9
//! and 5.10), and subscriptions to them (clause 5.11).

mod clock;
mod names;
mod registry;
mod run;
mod stored;
mod subscribed;
mod told;
mod watch;

pub(crate) use names::SourceNames;
pub(crate) use registry::Registry;
pub(crate) use run::run;
pub(crate) use stored::{Given, Stored, read};
pub(crate) use subscribed::Subscribed;
pub(crate) use watch::counted;

/// The kind of document under which subscriptions to registrations are kept in their twin, by id.
pub(crate) const SUBSCRIPTION_KIND: &str = "registration-subscription";
/// The kind under which what has come of them is kept.
pub(crate) const SUBSCRIPTION_STATE_KIND: &str = "registration-subscription-state";
/// The kind under which is kept of which registrations their subscribers know.
pub(crate) const TOLD_KIND: &str = "registration-subscription-told";

const SUBSCRIPTION_POSITION: &str = "registration-subscription:";

/// The name of a position in the log, by which a later run of the server finds a subscription.
pub(crate) fn position_name(id: &str) -> String {
    format!("{SUBSCRIPTION_POSITION}{id}")
}

/// The same for twins with registrations that have an end.
pub(crate) const EXPIRY_POSITION: &str = "registrations-with-an-end";
