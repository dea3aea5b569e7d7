//! History of one entity: its blocks, and what arrived since they were written.

use cardo_engine::{HistoryQuery, HistoryRow, StoreError};
use cardo_model::{NameId, Timestamp};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::arrivals::{open_chunk, place_of_id};
use super::block::{BlockKey, BlockMeta, MIXED, open_block};
use super::error::damaged;
use super::state::StateFile;
use crate::history::chunk::groups;
use crate::history::select::Selection;

/// What may hold an answer, found in one statement and so in one state of the file: of each run
/// that is not compacted, and of the one that is settled, the chunk in which the entity may stand,
/// and the entity's blocks.
/// Blocks that still grow come with their rows; the others stay as they are and can be read later.
const FIND: &str = "\
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
        CASE WHEN sealed = 0 AND (?5 = -1 OR attribute IN (-1, ?5)) THEN groups END, 1 \
    FROM blocks WHERE twin = ?1 AND entity = ?2 \
        AND (attribute < 0 OR (last >= ?3 AND first < ?4))";

impl StateFile {
    pub(super) async fn history(
        &self,
        twin: i64,
        query: &HistoryQuery,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let error = |e: sqlx::Error| self.file.error(&e);
        let entity = place_of_id(query.entity.as_str());
        let only_attribute = match query.attributes.as_slice() {
            [only] => i64::from(only.as_u32()),
            _ => MIXED,
        };
        let mut reader = self.file.reader().await?;
        let rows = sqlx::query(FIND)
            .bind(twin)
            .bind(entity)
            .bind(query.from.map_or(i64::MIN, Timestamp::as_micros))
            .bind(query.until.map_or(i64::MAX, Timestamp::as_micros))
            .bind(only_attribute)
            .fetch_all(&mut *reader)
            .await
            .map_err(error)?;
        let damage = || damaged(self.file.path(), format!("the history of {}", query.entity));
        let mut selection = Selection::new(query);
        let (blocks, chunks): (Vec<&SqliteRow>, Vec<&SqliteRow>) =
            rows.iter().partition(|row| row.get::<bool, _>(9));
        for row in chunks {
            let bytes = open_chunk(twin, row.get(0), row.get(8)).ok_or_else(damage)?;
            offer(&mut selection, query, bytes).ok_or_else(damage)?;
        }
        let mut blocks: Vec<_> = blocks.iter().map(|row| (BlockMeta::from_row(row), row)).collect();
        blocks.retain(|(block, _)| is_asked(query, block));
        match query.last {
            Some(_) => blocks.sort_by_key(|(block, _)| std::cmp::Reverse(block.last)),
            None => blocks.sort_by_key(|(block, _)| block.first),
        }
        for (block, row) in blocks {
            if is_enough(&selection, query, &block) {
                continue;
            }
            let key = BlockKey { twin, entity, sealed: block.sealed, number: block.number };
            let opened = match row.get::<Option<&[u8]>, _>(8) {
                Some(bytes) => open_block(key, bytes),
                None => open_block(key, &key.read(&mut reader).await.map_err(error)?),
            };
            offer(&mut selection, query, &opened.ok_or_else(damage)?).ok_or_else(damage)?;
        }
        Ok(selection.finish())
    }
}

/// Hands the rows of the asked entity over; `None` where they are damaged.
fn offer(selection: &mut Selection<'_>, query: &HistoryQuery, bytes: &[u8]) -> Option<()> {
    let id = query.entity.as_str();
    let own = groups(bytes).filter(|group| group.is_none_or(|group| group.id == id));
    for group in own {
        for row in group?.rows() {
            selection.offer_raw(&query.entity, row?)?;
        }
    }
    Some(())
}

fn is_asked(query: &HistoryQuery, block: &BlockMeta) -> bool {
    match u32::try_from(block.attribute) {
        Ok(name) => query.attributes.is_empty() || query.attributes.contains(&NameId::new(name)),
        Err(_) => true,
    }
}

/// Whether the last rows of a block's series were already found in blocks behind it.
fn is_enough(selection: &Selection<'_>, query: &HistoryQuery, block: &BlockMeta) -> bool {
    let Ok(name) = u32::try_from(block.attribute) else { return false };
    let Some(last) = query.last else {
        return selection.is_full_before(Timestamp::from_micros(block.first));
    };
    let dataset = Some(block.dataset.as_str()).filter(|dataset| !dataset.is_empty());
    let since = Timestamp::from_micros(block.last);
    selection.count_since(NameId::new(name), dataset, since) >= last
}
