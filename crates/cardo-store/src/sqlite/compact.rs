//! Compaction: rows that arrived become blocks, in portions that are each one transaction.
//!
//! A cycle takes all runs up to one and walks through the entities in the order of their hashes.
//! Its place is kept with what it wrote, so a reader takes each row from one side or the other.
//!
//! What is little of one entity settles beside its neighbours (see [`super::settled`]). More of it
//! gathers in blocks of several series; a series of which enough rows came together gets blocks of
//! its own. A block is rewritten with new rows only when they are at least as many, so a row is
//! written again about once for each doubling of its block.

use std::collections::HashMap;

use cardo_engine::StoreError;
use cardo_model::{NameId, Revision, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};

use super::amended::{self, Left};
use super::arrivals::{open_chunk, place_of};
use super::block::{BLOCK_ROWS, BlockKey, BlockMeta, MIXED, close_block, open_block};
use super::error::damaged;
use super::settled::{SETTLED, Settling};
use super::state::{Reached, StateFile};
use super::statement::{Statements, Values};
use crate::history::chunk::groups;
use crate::history::row::{Group, RawRow, put_group, put_row};

/// Up to so many rows of an entity stay together whatever their series.
const MIXED_ROWS: usize = 256;
/// So many rows of a series get a block of their own.
const SERIES_ROWS: usize = 64;

/// Open blocks of so many rows or fewer are read along with what is known of them.
const FIND: Values = Values {
    head: "SELECT entity, sealed, number, attribute, dataset, first, last, count, \
           CASE WHEN count <= 64 THEN groups END FROM blocks \
           WHERE twin = ? AND sealed = 0 AND entity IN (VALUES ",
    columns: 1,
    tail: ")",
    sizes: &[250, 25, 1],
};

const INSERT: Values = Values {
    head: "INSERT INTO blocks \
           (twin, entity, sealed, number, attribute, dataset, first, last, count, groups) VALUES ",
    columns: 10,
    tail: "",
    sizes: &[100, 10, 1],
};

const DELETE: Values = Values {
    head: "DELETE FROM blocks WHERE (twin, entity, sealed, number) IN (VALUES ",
    columns: 4,
    tail: ")",
    sizes: &[250, 25, 1],
};

/// Why a portion was not compacted.
pub(super) enum PortionError {
    Sql(sqlx::Error),
    Damaged(&'static str),
}

/// A chunk that is none.
const DAMAGED: PortionError = PortionError::Damaged("history that arrived");

impl From<sqlx::Error> for PortionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// A row with what it is sorted by, in that order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    name: Option<NameId>,
    dataset: Option<Box<str>>,
    time: Timestamp,
    revision: Revision,
    ordinal: u32,
    bytes: Box<[u8]>,
}

impl Line {
    fn new(row: &RawRow<'_>) -> Self {
        let (name, dataset, time, revision, ordinal) = row.key();
        let dataset = dataset.map(Box::from);
        Self { name, dataset, time, revision, ordinal, bytes: row.bytes.into() }
    }

    fn is_of_series_of(&self, other: &Self) -> bool {
        self.name == other.name && self.dataset == other.dataset
    }
}

/// An entity with rows that are to be put into blocks.
pub(super) struct Entity {
    place: i64,
    hash: u64,
    id: Box<str>,
    lines: Vec<Line>,
}

impl Entity {
    /// Reads groups of one entity.
    fn read(place: i64, groups: &[Group<'_>]) -> Result<Self, PortionError> {
        let (hash, id) = (groups[0].hash, groups[0].id.into());
        let mut lines = Vec::new();
        for group in groups {
            for row in group.rows() {
                lines.push(Line::new(&row.ok_or(DAMAGED)?));
            }
        }
        Ok(Self { place, hash, id, lines })
    }
}

/// A block that still grows.
pub(super) struct OpenBlock {
    meta: BlockMeta,
    /// As it is kept, where it was small enough to be read along.
    bytes: Option<Vec<u8>>,
}

impl OpenBlock {
    pub(super) fn new(meta: BlockMeta) -> Self {
        Self { meta, bytes: None }
    }
}

/// What a portion changes.
pub(super) struct Changes {
    pub(super) twin: i64,
    pub(super) next_block: i64,
    removed: Vec<(i64, bool, i64)>,
    written: Vec<(BlockMeta, Vec<u8>)>,
}

impl StateFile {
    /// Compacts a portion of what arrived for a twin where at least so many runs wait. True where
    /// more is to be done.
    pub(super) async fn compact_portion(
        &self,
        twin: i64,
        min_runs: usize,
    ) -> Result<bool, StoreError> {
        let mut writer = self.file.writer().await?;
        match portion(writer.connection(), self, twin, min_runs).await {
            Ok(is_more) => Ok(is_more),
            Err(PortionError::Damaged(what)) => Err(damaged(self.file.path(), what)),
            Err(PortionError::Sql(error)) => Err(writer.fail(error).await),
        }
    }

    /// How many runs of a twin wait.
    pub(super) async fn waiting_runs(&self, twin: i64) -> Result<u64, StoreError> {
        let mut reader = self.file.reader().await?;
        let runs = runs_of(&mut reader, twin).await.map_err(|e| self.file.error(&e))?;
        Ok(runs.len() as u64)
    }

    /// The twins for which at least so many runs wait.
    pub(super) async fn twins_to_compact(&self, min_runs: usize) -> Result<Vec<i64>, StoreError> {
        let mut reader = self.file.reader().await?;
        let sql = "SELECT twin FROM runs WHERE run > 0 GROUP BY twin HAVING count(*) >= ?1";
        let query = sqlx::query_scalar(sql).bind(i64::try_from(min_runs).unwrap_or(i64::MAX));
        query.fetch_all(&mut *reader).await.map_err(|e| self.file.error(&e))
    }
}

async fn portion(
    connection: &mut SqliteConnection,
    file: &StateFile,
    twin: i64,
    min_runs: usize,
) -> Result<bool, PortionError> {
    let statements = &file.statements;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let Some(mut reached) = Reached::read(&mut transaction, twin).await? else {
        return Ok(false);
    };
    let mut runs = runs_of(&mut transaction, twin).await?;
    if reached.compacting == 0 {
        match runs.last() {
            Some((last, _)) if runs.len() >= min_runs.max(1) => {
                (reached.compacting, reached.cursor) = (*last, i64::MIN);
            }
            _ => return Ok(false),
        }
    }
    runs.retain(|(run, _)| *run <= reached.compacting);
    let is_amended = amended::waiting(&mut transaction, twin).await?.is_some();
    let end = portion_end(
        reached.cursor,
        runs.iter().map(|(_, bytes)| bytes).sum(),
        file.compaction_bytes,
    );
    let range = Range { start: reached.cursor, end };
    let rows = arrived(&mut transaction, twin, &runs, range).await?;
    let news = news_of(twin, &rows, range)?;
    let mut open = open_blocks(&mut transaction, statements, twin, &news, range).await?;
    let settled = chunks_of(&mut transaction, twin, SETTLED, range).await?;
    let mut settling = Settling::new(twin, &settled, &news, &open, is_amended)?;
    let mut changes = Changes::new(twin, reached.next_block);
    for own in news.chunk_by(is_of_one_entity) {
        let place = place_of(own[0].hash);
        if is_amended && amended::has_amendment(own)? {
            let all = settling.with_settled(own);
            let left =
                amended::carry_out(&mut transaction, &mut changes, (twin, place), &all).await?;
            let kept =
                write_again(&mut transaction, &mut changes, &mut settling, own[0], left).await?;
            open.insert(place, kept);
            continue;
        }
        let blocks = open.remove(&place).unwrap_or_default();
        let Some(all) = settling.take(own, &blocks) else { continue };
        let entity = Entity::read(place, &all)?;
        // Two ids of one hash share their blocks' place; the second finds those of the first gone.
        let kept = compact_entity(&mut transaction, &mut changes, entity, blocks).await?;
        open.insert(place, kept);
    }
    settling.finish(&mut transaction, statements).await?;
    reached.next_block = changes.next_block;
    changes.write(&mut transaction, statements).await?;
    drop_passed(&mut transaction, twin, &runs, end).await?;
    if end.is_none() {
        amended::done(&mut transaction, twin, reached.compacting).await?;
    }
    (reached.compacting, reached.cursor) =
        end.map_or((0, i64::MIN), |end| (reached.compacting, end));
    reached.write(&mut transaction, twin).await?;
    transaction.commit().await?;
    Ok(end.is_some())
}

/// Writes what is left of an entity. Gives back open blocks that were left alone.
pub(super) async fn write_again(
    connection: &mut SqliteConnection,
    changes: &mut Changes,
    settling: &mut Settling<'_>,
    group: Group<'_>,
    left: Left,
) -> Result<Vec<OpenBlock>, PortionError> {
    if left.rows.is_empty() {
        return Ok(left.open);
    }
    let mut bytes = Vec::new();
    for row in &left.rows {
        put_row(&mut bytes, row);
    }
    let group = Group { bytes: &bytes, ..group };
    if !left.has_blocks && settling.settle(&group) {
        return Ok(left.open);
    }
    let entity = Entity::read(place_of(group.hash), &[group])?;
    compact_entity(connection, changes, entity, left.open).await
}

/// Writes what is left of an entity that has blocks.
pub(super) async fn write_blocks(
    connection: &mut SqliteConnection,
    changes: &mut Changes,
    (place, hash, id): (i64, u64, &str),
    left: Left,
) -> Result<(), PortionError> {
    if left.rows.is_empty() {
        return Ok(());
    }
    let mut bytes = Vec::new();
    for row in &left.rows {
        put_row(&mut bytes, row);
    }
    let entity = Entity::read(place, &[Group { hash, id, bytes: &bytes }])?;
    compact_entity(connection, changes, entity, left.open).await?;
    Ok(())
}

async fn runs_of(
    connection: &mut SqliteConnection,
    twin: i64,
) -> Result<Vec<(i64, u64)>, sqlx::Error> {
    let sql = "SELECT run, bytes FROM runs WHERE twin = ?1 AND run > 0 ORDER BY run";
    let query = sqlx::query(sql).bind(twin);
    let rows = query.fetch_all(connection).await?;
    let run = |row: &sqlx::sqlite::SqliteRow| (row.get(0), row.get::<i64, _>(1).cast_unsigned());
    Ok(rows.iter().map(run).collect())
}

/// Where a portion ends; hashes are spread evenly, so its share of their range is its share of the
/// bytes. `None` stands for the end of all.
fn portion_end(cursor: i64, bytes: u64, portion: u64) -> Option<i64> {
    let portions = bytes / portion.max(1) + 1;
    let width = u64::MAX / portions;
    cursor.checked_add_unsigned(width).filter(|end| portions > 1 && *end < i64::MAX)
}

/// The places of a portion; it goes to the end of all where that is `None`.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) start: i64,
    pub(super) end: Option<i64>,
}

impl Range {
    /// The last place in it.
    fn last(self) -> i64 {
        self.end.map_or(i64::MAX, |end| end - 1)
    }
}

/// The chunks with new rows of a portion, those of one run after the other.
async fn arrived(
    connection: &mut SqliteConnection,
    twin: i64,
    runs: &[(i64, u64)],
    range: Range,
) -> Result<Vec<SqliteRow>, sqlx::Error> {
    let mut rows = Vec::new();
    for (run, _) in runs {
        rows.append(&mut chunks_of(connection, twin, *run, range).await?);
    }
    Ok(rows)
}

/// The chunks of a run that may hold entities of a portion.
async fn chunks_of(
    connection: &mut SqliteConnection,
    twin: i64,
    run: i64,
    range: Range,
) -> Result<Vec<SqliteRow>, sqlx::Error> {
    let sql = "SELECT first, groups FROM arrivals WHERE twin = ?1 AND run = ?2 \
               AND first >= coalesce((SELECT max(first) FROM arrivals \
                                      WHERE twin = ?1 AND run = ?2 AND first <= ?3), ?3) \
               AND first <= ?4 ORDER BY first";
    let query = sqlx::query(sql).bind(twin).bind(run).bind(range.start).bind(range.last());
    query.fetch_all(connection).await
}

/// The groups of chunks, in the order in which they came.
pub(super) fn groups_of(twin: i64, rows: &[SqliteRow]) -> Result<Vec<Group<'_>>, PortionError> {
    let mut all = Vec::new();
    for row in rows {
        let opened = open_chunk(twin, row.get(0), row.get(1)).ok_or(DAMAGED)?;
        for group in groups(opened) {
            all.push(group.ok_or(DAMAGED)?);
        }
    }
    Ok(all)
}

/// The groups of a portion by entity, those of one entity in the order in which they came.
fn news_of(twin: i64, rows: &[SqliteRow], range: Range) -> Result<Vec<Group<'_>>, PortionError> {
    let mut news = groups_of(twin, rows)?;
    news.retain(|group| (range.start..=range.last()).contains(&place_of(group.hash)));
    news.sort_by(|a, b| (a.hash, a.id).cmp(&(b.hash, b.id)));
    Ok(news)
}

pub(super) fn is_of_one_entity(a: &Group<'_>, b: &Group<'_>) -> bool {
    a.hash == b.hash && a.id == b.id
}

/// The blocks that still grow of those that have news, by place.
async fn open_blocks(
    connection: &mut SqliteConnection,
    statements: &Statements,
    twin: i64,
    news: &[Group<'_>],
    range: Range,
) -> Result<HashMap<i64, Vec<OpenBlock>>, sqlx::Error> {
    let mut found: HashMap<i64, Vec<OpenBlock>> = HashMap::new();
    let sql = "SELECT EXISTS (SELECT 1 FROM blocks WHERE twin = ?1 AND entity BETWEEN ?2 AND ?3)";
    let query = sqlx::query_scalar(sql).bind(twin).bind(range.start).bind(range.last());
    if !query.fetch_one(&mut *connection).await? {
        return Ok(found);
    }
    let mut places: Vec<i64> = news.iter().map(|group| place_of(group.hash)).collect();
    places.dedup();
    let mut places = places.into_iter();
    for (sql, count) in statements.split(&FIND, places.len()) {
        let mut query = sqlx::query(sql).bind(twin);
        for place in places.by_ref().take(count) {
            query = query.bind(place);
        }
        for row in query.fetch_all(&mut *connection).await? {
            let meta = BlockMeta::from_row(&row);
            let bytes = row.get::<Option<&[u8]>, _>(8).map(<[u8]>::to_vec);
            found.entry(meta.entity).or_default().push(OpenBlock { meta, bytes });
        }
    }
    Ok(found)
}

/// Puts the new rows of an entity into blocks. Gives back open blocks that were left alone.
async fn compact_entity(
    connection: &mut SqliteConnection,
    changes: &mut Changes,
    mut entity: Entity,
    blocks: Vec<OpenBlock>,
) -> Result<Vec<OpenBlock>, PortionError> {
    let (mut mixed, mut series): (Vec<_>, Vec<_>) =
        blocks.into_iter().partition(|block| block.meta.attribute == MIXED);
    let mut lines = std::mem::take(&mut entity.lines);
    swallow(connection, changes, &mut lines, &mut mixed, &entity.id).await?;
    lines.sort_unstable();
    let mut rest = Vec::new();
    let is_many = lines.len() > MIXED_ROWS;
    let mut lines = lines.into_iter().peekable();
    while let Some(first) = lines.next() {
        let mut own = vec![first];
        while let Some(next) = lines.next_if(|line| line.is_of_series_of(&own[0])) {
            own.push(next);
        }
        let name = own[0].name.filter(|_| is_many && own.len() >= SERIES_ROWS);
        let Some(name) = name else {
            rest.append(&mut own);
            continue;
        };
        let attribute = i64::from(name.as_u32());
        let dataset: Box<str> = own[0].dataset.clone().unwrap_or_default();
        let is_same = |block: &OpenBlock| {
            block.meta.attribute == attribute && *block.meta.dataset == *dataset
        };
        let (mut same, others): (Vec<_>, Vec<_>) = series.into_iter().partition(is_same);
        swallow(connection, changes, &mut own, &mut same, &entity.id).await?;
        own.sort_unstable();
        changes.add(&entity, attribute, &dataset, &own);
        series = others;
        series.append(&mut same);
    }
    changes.add(&entity, MIXED, "", &rest);
    mixed.append(&mut series);
    Ok(mixed)
}

/// Takes the rows of open blocks that are not larger than what they are joined with, the smallest
/// first; what is left in `blocks` stays as it is.
async fn swallow(
    connection: &mut SqliteConnection,
    changes: &mut Changes,
    lines: &mut Vec<Line>,
    blocks: &mut Vec<OpenBlock>,
    id: &str,
) -> Result<(), PortionError> {
    blocks.sort_by_key(|block| block.meta.count);
    let mut kept = Vec::new();
    for mut block in blocks.drain(..) {
        if block.meta.count > lines.len() {
            kept.push(block);
            continue;
        }
        let (entity, number) = (block.meta.entity, block.meta.number);
        let key = BlockKey { twin: changes.twin, entity, sealed: false, number };
        let bytes = match block.bytes.take() {
            Some(bytes) => bytes,
            None => key.read(connection).await?,
        };
        let opened = open_block(key, &bytes).ok_or(PortionError::Damaged("a block of history"))?;
        if read_lines(&opened, id, lines).ok_or(PortionError::Damaged("a block of history"))? {
            changes.removed.push((entity, false, number));
        } else {
            block.bytes = Some(bytes);
            kept.push(block);
        }
    }
    *blocks = kept;
    Ok(())
}

/// Reads the rows of a block; false where they are of another entity with the same hash.
fn read_lines(opened: &[u8], id: &str, lines: &mut Vec<Line>) -> Option<bool> {
    let groups: Vec<_> = groups(opened).collect::<Option<_>>()?;
    if groups.iter().any(|group| group.id != id) {
        return Some(false);
    }
    for group in groups {
        for row in group.rows() {
            lines.push(Line::new(&row?));
        }
    }
    Some(true)
}

impl Changes {
    pub(super) fn new(twin: i64, next_block: i64) -> Self {
        Self { twin, next_block, removed: Vec::new(), written: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.written.is_empty()
    }

    /// Takes a block out.
    pub(super) fn remove(&mut self, meta: &BlockMeta) {
        self.removed.push((meta.entity, meta.sealed, meta.number));
    }

    /// Cuts sorted rows into blocks; a full one is sealed.
    fn add(&mut self, entity: &Entity, attribute: i64, dataset: &str, lines: &[Line]) {
        for piece in lines.chunks(BLOCK_ROWS) {
            let sealed = piece.len() == BLOCK_ROWS;
            let number = self.next_block;
            self.next_block += 1;
            let key = BlockKey { twin: self.twin, entity: entity.place, sealed, number };
            let rows: Vec<&[u8]> = piece.iter().map(|line| &*line.bytes).collect();
            let mut group = Vec::with_capacity(64 * piece.len());
            put_group(&mut group, entity.hash, &entity.id, &rows);
            let times = piece.iter().map(|line| line.time.as_micros());
            let meta = BlockMeta {
                entity: entity.place,
                sealed,
                number,
                attribute,
                dataset: dataset.to_owned(),
                first: times.clone().min().unwrap_or_default(),
                last: times.max().unwrap_or_default(),
                count: piece.len(),
            };
            self.written.push((meta, close_block(key, &group)));
        }
    }

    pub(super) async fn write(
        self,
        connection: &mut SqliteConnection,
        statements: &Statements,
    ) -> Result<(), sqlx::Error> {
        let mut removed = self.removed.into_iter();
        for (sql, count) in statements.split(&DELETE, removed.len()) {
            let mut query = sqlx::query(sql);
            for (entity, sealed, number) in removed.by_ref().take(count) {
                query = query.bind(self.twin).bind(entity).bind(sealed).bind(number);
            }
            query.execute(&mut *connection).await?;
        }
        let mut written = self.written.into_iter();
        for (sql, count) in statements.split(&INSERT, written.len()) {
            let mut query = sqlx::query(sql);
            for (meta, bytes) in written.by_ref().take(count) {
                query = query
                    .bind(self.twin)
                    .bind(meta.entity)
                    .bind(meta.sealed)
                    .bind(meta.number)
                    .bind(meta.attribute)
                    .bind(meta.dataset)
                    .bind(meta.first)
                    .bind(meta.last)
                    .bind(i64::try_from(meta.count).unwrap_or(i64::MAX))
                    .bind(bytes);
            }
            query.execute(&mut *connection).await?;
        }
        Ok(())
    }
}

/// Drops the chunks that lie wholly before the end of a portion.
async fn drop_passed(
    connection: &mut SqliteConnection,
    twin: i64,
    runs: &[(i64, u64)],
    end: Option<i64>,
) -> Result<(), sqlx::Error> {
    for (run, _) in runs {
        let query = match end {
            Some(end) => sqlx::query(
                "DELETE FROM arrivals WHERE twin = ?1 AND run = ?2 AND first < (\
                     SELECT max(first) FROM arrivals \
                     WHERE twin = ?1 AND run = ?2 AND first <= ?3)",
            )
            .bind(twin)
            .bind(run)
            .bind(end),
            None => sqlx::query("DELETE FROM arrivals WHERE twin = ?1 AND run = ?2")
                .bind(twin)
                .bind(run),
        };
        query.execute(&mut *connection).await?;
        if end.is_none() {
            let query = sqlx::query("DELETE FROM runs WHERE twin = ?1 AND run = ?2");
            query.bind(twin).bind(run).execute(&mut *connection).await?;
        }
    }
    Ok(())
}
