//! Processes that are killed and machines that lose their power while they write: what was
//! acknowledged is there afterwards, and nothing is there by halves.

mod check;
mod disk;
mod failed_sync;
mod kill;
mod power_cut;
mod trace;
mod writer;
