//! The store ports of the engine: [`SqliteStore`] keeps twins in a directory, [`MemoryStore`] in
//! memory.
//!
//! The log comes first and state and history follow it. The test suite of `cardo-testkit` holds
//! both stores to the same words of the port.

mod bytes;
mod check;
mod history;
mod memory;
mod sqlite;

pub use memory::MemoryStore;
pub use sqlite::{SqliteOptions, SqliteStore};
