use std::borrow::Cow;
use std::sync::Arc;

use cardo_model::{InstanceRef, NameId, read_shape};
use serde_json::Value;

use super::call::call;
use super::truth;
use crate::evaluate::instance::{instance_json, instance_scalar};
use crate::evaluate::scalar::Scalar;
use crate::evaluate::{any_of, is_root_alone, time_of};
use crate::predicate::{Datum, Instant, Sort, Term};
use crate::{Candidate, Path, Root};

/// What a term is for a candidate; `None` where there is nothing.
pub(super) fn value<'t, C: Candidate + ?Sized>(
    term: &'t Term<NameId>,
    candidate: &C,
) -> Option<Cow<'t, Datum>> {
    match term {
        Term::Constant(datum) => datum.as_ref().map(Cow::Borrowed),
        Term::Path(path, sort) => at_path(path, *sort, candidate).map(Cow::Owned),
        Term::Call(function, arguments) => {
            let arguments: Option<Vec<_>> =
                arguments.iter().map(|term| value(term, candidate)).collect();
            call(*function, &arguments?).map(Cow::Owned)
        }
        Term::Interval(ends) => {
            let [from, until] = ends.each_ref().map(|end| bound(end, candidate));
            Some(Cow::Owned(Datum::Interval(from?.instant(), until?.instant())))
        }
        Term::Array(terms) => {
            let item = |term| value(term, candidate).map(Cow::into_owned);
            Some(Cow::Owned(Datum::Array(terms.iter().map(item).collect())))
        }
        Term::Truth(predicate) => {
            truth(predicate, candidate).map(|holds| Cow::Owned(Datum::Bool(holds)))
        }
    }
}

/// Whether a path leads to anything.
pub(super) fn is_there<C: Candidate + ?Sized>(path: &Path<NameId>, candidate: &C) -> bool {
    let Root::Attribute(name) = path.root else {
        return at_path(path, Sort::Any, candidate).is_some();
    };
    any_of(candidate, name, &path.datasets, &mut |instance| match instance_json(path, instance) {
        Some(json) => json != b"null",
        None => in_instance(path, Sort::Any, instance).is_some(),
    })
}

/// The end of an interval.
enum Bound {
    Open,
    At(Instant),
}

impl Bound {
    fn instant(self) -> Option<Instant> {
        match self {
            Self::Open => None,
            Self::At(instant) => Some(instant),
        }
    }
}

/// The end of an interval that a term is; `None` where there is none.
fn bound<C: Candidate + ?Sized>(end: &Term<NameId>, candidate: &C) -> Option<Bound> {
    match value(end, candidate)?.as_ref() {
        Datum::Instant(instant) => Some(Bound::At(*instant)),
        // How an open end is told: by an interval without any.
        Datum::Interval(None, None) => Some(Bound::Open),
        Datum::Text(text) => Instant::parse(text).map(Bound::At),
        _ => None,
    }
}

fn at_path<C: Candidate + ?Sized>(path: &Path<NameId>, sort: Sort, candidate: &C) -> Option<Datum> {
    match path.root {
        Root::Attribute(name) => {
            let mut found = None;
            any_of(candidate, name, &path.datasets, &mut |instance| {
                found = in_instance(path, sort, instance);
                found.is_some()
            });
            found
        }
        _ if !is_root_alone(path) => None,
        Root::Id => Some(Datum::Text(candidate.id().into())),
        Root::Scope => {
            let mut scopes = Vec::new();
            candidate.any_scope(&mut |scope| {
                scopes.push(Some(Datum::Text(scope.into())));
                false
            });
            (!scopes.is_empty()).then_some(Datum::Array(scopes))
        }
        Root::Type => None,
        Root::CreatedAt | Root::ModifiedAt | Root::ExpiresAt => {
            time_of(path, candidate).map(|moment| Datum::Instant(Instant::Moment(moment)))
        }
    }
}

fn in_instance(path: &Path<NameId>, sort: Sort, instance: &InstanceRef<'_>) -> Option<Datum> {
    match sort {
        Sort::Geometry => {
            let json = std::str::from_utf8(instance_json(path, instance)?).ok()?;
            read_shape(json).map(|shape| Datum::Geometry(Arc::new(shape)))
        }
        Sort::Array => match instance_json(path, instance)? {
            json @ [b'[', ..] => array(json),
            _ => Some(Datum::Array(vec![scalar(instance_scalar(path, instance)?, sort)])),
        },
        _ => match instance_scalar(path, instance)? {
            Scalar::Other if sort == Sort::Any => compound(instance_json(path, instance)?),
            found => scalar(found, sort),
        },
    }
}

fn scalar(scalar: Scalar<'_>, sort: Sort) -> Option<Datum> {
    match scalar {
        Scalar::Number(number) => Datum::finite(number),
        Scalar::Text(text) if sort == Sort::Date => Instant::date(&text).map(Datum::Instant),
        Scalar::Text(text) => Some(Datum::Text(text.into())),
        Scalar::Bool(value) => Some(Datum::Bool(value)),
        Scalar::Time(moment) => Some(Datum::Instant(Instant::Moment(moment))),
        Scalar::Other => None,
    }
}

/// A list or a geometry of which was not known what it would be.
fn compound(json: &[u8]) -> Option<Datum> {
    if json.first() == Some(&b'[') {
        return array(json);
    }
    let shape = read_shape(std::str::from_utf8(json).ok()?)?;
    Some(Datum::Geometry(Arc::new(shape)))
}

fn array(json: &[u8]) -> Option<Datum> {
    serde_json::from_slice(json).ok().and_then(of_json)
}

fn of_json(value: Value) -> Option<Datum> {
    match value {
        Value::Null => None,
        Value::Bool(value) => Some(Datum::Bool(value)),
        Value::Number(number) => number.as_f64().and_then(Datum::finite),
        Value::String(text) => Some(Datum::Text(text.into())),
        Value::Array(items) => Some(Datum::Array(items.into_iter().map(of_json).collect())),
        // A typed value (JSON-LD).
        Value::Object(mut members) => members.remove("@value").and_then(of_json),
    }
}
