//! Lines and rings cut at the four sides of a square.

use super::Line;

/// One side of the square: an axis, a place on it, and whether what lies below is kept.
#[derive(Clone, Copy)]
struct Side {
    axis: usize,
    at: f64,
    keeps_below: bool,
}

fn sides([from, until]: &[f64; 2]) -> [Side; 4] {
    [(0, *from, false), (0, *until, true), (1, *from, false), (1, *until, true)]
        .map(|(axis, at, keeps_below)| Side { axis, at, keeps_below })
}

impl Side {
    fn has(self, point: [f64; 2]) -> bool {
        if self.keeps_below { point[self.axis] <= self.at } else { point[self.axis] >= self.at }
    }

    /// Where an edge crosses the side; its ends lie on different sides of it.
    fn crossing(self, a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
        let (here, other) = (self.axis, 1 - self.axis);
        let share = (self.at - a[here]) / (b[here] - a[here]);
        let mut point = [0.0; 2];
        point[here] = self.at;
        point[other] = a[other] + share * (b[other] - a[other]);
        point
    }
}

fn is_within(points: &[[f64; 2]], [from, until]: &[f64; 2]) -> bool {
    points.iter().flatten().all(|axis| from <= axis && axis <= until)
}

/// The part of a ring within the square (after Sutherland and Hodgman), without the closing position. Where the ring
/// leaves and comes back, its parts hang together by edges on the sides.
pub(super) fn ring(mut ring: Line, window: &[f64; 2]) -> Line {
    if is_within(&ring, window) {
        return ring;
    }
    for side in sides(window) {
        let mut kept = Line::with_capacity(ring.len() + 4);
        let Some(mut before) = ring.last().copied() else { return ring };
        for point in ring {
            match (side.has(before), side.has(point)) {
                (true, true) => kept.push(point),
                (true, false) => kept.push(side.crossing(before, point)),
                (false, true) => kept.extend([side.crossing(before, point), point]),
                (false, false) => {}
            }
            before = point;
        }
        ring = kept;
    }
    ring
}

/// The runs of a line within the square.
pub(super) fn line(line: Line, window: &[f64; 2]) -> Vec<Line> {
    if is_within(&line, window) {
        return vec![line];
    }
    let mut runs: Vec<Line> = Vec::new();
    let mut end = None;
    for edge in line.windows(2) {
        let Some([from, until]) = segment(edge[0], edge[1], window) else {
            end = None;
            continue;
        };
        match runs.last_mut() {
            Some(run) if end == Some(from) => run.push(until),
            _ => runs.push(Line::from_slice(&[from, until])),
        }
        // An edge that was cut at its end does not go on.
        end = (until == edge[1]).then_some(until);
    }
    runs
}

fn segment(mut a: [f64; 2], mut b: [f64; 2], window: &[f64; 2]) -> Option<[[f64; 2]; 2]> {
    for side in sides(window) {
        match (side.has(a), side.has(b)) {
            (true, true) => {}
            (true, false) => b = side.crossing(a, b),
            (false, true) => a = side.crossing(a, b),
            (false, false) => return None,
        }
    }
    Some([a, b])
}
