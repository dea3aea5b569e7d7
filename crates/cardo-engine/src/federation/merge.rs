//! One entity out of what several places say of it (clause 4.5.5).

use cardo_model::{Attribute, Entity, Instance, NameId, Timestamp};

/// What one place says of an entity.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) entity: Entity<NameId>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) modified_at: Option<Timestamp>,
}

/// Makes one of the versions of an entity. Those of auxiliary sources only add attributes that no
/// other version has; `None` where all have expired.
pub(crate) fn merge(
    mut versions: Vec<Version>,
    mut auxiliary: Vec<Version>,
    now: Timestamp,
) -> Option<Version> {
    for all in [&mut versions, &mut auxiliary] {
        all.retain(|version| version.entity.expires_at.is_none_or(|end| end > now));
    }
    let expiries: Vec<Option<Timestamp>> =
        versions.iter().chain(&auxiliary).map(|version| version.entity.expires_at).collect();
    if expiries.iter().any(|expiry| *expiry != expiries[0]) {
        versions.iter_mut().chain(&mut auxiliary).for_each(push_down_expiry);
    }
    let mut all = versions.into_iter();
    let (mut merged, is_auxiliary) = match all.next() {
        Some(first) => (first, false),
        None if auxiliary.is_empty() => return None,
        None => (auxiliary.remove(0), true),
    };
    drop_expired(&mut merged.entity, now);
    for version in all {
        join(&mut merged, version, now, take_newer);
    }
    let others = if is_auxiliary { Vec::new() } else { merged.entity.attributes.clone() };
    for version in auxiliary {
        join(&mut merged, version, now, |attributes, attribute| {
            if !others.iter().any(|other| other.name == attribute.name) {
                take_newer(attributes, attribute);
            }
        });
    }
    merged.entity.expires_at =
        if expiries.contains(&None) { None } else { expiries.into_iter().flatten().max() };
    Some(merged)
}

/// Clause 4.5.5.2: nothing of a version outlives it.
fn push_down_expiry(version: &mut Version) {
    let Some(end) = version.entity.expires_at else { return };
    for instance in version.entity.attributes.iter_mut().flat_map(|a| &mut a.instances) {
        instance.expires_at = Some(instance.expires_at.map_or(end, |own| own.min(end)));
    }
}

fn drop_expired(entity: &mut Entity<NameId>, now: Timestamp) {
    for attribute in &mut entity.attributes {
        attribute.instances.retain(|instance| instance.expires_at.is_none_or(|end| end > now));
    }
    entity.attributes.retain(|attribute| !attribute.instances.is_empty());
}

fn join(
    merged: &mut Version,
    mut version: Version,
    now: Timestamp,
    mut take: impl FnMut(&mut Vec<Attribute<NameId>>, Attribute<NameId>),
) {
    drop_expired(&mut version.entity, now);
    let Version { entity, created_at, modified_at } = version;
    merged.created_at = [merged.created_at, created_at].into_iter().flatten().min();
    merged.modified_at = merged.modified_at.max(modified_at);
    let into = &mut merged.entity;
    for name in entity.types {
        if !into.types.contains(&name) {
            into.types.push(name);
        }
    }
    for scope in entity.scopes {
        if !into.scopes.contains(&scope) {
            into.scopes.push(scope);
        }
    }
    for attribute in entity.attributes {
        take(&mut into.attributes, attribute);
    }
}

/// Clause 4.5.5.3: of two instances of one dataset the newer one stays.
fn take_newer(attributes: &mut Vec<Attribute<NameId>>, attribute: Attribute<NameId>) {
    let Some(known) = attributes.iter_mut().find(|known| known.name == attribute.name) else {
        attributes.push(attribute);
        return;
    };
    for instance in attribute.instances {
        match known.instances.iter_mut().find(|other| other.dataset_id == instance.dataset_id) {
            None => known.instances.push(instance),
            Some(other) if is_newer(&instance, other) => *other = instance,
            Some(_) => {}
        }
    }
}

fn is_newer(one: &Instance<NameId>, other: &Instance<NameId>) -> bool {
    match (one.observed_at, other.observed_at) {
        (Some(one), Some(other)) if one != other => one > other,
        (Some(_), None) => true,
        (None, Some(_)) => false,
        _ => one.modified_at > other.modified_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardo_model::{EntityId, Iri, JsonText, Value};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(second)
    }

    fn instance(value: i64) -> Instance<NameId> {
        Instance::new(Value::property(JsonText::from_canonical(value.to_string()), false))
    }

    fn version(attributes: Vec<(u32, Instance<NameId>)>) -> Version {
        let mut entity = Entity::new(EntityId::new("urn:x:1").unwrap(), NameId::new(1));
        for (name, instance) in attributes {
            entity.attributes.push(Attribute::new(NameId::new(name), instance));
        }
        Version { entity, created_at: None, modified_at: None }
    }

    fn values(version: &Version) -> Vec<(u32, &str)> {
        let attributes = version.entity.attributes.iter();
        attributes
            .flat_map(|a| a.instances.iter().map(|i| (a.name.as_u32(), i.value.as_json())))
            .collect()
    }

    #[test]
    fn the_latest_observation_stays_else_what_was_written_last() {
        let observed =
            |value, second| Instance { observed_at: Some(at(second)), ..instance(value) };
        let written = |value, second| Instance { modified_at: at(second), ..instance(value) };
        let one = version(vec![(2, observed(1, 10)), (3, written(1, 20)), (4, written(1, 90))]);
        let two = version(vec![(2, observed(2, 9)), (3, written(2, 21)), (4, observed(2, 1))]);
        let merged = merge(vec![one, two], Vec::new(), at(0)).unwrap();
        assert_eq!(values(&merged), [(2, "1"), (3, "2"), (4, "2")]);
    }

    #[test]
    fn datasets_stand_side_by_side() {
        let dataset = Some(Iri::new("urn:d:1").unwrap());
        let one = version(vec![(2, instance(1))]);
        let two = version(vec![(2, Instance { dataset_id: dataset, ..instance(2) })]);
        let merged = merge(vec![one, two], Vec::new(), at(0)).unwrap();
        assert_eq!(values(&merged), [(2, "1"), (2, "2")]);
    }

    #[test]
    fn an_auxiliary_source_adds_and_never_overrides() {
        let one = version(vec![(2, instance(1))]);
        let newer = Instance { observed_at: Some(at(99)), ..instance(2) };
        let two = version(vec![(2, newer), (3, instance(3))]);
        let merged = merge(vec![one], vec![two.clone()], at(0)).unwrap();
        assert_eq!(values(&merged), [(2, "1"), (3, "3")]);
        let alone = merge(Vec::new(), vec![two], at(0)).unwrap();
        assert_eq!(values(&alone), [(2, "2"), (3, "3")]);
    }

    #[test]
    fn what_has_expired_is_no_part_of_it() {
        let mut gone = version(vec![(2, instance(1))]);
        gone.entity.expires_at = Some(at(5));
        let past = Instance { expires_at: Some(at(5)), observed_at: Some(at(9)), ..instance(7) };
        let one = version(vec![(2, instance(2)), (3, past)]);
        let merged = merge(vec![gone.clone(), one], Vec::new(), at(6)).unwrap();
        assert_eq!(values(&merged), [(2, "2")]);
        assert!(merge(vec![gone], Vec::new(), at(6)).is_none());
    }

    #[test]
    fn an_entity_expires_where_all_versions_do_and_its_parts_with_their_version() {
        let mut early = version(vec![(2, instance(1))]);
        early.entity.expires_at = Some(at(10));
        let mut late = version(vec![(3, instance(2))]);
        late.entity.expires_at = Some(at(20));
        let both = merge(vec![early.clone(), late], Vec::new(), at(0)).unwrap();
        assert_eq!(both.entity.expires_at, Some(at(20)));
        assert_eq!(both.entity.attributes[0].instances[0].expires_at, Some(at(10)));
        assert_eq!(both.entity.attributes[1].instances[0].expires_at, Some(at(20)));
        let lasting = version(vec![(3, instance(2))]);
        let one = merge(vec![early, lasting], Vec::new(), at(0)).unwrap();
        assert_eq!(one.entity.expires_at, None);
        assert_eq!(one.entity.attributes[0].instances[0].expires_at, Some(at(10)));
    }
}
