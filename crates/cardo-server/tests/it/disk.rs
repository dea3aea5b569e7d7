//! A full disk refuses writes and goes on answering.

use std::path::Path;
use std::process::Command;

use tempfile::tempdir;

use crate::support::{ENTITIES, Server, clean_environment, entity, path_of};

/// A command that serves from a small file system of its own, where this system lets us mount one.
fn on_small_disk(data: &Path, megabytes: u32) -> Option<Command> {
    let script = format!("mount -t tmpfs -o size={megabytes}m tmpfs \"$0\" && exec \"$@\"");
    let namespaces: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
    let prefix = namespaces.into_iter().find(|flags| {
        let mut probe = Command::new("unshare");
        probe.args(*flags).args(["sh", "-c", &script]).arg(data).arg("true");
        probe.output().is_ok_and(|output| output.status.success())
    })?;
    let mut command = Command::new("unshare");
    clean_environment(&mut command);
    command.args(prefix).args(["sh", "-c", &script]).arg(data);
    command.args([env!("CARGO_BIN_EXE_cardo"), "serve", "--listen", "127.0.0.1:0"]);
    command.args(["--log-level", "error", "--data"]).arg(data);
    Some(command)
}

#[test]
fn a_full_disk_refuses_writes_with_a_reason_and_keeps_answering() {
    let folder = tempdir().unwrap();
    let Some(command) = on_small_disk(folder.path(), 6) else {
        println!("did not run: this system mounts no tmpfs for tests");
        return;
    };
    let server = Server::spawn(command);
    server.create("urn:x:first", "\"a\": 1");
    let large = "x".repeat(60_000);
    let mut connection = server.connect();
    let mut written = Vec::new();
    let refused = (0..400).find_map(|number| {
        let id = format!("urn:x:{number}");
        let body = entity(&id, &format!("\"a\": \"{large}\""));
        let answer = connection.send("POST", ENTITIES, &[], Some(&body)).unwrap();
        if answer.status == 201 {
            written.push(id);
            return None;
        }
        Some(answer)
    });
    let refused = refused.expect("six megabytes do not hold twenty-four");
    assert!(refused.status == 503 || refused.status == 507, "{}", refused.status);
    assert!(refused.text().contains("full"), "{}", refused.text());
    assert!(!written.is_empty());
    for id in written.iter().map(String::as_str).chain(["urn:x:first"]) {
        assert_eq!(server.send("GET", &path_of(id), None).status, 200, "{id}");
    }
    let missing = path_of(&format!("urn:x:{}", written.len()));
    assert_eq!(server.send("GET", &missing, None).status, 404, "a refused write is not visible");
    assert_eq!(server.send("GET", "/health", None).status, 200);
    assert_eq!(server.send("GET", "/ready", None).status, 503);
}
