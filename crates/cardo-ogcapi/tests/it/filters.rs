//! Queryables and filters (OGC 19-079r2) in CQL2 (OGC 21-065r2).

use std::fmt::Write;
use std::path::PathBuf;

use cardo_model::{Entity, Instance, JsonText, Value as AnyValue};
use cardo_query::all_functions;
use cardo_query::cql2::{parse_text, write_json};
use serde_json::{Value, json};

use crate::client::{Client, Make, client, client_of_town, make};
use crate::tile_reader::read;

fn fixture(name: &str) -> String {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/cql2"));
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// A value whose datatype is said, where it is a date or a moment.
fn typed(maker: Make, name: &str, value: &Value) -> Make {
    let mut instance =
        Instance::new(AnyValue::property(JsonText::parse(&value.to_string()).unwrap(), false));
    instance.value_type = match name {
        "date" => Some("Date".into()),
        "start" | "end" => Some("DateTime".into()),
        _ => None,
    };
    maker.instance(name, instance)
}

fn layer(name: &str) -> Vec<Entity> {
    let collection: Value = serde_json::from_str(&fixture(&format!("{name}.geojson"))).unwrap();
    let features = collection["features"].as_array().unwrap().iter().enumerate();
    let entities = features.map(|(nth, feature)| {
        let maker = make(name, &nth.to_string()).geometry("geom", &feature["geometry"].to_string());
        let members = feature["properties"].as_object().unwrap().iter();
        members.fold(maker, |maker, (name, value)| typed(maker, name, value)).done()
    });
    entities.collect()
}

async fn client_of_sample() -> Client {
    let client = client().await;
    for name in ["countries", "places", "rivers"] {
        client.create(layer(name)).await;
    }
    client
}

async fn count(client: &Client, collection: &str, parameters: &str) -> u64 {
    let path = format!("/collections/{collection}/items?limit=1&{parameters}");
    client.json(&path).await["numberMatched"].as_u64().unwrap()
}

/// Three numbers of the tables are not those of the sample, see `cardo-query/cql2::sample`.
const WRONG: [(&str, u64); 3] = [
    ("ACCENTI(name) LIKE accenti('Ch%')", 3),
    ("ACCENTI(CASEI(name)) LIKE accenti(casei('Chiș%'))", 1),
    ("ACCENTI(CASEI(name)) LIKE accenti(casei('cHis%'))", 1),
];

#[tokio::test]
async fn t_6_to_t_23_every_predicate_of_the_abstract_tests_matches_as_many_in_text_and_in_json() {
    let client = client_of_sample().await;
    let predicates = fixture("predicates.tsv");
    let mut wrong = Vec::new();
    for line in predicates.lines() {
        let [class, collection, expected, text] =
            line.splitn(4, '\t').collect::<Vec<_>>().try_into().unwrap();
        let expected = WRONG
            .iter()
            .find(|(wrong, _)| *wrong == text)
            .map_or_else(|| expected.parse::<u64>().unwrap(), |(_, right)| *right);
        let json = write_json(&parse_text(text).unwrap()).to_string();
        let of_text = count(&client, collection, &format!("filter={}", encoded(text))).await;
        let parameters = format!("filter-lang=cql2-json&filter={}", encoded(&json));
        let of_json = count(&client, collection, &parameters).await;
        if (of_text, of_json) != (expected, expected) {
            wrong.push(format!("{class}: {text}: {of_text}, {of_json} and not {expected}"));
        }
    }
    assert_eq!(predicates.lines().count(), 274);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn t_the_sample_has_the_types_of_its_schemas() {
    let client = client_of_sample().await;
    let places = client.json("/collections/places/queryables").await["properties"].clone();
    let kind = |name: &str| (places[name]["type"].clone(), places[name]["format"].clone());
    assert_eq!(kind("name"), (json!("string"), Value::Null));
    assert_eq!(kind("pop_other"), (json!("number"), Value::Null));
    assert_eq!(kind("boolean"), (json!("boolean"), Value::Null));
    assert_eq!(kind("date"), (json!("string"), json!("date")));
    assert_eq!(kind("start"), (json!("string"), json!("date-time")));
    assert_eq!(kind("geom"), (Value::Null, json!("geometry-any")));
}

#[tokio::test]
async fn q1_to_q4_every_queryable_has_a_type_and_can_be_asked_for() {
    let client = client_of_town().await;
    client
        .create(vec![
            make("Kit", "1")
                .value("tags", "[\"a\",\"b\"]")
                .value("mixed", "1")
                .value("day", "{\"@type\":\"Date\",\"@value\":\"2026-01-31\"}")
                .at(1.0, 2.0)
                .done(),
            make("Kit", "2").value("mixed", "\"x\"").done(),
        ])
        .await;
    for collection in ["Sensor", "Building", "Kit"] {
        let queryables = client.json(&format!("/collections/{collection}/queryables")).await;
        assert_eq!(queryables["additionalProperties"], false);
        for (name, schema) in queryables["properties"].as_object().unwrap() {
            let is_spatial = schema["format"] == "geometry-any";
            assert_ne!(schema["type"].is_null(), !is_spatial, "{name}: {schema}");
            let filter = encoded(&format!("\"{name}\" IS NULL OR {name} IS NOT NULL"));
            let all = count(&client, collection, "").await;
            assert_eq!(count(&client, collection, &format!("filter={filter}")).await, all);
        }
    }
    let of =
        async |filter: &str| client.ids("Kit", &format!("?filter={}", encoded(filter))).await.0;
    assert_eq!(of("A_CONTAINS(tags, ('a'))").await, ["1"]);
    assert_eq!(of("A_OVERLAPS(tags, ('x', 'y'))").await, Vec::<String>::new());
    assert_eq!(of("mixed = 1").await, ["1"]);
    assert_eq!(of("mixed = 'x'").await, ["2"]);
    assert_eq!(of("day = DATE('2026-01-31')").await, ["1"]);
    assert_eq!(of("A_CONTAINS(scope, ('/City')) OR scope IS NULL").await, ["1", "2"]);
    assert_eq!(of("createdAt > TIMESTAMP('2020-01-01T00:00:00Z')").await, ["1", "2"]);
}

#[tokio::test]
async fn q7_only_what_the_filter_is_true_of_is_on_all_pages() {
    let client = client_of_town().await;
    let filter = encoded("temperature > 20 OR temperature < 0");
    let query = format!("?limit=2&filter={filter}");
    let (ids, matched) = client.ids("Sensor", &query).await;
    assert_eq!((ids, matched), (vec!["a".to_owned(), "b".to_owned()], 5));
    let mut page = client.json(&format!("/collections/Sensor/items{query}")).await;
    let mut seen = 0;
    loop {
        seen += page["features"].as_array().unwrap().len();
        let links = page["links"].as_array().unwrap().clone();
        let Some(next) = links.iter().find(|link| link["rel"] == "next") else { break };
        page = client.follow(next["href"].as_str().unwrap()).await;
        assert_eq!(page["numberMatched"], 5);
    }
    assert_eq!(seen, 5);
    // With the other parameters it is one condition.
    let both = format!("?bbox=24,60,25,61&active=true&filter={filter}");
    assert_eq!(client.ids("Sensor", &both).await.0, ["a"]);
    // What is unknown is not true, whichever way it is asked.
    for filter in ["temperature > -100", "NOT (temperature > -100)"] {
        let (ids, _) = client.ids("Sensor", &format!("?filter={}", encoded(filter))).await;
        assert!(!ids.contains(&"f".to_owned()), "{filter}: {ids:?}");
    }
}

#[tokio::test]
async fn q8_q9_q11_languages_and_reference_systems_are_named() {
    let client = client_of_town().await;
    let text = encoded("temperature = 28");
    let json = encoded(r#"{"op":"=","args":[{"property":"temperature"},28]}"#);
    for query in [
        format!("?filter={text}"),
        format!("?filter={text}&filter-lang=cql2-text"),
        format!("?filter={json}&filter-lang=cql2-json"),
        format!("?filter={text}&filter-crs=http://www.opengis.net/def/crs/OGC/1.3/CRS84"),
        format!(
            "?filter={text}&filter-crs=http%3A%2F%2Fwww.opengis.net%2Fdef%2Fcrs%2FOGC%2F0%2FCRS84h"
        ),
    ] {
        assert_eq!(client.ids("Sensor", &query).await.0, ["d"], "{query}");
    }
    for query in
        ["?filter-lang=cql2-json", "?filter-crs=http://www.opengis.net/def/crs/OGC/1.3/CRS84"]
    {
        assert_eq!(client.ids("Sensor", query).await.1, 6, "{query}");
    }
    for (query, says) in [
        (format!("?filter={text}&filter-lang=cql-text"), "filter-lang=\"cql-text\" is none of"),
        (format!("?filter={text}&filter-lang="), "filter-lang=\"\" is none of"),
        (format!("?filter={text}&filter-crs=EPSG:4326"), "filter-crs=\"EPSG:4326\" is none of"),
        (format!("?filter={json}"), "filter: at character 1: expected"),
        (format!("?filter={text}&filter-lang=cql2-json"), "filter: it is no JSON"),
    ] {
        refused(&client, &format!("/collections/Sensor/items{query}"), says).await;
    }
}

async fn refused(client: &Client, path: &str, says: &str) {
    let reply = client.get(path).await.expect(400);
    assert_eq!(reply.header("content-type"), "application/problem+json", "{path}");
    let detail = reply.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains(says), "{path}: {detail}");
}

#[tokio::test]
async fn q5_q7_q10_a_filter_that_cannot_be_is_refused_with_its_place() {
    let client = client_of_town().await;
    for (filter, says) in [
        ("", "filter: at character 1: expected a value or a condition, found the end"),
        ("temperature >", "filter: at character 14: expected"),
        ("nope = 1", "filter: at character 1: \"nope\" is no property here; there are id, active"),
        ("type = 'Sensor'", "\"type\" is no property here"),
        ("temperature = 'x'", "they cannot be compared"),
        ("avg(temperature) > 1", "\"avg\" is no function here"),
        ("S_INTERSECTS(geometry, POINT(90 180))", "at character 24: coordinates: latitude 180"),
        ("S_INTERSECTS(name, POINT(1 2))", "a geometry is expected"),
    ] {
        let path = format!("/collections/Sensor/items?filter={}", encoded(filter));
        refused(&client, &path, says).await;
    }
    let many = vec!["TRUE"; 5_000].join("+OR+");
    refused(&client, &format!("/collections/Sensor/items?filter={many}"), "more than the").await;
    let path = format!("/collections/Sensor/items?filter={}", encoded(&"(".repeat(3_000)));
    refused(&client, &path, "nested deeper").await;
}

#[tokio::test]
async fn q13_the_functions_are_listed_with_what_they_take_and_give() {
    let client = client_of_town().await;
    let listed = client.json("/functions").await["functions"].clone();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), all_functions().len());
    let known = ["string", "number", "integer", "datetime", "geometry", "boolean"];
    for function in listed {
        assert!(function["name"].is_string() && function["description"].is_string());
        let arguments = function["arguments"].as_array().unwrap().iter();
        for kinds in arguments.map(|argument| &argument["type"]).chain([&function["returns"]]) {
            let kinds = kinds.as_array().unwrap();
            assert!(kinds.iter().all(|kind| known.contains(&kind.as_str().unwrap())), "{function}");
        }
    }
    let near = encoded("distance(geometry, POINT(24.9 60.1)) <= 10000 AND length(name) = 8");
    assert_eq!(client.ids("Sensor", &format!("?filter={near}")).await.0, ["a", "b"]);
    let page = client.page("/functions").await;
    assert!(page.contains("distance(geometry, other)"), "{page}");
}

#[tokio::test]
async fn q7_tiles_and_figures_of_areas_take_filters_too() {
    let client = client_of_town().await;
    let tile = async |filter: &str| {
        let path = format!("/collections/Sensor/tiles/WebMercatorQuad/0/0/0?filter={filter}");
        client.get(&path).await
    };
    let warm = tile(&encoded("temperature > 25")).await.expect(200);
    let all = tile(&encoded("TRUE")).await.expect(200);
    assert_ne!(warm.header("etag"), all.header("etag"));
    let shown = |bytes: &[u8]| read(bytes).iter().map(|layer| layer.features.len()).sum::<usize>();
    assert_eq!((shown(&warm.bytes), shown(&all.bytes)), (2, 5));
    let path = "/collections/Sensor/tiles/WebMercatorQuad/0/0/0?filter=nope%3D1";
    refused(&client, path, "\"nope\" is no property here").await;
    let tileset = format!("/collections/Sensor/tiles/WebMercatorQuad?filter={}", encoded("TRUE"));
    let templates = client.json(&tileset).await["links"].to_string();
    assert!(templates.contains("{tileCol}?filter=TRUE"), "{templates}");

    let square = r#"{"type":"Polygon","coordinates":[[[24,60],[26,60],[26,61],[24,61],[24,60]]]}"#;
    client.create(vec![make("District", "1").geometry("location", square).done()]).await;
    let path = "/aggregates?areas=District&collections=Sensor&properties=temperature&f=csv";
    let figures = |text: &str| text.lines().nth(1).unwrap().split(',').nth(1).unwrap().to_owned();
    let all = client.get(path).await.expect(200);
    let warm =
        client.get(&format!("{path}&filter={}", encoded("temperature > 0"))).await.expect(200);
    assert_eq!((figures(&all.text), figures(&warm.text)), ("3".to_owned(), "2".to_owned()));
}
