//! Fewer positions (after Douglas and Peucker).

use smallvec::{SmallVec, smallvec};

/// What is worked on; rings of few positions are not on the heap.
pub(super) type Line = SmallVec<[[f64; 2]; 16]>;

/// Leaves the positions of a line without which it would leave its course by more than `tolerance`.
pub(super) fn line(line: &mut Line, tolerance: f64) {
    if tolerance > 0.0 && line.len() > 2 {
        let last = line.len() - 1;
        retain(line, tolerance, [(0, last)]);
    }
}

/// The same for a ring without its closing position. It is taken as two lines, from its first position to the one that
/// is farthest from it and back, so that where it begins and turns stays.
pub(super) fn ring(ring: &mut Line, tolerance: f64) {
    if tolerance <= 0.0 || ring.len() < 5 {
        return;
    }
    let first = ring[0];
    let far = |at: [f64; 2]| (at[0] - first[0]).powi(2) + (at[1] - first[1]).powi(2);
    let turn = (1..ring.len()).max_by(|a, b| far(ring[*a]).total_cmp(&far(ring[*b]))).unwrap_or(0);
    let end = ring.len();
    ring.push(first);
    retain(ring, tolerance, [(0, turn), (turn, end)]);
    ring.pop();
}

/// Of each part the ends, and what lies farthest off the edge between two that stay.
fn retain<const PARTS: usize>(line: &mut Line, tolerance: f64, parts: [(usize, usize); PARTS]) {
    let mut is_kept: SmallVec<[bool; 32]> = smallvec![false; line.len()];
    for (from, until) in parts {
        is_kept[from] = true;
        is_kept[until] = true;
    }
    let mut open: SmallVec<[(usize, usize); 32]> = SmallVec::from_slice(&parts);
    while let Some((from, until)) = open.pop() {
        let (mut worst, mut at) = (tolerance * tolerance, None);
        for place in from + 1..until {
            let off = off_course(line[place], line[from], line[until]);
            if off > worst {
                (worst, at) = (off, Some(place));
            }
        }
        if let Some(at) = at {
            is_kept[at] = true;
            open.extend([(from, at), (at, until)]);
        }
    }
    let mut is_kept = is_kept.into_iter();
    line.retain(|_| is_kept.next() == Some(true));
}

/// The square of the distance from an edge.
fn off_course(point: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length = dx * dx + dy * dy;
    let share = if length > 0.0 {
        (((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (point[0] - a[0] - share * dx).powi(2) + (point[1] - a[1] - share * dy).powi(2)
}
