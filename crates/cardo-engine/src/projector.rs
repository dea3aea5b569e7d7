use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cardo_model::{
    Amendment, EntityChange, EntityId, InstanceChange, Record, Revision, Seq, Timestamp, without,
};

use crate::engine::Inner;
use crate::follow::Followed;
use crate::live::CHOSEN;
use crate::ports::{HistoryEvent, HistoryRow, Projection, StoreError, Tells};
use crate::twin::Twin;

/// The log is held for followers whose names begin so.
const HOLDS_LOG: &str = "subscription";
/// Unprojected log beyond this is projected at once.
const PROJECT_BYTES: usize = 8 << 20;
/// How much log one projection takes at the most.
pub(crate) const PROJECTION_BYTES: usize = 16 << 20;

/// Keeps state and history close behind the log.
pub(crate) async fn run(inner: Arc<Inner>) {
    let delay = inner.options.projector_delay;
    while !inner.is_closed() {
        let _ = tokio::time::timeout(delay, inner.work_to_project.notified()).await;
        for twin in inner.loaded_twins() {
            loop {
                let since = twin.tail.lock().waiting_since(twin.projected());
                let is_due = since.is_some_and(|since| {
                    since.elapsed() >= delay / 2
                        || inner.unprojected.load(Ordering::Acquire) > PROJECT_BYTES
                });
                if !is_due {
                    break;
                }
                if let Err(error) = inner.project_some(&twin).await {
                    tracing::error!(twin = %twin.id, %error, "projection failed");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    break;
                }
            }
        }
    }
}

impl Inner {
    /// Waits while more log is unprojected than the limit allows; where projecting fails there is
    /// no use in waiting, and writes are refused with the reason. It is not waited for a choice, since
    /// what comes of that waits behind.
    pub(crate) async fn projection_room(&self) -> Result<(), StoreError> {
        while self.unprojected.load(Ordering::Acquire) > self.options.projector_bytes
            && !self.pins.has_any()
        {
            if let Some(reason) = self.metrics.failing() {
                return Err(StoreError::Failed(reason));
            }
            let room = self.room.notified();
            if self.unprojected.load(Ordering::Acquire) <= self.options.projector_bytes {
                break;
            }
            self.work_to_project.notify_one();
            let _ = tokio::time::timeout(Duration::from_millis(100), room).await;
        }
        Ok(())
    }

    pub(crate) async fn project_all(&self) -> Result<(), StoreError> {
        for twin in self.loaded_twins() {
            while self.project_some(&twin).await? {}
        }
        Ok(())
    }

    /// Projects the next run of a twin's log; whether there was one.
    async fn project_some(&self, twin: &Twin) -> Result<bool, StoreError> {
        let _one_at_a_time = self.projecting.lock().await;
        let after = twin.projected();
        let mut run = twin.tail.lock().behind(after, PROJECTION_BYTES);
        let held_at = twin.held_at();
        run.retain(|followed| followed.record.revision <= held_at);
        if run.is_empty() {
            return Ok(false);
        }
        let projection = gather(after, &run);
        drop(run);
        let to = projection.to;
        let projected = self.store.project(&twin.place, projection).await;
        self.metrics.note(&projected);
        projected?;
        twin.projected.store(to.0, Ordering::Release);
        let bytes = twin.tail.lock().projected(after, to);
        self.unprojected.fetch_sub(bytes, Ordering::AcqRel);
        self.room.notify_waiters();
        self.cut_log(twin, to).await?;
        Ok(true)
    }

    /// Cuts the log behind the projector, some way behind so that those who follow it can fall
    /// back that far; where one whose position is kept is further behind, behind that, up to a limit.
    async fn cut_log(&self, twin: &Twin, projected: Revision) -> Result<(), StoreError> {
        let keep = self.options.log_revisions;
        let last = twin.cut.load(Ordering::Relaxed);
        // Now and then is enough; each cut rewrites pages of the log.
        let step = keep.div_ceil(8).max(1);
        if projected.0.saturating_sub(keep) < last + step {
            return Ok(());
        }
        let positions = self.store.positions(&twin.id).await?;
        let holding = positions.iter().filter(|(name, _)| name.starts_with(HOLDS_LOG));
        let slowest = holding.map(|(_, position)| position.0).min().unwrap_or(u64::MAX);
        let held = projected.0.saturating_sub(self.options.held_log_revisions.max(keep));
        let cut = projected.0.saturating_sub(keep).min(slowest.max(held));
        if cut < last + step {
            return Ok(());
        }
        self.store.cut_log(&twin.place, Revision(cut)).await?;
        twin.cut.store(cut, Ordering::Relaxed);
        Ok(())
    }
}

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
        for document in record.documents.iter().filter(|document| &*document.kind != CHOSEN) {
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
    for (change, entity_now) in record.changes.iter().zip(&followed.entities) {
        if only.is_some_and(|only| only.as_str() != change.id()) {
            ordinal += lines_of(change);
            continue;
        }
        let entity = EntityId::new(change.id()).expect("a change holds a checked id");
        let (revision, written) = (record.revision, record.time);
        let mut push = |event, time, tells| {
            let entity = entity.clone();
            rows.push(HistoryRow { entity, event, time, revision, ordinal, written, tells });
            ordinal += 1;
        };
        match change {
            EntityChange::Created(is) | EntityChange::Replaced { is, .. } => {
                push(HistoryEvent::Entity(is.clone()), written, Tells::Both);
            }
            EntityChange::Deleted(_) => push(HistoryEvent::Deleted, written, Tells::Both),
            EntityChange::Recorded { head, since } => {
                push(HistoryEvent::Head(head.clone()), *since, Tells::History);
            }
            EntityChange::Amended { amendment, .. } => {
                push(HistoryEvent::Amended(amendment.clone()), written, Tells::History);
                if let (Amendment::Everything, Some(is)) = (amendment, entity_now) {
                    let event = HistoryEvent::Entity(bare(is));
                    rows.push(HistoryRow {
                        entity: entity.clone(),
                        event,
                        time: written,
                        revision,
                        ordinal: ordinal - 1,
                        written,
                        tells: Tells::State,
                    });
                }
            }
            EntityChange::Updated { instances, .. } => {
                for instance in instances {
                    let (event, time, tells) = instance_event(instance, written);
                    push(event, time, tells);
                }
            }
            EntityChange::Observed { instances, .. } => {
                for instance in instances {
                    let (event, time, _) = instance_event(instance, written);
                    push(event, time, Tells::History);
                }
            }
        }
    }
    rows
}

/// An entity whose history was taken away, without what was taken away: what is written of it from
/// now on is told again.
fn bare(record: &Record) -> Record {
    without(record, |_| true).unwrap_or_else(|| record.clone())
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

/// What happened to an instance; no history tells that its time was over (clause 4.22), since its
/// history goes with it.
fn instance_event(change: &InstanceChange, now: Timestamp) -> (HistoryEvent, Timestamp, Tells) {
    let name = change.name;
    if let Some(bytes) = &change.is {
        let time = change.is().map_or(now, |instance| instance.time());
        return (HistoryEvent::Instance { name, instance: bytes.clone() }, time, Tells::Both);
    }
    let is_over = change.was().and_then(|was| was.expires_at()).is_some_and(|moment| moment <= now);
    let dataset_id = change.dataset_id().and_then(|d| cardo_model::Iri::new(d).ok());
    let tells = if is_over { Tells::State } else { Tells::Both };
    (HistoryEvent::InstanceDeleted { name, dataset_id }, now, tells)
}
