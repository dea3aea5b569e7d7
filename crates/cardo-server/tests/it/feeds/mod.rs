//! Live feeds into the running server: over HTTP, from a broker, and pushed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

pub(crate) mod broker;
mod gbfs;
mod gtfs;
mod mqtt;
mod pushed;
mod watched;
mod web;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Answer, Server, path_of};

/// How long something may take to come about.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with sources, and the folder of its data and configuration.
pub(crate) struct City {
    pub(crate) folder: TempDir,
    pub(crate) server: Server,
}

impl City {
    /// Serves with these sources, which may reach this machine.
    pub(crate) fn with(sources: &str) -> Self {
        Self::configured(&format!("[egress]\nallow_loopback = true\n\n{sources}"))
    }

    pub(crate) fn configured(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cardo.toml"), config).unwrap();
        let server = start(folder.path());
        Self { folder, server }
    }

    /// Ends the server without warning and starts it again.
    pub(crate) fn kill_and_start_again(&mut self) {
        self.while_away(|| ());
    }

    /// Does something while no server runs.
    pub(crate) fn while_away(&mut self, work: impl FnOnce()) {
        self.server.end_now();
        work();
        self.server = start(self.folder.path());
    }

    pub(crate) fn file(&self, name: &str, content: &str) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }

    pub(crate) fn source(&self, name: &str) -> Value {
        self.server.get(&format!("/sources/{name}"))
    }

    pub(crate) fn quarantine(&self, name: &str) -> Vec<Value> {
        let page = self.server.get(&format!("/sources/{name}/quarantine"));
        page["records"].as_array().unwrap().clone()
    }

    /// An attribute of an entity; null where either is missing.
    pub(crate) fn attribute(&self, id: &str, attribute: &str) -> Value {
        let answer = self.server.send("GET", &path_of(id), None);
        if answer.status == 404 { Value::Null } else { answer.json()[attribute].clone() }
    }

    pub(crate) fn value(&self, id: &str, attribute: &str) -> Value {
        self.attribute(id, attribute)["value"].clone()
    }

    pub(crate) fn push(&self, name: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let path = format!("/sources/{name}/push");
        self.server.connect().send("POST", &path, headers, Some(body)).unwrap()
    }

    /// Waits until the source says something of itself.
    pub(crate) fn until_source(&self, name: &str, what: &str, holds: impl Fn(&Value) -> bool) {
        until(what, || holds(&self.source(name)), || self.source(name).to_string());
    }
}

fn start(folder: &Path) -> Server {
    let config = folder.join("cardo.toml");
    Server::start_with(&folder.join("data"), &["--config", config.to_str().unwrap()])
}

/// Waits until something holds; says what is there instead where it does not come about.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool, instead: impl Fn() -> String) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not come about: {}", instead());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Seconds after 1970, so many from now.
pub(crate) fn seconds_from_now(seconds: i64) -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + seconds
}
