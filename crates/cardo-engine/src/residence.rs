//! Which twins are in memory: loaded at their first use, let go of when they are idle.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cardo_model::{LogRecord, Record, Revision, TwinId};
use hashbrown::HashMap;

use crate::branch::Entry;
use crate::engine::Inner;
use crate::live::Root;
use crate::ports::{LogError, StateSink, StoreError};
use crate::projector::PROJECTION_BYTES;
use crate::twin::{Tailed, Twin};

impl Inner {
    /// Loads a twin from the store; makes an empty one where it is missing and that is wanted.
    pub(crate) async fn load(
        self: &Arc<Self>,
        id: &TwinId,
        make: bool,
    ) -> Result<Option<Arc<Twin>>, StoreError> {
        let _one_at_a_time = self.loading.lock().await;
        if let Some(twin) = self.loaded(id) {
            return Ok(Some(twin));
        }
        if id.is_main() {
            return self.load_main(id, make).await;
        }
        let main = id.main();
        let main = match self.loaded(&main) {
            Some(main) => Some(main),
            None => self.load_main(&main, false).await?,
        };
        let Some(main) = main else { return Ok(None) };
        let now = (self.options.clock)();
        match Entry::of(&main.root.load(), id.branch()).filter(|entry| !entry.is_over(now)) {
            Some(entry) => self.load_branch(id, &main, &entry, true).await,
            None => Ok(None),
        }
    }

    async fn load_main(
        self: &Arc<Self>,
        id: &TwinId,
        make: bool,
    ) -> Result<Option<Arc<Twin>>, StoreError> {
        let twin = match self.store.head(id).await? {
            Some(head) => self.read_twin(id, head).await?,
            None if make => Twin::new(id.clone(), Root::empty(self.seed), Revision(0)),
            None => return Ok(None),
        };
        let root = twin.root.load_full();
        self.hold_for_branches(&root, &twin).await?;
        let twin = Arc::new(twin);
        self.insert(&twin);
        if id.is_default() {
            self.default_twin.store(Arc::new(Some(twin.clone())));
        }
        self.expiry_changed.notify_one();
        if Entry::has_any(&root) {
            tokio::spawn(resume(self.clone(), twin.clone()));
        }
        Ok(Some(twin))
    }

    async fn read_twin(&self, id: &TwinId, head: Revision) -> Result<Twin, StoreError> {
        let start = Instant::now();
        let (root, projected, tailed) = self.read_root(id, head).await?;
        tracing::info!(
            twin = %id,
            entities = root.live.len(),
            replayed = tailed.len(),
            milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            "twin loaded"
        );
        let bytes: usize = tailed.iter().map(|t| t.bytes).sum();
        let twin = Twin::new(id.clone(), Root::empty(self.seed), projected);
        twin.publish(Arc::new(root), tailed);
        self.unprojected.fetch_add(bytes, Ordering::AcqRel);
        if bytes > 0 {
            self.work_to_project.notify_one();
        }
        Ok(twin)
    }

    /// Reads what the store keeps of a twin as it was at a revision that its state has not gone
    /// beyond.
    pub(crate) async fn read_root(
        &self,
        place: &TwinId,
        head: Revision,
    ) -> Result<(Root, Revision, Vec<Tailed>), StoreError> {
        let mut sink = Collected(Vec::new());
        let projected = self.store.load(place, &mut sink).await?;
        if projected.revision > head {
            return Err(StoreError::Damaged(format!(
                "the state of twin {place} is at revision {}, beyond the {head} that is asked for",
                projected.revision
            )));
        }
        let (seed, records) = (self.seed, sink.0);
        let built = tokio::task::spawn_blocking(move || Root::build(seed, records));
        let mut root = built.await.map_err(|error| StoreError::Failed(error.to_string()))?;
        root.revision = projected.revision;
        for document in &projected.documents {
            root.put_document(document);
        }
        for offset in &projected.offsets {
            root.put_offset(offset);
        }
        let (root, tailed) = self.replay_tail(place, root, head).await?;
        Ok((root, projected.revision, tailed))
    }

    /// Goes on from a root to a revision by the log.
    pub(crate) async fn replay_tail(
        &self,
        id: &TwinId,
        mut root: Root,
        head: Revision,
    ) -> Result<(Root, Vec<Tailed>), StoreError> {
        let mut tailed = Vec::new();
        while root.revision < head {
            let run = self.store.read_log(id, root.revision, PROJECTION_BYTES).await;
            let run = run.map_err(|error| match error {
                LogError::Store(error) => error,
                gone @ LogError::Gone { .. } => StoreError::Damaged(format!(
                    "the log of twin {id} does not reach back to its state: {gone}; restore a backup"
                )),
            })?;
            if run.is_empty() {
                break;
            }
            for encoded in run.into_iter().take_while(|encoded| encoded.revision <= head) {
                let record = LogRecord::decode(&encoded.bytes).map_err(|error| {
                    StoreError::Damaged(format!("the log of twin {id}: {error}; restore a backup"))
                })?;
                let followed = Arc::new(root.replay(record));
                tailed.push(Tailed::new(followed, encoded.bytes.len()));
            }
        }
        Ok((root, tailed))
    }

    /// Lets go of twins that nobody has used for a while, where more are loaded than wanted.
    pub(crate) async fn evict_idle(&self) {
        let now = self.tick.fetch_add(1, Ordering::Relaxed) + 1;
        let _nobody_loads = self.loading.lock().await;
        let mut idle: Vec<Arc<Twin>> = self.loaded_twins();
        let surplus = idle.len().saturating_sub(self.options.loaded_twins);
        let has_room = self.retained() <= self.options.branch_bytes;
        idle.retain(|twin| twin.used.load(Ordering::Relaxed) + 1 < now && !twin.id.is_default());
        idle.sort_by_key(|twin| twin.used.load(Ordering::Relaxed));
        for twin in idle.iter().take(surplus) {
            self.evict(twin);
        }
        // What an idle branch keeps in memory it can be loaded with again.
        for twin in idle.iter().filter(|twin| twin.main.is_some() && !has_room) {
            self.evict(twin);
        }
    }

    /// Takes a twin out of memory unless somebody holds it or its log is not projected.
    fn evict(&self, twin: &Arc<Twin>) {
        let is_projected = twin.projected() == twin.root.load().revision;
        if !is_projected || twin.published.receiver_count() > 0 {
            return;
        }
        self.let_go(twin);
        // Whoever got hold of it in between may write to it, so it has to stay.
        if Arc::strong_count(twin) > 1 {
            self.insert(twin);
        }
    }

    pub(crate) fn let_go(&self, twin: &Twin) {
        self.twins.rcu(|twins| {
            let mut twins = HashMap::clone(twins);
            twins.remove(&twin.id);
            twins
        });
    }

    pub(crate) fn insert(&self, twin: &Arc<Twin>) {
        self.twins.rcu(|twins| {
            let mut twins = HashMap::clone(twins);
            twins.insert(twin.id.clone(), twin.clone());
            twins
        });
    }
}

/// The type is named, because loading and this call one another.
fn resume(inner: Arc<Inner>, main: Arc<Twin>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move { inner.resume_branches(&main).await })
}

/// After so many rounds histories are cut off where they are older than they are kept.
const PRUNE_ROUNDS: u32 = 60;

/// Evicts idle twins now and then, and prunes histories.
pub(crate) async fn keep_house(inner: Arc<Inner>) {
    let mut round = tokio::time::interval(Duration::from_secs(60));
    for number in 0_u32.. {
        round.tick().await;
        if inner.is_closed() {
            return;
        }
        inner.drop_expired().await;
        inner.evict_idle().await;
        inner.moments.let_go(inner.tick.load(Ordering::Relaxed));
        // Not at the very start, when there is enough to do.
        if number % PRUNE_ROUNDS == 1
            && let Err(error) = inner.prune().await
        {
            tracing::error!(%error, "histories were not pruned");
        }
    }
}

struct Collected(Vec<Record>);

impl StateSink for Collected {
    fn entities(&mut self, records: Vec<Record>) {
        self.0.extend(records);
    }
}
