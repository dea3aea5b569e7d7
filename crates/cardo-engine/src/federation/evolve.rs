//! Histories completed by what registered sources hold (clauses 5.7.3.4 and 5.7.4.4): their instances
//! are lines of a history like those of the store.

use std::collections::HashMap;

use cardo_model::{
    Entity, EntityId, Iri, NameId, Record, RecordHeader, Revision, Seq, Timestamp, encode_instance,
};
use cardo_query::{Filter, TemporalProperty, TemporalRange, TimeRelation};
use futures_util::future::BoxFuture;

use super::asking::in_turns;
use super::gather::BEHIND;
use super::index::Registrations;
use super::matching::Match;
use super::narrow::{all_requests, is_of, may_be_of};
use super::operations::SourceOperation;
use super::question::Question;
use super::reach::{AskedBy, Forwarding};
use super::registration::Mode;
use super::sources::{
    Contributed, Contribution, Contributions, SourceEvolution, SourceEvolutions, SourceFault,
    SourceRequest,
};
use super::wanted::Wanted;
use crate::caller::Caller;
use crate::engine::Inner;
use crate::history::{HistoryRequest, moment, moment_of};
use crate::ports::{HistoryEvent, HistoryRow, Tells};
use crate::query::QueryError;

/// The revision of lines of history that are not of this server.
pub const OF_SOURCES: Revision = BEHIND;

/// A line of history as a source tells it.
#[derive(Clone, Debug)]
pub(crate) struct FarRow {
    row: HistoryRow,
    is_auxiliary: bool,
    /// The number of the source, where it has told of a part of the range of time.
    part: Option<usize>,
}

/// What sources tell of the past.
#[derive(Debug, Default)]
pub(crate) struct FarHistories {
    pub(crate) contributions: Option<Contributions>,
    /// The entities, in the order in which they came.
    pub(crate) ids: Vec<EntityId>,
    rows: HashMap<EntityId, Vec<FarRow>>,
}

impl FarHistories {
    /// The lines of one entity.
    pub(crate) fn of(&self, id: &EntityId) -> &[FarRow] {
        self.rows.get(id).map_or(&[], Vec::as_slice)
    }

    /// Whether something was left out.
    pub(crate) fn is_cut(&self) -> bool {
        let mut outcomes = self.contributions.iter().flat_map(|all| all.iter());
        outcomes.any(|one| matches!(one.outcome, Ok(Contributed { is_cut: true, .. })))
    }

    /// Up to which moment all sources have told what they know, counted in the direction of the pages;
    /// none where they have told all.
    pub(crate) fn reach(&self, request: &HistoryRequest) -> Option<i64> {
        let mut last: HashMap<usize, i64> = HashMap::new();
        for FarRow { row, part, .. } in self.rows.values().flatten() {
            let Some(part) = part.filter(|_| is_placed(row)) else { continue };
            let moment = moment_of(row, request, request.last.is_some());
            last.entry(part).and_modify(|known| *known = moment.max(*known)).or_insert(moment);
        }
        last.into_values().min()
    }

    fn take(
        &mut self,
        inner: &Inner,
        found: SourceEvolution,
        (is_auxiliary, part): (bool, Option<usize>),
    ) {
        let id = found.id.clone();
        let known = self.rows.entry(id.clone()).or_insert_with(|| {
            self.ids.push(id);
            Vec::new()
        });
        let before = known.len();
        let rows = rows_of(inner, found, before);
        known.extend(rows.into_iter().map(|row| FarRow { row, is_auxiliary, part }));
    }
}

/// Whether a line tells of a moment, and not of types and scopes.
fn is_placed(row: &HistoryRow) -> bool {
    matches!(row.event, HistoryEvent::Instance { .. } | HistoryEvent::InstanceDeleted { .. })
}

/// Puts the lines of sources to those of the twin (clause 4.5.5): of two of one attribute, dataset
/// and moment the one that was written last stays, and auxiliary sources only add moments.
pub(crate) fn settle(
    rows: &mut Vec<HistoryRow>,
    far: &[FarRow],
    property: Option<TemporalProperty>,
) {
    let property = property.unwrap_or_default();
    let mut known: HashMap<Place<'_>, usize> = HashMap::new();
    let mut kept: Vec<&FarRow> = Vec::new();
    let mut own = vec![true; rows.len()];
    let places: Vec<Option<Place<'_>>> = rows.iter().map(|row| place(row, property)).collect();
    for (at, place) in places.iter().enumerate() {
        if let Some(place) = place {
            known.insert(*place, at);
        }
    }
    let twin = rows.len();
    let ordered = far.iter().filter(|row| !row.is_auxiliary);
    for row in ordered.chain(far.iter().filter(|row| row.is_auxiliary)) {
        let Some(place) = place(&row.row, property) else {
            kept.push(row);
            continue;
        };
        match known.get(&place).copied() {
            None => {
                known.insert(place, twin + kept.len());
                kept.push(row);
            }
            Some(_) if row.is_auxiliary => {}
            Some(at) => {
                let other = if at < twin { &rows[at] } else { &kept[at - twin].row };
                if written(&row.row) <= written(other) {
                    continue;
                }
                if at < twin {
                    own[at] = false;
                    known.insert(place, twin + kept.len());
                    kept.push(row);
                } else {
                    kept[at - twin] = row;
                }
            }
        }
    }
    let more: Vec<HistoryRow> = kept.into_iter().map(|row| row.row.clone()).collect();
    let mut own = own.into_iter();
    rows.retain(|_| own.next().unwrap_or(true));
    rows.extend(more);
}

type Place<'a> = (NameId, Option<&'a str>, Timestamp);

fn place(row: &HistoryRow, property: TemporalProperty) -> Option<Place<'_>> {
    let HistoryEvent::Instance { name, instance } = &row.event else { return None };
    let moment = moment(row, property)?;
    let dataset = cardo_model::InstanceRef::from_bytes(instance)?.dataset_id();
    Some((*name, dataset, moment))
}

fn written(row: &HistoryRow) -> Option<Timestamp> {
    let HistoryEvent::Instance { instance, .. } = &row.event else { return None };
    cardo_model::InstanceRef::from_bytes(instance).map(|instance| instance.modified_at())
}

impl Inner {
    /// What sources tell of the past of entities that meet a condition.
    pub(crate) async fn gather_histories(
        self: &std::sync::Arc<Self>,
        caller: &Caller,
        filter: &Filter,
        most: usize,
    ) -> Result<FarHistories, QueryError> {
        let mut far = FarHistories::default();
        let Some(forwarding) = caller.reach.forwarding() else { return Ok(far) };
        // Whom a view shows a part only, nothing is told that could not be judged.
        if caller.view.restriction().is_some() {
            return Ok(far);
        }
        let registrations = self.twin(&caller.twin).await?.registrations();
        if registrations.is_empty() {
            return Ok(far);
        }
        let question = Question::of(filter);
        let matches = self.sources_of_the_past(&registrations, &question, forwarding);
        if matches.is_empty() {
            return Ok(far);
        }
        let asked = all_requests(&matches, &question, forwarding, most)?;
        let asking = self.asking(forwarding);
        let mut answers: Vec<BoxFuture<'_, _>> = Vec::with_capacity(asked.len());
        for request in &asked {
            let registration = request.registration;
            answers.push(Box::pin(asking.ask(registration, |port| port.evolutions(request))));
        }
        let answers = in_turns(answers).await;
        let mut contributions = Vec::with_capacity(asked.len());
        for (number, (request, answer)) in asked.iter().zip(answers).enumerate() {
            let part = answer.as_ref().is_ok_and(|answer| answer.is_part).then_some(number);
            let (contribution, evolutions) = sorted(request, answer);
            contributions.push(contribution);
            self.learn_names_of(&evolutions).await?;
            let is_auxiliary = request.registration.mode == Mode::Auxiliary;
            for evolution in evolutions {
                far.take(self, evolution, (is_auxiliary, part));
            }
        }
        far.contributions = Some(contributions.into());
        Ok(far)
    }

    /// Sources that may know of the past: those whose interval meets the range of time, and those
    /// that name no interval but the operation.
    pub(super) fn sources_of_the_past(
        &self,
        registrations: &Registrations,
        question: &Question,
        forwarding: &Forwarding,
    ) -> Vec<(Match, SourceOperation)> {
        use SourceOperation::{CreateEntityMapQueryTemporal, QueryTemporal, RetrieveTemporal};
        let asked = &forwarding.asked;
        let always = TemporalRange {
            property: TemporalProperty::ObservedAt,
            relation: TimeRelation::After(Timestamp::MIN),
        };
        let wanted = question.wanted(forwarding, (self.options.clock)());
        let mut found = registrations
            .matching(&Wanted { time: Some(asked.time.unwrap_or(always)), ..wanted.clone() });
        found.extend(registrations.matching(&wanted));
        let preferred: &[SourceOperation] = match asked.by {
            AskedBy::Id => &[RetrieveTemporal, QueryTemporal],
            AskedBy::Query | AskedBy::Batch => &[QueryTemporal],
            AskedBy::Map => &[CreateEntityMapQueryTemporal, QueryTemporal],
        };
        found.retain(|found| asked.may_ask(&found.registration));
        let operation = |found: &Match| {
            let known = found.registration.operations;
            preferred.iter().copied().find(|operation| known.contains(*operation))
        };
        found.into_iter().filter_map(|found| operation(&found).map(|op| (found, op))).collect()
    }

    async fn learn_names_of(&self, evolutions: &[SourceEvolution]) -> Result<(), QueryError> {
        let mut names: Vec<Iri> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for evolution in evolutions {
            let mut visit = |name: &Iri| {
                if seen.insert(name.clone()) {
                    names.push(name.clone());
                }
            };
            evolution.types.iter().for_each(&mut visit);
            evolution.attributes.iter().for_each(|attribute| attribute.names(&mut visit));
        }
        Ok(self.learn_of_sources(&names).await?)
    }
}

/// What an answer gives of what was asked for.
fn sorted(
    request: &SourceRequest<'_>,
    answer: Result<SourceEvolutions, SourceFault>,
) -> (Contribution, Vec<SourceEvolution>) {
    let mut warnings = Vec::new();
    let mut fitting = Vec::new();
    let (mut entity_map, mut mapped) = (None, Vec::new());
    let outcome = answer.map(|answer| {
        warnings = answer.warnings;
        entity_map = answer.entity_map;
        mapped = answer.mapped;
        let entities = answer.evolutions.len();
        for mut one in answer.evolutions {
            if !is_of(request, one.id.as_str(), &one.types) {
                continue;
            }
            if !request.attributes.is_empty() {
                one.attributes.retain(|attribute| request.attributes.contains(&attribute.name));
            }
            fitting.push(one);
        }
        let unusable = answer.unusable + entities - fitting.len();
        Contributed { entities, unusable, revision: answer.revision, is_cut: answer.is_cut }
    });
    let registration = request.registration.id.clone();
    mapped.retain(|id| may_be_of(request, id.as_str()));
    let ids = fitting.iter().map(|one| one.id.clone()).chain(mapped).collect();
    (Contribution { registration, outcome, ids, warnings, entity_map }, fitting)
}

/// The lines of a history: types and scopes, and an instance each.
fn rows_of(inner: &Inner, found: SourceEvolution, before: usize) -> Vec<HistoryRow> {
    let mut id_of = |name: Iri| inner.names.id_or_unknown(name.as_str());
    let mut ordinal = u32::try_from(before).unwrap_or(u32::MAX);
    let SourceEvolution { id, types, scopes, attributes, created_at, modified_at } = found;
    let mut rows = Vec::new();
    let mut row = |event, time| {
        ordinal = ordinal.saturating_add(1);
        HistoryRow {
            entity: id.clone(),
            event,
            time,
            revision: BEHIND,
            ordinal,
            written: time,
            tells: Tells::History,
        }
    };
    let types: Vec<NameId> =
        types.into_iter().map(&mut id_of).filter(|name| *name != NameId::UNKNOWN).collect();
    let header = RecordHeader {
        seq: Seq::new(BEHIND, 0),
        created_at: created_at.unwrap_or(Timestamp::MIN),
        modified_at: modified_at.unwrap_or(Timestamp::MIN),
        revision: BEHIND,
    };
    let head = |scopes| {
        let (id, types) = (id.clone(), types.clone());
        let entity = Entity { id, types, scopes, attributes: Vec::new(), expires_at: None };
        HistoryEvent::Head(Record::encode(&entity, header))
    };
    for (since, scopes) in scopes {
        rows.push(row(head(scopes), since.or(modified_at).unwrap_or(Timestamp::MIN)));
    }
    rows.push(row(head(Vec::new()), Timestamp::MIN));
    for attribute in attributes {
        let name = id_of(attribute.name);
        if name == NameId::UNKNOWN {
            continue;
        }
        for instance in attribute.instances {
            if instance.value.is_null() {
                let (dataset_id, time) = (instance.dataset_id, instance.modified_at);
                rows.push(row(HistoryEvent::InstanceDeleted { name, dataset_id }, time));
                continue;
            }
            let time = instance.observed_at.unwrap_or(instance.modified_at);
            let instance = encode_instance(&instance.map_names(&mut id_of));
            rows.push(row(HistoryEvent::Instance { name, instance }, time));
        }
    }
    rows
}
