//! Map tiles: which features a tile shows ([`Selection`]) and how they are written ([`Layer`]).
//!
//! A layer of a tile is bounded, and what it shows depends on the twin alone, not on the order in
//! which an index happens to hold it:
//!
//! 1. What is smaller than a pixel both ways (a 512th of the tile) is merged into the cell of a
//!    grid in which the centre of its box lies. The grid has 64 cells to a side of the tile.
//! 2. Of the other lines and polygons the 10,000 largest by their boxes are drawn, the rest is
//!    merged as well. Those that reach over the edge of the tile are a second 10,000 of their own, so
//!    that a crowd in one tile cuts nothing in half which the tile beside it shows.
//! 3. Up to 10,000 points are drawn as they are. Of more, those that are alone in their cell are,
//!    and the others are merged.
//! 4. What is merged is one point a cell, in the middle of what it stands for, with nothing but
//!    `cardo:count`.
//! 5. Behind 2 MiB features have no properties but `id`, and behind 4 MiB there are none: merged
//!    ones come first, then shapes from the largest to the smallest, then points from the oldest to
//!    the newest.

mod far;
mod file_layer;
mod kept;
mod layer;
mod matrix;
mod render;
mod select;
mod wire;

pub(crate) use far::{completed, meets_boxes};
pub(crate) use file_layer::FileLayer;
pub(crate) use kept::{Kept, KeptTiles, Place};
pub(crate) use layer::COUNT;
pub(crate) use matrix::{Limits, MatrixSet, Tile};
pub(crate) use render::{Picture, Shown};

/// Units to a side of a tile.
pub(crate) const EXTENT: u16 = 4096;
/// Units beyond the border of a tile that are drawn, so that lines and symbols go on.
const BUFFER: u16 = 64;
/// Units of a pixel, where a tile is drawn on 512 of them.
const PIXEL: f64 = 8.0;
/// The most points, and the most shapes, that a layer draws one by one.
const MOST: usize = 10_000;
/// Units of a cell in which features are merged.
const CELL: i32 = 64;
/// Behind so many bytes features have no properties but their id.
const PLAIN_BYTES: usize = 2 << 20;
/// Behind so many bytes there are no features.
const MOST_BYTES: usize = 4 << 20;
/// By how many units lines may leave their course: half a pixel is not seen.
fn tolerance(tile: Tile) -> f64 {
    if tile.zoom < EXACT_ZOOM { PIXEL / 2.0 } else { 0.0 }
}

/// From this zoom level on lines keep all their positions.
const EXACT_ZOOM: u8 = 16;
