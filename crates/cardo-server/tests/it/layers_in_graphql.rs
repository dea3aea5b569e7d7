//! Layers from files in GraphQL, through the real server.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::{Duration, Instant};

use cardo_formats::{FieldKind, FieldSchema, FieldValue, FlatGeobufWriter, Record, RecordGeometry};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::graphql::ask;
use crate::layers::{buildings, server_in, write_moments};
use crate::support::Server;

/// The data of an answer without errors.
fn data(server: &Server, query: &str) -> Value {
    let (status, answer) = ask(server, "/graphql", &[], query);
    assert_eq!((status, &answer["errors"]), (200, &Value::Null), "{query}: {answer}");
    answer["data"].clone()
}

/// The code and the message of the first error.
fn refused(server: &Server, query: &str) -> (String, String) {
    let (_, answer) = ask(server, "/graphql", &[], query);
    let error = &answer["errors"][0];
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    (text(&error["extensions"]["code"]), text(&error["message"]))
}

fn ids(connection: &Value) -> Vec<&str> {
    let nodes = connection["nodes"].as_array().unwrap_or_else(|| panic!("{connection}"));
    nodes.iter().map(|node| node["id"].as_str().unwrap()).collect()
}

/// The ids that OGC API finds.
fn found(server: &Server, conditions: &str) -> Vec<String> {
    let page = server.get(&format!("/ogc/collections/buildings/items?limit=1000&{conditions}"));
    let features = page["features"].as_array().unwrap();
    features.iter().map(|feature| feature["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_layer_is_asked_for_by_id_conditions_and_order_as_a_type_is() {
    let folder = tempdir().unwrap();
    let server = server_in(folder.path());
    let one = "{ buildings(id: \"buildings.7\") { __typename id floors location } \
               node(id: \"buildings.7\") { __typename id ... on buildings { floors } } \
               missing: buildings(id: \"buildings.446\") { id } \
               other: node(id: \"nothing.1\") { id } }";
    let one = data(&server, one);
    let feature = server.get("/ogc/collections/buildings/items/buildings.7");
    let building = &one["buildings"];
    assert_eq!(building["__typename"], "buildings");
    assert_eq!(building["location"], feature["geometry"]);
    let floors = feature["properties"].get("floors").unwrap_or(&Value::Null);
    assert_eq!(building["floors"].as_f64(), floors.as_f64());
    assert_eq!(one["node"]["id"], "buildings.7");
    assert_eq!((&one["missing"], &one["other"]), (&Value::Null, &Value::Null));

    let count = data(&server, "{ buildingsList(first: 1) { totalCount nodes { id } } }");
    assert_eq!(count["buildingsList"]["totalCount"], 446);
    let bbox = "location: { bbox: [24.94, 60.168, 24.945, 60.172] }";
    let within = found(&server, "bbox=24.94,60.168,24.945,60.172");
    let high = found(&server, "bbox=24.94,60.168,24.945,60.172&filter=floors%3E5");
    assert!(high.len() > 1 && high.len() < within.len() && within.len() < 446);
    for (filter, expected) in [
        (bbox.to_owned(), &within),
        (format!("{bbox}, floors: {{ gt: 5 }}"), &high),
        (
            format!(
                "{bbox}, not: {{ or: [{{ floors: {{ le: 5 }} }}, {{ floors: {{ exists: false }} }}] }}"
            ),
            &high,
        ),
        ("name: { eq: \"Ateneum\" }".to_owned(), &found(&server, "filter=name%3D%27Ateneum%27")),
        (
            "id: { in: [\"buildings.9\", \"buildings.7\"] }".to_owned(),
            &vec!["buildings.7".into(), "buildings.9".into()],
        ),
        ("location: { near: { lon: 0, lat: 0, maxDistance: 10 } }".to_owned(), &Vec::new()),
    ] {
        let query = format!(
            "{{ buildingsList(first: 1000, filter: {{ {filter} }}) {{ totalCount nodes {{ id }} }} }}"
        );
        // The second time by what was learnt of it.
        for _ in 0..2 {
            let answer = data(&server, &query);
            assert_eq!(ids(&answer["buildingsList"]), *expected, "{filter}");
            assert_eq!(answer["buildingsList"]["totalCount"], expected.len());
        }
    }
    let by_floors = format!(
        "first: 1000, filter: {{ {bbox} }}, orderBy: [{{ field: floors, direction: DESC }}, {{ field: id }}]"
    );
    let sorted =
        data(&server, &format!("{{ buildingsList({by_floors}) {{ nodes {{ id floors }} }} }}"));
    let nodes = sorted["buildingsList"]["nodes"].as_array().unwrap();
    let floors: Vec<f64> =
        nodes.iter().map(|node| node["floors"].as_f64().unwrap_or(-1.0)).collect();
    assert_eq!(floors.len(), within.len());
    assert!(floors.is_sorted_by(|a, b| a >= b), "{floors:?}");
    server.stop();
}

#[test]
fn pages_of_a_layer_go_both_ways_by_cursors() {
    let folder = tempdir().unwrap();
    let server = server_in(folder.path());
    let all = found(&server, "");
    for (arguments, expected) in [
        ("", all.clone()),
        (", filter: { floors: { ge: 4 } }", found(&server, "filter=floors%3E%3D4")),
        (", orderBy: [{ field: floors }]", Vec::new()),
    ] {
        let page = |ask: &str| {
            let fields =
                "pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { id }";
            let answer =
                data(&server, &format!("{{ buildingsList({ask}{arguments}) {{ {fields} }} }}"));
            answer["buildingsList"].clone()
        };
        let (mut forward, mut ask) = (Vec::new(), "first: 100".to_owned());
        loop {
            let now = page(&ask);
            forward.extend(ids(&now).into_iter().map(str::to_owned));
            if now["pageInfo"]["hasNextPage"] == false {
                break;
            }
            assert_eq!(ids(&now).len(), 100);
            ask = format!("first: 100, after: {}", now["pageInfo"]["endCursor"]);
        }
        if expected.is_empty() {
            let mut each = forward.clone();
            each.sort_unstable();
            each.dedup();
            assert_eq!((forward.len(), each.len()), (446, 446));
        } else {
            assert_eq!(forward, expected, "{arguments}");
        }
        let (mut backward, mut ask) = (Vec::new(), "last: 100".to_owned());
        loop {
            let now = page(&ask);
            let mut part: Vec<String> = ids(&now).into_iter().map(str::to_owned).collect();
            part.extend(backward);
            backward = part;
            if now["pageInfo"]["hasPreviousPage"] == false {
                break;
            }
            ask = format!("last: 100, before: {}", now["pageInfo"]["startCursor"]);
        }
        assert_eq!(backward, forward, "{arguments}");
    }
    let (code, message) = refused(&server, "{ buildingsList(after: \"x\") { nodes { id } } }");
    assert_eq!(code, "BAD_CURSOR", "{message}");
    server.stop();
}

/// Points with columns whose names are those of others.
fn write_points(path: &Path, columns: &[&str], count: i32) {
    let schema = |name: &&str| FieldSchema { name: (*name).into(), kind: FieldKind::Int };
    let mut writer =
        FlatGeobufWriter::new("points", Some(4326), columns.iter().map(schema).collect());
    for at in 0..count {
        let place =
            geo_types::Point::new(f64::from(at % 1_000) / 10.0, f64::from(at / 1_000) / 10.0);
        let value = |(number, name): (i64, &&str)| {
            ((*name).into(), FieldValue::Int(number * 1_000_000 + i64::from(at)))
        };
        let fields = (0..).zip(columns).map(value).collect();
        let geometry = Some(RecordGeometry::flat(place));
        writer.write(&Record { geometry, fields, ..Record::default() }).unwrap();
    }
    let mut bytes = Vec::new();
    writer.finish(&mut bytes).unwrap();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_layer_is_only_read_and_takes_no_name_from_a_type() {
    let folder = tempdir().unwrap();
    let layers = folder.path().join("layers");
    write_points(&layers.join("Sample.fgb"), &["a", "id", "b c", "b_c", "geometry"], 3);
    write_points(&layers.join("2-nd.fgb"), &["a"], 1);
    write_moments(&layers.join("moments.fgb"), &["2020-01-02T10:00:00+03:00", "2020-01-03"]);
    let server = Server::start(folder.path());
    server.create("urn:x:1", "\"a\": 1");
    let schema = server.send("GET", "/graphql/schema.graphql", None).text();
    let of = |name: &str| {
        let begin =
            schema.find(&format!("type {name} implements")).unwrap_or_else(|| panic!("{schema}"));
        schema[begin..].split_once("\n}").unwrap().0.to_owned()
    };
    assert!(of("Sample").starts_with("type Sample implements Node & Entity"), "{schema}");
    let layer = of("Sample_");
    assert!(layer.starts_with("type Sample_ implements Node {"), "{layer}");
    assert!(layer.contains("location: Geometry") && layer.contains("a: Float"), "{layer}");
    assert!(schema.contains("Features of the layer Sample, which is a file. Its name is taken"));
    assert!(of("moments").contains("built: DateTime"));
    assert!(of("_2_nd").contains("a: Float"));
    for absent in ["moments", "Sample_", "_2_nd"] {
        for way in ["create", "merge", "replace"] {
            assert!(!schema.contains(&format!("{way}{absent}(")), "{way}{absent}");
        }
        for news in ["Changed", "Fence", "Aggregate"] {
            assert!(!schema.contains(&format!("{absent}{news}(")), "{absent}{news}");
        }
    }
    let both = data(&server, "{ sampleList { nodes { id a } } sampleList_ { nodes { id a } } }");
    assert_eq!(both["sampleList"]["nodes"], json!([{ "id": "urn:x:1", "a": 1 }]));
    assert_eq!(both["sampleList_"]["nodes"].as_array().unwrap().len(), 3);
    let entities = data(&server, "{ entities { totalCount } }");
    assert_eq!(entities["entities"]["totalCount"], 1, "features are no entities");
    let moments =
        "{ momentsList(filter: { built: { gt: \"2020-01-02T08:00:00Z\" } }) { nodes { built } } }";
    let moments = data(&server, moments);
    assert_eq!(moments["momentsList"]["nodes"], json!([{ "built": "2020-01-03T00:00:00Z" }]));

    let names = server.get("/names");
    let listed: Vec<&Value> =
        names["layers"].as_array().unwrap().iter().map(|l| &l["name"]).collect();
    assert_eq!(listed, ["2-nd", "Sample", "moments"]);
    let collisions = names["collisions"].as_array().unwrap();
    let hidden = json!({ "wanted": "Sample", "by": "urn:cardo:layer/Sample", "given": null });
    assert!(collisions.contains(&hidden), "{collisions:?}");
    let wanted: Vec<&Value> = collisions.iter().map(|one| &one["wanted"]).collect();
    assert!(wanted.contains(&&"id".into()) && wanted.contains(&&"geometry".into()), "{wanted:?}");
    // Both columns that look alike are there.
    let columns = names["layers"][1]["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 6, "{columns:?}");
    server.stop();
}

#[test]
fn what_would_have_too_much_of_a_file_read_is_refused_with_the_way_out() {
    let folder = tempdir().unwrap();
    write_points(&folder.path().join("layers/points.fgb"), &["number"], 50_100);
    let server = Server::start(folder.path());
    let count = data(&server, "{ pointsList(last: 1) { totalCount nodes { number } } }");
    assert_eq!(count["pointsList"]["totalCount"], 50_100, "without a condition the index knows");
    let few = "{ pointsList(first: 3, filter: { number: { lt: 5 } }) { nodes { number } } }";
    let found = data(&server, few)["pointsList"]["nodes"].clone();
    assert_eq!(found.as_array().map(Vec::len), Some(3), "what is found first needs no count");
    let (code, message) =
        refused(&server, "{ pointsList(filter: { number: { lt: 5 } }) { totalCount } }");
    assert_eq!(code, "TOO_COMPLEX");
    assert!(message.contains("50000") && message.contains("bbox"), "{message}");
    let one = "{ pointsList(filter: { id: { eq: \"points.7\" }, number: { lt: 100000 } }) { nodes { id } } }";
    assert_eq!(ids(&data(&server, one)["pointsList"]), ["points.7"], "an id leads to its feature");
    let small = "{ pointsList(filter: { number: { lt: 5 }, location: { bbox: [-1, -1, 1, 1] } }) { totalCount } }";
    assert_eq!(data(&server, small)["pointsList"]["totalCount"], 5);
    // Many such questions in one document are too many.
    let one = |at: i32| {
        format!(
            "q{at}: pointsList(first: 1, filter: {{ number: {{ lt: {at} }} }}) {{ nodes {{ id }} }}"
        )
    };
    let many: String = (0..25).map(one).collect::<Vec<_>>().join(" ");
    let (code, message) = refused(&server, &format!("{{ {many} }}"));
    assert_eq!(code, "TOO_COMPLEX");
    assert!(message.contains("costs"), "{message}");
    server.stop();
}

#[test]
fn the_schema_follows_the_files() {
    let folder = tempdir().unwrap();
    let layers = folder.path().join("layers");
    std::fs::create_dir_all(&layers).unwrap();
    let server = Server::start(folder.path());
    let query = "{ buildingsList(first: 1) { nodes { id } } }";
    assert_eq!(refused(&server, query).0, "GRAPHQL_VALIDATION_FAILED");
    let until = |status: u16, answers: &dyn Fn(&Value) -> bool| {
        let start = Instant::now();
        loop {
            let (got, answer) = ask(&server, "/graphql", &[], query);
            if got == status && answers(&answer) {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "{answer}");
            std::thread::yield_now();
        }
    };
    std::fs::copy(buildings(), layers.join("buildings.fgb")).unwrap();
    until(200, &|answer| answer["data"]["buildingsList"]["nodes"][0]["id"] == "buildings.0");
    // A question by GET has a tag, which does not outlive the file.
    let path = "/graphql?query=%7BbuildingsList%7BtotalCount%7D%7D";
    let tag = server.send("GET", path, None).header("etag").unwrap().to_owned();
    let again = server.connect().send("GET", path, &[("If-None-Match", &tag)], None).unwrap();
    assert_eq!(again.status, 304);
    write_points(&layers.join("other.fgb"), &["a"], 3);
    std::fs::rename(layers.join("other.fgb"), layers.join("buildings.fgb")).unwrap();
    let start = Instant::now();
    let answer = loop {
        let answer = server.connect().send("GET", path, &[("If-None-Match", &tag)], None).unwrap();
        if answer.status != 304 {
            break answer;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "it is still the old one");
        std::thread::yield_now();
    };
    assert_eq!(answer.json()["data"]["buildingsList"]["totalCount"], 3);
    std::fs::remove_file(layers.join("buildings.fgb")).unwrap();
    until(200, &|answer| answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED");
    server.stop();
}
