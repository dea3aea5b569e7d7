use serde_json::json;

use crate::client::{Client, client};

async fn city() -> Client {
    let client = client().await;
    let place = |lon: f64, lat: f64| json!({ "type": "GeoProperty", "value": { "type": "Point", "coordinates": [lon, lat] } });
    let property = |value: serde_json::Value| json!({ "type": "Property", "value": value });
    let named = |name: &str, day: u8, unit: &str| json!({ "type": "Property", "value": name, "unitCode": unit, "observedAt": format!("2026-01-0{day}T00:00:00Z") });
    client
        .create(json!([
            { "id": "urn:x:far", "type": "T", "location": place(10.0, 45.0), "name": named("Zebra", 1, "C"), "address": property(json!({ "city": "Zürich" })) },
            { "id": "urn:x:near", "type": "T", "location": place(8.01, 40.01), "name": named("Ähre", 2, "A"), "rank": property(json!(5)), "address": property(json!({ "city": "Aarau" })) },
            { "id": "urn:x:mid", "type": "T", "location": place(9.0, 41.0), "name": named("ahre", 3, "B"), "rank": property(json!("abc")) },
            { "id": "urn:x:none", "type": ["S", "T"], "rank": property(json!(true)) }
        ]))
        .await;
    client
}

#[tokio::test]
async fn entities_are_ordered_by_values_members_and_distances() {
    let client = city().await;
    for (order, expected) in [
        ("id", ["far", "mid", "near", "none"]),
        ("id;desc", ["none", "near", "mid", "far"]),
        ("name.observedAt;desc", ["mid", "near", "far", "none"]),
        ("type,id;desc", ["none", "near", "mid", "far"]),
        ("name.unitCode;desc", ["far", "mid", "near", "none"]),
        // Numbers, texts, truth values, then what is missing; the last in both directions.
        ("rank", ["near", "mid", "none", "far"]),
        ("rank;desc", ["none", "mid", "near", "far"]),
        ("address%5Bcity%5D;desc,id", ["far", "near", "mid", "none"]),
        ("location;dist-asc&orderFrom=%5B8,40%5D", ["near", "mid", "far", "none"]),
        ("location;dist-desc&orderFrom=%5B8,40%5D", ["far", "mid", "near", "none"]),
        (
            "location;dist-asc&orderGeometry=LineString&orderFrom=%5B%5B10,44%5D,%5B11,46%5D%5D",
            ["far", "mid", "near", "none"],
        ),
    ] {
        let path = format!("/entities?type=T&orderBy={order}");
        let expected = expected.map(|id| format!("urn:x:{id}"));
        assert_eq!(client.get(&path).await.expect(200).ids(), expected, "{order}");
    }
}

#[tokio::test]
async fn texts_stand_as_the_collation_says() {
    let client = city().await;
    for (collation, expected) in [
        ("", ["mid", "near", "far"]),
        ("&collation=und", ["mid", "near", "far"]),
        ("&collation=sv", ["mid", "far", "near"]),
        ("&collation=de-u-co-phonebk", ["near", "mid", "far"]),
    ] {
        let path = format!("/entities?type=T&q=name&orderBy=name{collation}");
        let expected = expected.map(|id| format!("urn:x:{id}"));
        assert_eq!(client.get(&path).await.expect(200).ids(), expected, "{collation}");
    }
    let first = client.get("/entities?type=T&orderBy=name&limit=2").await.expect(200);
    let second = client.get("/entities?type=T&orderBy=name&limit=2&offset=2").await.expect(200);
    assert_eq!(
        [first.ids(), second.ids()].concat(),
        ["urn:x:mid", "urn:x:near", "urn:x:far", "urn:x:none"]
    );
}

#[tokio::test]
async fn a_posted_question_has_an_order_too() {
    let client = city().await;
    let ask = |ordering: serde_json::Value| json!({ "type": "Query", "entities": [{ "type": "T" }], "ordering": ordering });
    let ordering = json!({ "orderBy": ["location;dist-asc", "id"], "coordinates": [8, 40] });
    let reply = client.post("/entityOperations/query", ask(ordering)).await.expect(200);
    assert_eq!(reply.ids(), ["urn:x:near", "urn:x:mid", "urn:x:far", "urn:x:none"]);
    for (ordering, detail) in [
        (json!({ "orderBy": ["location;dist-asc"] }), "orderFrom"),
        (json!({ "orderBy": ["location;dist-asc"], "coordinates": "8,40" }), "coordinates"),
        (json!({ "orderBy": ["id"], "geometry": 5 }), "geometry"),
        (json!({ "orderBy": ["id"], "collation": "no tag!" }), "collation"),
        (json!({ "orderBy": [] }), "ordering"),
        (json!({ "by": ["id"] }), "by"),
        (
            json!({ "orderBy": ["location;dist-asc"], "geometry": "MultiPoint", "coordinates": vec![[1.5, 2.5]; 3_000] }),
            "orderFrom",
        ),
    ] {
        let reply = client.post("/entityOperations/query", ask(ordering)).await;
        reply.expect_problem(400, "BadRequestData", detail);
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_is_refused() {
    let client = city().await;
    for (order, detail) in [
        ("", "name of an attribute"),
        ("name;up", "up"),
        ("location;dist-asc", "orderFrom"),
        ("location;dist-asc&orderFrom=%5B200,40%5D", "globe"),
        ("location;dist-asc&orderFrom=8,40", "coordinates"),
        ("location;dist-asc&orderFrom=%5B8,40%5D&orderGeometry=Ring", "Ring"),
        ("name&collation=!!nope", "collation"),
        ("name%5B", "key"),
        (
            "name,name,name,name,name,name,name,name,name,name,name,name,name,name,name,name,name,name,name,name,name",
            "columns",
        ),
    ] {
        let path = format!("/entities?type=T&orderBy={order}");
        client.get(&path).await.expect_problem(400, "BadRequestData", detail);
    }
}
