use std::fmt;
use std::time::Duration;

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Records that were read, good and bad.
    pub records: u64,
    /// Entities that came into being.
    pub created: u64,
    /// Times an entity was changed.
    pub updated: u64,
    /// Records that told nothing new.
    pub unchanged: u64,
    /// Records older than what is known, which only the history has gained from.
    pub history_only: u64,
    /// Records that were put into the quarantine.
    pub quarantined: u64,
    /// Those among them that were not kept, because the quarantine of the source is full.
    pub not_kept: u64,
    /// Entries of the source that left the quarantine, because their records are good now or gone.
    pub released: u64,
    /// Records that are no vehicle positions, or say that a vehicle is gone.
    pub skipped: u64,
    /// Geometries that cross themselves; they are stored as given.
    pub self_crossing: u64,
    /// The record at which an interrupted run was taken up.
    pub resumed_at: Option<u64>,
    /// The first reasons why records went to the quarantine, with their places.
    pub first_reasons: Vec<String>,
    /// What a user should know about names and ids.
    pub notes: Vec<String>,
    /// Why the source could not be read to its end.
    pub stopped: Option<String>,
    /// How long it took.
    pub elapsed: Duration,
}

/// So many reasons are told.
const MAX_REASONS: usize = 5;

impl Report {
    pub(crate) fn reason(&mut self, reason: impl FnOnce() -> String) {
        if self.first_reasons.len() < MAX_REASONS {
            self.first_reasons.push(reason());
        }
    }

    /// Records a second.
    pub fn rate(&self) -> f64 {
        self.records as f64 / self.elapsed.as_secs_f64().max(1e-6)
    }

    /// Whether anything of the twin has changed.
    pub fn is_change(&self) -> bool {
        self.created + self.updated + self.history_only + self.released > 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed.as_secs_f64();
        writeln!(f, "{} records in {seconds:.1} s ({:.0}/s)", self.records, self.rate())?;
        if let Some(resumed) = self.resumed_at {
            writeln!(f, "  taken up again at record {resumed}")?;
        }
        let counts = [
            ("created", self.created),
            ("updated", self.updated),
            ("unchanged", self.unchanged),
            ("to history only", self.history_only),
            ("passed over", self.skipped),
            ("self-crossing geometries, stored as given", self.self_crossing),
            ("quarantined", self.quarantined),
            ("quarantined beyond what is kept", self.not_kept),
            ("released from quarantine", self.released),
        ];
        let always = ["created", "updated", "unchanged"];
        for (name, count) in counts {
            if count > 0 || always.contains(&name) {
                writeln!(f, "  {count:>9} {name}")?;
            }
        }
        for reason in &self.first_reasons {
            writeln!(f, "    {reason}")?;
        }
        let told = self.first_reasons.len() as u64;
        if self.quarantined > told && told > 0 {
            writeln!(f, "    … and {} more", self.quarantined - told)?;
        }
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        if let Some(stopped) = &self.stopped {
            writeln!(f, "  the source broke off: {stopped}")?;
        }
        Ok(())
    }
}
