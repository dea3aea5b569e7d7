//! Branches of a twin, which NGSI-LD calls snapshots: through every face by the prefix of the path, with
//! limits, and over kills of the server.

use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::{Answer, Connection, Server, entity, path_of};

const SNAPSHOTS: &str = "/ngsi-ld/v1/snapshots";
const TILE: &str = "/ogc/collections/Sample/tiles/WebMercatorQuad/0/0/0";
const ITEMS: &str = "/ogc/collections/Sample/items";
const GRAPHQL: &str = "/graphql?query=%7BsampleList%7Bnodes%7Bid%20level%7D%7D%7D";

/// A snapshot of the whole twin.
fn whole(id: &str) -> String {
    let query = json!({ "type": "Query", "entities": [{ "type": "*" }] });
    json!({ "id": id, "type": "Snapshot", "snapshotQueries": [query] }).to_string()
}

/// A snapshot of the entities below a level.
fn part(id: &str, below: u32) -> String {
    let entities = json!([{ "type": "*" }]);
    let query = json!({ "type": "Query", "entities": entities, "q": format!("level<{below}") });
    json!({ "id": id, "type": "Snapshot", "snapshotQueries": [query] }).to_string()
}

/// Where a branch is: its snapshot's id is its name.
fn within(branch: &str, path: &str) -> String {
    format!("/branches/{branch}{path}")
}

/// Waits until a snapshot is ready; its last state, or none where the connection broke.
fn ready(connection: &mut Connection, id: &str) -> Option<Value> {
    loop {
        let answer = connection.send("GET", &format!("{SNAPSHOTS}/{id}"), &[], None).ok()?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let snapshot = answer.json();
        if snapshot["snapshotStatus"] != "preparing" {
            return Some(snapshot);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn branch(server: &Server, id: &str) -> Value {
    let answer = server.send("POST", SNAPSHOTS, Some(&whole(id)));
    assert_eq!(answer.status, 201, "{}", answer.text());
    ready(&mut server.connect(), id).expect("the server answers")
}

fn placed(id: &str, level: u32) -> String {
    let place = r#""location": {"type": "Point", "coordinates": [24.9, 60.1]}"#;
    entity(id, &format!("\"level\": {level}, {place}"))
}

fn put(server: &Server, prefix: &str, id: &str, level: u32) {
    let body = format!("[{}]", placed(id, level));
    let path = format!("{prefix}/ngsi-ld/v1/entityOperations/upsert");
    let answer = server.send("POST", &path, Some(&body));
    assert!(matches!(answer.status, 201 | 204), "{}", answer.text());
}

/// What an answer says of the level, whatever the face.
fn has_level(answer: &Answer, level: u32) -> bool {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = answer.text();
    let is_json = text.starts_with('{') || text.starts_with('[');
    // In a tile numbers are small integers behind the name of the column.
    if is_json { text.contains(&format!("\"level\":{level}")) } else { text.contains("level") }
}

#[test]
fn every_face_shows_a_branch_by_the_prefix_of_its_path() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    put(&server, "", "urn:x:1", 1);
    assert_eq!(branch(&server, "urn:plan")["snapshotStatus"], "success");
    put(&server, "/branches/urn:plan", "urn:x:1", 22);
    put(&server, "/branches/urn:plan", "urn:x:2", 22);
    put(&server, "", "urn:x:1", 3);
    let keyed = format!("{}?type=Sample&options=keyValues", crate::support::ENTITIES);
    for path in [keyed.as_str(), ITEMS, GRAPHQL] {
        let here = server.send("GET", path, None);
        let there = server.send("GET", &within("urn:plan", path), None);
        assert!(has_level(&here, 3) && !has_level(&here, 22), "{path}: {}", here.text());
        assert!(has_level(&there, 22) && !has_level(&there, 3), "{path}: {}", there.text());
        assert!(there.text().contains("urn:x:2") && !here.text().contains("urn:x:2"), "{path}");
        assert_ne!(here.header("etag"), there.header("etag"), "{path}");
    }
    let [here, there] =
        [TILE.to_owned(), within("urn:plan", TILE)].map(|path| server.send("GET", &path, None));
    assert!(has_level(&here, 3) && has_level(&there, 22));
    assert!(!here.text().contains("urn:x:2") && there.text().contains("urn:x:2"));
    // Links of a branch stay in it.
    let items = server.get(&within("urn:plan", &format!("{ITEMS}?limit=1")));
    let links = items["links"].as_array().unwrap();
    let next = links.iter().find(|link| link["rel"] == "next").expect("there are two");
    assert!(next["href"].as_str().unwrap().contains("/branches/urn:plan/ogc/"), "{next}");
    for path in [keyed.as_str(), ITEMS, TILE, GRAPHQL] {
        let missing = server.send("GET", &within("urn:nowhere", path), None);
        assert!(matches!(missing.status, 400 | 404), "{path}: {}", missing.status);
    }
    server.stop();
}

#[test]
fn every_face_shows_of_a_branch_of_a_part_nothing_else() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    for level in [1, 2, 33, 34] {
        put(&server, "", &format!("urn:x:{level}"), level);
    }
    server.create("urn:y:1", "\"level\": 99");
    let body = part("urn:plan", 30);
    assert_eq!(server.send("POST", SNAPSHOTS, Some(&body)).status, 201);
    let made = ready(&mut server.connect(), "urn:plan").unwrap();
    assert_eq!(made["snapshotStatus"], "success");
    put(&server, "", "urn:x:1", 35);
    let keyed = format!("{}?type=Sample&options=keyValues&count=true", crate::support::ENTITIES);
    let close =
        format!("{keyed}&georel=near;maxDistance==10&geometry=Point&coordinates=[24.9,60.1]");
    let counts = "/graphql?query=%7BsampleAggregate%7Bcount%7D%7D";
    for path in [keyed.as_str(), &close, ITEMS, GRAPHQL, TILE] {
        let answer = server.send("GET", &within("urn:plan", path), None);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let text = answer.text();
        let has = |id: &str| text.contains(&format!("urn:x:{id}"));
        assert!(!has("33") && !has("34"), "{path}: {text}");
        // In a tile both are one point.
        assert!(
            path == TILE || (text.contains("urn:x:1\"") && text.contains("urn:x:2\"")),
            "{path}: {text}"
        );
    }
    let items = server.get(&within("urn:plan", ITEMS));
    assert_eq!(items["numberMatched"], 2, "{items}");
    let count = server.get(&within("urn:plan", counts));
    assert!(count.to_string().contains(":2"), "{count}");
    server.stop();
}

#[test]
fn a_tag_of_a_branch_is_unknown_to_the_next_one_of_its_name() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    put(&server, "", "urn:x:1", 1);
    let paths = [path_of("urn:x:1"), ITEMS.to_owned(), TILE.to_owned(), GRAPHQL.to_owned()];
    let ask = |path: &str, tag: &str| {
        let headers = [("If-None-Match", tag)];
        server.connect().send("GET", &within("urn:plan", path), &headers, None).unwrap()
    };
    let revision = |answer: &Answer| answer.header("cardo-revision").map(str::to_owned);
    branch(&server, "urn:plan");
    let mut tags = Vec::new();
    for level in 0..24 {
        put(&server, "/branches/urn:plan", "urn:x:1", level);
        for path in &paths {
            let answer = ask(path, "\"none\"");
            let tag = answer.header("etag").expect("a tag").to_owned();
            assert_eq!(ask(path, &tag).status, 304, "{path}");
            tags.push((path.clone(), revision(&answer), tag));
        }
    }
    assert_eq!(server.send("DELETE", &format!("{SNAPSHOTS}/urn:plan"), None).status, 204);
    branch(&server, "urn:plan");
    let mut met = 0;
    for _ in 0..4 {
        for path in &paths {
            let now = ask(path, "\"none\"");
            for (_, _, tag) in tags.iter().filter(|(of, at, _)| of == path && *at == revision(&now))
            {
                met += 1;
                assert_eq!(ask(path, tag).status, 200, "{path} {tag}");
            }
        }
        put(&server, "/branches/urn:plan", "urn:x:1", 77);
    }
    assert!(met > 4, "the second branch has revisions of the first: {met}");
    server.stop();
}

#[test]
fn how_many_branches_there_are_and_how_long_has_a_limit() {
    let folder = tempdir().unwrap();
    let config = folder.path().join("cardo.toml");
    std::fs::write(&config, "[limits]\nbranches = 2\nbranch_lifetime = \"1h\"\n").unwrap();
    let server = Server::start_with(
        &folder.path().join("data"),
        &["--config", config.to_str().expect("a path of text")],
    );
    put(&server, "", "urn:x:1", 1);
    for id in ["urn:a", "urn:b"] {
        assert_eq!(branch(&server, id)["snapshotStatus"], "success");
    }
    let third = branch(&server, "urn:c");
    assert_eq!(third["snapshotStatus"], "failure");
    let problem = &third["snapshotQueriesDetails"][0]["problemDetails"];
    assert!(problem["detail"].as_str().unwrap().contains("2 branches"), "{problem}");
    // What is more important takes the place of what is less (clause 5.5.15).
    let mut body: Value = serde_json::from_str(&whole("urn:d")).unwrap();
    body["snapshotPriority"] = 9.into();
    body["snapshotLifetime"] = "P1Y".into();
    assert_eq!(server.send("POST", SNAPSHOTS, Some(&body.to_string())).status, 201);
    let fourth = ready(&mut server.connect(), "urn:d").unwrap();
    assert_eq!(fourth["snapshotStatus"], "success");
    let [begin, end] = ["createdAt", "expiresAt"].map(|name| {
        cardo_model::Timestamp::parse(fourth[name].as_str().unwrap()).unwrap().as_micros()
    });
    assert_eq!(end - begin, 3_600_000_000, "an hour is the most");
    server.stop();
}

/// The level of an entity that parts do not have.
const HIGH: u32 = 1_000;

/// Every other branch is one of a part.
fn is_part(id: &str) -> bool {
    let number = id.rsplit(':').next().and_then(|number| number.parse::<u32>().ok());
    number.expect("a number of the branch") % 2 == 1
}

/// What one writer knows of its branches.
#[derive(Default)]
struct Known {
    made: u32,
    /// Branches that are there, with the last level that was acknowledged and the last tried.
    there: Vec<(String, u32, u32)>,
    /// Branches whose end was acknowledged.
    dropped: Vec<String>,
    /// The branch whose end was asked for and not acknowledged.
    doubtful: Option<String>,
}

/// Makes branches, writes in them and drops them, until the connection breaks.
fn work(server: &Server, writer: usize, known: &mut Known) -> Option<()> {
    let mut connection = server.connect();
    loop {
        let id = format!("urn:b:{writer}:{}", known.made);
        let body = if is_part(&id) { part(&id, HIGH) } else { whole(&id) };
        known.made += 1;
        let answer = connection.send("POST", SNAPSHOTS, &[], Some(&body)).ok()?;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let snapshot = ready(&mut connection, &id)?;
        assert_eq!(snapshot["snapshotStatus"], "success", "{snapshot}");
        known.there.push((id.clone(), 0, 0));
        let path = within(&id, &format!("{}/attrs", path_of("urn:x:1")));
        for level in 1..6 {
            let one = known.there.last_mut().expect("it was put there");
            one.2 = level;
            let body = format!("{{\"level\": {level}}}");
            let answer = connection.send("PATCH", &path, &[], Some(&body)).ok()?;
            assert_eq!(answer.status, 204, "{}", answer.text());
            one.1 = level;
        }
        if known.there.len() > 3 {
            let (id, ..) = known.there.remove(0);
            known.doubtful = Some(id.clone());
            let answer = connection.send("DELETE", &format!("{SNAPSHOTS}/{id}"), &[], None).ok()?;
            assert_eq!(answer.status, 204, "{}", answer.text());
            known.doubtful = None;
            known.dropped.push(id);
        }
    }
}

fn check(connection: &mut Connection, known: &mut Known) {
    for (id, acknowledged, tried) in &mut known.there {
        let path = within(id, &format!("{}?options=keyValues", path_of("urn:x:1")));
        let answer = connection.send("GET", &path, &[], None).expect("the server answers");
        assert_eq!(answer.status, 200, "{id}: {}", answer.text());
        let level = answer.json()["level"].as_u64().expect("a number");
        assert!((u64::from(*acknowledged)..=u64::from(*tried)).contains(&level), "{id}: {level}");
        let path = within(id, &path_of("urn:x:high"));
        let high = connection.send("GET", &path, &[], None).expect("the server answers");
        assert_eq!(high.status, if is_part(id) { 404 } else { 200 }, "{id}: {}", high.text());
        // What was tried may be there, and then stays.
        *acknowledged = u32::try_from(level).expect("it is small");
    }
    known.doubtful = None;
    for id in &known.dropped {
        let answer = connection
            .send("GET", &format!("{SNAPSHOTS}/{id}"), &[], None)
            .expect("the server answers");
        assert_eq!(answer.status, 404, "{id} was dropped: {}", answer.text());
        let path = within(id, &path_of("urn:x:1"));
        let answer = connection.send("GET", &path, &[], None).expect("the server answers");
        assert_eq!(answer.status, 404, "{id} was dropped: {}", answer.text());
    }
}

fn round(data: &Path, known: &mut [Known], until: Duration) {
    let server = Server::start(data);
    let mut connection = server.connect();
    for one in known.iter_mut() {
        check(&mut connection, one);
    }
    thread::scope(|scope| {
        let server = &server;
        for (writer, one) in known.iter_mut().enumerate() {
            scope.spawn(move || work(server, writer, one));
        }
        thread::sleep(until);
        server.kill_now();
    });
}

#[test]
fn what_was_acknowledged_of_branches_survives_kills_and_what_was_dropped_stays_so() {
    let rounds: u32 = std::env::var("CARDO_KILLS")
        .map_or(8, |text| text.parse::<u32>().expect("a number of kills").div_ceil(6));
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    server.create("urn:x:1", "\"level\": 0");
    server.create("urn:x:high", &format!("\"level\": {HIGH}"));
    server.stop();
    let mut known = [Known::default(), Known::default()];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..rounds {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        round(folder.path(), &mut known, Duration::from_millis(60 + random % 240));
    }
    let server = Server::start(folder.path());
    let mut connection = server.connect();
    for one in &mut known {
        check(&mut connection, one);
    }
    let dropped: usize = known.iter().map(|one| one.dropped.len()).sum();
    println!("{rounds} kills; branches dropped: {dropped}");
    assert!(dropped > 0 && known.iter().all(|one| !one.there.is_empty()));
    server.stop();
}
