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
    let mut packer = Packer::default();
    let mut encoded = Vec::new();
    for group in order.chunk_by(|a, b| a.0 == b.0 && row(a.1).entity == row(b.1).entity) {
        encoded.clear();
        for (_, place) in group {
            put_row(&mut encoded, row(*place));
        }
        let (hash, place) = group[0];
        packer.put(hash, row(place).entity.as_str(), &[&encoded]);
    }
    packer.finish()
}

/// Puts groups that come in the order of their hashes into chunks.
#[derive(Default)]
pub(crate) struct Packer {
    chunks: Vec<Chunk>,
    last: Option<u64>,
}

impl Packer {
    /// Adds a group with rows in their binary form.
    pub(crate) fn put(&mut self, hash: u64, id: &str, rows: &[&[u8]]) {
        let is_full = |chunk: &Chunk| chunk.bytes.len() >= CHUNK_BYTES;
        if self.chunks.last().is_none_or(is_full) && self.last != Some(hash) {
            let bytes = Vec::with_capacity(CHUNK_BYTES + 1_024);
            self.chunks.push(Chunk { first: hash, bytes });
        }
        self.last = Some(hash);
        let chunk = self.chunks.last_mut().expect("one was pushed where there was none");
        put_group(&mut chunk.bytes, hash, id, rows);
    }

    pub(crate) fn finish(self) -> Vec<Chunk> {
        self.chunks
    }
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
