use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use cardo_engine::{
    LayerError, TileContent, TileForm, TileImage, TileLayer, TileLayerDescription, TilePacking,
    TilePlace, VectorLayer,
};
use cardo_formats::{
    Fault, Packing, Piece, PmTiles, PmTilesHeader, PmTilesMetadata, TileKind, VectorLayerMetadata,
    tile_id,
};
use cardo_spatial::Aabb;

use crate::directories::Directories;
use crate::flatgeobuf::OpenError;

/// Where tiles end in the north and the south.
const MERCATOR_LATITUDE: f64 = 85.051_128_779_806_59;

/// A PMTiles as a layer.
pub(crate) struct PmTilesLayer {
    description: TileLayerDescription,
    file: PmTiles<File>,
    directories: Arc<Directories>,
}

impl PmTilesLayer {
    /// Opens a file of so many bytes, and reads its header, metadata and root directory.
    pub(crate) fn open(
        name: &str,
        path: &Path,
        bytes: u64,
        version: u64,
        directories: Arc<Directories>,
    ) -> Result<Self, OpenError> {
        let file = PmTiles::open(File::open(path)?, bytes)?;
        let description = describe(name, version, file.header(), file.metadata()?);
        let layer = Self { description, file, directories };
        layer.directory(layer.file.root()?)?;
        Ok(layer)
    }

    fn directory(&self, piece: Piece) -> Result<Arc<cardo_formats::Directory>, Fault> {
        let key = (self.description.version, piece);
        self.directories.get(key, || self.file.directory(piece))
    }

    fn fault(&self, fault: &Fault) -> LayerError {
        let is_damage =
            !matches!(fault, Fault::Io(error) if error.kind() != ErrorKind::UnexpectedEof);
        LayerError { layer: self.description.name.clone(), reason: fault.to_string(), is_damage }
    }
}

fn describe(
    name: &str,
    version: u64,
    header: &PmTilesHeader,
    metadata: PmTilesMetadata,
) -> TileLayerDescription {
    let said = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let image = match header.kind {
        TileKind::Mvt => None,
        TileKind::Png => Some(TileImage::Png),
        TileKind::Jpeg => Some(TileImage::Jpeg),
        TileKind::Webp => Some(TileImage::Webp),
        TileKind::Avif => Some(TileImage::Avif),
    };
    let layers = metadata.vector_layers.unwrap_or_default().into_iter();
    TileLayerDescription {
        name: name.to_owned(),
        title: said(metadata.name),
        description: said(metadata.description),
        attribution: said(metadata.attribution),
        version,
        zooms: header.zooms,
        bounds: bounds(header.bounds),
        center: center(header),
        content: match image {
            None => {
                TileContent::Vector(layers.map(|one| vector_layer(one, header.zooms)).collect())
            }
            Some(image) => TileContent::Image(image),
        },
        packing: match header.tile_packing {
            Packing::None => TilePacking::None,
            Packing::Gzip => TilePacking::Gzip,
            Packing::Zstd => TilePacking::Zstd,
        },
    }
}

/// The box of the file; all that tiles can show where it has none.
fn bounds([west, south, east, north]: [f64; 4]) -> Aabb {
    let is_box = -180.0 <= west && west < east && east <= 180.0;
    if is_box && -90.0 <= south && south < north && north <= 90.0 {
        return Aabb { min: [west, south], max: [east, north] };
    }
    Aabb { min: [-180.0, -MERCATOR_LATITUDE], max: [180.0, MERCATOR_LATITUDE] }
}

/// Where the file says to look first; the middle of it where that is elsewhere.
fn center(header: &PmTilesHeader) -> ([f64; 2], u8) {
    let bounds = bounds(header.bounds);
    let ([lon, lat], zoom) = header.center;
    let is_within = (bounds.min[0]..=bounds.max[0]).contains(&lon)
        && (bounds.min[1]..=bounds.max[1]).contains(&lat);
    let [first, last] = header.zooms;
    (if is_within { [lon, lat] } else { bounds.center() }, zoom.clamp(first, last))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within levels")]
fn vector_layer(layer: VectorLayerMetadata, [first, last]: [u8; 2]) -> VectorLayer {
    let level = |zoom: Option<f64>, else_: u8| {
        zoom.map_or(else_, |zoom| zoom.clamp(first.into(), last.into()) as u8)
    };
    VectorLayer {
        zooms: [level(layer.minzoom, first), level(layer.maxzoom, last)],
        id: layer.id,
        description: layer.description,
        fields: layer.fields.into_iter().collect(),
    }
}

impl TileLayer for PmTilesLayer {
    fn description(&self) -> &TileLayerDescription {
        &self.description
    }

    fn find(&self, [zoom, column, row]: [u32; 3]) -> Result<Option<TilePlace>, LayerError> {
        let zoom = u8::try_from(zoom).unwrap_or(u8::MAX);
        let Some(id) = tile_id(zoom, column, row) else { return Ok(None) };
        let found = self.file.find(id, &mut |piece| self.directory(piece));
        let found = found.map_err(|fault| self.fault(&fault))?;
        Ok(found.map(|Piece { offset, length }| TilePlace { offset, length }))
    }

    fn read(&self, place: TilePlace, form: TileForm) -> Result<Vec<u8>, LayerError> {
        let piece = Piece { offset: place.offset, length: place.length };
        let read = match form {
            TileForm::Stored => self.file.packed(piece),
            TileForm::Plain => self.file.tile(piece),
        };
        read.map_err(|fault| self.fault(&fault))
    }
}
