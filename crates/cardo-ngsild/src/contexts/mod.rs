//! Where the `@context` of a request comes from, how it gets here, and how contexts are hosted
//! (clause 5.13).

mod cached;
mod download;
mod hosted;
mod loader;
mod of_request;
mod place;
mod store;
mod usage;

pub(crate) use cached::Cached;
pub(crate) use hosted::{Hosted, StoredKind, removal};
pub use loader::{ContextLoader, ContextUnavailable, LoadedContext, NoContextLoader};
pub(crate) use of_request::{BodyContext, body_kind, link_context};
pub(crate) use place::{CONTEXTS, Place, local_id, url_of};
pub use store::{CONTEXT_KIND, context_operation};
pub(crate) use store::{ContextFault, Contexts, Stored};
