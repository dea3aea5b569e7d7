//! Walks over what lies in an area: boxes and slots straight from the index, without pages and
//! without looking at records that nobody asks for. Maps and joins are made of them.

use std::borrow::Cow;
use std::time::Duration;

use cardo_model::{Iri, Record, Revision, Seq};
use cardo_query::{Filter, Resolved};
use cardo_spatial::{Aabb, Boxes};

use crate::live::{BucketPlace, Root, SpatialIndex};
use crate::plan::meets;
use crate::snapshot::Snapshot;

/// What is walked over: the entities of a type whose geometry has a box that meets an area.
#[derive(Clone, Debug)]
pub struct AreaQuery {
    /// The type.
    pub type_name: Iri,
    /// The attribute whose geometries place the entities.
    pub attribute: Iri,
    /// The boxes of the area.
    pub boxes: Boxes,
    /// Which of the entities.
    pub filter: Filter,
}

/// Where an entity stands in a snapshot; the order is that of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub(crate) u32);

impl Slot {
    /// The place of a feature in a layer, where a walk over that is made into a map.
    pub fn of_feature(place: u32) -> Self {
        Self(place)
    }

    /// A number below [`Snapshot::slots`].
    pub fn number(self) -> u32 {
        self.0
    }
}

/// An entity and a box of its geometry. One whose geometry has several boxes comes with each that
/// meets the area.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// The entity.
    pub slot: Slot,
    /// The box.
    pub bounds: Aabb,
    /// Whether the box is the whole geometry.
    pub is_point: bool,
}

/// A walk in progress, which goes on a little at a time.
pub struct AreaWalk<'a> {
    root: &'a Root,
    index: Option<&'a SpatialIndex>,
    boxes: Boxes,
    /// What the index does not say already.
    filter: Option<Resolved>,
    place: BucketPlace,
}

const ENTRY_NS: f64 = 20.0;
const RECORD_NS: f64 = 200.0;

impl AreaWalk<'_> {
    /// What the walk is likely to take.
    pub fn expected(&self) -> Duration {
        let entries = self.index.map_or(0, |index| index.estimate(&self.boxes)) as f64;
        let each = if self.filter.is_some() { RECORD_NS } else { ENTRY_NS };
        Duration::from_secs_f64(entries * each / 1e9)
    }

    /// Goes on by some dozens of entities; `false` when nothing is left.
    pub fn step(&mut self, visit: &mut impl FnMut(Placed)) -> bool {
        let bucket = self.index.and_then(|index| index.next_bucket(&mut self.place, &self.boxes));
        let Some(bucket) = bucket else { return false };
        for entry in bucket {
            let is_match = self.boxes.iter().any(|wanted| wanted.intersects(&entry.bounds))
                && self.filter.as_ref().is_none_or(|filter| meets(self.root, entry.slot, filter));
            if is_match {
                let slot = Slot(entry.slot);
                visit(Placed { slot, bounds: entry.bounds, is_point: entry.is_point });
            }
        }
        true
    }
}

impl Snapshot {
    /// Walks over what lies in an area and the caller may see.
    pub fn area(&self, query: &AreaQuery) -> AreaWalk<'_> {
        let restriction = self.view.restriction();
        let is_hidden = restriction.is_some_and(|r| r.attributes.hides(&query.attribute));
        let id = |name: &Iri| self.names.id(name.as_str());
        let index = id(&query.type_name)
            .zip(id(&query.attribute))
            .filter(|_| !is_hidden)
            .and_then(|(type_name, attribute)| {
                self.root.types.get(&type_name)?.attributes.get(&attribute)
            })
            .map(|attribute| &attribute.geometry);
        let filter = Some(self.resolve(&query.filter)).filter(|filter| *filter != Filter::True);
        AreaWalk {
            root: &self.root,
            index,
            boxes: query.boxes.clone(),
            filter,
            place: BucketPlace::default(),
        }
    }

    /// The entities in some slots that walks over this snapshot gave, without what the view masks; go
    /// through them with [`crate::ahead`].
    pub fn records(&self, slots: impl Iterator<Item = Slot>) -> Vec<Cow<'_, Record>> {
        self.gather(&slots.map(|slot| slot.0).collect::<Vec<u32>>())
    }

    /// Lets the places of some entities come into the cache, without which [`Snapshot::records`] waits for them.
    pub fn call(&self, slots: impl Iterator<Item = Slot>) {
        for slot in slots {
            self.root.call(slot.0);
        }
    }

    /// When the entities in some slots were created and when they were changed last, without a look at
    /// what they say.
    pub fn changes(&self, slots: impl Iterator<Item = Slot>) -> Vec<(Seq, Revision)> {
        let views = slots.filter_map(|slot| Some(self.root.record(slot.0)?.view()));
        views.map(|view| (view.seq(), view.revision())).collect()
    }

    /// How many slots there are.
    pub fn slots(&self) -> u32 {
        self.root.slots()
    }
}
