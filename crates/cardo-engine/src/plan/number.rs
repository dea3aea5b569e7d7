use std::ops::RangeInclusive;

use cardo_query::{Comparison, Datasets, Literal, Member, Operand, Operator, Path, Root};

use crate::live::number_key;

use cardo_model::NameId;

/// Longer lists of texts are left to the records.
const MAX_TEXTS: usize = 1_000;

/// Ranges of keys, see [`number_key`].
pub(super) type Ranges = Vec<RangeInclusive<u64>>;

/// Which numbers meet a comparison, where an index of single numbers can answer it: a plain path
/// to the value of an attribute, compared with numbers alone.
pub(super) fn ranges_of(comparison: &Comparison<NameId>) -> Option<(NameId, Ranges)> {
    let name = plain_attribute(&comparison.path)?;
    let lowest = number_key(f64::NEG_INFINITY);
    let highest = number_key(f64::INFINITY);
    let one = |number: f64| number_key(number)..=number_key(number);
    let ranges = match (comparison.operator, &comparison.operand) {
        (Operator::Equal, operand) => equal_ranges(operand)?,
        (Operator::Unequal, operand) => without(equal_ranges(operand)?, lowest, highest),
        (Operator::Greater, Operand::One(Literal::Number(n))) => vec![one(*n).end() + 1..=highest],
        (Operator::GreaterOrEqual, Operand::One(Literal::Number(n))) => {
            vec![*one(*n).start()..=highest]
        }
        (Operator::Less, Operand::One(Literal::Number(n))) => vec![lowest..=one(*n).start() - 1],
        (Operator::LessOrEqual, Operand::One(Literal::Number(n))) => vec![lowest..=*one(*n).end()],
        _ => return None,
    };
    Some((name, ranges))
}

fn equal_ranges(operand: &Operand) -> Option<Ranges> {
    let number = |literal: &Literal| match literal {
        Literal::Number(n) => Some(number_key(*n)),
        _ => None,
    };
    let mut ranges: Ranges = match operand {
        Operand::One(one) => vec![number(one)?..=number(one)?],
        Operand::List(list) => {
            list.iter().map(|l| number(l).map(|key| key..=key)).collect::<Option<_>>()?
        }
        Operand::Range(from, to) => vec![number(from)?..=number(to)?],
        Operand::Pattern(_) => return None,
    };
    // Apart from one another, so that no slot is found twice.
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable_by_key(|range| *range.start());
    ranges.dedup();
    Some(ranges)
}

/// All keys between two that are in none of the sorted ranges.
fn without(ranges: Ranges, lowest: u64, highest: u64) -> Ranges {
    let mut rest = Vec::with_capacity(ranges.len() + 1);
    let mut from = lowest;
    for range in ranges {
        if *range.start() > from {
            rest.push(from..=range.start() - 1);
        }
        from = range.end() + 1;
    }
    if from <= highest {
        rest.push(from..=highest);
    }
    rest
}

/// The texts that a comparison asks to be equal to one of, where an index of single strings helps.
pub(super) fn texts_of(comparison: &Comparison<NameId>) -> Option<(NameId, Vec<&str>)> {
    let name = plain_attribute(&comparison.path)?;
    match (comparison.operator, &comparison.operand) {
        (Operator::Equal, Operand::One(literal)) => Some((name, vec![text(literal)?])),
        (Operator::Equal, Operand::List(literals)) if literals.len() <= MAX_TEXTS => {
            Some((name, literals.iter().map(text).collect::<Option<_>>()?))
        }
        _ => None,
    }
}

fn text(literal: &Literal) -> Option<&str> {
    match literal {
        Literal::Text(text) => Some(text),
        _ => None,
    }
}

fn plain_attribute(path: &Path<NameId>) -> Option<NameId> {
    let is_plain = path.attributes.is_empty()
        && path.keys.is_empty()
        && path.member == Member::Value
        && !matches!(path.datasets, Datasets::Only(_));
    match path.root {
        Root::Attribute(name) if is_plain => Some(name),
        _ => None,
    }
}
