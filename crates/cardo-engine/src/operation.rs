use cardo_model::{
    Attribute, AttributeFragment, Entity, EntityId, Fragment, Instance, InstanceFragment, Iri,
    Revision, SourceOffset,
};

/// What is asked to be written, applied as one revision: each operation succeeds or fails for
/// itself, and later ones see earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The operations, in order.
    pub operations: Vec<Operation>,
    /// Offsets of sources, committed with the operations.
    pub offsets: Vec<SourceOffset>,
    /// Only if the head is still at this revision.
    pub if_revision: Option<Revision>,
}

/// One operation on a twin.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Create entity (clause 5.6.1).
    Create(Entity),
    /// Replace entity (5.6.18): all but the creation date is as given.
    Replace(Entity),
    /// Create, or replace what is there (5.6.8 with option replace).
    CreateOrReplace(Entity),
    /// Create, or append to what is there (5.6.8 with option update).
    CreateOrUpdate(Entity),
    /// Merge entity (5.6.17, 5.5.12).
    Merge {
        /// The entity.
        id: EntityId,
        /// What to merge.
        fragment: Fragment,
    },
    /// Append attributes (5.6.3).
    Append {
        /// The entity.
        id: EntityId,
        /// Types to add.
        types: Vec<Iri>,
        /// Scopes to set or add.
        scopes: Option<Vec<cardo_model::Scope>>,
        /// The attributes.
        attributes: Vec<Attribute>,
        /// Whether existing attributes stay as they are (`noOverwrite`).
        no_overwrite: bool,
    },
    /// Update attributes that exist (5.6.2).
    Update {
        /// The entity.
        id: EntityId,
        /// Types to add.
        types: Vec<Iri>,
        /// Scopes to set.
        scopes: Option<Vec<cardo_model::Scope>>,
        /// The attributes, whole; an instance of [`cardo_model::Value::null`] deletes.
        attributes: Vec<AttributeFragment>,
    },
    /// Partial attribute update (5.6.4, 5.5.8).
    PartialUpdate {
        /// The entity.
        id: EntityId,
        /// The attribute.
        name: Iri,
        /// The instance's members that change.
        fragment: InstanceFragment,
    },
    /// Replace attribute (5.6.19).
    ReplaceAttribute {
        /// The entity.
        id: EntityId,
        /// The attribute.
        name: Iri,
        /// Its new instance; others of other dataset ids stay.
        instance: Instance,
    },
    /// Delete attribute (5.6.5).
    DeleteAttribute {
        /// The entity.
        id: EntityId,
        /// The attribute.
        name: Iri,
        /// Which of its instances.
        which: WhichInstances,
    },
    /// Delete entity (5.6.6).
    Delete(EntityId),
    /// A reading or a feature from a source: creates the entity where it is missing; an attribute
    /// changes only where the given instance is newer (by `observedAt`; without one, where its
    /// content differs); an older reading goes to history only; equal content changes nothing.
    Ingest(Entity),
    /// Put a document, or delete it where the body is `None`.
    Document(cardo_model::DocumentChange),
}

/// Which instances of an attribute an operation is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhichInstances {
    /// The one without a dataset id.
    Default,
    /// The one with this dataset id.
    Dataset(Iri),
    /// All.
    All,
}

/// What came of a batch; durable and visible when it is handed out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The revision that holds the changes; the head as it was where nothing changed.
    pub revision: Revision,
    /// A result an operation, in order.
    pub results: Vec<Result<Done, OperationError>>,
}

/// What an operation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// The entity was created.
    Created,
    /// The entity was changed.
    Updated {
        /// Attributes that were given but not applied, with the reason.
        not_updated: Vec<(Iri, NotUpdated)>,
        /// Attributes that changed.
        updated: Vec<Iri>,
    },
    /// The entity or attribute was deleted.
    Deleted,
    /// All was as it should be already.
    Unchanged,
    /// Only the history has gained something.
    HistoryOnly,
}

/// Why one attribute of a request was left alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUpdated {
    /// It exists and was not to be overwritten.
    #[error("the attribute exists and was not to be overwritten")]
    Exists,
    /// It does not exist.
    #[error("the attribute does not exist")]
    Missing,
    /// It is of another kind than the given fragment.
    #[error("the attribute is of another type than the one given")]
    OtherKind,
}

/// Why one operation was refused; the others of its batch are not touched by that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// An entity of this id exists.
    #[error("entity {0} exists already")]
    AlreadyExists(EntityId),
    /// No entity of this id exists.
    #[error("entity {0} not found")]
    NotFound(EntityId),
    /// The entity has no such attribute, or not that instance of it.
    #[error("entity {id} has no attribute {name} with the given datasetId")]
    AttributeNotFound {
        /// The entity.
        id: EntityId,
        /// The attribute.
        name: Iri,
    },
    /// No type is left or given.
    #[error("entity {0} would have no type")]
    NoType(EntityId),
    /// The fragment's attribute is of another kind than the stored one.
    #[error("attribute {name} is a {stored}, not a {given}")]
    OtherKind {
        /// The attribute.
        name: Iri,
        /// The kind that is stored.
        stored: &'static str,
        /// The kind that was given.
        given: &'static str,
    },
    /// An attribute came without value and type where a whole one is needed.
    #[error("attribute {0} is new and needs a type and a value")]
    Incomplete(Iri),
    /// The entity or the request is larger than the limits allow.
    #[error("{0}")]
    TooLarge(String),
}

/// Why a whole batch was refused; nothing of it was applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The head has moved on from `if_revision`.
    #[error("the twin is at revision {0} already")]
    RevisionConflict(Revision),
    /// More operations than one revision may hold.
    #[error("a batch of {0} operations is larger than the {1} that are accepted")]
    BatchTooLarge(usize, usize),
    /// Too many distinct names of types and attributes in the store.
    #[error("the store holds {0} names of types and attributes already, the most that are allowed")]
    TooManyNames(usize),
    /// The queue of writes is full.
    #[error("too many writes are waiting; try again later")]
    Busy,
    /// The store refused; nothing was acknowledged.
    #[error(transparent)]
    Store(#[from] crate::ports::StoreError),
    /// The engine is shutting down.
    #[error("the server is shutting down")]
    ShuttingDown,
}
