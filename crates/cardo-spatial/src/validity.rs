//! What a geometry must hold before it is stored or asked for.

use std::fmt;

use geo_types::{Coord, Geometry, LineString, Polygon};
use smallvec::SmallVec;
use thiserror::Error;

/// Where in the `coordinates` array of GeoJSON a fault stands, such as `coordinates[0][3]`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CoordinatePath(SmallVec<[usize; 4]>);

impl CoordinatePath {
    fn of(indexes: &[usize]) -> Self {
        Self(indexes.into())
    }

    /// The indexes from the outermost array inwards.
    pub fn indexes(&self) -> &[usize] {
        &self.0
    }
}

impl fmt::Display for CoordinatePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("coordinates")?;
        self.0.iter().try_for_each(|i| write!(f, "[{i}]"))
    }
}

/// Why a geometry is refused.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum GeometryError {
    /// A coordinate is NaN or infinite.
    #[error("{at}: {value} is not a finite number")]
    NotFinite {
        /// The coordinate.
        value: f64,
        /// Its position.
        at: CoordinatePath,
    },
    /// A longitude lies beyond the limit.
    #[error("{at}: longitude {lon} is outside of -{limit}..{limit}")]
    Longitude {
        /// The longitude.
        lon: f64,
        /// The greatest one allowed.
        limit: f64,
        /// Its position.
        at: CoordinatePath,
    },
    /// A latitude lies beyond a pole.
    #[error("{at}: latitude {lat} is outside of -90..90")]
    Latitude {
        /// The latitude.
        lat: f64,
        /// Its position.
        at: CoordinatePath,
    },
    /// A line has fewer than two positions, or a ring fewer than four.
    #[error("{at}: {found} positions where a {what} needs {needed} or more")]
    TooFewPositions {
        /// `line` or `ring`.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there must be.
        needed: usize,
        /// The line or ring.
        at: CoordinatePath,
    },
    /// A ring does not end where it begins.
    #[error("{at}: the ring begins at [{}, {}] and ends at [{}, {}]", first[0], first[1], last[0], last[1])]
    OpenRing {
        /// The first position.
        first: [f64; 2],
        /// The last position.
        last: [f64; 2],
        /// The ring.
        at: CoordinatePath,
    },
    /// There is no position at all.
    #[error("{at}: a {kind} without positions")]
    Empty {
        /// The GeoJSON name of the geometry type.
        kind: &'static str,
        /// The part without positions.
        at: CoordinatePath,
    },
    /// A GeometryCollection stands where the specification excludes it.
    #[error("a GeometryCollection is not allowed here")]
    Collection,
}

/// What a geometry may be where it is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// The greatest absolute longitude.
    pub max_longitude: f64,
    /// Whether a GeometryCollection is accepted.
    pub collections: Collections,
}

/// Whether a GeometryCollection is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collections {
    /// It is.
    Accepted,
    /// It is not: GeoProperties (clause 4.7.1) and geoqueries (clause 4.10) exclude it.
    Refused,
}

impl Rules {
    /// For a stored GeoProperty: longitudes to ±180°, exactly, and no GeometryCollection (clause 4.7.1).
    pub const STORED: Self = Self { max_longitude: 180.0, collections: Collections::Refused };

    /// For the reference geometry of a geoquery (clause 4.10): longitudes may run on past the antimeridian, to ±540°,
    /// as maps do that have been scrolled round.
    pub const QUERY: Self = Self { max_longitude: 540.0, collections: Collections::Refused };

    /// The same with GeometryCollections, as OGC languages have them.
    pub const fn with_collections(self) -> Self {
        Self { max_longitude: self.max_longitude, collections: Collections::Accepted }
    }
}

/// Refuses a geometry that breaks a rule, naming the value and where it stands.
///
/// `geo_types::Polygon` closes its rings as it is built; whoever reads rings from text calls [`check_ring`] before.
///
/// ```
/// use cardo_spatial::{check_geometry, Rules};
/// use geo_types::{point, Geometry};
///
/// let error = check_geometry(&Geometry::from(point!(x: 24.9, y: 95.0)), &Rules::STORED).unwrap_err();
/// assert_eq!(error.to_string(), "coordinates: latitude 95 is outside of -90..90");
/// ```
pub fn check_geometry(geometry: &Geometry<f64>, rules: &Rules) -> Result<(), GeometryError> {
    Check { rules, path: SmallVec::new() }.geometry(geometry)
}

/// Refuses a ring of fewer than four positions or with different ends (RFC 7946 clause 3.1.6).
///
/// `at` is the place of the ring in the `coordinates` array.
pub fn check_ring(positions: &[Coord<f64>], at: &[usize]) -> Result<(), GeometryError> {
    let at = CoordinatePath::of(at);
    let (Some(first), Some(last)) = (positions.first(), positions.last()) else {
        return Err(GeometryError::Empty { kind: "ring", at });
    };
    if positions.len() < 4 {
        return Err(GeometryError::TooFewPositions {
            what: "ring",
            found: positions.len(),
            needed: 4,
            at,
        });
    }
    if first != last {
        return Err(GeometryError::OpenRing {
            first: [first.x, first.y],
            last: [last.x, last.y],
            at,
        });
    }
    Ok(())
}

struct Check<'a> {
    rules: &'a Rules,
    path: SmallVec<[usize; 4]>,
}

impl Check<'_> {
    fn geometry(&mut self, geometry: &Geometry<f64>) -> Result<(), GeometryError> {
        match geometry {
            Geometry::Point(point) => self.position(point.0),
            Geometry::Line(line) => self.line(&[line.start, line.end]),
            Geometry::LineString(line) => self.line(&line.0),
            Geometry::Polygon(polygon) => self.polygon(polygon),
            Geometry::Rect(rect) => self.polygon(&rect.to_polygon()),
            Geometry::Triangle(triangle) => self.polygon(&triangle.to_polygon()),
            Geometry::MultiPoint(points) => {
                self.each("MultiPoint", &points.0, |me, p| me.position(p.0))
            }
            Geometry::MultiLineString(lines) => {
                self.each("MultiLineString", &lines.0, |me, line: &LineString<f64>| {
                    me.line(&line.0)
                })
            }
            Geometry::MultiPolygon(polygons) => {
                self.each("MultiPolygon", &polygons.0, Self::polygon)
            }
            Geometry::GeometryCollection(all) => match self.rules.collections {
                Collections::Refused => Err(GeometryError::Collection),
                Collections::Accepted => self.each("GeometryCollection", &all.0, Self::geometry),
            },
        }
    }

    fn each<T>(
        &mut self,
        kind: &'static str,
        items: &[T],
        mut check: impl FnMut(&mut Self, &T) -> Result<(), GeometryError>,
    ) -> Result<(), GeometryError> {
        if items.is_empty() {
            return Err(GeometryError::Empty { kind, at: CoordinatePath::of(&self.path) });
        }
        for (i, item) in items.iter().enumerate() {
            self.path.push(i);
            check(self, item)?;
            self.path.pop();
        }
        Ok(())
    }

    fn polygon(&mut self, polygon: &Polygon<f64>) -> Result<(), GeometryError> {
        if polygon.exterior().0.is_empty() {
            return Err(GeometryError::Empty {
                kind: "Polygon",
                at: CoordinatePath::of(&self.path),
            });
        }
        for (i, ring) in std::iter::once(polygon.exterior()).chain(polygon.interiors()).enumerate()
        {
            self.path.push(i);
            check_ring(&ring.0, &self.path)?;
            self.positions(&ring.0)?;
            self.path.pop();
        }
        Ok(())
    }

    fn line(&mut self, coords: &[Coord<f64>]) -> Result<(), GeometryError> {
        if coords.len() < 2 {
            let at = CoordinatePath::of(&self.path);
            return Err(GeometryError::TooFewPositions {
                what: "line",
                found: coords.len(),
                needed: 2,
                at,
            });
        }
        self.positions(coords)
    }

    fn positions(&mut self, coords: &[Coord<f64>]) -> Result<(), GeometryError> {
        for (i, c) in coords.iter().enumerate() {
            self.path.push(i);
            self.position(*c)?;
            self.path.pop();
        }
        Ok(())
    }

    fn position(&self, c: Coord<f64>) -> Result<(), GeometryError> {
        let at = || CoordinatePath::of(&self.path);
        if let Some(value) = [c.x, c.y].into_iter().find(|value| !value.is_finite()) {
            return Err(GeometryError::NotFinite { value, at: at() });
        }
        let limit = self.rules.max_longitude;
        if c.x.abs() > limit {
            return Err(GeometryError::Longitude { lon: c.x, limit, at: at() });
        }
        if c.y.abs() > 90.0 {
            return Err(GeometryError::Latitude { lat: c.y, at: at() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::{GeometryCollection, MultiPoint, line_string, point, polygon};

    fn refusal(geometry: impl Into<Geometry<f64>>) -> String {
        check_geometry(&geometry.into(), &Rules::STORED).unwrap_err().to_string()
    }

    #[test]
    fn a_fault_is_named_with_its_value_and_place() {
        assert_eq!(refusal(point!(x: f64::NAN, y: 0.0)), "coordinates: NaN is not a finite number");
        assert_eq!(
            refusal(line_string![(x: 0.0, y: 0.0), (x: 200.0, y: 0.0)]),
            "coordinates[1]: longitude 200 is outside of -180..180"
        );
        assert_eq!(
            refusal(polygon![(x: 0.0, y: 0.0), (x: 1.0, y: 0.0), (x: 1.0, y: -91.5)]),
            "coordinates[0][2]: latitude -91.5 is outside of -90..90"
        );
        assert_eq!(
            refusal(line_string![(x: 0.0, y: 0.0)]),
            "coordinates: 1 positions where a line needs 2 or more"
        );
        assert_eq!(refusal(MultiPoint::new(vec![])), "coordinates: a MultiPoint without positions");
    }

    #[test]
    fn an_open_ring_is_refused_with_both_its_ends() {
        let ring = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.5)].map(Coord::from);
        let error = check_ring(&ring, &[0]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "coordinates[0]: the ring begins at [0, 0] and ends at [0, 0.5]"
        );
    }

    #[test]
    fn a_collection_is_refused_unless_accepted() {
        let collection =
            Geometry::GeometryCollection(GeometryCollection::from(vec![point!(x: 1.0, y: 1.0)]));
        assert_eq!(check_geometry(&collection, &Rules::STORED), Err(GeometryError::Collection));
        assert_eq!(check_geometry(&collection, &Rules::STORED.with_collections()), Ok(()));
    }

    #[test]
    fn a_query_may_run_on_past_the_antimeridian() {
        let scrolled = Geometry::from(point!(x: 190.0, y: 0.0));
        assert_eq!(check_geometry(&scrolled, &Rules::QUERY), Ok(()));
        assert!(check_geometry(&scrolled, &Rules::STORED).is_err());
    }
}
