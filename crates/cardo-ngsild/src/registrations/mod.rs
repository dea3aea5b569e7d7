//! Registrations of context sources as the twin keeps them, and as clients see them (clauses 5.9
//! and 5.10).

mod names;
mod stored;

pub(crate) use names::SourceNames;
pub(crate) use stored::{Given, Stored, read};

/// What the operations on registrations share.
#[derive(Default)]
pub(crate) struct Registry {
    /// Held while a registration is written, so that two that exclude each other are not both taken.
    pub(crate) writing: tokio::sync::Mutex<()>,
}
