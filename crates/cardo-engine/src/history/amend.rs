use std::collections::HashMap;

use cardo_model::{Amendment, InstanceRef, Iri, NameId, Revision};

use crate::ports::{HistoryEvent, HistoryRow};

/// A place in the log, as far as history goes.
type Place = (Revision, u32);
type Series = (NameId, Option<Box<str>>);
/// When it was put right, and what it says now.
type Replacement = (Place, Option<Box<[u8]>>);

/// What was put right in an entity's history, or taken out of it.
#[derive(Debug, Default)]
pub struct Amendments {
    everything: Option<Place>,
    attributes: HashMap<NameId, Place>,
    datasets: HashMap<Series, Place>,
    instances: HashMap<(Series, Place), Replacement>,
}

impl Amendments {
    /// Takes the amendments out of the rows.
    pub fn take(rows: &mut Vec<HistoryRow>) -> Self {
        let mut all = Self::default();
        rows.retain(|row| {
            if let HistoryEvent::Amended(amendment) = &row.event {
                all.add((row.revision, row.ordinal), amendment);
            }
            !matches!(row.event, HistoryEvent::Amended(_))
        });
        all
    }

    fn add(&mut self, at: Place, amendment: &Amendment) {
        let later = |known: &mut Place| *known = (*known).max(at);
        match amendment {
            Amendment::Everything => self.everything = self.everything.max(Some(at)),
            Amendment::Attribute(name) => {
                self.attributes.entry(*name).and_modify(later).or_insert(at);
            }
            Amendment::Dataset { name, dataset_id } => {
                let series = series(*name, dataset_id.as_ref().map(Iri::as_str));
                self.datasets.entry(series).and_modify(later).or_insert(at);
            }
            Amendment::Instance { name, dataset_id, revision, ordinal, is } => {
                let series = series(*name, dataset_id.as_ref().map(Iri::as_str));
                let known = self.instances.entry((series, (*revision, *ordinal)));
                let known = known.or_insert_with(|| (at, is.clone()));
                if known.0 < at {
                    *known = (at, is.clone());
                }
            }
        }
    }

    /// Whether the whole of a row was taken away.
    pub(super) fn forgets(&self, row: &HistoryRow) -> bool {
        self.everything.is_some_and(|at| at > (row.revision, row.ordinal))
    }

    /// Whether instances of an attribute may be put right or gone.
    pub fn touches(&self, name: NameId) -> bool {
        self.everything.is_some()
            || self.attributes.contains_key(&name)
            || self.datasets.keys().any(|(other, _)| *other == name)
            || self.instances.keys().any(|((other, _), _)| *other == name)
    }

    /// Puts an instance's row right; false where it is gone.
    pub(super) fn apply(&self, row: &mut HistoryRow) -> bool {
        let (name, dataset) = match &row.event {
            HistoryEvent::Instance { name, instance } => {
                let instance = InstanceRef::from_bytes(instance);
                (*name, instance.and_then(|i| i.dataset_id()).map(Box::from))
            }
            HistoryEvent::InstanceDeleted { name, dataset_id } => {
                (*name, dataset_id.as_ref().map(|id| id.as_str().into()))
            }
            _ => return true,
        };
        if self.attributes.is_empty() && self.datasets.is_empty() && self.instances.is_empty() {
            return true;
        }
        let place = (row.revision, row.ordinal);
        let is_gone = |at: Option<&Place>| at.is_some_and(|at| *at > place);
        let series = (name, dataset);
        if is_gone(self.attributes.get(&name)) || is_gone(self.datasets.get(&series)) {
            return false;
        }
        match self.instances.get(&(series, place)) {
            None => true,
            Some((_, None)) => false,
            Some((_, Some(is))) => {
                if let Some(instance) = InstanceRef::from_bytes(is) {
                    row.time = instance.time();
                }
                row.event = HistoryEvent::Instance { name, instance: is.clone() };
                true
            }
        }
    }
}

fn series(name: NameId, dataset: Option<&str>) -> Series {
    (name, dataset.map(Box::from))
}
