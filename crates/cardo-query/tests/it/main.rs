//! The crate through its public interface.

mod common;
mod q_semantics;
