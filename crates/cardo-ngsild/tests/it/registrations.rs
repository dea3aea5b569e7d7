//! Registrations of context sources over HTTP (clauses 5.9 and 5.10).

use axum::http::Method;
use serde_json::{Value, json};

use crate::client::{Client, client};

const ID: &str = "urn:ngsi-ld:ContextSourceRegistration:one";
const ONE: &str = "/csourceRegistrations/urn:ngsi-ld:ContextSourceRegistration:one";

fn registration(more: Value) -> Value {
    let mut members = json!({
        "id": ID,
        "type": "ContextSourceRegistration",
        "endpoint": "http://source.example/ngsi-ld/v1",
        "information": [{ "entities": [{ "type": "Tree" }] }],
    });
    let Value::Object(more) = more else { panic!("an object") };
    members.as_object_mut().unwrap().extend(more);
    members
}

async fn register(client: &Client, more: Value) {
    client.post("/csourceRegistrations", registration(more)).await.expect(201);
}

async fn refuse(client: &Client, more: Value, status: u16, name: &str, detail: &str) {
    let reply = client.post("/csourceRegistrations", registration(more)).await;
    reply.expect_problem(status, name, detail);
}

#[tokio::test]
async fn a_registration_is_kept_shown_under_each_context_and_deleted() {
    let client = client().await;
    let body = registration(json!({
        "information": [{ "entities": [{ "type": ["Tree", "Oak"], "idPattern": ".*1$" }],
                          "propertyNames": ["height"], "relationshipNames": ["stands"] }],
        "owner": "parks", "status": "failed", "timesSent": 9,
        "@context": [{ "Tree": "https://e.org/Tree", "height": "https://e.org/height", "owner": "https://e.org/owner" },
                     "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"],
    }));
    let reply = client.ask(Method::POST, "/csourceRegistrations").json_ld(&body).send().await;
    let reply = reply.expect(201);
    assert!(reply.header("location").ends_with(&format!("/ngsi-ld/v1{ONE}")));

    let shown = client.get(ONE).await.expect(200).json();
    assert_eq!(
        shown,
        json!({
            "id": ID, "type": "ContextSourceRegistration", "endpoint": "http://source.example/ngsi-ld/v1",
            "information": [{ "entities": [{ "type": ["https://e.org/Tree", "Oak"], "idPattern": ".*1$" }],
                              "propertyNames": ["https://e.org/height"], "relationshipNames": ["stands"] }],
            "https://e.org/owner": "parks",
        })
    );
    let linked =
        client.ask(Method::GET, &format!("{ONE}?options=sysAttrs")).accept("application/ld+json");
    let linked = linked.send().await.expect(200);
    assert_eq!(linked.header("content-type"), "application/ld+json");
    let linked = linked.json();
    assert!(linked["@context"].is_string() && linked["createdAt"].is_string());

    client.delete(ONE).await.expect(204);
    client.get(ONE).await.expect_problem(404, "ResourceNotFound", ID);
    client.delete(ONE).await.expect_problem(404, "ResourceNotFound", ID);
    client.get("/csourceRegistrations/x").await.expect_problem(400, "BadRequestData", "\"x\"");
}

#[tokio::test]
async fn an_id_is_made_up_where_there_is_none_and_used_once() {
    let client = client().await;
    let mut nameless = registration(json!({}));
    nameless.as_object_mut().unwrap().remove("id");
    let made = client.post("/csourceRegistrations", nameless).await.expect(201);
    let path = made.header("location").split_once("/ngsi-ld/v1").unwrap().1.to_owned();
    client.get(&path).await.expect(200);
    register(&client, json!({ "contextSourceInfo": [] })).await;
    refuse(&client, json!({}), 409, "AlreadyExists", ID).await;
}

#[tokio::test]
async fn what_is_no_registration_is_refused() {
    let client = client().await;
    for (more, detail) in [
        (json!({ "type": "Registration" }), "type"),
        (json!({ "information": null }), "information"),
        (json!({ "information": [{ "entities": [{ "id": "urn:a:b" }] }] }), "type"),
        (json!({ "information": [{ "entities": [{ "type": "no(name" }] }] }), "name"),
        (json!({ "endpoint": "nowhere" }), "endpoint"),
        (json!({ "endpoint": "http://" }), "endpoint"),
        (json!({ "endpoint": "ftp://source.example" }), "endpoint"),
        (json!({ "expiresAt": "2020-01-01T00:00:00Z" }), "past"),
        (json!({ "expiresAt": "2099-01-01T00:00:00+02:00" }), "UTC"),
        (json!({ "operations": ["everything"] }), "operations"),
        (json!({ "contextSourceInfo": [{ "key": "accept", "value": "text/html" }] }), "accept"),
        (
            json!({ "contextSourceInfo": [{ "key": "contentType", "value": "text/html" }] }),
            "contentType",
        ),
        (
            json!({ "contextSourceInfo": [{ "key": "ngsildConformance", "value": "1" }] }),
            "ngsildConformance",
        ),
        (
            json!({ "contextSourceInfo": [{ "key": "jsonldContext", "value": "x" }] }),
            "jsonldContext",
        ),
        (json!({ "description": "urn:ngsi-ld:null" }), "description"),
        (json!({ "mode": "exclusive" }), "exclusive"),
    ] {
        refuse(&client, more, 400, "BadRequestData", detail).await;
    }
    let path = "/csourceRegistrations?type=Tree&speed=1";
    client.get(path).await.expect_problem(400, "InvalidRequest", "speed");
    let html = client.ask(Method::GET, "/csourceRegistrations?type=Tree").accept("text/html");
    html.send().await.expect(406);
    client.ask(Method::PUT, ONE).json(&json!({})).send().await.expect(405);
}

#[tokio::test]
async fn an_update_replaces_members_and_null_removes_them() {
    let client = client().await;
    register(
        &client,
        json!({ "description": "old", "tenant": "a", "expiresAt": "2099-01-01T00:00:00Z" }),
    )
    .await;
    let fragment = json!({ "description": "new", "tenant": "urn:ngsi-ld:null", "expiresAt": null, "mode": "redirect" });
    client.patch(ONE, fragment).await.expect(204);
    let shown = client.get(ONE).await.expect(200).json();
    assert_eq!((&shown["description"], &shown["mode"]), (&json!("new"), &json!("redirect")));
    assert_eq!((shown.get("tenant"), shown.get("expiresAt")), (None, None));

    let wrong = |fragment| async { client.patch(ONE, fragment).await };
    wrong(json!({ "id": "urn:a:b" })).await.expect_problem(400, "BadRequestData", "id");
    wrong(json!({ "type": "Tree" })).await.expect_problem(400, "BadRequestData", "type");
    wrong(json!({ "information": "urn:ngsi-ld:null" })).await.expect_problem(
        400,
        "BadRequestData",
        "information",
    );
    wrong(json!({ "operations": [] })).await.expect_problem(400, "BadRequestData", "operations");
    let other = "/csourceRegistrations/urn:a:b";
    client.patch(other, json!({ "mode": "inclusive" })).await.expect_problem(
        404,
        "ResourceNotFound",
        "urn:a:b",
    );
    assert_eq!(client.get(ONE).await.expect(200).json(), shown);
}

#[tokio::test]
async fn what_is_exclusive_is_registered_once_and_not_held_here() {
    let client = client().await;
    let exclusive = |id: &str, mode: &str, attribute: &str| {
        json!({ "id": format!("urn:reg:{id}"), "mode": mode,
                "information": [{ "entities": [{ "type": "Tree", "id": "urn:ngsi-ld:Tree:1" }], "propertyNames": [attribute] }] })
    };
    register(&client, exclusive("1", "exclusive", "height")).await;
    refuse(&client, exclusive("2", "exclusive", "height"), 409, "Conflict", "urn:reg:1").await;
    refuse(&client, exclusive("2", "redirect", "height"), 409, "Conflict", "urn:reg:1").await;
    register(&client, exclusive("2", "exclusive", "age")).await;
    register(&client, exclusive("3", "inclusive", "height")).await;
    // It does not exclude itself.
    client
        .patch("/csourceRegistrations/urn:reg:1", json!({ "description": "x" }))
        .await
        .expect(204);
    client
        .patch("/csourceRegistrations/urn:reg:3", json!({ "mode": "redirect" }))
        .await
        .expect_problem(409, "Conflict", "urn:reg:1");

    client.create(json!({ "id": "urn:ngsi-ld:Tree:9", "type": "Tree", "age": { "type": "Property", "value": 5 } })).await;
    let held = |attribute: &str, mode: &str| {
        json!({ "id": "urn:reg:9", "mode": mode,
                "information": [{ "entities": [{ "type": "Tree", "id": "urn:ngsi-ld:Tree:9" }], "propertyNames": [attribute] }] })
    };
    refuse(&client, held("age", "exclusive"), 409, "Conflict", "urn:ngsi-ld:Tree:9").await;
    refuse(&client, held("age", "redirect"), 409, "Conflict", "urn:ngsi-ld:Tree:9").await;
    register(&client, held("height", "exclusive")).await;
    let whole = json!({ "id": "urn:reg:8", "mode": "redirect", "information": [{ "entities": [{ "type": "Car" }] }] });
    client.create(json!({ "id": "urn:ngsi-ld:Car:1", "type": "Car" })).await;
    refuse(&client, whole, 409, "Conflict", "urn:ngsi-ld:Car:1").await;
}

#[tokio::test]
async fn sources_are_found_by_what_they_may_have() {
    let client = client().await;
    for (id, more) in [
        (
            "a",
            json!({ "scope": "/Madrid/Centro", "location": { "type": "Point", "coordinates": [8.68, 49.41] } }),
        ),
        (
            "b",
            json!({ "endpoint": "http://other.example", "information": [
            { "entities": [{ "type": "Tree", "id": "urn:ngsi-ld:Tree:1" }], "propertyNames": ["height"] },
            { "entities": [{ "type": "Car" }] }] }),
        ),
        (
            "c",
            json!({ "observationInterval": { "startAt": "2020-01-01T00:00:00Z", "endAt": "2021-01-01T00:00:00Z" } }),
        ),
        ("d", json!({ "information": [{ "propertyNames": ["speed"] }], "kind": "sensor" })),
    ] {
        let mut more = more;
        more["id"] = format!("urn:reg:{id}").into();
        register(&client, more).await;
    }
    for (query, expected) in [
        ("type=Tree", "a b d"),
        ("type=Car", "b d"),
        ("type=Car;Tree", "d"),
        ("type=*", "a b d"),
        ("type=Tree&id=urn:ngsi-ld:Tree:2", "a d"),
        ("type=Tree&idPattern=Tree:1$", "a b d"),
        ("attrs=speed", "a b d"),
        ("type=Tree&attrs=speed", "a d"),
        ("type=Tree&attrs=speed,height", "a b d"),
        ("type=Tree&pick=id,speed", "a d"),
        ("q=height%3E5;speed", "a b d"),
        ("type=Tree&scopeQ=/Madrid/%23", "a"),
        ("type=Tree&georel=near;maxDistance==2000&geometry=Point&coordinates=[8.68,49.41]", "a"),
        ("type=Tree&csf=endpoint==%22http://other.example%22", "b"),
        ("type=Tree&csf=kind==%22sensor%22", "d"),
        ("type=Tree&timerel=after&timeAt=2020-06-01T00:00:00Z", "c"),
        ("type=Tree&timerel=after&timeAt=2020-06-01T00:00:00Z&timeproperty=modifiedAt", ""),
    ] {
        let found = client.get(&format!("/csourceRegistrations?{query}")).await.expect(200).ids();
        let found: Vec<&str> =
            found.iter().map(|id| id.strip_prefix("urn:reg:").unwrap()).collect();
        assert_eq!(found.join(" "), expected, "{query}");
    }
    // Only the information that matches is shown (clause 5.10.2.5).
    let found =
        client.get("/csourceRegistrations?type=Car&csf=endpoint~=%22other%22").await.expect(200);
    assert_eq!(found.json()[0]["information"], json!([{ "entities": [{ "type": "Car" }] }]));

    for query in ["", "id=urn:a:b", "scopeQ=/A", "csf=endpoint"] {
        let reply = client.get(&format!("/csourceRegistrations?{query}")).await;
        reply.expect_problem(400, "BadRequestData", "too wide");
    }
    for query in [
        "type=Tree&id=x",
        "type=Tree&q=(",
        "type=Tree&csf=(",
        "type=Tree&timerel=later&timeAt=2020-01-01T00:00:00Z",
    ] {
        let reply = client.get(&format!("/csourceRegistrations?{query}")).await;
        assert_eq!(
            reply.expect(400).json()["type"],
            "https://uri.etsi.org/ngsi-ld/errors/BadRequestData"
        );
    }
}

#[tokio::test]
async fn pages_of_registrations_are_counted_and_linked() {
    let client = client().await;
    for number in 0..5 {
        register(&client, json!({ "id": format!("urn:reg:{number}") })).await;
    }
    let page =
        client.get("/csourceRegistrations?type=Tree&limit=2&offset=2&count=true").await.expect(200);
    assert_eq!(page.ids(), ["urn:reg:2", "urn:reg:3"]);
    assert_eq!(page.header("ngsild-results-count"), "5");
    let links: Vec<_> =
        page.headers.get_all("link").iter().map(|link| link.to_str().unwrap()).collect();
    assert!(
        links.iter().any(|link| link.contains("offset=4") && link.contains("next")),
        "{links:?}"
    );
    assert!(
        links.iter().any(|link| link.contains("offset=0") && link.contains("prev")),
        "{links:?}"
    );
    let count = client.get("/csourceRegistrations?type=Tree&limit=0&count=true").await.expect(200);
    assert_eq!((count.header("ngsild-results-count"), &*count.text), ("5", "[]"));
}

#[tokio::test]
async fn tenants_have_registrations_of_their_own() {
    let client = client().await;
    let create = client.ask(Method::POST, "/csourceRegistrations").header("ngsild-tenant", "green");
    create.json(&registration(json!({ "mode": "redirect" }))).send().await.expect(201);
    client.get(ONE).await.expect_problem(404, "ResourceNotFound", ID);
    let found =
        client.ask(Method::GET, ONE).header("ngsild-tenant", "green").send().await.expect(200);
    assert_eq!(found.header("ngsild-tenant"), "green");
    let unknown = client.ask(Method::GET, ONE).header("ngsild-tenant", "blue").send().await;
    unknown.expect_problem(404, "NonexistentTenant", "blue");
}
