//! Sorting of features (OGC 24-030) and what can be sorted by (OGC 23-058r2, clause 12).

use cardo_engine::{Caller, Operation};
use serde_json::{Value, json};

use crate::client::{Client, client, client_of_town, id, make};

async fn sorted(client: &Client, by: &str) -> Vec<String> {
    client.ids("Sensor", &format!("?sortby={by}")).await.0
}

#[tokio::test]
async fn p5_2_features_are_sorted_by_several_keys_each_in_its_direction() {
    let client = client_of_town().await;
    // a and c are as warm as one another; f has no temperature and stands last both ways.
    assert_eq!(sorted(&client, "temperature").await, ["b", "a", "c", "e", "d", "f"]);
    assert_eq!(sorted(&client, "+temperature").await, ["b", "a", "c", "e", "d", "f"]);
    assert_eq!(sorted(&client, "%2Btemperature").await, ["b", "a", "c", "e", "d", "f"]);
    assert_eq!(sorted(&client, "-temperature").await, ["d", "e", "a", "c", "b", "f"]);
    assert_eq!(sorted(&client, "temperature,-id").await, ["b", "c", "a", "e", "d", "f"]);
    assert_eq!(sorted(&client, "-active,-name").await, ["a", "b", "e", "d", "c", "f"]);
    assert_eq!(sorted(&client, "-temperature__observedAt").await, ["e", "d", "c", "b", "a", "f"]);
    assert_eq!(sorted(&client, "createdAt,id").await, ["a", "b", "c", "d", "e", "f"]);
    let filtered = "-temperature&filter=temperature%3E0&limit=2&offset=1";
    assert_eq!(sorted(&client, filtered).await, ["e", "a"]);
}

fn link(page: &Value, rel: &str) -> Option<String> {
    let links = page["links"].as_array().unwrap();
    let link = links.iter().find(|link| link["rel"] == rel)?;
    Some(link["href"].as_str().unwrap().to_owned())
}

fn names(page: &Value) -> Vec<String> {
    let features = page["features"].as_array().unwrap().iter();
    features.map(|feature| feature["id"].as_str().unwrap()[17..].to_owned()).collect()
}

/// All pages by the links to the next, and back by those to the page before.
async fn there_and_back(client: &Client, query: &str) -> [Vec<String>; 2] {
    let mut page = client.json(&format!("/collections/Tree/items?{query}")).await;
    let mut there = names(&page);
    while let Some(next) = link(&page, "next") {
        page = client.follow(&next).await;
        there.extend(names(&page));
    }
    let mut back = names(&page);
    while let Some(prev) = link(&page, "prev") {
        page = client.follow(&prev).await;
        back.splice(0..0, names(&page));
    }
    [there, back]
}

#[tokio::test]
async fn p5_2_links_lead_over_all_sorted_pages_and_back() {
    let client = client().await;
    let tree = |n: usize| {
        let tree = make("Tree", &format!("{n:02}")).value("height", &(n * 7 % 5).to_string());
        let tree = tree.value("kind", &json!(["oak", "Ä.%&+ ", "ash"][n % 3]).to_string());
        if n.is_multiple_of(4) { make("Tree", &format!("{n:02}")).value("n", "1") } else { tree }
            .done()
    };
    client.create((0..23).map(tree).collect()).await;
    for by in ["height", "-height,kind", "-kind,height,-id", "n", "modifiedAt,-id"] {
        let whole = client.json(&format!("/collections/Tree/items?limit=50&sortby={by}")).await;
        let whole = names(&whole);
        assert_eq!(whole.len(), 23);
        for limit in [1, 5] {
            let [there, back] =
                there_and_back(&client, &format!("sortby={by}&limit={limit}")).await;
            assert_eq!((&there, &back), (&whole, &whole), "{by} by {limit}");
        }
    }
}

#[tokio::test]
async fn p5_2_texts_too_long_for_an_address_are_paged_by_offset() {
    let client = client().await;
    let tree = |n: usize| {
        let text = format!("{}{n}", "ä".repeat(400));
        make("Tree", &format!("{n:02}")).value("text", &json!(text).to_string()).done()
    };
    client.create((0..7).map(tree).collect()).await;
    let page = client.json("/collections/Tree/items?limit=2&sortby=-text").await;
    assert!(link(&page, "next").unwrap().ends_with("&limit=2&offset=2"));
    let [there, back] = there_and_back(&client, "limit=2&sortby=-text").await;
    let expected: Vec<String> = (0..7).rev().map(|n| format!("{n:02}")).collect();
    assert_eq!((&there, &back), (&expected, &expected));
}

#[tokio::test]
async fn p5_2_a_sorted_page_stays_where_it_was_when_features_come_and_go() {
    let client = client().await;
    let tree = |n: usize| make("Tree", &format!("{n:02}")).value("n", &n.to_string()).done();
    client.create((1..7).map(tree).collect()).await;
    let page = client.json("/collections/Tree/items?limit=3&sortby=-n").await;
    assert_eq!(names(&page), ["06", "05", "04"]);
    // The last of the page goes, and one that belongs onto it comes.
    client.apply(&Caller::local("test"), vec![Operation::Delete(id("Tree:04"))]).await;
    client.create(vec![tree(9)]).await;
    let next = client.follow(&link(&page, "next").unwrap()).await;
    assert_eq!(names(&next), ["03", "02", "01"]);
}

#[tokio::test]
async fn p5_2_the_sortables_are_listed_and_linked() {
    let client = client_of_town().await;
    client.create(vec![make("Sensor", "g").value("tags", "[1]").value("any", "{}").done()]).await;
    let collection = client.json("/collections/Sensor").await;
    let own = link(&collection, "http://www.opengis.net/def/rel/ogc/1.0/sortables").unwrap();
    let reply = client.get("/collections/Sensor/sortables").await.expect(200);
    assert_eq!(reply.header("content-type"), "application/schema+json");
    let sortables = reply.json();
    assert_eq!(sortables["$id"], own);
    assert_eq!(sortables["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(sortables["additionalProperties"], false);
    let properties = sortables["properties"].as_object().unwrap();
    let names: Vec<_> = properties.keys().map(String::as_str).collect();
    let columns = ["id", "active", "name", "refDistrict", "temperature", "temperature__observedAt"];
    assert_eq!(names, [&columns[..], &["createdAt", "modifiedAt", "expiresAt"]].concat());
    for (name, schema) in properties {
        let kind = schema["type"].as_str().unwrap();
        assert!(["string", "number", "boolean"].contains(&kind), "{name}: {schema}");
        client.ids("Sensor", &format!("?sortby=-{name}")).await;
    }
    let page = client.page("/collections/Sensor/sortables").await;
    assert!(page.contains("<th>temperature</th>") && !page.contains("<th>location</th>"));
}

#[tokio::test]
async fn p5_2_an_order_that_cannot_be_is_refused() {
    let client = client_of_town().await;
    let many = ["temperature"; 9].join(",");
    for (by, says) in [
        (
            "nope",
            "\"nope\" is no property here; there are id, createdAt, modifiedAt, expiresAt, active",
        ),
        ("location", "\"location\" is no property here"),
        ("geometry", "\"geometry\" is no property here"),
        ("type", "\"type\" is no property here"),
        ("scope", "\"scope\" is no property here"),
        ("", "\"\" is no property here"),
        ("name,", "\"\" is no property here"),
        ("--name", "\"-name\" is no property here"),
        ("name,-name", "sortby names \"name\" twice"),
        (&many, "twice"),
        ("name&cursor=1n.1.1.1", "belongs to another question"),
    ] {
        let reply = client.get(&format!("/collections/Sensor/items?sortby={by}")).await.expect(400);
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says), "{by}: {detail}");
    }
    // A cursor is of one order.
    let page = client.json("/collections/Sensor/items?sortby=name&limit=1").await;
    let next = link(&page, "next").unwrap();
    let other = next.replace("sortby=name", "sortby=-name");
    let path = other.strip_prefix("http://city.example:8787/ogc").unwrap();
    client.get(path).await.expect(400);
    for broken in [next.rsplit_once('.').unwrap().0.to_owned(), format!("{next}.m")] {
        let path = broken.strip_prefix("http://city.example:8787/ogc").unwrap();
        client.get(path).await.expect(400);
    }
}
