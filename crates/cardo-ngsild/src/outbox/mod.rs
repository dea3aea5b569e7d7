//! Notifications that are made once and not from the log: those of registrations (clause 5.11.7), of
//! snapshots (clause 5.16.6), and what sources notify for a subscription here (clause 5.8.6).
//!
//! Each is a document of its twin until it has arrived or was given up; then it is a dead letter, which
//! can be sent again. The messages of one owner go one after the other.

mod parcel;
mod run;

use std::sync::atomic::{AtomicI64, Ordering};

use cardo_engine::{Batch, Caller, Operation, Snapshot};
use cardo_model::{DocumentChange, Timestamp, TwinId};
use foldhash::fast::RandomState;
use hashbrown::HashSet;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::registrations;
use crate::snapshots::SNAPSHOT_KIND;
use crate::subscriptions::{self, Message};

pub(crate) use parcel::Parcel;
pub(crate) use run::run;

/// The kind of document under which messages wait.
const WAITING_KIND: &str = "outbox";
/// The kind under which dead letters are kept.
const LETTER_KIND: &str = "outbox-letter";
/// The name of the position by which a later run finds twins with messages.
const POSITION: &str = "outbox";

/// Messages of one owner that wait at the most, and their bytes.
const MOST_WAITING: usize = 1_000;
const MOST_BYTES: usize = 16 << 20;

/// Of whom a message tells.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    pub(crate) kind: OwnerKind,
    pub(crate) id: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum OwnerKind {
    /// A subscription to entities, of which a source has notified.
    Subscription,
    /// A subscription to registrations.
    Registrations,
    /// A snapshot.
    Snapshot,
}

impl OwnerKind {
    const ALL: [Self; 3] = [Self::Subscription, Self::Registrations, Self::Snapshot];

    /// The kind of its own document.
    pub(crate) fn document_kind(self) -> &'static str {
        match self {
            Self::Subscription => subscriptions::SUBSCRIPTION_KIND,
            Self::Registrations => registrations::SUBSCRIPTION_KIND,
            Self::Snapshot => SNAPSHOT_KIND,
        }
    }
}

impl Owner {
    pub(crate) fn new(kind: OwnerKind, id: &str) -> Self {
        Self { kind, id: id.into() }
    }

    /// How the ids of its messages begin; an id has no space in it.
    fn prefix(&self) -> String {
        format!("{} {} ", self.kind.document_kind(), self.id)
    }

    /// The owner of a message, by the id of its document.
    fn of(document: &str) -> Option<Self> {
        let mut words = document.split(' ');
        let name = words.next()?;
        let kind = OwnerKind::ALL.into_iter().find(|kind| kind.document_kind() == name)?;
        Some(Self::new(kind, words.next()?))
    }

    fn waiting(&self, snapshot: &Snapshot, most: usize) -> Vec<Kept> {
        snapshot.documents_with(WAITING_KIND, &self.prefix(), most)
    }

    /// The dead letters, oldest first.
    pub(crate) fn letters(&self, snapshot: &Snapshot) -> Vec<Kept> {
        snapshot.documents_with(LETTER_KIND, &self.prefix(), usize::MAX)
    }

    /// What forgets the dead letters.
    pub(crate) fn without_letters(&self, snapshot: &Snapshot) -> Vec<Operation> {
        let letters = self.letters(snapshot).into_iter();
        letters.map(|(id, _)| change(LETTER_KIND, &id, None)).collect()
    }

    /// What forgets all that is kept for it.
    pub(crate) fn forgotten(&self, snapshot: &Snapshot) -> Vec<Operation> {
        let waiting = self.waiting(snapshot, usize::MAX).into_iter();
        let waiting = waiting.map(|(id, _)| change(WAITING_KIND, &id, None));
        waiting.chain(self.without_letters(snapshot)).collect()
    }
}

/// A message as it is kept: the id of its document, and its text.
type Kept = (std::sync::Arc<str>, std::sync::Arc<str>);

/// Whose messages are to be sent.
type Work = (TwinId, Owner);

/// What those who post and those who send tell one another.
#[derive(Default)]
pub(crate) struct Outbox {
    last: AtomicI64,
    due: Mutex<Due>,
    wake: Notify,
    /// Twins whose position is kept.
    marked: tokio::sync::Mutex<HashSet<TwinId, RandomState>>,
}

#[derive(Default)]
struct Due {
    begin: Vec<Work>,
    /// Work under way; `true` where something was posted since it was looked at.
    busy: hashbrown::HashMap<Work, bool, RandomState>,
}

impl Outbox {
    /// Says that there is something to send.
    fn tell(&self, work: Work) {
        let mut due = self.due.lock();
        if let Some(again) = due.busy.get_mut(&work) {
            *again = true;
            return;
        }
        due.busy.insert(work.clone(), false);
        due.begin.push(work);
        drop(due);
        self.wake.notify_one();
    }

    async fn begun(&self) -> Vec<Work> {
        loop {
            let begin = std::mem::take(&mut self.due.lock().begin);
            if !begin.is_empty() {
                return begin;
            }
            self.wake.notified().await;
        }
    }

    /// Ends work where nothing has come meanwhile.
    fn ends(&self, work: &Work) -> bool {
        let mut due = self.due.lock();
        let has_more = due.busy.get_mut(work).is_some_and(std::mem::take);
        if !has_more {
            due.busy.remove(work);
        }
        !has_more
    }

    /// A number behind all that were given before.
    fn number(&self, now: Timestamp) -> i64 {
        let next = |last: i64| now.as_micros().max(last.saturating_add(1));
        let before =
            self.last.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(next(last)));
        next(before.unwrap_or_else(|last| last))
    }
}

fn change(kind: &str, id: &str, body: Option<String>) -> Operation {
    let body = body.map(String::into_boxed_str);
    Operation::Document(DocumentChange { kind: kind.into(), id: id.into(), body })
}

impl Face {
    /// What keeps a message until it has arrived. Refused where as many wait for its owner as may.
    pub(crate) fn posting(
        &self,
        snapshot: &Snapshot,
        owner: &Owner,
        message: &Message,
        cooldown: Option<std::time::Duration>,
    ) -> Result<Operation, Fault> {
        let waiting = owner.waiting(snapshot, MOST_WAITING);
        let bytes: usize = waiting.iter().map(|(_, text)| text.len()).sum();
        if waiting.len() >= MOST_WAITING || bytes > MOST_BYTES {
            let detail = "too many notifications wait for the receiver";
            return Err(Fault::new(NgsildError::Unavailable, detail));
        }
        let now = self.engine.now();
        let number = self.outbox.number(now);
        let parcel = Parcel::new(message, cooldown, now);
        let id = format!("{}{number:020}", owner.prefix());
        Ok(change(WAITING_KIND, &id, Some(parcel.to_text())))
    }

    /// Writes what keeps messages, with what belongs to it, and has them sent.
    pub(crate) async fn post(
        &self,
        caller: &Caller,
        owner: &Owner,
        operations: Vec<Operation>,
    ) -> Result<(), Fault> {
        self.mark_outbox(&caller.twin).await?;
        let outcome = self.engine.apply(caller, Batch { operations, ..Batch::default() }).await?;
        for result in outcome.results {
            result?;
        }
        self.outbox.tell((caller.twin.clone(), owner.clone()));
        Ok(())
    }

    /// Sees to it that a later run finds the twin.
    async fn mark_outbox(&self, twin: &TwinId) -> Result<(), Fault> {
        let mut marked = self.outbox.marked.lock().await;
        if !marked.contains(twin) {
            let caller = Caller { twin: twin.clone(), ..Caller::local("outbox") };
            let revision = self.engine.snapshot(&caller).await?.revision();
            self.engine.store().save_position(twin, POSITION, Some(revision)).await?;
            marked.insert(twin.clone());
        }
        Ok(())
    }

    /// Puts dead letters back among those that wait, from one of a number on; how many there were.
    pub(crate) async fn send_again(
        &self,
        caller: &Caller,
        owner: &Owner,
        letters: &[Kept],
    ) -> Result<(), Fault> {
        let now = self.engine.now();
        let mut operations = Vec::with_capacity(2 * letters.len());
        for (id, text) in letters {
            let Some(parcel) = Parcel::from_text(text) else { continue };
            operations.push(change(LETTER_KIND, id, None));
            operations.push(change(WAITING_KIND, id, Some(parcel.anew(now).to_text())));
        }
        self.post(caller, owner, operations).await
    }
}
