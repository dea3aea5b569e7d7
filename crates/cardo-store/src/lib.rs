//! The store ports of the engine on SQLite and on memory.

mod bytes;
mod check;
mod history;
mod memory;

pub use memory::MemoryStore;
