use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use cardo_engine::{HistoryEvent, HistoryRow, Operation};
use cardo_model::{EntityId, InstanceRef, Iri};

use super::provision::{attribute, without};
use crate::face::Face;
use crate::fault::Fault;
use crate::parse::Document;
use crate::represent::instance_id;
use crate::request::Ask;
use crate::respond::empty;

type Answer = Result<Response<Body>, Fault>;

/// Modify an instance in the temporal evolution of an entity (clause 5.6.14).
pub(crate) async fn modify_instance(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let (id, wanted) = (ask.id(2)?, ask.id(5)?);
    let payload = face.payload(ask, body).await?;
    let document = Document::from_body(&payload.bytes)?;
    let naming = face.document_naming(&payload, document.context()?).await?;
    let name = attribute(ask, &naming)?;
    let mut instance = face.reader(&naming).evolved_instance(&document, &name)?;
    let row = face.find_instance(ask, &id, &name, &wanted).await?;
    let dataset_id = dataset_of(&row)?;
    instance.dataset_id.clone_from(&dataset_id);
    if let HistoryEvent::Instance { instance: before, .. } = &row.event
        && let Some(before) = InstanceRef::from_bytes(before)
    {
        instance.created_at = before.created_at();
    }
    let (revision, ordinal) = (row.revision, row.ordinal);
    let by = Some(Box::new(instance));
    let operation = Operation::AmendInstance { id, name, dataset_id, revision, ordinal, by };
    let (_, revision) = face.apply_one(ask, operation).await?;
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

/// Delete an instance from the temporal evolution of an entity (clause 5.6.15).
pub(crate) async fn delete_instance(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let naming = face.link_naming(ask).await?;
    let (id, wanted) = (ask.id(2)?, ask.id(5)?);
    let name = attribute(ask, &naming)?;
    let row = face.find_instance(ask, &id, &name, &wanted).await?;
    let dataset_id = dataset_of(&row)?;
    let (revision, ordinal) = (row.revision, row.ordinal);
    let operation = Operation::AmendInstance { id, name, dataset_id, revision, ordinal, by: None };
    let (_, revision) = face.apply_one(ask, operation).await?;
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

fn dataset_of(row: &HistoryRow) -> Result<Option<Iri>, Fault> {
    match &row.event {
        HistoryEvent::Instance { instance, .. } => {
            let dataset = InstanceRef::from_bytes(instance).and_then(|i| i.dataset_id());
            Ok(dataset.map(Iri::new).transpose()?)
        }
        HistoryEvent::InstanceDeleted { dataset_id, .. } => Ok(dataset_id.clone()),
        _ => Ok(None),
    }
}

impl Face {
    /// The line of history that an instance id names.
    async fn find_instance(
        &self,
        ask: &Ask<'_>,
        id: &EntityId,
        name: &Iri,
        wanted: &Iri,
    ) -> Result<HistoryRow, Fault> {
        let history = self.known_history(ask, id, vec![name.clone()], None).await?;
        let mut rows = history.rows.into_iter();
        rows.find(|row| instance_id(row).as_deref() == Some(wanted.as_str()))
            .ok_or_else(|| without(id, name))
    }
}
