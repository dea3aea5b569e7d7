//! Reads a part of the log back, with the entities as they were then.
//!
//! A record of an update says what was and what is of the changed instances, not what the rest of
//! the entity was. That follows from the log behind it: of each instance the first change that
//! comes says what it was, up to a change that tells the whole entity, or else to the entity as
//! it is now. So the log is read twice, and what is held meanwhile is bounded by the part that is
//! handed out, however far back it lies.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use cardo_model::{EntityChange, InstanceChange, LogRecord, NameId, Record, Revision, Seq};
use hashbrown::{HashMap, HashSet};

use super::Followed;
use crate::live::Root;
use crate::ports::{LogError, Store, StoreError};
use crate::twin::Twin;

/// How much log is read from the store at once.
const READ_BYTES: usize = 4 << 20;

/// The log behind a revision that is published, as much of it as is read at once.
pub(super) async fn read_back(
    twin: &Twin,
    store: &dyn Store,
    after: Revision,
) -> Result<VecDeque<Arc<Followed>>, LogError> {
    let root = twin.root.load_full();
    let part = read(twin, store, after, root.revision).await?;
    let mut pasts = pasts_of(&part, &root);
    let head = root.revision;
    drop(root);
    let mut open = pasts.len();
    for record in &part {
        open -= look_back(&mut pasts, record);
    }
    let mut position = part.last().map_or(after, |record| record.revision);
    while open > 0 && position < head {
        let later = read(twin, store, position, head).await?;
        let Some(last) = later.last() else { break };
        position = last.revision;
        for record in &later {
            open -= look_back(&mut pasts, record);
        }
    }
    Ok(replay(part, pasts))
}

async fn read(
    twin: &Twin,
    store: &dyn Store,
    after: Revision,
    head: Revision,
) -> Result<Vec<LogRecord>, LogError> {
    let mut records = Vec::new();
    for encoded in store.read_log(&twin.place, after, READ_BYTES).await? {
        if encoded.revision > head {
            break;
        }
        let record = LogRecord::decode(&encoded.bytes)
            .map_err(|error| LogError::Store(StoreError::Damaged(error.to_string())))?;
        records.push(record);
    }
    Ok(records)
}

/// What is known of an entity as it was before a part of the log.
struct Past {
    /// The entity at a later moment: now, or where a later change tells it whole.
    later: Option<Record>,
    /// What leads from there back.
    undo: BTreeMap<(NameId, Option<Box<str>>), InstanceChange>,
    is_told: bool,
}

/// The entities of which a part of the log tells an update before it tells them whole.
fn pasts_of(part: &[LogRecord], root: &Root) -> HashMap<Seq, Past> {
    let mut pasts = HashMap::new();
    let mut told = HashSet::new();
    for change in part.iter().flat_map(|record| &record.changes) {
        let seq = change.seq();
        match change {
            EntityChange::Updated { .. }
            | EntityChange::Observed { .. }
            | EntityChange::Recorded { .. }
            | EntityChange::Amended { .. } => {
                if !told.contains(&seq) {
                    pasts.entry(seq).or_insert_with(|| Past {
                        later: root.slot_of(seq).and_then(|slot| root.record(slot).cloned()),
                        undo: BTreeMap::new(),
                        is_told: false,
                    });
                }
            }
            EntityChange::Created(_) | EntityChange::Replaced { .. } | EntityChange::Deleted(_) => {
                told.insert(seq);
            }
        }
    }
    pasts
}

/// Learns from a record what entities were before it; gives how many of them need no more.
fn look_back(pasts: &mut HashMap<Seq, Past>, record: &LogRecord) -> usize {
    let mut told = 0;
    for change in &record.changes {
        let Some(past) = pasts.get_mut(&change.seq()) else { continue };
        if past.is_told {
            continue;
        }
        match change {
            EntityChange::Replaced { was, .. } | EntityChange::Deleted(was) => {
                past.later = Some(was.clone());
                past.is_told = true;
                told += 1;
            }
            EntityChange::Updated { instances, .. } => {
                for instance in instances {
                    let dataset_id = instance.dataset_id().map(Box::from);
                    let undo = past.undo.entry((instance.name, dataset_id));
                    undo.or_insert_with(|| inverse(instance));
                }
            }
            EntityChange::Created(_)
            | EntityChange::Observed { .. }
            | EntityChange::Recorded { .. }
            | EntityChange::Amended { .. } => {}
        }
    }
    told
}

/// The change that takes a change back.
pub(super) fn inverse(change: &InstanceChange) -> InstanceChange {
    InstanceChange { name: change.name, was: change.is.clone(), is: change.was.clone() }
}

/// Goes through a part of the log from the entities before it.
fn replay(part: Vec<LogRecord>, pasts: HashMap<Seq, Past>) -> VecDeque<Arc<Followed>> {
    let mut states: HashMap<Seq, Option<Record>> =
        pasts.into_iter().map(|(seq, past)| (seq, past.record(seq))).collect();
    let mut read_back = VecDeque::with_capacity(part.len());
    for record in part {
        let mut entities = Vec::with_capacity(record.changes.len());
        for change in &record.changes {
            let old = states.get(&change.seq()).and_then(Option::as_ref);
            let new = change.apply(old, record.revision, record.time);
            states.insert(change.seq(), new.clone());
            entities.push(new);
        }
        read_back.push_back(Arc::new(Followed { record, entities }));
    }
    read_back
}

impl Past {
    fn record(self, seq: Seq) -> Option<Record> {
        let later = self.later?;
        let view = later.view();
        let (id, revision, modified_at) = (later.id(), view.revision(), view.modified_at());
        let instances = self.undo.into_values().collect();
        EntityChange::Updated { seq, id, instances }.apply(Some(&later), revision, modified_at)
    }
}
