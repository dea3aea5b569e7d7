//! Features are created, replaced, changed and deleted (OGC 20-002; checklist W-1 to W-12).

use axum::http::Method;
use cardo_engine::Caller;
use serde_json::{Value, json};

use crate::client::{Client, Reply, client, client_of_town, client_read_only, id, iri, make};

const SENSORS: &str = "/ogc/collections/Sensor/items";
const A: &str = "/ogc/collections/Sensor/items/urn:ngsi-ld:Sensor:a";
const GEOJSON: (&str, &str) = ("content-type", "application/geo+json");
const PATCH: (&str, &str) = ("content-type", "application/merge-patch+json");

async fn post(client: &Client, body: &Value) -> Reply {
    client.write(Method::POST, SENSORS, &[GEOJSON], &body.to_string()).await
}

async fn put(client: &Client, path: &str, body: &Value) -> Reply {
    client.write(Method::PUT, path, &[GEOJSON], &body.to_string()).await
}

async fn patch(client: &Client, path: &str, body: &Value) -> Reply {
    client.write(Method::PATCH, path, &[PATCH], &body.to_string()).await
}

async fn get(client: &Client, path: &str) -> Value {
    let mut feature = client.send(Method::GET, path, &[]).await.expect(200).json();
    feature.as_object_mut().unwrap().shift_remove("links");
    feature
}

fn sensor(properties: &Value) -> Value {
    let geometry = json!({ "type": "Point", "coordinates": [24.9, 60.2] });
    json!({ "type": "Feature", "geometry": geometry, "properties": properties })
}

#[tokio::test]
async fn w2_w12_a_feature_is_created_with_an_address_and_seen_at_once() {
    let client = client_of_town().await;
    let mut feature = sensor(&json!({
        "temperature": 19.25,
        "temperature__observedAt": "2026-11-07T10:00:00Z",
        "name": "new",
        "active": true,
        "refDistrict": "urn:ngsi-ld:District:2",
    }));
    let reply = post(&client, &feature).await.expect(201);
    let location = reply.header("location").to_owned();
    assert!(
        location.starts_with(
            "http://city.example:8787/ogc/collections/Sensor/items/urn:ngsi-ld:Sensor:"
        ),
        "{location}"
    );
    let path = location.strip_prefix("http://city.example:8787").unwrap();
    let found = client.send(Method::GET, path, &[]).await.expect(200);
    assert_eq!(found.header("etag"), reply.header("etag"));
    let mut found = found.json();
    found.as_object_mut().unwrap().shift_remove("links");
    feature["id"] = found["id"].clone();
    assert_eq!(found, feature);
    // W-12: boxes, times, filters and tiles know it.
    let own = found["id"].as_str().unwrap()[19..].to_owned();
    let found = client.ids("Sensor", "?bbox=24.85,60.19,24.95,60.21&temperature=19.25").await;
    assert_eq!(found.0, std::slice::from_ref(&own));
    assert!(client.ids("Sensor", "?datetime=2026-11-07").await.0.contains(&own));
    let relation = client.ids("Sensor", "?refDistrict=urn:ngsi-ld:District:2").await;
    assert_eq!(relation.0, [own]);
}

#[tokio::test]
async fn w2_the_id_of_a_feature_is_the_one_that_was_sent_or_made_of_it() {
    let client = client_of_town().await;
    for (sent, path) in [
        (json!("urn:ngsi-ld:Sensor:g"), "urn:ngsi-ld:Sensor:g"),
        (json!("https://city.example/sensor/1"), "https:%2F%2Fcity.example%2Fsensor%2F1"),
        (json!(7), "urn:ngsi-ld:Sensor:7"),
        (json!("north 1"), "urn:ngsi-ld:Sensor:north%25201"),
    ] {
        let mut feature = sensor(&json!({ "name": "x" }));
        feature["id"] = sent.clone();
        let reply = post(&client, &feature).await.expect(201);
        let location = reply.header("location");
        assert_eq!(location, format!("http://city.example:8787{SENSORS}/{path}"), "{sent}");
        let path = location.strip_prefix("http://city.example:8787").unwrap();
        assert_eq!(get(&client, path).await["properties"]["name"], "x");
        // What is there is not created again.
        let again = post(&client, &feature).await.expect(409);
        assert_eq!(again.header("content-type"), "application/problem+json");
    }
    for sent in [json!(""), json!(true), json!({}), json!(["a"])] {
        let mut feature = sensor(&json!({}));
        feature["id"] = sent;
        post(&client, &feature).await.expect(422);
    }
}

#[tokio::test]
async fn w2_what_cannot_be_created_is_refused_with_a_problem() {
    let client = client_of_town().await;
    let whole = sensor(&json!({ "name": "x" })).to_string();
    let with_format = format!("{SENSORS}?f=json");
    let cases = [
        (SENSORS, GEOJSON, "{", 400, "the body is no JSON"),
        (SENSORS, GEOJSON, "[]", 400, "no JSON object"),
        (SENSORS, GEOJSON, "{}", 400, "no GeoJSON feature"),
        (
            SENSORS,
            GEOJSON,
            r#"{"type":"FeatureCollection","features":[]}"#,
            400,
            "FeatureCollection",
        ),
        (SENSORS, GEOJSON, r#"{"type":"Feature","properties":[]}"#, 400, "no object"),
        (SENSORS, ("content-type", "text/csv"), whole.as_str(), 415, "\"text/csv\" is not read"),
        (SENSORS, ("x-none", ""), &whole, 415, "is not read"),
        (with_format.as_str(), GEOJSON, &whole, 400, "\"f\" is no parameter"),
        ("/ogc/collections/Nope/items", GEOJSON, &whole, 404, "no collection \"Nope\""),
    ];
    for (path, header, body, status, says) in cases {
        let reply = client.write(Method::POST, path, &[header], body).await.expect(status);
        assert_eq!(reply.header("content-type"), "application/problem+json");
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says), "{body}: {detail}");
        if status == 415 {
            assert!(reply.header("accept-post").contains("application/geo+json"));
        }
    }
    for (property, value, says) in [
        ("temperature", json!("warm"), "\"temperature\" is \"warm\" and has to be a number"),
        ("name", json!(1), "has to be a text"),
        ("active", json!("yes"), "has to be true or false"),
        ("refDistrict", json!("no uri"), "no reference"),
        ("refDistrict", json!(3), "has to be the id of a feature"),
        ("temperature__observedAt", json!("yesterday"), "has to be a date"),
        ("createdAt", json!("2026-01-01T00:00:00Z"), "the server's own"),
        ("id", json!("urn:x:y"), "the server's own"),
        ("location", json!(null), "is the geometry"),
        ("spaced out", json!(1), "cannot be the name of a property"),
    ] {
        let mut properties = json!({ "temperature": 1 });
        properties[property] = value;
        let reply = post(&client, &sensor(&properties)).await.expect(422);
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says), "{property}: {detail}");
    }
    let lonely = post(&client, &sensor(&json!({ "temperature__unitCode": "CEL" }))).await;
    lonely.expect(422);
    for geometry in
        [json!({"type": "Point"}), json!({"type": "Point", "coordinates": [200, 95]}), json!(5)]
    {
        let feature = json!({ "type": "Feature", "geometry": geometry, "properties": {} });
        post(&client, &feature).await.expect(422);
    }
    assert_eq!(client.ids("Sensor", "").await.1, 6, "nothing was left behind");
}

#[tokio::test]
async fn w2_properties_that_no_column_has_become_new_attributes() {
    let client = client_of_town().await;
    let feature = sensor(&json!({
        "height": 3, "height__unitCode": "MTR", "notes": null,
        "tags": ["a", "b"], "address": { "street": "Kaivokatu" },
        "viewpoint": { "type": "Point", "coordinates": [1.5, 2.5] },
    }));
    let reply = post(&client, &feature).await.expect(201);
    let path = reply.header("location").strip_prefix("http://city.example:8787").unwrap();
    let mut expected = feature["properties"].clone();
    expected.as_object_mut().unwrap().shift_remove("notes");
    assert_eq!(get(&client, path).await["properties"], expected);
    let schema = client.json("/collections/Sensor/schema").await;
    let kind = |name: &str| schema["properties"][name].clone();
    assert_eq!(kind("height")["x-ogc-definition"], iri("height").as_str());
    assert_eq!(kind("viewpoint")["format"], "geometry-any");
}

#[tokio::test]
async fn w3_a_feature_that_comes_back_as_it_was_read_changes_nothing() {
    let client = client_of_town().await;
    let before = client.send(Method::GET, A, &[]).await.expect(200);
    let reply = put(&client, A, &before.json()).await.expect(204);
    assert_eq!(reply.header("cardo-revision"), before.header("cardo-revision"));
    assert_eq!(reply.header("etag"), before.header("etag"));
    assert_eq!(client.send(Method::GET, A, &[]).await.text, before.text);
}

#[tokio::test]
async fn w3_a_replacement_takes_away_what_is_shown_and_not_sent() {
    let client = client().await;
    let mut tree =
        make("Tree", "1").value("height", "20").value("kind", "\"oak\"").at(1.0, 2.0).done();
    tree.types.push(iri("Monument"));
    tree.scopes.push(cardo_model::Scope::new("/Park").unwrap());
    client.create(vec![tree]).await;
    let path = "/ogc/collections/Tree/items/urn:ngsi-ld:Tree:1";
    let feature = json!({ "type": "Feature", "id": "urn:other:id", "geometry": null, "properties": { "height": 21 } });
    put(&client, path, &feature).await.expect(204);
    let found = get(&client, path).await;
    assert_eq!(found["properties"], json!({ "height": 21 }));
    assert_eq!(found["geometry"], Value::Null);
    assert_eq!(found["id"], "urn:ngsi-ld:Tree:1", "the id of the body is ignored");
    // What features do not show stays: the other type, the scope.
    assert_eq!(client.ids("Monument", "").await.1, 1);
    let filter = "?filter=A_CONTAINS(scope,('/Park'))";
    assert_eq!(client.ids("Tree", filter).await.1, 1);
}

#[tokio::test]
async fn w3_where_no_feature_is_a_replacement_creates_it() {
    let client = client_of_town().await;
    let collection = client.json("/collections/Sensor").await;
    assert_eq!(collection["supportsNonAutogeneratedResourceIds"], true);
    let path = "/ogc/collections/Sensor/items/urn:ngsi-ld:Sensor:new";
    let feature = sensor(&json!({ "name": "x" }));
    let exists = [GEOJSON, ("if-match", "*")];
    client.write(Method::PUT, path, &exists, &feature.to_string()).await.expect(412);
    let reply = put(&client, path, &feature).await.expect(201);
    assert_eq!(reply.header("location"), format!("http://city.example:8787{path}"));
    assert_eq!(get(&client, path).await["properties"], json!({ "name": "x" }));
    put(&client, &format!("{SENSORS}/no-uri"), &feature).await.expect(422);
    // An entity that is there under another type is not replaced.
    put(&client, &format!("{SENSORS}/urn:ngsi-ld:Building:1"), &feature).await.expect(409);
}

#[tokio::test]
async fn w4_a_merge_patch_changes_what_it_names() {
    let client = client_of_town().await;
    let mut expected = get(&client, A).await;
    let change = json!({ "properties": { "temperature": 5, "name": null, "floor": 2 } });
    let reply = patch(&client, A, &change).await.expect(204);
    assert!(!reply.header("etag").is_empty());
    let properties = expected["properties"].as_object_mut().unwrap();
    properties.shift_remove("name");
    properties["temperature"] = json!(5);
    properties.insert("floor".into(), json!(2));
    assert_eq!(get(&client, A).await, expected);
    // Also of the flat object that the schema describes.
    let flat = json!({ "floor": 3, "geometry": { "coordinates": [25.5, 60.5] } });
    patch(&client, A, &flat).await.expect(204);
    expected["properties"]["floor"] = json!(3);
    expected["geometry"]["coordinates"] = json!([25.5, 60.5]);
    assert_eq!(get(&client, A).await, expected);
    patch(&client, A, &json!({ "geometry": null })).await.expect(204);
    assert_eq!(get(&client, A).await["geometry"], Value::Null);
    let line = json!({ "type": "LineString", "coordinates": [[1, 2], [3, 4]] });
    patch(&client, A, &json!({ "type": "Feature", "geometry": line })).await.expect(204);
    assert_eq!(get(&client, A).await["geometry"], line);
}

#[tokio::test]
async fn w4_objects_are_merged_and_lists_replaced() {
    let client = client_of_town().await;
    let path = "/ogc/collections/Building/items/urn:ngsi-ld:Building:1";
    let change = json!({ "address": { "number": null, "city": "Helsinki" }, "tags": [1, 2] });
    patch(&client, path, &change).await.expect(204);
    patch(&client, path, &json!({ "tags": [3] })).await.expect(204);
    let found = get(&client, path).await["properties"].clone();
    assert_eq!(found["address"], json!({ "street": "Aleksanterinkatu", "city": "Helsinki" }));
    assert_eq!(found["tags"], json!([3]));
}

#[tokio::test]
async fn w4_what_cannot_be_patched_is_refused() {
    let client = client_of_town().await;
    let before = get(&client, A).await;
    for (body, status) in [
        (json!({ "id": "urn:ngsi-ld:Sensor:z" }), 422),
        (json!({ "id": null }), 422),
        (json!({ "properties": { "id": 5 } }), 422),
        (json!({ "temperature": "hot" }), 422),
        (json!({ "modifiedAt": null }), 422),
        (json!({ "geometry": { "type": "Nope" } }), 422),
        (json!({ "properties": 5 }), 400),
        (json!([1]), 400),
    ] {
        patch(&client, A, &body).await.expect(status);
    }
    let reply = client.write(Method::PATCH, A, &[GEOJSON], "{}").await.expect(415);
    assert_eq!(reply.header("accept-patch"), "application/merge-patch+json");
    patch(&client, &format!("{SENSORS}/urn:ngsi-ld:Sensor:none"), &json!({})).await.expect(404);
    assert_eq!(get(&client, A).await, before);
    patch(&client, A, &json!({ "id": "urn:ngsi-ld:Sensor:a" })).await.expect(204);
}

#[tokio::test]
async fn w5_a_feature_that_was_deleted_is_gone() {
    let client = client_of_town().await;
    client.write(Method::DELETE, A, &[], "").await.expect(204);
    client.send(Method::GET, A, &[]).await.expect(404);
    client.write(Method::DELETE, A, &[], "").await.expect(404);
    client.write(Method::DELETE, A, &[("if-match", "*")], "").await.expect(412);
    assert_eq!(client.ids("Sensor", "").await.1, 5);
}

#[tokio::test]
async fn w6_a_tag_names_the_state_of_a_feature_and_its_form() {
    let client = client_of_town().await;
    let tag = async |path: &str, accept: &str| {
        let reply = client.send(Method::GET, path, &[("accept", accept)]).await.expect(200);
        reply.header("etag").to_owned()
    };
    let json = tag(A, "application/geo+json").await;
    assert!(json.starts_with('"'), "{json} is strong");
    let others = [
        tag(A, "text/html").await,
        tag(&format!("{A}?properties=name"), "*/*").await,
        tag(&format!("{SENSORS}/urn:ngsi-ld:Sensor:b"), "*/*").await,
    ];
    assert!(!others.contains(&json), "{others:?}");
    let known = client.send(Method::GET, A, &[("if-none-match", json.as_str())]).await;
    known.expect(304);
    // A write elsewhere leaves it as it is, one of the feature does not.
    client.create(vec![make("Sensor", "z").value("temperature", "1").done()]).await;
    assert_eq!(tag(A, "*/*").await, json);
    let reply = patch(&client, A, &json!({ "temperature": 1 })).await.expect(204);
    assert_ne!(reply.header("etag"), json);
    assert_eq!(tag(A, "*/*").await, reply.header("etag"));
}

#[tokio::test]
async fn w7_a_change_of_another_state_than_the_one_that_was_read_is_refused() {
    let client = client_of_town().await;
    let read = client.send(Method::GET, A, &[]).await.expect(200);
    let tag = read.header("etag").to_owned();
    let cool = json!({ "temperature": 1 });
    let listed = format!("\"other\", {tag}");
    let first = client
        .write(Method::PATCH, A, &[PATCH, ("if-match", listed.as_str())], &cool.to_string())
        .await
        .expect(204);
    for (method, header, body) in [
        (Method::PATCH, PATCH, cool.to_string()),
        (Method::PUT, GEOJSON, read.text.clone()),
        (Method::DELETE, GEOJSON, String::new()),
    ] {
        let stale = [header, ("if-match", tag.as_str())];
        let reply = client.write(method, A, &stale, &body).await.expect(412);
        assert_eq!(reply.header("content-type"), "application/problem+json");
    }
    // Nor is it read as what it was (RFC 9110, section 13.1.1).
    for method in [Method::GET, Method::HEAD] {
        for (tag, status) in [(tag.as_str(), 412), (first.header("etag"), 200), ("*", 200)] {
            client.send(method.clone(), A, &[("if-match", tag)]).await.expect(status);
        }
        let long_ago = ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT");
        client.send(method, A, &[long_ago]).await.expect(412);
    }
    let any = client.write(Method::PATCH, A, &[PATCH, ("if-match", "*")], "{}").await;
    any.expect(204);
    // A tag of another form of the same state will do.
    let page = client.send(Method::GET, A, &[("accept", "text/html")]).await.expect(200);
    assert_ne!(page.header("etag"), first.header("etag"));
    let fresh = [("if-match", page.header("etag"))];
    client.write(Method::DELETE, A, &[("if-match", "no tag")], "").await.expect(400);
    client.write(Method::DELETE, A, &fresh, "").await.expect(204);
}

#[tokio::test]
async fn w9_a_change_of_a_later_state_than_the_time_that_was_read_is_refused() {
    let client = client_of_town().await;
    let read = client.send(Method::GET, A, &[]).await.expect(200);
    let time = read.header("last-modified").to_owned();
    assert!(time.ends_with(" GMT"), "{time}");
    let page = client.send(Method::GET, A, &[("accept", "text/html")]).await.expect(200);
    assert_eq!(page.header("last-modified"), time);
    let known = [("if-none-match", read.header("etag"))];
    let same = client.send(Method::GET, A, &known).await.expect(304);
    assert_eq!(same.header("last-modified"), time);
    let cool = json!({ "temperature": 1 }).to_string();
    let since = "if-unmodified-since";
    let long_ago = (since, "Fri, 27 Nov 2015 10:00:00 GMT");
    for (method, header, body) in [
        (Method::PATCH, PATCH, cool.as_str()),
        (Method::PUT, GEOJSON, read.text.as_str()),
        (Method::DELETE, GEOJSON, ""),
    ] {
        let reply = client.write(method, A, &[header, long_ago], body).await.expect(412);
        assert_eq!(reply.header("content-type"), "application/problem+json");
        assert!(reply.text.contains("If-Unmodified-Since"), "{}", reply.text);
    }
    let first = client.write(Method::PATCH, A, &[PATCH, (since, &time)], &cool).await.expect(204);
    let later = first.header("last-modified").to_owned();
    let now = client.send(Method::GET, A, &[]).await.expect(200);
    assert_eq!(now.header("last-modified"), later);
    assert_eq!(now.json()["properties"]["temperature"], 1);
    let put = client.write(Method::PUT, A, &[GEOJSON, (since, &later)], &now.text).await;
    assert_eq!(put.expect(204).header("last-modified"), later);
    // Tags come first, and what is no date is no condition.
    let tag = ("if-match", now.header("etag"));
    client.write(Method::PATCH, A, &[PATCH, tag, long_ago], "{}").await.expect(204);
    client.write(Method::PATCH, A, &[PATCH, (since, "yesterday")], "{}").await.expect(204);
    client.write(Method::DELETE, A, &[(since, &later)], "").await.expect(204);
    let gone = client.write(Method::PUT, A, &[GEOJSON, (since, &later)], &now.text).await;
    gone.expect(412);
    let made = client.write(Method::PUT, A, &[GEOJSON], &now.text).await.expect(201);
    assert!(made.header("last-modified").ends_with(" GMT"));
}

#[tokio::test]
async fn w7_of_many_changes_of_one_state_one_is_made() {
    let client = client_of_town().await;
    let tag = client.send(Method::GET, A, &[]).await.header("etag").to_owned();
    let headers = [PATCH, ("if-match", tag.as_str())];
    let change = |n: usize| json!({ "temperature": n }).to_string();
    let bodies: Vec<String> = (0..8).map(change).collect();
    let writes = bodies.iter().map(|body| client.write(Method::PATCH, A, &headers, body));
    let replies = futures_util::future::join_all(writes).await;
    let made = replies.iter().filter(|reply| reply.status == 204).count();
    let refused = replies.iter().filter(|reply| reply.status == 412).count();
    assert_eq!((made, refused), (1, 7));
    // Without a condition all of them are, one after the other.
    let adds = (0..8).map(|n| json!({ format!("n{n}"): n }).to_string()).collect::<Vec<_>>();
    let writes = adds.iter().map(|body| client.write(Method::PATCH, A, &[PATCH], body));
    for reply in futures_util::future::join_all(writes).await {
        reply.expect(204);
    }
    let found = get(&client, A).await["properties"].clone();
    assert!((0..8).all(|n| found[format!("n{n}")] == n), "{found}");
}

#[tokio::test]
async fn w8_a_feature_can_be_created_only_where_there_is_none() {
    let client = client_of_town().await;
    let headers = [GEOJSON, ("if-none-match", "*")];
    let feature = sensor(&json!({ "name": "x" })).to_string();
    client.write(Method::PUT, A, &headers, &feature).await.expect(412);
    let path = format!("{SENSORS}/urn:ngsi-ld:Sensor:new");
    client.write(Method::PUT, &path, &headers, &feature).await.expect(201);
}

#[tokio::test]
async fn w10_positions_of_other_systems_are_refused() {
    let client = client_of_town().await;
    let feature = sensor(&json!({ "name": "x" }));
    let crs84 = "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>";
    for (system, status) in [
        (crs84, 201),
        ("<http://www.opengis.net/def/crs/OGC/0/CRS84h>", 201),
        ("<http://www.opengis.net/def/crs/EPSG/0/999999>", 400),
        ("EPSG", 400),
    ] {
        let headers = [GEOJSON, ("content-crs", system)];
        let reply = client.write(Method::POST, SENSORS, &headers, &feature.to_string()).await;
        reply.expect(status);
    }
    let mut other = feature.clone();
    other["coordRefSys"] = json!("http://www.opengis.net/def/crs/EPSG/0/999999");
    post(&client, &other).await.expect(400);
    other["coordRefSys"] = json!(crs84.trim_matches(['<', '>']));
    post(&client, &other).await.expect(201);
}

#[tokio::test]
async fn w10_positions_are_read_in_the_system_that_is_named() {
    let client = client_of_town().await;
    let web = "http://www.opengis.net/def/crs/EPSG/0/3857";
    let lat_lon = "http://www.opengis.net/def/crs/EPSG/0/4326";
    for system in [web, lat_lon] {
        let path = format!("{A}?crs={system}");
        let before = client.send(Method::GET, A, &[]).await.expect(200);
        let shown = client.send(Method::GET, &path, &[]).await.expect(200);
        let named = format!("<{system}>");
        assert_eq!(shown.header("content-crs"), named);
        let headers = [GEOJSON, ("content-crs", named.as_str())];
        let same = client.write(Method::PUT, A, &headers, &shown.text).await.expect(204);
        assert_eq!(same.header("etag"), before.header("etag"), "nothing has changed");
    }
    let moved = json!({ "geometry": { "type": "Point", "coordinates": [60.5, 25.5] } }).to_string();
    let headers = [PATCH, ("content-crs", "<http://www.opengis.net/def/crs/EPSG/0/4326>")];
    client.write(Method::PATCH, A, &headers, &moved).await.expect(204);
    assert_eq!(get(&client, A).await["geometry"]["coordinates"], json!([25.5, 60.5]));
}

#[tokio::test]
async fn w1_the_methods_are_those_that_the_caller_may_use_now() {
    let client = client_of_town().await;
    let options = async |client: &Client, path: &str| {
        let reply = client.send(Method::OPTIONS, path, &[]).await.expect(200);
        assert!(reply.text.is_empty());
        [reply.header("allow"), reply.header("accept-post"), reply.header("accept-patch")]
            .map(str::to_owned)
    };
    let [items, accepts, _] = options(&client, SENSORS).await;
    assert_eq!(items, "GET, HEAD, OPTIONS, POST");
    assert!(accepts.contains("application/geo+json"));
    let [item, _, patches] = options(&client, A).await;
    assert_eq!(item, "GET, HEAD, OPTIONS, PUT, PATCH, DELETE");
    assert_eq!(patches, "application/merge-patch+json");
    assert_eq!(options(&client, &format!("{SENSORS}/urn:x:none")).await[0], "OPTIONS, PUT");
    assert_eq!(options(&client, "/ogc/conformance").await[0], "GET, HEAD, OPTIONS");
    client.send(Method::OPTIONS, "/ogc/collections/Nope/items", &[]).await.expect(404);
    let wrong = client.write(Method::DELETE, SENSORS, &[], "").await.expect(405);
    assert_eq!(wrong.header("allow"), items);
    let wrong = client.write(Method::POST, A, &[GEOJSON], "{}").await.expect(405);
    assert_eq!(wrong.header("allow"), item);

    let reader = client_read_only(&client);
    for path in [SENSORS, A] {
        assert_eq!(options(&reader, path).await[0], "GET, HEAD, OPTIONS");
    }
    let feature = sensor(&json!({}));
    post(&reader, &feature).await.expect(403);
    reader.write(Method::DELETE, A, &[], "").await.expect(403);
}

#[tokio::test]
async fn w11_texts_in_languages_units_datasets_and_attributes_of_attributes_are_written() {
    let client = client().await;
    client.create(vec![crate::client::rich_entity()]).await;
    let path = "/ogc/collections/Station/items/urn:ngsi-ld:Station:1";
    let before = get(&client, path).await;
    put(&client, path, &before).await.expect(204);
    assert_eq!(get(&client, path).await, before);
    let mut after = before.clone();
    for (name, value) in [
        ("name__fi", json!("Rautatientori")),
        ("level__unitCode", json!("CMT")),
        ("level__observedAt", json!("2026-11-09T00:00:00Z")),
        ("level__accuracy", json!(0.5)),
        ("level__at_backup", json!(9)),
        ("opened", json!("2026-02-01")),
        ("checked", json!("2026-02-01T10:00:00Z")),
    ] {
        assert_ne!(before["properties"][name], value, "{name}");
        assert!(!before["properties"][name].is_null(), "{name}: {before}");
        after["properties"][name] = value;
    }
    put(&client, path, &after).await.expect(204);
    assert_eq!(get(&client, path).await, after);
    let queryables = client.json("/collections/Station/queryables").await;
    assert_eq!(queryables["properties"]["checked"]["format"], "date-time");
    assert_eq!(queryables["properties"]["opened"]["format"], "date");
    // A text without a language, a language that is new, and one that goes.
    let change = json!({ "name": "Central", "name__sv": "Centralen", "name__fi": null, "level__unitCode": null });
    patch(&client, path, &change).await.expect(204);
    let found = get(&client, path).await["properties"].clone();
    assert_eq!(found["name"], "Central");
    assert_eq!(found["name__sv"], "Centralen");
    assert_eq!(found["name__fi"], Value::Null);
    assert_eq!(found["level__unitCode"], Value::Null);
    // The value goes with all that is said of it.
    patch(&client, path, &json!({ "level": null, "name": null })).await.expect(204);
    let found = get(&client, path).await["properties"].clone();
    let names: Vec<_> = found.as_object().unwrap().keys().collect();
    assert!(
        names.iter().all(|name| !name.starts_with("name") && *name != "level__accuracy"),
        "{names:?}"
    );
}

#[tokio::test]
async fn a_change_tells_followers_of_what_differs_alone() {
    let client = client_of_town().await;
    let caller = Caller::local("test");
    let before = client.engine.snapshot(&caller).await.unwrap().revision();
    let mut follower = client.engine.follow(&caller.twin, before).await.unwrap();
    let mut feature = get(&client, A).await;
    feature["properties"]["temperature"] = json!(30);
    put(&client, A, &feature).await.expect(204);
    let followed = follower.next().await.unwrap();
    assert_eq!(followed.record.changes.len(), 1);
    let cardo_model::EntityChange::Updated { id: changed, instances, .. } =
        &followed.record.changes[0]
    else {
        panic!("{:?}", followed.record.changes);
    };
    assert_eq!(*changed, id("Sensor:a"));
    assert_eq!(instances.len(), 1);
    assert_eq!(&*followed.record.origin, "ogc-api");
}
