//! Features are edited over HTTP with a client of the shell, and kept.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::gis::run;
use crate::support::Server;

/// What curl said of an answer: the status and the headers, and behind an empty line the body.
struct Said(String);

impl Said {
    fn status(&self) -> &str {
        self.0.split(' ').nth(1).expect("a status")
    }

    fn header(&self, name: &str) -> &str {
        let mut lines = self.0.lines().take_while(|line| !line.trim().is_empty());
        let is_it = |line: &&str| {
            line.split_once(':').is_some_and(|(other, _)| other.eq_ignore_ascii_case(name))
        };
        lines.find(is_it).map_or("", |line| line[name.len() + 1..].trim())
    }

    fn json(&self) -> Value {
        let (_, body) = self.0.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }
}

/// Asks with curl; `None` where there is none.
fn curl(method: &str, url: &str, headers: &[&str], body: Option<&Value>) -> Option<Said> {
    let mut arguments = vec!["-sS", "-i", "--noproxy", "*", "-X", method];
    arguments.extend(headers.iter().flat_map(|header| ["-H", header]));
    let body = body.map(Value::to_string);
    if let Some(body) = &body {
        arguments.extend(["--data-binary", body]);
    }
    arguments.push(url);
    run("curl", &arguments).map(Said)
}

const GEOJSON: &str = "Content-Type: application/geo+json";
const PATCH: &str = "Content-Type: application/merge-patch+json";

fn feature(name: &str, lon: f64) -> Value {
    json!({
        "type": "Feature",
        "geometry": { "type": "Point", "coordinates": [lon, 60.17] },
        "properties": { "name": name },
    })
}

#[test]
fn w2_to_w8_two_editors_with_curl_do_not_overwrite_one_another() {
    let folder = tempdir().unwrap();
    let mut server = Server::start(folder.path());
    server.create(
        "urn:x:sample:1",
        r#""name": "first", "location": {"type": "Point", "coordinates": [24.9, 60.1]}"#,
    );
    let items = format!("http://{}/ogc/collections/Sample/items", server.address);
    let Some(made) = curl("POST", &items, &[GEOJSON], Some(&feature("mine", 24.5))) else { return };
    assert_eq!(made.status(), "201", "{}", made.0);
    let place = made.header("location").to_owned();
    assert!(place.starts_with(&format!("{items}/")), "{place}");
    let ask = |method: &str, headers: &[&str], body: Option<&Value>| {
        curl(method, &place, headers, body).expect("curl is there")
    };
    // Both read the same state; the first to write has it.
    let read = ask("GET", &[], None);
    assert_eq!(read.json()["properties"]["name"], "mine");
    let locked = format!("If-Match: {}", read.header("etag"));
    let one = ask("PUT", &[GEOJSON, &locked], Some(&feature("one", 25.5)));
    assert_eq!(one.status(), "204", "{}", one.0);
    let other = ask("PUT", &[GEOJSON, &locked], Some(&feature("other", 26.5)));
    assert_eq!(other.status(), "412", "{}", other.0);
    assert_eq!(other.header("content-type"), "application/problem+json");
    // Who was late reads again.
    let fresh = ask("GET", &[&format!("If-None-Match: {}", read.header("etag"))], None);
    assert_eq!(fresh.status(), "200");
    assert_eq!(fresh.json()["properties"]["name"], "one");
    let locked = format!("If-Match: {}", fresh.header("etag"));
    let patch = json!({ "properties": { "floors": 3 } });
    assert_eq!(ask("PATCH", &[PATCH, &locked], Some(&patch)).status(), "204");
    assert_eq!(ask("DELETE", &[&locked], None).status(), "412");
    let both = ask("GET", &[], None).json();
    assert_eq!(both["properties"], json!({ "name": "one", "floors": 3 }));
    assert_eq!(both["geometry"]["coordinates"], json!([25.5, 60.17]));

    // It is kept, with every face.
    let path = place.strip_prefix(&format!("http://{}", server.address)).unwrap().to_owned();
    server.end_now();
    let server = Server::start(folder.path());
    assert_eq!(server.get(&path)["properties"], both["properties"]);
    let id = both["id"].as_str().unwrap();
    let entity = server.get(&format!("/ngsi-ld/v1/entities/{id}?options=keyValues"));
    assert_eq!(entity["floors"], 3);
    let place = format!("http://{}{path}", server.address);
    assert_eq!(curl("DELETE", &place, &[], None).unwrap().status(), "204");
    assert_eq!(curl("GET", &place, &[], None).unwrap().status(), "404");
    server.stop();
}

#[test]
fn g1_q12_answers_are_http_1_1_and_an_address_that_is_too_long_is_refused() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    server.create("urn:x:sample:1", r#""name": "first""#);
    let root = format!("http://{}/ogc", server.address);
    for path in ["", "/collections", "/collections/Sample/items", "/nothing"] {
        let Some(said) = curl("GET", &format!("{root}{path}"), &[], None) else { return };
        assert!(said.0.starts_with("HTTP/1.1 "), "{}", said.0);
    }
    let terms = |count: usize| vec!["name='x'"; count].join(" OR ").replace(' ', "%20");
    for path in [
        "/collections/Sample/items",
        "/collections/Sample/items/urn:x:sample:1",
        "/collections/Sample/tiles/WebMercatorQuad/0/0/0",
        "/tiles/WebMercatorQuad/0/0/0",
        "/collections",
    ] {
        // More than a shell takes as an argument.
        let long = server.send("GET", &format!("/ogc{path}?filter={}", terms(10_000)), None);
        assert_eq!(long.status, 414, "{path}");
        assert_eq!(long.header("content-type"), Some("application/problem+json"));
    }
    // Eight kilobytes are no trouble.
    let eight = format!("{root}/collections/Sample/items?filter={}", terms(550));
    assert!(eight.len() > 8 * 1_024);
    let said = curl("GET", &eight, &[], None).expect("curl is there");
    assert_eq!(said.status(), "200", "{}", said.0);
    server.stop();
}
