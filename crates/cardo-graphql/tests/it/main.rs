//! The GraphQL face as a client sees it, in process over the memory store.

mod bad_input;
mod changes;
mod city;
mod http;
mod lists;
mod nested;
mod schema;
mod socket;
