//! The face as its clients see it, over a store in memory.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attributes;
mod bad_input;
mod batch;
mod caching;
mod client;
mod contexts;
mod deliveries;
mod discovery;
mod entities;
mod entity_maps;
mod evolution;
mod federation;
mod hosting;
mod linked;
mod notifications;
mod openapi;
mod ordering;
mod outbox;
mod purge;
mod query;
mod registrations;
mod representation;
mod samples;
mod snapshots;
mod socket;
mod source_subscriptions;
mod stream;
mod subscriptions;
mod temporal;
mod temporal_provision;
mod tenants;
