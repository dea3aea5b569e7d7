//! Purges at context sources (clause 5.6.21.4).

use cardo_model::Iri;
use cardo_query::Filter;
use futures_util::future::BoxFuture;

use super::asking::{Asking, in_turns};
use super::narrow::all_requests;
use super::operations::SourceOperation;
use super::parcel::{Part, PartFault};
use super::question::Question;
use super::registration::Mode;
use super::sources::SourceRequest;
use super::wanted::Wanted;
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
        let operation = SourceOperation::PurgeEntity;
        let wanted = question.wanted(forwarding, (self.inner.options.clock)());
        let wanted = Wanted { operation: Some(operation), ..wanted };
        let mut matches = registrations.matching(&wanted);
        matches.retain(|found| found.registration.mode != Mode::Auxiliary);
        let matches: Vec<_> = matches.into_iter().map(|found| (found, operation)).collect();
        let asked = all_requests(&matches, &question, forwarding, usize::MAX)?;
        let asking = self.inner.asking(forwarding);
        let mut sending: Vec<BoxFuture<'_, Part>> = Vec::with_capacity(asked.len());
        for request in &asked {
            sending.push(Box::pin(purge_one(&asking, request, &question, purge)));
        }
        Ok(in_turns(sending).await)
    }
}

async fn purge_one(
    asking: &Asking<'_>,
    request: &SourceRequest<'_>,
    question: &Question,
    purge: &Purge,
) -> Part {
    let (registration, purge) = (request.registration, within(purge, request));
    // What a source cannot judge would purge too much.
    let result = if is_whole(&request.filter, question) {
        let having = &question.attributes;
        let purged = asking.ask(registration, |port| port.purge(request, having, &purge)).await;
        purged.map_err(PartFault::from)
    } else {
        Err(PartFault::NotTaken)
    };
    Part {
        registration: registration.id.clone(),
        is_proxied: registration.mode.is_proxied(),
        attributes: request.attributes.clone(),
        result,
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
