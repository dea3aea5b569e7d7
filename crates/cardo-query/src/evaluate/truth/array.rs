//! Arrays as sets (OGC 21-065r2, requirement /req/array-functions/array-predicates).

use crate::predicate::{ArrayRelation, Datum};

/// Whether two arrays relate so; unknown where one of them is none.
pub(super) fn holds(relation: ArrayRelation, left: &Datum, right: &Datum) -> Option<bool> {
    let (Datum::Array(left), Datum::Array(right)) = (left, right) else { return None };
    Some(match relation {
        ArrayRelation::Contains => includes(left, right),
        ArrayRelation::ContainedBy => includes(right, left),
        ArrayRelation::Equals => includes(left, right) && includes(right, left),
        ArrayRelation::Overlaps => right.iter().any(|item| has(left, item.as_ref())),
    })
}

fn includes(set: &[Option<Datum>], part: &[Option<Datum>]) -> bool {
    part.iter().all(|item| has(set, item.as_ref()))
}

/// What is missing is in no set.
fn has(set: &[Option<Datum>], item: Option<&Datum>) -> bool {
    let Some(item) = item else { return false };
    set.iter().flatten().any(|other| is_same(other, item))
}

fn is_same(one: &Datum, other: &Datum) -> bool {
    match (one, other) {
        (Datum::Array(one), Datum::Array(other)) => includes(one, other) && includes(other, one),
        _ => one.is_same(other),
    }
}
