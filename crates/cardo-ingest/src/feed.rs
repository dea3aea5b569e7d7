//! The reading half of a run: records in, batches of operations out.

use std::time::Duration;

use cardo_engine::Operation;
use cardo_formats::{FieldValue, Format, Record, RecordError, RecordReader};

use crate::clock::too_far_ahead;
use crate::mapping::{Mapped, Plan};
use crate::quarantine::Quarantined;

/// So many entities make a batch.
pub(crate) const BATCH: usize = 1_000;
/// A batch ends early where its records are large.
const BATCH_BYTES: u64 = 4 << 20;

/// A run of records, made ready for the engine.
#[derive(Debug, Default)]
pub(crate) struct Load {
    pub(crate) operations: Vec<Operation>,
    /// The record behind each operation.
    pub(crate) records: Vec<Record>,
    pub(crate) faulty: Vec<Quarantined>,
    pub(crate) read: u64,
    pub(crate) skipped: u64,
    pub(crate) self_crossing: u64,
    /// The first record behind this load.
    pub(crate) next: u64,
    /// Bytes of the source behind this load.
    pub(crate) position: u64,
    /// What to tell at the end of the source.
    pub(crate) end: Option<End>,
}

#[derive(Debug, Default)]
pub(crate) struct End {
    pub(crate) notes: Vec<String>,
    /// Why the source could not be read further.
    pub(crate) stopped: Option<String>,
}

/// Reads a source into loads.
pub(crate) struct Feed<'a> {
    pub(crate) source: &'a str,
    pub(crate) format: Format,
    pub(crate) reader: Box<dyn RecordReader + Send>,
    pub(crate) plan: Plan,
    /// Records before this one were taken in by an earlier run.
    pub(crate) from: u64,
    /// What is known about the source already.
    pub(crate) notes: Vec<String>,
    /// How far readings may be ahead of the clock.
    pub(crate) clock_ahead: Option<Duration>,
}

impl Feed<'_> {
    /// Reads to the end; `hand_on` says whether anybody still wants loads.
    pub(crate) fn run(mut self, mut hand_on: impl FnMut(Load) -> bool) {
        let crs = self.reader.crs().map(str::to_owned);
        let mut load = Load { next: self.from, ..Load::default() };
        let mut began_at = 0;
        let mut stopped = None;
        while let Some(item) = self.reader.next() {
            let ordinal = match &item {
                Ok(record) => record.ordinal,
                Err(error) => error.ordinal,
            };
            if ordinal < self.from {
                continue;
            }
            load.read += 1;
            load.next = ordinal + 1;
            match item {
                Ok(record) => self.take(record, crs.as_deref(), &mut load),
                Err(error) => {
                    if error.fatal {
                        stopped = Some(error.to_string());
                        // The same record is where the next run begins.
                        load.next = ordinal;
                    }
                    load.faulty.push(self.faulty(crs.as_deref(), &error));
                }
            }
            load.position = RecordReader::position(&*self.reader);
            let is_full = load.operations.len() + load.faulty.len() >= BATCH
                || load.position.saturating_sub(began_at) >= BATCH_BYTES;
            if is_full {
                began_at = load.position;
                let next = load.next;
                let position = load.position;
                if !hand_on(std::mem::take(&mut load)) {
                    return;
                }
                load = Load { next, position, ..Load::default() };
            }
        }
        load.skipped += self.reader.skipped();
        self.notes.extend(self.reader.notes());
        self.notes.extend(self.plan.notes());
        load.end = Some(End { notes: self.notes, stopped });
        hand_on(load);
    }

    fn take(&mut self, record: Record, crs: Option<&str>, load: &mut Load) {
        if self.format == Format::GtfsRealtime && is_gone(&record) {
            load.skipped += 1;
            return;
        }
        let mapped = self.plan.entity(&record).map_err(|fault| fault.to_string());
        let judged = mapped.and_then(|mapped| {
            too_far_ahead(&mapped.entity, self.clock_ahead).map_or(Ok(mapped), Err)
        });
        match judged {
            Ok(Mapped { entity, self_crossing }) => {
                load.self_crossing += u64::from(self_crossing);
                load.operations.push(Operation::Ingest(entity));
                load.records.push(record);
            }
            Err(reason) => {
                let entry = Quarantined::of_record(self.source, crs, &record, reason);
                let key = self.plan.key().map(str::to_owned);
                load.faulty.push(Quarantined { key, ..entry });
            }
        }
    }

    fn faulty(&self, crs: Option<&str>, error: &RecordError) -> Quarantined {
        Quarantined::of_error(self.source, crs, error)
    }
}

/// A feed may say that a vehicle is gone without saying which; its last position stays.
pub(crate) fn is_gone(record: &Record) -> bool {
    record.field("is_deleted") == Some(&FieldValue::Bool(true))
}
