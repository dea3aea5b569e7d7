//! Archives of tiles (PMTiles, version 3) for tests, in every form that a reader meets.

use std::collections::BTreeMap;
use std::io::Write;

use cardo_formats::{DirectoryEntry, Packing, tile_id};

/// Writes an archive in memory.
#[derive(Clone, Debug)]
pub struct PmTilesWriter {
    /// What is in the metadata.
    pub metadata: String,
    /// The code of what tiles are; 1 is Mapbox Vector Tiles.
    pub kind: u8,
    /// How directories and metadata are packed.
    pub internal: Packing,
    /// How tiles are packed.
    pub packing: Packing,
    /// The most entries of a directory; more make leaf directories, and leaves of leaves.
    pub most_entries: usize,
    /// West, south, east and north.
    pub bounds: [f64; 4],
    /// What tiles hold, by their numbers.
    pub tiles: BTreeMap<u64, Vec<u8>>,
    /// The first and the last zoom level.
    pub zooms: Option<[u8; 2]>,
}

impl PmTilesWriter {
    /// An archive of vector tiles with these layers in its metadata.
    pub fn of_vectors(layers: &serde_json::Value) -> Self {
        Self {
            metadata: serde_json::json!({ "name": "a test", "vector_layers": layers }).to_string(),
            kind: 1,
            internal: Packing::Gzip,
            packing: Packing::Gzip,
            most_entries: 1_000,
            bounds: [-180.0, -85.0, 180.0, 85.0],
            tiles: BTreeMap::new(),
            zooms: None,
        }
    }

    /// Adds a tile, which is packed when the archive is finished.
    ///
    /// # Panics
    /// If there is no such tile.
    pub fn tile(&mut self, zoom: u8, column: u32, row: u32, content: impl Into<Vec<u8>>) {
        let id = tile_id(zoom, column, row).expect("the tile exists");
        self.tiles.insert(id, content.into());
        let [first, last] = self.zooms.unwrap_or([zoom, zoom]);
        self.zooms = Some([first.min(zoom), last.max(zoom)]);
    }

    /// The archive. Equal tiles stand in it once.
    pub fn finish(&self) -> Vec<u8> {
        let mut data = Vec::new();
        let mut known: BTreeMap<&[u8], (u64, u32)> = BTreeMap::new();
        let mut entries: Vec<DirectoryEntry> = Vec::new();
        for (id, content) in &self.tiles {
            let (offset, length) = *known.entry(content).or_insert_with(|| {
                let packed = pack(self.packing, content);
                let place = (data.len() as u64, length(&packed));
                data.extend(packed);
                place
            });
            match entries.last_mut() {
                Some(last)
                    if last.offset == offset
                        && last.tile_id + u64::from(last.run_length) == *id =>
                {
                    last.run_length += 1;
                }
                _ => entries.push(DirectoryEntry { tile_id: *id, offset, length, run_length: 1 }),
            }
        }
        let addressed = self.tiles.len() as u64;
        let counts = [addressed, entries.len() as u64, known.len() as u64];
        let mut leaves = Vec::new();
        while entries.len() > self.most_entries {
            entries = entries
                .chunks(self.most_entries)
                .map(|some| self.leaf(some, &mut leaves))
                .collect();
        }
        let root = pack(self.internal, &directory(&entries));
        let metadata = pack(self.internal, self.metadata.as_bytes());
        self.join(&[root, metadata, leaves, data], counts)
    }

    fn leaf(&self, entries: &[DirectoryEntry], leaves: &mut Vec<u8>) -> DirectoryEntry {
        let packed = pack(self.internal, &directory(entries));
        let offset = leaves.len() as u64;
        let entry = DirectoryEntry {
            tile_id: entries[0].tile_id,
            offset,
            length: length(&packed),
            run_length: 0,
        };
        leaves.extend(packed);
        entry
    }

    fn join(&self, parts: &[Vec<u8>; 4], counts: [u64; 3]) -> Vec<u8> {
        let mut out = b"PMTiles\x03".to_vec();
        let mut offset = 127;
        for part in parts {
            out.extend(u64::to_le_bytes(offset));
            out.extend(u64::to_le_bytes(part.len() as u64));
            offset += part.len() as u64;
        }
        out.extend(counts.map(u64::to_le_bytes).concat());
        let zooms = self.zooms.unwrap_or_default();
        out.extend([1, code(self.internal), code(self.packing), self.kind, zooms[0], zooms[1]]);
        let [west, south, east, north] = self.bounds;
        out.extend([west, south, east, north].map(degrees).concat());
        out.push(zooms[0]);
        out.extend([f64::midpoint(west, east), f64::midpoint(south, north)].map(degrees).concat());
        out.extend(parts.concat());
        out
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("tests have small parts")
}

#[expect(clippy::cast_possible_truncation, reason = "degrees are small")]
fn degrees(number: f64) -> [u8; 4] {
    ((number * 1e7).round() as i32).to_le_bytes()
}

fn code(packing: Packing) -> u8 {
    match packing {
        Packing::None => 1,
        Packing::Gzip => 2,
        Packing::Zstd => 4,
    }
}

fn pack(packing: Packing, bytes: &[u8]) -> Vec<u8> {
    match packing {
        Packing::None => bytes.to_vec(),
        Packing::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(bytes).and_then(|()| writer.finish()).expect("memory takes it")
        }
        Packing::Zstd => zstd::encode_all(bytes, 1).expect("memory takes it"),
    }
}

/// A directory as it stands in an archive before it is packed (appendix A.1).
fn directory(entries: &[DirectoryEntry]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut push = |mut number: u64| {
        while number >= 0x80 {
            out.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        out.push(number.to_le_bytes()[0]);
    };
    push(entries.len() as u64);
    let mut last = 0;
    for entry in entries {
        push(entry.tile_id - last);
        last = entry.tile_id;
    }
    for entry in entries {
        push(entry.run_length.into());
    }
    for entry in entries {
        push(entry.length.into());
    }
    let mut behind = None;
    for entry in entries {
        push(if behind == Some(entry.offset) { 0 } else { entry.offset + 1 });
        behind = Some(entry.offset + u64::from(entry.length));
    }
    out
}
