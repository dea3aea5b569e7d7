//! Changes for a context source, as requests, and what its answers say (clauses 6.4 to 6.8, 6.14 to
//! 6.20 and 6.31).

use cardo_egress::{Bytes, Method, Response, StatusCode};
use cardo_engine::{
    Operation, Purge, SourceFault, SourceOperation, SourceRequest, SourceWrite, WhichInstances,
    Written,
};
use cardo_model::{EntityId, Iri};
use serde::Deserialize;
use serde_json::Value;

use super::answer;
use super::body::{BodyWriter, is_simplified, merge_parameters};
use super::read::{Query, Written as Request, attributes};
use crate::represent::{Naming, Version};
use crate::respond::encode;

/// How the bodies for a source are written.
pub(super) struct Manner<'a> {
    pub(super) naming: &'a Naming,
    /// Which version of the specification it knows.
    pub(super) version: Version,
    /// The URL of the context, where it is to be a member of the body.
    pub(super) inline: Option<&'a str>,
}

impl Request {
    /// All operations as one batch.
    pub(super) fn of_batch(write: &SourceWrite<'_>, manner: &Manner<'_>) -> Self {
        let (resource, options) = match (write.operation, write.operations.first()) {
            (SourceOperation::CreateBatch, _) => ("create", None),
            (SourceOperation::UpsertBatch, Some(Operation::CreateOrUpdate(_))) => {
                ("upsert", Some("update"))
            }
            (SourceOperation::UpsertBatch, _) => ("upsert", None),
            (SourceOperation::UpdateBatch, Some(Operation::Append { no_overwrite: true, .. })) => {
                ("update", Some("noOverwrite"))
            }
            (SourceOperation::UpdateBatch, _) => ("update", None),
            (SourceOperation::MergeBatch, _) => ("merge", None),
            _ => ("delete", None),
        };
        let mut query = Query::of(&format!("/entityOperations/{resource}"));
        query.add_if("options", options.map(str::to_owned));
        let mut writer = BodyWriter::new(manner.naming.context(), manner.version, manner.inline);
        writer.array(&write.operations);
        Self::new(Method::POST, query.limited(write.registration), writer.finish())
    }

    /// One operation, told by another where the source takes that.
    pub(super) fn of_one(
        operation: &Operation,
        told_by: SourceOperation,
        write: &SourceWrite<'_>,
        manner: &Manner<'_>,
    ) -> Self {
        let (method, path) = place(operation, told_by, manner.naming);
        let mut query = Query::of(&path);
        match operation {
            Operation::Append { no_overwrite: true, .. } => query.add("options", "noOverwrite"),
            Operation::Merge { options, .. } => {
                for (name, value) in merge_parameters(options) {
                    query.add(name, &value);
                }
                if is_simplified(operation) {
                    query.add("format", "simplified");
                }
            }
            Operation::DeleteAttribute { which, .. } | Operation::ForgetAttribute { which, .. } => {
                match which {
                    WhichInstances::Default => {}
                    WhichInstances::Dataset(dataset) => query.add("datasetId", dataset.as_str()),
                    WhichInstances::All => query.add("deleteAll", "true"),
                }
            }
            _ => {}
        }
        let path = query.limited(write.registration);
        if method == Method::DELETE {
            return Self::new(method, path, Vec::new());
        }
        let mut writer = BodyWriter::new(manner.naming.context(), manner.version, manner.inline);
        let is_creation = matches!(
            told_by,
            SourceOperation::CreateEntity
                | SourceOperation::ReplaceEntity
                | SourceOperation::UpsertTemporal
        );
        writer.operation(operation, is_creation);
        Self::new(method, path, writer.finish())
    }

    /// A purge (clause 6.4.3.3); none where the source cannot be told what is to go.
    pub(super) fn purge(
        request: &SourceRequest<'_>,
        having: &[Iri],
        purge: &Purge,
        naming: &Naming,
    ) -> Option<Self> {
        let context = naming.context();
        let mut query = Query::of("/entities");
        if !query.add_question(request, context) {
            return None;
        }
        query.add_if("attrs", attributes(having, context));
        match purge {
            Purge::Entities => {}
            Purge::Drop(names) => query.add("drop", &attributes(names, context)?),
            Purge::Keep(names) => query.add_if("keep", attributes(names, context)),
        }
        Some(Self::new(Method::DELETE, query.limited(request.registration), Vec::new()))
    }

    fn new(method: Method, path: String, body: Vec<u8>) -> Self {
        Self { method, path, body: Bytes::from(body) }
    }
}

/// The method and the resource of an operation.
fn place(operation: &Operation, told_by: SourceOperation, naming: &Naming) -> (Method, String) {
    use SourceOperation as Op;
    let id = operation.entity().map_or("", Iri::as_str);
    let entity = format!("/entities/{}", encode(id));
    let history = format!("/temporal/entities/{}", encode(id));
    let attribute = |base: &str| {
        let name = match operation {
            Operation::PartialUpdate { name, .. }
            | Operation::ReplaceAttribute { name, .. }
            | Operation::DeleteAttribute { name, .. }
            | Operation::AmendInstance { name, .. }
            | Operation::ForgetAttribute { name, .. } => name.as_str(),
            _ => "",
        };
        format!("{base}/attrs/{}", encode(&naming.context().compact_iri(name)))
    };
    let instance = || match operation {
        Operation::AmendInstance { instance_id, .. } => {
            format!("{}/{}", attribute(&history), encode(instance_id.as_str()))
        }
        _ => attribute(&history),
    };
    match told_by {
        Op::UpdateAttrInstanceTemporal => (Method::PATCH, instance()),
        Op::DeleteAttrInstanceTemporal => (Method::DELETE, instance()),
        Op::CreateEntity => (Method::POST, "/entities".to_owned()),
        Op::ReplaceEntity => (Method::PUT, entity),
        Op::MergeEntity => (Method::PATCH, entity),
        Op::DeleteEntity => (Method::DELETE, entity),
        Op::AppendAttrs => (Method::POST, format!("{entity}/attrs/")),
        Op::UpdateEntity => (Method::PATCH, format!("{entity}/attrs/")),
        Op::UpdateAttrs => (Method::PATCH, attribute(&entity)),
        Op::ReplaceAttrs => (Method::PUT, attribute(&entity)),
        Op::DeleteAttrs => (Method::DELETE, attribute(&entity)),
        Op::UpsertTemporal => (Method::POST, "/temporal/entities".to_owned()),
        Op::AppendAttrsTemporal => (Method::POST, format!("{history}/attrs/")),
        Op::DeleteAttrsTemporal => (Method::DELETE, attribute(&history)),
        _ => (Method::DELETE, history),
    }
}

/// What an answer to one operation says.
pub(super) fn result_of_one(response: &Response) -> Result<Written, SourceFault> {
    match response.status {
        StatusCode::CREATED => Ok(Written::Created),
        // A part was not done.
        StatusCode::MULTI_STATUS => Err(refused(response)),
        status if status.is_success() => Ok(Written::Changed),
        _ => Err(refused(response)),
    }
}

fn refused(response: &Response) -> SourceFault {
    let detail = answer::detail(&response.body);
    SourceFault::Refused { status: response.status.as_u16(), detail }
}

/// What a source says of a batch (clause 5.2.16).
#[derive(Deserialize)]
struct BatchResult {
    #[serde(default)]
    errors: Vec<BatchError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchError {
    entity_id: String,
    #[serde(default)]
    error: Value,
}

/// What an answer to a batch says of each of its entities.
pub(super) fn results_of_batch(
    response: &Response,
    operations: &[&Operation],
) -> Vec<Result<Written, SourceFault>> {
    let all = |result: Result<Written, SourceFault>| vec![result; operations.len()];
    match response.status {
        StatusCode::CREATED => {
            // It names those that it has created; the others were there (clause 5.6.8.5).
            let created = serde_json::from_slice::<Vec<String>>(&response.body).unwrap_or_default();
            let written = |operation: &&Operation| {
                let is_it = |id: &EntityId| created.iter().any(|one| one == id.as_str());
                let is_new = created.is_empty() || operation.entity().is_some_and(is_it);
                Ok(if is_new { Written::Created } else { Written::Changed })
            };
            operations.iter().map(written).collect()
        }
        StatusCode::MULTI_STATUS => {
            let Ok(report) = serde_json::from_slice::<BatchResult>(&response.body) else {
                return all(Err(SourceFault::Invalid("it is no result of a batch".to_owned())));
            };
            operations.iter().map(|operation| result_in(&report, operation.entity())).collect()
        }
        status if status.is_success() => all(Ok(Written::Changed)),
        _ => all(Err(refused(response))),
    }
}

fn result_in(report: &BatchResult, id: Option<&EntityId>) -> Result<Written, SourceFault> {
    let is_of = |error: &&BatchError| id.is_some_and(|id| id.as_str() == error.entity_id);
    let Some(found) = report.errors.iter().find(is_of) else { return Ok(Written::Changed) };
    let status = found.error["status"].as_u64().and_then(|status| u16::try_from(status).ok());
    let detail = answer::detail(found.error.to_string().as_bytes());
    Err(SourceFault::Refused { status: status.unwrap_or(500), detail })
}
