use serde_json::json;

use crate::client::{Client, client};

async fn measured() -> Client {
    let client = client().await;
    client
        .create(json!({ "id": "urn:x:1", "type": "T", "scope": "/A",
            "t": { "type": "Property", "value": 0, "observedAt": "2026-01-01T00:00:00Z" } }))
        .await;
    for n in 1..5 {
        let body = json!({ "value": n, "observedAt": format!("2026-01-01T0{n}:00:00Z") });
        client.patch("/entities/urn:x:1/attrs/t", body).await.expect(204);
    }
    client
}

const PATH: &str = "/temporal/entities/urn:x:1";

#[tokio::test]
async fn a_history_holds_every_value() {
    let client = measured().await;
    let entity = client.get(PATH).await.expect(200).json();
    assert_eq!((&entity["id"], &entity["type"]), (&json!("urn:x:1"), &json!("T")));
    let instances = entity["t"].as_array().unwrap();
    let values: Vec<_> =
        instances.iter().map(|instance| instance["value"].as_i64().unwrap()).collect();
    assert_eq!(values, [0, 1, 2, 3, 4]);
    let ids: std::collections::HashSet<_> =
        instances.iter().map(|i| i["instanceId"].to_string()).collect();
    assert_eq!(ids.len(), 5);
    assert_eq!(entity["scope"][0]["value"], "/A");
}

#[tokio::test]
async fn a_range_of_time_and_the_last_values_are_selected() {
    let client = measured().await;
    let values = |query: &'static str| {
        let path = format!("{PATH}?options=temporalValues&{query}");
        let client = &client;
        async move { client.get(&path).await.expect(200).json()["t"]["values"].clone() }
    };
    assert_eq!(
        values("timerel=between&timeAt=2026-01-01T01:00:00Z&endTimeAt=2026-01-01T03:00:00Z").await,
        json!([[1, "2026-01-01T01:00:00Z"], [2, "2026-01-01T02:00:00Z"]])
    );
    assert_eq!(
        values("timerel=before&timeAt=2026-01-01T01:00:00Z").await,
        json!([[0, "2026-01-01T00:00:00Z"]])
    );
    assert_eq!(
        values("lastN=2").await,
        json!([[3, "2026-01-01T03:00:00Z"], [4, "2026-01-01T04:00:00Z"]])
    );
    let path =
        format!("{PATH}?timeproperty=modifiedAt&timerel=after&timeAt=2000-01-01T00:00:00Z&lastN=1");
    assert_eq!(client.get(&path).await.expect(200).json()["t"][0]["value"], 4);
    let late = client.get(&format!("{PATH}?timerel=after&timeAt=2030-01-01T00:00:00Z")).await;
    late.expect_problem(404, "ResourceNotFound", "range");
}

#[tokio::test]
async fn a_history_outlives_what_it_tells_of() {
    let client = measured().await;
    client.delete("/entities/urn:x:1/attrs/t").await.expect(204);
    let instances = client.get(PATH).await.expect(200).json()["t"].clone();
    let last = instances.as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["type"], &last["value"]), (&json!("Property"), &json!("urn:ngsi-ld:null")));
    assert!(last["deletedAt"].is_string());
    client.delete("/entities/urn:x:1").await.expect(204);
    let entity = client.get(PATH).await.expect(200).json();
    assert_eq!((&entity["type"], entity["t"].as_array().unwrap().len()), (&json!("T"), 6));
}

#[tokio::test]
async fn a_history_shows_the_scopes_that_were_valid_in_its_range() {
    let client = client().await;
    let entity = |scope: serde_json::Value| {
        json!({ "id": "urn:x:1", "type": "T", "scope": scope,
            "t": { "type": "Property", "value": 0, "observedAt": "2026-01-01T00:00:00Z" } })
    };
    client.create(entity(json!("/A"))).await;
    client.put("/entities/urn:x:1", entity(json!(["/A", "/B"]))).await.expect(204);
    let mut bare = entity(json!(null));
    bare.as_object_mut().unwrap().remove("scope");
    client.put("/entities/urn:x:1", bare).await.expect(204);
    let scopes = client.get(PATH).await.expect(200).json()["scope"].clone();
    let values: Vec<_> =
        scopes.as_array().unwrap().iter().map(|scope| scope["value"].clone()).collect();
    assert_eq!(values, [json!("/A"), json!(["/A", "/B"]), json!("urn:ngsi-ld:null")]);
    assert!(scopes[0]["observedAt"].is_string() && scopes[2]["deletedAt"].is_string());
    let at = |query: &'static str| {
        let client = &client;
        async move { client.get(&format!("{PATH}?{query}")).await.expect(200).json() }
    };
    // What was observed before the entity came to the server has no scope.
    let early = at("timerel=before&timeAt=2026-01-02T00:00:00Z").await;
    assert_eq!((&early["t"][0]["value"], &early["scope"]), (&json!(0), &json!(null)));
    let last = at("lastN=1&options=temporalValues").await;
    assert_eq!(last["scope"]["values"][0][0], "urn:ngsi-ld:null");
    assert_eq!(last["scope"]["values"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn wrong_temporal_parameters_are_refused() {
    let client = measured().await;
    for (query, detail) in [
        ("timerel=after", "timeAt"),
        ("timerel=between&timeAt=2026-01-01T01:00:00Z", "endTimeAt"),
        ("timerel=around&timeAt=2026-01-01T01:00:00Z", "around"),
        ("timerel=after&timeAt=yesterday", "yesterday"),
        ("lastN=0", "lastN"),
        ("lastN=x", "lastN"),
    ] {
        client.get(&format!("{PATH}?{query}")).await.expect_problem(400, "BadRequestData", detail);
    }
    for (query, name, detail) in [
        ("options=aggregatedValues", "BadRequestData", "aggrMethods"),
        ("options=aggregatedValues&aggrMethods=mode", "BadRequestData", "mode"),
        (
            "format=aggregatedValues&aggrMethods=max&aggrPeriodDuration=1H",
            "BadRequestData",
            "aggrPeriodDuration",
        ),
        ("options=aggregatedValues,temporalValues", "InvalidRequest", "exclude"),
        ("format=aggregated", "InvalidRequest", "aggregated"),
        ("pick=owner{name}", "BadRequestData", "linked"),
    ] {
        client.get(&format!("{PATH}?{query}")).await.expect_problem(400, name, detail);
    }
    client.get("/temporal/entities/urn:x:2").await.expect_problem(
        404,
        "ResourceNotFound",
        "urn:x:2",
    );
    client.get("/temporal/entities/2").await.expect_problem(400, "BadRequestData", "URI");
}
