//! The tile matrix sets of the register (OGC 17-083r4, annex D) that there are tiles in.

use cardo_spatial::{Aabb, TileFrame, TilePlane};
use serde_json::{Value, json};

use super::{BUFFER, EXTENT};
use crate::fault::Fault;
use crate::systems::CRS84;

/// A tile matrix set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum MatrixSet {
    WebMercatorQuad,
    WorldCrs84Quad,
}

/// Half of the way around the world in metres.
const HALF: f64 = 20_037_508.342_789_244;
/// Metres of a pixel that has the standardized size, at a scale of one.
const PIXEL_METRES: f64 = 0.000_28;
/// Metres of a degree at the equator, on the sphere of the larger half axis.
const DEGREE_METRES: f64 = HALF / 180.0;
const PIXELS: u32 = 256;

impl MatrixSet {
    /// All, the one that maps use first.
    pub(crate) const ALL: [Self; 2] = [Self::WebMercatorQuad, Self::WorldCrs84Quad];

    /// The set of this name.
    pub(crate) fn of(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.id() == id)
    }

    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::WebMercatorQuad => "WebMercatorQuad",
            Self::WorldCrs84Quad => "WorldCRS84Quad",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::WebMercatorQuad => "Google Maps Compatible for the World",
            Self::WorldCrs84Quad => "CRS84 for the World",
        }
    }

    /// Its name in the register.
    pub(crate) fn uri(self) -> String {
        format!("http://www.opengis.net/def/tilematrixset/OGC/1.0/{}", self.id())
    }

    /// Its coordinate reference system.
    pub(crate) fn crs(self) -> &'static str {
        match self {
            Self::WebMercatorQuad => "http://www.opengis.net/def/crs/EPSG/0/3857",
            Self::WorldCrs84Quad => CRS84,
        }
    }

    fn scale_set(self) -> &'static str {
        match self {
            Self::WebMercatorQuad => "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
            Self::WorldCrs84Quad => "http://www.opengis.net/def/wkss/OGC/1.0/GoogleCRS84Quad",
        }
    }

    fn plane(self) -> TilePlane {
        match self {
            Self::WebMercatorQuad => TilePlane::Mercator,
            Self::WorldCrs84Quad => TilePlane::Degrees,
        }
    }

    /// Its last tile matrix.
    pub(crate) fn last(self) -> u8 {
        self.plane().max_zoom()
    }

    /// Rows and columns of each matrix.
    fn sizes(self) -> impl Iterator<Item = (u8, [u32; 2])> {
        (0..=self.last()).filter_map(move |zoom| Some((zoom, self.plane().size(zoom)?)))
    }

    /// The definition of the set (OGC 17-083r4), in JSON.
    pub(crate) fn to_json(self) -> Value {
        let (axes, origin) = match self {
            Self::WebMercatorQuad => (["X", "Y"], [-HALF, HALF]),
            Self::WorldCrs84Quad => (["Lon", "Lat"], [-180.0, 90.0]),
        };
        let matrix = |(zoom, [rows, cols]): (u8, [u32; 2])| {
            let across = f64::from(cols) * f64::from(PIXELS);
            let (cell, metres) = match self {
                Self::WebMercatorQuad => (2.0 * HALF / across, 2.0 * HALF / across),
                Self::WorldCrs84Quad => (360.0 / across, 360.0 / across * DEGREE_METRES),
            };
            json!({
                "id": zoom.to_string(),
                "scaleDenominator": metres / PIXEL_METRES,
                "cellSize": cell,
                "cornerOfOrigin": "topLeft",
                "pointOfOrigin": origin,
                "tileWidth": PIXELS,
                "tileHeight": PIXELS,
                "matrixWidth": cols,
                "matrixHeight": rows,
            })
        };
        json!({
            "id": self.id(),
            "title": self.title(),
            "uri": self.uri(),
            "crs": self.crs(),
            "orderedAxes": axes,
            "wellKnownScaleSet": self.scale_set(),
            "tileMatrices": self.sizes().map(matrix).collect::<Vec<_>>(),
        })
    }

    /// The tiles of each matrix that can be asked for: all.
    pub(crate) fn limits(self) -> impl Iterator<Item = Limits> {
        let all = |(zoom, [rows, cols]): (u8, [u32; 2])| Limits {
            zoom,
            rows: [0, rows - 1],
            cols: [0, cols - 1],
        };
        self.sizes().map(all)
    }
}

/// The tiles of a matrix that can be asked for (OGC 17-083r4, `tileMatrixSetLimits`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) zoom: u8,
    /// The first and the last.
    pub(crate) rows: [u32; 2],
    pub(crate) cols: [u32; 2],
}

impl Limits {
    /// The tiles of a level of `WebMercatorQuad` that a box of longitude and latitude meets.
    pub(crate) fn of_mercator(zoom: u8, bounds: &Aabb) -> Self {
        let side = f64::from(1_u32 << zoom.min(31));
        let column = |lon: f64| (lon + 180.0) / 360.0 * side;
        let row = |lat: f64| {
            let north = lat.to_radians().sin().clamp(-0.999_999, 0.999_999).atanh();
            (0.5 - north / (2.0 * std::f64::consts::PI)) * side
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between the first and the last"
        )]
        let place = |at: f64| at.floor().clamp(0.0, side - 1.0) as u32;
        let ([west, south], [east, north]) = (bounds.min, bounds.max);
        Self {
            zoom,
            rows: [place(row(north)), place(row(south))],
            cols: [place(column(west)), place(column(east))],
        }
    }

    pub(crate) fn holds(&self, row: u32, col: u32) -> bool {
        let is_in = |[first, last]: [u32; 2], number| (first..=last).contains(&number);
        is_in(self.rows, row) && is_in(self.cols, col)
    }

    pub(crate) fn to_json(self) -> Value {
        json!({
            "tileMatrix": self.zoom.to_string(),
            "minTileRow": self.rows[0],
            "maxTileRow": self.rows[1],
            "minTileCol": self.cols[0],
            "maxTileCol": self.cols[1],
        })
    }
}

/// A tile that exists.
#[derive(Clone, Copy)]
pub(crate) struct Tile {
    pub(crate) zoom: u8,
    pub(crate) row: u32,
    pub(crate) col: u32,
    pub(crate) frame: TileFrame,
}

impl Tile {
    /// The tile at `tileMatrix`, `tileRow` and `tileCol`. What the matrix set does not have is not
    /// found (OGC 20-057, requirement /req/core/tc-error).
    pub(crate) fn parse(set: MatrixSet, matrix: &str, row: &str, col: &str) -> Result<Self, Fault> {
        let is_plain = |text: &str| text == "0" || !text.starts_with(['0', '+']);
        let zoom = matrix.parse().ok().filter(|_| is_plain(matrix));
        let size = zoom.and_then(|zoom| Some((zoom, set.plane().size(zoom)?)));
        let (zoom, [rows, cols]) = size.ok_or_else(|| {
            let (id, last) = (set.id(), set.last());
            Fault::not_found(format!("{id} has the tile matrices 0 to {last}, no {matrix:?}"))
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
        let place = [zoom.into(), row, col];
        let frame = TileFrame::new(set.plane(), place, EXTENT, BUFFER).ok_or_else(|| {
            let (rows, cols) = (rows - 1, cols - 1);
            Fault::not_found(format!(
                "tile matrix {zoom} has rows 0 to {rows} and columns 0 to {cols}, no row {row}, column {col}"
            ))
        })?;
        Ok(Self { zoom, row, col, frame })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_close(value: &Value, to: f64) {
        let value = value.as_f64().unwrap();
        assert!((value - to).abs() < to.abs() * 1e-12, "{value} {to}");
    }

    #[test]
    fn tl16_the_numbers_are_those_of_the_register() {
        let set = MatrixSet::WebMercatorQuad.to_json();
        let matrices = set["tileMatrices"].as_array().unwrap();
        assert_eq!(matrices.len(), 25);
        is_close(&matrices[0]["scaleDenominator"], 559_082_264.028_717_8);
        is_close(&matrices[0]["cellSize"], 156_543.033_928_041_03);
        is_close(&matrices[18]["scaleDenominator"], 2_132.729_583_849_784);
        is_close(&matrices[24]["scaleDenominator"], 33.323_899_747_652_874);
        assert_eq!(matrices[24]["matrixWidth"], 16_777_216);

        let set = MatrixSet::WorldCrs84Quad.to_json();
        let matrices = set["tileMatrices"].as_array().unwrap();
        assert_eq!(matrices.len(), 18);
        is_close(&matrices[0]["scaleDenominator"], 279_541_132.014_358_76);
        is_close(&matrices[0]["cellSize"], 0.703_125);
        is_close(&matrices[17]["scaleDenominator"], 2_132.729_583_849_784);
        assert_eq!(
            (&matrices[1]["matrixWidth"], &matrices[1]["matrixHeight"]),
            (&4.into(), &2.into())
        );
        assert_eq!(set["orderedAxes"], json!(["Lon", "Lat"]));
    }
}
