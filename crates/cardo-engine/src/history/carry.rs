//! Histories as they are kept: what was amended is put right or left out of the rows themselves, so
//! that what is gone leaves no bytes behind.

use cardo_model::{InstanceRef, Record, decode_instance};

use super::amend::Amendments;
use super::join::instances_of;
use crate::ports::{HistoryEvent, HistoryRow};

impl Amendments {
    /// The rows as if they had never been written otherwise. A history reads the same from these
    /// as from the rows before with the amendments.
    pub fn carry_out(&self, rows: Vec<HistoryRow>) -> Vec<HistoryRow> {
        let mut kept = Vec::with_capacity(rows.len());
        for mut row in rows {
            if self.forgets(&row) {
                continue;
            }
            match &row.event {
                HistoryEvent::Entity(record) => self.carry_out_record(record, &row, &mut kept),
                _ => {
                    if self.apply(&mut row) {
                        kept.push(row);
                    }
                }
            }
        }
        kept
    }

    /// A whole record without the instances that are gone; those that were put right follow it as
    /// rows of their own.
    fn carry_out_record(&self, record: &Record, row: &HistoryRow, kept: &mut Vec<HistoryRow>) {
        let mut changed = Vec::new();
        for before in instances_of(record, row) {
            let mut after = before.clone();
            let is_kept = self.apply(&mut after);
            if !is_kept || after != before {
                changed.push((before, is_kept.then_some(after)));
            }
        }
        if changed.is_empty() {
            return kept.push(row.clone());
        }
        let is_changed = |instance: &HistoryRow| changed.iter().any(|(was, _)| was == instance);
        kept.push(with_record(row, without(record, row, &is_changed)));
        kept.extend(changed.into_iter().filter_map(|(_, is)| is));
    }
}

/// The row of a whole record with another record.
pub(super) fn with_record(row: &HistoryRow, record: Record) -> HistoryRow {
    HistoryRow { event: HistoryEvent::Entity(record), ..row.clone() }
}

/// A record without those of its instances for which a test of their rows holds.
pub(super) fn without(
    record: &Record,
    row: &HistoryRow,
    is_gone: &dyn Fn(&HistoryRow) -> bool,
) -> Record {
    let mut entity = record.view().decode();
    let mut rows = instances_of(record, row).into_iter();
    for attribute in &mut entity.attributes {
        attribute.instances.clear();
    }
    for attribute in &mut entity.attributes {
        let count = record.view().attribute(attribute.name).map_or(0, |a| a.instances().count());
        for instance in rows.by_ref().take(count).filter(|instance| !is_gone(instance)) {
            if let HistoryEvent::Instance { instance, .. } = &instance.event
                && let Some(instance) = InstanceRef::from_bytes(instance)
            {
                attribute.instances.push(decode_instance(&instance));
            }
        }
    }
    entity.attributes.retain(|attribute| !attribute.instances.is_empty());
    Record::encode(&entity, record.view().header())
}
