//! The console as a browser has it: headless Chromium looks at a real server. The tests themselves
//! are in `cardo-console/web/tests`, where whoever works on the page runs them as well.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use tempfile::tempdir;

use crate::layers_of_tiles::server_with_an_archive;
use crate::support::Server;

fn web() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cardo-console/web")
}

/// A browser draws maps with all the processors there are.
static BROWSER: Mutex<()> = Mutex::new(());

/// Runs a file of tests against a server, one file at a time.
fn look(server: &Server, tests: &str, token: &str) {
    let _alone = BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
    let mut node = Command::new("node");
    node.current_dir(web())
        .args(["--test", "--test-concurrency=1", "--test-reporter=spec", tests])
        .env("CARDO_URL", format!("http://{}", server.address))
        .env("CARDO_TOKEN", token);
    let output = node.output().expect("node runs: it built the console");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains("tests 0"), "nothing was tested:\n{said}");
}

fn look_at_a_new_server(tests: &str) {
    let folder = tempdir().expect("a folder is made");
    let server = Server::start(folder.path());
    look(&server, tests, "");
    server.stop();
}

#[test]
fn a_browser_shows_the_twin_and_follows_it() {
    look_at_a_new_server("tests/console.test.mjs");
}

#[test]
fn a_browser_asks_questions_and_looks_into_entities() {
    look_at_a_new_server("tests/questions.test.mjs");
}

#[test]
fn a_browser_shows_areas_sources_and_how_to_use_the_twin_elsewhere() {
    look_at_a_new_server("tests/areas.test.mjs");
}

#[test]
fn a_browser_shows_the_twin_as_of_a_moment() {
    look_at_a_new_server("tests/moments.test.mjs");
}

#[test]
fn maplibre_draws_the_vector_tiles() {
    look_at_a_new_server("tests/tiles.test.mjs");
}

#[test]
fn maplibre_draws_the_tiles_of_an_archive() {
    let folder = tempdir().unwrap();
    let (server, _) = server_with_an_archive(folder.path());
    look(&server, "tests/archive.test.mjs", "");
    server.stop();
}

#[test]
fn a_browser_signs_in_where_a_token_is_wanted() {
    let folder = tempdir().unwrap();
    let (token, sha256) = cardo_server::new_token();
    let config = folder.path().join("cardo.toml");
    let text =
        format!("[[auth.tokens]]\nname = \"look\"\nsha256 = \"{sha256}\"\nrights = \"write\"\n");
    std::fs::write(&config, text).unwrap();
    let config = config.display().to_string();
    let server = Server::start_with(&folder.path().join("data"), &["--config", &config]);
    look(&server, "tests/sign-in.test.mjs", &token);
    server.stop();
}

#[test]
fn files_of_the_page_are_kept_by_browsers_and_nothing_else_is_the_page() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let html = [("Accept", "text/html")];
    let page = server.connect().send("GET", "/tenants/north/", &html, None).unwrap();
    let text = page.text();
    assert!(text.contains("<base href=\"/tenants/north/\""), "{text}");
    let start = text.find("src=\"./").unwrap() + "src=\".".len();
    let script = format!("/tenants/north{}", text[start..].split('"').next().unwrap());
    let takes = [("Accept-Encoding", "br")];
    let script = server.connect().send("GET", &script, &takes, None).unwrap();
    assert_eq!((script.status, script.header("content-encoding")), (200, Some("br")));
    assert!(script.header("cache-control").unwrap().contains("immutable"));
    for path in ["/map", "/console", "/console/none.js", "/index.html"] {
        let answer = server.connect().send("GET", path, &html, None).unwrap();
        assert_eq!(answer.status, 404, "{path}");
    }
    server.stop();
}
