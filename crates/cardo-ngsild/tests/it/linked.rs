use std::fmt::Write as _;

use cardo_ngsild::{NgsildLimits, NgsildOptions};
use serde_json::{Value, json};

use crate::client::{Client, client, client_with};

fn link(to: &str) -> Value {
    json!({ "type": "Relationship", "object": to })
}

fn property(value: impl Into<Value>) -> Value {
    json!({ "type": "Property", "value": value.into() })
}

/// Two houses in one city in a country; the country links back to the city.
async fn houses() -> Client {
    with(client().await).await
}

async fn with(client: Client) -> Client {
    client
        .create(json!([
            { "id": "urn:x:h1", "type": "House", "name": property("One"), "in": link("urn:x:c") },
            { "id": "urn:x:h2", "type": "House", "name": property("Two"), "in": link("urn:x:c"),
              "near": { "type": "ListRelationship", "objectList": ["urn:x:h1", "urn:x:gone"] } },
            { "id": "urn:x:c", "type": "City", "name": property("Espoo"), "in": link("urn:x:f") },
            { "id": "urn:x:f", "type": "Country", "name": property("Finland"), "capital": link("urn:x:c") }
        ]))
        .await;
    client
}

#[tokio::test]
async fn linked_entities_stand_within_their_relationships() {
    let client = houses().await;
    let house = client.get("/entities/urn:x:h1?join=inline&joinLevel=3").await.expect(200).json();
    let city = &house["in"]["entity"];
    assert_eq!(city["name"], property("Espoo"));
    let country = &city["in"]["entity"];
    assert_eq!(country["id"], "urn:x:f");
    // The city stands around it already.
    assert_eq!(country["capital"], link("urn:x:c"));
    let one_level = client.get("/entities/urn:x:h1?join=inline").await.expect(200).json();
    assert_eq!(one_level["in"]["entity"]["in"], link("urn:x:f"));
    let simplified =
        client.get("/entities?type=House&join=inline&format=simplified").await.expect(200).json();
    assert_eq!(simplified[0]["in"]["name"], "Espoo");
    assert_eq!(simplified[1]["in"]["name"], "Espoo");
    assert_eq!(simplified[1]["near"][0]["name"], "One");
    assert_eq!(simplified[1]["near"][1], "urn:x:gone");
    let lists = client.get("/entities/urn:x:h2?join=inline").await.expect(200).json();
    assert_eq!(lists["near"]["entityList"].as_array().unwrap().len(), 1);
    assert_eq!(lists["near"]["entityList"][0]["id"], "urn:x:h1");
}

#[tokio::test]
async fn linked_entities_stand_behind_the_others_once() {
    let client = houses().await;
    let flat = client.get("/entities?type=House&join=flat&joinLevel=4").await.expect(200);
    assert_eq!(flat.ids(), ["urn:x:h1", "urn:x:h2", "urn:x:c", "urn:x:f"]);
    assert_eq!(flat.json()[0]["in"], link("urn:x:c"));
    let one = client.get("/entities/urn:x:c?join=flat&containedBy=urn:x:f").await.expect(200);
    assert_eq!(one.ids(), ["urn:x:c"]);
    let features = client
        .ask(axum::http::Method::GET, "/entities/urn:x:h1?join=flat")
        .accept("application/geo+json")
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(features["type"], "FeatureCollection");
    assert_eq!(features["features"][1]["id"], "urn:x:c");
}

#[tokio::test]
async fn members_of_linked_entities_are_picked_and_omitted() {
    let client = houses().await;
    let picked =
        client.get("/entities/urn:x:h1?join=inline&joinLevel=2&pick=id,in%7Bid,in%7Bname%7D%7D");
    assert_eq!(
        picked.await.expect(200).json(),
        json!({ "id": "urn:x:h1", "in": { "type": "Relationship", "object": "urn:x:c", "entity": {
            "id": "urn:x:c", "in": { "type": "Relationship", "object": "urn:x:f", "entity": { "name": property("Finland") } } } } })
    );
    let omitted = client.get("/entities/urn:x:h1?join=flat&omit=type,in%7Bname%7Ctype%7D");
    assert_eq!(
        omitted.await.expect(200).json(),
        json!([
            { "id": "urn:x:h1", "name": property("One"), "in": link("urn:x:c") },
            { "id": "urn:x:c", "in": link("urn:x:f") }
        ])
    );
    let not_followed = client.get("/entities?type=House&join=flat&pick=id,name").await.expect(200);
    assert_eq!(not_followed.ids(), ["urn:x:h1", "urn:x:h2"]);
}

#[tokio::test]
async fn entities_are_found_by_what_they_lead_to() {
    let client = houses().await;
    client.create(json!({ "id": "urn:x:h3", "type": "House", "in": property("urn:x:c") })).await;
    for (q, expected) in [
        ("in%7Bname%7D==%22Espoo%22", vec!["urn:x:h1", "urn:x:h2"]),
        ("in%7BCity:name%7D==%22Espoo%22", vec!["urn:x:h1", "urn:x:h2"]),
        ("in%7BCountry:name%7D==%22Espoo%22", vec![]),
        ("in%7BCity,Country:in%7Bname%7D%7D==%22Finland%22", vec!["urn:x:h1", "urn:x:h2"]),
        ("in%7Bname%7D!=%22Espoo%22", vec![]),
        ("near%7Bname%7D~=%5EO;name==%22Two%22", vec!["urn:x:h2"]),
        ("!in%7Bname%7D", vec!["urn:x:h3"]),
    ] {
        let path = format!("/entities?type=House&q={q}&join=@none&joinLevel=2");
        client.get(&path).await.expect_problem(400, "BadRequestData", "linked");
        let path = format!("/entities?type=House&q={q}&join=inline&joinLevel=2");
        assert_eq!(client.get(&path).await.expect(200).ids(), expected, "{q}");
    }
}

#[tokio::test]
async fn what_leads_too_far_is_refused() {
    let client = houses().await;
    for (path, detail) in [
        ("/entities/urn:x:h1?pick=in%7Bname%7D", "no join"),
        ("/entities/urn:x:h1?join=inline&pick=in%7Bin%7Bname%7D%7D", "not so deep"),
        ("/entities/urn:x:h1?join=inline&pick=in%7Bname", "bracket"),
        ("/entities/urn:x:h1?join=inline&pick=in%7Bname%7D%7D", "bracket"),
        ("/entities/urn:x:h1?join=inline&omit=in%7B%7D", "empty name"),
        ("/entities/urn:x:h1?join=sideways", "join"),
        ("/entities/urn:x:h1?join=inline&joinLevel=0", "joinLevel"),
        ("/entities/urn:x:h1?join=inline&joinLevel=11", "joinLevel"),
        ("/entities/urn:x:h1?join=inline&containedBy=nonsense", "nonsense"),
        ("/entities?type=House&join=inline&q=in%7Bin%7Bname%7D%7D", "linked"),
        ("/entities?type=House&join=inline&q=in%7Bname", "'}'"),
        ("/entities?type=House&join=inline&q=in.x%7Bname%7D", "only a name"),
    ] {
        client.get(path).await.expect_problem(400, "BadRequestData", detail);
    }
    let limits = NgsildLimits { linked: 5, ..NgsildLimits::default() };
    let client = client_with(NgsildOptions { limits, ..NgsildOptions::default() }).await;
    let mut links = Vec::new();
    for n in 0..10 {
        let id = format!("urn:y:{n}");
        client.create(json!({ "id": id, "type": "Leaf" })).await;
        links.push(id);
    }
    let mut entities = json!([{ "id": "urn:y:root", "type": "Root", "to": { "type": "Relationship", "object": links } }]);
    for n in 0..6 {
        let mut id = String::new();
        write!(id, "urn:z:{n}").unwrap();
        let one = json!({ "id": id, "type": "Stem", "to": link("urn:y:0") });
        entities.as_array_mut().unwrap().push(one);
    }
    client.create(entities).await;
    for path in ["/entities/urn:y:root?join=flat", "/entities/urn:y:root?join=inline"] {
        client.get(path).await.expect_problem(403, "TooManyResults", "linked entities");
    }
    // One entity, but written six times.
    let path = "/entities?type=Stem&limit=4&join=inline";
    client.get(path).await.expect(200);
    let path = "/entities?type=Stem&limit=6&join=inline";
    client.get(path).await.expect_problem(403, "TooManyResults", "linked entities");
}
