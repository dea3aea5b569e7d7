use std::sync::Arc;

const LEAF: usize = 64;
const BRANCH: usize = 128;
const SPAN: usize = LEAF * BRANCH;

type Leaf<T> = Arc<[T; LEAF]>;
type Branch<T> = Arc<[Option<Leaf<T>>; BRANCH]>;

/// A vector whose clones share what is the same: cloning costs one reference count for every
/// 8,192 places, writing a place copies 64 of them once. Places never written hold the default.
#[derive(Clone)]
pub(crate) struct SharedVec<T> {
    top: Vec<Option<Branch<T>>>,
    default: T,
}

impl<T: Clone> SharedVec<T> {
    pub(crate) fn new(default: T) -> Self {
        Self { top: Vec::new(), default }
    }

    #[inline]
    pub(crate) fn get(&self, at: u32) -> &T {
        let at = at as usize;
        let leaf = self.top.get(at / SPAN).and_then(Option::as_ref);
        let leaf = leaf.and_then(|branch| branch[at % SPAN / LEAF].as_ref());
        leaf.map_or(&self.default, |leaf| &leaf[at % LEAF])
    }

    /// Calls `visit` with the first place of every run of 64 that is not shared with `other`.
    pub(crate) fn changed_leaves(&self, other: &Self, mut visit: impl FnMut(u32)) {
        let same = |a: Option<&Leaf<T>>, b: Option<&Leaf<T>>| match (a, b) {
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
                let leaf_of =
                    |branch: Option<&'_ Branch<T>>| branch.and_then(|b| b[leaf].as_ref()).cloned();
                if !same(leaf_of(mine).as_ref(), leaf_of(theirs).as_ref()) {
                    visit(u32::try_from(at * SPAN + leaf * LEAF).expect("places are 32 bits"));
                }
            }
        }
    }

    pub(crate) fn set(&mut self, at: u32, value: T) {
        let at = at as usize;
        if self.top.len() <= at / SPAN {
            self.top.resize(at / SPAN + 1, None);
        }
        let branch =
            self.top[at / SPAN].get_or_insert_with(|| Arc::new(std::array::from_fn(|_| None)));
        let default = &self.default;
        let leaf = Arc::make_mut(branch)[at % SPAN / LEAF]
            .get_or_insert_with(|| Arc::new(std::array::from_fn(|_| default.clone())));
        Arc::make_mut(leaf)[at % LEAF] = value;
    }
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
            let mut shared = SharedVec::new(0_u16);
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
