//! The one evaluator: clauses 4.9, 4.10, 4.17 and 4.19 of ETSI GS CIM 009 put to a candidate.

mod instance;
mod order;
mod rank;
mod scalar;
mod scope;
mod truth;

pub use instance::{instance_has, instance_matches, is_dated, is_moment, scalar_text};
pub use order::SortKey;
pub use rank::{Ranked, Ranking};
pub use scalar::scalar_number;
pub use scope::matches as scope_matches;
pub(crate) use truth::{constant, truth_of_constants};

use cardo_model::{InstanceRef, Kind, NameId, Timestamp, read_heights};

use crate::{
    Candidate, Comparison, Datasets, Filter, GeoCondition, HeightCondition, Link, LinkTarget,
    Member, Operand, Operator, Path, Root,
};
use scalar::Scalar;

/// Whether a candidate meets a filter.
///
/// A value whose type differs from that of the constant never matches, except under
/// [`Operator::Unequal`] (clause 4.9).
pub fn evaluate<C: Candidate + ?Sized>(filter: &Filter<NameId>, candidate: &C) -> bool {
    match filter {
        Filter::True => true,
        Filter::False => false,
        Filter::And(parts) => parts.iter().all(|part| evaluate(part, candidate)),
        Filter::Or(parts) => parts.iter().any(|part| evaluate(part, candidate)),
        Filter::Not(part) => !evaluate(part, candidate),
        Filter::Ids(ids) => ids.iter().any(|id| id.as_str() == candidate.id()),
        Filter::IdPattern(pattern) => pattern.is_match(candidate.id()),
        Filter::Type(name) => candidate.has_type(*name),
        Filter::Scope(test) => candidate.any_scope(&mut |scope| scope::matches(test, scope)),
        Filter::HasAttribute(name) => candidate.has_attribute(*name),
        Filter::Exists(path) => exists(path, candidate),
        Filter::Compare(comparison) => compares(comparison, candidate),
        Filter::Geo(condition) => lies(condition, candidate),
        Filter::Height(condition) => reaches(condition, candidate),
        Filter::Link(link) => leads(link, candidate),
        Filter::Holds(predicate) => truth::truth(predicate, candidate) == Some(true),
        Filter::Time(condition) => {
            let moment = candidate.latest_observation(&|name| condition.observed.counts(&name));
            moment.map_or(condition.missing_matches, |moment| condition.holds(moment))
        }
    }
}

fn exists<C: Candidate + ?Sized>(path: &Path<NameId>, candidate: &C) -> bool {
    match path.root {
        Root::Attribute(name) => {
            any_of(candidate, name, &path.datasets, &mut |i| instance_has(path, i))
        }
        _ if !is_root_alone(path) => false,
        Root::Id | Root::Type => true,
        Root::Scope => candidate.any_scope(&mut |_| true),
        Root::CreatedAt | Root::ModifiedAt | Root::ExpiresAt => time_of(path, candidate).is_some(),
    }
}

fn compares<C: Candidate + ?Sized>(comparison: &Comparison<NameId>, candidate: &C) -> bool {
    let Comparison { path, operator, operand } = comparison;
    match path.root {
        Root::Attribute(name) => {
            any_of(candidate, name, &path.datasets, &mut |i| instance_matches(comparison, i))
        }
        _ if !is_root_alone(path) => false,
        Root::Id => Scalar::text(candidate.id()).matches(*operator, operand),
        Root::Type => false,
        Root::Scope => compares_scopes(*operator, operand, candidate),
        Root::CreatedAt | Root::ModifiedAt | Root::ExpiresAt => time_of(path, candidate)
            .is_some_and(|moment| Scalar::Time(moment).matches(*operator, operand)),
    }
}

/// Equality of scopes is that of an array of texts; any other operator holds where it holds for any
/// scope.
fn compares_scopes<C: Candidate + ?Sized>(
    operator: Operator,
    operand: &Operand,
    candidate: &C,
) -> bool {
    let any =
        |operator| candidate.any_scope(&mut |scope| Scalar::text(scope).matches(operator, operand));
    match operator {
        Operator::Unequal => !any(Operator::Equal) && candidate.any_scope(&mut |_| true),
        _ => any(operator),
    }
}

/// The members of an entity itself have neither attributes nor keys.
fn is_root_alone(path: &Path<NameId>) -> bool {
    path.attributes.is_empty() && path.keys.is_empty() && path.member == Member::Value
}

fn time_of<C: Candidate + ?Sized>(path: &Path<NameId>, candidate: &C) -> Option<Timestamp> {
    match path.root {
        Root::CreatedAt => candidate.created_at(),
        Root::ModifiedAt => candidate.modified_at(),
        Root::ExpiresAt => candidate.expires_at(),
        Root::Attribute(_) | Root::Id | Root::Type | Root::Scope => None,
    }
}

/// Puts a test to the instances of an attribute that count.
fn any_of<C: Candidate + ?Sized>(
    candidate: &C,
    name: NameId,
    datasets: &Datasets,
    test: &mut dyn FnMut(&InstanceRef<'_>) -> bool,
) -> bool {
    match datasets {
        Datasets::Any => candidate.any_instance(name, test),
        Datasets::Preferred => {
            let mut holds = false;
            // The default instance stands first where there is one.
            candidate.any_instance(name, &mut |instance| {
                holds = test(instance);
                true
            });
            holds
        }
        Datasets::Only(wanted) => candidate.any_instance(name, &mut |instance| {
            instance.dataset_id() == Some(wanted.as_str()) && test(instance)
        }),
    }
}

/// Whether a relationship leads to one of the entities that were found for it.
fn leads<C: Candidate + ?Sized>(link: &Link<NameId>, candidate: &C) -> bool {
    let LinkTarget::Entities(ids) = &link.target else { return false };
    candidate.any_instance(link.relationship, &mut |instance| {
        instance_targets(instance).any(|id| ids.contains(id))
    })
}

/// The ids that a relationship leads to; URIs hold no quotes.
fn instance_targets<'a>(instance: &InstanceRef<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    let is_link = matches!(instance.kind(), Kind::Relationship | Kind::ListRelationship);
    let text = if is_link { instance.value() } else { "" };
    text.split('"').skip(1).step_by(2)
}

fn lies<C: Candidate + ?Sized>(condition: &GeoCondition<NameId>, candidate: &C) -> bool {
    let GeoCondition { property, test, missing_matches, datasets } = condition;
    let mut is_missing = true;
    let matches = any_of(candidate, *property, datasets, &mut |instance| {
        if instance.kind() != Kind::GeoProperty {
            return false;
        }
        is_missing = false;
        test.matches_text(instance.value())
    });
    matches || (is_missing && *missing_matches)
}

fn reaches<C: Candidate + ?Sized>(condition: &HeightCondition<NameId>, candidate: &C) -> bool {
    let HeightCondition { property, range: [bottom, top], datasets } = condition;
    let mut is_missing = true;
    let matches = any_of(candidate, *property, datasets, &mut |instance| {
        if instance.kind() != Kind::GeoProperty {
            return false;
        }
        is_missing = false;
        read_heights(instance.value()).is_none_or(|[low, high]| low <= *top && high >= *bottom)
    });
    matches || is_missing
}
