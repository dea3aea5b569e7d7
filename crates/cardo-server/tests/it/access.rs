//! Tokens, rights and tenants, from outside.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::tempdir;

use crate::support::{ENTITIES, Server, cardo, entity, error_text, output, path_of};

/// Makes a token with the command, puts its entry into a file, and returns the token.
pub(crate) fn token(file: &Path, args: &[&str]) -> String {
    let said = output(cardo(&[&["token"], args].concat()));
    assert!(said.status.success(), "{}", error_text(&said));
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let token = text.lines().find(|line| line.starts_with("cardo_")).expect("a token").to_owned();
    let entry = &text[text.find("[[auth.tokens]]").expect("an entry")..];
    let before = fs::read_to_string(file).unwrap_or_default();
    fs::write(file, format!("{before}\n{entry}")).expect("it can be written");
    token
}

fn status(server: &Server, token: Option<&str>, method: &str, path: &str, tenant: &str) -> u16 {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers: Vec<(&str, &str)> = Vec::new();
    if let Some(bearer) = &bearer {
        headers.push(("Authorization", bearer));
    }
    if !tenant.is_empty() {
        headers.push(("NGSILD-Tenant", tenant));
    }
    let body = (method == "POST").then(|| entity("urn:x:1", "\"a\": 1"));
    let answer = server.connect().send(method, path, &headers, body.as_deref());
    let answer = answer.expect("the server answers");
    if matches!(answer.status, 401 | 403) {
        let problem = answer.json();
        assert!(problem["type"].is_string() && problem["title"].is_string(), "{problem}");
        assert_eq!(answer.header("www-authenticate").is_some(), answer.status == 401);
    }
    answer.status
}

#[test]
fn each_token_does_what_its_rights_and_tenants_allow() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("cardo.toml");
    let reader = token(&file, &["--name", "reader"]);
    let writer = token(&file, &["--name", "writer", "--rights", "write"]);
    let harbour = token(&file, &["--name", "harbour", "--rights", "write", "--tenant", "harbour"]);
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &["--config", file.to_str().unwrap()]);
    let known = path_of("urn:x:1");
    let unknown = Some("cardo_0123456789");

    assert_eq!(status(&server, None, "POST", ENTITIES, ""), 401);
    assert_eq!(status(&server, unknown, "POST", ENTITIES, ""), 401);
    assert_eq!(status(&server, Some(&reader), "POST", ENTITIES, ""), 403);
    assert_eq!(status(&server, Some(&harbour), "POST", ENTITIES, ""), 403);
    assert_eq!(status(&server, Some(&writer), "POST", ENTITIES, ""), 201);
    assert_eq!(status(&server, Some(&harbour), "POST", ENTITIES, "harbour"), 201);

    assert_eq!(status(&server, None, "GET", &known, ""), 401);
    assert_eq!(status(&server, unknown, "GET", &known, ""), 401);
    assert_eq!(status(&server, Some(&reader), "GET", &known, ""), 200);
    assert_eq!(status(&server, Some(&writer), "GET", &known, ""), 200);
    assert_eq!(status(&server, Some(&harbour), "GET", &known, ""), 403);
    assert_eq!(status(&server, Some(&harbour), "GET", &known, "harbour"), 200);
    assert_eq!(status(&server, Some(&reader), "DELETE", &known, ""), 403);

    assert_eq!(server.send("GET", "/health", None).status, 200);
    assert_eq!(server.send("GET", "/metrics", None).status, 401);
    server.stop();
}

#[test]
fn anonymous_readers_read_where_that_was_set() {
    let folder = tempdir().unwrap();
    let mut command = cardo(&["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
    command.arg("--data").arg(folder.path()).env("CARDO_AUTH_ANONYMOUS", "read");
    let server = Server::spawn(command);
    assert_eq!(status(&server, None, "POST", ENTITIES, ""), 401);
    assert_eq!(status(&server, None, "GET", "/ngsi-ld/v1/types", ""), 200);
}

#[test]
fn beyond_loopback_a_server_without_tokens_does_not_start() {
    let folder = tempdir().unwrap();
    let serve = || -> Command {
        let mut command = cardo(&["serve", "--listen", "0.0.0.0:0", "--log-level", "warn"]);
        command.arg("--data").arg(folder.path().join("data"));
        command
    };
    let said = output(serve());
    assert_eq!(said.status.code(), Some(1));
    let text = error_text(&said);
    assert!(text.contains("cardo token") && text.contains("auth.anonymous"), "{text}");
    assert!(!folder.path().join("data").exists());

    let mut on_purpose = serve();
    on_purpose.env("CARDO_AUTH_ANONYMOUS", "read");
    Server::spawn(on_purpose).stop();
}

#[test]
fn the_log_is_an_object_a_line_and_holds_no_token() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("cardo.toml");
    let writer = token(&file, &["--name", "writer", "--rights", "write"]);
    let log = folder.path().join("log");
    let mut command = cardo(&["serve", "--listen", "127.0.0.1:0", "--log-level", "debug"]);
    command.args(["--log-format", "json", "--config", file.to_str().unwrap()]);
    command.arg("--data").arg(folder.path().join("data"));
    let server = Server::spawn_with_log(command, fs::File::create(&log).unwrap().into());
    assert_eq!(status(&server, Some(&writer), "POST", ENTITIES, ""), 201);
    assert_eq!(status(&server, Some("cardo_unknown"), "POST", ENTITIES, ""), 401);
    server.stop();
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("listening") && log.contains("stopped"), "{log}");
    assert!(!log.contains(&writer) && !log.contains("cardo_unknown"), "{log}");
    for line in log.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(event["level"].is_string() && event["timestamp"].is_string(), "{line}");
        assert_ne!(event["level"], "ERROR", "{line}");
    }
}
