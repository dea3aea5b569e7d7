use std::collections::BTreeMap;
use std::sync::Arc;

use cardo_model::{
    AttributeRef, DocumentChange, EntityRef, NameId, Record, Revision, Seq, SourceOffset, Timestamp,
};
use hashbrown::HashMap;

use super::attribute_index::{AttributeIndex, AttributeIndexBuilder};
use super::id_map::IdMap;
use super::past::{PAST, Pasts};
use super::shared_vec::SharedVec;
use super::slot_set::SlotSet;
use super::sorted_runs::SortedRuns;
use super::times::Times;

pub(super) type ByName<T> = HashMap<NameId, T, foldhash::fast::FixedState>;
/// Documents that say how to read what is there.
const BRANCHED: [&str; 3] = ["context", "hosted-context", "origin"];
/// The kind of the document that says with which entities of its parent a branch begins. It stands in
/// the log of the branch alone.
pub(crate) const CHOSEN: &str = "chosen";

type Documents = BTreeMap<Arc<str>, Arc<BTreeMap<Arc<str>, Arc<str>>>>;

/// A whole twin at one revision. Clones share what is the same; a published root never changes.
///
/// Entities stand in slots, in the order of their creation. A slot is never used again; when most
/// are empty the root is built anew.
#[derive(Clone)]
pub(crate) struct Root {
    pub(crate) revision: Revision,
    /// Changes where slots are given anew, so that slots of two roots can be told apart.
    pub(crate) lineage: u64,
    pub(super) entities: SharedVec<Option<Record>>,
    /// The place in the order of creation by slot, kept for empty slots as well.
    seqs: SharedVec<Seq>,
    next_slot: u32,
    pub(crate) live: SlotSet,
    /// How many slots have a record that is not part of the twin: it shares them with another.
    pub(super) hidden: usize,
    ids: IdMap,
    pub(crate) types: Arc<ByName<Arc<TypeIndex>>>,
    pub(crate) scopes: Arc<BTreeMap<Box<str>, SlotSet>>,
    documents: Documents,
    pub(crate) pasts: Pasts,
    offsets: Arc<BTreeMap<Arc<str>, Arc<str>>>,
    /// Entities and instances that cease to be at a time, soonest first.
    pub(super) expiries: SortedRuns,
    /// Counts how often other types, attributes or facets of them occurred than before.
    pub(crate) shape: u64,
}

/// What is indexed of one type.
#[derive(Clone, Default)]
pub(crate) struct TypeIndex {
    pub(crate) members: SlotSet,
    pub(crate) attributes: ByName<Arc<AttributeIndex>>,
    /// The earliest and latest observation.
    pub(crate) times: Times,
}

impl Root {
    pub(crate) fn empty(seed: u64) -> Self {
        Self {
            revision: Revision(0),
            lineage: 0,
            entities: SharedVec::new(None),
            seqs: SharedVec::new(Seq::default()),
            next_slot: 0,
            live: SlotSet::default(),
            hidden: 0,
            ids: IdMap::new(seed),
            types: Arc::default(),
            scopes: Arc::default(),
            documents: BTreeMap::new(),
            pasts: Pasts::default(),
            offsets: Arc::default(),
            expiries: SortedRuns::default(),
            shape: 0,
        }
    }

    /// Builds a root of entities in the order of their creation.
    pub(crate) fn build(seed: u64, records: impl IntoIterator<Item = Record>) -> Self {
        let mut root = Self::empty(seed);
        for record in records {
            let slot = root.next_slot;
            root.next_slot += 1;
            root.seqs.set(slot, record.view().seq());
            root.entities.set(slot, Some(record));
            root.live.insert(slot);
        }
        root.build_indexes(seed);
        root
    }

    /// Ids and types are built side by side, and so are the R-trees of the types.
    fn build_indexes(&mut self, seed: u64) {
        let mut types: ByName<TypeIndexBuilder> = ByName::default();
        let mut scopes: BTreeMap<Box<str>, SlotSet> = BTreeMap::new();
        let mut expiries = Vec::new();
        let entities = &self.entities;
        let live = &self.live;
        let record = |slot: u32| entities.get(slot).as_ref().expect("a live slot has a record");
        self.ids = std::thread::scope(|threads| {
            let ids = threads.spawn(|| {
                let ids = live.iter().map(|slot| (record(slot).view().id(), slot));
                IdMap::build(seed, live.len(), ids)
            });
            for slot in live.iter() {
                let view = record(slot).view();
                for name in view.types() {
                    types.entry(name).or_default().add(slot, &view);
                }
                for scope in view.scopes() {
                    scopes.entry(scope.into()).or_default().insert(slot);
                }
                if let Some(moment) = soonest_expiry(record(slot)) {
                    expiries.push((moment, slot));
                }
            }
            ids.join().expect("building a map of ids does not panic")
        });
        self.types = Arc::new(types.into_iter().map(|(n, t)| (n, Arc::new(t.build()))).collect());
        self.scopes = Arc::new(scopes);
        self.expiries = SortedRuns::build(expiries);
    }

    /// The record in a slot.
    #[inline]
    pub(crate) fn record(&self, slot: u32) -> Option<&Record> {
        if self.hidden > 0 && !self.live.contains(slot) {
            return None;
        }
        self.entities.get(slot).as_ref()
    }

    /// Lets the place of a record come into the cache.
    #[inline]
    pub(crate) fn call(&self, slot: u32) {
        self.entities.call(slot);
    }

    /// The slot of an id.
    #[inline]
    pub(crate) fn slot(&self, id: &str) -> Option<u32> {
        self.ids.get(id, |slot| self.id_is(slot, id))
    }

    fn id_is(&self, slot: u32, id: &str) -> bool {
        self.record(slot).is_some_and(|record| record.view().id_bytes() == id.as_bytes())
    }

    /// The first slot at or behind a place in the order of creation.
    pub(crate) fn slot_from(&self, seq: Seq) -> u32 {
        let (mut low, mut high) = (0, self.next_slot);
        while low < high {
            let middle = low.midpoint(high);
            if *self.seqs.get(middle) < seq { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The slot of a place in the order of creation.
    pub(crate) fn slot_of(&self, seq: Seq) -> Option<u32> {
        let slot = self.slot_from(seq);
        (slot < self.next_slot && *self.seqs.get(slot) == seq).then_some(slot)
    }

    /// How many slots there are, the empty ones included.
    pub(crate) fn slots(&self) -> u32 {
        self.next_slot
    }

    /// Whether so many slots are empty that building anew pays.
    pub(crate) fn is_sparse(&self) -> bool {
        let taken = self.live.len() + self.hidden;
        self.next_slot > 65_536 && taken * 3 < self.next_slot as usize
    }

    /// The same twin with dense slots.
    pub(crate) fn compacted(&self, seed: u64) -> Self {
        let records = self.live.iter().filter_map(|slot| self.record(slot).cloned());
        let mut root = Self::build(seed, records);
        root.revision = self.revision;
        root.lineage = self.lineage + 1;
        root.shape = self.shape + 1;
        root.documents.clone_from(&self.documents);
        root.pasts.clone_from(&self.pasts);
        root.offsets = self.offsets.clone();
        root
    }

    /// Puts a new entity behind all others.
    pub(crate) fn create(&mut self, record: Record) {
        let slot = self.next_slot;
        self.next_slot += 1;
        self.index(slot, None, Some(&record));
        self.seqs.set(slot, record.view().seq());
        self.live.insert(slot);
        self.enter(slot, record);
    }

    /// The map of ids looks into the records, so the record has to be there before its id.
    fn enter(&mut self, slot: u32, record: Record) {
        self.entities.set(slot, Some(record));
        let entities = &self.entities;
        let id_of = |slot: u32| {
            let record = entities.get(slot).as_ref();
            record.expect("a slot in the map has a record").view().id()
        };
        self.ids.insert(id_of(slot), slot, id_of);
    }

    /// Puts another record of the same entity in its slot.
    pub(crate) fn replace(&mut self, slot: u32, record: Record) {
        let old = self.record(slot).cloned();
        self.index(slot, old.as_ref(), Some(&record));
        self.entities.set(slot, Some(record));
    }

    /// Takes an entity out.
    pub(crate) fn delete(&mut self, slot: u32) {
        let Some(old) = self.record(slot).cloned() else { return };
        self.index(slot, Some(&old), None);
        self.ids.remove(old.view().id(), slot);
        self.live.remove(slot);
        self.entities.set(slot, None);
    }

    /// Puts an entity back in its slot, which is empty.
    pub(crate) fn restore(&mut self, slot: u32, record: Record) {
        self.index(slot, None, Some(&record));
        self.live.insert(slot);
        self.enter(slot, record);
    }

    fn index(&mut self, slot: u32, old: Option<&Record>, new: Option<&Record>) {
        let has_type = |record: Option<&Record>, name: NameId| {
            record.is_some_and(|r| r.view().types().any(|t| t == name))
        };
        let types = Arc::make_mut(&mut self.types);
        let mut changed = false;
        for name in old.into_iter().flat_map(|r| r.view().types()) {
            if !has_type(new, name) {
                changed |= update_type(types, name, slot, old, None);
            }
        }
        for name in new.into_iter().flat_map(|r| r.view().types()) {
            let before = if has_type(old, name) { old } else { None };
            changed |= update_type(types, name, slot, before, new);
        }
        self.shape += u64::from(changed);
        self.index_scopes(slot, old, new);
        self.index_expiry(slot, old, new);
    }

    fn index_scopes(&mut self, slot: u32, old: Option<&Record>, new: Option<&Record>) {
        let scopes_of = |record: Option<&Record>| -> Vec<Box<str>> {
            record.map(|r| r.view().scopes().map(Box::from).collect()).unwrap_or_default()
        };
        let (before, after) = (scopes_of(old), scopes_of(new));
        if before == after {
            return;
        }
        let scopes = Arc::make_mut(&mut self.scopes);
        for scope in before {
            if let Some(set) = scopes.get_mut(&scope) {
                set.remove(slot);
                if set.is_empty() {
                    scopes.remove(&scope);
                }
            }
        }
        for scope in after {
            scopes.entry(scope).or_default().insert(slot);
        }
    }

    fn index_expiry(&mut self, slot: u32, old: Option<&Record>, new: Option<&Record>) {
        let (before, after) = (old.and_then(soonest_expiry), new.and_then(soonest_expiry));
        if before == after {
            return;
        }
        if let Some(moment) = before {
            self.expiries.remove((moment, slot));
        }
        if let Some(moment) = after {
            self.expiries.insert((moment, slot));
        }
    }

    /// The entity that is the first to lose something to time, and when.
    pub(crate) fn next_expiry(&self) -> Option<(Timestamp, u32)> {
        let (key, slot) = self.expiries.first()?;
        Some((Timestamp::from_bits((key ^ SIGN).cast_signed()), slot))
    }

    pub(crate) fn put_document(&mut self, change: &DocumentChange) {
        if &*change.kind == PAST {
            return self.pasts.put(&change.id, change.body.as_deref());
        }
        // Which entities there are says what it was read for.
        if &*change.kind == CHOSEN {
            return;
        }
        let kind = self.documents.entry(change.kind.as_ref().into()).or_default();
        let documents = Arc::make_mut(kind);
        match &change.body {
            Some(body) => {
                documents.insert(change.id.as_ref().into(), body.as_ref().into());
            }
            None => {
                documents.remove(change.id.as_ref());
            }
        }
    }

    pub(crate) fn document(&self, kind: &str, id: &str) -> Option<Arc<str>> {
        self.documents.get(kind)?.get(id).cloned()
    }

    /// The documents of a kind, which stay the same as long as none of them changes.
    pub(crate) fn documents_of(&self, kind: &str) -> Option<&Arc<BTreeMap<Arc<str>, Arc<str>>>> {
        self.documents.get(kind)
    }

    pub(crate) fn documents(&self, kind: &str) -> Vec<(Arc<str>, Arc<str>)> {
        let documents = self.documents.get(kind);
        documents
            .map(|d| d.iter().map(|(id, body)| (id.clone(), body.clone())).collect())
            .unwrap_or_default()
    }

    /// Every document, those of the index of pasts included.
    pub(crate) fn every_document(&self) -> Vec<DocumentChange> {
        let change = |kind: &str, id: &str, body: &str| DocumentChange {
            kind: kind.into(),
            id: id.into(),
            body: Some(body.into()),
        };
        let mut all: Vec<DocumentChange> =
            self.pasts.iter().map(|(id, past)| past.document(id)).collect();
        for (kind, documents) in &self.documents {
            all.extend(documents.iter().map(|(id, body)| change(kind, id, body)));
        }
        all
    }

    /// The root with which a branch of this twin begins: all but what acts by itself, such as
    /// subscriptions, and the register of branches.
    pub(crate) fn branched(&self) -> Self {
        let mut root = self.clone();
        root.documents.retain(|kind, _| BRANCHED.contains(&&**kind));
        root.offsets = Arc::default();
        root
    }

    /// This root with the indexes of some types that it has nothing of.
    pub(crate) fn with_types(&self, types: &HashMap<NameId, Arc<TypeIndex>>) -> Self {
        let mut root = self.clone();
        let added = types.iter().map(|(name, index)| (*name, index.clone()));
        Arc::make_mut(&mut root.types).extend(added);
        root
    }

    /// This root as that of a past twin, of which one as it is has the documents.
    pub(crate) fn into_past(self, now: &Self, revision: Revision) -> Self {
        let documents = now.branched().documents;
        let (pasts, offsets) = (Pasts::default(), Arc::default());
        Self { revision, documents, pasts, offsets, ..self }
    }

    /// Takes over the documents with which a branch of another twin would begin.
    pub(crate) fn inherit(&mut self, other: &Self) {
        self.documents = other.branched().documents;
    }

    /// About how many bytes this root keeps in memory that another does not.
    pub(crate) fn retained_beside(&self, other: &Self) -> usize {
        /// What indexes and slots take for an entity.
        const BESIDE: usize = 300;
        let own = self.changed_slots(other).into_iter();
        let records = own.filter_map(|slot| self.entities.get(slot).as_ref());
        records.map(|record| record.as_bytes().len() + BESIDE).sum()
    }

    pub(crate) fn put_offset(&mut self, offset: &SourceOffset) {
        let offsets = Arc::make_mut(&mut self.offsets);
        offsets.insert(offset.source.as_ref().into(), offset.offset.as_ref().into());
    }

    pub(crate) fn offset(&self, source: &str) -> Option<Arc<str>> {
        self.offsets.get(source).cloned()
    }

    /// Slots whose records differ between two roots of one lineage without compaction between.
    pub(crate) fn changed_slots(&self, before: &Self) -> Vec<u32> {
        let mut slots = Vec::new();
        self.entities.changed_leaves(&before.entities, |first| {
            slots.extend((first..first + 64).filter(|slot| {
                let record = |root: &Self| root.entities.get(*slot).clone();
                let bytes = |root: &Self| record(root).map(|r| r.as_bytes().as_ptr());
                bytes(self) != bytes(before)
            }));
        });
        slots
    }

    /// The index of an attribute within a type.
    pub(crate) fn attribute_index(
        &self,
        type_name: NameId,
        name: NameId,
    ) -> Option<&AttributeIndex> {
        self.types.get(&type_name)?.attributes.get(&name).map(Arc::as_ref)
    }

    /// The index of an attribute within a type, to be changed.
    pub(crate) fn attribute_index_mut(
        &mut self,
        type_name: NameId,
        name: NameId,
    ) -> Option<&mut AttributeIndex> {
        let index = Arc::make_mut(&mut self.types).get_mut(&type_name)?;
        Arc::make_mut(index).attributes.get_mut(&name).map(Arc::make_mut)
    }
}

/// Whether the type, its attributes or facets of them are others than before.
fn update_type(
    types: &mut ByName<Arc<TypeIndex>>,
    name: NameId,
    slot: u32,
    old: Option<&Record>,
    new: Option<&Record>,
) -> bool {
    let index = Arc::make_mut(types.entry(name).or_default());
    let is_new = index.members.is_empty();
    let changed = index.update(slot, old, new);
    let is_gone = index.members.is_empty();
    if is_gone {
        types.remove(&name);
    }
    is_new || changed || is_gone
}

/// The index of a type in the making.
#[derive(Default)]
pub(super) struct TypeIndexBuilder {
    members: SlotSet,
    /// In the order in which they were seen first; entities of a type have few.
    attributes: Vec<(NameId, AttributeIndexBuilder)>,
    places: ByName<usize>,
    times: Times,
}

impl TypeIndexBuilder {
    pub(super) fn add(&mut self, slot: u32, view: &EntityRef<'_>) {
        self.members.insert(slot);
        for (nth, attribute) in view.attributes().enumerate() {
            self.times.take_in(&attribute);
            let name = attribute.name();
            // Entities of a type mostly have the same attributes in the same order.
            let at = match self.attributes.get(nth) {
                Some((known, _)) if *known == name => nth,
                _ => *self.places.entry(name).or_insert_with(|| {
                    self.attributes.push((name, AttributeIndexBuilder::default()));
                    self.attributes.len() - 1
                }),
            };
            self.attributes[at].1.add(slot, &attribute);
        }
    }

    /// Large R-trees are built side by side.
    pub(super) fn build(self) -> TypeIndex {
        let (large, small): (Vec<_>, Vec<_>) =
            self.attributes.into_iter().partition(|(_, builder)| builder.is_large());
        let mut attributes: ByName<Arc<AttributeIndex>> =
            small.into_iter().map(|(name, builder)| (name, Arc::new(builder.build()))).collect();
        std::thread::scope(|threads| {
            let build = |(name, builder): (NameId, AttributeIndexBuilder)| {
                (name, threads.spawn(move || builder.build()))
            };
            let building: Vec<_> = large.into_iter().map(build).collect();
            for (name, built) in building {
                let index = built.join().expect("building an index does not panic");
                attributes.insert(name, Arc::new(index));
            }
        });
        TypeIndex { members: self.members, attributes, times: self.times }
    }
}

impl TypeIndex {
    /// Takes in that a member was `old` and is `new`; whether other attributes or facets of them occur
    /// than before.
    pub(super) fn update(&mut self, slot: u32, old: Option<&Record>, new: Option<&Record>) -> bool {
        let mut changed = false;
        match (old.is_some(), new.is_some()) {
            (false, true) => {
                self.members.insert(slot);
            }
            (true, false) => {
                self.members.remove(slot);
            }
            _ => {}
        }
        for before in old.into_iter().flat_map(|r| r.view().attributes()) {
            let after = new.and_then(|r| r.view().attribute(before.name()));
            if after.is_none_or(|a| a.as_bytes() != before.as_bytes()) {
                self.times.let_go(&before);
            }
            if after.is_none() {
                changed |= self.update_attribute(slot, before.name(), Some(&before), None);
            }
        }
        for after in new.into_iter().flat_map(|r| r.view().attributes()) {
            let before = old.and_then(|r| r.view().attribute(after.name()));
            if before.is_none_or(|b| b.as_bytes() != after.as_bytes()) {
                self.times.take_in(&after);
                changed |= self.update_attribute(slot, after.name(), before.as_ref(), Some(&after));
            }
        }
        changed
    }

    fn update_attribute(
        &mut self,
        slot: u32,
        name: NameId,
        old: Option<&AttributeRef<'_>>,
        new: Option<&AttributeRef<'_>>,
    ) -> bool {
        let index = Arc::make_mut(self.attributes.entry(name).or_default());
        let changed = index.update(slot, old, new);
        if index.is_unused() {
            self.attributes.remove(&name);
        }
        changed
    }
}

const SIGN: u64 = 1 << 63;

/// When the entity or the first of its instances ceases to be, as a key in the order of time.
fn soonest_expiry(record: &Record) -> Option<u64> {
    let view = record.view();
    let instances = view.attributes().flat_map(|a| a.instances());
    let soonest = instances.filter_map(|i| i.expires_at()).min();
    let moment = view.expires_at().into_iter().chain(soonest).min()?;
    Some(moment.to_bits().cast_unsigned() ^ SIGN)
}
