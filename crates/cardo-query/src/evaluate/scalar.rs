use std::borrow::Cow;
use std::cmp::Ordering;

use cardo_model::Timestamp;

use crate::time_text::{is_date, time_of_day};
use crate::{Literal, Operand, Operator};

/// A value that is neither a list nor an object, as far as a comparison looks at it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Number(f64),
    Text(Cow<'a, str>),
    Bool(bool),
    Time(Timestamp),
    /// Null, or a list or object where no scalar was expected: unequal to every constant.
    Other,
}

/// The number that a JSON text is, `None` where it is anything else.
///
/// An engine may answer a comparison with numbers from a column of these, in place of
/// [`instance_matches`](crate::instance_matches), for instances of the kind Property without
/// reading them again: the evaluator compares exactly this number. Instances without such a number
/// (texts, lists, typed values, other kinds) have to be judged by themselves.
#[inline]
pub fn scalar_number(json: &[u8]) -> Option<f64> {
    if !matches!(json.first(), Some(b'-' | b'0'..=b'9')) {
        return None;
    }
    std::str::from_utf8(json).ok()?.parse().ok().filter(|number: &f64| number.is_finite())
}

impl<'a> Scalar<'a> {
    pub(super) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// Reads JSON that is no list and no object.
    #[inline]
    pub(super) fn read(json: &'a [u8]) -> Self {
        match json.first() {
            Some(b'-' | b'0'..=b'9') => scalar_number(json).map_or(Self::Other, Self::Number),
            Some(b'"') => read_text(json).map_or(Self::Other, Self::Text),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            _ => Self::Other,
        }
    }

    /// Whether the scalar, being the target value, meets the condition.
    #[inline]
    pub(super) fn matches(&self, operator: Operator, operand: &Operand) -> bool {
        match operator {
            Operator::Equal => self.equals_any(operand),
            Operator::Unequal => !self.equals_any(operand),
            Operator::Greater => self.is_ordered(operand, Ordering::is_gt),
            Operator::GreaterOrEqual => self.is_ordered(operand, Ordering::is_ge),
            Operator::Less => self.is_ordered(operand, Ordering::is_lt),
            Operator::LessOrEqual => self.is_ordered(operand, Ordering::is_le),
            Operator::Matches => self.is_in_language(operand) == Some(true),
            Operator::MatchesNot => self.is_in_language(operand) == Some(false),
        }
    }

    /// Whether the scalar equals the constant, any constant of a list, or lies in a range.
    pub(super) fn equals_any(&self, operand: &Operand) -> bool {
        let equals = |literal| self.order(literal) == Some(Ordering::Equal);
        match operand {
            Operand::One(literal) => equals(literal),
            Operand::List(literals) => literals.iter().any(equals),
            Operand::Range(least, greatest) => {
                self.order(least).is_some_and(Ordering::is_ge)
                    && self.order(greatest).is_some_and(Ordering::is_le)
            }
            Operand::Pattern(_) => false,
        }
    }

    fn is_ordered(&self, operand: &Operand, holds: fn(Ordering) -> bool) -> bool {
        match operand {
            // False and true have no order.
            Operand::One(Literal::Bool(_))
            | Operand::List(_)
            | Operand::Range(..)
            | Operand::Pattern(_) => false,
            Operand::One(literal) => self.order(literal).is_some_and(holds),
        }
    }

    fn is_in_language(&self, operand: &Operand) -> Option<bool> {
        match (self, operand) {
            (Self::Text(text), Operand::Pattern(pattern)) => Some(pattern.is_match(text)),
            _ => None,
        }
    }

    /// How the scalar stands to a constant; `None` where their data types differ.
    fn order(&self, literal: &Literal) -> Option<Ordering> {
        match (self, literal) {
            (Self::Number(value), Literal::Number(constant)) => value.partial_cmp(constant),
            (Self::Text(value), Literal::Text(constant)) => Some(value.as_ref().cmp(constant)),
            (Self::Bool(value), Literal::Bool(constant)) => Some(value.cmp(constant)),
            (Self::Time(value), Literal::DateTime(constant)) => Some(value.cmp(constant)),
            (Self::Time(value), Literal::Text(constant)) => {
                Some(value.cmp(&Timestamp::parse(constant).ok()?))
            }
            (Self::Text(value), Literal::DateTime(constant)) => {
                Some(Timestamp::parse(value).ok()?.cmp(constant))
            }
            (Self::Text(value), Literal::Date(constant)) => {
                is_date(value).then(|| value.as_ref().cmp(constant))
            }
            (Self::Text(value), Literal::Time(constant)) => {
                Some(time_of_day(value)?.cmp(&time_of_day(constant)?))
            }
            _ => None,
        }
    }
}

fn read_text(json: &[u8]) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if inner.contains(&b'\\') {
        return serde_json::from_slice(json).ok().map(Cow::Owned);
    }
    std::str::from_utf8(inner).ok().map(Cow::Borrowed)
}
