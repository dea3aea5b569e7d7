//! The GraphQL face as a client sees it, in process over the memory store.
#![expect(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking; JSON is written where it is given"
)]

mod aggregates;
mod bad_input;
mod changes;
mod city;
mod http;
mod lists;
mod nested;
mod schema;
mod socket;
mod views;
