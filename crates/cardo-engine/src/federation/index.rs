use std::collections::BTreeMap;
use std::sync::Arc;

use cardo_model::Iri;
use cardo_query::Filter;
use hashbrown::{HashMap, HashSet};

use super::matching::{Match, matches};
use super::registration::Registration;
use super::wanted::{Wanted, WantedEntities};

type ByName = HashMap<Box<str>, Vec<usize>, foldhash::fast::FixedState>;

/// All registrations of a twin, with what it takes to find the few that match among many.
#[derive(Debug, Default)]
pub struct Registrations {
    all: Vec<Arc<Registration>>,
    by_id: BTreeMap<Arc<str>, usize>,
    /// Registrations that name an entity by its id.
    of_entity: ByName,
    /// Registrations that name a type, with an id or without.
    of_type: ByName,
    /// Registrations that name a type without an id.
    of_open_type: ByName,
    /// Registrations of which an element names no entity: any may be there.
    of_any_entity: Vec<usize>,
    /// Registrations of which an element names entities by no id.
    of_open_id: Vec<usize>,
    has_proxied: bool,
}

impl Registrations {
    /// Builds the index, in the order of ids.
    pub fn new(mut all: Vec<Arc<Registration>>) -> Self {
        all.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        let mut index = Self::default();
        for (number, registration) in all.iter().enumerate() {
            index.by_id.insert(registration.id.clone().into_inner(), number);
            index.has_proxied |= registration.mode.is_proxied();
            index.add(number, registration);
        }
        index.all = all;
        index
    }

    fn add(&mut self, number: usize, registration: &Registration) {
        let put = |map: &mut ByName, name: &Iri| {
            let numbers = map.entry_ref(name.as_str()).or_default();
            if numbers.last() != Some(&number) {
                numbers.push(number);
            }
        };
        for info in &registration.information {
            if info.entities.is_empty() {
                push(&mut self.of_any_entity, number);
            }
            for entity in &info.entities {
                match &entity.id {
                    Some(id) => put(&mut self.of_entity, id),
                    None => push(&mut self.of_open_id, number),
                }
                for name in &entity.types {
                    put(&mut self.of_type, name);
                    if entity.id.is_none() {
                        put(&mut self.of_open_type, name);
                    }
                }
            }
        }
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether one is exclusive or redirects.
    pub fn has_proxied(&self) -> bool {
        self.has_proxied
    }

    /// The registration of an id.
    pub fn get(&self, id: &str) -> Option<&Arc<Registration>> {
        self.by_id.get(id).map(|number| &self.all[*number])
    }

    /// All of them, in the order of ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Registration>> {
        self.all.iter()
    }

    /// The registrations that match, in the order of ids.
    pub fn matching(&self, wanted: &Wanted) -> Vec<Match> {
        if self.all.is_empty() {
            return Vec::new();
        }
        match self.candidates(wanted) {
            None => self.all.iter().filter_map(|one| matches(one, wanted)).collect(),
            Some(numbers) => numbers
                .into_iter()
                .filter_map(|number| matches(&self.all[number], wanted))
                .collect(),
        }
    }

    /// Those that can match, in their order; `None` where all can.
    fn candidates(&self, wanted: &Wanted) -> Option<Vec<usize>> {
        if wanted.entities.is_empty() {
            return None;
        }
        let mut numbers: HashSet<usize, foldhash::fast::FixedState> =
            self.of_any_entity.iter().copied().collect();
        for entities in &wanted.entities {
            for found in self.lists(entities)? {
                numbers.extend(found);
            }
        }
        let mut numbers: Vec<usize> = numbers.into_iter().collect();
        numbers.sort_unstable();
        Some(numbers)
    }

    fn lists(&self, wanted: &WantedEntities) -> Option<Vec<&[usize]>> {
        let mut lists: Vec<&[usize]> = Vec::new();
        let mut types = Vec::new();
        let is_bound = wanted.types.as_ref().is_some_and(|types_of| named(types_of, &mut types));
        let has_ids = !wanted.ids.is_empty() && wanted.id_pattern.is_none();
        if has_ids {
            let ids = wanted.ids.iter().filter_map(|id| self.of_entity.get(id.as_str()));
            lists.extend(ids.map(Vec::as_slice));
        }
        let by_type = if has_ids { &self.of_open_type } else { &self.of_type };
        match (is_bound, has_ids) {
            (true, _) => {
                let of_types = types.iter().filter_map(|name| by_type.get(name.as_str()));
                lists.extend(of_types.map(Vec::as_slice));
            }
            (false, true) => lists.push(&self.of_open_id),
            (false, false) => return None,
        }
        Some(lists)
    }
}

fn push(numbers: &mut Vec<usize>, number: usize) {
    if numbers.last() != Some(&number) {
        numbers.push(number);
    }
}

/// The types of a selection; whether what it selects has one of them.
fn named<'a>(selection: &'a Filter, types: &mut Vec<&'a Iri>) -> bool {
    match selection {
        Filter::Type(name) => {
            types.push(name);
            true
        }
        Filter::Or(parts) => parts.iter().all(|part| named(part, types)),
        // One part is enough, and the first that binds is as good as any.
        Filter::And(parts) => parts.iter().any(|part| named(part, types)),
        _ => false,
    }
}
