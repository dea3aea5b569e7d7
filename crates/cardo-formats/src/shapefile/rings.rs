//! Rings put together to polygons: outer ones run clockwise, and holes lie in them.

use geo_types::{Coord, MultiPolygon};

use super::shp::Part;
use crate::{Fault, RecordGeometry, geometry::polygon};

struct Ring {
    part: Part,
    area: f64,
    least: Coord<f64>,
    most: Coord<f64>,
}

/// Polygons with outer rings anticlockwise and holes clockwise, as GeoJSON wants them (RFC 7946, section 3.1.6).
pub(super) fn polygons(parts: Vec<Part>) -> Result<RecordGeometry, Fault> {
    let rings: Vec<Ring> = parts.into_iter().map(Ring::new).collect();
    // Some writers turn all rings the other way; the largest is an outer one for sure.
    let largest = rings.iter().max_by(|one, two| one.size().total_cmp(&two.size()));
    let are_turned = largest.is_some_and(|ring| ring.area > 0.0);
    let (outer, holes): (Vec<Ring>, Vec<Ring>) =
        rings.into_iter().partition(|ring| (ring.area > 0.0) == are_turned);
    let mut groups: Vec<Vec<Ring>> = outer.into_iter().map(|ring| vec![ring]).collect();
    for hole in holes {
        let around = groups.iter_mut().filter(|group| group[0].contains(&hole));
        match around.min_by(|one, two| one[0].size().total_cmp(&two[0].size())) {
            Some(group) => group.push(hole),
            // A hole in nothing is an area.
            None => groups.push(vec![hole]),
        }
    }
    let mut heights = Vec::new();
    let mut polygons = Vec::with_capacity(groups.len());
    for group in groups {
        let mut rings = Vec::with_capacity(group.len());
        for (index, ring) in group.into_iter().enumerate() {
            let is_outer = index == 0;
            let mut part = ring.part;
            if is_outer == (ring.area < 0.0) {
                part.positions.reverse();
                part.heights.reverse();
            }
            heights.append(&mut part.heights);
            rings.push(part.positions);
        }
        polygons.push(polygon(rings)?);
    }
    let shape = match <[_; 1]>::try_from(polygons) {
        Ok([polygon]) => polygon.into(),
        Err(polygons) => MultiPolygon(polygons).into(),
    };
    Ok(RecordGeometry { shape, heights })
}

impl Ring {
    fn new(part: Part) -> Self {
        let first = part.positions[0];
        let (mut least, mut most, mut area) = (first, first, 0.0);
        for position in &part.positions {
            least = Coord { x: least.x.min(position.x), y: least.y.min(position.y) };
            most = Coord { x: most.x.max(position.x), y: most.y.max(position.y) };
        }
        for pair in part.positions.windows(2) {
            // From the first position, so that large coordinates do not drown small areas.
            let (a, b) = (pair[0] - first, pair[1] - first);
            area += (a.x * b.y - b.x * a.y) / 2.0;
        }
        Self { part, area, least, most }
    }

    fn size(&self) -> f64 {
        self.area.abs()
    }

    fn contains(&self, hole: &Self) -> bool {
        let in_box = self.least.x <= hole.least.x
            && self.least.y <= hole.least.y
            && self.most.x >= hole.most.x
            && self.most.y >= hole.most.y;
        // A hole may touch its ring, so the middle of an edge is a better witness than a corner.
        in_box
            && hole.part.positions.windows(2).any(|pair| self.surrounds((pair[0] + pair[1]) / 2.0))
    }

    /// Whether a ray to the east crosses the ring an odd number of times.
    fn surrounds(&self, place: Coord<f64>) -> bool {
        let crossings = self.part.positions.windows(2).filter(|pair| {
            let (a, b) = (pair[0], pair[1]);
            (a.y > place.y) != (b.y > place.y)
                && place.x < (b.x - a.x) * (place.y - a.y) / (b.y - a.y) + a.x
        });
        crossings.count() % 2 == 1
    }
}
