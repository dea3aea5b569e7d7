//! GeoPandas and pyarrow read what features are given out as in GeoParquet.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::gis::{demo, python_with, run};
use crate::support::{Answer, Server};

/// Says of each file what stands in it: the system, the types of the columns, and all rows, with
/// geometries as GeoJSON and moments in UTC.
const READ: &str = r#"
import json, sys
import geopandas, pyarrow.parquet
from shapely.geometry import mapping
said = {}
for path in sys.argv[1:]:
    table = pyarrow.parquet.read_table(path)
    plain = table.drop_columns([name for name in ("geometry", "bbox") if name in table.column_names])
    rows = plain.to_pylist()
    if "geometry" in table.column_names:
        frame = geopandas.read_parquet(path)
        shapes = [None if shape is None else mapping(shape) for shape in frame.geometry]
        boxes = table["bbox"].to_pylist()
        system = frame.crs.to_string() if frame.crs.to_epsg() is None else frame.crs.to_epsg()
    else:
        shapes, boxes, system = [None] * len(rows), [None] * len(rows), None
    said[path] = {
        "system": system,
        "types": {field.name: str(field.type) for field in plain.schema},
        "rows": rows,
        "shapes": shapes,
        "boxes": boxes,
        "meta": json.loads(table.schema.metadata.get(b"geo", b"null")) if table.schema.metadata else None,
    }
def text(value):
    return value.isoformat().replace("+00:00", "Z")
print(json.dumps(said, default=text))
"#;

fn saved(server: &Server, folder: &Path, path: &str) -> String {
    keep(&server.send("GET", path, None), folder)
}

/// Puts an answer into a file of a folder.
fn keep(answer: &Answer, folder: &Path) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/vnd.apache.parquet"));
    let number = std::fs::read_dir(folder).expect("a folder").count();
    let file = folder.join(format!("{number}.parquet"));
    std::fs::write(&file, &answer.body).expect("a file is written");
    file.to_str().expect("a path").to_owned()
}

/// Two answers about the city as it is at one time: its trams move.
fn of_one_revision(server: &Server, one: &str, other: &str) -> (Answer, Answer) {
    let revision = |answer: &Answer| answer.header("cardo-revision").map(str::to_owned);
    let pairs = std::iter::repeat_with(|| [one, other].map(|path| server.send("GET", path, None)));
    let mut same = pairs.filter(|[one, other]| revision(one) == revision(other)).map(Into::into);
    same.next().expect("pairs come for ever")
}

/// A geometry of GeoJSON with all its numbers as floats.
fn floats(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(floats).collect(),
        Value::Number(number) => json!(number.as_f64()),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), floats(value))).collect()
        }
        other => other.clone(),
    }
}

#[test]
fn geopandas_reads_every_collection_of_the_city_with_equal_properties() {
    let Some(python) = python_with("geopandas, pyarrow") else { return };
    let folder = tempdir().unwrap();
    let server = demo(&folder.path().join("data"));
    let files = tempdir().unwrap();
    let collections = server.get("/ogc/collections")["collections"].clone();
    let collections = collections.as_array().unwrap();
    for collection in collections {
        let id = collection["id"].as_str().unwrap();
        let items = format!("/ogc/collections/{id}/items?limit=500");
        let (table, served) = of_one_revision(&server, &format!("{items}&f=parquet"), &items);
        let file = keep(&table, files.path());
        let said = run(&python, &["-c", READ, &file]).unwrap();
        let said: Value = serde_json::from_str::<Value>(&said).unwrap()[&file].clone();
        let served: Value = serde_json::from_slice(&served.body).unwrap();
        let served = served["features"].as_array().unwrap();
        let rows = said["rows"].as_array().unwrap();
        assert_eq!(rows.len(), served.len(), "{id}");
        for (at, (row, feature)) in rows.iter().zip(served).enumerate() {
            assert_eq!(row["id"], feature["id"]);
            let shape = &said["shapes"][at];
            assert_eq!(floats(shape), floats(&feature["geometry"]), "{id}: {row}");
            for (name, value) in feature["properties"].as_object().unwrap() {
                let read = &row[name];
                let is_same = match (read, value) {
                    (Value::Number(read), Value::Number(value)) => read.as_f64() == value.as_f64(),
                    // What is no plain value is JSON text.
                    (Value::String(read), Value::Array(_) | Value::Object(_)) => {
                        serde_json::from_str::<Value>(read).unwrap() == *value
                    }
                    _ => read == value,
                };
                assert!(is_same, "{id}.{name}: {read} and {value}");
            }
        }
    }
    server.stop();
}

#[test]
fn every_kind_of_geometry_and_value_is_read_and_so_is_nothing() {
    let Some(python) = python_with("geopandas, pyarrow") else { return };
    let folder = tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let shapes = [
        json!({ "type": "Point", "coordinates": [24.9, 60.1] }),
        json!({ "type": "Point", "coordinates": [24.9, 60.1, 12.5] }),
        json!({ "type": "MultiPoint", "coordinates": [[24.9, 60.1], [25.0, 60.2]] }),
        json!({ "type": "LineString", "coordinates": [[24.9, 60.1], [25.1, 61.2]] }),
        json!({ "type": "MultiLineString", "coordinates": [[[24.9, 60.1], [25.1, 61.2]], [[1.0, 2.0], [3.0, 4.0]]] }),
        json!({ "type": "Polygon", "coordinates": [
            [[24.0, 60.0], [26.0, 60.0], [26.0, 62.0], [24.0, 62.0], [24.0, 60.0]],
            [[25.0, 61.0], [25.0, 61.5], [25.5, 61.5], [25.5, 61.0], [25.0, 61.0]],
        ] }),
        json!({ "type": "MultiPolygon", "coordinates": [
            [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]],
            [[[5.0, 5.0], [6.0, 5.0], [6.0, 6.0], [5.0, 5.0]]],
        ] }),
    ];
    for (number, shape) in shapes.iter().enumerate() {
        let id = format!("urn:x:{number}");
        server.create(
            &id,
            &format!(r#""location": {shape}, "n": {number}, "even": {}"#, number % 2 == 0),
        );
    }
    server.create(
        "urn:x:8",
        r#""name": "\u00e4b\ud83d\ude00", "n": 2.5,
           "seen": {"type": "Property", "value": {"@type": "DateTime", "@value": "2026-11-27T22:30:15.25Z"}},
           "day": {"type": "Property", "value": {"@type": "Date", "@value": "2026-11-27"}}"#,
    );
    let files = tempdir().unwrap();
    let items = "/ogc/collections/Sample/items?f=parquet";
    let all = saved(&server, files.path(), items);
    let nobody = saved(&server, files.path(), &format!("{items}&n=99"));
    let flat = saved(&server, files.path(), &format!("{items}&skipGeometry=true"));
    let said = run(&python, &["-c", READ, &all, &nobody, &flat]).unwrap();
    let said: Value = serde_json::from_str(&said).unwrap();
    let read = &said[&all];
    for (at, shape) in shapes.iter().enumerate() {
        assert_eq!(floats(&read["shapes"][at]), floats(shape));
        assert_eq!(read["rows"][at]["n"], json!(at as f64));
        assert_eq!(read["rows"][at]["even"], json!(at % 2 == 0));
        assert_eq!(read["rows"][at]["name"], Value::Null);
    }
    let hole = json!({ "xmin": 24.0, "ymin": 60.0, "xmax": 26.0, "ymax": 62.0 });
    assert_eq!(read["boxes"][5], hole);
    let last = &read["rows"][7];
    assert_eq!((&last["name"], &last["n"]), (&json!("äb😀"), &json!(2.5)));
    assert_eq!(last["seen"], "2026-11-27T22:30:15.250000Z");
    assert_eq!(last["day"], "2026-11-27");
    assert_eq!((&read["shapes"][7], &read["boxes"][7]), (&Value::Null, &Value::Null));
    let types = &read["types"];
    assert_eq!(
        (&types["n"], &types["even"], &types["name"]),
        (&json!("double"), &json!("bool"), &json!("string"))
    );
    assert_eq!(
        (&types["seen"], &types["day"]),
        (&json!("timestamp[us, tz=UTC]"), &json!("date32[day]"))
    );
    let kinds = &read["meta"]["columns"]["geometry"]["geometry_types"];
    let expected = [
        "LineString",
        "MultiLineString",
        "MultiPoint",
        "MultiPolygon",
        "Point",
        "Point Z",
        "Polygon",
    ];
    assert_eq!(kinds, &json!(expected));
    assert_eq!(read["system"], "OGC:CRS84");
    assert_eq!(
        (&said[&nobody]["rows"], &said[&nobody]["system"]),
        (&json!([]), &json!("OGC:CRS84"))
    );
    assert_eq!(said[&flat]["rows"], read["rows"]);
    assert_eq!(said[&flat]["meta"], Value::Null);
    server.stop();
}

#[test]
fn c6_geopandas_knows_the_system_and_has_the_coordinates_that_are_served() {
    let Some(python) = python_with("geopandas, pyarrow") else { return };
    let folder = tempdir().unwrap();
    let server = demo(&folder.path().join("data"));
    let files = tempdir().unwrap();
    for (code, is_north_first) in [(3879, true), (3067, false), (3857, false), (4326, true)] {
        let items = format!(
            "/ogc/collections/WeatherObserved/items?limit=100&crs=http://www.opengis.net/def/crs/EPSG/0/{code}"
        );
        let (table, served) = of_one_revision(&server, &format!("{items}&f=parquet"), &items);
        let file = keep(&table, files.path());
        let said = run(&python, &["-c", READ, &file]).unwrap();
        let said: Value = serde_json::from_str::<Value>(&said).unwrap()[&file].clone();
        assert_eq!(said["system"], code);
        let served: Value = serde_json::from_slice(&served.body).unwrap();
        let served = served["features"].clone();
        for (at, feature) in served.as_array().unwrap().iter().enumerate() {
            let position = |axis: usize| feature["geometry"]["coordinates"][axis].as_f64().unwrap();
            let read = |axis: usize| said["shapes"][at]["coordinates"][axis].as_f64().unwrap();
            let [x, y] = if is_north_first { [1, 0] } else { [0, 1] };
            assert!((read(0) - position(x)).abs() < 0.001, "EPSG:{code}: {feature}");
            assert!((read(1) - position(y)).abs() < 0.001, "EPSG:{code}: {feature}");
        }
    }
    server.stop();
}
