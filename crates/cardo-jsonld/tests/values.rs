//! Values come back as they were sent.

use std::sync::{Arc, LazyLock};

use cardo_jsonld::{
    Context, ContextBuilder, ContextError, Limits, ValueError, compact_value, compact_vocab,
    expand_value, expand_vocab,
};
use proptest::prelude::*;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

fn compile(source: Value) -> Arc<Context> {
    ContextBuilder::new(source, Limits::default())
        .build_with(|url| Err::<Vec<u8>, ContextError>(ContextError::InvalidUrl(url.to_owned())))
        .expect("the context is valid")
}

fn user() -> Arc<Context> {
    static USER: LazyLock<Arc<Context>> = LazyLock::new(|| compile(user_source()));
    USER.clone()
}

/// Joins what `user` tells apart.
fn other() -> Arc<Context> {
    static OTHER: LazyLock<Arc<Context>> = LazyLock::new(|| {
        compile(json!({ "gone": "https://example.org/street", "q": "https://other.org/" }))
    });
    OTHER.clone()
}

fn user_source() -> Value {
    json!({
        "ex": "https://example.org/",
        "street": "ex:street",
        "road": "ex:street",
        "kind": "@type",
        "gone": null,
        "raw": { "@id": "ex:raw", "@type": "@json" },
        "titles": { "@id": "ex:titles", "@container": "@language" },
        "byKey": { "@id": "ex:byKey", "@container": "@index" },
        "back": { "@reverse": "ex:back" },
        "Café": "ex:Café",
    })
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).expect("a value is JSON")
}

fn expanded(value: &Value, context: &Context) -> Value {
    let expanded = expand_value(&raw(value), context).expect("the value is valid");
    serde_json::from_str(expanded.text.as_str()).expect("expanded values are JSON")
}

fn round_trip(value: &Value, context: &Context) -> Result<Value, ValueError> {
    let expanded = expand_value(&raw(value), context)?;
    let mut out = Vec::new();
    compact_value(expanded.text.as_str(), context, &mut out);
    Ok(serde_json::from_slice(&out).expect("compacted values are JSON"))
}

#[test]
fn scalars_and_arrays_of_scalars_are_unchanged() {
    let context = user();
    for value in [json!(1.5), json!("street"), json!(true), json!([1, "street", null, [2]])] {
        let expanded = expand_value(&raw(&value), &context).unwrap();
        assert_eq!(expanded.text.as_str(), value.to_string());
        assert!(!expanded.coerced);
    }
}

#[test]
fn member_names_expand_and_types_too() {
    let value = json!({ "road": "a", "type": "road", "list": [{ "kind": ["Point", "x:y"] }] });
    assert_eq!(
        expanded(&value, &user()),
        json!({
            "https://example.org/street": "a",
            "type": "https://example.org/street",
            "https://uri.etsi.org/ngsi-ld/default-context/list":
                [{ "kind": ["https://purl.org/geojson/vocab#Point", "x:y"] }],
        })
    );
}

#[test]
fn a_second_name_for_an_iri_is_kept_as_it_is() {
    // Of `road` and `street` the shorter one is the name that answers use.
    let value = json!({ "road": 1, "street": 2 });
    assert_eq!(expanded(&value, &user()), json!({ "https://example.org/street": 1, "street": 2 }));
    assert_eq!(round_trip(&value, &user()).unwrap(), value);
}

#[test]
fn typed_values_json_and_language_maps_are_opaque() {
    let context = user();
    for value in [
        json!({ "@type": "DateTime", "@value": "2026-01-01T00:00:00Z" }),
        json!({ "raw": { "road": 1, "type": "Point" } }),
        json!({ "titles": { "fi": "a", "road": "b" } }),
        json!({ "json": { "road": 1 }, "languageMap": { "en": "x" } }),
    ] {
        assert_eq!(round_trip(&value, &context).unwrap(), value);
    }
    let inside = &expanded(&json!({ "raw": { "road": 1 } }), &context)["https://example.org/raw"];
    assert_eq!(inside, &json!({ "road": 1 }));
    let keyed = expanded(&json!({ "byKey": { "road": { "road": 1 } } }), &context);
    let inside = &keyed["https://example.org/byKey"];
    assert_eq!(inside, &json!({ "road": { "https://example.org/street": 1 } }));
}

#[test]
fn another_context_writes_its_own_names() {
    let value = json!({ "road": 1, "number": 2, "type": "road" });
    let expanded = expand_value(&raw(&value), &user()).unwrap();
    assert!(expanded.coerced);
    let other = compile(json!({ "via": "https://example.org/street" }));
    let mut out = Vec::new();
    compact_value(expanded.text.as_str(), &other, &mut out);
    let compact: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(compact, json!({ "via": 1, "number": 2, "type": "via" }));
}

#[test]
fn members_stay_apart_where_a_context_would_join_them() {
    let value = json!({ "road": 1, "gone": 2 });
    let expanded = expand_value(&raw(&value), &user()).unwrap();
    let other = compile(json!({ "gone": "https://example.org/street" }));
    let mut out = Vec::new();
    compact_value(expanded.text.as_str(), &other, &mut out);
    let compact: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(compact, json!({ "https://example.org/street": 1, "gone": 2 }));
}

#[test]
fn an_embedded_context_and_doubled_members_are_refused() {
    let context = user();
    let embedded = json!({ "a": [{ "b": { "@context": {} } }] });
    let error = round_trip(&embedded, &context).unwrap_err();
    assert_eq!(error, ValueError::EmbeddedContext { path: "a.b.@context".to_owned() });
    let twice = RawValue::from_string("{\"a\":1,\"a\":2}".to_owned()).unwrap();
    assert!(matches!(expand_value(&twice, &context), Err(ValueError::SameMember { .. })));
    let same = json!({ "https://example.org/street": 1, "road": 2 });
    assert!(matches!(round_trip(&same, &context), Err(ValueError::SameMember { .. })));
}

#[test]
fn depth_has_a_limit() {
    let nested = |levels: usize| {
        let text = "{\"a\":".repeat(levels) + "1" + &"}".repeat(levels);
        RawValue::from_string(text).unwrap()
    };
    assert!(expand_value(&nested(64), &user()).is_ok());
    let error = expand_value(&nested(65), &user()).unwrap_err();
    assert!(error.to_string().contains("64"), "{error}");
}

#[test]
fn vocabulary_terms_expand_and_compact() {
    let context = user();
    let expand =
        |value: Value| expand_vocab(&raw(&value), &context).map(|text| text.as_str().to_owned());
    assert_eq!(expand(json!("road")).unwrap(), "\"https://example.org/street\"");
    let many = expand(json!(["road", "urn:x:y", "Other"])).unwrap();
    let mut out = Vec::new();
    compact_vocab(&many, &context, &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "[\"road\",\"urn:x:y\",\"Other\"]");
    for wrong in [json!(1), json!({}), json!(["a", 1]), json!(null)] {
        assert!(matches!(expand(wrong), Err(ValueError::NotVocab(_))));
    }
}

#[test]
fn text_that_is_no_json_is_copied() {
    for text in ["", "{", "{\"a\"", "{\"a\":}", "{]", "{\"a\":1}}", "{1:2}", "{\"a\\"] {
        let mut out = b"x".to_vec();
        compact_value(text, &user(), &mut out);
        assert_eq!(out, [b"x", text.as_bytes()].concat());
    }
}

fn key() -> impl Strategy<Value = String> {
    const KEYS: &[&str] = &[
        "street",
        "road",
        "kind",
        "gone",
        "raw",
        "titles",
        "byKey",
        "back",
        "Café",
        "type",
        "@type",
        "@id",
        "id",
        "@value",
        "@graph",
        "@list",
        "@oops",
        "",
        "ex:street",
        "ex:own",
        "ex",
        "ex:",
        ":x",
        "_:b0",
        "a:b",
        "https://other.org/x",
        "urn:ngsi-ld:x",
        "coordinates",
        "value",
        "location",
        "ngsi-ld:own",
        "ngsi-ld:location",
        "a b",
        "a\"b",
        "a\\b",
        "a\nb",
        "a b:c",
    ];
    prop_oneof![6 => prop::sample::select(KEYS).prop_map(String::from), 1 => "\\PC{0,5}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        key().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 50, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((key(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_same_context_gives_back_what_was_sent(value in value()) {
        for context in [Context::core(), user()] {
            match round_trip(&value, &context) {
                Ok(back) => prop_assert_eq!(&back, &value),
                Err(error) => prop_assert!(false, "{} is refused: {}", value, error),
            }
        }
    }

    #[test]
    fn no_other_context_loses_a_member(value in value()) {
        let text = expand_value(&raw(&value), &user()).unwrap().text;
        let mut out = Vec::new();
        compact_value(text.as_str(), &other(), &mut out);
        let compact: Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(count(&compact), count(&value));
    }

    #[test]
    fn no_text_makes_compaction_panic(text in "[\\[\\]{}\",:\\\\a1]{0,20}") {
        compact_value(&text, &user(), &mut Vec::new());
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(count).sum::<usize>() + 1,
        Value::Object(members) => members.values().map(count).sum::<usize>() + 1,
        _ => 1,
    }
}

/// Attribute values and contexts of the published examples of Smart Data Models.
#[test]
fn values_of_published_examples_come_back_equal() {
    let Some(samples) = std::env::var_os("CARDO_SAMPLES").map(std::path::PathBuf::from) else {
        eprintln!("not run: CARDO_SAMPLES names no folder of samples");
        return;
    };
    let all = std::fs::read_to_string(samples.join("contexts/smart-data-models-all.jsonld"));
    let mut all: Value = serde_json::from_str(&all.unwrap()).unwrap();
    let contexts = [Context::core(), compile(all["@context"].take())];
    let mut compared = 0;
    for folder in std::fs::read_dir(samples.join("ngsi-ld")).unwrap() {
        for name in ["example-normalized.jsonld", "example.jsonld"] {
            let path = folder.as_ref().unwrap().path().join(name);
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let Ok(Value::Object(members)) = serde_json::from_str(&text) else { continue };
            for (name, value) in members.iter().filter(|(name, _)| *name != "@context") {
                for context in &contexts {
                    let back = round_trip(value, context).unwrap();
                    assert_eq!(&back, value, "{name} of {}", path.display());
                }
                compared += 1;
            }
        }
    }
    assert!(compared > 500, "only {compared} values were found");
}
