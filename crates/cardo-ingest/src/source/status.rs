//! What is known of a source that runs: its state, its counts, its last error.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use cardo_model::Timestamp;

use crate::report::Report;

/// How a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// It has not got at its data yet.
    Starting,
    /// It listens, or takes records in.
    Running,
    /// All is well, and it looks again later.
    Waiting,
    /// It could not get at its data, and tries again later.
    Failing,
    /// Nothing more is to come.
    Stopped,
}

impl SourceState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Starting, Self::Running, Self::Waiting, Self::Failing, Self::Stopped];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Failing => "failing",
            Self::Stopped => "stopped",
        }
    }
}

/// Counts since the server has started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// Records that became entities, whether these changed or not.
    pub taken: u64,
    /// Those of them that told nothing new.
    pub unchanged: u64,
    /// Those of them that were older than what is known, and went to the history only.
    pub late: u64,
    /// Records that went to the quarantine.
    pub quarantined: u64,
    /// Records that were of no concern, such as messages of topics that nobody asked for.
    pub skipped: u64,
    /// Times the source could not get at its data.
    pub failures: u64,
}

/// A source at a moment.
#[derive(Clone, Debug)]
pub struct SourceStatus {
    /// How it is.
    pub state: SourceState,
    /// What it has done.
    pub counts: SourceCounts,
    /// Records a second, over the last minute.
    pub rate: f64,
    /// When the last record came.
    pub last_record: Option<Timestamp>,
    /// The last error and its moment.
    pub last_error: Option<(String, Timestamp)>,
    /// When it will try or look again.
    pub next_attempt: Option<Timestamp>,
}

#[derive(Debug)]
pub(crate) struct Gauge(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    status: SourceStatus,
    seconds: [u32; MINUTE],
    begun: Instant,
    /// The second that was counted last.
    second: u64,
    successes: u64,
}

const MINUTE: usize = 60;
/// How much of an error is kept.
const MAX_ERROR: usize = 600;

impl Gauge {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Inner {
            status: SourceStatus {
                state: SourceState::Starting,
                counts: SourceCounts::default(),
                rate: 0.0,
                last_record: None,
                last_error: None,
                next_attempt: None,
            },
            seconds: [0; MINUTE],
            begun: Instant::now(),
            second: 0,
            successes: 0,
        }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The source has got at its data.
    pub(crate) fn running(&self) {
        let mut inner = self.inner();
        inner.successes += 1;
        inner.status.state = SourceState::Running;
        inner.status.next_attempt = None;
    }

    /// It looks again after a while.
    pub(crate) fn waiting(&self, pause: Duration) {
        let mut inner = self.inner();
        inner.successes += 1;
        inner.status.state = SourceState::Waiting;
        inner.status.next_attempt = Some(after(pause));
    }

    pub(crate) fn failing(&self, error: &str, pause: Duration) {
        let mut inner = self.inner();
        inner.status.state = SourceState::Failing;
        inner.status.counts.failures += 1;
        inner.status.next_attempt = Some(after(pause));
        inner.status.last_error = Some((short(error), Timestamp::now()));
    }

    pub(crate) fn stopped(&self) {
        let mut inner = self.inner();
        inner.status.state = SourceState::Stopped;
        inner.status.next_attempt = None;
    }

    /// Something is wrong with the data, though the source goes on.
    pub(crate) fn complain(&self, error: &str) {
        self.inner().status.last_error = Some((short(error), Timestamp::now()));
    }

    /// How often the source has got at its data.
    pub(crate) fn successes(&self) -> u64 {
        self.inner().successes
    }

    /// Counts what came of records.
    pub(crate) fn count(&self, report: &Report) {
        let taken = report.created + report.updated + report.unchanged + report.history_only;
        let mut inner = self.inner();
        let counts = &mut inner.status.counts;
        counts.taken += taken;
        counts.unchanged += report.unchanged;
        counts.late += report.history_only;
        counts.quarantined += report.quarantined;
        counts.skipped += report.skipped;
        if let Some(reason) = report.first_reasons.first() {
            inner.status.last_error = Some((short(reason), Timestamp::now()));
        }
        let records = taken + report.quarantined;
        if records > 0 {
            inner.status.last_record = Some(Timestamp::now());
            let second = inner.turn();
            let counted = u32::try_from(records).unwrap_or(u32::MAX);
            inner.seconds[second] = inner.seconds[second].saturating_add(counted);
        }
    }

    pub(crate) fn status(&self) -> SourceStatus {
        let mut inner = self.inner();
        inner.turn();
        let span = inner.begun.elapsed().as_secs_f64().clamp(1.0, MINUTE as f64);
        let records: u64 = inner.seconds.iter().map(|count| u64::from(*count)).sum();
        SourceStatus { rate: records as f64 / span, ..inner.status.clone() }
    }
}

impl Inner {
    /// Clears the seconds that have passed since the last count; the place of this second.
    fn turn(&mut self) -> usize {
        let now = self.begun.elapsed().as_secs();
        let passed = (now - self.second).min(MINUTE as u64);
        for step in 1..=passed {
            self.seconds[place(self.second + step)] = 0;
        }
        if passed == MINUTE as u64 {
            self.seconds = [0; MINUTE];
        }
        self.second = now;
        place(now)
    }
}

fn place(second: u64) -> usize {
    usize::try_from(second % MINUTE as u64).unwrap_or_default()
}

fn after(pause: Duration) -> Timestamp {
    let micros = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(Timestamp::now().as_micros().saturating_add(micros))
}

fn short(error: &str) -> String {
    error.chars().take(MAX_ERROR).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_and_give_a_rate() {
        let gauge = Gauge::new();
        assert_eq!(gauge.status().state, SourceState::Starting);
        let report = Report { updated: 30, unchanged: 20, quarantined: 10, ..Report::default() };
        gauge.count(&report);
        gauge.running();
        let status = gauge.status();
        assert_eq!((status.counts.taken, status.counts.unchanged), (50, 20));
        assert!(status.rate > 0.9 && status.rate <= 60.0, "{}", status.rate);
        assert!(status.last_record.is_some() && status.last_error.is_none());
        gauge.failing("gone", Duration::from_secs(2));
        let status = gauge.status();
        assert_eq!((status.state, status.counts.failures), (SourceState::Failing, 1));
        assert!(status.next_attempt.unwrap() > Timestamp::now());
    }
}
