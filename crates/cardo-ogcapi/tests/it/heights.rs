//! Reference systems with heights of their own (OGC 18-058r1, requirements C-4 to C-8 and W-10). The coordinates are
//! those of PROJ without grids.

use std::io::Cursor;

use axum::http::Method;
use cardo_formats::{Format, ReadOptions, open};
use cardo_ogcapi::{OgcOptions, Systems};
use serde_json::{Value, json};

use crate::client::{Client, Reply, client_with, make};

const DRILL: &str = "/collections/Drill/items/urn:ngsi-ld:Drill:a";
const GEOJSON: (&str, &str) = ("content-type", "application/geo+json");

fn epsg(code: u32) -> String {
    format!("http://www.opengis.net/def/crs/EPSG/0/{code}")
}

/// Amsterdam with its levels, Maine in feet, the North Sea by its depths, Luxembourg by its ellipsoid.
const SYSTEMS: [&str; 8] = [
    "EPSG:7415",
    "EPSG:28992",
    "EPSG:8746",
    "EPSG:9289",
    "EPSG:9895",
    "EPSG:9518",
    "EPSG:4979",
    "EPSG:3571",
];

async fn drills() -> Client {
    let systems = Systems::new(SYSTEMS).unwrap();
    client_with(OgcOptions { systems, ..OgcOptions::default() }).await
}

async fn drill_at(position: &str) -> Client {
    let client = drills().await;
    let point = format!(r#"{{"type":"Point","coordinates":{position}}}"#);
    client.create(vec![make("Drill", "a").geometry("location", &point).done()]).await;
    client
}

fn near(found: &Value, expected: &[f64], tolerance: f64) {
    let found: Vec<f64> = found.as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (number, expected) in found.iter().zip(expected) {
        assert!((number - expected).abs() <= tolerance, "{found:?} is not {expected}");
    }
}

#[tokio::test]
async fn c6_heights_come_third_in_the_unit_and_direction_of_their_system() {
    for (held, code, shown) in [
        ("[5.21,52.225,100]", 7415, &[142_892.192, 470_783.867, 100.0][..]),
        ("[5.21,52.225,-2.75]", 7415, &[142_892.192, 470_783.867, -2.75]),
        ("[5.21,52.225]", 7415, &[142_892.192, 470_783.867]),
        // A system of the ground alone has them as they are.
        ("[5.21,52.225,100]", 28_992, &[142_892.192, 470_783.867, 100.0]),
        ("[-70.2665,44.279,1234.5]", 8746, &[2_926_603.831, 526_961.676, 4_050.189]),
        ("[-70.2665,44.279]", 8746, &[2_926_603.831, 526_961.676]),
        ("[4.636,52.8775,-34.5]", 9289, &[52.8775, 4.636, 34.5]),
        ("[6.13,49.815,100]", 9895, &[97_842.852, 77_255.995, 52.1173]),
        ("[24.9,60.1,12.5]", 9518, &[60.1, 24.9, 12.5]),
        ("[24.9,60.1,12.5]", 4979, &[60.1, 24.9, 12.5]),
    ] {
        let client = drill_at(held).await;
        for path in ["/collections/Drill/items", DRILL] {
            let reply = client.get(&format!("{path}?crs={}", epsg(code))).await.expect(200);
            assert_eq!(reply.header("content-crs"), format!("<{}>", epsg(code)));
            let body = reply.json();
            let feature = body.get("features").map_or(&body, |features| &features[0]);
            near(&feature["geometry"]["coordinates"], shown, 0.01);
        }
        let body = client.json(&format!("{DRILL}?f=jsonfg&crs={}", epsg(code))).await;
        assert_eq!((&body["coordRefSys"], &body["geometry"]), (&json!(epsg(code)), &Value::Null));
        near(&body["place"]["coordinates"], shown, 0.01);
        let page = client.get(&format!("{DRILL}?f=html&crs={}", epsg(code))).await.expect(200);
        assert_eq!(page.header("content-crs"), format!("<{}>", epsg(code)));
    }
}

#[tokio::test]
async fn c8_a_box_of_six_numbers_is_read_as_its_system_counts() {
    let has = async |client: &Client, bbox: &str, code: u32| {
        let path = format!("/collections/Drill/items?bbox={bbox}&bbox-crs={}", epsg(code));
        client.json(&path).await["numberMatched"] == 1
    };
    let amsterdam = drill_at("[5.21,52.225,-2.75]").await;
    for (bbox, expected) in [
        ("142000,470000,143000,471000", true),
        ("142000,470000,-3,143000,471000,-2.5", true),
        ("142000,470000,-2,143000,471000,9", false),
        ("142893,470000,-3,143000,471000,9", false),
    ] {
        assert_eq!(has(&amsterdam, bbox, 7415).await, expected, "{bbox}");
    }
    let maine = drill_at("[-70.2665,44.279,1200]").await;
    for (heights, expected) in
        [([3_937, 3_937], true), ([3_938, 4_000], false), ([0, 2_000], false)]
    {
        let bbox = format!("2926600,526900,{},2926700,527000,{}", heights[0], heights[1]);
        assert_eq!(has(&maine, &bbox, 8746).await, expected, "{bbox}");
    }
    let sea = drill_at("[4.636,52.8775,-34.5]").await;
    for (heights, expected) in [([30, 40], true), ([35, 40], false), ([-40, -30], false)] {
        let bbox = format!("52,4,{},53,5,{}", heights[0], heights[1]);
        assert_eq!(has(&sea, &bbox, 9289).await, expected, "{bbox}");
    }
    // Over the antimeridian, latitude first.
    let fiji = drill_at("[179.5,-17,30]").await;
    assert!(has(&fiji, "-18,179,0,-16,-179,40", 9518).await);
    assert!(has(&fiji, "-18,179,0,-16,-179,40", 4979).await);
    assert!(!has(&fiji, "-18,179,31,-16,-179,40", 9518).await);
    let luxembourg = drill_at("[6.13,49.815,100]").await;
    for (heights, expected) in [([50, 54], true), ([99, 101], false)] {
        let bbox = format!("97000,77000,{},98000,78000,{}", heights[0], heights[1]);
        assert_eq!(has(&luxembourg, &bbox, 9895).await, expected, "{bbox}");
    }
    let upside_down = "/collections/Drill/items?bbox=52,4,40,53,5,30&bbox-crs=";
    client_says(&sea, &format!("{upside_down}{}", epsg(9289)), "the bottom 40 lies above").await;
}

async fn client_says(client: &Client, path: &str, says: &str) {
    let reply = client.get(path).await.expect(400);
    assert!(reply.text.contains(says), "{path}: {}", reply.text);
}

#[tokio::test]
async fn q9_filters_take_positions_with_heights_which_relations_do_not_look_at() {
    let client = drill_at("[5.21,52.225,-2.75]").await;
    for filter in [
        "S_INTERSECTS(location,BBOX(142000,470000,143000,471000))",
        "S_INTERSECTS(location,BBOX(142000,470000,500,143000,471000,600))",
        "S_INTERSECTS(location,POLYGON%20Z((142000%20470000%201,143000%20470000%201,143000%20471000%201,142000%20470000%201)))",
    ] {
        let path = format!("/collections/Drill/items?filter={filter}&filter-crs={}", epsg(7415));
        assert_eq!(client.json(&path).await["numberMatched"], 1, "{filter}");
    }
    let path = "/collections/Drill/items?filter=S_INTERSECTS(location,BBOX(52,4,53,6))&filter-crs=";
    assert_eq!(client.json(&format!("{path}{}", epsg(9289))).await["numberMatched"], 1);
}

#[tokio::test]
async fn c7_what_is_not_listed_is_told_how_it_is() {
    let client = drill_at("[5.21,52.225,-2.75]").await;
    let parts = "http://www.opengis.net/def/crs-compound?1=http://www.opengis.net/def/crs/EPSG/0/28992\
                 %262=http://www.opengis.net/def/crs/EPSG/0/5709";
    for (crs, says) in [
        (parts, format!("it is listed as {}", epsg(7415))),
        ("urn:ogc:def:crs:EPSG::7415", format!("it is listed as {}", epsg(7415))),
        ("EPSG:7415", format!("it is listed as {}", epsg(7415))),
        (epsg(5773).as_str(), "there are http".into()),
        (epsg(4978).as_str(), "there are http".into()),
    ] {
        for parameter in ["crs", "bbox-crs", "filter-crs"] {
            client_says(&client, &format!("/collections/Drill/items?{parameter}={crs}"), &says)
                .await;
        }
    }
}

#[tokio::test]
async fn w10_bodies_are_read_with_their_heights_and_what_comes_back_changes_nothing() {
    let path = format!("/ogc{DRILL}");
    for (held, code, moved, placed) in [
        ("[5.21,52.225,-2.75]", 7415, json!([142_892.193, 470_783.867, 7.5]), [5.21, 52.225, 7.5]),
        (
            "[-70.2665,44.279,1234.5]",
            8746,
            json!([2_926_603.831, 526_961.676, 3937]),
            [-70.2665, 44.279, 1200.0],
        ),
        ("[4.636,52.8775,-34.5]", 9289, json!([52.9, 4.7, 12.25]), [4.7, 52.9, -12.25]),
        (
            "[6.13,49.815,100]",
            9895,
            json!([97_842.852, 77_255.995, 152.1173]),
            [6.13, 49.815, 200.0],
        ),
    ] {
        let client = drill_at(held).await;
        let before = client.send(Method::GET, &path, &[]).await.expect(200);
        let shown = client.get(&format!("{DRILL}?crs={}", epsg(code))).await.expect(200);
        let named = format!("<{}>", epsg(code));
        let headers = [GEOJSON, ("content-crs", named.as_str())];
        let same = client.write(Method::PUT, &path, &headers, &shown.text).await.expect(204);
        assert_eq!(same.header("etag"), before.header("etag"), "nothing has changed");
        let mut feature = shown.json();
        feature["geometry"]["coordinates"] = moved;
        let body = feature.to_string();
        client.write(Method::PUT, &path, &headers, &body).await.expect(204);
        near(&client.json(DRILL).await["geometry"]["coordinates"], &placed, 0.01);
    }
}

#[tokio::test]
async fn w10_what_has_no_place_in_its_system_is_refused() {
    let client = drill_at("[5.21,52.225]").await;
    let path = format!("/ogc{DRILL}");
    for (code, position, status) in [
        (7415, "[142892,470784,3]", 204),
        // Formulas have places for these, in the southern seas at that.
        (7415, "[1e300,1e300,0]", 422),
        (28_992, "[1e300,1e300]", 422),
        (8746, "[-1e12,526961,1]", 422),
        (9289, "[526961,4.7,1]", 422),
        (3571, "[2e7,2e7]", 422),
    ] {
        let named = format!("<{}>", epsg(code));
        let headers = [GEOJSON, ("content-crs", named.as_str())];
        let body = format!(
            r#"{{"type":"Feature","geometry":{{"type":"Point","coordinates":{position}}},"properties":{{}}}}"#
        );
        let reply = client.write(Method::PUT, &path, &headers, &body).await;
        assert_eq!(reply.status, status, "{code} {position}: {}", reply.text);
    }
}

#[tokio::test]
async fn w10_a_body_names_a_compound_system_by_its_parts_too() {
    let client = drills().await;
    let items = "/ogc/collections/Drill/items";
    client.create(vec![make("Drill", "a").at(5.0, 52.0).done()]).await;
    let ground = json!({ "type": "Reference", "href": epsg(28_992) });
    for (system, status) in [
        (json!(epsg(7415)), 201),
        (json!([epsg(28_992), epsg(5709)]), 201),
        (json!([ground, "http://www.opengis.net/def/crs/EPSG/0/5709"]), 201),
        (ground.clone(), 201),
        (json!([epsg(28_992), epsg(3855)]), 400),
        (json!([epsg(7415)]), 400),
        (json!([epsg(28_992), epsg(5709), epsg(5709)]), 400),
        (json!({ "type": "Reference", "href": epsg(7415), "epoch": 2010.5 }), 400),
        (json!(7415), 400),
    ] {
        let feature = json!({
            "type": "Feature",
            "coordRefSys": system,
            "geometry": { "type": "Point", "coordinates": [142_892.193, 470_783.867, 7.5] },
            "properties": {},
        });
        let reply = client.write(Method::POST, items, &[GEOJSON], &feature.to_string()).await;
        if status == 201 {
            let location = reply.expect(201).header("location").to_owned();
            let found = client.follow(&location).await;
            near(&found["geometry"]["coordinates"], &[5.21, 52.225, 7.5], 1e-6);
        } else {
            reply.expect(status);
        }
    }
}

fn stored(format: Format, reply: &Reply) -> (Option<String>, Vec<f64>) {
    let mut reader =
        open(format, Cursor::new(reply.bytes.clone()), &ReadOptions::default()).unwrap();
    let system = reader.crs().map(str::to_owned);
    (system, reader.next().unwrap().unwrap().geometry.unwrap().heights)
}

#[tokio::test]
async fn c6_files_say_the_compound_system_and_have_its_heights() {
    let client = drill_at("[-70.2665,44.279,1200]").await;
    let items = format!("/collections/Drill/items?crs={}&f=", epsg(8746));
    for (name, format) in [("fgb", Format::FlatGeobuf), ("gpkg", Format::GeoPackage)] {
        let reply = client.get(&format!("{items}{name}")).await.expect(200);
        assert_eq!(reply.header("content-crs"), format!("<{}>", epsg(8746)));
        assert_eq!(stored(format, &reply), (Some("EPSG:8746".into()), vec![3_937.0]), "{name}");
    }
    let reply = client.get(&format!("{items}gpkg")).await.expect(200);
    for text in ["COMPD_CS[\"NAD83 / Maine", "VERT_CS[\"NAVD88 height (ftUS)\""] {
        assert!(reply.bytes.windows(text.len()).any(|bytes| bytes == text.as_bytes()), "{text}");
    }
    let csv = client.get(&format!("{items}csv")).await.expect(200);
    assert!(csv.text.contains("POINT Z") && csv.text.contains(" 3937)"), "{}", csv.text);
    let parquet = client.get(&format!("{items}parquet")).await.expect(200);
    let text = String::from_utf8_lossy(&parquet.bytes).into_owned();
    assert!(text.contains("CompoundCRS") && text.contains("NAVD88 height (ftUS)"));
}

#[tokio::test]
async fn c4_systems_with_heights_are_listed_as_all_others_are() {
    let client = drill_at("[5.21,52.225,-2.75]").await;
    let collection = client.json("/collections/Drill").await;
    for code in [7415, 9289, 4979] {
        assert!(collection["crs"].as_array().unwrap().contains(&json!(epsg(code))));
    }
    let parameter = client.json("/api").await["components"]["parameters"]["crs"].clone();
    assert!(parameter["schema"]["enum"].as_array().unwrap().contains(&json!(epsg(7415))));
}
