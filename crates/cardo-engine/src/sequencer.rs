use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cardo_model::{DocumentChange, LogRecord, NameId, Revision, SourceOffset, Timestamp};
use tokio::sync::{mpsc, oneshot};

use crate::demand::BuiltIndex;
use crate::engine::Inner;
use crate::follow::Followed;
use crate::live::Root;
use crate::operation::{Done, Operation, OperationError, Outcome, Unchanged, WriteError};
use crate::ports::{Append, EncodedRecord, StoreError};
use crate::twin::{Tailed, Twin};
use crate::write::Revising;

/// What the sequencer is asked to do. It alone makes new roots.
pub(crate) enum Command {
    Write(Write),
    /// Bring in an index that was built beside the writes.
    Install {
        twin: Arc<Twin>,
        built: BuiltIndex,
    },
    /// Take away what has expired by now.
    Expire(Arc<Twin>),
    /// Change the register of a tenant's branches.
    Branches {
        main: Arc<Twin>,
        change: crate::branch::Change,
    },
    /// Finish; everything before it is done when the answer comes.
    Close(oneshot::Sender<()>),
}

pub(crate) struct Write {
    pub(crate) twin: Arc<Twin>,
    pub(crate) operations: Vec<Operation<NameId>>,
    pub(crate) offsets: Vec<SourceOffset>,
    pub(crate) if_revision: Option<Revision>,
    pub(crate) if_unchanged: Option<Unchanged>,
    pub(crate) principal: Box<str>,
    pub(crate) origin: Box<str>,
    pub(crate) reply: oneshot::Sender<Result<Outcome, WriteError>>,
}

/// A twin with the writes of one group applied to its private next root.
pub(crate) struct Pending {
    twin: Arc<Twin>,
    head: Revision,
    root: Root,
    encoded: Vec<EncodedRecord>,
    tailed: Vec<Tailed>,
    answers: Vec<Answer>,
}

type Answer = (oneshot::Sender<Result<Outcome, WriteError>>, Result<Outcome, WriteError>);

/// How many operations one group takes at the most.
const GROUP_OPERATIONS: usize = 4_096;
/// How long the sequencer works before it lets others run.
const SLICE: Duration = Duration::from_micros(300);

/// Runs until it is closed or nobody can ask any more.
pub(crate) async fn run(inner: Arc<Inner>, mut commands: mpsc::Receiver<Command>) {
    while let Some(first) = commands.recv().await {
        if let Command::Branches { main, change } = first {
            inner.apply_branch_change(&main, change).await;
            continue;
        }
        let first = match (inner.projection_room().await, first) {
            (Err(error), Command::Write(write)) => {
                inner.metrics.queued.fetch_sub(1, Ordering::Relaxed);
                let _ = write.reply.send(Err(WriteError::Store(error)));
                continue;
            }
            (_, first) => first,
        };
        let mut branching = None;
        let mut group = Group { pending: Vec::new(), closing: None, slice: Instant::now() };
        let mut operations = group.take(&inner, first).await;
        while operations < GROUP_OPERATIONS && group.closing.is_none() {
            let Ok(next) = commands.try_recv() else { break };
            if let Command::Branches { main, change } = next {
                branching = Some((main, change));
                break;
            }
            operations += group.take(&inner, next).await;
        }
        let closing = group.closing.take();
        group.finish(&inner).await;
        if let Some((main, change)) = branching {
            inner.apply_branch_change(&main, change).await;
        }
        if let Some(done) = closing {
            commands.close();
            while let Ok(command) = commands.try_recv() {
                if let Command::Write(write) = command {
                    let _ = write.reply.send(Err(WriteError::ShuttingDown));
                }
            }
            let _ = done.send(());
            return;
        }
    }
}

struct Group {
    pending: Vec<Pending>,
    closing: Option<oneshot::Sender<()>>,
    slice: Instant,
}

impl Group {
    /// Applies one command to the private roots; gives the number of its operations.
    async fn take(&mut self, inner: &Arc<Inner>, command: Command) -> usize {
        match command {
            Command::Write(write) => {
                inner.metrics.queued.fetch_sub(1, Ordering::Relaxed);
                let count = write.operations.len().max(1);
                self.write(inner, write).await;
                count
            }
            Command::Install { twin, built } => {
                self.of(&twin).root.install(&built);
                1
            }
            Command::Expire(twin) => {
                self.expire(inner, &twin);
                1
            }
            // Those come between groups.
            Command::Branches { .. } => 0,
            Command::Close(done) => {
                self.closing = Some(done);
                0
            }
        }
    }

    fn of(&mut self, twin: &Arc<Twin>) -> &mut Pending {
        let at = self.pending.iter().position(|p| Arc::ptr_eq(&p.twin, twin));
        let at = at.unwrap_or_else(|| {
            self.pending.push(Pending::of(twin));
            self.pending.len() - 1
        });
        &mut self.pending[at]
    }

    async fn write(&mut self, inner: &Arc<Inner>, write: Write) {
        if write.twin.is_dropped.load(Ordering::Acquire) {
            let name = write.twin.id.branch().to_owned();
            let _ = write.reply.send(Err(WriteError::UnknownBranch(name)));
            return;
        }
        let mut slice = self.slice;
        let pending = self.of(&write.twin);
        let head = pending.root.revision;
        if let Some(expected) = write.if_revision
            && expected != head
        {
            pending.answers.push((write.reply, Err(WriteError::RevisionConflict(head))));
            return;
        }
        if let Some(Unchanged { id, since }) = write.if_unchanged {
            let record = pending.root.slot(id.as_str()).and_then(|slot| pending.root.record(slot));
            if record.is_none_or(|record| record.view().revision() != since) {
                pending.answers.push((write.reply, Err(WriteError::EntityConflict(id))));
                return;
            }
        }
        let mut results = Vec::with_capacity(write.operations.len());
        let mut revision = pending.begin(inner, write.principal, write.origin);
        for operation in write.operations {
            results.push(revision.apply(pending, inner, operation));
            if slice.elapsed() > SLICE {
                tokio::task::yield_now().await;
                slice = Instant::now();
            }
        }
        let revision = pending.end(revision, write.offsets);
        pending.answers.push((write.reply, Ok(Outcome::new(revision, results))));
        self.slice = slice;
    }

    /// What is over as soon as it is written is gone before its writer has an answer (clause 4.22).
    fn expire_written(&mut self, inner: &Arc<Inner>) {
        let now = (inner.options.clock)();
        let is_over = |pending: &&Pending| {
            let next = pending.root.next_expiry();
            !pending.tailed.is_empty() && next.is_some_and(|(moment, _)| moment <= now)
        };
        let due = self.pending.iter().filter(is_over);
        for twin in due.map(|pending| pending.twin.clone()).collect::<Vec<_>>() {
            self.expire(inner, &twin);
        }
    }

    fn expire(&mut self, inner: &Arc<Inner>, twin: &Arc<Twin>) {
        if twin.is_dropped.load(Ordering::Acquire) {
            return;
        }
        let pending = self.of(twin);
        let now = (inner.options.clock)();
        let mut revision = pending.begin(inner, "expiry".into(), "engine".into());
        while let Some((moment, slot)) = pending.root.next_expiry()
            && moment <= now
            && revision.changes() < GROUP_OPERATIONS
        {
            let Some(id) = pending.root.record(slot).map(cardo_model::Record::id) else { break };
            if revision.apply(pending, inner, Operation::Expire(id)).is_err() {
                break;
            }
        }
        pending.end(revision, Vec::new());
    }

    /// Makes the group durable, then visible, then known to those who asked; or, where the store
    /// fails, none of it.
    async fn finish(mut self, inner: &Arc<Inner>) {
        self.expire_written(inner);
        let mut pending = self.pending;
        let appends: Vec<Append> = pending.iter_mut().filter_map(Pending::take_append).collect();
        let outcome = if appends.is_empty() {
            Ok(Vec::new())
        } else {
            let start = Instant::now();
            let outcome = inner.store.append(appends).await;
            inner.metrics.commit(start.elapsed(), &outcome);
            outcome
        };
        match outcome {
            Err(error) => pending.into_iter().for_each(|p| p.fail(&error)),
            Ok(results) => {
                let mut results = results.into_iter();
                for pending in pending {
                    let result = if pending.tailed.is_empty() {
                        Ok(())
                    } else {
                        results.next().unwrap_or(Ok(()))
                    };
                    match result {
                        Ok(()) => pending.publish(inner),
                        Err(behind) => pending.fail(&StoreError::Failed(format!(
                            "another server has written up to revision {}",
                            behind.head
                        ))),
                    }
                }
            }
        }
    }
}

impl Pending {
    pub(crate) fn of(twin: &Arc<Twin>) -> Self {
        let root = Root::clone(&twin.root.load());
        Self {
            twin: twin.clone(),
            head: root.revision,
            root,
            encoded: Vec::new(),
            tailed: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// Puts documents as a revision of their own.
    pub(crate) fn put_documents(&mut self, inner: &Arc<Inner>, documents: Vec<DocumentChange>) {
        let mut revision = self.begin(inner, "engine".into(), "engine".into());
        for document in documents {
            let _ = revision.apply(self, inner, Operation::Document(document));
        }
        self.end(revision, Vec::new());
    }

    fn begin(&self, inner: &Arc<Inner>, principal: Box<str>, origin: Box<str>) -> Begun {
        Begun {
            record: LogRecord {
                revision: self.root.revision.next(),
                time: inner.time_of_change(),
                principal,
                origin,
                changes: Vec::new(),
                documents: Vec::new(),
                offsets: Vec::new(),
            },
            entities: Vec::new(),
        }
    }

    /// Closes a revision; where nothing changed there is none. Gives the head behind it.
    fn end(&mut self, begun: Begun, offsets: Vec<SourceOffset>) -> Revision {
        let Begun { mut record, entities } = begun;
        record.offsets = offsets
            .into_iter()
            .filter(|o| self.root.offset(&o.source).as_deref() != Some(&*o.offset))
            .collect();
        if record.changes.is_empty() && record.documents.is_empty() && record.offsets.is_empty() {
            return self.root.revision;
        }
        for offset in &record.offsets {
            self.root.put_offset(offset);
        }
        let revision = record.revision;
        self.root.revision = revision;
        let bytes = record.encode();
        let followed = Arc::new(Followed { record, entities });
        self.tailed.push(Tailed { followed, bytes: bytes.len(), since: Instant::now() });
        self.encoded.push(EncodedRecord { revision, bytes });
        revision
    }

    pub(crate) fn take_append(&mut self) -> Option<Append> {
        if self.encoded.is_empty() {
            return None;
        }
        Some(Append {
            twin: self.twin.place.clone(),
            expected_head: self.head,
            begins: false,
            records: std::mem::take(&mut self.encoded),
        })
    }

    pub(crate) fn publish(self, inner: &Inner) {
        let bytes: usize = self.tailed.iter().map(|t| t.bytes).sum();
        inner.unprojected.fetch_add(bytes, Ordering::AcqRel);
        let root = if self.root.is_sparse() { self.root.compacted(inner.seed) } else { self.root };
        if self.tailed.iter().any(|tailed| tailed.followed.amends()) {
            inner.moments.forget(&self.twin);
        }
        let has_expiry = root.next_expiry().is_some();
        self.twin.publish(Arc::new(root), self.tailed);
        if bytes > 0 {
            inner.work_to_project.notify_one();
        }
        if has_expiry {
            inner.expiry_changed.notify_one();
        }
        for (reply, answer) in self.answers {
            let _ = reply.send(answer);
        }
    }

    fn fail(self, error: &StoreError) {
        for (reply, answer) in self.answers {
            // What was refused before the store was asked keeps its own reason.
            let answer = answer.and_then(|_| Err(WriteError::Store(error.clone())));
            let _ = reply.send(answer);
        }
    }
}

/// A revision that is being made.
struct Begun {
    record: LogRecord,
    entities: Vec<Option<cardo_model::Record>>,
}

impl Begun {
    fn changes(&self) -> usize {
        self.record.changes.len()
    }

    fn apply(
        &mut self,
        pending: &mut Pending,
        inner: &Inner,
        operation: Operation<NameId>,
    ) -> Result<Done, OperationError> {
        let mut revising = Revising {
            root: &mut pending.root,
            names: &inner.names,
            twin: &pending.twin.id,
            retention: &inner.options.retention,
            time: self.record.time,
            revision: self.record.revision,
            changes: std::mem::take(&mut self.record.changes),
            entities: std::mem::take(&mut self.entities),
            documents: std::mem::take(&mut self.record.documents),
        };
        let result = revising.apply(operation);
        self.record.changes = revising.changes;
        self.entities = revising.entities;
        self.record.documents = revising.documents;
        result
    }
}

/// Wakes the sequencer when something expires.
pub(crate) async fn watch_expiries(inner: Arc<Inner>) {
    loop {
        let now = (inner.options.clock)();
        let mut next: Option<Timestamp> = None;
        for twin in inner.loaded_twins() {
            let Some((moment, _)) = twin.root.load().next_expiry() else { continue };
            if moment <= now {
                if inner.commands.send(Command::Expire(twin)).await.is_err() {
                    return;
                }
                next = Some(now);
            } else {
                next = Some(next.map_or(moment, |known| known.min(moment)));
            }
        }
        let wait = next.map_or(Duration::from_secs(3_600), |moment| {
            let micros = moment.as_micros().saturating_sub(now.as_micros()).max(0);
            Duration::from_micros(micros.cast_unsigned()).max(Duration::from_millis(100))
        });
        let changed = tokio::time::timeout(
            wait.min(Duration::from_secs(3_600)),
            inner.expiry_changed.notified(),
        );
        let _ = changed.await;
        if inner.is_closed() {
            return;
        }
    }
}
