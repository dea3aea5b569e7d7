//! Items and single features (OGC 17-069r4, clauses 7.15 to 7.17).

use axum::http::Method;
use cardo_engine::{Caller, Operation};
use serde_json::{Value, json};

use crate::client::{client, client_of_town, id, make};

fn link<'a>(document: &'a Value, rel: &str) -> Option<&'a str> {
    let links = document["links"].as_array().unwrap();
    links.iter().find(|link| link["rel"] == rel).map(|link| link["href"].as_str().unwrap())
}

#[tokio::test]
async fn f20_to_f23_a_page_is_a_feature_collection_with_its_numbers_and_links() {
    let client = client_of_town().await;
    let reply = client.get("/collections/Sensor/items?limit=2").await.expect(200);
    assert_eq!(reply.header("content-type"), "application/geo+json");
    let vary = reply.header("vary");
    assert_eq!(vary, "Accept, NGSILD-Tenant, Cardo-At, Authorization, Accept-Encoding");
    assert_eq!(reply.header("cardo-revision"), "1");
    let mut page = reply.json();
    let stamp = page["timeStamp"].take();
    assert!(stamp.as_str().unwrap().ends_with('Z'), "{stamp}");
    let next = link(&page, "next").unwrap().to_owned();
    let items = "http://city.example:8787/ogc/collections/Sensor/items";
    assert!(next.starts_with(&format!("{items}?limit=2&cursor=1n.")), "{next}");
    let expected: Value = serde_json::from_str(include_str!("golden/sensors.json")).unwrap();
    let links = page["links"].as_array_mut().unwrap();
    links.retain(|link| link["rel"] != "next");
    assert_eq!(page, expected, "{page:#}");
}

#[tokio::test]
async fn f25_links_lead_over_all_pages_and_back_without_losing_or_repeating() {
    let client = client().await;
    let entities = (0..23).map(|n| make("Tree", &n.to_string()).value("n", &n.to_string()).done());
    client.create(entities.collect()).await;
    let (mut forward, mut backward) = (Vec::new(), Vec::new());
    let ids = |page: &Value| -> Vec<i64> {
        let features = page["features"].as_array().unwrap();
        features.iter().map(|f| f["properties"]["n"].as_i64().unwrap()).collect()
    };
    let mut page = client.json("/collections/Tree/items?limit=5").await;
    assert_eq!(link(&page, "prev"), None);
    loop {
        assert_eq!(page["numberMatched"], 23);
        forward.extend(ids(&page));
        let Some(next) = link(&page, "next") else { break };
        page = client.follow(next).await;
    }
    assert_eq!(forward, (0..23).collect::<Vec<_>>());
    while let Some(prev) = link(&page, "prev") {
        page = client.follow(prev).await;
        backward.splice(0..0, ids(&page));
    }
    assert_eq!(backward, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_next_page_stays_where_it_was_when_features_come_and_go() {
    let client = client().await;
    let tree = |n: usize| make("Tree", &n.to_string()).value("n", &n.to_string()).done();
    client.create((0..6).map(tree).collect()).await;
    let page = client.json("/collections/Tree/items?limit=3").await;
    let gone = vec![Operation::Delete(id("Tree:0")), Operation::Delete(id("Tree:3"))];
    client.apply(&Caller::local("test"), gone).await;
    client.create(vec![tree(6)]).await;
    let next = client.follow(link(&page, "next").unwrap()).await;
    let numbers: Vec<_> =
        next["features"].as_array().unwrap().iter().map(|f| f["properties"]["n"].clone()).collect();
    assert_eq!(numbers, [4, 5, 6]);
    assert_eq!(next["numberMatched"], 5);
}

#[tokio::test]
async fn f26_a_limit_above_the_largest_is_the_largest_and_offsets_skip() {
    let client = client().await;
    let trees = (0..12).map(|n| make("Tree", &n.to_string()).value("n", "1").done());
    client.create(trees.collect()).await;
    assert_eq!(client.ids("Tree", "").await.0.len(), 10);
    assert_eq!(client.ids("Tree", "?limit=10001").await.0.len(), 12);
    assert_eq!(client.ids("Tree", "?limit=99999999999999999999999").await.0.len(), 12);
    assert_eq!(client.ids("Tree", "?limit=2&limit=2").await.0, ["0", "1"]);
    assert_eq!(client.ids("Tree", "?offset=10").await, (vec!["10".into(), "11".into()], 12));
    assert_eq!(client.ids("Tree", "?offset=99").await, (vec![], 12));
}

#[tokio::test]
async fn f27_a_box_has_what_meets_it_and_what_has_no_geometry() {
    let client = client_of_town().await;
    let ids = async |bbox: &str| client.ids("Sensor", &format!("?bbox={bbox}")).await.0;
    assert_eq!(ids("24.9,60.1,24.96,60.16").await, ["a", "b", "f"]);
    assert_eq!(ids("24.9,60.1,24.9,60.1").await, ["a", "f"]);
    assert_eq!(ids("0,0,1,1").await, ["f"]);
    assert_eq!(ids("-180,-90,180,90").await, ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(ids("%2024.9000,%2060.1,2.496e1,60.16").await, ["a", "b", "f"]);
    // The corner of a polygon's own box is not the polygon, its border is.
    assert_eq!(client.ids("Building", "?bbox=24.96,60.165,24.961,60.166").await.0, ["1"]);
}

#[tokio::test]
async fn f28_a_box_may_cross_the_antimeridian() {
    let client = client_of_town().await;
    let ids = async |bbox: &str| client.ids("Sensor", &format!("?bbox={bbox}")).await.0;
    assert_eq!(ids("177,-20,-178,-12").await, ["d", "e", "f"]);
    assert_eq!(ids("179.6,-20,-178,-12").await, ["e", "f"]);
    assert_eq!(ids("170,-20,180,-12").await, ["d", "f"]);
}

#[tokio::test]
async fn f30_heights_filter_geometries_that_have_them() {
    let client = client_of_town().await;
    let ids = async |bbox: &str| client.ids("Building", &format!("?bbox={bbox}")).await.0;
    assert_eq!(ids("24,60,0,25,61,100").await, ["1", "2"]);
    assert_eq!(ids("24,60,35.5,25,61,35.5").await, ["1", "2"]);
    assert_eq!(ids("24,60,36,25,61,100").await, ["1"]);
}

#[tokio::test]
async fn f31_f32_f33_a_time_has_what_was_observed_in_it_last_and_what_has_no_time() {
    let client = client_of_town().await;
    let ids = async |text: &str| client.ids("Sensor", &format!("?datetime={text}")).await.0;
    assert_eq!(ids("2026-11-02T10:00:00Z").await, ["b", "f"]);
    assert_eq!(ids("2026-11-02T12:00:00%2B02:00").await, ["b", "f"]);
    assert_eq!(ids("2026-11-02t10:00:00.000z").await, ["b", "f"]);
    assert_eq!(ids("2026-11-02T10:00:00Z/2026-11-03T10:00:00Z").await, ["b", "c", "f"]);
    assert_eq!(ids("2026-11-02T10:00:01Z/..").await, ["c", "d", "e", "f"]);
    assert_eq!(ids("2026-11-05T00:00:00Z/").await, ["e", "f"]);
    assert_eq!(ids("../2026-11-01T10:00:00Z").await, ["a", "f"]);
    assert_eq!(ids("/2026-11-01").await, ["a", "f"]);
    assert_eq!(ids("2026-11-03").await, ["c", "f"]);
    assert_eq!(ids("2026-11-03/2026-11-04").await, ["c", "d", "f"]);
    assert_eq!(ids("2001-01-01").await, ["f"]);
    assert_eq!(ids("2026-11-03/P2D").await, ["c", "d", "f"]);
    assert_eq!(ids("P2D/2026-11-02").await, ["a", "b", "f"]);
    assert_eq!(ids("P2D/2026-11-03T10:00:00Z").await, ["a", "b", "c", "f"]);
    assert_eq!(ids("2026-11-02T10:00:01Z/PT24H").await, ["c", "f"]);
}

#[tokio::test]
async fn f34_f35_properties_are_parameters_and_all_of_them_count() {
    let client = client_of_town().await;
    let ids = async |query: &str| client.ids("Sensor", query).await.0;
    assert_eq!(ids("?temperature=21.5").await, ["a", "c"]);
    assert_eq!(ids("?temperature=2.15e1&active=true").await, ["a"]);
    assert_eq!(ids("?temperature=2.15e1&active=1").await, ["a"]);
    assert_eq!(ids("?active=0").await, ids("?active=false").await);
    assert_eq!(ids("?active=false").await, ["b"]);
    assert_eq!(ids("?name=sensor+c").await, ["c"]);
    assert_eq!(ids("?name=sensor").await, Vec::<String>::new());
    assert_eq!(ids("?refDistrict=urn:ngsi-ld:District:1&limit=1").await, ["a"]);
    assert_eq!(ids("?id=urn:ngsi-ld:Sensor:d").await, ["d"]);
    assert_eq!(ids("?temperature__observedAt=2026-11-04T10:00:00Z").await, ["d"]);
    assert_eq!(
        ids("?temperature=21.5&bbox=24.9,60.1,24.96,60.16&datetime=2026-11-01").await,
        ["a"]
    );
}

#[tokio::test]
async fn links_to_other_pages_keep_the_question() {
    let client = client_of_town().await;
    let page = client.json("/collections/Sensor/items?limit=1&bbox=24,60,26,61").await;
    let next = link(&page, "next").unwrap();
    assert!(next.contains("bbox=24,60,26,61"), "{next}");
    let next = client.follow(next).await;
    assert_eq!(next["features"][0]["id"], "urn:ngsi-ld:Sensor:b");
    assert_eq!(next["numberMatched"], 4);
}

#[tokio::test]
async fn f37_f38_a_feature_stands_below_its_collection() {
    let client = client_of_town().await;
    let reply = client.get("/collections/Sensor/items/urn:ngsi-ld:Sensor:a").await.expect(200);
    assert_eq!(reply.header("content-type"), "application/geo+json");
    let expected: Value = serde_json::from_str(include_str!("golden/sensor.json")).unwrap();
    assert_eq!(reply.json(), expected, "{:#}", reply.json());
    let encoded = client.json("/collections/Sensor/items/urn%3Angsi-ld%3ASensor%3Aa").await;
    assert_eq!(encoded["id"], "urn:ngsi-ld:Sensor:a");
}

#[tokio::test]
async fn f38_an_id_with_slashes_may_be_glued_to_the_address_of_the_features() {
    let client = client().await;
    let tree = |name| make("Tree", name).value("height", "20").done();
    client.create(vec![tree("way/1"), tree("2")]).await;
    let items = "/collections/Tree/items";
    for id in ["urn:ngsi-ld:Tree:way/1", "urn:ngsi-ld:Tree:way%2F1", "urn:ngsi-ld:Tree:way/1/"] {
        let feature = client.json(&format!("{items}/{id}")).await;
        assert_eq!(feature["id"], "urn:ngsi-ld:Tree:way/1", "{id}");
    }
    let reply = client.get("/features/urn:ngsi-ld:Tree:way/1").await.expect(303);
    assert!(reply.header("location").ends_with("/items/urn:ngsi-ld:Tree:way%2F1"));
    let address = format!("/ogc{items}/urn:ngsi-ld:Tree:way/1");
    client.send(Method::OPTIONS, &address, &[]).await.expect(200);
    client.send(Method::DELETE, &address, &[]).await.expect(204);
    client.get(&format!("{items}/urn:ngsi-ld:Tree:way/1")).await.expect(404);
    client.get(&format!("{items}/")).await.expect(200);
}

#[tokio::test]
async fn an_entity_of_two_types_is_in_both_collections() {
    let client = client().await;
    let mut entity = make("Tree", "1").value("height", "20").done();
    entity.types.push(crate::client::iri("Monument"));
    client.create(vec![entity]).await;
    for collection in ["Tree", "Monument"] {
        let path = format!("/collections/{collection}/items/urn:ngsi-ld:Tree:1");
        assert_eq!(client.json(&path).await["properties"], json!({ "height": 20 }));
        assert_eq!(client.ids(collection, "?height=20").await.1, 1);
    }
}

#[tokio::test]
async fn a_write_is_seen_by_the_next_request() {
    let client = client_of_town().await;
    client.create(vec![make("Sensor", "g").value("temperature", "99").done()]).await;
    assert_eq!(client.ids("Sensor", "?temperature=99").await.0, ["g"]);
    client.create(vec![make("Bench", "1").value("seats", "3").done()]).await;
    assert_eq!(client.ids("Bench", "?seats=3").await.0, ["1"]);
}
