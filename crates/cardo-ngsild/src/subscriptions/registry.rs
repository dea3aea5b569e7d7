use std::sync::Arc;
use std::time::Duration;

use cardo_engine::{Engine, StoreError};
use cardo_model::{Revision, TwinId};
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::DESK_FOLLOWER;
use super::desk::Desk;
use super::lane::Lane;
use super::progress::Tally;

/// What the operations on subscriptions and those who send notifications tell one another.
#[derive(Default)]
pub(crate) struct Registry {
    told: Mutex<HashSet<TwinId, RandomState>>,
    wanted: Mutex<Vec<TwinId>>,
    wake: Notify,
    desks: Mutex<HashMap<TwinId, Arc<Desk>, RandomState>>,
    opened: watch::Sender<()>,
    pub(crate) tally: Arc<Tally>,
    /// Held while a subscription is written, so that two of one id are not both created.
    pub(crate) writing: tokio::sync::Mutex<()>,
}

impl Registry {
    /// Sees to it that a later run finds the twin before it has its first subscription: `head` is
    /// its newest revision.
    pub(crate) async fn prepare(
        &self,
        engine: &Engine,
        twin: &TwinId,
        head: Revision,
    ) -> Result<(), StoreError> {
        if self.told.lock().contains(twin) {
            return Ok(());
        }
        let positions = engine.store().positions(twin).await?;
        if positions.iter().any(|(name, _)| **name == *DESK_FOLLOWER) {
            return Ok(());
        }
        engine.store().save_position(twin, DESK_FOLLOWER, Some(head)).await
    }

    /// Says that a twin has subscriptions.
    pub(crate) fn tell(&self, twin: &TwinId) {
        if self.told.lock().insert(twin.clone()) {
            self.wanted.lock().push(twin.clone());
            self.wake.notify_one();
        }
    }

    /// Waits for twins that have subscriptions and no desk.
    pub(super) async fn wanted(&self) -> Vec<TwinId> {
        loop {
            let wanted = std::mem::take(&mut *self.wanted.lock());
            if !wanted.is_empty() {
                return wanted;
            }
            self.wake.notified().await;
        }
    }

    pub(super) fn open(&self, desk: &Arc<Desk>) {
        self.desks.lock().insert(desk.twin.clone(), desk.clone());
        self.opened.send_replace(());
    }

    pub(super) fn close(&self) {
        self.desks.lock().clear();
    }

    pub(crate) fn desk(&self, twin: &TwinId) -> Option<Arc<Desk>> {
        self.desks.lock().get(twin).cloned()
    }

    /// The desk of a twin; waited for where the server has just started.
    pub(crate) async fn desk_soon(&self, twin: &TwinId) -> Option<Arc<Desk>> {
        const PATIENCE: Duration = Duration::from_secs(5);
        let opened = async {
            let mut opened = self.opened.subscribe();
            loop {
                opened.mark_unchanged();
                if let Some(desk) = self.desk(twin) {
                    return Some(desk);
                }
                opened.changed().await.ok()?;
            }
        };
        tokio::time::timeout(PATIENCE, opened).await.ok().flatten()
    }

    /// A subscription at work.
    pub(crate) fn known(&self, twin: &TwinId, id: &str) -> Option<Arc<Lane>> {
        self.desk(twin)?.lane(id)
    }

    pub(super) fn desks(&self) -> Vec<Arc<Desk>> {
        self.desks.lock().values().cloned().collect()
    }
}
