use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use cardo_model::{Iri, NameId, Names, Revision, Timestamp, TwinId};
use cardo_query::Filter;
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Mutex as AsyncMutex, Notify, Semaphore, mpsc, oneshot};

use crate::branch::Pins;
use crate::caller::Caller;
use crate::demand;
use crate::entity_maps::EntityMaps;
use crate::federation::{ContextSources, Contributions, FarHistories, Registrations};
use crate::follow::{Followed, Follower};
use crate::history::{EntityHistory, EvolutionPage, EvolutionQuery, HistoryRequest, cut_together};
use crate::known;
use crate::listing::Listing;
use crate::live::{Root, widen_by_record};
use crate::metrics::{Counters, EngineMetrics, TwinMetrics};
use crate::moment::Moments;
use crate::operation::{Batch, Operation, Outcome, WriteError};
use crate::options::EngineOptions;
use crate::plan::Plan;
use crate::ports::{HistoryQuery, HistoryRow, Store, StoreError};
use crate::projector;
use crate::query::{EntityQuery, Page, QueryError};
use crate::residence;
use crate::sequencer::{self, Command, Write};
use crate::snapshot::{Asked, Found, Snapshot};
use crate::tables::{Made, Tables, Terms};
use crate::twin::Twin;
use crate::watch::Watch;

/// All twins of one store, live in memory. Cloning shares them.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) options: EngineOptions,
    pub(crate) names: Arc<Names>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) metrics: Counters,
    pub(crate) unprojected: AtomicUsize,
    pub(crate) work_to_project: Notify,
    pub(crate) expiry_changed: Notify,
    pub(crate) seed: u64,
    pub(crate) twins: ArcSwap<HashMap<TwinId, Arc<Twin>>>,
    pub(crate) default_twin: ArcSwap<Option<Arc<Twin>>>,
    pub(crate) loading: AsyncMutex<()>,
    pub(crate) room: Notify,
    pub(crate) costly: Semaphore,
    pub(crate) sources: RwLock<Option<Weak<dyn ContextSources>>>,
    /// How many names were learnt of context sources alone.
    pub(crate) names_of_sources: AtomicUsize,
    pub(crate) entity_maps: EntityMaps,
    pub(crate) moments: Moments,
    pub(crate) pins: Pins,
    /// The time of the last change, as bits; none is older than the one before.
    last_time: AtomicI64,
    index_bytes: AtomicUsize,
    /// Counts the rounds of house-keeping, as a coarse clock.
    pub(crate) tick: AtomicU64,
    pub(crate) projecting: AsyncMutex<()>,
    closed: AtomicBool,
    tasks: Mutex<Vec<tokio::task::JoinHandle<()>>>,
}

/// A question that is likely to take longer runs in slices and waits for its turn.
const COSTLY_NS: f64 = 1_000_000.0;
const SLICE: Duration = Duration::from_micros(100);
/// So many entities are looked at between two looks at the clock.
const STEP: usize = 64;
/// What a look at one record takes.
const RECORD: Duration = Duration::from_nanos(200);
/// How often a history is read again because a projection came in between.
const MOST_TRIES: u32 = 8;

impl Engine {
    /// Opens the twins of a store; none is loaded before its first use.
    pub async fn open(store: Arc<dyn Store>, options: EngineOptions) -> Result<Self, StoreError> {
        let names = Arc::new(Names::default());
        names.learn(store.names().await?);
        let (commands, receiver) = mpsc::channel(options.queued_writes.max(1));
        let seed = std::hash::BuildHasher::hash_one(&foldhash::fast::RandomState::default(), 0_u8);
        let inner = Arc::new(Inner {
            store,
            names,
            commands,
            metrics: Counters::default(),
            unprojected: AtomicUsize::new(0),
            work_to_project: Notify::new(),
            expiry_changed: Notify::new(),
            seed,
            twins: ArcSwap::default(),
            default_twin: ArcSwap::default(),
            loading: AsyncMutex::new(()),
            room: Notify::new(),
            costly: Semaphore::new(options.costly_queries.max(1)),
            sources: RwLock::default(),
            names_of_sources: AtomicUsize::new(0),
            entity_maps: EntityMaps::default(),
            moments: Moments::default(),
            pins: Pins::default(),
            last_time: AtomicI64::new(Timestamp::MIN.to_bits()),
            index_bytes: AtomicUsize::new(0),
            tick: AtomicU64::new(0),
            projecting: AsyncMutex::new(()),
            closed: AtomicBool::new(false),
            tasks: Mutex::default(),
            options,
        });
        let tasks = [
            tokio::spawn(sequencer::run(inner.clone(), receiver)),
            tokio::spawn(projector::run(inner.clone())),
            tokio::spawn(sequencer::watch_expiries(inner.clone())),
            tokio::spawn(residence::keep_house(inner.clone())),
        ];
        inner.tasks.lock().extend(tasks);
        Ok(Self { inner })
    }

    /// The names of types and attributes, with their ids.
    pub fn names(&self) -> &Names {
        &self.inner.names
    }

    /// The short names of the configured context.
    pub fn terms(&self) -> &Terms {
        &self.inner.options.terms
    }

    /// The time by which the engine goes.
    pub fn now(&self) -> Timestamp {
        (self.inner.options.clock)()
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    pub(crate) fn entity_maps(&self) -> &EntityMaps {
        &self.inner.entity_maps
    }

    /// The twin of the caller as it is now; loads it where that has not happened yet.
    pub async fn snapshot(&self, caller: &Caller) -> Result<Snapshot, QueryError> {
        let twin = self.inner.twin(&caller.twin).await?;
        Ok(self.inner.snapshot_of(&twin, caller))
    }

    /// The same, of which [`crate::TypeInfo::time`] is exact although readings have gone: looks at
    /// all entities of the types where the first or last reading may have.
    pub async fn snapshot_with_times(&self, caller: &Caller) -> Result<Snapshot, QueryError> {
        let snapshot = self.snapshot(caller).await?;
        let root = &snapshot.root;
        for index in root.types.values().filter(|index| index.times.exact().is_none()) {
            let (mut found, mut slots) = (None, index.members.iter());
            let mut look = || {
                let records = slots.by_ref().take(STEP).filter_map(|slot| root.record(slot));
                records.map(|record| widen_by_record(&mut found, record)).count() > 0
            };
            let expected = RECORD * u32::try_from(index.members.len()).unwrap_or(u32::MAX);
            self.in_slices(expected, &mut look).await?;
            index.times.keep(found);
        }
        Ok(snapshot)
    }

    /// The twin of the caller as it is now, where it is loaded: the way without waiting.
    #[inline]
    pub fn loaded_snapshot(&self, caller: &Caller) -> Option<Snapshot> {
        let twin = self.inner.loaded(&caller.twin)?;
        Some(self.inner.snapshot_of(&twin, caller))
    }

    /// How the caller's twin looks as tables, and as what context sources have where it reaches them.
    /// They are made anew only when other types, attributes or facets of them occur than before; under a restriction they are those of what is visible,
    /// and made at each call.
    pub async fn tables(&self, caller: &Caller) -> Result<Arc<Tables>, QueryError> {
        let inner = &self.inner;
        let twin = inner.twin(&caller.twin).await?;
        let snapshot = inner.snapshot_of(&twin, caller);
        if let Some(tables) = inner.far_tables(caller, &twin, &snapshot).await? {
            return Ok(tables);
        }
        let make = |root: &Root| Arc::new(Tables::of(root, &inner.names, &inner.options.terms));
        if caller.view.restriction().is_some() {
            return Ok(make(&snapshot.visible_root()));
        }
        let Root { shape, lineage, .. } = *snapshot.root;
        if let Some(made) = &*twin.tables.load()
            && (made.shape, made.lineage) == (shape, lineage)
        {
            return Ok(made.tables.clone());
        }
        let tables = if twin.unknown_types.is_empty() {
            make(&snapshot.root)
        } else {
            make(&snapshot.root.with_types(&twin.unknown_types))
        };
        twin.tables.store(Some(Arc::new(Made { shape, lineage, tables: tables.clone() })));
        Ok(tables)
    }

    /// The context sources that the caller's twin knows. They are read anew only after one of them
    /// has changed.
    pub async fn registrations(&self, caller: &Caller) -> Result<Arc<Registrations>, QueryError> {
        let twin = match self.inner.loaded(&caller.twin) {
            Some(twin) => twin,
            None => self.inner.twin(&caller.twin).await?,
        };
        Ok(twin.registrations())
    }

    /// Answers a question. What is likely to take long runs in slices, between which others run.
    pub async fn query(&self, caller: &Caller, query: &EntityQuery) -> Result<Page, QueryError> {
        let inner = &self.inner;
        let twin = match inner.loaded(&caller.twin) {
            Some(twin) => twin,
            None => inner.twin(&caller.twin).await?,
        };
        let snapshot = inner.snapshot_of(&twin, caller);
        if caller.reach.is_far() {
            return inner.answer_far(caller, &twin, &snapshot, query).await;
        }
        inner.answer_linked(&twin, &snapshot, query).await
    }

    /// Answers a question from a snapshot that is held, so that several answers are of one
    /// revision.
    pub async fn query_in(
        &self,
        caller: &Caller,
        snapshot: &Snapshot,
        query: &EntityQuery,
    ) -> Result<Page, QueryError> {
        let twin = self.inner.twin(&caller.twin).await?;
        if caller.reach.is_far() {
            return self.inner.answer_far(caller, &twin, snapshot, query).await;
        }
        self.inner.answer_linked(&twin, snapshot, query).await
    }

    /// Answers a question of which the answer may be large: what comes of it are the places of the
    /// entities in a snapshot, which are read when they are wanted.
    pub async fn listing(
        &self,
        caller: &Caller,
        query: &EntityQuery,
    ) -> Result<Listing, QueryError> {
        let twin = self.inner.twin(&caller.twin).await?;
        let snapshot = self.inner.snapshot_of(&twin, caller);
        if caller.reach.is_far() {
            let page = self.inner.answer_far(caller, &twin, &snapshot, query).await?;
            return Ok(page.into());
        }
        self.inner.list_linked(&twin, snapshot, query).await
    }

    /// Runs work on a snapshot that is more than a question: at once where it is over soon, else in
    /// slices between which others run, and within the limits of costly questions. `step` goes a
    /// little further, some microseconds, and is `false` when nothing is left to do.
    pub async fn in_slices(
        &self,
        expected: Duration,
        step: &mut (impl FnMut() -> bool + Send),
    ) -> Result<(), QueryError> {
        if expected.as_secs_f64() * 1e9 >= COSTLY_NS || !runs_out(step) {
            self.inner.run_in_slices(step).await?;
        }
        Ok(())
    }

    /// Judges what a follower of the log reads, on behalf of a caller.
    pub fn watch(&self, caller: &Caller, filter: Filter) -> Watch {
        Watch::new(self.inner.clone(), caller.clone(), filter)
    }

    /// Applies a batch; when it returns, the changes are durable and visible. Where context sources
    /// have a part in it, and the caller reaches them, they have been told.
    pub async fn apply(&self, caller: &Caller, batch: Batch) -> Result<Outcome, WriteError> {
        if let Some(moment) = caller.twin.moment() {
            return Err(WriteError::Past(moment));
        }
        let limit = cardo_model::MAX_CHANGES_PER_REVISION as usize / 2;
        if batch.operations.len() > limit {
            return Err(WriteError::BatchTooLarge(batch.operations.len(), limit));
        }
        if !caller.reach.is_far() {
            return self.apply_here(caller, batch).await;
        }
        match Box::pin(self.distribute(caller, batch)).await {
            Ok(outcome) => outcome,
            Err(batch) => self.apply_here(caller, batch).await,
        }
    }

    /// Applies a batch to the twin alone.
    pub(crate) async fn apply_here(
        &self,
        caller: &Caller,
        batch: Batch,
    ) -> Result<Outcome, WriteError> {
        let inner = &self.inner;
        let twin = inner.twin_to_write(&caller.twin).await?;
        let operations = inner.resolve_names(batch.operations).await?;
        let operations = known::without_known_readings(self, caller, &twin, operations).await?;
        let (reply, answer) = oneshot::channel();
        let write = Write {
            twin,
            operations,
            offsets: batch.offsets,
            if_revision: batch.if_revision,
            if_unchanged: batch.if_unchanged,
            principal: caller.principal.as_str().into(),
            origin: caller.origin.as_ref().into(),
            reply,
        };
        inner.metrics.queued.fetch_add(1, Ordering::Relaxed);
        inner.commands.try_send(Command::Write(write)).map_err(|error| {
            inner.metrics.queued.fetch_sub(1, Ordering::Relaxed);
            match error {
                mpsc::error::TrySendError::Full(_) => WriteError::Busy,
                mpsc::error::TrySendError::Closed(_) => WriteError::ShuttingDown,
            }
        })?;
        answer.await.unwrap_or(Err(WriteError::ShuttingDown))
    }

    /// The history of one entity, that which is not projected yet included; `None` where there
    /// never was such an entity.
    pub async fn history(
        &self,
        caller: &Caller,
        request: &HistoryRequest,
    ) -> Result<Option<EntityHistory>, QueryError> {
        Ok(self.history_told(caller, request).await?.0)
    }

    /// The same, and what came of asking context sources where they were asked.
    pub async fn history_told(
        &self,
        caller: &Caller,
        request: &HistoryRequest,
    ) -> Result<(Option<EntityHistory>, Option<Contributions>), QueryError> {
        of_now(&caller.twin, "histories")?;
        let inner = &self.inner;
        let twin = inner.twin(&caller.twin).await?;
        let snapshot = inner.snapshot_of(&twin, caller);
        if !caller.reach.is_far() {
            return Ok((inner.history_in(&twin, &snapshot, request, None, &[]).await?, None));
        }
        let one = Filter::Ids(vec![request.entity.clone()]);
        let far = inner.gather_histories(caller, &one, 1).await?;
        let rows = far.of(&request.entity);
        let mut history = inner.history_in(&twin, &snapshot, request, None, rows).await?;
        if let (Some(reach), Some(history)) = (far.reach(request), &mut history) {
            // Beyond what a source has told of, the rest is no whole either.
            history.is_cut |= cut_together(std::slice::from_mut(history), request, Some(reach));
        }
        Ok((history, far.contributions))
    }

    /// Finds entities by their history (clause 5.7.4), those that are no longer in the twin, or never
    /// were, included.
    pub async fn evolution(
        &self,
        caller: &Caller,
        query: &EvolutionQuery,
    ) -> Result<EvolutionPage, QueryError> {
        of_now(&caller.twin, "histories")?;
        let inner = &self.inner;
        let twin = inner.twin(&caller.twin).await?;
        let snapshot = inner.snapshot_of(&twin, caller);
        if !caller.reach.is_far() {
            return inner.evolution_in(&twin, &snapshot, query, &FarHistories::default()).await;
        }
        let filter = query.entities.clone().and(query.values.clone()).and(query.scopes.clone());
        let far = inner.gather_histories(caller, &filter, most_histories(query)).await?;
        let mut page = inner.evolution_in(&twin, &snapshot, query, &far).await?;
        page.has_more |= far.is_cut();
        Ok(page)
    }

    /// Follows the log of a twin behind a revision.
    pub async fn follow(&self, twin: &TwinId, after: Revision) -> Result<Follower, QueryError> {
        of_now(twin, "changes to follow")?;
        let twin = self.inner.twin(twin).await?;
        Ok(Follower::new(twin, self.inner.store.clone(), after))
    }

    /// Waits until a revision is visible here.
    pub async fn wait_for(
        &self,
        caller: &Caller,
        revision: Revision,
        at_most: Duration,
    ) -> Result<(), QueryError> {
        // Every twin has that one, also those that nobody has written to yet.
        if revision == Revision(0) {
            return Ok(());
        }
        let twin = self.inner.twin(&caller.twin).await?;
        let mut published = twin.published.subscribe();
        let arrived = published.wait_for(|now| *now >= revision);
        match tokio::time::timeout(at_most, arrived).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(QueryError::NotYet(revision)),
        }
    }

    /// Every twin that was ever written to, and every branch that is there.
    pub async fn twins(&self) -> Result<Vec<TwinId>, StoreError> {
        let mut twins = self.inner.store.twins().await?;
        let mut branched: Vec<TwinId> =
            twins.iter().filter(|twin| !twin.is_main()).map(TwinId::main).collect();
        branched.dedup();
        twins.retain(TwinId::is_main);
        for main in branched {
            let Ok(branches) = self.branches(&main).await else { continue };
            let ids = branches.iter().filter_map(|branch| main.with_branch(&branch.name).ok());
            twins.extend(ids);
        }
        Ok(twins)
    }

    /// The store, for the positions of those who follow a log.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// The state of the engine in numbers.
    pub fn metrics(&self) -> EngineMetrics {
        let inner = &self.inner;
        let twins = inner.loaded_twins();
        EngineMetrics {
            unprojected_bytes: inner.unprojected.load(Ordering::Relaxed),
            names: inner.names.len(),
            twins: twins.iter().map(|twin| inner.measure(twin)).collect(),
            branches: twins.iter().filter(|twin| twin.main.is_some()).count(),
            branch_bytes: inner.retained(),
            moments: inner.moments.figures().0,
            moment_bytes: inner.moments.figures().1,
            ..inner.metrics.read()
        }
    }

    /// Projects everything that is published now; for tests, backups and shutting down.
    pub async fn project_all(&self) -> Result<(), StoreError> {
        self.inner.project_all().await
    }

    /// Drops from all histories what is older than it is to be kept. It is done every hour anyway.
    pub async fn prune_histories(&self) -> Result<(), QueryError> {
        self.inner.prune().await
    }

    /// Stops taking writes, projects what is in memory, and closes the store.
    pub async fn close(&self) -> Result<(), StoreError> {
        let inner = &self.inner;
        let (done, is_done) = oneshot::channel();
        if inner.commands.send(Command::Close(done)).await.is_ok() {
            let _ = is_done.await;
        }
        inner.closed.store(true, Ordering::Release);
        inner.work_to_project.notify_one();
        inner.expiry_changed.notify_one();
        let projected = inner.project_all().await;
        for task in std::mem::take(&mut *inner.tasks.lock()) {
            task.abort();
        }
        inner.store.close().await?;
        projected
    }
}

impl Inner {
    pub(crate) async fn answer(
        self: &Arc<Self>,
        twin: &Arc<Twin>,
        snapshot: &Snapshot,
        query: &EntityQuery,
    ) -> Result<Page, QueryError> {
        let (asked, found) = self.find(twin, snapshot, query).await?;
        Ok(snapshot.page(query, &asked, found))
    }

    /// Finds what a question asks for.
    pub(crate) async fn find(
        self: &Arc<Self>,
        twin: &Arc<Twin>,
        snapshot: &Snapshot,
        query: &EntityQuery,
    ) -> Result<(Asked, Found), QueryError> {
        snapshot.check(&query.filter)?;
        let filter = snapshot.resolve(&query.filter);
        let asked = Asked::of(&snapshot.root, query);
        let plan = Plan::new(&snapshot.root, &filter, asked.need);
        // A past twin has the indexes of the twin as it is, and does not last.
        if !plan.wanted.is_empty() && twin.id.moment().is_none() {
            demand::missed(self, twin, &plan.wanted);
        }
        let mut walk = snapshot.walk(query, plan, asked.window);
        if walk.cost() >= COSTLY_NS || !runs_out(&mut || walk.step()) {
            self.run_in_slices(&mut || walk.step()).await?;
        }
        Ok((asked, walk.finish()))
    }

    /// What the store holds of a history, and the tail behind it. When a projection comes in
    /// between, both are read again, because the store has counted its last rows already.
    pub(crate) async fn history_rows(
        &self,
        twin: &Twin,
        query: &HistoryQuery,
    ) -> Result<(Revision, Vec<Arc<Followed>>, Vec<HistoryRow>), StoreError> {
        let mut tries = 0;
        loop {
            let projected = twin.projected();
            let tail = twin.tail.lock().behind(projected, usize::MAX);
            let rows = self.store.history(&twin.place, query).await?;
            tries += 1;
            if twin.projected() == projected || tries == MOST_TRIES {
                return Ok((projected, tail, rows));
            }
        }
    }

    /// The time of a change that is made now.
    pub(crate) fn time_of_change(&self) -> Timestamp {
        let now = (self.options.clock)().to_bits();
        Timestamp::from_bits(now.max(self.last_time.fetch_max(now, Ordering::AcqRel)))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn loaded_twins(&self) -> Vec<Arc<Twin>> {
        self.twins.load().values().cloned().collect()
    }

    #[inline]
    pub(crate) fn loaded(&self, twin: &TwinId) -> Option<Arc<Twin>> {
        if twin.is_default() {
            return Option::clone(&self.default_twin.load());
        }
        if twin.moment().is_some() {
            return self.loaded_past(twin);
        }
        let found = self.twins.load().get(twin).cloned()?;
        let is_over = found.main.is_some() && found.is_over((self.options.clock)());
        (!is_over).then_some(found)
    }

    pub(crate) fn snapshot_of(&self, twin: &Arc<Twin>, caller: &Caller) -> Snapshot {
        twin.used.store(self.tick.load(Ordering::Relaxed), Ordering::Relaxed);
        Snapshot {
            root: twin.root.load_full(),
            names: self.names.clone(),
            view: caller.view.clone(),
            contributions: None,
            unknown: twin.unknown.clone(),
        }
    }

    /// A twin that exists; the default one always does.
    pub(crate) async fn twin(self: &Arc<Self>, id: &TwinId) -> Result<Arc<Twin>, QueryError> {
        if let Some(twin) = self.loaded(id) {
            return Ok(twin);
        }
        if let Some(moment) = id.moment() {
            return self.past(id, moment).await;
        }
        let found = Box::pin(self.load(id, id.is_default())).await?;
        found.ok_or_else(|| {
            if id.is_main() {
                QueryError::UnknownTenant(id.tenant().to_owned())
            } else {
                QueryError::UnknownBranch(id.branch().to_owned())
            }
        })
    }

    async fn twin_to_write(self: &Arc<Self>, id: &TwinId) -> Result<Arc<Twin>, WriteError> {
        if let Some(twin) = self.loaded(id).filter(|_| id.moment().is_none()) {
            return Ok(twin);
        }
        if let Some(moment) = id.moment() {
            return Err(WriteError::Past(moment));
        }
        let twin = Box::pin(self.load(id, id.is_main())).await?;
        twin.ok_or_else(|| WriteError::UnknownBranch(id.branch().to_owned()))
    }

    /// Gives names their ids; new ones are kept durably first.
    async fn resolve_names(
        &self,
        operations: Vec<Operation>,
    ) -> Result<Vec<Operation<NameId>>, WriteError> {
        // In the order in which they come, so that the same writes lead to the same ids.
        let mut unknown: Vec<Iri> = Vec::new();
        let mut seen: HashSet<Iri> = HashSet::new();
        let mut known = self.names.lookup();
        for operation in &operations {
            operation.names(&mut |name: &Iri| {
                if known.id(name).is_none() && seen.insert(name.clone()) {
                    unknown.push(name.clone());
                }
            });
        }
        if !unknown.is_empty() {
            if self.names.len() + unknown.len() > self.options.max_names {
                return Err(WriteError::TooManyNames(self.names.len()));
            }
            let ids = self.store.intern(&unknown).await?;
            self.names.learn(ids.into_iter().zip(unknown));
        }
        let mut id_of = |name: Iri| known.id(&name).expect("all names are learnt");
        Ok(operations.into_iter().map(|operation| operation.map_names(&mut id_of)).collect())
    }

    async fn run_in_slices(
        &self,
        step: &mut (impl FnMut() -> bool + Send),
    ) -> Result<(), QueryError> {
        let limit = self.options.query_timeout;
        let start = Instant::now();
        let permit = tokio::time::timeout(limit, self.costly.acquire()).await;
        let _permit = permit.map_err(|_| QueryError::Busy)?.map_err(|_| QueryError::Busy)?;
        self.metrics.costly_running.fetch_add(1, Ordering::Relaxed);
        let mut slice = Instant::now();
        let mut result = Ok(());
        while step() {
            if slice.elapsed() < SLICE {
                continue;
            }
            if start.elapsed() > limit {
                result = Err(QueryError::TookTooLong(limit));
                break;
            }
            tokio::task::yield_now().await;
            slice = Instant::now();
        }
        self.metrics.costly_running.fetch_sub(1, Ordering::Relaxed);
        result
    }

    pub(crate) fn reserve_index_bytes(&self, bytes: usize) -> bool {
        let limit = self.options.index_bytes;
        self.index_bytes
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                used.checked_add(bytes).filter(|total| *total <= limit)
            })
            .is_ok()
    }

    fn measure(&self, twin: &Twin) -> TwinMetrics {
        let root = twin.root.load();
        let types = root.types.iter();
        TwinMetrics {
            twin: twin.id.clone(),
            revision: root.revision,
            projected: twin.projected(),
            entities: root.live.len(),
            types: types
                .filter_map(|(n, t)| Some((self.names.name(*n)?, t.members.len())))
                .collect(),
        }
    }
}

/// Refuses what a past twin does not have.
pub(crate) fn of_now(twin: &TwinId, what: &'static str) -> Result<(), QueryError> {
    twin.moment().map_or(Ok(()), |_| Err(QueryError::NotOfThePast(what)))
}

/// How many histories of each source are needed at the least.
fn most_histories(query: &EvolutionQuery) -> usize {
    const MOST: usize = 1_000;
    if query.count || query.by_id.is_some() {
        return MOST;
    }
    query.offset.saturating_add(query.limit).saturating_add(1).min(MOST)
}

/// Goes on to the end of a walk that was taken for cheap; `false` when it takes longer than a
/// slice after all, since estimates can be wrong by far.
fn runs_out(step: &mut impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while step() {
        if start.elapsed() > SLICE {
            return false;
        }
    }
    true
}
