use std::borrow::Cow;
use std::ops::Range;

use cardo_model::{Record, Revision};
use cardo_query::SortKey;

use crate::federation::Contributions;
use crate::live::fetch;
use crate::query::{EntityQuery, Page};
use crate::snapshot::{Asked, Found, Snapshot, cut};
use crate::tables::Table;

/// A page that may be large: the places of its entities in a snapshot, four bytes each. What is read
/// of it is always of one revision; holding it keeps that revision in memory.
pub struct Listing {
    places: Places,
    /// What the first and the last entity are ordered by; empty in the order of creation.
    pub keys: Vec<Vec<SortKey>>,
    /// How many match in all, where that was asked.
    pub count: Option<usize>,
    /// Whether more match behind the page.
    pub has_more: bool,
    /// Whether there are matches before the page.
    pub has_before: bool,
    /// The revision of the twin that answered.
    pub revision: Revision,
    /// What came of asking context sources; `None` where none was asked.
    pub contributions: Option<Contributions>,
}

enum Places {
    Slots(Snapshot, Vec<u32>),
    /// What context sources have is in no twin.
    Records(Vec<Record>),
}

impl Listing {
    pub(crate) fn new(
        snapshot: Snapshot,
        query: &EntityQuery,
        asked: &Asked,
        found: Found,
    ) -> Self {
        let (has_before, has_more, found) = cut(query, asked, found);
        Self {
            keys: of_ends(found.keys),
            count: query.count.then_some(found.counted),
            has_more,
            has_before,
            revision: snapshot.revision(),
            contributions: snapshot.contributions.clone(),
            places: Places::Slots(snapshot, found.slots),
        }
    }
}

/// The first and the last of the keys of a page.
fn of_ends(mut keys: Vec<Vec<SortKey>>) -> Vec<Vec<SortKey>> {
    if keys.len() > 2 {
        keys.drain(1..keys.len() - 1);
    }
    keys
}

impl From<Page> for Listing {
    /// A page whose entities are in memory already.
    fn from(page: Page) -> Self {
        Self {
            places: Places::Records(page.entities),
            keys: of_ends(page.keys),
            count: page.count,
            has_more: page.has_more,
            has_before: page.has_before,
            revision: page.revision,
            contributions: page.contributions,
        }
    }
}

impl Listing {
    /// How many entities there are on the page.
    pub fn len(&self) -> usize {
        match &self.places {
            Places::Slots(_, slots) => slots.len(),
            Places::Records(records) => records.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slots of the entities, where they are all in the snapshot.
    pub(crate) fn slots(&self) -> &[u32] {
        match &self.places {
            Places::Slots(_, slots) => slots,
            Places::Records(_) => &[],
        }
    }

    /// Some of the entities, in order, where they lie.
    pub fn look(&self, range: Range<usize>) -> Vec<Cow<'_, Record>> {
        let records = self.gather(range);
        fetch(records.iter().map(Cow::as_ref));
        records
    }

    /// The same without a look at any of them: go through them with [`crate::ahead`].
    pub fn gather(&self, range: Range<usize>) -> Vec<Cow<'_, Record>> {
        let range = range.start.min(self.len())..range.end.min(self.len());
        match &self.places {
            Places::Slots(snapshot, slots) => snapshot.gather(&slots[range]),
            Places::Records(records) => records[range].iter().map(Cow::Borrowed).collect(),
        }
    }

    /// The entities at some places, in their order there; places behind the last have none.
    pub fn pick(&self, places: &[u32]) -> Vec<Cow<'_, Record>> {
        match &self.places {
            Places::Slots(snapshot, slots) => {
                let slot = |place: &u32| slots.get(*place as usize).copied();
                let slots: Vec<u32> = places.iter().filter_map(slot).collect();
                snapshot.look(&slots)
            }
            Places::Records(records) => {
                let found = places.iter().filter_map(|place| records.get(*place as usize));
                found.map(Cow::Borrowed).collect()
            }
        }
    }

    /// Whether the rings by which entities of a table are placed are known to run by the right-hand rule.
    pub fn is_right_handed(&self, table: &Table) -> bool {
        match &self.places {
            Places::Slots(snapshot, _) => snapshot.is_right_handed(table),
            Places::Records(_) => false,
        }
    }

    /// The first and the last entity.
    pub fn ends(&self) -> Option<(Record, Record)> {
        let first = self.look(0..1).pop()?;
        let last = self.look(self.len() - 1..self.len()).pop()?;
        Some((first.into_owned(), last.into_owned()))
    }
}
