//! Snapshots (clauses 4.3.7, 5.5.15 and 5.16): branches of a tenant's twin with the documents that
//! tell of them.

mod document;
mod fill;
mod purge;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::http::HeaderName;
use axum::http::request::Parts;
use cardo_engine::{Batch, Caller, Operation};
use cardo_model::{DocumentChange, Iri, Revision, Timestamp, TwinId};
use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::sync::Mutex as AsyncMutex;

use crate::face::Face;
use crate::fault::Fault;
use crate::outbox::{Owner, OwnerKind};
use crate::request::Ask;

use document::PREPARING;
pub(crate) use document::{Given, Mode, Stored};
pub(crate) use purge::matching;

/// The kind of the documents of a tenant's main branch that tell of its snapshots.
pub(crate) const SNAPSHOT_KIND: &str = "snapshot";

/// The header that names the snapshot that is meant (clause 6.3.22).
pub(crate) const SNAPSHOT: HeaderName = HeaderName::from_static("ngsild-snapshot");

/// What a run of the server knows of snapshots beside their documents.
#[derive(Default)]
pub(crate) struct Snapshots {
    /// When each was asked for the last time.
    used: Mutex<HashMap<TwinId, Timestamp>>,
    /// Those that are being made.
    preparing: Mutex<Vec<TwinId>>,
    /// Held by who reads a document of a snapshot to write it anew.
    writing: AsyncMutex<()>,
}

/// One that is being made, from before its document says so until after that says what came of it.
pub(crate) struct Preparing {
    face: Arc<Face>,
    branch: TwinId,
}

impl Preparing {
    fn begin(face: &Arc<Face>, branch: &TwinId) -> Self {
        face.snapshots.preparing.lock().push(branch.clone());
        Self { face: face.clone(), branch: branch.clone() }
    }
}

impl Drop for Preparing {
    fn drop(&mut self) {
        self.face.snapshots.preparing.lock().retain(|one| *one != self.branch);
    }
}

/// The branch of a snapshot. What no name of a branch may hold is written by its number.
pub(crate) fn branch_of(twin: &TwinId, id: &str) -> Option<TwinId> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    let mut name = String::with_capacity(id.len());
    for c in id.chars() {
        if is_plain(c) {
            name.push(c);
        } else {
            let _ = write!(name, "_{:x}_", u32::from(c));
        }
    }
    twin.main().with_branch(&name).ok().filter(|branch| !branch.is_main())
}

/// The twin that is meant where a request names a snapshot.
pub(crate) fn asked_snapshot(parts: &Parts, twin: &TwinId) -> Result<Option<TwinId>, Fault> {
    let Some(header) = parts.headers.get(SNAPSHOT) else { return Ok(None) };
    let id = header.to_str().unwrap_or("");
    let branch = branch_of(twin, id).ok_or_else(|| unknown(id))?;
    Ok(Some(twin.moment().map_or(branch.clone(), |moment| branch.at(moment))))
}

pub(crate) fn unknown(id: &str) -> Fault {
    Fault::not_found(format!("snapshot {id:?} not found"))
}

impl Snapshots {
    pub(crate) fn note_use(&self, twin: &TwinId, now: Timestamp) {
        self.used.lock().insert(twin.clone(), now);
    }

    pub(crate) fn last_use(&self, twin: &TwinId) -> Option<Timestamp> {
        self.used.lock().get(twin).copied()
    }

    fn is_preparing(&self, twin: &TwinId) -> bool {
        self.preparing.lock().contains(twin)
    }

    fn forget(&self, twin: &TwinId) {
        self.used.lock().remove(twin);
    }
}

impl Face {
    /// The caller of a request on the main branch of its tenant, where snapshots are listed.
    pub(crate) fn on_main(ask: &Ask<'_>) -> Caller {
        Caller { twin: ask.caller.twin.main(), ..ask.caller.clone() }
    }

    /// Every snapshot of a tenant that has not expired.
    pub(crate) async fn all_snapshots(&self, main: &Caller) -> Result<Vec<Stored>, Fault> {
        let snapshot = self.engine.snapshot(main).await?;
        let documents = snapshot.documents(SNAPSHOT_KIND).into_iter();
        let mut all = Vec::new();
        for stored in documents.filter_map(|(_, body)| self.unexpired(&body)) {
            all.extend(self.settled(main, stored).await?);
        }
        Ok(all)
    }

    /// A snapshot that has not expired.
    pub(crate) async fn stored_snapshot(
        &self,
        main: &Caller,
        id: &str,
    ) -> Result<Option<Stored>, Fault> {
        match self.read_snapshot(main, id).await? {
            Some(stored) => self.settled(main, stored).await,
            None => Ok(None),
        }
    }

    async fn read_snapshot(&self, main: &Caller, id: &str) -> Result<Option<Stored>, Fault> {
        let snapshot = self.engine.snapshot(main).await?;
        Ok(snapshot.document(SNAPSHOT_KIND, id).and_then(|body| self.unexpired(&body)))
    }

    fn unexpired(&self, body: &str) -> Option<Stored> {
        Stored::from_text(body).filter(|stored| stored.expires_at > self.engine.now())
    }

    /// What nobody prepares any more has become ready since it was read, or has failed since the server
    /// was stopped.
    async fn settled(&self, main: &Caller, stored: Stored) -> Result<Option<Stored>, Fault> {
        let is_left = |stored: &Stored| {
            let branch = branch_of(&main.twin, &stored.id);
            stored.status == PREPARING
                && !branch.is_some_and(|branch| self.snapshots.is_preparing(&branch))
        };
        if !is_left(&stored) {
            return Ok(Some(stored));
        }
        let mut now = self.read_snapshot(main, &stored.id).await?;
        if let Some(stored) = now.as_mut().filter(|stored| is_left(stored)) {
            "failure".clone_into(&mut stored.status);
        }
        Ok(now)
    }

    /// Keeps a new snapshot and says that it is being made, unless there is one of its id.
    pub(crate) async fn begin_snapshot(
        self: &Arc<Self>,
        main: &Caller,
        branch: &TwinId,
        stored: &Stored,
    ) -> Result<Option<(Revision, Preparing)>, Fault> {
        let _one_at_a_time = self.snapshots.writing.lock().await;
        // One that was deleted before it was made has the branch until it is taken away.
        let is_there = self.stored_snapshot(main, &stored.id).await?.is_some();
        if is_there || self.snapshots.is_preparing(branch) {
            return Ok(None);
        }
        let preparing = Preparing::begin(self, branch);
        let revision = self.keep_snapshot(main, &stored.id, Some(stored)).await?;
        Ok(Some((revision, preparing)))
    }

    /// Changes what is kept of a snapshot; none where it is gone. Nobody else changes it meanwhile.
    pub(crate) async fn change_snapshot(
        &self,
        main: &Caller,
        id: &str,
        change: impl FnOnce(&mut Stored),
    ) -> Result<Option<(Stored, Revision)>, Fault> {
        let _one_at_a_time = self.snapshots.writing.lock().await;
        let Some(mut stored) = self.stored_snapshot(main, id).await? else { return Ok(None) };
        change(&mut stored);
        let revision = self.keep_snapshot(main, id, Some(&stored)).await?;
        if let Some(branch) = branch_of(&main.twin, id) {
            self.engine.renew_branch(&branch, Some(stored.expires_at)).await?;
        }
        Ok(Some((stored, revision)))
    }

    /// Keeps what is known of a snapshot, or that it is gone.
    async fn keep_snapshot(
        &self,
        main: &Caller,
        id: &str,
        stored: Option<&Stored>,
    ) -> Result<Revision, Fault> {
        let body = stored.map(|stored| stored.to_text().into());
        let change = DocumentChange { kind: SNAPSHOT_KIND.into(), id: id.into(), body };
        let batch = Batch { operations: vec![Operation::Document(change)], ..Batch::default() };
        Ok(self.engine.apply(main, batch).await?.revision)
    }

    /// Deletes a snapshot with all that it holds.
    pub(crate) async fn delete_snapshot(&self, main: &Caller, id: &str) -> Result<Revision, Fault> {
        let snapshot = self.engine.snapshot(main).await?;
        let letters = Owner::new(OwnerKind::Snapshot, id).without_letters(&snapshot);
        if !letters.is_empty() {
            let batch = Batch { operations: letters, ..Batch::default() };
            self.engine.apply(main, batch).await?;
        }
        let writing = self.snapshots.writing.lock().await;
        let revision = self.keep_snapshot(main, id, None).await?;
        drop(writing);
        if let Some(branch) = branch_of(&main.twin, id) {
            self.engine.drop_branch(&branch).await?;
            self.snapshots.forget(&branch);
        }
        Ok(revision)
    }

    /// Makes a snapshot, of which it was said that that begins, behind the answer to the request.
    pub(crate) fn prepare(self: &Arc<Self>, work: fill::Work) {
        let face = self.clone();
        tokio::spawn(async move { fill::prepare(&face, work).await });
    }
}

pub(crate) use fill::{Source, Work, notify};

/// A new id.
pub(crate) fn new_id() -> Iri {
    Iri::new(format!("urn:ngsi-ld:Snapshot:{}", uuid::Uuid::new_v4())).expect("a URN is an IRI")
}
