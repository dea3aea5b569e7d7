//! Registrations go when their time is over (clause 5.9.2.4).

use std::sync::Arc;
use std::time::Duration;

use cardo_engine::{Batch, Caller, Operation, REGISTRATION_KIND};
use cardo_model::{DocumentChange, Timestamp, TwinId};
use tokio::sync::watch;

use super::EXPIRY_POSITION;
use crate::face::Face;

/// The clock of the machine may be set; so often it is looked at again at the least.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

/// Deletes what has expired until it is asked to stop.
pub(super) async fn run(face: Arc<Face>, mut stopped: watch::Receiver<bool>) {
    loop {
        let pause = expire(&face).await;
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = face.registrations.next_expiring() => {}
            () = sleep(pause) => {}
        }
    }
}

async fn sleep(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause.min(LOOK_AGAIN)).await,
        None => std::future::pending().await,
    }
}

/// Deletes what has expired in all twins; how long it takes until there is more, if ever.
async fn expire(face: &Face) -> Option<Duration> {
    let mut next: Option<Timestamp> = None;
    let now = Timestamp::now();
    for twin in face.registrations.expiring() {
        match expire_in(face, &twin, now).await {
            Ok(Some(moment)) => next = Some(next.map_or(moment, |next| next.min(moment))),
            Ok(None) => face.registrations.no_longer_expiring(&twin),
            Err(error) => {
                tracing::error!(twin = %twin, error, "expired registrations could not be deleted");
                next = Some(now.plus_micros(60_000_000));
            }
        }
    }
    let micros = next?.as_micros().saturating_sub(now.as_micros());
    Some(Duration::from_micros(micros.max(0).cast_unsigned()))
}

/// When the next registration of a twin expires.
async fn expire_in(
    face: &Face,
    twin: &TwinId,
    now: Timestamp,
) -> Result<Option<Timestamp>, String> {
    let caller = Caller { twin: twin.clone(), ..Caller::local("registrations") };
    let _writing = face.registrations.writing.lock().await;
    let all = face.engine.registrations(&caller).await.map_err(|error| error.to_string())?;
    let next = all.iter().filter_map(|one| one.expires_at).filter(|end| *end > now).min();
    let expired = all.iter().filter(|one| one.is_expired(now)).map(|one| {
        Operation::Document(DocumentChange {
            kind: REGISTRATION_KIND.into(),
            id: one.id.as_str().into(),
            body: None,
        })
    });
    let operations: Vec<Operation> = expired.collect();
    if !operations.is_empty() {
        let batch = Batch { operations, ..Batch::default() };
        face.engine.apply(&caller, batch).await.map_err(|error| error.to_string())?;
        face.registrations.tell(twin, false);
    }
    if next.is_none() {
        let dropped = face.engine.store().save_position(twin, EXPIRY_POSITION, None).await;
        dropped.map_err(|error| error.to_string())?;
    }
    Ok(next)
}
