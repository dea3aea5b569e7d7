//! Types and attributes that registered sources know (clause 5.7.11).

use std::collections::BTreeMap;

use cardo_model::{Iri, Kind};
use cardo_query::Filter;
use futures_util::future::BoxFuture;

use super::asking::in_turns;
use super::narrow::within_limit;
use super::operations::{Operations, SourceOperation};
use super::registration::Registration;
use super::sources::{Contributed, Contribution, Contributions, SourceRequest};
use super::wanted::{Looking, Wanted, WantedEntities};
use crate::caller::Caller;
use crate::engine::Engine;
use crate::query::QueryError;
use crate::snapshot::{AttributeInfo, Snapshot, TypeInfo};

/// The operations of which a source has to take one to be asked.
const DISCOVERY: [SourceOperation; 6] = [
    SourceOperation::RetrieveEntityTypeInfo,
    SourceOperation::RetrieveEntityTypeDetails,
    SourceOperation::RetrieveEntityTypes,
    SourceOperation::RetrieveAttrTypeInfo,
    SourceOperation::RetrieveAttrTypeDetails,
    SourceOperation::RetrieveAttrTypes,
];

impl Engine {
    /// What is known of every type, in the order of names, by the twin and by sources; of these only
    /// what `about` asks for, a type or an attribute. Entities that both have count twice, as clause
    /// 5.7.11 allows.
    pub async fn known_types(
        &self,
        caller: &Caller,
        snapshot: &Snapshot,
        about: &Filter,
    ) -> Result<(Vec<TypeInfo>, Option<Contributions>), QueryError> {
        let own = snapshot.types();
        let Some(forwarding) = caller.reach.forwarding() else { return Ok((own, None)) };
        let inner = &self.inner;
        let registrations = inner.twin(&caller.twin).await?.registrations();
        let wanted = Wanted {
            encountered: forwarding.passed.clone(),
            looking: Looking::ForInformation,
            ..Wanted::registrations((inner.options.clock)())
        };
        let found = registrations.matching(&wanted);
        let asked: Vec<SourceRequest<'_>> = found
            .iter()
            .filter_map(|found| {
                let registration = &*found.registration;
                let operation = operation(registration.operations)?;
                Some(SourceRequest {
                    registration,
                    forwarding,
                    operation,
                    entities: WantedEntities::default(),
                    attributes: Vec::new(),
                    filter: about.clone(),
                    most: 0,
                })
            })
            .collect();
        if asked.is_empty() || caller.view.restriction().is_some() {
            return Ok((own, None));
        }
        let asked = within_limit(asked)?;
        let asking = inner.asking(forwarding);
        let mut answers: Vec<BoxFuture<'_, _>> = Vec::with_capacity(asked.len());
        for request in &asked {
            let registration = request.registration;
            answers.push(Box::pin(asking.ask(registration, |port| port.types(request))));
        }
        let answers = in_turns(answers).await;
        let mut all: BTreeMap<Iri, TypeInfo> =
            own.into_iter().map(|info| (info.name.clone(), info)).collect();
        let mut contributions = Vec::with_capacity(asked.len());
        for (request, answer) in asked.iter().zip(answers) {
            let mut warnings = Vec::new();
            let outcome = answer.map(|answer| {
                warnings = answer.warnings;
                let types = within(request.registration, answer.types);
                let entities = types.len();
                for info in types {
                    add(&mut all, info);
                }
                Contributed { entities, ..Contributed::default() }
            });
            let registration = request.registration.id.clone();
            contributions.push(Contribution {
                registration,
                outcome,
                ids: Vec::new(),
                warnings,
                entity_map: None,
            });
        }
        Ok((all.into_values().collect(), Some(contributions.into())))
    }
}

fn operation(operations: Operations) -> Option<SourceOperation> {
    DISCOVERY.into_iter().find(|operation| operations.contains(*operation))
}

/// Types and attributes that are registered.
fn within(registration: &Registration, mut types: Vec<TypeInfo>) -> Vec<TypeInfo> {
    types.retain_mut(|info| {
        let of_type: Vec<_> = registration
            .information
            .iter()
            .filter(|part| {
                part.entities.is_empty()
                    || part.entities.iter().any(|entity| entity.types.contains(&info.name))
            })
            .collect();
        info.attributes.retain(|own| of_type.iter().any(|part| part.has_attribute(&own.name)));
        !of_type.is_empty()
    });
    types
}

fn add(all: &mut BTreeMap<Iri, TypeInfo>, info: TypeInfo) {
    let Some(known) = all.get_mut(&info.name) else {
        all.insert(info.name.clone(), info);
        return;
    };
    known.count += info.count;
    for attribute in info.attributes {
        match known.attributes.iter_mut().find(|own| own.name == attribute.name) {
            Some(own) => join(own, &attribute),
            None => known.attributes.push(attribute),
        }
    }
    known.attributes.sort_by(|a, b| a.name.cmp(&b.name));
}

fn join(own: &mut AttributeInfo, other: &AttributeInfo) {
    own.count += other.count;
    let new: Vec<Kind> =
        other.kinds.iter().filter(|kind| !own.kinds.contains(kind)).copied().collect();
    own.kinds.extend(new);
}
