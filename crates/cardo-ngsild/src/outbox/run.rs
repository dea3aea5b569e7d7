//! Sends what waits, one message of an owner after the other.

use std::sync::Arc;
use std::time::Duration;

use cardo_engine::{Batch, Caller, Operation};
use cardo_model::Timestamp;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::parcel::Parcel;
use super::{
    Kept, LETTER_KIND, MOST_BYTES, Owner, OwnerKind, POSITION, WAITING_KIND, Work, change,
};
use crate::face::Face;
use crate::registrations;
use crate::subscriptions::{DeliveryError, RETRY_AFTER, Stored, Tally};

/// How it goes on.
#[derive(PartialEq, Eq)]
enum Then {
    Go,
    Stop,
}

/// Sends until it is asked to stop; what is left is sent by a later run.
pub(crate) async fn run(face: Arc<Face>, mut stopped: watch::Receiver<bool>) {
    restore(&face).await;
    let tasks = TaskTracker::new();
    loop {
        let begun = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            begun = face.outbox.begun() => begun,
        };
        for work in begun {
            tasks.spawn(send_all(face.clone(), work, stopped.clone()));
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// Finds what earlier runs have left.
async fn restore(face: &Face) {
    let twins = face.engine.twins().await.unwrap_or_else(|error| {
        tracing::error!(error = %error, "the twins could not be listed; notifications of earlier runs wait");
        Vec::new()
    });
    let store = face.engine.store();
    for twin in twins {
        let mut marked = face.outbox.marked.lock().await;
        let positions = store.positions(&twin).await.unwrap_or_default();
        if marked.contains(&twin) || !positions.iter().any(|(name, _)| &**name == POSITION) {
            continue;
        }
        let caller = Caller { twin: twin.clone(), ..Caller::local("outbox") };
        let Ok(snapshot) = face.engine.snapshot(&caller).await else { continue };
        let mut owners: Vec<Owner> = Vec::new();
        for (id, _) in snapshot.documents(WAITING_KIND) {
            if let Some(owner) = Owner::of(&id).filter(|owner| owners.last() != Some(owner)) {
                owners.push(owner);
            }
        }
        if owners.is_empty() {
            let _ = store.save_position(&twin, POSITION, None).await;
        } else {
            marked.insert(twin.clone());
        }
        for owner in owners {
            face.outbox.tell((twin.clone(), owner));
        }
    }
}

/// Sends all messages of an owner.
async fn send_all(face: Arc<Face>, work: Work, mut stopped: watch::Receiver<bool>) {
    let caller = Caller { twin: work.0.clone(), ..Caller::local("outbox") };
    loop {
        // The branch is gone, or the engine closes.
        let Ok(snapshot) = face.engine.snapshot(&caller).await else {
            face.outbox.ends(&work);
            return;
        };
        let sender = Sender { face: &face, caller: &caller, work: &work };
        let then = match work.1.waiting(&snapshot, 1).pop() {
            None if face.outbox.ends(&work) => return,
            None => Then::Go,
            Some(kept) => sender.send(&kept, &mut stopped).await,
        };
        if then == Then::Stop {
            return;
        }
    }
}

/// Sends one message.
struct Sender<'a> {
    face: &'a Arc<Face>,
    caller: &'a Caller,
    work: &'a Work,
}

impl Sender<'_> {
    /// Tries until the message has arrived, is a dead letter, or is not to be sent any more.
    async fn send(&self, (id, text): &Kept, stopped: &mut watch::Receiver<bool>) -> Then {
        let Some(parcel) = Parcel::from_text(text) else {
            tracing::error!(message = %id, "a notification that waits cannot be read");
            return self.keep(vec![change(WAITING_KIND, id, None)], stopped).await;
        };
        let options = self.face.options.deliveries;
        let mut attempts = 0;
        loop {
            match self.standing().await {
                Standing::Gone => {
                    return self.keep(vec![change(WAITING_KIND, id, None)], stopped).await;
                }
                Standing::Silent => {
                    let reason = "the subscription is paused or has expired";
                    return self.bury(id, parcel, attempts, reason, stopped).await;
                }
                Standing::Active => {}
            }
            let now = Timestamp::now();
            let outcome = self.face.options.courier.deliver(parcel.message.clone()).await;
            attempts += 1;
            let pause = match outcome {
                Ok(_) => {
                    Tally::add(&self.face.subscriptions.tally.delivered);
                    let mut done = vec![change(WAITING_KIND, id, None)];
                    done.extend(self.count(now, attempts == 1, Ok(())));
                    return self.keep(done, stopped).await;
                }
                Err(DeliveryError::Stopped) => return Then::Stop,
                Err(DeliveryError::Failed { reason, is_final, pause }) => {
                    Tally::add(&self.face.subscriptions.tally.failed);
                    if attempts == 1 {
                        tracing::warn!(owner = %self.work.1.id, reason, "a notification was not delivered");
                    }
                    // A notification has failed once, however often it is tried.
                    let is_first = attempts == 1;
                    let counted = is_first.then(|| self.count(now, true, Err(&reason))).flatten();
                    if is_final || age(parcel.since, now) >= options.retry_for {
                        return self
                            .bury_counted(id, parcel, (attempts, &reason), counted, stopped)
                            .await;
                    }
                    let asked = pause.unwrap_or_default().max(parcel.cooldown.unwrap_or_default());
                    options.pause(attempts).max(asked)
                }
            };
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return Then::Stop,
                () = tokio::time::sleep(pause.min(options.longest_pause)) => {}
            }
        }
    }

    async fn standing(&self) -> Standing {
        let owner = &self.work.1;
        // That a snapshot is deleted is told when it is.
        if owner.kind == OwnerKind::Snapshot {
            return Standing::Active;
        }
        let Ok(snapshot) = self.face.engine.snapshot(self.caller).await else {
            return Standing::Active;
        };
        let document = snapshot.document(owner.kind.document_kind(), &owner.id);
        let Some(stored) = document.and_then(|text| Stored::from_text(&text)) else {
            return Standing::Gone;
        };
        let is_paused = stored.members.get("isActive") == Some(&Value::Bool(false));
        let end = stored.members.get("expiresAt").and_then(Value::as_str);
        let end = end.and_then(|end| Timestamp::parse(end).ok());
        let is_over = end.is_some_and(|end| end <= Timestamp::now());
        if is_paused || is_over { Standing::Silent } else { Standing::Active }
    }

    /// Counts an attempt with the subscription (clause 5.8.6); what keeps that.
    fn count(&self, at: Timestamp, is_first: bool, outcome: Result<(), &str>) -> Option<Operation> {
        let (twin, owner) = self.work;
        match owner.kind {
            OwnerKind::Snapshot => None,
            OwnerKind::Subscription => {
                let lane = self.face.subscriptions.known(twin, &owner.id)?;
                lane.progress.count(at, is_first, outcome);
                None
            }
            OwnerKind::Registrations => {
                let snapshot = self.face.engine.loaded_snapshot(self.caller)?;
                let key = (twin.clone(), owner.id.clone());
                let text =
                    registrations::counted(self.face, &snapshot, &key, at, is_first, outcome);
                Some(change(registrations::SUBSCRIPTION_STATE_KIND, &owner.id, Some(text)))
            }
        }
    }

    async fn bury(
        &self,
        id: &str,
        parcel: Parcel,
        attempts: u32,
        reason: &str,
        stopped: &mut watch::Receiver<bool>,
    ) -> Then {
        self.bury_counted(id, parcel, (attempts, reason), None, stopped).await
    }

    /// Makes a dead letter of a message; the oldest make room.
    async fn bury_counted(
        &self,
        id: &str,
        parcel: Parcel,
        (attempts, reason): (u32, &str),
        counted: Option<Operation>,
        stopped: &mut watch::Receiver<bool>,
    ) -> Then {
        Tally::add(&self.face.subscriptions.tally.dead_letters);
        let text = parcel.given_up(attempts, reason, Timestamp::now()).to_text();
        let mut operations = vec![change(WAITING_KIND, id, None)];
        operations.extend(counted);
        if let Ok(snapshot) = self.face.engine.snapshot(self.caller).await {
            let most = self.face.options.deliveries.dead_letters;
            let letters = self.work.1.letters(&snapshot);
            let surplus = surplus(&letters, text.len(), most);
            operations
                .extend(letters[..surplus].iter().map(|(id, _)| change(LETTER_KIND, id, None)));
            if most > 0 {
                operations.push(change(LETTER_KIND, id, Some(text)));
            }
        }
        self.keep(operations, stopped).await
    }

    /// Writes what has come of a message; waits until that can be written.
    async fn keep(&self, operations: Vec<Operation>, stopped: &mut watch::Receiver<bool>) -> Then {
        let _writing = self.face.subscriptions.writing.lock().await;
        let operations = self.of_what_is_there(operations).await;
        let batch = Batch { operations, ..Batch::default() };
        let Err(error) = self.face.engine.apply(self.caller, batch).await else { return Then::Go };
        tracing::warn!(error = %error, "what came of a notification was not kept");
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => Then::Stop,
            () = tokio::time::sleep(RETRY_AFTER) => Then::Go,
        }
    }

    /// Of a subscription that was deleted meanwhile nothing more is kept.
    async fn of_what_is_there(&self, mut operations: Vec<Operation>) -> Vec<Operation> {
        let owner = &self.work.1;
        let snapshot = self.face.engine.snapshot(self.caller).await;
        let is_there = snapshot.is_ok_and(|snapshot| {
            snapshot.document(owner.kind.document_kind(), &owner.id).is_some()
        });
        if !is_there {
            operations.retain(|operation| {
                matches!(operation, Operation::Document(change) if change.body.is_none())
            });
        }
        operations
    }
}

enum Standing {
    Active,
    /// Paused or expired.
    Silent,
    /// Deleted.
    Gone,
}

fn age(since: Timestamp, now: Timestamp) -> Duration {
    Duration::from_micros(now.as_micros().saturating_sub(since.as_micros()).max(0).unsigned_abs())
}

/// How many of the oldest letters have to go before one more is put to them.
fn surplus(letters: &[Kept], more: usize, most: usize) -> usize {
    let mut bytes: usize = more + letters.iter().map(|(_, text)| text.len()).sum::<usize>();
    let mut gone = 0;
    while gone < letters.len() && (letters.len() - gone >= most || bytes > MOST_BYTES) {
        bytes -= letters[gone].1.len();
        gone += 1;
    }
    gone
}
