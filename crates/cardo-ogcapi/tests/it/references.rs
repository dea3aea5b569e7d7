//! References to other features, and profiles of them (OGC 23-058r2, clauses 9, 13 and 14).

use axum::http::Method;
use cardo_engine::{Caller, Operation};
use cardo_model::{Instance, Value as AnyValue};
use serde_json::{Value, json};

use crate::client::{Client, client, client_of_town, id, iri, make};

const ROOT: &str = "http://city.example:8787/ogc";

fn profile(name: &str) -> String {
    format!("http://www.opengis.net/def/profile/OGC/0/{name}")
}

/// Trees in districts, of which one has no name, and one tree that stands in none that is known.
async fn client_of_trees() -> Client {
    let client = client().await;
    let tree = |name: &str, of: &str| {
        make("Tree", name).value("height", "12").relation("district", of).done()
    };
    client
        .create(vec![
            make("District", "1").value("name", "\"Old \\\"Town\\\"\"").done(),
            make("District", "2").value("area", "3").done(),
            tree("a", "District:1"),
            tree("b", "District:2"),
        ])
        .await;
    client
}

async fn property(client: &Client, collection: &str, name: &str) -> Value {
    let schema = client.json(&format!("/collections/{collection}/schema")).await;
    schema["properties"][name].clone()
}

fn profiles_of(document: &Value) -> Vec<&str> {
    let links = document["links"].as_array().unwrap().iter();
    links.filter(|link| link["rel"] == "profile").map(|l| l["href"].as_str().unwrap()).collect()
}

/// `/req/references/role-reference`.
#[tokio::test]
async fn p5_1_a_reference_names_the_collection_that_all_lead_to_or_a_template() {
    let client = client_of_trees().await;
    let district = property(&client, "Tree", "district").await;
    assert_eq!(district["type"], "string");
    assert_eq!(district["x-ogc-role"], "reference");
    assert_eq!(district["x-ogc-collectionId"], "District");
    assert_eq!(district.get("x-ogc-uriTemplate"), None);
    // A tree that refers to another tree, and one that refers to what nobody knows.
    for other in ["Tree:a", "District:9"] {
        let tree = make("Tree", "c").value("height", "1").relation("district", other).done();
        client.create(vec![tree]).await;
        let district = property(&client, "Tree", "district").await;
        let template = format!("{ROOT}/features/{{resourceId}}");
        assert_eq!(district["x-ogc-uriTemplate"], *template);
        assert_eq!(district.get("x-ogc-collectionId"), None);
        client.apply(&Caller::local("test"), vec![Operation::Delete(id("Tree:c"))]).await;
        assert_eq!(property(&client, "Tree", "district").await["x-ogc-collectionId"], "District");
    }
}

/// `/req/references/role-reference`, A.
#[tokio::test]
async fn p5_1_a_list_of_references_has_no_role() {
    let client = client().await;
    let both = AnyValue::relationships(&[id("Stop:1"), id("Stop:2")]);
    client.create(vec![make("Line", "1").instance("stops", Instance::new(both)).done()]).await;
    let stops = property(&client, "Line", "stops").await;
    assert_eq!(stops["type"], "array");
    assert_eq!(stops.get("x-ogc-role"), None);
}

#[tokio::test]
async fn p5_4_a_feature_is_found_by_its_id_alone() {
    let client = client_of_trees().await;
    let to = async |path: &str| client.get(path).await;
    let reply = to("/features/urn:ngsi-ld:Tree:a?f=jsonfg").await.expect(303);
    let place = format!("{ROOT}/collections/Tree/items/urn:ngsi-ld:Tree:a?f=jsonfg");
    assert_eq!(reply.header("location"), place);
    assert_eq!(client.follow(reply.header("location")).await["featureType"], "Tree");
    to("/features/urn:ngsi-ld:Tree:nobody").await.expect(404);
    to("/features/no%20id").await.expect(404);
    to("/features/urn:ngsi-ld:Tree:a?limit=1").await.expect(400);
}

/// `/req/profile-references/rel-as-key`, `rel-as-uri`, `rel-as-link`.
#[tokio::test]
async fn p5_4_references_are_ids_addresses_or_links_as_the_profile_says() {
    let client = client_of_trees().await;
    let address = |n: u8| format!("{ROOT}/collections/District/items/urn:ngsi-ld:District:{n}");
    for (query, name, first, second) in [
        ("", "rel-as-key", json!("urn:ngsi-ld:District:1"), json!("urn:ngsi-ld:District:2")),
        ("?profile=rel-as-uri", "rel-as-uri", json!(address(1)), json!(address(2))),
        (
            "?profile=rel-as-link",
            "rel-as-link",
            json!({ "href": address(1), "title": "Old \"Town\"" }),
            json!({ "href": address(2) }),
        ),
    ] {
        let page = client.json(&format!("/collections/Tree/items{query}")).await;
        assert_eq!(page["features"][0]["properties"]["district"], first);
        assert_eq!(page["features"][1]["properties"]["district"], second);
        assert_eq!(profiles_of(&page), [profile("rfc7946"), profile(name)]);
        let path = format!("/collections/Tree/items/urn:ngsi-ld:Tree:b{query}");
        let reply = client.get(&path).await.expect(200);
        assert_eq!(reply.json()["properties"]["district"], second);
        assert_eq!(profiles_of(&reply.json()), [profile("rfc7946"), profile(name)]);
        let headers = reply.headers.get_all("link").iter();
        let headers: Vec<&str> = headers.map(|value| value.to_str().unwrap()).collect();
        assert!(headers.contains(&&*format!("<{}>; rel=\"profile\"", profile(name))));
    }
    // What is no reference stays as it is.
    let page = client.json("/collections/Tree/items?profile=rel-as-uri").await;
    assert_eq!(page["features"][0]["properties"]["height"], 12);
}

#[tokio::test]
async fn p5_4_what_is_not_in_the_twin_has_the_address_where_it_would_be_found() {
    let client = client_of_town().await;
    let page = client.json("/collections/Sensor/items?limit=1&profile=rel-as-uri").await;
    let address = page["features"][0]["properties"]["refDistrict"].as_str().unwrap().to_owned();
    assert_eq!(address, format!("{ROOT}/features/urn:ngsi-ld:District:1"));
    client.create(vec![make("District", "1").value("area", "3").done()]).await;
    let path = address.strip_prefix("http://city.example:8787").unwrap();
    client.send(Method::GET, path, &[]).await.expect(303);
    // An id that is an address already is one.
    let web = cardo_model::EntityId::new("https://other.example/d/7").unwrap();
    let value = AnyValue::relationship(&web);
    let mut sensor = make("Sensor", "w").done();
    sensor.attributes.push(cardo_model::Attribute::new(iri("refDistrict"), Instance::new(value)));
    client.create(vec![sensor]).await;
    let path = "/collections/Sensor/items/urn:ngsi-ld:Sensor:w?profile=rel-as-link";
    let link = client.json(path).await["properties"]["refDistrict"].clone();
    assert_eq!(link, json!({ "href": "https://other.example/d/7" }));
}

#[tokio::test]
async fn p5_4_profiles_are_combined_kept_on_other_pages_and_in_large_answers() {
    let client = client_of_trees().await;
    let both = "profile=jsonfg,rel-as-uri&limit=1";
    let page = client.json(&format!("/collections/Tree/items?{both}")).await;
    assert_eq!(profiles_of(&page), [profile("jsonfg"), profile("rel-as-uri")]);
    let next = page["links"].as_array().unwrap().iter().find(|link| link["rel"] == "next");
    let page = client.follow(next.unwrap()["href"].as_str().unwrap()).await;
    assert_eq!(page["featureType"], "Tree");
    let district = page["features"][0]["properties"]["district"].as_str().unwrap();
    assert!(district.starts_with(ROOT), "{district}");
    let by_address = format!("profile={}", profile("rel-as-uri").replace(':', "%3A"));
    let page = client.json(&format!("/collections/Tree/items?{by_address}")).await;
    assert_eq!(profiles_of(&page)[1], profile("rel-as-uri"));
    let many = (0..1_500).map(|n| {
        make("Leaf", &n.to_string()).relation("tree", "Tree:a").value("n", &n.to_string()).done()
    });
    client.create(many.collect()).await;
    let page = client.json("/collections/Leaf/items?limit=2000&profile=rel-as-uri").await;
    let tree = format!("{ROOT}/collections/Tree/items/urn:ngsi-ld:Tree:a");
    let leaves = page["features"].as_array().unwrap();
    assert_eq!(leaves.len(), 1_500);
    assert!(leaves.iter().all(|leaf| leaf["properties"]["tree"] == *tree));
}

#[tokio::test]
async fn p5_4_an_encoding_without_a_profile_has_the_default_and_says_so() {
    let client = client_of_trees().await;
    let path = "/collections/Tree/items?f=csv&profile=rel-as-link";
    let reply = client.get(path).await.expect(200);
    assert!(reply.text.contains("urn:ngsi-ld:District:1") && !reply.text.contains("href"));
    let links = reply.headers.get_all("link").iter();
    let links: Vec<&str> = links.map(|value| value.to_str().unwrap()).collect();
    let default = format!("<{}>; rel=\"profile\"", profile("rel-as-key"));
    assert!(links.contains(&default.as_str()), "{links:?}");
    let page = client.page("/collections/Tree/items").await;
    let anchor = "items/urn:ngsi-ld:District:1\">Old &quot;Town&quot;</a>";
    assert!(page.contains(anchor), "{page}");
    // What is not known makes no difference, and what is no profile at all is refused.
    let reply = client.get("/collections/Tree/items?profile=gml,rel-as-uri,http://a.b/c").await;
    assert!(reply.expect(200).text.contains("/items/urn:ngsi-ld:District:1\""));
    let refused = client.get("/collections/Tree/items?profile=rel-as-key,").await.expect(400);
    assert!(refused.text.contains("rel-as-key, rel-as-uri, rel-as-link"), "{}", refused.text);
}

#[tokio::test]
async fn p5_4_a_link_follows_the_name_of_what_it_leads_to() {
    let client = client_of_trees().await;
    let path = "/ogc/collections/Tree/items/urn:ngsi-ld:Tree:b?profile=rel-as-link";
    let before = client.send(Method::GET, path, &[]).await.expect(200);
    let tag = before.header("etag").to_owned();
    client.send(Method::GET, path, &[("if-none-match", &tag)]).await.expect(304);
    let body = json!({ "properties": { "name": "New Town" } }).to_string();
    let patch = ("content-type", "application/merge-patch+json");
    let district = "/ogc/collections/District/items/urn:ngsi-ld:District:2";
    client.write(Method::PATCH, district, &[patch], &body).await.expect(204);
    let after = client.send(Method::GET, path, &[("if-none-match", &tag)]).await.expect(200);
    assert_eq!(after.json()["properties"]["district"]["title"], "New Town");
}
