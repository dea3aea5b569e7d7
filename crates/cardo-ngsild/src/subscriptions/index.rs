//! From what changes to the subscriptions that may be about it.

use std::sync::Arc;

use cardo_engine::Followed;
use cardo_model::{EntityChange, Iri, NameId, Names, Record};
use cardo_query::Filter;
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::lane::{Form, Lane};
use super::model::Subscription;

type Map<K> = HashMap<K, Vec<Arc<Lane>>, RandomState>;

/// Where a subscription stands in the index. A change that it is about has one of its places.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Place {
    /// Entities with the id.
    Entity(Box<str>),
    /// Entities of the type of which the attribute changed, where one is given.
    Type(Iri, Option<Iri>),
    /// Entities of which the attribute changed.
    Attribute(Iri),
    Anywhere,
}

/// All subscriptions of a twin that are told of changes.
#[derive(Default)]
pub(super) struct Index {
    entities: Map<Box<str>>,
    types: Map<(NameId, Option<NameId>)>,
    attributes: Map<NameId>,
    anywhere: Vec<Arc<Lane>>,
    places: HashMap<Box<str>, Vec<Place>, RandomState>,
    /// Places of names that no entity has had yet.
    unknown: Vec<(Place, Arc<Lane>)>,
    known_names: usize,
}

impl Index {
    /// Puts a subscription to its places, or to none where it only tells at intervals.
    pub(super) fn put(&mut self, lane: &Arc<Lane>, form: &Form, names: &Names) {
        self.remove(&lane.id, names);
        if form.subscription.time_interval.is_some() {
            return;
        }
        let places = places_of(&form.subscription);
        for place in &places {
            self.add(place.clone(), lane.clone(), names);
        }
        self.places.insert(lane.id.clone(), places);
    }

    pub(super) fn remove(&mut self, id: &str, names: &Names) {
        let Some(places) = self.places.remove(id) else { return };
        self.unknown.retain(|(_, lane)| *lane.id != *id);
        let name = |name: &Iri| names.id_or_unknown(name.as_str());
        for place in places {
            match place {
                Place::Entity(entity) => take_out(&mut self.entities, &entity, id),
                Place::Type(of, attribute) => {
                    let place = (name(&of), attribute.as_ref().map(name));
                    take_out(&mut self.types, &place, id);
                }
                Place::Attribute(attribute) => {
                    take_out(&mut self.attributes, &name(&attribute), id);
                }
                Place::Anywhere => self.anywhere.retain(|lane| *lane.id != *id),
            }
        }
    }

    fn add(&mut self, place: Place, lane: Arc<Lane>, names: &Names) {
        let id = |name: &Iri| names.id(name.as_str());
        match &place {
            Place::Entity(entity) => self.entities.entry(entity.clone()).or_default().push(lane),
            Place::Anywhere => self.anywhere.push(lane),
            Place::Attribute(attribute) => match id(attribute) {
                Some(attribute) => self.attributes.entry(attribute).or_default().push(lane),
                None => self.unknown.push((place, lane)),
            },
            Place::Type(name, attribute) => {
                let attribute = attribute.as_ref().map(id);
                match (id(name), attribute) {
                    (None, _) | (_, Some(None)) => self.unknown.push((place, lane)),
                    (Some(name), attribute) => {
                        self.types.entry((name, attribute.flatten())).or_default().push(lane);
                    }
                }
            }
        }
    }

    /// The subscriptions that may be about something in a log record, each once.
    pub(super) fn candidates(&mut self, names: &Names, followed: &Followed) -> Vec<Arc<Lane>> {
        if names.len() != self.known_names {
            self.known_names = names.len();
            for (place, lane) in std::mem::take(&mut self.unknown) {
                self.add(place, lane, names);
            }
        }
        let mut found = Vec::new();
        if self.places.is_empty() || followed.record.changes.is_empty() {
            return found;
        }
        found.extend_from_slice(&self.anywhere);
        for (place, change) in followed.record.changes.iter().enumerate() {
            self.look(change, followed.entities.get(place).and_then(Option::as_ref), &mut found);
        }
        found.sort_unstable_by_key(Arc::as_ptr);
        found.dedup_by(|a, b| Arc::ptr_eq(a, b));
        found
    }

    fn look(&self, change: &EntityChange, after: Option<&Record>, found: &mut Vec<Arc<Lane>>) {
        let mut changed: Vec<NameId> = Vec::new();
        let mut all_of =
            |record: &Record| changed.extend(record.view().attributes().map(|a| a.name()));
        let record = match change {
            EntityChange::Created(record) | EntityChange::Deleted(record) => {
                all_of(record);
                record
            }
            EntityChange::Replaced { was, is } => {
                all_of(was);
                all_of(is);
                is
            }
            EntityChange::Updated { instances, .. } => {
                changed.extend(instances.iter().map(|instance| instance.name));
                let Some(after) = after else { return };
                after
            }
            EntityChange::Observed { .. }
            | EntityChange::Recorded { .. }
            | EntityChange::Amended { .. } => return,
        };
        changed.sort_unstable();
        changed.dedup();
        let mut take =
            |lanes: Option<&Vec<Arc<Lane>>>| found.extend(lanes.into_iter().flatten().cloned());
        if !self.entities.is_empty() {
            take(self.entities.get(record.view().id()));
        }
        if !self.attributes.is_empty() {
            for attribute in &changed {
                take(self.attributes.get(attribute));
            }
        }
        if !self.types.is_empty() {
            for name in record.view().types() {
                take(self.types.get(&(name, None)));
                for attribute in &changed {
                    take(self.types.get(&(name, Some(*attribute))));
                }
            }
        }
    }
}

fn take_out<K: std::hash::Hash + Eq>(map: &mut Map<K>, place: &K, id: &str) {
    let Some(lanes) = map.get_mut(place) else { return };
    if let Some(at) = lanes.iter().position(|lane| *lane.id == *id) {
        lanes.swap_remove(at);
    }
    if lanes.is_empty() {
        map.remove(place);
    }
}

fn places_of(subscription: &Subscription) -> Vec<Place> {
    let watched = &subscription.watched;
    let mut places = Vec::new();
    match narrowest(&subscription.filter) {
        None if watched.is_empty() => places.push(Place::Anywhere),
        None => places.extend(watched.iter().cloned().map(Place::Attribute)),
        Some(narrow) => {
            for one in narrow {
                match one {
                    Narrow::Entity(id) => places.push(Place::Entity(id.into())),
                    Narrow::Type(name) if watched.is_empty() => {
                        places.push(Place::Type(name.clone(), None));
                    }
                    // Whatever triggers it, one of them is among what changed.
                    Narrow::Type(name) => places.extend(
                        watched.iter().map(|one| Place::Type(name.clone(), Some(one.clone()))),
                    ),
                }
            }
        }
    }
    places
}

/// What an entity that meets a filter has one of.
#[derive(Clone)]
enum Narrow<'a> {
    Entity(&'a str),
    Type(&'a Iri),
}

fn narrowest(filter: &Filter) -> Option<Vec<Narrow<'_>>> {
    match filter {
        Filter::False => Some(Vec::new()),
        Filter::Ids(ids) => Some(ids.iter().map(|id| Narrow::Entity(id.as_str())).collect()),
        Filter::Type(name) => Some(vec![Narrow::Type(name)]),
        Filter::And(parts) => {
            let of_types = |narrow: &Vec<Narrow<'_>>| {
                narrow.iter().filter(|one| matches!(one, Narrow::Type(_))).count()
            };
            let narrow = parts.iter().filter_map(narrowest);
            narrow.min_by_key(|narrow| (of_types(narrow), narrow.len()))
        }
        Filter::Or(parts) => {
            let each = parts.iter().map(narrowest).collect::<Option<Vec<_>>>()?;
            Some(each.into_iter().flatten().collect())
        }
        _ => None,
    }
}
