//! The evaluator against a plain one that looks at JSON values.

use cardo_model::{Entity, Instance, Iri, Kind, Timestamp};
use cardo_query::{
    Comparison, Datasets, Filter, Key, Link, LinkTarget, Literal, Member, Observed, Operand,
    Operator, Path, Root, ScopeTest, evaluate, instance_matches, scalar_number, scalar_text,
};
use cardo_testkit::random::{name_id, random_comparison, random_entity, random_filter, record};
use proptest::prelude::*;
use serde_json::Value;

const ENTITY_CREATED: i64 = 1_600_000_000_000_000;
const ENTITY_MODIFIED: i64 = ENTITY_CREATED + 1_000_000;

/// What a comparison looks at.
#[derive(Clone, Debug)]
enum Target {
    Json(Value),
    Time(Timestamp),
}

fn naive(filter: &Filter, entity: &Entity) -> bool {
    match filter {
        Filter::True => true,
        Filter::False => false,
        Filter::And(parts) => parts.iter().all(|part| naive(part, entity)),
        Filter::Or(parts) => parts.iter().any(|part| naive(part, entity)),
        Filter::Not(part) => !naive(part, entity),
        Filter::Ids(ids) => ids.contains(&entity.id),
        Filter::IdPattern(pattern) => pattern.is_match(entity.id.as_str()),
        Filter::Type(name) => entity.types.contains(name),
        Filter::Scope(test) => entity.scopes.iter().any(|s| naive_scope(test, s.as_str())),
        Filter::HasAttribute(name) => entity.attributes.iter().any(|a| a.name == *name),
        Filter::Exists(path) if path.root == Root::Type => true,
        Filter::Exists(path) => {
            let is_instance = matches!(path.root, Root::Attribute(_))
                && path.member == Member::Value
                && path.keys.is_empty();
            targets(path, entity).into_iter().any(|found| is_instance || !found.is_empty())
        }
        Filter::Compare(comparison) => targets(&comparison.path, entity)
            .into_iter()
            .any(|found| naive_compare(comparison, &found)),
        Filter::Geo(condition) => {
            let geometries: Vec<_> = counted(&condition.property, &condition.datasets, entity)
                .into_iter()
                .filter(|instance| instance.value.kind() == Kind::GeoProperty)
                .collect();
            if geometries.is_empty() {
                return condition.missing_matches;
            }
            geometries.iter().any(|i| condition.test.matches_text(i.value.as_json()))
        }
        Filter::Height(condition) => {
            let geometries: Vec<_> = counted(&condition.property, &condition.datasets, entity)
                .into_iter()
                .filter(|instance| instance.value.kind() == Kind::GeoProperty)
                .collect();
            geometries.is_empty()
                || geometries.iter().any(|i| {
                    let value: Value = serde_json::from_str(i.value.as_json()).unwrap();
                    let mut found = Vec::new();
                    heights(&value["coordinates"], &mut found);
                    let [bottom, top] = condition.range;
                    let low = found.iter().copied().fold(f64::INFINITY, f64::min);
                    let high = found.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    found.is_empty() || (low <= top && high >= bottom)
                })
        }
        Filter::Time(condition) => {
            let attributes = entity.attributes.iter().filter(|a| match &condition.observed {
                Observed::All => true,
                Observed::Only(names) => names.contains(&a.name),
                Observed::Without(names) => !names.contains(&a.name),
            });
            let mut times: Vec<Timestamp> =
                attributes.flat_map(|a| &a.instances).filter_map(|i| i.observed_at).collect();
            times.sort();
            let Some(latest) = times.pop() else { return condition.missing_matches };
            let starts = condition.from.is_none_or(|from| latest >= from);
            starts && condition.until.is_none_or(|until| latest <= until)
        }
        Filter::Holds(_) => unreachable!("random filters have no predicates"),
        Filter::Link(Link { relationship, target }) => {
            let LinkTarget::Entities(ids) = target else { return false };
            let instances = counted(relationship, &Datasets::Any, entity);
            let links = [Kind::Relationship, Kind::ListRelationship];
            let instances = instances.into_iter().filter(|i| links.contains(&i.value.kind()));
            instances.flat_map(|i| i.value.as_json().split('"')).any(|id| ids.contains(id))
        }
    }
}

fn heights(coordinates: &Value, found: &mut Vec<f64>) {
    let Some(items) = coordinates.as_array() else { return };
    match items.first() {
        Some(Value::Number(_)) => found.extend(items.get(2).and_then(Value::as_f64)),
        _ => items.iter().for_each(|item| heights(item, found)),
    }
}

fn naive_scope(test: &ScopeTest, scope: &str) -> bool {
    let found: Vec<&str> = scope[1..].split('/').collect();
    let agree = |levels: &[Option<Box<str>>]| {
        levels.len() <= found.len()
            && levels.iter().zip(&found).all(|(l, f)| l.as_ref().is_none_or(|l| **l == **f))
    };
    match test {
        ScopeTest::Any => true,
        ScopeTest::Exactly(wanted) => wanted.as_str() == scope,
        ScopeTest::Levels(levels) => levels.len() == found.len() && agree(levels),
        ScopeTest::Below(levels) => agree(levels),
    }
}

fn counted<'a>(name: &Iri, datasets: &Datasets, entity: &'a Entity) -> Vec<&'a Instance> {
    let Some(attribute) = entity.attributes.iter().find(|a| a.name == *name) else {
        return Vec::new();
    };
    let all = attribute.instances.iter();
    match datasets {
        Datasets::Any => all.collect(),
        Datasets::Preferred => {
            let default = attribute.instances.iter().find(|i| i.dataset_id.is_none());
            default.or(attribute.instances.first()).into_iter().collect()
        }
        Datasets::Only(id) => all.filter(|i| i.dataset_id.as_ref() == Some(id)).collect(),
    }
}

/// What is found, one list for each instance; the kind comes along as the comparison needs it.
#[derive(Debug)]
struct Found {
    kind: Option<Kind>,
    targets: Vec<Target>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }
}

fn targets(path: &Path, entity: &Entity) -> Vec<Found> {
    let at = |micros| vec![Target::Time(Timestamp::from_micros(micros))];
    let json = |value: Value| vec![Target::Json(value)];
    let of_entity = match &path.root {
        Root::Attribute(name) => {
            let mut instances = counted(name, &path.datasets, entity);
            for inner in &path.attributes {
                instances = instances
                    .into_iter()
                    .flat_map(|i| i.attributes.iter().filter(|a| a.name == *inner))
                    .flat_map(|a| a.instances.iter())
                    .collect();
            }
            return instances.into_iter().map(|instance| of_instance(path, instance)).collect();
        }
        Root::Id => json(entity.id.as_str().into()),
        // Types are never compared as values.
        Root::Type => Vec::new(),
        Root::Scope if entity.scopes.is_empty() => Vec::new(),
        Root::Scope => {
            json(entity.scopes.iter().map(cardo_model::Scope::as_str).collect::<Vec<_>>().into())
        }
        Root::CreatedAt => at(ENTITY_CREATED),
        Root::ModifiedAt => at(ENTITY_MODIFIED),
        Root::ExpiresAt => entity.expires_at.map(Target::Time).into_iter().collect(),
    };
    vec![Found { kind: None, targets: of_entity }]
}

fn of_instance(path: &Path, instance: &Instance) -> Found {
    let time = |moment: Option<Timestamp>| moment.map(Target::Time);
    let text = |text: Option<&str>| text.map(|t| Target::Json(t.into()));
    let member = match path.member {
        Member::Value => {
            let value: Value = serde_json::from_str(instance.value.as_json()).unwrap();
            let typed = instance.value.kind() == Kind::Property && instance.value_type.is_some();
            if let (true, [], Value::String(text)) = (typed, &path.keys[..], &value) {
                let moment = Timestamp::parse(text).map(Target::Time);
                let target = moment.unwrap_or(Target::Json(value.clone()));
                return Found { kind: Some(Kind::Property), targets: vec![target] };
            }
            return Found {
                kind: Some(instance.value.kind()),
                targets: values(instance.value.kind(), &path.keys, value),
            };
        }
        Member::ObservedAt => time(instance.observed_at),
        Member::CreatedAt => time(Some(instance.created_at)),
        Member::ModifiedAt => time(Some(instance.modified_at)),
        Member::ExpiresAt => time(instance.expires_at),
        Member::UnitCode => text(instance.unit_code.as_deref()),
        Member::DatasetId => text(instance.dataset_id.as_ref().map(Iri::as_str)),
        Member::ObjectType => None,
    };
    Found { kind: None, targets: member.into_iter().collect() }
}

fn values(kind: Kind, keys: &[Key], value: Value) -> Vec<Target> {
    let json = |v: &Value| Target::Json(v.clone());
    if kind == Kind::LanguageProperty {
        let map = value.as_object().unwrap();
        return match keys {
            [] | [Key::AnyLanguage] => map.values().map(json).collect(),
            [Key::Member { term, .. }] => map.get(&**term).map(json).into_iter().collect(),
            _ => Vec::new(),
        };
    }
    let has_keys = matches!(
        kind,
        Kind::Property | Kind::JsonProperty | Kind::GeoProperty | Kind::ListProperty
    );
    let mut found = value;
    for key in keys {
        let Key::Member { term, .. } = key else { return Vec::new() };
        match found.get(&**term).filter(|_| has_keys && found.is_object()) {
            Some(inner) => found = inner.clone(),
            None => return Vec::new(),
        }
    }
    vec![Target::Json(found)]
}

fn naive_compare(comparison: &Comparison, found: &Found) -> bool {
    let Comparison { operator, operand, .. } = comparison;
    let is_relationship = comparison.path.member == Member::Value
        && matches!(found.kind, Some(Kind::Relationship | Kind::ListRelationship));
    if is_relationship && !matches!(operator, Operator::Equal | Operator::Unequal) {
        return false;
    }
    let is_language = found.kind == Some(Kind::LanguageProperty);
    // The texts of a language may be a list, whose items count one by one; so do scopes.
    let is_flat = is_language || comparison.path.root == Root::Scope;
    let flat: Vec<Target> = found
        .targets
        .iter()
        .flat_map(|target| match target {
            Target::Json(Value::Array(items)) if is_flat => {
                items.iter().map(|item| Target::Json(item.clone())).collect()
            }
            other => vec![other.clone()],
        })
        .collect();
    let holds = |wanted: Operator| {
        flat.iter().map(move |target| naive_target(wanted, operand, target)).collect::<Vec<_>>()
    };
    match operator {
        Operator::Unequal => !found.targets.is_empty() && !holds(Operator::Equal).contains(&true),
        Operator::MatchesNot if is_language => {
            !found.targets.is_empty() && !holds(Operator::Matches).contains(&true)
        }
        other => holds(*other).contains(&true),
    }
}

fn naive_target(operator: Operator, operand: &Operand, target: &Target) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let target = match target {
        Target::Json(Value::Object(object)) => match (object.get("@type"), object.get("@value")) {
            (Some(Value::String(kind)), Some(Value::String(text))) if kind == "DateTime" => {
                Target::Time(Timestamp::parse(text).unwrap())
            }
            (_, Some(value)) => Target::Json(value.clone()),
            _ => target.clone(),
        },
        other => other.clone(),
    };
    let target = &target;
    match operator {
        Operator::Equal => {
            let one = |literal: &Literal| match target {
                Target::Json(Value::Array(items)) => items.iter().any(|item| {
                    let item = Target::Json(item.clone());
                    !matches!(item, Target::Json(Value::Array(_)))
                        && naive_target(Operator::Equal, &Operand::One(literal.clone()), &item)
                }),
                _ => order(target, literal) == Some(Equal),
            };
            match operand {
                Operand::One(literal) => one(literal),
                Operand::List(list) => list.iter().any(one),
                Operand::Range(a, b) => {
                    matches!(order(target, a), Some(Equal | Greater))
                        && matches!(order(target, b), Some(Equal | Less))
                }
                Operand::Pattern(_) => false,
            }
        }
        Operator::Matches | Operator::MatchesNot => match (target, operand) {
            (Target::Json(Value::String(text)), Operand::Pattern(pattern)) => {
                pattern.is_match(text) == (operator == Operator::Matches)
            }
            _ => false,
        },
        Operator::Unequal => unreachable!("is the negation of equality"),
        _ => {
            let Operand::One(literal) = operand else { return false };
            let found = order(target, literal).filter(|_| !matches!(literal, Literal::Bool(_)));
            match operator {
                Operator::Greater => found == Some(Greater),
                Operator::GreaterOrEqual => matches!(found, Some(Greater | Equal)),
                Operator::Less => found == Some(Less),
                _ => matches!(found, Some(Less | Equal)),
            }
        }
    }
}

fn order(target: &Target, literal: &Literal) -> Option<std::cmp::Ordering> {
    let time = |text: &str| Timestamp::parse(text).ok();
    match (target, literal) {
        (Target::Json(Value::Number(n)), Literal::Number(m)) => n.as_f64()?.partial_cmp(m),
        (Target::Json(Value::Bool(a)), Literal::Bool(b)) => Some(a.cmp(b)),
        (Target::Json(Value::String(a)), Literal::Text(b)) => Some(a.as_str().cmp(b)),
        (Target::Json(Value::String(a)), Literal::DateTime(b)) => Some(time(a)?.cmp(b)),
        (Target::Json(Value::String(a)), Literal::Date(b)) => {
            time(&format!("{a}T00:00:00Z")).map(|_| a.as_str().cmp(b))
        }
        (Target::Json(Value::String(a)), Literal::Time(b)) => {
            let of_day = |text: &str| time(&format!("2000-01-01T{text}"));
            Some(of_day(a)?.cmp(&of_day(b)?))
        }
        (Target::Time(a), Literal::DateTime(b)) => Some(a.cmp(b)),
        (Target::Time(a), Literal::Text(b)) => Some(a.cmp(&time(b)?)),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_agrees_with_a_plain_evaluator(entity in random_entity(), filter in random_filter()) {
        let resolved = filter.map_names(&mut name_id);
        let judged = evaluate(&resolved, &record(entity.clone(), 1).view());
        prop_assert_eq!(judged, naive(&filter, &entity));
    }

    #[test]
    fn a_simplified_filter_means_the_same(entity in random_entity(), filter in random_filter()) {
        let record = record(entity, 1);
        let resolved = filter.map_names(&mut name_id);
        let simple = resolved.clone().simplify();
        prop_assert_eq!(evaluate(&resolved, &record.view()), evaluate(&simple, &record.view()));
        prop_assert_eq!(simple.clone().simplify(), simple);
    }

    #[test]
    fn columns_of_numbers_and_texts_answer_as_the_evaluator(
        entity in random_entity(),
        comparison in random_comparison(),
    ) {
        let filter = Filter::Compare(comparison).map_names(&mut name_id);
        let Filter::Compare(comparison) = &filter else { unreachable!() };
        let record = record(entity, 1);
        for attribute in record.view().attributes() {
            for instance in attribute.instances() {
                let path = Path::of_attribute(attribute.name());
                let (operator, operand) = (comparison.operator, comparison.operand.clone());
                let of_value = Comparison { path, operator, operand };
                if let Some(text) = scalar_text(&instance) {
                    let equals = of_value.operator == Operator::Equal
                        && matches!(&of_value.operand, Operand::One(Literal::Text(t)) if **t == *text);
                    let asks = matches!(
                        (of_value.operator, &of_value.operand),
                        (Operator::Equal, Operand::One(Literal::Text(_)))
                    );
                    prop_assert!(!asks || equals == instance_matches(&of_value, &instance));
                }
                let is_column_entry = instance.kind() == Kind::Property;
                if let (true, Some(number)) = (is_column_entry, scalar_number(instance.value_bytes())) {
                    prop_assert_eq!(
                        by_column(&of_value, number),
                        instance_matches(&of_value, &instance)
                    );
                }
            }
        }
    }
}

/// How a column of numbers answers a comparison of a value.
fn by_column(comparison: &Comparison<cardo_model::NameId>, number: f64) -> bool {
    let constant = |literal: &Literal| match literal {
        Literal::Number(constant) => Some(*constant),
        _ => None,
    };
    let equals = match &comparison.operand {
        Operand::One(literal) => constant(literal) == Some(number),
        Operand::List(list) => list.iter().any(|literal| constant(literal) == Some(number)),
        Operand::Range(a, b) => match (constant(a), constant(b)) {
            (Some(a), Some(b)) => (a..=b).contains(&number),
            _ => false,
        },
        Operand::Pattern(_) => false,
    };
    let than = match &comparison.operand {
        Operand::One(literal) => constant(literal),
        _ => None,
    };
    match comparison.operator {
        Operator::Equal => equals,
        Operator::Unequal => !equals,
        Operator::Greater => than.is_some_and(|than| number > than),
        Operator::GreaterOrEqual => than.is_some_and(|than| number >= than),
        Operator::Less => than.is_some_and(|than| number < than),
        Operator::LessOrEqual => than.is_some_and(|than| number <= than),
        Operator::Matches | Operator::MatchesNot => false,
    }
}
