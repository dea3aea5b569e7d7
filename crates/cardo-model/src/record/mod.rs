//! The compact form of an entity: one run of bytes, the same in memory, in the log and in the
//! store, read in place.
//!
//! ```text
//! record    = version flags attributes-at seq created [modified revision] [expires] id types scopes
//!             attributes
//! attributes= count (name length instances)*      instances = count (length instance)*
//! instance  = kind flags [created] [modified] [dataset] [observed] [unit] [valueType] [objectTypes]
//!             [expires] value attributes
//! ```
//!
//! Times that say nothing are left out, since pages are made of thousands of records that lie anywhere in memory:
//! `modified` of what never changed, and `created` of an instance that came with its entity. An instance that
//! stands alone has its `created`.
//!
//! Bytes that come from outside a process pass [`Record::from_bytes`], which checks them once;
//! the views behind it rely on that.

mod encode;
mod instance;
mod version_1;
mod view;

use std::fmt;
use std::sync::Arc;

pub use encode::{RecordHeader, decode_instance, encode_instance, splice, without};
pub use instance::{InstanceRef, Instances};
pub use view::{AttributeRef, Attributes, EntityRef, Names32, Scopes, Single};

use crate::{EntityId, NameId};

pub(crate) const VERSION: u8 = 2;

/// A position in a twin's log; each applied request has one, without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision behind this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The order of creation: the revision that created an entity, and its place in that request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seq(u64);

/// How many changes one revision may hold.
pub const MAX_CHANGES_PER_REVISION: u32 = 1 << 20;

impl Seq {
    /// The `ordinal`-th change of `revision`; ordinals stay below [`MAX_CHANGES_PER_REVISION`].
    pub fn new(revision: Revision, ordinal: u32) -> Self {
        Self(revision.0 << 20 | u64::from(ordinal & (MAX_CHANGES_PER_REVISION - 1)))
    }

    /// One integer whose order is the order of creation.
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// The inverse of [`Seq::as_u64`].
    pub fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// The revision in it.
    pub fn revision(self) -> Revision {
        Revision(self.0 >> 20)
    }

    /// The place in the request.
    pub fn ordinal(self) -> u32 {
        u32::try_from(self.0 & u64::from(MAX_CHANGES_PER_REVISION - 1)).unwrap_or(0)
    }
}

/// An entity in compact form; cloning shares the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Record(Arc<[u8]>);

/// Bytes that are no record of a version this program reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRecord {
    /// Written by a newer program.
    #[error("a record of version {0} was written by a newer Cardo; this one reads up to {VERSION}")]
    Version(u8),
    /// Cut or damaged.
    #[error("a record of {0} bytes is damaged")]
    Damaged(usize),
}

impl Record {
    /// Takes bytes from outside and checks that they can be read to their end.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Result<Self, InvalidRecord> {
        let bytes = bytes.into();
        match bytes.first() {
            Some(&VERSION) => {}
            Some(&version_1::VERSION_1) => {
                return version_1::read(&bytes).ok_or(InvalidRecord::Damaged(bytes.len()));
            }
            Some(&other) => return Err(InvalidRecord::Version(other)),
            None => return Err(InvalidRecord::Damaged(0)),
        }
        if !view::is_well_formed(&bytes) {
            return Err(InvalidRecord::Damaged(bytes.len()));
        }
        Ok(Self(bytes))
    }

    /// Reads the record in place.
    #[inline]
    pub fn view(&self) -> EntityRef<'_> {
        EntityRef::new(&self.0)
    }

    /// The bytes, as they are stored.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The entity's id as an owned value.
    pub fn id(&self) -> EntityId {
        EntityId::new(self.view().id()).expect("a record holds the id it was made with")
    }

    /// The names of all attributes.
    pub fn attribute_names(&self) -> impl Iterator<Item = NameId> + '_ {
        self.view().attributes().map(|attribute| attribute.name())
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({}, {} bytes)", self.view().id(), self.0.len())
    }
}

#[cfg(test)]
mod tests;
