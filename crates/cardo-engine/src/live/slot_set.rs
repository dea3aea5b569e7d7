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

    /// The members that another set has as well; chunks that stay what they are are shared.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        self.combined(other, |mine, theirs| mine & theirs)
    }

    /// The members that another set does not have.
    pub(crate) fn without(&self, other: &Self) -> Self {
        self.combined(other, |mine, theirs| mine & !theirs)
    }

    /// Takes in the members of another set.
    pub(crate) fn take_in(&mut self, other: &Self) {
        if self.len == 0 {
            self.clone_from(other);
            return;
        }
        if self.chunks.len() < other.chunks.len() {
            self.chunks.resize(other.chunks.len(), None);
        }
        *self = self.combined(other, |mine, theirs| mine | theirs);
    }

    /// Puts the bits of a chunk in the place of those that it has.
    #[expect(clippy::large_types_passed_by_value, reason = "the bits are kept")]
    fn put(&mut self, chunk: u32, bits: Bits) {
        let at = chunk as usize;
        self.len -= self.chunk_len(at) as usize;
        if self.chunks.len() <= at {
            self.chunks.resize(at + 1, None);
        }
        self.chunks[at] = Chunk::of(bits);
        self.len += self.chunk_len(at) as usize;
    }

    fn combined(&self, other: &Self, word: impl Fn(u64, u64) -> u64) -> Self {
        let mut all = Self { chunks: Vec::with_capacity(self.chunks.len()), len: 0 };
        for (at, mine) in self.chunks.iter().enumerate() {
            let (before, others) = (self.bits(at), other.bits(at));
            let mut bits = before;
            for (mine, theirs) in bits.iter_mut().zip(others) {
                *mine = word(*mine, theirs);
            }
            let chunk = if bits == before {
                mine.clone()
            } else if bits == others {
                other.chunks.get(at).cloned().flatten()
            } else {
                Chunk::of(bits)
            };
            all.len += chunk.as_ref().map_or(0, |chunk| chunk.len as usize);
            all.chunks.push(chunk);
        }
        all
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
    /// Slots that come in ascending order are cheapest.
    fn from_iter<I: IntoIterator<Item = u32>>(slots: I) -> Self {
        let mut set = Self::default();
        let mut open: Option<(u32, Bits)> = None;
        for slot in slots {
            let chunk = slot / CHUNK;
            if let Some((at, bits)) = open.take_if(|(at, _)| *at != chunk) {
                set.put(at, bits);
            }
            let (_, bits) = open.get_or_insert_with(|| (chunk, set.bits(chunk as usize)));
            let place = usize::from(place(slot));
            bits[place / 64] |= 1 << (place % 64);
        }
        if let Some((at, bits)) = open {
            set.put(at, bits);
        }
        set
    }
}

impl Chunk {
    #[expect(clippy::large_types_passed_by_value, reason = "the bits are kept")]
    fn of(bits: Bits) -> Option<Arc<Self>> {
        let len: u32 = bits.iter().map(|word| word.count_ones()).sum();
        let places = match len as usize {
            0 => return None,
            1..=MOST_LISTED => Places::Listed(slots_of(bits).map(place).collect()),
            _ => Places::Bits(Box::new(bits)),
        };
        Some(Arc::new(Self { len, places }))
    }

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

        #[test]
        fn two_of_them_are_put_together_like_ordered_sets(
            sets in prop::array::uniform2((
                prop::collection::vec(0_u32..20_000, 0..300),
                0_u32..9_000,
                any::<bool>(),
            )),
        ) {
            let slots = |(some, dense, has_all): &(Vec<u32>, u32, bool)| {
                let all = if *has_all { 0..9_000 } else { 0..*dense };
                some.iter().copied().chain(all).collect::<Vec<u32>>()
            };
            let [mine, theirs] = [slots(&sets[0]), slots(&sets[1])];
            let (a, b): (SlotSet, SlotSet) =
                (mine.iter().copied().collect(), theirs.iter().copied().collect());
            let (plain_a, plain_b): (BTreeSet<u32>, BTreeSet<u32>) =
                (mine.into_iter().collect(), theirs.into_iter().collect());
            let mut union = a.clone();
            union.take_in(&b);
            for (set, plain) in [
                (&a, &plain_a),
                (&a.intersection(&b), &(&plain_a & &plain_b)),
                (&a.without(&b), &(&plain_a - &plain_b)),
                (&union, &(&plain_a | &plain_b)),
            ] {
                prop_assert_eq!(set.len(), plain.len());
                prop_assert!(set.iter().eq(plain.iter().copied()));
            }
        }
    }
}
