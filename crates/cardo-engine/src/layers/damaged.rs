use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

/// The most damaged features that a layer can have and be read.
const MOST: usize = 100_000;

/// Features of a layer that turned out to be unreadable. They are left out and not counted, from when
/// they are known.
#[derive(Debug, Default)]
pub struct Damaged {
    /// In order.
    places: RwLock<Vec<u64>>,
    /// How many there are, so that who reads a sound layer waits for nothing.
    count: AtomicU64,
}

/// What became of a feature that was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It was not known, and is one of so many now.
    New(u64),
    /// It was known.
    Known,
    /// There are more than can be left out.
    TooMany,
}

impl Damaged {
    /// Notes that the feature at a place cannot be read.
    pub fn note(&self, place: u64) -> Noted {
        let mut places = self.places.write();
        match places.binary_search(&place) {
            Ok(_) => Noted::Known,
            Err(_) if places.len() >= MOST => Noted::TooMany,
            Err(at) => {
                places.insert(at, place);
                Noted::New(self.count.fetch_add(1, Ordering::Relaxed) + 1)
            }
        }
    }

    /// How many are known.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether the feature at a place is one.
    pub fn has(&self, place: u64) -> bool {
        self.count() > 0 && self.places.read().binary_search(&place).is_ok()
    }

    /// How many of so many features from a place on are known.
    pub(crate) fn among(&self, first: u64, count: u64) -> u64 {
        if self.count() == 0 {
            return 0;
        }
        let places = self.places.read();
        let before = |end: u64| places.partition_point(|place| *place < end);
        (before(first.saturating_add(count)) - before(first)) as u64
    }

    /// The place of the feature that has so many sound ones before it.
    pub(crate) fn sound(&self, nth: u64) -> u64 {
        if self.count() == 0 {
            return nth;
        }
        let places = self.places.read();
        let mut place = nth;
        loop {
            let passed = places.partition_point(|damaged| *damaged <= place) as u64;
            let next = nth.saturating_add(passed);
            if next == place {
                return place;
            }
            place = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_is_passed_over_when_features_are_counted() {
        let damaged = Damaged::default();
        assert_eq!(damaged.sound(7), 7);
        for place in [9, 0, 3, 4, 3] {
            damaged.note(place);
        }
        let sound = [1, 2, 5, 6, 7, 8, 10, 11];
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(|nth| damaged.sound(nth)), sound);
        assert_eq!(damaged.sound(u64::MAX), u64::MAX);
        assert_eq!((damaged.count(), damaged.has(4), damaged.has(5)), (4, true, false));
        assert_eq!(
            [(0, 5), (1, 2), (3, 2), (9, 9)].map(|(at, n)| damaged.among(at, n)),
            [3, 0, 2, 1]
        );
        assert_eq!((damaged.note(4), damaged.note(5)), (Noted::Known, Noted::New(5)));
    }
}
