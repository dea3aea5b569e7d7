//! PMTiles, version 3, in place: its directories say where each tile lies, and single tiles are read.
//! Chapters are those of the specification.

mod directory;
mod header;
mod hilbert;
mod metadata;
mod packing;

use crate::{Fault, ReadAt};

pub use directory::{Directory, DirectoryEntry};
pub use header::{PmTilesHeader, TileKind};
pub use hilbert::tile_id;
pub use metadata::{PmTilesMetadata, VectorLayerMetadata};
pub use packing::Packing;

/// The longest directory that is read, as it stands in the file.
const DIRECTORY_PACKED: u64 = 4 << 20;
/// The same unpacked.
const DIRECTORY_BYTES: usize = 8 << 20;
/// The longest metadata, packed and unpacked.
const METADATA_BYTES: usize = 8 << 20;
/// The longest tile, packed and unpacked.
const TILE_BYTES: usize = 16 << 20;
/// How many directories lead to a tile. One level of leaves is usual, more are discouraged (chapter 4).
const MOST_LEVELS: usize = 4;

/// A part of an archive that is read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// Where it begins in the file.
    pub offset: u64,
    /// Its bytes.
    pub length: u32,
}

/// An archive of tiles, of which nothing is held but the header.
#[derive(Debug)]
pub struct PmTiles<R> {
    source: R,
    header: PmTilesHeader,
}

impl<R: ReadAt> PmTiles<R> {
    /// Opens an archive of so many bytes and reads its header.
    ///
    /// # Errors
    /// If it is no PMTiles of version 3, parts of it lie outside, or it is packed in a way that is not read.
    pub fn open(source: R, bytes: u64) -> Result<Self, Fault> {
        let mut head = [0; header::BYTES];
        if bytes < head.len() as u64 {
            return Err(Fault::Truncated);
        }
        source.read_exact_at(&mut head, 0)?;
        Ok(Self { source, header: PmTilesHeader::read(&head, bytes)? })
    }

    /// What the header says.
    pub fn header(&self) -> &PmTilesHeader {
        &self.header
    }

    /// Reads the metadata (chapter 5).
    ///
    /// # Errors
    /// If they cannot be read, or are not what they should be.
    pub fn metadata(&self) -> Result<PmTilesMetadata, Fault> {
        let part = self.header.metadata;
        let piece = part.piece(0, part.length, METADATA_BYTES as u64, "the metadata")?;
        let json = self.unpacked(piece, self.header.internal, METADATA_BYTES)?;
        PmTilesMetadata::read(&json, self.header.kind)
    }

    /// Where the root directory is.
    ///
    /// # Errors
    /// If it is longer than a directory may be.
    pub fn root(&self) -> Result<Piece, Fault> {
        let part = self.header.root;
        part.piece(0, part.length, DIRECTORY_PACKED, "the root directory")
    }

    /// Reads a directory (chapter 4.3).
    ///
    /// # Errors
    /// If it cannot be read, or is none.
    pub fn directory(&self, piece: Piece) -> Result<Directory, Fault> {
        Directory::read(&self.unpacked(piece, self.header.internal, DIRECTORY_BYTES)?)
    }

    /// Where a tile is by its number ([`tile_id`]); `None` where the archive has none. `directory` reads
    /// directories, or knows them.
    ///
    /// # Errors
    /// If a directory cannot be read or leads to nowhere.
    pub fn find<D: AsRef<Directory>>(
        &self,
        id: u64,
        directory: &mut dyn FnMut(Piece) -> Result<D, Fault>,
    ) -> Result<Option<Piece>, Fault> {
        let mut piece = self.root()?;
        for _ in 0..MOST_LEVELS {
            let known = directory(piece)?;
            let Some(entry) = known.as_ref().entry_before(id) else { return Ok(None) };
            let (offset, length) = (entry.offset, entry.length.into());
            if entry.run_length > 0 {
                if id - entry.tile_id >= entry.run_length.into() {
                    return Ok(None);
                }
                let tile = self.header.tiles.piece(offset, length, TILE_BYTES as u64, "a tile")?;
                return Ok(Some(tile));
            }
            piece =
                self.header.leaves.piece(offset, length, DIRECTORY_PACKED, "a leaf directory")?;
        }
        Err(malformed(format_args!(
            "directories lead from one to the other more than {MOST_LEVELS} times"
        )))
    }

    /// Reads what was found, as it stands in the file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn packed(&self, piece: Piece) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; piece.length as usize];
        self.source.read_exact_at(&mut bytes, piece.offset)?;
        Ok(bytes)
    }

    /// Reads a tile, unpacked.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn tile(&self, piece: Piece) -> Result<Vec<u8>, Fault> {
        self.unpacked(piece, self.header.tile_packing, TILE_BYTES)
    }

    fn unpacked(&self, piece: Piece, packing: Packing, most: usize) -> Result<Vec<u8>, Fault> {
        packing.unpack(self.packed(piece)?, most)
    }
}

fn malformed(detail: impl std::fmt::Display) -> Fault {
    Fault::malformed("PMTiles", detail)
}
