//! Whatever face a change comes through, every face shows the same twin at the same revision, and
//! answers the same question with the same entities.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::{Answer, Connection, Server, cardo};

/// What is known of a sensor.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sensor {
    level: Option<f64>,
    label: Option<String>,
    place: Option<[f64; 2]>,
    owner: Option<String>,
}

type City = BTreeMap<String, Sensor>;

#[derive(Clone, Copy, Debug)]
enum Through {
    Ngsild,
    Graphql,
}

#[derive(Clone, Debug)]
enum Change {
    Put(Sensor),
    /// A level, or none.
    Merge(Option<f64>),
    Delete,
}

#[derive(Clone, Debug)]
struct Step {
    sensor: u8,
    through: Through,
    change: Change,
}

fn sensors() -> impl Strategy<Value = Sensor> {
    let level = prop::option::of((-40_i32..40).prop_map(|n| f64::from(n) / 2.0));
    let label = prop::option::of(prop::sample::select(vec!["a", "b", "long \"quoted\" näme"]));
    let place = prop::option::of(places());
    let owner = prop::option::of((0_u8..3).prop_map(|n| format!("urn:ngsi-ld:Owner:{n}")));
    (level, label, place, owner).prop_map(|(level, label, place, owner)| Sensor {
        level,
        label: label.map(str::to_owned),
        place,
        owner,
    })
}

fn places() -> impl Strategy<Value = [f64; 2]> {
    (0_i32..10, 0_i32..10).prop_map(|(x, y)| [24.0 + f64::from(x) / 8.0, 60.0 + f64::from(y) / 8.0])
}

fn steps() -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        3 => sensors().prop_map(Change::Put),
        2 => prop::option::of((0_i32..9).prop_map(f64::from)).prop_map(Change::Merge),
        1 => Just(Change::Delete),
    ];
    let through = prop_oneof![Just(Through::Ngsild), Just(Through::Graphql)];
    (0_u8..6, through, change).prop_map(|(sensor, through, change)| Step {
        sensor,
        through,
        change,
    })
}

/// One twin of a server that runs, through all its faces.
struct Twin<'a> {
    connection: Connection,
    base: &'a str,
}

impl Twin<'_> {
    fn send(&mut self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.send_after(method, path, body, 0)
    }

    fn send_after(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        revision: u64,
    ) -> Answer {
        let path = format!("{}{path}", self.base);
        let body = body.map(Value::to_string);
        let revision = revision.to_string();
        let headers = [("Cardo-Min-Revision", revision.as_str())];
        self.connection.send(method, &path, &headers, body.as_deref()).expect("the server answers")
    }

    fn graphql(&mut self, query: &str, variables: &Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let answer = self.send("POST", "/graphql", Some(&body));
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        answer.json()
    }

    /// A change through NGSI-LD; the status and the revision that it led to.
    fn change_ngsild(&mut self, id: &str, change: &Change) -> (bool, Option<u64>) {
        let path = format!("/ngsi-ld/v1/entities/{id}");
        let answer = match change {
            Change::Put(sensor) => {
                let batch = json!([normalized(id, sensor)]);
                self.send(
                    "POST",
                    "/ngsi-ld/v1/entityOperations/upsert?options=replace",
                    Some(&batch),
                )
            }
            Change::Merge(level) => {
                let value = level.map_or(json!("urn:ngsi-ld:null"), Value::from);
                self.send("PATCH", &path, Some(&json!({ "level": { "value": value } })))
            }
            Change::Delete => self.send("DELETE", &path, None),
        };
        let revision = answer.header("cardo-revision").and_then(|text| text.parse().ok());
        (answer.status < 300, revision)
    }

    fn change_graphql(&mut self, id: &str, exists: bool, change: &Change) -> (bool, Option<u64>) {
        let (query, variables) = match change {
            Change::Put(sensor) => {
                let how = if exists { "replaceSensor" } else { "createSensor" };
                let query = format!(
                    "mutation($id: ID!, $input: SensorInput!) {{ {how}(id: $id, input: $input) {{ id }} }}"
                );
                (query, json!({ "id": id, "input": input(sensor) }))
            }
            Change::Merge(level) => {
                let query = "mutation($id: ID!, $input: SensorInput!) { mergeSensor(id: $id, input: $input) { id } }";
                (query.to_owned(), json!({ "id": id, "input": { "level": level } }))
            }
            Change::Delete => {
                let query = "mutation($id: ID!) { deleteEntity(id: $id) { id } }";
                (query.to_owned(), json!({ "id": id }))
            }
        };
        let answer = self.graphql(&query, &variables);
        (answer.get("errors").is_none(), answer["extensions"]["revision"].as_u64())
    }

    /// The city as NGSI-LD shows it, with the revision of the answer.
    fn ngsild(&mut self, question: &str, after: u64) -> (City, u64) {
        let path =
            format!("/ngsi-ld/v1/entities?type=Sensor&limit=100&options=keyValues{question}");
        let answer = self.send_after("GET", &path, None, after);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let revision = answer.header("cardo-revision").and_then(|text| text.parse().ok());
        let list = answer.json();
        let entities = list.as_array().expect("a list").iter();
        let city = entities.map(|entity| sensor_of(&entity["id"], entity, &entity["location"]));
        (city.collect(), revision.expect("an answer has its revision"))
    }

    fn ogc(&mut self, question: &str, after: u64) -> (City, u64) {
        let path = format!("/ogc/collections/Sensor/items?limit=100{question}");
        let answer = self.send_after("GET", &path, None, after);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let revision = answer.header("cardo-revision").and_then(|text| text.parse().ok());
        let page = answer.json();
        let features = page["features"].as_array().expect("a list");
        assert_eq!(page["numberMatched"], features.len());
        let city = features
            .iter()
            .map(|feature| sensor_of(&feature["id"], &feature["properties"], &feature["geometry"]));
        (city.collect(), revision.expect("an answer has its revision"))
    }

    fn graph(&mut self, filter: &str) -> (City, u64) {
        let query = format!(
            "{{ sensorList(first: 100{filter}) {{ totalCount nodes {{ id level label location owner__ids }} }} }}"
        );
        let answer = self.graphql(&query, &json!({}));
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        let list = &answer["data"]["sensorList"];
        let nodes = list["nodes"].as_array().expect("a list");
        assert_eq!(list["totalCount"], nodes.len());
        let city = nodes.iter().map(|node| {
            let mut node = node.clone();
            node["owner"] = node["owner__ids"].get(0).cloned().unwrap_or_default();
            sensor_of(&node["id"], &node, &node["location"])
        });
        (city.collect(), answer["extensions"]["revision"].as_u64().expect("a revision"))
    }
}

fn sensor_of(id: &Value, members: &Value, geometry: &Value) -> (String, Sensor) {
    let place = geometry["coordinates"]
        .as_array()
        .map(|c| [c[0].as_f64().expect("a longitude"), c[1].as_f64().expect("a latitude")]);
    let text = |name: &str| members[name].as_str().map(str::to_owned);
    let sensor = Sensor {
        level: members["level"].as_f64(),
        label: text("label"),
        place,
        owner: text("owner"),
    };
    (id.as_str().expect("an id").to_owned(), sensor)
}

fn point(place: [f64; 2]) -> Value {
    json!({ "type": "Point", "coordinates": place })
}

fn normalized(id: &str, sensor: &Sensor) -> Value {
    let mut entity = json!({ "id": id, "type": "Sensor" });
    if let Some(level) = sensor.level {
        entity["level"] = json!({ "type": "Property", "value": level });
    }
    if let Some(label) = &sensor.label {
        entity["label"] = json!({ "type": "Property", "value": label });
    }
    if let Some(place) = sensor.place {
        entity["location"] = json!({ "type": "GeoProperty", "value": point(place) });
    }
    if let Some(owner) = &sensor.owner {
        entity["owner"] = json!({ "type": "Relationship", "object": owner });
    }
    entity
}

fn input(sensor: &Sensor) -> Value {
    let mut input = json!({});
    if let Some(level) = sensor.level {
        input["level"] = level.into();
    }
    if let Some(label) = &sensor.label {
        input["label"] = label.as_str().into();
    }
    if let Some(place) = sensor.place {
        input["location"] = point(place);
    }
    if let Some(owner) = &sensor.owner {
        input["owner"] = owner.as_str().into();
    }
    input
}

/// The sensor that keeps every attribute known, so that each face has a column for it.
fn anchor() -> Sensor {
    Sensor {
        level: Some(-99.5),
        label: Some("anchor".to_owned()),
        place: Some([0.0, 0.0]),
        owner: Some("urn:ngsi-ld:Owner:anchor".to_owned()),
    }
}

const ANCHOR: &str = "urn:ngsi-ld:Sensor:anchor";

fn expect(city: &mut City, id: &str, change: &Change) -> bool {
    match change {
        Change::Put(sensor) => {
            city.insert(id.to_owned(), sensor.clone());
            true
        }
        Change::Merge(level) => match city.get_mut(id) {
            Some(sensor) => {
                sensor.level = *level;
                true
            }
            None => false,
        },
        Change::Delete => city.remove(id).is_some(),
    }
}

fn only(city: &City, keep: impl Fn(&Sensor) -> bool) -> City {
    city.iter().filter(|(_, s)| keep(s)).map(|(id, s)| (id.clone(), s.clone())).collect()
}

/// The same questions in the three languages.
fn ask(twin: &mut Twin<'_>, city: &City, level: f64, corner: [f64; 2]) {
    let above = only(city, |sensor| sensor.level.is_some_and(|own| own > level));
    let filter = format!(", filter: {{ level: {{ gt: {level:?} }} }}");
    assert_eq!(twin.ngsild(&format!("&q=level%3E{level}"), 0).0, above);
    assert_eq!(twin.graph(&filter).0, above);
    // CQL2 asks the same in text and in JSON, and what is computed is no other question.
    for text in [format!("level > {level}"), format!("{level} + 1 < level + 1")] {
        assert_eq!(twin.ogc(&cql2(&text), 0).0, above, "{text}");
    }
    let json = json!({ "op": ">", "args": [{ "property": "level" }, level] });
    let question = format!("&filter-lang=cql2-json&filter={}", encoded(&json.to_string()));
    assert_eq!(twin.ogc(&question, 0).0, above);
    // What has no level is neither above nor not above.
    let not_above = only(city, |sensor| sensor.level.is_some_and(|own| own <= level));
    assert_eq!(twin.ogc(&cql2(&format!("NOT (level > {level})")), 0).0, not_above);
    let none = only(city, |sensor| sensor.level.is_none());
    assert_eq!(twin.ngsild("&q=!level", 0).0, none);
    assert_eq!(twin.ogc(&cql2("level IS NULL"), 0).0, none);
    assert_eq!(twin.graph(", filter: { level: { exists: false } }").0, none);

    let equal = only(city, |sensor| sensor.level == Some(level));
    let filter = format!(", filter: {{ level: {{ eq: {level:?} }} }}");
    assert_eq!(twin.ngsild(&format!("&q=level=={level}"), 0).0, equal);
    assert_eq!(twin.ogc(&format!("&level={level}"), 0).0, equal);
    assert_eq!(twin.ogc(&cql2(&format!("level = {level}")), 0).0, equal);
    assert_eq!(twin.graph(&filter).0, equal);

    let [west, south] = corner;
    let (east, north) = (west + 0.5, south + 0.5);
    let lies = |[x, y]: [f64; 2]| (west..=east).contains(&x) && (south..=north).contains(&y);
    let inside = only(city, |sensor| sensor.place.is_some_and(lies));
    let ring = format!(
        "%5B%5B%5B{west},{south}%5D,%5B{east},{south}%5D,%5B{east},{north}%5D,%5B{west},{north}%5D,%5B{west},{south}%5D%5D%5D"
    );
    let question = format!("&georel=intersects&geometry=Polygon&coordinates={ring}");
    assert_eq!(twin.ngsild(&question, 0).0, inside);
    let filter =
        format!(", filter: {{ location: {{ bbox: [{west:?}, {south:?}, {east:?}, {north:?}] }} }}");
    assert_eq!(twin.graph(&filter).0, inside);
    let area = format!("BBOX({west},{south},{east},{north})");
    for text in [
        format!("S_INTERSECTS(geometry, {area})"),
        format!("S_CONTAINS({area}, location) OR S_TOUCHES({area}, location)"),
    ] {
        assert_eq!(twin.ogc(&cql2(&text), 0).0, inside, "{text}");
    }
    // Figures are of the same entities as lists.
    let corners = [[west, south], [east, south], [east, north], [west, north], [west, south]];
    let area = json!({ "type": "Polygon", "coordinates": [corners] });
    let question = format!(
        "query($area: Geometry) {{ above: sensorAggregate(filter: {{ level: {{ gt: {level:?} }} }}) \
         {{ count numbers {{ count sum }} }} inside: sensorAggregate(area: $area) {{ count }} }}"
    );
    let figures = twin.graphql(&question, &json!({ "area": area }))["data"].clone();
    let sum: f64 = above.values().filter_map(|sensor| sensor.level).sum();
    assert_eq!(figures["above"][0]["count"], above.len(), "{figures}");
    if !above.is_empty() {
        let expected = json!([{ "count": above.len(), "sum": sum }]);
        assert_eq!(figures["above"][0]["numbers"], expected);
    }
    assert_eq!(figures["inside"][0]["count"], inside.len(), "{figures}");
    // What has no geometry is in every box (OGC API Features, Part 1, 7.15.3).
    let inside_or_nowhere = only(city, |sensor| sensor.place.is_none_or(lies));
    let question = format!("&bbox={west},{south},{east},{north}");
    assert_eq!(twin.ogc(&question, 0).0, inside_or_nowhere);
}

#[test]
fn a_change_through_any_face_is_the_same_in_all_faces_at_the_same_revision() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let cases = Cell::new(0);
    let mut runner =
        TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let questions = (-4_i32..8).prop_map(f64::from);
    let input = (prop::collection::vec(steps(), 1..20), questions, places());
    let result = runner.run(&input, |(steps, level, corner)| {
        // Each case has a tenant of its own, which the path names.
        cases.set(cases.get() + 1);
        let base = format!("/tenants/case{}", cases.get());
        let mut twin = Twin { connection: server.connect(), base: &base };
        let mut city = City::from([(ANCHOR.to_owned(), anchor())]);
        assert!(twin.change_ngsild(ANCHOR, &Change::Put(anchor())).0);
        for step in &steps {
            let id = format!("urn:ngsi-ld:Sensor:{}", step.sensor);
            let exists = city.contains_key(&id);
            let is_expected = expect(&mut city, &id, &step.change);
            let (is_done, revision) = match step.through {
                Through::Ngsild => twin.change_ngsild(&id, &step.change),
                Through::Graphql => twin.change_graphql(&id, exists, &step.change),
            };
            prop_assert_eq!(is_done, is_expected, "{:?}", step);
            let revision = revision.unwrap_or(0);
            let ngsild = twin.ngsild("", revision);
            prop_assert!(ngsild.1 >= revision);
            prop_assert_eq!(&ngsild.0, &city);
            prop_assert_eq!(&twin.ogc("", revision), &ngsild);
            prop_assert_eq!(&twin.graph(""), &ngsild);
        }
        ask(&mut twin, &city, level, corner);
        Ok(())
    });
    result.unwrap();
}

#[test]
fn a_change_through_graphql_wakes_a_subscription_of_ngsi_ld() {
    let folder = tempdir().unwrap();
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = cardo(&["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
    command.arg("--data").arg(folder.path()).env("CARDO_EGRESS_ALLOW_LOOPBACK", "true");
    let server = Server::spawn(command);
    let mut twin = Twin { connection: server.connect(), base: "" };
    assert!(twin.change_ngsild(ANCHOR, &Change::Put(anchor())).0);
    let uri = format!("http://{}/", receiver.local_addr().unwrap());
    let subscription = json!({
        "type": "Subscription",
        "entities": [{ "type": "Sensor" }],
        "q": "level>10",
        "notification": { "endpoint": { "uri": uri } }
    });
    let answer = twin.send("POST", "/ngsi-ld/v1/subscriptions", Some(&subscription));
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(twin.change_graphql(ANCHOR, true, &Change::Merge(Some(11.0))).0);
    let (mut stream, _) = receiver.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut told = String::new();
    let mut piece = [0; 4096];
    while !told.contains(ANCHOR) {
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "{told}");
        told.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    server.stop();
}

/// The parameter of a filter in CQL2 text.
fn cql2(text: &str) -> String {
    format!("&filter={}", encoded(text))
}

fn encoded(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect()
}

/// The ids that each face answers a question with: NGSI-LD, OGC API, GraphQL.
fn found(twin: &mut Twin<'_>, ngsild: &str, ogc: &str, graph: &str) -> [Vec<String>; 3] {
    let ids = |city: City| city.into_keys().collect();
    let filter = format!(", filter: {{ {graph} }}");
    [ids(twin.ngsild(ngsild, 0).0), ids(twin.ogc(ogc, 0).0), ids(twin.graph(&filter).0)]
}

#[test]
fn faces_differ_only_where_their_standards_do() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut twin = Twin { connection: server.connect(), base: "" };
    let entities = json!([
        {
            "id": "urn:ngsi-ld:Sensor:1", "type": ["Sensor", "Station"],
            "level": [
                { "type": "Property", "value": 1 },
                { "type": "Property", "value": 2, "datasetId": "urn:ngsi-ld:Dataset:model" }
            ],
            "label": { "type": "Property", "value": "a", "observedAt": "2026-01-01T00:00:00Z" },
            "title": { "type": "LanguageProperty", "languageMap": { "fi": "talo", "en": "house" } },
            "owner": { "type": "Relationship", "object": "urn:ngsi-ld:Owner:1" },
            "location": { "type": "GeoProperty", "value": point([24.9, 60.2]) }
        },
        { "id": "urn:ngsi-ld:Sensor:2", "type": "Sensor", "level": { "type": "Property", "value": 1 } }
    ]);
    let answer = twin.send("POST", "/ngsi-ld/v1/entityOperations/create", Some(&entities));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let (one, two) = ("urn:ngsi-ld:Sensor:1".to_owned(), "urn:ngsi-ld:Sensor:2".to_owned());
    let both = vec![one.clone(), two];
    let only_one = vec![one];

    // A column is of the preferred instance; NGSI-LD asks any (clause 4.9).
    let level = found(&mut twin, "&q=level==2", "&level=2", "level: { eq: 2 }");
    assert_eq!(level, [only_one.clone(), vec![], vec![]]);
    let level = found(&mut twin, "&q=level==1", "&level=1", "level: { eq: 1 }");
    assert_eq!(level, [both.clone(), both.clone(), both.clone()]);
    let of = |twin: &mut Twin<'_>, text: &str| -> Vec<String> {
        twin.ogc(&cql2(text), 0).0.into_keys().collect()
    };
    assert_eq!(of(&mut twin, "level = 2"), Vec::<String>::new());
    assert_eq!(of(&mut twin, "level = 1"), both);
    // The other instance has a column of its own.
    let model = found(&mut twin, "&q=level==2", "&level__at_model=2", "level__at_model: { eq: 2 }");
    assert_eq!(model, [only_one.clone(), only_one.clone(), only_one.clone()]);
    // A text of a language is asked for by its column, or by a path of `q`.
    let title = found(
        &mut twin,
        "&q=title%5Bfi%5D==%22talo%22",
        "&title__fi=talo",
        "title__fi: { eq: \"talo\" }",
    );
    assert_eq!(title, [only_one.clone(), only_one.clone(), only_one.clone()]);
    // Of a language map any text counts; what a function takes is the one that is shown.
    let any = found(&mut twin, "&q=title==%22talo%22", "&title=talo", "title: { eq: \"talo\" }");
    assert_eq!(any, [only_one.clone(), only_one.clone(), only_one.clone()]);
    assert_eq!(of(&mut twin, "title = 'talo' AND title__fi = 'talo'"), only_one);
    assert_eq!(of(&mut twin, "upper(title) = 'HOUSE'"), only_one);
    assert_eq!(of(&mut twin, "upper(title) = 'TALO'"), Vec::<String>::new());
    // What has no geometry is in no area of CQL2.
    assert_eq!(of(&mut twin, "S_INTERSECTS(geometry, BBOX(24,60,25,61))"), only_one);
    // CQL2 alone tells what is unknown from what is false.
    assert_eq!(of(&mut twin, "NOT (label = 'b')"), only_one);
    let not = twin.graph(", filter: { not: { label: { eq: \"b\" } } }").0;
    assert_eq!(not.into_keys().collect::<Vec<_>>(), both);
    // What has no geometry is in every box of the OGC API alone, and what has no time in every
    // interval.
    let square = "&georel=within&geometry=Polygon&coordinates=%5B%5B%5B24,60%5D,%5B25,60%5D,%5B25,61%5D,%5B24,61%5D,%5B24,60%5D%5D%5D";
    let near =
        found(&mut twin, square, "&bbox=24,60,25,61", "location: { bbox: [24, 60, 25, 61] }");
    assert_eq!(near, [only_one.clone(), both.clone(), only_one.clone()]);
    let time = found(
        &mut twin,
        "&q=label.observedAt==2026-01-01T00:00:00Z",
        "&datetime=2026-01-01T00:00:00Z",
        "label__observedAt: { eq: \"2026-01-01T00:00:00Z\" }",
    );
    assert_eq!(time, [only_one.clone(), both, only_one.clone()]);
    // Unlike types never match, in any language.
    let unlike = found(&mut twin, "&q=label==1", "&label=1", "label: { eq: \"1\" }");
    assert_eq!(unlike, [const { Vec::<String>::new() }; 3]);
    // CQL2 refuses to compare them (OGC 21-065r2, /req/basic-cql2/binary-comparison-predicate, D).
    let path = format!("/ogc/collections/Sensor/items?{}", cql2("label = 1"));
    assert_eq!(twin.send("GET", &path, None).status, 400);
    // An entity of two types is in the collections and lists of both.
    let page = twin.send("GET", "/ogc/collections/Station/items", None).json();
    assert_eq!(page["numberMatched"], 1);
    let list = twin.graphql("{ stationList { nodes { id } } }", &json!({}));
    assert_eq!(list["data"]["stationList"]["nodes"][0]["id"], only_one[0].as_str());
}

#[test]
fn names_that_two_attributes_want_are_told_with_what_they_are_called() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut twin = Twin { connection: server.connect(), base: "/tenants/city" };
    assert_eq!(twin.send("GET", "/names", None).status, 404);
    let entity = json!({
        "id": "urn:ngsi-ld:Sensor:1", "type": "Sensor",
        "level": { "type": "Property", "value": 1 },
        "https://example.org/level": { "type": "Property", "value": 2 }
    });
    assert_eq!(twin.send("POST", "/ngsi-ld/v1/entities", Some(&entity)).status, 201);
    let names = twin.send("GET", "/names", None).json();
    let collision = &names["collisions"][0];
    assert_eq!(collision["wanted"], "level");
    assert_eq!(collision["by"], "https://example.org/level");
    let given = collision["given"].as_str().unwrap();
    let feature =
        twin.send("GET", "/ogc/collections/Sensor/items/urn:ngsi-ld:Sensor:1", None).json();
    assert_eq!(feature["properties"][given], 2);
    assert_eq!(feature["properties"]["level"], 1);
    let column = json!({ "name": given, "attribute": "https://example.org/level" });
    assert!(names["types"][0]["columns"].as_array().unwrap().contains(&column), "{names}");
}
