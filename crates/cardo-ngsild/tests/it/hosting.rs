//! Contexts that the server stores and serves (clause 5.13).

use std::sync::Arc;

use axum::http::Method;
use cardo_ngsild::{NgsildLimits, NgsildOptions};
use cardo_store::MemoryStore;
use serde_json::{Value, json};

use crate::client::{Asking, Client, Documents, Reply, client, client_over, client_with};

const OTHER: &str = "https://example.org/context.jsonld";
const DOCUMENT: &str = r#"{"@context": {"t": "https://example.org/t"}}"#;
const CORE: &str = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context";
const HERE: &str = "http://twin.example";

fn options(documents: &Arc<Documents>) -> NgsildOptions {
    NgsildOptions { contexts: documents.clone(), ..NgsildOptions::default() }
}

/// A client of a server that finds one context elsewhere.
async fn with_other() -> (Client, Arc<Documents>) {
    let documents = Arc::new(Documents::default());
    documents.by_url.lock().insert(OTHER.to_owned(), DOCUMENT.to_owned());
    (client_with(options(&documents)).await, documents)
}

fn link(url: &str) -> String {
    format!(r#"<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json""#)
}

fn encoded(id: &str) -> String {
    id.replace(':', "%3A").replace('/', "%2F")
}

fn of<'a>(client: &'a Client, method: Method, path: &str, tenant: &str) -> Asking<'a> {
    let asking = client.ask(method, path).header("host", "twin.example");
    if tenant.is_empty() { asking } else { asking.header("ngsild-tenant", tenant) }
}

/// Hosts a context; its path.
async fn add(client: &Client, tenant: &str, context: Value) -> String {
    let asking = of(client, Method::POST, "/jsonldContexts", tenant);
    let reply = asking.json(&json!({ "@context": context })).send().await.expect(201);
    assert_eq!(reply.text, "");
    let path = reply.header("location");
    path.strip_prefix("/ngsi-ld/v1").unwrap().to_owned()
}

/// Creates an entity with the attribute `t` under a context; what the attribute is called then.
async fn name_of_t(client: &Client, tenant: &str, url: &str) -> String {
    let id = "urn:x:named";
    of(client, Method::DELETE, &format!("/entities/{id}"), tenant).send().await;
    let entity =
        json!({ "id": id, "type": "T", "t": { "type": "Property", "value": 1 }, "@context": url });
    let asking = of(client, Method::POST, "/entities", tenant);
    asking.json_ld(&entity).send().await.expect(201);
    let reply = of(client, Method::GET, &format!("/entities/{id}"), tenant).send().await;
    let entity = reply.expect(200).json();
    let names = entity.as_object().unwrap().keys();
    names.filter(|name| !matches!(name.as_str(), "id" | "type")).cloned().collect()
}

async fn get(client: &Client, tenant: &str, path: &str) -> Reply {
    of(client, Method::GET, path, tenant).send().await
}

async fn details(client: &Client, id: &str) -> Value {
    get(client, "", &format!("/jsonldContexts/{}?details=true", encoded(id)))
        .await
        .expect(200)
        .json()
}

#[tokio::test]
async fn a_hosted_context_is_served_listed_and_deleted() {
    let client = client().await;
    let context = json!([{ "t": "urn:a:t" }, OTHER]);
    let path = add(&client, "", context.clone()).await;
    let reply = get(&client, "", &path).await.expect(200);
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.json(), json!({ "@context": context }));
    let as_ld = of(&client, Method::GET, &path, "").accept("application/ld+json").send().await;
    assert_eq!(as_ld.expect(200).header("content-type"), "application/ld+json");

    let url = format!("{HERE}/ngsi-ld/v1{path}");
    let all = get(&client, "", "/jsonldContexts").await.expect(200).json();
    assert_eq!(all, json!([format!("{CORE}-v1.9.jsonld"), url]));
    let hosted = get(&client, "", "/jsonldContexts/?kind=Hosted&details=true").await.json();
    assert_eq!(hosted[0]["URL"], url);
    assert_eq!(hosted[0]["kind"], "Hosted");
    assert!(path.ends_with(hosted[0]["localId"].as_str().unwrap()));
    assert!(hosted[0]["createdAt"].as_str().unwrap().ends_with('Z'));
    for kind in ["Cached", "ImplicitlyCreated"] {
        let list = get(&client, "", &format!("/jsonldContexts?kind={kind}")).await.expect(200);
        assert!(!list.text.contains(&url), "{kind}");
    }

    let reload = client.delete(&format!("{path}?reload=true")).await;
    reload.expect_problem(400, "BadRequestData", "no copy");
    client.delete(&path).await.expect(204);
    client.delete(&path).await.expect_problem(404, "ResourceNotFound", "not found");
    get(&client, "", &path).await.expect_problem(404, "ResourceNotFound", "not found");
    get(&client, "", &format!("{path}?details=true")).await.expect(404);
}

#[tokio::test]
async fn a_hosted_context_is_used_by_its_url_and_nobody_is_asked_for_it() {
    let (client, documents) = with_other().await;
    let path = add(&client, "", json!({ "t": "urn:a:t" })).await;
    let names = [HERE, "https://city.example/twin", "http://127.0.0.1:9/tenants/x"];
    for name in names {
        let url = format!("{name}/ngsi-ld/v1{path}");
        assert_eq!(name_of_t(&client, "", &url).await, "urn:a:t", "{url}");
        for _ in 0..2 {
            let asking = of(&client, Method::GET, "/entities/urn:x:named", "");
            let reply = asking.header("link", &link(&url)).send().await.expect(200);
            assert_eq!(reply.json()["t"]["value"], 1);
            assert!(reply.header("link").contains(&url));
        }
    }
    let coded = format!("{HERE}/ngsi-ld/v1{}", path.replace(':', "%3A"));
    assert_eq!(name_of_t(&client, "", &coded).await, "urn:a:t");
    assert!(documents.asked.lock().is_empty());

    let outer = add(&client, "", json!([OTHER, format!("{HERE}/ngsi-ld/v1{path}")])).await;
    let outer_url = format!("{HERE}/ngsi-ld/v1{outer}");
    assert_eq!(name_of_t(&client, "", &outer_url).await, "urn:a:t");
    assert_eq!(*documents.asked.lock(), [OTHER]);

    client.delete(&path).await.expect(204);
    for url in [format!("{HERE}/ngsi-ld/v1{path}"), outer_url] {
        let asking = of(&client, Method::GET, "/entities/urn:x:named", "");
        let reply = asking.header("link", &link(&url)).send().await;
        reply.expect_problem(504, "LdContextNotAvailable", "no such context");
    }
    assert_eq!(*documents.asked.lock(), [OTHER], "the server does not ask itself");
}

#[tokio::test]
async fn what_a_tenant_hosts_is_absent_for_all_others() {
    let (client, documents) = with_other().await;
    let path = add(&client, "north", json!({ "t": "urn:north:t" })).await;
    let shown = get(&client, "north", &format!("{path}?details=true")).await.expect(200).json();
    let url = shown["URL"].as_str().unwrap().to_owned();
    assert_eq!(url, format!("{HERE}/tenants/north/ngsi-ld/v1{path}"));
    assert_eq!(name_of_t(&client, "north", &url).await, "urn:north:t");

    for tenant in ["", "south"] {
        for suffix in ["", "?details=true"] {
            let reply = get(&client, tenant, &format!("{path}{suffix}")).await.expect(404);
            assert!(!reply.text.contains("urn:north"));
        }
        let list = get(&client, tenant, "/jsonldContexts?details=true").await.expect(200);
        assert!(!list.text.contains(shown["localId"].as_str().unwrap()));
        of(&client, Method::DELETE, &path, tenant).send().await.expect(404);
        let entity = json!({ "id": "urn:x:1", "type": "T", "@context": url });
        let reply = of(&client, Method::POST, "/entities", tenant).json_ld(&entity).send().await;
        reply.expect_problem(504, "LdContextNotAvailable", "no such context");
    }
    get(&client, "south", "/entities/urn:x:1").await.expect_problem(
        404,
        "NonexistentTenant",
        "south",
    );
    assert!(documents.asked.lock().is_empty());
    assert_eq!(name_of_t(&client, "north", &url).await, "urn:north:t");
    of(&client, Method::DELETE, &path, "north").send().await.expect(204);
}

#[tokio::test]
async fn a_copy_is_told_of_and_not_served_and_comes_again_when_it_is_deleted() {
    let (client, documents) = with_other().await;
    client.get(&format!("/jsonldContexts/{}", encoded(OTHER))).await.expect(404);
    assert_eq!(name_of_t(&client, "", OTHER).await, "https://example.org/t");
    let by_url = details(&client, OTHER).await;
    assert_eq!((&by_url["URL"], &by_url["kind"]), (&json!(OTHER), &json!("Cached")));
    assert!(by_url["expiresAt"].as_str() > by_url["createdAt"].as_str());
    let local_id = by_url["localId"].as_str().unwrap();
    assert_eq!(details(&client, local_id).await["URL"], OTHER);
    let served = client.get(&format!("/jsonldContexts/{}", encoded(OTHER))).await;
    served.expect_problem(422, "OperationNotSupported", OTHER);
    let listed = client.get("/jsonldContexts?kind=Cached").await.json();
    assert!(listed.as_array().unwrap().contains(&json!(OTHER)));

    client.delete(&format!("/jsonldContexts/{}", encoded(local_id))).await.expect(204);
    client.get(&format!("/jsonldContexts/{}?details=true", encoded(OTHER))).await.expect(404);
    documents.by_url.lock().insert(OTHER.to_owned(), DOCUMENT.replace("org/t", "org/new"));
    assert_eq!(name_of_t(&client, "", OTHER).await, "https://example.org/new");
    assert_ne!(details(&client, OTHER).await["localId"], local_id);
    assert_eq!(documents.asked.lock().len(), 2);
}

#[tokio::test]
async fn a_copy_from_another_server_does_not_hide_what_a_tenant_hosts() {
    let (client, documents) = with_other().await;
    let path = add(&client, "", json!({ "t": "urn:a:t" })).await;
    let elsewhere = format!("http://elsewhere.example/ngsi-ld/v1{path}");
    documents.by_url.lock().insert(elsewhere.clone(), DOCUMENT.to_owned());
    assert_eq!(name_of_t(&client, "north", &elsewhere).await, "https://example.org/t");
    assert_eq!(name_of_t(&client, "north", &elsewhere).await, "https://example.org/t");
    assert_eq!(name_of_t(&client, "", &elsewhere).await, "urn:a:t");
    assert_eq!(*documents.asked.lock(), [elsewhere]);
}

#[tokio::test]
async fn a_copy_is_loaded_again_and_stays_where_that_fails() {
    let (client, documents) = with_other().await;
    assert_eq!(name_of_t(&client, "", OTHER).await, "https://example.org/t");
    let before = details(&client, OTHER).await;
    let path = format!("/jsonldContexts/{}?reload=true", encoded(OTHER));
    for (text, says) in [
        (None, "nobody answers"),
        (Some("no json"), "not JSON"),
        (Some("{}"), "no @context"),
        (Some(r#"{"@context": 7}"#), "7"),
    ] {
        match text {
            Some(text) => documents.by_url.lock().insert(OTHER.to_owned(), text.to_owned()),
            None => documents.by_url.lock().remove(OTHER),
        };
        client.delete(&path).await.expect_problem(504, "LdContextNotAvailable", says);
        assert_eq!(name_of_t(&client, "", OTHER).await, "https://example.org/t");
        assert_eq!(details(&client, OTHER).await["createdAt"], before["createdAt"]);
    }
    documents.by_url.lock().insert(OTHER.to_owned(), DOCUMENT.replace("org/t", "org/new"));
    assert_eq!(client.delete(&path).await.expect(204).text, "");
    assert_eq!(name_of_t(&client, "", OTHER).await, "https://example.org/new");
    assert_eq!(details(&client, OTHER).await["localId"], before["localId"]);
}

#[tokio::test]
async fn the_core_context_cannot_be_deleted() {
    let client = client().await;
    for version in ["", "-v1.3", "-v1.6", "-v1.9"] {
        let path = format!("/jsonldContexts/{}", encoded(&format!("{CORE}{version}.jsonld")));
        let shown = client.get(&format!("{path}?details=true")).await.expect(200).json();
        assert_eq!(shown["kind"], "Cached");
        client.get(&path).await.expect_problem(422, "OperationNotSupported", "core");
        client.delete(&path).await.expect_problem(400, "BadRequestData", "core");
        client.delete(&format!("{path}?reload=true")).await.expect(204);
        client.get(&format!("{path}?details=true")).await.expect(200);
    }
}

#[tokio::test]
async fn uses_are_counted_up_to_the_request_that_asks() {
    let (client, _) = with_other().await;
    let path = add(&client, "", json!({ "t": "urn:a:t" })).await;
    let own = &path["/jsonldContexts/".len()..];
    let first = details(&client, own).await;
    assert_eq!((&first["numberOfHits"], first.get("lastUsage")), (&json!(0), None));
    let url = format!("{HERE}/ngsi-ld/v1{path}");
    name_of_t(&client, "", &url).await;
    for _ in 0..3 {
        let asking = client.ask(Method::GET, "/entities/urn:x:named");
        asking.header("link", &link(&url)).send().await.expect(200);
    }
    let then = details(&client, own).await;
    assert_eq!(then["numberOfHits"], 5);
    assert!(then["lastUsage"].as_str() >= first["createdAt"].as_str());
    get(&client, "", "/jsonldContexts?details=true").await.expect(200);
    assert_eq!(details(&client, own).await["numberOfHits"], 6);
    name_of_t(&client, "", OTHER).await;
    assert_eq!(details(&client, OTHER).await["numberOfHits"], 1);
}

#[tokio::test]
async fn contexts_and_questions_that_are_wrong_are_refused() {
    let client = client().await;
    let post = |body: &'static str| {
        client.ask(Method::POST, "/jsonldContexts").body("application/json", body).send()
    };
    post("{\"a\": 1}").await.expect_problem(400, "InvalidRequest", "@context");
    post("[]").await.expect_problem(400, "InvalidRequest", "@context");
    post("{\"@context\": ").await.expect_problem(400, "InvalidRequest", "not JSON");
    for context in ["7", "true", "[\"https://e.org/c\", 7]", "{\"a\": 7}", "[[]]", "\"http://[\""] {
        let body = format!("{{\"@context\": {context}}}");
        let asking = client.ask(Method::POST, "/jsonldContexts").body("application/json", body);
        let reply = asking.send().await;
        assert_eq!(reply.header("location"), "");
        reply.expect_problem(400, "BadRequestData", "@context");
    }
    let text = client.ask(Method::POST, "/jsonldContexts").body("text/plain", "{}").send().await;
    text.expect(415);
    for path in ["?kind=other", "?details=maybe", "?kind=", "/urn:x:1?details=maybe"] {
        let reply = client.get(&format!("/jsonldContexts{path}")).await;
        reply.expect_problem(400, "BadRequestData", "=");
    }
    client.get("/jsonldContexts?limit=1").await.expect_problem(400, "InvalidRequest", "limit");
    client.get("/jsonldContexts/%FF").await.expect_problem(400, "BadRequestData", "UTF-8");
    client.delete("/jsonldContexts/a?reload=x").await.expect_problem(400, "BadRequestData", "x");
    client.delete("/jsonldContexts/a?reload=true").await.expect_problem(400, "BadRequestData", "a");
    client.delete("/jsonldContexts/a").await.expect_problem(404, "ResourceNotFound", "a");
    let accept = client.ask(Method::GET, "/jsonldContexts").accept("text/html").send().await;
    accept.expect(406);
}

#[tokio::test]
async fn a_subscription_whose_context_has_no_url_is_given_one() {
    let (client, _) = with_other().await;
    let subscription = |n: u32, context: &Value| {
        let endpoint = json!({ "uri": "http://127.0.0.1:9/" });
        let body = json!({
            "id": format!("urn:x:{n}"), "type": "Subscription", "entities": [{ "type": "T" }],
            "q": "t>1", "notification": { "endpoint": endpoint }, "@context": context,
        });
        of(&client, Method::POST, "/subscriptions", "").json_ld(&body).send()
    };
    let shown = |n: u32| format!("/subscriptions/urn:x:{n}");
    let list = json!([OTHER, { "u": "urn:a:u" }]);
    let object = json!({ "t": "urn:a:t" });
    let mut urls = Vec::new();
    for (n, context) in [(1, &list), (2, &object), (3, &list), (4, &json!(OTHER))] {
        subscription(n, context).await.expect(201);
        let reply = get(&client, "", &shown(n)).await.expect(200).json();
        urls.push(reply["jsonldContext"].as_str().unwrap().to_owned());
    }
    assert_eq!(urls[0], urls[2], "one content is kept once");
    assert_eq!(urls[3], OTHER, "what has a URL needs no other");
    for (url, context) in [(&urls[0], &list), (&urls[1], &object)] {
        let path = url.strip_prefix("http://twin.example/ngsi-ld/v1").unwrap();
        assert_eq!(client.get(path).await.expect(200).json()["@context"], *context);
        assert_eq!(name_of_t(&client, "", url).await.rsplit_once(['/', ':']).unwrap().1, "t");
    }
    let kept = get(&client, "", "/jsonldContexts?kind=ImplicitlyCreated&details=true").await.json();
    assert_eq!(kept.as_array().unwrap().len(), 2);
    assert_eq!(kept[0]["kind"], "ImplicitlyCreated");

    // Where its name is taken away, it is the default once more (table 5.2.12-1).
    for (n, given, before) in [(1, &urls[3], &urls[0]), (4, &urls[1], &urls[3])] {
        for (change, expected) in [(given.as_str(), given), ("urn:ngsi-ld:null", before)] {
            let change = json!({ "jsonldContext": change });
            of(&client, Method::PATCH, &shown(n), "").json(&change).send().await.expect(204);
            let reply = get(&client, "", &shown(n)).await.expect(200).json();
            assert_eq!(reply["jsonldContext"], **expected);
        }
    }

    let path = urls[0].strip_prefix("http://twin.example/ngsi-ld/v1").unwrap();
    client.delete(&format!("{path}?reload=true")).await.expect_problem(400, "BadRequestData", "");
    client.delete(path).await.expect(204);
    client.get(&shown(1)).await.expect(200);
    let again = client.patch(&shown(1), json!({ "isActive": false })).await;
    again.expect(204);
}

#[tokio::test]
async fn hosted_contexts_and_copies_outlive_the_server() {
    let store = MemoryStore::new();
    let documents = Arc::new(Documents::default());
    documents.by_url.lock().insert(OTHER.to_owned(), DOCUMENT.to_owned());
    let first = client_over(store.clone(), options(&documents)).await;
    let path = add(&first, "north", json!({ "t": "urn:north:t" })).await;
    name_of_t(&first, "", OTHER).await;
    let without_uses = |mut details: Value| {
        details
            .as_object_mut()
            .unwrap()
            .retain(|name, _| !name.contains("sage") && name != "numberOfHits");
        details
    };
    let copy = without_uses(details(&first, OTHER).await);
    let hosted = get(&first, "north", &format!("{path}?details=true")).await.json();
    first.engine.close().await.unwrap();
    store.reopen();

    let second = client_over(store, NgsildOptions::default()).await;
    let again = details(&second, OTHER).await;
    assert_eq!(again["numberOfHits"], 0);
    assert_eq!(without_uses(again), copy);
    let hosted_again = get(&second, "north", &format!("{path}?details=true")).await.json();
    assert_eq!(without_uses(hosted_again), without_uses(hosted.clone()));
    let url = hosted["URL"].as_str().unwrap();
    assert_eq!(name_of_t(&second, "north", url).await, "urn:north:t");
    assert_eq!(name_of_t(&second, "", OTHER).await, "https://example.org/t");
}

#[tokio::test]
async fn a_tenant_hosts_so_many_contexts_and_no_more() {
    let limits = NgsildLimits { contexts: 2, ..NgsildLimits::default() };
    let client = client_with(NgsildOptions { limits, ..NgsildOptions::default() }).await;
    let path = add(&client, "", json!({})).await;
    add(&client, "", json!({})).await;
    let third = client.post("/jsonldContexts", json!({ "@context": {} })).await.expect(403);
    assert!(third.text.contains("2 contexts"), "{}", third.text);
    add(&client, "north", json!({})).await;
    client.delete(&path).await.expect(204);
    add(&client, "", json!({})).await;
}
