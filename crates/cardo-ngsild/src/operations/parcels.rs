//! Notifications of registrations and of snapshots that were not delivered, and sending them again.
//! These are extensions, as those of subscriptions are.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use cardo_engine::{Caller, Operation, Snapshot};
use serde_json::{Map, Value};

use crate::face::Face;
use crate::fault::Fault;
use crate::outbox::{Owner, OwnerKind, Parcel};
use crate::request::{Ask, JSON_TYPES};
use crate::respond::{answer, empty};

type Answer = Result<Response<Body>, Fault>;

/// Whose messages a request is about: the resource stands first in its path.
struct Asked {
    owner: Owner,
    caller: Caller,
    snapshot: Snapshot,
}

impl Asked {
    async fn of(face: &Face, ask: &Ask<'_>) -> Result<Self, Fault> {
        let id = ask.id(1)?;
        // Snapshots are listed on the main branch.
        let (kind, caller, what) = if ask.segment(0)? == "snapshots" {
            (OwnerKind::Snapshot, Face::on_main(ask), "snapshot")
        } else {
            (OwnerKind::Registrations, ask.caller.clone(), "subscription")
        };
        let snapshot = face.engine.snapshot(&caller).await?;
        if snapshot.document(kind.document_kind(), id.as_str()).is_none() {
            return Err(Fault::not_found(format!("{what} {id} not found")));
        }
        Ok(Self { owner: Owner::new(kind, id.as_str()), caller, snapshot })
    }
}

/// The dead letters of a subscription to registrations, or of a snapshot.
pub(crate) async fn list(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&["limit", "offset", "count"], &[])?;
    let paging = face.paging(&params)?;
    let media = ask.media(&JSON_TYPES)?;
    let naming = face.link_naming(ask).await?;
    let Asked { owner, snapshot, .. } = Asked::of(face, ask).await?;
    let all = owner.letters(&snapshot);
    let page = all.iter().skip(paging.offset).take(paging.limit);
    let shown = page.filter_map(|(_, text)| Parcel::from_text(text)?.show()).collect();
    let body = Value::Array(shown).to_string().into_bytes();
    let mut response = answer(ask, media, &naming, body, snapshot.revision());
    paging.tell_of(ask, media, all.len(), &mut response);
    Ok(response)
}

/// Forgets them.
pub(crate) async fn forget(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    ask.params(&[], &[])?;
    let Asked { owner, caller, snapshot } = Asked::of(face, ask).await?;
    let forgotten: Vec<Operation> = owner.without_letters(&snapshot);
    face.post(&caller, &owner, forgotten).await?;
    Ok(empty(StatusCode::NO_CONTENT, face.engine.snapshot(&caller).await?.revision()))
}

/// Sends them again, oldest first and before what waits.
pub(crate) async fn replay(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&[], &[])?;
    let payload = face.payload(ask, body).await?;
    let given: Map<String, Value> = serde_json::from_slice(&payload.bytes)
        .map_err(|error| Fault::invalid(format!("the body is no JSON object: {error}")))?;
    if let Some(name) = given.keys().find(|name| *name != "@context") {
        return Err(Fault::bad_data(format!("{name:?} is not a member of a replay")));
    }
    let Asked { owner, caller, snapshot } = Asked::of(face, ask).await?;
    face.send_again(&caller, &owner, &owner.letters(&snapshot)).await?;
    Ok(empty(StatusCode::NO_CONTENT, face.engine.snapshot(&caller).await?.revision()))
}
