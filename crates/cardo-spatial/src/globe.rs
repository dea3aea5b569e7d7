//! The edge of the globe.

use geo::{CoordsIter, MapCoords};
use geo_types::{Coord, Geometry};

/// How far computations leave a position that is meant to lie on the edge, in degrees.
const NOISE: f64 = 1e-9;

/// Brings a position onto the edge of the globe where it lies behind it by noise alone, such as 180.00000000000003.
pub fn settled(position: Coord<f64>) -> Coord<f64> {
    Coord { x: within(position.x, 180.0), y: within(position.y, 90.0) }
}

/// The geometry with such positions on the edge; `None` where it has none of them.
pub fn onto_globe(shape: &Geometry<f64>) -> Option<Geometry<f64>> {
    let is_noisy = |position: Coord<f64>| is_noise(position.x, 180.0) || is_noise(position.y, 90.0);
    shape.coords_iter().any(is_noisy).then(|| shape.map_coords(settled))
}

fn within(value: f64, most: f64) -> f64 {
    if is_noise(value, most) { most.copysign(value) } else { value }
}

fn is_noise(value: f64, most: f64) -> bool {
    value.abs() > most && value.abs() <= most + NOISE
}

#[cfg(test)]
mod tests {
    use geo_types::{line_string, point};

    use super::*;

    #[test]
    fn noise_is_taken_from_positions_on_the_edge_and_nothing_else_is_moved() {
        let line = Geometry::from(line_string![
            (x: -180.000_000_000_000_03, y: 1.25), (x: 180.0, y: -90.000_000_000_000_01), (x: 179.9, y: 0.0)
        ]);
        let settled = line_string![(x: -180.0, y: 1.25), (x: 180.0, y: -90.0), (x: 179.9, y: 0.0)];
        assert_eq!(onto_globe(&line), Some(settled.into()));
        for (x, y) in [(180.0, 90.0), (180.000_001, 0.0), (0.0, -91.0), (f64::NAN, 0.0)] {
            assert_eq!(onto_globe(&point!(x: x, y: y).into()), None, "{x} {y}");
        }
    }
}
