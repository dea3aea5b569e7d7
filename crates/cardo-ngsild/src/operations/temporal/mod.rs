//! The temporal evolution of entities (clauses 5.6.11 to 5.6.16, 5.7.3 and 5.7.4).

mod asked;
mod instance;
mod post;
mod provision;
mod query;
mod retrieve;

pub(crate) use instance::{delete_instance, modify_instance};
pub(crate) use post::{post_map, post_query};
pub(crate) use provision::{append, delete, delete_attribute, upsert};
pub(crate) use query::{create_map, query};
pub(crate) use retrieve::retrieve;
