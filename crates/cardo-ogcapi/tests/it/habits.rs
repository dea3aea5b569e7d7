//! What clients and the executable suites of the OGC lean on, by the lines of the checklist.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{Method, StatusCode};
use serde_json::Value;

use crate::client::{Client, Reply, client, client_of_town, make};

const ORIGIN: &str = "http://city.example:8787";

/// All links anywhere in a document.
fn links<'d>(document: &'d Value, found: &mut Vec<&'d Value>) {
    match document {
        Value::Object(members) => {
            if let Some(Value::Array(own)) = members.get("links") {
                found.extend(own);
            }
            members.values().for_each(|member| links(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| links(item, found)),
        _ => {}
    }
}

async fn get(client: &Client, url: &str) -> Reply {
    let path = url.strip_prefix(ORIGIN).expect("an absolute link to this server");
    client.send(Method::GET, path, &[]).await
}

#[tokio::test]
async fn g2_g5_tl25_every_link_is_absolute_and_leads_to_what_it_says() {
    let client = client_of_town().await;
    let trees = (0..12).map(|n| make("Tree", &n.to_string()).value("n", "1").done());
    client.create(trees.collect()).await;
    let mut seen = BTreeMap::from([(format!("{ORIGIN}/ogc"), "application/json".to_owned())]);
    let mut waiting: Vec<String> = seen.keys().cloned().collect();
    let mut relations = BTreeSet::new();
    while let Some(url) = waiting.pop() {
        let reply = get(&client, &url).await.expect(200);
        let media_type = reply.header("content-type");
        let said = seen[&url].split(';').next().unwrap();
        assert!(media_type.starts_with(said), "{url}: {media_type} and not {said}");
        if !media_type.contains("json") {
            continue;
        }
        let document = reply.json();
        let mut found = Vec::new();
        links(&document, &mut found);
        for link in found {
            let [href, rel, media_type] =
                ["href", "rel", "type"].map(|member| link[member].as_str().unwrap().to_owned());
            relations.insert(rel.clone());
            let is_elsewhere = rel == "profile" || link["templated"] == true;
            if !is_elsewhere && seen.insert(href.clone(), media_type).is_none() {
                waiting.push(href);
            }
        }
    }
    for rel in ["self", "alternate", "items", "next", "collection", "conformance", "data"] {
        assert!(relations.contains(rel), "{rel}: {relations:?}");
    }
    assert!(seen.len() > 80, "{} resources", seen.len());
}

/// Documents that have no room for links.
#[tokio::test]
async fn g5_g11_documents_without_room_for_links_have_them_as_headers() {
    let client = client_of_town().await;
    for path in [
        "/api",
        "/collections/Sensor/schema",
        "/collections/Sensor/queryables",
        "/collections/Sensor/sortables",
        "/styles/default",
        "/collections/Sensor/styles/default",
        "/collections/Sensor/items?f=csv",
        "/collections/Sensor/tiles/WebMercatorQuad/0/0/0",
        "/tiles/WebMercatorQuad/0/0/0",
    ] {
        let reply = client.get(path).await.expect(200);
        let headers = reply.headers.get_all("link").iter();
        let headers: Vec<&str> = headers.map(|value| value.to_str().unwrap()).collect();
        let own = format!("<{ORIGIN}/ogc{path}>; rel=\"self\"; type=\"");
        assert!(headers.iter().any(|header| header.starts_with(&own)), "{path}: {headers:?}");
        let others = headers.iter().filter(|header| header.contains("rel=\"alternate\""));
        let has_other = others.clone().any(|header| header.contains("f=html"));
        assert!(has_other || path.contains("/tiles/"), "{path}: {headers:?}");
        for other in others {
            let url = other.trim_start_matches('<').split('>').next().unwrap();
            get(&client, url).await.expect(200);
        }
    }
}

#[tokio::test]
async fn g3_every_resource_is_there_with_a_slash_at_its_end_too() {
    let client = client_of_town().await;
    for path in [
        "",
        "/api",
        "/conformance",
        "/functions",
        "/collections",
        "/collections/Sensor",
        "/collections/Sensor/queryables",
        "/collections/Sensor/items",
        "/collections/Sensor/items/urn:ngsi-ld:Sensor:a",
        "/collections/Sensor/tiles",
        "/tiles/WebMercatorQuad",
        "/tiles/WebMercatorQuad/0/0/0",
        "/tileMatrixSets",
        "/styles",
    ] {
        let (plain, slashed) = (client.get(path).await, client.get(&format!("{path}/")).await);
        assert_eq!((plain.status, slashed.status), (StatusCode::OK, StatusCode::OK), "{path}");
        assert_eq!(plain.header("content-type"), slashed.header("content-type"));
    }
}

#[tokio::test]
async fn g3_a_root_with_a_slash_at_its_end_may_be_glued_to_any_path() {
    let client = client_of_town().await;
    for path in ["/collections", "/collections/Sensor/items?limit=1", "/tiles/WebMercatorQuad"] {
        let (plain, glued) = (client.json(path).await, client.json(&format!("/{path}")).await);
        assert_eq!(glued["links"], plain["links"], "{path}");
    }
    client.get("//nowhere").await.expect(404);
    client.get("//collections/Sensor//items").await.expect(404);
    let patch = client.send(Method::PATCH, "/ogc//collections", &[]).await;
    assert_eq!(patch.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn g12_values_are_read_alike_in_percent_encoding_and_with_plus_for_a_space() {
    let client = client_of_town().await;
    let mercator = "http://www.opengis.net/def/crs/EPSG/0/3857";
    let encoded = "http%3A%2F%2Fwww.opengis.net%2Fdef%2Fcrs%2FEPSG%2F0%2F3857";
    let items = "/collections/Sensor/items?limit=1&crs=";
    let features = async |crs: &str| client.json(&format!("{items}{crs}")).await["features"].take();
    assert_eq!(features(mercator).await, features(encoded).await);
    for filter in ["name='sensor+c'", "name%3D%27sensor%20c%27", "name+=+'sensor%20c'"] {
        assert_eq!(client.ids("Sensor", &format!("?filter={filter}")).await.0, ["c"], "{filter}");
    }
    for bbox in ["24.9,60.1,24.96,60.16", "24.9%2C60.1%2C24.96%2C60.16", "24.9,+60.1,+24.96,+60.16"]
    {
        let (ids, _) = client.ids("Sensor", &format!("?bbox={bbox}")).await;
        assert_eq!(ids, ["a", "b", "f"], "{bbox}");
    }
}

#[tokio::test]
async fn f29_numbers_of_a_box_may_be_written_in_many_ways() {
    let client = client().await;
    let at = |name: &str, lon: f64, lat: f64| make("Sensor", name).at(lon, lat).done();
    client.create(vec![at("in", 0.0, 5.5), at("out", 2.0, 5.5)]).await;
    for bbox in [
        "-.5000000,5.0000000,.5,6",
        "-0.5,5.,+0.5,6.",
        "-5e-1,5E0,5.0e-1,0.6e%2B1",
        "-00.5,05,0.50,6.000",
        "%20-.5%20,%205,0.5,6%20",
    ] {
        let bbox = bbox.replace('+', "%2B");
        let (ids, _) = client.ids("Sensor", &format!("?bbox={bbox}")).await;
        assert_eq!(ids, ["in"], "{bbox}");
    }
}

#[tokio::test]
async fn f36_coordinates_are_longitude_and_latitude_in_crs84_unless_another_system_is_asked_for() {
    let client = client_of_town().await;
    let plain = client.json("/collections/Sensor/items").await;
    let place = |page: &Value, at: usize| page["features"][at]["geometry"]["coordinates"].clone();
    assert_eq!(place(&plain, 0), serde_json::json!([24.9, 60.1]));
    for feature in plain["features"].as_array().unwrap() {
        let Some(position) = feature["geometry"]["coordinates"].as_array() else { continue };
        let [lon, lat] = [0, 1].map(|at| position[at].as_f64().unwrap());
        assert!((-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat));
    }
    let system = "crs=http://www.opengis.net/def/crs/EPSG/0/4326";
    let other = client.json(&format!("/collections/Sensor/items?{system}")).await;
    assert_eq!(place(&other, 0), serde_json::json!([60.1, 24.9]));
}

#[tokio::test]
async fn f24_a_stale_or_made_up_link_to_a_page_is_no_failure() {
    let client = client_of_town().await;
    let page = client.json("/collections/Sensor/items?limit=1&active=true").await;
    let items = "/collections/Sensor/items?limit=1&cursor=";
    assert!(page["links"].as_array().unwrap().iter().all(|link| link["rel"] != "next"));
    let page = client.json("/collections/Sensor/items?limit=1&temperature=21.5").await;
    let next = page["links"].as_array().unwrap().iter().find(|link| link["rel"] == "next").unwrap();
    let next = next["href"].as_str().unwrap();
    assert!(next.contains("temperature=21.5") && next.contains("limit=1"), "{next}");
    // A client may add what is there already.
    let again = client.follow(&format!("{next}&limit=1")).await;
    assert_eq!(again["features"][0]["id"], "urn:ngsi-ld:Sensor:c");
    let cursor = next.split("cursor=").nth(1).unwrap().split('&').next().unwrap();
    for path in [
        format!("{items}{cursor}"),
        format!("{items}{cursor}x&temperature=21.5"),
        format!("{items}nonsense"),
        format!("{items}{}", "9".repeat(2_000)),
    ] {
        let reply = client.get(&path).await.expect(400);
        assert_eq!(reply.header("content-type"), "application/problem+json");
    }
}

#[tokio::test]
async fn q6_f9_every_queryable_with_plain_values_is_a_parameter_here_and_in_the_definition() {
    let client = client_of_town().await;
    let document = client.json("/api").await;
    for collection in ["Sensor", "Building"] {
        let queryables = client.json(&format!("/collections/{collection}/queryables")).await;
        let items = &document["paths"][format!("/collections/{collection}/items")]["get"];
        let named: Vec<&str> = items["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let mut tried = 0;
        for (name, schema) in queryables["properties"].as_object().unwrap() {
            let value = match (schema["type"].as_str(), schema["format"].as_str()) {
                (Some("number"), _) => "1",
                (Some("boolean"), _) => "true",
                (Some("string"), Some("date-time")) => "2026-11-01T00:00:00Z",
                (Some("string"), Some("date")) => "2026-11-01",
                (Some("string"), _) => "urn:x:1",
                _ => continue,
            };
            client.json(&format!("/collections/{collection}/items?{name}={value}")).await;
            let is_member = ["createdAt", "modifiedAt", "expiresAt"].contains(&name.as_str());
            assert!(is_member || named.contains(&name.as_str()), "{collection}: {name}");
            tried += 1;
        }
        assert!(tried > 3, "{tried} queryables");
    }
}
