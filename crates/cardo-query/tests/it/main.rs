//! The crate through its public interface.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;
mod cql2;
mod evaluator;
mod limits;
mod print;
mod q_grammar;
mod q_semantics;
mod selections;
mod speed;
