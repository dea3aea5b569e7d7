use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use cardo_engine::{
    AskedBy, AskedSources, Done, EntityHistory, HistoryRequest, Operation, WhichInstances,
};
use cardo_model::{EntityId, Iri};

use crate::face::Face;
use crate::fault::Fault;
use crate::operations::ContextNames;
use crate::operations::distributed::Applied;
use crate::parse::{Document, Evolution};
use crate::represent::Naming;
use crate::request::{Ask, flag};
use crate::respond::{created, empty};

type Answer = Result<Response<Body>, Fault>;

/// Create or update the temporal evolution of an entity (clause 5.6.11).
pub(crate) async fn upsert(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let payload = face.payload(ask, body).await?;
    let document = document(&payload.bytes)?;
    let naming = face.document_naming(&payload, document.context()?).await?;
    let evolution = face.reader(&naming).evolution(&document, None)?;
    let id = evolution.id.clone();
    let (done, revision) = face.apply_one(ask, record(evolution, false)).await?;
    Ok(match done {
        Done::Created => created(ask, "temporal/entities", id.as_str(), revision),
        _ => empty(StatusCode::NO_CONTENT, revision),
    })
}

/// Add attributes to the temporal evolution of an entity (clause 5.6.12).
pub(crate) async fn append(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let id = ask.id(2)?;
    let payload = face.payload(ask, body).await?;
    let document = document(&payload.bytes)?;
    let naming = face.document_naming(&payload, document.context()?).await?;
    face.snapshot(ask).await?;
    let evolution = face.reader(&naming).evolution(&document, Some(&id))?;
    let (_, revision) = face.apply_one(ask, record(evolution, true)).await?;
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

fn document(bytes: &[u8]) -> Result<Document<'_>, Fault> {
    let document = Document::from_body(bytes)?;
    if document.members().len() == 0 {
        return Err(Fault::invalid("the body is an empty object"));
    }
    Ok(document)
}

fn record(evolution: Evolution, must_exist: bool) -> Operation {
    let Evolution { id, types, scopes, attributes } = evolution;
    Operation::Record { id, types, scopes, attributes, must_exist }
}

/// Delete the temporal evolution of an entity (clause 5.6.16).
pub(crate) async fn delete(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let id = ask.id(2)?;
    let naming = face.naming_for_sources(ask).await?;
    let operation = Operation::ForgetHistory(id.clone());
    if let Err(missing) = face.known_history(ask, &id, Vec::new(), Some(1)).await {
        return face.apply_elsewhere(ask, &naming, operation, missing).await;
    }
    Ok(face.apply_far(ask, &naming, operation).await?.no_content())
}

/// Delete an attribute from the temporal evolution of an entity (clause 5.6.13).
pub(crate) async fn delete_attribute(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&["datasetId", "deleteAll", "local"], &[])?;
    let naming = face.link_naming(ask).await?;
    let id = ask.id(2)?;
    let name = attribute(ask, &naming)?;
    let which = match (flag(&params, "deleteAll")?, params.get("datasetId")) {
        (Some(true), _) => WhichInstances::All,
        (_, Some("@none") | None) => WhichInstances::Default,
        (_, Some(dataset)) => WhichInstances::Dataset(Iri::new(dataset.to_owned())?),
    };
    let datasets = match &which {
        WhichInstances::All => None,
        WhichInstances::Default => Some(vec![None]),
        WhichInstances::Dataset(id) => Some(vec![Some(id.clone())]),
    };
    let mut request = whole(id.clone(), vec![name.clone()], Some(1));
    request.datasets = datasets;
    let history = face.engine.history(&ask.caller.at_home(), &request).await?;
    let missing = match &history {
        None => Some(unknown(&id)),
        Some(history) => history.rows.is_empty().then(|| without(&id, &name)),
    };
    let operation = Operation::ForgetAttribute { id, name, which };
    match missing {
        Some(missing) => face.apply_elsewhere(ask, &naming, operation, missing).await,
        None => Ok(face.apply_far(ask, &naming, operation).await?.no_content()),
    }
}

/// The attribute that the path names.
pub(super) fn attribute(ask: &Ask<'_>, naming: &Naming) -> Result<Iri, Fault> {
    let name = ask.segment(4)?;
    if matches!(name.as_ref(), "id" | "type" | "@id" | "@type" | "@context") {
        return Err(Fault::bad_data(format!("{name:?} is no attribute")));
    }
    Ok(ContextNames(naming.context()).name(&name)?)
}

pub(super) fn unknown(id: &EntityId) -> Fault {
    Fault::not_found(format!("nothing is known of entity {id}"))
}

pub(super) fn without(id: &EntityId, name: &Iri) -> Fault {
    Fault::not_found(format!("the history of entity {id} has no such instance of {name}"))
}

/// So many instances of an attribute are looked through for one.
const MOST_INSTANCES: usize = 1_000_000;

pub(super) fn whole(entity: EntityId, attributes: Vec<Iri>, last: Option<usize>) -> HistoryRequest {
    let (property, datasets, limit) = (None, None, MOST_INSTANCES);
    let omitted = Vec::new();
    HistoryRequest {
        entity,
        attributes,
        omitted,
        datasets,
        property,
        from: None,
        until: None,
        last,
        limit,
    }
}

impl Face {
    /// Has sources change a history of which nothing is known here; an error where none has a part
    /// in it (clauses 5.6.13.4 to 5.6.16.4).
    pub(super) async fn apply_elsewhere(
        &self,
        ask: &Ask<'_>,
        naming: &Naming,
        operation: Operation,
        missing: Fault,
    ) -> Answer {
        let id = operation.entity().cloned();
        let asked = AskedSources { by: AskedBy::Id, ..AskedSources::default() };
        let caller = ask.caller_to(naming, asked);
        let distributed = self.engine.apply_elsewhere(&caller, operation).await?;
        let (Some(distributed), Some(id)) = (distributed, id) else { return Err(missing) };
        let revision = self.snapshot(ask).await?.revision();
        Ok(Applied::of(id, distributed, revision)?.no_content())
    }

    /// A history that has to be known.
    pub(super) async fn known_history(
        &self,
        ask: &Ask<'_>,
        id: &EntityId,
        attributes: Vec<Iri>,
        last: Option<usize>,
    ) -> Result<EntityHistory, Fault> {
        let history = self
            .engine
            .history(&ask.caller.at_home(), &whole(id.clone(), attributes, last))
            .await?;
        history.ok_or_else(|| unknown(id))
    }
}
