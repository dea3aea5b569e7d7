//! Counts and figures, in all and by areas.

use cardo_model::{Geometry, Instance, Value};
use serde_json::{Value as Json, json};

use crate::city::{City, entity, property};

fn square(west: f64, east: f64) -> Instance {
    let ring = json!([[west, 60.0], [east, 60.0], [east, 60.3], [west, 60.3], [west, 60.0]]);
    let polygon = json!({ "type": "Polygon", "coordinates": [ring] });
    Instance::new(Value::geo(&Geometry::parse(&polygon.to_string()).unwrap()))
}

/// The city, with two quarters side by side: six trees in each, one of them on the border.
async fn quarters() -> City {
    let city = City::new().await;
    // Where the sixth tree stands.
    let border = 24.9 + 5.0 / 1_000.0;
    city.create(vec![
        entity(
            "urn:q:west",
            "Quarter",
            vec![("label", property(json!("West"))), ("location", square(24.8, border))],
        ),
        entity(
            "urn:q:east",
            "Quarter",
            vec![("label", property(json!("East"))), ("location", square(border, 25.0))],
        ),
        entity("urn:b:1", "Bench", vec![("seats", property(json!(3)))]),
    ])
    .await;
    city
}

#[tokio::test]
async fn every_type_is_counted_and_its_numbers_are_added_up_by_unit() {
    let city = quarters().await;
    let data = city
        .data(
            "{ aggregate(type: [\"Tree\", \"Bench\"]) { type count numbers { attribute unit count \
             sum mean min max } } }",
        )
        .await;
    assert_eq!(
        data["aggregate"],
        json!([
            { "type": "Tree", "count": 12, "numbers": [{
                "attribute": "height", "unit": "MTR", "count": 12,
                "sum": 66.0, "mean": 5.5, "min": 0.0, "max": 11.0,
            }] },
            { "type": "Bench", "count": 1, "numbers": [{
                "attribute": "seats", "unit": null, "count": 1,
                "sum": 3.0, "mean": 3.0, "min": 3.0, "max": 3.0,
            }] },
        ])
    );
    let all = city.data("{ aggregate { type count } }").await;
    let types: Vec<&str> =
        all["aggregate"].as_array().unwrap().iter().map(|t| t["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["Bench", "District", "Quarter", "Town", "Tree"]);
}

#[tokio::test]
async fn a_filter_an_area_and_attributes_narrow_the_figures() {
    let city = quarters().await;
    let data = city
        .data(
            "{ treeAggregate(filter: { height: { ge: 8 } }) { count numbers { min } } \
             few: aggregate(type: [\"Tree\", \"Town\"], area: { type: \"Polygon\", coordinates: \
             [[[24.8, 60], [24.9025, 60], [24.9025, 61], [24.8, 61], [24.8, 60]]] }) { type count } \
             one: aggregate(filter: { id: { eq: \"urn:t:5\" } }, type: [\"Tree\"]) { count } \
             none: aggregate(type: [\"Tree\"], attributes: []) { count numbers { attribute } } }",
        )
        .await;
    assert_eq!(data["treeAggregate"], json!([{ "count": 4, "numbers": [{ "min": 8.0 }] }]));
    assert_eq!(
        data["few"],
        json!([{ "type": "Tree", "count": 3 }, { "type": "Town", "count": 0 }])
    );
    assert_eq!(data["one"], json!([{ "count": 1 }]));
    assert_eq!(data["none"], json!([{ "count": 12, "numbers": [] }]));
}

fn table(data: &Json) -> Vec<(String, u64)> {
    let rows = data.as_array().unwrap().iter();
    rows.map(|row| {
        let label = row["area"]["label"].as_str().unwrap().to_owned();
        (label, row["types"][0]["count"].as_u64().unwrap())
    })
    .collect()
}

#[tokio::test]
async fn by_areas_each_entity_counts_once_and_the_totals_add_up() {
    let city = quarters().await;
    let data = city
        .data(
            "{ aggregateByArea(areas: \"Quarter\", type: [\"Tree\"]) { area { id ... on Quarter { \
             label } } types { type count numbers { attribute sum max } } } \
             treeAggregateByArea(areas: \"Quarter\", filter: { height: { le: 3 } }) { area { ... on \
             Quarter { label } } types { count } } }",
        )
        .await;
    // The sixth tree stands on the border, and belongs to the quarter that was there first.
    let expected = [("West".to_owned(), 6), ("East".to_owned(), 6)];
    assert_eq!(table(&data["aggregateByArea"]), expected);
    let west = &data["aggregateByArea"][0];
    assert_eq!(west["area"]["id"], "urn:q:west");
    assert_eq!(
        west["types"][0]["numbers"],
        json!([{ "attribute": "height", "sum": 15.0, "max": 5.0 }])
    );
    let expected = [("West".to_owned(), 4), ("East".to_owned(), 0)];
    assert_eq!(table(&data["treeAggregateByArea"]), expected);
    let chosen = city
        .data(
            "{ aggregateByArea(areas: \"Quarter\", areaFilter: { id: { eq: \"urn:q:east\" } }, \
             first: 5) { area { id } types { type count } } }",
        )
        .await;
    assert_eq!(
        chosen["aggregateByArea"],
        json!([{ "area": { "id": "urn:q:east" }, "types": [{ "type": "Tree", "count": 7 }] }])
    );
}

#[tokio::test]
async fn what_cannot_be_counted_is_refused_with_the_reason() {
    let city = quarters().await;
    for (question, says) in [
        ("{ aggregate(attributes: [\"species\"]) { count } }", "no attribute with numbers"),
        ("{ aggregate(type: [\"Nothing\"]) { count } }", "no type of the twin"),
        ("{ aggregateByArea(areas: \"Nothing\") { types { count } } }", "no type of the twin"),
        ("{ aggregateByArea(areas: \"Town\") { types { count } } }", "no geometries"),
        ("{ aggregateByArea(areas: \"Quarter\", first: 5000) { types { count } } }", "from 0 to"),
        ("{ aggregate(area: { type: \"Point\" }) { count } }", "area"),
    ] {
        let (code, message) = city.error(question).await;
        assert!(message.contains(says), "{question}: {code} {message}");
        assert_eq!(code, "BAD_USER_INPUT", "{question}");
    }
    let many: Vec<String> = (0..30).map(|at| format!("a{at}: aggregate {{ count }}")).collect();
    let many = many.join(" ");
    let (code, _) = city.error(&format!("{{ {many} }}")).await;
    assert_eq!(code, "TOO_COMPLEX");
}
