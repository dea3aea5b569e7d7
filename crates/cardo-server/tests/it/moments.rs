//! Past twins through every face: by the prefix of the path and by header, over restarts, and what is
//! refused.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::{Answer, ENTITIES, Server, entity, path_of};

const ITEMS: &str = "/ogc/collections/Sample/items";
const TILE: &str = "/ogc/collections/Sample/tiles/WebMercatorQuad/0/0/0";
const GRAPHQL: &str = "/graphql?query=%7BsampleList%7Bnodes%7Bid%20level%7D%7D%7D";
const NEAR: &str = "georel=near%3BmaxDistance==1000&geometry=Point&coordinates=%5B24.9,60.1%5D";

fn placed(id: &str, level: u32, lon: f64) -> String {
    let place = json!({ "type": "Point", "coordinates": [lon, 60.1] });
    entity(id, &format!("\"level\": {level}, \"location\": {place}"))
}

fn put(server: &Server, id: &str, level: u32, lon: f64) {
    let body = format!("[{}]", placed(id, level, lon));
    let path = "/ngsi-ld/v1/entityOperations/upsert";
    let answer = server.send("POST", path, Some(&body));
    assert!(matches!(answer.status, 201 | 204), "{}", answer.text());
}

fn millis() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_millis()
}

/// A moment between what was written before and what is written from now on.
fn moment(server: &Server, id: &str) -> String {
    let begin = millis();
    while millis() <= begin + 1 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let entity = server.get(&format!("{}?options=sysAttrs", path_of(id)));
    entity["modifiedAt"].as_str().expect("it was asked for").to_owned()
}

fn at(moment: &str, path: &str) -> String {
    format!("/at/{moment}{path}")
}

fn with(server: &Server, path: &str, header: (&str, &str)) -> Answer {
    server.connect().send("GET", path, &[header], None).expect("the server answers")
}

fn has(answer: &Answer, text: &str) -> bool {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text().contains(text)
}

#[test]
fn every_face_shows_the_twin_as_of_a_moment_by_the_prefix_of_its_path_after_a_restart_too() {
    let folder = tempdir().unwrap();
    let mut server = Server::start(folder.path());
    put(&server, "urn:x:1", 1, 24.9);
    put(&server, "urn:x:2", 2, 24.9);
    let first = moment(&server, "urn:x:2");
    put(&server, "urn:x:1", 11, 30.0);
    assert_eq!(server.send("DELETE", &path_of("urn:x:2"), None).status, 204);
    put(&server, "urn:x:3", 33, 24.9);
    let second = moment(&server, "urn:x:3");
    put(&server, "urn:x:1", 111, 24.9);
    let keyed = format!("{ENTITIES}?type=Sample&options=keyValues");
    for _ in 0..2 {
        for path in [keyed.as_str(), ITEMS, GRAPHQL] {
            let [first, second, now] = [at(&first, path), at(&second, path), path.to_owned()]
                .map(|path| server.send("GET", &path, None));
            assert!(has(&first, "\"level\":1,") || has(&first, "\"level\":1}"), "{path}");
            assert!(has(&first, "urn:x:2") && !has(&first, "urn:x:3"), "{path}");
            assert!(has(&second, "\"level\":11") && !has(&second, "\"level\":111"), "{path}");
            assert!(!has(&second, "urn:x:2") && has(&second, "urn:x:3"), "{path}");
            assert!(has(&now, "\"level\":111"), "{path}: {}", now.text());
        }
        let [past, now] =
            [at(&first, TILE), TILE.to_owned()].map(|path| server.send("GET", &path, None));
        assert!(has(&past, "urn:x:2") && !has(&now, "urn:x:2"));
        // Filters, areas, order, counts and pages.
        let ids = |moment: &str, query: &str| -> Vec<String> {
            let path = at(moment, &format!("{ENTITIES}?type=Sample&{query}"));
            let found = server.get(&path);
            let ids = found.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap());
            ids.map(|id| id.trim_start_matches("urn:x:").to_owned()).collect()
        };
        assert_eq!(ids(&first, "q=level%3E1"), ["2"]);
        assert_eq!(ids(&second, "q=level%3E1"), ["1", "3"]);
        assert_eq!(ids(&first, NEAR), ["1", "2"]);
        assert_eq!(ids(&second, NEAR), ["3"]);
        assert_eq!(ids(&second, "orderBy=level%3Bdesc"), ["3", "1"]);
        assert_eq!(ids(&second, "limit=1&offset=1"), ["3"]);
        let counted =
            server.send("GET", &at(&first, &format!("{ENTITIES}?type=Sample&count=true")), None);
        assert_eq!(counted.header("ngsild-results-count"), Some("2"));
        let bbox = at(&second, &format!("{ITEMS}?bbox=24,60,25,61&filter=level%3E1"));
        assert_eq!(server.get(&bbox)["numberMatched"], 1);
        server.stop();
        server = Server::start(folder.path());
    }
    // Links of a past twin stay in it.
    let items = server.get(&at(&first, &format!("{ITEMS}?limit=1")));
    let links = items["links"].as_array().unwrap();
    let next = links.iter().find(|link| link["rel"] == "next").expect("there are two");
    let within = format!("/at/{first}/ogc/");
    assert!(next["href"].as_str().unwrap().contains(&within), "{next}");
    server.stop();
}

#[test]
fn a_header_names_the_moment_as_well_and_a_past_twin_has_tags_and_a_revision() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    put(&server, "urn:x:1", 1, 24.9);
    let before = moment(&server, "urn:x:1");
    put(&server, "urn:x:1", 2, 24.9);
    let encoded = before.replace(':', "%3A");
    for path in [path_of("urn:x:1"), ITEMS.to_owned(), GRAPHQL.to_owned()] {
        let by_path = server.send("GET", &at(&before, &path), None);
        assert!(has(&by_path, "1") && by_path.header("etag").is_some());
        assert_eq!(server.send("GET", &at(&encoded, &path), None).status, 200);
        let by_header = with(&server, &path, ("Cardo-At", &before));
        assert_eq!(by_path.header("etag"), by_header.header("etag"), "{path}");
        assert_ne!(by_path.header("etag"), server.send("GET", &path, None).header("etag"));
        assert!(by_header.header("vary").unwrap().contains("Cardo-At"), "{path}");
        let tag = by_path.header("etag").unwrap();
        let again = with(&server, &at(&before, &path), ("If-None-Match", tag));
        assert_eq!(again.status, 304, "{path}");
    }
    let revision = |path: &str| {
        let answer = server.send("GET", path, None);
        answer.header("cardo-revision").unwrap().parse::<u64>().unwrap()
    };
    let path = path_of("urn:x:1");
    assert_eq!((revision(&at(&before, &path)), revision(&path)), (1, 2));
    let other = with(&server, &at(&before, ITEMS), ("Cardo-At", "2026-01-31T12:00:00Z"));
    assert_eq!(other.status, 400);
    server.stop();
}

#[test]
fn the_tag_of_a_past_twin_is_another_one_after_its_history_was_taken_out() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    put(&server, "urn:x:1", 1, 24.9);
    let before = moment(&server, "urn:x:1");
    put(&server, "urn:x:1", 2, 24.9);
    let path = at(&before, ITEMS);
    let tag = server.send("GET", &path, None).header("etag").unwrap().to_owned();
    let history = "/ngsi-ld/v1/temporal/entities/urn:x:1";
    assert_eq!(server.send("DELETE", history, None).status, 204);
    let after = with(&server, &path, ("If-None-Match", &tag));
    assert_ne!(after.status, 304);
    assert!(!after.text().contains("urn:x:1"), "{}", after.text());
    server.stop();
}

#[test]
fn what_no_past_twin_can_do_is_refused_in_the_words_of_each_protocol() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    put(&server, "urn:x:1", 1, 24.9);
    let before = moment(&server, "urn:x:1");
    put(&server, "urn:x:1", 2, 24.9);
    let refused = |method: &str, path: &str, body: Option<&str>| {
        let answer = server.send(method, path, body);
        (answer.status, answer.json())
    };
    for wrong in ["2999-01-01T00:00:00Z", "yesterday", "2026-02-30T00:00:00Z", "", "%FF"] {
        for path in [ENTITIES, ITEMS, TILE] {
            let (status, problem) = refused("GET", &at(wrong, path), None);
            assert_eq!(status, 400, "{wrong} {path}");
            assert!(!problem["detail"].as_str().unwrap().is_empty(), "{problem}");
        }
        let (status, problem) = refused("GET", &at(wrong, GRAPHQL), None);
        assert_eq!(status, 400, "{wrong}: {problem}");
        assert_eq!(problem["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    }
    let unsupported = "https://uri.etsi.org/ngsi-ld/errors/OperationNotSupported";
    let is_unsupported = |(status, problem): (u16, Value)| {
        assert_eq!((status, &problem["type"]), (422, &json!(unsupported)), "{problem}");
    };
    let new = entity("urn:x:9", "\"level\": 9");
    is_unsupported(refused("POST", &at(&before, ENTITIES), Some(&new)));
    is_unsupported(refused("DELETE", &at(&before, &path_of("urn:x:1")), None));
    let subscription = json!({
        "type": "Subscription",
        "entities": [{ "type": "Sample" }],
        "notification": { "endpoint": { "uri": "http://127.0.0.1:9/" } },
    });
    let subscriptions = at(&before, "/ngsi-ld/v1/subscriptions");
    is_unsupported(refused("POST", &subscriptions, Some(&subscription.to_string())));
    let history = at(&before, "/ngsi-ld/v1/temporal/entities/urn:x:1");
    is_unsupported(refused("GET", &history, None));
    let histories =
        "/ngsi-ld/v1/temporal/entities?type=Sample&timerel=before&timeAt=2099-01-01T00:00:00Z";
    is_unsupported(refused("GET", &at(&before, histories), None));
    let deleting = json!({ "query": "mutation { deleteEntity(id: \"urn:x:1\") { id } }" });
    let answer = server.send("POST", &at(&before, "/graphql"), Some(&deleting.to_string()));
    assert!(answer.text().contains("NOT_SUPPORTED"), "{}", answer.text());
    // Nothing of this has changed anything.
    assert_eq!(server.get(&format!("{}?options=keyValues", path_of("urn:x:1")))["level"], 2);
    assert!(server.get("/ngsi-ld/v1/subscriptions").as_array().unwrap().is_empty());
    server.stop();
}

#[test]
fn a_moment_before_what_is_kept_is_gone_and_says_of_which_type() {
    let folder = tempdir().unwrap();
    let config = folder.path().join("cardo.toml");
    let sample = "https://uri.etsi.org/ngsi-ld/default-context/Sample";
    let rule = format!("[[history.rules]]\ntype = \"{sample}\"\nkeep = \"1s\"\n");
    std::fs::write(&config, rule).unwrap();
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &["--config", config.to_str().unwrap()]);
    let stop = |level: u32| {
        let level = json!({ "type": "Property", "value": level });
        let body = json!([{ "id": "urn:s:1", "type": "Stop", "level": level }]).to_string();
        let answer = server.send("POST", "/ngsi-ld/v1/entityOperations/upsert", Some(&body));
        assert!(matches!(answer.status, 201 | 204), "{}", answer.text());
    };
    stop(1);
    put(&server, "urn:x:1", 1, 24.9);
    let before = moment(&server, "urn:x:1");
    put(&server, "urn:x:1", 2, 24.9);
    stop(2);
    let begin = millis();
    while millis() <= begin + 1_100 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let of_type = |name: &str| format!("{ENTITIES}?type={name}&options=keyValues");
    let collection = ITEMS.strip_suffix("/items").unwrap();
    let tile = format!("{collection}/tiles/WebMercatorQuad/0/0/0");
    let one = path_of("urn:x:1");
    let feature = format!("{ITEMS}/urn:x:1");
    let discovery =
        ["types", "types?details=true", "types/Sample", "attributes", "attributes/level"];
    let discovery = discovery.map(|path| format!("/ngsi-ld/v1/{path}"));
    let discovery = discovery.iter().map(String::as_str);
    for path in
        [&of_type("Sample"), ITEMS, collection, &tile, &one, &feature].into_iter().chain(discovery)
    {
        let answer = server.send("GET", &at(&before, path), None);
        assert_eq!(answer.status, 410, "{path}: {}", answer.text());
        assert!(answer.text().contains(&format!("{sample} are kept since")), "{}", answer.text());
    }
    let asked = at(&before, "/graphql?query=%7BsampleList%7Bnodes%7Bid%7D%7D%7D");
    let refused = server.send("GET", &asked, None);
    assert!(refused.text().contains("GONE"), "{}", refused.text());
    // What is kept of others is told.
    let stops = server.send("GET", &at(&before, "/ngsi-ld/v1/types/Stop"), None);
    assert!(has(&stops, "\"entityCount\":1"), "{}", stops.text());
    for path in [of_type("Stop"), ITEMS.replace("Sample", "Stop"), path_of("urn:s:1")] {
        let answer = server.send("GET", &at(&before, &path), None);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let text = answer.text();
        assert!(text.contains("\"level\":1") || text.contains("\"value\":1"), "{path}: {text}");
    }
    server.stop();
}
