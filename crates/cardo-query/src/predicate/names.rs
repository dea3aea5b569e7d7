//! Names in predicates: of another sort, visited, or taken away.

use super::{Predicate, Term};
use crate::{Path, Root};

impl<N> Predicate<N> {
    /// The same condition with names of another sort.
    pub fn map_names<M>(&self, name: &mut dyn FnMut(&N) -> M) -> Predicate<M> {
        self.map_paths(&mut |path| Some(path.map_names(&mut |n| name(n))))
    }

    /// The same condition where paths are others, or lead nowhere.
    pub fn map_paths<M>(&self, map: &mut dyn FnMut(&Path<N>) -> Option<Path<M>>) -> Predicate<M> {
        match self {
            Self::And(parts) => Predicate::And(all(parts, map)),
            Self::Or(parts) => Predicate::Or(all(parts, map)),
            Self::Not(part) => Predicate::Not(Box::new(part.map_paths(map))),
            Self::Is(term) => Predicate::Is(term.map_paths(map)),
            Self::Compare { order, left, right } => Predicate::Compare {
                order: *order,
                left: left.map_paths(map),
                right: right.map_paths(map),
            },
            Self::Like(term, pattern) => Predicate::Like(term.map_paths(map), pattern.clone()),
            Self::Between(terms) => {
                Predicate::Between(Box::new(terms.each_ref().map(|term| term.map_paths(map))))
            }
            Self::In(term, list) => Predicate::In(term.map_paths(map), terms(list, map)),
            Self::IsNull(term) => Predicate::IsNull(term.map_paths(map)),
            Self::Spatial(relation, left, right) => {
                Predicate::Spatial(*relation, left.map_paths(map), right.map_paths(map))
            }
            Self::SpatialTo(term, test) => Predicate::SpatialTo(term.map_paths(map), test.clone()),
            Self::Temporal(order, left, right) => {
                Predicate::Temporal(*order, left.map_paths(map), right.map_paths(map))
            }
            Self::Array(relation, left, right) => {
                Predicate::Array(*relation, left.map_paths(map), right.map_paths(map))
            }
        }
    }

    /// Calls `visit` with each path.
    pub fn visit_paths(&self, visit: &mut dyn FnMut(&Path<N>)) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.visit_paths(visit);
                }
            }
            Self::Not(part) => part.visit_paths(visit),
            Self::Is(term)
            | Self::Like(term, _)
            | Self::IsNull(term)
            | Self::SpatialTo(term, _) => {
                term.visit_paths(visit);
            }
            Self::Between(terms) => terms.iter().for_each(|term| term.visit_paths(visit)),
            Self::In(term, list) => {
                term.visit_paths(visit);
                for term in list {
                    term.visit_paths(visit);
                }
            }
            Self::Compare { left, right, .. }
            | Self::Spatial(_, left, right)
            | Self::Temporal(_, left, right)
            | Self::Array(_, left, right) => {
                left.visit_paths(visit);
                right.visit_paths(visit);
            }
        }
    }

    /// Calls `visit` with each attribute that the condition names, as often as it does.
    pub fn visit_attributes(&self, visit: &mut dyn FnMut(&N)) {
        self.visit_paths(&mut |path| {
            if let Root::Attribute(name) = &path.root {
                visit(name);
            }
        });
    }
}

impl<N> Term<N> {
    fn map_paths<M>(&self, map: &mut dyn FnMut(&Path<N>) -> Option<Path<M>>) -> Term<M> {
        match self {
            Self::Constant(datum) => Term::Constant(datum.clone()),
            Self::Path(path, sort) => match map(path) {
                Some(path) => Term::Path(path, *sort),
                None => Term::Constant(None),
            },
            Self::Call(function, arguments) => Term::Call(*function, terms(arguments, map)),
            Self::Interval(ends) => {
                Term::Interval(Box::new(ends.each_ref().map(|end| end.map_paths(map))))
            }
            Self::Array(items) => Term::Array(terms(items, map)),
            Self::Truth(predicate) => Term::Truth(Box::new(predicate.map_paths(map))),
        }
    }

    /// The term where no path leads anywhere.
    pub(crate) fn without_paths(&self) -> Term<cardo_model::NameId> {
        self.map_paths(&mut |_| None)
    }

    /// Calls `visit` with each path.
    pub fn visit_paths(&self, visit: &mut dyn FnMut(&Path<N>)) {
        match self {
            Self::Constant(_) => {}
            Self::Path(path, _) => visit(path),
            Self::Call(_, terms) | Self::Array(terms) => {
                for term in terms {
                    term.visit_paths(visit);
                }
            }
            Self::Interval(ends) => ends.iter().for_each(|end| end.visit_paths(visit)),
            Self::Truth(predicate) => predicate.visit_paths(visit),
        }
    }
}

fn all<N, M>(
    parts: &[Predicate<N>],
    map: &mut dyn FnMut(&Path<N>) -> Option<Path<M>>,
) -> Vec<Predicate<M>> {
    parts.iter().map(|part| part.map_paths(map)).collect()
}

fn terms<N, M>(
    terms: &[Term<N>],
    map: &mut dyn FnMut(&Path<N>) -> Option<Path<M>>,
) -> Vec<Term<M>> {
    terms.iter().map(|term| term.map_paths(map)).collect()
}
