use std::sync::Arc;

use cardo_model::TwinId;
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::subscriptions::Deliveries;

/// A subscription to the registrations of a twin.
pub(crate) type Key = (TwinId, Box<str>);

/// What the operations on registrations and those who tell of them tell one another.
#[derive(Default)]
pub(crate) struct Registry {
    /// Held while a registration is written, so that two that exclude each other are not both taken.
    pub(crate) writing: tokio::sync::Mutex<()>,
    changed: watch::Sender<()>,
    subscriptions: Mutex<HashSet<Key, RandomState>>,
    expiring: Mutex<HashSet<TwinId, RandomState>>,
    wake: Notify,
    wake_clock: Notify,
    deliveries: Mutex<HashMap<Key, Arc<Mutex<Deliveries>>, RandomState>>,
}

impl Registry {
    /// Says that a registration was written; `expires` where it has an end.
    pub(crate) fn tell(&self, twin: &TwinId, expires: bool) {
        self.changed.send_replace(());
        if expires {
            self.expiring.lock().insert(twin.clone());
            self.wake_clock.notify_one();
        }
    }

    /// Sees changes of registrations from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// The twins that have registrations with an end.
    pub(super) fn expiring(&self) -> Vec<TwinId> {
        self.expiring.lock().iter().cloned().collect()
    }

    pub(super) fn no_longer_expiring(&self, twin: &TwinId) {
        self.expiring.lock().remove(twin);
    }

    /// Waits until a registration is written that has an end.
    pub(super) async fn next_expiring(&self) {
        self.wake_clock.notified().await;
    }

    /// Says that a subscription was written.
    pub(crate) fn tell_subscription(&self, twin: &TwinId, id: &str) {
        self.subscriptions.lock().insert((twin.clone(), id.into()));
        self.wake.notify_one();
    }

    /// Waits for subscriptions that were written.
    pub(super) async fn subscriptions(&self) -> Vec<Key> {
        loop {
            let written: Vec<Key> = self.subscriptions.lock().drain().collect();
            if !written.is_empty() {
                return written;
            }
            self.wake.notified().await;
        }
    }

    /// What has come of a subscription in this run.
    pub(crate) fn known(&self, key: &Key) -> Option<Deliveries> {
        self.deliveries.lock().get(key).map(|deliveries| deliveries.lock().clone())
    }

    /// What has come of a subscription; `earlier` is what an earlier run has left.
    pub(super) fn deliveries(
        &self,
        key: &Key,
        earlier: impl FnOnce() -> Deliveries,
    ) -> Arc<Mutex<Deliveries>> {
        let mut all = self.deliveries.lock();
        all.entry(key.clone()).or_insert_with(|| Arc::new(Mutex::new(earlier()))).clone()
    }

    pub(super) fn forget(&self, key: &Key) {
        self.deliveries.lock().remove(key);
    }
}
