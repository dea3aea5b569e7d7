//! What the grammar of clause 4.9 takes and refuses.

use cardo_query::{
    Filter, Key, Link, LinkTarget, Literal, NameResolver, Operand, QOptions, parse_q,
};

use crate::common::{Terms, q};

fn operand(query: &str) -> Operand {
    match q(query).unwrap() {
        Filter::Compare(comparison) => comparison.operand,
        other => panic!("{query} is {other:?}"),
    }
}

fn message(query: &str) -> String {
    q(query).expect_err(query).to_string()
}

#[test]
fn the_examples_of_the_clause_are_read() {
    for query in [
        "temperature",
        "temperature==20",
        r#"brandName!="Mercedes""#,
        r#"isParked=="urn:ngsi-ld:OffStreetParking:Downtown1""#,
        r#"speed>50;brandName!="Mercedes""#,
        "isMonitoredBy",
        r#"((speed>50|rpm>3000);brandName=="Mercedes")"#,
        "(temperature>=20;temperature<=25)|capacity<=10",
        "temperature.observedAt>=2017-12-24T12:00:00Z",
        r#"address[city]=="Berlin""#,
        "sensor.rawdata[airquality.particulate]==40",
        r#"parkingTickets[value]=="Overstay 60 minutes""#,
        "gender==Male",
        r#"color=="black", "red""#,
        "temperature==10..20",
        r#"color[*]!="red""#,
        "locatedIn==urn:ngsi-ld:City:Pisa|locatedIn==urn:ngsi-ld:City:Paris",
        "ex:speed>5",
        "größe==1;温度>5",
    ] {
        assert!(q(query).is_ok(), "{query}: {:?}", q(query));
    }
}

#[test]
fn what_is_not_implemented_is_said_so() {
    assert_eq!(
        message("a;rel.objectType==Device"),
        "at character 3: a comparison with objectType is not implemented yet"
    );
}

#[test]
fn conditions_on_linked_entities_nest() {
    let link = |query: &str| match q(query).unwrap() {
        Filter::Link(Link { relationship, target: LinkTarget::Matching(filter) }) => {
            (relationship, *filter)
        }
        other => panic!("{query}: {other:?}"),
    };
    let (relationship, filter) = link("sensor{humidity}==40");
    assert_eq!(relationship, Terms.attribute("sensor").unwrap());
    assert_eq!(filter, q("humidity==40").unwrap());
    let (_, filter) = link("sensor{Device,Probe:humidity[a.b]}==40");
    let types = ["Device", "Probe"].map(|term| Filter::Type(Terms.type_name(term).unwrap()));
    let expected = Filter::Or(types.into()).and(q("humidity[a.b]==40").unwrap());
    assert_eq!(filter, expected);
    let nested = "sensor{Device:maker{name}}~=^X";
    assert_eq!(link(nested).1.link_levels(), 1);
    assert_eq!(q(&format!("a;({nested}|b)")).unwrap().link_levels(), 2);
    assert!(matches!(q("!sensor{humidity}").unwrap(), Filter::Not(_)));
    for (query, expected) in [
        ("sensor{humidity", "'}'"),
        ("sensor{}", "the name of an attribute"),
        ("sensor{Device:}", "the name of an attribute"),
        ("sensor.x{humidity}", "only a name"),
        ("id{humidity}", "only a name"),
        ("sensor{humidity}}", "logical operator"),
    ] {
        assert!(message(query).contains(expected), "{query}: {}", message(query));
    }
}

#[test]
fn constants_and_keys_are_expanded_where_that_is_asked_for() {
    let options = QOptions { expand_values: Some("gender"), json_keys: Some("tickets") };
    let parse = |query: &str| parse_q(query, &Terms, options).unwrap();
    let male = Terms.attribute("Male").unwrap();
    assert_eq!(parse("gender==Male"), q(&format!("gender==\"{}\"", male.as_str())).unwrap());
    assert_eq!(parse("other==Male"), q("other==Male").unwrap());
    let Filter::Compare(comparison) = parse("tickets[value]==1") else { panic!("no comparison") };
    assert_eq!(comparison.path.keys, [Key::plain("value")]);
    let wrong = QOptions { expand_values: Some("a,,b"), json_keys: None };
    assert!(parse_q("a", &Terms, wrong).is_err());
}

#[test]
fn constants_have_the_type_of_their_form() {
    let one = |query: &str| match operand(query) {
        Operand::One(literal) => literal,
        other => panic!("{other:?}"),
    };
    assert_eq!(one("a==-1.5e3"), Literal::Number(-1500.0));
    assert_eq!(one("a==true"), Literal::Bool(true));
    assert_eq!(one("a==2020-02-29"), Literal::Date("2020-02-29".into()));
    assert_eq!(one("a==12:30:00Z"), Literal::Time("12:30:00Z".into()));
    assert_eq!(one("a==12:30:00,5Z"), Literal::Time("12:30:00.5Z".into()));
    assert!(matches!(one("a>2020-02-29T00:00:00Z"), Literal::DateTime(_)));
    assert!(matches!(one("a>2020-02-29T00:00:00,25Z"), Literal::DateTime(_)));
    assert_eq!(one("a==urn:x:1"), Literal::Text("urn:x:1".into()));
    assert_eq!(one(r#"a=="2020-02-29""#), Literal::Text("2020-02-29".into()));
    assert_eq!(
        operand("a==1,x,true"),
        Operand::List(vec![Literal::Number(1.0), Literal::Text("x".into()), Literal::Bool(true)])
    );
    assert_eq!(
        operand("a==2020-02-28..2020-02-29"),
        Operand::Range(Literal::Date("2020-02-28".into()), Literal::Date("2020-02-29".into()))
    );
}

#[test]
fn faults_are_named_with_their_place() {
    for (query, expected) in [
        ("", "at character 1: expected an attribute or '(', found the end"),
        (
            "a==",
            "at character 4: expected a number, a text in quotes, a date, a time, true, false or a URI, found the end",
        ),
        (
            "speed>",
            "at character 7: expected a number, a text in quotes, a date or a time, found the end",
        ),
        ("ä=5", "at character 2: expected a logical operator or the end, found \"=5\""),
        ("a==1;", "at character 6: expected an attribute or '(', found the end"),
        ("(a==1", "at character 6: expected a logical operator or ')', found the end"),
        ("a==1)", "at character 5: expected a logical operator or the end, found \")\""),
        (
            "a>true",
            "at character 3: expected a number, a text in quotes, a date or a time, found \"true\"",
        ),
        ("a[b", "at character 4: expected '.' or ']', found the end"),
        ("a.1==1", "at character 3: expected the name of an attribute, found \"1==1\""),
        (r#"a=="x"#, "at character 4: expected a text with a quote at its end, found \"\\\"x\""),
        ("a~=[", "at character 4: \"[\" is not an accepted regular expression"),
        (
            "a==deletedAt.x;deletedAt",
            "at character 16: the name \"deletedAt\" stands in the temporal evolution of entities only",
        ),
    ] {
        let message = message(query);
        assert!(message.starts_with(expected), "{query}: {message}");
    }
}

#[test]
fn texts_outside_of_the_grammar_are_refused() {
    for query in [
        "a>4..5",
        "a>1,2",
        "a==1..",
        "a==..1",
        "a==1..x",
        "a==true..false",
        "a==1,,2",
        "a==1,",
        "==1",
        "a b",
        "a==01",
        "a==+5",
        "a==1e999",
        "a==.5",
        "a==NaN..1",
        "a==2020-02-30",
        "a==25:00:00Z",
        "a==\"\\x\"",
        "a=1",
        "a=>1",
        "a===1",
        "a!1",
        "!a==1",
        "!(a)",
        "a..b",
        "a.",
        ".a",
        "a[]",
        "a[b]c",
        "a[b][c]",
        "a[b.]",
        "a.observedAt[x]",
        "createdAt[x]",
        "createdAt.x",
        "id.x==1",
        "()",
        "(a",
        "a|",
        "|a",
        "a~=",
        "a~=\"\"",
        "a~=\"x",
        "a>urn:x:1",
        "a==http://<x>",
        "type>A",
        "type~=A",
        "type==1",
        "1==1",
        "a;;b",
        "a~=(a{1000}){1000}",
    ] {
        assert!(q(query).is_err(), "{query} became {:?}", q(query));
    }
}
