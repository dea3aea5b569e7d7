use cardo_query::Resolved;

use super::meets;
use super::number::Ranges;
use super::run::{Direction, Window};
use crate::live::{NumberIndex, Root};

/// Slots that an index lists in an order of its own. They are put into the order of the walk only as
/// far as somebody asks: of many that match, a page wants the first few.
pub(crate) struct Listed<'a> {
    listing: Listing<'a>,
    /// The next of them, as keys in the order of the walk, each once.
    batch: Vec<u32>,
    next: usize,
    /// The key from which the next batch is taken; `None` when nothing is left.
    from: Option<u32>,
    /// How many the next batch is to have.
    most: usize,
    direction: Direction,
}

enum Listing<'a> {
    Slots(Vec<u32>),
    Numbers(Numbers<'a>),
}

/// What indexes of numbers list.
pub(super) struct Numbers<'a> {
    pub(super) root: &'a Root,
    pub(super) indexes: Vec<&'a NumberIndex>,
    pub(super) ranges: Ranges,
    pub(super) filter: &'a Resolved,
}

/// The first batch has so many at least; each further one has four times as many.
const FIRST: usize = 32;

impl<'a> Listed<'a> {
    /// Slots in any order; one may be there more than once.
    pub(super) fn slots(slots: Vec<u32>) -> Self {
        Self::of(Listing::Slots(slots))
    }

    pub(super) fn numbers(numbers: Numbers<'a>) -> Self {
        Self::of(Listing::Numbers(numbers))
    }

    fn of(listing: Listing<'a>) -> Self {
        let direction = Direction::Forward;
        Self { listing, batch: Vec::new(), next: 0, from: Some(0), most: FIRST, direction }
    }

    /// Prepares for a walk: those before its window are left out, unless all are counted.
    pub(super) fn turn(&mut self, window: &Window) {
        self.direction = window.direction;
        if window.count {
            self.most = usize::MAX;
            return;
        }
        self.most = window.skip.saturating_add(window.limit).max(FIRST);
        self.from = match window.direction {
            Direction::Forward => Some(window.from),
            Direction::Backward => window.until.checked_sub(1).map(|last| !last),
        };
    }

    /// The next slot, each once.
    #[inline]
    pub(super) fn next(&mut self) -> Option<u32> {
        if self.next == self.batch.len() {
            self.fill();
        }
        let key = *self.batch.get(self.next)?;
        self.next += 1;
        Some(self.direction.key(key))
    }

    fn fill(&mut self) {
        self.next = 0;
        self.batch.clear();
        let Some(from) = self.from else { return };
        let mut first = First::new(std::mem::take(&mut self.batch), self.most, from);
        let direction = self.direction;
        match &self.listing {
            Listing::Slots(slots) => slots.iter().for_each(|slot| first.push(direction.key(*slot))),
            Listing::Numbers(numbers) => {
                numbers.for_each_number(|slot| first.push(direction.key(slot)));
                for slot in numbers.others() {
                    let key = direction.key(slot);
                    if first.wants(key) && numbers.is_match(slot) {
                        first.push(key);
                    }
                }
            }
        }
        (self.batch, self.from) = first.sorted();
        self.most = self.most.saturating_mul(4);
    }
}

impl Direction {
    /// A number by which slots are in the order of the walk, and the slot of such a number.
    #[inline]
    fn key(self, slot: u32) -> u32 {
        match self {
            Self::Forward => slot,
            Self::Backward => !slot,
        }
    }
}

impl Numbers<'_> {
    /// Calls `visit` with every slot whose number is in a range.
    #[inline]
    fn for_each_number(&self, mut visit: impl FnMut(u32)) {
        for index in &self.indexes {
            for range in &self.ranges {
                index.ordered.for_each(range, &mut visit);
            }
        }
    }

    /// Slots with something else than a number.
    fn others(&self) -> impl Iterator<Item = u32> + '_ {
        self.indexes.iter().flat_map(|index| index.others.iter())
    }

    fn is_match(&self, slot: u32) -> bool {
        meets(self.root, slot, self.filter)
    }

    /// Adds all slots, in any order.
    pub(super) fn list(&self, slots: &mut Vec<u32>) {
        self.for_each_number(|slot| slots.push(slot));
        slots.extend(self.others().filter(|slot| self.is_match(*slot)));
    }
}

/// The lowest few of many keys.
struct First {
    keys: Vec<u32>,
    most: usize,
    from: u32,
    /// None above is among them.
    until: u32,
    is_cut: bool,
}

impl First {
    fn new(keys: Vec<u32>, most: usize, from: u32) -> Self {
        Self { keys, most, from, until: u32::MAX, is_cut: false }
    }

    #[inline]
    fn wants(&self, key: u32) -> bool {
        self.from <= key && key <= self.until
    }

    #[inline]
    fn push(&mut self, key: u32) {
        if self.wants(key) {
            self.keys.push(key);
            if self.keys.len() / 2 == self.most {
                self.cut();
            }
        }
    }

    fn cut(&mut self) {
        let (_, last, _) = self.keys.select_nth_unstable(self.most - 1);
        self.until = *last;
        self.is_cut = true;
        self.keys.truncate(self.most);
    }

    /// They in order, each once, and the key from which there may be more.
    fn sorted(mut self) -> (Vec<u32>, Option<u32>) {
        self.keys.sort_unstable();
        self.keys.dedup();
        let last = self.keys.last().filter(|_| self.is_cut);
        let from = last.and_then(|last| last.checked_add(1));
        (self.keys, from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn slots_come_in_order_and_each_once(
            slots in prop::collection::vec(0_u32..3_000, 0..2_000),
            backward in any::<bool>(),
            count in any::<bool>(),
            limit in 0_usize..200,
            cut in prop::option::of(0_u32..3_001),
        ) {
            let mut expected = slots.clone();
            expected.sort_unstable();
            expected.dedup();
            let mut window = Window { limit, count, ..Window::WHOLE };
            if backward {
                expected.reverse();
                window.direction = Direction::Backward;
                window.until = cut.unwrap_or(u32::MAX);
            } else {
                window.from = cut.unwrap_or(0);
            }
            if !count {
                expected.retain(|slot| (window.from..window.until).contains(slot));
            }
            let mut listed = Listed::slots(slots);
            listed.turn(&window);
            let came: Vec<u32> = std::iter::from_fn(|| listed.next()).collect();
            prop_assert_eq!(came, expected);
        }
    }
}
