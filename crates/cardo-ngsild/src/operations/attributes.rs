use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use cardo_engine::{Done, NotUpdated, Operation, WhichInstances};
use cardo_model::{EntityId, Iri, Revision};
use serde_json::{Value, json};

use super::ContextNames;
use super::distributed::{Applied, left_alone};
use crate::face::Face;
use crate::fault::Fault;
use crate::parse::{Document, Reading, complete_instance};
use crate::represent::Naming;
use crate::request::{Ask, flag};
use crate::respond::{empty, plain_json};

type Answer = Result<Response<Body>, Fault>;

/// Scope is no attribute, though it is deleted like one (clause 5.6.5.4).
const SCOPE: &str = "https://uri.etsi.org/ngsi-ld/scope";

/// Append attributes (clause 5.6.3).
pub(crate) async fn append(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    let params = ask.params(&["options", "local", "type"], &[])?;
    let no_overwrite = match params.get("options") {
        None | Some("") => false,
        Some("noOverwrite") => true,
        Some(other) => {
            return Err(Fault::invalid(format!("{other:?} is not an option of this operation")));
        }
    };
    let id = ask.id(1)?;
    let payload = face.payload(ask, body).await?;
    let document = Document::from_body(&payload.bytes)?;
    let naming = face.document_naming(&payload, document.context()?).await?;
    face.target(ask, &id, params.get("type")).await?;
    let operation = face.reader(&naming).appended(&document, Some(&id), no_overwrite)?;
    let given = operation.attributes();
    Ok(match face.apply_far(ask, &naming, operation).await? {
        Applied::Whole(done, revision) => update_result(done, revision),
        Applied::Mixed(mixed) => mixed.update_result(&given),
    })
}

/// Update attributes (clause 5.6.2).
pub(crate) async fn update(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    let params = ask.params(&["local", "type"], &[])?;
    let id = ask.id(1)?;
    let payload = face.payload(ask, body).await?;
    let document = Document::from_body(&payload.bytes)?;
    let naming = face.document_naming(&payload, document.context()?).await?;
    let record = face.target(ask, &id, params.get("type")).await?;
    let (id, fragment) = face.reader(&naming).fragment(&document, Some(&id), Reading::UPDATE)?;
    let has_scope = record.is_none_or(|record| record.view().scopes().next().is_some());
    let ignores_scope = fragment.scopes.is_some() && !has_scope;
    let given: Vec<Iri> = fragment.attributes.iter().map(|part| part.name.clone()).collect();
    let operation = Operation::Update { id, fragment };
    Ok(match face.apply_far(ask, &naming, operation).await? {
        Applied::Whole(mut done, revision) => {
            if ignores_scope {
                ignore_scope(&mut done)?;
            }
            update_result(done, revision)
        }
        Applied::Mixed(mixed) => mixed.update_result(&given),
    })
}

/// Scopes are updated only where there are some (clause 5.6.2.4).
fn ignore_scope(done: &mut Done) -> Result<(), Fault> {
    let scope = (Iri::new(SCOPE)?, NotUpdated::Missing);
    match done {
        Done::Updated { not_updated, .. } => not_updated.push(scope),
        _ => *done = Done::Updated { not_updated: vec![scope], updated: Vec::new() },
    }
    Ok(())
}

/// 204, or 207 with an `UpdateResult` where something was left alone (clause 5.2.18).
fn update_result(done: Done, revision: Revision) -> Response<Body> {
    let Done::Updated { not_updated, updated } = done else {
        return empty(StatusCode::NO_CONTENT, revision);
    };
    if not_updated.is_empty() {
        return empty(StatusCode::NO_CONTENT, revision);
    }
    let not_updated: Vec<Value> =
        not_updated.iter().map(|(name, why)| left_alone(name, why)).collect();
    let updated: Vec<&str> = updated.iter().map(Iri::as_str).collect();
    let body = json!({ "updated": updated, "notUpdated": not_updated });
    plain_json(StatusCode::MULTI_STATUS, &body, revision)
}

/// The attribute that the path names.
fn attribute(ask: &Ask<'_>, naming: &Naming) -> Result<Iri, Fault> {
    let name = ask.segment(3)?;
    if matches!(name.as_ref(), "id" | "type" | "@id" | "@type" | "@context") {
        return Err(Fault::bad_data(format!("{name:?} is no attribute")));
    }
    Ok(ContextNames(naming.context()).name(&name)?)
}

fn refuse_scope(name: &Iri) -> Result<(), Fault> {
    if name.as_str() == SCOPE {
        return Err(Fault::bad_data("scope is no attribute and cannot be updated as one"));
    }
    Ok(())
}

/// Partial attribute update (clause 5.6.4).
pub(crate) async fn partial_update(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    let params = ask.params(&["local", "type"], &[])?;
    let id = ask.id(1)?;
    let payload = face.payload(ask, body).await?;
    let document = Document::from_body(&payload.bytes)?;
    let naming = face.document_naming(&payload, document.context()?).await?;
    let name = attribute(ask, &naming)?;
    refuse_scope(&name)?;
    let fragment = face.reader(&naming).instance(&document, Reading::UPDATE)?;
    face.target(ask, &id, params.get("type")).await?;
    let given = [name.clone()];
    let operation = Operation::PartialUpdate { id, name, fragment };
    Ok(face.apply_far(ask, &naming, operation).await?.updated(&given))
}

/// Replace attribute (clause 5.6.19).
pub(crate) async fn replace(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    let params = ask.params(&["local", "type"], &[])?;
    let id = ask.id(1)?;
    let payload = face.payload(ask, body).await?;
    let document = Document::from_body(&payload.bytes)?;
    let naming = face.document_naming(&payload, document.context()?).await?;
    let name = attribute(ask, &naming)?;
    refuse_scope(&name)?;
    face.target(ask, &id, params.get("type")).await?;
    let fragment = face.reader(&naming).instance(&document, Reading::WHOLE)?;
    let instance = complete_instance(fragment)?;
    let given = [name.clone()];
    let operation = Operation::ReplaceAttribute { id, name, instance };
    Ok(face.apply_far(ask, &naming, operation).await?.updated(&given))
}

/// Delete attribute (clause 5.6.5).
pub(crate) async fn delete(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&["datasetId", "deleteAll", "local", "type"], &[])?;
    let id: EntityId = ask.id(1)?;
    let naming = face.link_naming(ask).await?;
    let name = attribute(ask, &naming)?;
    let which = match (flag(&params, "deleteAll")?.unwrap_or(false), params.get("datasetId")) {
        (true, _) => WhichInstances::All,
        (false, None | Some("@none")) => WhichInstances::Default,
        (false, Some(dataset)) => WhichInstances::Dataset(Iri::new(dataset.to_owned())?),
    };
    face.target(ask, &id, params.get("type")).await?;
    let given = [name.clone()];
    let operation = Operation::DeleteAttribute { id, name, which };
    Ok(face.apply_far(ask, &naming, operation).await?.updated(&given))
}
