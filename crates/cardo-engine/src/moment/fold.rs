//! What an entity was at a moment, out of the rows of its history in whatever order they come.
//!
//! The place of a row in the log decides what came later, when it was written whether it counts: a
//! row is part of what the entity was where the server had written it by the moment, whatever time it
//! is about. A whole record takes the place of all before it, an instance that of the instance before
//! it with the same attribute and dataset. What the Temporal API or a source brought for the history
//! alone is no part of it, and what was put right or taken out of a history since is put right or
//! gone here too.

use std::collections::HashMap;

use cardo_model::{
    EntityChange, EntityId, InstanceChange, InstanceRef, Iri, NameId, Record, Revision, Timestamp,
};

use crate::ports::{HistoryEvent, HistoryRow, HistorySink, Tells};

type Place = (Revision, u32);
type Series = (NameId, Option<Box<str>>);
/// Where and when something was written, and what; none where it was deleted.
type Written<T> = (Place, Timestamp, Option<T>);

/// What is known of one entity so far.
#[derive(Default)]
pub(super) struct Fold {
    whole: Option<Written<Record>>,
    series: HashMap<Series, Written<Box<[u8]>>>,
    /// Whether rows have to be put right first.
    pub(super) is_amended: bool,
    earliest_creation: Option<Timestamp>,
    last_whole: Option<Place>,
    deletions: Vec<(Place, Timestamp)>,
}

/// What is known of many entities so far.
pub(super) struct Folds {
    moment: Timestamp,
    up_to: Revision,
    pub(super) of: HashMap<Box<str>, Fold>,
}

/// What an entity was at a moment, and the last revision that made it so.
pub(super) struct Was {
    pub(super) record: Option<Record>,
    pub(super) revision: Revision,
}

impl Folds {
    /// None of these is known yet.
    pub(super) fn new(
        wanted: impl Iterator<Item = Box<str>>,
        moment: Timestamp,
        up_to: Revision,
    ) -> Self {
        Self { moment, up_to, of: wanted.map(|id| (id, Fold::default())).collect() }
    }
}

impl HistorySink for Folds {
    fn wants(&self, entity: &str) -> bool {
        self.of.contains_key(entity)
    }

    fn take(&mut self, entity: &EntityId, rows: Vec<HistoryRow>) {
        let Some(fold) = self.of.get_mut(entity.as_str()) else { return };
        for row in rows.into_iter().filter(|row| row.revision <= self.up_to) {
            fold.take(row, self.moment);
        }
    }
}

impl Fold {
    pub(super) fn of(rows: Vec<HistoryRow>, moment: Timestamp) -> Self {
        let mut fold = Self::default();
        for row in rows {
            fold.take(row, moment);
        }
        fold
    }

    fn take(&mut self, row: HistoryRow, moment: Timestamp) {
        let place = (row.revision, row.ordinal);
        self.note(&row, place);
        if row.written > moment || row.tells == Tells::History {
            return;
        }
        match row.event {
            HistoryEvent::Entity(record) => self.put_whole(place, row.written, Some(record)),
            HistoryEvent::Deleted => self.put_whole(place, row.written, None),
            HistoryEvent::Instance { name, instance } => {
                let read = InstanceRef::from_bytes(&instance);
                let dataset = read.and_then(|instance| instance.dataset_id()).map(Box::from);
                self.put((name, dataset), place, row.written, Some(instance));
            }
            HistoryEvent::InstanceDeleted { name, dataset_id } => {
                let dataset = dataset_id.as_ref().map(|id| Iri::as_str(id).into());
                self.put((name, dataset), place, row.written, None);
            }
            HistoryEvent::Head(_) | HistoryEvent::Amended(_) => {}
        }
    }

    fn note(&mut self, row: &HistoryRow, place: Place) {
        match &row.event {
            HistoryEvent::Amended(_) => self.is_amended = true,
            HistoryEvent::Entity(record) => {
                let created = record.view().created_at();
                let earliest = self.earliest_creation.map_or(created, |known| known.min(created));
                self.earliest_creation = Some(earliest);
                self.last_whole = self.last_whole.max(Some(place));
            }
            HistoryEvent::Deleted => self.deletions.push((place, row.written)),
            _ => {}
        }
    }

    fn put_whole(&mut self, place: Place, written: Timestamp, is: Option<Record>) {
        if self.whole.as_ref().is_none_or(|(known, ..)| *known < place) {
            self.whole = Some((place, written, is));
        }
    }

    fn put(&mut self, series: Series, place: Place, written: Timestamp, is: Option<Box<[u8]>>) {
        let is_later = self.series.get(&series).is_none_or(|(known, ..)| *known < place);
        if is_later {
            self.series.insert(series, (place, written, is));
        }
    }

    /// Whether it is certain that there was no such entity, although a part of its history, up to the
    /// cut, was dropped.
    pub(super) fn was_not_there(&self, moment: Timestamp, cut: Timestamp) -> bool {
        let is_last = |(place, _): &(Place, Timestamp)| Some(*place) > self.last_whole;
        let mut deletions = self.deletions.clone();
        deletions.sort_unstable();
        deletions.dedup();
        // The last whole record and the last deletion are never dropped.
        let was_never = self.last_whole.is_none() && deletions.is_empty();
        let is_long_gone = deletions.last().is_some_and(|last| is_last(last) && last.1 <= moment);
        if was_never || is_long_gone {
            return true;
        }
        let is_new = self.earliest_creation.is_some_and(|created| created > moment);
        // A deletion before the cut has taken with it what was before.
        let is_first_life = match deletions.as_slice() {
            [] => true,
            [only] => is_last(only) && only.1 > cut,
            _ => false,
        };
        is_new && is_first_life
    }

    /// What the entity was.
    pub(super) fn finish(self, moment: Timestamp) -> Was {
        let Some((began, _, base)) = self.whole else {
            return Was { record: None, revision: Revision(0) };
        };
        let Some(base) = base else { return Was { record: None, revision: began.0 } };
        let mut later: Vec<_> =
            self.series.into_iter().filter(|(_, (place, ..))| *place >= began).collect();
        later.sort_by_key(|(_, (place, ..))| *place);
        let last = later.iter().rev().map(|(_, (place, written, _))| (*place, *written)).next();
        let mut record = base;
        if let Some(((revision, _), written)) = last {
            let instances = later.into_iter().filter_map(|((name, dataset), (_, _, is))| {
                let was = instance_of(&record, name, dataset.as_deref());
                (is.is_some() || was.is_some()).then_some(InstanceChange { name, was, is })
            });
            let instances = instances.collect();
            // A row of the whole record's own place was cut out of it, and is no later change.
            let (revision, written) = if revision > began.0 {
                (revision, written)
            } else {
                (record.view().revision(), record.view().modified_at())
            };
            record = with(&record, instances, revision, written);
        }
        let revision = record.view().revision();
        Was { record: unexpired(record, moment), revision }
    }
}

fn instance_of(record: &Record, name: NameId, dataset: Option<&str>) -> Option<Box<[u8]>> {
    let attribute = record.view().attribute(name)?;
    Some(attribute.instance(dataset)?.to_bytes())
}

fn with(
    record: &Record,
    instances: Vec<InstanceChange>,
    revision: Revision,
    time: Timestamp,
) -> Record {
    let change = EntityChange::Updated { seq: record.view().seq(), id: record.id(), instances };
    change.apply(Some(record), revision, time).expect("an update leaves an entity")
}

/// The entity without what had expired (clause 4.5.26); none where the whole of it had.
pub(super) fn unexpired(record: Record, moment: Timestamp) -> Option<Record> {
    let is_over = |end: Option<Timestamp>| end.is_some_and(|end| end <= moment);
    let view = record.view();
    if is_over(view.expires_at()) {
        return None;
    }
    let mut gone = Vec::new();
    for attribute in view.attributes() {
        for instance in attribute.instances().filter(|instance| is_over(instance.expires_at())) {
            let was = Some(instance.to_bytes());
            gone.push(InstanceChange { name: attribute.name(), was, is: None });
        }
    }
    if gone.is_empty() {
        return Some(record);
    }
    let (revision, time) = (view.revision(), view.modified_at());
    Some(with(&record, gone, revision, time))
}
