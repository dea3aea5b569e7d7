//! What has come of a subscription so far.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cardo_model::Timestamp;
use parking_lot::Mutex;

use super::stored::Deliveries;

/// The counters of one subscription (clause 5.2.14.2).
pub(crate) struct Progress {
    deliveries: Mutex<Deliveries>,
    times: Mutex<Times>,
    is_dirty: AtomicBool,
}

#[derive(Default, Clone, Copy)]
struct Times {
    sent: Option<Instant>,
    failed: Option<Instant>,
}

impl Progress {
    /// Goes on from what an earlier run has counted.
    pub(crate) fn new(deliveries: Deliveries) -> Self {
        let age = deliveries.last_notification.map(|last| {
            let age = Timestamp::now().as_micros().saturating_sub(last.as_micros());
            Duration::from_micros(age.max(0).unsigned_abs())
        });
        let sent = age.and_then(|age| Instant::now().checked_sub(age));
        Self {
            deliveries: Mutex::new(deliveries),
            times: Mutex::new(Times { sent, failed: None }),
            is_dirty: AtomicBool::new(false),
        }
    }

    pub(crate) fn deliveries(&self) -> Deliveries {
        self.deliveries.lock().clone()
    }

    /// What is to be kept, where that has changed since it was last asked for.
    pub(crate) fn changed(&self) -> Option<Deliveries> {
        self.is_dirty.swap(false, Ordering::AcqRel).then(|| self.deliveries())
    }

    pub(crate) fn is_dirty(&self) -> bool {
        self.is_dirty.load(Ordering::Acquire)
    }

    /// What was to be kept could not be.
    pub(crate) fn is_not_kept(&self) {
        self.is_dirty.store(true, Ordering::Release);
    }

    /// How long it takes yet until a time has gone by since the last notification (clause 5.2.12).
    pub(crate) fn throttled(&self, time: Option<Duration>) -> Duration {
        let (Some(sent), Some(time)) = (self.times.lock().sent, time) else {
            return Duration::ZERO;
        };
        time.saturating_sub(sent.elapsed())
    }

    /// How long the cooldown after the last failure lasts yet (clause 5.2.15).
    pub(crate) fn cooling(&self, cooldown: Option<Duration>) -> Duration {
        let (Some(failed), Some(cooldown)) = (self.times.lock().failed, cooldown) else {
            return Duration::ZERO;
        };
        cooldown.saturating_sub(failed.elapsed())
    }

    /// Counts an attempt (clause 5.8.6); a notification counts as sent once, however often it is
    /// tried.
    pub(crate) fn count(&self, at: Timestamp, is_first: bool, outcome: Result<(), &str>) {
        let mut times = self.times.lock();
        let mut deliveries = self.deliveries.lock();
        times.sent = Some(Instant::now());
        deliveries.count(at, is_first, outcome);
        if outcome.is_err() {
            times.failed = times.sent;
        }
        self.is_dirty.store(true, Ordering::Release);
    }

    /// Counts dead letters that had to make room.
    pub(crate) fn count_dropped(&self, dropped: u64) {
        self.deliveries.lock().dead_letters_dropped += dropped;
        self.is_dirty.store(true, Ordering::Release);
    }
}

/// What all subscriptions together came to in this run.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) delivered: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) dead_letters: AtomicU64,
}

impl Tally {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
