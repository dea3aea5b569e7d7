//! The tile matrix set WebMercatorQuad (OGC 17-083r4).

use cardo_spatial::TileFrame;
use serde_json::{Value, json};

use super::{BUFFER, EXTENT};
use crate::fault::Fault;

/// The tile matrix set that there is.
pub(crate) const MATRIX_SET: &str = "WebMercatorQuad";
/// Its name in the register.
pub(crate) const MATRIX_SET_URI: &str =
    "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad";
/// Its coordinate reference system.
pub(crate) const MERCATOR: &str = "http://www.opengis.net/def/crs/EPSG/0/3857";

/// Half of the way around the world in metres.
const HALF: f64 = 20_037_508.342_789_244;
/// Metres of a pixel that has the standardized size, at a scale of one.
const PIXEL_METRES: f64 = 0.000_28;
const PIXELS: u32 = 256;

/// A tile that exists.
#[derive(Clone, Copy)]
pub(crate) struct Tile {
    pub(crate) zoom: u8,
    pub(crate) frame: TileFrame,
}

impl Tile {
    /// The tile at `tileMatrix`, `tileRow` and `tileCol`. What the matrix set does not have is not
    /// found (OGC 20-057, requirement /req/core/tc-error).
    pub(crate) fn parse(matrix: &str, row: &str, col: &str) -> Result<Self, Fault> {
        let is_plain = |text: &str| text == "0" || !text.starts_with(['0', '+']);
        let zoom = matrix.parse().ok().filter(|zoom| *zoom <= TileFrame::MAX_ZOOM);
        let zoom: u8 = zoom.filter(|_| is_plain(matrix)).ok_or_else(|| {
            let max = TileFrame::MAX_ZOOM;
            Fault::not_found(format!(
                "{MATRIX_SET} has the tile matrices 0 to {max}, no {matrix:?}"
            ))
        })?;
        let number = |name: &str, text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if is_number {
                // One that is larger than any row is outside of all matrices.
                return Ok(text.parse().unwrap_or(u32::MAX));
            }
            Err(Fault::invalid(format!("{name} {text:?} is no whole number")))
        };
        let (row, col) = (number("tileRow", row)?, number("tileCol", col)?);
        let frame = TileFrame::new(zoom, row, col, EXTENT, BUFFER).ok_or_else(|| {
            let last = (1_u32 << zoom) - 1;
            let rows = format!("rows and columns 0 to {last}");
            Fault::not_found(format!("tile matrix {zoom} has {rows}, no row {row}, column {col}"))
        })?;
        Ok(Self { zoom, frame })
    }
}

/// The definition of the set (OGC 17-083r4), in JSON.
pub(crate) fn matrix_set() -> Value {
    let matrices: Vec<Value> = (0..=TileFrame::MAX_ZOOM).map(matrix).collect();
    json!({
        "id": MATRIX_SET,
        "title": "Google Maps Compatible for the World",
        "uri": MATRIX_SET_URI,
        "crs": MERCATOR,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": matrices,
    })
}

fn matrix(zoom: u8) -> Value {
    let count = 1_u32 << zoom;
    let cell = 2.0 * HALF / f64::from(PIXELS) / f64::from(count);
    json!({
        "id": zoom.to_string(),
        "scaleDenominator": cell / PIXEL_METRES,
        "cellSize": cell,
        "cornerOfOrigin": "topLeft",
        "pointOfOrigin": [-HALF, HALF],
        "tileWidth": PIXELS,
        "tileHeight": PIXELS,
        "matrixWidth": count,
        "matrixHeight": count,
    })
}

/// The tiles of each matrix that can be asked for: all.
pub(crate) fn limits() -> Value {
    let limit = |zoom: u8| {
        let last = (1_u32 << zoom) - 1;
        json!({
            "tileMatrix": zoom.to_string(),
            "minTileRow": 0,
            "maxTileRow": last,
            "minTileCol": 0,
            "maxTileCol": last,
        })
    };
    (0..=TileFrame::MAX_ZOOM).map(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_register() {
        let set = matrix_set();
        let close = |value: &Value, to: f64| {
            let value = value.as_f64().unwrap();
            assert!((value - to).abs() < to.abs() * 1e-12, "{value} {to}");
        };
        let matrices = set["tileMatrices"].as_array().unwrap();
        assert_eq!(matrices.len(), 25);
        close(&matrices[0]["scaleDenominator"], 559_082_264.028_717_8);
        close(&matrices[0]["cellSize"], 156_543.033_928_041_03);
        close(&matrices[18]["scaleDenominator"], 2_132.729_583_849_784);
        close(&matrices[24]["scaleDenominator"], 33.323_899_747_652_874);
        assert_eq!(matrices[24]["matrixWidth"], 16_777_216);
    }
}
