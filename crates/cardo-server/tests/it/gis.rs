//! Real clients of OGC API Features read the demonstration city: GDAL and OWSLib.

use std::process::Command;

use serde_json::Value;
use tempfile::tempdir;

use crate::support::{Server, cardo};

pub(crate) fn demo(data: &std::path::Path) -> Server {
    let mut command = cardo(&["demo", "--listen", "127.0.0.1:0"]);
    command.arg("--data").arg(data);
    let mut server = Server::spawn(command);
    server.line_with("Ready after");
    server
}

/// Runs a program and gives what it said; `None` where it is not installed, which CI forbids.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output();
    let output = match output {
        Ok(output) => output,
        Err(error) if std::env::var_os("CI").is_none() => {
            eprintln!("not shown: {program} is missing ({error})");
            return None;
        }
        Err(error) => panic!("{program} is missing ({error}); .ci/test installs it"),
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {errors}{said}");
    assert!(!errors.contains("ERROR"), "{program} {arguments:?}: {errors}");
    Some(said)
}

fn matched(server: &Server, path: &str) -> u64 {
    server.get(path)["numberMatched"].as_u64().expect("a count")
}

#[test]
fn gdal_reads_every_collection_with_right_counts_types_areas_and_values() {
    let folder = tempdir().unwrap();
    let server = demo(&folder.path().join("data"));
    let source = format!("OAPIF:http://{}/ogc", server.address);
    let Some(layers) = run("ogrinfo", &["-ro", "-q", &source]) else { return };
    let collections = server.get("/ogc/collections")["collections"].clone();
    for collection in collections.as_array().unwrap() {
        let id = collection["id"].as_str().unwrap();
        assert!(layers.contains(&format!(": {id} ")), "{id} is missing: {layers}");
        let summary = run("ogrinfo", &["-ro", "-so", &source, id]).unwrap();
        let count = matched(&server, &format!("/ogc/collections/{id}/items?limit=1"));
        assert!(summary.contains(&format!("Feature Count: {count}\n")), "{id}: {summary}");
    }
    let weather = run("ogrinfo", &["-ro", "-so", &source, "WeatherObserved"]).unwrap();
    assert!(weather.contains("temperature: Real"), "{weather}");
    assert!(weather.contains("temperature__observedAt: DateTime"), "{weather}");

    let area = ["24.94", "60.165", "24.95", "60.175"];
    let [west, south, east, north] = area;
    let inside = matched(
        &server,
        &format!("/ogc/collections/Building/items?bbox={west},{south},{east},{north}"),
    );
    assert!(inside > 20, "{inside} buildings");
    let spat = [&["-ro", "-so", "-spat"], &area[..], &[source.as_str(), "Building"]].concat();
    let summary = run("ogrinfo", &spat).unwrap();
    assert!(summary.contains(&format!("Feature Count: {inside}\n")), "{summary}");
    let station = "stationCode = '100971'";
    let found = run("ogrinfo", &["-ro", "-where", station, &source, "WeatherObserved"]).unwrap();
    assert!(found.contains("stationCode (String) = 100971"), "{found}");

    // GDAL asks for equality by a parameter and judges the rest itself: the language it looks for in
    // the definition is a draft of CQL2. What it leaves over is what the filter leaves over.
    let stations =
        server.get("/ogc/collections/WeatherObserved/items?limit=100")["features"].clone();
    let stations = stations.as_array().unwrap();
    let degrees = |station: &Value| station["properties"]["temperature"].as_f64();
    let middle = stations.iter().filter_map(degrees).sum::<f64>() / 22.0;
    let filter = format!("temperature%3E{middle}");
    let warm = matched(&server, &format!("/ogc/collections/WeatherObserved/items?filter={filter}"));
    assert!(0 < warm && warm < 22, "{warm} stations above {middle}");
    let filter = format!("temperature > {middle}");
    let question = ["-ro", "-so", "-where", &filter, &source, "WeatherObserved"];
    let left = run("ogrinfo", &question).unwrap();
    assert!(left.contains(&format!("Feature Count: {warm}\n")), "{left}");

    // More than one page, whole.
    let out = folder.path().join("buildings.geojson");
    let out = out.to_str().unwrap();
    run("ogr2ogr", &["-f", "GeoJSON", "-oo", "PAGE_SIZE=100", out, &source, "Building"]).unwrap();
    let copied: Value = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
    let copied = copied["features"].as_array().unwrap();
    let all = server.get("/ogc/collections/Building/items?limit=10000");
    let all = all["features"].as_array().unwrap();
    assert_eq!(copied.len(), all.len());
    for (one, other) in copied.iter().zip(all) {
        assert_eq!(one["properties"]["id"], other["id"]);
        let [one, other] = [one, other].map(|feature| &feature["properties"]["floorsAboveGround"]);
        assert_eq!(one.as_f64(), other.as_f64());
    }
    server.stop();
}

#[test]
fn gdal_reads_a_vector_tile_with_the_features_of_its_area() {
    let folder = tempdir().unwrap();
    let server = demo(&folder.path().join("data"));
    // The tile around the main station, on which nothing is merged.
    let (zoom, row, col) = (16, 18_968, 37_308);
    let answer = server.send(
        "GET",
        &format!("/ogc/collections/Building/tiles/WebMercatorQuad/{zoom}/{row}/{col}"),
        None,
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    let file = folder.path().join("tile.mvt");
    std::fs::write(&file, &answer.body).unwrap();
    let place = [format!("Z={zoom}"), format!("Y={row}"), format!("X={col}")];
    let options: Vec<&str> = place.iter().flat_map(|one| ["-oo", one.as_str()]).collect();
    let start = ["-ro", "-al", "-geom=WKT"];
    let read = [&start[..], &options, &[file.to_str().unwrap()]].concat();
    let Some(said) = run("ogrinfo", &read) else { return };
    assert!(said.contains("Layer name: Building"), "{said}");
    let degrees = |axis: u32| f64::from(axis) / f64::from(1_u32 << zoom);
    let lon = |col: u32| degrees(col) * 360.0 - 180.0;
    let lat = |row: u32| ((0.5 - degrees(row)) * std::f64::consts::TAU).sinh().atan().to_degrees();
    let area = format!("{},{},{},{}", lon(col), lat(row + 1), lon(col + 1), lat(row));
    let path = format!("/ogc/collections/Building/items?limit=10000&bbox={area}");
    let inside = server.get(&path)["features"].clone();
    let inside = inside.as_array().unwrap();
    assert!(inside.len() > 10, "{} buildings", inside.len());
    for feature in inside {
        let id = feature["id"].as_str().unwrap();
        assert!(said.contains(&format!("id (String) = {id}\n")), "{id} is missing: {said}");
    }
    assert!(said.contains("POLYGON (("), "{said}");
    server.stop();
}

/// How many features a layer of a file has, as GDAL counts them.
fn counted(file: &str, layer: &str) -> u64 {
    let summary = run("ogrinfo", &["-ro", "-so", file, layer]).expect("it is installed");
    let count = summary.lines().find_map(|line| line.strip_prefix("Feature Count: "));
    count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no count: {summary}"))
}

#[test]
fn gdal_reads_what_features_are_given_out_as() {
    let folder = tempdir().unwrap();
    let server = demo(&folder.path().join("data"));
    let area = ["24.94", "60.165", "24.95", "60.175"];
    for name in ["csv", "fgb", "gpkg", "jsonfg"] {
        let file = |collection: &str| {
            let path = format!("/ogc/collections/{collection}/items?limit=1000000&f={name}");
            let answer = server.send("GET", &path, None);
            assert_eq!(answer.status, 200, "{}", answer.text());
            let extension = if name == "jsonfg" { "geojson" } else { name };
            let file = folder.path().join(format!("{collection}.{extension}"));
            std::fs::write(&file, &answer.body).unwrap();
            file.to_str().unwrap().to_owned()
        };
        let buildings = file("Building");
        let summary = run("ogrinfo", &["-ro", "-so", "-al", &buildings]);
        let Some(summary) = summary else { return };
        let all = matched(&server, "/ogc/collections/Building/items?limit=1");
        assert!(summary.contains(&format!("Feature Count: {all}\n")), "{name}: {summary}");
        // Text has no types of columns but those that a reader guesses.
        if name == "csv" || name == "jsonfg" {
            continue;
        }
        assert!(summary.contains("floorsAboveGround: Real"), "{name}: {summary}");
        assert!(summary.contains("ID[\"EPSG\",4326]"), "{name}: {summary}");
        // Of a box GDAL itself takes what meets it, by the index where there is one.
        let spat = [&["-ro", "-so", "-al", "-spat"], &area[..], &[buildings.as_str()]].concat();
        let [west, south, east, north] = area;
        let path = format!("/ogc/collections/Building/items?bbox={west},{south},{east},{north}");
        let inside = matched(&server, &path);
        let summary = run("ogrinfo", &spat).unwrap();
        if name == "gpkg" {
            // Of an index in SQL it takes the boxes alone.
            let counted = summary.lines().find_map(|line| line.strip_prefix("Feature Count: "));
            let counted: u64 = counted.and_then(|count| count.parse().ok()).expect("a count");
            assert!((inside..all / 2).contains(&counted), "{counted} of {inside}: {summary}");
        } else {
            assert!(summary.contains(&format!("Feature Count: {inside}\n")), "{name}: {summary}");
        }
        let weather = run("ogrinfo", &["-ro", "-so", "-al", &file("WeatherObserved")]).unwrap();
        assert!(weather.contains("temperature: Real"), "{name}: {weather}");
        assert!(weather.contains("temperature__observedAt: DateTime"), "{name}: {weather}");
    }
    server.stop();
}

#[test]
fn gdal_takes_the_fields_and_their_types_from_the_schema() {
    let folder = tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    // What the first pages have would be read as whole numbers, and the last field would be missed.
    for number in 0..30 {
        let last = if number < 29 { "" } else { r#", "note": "at last""# };
        let level = if number < 29 { "5" } else { "5000000000.5" };
        let mixed = if number < 29 { "7" } else { r#""seven""# };
        let odd = number % 2 == 1;
        server.create(
            &format!("urn:ngsi-ld:Sample:{number:02}"),
            &format!(
                r#""level": {level}, "mixed": {mixed}, "tags": ["a", "b"], "odd": {odd},
                   "day": "2026-01-31", "at": "2026-01-31T12:00:00Z"{last}"#
            ),
        );
    }
    let source = format!("OAPIF:http://{}/ogc", server.address);
    let Some(said) = run("ogrinfo", &["-ro", "-al", &source, "Sample"]) else { return };
    let (_, last) = said.rsplit_once("OGRFeature").unwrap();
    for field in [
        "level (Real) = 5000000000.5",
        "mixed (String) = seven",
        "note (String) = at last",
        "day (Date) = 2026/01/31",
        "at (DateTime) = 2026/01/31 12:00:00+00",
        "tags (StringList) = (2:a,b)",
    ] {
        assert!(last.contains(field), "{field}: {last}");
    }
    assert_eq!(said.matches("  id (String)").count(), 30);
    let odd = run("ogrinfo", &["-ro", "-so", &source, "Sample", "-where", "odd = 1"]).unwrap();
    assert!(odd.contains("Feature Count: 15\n"), "{odd}");
    server.stop();
}

#[test]
fn gdal_reads_what_has_no_place_too() {
    let folder = tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.create("urn:ngsi-ld:Sample:1", r#""text": "mind the gap""#);
    for name in ["csv", "fgb", "gpkg"] {
        let answer = server.send("GET", &format!("/ogc/collections/Sample/items?f={name}"), None);
        let file = folder.path().join(format!("places.{name}"));
        std::fs::write(&file, &answer.body).unwrap();
        let Some(said) = run("ogrinfo", &["-ro", "-al", file.to_str().unwrap()]) else { return };
        assert!(said.contains("text (String) = mind the gap"), "{name}: {said}");
    }
    server.stop();
}

#[test]
fn gdal_reads_a_flatgeobuf_whose_features_have_heights_in_part() {
    let folder = tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let put = |id: &str, position: &str| {
        let point = format!(r#"{{"type":"Point","coordinates":{position}}}"#);
        server.create(id, &format!(r#""location":{{"type":"GeoProperty","value":{point}}}"#));
    };
    let read = || {
        let answer = server.send("GET", "/ogc/collections/Sample/items?f=fgb", None);
        let file = folder.path().join("wells.fgb");
        std::fs::write(&file, &answer.body).unwrap();
        run("ogrinfo", &["-ro", "-al", file.to_str().unwrap()])
    };
    put("urn:ngsi-ld:Sample:a", "[24.9,60.1,12.5]");
    put("urn:ngsi-ld:Sample:b", "[24.8,60.2,-3]");
    let Some(said) = read() else { return };
    assert!(said.contains("POINT Z (24.9 60.1 12.5)"), "{said}");
    put("urn:ngsi-ld:Sample:c", "[24.7,60.3]");
    let said = read().unwrap();
    for position in ["24.9 60.1", "24.8 60.2", "24.7 60.3"] {
        assert!(said.contains(&format!("POINT ({position})")), "{said}");
    }
    server.stop();
}

#[test]
fn c6_gdal_knows_the_system_of_a_file_by_its_code_and_its_definition() {
    let folder = tempdir().unwrap();
    let server = demo(&folder.path().join("data"));
    for (code, name) in [(3879, "ETRS89 / GK25FIN"), (3067, "ETRS89 / TM35FIN"), (3857, "WGS 84 /")]
    {
        let uri = format!("http://www.opengis.net/def/crs/EPSG/0/{code}");
        for format in ["gpkg", "fgb"] {
            let path = format!("/ogc/collections/WeatherObserved/items?crs={uri}&f={format}");
            let answer = server.send("GET", &path, None);
            assert_eq!(answer.status, 200, "{}", answer.text());
            let file = folder.path().join(format!("{code}.{format}"));
            std::fs::write(&file, &answer.body).unwrap();
            let file = file.to_str().unwrap();
            let Some(summary) = run("ogrinfo", &["-ro", "-so", "-al", file]) else { return };
            assert!(summary.contains(&format!("ID[\"EPSG\",{code}]")), "{format}: {summary}");
            if format == "gpkg" {
                let sql = format!(
                    "SELECT srs_name, definition FROM gpkg_spatial_ref_sys WHERE srs_id = {code}"
                );
                let said = run("ogrinfo", &["-ro", "-q", "-sql", &sql, file]).unwrap();
                assert!(said.contains(&format!("srs_name (String) = {name}")), "{said}");
                assert!(said.contains(&format!("definition (String) = PROJCS[\"{name}")), "{said}");
            }
        }
    }
    server.stop();
}

#[test]
fn gdal_copies_every_collection_into_a_geopackage_whole() {
    let folder = tempdir().unwrap();
    let server = demo(&folder.path().join("data"));
    let source = format!("OAPIF:http://{}/ogc", server.address);
    let file = folder.path().join("city.gpkg");
    let file = file.to_str().unwrap();
    let copy = ["-f", "GPKG", "-oo", "PAGE_SIZE=500", file, &source];
    if run("ogr2ogr", &copy).is_none() {
        return;
    }
    let collections = server.get("/ogc/collections")["collections"].clone();
    let collections = collections.as_array().unwrap();
    assert!(collections.len() > 10, "{collections:?}");
    for collection in collections {
        let id = collection["id"].as_str().unwrap();
        let count = matched(&server, &format!("/ogc/collections/{id}/items?limit=1"));
        assert_eq!(counted(file, id), count, "{id}");
    }
    server.stop();
}

#[test]
fn gdal_takes_lists_as_lists_of_what_they_have_in_them() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    server.create(
        "urn:x:1",
        r#""counts": [1, 2], "numbers": [1, 2.5], "words": ["a", "b"], "mixed": ["a", 1]"#,
    );
    server.create("urn:x:2", r#""counts": [3], "numbers": [4.5], "mixed": [], "late": ["c"]"#);
    let source = format!("OAPIF:http://{}/ogc", server.address);
    let Some(said) = run("ogrinfo", &["-ro", "-al", &source, "Sample"]) else { return };
    for line in [
        "counts: IntegerList",
        "numbers: RealList",
        "words: StringList",
        "late: StringList",
        "mixed: String(JSON)",
        "  numbers (RealList) = (2:1,2.5)",
        "  words (StringList) = (2:a,b)",
        "  late (StringList) = (1:c)",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    server.stop();
}

#[test]
fn gdal_keeps_names_that_differ_in_case_alone_and_values_that_are_json() {
    let folder = tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.create(
        "urn:x:1",
        r#""name": "a", "Name": "b", "NAME": 3, "fid": "x", "geom": true,
           "list": [1, "two", 3.5],
           "data": [[1, 2.5], "it's", "{\"}"],
           "location": {"type": "Point", "coordinates": [24.9, 60.1]}"#,
    );
    server.create(
        "urn:x:2",
        r#""name": "d", "data": "plain", "fid": 7,
           "location": {"type": "LineString", "coordinates": [[24.9, 60.1], [25.1, 61.2]]}"#,
    );
    server.create("urn:x:3", r#""data": [], "Name": "\u00e4b\ud83d\ude00""#);
    let source = format!("OAPIF:http://{}/ogc", server.address);
    let file = folder.path().join("samples.gpkg");
    let file = file.to_str().unwrap();
    // A GeoPackage has columns of its own, which GDAL calls fid and geom where nobody says better.
    let own = ["-lco", "FID=own_fid", "-lco", "GEOMETRY_NAME=own_geom"];
    let copy = [&["-f", "GPKG"], &own[..], &[file, source.as_str(), "Sample"]].concat();
    if run("ogr2ogr", &copy).is_none() {
        return;
    }
    assert_eq!(counted(file, "Sample"), 3);
    let back = folder.path().join("back.geojson");
    let back = back.to_str().unwrap();
    run("ogr2ogr", &["-f", "GeoJSON", back, file, "Sample"]).unwrap();
    let back: Value = serde_json::from_slice(&std::fs::read(back).unwrap()).unwrap();
    let served = server.get("/ogc/collections/Sample/items");
    for (at, feature) in served["features"].as_array().unwrap().iter().enumerate() {
        let copied = &back["features"][at];
        assert_eq!(copied["geometry"], feature["geometry"]);
        assert_eq!(copied["properties"]["id"], feature["id"]);
        let of = &feature["properties"];
        let own = ["NAME", "data", "list", "geom"].map(|name| (name, name));
        for (name, renamed) in own.into_iter().chain([("Name", "Name2"), ("name", "name3")]) {
            let value = &copied["properties"][renamed];
            let expected = of.get(name).unwrap_or(&Value::Null);
            let are_equal = value == expected
                || value.as_f64().is_some_and(|number| Some(number) == expected.as_f64());
            assert!(are_equal, "{name}: {copied}");
        }
    }
    server.stop();
}

/// The position of each feature that is a point, in the order of the ids.
fn points(features: &Value) -> Vec<(String, [f64; 2])> {
    let mut found: Vec<_> = features
        .as_array()
        .expect("features")
        .iter()
        .map(|feature| {
            let id =
                feature["properties"]["id"].as_str().or(feature["id"].as_str()).expect("an id");
            let position = &feature["geometry"]["coordinates"];
            (id.to_owned(), [0, 1].map(|axis| position[axis].as_f64().expect("a number")))
        })
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

/// What GDAL computes by itself, with the PROJ of the system, is what is served.
#[test]
fn c6_gdal_s_own_transformation_comes_to_the_same_coordinates() {
    let folder = tempdir().unwrap();
    let server = demo(&folder.path().join("data"));
    let source = format!("OAPIF:http://{}/ogc", server.address);
    for (code, is_north_first) in [(3879, true), (3067, false), (3857, false)] {
        let out = folder.path().join(format!("{code}.geojson"));
        let (out, system) = (out.to_str().unwrap(), format!("EPSG:{code}"));
        let arguments = [
            "-f",
            "GeoJSON",
            "-lco",
            "COORDINATE_PRECISION=4",
            "-t_srs",
            &system,
            out,
            &source,
            "WeatherObserved",
        ];
        if run("ogr2ogr", &arguments).is_none() {
            return;
        }
        let own: Value = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
        let path = format!(
            "/ogc/collections/WeatherObserved/items?limit=100&crs=http://www.opengis.net/def/crs/EPSG/0/{code}"
        );
        let (own, served) = (points(&own["features"]), points(&server.get(&path)["features"]));
        assert_eq!(own.len(), 22);
        assert_eq!(own.len(), served.len());
        for ((id, [east, north]), (served_id, mut served)) in own.into_iter().zip(served) {
            assert_eq!(id, served_id);
            if is_north_first {
                served.swap(0, 1);
            }
            let apart = (east - served[0]).hypot(north - served[1]);
            assert!(apart < 0.01, "{id} in {system} is {apart} m off");
        }
    }
    server.stop();
}

/// The GDAL that PyPI's pyogrio brings is newer than the system's: it knows Part 2.
const PYOGRIO: &str = r#"
import json, struct, sys
import pyogrio
root, box = "OAPIF:" + sys.argv[1], json.loads(sys.argv[2])
def layer(name, **options):
    return pyogrio.read_info(root, layer=name, force_feature_count=True, force_total_bounds=True, **options)
said = {"systems": {}, "boxes": {}, "times": {}}
for crs in ["EPSG:3879", "EPSG:3067", "EPSG:3857"]:
    info = layer("WeatherObserved", CRS=crs)
    _, _, shapes, fields = pyogrio.raw.read(root, layer="WeatherObserved", CRS=crs)
    points = dict(zip(fields[0], (struct.unpack("<dd", shape[5:21]) for shape in shapes)))
    said["systems"][crs] = [info["crs"], info["features"], points]
for crs, bounds in box.items():
    _, _, shapes, _ = pyogrio.raw.read(root, layer="Building", bbox=tuple(bounds), CRS=crs)
    said["boxes"][crs] = len(shapes)
for time in ["2024-01-01T00:00:00Z/..", "2124-01-01T00:00:00Z/.."]:
    said["times"][time] = layer("WeatherObserved", DATETIME=time)["features"]
where = "temperature__observedAt >= '2024-08-31T18:00:00Z'"
_, _, shapes, _ = pyogrio.raw.read(root, layer="WeatherObserved", where=where)
said["where"] = len(shapes)
said["types"] = dict(zip(layer("WeatherObserved")["fields"], layer("WeatherObserved")["dtypes"]))
print(json.dumps(said))
"#;

/// The interpreter that has these modules: `.ci/test` makes one and says where.
pub(crate) fn python_with(modules: &str) -> Option<String> {
    let told = std::env::var("CARDO_PYOGRIO").ok();
    let mut known = told.into_iter().chain(["python3".to_owned()]);
    let import = format!("import {modules}");
    let has_them = |python: &String| {
        let check = Command::new(python).args(["-c", &import]).output();
        check.is_ok_and(|output| output.status.success())
    };
    let found = known.find(has_them);
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "{modules} cannot be imported; .ci/test installs them and names their interpreter in CARDO_PYOGRIO"
        );
        eprintln!("not shown: {modules} cannot be imported; .ci/test installs them");
    }
    found
}

#[test]
fn c5_c6_c8_a_newer_gdal_reads_in_every_system_that_is_listed_and_by_time() {
    let Some(python) = python_with("pyogrio") else { return };
    let folder = tempdir().unwrap();
    let server = demo(&folder.path().join("data"));
    let root = format!("http://{}/ogc", server.address);
    // GDAL has east before north, whatever the authority says.
    let boxes = [
        ("EPSG:3879", [25_496_500.0, 6_672_900.0, 25_496_700.0, 6_673_100.0]),
        ("EPSG:3067", [385_600.0, 6_672_000.0, 385_800.0, 6_672_200.0]),
    ];
    let asked: serde_json::Map<String, Value> = boxes
        .iter()
        .map(|(name, bounds)| ((*name).to_owned(), serde_json::json!(bounds)))
        .collect();
    let said = run(&python, &["-c", PYOGRIO, &root, &Value::Object(asked).to_string()]).unwrap();
    let said: Value = serde_json::from_str(&said).unwrap();
    for (name, is_north_first) in [("EPSG:3879", true), ("EPSG:3067", false), ("EPSG:3857", false)]
    {
        let uri = name.replace("EPSG:", "http://www.opengis.net/def/crs/EPSG/0/");
        let path = format!("/ogc/collections/WeatherObserved/items?limit=100&crs={uri}");
        let read = &said["systems"][name];
        assert_eq!((&read[0], &read[1]), (&name.into(), &22.into()));
        for (id, mut position) in points(&server.get(&path)["features"]) {
            if is_north_first {
                position.swap(0, 1);
            }
            assert_eq!(read[2][&id], serde_json::json!(position), "{id} in {name}");
        }
        if let Some((_, [west, south, east, north])) = boxes.iter().find(|(of, _)| *of == name) {
            let bbox = if is_north_first {
                [south, west, north, east]
            } else {
                [west, south, east, north]
            };
            let bbox = bbox.map(f64::to_string).join(",");
            let path =
                format!("/ogc/collections/Building/items?limit=1&bbox={bbox}&bbox-crs={uri}");
            let inside = matched(&server, &path);
            assert!(inside > 3, "{inside} buildings");
            assert_eq!(said["boxes"][name], inside, "{name}");
        }
    }
    let since = "2024-01-01T00:00:00Z/..";
    let path = format!("/ogc/collections/WeatherObserved/items?limit=1&datetime={since}");
    assert_eq!(said["times"][since], matched(&server, &path));
    assert_eq!(said["times"]["2124-01-01T00:00:00Z/.."], 0);
    let filter = "temperature__observedAt%3E%3DTIMESTAMP('2024-08-31T18:00:00Z')";
    let path = format!("/ogc/collections/WeatherObserved/items?limit=1&filter={filter}");
    assert_eq!(said["where"], matched(&server, &path));
    assert_eq!(said["types"]["temperature"], "float64");
    assert_eq!(said["types"]["temperature__observedAt"], "datetime64[ms]");
    server.stop();
}

const OWSLIB: &str = r#"
import json, sys
from owslib.ogcapi.features import Features
api = Features(sys.argv[1])
counts = {id: api.collection_items(id, limit=1)["numberMatched"] for id in api.feature_collections()}
box = api.collection_items("Building", bbox=[24.94, 60.165, 24.95, 60.175], limit=5)
tram = api.collection_items("Vehicle", limit=1)["features"][0]
metres = api.collection("Vehicle")["crs"][-2]
print(json.dumps({
    "counts": counts,
    "box": [box["numberMatched"], box["numberReturned"]],
    "same": api.collection_item("Vehicle", tram["id"])["id"] == tram["id"],
    "systems": api.collection("Vehicle")["crs"],
    "storage": api.collection("Vehicle")["storageCrs"],
    "metres": api.collection_items("WeatherObserved", limit=1, crs=metres)["features"][0]["geometry"]["coordinates"],
    "queryables": sorted(api.collection_queryables("WeatherObserved")["properties"]),
    "paths": sorted(api.api()["paths"]),
}))
"#;

#[test]
fn owslib_reads_collections_items_queryables_and_the_definition() {
    let folder = tempdir().unwrap();
    let server = demo(folder.path());
    let root = format!("http://{}/ogc/", server.address);
    // The interpreter of the system, for which the package of the system is.
    let python = ["/usr/bin/python3", "python3"];
    let has_owslib = |python: &&str| {
        let check = Command::new(python).args(["-c", "import owslib"]).output();
        check.is_ok_and(|output| output.status.success())
    };
    let Some(python) = python.into_iter().find(has_owslib) else {
        assert!(std::env::var_os("CI").is_none(), "OWSLib is missing; .ci/test installs it");
        eprintln!("not shown: OWSLib is missing");
        return;
    };
    let said = run(python, &["-c", OWSLIB, &root]).unwrap();
    let said: Value = serde_json::from_str(&said).unwrap();
    for (id, count) in said["counts"].as_object().unwrap() {
        let own = matched(&server, &format!("/ogc/collections/{id}/items?limit=1"));
        assert_eq!(count.as_u64().unwrap(), own, "{id}");
    }
    let inside = matched(&server, "/ogc/collections/Building/items?bbox=24.94,60.165,24.95,60.175");
    assert_eq!(said["box"], serde_json::json!([inside, 5]));
    assert_eq!(said["same"], true);
    assert_eq!(said["storage"], said["systems"][0]);
    assert!(said["metres"][0].as_f64().unwrap() > 6_000_000.0, "north first: {}", said["metres"]);
    assert!(said["queryables"].as_array().unwrap().contains(&"temperature".into()));
    assert!(said["paths"].as_array().unwrap().contains(&"/collections/Building/items".into()));
    server.stop();
}

/// The published definition is that of the demonstration city; `CARDO_WRITE_SPECS=1` writes it anew.
#[test]
fn the_published_definition_is_the_one_that_is_served() {
    let folder = tempdir().unwrap();
    let server = demo(folder.path());
    let served = server.get("/ogc/api").to_string().replace("http://test/ogc", "/ogc");
    let served: Value = serde_json::from_str(&served).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../api-specs/ogc.openapi.json");
    if std::env::var_os("CARDO_WRITE_SPECS").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../../api-specs")).unwrap();
        std::fs::write(path, format!("{served:#}\n")).unwrap();
    }
    let published: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let paths = |document: &Value| -> Vec<String> {
        document["paths"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(paths(&published), paths(&served));
    for path in paths(&served) {
        assert_eq!(published["paths"][&path], served["paths"][&path], "{path}");
    }
    assert_eq!(published, served, "CARDO_WRITE_SPECS=1 writes it anew");
    server.stop();
}
