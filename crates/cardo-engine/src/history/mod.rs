mod aggregate;
mod amend;
mod carry;
mod cut;
mod evolution;
mod join;
mod scopes;

use cardo_model::{EntityId, Iri, Kind, NameId, Record, Timestamp};
use cardo_query::TemporalProperty;

use crate::branch::Beginning;
use crate::engine::Inner;
use crate::federation::{FarRow, settle};
use crate::follow::Followed;
use crate::ports::{HistoryEvent, HistoryQuery, HistoryRow, Tells};
use crate::projector;
use crate::query::QueryError;
use crate::snapshot::Snapshot;
use crate::twin::Twin;

pub use aggregate::{
    Aggregate, AggregateValue, Aggregation, AttributeAggregates, Duration, InvalidDuration, Method,
};
pub use amend::Amendments;
pub use cut::Cut;
pub use evolution::{EvolutionPage, EvolutionQuery, IdOrder};
pub(crate) use evolution::{cut_together, moment_of};
pub use join::moment;
pub(crate) use scopes::Interval;
pub use scopes::ScopeChange;

/// Which part of an entity's history is asked for.
#[derive(Clone, Debug)]
pub struct HistoryRequest {
    /// The entity.
    pub entity: EntityId,
    /// Only these attributes; all where empty.
    pub attributes: Vec<Iri>,
    /// Attributes of which nothing is told, though they say that the entity has a history.
    pub omitted: Vec<Iri>,
    /// Only instances of these datasets, of which `None` is that of the default instance.
    pub datasets: Option<Vec<Option<Iri>>>,
    /// The temporal property that the moments below are of. Where it is given, an instance without
    /// it lies in no range of time; else an instance is placed by when it was observed, or written
    /// where it was not.
    pub property: Option<TemporalProperty>,
    /// From this moment on, it included.
    pub from: Option<Timestamp>,
    /// Up to this moment, it excluded.
    pub until: Option<Timestamp>,
    /// Only the last so many instances of each attribute and dataset.
    pub last: Option<usize>,
    /// At most so many rows in all: the earliest, or the latest where the last are asked for.
    pub limit: usize,
}

/// The history of an entity, that which is not projected yet included.
#[derive(Clone, Debug)]
pub struct EntityHistory {
    /// The entity as it is, where it still exists.
    pub current: Option<Record>,
    /// The id, types and dates to show: those of the entity as it is, or as it was when it was last
    /// written whole; with the types that its history alone was given.
    pub head: Record,
    /// Instances, and deletions of instances, in the order (attribute, dataset, time, revision,
    /// ordinal).
    pub rows: Vec<HistoryRow>,
    /// A place a row: the kind of the instance, or of what was deleted.
    pub kinds: Vec<Kind>,
    /// What scopes the entity had from when on, each time that they changed.
    pub scopes: Vec<ScopeChange>,
    /// When the entity was deleted, each time that it was.
    pub deleted_at: Vec<Timestamp>,
    /// Whether rows were left out because of the limit.
    pub is_cut: bool,
    /// Attributes all of whose rows were left out because of the limit.
    pub emptied: Vec<NameId>,
    /// Whether rows were left out because their attribute is omitted.
    pub has_omitted: bool,
}

/// So many rows of one entity are looked through at the most.
pub(crate) const MOST_ROWS: usize = 1_000_000;
/// As many rows are read at least, so that what is taken out of a history leaves enough.
const MIN_READ: usize = 50_000;

impl EntityHistory {
    /// Whether nothing lies in what is asked for.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && !self.has_omitted
    }
}

impl Inner {
    /// The history of an entity as a snapshot's caller may see it.
    pub(crate) async fn history_in(
        &self,
        twin: &Twin,
        snapshot: &Snapshot,
        request: &HistoryRequest,
        validity: Option<&[Interval]>,
        far: &[FarRow],
    ) -> Result<Option<EntityHistory>, QueryError> {
        let current = snapshot.retrieve(request.entity.as_str());
        let restriction = snapshot.view.restriction();
        if current.is_none() && restriction.is_some() {
            return Ok(None);
        }
        let names = &self.names;
        let asked: Vec<NameId> =
            request.attributes.iter().map(|name| names.id_or_unknown(name.as_str())).collect();
        let is_visible = |name: NameId| {
            (asked.is_empty() || asked.contains(&name))
                && restriction.is_none_or(|r| !r.attributes.hides_id(name, names))
        };
        let omitted: Vec<NameId> =
            request.omitted.iter().filter_map(|name| names.id(name.as_str())).collect();
        let now = (self.options.clock)();
        let wanted = join::Wanted::new(request, validity, (&is_visible, &omitted), now);
        let placed_by_row = matches!(request.property, None | Some(TemporalProperty::ObservedAt));
        let is_part = request.from.is_some() || request.until.is_some() || request.last.is_some();
        // A store orders by the time of observation; by other moments all has to be looked through.
        let mut looks_through = is_part && !placed_by_row;
        let limit = if looks_through { MOST_ROWS } else { request.limit.max(MIN_READ) };
        let whole = HistoryQuery {
            attributes: asked.clone(),
            limit: limit.saturating_add(1),
            ..HistoryQuery::whole(request.entity.clone())
        };
        let mut query = whole.clone();
        if placed_by_row {
            (query.from, query.until, query.last) = (request.from, request.until, request.last);
        }
        let mut rows = self.all_rows(twin, &query, &mut Beginning::of(&snapshot.root)).await?;
        // What was put right may lie elsewhere than it lay before.
        let is_amended = rows.iter().any(|row| matches!(row.event, HistoryEvent::Amended(_)));
        if is_part && placed_by_row && is_amended {
            looks_through = true;
            query = HistoryQuery { limit: MOST_ROWS + 1, ..whole };
            rows = self.all_rows(twin, &query, &mut Beginning::of(&snapshot.root)).await?;
        }
        // The store has counted rows that are none of the last ones that are asked for.
        if query.last.is_some() && rows.iter().any(|row| wanted.counts_wrongly(row)) {
            looks_through = true;
            (query.last, query.limit) = (None, MOST_ROWS + 1);
            rows = self.all_rows(twin, &query, &mut Beginning::of(&snapshot.root)).await?;
        }
        let is_cut = rows.len() >= query.limit;
        if is_cut && looks_through {
            return Err(QueryError::TooMuchHistory(MOST_ROWS));
        }
        if !far.is_empty() {
            settle(&mut rows, far, request.property);
        }
        Ok(join::join(current, rows, &wanted, is_cut))
    }

    /// The rows of the store and of the tail.
    async fn all_rows(
        &self,
        twin: &Twin,
        query: &HistoryQuery,
        beginning: &mut Beginning<'_>,
    ) -> Result<Vec<HistoryRow>, QueryError> {
        let (projected, tail, mut rows) = self.history_rows(twin, query).await?;
        rows.retain(|row| row.revision <= projected);
        let is_asked =
            |followed: &Followed| query.up_to.is_none_or(|last| followed.record.revision <= last);
        for followed in tail.iter().filter(|followed| is_asked(followed)) {
            let own = projector::rows(followed, Some(&query.entity));
            rows.extend(own.into_iter().filter(|row| row.tells != Tells::State));
        }
        // What was before the branch is the history of its parent.
        for row in &rows {
            beginning.note(row);
        }
        if let Some(origin) = &twin.origin
            && (!origin.is_part || beginning.has(query.entity.as_str(), origin.revision))
        {
            let up_to = query.up_to.map_or(origin.revision, |last| last.min(origin.revision));
            let query = HistoryQuery { up_to: Some(up_to), ..query.clone() };
            rows.extend(Box::pin(self.all_rows(&origin.parent, &query, beginning)).await?);
        }
        Ok(rows)
    }
}
