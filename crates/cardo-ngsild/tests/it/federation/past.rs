use axum::http::Method;
use cardo_ngsild::{NgsildLimits, NgsildOptions};
use serde_json::{Value, json};

use super::{broker, far_client, far_options, full, peer, register};
use crate::client::{Client, client_with};

const ONE: &str = "/temporal/entities/urn:ngsi-ld:T:1";

fn readings(id: &str, values: &[(i64, u32)]) -> Value {
    let instance = |(value, second): &(i64, u32)| {
        json!({ "type": "Property", "value": value,
            "observedAt": format!("2026-01-01T00:00:{second:02}Z") })
    };
    json!({ "id": format!("urn:ngsi-ld:T:{id}"), "type": "T",
        "speed": values.iter().map(instance).collect::<Vec<_>>() })
}

async fn temporal_source(client: &Client) -> super::Broker {
    let other = broker().await;
    let more = json!({ "operations": ["retrieveTemporal", "queryTemporal"],
        "observationInterval": { "startAt": "2020-01-01T00:00:00Z" } });
    register(&client.engine, other.address, more).await;
    other
}

fn values(entity: &Value) -> Vec<i64> {
    let instances = entity["speed"]["values"].as_array().unwrap();
    instances.iter().map(|pair| pair[0].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_history_is_told_by_the_twin_and_its_sources_together() {
    let client = far_client().await;
    let other = temporal_source(&client).await;
    client.post("/temporal/entities", readings("1", &[(1, 1), (3, 3)])).await.expect(201);
    let theirs = Client::of(other.engine.clone());
    theirs.post("/temporal/entities", readings("1", &[(2, 2), (4, 4)])).await.expect(201);
    let path = format!("{ONE}?options=temporalValues");
    let found = client.get(&path).await.expect(200).json();
    assert_eq!(values(&found), [1, 2, 3, 4]);
    let last = client.get(&format!("{path}&lastN=3")).await.expect(200).json();
    assert_eq!(values(&last), [2, 3, 4]);
    let part = format!(
        "{path}&timerel=between&timeAt=2026-01-01T00:00:02Z&endTimeAt=2026-01-01T00:00:04Z"
    );
    assert_eq!(values(&client.get(&part).await.expect(200).json()), [2, 3]);
    assert!(other.seen.lock().last().unwrap().target.contains("timerel=between&timeAt=2026"));
    let sum = format!(
        "{ONE}?options=aggregatedValues&aggrMethods=sum&timerel=after&timeAt=2026-01-01T00:00:00Z"
    );
    let sum = client.get(&sum).await.expect(200).json();
    assert_eq!(sum["speed"]["sum"][0][0], 10.0, "{sum}");
    let local = client.get(&format!("{path}&local=true")).await.expect(200).json();
    assert_eq!(values(&local), [1, 3]);
}

#[tokio::test]
async fn a_map_of_one_history_names_its_sources_and_asks_no_others() {
    let client = far_client().await;
    let other = temporal_source(&client).await;
    let theirs = Client::of(other.engine.clone());
    theirs.post("/temporal/entities", readings("1", &[(2, 2)])).await.expect(201);
    let made = client.get(&format!("{ONE}?entityMap=true")).await.expect(200);
    let location = made.header("ngsild-entitymap").to_owned();
    let map = client.get(location.split_once("/v1").unwrap().1).await.expect(200).json();
    let sources = map["entityMap"]["urn:ngsi-ld:T:1"].as_array().unwrap();
    assert!(sources[0].as_str().unwrap().contains("ContextSourceRegistration"), "{map}");
    assert_eq!(sources.len(), 1, "nothing is held here");
    let (late, seen) = peer(200, readings("1", &[(9, 9)]).to_string()).await;
    register(&client.engine, late, json!({ "operations": ["retrieveTemporal"] })).await;
    let path = format!("{ONE}?options=temporalValues");
    let again = client.ask(Method::GET, &path).header("ngsild-entitymap", &location);
    assert_eq!(values(&again.send().await.expect(200).json()), [2]);
    assert!(seen.lock().is_empty(), "it was no source when the map was made");
    assert_eq!(values(&client.get(&path).await.expect(200).json()), [2, 9]);
}

#[tokio::test]
async fn sources_of_the_past_make_maps_of_their_own() {
    let (client, other) = (far_client().await, broker().await);
    let theirs = Client::of(other.engine.clone());
    theirs.post("/temporal/entities", readings("1", &[(2, 2)])).await.expect(201);
    let more = json!({ "operations": ["queryTemporal", "retrieveTemporal",
        "createEntityMapQueryTemporal"] });
    register(&client.engine, other.address, more).await;
    let range = "timerel=after&timeAt=2026-01-01T00:00:00Z";
    let path = format!("/temporal/entities?type=T&{range}");
    let made = client.get(&format!("{path}&entityMap=true")).await.expect(201);
    assert_eq!(made.ids(), ["urn:ngsi-ld:T:1"]);
    let location = made.header("ngsild-entitymap").to_owned();
    let map = client.get(location.split_once("/v1").unwrap().1).await.expect(200).json();
    assert_eq!(map["linkedMaps"].as_object().unwrap().len(), 1, "{map}");
    assert!(other.seen.lock()[0].target.contains("/temporal/entityMaps?"));
    theirs.post("/temporal/entities", readings("2", &[(3, 3)])).await.expect(201);
    let by_map = client.ask(Method::GET, &path).header("ngsild-entitymap", &location);
    assert_eq!(by_map.send().await.expect(200).ids(), ["urn:ngsi-ld:T:1"]);
    let one = client.get(&format!("{ONE}?entityMap=true")).await.expect(200);
    let location = one.header("ngsild-entitymap");
    let map = client.get(location.split_once("/v1").unwrap().1).await.expect(200).json();
    assert_eq!(map["linkedMaps"].as_object().unwrap().len(), 1, "{map}");
}

#[tokio::test]
async fn histories_of_sources_are_found_and_judged_by_their_instances() {
    let client = far_client().await;
    let other = temporal_source(&client).await;
    client.post("/temporal/entities", readings("1", &[(1, 1)])).await.expect(201);
    let theirs = Client::of(other.engine.clone());
    for (id, value) in [("1", 20), ("2", 5), ("3", 30)] {
        theirs.post("/temporal/entities", readings(id, &[(value, 2)])).await.expect(201);
    }
    let range = "timerel=after&timeAt=2026-01-01T00:00:00Z";
    let all =
        client.get(&format!("/temporal/entities?type=T&{range}&count=true")).await.expect(200);
    assert_eq!(all.ids(), ["urn:ngsi-ld:T:1", "urn:ngsi-ld:T:2", "urn:ngsi-ld:T:3"]);
    assert_eq!(all.header("ngsild-results-count"), "3");
    let some = format!("/temporal/entities?type=T&{range}&q=speed%3E10&options=temporalValues");
    let some = client.get(&some).await.expect(200);
    assert_eq!(some.ids(), ["urn:ngsi-ld:T:1", "urn:ngsi-ld:T:3"]);
    assert_eq!(values(&some.json()[0]), [1, 20]);
    let ordered = format!("/temporal/entities?type=T&{range}&orderBy=id");
    client.get(&ordered).await.expect_problem(400, "BadRequestData", "local=true");
}

#[tokio::test]
async fn what_is_omitted_makes_no_answer_a_part() {
    let limits = NgsildLimits { history_rows: 4, ..NgsildLimits::default() };
    let client = client_with(NgsildOptions { limits, ..far_options() }).await;
    let other = temporal_source(&client).await;
    let both = |moments: [u32; 2]| {
        let mut entity = readings("1", &moments.map(|second| (i64::from(second), second)));
        entity["weight"] = entity["speed"].clone();
        entity
    };
    client.post("/temporal/entities", both([1, 3])).await.expect(201);
    let theirs = Client::of(other.engine.clone());
    theirs.post("/temporal/entities", both([2, 4])).await.expect(201);
    let range = "timerel=after&timeAt=2026-01-01T00:00:00Z&options=temporalValues";
    for path in [format!("{ONE}?{range}"), format!("/temporal/entities?type=T&{range}")] {
        client.get(&path).await.expect(206);
        let shown = client.get(&format!("{path}&omit=weight")).await.expect(200).json();
        let shown = shown.get(0).unwrap_or(&shown);
        assert_eq!((values(shown), shown.get("weight")), (vec![1, 2, 3, 4], None));
        // Who has a history is told of, though nothing of it is to be shown.
        let bare = client.get(&format!("{path}&omit=weight,speed")).await.expect(200).json();
        let bare = bare.get(0).unwrap_or(&bare);
        assert_eq!(*bare, json!({ "id": "urn:ngsi-ld:T:1", "type": "T" }));
        // A condition on what is omitted holds all the same.
        if path.contains("type=T") {
            let none = client.get(&format!("{path}&omit=weight&q=weight%3E9")).await.expect(200);
            assert_eq!(none.json(), json!([]));
            let one = client.get(&format!("{path}&omit=weight&q=weight%3E3")).await.expect(200);
            assert_eq!(one.ids(), ["urn:ngsi-ld:T:1"]);
        }
    }
}

#[tokio::test]
async fn where_a_source_tells_a_part_of_the_time_all_is_told_up_to_there() {
    let client = far_client().await;
    let (part, _) = peer(206, json!([readings("1", &[(1, 1), (3, 3)])]).to_string()).await;
    let more = json!({ "operations": ["queryTemporal"] });
    register(&client.engine, part, more).await;
    client.post("/temporal/entities", readings("1", &[(2, 2), (4, 4)])).await.expect(201);
    client.post("/temporal/entities", readings("2", &[(3, 3), (5, 5)])).await.expect(201);
    let range = "timerel=after&timeAt=2026-01-01T00:00:00Z&options=temporalValues";
    let all = client.get(&format!("/temporal/entities?type=T&{range}")).await.expect(206);
    let until = "DateTime 2026-01-01T00:00:00Z-2026-01-01T00:00:03Z/*";
    assert_eq!((all.header("content-range"), all.header("link").contains("next")), (until, false));
    let shown = all.json();
    assert_eq!((values(&shown[0]), values(&shown[1])), (vec![1, 2, 3], vec![3]));
    let one = client.get(&format!("{ONE}?{range}")).await.expect(206);
    assert_eq!((one.header("content-range"), values(&one.json())), (until, vec![1, 2, 3]));
    // Aggregates of a part would be wrong.
    let sum = format!("{ONE}?timerel=after&timeAt=2026-01-01T00:00:00Z&options=aggregatedValues");
    client.get(&format!("{sum}&aggrMethods=sum")).await.expect(403);
}

#[tokio::test]
async fn what_only_a_source_has_of_a_history_is_put_right_and_deleted_there() {
    let (client, other) = (far_client().await, broker().await);
    let theirs = Client::of(other.engine.clone());
    theirs.post("/temporal/entities", readings("1", &[(2, 2), (4, 4), (6, 6)])).await.expect(201);
    let before = theirs.get(ONE).await.expect(200).json();
    let instances = before["speed"].as_array().unwrap();
    let [second, fourth] = [&instances[0], &instances[1]]
        .map(|one| format!("{ONE}/attrs/speed/{}", one["instanceId"].as_str().unwrap()));
    let fragment = json!({ "speed": [{ "type": "Property", "value": 20,
        "observedAt": "2026-01-01T00:00:02Z" }] });
    client.patch(&second, fragment.clone()).await.expect(404);
    let operations = json!([
        "updateAttrInstanceTemporal",
        "deleteAttrInstanceTemporal",
        "deleteAttrsTemporal",
        "deleteTemporal"
    ]);
    register(&client.engine, other.address, json!({ "operations": operations })).await;
    let told = async || theirs.get(&format!("{ONE}?options=temporalValues")).await;
    client.patch(&second, fragment.clone()).await.expect(204);
    assert_eq!(values(&told().await.expect(200).json()), [20, 4, 6]);
    client.delete(&fourth).await.expect(204);
    assert_eq!(values(&told().await.expect(200).json()), [20, 6]);
    client.delete(&fourth).await.expect_problem(404, "ResourceNotFound", "source");
    client.delete(&format!("{second}?local=true")).await.expect(404);
    client.delete(&format!("{ONE}/attrs/speed")).await.expect(204);
    assert!(told().await.json()["speed"].is_null());
    theirs.post("/temporal/entities", readings("1", &[(8, 8)])).await.expect(204);
    client.delete(ONE).await.expect(204);
    told().await.expect(404);
}

#[tokio::test]
async fn an_instance_of_an_exclusive_source_that_does_not_take_it_is_a_conflict() {
    let (client, other) = (far_client().await, broker().await);
    let more = json!({ "mode": "exclusive", "operations": ["retrieveTemporal"],
        "information": [{ "entities": [{ "id": "urn:ngsi-ld:T:1", "type": full("T") }],
            "propertyNames": [full("speed")] }] });
    register(&client.engine, other.address, more).await;
    let path = format!("{ONE}/attrs/speed/urn:ngsi-ld:Instance:1");
    client.delete(&path).await.expect(409);
    let body = json!({ "type": "Property", "value": 1, "observedAt": "2026-01-01T00:00:02Z" });
    client.patch(&path, body).await.expect(409);
    assert!(other.seen.lock().is_empty());
}

#[tokio::test]
async fn of_one_moment_the_twin_keeps_its_instance_where_the_source_is_auxiliary() {
    let client = far_client().await;
    let (address, _) = peer(200, readings("1", &[(9, 1), (2, 2)]).to_string()).await;
    let more = json!({ "operations": ["retrieveTemporal"] });
    register(&client.engine, address, more).await;
    client.post("/temporal/entities", readings("1", &[(1, 1)])).await.expect(201);
    let found = client.get(&format!("{ONE}?options=temporalValues")).await.expect(200).json();
    // The source tells of no time of change, so what is known here is newer.
    assert_eq!(values(&found), [1, 2]);
}

#[tokio::test]
async fn a_silent_source_of_the_past_costs_a_warning() {
    let client = far_client().await;
    let (address, _) = peer(500, "{}").await;
    let more = json!({ "operations": ["retrieveTemporal", "queryTemporal"] });
    register(&client.engine, address, more).await;
    let missing = client.get(ONE).await.expect(404);
    assert!(missing.header("ngsild-warning").starts_with("299 "));
}

#[tokio::test]
async fn types_and_attributes_of_sources_are_listed() {
    let (client, other) = (far_client().await, broker().await);
    let theirs = Client::of(other.engine.clone());
    theirs
        .create(json!([super::entity("1", "speed", 1.0), super::entity("2", "weight", 1.0),
        { "id": "urn:x:1", "type": "Unregistered" }]))
        .await;
    register(&client.engine, other.address, json!({})).await;
    let types = client.get("/types").await.expect(200).json();
    assert_eq!(types["typeList"], json!(["T"]));
    let details = client.get("/types?details=true").await.expect(200).json();
    assert_eq!(details[0]["attributeNames"], json!(["speed", "weight"]));
    let info = client.get("/types/T").await.expect(200).json();
    assert_eq!(info["attributeDetails"][0]["attributeName"], "speed");
    assert_eq!(info["attributeDetails"][0]["attributeTypes"], json!(["Property"]));
    assert_eq!(info["entityCount"], 2);
    let attributes = client.get("/attributes").await.expect(200).json();
    assert_eq!(attributes["attributeList"], json!(["speed", "weight"]));
    let weight = client.get("/attributes/weight").await.expect(200).json();
    assert_eq!((&weight["attributeCount"], &weight["typeNames"]), (&json!(1), &json!(["T"])));
    assert_eq!(weight["attributeTypes"], json!(["Property"]));
    assert_eq!(client.get("/types?local=true").await.expect(200).json()["typeList"], json!([]));
    let only = json!([{ "entities": [{ "type": full("T") }], "propertyNames": [full("speed")] }]);
    let client = far_client().await;
    register(&client.engine, other.address, json!({ "information": only })).await;
    let attributes = client.get("/attributes").await.expect(200).json();
    assert_eq!(attributes["attributeList"], json!(["speed"]));
}
