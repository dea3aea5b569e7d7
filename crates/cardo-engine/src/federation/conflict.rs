use std::sync::Arc;

use cardo_model::Timestamp;
use cardo_query::{Filter, attributes_filter};

use super::index::Registrations;
use super::registration::{EntityInfo, Information, Mode, Registration};

impl Registrations {
    /// The registration that does not allow another one: what is exclusive is had by one source
    /// alone (clauses 4.3.6.3 and 5.9.2.4).
    pub fn conflict(&self, new: &Registration, now: Timestamp) -> Option<&Arc<Registration>> {
        if !new.mode.is_proxied() {
            return None;
        }
        let excludes = |other: &Registration| match (new.mode, other.mode) {
            (Mode::Exclusive, Mode::Exclusive | Mode::Redirect) => share(new, other),
            (Mode::Redirect, Mode::Exclusive) => share(other, new),
            _ => false,
        };
        self.iter().find(|other| {
            other.id != new.id
                && !other.is_expired(now)
                && other.is_temporal() == new.is_temporal()
                && excludes(other)
        })
    }
}

/// Whether two registrations are of the same attributes of the entities that the first names.
fn share(exclusive: &Registration, other: &Registration) -> bool {
    exclusive.information.iter().any(|info| {
        other.information.iter().any(|other| shares_attribute(info, other) && meets(info, other))
    })
}

fn shares_attribute(one: &Information, other: &Information) -> bool {
    one.has_any_attribute() || one.attributes().any(|name| other.has_attribute(name))
}

fn meets(exclusive: &Information, other: &Information) -> bool {
    if other.entities.is_empty() {
        return true;
    }
    let ids = exclusive.entities.iter().filter_map(|entity| Some((entity, entity.id.as_ref()?)));
    ids.into_iter().any(|(entity, id)| {
        other.entities.iter().any(|other| {
            let shares_type = || other.types.iter().any(|name| entity.types.contains(name));
            other.is_of_id(id.as_str()) && (other.id.is_some() || shares_type())
        })
    })
}

impl Registration {
    /// The condition that entities meet of which the source may have something. Of an exclusive
    /// registration ids and attributes decide alone (clause 5.9.2.4).
    pub fn filter(&self) -> Filter {
        let part = |info: &Information| {
            let entities = match &*info.entities {
                [] => Filter::True,
                entities => Filter::Or(entities.iter().map(|one| self.of_entity(one)).collect()),
            };
            let names: Vec<_> = info.attributes().cloned().collect();
            if names.is_empty() { entities } else { entities.and(attributes_filter(&names)) }
        };
        Filter::Or(self.information.iter().map(part).collect())
    }

    fn of_entity(&self, entity: &EntityInfo) -> Filter {
        let by_id = match (&entity.id, &entity.id_pattern) {
            (Some(id), _) => Filter::Ids(vec![id.clone()]),
            (None, Some(pattern)) => Filter::IdPattern(pattern.clone()),
            (None, None) => Filter::True,
        };
        if self.mode == Mode::Exclusive {
            return by_id;
        }
        entity.types.iter().fold(by_id, |all, name| all.and(Filter::Type(name.clone())))
    }
}
