//! What the engine promises, over the memory store.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod aggregate;
mod branches;
mod common;
mod follow;
mod history;
mod links;
mod moment;
mod order;
mod registrations;
mod tables;
mod times;
mod twin;
