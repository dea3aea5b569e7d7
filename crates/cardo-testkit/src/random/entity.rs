use cardo_model::{Attribute, Entity, Geometry, Instance, JsonText, Kind, Value};
use geo_types::Geometry as Shape;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;

use super::shape::random_shape;
use super::world::{
    ATTRIBUTES, DATASETS, LANGUAGES, SCOPES, TEXTS, TYPES, attribute_name, id, iri, moment, scope,
    type_name,
};

/// An entity of the world; ids are few, so that many of them meet.
pub fn random_entity() -> impl Strategy<Value = Entity> {
    (
        0_u32..200,
        subsequence(TYPES.to_vec(), 1..=2),
        subsequence(SCOPES.to_vec(), 0..=2),
        subsequence((0..ATTRIBUTES.len()).collect::<Vec<_>>(), 0..=6),
        option::weighted(0.1, 0_i64..6),
    )
        .prop_flat_map(|(number, types, scopes, attributes, expires)| {
            let attributes: Vec<_> = attributes.into_iter().map(random_attribute).collect();
            attributes.prop_map(move |attributes| Entity {
                id: id(number),
                types: types.iter().copied().map(type_name).collect(),
                scopes: scopes.iter().copied().map(scope).collect(),
                attributes,
                expires_at: expires.map(moment),
            })
        })
}

/// The attribute of the world with this place in [`ATTRIBUTES`], with up to three instances.
pub fn random_attribute(place: usize) -> impl Strategy<Value = Attribute> {
    let (term, usual) = ATTRIBUTES[place];
    let datasets = prop_oneof![
        6 => Just(vec![None]),
        1 => Just(vec![Some(DATASETS[0])]),
        1 => Just(vec![None, Some(DATASETS[0])]),
        1 => Just(vec![None, Some(DATASETS[0]), Some(DATASETS[1])]),
    ];
    datasets.prop_flat_map(move |datasets| {
        let instances: Vec<_> = datasets
            .into_iter()
            .map(|dataset| {
                random_instance(usual, 1).prop_map(move |mut instance| {
                    instance.dataset_id = dataset.map(iri);
                    instance
                })
            })
            .collect();
        instances.prop_map(move |instances| Attribute { name: attribute_name(term), instances })
    })
}

/// An instance, mostly of the usual kind, with attributes of its own down to a depth.
pub fn random_instance(usual: Kind, depth: u32) -> BoxedStrategy<Instance> {
    let kinds = prop_oneof![9 => Just(usual), 1 => select(Kind::ALL.to_vec())];
    let value = kinds.prop_flat_map(random_value);
    let attributes = if depth == 0 {
        Just(Vec::new()).boxed()
    } else {
        prop_oneof![
            4 => Just(Vec::new()),
            1 => random_instance(Kind::Property, depth - 1).prop_map(|instance| {
                vec![Attribute::new(attribute_name("level"), instance)]
            }),
        ]
        .boxed()
    };
    let unit = option::weighted(0.3, select(vec!["CEL", "KMH"]));
    let unit = (unit, option::weighted(0.1, Just("DateTime")));
    (value, option::of(0_i64..6), unit, option::weighted(0.1, 0_i64..6), 0_i64..3, attributes)
        .prop_map(|(value, observed, (unit, value_type), expires, created, attributes)| Instance {
            value_type: value_type.map(Into::into),
            observed_at: observed.map(moment),
            unit_code: unit.map(Into::into),
            expires_at: expires.map(moment),
            created_at: moment(created),
            modified_at: moment(created + 1),
            attributes,
            ..Instance::new(value)
        })
        .boxed()
}

/// A value of a kind.
pub fn random_value(kind: Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::Property => random_json().prop_map(|v| property(&v)).boxed(),
        Kind::JsonProperty => random_json().prop_map(|v| Value::json(text_of(&v))).boxed(),
        Kind::ListProperty => vec(random_scalar(), 0..4)
            .prop_map(|items| Value::list(text_of(&json!(items)), false))
            .boxed(),
        Kind::Relationship => prop_oneof![
            3 => (0_u32..20).prop_map(|n| Value::relationship(&id(n))),
            1 => vec(0_u32..20, 1..4).prop_map(|all| {
                Value::relationships(&all.into_iter().map(id).collect::<Vec<_>>())
            }),
        ]
        .boxed(),
        Kind::ListRelationship => vec(0_u32..20, 0..4)
            .prop_map(|all| Value::list_relationship(&all.into_iter().map(id).collect::<Vec<_>>()))
            .boxed(),
        Kind::GeoProperty => (random_shape(), option::weighted(0.2, select(vec![0.0, 12.5, 250.0])))
            .prop_map(|(shape, height)| {
                if let (Shape::Point(point), Some(height)) = (&shape, height) {
                    let (lon, lat) = point.x_y();
                    let text = format!(
                        "{{\"type\":\"Point\",\"coordinates\":[{lon:?},{lat:?},{height:?}]}}"
                    );
                    return Value::geo(&Geometry::from_canonical(text));
                }
                let geometry = Geometry::from_shape(&shape);
                Value::geo(&geometry.expect("random shapes can be held"))
            })
            .boxed(),
        Kind::LanguageProperty => random_language_map().boxed(),
        Kind::VocabProperty => prop_oneof![
            3 => select(TYPES.to_vec()).prop_map(|term| json!(type_name(term).as_str())),
            1 => subsequence(TYPES.to_vec(), 0..=2).prop_map(|terms| {
                json!(terms.into_iter().map(|t| type_name(t).as_str().to_owned()).collect::<Vec<_>>())
            }),
        ]
        .prop_map(|value| Value::vocab(text_of(&value)))
        .boxed(),
    }
}

fn random_language_map() -> impl Strategy<Value = Value> {
    let texts = prop_oneof![
        3 => select(TEXTS.to_vec()).prop_map(|text| json!(text)),
        1 => subsequence(TEXTS.to_vec(), 0..=2).prop_map(|texts| json!(texts)),
    ];
    (subsequence(LANGUAGES.to_vec(), 0..=3), vec(texts, 3)).prop_map(|(languages, texts)| {
        let map: serde_json::Map<_, _> =
            languages.into_iter().map(str::to_owned).zip(texts).collect();
        Value::language_map(text_of(&json!(map)))
    })
}

fn random_scalar() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        8 => (-8_i32..60).prop_map(|n| json!(n)),
        4 => (-16_i32..60).prop_map(|n| json!(f64::from(n) / 2.0)),
        4 => select(TEXTS.to_vec()).prop_map(|text| json!(text)),
        1 => any::<bool>().prop_map(|truth| json!(truth)),
        1 => Just(json!(null)),
        1 => (0_i64..6).prop_map(|n| json!({"@type": "DateTime", "@value": moment(n).to_string()})),
        1 => any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| json!(n)),
    ]
}

fn random_json() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        10 => random_scalar(),
        1 => vec(random_scalar(), 0..4).prop_map(|items| json!(items)),
        2 => (random_scalar(), random_scalar(), any::<bool>()).prop_map(|(city, floor, is_full)| {
            if is_full {
                json!({"city": city, "inner": {"floor": floor}})
            } else {
                json!({"city": city})
            }
        }),
    ]
}

fn property(value: &serde_json::Value) -> Value {
    Value::property(text_of(value), false)
}

fn text_of(value: &serde_json::Value) -> JsonText {
    JsonText::from_value(value)
}
