//! Arrivals: the rows of one projection, sorted by entity and cut into chunks that a store keeps
//! as they are until they are compacted.

use cardo_engine::HistoryRow;

use super::row::{Group, put_group, put_row};
use crate::bytes::{Reader, hash};

/// A chunk is closed when it has grown to so many bytes; mostly it then fits into a page.
const CHUNK_BYTES: usize = 7_000;

/// Groups of entities in the order of their hashes. All groups of one hash are in one chunk.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// The lowest hash in it.
    pub(crate) first: u64,
    /// The groups.
    pub(crate) bytes: Vec<u8>,
}

/// Sorts rows by entity, those of one entity staying in their order, and packs them.
pub(crate) fn pack(rows: &[HistoryRow]) -> Vec<Chunk> {
    let mut order: Vec<(u64, u32)> = rows
        .iter()
        .zip(0_u32..)
        .map(|(row, place)| (hash(row.entity.as_str().as_bytes()), place))
        .collect();
    let row = |place: u32| &rows[place as usize];
    // Two ids rarely share a hash, so the texts are hardly ever compared.
    order.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0)
            .then_with(|| row(a.1).entity.cmp(&row(b.1).entity))
            .then_with(|| a.1.cmp(&b.1))
    });
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut encoded = Vec::new();
    for group in order.chunk_by(|a, b| a.0 == b.0 && row(a.1).entity == row(b.1).entity) {
        encoded.clear();
        for (_, place) in group {
            put_row(&mut encoded, row(*place));
        }
        let (hash, place) = group[0];
        let id = row(place).entity.as_str();
        let chunk = open_chunk(&mut chunks, hash);
        put_group(&mut chunk.bytes, hash, id, &encoded);
    }
    chunks
}

/// The chunk that takes the next group.
fn open_chunk(chunks: &mut Vec<Chunk>, hash: u64) -> &mut Chunk {
    let needs_new = match chunks.last() {
        None => true,
        Some(last) => last.bytes.len() >= CHUNK_BYTES && last_hash(&last.bytes) != Some(hash),
    };
    if needs_new {
        chunks.push(Chunk { first: hash, bytes: Vec::with_capacity(CHUNK_BYTES + 1_024) });
    }
    chunks.last_mut().expect("one was pushed where there was none")
}

fn last_hash(bytes: &[u8]) -> Option<u64> {
    groups(bytes).last().flatten().map(|group| group.hash)
}

/// The groups of a chunk; a damaged one comes as `None`, and none behind it.
pub(crate) fn groups(bytes: &[u8]) -> impl Iterator<Item = Option<Group<'_>>> {
    let mut reader = Reader::new(bytes);
    let mut is_sound = true;
    std::iter::from_fn(move || {
        if reader.is_empty() || !is_sound {
            return None;
        }
        let group = Group::read(&mut reader);
        is_sound = group.is_some();
        Some(group)
    })
}
