use std::sync::Arc;

use cardo_model::Iri;
use cardo_query::{
    Filter, GeoCondition, TemporalProperty, TemporalRange, TimeRelation, scope_matches,
};
use geo_types::Geometry as Shape;

use super::registration::{EntityInfo, Information, Interval, Registration};
use super::wanted::{Looking, Wanted, WantedEntities};
use super::{described, space};

/// A registration that matches, and what of it does.
#[derive(Clone, Debug)]
pub struct Match {
    /// The registration.
    pub registration: Arc<Registration>,
    /// The elements of its information that match, at least one, in their order.
    pub information: Vec<MatchedInformation>,
}

/// An element of the information of a registration that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedInformation {
    /// Which one.
    pub number: usize,
    /// The elements of its entities that match; none where it has none.
    pub entities: Vec<usize>,
    /// The wanted attributes that it names; empty where all that is wanted may be there.
    pub attributes: Vec<Iri>,
}

impl Match {
    /// The elements of information that match.
    pub fn matched(&self) -> impl Iterator<Item = (&Information, &MatchedInformation)> {
        self.information
            .iter()
            .map(|matched| (&self.registration.information[matched.number], matched))
    }
}

/// Puts a registration to what is wanted (clause 5.12).
pub(super) fn matches(registration: &Arc<Registration>, wanted: &Wanted) -> Option<Match> {
    if !is_eligible(registration, wanted) {
        return None;
    }
    let information: Vec<MatchedInformation> = registration
        .information
        .iter()
        .enumerate()
        .filter_map(|(number, info)| matched(number, info, wanted))
        .collect();
    let is_match = !information.is_empty()
        && wanted.geo.as_ref().is_none_or(|geo| lies(registration, geo, wanted.looking))
        && wanted.source.as_ref().is_none_or(|csf| described::meets(registration, csf));
    is_match.then(|| Match { registration: registration.clone(), information })
}

fn is_eligible(registration: &Registration, wanted: &Wanted) -> bool {
    !registration.is_expired(wanted.now)
        && wanted.operation.is_none_or(|operation| registration.operations.contains(operation))
        && !registration.is_among(&wanted.encountered)
        && shares(&registration.datasets, &wanted.datasets)
        && is_of_time(registration, wanted.time.as_ref())
        && wanted
            .scope
            .as_ref()
            .is_none_or(|scope| is_of_scope(registration, scope, wanted.looking))
}

/// Where only one side names datasets it is a match.
fn shares(own: &[Box<str>], wanted: &[Box<str>]) -> bool {
    own.is_empty() || wanted.is_empty() || own.iter().any(|dataset| wanted.contains(dataset))
}

/// Clause 5.10.2.4 on time.
fn is_of_time(registration: &Registration, wanted: Option<&TemporalRange>) -> bool {
    let Some(range) = wanted else { return !registration.is_temporal() };
    let interval = match range.property {
        TemporalProperty::ObservedAt => registration.observation_interval,
        TemporalProperty::CreatedAt
        | TemporalProperty::ModifiedAt
        | TemporalProperty::DeletedAt => registration.management_interval,
    };
    interval.is_some_and(|interval| overlaps(interval, range.relation))
}

fn overlaps(Interval { start, end }: Interval, relation: TimeRelation) -> bool {
    match relation {
        TimeRelation::Before(moment) => start <= moment,
        TimeRelation::After(moment) => end.is_none_or(|end| moment <= end),
        TimeRelation::Between(from, to) => start <= to && end.is_none_or(|end| from <= end),
    }
}

fn is_of_scope(registration: &Registration, scope: &Filter, looking: Looking) -> bool {
    if registration.scopes.is_empty() {
        return looking == Looking::ForInformation;
    }
    meets_scope(scope, registration)
}

fn meets_scope(filter: &Filter, registration: &Registration) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| meets_scope(part, registration)),
        Filter::Or(parts) => parts.iter().any(|part| meets_scope(part, registration)),
        Filter::Not(part) => !meets_scope(part, registration),
        Filter::Scope(test) => {
            registration.scopes.iter().any(|scope| scope_matches(test, scope.as_str()))
        }
        Filter::True => true,
        _ => false,
    }
}

fn lies(registration: &Registration, geo: &GeoCondition, looking: Looking) -> bool {
    match registered_geometry(registration, geo.property.as_str()) {
        Some(shape) => space::may_match(geo, shape),
        None => looking == Looking::ForInformation,
    }
}

/// The geometry that stands for a property of the entities (clause 4.7).
fn registered_geometry<'a>(registration: &'a Registration, name: &str) -> Option<&'a Shape<f64>> {
    match name.strip_prefix("https://uri.etsi.org/ngsi-ld/")? {
        "location" => registration.location.as_ref(),
        "observationSpace" => registration.observation_space.as_ref(),
        "operationSpace" => registration.operation_space.as_ref(),
        _ => None,
    }
}

fn matched(number: usize, info: &Information, wanted: &Wanted) -> Option<MatchedInformation> {
    let entities: Vec<usize> = (0..info.entities.len())
        .filter(|at| is_wanted(&info.entities[*at], &wanted.entities))
        .collect();
    if entities.is_empty() && !info.entities.is_empty() {
        return None;
    }
    let any = wanted.attributes.is_empty() || info.has_any_attribute();
    let is_named = |name: &&Iri| info.attributes().any(|attribute| attribute == *name);
    let attributes: Vec<Iri> =
        if any { Vec::new() } else { wanted.attributes.iter().filter(is_named).cloned().collect() };
    (any || !attributes.is_empty()).then_some(MatchedInformation { number, entities, attributes })
}

fn is_wanted(entity: &EntityInfo, wanted: &[WantedEntities]) -> bool {
    wanted.is_empty() || wanted.iter().any(|wanted| may_be(entity, wanted))
}

/// Whether entities of a source may be the wanted ones.
fn may_be(entity: &EntityInfo, wanted: &WantedEntities) -> bool {
    wanted.types.as_ref().is_none_or(|types| selects(types, &entity.types))
        && may_have_id(entity, wanted)
}

fn may_have_id(entity: &EntityInfo, wanted: &WantedEntities) -> bool {
    if entity.id.is_none() && entity.id_pattern.is_none() {
        return true;
    }
    if wanted.ids.is_empty() && wanted.id_pattern.is_none() {
        return true;
    }
    if wanted.ids.iter().any(|id| entity.is_of_id(id.as_str())) {
        return true;
    }
    let Some(pattern) = &wanted.id_pattern else { return false };
    // Whether an id can match two patterns is not easily said.
    entity.id.as_ref().is_none_or(|id| pattern.is_match(id.as_str()))
}

pub(super) fn selects(selection: &Filter, types: &[Iri]) -> bool {
    match selection {
        Filter::Type(name) => types.contains(name),
        Filter::And(parts) => parts.iter().all(|part| selects(part, types)),
        Filter::Or(parts) => parts.iter().any(|part| selects(part, types)),
        Filter::Not(part) => !selects(part, types),
        Filter::True => true,
        _ => false,
    }
}
