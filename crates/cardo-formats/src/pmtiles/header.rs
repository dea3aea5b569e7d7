//! The header (chapter 3).

use super::{Packing, Piece, malformed};
use crate::Fault;

pub(super) const BYTES: usize = 127;
const MAGIC: &[u8; 7] = b"PMTiles";
const VERSION: u8 = 3;
/// The last level whose tiles have numbers in 64 bits.
const LAST_ZOOM: u8 = 31;

/// What the header says of the tiles.
#[derive(Clone, Debug, PartialEq)]
pub struct PmTilesHeader {
    /// What tiles are.
    pub kind: TileKind,
    /// How each tile is packed.
    pub tile_packing: Packing,
    /// The first and the last zoom level.
    pub zooms: [u8; 2],
    /// West, south, east and north in degrees, as the file has them.
    pub bounds: [f64; 4],
    /// Where to look first: longitude, latitude and zoom level.
    pub center: ([f64; 2], u8),
    pub(super) internal: Packing,
    pub(super) root: Part,
    pub(super) metadata: Part,
    pub(super) leaves: Part,
    pub(super) tiles: Part,
}

/// What the tiles of an archive are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileKind {
    /// Mapbox Vector Tiles.
    Mvt,
    /// Images.
    Png,
    /// Images.
    Jpeg,
    /// Images.
    Webp,
    /// Images.
    Avif,
}

/// A section of the archive, all of which is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    offset: u64,
    pub(super) length: u64,
}

impl PmTilesHeader {
    pub(super) fn read(head: &[u8; BYTES], bytes: u64) -> Result<Self, Fault> {
        let Some((MAGIC, rest)) = head.split_first_chunk() else {
            return Err(malformed("the file does not begin with the magic bytes"));
        };
        if rest[0] != VERSION {
            let detail = format!("PMTiles version {} where {VERSION} is read", rest[0]);
            return Err(Fault::Unsupported(detail));
        }
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&head[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        let degrees = |at: usize| {
            let mut bytes = [0; 4];
            bytes.copy_from_slice(&head[at..at + 4]);
            f64::from(i32::from_le_bytes(bytes)) / 1e7
        };
        let part = |at: usize, name: &str| Part::of(number(at), number(at + 8), bytes, name);
        let zooms = [head[100], head[101]];
        if zooms[0] > zooms[1] || zooms[1] > LAST_ZOOM {
            let [first, last] = zooms;
            return Err(malformed(format_args!("zoom levels from {first} to {last}")));
        }
        Ok(Self {
            kind: TileKind::of(head[99])?,
            tile_packing: Packing::of(head[98], "tiles")?,
            zooms,
            bounds: [102, 106, 110, 114].map(degrees),
            center: ([degrees(119), degrees(123)], head[118]),
            internal: Packing::of(head[97], "directories")?,
            root: part(8, "the root directory")?,
            metadata: part(24, "the metadata")?,
            leaves: part(40, "the leaf directories")?,
            tiles: part(56, "the tiles")?,
        })
    }
}

impl TileKind {
    fn of(code: u8) -> Result<Self, Fault> {
        Ok(match code {
            1 => Self::Mvt,
            2 => Self::Png,
            3 => Self::Jpeg,
            4 => Self::Webp,
            5 => Self::Avif,
            6 => return Err(Fault::Unsupported("MapLibre tiles are not read".to_owned())),
            other => {
                let detail = format!("its header does not say what its tiles are (type {other})");
                return Err(Fault::Unsupported(detail));
            }
        })
    }
}

impl Part {
    fn of(offset: u64, length: u64, bytes: u64, name: &str) -> Result<Self, Fault> {
        // A part of no length may be said to be anywhere.
        if length > 0 && offset.checked_add(length).is_none_or(|end| end > bytes) {
            return Err(malformed(format_args!(
                "{name} of {length} bytes at {offset} in a file of {bytes} bytes"
            )));
        }
        Ok(Self { offset, length })
    }

    /// A piece of it, no longer than `most`.
    pub(super) fn piece(
        &self,
        offset: u64,
        length: u64,
        most: u64,
        name: &str,
    ) -> Result<Piece, Fault> {
        if length == 0 || offset.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(malformed(format_args!(
                "{name} of {length} bytes at {offset} in a section of {} bytes",
                self.length
            )));
        }
        let short = u32::try_from(length).ok().filter(|_| length <= most);
        let length = short
            .ok_or_else(|| malformed(format_args!("{name} of {length} bytes, more than {most}")))?;
        Ok(Piece { offset: self.offset + offset, length })
    }
}
