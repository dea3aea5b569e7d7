//! A walk through the histories of many entities, in one state of the file.

use cardo_engine::{HistorySink, HistoryWalk, StoreError};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};

use super::arrivals::{open_chunk, place_of, place_of_id};
use super::block::{BlockKey, BlockMeta, open_block};
use super::error::damaged;
use super::history::{FIND, SEALED};
use super::state::{Reached, StateFile};
use crate::history::chunk::groups;
use crate::history::walk::offer;

/// So many chunks or blocks are read at once.
const PAGE: i64 = 32;

const CHUNKS: &str = "\
    SELECT run, first, groups FROM arrivals \
    WHERE twin = ?1 AND (run, first) > (?2, ?3) ORDER BY run, first LIMIT ?4";

const BLOCKS: &str = "\
    SELECT entity, sealed, number, attribute, dataset, first, last, count, groups FROM blocks \
    WHERE twin = ?1 AND (entity, sealed, number) > (?2, ?3, ?4) \
    ORDER BY entity, sealed, number LIMIT ?5";

struct Walking<'w> {
    file: &'w StateFile,
    twin: i64,
    walk: &'w HistoryWalk,
    sink: &'w mut dyn HistorySink,
}

impl StateFile {
    pub(super) async fn walk_history(
        &self,
        twin: i64,
        walk: &HistoryWalk,
        sink: &mut dyn HistorySink,
    ) -> Result<(), StoreError> {
        let mut reader = self.file.reader().await?;
        let mut transaction = reader.begin().await.map_err(|e| self.file.error(&e))?;
        let mut walking = Walking { file: self, twin, walk, sink };
        let Some(entities) = &walk.entities else {
            walking.arrived(&mut transaction).await?;
            return walking.compacted(&mut transaction).await;
        };
        for entity in entities {
            walking.of_one(&mut transaction, place_of_id(entity.as_str()), entity.as_str()).await?;
        }
        Ok(())
    }
}

impl Walking<'_> {
    fn error(&self, error: &sqlx::Error) -> StoreError {
        self.file.file.error(error)
    }

    fn damage(&self) -> StoreError {
        damaged(self.file.file.path(), "history")
    }

    /// What arrived and is not compacted, and what is settled.
    async fn arrived(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let reached = Reached::read(&mut *connection, self.twin).await;
        let Some(reached) = reached.map_err(|e| self.error(&e))? else { return Ok(()) };
        let (mut run, mut first) = (-1, i64::MAX);
        loop {
            let query = sqlx::query(CHUNKS).bind(self.twin).bind(run).bind(first).bind(PAGE);
            let rows = query.fetch_all(&mut *connection).await.map_err(|e| self.error(&e))?;
            let Some(last) = rows.last() else { return Ok(()) };
            (run, first) = (last.get(0), last.get(1));
            for row in &rows {
                let run: i64 = row.get(0);
                // Of these runs what lies before the cursor is in blocks, or settled.
                let is_compacting = run > 0 && run <= reached.compacting;
                let from = if is_compacting { reached.cursor } else { i64::MIN };
                let bytes = open_chunk(self.twin, row.get(1), row.get(2));
                bytes
                    .and_then(|bytes| self.offer(bytes, from, None))
                    .ok_or_else(|| self.damage())?;
                tokio::task::yield_now().await;
            }
        }
    }

    async fn compacted(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let (mut entity, mut sealed, mut number) = (i64::MIN, -1, -1);
        loop {
            let query = sqlx::query(BLOCKS).bind(self.twin).bind(entity).bind(sealed).bind(number);
            let query = query.bind(PAGE);
            let rows = query.fetch_all(&mut *connection).await.map_err(|e| self.error(&e))?;
            let Some(last) = rows.last() else { return Ok(()) };
            (entity, sealed, number) = (last.get(0), last.get(1), last.get(2));
            for row in &rows {
                self.block(&BlockMeta::from_row(row), row.get(8), None)?;
                tokio::task::yield_now().await;
            }
        }
    }

    async fn of_one(
        &mut self,
        connection: &mut SqliteConnection,
        place: i64,
        id: &str,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(FIND).bind(self.twin).bind(place).bind(-1);
        let rows = query.fetch_all(&mut *connection).await.map_err(|e| self.error(&e))?;
        let (blocks, chunks): (Vec<&SqliteRow>, Vec<&SqliteRow>) =
            rows.iter().partition(|row| row.get::<bool, _>(9));
        for row in chunks {
            let bytes = open_chunk(self.twin, row.get(0), row.get(8));
            let offered = bytes.and_then(|bytes| self.offer(bytes, i64::MIN, Some(id)));
            offered.ok_or_else(|| self.damage())?;
        }
        let mut unread = Vec::new();
        for row in blocks {
            let meta = BlockMeta::from_row(row);
            match row.get::<Option<&[u8]>, _>(8) {
                Some(bytes) => self.block(&meta, bytes, Some(id))?,
                None => unread.push(meta),
            }
        }
        let query = sqlx::query(SEALED).bind(self.twin).bind(place).bind(0_i64).bind(i64::MAX);
        let query = query.bind(i64::MIN).bind(i64::MAX);
        let rows = query.fetch_all(&mut *connection).await.map_err(|e| self.error(&e))?;
        unread.extend(rows.iter().map(BlockMeta::from_row));
        for meta in unread {
            let key = self.key(&meta);
            let bytes = key.read(&mut *connection).await.map_err(|e| self.error(&e))?;
            self.block(&meta, &bytes, Some(id))?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn key(&self, meta: &BlockMeta) -> BlockKey {
        let BlockMeta { entity, sealed, number, .. } = *meta;
        BlockKey { twin: self.twin, entity, sealed, number }
    }

    fn block(
        &mut self,
        meta: &BlockMeta,
        bytes: &[u8],
        only: Option<&str>,
    ) -> Result<(), StoreError> {
        let opened = open_block(self.key(meta), bytes);
        let offered = opened.and_then(|opened| self.offer(&opened, i64::MIN, only));
        offered.ok_or_else(|| self.damage())
    }

    /// Hands out the groups from a place on; `None` where they are damaged.
    fn offer(&mut self, bytes: &[u8], from: i64, only: Option<&str>) -> Option<()> {
        for group in groups(bytes) {
            let group = group?;
            if place_of(group.hash) >= from && only.is_none_or(|id| id == group.id) {
                offer(self.walk, self.sink, &group)?;
            }
        }
        Some(())
    }
}
