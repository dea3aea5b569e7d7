//! A part of a twin, which shares with the whole of it all that is the same.
//!
//! Records, ids and places stay where they are; those that do not belong are hidden by not being
//! live. So only indexes of types that are cut in two are made anew, and a part of whole types costs
//! a walk over bits.

use std::sync::Arc;

use super::past::Pasts;
use super::root::{ByName, Root, TypeIndex, TypeIndexBuilder};
use super::slot_set::SlotSet;

/// Taking an entity out of an index costs about so many times what putting one into a new index does.
const TAKING_OUT: usize = 8;

impl Root {
    /// The root with which a branch begins that has some of this twin's entities.
    pub(crate) fn part(&self, chosen: &SlotSet) -> Self {
        let mut root = self.branched();
        root.live = self.live.intersection(chosen);
        root.hidden += self.live.len() - root.live.len();
        root.pasts = Pasts::default();
        root.shape += 1;
        let mut types = ByName::default();
        for (name, index) in &*self.types {
            if let Some(part) = root.part_of(index) {
                types.insert(*name, part);
            }
        }
        root.types = Arc::new(types);
        let scopes = self.scopes.iter().map(|(scope, set)| (scope, set.intersection(&root.live)));
        let scopes = scopes.filter(|(_, set)| !set.is_empty());
        root.scopes = Arc::new(scopes.map(|(scope, set)| (scope.clone(), set)).collect());
        root.expiries = self.expiries.kept(|slot| root.live.contains(slot));
        root
    }

    /// The index of those members of a type that are live.
    fn part_of(&self, whole: &Arc<TypeIndex>) -> Option<Arc<TypeIndex>> {
        let members = whole.members.intersection(&self.live);
        let gone = whole.members.len() - members.len();
        if gone == 0 || members.is_empty() {
            return (gone == 0).then(|| whole.clone());
        }
        if gone * TAKING_OUT > members.len() {
            let mut builder = TypeIndexBuilder::default();
            for slot in members.iter() {
                if let Some(record) = self.record(slot) {
                    builder.add(slot, &record.view());
                }
            }
            return Some(Arc::new(builder.build()));
        }
        let mut part = TypeIndex::clone(whole);
        for slot in whole.members.without(&self.live).iter() {
            let record = self.entities.get(slot).as_ref();
            part.update(slot, record, None);
        }
        Some(Arc::new(part))
    }
}
