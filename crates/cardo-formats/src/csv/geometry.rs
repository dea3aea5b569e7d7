//! Which columns hold the geometry, and how it is read from them.

use geo_types::Point;

use super::cells::coordinate;
use crate::{Fault, RecordGeometry, geometry::Heights, wkt};

/// Where the geometry of a row stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GeometryColumns {
    /// In columns with a usual name: `lon` and `lat`, `x` and `y`, `wkt`, …
    #[default]
    Guess,
    /// Nowhere.
    None,
    /// In a column per coordinate.
    Xy {
        /// East, or longitude.
        x: String,
        /// North, or latitude.
        y: String,
        /// Height.
        z: Option<String>,
    },
    /// In a column of well-known text, which may begin with its SRID.
    Wkt(String),
}

/// The columns by their place in the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    None,
    Xy(usize, usize, Option<usize>),
    Wkt(usize),
}

/// Usual names of a pair of columns, in the order in which they are looked for.
const PAIRS: [(&str, &str); 9] = [
    ("lon", "lat"),
    ("lng", "lat"),
    ("long", "lat"),
    ("longitude", "latitude"),
    ("stop_lon", "stop_lat"),
    ("x", "y"),
    ("x_coord", "y_coord"),
    ("easting", "northing"),
    ("e", "n"),
];
const WKT: [&str; 8] =
    ["wkt", "ewkt", "geom", "geometry", "the_geom", "wkt_geom", "geom_wkt", "location"];

impl Columns {
    /// Finds the columns; `sample` is the first row, where there is one.
    pub(super) fn find(
        wanted: &GeometryColumns,
        header: &[std::sync::Arc<str>],
        sample: &[String],
    ) -> Result<Self, Fault> {
        let named = |name: &String| {
            header.iter().position(|known| **known == **name).ok_or_else(|| {
                Fault::Unsupported(format!("no column `{name}`; there are {}", header.join(", ")))
            })
        };
        Ok(match wanted {
            GeometryColumns::None => Self::None,
            GeometryColumns::Guess => Self::guess(header, sample),
            GeometryColumns::Xy { x, y, z } => {
                Self::Xy(named(x)?, named(y)?, z.as_ref().map(named).transpose()?)
            }
            GeometryColumns::Wkt(name) => Self::Wkt(named(name)?),
        })
    }

    fn guess(header: &[std::sync::Arc<str>], sample: &[String]) -> Self {
        let usual =
            |name: &str| header.iter().position(|known| known.trim().eq_ignore_ascii_case(name));
        for (x, y) in PAIRS {
            if let (Some(x), Some(y)) = (usual(x), usual(y)) {
                return Self::Xy(x, y, None);
            }
        }
        let text = WKT
            .into_iter()
            .filter_map(usual)
            .find(|column| sample.get(*column).is_some_and(|cell| wkt::looks_like(cell)));
        text.map_or(Self::None, Self::Wkt)
    }

    pub(super) fn uses(&self, column: usize) -> bool {
        match self {
            Self::None => false,
            Self::Xy(x, y, z) => [Some(*x), Some(*y), *z].contains(&Some(column)),
            Self::Wkt(wkt) => *wkt == column,
        }
    }

    /// The geometry of a row with the SRID it names. A row without coordinates
    /// has none.
    pub(super) fn read(
        &self,
        header: &[std::sync::Arc<str>],
        row: &[String],
        decimal_comma: bool,
    ) -> Result<(Option<RecordGeometry>, Option<u32>), Fault> {
        match *self {
            Self::None => Ok((None, None)),
            Self::Xy(x, y, z) => {
                let number =
                    |column: usize| coordinate(&header[column], &row[column], decimal_comma);
                let (east, north) = (number(x)?, number(y)?);
                let height = z.map(number).transpose()?.flatten();
                match (east, north) {
                    (None, None) => Ok((None, None)),
                    (Some(east), Some(north)) => {
                        let mut heights = Heights::default();
                        heights.take(height)?;
                        Ok((Some(heights.with(Point::new(east, north).into())), None))
                    }
                    _ => Err(Fault::geometry(format!(
                        "only one of `{}` and `{}` has a value",
                        header[x], header[y]
                    ))),
                }
            }
            Self::Wkt(column) if row[column].trim().is_empty() => Ok((None, None)),
            Self::Wkt(column) => {
                let read = wkt::parse(&row[column])?;
                Ok((read.geometry, read.srid))
            }
        }
    }
}
