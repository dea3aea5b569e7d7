//! Which part of an operation is whose (clauses 5.6.1.4 and those behind it): what exclusive sources
//! have goes to them, then what others have to redirect to goes to all of those, then inclusive
//! sources get of the rest what they have, as the twin does.

use std::sync::Arc;

use cardo_model::{Attribute, AttributeFragment, EntityId, Iri};
use cardo_query::Filter;

use super::matching::Match;
use super::registration::{Mode, Registration};
use super::wanted::{Looking, Wanted, WantedEntities};
use crate::operation::{Operation, WhichInstances};

/// An operation, divided.
#[derive(Debug)]
pub(super) struct Split {
    /// What is for the twin.
    pub(super) local: Option<Operation>,
    /// What is for sources.
    pub(super) shares: Vec<Share>,
    /// Whether a source alone has some of it.
    pub(super) is_proxied: bool,
}

/// What is for one source.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) registration: Arc<Registration>,
    pub(super) operation: Operation,
    pub(super) attributes: Vec<Iri>,
    /// Whether the request has passed it, so that it is not told again.
    pub(super) is_back: bool,
}

/// For what sources are looked: the entity, its types where they are known, its attributes.
pub(super) fn wanted(operation: &Operation, types: Vec<Iri>, base: Wanted) -> Wanted {
    let types = match <[Iri; 1]>::try_from(types) {
        Ok([one]) => Some(Filter::Type(one)),
        Err(types) if types.is_empty() => None,
        Err(types) => Some(Filter::Or(types.into_iter().map(Filter::Type).collect())),
    };
    let ids = operation.entity().cloned().into_iter().collect();
    Wanted {
        entities: vec![WantedEntities { types, ids, id_pattern: None }],
        attributes: operation.attributes(),
        looking: Looking::ForInformation,
        ..base
    }
}

/// Whose turn it is: those of a mode, where the request may have passed them already. Who alone
/// would have a part and has passed it on here leads it in a circle (clause 6.3.17).
const TURNS: [(Mode, bool); 5] = [
    (Mode::Exclusive, false),
    (Mode::Redirect, false),
    (Mode::Exclusive, true),
    (Mode::Redirect, true),
    (Mode::Inclusive, false),
];

/// Divides an operation between the twin and the sources that match, on behalf of a request that
/// has passed some of them.
pub(super) fn split(operation: Operation, matches: &[Match], passed: &[Box<str>]) -> Split {
    let had_attributes = !operation.attributes().is_empty();
    let is_of_entity = operation.is_of_entity();
    let mut split = Split { local: None, shares: Vec::new(), is_proxied: false };
    let mut rest = Some(operation);
    for (mode, is_back) in TURNS {
        let is_next =
            |found: &Registration| found.mode == mode && found.is_among(passed) == is_back;
        let of_mode = || matches.iter().filter(|found| is_next(&found.registration));
        let Some(whole) = rest.as_ref() else { break };
        // What is deleted elsewhere needs nobody else to delete it.
        if is_back && is_of_entity && split.is_proxied {
            continue;
        }
        let before = split.shares.len();
        for found in of_mode() {
            let Some(operation) = part(whole, found) else { continue };
            let attributes = operation.attributes();
            let registration = found.registration.clone();
            split.shares.push(Share { registration, operation, attributes, is_back });
        }
        if !mode.is_proxied() || split.shares.len() == before {
            continue;
        }
        split.is_proxied = true;
        // A deletion is of the twin's own part of the entity as well (clause 5.6.6.4).
        if !is_of_entity {
            let owners: Vec<&Match> = of_mode().collect();
            rest = without(whole, &owners, had_attributes);
        }
    }
    split.local = rest;
    split
}

/// What of an operation a source has a part in.
fn part(operation: &Operation, found: &Match) -> Option<Operation> {
    let has = |name: &Iri, dataset: Option<&Iri>| has(found, name, dataset);
    if operation.is_of_entity() {
        return Some(operation.clone());
    }
    if operation.attributes().is_empty() {
        return has_any(found).then(|| operation.clone());
    }
    let mut part = operation.only(&has)?;
    if let Operation::Create(entity)
    | Operation::Replace(entity)
    | Operation::CreateOrReplace(entity)
    | Operation::CreateOrUpdate(entity) = &mut part
    {
        narrow_types(&mut entity.types, found);
    }
    Some(part)
}

/// The registered types alone (clause 4.3.6.1), where one of them is among the types.
fn narrow_types(types: &mut Vec<Iri>, found: &Match) {
    let mut registered = Vec::new();
    for (info, matched) in found.matched() {
        if info.entities.is_empty() {
            return;
        }
        registered.extend(matched.entities.iter().flat_map(|at| &info.entities[*at].types));
    }
    if types.iter().any(|name| registered.contains(&name)) {
        types.retain(|name| registered.contains(&name));
    }
}

/// What is left where others have their parts.
fn without(operation: &Operation, owners: &[&Match], had_attributes: bool) -> Option<Operation> {
    if !had_attributes {
        return (!owners.iter().any(|found| has_any(found))).then(|| operation.clone());
    }
    operation.only(&|name, dataset| !owners.iter().any(|found| has(found, name, dataset)))
}

fn has(found: &Match, name: &Iri, dataset: Option<&Iri>) -> bool {
    let datasets = &found.registration.datasets;
    let dataset = dataset.map_or("@none", Iri::as_str);
    (datasets.is_empty() || datasets.iter().any(|own| &**own == dataset))
        && found.matched().any(|(info, _)| info.has_attribute(name))
}

fn has_any(found: &Match) -> bool {
    found.matched().any(|(info, _)| info.has_any_attribute())
}

type Keep<'a> = &'a dyn Fn(&Iri, Option<&Iri>) -> bool;

impl Operation {
    /// The entity that it is about.
    pub fn entity(&self) -> Option<&EntityId> {
        Some(match self {
            Self::Create(entity)
            | Self::Replace(entity)
            | Self::CreateOrReplace(entity)
            | Self::CreateOrUpdate(entity)
            | Self::Ingest(entity) => &entity.id,
            Self::Merge { id, .. }
            | Self::Append { id, .. }
            | Self::Update { id, .. }
            | Self::PartialUpdate { id, .. }
            | Self::ReplaceAttribute { id, .. }
            | Self::DeleteAttribute { id, .. }
            | Self::Record { id, .. }
            | Self::AmendInstance { id, .. }
            | Self::ForgetAttribute { id, .. }
            | Self::ForgetHistory(id)
            | Self::Delete(id)
            | Self::Expire(id) => id,
            Self::Document(_) => return None,
        })
    }

    /// The types that it gives the entity.
    pub(super) fn types(&self) -> &[Iri] {
        match self {
            Self::Create(entity)
            | Self::Replace(entity)
            | Self::CreateOrReplace(entity)
            | Self::CreateOrUpdate(entity) => &entity.types,
            Self::Merge { fragment, .. } | Self::Update { fragment, .. } => &fragment.types,
            Self::Append { types, .. } | Self::Record { types, .. } => types,
            _ => &[],
        }
    }

    /// Whether it is about the entity and no attribute of it.
    fn is_of_entity(&self) -> bool {
        matches!(self, Self::Delete(_) | Self::ForgetHistory(_))
    }

    /// The attributes that it is about, in their order.
    pub fn attributes(&self) -> Vec<Iri> {
        let whole = |all: &[Attribute]| all.iter().map(|one| one.name.clone()).collect();
        let parts = |all: &[AttributeFragment]| all.iter().map(|one| one.name.clone()).collect();
        match self {
            Self::Create(entity)
            | Self::Replace(entity)
            | Self::CreateOrReplace(entity)
            | Self::CreateOrUpdate(entity) => whole(&entity.attributes),
            Self::Append { attributes, .. } | Self::Record { attributes, .. } => whole(attributes),
            Self::Merge { fragment, .. } | Self::Update { fragment, .. } => {
                parts(&fragment.attributes)
            }
            Self::PartialUpdate { name, .. }
            | Self::ReplaceAttribute { name, .. }
            | Self::DeleteAttribute { name, .. }
            | Self::AmendInstance { name, .. }
            | Self::ForgetAttribute { name, .. } => vec![name.clone()],
            _ => Vec::new(),
        }
    }

    /// The same of some instances of its attributes; none where none is left.
    fn only(&self, keep: Keep<'_>) -> Option<Self> {
        let mut part = self.clone();
        let is_left = match &mut part {
            Self::Create(entity)
            | Self::Replace(entity)
            | Self::CreateOrReplace(entity)
            | Self::CreateOrUpdate(entity) => retain(&mut entity.attributes, keep),
            Self::Append { attributes, .. } | Self::Record { attributes, .. } => {
                retain(attributes, keep)
            }
            Self::Merge { fragment, .. } | Self::Update { fragment, .. } => {
                retain_parts(&mut fragment.attributes, keep)
            }
            Self::PartialUpdate { name, fragment, .. } => keep(name, fragment.dataset_id.as_ref()),
            Self::ReplaceAttribute { name, instance, .. } => {
                keep(name, instance.dataset_id.as_ref())
            }
            Self::AmendInstance { name, dataset_id, .. } => keep(name, dataset_id.as_ref()),
            Self::DeleteAttribute { name, which, .. }
            | Self::ForgetAttribute { name, which, .. } => match which {
                WhichInstances::Dataset(dataset) => keep(name, Some(dataset)),
                WhichInstances::Default | WhichInstances::All => keep(name, None),
            },
            _ => true,
        };
        is_left.then_some(part)
    }
}

fn retain(attributes: &mut Vec<Attribute>, keep: Keep<'_>) -> bool {
    for Attribute { name, instances } in attributes.iter_mut() {
        instances.retain(|instance| keep(name, instance.dataset_id.as_ref()));
    }
    attributes.retain(|attribute| !attribute.instances.is_empty());
    !attributes.is_empty()
}

fn retain_parts(attributes: &mut Vec<AttributeFragment>, keep: Keep<'_>) -> bool {
    for AttributeFragment { name, instances } in attributes.iter_mut() {
        instances.retain(|instance| keep(name, instance.dataset_id.as_ref()));
    }
    attributes.retain(|attribute| !attribute.instances.is_empty());
    !attributes.is_empty()
}
