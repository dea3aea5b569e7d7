//! Expansion against an independent JSON-LD processor.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use cardo_jsonld::{Context, ContextBuilder, ContextError, CoreVersion, Limits};
use oxjsonld::JsonLdParser;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The core without protection (the oracle would refuse what the core overrules) and without the
/// scoped context of proofs (which would be fetched).
fn open_core() -> Value {
    let Value::Object(mut document) = CoreVersion::LATEST.document() else { unreachable!() };
    let mut context = document.remove("@context").expect("it is a context document");
    let members = context.as_object_mut().expect("a core context is an object");
    members.remove("@protected");
    members.remove("ngsildproof");
    context
}

/// What the oracle makes of names, used as types; none where it refuses the context.
fn ask_oracle(user: &Value, names: &[String]) -> Option<BTreeMap<usize, String>> {
    let nodes: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(nth, name)| json!({ "@id": format!("urn:n:{nth}"), "@type": name }))
        .collect();
    let core = open_core();
    let contexts: Vec<&Value> = match user {
        Value::Array(items) => [&core].into_iter().chain(items).chain([&core]).collect(),
        single => vec![&core, single, &core],
    };
    let document = json!({ "@context": contexts, "@graph": nodes }).to_string();
    let mut found = BTreeMap::new();
    for quad in JsonLdParser::new().for_slice(document.as_bytes()) {
        let quad = quad.ok()?;
        let subject = quad.subject.to_string();
        let nth = subject.trim_start_matches("<urn:n:").trim_end_matches('>').parse().ok()?;
        let object = quad.object.to_string();
        found.insert(nth, object.trim_matches(['<', '>']).to_owned());
    }
    Some(found)
}

fn compile(user: &Value) -> Result<Arc<Context>, ContextError> {
    ContextBuilder::new(user.clone(), Limits::default())
        .build_with(|url| panic!("{url} is not expected"))
}

fn compare(user: &Value, names: &[String]) {
    let context = compile(user).expect("the context is valid");
    let oracle = ask_oracle(user, names).expect("the oracle accepts the context");
    for (nth, name) in names.iter().enumerate() {
        let ours = context.expand_term(name).filter(|iri| !iri.starts_with('@'));
        if let (Some(theirs), Some(ours)) = (oracle.get(&nth), ours) {
            assert_eq!(&*ours, theirs, "{name:?}");
        }
    }
    assert!(oracle.len() * 10 >= names.len() * 9, "the oracle knows too few names");
}

#[test]
fn published_contexts_expand_as_the_oracle_says() {
    let Some(samples) = std::env::var_os("CARDO_SAMPLES").map(PathBuf::from) else {
        eprintln!("not run: CARDO_SAMPLES names no folder of samples");
        return;
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(samples.join("ngsi-ld/_contexts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.push(samples.join("contexts/smart-data-models-all.jsonld"));
    for file in files {
        let document: Value =
            serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let user = &document["@context"];
        let mut names: Vec<String> = user.as_object().unwrap().keys().cloned().collect();
        names.retain(|name| !name.starts_with('@'));
        names.extend(["unknownName", "ngsi-ld:x", "urn:a:b", "https://a.b/c"].map(String::from));
        compare(user, &names);
        let context = compile(user).expect("the context is valid");
        for name in names {
            let Some(iri) = context.expand_term(&name) else { continue };
            assert_eq!(context.expand_term(&context.compact_iri(&iri)), Some(iri), "{name}");
        }
    }
}

#[test]
fn the_core_expands_as_the_oracle_says() {
    let core = open_core();
    let names: Vec<String> =
        core.as_object().unwrap().keys().filter(|k| !k.starts_with('@')).cloned().collect();
    compare(&json!({}), &names);
}

fn word() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "a",
        "b",
        "c",
        "name",
        "location",
        "a:x",
        "b:y",
        "c:",
        "https://e.org/",
        "https://e.org/a",
        "urn:u:",
        "a/b",
        "@id",
        "@type",
        "https://e.org#",
        "_:b",
        "ngsi-ld:z",
        "a:x:y",
    ];
    prop::sample::select(WORDS).prop_map(String::from)
}

fn definition() -> impl Strategy<Value = Value> {
    let kind = prop::option::of(prop::sample::select(&["@id", "@vocab", "@json", "a", "a:t"]));
    let container = prop::option::of(prop::sample::select(&["@list", "@set", "@language"]));
    let expanded = (prop::option::of(word()), kind, container, prop::option::of(any::<bool>()))
        .prop_map(|(id, kind, container, prefix)| {
            let mut members = Map::new();
            // The oracle takes any definition for a prefix whose IRI ends as one or is a blank node, though only a
            // string does without `@prefix` (JSON-LD 1.1 API, 4.2.2 step 14.2.5).
            let ends_as_prefix =
                id.as_ref().is_some_and(|id| id.ends_with([':', '/', '#']) || id.starts_with("_:"));
            let prefix = prefix.or(ends_as_prefix.then_some(false));
            let mut put = |key: &str, value: Value| members.insert(key.to_owned(), value);
            id.map(|id| put("@id", id.into()));
            kind.map(|kind| put("@type", kind.into()));
            container.map(|container| put("@container", container.into()));
            prefix.map(|prefix| put("@prefix", prefix.into()));
            Value::Object(members)
        });
    prop_oneof![4 => word().prop_map(Value::from), 3 => expanded, 1 => Just(Value::Null)]
}

fn context() -> impl Strategy<Value = Value> {
    let object = || {
        prop::collection::vec((word(), definition()), 0..5)
            .prop_map(|pairs| Value::Object(pairs.into_iter().collect()))
    };
    prop_oneof![object(), prop::collection::vec(object(), 1..3).prop_map(Value::Array)]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..Default::default()
    })]
    #[test]
    fn random_contexts_expand_as_the_oracle_says(
        user in context(),
        names in prop::collection::vec(word(), 8),
    ) {
        let flat: Vec<Value> = match &user {
            Value::Array(items) => items.clone(),
            single => vec![single.clone()],
        };
        let oracle = ask_oracle(&json!(flat), &names);
        match (compile(&user), oracle) {
            (Ok(context), Some(oracle)) => {
                for (nth, theirs) in oracle {
                    let ours = context.expand_term(&names[nth]);
                    prop_assert_eq!(ours.as_deref(), Some(theirs.as_str()), "{} in {}", names[nth], user);
                }
            }
            (Err(_), None) => {}
            // A name for an unmapped term is an error (JSON-LD 1.1 API, 4.2.2 step 14.2.3),
            // which the oracle overlooks.
            (Err(_), Some(_)) if user.to_string().contains("null") => {}
            (Ok(_), None) => prop_assert!(false, "only the oracle refuses {}", user),
            (Err(error), Some(_)) => prop_assert!(false, "the oracle takes {}: {}", user, error),
        }
    }
}
