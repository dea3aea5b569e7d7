//! What the values of a column have in common.

use std::collections::HashSet;
use std::sync::Arc;

use cardo_formats::FieldValue;

use crate::mapping::{is_moment, read_with_offset};

/// So many values are shown.
const SHOWN: usize = 3;
/// A longer text is shown in part, and is no key.
const SHORT: usize = 40;

pub(super) struct Column {
    pub(super) name: Arc<str>,
    /// How many records have a value in it.
    pub(super) values: usize,
    pub(super) samples: Vec<String>,
    numbers: usize,
    /// Moments with an offset, and others.
    pub(super) moments: usize,
    pub(super) local_moments: usize,
    seen: HashSet<String>,
    is_unique: bool,
    is_short: bool,
    has_floats: bool,
}

impl Column {
    pub(super) fn new(name: &Arc<str>) -> Self {
        Self {
            name: Arc::clone(name),
            values: 0,
            samples: Vec::new(),
            numbers: 0,
            moments: 0,
            local_moments: 0,
            seen: HashSet::new(),
            is_unique: true,
            is_short: true,
            has_floats: false,
        }
    }

    pub(super) fn take(&mut self, value: &FieldValue) {
        let text = value.to_text();
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        self.values += 1;
        self.numbers += usize::from(value.as_f64().is_some());
        self.has_floats |= matches!(value, FieldValue::Float(_));
        self.is_short &= text.chars().count() <= SHORT && !matches!(value, FieldValue::Json(_));
        if value.as_str().is_some() {
            if read_with_offset(text).is_some() {
                self.moments += 1;
            } else if is_moment(text) {
                self.local_moments += 1;
            }
        }
        let is_new = !self.is_unique || self.seen.insert(text.to_owned());
        if !is_new {
            self.is_unique = false;
            self.seen = HashSet::new();
        }
        let shown = shortened(text);
        if self.samples.len() < SHOWN && !self.samples.contains(&shown) {
            self.samples.push(shown);
        }
    }

    /// Whether every record has a value in it, and each another one.
    pub(super) fn is_key(&self, records: usize) -> bool {
        let is_time = self.moments + self.local_moments > 0;
        records > 1
            && self.values == records
            && self.is_unique
            && self.is_short
            && !self.has_floats
            && !is_time
    }

    pub(super) fn is_numeric(&self) -> bool {
        self.numbers == self.values
    }

    /// Whether all values are moments: with an offset, or in a zone that they do not name.
    pub(super) fn is_moment(&self) -> bool {
        self.moments + self.local_moments == self.values
    }

    /// The code of UN/CEFACT for a unit that the name of the column states in brackets.
    pub(super) fn unit(&self) -> Option<&'static str> {
        let open = self.name.rfind(['(', '['])?;
        let inner = self.name[open + 1..].trim_end().strip_suffix([')', ']'])?;
        self.is_numeric()
            .then(|| UNITS.iter().find(|(sign, _)| *sign == inner.trim()))?
            .map(|(_, code)| *code)
    }
}

/// Signs that mean one unit only.
const UNITS: [(&str, &str); 26] = [
    ("°C", "CEL"),
    ("%", "P1"),
    ("mm", "MMT"),
    ("cm", "CMT"),
    ("m", "MTR"),
    ("km", "KMT"),
    ("m²", "MTK"),
    ("m2", "MTK"),
    ("km²", "KMK"),
    ("km2", "KMK"),
    ("ha", "HAR"),
    ("m³", "MTQ"),
    ("m3", "MTQ"),
    ("m/s", "MTS"),
    ("km/h", "KMH"),
    ("kg", "KGM"),
    ("hPa", "A97"),
    ("W", "WTT"),
    ("kW", "KWT"),
    ("kWh", "KWH"),
    ("MWh", "MWH"),
    ("dB", "2N"),
    ("lx", "LUX"),
    ("µg/m³", "GQ"),
    ("ug/m3", "GQ"),
    ("°", "DD"),
];

fn shortened(text: &str) -> String {
    let mut shown: String =
        text.chars().take(SHORT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() > SHORT {
        shown.push('…');
    }
    shown
}
