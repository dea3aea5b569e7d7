use axum::http::Method;
use serde_json::{Value, json};

use crate::client::{Client, client};

async fn post_text(
    client: &Client,
    media_type: &'static str,
    body: impl Into<Vec<u8>>,
) -> crate::client::Reply {
    client.ask(Method::POST, "/entities").body(media_type, body).send().await
}

#[tokio::test]
async fn malformed_json_is_an_invalid_request() {
    let client = client().await;
    for body in ["", "{", "[1,]", "{\"id\": \"urn:x:1\",}", "nonsense", "{\"id\":\"urn:x:1\"} x"] {
        post_text(&client, "application/json", body).await.expect_problem(
            400,
            "InvalidRequest",
            "not JSON",
        );
    }
    let mut invalid_utf8 = br#"{"id": "urn:x:1", "type": "T", "a": ""#.to_vec();
    invalid_utf8.extend_from_slice(b"\xff\xfe\"}");
    post_text(&client, "application/json", invalid_utf8).await.expect_problem(
        400,
        "InvalidRequest",
        "not JSON",
    );
    for number in ["NaN", "Infinity", "-Infinity"] {
        let body = format!(r#"{{"id": "urn:x:1", "type": "T", "a": {number}}}"#);
        post_text(&client, "application/json", body).await.expect_problem(
            400,
            "InvalidRequest",
            "not JSON",
        );
    }
    post_text(&client, "application/json", "{}").await.expect_problem(
        400,
        "InvalidRequest",
        "empty",
    );
    post_text(&client, "application/json", "[]").await.expect_problem(
        400,
        "InvalidRequest",
        "empty",
    );
    for body in ["[1]", "7", "\"x\"", "null"] {
        post_text(&client, "application/json", body).await.expect_problem(
            400,
            "BadRequestData",
            "object",
        );
    }
}

#[tokio::test]
async fn a_wrong_media_type_and_a_missing_length_are_refused_without_a_body() {
    let client = client().await;
    let reply = post_text(&client, "text/plain", "{}").await.expect(415);
    assert_eq!(reply.text, "");
    let reply = client.ask(Method::POST, "/entities").send().await.expect(411);
    assert_eq!(reply.text, "");
}

#[tokio::test]
async fn a_body_of_100_megabytes_is_refused_unread() {
    let client = client().await;
    let asking = client.ask(Method::POST, "/entities").body("application/json", "{}");
    let reply = asking.instead("content-length", "104857600").send().await;
    reply.expect_problem(413, "InvalidRequest", "16777216");
    let body = vec![b' '; 17 << 20];
    post_text(&client, "application/json", body).await.expect_problem(
        413,
        "InvalidRequest",
        "16777216",
    );
}

#[tokio::test]
async fn attributes_that_break_a_rule_are_refused_with_their_place() {
    let client = client().await;
    for (attribute, detail) in [
        (json!({ "type": "Nonsense", "value": 1 }), "Nonsense"),
        (json!({ "type": "Property" }), "value"),
        (json!({ "type": "Property", "object": "urn:x:1" }), "object"),
        (json!({ "type": "Property", "value": 1, "object": "urn:x:1" }), "object"),
        (json!({ "type": "Property", "value": null }), "null"),
        (json!(null), "null"),
        (json!("urn:ngsi-ld:null"), "null"),
        (json!({ "type": "Property", "value": "urn:ngsi-ld:null" }), "null"),
        (json!({ "type": "Property", "value": { "b": "urn:ngsi-ld:null" } }), "null"),
        (json!({ "type": "Relationship", "object": "no uri" }), "no uri"),
        (json!({ "type": "Relationship", "object": 7 }), "7"),
        (json!({ "type": "Relationship", "object": [] }), "[]"),
        (json!({ "type": "Relationship", "value": 1 }), "value"),
        (json!({ "type": "Relationship", "object": "urn:x:1", "unitCode": "CEL" }), "unitCode"),
        (json!({ "type": "LanguageProperty", "languageMap": "hello" }), "hello"),
        (json!({ "type": "LanguageProperty", "languageMap": { "en": 1 } }), "en"),
        (
            json!({ "type": "LanguageProperty", "languageMap": { "en": "x" }, "valueType": "xsd:string" }),
            "langString",
        ),
        (json!({ "type": "LanguageProperty", "languageMap": { "not a tag": "x" } }), "not a tag"),
        (json!({ "type": "VocabProperty", "vocab": 1 }), "vocabulary"),
        (json!({ "type": "ListProperty", "valueList": 1 }), "array"),
        (json!({ "type": "ListRelationship", "objectList": ["no uri"] }), "no uri"),
        (json!({ "type": "Property", "value": 1, "observedAt": "yesterday" }), "yesterday"),
        (json!({ "type": "Property", "value": 1, "datasetId": "x" }), "datasetId"),
        (json!([{ "value": 1 }, { "value": 2 }]), "@none"),
        (
            json!([{ "value": 1, "datasetId": "urn:x:d" }, { "value": 2, "datasetId": "urn:x:d" }]),
            "urn:x:d",
        ),
        (json!({ "type": "Property", "value": 1, "sub": { "type": "Property" } }), "sub"),
    ] {
        let entity = json!({ "id": "urn:x:1", "type": "T", "attr": attribute });
        let reply = client.post("/entities", entity.clone()).await;
        assert_eq!(reply.status, 400, "{entity}: {}", reply.text);
        assert!(reply.text.contains("attr"), "the place is named: {}", reply.text);
        reply.expect_problem(400, "BadRequestData", detail);
    }
}

#[tokio::test]
async fn entities_that_break_a_rule_are_refused() {
    let client = client().await;
    for (entity, detail) in [
        (json!({ "type": "T" }), "id"),
        (json!({ "id": "urn:x:1" }), "type"),
        (json!({ "id": "no uri", "type": "T" }), "no uri"),
        (json!({ "id": 7, "type": "T" }), "7"),
        (json!({ "id": "urn:ngsi-ld:null", "type": "T" }), "null"),
        // Characters that nobody sees, or that turn the text around (RFC 3987, section 4.1).
        (json!({ "id": "urn:x:a\u{202e}b", "type": "T" }), "may not stand"),
        (json!({ "id": "urn:x:a\u{200b}b", "type": "T" }), "may not stand"),
        (json!({ "id": "urn:x:a\u{a0}b", "type": "T" }), "may not stand"),
        (json!({ "id": "urn:x:1", "type": [] }), "[]"),
        (json!({ "id": "urn:x:1", "type": "a b" }), "a b"),
        (json!({ "id": "urn:x:1", "type": 7 }), "7"),
        (json!({ "id": "urn:x:1", "type": "T", "scope": "a b" }), "a b"),
        (json!({ "id": "urn:x:1", "type": "T", "scope": "/a/1b" }), "1b"),
        (json!({ "id": "urn:x:1", "type": "1T" }), "1T"),
        (
            json!({ "id": "urn:x:1", "type": "T", "location": { "type": "Property", "value": 1 } }),
            "GeoProperty",
        ),
        (
            json!({ "id": "urn:x:1", "type": "T", "a": { "type": "JsonProperty", "json": 1 } }),
            "object",
        ),
        (json!({ "id": "urn:x:1", "type": "T", "expiresAt": "soon" }), "soon"),
        (
            json!({ "id": "urn:x:1", "type": "T", "observedAt": "2026-01-01T00:00:00Z" }),
            "observedAt",
        ),
        (json!({ "id": "urn:x:1", "type": "T", "datasetId": "urn:x:2" }), "datasetId"),
        (json!({ "id": "urn:x:1", "type": "T", "a<b": 1 }), "a<b"),
        (json!({ "id": "urn:x:1", "@id": "urn:x:2", "type": "T" }), "id"),
    ] {
        let reply = client.post("/entities", entity.clone()).await;
        assert_eq!(reply.status, 400, "{entity}");
        reply.expect_problem(400, "BadRequestData", detail);
    }
    let twice = r#"{"id": "urn:x:1", "type": "T", "a": 1, "a": 2}"#;
    post_text(&client, "application/json", twice).await.expect_problem(
        400,
        "BadRequestData",
        "twice",
    );
    client.get("/entities/urn:x:1").await.expect(404);
}

#[tokio::test]
async fn geometries_that_are_none_are_refused() {
    let client = client().await;
    for (geometry, detail) in [
        (json!({ "type": "Point", "coordinates": [0, 91] }), "globe"),
        (json!({ "type": "Point", "coordinates": [181, 0] }), "globe"),
        (json!({ "type": "Point", "coordinates": ["a", 0] }), "geometry"),
        (json!({ "type": "Point", "coordinates": [0] }), "geometry"),
        (
            json!({ "type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]] }),
            "not closed",
        ),
        (json!({ "type": "GeometryCollection", "geometries": [] }), "GeometryCollection"),
        (json!({ "type": "Circle", "coordinates": [0, 0] }), "Circle"),
        (json!("here"), "not JSON"),
    ] {
        let attribute = json!({ "type": "GeoProperty", "value": geometry });
        let entity = json!({ "id": "urn:x:1", "type": "T", "location": attribute });
        client.post("/entities", entity).await.expect_problem(400, "BadRequestData", detail);
    }
    for number in ["1e999", "-1e999"] {
        let body = format!(
            r#"{{"id":"urn:x:1","type":"T","location":{{"type":"GeoProperty","value":{{"type":"Point","coordinates":[{number},0]}}}}}}"#
        );
        let reply = post_text(&client, "application/json", body).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
    }
    let bow_tie =
        json!({ "type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]] });
    client.create(json!({ "id": "urn:x:1", "type": "T", "location": bow_tie })).await;
    assert_eq!(client.get("/entities/urn:x:1?format=simplified").await.json()["location"], bow_tie);
}

#[tokio::test]
async fn deep_nesting_ends_somewhere() {
    let client = client().await;
    let nested = |depth: usize| -> String { "[".repeat(depth) + &"]".repeat(depth) };
    let entity = |depth| {
        format!(
            r#"{{"id":"urn:x:1","type":"T","a":{{"type":"Property","value":{}}}}}"#,
            nested(depth)
        )
    };
    post_text(&client, "application/json", entity(64)).await.expect(201);
    let kept = client.get("/entities/urn:x:1?format=simplified").await.expect(200);
    assert!(kept.text.contains(&nested(64)), "{}", kept.text);
    post_text(&client, "application/json", entity(65)).await.expect_problem(
        400,
        "BadRequestData",
        "deeper",
    );
    let reply = post_text(&client, "application/json", entity(100_000)).await;
    assert_eq!(reply.status, 400, "{}", reply.text);
    let mut attribute = json!({ "value": 1 });
    for _ in 0..64 {
        attribute = json!({ "value": 1, "a": attribute });
    }
    let entity = json!({ "id": "urn:x:1", "type": "T", "a": attribute });
    client.post("/entities", entity).await.expect_problem(400, "BadRequestData", "levels");
}

#[tokio::test]
async fn an_entity_has_no_more_attributes_than_the_limit() {
    let client = client().await;
    let mut entity = json!({ "id": "urn:x:1", "type": "T" });
    for n in 0..1_001 {
        entity[format!("a{n}")] = Value::from(n);
    }
    client.post("/entities", entity).await.expect_problem(400, "BadRequestData", "1000");
}

#[tokio::test]
async fn long_queries_and_exploding_patterns_are_refused_in_time() {
    let client = client().await;
    client.create(json!({ "id": "urn:x:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "type": "T", "n": "a" })).await;
    let long = json!({ "type": "Query", "q": vec!["n==1"; 10_000].join("|") });
    let reply = client.post("/entityOperations/query", long).await;
    reply.expect_problem(403, "TooComplexQuery", "more than");
    let deep = "(".repeat(200) + "n" + &")".repeat(200);
    client.get(&format!("/entities?q={deep}")).await.expect_problem(
        403,
        "TooComplexQuery",
        "nested",
    );
    client.get("/entities?type=T&idPattern=(a%2B)%2B%24%24b").await.expect(200);
    let huge = "/entities?type=T&idPattern=(((a%7B100%7D)%7B100%7D)%7B100%7D)%7B100%7D";
    client.get(huge).await.expect_problem(400, "BadRequestData", "");
}

#[tokio::test]
async fn long_lists_and_maps_are_answered_in_time() {
    let client = client().await;
    let many = |count: usize, item: fn(usize) -> String| {
        (0..count).map(item).collect::<Vec<_>>().join(",")
    };
    let begin = std::time::Instant::now();
    let attributes = [
        // Twice as many would take four times as long, were each compared with all before it.
        (format!(r#"{{"languageMap":{{{}}}}}"#, many(200_000, |n| format!(r#""a{n}":"x""#))), 201),
        (
            format!(
                r#"{{"languageMap":{{{},"a7":"x"}}}}"#,
                many(200_000, |n| format!(r#""a{n}":"x""#))
            ),
            400,
        ),
        (format!("[{}]", many(300_000, |_| r#"{"value":1}"#.to_owned())), 400),
        (format!("[{}]", many(4_000_000, |_| "1".to_owned())), 413),
    ];
    for (place, (attribute, status)) in attributes.into_iter().enumerate() {
        let body = format!(r#"{{"id":"urn:x:{place}","type":"T","a":{attribute}}}"#);
        post_text(&client, "application/json", body).await.expect(status);
    }
    assert!(begin.elapsed() < std::time::Duration::from_secs(60), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn times_with_an_offset_and_previous_values_are_refused() {
    let client = client().await;
    let property = |member: &str, value: Value| {
        let mut entity =
            json!({ "id": "urn:x:1", "type": "T", "n": { "type": "Property", "value": 1 } });
        entity["n"][member] = value;
        entity
    };
    let offset = "2026-01-01T12:00:00+02:00";
    let previous = json!({ "id": "urn:x:1", "type": "T", "r": { "type": "Relationship", "object": "urn:a", "previousObject": "urn:b" } });
    for (entity, detail) in [
        (property("observedAt", json!(offset)), "UTC"),
        (property("expiresAt", json!(offset)), "UTC"),
        (json!({ "id": "urn:x:1", "type": "T", "expiresAt": offset }), "UTC"),
        (property("previousValue", json!(0)), "previousValue"),
        (previous, "previousObject"),
    ] {
        client.post("/entities", entity).await.expect_problem(400, "BadRequestData", detail);
    }
    client
        .post("/entities", property("observedAt", json!("2026-01-01T12:00:00,5Z")))
        .await
        .expect(201);
    let merge = "/entities/urn:x:1?observedAt=2026-01-01T12:00:00%2B02:00";
    client.patch(merge, json!({ "n": 2 })).await.expect_problem(400, "BadRequestData", "UTC");
    // Clause 4.9 takes its dateTime from clause 4.6.3.
    let question = "/entities?type=T&q=n%3E2026-01-01T12:00:00";
    client.get(&format!("{question}Z")).await.expect(200);
    let asked = client.get(&format!("{question}%2B02:00")).await;
    asked.expect_problem(400, "BadRequestData", "a date");
}
