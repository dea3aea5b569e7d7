//! Conditions that are true, false or unknown, over values that are computed: what OGC languages
//! have beyond comparisons of a path with constants.

mod datum;
mod function;
mod names;

pub use datum::{Datum, Instant};
pub use function::{Function, Signature, Sort, all_functions};

use std::sync::Arc;

use cardo_model::Iri;
use cardo_spatial::GeoRelation;

use crate::{GeoTest, Path, Pattern};

/// A condition in the logic of three values: what it says of something that is not there is
/// unknown.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate<N = Iri> {
    /// False where any part is, else unknown where any part is.
    And(Vec<Predicate<N>>),
    /// True where any part is, else unknown where any part is.
    Or(Vec<Predicate<N>>),
    /// What is unknown stays so.
    Not(Box<Predicate<N>>),
    /// A truth value.
    Is(Term<N>),
    /// Two values compare.
    Compare {
        /// How.
        order: Order,
        /// The first.
        left: Term<N>,
        /// The second.
        right: Term<N>,
    },
    /// A text is all of what a pattern says.
    Like(Term<N>, Pattern),
    /// A number lies between two others or is one of them.
    Between(Box<[Term<N>; 3]>),
    /// A value is one of a list.
    In(Term<N>, Vec<Term<N>>),
    /// There is no value. Never unknown.
    IsNull(Term<N>),
    /// Two geometries relate, the first to the second.
    Spatial(GeoRelation, Term<N>, Term<N>),
    /// The same to a constant, prepared for many tests.
    SpatialTo(Term<N>, Arc<GeoTest>),
    /// Two instants or intervals relate, the first to the second.
    Temporal(TimeOrder, Term<N>, Term<N>),
    /// Two arrays relate as sets.
    Array(ArrayRelation, Term<N>, Term<N>),
}

/// A value to be found or computed; it may be missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Term<N = Iri> {
    /// A constant; `None` is missing.
    Constant(Option<Datum>),
    /// What a path leads to, read as a value of this sort.
    Path(Path<N>, Sort),
    /// What a function makes of others.
    Call(Function, Vec<Term<N>>),
    /// From the first instant to the second, both included.
    Interval(Box<[Term<N>; 2]>),
    /// Several values.
    Array(Vec<Term<N>>),
    /// Whether a condition is true.
    Truth(Box<Predicate<N>>),
}

/// How two values stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Order {
    Equal,
    Unequal,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

/// How two instants or intervals stand (OGC 21-065r2, clause 7.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TimeOrder {
    After,
    Before,
    Contains,
    Disjoint,
    During,
    Equals,
    FinishedBy,
    Finishes,
    Intersects,
    Meets,
    MetBy,
    OverlappedBy,
    Overlaps,
    StartedBy,
    Starts,
}

/// How two arrays relate as sets (OGC 21-065r2, requirement /req/array-functions/array-predicates).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ArrayRelation {
    Equals,
    Contains,
    ContainedBy,
    Overlaps,
}

impl Order {
    /// The same order, asked from the other side.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::Greater => Self::Less,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::Unequal => self,
        }
    }

    /// The order that holds of two values where this does not.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Equal => Self::Unequal,
            Self::Unequal => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::Greater => Self::LessOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// Whether two values that stand so are in this order.
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Unequal => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::Greater => ordering.is_gt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl TimeOrder {
    /// Whether it has a meaning for instants; all have one for intervals.
    pub fn takes_instants(self) -> bool {
        matches!(
            self,
            Self::After | Self::Before | Self::Disjoint | Self::Equals | Self::Intersects
        )
    }
}
