use std::sync::Arc;
use std::time::Duration;

use cardo_model::{Names, Revision, TwinId};

use crate::caller::Caller;
use crate::follow::Follower;
use crate::history::{EntityHistory, HistoryRequest};
use crate::operation::{Batch, Outcome, WriteError};
use crate::ports::{Store, StoreError};
use crate::query::{EntityQuery, Page, QueryError};
use crate::snapshot::Snapshot;

/// All twins of one store, live in memory. Cloning shares them.
#[derive(Clone)]
pub struct Engine {}

/// Limits and times of an engine.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// How long a question may run.
    pub query_timeout: Duration,
    /// How many costly questions run at once.
    pub costly_queries: usize,
    /// How much unprojected log may lie in memory before writers wait, in bytes.
    pub projector_bytes: usize,
    /// How long unprojected log may lie in memory.
    pub projector_delay: Duration,
    /// How many names of types and attributes a store may hold.
    pub max_names: usize,
    /// How many bytes of ordered indexes and columns are built on demand.
    pub index_bytes: usize,
}

impl Engine {
    /// Opens the twins of a store; none is loaded before its first use.
    pub async fn open(_store: Arc<dyn Store>, _options: EngineOptions) -> Result<Self, StoreError> {
        unimplemented!()
    }

    /// The names of types and attributes, with their ids.
    pub fn names(&self) -> &Names {
        unimplemented!()
    }

    /// The twin of the caller as it is now; loads it where that has not happened yet.
    pub async fn snapshot(&self, _caller: &Caller) -> Result<Snapshot, QueryError> {
        unimplemented!()
    }

    /// The twin of the caller as it is now, where it is loaded: the way without waiting.
    pub fn loaded_snapshot(&self, _caller: &Caller) -> Option<Snapshot> {
        unimplemented!()
    }

    /// Answers a question.
    pub async fn query(&self, _caller: &Caller, _query: &EntityQuery) -> Result<Page, QueryError> {
        unimplemented!()
    }

    /// Applies a batch; when it returns, the changes are durable and visible.
    pub async fn apply(&self, _caller: &Caller, _batch: Batch) -> Result<Outcome, WriteError> {
        unimplemented!()
    }

    /// The history of one entity.
    pub async fn history(
        &self,
        _caller: &Caller,
        _request: &HistoryRequest,
    ) -> Result<Option<EntityHistory>, QueryError> {
        unimplemented!()
    }

    /// Follows the log of a twin behind a revision.
    pub async fn follow(&self, _twin: &TwinId, _after: Revision) -> Result<Follower, QueryError> {
        unimplemented!()
    }

    /// Waits until a revision is visible here.
    pub async fn wait_for(
        &self,
        _caller: &Caller,
        _revision: Revision,
        _at_most: Duration,
    ) -> Result<(), QueryError> {
        unimplemented!()
    }

    /// Every twin that was ever written to.
    pub async fn twins(&self) -> Result<Vec<TwinId>, StoreError> {
        unimplemented!()
    }

    /// The store's positions of followers; see [`Store::positions`].
    pub fn store(&self) -> &Arc<dyn Store> {
        unimplemented!()
    }

    /// Stops taking writes, projects what is in memory, and closes the store.
    pub async fn close(&self) -> Result<(), StoreError> {
        unimplemented!()
    }
}
