//! Coordinate reference systems at the edges; inside all is WGS 84 longitude and latitude.

mod composed;
mod compound;
mod definitions;
mod described;
mod drawn;
mod heights;
#[cfg(feature = "proj")]
mod library;
mod mercator;
mod name;
mod projjson;
mod pure;
mod recognize;
mod register;
mod urban;
mod vertical;
mod wkt;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use geo::MapCoords;
use geo_types::{Coord, Geometry};
use thiserror::Error;

#[cfg(feature = "proj")]
pub use library::ProjLibrary;
pub use pure::PureRust;
pub use recognize::Doubt;

use heights::Heights;

/// Horizontal positions of one reference system to WGS 84 and back, both as `[east, north]`.
pub trait Transform: fmt::Debug + Send + Sync {
    /// From the reference system to `[longitude, latitude]` in degrees.
    fn to_wgs84(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError>;

    /// From `[longitude, latitude]` in degrees to the reference system.
    fn project(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError>;

    /// The same for many positions, in place; refuses those that the reference system has no place for: they would not
    /// come back to themselves.
    fn project_all(&self, positions: &mut [[f64; 2]]) -> Result<(), CrsError>;
}

/// Why a reference system or a position in it is refused.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum CrsError {
    /// The text names no reference system in any form known here.
    #[error("{0:?} does not name a coordinate reference system; try EPSG:3067 or CRS84")]
    Name(String),
    /// There is no horizontal reference system of this code.
    #[error("EPSG:{0} is not a known horizontal coordinate reference system")]
    Unknown(u32),
    /// The definitions that are built in are too rough for this code.
    #[error("EPSG:{0} is computed by the PROJ library alone, which this build is without")]
    NeedsProj(u32),
    /// The system is one of heights alone, of the middle of the Earth, or of a place with no position on it.
    #[error(
        "EPSG:{0} is no coordinate reference system of positions on the ground, with heights or without"
    )]
    NotHorizontal(u32),
    /// What is built in does not suffice to describe this system to others.
    #[error("EPSG:{0} is described by the PROJ library alone, which this build is without")]
    NotDescribed(u32),
    /// A box ends before it begins.
    #[error("the lower corner has {low} where the upper one has {high}, which is less")]
    Box {
        /// The number of the lower corner.
        low: f64,
        /// That of the upper corner.
        high: f64,
    },
    /// A position has no counterpart.
    #[error("position [{}, {}] cannot be transformed {way} EPSG:{code}", position[0], position[1])]
    Position {
        /// The position as given, east before north.
        position: [f64; 2],
        /// `from` or `to` the reference system.
        way: &'static str,
        /// The code of the reference system.
        code: u32,
    },
}

/// In which order the two coordinates of a position come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AxisOrder {
    /// East (longitude) before north (latitude), as files nearly always have it.
    #[default]
    EastNorth,
    /// As the authority defines the system: often north before east, as OGC services ask.
    Authority,
}

/// A coordinate reference system.
///
/// Without the feature `proj`, transformations are computed in Rust from definitions that are built in: about 7,000
/// EPSG codes, exact to millimetres for what datum shifts of seven parameters can express. With it they are computed by
/// the PROJ library, with its database built in too.
///
/// A compound system, such as EPSG:7415, is that of its positions on the ground; its heights are carried as third
/// coordinates in their own unit and direction, and no grid of a geoid is applied to them.
///
/// ```
/// use cardo_spatial::Crs;
///
/// let helsinki = Crs::from_user("EPSG:3879")?;
/// let [lon, lat] = helsinki.to_wgs84([25_496_580.36, 6_673_003.61])?;
/// assert!((lon - 24.9384).abs() < 1e-6 && (lat - 60.1699).abs() < 1e-6);
/// # Ok::<(), cardo_spatial::CrsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Crs {
    code: Code,
    swapped: bool,
    /// `None` where positions are WGS 84 already.
    transform: Option<Arc<dyn Transform>>,
    heights: Heights,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    Crs84,
    Epsg(u32),
}

impl Code {
    fn uri(self) -> String {
        match self {
            Self::Crs84 => "http://www.opengis.net/def/crs/OGC/1.3/CRS84".to_owned(),
            Self::Epsg(code) => format!("http://www.opengis.net/def/crs/EPSG/0/{code}"),
        }
    }
}

impl Crs {
    /// WGS 84, longitude before latitude: the reference system of GeoJSON.
    pub const CRS84: Self =
        Self { code: Code::Crs84, swapped: false, transform: None, heights: Heights::Kept };

    /// The system of an EPSG code, its positions in the order east, north.
    pub fn from_epsg(code: u32) -> Result<Self, CrsError> {
        let transform: Option<Arc<dyn Transform>> = match ground(code) {
            4326 | 4979 => None,
            mercator::CODE => Some(Arc::new(mercator::WebMercator)),
            ground => Some(opened(ground)?),
        };
        let heights = Heights::of(code)?;
        Ok(Self { code: Code::Epsg(code), swapped: false, transform, heights })
    }

    /// The system that a URI or a safe CURIE names, its positions in the order that the authority defines:
    /// `http://www.opengis.net/def/crs/EPSG/0/3067`, `urn:ogc:def:crs:EPSG::3067`, `[EPSG:3067]`, and the same of CRS84.
    ///
    /// Systems of heights alone and of the middle of the Earth are refused.
    pub fn from_uri(text: &str) -> Result<Self, CrsError> {
        let unknown = || CrsError::Name(text.chars().take(200).collect());
        match name::parse_uri(text).ok_or_else(unknown)? {
            Code::Crs84 => Ok(Self::CRS84),
            Code::Epsg(code) if register::is_horizontal(ground(code)) => {
                Ok(Self::from_epsg(code)?.with_axes(AxisOrder::Authority))
            }
            // What is newer than the register is unknown, too.
            Code::Epsg(code) => Err(CrsError::NotHorizontal(code)),
        }
    }

    /// The system that a user names, its positions in the order east, north.
    ///
    /// Understood are `EPSG:3879` or the bare number, `urn:ogc:def:crs:EPSG::3879`,
    /// `http://www.opengis.net/def/crs/EPSG/0/3879`, the forms of CRS84, the name that EPSG gives a system, and
    /// well-known text of a system that is in the EPSG dataset, by the code it carries or by its parameters.
    pub fn from_user(text: &str) -> Result<Self, CrsError> {
        let is_wkt = text.contains(['[', '(']) && text.contains('"');
        let code = match name::parse(text) {
            None if is_wkt => recognize::from_wkt(text),
            None => recognize::from_name(text),
            code => code,
        };
        match code {
            Some(Code::Crs84) => Ok(Self::CRS84),
            Some(Code::Epsg(code)) => Self::from_epsg(code),
            None => Err(CrsError::Name(text.chars().take(200).collect())),
        }
    }

    /// The same system with the coordinates of its positions in another order.
    #[must_use]
    pub fn with_axes(self, order: AxisOrder) -> Self {
        let swapped = match (order, self.code) {
            (AxisOrder::EastNorth, _) | (_, Code::Crs84) => false,
            (AxisOrder::Authority, Code::Epsg(code)) => register::is_swapped(ground(code)),
        };
        Self { swapped, ..self }
    }

    /// The codes of systems of positions on the ground that can be computed, and behind them those of the same with
    /// heights of their own.
    pub fn codes() -> impl Iterator<Item = u32> {
        let all = register::horizontal_codes().chain(compound::codes());
        all.filter(|code| is_computed(ground(*code)))
    }

    /// The EPSG code; `None` for CRS84.
    pub fn epsg(&self) -> Option<u32> {
        match self.code {
            Code::Crs84 => None,
            Code::Epsg(code) => Some(code),
        }
    }

    /// The URI by which OGC names the system.
    pub fn uri(&self) -> String {
        self.code.uri()
    }

    /// The URI of the system that a URI, a safe CURIE or any other short name means, whether or not there is one.
    pub fn uri_of(text: &str) -> Option<String> {
        name::parse_uri(text).or_else(|| name::parse(text)).map(Code::uri)
    }

    /// The EPSG code of the system of positions on the ground, whatever heights it is put together with; `None` for CRS84.
    pub fn ground(&self) -> Option<u32> {
        self.epsg().map(ground)
    }

    /// The well-known text of the system (OGC 01-009), where it is among the definitions that are built in.
    pub fn to_wkt(&self) -> Option<Cow<'static, str>> {
        described::wkt(self.epsg().unwrap_or(4326))
    }

    /// The system as PROJJSON; `None` for CRS84. The axes are in the order of the authority.
    pub fn to_projjson(&self) -> Result<Option<serde_json::Value>, CrsError> {
        let Some(code) = self.epsg() else { return Ok(None) };
        described::projjson(code).map(Some).ok_or(CrsError::NotDescribed(code))
    }

    /// Whether positions are WGS 84 longitude and latitude as they stand, and heights in metres.
    pub fn is_lon_lat(&self) -> bool {
        self.transform.is_none() && !self.swapped && self.keeps_heights()
    }

    /// Whether coordinates are longitudes and latitudes.
    pub fn is_geographic(&self) -> bool {
        match self.code {
            Code::Crs84 => true,
            Code::Epsg(code) => register::is_geographic(ground(code)),
        }
    }

    /// A position of this system with east (longitude) before north (latitude).
    pub fn east_north(&self, [first, second]: [f64; 2]) -> [f64; 2] {
        if self.swapped { [second, first] } else { [first, second] }
    }

    /// A position of this system as `[longitude, latitude]`.
    pub fn to_wgs84(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError> {
        let position = self.east_north(position);
        match &self.transform {
            Some(transform) => transform.to_wgs84(position),
            None => Ok(position),
        }
    }

    /// The same to nine decimals of a degree: they are a tenth of a millimetre, and digits beyond them noise.
    pub fn place(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError> {
        Ok(self.to_wgs84(position)?.map(|axis| (axis * 1e9).round() / 1e9))
    }

    /// `[longitude, latitude]` as a position of this system.
    pub fn project(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError> {
        let [x, y] = match &self.transform {
            Some(transform) => transform.project(position)?,
            None => position,
        };
        Ok(if self.swapped { [y, x] } else { [x, y] })
    }

    /// Many positions of `[longitude, latitude]` as positions of this system, in place. Where one is refused, the others
    /// are left in any state.
    ///
    /// Unlike [`Crs::project`], this refuses positions that the system has no place for, even where a formula has a
    /// result.
    pub fn project_all(&self, positions: &mut [[f64; 2]]) -> Result<(), CrsError> {
        if let Some(transform) = &self.transform {
            transform.project_all(positions)?;
        }
        if self.swapped {
            for position in positions {
                position.swap(0, 1);
            }
        }
        Ok(())
    }

    /// Refuses a position that this system has no place for although a formula found one: it would not come back.
    pub fn check(&self, position: [f64; 2], place: [f64; 2]) -> Result<(), CrsError> {
        let Some(code) = self.epsg().filter(|_| self.transform.is_some()) else { return Ok(()) };
        let mut back = [place];
        let is_placed = self.project_all(&mut back).is_ok();
        let is_near = |axis: usize| (back[0][axis] - position[axis]).abs() <= SAME_PLACE;
        // Longitudes may have been turned around the Earth.
        if is_placed && (self.is_geographic() || is_near(0) && is_near(1)) {
            return Ok(());
        }
        Err(CrsError::Position { position: self.east_north(position), way: "from", code })
    }

    /// A geometry of this system in WGS 84 longitude and latitude.
    pub fn geometry_to_wgs84(&self, geometry: &Geometry<f64>) -> Result<Geometry<f64>, CrsError> {
        geometry.try_map_coords(|c| self.to_wgs84([c.x, c.y]).map(Coord::from))
    }

    /// A geometry as [`place`](Crs::place) places positions.
    pub fn place_geometry(&self, geometry: &Geometry<f64>) -> Result<Geometry<f64>, CrsError> {
        geometry.try_map_coords(|c| self.place([c.x, c.y]).map(Coord::from))
    }

    /// A WGS 84 geometry in this system.
    pub fn project_geometry(&self, geometry: &Geometry<f64>) -> Result<Geometry<f64>, CrsError> {
        geometry.try_map_coords(|c| self.project([c.x, c.y]).map(Coord::from))
    }
}

/// The code of the positions on the ground of a system that may be compound.
fn ground(code: u32) -> u32 {
    compound::parts(code).map_or(code, |parts| parts.ground)
}

/// What computes a system; PROJ does not know what is younger than its database.
fn opened(code: u32) -> Result<Arc<dyn Transform>, CrsError> {
    #[cfg(feature = "proj")]
    if let Ok(system) = ProjLibrary::new(code) {
        return Ok(Arc::new(system));
    }
    if let Some(city) = urban::ColombiaUrban::new(code) {
        return Ok(Arc::new(city));
    }
    Ok(Arc::new(PureRust::new(code)?))
}

/// Whether a code is likely to be computed, told without opening it where that takes long.
fn is_computed(code: u32) -> bool {
    if cfg!(feature = "proj") {
        return register::is_rough(code) || pure::words(code).is_some();
    }
    urban::has(code) || PureRust::new(code).is_ok()
}

impl PartialEq for Crs {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code && self.swapped == other.swapped
    }
}

impl fmt::Display for Crs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Code::Crs84 => f.write_str("OGC:CRS84"),
            Code::Epsg(code) => write!(f, "EPSG:{code}"),
        }
    }
}

/// Accepts a WGS 84 position only if it is one; longitudes a hair beyond the antimeridian are brought back.
fn checked_wgs84(result: [f64; 2], position: [f64; 2], code: u32) -> Result<[f64; 2], CrsError> {
    let [mut lon, lat] = result;
    if lon.abs() > 180.0 && lon.abs() <= 540.0 {
        lon -= 360.0 * lon.signum();
    }
    if lon.is_finite() && lat.is_finite() && lon.abs() <= 180.0 && lat.abs() <= 90.0 {
        Ok([lon, lat])
    } else {
        Err(CrsError::Position { position, way: "from", code })
    }
}

/// What comes back farther from itself was outside the projection, in units of the system.
const SAME_PLACE: f64 = 10.0;

/// No place on Earth is farther from the origin of a system, in metres or feet: what is comes of a pole that a
/// projection puts at infinity.
const FARTHEST: f64 = 1.5e8;

fn checked_finite(result: [f64; 2], position: [f64; 2], code: u32) -> Result<[f64; 2], CrsError> {
    if result.iter().all(|value| value.abs() <= FARTHEST) {
        Ok(result)
    } else {
        Err(CrsError::Position { position, way: "to", code })
    }
}

/// How far a position may come back from where it was, in degrees: a few metres.
const RETURN: f64 = 3e-5;

/// Whether a position that came back is the one that went, wherever the antimeridian runs.
fn returns([lon, lat]: [f64; 2], [west, south]: [f64; 2]) -> bool {
    let turned = (lon - west + 540.0).rem_euclid(360.0) - 180.0;
    // Meridians meet at the poles.
    (lat - south).abs() <= RETURN && turned.abs() * south.to_radians().cos() <= RETURN
}
