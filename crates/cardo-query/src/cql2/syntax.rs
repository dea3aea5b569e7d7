use cardo_model::Timestamp;

use super::geometry::Literal;
use super::{Operation, Place};

/// A filter, or a part of one, as it was written.
///
/// Two are equal where they say the same, wherever that stands.
#[derive(Clone, Debug)]
pub struct Expression {
    /// Where it begins.
    pub place: Place,
    /// What stands there.
    pub kind: Kind,
}

/// What a part of a filter is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// An operator or a function, and what it is put to. The list of `in` is an [`Kind::Array`].
    Call(Operation, Vec<Expression>),
    /// The name of a property.
    Property(Box<str>),
    /// A text.
    Text(Box<str>),
    /// A number.
    Number(f64),
    /// A truth value.
    Bool(bool),
    /// A date of the form `YYYY-MM-DD`.
    Date(Box<str>),
    /// A moment.
    Timestamp(Timestamp),
    /// From one end to another: dates, moments, properties, functions, [`Kind::Open`].
    Interval(Box<[Expression; 2]>),
    /// The end of an interval that has none.
    Open,
    /// A geometry.
    Geometry(Literal),
    /// A box: 4 or 6 numbers.
    Bbox(Vec<f64>),
    /// Several values.
    Array(Vec<Expression>),
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Expression {
    /// A part that stands at a place.
    pub fn new(place: Place, kind: Kind) -> Self {
        Self { place, kind }
    }

    /// What a part is called in an error.
    pub(super) fn noun(&self) -> &'static str {
        match &self.kind {
            Kind::Call(Operation::Function(_), _) => "a function",
            Kind::Call(operation, _) if operation.is_arithmetic() => "a number",
            Kind::Call(Operation::CaseI | Operation::AccentI, _) | Kind::Text(_) => "a text",
            Kind::Call(..) => "a condition",
            Kind::Property(_) => "a property",
            Kind::Number(_) => "a number",
            Kind::Bool(_) => "a truth value",
            Kind::Date(_) => "a date",
            Kind::Timestamp(_) => "a timestamp",
            Kind::Interval(_) => "an interval",
            Kind::Open => "an open end",
            Kind::Geometry(_) => "a geometry",
            Kind::Bbox(_) => "a box",
            Kind::Array(_) => "an array",
        }
    }
}
