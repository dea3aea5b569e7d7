//! Transformations by the PROJ library, whose database is part of the binary.

use std::cell::RefCell;
use std::collections::HashMap;

use proj::Proj;

use super::{CrsError, Transform, checked_finite, checked_wgs84};

/// How many reference systems a thread keeps ready.
const KEPT: usize = 32;

/// To WGS 84 and back; objects of PROJ belong to the thread that made them.
type Pair = (Proj, Proj);

thread_local! {
    static READY: RefCell<HashMap<u32, Pair>> = RefCell::new(HashMap::new());
}

/// A reference system computed by PROJ.
#[derive(Clone, Debug)]
pub struct ProjLibrary {
    code: u32,
}

impl ProjLibrary {
    /// The horizontal reference system of an EPSG code.
    pub fn new(code: u32) -> Result<Self, CrsError> {
        let system = Self { code };
        system.with(|_| ()).map(|()| system)
    }

    fn with<T>(&self, work: impl FnOnce(&Pair) -> T) -> Result<T, CrsError> {
        READY.with_borrow_mut(|ready| {
            if !ready.contains_key(&self.code) {
                let pair = open(self.code).ok_or(CrsError::Unknown(self.code))?;
                if ready.len() >= KEPT {
                    ready.clear();
                }
                ready.insert(self.code, pair);
            }
            ready.get(&self.code).map(work).ok_or(CrsError::Unknown(self.code))
        })
    }
}

/// PROJ's bindings put east before north on both sides.
fn open(code: u32) -> Option<Pair> {
    let name = format!("EPSG:{code}");
    let to = Proj::new_known_crs(&name, "EPSG:4326", None).ok()?;
    let from = Proj::new_known_crs("EPSG:4326", &name, None).ok()?;
    Some((to, from))
}

impl Transform for ProjLibrary {
    fn to_wgs84(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError> {
        let result = self.with(|(to, _)| to.convert((position[0], position[1])))?;
        let (lon, lat) = result.unwrap_or((f64::NAN, f64::NAN));
        checked_wgs84([lon, lat], position, self.code)
    }

    fn project(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError> {
        let result = self.with(|(_, from)| from.convert((position[0], position[1])))?;
        let (east, north) = result.unwrap_or((f64::NAN, f64::NAN));
        checked_finite([east, north], position, self.code)
    }
}
