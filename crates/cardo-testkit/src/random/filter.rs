use std::sync::Arc;

use cardo_model::Iri;
use cardo_query::{
    Comparison, Datasets, Filter, GeoCondition, GeoTest, HeightCondition, Key, Literal, Member,
    Observed, Operand, Operator, Path, Pattern, Root, ScopeTest, TimeCondition,
};
use cardo_spatial::GeoRelation;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::shape::random_shape;
use super::world::{
    ATTRIBUTES, DATASETS, LANGUAGES, SCOPES, TEXTS, TYPES, attribute_name, id, iri, moment, scope,
    type_name,
};

/// A condition on entities of the world, of any kind and nested.
pub fn random_filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        10 => random_comparison().prop_map(Filter::Compare),
        5 => random_geo_filter(),
        4 => select(TYPES.to_vec()).prop_map(|term| Filter::Type(type_name(term))),
        3 => attribute().prop_map(Filter::HasAttribute),
        2 => path().prop_map(Filter::Exists),
        2 => scope_test().prop_map(Filter::Scope),
        2 => time_condition().prop_map(Filter::Time),
        1 => height_condition().prop_map(Filter::Height),
        1 => vec((0_u32..220).prop_map(id), 0..4).prop_map(Filter::Ids),
        1 => select(vec!["[13]$", "Thing:1", "^x", ""])
            .prop_map(|p| Filter::IdPattern(pattern(p))),
        1 => Just(Filter::True),
        1 => Just(Filter::False),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            4 => vec(inner.clone(), 0..4).prop_map(Filter::And),
            3 => vec(inner.clone(), 0..4).prop_map(Filter::Or),
            2 => inner.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    })
}

/// A condition on a geometry of the world.
pub fn random_geo_filter() -> impl Strategy<Value = Filter> {
    let metres = || select(vec![1.0, 500.0, 5_000.0, 2_000_000.0, 25_000_000.0]);
    let relation = prop_oneof![
        2 => metres().prop_map(|max| GeoRelation::Near { min: None, max: Some(max) }),
        1 => metres().prop_map(|min| GeoRelation::Near { min: Some(min), max: None }),
        2 => Just(GeoRelation::Within),
        1 => Just(GeoRelation::Contains),
        1 => Just(GeoRelation::Overlaps),
        3 => Just(GeoRelation::Intersects),
        1 => Just(GeoRelation::Equals),
        1 => Just(GeoRelation::Disjoint),
    ];
    let property = select(vec!["location", "location", "observationSpace", "name"]);
    (property, relation, random_shape(), prop::bool::weighted(0.1), datasets()).prop_map(
        |(property, relation, reference, missing_matches, datasets)| {
            Filter::Geo(GeoCondition {
                property: attribute_name(property),
                test: Arc::new(GeoTest::new(relation, reference)),
                missing_matches,
                datasets,
            })
        },
    )
}

/// A comparison with constants that occur in the world.
pub fn random_comparison() -> impl Strategy<Value = Comparison> {
    let equality = select(vec![Operator::Equal, Operator::Unequal]);
    let order = select(vec![
        Operator::Greater,
        Operator::GreaterOrEqual,
        Operator::Less,
        Operator::LessOrEqual,
    ]);
    let matching = select(vec![Operator::Matches, Operator::MatchesNot]);
    let test = prop_oneof![
        4 => (equality.clone(), literal().prop_map(Operand::One)),
        2 => (equality.clone(), vec(literal(), 0..4).prop_map(Operand::List)),
        2 => (equality, (literal(), literal()).prop_map(|(a, b)| Operand::Range(a, b))),
        6 => (order, literal().prop_map(Operand::One)),
        1 => (matching, select(vec!["r", "^re", "x", "Thing:1", "^$"])
            .prop_map(|p| Operand::Pattern(pattern(p)))),
    ];
    (path(), test).prop_map(|(path, (operator, operand))| Comparison { path, operator, operand })
}

fn attribute() -> impl Strategy<Value = Iri> {
    // The first two hold numbers, what most queries ask for.
    prop_oneof![
        3 => 0_usize..2,
        4 => 0..ATTRIBUTES.len(),
    ]
    .prop_map(|place| attribute_name(ATTRIBUTES[place].0))
}

fn path() -> impl Strategy<Value = Path> {
    let key = |term: &str| Key::plain(term);
    let keys = prop_oneof![
        12 => Just(Vec::new()),
        1 => select(LANGUAGES.to_vec()).prop_map(move |tag| vec![key(tag)]),
        1 => Just(vec![Key::AnyLanguage]),
        1 => Just(vec![key("city")]),
        1 => Just(vec![key("inner"), key("floor")]),
    ];
    let member = prop_oneof![
        12 => Just(Member::Value),
        1 => Just(Member::ObservedAt),
        1 => Just(Member::CreatedAt),
        1 => Just(Member::ExpiresAt),
        1 => Just(Member::UnitCode),
        1 => Just(Member::DatasetId),
    ];
    let attributes = prop_oneof![9 => Just(Vec::new()), 1 => Just(vec![attribute_name("level")])];
    let of_attribute = (attribute(), attributes, member, keys, datasets()).prop_map(
        |(root, attributes, member, keys, datasets)| {
            let keys = if member == Member::Value { keys } else { Vec::new() };
            Path { root: Root::Attribute(root), attributes, member, keys, datasets }
        },
    );
    let of_entity = select(vec![
        Root::Id,
        Root::Type,
        Root::Scope,
        Root::CreatedAt,
        Root::ModifiedAt,
        Root::ExpiresAt,
    ]);
    prop_oneof![12 => of_attribute, 1 => of_entity.prop_map(Path::of_root)]
}

fn datasets() -> impl Strategy<Value = Datasets> {
    prop_oneof![
        8 => Just(Datasets::Any),
        1 => Just(Datasets::Preferred),
        1 => select(DATASETS.to_vec()).prop_map(|dataset| Datasets::Only(iri(dataset))),
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        8 => (-16_i32..120).prop_map(|n| Literal::Number(f64::from(n) / 2.0)),
        4 => select(TEXTS.to_vec()).prop_map(|text| Literal::Text(text.into())),
        1 => any::<bool>().prop_map(Literal::Bool),
        2 => (0_i64..6).prop_map(|n| Literal::DateTime(moment(n))),
        1 => Just(Literal::Date("2020-09-13".into())),
        1 => Just(Literal::Time("12:26:40Z".into())),
        2 => (0_u32..20).prop_map(|n| Literal::Text(id(n).as_str().into())),
        1 => select(TYPES.to_vec()).prop_map(|t| Literal::Text(type_name(t).as_str().into())),
        1 => select(vec!["CEL", "KMH", "/City"]).prop_map(|text| Literal::Text(text.into())),
        1 => select(DATASETS.to_vec()).prop_map(|text| Literal::Text(text.into())),
    ]
}

fn height_condition() -> impl Strategy<Value = HeightCondition> {
    let property = select(vec!["location", "observationSpace", "name"]);
    let ranges = vec![[0.0, 10.0], [-5.0, 0.0], [10.5, 90.0], [200.0, 300.0]];
    (property, select(ranges), datasets()).prop_map(|(property, range, datasets)| HeightCondition {
        property: attribute_name(property),
        range,
        datasets,
    })
}

fn time_condition() -> impl Strategy<Value = TimeCondition> {
    let bound = || prop::option::weighted(0.7, (0_i64..6).prop_map(moment));
    let names = || vec(attribute(), 0..3);
    let observed = prop_oneof![
        3 => Just(Observed::All),
        1 => names().prop_map(Observed::Only),
        1 => names().prop_map(Observed::Without),
    ];
    (bound(), bound(), any::<bool>(), observed).prop_map(
        |(from, until, missing_matches, observed)| TimeCondition {
            from,
            until,
            missing_matches,
            observed,
        },
    )
}

fn scope_test() -> impl Strategy<Value = ScopeTest> {
    let levels = || {
        select(vec!["City", "City/North", "City/+", "+/North", "+", "CompanyA", "City/+/Yard"])
            .prop_map(|text| {
                text.split('/').map(|level| (level != "+").then(|| level.into())).collect()
            })
    };
    prop_oneof![
        2 => subsequence(SCOPES.to_vec(), 1).prop_map(|all| ScopeTest::Exactly(scope(all[0]))),
        1 => levels().prop_map(ScopeTest::Levels),
        2 => levels().prop_map(ScopeTest::Below),
        1 => Just(ScopeTest::Any),
    ]
}

fn pattern(text: &str) -> Pattern {
    Pattern::new(text).expect("the patterns of the world are patterns")
}
