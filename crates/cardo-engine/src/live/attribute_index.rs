use std::hash::BuildHasher;
use std::ops::RangeInclusive;

use cardo_model::{AttributeRef, InstanceRef, Kind, Record, read_point, read_shape};
use cardo_query::{scalar_number, scalar_text};
use cardo_spatial::{Aabb, is_right_handed};

use super::bucket::Entry;
use super::facets::Facets;
use super::shared_vec::SharedVec;
use super::slot_set::SlotSet;
use super::sorted_runs::{SortedRuns, number_key};
use super::spatial_index::SpatialIndex;

/// What is indexed of one attribute within one type.
#[derive(Clone, Default)]
pub(crate) struct AttributeIndex {
    pub(crate) present: SlotSet,
    pub(crate) geometry: SpatialIndex,
    /// Slots whose attribute is one GeoProperty and nothing else.
    pub(crate) one_geometry: SlotSet,
    /// Whether there may be geometries with rings against the right-hand rule.
    pub(crate) has_wrong_rings: bool,
    /// Built where queries keep asking.
    pub(crate) numbers: Option<NumberIndex>,
    /// Built where queries keep asking.
    pub(crate) texts: Option<TextIndex>,
    pub(crate) facets: Facets,
}

/// Values that are one JSON number, as a column and in order.
#[derive(Clone)]
pub(crate) struct NumberIndex {
    /// The number of a slot; NaN where there is none.
    pub(crate) column: SharedVec<f64>,
    pub(crate) ordered: SortedRuns,
    /// Slots whose value is anything else, which only the evaluator can judge.
    pub(crate) others: SlotSet,
}

/// Values that are one JSON string, by hash.
#[derive(Clone, Default)]
pub(crate) struct TextIndex {
    pub(crate) hashed: SortedRuns,
    /// Slots whose value is anything else, which only the evaluator can judge.
    pub(crate) others: SlotSet,
}

impl AttributeIndex {
    /// Takes in that the attribute of a slot was `old` and is `new`; whether other facets occur
    /// than before.
    pub(crate) fn update(
        &mut self,
        slot: u32,
        old: Option<&AttributeRef<'_>>,
        new: Option<&AttributeRef<'_>>,
    ) -> bool {
        match (old.is_some(), new.is_some()) {
            (false, true) => {
                self.present.insert(slot);
            }
            (true, false) => {
                self.present.remove(slot);
            }
            _ => {}
        }
        // What stays is counted up before it is counted down, so that it never seems to be gone.
        let appeared = new.is_some_and(|attribute| self.facets.count(attribute, true));
        let vanished = old.is_some_and(|attribute| self.facets.count(attribute, false));
        self.update_geometry(slot, old, new);
        if let Some(numbers) = &mut self.numbers {
            numbers.update(slot, old, new);
        }
        if let Some(texts) = &mut self.texts {
            texts.update(slot, old, new);
        }
        appeared || vanished
    }

    fn update_geometry(
        &mut self,
        slot: u32,
        old: Option<&AttributeRef<'_>>,
        new: Option<&AttributeRef<'_>>,
    ) {
        if new.is_some_and(is_one_geometry) {
            self.one_geometry.insert(slot);
        } else {
            self.one_geometry.remove(slot);
        }
        let (old, _) = old.map(|a| entries(slot, a)).unwrap_or_default();
        let (new, has_wrong_rings) = new.map(|a| entries(slot, a)).unwrap_or_default();
        self.has_wrong_rings |= has_wrong_rings;
        if old == new {
            return;
        }
        if let ([from], [to]) = (old.as_slice(), new.as_slice()) {
            self.geometry.relocate(from, *to);
            return;
        }
        for entry in &old {
            self.geometry.remove(entry);
        }
        for entry in new {
            self.geometry.insert(entry);
        }
    }

    pub(crate) fn is_unused(&self) -> bool {
        self.present.is_empty()
    }
}

/// An index in the making, of many slots in ascending order where nothing was before.
#[derive(Default)]
pub(crate) struct AttributeIndexBuilder {
    index: AttributeIndex,
    boxes: Vec<Entry>,
}

impl AttributeIndexBuilder {
    pub(crate) fn add(&mut self, slot: u32, attribute: &AttributeRef<'_>) {
        self.index.present.insert(slot);
        self.index.facets.count(attribute, true);
        if is_one_geometry(attribute) {
            self.index.one_geometry.insert(slot);
        }
        self.index.has_wrong_rings |= add_entries(slot, attribute, &mut self.boxes);
    }

    /// Whether building takes long enough to be done beside other work.
    pub(crate) fn is_large(&self) -> bool {
        self.boxes.len() > 10_000
    }

    /// The index, its R-tree built of sorted tiles.
    pub(crate) fn build(mut self) -> AttributeIndex {
        self.index.geometry = SpatialIndex::build(self.boxes);
        self.index
    }
}

/// The boxes under which an attribute's geometries are found, and whether they have rings against the
/// right-hand rule.
fn entries(slot: u32, attribute: &AttributeRef<'_>) -> (Vec<Entry>, bool) {
    let mut entries = Vec::new();
    let has_wrong_rings = add_entries(slot, attribute, &mut entries);
    (entries, has_wrong_rings)
}

fn add_entries(slot: u32, attribute: &AttributeRef<'_>, entries: &mut Vec<Entry>) -> bool {
    let first = entries.len();
    let mut has_wrong_rings = false;
    for instance in attribute.instances().filter(|i| i.kind() == Kind::GeoProperty) {
        let text = instance.value();
        if let Some([x, y]) = read_point(text) {
            let bounds = Aabb::of_point(x, y);
            entries.push(Entry { bounds, slot, is_point: true, is_touched: true });
        } else if let Some(shape) = read_shape(text) {
            let is_point = matches!(shape, geo_types::Geometry::Point(_));
            has_wrong_rings |= !is_right_handed(&shape);
            let touched = Aabb::touched_by(&shape);
            entries.extend(Aabb::covering(&shape).into_iter().map(|bounds| {
                let is_touched = touched == Some(bounds);
                Entry { bounds, slot, is_point, is_touched }
            }));
        }
    }
    // With several instances or boxes a box no longer is the whole of what is tested.
    if entries.len() > first + 1 || attribute.instances().len() > 1 {
        for entry in &mut entries[first..] {
            entry.is_point = false;
        }
    }
    has_wrong_rings
}

/// The boxes of all geometries of an entity.
pub(crate) fn boxes_of(record: &Record) -> Vec<Aabb> {
    let mut entries = Vec::new();
    for attribute in record.view().attributes() {
        add_entries(0, &attribute, &mut entries);
    }
    entries.into_iter().map(|entry| entry.bounds).collect()
}

fn is_one_geometry(attribute: &AttributeRef<'_>) -> bool {
    single(attribute).is_some_and(|instance| instance.kind() == Kind::GeoProperty)
}

/// The only instance, where there is one.
fn single<'a>(attribute: &AttributeRef<'a>) -> Option<InstanceRef<'a>> {
    let mut instances = attribute.instances();
    if instances.len() == 1 { instances.next() } else { None }
}

impl NumberIndex {
    pub(crate) fn build<'a>(attributes: impl Iterator<Item = (u32, AttributeRef<'a>)>) -> Self {
        let mut index = Self {
            column: SharedVec::new(f64::NAN),
            ordered: SortedRuns::default(),
            others: SlotSet::default(),
        };
        let mut items = Vec::new();
        for (slot, attribute) in attributes {
            match number(&attribute) {
                Some(value) => {
                    index.column.set(slot, value);
                    items.push((number_key(value), slot));
                }
                None => {
                    index.others.insert(slot);
                }
            }
        }
        index.ordered = SortedRuns::build(items);
        index
    }

    pub(crate) fn update(
        &mut self,
        slot: u32,
        old: Option<&AttributeRef<'_>>,
        new: Option<&AttributeRef<'_>>,
    ) {
        let (was, is) = (old.and_then(number), new.and_then(number));
        if was != is {
            rekey(&mut self.ordered, slot, was.map(number_key), is.map(number_key));
            self.column.set(slot, is.unwrap_or(f64::NAN));
        }
        note_other(&mut self.others, slot, new.is_some() && is.is_none());
    }

    /// How many slots have a number in one of the ranges of keys.
    pub(crate) fn count(&self, ranges: &[RangeInclusive<u64>]) -> usize {
        ranges.iter().map(|range| self.ordered.count(range)).sum()
    }
}

fn number(attribute: &AttributeRef<'_>) -> Option<f64> {
    let instance = single(attribute)?;
    if instance.kind() != Kind::Property {
        return None;
    }
    scalar_number(instance.value_bytes())
}

impl TextIndex {
    pub(crate) fn build<'a>(attributes: impl Iterator<Item = (u32, AttributeRef<'a>)>) -> Self {
        let mut index = Self::default();
        let mut items = Vec::new();
        for (slot, attribute) in attributes {
            match text_key(&attribute) {
                Some(key) => items.push((key, slot)),
                None => {
                    index.others.insert(slot);
                }
            }
        }
        index.hashed = SortedRuns::build(items);
        index
    }

    pub(crate) fn update(
        &mut self,
        slot: u32,
        old: Option<&AttributeRef<'_>>,
        new: Option<&AttributeRef<'_>>,
    ) {
        let (was, is) = (old.and_then(text_key), new.and_then(text_key));
        if was != is {
            rekey(&mut self.hashed, slot, was, is);
        }
        note_other(&mut self.others, slot, new.is_some() && is.is_none());
    }
}

/// Moves a slot from one key to another.
fn rekey(runs: &mut SortedRuns, slot: u32, was: Option<u64>, is: Option<u64>) {
    if let Some(key) = was {
        runs.remove((key, slot));
    }
    if let Some(key) = is {
        runs.insert((key, slot));
    }
}

/// Keeps in mind whether only the evaluator can judge a slot.
fn note_other(others: &mut SlotSet, slot: u32, is_other: bool) {
    if is_other {
        others.insert(slot);
    } else {
        others.remove(slot);
    }
}

/// The key of a value that is one string.
fn text_key(attribute: &AttributeRef<'_>) -> Option<u64> {
    scalar_text(&single(attribute)?).map(|text| hash_text(text.as_bytes()))
}

/// The key under which a text is found.
pub(crate) fn hash_text(text: &[u8]) -> u64 {
    foldhash::fast::FixedState::with_seed(0x7e77).hash_one(text)
}
