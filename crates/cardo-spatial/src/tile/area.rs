//! Rings of whole numbers as sound polygons.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::{IntOverlayOptions, Overlay, ShapeType};
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::core::solver::Solver;
use i_overlay::i_float::int::point::IntPoint;

type Ring = Vec<[i32; 2]>;

/// Up to so many positions all edges are compared with each other.
const FEW: usize = 32;

/// The area within an odd number of the rings, as polygons. Cutting and rounding make edges meet that did not before,
/// so all but plain rings are put together anew.
pub(super) fn sound(mut rings: Vec<Ring>, polygons: usize) -> Vec<Vec<Ring>> {
    if polygons == 1
        && let [ring] = rings.as_mut_slice()
        && ring.len() <= FEW
        && is_simple(ring)
    {
        turn(ring, true);
        return vec![rings];
    }
    let options = IntOverlayOptions { min_output_area: 1, ..IntOverlayOptions::ogc() };
    let count = rings.iter().map(Vec::len).sum();
    let mut overlay = Overlay::new_custom(count, options, Solver::default());
    for ring in rings {
        let contour: Vec<IntPoint> = ring.iter().map(|[x, y]| IntPoint::new(*x, *y)).collect();
        overlay.add_contour(&contour, ShapeType::Subject);
    }
    let shapes = overlay.overlay(OverlayRule::Subject, FillRule::EvenOdd);
    let ring = |(at, contour): (usize, Vec<IntPoint>)| {
        let mut ring = contour.iter().map(|at| [at.x, at.y]).collect();
        turn(&mut ring, at == 0);
        ring
    };
    shapes.into_iter().map(|shape| shape.into_iter().enumerate().map(ring).collect()).collect()
}

/// Lets a ring run as it has to.
fn turn(ring: &mut Ring, is_exterior: bool) {
    if (doubled(ring) < 0) == is_exterior {
        ring.reverse();
    }
}

/// Whether not all positions lie on one line.
pub(super) fn is_broad(ring: &[[i32; 2]]) -> bool {
    let [first, second, rest @ ..] = ring else { return false };
    rest.iter().any(|at| side(*first, *second, *at) != 0)
}

/// Twice the area by the surveyor's formula.
pub(super) fn doubled(ring: &[[i32; 2]]) -> i64 {
    edges(ring).map(|(a, b)| cross(a, b)).sum()
}

fn edges(ring: &[[i32; 2]]) -> impl Iterator<Item = ([i32; 2], [i32; 2])> + '_ {
    (0..ring.len()).map(|at| (ring[at], ring[(at + 1) % ring.len()]))
}

fn cross(a: [i32; 2], b: [i32; 2]) -> i64 {
    i64::from(a[0]) * i64::from(b[1]) - i64::from(b[0]) * i64::from(a[1])
}

/// On which side of an edge a position lies.
fn side(a: [i32; 2], b: [i32; 2], c: [i32; 2]) -> i64 {
    let minus = |p: [i32; 2]| [p[0] - a[0], p[1] - a[1]];
    cross(minus(b), minus(c)).signum()
}

/// Whether edges of the ring meet at common ends only.
fn is_simple(ring: &[[i32; 2]]) -> bool {
    let count = ring.len();
    let edge = |at: usize| (ring[at % count], ring[(at + 1) % count]);
    (0..count).all(|first| {
        let (a, b) = edge(first);
        let (_, c) = edge(first + 1);
        // The next edge does not run back over this one.
        let runs_back = side(a, b, c) == 0 && turns_back(a, b, c);
        let last = if first == 0 { count - 1 } else { count };
        !runs_back && (first + 2..last).all(|other| !meet((a, b), edge(other)))
    })
}

fn turns_back(a: [i32; 2], b: [i32; 2], c: [i32; 2]) -> bool {
    let way = |p: [i32; 2], q: [i32; 2]| [i64::from(q[0] - p[0]), i64::from(q[1] - p[1])];
    let (there, on) = (way(a, b), way(b, c));
    there[0] * on[0] + there[1] * on[1] < 0
}

fn meet((a, b): ([i32; 2], [i32; 2]), (c, d): ([i32; 2], [i32; 2])) -> bool {
    let apart = |axis: usize| {
        a[axis].max(b[axis]) < c[axis].min(d[axis]) || c[axis].max(d[axis]) < a[axis].min(b[axis])
    };
    if apart(0) || apart(1) {
        return false;
    }
    side(a, b, c) * side(a, b, d) <= 0 && side(c, d, a) * side(c, d, b) <= 0
}
