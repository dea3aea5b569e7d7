//! HTTPS (ETSI GS CIM 009, clause 6.2), asked with curl and openssl.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::{TempDir, tempdir};

use crate::gis::run;
use crate::support::{ENTITIES, Server, cardo, entity, error_text, output, path_of};

/// Makes a certificate for localhost.
fn make_certificate(folder: &Path) {
    let arguments = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext \
        subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
        -keyout key.pem -out cert.pem";
    let mut command = Command::new("openssl");
    command.args(arguments.split_whitespace()).current_dir(folder);
    let made = output(command);
    assert!(made.status.success(), "{}", error_text(&made));
}

fn secure() -> (TempDir, Server) {
    let folder = tempdir().expect("a folder");
    make_certificate(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let config =
        format!("[http]\ncertificate = '{}'\nkey = '{}'\n", file("cert.pem"), file("key.pem"));
    fs::write(folder.path().join("cardo.toml"), config).expect("a file");
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &["--config", &file("cardo.toml")]);
    (folder, server)
}

/// What curl says, head and body; empty where it could not agree with the server.
fn curl(folder: &TempDir, server: &Server, arguments: &[&str], path: &str) -> String {
    let port = server.address.rsplit(':').next().expect("a port");
    let mut command = Command::new("curl");
    command.args(["-s", "-i", "--max-time", "30", "--cacert"]).arg(folder.path().join("cert.pem"));
    command.args(["--connect-to", &format!("localhost:{port}:{}", server.address)]);
    command.args(arguments).arg(format!("https://localhost:{port}{path}"));
    String::from_utf8(output(command).stdout).expect("a text")
}

#[test]
fn https_is_spoken_in_both_versions_of_tls_and_of_http_and_links_lead_back_to_it() {
    if run("curl", &["--version"]).is_none() {
        return;
    }
    let (folder, server) = secure();
    let body = entity("urn:x:1", "\"a\": 1");
    let create = ["-H", "Content-Type: application/json", "-d", &body];
    let created = curl(&folder, &server, &create, ENTITIES);
    assert!(created.contains(" 201"), "{created}");
    for (arguments, begins) in [
        (["--tls-max", "1.2", "--http1.1"], "HTTP/1.1 200"),
        (["--tls-max", "1.3", "--http1.1"], "HTTP/1.1 200"),
        (["--tls-max", "1.2", "--http2"], "HTTP/2 200"),
        (["--tls-max", "1.3", "--http2"], "HTTP/2 200"),
    ] {
        let read = curl(&folder, &server, &arguments, &path_of("urn:x:1"));
        assert!(read.starts_with(begins) && read.contains("urn:x:1"), "{arguments:?}: {read}");
    }
    assert_eq!(curl(&folder, &server, &["--tls-max", "1.1"], &path_of("urn:x:1")), "");
    let landing = curl(&folder, &server, &["-H", "Accept: application/json"], "/ogc");
    let port = server.address.rsplit(':').next().unwrap();
    assert!(landing.contains(&format!("\"https://localhost:{port}/ogc")), "{landing}");
    // Who speaks plainly is not understood, and keeps nobody waiting.
    let mut plain = server.connect();
    plain.write(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    assert!(curl(&folder, &server, &[], "/health").contains(" 200"));
    // A renewed certificate is used soon, and one that is half written is not.
    let renewed = tempdir().unwrap();
    make_certificate(renewed.path());
    for name in ["cert.pem", "key.pem"] {
        fs::copy(renewed.path().join(name), folder.path().join(name)).unwrap();
    }
    let begun = Instant::now();
    while !curl(&folder, &server, &[], "/health").contains(" 200") {
        assert!(begun.elapsed() < Duration::from_secs(60), "the certificate is not read again");
    }
    server.stop();
}

#[test]
fn a_certificate_that_cannot_be_used_is_told_at_the_start() {
    let folder = tempdir().unwrap();
    make_certificate(folder.path());
    fs::write(folder.path().join("empty.pem"), "").unwrap();
    for (certificate, key, says) in [
        ("cert.pem", "", "http.certificate and http.key belong together"),
        ("nothing.pem", "key.pem", "nothing.pem"),
        ("empty.pem", "key.pem", "it holds no certificate"),
        ("cert.pem", "empty.pem", "empty.pem"),
    ] {
        let mut command = cardo(&["serve", "--listen", "127.0.0.1:0"]);
        command.arg("--data").arg(folder.path().join("data")).current_dir(folder.path());
        command.env("CARDO_HTTP_CERTIFICATE", certificate);
        if !key.is_empty() {
            command.env("CARDO_HTTP_KEY", key);
        }
        let said = output(command);
        assert_eq!(said.status.code(), Some(1));
        let text = error_text(&said);
        assert!(text.contains(says), "{text}");
    }
}
