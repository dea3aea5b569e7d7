//! One position for a whole geometry.

use geo::{Centroid, InteriorPoint};
use geo_types::{Geometry, Point};

use crate::guard::guarded;
use crate::{antimeridian, parts, repair};

/// The centroid as `[longitude, latitude]`, which may lie outside of the geometry; `None` for an empty one.
///
/// ```
/// use cardo_spatial::centroid;
/// use geo_types::{line_string, Geometry};
///
/// let across = Geometry::from(line_string![(x: 179.0, y: -17.0), (x: -179.0, y: -17.0)]);
/// assert_eq!(centroid(&across), Some([180.0, -17.0]));
/// ```
pub fn centroid(geometry: &Geometry<f64>) -> Option<[f64; 2]> {
    find(geometry, Geometry::centroid)
}

/// A position inside of the geometry where it has an inside, and on it otherwise; `None` for an empty one.
///
/// Meant for labels, and for views that show a point for everything.
pub fn representative_point(geometry: &Geometry<f64>) -> Option<[f64; 2]> {
    find(geometry, Geometry::interior_point)
}

fn find(
    geometry: &Geometry<f64>,
    point: impl FnOnce(&Geometry<f64>) -> Option<Point<f64>>,
) -> Option<[f64; 2]> {
    if parts::has_non_finite(geometry) {
        return None;
    }
    let unwrapped = antimeridian::unwrap(geometry);
    let sound = repair::repair_in_plane(&unwrapped);
    let found = guarded(|| point(&sound))??;
    let lon = if found.x() > 180.0 { found.x() - 360.0 } else { found.x() };
    Some([lon, found.y()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GeoRelation, PreparedQuery};
    use geo_types::{MultiPoint, polygon};

    #[test]
    fn a_representative_point_is_inside_where_the_centroid_is_not() {
        let horseshoe = Geometry::from(polygon![
            (x: 0., y: 0.), (x: 9., y: 0.), (x: 9., y: 9.), (x: 8., y: 9.), (x: 8., y: 1.),
            (x: 1., y: 1.), (x: 1., y: 9.), (x: 0., y: 9.),
        ]);
        let inside = PreparedQuery::new(GeoRelation::Within, horseshoe.clone());
        let [lon, lat] = centroid(&horseshoe).unwrap();
        assert!(!inside.matches_point(lon, lat));
        let [lon, lat] = representative_point(&horseshoe).unwrap();
        assert!(inside.matches_point(lon, lat));
    }

    #[test]
    fn an_empty_geometry_has_none() {
        let nothing = Geometry::from(MultiPoint::<f64>::new(vec![]));
        assert_eq!(centroid(&nothing), None);
        assert_eq!(representative_point(&nothing), None);
    }
}
