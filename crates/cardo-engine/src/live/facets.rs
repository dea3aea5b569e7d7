use std::collections::BTreeMap;

use cardo_model::{AttributeRef, InstanceRef, Kind, NameId};
use cardo_query::{is_dated, is_moment};

/// What occurs among the instances of an attribute, counted: what discovery tells of it, and which
/// columns it takes where entities are shown as rows.
#[derive(Clone, Default)]
pub(crate) struct Facets {
    kinds: [u32; 8],
    /// Of the values of properties.
    datatypes: [u32; 5],
    /// Values, of any kind, that are a list.
    lists: u32,
    /// Properties whose value is a date and time by its datatype.
    moments: u32,
    /// Properties whose value is a date by its datatype.
    dates: u32,
    /// Properties whose value is neither.
    timeless: u32,
    observed: u32,
    units: Units,
    languages: BTreeMap<Box<str>, u32>,
    attributes: BTreeMap<NameId, Self>,
    /// The instances with a dataset id; the facets themselves are of the preferred instance.
    datasets: BTreeMap<Box<str>, Self>,
}

/// The units of instances, counted.
#[derive(Clone, Default)]
struct Units {
    /// By code, so many as are told apart.
    codes: BTreeMap<Box<str>, u32>,
    /// Instances with a code beyond those.
    others: u32,
    /// Instances that name none.
    none: u32,
}

/// How many units of an attribute are told apart; who names more uses them as data.
const MAX_UNITS: usize = 8;

impl Units {
    fn count(&mut self, code: Option<&str>, add: bool) -> bool {
        let Some(code) = code else { return step(&mut self.none, add) };
        if let Some(count) = self.codes.get_mut(code) {
            let changed = step(count, add);
            if *count == 0 {
                self.codes.remove(code);
            }
            return changed;
        }
        if add && self.codes.len() < MAX_UNITS {
            self.codes.insert(code.into(), 1);
            return true;
        }
        step(&mut self.others, add)
    }

    /// The one unit that all instances have.
    fn only(&self) -> Option<&str> {
        let is_only = self.codes.len() == 1 && self.others == 0 && self.none == 0;
        self.codes.keys().next().filter(|_| is_only).map(AsRef::as_ref)
    }
}

/// The names of datatypes, in the order in which they are counted.
const DATATYPES: [&str; 5] = ["number", "string", "boolean", "object", "array"];

/// Attributes of attributes are told apart so far down; deeper ones are left to the languages that
/// show a value whole.
const MAX_DEPTH: usize = 3;

impl Facets {
    /// Takes an attribute in or out; whether something began to occur or ceased to.
    pub(crate) fn count(&mut self, attribute: &AttributeRef<'_>, add: bool) -> bool {
        self.count_instances(attribute, add, 0)
    }

    fn count_instances(&mut self, attribute: &AttributeRef<'_>, add: bool, depth: usize) -> bool {
        let mut changed = false;
        // The default instance stands first where there is one.
        for (nth, instance) in attribute.instances().enumerate() {
            if nth == 0 {
                changed |= self.count_instance(&instance, add, depth);
            }
            if let Some(dataset) = instance.dataset_id() {
                changed |= counted_in(&mut self.datasets, &Box::from(dataset), |facets| {
                    facets.count_instance(&instance, add, depth)
                });
            }
        }
        changed
    }

    fn count_instance(&mut self, instance: &InstanceRef<'_>, add: bool, depth: usize) -> bool {
        let kind = instance.kind();
        let mut changed = step(&mut self.kinds[kind as usize], add);
        let json = instance.value_bytes();
        if kind == Kind::Property {
            changed |= step(&mut self.datatypes[datatype(json)], add);
            if is_moment(instance) {
                changed |= step(&mut self.moments, add);
            } else if is_dated(instance) {
                changed |= step(&mut self.dates, add);
            } else {
                changed |= step(&mut self.timeless, add);
            }
        }
        if json.first() == Some(&b'[') {
            changed |= step(&mut self.lists, add);
        }
        if instance.observed_at().is_some() {
            changed |= step(&mut self.observed, add);
        }
        changed |= self.units.count(instance.unit_code(), add);
        if kind == Kind::LanguageProperty {
            changed |= self.count_languages(instance.value(), add);
        }
        if depth < MAX_DEPTH {
            for attribute in instance.attributes() {
                changed |= counted_in(&mut self.attributes, &attribute.name(), |facets| {
                    facets.count_instances(&attribute, add, depth + 1)
                });
            }
        }
        changed
    }

    fn count_languages(&mut self, map: &str, add: bool) -> bool {
        let mut changed = false;
        for language in languages(map) {
            let count = self.languages.entry(language.clone()).or_default();
            changed |= step(count, add);
            if *count == 0 {
                self.languages.remove(&language);
            }
        }
        changed
    }

    fn is_unused(&self) -> bool {
        self.kinds == [0; 8]
    }

    /// The facets of all instances: of the preferred ones and of each dataset.
    fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.datasets.values())
    }

    /// The kinds that occur in any instance.
    pub(crate) fn all_kinds(&self) -> Vec<Kind> {
        let occurs = |kind: &Kind| self.all().any(|f| f.kinds[*kind as usize] > 0);
        Kind::ALL.into_iter().filter(occurs).collect()
    }

    /// The datatypes of properties that occur in any instance.
    pub(crate) fn all_datatypes(&self) -> Vec<&'static str> {
        let occurs = |nth: usize| self.all().any(|f| f.datatypes[nth] > 0);
        (0..DATATYPES.len()).filter(|nth| occurs(*nth)).map(|nth| DATATYPES[nth]).collect()
    }

    /// The languages that occur in any instance, in order.
    pub(crate) fn all_languages(&self) -> Vec<Box<str>> {
        let mut languages: Vec<Box<str>> =
            self.all().flat_map(|f| f.languages.keys().cloned()).collect();
        languages.sort_unstable();
        languages.dedup();
        languages
    }

    /// The one kind that occurs, where there is but one.
    pub(crate) fn only_kind(&self) -> Option<Kind> {
        let mut kinds = Kind::ALL.into_iter().filter(|kind| self.kinds[*kind as usize] > 0);
        kinds.next().filter(|_| kinds.next().is_none())
    }

    /// The one datatype of properties that occurs, where there is but one.
    pub(crate) fn only_datatype(&self) -> Option<&'static str> {
        let mut nths = (0..DATATYPES.len()).filter(|nth| self.datatypes[*nth] > 0);
        nths.next().filter(|_| nths.next().is_none()).map(|nth| DATATYPES[nth])
    }

    /// Whether every value is a date and time.
    pub(crate) fn only_moments(&self) -> bool {
        self.moments > 0 && self.dates == 0 && self.timeless == 0
    }

    /// Whether every value is a date.
    pub(crate) fn only_dates(&self) -> bool {
        self.dates > 0 && self.moments == 0 && self.timeless == 0
    }

    pub(crate) fn has_lists(&self) -> bool {
        self.lists > 0
    }

    pub(crate) fn is_observed(&self) -> bool {
        self.observed > 0
    }

    pub(crate) fn has_units(&self) -> bool {
        !self.units.codes.is_empty() || self.units.others > 0
    }

    /// The code of the one unit that all instances name.
    pub(crate) fn only_unit(&self) -> Option<&str> {
        self.units.only()
    }

    pub(crate) fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages.keys().map(AsRef::as_ref)
    }

    pub(crate) fn attributes(&self) -> impl Iterator<Item = (NameId, &Self)> {
        self.attributes.iter().map(|(name, facets)| (*name, facets))
    }

    pub(crate) fn datasets(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.datasets.iter().map(|(dataset, facets)| (dataset.as_ref(), facets))
    }
}

/// Counts; whether the count left zero or came to it.
fn step(count: &mut u32, add: bool) -> bool {
    let before = *count;
    *count = if add { before + 1 } else { before.saturating_sub(1) };
    (before == 0) != (*count == 0)
}

/// Counts in the facets under a key, which are made where missing and dropped where unused.
fn counted_in<K: Ord + Clone>(
    map: &mut BTreeMap<K, Facets>,
    key: &K,
    count: impl FnOnce(&mut Facets) -> bool,
) -> bool {
    let is_new = !map.contains_key(key);
    let facets = map.entry(key.clone()).or_default();
    let changed = count(facets);
    let is_unused = facets.is_unused();
    if is_unused {
        map.remove(key);
    }
    changed || is_new || is_unused
}

fn datatype(json: &[u8]) -> usize {
    match json.first() {
        Some(b'"') => 1,
        Some(b't' | b'f' | b'n') => 2,
        Some(b'{') => 3,
        Some(b'[') => 4,
        _ => 0,
    }
}

fn languages(map: &str) -> Vec<Box<str>> {
    serde_json::from_str::<BTreeMap<Box<str>, serde_json::Value>>(map)
        .map(|map| map.into_keys().collect())
        .unwrap_or_default()
}
