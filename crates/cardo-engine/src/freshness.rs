//! Whether what was made of a part of a twin is still what it would be: what is kept of maps asks.

use std::sync::Arc;

use cardo_model::{NameId, Revision};
use cardo_spatial::Aabb;

use crate::caller::Caller;
use crate::engine::Engine;
use crate::live::Touched;
use crate::snapshot::Snapshot;

/// Tells, coarsely, which places of a twin were written to behind a revision.
#[derive(Clone)]
pub struct Freshness(Arc<Touched>);

impl Freshness {
    /// A number that no other twin has had, nor this one when it was loaded before.
    pub fn id(&self) -> u64 {
        self.0.id()
    }

    /// Whether no entity of a type has come, gone or changed within some boxes behind a revision,
    /// up to the snapshots that there are. That it may have, where it has not, can be.
    pub fn is_untouched(&self, type_id: NameId, boxes: &[Aabb], since: Revision) -> bool {
        !self.0.may_have_changed(type_id, boxes, since)
    }
}

impl Engine {
    /// The twin of the caller as it is now, where it is loaded, and what tells which of its places
    /// were written to.
    pub fn snapshot_with_freshness(&self, caller: &Caller) -> Option<(Snapshot, Freshness)> {
        let twin = self.inner().loaded(&caller.twin)?;
        let freshness = Freshness(twin.touched().clone());
        // The snapshot comes second: what it shows is marked.
        Some((self.inner().snapshot_of(&twin, caller), freshness))
    }
}
