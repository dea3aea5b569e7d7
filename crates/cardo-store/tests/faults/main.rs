//! Processes that are killed and machines that lose their power while they write: what was
//! acknowledged is there afterwards, and nothing is there by halves.
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it has to be")]

mod check;
mod disk;
mod failed_sync;
mod kill;
mod power_cut;
mod trace;
mod writer;
