//! Coordinate reference systems (OGC 18-058r1), by the requirements C-1 to C-12.

use axum::http::Method;
use cardo_ogcapi::{OgcOptions, Systems};
use serde_json::{Value, json};

use crate::client::{Client, client, client_of_town, client_with, make, town};

const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";
const CRS84H: &str = "http://www.opengis.net/def/crs/OGC/0/CRS84h";
const SENSOR: &str = "/collections/Sensor/items/urn:ngsi-ld:Sensor:a";

fn epsg(code: u32) -> String {
    format!("http://www.opengis.net/def/crs/EPSG/0/{code}")
}

/// A face that offers systems of Finland as well.
async fn finnish() -> Client {
    let names = ["EPSG:4326", "EPSG:3857", "EPSG:4258", "EPSG:3067", "3879", "EPSG:3995"];
    let systems = Systems::new(names).unwrap();
    client_with(OgcOptions { systems, ..OgcOptions::default() }).await
}

async fn finnish_town() -> Client {
    let client = finnish().await;
    client.create(town()).await;
    client
}

fn near(found: &Value, expected: [f64; 2], tolerance: f64) {
    for (number, expected) in found.as_array().unwrap().iter().zip(expected) {
        let number = number.as_f64().unwrap();
        assert!((number - expected).abs() <= tolerance, "{found} is not {expected}");
    }
}

#[tokio::test]
async fn c1_c2_c3_collections_list_their_systems_and_say_what_is_stored() {
    let client = finnish_town().await;
    let listed: Vec<String> = [CRS84.to_owned(), CRS84H.to_owned()]
        .into_iter()
        .chain([4326, 3857, 4258, 3067, 3879, 3995].map(epsg))
        .collect();
    let all = client.json("/collections").await;
    assert_eq!(all["crs"], json!(listed));
    for entry in all["collections"].as_array().unwrap() {
        assert_eq!(entry["crs"], json!(["#/crs"]));
        assert_eq!(entry["storageCrs"], CRS84);
        let own = client.json(&format!("/collections/{}", entry["id"].as_str().unwrap())).await;
        assert_eq!(own["crs"], json!(listed));
        assert_eq!(own["storageCrs"], CRS84);
    }
    let page = client.page("/collections/Sensor").await;
    assert!(page.contains(&epsg(3067)), "{page}");
    let definition = client.json("/api").await;
    for name in ["crs", "bbox-crs", "filter-crs"] {
        let parameter = &definition["components"]["parameters"][name];
        assert_eq!(parameter["schema"]["format"], "uri");
        assert_eq!(parameter["schema"]["enum"], json!(listed));
        assert_eq!((&parameter["style"], &parameter["explode"]), (&json!("form"), &json!(false)));
    }
    let items = &definition["paths"]["/collections/Sensor/items"]["get"];
    assert!(items["responses"]["200"]["headers"]["Content-Crs"].is_object());
}

#[tokio::test]
async fn c4_systems_of_no_position_on_the_ground_are_no_part_of_any_list() {
    for name in ["5773", "EPSG:3855", "EPSG:4978", "EPSG:5817"] {
        let refused = Systems::new([name]).unwrap_err().to_string();
        assert!(
            refused.contains("is no coordinate reference system of positions on the ground"),
            "{refused}"
        );
    }
    assert!(Systems::new(["Gauss"]).is_err());
    let systems = Systems::new(["all", "EPSG:3067"]).unwrap();
    let client = client_with(OgcOptions { systems, ..OgcOptions::default() }).await;
    client.create(town()).await;
    let listed = client.json("/collections/Sensor").await["crs"].clone();
    let listed = listed.as_array().unwrap();
    assert!(listed.len() > 6_900, "{}", listed.len());
    assert!(!listed.contains(&json!(epsg(4978))) && listed.contains(&json!(epsg(25_832))));
    assert!(listed.contains(&json!(epsg(7415))) && listed.contains(&json!(epsg(4937))));
    let found = client.json(&format!("{SENSOR}?crs={}", epsg(25_835))).await;
    near(&found["geometry"]["coordinates"], [383_233.693, 6_664_403.392], 0.01);
    let schema = client.json("/api").await["components"]["parameters"]["crs"]["schema"].clone();
    assert_eq!(schema["enum"], Value::Null);
}

#[tokio::test]
async fn c5_every_answer_with_coordinates_says_their_system() {
    let client = finnish_town().await;
    let items = "/collections/Sensor/items";
    for path in [items, SENSOR, "/collections/Sensor/items?limit=2000"] {
        for method in [Method::GET, Method::HEAD] {
            let reply = client.send(method, &format!("/ogc{path}"), &[]).await.expect(200);
            assert_eq!(reply.header("content-crs"), format!("<{CRS84}>"), "{path}");
        }
        let separator = if path.contains('?') { '&' } else { '?' };
        // Two sensors are no place of the Finnish system.
        for uri in [CRS84, CRS84H, &epsg(4326), &epsg(3857)] {
            let reply = client.get(&format!("{path}{separator}crs={uri}")).await.expect(200);
            assert_eq!(reply.header("content-crs"), format!("<{uri}>"), "{path}");
            let page = client.get(&format!("{path}{separator}crs={uri}&f=html")).await.expect(200);
            assert_eq!(page.header("content-crs"), format!("<{uri}>"), "{path}");
        }
    }
    let page = client.page(&format!("{SENSOR}?crs={}", epsg(3067))).await;
    assert!(page.contains(&epsg(3067)) && page.contains("383233.693"), "{page}");
    // A client that has an answer already is told the same by 304.
    let path = format!("/ogc{SENSOR}?crs={}", epsg(3067));
    let tag = client.send(Method::GET, &path, &[]).await.header("etag").to_owned();
    client.send(Method::GET, &path, &[("if-none-match", &tag)]).await.expect(304);
}

#[tokio::test]
async fn c6_coordinates_come_in_the_order_of_the_authority() {
    let client = finnish().await;
    client.create(vec![make("Sensor", "a").at(24.9384, 60.1699).done()]).await;
    for (uri, expected, tolerance) in [
        (CRS84.to_owned(), [24.9384, 60.1699], 0.0),
        (CRS84H.to_owned(), [24.9384, 60.1699], 0.0),
        (epsg(4326), [60.1699, 24.9384], 0.0),
        (epsg(4258), [60.1699, 24.9384], 1e-8),
        (epsg(3857), [2_776_129.988, 8_437_661.782], 0.01),
        (epsg(3067), [385_611.317, 6_672_118.380], 0.01),
        (epsg(3879), [6_673_003.607, 25_496_580.360], 0.01),
    ] {
        let encoded = uri.replace(':', "%3A").replace('/', "%2F");
        for query in [format!("crs={uri}"), format!("crs={encoded}")] {
            let item = client.json(&format!("{SENSOR}?{query}")).await;
            near(&item["geometry"]["coordinates"], expected, tolerance);
            let page = client.json(&format!("/collections/Sensor/items?{query}")).await;
            assert_eq!(page["features"][0]["geometry"], item["geometry"]);
        }
    }
}

#[tokio::test]
async fn c7_a_system_that_is_not_listed_is_refused() {
    let client = client_of_town().await;
    for (uri, says) in [
        ("http://www.opengis.net/def/crs/0/unsupported", "there are http"),
        ("http://www.opengis.net/def/crs/EPSG/0/3067", "there are http"),
        ("", "there are http"),
        ("EPSG:4326", "it is listed as http://www.opengis.net/def/crs/EPSG/0/4326"),
        (
            "urn:ogc:def:crs:EPSG::4326",
            "it is listed as http://www.opengis.net/def/crs/EPSG/0/4326",
        ),
        ("%5BEPSG:4326%5D", "it is listed as http://www.opengis.net/def/crs/EPSG/0/4326"),
        ("http://www.opengis.net/def/crs/EPSG/9.9/4326", "it is listed as"),
    ] {
        for path in [
            format!("{SENSOR}?crs={uri}"),
            format!("/collections/Sensor/items?crs={uri}"),
            format!("/collections/Sensor/items?bbox=1,2,3,4&bbox-crs={uri}"),
            format!("/collections/Sensor/items?bbox-crs={uri}"),
            format!("/collections/Sensor/items?filter-crs={uri}"),
        ] {
            let reply = client.get(&path).await.expect(400);
            assert_eq!(reply.header("content-type"), "application/problem+json");
            assert!(reply.text.contains(says), "{path}: {}", reply.text);
        }
    }
}

#[tokio::test]
async fn c8_c10_a_box_is_read_in_its_own_system() {
    let client = finnish_town().await;
    let plain = client.ids("Sensor", "?bbox=24.94,60.14,25.01,60.21").await;
    assert_eq!(plain.0, ["b", "c", "f"]);
    for (bbox, uri) in [
        ("24.94,60.14,25.01,60.21", CRS84.to_owned()),
        ("24.94,60.14,25.01,60.21", CRS84H.to_owned()),
        ("24.94,60.14,-100,25.01,60.21,100", CRS84H.to_owned()),
        ("60.14,24.94,60.21,25.01", epsg(4326)),
        ("60.14,24.94,60.21,25.01", epsg(4258)),
        ("2776000,8430000,2785000,8446000", epsg(3857)),
        ("385000,6668000,390000,6677000", epsg(3067)),
        ("6668000,25496000,6677000,25501000", epsg(3879)),
    ] {
        assert_eq!(
            client.ids("Sensor", &format!("?bbox={bbox}&bbox-crs={uri}")).await,
            plain,
            "{uri}"
        );
        // How the answer is shown is another matter.
        let query = format!("?bbox={bbox}&bbox-crs={uri}&crs={}", epsg(3067));
        assert_eq!(client.ids("Sensor", &query).await, plain, "{uri}");
    }
    // Over the antimeridian, latitude first.
    for uri in [epsg(4326), epsg(4258)] {
        let query = format!("?bbox=-18,179,-16,-179&bbox-crs={uri}");
        assert_eq!(client.ids("Sensor", &query).await.0, ["d", "e", "f"], "{uri}");
    }
    let query = format!("?bbox-crs={}", epsg(3067));
    assert_eq!(client.ids("Sensor", &query).await.1, 6);
}

#[tokio::test]
async fn c8_a_box_that_cannot_be_in_its_system_is_refused() {
    let client = finnish_town().await;
    for (bbox, code, says) in [
        ("1e12,1e12,2e12,2e12", 3067, "cannot be transformed from EPSG:3067"),
        ("390000,6670000,380000,6680000", 3067, "which is less"),
        ("380000,6680000,390000,6670000", 3067, "which is less"),
        ("91,24,92,25", 4326, "91 is no latitude"),
        ("60,24,61,181", 4326, "181 is no longitude"),
        ("61,24,60,25", 4258, "the south 61 lies above the north 60"),
    ] {
        let path = format!("/collections/Sensor/items?bbox={bbox}&bbox-crs={}", epsg(code));
        let reply = client.get(&path).await.expect(400);
        assert!(reply.text.contains(says), "{path}: {}", reply.text);
    }
}

/// What lies between a straight edge and its image tells whether edges are bent.
#[tokio::test]
async fn c9_a_box_of_a_projection_has_what_its_plane_puts_into_it() {
    let client = finnish().await;
    let crs = cardo_spatial::Crs::from_uri(&epsg(3067)).unwrap();
    let place = |east: f64, north: f64| crs.to_wgs84([east, north]).unwrap();
    let spots = [
        ("in", 400_000.0, 6_650_001.0),
        ("out", 400_000.0, 6_649_999.0),
        ("in", 100_001.0, 7_000_000.0),
        ("out", 99_999.0, 7_000_000.0),
        ("in", 500_000.0, 7_499_999.0),
        ("out", 500_000.0, 7_500_001.0),
    ];
    let entities = spots.iter().enumerate().map(|(at, (name, east, north))| {
        let [lon, lat] = place(*east, *north);
        make("Spot", &format!("{name}{at}")).at(lon, lat).done()
    });
    client.create(entities.collect()).await;
    let query = format!("?bbox=100000,6650000,700000,7500000&bbox-crs={}", epsg(3067));
    assert_eq!(
        client.ids("Spot", &query).await,
        (vec!["in0".into(), "in2".into(), "in4".into()], 3)
    );
    // On a map of the Arctic the pole lies in the middle.
    client.create(vec![make("Pole", "north").at(0.0, 90.0).done()]).await;
    client.create(vec![make("Pole", "beside").at(-170.0, 85.0).done()]).await;
    client.create(vec![make("Pole", "south").at(0.0, -80.0).done()]).await;
    let query = format!("?bbox=-1000000,-1000000,1000000,1000000&bbox-crs={}", epsg(3995));
    assert_eq!(client.ids("Pole", &query).await.0, ["north", "beside"]);
}

#[tokio::test]
async fn c11_only_geometries_change_and_all_of_them() {
    let client = finnish().await;
    let line = r#"{"type":"LineString","coordinates":[[24.9,60.1,3.5],[25.0,60.2,4]]}"#;
    let area = r#"{"type":"MultiPolygon","coordinates":[[[[24.9,60.1],[25.0,60.1],[25.0,60.2],[24.9,60.1]]]]}"#;
    let entity = make("Sensor", "a").geometry("location", line).geometry("observationSpace", area);
    client.create(vec![entity.value("list", "[24.9,60.1]").value("name", "\"x\"").done()]).await;
    let plain = client.json(SENSOR).await;
    let shown = client.json(&format!("{SENSOR}?crs={}", epsg(3067))).await;
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&shown), keys(&plain));
    for name in ["list", "name"] {
        assert_eq!(shown["properties"][name], plain["properties"][name]);
    }
    let line = &shown["geometry"]["coordinates"];
    near(&line[0], [383_233.693, 6_664_403.392], 0.01);
    assert_eq!((line[0][2].as_f64(), line[1][2].as_f64()), (Some(3.5), Some(4.0)));
    let area = &shown["properties"]["observationSpace"];
    assert_eq!(area["type"], "MultiPolygon");
    near(&area["coordinates"][0][0][0], [383_233.693, 6_664_403.392], 0.01);
    let none = client.json(&format!("{SENSOR}?crs={}&skipGeometry=true", epsg(3067))).await;
    assert_eq!(none["geometry"], Value::Null);
}

#[tokio::test]
async fn c12_coordinates_tell_a_centimetre_apart_and_have_no_exponent() {
    let client = finnish().await;
    let places = [[24.900_000_123_4, 60.1], [-1e-7, 0.0], [1e-12, 1e-9], [179.999_999_99, -89.0]];
    let entities = places.iter().enumerate();
    let entities =
        entities.map(|(at, [lon, lat])| make("Dot", &at.to_string()).at(*lon, *lat).done());
    client.create(entities.collect()).await;
    for code in [4326, 4258, 3857] {
        let path = format!("/collections/Dot/items?crs={}", epsg(code));
        let reply = client.get(&path).await.expect(200);
        let coordinates = reply.text.split("\"coordinates\":").skip(1);
        for text in coordinates.map(|text| text.split('}').next().unwrap()) {
            assert!(
                !text.contains(['e', 'E']) && !text.contains("-0,") && !text.contains("-0]"),
                "{text}"
            );
        }
        let crs = cardo_spatial::Crs::from_uri(&epsg(code)).unwrap();
        for (feature, place) in reply.json()["features"].as_array().unwrap().iter().zip(places) {
            let shown = [0, 1].map(|at| feature["geometry"]["coordinates"][at].as_f64().unwrap());
            let back = crs.to_wgs84(shown).unwrap();
            near(&json!(back), place, 1e-7);
        }
    }
}

#[tokio::test]
async fn pages_lead_on_in_the_same_system_and_count_the_same() {
    let client = finnish_town().await;
    let uri = epsg(3067).replace(':', "%3A");
    let query = format!("bbox=60,24,61,26&bbox-crs={}&crs={uri}&limit=2", epsg(4326));
    let first = client.json(&format!("/collections/Sensor/items?{query}")).await;
    assert_eq!(first["numberMatched"], 4);
    let next = first["links"].as_array().unwrap().iter().find(|link| link["rel"] == "next");
    let next = next.unwrap()["href"].as_str().unwrap().to_owned();
    assert!(next.contains(&uri) && next.contains("bbox-crs="), "{next}");
    let second = client.follow(&next).await;
    near(&second["features"][0]["geometry"]["coordinates"], [389_130.042, 6_675_364.495], 0.01);
    // Another page of the same question may be in another system.
    let other = client.follow(&next.replace(&format!("crs={uri}"), "")).await;
    near(&other["features"][0]["geometry"]["coordinates"], [25.0, 60.2], 0.0);
    assert_eq!(other["numberMatched"], 4);
}

#[tokio::test]
async fn q9_coordinates_of_filters_are_of_their_system() {
    let client = finnish_town().await;
    let encoded = |text: &str| text.replace(' ', "%20").replace('"', "%22");
    let ids = async |filter: &str, code: u32, language: &str| {
        let query = format!(
            "?filter={}&filter-lang=cql2-{language}&filter-crs={}",
            encoded(filter),
            epsg(code)
        );
        client.ids("Sensor", &query).await.0
    };
    let area =
        "POLYGON((385000 6668000,390000 6668000,390000 6677000,385000 6677000,385000 6668000))";
    assert_eq!(ids(&format!("S_INTERSECTS(location,{area})"), 3067, "text").await, ["b", "c"]);
    let filter = "S_INTERSECTS(location,BBOX(385000,6668000,390000,6677000))";
    assert_eq!(ids(filter, 3067, "text").await, ["b", "c"]);
    let filter = "S_INTERSECTS(location,BBOX(60.14,24.94,60.21,25.01))";
    assert_eq!(ids(filter, 4326, "text").await, ["b", "c"]);
    assert_eq!(
        ids("S_INTERSECTS(location,BBOX(-18,179,-16,-179))", 4258, "text").await,
        ["d", "e"]
    );
    assert_eq!(ids("S_EQUALS(location,POINT(60.1 24.9))", 4326, "text").await, ["a"]);
    let ring = "[[[60.14,24.94],[60.14,25.01],[60.21,25.01],[60.21,24.94],[60.14,24.94]]]";
    for geometry in [
        format!(r#"{{"type":"Polygon","coordinates":{ring}}}"#),
        r#"{"bbox":[60.14,24.94,60.21,25.01]}"#.into(),
    ] {
        let filter =
            format!(r#"{{"op":"s_within","args":[{{"property":"location"}},{geometry}]}}"#);
        assert_eq!(ids(&filter, 4326, "json").await, ["b", "c"]);
    }
    // Wide edges are straight where they were drawn.
    let line = "S_DISJOINT(location,LINESTRING(100000 6700000,600000 6700000))";
    assert_eq!(ids(line, 3067, "text").await.len(), 5);
    for (filter, says) in [
        ("S_INTERSECTS(location,POINT(1e12 1e12))", "cannot be transformed from EPSG:3067"),
        ("S_INTERSECTS(location,BBOX(390000,6668000,385000,6677000))", "which is less"),
        ("S_INTERSECTS(location,POLYGON((1 2,3 4,5 6,7 8)))", "the ring begins at"),
    ] {
        let query = format!("filter={}&filter-crs={}", encoded(filter), epsg(3067));
        let reply = client.get(&format!("/collections/Sensor/items?{query}")).await.expect(400);
        assert!(reply.text.contains(says), "{filter}: {}", reply.text);
    }
    // The same in tiles and in tables of areas.
    let filter =
        format!("filter=S_INTERSECTS(location,{})&filter-crs={}", encoded(area), epsg(3067));
    let path = format!("/collections/Sensor/tiles/WebMercatorQuad/0/0/0?{filter}");
    client.get(&path).await.expect(200);
    let path = "/collections/Sensor/tiles/WebMercatorQuad/0/0/0?filter-crs=EPSG:3067";
    client.get(path).await.expect(400);
    client.get(&format!("/aggregates?areas=Building&{filter}")).await.expect(200);
}

#[tokio::test]
async fn what_has_no_place_in_a_system_is_named_and_no_number_is_made_up() {
    let client = finnish().await;
    let crowd = (0..1_500).map(|n| make("Dot", &n.to_string()).at(25.0, 60.0).done());
    client.create(crowd.chain([make("Dot", "pole").at(24.9, 90.0).done()]).collect()).await;
    for query in [
        "/collections/Dot/items?offset=1000&limit=1000&crs=",
        "/collections/Dot/items?limit=2000&crs=",
        "/collections/Dot/items/urn:ngsi-ld:Dot:pole?crs=",
    ] {
        let reply = client.get(&format!("{query}{}", epsg(3857))).await.expect(400);
        assert_eq!(reply.header("content-type"), "application/problem+json");
        for says in ["urn:ngsi-ld:Dot:pole", "EPSG:3857", "another crs"] {
            assert!(reply.text.contains(says), "{}", reply.text);
        }
    }
    client.get(&format!("/collections/Dot/items?crs={}&limit=10", epsg(3857))).await.expect(200);
    let large = client.json(&format!("/collections/Dot/items?crs={}&limit=2000", epsg(4326))).await;
    assert_eq!(large["features"][1_500]["geometry"]["coordinates"], json!([90, 24.9]));
    // Without geometries there is nothing to refuse.
    let path = format!("/collections/Dot/items?limit=2000&skipGeometry=true&crs={}", epsg(3857));
    client.get(&path).await.expect(200);
}

#[tokio::test]
async fn the_form_of_a_page_shows_a_box_as_its_map_does() {
    let client = client().await;
    client.create(town()).await;
    let query = format!("?bbox=60.14,24.94,60.21,25.01&bbox-crs={}&crs={}", epsg(4326), epsg(3857));
    let page = client.page(&format!("/collections/Sensor/items{query}")).await;
    assert!(page.contains("value=\"24.940000,60.140000,25.010000,60.210000\""), "{page}");
    assert!(page.contains(&format!("name=\"crs\" value=\"{}\"", epsg(3857))), "{page}");
}
