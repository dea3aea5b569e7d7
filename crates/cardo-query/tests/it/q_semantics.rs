//! What the terms of clause 4.9 mean, row by row.

use crate::common::{attribute, check, instance, iri, matches, with, with_instances};
use cardo_model::{Iri, Kind, Timestamp};

#[test]
fn numbers_compare_with_numbers_only() {
    check(
        Kind::Property,
        &[
            ("20", "a==20", true),
            ("20.0", "a==20", true),
            ("2e1", "a==20", true),
            ("-0", "a==0", true),
            ("20", "a!=20", false),
            ("21", "a!=20", true),
            ("20", "a>20", false),
            ("20.5", "a>20", true),
            ("20", "a>=20", true),
            ("20", "a<=20", true),
            ("19", "a<20", true),
            ("20", r#"a=="20""#, false),
            ("20", r#"a!="20""#, true),
            ("20", r#"a>"1""#, false),
            (r#""20""#, "a==20", false),
            (r#""20""#, "a>1", false),
            (r#""20""#, "a!=20", true),
            ("null", "a==20", false),
            ("null", "a!=20", true),
            ("null", "a", true),
        ],
    );
}

#[test]
fn ranges_include_both_ends_and_speak_of_one_value() {
    check(
        Kind::Property,
        &[
            ("10", "a==10..20", true),
            ("20", "a==10..20", true),
            ("15", "a==10..20", true),
            ("9", "a==10..20", false),
            ("9", "a!=10..20", true),
            ("15", "a!=10..20", false),
            ("1.75", "a==1.5..2.5", true),
            ("-3", "a==-5..-1", true),
            (r#""b""#, r#"a=="a".."c""#, true),
            (r#""d""#, r#"a=="a".."c""#, false),
            ("15", r#"a=="a".."c""#, false),
            ("[15]", "a==10..20", false),
            ("[15]", "a!=10..20", true),
        ],
    );
}

#[test]
fn lists_match_any_constant_and_arrays_by_what_they_include() {
    let red_and_more = r#"["blue","red","green"]"#;
    check(
        Kind::Property,
        &[
            (r#""red""#, r#"a=="red""#, true),
            (red_and_more, r#"a=="red""#, true),
            (red_and_more, r#"a=="pink""#, false),
            (r#""red""#, r#"a=="black","red""#, true),
            (r#"["red","blue"]"#, r#"a=="black", "red""#, true),
            (r#"["red","blue"]"#, r#"a=="black","pink""#, false),
            (r#""black""#, r#"a!="red""#, true),
            (r#"["blue","black","green"]"#, r#"a!="red""#, true),
            (red_and_more, r#"a!="red""#, false),
            (r#""blue""#, r#"a!="black", "red""#, true),
            (r#"["blue","yellow","green"]"#, r#"a!="black","red""#, true),
            (red_and_more, r#"a!="black","red""#, false),
            ("[1,2,3]", "a==2", true),
            ("[1,2,3]", "a>2", false),
            (r#"["red"]"#, r#"a~="red""#, false),
            (r#"["red"]"#, r#"a!~="blue""#, false),
            ("[[2]]", "a==2", false),
            ("[]", "a!=1", true),
        ],
    );
    check(Kind::ListProperty, &[("[1,2]", "a==2", true), ("[1,2]", "a!=2", false)]);
}

#[test]
fn truth_values_are_equal_or_not() {
    check(
        Kind::Property,
        &[
            ("true", "a==true", true),
            ("true", "a==false", false),
            ("true", "a!=false", true),
            ("[true]", "a==true", true),
            (r#""true""#, "a==true", false),
            ("true", r#"a=="true""#, false),
        ],
    );
}

#[test]
fn texts_are_compared_by_code_points_and_escapes_do_not_matter() {
    check(
        Kind::Property,
        &[
            (r#""Mercedes""#, r#"a=="Mercedes""#, true),
            (r#""Mercedes""#, r#"a!="Mercedes""#, false),
            (r#""say \"x\"""#, r#"a=="say \"x\"""#, true),
            (r#""tab\t""#, r#"a=="tab\t""#, true),
            (r#""é""#, r#"a=="\u00e9""#, true),
            (r#""b""#, r#"a>"a""#, true),
            (r#""B""#, r#"a>"a""#, false),
            (r#""commercial""#, "a==commercial", true),
            (r#""a;b|c)""#, r#"a=="a;b|c)""#, true),
        ],
    );
}

#[test]
fn patterns_match_texts_and_nothing_else() {
    check(
        Kind::Property,
        &[
            (r#""Eiffel Tower""#, r#"a~="^Eiffel""#, true),
            (r#""Eiffel Tower""#, "a~=^Eiffel", true),
            (r#""Pisa Tower""#, r#"a!~="^Eiffel""#, true),
            (r#""Eiffel Tower""#, r#"a!~="^Eiffel""#, false),
            (r#""a7""#, r#"a~="^a\d$""#, true),
            (r#""b""#, "a~=^(a|b)$", true),
            (r#""a;b""#, "a~=a[;]b", true),
            (r#""q\"q""#, r#"a~="q\"q""#, true),
            ("30", r#"a~="3.*""#, false),
            ("30", r#"a!~="4.*""#, false),
            (r#"{"x":1}"#, r#"a!~="4.*""#, false),
        ],
    );
}

#[test]
fn moments_order_by_time_however_they_are_written() {
    let typed = r#"{"@type":"DateTime","@value":"2018-12-04T12:00:00.5Z"}"#;
    let day = r#"{"@type":"Date","@value":"2018-12-04"}"#;
    check(
        Kind::Property,
        &[
            (typed, "a==2018-12-04T12:00:00.500Z", true),
            (typed, "a>2018-12-04T12:00:00Z", true),
            (typed, r#"a>"2018-12-04T12:00:00Z""#, true),
            (typed, "a==2018-12-04T12:00:00,5Z", true),
            (typed, "a==2018-12-04T11:00:00Z..2018-12-04T13:00:00Z", true),
            (typed, "a<2018-12-04T12:00:00Z", false),
            (typed, "a==2018-12-04", false),
            (typed, r#"a~="2018""#, false),
            (r#""2018-12-04T12:00:00Z""#, "a<2018-12-04T12:00:00.1Z", true),
            (r#""2018-12-04T12:00:00Z""#, "a==2018-12-04T12:00:00.000Z", true),
            (r#""no moment""#, "a<2018-12-04T12:00:00.1Z", false),
            (r#""no moment""#, "a!=2018-12-04T12:00:00.1Z", true),
            (day, "a==2018-12-04", true),
            (day, "a<2018-12-05", true),
            (day, "a<2018-12-05T00:00:00Z", false),
            (r#""12:30:00Z""#, "a>12:29:59.9Z", true),
            (r#""12:30:00Z""#, "a==12:30:00.000Z", true),
            (r#""x""#, "a==12:30:00.000Z", false),
            (r#"{"@value":5}"#, "a==5", true),
            (r#"[{"@type":"Date","@value":"2018-12-04"}]"#, "a==2018-12-04", true),
        ],
    );
    let mut by_value_type = instance(Kind::Property, r#""2018-12-04T12:00:00.5Z""#);
    by_value_type.value_type = Some("DateTime".into());
    let entity = with_instances("a", vec![by_value_type]);
    assert!(matches(r#"a>"2018-12-04T12:00:00Z""#, &entity));
}

#[test]
fn relationships_are_equal_to_uris_or_not_and_nothing_else_holds() {
    let (one, two) = (r#""urn:x:1""#, r#"["urn:x:1","urn:x:2"]"#);
    for kind in [Kind::Relationship, Kind::ListRelationship] {
        check(
            kind,
            &[
                (one, r#"a=="urn:x:1""#, true),
                (one, "a==urn:x:1", true),
                (one, "a==urn:x:9,urn:x:1", true),
                (one, "a!=urn:x:1", false),
                (two, "a==urn:x:2", true),
                (two, "a!=urn:x:2", false),
                (two, "a!=urn:x:3", true),
                (one, r#"a>"urn:a""#, false),
                (one, r#"a<="urn:x:1""#, false),
                (one, r#"a~="urn""#, false),
                (one, r#"a!~="x""#, false),
                (one, "a==1", false),
                (one, "a!=1", true),
                (one, "a", true),
            ],
        );
    }
}

#[test]
fn vocabulary_terms_are_compared_by_full_name() {
    check(
        Kind::VocabProperty,
        &[
            (r#""http://example.org/Male""#, r#"a=="http://example.org/Male""#, true),
            (r#""http://example.org/Male""#, "a==http://example.org/Male", true),
            (r#""http://example.org/Male""#, "a==Male", false),
            (r#"["http://x.y/a","http://x.y/b"]"#, "a==http://x.y/b", true),
            (r#"["http://x.y/a","http://x.y/b"]"#, "a!=http://x.y/b", false),
        ],
    );
}

#[test]
fn language_maps_match_by_tag_by_any_tag_or_without_one() {
    let colors = r#"{"fr":"rouge","en":"red","de":"rot"}"#;
    let other = r#"{"fr":"red","en":"black","de":"blau"}"#;
    let lists = r#"{"fr":["chat","rouge"],"en":["red","cat"],"de":["rote","Katze"]}"#;
    let other_lists = r#"{"fr":["chat","noir"],"en":["coal","black"],"de":["blaue","Engel"]}"#;
    check(
        Kind::LanguageProperty,
        &[
            (colors, r#"a[en]=="red""#, true),
            (colors, r#"a[EN]=="red""#, true),
            (other, r#"a[en]=="red""#, false),
            (lists, r#"a[en]=="red""#, true),
            (other_lists, r#"a[en]=="red""#, false),
            (colors, r#"a[*]=="red""#, true),
            (lists, r#"a[*]=="red""#, true),
            (colors, r#"a=="rot""#, true),
            (colors, r#"a[en]!="red""#, false),
            (other, r#"a[en]!="red""#, true),
            (other_lists, r#"a[en]!="red""#, true),
            (lists, r#"a[en]!="red""#, false),
            // Each text of a list counts, in a range as well.
            (lists, r#"a[en]=="ca".."cb""#, true),
            (lists, r#"a[en]!="ca".."cb""#, false),
            (lists, r#"a=="ka".."kb""#, false),
            (lists, r#"a!="ka".."kb""#, true),
            (colors, r#"a[*]!="red""#, false),
            (other_lists, r#"a[*]!="red""#, true),
            (lists, r#"a[*]!="red""#, false),
            (colors, r#"a[es]!="rojo""#, false),
            (colors, "a[en]", true),
            (colors, "a[es]", false),
            (colors, "a[*]", true),
            ("{}", "a[*]", false),
            (colors, r#"a[de]~="^r""#, true),
            (colors, r#"a~="^rou""#, true),
            (colors, r#"a!~="^rou""#, false),
            (colors, r#"a[en]!~="^rou""#, true),
            (r#"{"en-GB":"lorry"}"#, r#"a[en-gb]=="lorry""#, true),
            (colors, r#"a[en.x]=="red""#, false),
            (colors, "a==1", false),
            (colors, "a!=1", true),
        ],
    );
}

#[test]
fn trailing_paths_lead_into_compound_values() {
    let address = r#"{"city":"Berlin","geo":{"floor":3},"list":[{"x":1}],"nothing":null}"#;
    check(
        Kind::Property,
        &[
            (address, r#"a[city]=="Berlin""#, true),
            (address, r#"a[city]!="Berlin""#, false),
            (address, r#"a[postcode]=="Berlin""#, false),
            (address, r#"a[postcode]!="Berlin""#, false),
            (address, "a[city]", true),
            (address, "a[postcode]", false),
            (address, "a[geo.floor]>2", true),
            (address, "a[geo.floor.x]", false),
            (address, "a[list.x]==1", false),
            (address, "a[nothing]", true),
            (address, "a[*]", false),
            ("5", "a[city]", false),
            (
                r#"{"https://uri.etsi.org/ngsi-ld/default-context/city":"Bonn"}"#,
                "a[city]==Bonn",
                true,
            ),
        ],
    );
    check(
        Kind::JsonProperty,
        &[
            (
                r#"{"id":"85a6","value":"Overstay 60 minutes"}"#,
                r#"a[value]=="Overstay 60 minutes""#,
                true,
            ),
            (r#"{"https://uri.etsi.org/ngsi-ld/default-context/value":1}"#, "a[value]==1", false),
        ],
    );
    check(
        Kind::GeoProperty,
        &[(r#"{"type":"Point","coordinates":[8,40]}"#, r#"a[type]=="Point""#, true)],
    );
    check(Kind::Relationship, &[(r#""urn:x:1""#, "a[x]", false)]);
}

#[test]
fn dotted_paths_lead_to_attributes_of_attributes_and_members() {
    let mut sensor = instance(Kind::Property, "40");
    sensor.observed_at = Some(Timestamp::parse("2017-12-24T12:00:00Z").unwrap());
    sensor.unit_code = Some("CEL".into());
    sensor.attributes.push(attribute(
        "rawdata",
        vec![instance(Kind::Property, r#"{"airquality":{"particulate":40,"PM20":85}}"#)],
    ));
    sensor.attributes.push(attribute("by", vec![instance(Kind::Relationship, r#""urn:x:1""#)]));
    let entity = with_instances("sensor", vec![sensor]);
    for (query, expected) in [
        ("sensor.rawdata[airquality.particulate]==40", true),
        ("sensor.rawdata[airquality.particulate]==41", false),
        ("sensor.rawdata", true),
        ("sensor.other", false),
        ("sensor.by==urn:x:1", true),
        ("sensor.observedAt>=2017-12-24T12:00:00Z", true),
        ("sensor.observedAt>2017-12-24T12:00:00Z", false),
        (r#"sensor.observedAt<"2018-01-01T00:00:00Z""#, true),
        ("sensor.observedAt", true),
        ("sensor.expiresAt", false),
        ("sensor.rawdata.observedAt", false),
        ("sensor.rawdata.createdAt<2020-06-01T00:00:00Z", true),
        ("sensor.createdAt<2020-06-01T00:00:00Z", true),
        ("sensor.modifiedAt==2021-01-01T00:00:00Z", true),
        (r#"sensor.unitCode=="CEL""#, true),
        (r#"sensor.unitCode!="CEL""#, false),
        ("sensor.datasetId", false),
        ("!sensor.rawdata", false),
        ("!sensor.other;sensor", true),
        ("!other", true),
    ] {
        assert_eq!(matches(query, &entity), expected, "{query}");
    }
}

#[test]
fn any_instance_may_match_whatever_its_dataset() {
    let mut second = instance(Kind::Property, "20");
    second.dataset_id = Some(iri("urn:ngsi-ld:Dataset:b"));
    let entity = with_instances("a", vec![instance(Kind::Property, "10"), second]);
    for (query, expected) in [
        ("a==10", true),
        ("a==20", true),
        ("a==30", false),
        ("a!=10", true),
        ("a>15", true),
        (r#"a.datasetId=="urn:ngsi-ld:Dataset:b""#, true),
        ("a.datasetId", true),
    ] {
        assert_eq!(matches(query, &entity), expected, "{query}");
    }
}

#[test]
fn members_of_the_entity_are_found_by_their_names() {
    let mut entity = with("a", Kind::Property, "1");
    entity.scopes = vec![cardo_model::Scope::new("/A/B").unwrap()];
    for (query, expected) in [
        (r#"id=="urn:ngsi-ld:Test:1""#, true),
        ("id==urn:ngsi-ld:Test:2", false),
        (r#"id~=":1$""#, true),
        (r#"id!="urn:x:1""#, true),
        ("type==Test", true),
        ("type==Other,Test", true),
        ("type!=Test", false),
        ("type!=Other", true),
        ("scope", true),
        (r#"scope=="/A/B""#, true),
        (r#"scope!="/A/B""#, false),
        ("createdAt", true),
        ("createdAt==2020-01-01T00:00:00Z", true),
        (r#"modifiedAt>"2020-01-01T00:00:00Z""#, true),
        ("modifiedAt>5", false),
        ("expiresAt", false),
    ] {
        assert_eq!(matches(query, &entity), expected, "{query}");
    }
}

#[test]
fn logical_operators_have_the_precedence_of_the_clause() {
    let mut entity = with("speed", Kind::Property, "60");
    entity.attributes.push(attribute("brandName", vec![instance(Kind::Property, r#""Mercedes""#)]));
    entity.attributes.push(attribute("capacity", vec![instance(Kind::Property, "5")]));
    for (query, expected) in [
        (r#"speed>50;brandName!="Mercedes""#, false),
        (r#"((speed>50|rpm>3000);brandName=="Mercedes")"#, true),
        ("(temperature>=20;temperature<=25)|capacity<=10", true),
        ("temperature>=20;temperature<=25|capacity<=10", true),
        ("capacity<=10|speed>50;rpm", true),
        ("(capacity<=10|speed>50);rpm", false),
    ] {
        assert_eq!(matches(query, &entity), expected, "{query}");
    }
}

#[test]
fn names_are_full_iris_in_the_tree() {
    let filter = crate::common::q("temperature").unwrap();
    let name = Iri::new("https://uri.etsi.org/ngsi-ld/default-context/temperature").unwrap();
    assert_eq!(filter, cardo_query::Filter::HasAttribute(name));
}

#[test]
fn a_query_tells_which_attributes_it_asks_for() {
    let count = |query: &str| {
        let mut count = 0;
        crate::common::q(query).unwrap().visit_attributes(&mut |_| count += 1);
        count
    };
    assert_eq!(count(r#"modifiedAt>"2020-01-01T00:00:00Z";id~=x|type==A|scope"#), 0);
    assert_eq!(count("a;!b;(c.d>1|modifiedAt)"), 3);
}
