//! Which system of the EPSG dataset a text describes, and whether coordinates can be of a system.

use std::cmp::Reverse;
use std::fmt;

use super::compound::{self, Parts};
use super::wkt::{Description, Node, plain};
use super::{Code, Crs, pure};

/// Codes of the built-in definitions.
const CODES: std::ops::RangeInclusive<u32> = 1_024..=32_767;
const WEB_MERCATOR: u32 = 3857;

/// The EPSG code of what a well-known text describes: the code it gives itself, else that of the system of the same
/// name or the same projection and datum.
pub(super) fn from_wkt(text: &str) -> Option<Code> {
    if let Some(code) = compound_of(text) {
        return Some(Code::Epsg(code));
    }
    let described = Description::parse(text)?;
    if let Some(code) = described.code {
        return Some(Code::Epsg(code));
    }
    if plain(&described.name).contains("webmercator")
        || plain(&described.name).contains("pseudomercator")
    {
        return Some(Code::Epsg(WEB_MERCATOR));
    }
    let start = if described.is_projected { "PROJCS" } else { "GEOGCS" };
    let same = CODES.filter_map(|code| {
        let definition = pure::definition(code).filter(|def| def.wkt.starts_with(start))?;
        let known = Description::parse(definition.wkt)?;
        let is_same = known.is_same_system(&described);
        // What is deprecated, or fits the name less, comes second.
        is_same.then(|| {
            let is_old = known.name.contains("deprecated");
            let is_named = plain(&known.name) == plain(&described.name);
            (is_old, !is_named, Reverse(known.shared_words(&described)), known.words(), code)
        })
    });
    same.min().map(|(.., code)| Code::Epsg(code))
}

/// The code of the compound system that a text describes: the one it gives itself, else that of its two parts.
fn compound_of(text: &str) -> Option<u32> {
    let node = Node::parse(text).filter(|node| node.is(&["COMPD_CS", "COMPOUNDCRS"]))?;
    let own = node.epsg().filter(|code| compound::parts(*code).is_some());
    own.or_else(|| {
        let mut parts = node.nodes().filter_map(Node::epsg);
        compound::of(Parts { ground: parts.next()?, heights: parts.next()? })
    })
}

/// The EPSG code of the system that is called like this.
pub(super) fn from_name(name: &str) -> Option<Code> {
    let wanted = plain(name);
    let has_name = |code: &u32| {
        let known = pure::definition(*code).and_then(|def| def.wkt.split('"').nth(1));
        known.is_some_and(|known| plain(known) == wanted)
    };
    // Bare words are too short to be a name, and digits are a code.
    if wanted.len() < 5 || wanted.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    CODES.into_iter().find(has_name).map(Code::Epsg)
}

/// Why a position is hardly one of a reference system.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Doubt {
    /// It looks like degrees, and the system counts in metres or feet.
    Degrees,
    /// It is beyond what degrees can be, and the system counts in degrees.
    NotDegrees,
    /// It lies where the system has no place, or far outside the region that it is made for.
    OutOfRange,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Degrees => "look like longitude and latitude in degrees",
            Self::NotDegrees => "are no longitude and latitude in degrees",
            Self::OutOfRange => "lie far outside the region of that system",
        })
    }
}

/// Farther from its central meridian, in degrees, no Transverse Mercator system is used.
const REACH: f64 = 25.0;

impl Crs {
    /// Why a position, east before north, is hardly one of this system; none where it may be.
    pub fn doubt(&self, [x, y]: [f64; 2]) -> Option<Doubt> {
        if self.transform.is_none() || self.is_geographic() {
            return (x.abs() > 360.0 || y.abs() > 90.0).then_some(Doubt::NotDegrees);
        }
        if x.abs() <= 180.0 && y.abs() <= 90.0 {
            return Some(Doubt::Degrees);
        }
        let Ok([lon, lat]) = self.to_wgs84([x, y]) else { return Some(Doubt::OutOfRange) };
        if let Some(meridian) = self.ground().and_then(central_meridian) {
            let apart = (lon - meridian + 540.0).rem_euclid(360.0) - 180.0;
            if apart.abs() > REACH {
                return Some(Doubt::OutOfRange);
            }
        }
        self.check([x, y], [lon, lat]).is_err().then_some(Doubt::OutOfRange)
    }
}

/// The central meridian of a Transverse Mercator system.
fn central_meridian(code: u32) -> Option<f64> {
    let definition = pure::words(code)?;
    let word = |key: &str| definition.split(' ').find_map(|word| word.strip_prefix(key));
    match word("+proj=")? {
        "utm" => Some(f64::from(word("+zone=")?.parse::<u8>().ok()?) * 6.0 - 183.0),
        "tmerc" => word("+lon_0=").map_or(Some(0.0), |lon| lon.parse().ok()),
        _ => None,
    }
}
