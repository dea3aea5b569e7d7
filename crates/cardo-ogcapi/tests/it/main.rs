//! The OGC API face as a client sees it, in process over the memory store.

mod bad_input;
mod capabilities;
mod client;
mod collections;
mod items;
mod pages;
mod tenants;
