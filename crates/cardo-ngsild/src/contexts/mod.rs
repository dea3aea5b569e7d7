//! Where the `@context` of a request comes from, and how it gets here.

mod loader;
mod of_request;
mod store;

pub use loader::{ContextLoader, ContextUnavailable, LoadedContext, NoContextLoader};
pub(crate) use of_request::{BodyContext, body_kind, link_context};
pub use store::{CONTEXT_KIND, context_operation};
pub(crate) use store::{ContextFault, Contexts};
