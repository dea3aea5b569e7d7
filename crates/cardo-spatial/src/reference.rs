//! A reference geometry with its edge index, and the topological relations to it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use geo::relate::IntersectionMatrix;
use geo::{PreparedGeometry, Relate};
use geo_types::{Coord, Geometry, MultiPoint};

use crate::aabb::{Aabb, Boxes};
use crate::along::Along;
use crate::effort::Effort;
use crate::guard::guarded;
use crate::planar::{self, PlanarIndex, Position};
use crate::relations::GeoRelation;
use crate::{antimeridian, parts, repair};

/// More probes of the reference than this are worth an index of the target.
const PROBES_WITHOUT_INDEX: usize = 8;

/// What is known of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// It is as somebody gave it.
    Given,
    /// It has been through [`repair::repair`].
    Repaired,
}

impl Form {
    pub(crate) fn made_sound(self, target: &Geometry<f64>) -> Cow<'_, Geometry<f64>> {
        match self {
            Self::Given => repair::repair_in_plane(target),
            Self::Repaired => Cow::Borrowed(target),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Reference {
    /// Tells the prepared form that each thread keeps.
    key: u64,
    /// In continuous coordinates and repaired.
    geometry: Geometry<f64>,
    index: PlanarIndex,
    /// Whether its edges meet so often that only positions and contacts are judged.
    entangled: bool,
    /// What a point at the south and the north pole has to the reference.
    poles: [Position; 2],
}

impl Reference {
    /// Prepares a geometry; one with a coordinate that is not finite is taken as empty.
    pub(crate) fn new(geometry: &Geometry<f64>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let nothing = Geometry::MultiPoint(MultiPoint::new(Vec::new()));
        let geometry = if parts::has_non_finite(geometry) { &nothing } else { geometry };
        let unwrapped = antimeridian::unwrap(geometry);
        let geometry = repair::repair_in_plane(&unwrapped).into_owned();
        let index = PlanarIndex::new(&geometry);
        let entangled = index.is_entangled();
        let poles =
            [pole_position(&geometry, &index, -90.0), pole_position(&geometry, &index, 90.0)];
        Self { key: NEXT.fetch_add(1, Ordering::Relaxed), geometry, index, entangled, poles }
    }

    /// The repaired form in continuous coordinates.
    pub(crate) fn geometry(&self) -> &Geometry<f64> {
        &self.geometry
    }

    pub(crate) fn boxes(&self) -> Boxes {
        self.index.extent().map(|extent| extent.folded()).unwrap_or_default()
    }

    /// Whether it is a box away from the poles and the antimeridian.
    pub(crate) fn is_plain_box(&self) -> bool {
        let is_plain = |extent: &Aabb| {
            extent.min[0] >= -180.0
                && extent.max[0] < 180.0
                && extent.min[1] > -90.0
                && extent.max[1] < 90.0
        };
        self.index.is_box() && self.index.extent().as_ref().is_some_and(is_plain)
    }

    /// Where a point lies, by any of the longitudes that mean its meridian.
    pub(crate) fn position(&self, lon: f64, lat: f64) -> Position {
        if lat == -90.0 {
            return self.poles[0];
        }
        if lat == 90.0 {
            return self.poles[1];
        }
        let Some(extent) = self.index.extent() else {
            return Position::Outside;
        };
        let position = self.index.position(Coord { x: lon, y: lat });
        if position == Position::Inside || (extent.max[0] < 180.0 && lon < 180.0) {
            return position;
        }
        [-360.0, 360.0]
            .into_iter()
            .map(|turn| self.index.position(Coord { x: lon + turn, y: lat }))
            .fold(position, Position::max)
    }

    /// Whether the reference is nothing but this point.
    pub(crate) fn is_only(&self, lon: f64, lat: f64) -> bool {
        if lat.abs() == 90.0 {
            let extent = self.index.extent();
            return extent.is_some_and(|e| e.min == e.max && e.min[1] == lat);
        }
        [0.0, -360.0, 360.0]
            .into_iter()
            .any(|turn| self.index.is_only(Coord { x: lon + turn, y: lat }))
    }

    /// Whether a target has the relation to the reference, in whichever turn round the world they meet.
    pub(crate) fn relates(
        &self,
        relation: GeoRelation,
        target: &Geometry<f64>,
        form: Form,
    ) -> bool {
        let target = antimeridian::unwrap(target);
        let wants_disjoint = relation == GeoRelation::Disjoint;
        let (Some(own), Some(other)) = (self.index.extent(), Aabb::of(&target)) else {
            return wants_disjoint;
        };
        let turns =
            [0.0, 360.0, -360.0].into_iter().filter(|turn| own.intersects(&other.shifted(*turn)));
        let mut sound: Option<Cow<'_, Geometry<f64>>> = None;
        for turn in turns {
            let sound = sound.get_or_insert_with(|| form.made_sound(&target));
            let moved = match turn {
                0.0 => Cow::Borrowed(&**sound),
                _ => Cow::Owned(antimeridian::shifted(sound, turn)),
            };
            let Some(extent) = Aabb::of(&moved) else { continue };
            let holds = self.relates_in_plane(relation, &moved, &own, &extent);
            if holds != wants_disjoint {
                return !wants_disjoint;
            }
        }
        wants_disjoint
    }

    fn relates_in_plane(
        &self,
        relation: GeoRelation,
        target: &Geometry<f64>,
        own: &Aabb,
        extent: &Aabb,
    ) -> bool {
        let impossible = match relation {
            GeoRelation::Within => !own.contains(extent),
            GeoRelation::Contains => !extent.contains(own),
            GeoRelation::Equals => own != extent,
            _ => false,
        };
        if impossible {
            return false;
        }
        let is_about_sharing = matches!(relation, GeoRelation::Intersects | GeoRelation::Disjoint);
        if is_about_sharing && self.index.is_box() && has_position_in(target, own) {
            return relation == GeoRelation::Intersects;
        }
        if self.index.touches_edges_of(target) {
            return match relation {
                GeoRelation::Intersects => true,
                GeoRelation::Disjoint => false,
                _ => self.relates_by_matrix(relation, target),
            };
        }
        let (some_inside, all_inside) = self.probe(target);
        let around = self.lies_in(target, extent);
        match relation {
            GeoRelation::Intersects => some_inside || around,
            GeoRelation::Disjoint => !(some_inside || around),
            _ if !some_inside && !around => false,
            // Without contact of edges, and no part of the reference inside of the target, the target is well inside.
            _ if all_inside && !around => relation == GeoRelation::Within,
            _ => self.relates_by_matrix(relation, target),
        }
    }

    /// Whether some, and whether all, parts of a target that meets no edge lie in the reference's area.
    fn probe(&self, target: &Geometry<f64>) -> (bool, bool) {
        if !self.index.has_area() {
            return (false, false);
        }
        let (mut some, mut all) = (false, true);
        parts::visit(target, &mut |part| {
            let inside = self.index.position(part.coords()[0]) != Position::Outside;
            some |= inside;
            all &= inside;
        });
        (some, all)
    }

    /// Whether some part of the reference lies in the area of a target that meets no edge.
    fn lies_in(&self, target: &Geometry<f64>, extent: &Aabb) -> bool {
        if !parts::has_ring(target) {
            return false;
        }
        let mut probes = self.index.probes().iter().filter(|c| extent.contains_point(c.x, c.y));
        if self.index.probes().len() <= PROBES_WITHOUT_INDEX {
            return probes.any(|c| planar::covers(target, *c));
        }
        let target = PlanarIndex::new(target);
        probes.any(|c| target.position(*c) != Position::Outside)
    }

    fn relates_by_matrix(&self, relation: GeoRelation, target: &Geometry<f64>) -> bool {
        if parts::has_non_finite(target) || self.is_too_much_with(target) {
            return false;
        }
        if relation == GeoRelation::Equals && *target == self.geometry {
            return true;
        }
        if let Some(along) = self.along(target) {
            return match relation {
                GeoRelation::Within => along.other_is_covered,
                GeoRelation::Contains => along.own_is_covered,
                GeoRelation::Equals => along.own_is_covered && along.other_is_covered,
                GeoRelation::Overlaps => !along.own_is_covered && !along.other_is_covered,
                relation => relation == GeoRelation::Intersects,
            };
        }
        let Some(matrix) = self.matrix(target) else {
            return false;
        };
        // The matrix reads from the reference to the target, the relations of clause 4.10 from target to reference.
        match relation {
            GeoRelation::Within => matrix.is_contains(),
            GeoRelation::Contains => matrix.is_within(),
            GeoRelation::Overlaps => matrix.is_overlaps(),
            GeoRelation::Equals => matrix.is_equal_topo(),
            GeoRelation::Touches => matrix.is_touches(),
            GeoRelation::Crosses => matrix.is_crosses(),
            GeoRelation::Intersects => matrix.is_intersects(),
            GeoRelation::Disjoint | GeoRelation::Near { .. } => matrix.is_disjoint(),
        }
    }

    fn along(&self, target: &Geometry<f64>) -> Option<Along> {
        if !self.index.is_of_lines() || parts::has_ring(target) {
            return None;
        }
        Along::of(&self.index, &PlanarIndex::new(target))
    }

    /// Whether the edges of both meet too often, among themselves or with each other.
    fn is_too_much_with(&self, target: &Geometry<f64>) -> bool {
        let mut count = 0;
        parts::visit(target, &mut |part| count += part.coords().len());
        if self.entangled {
            return true;
        }
        if Effort::covers(self.index.edge_count().max(count).saturating_mul(count)) {
            return false;
        }
        let target = PlanarIndex::new(target);
        target.is_entangled() || self.index.is_entangled_with(&target)
    }

    /// The DE-9IM of reference and target, by a form of the reference that each thread keeps while it is in use.
    fn matrix(&self, target: &Geometry<f64>) -> Option<IntersectionMatrix> {
        type Prepared = PreparedGeometry<'static, Geometry<f64>>;
        thread_local! {
            static LAST: RefCell<Option<(u64, Prepared)>> = const { RefCell::new(None) };
        }
        LAST.with_borrow_mut(|last| {
            if !matches!(last, Some((key, _)) if *key == self.key) {
                *last = None;
            }
            let matrix = guarded(|| {
                let prepare = || (self.key, Prepared::from(self.geometry.clone()));
                last.get_or_insert_with(prepare).1.relate(target)
            });
            if matrix.is_none() {
                *last = None;
            }
            matrix
        })
    }
}

fn pole_position(geometry: &Geometry<f64>, index: &PlanarIndex, pole: f64) -> Position {
    let mut at_pole = None;
    parts::visit(geometry, &mut |part| {
        at_pole = at_pole.or_else(|| part.coords().iter().find(|c| c.y == pole).copied());
    });
    let Some(at_pole) = at_pole else {
        return Position::Outside;
    };
    let span: f64 = index
        .ring_edges()
        .iter()
        .filter(|edge| edge.start.y == pole && edge.end.y == pole)
        .map(|edge| (edge.end.x - edge.start.x).abs())
        .sum();
    if span >= 360.0 { Position::Inside } else { index.position(at_pole) }
}

/// Whether a position of the geometry lies in a box.
fn has_position_in(geometry: &Geometry<f64>, bounds: &Aabb) -> bool {
    let mut found = false;
    parts::visit(geometry, &mut |part| {
        found = found || part.coords().iter().any(|c| bounds.contains_point(c.x, c.y));
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_can_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Reference>();
    }
}
