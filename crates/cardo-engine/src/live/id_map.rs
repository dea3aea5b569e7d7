use std::hash::BuildHasher;
use std::sync::Arc;

use super::shared_vec::{SharedVec, grown};

/// From ids to slots, with clones that share what is the same.
///
/// A linear hash table: it grows by one bucket at a time, so that no insertion ever waits for the
/// whole table to move. A bucket holds half a hash and a slot per entity; the id itself stands in
/// the record, which the caller compares.
#[derive(Clone)]
pub(crate) struct IdMap {
    buckets: SharedVec<Bucket, 8>,
    count: u32,
    len: usize,
    hasher: foldhash::fast::FixedState,
}

type Bucket = Arc<[Entry]>;

#[derive(Clone, Copy)]
struct Entry {
    hash: u32,
    slot: u32,
}

/// How many entries a bucket has on average before the map grows. They are plain numbers, so that
/// copying many of them is cheaper than counting references to more buckets.
const FILL: usize = 48;

impl IdMap {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            buckets: SharedVec::new(Arc::from([])),
            count: 1,
            len: 0,
            hasher: foldhash::fast::FixedState::with_seed(seed),
        }
    }

    fn hash(&self, id: &str) -> (u32, u32) {
        let hash = self.hasher.hash_one(id.as_bytes());
        let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).expect("half of 64 bits");
        (half(hash), half(hash >> 32))
    }

    /// Buckets below the split point are addressed with one bit more.
    fn bucket_of(&self, address: u32) -> u32 {
        let bits = self.count.ilog2();
        let low = address & ((1 << bits) - 1);
        let high = address & ((1_u32 << bits) * 2 - 1);
        if high < self.count { high } else { low }
    }

    /// The slot for which `is_it` says yes among those whose ids may be this one.
    #[inline]
    pub(crate) fn get(&self, id: &str, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let (address, hash) = self.hash(id);
        let bucket = self.buckets.get(self.bucket_of(address));
        bucket.iter().find(|e| e.hash == hash && is_it(e.slot)).map(|e| e.slot)
    }

    /// Adds an id that is not in the map. `id_of` gives the id behind a slot, for entries that
    /// have to move.
    pub(crate) fn insert<'a>(&mut self, id: &str, slot: u32, id_of: impl Fn(u32) -> &'a str) {
        let (address, hash) = self.hash(id);
        let at = self.bucket_of(address);
        let entries = grown(self.buckets.get(at), Entry { hash, slot });
        self.buckets.set(at, entries);
        self.len += 1;
        if self.len > self.count as usize * FILL {
            self.split(id_of);
        }
    }

    fn split<'a>(&mut self, id_of: impl Fn(u32) -> &'a str) {
        let new = self.count;
        let old = new - (1 << new.ilog2());
        self.count += 1;
        let entries = self.buckets.get(old).clone();
        let (moved, stay): (Vec<Entry>, Vec<Entry>) =
            entries.iter().partition(|entry| self.bucket_of(self.hash(id_of(entry.slot)).0) == new);
        self.buckets.set(old, stay.into());
        self.buckets.set(new, moved.into());
    }

    /// Takes out the entry of an id at a slot.
    pub(crate) fn remove(&mut self, id: &str, slot: u32) {
        let (address, _) = self.hash(id);
        let at = self.bucket_of(address);
        let rest: Vec<Entry> =
            self.buckets.get(at).iter().filter(|e| e.slot != slot).copied().collect();
        if rest.len() < self.buckets.get(at).len() {
            self.len -= 1;
            self.buckets.set(at, rest.into());
        }
    }

    /// Builds the map of many ids at once.
    pub(crate) fn build<'a>(
        seed: u64,
        len: usize,
        ids: impl Iterator<Item = (&'a str, u32)>,
    ) -> Self {
        let mut map = Self::new(seed);
        let count = u32::try_from(len / (FILL / 2) + 1).unwrap_or(u32::MAX);
        map.count = count;
        let mut placed: Vec<(u32, Entry)> = Vec::with_capacity(len);
        for (id, slot) in ids {
            let (address, hash) = map.hash(id);
            placed.push((map.bucket_of(address), Entry { hash, slot }));
        }
        map.len = placed.len();
        placed.sort_unstable_by_key(|(bucket, _)| *bucket);
        for run in placed.chunk_by(|(a, _), (b, _)| a == b) {
            map.buckets.set(run[0].0, run.iter().map(|(_, entry)| *entry).collect());
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_behaves_like_a_map(
            built in 0_u32..500,
            steps in prop::collection::vec((any::<bool>(), 0_u32..2_000), 0..600),
        ) {
            let ids: Vec<String> = (0..2_000).map(|n| format!("urn:x:{n}")).collect();
            let id_of = |slot: u32| ids[slot as usize].as_str();
            let mut map = IdMap::build(7, built as usize, (0..built).map(|s| (id_of(s), s)));
            let mut plain: HashMap<&str, u32> = (0..built).map(|s| (id_of(s), s)).collect();
            for (add, slot) in steps {
                let id = id_of(slot);
                if add {
                    if plain.insert(id, slot).is_none() {
                        map.insert(id, slot, id_of);
                    }
                } else if plain.remove(id).is_some() {
                    map.remove(id, slot);
                }
            }
            for (slot, id) in ids.iter().enumerate() {
                let found = map.get(id, |s| id_of(s) == id);
                prop_assert_eq!(found, plain.get(id.as_str()).copied(), "{}", slot);
            }
        }
    }
}
