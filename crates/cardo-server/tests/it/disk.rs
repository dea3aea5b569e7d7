//! A full disk refuses writes and goes on answering, also from a new start.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::tempdir;

use crate::support::{ENTITIES, Server, clean_environment, entity, path_of};

/// A small file system of its own, which lasts as long as a process holds it.
struct SmallDisk {
    folder: PathBuf,
    holder: Child,
    /// How others come to see it.
    join: Vec<String>,
}

impl SmallDisk {
    /// `None` where this system lets us mount none.
    fn mount(folder: &Path, megabytes: u32) -> Option<Self> {
        let mount = format!("mount -t tmpfs -o size={megabytes}m tmpfs \"$0\"");
        let script = format!("{mount} && echo mounted && exec sleep infinity");
        let ways: [(&[&str], &[&str]); 2] = [
            (&["--mount"], &["--mount"]),
            (
                &["--user", "--map-root-user", "--mount"],
                &["--user", "--preserve-credentials", "--mount"],
            ),
        ];
        ways.into_iter().find_map(|(own, join)| {
            let mut command = Command::new("unshare");
            command.args(own).args(["sh", "-c", &script]).arg(folder);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut holder = command.spawn().ok()?;
            let mut said = String::new();
            let output = holder.stdout.take().expect("its output is piped");
            BufReader::new(output).read_line(&mut said).expect("its output can be read");
            let target = format!("--target={}", holder.id());
            let join = join.iter().map(|flag| (*flag).to_owned()).chain([target]).collect();
            let disk = Self { folder: folder.to_owned(), holder, join };
            (said == "mounted\n").then_some(disk)
        })
    }

    fn server(&self) -> Server {
        let mut command = Command::new("nsenter");
        clean_environment(&mut command);
        command.args(&self.join).arg(env!("CARGO_BIN_EXE_cardo"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-level", "error", "--data"]);
        command.arg(&self.folder);
        Server::spawn(command)
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let seen = format!("/proc/{}/root", self.holder.id());
        let inside = self.folder.strip_prefix("/").expect("it is absolute");
        let path = Path::new(&seen).join(inside).join("filling");
        let mut file = File::create(&path).expect("an empty file takes no room");
        for piece in [65_536, 4_096, 1] {
            while file.write(&vec![1; piece]).is_ok_and(|written| written > 0) {}
        }
        assert!(fs::metadata(&path).is_ok());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Creates large entities until one is refused; gives back what was created.
fn write_until_full(server: &Server) -> Vec<String> {
    let large = "x".repeat(60_000);
    let mut connection = server.connect();
    let mut written = Vec::new();
    let refused = (0..400).find_map(|number| {
        let id = format!("urn:x:{number}");
        let body = entity(&id, &format!("\"a\": \"{large}\""));
        let answer = connection.send("POST", ENTITIES, &[], Some(&body)).expect("an answer");
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
    written
}

/// All is answered that was written, and nothing else.
fn assert_answers(server: &Server, written: &[String]) {
    for id in written.iter().map(String::as_str).chain(["urn:x:first"]) {
        assert_eq!(server.send("GET", &path_of(id), None).status, 200, "{id}");
    }
    let missing = path_of(&format!("urn:x:{}", written.len()));
    assert_eq!(server.send("GET", &missing, None).status, 404, "a refused write is not visible");
    assert_eq!(server.send("GET", "/health", None).status, 200);
}

#[test]
fn a_full_disk_refuses_writes_with_a_reason_and_keeps_answering() {
    let folder = tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), 6) else {
        println!("did not run: this system mounts no tmpfs for tests");
        return;
    };
    let server = disk.server();
    server.create("urn:x:first", "\"a\": 1");
    let written = write_until_full(&server);
    assert_answers(&server, &written);
    assert_eq!(server.send("GET", "/ready", None).status, 503);
}

#[test]
fn a_server_starts_on_a_full_disk_and_answers() {
    let folder = tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), 6) else {
        println!("did not run: this system mounts no tmpfs for tests");
        return;
    };
    let mut server = disk.server();
    server.create("urn:x:first", "\"a\": 1");
    let written = write_until_full(&server);
    server.end_now();
    disk.fill();
    let mut server = disk.server();
    assert_answers(&server, &written);
    // What is in memory cannot be projected, which a stop does not conceal; the log has it.
    server.ask_to_stop();
    assert!(!server.wait_for_end().success());
    let server = disk.server();
    assert_answers(&server, &written);
}
