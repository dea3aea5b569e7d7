//! The live twin in memory: an immutable root whose parts are shared between revisions, and the
//! indexes in it.

mod attribute_index;
mod bucket;
mod facets;
mod fetch;
mod id_map;
mod part;
mod past;
mod root;
mod shared_vec;
mod slot_set;
mod sorted_runs;
mod spatial_index;
mod times;
mod touched;

pub(crate) use attribute_index::{AttributeIndex, NumberIndex, TextIndex, hash_text};
pub(crate) use bucket::Entry;
pub(crate) use facets::Facets;
pub use fetch::ahead;
pub(crate) use fetch::fetch;
pub(crate) use past::Past;
pub(crate) use root::{CHOSEN, Root, TypeIndex};
pub(crate) use slot_set::{Bits, CHUNK, SlotSet, WORDS, slots_of};
pub(crate) use sorted_runs::number_key;
pub(crate) use spatial_index::{BucketPlace, SpatialIndex};
pub(crate) use times::widen_by_record;
pub(crate) use touched::Touched;
