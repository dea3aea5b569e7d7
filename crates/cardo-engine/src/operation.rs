use std::sync::Arc;

use cardo_model::{
    Attribute, Entity, EntityId, Fragment, Instance, InstanceFragment, Iri, Revision, Scope,
    SourceOffset, Timestamp,
};

use crate::federation::{Distributed, PartFault};

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
    /// Only if an entity is still as it was judged.
    pub if_unchanged: Option<Unchanged>,
}

/// The condition that an entity is there and that nothing has changed it since a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchanged {
    /// The entity.
    pub id: EntityId,
    /// The revision that changed it last, as its record says.
    pub since: Revision,
}

/// One operation on a twin. `N` is how types and attributes are named: callers give full names,
/// the sequencer works on ids.
#[derive(Clone, Debug)]
pub enum Operation<N = Iri> {
    /// Create entity (clause 5.6.1).
    Create(Entity<N>),
    /// Replace entity (5.6.18): all but the creation date is as given.
    Replace(Entity<N>),
    /// Create, or replace what is there (5.6.8 with option replace).
    CreateOrReplace(Entity<N>),
    /// Create, or append to what is there (5.6.8 with option update).
    CreateOrUpdate(Entity<N>),
    /// Merge entity (5.6.17, 5.5.12).
    Merge {
        /// The entity.
        id: EntityId,
        /// What to merge.
        fragment: Fragment<N>,
        /// What holds for all attributes of the fragment.
        options: MergeOptions,
    },
    /// Append attributes (5.6.3).
    Append {
        /// The entity.
        id: EntityId,
        /// Types to add.
        types: Vec<N>,
        /// Scopes: they take the place of those that are, or are added with `no_overwrite`.
        scopes: Option<Vec<Scope>>,
        /// The attributes.
        attributes: Vec<Attribute<N>>,
        /// When the entity ends; with `no_overwrite` only where it has no end.
        expires_at: Option<Timestamp>,
        /// Whether existing attributes stay as they are (`noOverwrite`).
        no_overwrite: bool,
    },
    /// Update attributes (5.6.2): given instances take the place of those that are, missing ones
    /// are appended.
    Update {
        /// The entity.
        id: EntityId,
        /// What to update: scopes are set where the entity has some, attributes are whole, and an
        /// instance of [`cardo_model::Value::null`] deletes.
        fragment: Fragment<N>,
    },
    /// Partial attribute update (5.6.4, 5.5.8).
    PartialUpdate {
        /// The entity.
        id: EntityId,
        /// The attribute.
        name: N,
        /// The instance's members that change.
        fragment: InstanceFragment<N>,
    },
    /// Replace attribute (5.6.19).
    ReplaceAttribute {
        /// The entity.
        id: EntityId,
        /// The attribute.
        name: N,
        /// Its new instance; others of other dataset ids stay.
        instance: Instance<N>,
    },
    /// Delete attribute (5.6.5).
    DeleteAttribute {
        /// The entity.
        id: EntityId,
        /// The attribute.
        name: N,
        /// Which of its instances.
        which: WhichInstances,
    },
    /// Delete entity (5.6.6).
    Delete(EntityId),
    /// A reading or a feature from a source: creates the entity where it is missing; an attribute
    /// changes only where the given instance is newer (by `observedAt`; without one, where its
    /// content differs); an older reading goes to history only; equal content changes nothing.
    Ingest(Entity<N>),
    /// Add to the temporal evolution of an entity, which is made where nothing is known of it
    /// (5.6.11, 5.6.12). The entity as it is stays.
    Record {
        /// The entity.
        id: EntityId,
        /// Types to add.
        types: Vec<N>,
        /// What scopes it had, each since a moment; since now where that is not said.
        scopes: Vec<(Option<Timestamp>, Vec<Scope>)>,
        /// Instances of attributes, any number of each.
        attributes: Vec<Attribute<N>>,
        /// Whether something has to be known of the entity.
        must_exist: bool,
    },
    /// Replace an instance in the temporal evolution of an entity, or take it out (5.6.14, 5.6.15).
    /// Whether it exists is for the caller to find out.
    AmendInstance {
        /// The entity.
        id: EntityId,
        /// The attribute.
        name: N,
        /// Which dataset the instance is of.
        dataset_id: Option<Iri>,
        /// Its id, by which context sources know it.
        instance_id: Iri,
        /// The revision that wrote it here, and its place among the lines of history of that.
        line: (Revision, u32),
        /// What takes its place; its creation date stays as given.
        by: Option<Box<Instance<N>>>,
    },
    /// Take an attribute out of the temporal evolution of an entity (5.6.13). Whether it is there
    /// is for the caller to find out.
    ForgetAttribute {
        /// The entity.
        id: EntityId,
        /// The attribute.
        name: N,
        /// Which of its instances.
        which: WhichInstances,
    },
    /// Take the whole temporal evolution of an entity away (5.6.16).
    ForgetHistory(EntityId),
    /// Put a document, or delete it where the body is `None`.
    Document(cardo_model::DocumentChange),
    /// Take away what has expired of an entity, or the entity where it has (4.5.26).
    Expire(EntityId),
}

/// What holds for a whole merge (clause 5.6.17).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeOptions {
    /// Whether existing attributes stay as they are (`noOverwrite`).
    pub no_overwrite: bool,
    /// A time for attributes that had one and are merged without one.
    pub observed_at: Option<Timestamp>,
    /// The language tag of texts that are merged into language maps.
    pub lang: Option<Box<str>>,
}

impl<N> Operation<N> {
    /// Whether it is about the history of an entity alone.
    pub(crate) fn is_temporal(&self) -> bool {
        matches!(
            self,
            Self::Record { .. }
                | Self::AmendInstance { .. }
                | Self::ForgetAttribute { .. }
                | Self::ForgetHistory(_)
        )
    }

    /// Calls `visit` with every name of a type or an attribute.
    pub(crate) fn names(&self, visit: &mut impl FnMut(&N)) {
        match self {
            Self::Create(entity)
            | Self::Replace(entity)
            | Self::CreateOrReplace(entity)
            | Self::CreateOrUpdate(entity)
            | Self::Ingest(entity) => entity.names(visit),
            Self::Merge { fragment, .. } | Self::Update { fragment, .. } => fragment.names(visit),
            Self::Append { types, attributes, .. } | Self::Record { types, attributes, .. } => {
                types.iter().for_each(&mut *visit);
                for attribute in attributes {
                    attribute.names(visit);
                }
            }
            Self::PartialUpdate { name, fragment, .. } => {
                visit(name);
                fragment.names(visit);
            }
            Self::ReplaceAttribute { name, instance, .. } => {
                visit(name);
                instance.names(visit);
            }
            Self::AmendInstance { name, by, .. } => {
                visit(name);
                if let Some(instance) = by {
                    instance.names(visit);
                }
            }
            Self::DeleteAttribute { name, .. } | Self::ForgetAttribute { name, .. } => visit(name),
            Self::ForgetHistory(_) | Self::Delete(_) | Self::Document(_) | Self::Expire(_) => {}
        }
    }

    /// The same operation with names of another sort.
    pub(crate) fn map_names<M>(self, name: &mut impl FnMut(N) -> M) -> Operation<M> {
        match self {
            Self::Create(entity) => Operation::Create(entity.map_names(name)),
            Self::Replace(entity) => Operation::Replace(entity.map_names(name)),
            Self::CreateOrReplace(entity) => Operation::CreateOrReplace(entity.map_names(name)),
            Self::CreateOrUpdate(entity) => Operation::CreateOrUpdate(entity.map_names(name)),
            Self::Ingest(entity) => Operation::Ingest(entity.map_names(name)),
            Self::Merge { id, fragment, options } => {
                Operation::Merge { id, fragment: fragment.map_names(name), options }
            }
            Self::Append { id, types, scopes, attributes, expires_at, no_overwrite } => {
                Operation::Append {
                    id,
                    types: types.into_iter().map(&mut *name).collect(),
                    scopes,
                    attributes: attributes.into_iter().map(|a| a.map_names(name)).collect(),
                    expires_at,
                    no_overwrite,
                }
            }
            Self::Update { id, fragment } => {
                Operation::Update { id, fragment: fragment.map_names(name) }
            }
            Self::PartialUpdate { id, name: attribute, fragment } => Operation::PartialUpdate {
                id,
                name: name(attribute),
                fragment: fragment.map_names(name),
            },
            Self::ReplaceAttribute { id, name: attribute, instance } => {
                let attribute = name(attribute);
                Operation::ReplaceAttribute {
                    id,
                    name: attribute,
                    instance: instance.map_names(name),
                }
            }
            Self::DeleteAttribute { id, name: attribute, which } => {
                Operation::DeleteAttribute { id, name: name(attribute), which }
            }
            Self::Record { id, types, scopes, attributes, must_exist } => Operation::Record {
                id,
                types: types.into_iter().map(&mut *name).collect(),
                scopes,
                attributes: attributes.into_iter().map(|a| a.map_names(name)).collect(),
                must_exist,
            },
            Self::AmendInstance { id, name: attribute, dataset_id, instance_id, line, by } => {
                Operation::AmendInstance {
                    id,
                    name: name(attribute),
                    dataset_id,
                    instance_id,
                    line,
                    by: by.map(|instance| Box::new(instance.map_names(name))),
                }
            }
            Self::ForgetAttribute { id, name: attribute, which } => {
                Operation::ForgetAttribute { id, name: name(attribute), which }
            }
            Self::ForgetHistory(id) => Operation::ForgetHistory(id),
            Self::Delete(id) => Operation::Delete(id),
            Self::Document(change) => Operation::Document(change),
            Self::Expire(id) => Operation::Expire(id),
        }
    }
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
    /// The same by places, where context sources have a part in the batch; else empty.
    pub distributed: Vec<Option<Distributed>>,
}

impl Outcome {
    /// What came of a batch in the twin alone.
    pub(crate) fn new(revision: Revision, results: Vec<Result<Done, OperationError>>) -> Self {
        Self { revision, results, distributed: Vec::new() }
    }
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
    /// A context source did not do its part; others may have done theirs.
    #[error("context source {registration}: {fault}")]
    OfSource {
        /// The registration.
        registration: Iri,
        /// Why.
        fault: Arc<PartFault>,
    },
    /// The entity or the request is larger than the limits allow.
    #[error("{0}")]
    TooLarge(String),
}

/// Why a whole batch was refused; nothing of it was applied.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The head has moved on from `if_revision`.
    #[error("the twin is at revision {0} already")]
    RevisionConflict(Revision),
    /// The entity of `if_unchanged` has changed, or is gone.
    #[error("entity {0} has changed in the meantime")]
    EntityConflict(EntityId),
    /// More operations than one revision may hold.
    #[error("a batch of {0} operations is larger than the {1} that are accepted")]
    BatchTooLarge(usize, usize),
    /// Too many distinct names of types and attributes in the store.
    #[error("the store holds {0} names of types and attributes already, the most that are allowed")]
    TooManyNames(usize),
    /// There is no such branch, or none any more.
    #[error("branch {0:?} does not exist")]
    UnknownBranch(String),
    /// The twin is a past one.
    #[error("what was at {0} cannot be changed any more")]
    Past(cardo_model::Timestamp),
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
