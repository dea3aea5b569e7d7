//! What was not delivered, and telling it again. These are extensions: the specification has no
//! operations on notifications that failed.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use cardo_engine::{LogError, Operation, Snapshot};
use cardo_model::{Iri, Revision};
use serde_json::{Value, json};

use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::outbox::{Owner, OwnerKind, Parcel};
use crate::request::{Ask, JSON_TYPES};
use crate::respond::{answer, empty};
use crate::subscriptions::{LETTER_KIND, Letter, follower_name, forget_letter, letters_of};

type Answer = Result<Response<Body>, Fault>;

/// The documents of a subscription's dead letters, oldest change first.
pub(super) fn letters(snapshot: &Snapshot, id: &str) -> Vec<(Arc<str>, Arc<str>)> {
    let prefix = letters_of(id);
    let mut letters = snapshot.documents(LETTER_KIND);
    letters.retain(|(document, _)| document.starts_with(&prefix));
    letters
}

/// The dead letters of a subscription.
pub(crate) async fn list(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&["limit", "offset", "count"], &[])?;
    let paging = face.paging(&params)?;
    let media = ask.media(&JSON_TYPES)?;
    let naming = face.link_naming(ask).await?;
    let id = ask.id(1)?;
    let (_, snapshot) = face.stored(ask, &id).await?;
    let all = letters(&snapshot, id.as_str());
    // What sources have notified is in no log of this server.
    let told = owner(&id).letters(&snapshot);
    let own = all.iter().map(|(_, text)| Letter::from_text(text).map(|letter| shown(&letter)));
    let told = told.iter().map(|(_, text)| Parcel::from_text(text)?.show());
    let total = own.len() + told.len();
    let page = own.chain(told).skip(paging.offset).take(paging.limit);
    let shown: Vec<Value> = page.flatten().collect();
    let body = Value::Array(shown).to_string().into_bytes();
    let mut response = answer(ask, media, &naming, body, snapshot.revision());
    paging.tell_of(ask, media, total, &mut response);
    Ok(response)
}

fn owner(id: &Iri) -> Owner {
    Owner::new(OwnerKind::Subscription, id.as_str())
}

fn shown(letter: &Letter) -> Value {
    json!({
        "revision": letter.revision.0,
        "part": letter.part,
        "attempts": letter.attempts,
        "reason": letter.reason,
        "at": letter.at.to_string(),
    })
}

/// Forgets the dead letters of a subscription.
pub(crate) async fn forget(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    ask.params(&[], &[])?;
    let id = ask.id(1)?;
    let (_, snapshot) = face.stored(ask, &id).await?;
    let told = owner(&id).without_letters(&snapshot);
    if !told.is_empty() {
        face.apply_together(ask, told).await?;
    }
    let revision = face.forget_letters(ask, &snapshot, id.as_str(), Revision(0)).await?;
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

/// Tells everything again from a revision on: what arrived, what is a dead letter, and what waits,
/// in the order of the changes. Without a revision, from that of the oldest dead letter, and with what
/// sources had notified.
pub(crate) async fn replay(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&[], &[])?;
    let id = ask.id(1)?;
    let payload = face.payload(ask, body).await?;
    let given: Value = serde_json::from_slice(&payload.bytes)
        .map_err(|error| Fault::invalid(format!("the body is not JSON: {error}")))?;
    let Value::Object(members) = given else {
        return Err(Fault::bad_data("the body is not an object"));
    };
    if let Some(name) = members.keys().find(|name| !["from", "@context"].contains(&name.as_str())) {
        return Err(Fault::bad_data(format!("{name:?} is not a member of a replay")));
    }
    let from = match members.get("from") {
        None => None,
        Some(value) => Some(value.as_u64().filter(|from| *from > 0).ok_or_else(|| {
            Fault::bad_data(format!("from: {value} is not the number of a revision"))
        })?),
    };
    let (_, snapshot) = face.stored(ask, &id).await?;
    let told = owner(&id).letters(&snapshot);
    if from.is_none() && !told.is_empty() {
        face.send_again(&ask.caller, &owner(&id), &told).await?;
    }
    let oldest = letters(&snapshot, id.as_str())
        .into_iter()
        .find_map(|(_, text)| Letter::from_text(&text).map(|letter| letter.revision.0));
    let Some(from) = from.or(oldest) else {
        return Ok(empty(StatusCode::NO_CONTENT, snapshot.revision()));
    };
    if from > snapshot.revision().0 {
        return Err(Fault::bad_data(format!(
            "from: the newest revision is {}",
            snapshot.revision()
        )));
    }
    let before = Revision(from - 1);
    if let Err(LogError::Gone { oldest }) =
        face.engine.store().read_log(&ask.caller.twin, before, 1).await
    {
        let detail = format!("the log is cut: revision {from} is gone, the oldest is {oldest}");
        return Err(Fault::new(NgsildError::Gone, detail));
    }
    let Some(desk) = face.subscriptions.desk_soon(&ask.caller.twin).await else {
        return Err(Fault::new(NgsildError::Unavailable, "no notifications are sent at present"));
    };
    // Kept first, so that whatever happens the letters are told again before they are forgotten.
    let name = follower_name(id.as_str());
    face.engine.store().save_position(&ask.caller.twin, &name, Some(before)).await?;
    let revision = face.forget_letters(ask, &snapshot, id.as_str(), Revision(from)).await?;
    if !desk.replay(id.as_str(), before).await {
        return Err(Fault::not_found(format!("subscription {id} not found")));
    }
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

impl Face {
    /// Forgets letters of a revision and those behind it.
    async fn forget_letters(
        &self,
        ask: &Ask<'_>,
        snapshot: &Snapshot,
        id: &str,
        from: Revision,
    ) -> Result<Revision, Fault> {
        let operations: Vec<Operation> = letters(snapshot, id)
            .iter()
            .filter(|(_, text)| {
                Letter::from_text(text).is_none_or(|letter| letter.revision >= from)
            })
            .map(|(document, _)| Operation::Document(forget_letter(document)))
            .collect();
        if operations.is_empty() {
            return Ok(snapshot.revision());
        }
        self.apply_together(ask, operations).await
    }
}
