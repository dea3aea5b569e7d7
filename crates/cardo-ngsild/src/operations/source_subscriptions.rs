//! Subscriptions to registrations of context sources (clauses 5.11.2 to 5.11.6): those of entities
//! (clause 5.8), matched against registrations.

use std::sync::Arc;

use axum::body::Body;
use axum::http::StatusCode;
use cardo_engine::{Operation, Snapshot};
use cardo_model::{DocumentChange, Iri, Timestamp};
use serde_json::Value;

use super::discovery::add_context;
use super::subscriptions::{Answer, merge, refuse_nulls, sys_attrs};
use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::federation::subscriptions::OF_SUBSCRIPTION;
use crate::registrations::{
    SUBSCRIPTION_KIND, SUBSCRIPTION_STATE_KIND, Subscribed, TOLD_KIND, position_name,
};
use crate::represent::Naming;
use crate::request::{Ask, JSON_TYPES, Media};
use crate::respond::{answer, created, empty};
use crate::subscriptions::{Deliveries, SUBSCRIPTION_KIND as ENTITIES_KIND, Stored};

/// Create context source registration subscription (clause 5.11.2).
pub(crate) async fn create(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let payload = face.payload(ask, body).await?;
    let mut given = face.given(&payload).await?;
    let id = given.take_id()?;
    refuse_nulls(&given.members)?;
    let now = Timestamp::now();
    let naming = given.naming.clone();
    let mut stored = Stored {
        members: given.members,
        q_context: given.context.clone(),
        context: given.context,
        created_at: now,
        modified_at: now,
    };
    face.check_source_subscription(ask, &stored, Some(now)).await?;
    let _writing = face.subscriptions.writing.lock().await;
    let snapshot = face.contexts.twin(&ask.caller.twin).await?;
    if let Some(snapshot) = &snapshot {
        if snapshot.document(SUBSCRIPTION_KIND, id.as_str()).is_some() {
            let detail = format!("subscription {id} exists already");
            return Err(Fault::new(NgsildError::AlreadyExists, detail));
        }
        let most = face.options.limits.subscriptions;
        if snapshot.documents(SUBSCRIPTION_KIND).len() >= most {
            let detail = format!("the tenant has {most} subscriptions, the most that are accepted");
            return Err(Fault::new(NgsildError::Forbidden, detail));
        }
    }
    let hosted = face.name_context(ask, snapshot.as_ref(), &naming, &mut stored)?;
    let put = put(SUBSCRIPTION_KIND, &id, Some(stored.to_text()));
    let revision = face.apply_together(ask, hosted.into_iter().chain([put]).collect()).await?;
    let name = position_name(id.as_str());
    face.engine.store().save_position(&ask.caller.twin, &name, Some(revision)).await?;
    face.registrations.tell_subscription(&ask.caller.twin, id.as_str());
    Ok(created(ask, "csourceSubscriptions", id.as_str(), revision))
}

/// Update context source registration subscription (clause 5.11.3).
pub(crate) async fn update(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let id = ask.id(1)?;
    let payload = face.payload(ask, body).await?;
    let given = face.given(&payload).await?;
    let _writing = face.subscriptions.writing.lock().await;
    let (mut stored, snapshot) = face.stored_source_subscription(ask, &id).await?;
    refuse_owned(&snapshot, &id)?;
    if given.members.get("id").is_some_and(|other| other.as_str() != Some(id.as_str())) {
        return Err(Fault::bad_data("the id of a subscription cannot be changed"));
    }
    if given.members.contains_key("q") || given.members.contains_key("csf") {
        stored.q_context.clone_from(&given.context);
    }
    let now = Timestamp::now();
    let renews = given.members.contains_key("expiresAt");
    merge(&mut stored, given.members)?;
    stored.modified_at = now;
    face.check_source_subscription(ask, &stored, renews.then_some(now)).await?;
    let put = put(SUBSCRIPTION_KIND, &id, Some(stored.to_text()));
    let revision = face.apply_together(ask, vec![put]).await?;
    face.registrations.tell_subscription(&ask.caller.twin, id.as_str());
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

/// Delete context source registration subscription (clause 5.11.6).
pub(crate) async fn delete(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let id = ask.id(1)?;
    let _writing = face.subscriptions.writing.lock().await;
    let (_, snapshot) = face.stored_source_subscription(ask, &id).await?;
    refuse_owned(&snapshot, &id)?;
    let kinds = [SUBSCRIPTION_KIND, SUBSCRIPTION_STATE_KIND, TOLD_KIND];
    let revision = face.apply_together(ask, kinds.map(|kind| put(kind, &id, None)).into()).await?;
    face.registrations.tell_subscription(&ask.caller.twin, id.as_str());
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

/// Retrieve context source registration subscription (clause 5.11.4).
pub(crate) async fn retrieve(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&["options", "local"], &[])?;
    let sys_attrs = sys_attrs(params.get("options"))?;
    let media = ask.media(&JSON_TYPES)?;
    let naming = face.link_naming(ask).await?;
    let id = ask.id(1)?;
    let (stored, snapshot) = face.stored_source_subscription(ask, &id).await?;
    let id = id.as_str();
    let mut shown =
        face.show_source_subscription(ask, &snapshot, id, &stored, &naming, sys_attrs).await;
    if media == Media::JsonLd {
        add_context(&mut shown, &naming);
    }
    Ok(answer(ask, media, &naming, shown.to_string().into_bytes(), snapshot.revision()))
}

/// Query context source registration subscriptions (clause 5.11.5).
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
        list.push(
            face.show_source_subscription(ask, &snapshot, id, &stored, &naming, sys_attrs).await,
        );
    }
    let mut shown = Value::Array(list);
    if media == Media::JsonLd {
        add_context(&mut shown, &naming);
    }
    let body = shown.to_string().into_bytes();
    let mut response = answer(ask, media, &naming, body, snapshot.revision());
    let has_more = paging.offset.saturating_add(paging.limit) < all.len();
    paging.tell(ask, media, paging.count.then_some(all.len()), has_more, &mut response);
    Ok(response)
}

/// What belongs to a subscription of entities comes and goes with it (clause 5.8.1.4).
fn refuse_owned(snapshot: &Snapshot, id: &Iri) -> Result<(), Fault> {
    let owner = id.as_str().strip_suffix(OF_SUBSCRIPTION);
    match owner.filter(|owner| snapshot.document(ENTITIES_KIND, owner).is_some()) {
        Some(owner) => Err(Fault::bad_data(format!("it belongs to subscription {owner}"))),
        None => Ok(()),
    }
}

fn put(kind: &str, id: &Iri, text: Option<String>) -> Operation {
    Operation::Document(DocumentChange {
        kind: kind.into(),
        id: id.as_str().into(),
        body: text.map(String::into_boxed_str),
    })
}

impl Face {
    /// Checks what is to be stored (clauses 5.11.2.4 and 5.11.3.4).
    async fn check_source_subscription(
        &self,
        ask: &Ask<'_>,
        stored: &Stored,
        now: Option<Timestamp>,
    ) -> Result<(), Fault> {
        let subscribed = Subscribed::compile(self, stored, ask.place()).await?;
        if now.is_some_and(|now| subscribed.subscription.expires_at.is_some_and(|end| end <= now)) {
            return Err(Fault::bad_data("expiresAt lies in the past"));
        }
        Ok(())
    }

    async fn stored_source_subscription(
        &self,
        ask: &Ask<'_>,
        id: &Iri,
    ) -> Result<(Stored, Snapshot), Fault> {
        let snapshot = self.snapshot(ask).await?;
        let text = snapshot.document(SUBSCRIPTION_KIND, id.as_str());
        let stored = text.and_then(|text| Stored::from_text(&text));
        let stored =
            stored.ok_or_else(|| Fault::not_found(format!("subscription {id} not found")))?;
        Ok((stored, snapshot))
    }

    async fn show_source_subscription(
        &self,
        ask: &Ask<'_>,
        snapshot: &Snapshot,
        id: &str,
        stored: &Stored,
        naming: &Naming,
        sys_attrs: bool,
    ) -> Value {
        let key = (ask.caller.twin.clone(), Box::from(id));
        let deliveries = self.registrations.known(&key).unwrap_or_else(|| {
            let text = snapshot.document(SUBSCRIPTION_STATE_KIND, id);
            text.map(|text| Deliveries::from_text(&text)).unwrap_or_default()
        });
        let q_context = self.contexts.context(ask.place(), &stored.q_context).await.ok();
        let mut shown = stored.show(q_context.as_deref(), naming.context(), &deliveries, sys_attrs);
        // Triggers are changes of attributes, which registrations have not.
        if let (Value::Object(members), false) =
            (&mut shown, stored.members.contains_key("notificationTrigger"))
        {
            members.remove("notificationTrigger");
        }
        shown
    }
}
