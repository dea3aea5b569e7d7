use cardo_model::{EntityId, InstanceRef, Iri, NameId, Record, Timestamp};

use crate::ports::{HistoryEvent, HistoryRow};

/// Which part of an entity's history is asked for.
#[derive(Clone, Debug)]
pub struct HistoryRequest {
    /// The entity.
    pub entity: EntityId,
    /// Only these attributes; all where empty.
    pub attributes: Vec<Iri>,
    /// From this moment on, it included.
    pub from: Option<Timestamp>,
    /// Up to this moment, it excluded.
    pub until: Option<Timestamp>,
    /// Only the last so many instances of each attribute and dataset.
    pub last: Option<usize>,
    /// At most so many rows in all.
    pub limit: usize,
}

/// The history of an entity, that which is not projected yet included.
#[derive(Clone, Debug)]
pub struct EntityHistory {
    /// The entity as it is, where it still exists.
    pub current: Option<Record>,
    /// The entity as it was when it was last created or replaced; its types are those to show
    /// where it no longer exists.
    pub last_seen: Option<Record>,
    /// Instances, and deletions of instances, in the order (attribute, dataset, time, revision,
    /// ordinal).
    pub rows: Vec<HistoryRow>,
    /// What scopes the entity had from when on, each time that they changed.
    pub scopes: Vec<ScopeChange>,
    /// When the entity was deleted, each time that it was.
    pub deleted_at: Vec<Timestamp>,
    /// Whether rows were left out because of the limit.
    pub is_cut: bool,
}

/// The scopes of an entity from a moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeChange {
    /// Since when.
    pub since: Timestamp,
    /// The scopes; none where they were removed, or the entity was deleted.
    pub scopes: Vec<Box<str>>,
}

/// What rows are wanted, with names by id.
pub(crate) struct Wanted<'a> {
    pub(crate) is_visible: &'a dyn Fn(NameId) -> bool,
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) last: Option<usize>,
    pub(crate) limit: usize,
}

/// Joins the rows of the store and of the tail: whole records are taken apart into instances,
/// what is not asked for is left out, and all is put in order.
pub(crate) fn join(
    current: Option<Record>,
    rows: Vec<HistoryRow>,
    wanted: &Wanted<'_>,
) -> EntityHistory {
    let scopes = scopes_of(&rows);
    let mut deleted_at = Vec::new();
    let mut last_seen: Option<Record> = None;
    let mut instances = Vec::new();
    for row in rows {
        match &row.event {
            HistoryEvent::Deleted => deleted_at.push(row.time),
            HistoryEvent::Entity(record) => {
                instances.extend(instances_of(record, &row));
                let is_later = |known: &Record| known.view().revision() <= record.view().revision();
                if last_seen.as_ref().is_none_or(is_later) {
                    last_seen = Some(record.clone());
                }
            }
            HistoryEvent::Instance { .. } | HistoryEvent::InstanceDeleted { .. } => {
                instances.push(row);
            }
        }
    }
    instances.retain(|row| is_wanted(row, wanted));
    instances.sort_by(|a, b| order(a).cmp(&order(b)));
    // A value that a replacement leaves as it is, is one instance and not two.
    instances.dedup_by(|later, earlier| is_repeated(later, earlier));
    if let Some(last) = wanted.last {
        instances = keep_last(&instances, last);
    }
    let is_cut = instances.len() > wanted.limit;
    instances.truncate(wanted.limit);
    EntityHistory { current, last_seen, rows: instances, scopes, deleted_at, is_cut }
}

/// A change of scopes gives the entity anew as a whole, so whole records tell all of them.
fn scopes_of(rows: &[HistoryRow]) -> Vec<ScopeChange> {
    let is_whole =
        |row: &&HistoryRow| matches!(row.event, HistoryEvent::Entity(_) | HistoryEvent::Deleted);
    let mut whole: Vec<&HistoryRow> = rows.iter().filter(is_whole).collect();
    whole.sort_by_key(|row| (row.revision, row.ordinal));
    let mut changes: Vec<ScopeChange> = Vec::new();
    for row in whole {
        let scopes = match &row.event {
            HistoryEvent::Entity(record) => record.view().scopes().map(Box::from).collect(),
            _ => Vec::new(),
        };
        let is_new = match changes.last() {
            Some(before) => before.scopes != scopes,
            None => !scopes.is_empty(),
        };
        if is_new {
            changes.push(ScopeChange { since: row.time, scopes });
        }
    }
    changes
}

fn instances_of(record: &Record, row: &HistoryRow) -> Vec<HistoryRow> {
    let mut rows = Vec::new();
    for attribute in record.view().attributes() {
        for instance in attribute.instances() {
            let event = HistoryEvent::Instance {
                name: attribute.name(),
                instance: instance.as_bytes().into(),
            };
            let ordinal = row.ordinal;
            let (entity, revision) = (row.entity.clone(), row.revision);
            rows.push(HistoryRow { entity, event, time: instance.time(), revision, ordinal });
        }
    }
    rows
}

fn name_of(row: &HistoryRow) -> Option<NameId> {
    match &row.event {
        HistoryEvent::Instance { name, .. } | HistoryEvent::InstanceDeleted { name, .. } => {
            Some(*name)
        }
        HistoryEvent::Entity(_) | HistoryEvent::Deleted => None,
    }
}

fn dataset_of(row: &HistoryRow) -> Option<&str> {
    match &row.event {
        HistoryEvent::Instance { instance, .. } => InstanceRef::from_bytes(instance)?.dataset_id(),
        HistoryEvent::InstanceDeleted { dataset_id, .. } => dataset_id.as_ref().map(Iri::as_str),
        HistoryEvent::Entity(_) | HistoryEvent::Deleted => None,
    }
}

type Order<'a> = (Option<NameId>, Option<&'a str>, Timestamp, u64, u32);

fn order(row: &HistoryRow) -> Order<'_> {
    (name_of(row), dataset_of(row), row.time, row.revision.0, row.ordinal)
}

fn is_wanted(row: &HistoryRow, wanted: &Wanted<'_>) -> bool {
    name_of(row).is_some_and(wanted.is_visible)
        && wanted.from.is_none_or(|from| row.time >= from)
        && wanted.until.is_none_or(|until| row.time < until)
}

fn is_repeated(later: &HistoryRow, earlier: &HistoryRow) -> bool {
    match (&later.event, &earlier.event) {
        (
            HistoryEvent::Instance { name: a, instance: later },
            HistoryEvent::Instance { name: b, instance: earlier },
        ) if a == b => {
            let (Some(later), Some(earlier)) =
                (InstanceRef::from_bytes(later), InstanceRef::from_bytes(earlier))
            else {
                return false;
            };
            later.observed_at().is_some()
                && cardo_model::decode_instance(&later)
                    .same_content(&cardo_model::decode_instance(&earlier))
        }
        _ => false,
    }
}

fn keep_last(rows: &[HistoryRow], last: usize) -> Vec<HistoryRow> {
    let same =
        |a: &HistoryRow, b: &HistoryRow| name_of(a) == name_of(b) && dataset_of(a) == dataset_of(b);
    let runs = rows.chunk_by(same).map(|run| run[run.len().saturating_sub(last)..].to_vec());
    runs.flatten().collect()
}
