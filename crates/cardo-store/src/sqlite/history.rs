//! History of one entity: its blocks, and what arrived since they were written.

use cardo_engine::{HistoryQuery, HistoryRow, StoreError};
use cardo_model::{NameId, Timestamp};
use sqlx::{Connection, SqliteConnection};

use super::arrivals::{chunks_of, open_chunk, place_of_id};
use super::block::{BlockKey, BlockMeta, open_block};
use super::error::damaged;
use super::state::{Reached, StateFile};
use crate::history::row::Group;
use crate::history::select::Selection;

impl StateFile {
    pub(super) async fn history(
        &self,
        twin: i64,
        query: &HistoryQuery,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let error = |e: sqlx::Error| self.file.error(&e);
        let entity = place_of_id(query.entity.as_str());
        let mut selection = Selection::new(query);
        let mut reader = self.file.reader().await?;
        let mut transaction = reader.begin().await.map_err(error)?;
        let Some(reached) = Reached::read(&mut transaction, twin).await.map_err(error)? else {
            return Ok(Vec::new());
        };
        let chunks = chunks_of(&mut transaction, twin, reached, entity).await.map_err(error)?;
        for (first, bytes) in chunks {
            let groups = open_chunk(twin, first, &bytes);
            offer(&mut selection, query, groups).ok_or_else(|| self.damaged_history(query))?;
        }
        let mut blocks = blocks_of(&mut transaction, twin, entity, query).await.map_err(error)?;
        blocks.sort_by_key(|block| std::cmp::Reverse(block.last));
        for block in blocks {
            if is_enough(&selection, query, &block) {
                continue;
            }
            let key = BlockKey { twin, entity, sealed: block.sealed, number: block.number };
            let bytes = key.read(&mut transaction).await.map_err(error)?;
            let opened = open_block(key, &bytes);
            let groups =
                opened.as_deref().map(|bytes| crate::history::chunk::groups(bytes).collect());
            offer(&mut selection, query, groups.flatten())
                .ok_or_else(|| self.damaged_history(query))?;
        }
        Ok(selection.finish())
    }

    fn damaged_history(&self, query: &HistoryQuery) -> StoreError {
        damaged(self.file.path(), format!("the history of {}", query.entity))
    }
}

/// Hands the rows of the asked entity over; `None` where they are damaged.
fn offer(
    selection: &mut Selection<'_>,
    query: &HistoryQuery,
    groups: Option<Vec<Group<'_>>>,
) -> Option<()> {
    for group in groups? {
        if group.id == query.entity.as_str() {
            for row in group.rows() {
                selection.offer_raw(&query.entity, row?)?;
            }
        }
    }
    Some(())
}

/// Whether the last rows of a block's series were already found in blocks behind it.
fn is_enough(selection: &Selection<'_>, query: &HistoryQuery, block: &BlockMeta) -> bool {
    let (Some(last), Ok(name)) = (query.last, u32::try_from(block.attribute)) else {
        return false;
    };
    let dataset = Some(block.dataset.as_str()).filter(|dataset| !dataset.is_empty());
    let since = Timestamp::from_micros(block.last);
    selection.count_since(NameId::new(name), dataset, since) >= last
}

/// The blocks that may hold an answer.
async fn blocks_of(
    connection: &mut SqliteConnection,
    twin: i64,
    entity: i64,
    query: &HistoryQuery,
) -> Result<Vec<BlockMeta>, sqlx::Error> {
    let sql = "SELECT entity, sealed, number, attribute, dataset, first, last, count FROM blocks \
               WHERE twin = ?1 AND entity = ?2 AND (attribute < 0 OR (last >= ?3 AND first < ?4))";
    let rows = sqlx::query(sql)
        .bind(twin)
        .bind(entity)
        .bind(query.from.map_or(i64::MIN, Timestamp::as_micros))
        .bind(query.until.map_or(i64::MAX, Timestamp::as_micros))
        .fetch_all(connection)
        .await?;
    let is_asked = |block: &BlockMeta| match u32::try_from(block.attribute) {
        Ok(name) => query.attributes.is_empty() || query.attributes.contains(&NameId::new(name)),
        Err(_) => true,
    };
    Ok(rows.iter().map(BlockMeta::from_row).filter(is_asked).collect())
}
