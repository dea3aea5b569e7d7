use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value as Json, json};

use crate::city::{City, error_of, tree};

const RESPONSE: &str = "application/graphql-response+json";

async fn ask(
    city: &City,
    method: Method,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (StatusCode, HeaderMap, Json) {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request = request.header("content-length", body.len());
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let (status, headers, body) = city.send(request).await;
    (status, headers, serde_json::from_str(&body).unwrap_or(Json::String(body)))
}

#[tokio::test]
async fn a_query_may_come_by_get_and_a_mutation_may_not() {
    let city = City::new().await;
    let uri = "/graphql?query=query($id:ID!)%7Btree(id:$id)%7Bheight%7D%7D&variables=%7B%22id%22:%22urn:t:3%22%7D";
    let (status, headers, answer) = ask(&city, Method::GET, uri, &[], "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["data"]["tree"]["height"], 3.0);
    assert_eq!(headers["cardo-revision"], "1");
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    let uri = "/graphql?query=mutation%7BdeleteEntity(id:%22urn:t:3%22)%7Bid%7D%7D";
    let (status, headers, answer) = ask(&city, Method::GET, uri, &[], "").await;
    assert_eq!(
        (status, error_of(&answer).0.as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "OPERATION_NOT_ALLOWED")
    );
    assert_eq!(headers["allow"], "GET, HEAD, POST");
    let (status, ..) = ask(&city, Method::PUT, "/graphql", &[], "").await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_media_type_says_what_a_status_means() {
    let city = City::new().await;
    let json_type = ("content-type", "application/json");
    for (query, with_response, with_json) in [
        ("{ revision }", StatusCode::OK, StatusCode::OK),
        ("{ treeList(first: -1) { nodes { id } } }", StatusCode::OK, StatusCode::OK),
        ("{ altitude }", StatusCode::BAD_REQUEST, StatusCode::OK),
        ("{ ", StatusCode::BAD_REQUEST, StatusCode::OK),
        (
            "subscription { treeChanged { change } }",
            StatusCode::METHOD_NOT_ALLOWED,
            StatusCode::METHOD_NOT_ALLOWED,
        ),
    ] {
        let body = json!({ "query": query }).to_string();
        for (accept, expected) in [(RESPONSE, with_response), ("application/json", with_json)] {
            let headers = [json_type, ("accept", accept)];
            let (status, headers, answer) =
                ask(&city, Method::POST, "/graphql", &headers, &body).await;
            assert_eq!(status, expected, "{query} as {accept}: {answer}");
            assert!(headers["content-type"].to_str().unwrap().starts_with(accept));
            let ran = query.starts_with("{ revision") || query.contains("first");
            assert_eq!(answer.get("data").is_some(), ran, "{answer}");
        }
    }
    let headers = [json_type, ("accept", "image/png")];
    let (status, ..) =
        ask(&city, Method::POST, "/graphql", &headers, "{\"query\":\"{revision}\"}").await;
    assert_eq!(status, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn malformed_requests_are_client_errors() {
    let city = City::new().await;
    let json_type = [("content-type", "application/json")];
    for (body, expected) in [
        ("", StatusCode::BAD_REQUEST),
        ("{", StatusCode::BAD_REQUEST),
        ("1", StatusCode::BAD_REQUEST),
        ("{}", StatusCode::BAD_REQUEST),
        ("{\"query\":1}", StatusCode::BAD_REQUEST),
        ("{\"query\":\"{revision}\",\"variables\":[]}", StatusCode::BAD_REQUEST),
        ("{\"query\":\"{revision}\",\"operationName\":\"A\"}", StatusCode::BAD_REQUEST),
        ("[]", StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let (status, _, answer) = ask(&city, Method::POST, "/graphql", &json_type, body).await;
        assert_eq!(status, expected, "{body}: {answer}");
        assert!(answer["errors"][0]["message"].is_string(), "{answer}");
    }
    let text = [("content-type", "text/plain")];
    let (status, ..) = ask(&city, Method::POST, "/graphql", &text, "{}").await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let (status, ..) = ask(&city, Method::GET, "/graphql", &[], "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_batch_is_answered_in_order_within_its_limit() {
    let city = City::new().await;
    let json_type = [("content-type", "application/json")];
    let one = "{\"query\":\"{revision}\"}";
    let body = format!("[{one},{{\"query\":\"{{altitude}}\"}}]");
    let (status, _, answer) = ask(&city, Method::POST, "/graphql", &json_type, &body).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer[0]["data"]["revision"], 1);
    assert!(answer[1]["errors"].is_array());
    let body = format!("[{}]", [one; 11].join(","));
    let (status, ..) = ask(&city, Method::POST, "/graphql", &json_type, &body).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn tenants_have_schemas_of_their_own() {
    let city = City::new().await;
    let body = "{\"query\":\"{treeList{totalCount}}\"}";
    let headers = [("content-type", "application/json"), ("ngsild-tenant", "other")];
    let (status, _, answer) = ask(&city, Method::POST, "/graphql", &headers, body).await;
    assert_eq!((status, error_of(&answer).0.as_str()), (StatusCode::NOT_FOUND, "UNKNOWN_TENANT"));
}

#[tokio::test]
async fn a_browser_gets_graphiql_from_our_own_assets() {
    let city = City::new().await;
    let accept = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let (status, headers, page) = ask(&city, Method::GET, "/graphql", &accept, "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    let page = page.as_str().unwrap();
    let mut assets = 0;
    for part in page.split("=\"").skip(1) {
        let address = part.split('"').next().unwrap();
        assert!(!address.starts_with("http"), "{address} is outside");
        if address.contains("/assets/") {
            assets += 1;
            let (status, headers, _) = ask(&city, Method::GET, address, &[], "").await;
            assert_eq!(status, StatusCode::OK, "{address}");
            assert!(headers.contains_key("content-type"));
        }
    }
    assert_eq!(assets, 6);
    let (status, _, answer) = ask(&city, Method::GET, "/graphql/assets/none.js", &[], "").await;
    assert_eq!((status, error_of(&answer).0.as_str()), (StatusCode::NOT_FOUND, "NOT_FOUND"));
}

#[tokio::test]
async fn every_refusal_is_an_error_of_graphql() {
    let city = City::new().await;
    for path in ["/graphql/schema.graphql", "/graphql/assets/graphiql.min.js"] {
        for method in [Method::POST, Method::DELETE, Method::OPTIONS] {
            let (status, headers, answer) = ask(&city, method, path, &[], "").await;
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            assert_eq!(error_of(&answer).0, "OPERATION_NOT_ALLOWED");
            assert_eq!(headers["allow"], "GET, HEAD");
        }
    }
    let upgrade = [("upgrade", "websocket"), ("connection", "upgrade")];
    let (status, _, answer) = ask(&city, Method::GET, "/graphql", &upgrade, "").await;
    assert_eq!((status, error_of(&answer).0.as_str()), (StatusCode::BAD_REQUEST, "BAD_REQUEST"));
    let coded = [("content-type", "application/json"), ("content-encoding", "br")];
    let (status, headers, answer) = ask(&city, Method::POST, "/graphql", &coded, "{}").await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(error_of(&answer).0, "UNSUPPORTED_CONTENT_CODING");
    assert_eq!(headers["accept-encoding"], "gzip");
}

#[tokio::test]
async fn a_question_by_get_is_answered_once_a_revision_and_schema() {
    let city = City::new().await;
    let uri = "/graphql?query=%7BtreeList%7BtotalCount%7D%7D";
    let (status, headers, _) = ask(&city, Method::GET, uri, &[], "").await;
    let tag = headers["etag"].to_str().unwrap();
    assert_eq!((status, &tag[..5]), (StatusCode::OK, "W/\"1-"));
    let known = [("if-none-match", tag)];
    for method in [Method::GET, Method::HEAD] {
        let (status, headers, body) = ask(&city, method, uri, &known, "").await;
        assert_eq!((status, body), (StatusCode::NOT_MODIFIED, json!("")));
        assert_eq!(headers["etag"], tag);
        assert!(!headers.contains_key("content-type"));
    }
    let response = [known[0], ("accept", RESPONSE)];
    let (status, ..) = ask(&city, Method::GET, uri, &response, "").await;
    assert_eq!(status, StatusCode::OK);
    let wrong = "/graphql?query=%7BtreeList(first:-1)%7BtotalCount%7D%7D";
    let (_, headers, _) = ask(&city, Method::GET, wrong, &[("if-none-match", "*")], "").await;
    assert!(!headers.contains_key("etag"));
    city.create(vec![tree(40)]).await;
    let (status, headers, answer) = ask(&city, Method::GET, uri, &known, "").await;
    assert_eq!((status, &answer["data"]["treeList"]["totalCount"]), (StatusCode::OK, &json!(13)));
    assert_ne!(headers["etag"], tag);
}
