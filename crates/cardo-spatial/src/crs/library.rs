//! Transformations by the PROJ library, whose database is part of the binary.

use std::cell::RefCell;
use std::collections::HashMap;

use proj::{Area, Proj};

use super::{CrsError, Transform, checked_finite, checked_wgs84, returns};

/// How many reference systems a thread keeps ready.
const KEPT: usize = 32;

/// To WGS 84 and back; objects of PROJ belong to the thread that made them.
struct Pair {
    to: Proj,
    from: Proj,
    /// Where the authority says that the system is used.
    area: Option<Area>,
}

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
    let area = Proj::new(&name).ok().and_then(|crs| crs.area_of_use().ok()?.0);
    Some(Pair { to, from, area })
}

/// The system of a code as the database of PROJ describes it.
pub(super) fn projjson(code: u32) -> Option<serde_json::Value> {
    let system = Proj::new(&format!("EPSG:{code}")).ok()?;
    serde_json::from_str(&system.to_projjson(Some(false), None, None).ok()?).ok()
}

/// Whether a position lies where a system is used, or a little beside.
fn is_at_home(area: Option<&Area>, [lon, lat]: [f64; 2]) -> bool {
    const BESIDE: f64 = 1.0;
    area.is_some_and(|area| {
        let is_between = (area.west - BESIDE..=area.east + BESIDE).contains(&lon);
        is_between && (area.south - BESIDE..=area.north + BESIDE).contains(&lat)
    })
}

fn run(proj: &Proj, [x, y]: [f64; 2]) -> [f64; 2] {
    let (x, y) = proj.convert((x, y)).unwrap_or((f64::NAN, f64::NAN));
    [x, y]
}

impl Transform for ProjLibrary {
    fn to_wgs84(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError> {
        let result = self.with(|pair| run(&pair.to, position))?;
        checked_wgs84(result, position, self.code)
    }

    fn project(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError> {
        let result = self.with(|pair| run(&pair.from, position))?;
        checked_finite(result, position, self.code)
    }

    fn project_all(&self, positions: &mut [[f64; 2]]) -> Result<(), CrsError> {
        self.with(|pair| {
            for position in positions {
                let found = checked_finite(run(&pair.from, *position), *position, self.code)?;
                // Far from home a formula may have a result that means nothing.
                let is_right = is_at_home(pair.area.as_ref(), *position)
                    || returns(run(&pair.to, found), *position);
                if !is_right {
                    let (position, code) = (*position, self.code);
                    return Err(CrsError::Position { position, way: "to", code });
                }
                *position = found;
            }
            Ok(())
        })?
    }
}
