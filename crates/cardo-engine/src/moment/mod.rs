//! The twin as of a moment: what the server knew then, answered for like the twin as it is.
//!
//! What was not written to since is what it was. Of all else the histories tell what it was
//! ([`fold`]), those of the parents of a branch included; the root of now is then taken back to it
//! ([`build`]). The past twin has the documents with which a branch would begin and no histories,
//! takes no writes, and is kept until others need its place or nobody has asked it for a while.

mod build;
mod fold;
mod unknown;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use cardo_model::{EntityId, Revision, Timestamp, TwinId};
use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, oneshot};

use self::build::{Changed, build};
use self::fold::{Fold, Folds, Was};
pub(crate) use self::unknown::Unknown;
use crate::branch::Beginning;
use crate::engine::Inner;
use crate::history::{Amendments, MOST_ROWS};
use crate::live::Root;
use crate::ports::{HistoryRow, HistorySink, HistoryWalk, StoreError};
use crate::projector;
use crate::query::QueryError;
use crate::sequencer::{Command, Write};
use crate::twin::Twin;

/// Up to so many entities are looked for one at a time; for more, all histories are walked through.
const FEW: usize = 1_000;
/// So many questions wait for past twins to be made.
const MOST_WAITING: usize = 64;
/// A past twin that nobody asked for so many rounds of house-keeping is let go of.
const IDLE_ROUNDS: u64 = 10;

/// The past twins in memory.
#[derive(Default)]
pub(crate) struct Moments {
    kept: Mutex<HashMap<TwinId, Kept>>,
    making: AsyncMutex<()>,
    /// Counts how often histories were put right.
    amended: AtomicU64,
    waiting: AtomicUsize,
}

struct Kept {
    twin: Arc<Twin>,
    bytes: usize,
    /// Counts the uses, so that the one that was not used for longest is known.
    used: u64,
}

impl Moments {
    fn get(&self, id: &TwinId, now: &Twin) -> Option<Arc<Twin>> {
        let mut kept = self.kept.lock();
        let next = kept.values().map(|one| one.used).max().unwrap_or_default() + 1;
        let found = kept.get_mut(id)?;
        // A branch of the same name may be another by now.
        if found.twin.place != now.place {
            return None;
        }
        found.used = next;
        Some(found.twin.clone())
    }

    fn put(&self, twin: &Arc<Twin>, bytes: usize, (most, most_bytes): (usize, usize)) {
        let mut kept = self.kept.lock();
        let used = kept.values().map(|one| one.used).max().unwrap_or_default() + 1;
        loop {
            let held: usize = kept.values().map(|one| one.bytes).sum();
            if kept.len() < most.max(1) && held.saturating_add(bytes) <= most_bytes {
                break;
            }
            let oldest = kept.iter().min_by_key(|(_, one)| one.used).map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { break };
            kept.remove(&oldest);
        }
        kept.insert(twin.id.clone(), Kept { twin: twin.clone(), bytes, used });
    }

    /// Forgets the past of a twin, since its history is not what it was.
    pub(crate) fn forget(&self, twin: &Twin) {
        self.amended.fetch_add(1, Ordering::AcqRel);
        self.kept.lock().retain(|_, one| one.twin.id.tenant() != twin.id.tenant());
    }

    /// How often histories were put right since the engine was opened.
    pub(crate) fn times_amended(&self) -> u64 {
        self.amended.load(Ordering::Acquire)
    }

    /// Lets go of those that nobody asks any more.
    pub(crate) fn let_go(&self, tick: u64) {
        let is_idle = |twin: &Twin| twin.used.load(Ordering::Relaxed) + IDLE_ROUNDS < tick;
        self.kept.lock().retain(|_, one| !is_idle(&one.twin));
    }

    /// How many there are, and how many bytes they keep beside the twins as they are.
    pub(crate) fn figures(&self) -> (usize, usize) {
        let kept = self.kept.lock();
        (kept.len(), kept.values().map(|one| one.bytes).sum())
    }
}

impl Inner {
    /// A past twin that is in memory already.
    pub(crate) fn loaded_past(&self, id: &TwinId) -> Option<Arc<Twin>> {
        let now = self.loaded(&id.now())?;
        self.moments.get(id, &now)
    }

    /// A twin as it was, made where it is not in memory.
    pub(crate) async fn past(
        self: &Arc<Self>,
        id: &TwinId,
        moment: Timestamp,
    ) -> Result<Arc<Twin>, QueryError> {
        let now = Box::pin(self.twin(&id.now())).await?;
        if let Some(found) = self.moments.get(id, &now) {
            return Ok(found);
        }
        if moment >= (self.options.clock)() {
            return Err(QueryError::NotOver(moment));
        }
        let waiting = Waiting::new(self)?;
        // It is made to the end even where who asked goes away, since others are likely to ask again.
        let (inner, id) = (self.clone(), id.clone());
        let making = tokio::spawn(async move {
            let _waiting = waiting;
            inner.make(&id, now, moment).await
        });
        match tokio::time::timeout(self.options.query_timeout, making).await {
            Err(_) => Err(QueryError::BeingMade(moment)),
            Ok(Err(error)) => Err(StoreError::Failed(error.to_string()).into()),
            Ok(Ok(made)) => made,
        }
    }

    async fn make(
        self: Arc<Self>,
        id: &TwinId,
        now: Arc<Twin>,
        moment: Timestamp,
    ) -> Result<Arc<Twin>, QueryError> {
        let _one_at_a_time = self.moments.making.lock().await;
        if let Some(found) = self.moments.get(id, &now) {
            return Ok(found);
        }
        let amended = self.moments.times_amended();
        self.finish_writes(&now).await;
        let root = now.root.load_full();
        let looking = root.clone();
        let changed = off(move || Changed::since(&looking, moment)).await?;
        let (were, unknown) = self.what_was(&now, &root, &changed.ids, moment).await?;
        let (seed, looking) = (self.seed, root.clone());
        let built = off(move || build(seed, &looking, were, changed.revision, moment)).await?;
        let bytes = built.bytes + unknown.as_ref().map_or(0, |unknown| unknown.bytes());
        let mut twin = Twin::past(id.clone(), built.root, &now);
        if let Some(unknown) = &unknown {
            twin.unknown_types = unknown.types(&root, &twin.root.load());
        }
        twin.unknown = unknown;
        twin.used = self.tick.load(Ordering::Relaxed).into();
        let twin = Arc::new(twin);
        let options = &self.options;
        if self.moments.times_amended() == amended {
            self.moments.put(&twin, bytes, (options.moments, options.moment_bytes));
        }
        Ok(twin)
    }

    /// Waits for the writes that came before: what is written later is later than any moment that is
    /// over now.
    async fn finish_writes(&self, twin: &Arc<Twin>) {
        let (reply, answer) = oneshot::channel();
        let write = Write {
            twin: twin.clone(),
            operations: Vec::new(),
            offsets: Vec::new(),
            if_revision: None,
            if_unchanged: None,
            principal: "engine".into(),
            origin: "engine".into(),
            reply,
        };
        self.metrics.queued.fetch_add(1, Ordering::Relaxed);
        if self.commands.send(Command::Write(write)).await.is_err() {
            self.metrics.queued.fetch_sub(1, Ordering::Relaxed);
        }
        // Whatever comes of it, what stood before it in the queue is done.
        let _ = answer.await;
    }

    /// What entities were at a moment, as their histories tell it.
    async fn what_was(
        self: &Arc<Self>,
        twin: &Arc<Twin>,
        root: &Arc<Root>,
        ids: &[Box<str>],
        moment: Timestamp,
    ) -> Result<(HashMap<Box<str>, Was>, Option<Arc<Unknown>>), QueryError> {
        let entities =
            (ids.len() <= FEW).then(|| ids.iter().filter_map(|id| entity_id(id)).collect());
        let walk = HistoryWalk { entities, up_to: root.revision, until: moment };
        let mut folds = Folds::new(ids.iter().cloned(), moment, root.revision);
        self.walk(twin, &walk, &mut Told::to(&mut folds, root)).await?;
        let amended = folds.of.iter().filter(|(_, fold)| fold.is_amended);
        let amended: Vec<EntityId> = amended.filter_map(|(id, _)| entity_id(id)).collect();
        for entity in amended {
            let fold = self.put_right(twin, root, &walk, &entity).await?;
            folds.of.insert(entity.as_str().into(), fold);
        }
        let unknown = self.take_unknown(twin, root, &mut folds, moment);
        let were = off(move || {
            let all = folds.of.into_iter();
            all.map(|(id, fold)| (id, fold.finish(moment))).collect()
        });
        Ok((were.await?, unknown))
    }

    /// Hands out what is kept of the histories, what is not projected yet and that of the parents
    /// included.
    async fn walk(
        &self,
        twin: &Twin,
        walk: &HistoryWalk,
        sink: &mut Told<'_>,
    ) -> Result<(), QueryError> {
        // What is projected in between comes twice, which changes nothing.
        let tail = twin.tail.lock().behind(twin.projected(), usize::MAX);
        self.store.walk_history(&twin.place, walk, sink).await?;
        for followed in tail.iter().filter(|followed| followed.record.revision <= walk.up_to) {
            for row in projector::rows(followed, None) {
                if sink.wants(row.entity.as_str()) {
                    let entity = row.entity.clone();
                    sink.take(&entity, vec![row]);
                }
            }
            tokio::task::yield_now().await;
        }
        if let Some(origin) = &twin.origin {
            let walk = HistoryWalk { up_to: walk.up_to.min(origin.revision), ..walk.clone() };
            if origin.is_part {
                sink.begin = Some(origin.revision);
            }
            Box::pin(self.walk(&origin.parent, &walk, sink)).await?;
        }
        Ok(())
    }

    /// What one entity was, of whose history something was put right that still stands in it.
    async fn put_right(
        &self,
        twin: &Twin,
        root: &Root,
        walk: &HistoryWalk,
        entity: &EntityId,
    ) -> Result<Fold, QueryError> {
        let walk = HistoryWalk { entities: Some(vec![entity.clone()]), ..walk.clone() };
        let mut rows = Rows { entity: entity.clone(), all: Vec::new(), is_cut: false };
        self.walk(twin, &walk, &mut Told::to(&mut rows, root)).await?;
        if rows.is_cut {
            return Err(QueryError::TooMuchHistory(MOST_ROWS));
        }
        let mut rows = rows.all;
        rows.retain(|row| row.revision <= walk.up_to);
        let amendments = Amendments::take(&mut rows);
        Ok(Fold::of(amendments.carry_out(rows), walk.until))
    }

    /// Takes out entities of which it is no longer known what they were.
    fn take_unknown(
        &self,
        twin: &Twin,
        root: &Arc<Root>,
        folds: &mut Folds,
        moment: Timestamp,
    ) -> Option<Arc<Unknown>> {
        let cuts = self.cuts_of(&twin.id, root)?;
        let mut unknown = Unknown::of(moment);
        for (id, fold) in &mut folds.of {
            let Some((cut, rule)) = cuts.cut(id).filter(|(cut, _)| *cut > moment) else { continue };
            if !fold.was_not_there(moment, cut) {
                let type_name = rule.and_then(|name| self.names.name(name));
                unknown.take(id, cuts.types(id), (cut, type_name));
                *fold = Fold::default();
            }
        }
        unknown.any()
    }
}

fn entity_id(id: &str) -> Option<EntityId> {
    EntityId::new(id).ok()
}

/// Does longer work beside all other.
async fn off<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, QueryError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Failed(error.to_string()).into())
}

/// One question that waits for a past twin.
struct Waiting(Arc<Inner>);

impl Waiting {
    fn new(inner: &Arc<Inner>) -> Result<Self, QueryError> {
        let waiting = Self(inner.clone());
        if inner.moments.waiting.fetch_add(1, Ordering::AcqRel) >= MOST_WAITING {
            return Err(QueryError::Busy);
        }
        Ok(waiting)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.moments.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Hands on what is told of a branch, and of what was before it only what is told of entities that it
/// began with.
struct Told<'a> {
    sink: &'a mut dyn HistorySink,
    beginning: Beginning<'a>,
    /// Where the last branch that is a part of its parent began, once its own history is told.
    begin: Option<Revision>,
}

impl<'a> Told<'a> {
    fn to(sink: &'a mut dyn HistorySink, root: &'a Root) -> Self {
        Self { sink, beginning: Beginning::of(root), begin: None }
    }
}

impl HistorySink for Told<'_> {
    fn wants(&self, entity: &str) -> bool {
        self.sink.wants(entity) && self.begin.is_none_or(|begin| self.beginning.has(entity, begin))
    }

    fn take(&mut self, entity: &EntityId, rows: Vec<HistoryRow>) {
        if self.wants(entity.as_str()) {
            for row in &rows {
                self.beginning.note(row);
            }
            self.sink.take(entity, rows);
        }
    }
}

/// All rows of one entity.
struct Rows {
    entity: EntityId,
    all: Vec<HistoryRow>,
    is_cut: bool,
}

impl HistorySink for Rows {
    fn wants(&self, entity: &str) -> bool {
        entity == self.entity.as_str() && !self.is_cut
    }

    fn take(&mut self, _: &EntityId, mut rows: Vec<HistoryRow>) {
        self.all.append(&mut rows);
        self.is_cut = self.all.len() > MOST_ROWS;
    }
}
