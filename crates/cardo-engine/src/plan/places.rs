use cardo_model::{Kind, NameId, read_shape};
use cardo_query::{Datasets, GeoCondition, Resolved};
use cardo_spatial::Boxes;

use super::meets;
use crate::live::{AttributeIndex, Entry, Root, SlotSet, TypeIndex, fetch, slots_of};

/// What R-trees list for a condition on a geometry.
pub(super) struct Places<'a> {
    pub(super) root: &'a Root,
    pub(super) condition: &'a GeoCondition<NameId>,
    pub(super) boxes: &'a Boxes,
    /// The condition as a filter.
    pub(super) filter: &'a Resolved,
}

/// A slot of which the index cannot tell whether it matches.
struct Unsure {
    slot: u32,
    /// Its geometry is known to have no faults.
    is_sound: bool,
}

/// How many records are looked at together.
const TOGETHER: usize = 64;

/// Of so many it is made sure, while others are still looked for, that their records are found fast; more would
/// be out of the cache again until they are asked for.
const CALLED: usize = 256;

impl Places<'_> {
    /// Adds the slots that meet the condition within a type, in any order.
    pub(super) fn list(&self, index: &TypeIndex, slots: &mut Vec<u32>) {
        let attribute = index.attributes.get(&self.condition.property);
        if let Some(attribute) = attribute {
            self.list_placed(attribute, slots);
        }
        let empty = SlotSet::default();
        let placed = attribute.map_or(&empty, |a| &a.one_geometry);
        if self.condition.missing_matches && placed.len() < index.members.len() {
            let others = difference(&index.members, placed);
            slots.extend(others.filter(|slot| self.is_match(*slot)));
        }
    }

    fn list_placed(&self, attribute: &AttributeIndex, slots: &mut Vec<u32>) {
        let any_instance = !matches!(self.condition.datasets, Datasets::Only(_));
        let is_box = self.condition.test.is_its_bounds();
        let mut unsure = Vec::new();
        attribute.geometry.search(self.boxes, |entry| {
            if slots.len() < CALLED {
                self.root.call(entry.slot);
            }
            let is_known = match any_instance {
                true if entry.is_point => Some(is_box || self.holds_point(entry)),
                true => (is_box && self.is_inside(entry)).then_some(true),
                false => None,
            };
            match is_known {
                Some(true) => slots.push(entry.slot),
                Some(false) => {}
                None => {
                    let is_sound = any_instance && entry.is_touched;
                    unsure.push(Unsure { slot: entry.slot, is_sound });
                }
            }
        });
        for some in unsure.chunks(TOGETHER) {
            fetch(some.iter().filter_map(|one| self.root.record(one.slot)));
            let found = some.iter().filter(|one| self.is_met(one, attribute));
            slots.extend(found.map(|one| one.slot));
        }
    }

    fn holds_point(&self, entry: &Entry) -> bool {
        let [lon, lat] = entry.bounds.min;
        self.condition.test.matches_point(lon, lat)
    }

    /// Whether a part of the geometry is in one of the boxes for certain.
    fn is_inside(&self, entry: &Entry) -> bool {
        self.boxes.iter().any(|b| {
            b.contains(&entry.bounds) || (entry.is_touched && b.has_side_of(&entry.bounds))
        })
    }

    fn is_met(&self, one: &Unsure, attribute: &AttributeIndex) -> bool {
        if one.is_sound && attribute.one_geometry.contains(one.slot) {
            return self.is_met_by_sound(one.slot).unwrap_or(false);
        }
        self.is_match(one.slot)
    }

    fn is_met_by_sound(&self, slot: u32) -> Option<bool> {
        let view = self.root.record(slot)?.view();
        let geometry = view.attribute(self.condition.property)?.instances().next()?;
        let shape =
            read_shape(geometry.value()).filter(|_| geometry.kind() == Kind::GeoProperty)?;
        Some(self.condition.test.matches_repaired(&shape))
    }

    fn is_match(&self, slot: u32) -> bool {
        meets(self.root, slot, self.filter)
    }
}

/// The members of one set that are not in the other.
fn difference<'a>(all: &'a SlotSet, without: &'a SlotSet) -> impl Iterator<Item = u32> + 'a {
    (0..all.chunk_count()).filter(|c| all.chunk_len(*c) > without.chunk_len(*c)).flat_map(|chunk| {
        let mut bits = all.bits(chunk);
        for (word, other) in bits.iter_mut().zip(without.bits(chunk)) {
            *word &= !other;
        }
        let base = u32::try_from(chunk).expect("slots are 32 bits") * crate::live::CHUNK;
        slots_of(bits).map(move |place| base + place)
    })
}
