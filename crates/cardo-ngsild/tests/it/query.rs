use serde_json::json;

use crate::client::{Client, client};

async fn city() -> Client {
    let client = client().await;
    let entities: Vec<_> = (0..30)
        .map(|n| {
            json!({
                "id": format!("urn:x:{n:02}"),
                "type": if n % 2 == 0 { "Sensor" } else { "Lamp" },
                "scope": format!("/City/D{}", n % 3),
                "n": { "type": "Property", "value": n },
                "location": { "type": "GeoProperty", "value": { "type": "Point", "coordinates": [24.0 + f64::from(n) / 100.0, 60.0] } }
            })
        })
        .collect();
    client.post("/entityOperations/create", json!(entities)).await.expect(201);
    client
}

#[tokio::test]
async fn entities_are_found_by_type_id_and_pattern() {
    let client = city().await;
    assert_eq!(
        client.get("/entities?type=Sensor&limit=3").await.expect(200).ids(),
        ["urn:x:00", "urn:x:02", "urn:x:04"]
    );
    assert_eq!(
        client.get("/entities?type=Sensor,Lamp&id=urn:x:05,urn:x:04").await.ids(),
        ["urn:x:04", "urn:x:05"]
    );
    assert_eq!(
        client.get("/entities?type=*&idPattern=%5Eurn:x:1%5B01%5D$").await.ids(),
        ["urn:x:10", "urn:x:11"]
    );
    assert_eq!(client.get("/entities?local=true&limit=2").await.ids(), ["urn:x:00", "urn:x:01"]);
}

#[tokio::test]
async fn entities_are_found_by_values_scopes_and_places() {
    let client = city().await;
    assert_eq!(client.get("/entities?q=n%3E26").await.ids(), ["urn:x:27", "urn:x:28", "urn:x:29"]);
    assert_eq!(client.get("/entities?type=Lamp&q=n%3C4;n!=1").await.ids(), ["urn:x:03"]);
    assert_eq!(
        client.get("/entities?attrs=n&scopeQ=/City/D0&limit=2").await.ids(),
        ["urn:x:00", "urn:x:03"]
    );
    let near = "/entities?georel=near;maxDistance==700&geometry=Point&coordinates=%5B24.0,60.0%5D";
    assert_eq!(client.get(near).await.expect(200).ids(), ["urn:x:00", "urn:x:01"]);
    let within = "/entities?georel=within&geometry=Polygon&coordinates=%5B%5B%5B24.045,59%5D,%5B24.065,59%5D,%5B24.065,61%5D,%5B24.045,61%5D,%5B24.045,59%5D%5D%5D";
    assert_eq!(client.get(within).await.expect(200).ids(), ["urn:x:05", "urn:x:06"]);
    assert_eq!(client.get("/entities?type=None").await.expect(200).json(), json!([]));
}

#[tokio::test]
async fn pages_point_to_one_another() {
    let client = city().await;
    let reply = client.get("/entities?type=Sensor&limit=5&offset=5&count=true").await.expect(200);
    assert_eq!(reply.header("ngsild-results-count"), "15");
    let links: Vec<_> =
        reply.headers.get_all("link").iter().map(|link| link.to_str().unwrap()).collect();
    let link = |rel: &str| {
        let found = links.iter().find(|link| link.contains(&format!("rel=\"{rel}\"")));
        let link = found.unwrap_or_else(|| panic!("no {rel} in {links:?}"));
        link.strip_prefix("</ngsi-ld/v1").unwrap().split('>').next().unwrap().to_owned()
    };
    assert_eq!(link("next"), "/entities?count=true&limit=5&offset=10&type=Sensor");
    let next = client.get(&link("next")).await.expect(200);
    assert_eq!(next.ids()[0], "urn:x:20");
    assert!(
        !next.headers.get_all("link").iter().any(|link| link.to_str().unwrap().contains("next"))
    );
    assert_eq!(client.get(&link("prev")).await.ids()[0], "urn:x:00");
    let count = client.get("/entities?type=Sensor&limit=0&count=true").await.expect(200);
    assert_eq!((count.text.as_str(), count.header("ngsild-results-count")), ("[]", "15"));
}

#[tokio::test]
async fn questions_that_are_too_wide_or_wrong_are_refused() {
    let client = city().await;
    for (path, detail) in [
        ("/entities", "too wide"),
        ("/entities?id=urn:x:01", "too wide"),
        ("/entities?idPattern=.*", "too wide"),
        ("/entities?q=createdAt%3E2000-01-01T00:00:00Z", "too wide"),
        ("/entities?type=*&local=false", "local"),
        ("/entities?type=Sensor&limit=0", "limit=0"),
        ("/entities?type=Sensor&limit=-1", "limit"),
        ("/entities?type=Sensor&offset=x", "offset"),
        ("/entities?type=Sensor&count=maybe", "count"),
        ("/entities?type=Sensor&id=nonsense", "nonsense"),
        ("/entities?type=Sensor&idPattern=%5B", "regular expression"),
        ("/entities?type=Sensor&q=n%3E", "expected"),
        ("/entities?georel=near&geometry=Point&coordinates=%5B1,2%5D", "near"),
        (
            "/entities?georel=within&geometry=Polygon&coordinates=%5B%5B%5B0,0%5D,%5B1,0%5D,%5B1,1%5D%5D%5D",
            "not closed",
        ),
        ("/entities?georel=equals&geometry=Point&coordinates=%5B0,91%5D", "globe"),
    ] {
        client.get(path).await.expect_problem(400, "BadRequestData", detail);
    }
    client.get("/entities?type=Sensor&limit=1001").await.expect_problem(
        403,
        "TooManyResults",
        "1001",
    );
    client.get("/entities?typ=Sensor").await.expect_problem(400, "InvalidRequest", "typ");
    client.get("/entities?type=Sensor&csf=))").await.expect_problem(
        400,
        "BadRequestData",
        "expected",
    );
    client.get("/entities?type=Sensor&csf=n").await.expect(200);
}

#[tokio::test]
async fn a_question_may_be_posted() {
    let client = city().await;
    let question = json!({
        "type": "Query",
        "entities": [{ "type": "Sensor", "idPattern": "^urn:x:0" }, { "type": "Lamp", "id": ["urn:x:01"] }],
        "q": "n<5",
        "pick": ["id", "n"]
    });
    let reply =
        client.post("/entityOperations/query?limit=10&count=true", question).await.expect(200);
    assert_eq!(reply.ids(), ["urn:x:00", "urn:x:01", "urn:x:02", "urn:x:04"]);
    assert_eq!(
        reply.json()[0],
        json!({ "id": "urn:x:00", "n": { "type": "Property", "value": 0 } })
    );
    assert_eq!(reply.header("ngsild-results-count"), "4");
    let geo = json!({
        "type": "Query",
        "geoQ": { "georel": "near;maxDistance==10", "geometry": "Point", "coordinates": [24.07, 60.0] }
    });
    assert_eq!(client.post("/entityOperations/query", geo).await.expect(200).ids(), ["urn:x:07"]);
    for (question, detail) in [
        (json!({ "entities": [{ "type": "T" }] }), "Query"),
        (json!({ "type": "Query" }), "too wide"),
        (json!({ "type": "Query", "entities": [] }), "empty"),
        (json!({ "type": "Query", "entities": [{ "id": "urn:x:1" }] }), "type"),
        (json!({ "type": "Query", "entities": [{ "type": "T" }], "what": 1 }), "what"),
    ] {
        client.post("/entityOperations/query", question).await.expect_problem(
            400,
            "BadRequestData",
            detail,
        );
    }
}
