//! Whether rings cross themselves or one another.

use std::ops::{ControlFlow, Range};

use geo::Intersects;
use geo::kernels::{Kernel, Orientation, RobustKernel};
use geo::line_intersection::{LineIntersection, line_intersection};
use geo_types::{Geometry, Line, MultiPolygon, Polygon};
use smallvec::SmallVec;

use crate::packed::{Extent, PackedTree};
use crate::planar::{PlanarIndex, Position, position_in_polygon};
use crate::{antimeridian, parts};

/// Whether a polygon of the geometry has a ring that crosses or doubles back on itself or another of its rings.
///
/// Rings that touch in single points do not cross, and neither do repeated vertices.
pub fn is_self_crossing(geometry: &Geometry<f64>) -> bool {
    if !parts::has_ring(geometry) {
        return false;
    }
    match &*antimeridian::unwrap(geometry) {
        Geometry::Polygon(polygon) => polygon_crosses_itself(polygon),
        Geometry::MultiPolygon(polygons) => multi_polygon_crosses_itself(polygons),
        Geometry::GeometryCollection(all) => all.iter().any(is_self_crossing),
        _ => false,
    }
}

pub(crate) fn polygon_crosses_itself(polygon: &Polygon<f64>) -> bool {
    let mut edges = Edges::default();
    edges.add_polygon(polygon);
    edges.any_crossing() || !holes_lie_inside(polygon)
}

/// Parts of a multi-polygon may touch in points but share no area and no stretch of border (OGC 06-103r4, 6.1.14).
pub(crate) fn multi_polygon_crosses_itself(polygons: &MultiPolygon<f64>) -> bool {
    let mut edges = Edges::default();
    polygons.iter().for_each(|polygon| edges.add_polygon(polygon));
    edges.any_crossing()
        || polygons.iter().any(|p| !holes_lie_inside(p))
        || has_nested_parts(polygons)
}

/// For rings that do not cross, the vertices tell.
fn holes_lie_inside(polygon: &Polygon<f64>) -> bool {
    if polygon.interiors().is_empty() {
        return true;
    }
    let shell = Polygon::new(polygon.exterior().clone(), Vec::new());
    let shell = PlanarIndex::new(&Geometry::Polygon(shell));
    let mut vertices = polygon.interiors().iter().flat_map(|hole| &hole.0);
    vertices.all(|c| shell.position(*c) != Position::Outside)
}

/// Whether a part lies in another whose border it does not cross.
fn has_nested_parts(polygons: &MultiPolygon<f64>) -> bool {
    if polygons.0.len() < 2 {
        return false;
    }
    let extents: Vec<Extent<2>> = polygons.iter().map(extent_of_polygon).collect();
    let tree = PackedTree::new(extents.iter().copied());
    polygons.iter().enumerate().any(|(i, inner)| {
        tree.walk(
            |group| group.overlaps(&extents[i]),
            |range| {
                for j in range {
                    if i != j
                        && extents[j].overlaps(&extents[i])
                        && reaches_into(inner, &polygons.0[j])
                    {
                        return ControlFlow::Break(());
                    }
                }
                ControlFlow::Continue(())
            },
        )
        .is_break()
    })
}

fn reaches_into(inner: &Polygon<f64>, outer: &Polygon<f64>) -> bool {
    inner
        .exterior()
        .0
        .iter()
        .map(|c| position_in_polygon(outer, *c))
        .find(|position| *position != Position::Boundary)
        .is_some_and(|position| position == Position::Inside)
}

fn extent_of_polygon(polygon: &Polygon<f64>) -> Extent<2> {
    let mut extent = Extent::EMPTY;
    for c in &polygon.exterior().0 {
        extent.add(&Extent::new([c.x, c.y], [c.x, c.y]));
    }
    extent
}

/// Up to so many edges are compared each with all others.
const FEW: usize = 16;

/// The edges of rings, each with the ring it belongs to and its place there.
#[derive(Default)]
struct Edges {
    lines: Vec<Line<f64>>,
    /// Start of each ring's edges.
    rings: Vec<usize>,
}

impl Edges {
    fn add_polygon(&mut self, polygon: &Polygon<f64>) {
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            self.rings.push(self.lines.len());
            self.lines.extend(ring.lines().filter(|line| line.start != line.end));
        }
    }

    /// Whether two edges meet other than in single points that leave the rings uncrossed.
    fn any_crossing(&self) -> bool {
        if self.lines.len() <= FEW {
            let extents: SmallVec<[Extent<2>; FEW]> =
                self.lines.iter().map(Extent::of_edge).collect();
            let meets = |i: usize, j: usize| extents[i].overlaps(&extents[j]) && self.cross(i, j);
            return (0..extents.len()).any(|i| (i + 1..extents.len()).any(|j| meets(i, j)));
        }
        let tree = PackedTree::new(self.lines.iter().map(Extent::of_edge));
        self.lines.iter().enumerate().any(|(i, line)| {
            let own = Extent::of_edge(line);
            tree.walk(
                |group| group.overlaps(&own),
                |range| {
                    for j in range {
                        if j > i
                            && Extent::of_edge(&self.lines[j]).overlaps(&own)
                            && self.cross(i, j)
                        {
                            return ControlFlow::Break(());
                        }
                    }
                    ControlFlow::Continue(())
                },
            )
            .is_break()
        })
    }

    fn cross(&self, i: usize, j: usize) -> bool {
        let (a, b) = (self.lines[i], self.lines[j]);
        let ring = self.ring_of(i);
        let same_ring = ring.contains(&j);
        // They meet, if only where one ends and the other begins.
        let neighbours = same_ring && (j == i + 1 || (i == ring.start && j + 1 == ring.end));
        if neighbours {
            return doubles_back(a, b);
        }
        if !a.intersects(&b) {
            return false;
        }
        if same_ring {
            // A ring that meets itself, even in a point, is not simple.
            return true;
        }
        is_proper(a, b) || doubles_back(a, b)
    }

    fn ring_of(&self, edge: usize) -> Range<usize> {
        let next = self.rings.partition_point(|start| *start <= edge);
        let end = self.rings.get(next).copied().unwrap_or(self.lines.len());
        self.rings[next - 1]..end
    }
}

/// Whether two edges share a stretch.
fn doubles_back(a: Line<f64>, b: Line<f64>) -> bool {
    let is_in_line = |c| RobustKernel::orient2d(a.start, a.end, c) == Orientation::Collinear;
    is_in_line(b.start)
        && is_in_line(b.end)
        && matches!(line_intersection(a, b), Some(LineIntersection::Collinear { intersection }) if intersection.start != intersection.end)
}

fn is_proper(a: Line<f64>, b: Line<f64>) -> bool {
    line_intersection(a, b).is_some_and(|meeting| meeting.is_proper())
}
