//! The built-in core contexts against the published files.

use std::path::PathBuf;

use cardo_jsonld::{CORE_CONTEXT_URL, Coercion, Containers, Context, CoreVersion};
use serde_json::Value;

fn samples() -> Option<PathBuf> {
    let folder = std::env::var_os("CARDO_SAMPLES").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("not run: CARDO_SAMPLES names no folder of samples");
    }
    folder
}

#[test]
fn every_published_file_equals_the_table() {
    let Some(samples) = samples() else { return };
    let mut compared = 0;
    for version in CoreVersion::ALL {
        let file = format!("contexts/ngsi-ld-core-context-v{}.jsonld", version.number());
        let Ok(text) = std::fs::read_to_string(samples.join(&file)) else { continue };
        let published: Value = serde_json::from_str(&text).unwrap();
        let built = version.document();
        let (published, built) = (terms(&published), terms(&built));
        for (term, definition) in published {
            assert_eq!(built.get(term), Some(definition), "{file}: {term}");
        }
        assert_eq!(published.len(), built.len(), "{file} has other terms");
        compared += 1;
    }
    assert!(compared >= 6, "only {compared} files were found");
}

fn terms(document: &Value) -> &serde_json::Map<String, Value> {
    document["@context"].as_object().expect("a context is an object")
}

#[test]
fn addresses_name_their_version_and_the_bare_one_the_newest() {
    for version in CoreVersion::ALL {
        assert_eq!(CoreVersion::from_url(&version.url()), Some(version));
    }
    let bare = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld";
    assert_eq!(CoreVersion::from_url(bare), Some(CoreVersion::LATEST));
    assert_eq!(CoreVersion::LATEST.url(), CORE_CONTEXT_URL);
    for other in ["", "https://example.org/ngsi-ld-core-context.jsonld", &format!("{bare}x")] {
        assert_eq!(CoreVersion::from_url(other), None);
    }
}

#[test]
fn version_1_5_lies_between_its_neighbours() {
    let [v4, v5, v6] =
        [CoreVersion::V1_4, CoreVersion::V1_5, CoreVersion::V1_6].map(CoreVersion::document);
    assert!(terms(&v4).keys().all(|term| terms(&v5).contains_key(term)));
    assert!(terms(&v5).keys().all(|term| terms(&v6).contains_key(term)));
    assert!(terms(&v5).contains_key("languageMap") && !terms(&v5).contains_key("showChanges"));
}

#[test]
fn core_terms_mean_what_annex_b_says() {
    let core = Context::core();
    for (name, iri) in [
        ("type", "@type"),
        ("id", "@id"),
        ("location", "https://uri.etsi.org/ngsi-ld/location"),
        ("object", "https://uri.etsi.org/ngsi-ld/hasObject"),
        ("Point", "https://purl.org/geojson/vocab#Point"),
        ("title", "http://purl.org/dc/terms/title"),
        ("speed", "https://uri.etsi.org/ngsi-ld/default-context/speed"),
        ("ngsi-ld:location", "https://uri.etsi.org/ngsi-ld/location"),
        ("urn:x:y", "urn:x:y"),
        ("https://example.org/a", "https://example.org/a"),
    ] {
        assert_eq!(core.expand_term(name).as_deref(), Some(iri), "{name}");
    }
    for nothing in ["", "@unknown"] {
        assert_eq!(core.expand_term(nothing), None);
    }
    assert_eq!(core.coercion("objectType").unwrap().coercion(), &Coercion::Vocab);
    assert_eq!(core.coercion("json").unwrap().coercion(), &Coercion::Json);
    assert!(core.coercion("languageMap").unwrap().containers().contains(Containers::LANGUAGE));
    let datatype = Coercion::Datatype("https://uri.etsi.org/ngsi-ld/DateTime".into());
    assert_eq!(core.coercion("observedAt").unwrap().coercion(), &datatype);
    assert!(core.coercion("speed").is_none());
}

#[test]
fn names_compact_to_what_expands_again() {
    let core = Context::core();
    for (iri, name) in [
        ("https://uri.etsi.org/ngsi-ld/location", "location"),
        ("https://uri.etsi.org/ngsi-ld/default-context/speed", "speed"),
        ("https://uri.etsi.org/ngsi-ld/own", "ngsi-ld:own"),
        ("https://uri.etsi.org/ngsi-ld/default-context/", "ngsi-ld:default-context/"),
        ("https://uri.etsi.org/ngsi-ld/", "ngsi-ld:"),
        (
            "https://uri.etsi.org/ngsi-ld/default-context/location",
            "ngsi-ld:default-context/location",
        ),
        ("https://example.org/a", "https://example.org/a"),
    ] {
        let compact = core.compact_iri(iri);
        assert_eq!(core.expand_term(&compact).as_deref(), Some(iri));
        if iri != "https://uri.etsi.org/ngsi-ld/" {
            assert_eq!(compact, name);
        }
    }
}

#[test]
fn a_proof_has_terms_of_its_own() {
    let core = Context::core();
    assert!(core.scoped("https://uri.etsi.org/ngsi-ld/location").is_none());
    let proof = core.scoped("https://uri.etsi.org/ngsi-ld/ngsildproof").unwrap();
    for (name, iri) in [
        ("entityTypeSealed", "https://uri.etsi.org/ngsi-ld/entityTypeSealed"),
        ("created", "http://purl.org/dc/terms/created"),
        ("DataIntegrityProof", "https://w3id.org/security#DataIntegrityProof"),
        ("value", "https://uri.etsi.org/ngsi-ld/hasValue"),
    ] {
        assert_eq!(proof.expand_term(name).as_deref(), Some(iri));
        assert_eq!(proof.compact_iri(iri), name);
    }
    let outside = core.expand_term("created");
    assert_eq!(outside.as_deref(), Some("https://uri.etsi.org/ngsi-ld/default-context/created"));
}
