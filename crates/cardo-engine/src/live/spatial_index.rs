use std::sync::Arc;

use cardo_spatial::Aabb;

use super::bucket::{Bucket, Entry, fetch, union};

/// How many entries a bucket is built with; it is split beyond twice as many. Entries lie side by
/// side: looking through so few takes no longer than going down a tree, and copying them is one
/// move of memory.
const BUCKET: usize = 64;
const GROUP: usize = 64;

/// An R-tree of three levels of which clones share what is the same: groups of buckets of entries,
/// each copied only where it is written.
#[derive(Clone, Default)]
pub(crate) struct SpatialIndex {
    groups: Vec<Group>,
    len: usize,
}

/// Its box lies beside those of the other groups: every search looks at all of them.
#[derive(Clone)]
struct Group {
    bounds: Aabb,
    buckets: Arc<Vec<Bucket>>,
}

/// How many buckets are fetched together.
const TOGETHER: usize = 16;

/// How far a walk over buckets has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BucketPlace {
    group: usize,
    bucket: usize,
}

impl SpatialIndex {
    #[cfg(test)]
    fn len(&self) -> usize {
        self.len
    }

    /// Builds the index of many entries at once, by sorting into tiles.
    pub(crate) fn build(mut entries: Vec<Entry>) -> Self {
        let len = entries.len();
        let tiles = len.div_ceil(BUCKET).max(1);
        let columns = isqrt_ceil(tiles);
        let column = (tiles.div_ceil(columns) * BUCKET).max(1);
        sort_by_axis(&mut entries, 0);
        let mut buckets = Vec::with_capacity(tiles);
        for strip in entries.chunks_mut(column) {
            sort_by_axis(strip, 1);
            buckets.extend(strip.chunks(BUCKET).map(Bucket::of));
        }
        let groups = buckets.chunks(GROUP).map(|b| Group::of(b.to_vec())).collect();
        Self { groups, len }
    }

    pub(crate) fn insert(&mut self, entry: Entry) {
        self.len += 1;
        let Some(at) = best(self.groups.iter().map(|g| &g.bounds), &entry.bounds) else {
            self.groups.push(Group::of(vec![Bucket::of(&[entry])]));
            return;
        };
        let group = &mut self.groups[at];
        group.insert(entry);
        if group.buckets.len() > 2 * GROUP {
            let other = group.split();
            self.groups.push(other);
        }
    }

    /// Takes an entry out; whether it was in.
    pub(crate) fn remove(&mut self, entry: &Entry) -> bool {
        for at in 0..self.groups.len() {
            if !self.groups[at].bounds.contains(&entry.bounds) {
                continue;
            }
            let Some(bucket) = self.groups[at].bucket_with(entry) else { continue };
            self.len -= 1;
            let group = &mut self.groups[at];
            group.remove(bucket, entry);
            if group.buckets.is_empty() {
                self.groups.swap_remove(at);
            }
            return true;
        }
        false
    }

    /// Moves an entry; cheap where it stays in its bucket.
    pub(crate) fn relocate(&mut self, old: &Entry, new: Entry) {
        for group in &mut self.groups {
            if !(group.bounds.contains(&old.bounds) && group.bounds.contains(&new.bounds)) {
                continue;
            }
            let Some(at) = group.bucket_with(old) else { continue };
            if !group.buckets[at].bounds.contains(&new.bounds) {
                break;
            }
            Arc::make_mut(&mut group.buckets)[at].replace(old, new);
            group.bounds = union(group.buckets.iter().map(|b| b.bounds));
            return;
        }
        self.remove(old);
        self.insert(new);
    }

    /// Calls `visit` with every entry that meets one of the boxes; an entry may come once a box.
    pub(crate) fn search(&self, boxes: &[Aabb], mut visit: impl FnMut(&Entry)) {
        for wanted in boxes {
            let groups = self.groups.iter().filter(|group| group.bounds.intersects(wanted));
            let buckets = groups.flat_map(|group| group.buckets.iter());
            let mut buckets = buckets.filter(|bucket| bucket.bounds.intersects(wanted));
            let mut together = Vec::with_capacity(TOGETHER);
            loop {
                together.clear();
                together.extend(buckets.by_ref().take(TOGETHER));
                if together.is_empty() {
                    break;
                }
                fetch(&together);
                for bucket in &together {
                    bucket.entries.search(wanted, wanted.contains(&bucket.bounds), &mut visit);
                }
            }
        }
    }

    /// The next bucket that meets one of the boxes, for walks that make way for others.
    pub(crate) fn next_bucket(
        &self,
        at: &mut BucketPlace,
        boxes: &[Aabb],
    ) -> Option<impl Iterator<Item = Entry>> {
        let meets = |bounds: &Aabb| boxes.iter().any(|wanted| bounds.intersects(wanted));
        while let Some(group) = self.groups.get(at.group) {
            if at.bucket > 0 || meets(&group.bounds) {
                while let Some(bucket) = group.buckets.get(at.bucket) {
                    at.bucket += 1;
                    if meets(&bucket.bounds) {
                        return Some(bucket.entries.iter());
                    }
                }
            }
            *at = BucketPlace { group: at.group + 1, bucket: 0 };
        }
        None
    }

    /// About how many entries meet one of the boxes, from the directory alone.
    pub(crate) fn estimate(&self, boxes: &[Aabb]) -> usize {
        let mut sum = 0.0;
        for wanted in boxes {
            for group in self.groups.iter().filter(|g| g.bounds.intersects(wanted)) {
                for bucket in group.buckets.iter().filter(|b| b.bounds.intersects(wanted)) {
                    sum += bucket.entries.len() as f64 * overlap(&bucket.bounds, wanted);
                }
            }
        }
        let whole = sum.min(self.len as f64).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 ..= len")]
        let rounded = whole as usize;
        rounded
    }

    /// The box of all entries.
    pub(crate) fn extent(&self) -> Option<Aabb> {
        self.groups.iter().map(|g| g.bounds).reduce(|a, b| a.union(&b))
    }
}

impl Group {
    fn of(buckets: Vec<Bucket>) -> Self {
        let bounds = union(buckets.iter().map(|b| b.bounds));
        Self { bounds, buckets: Arc::new(buckets) }
    }

    fn insert(&mut self, entry: Entry) {
        self.bounds = self.bounds.union(&entry.bounds);
        let at = best(self.buckets.iter().map(|b| &b.bounds), &entry.bounds)
            .expect("a group has a bucket");
        let buckets = Arc::make_mut(&mut self.buckets);
        let bucket = &mut buckets[at];
        bucket.insert(entry);
        if bucket.entries.len() > 2 * BUCKET {
            let mut entries = bucket.entries.to_vec();
            sort_by_axis(&mut entries, longer_axis(&bucket.bounds));
            let (lower, upper) = entries.split_at(entries.len() / 2);
            *bucket = Bucket::of(lower);
            buckets.push(Bucket::of(upper));
        }
    }

    fn split(&mut self) -> Self {
        let axis = longer_axis(&self.bounds);
        let mut buckets = self.buckets.to_vec();
        buckets
            .sort_unstable_by(|a, b| a.bounds.center()[axis].total_cmp(&b.bounds.center()[axis]));
        let upper = buckets.split_off(buckets.len() / 2);
        *self = Self::of(buckets);
        Self::of(upper)
    }

    fn bucket_with(&self, entry: &Entry) -> Option<usize> {
        self.buckets
            .iter()
            .position(|bucket| bucket.bounds.contains(&entry.bounds) && bucket.has(entry))
    }

    fn remove(&mut self, at: usize, entry: &Entry) {
        let buckets = Arc::make_mut(&mut self.buckets);
        if buckets[at].entries.len() == 1 {
            buckets.swap_remove(at);
        } else {
            buckets[at].remove(entry);
        }
        self.bounds = union(buckets.iter().map(|b| b.bounds));
    }
}

/// The box that has to grow least to take the new one in, and of those the smallest.
fn best<'a>(boxes: impl Iterator<Item = &'a Aabb>, new: &Aabb) -> Option<usize> {
    let area = |b: &Aabb| (b.max[0] - b.min[0]) * (b.max[1] - b.min[1]);
    boxes
        .map(|known| {
            let whole = area(&known.union(new));
            (whole - area(known), whole)
        })
        .enumerate()
        .min_by(|(_, a), (_, b)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)))
        .map(|(at, _)| at)
}

fn longer_axis(bounds: &Aabb) -> usize {
    usize::from(bounds.max[1] - bounds.min[1] > bounds.max[0] - bounds.min[0])
}

fn sort_by_axis(entries: &mut [Entry], axis: usize) {
    entries.sort_unstable_by(|a, b| a.bounds.center()[axis].total_cmp(&b.bounds.center()[axis]));
}

fn isqrt_ceil(n: usize) -> usize {
    let root = n.isqrt();
    if root * root < n { root + 1 } else { root.max(1) }
}

/// Which part of `bounds` lies in `wanted`, at least a little where they meet at all.
fn overlap(bounds: &Aabb, wanted: &Aabb) -> f64 {
    let share = |axis: usize| {
        let length = bounds.max[axis] - bounds.min[axis];
        let common =
            bounds.max[axis].min(wanted.max[axis]) - bounds.min[axis].max(wanted.min[axis]);
        if length > 0.0 { (common / length).clamp(0.01, 1.0) } else { 1.0 }
    };
    share(0) * share(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(slot: u32, x: f64, y: f64, w: f64, h: f64) -> Entry {
        let bounds = Aabb { min: [x, y], max: [x + w, y + h] };
        let is_point = w == 0.0 && h == 0.0;
        Entry { bounds, slot, is_point, is_touched: is_point }
    }

    fn found(index: &SpatialIndex, wanted: Aabb) -> Vec<u32> {
        let mut slots = Vec::new();
        index.search(&[wanted], |entry| slots.push(entry.slot));
        slots.sort_unstable();
        let mut place = BucketPlace::default();
        let mut walked = Vec::new();
        while let Some(bucket) = index.next_bucket(&mut place, &[wanted]) {
            walked.extend(bucket.filter(|e| e.bounds.intersects(&wanted)).map(|e| e.slot));
        }
        walked.sort_unstable();
        assert_eq!(walked, slots, "a walk bucket by bucket finds the same");
        slots
    }

    proptest! {
        #[test]
        fn a_search_finds_what_a_plain_scan_finds(
            seed in any::<u64>(),
            built in 0_u32..3_000,
            steps in prop::collection::vec((0_u8..3, 0_u32..3_500, 0_i32..100, 0_i32..100), 0..300),
            wanted in (0_i32..100, 0_i32..100, 0_i32..60, 0_i32..60),
        ) {
            let place = |slot: u32, salt: u64| {
                let mixed = (u64::from(slot) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(salt ^ seed);
                let part = |shift: u32| f64::from(u16::try_from(mixed >> shift & 0x3ff).unwrap()) / 10.0;
                let size = if mixed.trailing_zeros() >= 2 { part(30) / 20.0 } else { 0.0 };
                entry(slot, part(0), part(10), size, size)
            };
            let mut plain: std::collections::BTreeMap<u32, Entry> =
                (0..built).map(|slot| (slot, place(slot, 0))).collect();
            let mut index = SpatialIndex::build(plain.values().copied().collect());
            let before = (index.clone(), plain.clone());
            for (what, slot, x, y) in steps {
                let new = entry(slot, f64::from(x), f64::from(y), 0.0, 0.0);
                match (what, plain.get(&slot).copied()) {
                    (0, None) => {
                        index.insert(new);
                        plain.insert(slot, new);
                    }
                    (1, Some(old)) => {
                        prop_assert!(index.remove(&old));
                        plain.remove(&slot);
                    }
                    (2, Some(old)) => {
                        index.relocate(&old, new);
                        plain.insert(slot, new);
                    }
                    _ => {}
                }
            }
            let wanted = Aabb {
                min: [f64::from(wanted.0), f64::from(wanted.1)],
                max: [f64::from(wanted.0 + wanted.2), f64::from(wanted.1 + wanted.3)],
            };
            for (index, plain) in [(&index, &plain), (&before.0, &before.1)] {
                prop_assert_eq!(index.len(), plain.len());
                let expected: Vec<u32> = plain
                    .values()
                    .filter(|e| e.bounds.intersects(&wanted))
                    .map(|e| e.slot)
                    .collect();
                prop_assert_eq!(found(index, wanted), expected);
                let extent = plain.values().map(|e| e.bounds).reduce(|a, b| a.union(&b));
                prop_assert_eq!(index.extent(), extent);
            }
        }
    }
}
