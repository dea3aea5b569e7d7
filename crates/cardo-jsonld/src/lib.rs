//! What NGSI-LD needs of JSON-LD: contexts as term maps, and with them the expansion and
//! compaction of names and of values (ETSI GS CIM 009, clauses 4.4 and 5.5.7).
//!
//! This is no general JSON-LD processor. An entity has a known shape, so a binding reads and
//! writes it itself and asks a [`Context`] only what a name means. Nothing here does I/O:
//! [`ContextBuilder`] says which documents it needs and whoever drives it fetches them.
//!
//! Invariants: the core context has precedence in both directions; what `compact_iri` gives
//! expands to the same IRI again; a context that failed is an error and never an empty context.

mod builder;
mod cache;
mod context;
mod core_context;
mod definition;
mod error;
mod iri;
mod term;
mod value;

pub use builder::{ContextBuilder, Document, Limits, Step};
pub use cache::{CacheLimits, ContextCache};
pub use context::Context;
pub use core_context::{CORE_CONTEXT_URL, CoreVersion, DEFAULT_VOCAB};
pub use error::ContextError;
pub use term::{Coercion, Containers, TermDefinition};
pub use value::{
    ExpandedValue, ValueError, compact_value, compact_vocab, expand_value, expand_vocab,
};
