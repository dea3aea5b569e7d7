//! The answer to a write that context sources had a part in (clauses 6.3.17, 5.2.16 and 5.2.18).

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use cardo_engine::{
    AskedBy, AskedSources, Batch, Distributed, Done, NotUpdated, Operation, Outcome, Part,
    PartFault, SourceFault,
};
use cardo_model::{EntityId, Iri, Record, Revision};
use serde_json::{Value, json};

use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::represent::Naming;
use crate::request::Ask;
use crate::respond::{empty, plain_json};

/// What came of a write.
pub(crate) enum Applied {
    /// All of it was done.
    Whole(Done, Revision),
    /// Some of it was done, and some was not.
    Mixed(Box<Mixed>),
}

/// What came of a write by places.
pub(crate) struct Mixed {
    pub(crate) id: EntityId,
    pub(crate) distributed: Distributed,
    pub(crate) revision: Revision,
}

impl Face {
    /// Applies an operation to the twin and to the sources that have a part in it. Where nothing of
    /// it was done, that is an error.
    pub(crate) async fn apply_far(
        &self,
        ask: &Ask<'_>,
        naming: &Naming,
        operation: Operation,
    ) -> Result<Applied, Fault> {
        if !ask.caller.reach.is_far() {
            let (done, revision) = self.apply_one(ask, operation).await?;
            return Ok(Applied::Whole(done, revision));
        }
        let Some(id) = operation.entity().cloned() else {
            return Err(Fault::invalid("there is nothing to do"));
        };
        let asked = AskedSources { by: AskedBy::Id, ..AskedSources::default() };
        let caller = ask.caller_to(naming, asked);
        let batch = Batch { operations: vec![operation], ..Batch::default() };
        let Outcome { revision, mut results, mut distributed } =
            self.engine.apply(&caller, batch).await?;
        let result = results.pop().ok_or_else(|| Fault::invalid("there is nothing to do"))?;
        match distributed.pop().flatten() {
            Some(distributed) if !distributed.is_whole() => Applied::of(id, distributed, revision),
            _ => Ok(Applied::Whole(result?, revision)),
        }
    }

    /// The context in which sources are told of a request without a body; it is looked for only where
    /// sources may have a part in the request.
    pub(crate) async fn naming_for_sources(&self, ask: &Ask<'_>) -> Result<Arc<Naming>, Fault> {
        if ask.caller.reach.is_far() {
            return self.link_naming(ask).await;
        }
        Ok(self.contexts.core().clone())
    }

    /// The entity that is to be changed; none where it is not in the twin, but sources may have it.
    /// Also tells an unknown tenant, which only creations make (clause 5.5.10).
    pub(crate) async fn target(
        &self,
        ask: &Ask<'_>,
        id: &EntityId,
        types: Option<&str>,
    ) -> Result<Option<Record>, Fault> {
        if ask.caller.reach.is_far() {
            let snapshot = self.snapshot(ask).await?;
            if snapshot.retrieve(id.as_str()).is_none() {
                return Ok(None);
            }
        }
        self.must_exist(ask, id, types).await.map(|(record, _)| Some(record))
    }
}

/// What all of it failed with, where that is one error (clause 6.3.17).
fn only_failure(distributed: &Distributed) -> Option<Fault> {
    if !distributed.has_failed() {
        return None;
    }
    let local = distributed.local.iter().filter_map(|result| result.as_ref().err());
    let local = local.map(|error| Fault::from(error.clone()));
    let of_parts = distributed.parts.iter().filter_map(fault_of);
    let mut faults: Vec<Fault> = local.chain(of_parts).collect();
    let status = faults.first()?.status();
    let is_one =
        status != StatusCode::MULTI_STATUS && faults.iter().all(|fault| fault.status() == status);
    is_one.then(|| faults.swap_remove(0))
}

fn fault_of(part: &Part) -> Option<Fault> {
    let fault = part.result.as_ref().err()?;
    Some(Fault::of_source(&part.registration, fault))
}

/// The same among those of other parts, where the source may say itself what is the matter.
fn told_by(part: &Part) -> Option<Fault> {
    let fault = part.result.as_ref().err()?;
    let PartFault::Source(SourceFault::Refused { status: 409, .. }) = fault else {
        return fault_of(part);
    };
    let detail = format!("context source {}: {fault}", part.registration);
    Some(Fault::new(NgsildError::AlreadyExists, detail))
}

impl Applied {
    /// What came of an operation at several places; an error where all of it failed alike.
    pub(crate) fn of(
        id: EntityId,
        distributed: Distributed,
        revision: Revision,
    ) -> Result<Self, Fault> {
        if distributed.is_whole() {
            return Ok(Self::Whole(Done::HistoryOnly, revision));
        }
        match only_failure(&distributed) {
            Some(fault) => Err(fault),
            None => Ok(Self::Mixed(Box::new(Mixed { id, distributed, revision }))),
        }
    }

    /// 204, or 207 with a `BatchOperationResult`.
    pub(crate) fn no_content(self) -> Response<Body> {
        match self {
            Self::Whole(_, revision) => empty(StatusCode::NO_CONTENT, revision),
            Self::Mixed(mixed) => mixed.batch_result(),
        }
    }

    /// 204, or 207 with an `UpdateResult` about the attributes of the request.
    pub(crate) fn updated(self, given: &[Iri]) -> Response<Body> {
        match self {
            Self::Whole(_, revision) => empty(StatusCode::NO_CONTENT, revision),
            Self::Mixed(mixed) => mixed.update_result(given),
        }
    }
}

impl Mixed {
    /// 207 with a `BatchOperationResult` (clause 5.2.16).
    pub(crate) fn batch_result(&self) -> Response<Body> {
        let Distributed { local, parts } = &self.distributed;
        let id = self.id.as_str();
        let has_success = matches!(local, Some(Ok(_))) || parts.iter().any(|p| p.result.is_ok());
        let success: Vec<&str> = has_success.then_some(id).into_iter().collect();
        let mut errors: Vec<Value> = Vec::new();
        if let Some(Err(error)) = local {
            let fault = Fault::from(error.clone());
            errors.push(json!({ "entityId": id, "error": fault.to_json() }));
        }
        for part in parts {
            if let Some(fault) = told_by(part) {
                errors.push(of_registration(id, &part.registration, &fault));
            }
        }
        let body = json!({ "success": success, "errors": errors });
        plain_json(StatusCode::MULTI_STATUS, &body, self.revision)
    }

    /// 207 with an `UpdateResult` (clause 5.2.18). `given` are the attributes of the request.
    pub(crate) fn update_result(&self, given: &[Iri]) -> Response<Body> {
        let Distributed { local, parts } = &self.distributed;
        let mut updated: Vec<&str> = Vec::new();
        let mut not_updated: Vec<Value> = Vec::new();
        match local {
            Some(Ok(Done::Updated { not_updated: left, updated: done })) => {
                updated.extend(done.iter().map(Iri::as_str));
                not_updated.extend(left.iter().map(|(name, why)| left_alone(name, why)));
            }
            Some(Err(error)) => {
                let of_proxies = |name: &Iri| parts.iter().any(|part| part.takes(name));
                let names = given.iter().filter(|name| !of_proxies(name));
                not_updated.extend(names.map(
                    |name| json!({ "attributeName": name.as_str(), "reason": error.to_string() }),
                ));
            }
            Some(Ok(_)) | None => {}
        }
        for Part { registration, attributes, result, .. } in parts {
            match result {
                Ok(_) => updated.extend(attributes.iter().map(Iri::as_str)),
                Err(fault) => not_updated.extend(attributes.iter().map(|name| {
                    json!({
                        "attributeName": name.as_str(),
                        "reason": fault.to_string(),
                        "registrationId": registration.as_str(),
                    })
                })),
            }
        }
        updated.dedup();
        let body = json!({ "updated": updated, "notUpdated": not_updated });
        plain_json(StatusCode::MULTI_STATUS, &body, self.revision)
    }
}

/// Why an attribute was left alone (clause 5.2.19).
pub(crate) fn left_alone(name: &Iri, why: &NotUpdated) -> Value {
    json!({ "attributeName": name.as_str(), "reason": why.to_string() })
}

/// A `BatchEntityError` of a source (clause 5.2.17).
pub(crate) fn of_registration(id: &str, registration: &Iri, fault: &Fault) -> Value {
    json!({ "entityId": id, "registrationId": registration.as_str(), "error": fault.to_json() })
}

/// The errors of a batch that sources made with one of its entities.
pub(crate) fn faults_of(distributed: &Distributed) -> Vec<(Iri, Fault)> {
    let parts = distributed.parts.iter();
    parts.filter_map(|part| Some((part.registration.clone(), told_by(part)?))).collect()
}

impl Fault {
    /// Table of clause 6.3.17: what is answered where a source did not do its part.
    pub(crate) fn of_source(registration: &Iri, fault: &PartFault) -> Self {
        let kind = match fault {
            PartFault::NotTaken => NgsildError::Conflict,
            PartFault::Source(SourceFault::Loop | SourceFault::Refused { status: 508, .. }) => {
                NgsildError::LoopDetected
            }
            PartFault::Source(SourceFault::Silent(_)) => NgsildError::GatewayTimeout,
            PartFault::Source(SourceFault::Refused { status: 404, .. }) => {
                NgsildError::ResourceNotFound
            }
            PartFault::Source(SourceFault::Refused { status: 207, .. }) => NgsildError::Partly,
            PartFault::Source(SourceFault::Refused { .. } | SourceFault::Invalid(_)) => {
                NgsildError::BadGateway
            }
        };
        Self::new(kind, format!("context source {registration}: {fault}"))
    }
}
