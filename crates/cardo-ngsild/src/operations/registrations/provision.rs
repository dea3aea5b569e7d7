//! Registering, updating and deleting context sources (clause 5.9).

use std::sync::Arc;

use axum::body::Body;
use axum::http::StatusCode;
use cardo_engine::{
    Caller, EntityQuery, Mode, Order, PageRequest, PageStart, REGISTRATION_KIND, Reach,
    Registration,
};
use cardo_model::{Revision, Timestamp};

use super::Answer;
use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::operations::documents::put;
use crate::registrations::{EXPIRY_POSITION, Stored, read};
use crate::request::Ask;
use crate::respond::{created, empty};

/// Register context source (clause 5.9.2).
pub(crate) async fn create(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let mut given = face.given_registration(ask, body).await?;
    given.refuse_nulls()?;
    let new_id = || format!("urn:ngsi-ld:ContextSourceRegistration:{}", uuid::Uuid::new_v4());
    given.0.entry("id").or_insert_with(|| new_id().into());
    let registration = read(&given.0)?;
    let now = Timestamp::now();
    if registration.is_expired(now) {
        return Err(Fault::bad_data("expiresAt lies in the past"));
    }
    let _writing = face.registrations.writing.lock().await;
    let known = match face.engine.registrations(&ask.caller).await {
        Ok(known) => known,
        // A tenant comes into being with what is first written to it (clause 4.14).
        Err(cardo_engine::QueryError::UnknownTenant(_)) => Arc::default(),
        Err(error) => return Err(error.into()),
    };
    let id = &registration.id;
    if known.get(id.as_str()).is_some_and(|known| !known.is_expired(now)) {
        let detail = format!("registration {id} exists already");
        return Err(Fault::new(NgsildError::AlreadyExists, detail));
    }
    let most = face.options.limits.registrations;
    if known.len() >= most {
        let detail = format!("the tenant has {most} registrations, the most that are accepted");
        return Err(Fault::new(NgsildError::Forbidden, detail));
    }
    face.check_conflicts(ask, &registration).await?;
    let stored = Stored { members: given.0, created_at: now, modified_at: now };
    let revision = face.keep_registration(ask, &registration, &stored).await?;
    face.registration_written(ask);
    Ok(created(ask, "csourceRegistrations", id.as_str(), revision))
}

/// Update context source registration (clause 5.9.3).
pub(crate) async fn update(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let id = ask.id(1)?;
    let given = face.given_registration(ask, body).await?;
    if given.0.get("id").is_some_and(|other| other.as_str() != Some(id.as_str())) {
        return Err(Fault::bad_data("the id of a registration cannot be changed"));
    }
    let _writing = face.registrations.writing.lock().await;
    let (mut stored, _) = face.stored_registration(ask, &id).await?;
    // Only an expiry that is given anew has to lie in the future.
    let renews = given.0.contains_key("expiresAt");
    stored.merge(given)?;
    let registration = read(&stored.members)?;
    stored.modified_at = Timestamp::now();
    if renews && registration.is_expired(stored.modified_at) {
        return Err(Fault::bad_data("expiresAt lies in the past"));
    }
    face.check_conflicts(ask, &registration).await?;
    let revision = face.keep_registration(ask, &registration, &stored).await?;
    face.registration_written(ask);
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

/// Delete context source registration (clause 5.9.4).
pub(crate) async fn delete(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let id = ask.id(1)?;
    let _writing = face.registrations.writing.lock().await;
    face.stored_registration(ask, &id).await?;
    let (_, revision) = face.apply_one(ask, put(REGISTRATION_KIND, &id, None)).await?;
    face.registrations.tell(&ask.caller.twin, false);
    face.registration_written(ask);
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

impl Face {
    /// Writes a registration, and tells those of it who wait for that.
    async fn keep_registration(
        &self,
        ask: &Ask<'_>,
        registration: &Registration,
        stored: &Stored,
    ) -> Result<Revision, Fault> {
        let put = put(REGISTRATION_KIND, &registration.id, Some(stored.to_text()));
        let (_, revision) = self.apply_one(ask, put).await?;
        let twin = &ask.caller.twin;
        let has_end = registration.expires_at.is_some();
        if has_end {
            // By this a later run of the server finds the twin.
            let store = self.engine.store();
            store.save_position(twin, EXPIRY_POSITION, Some(revision)).await?;
        }
        self.registrations.tell(twin, has_end);
        Ok(revision)
    }

    /// What a proxied registration may not meet: another one of the same, and entities that the
    /// twin holds itself (clauses 4.3.6.3 and 5.9.2.4).
    async fn check_conflicts(&self, ask: &Ask<'_>, new: &Registration) -> Result<(), Fault> {
        if !new.mode.is_proxied() {
            return Ok(());
        }
        let conflict = |detail: String| Fault::new(NgsildError::Conflict, detail);
        let known = match self.engine.registrations(&ask.caller).await {
            Err(cardo_engine::QueryError::UnknownTenant(_)) => return Ok(()),
            known => known?,
        };
        if let Some(other) = known.conflict(new, Timestamp::now()) {
            let mode = if new.mode == Mode::Exclusive { "exclusive" } else { "redirect" };
            let other = &other.id;
            return Err(conflict(format!("registration {other} excludes this {mode} one")));
        }
        let snapshot = self.snapshot(ask).await?;
        let query = EntityQuery {
            filter: new.filter(),
            order: Order::default(),
            page: PageRequest { limit: 1, start: PageStart::Offset(0) },
            count: false,
        };
        // What counts is what the twin holds itself.
        let caller = Caller { reach: Reach::Local, ..ask.caller.clone() };
        let held = self.engine.query_in(&caller, &snapshot, &query).await?;
        match held.entities.first() {
            Some(entity) => {
                let id = entity.id();
                Err(conflict(format!("entity {id} is held here, and the source would have it")))
            }
            None => Ok(()),
        }
    }
}
