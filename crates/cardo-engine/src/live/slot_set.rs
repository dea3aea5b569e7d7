use std::sync::Arc;

/// How many slots one chunk of a [`SlotSet`] covers.
pub(crate) const CHUNK: u32 = 4_096;
pub(crate) const WORDS: usize = 64;

/// The bits of one chunk.
pub(crate) type Bits = [u64; WORDS];

/// A set of slots whose clones share what is the same. Counting, and skipping many members,
/// cost no walk over them.
#[derive(Clone, Default)]
pub(crate) struct SlotSet {
    chunks: Vec<Option<Arc<Chunk>>>,
    len: usize,
}

#[derive(Clone)]
struct Chunk {
    len: u32,
    places: Places,
}

/// Few members are listed, many are bits.
#[derive(Clone)]
enum Places {
    Listed(Vec<u16>),
    Bits(Box<Bits>),
}

const MOST_LISTED: usize = 128;

fn place(slot: u32) -> u16 {
    u16::try_from(slot % CHUNK).expect("a remainder by 4096")
}

impl SlotSet {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    #[inline]
    pub(crate) fn contains(&self, slot: u32) -> bool {
        let chunk = self.chunks.get((slot / CHUNK) as usize).and_then(Option::as_ref);
        chunk.is_some_and(|chunk| chunk.contains(place(slot)))
    }

    /// Adds a slot; whether it was new.
    pub(crate) fn insert(&mut self, slot: u32) -> bool {
        let at = (slot / CHUNK) as usize;
        if self.chunks.len() <= at {
            self.chunks.resize(at + 1, None);
        }
        let chunk = self.chunks[at]
            .get_or_insert_with(|| Arc::new(Chunk { len: 0, places: Places::Listed(Vec::new()) }));
        if chunk.contains(place(slot)) {
            return false;
        }
        Arc::make_mut(chunk).insert(place(slot));
        self.len += 1;
        true
    }

    /// Takes a slot out; whether it was in.
    pub(crate) fn remove(&mut self, slot: u32) -> bool {
        let at = (slot / CHUNK) as usize;
        let Some(Some(chunk)) = self.chunks.get_mut(at) else { return false };
        if !chunk.contains(place(slot)) {
            return false;
        }
        if chunk.len == 1 {
            self.chunks[at] = None;
        } else {
            Arc::make_mut(chunk).remove(place(slot));
        }
        self.len -= 1;
        true
    }

    /// How many members a chunk has.
    #[inline]
    pub(crate) fn chunk_len(&self, chunk: usize) -> u32 {
        self.chunks.get(chunk).and_then(Option::as_ref).map_or(0, |c| c.len)
    }

    /// The bits of a chunk.
    pub(crate) fn bits(&self, chunk: usize) -> Bits {
        match self.chunks.get(chunk).and_then(Option::as_ref).map(|c| &c.places) {
            None => [0; WORDS],
            Some(Places::Bits(bits)) => **bits,
            Some(Places::Listed(list)) => {
                let mut bits = [0; WORDS];
                for at in list {
                    bits[usize::from(*at) / 64] |= 1 << (at % 64);
                }
                bits
            }
        }
    }

    /// The members in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.chunks.len()).flat_map(|chunk| {
            let base = u32::try_from(chunk).expect("slots are 32 bits") * CHUNK;
            slots_of(self.bits(chunk)).map(move |place| base + place)
        })
    }
}

/// The places whose bits are set, in ascending order.
#[expect(clippy::large_types_passed_by_value, reason = "the bits are used up")]
pub(crate) fn slots_of(bits: Bits) -> impl Iterator<Item = u32> {
    bits.into_iter().zip(0_u32..).flat_map(|(mut word, at)| {
        std::iter::from_fn(move || {
            if word == 0 {
                return None;
            }
            let low = word.trailing_zeros();
            word &= word - 1;
            Some(at * 64 + low)
        })
    })
}

impl FromIterator<u32> for SlotSet {
    fn from_iter<I: IntoIterator<Item = u32>>(slots: I) -> Self {
        let mut set = Self::default();
        for slot in slots {
            set.insert(slot);
        }
        set
    }
}

impl Chunk {
    fn contains(&self, place: u16) -> bool {
        match &self.places {
            Places::Listed(list) => list.binary_search(&place).is_ok(),
            Places::Bits(bits) => bits[usize::from(place) / 64] >> (place % 64) & 1 == 1,
        }
    }

    fn insert(&mut self, place: u16) {
        self.len += 1;
        match &mut self.places {
            Places::Bits(bits) => bits[usize::from(place) / 64] |= 1 << (place % 64),
            Places::Listed(list) => {
                if let Err(at) = list.binary_search(&place) {
                    list.insert(at, place);
                }
                if list.len() > MOST_LISTED {
                    let mut bits = Box::new([0; WORDS]);
                    for at in list.iter() {
                        bits[usize::from(*at) / 64] |= 1 << (at % 64);
                    }
                    self.places = Places::Bits(bits);
                }
            }
        }
    }

    fn remove(&mut self, place: u16) {
        self.len -= 1;
        match &mut self.places {
            Places::Bits(bits) => bits[usize::from(place) / 64] &= !(1 << (place % 64)),
            Places::Listed(list) => list.retain(|at| *at != place),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_behaves_like_an_ordered_set(
            dense in 0_u32..600,
            steps in prop::collection::vec((any::<bool>(), 0_u32..20_000), 0..200),
        ) {
            let mut set: SlotSet = (100..100 + dense).collect();
            let mut plain: BTreeSet<u32> = (100..100 + dense).collect();
            for (add, slot) in &steps {
                if *add {
                    prop_assert_eq!(set.insert(*slot), plain.insert(*slot));
                } else {
                    prop_assert_eq!(set.remove(*slot), plain.remove(slot));
                }
            }
            prop_assert_eq!(set.len(), plain.len());
            prop_assert!(set.iter().eq(plain.iter().copied()));
            for (_, slot) in &steps {
                prop_assert_eq!(set.contains(*slot), plain.contains(slot));
            }
        }
    }
}
