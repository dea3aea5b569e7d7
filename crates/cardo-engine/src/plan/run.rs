use super::choose::{Plan, Source};
use crate::live::{Bits, CHUNK, SlotSet, WORDS};

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

impl Window {
    /// All matches, from the first.
    pub(crate) const WHOLE: Self = Self {
        from: 0,
        until: u32::MAX,
        skip: 0,
        limit: usize::MAX,
        direction: Direction::Forward,
        count: false,
    };
}

/// A walk in progress; it goes on a little at a time, so that it can make way for others.
pub(crate) struct Run<'a> {
    plan: Plan<'a>,
    window: Window,
    /// The present chunk of a walk over sets.
    chunk: ChunkWalk,
    /// Chunks done, in the direction of the walk.
    done: usize,
    chunks: usize,
    skipped: usize,
    /// The slots found, in the direction of the walk.
    pub(crate) found: Vec<u32>,
    counted: usize,
}

/// How many slots one step judges at the most.
const STEP: usize = 64;

impl<'a> Run<'a> {
    pub(crate) fn new(mut plan: Plan<'a>, mut window: Window) -> Self {
        window.count &= plan.count.is_none();
        if let Source::Slots(listed) = &mut plan.source {
            listed.turn(&window);
        }
        Self {
            chunks: plan.root.slots().div_ceil(CHUNK) as usize,
            found: Vec::with_capacity(window.limit.min(1_024)),
            chunk: ChunkWalk::default(),
            plan,
            window,
            done: 0,
            skipped: 0,
            counted: 0,
        }
    }

    /// Goes a little further; `false` when nothing is left to do.
    pub(crate) fn step(&mut self) -> bool {
        for _ in 0..STEP {
            if self.is_full() && !self.window.count {
                return false;
            }
            let next = match &mut self.plan.source {
                Source::Slots(listed) => listed.next(),
                Source::Sets(_) => self.chunk.next(self.window.direction),
            };
            match next {
                Some(slot) => self.judge(slot),
                None if self.next_chunk() => {}
                None => return false,
            }
        }
        true
    }

    /// What the walk is likely to take, in nanoseconds.
    pub(crate) fn cost(&self) -> f64 {
        self.plan.cost
    }

    /// How many match in all; only where that was asked.
    pub(crate) fn count(&self) -> usize {
        self.plan.count.unwrap_or(self.counted)
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.window.limit
    }

    /// Goes on to the next chunk of a walk over sets; `false` where there is none.
    fn next_chunk(&mut self) -> bool {
        let Source::Sets(sets) = &self.plan.source else { return false };
        if self.done >= self.chunks {
            return false;
        }
        let chunk = match self.window.direction {
            Direction::Forward => self.done,
            Direction::Backward => self.chunks - 1 - self.done,
        };
        self.done += 1;
        let base = u32::try_from(chunk).expect("slots are 32 bits") * CHUNK;
        let is_outside = base >= self.window.until || base + CHUNK <= self.window.from;
        if is_outside && !self.window.count {
            return true;
        }
        let is_within = self.window.from <= base && base + CHUNK <= self.window.until;
        let can_skip = self.plan.checks.is_empty() && is_within;
        if can_skip
            && let [union] = sets.as_slice()
            && let [one] = union.as_slice()
        {
            let len = one.chunk_len(chunk) as usize;
            if self.skipped + len <= self.window.skip || self.is_full() {
                self.skip(len);
                return true;
            }
        }
        self.chunk = ChunkWalk { base, bits: intersection(sets, chunk), done: 0 };
        if can_skip {
            self.skip_words();
        }
        true
    }

    /// Where nothing has to be checked, what is skipped is only counted.
    fn skip_words(&mut self) {
        while let Some(word) = self.chunk.word(self.window.direction) {
            let len = word.count_ones() as usize;
            if self.skipped + len > self.window.skip {
                return;
            }
            self.skip(len);
            self.chunk.done += 1;
        }
    }

    fn skip(&mut self, matches: usize) {
        self.skipped += matches;
        self.counted += matches;
    }

    #[inline]
    fn judge(&mut self, slot: u32) {
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

/// The members of a chunk, taken out of its bits one by one.
struct ChunkWalk {
    base: u32,
    bits: Bits,
    /// Words done, in the direction of the walk.
    done: usize,
}

impl Default for ChunkWalk {
    fn default() -> Self {
        Self { base: 0, bits: [0; WORDS], done: WORDS }
    }
}

impl ChunkWalk {
    fn place(&self, direction: Direction) -> usize {
        match direction {
            Direction::Forward => self.done,
            Direction::Backward => WORDS - 1 - self.done,
        }
    }

    /// The present word.
    fn word(&self, direction: Direction) -> Option<u64> {
        (self.done < WORDS).then(|| self.bits[self.place(direction)])
    }

    #[inline]
    fn next(&mut self, direction: Direction) -> Option<u32> {
        loop {
            let word = self.word(direction)?;
            if word == 0 {
                self.done += 1;
                continue;
            }
            let bit = match direction {
                Direction::Forward => word.trailing_zeros(),
                Direction::Backward => word.ilog2(),
            };
            let place = self.place(direction);
            self.bits[place] ^= 1 << bit;
            return Some(self.base + u32::try_from(place).expect("below 64") * 64 + bit);
        }
    }
}

fn intersection(sets: &[Vec<&SlotSet>], chunk: usize) -> Bits {
    let mut all = [u64::MAX; WORDS];
    for union in sets {
        let bits = match union.as_slice() {
            [] => [0; WORDS],
            [one] => one.bits(chunk),
            several => {
                let mut joined = [0; WORDS];
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
