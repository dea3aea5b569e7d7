//! The port of the engine to context sources that speak NGSI-LD over HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use cardo_egress::{Gate, Response, StatusCode};
use cardo_engine::{
    ContextSources, Registration, SourceEntities, SourceFault, SourceOperation, SourceRequest,
};
use cardo_model::TwinId;

use super::answer;
use super::read::{Page, Written};
use super::sender::{Sender, Sending};
use crate::contexts::{Contexts, Place};
use crate::represent::Naming;

/// How many pages are read of one source at the most.
const MOST_PAGES: usize = 200;

/// Asks context sources through the egress gate.
pub(crate) struct Sources {
    sender: Sender,
    contexts: Arc<Contexts>,
    twin: TwinId,
}

impl Sources {
    pub(crate) fn new(gate: Gate, contexts: Arc<Contexts>) -> Self {
        Self { sender: Sender::new(gate), contexts, twin: TwinId::default() }
    }

    /// The context by whose terms a source is asked: that which its registration names, else that of
    /// the request (clause 4.3.6.6). Where it is not to be had, full names serve.
    async fn naming(&self, request: &SourceRequest<'_>) -> Arc<Naming> {
        let own = of_registration(request.registration);
        let url = own.or(request.forwarding.context.as_deref());
        let Some(url) = url else { return self.contexts.core().clone() };
        let place = Place { twin: &self.twin, parts: None };
        match self.contexts.naming(place, url).await {
            Ok(naming) => naming,
            Err(error) => {
                tracing::debug!(%error, "a source is asked by full names");
                self.contexts.core().clone()
            }
        }
    }

    async fn exchange(
        &self,
        request: &SourceRequest<'_>,
        naming: &Naming,
        written: Written,
    ) -> Result<Option<Response>, SourceFault> {
        let context = naming.context().link().map(|url| url.as_ref().into());
        let Written { method, path, body } = written;
        let sending = Sending { method, path, body, context };
        let response = self.sender.send(request.registration, request.forwarding, sending).await?;
        match response.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(response)),
            status => Err(SourceFault::Refused {
                status: status.as_u16(),
                detail: answer::detail(&response.body),
            }),
        }
    }

    /// One entity by its id.
    async fn one(&self, request: &SourceRequest<'_>) -> Result<SourceEntities, SourceFault> {
        let naming = self.naming(request).await;
        let mut found = SourceEntities::default();
        for id in &request.entities.ids {
            let written = Written::retrieve(request, &naming, id);
            if let Some(response) = self.exchange(request, &naming, written).await? {
                self.take(&mut found, &response, &naming).await?;
            }
        }
        Ok(found)
    }

    /// Pages of entities, as many as are wanted.
    async fn many(&self, request: &SourceRequest<'_>) -> Result<SourceEntities, SourceFault> {
        let naming = self.naming(request).await;
        let mut found = SourceEntities::default();
        let mut page = Page::first(request.most);
        for _ in 0..MOST_PAGES {
            let written = match request.operation {
                SourceOperation::QueryBatch => Written::batch(request, &naming, page),
                _ => Written::query(request, &naming, page),
            };
            let response = match self.exchange(request, &naming, written).await {
                Ok(Some(response)) => response,
                Ok(None) => return Ok(found),
                // A source may not answer with pages as large as that.
                Err(SourceFault::Refused { status: 400 | 403 | 422, .. }) if page.can_shrink() => {
                    page.shrink();
                    continue;
                }
                Err(fault) => return Err(fault),
            };
            let before = found.entities.len();
            let is_again = self.take(&mut found, &response, &naming).await?;
            let came = found.entities.len() - before;
            // A source that knows no pages gives the first one again.
            if is_again || came < page.limit {
                found.entities.truncate(if is_again { before } else { found.entities.len() });
                return Ok(found);
            }
            if found.entities.len() >= request.most {
                break;
            }
            page.offset += page.limit;
        }
        found.is_cut = true;
        found.entities.truncate(request.most);
        Ok(found)
    }

    /// Takes the entities of an answer in; whether they begin like those before.
    async fn take(
        &self,
        found: &mut SourceEntities,
        response: &Response,
        naming: &Arc<Naming>,
    ) -> Result<bool, SourceFault> {
        let place = Place { twin: &self.twin, parts: None };
        let (entities, bad) = answer::entities(&self.contexts, place, response, naming).await?;
        let first = |entities: &[cardo_engine::SourceEntity]| {
            entities.first().map(|one| one.entity.id.clone())
        };
        let is_again = first(&entities).is_some() && first(&entities) == first(&found.entities);
        found.entities.extend(entities);
        found.revision = answer::revision(&response.headers).or(found.revision);
        found.warnings.extend(answer::warnings(&response.headers));
        found.unusable += bad;
        Ok(is_again)
    }
}

#[async_trait]
impl ContextSources for Sources {
    async fn entities(&self, request: &SourceRequest<'_>) -> Result<SourceEntities, SourceFault> {
        match request.operation {
            SourceOperation::RetrieveEntity => self.one(request).await,
            _ => self.many(request).await,
        }
    }
}

/// `jsonldContext` of `contextSourceInfo` (clause 4.3.6.6).
fn of_registration(registration: &Registration) -> Option<&str> {
    let mut info = registration.source_info.iter();
    let own = info.find(|(key, _)| key.eq_ignore_ascii_case("jsonldContext"));
    own.map(|(_, value)| &**value)
}
