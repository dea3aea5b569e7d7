//! Pages in another order than that of creation: the best so far are kept while the plan's walk
//! goes over all matches, in slices like every walk.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use cardo_model::{EntityRef, Iri, NameId, Names, Seq};
use cardo_query::{Path, Ranked, Ranking, Root as PathRoot, SortKey};

use crate::caller::View;
use crate::live::{Root, fetch};
use crate::query::{EntityQuery, PageStart};

/// The order in which entities are wanted: by each column in turn, at last by creation. Entities
/// without a value stand last, whichever way a column is ordered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Order {
    /// The columns; the order of creation where there is none.
    pub by: Vec<OrderBy>,
    /// What the entity that [`PageStart::After`] or [`PageStart::Before`] names was ordered by: a
    /// key a column, as [`crate::Page::keys`] had them. Others may have come between since.
    pub from: Vec<SortKey>,
}

/// One column of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderBy {
    /// What the column shows.
    pub path: Path<Iri>,
    /// Whether the greatest come first.
    pub descending: bool,
    /// The order of clause 4.23 of NGSI-LD, where that one is meant.
    pub ranking: Option<Ranking>,
}

/// A sort under way.
pub(crate) struct Sort<'a> {
    root: &'a Root,
    names: &'a Names,
    columns: std::sync::Arc<[Column]>,
    /// How many are kept.
    most: usize,
    backward: bool,
    bound: Option<(Vec<SortKey>, Seq)>,
    kept: BinaryHeap<Placed>,
}

struct Column {
    /// `None` where the caller may not see the attribute.
    path: Option<Path<NameId>>,
    descending: bool,
    ranking: Option<Ranking>,
}

/// A match with what it is ordered by; the greatest of a heap is the first to be dropped.
struct Placed {
    keys: Vec<SortKey>,
    seq: Seq,
    slot: u32,
    columns: std::sync::Arc<[Column]>,
    backward: bool,
}

impl<'a> Sort<'a> {
    pub(crate) fn new(root: &'a Root, names: &'a Names, view: &View, query: &EntityQuery) -> Self {
        let is_hidden = |name: &Iri| {
            view.restriction().is_some_and(|restriction| restriction.attributes.hides(name))
        };
        let column = |by: &OrderBy| {
            let hidden = matches!(&by.path.root, PathRoot::Attribute(name) if is_hidden(name));
            let mut id = |name: &Iri| names.id_or_unknown(name.as_str());
            Column {
                path: (!hidden).then(|| by.path.map_names(&mut id)),
                descending: by.descending,
                ranking: by.ranking.clone(),
            }
        };
        let limit = if query.page.limit == 0 { 0 } else { query.page.limit.saturating_add(1) };
        let (skip, bound, backward) = match query.page.start {
            PageStart::Offset(offset) => (offset, None, false),
            PageStart::After(seq) => (0, Some(seq), false),
            PageStart::Before(seq) => (0, Some(seq), true),
        };
        Self {
            root,
            names,
            columns: query.order.by.iter().map(column).collect(),
            most: if limit == 0 { 0 } else { limit.saturating_add(skip) },
            backward,
            bound: bound.map(|seq| (query.order.from.clone(), seq)),
            kept: BinaryHeap::new(),
        }
    }

    /// Takes the matches that a walk has found so far.
    pub(crate) fn take(&mut self, found: &mut Vec<u32>) {
        let records = found.iter().filter_map(|slot| self.root.record(*slot));
        fetch(records);
        for slot in found.drain(..) {
            self.place(slot);
        }
    }

    fn place(&mut self, slot: u32) {
        if self.most == 0 {
            return;
        }
        let Some(record) = self.root.record(slot) else { return };
        let record = record.view();
        if self.stands_behind_all(&record) {
            return;
        }
        let placed = Placed {
            keys: self.columns.iter().map(|column| column.key(&record, self.names)).collect(),
            seq: record.seq(),
            slot,
            columns: self.columns.clone(),
            backward: self.backward,
        };
        if let Some((keys, seq)) = &self.bound {
            let order = compare(&placed.keys, placed.seq, keys, *seq, &self.columns);
            let is_outside = if self.backward { order.is_ge() } else { order.is_le() };
            if is_outside {
                return;
            }
        }
        if self.kept.len() < self.most {
            self.kept.push(placed);
        } else if let Some(mut last) = self.kept.peek_mut()
            && placed < *last
        {
            *last = placed;
        }
    }

    /// Whether the first column alone says that a match is none of the best, as it does of nearly all.
    fn stands_behind_all(&self, record: &EntityRef<'_>) -> bool {
        if self.kept.len() < self.most {
            return false;
        }
        let last = self.kept.peek().and_then(|last| last.keys.first());
        let Some((column, key)) = self.columns.first().zip(last) else { return false };
        let (Some(path), None) = (&column.path, &column.ranking) else { return false };
        let order = SortKey::order_of(path, record, key, column.descending);
        if self.backward { order.is_lt() } else { order.is_gt() }
    }

    /// The slots that are wanted in the direction of the walk, with one more than the limit where
    /// there are more, and what they are ordered by.
    pub(crate) fn finish(self, skip: usize) -> (Vec<u32>, Vec<Vec<SortKey>>) {
        let sorted = self.kept.into_sorted_vec().into_iter().skip(skip);
        sorted.map(|placed| (placed.slot, placed.keys)).unzip()
    }
}

impl Column {
    fn key(&self, record: &EntityRef<'_>, names: &Names) -> SortKey {
        let Some(path) = &self.path else { return SortKey::Missing };
        match &self.ranking {
            None => SortKey::of(path, record),
            Some(_) if path.root == PathRoot::Type => {
                let types = record.types().filter_map(|name| names.name(name));
                let first = types.min_by(|one, other| one.as_str().cmp(other.as_str()));
                first.map_or(SortKey::Missing, |name| {
                    SortKey::Ranked(Ranked::Text(name.as_str().into()))
                })
            }
            Some(ranking) => ranking.key(path, record),
        }
    }

    fn compare(&self, key: &SortKey, other: &SortKey) -> Ordering {
        match &self.ranking {
            None => key.compare(other, self.descending),
            Some(ranking) => key.compare_by(other, self.descending, ranking),
        }
    }
}

fn compare(
    keys: &[SortKey],
    seq: Seq,
    others: &[SortKey],
    other_seq: Seq,
    columns: &[Column],
) -> Ordering {
    let pairs = keys.iter().zip(others).zip(columns);
    let by_keys = pairs.map(|((key, other), column)| column.compare(key, other));
    by_keys.fold(Ordering::Equal, Ordering::then).then_with(|| seq.cmp(&other_seq))
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = compare(&self.keys, self.seq, &other.keys, other.seq, &self.columns);
        if self.backward { order.reverse() } else { order }
    }
}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Placed {}
