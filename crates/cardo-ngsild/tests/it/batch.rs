use serde_json::json;

use crate::client::client;

#[tokio::test]
async fn a_batch_that_succeeds_names_what_it_created() {
    let client = client().await;
    let batch = json!([{ "id": "urn:x:1", "type": "T" }, { "id": "urn:x:2", "type": "T", "a": 1 }]);
    let reply = client.post("/entityOperations/create", batch.clone()).await.expect(201);
    assert_eq!(reply.json(), json!(["urn:x:1", "urn:x:2"]));
    assert_eq!(reply.header("link"), "");
    let reply = client.post("/entityOperations/create", batch.clone()).await.expect(207).json();
    assert_eq!(reply["success"], json!([]));
    assert_eq!(reply["errors"][0]["entityId"], "urn:x:1");
    assert_eq!(
        reply["errors"][0]["error"]["type"],
        "https://uri.etsi.org/ngsi-ld/errors/AlreadyExists"
    );
    client.post("/entityOperations/upsert", batch).await.expect(204);
    let more = json!([{ "id": "urn:x:2", "type": "T" }, { "id": "urn:x:3", "type": "T" }]);
    assert_eq!(
        client.post("/entityOperations/upsert", more).await.expect(201).json(),
        json!(["urn:x:3"])
    );
}

#[tokio::test]
async fn an_upsert_replaces_or_updates() {
    let client = client().await;
    client.create(json!({ "id": "urn:x:1", "type": "T", "a": 1, "b": 2 })).await;
    let batch = json!([{ "id": "urn:x:1", "type": "T", "a": 3 }]);
    client.post("/entityOperations/upsert?options=update", batch.clone()).await.expect(204);
    let entity = client.get("/entities/urn:x:1?format=simplified").await.json();
    assert_eq!((&entity["a"], &entity["b"]), (&json!(3), &json!(2)));
    client.post("/entityOperations/upsert?options=replace", batch).await.expect(204);
    let entity = client.get("/entities/urn:x:1?format=simplified").await.json();
    assert!(entity.get("b").is_none());
}

#[tokio::test]
async fn one_bad_entity_does_not_spoil_the_batch() {
    let client = client().await;
    let batch = json!([
        { "id": "urn:x:1", "type": "T" },
        { "id": "no uri", "type": "T" },
        { "id": "urn:x:3", "type": "T", "a": { "type": "Nonsense", "value": 1 } },
        { "id": "urn:x:1", "type": "T" },
        17
    ]);
    let reply = client.post("/entityOperations/create", batch).await.expect(207).json();
    assert_eq!(reply["success"], json!(["urn:x:1"]));
    let errors = reply["errors"].as_array().unwrap();
    let ids: Vec<_> = errors.iter().map(|error| error["entityId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["no uri", "urn:x:3", "urn:x:1", ""]);
    assert!(errors[1]["error"]["detail"].as_str().unwrap().contains("Nonsense"));
}

#[tokio::test]
async fn a_batch_updates_merges_and_deletes() {
    let client = client().await;
    client
        .create(json!([{ "id": "urn:x:1", "type": "T", "a": 1 }, { "id": "urn:x:2", "type": "T" }]))
        .await;
    let update = json!([{ "id": "urn:x:1", "b": 1 }, { "id": "urn:x:9", "a": 2 }, { "id": "urn:x:1", "a": 2 }]);
    let reply = client
        .post("/entityOperations/update?options=noOverwrite", update)
        .await
        .expect(207)
        .json();
    assert_eq!(
        (&reply["success"], &reply["errors"][0]["entityId"]),
        (&json!(["urn:x:1"]), &json!("urn:x:9"))
    );
    assert!(reply["errors"][1]["error"]["detail"].as_str().unwrap().contains("overwritten"));
    let entity = client.get("/entities/urn:x:1?format=simplified").await.json();
    assert_eq!((&entity["a"], &entity["b"]), (&json!(1), &json!(1)));
    let merge = json!([{ "id": "urn:x:1", "a": "urn:ngsi-ld:null" }]);
    client.post("/entityOperations/merge", merge).await.expect(204);
    assert!(client.get("/entities/urn:x:1").await.json().get("a").is_none());
    let reply =
        client.post("/entityOperations/delete", json!(["urn:x:1", "urn:x:1", "urn:x:2", 3])).await;
    let reply = reply.expect(207).json();
    assert_eq!(reply["success"], json!(["urn:x:1", "urn:x:2"]));
    assert_eq!(reply["errors"].as_array().unwrap().len(), 2);
    client
        .post("/entityOperations/create", json!([{ "id": "urn:x:1", "type": "T" }]))
        .await
        .expect(201);
    client.post("/entityOperations/delete", json!(["urn:x:1"])).await.expect(204);
}

#[tokio::test]
async fn an_empty_batch_and_one_with_null_are_refused() {
    let client = client().await;
    for batch in [json!([]), json!([null]), json!([{ "id": "urn:x:1", "type": "T" }, null])] {
        client.post("/entityOperations/create", batch).await.expect_problem(
            400,
            "BadRequestData",
            "batch",
        );
    }
    client.post("/entityOperations/create", json!({})).await.expect_problem(
        400,
        "BadRequestData",
        "array",
    );
    client.get("/entities/urn:x:1").await.expect(404);
}

#[tokio::test]
async fn each_entity_of_a_batch_brings_its_own_context() {
    let client = client().await;
    let context = json!({ "T": "https://example.org/T" });
    let batch = json!([
        { "id": "urn:x:1", "type": "T", "@context": context },
        { "id": "urn:x:2", "type": "T" },
        { "id": "urn:x:3", "type": "T", "@context": "http://nowhere.invalid/c.jsonld" }
    ]);
    let reply = client
        .ask(axum::http::Method::POST, "/entityOperations/create")
        .json_ld(&batch)
        .send()
        .await;
    let reply = reply.expect(207).json();
    assert_eq!(reply["success"], json!(["urn:x:1"]));
    let kinds: Vec<_> = reply["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["error"]["type"].as_str().unwrap())
        .collect();
    assert!(
        kinds[0].ends_with("BadRequestData") && kinds[1].ends_with("LdContextNotAvailable"),
        "{kinds:?}"
    );
    assert_eq!(client.get("/entities/urn:x:1").await.json()["type"], "https://example.org/T");
}
