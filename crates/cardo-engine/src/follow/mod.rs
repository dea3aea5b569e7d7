mod read_back;

use std::collections::VecDeque;
use std::sync::Arc;

use cardo_model::{EntityChange, LogRecord, Record, Revision};
use tokio::sync::watch;

use crate::ports::{LogError, Store, StoreError};
use crate::twin::Twin;

/// Reads the log of a twin as it grows. A position that was saved resumes where it stopped.
pub struct Follower {
    twin: Arc<Twin>,
    store: Arc<dyn Store>,
    published: watch::Receiver<Revision>,
    position: Revision,
    read_back: VecDeque<Arc<Followed>>,
}

/// One log record with the entities that it left behind.
#[derive(Clone, Debug)]
pub struct Followed {
    /// What happened.
    pub record: LogRecord,
    /// A place a change: the entity behind it, `None` where it is gone.
    pub entities: Vec<Option<Record>>,
}

impl Followed {
    /// Whether it puts a history right, or takes a part of it out.
    pub(crate) fn amends(&self) -> bool {
        self.record.changes.iter().any(|change| matches!(change, EntityChange::Amended { .. }))
    }
}

impl Follower {
    pub(crate) fn new(twin: Arc<Twin>, store: Arc<dyn Store>, after: Revision) -> Self {
        let published = twin.published.subscribe();
        Self { twin, store, published, position: after, read_back: VecDeque::new() }
    }

    /// Waits for the next log record; each call goes one revision further. May be cancelled.
    pub async fn next(&mut self) -> Result<Arc<Followed>, LogError> {
        loop {
            if let Some(followed) = self.available().await? {
                self.position = followed.record.revision;
                return Ok(followed);
            }
            let changed = self.published.changed().await;
            changed.map_err(|_| LogError::Store(StoreError::Closed))?;
        }
    }

    /// The revision that was handed out last.
    pub fn position(&self) -> Revision {
        self.position
    }

    async fn available(&mut self) -> Result<Option<Arc<Followed>>, LogError> {
        let next = self.position.next();
        if let Some(followed) = self.read_back.pop_front() {
            return Ok(Some(followed));
        }
        if *self.published.borrow_and_update() < next {
            return Ok(None);
        }
        if let Some(followed) = self.twin.tail.lock().get(next) {
            return Ok(Some(followed));
        }
        self.read_back = read_back::read_back(&self.twin, &*self.store, self.position).await?;
        Ok(self.read_back.pop_front())
    }
}

impl Followed {
    /// What the entity of a change was before it, but for the time of its last modification; `None`
    /// where it did not exist.
    pub fn before(&self, change: usize) -> Option<Record> {
        let revision = self.record.revision;
        match self.record.changes.get(change)? {
            EntityChange::Created(_) => None,
            EntityChange::Deleted(was) | EntityChange::Replaced { was, .. } => Some(was.clone()),
            EntityChange::Observed { .. }
            | EntityChange::Recorded { .. }
            | EntityChange::Amended { .. } => self.entities.get(change)?.clone(),
            EntityChange::Updated { seq, id, instances } => {
                let after = self.entities.get(change)?.as_ref()?;
                let instances = instances.iter().map(read_back::inverse).collect();
                let inverse = EntityChange::Updated { seq: *seq, id: id.clone(), instances };
                inverse.apply(Some(after), revision, after.view().modified_at())
            }
        }
    }
}
