use std::time::{Duration, Instant};

use axum::http::StatusCode;
use cardo_graphql::GraphqlLimits;
use serde_json::json;

use crate::city::{City, error_of};

#[tokio::test]
async fn what_the_schema_does_not_allow_is_refused() {
    let city = City::new().await;
    for query in [
        "{ treeList { nodes { altitude } } }",
        "{ treeList(limit: 3) { nodes { id } } }",
        "{ treeList(first: \"three\") { nodes { id } } }",
        "{ treeList(filter: { altitude: { eq: 1 } }) { nodes { id } } }",
        "{ treeList(filter: { height: { eq: \"tall\" } }) { nodes { id } } }",
        "{ treeList(filter: { height: { near: 1 } }) { nodes { id } } }",
        "{ treeList(orderBy: [{ field: altitude }]) { nodes { id } } }",
        "{ treeList { nodes } }",
        "{ tree { id } }",
        "{ ...F }",
        "query($x: Nothing) { revision }",
        "mutation { createTree(id: \"urn:x\", input: { height: \"tall\" }) { id } }",
        "mutation { createTree(id: \"urn:x\", input: { altitude: 1 }) { id } }",
    ] {
        let (code, message) = city.error(query).await;
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{query}: {message}");
    }
}

#[tokio::test]
async fn values_without_meaning_are_refused_with_their_place() {
    let city = City::new().await;
    for (arguments, part) in [
        ("first: -1", "-1"),
        ("first: 1001", "1001"),
        ("first: 1, last: 1", "exclude"),
        ("filter: { location: { bbox: [1, 2, 3] } }", "bbox"),
        ("filter: { location: { bbox: [1, 3, 2, 2] } }", "south 3"),
        ("filter: { location: { bbox: [1, 3, 200, 4] } }", "200"),
        ("filter: { location: { within: { type: \"Cube\" } } }", "within"),
        ("filter: { location: { near: { lon: 1, lat: 2 } } }", "maxDistance"),
        ("filter: { location: { near: { lon: 1, lat: 2, maxDistance: -5 } } }", "-5"),
        ("filter: { species: { matches: \"(\" } }", "matches"),
        ("filter: { id: { in: [\"no id\"] } }", "no id"),
        ("filter: { createdAt: { gt: \"yesterday\" } }", "yesterday"),
        ("filter: { scope: { below: \"/a b\" } }", "/a b"),
    ] {
        let query = format!("{{ treeList({arguments}) {{ nodes {{ id }} }} }}");
        let (code, message) = city.error(&query).await;
        assert_eq!(code, "BAD_USER_INPUT", "{arguments}: {message}");
        assert!(message.contains(part), "{arguments}: {message}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_query_is_refused() {
    let city = City::new().await;
    let page = city.data("{ treeList(first: 2) { pageInfo { endCursor } } }").await;
    let cursor = &page["treeList"]["pageInfo"]["endCursor"];
    for query in [
        format!("{{ districtList(after: {cursor}) {{ nodes {{ id }} }} }}"),
        format!(
            "{{ treeList(after: {cursor}, filter: {{ height: {{ gt: 1 }} }}) {{ nodes {{ id }} }} }}"
        ),
        format!("{{ treeList(after: {cursor}, orderBy: [{{ field: id }}]) {{ nodes {{ id }} }} }}"),
        "{ treeList(after: \"AAAA\") { nodes { id } } }".to_owned(),
        "{ treeList(after: \"5\") { nodes { id } } }".to_owned(),
    ] {
        let (code, message) = city.error(&query).await;
        assert_eq!(code, "BAD_CURSOR", "{query}: {message}");
    }
}

/// Refused before anything is looked at for long.
async fn quick(city: &City, query: &str, code: &str) -> String {
    let start = Instant::now();
    let (found, message) = city.error(query).await;
    assert_eq!(found, code, "{message}");
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    message
}

#[tokio::test]
async fn ten_thousand_aliases_are_refused() {
    let city = City::new().await;
    let aliases = |count: u32, field: &str| -> String {
        let all: Vec<String> = (0..count).map(|n| format!("a{n}:{field}")).collect();
        format!("{{ {} }}", all.join(" "))
    };
    quick(&city, &aliases(10_000, "revision"), "DOCUMENT_TOO_LARGE").await;
    quick(&city, &aliases(400, "treeList(first:1000){nodes{id}}"), "TOO_COMPLEX").await;
    quick(&city, &format!("{{ revision }} # {}", "x".repeat(70_000)), "DOCUMENT_TOO_LARGE").await;
}

#[tokio::test]
async fn queries_too_deep_or_too_dear_say_so_with_figures() {
    let city = City::new().await;
    let mut deep = "id".to_owned();
    for _ in 0..10 {
        deep = format!("districtByPartOf(first:1) {{ nodes {{ partOf {{ {deep} }} }} }}");
    }
    quick(&city, &format!("{{ town(id: \"urn:c:1\") {{ {deep} }} }}"), "TOO_DEEP").await;
    quick(&city, &format!("{{ a(b: {}) }}", "[".repeat(5_000)), "TOO_DEEP").await;
    let dear =
        "{ townList(first: 1000) { nodes { districtByPartOf(first: 1000) { nodes { id } } } } }";
    let (_, answer) = city.post(&json!({ "query": dear }).to_string()).await;
    let error = &answer["errors"][0]["extensions"];
    assert_eq!(error["limit"], 100_000);
    assert!(error["cost"].as_u64().unwrap() > 1_000_000, "{error}");
    let variable = "query($n: Int) { townList(first: $n) { nodes { districtByPartOf(first: $n) { nodes { id } } } } }";
    let answer = city.ask_with(variable, json!({ "n": 1_000 })).await;
    assert_eq!(error_of(&answer).0, "TOO_COMPLEX");
    let answer = city.ask_with(variable, json!({ "n": 3 })).await;
    assert_eq!(answer["errors"], json!(null), "{answer}");
}

#[tokio::test]
async fn loops_of_fragments_and_of_the_schema_are_refused() {
    let city = City::new().await;
    let cycle = "{ ...A } fragment A on Query { revision ...B } fragment B on Query { ...A }";
    quick(&city, cycle, "FRAGMENT_CYCLE").await;
    let mut bomb = "{ ...F0 }".to_owned();
    for at in 0..40 {
        let next = at + 1;
        bomb.extend([format!(" fragment F{at} on Query {{ ...F{next} ...F{next} }}")]);
    }
    bomb.push_str(" fragment F40 on Query { revision }");
    quick(&city, &bomb, "TOO_COMPLEX").await;
    let mut schema = "name".to_owned();
    for _ in 0..5 {
        schema = format!("fields {{ type {{ {schema} }} }}");
    }
    quick(&city, &format!("{{ __schema {{ types {{ {schema} }} }} }}"), "TOO_DEEP").await;
    let wide: Vec<String> = (0..200)
        .map(|n| format!("a{n}: __schema {{ types {{ fields {{ args {{ name }} }} }} }}"))
        .collect();
    quick(&city, &format!("{{ {} }}", wide.join(" ")), "TOO_COMPLEX").await;
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_stopped() {
    let limits = GraphqlLimits { time: Duration::from_millis(1), ..GraphqlLimits::default() };
    let city = City::with(limits).await;
    // Four hundred changes, each of which waits for the log.
    let change =
        |n: u32| format!("a{n}: mergeTree(id: \"urn:t:1\", input: {{ height: {n} }}) {{ id }} ");
    let query = format!("mutation {{ {} }}", (0..400).map(change).collect::<String>());
    let (status, answer) = city.post(&json!({ "query": query }).to_string()).await;
    assert_eq!(error_of(&answer).0, "TIMEOUT");
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn too_many_rows_on_the_way_back_are_refused() {
    let limits = GraphqlLimits { level_rows: 5, ..GraphqlLimits::default() };
    let city = City::with(limits).await;
    let query = "{ districtList { nodes { id treeByLocatedIn(first: 1) { nodes { id } } } } }";
    let answer = city.ask(query).await;
    assert_eq!(error_of(&answer).0, "TOO_COMPLEX");
    assert_eq!(answer["data"]["districtList"]["nodes"][0]["id"], "urn:d:0");
}
