use std::collections::BTreeMap;
use std::sync::Arc;

use cardo_model::{DocumentChange, NameId, Seq};

/// The kind of the documents that keep the index.
pub(crate) const PAST: &str = "past";

/// Parts of the index; a change copies one of them.
const PARTS: usize = 128;

/// Entities that are known by their history only: they were deleted, or never were in the twin.
#[derive(Clone)]
pub(crate) struct Pasts {
    parts: Arc<[Part; PARTS]>,
    hasher: foldhash::fast::FixedState,
}

type Part = Arc<BTreeMap<Arc<str>, Past>>;

/// What is known of such an entity without a look into its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Past {
    /// Its place in the order of creation.
    pub(crate) seq: Seq,
    /// Its types.
    pub(crate) types: Vec<NameId>,
}

impl Default for Pasts {
    fn default() -> Self {
        let parts = Arc::new(std::array::from_fn(|_| Part::default()));
        Self { parts, hasher: foldhash::fast::FixedState::with_seed(0) }
    }
}

impl Pasts {
    fn part_of(&self, id: &str) -> usize {
        let hash = std::hash::BuildHasher::hash_one(&self.hasher, id.as_bytes());
        usize::try_from(hash % PARTS as u64).expect("less than the number of parts")
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Past> {
        self.parts[self.part_of(id)].get(id)
    }

    /// Every entity, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Past)> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    /// Takes in a document of the kind [`PAST`].
    pub(crate) fn put(&mut self, id: &str, body: Option<&str>) {
        let past = body.and_then(Past::read);
        if past.is_none() && self.get(id).is_none() {
            return;
        }
        let at = self.part_of(id);
        let part = Arc::make_mut(&mut Arc::make_mut(&mut self.parts)[at]);
        match past {
            Some(past) => part.insert(id.into(), past),
            None => part.remove(id),
        };
    }
}

impl Past {
    /// The document that keeps it.
    pub(crate) fn document(&self, id: &str) -> DocumentChange {
        let mut body = self.seq.as_u64().to_string();
        for name in &self.types {
            body.push(' ');
            body.push_str(&name.as_u32().to_string());
        }
        DocumentChange { kind: PAST.into(), id: id.into(), body: Some(body.into()) }
    }

    /// The document that forgets it.
    pub(crate) fn no_document(id: &str) -> DocumentChange {
        DocumentChange { kind: PAST.into(), id: id.into(), body: None }
    }

    fn read(body: &str) -> Option<Self> {
        let mut words = body.split(' ');
        let seq = Seq::from_u64(words.next()?.parse().ok()?);
        let types = words.map(|word| word.parse().ok().map(NameId::new)).collect::<Option<_>>()?;
        Some(Self { seq, types })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_past_survives_its_document_and_clones_share_nothing_that_changes() {
        let types = vec![NameId::new(3), NameId::new(70_000)];
        let past = Past { seq: Seq::from_u64(u64::MAX), types };
        let mut pasts = Pasts::default();
        for n in 0..1_000 {
            let id = format!("urn:x:{n}");
            let document = past.document(&id);
            pasts.put(&id, document.body.as_deref());
        }
        let before = pasts.clone();
        assert_eq!((pasts.get("urn:x:7"), pasts.iter().count()), (Some(&past), 1_000));
        pasts.put("urn:x:7", None);
        pasts.put("urn:x:none", None);
        assert_eq!((pasts.get("urn:x:7"), pasts.iter().count()), (None, 999));
        assert_eq!(before.iter().count(), 1_000);
    }
}
