//! Writing what a branch begins with, loading it, and taking its data away.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cardo_model::{DocumentChange, LogRecord, Record, Revision, Seq, TwinId};

use super::{Change, Entry, Origin, written};
use crate::engine::Inner;
use crate::live::{CHOSEN, Root, SlotSet};
use crate::ports::{HistoryEvent, HistoryRow, LogError, Projection, StoreError, Tells};
use crate::twin::Twin;

/// How many entities are written in one transaction.
const CHUNK: usize = 10_000;

impl Inner {
    /// Writes the state of a branch that shares the root of its parent.
    pub(crate) async fn settle_shared(self: Arc<Self>, twin: Arc<Twin>) {
        let Some(base) = twin.base.lock().take() else { return };
        if let Err(error) = self.settle(&twin, base, Vec::new()).await {
            // It is made up for at the next start.
            tracing::error!(twin = %twin.id, %error, "the state of a branch could not be written");
        }
    }

    /// Writes what a branch begins with, in parts that make way for others. Done again after a
    /// crash, it writes the same again.
    pub(crate) async fn settle(
        &self,
        twin: &Twin,
        base: Arc<Root>,
        history: Vec<HistoryRow>,
    ) -> Result<(), StoreError> {
        let begin = twin.begin;
        let has_own_history = twin.origin.is_none();
        let mut from = 0;
        while from < base.slots() {
            let mut entities: Vec<(Seq, Option<Record>)> = Vec::with_capacity(CHUNK);
            while from < base.slots() && entities.len() < CHUNK {
                if let Some(record) = base.record(from) {
                    entities.push((record.view().seq(), Some(record.clone())));
                }
                from += 1;
            }
            let rows = if has_own_history { first_lines(&entities) } else { Vec::new() };
            let part = Projection {
                after: Revision(0),
                to: Revision(0),
                entities,
                history: rows,
                ..Projection::default()
            };
            if !self.write_part(twin, part).await? {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
        let last = Projection {
            after: Revision(0),
            to: begin,
            documents: documents_of(&base),
            history,
            ..Projection::default()
        };
        if self.write_part(twin, last).await? {
            twin.release(twin.place.branch());
            if let Some(origin) = &twin.origin {
                origin.parent.release(twin.place.branch());
            }
            self.work_to_project.notify_one();
        }
        Ok(())
    }

    /// Whether it was written: a branch that was dropped meanwhile is left alone.
    async fn write_part(&self, twin: &Twin, part: Projection) -> Result<bool, StoreError> {
        let _one_at_a_time = self.projecting.lock().await;
        if twin.is_dropped.load(Ordering::Acquire) {
            return Ok(false);
        }
        self.store.project(&twin.place, part).await?;
        Ok(true)
    }

    /// Loads a branch that the register knows.
    pub(crate) async fn load_branch(
        self: &Arc<Self>,
        id: &TwinId,
        main: &Arc<Twin>,
        entry: &Entry,
        is_public: bool,
    ) -> Result<Option<Arc<Twin>>, StoreError> {
        let place = place_of(id, &entry.place)?;
        let Some(head) = self.store.head(&place).await? else { return Ok(None) };
        let parent = match &entry.parent {
            Some(parent) => Some(Box::pin(self.parent_at(main, parent)).await?),
            None => None,
        };
        let Entry { revision, is_part, .. } = *entry;
        let origin = parent.map(|parent| Origin { parent, revision, is_part });
        let (root, projected, tailed, base) = match self.base_of(main, entry).await? {
            Some(base) => {
                let (root, tailed) = self.replay_tail(&place, base.clone(), head).await?;
                (root, entry.revision, tailed, Some(Arc::new(base)))
            }
            None if self.store.reached(&place).await? < entry.revision => return Ok(None),
            None => {
                let (root, projected, tailed) = self.read_root(&place, head).await?;
                (root, projected, tailed, None)
            }
        };
        let begin = (Root::empty(self.seed), entry.revision);
        let twin = Twin::branch(id.clone(), place, begin, origin, main.clone());
        twin.projected.store(projected.0, Ordering::Release);
        twin.expire_at(entry.expires_at);
        self.hold_for_branches(&main.root.load_full(), &twin).await?;
        let is_settled = base.is_none();
        if !is_settled {
            twin.hold(&entry.place, entry.revision);
        }
        *twin.base.lock() = base;
        let bytes: usize = tailed.iter().map(|t| t.bytes).sum();
        twin.publish(Arc::new(root), tailed);
        let twin = Arc::new(twin);
        if is_public {
            self.unprojected.fetch_add(bytes, Ordering::AcqRel);
            self.insert(&twin);
        }
        if !is_settled {
            tokio::spawn(self.clone().settle_shared(twin.clone()));
        }
        Ok(Some(twin))
    }

    /// What a branch began with, where its state is not written and its parent tells it.
    async fn base_of(
        self: &Arc<Self>,
        main: &Arc<Twin>,
        entry: &Entry,
    ) -> Result<Option<Root>, StoreError> {
        let place = place_of(&main.id, &entry.place)?;
        let Some(parent) = &entry.parent else { return Ok(None) };
        if self.store.reached(&place).await? >= entry.revision {
            return Ok(None);
        }
        let begun = match Entry::at(&main.root.load(), parent) {
            Some(above) => Box::pin(self.base_of(main, &above)).await?,
            None => None,
        };
        let parent = place_of(&main.id, parent)?;
        let root = match begun {
            Some(base) => self.replay_tail(&parent, base, entry.revision).await?.0,
            None => self.read_root(&parent, entry.revision).await?.0,
        };
        if !entry.is_part {
            return Ok(Some(root.branched()));
        }
        let chosen = self.chosen(&place, entry.revision, &root).await?;
        let built = tokio::task::spawn_blocking(move || root.part(&chosen)).await;
        built.map(Some).map_err(|error| StoreError::Failed(error.to_string()))
    }

    /// Which entities of a root the branch at a place begins with, by the first record of its log.
    async fn chosen(
        &self,
        place: &TwinId,
        begin: Revision,
        root: &Root,
    ) -> Result<SlotSet, StoreError> {
        let damaged = || {
            let why = "does not say which entities the branch begins with; restore a backup";
            StoreError::Damaged(format!("the log of twin {place} {why}"))
        };
        let first = self.store.read_log(place, begin, 1).await.map_err(|error| match error {
            LogError::Store(error) => error,
            LogError::Gone { .. } => damaged(),
        })?;
        let first = first.first().and_then(|first| LogRecord::decode(&first.bytes).ok());
        let documents = first.map(|first| first.documents).unwrap_or_default();
        let chosen = documents.iter().find(|document| &*document.kind == CHOSEN);
        let text = chosen.and_then(|document| document.body.as_deref()).ok_or_else(damaged)?;
        written::read(text, &root.live).ok_or_else(damaged)
    }

    /// The twin that the store keeps at a place of a tenant.
    async fn parent_at(
        self: &Arc<Self>,
        main: &Arc<Twin>,
        place: &str,
    ) -> Result<Arc<Twin>, StoreError> {
        if place == main.place.branch() {
            return Ok(main.clone());
        }
        let missing = || StoreError::Damaged(format!("the branch at {place} is missing"));
        let root = main.root.load_full();
        let entries = Entry::all(&root);
        if let Some((name, entry)) = entries.iter().find(|(_, entry)| &*entry.place == place) {
            let id = place_of(&main.id, name)?;
            if let Some(twin) = self.twins.load().get(&id) {
                return Ok(twin.clone());
            }
            let twin = Box::pin(self.load_branch(&id, main, entry, true)).await?;
            return twin.ok_or_else(missing);
        }
        let entry = Entry::at(&root, place).ok_or_else(missing)?;
        let id = place_of(&main.id, place)?;
        let twin = Box::pin(self.load_branch(&id, main, &entry, false)).await?;
        let twin = twin.ok_or_else(missing)?;
        // Nobody asks it, others lean on its history.
        twin.root.store(Arc::new(Root::empty(self.seed)));
        Ok(twin)
    }

    /// Makes up for what was not done when the server stopped: loads branches whose state is not
    /// written, so that it is, and takes away what nobody leans on any more.
    pub(crate) async fn resume_branches(self: &Arc<Self>, main: &Arc<Twin>) {
        for (name, entry) in Entry::all(&main.root.load()) {
            let Ok(place) = place_of(&main.id, &entry.place) else { continue };
            match self.store.reached(&place).await {
                Ok(reached) if reached >= entry.revision => {}
                Ok(_) if entry.parent.is_none() => {
                    // What it was to begin with is lost.
                    let _ = self.drop_branch(main, &name).await;
                }
                Ok(_) => {
                    let Ok(id) = main.id.with_branch(&name) else { continue };
                    if let Err(error) = self.load(&id, false).await {
                        tracing::error!(twin = %id, %error, "a branch could not be loaded");
                    }
                }
                Err(error) => {
                    tracing::error!(twin = %place, %error, "a branch could not be looked at");
                }
            }
        }
        self.sweep(main).await;
    }

    /// Holds the projection of a twin that is loaded where branches of it are not settled.
    pub(crate) async fn hold_for_branches(
        &self,
        main: &Root,
        twin: &Twin,
    ) -> Result<(), StoreError> {
        let place = twin.place.branch();
        let listed = Entry::all(main).into_iter().map(|(_, entry)| entry);
        for entry in listed.filter(|entry| entry.parent.as_deref() == Some(place)) {
            let child = place_of(&twin.place, &entry.place)?;
            if self.store.reached(&child).await? < entry.revision {
                twin.hold(&entry.place, entry.revision);
            }
        }
        Ok(())
    }

    pub(crate) fn spawn_sweep(self: &Arc<Self>, main: Arc<Twin>) {
        let inner = self.clone();
        tokio::spawn(async move { inner.sweep(&main).await });
    }

    /// Takes the data of dropped branches away that no other branch leans on.
    pub(crate) async fn sweep(self: &Arc<Self>, main: &Arc<Twin>) {
        loop {
            let root = main.root.load_full();
            let dropped = Entry::all_dropped(&root);
            let leaning: Vec<Box<str>> = Entry::all(&root)
                .into_iter()
                .chain(dropped.iter().cloned())
                .filter_map(|(_, entry)| entry.parent)
                .collect();
            let Some((place, _)) = dropped.into_iter().find(|(place, _)| !leaning.contains(place))
            else {
                return;
            };
            drop(root);
            let Ok(id) = place_of(&main.id, &place) else { return };
            let done = {
                let _one_at_a_time = self.projecting.lock().await;
                self.store.drop_twin(&id).await
            };
            if let Err(error) = done {
                tracing::error!(twin = %id, %error, "a dropped branch could not be taken away");
                return;
            }
            let forgotten = place.clone();
            if self.change_branches(main.clone(), Change::Forget { place }).await.is_err() {
                return;
            }
            let mut published = main.published.subscribe();
            let is_gone =
                |main: &Twin| main.root.load().document(super::DROPPED, &forgotten).is_none();
            while !is_gone(main) {
                if self.is_closed() || published.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}

fn place_of(id: &TwinId, place: &str) -> Result<TwinId, StoreError> {
    id.with_branch(place).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// What a branch that leans on nobody knows of its entities before it changes them.
fn first_lines(entities: &[(Seq, Option<Record>)]) -> Vec<HistoryRow> {
    let line = |record: &Record| HistoryRow {
        entity: record.id(),
        time: record.view().modified_at(),
        revision: record.view().revision(),
        ordinal: 0,
        event: HistoryEvent::Entity(record.clone()),
        written: record.view().modified_at(),
        tells: Tells::Both,
    };
    entities.iter().filter_map(|(_, record)| record.as_ref()).map(line).collect()
}

/// The documents of a root, as a projection takes them.
fn documents_of(root: &Root) -> Vec<DocumentChange> {
    root.every_document()
}
