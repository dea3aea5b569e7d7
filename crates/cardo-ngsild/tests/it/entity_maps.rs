//! Entity maps (clauses 5.14 and 6.32 to 6.35) and pages by them (clause 5.5.9.3).

use axum::http::Method;
use serde_json::{Value, json};

use crate::client::{Client, Reply, client};

async fn city(count: usize) -> Client {
    let client = client().await;
    for n in 0..count {
        let speed = json!({ "type": "Property", "value": n * 10 });
        client
            .create(json!({ "id": format!("urn:v:{n}"), "type": "Vehicle", "speed": speed }))
            .await;
    }
    client
}

fn map_of(reply: &Reply) -> String {
    reply.header("ngsild-entitymap").to_owned()
}

fn id_of(reply: &Reply) -> String {
    map_of(reply).rsplit('/').next().unwrap().to_owned()
}

fn links(reply: &Reply) -> String {
    let links = reply.headers.get_all("link").iter();
    links.map(|link| link.to_str().unwrap()).collect::<Vec<_>>().join(", ")
}

async fn by_map(client: &Client, path: &str, map: &str) -> Reply {
    client.ask(Method::GET, path).header("ngsild-entitymap", map).send().await
}

async fn mapped(client: &Client, id: &str) -> Vec<String> {
    let map = client.get(&format!("/entityMaps/{id}")).await.expect(200).json();
    map["entityMap"].as_object().unwrap().keys().cloned().collect()
}

#[tokio::test]
async fn a_map_lists_what_matches_and_says_where_it_stands() {
    let client = city(4).await;
    let made = client.get("/entityMaps?type=Vehicle&q=speed%3E=20&limit=1").await.expect(201);
    let map = made.json();
    assert_eq!(map["type"], "EntityMap");
    let all = json!({ "urn:v:2": ["@none"], "urn:v:3": ["@none"] });
    assert_eq!((&map["entityMap"], &map["linkedMaps"]), (&all, &json!({})));
    let address = map_of(&made);
    assert!(address.ends_with(&format!("/ngsi-ld/v1/entityMaps/{}", map["id"].as_str().unwrap())));
    let again = client.get(&format!("/entityMaps/{}", id_of(&made))).await.expect(200);
    assert_eq!(again.json(), map);
    let body = json!({ "type": "Query", "entities": [{ "type": "Vehicle" }], "q": "speed<20" });
    let posted = client.post("/entityMaps", body).await.expect(201).json();
    assert_eq!(posted["entityMap"], json!({ "urn:v:0": ["@none"], "urn:v:1": ["@none"] }));
    let in_body = client.ask(Method::GET, "/entityMaps?type=Vehicle").accept("application/ld+json");
    assert!(in_body.send().await.expect(201).json()["@context"].is_string());
}

#[tokio::test]
async fn pages_by_a_map_are_about_its_entities_however_many_come() {
    let client = city(5).await;
    let first = client.get("/entities?type=Vehicle&entityMap=true&limit=2").await.expect(201);
    assert_eq!(first.ids(), ["urn:v:0", "urn:v:1"]);
    let map = map_of(&first);
    client.create(json!({ "id": "urn:v:new", "type": "Vehicle" })).await;
    client.delete("/entities/urn:v:1").await.expect(204);
    let page = by_map(&client, "/entities?type=Vehicle&limit=2", &map).await.expect(200);
    assert_eq!(page.ids(), ["urn:v:0", "urn:v:2"]);
    assert_eq!(map_of(&page), map);
    let link = links(&page);
    assert!(link.contains("offset=2") && link.contains("rel=\"next\"") && !link.contains("urn:v"));
    let last = by_map(&client, "/entities?type=Vehicle&limit=2&offset=2&count=true", &map).await;
    assert_eq!(
        (last.ids(), last.header("ngsild-results-count")),
        (vec!["urn:v:3".into(), "urn:v:4".into()], "4")
    );
    assert!(!links(&last).contains("rel=\"next\""));
    // What does not match any more is out of the map, though it comes to match again.
    assert_eq!(mapped(&client, &id_of(&first)).await, ["urn:v:0", "urn:v:2", "urn:v:3", "urn:v:4"]);
    client.create(json!({ "id": "urn:v:1", "type": "Vehicle" })).await;
    let all = by_map(&client, "/entities?type=Vehicle", &map).await.expect(200);
    assert_eq!(all.ids(), ["urn:v:0", "urn:v:2", "urn:v:3", "urn:v:4"]);
}

#[tokio::test]
async fn other_questions_by_a_map_leave_it_as_it_is() {
    let client = city(3).await;
    let made = client.get("/entityMaps?type=Vehicle").await.expect(201);
    let fast = by_map(&client, "/entities?type=Vehicle&q=speed%3E=20", &map_of(&made)).await;
    assert_eq!(fast.expect(200).ids(), ["urn:v:2"]);
    let path = "/entities?type=Vehicle&orderBy=speed;desc&limit=2&local=true";
    let ordered = by_map(&client, path, &id_of(&made)).await.expect(200);
    assert_eq!(ordered.ids(), ["urn:v:2", "urn:v:1"]);
    assert_eq!(mapped(&client, &id_of(&made)).await.len(), 3);
}

#[tokio::test]
async fn a_map_that_is_not_there_any_more_is_made_anew() {
    let client = city(2).await;
    let made = client.get("/entityMaps?type=Vehicle&entityMapLifetime=PT1H").await.expect(201);
    let path = format!("/entityMaps/{}", id_of(&made));
    client.patch(&path, json!({ "expiresAt": "2000-01-01T00:00:00Z" })).await.expect(204);
    client.get(&path).await.expect_problem(404, "ResourceNotFound", "entity map");
    let page = by_map(&client, "/entities?type=Vehicle", &map_of(&made)).await.expect(201);
    assert_ne!(map_of(&page), map_of(&made));
    assert_eq!(mapped(&client, &id_of(&page)).await, ["urn:v:0", "urn:v:1"]);
    let nothing = by_map(&client, "/entities?type=Vehicle", "not a map").await.expect(201);
    assert_eq!(nothing.ids().len(), 2);
}

#[tokio::test]
async fn when_a_map_ends_is_all_that_can_be_changed_and_has_a_limit() {
    let client = city(1).await;
    let made = client.get("/entityMaps?type=Vehicle&entityMapLifetime=P100Y").await.expect(201);
    let path = format!("/entityMaps/{}", id_of(&made));
    let fragment = json!({
        "type": "EntityMap", "expiresAt": "2999-01-01T00:00:00Z",
        "entityMap": { "urn:v:9": ["@none"] }, "linkedMaps": {},
    });
    client.patch(&path, fragment).await.expect(204);
    let map = client.get(&path).await.expect(200).json();
    assert!(map["expiresAt"].as_str().unwrap() < "2100");
    assert_eq!(map["entityMap"], json!({ "urn:v:0": ["@none"] }));
    for (body, detail) in [
        (json!({ "expiresAt": "tomorrow" }), "tomorrow"),
        (json!({ "expiresAt": 3 }), "expiresAt"),
        (json!({ "id": "urn:other" }), "stays"),
        (json!({ "type": "Map" }), "EntityMap"),
        (json!({ "colour": "red" }), "colour"),
    ] {
        client.patch(&path, body).await.expect_problem(400, "BadRequestData", detail);
    }
    client.delete(&path).await.expect(204);
    client.delete(&path).await.expect_problem(404, "ResourceNotFound", "entity map");
    client.patch(&path, json!({})).await.expect_problem(404, "ResourceNotFound", "entity map");
}

#[tokio::test]
async fn what_is_no_question_makes_no_map() {
    let client = city(1).await;
    for (path, detail) in [
        ("/entityMaps?id=urn:v:0", "too wide"),
        ("/entityMaps?type=Vehicle&entityMapLifetime=1hour", "1hour"),
        ("/entityMaps?type=Vehicle&geometryProperty=location", "geometryProperty"),
        ("/entities?type=Vehicle&entityMap=perhaps", "perhaps"),
        ("/temporal/entityMaps?type=Vehicle", "temporal query"),
        ("/entityMaps/no%20uri", "no uri"),
    ] {
        client.get(path).await.expect_problem(400, "BadRequestData", detail);
    }
}

#[tokio::test]
async fn a_map_is_there_for_one_tenant_only() {
    let client = city(1).await;
    let made = client.get("/entityMaps?type=Vehicle").await.expect(201);
    let path = format!("/entityMaps/{}", id_of(&made));
    let other = |method| client.ask(method, &path).header("ngsild-tenant", "other");
    other(Method::GET).send().await.expect(404);
    client
        .ask(Method::POST, "/entities")
        .header("ngsild-tenant", "other")
        .json(&json!({ "id": "urn:v:0", "type": "Vehicle" }))
        .send()
        .await
        .expect(201);
    other(Method::GET).send().await.expect_problem(404, "ResourceNotFound", "entity map");
    other(Method::DELETE).send().await.expect_problem(404, "ResourceNotFound", "entity map");
    client.get(&path).await.expect(200);
}

#[tokio::test]
async fn retrieving_tells_of_a_map_and_batches_ask_for_one_in_their_body() {
    let client = city(2).await;
    let one = client.get("/entities/urn:v:1?entityMap=true").await.expect(200);
    assert_eq!(mapped(&client, &id_of(&one)).await, ["urn:v:1"]);
    let again = by_map(&client, "/entities/urn:v:1", &map_of(&one)).await.expect(200);
    assert_eq!(map_of(&again), map_of(&one));
    let query = json!({
        "type": "Query", "entities": [{ "type": "Vehicle" }],
        "entityMap": true, "entityMapLifetime": "PT5M",
    });
    let page = client.post("/entityOperations/query?limit=1", query).await.expect(201);
    assert_eq!((page.ids().len(), mapped(&client, &id_of(&page)).await.len()), (1, 2));
}

#[tokio::test]
async fn histories_have_maps_too() {
    let client = city(2).await;
    let when = "timerel=before&timeAt=2999-01-01T00:00:00Z&timeproperty=createdAt";
    let made = client.get(&format!("/temporal/entityMaps?type=Vehicle&{when}")).await.expect(201);
    assert_eq!(made.json()["entityMap"].as_object().unwrap().len(), 2);
    client.create(json!({ "id": "urn:v:7", "type": "Vehicle", "speed": { "type": "Property", "value": 1 } })).await;
    let path = format!("/temporal/entities?type=Vehicle&{when}");
    let by = by_map(&client, &path, &map_of(&made)).await.expect(200);
    assert_eq!(by.ids(), ["urn:v:0", "urn:v:1"]);
    assert_eq!(client.get(&format!("{path}&entityMap=true")).await.expect(201).ids().len(), 3);
    let never = client.get("/temporal/entityMaps?type=Vehicle&timerel=before&timeAt=2000-01-01T00:00:00Z&timeproperty=createdAt").await;
    assert_eq!(never.expect(201).json()["entityMap"], json!({}));
    let body = |more: Value| {
        let mut body = json!({ "type": "Query", "entities": [{ "type": "Vehicle" }],
            "temporalQ": { "timerel": "before", "timeAt": "2999-01-01T00:00:00Z", "timeproperty": "createdAt" } });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let posted = client.post("/temporal/entityMaps", body(json!({}))).await.expect(201).json();
    assert_eq!(posted["entityMap"].as_object().unwrap().len(), 3);
    let asked = client.post("/temporal/entityOperations/query", body(json!({ "entityMap": true })));
    assert!(!map_of(&asked.await.expect(201)).is_empty());
}

#[tokio::test]
async fn retrieving_a_history_tells_of_a_map_and_takes_one() {
    let client = city(2).await;
    let path = "/temporal/entities/urn:v:1";
    let plain = client.get(path).await.expect(200);
    assert!(plain.headers.get("ngsild-entitymap").is_none());
    let one = client.get(&format!("{path}?entityMap=true")).await.expect(200);
    let map = client.get(&format!("/entityMaps/{}", id_of(&one))).await.expect(200).json();
    assert_eq!(map["entityMap"], json!({ "urn:v:1": ["@none"] }));
    let again = by_map(&client, path, &map_of(&one)).await.expect(200);
    assert_eq!(map_of(&again), map_of(&one));
    let anew = by_map(&client, path, "urn:ngsi-ld:EntityMap:gone").await.expect(200);
    assert_ne!(map_of(&anew), map_of(&one));
    // The map goes with its entity only; a history that was deleted has one too.
    client.delete("/entities/urn:v:0").await.expect(204);
    let past = client.get("/temporal/entities/urn:v:0?entityMap=true").await.expect(200);
    assert_eq!(mapped(&client, &id_of(&past)).await, ["urn:v:0"]);
    let wrong = client.get(&format!("{path}?entityMap=perhaps")).await;
    wrong.expect_problem(400, "BadRequestData", "perhaps");
    let absent = client.get("/temporal/entities/urn:v:9?entityMap=true").await;
    absent.expect_problem(404, "ResourceNotFound", "urn:v:9");
}
