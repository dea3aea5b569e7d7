use cardo_model::{EntityId, Iri, Record, Timestamp};

use crate::ports::HistoryRow;

/// Which part of an entity's history is asked for.
#[derive(Clone, Debug)]
pub struct HistoryRequest {
    /// The entity.
    pub entity: EntityId,
    /// Only these attributes; all where empty.
    pub attributes: Vec<Iri>,
    /// From this moment on, it included.
    pub from: Option<Timestamp>,
    /// Up to this moment, it excluded.
    pub until: Option<Timestamp>,
    /// Only the last so many instances of each attribute and dataset.
    pub last: Option<usize>,
    /// At most so many rows in all.
    pub limit: usize,
}

/// The history of an entity, that which is not projected yet included.
#[derive(Clone, Debug)]
pub struct EntityHistory {
    /// The entity as it is, where it still exists.
    pub current: Option<Record>,
    /// What happened, in the order (attribute, dataset, time, revision, ordinal).
    pub rows: Vec<HistoryRow>,
    /// Whether rows were left out because of the limit.
    pub is_cut: bool,
}
