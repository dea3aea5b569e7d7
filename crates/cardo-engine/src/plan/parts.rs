use cardo_model::NameId;
use cardo_query::{Filter, GeoCondition, Resolved, scope_matches};
use cardo_spatial::Boxes;

use super::number::{Ranges, ranges_of, texts_of};
use crate::live::{AttributeIndex, NumberIndex, Root, SlotSet, TextIndex, TypeIndex, hash_text};

/// An index that a filter would have used, had it been there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    pub(crate) type_name: NameId,
    pub(crate) attribute: NameId,
    pub(crate) sort: IndexSort,
}

/// Indexes that are built on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum IndexSort {
    Numbers,
    Texts,
}

/// One part of a conjunction, by what can answer it.
pub(super) enum Part<'a> {
    /// The union of these sets, exactly.
    Sets(Vec<&'a SlotSet>),
    /// An index that lists slots, exactly once the listing has tested them.
    Lookup(Lookup<'a>),
    /// Only the record can tell.
    Check(&'a Resolved),
}

/// A part that an index can list.
pub(super) struct Lookup<'a> {
    pub(super) filter: &'a Resolved,
    pub(super) estimate: usize,
    pub(super) index: Listing<'a>,
}

/// How slots are listed.
pub(super) enum Listing<'a> {
    Ids(&'a [cardo_model::EntityId]),
    Geo {
        condition: &'a GeoCondition<NameId>,
        boxes: Boxes,
        within: Vec<&'a TypeIndex>,
    },
    Numbers {
        indexes: Vec<&'a NumberIndex>,
        ranges: Ranges,
    },
    Texts {
        indexes: Vec<&'a TextIndex>,
        /// Hashes, each once.
        keys: Vec<u64>,
    },
    /// Candidates of any of several ways to match; the whole filter is put to each.
    Union(Vec<Lookup<'a>>),
}

/// The types whose entities a conjunction can match.
pub(super) struct Scope<'a> {
    root: &'a Root,
    /// The types, where the filter says which; all types otherwise.
    pub(super) types: Vec<(NameId, &'a TypeIndex)>,
    pub(super) is_typed: bool,
}

impl<'a> Scope<'a> {
    pub(super) fn of(root: &'a Root, parts: &[&Resolved]) -> Self {
        let index = |name: &NameId| root.types.get(name).map(|index| (*name, index.as_ref()));
        if let Some(names) = parts.iter().find_map(|part| types_of(part)) {
            let types = names.iter().filter_map(index).collect();
            return Self { root, types, is_typed: true };
        }
        let types = root.types.iter().map(|(n, t)| (*n, t.as_ref())).collect();
        Self { root, types, is_typed: false }
    }

    /// The one type that is asked for, where it is one.
    pub(super) fn only_type(&self) -> Option<&'a TypeIndex> {
        match self.types.as_slice() {
            [(_, index)] if self.is_typed => Some(index),
            _ => None,
        }
    }

    pub(super) fn attribute_indexes(
        &self,
        name: NameId,
    ) -> impl Iterator<Item = (NameId, &'a AttributeIndex)> + '_ {
        self.types
            .iter()
            .filter_map(move |(t, index)| Some((*t, index.attributes.get(&name)?.as_ref())))
    }

    /// What can answer a part.
    pub(super) fn classify(&self, filter: &'a Resolved, wanted: &mut Vec<Wanted>) -> Part<'a> {
        if let Some(sets) = self.sets(filter) {
            return Part::Sets(sets);
        }
        let index = self.listing(filter, wanted);
        match index {
            Some((estimate, index)) => Part::Lookup(Lookup { filter, estimate, index }),
            None => Part::Check(filter),
        }
    }

    /// How an index can list what matches, or for disjunctions what may match.
    fn listing(
        &self,
        filter: &'a Resolved,
        wanted: &mut Vec<Wanted>,
    ) -> Option<(usize, Listing<'a>)> {
        match filter {
            Filter::Ids(ids) => Some((ids.len(), Listing::Ids(ids))),
            Filter::Geo(condition) => self.geo(condition),
            Filter::Compare(comparison) => {
                if let Some((name, ranges)) = ranges_of(comparison) {
                    self.numbers(name, ranges, wanted)
                } else if let Some((name, texts)) = texts_of(comparison) {
                    self.texts(name, &texts, wanted)
                } else {
                    None
                }
            }
            Filter::Or(parts) => {
                let lookups: Option<Vec<_>> =
                    parts.iter().map(|part| self.narrowest(part, wanted)).collect();
                let lookups = lookups?;
                let estimate = lookups.iter().map(|lookup| lookup.estimate).sum();
                Some((estimate, Listing::Union(lookups)))
            }
            _ => None,
        }
    }

    /// The part of a conjunction that lists the fewest.
    fn narrowest(&self, filter: &'a Resolved, wanted: &mut Vec<Wanted>) -> Option<Lookup<'a>> {
        if let Filter::And(parts) = filter {
            let lookups = parts.iter().filter_map(|part| self.narrowest(part, wanted));
            return lookups.min_by_key(|lookup| lookup.estimate);
        }
        let (estimate, index) = self.listing(filter, wanted)?;
        Some(Lookup { filter, estimate, index })
    }

    fn sets(&self, filter: &Resolved) -> Option<Vec<&'a SlotSet>> {
        match filter {
            Filter::True => Some(vec![&self.root.live]),
            Filter::False => Some(Vec::new()),
            Filter::Type(name) => {
                Some(self.root.types.get(name).map(|t| &t.members).into_iter().collect())
            }
            Filter::HasAttribute(name) => {
                Some(self.attribute_indexes(*name).map(|(_, index)| &index.present).collect())
            }
            Filter::Scope(test) => {
                let scopes = self.root.scopes.iter();
                Some(scopes.filter(|(s, _)| scope_matches(test, s)).map(|(_, set)| set).collect())
            }
            Filter::Or(parts) => {
                let sets: Option<Vec<_>> = parts.iter().map(|part| self.sets(part)).collect();
                Some(sets?.into_iter().flatten().collect())
            }
            _ => None,
        }
    }

    fn geo(&self, condition: &'a GeoCondition<NameId>) -> Option<(usize, Listing<'a>)> {
        let boxes = condition.test.bounds()?;
        let listed: usize = self
            .attribute_indexes(condition.property)
            .map(|(_, index)| index.geometry.estimate(&boxes))
            .sum();
        let missing = if condition.missing_matches {
            let only = self.only_type()?;
            let tested =
                only.attributes.get(&condition.property).map_or(0, |i| i.one_geometry.len());
            only.members.len() - tested
        } else {
            0
        };
        let within = self.types.iter().map(|(_, index)| *index).collect();
        Some((listed + missing, Listing::Geo { condition, boxes, within }))
    }

    fn numbers(
        &self,
        name: NameId,
        ranges: Ranges,
        wanted: &mut Vec<Wanted>,
    ) -> Option<(usize, Listing<'a>)> {
        let indexes = self.on_demand(name, IndexSort::Numbers, wanted, |i| i.numbers.as_ref())?;
        let estimate = indexes.iter().map(|i| i.count(&ranges) + i.others.len()).sum();
        Some((estimate, Listing::Numbers { indexes, ranges }))
    }

    fn texts(
        &self,
        name: NameId,
        texts: &[&str],
        wanted: &mut Vec<Wanted>,
    ) -> Option<(usize, Listing<'a>)> {
        let indexes = self.on_demand(name, IndexSort::Texts, wanted, |i| i.texts.as_ref())?;
        let mut keys: Vec<u64> = texts.iter().map(|text| hash_text(text.as_bytes())).collect();
        keys.sort_unstable();
        keys.dedup();
        let counted = |index: &&TextIndex| -> usize {
            keys.iter().map(|key| index.hashed.count(&(*key..=*key))).sum()
        };
        let estimate = indexes.iter().map(|i| counted(i) + i.others.len()).sum();
        Some((estimate, Listing::Texts { indexes, keys }))
    }

    /// The indexes of every type that has the attribute, where all have one.
    fn on_demand<T>(
        &self,
        name: NameId,
        sort: IndexSort,
        wanted: &mut Vec<Wanted>,
        index_of: impl Fn(&'a AttributeIndex) -> Option<&'a T>,
    ) -> Option<Vec<&'a T>> {
        let mut indexes = Vec::new();
        let mut is_complete = true;
        for (type_name, index) in self.attribute_indexes(name) {
            if let Some(found) = index_of(index) {
                indexes.push(found);
            } else {
                is_complete = false;
                wanted.push(Wanted { type_name, attribute: name, sort });
            }
        }
        is_complete.then_some(indexes)
    }
}

/// The types that a part asks for, where it asks for nothing else.
fn types_of(filter: &Resolved) -> Option<Vec<NameId>> {
    match filter {
        Filter::Type(name) => Some(vec![*name]),
        Filter::Or(parts) => {
            let names: Option<Vec<_>> = parts.iter().map(types_of).collect();
            Some(names?.into_iter().flatten().collect())
        }
        _ => None,
    }
}
