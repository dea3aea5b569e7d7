//! Every resource is a page as well.

use axum::http::Method;

use crate::client::client_of_town;

const PATHS: [&str; 9] = [
    "",
    "/conformance",
    "/api",
    "/collections",
    "/collections/Sensor",
    "/collections/Sensor/queryables",
    "/collections/Sensor/schema",
    "/collections/Sensor/items",
    "/collections/Sensor/items/urn:ngsi-ld:Sensor:a",
];

#[tokio::test]
async fn f19_every_resource_is_a_page_that_links_its_json_and_needs_nothing_from_outside() {
    let client = client_of_town().await;
    for path in PATHS {
        let page = client.page(path).await;
        assert!(page.starts_with("<!doctype html>"), "{path}");
        assert!(page.contains(&format!("/ogc{path}?f=json")), "{path}");
        for address in page.split(['"', '\'', '(']).filter(|part| part.contains("://")) {
            let is_own = address.starts_with("http://city.example:8787/ogc");
            assert!(is_own || !page.contains(&format!("src=\"{address}\"")), "{path}: {address}");
        }
        let as_parameter = client.get(&format!("{path}?f=html")).await.expect(200);
        assert!(as_parameter.header("content-security-policy").contains("default-src 'none'"));
    }
}

#[tokio::test]
async fn g4_the_parameter_wins_over_accept_and_without_both_it_is_json() {
    let client = client_of_town().await;
    for path in PATHS {
        let json = client.get(path).await.expect(200);
        assert!(json.header("content-type").contains("json"), "{path}");
        let path = format!("/ogc{path}?f=json");
        let reply = client.send(Method::GET, &path, &[("accept", "text/html")]).await.expect(200);
        assert!(reply.header("content-type").contains("json"), "{path}");
    }
}

#[tokio::test]
async fn f41_the_page_of_features_shows_them_on_a_map_and_in_a_table() {
    let client = client_of_town().await;
    let page = client.page("/collections/Sensor/items?limit=3").await;
    assert_eq!(page.matches("<circle").count(), 3);
    assert!(page.contains("6 features match; these are the first 3"), "{page}");
    assert!(page.contains("Next page"));
    assert!(page.contains("sensor a") && page.contains("21.5"));
    let building = client.page("/collections/Building/items/urn:ngsi-ld:Building:1").await;
    assert!(building.contains("<path class=\"shape\""));
}

#[tokio::test]
async fn what_data_say_is_never_markup() {
    let client = client_of_town().await;
    let page = client.page("/collections/Sensor/items/urn:ngsi-ld:Sensor:f").await;
    assert!(page.contains("no place &amp; &lt;no&gt; time"));
    let path = "/ogc/collections/Sensor/items?name=%22%3E%3Cscript%3E";
    let page = client.send(Method::GET, path, &[("accept", "text/html")]).await.expect(200);
    assert!(!page.text.contains("\"><script>"));
}

#[tokio::test]
async fn a_browser_is_told_of_errors_in_a_page() {
    let client = client_of_town().await;
    let get =
        |path: &'static str| client.send(Method::GET, path, &[("accept", "text/html,*/*;q=0.8")]);
    let page = get("/ogc/collections/Sensor/items?bbox=%3Cb%3E").await.expect(400);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text.contains("&lt;b&gt;"), "{}", page.text);
    get("/ogc/nowhere").await.expect(404);
}

#[tokio::test]
async fn a_page_that_refuses_leads_back_to_the_tenant_it_was_asked_of() {
    let client = client_of_town().await;
    let html = [("accept", "text/html")];
    for (path, root) in [
        ("/ogc/nothing", "http://city.example:8787/ogc"),
        ("/tenants/north/ogc/nothing", "http://city.example:8787/tenants/north/ogc"),
    ] {
        let reply = client.send(Method::GET, path, &html).await.expect(404);
        assert!(reply.text.contains(&format!("<a href=\"{root}?f=html\">")), "{}", reply.text);
        assert!(reply.text.contains(&format!("\"{root}/assets/pages.js\"")), "{}", reply.text);
    }
}

#[tokio::test]
async fn each_encoding_of_a_revision_has_its_tag() {
    let client = client_of_town().await;
    let items = "/ogc/collections/Sensor/items";
    let first = client.send(Method::GET, items, &[]).await.expect(200);
    let tag = first.header("etag");
    assert!(tag.starts_with("W/\"1-"), "{tag}");
    let known = ("if-none-match", tag);
    for path in [items, "/ogc/collections/Sensor/items/"] {
        let same = client.send(Method::GET, path, &[known]).await.expect(304);
        assert!(same.text.is_empty() && same.header("content-type").is_empty());
        assert_eq!(same.header("cardo-revision"), "1");
    }
    let page = client.send(Method::GET, items, &[known, ("accept", "text/html")]).await.expect(200);
    assert_ne!(page.header("etag"), tag);
    let refused = client.send(Method::GET, "/ogc/nothing", &[("if-none-match", "*")]).await;
    assert!(refused.expect(404).header("etag").is_empty());
}
