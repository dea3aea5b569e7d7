use std::sync::Arc;

use super::fetch::call_one;

const BRANCH: usize = 128;

type Leaf<T, const LEAF: usize> = Arc<[T; LEAF]>;
type Branch<T, const LEAF: usize> = Arc<[Option<Leaf<T, LEAF>>; BRANCH]>;

/// A vector whose clones share what is the same: cloning costs one reference count for every 128
/// leaves, writing a place copies the leaf of it once. Places never written hold the default.
///
/// Large leaves suit places that are written one after the other, small ones those that are
/// written here and there.
#[derive(Clone)]
pub(crate) struct SharedVec<T, const LEAF: usize = 64> {
    top: Vec<Option<Branch<T, LEAF>>>,
    default: T,
}

impl<T: Clone, const LEAF: usize> SharedVec<T, LEAF> {
    const SPAN: usize = LEAF * BRANCH;

    pub(crate) fn new(default: T) -> Self {
        Self { top: Vec::new(), default }
    }

    #[inline]
    pub(crate) fn get(&self, at: u32) -> &T {
        let at = at as usize;
        let leaf = self.top.get(at / Self::SPAN).and_then(Option::as_ref);
        let leaf = leaf.and_then(|branch| branch[at % Self::SPAN / LEAF].as_ref());
        leaf.map_or(&self.default, |leaf| &leaf[at % LEAF])
    }

    /// Lets what stands at a place come into the cache.
    #[inline]
    pub(crate) fn call(&self, at: u32) {
        call_one(self.get(at));
    }

    /// Calls `visit` with the first place of every leaf that is not shared with `other`.
    pub(crate) fn changed_leaves(&self, other: &Self, mut visit: impl FnMut(u32)) {
        let same = |a: Option<&Leaf<T, LEAF>>, b: Option<&Leaf<T, LEAF>>| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        for at in 0..self.top.len().max(other.top.len()) {
            let mine = self.top.get(at).and_then(Option::as_ref);
            let theirs = other.top.get(at).and_then(Option::as_ref);
            if let (Some(mine), Some(theirs)) = (mine, theirs)
                && Arc::ptr_eq(mine, theirs)
            {
                continue;
            }
            for leaf in 0..BRANCH {
                let leaf_of = |branch: Option<&'_ Branch<T, LEAF>>| {
                    branch.and_then(|b| b[leaf].as_ref()).cloned()
                };
                if !same(leaf_of(mine).as_ref(), leaf_of(theirs).as_ref()) {
                    visit(
                        u32::try_from(at * Self::SPAN + leaf * LEAF).expect("places are 32 bits"),
                    );
                }
            }
        }
    }

    pub(crate) fn set(&mut self, at: u32, value: T) {
        let at = at as usize;
        if self.top.len() <= at / Self::SPAN {
            self.top.resize(at / Self::SPAN + 1, None);
        }
        let branch = self.top[at / Self::SPAN]
            .get_or_insert_with(|| Arc::new(std::array::from_fn(|_| None)));
        let default = &self.default;
        let leaf = Arc::make_mut(branch)[at % Self::SPAN / LEAF]
            .get_or_insert_with(|| Arc::new(std::array::from_fn(|_| default.clone())));
        Arc::make_mut(leaf)[at % LEAF] = value;
    }
}

/// A list with one more item at its end, made by one move of memory.
pub(super) fn grown<T: Copy>(old: &[T], new: T) -> Arc<[T]> {
    let mut grown: Arc<[T]> = std::iter::repeat_n(new, old.len() + 1).collect();
    let items = Arc::get_mut(&mut grown).expect("nobody else has it yet");
    items[..old.len()].copy_from_slice(old);
    grown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_behaves_like_a_vector_and_clones_keep_what_they_saw(
            writes in prop::collection::vec((0_u32..40_000, any::<u16>()), 1..80),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut shared = SharedVec::<u16>::new(0);
            let mut plain = vec![0_u16; 40_000];
            let cut = cut.index(writes.len());
            let mut before = None;
            for (step, (at, value)) in writes.iter().enumerate() {
                if step == cut {
                    before = Some((shared.clone(), plain.clone()));
                }
                shared.set(*at, *value);
                plain[*at as usize] = *value;
            }
            let (old_shared, old_plain) = before.unwrap();
            for (at, _) in &writes {
                prop_assert_eq!(*shared.get(*at), plain[*at as usize]);
                prop_assert_eq!(*old_shared.get(*at), old_plain[*at as usize]);
            }
            prop_assert_eq!(*shared.get(3_000_000), 0);
        }
    }
}
