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
async fn the_end_of_an_entity_is_a_system_attribute_of_its_history() {
    let client = client().await;
    let end = "2999-01-01T00:00:00Z";
    let value = json!({ "type": "Property", "value": 1, "expiresAt": "2998-01-01T00:00:00Z" });
    client.create(json!({ "id": "urn:x:1", "type": "T", "expiresAt": end, "a": value })).await;
    let plain = client.get(PATH).await.expect(200).json();
    assert_eq!((plain.get("expiresAt"), plain["a"][0].get("expiresAt")), (None, None));
    let full = client.get(&format!("{PATH}?options=sysAttrs")).await.expect(200).json();
    assert_eq!(
        (&full["expiresAt"], &full["a"][0]["expiresAt"]),
        (&json!(end), &value["expiresAt"])
    );
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
        ("timerel=after&timeAt=2026-01-01T01:00:00%2B02:00", "UTC"),
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

#[tokio::test]
async fn texts_of_one_language_are_shown_at_all_times() {
    let client = client().await;
    for (n, body) in
        [json!({ "en": "yes", "fr": "oui" }), json!({ "de": "nein" })].iter().enumerate()
    {
        let says = json!({ "type": "LanguageProperty", "languageMap": body,
            "observedAt": format!("2026-01-01T0{n}:00:00Z") });
        let body = json!({ "id": "urn:x:1", "type": "T", "says": [says] });
        let reply = client.post("/temporal/entities", body).await;
        assert!(reply.status.is_success(), "{}", reply.text);
    }
    let says = client.get(&format!("{PATH}?lang=fr")).await.expect(200).json()["says"].clone();
    assert_eq!(
        (&says[0]["type"], &says[0]["value"], &says[0]["lang"]),
        (&json!("Property"), &json!("oui"), &json!("fr"))
    );
    assert_eq!((&says[1]["value"], &says[1]["lang"]), (&json!("nein"), &json!("de")));
    let simplified = format!("{PATH}?lang=fr&options=temporalValues");
    assert_eq!(
        client.get(&simplified).await.expect(200).json()["says"],
        json!({ "type": "Property", "values":
            [["oui", "2026-01-01T00:00:00Z"], ["nein", "2026-01-01T01:00:00Z"]] })
    );
    let question = json!({ "type": "Query", "entities": [{ "type": "T" }], "lang": "en",
        "temporalQ": { "timerel": "before", "timeAt": "2026-01-01T00:30:00Z" } });
    let found = client.post("/temporal/entityOperations/query", question).await.expect(200).json();
    assert_eq!(found[0]["says"][0]["value"], "yes");
    client.get(&format!("{PATH}?lang=fr;q=2")).await.expect_problem(400, "BadRequestData", "lang");
}

#[tokio::test]
async fn values_of_a_question_are_expanded_and_ids_are_ordered_by_a_collation() {
    let client = client().await;
    for id in ["urn:x:b", "urn:x:A", "urn:x:a"] {
        let kind = json!({ "type": "VocabProperty", "vocab": "commercial" });
        let notes = json!({ "type": "JsonProperty", "json": { "level": 3 } });
        client.create(json!({ "id": id, "type": "Shop", "kind": kind, "notes": notes })).await;
    }
    let window = "timerel=after&timeAt=2000-01-01T00:00:00Z&timeproperty=createdAt";
    let found = |query: &'static str| {
        let path = format!("/temporal/entities?type=Shop&{window}&{query}");
        let client = &client;
        async move {
            let found = client.get(&path).await.expect(200).json();
            let ids =
                found.as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap().to_owned());
            ids.collect::<Vec<_>>()
        }
    };
    assert!(found("q=kind==commercial").await.is_empty());
    assert_eq!(found("q=kind==commercial&expandValues=kind").await.len(), 3);
    assert_eq!(found("q=notes[level]==3&jsonKeys=notes").await.len(), 3);
    assert_eq!(found("orderBy=id").await, ["urn:x:a", "urn:x:A", "urn:x:b"]);
    assert_eq!(found("orderBy=id;desc").await, ["urn:x:b", "urn:x:A", "urn:x:a"]);
    assert_eq!(
        found("orderBy=id&collation=und-u-kf-upper").await,
        ["urn:x:A", "urn:x:a", "urn:x:b"]
    );
    assert_eq!(found("splitEntities=true").await.len(), 3);
    let body = json!({ "type": "Query", "entities": [{ "type": "Shop" }], "q": "kind==commercial",
        "expandValues": ["kind"], "ordering": { "orderBy": ["id"], "collation": "und-u-kf-upper" },
        "temporalQ": { "timerel": "after", "timeAt": "2000-01-01T00:00:00Z",
            "timeproperty": "createdAt" } });
    let posted = client.post("/temporal/entityOperations/query", body).await.expect(200).json();
    assert_eq!((&posted[0]["id"], posted.as_array().unwrap().len()), (&json!("urn:x:A"), 3));
    for (query, detail) in [("collation=none-sense", "none-sense"), ("splitEntities=2", "split")] {
        let path = format!("/temporal/entities?type=Shop&{window}&orderBy=id&{query}");
        client.get(&path).await.expect_problem(400, "BadRequestData", detail);
    }
}

#[tokio::test]
async fn only_a_change_of_an_attribute_adds_to_its_history() {
    let client = client().await;
    client
        .create(json!({ "id": "urn:x:1", "type": "T", "t": { "type": "Property", "value": 1 } }))
        .await;
    client.patch("/entities/urn:x:1/attrs/t", json!({ "value": 2 })).await.expect(204);
    for body in [
        json!({ "expiresAt": "2999-01-01T00:00:00Z" }),
        json!({ "scope": "/A" }),
        json!({ "type": ["T", "V"] }),
    ] {
        client.patch("/entities/urn:x:1", body).await.expect(204);
    }
    let values =
        client.get(&format!("{PATH}?timeproperty=modifiedAt&options=temporalValues")).await;
    let values = values.expect(200).json()["t"]["values"].clone();
    let values: Vec<_> = values.as_array().unwrap().iter().map(|v| v[0].clone()).collect();
    assert_eq!(values, [1, 2]);
}

#[tokio::test]
async fn the_history_of_an_attribute_expires_with_it() {
    let client = client().await;
    let gone = json!({ "type": "Property", "value": 1, "expiresAt": "2000-01-01T00:00:00Z" });
    let kept = json!({ "type": "Property", "value": 2, "expiresAt": "2999-01-01T00:00:00Z" });
    client.create(json!({ "id": "urn:x:1", "type": "T", "t": gone, "u": kept })).await;
    let entity = client.get(PATH).await.expect(200).json();
    assert_eq!((&entity["t"], &entity["u"][0]["value"]), (&json!(null), &json!(2)));
    client.get(&format!("{PATH}?attrs=t&lastN=1")).await.expect(404);
    // When it is taken out of the entity, that leaves no trace either.
    client.delete("/entities/urn:x:1/attrs/t").await;
    client.engine.project_all().await.unwrap();
    assert_eq!(client.get(PATH).await.expect(200).json()["t"], json!(null));
}
