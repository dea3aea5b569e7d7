//! Limits to the work that one geometry can cause.

/// How often edges may meet beyond a few times each. Overlay and topology keep every meeting in memory.
const MEETINGS: usize = 50_000;
/// How many pairs of edges are looked at, meeting or not.
const LOOKS: usize = 20_000_000;

/// What may still be spent on comparing edges.
///
/// A ring of a hundred thousand vertices in disorder crosses itself some billion times. Sound geometries, and faulty
/// ones as they occur, stay far below the limits.
#[derive(Debug)]
pub(crate) struct Effort {
    meetings: usize,
    looks: usize,
}

impl Effort {
    pub(crate) fn for_edges(count: usize) -> Self {
        Self { meetings: count.saturating_mul(16).saturating_add(MEETINGS), looks: LOOKS }
    }

    /// Whether so many pairs are within the limits even if all of them meet.
    pub(crate) fn covers(pairs: usize) -> bool {
        pairs <= MEETINGS
    }

    pub(crate) fn look(&mut self) {
        self.looks = self.looks.saturating_sub(1);
    }

    pub(crate) fn meet(&mut self) {
        self.meetings = self.meetings.saturating_sub(1);
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.meetings == 0 || self.looks == 0
    }
}
