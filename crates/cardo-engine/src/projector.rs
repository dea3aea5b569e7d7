use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cardo_model::{EntityChange, EntityId, InstanceChange, Record, Revision, Seq, Timestamp};

use crate::follow::Followed;
use crate::ports::{HistoryEvent, HistoryRow, Projection};

/// Gathers what a run of log records changed, the last state of each thing.
pub(crate) fn gather(after: Revision, run: &[Arc<Followed>]) -> Projection {
    let mut entities: BTreeMap<Seq, Option<Record>> = BTreeMap::new();
    let mut documents = HashMap::new();
    let mut offsets = HashMap::new();
    let mut history = Vec::new();
    let mut to = after;
    for followed in run {
        let record = &followed.record;
        to = record.revision;
        for (change, entity) in record.changes.iter().zip(&followed.entities) {
            if !change.is_history_only() {
                entities.insert(change.seq(), entity.clone());
            }
        }
        history.extend(rows(followed, None));
        for document in &record.documents {
            documents.insert((document.kind.clone(), document.id.clone()), document.clone());
        }
        for offset in &record.offsets {
            offsets.insert(offset.source.clone(), offset.clone());
        }
    }
    Projection {
        after,
        to,
        entities: entities.into_iter().collect(),
        history,
        documents: documents.into_values().collect(),
        offsets: offsets.into_values().collect(),
    }
}

/// The lines of history in a log record, of all entities or of one. A line has the same ordinal
/// either way, and whatever becomes of the lines before it.
pub(crate) fn rows(followed: &Followed, only: Option<&EntityId>) -> Vec<HistoryRow> {
    let record = &followed.record;
    let mut rows = Vec::with_capacity(if only.is_some() { 0 } else { record.changes.len() });
    let mut ordinal = 0;
    for change in &record.changes {
        if only.is_some_and(|only| only.as_str() != change.id()) {
            ordinal += lines_of(change);
            continue;
        }
        let entity = EntityId::new(change.id()).expect("a change holds a checked id");
        let mut push = |line: Option<(HistoryEvent, Timestamp)>| {
            let (entity, revision) = (entity.clone(), record.revision);
            rows.extend(line.map(|(event, time)| HistoryRow {
                entity,
                event,
                time,
                revision,
                ordinal,
            }));
            ordinal += 1;
        };
        match change {
            EntityChange::Created(is) | EntityChange::Replaced { is, .. } => {
                push(Some((HistoryEvent::Entity(is.clone()), record.time)));
            }
            EntityChange::Deleted(_) => push(Some((HistoryEvent::Deleted, record.time))),
            EntityChange::Recorded { head, since } => {
                push(Some((HistoryEvent::Head(head.clone()), *since)));
            }
            EntityChange::Amended { amendment, .. } => {
                push(Some((HistoryEvent::Amended(amendment.clone()), record.time)));
            }
            EntityChange::Updated { instances, .. } | EntityChange::Observed { instances, .. } => {
                for instance in instances {
                    push(instance_event(instance, record.time));
                }
            }
        }
    }
    rows
}

/// How many ordinals the lines of a change take.
fn lines_of(change: &EntityChange) -> u32 {
    match change {
        EntityChange::Updated { instances, .. } | EntityChange::Observed { instances, .. } => {
            u32::try_from(instances.len()).unwrap_or(u32::MAX)
        }
        EntityChange::Created(_)
        | EntityChange::Replaced { .. }
        | EntityChange::Deleted(_)
        | EntityChange::Recorded { .. }
        | EntityChange::Amended { .. } => 1,
    }
}

/// What happened to an instance; none where its time was over (clause 4.22), since its history
/// goes with it.
fn instance_event(change: &InstanceChange, now: Timestamp) -> Option<(HistoryEvent, Timestamp)> {
    let name = change.name;
    if let Some(bytes) = &change.is {
        let time = change.is().map_or(now, |instance| instance.time());
        return Some((HistoryEvent::Instance { name, instance: bytes.clone() }, time));
    }
    if change.was().and_then(|was| was.expires_at()).is_some_and(|moment| moment <= now) {
        return None;
    }
    let dataset_id = change.dataset_id().and_then(|d| cardo_model::Iri::new(d).ok());
    Some((HistoryEvent::InstanceDeleted { name, dataset_id }, now))
}
