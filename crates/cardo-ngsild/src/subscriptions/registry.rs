use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cardo_model::{Revision, Timestamp, TwinId};
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::stored::Deliveries;

/// A subscription of a twin.
pub(crate) type Key = (TwinId, Box<str>);

/// What the operations on subscriptions and those who send notifications tell one another.
#[derive(Default)]
pub(crate) struct Registry {
    changed: Mutex<HashSet<Key, RandomState>>,
    wake: Notify,
    progress: Mutex<HashMap<Key, Arc<Progress>, RandomState>>,
    /// Held while a subscription is written, so that two of one id are not both created.
    pub(crate) writing: tokio::sync::Mutex<()>,
}

/// How far a subscription has come.
pub(crate) struct Progress {
    position: AtomicU64,
    deliveries: Mutex<Deliveries>,
    times: Mutex<Times>,
}

#[derive(Default, Clone, Copy)]
struct Times {
    sent: Option<Instant>,
    failed: Option<Instant>,
}

const NOWHERE: u64 = u64::MAX;

impl Registry {
    /// Says that a subscription was created, changed or deleted.
    pub(crate) fn tell(&self, twin: &TwinId, id: &str) {
        self.changed.lock().insert((twin.clone(), id.into()));
        self.wake.notify_one();
    }

    /// Waits for subscriptions that have changed.
    pub(crate) async fn changes(&self) -> Vec<Key> {
        loop {
            let changed: Vec<Key> = self.changed.lock().drain().collect();
            if !changed.is_empty() {
                return changed;
            }
            self.wake.notified().await;
        }
    }

    /// What is known of a subscription's progress in this run.
    pub(crate) fn known(&self, key: &Key) -> Option<Arc<Progress>> {
        self.progress.lock().get(key).cloned()
    }

    /// The progress of a subscription; `deliveries` is what an earlier run has left.
    pub(crate) fn progress(
        &self,
        key: &Key,
        deliveries: impl FnOnce() -> Deliveries,
    ) -> Arc<Progress> {
        let mut progress = self.progress.lock();
        let new = || {
            Arc::new(Progress {
                position: AtomicU64::new(NOWHERE),
                deliveries: Mutex::new(deliveries()),
                times: Mutex::default(),
            })
        };
        progress.entry(key.clone()).or_insert_with(new).clone()
    }

    /// Forgets a deleted subscription.
    pub(crate) fn forget(&self, key: &Key) {
        self.progress.lock().remove(key);
    }
}

impl Progress {
    /// The revision up to which everything is delivered.
    pub(crate) fn position(&self) -> Option<Revision> {
        let position = self.position.load(Ordering::Acquire);
        (position != NOWHERE).then_some(Revision(position))
    }

    pub(crate) fn reach(&self, revision: Revision) {
        self.position.store(revision.0, Ordering::Release);
    }

    pub(crate) fn deliveries(&self) -> Deliveries {
        self.deliveries.lock().clone()
    }

    /// When a notification was last sent, and when one last failed.
    pub(crate) fn last_times(&self) -> (Option<Instant>, Option<Instant>) {
        let times = *self.times.lock();
        (times.sent, times.failed)
    }

    /// Counts a notification (clause 5.8.6).
    pub(crate) fn count(&self, at: Timestamp, has_arrived: bool) {
        let mut times = self.times.lock();
        let mut deliveries = self.deliveries.lock();
        times.sent = Some(Instant::now());
        deliveries.times_sent += 1;
        deliveries.last_notification = Some(at);
        if has_arrived {
            deliveries.last_success = Some(at);
        } else {
            times.failed = times.sent;
            deliveries.times_failed += 1;
            deliveries.last_failure = Some(at);
        }
    }
}
