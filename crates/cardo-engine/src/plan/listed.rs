use super::run::Direction;

/// Slots that an index has listed in an order of its own. They are put into the order of creation
/// only as far as somebody asks: of many that match, a page wants the first few.
pub(crate) struct Listed {
    slots: Vec<u32>,
    /// So many at the front are in order.
    sorted: usize,
    next: usize,
}

/// How many are sorted at first; each time it is twice as many.
const FIRST: usize = 64;

impl Listed {
    /// Slots in any order; one may be there more than once.
    pub(super) fn new(slots: Vec<u32>) -> Self {
        Self { slots, sorted: 0, next: 0 }
    }

    /// Prepares for a direction; `whole` says that all will be asked for.
    pub(super) fn turn(&mut self, direction: Direction, whole: bool) {
        let is_backward = direction == Direction::Backward;
        if is_backward || whole {
            self.slots.sort_unstable();
            self.sorted = self.slots.len();
        }
        if is_backward {
            self.slots.reverse();
        }
    }

    /// The next slot, each once.
    #[inline]
    pub(super) fn next(&mut self) -> Option<u32> {
        loop {
            if self.next == self.sorted {
                self.sort_more();
            }
            let slot = *self.slots.get(self.next)?;
            let is_new = self.next == 0 || self.slots[self.next - 1] != slot;
            self.next += 1;
            if is_new {
                return Some(slot);
            }
        }
    }

    fn sort_more(&mut self) {
        let part = self.sorted.max(FIRST);
        let rest = &mut self.slots[self.sorted..];
        if rest.len() > 2 * part {
            let (first, _, _) = rest.select_nth_unstable(part);
            first.sort_unstable();
            self.sorted += part;
        } else {
            rest.sort_unstable();
            self.sorted = self.slots.len();
        }
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
            whole in any::<bool>(),
        ) {
            let mut expected = slots.clone();
            expected.sort_unstable();
            expected.dedup();
            let mut listed = Listed::new(slots);
            if backward {
                expected.reverse();
                listed.turn(Direction::Backward, whole);
            } else {
                listed.turn(Direction::Forward, whole);
            }
            let came: Vec<u32> = std::iter::from_fn(|| listed.next()).collect();
            prop_assert_eq!(came, expected);
        }
    }
}
