use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use cardo_engine::{
    AskedBy, AskedSources, Batch, Distributed, Done, MergeOptions, Operation, OperationError,
    Written,
};
use cardo_model::{Iri, Revision};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::distributed::{faults_of, of_registration};
use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::parse::{Document, Element, Elements, Items, Reading, as_string, shorten};
use crate::represent::Naming;
use crate::request::{Ask, Payload};
use crate::respond::{empty, plain_json};

type Answer = Result<Response<Body>, Fault>;

/// What a batch does with each of its entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Create,
    Replace,
    Update,
    Append { no_overwrite: bool },
    Merge,
}

/// What came of a batch, in the order of its items.
struct Report {
    outcomes: Vec<Outcome>,
    revision: Revision,
}

struct Outcome {
    id: String,
    /// What was done, if anything was.
    done: Option<Done>,
    /// What went wrong, with the registration of the source where it did.
    errors: Vec<(Option<Iri>, Fault)>,
}

/// Batch create (clause 5.6.7).
pub(crate) async fn create(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let report = face.run(ask, body, Mode::Create).await?;
    Ok(report.created())
}

/// Batch create or update (clause 5.6.8).
pub(crate) async fn upsert(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    let params = ask.params(&["options", "local"], &[])?;
    let mode = match params.get("options") {
        None | Some("" | "replace") => Mode::Replace,
        Some("update") => Mode::Update,
        Some(other) => return Err(no_option(other)),
    };
    let report = face.run(ask, body, mode).await?;
    Ok(report.created())
}

/// Batch update (clause 5.6.9).
pub(crate) async fn update(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    let params = ask.params(&["options", "local"], &[])?;
    let no_overwrite = match params.get("options") {
        None | Some("") => false,
        Some("noOverwrite") => true,
        Some(other) => return Err(no_option(other)),
    };
    Ok(face.run(ask, body, Mode::Append { no_overwrite }).await?.changed())
}

/// Batch merge (clause 5.6.20).
pub(crate) async fn merge(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&["local"], &["lang", "observedAt"])?;
    Ok(face.run(ask, body, Mode::Merge).await?.changed())
}

/// Batch delete (clause 5.6.10).
pub(crate) async fn delete(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let payload = face.payload(ask, body).await?;
    let items = face.items(&payload)?;
    face.snapshot(ask).await?;
    let read = |raw: &RawValue| {
        let text = as_string(raw).ok_or_else(|| {
            Fault::bad_data(format!("{} is not the id of an entity", shorten(raw.get())))
        })?;
        Ok(Operation::Delete(Iri::new(text.into_owned())?))
    };
    let operations = items.0.iter().map(|raw| {
        let id = as_string(raw).map_or_else(String::new, |text| shorten(&text));
        (id, read(raw))
    });
    let naming = face.naming_for_sources(ask).await?;
    Ok(face.apply_all(ask, &naming, operations.collect()).await?.changed())
}

fn null_element() -> Fault {
    Fault::bad_data("an item of the batch is null")
}

fn no_option(name: &str) -> Fault {
    Fault::invalid(format!("{name:?} is not an option of this operation"))
}

impl Face {
    fn check_count(&self, count: usize) -> Result<(), Fault> {
        let limit = self.options.limits.batch;
        if count == 0 {
            return Err(Fault::bad_data("the batch is empty"));
        }
        if count > limit {
            let detail = format!("a batch of {count} is larger than the {limit} that are accepted");
            return Err(Fault::new(NgsildError::TooLarge, detail));
        }
        Ok(())
    }

    fn items<'a>(&self, payload: &'a Payload<'_>) -> Result<Items<'a>, Fault> {
        let items = Items::from_body(&payload.bytes)?;
        self.check_count(items.0.len())?;
        if items.0.iter().any(|raw| raw.get() == "null") {
            return Err(null_element());
        }
        Ok(items)
    }

    fn elements<'a>(&self, payload: &'a Payload<'_>) -> Result<Vec<Element<'a>>, Fault> {
        let elements = Elements::from_body(&payload.bytes, self.options.limits.batch)?;
        self.check_count(elements.count)?;
        if elements.first.iter().any(|element| matches!(element, Element::Null)) {
            return Err(null_element());
        }
        Ok(elements.first)
    }

    async fn run(self: &Arc<Self>, ask: &Ask<'_>, body: Body, mode: Mode) -> Result<Report, Fault> {
        let payload = self.payload(ask, body).await?;
        let elements = self.elements(&payload)?;
        if !matches!(mode, Mode::Create | Mode::Replace | Mode::Update) {
            // Only creations make tenants (clause 5.5.10).
            self.snapshot(ask).await?;
        }
        let mut operations = Vec::with_capacity(elements.len());
        let mut names = None;
        for element in elements {
            operations.push(self.operation(&payload, element, mode, &mut names).await);
        }
        let names = names.unwrap_or_else(|| self.contexts.core().clone());
        self.apply_all(ask, &names, operations).await
    }

    async fn operation(
        &self,
        payload: &Payload<'_>,
        element: Element<'_>,
        mode: Mode,
        names: &mut Option<Arc<Naming>>,
    ) -> (String, Result<Operation, Fault>) {
        let document = match Document::of(element) {
            Ok(document) => document,
            Err(error) => return (String::new(), Err(error.into())),
        };
        let id = document.id_text().unwrap_or_default();
        (id, self.read_operation(payload, &document, mode, names).await)
    }

    async fn read_operation(
        &self,
        payload: &Payload<'_>,
        document: &Document<'_>,
        mode: Mode,
        names: &mut Option<Arc<Naming>>,
    ) -> Result<Operation, Fault> {
        let naming = self.document_naming(payload, document.context()?).await?;
        names.get_or_insert_with(|| naming.clone());
        let reader = self.reader(&naming);
        Ok(match mode {
            Mode::Create => Operation::Create(reader.entity(document, None, Reading::WHOLE)?),
            Mode::Replace => {
                Operation::CreateOrReplace(reader.entity(document, None, Reading::WHOLE)?)
            }
            Mode::Update => {
                Operation::CreateOrUpdate(reader.entity(document, None, Reading::WHOLE)?)
            }
            Mode::Append { no_overwrite } => reader.appended(document, None, no_overwrite)?,
            Mode::Merge => {
                let (id, fragment) = reader.fragment(document, None, Reading::MERGE)?;
                Operation::Merge { id, fragment, options: MergeOptions::default() }
            }
        })
    }

    /// Applies what could be read as one batch; the rest is reported as it is.
    async fn apply_all(
        &self,
        ask: &Ask<'_>,
        naming: &Naming,
        operations: Vec<(String, Result<Operation, Fault>)>,
    ) -> Result<Report, Fault> {
        let mut outcomes = Vec::with_capacity(operations.len());
        let mut batch = Batch::default();
        let mut places = Vec::with_capacity(operations.len());
        for (place, (id, operation)) in operations.into_iter().enumerate() {
            let mut outcome = Outcome { id, done: None, errors: Vec::new() };
            match operation {
                Ok(operation) => {
                    batch.operations.push(operation);
                    places.push(place);
                }
                Err(fault) => outcome.errors.push((None, fault)),
            }
            outcomes.push(outcome);
        }
        if batch.operations.is_empty() {
            return Ok(Report { outcomes, revision: Revision::default() });
        }
        let asked = AskedSources { by: AskedBy::Batch, ..AskedSources::default() };
        let caller = ask.caller_to(naming, asked);
        let applied = self.engine.apply(&caller, batch).await?;
        let mut distributed = applied.distributed.into_iter();
        for (place, result) in places.into_iter().zip(applied.results) {
            match distributed.next().flatten() {
                None => outcomes[place].take(result),
                Some(distributed) => outcomes[place].take_distributed(distributed),
            }
        }
        Ok(Report { outcomes, revision: applied.revision })
    }
}

impl Outcome {
    fn take(&mut self, result: Result<Done, OperationError>) {
        match result.map_err(Fault::from).and_then(whole) {
            Ok(done) => self.done = Some(done),
            Err(fault) => self.errors.push((None, fault)),
        }
    }

    /// What was done anywhere is a success, and what was not done anywhere is an error (clause
    /// 5.6.7.4).
    fn take_distributed(&mut self, distributed: Distributed) {
        let of_sources = faults_of(&distributed).into_iter();
        self.errors.extend(of_sources.map(|(registration, fault)| (Some(registration), fault)));
        let written = distributed.parts.iter().filter_map(|part| part.result.as_ref().ok());
        self.done =
            written.max_by_key(|written| **written == Written::Created).map(
                |written| match written {
                    Written::Created => Done::Created,
                    Written::Changed => Done::Unchanged,
                },
            );
        if let Some(local) = distributed.local {
            self.take(local);
        }
    }
}

/// An update that left attributes alone has failed, in part (clause 5.6.9.4).
fn whole(done: Done) -> Result<Done, Fault> {
    let Done::Updated { not_updated, .. } = &done else { return Ok(done) };
    let Some((name, why)) = not_updated.first() else { return Ok(done) };
    Err(Fault::bad_data(format!("attribute {name} was not updated: {why}")))
}

impl Report {
    fn has_errors(&self) -> bool {
        self.outcomes.iter().any(|outcome| !outcome.errors.is_empty())
    }

    /// 201 with the ids of what was created, 204 where nothing was, 207 where something failed.
    fn created(self) -> Response<Body> {
        if self.has_errors() {
            return self.mixed();
        }
        let ids: Vec<&str> = self
            .outcomes
            .iter()
            .filter(|outcome| matches!(outcome.done, Some(Done::Created)))
            .map(|outcome| outcome.id.as_str())
            .collect();
        if ids.is_empty() {
            return empty(StatusCode::NO_CONTENT, self.revision);
        }
        plain_json(StatusCode::CREATED, &json!(ids), self.revision)
    }

    /// 204, or 207 where something failed.
    fn changed(self) -> Response<Body> {
        if self.has_errors() {
            return self.mixed();
        }
        empty(StatusCode::NO_CONTENT, self.revision)
    }

    /// A `BatchOperationResult` (clause 5.2.16).
    fn mixed(self) -> Response<Body> {
        let mut success: Vec<&str> = Vec::new();
        let mut errors: Vec<Value> = Vec::new();
        for Outcome { id, done, errors: failed } in &self.outcomes {
            if done.is_some() {
                success.push(id);
            }
            errors.extend(failed.iter().map(|(registration, fault)| match registration {
                Some(registration) => of_registration(id, registration, fault),
                None => json!({ "entityId": id, "error": fault.to_json() }),
            }));
        }
        let body = json!({ "success": success, "errors": errors });
        plain_json(StatusCode::MULTI_STATUS, &body, self.revision)
    }
}
