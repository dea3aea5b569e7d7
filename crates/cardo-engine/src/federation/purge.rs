//! Purges at context sources (clause 5.6.21.4).

use cardo_model::Iri;
use cardo_query::Filter;
use futures_util::future::join_all;

use super::narrow::requests;
use super::operations::SourceOperation;
use super::parcel::{Part, PartFault, Written};
use super::question::Question;
use super::registration::Mode;
use super::sources::{SourceFault, SourceRequest};
use super::wanted::{Looking, Wanted};
use crate::caller::Caller;
use crate::engine::Engine;
use crate::query::QueryError;

/// What is taken of the entities that are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purge {
    /// The entities.
    Entities,
    /// These attributes of them.
    Drop(Vec<Iri>),
    /// All attributes but these.
    Keep(Vec<Iri>),
}

impl Engine {
    /// Purges at the sources that may have what meets the filter, and are registered for that. The
    /// twin's own entities stay.
    pub async fn purge_sources(
        &self,
        caller: &Caller,
        filter: &Filter,
        purge: &Purge,
    ) -> Result<Vec<Part>, QueryError> {
        let Some(forwarding) = caller.reach.forwarding() else { return Ok(Vec::new()) };
        let registrations = self.inner.twin(&caller.twin).await?.registrations();
        if registrations.is_empty() {
            return Ok(Vec::new());
        }
        let question = Question::of(filter);
        let wanted = Wanted {
            entities: question.entities.clone(),
            geo: question.geo.clone(),
            scope: question.scope.clone(),
            source: forwarding.asked.sources.clone(),
            encountered: forwarding.passed.clone(),
            looking: Looking::ForInformation,
            ..Wanted::to(SourceOperation::PurgeEntity, (self.inner.options.clock)())
        };
        let mut matches = registrations.matching(&wanted);
        matches.retain(|found| found.registration.mode != Mode::Auxiliary);
        let mut asked: Vec<(bool, SourceRequest<'_>)> = Vec::new();
        for found in &matches {
            let operation = SourceOperation::PurgeEntity;
            let own = requests(found, &question, forwarding, operation, usize::MAX);
            // What it cannot judge would purge too much.
            let told = |request: &SourceRequest<'_>| is_whole(&request.filter, &question);
            asked.extend(own.into_iter().map(|request| (told(&request), request)));
        }
        let port = self.inner.context_sources();
        let sent = asked.iter().map(async |(is_told, request)| {
            let written = match &port {
                _ if forwarding.is_loop() => Err(SourceFault::Loop.into()),
                _ if !is_told => Err(PartFault::NotTaken),
                Some(port) => {
                    let purge = within(purge, request);
                    port.purge(request, &question.attributes, &purge).await.map_err(Into::into)
                }
                None => Err(SourceFault::Silent("this server asks no sources".into()).into()),
            };
            part(request, written)
        });
        Ok(join_all(sent).await)
    }
}

/// Whether a source is told every condition.
fn is_whole(told: &Filter, question: &Question) -> bool {
    let all = question.rest.iter().cloned().fold(Filter::True, Filter::and);
    *told == all
}

/// Of a source of some attributes, no more is taken than those (clause 4.3.6.1).
fn within(purge: &Purge, request: &SourceRequest<'_>) -> Purge {
    let own = &request.attributes;
    if own.is_empty() {
        return purge.clone();
    }
    Purge::Drop(match purge {
        Purge::Entities => own.clone(),
        Purge::Drop(names) => names.iter().filter(|name| own.contains(name)).cloned().collect(),
        Purge::Keep(names) => own.iter().filter(|name| !names.contains(name)).cloned().collect(),
    })
}

fn part(request: &SourceRequest<'_>, result: Result<Written, PartFault>) -> Part {
    let registration = request.registration;
    Part {
        registration: registration.id.clone(),
        is_proxied: registration.mode.is_proxied(),
        attributes: request.attributes.clone(),
        result,
    }
}
