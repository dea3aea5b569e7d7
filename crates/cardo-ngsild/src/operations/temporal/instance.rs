use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use cardo_engine::{HistoryEvent, HistoryRow, Operation};
use cardo_model::{EntityId, Instance, InstanceRef, Iri, Revision};

use super::provision::{attribute, without};
use crate::face::Face;
use crate::fault::Fault;
use crate::parse::Document;
use crate::represent::{Naming, instance_id};
use crate::request::Ask;

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
    match face.find_instance(ask, &id, &name, &wanted).await {
        Ok(row) => {
            let dataset_id = dataset_of(&row)?;
            instance.dataset_id.clone_from(&dataset_id);
            if let HistoryEvent::Instance { instance: before, .. } = &row.event
                && let Some(before) = InstanceRef::from_bytes(before)
            {
                instance.created_at = before.created_at();
            }
            let line = (row.revision, row.ordinal);
            let by = Some(Box::new(instance));
            let instance_id = wanted;
            let operation =
                Operation::AmendInstance { id, name, dataset_id, instance_id, line, by };
            Ok(face.apply_far(ask, &naming, operation).await?.no_content())
        }
        Err(missing) => {
            let by = Some(Box::new(instance));
            face.amend_elsewhere(ask, &naming, (id, name, wanted), by, missing).await
        }
    }
}

/// Delete an instance from the temporal evolution of an entity (clause 5.6.15).
pub(crate) async fn delete_instance(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let naming = face.link_naming(ask).await?;
    let (id, wanted) = (ask.id(2)?, ask.id(5)?);
    let name = attribute(ask, &naming)?;
    let row = match face.find_instance(ask, &id, &name, &wanted).await {
        Ok(row) => row,
        Err(missing) => {
            return face.amend_elsewhere(ask, &naming, (id, name, wanted), None, missing).await;
        }
    };
    let (dataset_id, line) = (dataset_of(&row)?, (row.revision, row.ordinal));
    let instance_id = wanted;
    let operation = Operation::AmendInstance { id, name, dataset_id, instance_id, line, by: None };
    Ok(face.apply_far(ask, &naming, operation).await?.no_content())
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
    /// Amends an instance that is not known here where sources may have it.
    async fn amend_elsewhere(
        &self,
        ask: &Ask<'_>,
        naming: &Naming,
        (id, name, instance_id): (EntityId, Iri, Iri),
        by: Option<Box<Instance<Iri>>>,
        missing: Fault,
    ) -> Answer {
        let line = (Revision(0), 0);
        let dataset_id = by.as_ref().and_then(|instance| instance.dataset_id.clone());
        let operation = Operation::AmendInstance { id, name, dataset_id, instance_id, line, by };
        self.apply_elsewhere(ask, naming, operation, missing).await
    }

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
