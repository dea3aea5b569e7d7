//! Lines that run along one another. The matrix cuts lines where they meet, at places that it has to round, so that it
//! misses what two lines share where a third part of one of them crosses it. Ends are given, so they tell it exactly.

use geo::kernels::{Kernel, Orientation, RobustKernel};
use geo_types::{Coord, Line};

use crate::planar::PlanarIndex;

/// What two geometries of lines are to one another that share more than points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Along {
    /// Whether all of the one belongs to the other.
    pub(crate) own_is_covered: bool,
    /// Whether all of the other belongs to the one.
    pub(crate) other_is_covered: bool,
}

impl Along {
    /// `None` where one has anything but lines, or they share no more than points.
    pub(crate) fn of(own: &PlanarIndex, other: &PlanarIndex) -> Option<Self> {
        if !own.is_of_lines() || !other.is_of_lines() {
            return None;
        }
        let (shares, own_is_covered) = covered(own, other);
        shares.then(|| Self { own_is_covered, other_is_covered: covered(other, own).1 })
    }
}

/// Whether another geometry runs along some of the lines, and whether along all of them.
fn covered(lines: &PlanarIndex, other: &PlanarIndex) -> (bool, bool) {
    let (mut some, mut all) = (false, true);
    for edge in lines.edges().iter().filter(|edge| edge.start != edge.end) {
        let mut stretches = Vec::new();
        other.visit_near(edge, &mut |near| stretches.extend(stretch(edge, near)));
        some |= !stretches.is_empty();
        all = all && is_filled(span(edge, edge), stretches);
        if some && !all {
            break;
        }
    }
    (some, all)
}

/// From where to where another edge runs along an edge.
fn stretch(edge: &Line<f64>, other: &Line<f64>) -> Option<[f64; 2]> {
    let is_on = |place: Coord<f64>| {
        RobustKernel::orient2d(edge.start, edge.end, place) == Orientation::Collinear
    };
    if !is_on(other.start) || !is_on(other.end) {
        return None;
    }
    let ([from, until], [start, end]) = (span(edge, edge), span(edge, other));
    let (from, until) = (from.max(start), until.min(end));
    (from < until).then_some([from, until])
}

/// Where an edge lies on the axis on which the first of the two is longer.
fn span(of: &Line<f64>, edge: &Line<f64>) -> [f64; 2] {
    let is_flat = (of.end.x - of.start.x).abs() >= (of.end.y - of.start.y).abs();
    let [a, b] = [edge.start, edge.end].map(|place| if is_flat { place.x } else { place.y });
    [a.min(b), a.max(b)]
}

fn is_filled([from, until]: [f64; 2], mut stretches: Vec<[f64; 2]>) -> bool {
    stretches.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let mut reached = from;
    for [start, end] in stretches {
        if start > reached {
            return false;
        }
        reached = reached.max(end);
    }
    reached >= until
}
