//! The web's map, whose formulas are two lines.

use std::f64::consts::PI;

use super::{CrsError, Transform, checked_finite, checked_wgs84};

/// EPSG:3857.
pub(super) const CODE: u32 = 3857;
/// From the middle of the map to its east.
pub(super) const HALF: f64 = 6_378_137.0 * PI;

/// The spherical Mercator projection of the web's maps; nothing is in its way, so it is far quicker than in general.
#[derive(Clone, Debug)]
pub(super) struct WebMercator;

/// The latitude of a northing.
pub(super) fn latitude(north: f64) -> f64 {
    (north / HALF * PI).sinh().atan().to_degrees()
}

impl Transform for WebMercator {
    fn to_wgs84(&self, [east, north]: [f64; 2]) -> Result<[f64; 2], CrsError> {
        checked_wgs84([east / HALF * 180.0, latitude(north)], [east, north], CODE)
    }

    fn project(&self, [lon, lat]: [f64; 2]) -> Result<[f64; 2], CrsError> {
        // The poles lie at infinity, which numbers only come near to.
        let north = lat.to_radians().tan().asinh() / PI * HALF;
        checked_finite([lon / 180.0 * HALF, north], [lon, lat], CODE)
    }

    fn project_all(&self, positions: &mut [[f64; 2]]) -> Result<(), CrsError> {
        for position in positions {
            *position = self.project(*position)?;
        }
        Ok(())
    }
}
