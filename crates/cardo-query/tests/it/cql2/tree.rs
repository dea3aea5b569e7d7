//! Random expressions.

use cardo_model::Timestamp;
use cardo_query::cql2::{Expression, GeometryLiteral, Kind, Operation, Place, Position};
use cardo_query::{ArrayRelation, Function, Order, TimeOrder};
use cardo_spatial::GeoRelation;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn node(kind: Kind) -> Expression {
    Expression::new(Place::Character(1), kind)
}

fn call(operation: Operation, arguments: Vec<Expression>) -> Expression {
    node(Kind::Call(operation, arguments))
}

/// A condition of any kind, nested.
pub(super) fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(|value| node(Kind::Bool(value))),
        6 => test(),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(|parts| call(Operation::And, parts)),
            vec(inner.clone(), 2..4).prop_map(|parts| call(Operation::Or, parts)),
            inner.prop_map(|part| call(Operation::Not, vec![part])),
        ]
    })
}

fn test() -> impl Strategy<Value = Expression> {
    let two = |operands: (Expression, Expression)| vec![operands.0, operands.1];
    prop_oneof![
        (orders(), scalar(), scalar())
            .prop_map(|(order, a, b)| call(Operation::Compare(order), vec![a, b])),
        (text(), text()).prop_map(move |both| call(Operation::Like, two(both))),
        (number(), number(), number())
            .prop_map(|(a, b, c)| call(Operation::Between, vec![a, b, c])),
        (scalar(), vec(scalar(), 1..4))
            .prop_map(|(a, list)| call(Operation::In, vec![a, node(Kind::Array(list))])),
        scalar().prop_map(|operand| call(Operation::IsNull, vec![operand])),
        (relations(), geometry(), geometry())
            .prop_map(|(relation, a, b)| call(Operation::Spatial(relation), vec![a, b])),
        (times(), time(), time())
            .prop_map(|(order, a, b)| call(Operation::Temporal(order), vec![a, b])),
        (arrays(), array(), array())
            .prop_map(|(relation, a, b)| call(Operation::Array(relation), vec![a, b])),
    ]
}

fn orders() -> impl Strategy<Value = Order> {
    select(vec![
        Order::Equal,
        Order::Unequal,
        Order::Less,
        Order::Greater,
        Order::LessOrEqual,
        Order::GreaterOrEqual,
    ])
}

fn relations() -> impl Strategy<Value = GeoRelation> {
    select(vec![
        GeoRelation::Intersects,
        GeoRelation::Equals,
        GeoRelation::Disjoint,
        GeoRelation::Touches,
        GeoRelation::Within,
        GeoRelation::Overlaps,
        GeoRelation::Crosses,
        GeoRelation::Contains,
    ])
}

fn times() -> impl Strategy<Value = TimeOrder> {
    select(vec![
        TimeOrder::After,
        TimeOrder::FinishedBy,
        TimeOrder::MetBy,
        TimeOrder::OverlappedBy,
        TimeOrder::Starts,
    ])
}

fn arrays() -> impl Strategy<Value = ArrayRelation> {
    select(vec![ArrayRelation::Equals, ArrayRelation::Contains, ArrayRelation::ContainedBy])
}

fn property() -> impl Strategy<Value = Expression> {
    let names = ["a", "nimi.päivä", "eo:cloud", "date", "with space", "S_WITHIN", "a\"b", "_1"];
    select(names.to_vec()).prop_map(|name| node(Kind::Property(name.into())))
}

fn scalar() -> impl Strategy<Value = Expression> {
    prop_oneof![text(), number(), instant(), any::<bool>().prop_map(|b| node(Kind::Bool(b)))]
}

fn text() -> impl Strategy<Value = Expression> {
    // A backslash cannot end a text: what follows it would be a quote of the text.
    let texts = ["", "x", "it's", "B_r%", "tab\tand\nline", r"100\%", r"a\'b", "Ωø𝄞", "''"];
    let leaf = prop_oneof![
        2 => select(texts.to_vec()).prop_map(|text| node(Kind::Text(text.into()))),
        1 => property(),
    ];
    leaf.prop_recursive(2, 4, 1, |inner| {
        prop_oneof![
            inner.clone().prop_map(|text| call(Operation::CaseI, vec![text])),
            inner.clone().prop_map(|text| call(Operation::AccentI, vec![text])),
            inner.prop_map(|text| call(Operation::Function("lower".into()), vec![text])),
        ]
    })
}

fn number() -> impl Strategy<Value = Expression> {
    let functions = select(vec![
        Function::Add,
        Function::Subtract,
        Function::Multiply,
        Function::Divide,
        Function::Modulo,
        Function::IntegerDivide,
        Function::Power,
    ]);
    let numbers = select(vec![0.0, 1.0, -3.0, 0.5, -2.25e-7, 1.5e20, 1e300]);
    let leaf = prop_oneof![2 => numbers.prop_map(|n| node(Kind::Number(n))), 1 => property()];
    leaf.prop_recursive(3, 8, 2, move |inner| {
        (functions.clone(), inner.clone(), inner)
            .prop_map(|(function, a, b)| call(Operation::Arithmetic(function), vec![a, b]))
    })
}

fn instant() -> impl Strategy<Value = Expression> {
    prop_oneof![
        Just(node(Kind::Date("2022-04-16".into()))),
        (0_i64..9_000_000_000_000_000)
            .prop_map(|micros| node(Kind::Timestamp(Timestamp::from_micros(micros)))),
    ]
}

fn time() -> impl Strategy<Value = Expression> {
    let end = || prop_oneof![instant(), property(), Just(node(Kind::Open))];
    prop_oneof![
        1 => instant(),
        1 => property(),
        3 => (end(), end()).prop_map(|(a, b)| node(Kind::Interval(Box::new([a, b])))),
    ]
}

fn array() -> impl Strategy<Value = Expression> {
    let item = prop_oneof![
        scalar(),
        geometry(),
        vec(text_constant(), 0..3).prop_map(|items| node(Kind::Array(items)))
    ];
    prop_oneof![1 => property(), 3 => vec(item, 0..4).prop_map(|items| node(Kind::Array(items)))]
}

fn text_constant() -> impl Strategy<Value = Expression> {
    select(vec!["a", "b"]).prop_map(|text| node(Kind::Text(text.into())))
}

fn geometry() -> impl Strategy<Value = Expression> {
    let at = || {
        (-180_i32..=180, -90_i32..=90, prop::option::weighted(0.2, -5_i32..5)).prop_map(
            |(x, y, z)| Position { x: x.into(), y: f64::from(y) / 8.0, z: z.map(f64::from) },
        )
    };
    let line = move || vec(at(), 2..4);
    let ring = move || {
        vec(at(), 3..5).prop_map(|mut ring| {
            ring.push(ring[0]);
            ring
        })
    };
    let simple = prop_oneof![
        at().prop_map(GeometryLiteral::Point),
        line().prop_map(GeometryLiteral::LineString),
        vec(ring(), 1..3).prop_map(GeometryLiteral::Polygon),
        vec(at(), 1..4).prop_map(GeometryLiteral::MultiPoint),
        vec(line(), 1..3).prop_map(GeometryLiteral::MultiLineString),
        vec(vec(ring(), 1..3), 1..3).prop_map(GeometryLiteral::MultiPolygon),
    ];
    let any = prop_oneof![
        4 => simple.clone(),
        1 => vec(simple, 1..3).prop_map(GeometryLiteral::GeometryCollection),
    ];
    prop_oneof![
        3 => any.prop_map(|literal| node(Kind::Geometry(literal))),
        1 => Just(node(Kind::Bbox(vec![160.5, -55.0, -170.0, -25.0]))),
        1 => Just(node(Kind::Bbox(vec![1.0, 2.0, -3.0, 4.0, 5.0, 6.0]))),
        1 => property(),
    ]
}
