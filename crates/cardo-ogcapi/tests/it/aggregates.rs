//! The table of areas, an extension.

use axum::http::Method;
use serde_json::json;

use crate::client::{Client, client_of_town, make};

/// The town with two districts, of which one is called like a formula.
async fn with_districts() -> Client {
    let client = client_of_town().await;
    let square = |name: &str, label: &str, west: f64, east: f64| {
        let ring =
            format!("[[{west},60.0],[{east},60.0],[{east},60.3],[{west},60.3],[{west},60.0]]");
        let text = format!("{{\"type\":\"Polygon\",\"coordinates\":[{ring}]}}");
        make("District", name).value("label", label).geometry("location", &text).done()
    };
    client
        .create(vec![
            square("w", "\"=West, \\\"old\\\"\"", 24.8, 24.95),
            square("e", "\"East\"", 24.95, 25.1),
        ])
        .await;
    client
}

#[tokio::test]
async fn a_table_by_area_can_be_had_as_csv_and_geojson() {
    let client = with_districts().await;
    let path = "/aggregates?areas=District&collections=Sensor,Building&properties=temperature";
    let reply = client.get(&format!("{path}&f=csv")).await.expect(200);
    assert!(reply.header("content-type").starts_with("text/csv"));
    assert_eq!(reply.header("content-disposition"), "attachment; filename=\"District.csv\"");
    let lines: Vec<&str> = reply.text.lines().collect();
    assert_eq!(
        lines,
        [
            "id,label,Sensor.count,Sensor.temperature.count,Sensor.temperature.sum,\
             Sensor.temperature.mean,Sensor.temperature.min,Sensor.temperature.max,Building.count",
            // The sensor on the border belongs to the older district.
            "urn:ngsi-ld:District:w,\"'=West, \"\"old\"\"\",2,2,18.5,9.25,-3.0,21.5,0",
            "urn:ngsi-ld:District:e,East,1,1,21.5,21.5,21.5,21.5,2",
        ]
    );
    let body = client.json(path).await;
    assert_eq!(body["features"].as_array().unwrap().len(), 2);
    let east = &body["features"][1];
    assert_eq!(
        (&east["id"], &east["geometry"]["type"]),
        (&json!("urn:ngsi-ld:District:e"), &json!("Polygon"))
    );
    assert_eq!(east["properties"]["Building.count"], 2);
    assert_eq!(east["properties"]["Sensor.temperature.mean"], 21.5);
    let accept = [("accept", "text/csv")];
    let by_accept = client.send(Method::GET, &format!("/ogc{path}"), &accept).await.expect(200);
    assert_eq!(by_accept.text, reply.text);
    // Without a choice, all that has places is counted, but for the areas themselves.
    let all = client.json("/aggregates?areas=District").await;
    let west = &all["features"][0]["properties"];
    assert!(west.get("District.count").is_none());
    assert_eq!((&west["Sensor.count"], &west["Building.floors.count"]), (&json!(2), &json!(0)));
}

#[tokio::test]
async fn a_table_that_cannot_be_is_refused() {
    let client = with_districts().await;
    for path in [
        "/aggregates",
        "/aggregates?areas=Nothing",
        "/aggregates?areas=District&collections=Nothing",
        "/aggregates?areas=District&properties=name",
        "/aggregates?areas=District&f=png",
        "/aggregates?areas=District&limit=3",
    ] {
        let reply = client.get(path).await.expect(400);
        assert_eq!(reply.header("content-type"), "application/problem+json", "{path}");
    }
    let accept = [("accept", "image/png")];
    let path = "/ogc/aggregates?areas=District";
    client.send(Method::GET, path, &accept).await.expect(406);
}
