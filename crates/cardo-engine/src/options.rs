use std::sync::Arc;
use std::time::Duration;

use cardo_model::Timestamp;

use crate::retention::Retention;
use crate::tables::Terms;

/// Tells the time; tests bring their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Limits and times of an engine.
#[derive(Clone)]
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
    /// How many revisions of a twin's log are kept behind the projector for those who follow it.
    pub log_revisions: u64,
    /// How many of them are kept at the most for followers whose position is kept, such as a
    /// subscription whose receiver is away.
    pub held_log_revisions: u64,
    /// How many writes may wait.
    pub queued_writes: usize,
    /// How many twins stay in memory when they are idle.
    pub loaded_twins: usize,
    /// How many branches a tenant may have beside its main one.
    pub branches: usize,
    /// How many bytes branches may keep in memory beside their tenants' main ones.
    pub branch_bytes: usize,
    /// How many past twins stay in memory.
    pub moments: usize,
    /// How many bytes they may keep in memory beside the twins as they are; the last one stays
    /// whatever it takes.
    pub moment_bytes: usize,
    /// The short names under which tables show types and attributes.
    pub terms: Terms,
    /// The pseudonym of this server among context sources (NGSI-LD, clause 5.2.40); one of chance
    /// where there is none.
    pub alias: Option<Box<str>>,
    /// How long histories are kept.
    pub retention: Retention,
    /// Where the time of changes comes from.
    pub clock: Clock,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            query_timeout: Duration::from_secs(30),
            costly_queries: 4,
            projector_bytes: 64 << 20,
            projector_delay: Duration::from_secs(5),
            max_names: 1_000_000,
            index_bytes: 1 << 30,
            log_revisions: 100_000,
            held_log_revisions: 2_000_000,
            queued_writes: 10_000,
            loaded_twins: 1_000,
            branches: 100,
            branch_bytes: 1 << 30,
            moments: 16,
            moment_bytes: 1 << 30,
            terms: Terms::default(),
            alias: None,
            retention: Retention::default(),
            clock: Arc::new(Timestamp::now),
        }
    }
}
