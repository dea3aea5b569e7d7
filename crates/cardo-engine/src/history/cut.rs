//! Retention: which rows of a history are kept when its beginning is cut off.
//!
//! A value holds until the next one, so the last one before the cut stays: what was valid at some
//! moment behind it is still told. The last that was written before the cut stays as well, whatever
//! moment it is about: it is what the entity was behind the cut ([`Tells::State`]).

use std::collections::HashMap;

use cardo_model::{InstanceRef, Iri, NameId, Revision, Timestamp};

use super::carry::{with_record, without};
use super::join::instances_of;
use crate::ports::{HistoryEvent, HistoryRow, Tells};

type Series = (NameId, Option<Box<str>>);
type Place = (Revision, u32);

/// From which moment on the rows of each series of one entity are kept.
#[derive(Debug)]
pub struct Cut {
    at: Timestamp,
    /// What has expired by then is not kept (clause 4.22).
    now: Timestamp,
    /// The moment of the last row of each series that is not behind the cut.
    bases: HashMap<Series, Timestamp>,
    /// The last time that the entity was deleted before the cut.
    deleted: Option<Place>,
    /// The last whole record before the cut.
    whole: Option<Place>,
    /// What was written last before the cut of each series, and as a whole, of all that the entity was.
    written: HashMap<Series, Place>,
    written_whole: Option<Place>,
}

impl Cut {
    /// A cut at a moment, of an entity of which no row is known yet.
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        Self {
            at,
            now,
            bases: HashMap::new(),
            deleted: None,
            whole: None,
            written: HashMap::new(),
            written_whole: None,
        }
    }

    /// A cut through rows that are all there are.
    pub fn through(at: Timestamp, now: Timestamp, rows: &[HistoryRow]) -> Self {
        let mut cut = Self::new(at, now);
        cut.see_deletions(rows);
        for row in rows {
            cut.see(row);
        }
        cut
    }

    /// Takes notice of deletions of the entity, which comes before all else: what they took away
    /// takes the place of nothing.
    pub fn see_deletions(&mut self, rows: &[HistoryRow]) {
        let is_deletion =
            |row: &&HistoryRow| matches!(row.event, HistoryEvent::Deleted) && row.time <= self.at;
        let last = rows.iter().filter(is_deletion).map(|row| (row.revision, row.ordinal)).max();
        self.deleted = self.deleted.max(last);
    }

    /// Whether the entity was deleted before the cut.
    pub fn has_deletion(&self) -> bool {
        self.deleted.is_some()
    }

    /// Takes notice of a row.
    pub fn see(&mut self, row: &HistoryRow) {
        if let HistoryEvent::Entity(record) = &row.event {
            for instance in &instances_of(record, row) {
                self.see(instance);
            }
        }
        self.see_written(row);
        let place = Some((row.revision, row.ordinal));
        if row.tells == Tells::State || row.time > self.at || place < self.deleted {
            return;
        }
        match &row.event {
            HistoryEvent::Entity(_) => self.whole = self.whole.max(place),
            _ => {
                if let Some((name, dataset)) = series_of(row) {
                    self.see_series(name, dataset, row.time);
                }
            }
        }
    }

    fn see_written(&mut self, row: &HistoryRow) {
        if row.tells == Tells::History || row.written > self.at {
            return;
        }
        let place = (row.revision, row.ordinal);
        if matches!(row.event, HistoryEvent::Entity(_)) {
            self.written_whole = self.written_whole.max(Some(place));
        } else if let Some(series) = series_of(row) {
            let last = self.written.entry(series).or_insert(place);
            *last = (*last).max(place);
        }
    }

    /// Whether a row says what the entity was at some moment behind the cut.
    fn is_state(&self, row: &HistoryRow) -> bool {
        if row.tells == Tells::History || row.written > self.at {
            return row.tells != Tells::History;
        }
        let place = (row.revision, row.ordinal);
        let later = series_of(row).and_then(|series| self.written.get(&series).copied());
        later.max(self.written_whole).max(self.deleted).is_none_or(|later| later <= place)
    }

    /// Takes notice of a row of a series at a moment; those behind the cut do not count.
    pub fn see_series(&mut self, name: NameId, dataset: Option<Box<str>>, moment: Timestamp) {
        if moment <= self.at {
            let base = self.bases.entry((name, dataset)).or_insert(moment);
            *base = (*base).max(moment);
        }
    }

    /// Whether all rows of a series up to a moment go.
    pub fn drops_up_to(&self, name: NameId, dataset: Option<&str>, last: Timestamp) -> bool {
        self.bases.get(&(name, dataset.map(Box::from))).is_some_and(|base| last < *base)
    }

    /// The rows that are kept of those that were seen before. The last of each series that is not
    /// behind the cut is among them, and so is the last deletion: other rows of the entity, which
    /// were not seen, stay where they stand to it.
    pub fn keep(&self, rows: Vec<HistoryRow>) -> Vec<HistoryRow> {
        rows.into_iter().filter_map(|row| self.kept(row)).collect()
    }

    fn kept(&self, row: HistoryRow) -> Option<HistoryRow> {
        let place = (row.revision, row.ordinal);
        let is_old = row.time <= self.at;
        if is_old && self.deleted.is_some_and(|deleted| place < deleted) {
            return None;
        }
        match &row.event {
            _ if row.tells == Tells::State => self.is_state(&row).then_some(row),
            HistoryEvent::Entity(record) => {
                let is_gone = |instance: &HistoryRow| {
                    self.has_expired(instance) || (self.drops(instance) && !self.is_state(instance))
                };
                let is_changed = instances_of(record, &row).iter().any(is_gone);
                let record =
                    if is_changed { without(record, &row, &is_gone) } else { record.clone() };
                let is_bare = record.view().attributes().next().is_none();
                let is_superseded = is_old && self.whole.is_some_and(|whole| place < whole);
                (!(is_bare && is_superseded)).then(|| with_record(&row, record))
            }
            _ if !self.drops(&row) => Some(row),
            _ => self.is_state(&row).then(|| self.as_state(row)),
        }
    }

    /// Whether a row of a series goes from the history: another one took its place before the cut.
    fn drops(&self, row: &HistoryRow) -> bool {
        let Some((name, dataset)) = series_of(row) else { return false };
        let place = (row.revision, row.ordinal);
        self.has_expired(row)
            || (row.time <= self.at && self.deleted.is_some_and(|deleted| place < deleted))
            || self.drops_up_to(name, dataset.as_deref(), row.time)
    }

    fn has_expired(&self, row: &HistoryRow) -> bool {
        let HistoryEvent::Instance { instance, .. } = &row.event else { return false };
        let expires_at = InstanceRef::from_bytes(instance).and_then(|i| i.expires_at());
        expires_at.is_some_and(|moment| moment <= self.now)
    }

    /// A row that says what the entity was and is no longer part of its history. Of what has expired
    /// nothing is told but that it took the place of another.
    fn as_state(&self, row: HistoryRow) -> HistoryRow {
        let event = match series_of(&row) {
            Some((name, dataset)) if self.has_expired(&row) => {
                let dataset_id = dataset.and_then(|id| Iri::new(id).ok());
                HistoryEvent::InstanceDeleted { name, dataset_id }
            }
            _ => row.event,
        };
        let time = row.written;
        HistoryRow { event, time, tells: Tells::State, ..row }
    }
}

fn series_of(row: &HistoryRow) -> Option<Series> {
    match &row.event {
        HistoryEvent::Instance { name, instance } => {
            let dataset = InstanceRef::from_bytes(instance).and_then(|i| i.dataset_id());
            Some((*name, dataset.map(Box::from)))
        }
        HistoryEvent::InstanceDeleted { name, dataset_id } => {
            Some((*name, dataset_id.as_ref().map(|id| Iri::as_str(id).into())))
        }
        _ => None,
    }
}
