//! What the store on SQLite does beyond the port: directories, damage, full disks, compaction.
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it has to be")]

mod compaction;
mod damage;
mod forgotten;
mod full;
mod reopen;
mod support;
