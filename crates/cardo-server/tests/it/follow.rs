//! A question that a browser follows, over the real server.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::tempdir;

use crate::support::{ENTITIES, Server, cardo, entity};

/// A browser that tells what it hears, a line each.
struct Browser {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Browser {
    fn follow(address: &str) -> Self {
        let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cardo-console/web");
        let mut node = Command::new("node");
        node.current_dir(web).args(["tests/follow.mjs", &format!("http://{address}")]);
        let mut child = node.stdout(Stdio::piped()).spawn().expect("node runs");
        let lines = BufReader::new(child.stdout.take().expect("its output is piped"));
        Self { child, lines }
    }

    fn hears(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("its output can be read");
        assert!(!line.is_empty(), "the browser ended: {:?}", self.child.wait());
        line.trim().to_owned()
    }

    /// The next thing that is told of, however often the connection was made meanwhile.
    fn is_told(&mut self) -> String {
        loop {
            let line = self.hears();
            if line != "open" {
                return line;
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write(server: &Server, number: u32) {
    let body = entity(&format!("urn:x:{number}"), &format!("\"a\": {number}"));
    let answer = server.send("POST", ENTITIES, Some(&body));
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[test]
fn a_browser_goes_on_after_the_server_has_started_again() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = Server::start(&data);
    let address = server.address.clone();
    let mut browser = Browser::follow(&address);
    assert_eq!(browser.hears(), "open");
    for number in 1..=3 {
        write(&server, number);
        assert_eq!(browser.is_told(), number.to_string());
    }
    server.end_now();
    let mut again = cardo(&["serve", "--listen", &address, "--log-level", "warn"]);
    again.arg("--data").arg(&data);
    let server = Server::spawn(again);
    for number in 4..=6 {
        write(&server, number);
    }
    for number in 4..=6 {
        assert_eq!(browser.is_told(), number.to_string());
    }
    write(&server, 7);
    assert_eq!(browser.is_told(), "7");
    // Whoever follows does not hold up the server.
    server.stop();
}
