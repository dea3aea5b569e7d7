//! Which rows of an entity's history answer a question, the same for every store.

use cardo_engine::{HistoryQuery, HistoryRow, Tells};
use cardo_model::{EntityId, NameId, Revision, Timestamp};

use super::row::{RawRow, key_of, series_of};

/// Gathers rows in any order and gives those that were asked for.
///
/// Rows about the entity itself answer whatever attributes and times are asked for, since they hold
/// instances with times of their own; `last` does not count them. It keeps at most about twice as
/// many rows as may be given, so a long history needs no memory for what is not asked.
pub(crate) struct Selection<'q> {
    query: &'q HistoryQuery,
    rows: Vec<HistoryRow>,
    prune_at: usize,
    /// The time of the last row that the limit keeps so far, where it has cut.
    reach: Option<Timestamp>,
}

const MIN_PRUNE: usize = 4_096;

impl<'q> Selection<'q> {
    pub(crate) fn new(query: &'q HistoryQuery) -> Self {
        let prune_at = query.limit.saturating_mul(2).max(MIN_PRUNE);
        Self { query, rows: Vec::new(), prune_at, reach: None }
    }

    fn takes(&self, name: Option<NameId>, time: Timestamp, revision: Revision) -> bool {
        let attributes = &self.query.attributes;
        if self.query.up_to.is_some_and(|last| revision > last) {
            return false;
        }
        let Some(name) = name else { return true };
        (attributes.is_empty() || attributes.contains(&name))
            && self.query.from.is_none_or(|from| time >= from)
            && self.query.until.is_none_or(|until| time < until)
    }

    /// Takes a row of the entity that is in memory.
    pub(crate) fn offer(&mut self, row: &HistoryRow) {
        if row.tells != Tells::State && self.takes(series_of(row).0, row.time, row.revision) {
            self.push(row.clone());
        }
    }

    /// Takes a row of the entity in its binary form; `None` where that is damaged.
    pub(crate) fn offer_raw(&mut self, entity: &EntityId, row: RawRow<'_>) -> Option<()> {
        if row.tells != Tells::State && self.takes(row.name, row.time, row.revision) {
            self.push(row.to_row(entity)?);
        }
        Some(())
    }

    fn push(&mut self, row: HistoryRow) {
        self.rows.push(row);
        if self.rows.len() >= self.prune_at {
            self.prune();
            self.prune_at = self.rows.len().saturating_mul(2).max(self.prune_at);
        }
    }

    fn prune(&mut self) {
        self.rows.sort_by(|a, b| key_of(a).cmp(&key_of(b)));
        match self.query.last {
            Some(last) => self.rows = keep_last(std::mem::take(&mut self.rows), last),
            None => self.keep_limit(),
        }
    }

    /// Cuts to the limit: keeps rows about the entity itself, and the earliest of the others, or the
    /// latest where the last ones are asked for.
    fn keep_limit(&mut self) {
        let limit = self.query.limit;
        if self.rows.len() <= limit {
            return;
        }
        // They come first in the order.
        let whole = self.rows.partition_point(|row| series_of(row).0.is_none());
        let room = limit.saturating_sub(whole);
        let mut others: Vec<usize> = (whole..self.rows.len()).collect();
        let by_time = |place: &usize| {
            let row = &self.rows[*place];
            (row.time, row.revision, row.ordinal, *place)
        };
        others.sort_unstable_by_key(by_time);
        if self.query.last.is_some() {
            others.reverse();
        }
        others.truncate(room);
        if self.query.last.is_none() {
            self.reach = others.last().map(|place| self.rows[*place].time);
        }
        others.sort_unstable();
        let kept = (0..whole.min(limit)).chain(others);
        self.rows = kept.map(|place| self.rows[place].clone()).collect();
    }

    /// Whether no row from this moment on can be among those that the limit keeps.
    pub(crate) fn is_full_before(&self, moment: Timestamp) -> bool {
        self.reach.is_some_and(|reach| reach < moment)
    }

    /// How many rows of a series at or behind a moment were gathered.
    pub(crate) fn count_since(
        &self,
        name: NameId,
        dataset: Option<&str>,
        since: Timestamp,
    ) -> usize {
        let is_counted =
            |row: &&HistoryRow| row.time > since && series_of(row) == (Some(name), dataset);
        self.rows.iter().filter(is_counted).count()
    }

    /// The rows in their order.
    pub(crate) fn finish(mut self) -> Vec<HistoryRow> {
        self.prune();
        self.keep_limit();
        self.rows
    }
}

/// Keeps the last rows of each series of sorted rows, and all rows about the entity itself.
fn keep_last(rows: Vec<HistoryRow>, last: usize) -> Vec<HistoryRow> {
    let mut keep = vec![true; rows.len()];
    let mut start = 0;
    for series in rows.chunk_by(|a, b| series_of(a) == series_of(b)) {
        if series_of(&series[0]).0.is_some() {
            let dropped = series.len().saturating_sub(last);
            keep[start..start + dropped].fill(false);
        }
        start += series.len();
    }
    rows.into_iter().zip(keep).filter_map(|(row, keep)| keep.then_some(row)).collect()
}
