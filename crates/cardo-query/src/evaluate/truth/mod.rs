//! Predicates put to a candidate, in the logic of three values (OGC 21-065r2, clause 6.2).

mod array;
mod call;
mod time;
mod value;

use std::borrow::Cow;

use cardo_model::NameId;
use cardo_spatial::{GeoRelation, PreparedQuery};

use crate::predicate::{Datum, Order, Predicate, Sort, Term};
use crate::{Candidate, GeoTest};
use value::{is_there, value};

/// What a predicate says of a candidate; `None` where that is unknown.
pub(crate) fn truth<C: Candidate + ?Sized>(
    predicate: &Predicate<NameId>,
    candidate: &C,
) -> Option<bool> {
    match predicate {
        Predicate::And(parts) => any(parts, candidate, false).map(|found| !found),
        Predicate::Or(parts) => any(parts, candidate, true),
        Predicate::Not(part) => truth(part, candidate).map(|holds| !holds),
        Predicate::Is(term) => match value(term, candidate)?.as_ref() {
            Datum::Bool(holds) => Some(*holds),
            _ => None,
        },
        Predicate::Compare { order, left, right } => {
            compare(*order, value(left, candidate)?.as_ref(), value(right, candidate)?.as_ref())
        }
        Predicate::Like(term, pattern) => match value(term, candidate)?.as_ref() {
            Datum::Text(text) => Some(pattern.is_match(text)),
            _ => None,
        },
        Predicate::Between(terms) => {
            let [number, least, greatest] = terms.each_ref().map(|term| value(term, candidate));
            let (number, least, greatest) = (number?, least?, greatest?);
            let is_above = compare(Order::GreaterOrEqual, &number, &least)?;
            Some(compare(Order::LessOrEqual, &number, &greatest)? && is_above)
        }
        Predicate::In(term, list) => is_in(value(term, candidate)?.as_ref(), list, candidate),
        // Of what may be of any type, objects are no values that could be compared, but are there.
        Predicate::IsNull(Term::Path(path, Sort::Any)) => Some(!is_there(path, candidate)),
        Predicate::IsNull(term) => Some(value(term, candidate).is_none()),
        Predicate::Spatial(relation, left, right) => {
            let (left, right) = (value(left, candidate)?, value(right, candidate)?);
            spatial(*relation, left.as_ref(), right.as_ref())
        }
        Predicate::SpatialTo(term, test) => spatial_to(value(term, candidate)?.as_ref(), test),
        Predicate::Temporal(order, left, right) => {
            time::holds(*order, value(left, candidate)?.as_ref(), value(right, candidate)?.as_ref())
        }
        Predicate::Array(relation, left, right) => array::holds(
            *relation,
            value(left, candidate)?.as_ref(),
            value(right, candidate)?.as_ref(),
        ),
    }
}

/// Whether any part is what is sought; unknown where none is and one is unknown.
fn any<C: Candidate + ?Sized>(
    parts: &[Predicate<NameId>],
    candidate: &C,
    sought: bool,
) -> Option<bool> {
    let mut is_known = true;
    for part in parts {
        match truth(part, candidate) {
            Some(holds) if holds == sought => return Some(true),
            Some(_) => {}
            None => is_known = false,
        }
    }
    is_known.then_some(false)
}

fn compare(order: Order, left: &Datum, right: &Datum) -> Option<bool> {
    left.order(right).map(|ordering| order.holds(ordering))
}

/// As a disjunction of equalities.
fn is_in<C: Candidate + ?Sized>(
    sought: &Datum,
    list: &[Term<NameId>],
    candidate: &C,
) -> Option<bool> {
    let mut is_known = true;
    for item in list {
        match value(item, candidate).and_then(|item| compare(Order::Equal, sought, &item)) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => is_known = false,
        }
    }
    is_known.then_some(false)
}

fn spatial(relation: GeoRelation, left: &Datum, right: &Datum) -> Option<bool> {
    match (left, right) {
        (Datum::Geometry(left), Datum::Geometry(right)) => {
            Some(PreparedQuery::new(relation, right.as_ref().clone()).matches(left))
        }
        _ => None,
    }
}

fn spatial_to(datum: &Datum, test: &GeoTest) -> Option<bool> {
    match datum {
        Datum::Geometry(shape) => Some(test.matches(shape)),
        _ => None,
    }
}

/// What a term is where it needs no candidate: it has no paths.
pub(crate) fn constant(term: &Term<NameId>) -> Option<Datum> {
    value(term, &Nothing).map(Cow::into_owned)
}

/// What a predicate says that needs no candidate.
pub(crate) fn truth_of_constants(predicate: &Predicate<NameId>) -> Option<bool> {
    truth(predicate, &Nothing)
}

/// A candidate that has nothing.
struct Nothing;

impl Candidate for Nothing {
    fn id(&self) -> &'static str {
        ""
    }

    fn has_type(&self, _name: NameId) -> bool {
        false
    }

    fn any_type(&self, _visit: &mut dyn FnMut(NameId) -> bool) -> bool {
        false
    }

    fn any_scope(&self, _visit: &mut dyn FnMut(&str) -> bool) -> bool {
        false
    }

    fn any_instance(
        &self,
        _name: NameId,
        _visit: &mut dyn FnMut(&cardo_model::InstanceRef<'_>) -> bool,
    ) -> bool {
        false
    }

    fn latest_observation(
        &self,
        _counts: &dyn Fn(NameId) -> bool,
    ) -> Option<cardo_model::Timestamp> {
        None
    }

    fn created_at(&self) -> Option<cardo_model::Timestamp> {
        None
    }

    fn modified_at(&self) -> Option<cardo_model::Timestamp> {
        None
    }

    fn expires_at(&self) -> Option<cardo_model::Timestamp> {
        None
    }
}
