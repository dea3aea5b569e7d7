use cardo_query::{Filter, Resolved};

use super::listed::{Listed, Numbers};
use super::meets;
use super::number::Ranges;
use super::parts::{Listing, Lookup, Part, Scope, Wanted};
use super::places::Places;
use crate::live::{NumberIndex, Root, SlotSet, TypeIndex, number_key};

/// How much of the matches is needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    /// So many from the start of the walk.
    pub(crate) first: usize,
    /// Whether all are to be counted.
    pub(crate) count: bool,
}

/// A way to find the matches of a filter in a root.
pub(crate) struct Plan<'a> {
    pub(super) root: &'a Root,
    pub(super) source: Source<'a>,
    pub(super) checks: Vec<Check<'a>>,
    /// How many match, where the indexes say it exactly.
    pub(super) count: Option<usize>,
    /// What the walk is likely to take, in nanoseconds.
    pub(super) cost: f64,
    /// Indexes that would have helped.
    pub(crate) wanted: Vec<Wanted>,
}

/// Where candidates come from.
pub(super) enum Source<'a> {
    /// Slots that are in each of these unions.
    Sets(Vec<Vec<&'a SlotSet>>),
    /// These slots.
    Slots(Listed<'a>),
}

/// What a candidate has to pass, cheap ones first.
pub(super) enum Check<'a> {
    /// It is in one of the sets.
    Sets(Vec<&'a SlotSet>),
    /// Its number is in one of the ranges; where it is no single number the record tells.
    Numbers { indexes: Vec<&'a NumberIndex>, ranges: Ranges, filter: &'a Resolved },
    /// Its record meets the filter.
    Record(&'a Resolved),
}

const SET_NS: f64 = 3.0;
const COLUMN_NS: f64 = 6.0;
const RECORD_NS: f64 = 200.0;
/// Numbers of a range lie side by side, and only the first few are kept.
const LIST_NUMBER_NS: f64 = 1.5;
const LIST_NS: f64 = 60.0;
/// Listings that take longer are walked in slices instead.
const MOST_LISTED: usize = 100_000;
/// What part of the candidates passes a check of which nothing is known.
const UNKNOWN_SHARE: f64 = 0.1;

impl<'a> Plan<'a> {
    pub(crate) fn new(root: &'a Root, filter: &'a Resolved, need: Need) -> Self {
        let mut parts = Vec::new();
        flatten(filter, &mut parts);
        let scope = Scope::of(root, &parts);
        let mut wanted = Vec::new();
        let mut sets = Vec::new();
        let mut lookups = Vec::new();
        let mut checks = Vec::new();
        for part in parts {
            match scope.classify(part, &mut wanted) {
                Part::Sets(union) => sets.push(union),
                Part::Lookup(lookup) => lookups.push(lookup),
                Part::Check(filter) => checks.push(filter),
            }
        }
        drop_implied(&scope, &mut sets);
        let count = exact_count(&scope, root, &sets, &lookups, &checks);
        let choice = Choice { root, sets, lookups, checks };
        let mut plan = choice.cheapest(Need { count: need.count && count.is_none(), ..need });
        plan.count = count;
        plan.wanted = wanted;
        plan
    }

    /// Whether a candidate passes every check.
    #[inline]
    pub(super) fn passes(&self, slot: u32) -> bool {
        self.checks.iter().all(|check| check.passes(slot, self.root))
    }
}

fn flatten<'a>(filter: &'a Resolved, parts: &mut Vec<&'a Resolved>) {
    match filter {
        Filter::And(inner) => inner.iter().for_each(|part| flatten(part, parts)),
        other => parts.push(other),
    }
}

/// Leaves out the members of the only type where the set of one of its attributes says as much.
fn drop_implied<'a>(scope: &Scope<'a>, sets: &mut Vec<Vec<&'a SlotSet>>) {
    let Some(only) = scope.only_type() else { return };
    let is_within =
        |set: &SlotSet| only.attributes.values().any(|i| std::ptr::eq(&raw const i.present, set));
    let implied = sets.iter().any(|union| matches!(union.as_slice(), [one] if is_within(one)));
    if implied {
        sets.retain(
            |union| !matches!(union.as_slice(), [one] if std::ptr::eq(*one, &raw const only.members)),
        );
    }
}

/// The number of matches, where indexes alone know it.
fn exact_count(
    scope: &Scope<'_>,
    root: &Root,
    sets: &[Vec<&SlotSet>],
    lookups: &[Lookup<'_>],
    checks: &[&Resolved],
) -> Option<usize> {
    if !checks.is_empty() {
        return None;
    }
    match (sets, lookups) {
        ([], []) => Some(root.live.len()),
        ([union], []) => match union.as_slice() {
            [] => Some(0),
            [one] => Some(one.len()),
            _ => None,
        },
        ([union], [Lookup { index: Listing::Numbers { indexes, ranges }, .. }]) => {
            let only = scope.only_type()?;
            let is_members =
                matches!(union.as_slice(), [one] if std::ptr::eq(*one, &raw const only.members));
            match indexes.as_slice() {
                [index] if is_members && index.others.is_empty() => Some(index.count(ranges)),
                [] if is_members => Some(0),
                _ => None,
            }
        }
        _ => None,
    }
}

struct Choice<'a> {
    root: &'a Root,
    sets: Vec<Vec<&'a SlotSet>>,
    lookups: Vec<Lookup<'a>>,
    checks: Vec<&'a Resolved>,
}

impl<'a> Choice<'a> {
    /// How many slots the sets leave at the most.
    fn bound(&self) -> usize {
        let len = |union: &Vec<&SlotSet>| union.iter().map(|set| set.len()).sum();
        self.sets.iter().map(len).min().unwrap_or(usize::MAX).min(self.root.live.len())
    }

    fn cheapest(self, need: Need) -> Plan<'a> {
        let bound = self.bound();
        let (walk_cost, walked) = self.walk_cost(bound, need);
        let per_check = self.checks.len() as f64 * RECORD_NS;
        let others = |skip: usize| -> f64 {
            let rest = self.lookups.iter().enumerate().filter(|(at, _)| *at != skip);
            rest.map(|(_, lookup)| lookup.check_ns()).sum::<f64>() + per_check
        };
        let best = self
            .lookups
            .iter()
            .enumerate()
            .filter(|(_, lookup)| {
                lookup.estimate <= MOST_LISTED || walked > MOST_LISTED as f64 * 4.0
            })
            .map(|(at, lookup)| {
                (at, lookup.estimate as f64 * (lookup.list_ns() + others(at)) + 500.0)
            })
            .min_by(|(_, a), (_, b)| a.total_cmp(b));
        match best {
            Some((at, cost)) if cost < walk_cost => self.listed(at, cost),
            _ => self.walked(walk_cost),
        }
    }

    /// What walking in order would take, and over how many slots.
    fn walk_cost(&self, bound: usize, need: Need) -> (f64, f64) {
        let whole = bound.max(1) as f64;
        let shares = self.lookups.iter().map(|l| (l.estimate as f64 / whole).min(1.0));
        let unknown = UNKNOWN_SHARE.powi(i32::try_from(self.checks.len().min(8)).unwrap_or(8));
        let share = shares.product::<f64>() * unknown;
        let slots = if need.count { whole } else { whole.min(need.first as f64 / share.max(1e-9)) };
        let has_checks = !self.lookups.is_empty() || !self.checks.is_empty();
        if !has_checks {
            // Places are skipped by counting bits.
            return (slots * SET_NS / 32.0, slots);
        }
        let lookups: f64 = self.lookups.iter().map(Lookup::check_ns).sum();
        let each = SET_NS + lookups + self.checks.len() as f64 * RECORD_NS;
        (slots * each, slots)
    }

    fn walked(self, cost: f64) -> Plan<'a> {
        let mut checks: Vec<Check<'a>> = self.lookups.into_iter().map(Lookup::into_check).collect();
        checks.extend(self.checks.into_iter().map(Check::Record));
        checks.sort_by_key(Check::rank);
        let sets = if self.sets.is_empty() { vec![vec![&self.root.live]] } else { self.sets };
        Plan::of(self.root, Source::Sets(sets), checks, cost)
    }

    fn listed(mut self, at: usize, cost: f64) -> Plan<'a> {
        let lookup = self.lookups.swap_remove(at);
        let sets = self.sets.into_iter().filter(|union| !lookup.lists_only(union));
        let mut checks: Vec<Check<'a>> = sets.map(Check::Sets).collect();
        let slots = lookup.listed(self.root);
        checks.extend(self.lookups.into_iter().map(Lookup::into_check));
        checks.extend(self.checks.into_iter().map(Check::Record));
        checks.sort_by_key(Check::rank);
        Plan::of(self.root, Source::Slots(slots), checks, cost)
    }
}

impl<'a> Plan<'a> {
    fn of(root: &'a Root, source: Source<'a>, checks: Vec<Check<'a>>, cost: f64) -> Self {
        Self { root, source, checks, count: None, cost, wanted: Vec::new() }
    }
}

impl<'a> Lookup<'a> {
    fn check_ns(&self) -> f64 {
        match &self.index {
            Listing::Numbers { .. } => COLUMN_NS,
            Listing::Union(lookups) => lookups.iter().map(Self::check_ns).sum(),
            _ => RECORD_NS,
        }
    }

    fn list_ns(&self) -> f64 {
        match &self.index {
            Listing::Numbers { .. } => LIST_NUMBER_NS,
            Listing::Texts { .. } => RECORD_NS,
            Listing::Union(lookups) => {
                RECORD_NS + lookups.iter().map(Self::list_ns).fold(0.0, f64::max)
            }
            Listing::Ids(_) | Listing::Geo { .. } => LIST_NS,
        }
    }

    fn into_check(self) -> Check<'a> {
        match self.index {
            Listing::Numbers { indexes, ranges } => {
                Check::Numbers { indexes, ranges, filter: self.filter }
            }
            _ => Check::Record(self.filter),
        }
    }

    /// Whether all that it lists is in one of the sets: an index of a type lists its members.
    fn lists_only(&self, union: &[&SlotSet]) -> bool {
        let Listing::Geo { within, .. } = &self.index else { return false };
        let is_member_set = |index: &TypeIndex| {
            union.iter().any(|set| std::ptr::eq(*set, &raw const index.members))
        };
        within.iter().all(|index| is_member_set(index))
    }

    fn listed(self, root: &'a Root) -> Listed<'a> {
        match self.index {
            Listing::Numbers { indexes, ranges } => {
                Listed::numbers(Numbers { root, indexes, ranges, filter: self.filter })
            }
            _ => Listed::slots(self.list(root)),
        }
    }

    /// The slots that the index lists, tested.
    fn list(self, root: &Root) -> Vec<u32> {
        let mut slots = Vec::with_capacity(self.estimate);
        let filter = self.filter;
        let is_match = |slot: u32| meets(root, slot, filter);
        let is_union = matches!(self.index, Listing::Union(_));
        match self.index {
            Listing::Union(lookups) => {
                slots.extend(lookups.into_iter().flat_map(|lookup| lookup.list(root)));
            }
            Listing::Ids(ids) => slots.extend(ids.iter().filter_map(|id| root.slot(id.as_str()))),
            Listing::Geo { condition, boxes, within } => {
                let places = Places { root, condition, boxes: &boxes, filter };
                for index in within {
                    places.list(index, &mut slots);
                }
            }
            Listing::Numbers { indexes, ranges } => {
                Numbers { root, indexes, ranges, filter }.list(&mut slots);
            }
            Listing::Texts { indexes, keys } => {
                for index in indexes {
                    for key in &keys {
                        index.hashed.for_each(&(*key..=*key), |slot| slots.push(slot));
                    }
                    slots.extend(index.others.iter());
                }
                slots.retain(|slot| is_match(*slot));
            }
        }
        if is_union {
            slots.sort_unstable();
            slots.dedup();
            slots.retain(|slot| is_match(*slot));
        }
        slots
    }
}

impl Check<'_> {
    fn rank(&self) -> u8 {
        match self {
            Self::Sets(_) => 0,
            Self::Numbers { .. } => 1,
            Self::Record(_) => 2,
        }
    }

    #[inline]
    fn passes(&self, slot: u32, root: &Root) -> bool {
        match self {
            Self::Sets(union) => union.iter().any(|set| set.contains(slot)),
            Self::Record(filter) => meets(root, slot, filter),
            Self::Numbers { indexes, ranges, filter } => {
                for index in indexes {
                    let number = *index.column.get(slot);
                    if !number.is_nan() {
                        let key = number_key(number);
                        return ranges.iter().any(|range| range.contains(&key));
                    }
                    if index.others.contains(slot) {
                        return meets(root, slot, filter);
                    }
                }
                false
            }
        }
    }
}
