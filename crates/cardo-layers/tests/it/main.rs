//! Layers as the faces ask them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod files;
mod questions;
mod support;
mod tiles;
