//! The value by which a candidate stands in an order, read by the rules of comparison.

use std::cmp::Ordering;

use cardo_model::{NameId, Timestamp};

use super::instance::instance_scalar;
use super::rank::{Ranked, Ranking};
use super::scalar::Scalar;
use super::{any_of, is_root_alone, time_of};
use crate::{Candidate, Path, Root};

/// What a candidate is ordered by. Values of one type are ordered as they are compared; of several
/// types, truth values stand before numbers, numbers before times, and times before texts.
#[derive(Clone, Debug, PartialEq)]
pub enum SortKey {
    /// A truth value, false first.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A moment.
    Time(Timestamp),
    /// A text, by code point.
    Text(Box<str>),
    /// A value by clause 4.23.2, see [`Ranking`].
    Ranked(Ranked),
    /// Nothing that has an order; stands last in both directions.
    Missing,
}

impl SortKey {
    /// What the path leads to in a candidate.
    pub fn of<C: Candidate + ?Sized>(path: &Path<NameId>, candidate: &C) -> Self {
        match path.root {
            Root::Attribute(name) => {
                let mut key = Self::Missing;
                any_of(candidate, name, &path.datasets, &mut |instance| {
                    if let Some(scalar) = instance_scalar(path, instance) {
                        key = Self::from(scalar);
                    }
                    key != Self::Missing
                });
                key
            }
            _ if !is_root_alone(path) => Self::Missing,
            Root::Id => Self::Text(candidate.id().into()),
            Root::Scope => {
                let mut key = Self::Missing;
                candidate.any_scope(&mut |scope| {
                    key = Self::Text(scope.into());
                    true
                });
                key
            }
            Root::Type => Self::Missing,
            Root::CreatedAt | Root::ModifiedAt | Root::ExpiresAt => {
                time_of(path, candidate).map_or(Self::Missing, Self::Time)
            }
        }
    }

    /// How what the path leads to in a candidate stands to a key, without making a key of it.
    pub fn order_of<C: Candidate + ?Sized>(
        path: &Path<NameId>,
        candidate: &C,
        other: &Self,
        descending: bool,
    ) -> Ordering {
        let Root::Attribute(name) = path.root else {
            return Self::of(path, candidate).compare(other, descending);
        };
        let mut order = None;
        any_of(candidate, name, &path.datasets, &mut |instance| {
            let scalar = instance_scalar(path, instance);
            order = scalar.and_then(|scalar| order_of(scalar, other, descending));
            order.is_some()
        });
        order.unwrap_or_else(|| Self::Missing.compare(other, descending))
    }

    /// How two keys stand in an order that goes up, or down.
    pub fn compare(&self, other: &Self, descending: bool) -> Ordering {
        match (self, other) {
            (Self::Missing, Self::Missing) => Ordering::Equal,
            (Self::Missing, _) => Ordering::Greater,
            (_, Self::Missing) => Ordering::Less,
            _ if descending => other.ascending(self),
            _ => self.ascending(other),
        }
    }

    /// The same where texts stand by a collation.
    pub fn compare_by(&self, other: &Self, descending: bool, ranking: &Ranking) -> Ordering {
        match (self, other) {
            (Self::Ranked(one), Self::Ranked(other)) if descending => ranking.compare(other, one),
            (Self::Ranked(one), Self::Ranked(other)) => ranking.compare(one, other),
            _ => self.compare(other, descending),
        }
    }

    fn ascending(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Number(_) => 1,
            Self::Time(_) => 2,
            Self::Text(_) => 3,
            Self::Ranked(_) => 4,
            Self::Missing => 5,
        }
    }
}

/// Nothing where the scalar has no order.
fn order_of(scalar: Scalar<'_>, other: &SortKey, descending: bool) -> Option<Ordering> {
    match (scalar, other) {
        (Scalar::Other, _) => None,
        (Scalar::Text(text), SortKey::Text(other)) => {
            let order = text.as_ref().cmp(other);
            Some(if descending { order.reverse() } else { order })
        }
        (scalar, other) => Some(SortKey::from(scalar).compare(other, descending)),
    }
}

impl From<Scalar<'_>> for SortKey {
    fn from(scalar: Scalar<'_>) -> Self {
        match scalar {
            // Negative zero is the zero that it equals.
            Scalar::Number(number) => Self::Number(number + 0.0),
            Scalar::Text(text) => Self::Text(text.into()),
            Scalar::Bool(value) => Self::Bool(value),
            Scalar::Time(time) => Self::Time(time),
            Scalar::Other => Self::Missing,
        }
    }
}
