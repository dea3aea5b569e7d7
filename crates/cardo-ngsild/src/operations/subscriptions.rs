use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use cardo_engine::{Batch, Operation, Snapshot};
use cardo_http::BaseUrl;
use cardo_jsonld::CORE_CONTEXT_URL;
use cardo_model::{DocumentChange, Iri, NGSI_LD_NULL, Revision, Timestamp};
use serde_json::{Map, Value};

use super::deliveries::letters;
use super::documents::{page, put, shown, sys_attrs};
use crate::contexts::{BodyContext, Hosted, StoredKind, url_of};
use crate::face::Face;
use crate::fault::Fault;
use crate::federation::subscriptions::PASSED_KIND;
use crate::outbox::{Owner, OwnerKind};
use crate::parse::{Document, as_string};
use crate::represent::Naming;
use crate::request::{Ask, JSON_TYPES, Payload};
use crate::respond::{created, empty};
use crate::subscriptions::{
    Deliveries, FAILURE_REASON, LETTERS_DROPPED, STATE_KIND, SUBSCRIPTION_KIND, Stored,
    expand_names, forget_letter,
};

pub(super) type Answer = Result<Response<Body>, Fault>;

/// Members that clients may send and that are not kept (tables 5.2.2-1, 5.2.12-2 and 5.2.14.2-1).
const OUTPUT_ONLY: [&str; 4] = ["status", "createdAt", "modifiedAt", "deletedAt"];
const OUTPUT_ONLY_PARAMS: [&str; 8] = [
    "lastFailure",
    "lastNotification",
    "lastSuccess",
    "status",
    "timesFailed",
    "timesSent",
    FAILURE_REASON,
    LETTERS_DROPPED,
];

/// A subscription document or a fragment of one, with its context.
pub(crate) struct Given {
    pub(crate) members: Map<String, Value>,
    pub(crate) context: String,
    pub(super) naming: Arc<Naming>,
}

impl Given {
    /// The id of a subscription that is to be created, which is made up where there is none.
    pub(super) fn take_id(&mut self) -> Result<Iri, Fault> {
        let new_id = || format!("urn:ngsi-ld:Subscription:{}", uuid::Uuid::new_v4());
        let id = match self.members.get("id") {
            None => new_id(),
            Some(Value::String(id)) => id.clone(),
            Some(other) => return Err(Fault::bad_data(format!("id: {other} is not a URI"))),
        };
        let id = Iri::new(id)?;
        self.members.insert("id".to_owned(), id.as_str().into());
        Ok(id)
    }
}

/// Create subscription (clause 5.8.1).
pub(crate) async fn create(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let payload = face.payload(ask, body).await?;
    let mut given = face.given(&payload).await?;
    let id = given.take_id()?;
    refuse_nulls(&given.members)?;
    let now = Timestamp::now();
    let mut stored = Stored {
        members: given.members,
        q_context: given.context.clone(),
        context: given.context,
        created_at: now,
        modified_at: now,
    };
    face.check(ask, &stored, Some(now)).await?;
    let _writing = face.subscriptions.writing.lock().await;
    let snapshot = face.contexts.twin(&ask.caller.twin).await?;
    if let Some(snapshot) = &snapshot {
        face.check_new_subscription(snapshot, SUBSCRIPTION_KIND, &id)?;
    }
    let passed = face.note_passed(ask, id.as_str())?;
    let hosted = face.name_context(ask, snapshot.as_ref(), &given.naming, &mut stored)?;
    let operations = hosted
        .into_iter()
        .chain(passed)
        .chain([put(SUBSCRIPTION_KIND, &id, Some(stored.to_text()))])
        .collect();
    // What happens from here on is told, also by a later run of the server.
    let head = snapshot.map_or(Revision(0), |snapshot| snapshot.revision());
    face.subscriptions.prepare(&face.engine, &ask.caller.twin, head).await?;
    let revision = face.apply_together(ask, operations).await?;
    face.subscriptions.tell(&ask.caller.twin);
    face.subscription_written(ask, id.as_str());
    Ok(created(ask, "subscriptions", id.as_str(), revision))
}

/// Update subscription (clause 5.8.2).
pub(crate) async fn update(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let id = ask.id(1)?;
    let payload = face.payload(ask, body).await?;
    let given = face.given(&payload).await?;
    let _writing = face.subscriptions.writing.lock().await;
    let (mut stored, snapshot) = face.stored(ask, &id).await?;
    if given.members.get("id").is_some_and(|other| other.as_str() != Some(id.as_str())) {
        return Err(Fault::bad_data("the id of a subscription cannot be changed"));
    }
    if given.members.contains_key("q") {
        stored.q_context = given.context;
    }
    let now = Timestamp::now();
    // Only an expiry that is given anew has to lie in the future (clause 5.8.2.4).
    let renews = given.members.contains_key("expiresAt");
    let goes_on = renews && !given.members.contains_key("isActive");
    let was_expired = stored.status(now) == "expired";
    merge(&mut stored, given.members)?;
    if goes_on && was_expired {
        // Clause 5.8.2.4: with a new end alone, what was expired is active.
        stored.members.remove("isActive");
    }
    stored.modified_at = now;
    face.check(ask, &stored, renews.then_some(now)).await?;
    let hosted = face.name_context_again(ask, &snapshot, &mut stored).await?;
    let put = put(SUBSCRIPTION_KIND, &id, Some(stored.to_text()));
    let revision = face.apply_together(ask, hosted.into_iter().chain([put]).collect()).await?;
    // Who follows the log finds the update there, in its place among the changes.
    face.subscription_written(ask, id.as_str());
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

/// Clause 5.5.8 on a subscription.
pub(super) fn merge(stored: &mut Stored, fragment: Map<String, Value>) -> Result<(), Fault> {
    for (name, value) in fragment {
        if name == "id" {
            continue;
        }
        if value.as_str() != Some(NGSI_LD_NULL) {
            stored.members.insert(name, value);
        } else if name == "type" || name == "notification" {
            return Err(Fault::bad_data(format!("{name} cannot be removed")));
        } else {
            stored.members.remove(&name);
        }
    }
    Ok(())
}

/// Delete subscription (clause 5.8.5).
pub(crate) async fn delete(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let id = ask.id(1)?;
    let _writing = face.subscriptions.writing.lock().await;
    let (_, snapshot) = face.stored(ask, &id).await?;
    let state = DocumentChange { kind: STATE_KIND.into(), id: id.as_str().into(), body: None };
    let letters = letters(&snapshot, id.as_str());
    let passed = DocumentChange { kind: PASSED_KIND.into(), id: id.as_str().into(), body: None };
    let forgotten = letters.iter().map(|(document, _)| forget_letter(document));
    let forgotten = [state, passed].into_iter().chain(forgotten).map(Operation::Document);
    let forgotten =
        forgotten.chain(Owner::new(OwnerKind::Subscription, id.as_str()).forgotten(&snapshot));
    let operations = std::iter::once(put(SUBSCRIPTION_KIND, &id, None)).chain(forgotten).collect();
    let revision = face.apply_together(ask, operations).await?;
    face.subscription_written(ask, id.as_str());
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

/// Retrieve subscription (clause 5.8.3).
pub(crate) async fn retrieve(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&["options", "local"], &[])?;
    let sys_attrs = sys_attrs(params.get("options"))?;
    let media = ask.media(&JSON_TYPES)?;
    let naming = face.link_naming(ask).await?;
    let id = ask.id(1)?;
    let (stored, snapshot) = face.stored(ask, &id).await?;
    let subscription = face.show(ask, &snapshot, id.as_str(), &stored, &naming, sys_attrs).await?;
    Ok(shown(ask, media, &naming, subscription, snapshot.revision()))
}

/// Query subscriptions (clause 5.8.4).
pub(crate) async fn list(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&["limit", "offset", "count", "options", "local"], &[])?;
    let sys_attrs = sys_attrs(params.get("options"))?;
    let paging = face.paging(&params)?;
    let media = ask.media(&JSON_TYPES)?;
    let naming = face.link_naming(ask).await?;
    let snapshot = face.snapshot(ask).await?;
    let all = snapshot.documents(SUBSCRIPTION_KIND);
    let mut list = Vec::new();
    for (id, text) in all.iter().skip(paging.offset).take(paging.limit) {
        let Some(stored) = Stored::from_text(text) else { continue };
        list.push(face.show(ask, &snapshot, id, &stored, &naming, sys_attrs).await?);
    }
    Ok(page(ask, media, &naming, (list, paging, all.len()), snapshot.revision()))
}

/// Clause 5.5.4: nothing can be deleted from what does not exist yet.
pub(super) fn refuse_nulls(members: &Map<String, Value>) -> Result<(), Fault> {
    match members.iter().find(|(_, value)| value.as_str() == Some(NGSI_LD_NULL)) {
        Some((name, _)) => {
            Err(Fault::bad_data(format!("{name}: urn:ngsi-ld:null deletes nothing here")))
        }
        None => Ok(()),
    }
}

impl Face {
    /// Reads the body of an operation on subscriptions.
    pub(crate) async fn given(&self, payload: &Payload<'_>) -> Result<Given, Fault> {
        let document = Document::from_body(&payload.bytes)?;
        let member = document.context()?;
        let naming = self.document_naming(payload, member).await?;
        let context = match (&payload.context, member) {
            (_, Some(raw)) => {
                as_string(raw).map_or_else(|| raw.get().to_owned(), std::borrow::Cow::into_owned)
            }
            (BodyContext::Link(Some(url)), None) => url.to_string(),
            (BodyContext::Link(None) | BodyContext::Body, None) => CORE_CONTEXT_URL.to_owned(),
        };
        let members: Map<String, Value> = serde_json::from_slice(&payload.bytes)
            .map_err(|error| Fault::invalid(format!("the body is not JSON: {error}")))?;
        let mut members = own_members(members);
        expand_names(&mut members, naming.context());
        Ok(Given { members, context, naming })
    }

    /// Checks what is to be stored (clauses 5.8.1.4 and 5.8.2.4).
    async fn check(
        &self,
        ask: &Ask<'_>,
        stored: &Stored,
        now: Option<Timestamp>,
    ) -> Result<(), Fault> {
        let (limits, names) = (&self.options.limits, self.engine.names());
        let subscription = stored.compile(&self.contexts, ask.place(), limits, names).await?;
        if now.is_some_and(|now| subscription.expires_at.is_some_and(|end| end <= now)) {
            return Err(Fault::bad_data("expiresAt lies in the past"));
        }
        Ok(())
    }

    /// Names the context of notifications where the client has not (clause 5.8.1.4). One that has no
    /// URL is given one: the operation that hosts it (clause 5.13.1).
    pub(super) fn name_context(
        &self,
        ask: &Ask<'_>,
        snapshot: Option<&Snapshot>,
        naming: &Naming,
        stored: &mut Stored,
    ) -> Result<Option<Operation>, Fault> {
        if stored.members.contains_key("jsonldContext") {
            return Ok(None);
        }
        let mut name = |url: &str| stored.members.insert("jsonldContext".to_owned(), url.into());
        if let Some(url) = naming.context().link() {
            name(url);
            return Ok(None);
        }
        if BaseUrl::of(ask.parts).origin().is_empty() {
            // Who names no host can be given no URL.
            return Ok(None);
        }
        let context: Value = serde_json::from_str(&stored.context)
            .map_err(|error| Fault::invalid(format!("the @context is not JSON: {error}")))?;
        let known = snapshot.and_then(|snapshot| Hosted::implicit(snapshot, &context));
        let is_new = known.is_none();
        let hosted = known.unwrap_or_else(|| Hosted::new(StoredKind::ImplicitlyCreated, context));
        if is_new && let Some(snapshot) = snapshot {
            self.check_room(snapshot)?;
        }
        name(&url_of(ask.parts, &ask.caller.twin, &hosted.id));
        Ok(is_new.then(|| hosted.put()))
    }

    /// The same after an update that may have taken the name away: the context that the subscription
    /// came with is the default once more (table 5.2.12-1).
    pub(super) async fn name_context_again(
        &self,
        ask: &Ask<'_>,
        snapshot: &Snapshot,
        stored: &mut Stored,
    ) -> Result<Option<Operation>, Fault> {
        if stored.members.contains_key("jsonldContext") {
            return Ok(None);
        }
        let naming = self.contexts.naming(ask.place(), &stored.context).await?;
        self.name_context(ask, Some(snapshot), &naming, stored)
    }

    /// Applies operations that are done together; the revision after them.
    pub(super) async fn apply_together(
        &self,
        ask: &Ask<'_>,
        operations: Vec<Operation>,
    ) -> Result<Revision, Fault> {
        let outcome =
            self.engine.apply(&ask.caller, Batch { operations, ..Batch::default() }).await?;
        for result in outcome.results {
            result?;
        }
        Ok(outcome.revision)
    }

    pub(super) async fn stored(
        &self,
        ask: &Ask<'_>,
        id: &Iri,
    ) -> Result<(Stored, Snapshot), Fault> {
        self.subscription_of(ask, SUBSCRIPTION_KIND, id).await
    }

    async fn show(
        &self,
        ask: &Ask<'_>,
        snapshot: &Snapshot,
        id: &str,
        stored: &Stored,
        naming: &Naming,
        sys_attrs: bool,
    ) -> Result<Value, Fault> {
        let deliveries = match self.subscriptions.known(&ask.caller.twin, id) {
            Some(lane) => lane.progress.deliveries(),
            None => snapshot
                .document(STATE_KIND, id)
                .map(|text| Deliveries::from_text(&text))
                .unwrap_or_default(),
        };
        let q_context = self.contexts.context(ask.place(), &stored.q_context).await.ok();
        Ok(stored.show(q_context.as_deref(), naming.context(), &deliveries, sys_attrs))
    }
}

/// The members that are kept, under their names.
fn own_members(members: Map<String, Value>) -> Map<String, Value> {
    let mut own = Map::new();
    for (name, mut value) in members {
        let name = match name.as_str() {
            "@id" => "id".to_owned(),
            "@type" => "type".to_owned(),
            "@context" => continue,
            _ if OUTPUT_ONLY.contains(&name.as_str()) => continue,
            _ => name,
        };
        if let ("notification", Value::Object(params)) = (name.as_str(), &mut value) {
            params.retain(|name, _| !OUTPUT_ONLY_PARAMS.contains(&name.as_str()));
        }
        own.insert(name, value);
    }
    own
}
