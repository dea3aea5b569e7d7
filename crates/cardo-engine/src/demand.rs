//! Ordered indexes and columns that are built where questions keep asking for them.

use std::sync::Arc;

use cardo_model::AttributeRef;

use crate::engine::Inner;
use crate::live::{NumberIndex, Root, TextIndex};
use crate::plan::{IndexSort, Wanted};
use crate::sequencer::Command;
use crate::twin::Twin;

/// How often an index has to be missed before it is built.
const ASKS: u32 = 3;
/// Types smaller than this are scanned.
const SMALLEST: usize = 256;
/// About what one entry of an index takes, in bytes.
const ENTRY_BYTES: usize = 32;

/// An index with the root that it was built of.
pub(crate) struct BuiltIndex {
    wanted: Wanted,
    root: Arc<Root>,
    index: Index,
}

enum Index {
    Numbers(NumberIndex),
    Texts(TextIndex),
}

/// Notes that indexes were missed, and builds those that were missed often enough, beside all
/// other work.
pub(crate) fn missed(inner: &Arc<Inner>, twin: &Arc<Twin>, wanted: &[Wanted]) {
    for wanted in wanted {
        let root = twin.root.load_full();
        let Some(index) = root.attribute_index(wanted.type_name, wanted.attribute) else {
            continue;
        };
        let len = index.present.len();
        if len < SMALLEST {
            continue;
        }
        {
            let mut asks = twin.asks.lock();
            let count = asks.entry(*wanted).or_default();
            *count = count.saturating_add(1);
            if *count != ASKS {
                continue;
            }
        }
        if !inner.reserve_index_bytes(len * ENTRY_BYTES) {
            tracing::info!(?wanted, entries = len, "index not built: the budget is used up");
            continue;
        }
        let (wanted, twin, commands) = (*wanted, twin.clone(), inner.commands.clone());
        tokio::task::spawn_blocking(move || {
            let built = build(wanted, root);
            let _ = commands.blocking_send(Command::Install { twin, built });
        });
    }
}

pub(crate) fn build(wanted: Wanted, root: Arc<Root>) -> BuiltIndex {
    let index = {
        let present = root.attribute_index(wanted.type_name, wanted.attribute);
        let slots = present.into_iter().flat_map(|index| index.present.iter());
        let attributes = slots.filter_map(|slot| Some((slot, attribute(&root, slot, wanted)?)));
        match wanted.sort {
            IndexSort::Numbers => Index::Numbers(NumberIndex::build(attributes)),
            IndexSort::Texts => Index::Texts(TextIndex::build(attributes)),
        }
    };
    BuiltIndex { wanted, root, index }
}

fn attribute(root: &Root, slot: u32, wanted: Wanted) -> Option<AttributeRef<'_>> {
    let view = root.record(slot)?.view();
    if !view.types().any(|name| name == wanted.type_name) {
        return None;
    }
    view.attribute(wanted.attribute)
}

impl Root {
    /// Brings in an index that was built of an earlier root, after catching up with what was
    /// written since.
    pub(crate) fn install(&mut self, built: &BuiltIndex) {
        let BuiltIndex { wanted, root: before, index } = built;
        if self.lineage != before.lineage {
            return;
        }
        let changed = self.changed_slots(before);
        let now = self.clone();
        let Some(target) = self.attribute_index_mut(wanted.type_name, wanted.attribute) else {
            return;
        };
        let changes = changed
            .into_iter()
            .map(|slot| (slot, attribute(before, slot, *wanted), attribute(&now, slot, *wanted)));
        match index {
            Index::Numbers(index) => {
                let mut index = index.clone();
                changes.for_each(|(slot, old, new)| index.update(slot, old.as_ref(), new.as_ref()));
                target.numbers = Some(index);
            }
            Index::Texts(index) => {
                let mut index = index.clone();
                changes.for_each(|(slot, old, new)| index.update(slot, old.as_ref(), new.as_ref()));
                target.texts = Some(index);
            }
        }
    }
}
