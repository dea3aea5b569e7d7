//! Instants and intervals (OGC 21-065r2, clause 7.7; the definitions are those of OWL-Time).

use crate::predicate::{Datum, Instant, TimeOrder};

/// From the first to the last of a measure of time, both included.
type Span = [i64; 2];

/// Whether two instants or intervals stand so; unknown where one of them is neither.
pub(super) fn holds(order: TimeOrder, left: &Datum, right: &Datum) -> Option<bool> {
    let (left, right) = (ends(left)?, ends(right)?);
    let is_days = [left, right]
        .as_flattened()
        .iter()
        .flatten()
        .all(|instant| matches!(instant, Instant::Day(_)));
    let ([start, end], [other_start, other_end]) = (span(left, is_days), span(right, is_days));
    Some(match order {
        TimeOrder::After => start > other_end,
        TimeOrder::Before => end < other_start,
        TimeOrder::Disjoint => start > other_end || end < other_start,
        TimeOrder::Intersects => start <= other_end && end >= other_start,
        TimeOrder::Equals => start == other_start && end == other_end,
        TimeOrder::Contains => start < other_start && end > other_end,
        TimeOrder::During => start > other_start && end < other_end,
        TimeOrder::Finishes => start > other_start && end == other_end,
        TimeOrder::FinishedBy => start < other_start && end == other_end,
        TimeOrder::Starts => start == other_start && end < other_end,
        TimeOrder::StartedBy => start == other_start && end > other_end,
        TimeOrder::Meets => end == other_start,
        TimeOrder::MetBy => start == other_end,
        TimeOrder::Overlaps => start < other_start && end > other_start && end < other_end,
        TimeOrder::OverlappedBy => start > other_start && start < other_end && end > other_end,
    })
}

fn ends(datum: &Datum) -> Option<[Option<Instant>; 2]> {
    match datum {
        Datum::Instant(instant) => Some([Some(*instant); 2]),
        Datum::Interval(from, until) => Some([*from, *until]),
        Datum::Text(text) => Instant::parse(text).map(|instant| [Some(instant); 2]),
        _ => None,
    }
}

/// In days where everything is as exact as that, so that a day meets itself; else in microseconds,
/// where a date is its whole day.
fn span([from, until]: [Option<Instant>; 2], is_days: bool) -> Span {
    let measure = |instant: Instant, end: usize| match instant {
        Instant::Day(day) if is_days => day,
        other => other.span()[end],
    };
    [
        from.map_or(i64::MIN, |instant| measure(instant, 0)),
        until.map_or(i64::MAX, |instant| measure(instant, 1)),
    ]
}
