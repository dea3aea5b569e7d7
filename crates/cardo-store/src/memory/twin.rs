use std::collections::{BTreeMap, VecDeque};

use cardo_engine::{
    Amendments, Cut, Cuts, EncodedRecord, HistoryEvent, HistoryQuery, HistoryRow, HistorySink,
    HistoryWalk, LogError, Projected, Projection,
};
use cardo_model::{DocumentChange, EntityId, Record, Revision, Seq, SourceOffset, Timestamp};
use hashbrown::HashMap;

use crate::check;
use crate::history::select::Selection;
use crate::history::walk::is_asked;

/// One twin with its log and what is projected from it.
#[derive(Debug, Default)]
pub(super) struct Twin {
    pub(super) head: Revision,
    cut: Revision,
    log: VecDeque<EncodedRecord>,
    reached: Revision,
    entities: BTreeMap<Seq, Record>,
    documents: BTreeMap<(Box<str>, Box<str>), Box<str>>,
    offsets: BTreeMap<Box<str>, Box<str>>,
    history: HashMap<EntityId, Vec<HistoryRow>>,
    positions: BTreeMap<Box<str>, Revision>,
}

impl Twin {
    pub(super) fn reached(&self) -> Revision {
        self.reached
    }

    /// Lets the log of a new twin begin behind a revision.
    pub(super) fn begin(&mut self, begin: Revision) {
        (self.head, self.cut) = (begin, begin);
    }

    pub(super) fn append(&mut self, records: Vec<EncodedRecord>) {
        self.head = records.last().map_or(self.head, |record| record.revision);
        self.log.extend(records);
    }

    pub(super) fn read_log(
        &self,
        after: Revision,
        max_bytes: usize,
    ) -> Result<Vec<EncodedRecord>, LogError> {
        if after < self.cut {
            return Err(LogError::Gone { oldest: self.cut.next() });
        }
        let skipped = usize::try_from(after.0 - self.cut.0).unwrap_or(usize::MAX);
        let records = self.log.iter().skip(skipped).cloned();
        Ok(check::take_records(records, max_bytes))
    }

    pub(super) fn cut_log(&mut self, up_to: Revision) {
        while self.log.front().is_some_and(|record| record.revision <= up_to) {
            self.log.pop_front();
        }
        self.cut = self.cut.max(up_to.min(self.head));
    }

    pub(super) fn load(&self) -> (Projected, Vec<Record>) {
        let documents = self.documents.iter().map(|((kind, id), body)| DocumentChange {
            kind: kind.clone(),
            id: id.clone(),
            body: Some(body.clone()),
        });
        let offsets = self.offsets.iter().map(|(source, offset)| SourceOffset {
            source: source.clone(),
            offset: offset.clone(),
        });
        let projected = Projected {
            revision: self.reached,
            documents: documents.collect(),
            offsets: offsets.collect(),
        };
        (projected, self.entities.values().cloned().collect())
    }

    pub(super) fn project(&mut self, projection: Projection) {
        for (seq, record) in projection.entities {
            match record {
                Some(record) => self.entities.insert(seq, record),
                None => self.entities.remove(&seq),
            };
        }
        for document in projection.documents {
            let key = (document.kind, document.id);
            match document.body {
                Some(body) => self.documents.insert(key, body),
                None => self.documents.remove(&key),
            };
        }
        for offset in projection.offsets {
            self.offsets.insert(offset.source, offset.offset);
        }
        for row in projection.history {
            let rows = self.history.entry(row.entity.clone()).or_default();
            let is_amendment = matches!(row.event, HistoryEvent::Amended(_));
            rows.push(row);
            if is_amendment {
                let amendments = Amendments::take(rows);
                *rows = amendments.carry_out(std::mem::take(rows));
            }
        }
        self.reached = projection.to;
    }

    pub(super) fn prune(&mut self, now: Timestamp, cuts: &dyn Cuts) {
        for (entity, rows) in &mut self.history {
            if let Some(at) = cuts.of(entity.as_str()) {
                let cut = Cut::through(at, now, rows);
                *rows = cut.keep(std::mem::take(rows));
            }
        }
        self.history.retain(|_, rows| !rows.is_empty());
    }

    pub(super) fn history(&self, query: &HistoryQuery) -> Vec<HistoryRow> {
        let mut selection = Selection::new(query);
        for row in self.history.get(&query.entity).into_iter().flatten() {
            selection.offer(row);
        }
        selection.finish()
    }

    pub(super) fn walk_history(&self, walk: &HistoryWalk, sink: &mut dyn HistorySink) {
        let mut offer = |entity: &EntityId, rows: &[HistoryRow]| {
            if sink.wants(entity.as_str()) {
                let asked = rows.iter().filter(|row| is_asked(walk, row));
                sink.take(entity, asked.cloned().collect());
            }
        };
        let Some(entities) = &walk.entities else {
            return self.history.iter().for_each(|(entity, rows)| offer(entity, rows));
        };
        for entity in entities {
            if let Some(rows) = self.history.get(entity) {
                offer(entity, rows);
            }
        }
    }

    pub(super) fn positions(&self) -> Vec<(Box<str>, Revision)> {
        self.positions.iter().map(|(follower, at)| (follower.clone(), *at)).collect()
    }

    pub(super) fn save_position(&mut self, follower: &str, revision: Option<Revision>) {
        match revision {
            Some(revision) => self.positions.insert(follower.into(), revision),
            None => self.positions.remove(follower),
        };
    }
}
