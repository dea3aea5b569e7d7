use serde_json::json;

use crate::city::{City, error_of, name};

#[tokio::test]
async fn entities_are_created_merged_replaced_and_deleted() {
    let city = City::new().await;
    let created = city
        .data(
            "mutation { createTree(id: \"urn:t:100\", input: { height: 5.5, height__unitCode: \"MTR\", \
             height__observedAt: \"2026-01-01T00:00:00Z\", species: \"Ulmus\", healthy: true, \
             location: { type: \"Point\", coordinates: [24.95, 60.2] }, locatedIn: \"urn:d:1\", \
             scope: [\"/a/b\"] }) { id height height__observedAt location scope locatedIn { name } } }",
        )
        .await;
    let tree = &created["createTree"];
    assert_eq!(tree["height"], 5.5);
    assert_eq!(tree["height__observedAt"], "2026-01-01T00:00:00Z");
    assert_eq!(tree["scope"], json!(["/a/b"]));
    assert_eq!(tree["locatedIn"]["name"], "Area 1");

    let merged = city
        .data(
            "mutation { mergeTree(id: \"urn:t:100\", input: { height: 6, healthy: null }) { height \
             healthy species height__unitCode } }",
        )
        .await;
    let expected = json!({
        "height": 6, "healthy": null, "species": "Ulmus", "height__unitCode": "MTR"
    });
    assert_eq!(merged["mergeTree"], expected);

    let replaced = city
        .data(
            "mutation { replaceTree(id: \"urn:t:100\", input: { species: \"Salix\" }) { height species } }",
        )
        .await;
    assert_eq!(replaced["replaceTree"], json!({ "height": null, "species": "Salix" }));

    let answer = city.ask("mutation { deleteEntity(id: \"urn:t:100\") { id revision } }").await;
    assert_eq!(answer["data"]["deleteEntity"]["id"], "urn:t:100");
    assert_eq!(answer["data"]["deleteEntity"]["revision"], answer["extensions"]["revision"]);
    assert_eq!(city.data("{ tree(id: \"urn:t:100\") { id } }").await["tree"], json!(null));
}

#[tokio::test]
async fn texts_of_languages_are_set_one_by_one() {
    let city = City::new().await;
    let query = "mutation { mergeDistrict(id: \"urn:d:1\", input: { name__fi: \"Kallio\" }) { name name__fi } }";
    let data = city.data(query).await;
    assert_eq!(data["mergeDistrict"], json!({ "name": "Area 1", "name__fi": "Kallio" }));
}

#[tokio::test]
async fn changes_that_fail_say_why_and_the_others_are_done() {
    let city = City::new().await;
    let answer = city
        .ask(
            "mutation { a: createTree(id: \"urn:t:1\", input: {}) { id } b: mergeTree(id: \"urn:t:2\", \
             input: { height: 77 }) { height } c: mergeTree(id: \"urn:d:1\", input: { height: 1 }) { id } \
             d: deleteEntity(id: \"urn:nobody\") { id } e: createTree(id: \"no id\", input: {}) { id } }",
        )
        .await;
    assert_eq!(answer["data"]["b"]["height"], 77);
    let errors = answer["errors"].as_array().unwrap();
    let found: Vec<(&str, &str)> = errors
        .iter()
        .map(|error| {
            let code = error["extensions"]["code"].as_str().unwrap();
            (error["path"][0].as_str().unwrap(), code)
        })
        .collect();
    let expected =
        [("a", "ALREADY_EXISTS"), ("c", "NOT_FOUND"), ("d", "NOT_FOUND"), ("e", "BAD_USER_INPUT")];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn an_answer_has_its_revision_and_waits_for_one() {
    let city = City::new().await;
    let answer =
        city.ask("mutation { mergeTree(id: \"urn:t:2\", input: { height: 3 }) { id } }").await;
    let revision = answer["extensions"]["revision"].as_u64().unwrap();
    let body = json!({
        "query": "{ revision tree(id: \"urn:t:2\") { height } }",
        "extensions": { "minRevision": revision },
    });
    let (_, answer) = city.post(&body.to_string()).await;
    assert_eq!(answer["data"], json!({ "revision": revision, "tree": { "height": 3 } }));
    let body = json!({ "query": "{ revision }", "extensions": { "minRevision": "latest" } });
    assert_eq!(error_of(&city.post(&body.to_string()).await.1).0, "BAD_REQUEST");
}

const CREATE: &str = "mutation ($input: EntityInput!) { createEntity(id: \"urn:new:1\", input: $input) \
                      { __typename id type scope } }";

#[tokio::test]
async fn an_entity_of_a_new_type_is_created_and_its_fields_are_there_with_the_next_request() {
    let city = City::new().await;
    let variables = json!({ "input": {
        "type": [name("Bench").as_str(), "Tree"],
        "scope": ["/a"],
        "attributes": [
            { "name": name("seats").as_str(), "value": 4, "unitCode": "C62", "observedAt": "2026-01-01T00:00:00Z",
              "attributes": [{ "name": name("accuracy").as_str(), "value": 0.5 }] },
            { "name": "location", "geometry": { "type": "Point", "coordinates": [24.9, 60.1] } },
            { "name": "locatedIn", "relationship": ["urn:d:1"] },
            { "name": name("label").as_str(), "texts": { "fi": "Penkki", "en": "Bench" } },
            { "name": name("style").as_str(), "vocab": [name("modern").as_str()] },
            { "name": "height", "value": 1 },
            { "name": "height", "value": 2, "datasetId": "urn:model:b" },
        ],
    } });
    let created = city.ask_with(CREATE, variables).await;
    assert_eq!(created["errors"], json!(null));
    assert_eq!(created["data"]["createEntity"]["id"], "urn:new:1");
    assert_eq!(created["data"]["createEntity"]["scope"], json!(["/a"]));
    let data = city
        .data(
            "{ bench(id: \"urn:new:1\") { seats seats__unitCode seats__observedAt seats__accuracy \
             label label__fi style location locatedIn { name } height height__at_b } }",
        )
        .await;
    let expected = json!({
        "seats": 4, "seats__unitCode": "C62", "seats__observedAt": "2026-01-01T00:00:00Z",
        "seats__accuracy": 0.5, "label": "Bench", "label__fi": "Penkki",
        "style": name("modern").as_str(), "height": 1, "height__at_b": 2,
        "location": { "type": "Point", "coordinates": [24.9, 60.1] },
        "locatedIn": { "name": "Area 1" },
    });
    assert_eq!(data["bench"], expected);
}

#[tokio::test]
async fn any_entity_is_merged_and_replaced_by_the_names_of_its_attributes() {
    let city = City::new().await;
    let data = city
        .data(
            "mutation { mergeEntity(id: \"urn:t:1\", input: { attributes: [{ name: \"height\", value: 99 }, \
             { name: \"healthy\", value: null }] }) { id ... on Tree { height healthy species } } }",
        )
        .await;
    assert_eq!(data["mergeEntity"]["height"], 99);
    assert_eq!(data["mergeEntity"]["healthy"], json!(null));
    let query = "mutation { replaceEntity(id: \"urn:t:1\", input: { type: \"Tree\", attributes: \
                 { name: \"height\", value: 1 } }) { ... on Tree { height species } } }";
    let data = city.data(query).await;
    assert_eq!(data["replaceEntity"], json!({ "height": 1, "species": null }));
}

#[tokio::test]
async fn what_is_wrong_with_an_entity_of_any_type_is_said() {
    let city = City::new().await;
    let cases = [
        (json!({ "attributes": [] }), "type is missing"),
        (json!({ "type": ["no such type"] }), "no such type"),
        (json!({ "type": ["Tree"], "attributes": [{ "name": "unheard", "value": 1 }] }), "unheard"),
        (
            json!({ "type": ["Tree"], "attributes": [{ "name": "height", "value": 1, "vocab": ["a"] }] }),
            "more than one value",
        ),
        (
            json!({ "type": ["Tree"], "attributes": [{ "name": "height", "unitCode": "MTR" }] }),
            "needs its value",
        ),
        (
            json!({ "type": ["Tree"], "attributes": [{ "name": "height", "texts": { "fi": 3 } }] }),
            "fi holds 3",
        ),
    ];
    for (input, needed) in cases {
        let answer = city.ask_with(CREATE, json!({ "input": input })).await;
        assert_eq!(answer["data"]["createEntity"], json!(null), "{input}");
        let (_, error) = error_of(&answer);
        assert!(error.contains(needed), "{input}: {error}");
    }
    let query = "mutation { mergeEntity(id: \"urn:nobody\", input: {}) { id } }";
    assert_eq!(city.ask(query).await["errors"][0]["extensions"]["code"], "NOT_FOUND");
}
