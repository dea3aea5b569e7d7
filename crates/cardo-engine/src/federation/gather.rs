//! A read completed by what registered sources hold (clauses 5.7.1.4 and 5.7.2.4): the entities that
//! they give are merged into a root of the one call, which then answers like any other.

use std::collections::HashMap;
use std::sync::Arc;

use cardo_model::{
    Attribute, EntityId, Instance, Iri, NameId, Record, RecordHeader, Revision, Seq, Timestamp,
};
use cardo_query::Filter;
use futures_util::future::BoxFuture;
use hashbrown::HashSet;

use super::asking::in_turns;
use super::index::Registrations;
use super::matching::Match;
use super::merge::{Version, merge};
use super::narrow::{all_requests, is_of, may_be_of, operation};
use super::operations::SourceOperation;
use super::question::Question;
use super::reach::Forwarding;
use super::registration::Mode;
use super::sources::{
    Contributed, Contribution, Contributions, SourceEntities, SourceEntity, SourceFault,
    SourceRequest,
};
use crate::caller::Caller;
use crate::engine::Inner;
use crate::live::Root;
use crate::query::QueryError;
use crate::snapshot::Snapshot;

/// Entities of sources stand behind all of the twin in the order of creation.
pub(crate) const BEHIND: Revision = Revision(1 << 43);

/// What sources gave of the entities that are asked for.
pub(crate) struct Gathered {
    pub(crate) contributions: Contributions,
    found: Vec<Found>,
}

struct Found {
    entity: SourceEntity,
    is_auxiliary: bool,
}

impl Gathered {
    /// What was gathered, and parts of entities that are known already.
    pub(crate) fn with(gathered: Option<Self>, told: Vec<SourceEntity>) -> Self {
        let nothing = || Self { contributions: Contributions::default(), found: Vec::new() };
        let mut gathered = gathered.unwrap_or_else(nothing);
        gathered.found.extend(told.into_iter().map(|entity| Found { entity, is_auxiliary: false }));
        gathered
    }

    /// Whether a source has more than it was asked for.
    pub(crate) fn is_cut(&self) -> bool {
        let mut outcomes = self.contributions.iter().map(|one| &one.outcome);
        outcomes.any(|outcome| matches!(outcome, Ok(Contributed { is_cut: true, .. })))
    }
}

impl Inner {
    /// The sources that may have what is asked for, each with the operation it is asked by.
    pub(crate) fn sources_of(
        &self,
        registrations: &Registrations,
        question: &Question,
        forwarding: &Forwarding,
    ) -> Vec<(Match, SourceOperation)> {
        let asked = &forwarding.asked;
        let wanted = question.wanted(forwarding, (self.options.clock)());
        let found = registrations.matching(&wanted).into_iter();
        found
            .filter(|found| asked.may_ask(&found.registration))
            .filter_map(|found| {
                let operation = operation(&found.registration, asked.by)?;
                Some((found, operation))
            })
            .collect()
    }

    /// Asks sources for at most so many entities each; `None` where there is none to ask.
    pub(crate) async fn gather(
        self: &Arc<Self>,
        caller: &Caller,
        filter: &Filter,
        most: usize,
    ) -> Result<Option<Gathered>, QueryError> {
        let Some(forwarding) = caller.reach.forwarding() else { return Ok(None) };
        let registrations = self.twin(&caller.twin).await?.registrations();
        if registrations.is_empty() {
            return Ok(None);
        }
        let question = Question::of(filter);
        let matches = self.sources_of(&registrations, &question, forwarding);
        if matches.is_empty() || question.rest.contains(&Filter::False) {
            return Ok(None);
        }
        let asked = all_requests(&matches, &question, forwarding, most)?;
        let asking = self.asking(forwarding);
        let mut answers: Vec<BoxFuture<'_, _>> = Vec::with_capacity(asked.len());
        for request in &asked {
            let registration = request.registration;
            answers.push(Box::pin(asking.ask(registration, |port| port.entities(request))));
        }
        let answers = in_turns(answers).await;
        Ok(Some(sorted(&asked, answers)))
    }

    /// The twin of a snapshot with what was gathered.
    pub(crate) async fn with_gathered(
        &self,
        snapshot: &Snapshot,
        gathered: Gathered,
    ) -> Result<Snapshot, QueryError> {
        let Gathered { contributions, found } = gathered;
        let found = self.known_names(found).await?;
        let now = (self.options.clock)();
        let mut root = None;
        for (ordinal, (id, [versions, auxiliary])) in by_entity(found).into_iter().enumerate() {
            let root = root.get_or_insert_with(|| Root::clone(&snapshot.root));
            let ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
            put(root, &id, versions, auxiliary, (now, ordinal));
        }
        let root = root.map_or_else(|| snapshot.root.clone(), Arc::new);
        Ok(Snapshot { root, contributions: Some(contributions), ..snapshot.clone() })
    }

    /// Gives names of sources their ids, within a share of what a store may hold.
    async fn known_names(&self, found: Vec<Found>) -> Result<Vec<(Version, bool)>, QueryError> {
        let mut unknown: Vec<Iri> = Vec::new();
        let mut seen: HashSet<Iri> = HashSet::new();
        for one in &found {
            one.entity.entity.names(&mut |name: &Iri| {
                if self.names.id(name.as_str()).is_none() && seen.insert(name.clone()) {
                    unknown.push(name.clone());
                }
            });
        }
        self.learn_of_sources(&unknown).await?;
        let mut id_of = |name: Iri| self.names.id_or_unknown(name.as_str());
        let version = |found: Found| {
            let SourceEntity { entity, created_at, modified_at } = found.entity;
            let mut entity = entity.map_names(&mut id_of);
            entity.attributes.retain(|attribute| attribute.name != NameId::UNKNOWN);
            entity.types.retain(|name| *name != NameId::UNKNOWN);
            let version = Version { entity, created_at, modified_at };
            (!version.entity.types.is_empty()).then_some((version, found.is_auxiliary))
        };
        Ok(found.into_iter().filter_map(version).collect())
    }
}

/// Sorts answers by sources, without what was not asked for.
fn sorted(
    asked: &[SourceRequest<'_>],
    answers: Vec<Result<SourceEntities, SourceFault>>,
) -> Gathered {
    let mut contributions: Vec<Contribution> = Vec::new();
    let mut all: Vec<Found> = Vec::new();
    for (request, answer) in asked.iter().zip(answers) {
        let registration = request.registration;
        let before = all.len();
        let mut warnings = Vec::new();
        let (mut entity_map, mut mapped) = (None, Vec::new());
        let outcome = answer.map(|answer| {
            warnings = answer.warnings;
            entity_map = answer.entity_map;
            mapped = answer.mapped;
            let mut contributed = Contributed {
                entities: answer.entities.len(),
                unusable: answer.unusable,
                revision: answer.revision,
                is_cut: answer.is_cut,
            };
            let is_auxiliary = registration.mode == Mode::Auxiliary;
            let fitting = answer.entities.into_iter().filter_map(|one| fitting(request, one));
            all.extend(fitting.map(|entity| Found { entity, is_auxiliary }));
            contributed.unusable += contributed.entities - (all.len() - before);
            contributed
        });
        mapped.retain(|id| may_be_of(request, id.as_str()));
        let ids = all[before..].iter().map(|found| found.entity.entity.id.clone());
        let ids = ids.chain(mapped).collect();
        let registration = registration.id.clone();
        let contribution = Contribution { registration, outcome, ids, warnings, entity_map };
        contributions.push(contribution);
    }
    Gathered { contributions: contributions.into(), found: all }
}

/// An entity without attributes that were not asked for; `None` where it was not asked for itself.
fn fitting(request: &SourceRequest<'_>, mut one: SourceEntity) -> Option<SourceEntity> {
    let entity = &mut one.entity;
    if !is_of(request, entity.id.as_str(), &entity.types) {
        return None;
    }
    if !request.attributes.is_empty() {
        entity.attributes.retain(|attribute| request.attributes.contains(&attribute.name));
    }
    let datasets = &request.registration.datasets;
    if !datasets.is_empty() {
        let is_registered = |instance: &Instance| {
            let dataset = instance.dataset_id.as_ref().map_or("@none", Iri::as_str);
            datasets.iter().any(|own| &**own == dataset)
        };
        entity.attributes.iter_mut().for_each(|a| a.instances.retain(is_registered));
        entity.attributes.retain(|attribute: &Attribute| !attribute.instances.is_empty());
    }
    Some(one)
}

/// The versions of each entity, those of auxiliary sources apart, in the order in which they came.
fn by_entity(found: Vec<(Version, bool)>) -> Vec<(EntityId, [Vec<Version>; 2])> {
    let mut places: HashMap<EntityId, usize> = HashMap::new();
    let mut all: Vec<(EntityId, [Vec<Version>; 2])> = Vec::new();
    for (version, is_auxiliary) in found {
        let id = version.entity.id.clone();
        let place = *places.entry(id.clone()).or_insert_with(|| {
            all.push((id, Default::default()));
            all.len() - 1
        });
        all[place].1[usize::from(is_auxiliary)].push(version);
    }
    all
}

fn put(
    root: &mut Root,
    id: &EntityId,
    mut versions: Vec<Version>,
    auxiliary: Vec<Version>,
    (now, ordinal): (Timestamp, u32),
) {
    let slot = root.slot(id.as_str());
    let local = slot.and_then(|slot| root.record(slot)).cloned();
    if let Some(local) = &local {
        let view = local.view();
        versions.insert(
            0,
            Version {
                entity: view.decode(),
                created_at: Some(view.created_at()),
                modified_at: Some(view.modified_at()),
            },
        );
    }
    let Some(Version { entity, created_at, modified_at }) = merge(versions, auxiliary, now) else {
        return;
    };
    let header = match &local {
        Some(local) => local.view().header(),
        None => RecordHeader {
            seq: Seq::new(BEHIND, ordinal),
            created_at: Timestamp::MIN,
            modified_at: Timestamp::MIN,
            revision: Revision(0),
        },
    };
    let header = RecordHeader {
        created_at: created_at.unwrap_or(header.created_at),
        modified_at: modified_at.unwrap_or(header.modified_at),
        ..header
    };
    let record = Record::encode(&entity, header);
    match slot {
        Some(slot) => root.replace(slot, record),
        None => root.create(record),
    }
}
