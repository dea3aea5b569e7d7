//! The reference systems that coordinates can be had and given in (OGC 18-058r1).

use std::collections::HashMap;
use std::collections::hash_map::Entry::Vacant;
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use cardo_spatial::{Crs, CrsError};

/// The system that all is held in, and that coordinates are in where no other is named.
pub(crate) const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";
/// The same with heights.
const CRS84H: &str = "http://www.opengis.net/def/crs/OGC/0/CRS84h";
/// What is offered where the configuration says nothing: WGS 84, the web's map, and the system of Europe.
const USUAL: [u32; 3] = [4326, 3857, 4258];
/// The name by which a configuration means every system that can be computed.
const ALL: &str = "all";
/// How many systems an error names.
const MAX_NAMED: usize = 8;

/// A reference system, its coordinates in the order of its authority.
///
/// Coordinates of features that are [shown](crate::represent::Shown) are of `shown.system.crs`, and answers say so by
/// the header `Content-Crs` of `shown.system.header()`.
#[derive(Clone, Debug)]
pub(crate) struct System {
    pub(crate) uri: Arc<str>,
    pub(crate) crs: Crs,
}

/// WGS 84, longitude before latitude.
static DEFAULT: LazyLock<Arc<System>> =
    LazyLock::new(|| Arc::new(System { uri: CRS84.into(), crs: Crs::CRS84 }));

impl System {
    /// The system where none is named.
    pub(crate) fn default_one() -> Arc<Self> {
        DEFAULT.clone()
    }

    /// The value of the header `Content-Crs` (requirement /req/crs/ogc-crs-header-value).
    pub(crate) fn header(&self) -> String {
        format!("<{}>", self.uri)
    }

    /// How many decimals tell a centimetre apart, with room for one more transformation: nine of degrees, three of
    /// metres.
    pub(crate) fn decimals(&self) -> u32 {
        if self.crs.is_geographic() { 9 } else { 3 }
    }
}

impl PartialEq for System {
    fn eq(&self, other: &Self) -> bool {
        self.uri == other.uri
    }
}

impl Eq for System {}

/// The reference systems of all collections, CRS84 first.
#[derive(Clone)]
pub struct Systems(Arc<Listed>);

struct Listed {
    entries: Vec<Entry>,
    /// Where each identifier stands among them.
    places: HashMap<Arc<str>, usize>,
}

struct Entry {
    uri: Arc<str>,
    /// Opened when it is first asked for: there may be thousands.
    system: OnceLock<Result<Arc<System>, CrsError>>,
}

impl Entry {
    fn new(uri: &str) -> Self {
        Self { uri: uri.into(), system: OnceLock::new() }
    }

    fn open(&self) -> Result<Arc<System>, CrsError> {
        let open = || {
            let crs = Crs::from_uri(&self.uri)?;
            Ok(Arc::new(System { uri: self.uri.clone(), crs }))
        };
        self.system.get_or_init(open).clone()
    }
}

/// Why a parameter names no system that is offered.
#[derive(Debug)]
pub(crate) struct NotOffered(String);

impl fmt::Display for NotOffered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Default for Systems {
    fn default() -> Self {
        Self::of(USUAL.into_iter())
    }
}

impl Systems {
    /// CRS84, and others by the names that users give them, such as `EPSG:3067`; `all` stands for every system of
    /// positions on the ground, with heights or without, that can be computed.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, CrsError> {
        let mut codes = Vec::new();
        for name in names {
            if name == ALL {
                codes.extend(Crs::codes());
            } else if let Some(code) = code_of(name)? {
                Crs::from_uri(&format!("[EPSG:{code}]"))?;
                codes.push(code);
            }
        }
        Ok(Self::of(codes.into_iter()))
    }

    fn of(codes: impl Iterator<Item = u32>) -> Self {
        let uris = codes.map(|code| format!("http://www.opengis.net/def/crs/EPSG/0/{code}"));
        let (mut entries, mut places) = (Vec::new(), HashMap::new());
        for uri in [CRS84, CRS84H].map(str::to_owned).into_iter().chain(uris) {
            let entry = Entry::new(&uri);
            if let Vacant(place) = places.entry(entry.uri.clone()) {
                place.insert(entries.len());
                entries.push(entry);
            }
        }
        Self(Arc::new(Listed { entries, places }))
    }

    /// The identifiers of all.
    pub(crate) fn uris(&self) -> impl Iterator<Item = &str> {
        self.0.entries.iter().map(|entry| entry.uri.as_ref())
    }

    /// Whether an identifier is among them.
    pub(crate) fn has(&self, uri: &str) -> bool {
        self.0.places.contains_key(uri)
    }

    /// The system of an identifier. Only what is listed is known, letter by letter (requirements
    /// /req/crs/fc-crs-valid-value and /req/crs/fc-bbox-crs-valid-value).
    pub(crate) fn find(&self, text: &str) -> Result<Arc<System>, NotOffered> {
        if text == CRS84 {
            return Ok(System::default_one());
        }
        let Some(at) = self.0.places.get(text) else { return Err(NotOffered(self.hint(text))) };
        self.0.entries[*at].open().map_err(|error| NotOffered(error.to_string()))
    }

    fn hint(&self, text: &str) -> String {
        if let Some(uri) = Crs::uri_of(text).filter(|uri| self.has(uri)) {
            return format!("it is listed as {uri}");
        }
        let named: Vec<&str> = self.uris().take(MAX_NAMED).collect();
        let more = self.0.entries.len() - named.len();
        let named = named.join(", ");
        match more {
            0 => format!("there are {named}"),
            _ => format!("there are {named} and {more} more, which each collection lists"),
        }
    }
}

/// The EPSG code that a user means; `None` for CRS84.
fn code_of(name: &str) -> Result<Option<u32>, CrsError> {
    let digits = name.strip_prefix("EPSG:").unwrap_or(name);
    match digits.parse() {
        Ok(code) => Ok(Some(code)),
        Err(_) => Ok(Crs::from_user(name)?.epsg()),
    }
}

impl fmt::Debug for Systems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.uris()).finish()
    }
}
