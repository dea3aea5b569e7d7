//! History of one entity: its blocks, and what arrived since they were written.

use cardo_engine::{HistoryQuery, HistoryRow, StoreError};
use cardo_model::{NameId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};

use super::arrivals::{open_chunk, place_of_id};
use super::block::{BlockKey, BlockMeta, MIXED, open_block};
use super::error::damaged;
use super::state::StateFile;
use crate::history::chunk::groups;
use crate::history::select::Selection;

/// What may hold an answer and still grows: of each run that is not compacted, and of the one that is
/// settled, the chunk in which the entity may stand, and the entity's open blocks with their rows;
/// also the sealed ones of several series.
pub(super) const FIND: &str = "\
    SELECT a.first AS entity, 0, 0, -1, '', 0, 0, 0, a.groups, 0 \
    FROM twins t \
    JOIN runs r ON r.twin = t.twin \
        AND (r.run = 0 OR r.run > CASE WHEN ?2 < t.cursor THEN t.compacting ELSE 0 END) \
    JOIN arrivals a ON a.id = (\
        SELECT id FROM arrivals b \
        WHERE b.twin = r.twin AND b.run = r.run AND b.first <= ?2 \
        ORDER BY b.first DESC LIMIT 1) \
    WHERE t.twin = ?1 \
    UNION ALL \
    SELECT entity, sealed, number, attribute, dataset, first, last, count, \
        CASE WHEN ?3 = -1 OR attribute IN (-1, ?3) THEN groups END, 1 \
    FROM blocks WHERE twin = ?1 AND entity = ?2 AND sealed = 0 \
    UNION ALL \
    SELECT entity, sealed, number, attribute, dataset, first, last, count, NULL, 1 \
    FROM blocks INDEXED BY blocks_by_time \
    WHERE twin = ?1 AND entity = ?2 AND attribute = -1 AND sealed = 1";

/// Sealed blocks of one attribute, or of all, that reach into a range of time.
pub(super) const SEALED: &str = "\
    SELECT entity, sealed, number, attribute, dataset, first, last, 0 \
    FROM blocks INDEXED BY blocks_by_time \
    WHERE twin = ?1 AND entity = ?2 AND attribute BETWEEN ?3 AND ?4 AND sealed = 1 \
        AND last >= ?5 AND first < ?6";

/// The next dataset of an attribute that has sealed blocks.
const NEXT_SERIES: &str = "\
    SELECT attribute, dataset FROM blocks INDEXED BY blocks_by_time \
    WHERE twin = ?1 AND entity = ?2 AND attribute BETWEEN ?3 AND ?4 \
        AND (attribute, dataset) > (?5, ?6) \
    ORDER BY attribute, dataset LIMIT 1";

/// Sealed blocks of a series, the latest first, behind one.
const LATEST: &str = "\
    SELECT entity, sealed, number, attribute, dataset, first, last, 0 \
    FROM blocks INDEXED BY blocks_by_time \
    WHERE twin = ?1 AND entity = ?2 AND attribute = ?3 AND dataset = ?4 \
        AND last BETWEEN ?5 AND ?6 AND (last, number) < (?6, ?7) \
        AND sealed = 1 AND first < ?8 \
    ORDER BY last DESC, number DESC LIMIT 8";

/// One question to the history of one entity.
struct Question<'q> {
    file: &'q StateFile,
    query: &'q HistoryQuery,
    twin: i64,
    entity: i64,
    from: i64,
    until: i64,
    selection: Selection<'q>,
}

impl StateFile {
    pub(super) async fn history(
        &self,
        twin: i64,
        query: &HistoryQuery,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let mut reader = self.file.reader().await?;
        // All is read in one state of the file.
        let mut transaction = reader.begin().await.map_err(|e| self.file.error(&e))?;
        let mut question = Question {
            file: self,
            query,
            twin,
            entity: place_of_id(query.entity.as_str()),
            from: query.from.map_or(i64::MIN, Timestamp::as_micros),
            until: query.until.map_or(i64::MAX, Timestamp::as_micros),
            selection: Selection::new(query),
        };
        question.read_what_grows(&mut transaction).await?;
        if query.last.is_some() {
            question.read_latest(&mut transaction).await?;
        } else {
            question.read_sealed(&mut transaction).await?;
        }
        Ok(question.selection.finish())
    }
}

impl Question<'_> {
    fn error(&self, error: &sqlx::Error) -> StoreError {
        self.file.file.error(error)
    }

    fn damage(&self) -> StoreError {
        damaged(self.file.file.path(), format!("the history of {}", self.query.entity))
    }

    /// The attributes that are asked for, each as a range of them; one of all where none is named.
    fn attributes(&self) -> Vec<(i64, i64)> {
        let mut all: Vec<_> =
            self.query.attributes.iter().map(|name| i64::from(name.as_u32())).collect();
        all.sort_unstable();
        all.dedup();
        let ranges: Vec<_> = all.into_iter().map(|name| (name, name)).collect();
        if ranges.is_empty() { vec![(0, i64::MAX)] } else { ranges }
    }

    async fn read_what_grows(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        let only_attribute = match self.query.attributes.as_slice() {
            [only] => i64::from(only.as_u32()),
            _ => MIXED,
        };
        let query = sqlx::query(FIND).bind(self.twin).bind(self.entity).bind(only_attribute);
        let rows = query.fetch_all(&mut *connection).await.map_err(|e| self.error(&e))?;
        let (blocks, chunks): (Vec<&SqliteRow>, Vec<&SqliteRow>) =
            rows.iter().partition(|row| row.get::<bool, _>(9));
        for row in chunks {
            let bytes = open_chunk(self.twin, row.get(0), row.get(8));
            bytes.and_then(|bytes| self.offer(bytes)).ok_or_else(|| self.damage())?;
        }
        for row in blocks {
            let block = BlockMeta::from_row(row);
            if is_asked(self.query, &block) {
                self.read(connection, &block, row.get(8)).await?;
            }
        }
        Ok(())
    }

    /// Reads sealed blocks from the earliest on.
    async fn read_sealed(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let mut blocks = Vec::new();
        for (least, most) in self.attributes() {
            let query = sqlx::query(SEALED).bind(self.twin).bind(self.entity);
            let query = query.bind(least).bind(most).bind(self.from).bind(self.until);
            let rows = query.fetch_all(&mut *connection).await.map_err(|e| self.error(&e))?;
            blocks.extend(rows.iter().map(BlockMeta::from_row));
        }
        blocks.sort_by_key(|block| block.first);
        for block in blocks {
            if !self.selection.is_full_before(Timestamp::from_micros(block.first)) {
                self.read(connection, &block, None).await?;
            }
        }
        Ok(())
    }

    /// Reads sealed blocks of each series from the latest on, until the last rows are found.
    async fn read_latest(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        for (least, most) in self.attributes() {
            // Attributes are numbered from 0, so this one stands before all.
            let mut series = (least - 1, String::new());
            loop {
                let query = sqlx::query(NEXT_SERIES).bind(self.twin).bind(self.entity);
                let query = query.bind(least).bind(most).bind(series.0).bind(&series.1);
                let row = query.fetch_optional(&mut *connection).await;
                let Some(row) = row.map_err(|e| self.error(&e))? else { break };
                series = (row.get(0), row.get(1));
                self.read_latest_of(connection, &series).await?;
            }
        }
        Ok(())
    }

    async fn read_latest_of(
        &mut self,
        connection: &mut SqliteConnection,
        (attribute, dataset): &(i64, String),
    ) -> Result<(), StoreError> {
        let (mut last, mut number) = (i64::MAX, i64::MAX);
        loop {
            let query = sqlx::query(LATEST).bind(self.twin).bind(self.entity);
            let query = query.bind(attribute).bind(dataset).bind(self.from);
            let query = query.bind(last).bind(number).bind(self.until);
            let rows = query.fetch_all(&mut *connection).await.map_err(|e| self.error(&e))?;
            let blocks: Vec<BlockMeta> = rows.iter().map(BlockMeta::from_row).collect();
            let Some(end) = blocks.last() else { return Ok(()) };
            (last, number) = (end.last, end.number);
            for block in &blocks {
                if self.has_last_behind(block) {
                    return Ok(());
                }
                self.read(connection, block, None).await?;
            }
        }
    }

    /// Whether the last rows of a block's series were already found in blocks behind it.
    fn has_last_behind(&self, block: &BlockMeta) -> bool {
        let (Ok(name), Some(last)) = (u32::try_from(block.attribute), self.query.last) else {
            return false;
        };
        let dataset = Some(block.dataset.as_str()).filter(|dataset| !dataset.is_empty());
        let since = Timestamp::from_micros(block.last);
        self.selection.count_since(NameId::new(name), dataset, since) >= last
    }

    /// Offers the rows of a block.
    async fn read(
        &mut self,
        connection: &mut SqliteConnection,
        block: &BlockMeta,
        bytes: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let (twin, entity) = (self.twin, self.entity);
        let key = BlockKey { twin, entity, sealed: block.sealed, number: block.number };
        let read;
        let bytes = if let Some(bytes) = bytes {
            bytes
        } else {
            read = key.read(connection).await.map_err(|e| self.error(&e))?;
            &read
        };
        let opened = open_block(key, bytes);
        opened.and_then(|opened| self.offer(&opened)).ok_or_else(|| self.damage())
    }

    /// Hands the rows of the asked entity over; `None` where they are damaged.
    fn offer(&mut self, bytes: &[u8]) -> Option<()> {
        let id = self.query.entity.as_str();
        let own = groups(bytes).filter(|group| group.is_none_or(|group| group.id == id));
        for group in own {
            for row in group?.rows() {
                self.selection.offer_raw(&self.query.entity, row?)?;
            }
        }
        Some(())
    }
}

/// Whether a block may hold rows of an attribute and a time that are asked for.
fn is_asked(query: &HistoryQuery, block: &BlockMeta) -> bool {
    let Ok(name) = u32::try_from(block.attribute) else { return true };
    (query.attributes.is_empty() || query.attributes.contains(&NameId::new(name)))
        && query.from.is_none_or(|from| block.last >= from.as_micros())
        && query.until.is_none_or(|until| block.first < until.as_micros())
}
