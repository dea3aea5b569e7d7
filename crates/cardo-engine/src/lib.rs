//! Every operation on the twin once, with its rules; the live twin in memory with its indexes and
//! its planner; the sequencer; and the ports that a store implements.
//!
//! The engine knows no HTTP, no JSON-LD and no SQL.

mod aggregate;
mod area;
mod branch;
mod caller;
mod demand;
mod engine;
mod entity_maps;
mod federation;
mod follow;
mod freshness;
mod history;
mod known;
mod layers;
mod links;
mod listing;
mod live;
mod metrics;
mod moment;
mod operation;
mod options;
mod order;
mod plan;
mod ports;
mod projector;
mod query;
mod residence;
mod retention;
mod sequencer;
mod snapshot;
mod tables;
mod twin;
mod watch;
mod write;

pub use aggregate::{Counting, Figures, NumberFigures, can_have_numbers};
pub use area::{AreaQuery, AreaWalk, Placed, Slot};
pub use branch::{BranchContent, BranchError, BranchInfo, Choice};
pub use caller::{Caller, Mask, Principal, Restriction, View};
pub use engine::Engine;
pub use entity_maps::{EntityMap, Mapped, MappedEntity, MappedPage};
pub use federation::{
    AskedBy, AskedMaps, AskedSources, ContextSources, Contributed, Contribution, Contributions,
    Distributed, EntityInfo, Forwarding, Information, Interval, InvalidRegistration, Looking,
    Management, Match, MatchedInformation, Mode, OF_SOURCES, Operations, Part, PartFault, Purge,
    REGISTRATION_KIND, Reach, Registration, Registrations, SourceEntities, SourceEntity,
    SourceEvolution, SourceEvolutions, SourceFault, SourceOperation, SourceProgress, SourceRequest,
    SourceState, SourceTypes, SourceWrite, Wanted, WantedEntities, Written,
};
pub use follow::{Followed, Follower};
pub use freshness::Freshness;
pub use history::{
    Aggregate, AggregateValue, Aggregation, Amendments, AttributeAggregates, Cut, Duration,
    EntityHistory, EvolutionPage, EvolutionQuery, HistoryRequest, IdOrder, InvalidDuration, Method,
    ScopeChange, moment,
};
pub use layers::{
    Damaged, Layer, LayerContents, LayerDescription, LayerError, LayerNode, LayerQuestionError,
    LayerVisit, Layers, Noted, TileContent, TileForm, TileImage, TileLayer, TileLayerDescription,
    TilePacking, TilePlace, VectorLayer,
};
pub use listing::Listing;
pub use live::ahead;
pub use metrics::{COMMIT_BUCKETS, EngineMetrics, TwinMetrics};
pub use operation::{
    Batch, Done, MergeOptions, NotUpdated, Operation, OperationError, Outcome, Unchanged,
    WhichInstances, WriteError,
};
pub use options::{Clock, EngineOptions};
pub use order::{Order, OrderBy};
pub use ports::{
    Append, Behind, Cuts, EncodedRecord, HistoryEvent, HistoryQuery, HistoryRow, HistorySink,
    HistoryWalk, LogError, Projected, Projection, StateSink, Store, StoreError, Tells,
};
pub use query::{EntityQuery, Page, PageRequest, PageStart, QueryError};
pub use retention::{Retention, RetentionRule};
pub use snapshot::{AttributeInfo, Snapshot, TypeInfo};
pub use tables::{
    Cell, Collision, Column, ColumnPart, ColumnType, RESERVED, Row, Table, Tables, Terms,
    Vocabulary,
};
pub use watch::Watch;
