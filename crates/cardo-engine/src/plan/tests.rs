//! The planner against a plain scan, on random twins and random questions.

use std::sync::Arc;

use cardo_model::Record;
use cardo_query::{Filter, Resolved, evaluate};
use cardo_testkit::random::{
    ATTRIBUTES, TYPES, attribute_name, name_id, random_cql2_filter, random_entity, random_filter,
    random_geo_filter, record, type_name,
};
use proptest::prelude::*;

use super::{Direction, IndexSort, Need, Plan, Run, Wanted, Window};
use crate::demand;
use crate::live::Root;

#[derive(Clone, Debug)]
enum Step {
    Create(Box<cardo_model::Entity>),
    Replace(prop::sample::Index, Box<cardo_model::Entity>),
    Delete(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let entity = || random_entity().prop_map(Box::new);
    let step = prop_oneof![
        entity().prop_map(Step::Create),
        (any::<prop::sample::Index>(), entity()).prop_map(|(at, e)| Step::Replace(at, e)),
        any::<prop::sample::Index>().prop_map(Step::Delete),
    ];
    prop::collection::vec(step, 0..40)
}

fn filter() -> impl Strategy<Value = Resolved> {
    let typed = (prop::sample::select(TYPES.to_vec()), random_filter())
        .prop_map(|(name, filter)| Filter::Type(type_name(name)).and(filter));
    let asked = (prop::sample::select(TYPES.to_vec()), random_cql2_filter())
        .prop_map(|(name, filter)| Filter::Type(type_name(name)).and(filter));
    prop_oneof![random_filter(), typed, random_geo_filter(), random_cql2_filter(), asked]
        .prop_map(|filter| filter.map_names(&mut name_id).simplify())
}

/// A root built of entities at once, then changed step by step, with indexes brought in midway.
fn twin(first: Vec<cardo_model::Entity>, steps: Vec<Step>) -> (Root, Vec<Record>) {
    let mut plain: Vec<Record> = Vec::new();
    for entity in first {
        if plain.iter().all(|known| known.id() != entity.id) {
            plain.push(record(entity, plain.len() as u64 + 1));
        }
    }
    let root = Root::build(1, plain.iter().cloned());
    changed(root, plain, steps, REVISIONS)
}

/// More than come of a list of steps.
const REVISIONS: u64 = 100;

/// A root and the same as plain records, changed step by step behind a revision.
fn changed(
    mut root: Root,
    mut plain: Vec<Record>,
    steps: Vec<Step>,
    mut revision: u64,
) -> (Root, Vec<Record>) {
    let mut next = |entity: cardo_model::Entity| {
        revision += 1;
        record(entity, revision)
    };
    let half = steps.len() / 2;
    let before = Arc::new(root.clone());
    for (at, step) in steps.into_iter().enumerate() {
        match step {
            Step::Create(entity) if plain.iter().all(|known| known.id() != entity.id) => {
                let record = next(*entity);
                plain.push(record.clone());
                root.create(record);
            }
            Step::Replace(which, mut entity) if !plain.is_empty() => {
                let at = which.index(plain.len());
                entity.id = plain[at].id();
                let slot = root.slot(entity.id.as_str()).unwrap();
                let header = plain[at].view().header();
                let new = next(*entity).view().decode();
                plain[at] = Record::encode(&new, header);
                root.replace(slot, plain[at].clone());
            }
            Step::Delete(which) if !plain.is_empty() => {
                let gone = plain.remove(which.index(plain.len()));
                root.delete(root.slot(gone.id().as_str()).unwrap());
            }
            _ => {}
        }
        if at == half {
            install_all(&mut root, &before);
        }
    }
    (root, plain)
}

/// Which entities of a twin a part of it has.
#[derive(Clone, Debug)]
enum Kept {
    /// All of a type, so that its index stays whole.
    Type(&'static str),
    /// All but a few, so that these are taken out of indexes.
    Without(prop::sample::Index),
    Some(u64),
}

fn kept() -> impl Strategy<Value = Kept> {
    prop_oneof![
        prop::sample::select(TYPES.to_vec()).prop_map(Kept::Type),
        any::<prop::sample::Index>().prop_map(Kept::Without),
        any::<u64>().prop_map(Kept::Some),
    ]
}

/// A part of a twin and a part of that, with the same as plain records.
fn part(root: &Root, plain: &[Record], kept: &Kept) -> (Root, Vec<Record>) {
    let has = |(nth, record): (usize, &Record)| match kept {
        Kept::Type(name) => record.view().types().any(|t| t == name_id(&type_name(name))),
        Kept::Without(which) => nth != which.index(plain.len()),
        Kept::Some(bits) => (bits >> (nth % 64)) & 1 == 1,
    };
    let rest = plain.iter().enumerate().filter(|one| has(*one)).map(|(_, record)| record.clone());
    let rest: Vec<Record> = rest.collect();
    let slots = rest.iter().map(|record| root.slot(record.view().id()).unwrap());
    let part = root.part(&slots.collect());
    let gone = plain.iter().filter(|record| !rest.iter().any(|kept| kept.id() == record.id()));
    for record in gone {
        assert_eq!(part.slot(record.view().id()), None);
        assert!(part.slot_of(record.view().seq()).is_none_or(|slot| part.record(slot).is_none()));
    }
    (part, rest)
}

fn install_all(root: &mut Root, before: &Arc<Root>) {
    for type_name in TYPES.map(|name| name_id(&type_name(name))) {
        for (name, _) in ATTRIBUTES {
            for sort in [IndexSort::Numbers, IndexSort::Texts] {
                let attribute = name_id(&attribute_name(name));
                let wanted = Wanted { type_name, attribute, sort };
                root.install(&demand::build(wanted, before.clone()));
            }
        }
    }
}

fn walk(root: &Root, filter: &Resolved, window: Window) -> (Vec<u32>, usize) {
    let first = window.skip.saturating_add(window.limit);
    let plan = Plan::new(root, filter, Need { first, count: window.count });
    let mut run = Run::new(plan, window);
    while run.step() {}
    let count = run.count();
    (run.found, count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_plan_finds_what_a_plain_scan_finds(
        first in prop::collection::vec(random_entity(), 0..30),
        steps in steps(),
        own in prop::option::of((kept(), self::steps())),
        filter in filter(),
        skip in 0_usize..5,
        limit in 0_usize..6,
        backward in any::<bool>(),
        from in any::<prop::sample::Index>(),
    ) {
        let (root, plain) = twin(first, steps);
        let (root, plain) = match own {
            None => (root, plain),
            Some((kept, steps)) => {
                let (root, plain) = part(&root, &plain, &kept);
                changed(root, plain, steps, 2 * REVISIONS)
            }
        };
        let matching: Vec<&Record> =
            plain.iter().filter(|record| evaluate(&filter, &record.view())).collect();
        let cut = from.index(plain.len() + 1);
        let from_slot = plain.get(cut).map_or(root.slots(), |r| root.slot_from(r.view().seq()));
        let (direction, from, until) = if backward {
            (Direction::Backward, 0, from_slot)
        } else {
            (Direction::Forward, from_slot, u32::MAX)
        };
        let mut expected: Vec<&str> = if backward {
            plain[..cut].iter().rev().filter(|r| evaluate(&filter, &r.view())).map(|r| r.view().id()).collect()
        } else {
            plain[cut..].iter().filter(|r| evaluate(&filter, &r.view())).map(|r| r.view().id()).collect()
        };
        expected = expected.into_iter().skip(skip).take(limit).collect();
        for count in [true, false] {
            let window = Window { from, until, skip, limit, direction, count };
            let (found, counted) = walk(&root, &filter, window);
            let found: Vec<&str> = found.iter().map(|s| root.record(*s).unwrap().view().id()).collect();
            prop_assert_eq!(&found, &expected, "{:?}", filter);
            if count {
                prop_assert_eq!(counted, matching.len(), "{:?}", filter);
            }
        }
    }

    #[test]
    fn the_order_of_creation_survives_compaction_and_rebuilding(
        first in prop::collection::vec(random_entity(), 0..20),
        steps in steps(),
        parts in prop::collection::vec((kept(), self::steps()), 0..3),
    ) {
        let (mut root, mut plain) = twin(first, steps);
        for ((kept, steps), nth) in parts.into_iter().zip(2..) {
            let (part, rest) = part(&root, &plain, &kept);
            (root, plain) = changed(part, rest, steps, nth * REVISIONS);
        }
        let all = Window { from: 0, until: u32::MAX, skip: 0, limit: 100, direction: Direction::Forward, count: false };
        let ids = |root: &Root| -> Vec<String> {
            let (slots, _) = walk(root, &Filter::True, all);
            slots.iter().map(|s| root.record(*s).unwrap().view().id().to_owned()).collect()
        };
        let expected: Vec<String> = plain.iter().map(|r| r.view().id().to_owned()).collect();
        prop_assert_eq!(&ids(&root), &expected);
        prop_assert_eq!(&ids(&root.compacted(3)), &expected);
        let rebuilt = root.compacted(4);
        prop_assert_eq!(root.types.len(), rebuilt.types.len());
        prop_assert_eq!(root.next_expiry().map(|(moment, _)| moment), rebuilt.next_expiry().map(|(moment, _)| moment));
        let scopes = |root: &Root| -> Vec<(Box<str>, usize)> {
            root.scopes.iter().map(|(scope, set)| (scope.clone(), set.len())).collect()
        };
        prop_assert_eq!(scopes(&root), scopes(&rebuilt));
        for (name, index) in root.types.iter() {
            let other = &rebuilt.types[name];
            prop_assert_eq!(index.attributes.len(), other.attributes.len());
            prop_assert_eq!(index.members.len(), other.members.len());
            for (attribute, index) in &index.attributes {
                let other = &other.attributes[attribute];
                prop_assert_eq!(index.present.len(), other.present.len());
                prop_assert_eq!(index.facets.all_kinds(), other.facets.all_kinds());
                prop_assert_eq!(index.facets.all_datatypes(), other.facets.all_datatypes());
                prop_assert_eq!(index.facets.all_languages(), other.facets.all_languages());
                prop_assert_eq!(index.geometry.extent(), other.geometry.extent());
            }
        }
    }
}
