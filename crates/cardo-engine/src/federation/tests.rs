use std::sync::Arc;

use cardo_model::{Iri, Timestamp};
use cardo_query::{
    Filter, InvalidName, NameResolver, Pattern, TemporalParameters, parse_geo_query, parse_q,
    parse_scope_q, parse_temporal, parse_type_selection,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::matching::matches;
use super::*;

const NOW: i64 = 1_000_000;

fn iri(text: &str) -> Iri {
    Iri::new(text.to_owned()).unwrap()
}

/// Short names of a test.
struct Plain;

impl NameResolver for Plain {
    fn attribute(&self, term: &str) -> Result<Iri, InvalidName> {
        Ok(iri(&format!("https://uri.etsi.org/ngsi-ld/{term}")))
    }

    fn type_name(&self, term: &str) -> Result<Iri, InvalidName> {
        Ok(iri(&format!("urn:type:{term}")))
    }

    fn value_key(&self, term: &str) -> Box<str> {
        term.into()
    }
}

fn registration(id: &str, more: Value) -> Arc<Registration> {
    let mut members = json!({
        "id": format!("urn:reg:{id}"),
        "type": "ContextSourceRegistration",
        "endpoint": "http://source.example",
        "information": [{"entities": [{"type": "urn:type:T"}]}],
    });
    let Value::Object(more) = more else { panic!("an object") };
    members.as_object_mut().unwrap().extend(more);
    Arc::new(Registration::read(members.as_object().unwrap()).unwrap())
}

fn refused(more: Value) -> String {
    let mut members = json!({
        "id": "urn:reg:a",
        "type": "ContextSourceRegistration",
        "endpoint": "http://source.example",
        "information": [{"entities": [{"type": "urn:type:T"}]}],
    });
    let Value::Object(more) = more else { panic!("an object") };
    members.as_object_mut().unwrap().extend(more);
    Registration::read(members.as_object().unwrap()).unwrap_err().to_string()
}

fn now() -> Timestamp {
    Timestamp::from_seconds(NOW)
}

fn wanted() -> Wanted {
    Wanted::registrations(now())
}

fn is_found(registration: &Arc<Registration>, wanted: &Wanted) -> bool {
    !Registrations::new(vec![registration.clone()]).matching(wanted).is_empty()
}

fn entities(types: &str) -> WantedEntities {
    WantedEntities {
        types: Some(parse_type_selection(types, &Plain).unwrap()),
        ..WantedEntities::default()
    }
}

#[test]
fn an_id_is_matched_by_id_by_pattern_and_by_silence() {
    let infos = [
        (json!({"type": "urn:type:T"}), true, true),
        (json!({"type": "urn:type:T", "id": "urn:e:1"}), true, true),
        (json!({"type": "urn:type:T", "id": "urn:e:2"}), false, false),
        (json!({"type": "urn:type:T", "idPattern": "^urn:e:"}), true, true),
        // Patterns on both sides are taken to go together.
        (json!({"type": "urn:type:T", "idPattern": "^urn:x:"}), false, true),
        // An id takes precedence over a pattern.
        (json!({"type": "urn:type:T", "id": "urn:e:2", "idPattern": "1"}), false, false),
    ];
    for (info, by_id, by_pattern) in infos {
        let one = registration("a", json!({"information": [{"entities": [info]}]}));
        let id = Wanted { entities: vec![WantedEntities::one(iri("urn:e:1"))], ..wanted() };
        assert_eq!(is_found(&one, &id), by_id, "{info}");
        let pattern = WantedEntities {
            id_pattern: Some(Pattern::new("^urn:e:1$").unwrap()),
            ..entities("T")
        };
        let pattern = Wanted { entities: vec![pattern], ..wanted() };
        assert_eq!(is_found(&one, &pattern), by_pattern, "{info}");
        // Who names no id leaves it open.
        let types = Wanted { entities: vec![entities("T|U")], ..wanted() };
        assert!(is_found(&one, &types), "{info}");
    }
}

#[test]
fn attributes_match_where_one_is_named_or_none_is() {
    let name = |term: &str| Plain.attribute(term).unwrap();
    let named = registration(
        "a",
        json!({"information": [
            {"entities": [{"type": "urn:type:T"}], "propertyNames": [name("p").as_str()]},
            {"relationshipNames": [name("r").as_str(), name("s").as_str()]},
        ]}),
    );
    let asks = |terms: &[&str]| {
        let attributes = terms.iter().map(|term| name(term)).collect();
        let all = Registrations::new(vec![named.clone()]);
        let found = all.matching(&Wanted { attributes, ..wanted() });
        found
            .into_iter()
            .flat_map(|one| one.information)
            .map(|info| (info.number, info.attributes))
            .collect::<Vec<_>>()
    };
    assert_eq!(asks(&[]), [(0, vec![]), (1, vec![])]);
    assert_eq!(asks(&["x"]), []);
    assert_eq!(asks(&["x", "s"]), [(1, vec![name("s")])]);
    assert_eq!(asks(&["p", "r"]), [(0, vec![name("p")]), (1, vec![name("r")])]);
    assert!(is_found(
        &registration("b", json!({})),
        &Wanted { attributes: vec![name("x")], ..wanted() }
    ));
}

#[test]
fn the_latest_and_the_temporal_information_are_registered_apart() {
    let latest = registration("a", json!({}));
    let observed = json!({"startAt": "2020-01-01T00:00:00Z", "endAt": "2021-01-01T00:00:00Z"});
    let observed = registration("b", json!({"observationInterval": observed}));
    let managed =
        registration("c", json!({"managementInterval": {"startAt": "2020-01-01T00:00:00Z"}}));
    let ask = |relation: &str, at: &str, end: Option<&str>, property: Option<&str>| {
        let time = parse_temporal(TemporalParameters {
            relation: Some(relation),
            time_at: Some(at),
            end_time_at: end,
            property,
        });
        let wanted = Wanted { time: time.unwrap(), ..wanted() };
        [&latest, &observed, &managed].map(|one| is_found(one, &wanted))
    };
    assert_eq!(
        [&latest, &observed, &managed].map(|one| is_found(one, &wanted())),
        [true, false, false]
    );
    assert_eq!(ask("before", "2020-01-01T00:00:00Z", None, None), [false, true, false]);
    assert_eq!(ask("before", "2019-12-31T00:00:00Z", None, None), [false, false, false]);
    assert_eq!(
        ask("after", "2021-01-01T00:00:00Z", None, Some("observedAt")),
        [false, true, false]
    );
    assert_eq!(ask("after", "2021-01-02T00:00:00Z", None, None), [false, false, false]);
    assert_eq!(
        ask("after", "2030-01-02T00:00:00Z", None, Some("modifiedAt")),
        [false, false, true]
    );
    let end = Some("2020-06-01T00:00:00Z");
    assert_eq!(ask("between", "2019-01-01T00:00:00Z", end, None), [false, true, false]);
    let end = Some("2019-06-01T00:00:00Z");
    assert_eq!(
        ask("between", "2019-01-01T00:00:00Z", end, Some("createdAt")),
        [false, false, false]
    );
}

#[test]
fn a_place_matches_where_it_may_hold_one_that_does() {
    let square = json!([[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]]);
    let placed = registration("a", json!({"location": {"type": "Polygon", "coordinates": square}}));
    let asks = |georel: &str, kind: &str, coordinates: &Value| {
        let geo = json!({"georel": georel, "geometry": kind, "coordinates": coordinates});
        let Filter::Geo(geo) = parse_geo_query(&geo.to_string(), &Plain).unwrap() else {
            panic!("a geoquery")
        };
        Wanted { geo: Some(geo), ..wanted() }
    };
    let small = json!([[[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]]);
    let large = json!([[[-9, -9], [9, -9], [9, 9], [-9, 9], [-9, -9]]]);
    let far = json!([[[20, 20], [21, 20], [21, 21], [20, 21], [20, 20]]]);
    for (relation, in_small, in_large, in_far) in [
        ("within", true, true, false),
        ("intersects", true, true, false),
        ("contains", true, false, false),
        ("equals", true, false, false),
        ("disjoint", true, false, true),
    ] {
        for (area, expected) in [(&small, in_small), (&large, in_large), (&far, in_far)] {
            let asked = asks(relation, "Polygon", area);
            assert_eq!(is_found(&placed, &asked), expected, "{relation} {area}");
        }
    }
    assert!(is_found(&placed, &asks("near;maxDistance==1000", "Point", &json!([3, 3]))));
    assert!(is_found(&placed, &asks("near;minDistance==300000", "Point", &json!([1, 1]))));
    assert!(!is_found(&placed, &asks("near;minDistance==3000000", "Point", &json!([1, 1]))));
    let silent = registration("b", json!({}));
    let asked = asks("within", "Polygon", &large);
    assert!(!is_found(&silent, &asked));
    assert!(is_found(&silent, &Wanted { looking: Looking::ForInformation, ..asked }));
}

#[test]
fn scope_source_dataset_operation_loop_and_expiry_decide_too() {
    let one = registration(
        "a",
        json!({
            "scope": ["/Madrid/Centro"], "datasetId": ["urn:d:1", "@none"],
            "contextSourceAlias": "madrid", "operations": ["retrieveOps"],
            "expiresAt": Timestamp::from_seconds(NOW + 1).to_string(),
            "urn:own:kind": {"type": "Property", "value": "sensor"},
        }),
    );
    assert!(is_found(&one, &wanted()));
    for (scope, expected) in [("/Madrid/#", true), ("/Berlin", false), ("/Berlin|/Madrid/+", true)]
    {
        let asked = Wanted { scope: Some(parse_scope_q(scope).unwrap()), ..wanted() };
        assert_eq!(is_found(&one, &asked), expected, "{scope}");
    }
    for (csf, expected) in [
        ("endpoint==\"http://source.example\"", true),
        ("endpoint~=\"other\"", false),
        ("contextSourceAlias==\"madrid\";endpoint", true),
        ("refreshRate", false),
    ] {
        let csf = parse_q(csf, &Plain, cardo_query::QOptions::default()).unwrap();
        let asked = Wanted { source: Some(csf.clone()), ..wanted() };
        assert_eq!(is_found(&one, &asked), expected, "{csf:?}");
    }
    let datasets = |id: &str| Wanted { datasets: vec![id.into()], ..wanted() };
    assert!(is_found(&one, &datasets("@none")) && !is_found(&one, &datasets("urn:d:2")));
    assert!(is_found(&registration("b", json!({})), &datasets("urn:d:2")));
    assert!(is_found(&one, &Wanted::to(SourceOperation::QueryEntity, now())));
    assert!(!is_found(&one, &Wanted::to(SourceOperation::QueryBatch, now())));
    assert!(!is_found(&one, &Wanted { encountered: vec!["madrid".into()], ..wanted() }));
    assert!(!is_found(&one, &Wanted { now: Timestamp::from_seconds(NOW + 1), ..wanted() }));
}

#[test]
fn what_the_tables_do_not_allow_is_refused_by_name() {
    for (more, word) in [
        (json!({"type": "T"}), "type"),
        (json!({"information": []}), "information"),
        (json!({"information": [{}]}), "information"),
        (json!({"information": [{"entities": []}]}), "entities"),
        (json!({"information": [{"entities": [{"id": "urn:a:b"}]}]}), "type"),
        (json!({"information": [{"propertyNames": []}]}), "propertyNames"),
        (
            json!({"information": [{"entities": [{"type": "urn:t:t", "idPattern": "("}]}]}),
            "idPattern",
        ),
        (json!({"endpoint": "no uri"}), "endpoint"),
        (json!({"mode": "proxied"}), "mode"),
        (json!({"mode": "exclusive"}), "exclusive"),
        (json!({"mode": "auxiliary"}), "auxiliary"),
        (json!({"operations": ["all"]}), "operations"),
        (json!({"contextSourceInfo": [{"key": "a"}]}), "contextSourceInfo"),
        (json!({"contextSourceAlias": "two words"}), "contextSourceAlias"),
        (json!({"expiresAt": "tomorrow"}), "expiresAt"),
        (json!({"location": {"type": "Point"}}), "location"),
        (json!({"observationInterval": {"endAt": "2020-01-01T00:00:00Z"}}), "startAt"),
        (json!({"management": {"timeout": 0}}), "timeout"),
        (json!({"management": {"speed": 1}}), "speed"),
        (json!({"refreshRate": "often"}), "refreshRate"),
        (json!({"description": ""}), "description"),
        (json!({"scope": 5}), "scope"),
        (json!({"status": "ok"}), "status"),
    ] {
        let reason = refused(more.clone());
        assert!(reason.contains(word), "{more}: {reason}");
    }
}

fn names(of: &'static str, most: usize) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(0..4_u8, 0..=most)
        .prop_map(move |all| all.into_iter().map(|n| format!("urn:{of}:{n}")).collect())
}

fn info() -> impl Strategy<Value = Value> {
    let entity = (names("type", 2), proptest::option::of(0..5_u8), proptest::option::of("[0-4]"))
        .prop_map(|(mut types, id, pattern)| {
            types.push("urn:type:0".into());
            let mut entity = json!({"type": types});
            if let Some(id) = id {
                entity["id"] = format!("urn:e:{id}").into();
            }
            if let Some(pattern) = pattern {
                entity["idPattern"] = pattern.into();
            }
            entity
        });
    (proptest::collection::vec(entity, 0..3), names("attr", 2)).prop_map(
        |(entities, attributes)| {
            let mut info = json!({});
            if entities.is_empty() || !attributes.is_empty() {
                let attributes =
                    if attributes.is_empty() { vec!["urn:attr:9".into()] } else { attributes };
                info["propertyNames"] = attributes.into();
            }
            if !entities.is_empty() {
                info["entities"] = entities.into();
            }
            info
        },
    )
}

fn selection() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        (0..4_u8).prop_map(|n| Filter::Type(iri(&format!("urn:type:{n}")))),
        Just(Filter::True),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..3).prop_map(Filter::And),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(Filter::Or),
            inner.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    })
}

fn wanted_entities() -> impl Strategy<Value = WantedEntities> {
    let ids = proptest::collection::vec(0..6_u8, 0..3);
    (proptest::option::of(selection()), ids, proptest::option::of("[0-4]")).prop_map(
        |(types, ids, pattern)| WantedEntities {
            types,
            ids: ids.into_iter().map(|n| iri(&format!("urn:e:{n}"))).collect(),
            id_pattern: pattern.map(|pattern| Pattern::new(&pattern).unwrap()),
        },
    )
}

proptest! {
    #[test]
    fn the_index_finds_what_a_plain_scan_finds(
        infos in proptest::collection::vec(proptest::collection::vec(info(), 1..3), 0..12),
        entities in proptest::collection::vec(wanted_entities(), 0..3),
        attributes in names("attr", 2),
    ) {
        let all: Vec<_> = infos
            .into_iter()
            .enumerate()
            .map(|(n, information)| registration(&format!("{n:02}"), json!({"information": information})))
            .collect();
        let attributes = attributes.iter().map(|name| iri(name)).collect();
        let wanted = Wanted { entities, attributes, ..wanted() };
        let scanned: Vec<_> = all.iter().filter_map(|one| matches(one, &wanted)).collect();
        let found = Registrations::new(all).matching(&wanted);
        let parts = |found: &[Match]| found
            .iter()
            .map(|one| (one.registration.id.clone(), one.information.clone()))
            .collect::<Vec<_>>();
        prop_assert_eq!(parts(&found), parts(&scanned));
    }
}
