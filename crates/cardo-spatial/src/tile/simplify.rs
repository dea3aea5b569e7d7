//! Fewer positions (after Douglas and Peucker).

/// The positions of a line without which it would leave its course by more than `tolerance`.
pub(super) fn line(line: &[[f64; 2]], tolerance: f64) -> Vec<[f64; 2]> {
    if tolerance <= 0.0 || line.len() < 3 {
        return line.to_vec();
    }
    let mut is_kept = vec![false; line.len()];
    is_kept[0] = true;
    is_kept[line.len() - 1] = true;
    keep(line, tolerance, &mut is_kept);
    line.iter().zip(is_kept).filter(|(_, kept)| *kept).map(|(at, _)| *at).collect()
}

/// The same for a ring without its closing position. It is taken as two lines, from its first position to the one that
/// is farthest from it and back, so that where it begins and turns stays.
pub(super) fn ring(ring: &[[f64; 2]], tolerance: f64) -> Vec<[f64; 2]> {
    if tolerance <= 0.0 || ring.len() < 5 {
        return ring.to_vec();
    }
    let first = ring[0];
    let far = |at: [f64; 2]| (at[0] - first[0]).powi(2) + (at[1] - first[1]).powi(2);
    let turn = (1..ring.len()).max_by(|a, b| far(ring[*a]).total_cmp(&far(ring[*b]))).unwrap_or(0);
    let mut out = line(&ring[..=turn], tolerance);
    out.pop();
    let back: Vec<[f64; 2]> = ring[turn..].iter().copied().chain([first]).collect();
    out.extend(line(&back, tolerance));
    out.pop();
    out
}

fn keep(line: &[[f64; 2]], tolerance: f64, is_kept: &mut [bool]) {
    let mut open = vec![(0, line.len() - 1)];
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
