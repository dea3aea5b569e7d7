//! Transformations in Rust, from PROJ strings that are built in.

use crs_definitions::Def;
use proj4rs::Proj;
use proj4rs::transform::transform;

use super::{CrsError, Transform, checked_finite, checked_wgs84, register, returns};

/// Datum shifts that replace the built-in ones, which differ from those EPSG recommends today: the rotations of
/// Romania's turn the other way, and for Czechia and Slovakia a shift of three parameters stands for one of seven.
const SHIFTS: [(u32, &str); 2] = [
    (3844, "+towgs84=2.329,-147.042,-92.08,-0.309,0.325,0.497,5.69"),
    (5514, "+towgs84=570.8,85.7,462.8,4.998,1.587,5.261,3.56"),
];

/// A reference system computed without any library of another language.
#[derive(Clone)]
pub struct PureRust {
    code: u32,
    from: Proj,
    wgs84: Proj,
}

impl PureRust {
    /// The horizontal reference system of an EPSG code; those whose definition is too rough are refused.
    pub fn new(code: u32) -> Result<Self, CrsError> {
        if register::is_rough(code) {
            return Err(CrsError::NeedsProj(code));
        }
        let unknown = |_| CrsError::Unknown(code);
        let definition = definition(code).filter(|def| !def.proj4.contains("+proj=geocent"));
        let definition = definition.ok_or(CrsError::Unknown(code))?;
        Ok(Self {
            code,
            from: Proj::from_proj_string(&with_shift(code, definition.proj4)).map_err(unknown)?,
            wgs84: Proj::from_proj_string("+proj=longlat +datum=WGS84 +no_defs")
                .map_err(unknown)?,
        })
    }

    /// Whether the code can be computed.
    #[cfg(not(feature = "proj"))]
    pub(super) fn has(code: u32) -> bool {
        Self::new(code).is_ok()
    }

    fn run(from: &Proj, to: &Proj, position: [f64; 2]) -> Option<[f64; 2]> {
        let mut point = (position[0], position[1], 0.0);
        if from.is_latlong() {
            point = (point.0.to_radians(), point.1.to_radians(), 0.0);
        }
        transform(from, to, &mut point).ok()?;
        Some(if to.is_latlong() {
            [point.0.to_degrees(), point.1.to_degrees()]
        } else {
            [point.0, point.1]
        })
    }
}

impl Transform for PureRust {
    fn to_wgs84(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError> {
        let result = Self::run(&self.from, &self.wgs84, position).unwrap_or([f64::NAN; 2]);
        checked_wgs84(result, position, self.code)
    }

    fn project(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError> {
        let result = Self::run(&self.wgs84, &self.from, position).unwrap_or([f64::NAN; 2]);
        checked_finite(result, position, self.code)
    }

    fn project_all(&self, positions: &mut [[f64; 2]]) -> Result<(), CrsError> {
        // Nothing tells where the definitions hold, but that they hold both ways.
        for position in positions {
            let found = self.project(*position)?;
            let back = Self::run(&self.from, &self.wgs84, found);
            if !back.is_some_and(|back| returns(back, *position)) {
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

/// The built-in definition of a code.
pub(super) fn definition(code: u32) -> Option<Def> {
    crs_definitions::from_code(u16::try_from(code).ok()?)
}

fn with_shift(code: u32, definition: &str) -> String {
    let Some((_, shift)) = SHIFTS.iter().find(|(shifted, _)| *shifted == code) else {
        return definition.to_owned();
    };
    let words =
        definition.split(' ').map(|word| if word.starts_with("+towgs84=") { shift } else { word });
    words.collect::<Vec<_>>().join(" ")
}
