//! Each kind of expectation passes at the truth and fails at a lie.

use cardo_conform::{Failure, OpenError, Outcome, Session};

use crate::stub::{Canned, Stub, options, outcome, with_callback};

/// Expectation, an answer that meets it, one that does not.
const KINDS: &[(&str, &str, &str)] = &[
    ("200", "200", "201"),
    ("200 204", "204", "202"),
    ("4xx", "404", "500"),
    ("404 ResourceNotFound", PROBLEM, "404 {}"),
    ("404 ResourceNotFound", PROBLEM, OTHER_PROBLEM),
    ("404 ResourceNotFound", PROBLEM, PROBLEM_WITHOUT_DETAIL),
    ("404 ResourceNotFound", PROBLEM, PROBLEM_OF_ANOTHER_MEDIA_TYPE),
    ("header X-A = yes", "200 X-A: yes", "200 X-A: no"),
    ("header X-A present", "200 X-A: yes", "200"),
    ("header X-A absent", "200", "200 X-A: yes"),
    ("header X-A ends /b", "200 X-A: a/b", "200 X-A: b/a"),
    ("header X-A contains YE", "200 X-A: yes", "200 X-A: no"),
    ("header X-A matches ^y.s$", "200 X-A: yes", "200 X-A: yes!"),
    ("body empty", "204", "200 {}"),
    ("body contains tree", "200 \"a tree\"", "200 \"a bush\""),
    (".a = 1", "200 {\"a\": 1.0}", "200 {\"a\": 2}"),
    (".a = {\"b\": 1, \"c\": 2}", "200 {\"a\": {\"c\": 2, \"b\": 1}}", "200 {\"a\": {\"b\": 1}}"),
    (".a = [1, 2]", "200 {\"a\": [1, 2]}", "200 {\"a\": [2, 1]}"),
    (".a != 1", "200 {\"a\": 2}", "200 {\"a\": 1}"),
    (".a present", "200 {\"a\": null}", "200 {}"),
    (".a absent", "200 {}", "200 {\"a\": null}"),
    (".a has {\"b\": 1}", "200 {\"a\": {\"b\": 1, \"c\": 2}}", "200 {\"a\": {\"c\": 2}}"),
    (".a contains {\"b\": 1}", "200 {\"a\": [{}, {\"b\": 1}]}", "200 {\"a\": [{}]}"),
    (".a lacks 1", "200 {\"a\": [2]}", "200 {\"a\": [2, 1]}"),
    (".a lacks 1", "200 {\"a\": [2]}", "200 {}"),
    (".a any [1, 2]", "200 {\"a\": [2, 1]}", "200 {\"a\": [2, 1, 1]}"),
    (".a any [1, 2]", "200 {\"a\": [2, 1]}", "200 {\"a\": [2]}"),
    (".a len 2", "200 {\"a\": [2, 1]}", "200 {\"a\": [2]}"),
    (".a < 2", "200 {\"a\": 1}", "200 {\"a\": 2}"),
    (
        ".a > 2024-01-01T00:00:00Z",
        "200 {\"a\": \"2025-01-01T00:00:00Z\"}",
        "200 {\"a\": \"2023-01-01T00:00:00Z\"}",
    ),
    (".a is time", "200 {\"a\": \"2025-01-01T00:00:00Z\"}", "200 {\"a\": \"2025-01-01 00:00\"}"),
    (".a is uri", "200 {\"a\": \"urn:x:1\"}", "200 {\"a\": \"x\"}"),
    (
        ".a is right-handed",
        "200 {\"a\": {\"type\": \"Polygon\", \"coordinates\": [[[0,0],[9,0],[9,9],[0,0]],[[5,1],[6,2],[6,1],[5,1]]]}}",
        "200 {\"a\": {\"type\": \"Polygon\", \"coordinates\": [[[0,0],[9,0],[9,9],[0,0]],[[5,1],[6,1],[6,2],[5,1]]]}}",
    ),
    (
        ".a is right-handed",
        "200 {\"a\": {\"type\": \"Point\", \"coordinates\": [0,0]}}",
        "200 {\"a\": {\"type\": \"MultiPolygon\", \"coordinates\": [[[[0,0],[9,9],[9,0],[0,0]]]]}}",
    ),
    (".a is number", "200 {\"a\": 1}", "200 {\"a\": \"1\"}"),
    (".a = .b", "200 {\"a\": 1, \"b\": 1}", "200 {\"a\": 1, \"b\": 2}"),
    (".a = len .b", "200 {\"a\": 1, \"b\": [7]}", "200 {\"a\": 1, \"b\": []}"),
    ("every .[*].a = 1", "200 [{\"a\": 1}, {\"a\": 1}]", "200 [{\"a\": 1}, {\"a\": 2}]"),
    ("every .[*].a = 1", "200 [{\"a\": 1}, {\"a\": 1}]", "200 []"),
    (".[*].a any [1, 2]", "200 [{\"a\": 2}, {\"a\": 1}]", "200 [{\"a\": 2}]"),
    (
        "ids = urn:b urn:a",
        "200 [{\"id\": \"urn:b\"}, {\"id\": \"urn:a\"}]",
        "200 [{\"id\": \"urn:a\"}, {\"id\": \"urn:b\"}]",
    ),
    (
        "ids any urn:b urn:a",
        "200 [{\"id\": \"urn:a\"}, {\"id\": \"urn:b\"}]",
        "200 [{\"id\": \"urn:a\"}]",
    ),
    ("ids = none", "200 []", "200 [{\"id\": \"urn:a\"}]"),
    ("link next present", "200 Link: </b>; rel=\"next\"", "200 Link: </b>; rel=\"prev\""),
    (
        "link next absent",
        "200 {\"links\": []}",
        "200 {\"links\": [{\"rel\": \"next\", \"href\": \"/b\"}]}",
    ),
    ("let a = .a", "200 {\"a\": 1}", "200 {\"b\": 1}"),
];

const PROBLEM: &str = "404 Content-Type: application/json\n{\"type\": \"https://uri.etsi.org/ngsi-ld/errors/ResourceNotFound\", \"title\": \"a\", \"detail\": \"b\"}";
const OTHER_PROBLEM: &str = "404 Content-Type: application/json\n{\"type\": \"https://uri.etsi.org/ngsi-ld/errors/BadRequestData\", \"title\": \"a\", \"detail\": \"b\"}";
const PROBLEM_WITHOUT_DETAIL: &str = "404 Content-Type: application/json\n{\"type\": \"https://uri.etsi.org/ngsi-ld/errors/ResourceNotFound\", \"title\": \"a\"}";
const PROBLEM_OF_ANOTHER_MEDIA_TYPE: &str = "404 Content-Type: application/problem+json\n{\"type\": \"https://uri.etsi.org/ngsi-ld/errors/ResourceNotFound\", \"title\": \"a\", \"detail\": \"b\"}";

/// `STATUS`, a header or a body behind it; a body may also stand in a line of its own.
fn canned(text: &'static str) -> Canned {
    let (head, body) = text.split_once('\n').unwrap_or((text, ""));
    let (status, rest) = head.split_once(' ').unwrap_or((head, ""));
    let status = status.parse().expect("a status");
    match rest.split_once(": ") {
        Some((name, value)) if !rest.starts_with(['{', '[', '"']) => {
            (status, vec![(name, value.to_owned())], body.to_owned())
        }
        _ => (status, Vec::new(), rest.to_owned()),
    }
}

/// What comes of one expectation where the server answers so.
async fn judged(expectation: &str, answer: &'static str) -> Outcome {
    let stub = Stub::start(move |_| canned(answer)).await;
    outcome(options(&stub.url), &format!("GET /things\n> {expectation}")).await
}

#[tokio::test]
async fn every_kind_of_expectation_passes_at_the_truth_and_fails_at_a_lie() {
    for (expectation, truth, lie) in KINDS {
        let passed = judged(expectation, truth).await;
        assert_eq!(passed, Outcome::Passed, "{expectation} at {truth}");
        let failed = judged(expectation, lie).await;
        assert!(matches!(failed, Outcome::Failed(_)), "{expectation} at {lie}: {failed:?}");
    }
}

#[tokio::test]
async fn a_step_without_a_status_wants_success() {
    let stub = Stub::start(|_| canned("500")).await;
    let failed = outcome(options(&stub.url), "DELETE /things/$a").await;
    let wanted = format!("curl -i -X DELETE '{}/things/", stub.url);
    match failed {
        Outcome::Failed(Failure { expected, came, request, step }) => {
            assert_eq!(
                (expected.as_str(), came.as_str()),
                ("status 2xx", "status 500 without a body")
            );
            assert!(request.starts_with(&wanted), "{request}");
            assert_eq!(step, 1);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_an_answer_held_is_spoken_of_later() {
    let stub = Stub::start(|seen| match seen.method.as_str() {
        "POST" => (201, vec![("location", "/things/7".to_owned())], String::new()),
        _ => (200, Vec::new(), format!("{{\"at\": \"{}\"}}", seen.target)),
    })
    .await;
    let steps = "POST /things\n{}\n> 201\n> let place = header Location\n\
                 > let id = last of header Location\n\
                 GET $place\n> .at = \"/things/7\"\nGET /others/$id\n> .at = \"/others/7\"";
    assert_eq!(outcome(options(&stub.url), steps).await, Outcome::Passed);
}

#[tokio::test]
async fn a_link_is_followed_and_one_that_is_missing_is_a_failure() {
    let stub = Stub::start(|seen| match seen.target.as_str() {
        "/things" => (200, vec![("link", "</more>; rel=\"next\"".to_owned())], String::new()),
        target => (200, Vec::new(), format!("{{\"at\": \"{target}\"}}")),
    })
    .await;
    let steps = "GET /things\n> 200\nfollow next\n> .at = \"/more\"";
    assert_eq!(outcome(options(&stub.url), steps).await, Outcome::Passed);
    let failed = outcome(options(&stub.url), "GET /things\nfollow prev\n> 200").await;
    assert!(matches!(failed, Outcome::Failed(Failure { step: 2, .. })), "{failed:?}");
}

#[tokio::test]
async fn what_may_take_a_while_is_asked_again_until_patience_ends() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let stub = Stub::start(move |_| {
        let asked = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        canned(if asked == 0 { "200" } else { "404" })
    })
    .await;
    let steps = "eventually GET /things\n> 404";
    assert_eq!(outcome(options(&stub.url), steps).await, Outcome::Passed);
    let steps = "eventually GET /things\n> 200";
    assert!(matches!(outcome(options(&stub.url), steps).await, Outcome::Failed(_)));
}

/// A server that tells a subscriber at once, with a height.
async fn teller(height: u32) -> Stub {
    Stub::start(move |seen| {
        if seen.method == "POST" {
            let uri = seen.body.split('"').nth(3).expect("an address").to_owned();
            let (host, path) = uri["http://".len()..].split_once('/').expect("a path");
            let body = format!("{{\"height\": {height}}}");
            let request = format!(
                "POST /{path} HTTP/1.1\r\nHost: {host}\r\nX-Told: yes\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let mut stream = std::net::TcpStream::connect(host).expect("it listens");
            std::io::Write::write_all(&mut stream, request.as_bytes()).expect("it reads");
        }
        (204, Vec::new(), String::new())
    })
    .await
}

#[tokio::test]
async fn a_notification_is_waited_for_and_judged() {
    let steps = "POST /subscriptions\n{\"uri\": \"$callback\"}\n\
                 notified\n> header X-Told = yes\n> .height = 2";
    let truth = teller(2).await;
    assert_eq!(outcome(with_callback(&truth.url), steps).await, Outcome::Passed);
    let lie = teller(3).await;
    let failed = outcome(with_callback(&lie.url), steps).await;
    assert!(matches!(failed, Outcome::Failed(Failure { step: 2, .. })), "{failed:?}");
}

/// What is answered at an address.
fn asked(uri: &str, path: &str) -> String {
    let (host, name) = uri["http://".len()..].split_once('/').expect("a path");
    let mut stream = std::net::TcpStream::connect(host).expect("it listens");
    let request =
        format!("GET /{name}{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    std::io::Write::write_all(&mut stream, request.as_bytes()).expect("it reads");
    let answer = std::io::read_to_string(stream).expect("it answers");
    answer.split_once("\r\n\r\n").expect("a head").1.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_can_be_a_context_source_itself() {
    let source = std::sync::Mutex::new(String::new());
    let stub = Stub::start(move |seen| {
        let mut source = source.lock().expect("nobody panicked");
        if seen.method == "POST" {
            seen.body.split('"').nth(3).expect("an address").clone_into(&mut source);
            return canned("204");
        }
        // Whoever waits here may not hold up the tasks that he waits for.
        let there = tokio::task::block_in_place(|| match seen.target.as_str() {
            "/things" => asked(&source, "/a"),
            _ => String::new(),
        });
        (200, Vec::new(), there)
    })
    .await;
    let steps = |height: u32| {
        format!(
            "source GET /a\n{{\"height\": 2}}\nPOST /sources\n{{\"uri\": \"$callback\"}}\n\
             GET /things\n> .height = {height}\nnotified\n> header X-Conform-Request ends /a"
        )
    };
    assert_eq!(outcome(with_callback(&stub.url), &steps(2)).await, Outcome::Passed);
    let failed = outcome(with_callback(&stub.url), &steps(3)).await;
    assert!(matches!(failed, Outcome::Failed(Failure { step: 3, .. })), "{failed:?}");
}

#[tokio::test]
async fn a_notification_that_does_not_come_is_a_failure() {
    let stub = Stub::start(|_| canned("204")).await;
    let steps = "POST /subscriptions\n{\"uri\": \"$callback\"}\nnotified\n> .height = 2";
    let mut options = with_callback(&stub.url);
    options.patience = std::time::Duration::from_millis(50);
    let failed = outcome(options, steps).await;
    assert!(matches!(failed, Outcome::Failed(Failure { step: 2, .. })), "{failed:?}");
}

#[tokio::test]
async fn without_an_address_for_notifications_such_checks_are_skipped() {
    let stub = Stub::start(|_| canned("204")).await;
    let steps = "POST /subscriptions\n{\"uri\": \"$callback\"}\nnotified\n> .height = 2";
    let skipped = outcome(options(&stub.url), steps).await;
    assert!(
        matches!(&skipped, Outcome::Skipped(reason) if reason.contains("--callback")),
        "{skipped:?}"
    );
    assert!(stub.seen.lock().unwrap().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn what_was_created_is_deleted_also_behind_a_failure() {
    let stub = Stub::start(|seen| match seen.method.as_str() {
        "POST" => (201, vec![("location", "/subscriptions/7".to_owned())], String::new()),
        "GET" => canned("500"),
        _ => canned("204"),
    })
    .await;
    let failed = outcome(
        options(&stub.url),
        "POST /entities\n{\"id\": \"$a\"}\n> 201\nGET /entities/$a\n> 200",
    )
    .await;
    assert!(matches!(failed, Outcome::Failed(_)));
    let seen = stub.seen.lock().unwrap();
    let deleted: Vec<&str> =
        seen.iter().filter(|s| s.method == "DELETE").map(|s| s.target.as_str()).collect();
    assert!(deleted.contains(&"/subscriptions/7"), "{deleted:?}");
    let id = seen[0].body.split('"').nth(3).unwrap();
    for resource in ["entities", "temporal/entities"] {
        let place = format!("/{resource}/{id}");
        assert!(deleted.contains(&place.as_str()), "{deleted:?}");
    }
}

#[tokio::test]
async fn the_tenant_and_headers_of_the_options_go_with_every_request() {
    let stub = Stub::start(|_| canned("204")).await;
    let mut options = options(&stub.url);
    options.tenant = Some("harbour".to_owned());
    options.headers = vec![("Authorization".to_owned(), "Bearer 1".to_owned())];
    let steps = "DELETE /entities/$a\nDELETE /entities/$a\nNGSILD-Tenant: other";
    assert_eq!(outcome(options, steps).await, Outcome::Passed);
    let seen = stub.seen.lock().unwrap();
    let tenant = |at: usize| {
        let name = |(name, _): &&(String, String)| name == "ngsild-tenant";
        seen[at].headers.iter().find(name).map(|(_, value)| value.clone())
    };
    assert_eq!((tenant(0).as_deref(), tenant(1).as_deref()), (Some("harbour"), Some("other")));
    assert!(seen.iter().all(|s| s.headers.iter().any(|(name, _)| name == "authorization")));
}

#[tokio::test]
async fn a_url_where_nothing_is_found_is_said_with_what_was_tried() {
    let stub = Stub::start(|_| canned("404")).await;
    let error = Session::open(options(&format!("{}/nothing", stub.url))).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, OpenError::Nothing(_)));
    assert!(text.contains("/nothing/ngsi-ld/v1/entities: status 404"), "{text}");
    for url in ["nothing", "ftp://a/b", "http://"] {
        assert!(matches!(Session::open(options(url)).await, Err(OpenError::Nothing(_))), "{url}");
    }
}

#[tokio::test]
async fn a_root_with_both_standards_below_it_is_found_out() {
    let stub = Stub::start(|seen| match seen.target.as_str() {
        "/ngsi-ld/v1/entities?type=Conform" => canned("200 []"),
        "/ogc" => canned("200 {\"links\": [{\"rel\": \"conformance\"}, {\"rel\": \"data\"}]}"),
        _ => canned("404"),
    })
    .await;
    let session = Session::open(options(&format!("{}/x", stub.url))).await;
    assert!(session.is_err());
    let stub = Stub::start(|seen| match seen.target.as_str() {
        "/city/ngsi-ld/v1/entities?type=Conform" => canned("200 []"),
        "/city/ogc" => canned("200 {\"links\": [{\"rel\": \"conformance\"}, {\"rel\": \"data\"}]}"),
        _ => canned("404"),
    })
    .await;
    let session = Session::open(options(&format!("{}/city/", stub.url))).await.unwrap();
    let found = session.found();
    assert_eq!(found.ngsi_ld.as_deref(), Some(format!("{}/city/ngsi-ld/v1", stub.url).as_str()));
    assert_eq!(found.ogc_api.as_deref(), Some(format!("{}/city/ogc", stub.url).as_str()));
}
