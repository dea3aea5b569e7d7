//! The task that compacts history behind the projections.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use cardo_engine::StoreError;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::state::StateFile;

/// How often it looks for work while there may be some.
const INTERVAL: Duration = Duration::from_millis(500);
/// After so long without a projection a twin counts as quiet.
const QUIET: Duration = Duration::from_secs(1);
/// A quiet twin is compacted from so many runs on.
const QUIET_RUNS: usize = 8;
/// A busy one from so many on, for each makes reading slower.
const BUSY_RUNS: usize = 48;

/// How many portions of one twin are compacted before it looks for others.
const PORTIONS: usize = 8;

/// Which twins were projected since they were last compacted.
#[derive(Debug, Default)]
pub(super) struct Compactor {
    projected: Mutex<HashMap<i64, Instant>>,
    signal: Notify,
}

impl Compactor {
    /// Says that a twin was projected.
    pub(super) fn note(&self, twin: i64) {
        let is_first = {
            let mut projected = self.projected.lock();
            let is_first = projected.is_empty();
            projected.insert(twin, Instant::now());
            is_first
        };
        if is_first {
            self.signal.notify_one();
        }
    }

    /// Compacts for as long as the file is in use.
    pub(super) async fn run(self: Arc<Self>, state: Weak<StateFile>) {
        if let Some(state) = state.upgrade() {
            let waiting = state.twins_to_compact(QUIET_RUNS).await.unwrap_or_default();
            let amended = state.amended_twins().await.unwrap_or_default();
            waiting.into_iter().chain(amended).for_each(|twin| self.note(twin));
            scrub(&state).await;
        }
        loop {
            if self.projected.lock().is_empty() {
                self.signal.notified().await;
            }
            tokio::time::sleep(INTERVAL).await;
            let twins: Vec<(i64, Instant)> =
                self.projected.lock().iter().map(|(twin, at)| (*twin, *at)).collect();
            for (twin, at) in twins {
                let Some(state) = state.upgrade() else { return };
                self.compact(&state, twin, at).await;
            }
        }
    }

    async fn compact(&self, state: &StateFile, twin: i64, at: Instant) {
        let is_quiet = at.elapsed() >= QUIET;
        // What was taken out of a history does not wait for others.
        let is_amended = state.is_amended(twin).await.unwrap_or(false);
        let min_runs = match (is_amended, is_quiet) {
            (true, _) => 1,
            (false, true) => QUIET_RUNS,
            (false, false) => BUSY_RUNS,
        };
        for _ in 0..PORTIONS {
            match state.compact_portion(twin, min_runs).await {
                Ok(true) => {}
                Ok(false) => {
                    if is_amended {
                        scrub(state).await;
                    }
                    if is_quiet {
                        self.forget(twin, at);
                    }
                    return;
                }
                Err(StoreError::Closed) => return self.forget(twin, at),
                Err(error) => {
                    tracing::error!(%error, twin, "history was not compacted");
                    return self.forget(twin, at);
                }
            }
        }
    }

    /// Forgets a twin that was not projected meanwhile.
    fn forget(&self, twin: i64, at: Instant) {
        let mut projected = self.projected.lock();
        if projected.get(&twin) == Some(&at) {
            projected.remove(&twin);
        }
    }
}

async fn scrub(state: &StateFile) {
    if let Err(error) = state.scrub().await {
        tracing::error!(%error, "the write-ahead log was not emptied");
    }
}
