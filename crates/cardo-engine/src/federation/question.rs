//! What a filter asks of context sources: which entities they have to have, and what remains.

use cardo_model::{Iri, Timestamp};
use cardo_query::{Filter, GeoCondition};

use super::reach::Forwarding;
use super::wanted::{Looking, Wanted, WantedEntities};

/// A filter taken apart by what registrations speak of (clause 5.12).
#[derive(Debug, Default)]
pub(crate) struct Question {
    /// Alternatives of ids, patterns and types.
    pub(crate) entities: Vec<WantedEntities>,
    /// One of these attributes has to be there, where any is named.
    pub(crate) attributes: Vec<Iri>,
    pub(crate) geo: Option<GeoCondition>,
    pub(crate) scope: Option<Filter>,
    /// The conditions beyond ids, patterns, types and attributes, each by itself.
    pub(crate) rest: Vec<Filter>,
}

impl Question {
    pub(crate) fn of(filter: &Filter) -> Self {
        let mut question = Self::default();
        let mut entities = WantedEntities::default();
        let mut alternatives = None;
        for part in conjuncts(filter) {
            if take(&mut entities, part) {
                continue;
            }
            if alternatives.is_none()
                && let Some(found) = selectors(part)
            {
                alternatives = Some(found);
                continue;
            }
            match (attributes(part), part) {
                (Some(names), _) if question.attributes.is_empty() => question.attributes = names,
                (_, Filter::Geo(condition)) if question.geo.is_none() => {
                    question.geo = Some(condition.clone());
                    question.rest.push(part.clone());
                }
                (_, part) if question.scope.is_none() && is_of_scopes(part) => {
                    question.scope = Some(part.clone());
                    question.rest.push(part.clone());
                }
                (_, Filter::True) => {}
                (_, other) => question.rest.push(other.clone()),
            }
        }
        question.entities = match alternatives {
            None if is_open(&entities) => Vec::new(),
            None => vec![entities],
            Some(found) => found.into_iter().map(|one| both(&entities, one)).collect(),
        };
        question
    }
}

impl Question {
    /// For what sources are looked that may have what is asked for.
    pub(crate) fn wanted(&self, forwarding: &Forwarding, now: Timestamp) -> Wanted {
        let asked = &forwarding.asked;
        Wanted {
            entities: self.entities.clone(),
            attributes: asked.attributes.clone(),
            datasets: asked.datasets.clone(),
            operation: None,
            time: None,
            geo: self.geo.clone(),
            scope: self.scope.clone(),
            source: asked.sources.clone(),
            encountered: forwarding.passed.clone(),
            looking: Looking::ForInformation,
            now,
        }
    }
}

fn conjuncts(filter: &Filter) -> Vec<&Filter> {
    match filter {
        Filter::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

/// Takes a condition on ids, patterns or types in; whether it is one and there was none before.
fn take(entities: &mut WantedEntities, part: &Filter) -> bool {
    match part {
        Filter::Ids(ids) if entities.ids.is_empty() => entities.ids.clone_from(ids),
        Filter::IdPattern(pattern) if entities.id_pattern.is_none() => {
            entities.id_pattern = Some(pattern.clone());
        }
        part if is_of_types(part) => {
            let before = entities.types.take().unwrap_or(Filter::True);
            entities.types = Some(before.and(part.clone()));
        }
        _ => return false,
    }
    true
}

/// The alternatives of a disjunction of selections (clause 5.2.33).
fn selectors(part: &Filter) -> Option<Vec<WantedEntities>> {
    let Filter::Or(parts) = part else { return None };
    let selector = |part: &Filter| {
        let mut entities = WantedEntities::default();
        conjuncts(part).into_iter().all(|part| take(&mut entities, part)).then_some(entities)
    };
    parts.iter().map(selector).collect()
}

/// What both want.
fn both(common: &WantedEntities, mut one: WantedEntities) -> WantedEntities {
    if let Some(types) = &common.types {
        one.types = Some(one.types.unwrap_or(Filter::True).and(types.clone()));
    }
    if one.ids.is_empty() {
        one.ids.clone_from(&common.ids);
    } else if !common.ids.is_empty() {
        one.ids.retain(|id| common.ids.contains(id));
    }
    one.id_pattern = one.id_pattern.or_else(|| common.id_pattern.clone());
    one
}

fn is_open(entities: &WantedEntities) -> bool {
    entities.types.is_none() && entities.ids.is_empty() && entities.id_pattern.is_none()
}

fn is_of_types(filter: &Filter) -> bool {
    match filter {
        Filter::Type(_) => true,
        Filter::And(parts) | Filter::Or(parts) => parts.iter().all(is_of_types),
        Filter::Not(part) => is_of_types(part),
        _ => false,
    }
}

fn is_of_scopes(filter: &Filter) -> bool {
    match filter {
        Filter::Scope(_) => true,
        Filter::And(parts) | Filter::Or(parts) => parts.iter().all(is_of_scopes),
        Filter::Not(part) => is_of_scopes(part),
        _ => false,
    }
}

/// The names of a condition that one of several attributes is there.
fn attributes(filter: &Filter) -> Option<Vec<Iri>> {
    match filter {
        Filter::HasAttribute(name) => Some(vec![name.clone()]),
        Filter::Or(parts) => {
            let name = |part: &Filter| match part {
                Filter::HasAttribute(name) => Some(name.clone()),
                _ => None,
            };
            parts.iter().map(name).collect()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardo_model::EntityId;

    fn iri(name: &str) -> Iri {
        Iri::new(format!("urn:n:{name}")).unwrap()
    }

    #[test]
    fn a_filter_is_taken_apart_by_what_registrations_speak_of() {
        let types = Filter::Or(vec![Filter::Type(iri("A")), Filter::Type(iri("B"))]);
        let ids = Filter::Ids(vec![EntityId::new("urn:x:1").unwrap()]);
        let q = Filter::Not(Box::new(Filter::HasAttribute(iri("q"))));
        let has = Filter::HasAttribute(iri("a"));
        let question = Question::of(&types.clone().and(ids).and(has).and(q.clone()));
        assert_eq!(question.entities.len(), 1);
        assert_eq!(question.entities[0].types, Some(types));
        assert_eq!(question.entities[0].ids.len(), 1);
        assert_eq!(question.attributes, [iri("a")]);
        assert_eq!(question.rest, [q]);
    }

    #[test]
    fn selectors_are_alternatives() {
        let one = Filter::Type(iri("A")).and(Filter::Ids(vec![EntityId::new("urn:x:1").unwrap()]));
        let two = Filter::Type(iri("B"));
        let question = Question::of(&Filter::Or(vec![one, two]));
        assert_eq!(question.entities.len(), 2);
        assert_eq!(question.entities[0].ids.len(), 1);
        assert_eq!(question.entities[1].types, Some(Filter::Type(iri("B"))));
        assert!(question.rest.is_empty());
    }

    #[test]
    fn a_filter_of_nothing_registered_wants_any_entity() {
        let question = Question::of(&Filter::True);
        assert!(question.entities.is_empty() && question.rest.is_empty());
    }
}
