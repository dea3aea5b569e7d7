//! Two real servers, one of which is a context source of the other.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::{Server, cardo};

const REGISTRATIONS: &str = "/ngsi-ld/v1/csourceRegistrations";

/// A server that may reach this machine.
fn near(folder: &std::path::Path) -> Server {
    let mut command = cardo(&["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
    command.arg("--data").arg(folder).env("CARDO_EGRESS_ALLOW_LOOPBACK", "true");
    Server::spawn(command)
}

fn register(server: &Server, other: &Server) -> String {
    let registration = json!({
        "type": "ContextSourceRegistration",
        "information": [{ "entities": [{ "type": "Sample" }] }],
        "endpoint": format!("http://{}", other.address),
    });
    let answer = server.send("POST", REGISTRATIONS, Some(&registration.to_string()));
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.header("location").unwrap().to_owned()
}

fn graphql(server: &Server, query: &str) -> Value {
    let body = json!({ "query": query }).to_string();
    let headers = [("content-type", "application/json")];
    let answer = server.connect().send("POST", "/graphql", &headers, Some(&body)).unwrap();
    let answer = answer.json();
    assert!(answer.get("errors").is_none(), "{query}: {answer}");
    answer["data"].clone()
}

#[test]
fn every_face_gives_what_the_sources_have_as_if_it_were_its_own() {
    let folders = [tempdir().unwrap(), tempdir().unwrap()];
    let (city, harbour) = (near(folders[0].path()), near(folders[1].path()));
    city.create("urn:x:1", r#""level":{"type":"Property","value":1}"#);
    harbour.create("urn:x:1", r#""depth":{"type":"Property","value":10}"#);
    let place =
        r#""location":{"type":"GeoProperty","value":{"type":"Point","coordinates":[10,20]}}"#;
    harbour.create("urn:x:2", &format!(r#""depth":{{"type":"Property","value":20}},{place}"#));
    register(&city, &harbour);

    let listed = city.get("/ngsi-ld/v1/entities?type=Sample&options=keyValues");
    assert_eq!(listed[0], json!({ "id": "urn:x:1", "type": "Sample", "level": 1, "depth": 10 }));
    assert_eq!(listed[1]["depth"], 20);

    let items = city.get("/ogc/collections/Sample/items");
    assert_eq!(items["numberMatched"], 2);
    let properties = |at: usize| items["features"][at]["properties"].clone();
    assert_eq!((&properties(0)["level"], &properties(0)["depth"]), (&json!(1), &json!(10)));
    assert_eq!(properties(1)["depth"], 20);
    let deep = city.get("/ogc/collections/Sample/items?depth=20");
    assert_eq!(deep["features"][0]["id"], "urn:x:2");
    let one = city.get("/ogc/collections/Sample/items/urn:x:2");
    assert_eq!(one["properties"]["depth"], 20);

    let list = graphql(&city, "{ sampleList { totalCount nodes { id level depth } } }");
    assert_eq!(list["sampleList"]["totalCount"], 2);
    assert_eq!(
        list["sampleList"]["nodes"],
        json!([{ "id": "urn:x:1", "level": 1, "depth": 10 },
            { "id": "urn:x:2", "level": null, "depth": 20 }])
    );
    // What a source has may change while the revision here stays, so nothing is tagged.
    let asked = "/graphql?query=%7BsampleList%7Bnodes%7Bid%7D%7D%7D";
    for path in ["/ngsi-ld/v1/entities?type=Sample", "/ogc/collections/Sample/items", asked] {
        let answer = city.send("GET", path, None);
        assert_eq!((answer.status, answer.header("etag")), (200, None), "{path}");
    }
    let one = graphql(&city, r#"{ sample(id: "urn:x:2") { depth } }"#);
    assert_eq!(one["sample"]["depth"], 20);

    let figures = graphql(
        &city,
        r#"{ sampleAggregate(attributes: ["depth"]) { count numbers { attribute sum } } }"#,
    );
    let figures = &figures["sampleAggregate"][0];
    assert_eq!(figures["count"], 2);
    assert_eq!(figures["numbers"][0]["attribute"], "depth");
    assert_eq!(figures["numbers"][0]["sum"].as_f64(), Some(30.0));
    let tile = |address: &str| {
        let path = format!("/ogc/collections/Sample/tiles/WebMercatorQuad/{address}");
        city.send("GET", &path, None)
    };
    for address in ["0/0/0", "3/3/4"] {
        let shown = tile(address);
        let id = b"urn:x:2";
        assert!(shown.body.windows(id.len()).any(|part| part == id), "{address}");
        assert_eq!(shown.header("etag"), None);
    }
    assert_eq!(tile("3/0/0").body, b"");
}

#[test]
fn a_source_that_is_killed_leaves_what_the_twin_has() {
    let folders = [tempdir().unwrap(), tempdir().unwrap()];
    let (city, mut harbour) = (near(folders[0].path()), near(folders[1].path()));
    city.create("urn:x:1", r#""level":{"type":"Property","value":1}"#);
    harbour.create("urn:x:2", r#""level":{"type":"Property","value":2}"#);
    let location = register(&city, &harbour);
    let ids = |path: &str| -> Vec<String> {
        let answer = city.get(path);
        let list = answer.as_array().or(answer["features"].as_array()).unwrap();
        list.iter().map(|entity| entity["id"].as_str().unwrap().to_owned()).collect()
    };
    let paths = ["/ngsi-ld/v1/entities?type=Sample", "/ogc/collections/Sample/items"];
    for path in paths {
        assert_eq!(ids(path), ["urn:x:1", "urn:x:2"], "{path}");
    }
    harbour.end_now();
    for path in paths {
        assert_eq!(ids(path), ["urn:x:1"], "{path}");
    }
    let registration = city.get(&location);
    assert_eq!(registration["status"], "failed", "{registration}");
}
