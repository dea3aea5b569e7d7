//! The OGC API face as a client sees it, in process over the memory store.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod aggregates;
mod bad_input;
mod capabilities;
mod client;
mod collections;
mod crs;
mod edit;
mod encodings;
mod filters;
mod habits;
mod heights;
mod items;
mod json_fg;
mod kept_tiles;
mod large;
mod pages;
mod references;
mod rings;
mod schemas;
mod shown;
mod sorting;
mod tenants;
mod tile_reader;
mod tiles;
mod tilesets;
