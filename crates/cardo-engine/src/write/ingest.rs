use cardo_model::{
    Entity, EntityChange, Instance, InstanceChange, NameId, Timestamp, encode_instance,
};

use super::Revising;
use super::edit::{Edit, stamp};
use crate::operation::{Done, OperationError};

/// What a reading is to the instance that is there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It takes its place.
    Newer,
    /// It says the same.
    Same,
    /// It belongs to the history only.
    Late,
}

impl Reading {
    /// Compares a reading with what is there. Two readings of the same moment that differ: the
    /// first one stays, so that taking a source twice changes nothing.
    pub(crate) fn of(given: &Instance<NameId>, there: &Instance<NameId>) -> Self {
        if given.same_content(there) {
            return Self::Same;
        }
        match (given.observed_at, there.observed_at) {
            (Some(given), Some(there)) if given <= there => Self::Late,
            _ => Self::Newer,
        }
    }
}

impl Revising<'_> {
    /// Applies a reading or a feature from a source.
    pub(super) fn ingest(&mut self, mut entity: Entity<NameId>) -> Result<Done, OperationError> {
        let Ok((slot, old)) = self.find(&entity.id) else {
            return self.create(entity);
        };
        let (seq, id) = (old.view().seq(), old.id());
        let mut edit = Edit::new(slot, old);
        let mut late = Vec::new();
        let mut is_changed = false;
        for attribute in std::mem::take(&mut entity.attributes) {
            for instance in attribute.instances {
                let there = edit.instance(attribute.name, instance.dataset_id.as_ref());
                match there.map_or(Reading::Newer, |there| Reading::of(&instance, &there)) {
                    Reading::Newer => {
                        is_changed = true;
                        edit.put(attribute.name, instance, self.time);
                    }
                    Reading::Same => {}
                    Reading::Late => late.push(late_change(attribute.name, instance, self.time)),
                }
            }
        }
        edit.add_types(&entity.types);
        edit.add_scopes(entity.scopes);
        let before = self.changes.len();
        let done = self.commit(edit)?;
        is_changed |= self.changes.len() > before;
        let has_late = !late.is_empty();
        if has_late {
            let record = self.root.record(slot).cloned();
            self.push(EntityChange::Observed { seq, id, instances: late }, record);
        }
        Ok(match (is_changed, has_late) {
            (true, _) => done,
            (false, true) => Done::HistoryOnly,
            (false, false) => Done::Unchanged,
        })
    }
}

fn late_change(name: NameId, mut instance: Instance<NameId>, time: Timestamp) -> InstanceChange {
    stamp(&mut instance, time);
    InstanceChange { name, was: None, is: Some(encode_instance(&instance)) }
}
