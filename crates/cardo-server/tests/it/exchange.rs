//! Compression, caching and pages of other origins, as a client of the running server sees them.

use std::io::{Read, Write as _};
use std::process::{Command, Stdio};

use tempfile::tempdir;

use crate::support::{Answer, ENTITIES, Server, cardo, entity, path_of};

const PAGE: (&str, &str) = ("Origin", "https://app.example");

fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    server.connect().send(method, path, headers, None).expect("the server answers")
}

fn fill(server: &Server) {
    let batch: Vec<String> =
        (0..60).map(|n| entity(&format!("urn:x:{n}"), &format!("\"n\": {n}"))).collect();
    let body = format!("[{}]", batch.join(","));
    let answer = server.send("POST", "/ngsi-ld/v1/entityOperations/create", Some(&body));
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// Unpacks with a program that is not ours, where the machine has it.
fn unpacked(program: &str, arguments: &[&str], packed: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().ok()?;
    child.stdin.take()?.write_all(packed).ok()?;
    let mut plain = Vec::new();
    child.stdout.take()?.read_to_end(&mut plain).ok()?;
    child.wait().ok()?.success().then_some(plain)
}

#[test]
fn large_answers_are_compressed_as_asked_and_keep_their_tag() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    fill(&server);
    let path = format!("{ENTITIES}?type=Sample&limit=60");
    let plain = ask(&server, "GET", &path, &[]);
    assert_eq!(plain.header("content-encoding"), None);
    let tag = plain.header("etag").unwrap().to_owned();
    for coding in ["gzip", "br", "zstd"] {
        let packed = ask(&server, "GET", &path, &[("Accept-Encoding", coding)]);
        assert_eq!(packed.header("content-encoding"), Some(coding));
        assert_eq!(packed.header("etag"), Some(tag.as_str()));
        assert!(packed.body.len() * 4 < plain.body.len(), "{coding}: {}", packed.body.len());
        if coding == "gzip" {
            assert_eq!(unpacked("gzip", &["-dc"], &packed.body).unwrap(), plain.body);
        } else if let Some(unpacked) =
            unpacked(if coding == "br" { "brotli" } else { "zstd" }, &["-dc"], &packed.body)
        {
            assert_eq!(unpacked, plain.body, "{coding}");
        }
        let known = [("Accept-Encoding", coding), ("If-None-Match", tag.as_str())];
        let same = ask(&server, "GET", &path, &known);
        assert_eq!((same.status, same.body.len()), (304, 0));
        assert_eq!(same.header("content-encoding"), None);
    }
    let small = ask(&server, "GET", &path_of("urn:x:1"), &[("Accept-Encoding", "gzip")]);
    assert_eq!(small.header("content-encoding"), None);
}

/// A question to GraphQL in an address.
const QUESTION: &str =
    "/graphql?query=%7BsampleList(first:60)%7BtotalCount%20nodes%7Bid%20n%20modifiedAt%7D%7D%7D";

/// An answer without the moment at which it was made.
fn content(answer: &Answer) -> serde_json::Value {
    let mut content = answer.json();
    if let Some(members) = content.as_object_mut() {
        members.remove("timeStamp");
    }
    content
}

#[test]
fn features_and_graphs_are_compressed_and_tagged_as_well() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    fill(&server);
    let items = "/ogc/collections/Sample/items?limit=60";
    for path in [items, "/ogc/api", "/ogc/collections/Sample/items?limit=60&f=html", QUESTION] {
        let plain = ask(&server, "GET", path, &[]);
        assert_eq!(plain.status, 200, "{path}: {}", plain.text());
        let tag = plain.header("etag").expect("a tag").to_owned();
        assert!(tag.starts_with("W/\""), "{tag}");
        let vary: Vec<&str> = plain.header("vary").unwrap().split(", ").collect();
        for name in ["Accept", "NGSILD-Tenant", "Authorization", "Accept-Encoding"] {
            assert!(vary.contains(&name), "{vary:?}");
        }
        let packed = ask(&server, "GET", path, &[("Accept-Encoding", "gzip")]);
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{path}");
        assert_eq!(packed.header("etag"), Some(tag.as_str()), "{path}");
        let unpacked = Answer { body: unpacked("gzip", &["-dc"], &packed.body).unwrap(), ..packed };
        if path.contains("f=html") {
            assert_eq!(unpacked.body, plain.body);
        } else {
            assert_eq!(content(&unpacked), content(&plain));
        }
        let known = [("If-None-Match", tag.as_str())];
        for method in ["GET", "HEAD"] {
            let same = ask(&server, method, path, &known);
            assert_eq!((same.status, same.body.len()), (304, 0), "{method} {path}");
            assert_eq!(same.header("etag"), Some(tag.as_str()));
        }
        let other = ask(&server, "GET", path, &[known[0], ("NGSILD-Tenant", "nobody")]);
        assert_eq!((other.status, other.header("etag")), (404, None), "{path}");
        server.create(&format!("urn:x:{}", tag.len() + path.len() * 1_000), "\"n\": 1");
        let newer = ask(&server, "GET", path, &known);
        assert_eq!(newer.status, 200, "{path}");
        assert_ne!(newer.header("etag"), Some(tag.as_str()));
    }
    let as_page = ask(&server, "GET", items, &[("Accept", "text/html")]);
    let as_data = ask(&server, "GET", items, &[]);
    assert_ne!(as_page.header("etag"), as_data.header("etag"));
    for path in ["/ogc/collections/None", "/graphql?query=%7Bnone%7D"] {
        assert_eq!(ask(&server, "GET", path, &[]).header("etag"), None, "{path}");
    }
    let post = server.send("POST", "/graphql", Some("{\"query\":\"{revision}\"}"));
    assert_eq!((post.status, post.header("etag")), (200, None));
}

/// Sends a body that is coded.
fn post_coded(server: &Server, path: &str, coding: &str, body: &[u8]) -> Answer {
    let mut connection = server.connect();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n\
         Content-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    connection.write(&[head.as_bytes(), body].concat()).expect("the server reads");
    connection.read().expect("the server answers")
}

#[test]
fn bodies_come_in_gzip_and_other_codings_are_refused_in_the_form_of_each_face() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let entity = entity("urn:x:1", "\"n\": 1");
    let question = "{\"query\": \"{ entities { totalCount } }\"}";
    for (path, body, status) in [(ENTITIES, entity.as_str(), 201), ("/graphql", question, 200)] {
        let packed = unpacked("gzip", &["-c"], body.as_bytes()).unwrap();
        let answer = post_coded(&server, path, "gzip", &packed);
        assert_eq!(answer.status, status, "{}", answer.text());
        let other = post_coded(&server, path, "br", &packed);
        assert_eq!((other.status, other.header("accept-encoding")), (415, Some("gzip")));
        let broken = post_coded(&server, path, "gzip", &packed[..12]);
        assert_eq!(broken.status, 400, "{}", broken.text());
        for refused in [other.json(), broken.json()] {
            let says = if path == "/graphql" {
                refused["errors"][0]["message"].clone()
            } else {
                refused["detail"].clone()
            };
            assert!(says.as_str().unwrap().contains("gzip"), "{refused}");
        }
    }
    let answer = post_coded(&server, "/graphql", "identity", question.as_bytes());
    assert_eq!(answer.json()["data"]["entities"]["totalCount"], 1);
}

#[test]
fn a_strange_page_asks_graphql_and_changes_nothing_by_it() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    fill(&server);
    let wanted = [
        PAGE,
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type"),
    ];
    let post = |path: &str, content: &str, body: &str| {
        let headers = [PAGE, ("Content-Type", content)];
        server.connect().send("POST", path, &headers, Some(body)).expect("the server answers")
    };
    let json = "application/json";
    for (path, question) in [
        ("/graphql", "{\"query\": \"{ revision }\"}"),
        ("/graphql/", "[{\"query\": \"{ revision }\"}]"),
        (
            "/ngsi-ld/v1/entityOperations/query",
            "{\"type\": \"Query\", \"entities\": [{\"type\": \"Sample\"}]}",
        ),
    ] {
        assert_eq!(ask(&server, "OPTIONS", path, &wanted).status, 204, "{path}");
        let answer = post(path, json, question);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    let delete = "mutation { deleteEntity(id: \\\"urn:x:1\\\") { id } }";
    let one = format!("{{\"query\": \"{delete}\"}}");
    let both = format!("[{{\"query\": \"{{ revision }}\"}}, {one}]");
    for body in [&one, &both] {
        let refused = post("/graphql", json, body);
        assert_eq!(refused.status, 403, "{}", refused.text());
        assert_eq!(refused.json()["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
    assert_eq!(post("/tenants/north/graphql", json, &one).status, 403);
    // What a form can send without asking first.
    for content in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        assert_eq!(post("/graphql", content, &one).status, 415, "{content}");
    }
    let create = post("/ngsi-ld/v1/entityOperations/create", json, "[]");
    assert_eq!(create.status, 403);
    assert_eq!(server.get(&path_of("urn:x:1"))["id"], "urn:x:1");
    let own = ("Origin", "http://localhost:5173");
    let headers = [own, ("Content-Type", json)];
    let answer = server.connect().send("POST", "/graphql", &headers, Some(&one)).unwrap();
    assert!(answer.json()["errors"].is_null(), "{}", answer.text());
    assert_eq!(server.send("GET", &path_of("urn:x:1"), None).status, 404);
}

/// Headers that clients of some face need.
const READABLE: [&str; 9] = [
    "Link",
    "Location",
    "ETag",
    "Content-Crs",
    "OGC-NumberMatched",
    "OGC-NumberReturned",
    "NGSILD-Results-Count",
    "Cardo-Revision",
    "Retry-After",
];

#[test]
fn g10_a_page_of_another_origin_reads_what_it_needs() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    fill(&server);
    let items = "/ogc/collections/Sample/items";
    for path in [ENTITIES, items, "/ogc/x", QUESTION, "/graphql", "/", "/health", "/nowhere"] {
        let answer = ask(&server, "GET", path, &[PAGE]);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        let exposed = answer.header("access-control-expose-headers").unwrap();
        for name in READABLE {
            assert!(exposed.split(", ").any(|known| known == name), "{exposed}");
        }
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
    // Everybody may write here without a token, so a strange page may not.
    let preflight = |server: &Server, origin| {
        let wanted = ("Access-Control-Request-Headers", "authorization,content-type");
        let headers = [("Origin", origin), ("Access-Control-Request-Method", "POST"), wanted];
        ask(server, "OPTIONS", ENTITIES, &headers)
    };
    assert_eq!(preflight(&server, PAGE.1).status, 403);
    let local = preflight(&server, "http://localhost:5173");
    assert_eq!(local.status, 204);
    assert_eq!(local.header("access-control-allow-headers"), Some("authorization,content-type"));
    assert!(local.header("access-control-allow-methods").unwrap().contains("PATCH"));
    assert_eq!(ask(&server, "DELETE", &path_of("urn:x:1"), &[PAGE]).status, 403);
    assert_eq!(ask(&server, "GET", &path_of("urn:x:1"), &[]).status, 200);
    server.stop();

    let mut command = cardo(&["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
    command.arg("--data").arg(folder.path()).env("CARDO_AUTH_ANONYMOUS", "read");
    let server = Server::spawn(command);
    assert_eq!(preflight(&server, PAGE.1).header("access-control-allow-origin"), Some("*"));
    assert_eq!(ask(&server, "DELETE", &path_of("urn:x:1"), &[PAGE]).status, 401);
}

#[test]
fn the_first_answer_after_a_restart_has_the_tag_of_the_second_in_every_face() {
    let folder = tempdir().unwrap();
    let paths = [
        "/ngsi-ld/v1/entities?type=Sample",
        "/ngsi-ld/v1/entities/urn:x:1",
        "/ngsi-ld/v1/types",
        "/ngsi-ld/v1/temporal/entities/urn:x:1",
        "/ogc/collections",
        "/ogc/collections/Sample",
        "/ogc/collections/Sample/items",
        "/ogc/collections/Sample/items/urn:x:1",
        "/graphql?query=%7BsampleList%7Bnodes%7Bid%7D%7D%7D",
    ];
    // A twin for each, so that each answer is the first of its twin.
    let of_twin = |number: usize, path: &str| format!("/tenants/t{number}{path}");
    let server = Server::start(folder.path());
    for number in 0..paths.len() {
        let body = entity("urn:x:1", "\"a\": 1");
        let answer = server.send("POST", &of_twin(number, ENTITIES), Some(&body));
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    server.stop();
    let server = Server::start(folder.path());
    for (number, path) in paths.into_iter().enumerate() {
        let path = of_twin(number, path);
        let [first, second] = [(); 2].map(|()| server.send("GET", &path, None));
        assert_eq!(first.status, 200, "{path}: {}", first.text());
        assert!(second.header("etag").is_some(), "{path}");
        assert_eq!(first.header("etag"), second.header("etag"), "{path}");
    }
    server.stop();
}
