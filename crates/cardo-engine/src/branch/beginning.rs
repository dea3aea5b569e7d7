//! Which entities a branch began with that is a part of its parent, as their histories tell it: only of
//! these the history of the parent is that of the branch as well.

use cardo_model::Revision;
use hashbrown::HashMap;

use crate::live::Root;
use crate::ports::{HistoryEvent, HistoryRow};

/// What is known of entities of a branch, out of what they are and of what was noted of them since.
pub(crate) struct Beginning<'r> {
    root: &'r Root,
    firsts: HashMap<Box<str>, First>,
}

/// What happened first to an entity as a whole.
struct First {
    place: (Revision, u32),
    /// In which revision it was created; none where it was deleted, so that it was there before.
    created: Option<Revision>,
}

impl<'r> Beginning<'r> {
    /// Nothing is noted yet of the entities of a branch.
    pub(crate) fn of(root: &'r Root) -> Self {
        Self { root, firsts: HashMap::new() }
    }

    /// Takes in what happened in the branch.
    pub(crate) fn note(&mut self, row: &HistoryRow) {
        let created = match &row.event {
            HistoryEvent::Entity(record) => Some(record.view().seq().revision()),
            HistoryEvent::Deleted => None,
            _ => return,
        };
        let first = First { place: (row.revision, row.ordinal), created };
        let id = row.entity.as_str();
        if self.firsts.get(id).is_none_or(|known| first.place < known.place) {
            self.firsts.insert(id.into(), first);
        }
    }

    /// Whether an entity was there at the revision where the branch began.
    pub(crate) fn has(&self, id: &str, begin: Revision) -> bool {
        if let Some(first) = self.firsts.get(id) {
            return first.created.is_none_or(|created| created <= begin);
        }
        let live = self.root.slot(id).and_then(|slot| self.root.record(slot));
        let seq = live.map(|record| record.view().seq());
        let seq = seq.or_else(|| self.root.pasts.get(id).map(|past| past.seq));
        seq.is_some_and(|seq| seq.revision() <= begin)
    }
}
