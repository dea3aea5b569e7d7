//! The WGS 84 ellipsoid: chords through it, and the bounds they give for geodesics over it.

use std::sync::LazyLock;

use geo_types::Coord;
use geographiclib_rs::{Geodesic, InverseGeodesic};

use crate::Aabb;

const EQUATORIAL_RADIUS: f64 = 6_378_137.0;
const FLATTENING: f64 = 1.0 / 298.257_223_563;
const ECCENTRICITY_SQUARED: f64 = FLATTENING * (2.0 - FLATTENING);
/// The least radius of curvature, that of the meridian at the equator: b²/a.
const LEAST_RADIUS: f64 = EQUATORIAL_RADIUS * (1.0 - FLATTENING) * (1.0 - FLATTENING);
/// The greatest radius of curvature, that at the poles: a²/b.
pub(super) const GREATEST_RADIUS: f64 = EQUATORIAL_RADIUS / (1.0 - FLATTENING);
/// No two positions are farther apart than the poles: half a meridian, rounded up.
const FARTHEST: f64 = 20_003_931.46;
/// What rounding can take from or add to a chord.
const ROUNDING: f64 = 1e-6;

static WGS84: LazyLock<Geodesic> = LazyLock::new(Geodesic::wgs84);

/// The geodesic distance in metres.
pub(super) fn geodesic(a: Coord<f64>, b: Coord<f64>) -> f64 {
    WGS84.inverse(a.y, a.x, b.y, b.x)
}

/// Earth-centred Cartesian coordinates in metres.
pub(super) fn ecef(c: Coord<f64>) -> [f64; 3] {
    let (sin_lat, cos_lat) = c.y.to_radians().sin_cos();
    let (sin_lon, cos_lon) = c.x.to_radians().sin_cos();
    let normal = EQUATORIAL_RADIUS / (1.0 - ECCENTRICITY_SQUARED * sin_lat * sin_lat).sqrt();
    [
        normal * cos_lat * cos_lon,
        normal * cos_lat * sin_lon,
        normal * (1.0 - ECCENTRICITY_SQUARED) * sin_lat,
    ]
}

/// A position and how it moves per degree of longitude and of latitude.
pub(super) fn ecef_with_derivatives(c: Coord<f64>) -> ([f64; 3], [f64; 3], [f64; 3]) {
    let (sin_lat, cos_lat) = c.y.to_radians().sin_cos();
    let (sin_lon, cos_lon) = c.x.to_radians().sin_cos();
    let w = 1.0 - ECCENTRICITY_SQUARED * sin_lat * sin_lat;
    let normal = EQUATORIAL_RADIUS / w.sqrt();
    let meridian = (normal * (1.0 - ECCENTRICITY_SQUARED) / w).to_radians();
    let parallel = (normal * cos_lat).to_radians();
    let at = [
        normal * cos_lat * cos_lon,
        normal * cos_lat * sin_lon,
        normal * (1.0 - ECCENTRICITY_SQUARED) * sin_lat,
    ];
    let by_lon = [-parallel * sin_lon, parallel * cos_lon, 0.0];
    let by_lat = [-meridian * sin_lat * cos_lon, -meridian * sin_lat * sin_lon, meridian * cos_lat];
    (at, by_lon, by_lat)
}

/// The squared length of the straight line through the earth.
pub(super) fn chord_squared(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    let d = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
}

/// What settles most comparisons of a distance from a position, without trigonometry.
///
/// Within a band of latitudes no degree of latitude or longitude is shorter or longer than at the
/// band's edges. A path of at most the given length stays in the band that is as wide as it on
/// either side, so where the least of both degrees already makes more, the target is farther. And
/// the path that is straight in degrees is not shorter than the geodesic, so where the most of both
/// makes less, the target is nearer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Band {
    at: Coord<f64>,
    /// How far the band reaches to either side, in degrees of latitude.
    reach: f64,
    /// The squared length of a degree of longitude and of latitude.
    least: [f64; 2],
    most: [f64; 2],
    /// What is squared less than this is surely within, what is more than that surely beyond.
    surely: [f64; 2],
}

impl Band {
    pub(super) fn new(at: Coord<f64>, metres: f64) -> Self {
        let reach = (metres / LEAST_RADIUS).to_degrees() + 1e-9;
        let (south, north) = ((at.y - reach).max(-90.0), (at.y + reach).min(90.0));
        let farthest = south.abs().max(north.abs());
        let nearest = if south <= 0.0 && north >= 0.0 { 0.0 } else { south.abs().min(north.abs()) };
        let (short, long) = (degrees_squared(farthest), degrees_squared(nearest));
        Self {
            at,
            reach,
            least: [short[0], long[1]],
            most: [long[0], short[1]],
            surely: [(metres - ROUNDING).max(0.0).powi(2), (metres + ROUNDING).max(0.0).powi(2)],
        }
    }

    /// Whether a target is within the distance, as far as the degrees tell.
    #[inline]
    pub(super) fn judge(&self, target: Coord<f64>) -> Option<bool> {
        let (x, y) = (target.x - self.at.x, target.y - self.at.y);
        if x.abs() > 180.0 {
            return None;
        }
        let length = |degree: &[f64; 2]| degree[0] * x * x + degree[1] * y * y;
        if length(&self.least) > self.surely[1] {
            Some(false)
        } else if y.abs() <= self.reach && length(&self.most) < self.surely[0] {
            Some(true)
        } else {
            None
        }
    }
}

/// The squared metres of a degree of longitude, which shrinks towards the poles, and of latitude,
/// which grows.
fn degrees_squared(latitude: f64) -> [f64; 2] {
    let (sin, cos) = latitude.to_radians().sin_cos();
    let w = 1.0 - ECCENTRICITY_SQUARED * sin * sin;
    let normal = EQUATORIAL_RADIUS / w.sqrt();
    let meridian = normal * (1.0 - ECCENTRICITY_SQUARED) / w;
    [(normal * cos).to_radians().powi(2), meridian.to_radians().powi(2)]
}

/// A distance, with the chords that settle a comparison with it.
///
/// A geodesic is never shorter than its chord. It bends nowhere more than a circle of the least radius of curvature
/// R, so by Schur's theorem its chord is at least 2 R sin(s / 2R) as long while s ≤ π R. Between the two bounds, which are
/// 0.1 µm apart at 500 m and 1 km apart at 1,000 km, only the geodesic itself tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Threshold {
    metres: f64,
    /// A smaller squared chord belongs to a distance that is not greater.
    surely_within: f64,
    /// A greater squared chord belongs to a greater distance.
    surely_beyond: f64,
}

impl Threshold {
    pub(super) fn new(metres: f64) -> Self {
        let within = if metres >= FARTHEST {
            f64::INFINITY
        } else if metres <= std::f64::consts::PI * LEAST_RADIUS {
            2.0 * LEAST_RADIUS * (metres / (2.0 * LEAST_RADIUS)).sin() - ROUNDING
        } else {
            // Every geodesic shorter than π R has a chord below 2 R, and none is promised beyond.
            0.0
        };
        let beyond = metres + ROUNDING;
        Self {
            metres,
            surely_within: within.max(0.0).powi(2),
            surely_beyond: if beyond < 0.0 { -1.0 } else { beyond * beyond },
        }
    }

    pub(super) fn metres(&self) -> f64 {
        self.metres
    }

    /// A smaller squared chord is surely within.
    pub(super) fn surely_within(&self) -> f64 {
        self.surely_within
    }

    /// Whether a distance is within the threshold, as far as the range of its squared chord tells.
    pub(super) fn judge_range(&self, low: f64, high: f64) -> Option<bool> {
        if high < self.surely_within {
            Some(true)
        } else if low > self.surely_beyond {
            Some(false)
        } else {
            None
        }
    }

    /// Whether a distance is within the threshold, as far as its chord tells.
    pub(super) fn judge(&self, chord_squared: f64) -> Option<bool> {
        self.judge_range(chord_squared, chord_squared)
    }
}

/// A box around all that lies within a distance of a box.
pub(super) fn grown(extent: &Aabb, metres: f64) -> Aabb {
    let lat = (metres.max(0.0) / LEAST_RADIUS).to_degrees() + 1e-9;
    let (south, north) = (extent.min[1] - lat, extent.max[1] + lat);
    let farthest = south.abs().max(north.abs());
    let lon = if farthest >= 90.0 {
        360.0
    } else {
        // A way of this length stays where parallels are at least as long as the outermost one.
        (metres.max(0.0) / (EQUATORIAL_RADIUS * farthest.to_radians().cos())).to_degrees() + 1e-9
    };
    Aabb {
        min: [extent.min[0] - lon, south.max(-90.0)],
        max: [extent.max[0] + lon, north.min(90.0)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread() -> impl Iterator<Item = (Coord<f64>, Coord<f64>)> {
        // Steps that share no factor with the turns, so that the pairs spread over the globe.
        (0..4000_u32).map(|i| {
            let t = f64::from(i);
            let a = Coord {
                x: (t * 37.31).rem_euclid(360.0) - 180.0,
                y: (t * 7.77).rem_euclid(180.0) - 90.0,
            };
            let reach = 10_f64.powf(-6.0 + 8.0 * f64::from(i % 97) / 96.0);
            let b = Coord {
                x: a.x + reach * (t * 1.7).sin(),
                y: (a.y + reach * (t * 2.3).cos()).clamp(-90.0, 90.0),
            };
            (a, b)
        })
    }

    #[test]
    fn chords_bound_geodesics() {
        for (a, b) in spread() {
            let (metres, chord) = (geodesic(a, b), chord_squared(&ecef(a), &ecef(b)));
            for factor in [0.0, 0.5, 0.999_999, 1.0, 1.000_001, 1.5, 3.0] {
                let threshold = Threshold::new(metres * factor);
                if let Some(within) = threshold.judge(chord) {
                    assert_eq!(
                        within,
                        metres <= metres * factor,
                        "{a:?} {b:?} {metres} × {factor}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_uncertain_ring_is_narrow_at_walking_distance() {
        let threshold = Threshold::new(500.0);
        assert_eq!(threshold.judge(499.99999_f64.powi(2)), Some(true));
        assert_eq!(threshold.judge(500.00001_f64.powi(2)), Some(false));
    }

    #[test]
    fn degrees_bound_geodesics_and_mostly_decide() {
        let (mut asked, mut decided) = (0, 0);
        for (a, b) in spread() {
            let metres = geodesic(a, b);
            for factor in [0.0, 0.5, 0.99, 0.999_999, 1.0, 1.000_001, 1.01, 1.5, 3.0] {
                let within = Band::new(a, metres * factor).judge(b);
                if let Some(within) = within {
                    assert_eq!(within, factor >= 1.0, "{a:?} {b:?} {metres} × {factor}");
                }
                let is_near = metres < 10_000.0 && a.y.abs() < 80.0;
                if is_near && (factor - 1.0).abs() > 0.4 && metres > 0.001 {
                    asked += 1;
                    decided += u32::from(within.is_some());
                }
            }
        }
        assert!(decided == asked && asked > 1_000, "{decided} of {asked}");
    }

    #[test]
    fn a_grown_box_holds_all_that_is_near() {
        for (a, b) in spread() {
            let boxes = grown(&Aabb::of_point(a.x, a.y), geodesic(a, b)).folded();
            let lon = (b.x + 180.0).rem_euclid(360.0) - 180.0;
            assert!(
                boxes.iter().any(|found| found.contains_point(lon, b.y)),
                "{a:?} {b:?} {boxes:?}"
            );
        }
    }
}
