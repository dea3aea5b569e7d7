//! Type selection, scope queries, geoqueries, temporal queries and lists.

use cardo_model::{Entity, Kind, Timestamp};
use cardo_query::{
    Filter, GeoError, GeoParameters, QError, ScopeTest, TemporalError, TemporalParameters,
    TemporalProperty, TemporalRange, TimeRelation, attributes_filter, parse_attributes, parse_geo,
    parse_geo_query, parse_id_pattern, parse_ids, parse_scope_q, parse_temporal,
    parse_type_selection,
};

use crate::common::{Terms, VOCAB, holds, iri, scoped, with};

fn of_types(types: &[&str]) -> Entity {
    let mut entity = scoped(&[]);
    entity.types = types.iter().map(|t| iri(&format!("{VOCAB}{t}"))).collect();
    entity
}

#[test]
fn types_are_selected_as_in_the_examples_of_the_clause() {
    let (both, home, motorhome) =
        (of_types(&["Home", "Vehicle"]), of_types(&["Home"]), of_types(&["Motorhome"]));
    for (text, expected) in [
        ("Home|House", [true, true, false]),
        ("Home,House", [true, true, false]),
        ("(Home;Vehicle)", [true, false, false]),
        ("(Home;Vehicle)|Motorhome", [true, false, true]),
        ("(Home;Vehicle),Motorhome", [true, false, true]),
        ("Home;(Vehicle|Motorhome)", [true, false, false]),
        ("Home", [true, true, false]),
        ("*", [true, true, true]),
    ] {
        let filter = parse_type_selection(text, &Terms).unwrap();
        let found = [&both, &home, &motorhome].map(|entity| holds(&filter, entity));
        assert_eq!(found, expected, "{text}");
    }
    for text in ["", "(", "(A", "A)", "A|", ";A", "A B", "()", "A,,B", "*,A", "\"A\""] {
        assert!(parse_type_selection(text, &Terms).is_err(), "{text:?} was accepted");
    }
}

#[test]
fn scopes_are_selected_as_in_the_examples_of_the_clause() {
    for (text, scopes, expected) in [
        ("/Madrid", vec!["/Madrid"], true),
        ("Madrid", vec!["/Madrid"], true),
        ("/Madrid", vec!["/Madrid/Gardens"], false),
        ("/Madrid/Gardens/#", vec!["/Madrid/Gardens"], true),
        ("/Madrid/Gardens/#", vec!["/Madrid/Gardens/ParqueNorte/Parterre1"], true),
        ("/Madrid/Gardens/#", vec!["/Madrid/Gardens2"], false),
        ("/Madrid/Gardens/#", vec!["/Madrid"], false),
        ("/Madrid/+/ParqueNorte", vec!["/Madrid/Gardens/ParqueNorte"], true),
        ("/Madrid/+/ParqueNorte", vec!["/Madrid/ParqueNorte"], false),
        ("/Madrid/+", vec!["/Madrid/Sights"], true),
        ("/Madrid/+", vec!["/Madrid"], false),
        ("/Madrid/+", vec!["/Madrid/Sights/A"], false),
        ("/+/Sights/#", vec!["/Madrid/Sights/A"], true),
        ("(/Madrid/Districts;/CompanyA)", vec!["/Madrid/Districts", "/CompanyA"], true),
        ("(/Madrid/Districts;/CompanyA)", vec!["/CompanyA"], false),
        ("(/Madrid/Districts;/CompanyA)|CompanyB", vec!["/CompanyB"], true),
        ("(/Madrid/Districts;/CompanyA),CompanyB", vec!["/CompanyB"], true),
        ("/#", vec!["/X"], true),
        ("/#", vec![], false),
    ] {
        let filter = parse_scope_q(text).unwrap();
        assert_eq!(holds(&filter, &scoped(&scopes)), expected, "{text} {scopes:?}");
    }
    assert_eq!(parse_scope_q("/#").unwrap(), Filter::Scope(ScopeTest::Any));
    for text in ["", "/", "//a", "/a/", "/a/#/b", "/a#", "/a b", "(/a", "/a|", "/++"] {
        assert!(matches!(parse_scope_q(text), Err(QError::Syntax { .. })), "{text:?} was accepted");
    }
}

fn geo(relation: &str, kind: &str, coordinates: &str) -> Result<Option<Filter>, GeoError> {
    let parameters = GeoParameters {
        relation: Some(relation),
        geometry: Some(kind),
        coordinates: Some(coordinates),
        property: None,
    };
    parse_geo(parameters, &Terms)
}

#[test]
fn geoqueries_find_by_every_relation() {
    let square = "[[[0,0],[10,0],[10,10],[0,10],[0,0]]]";
    let point = |x: f64, y: f64| {
        with(
            "location",
            Kind::GeoProperty,
            &format!(r#"{{"type":"Point","coordinates":[{x},{y}]}}"#),
        )
    };
    let area = with(
        "location",
        Kind::GeoProperty,
        r#"{"type":"Polygon","coordinates":[[[5,5],[15,5],[15,15],[5,15],[5,5]]]}"#,
    );
    for (relation, kind, coordinates, entity, expected) in [
        ("near;maxDistance==2000", "Point", "[8,40]", point(8.01, 40.0), true),
        ("near;maxDistance==500", "Point", "[8,40]", point(8.01, 40.0), false),
        ("near;minDistance==500", "Point", "[8, 40]", point(8.01, 40.0), true),
        ("near;minDistance==2e3", "Point", "[8,40]", point(8.01, 40.0), false),
        ("within", "Polygon", square, point(5.0, 5.0), true),
        ("within", "Polygon", square, point(15.0, 5.0), false),
        ("contains", "Point", "[8,8]", area.clone(), true),
        ("overlaps", "Polygon", square, area.clone(), true),
        ("intersects", "Polygon", square, area.clone(), true),
        ("disjoint", "Polygon", square, point(15.0, 5.0), true),
        ("disjoint", "Polygon", square, area.clone(), false),
        ("equals", "Point", "[1,2]", point(1.0, 2.0), true),
        ("disjoint", "Point", "[1,2]", with("location", Kind::Property, "1"), false),
        ("disjoint", "Point", "[1,2]", with("elsewhere", Kind::Property, "1"), false),
    ] {
        let filter = geo(relation, kind, coordinates).unwrap().unwrap();
        assert_eq!(holds(&filter, &entity), expected, "{relation} {coordinates} {entity:?}");
    }
}

#[test]
fn geoqueries_are_equal_where_relation_and_geometry_are() {
    assert_eq!(geo("within", "Point", "[1,2]"), geo("within", "Point", "[1.0, 2]"));
    assert_ne!(geo("within", "Point", "[1,2]"), geo("equals", "Point", "[1,2]"));
    assert_ne!(geo("within", "Point", "[1,2]"), geo("within", "Point", "[1,3]"));
}

#[test]
fn faulty_geoqueries_are_refused_with_the_reason() {
    for (relation, kind, coordinates, expected) in [
        ("near", "Point", "[8,40]", "georel \"near\""),
        ("near;maxDistance==0", "Point", "[8,40]", "the distance \"0\""),
        ("near;maxDistance==-100", "Point", "[8,40]", "the distance \"-100\""),
        ("near;maxDistance==inf", "Point", "[8,40]", "the distance \"inf\""),
        ("near;maxDistance==1e400", "Point", "[8,40]", "the distance \"1e400\""),
        ("near;maxDistance==5;minDistance==1", "Point", "[8,40]", "georel \"near;max"),
        ("near;maxDistance=5", "Point", "[8,40]", "georel"),
        ("touches", "Point", "[8,40]", "georel \"touches\""),
        ("within;maxDistance==5", "Point", "[8,40]", "georel"),
        ("within", "GeometryCollection", "[8,40]", "the reference geometry: the geometry type"),
        ("within", "Point", "8,40", "coordinates \"8,40\""),
        ("within", "Point", "[8,40],\"type\":\"X\"", "coordinates"),
        ("within", "Point", "[8]", "the reference geometry"),
        ("within", "Point", "[8,95]", "the reference geometry: the position [8, 95]"),
        ("within", "Point", "[NaN,5]", "coordinates"),
        ("within", "Polygon", "[[[0,0],[1,0],[1,1],[0,1]]]", "the reference geometry: a ring"),
    ] {
        let error = geo(relation, kind, coordinates).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{relation} {kind} {coordinates}: {error}");
    }
    let long = format!("[{}]", "1,".repeat(600_000));
    assert!(matches!(geo("within", "Point", &long), Err(GeoError::TooLong(_))));
    let only_relation = GeoParameters { relation: Some("within"), ..GeoParameters::default() };
    assert_eq!(parse_geo(only_relation, &Terms), Err(GeoError::Missing("geometry")));
    let only_property = GeoParameters { property: Some("location"), ..GeoParameters::default() };
    assert_eq!(parse_geo(only_property, &Terms), Ok(None));
}

#[test]
fn the_object_of_a_geoquery_says_the_same_as_its_parameters() {
    let expected = geo("near;maxDistance==2000", "Point", "[8,40]").unwrap().unwrap();
    for json in [
        r#"{"georel":"near;maxDistance==2000","geometry":"Point","coordinates":[8,40]}"#,
        r#"{"georel":"near;maxDistance==2000","geometry":"Point","coordinates":"[8,40]","geoproperty":"location"}"#,
    ] {
        assert_eq!(parse_geo_query(json, &Terms).unwrap(), expected, "{json}");
    }
    for json in [
        "{}",
        "[]",
        r#"{"georel":"near;maxDistance==2000","geometry":"Point"}"#,
        r#"{"georel":5,"geometry":"Point","coordinates":[8,40]}"#,
        r#"{"georel":"within","geometry":"Point","coordinates":{}}"#,
        r#"{"georel":"within","geometry":"Point","coordinates":[8,40],"radius":5}"#,
    ] {
        assert!(parse_geo_query(json, &Terms).is_err(), "{json} was accepted");
    }
}

fn temporal(
    relation: &str,
    time_at: &str,
    end: Option<&str>,
) -> Result<Option<TemporalRange>, TemporalError> {
    parse_temporal(TemporalParameters {
        relation: Some(relation),
        time_at: Some(time_at),
        end_time_at: end,
        property: None,
    })
}

#[test]
fn temporal_bounds_are_as_the_clause_has_them() {
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let (start, end) = ("2017-12-13T14:20:00Z", "2017-12-13T14:40:00Z");
    let moments = [start, "2017-12-13T14:30:00Z", end].map(at);
    for (range, expected) in [
        (temporal("before", end, None), [true, true, false]),
        (temporal("after", start, None), [true, true, true]),
        (temporal("after", "2017-12-13T14:20:00.000Z", None), [true, true, true]),
        (temporal("between", start, Some(end)), [true, true, false]),
    ] {
        let range = range.unwrap().unwrap();
        assert_eq!(moments.map(|moment| range.contains(moment)), expected, "{range:?}");
        assert_eq!(range.property, TemporalProperty::ObservedAt);
    }
    let range = temporal("between", start, Some(end)).unwrap().unwrap();
    assert_eq!(range.relation, TimeRelation::Between(at(start), at(end)));
    assert_eq!((range.start(), range.end()), (Some(at(start)), Some(at(end))));
}

#[test]
fn faulty_temporal_queries_are_refused() {
    let time = "2020-08-01T12:05:00Z";
    assert!(matches!(temporal("during", time, None), Err(TemporalError::Relation(_))));
    assert!(matches!(temporal("between", time, None), Err(TemporalError::Missing { .. })));
    assert!(matches!(temporal("after", "2020-08-0Z", None), Err(TemporalError::Time { .. })));
    for text in ["2020-08-01", "2020-08-01T12:05:00+02:00", "2020-08-01T12:05:00"] {
        assert!(matches!(temporal("after", text, None), Err(TemporalError::NotUtc { .. })));
    }
    assert!(matches!(temporal("after", time, Some(time)), Err(TemporalError::EndWithoutBetween)));
    assert!(matches!(
        temporal("between", time, Some("2019-01-01T00:00:00Z")),
        Err(TemporalError::Reversed { .. })
    ));
    let parameters = TemporalParameters { time_at: Some(time), ..TemporalParameters::default() };
    assert!(matches!(parse_temporal(parameters), Err(TemporalError::Missing { .. })));
    let parameters = TemporalParameters { property: Some("x"), ..TemporalParameters::default() };
    assert!(matches!(parse_temporal(parameters), Err(TemporalError::Property(_))));
    assert_eq!(parse_temporal(TemporalParameters::default()), Ok(None));
}

#[test]
fn lists_of_ids_and_attributes_become_filters() {
    let entity = with("a", Kind::Property, "1");
    assert!(holds(&parse_ids("urn:x:1, urn:ngsi-ld:Test:1").unwrap(), &entity));
    assert!(!holds(&parse_ids("urn:x:1").unwrap(), &entity));
    assert_eq!(parse_ids("urn:x:1,b").unwrap(), Filter::Ids(vec![iri("urn:x:1,b")]));
    assert!(parse_ids("").is_err());
    assert!(parse_ids("x,urn:x:1").is_err());
    assert!(holds(&parse_id_pattern("^urn:ngsi-ld:Test").unwrap(), &entity));
    assert!(parse_id_pattern("(").is_err());
    let names = parse_attributes("b, a,b", &Terms).unwrap();
    assert_eq!(names.len(), 2);
    assert!(holds(&attributes_filter(&names), &entity));
    assert!(!holds(&attributes_filter(&names[..1]), &entity));
    assert!(parse_attributes("a,,b", &Terms).is_err());
    assert!(parse_attributes(&vec!["a"; 10_001].join(","), &Terms).is_err());
}
