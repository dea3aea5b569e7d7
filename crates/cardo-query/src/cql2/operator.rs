use cardo_spatial::GeoRelation;

use crate::predicate::{ArrayRelation, Function, Order, TimeOrder};

/// An operator or a function.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Operation {
    And,
    Or,
    Not,
    Compare(Order),
    Like,
    Between,
    In,
    IsNull,
    Spatial(GeoRelation),
    Temporal(TimeOrder),
    Array(ArrayRelation),
    Arithmetic(Function),
    CaseI,
    AccentI,
    /// Of this name, as it was written.
    Function(Box<str>),
}

/// How many arguments an operator takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arity {
    Exactly(usize),
    AtLeast(usize),
}

/// The operators by their names in JSON (OGC 21-065r2, annex C); in text they are the same without
/// regard to case, or have a form of their own.
const OPERATIONS: &[(&str, Operation)] = &[
    ("and", Operation::And),
    ("or", Operation::Or),
    ("not", Operation::Not),
    ("=", Operation::Compare(Order::Equal)),
    ("<>", Operation::Compare(Order::Unequal)),
    ("<", Operation::Compare(Order::Less)),
    (">", Operation::Compare(Order::Greater)),
    ("<=", Operation::Compare(Order::LessOrEqual)),
    (">=", Operation::Compare(Order::GreaterOrEqual)),
    ("like", Operation::Like),
    ("between", Operation::Between),
    ("in", Operation::In),
    ("isNull", Operation::IsNull),
    ("casei", Operation::CaseI),
    ("accenti", Operation::AccentI),
    ("+", Operation::Arithmetic(Function::Add)),
    ("-", Operation::Arithmetic(Function::Subtract)),
    ("*", Operation::Arithmetic(Function::Multiply)),
    ("/", Operation::Arithmetic(Function::Divide)),
    ("%", Operation::Arithmetic(Function::Modulo)),
    ("div", Operation::Arithmetic(Function::IntegerDivide)),
    ("^", Operation::Arithmetic(Function::Power)),
    ("s_intersects", Operation::Spatial(GeoRelation::Intersects)),
    ("s_equals", Operation::Spatial(GeoRelation::Equals)),
    ("s_disjoint", Operation::Spatial(GeoRelation::Disjoint)),
    ("s_touches", Operation::Spatial(GeoRelation::Touches)),
    ("s_within", Operation::Spatial(GeoRelation::Within)),
    ("s_overlaps", Operation::Spatial(GeoRelation::Overlaps)),
    ("s_crosses", Operation::Spatial(GeoRelation::Crosses)),
    ("s_contains", Operation::Spatial(GeoRelation::Contains)),
    ("t_after", Operation::Temporal(TimeOrder::After)),
    ("t_before", Operation::Temporal(TimeOrder::Before)),
    ("t_contains", Operation::Temporal(TimeOrder::Contains)),
    ("t_disjoint", Operation::Temporal(TimeOrder::Disjoint)),
    ("t_during", Operation::Temporal(TimeOrder::During)),
    ("t_equals", Operation::Temporal(TimeOrder::Equals)),
    ("t_finishedBy", Operation::Temporal(TimeOrder::FinishedBy)),
    ("t_finishes", Operation::Temporal(TimeOrder::Finishes)),
    ("t_intersects", Operation::Temporal(TimeOrder::Intersects)),
    ("t_meets", Operation::Temporal(TimeOrder::Meets)),
    ("t_metBy", Operation::Temporal(TimeOrder::MetBy)),
    ("t_overlappedBy", Operation::Temporal(TimeOrder::OverlappedBy)),
    ("t_overlaps", Operation::Temporal(TimeOrder::Overlaps)),
    ("t_startedBy", Operation::Temporal(TimeOrder::StartedBy)),
    ("t_starts", Operation::Temporal(TimeOrder::Starts)),
    ("a_equals", Operation::Array(ArrayRelation::Equals)),
    ("a_contains", Operation::Array(ArrayRelation::Contains)),
    ("a_containedBy", Operation::Array(ArrayRelation::ContainedBy)),
    ("a_overlaps", Operation::Array(ArrayRelation::Overlaps)),
];

impl Operation {
    /// The operator of a name in JSON, else the function.
    pub(super) fn of_json(name: &str) -> Self {
        let found = OPERATIONS.iter().find(|(operator, _)| *operator == name);
        found.map_or_else(|| Self::Function(name.into()), |(_, operation)| operation.clone())
    }

    /// The operator that is written as a function in text, else the function.
    pub(super) fn of_call(name: &str) -> Self {
        let found = OPERATIONS.iter().find(|(operator, operation)| {
            operation.is_called() && operator.eq_ignore_ascii_case(name)
        });
        found.map_or_else(|| Self::Function(name.into()), |(_, operation)| operation.clone())
    }

    /// The name in JSON.
    pub fn name(&self) -> &str {
        match self {
            Self::Function(name) => name,
            _ => OPERATIONS
                .iter()
                .find(|(_, operation)| operation == self)
                .map_or("", |(name, _)| name),
        }
    }

    /// Whether its text is a name with arguments in parentheses.
    pub(super) fn is_called(&self) -> bool {
        matches!(
            self,
            Self::Spatial(_)
                | Self::Temporal(_)
                | Self::Array(_)
                | Self::CaseI
                | Self::AccentI
                | Self::Function(_)
        )
    }

    pub(super) fn is_arithmetic(&self) -> bool {
        matches!(self, Self::Arithmetic(_))
    }

    /// Whether it gives a truth value; functions may.
    pub(super) fn is_condition(&self) -> bool {
        !matches!(self, Self::Arithmetic(_) | Self::CaseI | Self::AccentI | Self::Function(_))
    }

    pub(super) fn arity(&self) -> Arity {
        match self {
            Self::And | Self::Or => Arity::AtLeast(2),
            Self::Not | Self::IsNull | Self::CaseI | Self::AccentI => Arity::Exactly(1),
            Self::Between => Arity::Exactly(3),
            Self::Function(_) => Arity::AtLeast(0),
            _ => Arity::Exactly(2),
        }
    }
}
