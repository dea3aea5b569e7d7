//! One request from its text to its answer, the same over HTTP and WebSocket.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{PathSegment, Request, Response, Value};
use axum::http::HeaderMap;
use cardo_http::{ForeignPage, Rights};
use cardo_model::{Revision, TwinId};

use crate::documents::MAX_BYTES;
use crate::face::{Built, Face};
use crate::fault::{Code, Fault};
use crate::limits;
use crate::plan::{Known, Plan};
use crate::session::Session;

/// How long an answer may wait for the revision that its request names.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// A request that may run.
pub(crate) struct Prepared {
    request: Request,
    document: Arc<ExecutableDocument>,
    plan: Option<Arc<Plan>>,
    /// Whether a plan can be made of it where it turns out valid.
    may_learn: bool,
    pub(crate) built: Arc<Built>,
    pub(crate) session: Arc<Session>,
    pub(crate) operation: OperationType,
    /// Which branch of its name was asked, where that is certain.
    pub(crate) incarnation: Option<u64>,
}

/// What a request may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// By GET.
    Query,
    /// By POST.
    QueryOrMutation,
    /// By POST, from a page that may not change anything.
    QueryOfForeignPage,
    /// By WebSocket.
    Any,
}

/// Judges a request: its document, who asks, and what it would cost.
pub(crate) async fn prepare(
    face: &Arc<Face>,
    request: Request,
    headers: &HeaderMap,
    twin: &TwinId,
    least: Option<Revision>,
    allowed: Allowed,
) -> Result<Prepared, Fault> {
    let limits = &face.options.limits;
    let document = face.documents.read(&request.query, limits)?;
    let operation = limits::operation(&document, request.operation_name.as_deref())?.ty;
    check_allowed(operation, allowed)?;
    let rights = if operation == OperationType::Mutation { Rights::Write } else { Rights::Read };
    let caller = face.caller(headers, twin, rights).await?;
    let least = asked_revision(&request)?.or(least);
    if let Some(revision) = least {
        face.engine.wait_for(&caller, revision, MAX_WAIT).await?;
    }
    let before = face.engine.incarnation(twin);
    // A change may be the first of its tenant.
    let snapshot = match face.engine.loaded_snapshot(&caller) {
        Some(snapshot) => snapshot,
        None => face.engine.snapshot(&caller).await?,
    };
    let incarnation = face.engine.incarnation(twin).filter(|now| Some(*now) == before);
    let built = face.built(&caller).await?;
    let known = if allowed != Allowed::Any && is_bare(&request) {
        built.plans.get(&request.query)
    } else {
        Known::NotPlain
    };
    let may_learn = matches!(known, Known::Nothing);
    let plan = if let Known::Plain(plan) = known { Some(plan) } else { None };
    // What has a plan was judged before.
    if plan.is_none() {
        let found = limits::operation(&document, request.operation_name.as_deref())?;
        let known = (built.schema.registry(), &*built.model);
        limits::check(&document, found, &request.variables, known, limits)?;
    }
    let session = Session::new(face.clone(), caller, built.model.clone(), snapshot);
    Ok(Prepared { request, document, plan, may_learn, built, session, operation, incarnation })
}

/// Whether a request is nothing but a document that is worth keeping.
fn is_bare(request: &Request) -> bool {
    request.variables.is_empty()
        && request.operation_name.is_none()
        && request.query.len() <= MAX_BYTES
}

fn check_allowed(operation: OperationType, allowed: Allowed) -> Result<(), Fault> {
    let refused = |message: &str| Err(Fault::new(Code::OperationNotAllowed, message));
    match (operation, allowed) {
        (OperationType::Mutation, Allowed::Query) => {
            refused("a mutation has to come by POST, not by GET")
        }
        (OperationType::Mutation, Allowed::QueryOfForeignPage) => {
            Err(Fault::new(Code::Forbidden, ForeignPage::REFUSAL))
        }
        (
            OperationType::Subscription,
            Allowed::Query | Allowed::QueryOrMutation | Allowed::QueryOfForeignPage,
        ) => refused("a subscription has to come over WebSocket (graphql-transport-ws)"),
        _ => Ok(()),
    }
}

/// The revision in the extensions of a request.
fn asked_revision(request: &Request) -> Result<Option<Revision>, Fault> {
    match request.extensions.get("minRevision") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) if number.is_u64() => Ok(number.as_u64().map(Revision)),
        Some(other) => {
            Err(Fault::new(Code::BadRequest, format!("minRevision: {other} is no revision")))
        }
    }
}

impl Prepared {
    /// The answer as JSON, where there is a plan for it and nothing goes wrong.
    pub(crate) async fn by_plan(&self) -> Option<Vec<u8>> {
        let plan = self.plan.as_ref()?;
        let moment = self.session.moment();
        let answer = plan.answer(&moment, self.session.revision());
        let limit = self.session.face.options.limits.time;
        tokio::time::timeout(limit, answer).await.ok()?.ok()
    }

    /// The request as the schema takes it.
    pub(crate) fn into_request(self) -> Request {
        let mut request = self.request;
        request.set_parsed_query((*self.document).clone());
        request.data(self.session)
    }

    /// Runs a question or a change.
    pub(crate) async fn execute(self) -> Response {
        let limit = self.session.face.options.limits.time;
        let (built, session) = (self.built.clone(), self.session.clone());
        let learnt = self.may_learn.then(|| (self.request.query.clone(), self.document.clone()));
        let running = built.schema.execute(self.into_request());
        let response = if let Ok(response) = tokio::time::timeout(limit, running).await {
            if let (Some((text, document)), true) = (learnt, response.errors.is_empty()) {
                built.plans.learn(&text, &document, &session.moment());
            }
            response
        } else {
            let message = format!(
                "the request took longer than {limit:?} and was stopped; a change that it had \
                     begun may still be done"
            );
            let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            refusal(&Fault::new(Code::Timeout, message).with("limitMilliseconds", limit))
        };
        finished(response, session.revision())
    }
}

/// An answer with its revision, and a code on every error.
pub(crate) fn finished(mut response: Response, revision: Revision) -> Response {
    for error in &mut response.errors {
        let has_code = error.extensions.as_ref().is_some_and(|values| values.get("code").is_some());
        if !has_code {
            let is_internal = error.message.starts_with("internal:");
            let code = if is_internal { Code::Internal } else { Code::ValidationFailed };
            error.extensions.get_or_insert_default().set("code", code.as_str());
        }
    }
    response.extension("revision", Value::from(revision.0))
}

/// An answer that is nothing but an error.
pub(crate) fn refusal(fault: &Fault) -> Response {
    Response::from_errors(vec![fault.to_error(None)])
}

/// Whether an answer says that the request could not run at all, so that it has no `data`.
pub(crate) fn is_request_error(response: &Response) -> bool {
    let is_of_field = |path: &Vec<PathSegment>| !path.is_empty();
    response.data == Value::Null
        && !response.errors.is_empty()
        && !response.errors.iter().any(|error| is_of_field(&error.path))
}

/// An answer as JSON; without `data` where there was no execution.
pub(crate) fn to_bytes(response: &Response) -> Vec<u8> {
    let mut out = Vec::with_capacity(4_096);
    if is_request_error(response) {
        let mut members = serde_json::Map::new();
        members.insert("errors".to_owned(), json(&response.errors));
        if !response.extensions.is_empty() {
            members.insert("extensions".to_owned(), json(&response.extensions));
        }
        out.extend(serde_json::Value::Object(members).to_string().into_bytes());
    } else if serde_json::to_writer(&mut out, response).is_err() {
        out.clear();
        out.extend_from_slice(b"{\"errors\":[{\"message\":\"the answer could not be written\"}]}");
    }
    out
}

fn json(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}
