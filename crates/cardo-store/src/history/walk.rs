//! Which rows a walk through histories hands out, the same for every store.

use cardo_engine::{HistoryEvent, HistoryRow, HistorySink, HistoryWalk, Tells};
use cardo_model::EntityId;

use super::row::{Group, RawRow};

/// Whether a row in memory is handed out.
pub(crate) fn is_asked(walk: &HistoryWalk, row: &HistoryRow) -> bool {
    let is_of_attribute = match &row.event {
        HistoryEvent::Instance { .. } | HistoryEvent::InstanceDeleted { .. } => true,
        HistoryEvent::Entity(_)
        | HistoryEvent::Head(_)
        | HistoryEvent::Amended(_)
        | HistoryEvent::Deleted => false,
    };
    row.revision <= walk.up_to
        && (!is_of_attribute || (row.written <= walk.until && row.tells != Tells::History))
}

fn is_raw_asked(walk: &HistoryWalk, row: &RawRow<'_>) -> bool {
    let is_of_attribute = row.name.is_some();
    row.revision <= walk.up_to
        && (!is_of_attribute || (row.tells != Tells::History && row.written() <= walk.until))
}

/// Hands out rows in their binary form; `None` where they are damaged.
pub(crate) fn offer(
    walk: &HistoryWalk,
    sink: &mut dyn HistorySink,
    group: &Group<'_>,
) -> Option<()> {
    if !sink.wants(group.id) {
        return Some(());
    }
    let entity = EntityId::new(group.id).ok()?;
    let mut rows = Vec::new();
    for row in group.rows() {
        let row = row?;
        if is_raw_asked(walk, &row) {
            rows.push(row.to_row(&entity)?);
        }
    }
    if !rows.is_empty() {
        sink.take(&entity, rows);
    }
    Some(())
}
