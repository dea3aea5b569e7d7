use super::choose::{Plan, Source};
use crate::live::{Bits, CHUNK, SlotSet, slots_of};

/// Which way the order of creation is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Forward,
    Backward,
}

/// Which matches a walk is to hand out: those with slots in `from..until`, without the first
/// `skip`, at most `limit`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) from: u32,
    pub(crate) until: u32,
    pub(crate) skip: usize,
    pub(crate) limit: usize,
    pub(crate) direction: Direction,
    /// Whether all matches of the twin are to be counted, those outside the window included.
    pub(crate) count: bool,
}

/// A walk in progress; it goes on chunk by chunk, so that it can make way for others.
pub(crate) struct Run<'p, 'a> {
    plan: &'p Plan<'a>,
    window: Window,
    /// Chunks done, in the direction of the walk.
    done: usize,
    chunks: usize,
    skipped: usize,
    /// Slots of the present chunk, in the direction of the walk, and how many are judged.
    waiting: Vec<u32>,
    judged: usize,
    /// The slots found, in the direction of the walk.
    pub(crate) found: Vec<u32>,
    /// How many match in all; only with `count`.
    pub(crate) counted: usize,
}

/// How many slots one step judges.
const STEP: usize = 256;

impl<'p, 'a> Run<'p, 'a> {
    pub(crate) fn new(plan: &'p Plan<'a>, window: Window) -> Self {
        let chunks = plan.root.slots().div_ceil(CHUNK) as usize;
        let found = Vec::with_capacity(window.limit.min(1_024));
        Self {
            plan,
            window,
            done: 0,
            chunks,
            skipped: 0,
            waiting: Vec::with_capacity(CHUNK as usize / 8),
            judged: 0,
            found,
            counted: 0,
        }
    }

    /// Goes a little further; `false` when nothing is left to do.
    pub(crate) fn step(&mut self) -> bool {
        if self.is_full() && !self.window.count {
            return false;
        }
        if self.judged < self.waiting.len() {
            self.judge_some();
            return true;
        }
        if self.done >= self.chunks {
            return false;
        }
        let chunk = match self.window.direction {
            Direction::Forward => self.done,
            Direction::Backward => self.chunks - 1 - self.done,
        };
        self.done += 1;
        self.fill(chunk);
        true
    }

    /// Judges so many slots that what each takes adds up to little.
    fn judge_some(&mut self) {
        let end = self.waiting.len().min(self.judged + STEP);
        while self.judged < end {
            let slot = self.waiting[self.judged];
            self.judged += 1;
            self.judge(slot);
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.window.limit
    }

    fn fill(&mut self, chunk: usize) {
        self.waiting.clear();
        self.judged = 0;
        let base = u32::try_from(chunk).expect("slots are 32 bits") * CHUNK;
        let is_outside = base >= self.window.until || base + CHUNK <= self.window.from;
        if is_outside && !self.window.count {
            return;
        }
        match &self.plan.source {
            Source::Sets(sets) => {
                let plan = self.plan;
                if plan.checks.is_empty() && self.skip_chunk(sets, chunk, base) {
                    return;
                }
                let bits = intersection(sets, chunk);
                self.waiting.extend(slots_of(bits).map(|place| base + place));
            }
            Source::Slots(slots) => {
                let first = slots.partition_point(|slot| *slot < base);
                let end = slots.partition_point(|slot| *slot < base + CHUNK);
                self.waiting.extend_from_slice(&slots[first..end]);
            }
        }
        if self.window.direction == Direction::Backward {
            self.waiting.reverse();
        }
    }

    /// Where nothing has to be checked, a chunk that is skipped as a whole is only counted.
    fn skip_chunk(&mut self, sets: &[Vec<&SlotSet>], chunk: usize, base: u32) -> bool {
        let is_within = self.window.from <= base && base + CHUNK <= self.window.until;
        let len = match sets {
            [union] if union.len() == 1 => union[0].chunk_len(chunk) as usize,
            _ => return false,
        };
        let is_skipped = is_within && self.skipped + len <= self.window.skip;
        if is_skipped {
            self.skipped += len;
        }
        if is_skipped || (self.window.count && self.is_full()) {
            self.counted += len;
            return true;
        }
        false
    }

    #[inline]
    fn judge(&mut self, slot: u32) {
        if self.is_full() && !self.window.count {
            return;
        }
        let is_in_window = (self.window.from..self.window.until).contains(&slot);
        if !(is_in_window || self.window.count) || !self.plan.passes(slot) {
            return;
        }
        self.counted += 1;
        if !is_in_window || self.is_full() {
            return;
        }
        if self.skipped < self.window.skip {
            self.skipped += 1;
        } else {
            self.found.push(slot);
        }
    }
}

fn intersection(sets: &[Vec<&SlotSet>], chunk: usize) -> Bits {
    let mut all = [u64::MAX; 64];
    for union in sets {
        let bits = match union.as_slice() {
            [] => [0; 64],
            [one] => one.bits(chunk),
            several => {
                let mut joined = [0; 64];
                for set in several {
                    for (word, other) in joined.iter_mut().zip(set.bits(chunk)) {
                        *word |= other;
                    }
                }
                joined
            }
        };
        for (word, other) in all.iter_mut().zip(bits) {
            *word &= other;
        }
    }
    all
}
