//! Blocks of compacted history.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::bytes::{seal, unseal};

/// The most rows in a block.
pub(super) const BLOCK_ROWS: usize = 512;
/// The attribute of blocks that hold several series.
pub(super) const MIXED: i64 = -1;
/// Smaller blocks gain nothing from compression.
const MIN_COMPRESSED: usize = 512;
const COMPRESSION_LEVEL: i32 = 1;
/// What a block may grow to when it is decompressed; far beyond what is ever written.
const MAX_BLOCK_BYTES: usize = 1 << 30;

const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;

/// Which block.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockKey {
    pub(super) twin: i64,
    pub(super) entity: i64,
    pub(super) sealed: bool,
    pub(super) number: i64,
}

/// What is known of a block without reading it.
#[derive(Clone, Debug)]
pub(super) struct BlockMeta {
    pub(super) entity: i64,
    pub(super) sealed: bool,
    pub(super) number: i64,
    pub(super) attribute: i64,
    pub(super) dataset: String,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) count: usize,
}

impl BlockMeta {
    /// Reads the columns entity, sealed, number, attribute, dataset, first, last, count.
    pub(super) fn from_row(row: &SqliteRow) -> Self {
        Self {
            entity: row.get(0),
            sealed: row.get(1),
            number: row.get(2),
            attribute: row.get(3),
            dataset: row.get(4),
            first: row.get(5),
            last: row.get(6),
            count: usize::try_from(row.get::<i64, _>(7)).unwrap_or(usize::MAX),
        }
    }
}

impl BlockKey {
    fn seed(self) -> u64 {
        (self.entity ^ self.twin.rotate_left(32) ^ self.number).cast_unsigned()
    }

    pub(super) async fn read(
        self,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<u8>, sqlx::Error> {
        let sql = "SELECT groups FROM blocks \
                   WHERE twin = ?1 AND entity = ?2 AND sealed = ?3 AND number = ?4";
        let query = sqlx::query_scalar(sql).bind(self.twin).bind(self.entity);
        query.bind(self.sealed).bind(self.number).fetch_one(connection).await
    }
}

/// The form in which groups are kept.
pub(super) fn close_block(key: BlockKey, groups: &[u8]) -> Vec<u8> {
    let compressed = (groups.len() >= MIN_COMPRESSED)
        .then(|| zstd::bulk::compress(groups, COMPRESSION_LEVEL).ok())
        .flatten()
        .filter(|compressed| compressed.len() < groups.len());
    let (tag, bytes) = match &compressed {
        Some(compressed) => (COMPRESSED, compressed.as_slice()),
        None => (PLAIN, groups),
    };
    let mut out = Vec::with_capacity(bytes.len() + 16);
    out.push(tag);
    if tag == COMPRESSED {
        out.extend_from_slice(&(groups.len() as u64).to_le_bytes());
    }
    out.extend_from_slice(bytes);
    seal(&mut out, key.seed());
    out
}

/// The groups of a block; `None` where it is damaged.
pub(super) fn open_block(key: BlockKey, sealed: &[u8]) -> Option<Vec<u8>> {
    let (tag, bytes) = unseal(sealed, key.seed())?.split_first()?;
    match *tag {
        PLAIN => Some(bytes.to_vec()),
        COMPRESSED => {
            let (size, bytes) = bytes.split_first_chunk::<8>()?;
            let size = usize::try_from(u64::from_le_bytes(*size)).ok()?;
            (size <= MAX_BLOCK_BYTES).then(|| zstd::bulk::decompress(bytes, size).ok())?
        }
        _ => None,
    }
}
