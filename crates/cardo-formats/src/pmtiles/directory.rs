//! Directories (chapter 4).

use super::malformed;
use crate::Fault;

/// The most entries of a directory.
const MOST_ENTRIES: u64 = 500_000;
/// Each entry is four numbers of a byte or more.
const LEAST_BYTES: usize = 4;

/// Where some tiles, or directories of tiles, are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// In the order of the numbers of tiles.
    entries: Vec<DirectoryEntry>,
}

/// A tile, or a run of tiles with the same content; with no run a leaf directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The number of the first tile.
    pub tile_id: u64,
    /// Where it is in its section.
    pub offset: u64,
    /// Its bytes.
    pub length: u32,
    /// How many tiles there are of it.
    pub run_length: u32,
}

impl AsRef<Self> for Directory {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Directory {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let mut numbers = Varints { bytes };
        let count = numbers.next()?;
        let least = usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(LEAST_BYTES);
        if count == 0 || count > MOST_ENTRIES || least > numbers.bytes.len() {
            let bytes = bytes.len();
            return Err(malformed(format_args!("a directory of {count} entries in {bytes} bytes")));
        }
        let mut entries = Vec::new();
        let mut tile_id = 0_u64;
        for place in 0..count {
            let more = numbers.next()?;
            let next = tile_id.checked_add(more).filter(|_| place == 0 || more > 0);
            tile_id = next.ok_or_else(|| malformed("a directory whose tiles are in no order"))?;
            entries.push(DirectoryEntry { tile_id, offset: 0, length: 0, run_length: 0 });
        }
        for entry in &mut entries {
            entry.run_length = numbers.next_short("run length")?;
        }
        for entry in &mut entries {
            entry.length = numbers.next_short("length")?;
            if entry.length == 0 {
                return Err(malformed("an entry of a directory with a length of 0"));
            }
        }
        let mut behind = None;
        for entry in &mut entries {
            let offset = match (numbers.next()?, behind) {
                (0, Some(behind)) => behind,
                (0, None) => return Err(malformed("the first entry follows another")),
                (number, _) => number - 1,
            };
            entry.offset = offset;
            let end = offset.checked_add(entry.length.into());
            behind = Some(end.ok_or_else(|| malformed(format_args!("an offset of {offset}")))?);
        }
        Ok(Self { entries })
    }

    /// The entry that a tile is in, if it is in any.
    pub(super) fn entry_before(&self, id: u64) -> Option<&DirectoryEntry> {
        let behind = self.entries.partition_point(|entry| entry.tile_id <= id);
        self.entries.get(behind.checked_sub(1)?)
    }

    /// Its entries.
    pub fn entries(&self) -> &[DirectoryEntry] {
        &self.entries
    }

    /// How much memory it takes.
    pub fn size(&self) -> usize {
        self.entries.capacity() * size_of::<DirectoryEntry>() + size_of::<Self>()
    }
}

/// Numbers of variable length (Protocol Buffers).
struct Varints<'a> {
    bytes: &'a [u8],
}

impl Varints<'_> {
    fn next(&mut self) -> Result<u64, Fault> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.bytes.split_first().ok_or(Fault::Truncated)?;
            self.bytes = rest;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                break;
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(malformed("a number of more than 64 bits in a directory"))
    }

    fn next_short(&mut self, name: &str) -> Result<u32, Fault> {
        let number = self.next()?;
        u32::try_from(number).map_err(|_| malformed(format_args!("a {name} of {number}")))
    }
}
