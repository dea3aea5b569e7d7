//! Branches: a twin that goes its own way from a revision of another (NGSI-LD, clause 4.3.7, calls
//! one a snapshot).
//!
//! A branch shares the root of its parent, so that it costs the same however large the twin is; one that
//! begins with a part of it shares what that part has ([`Choice`]). It is
//! durable with the record that names its parent, before its state is written: until that is done,
//! behind everything else, the parent's projection stands still at the revision of the branch, so
//! that the state there and the log up to that revision tell what the branch began with, together with
//! the choice in the first record of its own log. History before the branch is read from the parent,
//! which is kept as long as a branch leans on it.

mod beginning;
mod choice;
mod register;
mod settle;
mod written;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cardo_model::{DocumentChange, LogRecord, NameId, Record, Revision, Timestamp, TwinId};
use tokio::sync::oneshot;

use crate::caller::Caller;
use crate::engine::{Engine, Inner, of_now};
use crate::follow::Followed;
use crate::live::{Past, Root};
use crate::operation::WriteError;
use crate::ports::{Append, EncodedRecord, HistoryRow, StoreError};
use crate::query::QueryError;
use crate::sequencer::{Command, Pending};
use crate::twin::{Tailed, Twin};

pub(crate) use beginning::Beginning;
pub use choice::Choice;
pub(crate) use choice::{Part, Pin, Pins};
use register::DROPPED;
pub(crate) use register::Entry;

/// A twin from which another has branched off, and where.
pub(crate) struct Origin {
    pub(crate) parent: Arc<Twin>,
    pub(crate) revision: Revision,
    /// Whether it began with a part of it.
    pub(crate) is_part: bool,
}

/// What is known of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchInfo {
    /// Its name.
    pub name: Box<str>,
    /// The revision at which it left its parent.
    pub revision: Revision,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is gone.
    pub expires_at: Option<Timestamp>,
}

/// What a branch begins with that does not begin with the whole of another twin.
#[derive(Clone, Debug, Default)]
pub struct BranchContent {
    /// Its entities; each keeps its dates and its place in the order of creation.
    pub entities: Vec<Record>,
    /// Lines of history, with the revisions that they have where they are from.
    pub history: Vec<HistoryRow>,
    /// Entities of which it knows the history alone: their records without attributes.
    pub pasts: Vec<Record>,
}

/// Why there is no new branch.
#[derive(Debug, thiserror::Error)]
pub enum BranchError {
    /// There is one of this name.
    #[error("branch {0:?} exists already")]
    AlreadyExists(String),
    /// There are as many as there may be.
    #[error("the tenant has {0} branches, the most that are allowed; delete one")]
    TooMany(usize),
    /// What branches keep in memory beside their parents is as much as it may be.
    #[error(
        "branches keep {retained} bytes in memory, more than the {limit} that they may; delete one"
    )]
    NoRoom {
        /// What they keep.
        retained: usize,
        /// The limit.
        limit: usize,
    },
    /// The twin cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The branch could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What the sequencer is asked to do about branches; it does each by itself.
pub(crate) enum Change {
    Begin {
        name: Box<str>,
        expires_at: Option<Timestamp>,
        /// The parent, or what the branch begins with.
        from: From,
        reply: oneshot::Sender<Result<Arc<Twin>, BranchError>>,
    },
    Renew {
        name: Box<str>,
        expires_at: Option<Timestamp>,
        reply: oneshot::Sender<Result<bool, WriteError>>,
    },
    Drop {
        name: Box<str>,
        reply: oneshot::Sender<Result<bool, WriteError>>,
    },
    /// Nothing is left of a dropped branch.
    Forget {
        place: Box<str>,
    },
    /// Keep the state of a twin at the revision that it has now.
    Pin {
        twin: Arc<Twin>,
        reply: oneshot::Sender<Pin>,
    },
}

pub(crate) enum From {
    Parent(Arc<Twin>),
    /// A part of a parent whose state is kept at the revision that the part is of.
    Part {
        parent: Arc<Twin>,
        part: Part,
    },
    Content(Box<Root>),
}

impl Engine {
    /// Makes a branch of the caller's twin as it is now. It has the caller's tenant, whatever branch
    /// of it the caller is on.
    pub async fn branch(
        &self,
        caller: &Caller,
        name: &TwinId,
        expires_at: Option<Timestamp>,
    ) -> Result<Revision, BranchError> {
        of_now(&caller.twin, "branches")?;
        let parent = self.inner().twin(&caller.twin).await?;
        self.begin_shared(name, expires_at, From::Parent(parent)).await
    }

    async fn begin_shared(
        &self,
        name: &TwinId,
        expires_at: Option<Timestamp>,
        from: From,
    ) -> Result<Revision, BranchError> {
        let twin = self.begin(name, expires_at, from).await?;
        let inner = self.inner().clone();
        let revision = twin.origin.as_ref().map_or(Revision(0), |origin| origin.revision);
        tokio::spawn(async move { inner.settle_shared(twin).await });
        Ok(revision)
    }

    /// Makes a branch that begins with entities and histories that are in no twin as they are; when it
    /// returns, they are durable.
    pub async fn branch_with(
        &self,
        name: &TwinId,
        expires_at: Option<Timestamp>,
        content: BranchContent,
    ) -> Result<(), BranchError> {
        let inner = self.inner().clone();
        let seed = inner.seed;
        let BranchContent { entities, history, pasts } = content;
        let build = move || root_of(seed, entities, &pasts);
        let built = tokio::task::spawn_blocking(build).await;
        let root = built
            .map_err(|error| BranchError::Query(StoreError::Failed(error.to_string()).into()))?;
        let twin = self.begin(name, expires_at, From::Content(Box::new(root))).await?;
        let settled = inner.settle(&twin, twin.root.load_full(), history).await;
        if let Err(error) = settled {
            self.drop_branch(name).await?;
            return Err(BranchError::Query(error.into()));
        }
        Ok(())
    }

    async fn begin(
        &self,
        name: &TwinId,
        expires_at: Option<Timestamp>,
        from: From,
    ) -> Result<Arc<Twin>, BranchError> {
        if name.is_main() {
            return Err(BranchError::AlreadyExists(name.branch().to_owned()));
        }
        let inner = self.inner();
        let main = inner.twin(&name.main()).await?;
        let (retained, limit) = (inner.retained(), inner.options.branch_bytes);
        if retained > limit {
            return Err(BranchError::NoRoom { retained, limit });
        }
        let (reply, answer) = oneshot::channel();
        let change = Change::Begin { name: name.branch().into(), expires_at, from, reply };
        inner.change_branches(main, change).await?;
        answer.await.unwrap_or(Err(WriteError::ShuttingDown.into()))
    }

    /// The branches of a tenant that have not expired, in the order of their names.
    pub async fn branches(&self, twin: &TwinId) -> Result<Vec<BranchInfo>, QueryError> {
        let main = self.inner().twin(&twin.main()).await?;
        let now = self.now();
        let entries = Entry::all(&main.root.load());
        let alive = entries.into_iter().filter(|(_, entry)| !entry.is_over(now));
        Ok(alive.map(|(name, entry)| entry.info(&name)).collect())
    }

    /// Which of the twins that had this name one after the other is in memory now; none where none
    /// is. A number is never given twice, and main branches, which stay, have 0. A past twin is
    /// another one after some history was put right.
    #[inline]
    pub fn incarnation(&self, name: &TwinId) -> Option<u64> {
        if name.is_main() {
            return Some(self.times_amended(name));
        }
        let twin = self.inner().loaded(&name.now())?;
        let number: u64 = twin.place.branch().strip_prefix('b')?.parse().ok()?;
        Some(number ^ self.times_amended(name))
    }

    fn times_amended(&self, name: &TwinId) -> u64 {
        name.moment().map_or(0, |_| self.inner().moments.times_amended().rotate_left(32))
    }

    /// Sets from when on a branch is gone; whether there is one.
    pub async fn renew_branch(
        &self,
        name: &TwinId,
        expires_at: Option<Timestamp>,
    ) -> Result<bool, BranchError> {
        let main = self.inner().twin(&name.main()).await?;
        let (reply, answer) = oneshot::channel();
        let change = Change::Renew { name: name.branch().into(), expires_at, reply };
        self.inner().change_branches(main, change).await?;
        Ok(answer.await.unwrap_or(Err(WriteError::ShuttingDown))?)
    }

    /// Deletes a branch; whether there was one. What it takes in memory is free at once, what it
    /// takes on disk when no other branch leans on it.
    pub async fn drop_branch(&self, name: &TwinId) -> Result<bool, BranchError> {
        let inner = self.inner();
        let main = inner.twin(&name.main()).await?;
        let dropped = inner.drop_branch(&main, name.branch()).await?;
        inner.spawn_sweep(main);
        Ok(dropped)
    }
}

impl Inner {
    pub(crate) async fn change_branches(
        &self,
        main: Arc<Twin>,
        change: Change,
    ) -> Result<(), WriteError> {
        let command = Command::Branches { main, change };
        self.commands.send(command).await.map_err(|_| WriteError::ShuttingDown)
    }

    pub(crate) async fn drop_branch(
        &self,
        main: &Arc<Twin>,
        name: &str,
    ) -> Result<bool, WriteError> {
        let (reply, answer) = oneshot::channel();
        self.change_branches(main.clone(), Change::Drop { name: name.into(), reply }).await?;
        answer.await.unwrap_or(Err(WriteError::ShuttingDown))
    }

    /// Deletes the branches whose time is over.
    pub(crate) async fn drop_expired(self: &Arc<Self>) {
        let now = (self.options.clock)();
        for main in self.loaded_twins().into_iter().filter(|twin| twin.main.is_none()) {
            let entries = Entry::all(&main.root.load());
            let mut over = entries.into_iter().filter(|(_, entry)| entry.is_over(now)).peekable();
            if over.peek().is_none() {
                continue;
            }
            for (name, _) in over {
                let _ = self.drop_branch(&main, &name).await;
            }
            self.sweep(&main).await;
        }
    }

    /// What branches keep in memory beside what their tenants' main branches do, in bytes.
    pub(crate) fn retained(&self) -> usize {
        let twins = self.loaded_twins();
        let branches = twins.iter().filter_map(|twin| Some((twin, twin.main.as_ref()?)));
        branches.map(|(twin, main)| twin.root.load().retained_beside(&main.root.load())).sum()
    }

    /// Does one change of branches, by the sequencer alone and between its groups.
    pub(crate) async fn apply_branch_change(self: &Arc<Self>, main: &Arc<Twin>, change: Change) {
        match change {
            Change::Begin { name, expires_at, from, reply } => {
                let _ = reply.send(self.begin_branch(main, &name, expires_at, from).await);
            }
            Change::Renew { name, expires_at, reply } => {
                let entry = Entry::of(&main.root.load(), &name);
                let answer = match entry {
                    None => Ok(false),
                    Some(entry) => {
                        if let Ok(id) = main.id.with_branch(&name)
                            && let Some(twin) = self.loaded(&id)
                        {
                            twin.expire_at(expires_at);
                        }
                        let entry = Entry { expires_at, ..entry };
                        self.note(main, vec![entry.document(&name)]).await.map(|()| true)
                    }
                };
                let _ = reply.send(answer);
            }
            Change::Drop { name, reply } => {
                let _ = reply.send(self.end_branch(main, &name).await);
            }
            Change::Forget { place } => {
                let _ = self.note(main, vec![Entry::no_dropped(&place)]).await;
            }
            Change::Pin { twin, reply } => {
                let _ = reply.send(Pin::new(self, twin));
            }
        }
    }

    async fn begin_branch(
        self: &Arc<Self>,
        main: &Arc<Twin>,
        name: &str,
        expires_at: Option<Timestamp>,
        from: From,
    ) -> Result<Arc<Twin>, BranchError> {
        from.check()?;
        let now = (self.options.clock)();
        let main_root = main.root.load_full();
        let most = self.options.branches;
        if let Some(known) = Entry::of(&main_root, name) {
            if !known.is_over(now) {
                return Err(BranchError::AlreadyExists(name.to_owned()));
            }
            self.end_branch(main, name).await?;
        } else if Entry::all(&main_root).len() >= most {
            return Err(BranchError::TooMany(most));
        }
        drop(main_root);
        let id = main
            .id
            .with_branch(name)
            .map_err(|error| BranchError::Query(StoreError::Failed(error.to_string()).into()))?;
        let place = format!("b{}", main.root.load().revision.next());
        let (revision, parent, root, chosen) = match from {
            From::Parent(parent) => {
                let root = parent.root.load().branched();
                (root.revision, Some(parent), root, None)
            }
            From::Part { parent, part } => {
                let root = Root::clone(&part.root);
                (root.revision, Some(parent), root, part.chosen)
            }
            From::Content(mut root) => {
                let main = main.root.load();
                root.inherit(&main);
                (main.revision, None, *root, None)
            }
        };
        let entry = Entry {
            place: place.as_str().into(),
            parent: parent.as_ref().map(|parent| parent.place.branch().into()),
            revision,
            created_at: now,
            expires_at,
            is_part: chosen.is_some(),
        };
        let place = main.id.with_branch(&place).expect("a letter and a number are a name");
        let holds = Holds { parent: parent.clone(), place: entry.place.clone() };
        holds.take(revision);
        let begun = self.append_branch(main, (name, &place), &entry, chosen.as_deref()).await;
        let record = match begun {
            Ok(record) => record,
            Err(error) => {
                holds.release(self);
                return Err(error.into());
            }
        };
        let is_part = entry.is_part;
        let origin = parent.map(|parent| Origin { parent, revision, is_part });
        let twin = Twin::branch(id, place, (root, revision), origin, main.clone());
        twin.expire_at(expires_at);
        twin.hold(&entry.place, revision);
        self.unprojected.fetch_add(record.bytes, Ordering::AcqRel);
        twin.publish_first(record);
        let twin = Arc::new(twin);
        self.insert(&twin);
        Ok(twin)
    }

    /// Makes a branch durable: its entry in the register and the first record of its log at once.
    async fn append_branch(
        self: &Arc<Self>,
        main: &Arc<Twin>,
        (name, place): (&str, &TwinId),
        entry: &Entry,
        chosen: Option<&str>,
    ) -> Result<Tailed, WriteError> {
        let mut pending = Pending::of(main);
        pending.put_documents(self, vec![entry.document(name)]);
        let record = LogRecord {
            revision: entry.revision.next(),
            time: entry.created_at,
            principal: "".into(),
            origin: "branch".into(),
            changes: Vec::new(),
            documents: entry.first_documents(chosen),
            offsets: Vec::new(),
        };
        let bytes = record.encode();
        let first = Append {
            twin: place.clone(),
            expected_head: entry.revision,
            begins: true,
            records: vec![EncodedRecord { revision: record.revision, bytes: bytes.clone() }],
        };
        let appends = pending.take_append().into_iter().chain([first]).collect();
        match self.store.append(appends).await {
            Ok(results) if results.iter().all(Result::is_ok) => {
                pending.publish(self);
                let followed = Arc::new(Followed { record, entities: Vec::new() });
                Ok(Tailed::new(followed, bytes.len()))
            }
            Ok(_) => {
                let error = "another server has written to this twin".to_owned();
                Err(WriteError::Store(StoreError::Failed(error)))
            }
            Err(error) => Err(WriteError::Store(error)),
        }
    }

    /// Takes a branch out of the register and out of memory.
    async fn end_branch(
        self: &Arc<Self>,
        main: &Arc<Twin>,
        name: &str,
    ) -> Result<bool, WriteError> {
        let Some(entry) = Entry::of(&main.root.load(), name) else { return Ok(false) };
        self.note(main, vec![Entry::no_document(name), entry.dropped_document()]).await?;
        if let Ok(id) = main.id.with_branch(name)
            && let Some(twin) = self.twins.load().get(&id).cloned()
        {
            self.let_go(&twin);
            twin.is_dropped.store(true, Ordering::Release);
            let unprojected: usize = twin.tail.lock().bytes_behind(twin.projected());
            self.unprojected.fetch_sub(unprojected, Ordering::AcqRel);
            // Branches of it read its history, not its root.
            twin.root.store(Arc::new(Root::empty(self.seed)));
        }
        for twin in self.loaded_twins().iter().filter(|twin| twin.id.tenant() == main.id.tenant()) {
            twin.release(&entry.place);
        }
        self.work_to_project.notify_one();
        Ok(true)
    }

    /// Writes documents of the register.
    async fn note(
        self: &Arc<Self>,
        main: &Arc<Twin>,
        documents: Vec<DocumentChange>,
    ) -> Result<(), WriteError> {
        let mut pending = Pending::of(main);
        pending.put_documents(self, documents);
        let Some(append) = pending.take_append() else { return Ok(()) };
        match self.store.append(vec![append]).await {
            Ok(results) if results.iter().all(Result::is_ok) => {
                pending.publish(self);
                Ok(())
            }
            Ok(_) => {
                let error = "another server has written to this twin".to_owned();
                Err(WriteError::Store(StoreError::Failed(error)))
            }
            Err(error) => Err(WriteError::Store(error)),
        }
    }
}

/// What a branch that is being made keeps from moving on.
struct Holds {
    parent: Option<Arc<Twin>>,
    place: Box<str>,
}

impl Holds {
    fn take(&self, revision: Revision) {
        if let Some(parent) = &self.parent {
            parent.hold(&self.place, revision);
        }
    }

    fn release(&self, inner: &Inner) {
        if let Some(parent) = &self.parent {
            parent.release(&self.place);
            inner.work_to_project.notify_one();
        }
    }
}

/// The root of a branch that begins with some entities.
fn root_of(seed: u64, mut entities: Vec<Record>, pasts: &[Record]) -> Root {
    entities.sort_by_key(|record| record.view().seq());
    entities.dedup_by_key(|record| record.view().seq());
    let mut root = Root::build(seed, entities);
    for record in pasts {
        let view = record.view();
        if root.slot(view.id()).is_none() {
            let types: Vec<NameId> = view.types().collect();
            let past = Past { seq: view.seq(), types };
            root.put_document(&past.document(view.id()));
        }
    }
    root
}
