//! History as it arrives: a run of chunks for each projection, read until it is compacted.

use cardo_engine::HistoryRow;
use sqlx::SqliteConnection;

use super::statement::{Statements, Values};
use crate::bytes::{hash, seal, unseal};
use crate::history::chunk::{Chunk, pack};

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

/// Packs what a projection brought.
pub(super) fn seal_rows(twin: i64, rows: &[HistoryRow]) -> Vec<SealedChunk> {
    seal_chunks(twin, pack(rows))
}

pub(super) fn seal_chunks(twin: i64, chunks: Vec<Chunk>) -> Vec<SealedChunk> {
    let sealed = chunks.into_iter().map(|chunk| {
        let first = place_of(chunk.first);
        let mut bytes = chunk.bytes;
        seal(&mut bytes, seed(twin, first));
        SealedChunk { first, bytes }
    });
    sealed.collect()
}

/// The groups' bytes behind the checksum; `None` where they are damaged.
pub(super) fn open_chunk(twin: i64, first: i64, sealed: &[u8]) -> Option<&[u8]> {
    unseal(sealed, seed(twin, first))
}

/// Adds a run.
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
    write_chunks(connection, statements, (twin, run), chunks).await
}

pub(super) async fn write_chunks(
    connection: &mut SqliteConnection,
    statements: &Statements,
    (twin, run): (i64, i64),
    chunks: Vec<SealedChunk>,
) -> Result<(), sqlx::Error> {
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
