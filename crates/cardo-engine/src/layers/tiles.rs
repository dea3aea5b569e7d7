//! Layers of tiles that were made elsewhere: nothing can be asked of them but their tiles.

use cardo_spatial::Aabb;

use super::LayerError;

/// A layer of ready tiles in `WebMercatorQuad`. Reading it waits for the disk, so it is no work for
/// threads that answer requests.
pub trait TileLayer: Send + Sync + 'static {
    /// What it is.
    fn description(&self) -> &TileLayerDescription;

    /// Where a tile is, by zoom level, column and row; `None` where there is none.
    ///
    /// # Errors
    /// If the layer cannot be read.
    fn find(&self, place: [u32; 3]) -> Result<Option<TilePlace>, LayerError>;

    /// Reads a tile that was found.
    ///
    /// # Errors
    /// If the layer cannot be read.
    fn read(&self, place: TilePlace, form: TileForm) -> Result<Vec<u8>, LayerError>;
}

/// What a layer of tiles is.
#[derive(Clone, Debug, PartialEq)]
pub struct TileLayerDescription {
    /// Its name among collections.
    pub name: String,
    /// What it calls itself.
    pub title: Option<String>,
    /// What it says of itself.
    pub description: Option<String>,
    /// Whom a map of it has to name.
    pub attribution: Option<String>,
    /// A number that differs where the layer does.
    pub version: u64,
    /// The first and the last zoom level that has tiles.
    pub zooms: [u8; 2],
    /// Where there are tiles.
    pub bounds: Aabb,
    /// Where to look first, and at which zoom level.
    pub center: ([f64; 2], u8),
    /// What its tiles are.
    pub content: TileContent,
    /// How its tiles are packed.
    pub packing: TilePacking,
}

/// What tiles are.
#[derive(Clone, Debug, PartialEq)]
pub enum TileContent {
    /// Mapbox Vector Tiles with these layers.
    Vector(Vec<VectorLayer>),
    /// Images.
    Image(TileImage),
}

/// A layer of vector tiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorLayer {
    /// Its name.
    pub id: String,
    /// What it says of itself.
    pub description: Option<String>,
    /// The first and the last zoom level that has it.
    pub zooms: [u8; 2],
    /// Its properties, and what each is.
    pub fields: Vec<(String, String)>,
}

/// The format of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileImage {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// AVIF.
    Avif,
}

/// How tiles are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TilePacking {
    /// Not at all.
    None,
    /// By gzip.
    Gzip,
    /// By Zstandard.
    Zstd,
}

/// Where a tile is; tiles at one place are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TilePlace {
    /// Where it begins.
    pub offset: u64,
    /// Its bytes.
    pub length: u32,
}

/// In which form a tile is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TileForm {
    /// Packed as it is.
    Stored,
    /// Unpacked.
    Plain,
}
