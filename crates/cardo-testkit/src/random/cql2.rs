use cardo_query::cql2::{Queryable, Queryables, compile, parse_text};
use cardo_query::{Datasets, Filter, Path, Sort};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::world::{ATTRIBUTES, attribute_name};

/// The attributes of the world as properties of CQL2.
pub struct WorldQueryables;

impl Queryables for WorldQueryables {
    fn queryable(&self, name: &str) -> Option<Queryable> {
        let (term, _) = ATTRIBUTES.into_iter().find(|(term, _)| *term == name)?;
        let sort = match term {
            "temperature" | "level" => Sort::Number,
            "name" | "isPartOf" | "label" => Sort::Text,
            "location" | "observationSpace" => Sort::Geometry,
            "route" => Sort::Array,
            _ => Sort::Any,
        };
        let mut path = Path::of_attribute(attribute_name(term));
        path.datasets = Datasets::Preferred;
        Some(Queryable { path, sort })
    }

    fn names(&self) -> Vec<String> {
        ATTRIBUTES.into_iter().map(|(term, _)| term.to_owned()).collect()
    }
}

/// A condition of CQL2 on entities of the world, of any kind and nested.
pub fn random_cql2_filter() -> impl Strategy<Value = Filter> {
    random_cql2().prop_map(|text| {
        let expression = parse_text(&text).expect("the texts of the world are read");
        compile(&expression, &WorldQueryables).expect("the texts of the world mean something")
    })
}

/// The same as text.
pub fn random_cql2() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![4 => numbers(), 3 => texts(), 3 => geometries(), 1 => others()];
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" AND "))),
            2 => vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" OR "))),
            2 => inner.prop_map(|part| format!("NOT ({part})")),
        ]
    })
}

fn numbers() -> impl Strategy<Value = String> {
    let name = || select(vec!["temperature", "level", "level", "raw"]);
    let order = || select(vec!["=", "<>", "<", ">", "<=", ">="]);
    let number = || (-16_i32..120).prop_map(|n| f64::from(n) / 2.0);
    prop_oneof![
        4 => (name(), order(), number()).prop_map(|(a, o, n)| format!("{a} {o} {n}")),
        2 => (number(), order(), name()).prop_map(|(n, o, a)| format!("{n} {o} {a}")),
        2 => (name(), order(), name()).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
        2 => (name(), order(), number()).prop_map(|(a, o, n)| format!("{a} * 2 - 1 {o} {n}")),
        1 => (name(), number(), number()).prop_map(|(a, n, m)| format!("{a} BETWEEN {n} AND {m}")),
        1 => (name(), number(), number()).prop_map(|(a, n, m)| format!("{a} NOT IN ({n}, {m})")),
        1 => name().prop_map(|a| format!("{a} IS NULL")),
    ]
}

fn texts() -> impl Strategy<Value = String> {
    let name = || select(vec!["name", "isPartOf", "label", "category"]);
    let text = || {
        select(vec!["red", "green", "blue", "été", "2020-09-13", "urn:ngsi-ld:Thing:3"])
            .prop_map(|text| format!("'{text}'"))
    };
    prop_oneof![
        3 => (name(), text()).prop_map(|(a, t)| format!("{a} = {t}")),
        1 => (text(), name()).prop_map(|(t, a)| format!("{t} <> {a}")),
        2 => (name(), text(), text()).prop_map(|(a, t, u)| format!("{a} IN ({t}, {u})")),
        1 => (name(), text()).prop_map(|(a, t)| format!("ACCENTI(CASEI({a})) = ACCENTI(CASEI({t}))")),
        1 => (name(), text()).prop_map(|(a, t)| format!("{a} < {t}")),
        1 => (name(), select(vec!["r%", "%e%", "_____"])).prop_map(|(a, p)| format!("{a} LIKE '{p}'")),
    ]
}

fn geometries() -> impl Strategy<Value = String> {
    let name = || select(vec!["location", "observationSpace"]);
    let relation = || {
        select(vec![
            "S_INTERSECTS",
            "S_WITHIN",
            "S_DISJOINT",
            "S_CONTAINS",
            "S_TOUCHES",
            "S_CROSSES",
        ])
    };
    let constant = || {
        select(vec![
            "BBOX(-180,-90,180,90)",
            "BBOX(170,-20,-170,20)",
            "POINT(24.9 60.1)",
            "POLYGON((-10 -10,30 -10,30 70,-10 70,-10 -10))",
            "LINESTRING(-180 0,180 0)",
        ])
    };
    prop_oneof![
        4 => (relation(), name(), constant()).prop_map(|(r, a, g)| format!("{r}({a}, {g})")),
        2 => (relation(), constant(), name()).prop_map(|(r, g, a)| format!("{r}({g}, {a})")),
        1 => (relation(), name(), name()).prop_map(|(r, a, b)| format!("{r}({a}, {b})")),
        1 => (name(), select(vec![500, 5_000_000]))
            .prop_map(|(a, metres)| format!("distance({a}, POINT(24.9 60.1)) <= {metres}")),
        1 => (relation(), name(), constant())
            .prop_map(|(r, a, g)| format!("{r}(centroid({a}), {g})")),
    ]
}

fn others() -> impl Strategy<Value = String> {
    select(vec![
        "A_CONTAINS(route, (1))",
        "A_OVERLAPS(route, ('red', 2, TRUE))",
        "T_AFTER(name, DATE('2020-01-01'))",
        "T_INTERSECTS(INTERVAL(name, '..'), INTERVAL('..', '2020-09-13'))",
        "raw",
        "TRUE",
        "1 > 2",
    ])
    .prop_map(str::to_owned)
}
