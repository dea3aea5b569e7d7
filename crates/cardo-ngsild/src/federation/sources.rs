//! The port of the engine to context sources that speak NGSI-LD over HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use cardo_egress::{Gate, Response, StatusCode};
use cardo_engine::{
    ContextSources, Forwarding, Purge, Registration, SourceEntities, SourceEntity, SourceEvolution,
    SourceEvolutions, SourceFault, SourceOperation, SourceRequest, SourceTypes, SourceWrite,
    Written,
};
use cardo_model::{EntityId, Iri, Timestamp, TwinId};

use super::answer::{self, OfSource};
use super::discovered::discovered;
use super::read::{Page, Written as Request, asks_for_map};
use super::sender::{Sender, Sending, told};
use super::write::result_of_one;
use crate::contexts::{Contexts, Place};
use crate::represent::Naming;

/// How many pages are read of one source at the most.
const MOST_PAGES: usize = 200;

/// Asks context sources through the egress gate.
pub(crate) struct Sources {
    pub(super) sender: Sender,
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
        self.terms(request.registration, request.forwarding).await
    }

    pub(super) async fn terms(
        &self,
        registration: &Registration,
        forwarding: &Forwarding,
    ) -> Arc<Naming> {
        let own = told(registration, "jsonldContext");
        let url = own.or(forwarding.context.as_deref());
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

    /// Sends what is no question; whether the source has done it. What it has refused is not tried
    /// again, and counts as decided.
    pub(crate) async fn send(
        &self,
        registration: &Registration,
        forwarding: &Forwarding,
        sending: Sending,
    ) -> Sent {
        let sent = match self.sender.send(registration, forwarding, sending).await {
            Ok(response) if response.status.is_success() => Sent::Done,
            Ok(response) if response.status.is_server_error() => Sent::Later,
            Ok(_) => Sent::Refused,
            Err(_) => Sent::Later,
        };
        registration.progress.count(Timestamp::now(), sent == Sent::Done);
        sent
    }

    async fn exchange(
        &self,
        request: &SourceRequest<'_>,
        naming: &Naming,
        written: Request,
    ) -> Result<Exchanged, SourceFault> {
        let context = naming.context().link().map(|url| url.as_ref().into());
        let Request { method, path, body } = written;
        let sending = Sending { method, path, body, context, is_inline: false };
        let response = self.sender.send(request.registration, request.forwarding, sending).await?;
        match response.status {
            StatusCode::NOT_FOUND => Ok(Exchanged::Nothing(answer::warnings(&response.headers))),
            status if status.is_success() => Ok(Exchanged::Answer(response)),
            status => Err(SourceFault::Refused {
                status: status.as_u16(),
                detail: answer::detail(&response.body),
            }),
        }
    }

    /// What a source says of each id.
    async fn one_by_one<T: OfSource + HasId>(
        &self,
        request: &SourceRequest<'_>,
        write: impl Fn(&SourceRequest<'_>, &Naming, &EntityId) -> Request,
    ) -> Result<Found<T>, SourceFault> {
        let naming = self.naming(request).await;
        let mut found = Found::default();
        for id in &request.entities.ids {
            let written = write(request, &naming, id);
            let response = match self.exchange(request, &naming, written).await {
                // A source may know nothing of entity maps.
                Err(SourceFault::Refused { status: 400 | 501, .. }) if asks_for_map(request) => {
                    let mut forwarding = request.forwarding.clone();
                    forwarding.asked.maps.are_wanted = false;
                    let request = SourceRequest { forwarding: &forwarding, ..request.clone() };
                    let written = write(&request, &naming, id);
                    self.exchange(&request, &naming, written).await?
                }
                response => response?,
            };
            match response {
                Exchanged::Answer(response) => {
                    self.take(&mut found, &response, &naming).await?;
                }
                Exchanged::Nothing(warnings) => found.warnings.extend(warnings),
            }
        }
        Ok(found)
    }

    /// Has a source fix which entities there are; none where it does not.
    async fn mapped(&self, request: &SourceRequest<'_>, is_past: bool) -> Option<Mapped> {
        let naming = self.naming(request).await;
        let written = Request::map(request, &naming, is_past);
        let exchanged = self.exchange(request, &naming, written).await.ok()?;
        let Exchanged::Answer(response) = exchanged else { return None };
        let (id, ids) = answer::mapped(&response.body)?;
        let revision = answer::revision(&response.headers);
        let warnings = answer::warnings(&response.headers);
        Some(Mapped { id, ids, revision, warnings })
    }

    /// Pages of a source, as many as are wanted.
    async fn page_by_page<T: OfSource + HasId>(
        &self,
        request: &SourceRequest<'_>,
        write: impl Fn(&SourceRequest<'_>, &Naming, Page) -> Request,
    ) -> Result<Found<T>, SourceFault> {
        let naming = self.naming(request).await;
        let mut found = Found::default();
        let mut page = Page::first(request.most);
        for _ in 0..MOST_PAGES {
            let written = write(request, &naming, page);
            let response = match self.exchange(request, &naming, written).await {
                Ok(Exchanged::Answer(response)) => response,
                Ok(Exchanged::Nothing(warnings)) => {
                    found.warnings.extend(warnings);
                    return Ok(found);
                }
                // A source may not answer with pages as large as that.
                Err(SourceFault::Refused { status: 400 | 403 | 422, .. }) if page.can_shrink() => {
                    page.shrink();
                    continue;
                }
                Err(fault) => return Err(fault),
            };
            let before = found.items.len();
            // A source that knows no pages gives the first one again.
            if self.take(&mut found, &response, &naming).await? {
                found.items.truncate(before);
                return Ok(found);
            }
            let came = found.items.len() - before;
            // A source may have pages that are smaller than what it is asked for.
            if came == 0 || (came < page.limit && !answer::has_next(&response.headers)) {
                return Ok(found);
            }
            if found.items.len() >= request.most {
                break;
            }
            page.offset += came;
        }
        found.is_cut = true;
        found.items.truncate(request.most);
        Ok(found)
    }

    /// Takes the items of an answer in; whether they begin like those before.
    async fn take<T: OfSource + HasId>(
        &self,
        found: &mut Found<T>,
        response: &Response,
        naming: &Arc<Naming>,
    ) -> Result<bool, SourceFault> {
        let place = Place { twin: &self.twin, parts: None };
        let (items, bad) = answer::items::<T>(&self.contexts, place, response, naming).await?;
        let (new, known) = (items.first().map(HasId::id), found.items.first().map(HasId::id));
        let is_again = new.is_some() && new == known;
        found.items.extend(items);
        found.unusable += bad;
        // The range of time was cut (clause 6.3.10).
        found.is_part |= response.status == StatusCode::PARTIAL_CONTENT;
        found.revision = answer::revision(&response.headers).or(found.revision);
        found.entity_map = answer::entity_map(&response.headers).or(found.entity_map.take());
        found.warnings.extend(answer::warnings(&response.headers));
        Ok(is_again)
    }
}

/// What a source answers.
enum Exchanged {
    Answer(Response),
    /// That it has nothing of the sort, and what it says of sources that it has asked itself.
    Nothing(Vec<Box<str>>),
}

/// What came of a source.
struct Found<T> {
    items: Vec<T>,
    unusable: usize,
    is_cut: bool,
    /// Whether no item tells of all of the range of time that was asked for.
    is_part: bool,
    revision: Option<u64>,
    warnings: Vec<Box<str>>,
    entity_map: Option<Box<str>>,
}

/// An entity map that a source has made.
struct Mapped {
    id: Box<str>,
    ids: Vec<EntityId>,
    revision: Option<u64>,
    warnings: Vec<Box<str>>,
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        let (items, warnings) = (Vec::new(), Vec::new());
        let (revision, entity_map) = (None, None);
        let (is_cut, is_part) = (false, false);
        Self { items, unusable: 0, is_cut, is_part, revision, warnings, entity_map }
    }
}

trait HasId {
    fn id(&self) -> &EntityId;
}

impl HasId for SourceEntity {
    fn id(&self) -> &EntityId {
        &self.entity.id
    }
}

impl HasId for SourceEvolution {
    fn id(&self) -> &EntityId {
        &self.id
    }
}

#[async_trait]
impl ContextSources for Sources {
    async fn entities(&self, request: &SourceRequest<'_>) -> Result<SourceEntities, SourceFault> {
        use SourceOperation as Op;
        let knows_query = request.registration.operations.contains(Op::QueryEntity);
        let found = match request.operation {
            Op::CreateEntityMapQueryEntity => match self.mapped(request, false).await {
                Some(Mapped { id, ids: mapped, revision, warnings }) => {
                    let entity_map = Some(id);
                    return Ok(SourceEntities {
                        revision,
                        warnings,
                        entity_map,
                        mapped,
                        ..SourceEntities::default()
                    });
                }
                None if knows_query => self.page_by_page(request, Request::query).await?,
                None => self.page_by_page(request, Request::batch).await?,
            },
            Op::RetrieveEntity => self.one_by_one(request, Request::retrieve).await?,
            Op::QueryBatch => self.page_by_page(request, Request::batch).await?,
            _ => self.page_by_page(request, Request::query).await?,
        };
        let Found { items: entities, unusable, is_cut, revision, warnings, entity_map, .. } = found;
        let mapped = Vec::new();
        Ok(SourceEntities { entities, unusable, is_cut, revision, warnings, entity_map, mapped })
    }

    async fn types(&self, request: &SourceRequest<'_>) -> Result<SourceTypes, SourceFault> {
        let naming = self.naming(request).await;
        let mut found = SourceTypes::default();
        for written in Request::discovery(request, &naming) {
            let response = match self.exchange(request, &naming, written).await? {
                Exchanged::Answer(response) => response,
                Exchanged::Nothing(warnings) => {
                    found.warnings.extend(warnings);
                    continue;
                }
            };
            let types = discovered(&response.body, naming.context())?;
            found.types.extend(types);
            found.warnings.extend(answer::warnings(&response.headers));
        }
        // What a list has told and a description tells again is one type.
        found.types.reverse();
        let mut seen = std::collections::HashSet::new();
        found.types.retain(|info| seen.insert(info.name.clone()));
        Ok(found)
    }

    async fn evolutions(
        &self,
        request: &SourceRequest<'_>,
    ) -> Result<SourceEvolutions, SourceFault> {
        let found = match request.operation {
            SourceOperation::CreateEntityMapQueryTemporal => {
                match self.mapped(request, true).await {
                    Some(Mapped { id, ids: mapped, revision, warnings }) => {
                        let entity_map = Some(id);
                        return Ok(SourceEvolutions {
                            revision,
                            warnings,
                            entity_map,
                            mapped,
                            ..SourceEvolutions::default()
                        });
                    }
                    None => self.page_by_page(request, Request::query_past).await?,
                }
            }
            SourceOperation::RetrieveTemporal => {
                self.one_by_one(request, Request::retrieve_past).await?
            }
            _ => self.page_by_page(request, Request::query_past).await?,
        };
        let Found { items: evolutions, unusable, is_cut, is_part, revision, warnings, entity_map } =
            found;
        let mapped = Vec::new();
        Ok(SourceEvolutions {
            evolutions,
            unusable,
            is_cut,
            is_part,
            revision,
            warnings,
            entity_map,
            mapped,
        })
    }

    async fn write(&self, request: &SourceWrite<'_>) -> Vec<Result<Written, SourceFault>> {
        self.changed(request).await
    }

    async fn purge(
        &self,
        request: &SourceRequest<'_>,
        having: &[Iri],
        purge: &Purge,
    ) -> Result<Written, SourceFault> {
        let naming = self.naming(request).await;
        let Some(written) = Request::purge(request, having, purge, &naming) else {
            return Err(SourceFault::Invalid("it cannot be told what is to go".to_owned()));
        };
        match self.exchange(request, &naming, written).await? {
            Exchanged::Answer(response) => result_of_one(&response),
            Exchanged::Nothing(_) => Ok(Written::Changed),
        }
    }
}

/// What has come of something that was sent to a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It was done.
    Done,
    /// It never will be.
    Refused,
    /// It may be done another time.
    Later,
}
