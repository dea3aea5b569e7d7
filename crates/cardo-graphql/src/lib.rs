//! The GraphQL face of a twin: a schema made from the types that live in it, questions, changes
//! and subscriptions over HTTP and WebSocket, at `/graphql`.
//!
//! ```text
//! request ─ http.rs, websocket/ ─ limits/ ─ schema/ ─ resolve/* ─ engine
//!             (who asks,           (depth,   (types of  (one call of the
//!              GraphQL over HTTP)    cost)    the twin)  engine a level)
//! ```
//!
//! For every type of the twin, here `Tree`, there are:
//!
//! | what | name |
//! |---|---|
//! | one entity, many | `tree(id)`, `treeList(first, after, last, before, filter, orderBy)` |
//! | where others point here | `{type}By{Attribute}`, such as `District.treeByLocatedIn` |
//! | ids of a relationship | `{field}__ids` beside the nested object |
//! | changes | `createTree`, `mergeTree`, `replaceTree`; `deleteEntity` for all |
//! | news | `treeChanged(filter, on)`, `treeFence(area, near, filter, on)` |
//!
//! Layers from files, here `buildings`, have `buildings(id)` and `buildingsList(…)` with the same
//! arguments, and `node(id)`; they are never written, followed or counted up. Conditions and orders that
//! would have more than a bounded number of features read are refused.
//!
//! Lists of cells alone are answered by `plan.rs` once their document was found valid.
//!
//! A name that is taken already gets `_` behind it; those of types are given before those of layers.

mod cursor;
mod documents;
mod face;
mod fault;
mod filter;
mod graphiql;
mod http;
mod limits;
mod model;
mod mutate;
mod options;
mod plan;
mod resolve;
mod run;
mod schema;
mod session;
mod subscribe;
mod value;
mod websocket;

pub use face::{BASE, router, sdl};
pub use options::{GraphqlLimits, GraphqlOptions};
