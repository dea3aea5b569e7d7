//! Instants and intervals.

use super::{Compiler, Condition, Typed, folded, sort_noun};
use crate::cql2::{Cql2Error, Expression, Kind};
use crate::predicate::{Datum, Instant, Predicate, Sort, Term, TimeOrder};

impl Compiler<'_> {
    pub(super) fn temporal(
        &self,
        order: TimeOrder,
        left: &Expression,
        right: &Expression,
    ) -> Condition {
        let mut operands = Vec::with_capacity(2);
        for operand in [left, right] {
            let typed = self.term(operand)?;
            if typed.sort == Sort::Interval || order.takes_instants() && is_instant(&typed) {
                operands.push(typed.term);
                continue;
            }
            let expected =
                if order.takes_instants() { "an instant or an interval" } else { "an interval" };
            let reason =
                format!("{expected} is expected, and {} is {}", typed.noun, sort_noun(typed.sort));
            return Err(Cql2Error::meaning(&typed.place, reason));
        }
        let right = operands.pop().expect("there are two");
        let left = operands.pop().expect("there are two");
        Ok(Predicate::Temporal(order, left, right))
    }

    pub(super) fn interval(&self, ends: &[Expression; 2]) -> Result<Term, Cql2Error> {
        let [from, until] = ends;
        Ok(folded(Term::Interval(Box::new([self.end(from)?, self.end(until)?]))))
    }

    fn end(&self, end: &Expression) -> Result<Term, Cql2Error> {
        match end.kind {
            Kind::Open => Ok(Term::Constant(Some(Datum::Interval(None, None)))),
            _ => self.instant(end),
        }
    }

    pub(super) fn instant(&self, expression: &Expression) -> Result<Term, Cql2Error> {
        let typed = self.term(expression)?;
        if is_instant(&typed) {
            return Ok(typed.term);
        }
        let reason = format!(
            "a date or a timestamp is expected, and {} is {}",
            typed.noun,
            sort_noun(typed.sort)
        );
        Err(Cql2Error::meaning(&typed.place, reason))
    }
}

/// Whether it may be a date or a moment: texts of a property are read as such.
fn is_instant(typed: &Typed) -> bool {
    match typed.sort {
        Sort::Date | Sort::Moment | Sort::Any => true,
        Sort::Text => !typed.is_constant(),
        _ => false,
    }
}

/// The value of a date or a timestamp.
pub(super) fn instant(expression: &Expression) -> Result<(Term, Sort), Cql2Error> {
    let (instant, sort) = match &expression.kind {
        Kind::Date(text) => (Instant::date(text), Sort::Date),
        Kind::Timestamp(moment) => (Some(Instant::Moment(*moment)), Sort::Moment),
        _ => (None, Sort::Moment),
    };
    let Some(instant) = instant else {
        return Err(Cql2Error::meaning(&expression.place, "it is no date of the calendar"));
    };
    Ok((Term::Constant(Some(Datum::Instant(instant))), sort))
}
