//! Collections of ready tiles, through the real server: a PMTiles in the folder of layers.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cardo_formats::Packing;
use cardo_testkit::pmtiles::PmTilesWriter;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::gis::{python_with, run};
use crate::support::{Answer, Server};

const MVT: &str = "application/vnd.mapbox-vector-tile";
/// The tiles of the middle of Helsinki, by level: rows and columns.
const TILES: [(u8, [u32; 2], [u32; 2]); 3] = [
    (13, [2_370, 2_371], [4_663, 4_663]),
    (14, [4_741, 4_742], [9_326, 9_327]),
    (16, [18_966, 18_971], [37_307, 37_310]),
];

fn places() -> impl Iterator<Item = (u8, u32, u32)> {
    TILES.into_iter().flat_map(|(zoom, [top, bottom], [left, right])| {
        (top..=bottom).flat_map(move |row| (left..=right).map(move |col| (zoom, row, col)))
    })
}

fn tile_path(collection: &str, (zoom, row, col): (u8, u32, u32)) -> String {
    format!("/ogc/collections/{collection}/tiles/WebMercatorQuad/{zoom}/{row}/{col}")
}

fn writer() -> PmTilesWriter {
    let layer = json!({
        "id": "buildings", "minzoom": 13, "maxzoom": 16,
        "fields": { "floors": "Number", "name": "As on the door" },
    });
    let bounds = [24.935_185, 60.164_155, 24.953_396, 60.179_018];
    PmTilesWriter { bounds, most_entries: 12, ..PmTilesWriter::of_vectors(&json!([layer])) }
}

/// Places a file into the folder at once.
fn drop_into(folder: &Path, name: &str, bytes: &[u8]) {
    let layers = folder.join("layers");
    fs::create_dir_all(&layers).expect("a folder is made");
    fs::write(layers.join("unfinished"), bytes).expect("a file is written");
    fs::rename(layers.join("unfinished"), layers.join(name)).expect("it gets its name");
}

/// A server whose folder has buildings, and the same as an archive of the tiles that it draws of them.
pub(crate) fn server_with_an_archive(folder: &Path) -> (Server, PmTilesWriter) {
    let buildings =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/helsinki/buildings.fgb");
    drop_into(folder, "buildings.fgb", &fs::read(buildings).expect("a fixture"));
    let server = Server::start(folder);
    let mut archive = writer();
    for place @ (zoom, row, col) in places() {
        let tile = server.send("GET", &tile_path("buildings", place), None);
        assert_eq!(tile.status, 200, "{}", tile.text());
        if !tile.body.is_empty() {
            archive.tile(zoom, col, row, tile.body);
        }
    }
    drop_into(folder, "drawn.pmtiles", &archive.finish());
    until(&server, "/ogc/collections/drawn", 200);
    (server, archive)
}

/// Asks until the answer has this status.
fn until(server: &Server, path: &str, status: u16) -> Answer {
    let start = Instant::now();
    loop {
        let answer = server.send("GET", path, None);
        if answer.status == status {
            return answer;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{path}: {}", answer.text());
        std::thread::yield_now();
    }
}

fn link<'a>(document: &'a Value, rel: &str) -> Option<&'a str> {
    let links = document["links"].as_array().expect("links");
    links.iter().find(|link| link["rel"] == rel)?["href"].as_str()
}

fn path_of(href: &str) -> String {
    format!("/ogc{}", href.split_once("/ogc").expect("an address of the server").1)
}

const TILESETS: &str = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector";

#[test]
fn an_archive_in_the_folder_is_a_collection_of_tiles_and_of_no_features() {
    let folder = tempdir().unwrap();
    let (server, archive) = server_with_an_archive(folder.path());
    let all = server.get("/ogc/collections");
    let names: Vec<&Value> =
        all["collections"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(names, ["buildings", "drawn"]);
    let collection = server.get("/ogc/collections/drawn");
    assert_eq!(
        (&collection["title"], &collection["dataType"], &collection["itemType"]),
        (&json!("a test"), &json!("vector"), &json!("unknown"))
    );
    assert_eq!(link(&collection, "items"), None);
    // There is a page for who asks for one, and nothing on it.
    let page = server.get("/ogc/collections/drawn/items?limit=100&bbox=24,60,25,61");
    assert_eq!((&page["numberMatched"], &page["features"]), (&json!(0), &json!([])));
    assert_eq!(link(&page, TILESETS), link(&collection, TILESETS));
    assert_eq!(server.send("GET", "/ogc/collections/drawn/items?nothing=1", None).status, 400);
    let below =
        ["items?f=csv", "items?f=html", "items/drawn.1", "schema", "queryables", "sortables"];
    for below in below {
        let answer = server.send("GET", &format!("/ogc/collections/drawn/{below}"), None);
        assert_eq!(answer.status, 404, "{below}");
        assert!(answer.text().contains("has no features; its tiles are at"), "{}", answer.text());
    }
    let body = Some("{\"type\":\"Feature\",\"geometry\":null,\"properties\":{}}");
    assert_eq!(server.send("POST", "/ogc/collections/drawn/items", body).status, 404);
    let (source, file) =
        (format!("OAPIF:http://{}/ogc", server.address), folder.path().join("all.gpkg"));
    let file = file.to_str().unwrap();
    if run("ogr2ogr", &["-f", "GPKG", file, &source]).is_some() {
        let copied = run("ogrinfo", &["-ro", "-so", file, "buildings"]).unwrap();
        assert!(copied.contains("Feature Count: 446"), "{copied}");
    }

    // From the collection to the tiles, by links alone.
    let list = server.get(&path_of(link(&collection, TILESETS).unwrap()));
    let [listed] = list["tilesets"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!(listed["tileMatrixSetId"], "WebMercatorQuad");
    let tileset = server.get(&path_of(link(listed, "self").unwrap()));
    assert_eq!(tileset["dataType"], "vector");
    let layer = &tileset["layers"][0];
    assert_eq!(
        (&layer["id"], &layer["minTileMatrix"], &layer["maxTileMatrix"]),
        (&json!("buildings"), &json!("13"), &json!("16"))
    );
    let properties = &layer["propertiesSchema"]["properties"];
    assert_eq!(properties["floors"], json!({ "type": "number" }));
    assert_eq!(properties["name"], json!({ "description": "As on the door" }));
    let limits = tileset["tileMatrixSetLimits"].as_array().unwrap();
    assert_eq!(limits.len(), 4);
    for (zoom, [top, bottom], [left, right]) in TILES {
        let matrix = json!(zoom.to_string());
        let limit = limits.iter().find(|one| one["tileMatrix"] == matrix).unwrap();
        let range =
            |from: &str, to: &str| [&limit[from], &limit[to]].map(|at| at.as_u64().unwrap());
        let ([first_row, last_row], [first_col, last_col]) =
            (range("minTileRow", "maxTileRow"), range("minTileCol", "maxTileCol"));
        assert!(u64::from(top) <= first_row && last_row <= bottom.into(), "{limit}");
        assert!(u64::from(left) <= first_col && last_col <= right.into(), "{limit}");
        let template = path_of(link(listed, "item").unwrap());
        let at = |row: u64| {
            let path = template.replace("{tileMatrix}", &zoom.to_string());
            let path = path.replace("{tileRow}", &row.to_string());
            path.replace("{tileCol}", &first_col.to_string())
        };
        assert_eq!(server.send("GET", &at(last_row), None).status, 200);
        let beyond = server.send("GET", &at(last_row + 1), None);
        assert_eq!(beyond.status, 404);
        assert!(beyond.text().contains("has rows"), "{}", beyond.text());
    }
    let tile_json = server.get("/ogc/collections/drawn/tiles/WebMercatorQuad?f=tilejson");
    assert_eq!((&tile_json["minzoom"], &tile_json["maxzoom"]), (&json!(13), &json!(16)));
    let said: Value = serde_json::from_str(&archive.metadata).unwrap();
    assert_eq!(tile_json["vector_layers"], said["vector_layers"]);
    assert_eq!(tile_json["bounds"], json!([24.935_185, 60.164_155, 24.953_396, 60.179_018]));
    let style = server.get("/ogc/collections/drawn/styles/default");
    let sources: Vec<&Value> = style["layers"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one.get("source-layer"))
        .collect();
    assert_eq!(sources, ["buildings"; 4]);
    let html = [("Accept", "text/html")];
    for path in ["", "/drawn", "/drawn/tiles", "/drawn/tiles/WebMercatorQuad", "/drawn/styles"] {
        let path = format!("/ogc/collections{path}");
        let page = server.connect().send("GET", &path, &html, None).unwrap();
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text().contains("drawn"), "{path}");
    }
    server.stop();
}

#[test]
fn tiles_are_what_stands_in_the_archive_with_tags_and_as_they_are_packed() {
    let folder = tempdir().unwrap();
    let (server, archive) = server_with_an_archive(folder.path());
    let limits =
        server.get("/ogc/collections/drawn/tiles/WebMercatorQuad")["tileMatrixSetLimits"].clone();
    let is_within = |(zoom, row, col): (u8, u32, u32)| {
        let matrix = json!(zoom.to_string());
        let limits = limits.as_array().unwrap();
        let limit = limits.iter().find(|one| one["tileMatrix"] == matrix).unwrap();
        let at = |name: &str| limit[name].as_u64().unwrap();
        (at("minTileRow")..=at("maxTileRow")).contains(&row.into())
            && (at("minTileCol")..=at("maxTileCol")).contains(&col.into())
    };
    let mut count = 0;
    for place in places().filter(|place| is_within(*place)) {
        let [drawn, stored] = ["buildings", "drawn"]
            .map(|name: &str| server.send("GET", &tile_path(name, place), None));
        assert_eq!((stored.status, &stored.body), (200, &drawn.body), "{place:?}");
        assert_eq!(stored.header("content-type"), Some(MVT));
        assert_eq!(stored.header("content-encoding"), None);
        let path = tile_path("drawn", place);
        let packed =
            server.connect().send("GET", &path, &[("Accept-Encoding", "br, gzip")], None).unwrap();
        assert_eq!(packed.header("etag"), stored.header("etag"));
        if stored.body.is_empty() {
            continue;
        }
        count += 1;
        // What is packed already goes out as it is.
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(packed.body.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, drawn.body);
        let tag = stored.header("etag").unwrap();
        let known = server.connect().send("GET", &path, &[("If-None-Match", tag)], None).unwrap();
        assert_eq!((known.status, known.body.len()), (304, 0));
    }
    assert!(count > 12, "there is more than one directory");
    let place = tile_path("drawn", (16, 18_968, 37_308));
    let tag = server.send("GET", &place, None).header("etag").unwrap().to_owned();
    for (path, status) in [
        (tile_path("drawn", (12, 1_185, 2_331)), 404),
        (tile_path("drawn", (17, 37_936, 74_616)), 404),
        (place.replace("WebMercatorQuad", "WorldCRS84Quad"), 404),
        (place.replace("/tiles", "/map/tiles"), 404),
        (format!("{place}?filter=floors%3E5"), 400),
        (format!("{place}?f=png"), 400),
        (format!("{place}?f=mvt"), 200),
        ("/ogc/collections/buildings/map/tiles".to_owned(), 404),
        ("/ogc/tiles?collections=drawn".to_owned(), 400),
    ] {
        let answer = server.send("GET", &path, None);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    let wants = [("Accept", "image/png")];
    assert_eq!(server.connect().send("GET", &place, &wants, None).unwrap().status, 406);

    // Another archive with the same name is another collection, and its tiles have other tags.
    let mut other = PmTilesWriter { packing: Packing::Zstd, ..writer() };
    other.tile(16, 37_308, 18_968, archive.tiles.values().next_back().unwrap().clone());
    drop_into(folder.path(), "drawn.pmtiles", &other.finish());
    until(&server, &tile_path("drawn", (13, 2_370, 4_663)), 404);
    let now = server.connect().send("GET", &place, &[("If-None-Match", &tag)], None).unwrap();
    assert_eq!((now.status, &now.body), (200, archive.tiles.values().next_back().unwrap()));
    fs::remove_file(folder.path().join("layers/drawn.pmtiles")).unwrap();
    until(&server, &place, 404);
    assert_eq!(server.get("/ogc/collections")["collections"].as_array().unwrap().len(), 1);
    server.stop();
}

#[test]
fn an_archive_of_images_has_map_tiles_and_one_that_is_damaged_is_no_collection() {
    let folder = tempdir().unwrap();
    let mut photo = PmTilesWriter {
        kind: 2,
        packing: Packing::None,
        metadata: "{\"attribution\":\"\\u003ca\\u003eThe city\\u003c/a\\u003e\"}".to_owned(),
        ..writer()
    };
    photo.tile(0, 0, 0, b"\x89PNG".to_vec());
    photo.tile(2, 2, 1, b"\x89PNG, larger".to_vec());
    drop_into(folder.path(), "photo.pmtiles", &photo.finish());
    let sound = photo.finish();
    drop_into(folder.path(), "cut.pmtiles", &sound[..sound.len() - 4]);
    let server = Server::start(folder.path());
    let all = server.get("/ogc/collections");
    assert_eq!(all["collections"].as_array().unwrap().len(), 1, "{all}");
    let collection = server.get("/ogc/collections/photo");
    assert_eq!(collection["dataType"], "map");
    assert_eq!(collection["attribution"], "<a>The city</a>");
    let rel = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-map";
    let list = server.get(&path_of(link(&collection, rel).unwrap()));
    let listed = &list["tilesets"][0];
    assert_eq!(listed["dataType"], "map");
    let tileset = server.get(&path_of(link(listed, "self").unwrap()));
    assert_eq!((tileset.get("layers"), &tileset["centerPoint"]["tileMatrix"]), (None, &json!("0")));
    let at = |place: &str| format!("/ogc/collections/photo/map/tiles/WebMercatorQuad/{place}");
    let tile = server.send("GET", &at("2/1/2"), None);
    assert_eq!((tile.status, tile.body.as_slice()), (200, &b"\x89PNG, larger"[..]));
    assert_eq!(tile.header("content-type"), Some("image/png"));
    let none = server.send("GET", &at("1/0/1"), None);
    assert_eq!((none.status, none.body.len()), (204, 0), "no bytes are no image");
    let vector = server.send("GET", &at("2/1/2").replace("/map", ""), None);
    assert_eq!(vector.status, 404);
    assert!(vector.text().contains("image/png"), "{}", vector.text());
    let style = server.get("/ogc/collections/photo/styles/default");
    assert_eq!(style["sources"]["cardo"]["type"], "raster");
    let url = style["sources"]["cardo"]["url"].as_str().unwrap();
    let tile_json = server.get(&path_of(url));
    assert_eq!(tile_json["attribution"], "<a>The city</a>");
    assert!(tile_json["tiles"][0].as_str().unwrap().contains("/map/tiles/WebMercatorQuad/"));
    let page =
        server.connect().send("GET", "/ogc/collections/photo", &[("Accept", "text/html")], None);
    assert!(page.unwrap().text().contains("&lt;a&gt;The city"), "what a file says is no markup");
    let definition = server.get("/ogc/api");
    let path =
        "/collections/{collectionId}/map/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}";
    assert_eq!(definition["paths"][path]["get"]["operationId"], "tiles.collection.map.getTile");
    server.stop();
}

#[test]
fn a_damaged_tile_of_an_archive_is_named_as_such_and_hinders_no_other() {
    let folder = tempdir().unwrap();
    let mut archive = writer();
    archive.tile(13, 4_663, 2_370, b"one tile".to_vec());
    archive.tile(14, 9_326, 4_741, b"another".to_vec());
    let mut bytes = archive.finish();
    let data = u64::from_le_bytes(bytes[56..64].try_into().unwrap());
    // The method by which the first tile is packed.
    bytes[usize::try_from(data).unwrap() + 2] = 0xff;
    drop_into(folder.path(), "drawn.pmtiles", &bytes);
    let server = Server::start(folder.path());
    let damaged = server.send("GET", &tile_path("drawn", (13, 2_370, 4_663)), None);
    assert_eq!(damaged.status, 404, "{}", damaged.text());
    assert!(damaged.text().contains("damaged in the file of \\\"drawn\\\""), "{}", damaged.text());
    let sound = server.send("GET", &tile_path("drawn", (14, 4_741, 9_326)), None);
    assert_eq!((sound.status, sound.body.as_slice()), (200, &b"another"[..]));
    server.stop();
}

/// GDAL writes an archive of the buildings, and lists what is in archives by its own reader.
const GDAL: &str = r#"
import json, sys
import pyogrio
buildings, own, drawn = sys.argv[1:]
meta, _, shapes, fields = pyogrio.raw.read(buildings)
options = {"MINZOOM": "11", "MAXZOOM": "16", "NAME": "Houses"}
pyogrio.raw.write(own, shapes, fields, meta["fields"], driver="PMTiles", layer="houses",
                  geometry_type="Unknown", crs="EPSG:4326", dataset_options=options)
def tiles(path):
    root = "/vsipmtiles/" + path + "/"
    found = [name for name in pyogrio.vsi_listtree(root) if name.endswith(".mvt")]
    return {name[len(root):-len(".mvt")]: pyogrio.read_info(name, force_feature_count=True)["features"] for name in found}
print(json.dumps({"own": tiles(own), "drawn": tiles(drawn)}))
"#;

/// How many features GDAL counts in each of some tiles.
const COUNTED: &str = r#"
import json, sys
import pyogrio
print(json.dumps({name: pyogrio.read_info(name, force_feature_count=True)["features"] for name in sys.argv[1:]}))
"#;

fn python(program: &str, script: &str, arguments: &[String]) -> Value {
    let output = Command::new(program).args(["-c", script]).args(arguments).output();
    let output = output.expect("it was there a moment ago");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

#[test]
fn an_archive_that_gdal_wrote_is_served_tile_by_tile_and_gdal_reads_those_of_the_tests() {
    let Some(program) = python_with("pyogrio") else { return };
    let folder = tempdir().unwrap();
    let (server, archive) = server_with_an_archive(folder.path());
    let own = folder.path().join("houses.pmtiles");
    let buildings =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/helsinki/buildings.fgb");
    let drawn = folder.path().join("layers/drawn.pmtiles");
    let paths = [&buildings, &own, &drawn].map(|path| path.display().to_string());
    let said = python(&program, GDAL, &paths);
    assert_eq!(said["drawn"].as_object().unwrap().len(), archive.tiles.len());
    drop_into(folder.path(), "houses.pmtiles", &fs::read(&own).unwrap());
    until(&server, "/ogc/collections/houses", 200);
    let tile_json = server.get("/ogc/collections/houses/tiles/WebMercatorQuad?f=tilejson");
    assert_eq!(
        (&tile_json["name"], &tile_json["vector_layers"][0]["id"]),
        (&json!("Houses"), &json!("houses"))
    );
    assert_eq!(tile_json["vector_layers"][0]["fields"]["floors"], "Number");
    let (mut files, mut expected) = (Vec::new(), Vec::new());
    for (place, count) in said["own"].as_object().unwrap() {
        let numbers: Vec<u32> = place.split('/').map(|part| part.parse().unwrap()).collect();
        let [zoom, col, row] = numbers[..] else { panic!("{place}") };
        let path = tile_path("houses", (zoom.try_into().unwrap(), row, col));
        let tile = server.send("GET", &path, None);
        assert_eq!(tile.status, 200, "{path}: {}", tile.text());
        let file = folder.path().join(format!("{zoom}-{col}-{row}.mvt"));
        fs::write(&file, &tile.body).unwrap();
        files.push(file.display().to_string());
        expected.push(count.clone());
    }
    assert!(files.len() > 20, "{files:?}");
    let counted = python(&program, COUNTED, &files);
    let counted: Vec<Value> = files.iter().map(|file| counted[file].clone()).collect();
    assert_eq!(counted, expected);
    server.stop();
}
