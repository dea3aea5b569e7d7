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

#[test]
fn a_page_of_another_origin_reads_what_it_needs() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    fill(&server);
    for path in [ENTITIES, "/", "/health", "/nowhere"] {
        let answer = ask(&server, "GET", path, &[PAGE]);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        let exposed = answer.header("access-control-expose-headers").unwrap();
        for name in ["Link", "Location", "ETag", "NGSILD-Results-Count", "Cardo-Revision"] {
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
