use std::ops::RangeInclusive;
use std::sync::Arc;

/// A key whose order is that of the indexed values, and the slot that holds the value.
pub(crate) type Item = (u64, u32);

const RUN: usize = 256;
const GROUP: usize = 64;

/// An ordered index whose clones share what is the same: sorted runs in groups, with the number of
/// items of each group kept, so that the size of a range is known without walking it.
#[derive(Clone, Default)]
pub(crate) struct SortedRuns {
    groups: Vec<Arc<Group>>,
    len: usize,
}

#[derive(Clone)]
struct Group {
    runs: Vec<Arc<Vec<Item>>>,
    len: usize,
}

impl SortedRuns {
    #[cfg(test)]
    fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn first(&self) -> Option<Item> {
        self.groups.first().map(|group| group.first())
    }

    pub(crate) fn build(mut items: Vec<Item>) -> Self {
        items.sort_unstable();
        let runs: Vec<Arc<Vec<Item>>> =
            items.chunks(RUN).map(|run| Arc::new(run.to_vec())).collect();
        let groups = runs.chunks(GROUP).map(|runs| Arc::new(Group::of(runs.to_vec()))).collect();
        Self { groups, len: items.len() }
    }

    /// The items of which `keeps` says so; runs that stay whole are shared.
    pub(crate) fn kept(&self, keeps: impl Fn(u32) -> bool) -> Self {
        let mut kept = Self::default();
        for group in &self.groups {
            let part = |run: &Arc<Vec<Item>>| {
                let part: Vec<Item> =
                    run.iter().filter(|(_, slot)| keeps(*slot)).copied().collect();
                let run = if part.len() == run.len() { run.clone() } else { Arc::new(part) };
                (!run.is_empty()).then_some(run)
            };
            let runs: Vec<Arc<Vec<Item>>> = group.runs.iter().filter_map(part).collect();
            if runs.is_empty() {
                continue;
            }
            let is_same = runs.len() == group.runs.len()
                && runs.iter().zip(&group.runs).all(|(a, b)| Arc::ptr_eq(a, b));
            let group = if is_same { group.clone() } else { Arc::new(Group::of(runs)) };
            kept.len += group.len;
            kept.groups.push(group);
        }
        kept
    }

    /// The group and the run in which the item stands or belongs.
    fn find(&self, item: Item) -> Option<(usize, usize)> {
        let group = self.groups.partition_point(|g| g.first() <= item).saturating_sub(1);
        let runs = &self.groups.get(group)?.runs;
        let run = runs.partition_point(|r| r[0] <= item).saturating_sub(1);
        Some((group, run))
    }

    pub(crate) fn insert(&mut self, item: Item) {
        let Some((at, run)) = self.find(item) else {
            self.groups.push(Arc::new(Group::of(vec![Arc::new(vec![item])])));
            self.len = 1;
            return;
        };
        let group = Arc::make_mut(&mut self.groups[at]);
        let items = Arc::make_mut(&mut group.runs[run]);
        let Err(place) = items.binary_search(&item) else { return };
        items.insert(place, item);
        self.len += 1;
        group.len += 1;
        if items.len() > 2 * RUN {
            let upper = items.split_off(RUN);
            group.runs.insert(run + 1, Arc::new(upper));
        }
        if group.runs.len() > 2 * GROUP {
            let upper = group.runs.split_off(GROUP);
            *group = Group::of(std::mem::take(&mut group.runs));
            self.groups.insert(at + 1, Arc::new(Group::of(upper)));
        }
    }

    pub(crate) fn remove(&mut self, item: Item) {
        let Some((at, run)) = self.find(item) else { return };
        let Ok(place) = self.groups[at].runs[run].binary_search(&item) else { return };
        let group = Arc::make_mut(&mut self.groups[at]);
        let items = Arc::make_mut(&mut group.runs[run]);
        items.remove(place);
        self.len -= 1;
        group.len -= 1;
        if items.is_empty() {
            group.runs.remove(run);
        }
        if group.runs.is_empty() {
            self.groups.remove(at);
        }
    }

    /// How many items have a key below this one.
    fn rank(&self, item: Item) -> usize {
        let at = self.groups.partition_point(|g| g.first() < item).saturating_sub(1);
        let before: usize = self.groups[..at.min(self.groups.len())].iter().map(|g| g.len).sum();
        let Some(group) = self.groups.get(at) else { return before };
        let run = group.runs.partition_point(|r| r[0] < item).saturating_sub(1);
        let runs: usize = group.runs[..run].iter().map(|r| r.len()).sum();
        before + runs + group.runs.get(run).map_or(0, |r| r.partition_point(|i| *i < item))
    }

    /// How many items have a key in the range.
    pub(crate) fn count(&self, keys: &RangeInclusive<u64>) -> usize {
        if keys.is_empty() {
            return 0;
        }
        let end = match keys.end().checked_add(1) {
            Some(behind) => self.rank((behind, 0)),
            None => self.len,
        };
        end - self.rank((*keys.start(), 0))
    }

    /// Calls `visit` with the slot of every item whose key is in the range, in the order of keys.
    pub(crate) fn for_each(&self, keys: &RangeInclusive<u64>, mut visit: impl FnMut(u32)) {
        let Some((first_group, first_run)) = self.find((*keys.start(), 0)) else { return };
        for (at, group) in self.groups.iter().enumerate().skip(first_group) {
            let skip = if at == first_group { first_run } else { 0 };
            for run in group.runs.iter().skip(skip) {
                if run[0].0 > *keys.end() {
                    return;
                }
                let from = run.partition_point(|item| item.0 < *keys.start());
                for (_, slot) in run[from..].iter().take_while(|item| item.0 <= *keys.end()) {
                    visit(*slot);
                }
            }
        }
    }
}

impl Group {
    fn of(runs: Vec<Arc<Vec<Item>>>) -> Self {
        let len = runs.iter().map(|r| r.len()).sum();
        Self { runs, len }
    }

    fn first(&self) -> Item {
        self.runs[0][0]
    }
}

/// The key of a number: integers in the order of the numbers, with -0 as 0.
pub(crate) fn number_key(number: f64) -> u64 {
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_behaves_like_an_ordered_set(
            built in 0_u32..2_000,
            steps in prop::collection::vec((any::<bool>(), 0_u64..300, 0_u32..40), 0..1_500),
            range in (0_u64..320, 0_u64..320),
        ) {
            let items: Vec<Item> = (0..built).map(|n| (u64::from(n * 7 % 300), n)).collect();
            let mut plain: BTreeSet<Item> = items.iter().copied().collect();
            let mut runs = SortedRuns::build(items);
            for (add, key, slot) in steps {
                if add {
                    runs.insert((key, slot));
                    plain.insert((key, slot));
                } else {
                    runs.remove((key, slot));
                    plain.remove(&(key, slot));
                }
            }
            prop_assert_eq!(runs.len(), plain.len());
            let keys = range.0..=range.1;
            let expected: Vec<u32> =
                plain.iter().filter(|(key, _)| keys.contains(key)).map(|(_, slot)| *slot).collect();
            let mut found = Vec::new();
            runs.for_each(&keys, |slot| found.push(slot));
            prop_assert_eq!(runs.count(&keys), expected.len());
            prop_assert_eq!(found, expected);
            let kept = runs.kept(|slot| slot % 3 == 1);
            let mut found = Vec::new();
            kept.for_each(&(0..=u64::MAX), |slot| found.push(slot));
            let expected: Vec<u32> =
                plain.iter().map(|(_, slot)| *slot).filter(|slot| slot % 3 == 1).collect();
            prop_assert_eq!((kept.len(), found), (expected.len(), expected));
        }

        #[test]
        fn keys_of_numbers_are_in_the_order_of_numbers(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            prop_assert_eq!(number_key(a).cmp(&number_key(b)), a.partial_cmp(&b).unwrap());
        }
    }
}
