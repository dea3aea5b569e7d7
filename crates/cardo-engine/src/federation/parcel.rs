//! The port to context sources, for what is written: what they are told, and what comes of it.

use std::sync::Arc;

use cardo_model::Iri;

use super::operations::SourceOperation;
use super::reach::Forwarding;
use super::registration::Registration;
use super::sources::SourceFault;
use crate::operation::{Done, Operation, OperationError};

/// Operations for one source, within what is registered of it (clause 4.3.6.1).
#[derive(Clone, Debug)]
pub struct SourceWrite<'a> {
    /// The source.
    pub registration: &'a Registration,
    /// On behalf of which call.
    pub forwarding: &'a Forwarding,
    /// By which operation they are told: all with one request where it is a batch, else each by
    /// itself.
    pub operation: SourceOperation,
    /// The operations, in order.
    pub operations: Vec<&'a Operation>,
}

/// What a source did with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It created the entity.
    Created,
    /// It changed or deleted something.
    Changed,
}

/// What came of an operation in which context sources have a part.
#[derive(Clone, Debug)]
pub struct Distributed {
    /// What came of it in the twin; none where nothing of it is for the twin.
    pub local: Option<Result<Done, OperationError>>,
    /// What came of it elsewhere, a part a source.
    pub parts: Vec<Part>,
}

/// The part of one source in an operation.
#[derive(Clone, Debug)]
pub struct Part {
    /// The registration.
    pub registration: Iri,
    /// Whether the twin has none of it itself (clause 4.3.6.3).
    pub is_proxied: bool,
    /// The attributes that were its part, in their order.
    pub attributes: Vec<Iri>,
    /// What came of it.
    pub result: Result<Written, PartFault>,
}

/// Why a source did not do its part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartFault {
    /// It alone has what is to be changed, and does not take the operation.
    #[error("the source does not take the operation")]
    NotTaken,
    /// It is known, but did not do it.
    #[error("{0}")]
    Source(#[from] SourceFault),
}

impl Part {
    /// Whether an attribute is its own, and not the twin's.
    pub fn takes(&self, name: &Iri) -> bool {
        self.is_proxied && self.attributes.contains(name)
    }
}

impl Distributed {
    /// One result for all parts: what came of it in the twin or else at the sources, or what went
    /// wrong first.
    pub fn whole(&self, fallback: Done) -> Result<Done, OperationError> {
        let failed = self.parts.iter().find_map(|part| match &part.result {
            Err(fault) => Some((part.registration.clone(), fault.clone())),
            Ok(_) => None,
        });
        match (&self.local, failed) {
            (Some(Err(error)), _) => Err(error.clone()),
            (_, Some((registration, fault))) => {
                Err(OperationError::OfSource { registration, fault: Arc::new(fault) })
            }
            (Some(Ok(done)), None) => Ok(done.clone()),
            (None, None) => Ok(fallback),
        }
    }

    /// Whether every part succeeded.
    pub fn is_whole(&self) -> bool {
        !matches!(self.local, Some(Err(_))) && self.parts.iter().all(|part| part.result.is_ok())
    }

    /// Whether no part succeeded.
    pub fn has_failed(&self) -> bool {
        !matches!(self.local, Some(Ok(_))) && self.parts.iter().all(|part| part.result.is_err())
    }
}
