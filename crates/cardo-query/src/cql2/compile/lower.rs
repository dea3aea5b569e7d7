//! Predicates in terms of the nodes that all languages share, as far as these can say them: what is
//! true, and what is false, each has its own.

use cardo_model::{EntityId, Iri, NameId};
use cardo_spatial::GeoRelation;
use std::sync::Arc;

use crate::predicate::{Datum, Function, Instant, Order, Predicate, Sort, Term};
use crate::{Comparison, Filter, GeoCondition, GeoTest, Literal, Operand, Operator, Path, Root};

/// The filter that matches what a predicate is true of, or false of; what it is unknown of matches
/// neither.
pub(super) fn lower(predicate: Predicate, wanted: bool) -> Filter {
    match predicate {
        Predicate::And(parts) if wanted => Filter::And(all(parts, wanted)),
        Predicate::Or(parts) if !wanted => Filter::And(all(parts, wanted)),
        Predicate::And(parts) | Predicate::Or(parts) => Filter::Or(all(parts, wanted)),
        Predicate::Not(part) => lower(*part, !wanted),
        Predicate::Is(Term::Truth(part)) => lower(*part, wanted),
        leaf => {
            let mut has_paths = false;
            leaf.visit_paths(&mut |_| has_paths = true);
            if !has_paths {
                return constant(&leaf, wanted);
            }
            shared(&leaf, wanted).unwrap_or_else(|| held(leaf, wanted))
        }
    }
}

fn all(parts: Vec<Predicate>, wanted: bool) -> Vec<Filter> {
    parts.into_iter().map(|part| lower(part, wanted)).collect()
}

/// What holds of everything alike.
fn constant(predicate: &Predicate, wanted: bool) -> Filter {
    let predicate = predicate.map_paths::<NameId>(&mut |_| None);
    if crate::evaluate::truth_of_constants(&predicate) == Some(wanted) {
        Filter::True
    } else {
        Filter::False
    }
}

/// The predicate as it is; it is known only where the attributes are there that it needs, which
/// indexes can tell.
fn held(predicate: Predicate, wanted: bool) -> Filter {
    let mut needed = Vec::new();
    needed_by(&predicate, &mut |path| {
        if let Root::Attribute(name) = &path.root
            && !needed.contains(name)
        {
            needed.push(name.clone());
        }
    });
    let predicate = if wanted { predicate } else { Predicate::Not(Box::new(predicate)) };
    let holds = Filter::Holds(Box::new(predicate));
    needed.into_iter().map(Filter::HasAttribute).fold(holds, |all, part| part.and(all))
}

/// The paths that have to lead somewhere for a predicate to be known.
fn needed_by(predicate: &Predicate, visit: &mut dyn FnMut(&Path<Iri>)) {
    match predicate {
        Predicate::Is(term)
        | Predicate::Like(term, _)
        | Predicate::SpatialTo(term, _)
        | Predicate::In(term, _) => needed_in(term, visit),
        Predicate::Compare { left, right, .. }
        | Predicate::Spatial(_, left, right)
        | Predicate::Temporal(_, left, right)
        | Predicate::Array(_, left, right) => {
            needed_in(left, visit);
            needed_in(right, visit);
        }
        Predicate::Between(terms) => terms.iter().for_each(|term| needed_in(term, visit)),
        Predicate::And(_) | Predicate::Or(_) | Predicate::Not(_) | Predicate::IsNull(_) => {}
    }
}

fn needed_in(term: &Term, visit: &mut dyn FnMut(&Path<Iri>)) {
    match term {
        Term::Path(path, _) => visit(path),
        Term::Call(_, terms) => terms.iter().for_each(|term| needed_in(term, visit)),
        Term::Interval(ends) => ends.iter().for_each(|end| needed_in(end, visit)),
        // An array is there whatever its items, and a condition may be known without its parts.
        Term::Constant(_) | Term::Array(_) | Term::Truth(_) => {}
    }
}

/// A leaf in shared nodes, where they say exactly the same.
fn shared(leaf: &Predicate, wanted: bool) -> Option<Filter> {
    match leaf {
        Predicate::Is(Term::Path(path, Sort::Bool)) => {
            Some(comparison(path, Operator::Equal, Operand::One(Literal::Bool(wanted))))
        }
        Predicate::Compare { order, left, right } => match (left, right) {
            (left, Term::Constant(Some(datum))) => compared(leaf, *order, left, datum, wanted),
            (Term::Constant(Some(datum)), right) => {
                compared(leaf, order.turned(), right, datum, wanted)
            }
            _ => None,
        },
        Predicate::Like(Term::Path(path, Sort::Text | Sort::Vocab), pattern) => {
            let operator = if wanted { Operator::Matches } else { Operator::MatchesNot };
            Some(comparison(path, operator, Operand::Pattern(pattern.clone())))
        }
        Predicate::Between(terms) => match terms.as_ref() {
            [
                Term::Path(path, Sort::Number),
                Term::Constant(Some(Datum::Number(least))),
                Term::Constant(Some(Datum::Number(greatest))),
            ] => {
                let operand = Operand::Range(Literal::Number(*least), Literal::Number(*greatest));
                Some(comparison(path, equality(wanted), operand))
            }
            _ => None,
        },
        Predicate::In(Term::Path(path, sort), list) => one_of(path, *sort, list, wanted),
        Predicate::IsNull(Term::Path(path, sort)) if *sort != Sort::Any => {
            let exists = Filter::Exists(path.clone());
            Some(if wanted { Filter::Not(Box::new(exists)) } else { exists })
        }
        Predicate::Spatial(relation, left, right) => match (left, right) {
            (left, Term::Constant(Some(Datum::Geometry(shape)))) => {
                Some(spatial(*relation, left, shape, wanted))
            }
            (Term::Constant(Some(Datum::Geometry(shape))), right) => {
                Some(spatial(converse(*relation), right, shape, wanted))
            }
            _ => None,
        },
        _ => None,
    }
}

fn comparison(path: &Path<Iri>, operator: Operator, operand: Operand) -> Filter {
    Filter::Compare(Comparison { path: path.clone(), operator, operand })
}

fn equality(wanted: bool) -> Operator {
    if wanted { Operator::Equal } else { Operator::Unequal }
}

fn operator(order: Order) -> Operator {
    match order {
        Order::Equal => Operator::Equal,
        Order::Unequal => Operator::Unequal,
        Order::Less => Operator::Less,
        Order::Greater => Operator::Greater,
        Order::LessOrEqual => Operator::LessOrEqual,
        Order::GreaterOrEqual => Operator::GreaterOrEqual,
    }
}

fn compared(
    leaf: &Predicate,
    order: Order,
    left: &Term,
    datum: &Datum,
    wanted: bool,
) -> Option<Filter> {
    if let (Term::Call(Function::Distance, geometries), Datum::Number(metres)) = (left, datum) {
        return near(order, geometries, *metres, wanted);
    }
    let Term::Path(path, sort) = left else { return None };
    let is_equality = matches!(order, Order::Equal | Order::Unequal);
    let asked = if wanted { order } else { order.negated() };
    if let (Root::Id, Datum::Text(id), true) = (&path.root, datum, is_equality) {
        return Some(ids([id.as_ref()], asked == Order::Equal));
    }
    let literal = literal(*sort, datum)?;
    let of = |order| comparison(path, operator(order), Operand::One(literal.clone()));
    match sort {
        Sort::Number | Sort::Moment => Some(of(asked)),
        Sort::Bool | Sort::Vocab | Sort::Text if is_equality => Some(of(asked)),
        // Of several languages one may come before a text, and another behind it.
        Sort::Text if wanted => Some(of(order)),
        Sort::Text => Some(Filter::Exists(path.clone()).and(Filter::Not(Box::new(of(order))))),
        // Shared nodes find in lists too, so they only narrow down.
        Sort::Any => Some(of(asked).and(held(leaf.clone(), wanted))),
        _ => None,
    }
}

/// A constant as shared nodes compare it with values of a sort.
fn literal(sort: Sort, datum: &Datum) -> Option<Literal> {
    match (datum, sort) {
        (Datum::Number(number), Sort::Number | Sort::Any) => Some(Literal::Number(*number)),
        (Datum::Text(text), Sort::Text | Sort::Vocab) => Some(Literal::Text(text.clone())),
        (Datum::Bool(value), Sort::Bool) => Some(Literal::Bool(*value)),
        (Datum::Instant(Instant::Moment(moment)), Sort::Moment) => Some(Literal::DateTime(*moment)),
        _ => None,
    }
}

fn one_of(path: &Path<Iri>, sort: Sort, list: &[Term], wanted: bool) -> Option<Filter> {
    if sort == Sort::Any {
        return None;
    }
    let mut literals = Vec::with_capacity(list.len());
    for item in list {
        let Term::Constant(Some(datum)) = item else { return None };
        literals.push(literal(sort, datum)?);
    }
    if path.root == Root::Id {
        let texts = literals.iter().filter_map(|literal| match literal {
            Literal::Text(text) => Some(text.as_ref()),
            _ => None,
        });
        return Some(ids(texts, wanted));
    }
    Some(comparison(path, equality(wanted), Operand::List(literals)))
}

/// Ids that cannot be are nobody's.
fn ids<'a>(texts: impl IntoIterator<Item = &'a str>, wanted: bool) -> Filter {
    let id = |text: &str| EntityId::new(text).ok().or_else(|| EntityId::parse_feature(text));
    let ids = texts.into_iter().filter_map(id).collect();
    let filter = Filter::Ids(ids);
    if wanted { filter } else { Filter::Not(Box::new(filter)) }
}

/// The relation as it is seen from the other geometry.
fn converse(relation: GeoRelation) -> GeoRelation {
    match relation {
        GeoRelation::Within => GeoRelation::Contains,
        GeoRelation::Contains => GeoRelation::Within,
        other => other,
    }
}

fn spatial(
    relation: GeoRelation,
    left: &Term,
    shape: &Arc<geo_types::Geometry<f64>>,
    wanted: bool,
) -> Filter {
    let test = Arc::new(GeoTest::new(relation, shape.as_ref().clone()));
    match plain_geometry(left) {
        Some((path, property)) => placed(path, property, test, wanted),
        None => held(Predicate::SpatialTo(left.clone(), test), wanted),
    }
}

/// What is false is so of a geometry only that is there.
fn placed(path: &Path<Iri>, property: &Iri, test: Arc<GeoTest>, wanted: bool) -> Filter {
    let condition = Filter::Geo(GeoCondition {
        property: property.clone(),
        test,
        missing_matches: false,
        datasets: path.datasets.clone(),
    });
    if wanted {
        return condition;
    }
    Filter::Exists(path.clone()).and(Filter::Not(Box::new(condition)))
}

/// The path and attribute of a term that is the geometry of an attribute of the entity itself.
fn plain_geometry(term: &Term) -> Option<(&Path<Iri>, &Iri)> {
    let Term::Path(path, Sort::Geometry) = term else { return None };
    match &path.root {
        Root::Attribute(name) if path.attributes.is_empty() && path.keys.is_empty() => {
            Some((path, name))
        }
        _ => None,
    }
}

/// A bound of a distance, where shared nodes have it: at most, or more than.
fn near(order: Order, geometries: &[Term], metres: f64, wanted: bool) -> Option<Filter> {
    let ([geometry, Term::Constant(Some(Datum::Geometry(shape)))]
    | [Term::Constant(Some(Datum::Geometry(shape))), geometry]) = geometries
    else {
        return None;
    };
    let (path, property) = plain_geometry(geometry)?;
    if metres <= 0.0 {
        return None;
    }
    let relation = match order {
        Order::LessOrEqual => GeoRelation::Near { min: None, max: Some(metres) },
        Order::Greater => GeoRelation::Near { min: Some(metres), max: None },
        _ => return None,
    };
    let test = Arc::new(GeoTest::new(relation, shape.as_ref().clone()));
    Some(placed(path, property, test, wanted))
}
