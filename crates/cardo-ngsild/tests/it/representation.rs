use axum::http::Method;
use serde_json::{Value, json};

use crate::client::{Client, client};

/// An entity with every kind of attribute.
fn everything() -> Value {
    json!({
        "id": "urn:x:all",
        "type": ["T", "U"],
        "scope": ["/Helsinki", "/Helsinki/Kallio"],
        "number": { "type": "Property", "value": 1e3, "unitCode": "CEL", "observedAt": "2026-01-01T00:00:00.5Z",
                    "accuracy": { "type": "Property", "value": 0.1 },
                    "by": { "type": "Relationship", "object": "urn:x:me" } },
        "text": { "type": "Property", "value": "a \"quoted\" \\ text\n" },
        "list": { "type": "Property", "value": [1, [2, { "a": null }]] },
        "compound": { "type": "Property", "value": { "type": "Thing", "street": "s" } },
        "plainObject": { "type": "Property", "value": { "a": 1 } },
        "geometryValue": { "type": "Property", "value": { "type": "Point", "coordinates": [1, 2] } },
        "link": { "type": "Relationship", "object": "urn:x:1", "objectType": "T" },
        "links": { "type": "Relationship", "object": ["urn:x:1", "urn:x:2"], "objectType": ["T", "U"] },
        "location": { "type": "GeoProperty", "value": { "type": "Point", "coordinates": [24.9, 60.2, 5] } },
        "greeting": { "type": "LanguageProperty", "languageMap": { "en": "hello", "fi": ["hei", "moi"] } },
        "gender": { "type": "VocabProperty", "vocab": "Male" },
        "genders": { "type": "VocabProperty", "vocab": ["Male", "https://example.org/Female"] },
        "raw": { "type": "JsonProperty", "json": { "id": "x", "value": [1] } },
        "ngsildproof": { "type": "Property", "entityIdSealed": "urn:x:all", "entityTypeSealed": "T",
                         "value": { "type": "DataIntegrityProof", "proofPurpose": "assertionMethod", "proofValue": "z" } },
        "sealed": { "type": "Property", "value": 1,
                    "ngsildproof": { "type": "Property", "value": { "type": "DataIntegrityProof" },
                                     "entityIdSealed": "urn:x:all", "entityTypeSealed": "T" } },
        "periods": { "type": "ListProperty", "valueList": ["a", 2, { "b": 3 }] },
        "route": { "type": "ListRelationship", "objectList": [{ "object": "urn:x:1" }, { "object": "urn:x:2" }] },
        "speed": [
            { "type": "Property", "value": 1 },
            { "type": "Property", "value": 2, "datasetId": "urn:x:gps" }
        ]
    })
}

async fn with_everything() -> Client {
    let client = client().await;
    client.create(everything()).await;
    client
}

#[tokio::test]
async fn every_kind_of_attribute_comes_back_normalized() {
    let client = with_everything().await;
    assert_eq!(client.get("/entities/urn:x:all").await.json(), everything());
}

#[tokio::test]
async fn the_concise_representation_loses_nothing() {
    let client = with_everything().await;
    let concise = client.get("/entities/urn:x:all?format=concise").await.expect(200).json();
    assert_eq!(concise["text"], json!("a \"quoted\" \\ text\n"));
    assert_eq!(concise["plainObject"], json!({ "a": 1 }));
    assert_eq!(concise["compound"], json!({ "value": { "type": "Thing", "street": "s" } }));
    assert_eq!(concise["link"], json!({ "object": "urn:x:1", "objectType": "T" }));
    assert_eq!(concise["location"], json!({ "type": "Point", "coordinates": [24.9, 60.2, 5] }));
    assert_eq!(concise["route"], json!({ "objectList": ["urn:x:1", "urn:x:2"] }));
    client.delete("/entities/urn:x:all").await.expect(204);
    client.create(concise).await;
    assert_eq!(client.get("/entities/urn:x:all").await.json(), everything());
}

#[tokio::test]
async fn the_simplified_representation_is_values_alone() {
    let client = with_everything().await;
    let expected = json!({
        "id": "urn:x:all",
        "type": ["T", "U"],
        "scope": ["/Helsinki", "/Helsinki/Kallio"],
        "number": 1e3,
        "text": "a \"quoted\" \\ text\n",
        "list": [1, [2, { "a": null }]],
        "compound": { "type": "Thing", "street": "s" },
        "plainObject": { "a": 1 },
        "geometryValue": { "type": "Point", "coordinates": [1, 2] },
        "link": "urn:x:1",
        "links": ["urn:x:1", "urn:x:2"],
        "location": { "type": "Point", "coordinates": [24.9, 60.2, 5] },
        "greeting": { "languageMap": { "en": "hello", "fi": ["hei", "moi"] } },
        "gender": { "vocab": "Male" },
        "genders": { "vocab": ["Male", "https://example.org/Female"] },
        "raw": { "json": { "id": "x", "value": [1] } },
        "ngsildproof": { "type": "DataIntegrityProof", "proofPurpose": "assertionMethod", "proofValue": "z" },
        "sealed": 1,
        "periods": ["a", 2, { "b": 3 }],
        "route": ["urn:x:1", "urn:x:2"],
        "speed": { "dataset": { "@none": 1, "urn:x:gps": 2 } }
    });
    for parameter in
        ["format=simplified", "options=keyValues", "options=simplified", "format=keyValues"]
    {
        let reply = client.get(&format!("/entities/urn:x:all?{parameter}")).await;
        assert_eq!(reply.expect(200).json(), expected);
    }
    client.get("/entities/urn:x:all?options=pretty").await.expect_problem(
        400,
        "InvalidRequest",
        "pretty",
    );
}

#[tokio::test]
async fn a_projection_leaves_out_what_is_not_wanted() {
    let client = with_everything().await;
    let members = |reply: crate::client::Reply| {
        let Value::Object(members) = reply.expect(200).json() else { panic!("no object") };
        members.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(members(client.get("/entities/urn:x:all?pick=id,number").await), ["id", "number"]);
    assert_eq!(
        members(client.get("/entities/urn:x:all?pick=scope%7Ctext").await),
        ["scope", "text"]
    );
    assert_eq!(
        members(client.get("/entities/urn:x:all?attrs=text").await),
        ["id", "type", "scope", "text"]
    );
    let omitted = members(client.get("/entities/urn:x:all?omit=id,type,scope,number").await);
    assert!(!omitted.iter().any(|name| ["id", "type", "scope", "number"].contains(&name.as_str())));
    for (query, detail) in [
        ("pick=id,text&omit=text", "same member"),
        ("attrs=text&pick=id", "attrs"),
        ("attrs=text&omit=id", "attrs"),
    ] {
        let reply = client.get(&format!("/entities/urn:x:all?{query}")).await;
        reply.expect_problem(400, "BadRequestData", detail);
    }
    let reply = client.get("/entities/urn:x:all?pick=none").await;
    reply.expect_problem(404, "ResourceNotFound", "none of the");
    assert_eq!(client.get("/entities?type=T&pick=none").await.expect(200).text, "[]");
    client.get("/entities/urn:x:all?attrs=none").await.expect_problem(
        404,
        "ResourceNotFound",
        "none of the",
    );
    client.get("/entities/urn:x:all?pick=link%7Bname%7D").await.expect_problem(
        400,
        "BadRequestData",
        "linked",
    );
    client.get("/entities/urn:x:all?pick=").await.expect_problem(
        400,
        "BadRequestData",
        "empty name",
    );
}

#[tokio::test]
async fn datasets_are_selected() {
    let client = with_everything().await;
    let speed = |reply: crate::client::Reply| reply.expect(200).json()["speed"].clone();
    assert_eq!(
        speed(client.get("/entities/urn:x:all?datasetId=urn:x:gps").await),
        json!({ "type": "Property", "value": 2, "datasetId": "urn:x:gps" })
    );
    assert_eq!(
        speed(client.get("/entities/urn:x:all?datasetId=@none&format=simplified").await),
        json!(1)
    );
    let other = client.get("/entities/urn:x:all?datasetId=urn:x:other").await.json();
    assert_eq!(other.as_object().unwrap().len(), 3, "{other}");
}

#[tokio::test]
async fn system_attributes_are_written_where_they_are_wanted() {
    let client = client().await;
    client
        .create(json!({ "id": "urn:x:1", "type": "T", "expiresAt": "2999-01-01T00:00:00Z",
                        "a": { "type": "Property", "value": 1, "createdAt": "2000-01-01T00:00:00Z" } }))
        .await;
    let plain = client.get("/entities/urn:x:1").await.json();
    assert_eq!(
        plain,
        json!({ "id": "urn:x:1", "type": "T", "a": { "type": "Property", "value": 1 } })
    );
    let all = client.get("/entities/urn:x:1?options=sysAttrs").await.json();
    assert_eq!(all["expiresAt"], "2999-01-01T00:00:00Z");
    for moment in
        [&all["createdAt"], &all["modifiedAt"], &all["a"]["createdAt"], &all["a"]["modifiedAt"]]
    {
        assert!(moment.as_str().unwrap().starts_with("20"), "{all}");
        assert_ne!(moment, "2000-01-01T00:00:00Z", "clients do not set it");
    }
}

#[tokio::test]
async fn features_have_the_chosen_geometry() {
    let client = client().await;
    client
        .create(json!([
            { "id": "urn:x:1", "type": "T",
              "location": { "type": "Point", "coordinates": [1, 2] },
              "area": { "type": "GeoProperty", "value": { "type": "Point", "coordinates": [3, 4] } } },
            { "id": "urn:x:2", "type": "T", "name": "without place" }
        ]))
        .await;
    let geo =
        |path: &'static str| client.ask(Method::GET, path).accept("application/geo+json").send();
    let reply = geo("/entities/urn:x:1").await.expect(200);
    assert_eq!(reply.header("content-type"), "application/geo+json");
    let feature = reply.json();
    assert_eq!(feature["type"], "Feature");
    assert_eq!(feature["geometry"], json!({ "type": "Point", "coordinates": [1, 2] }));
    assert_eq!(feature["properties"]["type"], "T");
    assert_eq!(feature["properties"]["location"]["type"], "GeoProperty");
    assert!(feature["@context"].is_string());
    let feature = geo("/entities/urn:x:1?geometryProperty=area&format=simplified").await.json();
    assert_eq!(feature["geometry"]["coordinates"], json!([3, 4]));
    assert_eq!(
        feature["properties"]["location"],
        json!({ "type": "Point", "coordinates": [1, 2] })
    );
    assert_eq!(geo("/entities/urn:x:2").await.json()["geometry"], Value::Null);
    let collection = geo("/entities?type=T").await.json();
    assert_eq!(collection["type"], "FeatureCollection");
    assert_eq!(collection["features"].as_array().unwrap().len(), 2);
    assert!(collection["features"][0].get("@context").is_none());
    let plain = client
        .ask(Method::GET, "/entities?type=T")
        .accept("application/geo+json")
        .header("prefer", "body=json")
        .send()
        .await;
    assert!(plain.json().get("@context").is_none());
    assert!(plain.header("link").contains("ngsi-ld-core-context"));
    assert_eq!(geo("/entities?type=None").await.json()["features"], json!([]));
    client.get("/entities/urn:x:1?geometryProperty=area").await.expect_problem(
        400,
        "BadRequestData",
        "geo+json",
    );
}

#[tokio::test]
async fn the_media_type_of_an_answer_is_negotiated() {
    let client = client().await;
    client.create(json!({ "id": "urn:x:1", "type": "T" })).await;
    let ask = |path: &'static str, accept: &'static str| {
        client.ask(Method::GET, path).accept(accept).send()
    };
    let reply = ask("/entities/urn:x:1", "application/ld+json").await.expect(200);
    assert_eq!(reply.header("content-type"), "application/ld+json");
    assert!(reply.json()["@context"].is_string());
    assert_eq!(reply.header("link"), "");
    let reply = ask("/entities?type=T", "application/ld+json").await.expect(200);
    assert!(reply.json()[0]["@context"].is_string());
    let reply = ask("/entities/urn:x:1", "text/html").await.expect(406);
    assert_eq!(
        reply.json(),
        json!(["application/json", "application/ld+json", "application/geo+json"])
    );
    ask("/types", "application/geo+json").await.expect(406);
    let preferred =
        client.ask(Method::GET, "/entities/urn:x:1").header("prefer", "ngsi-ld=1.4").send().await;
    assert_eq!(preferred.header("preference-applied"), "ngsi-ld=1.4");
}

#[tokio::test]
async fn texts_are_told_in_one_language() {
    let client = client().await;
    client
        .create(json!({
            "id": "urn:x:1", "type": "T",
            "street": { "type": "LanguageProperty", "languageMap": { "fr": "Grand Place", "nl": ["Grote Markt", "Markt"] } },
            "n": { "type": "Property", "value": 1, "note": { "type": "LanguageProperty", "languageMap": { "en": "one" } } }
        }))
        .await;
    let get = async |query: &str| client.get(&format!("/entities/urn:x:1?{query}")).await;
    let reply = get("lang=nl-BE,fr;q=0.5").await.expect(200).json();
    let street = json!({ "type": "Property", "value": ["Grote Markt", "Markt"], "lang": "nl" });
    assert_eq!(reply["street"], street);
    let note = json!({ "type": "Property", "value": "one", "lang": "en" });
    assert_eq!(reply["n"]["note"], note);
    let reply = get("lang=fr&format=concise").await.expect(200).json();
    assert_eq!(reply["street"], json!({ "value": "Grand Place", "lang": "fr" }));
    let reply = get("lang=*&format=simplified").await.expect(200).json();
    assert_eq!(reply["street"], "Grand Place");
    let list = client.get("/entities?type=T&lang=FR&format=simplified").await.expect(200).json();
    assert_eq!(list[0]["street"], "Grand Place");
    let question = json!({ "type": "Query", "entities": [{ "type": "T" }], "lang": "nl" });
    let posted = client.post("/entityOperations/query", question).await.expect(200).json();
    assert_eq!(posted[0]["street"]["lang"], "nl");
    for lang in ["", "f%20r", "fr;q=7"] {
        get(&format!("lang={lang}")).await.expect_problem(400, "BadRequestData", "lang");
    }
}

#[tokio::test]
async fn an_answer_conforms_to_an_older_version_where_that_is_preferred() {
    let client = client().await;
    client
        .create(json!([
            {
                "id": "urn:x:1", "type": ["A", "T"], "scope": "/a",
                "v": { "type": "VocabProperty", "vocab": "x" },
                "l": { "type": "ListRelationship", "objectList": ["urn:a", "urn:b"] },
                "j": { "type": "JsonProperty", "json": { "a": 1 } },
                "t": { "type": "LanguageProperty", "languageMap": { "en": "x" } },
                "n": [
                    { "type": "Property", "value": 1, "unitCode": "MTR", "valueType": "Length" },
                    { "type": "Property", "value": 2, "datasetId": "urn:d" }
                ]
            },
            { "id": "urn:x:2", "type": "U", "n": { "type": "Property", "value": 1 } }
        ]))
        .await;
    let get = async |path: &str, prefer: &str| {
        let path = format!("/entities{path}");
        client.ask(Method::GET, &path).header("prefer", prefer).send().await
    };
    let altered = get("/urn:x:1", "respond-async, NGSI-LD=\"1.5\";q=0.1").await.expect(203);
    assert_eq!(altered.header("preference-applied"), "ngsi-ld=1.5");
    let entity = altered.json();
    assert_eq!(entity["v"], json!({ "type": "Property", "value": "x" }));
    assert_eq!(entity["j"], json!({ "type": "Property", "value": { "a": 1 } }));
    assert_eq!(entity["l"], json!({ "type": "Relationship", "object": ["urn:a", "urn:b"] }));
    assert_eq!(entity["t"]["type"], "LanguageProperty");
    assert_eq!(entity["n"][0], json!({ "type": "Property", "value": 1, "unitCode": "MTR" }));
    assert_eq!(entity["scope"], "/a");
    let oldest = get("?type=T", "ngsi-ld=1.0").await.expect(203).json();
    assert_eq!(oldest[0]["type"], "A");
    assert_eq!(oldest[0]["n"], json!({ "type": "Property", "value": 1 }));
    assert_eq!(oldest[0]["t"], json!({ "type": "Property", "value": { "en": "x" } }));
    assert_eq!(oldest[0].get("scope"), None);
    let path = "/temporal/entities/urn:x:1";
    let history = client.ask(Method::GET, path).header("prefer", "ngsi-ld=1.3").send().await;
    assert_eq!(history.expect(203).json().get("scope"), None);
    // What conforms as it is comes as it is; a version of the future is answered with the newest.
    let same = get("/urn:x:2", "ngsi-ld=1.0").await.expect(200);
    assert_eq!(same.header("preference-applied"), "ngsi-ld=1.0");
    let newest = get("/urn:x:1", "ngsi-ld=2.3").await.expect(200);
    assert_eq!(newest.header("preference-applied"), "ngsi-ld=1.9");
    assert_eq!(newest.json()["v"]["type"], "VocabProperty");
    assert_eq!(get("/urn:x:1", "ngsi-ld=new").await.expect(200).header("preference-applied"), "");
}

#[tokio::test]
async fn what_is_over_when_it_is_written_is_gone_before_the_answer() {
    let client = client().await;
    let (past, future) = ("2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z");
    let lasting = json!({ "type": "Property", "value": 1, "expiresAt": future });
    client.create(json!([{ "id": "urn:t:1", "type": "T", "a": lasting, "b": lasting }])).await;
    client.create(json!([{ "id": "urn:t:2", "type": "T", "expiresAt": past }])).await;
    client.get("/entities/urn:t:2").await.expect(404);
    let over = json!({ "type": "Property", "value": 1, "expiresAt": past });
    client.patch("/entities/urn:t:1", json!({ "a": over })).await.expect(204);
    let left = client.get("/entities/urn:t:1").await.expect(200).json();
    assert_eq!(
        left,
        json!({ "id": "urn:t:1", "type": "T", "b": { "type": "Property", "value": 1 } })
    );
    client.patch("/entities/urn:t:1", json!({ "expiresAt": past })).await.expect(204);
    client.get("/entities/urn:t:1").await.expect(404);
    assert_eq!(client.get("/entities?type=T&local=true").await.expect(200).json(), json!([]));
}
