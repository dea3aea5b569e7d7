//! Contexts as users write them.

use std::sync::Arc;

use cardo_jsonld::{
    CORE_CONTEXT_URL, CacheLimits, Coercion, Context, ContextBuilder, ContextCache, ContextError,
    CoreVersion, Document, Limits, Step,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const A: &str = "https://example.org/a.jsonld";
const B: &str = "https://example.org/b.jsonld";

fn compile(source: Value) -> Result<Arc<Context>, ContextError> {
    with_documents(source, &[])
}

fn with_documents(
    source: Value,
    documents: &[(&str, Value)],
) -> Result<Arc<Context>, ContextError> {
    ContextBuilder::new(source, Limits::default()).build_with(|url| {
        let document = documents.iter().find(|(known, _)| *known == url);
        let (_, context) = document.unwrap_or_else(|| panic!("{url} is not expected"));
        Ok(json!({ "@context": context, "ignored": true }).to_string().into_bytes())
    })
}

fn expand(context: &Context, name: &str) -> String {
    context.expand_term(name).expect("the name means something").to_string()
}

#[test]
fn user_terms_expand_and_compact() {
    let context = compile(json!({
        "ex": "https://example.org/",
        "speed": "ex:speed",
        "owner": { "@id": "ex:owner", "@type": "@id" },
        "born": { "@id": "ex:born", "@type": "DateTime" },
    }))
    .unwrap();
    for (name, iri) in [
        ("speed", "https://example.org/speed"),
        ("ex:speed", "https://example.org/speed"),
        ("ex:other", "https://example.org/other"),
        ("other", "https://uri.etsi.org/ngsi-ld/default-context/other"),
        ("ex://not-a-prefix", "ex://not-a-prefix"),
    ] {
        assert_eq!(expand(&context, name), iri);
    }
    assert_eq!(context.compact_iri("https://example.org/speed"), "speed");
    assert_eq!(context.compact_iri("https://example.org/other"), "ex:other");
    assert_eq!(context.coercion("owner").unwrap().coercion(), &Coercion::Id);
    let datatype = Coercion::Datatype("https://uri.etsi.org/ngsi-ld/DateTime".into());
    assert_eq!(context.coercion("born").unwrap().coercion(), &datatype);
}

#[test]
fn the_core_overrules_the_user_in_both_directions() {
    let context = compile(json!({
        "@vocab": "https://schema.org/",
        "location": "https://example.org/location",
        "type": "https://example.org/type",
        "loc": "https://uri.etsi.org/ngsi-ld/location",
        "title": { "@type": "@id" },
    }))
    .unwrap();
    assert_eq!(expand(&context, "location"), "https://uri.etsi.org/ngsi-ld/location");
    assert_eq!(expand(&context, "type"), "@type");
    assert_eq!(expand(&context, "loc"), "https://uri.etsi.org/ngsi-ld/location");
    assert_eq!(context.compact_iri("https://uri.etsi.org/ngsi-ld/location"), "location");
    assert_eq!(expand(&context, "title"), "http://purl.org/dc/terms/title");
    // The core stands last, and so does its vocabulary.
    assert_eq!(expand(&context, "x"), "https://uri.etsi.org/ngsi-ld/default-context/x");
}

#[test]
fn a_user_vocabulary_serves_the_definitions_beside_it() {
    let vocab = "https://schema.org/";
    let context = compile(json!({ "@vocab": vocab, "name": { "@type": "@none" } })).unwrap();
    assert_eq!(expand(&context, "name"), "https://schema.org/name");
}

#[test]
fn terms_of_an_older_core_are_kept_when_it_is_named() {
    let old = CoreVersion::V1_8.url();
    let context = compile(json!([{ "a": "https://example.org/a" }, old])).unwrap();
    assert_eq!(
        expand(&context, "geometryProperty"),
        "https://purl.org/geojson/vocab#geometryProperty"
    );
    assert_eq!(expand(&context, "attributeCount"), "https://uri.etsi.org/ngsi-ld/attributeCount");
    assert_eq!(expand(&context, "a"), "https://example.org/a");
}

#[test]
fn later_contexts_win_and_null_forgets_the_earlier() {
    let (one, two) = (json!({ "a": "urn:x:1", "b": "urn:x:b" }), json!({ "a": "urn:x:2" }));
    let context = compile(json!([one, two])).unwrap();
    assert_eq!(expand(&context, "a"), "urn:x:2");
    assert_eq!(expand(&context, "b"), "urn:x:b");
    let context = compile(json!([one, null, two])).unwrap();
    assert_eq!(expand(&context, "b"), "https://uri.etsi.org/ngsi-ld/default-context/b");
    assert_eq!(compile(json!({ "a": null })).unwrap().expand_term("a"), None);
}

#[test]
fn documents_are_asked_for_resolved_and_imported() {
    let documents = [
        (A, json!(["b.jsonld", { "a": "ex:a" }])),
        (B, json!({ "ex": "https://example.org/", "b": "ex:b" })),
    ];
    let context = with_documents(json!(A), &documents).unwrap();
    assert_eq!(expand(&context, "a"), "https://example.org/a");
    assert_eq!(expand(&context, "b"), "https://example.org/b");
    assert_eq!(context.documents(), [A.into(), B.into()]);
    let import = json!({ "@import": B, "b": "ex:other" });
    let context = with_documents(import, &documents).unwrap();
    assert_eq!(expand(&context, "b"), "https://example.org/other");
    assert_eq!(expand(&context, "ex:c"), "https://example.org/c");
}

#[test]
fn every_missing_document_of_a_level_is_named_at_once() {
    let mut builder = ContextBuilder::new(json!([A, B, A]), Limits::default());
    let Step::Needs(urls) = builder.step().unwrap() else { panic!("documents are needed") };
    assert_eq!(urls, [A.into(), B.into()]);
}

#[test]
fn answers_name_the_user_context_and_then_the_core() {
    let old = CoreVersion::V1_6.url();
    let inline = json!({ "a": "urn:x:a" });
    let documents = [(A, json!({})), (B, json!({}))];
    for (source, member, link) in [
        (json!(null), json!(CORE_CONTEXT_URL), Some(CORE_CONTEXT_URL)),
        (json!(A), json!([A, CORE_CONTEXT_URL]), Some(A)),
        (json!([A, old]), json!([A, old]), Some(A)),
        (json!(old), json!(old), Some(old.as_str())),
        (json!([A, B]), json!([A, B, CORE_CONTEXT_URL]), None),
        (inline.clone(), json!([inline, CORE_CONTEXT_URL]), None),
    ] {
        let context = with_documents(source, &documents).unwrap();
        assert_eq!(serde_json::from_str::<Value>(context.member()).unwrap(), member);
        assert_eq!(context.link().map(AsRef::as_ref), link);
    }
    assert_eq!(**Context::core().member(), *json!(CORE_CONTEXT_URL).to_string());
}

#[test]
fn what_json_ld_forbids_is_refused_by_name() {
    for (source, part) in [
        (json!(7), "7 is not a context"),
        (json!([[]]), "[] is not a context"),
        (json!("context.jsonld"), "\"context.jsonld\""),
        (json!("ftp://example.org/x"), "\"ftp://example.org/x\""),
        (json!({ "@id": "urn:x:a" }), "\"@id\""),
        (json!({ "@type": "urn:x:a" }), "\"@type\""),
        (json!({ "a": "b:x", "b": "a:y" }), "defined by itself"),
        (json!({ "": "urn:x:a" }), "may not be empty"),
        (json!({ "a": 1 }), "\"a\""),
        (json!({ "a": { "@id": "not an iri" } }), "\"not an iri\""),
        (json!({ "a": { "@id": "urn:x:a", "@type": "@oops" } }), "@oops"),
        (json!({ "a": { "@id": "urn:x:a", "@container": "@oops" } }), "@container"),
        (json!({ "a": { "@id": "urn:x:a", "@oops": 1 } }), "@oops"),
        (json!({ "a": { "@id": "urn:x:a", "@context": {} } }), "scoped context"),
        (json!({ "a": "@context" }), "no other name"),
        (json!({ "https://x.org/a": "https://x.org/b" }), "looks like an IRI"),
        (json!({ "@vocab": 1 }), "@vocab"),
        (json!({ "@version": 1.0 }), "@version"),
        (json!([{ "@protected": true, "a": "urn:x:a" }, { "a": "urn:x:b" }]), "protected"),
        (json!([{ "@protected": true, "a": "urn:x:a" }, null]), "protected"),
    ] {
        let error = compile(source.clone()).expect_err("the context is invalid").to_string();
        assert!(error.contains(part), "{source}: {error}");
    }
}

#[test]
fn a_protected_term_may_be_said_again() {
    let again = json!({ "a": "urn:x:a" });
    compile(json!([{ "@protected": true, "a": "urn:x:a" }, again])).unwrap();
}

#[test]
fn contexts_that_include_themselves_are_refused() {
    let own = with_documents(json!(A), &[(A, json!([A]))]);
    assert!(matches!(own, Err(ContextError::Cyclic(url)) if &*url == A));
    let round = with_documents(json!(A), &[(A, json!(B)), (B, json!({ "@import": A }))]);
    assert!(round.is_err());
    let round = with_documents(json!(A), &[(A, json!(B)), (B, json!(A))]);
    assert!(matches!(round, Err(ContextError::Cyclic(_))));
}

#[test]
fn every_kind_of_size_has_a_limit() {
    let limits = Limits { document_bytes: 100, ..Limits::default() };
    let text = json!({ "@context": { "a": "x".repeat(100) } }).to_string();
    let error = Document::parse(A, text.as_bytes(), &limits).unwrap_err();
    assert!(matches!(&error, ContextError::TooLarge { limit: 100, .. }), "{error}");
    assert!(error.to_string().contains(A));

    let endless = ContextBuilder::new(json!("https://example.org/0"), Limits::default())
        .build_with(|url| {
            let number: usize = url.rsplit('/').next().unwrap().parse().unwrap();
            let next = format!("https://example.org/{}", number + 1);
            Ok::<_, ContextError>(json!({ "@context": next }).to_string().into_bytes())
        });
    assert!(matches!(endless, Err(ContextError::TooLarge { .. })));

    let wide: Vec<String> = (0..40).map(|n| format!("https://example.org/{n}")).collect();
    assert!(ContextBuilder::new(json!(wide), Limits::default()).step().is_err());
    // Ten documents that each name the next one ten times.
    let doubling: Vec<(String, Value)> = (0..7)
        .map(|n| {
            (format!("https://e.org/{n}"), json!(vec![format!("https://e.org/{}", n + 1); 10]))
        })
        .chain([("https://e.org/7".to_owned(), json!({ "a": "urn:x:a" }))])
        .collect();
    let doubling: Vec<(&str, Value)> =
        doubling.iter().map(|(url, context)| (url.as_str(), context.clone())).collect();
    assert!(with_documents(json!("https://e.org/0"), &doubling).is_err());

    let many = (0..30_000).map(|n| (format!("t{n}"), json!("urn:x:a"))).collect();
    assert!(compile(Value::Object(many)).is_err());
    let chain = (0..200).map(|n| (format!("t{n}"), json!(format!("t{}:x", n + 1)))).collect();
    assert!(compile(Value::Object(chain)).is_err());
}

#[test]
fn documents_without_a_context_are_refused_by_url() {
    for text in ["", "{", "[]", "{\"a\": 1}", "\"x\"", "\u{feff}{}"] {
        let error = Document::parse(A, text.as_bytes(), &Limits::default()).unwrap_err();
        assert!(error.to_string().contains(A), "{text:?}: {error}");
    }
    assert!(Document::parse(A, b"\xff\xfe", &Limits::default()).is_err());
}

#[test]
fn the_cache_knows_urls_and_texts_and_forgets_what_changed() {
    let cache = ContextCache::new(CacheLimits::default());
    let limits = Limits::default();
    let document = |iri: &str| {
        let text = json!({ "@context": { "a": iri } }).to_string();
        Arc::new(Document::parse(A, text.as_bytes(), &limits).unwrap())
    };
    let load = || {
        let mut builder = ContextBuilder::new(json!(A), limits);
        let Step::Needs(urls) = builder.step().unwrap() else { panic!("a document is needed") };
        assert!(cache.supply(&mut builder, urls).is_empty());
        let Step::Ready(context) = builder.step().unwrap() else { panic!("nothing is missing") };
        context
    };
    assert!(cache.get(A).is_none() && cache.document(A).is_none());
    cache.keep(document("urn:x:1"));
    cache.insert(A, load());
    assert_eq!(expand(&cache.get(&format!(" \"{A}\" ")).unwrap(), "a"), "urn:x:1");
    cache.keep(document("urn:x:1"));
    assert!(cache.get(A).is_some(), "the same content changes nothing");
    cache.keep(document("urn:x:2"));
    assert!(cache.get(A).is_none(), "another content drops what was made of it");
    cache.insert(A, load());
    assert_eq!(expand(&cache.get(A).unwrap(), "a"), "urn:x:2");
    assert!(cache.forget(A) && !cache.forget(A) && cache.get(A).is_none());
}

#[test]
fn a_full_cache_drops_the_longest_unused_but_nothing_pinned() {
    let limits = CacheLimits { contexts: 2, documents: 2, ..CacheLimits::default() };
    let cache = ContextCache::new(limits);
    cache.insert("{1}", Context::core());
    cache.insert("{2}", Context::core());
    assert!(cache.get("{1}").is_some());
    cache.insert("{3}", Context::core());
    assert!(cache.get("{1}").is_some() && cache.get("{2}").is_none() && cache.get("{3}").is_some());

    let document = |url: &str| {
        Arc::new(Document::parse(url, b"{\"@context\": {}}", &Limits::default()).unwrap())
    };
    cache.pin(document("https://e.org/pinned"));
    for number in 0..5 {
        cache.keep(document(&format!("https://e.org/{number}")));
    }
    assert!(cache.document("https://e.org/pinned").is_some());
    assert!(cache.document("https://e.org/0").is_none());
    assert!(cache.document("https://e.org/4").is_some());
}

fn any_json() -> impl Strategy<Value = Value> {
    const KEYS: &[&str] = &[
        "@id",
        "@type",
        "@vocab",
        "@base",
        "@container",
        "@import",
        "@reverse",
        "@prefix",
        "@protected",
        "@context",
        "@version",
        "@language",
        "@nest",
        "@index",
        "a",
        "b",
        "a:b",
        "",
        "id",
        "type",
        "name",
        ":",
        "a/b",
        "@x",
        "urn:x:a",
        "https://e.org/",
    ];
    let key =
        || prop_oneof![8 => prop::sample::select(KEYS).prop_map(String::from), 1 => "\\PC{0,6}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        key().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
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
    fn no_json_as_context_makes_it_panic(source in any_json(), remote in any_json(), name in "\\PC{0,8}") {
        let text = json!({ "@context": remote }).to_string();
        let built = ContextBuilder::new(source, Limits::default())
            .build_with(|_| Ok::<_, ContextError>(text.clone().into_bytes()));
        if let Ok(context) = built
            && let Some(iri) = context.expand_term(&name)
        {
            let compact = context.compact_iri(&iri).into_owned();
            prop_assert_eq!(context.expand_term(&compact), Some(iri));
        }
    }
}
