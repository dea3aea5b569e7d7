use axum::http::Method;
use axum::response::IntoResponse;
use cardo_ngsild::NgsildOptions;
use serde_json::{Value, json};

use super::{Broker, broker, entity, far_client, far_options, full, peer, peer_of, register};
use crate::client::{Client, client_with};

async fn put(broker: &Broker, entities: &[Value]) {
    let gate_free = Client::of(broker.engine.clone());
    gate_free.create(json!(entities)).await;
}

fn numbers(from: u32, to: u32) -> Vec<Value> {
    (from..to).map(|n| entity(&format!("{n:04}"), "speed", f64::from(n))).collect()
}

#[tokio::test]
async fn a_page_holds_what_the_twin_and_its_sources_have() {
    let (client, other) = (far_client().await, broker().await);
    client.create(json!(numbers(0, 3))).await;
    put(&other, &numbers(2, 5)).await;
    register(&client.engine, other.address, json!({})).await;
    let reply = client.get("/entities?type=T&count=true&options=keyValues").await.expect(200);
    assert_eq!(reply.header("ngsild-results-count"), "5");
    let ids: Vec<String> = (0..5).map(|n| format!("urn:ngsi-ld:T:{n:04}")).collect();
    assert_eq!(reply.ids(), ids);
    let q = client.get("/entities?type=T&q=speed%3E=3").await.expect(200);
    assert_eq!(q.ids(), ids[3..]);
    assert!(other.seen.lock().last().unwrap().target.contains("q=speed%3E%3D3"));
    let geojson =
        client.ask(Method::GET, "/entities?type=T&limit=10").accept("application/geo+json");
    let features = geojson.send().await.expect(200).json();
    assert_eq!(features["features"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn pages_go_through_all_of_a_source_and_end() {
    let (client, other) = (far_client().await, broker().await);
    client.create(json!(numbers(0, 5))).await;
    put(&other, &numbers(5, 60)).await;
    register(&client.engine, other.address, json!({})).await;
    let (mut offset, mut all) = (0, Vec::new());
    loop {
        let path = format!("/entities?type=T&limit=7&offset={offset}");
        let reply = client.get(&path).await.expect(200);
        let ids = reply.ids();
        let links: Vec<_> = reply.headers.get_all("link").iter().collect();
        let has_next = links.iter().any(|link| link.to_str().unwrap().contains("rel=\"next\""));
        assert_eq!(has_next, offset + 7 < 60, "at {offset}");
        all.extend(ids);
        offset += 7;
        if !has_next {
            break;
        }
    }
    let expected: Vec<String> = (0..60).map(|n| format!("urn:ngsi-ld:T:{n:04}")).collect();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn a_filter_is_put_to_the_whole_entity_where_its_parts_lie_apart() {
    let (client, other) = (far_client().await, broker().await);
    client.create(json!([entity("1", "weight", 5.0), entity("2", "weight", 1.0)])).await;
    put(&other, &[entity("1", "speed", 30.0), entity("2", "speed", 30.0)]).await;
    register(&client.engine, other.address, json!({})).await;
    let path = "/entities?type=T&q=speed%3E20;weight%3E3&splitEntities=true";
    assert_eq!(client.get(path).await.expect(200).ids(), ["urn:ngsi-ld:T:1"]);
    let target = other.seen.lock()[0].target.clone();
    assert!(!target.contains("q=") && target.contains("type=T"), "{target}");
}

#[tokio::test]
async fn a_deployment_may_say_that_entities_are_split_where_a_request_does_not() {
    let options = NgsildOptions { split_entities: true, ..far_options() };
    let (client, other) = (client_with(options).await, broker().await);
    client.create(json!([entity("1", "weight", 5.0), entity("2", "weight", 1.0)])).await;
    put(&other, &[entity("1", "speed", 30.0), entity("2", "speed", 30.0)]).await;
    register(&client.engine, other.address, json!({})).await;
    let path = "/entities?type=T&q=speed%3E20;weight%3E3";
    assert_eq!(client.get(path).await.expect(200).ids(), ["urn:ngsi-ld:T:1"]);
    let body = json!({ "type": "Query", "entities": [{ "type": "T" }], "q": "speed>20;weight>3" });
    let posted = client.post("/entityOperations/query", body.clone()).await.expect(200);
    assert_eq!(posted.ids(), ["urn:ngsi-ld:T:1"]);
    assert!(other.seen.lock().iter().all(|came| !came.target.contains("q=")));
    client.get("/entities?type=T&q=speed%3E20&splitEntities=false").await.expect(200);
    assert!(other.seen.lock().last().unwrap().target.contains("q=speed%3E20"));
}

#[tokio::test]
async fn the_same_is_asked_by_a_body_or_in_the_way_that_a_source_knows() {
    let (client, other) = (far_client().await, broker().await);
    put(&other, &numbers(0, 3)).await;
    let more = json!({ "operations": ["queryBatch"] });
    register(&client.engine, other.address, more).await;
    assert_eq!(client.get("/entities?type=T").await.expect(200).ids().len(), 3);
    client.get("/entities/urn:ngsi-ld:T:0001").await.expect(200);
    let body =
        json!({ "type": "Query", "entities": [{ "type": "T", "id": "urn:ngsi-ld:T:0002" }] });
    let found = client.post("/entityOperations/query", body.clone()).await.expect(200);
    assert_eq!(found.ids(), ["urn:ngsi-ld:T:0002"]);
    let seen = other.seen.lock().clone();
    assert!(seen.iter().all(|came| came.target.contains("/entityOperations/query")), "{seen:?}");
    let mut local = body;
    local["local"] = json!(true);
    assert!(client.post("/entityOperations/query", local).await.expect(200).ids().is_empty());
    assert_eq!(other.seen.lock().len(), seen.len());
}

#[tokio::test]
async fn entities_and_types_that_are_not_registered_are_not_asked_for() {
    let client = far_client().await;
    let (address, seen) = peer(200, "[]").await;
    let information = json!([{ "entities": [
        { "type": full("T"), "id": "urn:ngsi-ld:T:1" }, { "type": full("T"), "id": "urn:ngsi-ld:T:2" },
        { "type": full("T"), "id": "urn:ngsi-ld:T:3" }] }]);
    register(&client.engine, address, json!({ "information": information })).await;
    client
        .get("/entities?type=T,U&id=urn:ngsi-ld:T:1,urn:ngsi-ld:T:3,urn:ngsi-ld:T:9")
        .await
        .expect(200);
    client.get("/entities?type=U").await.expect(200);
    let seen = seen.lock().clone();
    assert_eq!(seen.len(), 1);
    let target = &seen[0].target;
    assert!(target.contains("type=T&id=urn:ngsi-ld:T:1,urn:ngsi-ld:T:3&"), "{target}");
}

#[tokio::test]
async fn a_filter_of_sources_leaves_out_those_that_it_does_not_describe() {
    let (client, other) = (far_client().await, broker().await);
    put(&other, &numbers(0, 1)).await;
    let source = json!({ "type": "Property", "value": "sensor" });
    let mut more = json!({});
    more[full("sourceType")] = source;
    register(&client.engine, other.address, more).await;
    let found = client.get("/entities?type=T&csf=sourceType==%22sensor%22").await.expect(200);
    assert_eq!(found.ids().len(), 1);
    let found = client.get("/entities?type=T&csf=sourceType==%22archive%22").await.expect(200);
    assert!(found.ids().is_empty());
}

#[tokio::test]
async fn pages_of_a_source_that_are_smaller_than_asked_for_are_followed_to_the_last() {
    let client = far_client().await;
    let page = |request: axum::extract::Request| async move {
        let query = request.uri().query().unwrap_or("").to_owned();
        let offset = query.split("offset=").nth(1).and_then(|text| text.split('&').next());
        let offset: u32 = offset.map_or(0, |text| text.parse().unwrap());
        let ids = offset..(offset + 2).min(5);
        let entities: Vec<Value> = ids.map(|n| entity(&n.to_string(), "speed", 1.0)).collect();
        let mut answer = axum::response::Json(json!(entities)).into_response();
        if offset + 2 < 5 {
            let next = "</ngsi-ld/v1/entities?offset=9>;rel=\"next\";type=\"application/json\"";
            answer.headers_mut().insert("link", next.parse().unwrap());
        }
        answer
    };
    let (address, seen) = peer_of(axum::Router::new().fallback(page)).await;
    register(&client.engine, address, json!({})).await;
    let found = client.get("/entities?type=T&limit=100").await.expect(200);
    assert_eq!((found.ids().len(), seen.lock().len()), (5, 3));
}

#[tokio::test]
async fn an_order_needs_a_local_question_where_sources_take_part() {
    let client = far_client().await;
    let (address, _) = peer(200, "[]").await;
    register(&client.engine, address, json!({})).await;
    let refused = client.get("/entities?type=T&orderBy=speed").await;
    refused.expect_problem(400, "BadRequestData", "local=true");
    client.get("/entities?type=T&orderBy=speed&local=true").await.expect(200);
    client.get("/entities?type=U&orderBy=speed").await.expect(200);
}

#[tokio::test]
async fn linked_entities_of_sources_are_joined() {
    let (client, other) = (far_client().await, broker().await);
    let relation = json!({ "id": "urn:ngsi-ld:U:1", "type": "U",
        "to": { "type": "Relationship", "object": "urn:ngsi-ld:T:1", "objectType": "T" } });
    client.create(relation).await;
    put(&other, &[entity("1", "speed", 7.0)]).await;
    register(&client.engine, other.address, json!({})).await;
    let path = "/entities/urn:ngsi-ld:U:1?join=inline";
    let found = client.get(path).await.expect(200).json();
    assert_eq!(found["to"]["entity"]["speed"]["value"], 7.0, "{found}");
    let q = "/entities?type=U&q=to%7Bspeed%7D%3E5&join=inline&joinLevel=1&options=keyValues";
    assert_eq!(client.get(q).await.expect(200).ids(), ["urn:ngsi-ld:U:1"]);
    let q = "/entities?type=U&q=to%7Bspeed%7D%3E9&join=inline&joinLevel=1";
    assert!(client.get(q).await.expect(200).ids().is_empty());
}

#[tokio::test]
async fn an_entity_map_names_the_sources_of_each_entity_and_asks_no_others() {
    let (client, other) = (far_client().await, broker().await);
    client.create(json!([entity("1", "speed", 1.0), entity("2", "speed", 2.0)])).await;
    put(&other, &[entity("2", "weight", 2.0), entity("3", "speed", 3.0)]).await;
    register(&client.engine, other.address, json!({})).await;
    let created = client.get("/entities?type=T&entityMap=true").await.expect(201);
    assert_eq!(created.ids().len(), 3);
    let location = created.header("ngsild-entitymap").to_owned();
    let (_, id) = location.rsplit_once('/').unwrap();
    let map = client.get(&format!("/entityMaps/{id}")).await.expect(200).json();
    let sources = |id: &str| map["entityMap"][format!("urn:ngsi-ld:T:{id}")].clone();
    assert_eq!(sources("1"), json!(["@none"]));
    assert_eq!(sources("2").as_array().unwrap().len(), 2);
    assert!(sources("3")[0].as_str().unwrap().contains("ContextSourceRegistration"));
    let (late, seen) = peer(200, json!([entity("4", "speed", 4.0)]).to_string()).await;
    register(&client.engine, late, json!({})).await;
    let again = client.ask(Method::GET, "/entities?type=T").header("ngsild-entitymap", &location);
    assert_eq!(again.send().await.expect(200).ids().len(), 3);
    assert!(seen.lock().is_empty(), "it was no source when the map was made");
}

const ONE_DAY: &str = "entityMapLifetime=P1D";

async fn map_at(client: &Client, location: &str) -> Value {
    let path = location.split_once("/v1").expect("an address").1;
    client.get(path).await.expect(200).json()
}

#[tokio::test]
async fn sources_make_maps_of_their_own_and_are_asked_by_them() {
    let (client, other) = (far_client().await, broker().await);
    client.create(json!([entity("1", "speed", 1.0)])).await;
    put(&other, &[entity("2", "speed", 2.0), entity("3", "speed", 3.0)]).await;
    register(&client.engine, other.address, json!({})).await;
    let path = "/entities?type=T&q=speed%3E0";
    let made = client.get(&format!("{path}&entityMap=true&{ONE_DAY}")).await.expect(201);
    assert_eq!(made.ids().len(), 3);
    let location = made.header("ngsild-entitymap").to_owned();
    let map = map_at(&client, &location).await;
    let linked = map["linkedMaps"].as_object().unwrap();
    assert_eq!(linked.len(), 1, "{map}");
    let theirs = linked.values().next().unwrap().as_str().unwrap().to_owned();
    let their_map = Client::of(other.engine.clone()).get(&format!("/entityMaps/{theirs}")).await;
    assert_eq!(their_map.expect(200).json()["entityMap"].as_object().unwrap().len(), 2);
    let seen = other.seen.lock().clone();
    let first = &seen[0].target;
    assert!(first.contains("/entityMaps?") && first.contains(ONE_DAY), "{first}");
    let by_map = |came: &super::Came| {
        let header = came.headers.get("ngsild-entitymap");
        header.is_some_and(|value| value.to_str().unwrap().ends_with(&theirs))
    };
    assert!(!by_map(&seen[0]) && by_map(seen.last().unwrap()), "{seen:?}");
    // What comes to the source is not in its map.
    put(&other, &[entity("4", "speed", 4.0)]).await;
    let asking = || client.ask(Method::GET, path).header("ngsild-entitymap", &location);
    assert_eq!(asking().send().await.expect(200).ids().len(), 3);
    // Where the source has lost its map, it makes another, which is noted.
    let forgotten = Client::of(other.engine.clone());
    forgotten.delete(&format!("/entityMaps/{theirs}")).await.expect(204);
    asking().send().await.expect(200);
    let map = map_at(&client, &location).await;
    let now = map["linkedMaps"].as_object().unwrap().values().next().unwrap().clone();
    assert_ne!(now, json!(theirs));
}

#[tokio::test]
async fn retrieving_links_the_map_that_a_source_has_made() {
    let (client, other) = (far_client().await, broker().await);
    put(&other, &[entity("3", "speed", 3.0)]).await;
    register(&client.engine, other.address, json!({})).await;
    let made = client.get("/entities/urn:ngsi-ld:T:3?entityMap=true").await.expect(200);
    let location = made.header("ngsild-entitymap").to_owned();
    let map = map_at(&client, &location).await;
    assert_eq!(map["linkedMaps"].as_object().unwrap().len(), 1, "{map}");
    assert!(other.seen.lock()[0].target.contains("entityMap=true"));
    let path = "/entities/urn:ngsi-ld:T:3";
    client.ask(Method::GET, path).header("ngsild-entitymap", &location).send().await.expect(200);
    let last = other.seen.lock().last().unwrap().clone();
    assert!(last.headers.contains_key("ngsild-entitymap") && !last.target.contains("entityMap="));
}

#[tokio::test]
async fn a_source_without_maps_is_asked_for_its_entities() {
    let client = far_client().await;
    let (address, seen) = peer(200, json!([entity("5", "speed", 5.0)]).to_string()).await;
    register(&client.engine, address, json!({})).await;
    let made = client.get("/entityMaps?type=T").await.expect(201).json();
    assert_eq!(made["linkedMaps"], json!({}));
    let sources = made["entityMap"]["urn:ngsi-ld:T:5"].as_array().unwrap();
    assert!(sources[0].as_str().unwrap().contains("ContextSourceRegistration"), "{made}");
    let targets: Vec<String> = seen.lock().iter().map(|came| came.target.clone()).collect();
    assert!(
        targets[0].contains("/entityMaps?") && targets[1].contains("/entities?"),
        "{targets:?}"
    );
    // One that does not take the operation is not asked for a map at all.
    let client = far_client().await;
    let (address, seen) = peer(200, "[]").await;
    register(&client.engine, address, json!({ "operations": ["retrieveOps"] })).await;
    client.get("/entityMaps?type=T").await.expect(201);
    assert!(seen.lock().iter().all(|came| came.target.contains("/entities?")));
}
