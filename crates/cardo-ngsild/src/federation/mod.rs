//! Context sources over HTTP (clauses 4.3.6 and 6.3.17 to 6.3.19).
//!
//! ```text
//! request ─ reach.rs ─ engine ─ sources.rs ─ read.rs  (what is asked, as a request)
//!                                           write.rs, body.rs (what is changed, likewise)
//!           (how far)  (which               answer.rs (what comes, as entities)
//!                       sources)            sender.rs (one exchange, through the gate)
//! answer  ─ warning.rs (what did not come)
//! ```

mod answer;
mod body;
mod cache;
mod changes;
mod discovered;
mod reach;
mod read;
mod sender;
mod sources;
pub(crate) mod subscriptions;
mod warning;
mod write;

pub(crate) use answer::dates;
pub(crate) use reach::datasets_of;
pub(crate) use sender::Sending;
pub(crate) use sources::{Sent, Sources};
pub(crate) use warning::warned;
