//! Exact positions and contacts in the plane of longitude and latitude, over an index of edges.

use std::cell::Cell;
use std::ops::ControlFlow;

use geo::Intersects;
use geo::kernels::{Kernel, Orientation, RobustKernel};
use geo_types::{Coord, Geometry, Line, Polygon};

use crate::Aabb;
use crate::effort::Effort;
use crate::packed::{Extent, PackedTree};
use crate::parts::{self, Part};

/// Where a position lies with regard to a geometry, in the sense of the DE-9IM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Position {
    Outside,
    Boundary,
    Inside,
}

/// The edges of a geometry and what is needed to place a position against it.
#[derive(Clone, Debug)]
pub(crate) struct PlanarIndex {
    /// Ring edges, then line edges, then points as edges without length.
    edges: Vec<Line<f64>>,
    rings_end: usize,
    lines_end: usize,
    tree: PackedTree<2>,
    /// Ends of an odd number of lines, sorted: the boundary by the mod-2 rule.
    ends: Vec<[f64; 2]>,
    /// One position of every part.
    probes: Vec<Coord<f64>>,
    extent: Option<Aabb>,
    /// Whether it is all of its extent, which has an area: of a box, numbers alone tell.
    is_box: bool,
}

impl PlanarIndex {
    /// Indexes a geometry in continuous coordinates; polygons are read by the even-odd rule.
    pub(crate) fn new(geometry: &Geometry<f64>) -> Self {
        let (mut rings, mut lines, mut points) = (Vec::new(), Vec::new(), Vec::new());
        let (mut ends, mut probes) = (Vec::new(), Vec::new());
        parts::visit(geometry, &mut |part| {
            probes.push(part.coords()[0]);
            match part {
                Part::Point(c) => points.push(Line::new(*c, *c)),
                Part::Ring(coords) => rings.extend(edges_of(coords)),
                Part::Line(coords) => {
                    lines.extend(edges_of(coords));
                    ends.extend([coords[0], coords[coords.len() - 1]].map(|c| [c.x, c.y]));
                }
            }
        });
        points.sort_by(|a, b| {
            (a.start.x, a.start.y)
                .partial_cmp(&(b.start.x, b.start.y))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        let extent = Aabb::of(geometry);
        let is_box = lines.is_empty() && points.is_empty() && is_ring_of(extent, &rings);
        let (rings_end, lines_end) = (rings.len(), rings.len() + lines.len());
        let mut edges = rings;
        edges.append(&mut lines);
        edges.append(&mut points);
        Self {
            tree: PackedTree::new(edges.iter().map(Extent::of_edge)),
            edges,
            rings_end,
            lines_end,
            ends: odd_ends(ends),
            probes,
            extent,
            is_box,
        }
    }

    pub(crate) fn extent(&self) -> Option<Aabb> {
        self.extent
    }

    pub(crate) fn has_area(&self) -> bool {
        self.rings_end > 0
    }

    pub(crate) fn ring_edges(&self) -> &[Line<f64>] {
        &self.edges[..self.rings_end]
    }

    /// One position of every part.
    pub(crate) fn probes(&self) -> &[Coord<f64>] {
        &self.probes
    }

    /// Whether all of the geometry is this one position.
    pub(crate) fn is_only(&self, c: Coord<f64>) -> bool {
        self.extent.is_some_and(|e| e == Aabb::of_point(c.x, c.y))
    }

    /// Whether it is one box, border and inside.
    pub(crate) fn is_box(&self) -> bool {
        self.is_box
    }

    /// Where a position lies. An inside of one part wins over a boundary of another.
    pub(crate) fn position(&self, c: Coord<f64>) -> Position {
        let Some(extent) = self.extent.filter(|extent| extent.contains_point(c.x, c.y)) else {
            return Position::Outside;
        };
        if self.is_box {
            let is_on = |axis: usize, at: f64| at == extent.min[axis] || at == extent.max[axis];
            let is_border = is_on(0, c.x) || is_on(1, c.y);
            return if is_border { Position::Boundary } else { Position::Inside };
        }
        let (odd, best) = (Cell::new(false), Cell::new(Position::Outside));
        let on_ring = Cell::new(false);
        let _ = self.tree.walk(
            |group| group.min[1] <= c.y && c.y <= group.max[1] && c.x <= group.max[0],
            |range| {
                for i in range {
                    let edge = &self.edges[i];
                    if i < self.rings_end {
                        match crossing(edge, c) {
                            Crossing::On => on_ring.set(true),
                            Crossing::Ray => odd.set(!odd.get()),
                            Crossing::None => {}
                        }
                    } else if edge.intersects(&c) {
                        best.set(best.get().max(self.position_on_line(i, c)));
                    }
                }
                ControlFlow::Continue(())
            },
        );
        let area = match (on_ring.get(), odd.get()) {
            (true, _) => Position::Boundary,
            (false, true) => Position::Inside,
            (false, false) => Position::Outside,
        };
        area.max(best.get())
    }

    fn position_on_line(&self, edge: usize, c: Coord<f64>) -> Position {
        let is_end = edge < self.lines_end
            && self
                .ends
                .binary_search_by(|end| {
                    end.partial_cmp(&[c.x, c.y]).unwrap_or(std::cmp::Ordering::Less)
                })
                .is_ok();
        if is_end { Position::Boundary } else { Position::Inside }
    }

    /// Whether its own edges meet so often that overlay and topology are not to be tried.
    pub(crate) fn is_entangled(&self) -> bool {
        let count = self.edges.len();
        if Effort::covers(count.saturating_mul(count) / 2) {
            return false;
        }
        let mut effort = Effort::for_edges(count);
        (0..count).any(|i| self.spends(&mut effort, &self.edges[i], i + 1))
    }

    /// Whether the edges of two geometries meet so often that topology is not to be tried.
    pub(crate) fn is_entangled_with(&self, other: &Self) -> bool {
        let (a, b) = (self.edges.len(), other.edges.len());
        if Effort::covers(a.saturating_mul(b)) {
            return false;
        }
        let mut effort = Effort::for_edges(a.saturating_add(b));
        other.edges.iter().any(|edge| self.spends(&mut effort, edge, 0))
    }

    /// Counts an edge's meetings with those from `first` on; whether that was too much.
    fn spends(&self, effort: &mut Effort, edge: &Line<f64>, first: usize) -> bool {
        let own = Extent::of_edge(edge);
        self.tree
            .walk(
                |group| group.overlaps(&own),
                |range| {
                    for i in range.start.max(first)..range.end {
                        effort.look();
                        let other = &self.edges[i];
                        if Extent::of_edge(other).overlaps(&own) && other.intersects(edge) {
                            effort.meet();
                        }
                    }
                    if effort.is_spent() {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                },
            )
            .is_break()
    }

    pub(crate) fn edge_count(&self) -> usize {
        self.edges.len()
    }

    pub(crate) fn edges(&self) -> &[Line<f64>] {
        &self.edges
    }

    /// Whether there are lines, and nothing else.
    pub(crate) fn is_of_lines(&self) -> bool {
        self.rings_end == 0 && self.lines_end == self.edges.len() && self.lines_end > 0
    }

    /// Visits the edges whose boxes meet that of a line.
    pub(crate) fn visit_near(&self, line: &Line<f64>, visit: &mut dyn FnMut(&Line<f64>)) {
        let own = Extent::of_edge(line);
        let _ = self.tree.walk(
            |group| group.overlaps(&own),
            |range| {
                let near = self.edges[range].iter();
                near.filter(|edge| Extent::of_edge(edge).overlaps(&own)).for_each(&mut *visit);
                ControlFlow::Continue(())
            },
        );
    }

    /// Whether an edge or point of the other geometry meets one of this.
    pub(crate) fn touches_edges_of(&self, other: &Geometry<f64>) -> bool {
        let mut found = false;
        parts::visit(other, &mut |part| {
            if found {
                return;
            }
            found = match part {
                Part::Point(c) => self.meets(&Line::new(*c, *c)),
                Part::Line(coords) | Part::Ring(coords) => {
                    edges_of(coords).any(|edge| self.meets(&edge))
                }
            };
        });
        found
    }

    fn meets(&self, line: &Line<f64>) -> bool {
        let own = Extent::of_edge(line);
        self.tree
            .walk(
                |group| group.overlaps(&own),
                |range| {
                    let found = self.edges[range]
                        .iter()
                        .any(|edge| Extent::of_edge(edge).overlaps(&own) && edge.intersects(line));
                    if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                },
            )
            .is_break()
    }
}

/// Whether the edges are the four of a box that has an area.
fn is_ring_of(extent: Option<Aabb>, edges: &[Line<f64>]) -> bool {
    let Some(Aabb { min, max }) = extent else { return false };
    let sides = [
        [[min[0], min[1]], [max[0], min[1]]],
        [[max[0], min[1]], [max[0], max[1]]],
        [[min[0], max[1]], [max[0], max[1]]],
        [[min[0], min[1]], [min[0], max[1]]],
    ];
    let is_side = |side: &[[f64; 2]; 2]| {
        edges.iter().any(|edge| {
            let ends = [[edge.start.x, edge.start.y], [edge.end.x, edge.end.y]];
            ends == *side || [ends[1], ends[0]] == *side
        })
    };
    edges.len() == 4 && min[0] < max[0] && min[1] < max[1] && sides.iter().all(is_side)
}

/// Where a position lies in a polygon, without an index.
pub(crate) fn position_in_polygon(polygon: &Polygon<f64>, c: Coord<f64>) -> Position {
    let mut odd = false;
    for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
        for edge in ring.lines() {
            match crossing(&edge, c) {
                Crossing::On => return Position::Boundary,
                Crossing::Ray => odd = !odd,
                Crossing::None => {}
            }
        }
    }
    if odd { Position::Inside } else { Position::Outside }
}

/// Whether a position lies in or on a polygon of the geometry; the parts are judged one by one.
pub(crate) fn covers(geometry: &Geometry<f64>, c: Coord<f64>) -> bool {
    match geometry {
        Geometry::Polygon(polygon) => position_in_polygon(polygon, c) != Position::Outside,
        Geometry::MultiPolygon(polygons) => {
            polygons.iter().any(|polygon| position_in_polygon(polygon, c) != Position::Outside)
        }
        Geometry::GeometryCollection(all) => all.iter().any(|g| covers(g, c)),
        Geometry::Rect(rect) => rect.intersects(&c),
        Geometry::Triangle(triangle) => {
            position_in_polygon(&triangle.to_polygon(), c) != Position::Outside
        }
        _ => false,
    }
}

enum Crossing {
    /// The position lies on the edge.
    On,
    /// The ray from the position to the east crosses the edge.
    Ray,
    None,
}

fn crossing(edge: &Line<f64>, c: Coord<f64>) -> Crossing {
    let (low, high) =
        if edge.start.y <= edge.end.y { (edge.start, edge.end) } else { (edge.end, edge.start) };
    if c.y < low.y || c.y > high.y || (c.x > low.x && c.x > high.x) {
        return Crossing::None;
    }
    if low.y == high.y {
        let on = c.x >= low.x.min(high.x) && c.x <= low.x.max(high.x);
        return if on { Crossing::On } else { Crossing::None };
    }
    match RobustKernel::orient2d(low, high, c) {
        Orientation::Collinear => Crossing::On,
        // The upper end belongs to the edge above, so that a ray through a vertex counts once.
        Orientation::CounterClockwise if c.y < high.y => Crossing::Ray,
        _ => Crossing::None,
    }
}

fn edges_of(coords: &[Coord<f64>]) -> impl Iterator<Item = Line<f64>> {
    let only = match coords {
        [c] => Some(Line::new(*c, *c)),
        _ => None,
    };
    coords.windows(2).map(|edge| Line::new(edge[0], edge[1])).chain(only)
}

fn odd_ends(mut ends: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    ends.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    ends.chunk_by(|a, b| a == b).filter(|same| same.len() % 2 == 1).map(|same| same[0]).collect()
}
