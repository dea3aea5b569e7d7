//! Start, stop, restart, and data directories that are not what they should be.

use std::fs;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::tempdir;

use crate::support::{Connection, ENTITIES, Server, cardo, entity, error_text, output, path_of};

#[test]
fn what_was_written_is_there_after_a_restart() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("city");
    let server = Server::start(&data);
    server.create(
        "urn:x:1",
        "\"a\": 17, \"location\": {\"type\": \"Point\", \"coordinates\": [24.9, 60.2]}",
    );
    let before = server.get(&path_of("urn:x:1"));
    server.stop();

    let server = Server::start(&data);
    assert_eq!(server.get(&path_of("urn:x:1")), before);
    let near = format!(
        "{ENTITIES}?type=Sample&georel=near;maxDistance==10&geometry=Point&coordinates=%5B24.9,60.2%5D"
    );
    assert_eq!(server.get(&near).as_array().unwrap().len(), 1);
    server.stop();
}

#[test]
fn the_addresses_for_operators_answer() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    server.create("urn:x:1", "\"a\": 1");
    assert_eq!(server.get("/health")["status"], "up");
    assert_eq!(server.get("/ready")["status"], "ready");
    let index = server.get("/");
    assert_eq!(index["faces"][0]["href"], "/ngsi-ld/v1");
    let page = server
        .connect()
        .send("GET", "/", &[("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")], None)
        .unwrap();
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.text().contains("<base href=\"/\""), "{}", page.text());
    let metrics = server.send("GET", "/metrics", None).text();
    for line in [
        "cardo_requests_total{operation=\"create-entity\",status=\"2xx\"} 1",
        "cardo_entities_of_type{tenant=\"\",branch=\"main\",type=\"https://uri.etsi.org/ngsi-ld/default-context/Sample\"} 1",
        "cardo_commit_seconds_count",
        "cardo_resident_memory_bytes",
        "cardo_projector_lag_revisions",
        "cardo_revision{tenant=\"\",branch=\"main\"} ",
    ] {
        assert!(metrics.contains(line), "{line} is missing in\n{metrics}");
    }
    assert_eq!(server.send("GET", "/nothing", None).status, 404);
    server.stop();
}

#[test]
fn the_first_questions_of_the_index_are_answered() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    server.create("urn:x:1", "\"a\": 1");
    let index = server.get("/");
    let mut asked = 0;
    for face in index["faces"].as_array().unwrap() {
        for question in face["questions"].as_array().unwrap() {
            let path = question["href"].as_str().unwrap();
            let accept = [("Accept", "text/html, */*;q=0.8")];
            let answer = server.connect().send("GET", path, &accept, None);
            assert_eq!(answer.unwrap().status, 200, "{path}");
            asked += 1;
        }
    }
    assert!(asked >= 3, "{index}");
}

#[test]
fn a_second_server_on_one_directory_is_refused() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    server.create("urn:x:1", "\"a\": 1");
    let mut second = cardo(&["serve", "--listen", "127.0.0.1:0"]);
    second.arg("--data").arg(folder.path());
    let said = output(second);
    assert_eq!(said.status.code(), Some(1));
    let text = error_text(&said);
    assert!(text.contains("use"), "{text}");
    assert_eq!(server.send("GET", &path_of("urn:x:1"), None).status, 200);
    server.stop();
}

#[test]
fn a_damaged_directory_is_refused_and_left_as_it_is() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    server.create("urn:x:1", "\"a\": 1");
    server.stop();
    let mut damaged = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        if bytes.starts_with(b"SQLite format 3") {
            bytes[..64].fill(0x5a);
            fs::write(&path, &bytes).unwrap();
            damaged.push((path, bytes));
        }
    }
    assert!(!damaged.is_empty());
    let mut again = cardo(&["serve", "--listen", "127.0.0.1:0"]);
    again.arg("--data").arg(folder.path());
    let said = output(again);
    assert_eq!(said.status.code(), Some(1), "{}", error_text(&said));
    assert!(error_text(&said).contains("cardo:"), "{}", error_text(&said));
    for (path, bytes) in damaged {
        assert!(fs::read(&path).unwrap() == bytes, "{} was changed", path.display());
    }
}

#[test]
fn a_stop_under_load_loses_nothing_that_was_acknowledged() {
    let folder = tempdir().unwrap();
    let mut server = Server::start(folder.path());
    let acknowledged = AtomicUsize::new(0);
    let is_stopping = AtomicBool::new(false);
    let cut_short = AtomicUsize::new(0);
    thread::scope(|scope| {
        for writer in 0..4 {
            let (server, acknowledged) = (&server, &acknowledged);
            let (is_stopping, cut_short) = (&is_stopping, &cut_short);
            scope.spawn(move || {
                let mut connection = server.connect();
                for number in 0.. {
                    let body = entity(&format!("urn:x:{writer}-{number}"), "\"a\": 1");
                    match connection.send("POST", ENTITIES, &[], Some(&body)) {
                        Ok(answer) if answer.status == 201 => {
                            acknowledged.fetch_add(1, Ordering::SeqCst);
                            // The server says when it will take no more on this connection.
                            if answer.header("connection") == Some("close") {
                                return;
                            }
                        }
                        Ok(answer) => panic!("{}: {}", answer.status, answer.text()),
                        Err(_) => {
                            assert!(is_stopping.load(Ordering::SeqCst), "cut before the stop");
                            cut_short.fetch_add(1, Ordering::SeqCst);
                            return;
                        }
                    }
                }
            });
        }
        thread::sleep(Duration::from_millis(300));
        is_stopping.store(true, Ordering::SeqCst);
        server.ask_to_stop();
    });
    server.wait();
    let server = Server::start(folder.path());
    let answer = server.send("GET", &format!("{ENTITIES}?type=Sample&limit=1&count=true"), None);
    let count: usize = answer.header("ngsild-results-count").unwrap().parse().unwrap();
    let acknowledged = acknowledged.load(Ordering::SeqCst);
    assert!(acknowledged > 0);
    // A request that was cut between two others was never answered and may or may not be there.
    assert!(count >= acknowledged, "{count} of {acknowledged}");
    assert!(count <= acknowledged + cut_short.load(Ordering::SeqCst));
}

#[test]
fn a_client_that_sends_its_head_slowly_is_let_go() {
    let folder = tempdir().unwrap();
    let mut command = cardo(&["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
    command.arg("--data").arg(folder.path()).env("CARDO_LIMITS_HEADER_TIMEOUT", "200ms");
    let server = Server::spawn(command);
    let mut slow = Connection::open(&server.address);
    slow.write(b"GET /health HTTP/1.1\r\nHo").unwrap();
    // Closed, or answered with 408 and closed.
    if let Ok(answer) = slow.read() {
        assert_eq!(answer.status, 408);
    }
    assert_eq!(server.send("GET", "/health", None).status, 200);
}

#[test]
fn a_question_too_long_for_an_address_gets_an_answer_and_the_server_stays_up() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let terms: Vec<String> = (0..10_000).map(|n| format!("a=={n}")).collect();
    let path = format!("{ENTITIES}?type=Sample&q={}", terms.join("%7C"));
    let answer = server.connect().send("GET", &path, &[], None).unwrap();
    assert_eq!(answer.status, 414);
    assert!(answer.json()["detail"].as_str().unwrap().contains("65534"), "{}", answer.text());
    assert_eq!(server.get("/health")["status"], "up");
}

#[test]
fn a_huge_body_is_refused_unread_and_the_server_stays_up() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut client = server.connect();
    let head = format!(
        "POST {ENTITIES} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n\
         Content-Length: 104857600\r\n\r\n"
    );
    client.write(head.as_bytes()).unwrap();
    let answer = client.read().unwrap();
    assert_eq!(answer.status, 413, "{}", answer.text());
    server.create("urn:x:1", "\"a\": 1");
    server.stop();
}

#[test]
fn a_connection_goes_on_behind_an_answer_that_left_a_small_body_unread() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut connection = server.connect();
    let body = entity("urn:x:1", "\"a\": 1");
    for (path, kind, status) in [
        (ENTITIES, "text/plain", 415),
        ("/nothing", "application/json", 404),
        (ENTITIES, "application/json", 201),
    ] {
        let headers = [("Content-Type", kind)];
        let answer = connection.send("POST", path, &headers, Some(&body)).unwrap();
        assert_eq!((answer.status, answer.header("connection")), (status, None), "{path} {kind}");
    }
    let chunked = format!(
        "POST {ENTITIES} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
    );
    connection.write(chunked.as_bytes()).unwrap();
    let answer = connection.read().unwrap();
    assert_eq!((answer.status, answer.header("connection")), (411, None), "{}", answer.text());
    assert_eq!(connection.send("GET", &path_of("urn:x:1"), &[], None).unwrap().status, 200);
}

#[test]
fn a_connection_that_ends_behind_an_answer_is_said_to_end() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    // What is large is not read, nor what the client sends only if it is asked to.
    for more in ["Content-Length: 1000000\r\n", "Content-Length: 10\r\nExpect: 100-continue\r\n"] {
        let mut connection = server.connect();
        let head = format!(
            "POST /nothing HTTP/1.1\r\nHost: test\r\nContent-Type: text/plain\r\n{more}\r\n"
        );
        connection.write(head.as_bytes()).unwrap();
        let answer = connection.read().unwrap();
        assert_eq!((answer.status, answer.header("connection")), (404, Some("close")), "{more}");
        assert!(connection.read().is_err(), "{more}");
    }
}

#[test]
fn a_tenant_is_chosen_by_header_or_by_the_path() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let harbour = format!("/tenants/harbour{ENTITIES}");
    let body = entity("urn:x:1", "\"a\": 1");
    assert_eq!(server.send("POST", &harbour, Some(&body)).status, 201);
    assert_eq!(
        server.send("GET", &format!("/tenants/harbour{}", path_of("urn:x:1")), None).status,
        200
    );
    assert_eq!(server.send("GET", &path_of("urn:x:1"), None).status, 404);
    let header = [("NGSILD-Tenant", "harbour")];
    let answer = server.connect().send("GET", &path_of("urn:x:1"), &header, None).unwrap();
    assert_eq!(answer.status, 200);
    server.stop();
}

#[test]
fn a_subscriber_on_this_machine_is_told_only_where_the_configuration_allows_it() {
    let folder = tempdir().unwrap();
    let receiver = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/", receiver.local_addr().unwrap());
    let subscription = format!(
        "{{\"type\": \"Subscription\", \"entities\": [{{\"type\": \"Sample\"}}], \
         \"notification\": {{\"endpoint\": {{\"uri\": \"{endpoint}\"}}}}}}"
    );
    let closed = Server::start(&folder.path().join("closed"));
    let answer = closed.send("POST", "/ngsi-ld/v1/subscriptions", Some(&subscription));
    if answer.status != 201 {
        assert!(answer.text().contains("egress.allow_loopback"), "{}", answer.text());
    }
    closed.create("urn:x:1", "\"a\": 1");
    receiver.set_nonblocking(true).unwrap();
    thread::sleep(Duration::from_millis(500));
    assert!(receiver.accept().is_err(), "the gate is closed by default");
    drop(closed);

    let mut command = cardo(&["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
    command.arg("--data").arg(folder.path().join("open"));
    command.env("CARDO_EGRESS_ALLOW_LOOPBACK", "true");
    let open = Server::spawn(command);
    let answer = open.send("POST", "/ngsi-ld/v1/subscriptions", Some(&subscription));
    assert_eq!(answer.status, 201, "{}", answer.text());
    open.create("urn:x:1", "\"a\": 17");
    receiver.set_nonblocking(false).unwrap();
    let (mut stream, _) = receiver.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut told = Vec::new();
    let mut piece = [0; 4096];
    while !String::from_utf8_lossy(&told).contains("urn:x:1") {
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&told));
        told.extend_from_slice(&piece[..read]);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    open.stop();
}

#[test]
fn a_context_that_was_added_serves_without_a_network() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let context = folder.path().join("context.jsonld");
    let url = "https://contexts.invalid/benches.jsonld";
    fs::write(&context, "{\"@context\": {\"Bench\": \"https://x.example/Bench\", \"seats\": \"https://x.example/seats\"}}").unwrap();
    let mut add = cardo(&["context", "add", url, context.to_str().unwrap()]);
    add.arg("--data").arg(&data);
    let said = output(add);
    assert!(said.status.success(), "{}", error_text(&said));

    let server = Server::start(&data);
    let body = format!(
        "{{\"@context\": \"{url}\", \"id\": \"urn:x:1\", \"type\": \"Bench\", \"seats\": 4}}"
    );
    let ld = [("Content-Type", "application/ld+json")];
    let answer = server.connect().send("POST", ENTITIES, &ld, Some(&body)).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    let plain = server.get(&path_of("urn:x:1"));
    assert_eq!(plain["type"], "https://x.example/Bench");
    assert_eq!(plain["https://x.example/seats"]["value"], 4);
    server.stop();

    let mut bad = cardo(&["context", "add", url]);
    fs::write(&context, "[1, 2").unwrap();
    bad.arg(&context).arg("--data").arg(&data);
    assert_eq!(output(bad).status.code(), Some(2));
}
