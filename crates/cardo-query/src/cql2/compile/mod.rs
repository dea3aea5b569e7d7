//! Expressions to filters: first a predicate whose operands are of the right sort, then a filter in
//! which all that the nodes of the one tree can say is said by them.

mod call;
mod lower;
mod operand;
mod pattern;
mod time;

use std::borrow::Cow;

use cardo_model::Iri;
use cardo_spatial::Crs;

use super::error::shorten;
use super::{Cql2Error, Expression, Kind, Operation, Place};
use crate::predicate::{Datum, Predicate, Sort, Term};
use crate::{Filter, Path};

/// What a filter can ask for.
pub trait Queryables {
    /// The property of this name.
    fn queryable(&self, name: &str) -> Option<Queryable>;

    /// Some names of properties, for who asked for one that there is not.
    fn names(&self) -> Vec<String>;

    /// What a name of a vocabulary is held as.
    fn full_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }
}

/// A property that can be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Queryable {
    /// Where it stands.
    pub path: Path<Iri>,
    /// What is found there.
    pub sort: Sort,
}

/// The filter that an expression is.
///
/// Only what it is true of matches: what is unknown does not (OGC 21-065r2, clause 6.2).
pub fn compile(expression: &Expression, queryables: &dyn Queryables) -> Result<Filter, Cql2Error> {
    compile_in(expression, queryables, &Crs::CRS84)
}

/// The same of an expression whose coordinates are of a reference system, in the order of its axes.
pub fn compile_in(
    expression: &Expression,
    queryables: &dyn Queryables,
    system: &Crs,
) -> Result<Filter, Cql2Error> {
    let predicate = Compiler { queryables, system }.condition(expression)?;
    Ok(lower::lower(predicate, true))
}

struct Compiler<'a> {
    queryables: &'a dyn Queryables,
    system: &'a Crs,
}

/// A term, and what is known of it.
struct Typed {
    term: Term,
    sort: Sort,
    place: Place,
    /// What it is called in an error.
    noun: String,
}

type Condition = Result<Predicate, Cql2Error>;

impl Compiler<'_> {
    /// What stands where a truth value is needed.
    fn condition(&self, expression: &Expression) -> Condition {
        let all = |parts: &[Expression]| -> Result<Vec<Predicate>, Cql2Error> {
            parts.iter().map(|part| self.condition(part)).collect()
        };
        match &expression.kind {
            Kind::Call(Operation::And, parts) => Ok(Predicate::And(all(parts)?)),
            Kind::Call(Operation::Or, parts) => Ok(Predicate::Or(all(parts)?)),
            Kind::Call(Operation::Not, parts) => match parts.as_slice() {
                [part] => Ok(Predicate::Not(Box::new(self.condition(part)?))),
                _ => Err(Cql2Error::meaning(&expression.place, "not takes one argument")),
            },
            Kind::Call(operation, arguments) if operation.is_condition() => {
                self.test(operation, arguments, &expression.place)
            }
            _ => {
                let typed = self.term(expression)?;
                typed.need(&[Sort::Bool], "a condition")?;
                Ok(Predicate::Is(typed.term))
            }
        }
    }

    fn test(&self, operation: &Operation, arguments: &[Expression], place: &Place) -> Condition {
        match (operation, arguments) {
            (Operation::Compare(order), [left, right]) => self.compare(*order, left, right),
            (Operation::Like, [text, pattern]) => self.like(text, pattern),
            (Operation::Between, [number, least, greatest]) => {
                let [number, least, greatest] =
                    [self.number(number)?, self.number(least)?, self.number(greatest)?];
                Ok(Predicate::Between(Box::new([number, least, greatest])))
            }
            (Operation::In, [sought, list]) => self.one_of(sought, list),
            (Operation::IsNull, [operand]) => Ok(Predicate::IsNull(self.term(operand)?.term)),
            (Operation::Spatial(relation), [left, right]) => {
                Ok(Predicate::Spatial(*relation, self.geometry(left)?, self.geometry(right)?))
            }
            (Operation::Temporal(order), [left, right]) => self.temporal(*order, left, right),
            (Operation::Array(relation), [left, right]) => {
                Ok(Predicate::Array(*relation, self.array(left)?, self.array(right)?))
            }
            _ => Err(Cql2Error::meaning(
                place,
                format!("{} has another number of arguments than it takes", operation.name()),
            )),
        }
    }

    /// What stands where any value may.
    fn term(&self, expression: &Expression) -> Result<Typed, Cql2Error> {
        let Expression { place, kind } = expression;
        let constant = |datum: Datum| Term::Constant(Some(datum));
        let (term, sort) = match kind {
            Kind::Call(operation, arguments) => {
                return self.call(expression, operation, arguments);
            }
            Kind::Property(name) => {
                let Some(Queryable { path, sort }) = self.queryables.queryable(name) else {
                    return Err(self.unknown(place, name));
                };
                (Term::Path(path, sort), sort)
            }
            Kind::Text(text) => (constant(Datum::Text(text.clone())), Sort::Text),
            Kind::Number(number) => (constant(Datum::Number(*number)), Sort::Number),
            Kind::Bool(value) => (constant(Datum::Bool(*value)), Sort::Bool),
            Kind::Date(_) | Kind::Timestamp(_) => time::instant(expression)?,
            Kind::Interval(ends) => (self.interval(ends)?, Sort::Interval),
            Kind::Open => return Err(Cql2Error::meaning(place, "an open end cannot stand here")),
            Kind::Geometry(_) | Kind::Bbox(_) => {
                (constant(operand::geometry(expression, self.system)?), Sort::Geometry)
            }
            Kind::Array(items) => {
                let items: Result<Vec<Term>, _> =
                    items.iter().map(|item| self.term(item).map(|typed| typed.term)).collect();
                (folded(Term::Array(items?)), Sort::Array)
            }
        };
        Ok(Typed { term, sort, place: place.clone(), noun: noun(expression) })
    }

    fn unknown(&self, place: &Place, name: &str) -> Cql2Error {
        let known = self.queryables.names().join(", ");
        Cql2Error::meaning(
            place,
            format!("{:?} is no property here; there are {known}", shorten(name)),
        )
    }
}

impl Typed {
    fn is_constant(&self) -> bool {
        matches!(self.term, Term::Constant(_))
    }

    /// Refuses what is of none of the sorts; what is known only when it is found may be any.
    fn need(&self, sorts: &[Sort], expected: &str) -> Result<(), Cql2Error> {
        if self.sort == Sort::Any || sorts.contains(&self.sort) {
            return Ok(());
        }
        Err(Cql2Error::meaning(
            &self.place,
            format!("{expected} is expected, and {} is {}", self.noun, sort_noun(self.sort)),
        ))
    }
}

/// A term without paths is what it comes to.
fn folded(term: Term) -> Term {
    let mut has_paths = false;
    term.visit_paths(&mut |_| has_paths = true);
    if has_paths { term } else { Term::Constant(crate::evaluate::constant(&term.without_paths())) }
}

fn noun(expression: &Expression) -> String {
    match &expression.kind {
        Kind::Property(name) => format!("the property {:?}", shorten(name)),
        Kind::Text(text) => format!("{:?}", shorten(text)),
        Kind::Call(Operation::Function(name), _) => {
            format!("what the function {} gives", shorten(name))
        }
        _ => "this".to_owned(),
    }
}

fn sort_noun(sort: Sort) -> &'static str {
    match sort {
        Sort::Bool => "a truth value",
        Sort::Number => "a number",
        Sort::Text => "a text",
        Sort::Vocab => "a name of a vocabulary",
        Sort::Date => "a date",
        Sort::Moment => "a date and time",
        Sort::Interval => "an interval",
        Sort::Geometry => "a geometry",
        Sort::Array => "an array",
        Sort::Any => "of no one type",
    }
}
