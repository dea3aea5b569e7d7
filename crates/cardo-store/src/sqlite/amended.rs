//! Amendments are carried out when they are compacted: what was put right is written anew, and what
//! is gone is not written again. SQLite overwrites deleted rows and pages with zeros, and when all is
//! done the write-ahead log is emptied, so that the values are in the state's files no more.
//!
//! `meta` remembers across restarts which twins have amendments that wait (`amended N`: the last run
//! with one), and whether the write-ahead log is still to be emptied (`scrub`).

use cardo_engine::{Amendments, HistoryEvent, HistoryRow, StoreError};
use cardo_model::{EntityId, NameId};
use sqlx::{Row, SqliteConnection};

use super::block::{BlockKey, BlockMeta, MIXED, open_block};
use super::compact::{Changes, OpenBlock, PortionError};
use super::state::StateFile;
use crate::history::chunk::groups;
use crate::history::row::Group;

const DAMAGED: PortionError = PortionError::Damaged("a block of history");
/// The key in `meta` that says that the write-ahead log is to be emptied.
const SCRUB: &str = "scrub";

/// What is left of an entity.
pub(super) struct Left {
    /// Rows that are to be written.
    pub(super) rows: Vec<HistoryRow>,
    /// Blocks that stay as they are and still grow.
    pub(super) open: Vec<OpenBlock>,
    /// Whether any block stays.
    pub(super) has_blocks: bool,
}

fn key_of(twin: i64) -> String {
    format!("amended {twin}")
}

/// Remembers that a run holds amendments.
pub(super) async fn note(
    connection: &mut SqliteConnection,
    twin: i64,
    run: i64,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)";
    let query = sqlx::query(sql).bind(key_of(twin)).bind(run.to_string());
    query.execute(connection).await?;
    Ok(())
}

/// The last run with amendments that wait.
pub(super) async fn waiting(
    connection: &mut SqliteConnection,
    twin: i64,
) -> Result<Option<i64>, sqlx::Error> {
    let query = sqlx::query_scalar("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1");
    query.bind(key_of(twin)).fetch_optional(connection).await
}

/// Notes that all runs up to one were compacted.
pub(super) async fn done(
    connection: &mut SqliteConnection,
    twin: i64,
    up_to: i64,
) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM meta WHERE key = ?1 AND CAST(value AS INTEGER) <= ?2";
    let query = sqlx::query(sql).bind(key_of(twin)).bind(up_to);
    if query.execute(&mut *connection).await?.rows_affected() > 0 {
        to_scrub(connection).await?;
    }
    Ok(())
}

/// Remembers that bytes that are gone may lie in the write-ahead log.
pub(super) async fn to_scrub(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let sql = "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, '')";
    sqlx::query(sql).bind(SCRUB).execute(connection).await?;
    Ok(())
}

pub(super) fn has_amendment(own: &[Group<'_>]) -> Result<bool, PortionError> {
    for group in own {
        for row in group.rows() {
            if row.ok_or(DAMAGED)?.is_amendment() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

pub(super) fn decoded(
    groups: &[Group<'_>],
    entity: &EntityId,
) -> Result<Vec<HistoryRow>, PortionError> {
    let mut rows = Vec::new();
    for group in groups {
        for row in group.rows() {
            rows.push(row.and_then(|row| row.to_row(entity)).ok_or(DAMAGED)?);
        }
    }
    Ok(rows)
}

/// A block of an entity with its rows.
pub(super) struct Block {
    pub(super) meta: BlockMeta,
    pub(super) rows: Vec<HistoryRow>,
}

/// The blocks at the place of an entity, without their rows.
pub(super) async fn blocks_at(
    connection: &mut SqliteConnection,
    twin: i64,
    place: i64,
) -> Result<Vec<BlockMeta>, sqlx::Error> {
    let sql = "SELECT entity, sealed, number, attribute, dataset, first, last, count \
               FROM blocks WHERE twin = ?1 AND entity = ?2";
    let rows = sqlx::query(sql).bind(twin).bind(place).fetch_all(connection).await?;
    Ok(rows.iter().map(BlockMeta::from_row).collect())
}

/// The rows of a block; none where they are of another entity with the same hash.
pub(super) async fn rows_of(
    connection: &mut SqliteConnection,
    twin: i64,
    meta: &BlockMeta,
    entity: &EntityId,
) -> Result<Option<Vec<HistoryRow>>, PortionError> {
    let BlockMeta { entity: place, sealed, number, .. } = *meta;
    let key = BlockKey { twin, entity: place, sealed, number };
    let opened = open_block(key, &key.read(connection).await?).ok_or(DAMAGED)?;
    let groups: Vec<Group<'_>> = groups(&opened).collect::<Option<_>>().ok_or(DAMAGED)?;
    if groups.iter().any(|group| group.id != entity.as_str()) {
        return Ok(None);
    }
    decoded(&groups, entity).map(Some)
}

/// Carries out what is amended among new and settled rows of an entity, in its blocks too.
pub(super) async fn carry_out(
    connection: &mut SqliteConnection,
    changes: &mut Changes,
    (twin, place): (i64, i64),
    own: &[Group<'_>],
) -> Result<Left, PortionError> {
    let entity = EntityId::new(own[0].id).map_err(|_| DAMAGED)?;
    let mut rows = decoded(own, &entity)?;
    let (mut mixed, mut series) = (Vec::new(), Vec::new());
    let mut left = Left { rows: Vec::new(), open: Vec::new(), has_blocks: false };
    for meta in blocks_at(connection, twin, place).await? {
        if meta.attribute != MIXED {
            series.push(meta);
        } else if let Some(rows) = rows_of(connection, twin, &meta, &entity).await? {
            mixed.push(Block { meta, rows });
        }
    }
    let all = rows.iter().chain(mixed.iter().flat_map(|block| &block.rows));
    let is_amendment = |row: &&HistoryRow| matches!(row.event, HistoryEvent::Amended(_));
    let amendments = Amendments::take(&mut all.filter(is_amendment).cloned().collect());
    rows.retain(|row| !is_amendment(&row));
    left.rows = amendments.carry_out(rows);
    for block in mixed {
        let mut before = block.rows.clone();
        before.retain(|row| !is_amendment(&row));
        put_back(changes, &mut left, block, amendments.carry_out(before));
    }
    for meta in series {
        let name = NameId::new(u32::try_from(meta.attribute).map_err(|_| DAMAGED)?);
        if !amendments.touches(name) {
            left.keep(meta);
        } else if let Some(rows) = rows_of(connection, twin, &meta, &entity).await? {
            let after = amendments.carry_out(rows.clone());
            put_back(changes, &mut left, Block { meta, rows }, after);
        }
    }
    Ok(left)
}

/// Leaves a block as it is, or has what is left of it written again.
pub(super) fn put_back(
    changes: &mut Changes,
    left: &mut Left,
    block: Block,
    mut after: Vec<HistoryRow>,
) {
    if after == block.rows {
        return left.keep(block.meta);
    }
    changes.remove(&block.meta);
    left.rows.append(&mut after);
}

impl Left {
    /// Leaves a block as it is.
    pub(super) fn keep(&mut self, meta: BlockMeta) {
        self.has_blocks = true;
        if !meta.sealed {
            self.open.push(OpenBlock::new(meta));
        }
    }
}

impl StateFile {
    /// Whether amendments of a twin wait to be carried out.
    pub(super) async fn is_amended(&self, twin: i64) -> Result<bool, StoreError> {
        let mut reader = self.file.reader().await?;
        let run = waiting(&mut reader, twin).await.map_err(|e| self.file.error(&e))?;
        Ok(run.is_some())
    }

    /// The twins with amendments that wait to be carried out.
    pub(super) async fn amended_twins(&self) -> Result<Vec<i64>, StoreError> {
        let mut reader = self.file.reader().await?;
        let sql = "SELECT CAST(substr(key, 9) AS INTEGER) FROM meta WHERE key LIKE 'amended %'";
        let query = sqlx::query_scalar(sql).fetch_all(&mut *reader);
        query.await.map_err(|e| self.file.error(&e))
    }

    /// Empties the write-ahead log where something was taken out of the history; SQLite has
    /// overwritten it in the file itself (`secure_delete`).
    pub(super) async fn scrub(&self) -> Result<(), StoreError> {
        let mut writer = self.file.writer().await?;
        match empty_log(writer.connection()).await {
            Ok(()) => Ok(()),
            Err(error) => Err(writer.fail(error).await),
        }
    }
}

async fn empty_log(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM meta WHERE key = ?1)";
    let is_wanted: bool = sqlx::query_scalar(sql).bind(SCRUB).fetch_one(&mut *connection).await?;
    if !is_wanted {
        return Ok(());
    }
    // Readers that go on hold some of it back; then it is tried again.
    let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
    let is_busy = checkpoint.fetch_one(&mut *connection).await?.get::<i64, _>(0) != 0;
    if !is_busy {
        let query = sqlx::query("DELETE FROM meta WHERE key = ?1").bind(SCRUB);
        query.execute(&mut *connection).await?;
    }
    Ok(())
}
