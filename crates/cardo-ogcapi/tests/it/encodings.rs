//! What features can be had as, beside GeoJSON and pages.

use std::io::Cursor;

use axum::http::Method;
use cardo_formats::{FieldValue, Format, ReadOptions, Record, open};
use cardo_ogcapi::{OgcLimits, OgcOptions};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};

use crate::client::{Client, Reply, client_of_town, client_with, make, town};

const ITEMS: &str = "/ogc/collections/Sensor/items";
const FGB: &str = "application/vnd.flatgeobuf";
const GPKG: &str = "application/geopackage+sqlite3";
const PARQUET: &str = "application/vnd.apache.parquet";
const CSV: &str = "text/csv; charset=utf-8; header=present";

fn records(format: Format, reply: &Reply) -> Vec<Record> {
    let reader = open(format, Cursor::new(reply.bytes.clone()), &ReadOptions::default());
    reader.unwrap_or_else(|e| panic!("{e}")).collect::<Result<_, _>>().unwrap()
}

/// The rows of a file of GeoParquet, and what it says of its geometries.
fn parquet_of(reply: &Reply) -> (Vec<Row>, serde_json::Value) {
    let file = SerializedFileReader::new(bytes::Bytes::from(reply.bytes.clone())).unwrap();
    let pairs = file.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let geo = pairs.into_iter().find(|pair| pair.key == "geo").and_then(|pair| pair.value);
    let geo = geo.map(|geo| serde_json::from_str(&geo).unwrap()).unwrap_or_default();
    (file.get_row_iter(None).unwrap().map(Result::unwrap).collect(), geo)
}

fn cell(row: &Row, name: &str) -> Option<Field> {
    row.get_column_iter().find(|(column, _)| *column == name).map(|(_, field)| field.clone())
}

fn links(reply: &Reply) -> Vec<(String, String)> {
    let values = reply.headers.get_all("link").iter();
    let links = values.map(|value| {
        let text = value.to_str().unwrap();
        let (href, rest) = text.strip_prefix('<').unwrap().split_once('>').unwrap();
        let rel = rest.split('"').nth(1).unwrap();
        (rel.to_owned(), href.to_owned())
    });
    links.collect()
}

#[tokio::test]
async fn g4_each_encoding_is_had_by_parameter_and_by_media_type() {
    let client = client_of_town().await;
    for (name, media_type) in [
        ("json", "application/geo+json"),
        ("html", "text/html; charset=utf-8"),
        ("csv", CSV),
        ("fgb", FGB),
        ("gpkg", GPKG),
        ("parquet", PARQUET),
    ] {
        let by_name = client.get(&format!("/collections/Sensor/items?f={name}")).await.expect(200);
        assert_eq!(by_name.header("content-type"), media_type);
        // The parameter wins.
        let path = format!("{ITEMS}?f={name}");
        let both = client.send(Method::GET, &path, &[("accept", "application/json")]).await;
        assert_eq!(both.expect(200).header("content-type"), media_type);
        let bare = media_type.split(';').next().unwrap();
        let accept = format!("image/png, {bare};q=0.5, */*;q=0.1");
        let by_type = client.send(Method::GET, ITEMS, &[("accept", &accept)]).await.expect(200);
        assert_eq!(by_type.header("content-type"), media_type);
        assert!(by_type.header("vary").contains("Accept"));
    }
}

#[tokio::test]
async fn g4_what_is_not_offered_is_refused_with_what_is() {
    let client = client_of_town().await;
    let unknown = client.get("/collections/Sensor/items?f=shp").await.expect(400);
    assert!(
        unknown.text.contains("json, html, jsonfg, csv, fgb, gpkg, parquet"),
        "{}",
        unknown.text
    );
    let item = client.get("/collections/Sensor/items/urn:ngsi-ld:Sensor:a?f=csv").await;
    assert!(item.expect(400).text.contains("json, html, jsonfg"));
    for accept in ["image/png", "text/csv;q=0, image/png"] {
        let refused = client.send(Method::GET, ITEMS, &[("accept", accept)]).await.expect(406);
        assert!(refused.text.contains(FGB) && refused.text.contains("text/csv"));
        assert_eq!(refused.header("content-type"), "application/problem+json");
    }
}

#[tokio::test]
async fn g5_every_encoding_leads_to_the_others() {
    let client = client_of_town().await;
    let page = client.json("/collections/Sensor/items?limit=2&name=x").await;
    let page_links = page["links"].as_array().unwrap();
    let others = page_links.iter().filter(|link| link["rel"] == "alternate");
    let others: Vec<&str> = others.map(|link| link["href"].as_str().unwrap()).collect();
    let base = "http://city.example:8787/ogc/collections/Sensor/items?limit=2&name=x";
    let expected =
        ["html", "jsonfg", "csv", "fgb", "gpkg", "parquet"].map(|f| format!("{base}&f={f}"));
    assert_eq!(others, expected);
    for href in expected {
        let path = href.strip_prefix("http://city.example:8787").unwrap();
        client.send(Method::GET, path, &[]).await.expect(200);
    }
    let collection = client.json("/collections/Sensor").await;
    let of_collection = collection["links"].as_array().unwrap();
    let items = of_collection.iter().filter(|link| link["rel"] == "items");
    let types: Vec<&str> = items.map(|link| link["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["application/geo+json", "text/html", CSV, FGB, GPKG, PARQUET]);
    let html = client.page("/collections/Sensor/items?limit=2").await;
    for name in ["GeoJSON", "JSON-FG", "CSV", "FlatGeobuf", "GeoPackage", "GeoParquet"] {
        assert!(html.contains(&format!(">{name}</a>")), "{name}");
    }
}

#[tokio::test]
async fn g11_where_there_is_no_room_for_links_and_numbers_they_are_headers() {
    let client = client_of_town().await;
    for name in ["csv", "fgb", "gpkg", "parquet"] {
        let path = format!("/collections/Sensor/items?f={name}&limit=2&offset=2");
        let reply = client.get(&path).await.expect(200);
        assert_eq!(reply.header("ogc-numbermatched"), "6");
        assert_eq!(reply.header("ogc-numberreturned"), "2");
        let links = links(&reply);
        let rels: Vec<&str> = links.iter().map(|(rel, _)| rel.as_str()).collect();
        let alternate = ["alternate"; 6];
        assert_eq!(rels[0], "self");
        assert_eq!(rels[1..7], alternate);
        assert_eq!(rels[7..], ["collection", "next", "prev", "profile"]);
        let next = links.iter().find(|(rel, _)| rel == "next").unwrap();
        let path = next.1.strip_prefix("http://city.example:8787").unwrap();
        let next = client.send(Method::GET, path, &[]).await.expect(200);
        assert_eq!(next.header("content-type"), reply.header("content-type"));
        assert_eq!(next.header("ogc-numberreturned"), "2");
    }
}

#[tokio::test]
async fn files_have_names() {
    let client = client_of_town().await;
    for (name, file) in [
        ("csv", "attachment; filename=\"Sensor.csv\""),
        ("fgb", "attachment; filename=\"Sensor.fgb\""),
        ("gpkg", "attachment; filename=\"Sensor.gpkg\""),
        ("parquet", "attachment; filename=\"Sensor.parquet\""),
        ("json", "inline; filename=\"Sensor.geojson\""),
        ("jsonfg", "inline; filename=\"Sensor.fg.json\""),
        ("html", ""),
    ] {
        let reply = client.get(&format!("/collections/Sensor/items?f={name}")).await.expect(200);
        assert_eq!(reply.header("content-disposition"), file, "{name}");
    }
}

#[tokio::test]
async fn csv_has_a_line_for_each_feature_with_the_geometry_as_well_known_text() {
    let client = client_of_town().await;
    let reply = client.get("/collections/Sensor/items?f=csv").await.expect(200);
    assert_eq!(reply.text, include_str!("golden/sensors.csv").replace('\n', "\r\n"));
    let buildings = client.get("/collections/Building/items?f=csv").await.expect(200);
    let lines: Vec<&str> = buildings.text.lines().collect();
    let head = lines[0];
    assert_eq!(head, "id,address,floors,geometry");
    assert!(lines[1].contains("\"{\"\"street\"\":\"\"Aleksanterinkatu\"\",\"\"number\"\":1}\",4,"));
    assert!(lines[2].ends_with(",7,POINT Z(24.97 60.18 35.5)"), "{}", lines[2]);
}

fn by_id(mut records: Vec<Record>) -> Vec<Record> {
    let id = |record: &Record| record.field("id").map(FieldValue::to_text);
    records.sort_by_key(id);
    records
}

#[tokio::test]
async fn files_of_tables_hold_the_features_with_their_types() {
    let client = client_of_town().await;
    for (name, format) in [("fgb", Format::FlatGeobuf), ("gpkg", Format::GeoPackage)] {
        let reply = client.get(&format!("/collections/Sensor/items?f={name}")).await.expect(200);
        let sensors = by_id(records(format, &reply));
        assert_eq!(sensors.len(), 6);
        let first = &sensors[0];
        let field = |name: &str| first.field(name).cloned();
        assert_eq!(field("id"), Some(FieldValue::Text("urn:ngsi-ld:Sensor:a".into())));
        assert_eq!(field("temperature"), Some(FieldValue::Float(21.5)));
        assert_eq!(field("active"), Some(FieldValue::Bool(true)));
        assert!(matches!(field("temperature__observedAt"), Some(FieldValue::DateTime(_))));
        assert!(first.geometry.is_some() && sensors[5].geometry.is_none());
        let reply = client.get(&format!("/collections/Building/items?f={name}")).await.expect(200);
        let buildings = by_id(records(format, &reply));
        assert_eq!(buildings[1].geometry.as_ref().unwrap().heights, [35.5]);
    }
}

#[tokio::test]
async fn what_is_shown_is_shown_in_every_encoding() {
    let client = client_of_town().await;
    let path = "/collections/Sensor/items?properties=name&skipGeometry=true&temperature=21.5";
    let csv = client.get(&format!("{path}&f=csv")).await.expect(200);
    assert_eq!(csv.text.lines().next(), Some("id,name"));
    assert_eq!(csv.text.lines().count(), 3);
    for (name, format) in [("fgb", Format::FlatGeobuf), ("gpkg", Format::GeoPackage)] {
        let reply = client.get(&format!("{path}&f={name}")).await.expect(200);
        let found = by_id(records(format, &reply));
        let names = found[0].fields.iter().map(|(name, _)| name.to_string());
        let names: Vec<String> = names.filter(|name| name != "fid").collect();
        assert_eq!(names, ["id", "name"], "{format}");
        assert!(found.iter().all(|record| record.geometry.is_none()));
        assert_eq!(found.len(), 2);
    }
}

#[tokio::test]
async fn c6_every_encoding_has_its_coordinates_in_the_system_that_is_asked_for() {
    const EPSG: &str = "http://www.opengis.net/def/crs/EPSG/0";
    let client = client_of_town().await;
    let get = async |f: &str, code: u32| {
        let path = format!("/collections/Sensor/items?f={f}&crs={EPSG}/{code}&limit=1");
        let reply = client.get(&path).await.expect(200);
        assert_eq!(reply.header("content-crs"), format!("<{EPSG}/{code}>"));
        reply
    };
    // Well-known text has the axes in the order of the authority, files have longitude first.
    assert!(get("csv", 4326).await.text.contains(",POINT(60.1 24.9)\r\n"));
    for (name, format) in [("fgb", Format::FlatGeobuf), ("gpkg", Format::GeoPackage)] {
        let reply = get(name, 4326).await;
        let degrees = records(format, &reply)[0].geometry.clone().unwrap();
        assert_eq!(degrees.shape, geo_types::Point::new(24.9, 60.1).into(), "{name}");
        let reply = get(name, 3857).await;
        let reader = open(format, Cursor::new(reply.bytes.clone()), &ReadOptions::default());
        assert_eq!(reader.unwrap().crs(), Some("EPSG:3857"), "{name}");
        let metres = records(format, &reply)[0].geometry.clone().unwrap();
        let Ok(metres) = geo_types::Point::try_from(metres.shape) else { panic!("a point") };
        assert!((metres.x() - 2_771_855.3).abs() < 0.1, "{name}: {metres:?}");
        assert!((metres.y() - 8_422_035.5).abs() < 0.1, "{name}: {metres:?}");
    }
}

#[tokio::test]
async fn geoparquet_holds_the_features_with_their_types_and_boxes() {
    let client = client_of_town().await;
    let (sensors, geo) =
        parquet_of(&client.get("/collections/Sensor/items?f=parquet").await.expect(200));
    assert_eq!(sensors.len(), 6);
    let first = &sensors[0];
    assert_eq!(cell(first, "id"), Some(Field::Str("urn:ngsi-ld:Sensor:a".into())));
    assert_eq!(cell(first, "temperature"), Some(Field::Double(21.5)));
    assert_eq!(cell(first, "active"), Some(Field::Bool(true)));
    assert!(matches!(cell(first, "temperature__observedAt"), Some(Field::TimestampMicros(_))));
    assert!(matches!(cell(first, "geometry"), Some(Field::Bytes(_))));
    assert_eq!(cell(&sensors[5], "geometry"), Some(Field::Null));
    let geometry = &geo["columns"]["geometry"];
    assert_eq!(geometry["encoding"], "WKB");
    assert_eq!(geometry.get("crs"), None);
    let path = "/collections/Sensor/items?properties=name&skipGeometry=true&f=parquet";
    let (rows, geo) = parquet_of(&client.get(path).await.expect(200));
    let names: Vec<&String> = rows[0].get_column_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["id", "name"]);
    assert_eq!(geo, serde_json::Value::Null);
    let nobody = client.get("/collections/Sensor/items?f=parquet&name=nobody").await.expect(200);
    let (rows, geo) = parquet_of(&nobody);
    assert_eq!((rows.len(), &geo["primary_column"]), (0, &"geometry".into()));
}

#[tokio::test]
async fn c6_geoparquet_says_its_system_and_has_longitude_first() {
    const EPSG: &str = "http://www.opengis.net/def/crs/EPSG/0";
    let client = client_of_town().await;
    for (code, [x, y]) in [(4326, [24.9, 60.1]), (3857, [2_771_855.3, 8_422_035.5])] {
        let path = format!("/collections/Sensor/items?f=parquet&crs={EPSG}/{code}&limit=1");
        let (_, geo) = parquet_of(&client.get(&path).await.expect(200));
        let geometry = &geo["columns"]["geometry"];
        assert_eq!(geometry["crs"]["id"]["code"], code);
        let edge = |at: usize| geometry["bbox"][at].as_f64().unwrap();
        assert!((edge(0) - x).abs() < 0.1 && (edge(1) - y).abs() < 0.1, "{geometry}");
    }
}

#[tokio::test]
async fn c6_a_system_that_no_projjson_is_known_of_is_refused_for_geoparquet_alone() {
    let systems = cardo_ogcapi::Systems::new(["EPSG:3571"]).unwrap();
    let client = client_with(OgcOptions { systems, ..OgcOptions::default() }).await;
    client.create(town()).await;
    let uri = "http://www.opengis.net/def/crs/EPSG/0/3571";
    let path = format!("/collections/Sensor/items?crs={uri}&f=");
    client.get(&format!("{path}gpkg")).await.expect(200);
    let reply = client.get(&format!("{path}parquet")).await;
    // The PROJ library describes all systems.
    if cardo_spatial::Crs::from_uri(uri).unwrap().to_projjson().is_ok() {
        reply.expect(200);
    } else {
        let refused = reply.expect(406);
        assert!(refused.text.contains("EPSG:3571 is described by the PROJ library alone"));
    }
}

async fn wood(trees: usize) -> Client {
    let client = client_with(OgcOptions { limits: OgcLimits::default(), ..OgcOptions::default() });
    let client = client.await;
    let tree = |n: usize| {
        let place = f64::from(u32::try_from(n).unwrap()) / 1e4;
        make("Tree", &format!("{n:05}")).value("n", &n.to_string()).at(place, 1.0 - place)
    };
    client.create((0..trees).map(|n| tree(n).done()).collect()).await;
    client
}

#[tokio::test]
async fn large_tables_come_in_pieces_and_whole() {
    let client = wood(3_000).await;
    for (name, format) in
        [("csv", Format::Csv), ("fgb", Format::FlatGeobuf), ("gpkg", Format::GeoPackage)]
    {
        let path = format!("/collections/Tree/items?limit=1000000&f={name}");
        let reply = client.get(&path).await.expect(200);
        assert_eq!(reply.header("content-length"), "", "{name} is streamed");
        let trees = by_id(records(format, &reply));
        assert_eq!(trees.len(), 3_000, "{name}");
        for (n, tree) in trees.iter().enumerate() {
            assert_eq!(tree.field("n").and_then(FieldValue::as_f64), Some(n as f64));
            let geometry = tree.geometry.as_ref().unwrap();
            let x = f64::from(u32::try_from(n).unwrap()) / 1e4;
            assert_eq!(geometry.shape, geo_types::Point::new(x, 1.0 - x).into());
        }
    }
    let reply = client.get("/collections/Tree/items?limit=1000000&f=parquet").await.expect(200);
    assert_eq!(reply.header("content-length"), "", "it is streamed");
    let (trees, _) = parquet_of(&reply);
    assert_eq!(trees.len(), 3_000);
    for (n, tree) in trees.iter().enumerate() {
        assert_eq!(cell(tree, "n"), Some(Field::Double(n as f64)));
    }
}

#[tokio::test]
async fn an_empty_answer_is_a_sound_file() {
    let client = client_of_town().await;
    for (name, format) in [("fgb", Format::FlatGeobuf), ("gpkg", Format::GeoPackage)] {
        let path = format!("/collections/Sensor/items?f={name}&name=nobody");
        let reply = client.get(&path).await.expect(200);
        assert_eq!(records(format, &reply), Vec::new(), "{name}");
        assert_eq!(reply.header("ogc-numbermatched"), "0");
    }
    let csv = client.get("/collections/Sensor/items?f=csv&name=nobody").await.expect(200);
    assert_eq!(csv.text.lines().count(), 1);
    assert_eq!(town().len(), 8);
}
