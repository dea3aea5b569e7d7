use cardo_model::{EntityId, Iri, Timestamp};
use cardo_query::{Filter, GeoCondition, Pattern, TemporalRange};

use super::SourceOperation;

/// For what sources are looked (clauses 5.10.2, 5.11.2 and 5.12). All conditions have to be met; what
/// is empty is no condition.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Any of these specifications.
    pub entities: Vec<WantedEntities>,
    /// Any of these attributes.
    pub attributes: Vec<Iri>,
    /// Any of these datasets, `@none` among them for default instances.
    pub datasets: Vec<Box<str>>,
    /// The source takes this operation.
    pub operation: Option<SourceOperation>,
    /// The time of temporal information; where there is none the latest information is wanted
    /// (clause 5.10.2.4).
    pub time: Option<TemporalRange>,
    /// Where it lies.
    pub geo: Option<GeoCondition>,
    /// Its scope: a tree of tests of scopes.
    pub scope: Option<Filter>,
    /// What describes the source: `csf`.
    pub source: Option<Filter>,
    /// The sources that a request has passed (clause 4.3.6.4).
    pub encountered: Vec<Box<str>>,
    /// Why it is looked.
    pub looking: Looking,
    /// When; what has expired by then is not found.
    pub now: Timestamp,
}

/// Entities that are wanted.
#[derive(Clone, Debug, Default)]
pub struct WantedEntities {
    /// A selection of types (clause 4.17): a tree of types.
    pub types: Option<Filter>,
    /// Any of these.
    pub ids: Vec<EntityId>,
    /// Those that look like this.
    pub id_pattern: Option<Pattern>,
}

/// What it means that a registration is silent on place or scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looking {
    /// To show registrations: a condition is put to what they say (clause 5.10.2.4).
    ForRegistrations,
    /// To distribute a request: the source may have it wherever it is.
    ForInformation,
}

impl Wanted {
    /// Everything that sources may have of the latest information, to distribute an operation.
    pub fn to(operation: SourceOperation, now: Timestamp) -> Self {
        Self {
            operation: Some(operation),
            looking: Looking::ForInformation,
            ..Self::registrations(now)
        }
    }

    /// All registrations for the latest information.
    pub fn registrations(now: Timestamp) -> Self {
        Self {
            entities: Vec::new(),
            attributes: Vec::new(),
            datasets: Vec::new(),
            operation: None,
            time: None,
            geo: None,
            scope: None,
            source: None,
            encountered: Vec::new(),
            looking: Looking::ForRegistrations,
            now,
        }
    }
}

impl WantedEntities {
    /// One entity of unknown type.
    pub fn one(id: EntityId) -> Self {
        Self { ids: vec![id], ..Self::default() }
    }
}
