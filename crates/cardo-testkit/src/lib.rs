//! What tests of several crates share, and the tool that makes the fixtures; never part of a product.

pub mod fixtures;
pub mod pmtiles;
pub mod random;
pub mod store_suite;
