//! Collections, their extents and schemas (OGC 17-069r4, clauses 7.13 and 7.14).

use cardo_engine::{Caller, Operation};
use serde_json::{Value, json};

use crate::client::{client, client_of_town, id, make};

#[tokio::test]
async fn f11_to_f17_every_type_is_a_collection_and_says_the_same_in_both_places() {
    let client = client_of_town().await;
    let all = client.json("/collections").await;
    let expected: Value = serde_json::from_str(include_str!("golden/collections.json")).unwrap();
    assert_eq!(all, expected, "{all:#}");
    for entry in all["collections"].as_array().unwrap() {
        let own = client.json(&format!("/collections/{}", entry["id"].as_str().unwrap())).await;
        for member in ["id", "title", "description", "extent", "itemType", "storageCrs"] {
            assert_eq!(own[member], entry[member]);
        }
        let items = own["links"].as_array().unwrap().iter().filter(|link| link["rel"] == "items");
        let types: Vec<_> = items.map(|link| link["type"].as_str().unwrap()).collect();
        assert_eq!(types[..2], ["application/geo+json", "text/html"]);
    }
}

#[tokio::test]
async fn f14_f15_extents_follow_the_data() {
    let client = client().await;
    let extent = async || client.json("/collections/Sensor").await["extent"].clone();
    let at = |name: &str, lon, lat, day: &str| {
        let time = format!("2026-11-{day}T00:00:00Z");
        make("Sensor", name).observed("level", "1", &time).at(lon, lat).done()
    };
    client.create(vec![at("1", 24.0, 60.0, "02"), at("2", 25.0, 61.0, "03")]).await;
    assert_eq!(extent().await["spatial"]["bbox"], json!([[24.0, 60.0, 25.0, 61.0]]));
    client.create(vec![at("3", 10.0, -5.0, "09")]).await;
    let wider = extent().await;
    assert_eq!(wider["spatial"]["bbox"], json!([[10.0, -5.0, 25.0, 61.0]]));
    let interval = json!([["2026-11-02T00:00:00Z", "2026-11-09T00:00:00Z"]]);
    assert_eq!(wider["temporal"]["interval"], interval);
    client.apply(&Caller::local("test"), vec![Operation::Delete(id("Sensor:3"))]).await;
    let narrower = extent().await;
    assert_eq!(narrower["spatial"]["bbox"], json!([[24.0, 60.0, 25.0, 61.0]]));
    let interval = json!([["2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z"]]);
    assert_eq!(narrower["temporal"]["interval"], interval);
}

#[tokio::test]
async fn a_collection_without_places_and_times_has_no_extent() {
    let client = client().await;
    client.create(vec![make("Idea", "1").value("text", "\"x\"").done()]).await;
    assert_eq!(client.json("/collections/Idea").await["extent"], Value::Null);
    assert_eq!(client.ids("Idea", "?bbox=0,0,1,1&datetime=2026-01-01").await.0, ["1"]);
}

#[tokio::test]
async fn q1_q2_q3_queryables_and_schema_describe_the_columns() {
    let client = client_of_town().await;
    let reply = client.get("/collections/Building/queryables").await.expect(200);
    assert_eq!(reply.header("content-type"), "application/schema+json");
    let queryables = reply.json();
    let url = "http://city.example:8787/ogc/collections/Building/queryables";
    assert_eq!(queryables["$id"], url);
    assert_eq!(queryables["additionalProperties"], false);
    let names: Vec<&String> = queryables["properties"].as_object().unwrap().keys().collect();
    let own = ["createdAt", "modifiedAt", "expiresAt", "scope"];
    let columns = ["id", "address", "floors", "location", "geometry"];
    assert_eq!(names, [&columns[..], &own].concat());
    let schema = client.json("/collections/Building/schema").await;
    let expected: Value = serde_json::from_str(include_str!("golden/schema.json")).unwrap();
    assert_eq!(schema, expected, "{schema:#}");
}

#[tokio::test]
async fn an_empty_twin_has_no_collections() {
    let client = client().await;
    assert_eq!(client.json("/collections").await["collections"], json!([]));
    client.get("/collections/Sensor").await.expect(404);
}
