//! Retention: histories are cut off, in portions that are each one transaction.
//!
//! Two walks through the entities in the order of their hashes: one over the chunks that are settled,
//! one over the blocks. What arrived and is not compacted yet is left for the next time. Where an
//! entity has rows in both, each walk keeps the last ones before the cut that it sees, so that never
//! too much goes. Blocks of a series that lie wholly before its last value are read one at a time.

use cardo_engine::{Cut, Cuts, HistoryRow, StoreError};
use cardo_model::{EntityId, NameId, Timestamp};
use sqlx::{Connection, Row, SqliteConnection};

use super::amended::{Block, Left, blocks_at, decoded, put_back, rows_of, to_scrub};
use super::arrivals::{seal_chunks, write_chunks};
use super::block::{BlockKey, BlockMeta, MIXED, open_block};
use super::compact::{Changes, PortionError, groups_of, write_blocks};
use super::error::damaged;
use super::settled::SETTLED;
use super::state::{Reached, StateFile};
use crate::history::chunk::{Packer, groups};
use crate::history::row::put_row;

const DAMAGED: PortionError = PortionError::Damaged("a block of history");
/// So many settled chunks, or entities with blocks, are looked at in one transaction.
const CHUNKS: i64 = 500;
const ENTITIES: i64 = 100;

/// What is cut off, and when that is.
#[derive(Clone, Copy)]
pub(super) struct Pruning<'c> {
    pub(super) twin: i64,
    pub(super) now: Timestamp,
    pub(super) cuts: &'c dyn Cuts,
}

/// What a portion did.
struct Portion {
    /// Where the next one begins; none where nothing is left.
    next: Option<i64>,
    has_changed: bool,
}

impl StateFile {
    pub(super) async fn prune(&self, pruning: Pruning<'_>) -> Result<(), StoreError> {
        let mut has_changed = false;
        for is_settled in [true, false] {
            let mut start = Some(i64::MIN);
            while let Some(from) = start {
                let mut writer = self.file.writer().await?;
                let portion = if is_settled {
                    settled_portion(writer.connection(), self, pruning, from).await
                } else {
                    blocks_portion(writer.connection(), self, pruning, from).await
                };
                match portion {
                    Ok(portion) => {
                        has_changed |= portion.has_changed;
                        start = portion.next;
                    }
                    Err(PortionError::Damaged(what)) => {
                        return Err(damaged(self.file.path(), what));
                    }
                    Err(PortionError::Sql(error)) => return Err(writer.fail(error).await),
                }
            }
        }
        if has_changed { self.scrub().await } else { Ok(()) }
    }
}

async fn settled_portion(
    connection: &mut SqliteConnection,
    file: &StateFile,
    pruning: Pruning<'_>,
    start: i64,
) -> Result<Portion, PortionError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let sql = "SELECT first, groups FROM arrivals WHERE twin = ?1 AND run = ?2 AND first >= ?3 \
               ORDER BY first LIMIT ?4";
    let query = sqlx::query(sql).bind(pruning.twin).bind(SETTLED).bind(start).bind(CHUNKS + 1);
    let mut rows = query.fetch_all(&mut *transaction).await?;
    let is_last = rows.len() <= usize::try_from(CHUNKS).unwrap_or(usize::MAX);
    let next = if is_last { None } else { rows.pop().map(|row| row.get(0)) };
    let mut packer = Packer::default();
    let mut has_changed = false;
    for group in groups_of(pruning.twin, &rows)? {
        let Some(at) = pruning.cuts.of(group.id) else {
            packer.put(group.hash, group.id, &[group.bytes]);
            continue;
        };
        let entity = EntityId::new(group.id).map_err(|_| DAMAGED)?;
        let before = decoded(&[group], &entity)?;
        let cut = Cut::through(at, pruning.now, &before);
        let after = cut.keep(before.clone());
        if after == before {
            packer.put(group.hash, group.id, &[group.bytes]);
            continue;
        }
        has_changed = true;
        if !after.is_empty() {
            let mut bytes = Vec::new();
            for row in &after {
                put_row(&mut bytes, row);
            }
            packer.put(group.hash, group.id, &[&bytes]);
        }
    }
    if has_changed && let (Some(first), Some(last)) = (rows.first(), rows.last()) {
        let (first, last): (i64, i64) = (first.get(0), last.get(0));
        let sql = "DELETE FROM arrivals WHERE twin = ?1 AND run = ?2 AND first BETWEEN ?3 AND ?4";
        let query = sqlx::query(sql).bind(pruning.twin).bind(SETTLED).bind(first).bind(last);
        query.execute(&mut *transaction).await?;
        let chunks = seal_chunks(pruning.twin, packer.finish());
        let place = (pruning.twin, SETTLED);
        write_chunks(&mut transaction, &file.statements, place, chunks).await?;
        to_scrub(&mut transaction).await?;
    }
    transaction.commit().await?;
    Ok(Portion { next, has_changed })
}

async fn blocks_portion(
    connection: &mut SqliteConnection,
    file: &StateFile,
    pruning: Pruning<'_>,
    start: i64,
) -> Result<Portion, PortionError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let Some(mut reached) = Reached::read(&mut transaction, pruning.twin).await? else {
        return Ok(Portion { next: None, has_changed: false });
    };
    let sql = "SELECT DISTINCT entity FROM blocks INDEXED BY blocks_by_time \
               WHERE twin = ?1 AND entity >= ?2 AND first <= ?3 ORDER BY entity LIMIT ?4";
    let query = sqlx::query_scalar(sql).bind(pruning.twin).bind(start);
    let query = query.bind(pruning.cuts.latest().as_micros()).bind(ENTITIES + 1);
    let mut places: Vec<i64> = query.fetch_all(&mut *transaction).await?;
    let is_last = places.len() <= usize::try_from(ENTITIES).unwrap_or(usize::MAX);
    let next = if is_last { None } else { places.pop() };
    let mut changes = Changes::new(pruning.twin, reached.next_block);
    for place in places {
        prune_blocks(&mut transaction, &mut changes, pruning, place).await?;
    }
    let has_changed = !changes.is_empty();
    if has_changed {
        reached.next_block = changes.next_block;
        changes.write(&mut transaction, &file.statements).await?;
        reached.write(&mut transaction, pruning.twin).await?;
        to_scrub(&mut transaction).await?;
    }
    transaction.commit().await?;
    Ok(Portion { next, has_changed })
}

/// Cuts off the blocks at a place.
async fn prune_blocks(
    connection: &mut SqliteConnection,
    changes: &mut Changes,
    pruning: Pruning<'_>,
    place: i64,
) -> Result<(), PortionError> {
    let all = blocks_at(connection, pruning.twin, place).await?;
    let Some(first) = all.first() else { return Ok(()) };
    let (hash, entity) = owner(connection, pruning.twin, first).await?;
    let Some(at) = pruning.cuts.of(entity.as_str()) else { return Ok(()) };
    let mut cut = Cut::new(at, pruning.now);
    let mut left = Left { rows: Vec::new(), open: Vec::new(), has_blocks: false };
    cut.see_deletions(&settled_rows(connection, pruning.twin, place, &entity).await?);
    let (mut read, mut series) = (Vec::new(), Vec::new());
    let (mixed, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|meta| meta.attribute == MIXED);
    for meta in mixed {
        if let Some(rows) = rows_of(connection, pruning.twin, &meta, &entity).await? {
            cut.see_deletions(&rows);
            read.push(Block { meta, rows });
        }
    }
    for meta in others {
        if meta.first > at.as_micros() {
            left.keep(meta);
        } else if meta.last <= at.as_micros() && !cut.has_deletion() {
            // Its last value is all that counts of it so far.
            series.push(meta);
        } else if let Some(rows) = rows_of(connection, pruning.twin, &meta, &entity).await? {
            read.push(Block { meta, rows });
        }
    }
    for row in read.iter().flat_map(|block| &block.rows) {
        cut.see(row);
    }
    // Two ids rarely share a hash; which of them a block is of is only known when it is read.
    let name_of = |meta: &BlockMeta| u32::try_from(meta.attribute).map(NameId::new);
    for meta in &series {
        let dataset = Some(meta.dataset.as_str()).filter(|dataset| !dataset.is_empty());
        let last = Timestamp::from_micros(meta.last);
        cut.see_series(name_of(meta).map_err(|_| DAMAGED)?, dataset.map(Box::from), last);
    }
    for meta in series {
        let dataset = Some(meta.dataset.as_str()).filter(|dataset| !dataset.is_empty());
        let last = Timestamp::from_micros(meta.last);
        let goes = cut.drops_up_to(name_of(&meta).map_err(|_| DAMAGED)?, dataset, last);
        let Some(rows) = rows_of(connection, pruning.twin, &meta, &entity).await? else { continue };
        for row in &rows {
            cut.see(row);
        }
        if goes {
            let after = cut.keep(rows.clone());
            put_back(changes, &mut left, Block { meta, rows }, after);
        } else {
            read.push(Block { meta, rows });
        }
    }
    for block in read {
        let after = cut.keep(block.rows.clone());
        put_back(changes, &mut left, block, after);
    }
    write_blocks(connection, changes, (place, hash, entity.as_str()), left).await
}

/// The rows of an entity that are settled.
async fn settled_rows(
    connection: &mut SqliteConnection,
    twin: i64,
    place: i64,
    entity: &EntityId,
) -> Result<Vec<HistoryRow>, PortionError> {
    let sql = "SELECT first, groups FROM arrivals WHERE twin = ?1 AND run = ?2 AND first <= ?3 \
               ORDER BY first DESC LIMIT 1";
    let query = sqlx::query(sql).bind(twin).bind(SETTLED).bind(place);
    let chunk = query.fetch_all(connection).await?;
    let mut own = groups_of(twin, &chunk)?;
    own.retain(|group| group.id == entity.as_str());
    decoded(&own, entity)
}

/// The entity that a block is of, with its hash.
async fn owner(
    connection: &mut SqliteConnection,
    twin: i64,
    meta: &BlockMeta,
) -> Result<(u64, EntityId), PortionError> {
    let BlockMeta { entity, sealed, number, .. } = *meta;
    let key = BlockKey { twin, entity, sealed, number };
    let opened = open_block(key, &key.read(connection).await?).ok_or(DAMAGED)?;
    let group = groups(&opened).next().flatten().ok_or(DAMAGED)?;
    Ok((group.hash, EntityId::new(group.id).map_err(|_| DAMAGED)?))
}
