//! What a branch begins with that is a part of its parent: entities chosen by questions, all put to the
//! parent at one revision.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use cardo_model::{Revision, Timestamp, TwinId};
use cardo_query::{Filter, Resolved};
use tokio::sync::{OnceCell, oneshot};

use super::{BranchError, Change, From, written};
use crate::caller::Caller;
use crate::engine::{Engine, Inner, of_now};
use crate::live::{Root, SlotSet};
use crate::operation::WriteError;
use crate::order::Order;
use crate::ports::StoreError;
use crate::query::{EntityQuery, PageRequest, PageStart, QueryError};
use crate::snapshot::Snapshot;
use crate::twin::Twin;

/// Entities of a twin as it is at one revision, chosen for a branch to begin with. As long as it is
/// held, the state of the twin in the store stays at that revision.
pub struct Choice {
    pin: Pin,
    snapshot: Snapshot,
    chosen: SlotSet,
    since: Instant,
    part: OnceCell<Part>,
}

/// The root of a branch, and which of the entities of its parent it has; none where it has all.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) root: Arc<Root>,
    pub(crate) chosen: Option<Arc<str>>,
}

/// Keeps the state of a twin from going on until it is dropped.
pub(crate) struct Pin {
    inner: Arc<Inner>,
    twin: Arc<Twin>,
    key: Box<str>,
    root: Arc<Root>,
}

/// The pins of all twins.
#[derive(Default)]
pub(crate) struct Pins {
    made: AtomicU64,
    held: AtomicUsize,
}

impl Pins {
    /// Whether the state of some twin has to wait for a choice, which does not take long.
    pub(crate) fn has_any(&self) -> bool {
        self.held.load(Ordering::Acquire) > 0
    }
}

impl Pin {
    /// Called by the sequencer, so that no revision comes in between.
    pub(crate) fn new(inner: &Arc<Inner>, twin: Arc<Twin>) -> Self {
        let root = twin.root.load_full();
        let key = format!("choice {}", inner.pins.made.fetch_add(1, Ordering::Relaxed));
        inner.pins.held.fetch_add(1, Ordering::AcqRel);
        twin.hold(&key, root.revision);
        Self { inner: inner.clone(), twin, key: key.into(), root }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.twin.release(&self.key);
        self.inner.pins.held.fetch_sub(1, Ordering::AcqRel);
        self.inner.work_to_project.notify_one();
    }
}

impl Choice {
    /// The twin that is chosen from, as the caller sees it.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Chooses entities by their ids as well, as far as there are any.
    pub fn choose_ids<'i>(&mut self, ids: impl Iterator<Item = &'i str>) {
        let root = &self.pin.root;
        let slots: SlotSet = ids.filter_map(|id| root.slot(id)).collect();
        self.take(&slots);
    }

    fn take(&mut self, slots: &SlotSet) {
        self.chosen.take_in(slots);
        self.part = OnceCell::new();
    }
}

impl Engine {
    /// Begins to choose from the caller's twin as it is now; nothing is chosen yet.
    pub async fn choice(&self, caller: &Caller) -> Result<Choice, QueryError> {
        of_now(&caller.twin, "branches")?;
        let inner = self.inner();
        let twin = inner.twin(&caller.twin).await?;
        let main = inner.twin(&caller.twin.main()).await?;
        let (reply, answer) = oneshot::channel();
        let stopped = || QueryError::Store(StoreError::Closed);
        let change = Change::Pin { twin: twin.clone(), reply };
        inner.change_branches(main, change).await.map_err(|_| stopped())?;
        let pin = answer.await.map_err(|_| stopped())?;
        if twin.is_dropped.load(Ordering::Acquire) {
            return Err(QueryError::UnknownBranch(twin.id.branch().to_owned()));
        }
        let root = pin.root.clone();
        let snapshot = Snapshot { root, ..inner.snapshot_of(&twin, caller) };
        let chosen = SlotSet::default();
        Ok(Choice { pin, snapshot, chosen, since: Instant::now(), part: OnceCell::new() })
    }

    /// Chooses the entities that match and the caller sees as well; how many match. All questions of a
    /// choice have the time of one.
    pub async fn choose(&self, choice: &mut Choice, filter: &Filter) -> Result<usize, QueryError> {
        let inner = self.inner();
        let limit = inner.options.query_timeout;
        if choice.since.elapsed() > limit {
            return Err(QueryError::TookTooLong(limit));
        }
        if choice.snapshot.view.restriction().is_none()
            && let Some(slots) = whole_types(&choice.pin.root, &choice.snapshot.resolve(filter))
        {
            choice.take(&slots);
            return Ok(slots.len());
        }
        let query = EntityQuery {
            filter: filter.clone(),
            order: Order::default(),
            page: PageRequest { limit: usize::MAX, start: PageStart::Offset(0) },
            count: false,
        };
        let twin = choice.pin.twin.clone();
        let found = inner.list_linked(&twin, choice.snapshot.clone(), &query).await?;
        let slots: SlotSet = found.slots().iter().copied().collect();
        choice.take(&slots);
        Ok(slots.len())
    }

    /// Makes a branch that begins with the entities of a choice, and shares them with the twin that they
    /// are of. It has the tenant of that twin.
    pub async fn branch_of(
        &self,
        choice: &Choice,
        name: &TwinId,
        expires_at: Option<Timestamp>,
    ) -> Result<Revision, BranchError> {
        let part = choice.part.get_or_try_init(|| async {
            let (root, chosen) = (choice.pin.root.clone(), choice.chosen.clone());
            let built = tokio::task::spawn_blocking(move || Part::of(&root, &chosen)).await;
            built.map_err(|error| QueryError::Store(StoreError::Failed(error.to_string())))
        });
        let from = From::Part { parent: choice.pin.twin.clone(), part: part.await?.clone() };
        self.begin_shared(name, expires_at, from).await
    }
}

impl Part {
    fn of(root: &Root, chosen: &SlotSet) -> Self {
        if chosen.len() == root.live.len() {
            return Self { root: Arc::new(root.branched()), chosen: None };
        }
        let text = written::write(&root.live, chosen).into();
        Self { root: Arc::new(root.part(chosen)), chosen: Some(text) }
    }
}

/// What a condition on types alone finds, without a walk.
fn whole_types(root: &Root, filter: &Resolved) -> Option<SlotSet> {
    match filter {
        Filter::True => Some(root.live.clone()),
        Filter::Type(name) => {
            Some(root.types.get(name).map(|index| index.members.clone()).unwrap_or_default())
        }
        Filter::Or(parts) => {
            let mut all = SlotSet::default();
            for part in parts {
                all.take_in(&whole_types(root, part)?);
            }
            Some(all)
        }
        _ => None,
    }
}

impl From {
    /// Nothing can branch off from a twin that is gone.
    pub(super) fn check(&self) -> Result<(), WriteError> {
        let parent = match self {
            Self::Parent(parent) | Self::Part { parent, .. } => parent,
            Self::Content(_) => return Ok(()),
        };
        if parent.is_dropped.load(Ordering::Acquire) {
            return Err(WriteError::UnknownBranch(parent.id.branch().to_owned()));
        }
        Ok(())
    }
}
