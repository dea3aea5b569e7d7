//! The root of a past twin, out of that of now and of what its entities were.

use std::collections::HashMap;

use cardo_model::{Record, Revision, Seq, Timestamp};

use super::fold::{Was, unexpired};
use crate::live::Root;

/// What entities take in slots and indexes, about.
const BESIDE: usize = 300;
/// Where more than one in so many entities was another, building anew costs less than going back.
const FEW: usize = 4;

/// Entities that may have been others at a moment.
pub(super) struct Changed {
    pub(super) ids: Vec<Box<str>>,
    /// The last revision of those that were what they are.
    pub(super) revision: Revision,
}

/// A root, and about how many bytes it keeps beside that of now.
pub(super) struct Built {
    pub(super) root: Root,
    pub(super) bytes: usize,
}

impl Changed {
    /// Those that were written to since, and all that were ever deleted.
    pub(super) fn since(root: &Root, moment: Timestamp) -> Self {
        let mut changed = Self { ids: Vec::new(), revision: Revision(0) };
        for record in root.live.iter().filter_map(|slot| root.record(slot)) {
            let view = record.view();
            if view.modified_at() > moment {
                changed.ids.push(view.id().into());
            } else {
                changed.revision = changed.revision.max(view.revision());
            }
        }
        let is_gone = |id: &str| root.slot(id).is_none();
        let gone = root.pasts.iter().filter(|(id, _)| is_gone(id));
        changed.ids.extend(gone.map(|(id, _)| Box::from(&**id)));
        changed
    }
}

/// Goes back from a root to what its entities were.
pub(super) fn build(
    seed: u64,
    now: &Root,
    were: HashMap<Box<str>, Was>,
    changed: Revision,
    moment: Timestamp,
) -> Built {
    let revision = were.values().map(|was| was.revision).fold(changed, Revision::max);
    let is_few = were.len() <= now.live.len() / FEW;
    let back = if is_few { go_back(now, &were) } else { None };
    let mut built = back.unwrap_or_else(|| build_anew(seed, now, were));
    take_expired(&mut built.root, moment);
    built.root = built.root.into_past(now, revision);
    built
}

/// Changes what was another in a copy that shares the rest. None where an entity has no slot any more.
fn go_back(now: &Root, were: &HashMap<Box<str>, Was>) -> Option<Built> {
    let mut built = Built { root: now.clone(), bytes: 0 };
    let root = &mut built.root;
    let mut ordered: Vec<(&Box<str>, &Was)> = were.iter().collect();
    ordered.sort_unstable_by_key(|(id, _)| *id);
    for (id, was) in ordered {
        let slot = root.slot(id);
        let seq = was.record.as_ref().map(|record| record.view().seq());
        let is_other = |slot: u32| root.record(slot).map(|record| record.view().seq()) != seq;
        if let Some(slot) = slot.filter(|slot| is_other(*slot)) {
            root.delete(slot);
        }
        let Some(record) = &was.record else { continue };
        built.bytes += record.as_bytes().len() + BESIDE;
        let slot = root.slot_of(record.view().seq())?;
        if root.record(slot).is_some() {
            root.replace(slot, record.clone());
        } else {
            root.restore(slot, record.clone());
        }
    }
    Some(built)
}

fn build_anew(seed: u64, now: &Root, were: HashMap<Box<str>, Was>) -> Built {
    let mut records: Vec<(Seq, Record)> = Vec::with_capacity(now.live.len());
    let same = now.live.iter().filter_map(|slot| now.record(slot));
    let same = same.filter(|record| !were.contains_key(record.view().id()));
    records.extend(same.map(|record| (record.view().seq(), record.clone())));
    let mut bytes = 0;
    for record in were.into_values().filter_map(|was| was.record) {
        bytes += record.as_bytes().len();
        records.push((record.view().seq(), record));
    }
    records.sort_unstable_by_key(|(seq, _)| *seq);
    bytes += records.len() * BESIDE;
    Built { root: Root::build(seed, records.into_iter().map(|(_, record)| record)), bytes }
}

/// What had expired is taken away some time later, and counts as gone from its end on.
fn take_expired(root: &mut Root, moment: Timestamp) {
    while let Some((end, slot)) = root.next_expiry()
        && end <= moment
        && let Some(record) = root.record(slot).cloned()
    {
        match unexpired(record, moment) {
            Some(record) => root.replace(slot, record),
            None => root.delete(slot),
        }
    }
}
