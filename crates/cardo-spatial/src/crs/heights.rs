//! Third coordinates. Between the surfaces that heights are measured from nothing is computed, for which it would take
//! grids of geoids; PROJ without its grids does the same.

use std::sync::Arc;

use geo::MapCoords;
use geo_types::{Coord, Geometry};

use super::{Crs, CrsError, PureRust, compound, register, vertical};

/// What the third coordinate of a system is.
#[derive(Clone, Debug, Default)]
pub(super) enum Heights {
    /// Metres up, which are carried as they come.
    #[default]
    Kept,
    /// Units of so many metres; of fewer than none where they count down.
    Counted(f64),
    /// Metres above an ellipsoid that lies elsewhere than that of WGS 84.
    Ellipsoidal(Arc<PureRust>),
}

/// By less than this, in metres, ellipsoids lie in the same place.
const SAME: f64 = 1e-3;

impl Heights {
    /// What the system of a code has.
    pub(super) fn of(code: u32) -> Result<Self, CrsError> {
        let vertical = compound::parts(code).and_then(|parts| vertical::of(parts.heights));
        if let Some(vertical) = vertical {
            return Ok(match vertical.axis.metres() {
                1.0 => Self::Kept,
                metres => Self::Counted(metres),
            });
        }
        if !register::is_high(code) {
            return Ok(Self::Kept);
        }
        let system = PureRust::new(code)?;
        let is_moved = [[0.0, 0.0], [90.0, 0.0], [0.0, 90.0]].into_iter().any(|[lon, lat]| {
            system.project_high([lon, lat, 0.0]).is_ok_and(|[.., height]| height.abs() > SAME)
        });
        Ok(if is_moved { Self::Ellipsoidal(Arc::new(system)) } else { Self::Kept })
    }
}

/// A height to a thousandth of a millimetre: digits beyond are noise of arithmetic.
fn tidy(height: f64) -> f64 {
    (height * 1e6).round() / 1e6
}

impl Crs {
    /// Whether third coordinates are metres up, as they are in WGS 84, so that there is nothing to compute.
    pub fn keeps_heights(&self) -> bool {
        matches!(self.heights, Heights::Kept)
    }

    /// A position of this system with its third coordinate as `[longitude, latitude, height]`, the height in metres up.
    ///
    /// ```
    /// use cardo_spatial::Crs;
    ///
    /// // Positions and heights of Maine, both in feet of the survey.
    /// let crs = Crs::from_uri("http://www.opengis.net/def/crs/EPSG/0/8746")?;
    /// let [.., height] = crs.to_wgs84_high([2_926_603.83, 526_961.68, 3937.0])?;
    /// assert_eq!(height, 1200.0);
    /// # Ok::<(), cardo_spatial::CrsError>(())
    /// ```
    pub fn to_wgs84_high(&self, [first, second, third]: [f64; 3]) -> Result<[f64; 3], CrsError> {
        let [x, y] = self.east_north([first, second]);
        match &self.heights {
            Heights::Ellipsoidal(system) => {
                let [lon, lat, height] = system.to_wgs84_high([x, y, third])?;
                Ok([lon, lat, self.checked(tidy(height), [x, y], "from")?])
            }
            Heights::Counted(metres) => {
                let [lon, lat] = self.to_wgs84([first, second])?;
                Ok([lon, lat, self.checked(tidy(third * metres), [x, y], "from")?])
            }
            Heights::Kept => {
                let [lon, lat] = self.to_wgs84([first, second])?;
                Ok([lon, lat, third])
            }
        }
    }

    /// `[longitude, latitude, height]` as a position of this system with its third coordinate.
    pub fn project_high(&self, [lon, lat, height]: [f64; 3]) -> Result<[f64; 3], CrsError> {
        match &self.heights {
            Heights::Ellipsoidal(system) => {
                let [x, y, third] = system.project_high([lon, lat, height])?;
                let [first, second] = self.east_north([x, y]);
                Ok([first, second, self.checked(tidy(third), [lon, lat], "to")?])
            }
            Heights::Counted(metres) => {
                let [first, second] = self.project([lon, lat])?;
                Ok([first, second, self.checked(tidy(height / metres), [lon, lat], "to")?])
            }
            Heights::Kept => {
                let [first, second] = self.project([lon, lat])?;
                Ok([first, second, height])
            }
        }
    }

    fn checked(&self, height: f64, position: [f64; 2], way: &'static str) -> Result<f64, CrsError> {
        let code = self.epsg().unwrap_or_default();
        let is_one = height.is_finite();
        is_one.then_some(height).ok_or(CrsError::Position { position, way, code })
    }

    /// The heights in metres that a box of this system reaches from and to, whose third coordinates run between two
    /// numbers. Above an ellipsoid that lies elsewhere they are those of all its corners.
    pub fn heights_of_box(
        &self,
        low: [f64; 2],
        high: [f64; 2],
        thirds: [f64; 2],
    ) -> Result<[f64; 2], CrsError> {
        if self.keeps_heights() {
            return Ok(thirds);
        }
        let corners = [low, high, [low[0], high[1]], [high[0], low[1]]];
        let mut range = [f64::INFINITY, f64::NEG_INFINITY];
        for [first, second] in corners {
            for third in thirds {
                let height = match &self.heights {
                    // The first two coordinates make no difference, be there a place or not.
                    Heights::Counted(metres) => tidy(third * metres),
                    _ => self.to_wgs84_high([first, second, third])?[2],
                };
                range = [range[0].min(height), range[1].max(height)];
            }
        }
        Ok(range)
    }

    /// A geometry and the heights of its positions, one each or none, as [`place`](Crs::place) places positions.
    pub fn place_with_heights(
        &self,
        geometry: &Geometry<f64>,
        heights: &[f64],
    ) -> Result<(Geometry<f64>, Vec<f64>), CrsError> {
        if heights.is_empty() || self.keeps_heights() {
            return Ok((self.place_geometry(geometry)?, heights.to_vec()));
        }
        with_heights(geometry, heights, |position| {
            let [lon, lat, height] = self.to_wgs84_high(position)?;
            let [lon, lat] = [lon, lat].map(|axis| (axis * 1e9).round() / 1e9);
            Ok([lon, lat, height])
        })
    }

    /// A WGS 84 geometry and the heights of its positions, one each or none, in this system.
    pub fn project_with_heights(
        &self,
        geometry: &Geometry<f64>,
        heights: &[f64],
    ) -> Result<(Geometry<f64>, Vec<f64>), CrsError> {
        if heights.is_empty() || self.keeps_heights() {
            return Ok((self.project_geometry(geometry)?, heights.to_vec()));
        }
        with_heights(geometry, heights, |place| self.project_high(place))
    }
}

/// Moves positions with their heights, which come in the same order.
fn with_heights(
    geometry: &Geometry<f64>,
    heights: &[f64],
    work: impl Fn([f64; 3]) -> Result<[f64; 3], CrsError>,
) -> Result<(Geometry<f64>, Vec<f64>), CrsError> {
    let given = std::cell::RefCell::new(heights.iter());
    let moved = std::cell::RefCell::new(Vec::with_capacity(heights.len()));
    let shape = geometry.try_map_coords(|Coord { x, y }| {
        let height = given.borrow_mut().next().copied().unwrap_or_default();
        let [x, y, height] = work([x, y, height])?;
        moved.borrow_mut().push(height);
        Ok::<_, CrsError>(Coord { x, y })
    })?;
    Ok((shape, moved.into_inner()))
}
