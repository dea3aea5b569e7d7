//! What `deploy/` holds for operators fits the binary and the programs that read it.

use std::collections::BTreeSet;
use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::tempdir;

use crate::support::{Server, cardo, clean_environment, error_text, output};

/// Where the unit expects the binary.
const INSTALLED: &str = "/usr/local/bin/cardo";

/// How long the server may take to say how far it is.
const PATIENCE: Duration = Duration::from_secs(60);

fn deployed(name: &str) -> String {
    let path = format!("{}/../../deploy/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What a program of systemd says, and whether it succeeded; `None` where there is none, which CI forbids.
fn systemd(program: &str, arguments: &[&str]) -> Option<(bool, String)> {
    match Command::new(program).args(arguments).output() {
        Ok(done) => {
            let said = String::from_utf8_lossy(&done.stdout).into_owned() + &error_text(&done);
            Some((done.status.success(), said))
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{program}: {error}; .ci/test installs it");
            eprintln!("not shown: {program} is missing ({error})");
            None
        }
    }
}

/// The unit as a file that starts the binary of this build: a unit whose program is missing is refused.
fn unit(folder: &Path) -> String {
    let text = deployed("cardo.service");
    assert!(text.contains(&format!("ExecStart={INSTALLED} ")), "{text}");
    let path = folder.join("cardo.service");
    fs::write(&path, text.replace(INSTALLED, env!("CARGO_BIN_EXE_cardo"))).expect("it is written");
    path.to_str().expect("a plain path").to_owned()
}

#[test]
fn systemd_finds_no_fault_with_the_unit() {
    let folder = tempdir().unwrap();
    let unit = unit(folder.path());
    let Some((is_fine, said)) = systemd("systemd-analyze", &["verify", &unit]) else { return };
    assert!(is_fine && !said.contains("cardo.service"), "{said}");
}

#[test]
fn the_unit_gives_the_server_few_rights() {
    let folder = tempdir().unwrap();
    let unit = unit(folder.path());
    // Tenths: what systemd calls OK ends at 5.0.
    let arguments = ["security", "--offline=true", "--threshold=20", &unit];
    let Some((is_fine, said)) = systemd("systemd-analyze", &arguments) else { return };
    assert!(is_fine, "{said}");
}

#[test]
fn the_user_of_the_unit_can_be_made() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("etc")).unwrap();
    let root = format!("--root={}", folder.path().display());
    let file = folder.path().join("sysusers.conf");
    fs::write(&file, deployed("sysusers.conf")).unwrap();
    let Some((is_fine, said)) = systemd("systemd-sysusers", &[&root, file.to_str().unwrap()])
    else {
        return;
    };
    assert!(is_fine, "{said}");
    let users = fs::read_to_string(folder.path().join("etc/passwd")).unwrap();
    let unit = deployed("cardo.service");
    let user = unit.lines().find_map(|line| line.strip_prefix("User=")).unwrap();
    assert!(users.lines().any(|line| line.starts_with(&format!("{user}:"))), "{users}");
}

/// The next thing that a service manager is told.
fn told(manager: &UnixDatagram) -> String {
    let mut bytes = [0; 4096];
    let read = manager.recv(&mut bytes).expect("the server tells its state");
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}

#[test]
fn a_service_manager_is_told_when_the_server_is_ready_and_when_it_stops() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("notify");
    let hidden = format!("cardo-test-{}", std::process::id());
    let managers = [
        (path.to_str().unwrap().to_owned(), SocketAddr::from_pathname(&path).unwrap()),
        (format!("@{hidden}"), SocketAddr::from_abstract_name(&hidden).unwrap()),
    ];
    for (name, address) in managers {
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        manager.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut command = cardo(&["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
        command.arg("--data").arg(folder.path().join("data")).env("NOTIFY_SOCKET", &name);
        let server = Server::spawn(command);
        let ready = told(&manager);
        assert!(ready.starts_with("READY=1\n") && ready.contains(&server.address), "{ready}");
        server.ask_to_stop();
        let stopping = told(&manager);
        assert!(stopping.starts_with("STOPPING=1\n"), "{stopping}");
        server.stop();
    }
}

/// The names that a filter of the unit holds, with the members of its groups.
fn calls_of(filter: &str, groups: &str) -> BTreeSet<String> {
    let mut calls = BTreeSet::new();
    for name in filter.split_whitespace() {
        if name.starts_with('@') {
            let members = groups.lines().skip_while(|line| *line != name).skip(1);
            let members = members
                .take_while(|line| line.starts_with(' '))
                .map(str::trim)
                .filter(|line| !line.starts_with('#'));
            for member in members {
                calls.extend(calls_of(member, groups));
            }
        } else {
            calls.insert(name.to_owned());
        }
    }
    calls
}

#[test]
fn the_server_makes_no_system_call_that_the_unit_forbids() {
    let Some((true, groups)) = systemd("systemd-analyze", &["syscall-filter"]) else { return };
    if systemd("strace", &["-V"]).is_none() {
        return;
    }
    let unit = deployed("cardo.service");
    let filters: Vec<&str> =
        unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")).collect();
    let mut allowed = BTreeSet::new();
    for filter in filters {
        match filter.strip_prefix('~') {
            Some(forbidden) => {
                let forbidden = calls_of(forbidden, &groups);
                allowed.retain(|call| !forbidden.contains(call));
            }
            None => allowed.extend(calls_of(filter, &groups)),
        }
    }

    let folder = tempdir().unwrap();
    let recording = folder.path().join("calls");
    let mut command = Command::new("strace");
    clean_environment(&mut command);
    // The tracer is apart, so that the process we stop is the server.
    command.args(["-D", "-f", "-qq", "-o"]).arg(&recording);
    command.args([env!("CARGO_BIN_EXE_cardo"), "serve", "--listen", "127.0.0.1:0"]);
    command.args(["--log-level", "warn", "--data"]).arg(folder.path().join("data"));
    let server = Server::spawn(command);
    server.create("urn:x:1", "\"a\": 1");
    assert_eq!(server.send("GET", "/metrics", None).status, 200);
    server.stop();

    let recording = fs::read_to_string(&recording).unwrap();
    let made: BTreeSet<&str> = recording
        .lines()
        .filter_map(|line| line.split_once(' ')?.1.trim_start().split_once('('))
        .map(|(call, _)| call)
        .filter(|call| {
            call.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        })
        .collect();
    assert!(made.contains("accept4") && made.contains("fsync"), "{made:?}");
    // SQLite gives its files away only where it runs as root.
    let forbidden: Vec<_> =
        made.iter().filter(|call| **call != "fchown" && !allowed.contains(**call)).collect();
    assert!(forbidden.is_empty(), "{forbidden:?}");
}

/// The settings that the image gives the server.
fn settings_of_the_image() -> Vec<(String, String)> {
    let text = deployed("Containerfile");
    let line = text.lines().find_map(|line| line.strip_prefix("ENV ")).expect("there are some");
    line.split_whitespace()
        .map(|pair| pair.split_once('=').expect("a name and a value"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn the_settings_of_the_image_are_settings_of_the_server() {
    let settings = settings_of_the_image();
    let mut command = cardo(&["config"]);
    command.envs(settings.iter().cloned());
    let said = output(command);
    assert!(said.status.success(), "{}", error_text(&said));
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    for (name, value) in settings {
        let line = text.lines().find(|line| line.contains(&format!("variable {name}")));
        assert!(line.is_some_and(|line| line.contains(&value)), "{name}: {text}");
    }
}

#[test]
fn the_image_serves_nobody_until_somebody_is_named() {
    let folder = tempdir().unwrap();
    let mut command = cardo(&["serve"]);
    command.envs(settings_of_the_image()).env("CARDO_DATA", folder.path().join("data"));
    command.env("CARDO_LISTEN", "0.0.0.0:0");
    let said = output(command);
    assert_eq!(said.status.code(), Some(1), "{}", error_text(&said));
    assert!(error_text(&said).contains("auth.anonymous"), "{}", error_text(&said));
}
