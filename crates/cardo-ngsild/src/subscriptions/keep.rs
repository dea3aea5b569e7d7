//! Keeps how far subscriptions have come, what came of them, and what did not arrive.
//!
//! Everything up to the desk's position is dealt out. A subscription that is not done with what was
//! dealt out has a position of its own, and it goes on there; one without goes on where the desk
//! does. A dead letter is kept before the position that leaves it behind.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cardo_engine::{Batch, Operation};
use cardo_model::{DocumentChange, Revision};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::desk::Desk;
use super::lane::Lane;
use super::letters::{self, LETTER_KIND, Letter};
use super::{DESK_FOLLOWER, STATE_KIND, follower_name};

/// The least time between two times that positions are kept.
const SPACING: Duration = Duration::from_millis(50);
/// The same for the desk's own where nothing else is to be kept, and for counters.
const DESK_EVERY: Duration = Duration::from_secs(1);
const COUNTERS_EVERY: Duration = Duration::from_secs(2);

/// What is kept of the desk, and what is to be.
pub(super) struct Keeper {
    wake: Notify,
    tracked: Mutex<HashMap<Box<str>, Tracked, RandomState>>,
    letters: Mutex<Vec<(Arc<Lane>, Letter)>>,
    kept: tokio::sync::Mutex<Kept>,
}

struct Tracked {
    /// None where the subscription is gone.
    lane: Option<Arc<Lane>>,
    stored: Option<Revision>,
}

struct Kept {
    desk: Option<Revision>,
    desk_at: Instant,
    counters_at: Instant,
}

impl Keeper {
    pub(super) fn new(desk: Option<Revision>) -> Self {
        let now = Instant::now();
        Self {
            wake: Notify::new(),
            tracked: Mutex::default(),
            letters: Mutex::default(),
            kept: tokio::sync::Mutex::new(Kept { desk, desk_at: now, counters_at: now }),
        }
    }

    /// Looks after a subscription until it is done; `stored` is the position that is kept of it.
    pub(super) fn track(&self, lane: &Arc<Lane>, stored: Option<Revision>) {
        let mut tracked = self.tracked.lock();
        let entry = tracked.entry_ref(&*lane.id);
        let entry = entry.or_insert_with(|| Tracked { lane: None, stored: None });
        entry.lane = Some(lane.clone());
        entry.stored = stored.or(entry.stored);
    }

    /// Forgets the position of a subscription that is gone.
    pub(super) fn forget(&self, id: &str, stored: Option<Revision>) {
        self.tracked.lock().insert(id.into(), Tracked { lane: None, stored });
    }

    pub(super) fn bury(&self, lane: &Arc<Lane>, letter: Letter) {
        self.letters.lock().push((lane.clone(), letter));
    }

    /// There may be something to keep.
    pub(super) fn note(&self) {
        self.wake.notify_one();
    }

    /// How many subscriptions are not done.
    pub(super) fn busy(&self) -> usize {
        let tracked = self.tracked.lock();
        let lanes = tracked.values().filter_map(|tracked| tracked.lane.as_ref());
        lanes.filter(|lane| !lane.standing().1).count()
    }
}

/// Keeps what is to be kept until the desk stops.
pub(super) async fn run(desk: Arc<Desk>) {
    let mut stopping = desk.stopping.clone();
    loop {
        let later = async {
            if !desk.has_more_to_keep().await {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(DESK_EVERY).await;
        };
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = desk.keeper.wake.notified() => {}
            () = later => {}
        }
        desk.keep(false).await;
        tokio::time::sleep(SPACING).await;
    }
}

impl Desk {
    /// Keeps what has changed; all of it at once where `all` says so.
    pub(super) async fn keep(&self, all: bool) {
        let mut kept = self.keeper.kept.lock().await;
        // In this order: what is dealt out later is not passed over by these positions, and
        // letters that come later are of revisions behind them.
        let done = Revision(self.done.load(Ordering::Acquire));
        let is_due = all || kept.desk.is_none() || kept.desk_at.elapsed() >= DESK_EVERY;
        let base = if is_due { done } else { kept.desk.unwrap_or_default() };
        let mut positions = self.positions(base);
        let counters = all || kept.counters_at.elapsed() >= COUNTERS_EVERY;
        if !self.keep_documents(counters).await {
            return;
        }
        if counters {
            kept.counters_at = Instant::now();
        }
        if kept.desk != Some(base) {
            positions.push((DESK_FOLLOWER.into(), Some(base)));
        }
        if positions.is_empty() {
            return;
        }
        match self.face.engine.store().save_positions(&self.twin, &positions).await {
            Ok(()) => {
                if kept.desk != Some(base) {
                    kept.desk = Some(base);
                    kept.desk_at = Instant::now();
                }
                self.note_stored(&positions);
                self.keeper.let_go(base);
            }
            Err(error) => {
                tracing::warn!(error = %error, "the positions of subscriptions were not kept");
            }
        }
    }

    /// How many subscriptions have come further than is kept.
    pub(super) fn unkept(&self) -> usize {
        // While it is being kept, it is not.
        let Ok(kept) = self.keeper.kept.try_lock() else { return 1 };
        self.positions(kept.desk.unwrap_or_default()).len() + self.keeper.letters.lock().len()
    }

    /// Whether something is left to keep later.
    async fn has_more_to_keep(&self) -> bool {
        let desk = self.keeper.kept.lock().await.desk;
        desk != Some(Revision(self.done.load(Ordering::Acquire)))
            || !self.keeper.tracked.lock().is_empty()
            || !self.keeper.letters.lock().is_empty()
    }

    /// What has to be written so that a later run goes on rightly, if the desk's position is `base`.
    fn positions(&self, base: Revision) -> Vec<(Box<str>, Option<Revision>)> {
        let tracked = self.keeper.tracked.lock();
        let mut positions = Vec::new();
        for (id, one) in tracked.iter() {
            let wanted = one.lane.as_ref().and_then(|lane| lane.own_position(base));
            if wanted != one.stored {
                positions.push((follower_name(id).into(), wanted));
            }
        }
        positions
    }

    fn note_stored(&self, positions: &[(Box<str>, Option<Revision>)]) {
        let mut tracked = self.keeper.tracked.lock();
        for (name, revision) in positions {
            let id = name.strip_prefix(super::FOLLOWER_PREFIX).unwrap_or_default();
            if let Some(one) = tracked.get_mut(id) {
                one.stored = *revision;
            }
        }
    }

    /// Keeps letters and counters in the twin. False where that failed.
    async fn keep_documents(&self, counters: bool) -> bool {
        let mut letters = std::mem::take(&mut *self.keeper.letters.lock());
        letters.retain(|(lane, _)| !lane.is_gone());
        let mut changes = self.changes_of(&letters);
        let mut counted = Vec::new();
        if counters || !letters.is_empty() {
            let tracked = self.keeper.tracked.lock();
            let lanes = tracked.values().filter_map(|one| one.lane.as_ref());
            for lane in lanes.filter(|lane| !lane.is_gone()) {
                if let Some(deliveries) = lane.progress.changed() {
                    changes.push(DocumentChange {
                        kind: STATE_KIND.into(),
                        id: lane.id.clone(),
                        body: Some(deliveries.to_text().into()),
                    });
                    counted.push(lane.clone());
                }
            }
        }
        if changes.is_empty() {
            return true;
        }
        let operations = changes.into_iter().map(Operation::Document).collect();
        let batch = Batch { operations, ..Batch::default() };
        let Err(error) = self.face.engine.apply(&self.caller, batch).await else { return true };
        tracing::warn!(error = %error, "what came of subscriptions was not kept");
        self.keeper.letters.lock().splice(0..0, letters);
        for lane in counted {
            lane.progress.is_not_kept();
        }
        false
    }

    /// Puts letters to those that are there; the oldest make room.
    fn changes_of(&self, letters: &[(Arc<Lane>, Letter)]) -> Vec<DocumentChange> {
        let mut changes = Vec::new();
        if letters.is_empty() {
            return changes;
        }
        let snapshot = self.face.engine.loaded_snapshot(&self.caller);
        let there = snapshot.map(|snapshot| snapshot.documents(LETTER_KIND)).unwrap_or_default();
        let mut by_lane: HashMap<&str, Vec<&(Arc<Lane>, Letter)>, RandomState> = HashMap::default();
        for letter in letters {
            by_lane.entry(&letter.0.id).or_default().push(letter);
        }
        let most = self.face.options.deliveries.dead_letters;
        for (id, new) in by_lane {
            let prefix = letters::prefix(id);
            let mut ids: Vec<String> = there
                .iter()
                .map(|(document, _)| &**document)
                .filter(|document| document.starts_with(&prefix))
                .map(str::to_owned)
                .collect();
            ids.extend(new.iter().map(|(_, letter)| letter.document_id(id)));
            ids.sort_unstable();
            ids.dedup();
            let surplus = ids.len().saturating_sub(most);
            changes.extend(new.iter().map(|(_, letter)| letter.put(id)));
            changes.extend(ids.iter().take(surplus).map(|document| letters::forget(document)));
            if let (Some((lane, _)), true) = (new.first(), surplus > 0) {
                lane.progress.count_dropped(surplus as u64);
            }
        }
        changes
    }
}

impl Keeper {
    /// Looks no longer after those that are done and of whom everything is kept.
    fn let_go(&self, base: Revision) {
        self.tracked.lock().retain(|_, one| {
            one.stored.is_some()
                || one.lane.as_ref().is_some_and(|lane| {
                    lane.own_position(base).is_some() || lane.progress.is_dirty()
                })
        });
    }
}

impl Lane {
    /// The position that has to be kept for the lane where that of the desk is `base`.
    fn own_position(&self, base: Revision) -> Option<Revision> {
        let (position, is_idle) = self.standing();
        if self.is_gone() || (is_idle && position <= base) { None } else { Some(position) }
    }
}
