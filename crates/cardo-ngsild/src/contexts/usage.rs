use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cardo_model::Timestamp;
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::represent::Naming;

/// How many namings a [`Memo`] keeps ready.
const MAX_KNOWN: usize = 256;

/// Milliseconds since the start, which are cheaper to keep than times.
pub(super) struct Clock {
    began: Instant,
    began_at: Timestamp,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { began: Instant::now(), began_at: Timestamp::now() }
    }

    pub(super) fn now(&self) -> u64 {
        millis(self.began.elapsed())
    }

    pub(super) fn began_at(&self) -> Timestamp {
        self.began_at
    }

    fn at(&self, moment: u64) -> Timestamp {
        let micros = i64::try_from(moment).unwrap_or(i64::MAX).saturating_mul(1_000);
        Timestamp::from_micros(self.began_at.as_micros().saturating_add(micros))
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// How often a stored context was found, and when last (clause 5.13.3.5); of this run alone.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    hits: AtomicU64,
    /// One more than the moment; 0 is never.
    last: AtomicU64,
}

impl Usage {
    pub(super) fn count(&self, now: u64) {
        self.hits.fetch_add(1, Ordering::Relaxed);
        self.last.store(now + 1, Ordering::Relaxed);
    }

    pub(super) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    pub(super) fn last(&self, clock: &Clock) -> Option<Timestamp> {
        self.last.load(Ordering::Relaxed).checked_sub(1).map(|moment| clock.at(moment))
    }

    /// What orders contexts by their last use.
    pub(super) fn rank(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }
}

/// A naming, and whose use is counted when it is used.
pub(crate) struct Known {
    pub(super) naming: Arc<Naming>,
    pub(super) usages: Box<[Arc<Usage>]>,
    /// Whether a context that the tenant hosts is part of it, so that no other tenant may see it.
    pub(super) is_own: bool,
    /// That of the memo when it was made.
    pub(super) generation: u64,
}

impl Known {
    /// The naming, for a request that uses it.
    pub(super) fn used(&self, now: u64) -> &Arc<Naming> {
        for usage in &self.usages {
            usage.count(now);
        }
        &self.naming
    }
}

/// Namings that are ready, by `Link` header or by source.
#[derive(Default)]
pub(super) struct Memo {
    generation: u64,
    by_key: HashMap<Box<[u8]>, Arc<Known>, RandomState>,
}

impl Memo {
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&Arc<Known>> {
        self.by_key.get(key)
    }

    /// Keeps what was made since the last [`Memo::clear`]; what is older may be wrong by now.
    pub(super) fn insert(&mut self, key: &[u8], known: &Arc<Known>) {
        if known.generation != self.generation {
            return;
        }
        if self.by_key.len() >= MAX_KNOWN {
            self.by_key.clear();
        }
        self.by_key.insert(key.into(), known.clone());
    }

    pub(super) fn clear(&mut self) {
        self.generation += 1;
        self.by_key.clear();
    }
}
