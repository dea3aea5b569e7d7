use cardo_engine::{Listing, Page};
use cardo_model::{Record, Revision};
use cardo_query::SortKey;

/// The first and the last feature of a page, of which the links to the pages beside it are made.
pub(crate) struct Edges<'a> {
    pub(crate) first: Option<Edge<'a>>,
    pub(crate) last: Option<Edge<'a>>,
    /// How many features the page has.
    pub(crate) found: usize,
    pub(crate) has_before: bool,
    pub(crate) has_more: bool,
    pub(crate) revision: Revision,
}

/// A feature, and what it is sorted by.
#[derive(Clone, Copy)]
pub(crate) struct Edge<'a> {
    pub(crate) record: &'a Record,
    pub(crate) keys: &'a [SortKey],
}

impl<'a> Edges<'a> {
    pub(crate) fn of(page: &'a Page) -> Self {
        let edge = |record, keys: Option<&'a Vec<SortKey>>| Edge {
            record,
            keys: keys.map_or(&[], Vec::as_slice),
        };
        Self {
            first: page.entities.first().map(|record| edge(record, page.keys.first())),
            last: page.entities.last().map(|record| edge(record, page.keys.last())),
            found: page.entities.len(),
            has_before: page.has_before,
            has_more: page.has_more,
            revision: page.revision,
        }
    }

    /// The same of a page that is not read yet; `ends` are those of the listing.
    pub(crate) fn of_listing(listing: &'a Listing, ends: Option<(&'a Record, &'a Record)>) -> Self {
        let edge = |record, keys: Option<&'a Vec<SortKey>>| Edge {
            record,
            keys: keys.map_or(&[], Vec::as_slice),
        };
        Self {
            first: ends.map(|(first, _)| edge(first, listing.keys.first())),
            last: ends.map(|(_, last)| edge(last, listing.keys.last())),
            found: listing.len(),
            has_before: listing.has_before,
            has_more: listing.has_more,
            revision: listing.revision,
        }
    }
}
