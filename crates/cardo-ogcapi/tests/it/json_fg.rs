//! JSON-FG (OGC 21-045r1).

use axum::http::Method;
use serde_json::{Value, json};

use crate::client::client_of_town;

const CORE: &str = "http://www.opengis.net/spec/json-fg-1/1.0/conf/core";
const TYPES: &str = "http://www.opengis.net/spec/json-fg-1/1.0/conf/types-schemas";
const SENSORS: &str = "/collections/Sensor/items";
const SENSOR: &str = "/collections/Sensor/items/urn:ngsi-ld:Sensor:a";

fn profile(name: &str) -> String {
    format!("<http://www.opengis.net/def/profile/OGC/0/{name}>; rel=\"profile\"")
}

/// `/req/core/metadata`, `/req/types-schemas/metadata`, `/req/types-schemas/feature-type`,
/// `/req/types-schemas/single-feature-schema`.
#[tokio::test]
async fn the_root_says_what_it_conforms_to_and_of_which_type_features_are() {
    let client = client_of_town().await;
    for path in [SENSORS, SENSOR] {
        let root = client.json(&format!("{path}?f=jsonfg")).await;
        assert_eq!(root["conformsTo"], json!([CORE, TYPES]));
        assert_eq!(root["featureType"], "Sensor");
        let schema = root["featureSchema"].as_str().unwrap();
        assert_eq!(schema, "http://city.example:8787/ogc/collections/Sensor/schema");
        client.follow(schema).await;
        assert_eq!(root.get("coordRefSys"), None);
    }
    let page = client.json(&format!("{SENSORS}?f=jsonfg")).await;
    for feature in page["features"].as_array().unwrap() {
        for member in ["conformsTo", "coordRefSys", "featureType", "featureSchema"] {
            assert_eq!(feature.get(member), None, "only the root has {member}");
        }
    }
}

/// `/req/core/instant`, `/req/core/utc`, `/req/core/place-geometries`, `/req/core/schema-valid`.
#[tokio::test]
async fn the_time_is_that_of_the_latest_observation_and_wgs84_needs_no_place() {
    let client = client_of_town().await;
    let page = client.json(&format!("{SENSORS}?f=jsonfg")).await;
    let features = page["features"].as_array().unwrap();
    assert_eq!(features[1]["time"], json!({ "timestamp": "2026-11-02T10:00:00Z" }));
    assert_eq!(features[5]["time"], Value::Null);
    for feature in features {
        let members = feature.as_object().unwrap();
        for member in ["type", "id", "time", "place", "geometry", "properties"] {
            assert!(members.contains_key(member), "{member}");
        }
        assert_eq!(feature["place"], Value::Null);
    }
    let plain = client.json(SENSORS).await;
    let without = |feature: &Value| {
        let mut feature = feature.clone();
        let members = feature.as_object_mut().unwrap();
        members.remove("time");
        members.remove("place");
        feature
    };
    let bare: Vec<Value> = features.iter().map(without).collect();
    assert_eq!(plain["features"], json!(bare));
}

/// `/req/api/profile-parameter`, `/rec/api/profile-default`, `/req/profiles/rfc7946`,
/// `/req/profiles/jsonfg`, `/req/profiles/jsonfg-plus`.
#[tokio::test]
async fn the_profile_is_chosen_by_a_parameter_and_named_by_a_link() {
    let client = client_of_town().await;
    for path in [SENSORS, SENSOR] {
        for (query, name) in [
            ("", "rfc7946"),
            ("?profile=rfc7946", "rfc7946"),
            ("?profile=jsonfg", "jsonfg"),
            ("?f=jsonfg", "jsonfg"),
            ("?f=json&profile=jsonfg", "jsonfg"),
            ("?profile=jsonfg-plus", "jsonfg-plus"),
            ("?f=jsonfg&profile=jsonfg-plus", "jsonfg-plus"),
        ] {
            let reply = client.get(&format!("{path}{query}")).await.expect(200);
            assert_eq!(reply.header("content-type"), "application/geo+json");
            assert_eq!(reply.header("link"), profile(name), "{query}");
            let is_fg = name != "rfc7946";
            assert_eq!(reply.json().get("conformsTo").is_some(), is_fg, "{query}");
            let head = client.send(Method::HEAD, &format!("/ogc{path}{query}"), &[]).await;
            assert_eq!(head.expect(200).header("link"), profile(name));
        }
    }
    for unknown in ["gml", "valid-domain", "https://gml.example/profile"] {
        let reply = client.get(&format!("{SENSORS}?profile={unknown}")).await.expect(200);
        assert_eq!(reply.header("link"), profile("rfc7946"), "{unknown}");
    }
    for wrong in ["", "json fg".replace(' ', "%20").as_str(), "https://", "jsonfg;"] {
        let refused = client.get(&format!("{SENSORS}?profile={wrong}")).await.expect(400);
        assert!(refused.text.contains("rfc7946, jsonfg, jsonfg-plus"));
    }
}

#[tokio::test]
async fn pages_lead_to_pages_of_the_same_profile() {
    let client = client_of_town().await;
    let page = client.json(&format!("{SENSORS}?limit=2&profile=jsonfg")).await;
    let links = page["links"].as_array().unwrap();
    let next = links.iter().find(|link| link["rel"] == "next").unwrap();
    let next = client.follow(next["href"].as_str().unwrap()).await;
    assert_eq!(next["conformsTo"], json!([CORE, TYPES]));
    assert_eq!(next["features"][0]["id"], "urn:ngsi-ld:Sensor:c");
}

/// `/req/core/same-crs`, `/req/core/geometry-wgs84`, `/req/core/fallback`, `/req/core/axis-order`.
#[tokio::test]
async fn what_is_in_another_system_is_a_place_and_with_plus_a_geometry_too() {
    const LAT_LON: &str = "http://www.opengis.net/def/crs/EPSG/0/4326";
    let client = client_of_town().await;
    for (profile, geometry) in [
        ("jsonfg", Value::Null),
        ("jsonfg-plus", json!({ "type": "Point", "coordinates": [24.9, 60.1] })),
    ] {
        for path in [SENSORS, SENSOR] {
            let root = client.json(&format!("{path}?crs={LAT_LON}&profile={profile}")).await;
            assert_eq!(root["coordRefSys"], LAT_LON);
            let feature = if path == SENSORS { &root["features"][0] } else { &root };
            let place = json!({ "type": "Point", "coordinates": [60.1, 24.9] });
            assert_eq!(feature["place"], place);
            assert_eq!(feature["geometry"], geometry);
        }
    }
    let plain = client.json(&format!("{SENSOR}?crs={LAT_LON}")).await;
    assert_eq!(plain["geometry"]["coordinates"], json!([60.1, 24.9]));
    assert_eq!(plain.get("place"), None);
}
