use cardo_model::{NameId, Timestamp};
use cardo_query::{Filter, scope_matches};

use crate::ports::{HistoryEvent, HistoryRow};

/// The scopes of an entity from a moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeChange {
    /// Since when.
    pub since: Timestamp,
    /// The scopes; none where they were removed, or the entity was deleted.
    pub scopes: Vec<Box<str>>,
}

/// A change of scopes gives the entity anew as a whole, so whole records tell all of them; beside
/// them there are those that belong to the history alone.
pub(super) fn scopes_of(rows: &[HistoryRow]) -> Vec<ScopeChange> {
    let is_whole =
        |row: &&HistoryRow| matches!(row.event, HistoryEvent::Entity(_) | HistoryEvent::Deleted);
    let mut whole: Vec<&HistoryRow> = rows.iter().filter(is_whole).collect();
    whole.sort_by_key(|row| (row.revision, row.ordinal));
    let mut changes: Vec<ScopeChange> = Vec::new();
    for row in whole {
        let scopes = match &row.event {
            HistoryEvent::Entity(record) => record.view().scopes().map(Box::from).collect(),
            _ => Vec::new(),
        };
        add(&mut changes, ScopeChange { since: row.time, scopes });
    }
    let mut stated: Vec<ScopeChange> = rows.iter().filter_map(statement).collect();
    if stated.is_empty() {
        return changes;
    }
    stated.extend(changes);
    stated.sort_by_key(|change| change.since);
    let mut all = Vec::with_capacity(stated.len());
    for change in stated {
        add(&mut all, change);
    }
    all
}

fn add(changes: &mut Vec<ScopeChange>, change: ScopeChange) {
    let is_new = match changes.last() {
        Some(before) => before.scopes != change.scopes,
        None => !change.scopes.is_empty(),
    };
    if is_new {
        changes.push(change);
    }
}

fn statement(row: &HistoryRow) -> Option<ScopeChange> {
    let HistoryEvent::Head(record) = &row.event else { return None };
    let scopes: Vec<Box<str>> = record.view().scopes().map(Box::from).collect();
    (!scopes.is_empty()).then_some(ScopeChange { since: row.time, scopes })
}

/// A time in which a scope was valid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    since: Timestamp,
    until: Option<Timestamp>,
}

impl Interval {
    pub(crate) fn contains(self, moment: Timestamp) -> bool {
        self.since <= moment && self.until.is_none_or(|until| moment < until)
    }
}

/// When the scopes of an entity met a condition, within a range (clause 4.18).
pub(super) fn valid(
    changes: &[ScopeChange],
    filter: &Filter<NameId>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Vec<Interval> {
    let mut intervals = Vec::new();
    for (place, change) in changes.iter().enumerate() {
        let end = changes.get(place + 1).map(|next| next.since);
        let is_in_range = until.is_none_or(|until| change.since < until)
            && end.is_none_or(|end| from.is_none_or(|from| from < end));
        if is_in_range && holds(filter, &change.scopes) {
            intervals.push(Interval { since: change.since, until: end });
        }
    }
    intervals
}

fn holds(filter: &Filter<NameId>, scopes: &[Box<str>]) -> bool {
    match filter {
        Filter::True => true,
        Filter::And(parts) => parts.iter().all(|part| holds(part, scopes)),
        Filter::Or(parts) => parts.iter().any(|part| holds(part, scopes)),
        Filter::Not(part) => !holds(part, scopes),
        Filter::Scope(test) => scopes.iter().any(|scope| scope_matches(test, scope)),
        _ => false,
    }
}
