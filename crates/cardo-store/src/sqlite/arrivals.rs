//! History as it arrives: a run of chunks for each projection, read until it is compacted.

use cardo_engine::HistoryRow;
use sqlx::{Row, SqliteConnection};

use super::state::Reached;
use super::statement::{Statements, Values};
use crate::bytes::{hash, seal, unseal};
use crate::history::chunk::{groups, pack};
use crate::history::row::Group;

const INSERT: Values = Values {
    head: "INSERT INTO arrivals (twin, run, first, groups) VALUES ",
    columns: 4,
    tail: "",
    sizes: &[32, 4, 1],
};

/// A chunk as it is kept: where its first entity stands, and its groups with their checksum.
pub(super) struct SealedChunk {
    first: i64,
    bytes: Vec<u8>,
}

/// The place of an entity in the order of hashes, as a signed integer of the same order.
pub(super) fn place_of(hash: u64) -> i64 {
    (hash ^ 1 << 63).cast_signed()
}

pub(super) fn place_of_id(id: &str) -> i64 {
    place_of(hash(id.as_bytes()))
}

fn seed(twin: i64, first: i64) -> u64 {
    (first ^ twin).cast_unsigned()
}

pub(super) fn seal_chunks(twin: i64, rows: &[HistoryRow]) -> Vec<SealedChunk> {
    let chunks = pack(rows).into_iter().map(|chunk| {
        let first = place_of(chunk.first);
        let mut bytes = chunk.bytes;
        seal(&mut bytes, seed(twin, first));
        SealedChunk { first, bytes }
    });
    chunks.collect()
}

/// The groups behind the checksum; `None` where they are damaged.
pub(super) fn open_chunk(twin: i64, first: i64, sealed: &[u8]) -> Option<Vec<Group<'_>>> {
    groups(unseal(sealed, seed(twin, first))?).collect()
}

pub(super) async fn write(
    connection: &mut SqliteConnection,
    statements: &Statements,
    (twin, run): (i64, i64),
    chunks: Vec<SealedChunk>,
) -> Result<(), sqlx::Error> {
    let bytes: usize = chunks.iter().map(|chunk| chunk.bytes.len()).sum();
    sqlx::query("INSERT INTO runs (twin, run, bytes) VALUES (?1, ?2, ?3)")
        .bind(twin)
        .bind(run)
        .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
        .execute(&mut *connection)
        .await?;
    let mut chunks = chunks.into_iter();
    for (sql, count) in statements.split(&INSERT, chunks.len()) {
        let mut query = sqlx::query(sql);
        for chunk in chunks.by_ref().take(count) {
            query = query.bind(twin).bind(run).bind(chunk.first).bind(chunk.bytes);
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The chunks in which an entity may stand, with the places of their first entities; of each run
/// that is not compacted one at most, in the order of the runs.
pub(super) async fn chunks_of(
    connection: &mut SqliteConnection,
    twin: i64,
    reached: Reached,
    entity: i64,
) -> Result<Vec<(i64, Vec<u8>)>, sqlx::Error> {
    let is_compacted = entity < reached.cursor;
    let after = if is_compacted { reached.compacting } else { 0 };
    let sql = "SELECT a.first, a.groups FROM runs r JOIN arrivals a ON a.id = (\
                   SELECT id FROM arrivals b \
                   WHERE b.twin = r.twin AND b.run = r.run AND b.first <= ?3 \
                   ORDER BY b.first DESC LIMIT 1) \
               WHERE r.twin = ?1 AND r.run > ?2 ORDER BY r.run";
    let query = sqlx::query(sql).bind(twin).bind(after).bind(entity);
    let rows = query.fetch_all(connection).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get::<&[u8], _>(1).to_vec())).collect())
}
