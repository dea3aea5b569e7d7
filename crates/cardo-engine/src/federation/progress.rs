use cardo_model::Timestamp;
use parking_lot::Mutex;

/// What has come of requests to a source in this run of the server (table 5.2.9-2).
#[derive(Debug, Default)]
pub struct SourceProgress(Mutex<SourceState>);

/// The state of a source at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceState {
    /// How many requests were sent to it.
    pub times_sent: u64,
    /// How many of them failed.
    pub times_failed: u64,
    /// When one last succeeded.
    pub last_success: Option<Timestamp>,
    /// When one last failed.
    pub last_failure: Option<Timestamp>,
    /// Whether the last one failed; `None` where none was sent.
    pub has_failed: Option<bool>,
}

impl SourceProgress {
    /// Counts a request.
    pub fn count(&self, at: Timestamp, has_succeeded: bool) {
        let mut state = self.0.lock();
        state.times_sent += 1;
        state.has_failed = Some(!has_succeeded);
        if has_succeeded {
            state.last_success = Some(at);
        } else {
            state.times_failed += 1;
            state.last_failure = Some(at);
        }
    }

    /// The state now.
    pub fn state(&self) -> SourceState {
        *self.0.lock()
    }
}
