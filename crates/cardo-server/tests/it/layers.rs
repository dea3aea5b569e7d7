//! Collections that stay files, through the real server: a FlatGeobuf in the folder of layers.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use cardo_formats::{
    FieldKind, FieldSchema, FieldValue, FlatGeobufReader, FlatGeobufWriter, Limits, Record,
    RecordGeometry, RecordReader,
};
use cardo_spatial::Crs;
use serde_json::Value;
use tempfile::tempdir;

use crate::gis::run;
use crate::support::{Server, cardo};

pub(crate) fn buildings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/helsinki/buildings.fgb")
}

/// A server with the buildings of a part of Helsinki as a file, and beside it one that is broken.
pub(crate) fn server_in(data: &Path) -> Server {
    let layers = data.join("layers");
    std::fs::create_dir_all(&layers).expect("a folder is made");
    std::fs::copy(buildings(), layers.join("buildings.fgb")).expect("a file is copied");
    std::fs::write(layers.join("broken.fgb"), b"fgb\x03fgb\x00").expect("a file is written");
    Server::start(data)
}

fn features(page: &Value) -> &Vec<Value> {
    page["features"].as_array().expect("features")
}

fn ids(page: &Value) -> Vec<&str> {
    features(page).iter().map(|feature| feature["id"].as_str().expect("an id")).collect()
}

#[test]
fn a_file_in_the_folder_is_a_collection_with_pages_filters_and_a_schema() {
    let folder = tempdir().unwrap();
    let server = server_in(folder.path());
    let collections = server.get("/ogc/collections");
    let names: Vec<&Value> =
        collections["collections"].as_array().unwrap().iter().map(|c| &c["id"]).collect();
    assert_eq!(names, ["buildings"], "what is broken is left out");
    let collection = server.get("/ogc/collections/buildings");
    let bbox = &collection["extent"]["spatial"]["bbox"][0];
    assert!((bbox[0].as_f64().unwrap() - 24.935_185).abs() < 1e-6, "{bbox}");
    let schema = server.get("/ogc/collections/buildings/schema");
    assert_eq!(schema["properties"]["floors"]["type"], "number");

    let all = server.get("/ogc/collections/buildings/items?limit=1000");
    assert_eq!((&all["numberMatched"], features(&all).len()), (&446.into(), 446));
    // By links, page by page.
    let (mut found, mut next) =
        (Vec::new(), "/ogc/collections/buildings/items?limit=100".to_owned());
    loop {
        let page = server.get(&next);
        found.extend(ids(&page).into_iter().map(str::to_owned));
        let links = page["links"].as_array().unwrap();
        let Some(link) = links.iter().find(|link| link["rel"] == "next") else { break };
        let (_, path) = link["href"].as_str().unwrap().split_once("/ogc").unwrap();
        next = format!("/ogc{path}");
    }
    assert_eq!(found, ids(&all));

    // A box and a condition, against a look at all.
    let bbox = [24.94, 60.168, 24.945, 60.172];
    let text = bbox.map(|axis| axis.to_string()).join(",");
    let within = server.get(&format!("/ogc/collections/buildings/items?limit=1000&bbox={text}"));
    assert!(features(&within).len() > 5 && features(&within).len() < 400);
    assert_eq!(within["numberMatched"], features(&within).len());
    let high = "/ogc/collections/buildings/items?limit=1000&filter=floors%3E5";
    let high = server.get(&format!("{high}&bbox={text}"));
    let is_high = |feature: &&Value| feature["properties"]["floors"].as_f64() > Some(5.0);
    let expected: Vec<&Value> = features(&within).iter().filter(is_high).collect();
    assert!(!expected.is_empty());
    assert_eq!(features(&high).iter().collect::<Vec<_>>(), expected);

    let named = "/ogc/collections/buildings/items?filter=id%20IN%20(%27buildings.7%27,%27buildings.9%27,%27other.1%27)";
    assert_eq!(ids(&server.get(named)), ["buildings.7", "buildings.9"]);
    let one = server.get("/ogc/collections/buildings/items?id=buildings.7");
    assert_eq!(ids(&one), ["buildings.7"]);
    let one = server.get("/ogc/collections/buildings/items/buildings.7");
    assert_eq!(
        (&one["properties"], &one["geometry"]),
        (&features(&all)[7]["properties"], &features(&all)[7]["geometry"])
    );
    for (method, path, status) in [
        ("GET", "/ogc/collections/buildings/items/buildings.446", 404),
        ("GET", "/ogc/collections/broken/items", 404),
        ("GET", "/ogc/collections/buildings/items?nothing=1", 400),
        ("DELETE", "/ogc/collections/buildings/items/buildings.7", 405),
        ("PUT", "/ogc/collections/buildings/items/buildings.7", 405),
    ] {
        let body = (method == "PUT")
            .then_some("{\"type\":\"Feature\",\"geometry\":null,\"properties\":{}}");
        let answer = server.send(method, path, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
    }
    server.stop();
}

/// The buildings as a file in the system of a code.
fn write_buildings_in(epsg: u32, path: &Path) {
    let crs = Crs::from_epsg(epsg).expect("a system");
    let bytes = std::fs::read(buildings()).expect("a fixture");
    let reader = FlatGeobufReader::new(bytes.as_slice(), Limits::default()).expect("a FlatGeobuf");
    let code = i32::try_from(epsg).expect("a code");
    let mut writer = FlatGeobufWriter::new("buildings", Some(code), reader.schema().to_vec());
    for record in reader {
        let mut record = record.expect("a building");
        let geometry = record.geometry.as_mut().expect("a shape");
        geometry.shape = crs.project_geometry(&geometry.shape).expect("a place");
        writer.write(&record).expect("it is written");
    }
    let mut bytes = Vec::new();
    writer.finish(&mut bytes).expect("memory takes it");
    std::fs::write(path, bytes).expect("a file is written");
}

#[test]
fn a_file_with_a_name_that_no_layer_can_have_is_told_of_once() {
    let folder = tempdir().unwrap();
    let layers = folder.path().join("layers");
    std::fs::create_dir_all(&layers).unwrap();
    for name in ["the buildings", ".hidden", "plain"] {
        std::fs::copy(buildings(), layers.join(format!("{name}.fgb"))).unwrap();
    }
    let log = folder.path().join("log");
    let mut command = cardo(&["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
    command.arg("--data").arg(folder.path());
    let server = Server::spawn_with_log(command, std::fs::File::create(&log).unwrap().into());
    assert_eq!(server.get("/ogc/collections")["collections"].as_array().unwrap().len(), 1);
    std::fs::copy(buildings(), layers.join("another.fgb")).unwrap();
    let start = Instant::now();
    while server.get("/ogc/collections")["collections"].as_array().unwrap().len() < 2 {
        assert!(start.elapsed() < Duration::from_secs(30), "it does not come");
        std::thread::yield_now();
    }
    server.stop();
    let told = std::fs::read_to_string(&log).unwrap();
    assert_eq!(told.matches("the buildings.fgb").count(), 1, "{told}");
    assert!(told.contains("letters, digits, - and _") && !told.contains(".hidden"), "{told}");
}

#[test]
fn a_file_in_a_national_grid_answers_as_the_same_in_longitude_and_latitude() {
    let folder = tempdir().unwrap();
    let layers = folder.path().join("layers");
    std::fs::create_dir_all(&layers).unwrap();
    std::fs::copy(buildings(), layers.join("lonlat.fgb")).unwrap();
    for epsg in [3_879, 3_067, 3_857] {
        write_buildings_in(epsg, &layers.join(format!("grid{epsg}.fgb")));
    }
    let server = Server::start(folder.path());
    for epsg in [3_879, 3_067, 3_857] {
        let grid = format!("grid{epsg}");
        let ask = |question: &str| {
            ["lonlat", &grid].map(|name| {
                let items = format!("/ogc/collections/{name}/items?limit=1000&{question}");
                let page = server.get(&items);
                // The name of a column `id` is one of the layer's own.
                let values = |one: &Value| {
                    one["properties"].as_object().unwrap().values().cloned().collect::<Value>()
                };
                let mut found: Vec<String> =
                    features(&page).iter().map(|one| values(one).to_string()).collect();
                found.sort_unstable();
                (page["numberMatched"].clone(), found)
            })
        };
        for question in [
            "",
            "bbox=24.94,60.168,24.945,60.172",
            "bbox=24.9401,60.1681,24.9402,60.1682",
            "bbox=24.94,60.168,24.945,60.172&filter=floors%3E5",
            "bbox=10,10,11,11",
            "filter=S_INTERSECTS(geometry,LINESTRING(24.93%2060.16,24.96%2060.18))",
        ] {
            let [plain, projected] = ask(question);
            assert_eq!(projected.0, plain.0, "{grid} {question}");
            assert!(projected.1 == plain.1, "{grid} {question}");
        }
        let extent = |name: &str| {
            let collection = server.get(&format!("/ogc/collections/{name}"));
            let bbox = &collection["extent"]["spatial"]["bbox"][0];
            [0, 1, 2, 3].map(|axis| bbox[axis].as_f64().unwrap())
        };
        let (plain, projected) = (extent("lonlat"), extent(&grid));
        assert!(
            (0..2)
                .all(|axis| projected[axis] <= plain[axis] && projected[axis] > plain[axis] - 1e-3),
            "{projected:?}"
        );
        assert!(
            (2..4)
                .all(|axis| projected[axis] >= plain[axis] && projected[axis] < plain[axis] + 1e-3),
            "{projected:?}"
        );
        // Within a tenth of a millimetre.
        let one = |name: &str| {
            let items = format!("/ogc/collections/{name}/items?filter=name%3D%27Ateneum%27");
            features(&server.get(&items))[0]["geometry"]["coordinates"][0][0].clone()
        };
        let (plain, projected) = (one("lonlat"), one(&grid));
        for axis in [0, 1] {
            let apart = plain[axis].as_f64().unwrap() - projected[axis].as_f64().unwrap();
            assert!(apart.abs() < 2e-9, "{plain} {projected}");
        }
        let tile = format!("/ogc/collections/{grid}/tiles/WebMercatorQuad/16/18968/37308");
        assert!(server.send("GET", &tile, None).body.len() > 1_000);
        let stored = server.get(&format!("/ogc/collections/{grid}"))["storageCrs"].clone();
        let is_listed = epsg == 3_857;
        let expected = format!("http://www.opengis.net/def/crs/EPSG/0/{epsg}");
        assert_eq!(stored, if is_listed { expected.into() } else { Value::Null });
    }
    server.stop();
}

#[test]
fn a_file_is_a_layer_of_tiles_that_gdal_reads() {
    let folder = tempdir().unwrap();
    let server = server_in(&folder.path().join("data"));
    let (zoom, row, col) = (16, 18_968, 37_308);
    let path = format!("/ogc/collections/buildings/tiles/WebMercatorQuad/{zoom}/{row}/{col}");
    let answer = server.send("GET", &path, None);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let tag = answer.header("etag").unwrap().to_owned();
    let known = server.connect().send("GET", &path, &[("If-None-Match", &tag)], None).unwrap();
    assert_eq!(known.status, 304);
    let dataset = format!("/ogc/tiles/WebMercatorQuad/{zoom}/{row}/{col}");
    assert_eq!(server.send("GET", &dataset, None).body, answer.body);
    let described = server.get("/ogc/collections/buildings/tiles/WebMercatorQuad?f=tilejson");
    assert_eq!(described["vector_layers"][0]["fields"]["floors"], "number");
    assert!(described["bounds"].is_array());
    // Far away all are merged, and none is lost.
    let far = server.send("GET", "/ogc/collections/buildings/tiles/WebMercatorQuad/0/0/0", None);
    assert_eq!(far.status, 200);
    assert!(!far.body.is_empty() && far.body.len() < 200);
    let filtered = format!("{path}?filter=floors%3E100");
    assert!(server.send("GET", &filtered, None).body.is_empty());

    let file = folder.path().join("tile.mvt");
    std::fs::write(&file, &answer.body).unwrap();
    let mut ogrinfo = Command::new("ogrinfo");
    ogrinfo.args(["-ro", "-al", "-geom=NO"]).arg(&file);
    let Ok(output) = ogrinfo.output() else { return };
    let said = String::from_utf8_lossy(&output.stdout);
    let mut shown: BTreeSet<&str> = BTreeSet::new();
    shown.extend(said.lines().filter_map(|line| line.trim().strip_prefix("id (String) = ")));
    assert!(said.contains("Layer name: buildings") && shown.len() > 10, "{said}");
    assert!(shown.iter().all(|id| id.starts_with("buildings.")), "{shown:?}");
    server.stop();
}

/// Points with a moment each, as programs write them: at an offset, in UTC, without saying, and a day.
pub(crate) fn write_moments(path: &Path, moments: &[&str]) {
    write_columns_of_moments(path, &["built"], moments);
}

/// The same in several columns.
fn write_columns_of_moments(path: &Path, columns: &[&str], moments: &[&str]) {
    let schema = |name: &&str| FieldSchema { name: (*name).into(), kind: FieldKind::DateTime };
    let schema = columns.iter().map(schema).collect();
    let mut writer = FlatGeobufWriter::new("moments", Some(4326), schema);
    for (at, text) in (0_i32..).zip(moments) {
        let geometry = Some(RecordGeometry::flat(geo_types::Point::new(f64::from(at), 60.0)));
        let value = |name: &&str| ((*name).into(), FieldValue::DateTime((*text).to_owned()));
        let fields = columns.iter().map(value).collect();
        writer.write(&Record { geometry, fields, ..Record::default() }).expect("it is written");
    }
    let mut bytes = Vec::new();
    writer.finish(&mut bytes).expect("memory takes it");
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
    std::fs::write(path, bytes).expect("a file is written");
}

#[test]
fn moments_of_a_file_are_compared_as_moments_however_they_are_written() {
    let folder = tempdir().unwrap();
    let moments = [
        "2020-01-02T10:00:00+03:00",
        "2020-01-02T10:00:00Z",
        "2020-01-02T10:00:00.500",
        "2020-01-03",
        "2020/01/04",
    ];
    write_moments(&folder.path().join("layers/moments.fgb"), &moments);
    let server = Server::start(folder.path());
    let schema = server.get("/ogc/collections/moments/schema");
    let built = &schema["properties"]["built"];
    assert_eq!((&built["type"], &built["format"]), (&"string".into(), &"date-time".into()));
    let all = server.get("/ogc/collections/moments/items");
    let mut shown: Vec<&str> =
        features(&all).iter().map(|one| one["properties"]["built"].as_str().unwrap()).collect();
    shown.sort_unstable();
    let expected = [
        "2020-01-02T07:00:00Z",
        "2020-01-02T10:00:00.500Z",
        "2020-01-02T10:00:00Z",
        "2020-01-03T00:00:00Z",
        "2020/01/04",
    ];
    assert_eq!(shown, expected, "what is no moment stays what it is");
    for (condition, count) in [
        ("built>TIMESTAMP('2020-01-02T09:00:00Z')", 3),
        ("built=TIMESTAMP('2020-01-02T07:00:00Z')", 1),
        ("built<=TIMESTAMP('2020-01-02T10:00:00Z')", 2),
        ("T_AFTER(built,DATE('2020-01-02'))", 1),
        ("T_INTERSECTS(built,INTERVAL('2020-01-02T08:00:00Z','2020-01-02T11:00:00Z'))", 2),
    ] {
        let condition = condition.replace('>', "%3E").replace('<', "%3C").replace('\'', "%27");
        let found = server.get(&format!("/ogc/collections/moments/items?filter={condition}"));
        assert_eq!(found["numberMatched"], count, "{condition}");
    }
    let moments = "filter=built%3ETIMESTAMP(%272000-01-01T00:00:00Z%27)";
    let sorted = server.get(&format!("/ogc/collections/moments/items?sortby=-built&{moments}"));
    assert_eq!(features(&sorted)[0]["properties"]["built"], "2020-01-03T00:00:00Z");
    server.stop();
}

#[test]
fn the_only_column_of_moments_of_a_file_is_the_time_of_its_features() {
    let folder = tempdir().unwrap();
    let layers = folder.path().join("layers");
    let moments = ["2020-01-02T10:00:00+03:00", "2020-01-02T10:00:00Z", "2020-01-03"];
    write_moments(&layers.join("moments.fgb"), &moments);
    write_moments(&layers.join("some.fgb"), &["2020-01-02T10:00:00Z", "some day"]);
    write_columns_of_moments(&layers.join("spans.fgb"), &["begun", "ended"], &moments);
    let server = Server::start(folder.path());
    let schema = server.get("/ogc/collections/moments/schema");
    assert_eq!(schema["properties"]["built"]["x-ogc-role"], "primary-instant");
    let schema = server.get("/ogc/collections/spans/schema");
    assert_eq!(schema["properties"]["begun"]["x-ogc-role"], Value::Null);
    for (layer, time, count) in [
        ("moments", "2020-01-02T08:00:00Z/..", 2),
        ("moments", "2020-01-02", 2),
        ("moments", "../2020-01-02T07:00:00Z", 1),
        ("moments", "2020-01-02T07:00:00Z", 1),
        ("moments", "2021-01-01/..", 0),
        // What has no time matches (OGC API Features, /req/core/fc-time-response).
        ("some", "2021-01-01/..", 1),
        ("some", "2020-01-02", 2),
        // Nothing says which of two columns it is.
        ("spans", "2021-01-01/..", 3),
    ] {
        let page = server.get(&format!("/ogc/collections/{layer}/items?datetime={time}"));
        assert_eq!(page["numberMatched"], count, "{layer} {time}");
        let path = format!("/ogc/collections/{layer}/tiles/WebMercatorQuad/0/0/0?datetime={time}");
        let tile = server.send("GET", &path, None);
        assert_eq!(tile.status, 200);
        assert_eq!(tile.body.is_empty(), count == 0, "{layer} {time}");
    }
    let shown = server.get("/ogc/collections/moments/items?f=jsonfg&datetime=2020-01-02T07:00:00Z");
    assert_eq!(features(&shown)[0]["time"]["timestamp"], "2020-01-02T07:00:00Z");
    server.stop();
}

/// How many features GDAL counts, by its summary.
fn counted(source: &str, layer: &str, conditions: &[&str]) -> Option<u64> {
    let said = run("ogrinfo", &[&["-ro", "-so"], conditions, &[source, layer]].concat())?;
    let count = said.lines().find_map(|line| line.strip_prefix("Feature Count: "));
    Some(count.unwrap_or_else(|| panic!("{said}")).parse().expect("a number"))
}

#[test]
fn gdal_finds_in_the_collection_what_it_finds_in_the_file() {
    let folder = tempdir().unwrap();
    let server = server_in(folder.path());
    let (root, file) = (format!("OAPIF:http://{}/ogc", server.address), buildings());
    let file = file.display().to_string();
    let name = Path::new(&file).file_stem().unwrap().to_str().unwrap();
    let Some(listed) = run("ogrinfo", &["-ro", "-so", &file]) else { return };
    assert!(listed.contains(&format!("1: {name}")), "{listed}");
    let mut some = 0;
    for conditions in [
        &[][..],
        // Debian's GDAL knows those properties that the first features have.
        &["-where", "floors > 5"],
        &["-where", "floors > 5 AND floors < 8"],
        &["-where", "floors = 4 OR floors = 5"],
        &["-where", "name = 'Ateneum'"],
        &["-where", "name LIKE 'A%'"],
        &["-where", "floors IS NOT NULL"],
        &["-spat", "24.94", "60.168", "24.945", "60.172"],
        &["-spat", "24.94", "60.168", "24.945", "60.172", "-where", "floors >= 6"],
        &["-spat", "10", "10", "11", "11"],
    ] {
        let in_file = counted(&file, name, conditions).unwrap();
        assert_eq!(counted(&root, "buildings", conditions), Some(in_file), "{conditions:?}");
        some += u64::from(in_file > 0 && in_file < 446);
    }
    assert!(some >= 6, "the conditions ask for something");
    // The same features in every encoding that GDAL reads.
    let bbox = "bbox=24.94,60.168,24.945,60.172&limit=1000";
    let within = counted(&file, name, &["-spat", "24.94", "60.168", "24.945", "60.172"]);
    for (format, extension) in
        [("json", "geojson"), ("fgb", "fgb"), ("gpkg", "gpkg"), ("csv", "csv")]
    {
        let path = format!("/ogc/collections/buildings/items?{bbox}&f={format}");
        let answer = server.send("GET", &path, None);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let out = folder.path().join(format!("some.{extension}"));
        std::fs::write(&out, &answer.body).unwrap();
        let layer = if matches!(format, "json" | "csv") { "some" } else { "buildings" };
        assert_eq!(counted(&out.display().to_string(), layer, &[]), within, "{format}");
    }
    server.stop();
}

#[test]
fn a_kept_tile_is_compressed_once_for_all_clients() {
    let folder = tempdir().unwrap();
    let server = server_in(folder.path());
    let path = "/ogc/collections/buildings/tiles/WebMercatorQuad/16/18968/37308";
    let plain = server.send("GET", path, None);
    assert!(plain.body.len() > 1_024);
    let coded = || {
        let gzip = [("Accept-Encoding", "gzip")];
        let answer = server.connect().send("GET", path, &gzip, None).unwrap();
        assert_eq!(answer.header("content-encoding"), Some("gzip"));
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(answer.body.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain.body);
        // What is ready has a length; what is in the making has none yet.
        (answer.header("content-length").is_some(), answer.body)
    };
    let (first, second) = (coded(), coded());
    assert_eq!((first.0, second.0), (false, true));
    assert_eq!(first.1, second.1);
    server.stop();
}

#[test]
fn w1_w6_what_is_in_a_file_takes_no_changes_and_what_lies_beside_it_keeps_its_tags() {
    let folder = tempdir().unwrap();
    let server = server_in(folder.path());
    for path in ["items", "items/buildings.0"] {
        let path = format!("/ogc/collections/buildings/{path}");
        let answer = server.send("OPTIONS", &path, None);
        assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"), "{path}");
    }
    server.create("urn:ngsi-ld:Sample:1", r#""a": 1"#);
    let path = "/ogc/collections/Sample/items/urn:ngsi-ld:Sample:1";
    let patch = [("content-type", "application/merge-patch+json")];
    let mut connection = server.connect();
    let changed = connection.send("PATCH", path, &patch, Some(r#"{"a": 2}"#)).unwrap();
    assert_eq!(changed.status, 204, "{}", changed.text());
    assert!(changed.header("etag").is_some());
    assert_eq!(changed.header("etag"), server.send("GET", path, None).header("etag"));
    server.stop();
}

#[test]
fn a_file_that_is_removed_while_it_is_served_takes_its_collection_with_it() {
    let folder = tempdir().unwrap();
    let server = server_in(folder.path());
    let path = "/ogc/collections/buildings/items?limit=1";
    assert_eq!(server.send("GET", path, None).status, 200);
    std::fs::remove_file(folder.path().join("layers/buildings.fgb")).unwrap();
    let start = Instant::now();
    while server.send("GET", path, None).status != 404 {
        assert!(start.elapsed() < Duration::from_secs(30), "it is still there");
        std::thread::yield_now();
    }
    assert_eq!(server.get("/ogc/collections")["collections"], Value::Array(Vec::new()));
    server.stop();
}

/// Points with a name each, of which those of some names cannot be read.
fn write_damaged(path: &Path, count: i32, damaged: &[&str]) {
    let columns = vec![FieldSchema { name: "name".into(), kind: FieldKind::Text }];
    let mut writer = FlatGeobufWriter::new("points", Some(4326), columns);
    for at in 0..count {
        let geometry = Some(RecordGeometry::flat(geo_types::Point::new(f64::from(at), 60.0)));
        let fields = vec![("name".into(), FieldValue::Text(format!("<no. {at}>")))];
        writer.write(&Record { geometry, fields, ..Record::default() }).expect("it is written");
    }
    let mut bytes = Vec::new();
    writer.finish(&mut bytes).expect("memory takes it");
    for name in damaged {
        let start = bytes.windows(name.len()).position(|part| part == name.as_bytes());
        let start = start.expect("the name is there");
        // The number of the column and the length of the text.
        bytes[start - 6..start].fill(0xff);
    }
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
    std::fs::write(path, bytes).expect("a file is written");
}

#[test]
fn a_damaged_feature_of_a_file_is_left_out_and_counted_and_hinders_no_other() {
    let folder = tempdir().unwrap();
    write_damaged(&folder.path().join("layers/points.fgb"), 40, &["<no. 7>", "<no. 8>"]);
    let server = Server::start(folder.path());
    let items = "/ogc/collections/points/items";
    // Forward and back, by links alone: every other one once.
    let follow = |rel: &str, first: String| {
        let (mut found, mut next) = (Vec::new(), first);
        loop {
            let page = server.get(&next);
            let own: Vec<Value> =
                features(&page).iter().map(|one| one["properties"]["name"].clone()).collect();
            found = if rel == "next" { [found, own].concat() } else { [own, found].concat() };
            let links = page["links"].as_array().unwrap();
            let Some(link) = links.iter().find(|link| link["rel"] == rel) else { break };
            next = format!("/ogc{}", link["href"].as_str().unwrap().split_once("/ogc").unwrap().1);
        }
        found
    };
    let all = follow("next", format!("{items}?limit=3"));
    assert_eq!(all.len(), 38);
    assert!(!all.iter().any(|name| name == "<no. 7>" || name == "<no. 8>"));
    assert_eq!(follow("prev", format!("{items}?limit=3&offset=36"))[..], all[..]);
    let by_offset: Vec<Value> = (0..38)
        .flat_map(|at| features(&server.get(&format!("{items}?limit=1&offset={at}"))).clone())
        .map(|one| one["properties"]["name"].clone())
        .collect();
    assert_eq!(by_offset, all);
    // All that counts says the same, with and without a condition.
    for question in
        ["?limit=100", "?limit=100&bbox=-1,59,50,61", "?filter=name%20LIKE%20%27%25%27&limit=100"]
    {
        let page = server.get(&format!("{items}{question}"));
        assert_eq!((&page["numberMatched"], &page["numberReturned"]), (&38.into(), &38.into()));
    }
    for format in ["fgb", "gpkg", "csv", "parquet", "html"] {
        assert_eq!(
            server.send("GET", &format!("{items}?f={format}"), None).status,
            200,
            "{format}"
        );
    }
    let described = server.get("/ogc/collections/points");
    let said = "The features of the file points but 2, which are damaged";
    assert_eq!(described["description"], said);
    let metrics = server.send("GET", "/metrics", None).text();
    assert!(metrics.contains("cardo_layer_features{layer=\"points\"} 38\n"), "{metrics}");
    assert!(metrics.contains("cardo_layer_damaged_features{layer=\"points\"} 2\n"), "{metrics}");
    // One by one: what is damaged says so.
    let answers = (0..40).map(|at| server.send("GET", &format!("{items}/points.{at}"), None));
    let (found, lost): (Vec<_>, Vec<_>) = answers.partition(|answer| answer.status == 200);
    assert_eq!((found.len(), lost.len()), (38, 2));
    for answer in lost {
        assert_eq!(answer.status, 404);
        assert!(answer.text().contains("is damaged in the file"), "{}", answer.text());
    }
    // A tile that would show them, and one of all with a condition.
    for question in ["5/9/17", "5/9/17?filter=name%3C%3E%27a%27", "0/0/0"] {
        let path = format!("/ogc/collections/points/tiles/WebMercatorQuad/{question}");
        let tile = server.send("GET", &path, None);
        assert_eq!((tile.status, tile.body.is_empty()), (200, false), "{question}");
    }
    server.stop();
}

#[test]
fn a_file_that_is_cut_off_is_no_layer_until_it_is_there_as_a_whole() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("layers/points.fgb");
    write_damaged(&path, 40, &[]);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 200]).unwrap();
    let server = Server::start(folder.path());
    let items = "/ogc/collections/points/items";
    assert_eq!(server.send("GET", items, None).status, 404);
    std::fs::write(&path, &whole).unwrap();
    let start = Instant::now();
    while server.send("GET", items, None).status != 200 {
        assert!(start.elapsed() < Duration::from_secs(30), "it is not there");
        std::thread::yield_now();
    }
    assert_eq!(server.get(items)["numberMatched"], 40);
    server.stop();
}

#[test]
fn a_tile_of_a_large_file_shows_what_meets_a_time_or_a_condition() {
    let folder = tempdir().unwrap();
    let schema = |name: &str, kind| FieldSchema { name: name.into(), kind };
    let columns = vec![schema("name", FieldKind::Text), schema("built", FieldKind::DateTime)];
    let mut writer = FlatGeobufWriter::new("many", Some(4326), columns);
    for at in 0..60_000_i32 {
        let place = geo_types::Point::new(f64::from(at % 300) / 10.0, f64::from(at / 300) / 10.0);
        let built = format!("{}-01-01T00:00:00Z", 1_000 + at / 100);
        let name = format!("<no. {at}>");
        let fields = vec![
            ("name".into(), FieldValue::Text(name)),
            ("built".into(), FieldValue::DateTime(built)),
        ];
        let geometry = Some(RecordGeometry::flat(place));
        writer.write(&Record { geometry, fields, ..Record::default() }).unwrap();
    }
    let mut bytes = Vec::new();
    writer.finish(&mut bytes).unwrap();
    std::fs::create_dir_all(folder.path().join("layers")).unwrap();
    std::fs::write(folder.path().join("layers/many.fgb"), bytes).unwrap();
    let server = Server::start(folder.path());
    // A box is counted by the index, and what is not counted comes page by page.
    let items = "/ogc/collections/many/items";
    let all = server.get(&format!("{items}?limit=10&bbox=-1,-1,50,50"));
    assert_eq!((&all["numberMatched"], features(&all).len()), (&60_000.into(), 10));
    let path_of = |page: &Value, rel: &str| {
        let links = page["links"].as_array().unwrap();
        let link = links.iter().find(|link| link["rel"] == rel)?;
        Some(format!("/ogc{}", link["href"].as_str().unwrap().split_once("/ogc").unwrap().1))
    };
    let next = server.get(&path_of(&all, "next").unwrap());
    let back = server.get(&path_of(&next, "prev").unwrap());
    assert_eq!(ids(&back), ids(&all));
    let (mut found, mut next) =
        (Vec::new(), format!("{items}?limit=3000&datetime=1312-01-01/1399-12-31"));
    loop {
        let page = server.get(&next);
        assert_eq!(page["numberMatched"], Value::Null);
        assert_eq!(page["numberReturned"], features(&page).len());
        found.extend(ids(&page).into_iter().map(str::to_owned));
        assert_eq!(path_of(&page, "prev"), None, "it could not be found");
        let Some(path) = path_of(&page, "next") else { break };
        next = path;
    }
    assert_eq!((found.len(), found.iter().collect::<BTreeSet<_>>().len()), (8_800, 8_800));
    let page = server.send("GET", &format!("{items}?f=html&datetime=1312-01-01/.."), None);
    assert!(page.text().contains("features of a number that is not counted"));
    for refused in ["datetime=1312-01-01/..&sortby=name", "filter=name%3D%27%3F%27&sortby=name"] {
        let answer = server.send("GET", &format!("{items}?{refused}"), None);
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("50000 are the most"), "{}", answer.text());
    }
    let tile = |question: &str| {
        let path = format!("/ogc/collections/many/tiles/WebMercatorQuad/0/0/0?{question}");
        let answer = server.send("GET", &path, None);
        assert_eq!(answer.status, 200, "{question}: {}", answer.text());
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    let one = "filter=name%3D%27%3Cno.%2031234%3E%27";
    let shown = tile(one);
    assert!(shown.contains("<no. 31234>") && shown.contains("1312-01-01T00:00:00Z"), "{shown}");
    assert!(tile(&format!("{one}&datetime=1312-01-01")).contains("<no. 31234>"));
    assert_eq!(tile(&format!("{one}&datetime=1313-01-01/..")), "");
    assert_eq!(tile("datetime=1700-01-01/.."), "");
    let some = tile("datetime=1312-01-01T00:00:00Z");
    assert!((31_200..31_300).all(|at| some.contains(&format!("<no. {at}>"))), "{some}");
    assert_eq!(some.matches("<no. ").count(), 100);
    // As GeoJSON a tile has all or is refused.
    let path = "/ogc/collections/many/tiles/WebMercatorQuad/0/0/0?f=geojson";
    let some = server.get(&format!("{path}&datetime=1312-01-01"));
    assert_eq!((features(&some).len(), &some["numberMatched"]), (100, &100.into()));
    assert_eq!(server.send("GET", path, None).status, 400);
    server.stop();
}
