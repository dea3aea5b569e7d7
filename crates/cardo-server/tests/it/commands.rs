//! What the commands say, and how they refuse.

use std::fs;

use tempfile::tempdir;

use crate::support::{cardo, error_text, output};

#[test]
fn the_version_is_that_of_the_package() {
    let said = output(cardo(&["--version"]));
    assert!(said.status.success());
    assert_eq!(
        String::from_utf8_lossy(&said.stdout).trim(),
        format!("cardo {}", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn the_help_of_every_command_shows_an_example() {
    let commands: [&[&str]; 8] = [
        &[],
        &["demo"],
        &["serve"],
        &["ingest"],
        &["context", "add"],
        &["config"],
        &["token"],
        &["conform"],
    ];
    for command in commands {
        let said = output(cardo(&[command, &["--help"]].concat()));
        assert!(said.status.success());
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(text.contains("Example:"), "{command:?}: {text}");
    }
}

#[test]
fn an_unknown_key_in_the_file_is_refused_with_its_place() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("cardo.toml");
    fs::write(&file, "[limits]\nbodi = \"1MB\"\n").unwrap();
    for command in ["serve", "config", "demo"] {
        let said = output(cardo(&[command, "--config", file.to_str().unwrap()]));
        assert_eq!(said.status.code(), Some(2));
        let text = error_text(&said);
        assert!(text.contains("bodi") && text.contains("line 2"), "{text}");
    }
}

#[test]
fn an_unknown_variable_is_refused_by_name() {
    let mut command = cardo(&["config"]);
    command.env("CARDO_LISSEN", "127.0.0.1:1");
    let said = output(command);
    assert_eq!(said.status.code(), Some(2));
    assert!(error_text(&said).contains("CARDO_LISSEN"), "{}", error_text(&said));
}

#[test]
fn config_shows_each_value_with_its_origin() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("cardo.toml");
    fs::write(&file, "data = \"/srv/city\"\nlisten = \"127.0.0.1:1\"\n").unwrap();
    let mut command = cardo(&["config", "--listen", "127.0.0.1:9"]);
    command.env("CARDO_CONFIG", &file).env("CARDO_EGRESS_ALLOW_PRIVATE", "true");
    let said = output(command);
    assert!(said.status.success(), "{}", error_text(&said));
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap_or("").to_owned();
    assert!(line("listen").contains("127.0.0.1:9") && line("listen").contains("flag --listen"));
    assert!(line("data").contains("/srv/city") && line("data").contains("cardo.toml"));
    let egress = line("egress.allow_private");
    assert!(egress.contains("true") && egress.contains("variable CARDO_EGRESS_ALLOW_PRIVATE"));
    assert!(line("log.level").contains("# default"), "{text}");
}

#[test]
fn the_example_configuration_is_valid() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/cardo.toml");
    let said = output(cardo(&["config", "--config", file]));
    assert!(said.status.success(), "{}", error_text(&said));
}

#[test]
fn a_port_that_is_taken_is_named_with_a_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempdir().unwrap();
    for command in ["serve", "demo"] {
        let mut command = cardo(&[command, "--listen", &address]);
        command.arg("--data").arg(folder.path().join("data"));
        let said = output(command);
        assert_eq!(said.status.code(), Some(1));
        let text = error_text(&said);
        assert!(text.contains(&address) && text.contains("--listen 127.0.0.1:"), "{text}");
    }
    assert!(!folder.path().join("data").exists(), "a server that cannot listen leaves nothing");
}

#[test]
fn an_address_that_is_none_is_refused() {
    let said = output(cardo(&["serve", "--listen", "8787"]));
    assert_eq!(said.status.code(), Some(1));
    assert!(error_text(&said).contains("\"8787\""), "{}", error_text(&said));
}

#[test]
fn a_context_for_names_that_has_no_file_is_refused_at_the_start() {
    let folder = tempdir().unwrap();
    let mut command = cardo(&["serve", "--listen", "127.0.0.1:0"]);
    command.arg("--data").arg(folder.path());
    command.env("CARDO_NAMES_CONTEXT", "https://city.example/context.jsonld");
    let said = output(command);
    assert!(!said.status.success());
    let text = error_text(&said);
    assert!(text.contains("names.context is https://city.example/context.jsonld"), "{text}");
}

#[test]
fn a_log_that_goes_to_no_terminal_has_no_colours() {
    let folder = tempdir().unwrap();
    for format in ["text", "json"] {
        let mut command = cardo(&["serve", "--listen", "127.0.0.1:0", "--log-level", "debug"]);
        command.arg("--data").arg(folder.path()).env("CARDO_LOG_FORMAT", format);
        let path = folder.path().join("log");
        let log = fs::File::create(&path).unwrap();
        let server = crate::support::Server::spawn_with_log(command, log.into());
        server.stop();
        let log = fs::read_to_string(&path).unwrap();
        assert!(log.contains("listening") && !log.contains('\u{1b}'), "{log}");
    }
}
