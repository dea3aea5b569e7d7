//! Requests to one source, within what is registered of it (clause 4.3.6.1).

use cardo_model::Iri;
use cardo_query::Filter;

use super::matching::{Match, MatchedInformation, selects};
use super::operations::SourceOperation;
use super::question::Question;
use super::reach::{AskedBy, Forwarding};
use super::registration::{EntityInfo, Information, Registration};
use super::sources::SourceRequest;
use super::wanted::WantedEntities;
use crate::query::QueryError;

/// The operation by which a source is asked for what a client has asked for; the source may know
/// another one that gives the same.
pub(crate) fn operation(registration: &Registration, by: AskedBy) -> Option<SourceOperation> {
    use SourceOperation::{CreateEntityMapQueryEntity, QueryBatch, QueryEntity, RetrieveEntity};
    let preferred: &[SourceOperation] = match by {
        AskedBy::Id => &[RetrieveEntity, QueryEntity, QueryBatch],
        AskedBy::Query => &[QueryEntity, QueryBatch],
        AskedBy::Batch => &[QueryBatch, QueryEntity],
        AskedBy::Map => &[CreateEntityMapQueryEntity, QueryEntity, QueryBatch],
    };
    preferred.iter().copied().find(|operation| registration.operations.contains(*operation))
}

/// How many requests one call makes at the most.
const MOST_REQUESTS: usize = 1_000;

/// What is to be asked of all sources that match.
pub(crate) fn all_requests<'a>(
    matches: &'a [(Match, SourceOperation)],
    question: &Question,
    forwarding: &'a Forwarding,
    most: usize,
) -> Result<Vec<SourceRequest<'a>>, QueryError> {
    let all: Vec<SourceRequest<'a>> = matches
        .iter()
        .flat_map(|(found, operation)| requests(found, question, forwarding, *operation, most))
        .collect();
    within_limit(all)
}

/// All of them, unless they are too many.
pub(crate) fn within_limit<T>(all: Vec<T>) -> Result<Vec<T>, QueryError> {
    if all.len() > MOST_REQUESTS {
        return Err(QueryError::TooManySources(all.len(), MOST_REQUESTS));
    }
    Ok(all)
}

/// What is to be asked of a source that matches.
pub(crate) fn requests<'a>(
    found: &'a Match,
    question: &Question,
    forwarding: &'a Forwarding,
    operation: SourceOperation,
    most: usize,
) -> Vec<SourceRequest<'a>> {
    let mut requests = Vec::new();
    for (info, matched) in found.matched() {
        let Some(attributes) = attributes(info, question, forwarding) else { continue };
        let filter = filter(info, question, forwarding);
        for entities in selections(info, matched, question) {
            requests.push(SourceRequest {
                registration: &found.registration,
                forwarding,
                operation,
                entities,
                attributes: attributes.clone(),
                filter: filter.clone(),
                most,
            });
        }
    }
    requests
}

/// Which attributes are asked for, none for all; `None` where the source has none of them.
fn attributes(
    info: &Information,
    question: &Question,
    forwarding: &Forwarding,
) -> Option<Vec<Iri>> {
    let asked = &forwarding.asked;
    let mut wanted = if asked.split { Vec::new() } else { asked.attributes.clone() };
    if !wanted.is_empty() {
        // Conditions are put to the entities once more when they are whole.
        for part in &question.rest {
            part.visit_attributes(&mut |name| {
                if !wanted.contains(name) {
                    wanted.push(name.clone());
                }
            });
        }
    }
    if info.has_any_attribute() {
        return Some(wanted);
    }
    if wanted.is_empty() {
        return Some(info.attributes().cloned().collect());
    }
    wanted.retain(|name| info.has_attribute(name));
    (!wanted.is_empty()).then_some(wanted)
}

/// The conditions that the source can judge: those on what it has of an entity.
fn filter(info: &Information, question: &Question, forwarding: &Forwarding) -> Filter {
    if forwarding.asked.split {
        return Filter::True;
    }
    let parts = question.rest.iter().filter(|part| {
        let (mut names, mut has_all) = (0, true);
        part.visit_attributes(&mut |name| {
            names += 1;
            has_all &= info.has_attribute(name);
        });
        has_all && !part.has_links() && (names > 0 || info.has_any_attribute())
    });
    parts.cloned().fold(Filter::True, Filter::and)
}

/// Which entities are asked for: those that are wanted and registered.
fn selections(
    info: &Information,
    matched: &MatchedInformation,
    question: &Question,
) -> Vec<WantedEntities> {
    let any = [WantedEntities::default()];
    let wanted = if question.entities.is_empty() { &any[..] } else { &question.entities };
    if info.entities.is_empty() {
        return wanted.to_vec();
    }
    let mut all: Vec<WantedEntities> = Vec::new();
    for one in wanted {
        for at in &matched.entities {
            let Some(narrow) = narrowed(one, &info.entities[*at]) else { continue };
            // Entities of one type that are registered one by one are asked for together.
            let known = all.iter_mut().find(|known| {
                let (both, pattern) = (!known.ids.is_empty(), &known.id_pattern);
                both && !narrow.ids.is_empty() && pattern.is_none() && known.types == narrow.types
            });
            match known {
                Some(known) => {
                    known.ids.extend(narrow.ids);
                    known.ids.sort_unstable();
                    known.ids.dedup();
                }
                None => all.push(narrow),
            }
        }
    }
    all
}

/// What of the wanted entities is registered; `None` where nothing is.
fn narrowed(wanted: &WantedEntities, info: &EntityInfo) -> Option<WantedEntities> {
    let types = types(wanted.types.as_ref(), info)?;
    let mut narrow = WantedEntities { types: Some(types), ..WantedEntities::default() };
    if !wanted.ids.is_empty() {
        narrow.ids = wanted.ids.iter().filter(|id| info.is_of_id(id.as_str())).cloned().collect();
        narrow.id_pattern.clone_from(&wanted.id_pattern);
        return (!narrow.ids.is_empty()).then_some(narrow);
    }
    match (&info.id, &wanted.id_pattern) {
        (Some(id), Some(pattern)) if !pattern.is_match(id.as_str()) => return None,
        (Some(id), _) => narrow.ids.push(id.clone()),
        (None, Some(pattern)) => narrow.id_pattern = Some(pattern.clone()),
        (None, None) => narrow.id_pattern.clone_from(&info.id_pattern),
    }
    Some(narrow)
}

/// The selection of types without types that are not registered.
fn types(wanted: Option<&Filter>, info: &EntityInfo) -> Option<Filter> {
    let all = || info.types.iter().cloned().map(Filter::Type).fold(Filter::True, Filter::and);
    let Some(wanted) = wanted else { return Some(all()) };
    if !selects(wanted, &info.types) {
        return None;
    }
    let of = |name: &Iri| info.types.contains(name);
    Some(match wanted {
        Filter::Type(_) => wanted.clone(),
        Filter::Or(parts) if parts.iter().all(|part| matches!(part, Filter::Type(_))) => {
            let known = parts.iter().filter(|part| matches!(part, Filter::Type(n) if of(n)));
            match &known.cloned().collect::<Vec<_>>()[..] {
                [one] => one.clone(),
                several => Filter::Or(several.to_vec()),
            }
        }
        _ => all(),
    })
}

/// Whether an entity of which the id alone is known may be one of those.
pub(crate) fn may_be_of(request: &SourceRequest<'_>, id: &str) -> bool {
    let wanted = &request.entities;
    let is_wanted = (wanted.ids.is_empty() || wanted.ids.iter().any(|own| own.as_str() == id))
        && wanted.id_pattern.as_ref().is_none_or(|pattern| pattern.is_match(id));
    let mut information = request.registration.information.iter();
    let is_of = |info: &Information| {
        info.entities.is_empty() || info.entities.iter().any(|entity| entity.is_of_id(id))
    };
    is_wanted && information.any(is_of)
}

/// Whether an entity is one of those that a source was asked for.
pub(crate) fn is_of(request: &SourceRequest<'_>, id: &str, types: &[Iri]) -> bool {
    let wanted = &request.entities;
    let is_wanted = (wanted.ids.is_empty() || wanted.ids.iter().any(|own| own.as_str() == id))
        && wanted.id_pattern.as_ref().is_none_or(|pattern| pattern.is_match(id))
        && wanted.types.as_ref().is_none_or(|selection| selects(selection, types));
    let is_of = |entity: &EntityInfo| {
        entity.is_of_id(id) && entity.types.iter().any(|name| types.contains(name))
    };
    let mut information = request.registration.information.iter();
    is_wanted && information.any(|info| info.entities.is_empty() || info.entities.iter().any(is_of))
}
