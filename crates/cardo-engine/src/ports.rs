//! What the engine needs of a store. The engine owns the traits; `cardo-store` implements them
//! over SQLite and memory.

use std::sync::Arc;

use async_trait::async_trait;
use cardo_model::{
    Amendment, DocumentChange, EntityId, Iri, NameId, Record, Revision, Seq, SourceOffset,
    Timestamp, TwinId,
};

/// A store of twins: names, the change log, and what is projected from it.
///
/// The log comes first: what [`Store::append`] has acknowledged survives any crash of the process
/// or the machine. State and history follow it by [`Store::project`].
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Every name with its id.
    async fn names(&self) -> Result<Vec<(NameId, Iri)>, StoreError>;

    /// Gives ids to names, the same for all servers of one store, and keeps them durably before it
    /// answers. The ids come in the order of the names; a name that has one keeps it.
    async fn intern(&self, names: &[Iri]) -> Result<Vec<NameId>, StoreError>;

    /// Every twin that was ever written to.
    async fn twins(&self) -> Result<Vec<TwinId>, StoreError>;

    /// The revision at the head of a twin's log; `None` where the twin was never written to.
    async fn head(&self, twin: &TwinId) -> Result<Option<Revision>, StoreError>;

    /// Appends to the logs of one or more twins with one sync; when it returns `Ok` all of it that
    /// is not `Behind` is durable. On an error nothing may be taken as written, though it may be
    /// found after a restart.
    ///
    /// The results come in the order of `appends`. The first record of an append has the revision
    /// behind `expected_head`, the others follow without gaps.
    async fn append(&self, appends: Vec<Append>) -> Result<Vec<Result<(), Behind>>, StoreError>;

    /// Reads a twin's log behind a revision, oldest first, at most about `max_bytes` but at least
    /// one record where there is one.
    async fn read_log(
        &self,
        twin: &TwinId,
        after: Revision,
        max_bytes: usize,
    ) -> Result<Vec<EncodedRecord>, LogError>;

    /// Drops log records up to and including a revision that is projected. Cutting further than
    /// the projected revision is an error.
    async fn cut_log(&self, twin: &TwinId, up_to: Revision) -> Result<(), StoreError>;

    /// The revision that state and history have reached; 0 where nothing is projected.
    async fn reached(&self, twin: &TwinId) -> Result<Revision, StoreError>;

    /// Takes away everything that is kept of a twin. Done in parts: after a crash in between, it is to
    /// be done again.
    async fn drop_twin(&self, twin: &TwinId) -> Result<(), StoreError>;

    /// Reads the projected state: entities in the order of creation, in chunks handed to `sink`.
    async fn load(&self, twin: &TwinId, sink: &mut dyn StateSink) -> Result<Projected, StoreError>;

    /// Writes state and history and the revision they reached, in one transaction. A projection
    /// whose `after` is not the revision reached so far is refused.
    async fn project(&self, twin: &TwinId, projection: Projection) -> Result<(), StoreError>;

    /// The history of one entity, in the order (attribute, dataset, time, revision, ordinal), without
    /// rows of [`Tells::State`].
    async fn history(
        &self,
        twin: &TwinId,
        query: &HistoryQuery,
    ) -> Result<Vec<HistoryRow>, StoreError>;

    /// Hands out what is kept of what entities were, in no order, all of one state of the store. More
    /// may be handed out than is asked for.
    async fn walk_history(
        &self,
        twin: &TwinId,
        walk: &HistoryWalk,
        sink: &mut dyn HistorySink,
    ) -> Result<(), StoreError>;

    /// Drops from the histories of a twin what another value took the place of before they are cut
    /// off, and what has expired by now, as far as it comes across it. May be done little by little,
    /// and keep more than it has to.
    async fn prune(
        &self,
        twin: &TwinId,
        now: Timestamp,
        cuts: Arc<dyn Cuts>,
    ) -> Result<(), StoreError>;

    /// How far the followers of a twin's log have come.
    async fn positions(&self, twin: &TwinId) -> Result<Vec<(Box<str>, Revision)>, StoreError>;

    /// Keeps how far followers have come, all or none of them; `None` forgets a follower.
    async fn save_positions(
        &self,
        twin: &TwinId,
        positions: &[(Box<str>, Option<Revision>)],
    ) -> Result<(), StoreError>;

    /// Keeps how far a follower has come; `None` forgets the follower.
    async fn save_position(
        &self,
        twin: &TwinId,
        follower: &str,
        revision: Option<Revision>,
    ) -> Result<(), StoreError> {
        self.save_positions(twin, &[(follower.into(), revision)]).await
    }

    /// Finishes what is under way and closes files; later calls fail.
    async fn close(&self) -> Result<(), StoreError>;
}

/// Where the histories of a twin are cut off.
pub trait Cuts: Send + Sync {
    /// The latest of all cuts.
    fn latest(&self) -> Timestamp;

    /// Where that of an entity is cut off; none where it stays.
    fn of(&self, entity: &str) -> Option<Timestamp>;
}

/// Log records for one twin.
#[derive(Clone, Debug)]
pub struct Append {
    /// The twin.
    pub twin: TwinId,
    /// The head that the records build on; revision 0 for a new twin.
    pub expected_head: Revision,
    /// Whether the twin comes into being with it, its log beginning behind `expected_head`. Where it
    /// was written to before, the append is behind.
    pub begins: bool,
    /// The records, with revisions that follow `expected_head` without gaps.
    pub records: Vec<EncodedRecord>,
}

/// A log record in its binary form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedRecord {
    /// Its revision.
    pub revision: Revision,
    /// The bytes of [`cardo_model::LogRecord::encode`].
    pub bytes: Vec<u8>,
}

/// Another server has appended meanwhile; the append did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The head that the log really has.
    pub head: Revision,
}

/// Takes chunks of entities while a twin is loaded.
pub trait StateSink: Send {
    /// Takes the next entities in the order of creation.
    fn entities(&mut self, records: Vec<Record>);
}

/// What was projected beside the entities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projected {
    /// The revision that state and history have reached.
    pub revision: Revision,
    /// Every document, each with its body.
    pub documents: Vec<DocumentChange>,
    /// How far each source has come.
    pub offsets: Vec<SourceOffset>,
}

/// What a run of log records has changed.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    /// The revision reached before.
    pub after: Revision,
    /// The revision reached with this.
    pub to: Revision,
    /// Entities sorted by their place in the order of creation; `None` where one is gone.
    pub entities: Vec<(Seq, Option<Record>)>,
    /// What happened, in order.
    pub history: Vec<HistoryRow>,
    /// Documents that changed, the last state of each.
    pub documents: Vec<DocumentChange>,
    /// Offsets of sources that changed, the last of each.
    pub offsets: Vec<SourceOffset>,
}

/// One line of an entity's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The entity.
    pub entity: EntityId,
    /// What happened.
    pub event: HistoryEvent,
    /// By which the history is ordered: the time of observation, else of the change.
    pub time: Timestamp,
    /// The revision in which it happened.
    pub revision: Revision,
    /// The place among the rows of that revision.
    pub ordinal: u32,
    /// When the server wrote it, whatever moment it is about.
    pub written: Timestamp,
    /// What it is a part of.
    pub tells: Tells,
}

/// What a line is a part of: of the history of an entity, or of what the entity was at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// Of both.
    Both,
    /// Of the history alone, such as a late reading: the entity stayed as it was.
    History,
    /// Of what the entity was alone; no history shows it.
    State,
}

/// What happened to an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryEvent {
    /// An attribute was given a value, in the form of [`cardo_model::encode_instance`].
    Instance {
        /// The attribute.
        name: NameId,
        /// The instance.
        instance: Box<[u8]>,
    },
    /// An instance of an attribute was deleted.
    InstanceDeleted {
        /// The attribute.
        name: NameId,
        /// Which instance.
        dataset_id: Option<Iri>,
    },
    /// The entity came into being or was given anew; its whole record, whose instances are part
    /// of the history. Rows of this event and of those below are handed out whatever attributes,
    /// times and last instances a query asks for: the engine takes them apart.
    Entity(Record),
    /// Types and scopes that belong to the history only; a record without attributes.
    Head(Record),
    /// The history was put right, or a part of it taken out.
    Amended(Amendment),
    /// The entity was deleted.
    Deleted,
}

/// Which part of an entity's history is asked for.
#[derive(Clone, Debug)]
pub struct HistoryQuery {
    /// The entity.
    pub entity: EntityId,
    /// Only these attributes; all where empty.
    pub attributes: Vec<NameId>,
    /// From this moment on, it included.
    pub from: Option<Timestamp>,
    /// Up to this moment, it excluded.
    pub until: Option<Timestamp>,
    /// Only what was written up to this revision.
    pub up_to: Option<Revision>,
    /// Only the last so many instances of each attribute and dataset.
    pub last: Option<usize>,
    /// At most so many rows in all, as a bound on memory: those about the entity itself, and the
    /// earliest of the others, or the latest where `last` is given.
    pub limit: usize,
}

impl HistoryQuery {
    /// All that is known of an entity.
    pub fn whole(entity: EntityId) -> Self {
        Self {
            entity,
            attributes: Vec::new(),
            from: None,
            until: None,
            up_to: None,
            last: None,
            limit: usize::MAX,
        }
    }
}

/// Which rows a walk through histories hands out: those about entities as a whole, amendments, and
/// of those about attributes all but [`Tells::History`].
#[derive(Clone, Debug)]
pub struct HistoryWalk {
    /// Of these entities; of all that the sink wants where not given.
    pub entities: Option<Vec<EntityId>>,
    /// Up to this revision.
    pub up_to: Revision,
    /// About attributes only what was written up to this moment.
    pub until: Timestamp,
}

/// Takes what a walk through histories hands out.
pub trait HistorySink: Send {
    /// Whether rows of an entity are wanted.
    fn wants(&self, entity: &str) -> bool;

    /// Takes some rows of an entity.
    fn take(&mut self, entity: &EntityId, rows: Vec<HistoryRow>);
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// No room is left on the disk.
    #[error("the disk is full: {0}")]
    Full(String),
    /// Files are damaged or of a newer version; says what to do.
    #[error("{0}")]
    Damaged(String),
    /// The store is in use by another process.
    #[error("{0}")]
    InUse(String),
    /// Reading or writing failed.
    #[error("the store failed: {0}")]
    Failed(String),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// Why a log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log was cut behind the asked revision.
    #[error("the log before revision {oldest} is gone")]
    Gone {
        /// The oldest revision that can be read.
        oldest: Revision,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
