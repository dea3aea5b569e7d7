use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use cardo_model::{Iri, Revision, TwinId};
use parking_lot::Mutex;

use crate::ports::StoreError;

/// Upper bounds of the buckets of commit times, in seconds.
pub const COMMIT_BUCKETS: [f64; 10] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];

/// What the engine counts while it runs.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) queued: AtomicUsize,
    commits: [AtomicU64; COMMIT_BUCKETS.len() + 1],
    commit_micros: AtomicU64,
    failed_commits: AtomicU64,
    pub(crate) costly_running: AtomicUsize,
    failing: Mutex<Option<String>>,
}

/// The state of an engine in numbers.
#[derive(Clone, Debug)]
pub struct EngineMetrics {
    /// Writes that wait for the sequencer.
    pub queued_writes: usize,
    /// Costly questions that run.
    pub costly_queries: usize,
    /// Commits by time, a number for each of [`COMMIT_BUCKETS`] and one for all slower ones.
    pub commits: Vec<u64>,
    /// The sum of the times of all commits, in seconds.
    pub commit_seconds: f64,
    /// Commits that the store refused.
    pub failed_commits: u64,
    /// Why the last commit or projection failed, until one succeeds.
    pub failing: Option<String>,
    /// Log in memory that is not projected yet, in bytes.
    pub unprojected_bytes: usize,
    /// Names of types and attributes.
    pub names: usize,
    /// Branches in memory.
    pub branches: usize,
    /// About what they keep in memory beside the main branches, in bytes.
    pub branch_bytes: usize,
    /// Past twins in memory.
    pub moments: usize,
    /// About what they keep in memory beside the twins as they are, in bytes.
    pub moment_bytes: usize,
    /// Every twin in memory.
    pub twins: Vec<TwinMetrics>,
}

/// The state of a twin in numbers.
#[derive(Clone, Debug)]
pub struct TwinMetrics {
    /// Which twin.
    pub twin: TwinId,
    /// Its revision.
    pub revision: Revision,
    /// The revision that state and history have reached.
    pub projected: Revision,
    /// How many entities it has.
    pub entities: usize,
    /// How many of each type.
    pub types: Vec<(Iri, usize)>,
}

impl Counters {
    pub(crate) fn commit<T>(&self, time: Duration, outcome: &Result<T, StoreError>) {
        self.note(outcome);
        if outcome.is_err() {
            self.failed_commits.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let seconds = time.as_secs_f64();
        let bucket = COMMIT_BUCKETS.iter().position(|bound| seconds <= *bound);
        self.commits[bucket.unwrap_or(COMMIT_BUCKETS.len())].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.commit_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Keeps why the store fails, or that it does no more.
    pub(crate) fn note<T>(&self, outcome: &Result<T, StoreError>) {
        let reason = outcome.as_ref().err().map(ToString::to_string);
        let mut failing = self.failing.lock();
        if *failing != reason {
            *failing = reason;
        }
    }

    /// Why the store fails, if it does.
    pub(crate) fn failing(&self) -> Option<String> {
        self.failing.lock().clone()
    }

    pub(crate) fn read(&self) -> EngineMetrics {
        EngineMetrics {
            queued_writes: self.queued.load(Ordering::Relaxed),
            costly_queries: self.costly_running.load(Ordering::Relaxed),
            commits: self.commits.iter().map(|c| c.load(Ordering::Relaxed)).collect(),
            commit_seconds: self.commit_micros.load(Ordering::Relaxed) as f64 / 1e6,
            failed_commits: self.failed_commits.load(Ordering::Relaxed),
            failing: self.failing(),
            unprojected_bytes: 0,
            names: 0,
            branches: 0,
            branch_bytes: 0,
            moments: 0,
            moment_bytes: 0,
            twins: Vec::new(),
        }
    }
}
