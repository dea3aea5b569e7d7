//! What is printed reads as what it was.

use cardo_model::{EntityId, Timestamp};
use cardo_query::{
    Comparison, Datasets, Filter, Key, Literal, Member, Operand, Operator, Path, Pattern, Root,
    ScopeTest, print,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::common::{Terms, VOCAB, iri, q};

fn name() -> impl Strategy<Value = cardo_model::Iri> {
    "[a-zä][a-z0-9_]{0,6}".prop_map(|term| iri(&format!("{VOCAB}{term}")))
}

fn is_member(name: &cardo_model::Iri) -> bool {
    let term = name.as_str().strip_prefix(VOCAB).unwrap();
    matches!(term, "id" | "type" | "scope")
}

fn key() -> impl Strategy<Value = Key> {
    "[a-z][a-z0-9_-]{0,4}"
        .prop_map(|term| Key::Member { name: format!("{VOCAB}{term}").into(), term: term.into() })
}

fn path() -> impl Strategy<Value = Path> {
    let members = prop_oneof![
        4 => Just(Member::Value),
        1 => Just(Member::ObservedAt),
        1 => Just(Member::UnitCode),
        1 => Just(Member::DatasetId),
    ];
    let of_attribute = (
        name().prop_filter("a member of the entity", |name| !is_member(name)),
        vec(name(), 0..3),
        members,
        prop_oneof![2 => Just(Vec::new()), 1 => vec(key(), 1..3), 1 => Just(vec![Key::AnyLanguage])],
    )
        .prop_map(|(root, attributes, member, keys)| {
            let keys = if member == Member::Value { keys } else { Vec::new() };
            let datasets = Datasets::Any;
            Path { root: Root::Attribute(root), attributes, member, keys, datasets }
        });
    prop_oneof![
        6 => of_attribute,
        1 => prop_oneof![Just(Root::CreatedAt), Just(Root::ModifiedAt), Just(Root::Scope)]
            .prop_map(Path::of_root),
    ]
}

fn comparable() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Literal::Number),
        (-50_i32..50).prop_map(|n| Literal::Number(f64::from(n) / 4.0)),
        "\\PC{0,12}".prop_map(|text| Literal::Text(text.into())),
        (-62_167_219_200_000_000..253_402_300_799_999_999_i64)
            .prop_map(|micros| Literal::DateTime(Timestamp::from_micros(micros))),
        (0_i64..40_000).prop_map(|day| {
            let moment = Timestamp::from_seconds(day * 86_400).to_string();
            Literal::Date(moment[..10].into())
        }),
        (0_i64..86_400).prop_map(|second| {
            let moment = Timestamp::from_seconds(second).to_string();
            Literal::Time(moment[11..].into())
        }),
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![4 => comparable(), 1 => any::<bool>().prop_map(Literal::Bool)]
}

fn test() -> impl Strategy<Value = (Operator, Operand)> {
    let equality = prop_oneof![Just(Operator::Equal), Just(Operator::Unequal)];
    let constants = prop_oneof![
        literal().prop_map(Operand::One),
        vec(literal(), 2..4).prop_map(Operand::List),
        (comparable(), comparable()).prop_map(|(least, most)| Operand::Range(least, most)),
    ];
    let order = prop_oneof![
        Just(Operator::Greater),
        Just(Operator::GreaterOrEqual),
        Just(Operator::Less),
        Just(Operator::LessOrEqual),
    ];
    let matching = prop_oneof![Just(Operator::Matches), Just(Operator::MatchesNot)];
    let patterns = "[a-z;|.\"]{1,6}(\\\\d|[(]a[)])?".prop_map(|p| Pattern::new(&p).unwrap());
    prop_oneof![
        (equality, constants),
        (order, comparable().prop_map(Operand::One)),
        (matching, patterns.prop_map(Operand::Pattern)),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let id = "[a-z]{1,5}".prop_map(|id| EntityId::new(format!("urn:ngsi-ld:{id}")).unwrap());
    let leaf = prop_oneof![
        4 => (path(), test()).prop_map(|(path, (operator, operand))| {
            Filter::Compare(Comparison { path, operator, operand })
        }),
        2 => path().prop_map(Filter::Exists),
        1 => path().prop_map(|path| Filter::Not(Box::new(Filter::Exists(path)))),
        1 => name().prop_map(Filter::Type),
        1 => name().prop_map(|name| Filter::Not(Box::new(Filter::Type(name)))),
        1 => vec(id, 1..3).prop_map(Filter::Ids),
        1 => "[a-z;|]{1,6}".prop_map(|p| Filter::IdPattern(Pattern::new(&p).unwrap())),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Filter::And),
            vec(inner, 2..4).prop_map(Filter::Or),
        ]
    })
}

proptest! {
    #[test]
    fn a_printed_filter_reads_as_itself(filter in filter()) {
        let filter = filter.simplify();
        let text = print(&filter, &Terms).expect("the language can say it");
        let read = q(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        prop_assert_eq!(read, filter, "{}", text);
    }
}

#[test]
fn what_the_language_cannot_say_is_not_printed() {
    let path = Path { datasets: Datasets::Preferred, ..Path::of_attribute(iri("urn:x:a")) };
    for filter in [
        Filter::True,
        Filter::Scope(ScopeTest::Any),
        Filter::Exists(path),
        Filter::HasAttribute(iri("https://example.org/elsewhere")),
        Filter::Not(Box::new(Filter::And(vec![Filter::True, Filter::False]))),
    ] {
        assert_eq!(print(&filter, &Terms), None, "{filter:?}");
    }
}
