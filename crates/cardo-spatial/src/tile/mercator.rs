//! Spherical Mercator: where a latitude stands on the square of the world, as a part of its side from the north.

use std::f64::consts::TAU;

/// How far to the poles the plane of the projection is used; tiles end at 85.0511 degrees.
const MAX_LAT: f64 = 89.99;

/// Not inlined: the compiler would compute it beside what stands for it.
#[inline(never)]
pub(super) fn from_north(lat: f64) -> f64 {
    // artanh(sin φ), which is arsinh(tan φ), takes a third of the time.
    let sine = lat.clamp(-MAX_LAT, MAX_LAT).to_radians().sin();
    0.5 - ((1.0 + sine) / (1.0 - sine)).ln() / (2.0 * TAU)
}

pub(super) fn latitude(from_north: f64) -> f64 {
    ((0.5 - from_north) * TAU).sinh().atan().to_degrees()
}

/// The projection near the middle of a tile by its Taylor polynomial of the fourth degree, which takes a tenth of the
/// time of the functions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Near {
    middle: f64,
    /// How many degrees to both sides it holds: the height of the tile.
    reach: f64,
    /// The units of the tile by powers of the degrees from the middle.
    powers: [f64; 5],
}

/// From this level on what is left out of the series stays below 2e-6 units of 4,096 a tile, at any latitude of a tile.
const FIRST_ZOOM: u32 = 10;

impl Near {
    /// Of the tiles of a row.
    pub(super) fn new(zoom: u32, row: u32, extent: f64) -> Option<Self> {
        if zoom < FIRST_ZOOM {
            return None;
        }
        let rows = f64::from(1_u32.checked_shl(zoom)?);
        let border = |part: f64| latitude((f64::from(row) + part) / rows);
        let middle = border(0.5);
        let (sine, cosine) = middle.to_radians().sin_cos();
        let (secant, tangent) = (1.0 / cosine, sine / cosine);
        let square = tangent * tangent;
        // The derivatives of artanh(sin φ), each divided by the factorial of its order.
        let series = [
            secant,
            secant * tangent / 2.0,
            secant * (1.0 + 2.0 * square) / 6.0,
            secant * tangent * (5.0 + 6.0 * square) / 24.0,
        ];
        let mut powers = [extent / 2.0, 0.0, 0.0, 0.0, 0.0];
        let mut scale = -extent * rows / TAU;
        for (power, term) in powers[1..].iter_mut().zip(series) {
            scale = scale.to_radians();
            *power = scale * term;
        }
        Some(Self { middle, reach: border(0.0) - border(1.0), powers })
    }

    #[inline]
    pub(super) fn project(&self, lat: f64) -> Option<f64> {
        let off = lat - self.middle;
        let [zeroth, first, second, third, fourth] = self.powers;
        let y = zeroth + off * (first + off * (second + off * (third + off * fourth)));
        (off.abs() <= self.reach).then_some(y)
    }
}
