//! `cardo conform`: this server does all that is checked, and a server that lies is found out.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use cardo_conform::{Check, Look, Options, Outcome, Sends, Session, checks};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tempfile::tempdir;
use tokio::net::TcpListener;

use crate::support::{ENTITIES, Server, cardo, error_text, output};

/// A server that may tell receivers on this machine, with some features.
fn server(data: &Path) -> Server {
    let mut command = cardo(&["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
    command.arg("--data").arg(data).env("CARDO_EGRESS_ALLOW_LOOPBACK", "true");
    let server = Server::spawn(command);
    for (number, lon) in [(1, 24.91), (2, 24.95), (3, 25.02)] {
        let place =
            format!("\"location\": {{\"type\": \"Point\", \"coordinates\": [{lon}, 60.17]}}");
        server.create(
            &format!("urn:x:sample:{number}"),
            &format!("\"name\": \"n{number}\", {place}"),
        );
    }
    // What checks may write to.
    let draft = r#"{"id": "urn:x:draft:1", "type": "Draft", "name": "d",
        "location": {"type": "Point", "coordinates": [10.5, 50.5]}}"#;
    assert_eq!(server.send("POST", ENTITIES, Some(draft)).status, 201);
    server
}

#[test]
fn this_server_passes_every_check_and_keeps_nothing_of_them() {
    let folder = tempdir().unwrap();
    let server = server(&folder.path().join("data"));
    let url = format!("http://{}", server.address);
    let junit = folder.path().join("junit.xml");
    let mut command =
        cardo(&["conform", &url, "--json", "--callback", "127.0.0.1:0", "--jobs", "16"]);
    command.args(["--patience", "60"]).arg("--junit").arg(&junit);
    let said = output(command);
    let report: Value = serde_json::from_slice(&said.stdout).expect("a JSON document");
    let failed: Vec<&Value> =
        report["checks"].as_array().unwrap().iter().filter(|c| c["outcome"] == "failed").collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(said.status.success(), "{}", error_text(&said));
    assert_eq!(report["skipped"], 0, "{report:#}");
    assert_eq!(report["passed"], checks().len());
    let junit = fs::read_to_string(junit).unwrap();
    assert_eq!(junit.matches("<testcase").count(), checks().len());
    let types = server.get("/ngsi-ld/v1/types");
    assert_eq!(types["typeList"], serde_json::json!(["Draft", "Sample"]));
    assert_eq!(server.get("/ogc/collections/Draft/items")["numberMatched"], 1);
    assert_eq!(server.get("/ngsi-ld/v1/subscriptions"), serde_json::json!([]));
}

#[test]
fn a_part_can_be_checked_and_is_told_by_clause() {
    let folder = tempdir().unwrap();
    let server = server(folder.path());
    let url = format!("http://{}/ngsi-ld/v1", server.address);
    let said = output(cardo(&["conform", &url, "--only", "5.6.6", "--only", "5.8.6"]));
    assert!(said.status.success(), "{}", error_text(&said));
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(text.contains("\n5.6.6 Delete Entity\n  ✓ 5.6.6.4:deleted"), "{text}");
    assert!(text.contains("needs an address for notifications (--callback)"), "{text}");
    assert!(!text.contains("5.6.1") && !text.contains('\u{1b}'), "{text}");
    let list = output(cardo(&["conform", "--list", "--only", "5.6.6"]));
    assert_eq!(String::from_utf8_lossy(&list.stdout).lines().count(), 5);
}

#[test]
fn a_check_that_fails_is_shown_with_its_request_and_ends_in_1() {
    let folder = tempdir().unwrap();
    let server = server(&folder.path().join("data"));
    let file = folder.path().join("mine.checks");
    fs::write(&file, "clause 0 Mine\n\n== 0 teapot\nIt is a teapot.\nGET /types\n> 418\n").unwrap();
    let url = format!("http://{}", server.address);
    let mut command = cardo(&["conform", &url, "--header", "X-Asked: yes", "--checks"]);
    command.arg(&file);
    let said = output(command);
    assert_eq!(said.status.code(), Some(1));
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let request = format!("request   curl -i '{url}/ngsi-ld/v1/types' -H 'X-Asked: yes'");
    assert!(text.contains("✗ 0:teapot") && text.contains(&request), "{text}");
    assert!(text.contains("expected  status 418") && text.contains("status 200"), "{text}");
}

#[test]
fn what_cannot_be_checked_is_refused() {
    let nowhere = output(cardo(&["conform", "http://127.0.0.1:1", "--timeout", "5"]));
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(error_text(&nowhere).contains("127.0.0.1:1/ngsi-ld/v1"), "{}", error_text(&nowhere));
    for (args, reason) in [
        (&["http://127.0.0.1:1", "--only", "99"][..], "99"),
        (&["http://127.0.0.1:1", "--header", "nothing"], "nothing"),
        (&["http://127.0.0.1:1", "--checks", "/none"], "/none"),
        (&["http://127.0.0.1:1", "--jobs", "0"], "jobs"),
        (&[], "URL"),
    ] {
        let said = output(cardo(&[&["conform"], args].concat()));
        assert_eq!(said.status.code(), Some(2), "{args:?}: {}", error_text(&said));
        assert!(error_text(&said).contains(reason), "{args:?}: {}", error_text(&said));
    }
}

/// In which way answers are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    Status,
    Headers,
    OtherBody,
    NoBody,
}

/// Which answer is changed, counted from the last time it was set.
#[derive(Debug, Clone, Copy)]
struct Plan {
    lie: Lie,
    at: usize,
    asked: usize,
}

/// A proxy that lies as planned.
#[derive(Clone)]
struct Liar {
    to: String,
    client: Client<HttpConnector, Body>,
    plan: Arc<Mutex<Option<Plan>>>,
}

impl Liar {
    /// Starts one; its URL, and its plan.
    async fn start(to: &str) -> (String, Arc<Mutex<Option<Plan>>>) {
        let plan: Arc<Mutex<Option<Plan>>> = Arc::default();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let liar = Self { to: to.to_owned(), client, plan: Arc::clone(&plan) };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(pass).with_state(liar);
        tokio::spawn(async move { axum::serve(listener, router).await });
        (url, plan)
    }

    /// The lie for the answer to the next request, if it is its turn.
    fn turn(&self) -> Option<Lie> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = plan.as_mut()?;
        plan.asked += 1;
        (plan.asked == plan.at + 1).then_some(plan.lie)
    }
}

/// Passes a request on, and its answer back.
async fn pass(State(liar): State<Liar>, mut request: Request) -> Response<Body> {
    // A request that came before the plan was set, and is still under way, has no part in it.
    let lie = liar.turn();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = format!("http://{}{path}", liar.to).parse::<Uri>().expect("a URL");
    let answer = liar.client.request(request).await.expect("an answer");
    let (mut parts, body) = answer.into_parts();
    let mut body = to_bytes(Body::new(body), usize::MAX).await.expect("a body");
    if let Some(lie) = lie {
        match lie {
            Lie::Status => parts.status = StatusCode::IM_A_TEAPOT,
            Lie::Headers => parts.headers = HeaderMap::new(),
            Lie::OtherBody => {
                body = Bytes::from_static(b"[{\"id\": \"urn:lie\", \"type\": \"Lie\"}]");
            }
            Lie::NoBody => body = Bytes::new(),
        }
        parts.headers.remove("content-length");
    }
    Response::from_parts(parts, Body::from(body))
}

/// The lies that a step has to find out, any one of the second list of each.
fn lies(look: Look) -> Vec<Vec<Lie>> {
    let mut lies = vec![vec![Lie::Status]];
    if look.headers {
        lies.push(vec![Lie::Headers]);
    }
    if look.body {
        lies.push(vec![Lie::OtherBody, Lie::NoBody]);
    }
    lies
}

/// The lies about a check that nobody noticed.
async fn unnoticed(session: &Session, plan: &Mutex<Option<Plan>>, check: &Check) -> Vec<String> {
    let mut missed = Vec::new();
    let looks = check.looks().into_iter().filter(|look| look.sends != Sends::Nothing);
    for (at, look) in looks.enumerate().take_while(|(_, look)| look.sends == Sends::Once) {
        for lies in lies(look) {
            let mut noticed = false;
            // A request that is sent again, its connection having been closed, takes the turn of a lie, so
            // each has another one.
            for lie in lies.iter().chain(&lies) {
                *plan.lock().expect("nobody panicked") = Some(Plan { lie: *lie, at, asked: 0 });
                noticed |= matches!(session.run(check).await, Outcome::Failed(_));
                *plan.lock().expect("nobody panicked") = None;
                if noticed {
                    break;
                }
            }
            if !noticed {
                missed.push(format!("{}, step {}: {lies:?}", check.id(), at + 1));
            }
        }
    }
    missed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lies_is_found_out_by_every_check() {
    const LIARS: usize = 16;
    let folder = tempdir().unwrap();
    let server = server(folder.path());
    let checks = Arc::new(Mutex::new(checks()));
    let mut tasks = Vec::new();
    for _ in 0..LIARS {
        let (url, plan) = Liar::start(&server.address).await;
        let checks = Arc::clone(&checks);
        tasks.push(tokio::spawn(async move {
            let mut options = Options::new(url);
            options.callback = Some("127.0.0.1:0".parse().expect("an address"));
            options.patience = Duration::from_secs(60);
            let session = Session::open(options).await.unwrap();
            let mut missed = Vec::new();
            loop {
                let Some(check) = checks.lock().unwrap().pop() else { break missed };
                if session.run(&check).await == Outcome::Passed {
                    missed.extend(unnoticed(&session, &plan, &check).await);
                }
            }
        }));
    }
    let mut missed = Vec::new();
    for task in tasks {
        missed.extend(task.await.unwrap());
    }
    assert!(missed.is_empty(), "lies that nobody noticed:\n{}", missed.join("\n"));
}
