//! Vector tiles (OGC 20-057, Mapbox Vector Tile 2.1).

use std::collections::BTreeMap;

use axum::http::Method;
use cardo_engine::{Caller, Mask, Operation, Restriction};
use cardo_model::Entity;
use cardo_query::Filter;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::client::{Client, Reply, client, client_of_town, id, iri, make};
use crate::tile_reader::{Feature, Layer, read};

pub(crate) const MVT: &str = "application/vnd.mapbox-vector-tile";

/// The layers of a tile below `/ogc`.
pub(crate) async fn tile(client: &Client, path: &str) -> Vec<Layer> {
    let reply = client.get(path).await.expect(200);
    assert_eq!(reply.header("content-type"), MVT);
    read(&reply.bytes)
}

async fn features(client: &Client, collection: &str, place: &str) -> Vec<Feature> {
    let path = format!("/collections/{collection}/tiles/WebMercatorQuad/{place}");
    let mut layers = tile(client, &path).await;
    assert!(layers.len() < 2);
    layers.pop().map_or(Vec::new(), |layer| layer.features)
}

/// Where the projection puts a position, in units of a tile.
fn projected([lon, lat]: [f64; 2], zoom: u32, row: u32, col: u32) -> [f64; 2] {
    let count = f64::from(1_u32 << zoom);
    let lat = lat.to_radians();
    let north = (lat.tan() + 1.0 / lat.cos()).ln() / std::f64::consts::PI;
    let x = (lon + 180.0) / 360.0 * count - f64::from(col);
    let y = (1.0 - north) / 2.0 * count - f64::from(row);
    [x * 4096.0, y * 4096.0]
}

/// The tile of a zoom level in which a position lies.
pub(crate) fn around(lon: f64, lat: f64, zoom: u32) -> String {
    let [x, y] = projected([lon, lat], zoom, 0, 0);
    let number = |axis: f64| {
        let all = 0..1_u32 << zoom;
        all.rev().find(|n| f64::from(*n) * 4096.0 <= axis).unwrap()
    };
    format!("{zoom}/{}/{}", number(y), number(x))
}

fn doubled_area(ring: &[[i64; 2]]) -> i64 {
    let next = |at: usize| ring[(at + 1) % ring.len()];
    (0..ring.len()).map(|at| ring[at][0] * next(at)[1] - next(at)[0] * ring[at][1]).sum()
}

#[tokio::test]
async fn tl9_tl17_a_tile_has_a_layer_with_typed_properties_and_ids() {
    let client = client_of_town().await;
    // Around 24.9 E, 60.1 N.
    let layers = tile(
        &client,
        &format!("/collections/Sensor/tiles/WebMercatorQuad/{}", around(24.9, 60.1, 10)),
    )
    .await;
    let [layer] = layers.as_slice() else { panic!("{layers:?}") };
    assert_eq!((layer.name.as_str(), layer.version, layer.extent), ("Sensor", 2, 4096));
    let all = features(&client, "Sensor", "0/0/0").await;
    let a = all.iter().find(|f| f.name() == "urn:ngsi-ld:Sensor:a").unwrap();
    assert_eq!(a.kind, 1);
    assert_eq!(
        serde_json::to_value(&a.properties).unwrap(),
        json!({
            "id": "urn:ngsi-ld:Sensor:a",
            "temperature": 21.5,
            "temperature__observedAt": "2026-11-01T10:00:00Z",
            "name": "sensor a",
            "refDistrict": "urn:ngsi-ld:District:1",
            "active": true,
        })
    );
    let b = all.iter().find(|f| f.name().ends_with(":b")).unwrap();
    assert_eq!(
        (&b.properties["temperature"], &b.properties["active"]),
        (&json!(-3), &json!(false))
    );
    assert_eq!(all.len(), 5, "what has no place is in no tile");
    let mut ids: Vec<u64> = all.iter().map(|f| f.id.unwrap()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    // Values that are no scalars stand as their JSON text.
    let buildings = features(&client, "Building", &around(24.955, 60.165, 14)).await;
    let one = buildings.iter().find(|f| f.name().ends_with(":1")).unwrap();
    assert_eq!((one.kind, &one.properties["floors"]), (3, &json!(4)));
    let address: Value = serde_json::from_str(one.properties["address"].as_str().unwrap()).unwrap();
    assert_eq!(address["street"], "Aleksanterinkatu");
}

#[tokio::test]
async fn properties_are_chosen_and_the_dataset_has_a_layer_a_collection() {
    let client = client_of_town().await;
    let base = "/tiles/WebMercatorQuad/0/0/0";
    let names = |layers: &[Layer]| layers.iter().map(|l| l.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&tile(&client, base).await), ["Building", "Sensor"]);
    let chosen =
        tile(&client, &format!("{base}?collections=Sensor,Building&properties=name")).await;
    assert_eq!(names(&chosen), ["Sensor", "Building"]);
    let a = &chosen[0].features[0].properties;
    assert_eq!(a.keys().collect::<Vec<_>>(), ["id", "name"]);
    let by_url = "?collections=http://city.example:8787/ogc/collections/Sensor";
    assert_eq!(names(&tile(&client, &format!("{base}{by_url}")).await), ["Sensor"]);
}

#[tokio::test]
async fn tl10_tl12_what_is_not_there_is_refused_with_a_problem() {
    let client = client_of_town().await;
    let set = "/collections/Sensor/tiles/WebMercatorQuad";
    for (path, status) in [
        (format!("{set}/1/2/0"), 404),
        (format!("{set}/1/0/2"), 404),
        (format!("{set}/0/2147483647/0"), 404),
        (format!("{set}/0/99999999999999999999/0"), 404),
        (format!("{set}/25/0/0"), 404),
        (format!("{set}/-1/0/0"), 404),
        (format!("{set}/00/0/0"), 404),
        (format!("{set}/x/0/0"), 404),
        (format!("{set}/1/-1/0"), 400),
        (format!("{set}/1/0/1.5"), 400),
        (format!("{set}/1/0/0?properties=height"), 400),
        (format!("{set}/1/0/0?collections=Sensor"), 400),
        (format!("{set}/1/0/0?f=png"), 400),
        (format!("{set}/1/0/0?datetime=yesterday"), 400),
        (format!("{set}/1/0/0?datetime=2026-01-01&subset=datetime(%222026-01-01%22)"), 400),
        (format!("{set}/1/0/0?subset=datetime(2026-01-01)"), 400),
        (format!("{set}/1/0/0?subset=height(%221%22)"), 400),
        (format!("{set}/1/0/0?filter=height%3E1"), 400),
        (format!("{set}/1/0/0?filter=temperature%3E1&filter-lang=sql"), 400),
        ("/tiles/WebMercatorQuad/1/0/0?filter=height%3E1".into(), 400),
        ("/tiles/WebMercatorQuad/1/0/0?datetime=2026-13-01".into(), 400),
        ("/collections/Sensor/tiles/WorldCRS84Quad/0/1/0".into(), 404),
        ("/collections/Sensor/tiles/WorldCRS84Quad/0/0/2".into(), 404),
        ("/collections/Sensor/tiles/WorldCRS84Quad/18/0/0".into(), 404),
        ("/collections/Sensor/tiles/Other/0/0/0".into(), 404),
        ("/collections/Sensor/tiles/Other".into(), 404),
        ("/collections/Nothing/tiles/WebMercatorQuad/0/0/0".into(), 404),
        ("/collections/Nothing/tiles".into(), 404),
        ("/tiles/WebMercatorQuad/0/0/0?collections=Sensor,Nothing".into(), 400),
        ("/tiles/WebMercatorQuad/0/0/0?collections=".into(), 400),
        ("/tiles/Other/0/0/0".into(), 404),
        ("/tileMatrixSets/Other".into(), 404),
    ] {
        let reply = client.get(&path).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.text);
        assert_eq!(reply.header("content-type"), "application/problem+json", "{path}");
        assert_eq!(reply.json()["status"], status);
    }
    let path = format!("/ogc{set}/0/0/0");
    let accept = [("accept", "image/png")];
    client.send(Method::GET, &path, &accept).await.expect(406);
    client.send(Method::POST, &path, &[]).await.expect(405);
    let browser = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    client.send(Method::GET, &path, &browser).await.expect(200);
}

#[tokio::test]
async fn tl8_a_tile_of_degrees_shows_what_lies_in_it() {
    let client = client_of_town().await;
    // The eastern half of the world.
    let layers = tile(&client, "/collections/Sensor/tiles/WorldCRS84Quad/0/0/1").await;
    let a = layers[0].features.iter().find(|f| f.name().ends_with(":a")).unwrap();
    let unit = |degrees: f64| degrees / 180.0 * 4096.0;
    let [x, y] = a.paths[0][0];
    assert!((x as f64 - unit(24.90)).abs() <= 0.5 && (y as f64 - unit(90.0 - 60.10)).abs() <= 0.5);
    let west = tile(&client, "/tiles/WorldCRS84Quad/0/0/0").await;
    let names: Vec<_> = west[0].features.iter().map(Feature::name).collect();
    assert!(names.contains(&"urn:ngsi-ld:Sensor:e"), "{names:?}");
    assert!(!names.contains(&"urn:ngsi-ld:Sensor:a"), "{names:?}");
    // A polygon is as large as it is in degrees: 0.01 of them are 14.6 units at level 6.
    let building = tile(&client, "/collections/Building/tiles/WorldCRS84Quad/6/10/72").await;
    let one = building[0].features.iter().find(|f| f.kind == 3).unwrap();
    let width = |axis: usize| {
        let axis = one.paths[0].iter().map(|at| at[axis]);
        axis.clone().max().unwrap() - axis.min().unwrap()
    };
    assert!((14..=16).contains(&width(0)) && (14..=16).contains(&width(1)));
}

/// The ids that a tile shows, by layer.
async fn shown(client: &Client, path: &str) -> Vec<(String, Vec<String>)> {
    let short = |f: &Feature| f.name().rsplit(':').next().unwrap().to_owned();
    let layers = tile(client, path).await.into_iter();
    layers.map(|l| (l.name, l.features.iter().map(short).collect())).collect()
}

#[tokio::test]
async fn tl21_tl22_tiles_show_the_time_and_the_features_that_are_asked_for() {
    let client = client_of_town().await;
    let sensor = "/collections/Sensor/tiles/WebMercatorQuad/0/0/0";
    let dataset = "/tiles/WebMercatorQuad/0/0/0";
    let of = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    for (query, ids) in [
        ("datetime=2026-11-02/2026-11-03", &["b", "c"][..]),
        ("datetime=2026-11-04T00:00:00Z/..", &["d", "e"]),
        ("subset=datetime(%222026-11-02%22:%222026-11-03%22)", &["b", "c"]),
        ("subset=datetime(%22*%22:%222026-11-01%22)", &["a"]),
        ("filter=temperature%3E21.4", &["a", "c", "d", "e"]),
        ("filter=temperature%3E21.4&datetime=../2026-11-03", &["a", "c"]),
        (
            "filter=%7B%22op%22:%22=%22,%22args%22:%5B%7B%22property%22:%22active%22%7D,true%5D%7D&filter-lang=cql2-json",
            &["a"],
        ),
        (
            "filter=S_INTERSECTS(location,POINT(24.95%2060.15))&filter-crs=http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            &["b"],
        ),
    ] {
        let found = shown(&client, &format!("{sensor}?{query}")).await;
        assert_eq!(found, [("Sensor".to_owned(), of(ids))], "{query}");
    }
    // What has no time is of every time; a property that a collection does not have has no value.
    for (query, expected) in [
        ("datetime=2026-11-02", vec![("Building", of(&["1", "2"])), ("Sensor", of(&["b"]))]),
        ("filter=temperature%3E27", vec![("Sensor", of(&["d"]))]),
        (
            "filter=temperature%3E27%20OR%20floors=7",
            vec![("Building", of(&["2"])), ("Sensor", of(&["d"]))],
        ),
        ("filter=temperature%20IS%20NULL", vec![("Building", of(&["1", "2"]))]),
        ("filter=floors=7&collections=Building", vec![("Building", of(&["2"]))]),
    ] {
        let mut found = shown(&client, &format!("{dataset}?{query}")).await;
        for (_, ids) in &mut found {
            // The first building is smaller than a pixel.
            ids.iter_mut().filter(|id| id.is_empty()).for_each(|id| "1".clone_into(id));
            ids.sort();
        }
        let expected: Vec<_> = expected.into_iter().map(|(n, ids)| (n.to_owned(), ids)).collect();
        assert_eq!(found, expected, "{query}");
    }
    client
        .get("/tiles/WebMercatorQuad/0/0/0?filter=temperature%3E27&collections=Building")
        .await
        .expect(400);
}

#[tokio::test]
async fn tl11_an_empty_tile_is_an_empty_answer() {
    let client = client_of_town().await;
    let path = "/collections/Sensor/tiles/WebMercatorQuad/10/0/0";
    let reply = client.get(path).await.expect(200);
    assert_eq!((reply.header("content-type"), reply.bytes.len()), (MVT, 0));
}

pub(crate) async fn with_tag(client: &Client, path: &str, tag: &str) -> Reply {
    client.send(Method::GET, &format!("/ogc{path}"), &[("if-none-match", tag)]).await
}

#[tokio::test]
async fn tl24_the_tag_follows_what_the_tile_shows_and_no_other_write() {
    let client = client_of_town().await;
    let here = &format!("/collections/Sensor/tiles/WebMercatorQuad/{}", around(24.9, 60.1, 10));
    let first = client.get(here).await.expect(200);
    assert_eq!(first.header("cache-control"), "no-cache");
    let tag = first.header("etag").to_owned();
    let known = with_tag(&client, here, &tag).await.expect(304);
    assert_eq!((known.header("etag"), known.bytes.len()), (tag.as_str(), 0));

    // A sensor far away appears, and another type.
    let elsewhere = make("Sensor", "far").value("name", "\"far\"").at(10.0, 10.0).done();
    let other = make("Bench", "1").value("name", "\"bench\"").at(24.9, 60.1).done();
    client.create(vec![elsewhere, other]).await;
    with_tag(&client, here, &tag).await.expect(304);

    // A value of a sensor in the tile changes.
    let me = Caller::local("test");
    let mut renamed = Entity::new(id("Sensor:a"), iri("Sensor"));
    renamed.attributes =
        make("Sensor", "a").value("name", "\"new\"").at(24.9, 60.1).done().attributes;
    client.apply(&me, vec![Operation::CreateOrReplace(renamed)]).await;
    let changed = with_tag(&client, here, &tag).await.expect(200);
    assert_ne!(changed.header("etag"), tag);
    let names: Vec<Value> =
        read(&changed.bytes)[0].features.iter().map(|f| f.properties["name"].clone()).collect();
    assert!(names.contains(&json!("new")), "{names:?}");

    // It leaves.
    let tag = changed.header("etag").to_owned();
    client.apply(&me, vec![Operation::Delete(id("Sensor:a"))]).await;
    let gone = with_tag(&client, here, &tag).await.expect(200);
    assert!(read(&gone.bytes).iter().flat_map(|l| &l.features).all(|f| !f.name().ends_with(":a")));
}

#[tokio::test]
async fn beyond_the_limit_points_are_merged_and_none_is_lost() {
    let client = client().await;
    let sensors: Vec<Entity> = (0..12_000_u32)
        .map(|n| {
            let (x, y) = (f64::from(n % 120), f64::from(n / 120));
            // One of them is alone.
            let lon = if n == 0 { 24.5 } else { 24.9 + x * 1e-4 };
            make("Sensor", &n.to_string())
                .value("n", &n.to_string())
                .at(lon, 60.1 + y * 1e-4)
                .done()
        })
        .collect();
    client.create(sensors).await;
    let found = features(&client, "Sensor", &around(24.9, 60.1, 8)).await;
    assert!(found.len() < 100, "{}", found.len());
    let merged: u64 = found.iter().filter_map(Feature::count).sum();
    let alone: Vec<&Feature> = found.iter().filter(|f| f.count().is_none()).collect();
    assert_eq!(merged + alone.len() as u64, 12_000);
    assert!(alone.iter().any(|f| f.properties["n"] == 0), "what is alone stays itself");
    assert!(found.iter().filter(|f| f.count().is_some()).all(|f| f.id.is_none()));
    // The same tile is the same, whatever the index went through.
    let again = features(&client, "Sensor", &around(24.9, 60.1, 8)).await;
    assert_eq!(found, again);
    // Nearer, they are drawn one by one.
    let near = features(&client, "Sensor", &around(24.905, 60.105, 16)).await;
    assert!(!near.is_empty() && near.iter().all(|f| f.count().is_none()));
}

#[tokio::test]
async fn what_is_smaller_than_a_pixel_is_merged_and_what_is_larger_keeps_its_shape() {
    let client = client().await;
    let building = |name: &str, west: f64, size: f64| {
        let (east, south, north) = (west + size, 60.10, 60.10 + size);
        let ring = format!(
            "[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]"
        );
        let text = format!("{{\"type\":\"Polygon\",\"coordinates\":[{ring}]}}");
        make("Building", name).value("floors", "3").geometry("location", &text).done()
    };
    client
        .create(vec![
            building("small", 24.90, 1e-4),
            building("beside", 24.9001, 1e-4),
            building("large", 24.95, 0.05),
        ])
        .await;
    let found = features(&client, "Building", &around(24.95, 60.12, 10)).await;
    let counts: Vec<u64> = found.iter().filter_map(Feature::count).collect();
    assert_eq!(counts, [2]);
    let large = found.iter().find(|f| f.name().ends_with(":large")).unwrap();
    assert_eq!(large.kind, 3);
    assert!(doubled_area(&large.paths[0]) > 0, "an exterior is clockwise on the screen");
    let near = features(&client, "Building", &around(24.90005, 60.10005, 16)).await;
    assert!(near.iter().any(|f| f.name().ends_with(":small") && f.kind == 3), "{near:?}");
}

#[tokio::test]
async fn every_kind_of_geometry_is_drawn_and_cut_at_the_buffer() {
    let client = client().await;
    let long = "[[20,60],[20,60.2],[30,60.2]]";
    let square = |x: f64| format!("[[[{x},60],[{0},60],[{0},61],[{x},61],[{x},60]]]", x + 0.5);
    let shapes = [
        ("points", "MultiPoint", "[[24.9,60.1],[24.91,60.1],[-10,10]]".to_owned()),
        ("line", "LineString", long.to_owned()),
        ("lines", "MultiLineString", format!("[{long},[[24.9,60.1],[25,60.2]]]")),
        ("polygon", "Polygon", "[[[20,50],[30,50],[30,70],[20,70],[20,50]],[[24.95,60.05],[24.95,60.15],[25.05,60.15],[24.95,60.05]]]".to_owned()),
        ("polygons", "MultiPolygon", format!("[{},{}]", square(24.5), square(25.2))),
    ];
    let make = |(name, kind, coordinates): &(&str, &str, String)| {
        let text = format!("{{\"type\":\"{kind}\",\"coordinates\":{coordinates}}}");
        make("Thing", name).geometry("location", &text).done()
    };
    client.create(shapes.iter().map(make).collect()).await;
    let found = features(&client, "Thing", &around(25.0, 60.1, 7)).await;
    let of = |name: &str| found.iter().find(|f| f.name() == format!("urn:ngsi-ld:Thing:{name}"));
    let points = of("points").unwrap();
    assert_eq!((points.kind, points.paths.len()), (1, 2), "what lies elsewhere is not drawn");
    assert_eq!(of("line").map(|f| f.kind), Some(2));
    assert_eq!(of("lines").map(|f| f.kind), Some(2));
    let polygon = of("polygon").unwrap();
    assert_eq!((polygon.kind, polygon.paths.len()), (3, 2));
    assert!(doubled_area(&polygon.paths[0]) > 0 && doubled_area(&polygon.paths[1]) < 0);
    let polygons = of("polygons").unwrap();
    assert_eq!((polygons.kind, polygons.paths.len()), (3, 2));
    assert!(polygons.paths.iter().all(|ring| doubled_area(ring) > 0));
    let axes = found.iter().flat_map(|f| &f.paths).flatten().flatten();
    assert!(axes.into_iter().all(|axis| (-64..=4160).contains(axis)));
    // Far away, all of it is smaller than a pixel or simpler, and none is lost.
    assert_eq!(features(&client, "Thing", "0/0/0").await.len(), 5);
}

#[tokio::test]
async fn a_view_shows_in_tiles_what_it_shows_elsewhere() {
    let client = client_of_town().await;
    let restriction = Restriction {
        rows: Filter::Ids(vec![id("Sensor:a"), id("Sensor:b")]),
        attributes: Mask::Without(vec![iri("name")]),
    };
    let seen = client.seen_by(restriction);
    let found = features(&seen, "Sensor", "0/0/0").await;
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|f| !f.properties.contains_key("name")));
    let blind =
        Restriction { rows: Filter::True, attributes: Mask::Without(vec![iri("location")]) };
    let seen = client.seen_by(blind);
    seen.get("/collections/Sensor/tiles/WebMercatorQuad/0/0/0").await.expect(404);
}

fn sensors(places: &[(f64, f64)]) -> Vec<Entity> {
    let made = places.iter().enumerate();
    made.map(|(n, (lon, lat))| make("Sensor", &n.to_string()).at(*lon, *lat).done()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_point_of_a_tile_is_in_it_at_its_place_and_no_other_is(
        places in prop::collection::vec((-180.0..180.0_f64, -85.0..85.0_f64), 1..200),
        zoom in 0_u32..5,
        pick in any::<prop::sample::Index>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = client().await;
            client.create(sensors(&places)).await;
            // The tile in which one of the points lies.
            let (lon, lat) = places[pick.index(places.len())];
            let place = around(lon, lat, zoom);
            let found = features(&client, "Sensor", &place).await;
            let mut numbers = place.split('/').skip(1).map(|number| number.parse().unwrap());
            let (row, col) = (numbers.next().unwrap(), numbers.next().unwrap());
            let by_id: BTreeMap<&str, &Feature> = found.iter().map(|f| (f.name(), f)).collect();
            assert_eq!(by_id.len(), found.len(), "each is there once");
            let world = f64::from(1_u32 << zoom) * 4096.0;
            for (n, (lon, lat)) in places.iter().enumerate() {
                let [x, y] = projected([*lon, *lat], zoom, row, col);
                let seen = by_id.get(format!("urn:ngsi-ld:Sensor:{n}").as_str());
                let inside = |axis: f64| (0.0..4096.0).contains(&axis);
                if inside(x) && inside(y) {
                    let at = seen.expect("a point of the tile is in it").paths[0][0];
                    assert!((at[0] as f64 - x).abs() <= 0.51 && (at[1] as f64 - y).abs() <= 0.51);
                }
                if let Some(feature) = seen {
                    let [fx, fy] = feature.paths[0][0];
                    let off = [x, x - world, x + world].map(|x| (fx as f64 - x).abs());
                    assert!(off.iter().any(|off| *off <= 0.51) && (fy as f64 - y).abs() <= 0.51);
                    assert!((-64..=4160).contains(&fx) && (-64..=4160).contains(&fy));
                }
            }
        });
    }
}

#[tokio::test]
async fn tl18_a_tile_as_geojson_has_its_features_whole_and_in_degrees() {
    let client = client_of_town().await;
    let ids = |reply: &Reply| -> Vec<String> {
        let features = reply.json()["features"].as_array().unwrap().clone();
        features.iter().map(|f| f["id"].as_str().unwrap().replace("urn:ngsi-ld:", "")).collect()
    };
    for place in ["WebMercatorQuad/0/0/0", "WorldCRS84Quad/0/0/1"] {
        let whole = client.get(&format!("/tiles/{place}?f=geojson")).await.expect(200);
        assert_eq!(whole.header("content-type"), "application/geo+json");
        assert_eq!(whole.json()["type"], "FeatureCollection");
        let found = ids(&whole);
        assert!(
            found.contains(&"Building:1".to_owned()) && !found.contains(&"Sensor:f".to_owned())
        );
        assert!(found.contains(&"Sensor:a".to_owned()), "{found:?}");
        assert_eq!(whole.json()["numberReturned"], found.len());
    }
    // Nothing is cut, and coordinates are those of the feature.
    let place = around(24.955, 60.165, 18);
    let path = format!("/collections/Building/tiles/WebMercatorQuad/{place}");
    let accept = [("accept", "application/geo+json")];
    let small = client.send(Method::GET, &format!("/ogc{path}"), &accept).await.expect(200);
    let building = client.json("/collections/Building/items/urn:ngsi-ld:Building:1").await;
    assert_eq!(ids(&small), ["Building:1"]);
    assert_eq!(small.json()["features"][0]["geometry"], building["geometry"]);
    assert_eq!(small.json()["features"][0]["properties"], building["properties"]);
    // What chooses features and properties does so here.
    let world = "/collections/Building/tiles/WebMercatorQuad/0/0/0?f=geojson";
    let high =
        client.get(&format!("{world}&filter=floors%3E5&properties=floors")).await.expect(200);
    assert_eq!(ids(&high), ["Building:2"]);
    assert_eq!(high.json()["features"][0]["properties"], json!({ "floors": 7 }));
    client.get(&format!("{world}&filter=nosuch%3E5")).await.expect(400);
    let known = [("if-none-match", high.header("etag"))];
    let again = format!("/ogc{world}&filter=floors%3E5&properties=floors");
    client.send(Method::GET, &again, &known).await.expect(304);
    // A new feature is in the next answer.
    client.create(vec![make("Building", "3").value("floors", "9").at(24.96, 60.17).done()]).await;
    let more = client.send(Method::GET, &again, &known).await.expect(200);
    assert_eq!(ids(&more), ["Building:2", "Building:3"]);
    let tileset = client.json("/collections/Building/tiles/WebMercatorQuad").await;
    let links = tileset["links"].as_array().unwrap();
    let is_geojson =
        |link: &&Value| link["rel"] == "item" && link["type"] == "application/geo+json";
    let template = links.iter().find(is_geojson).unwrap()["href"].as_str().unwrap();
    let url = template.replace("{tileMatrix}", "0").replace("{tileRow}", "0");
    assert_eq!(client.follow(&url.replace("{tileCol}", "0")).await["numberMatched"], 3);
}

#[tokio::test]
async fn tl18_a_tile_with_too_many_features_is_refused_as_geojson() {
    let client = client().await;
    let tree = |n: u32| make("Tree", &n.to_string()).at(f64::from(n) / 100.0, 1.0).done();
    client.create((0..10_001).map(tree).collect()).await;
    let world = "/collections/Tree/tiles/WebMercatorQuad/0/0/0";
    let refused = client.get(&format!("{world}?f=geojson")).await.expect(400);
    assert!(refused.text.contains("more than 10000 features"), "{}", refused.text);
    client.get(world).await.expect(200);
    let half = "/collections/Tree/tiles/WebMercatorQuad/2/1/2?f=geojson";
    assert!(client.json(half).await["numberReturned"].as_u64().unwrap() > 8_000);
}
