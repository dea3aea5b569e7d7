//! Transformations in Rust, from PROJ strings that are built in.

use std::borrow::Cow;

use crs_definitions::Def;
use proj4rs::Proj;
use proj4rs::transform::transform;

use super::{CrsError, Transform, checked_finite, checked_wgs84, definitions, register, returns};

/// A word of our own: a geographic system that counts in grads, of which a right angle has a hundred.
const GRADS: &str = " +angle=grad";

/// A reference system computed without any library of another language.
#[derive(Clone)]
pub struct PureRust {
    code: u32,
    from: Proj,
    wgs84: Proj,
    /// How many radians an angle of one is.
    angle: f64,
}

impl PureRust {
    /// The horizontal reference system of an EPSG code; those whose definition is too rough are refused.
    pub fn new(code: u32) -> Result<Self, CrsError> {
        if register::is_rough(code) {
            return Err(CrsError::NeedsProj(code));
        }
        let unknown = |_| CrsError::Unknown(code);
        let words = words(code).ok_or(CrsError::Unknown(code))?;
        let right = if words.contains(GRADS) { 100.0 } else { 90.0 };
        Ok(Self {
            code,
            from: Proj::from_proj_string(&words.replace(GRADS, "")).map_err(unknown)?,
            wgs84: Proj::from_proj_string("+proj=longlat +datum=WGS84 +no_defs")
                .map_err(unknown)?,
            angle: std::f64::consts::FRAC_PI_2 / right,
        })
    }

    /// Longitude and latitude of a position with its height, and its height above the ellipsoid of WGS 84.
    pub(super) fn to_wgs84_high(&self, position: [f64; 3]) -> Result<[f64; 3], CrsError> {
        let [lon, lat, height] = self.back(position).unwrap_or([f64::NAN; 3]);
        let [lon, lat] = checked_wgs84([lon, lat], [position[0], position[1]], self.code)?;
        Ok([lon, lat, height])
    }

    /// The way back of [`to_wgs84_high`](Self::to_wgs84_high).
    pub(super) fn project_high(&self, place: [f64; 3]) -> Result<[f64; 3], CrsError> {
        let [x, y, height] = self.there(place).unwrap_or([f64::NAN; 3]);
        let [x, y] = checked_finite([x, y], [place[0], place[1]], self.code)?;
        Ok([x, y, height])
    }

    fn back(&self, [x, y, height]: [f64; 3]) -> Option<[f64; 3]> {
        let angle = if self.from.is_latlong() { self.angle } else { 1.0 };
        let mut point = (x * angle, y * angle, height);
        transform(&self.from, &self.wgs84, &mut point).ok()?;
        Some([point.0.to_degrees(), point.1.to_degrees(), point.2])
    }

    fn there(&self, [lon, lat, height]: [f64; 3]) -> Option<[f64; 3]> {
        let mut point = (lon.to_radians(), lat.to_radians(), height);
        transform(&self.wgs84, &self.from, &mut point).ok()?;
        let angle = if self.from.is_latlong() { self.angle } else { 1.0 };
        Some([point.0 / angle, point.1 / angle, point.2])
    }
}

impl Transform for PureRust {
    fn to_wgs84(&self, [x, y]: [f64; 2]) -> Result<[f64; 2], CrsError> {
        self.to_wgs84_high([x, y, 0.0]).map(|[lon, lat, _]| [lon, lat])
    }

    fn project(&self, [lon, lat]: [f64; 2]) -> Result<[f64; 2], CrsError> {
        self.project_high([lon, lat, 0.0]).map(|[x, y, _]| [x, y])
    }

    fn project_all(&self, positions: &mut [[f64; 2]]) -> Result<(), CrsError> {
        // Nothing tells where the definitions hold, but that they hold both ways.
        for position in positions {
            let found = self.project(*position)?;
            let back = self.back([found[0], found[1], 0.0]);
            if !back.is_some_and(|[lon, lat, _]| returns([lon, lat], *position)) {
                return Err(CrsError::Position { position: *position, way: "to", code: self.code });
            }
            *position = found;
        }
        Ok(())
    }
}

impl std::fmt::Debug for PureRust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PureRust(EPSG:{})", self.code)
    }
}

/// The definition of a code that comes with a library.
pub(super) fn definition(code: u32) -> Option<Def> {
    crs_definitions::from_code(u16::try_from(code).ok()?)
}

/// The system of a code as a string of PROJ.
pub(super) fn words(code: u32) -> Option<Cow<'static, str>> {
    let own = definitions::of(code).map(Cow::Owned);
    let known = || definition(code).map(|known| Cow::Borrowed(known.proj4));
    own.or_else(known).filter(|words| !words.contains("+proj=geocent"))
}
