//! Rings by the right-hand rule (RFC 7946, clause 3.1.6; requirement F-36).

use std::io::Cursor;

use axum::http::Method;
use cardo_engine::Caller;
use cardo_formats::{Format, ReadOptions, open};
use cardo_model::{Geometry, Instance, Value as Held};
use geo_types::{Geometry as Shape, LineString, Polygon};
use serde_json::Value;

use crate::client::{Client, client, iri, make, property};

/// A house whose outline runs clockwise and its yard counterclockwise.
const HOUSE: &str = r#"{"type":"Polygon","coordinates":[[[24.90,60.10,5],[24.90,60.20,6],[25.00,60.20,7],[25.0,60.10,8],[24.90,60.10,5]],[[24.95,60.15],[24.96,60.15],[24.96,60.16],[24.95,60.15]]]}"#;
const TURNED: &str = r#"{"type":"Polygon","coordinates":[[[24.90,60.10,5],[25.0,60.10,8],[25.00,60.20,7],[24.90,60.20,6],[24.90,60.10,5]],[[24.95,60.15],[24.96,60.16],[24.96,60.15],[24.95,60.15]]]}"#;
const RIGHT: &str = r#"{"type":"MultiPolygon","coordinates":[[[[24.9,60.1],[25.0,60.1],[25.0,60.2],[24.9,60.1]]],[[[25.9,60.1],[26.0,60.1],[26.0,60.2],[25.9,60.1]]]]}"#;
const ITEMS: &str = "/collections/House/items";

async fn houses() -> Client {
    let client = client().await;
    client.create(vec![make("House", "right").geometry("location", RIGHT).done()]).await;
    client
}

async fn with_a_clockwise_one() -> Client {
    let client = houses().await;
    let house = make("House", "wrong").geometry("location", HOUSE).geometry("outline", HOUSE);
    client.create(vec![house.done()]).await;
    client
}

fn polygons(shape: Shape<f64>) -> Vec<Polygon<f64>> {
    match shape {
        Shape::Polygon(polygon) => vec![polygon],
        Shape::MultiPolygon(polygons) => polygons.0,
        other => panic!("{other:?} is no polygon"),
    }
}

/// Whether all run by the rule where x grows to the east and y to the north.
fn assert_right_handed(shape: Shape<f64>, what: &str) {
    let area = |ring: &LineString<f64>| ring.lines().map(|edge| edge.determinant()).sum::<f64>();
    for polygon in polygons(shape) {
        assert!(area(polygon.exterior()) > 0.0, "{what}: {polygon:?}");
        assert!(polygon.interiors().iter().all(|hole| area(hole) < 0.0), "{what}: {polygon:?}");
    }
}

fn shape_of(geometry: &Value) -> Shape<f64> {
    let text = geometry.to_string();
    let text = cardo_formats::geojson::parse_geometry(&text, &cardo_formats::Limits::default());
    text.unwrap().unwrap().shape
}

#[tokio::test]
async fn f36_rings_are_shown_by_the_right_hand_rule_and_held_as_they_were_sent() {
    let client = houses().await;
    let page = client.get(ITEMS).await.expect(200);
    assert!(page.text.contains(RIGHT), "{}", page.text);
    // The first that runs the other way is turned with the next answer.
    let house = make("House", "wrong").geometry("location", HOUSE).geometry("outline", HOUSE);
    client.create(vec![house.done()]).await;
    for path in [ITEMS.to_owned(), format!("{ITEMS}/urn:ngsi-ld:House:wrong")] {
        for query in ["", "?f=jsonfg", "?profile=jsonfg-plus"] {
            let reply = client.get(&format!("{path}{query}")).await.expect(200);
            assert!(reply.text.contains(&format!("\"geometry\":{TURNED}")), "{}", reply.text);
            assert!(reply.text.contains(&format!("\"outline\":{TURNED}")), "{}", reply.text);
        }
    }
    let snapshot = client.engine.snapshot(&Caller::local("test")).await.unwrap();
    let record = snapshot.retrieve("urn:ngsi-ld:House:wrong").unwrap();
    let held: Vec<&str> = record
        .view()
        .attributes()
        .flat_map(|attribute| attribute.instances())
        .map(|instance| instance.value())
        .collect();
    assert_eq!(held, [HOUSE, HOUSE]);
}

#[tokio::test]
async fn f36_rings_run_the_same_way_on_the_map_in_every_system_and_encoding() {
    const EPSG: &str = "http://www.opengis.net/def/crs/EPSG/0";
    let client = with_a_clockwise_one().await;
    for (code, is_north_first) in [(3857, false), (4326, true), (4258, true)] {
        let page = client.json(&format!("{ITEMS}?crs={EPSG}/{code}")).await;
        for feature in page["features"].as_array().unwrap() {
            for geometry in [&feature["geometry"], &feature["properties"]["outline"]] {
                if geometry.is_null() {
                    continue;
                }
                let mut shape = shape_of(geometry);
                if is_north_first {
                    geo::MapCoordsInPlace::map_coords_in_place(&mut shape, |c| (c.y, c.x).into());
                }
                assert_right_handed(shape, "GeoJSON");
            }
        }
        for (name, format) in [("fgb", Format::FlatGeobuf), ("gpkg", Format::GeoPackage)] {
            let reply = client.get(&format!("{ITEMS}?f={name}&crs={EPSG}/{code}")).await;
            let bytes = Cursor::new(reply.expect(200).bytes);
            let reader = open(format, bytes, &ReadOptions::default()).unwrap();
            let records: Vec<_> = reader.map(Result::unwrap).collect();
            assert_eq!(records.len(), 2);
            for record in records {
                assert_right_handed(record.geometry.unwrap().shape, name);
            }
        }
    }
    let csv = client.get(&format!("{ITEMS}?f=csv")).await.expect(200).text;
    assert!(
        csv.contains("POLYGON Z((24.9 60.1 5,25 60.1 8,")
            || csv.contains("POLYGON((24.9 60.1,25 60.1,"),
        "{csv}"
    );
}

#[tokio::test]
async fn f36_a_feature_that_comes_back_as_it_was_shown_leaves_its_rings_as_they_were_sent() {
    let client = with_a_clockwise_one().await;
    let path = format!("/ogc{ITEMS}/urn:ngsi-ld:House:wrong");
    let before = client.send(Method::GET, &path, &[]).await.expect(200);
    let geojson = ("content-type", "application/geo+json");
    let reply = client.write(Method::PUT, &path, &[geojson], &before.text).await.expect(204);
    assert_eq!(reply.header("cardo-revision"), before.header("cardo-revision"));
}

#[tokio::test]
async fn f36_a_geometry_of_which_more_is_said_is_the_geometry_all_the_same() {
    let client = client().await;
    let mut place = Instance::new(Held::geo(&Geometry::parse(HOUSE).unwrap()));
    place.attributes.push(cardo_model::Attribute::new(iri("accuracy"), property("0.5")));
    client.create(vec![make("House", "measured").instance("location", place).done()]).await;
    let page = client.json(ITEMS).await;
    let feature = &page["features"][0];
    assert_eq!(feature["geometry"], serde_json::from_str::<Value>(TURNED).unwrap());
    assert_eq!(feature["properties"], serde_json::json!({ "location__accuracy": 0.5 }));
}
