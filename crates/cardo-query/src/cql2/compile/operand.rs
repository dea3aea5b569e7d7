//! Comparisons, and operands by their sort.

use super::{Compiler, Condition, Typed, folded, sort_noun};
use crate::cql2::geometry::shape_of_box;
use crate::cql2::{Cql2Error, Expression, Kind};
use crate::predicate::{Datum, Order, Predicate, Sort, Term};
use cardo_spatial::Crs;
use std::sync::Arc;

impl Compiler<'_> {
    pub(super) fn compare(&self, order: Order, left: &Expression, right: &Expression) -> Condition {
        let (mut left, mut right) = (self.term(left)?, self.term(right)?);
        check_comparable(&left, &right)?;
        self.spell_out(&mut left, right.sort);
        self.spell_out(&mut right, left.sort);
        Ok(Predicate::Compare { order, left: left.term, right: right.term })
    }

    pub(super) fn one_of(&self, sought: &Expression, list: &Expression) -> Condition {
        let sought = self.term(sought)?;
        let Kind::Array(items) = &list.kind else {
            return Err(Cql2Error::meaning(&list.place, "in takes a list"));
        };
        let mut terms = Vec::with_capacity(items.len());
        for item in items {
            let mut item = self.term(item)?;
            check_comparable(&sought, &item)?;
            self.spell_out(&mut item, sought.sort);
            terms.push(item.term);
        }
        Ok(Predicate::In(sought.term, terms))
    }

    /// A name that is compared with names of a vocabulary is meant in full.
    fn spell_out(&self, typed: &mut Typed, other: Sort) {
        if other == Sort::Vocab
            && let Term::Constant(Some(Datum::Text(text))) = &mut typed.term
        {
            *text = self.queryables.full_name(text).into();
        }
    }

    pub(super) fn number(&self, expression: &Expression) -> Result<Term, Cql2Error> {
        let typed = self.term(expression)?;
        typed.need(&[Sort::Number], "a number")?;
        Ok(typed.term)
    }

    pub(super) fn text(&self, expression: &Expression) -> Result<Term, Cql2Error> {
        let typed = self.term(expression)?;
        typed.need(&[Sort::Text, Sort::Vocab], "a text")?;
        Ok(typed.term)
    }

    pub(super) fn geometry(&self, expression: &Expression) -> Result<Term, Cql2Error> {
        let typed = self.term(expression)?;
        typed.need(&[Sort::Geometry], "a geometry")?;
        Ok(typed.term)
    }

    pub(super) fn array(&self, expression: &Expression) -> Result<Term, Cql2Error> {
        let typed = self.term(expression)?;
        typed.need(&[Sort::Array], "an array")?;
        Ok(match typed.term {
            // What is found is looked at as an array, of one item where it is none.
            Term::Path(path, Sort::Any) => Term::Path(path, Sort::Array),
            term => folded(term),
        })
    }
}

/// Refuses operands of unlike types (requirement /req/basic-cql2/binary-comparison-predicate, D).
fn check_comparable(left: &Typed, right: &Typed) -> Result<(), Cql2Error> {
    for typed in [left, right] {
        let instead = match typed.sort {
            Sort::Geometry => "geometries are compared by S_EQUALS and the like",
            Sort::Array => "arrays are compared by A_EQUALS, A_CONTAINS and the like",
            Sort::Interval => "intervals are compared by T_EQUALS and the like",
            _ => continue,
        };
        let reason = format!("{} is {}; {instead}", typed.noun, sort_noun(typed.sort));
        return Err(Cql2Error::meaning(&typed.place, reason));
    }
    let is_like = match (class(left.sort), class(right.sort)) {
        (Class::Any, _) | (_, Class::Any) => true,
        // A property with dates in texts is read as what it is compared with.
        (Class::Text, Class::Time) => !left.is_constant(),
        (Class::Time, Class::Text) => !right.is_constant(),
        (left, right) => left == right,
    };
    if is_like {
        return Ok(());
    }
    let reason = format!(
        "{} is {}, and {} is {}: they cannot be compared",
        left.noun,
        sort_noun(left.sort),
        right.noun,
        sort_noun(right.sort)
    );
    Err(Cql2Error::meaning(&right.place, reason))
}

#[derive(PartialEq)]
enum Class {
    Any,
    Bool,
    Number,
    Text,
    Time,
    Other,
}

fn class(sort: Sort) -> Class {
    match sort {
        Sort::Any => Class::Any,
        Sort::Bool => Class::Bool,
        Sort::Number => Class::Number,
        Sort::Text | Sort::Vocab => Class::Text,
        Sort::Date | Sort::Moment => Class::Time,
        Sort::Interval | Sort::Geometry | Sort::Array => Class::Other,
    }
}

/// The value of a geometry or a box.
pub(super) fn geometry(expression: &Expression, system: &Crs) -> Result<Datum, Cql2Error> {
    let wrong = |reason: String| Cql2Error::meaning(&expression.place, reason);
    let shape = match &expression.kind {
        Kind::Geometry(literal) => {
            literal.shape(system).map_err(|error| wrong(error.to_string()))?
        }
        Kind::Bbox(numbers) => {
            shape_of_box(numbers, system).map_err(|error| wrong(error.to_string()))?
        }
        _ => return Err(wrong("a geometry is expected".to_owned())),
    };
    Ok(Datum::Geometry(Arc::new(shape)))
}
