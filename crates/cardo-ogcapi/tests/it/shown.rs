//! What of features is shown: `properties` and `skipGeometry`.

use serde_json::{Value, json};

use crate::client::{Client, client, client_of_town, make};

const A: &str = "/collections/Sensor/items/urn:ngsi-ld:Sensor:a";

async fn first(client: &Client, query: &str) -> Value {
    client.json(&format!("/collections/Sensor/items?limit=1&{query}")).await["features"][0].clone()
}

#[tokio::test]
async fn p5_3_only_the_chosen_properties_are_shown_and_id_and_geometry_stay() {
    let client = client_of_town().await;
    let shown = json!({ "name": "sensor a", "active": true });
    for query in ["properties=name,active", "properties=active%2Cid,geometry,name,"] {
        for feature in [first(&client, query).await, client.json(&format!("{A}?{query}")).await] {
            assert_eq!(feature["properties"], shown, "{query}");
            assert_eq!(feature["id"], "urn:ngsi-ld:Sensor:a");
            assert_eq!(feature["geometry"]["coordinates"], json!([24.9, 60.1]));
        }
    }
    assert_eq!(first(&client, "properties=").await["properties"], json!({}));
    // What is not shown can be asked for all the same.
    let asked = first(&client, "properties=name&temperature=28").await;
    assert_eq!(asked["properties"], json!({ "name": "sensor d" }));
}

#[tokio::test]
async fn p5_3_without_geometries_a_feature_has_none() {
    let client = client_of_town().await;
    let whole = client.json(A).await;
    for feature in [
        first(&client, "skipGeometry=true").await,
        client.json(&format!("{A}?skipGeometry=true")).await,
    ] {
        assert_eq!(feature["geometry"], Value::Null);
        assert_eq!(feature["properties"], whole["properties"]);
    }
    assert_eq!(
        client.json(&format!("{A}?skipGeometry=false")).await["geometry"],
        whole["geometry"]
    );
    // An area is asked of the geometries that there are.
    let query = "?skipGeometry=true&bbox=24.9,60.1,24.96,60.16";
    assert_eq!(client.ids("Sensor", query).await.0, ["a", "b", "f"]);
}

#[tokio::test]
async fn p5_3_a_further_geometry_is_a_property_that_is_left_out_unless_it_is_named() {
    let client = client().await;
    let point = r#"{"type":"Point","coordinates":[1,2]}"#;
    let camera = make("Camera", "1").value("n", "1").geometry("observationSpace", point);
    client.create(vec![camera.at(1.0, 2.0).done()]).await;
    let properties = async |query: &str| {
        let feature = client.json(&format!("/collections/Camera/items?{query}")).await;
        let feature = feature["features"][0].clone();
        let names: Vec<_> = feature["properties"].as_object().unwrap().keys().cloned().collect();
        (names, feature["geometry"].is_null())
    };
    assert_eq!(properties("").await, (vec!["n".into(), "observationSpace".into()], false));
    assert_eq!(properties("skipGeometry=true").await, (vec!["n".into()], true));
    let named = "skipGeometry=true&properties=observationSpace,location";
    assert_eq!(properties(named).await, (vec!["observationSpace".into()], true));
}

#[tokio::test]
async fn p5_3_links_to_other_pages_and_encodings_show_as_much() {
    let client = client_of_town().await;
    let query = "?limit=2&properties=name&skipGeometry=true";
    let page = client.json(&format!("/collections/Sensor/items{query}")).await;
    let link = |rel: &str| {
        let links = page["links"].as_array().unwrap();
        let link = links.iter().find(|link| link["rel"] == rel).unwrap();
        link["href"].as_str().unwrap().to_owned()
    };
    let next = client.follow(&link("next")).await;
    assert_eq!(next["features"][0]["properties"], json!({ "name": "sensor c" }));
    assert_eq!(next["features"][0]["geometry"], Value::Null);
    assert!(link("alternate").contains("properties=name&skipGeometry=true"));
    // How features are shown is no part of the question that a cursor belongs to.
    let other = link("next").replace("properties=name", "properties=active");
    client.follow(&other).await;
}

#[tokio::test]
async fn p5_3_pages_show_as_much_as_the_json() {
    let client = client_of_town().await;
    let whole = client.page("/collections/Sensor/items").await;
    assert!(whole.contains("<svg") && whole.contains("<th>temperature</th>"));
    let part = client.page("/collections/Sensor/items?properties=name&skipGeometry=true").await;
    assert!(!part.contains("<svg") && !part.contains("<th>temperature</th>"));
    assert!(part.contains("<th>name</th>"));
    let one = client.page(&format!("{A}?properties=name&skipGeometry=true")).await;
    assert!(!one.contains("<svg") && !one.contains("temperature") && one.contains("sensor a"));
}

#[tokio::test]
async fn p5_3_what_cannot_be_shown_is_refused() {
    let client = client_of_town().await;
    for (query, says) in [
        ("properties=name,nope", "\"nope\" is no property here; there are id, active"),
        ("properties=type", "\"type\" is no property here"),
        ("skipGeometry=yes", "skipGeometry=\"yes\" is neither true nor false"),
        ("skipGeometry=", "skipGeometry=\"\" is neither"),
        ("properties=name&properties=active", "two values"),
    ] {
        for path in [A, "/collections/Sensor/items"] {
            let reply = client.get(&format!("{path}?{query}")).await.expect(400);
            let detail = reply.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains(says), "{detail}");
        }
    }
}
