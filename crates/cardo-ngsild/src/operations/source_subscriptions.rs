//! Subscriptions to registrations of context sources (clauses 5.11.2 to 5.11.6): those of entities
//! (clause 5.8), matched against registrations.

use std::sync::Arc;

use axum::body::Body;
use axum::http::StatusCode;
use cardo_engine::Snapshot;
use cardo_model::{Iri, Timestamp};
use serde_json::Value;

use super::documents::{page, put, shown, sys_attrs};
use super::subscriptions::{Answer, merge, refuse_nulls};
use crate::face::Face;
use crate::fault::Fault;
use crate::federation::subscriptions::OF_SUBSCRIPTION;
use crate::outbox::{Owner, OwnerKind};
use crate::registrations::{
    SUBSCRIPTION_KIND, SUBSCRIPTION_STATE_KIND, Subscribed, TOLD_KIND, position_name,
};
use crate::represent::Naming;
use crate::request::{Ask, JSON_TYPES};
use crate::respond::{created, empty};
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
        face.check_new_subscription(snapshot, SUBSCRIPTION_KIND, &id)?;
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
    let (mut stored, snapshot) = face.subscription_of(ask, SUBSCRIPTION_KIND, &id).await?;
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
    let hosted = face.name_context_again(ask, &snapshot, &mut stored).await?;
    let put = put(SUBSCRIPTION_KIND, &id, Some(stored.to_text()));
    let revision = face.apply_together(ask, hosted.into_iter().chain([put]).collect()).await?;
    face.registrations.tell_subscription(&ask.caller.twin, id.as_str());
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

/// Delete context source registration subscription (clause 5.11.6).
pub(crate) async fn delete(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let id = ask.id(1)?;
    let _writing = face.subscriptions.writing.lock().await;
    let (_, snapshot) = face.subscription_of(ask, SUBSCRIPTION_KIND, &id).await?;
    refuse_owned(&snapshot, &id)?;
    let kinds = [SUBSCRIPTION_KIND, SUBSCRIPTION_STATE_KIND, TOLD_KIND];
    let left = Owner::new(OwnerKind::Registrations, id.as_str()).forgotten(&snapshot);
    let operations = kinds.map(|kind| put(kind, &id, None)).into_iter().chain(left).collect();
    let revision = face.apply_together(ask, operations).await?;
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
    let (stored, snapshot) = face.subscription_of(ask, SUBSCRIPTION_KIND, &id).await?;
    let id = id.as_str();
    let subscription =
        face.show_source_subscription(ask, &snapshot, id, &stored, &naming, sys_attrs).await;
    Ok(shown(ask, media, &naming, subscription, snapshot.revision()))
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
    Ok(page(ask, media, &naming, (list, paging, all.len()), snapshot.revision()))
}

/// What belongs to a subscription of entities comes and goes with it (clause 5.8.1.4).
fn refuse_owned(snapshot: &Snapshot, id: &Iri) -> Result<(), Fault> {
    let owner = id.as_str().strip_suffix(OF_SUBSCRIPTION);
    match owner.filter(|owner| snapshot.document(ENTITIES_KIND, owner).is_some()) {
        Some(owner) => Err(Fault::bad_data(format!("it belongs to subscription {owner}"))),
        None => Ok(()),
    }
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
