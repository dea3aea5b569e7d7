//! The reference page, and that its examples run as they stand.

use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::tempdir;

use crate::support::{Server, cardo};

/// A language of the examples: its name on the page, the program that runs a file, and that file.
const LANGUAGES: [(&str, &str, &str); 3] = [
    ("curl", "sh", "example.sh"),
    ("javascript", "node", "example.mjs"),
    ("python", "python3", "example.py"),
];

fn demo(data: &Path) -> Server {
    let mut command = cardo(&["demo", "--listen", "127.0.0.1:0"]);
    command.arg("--data").arg(data);
    let mut server = Server::spawn(command);
    server.line_with("Ready after");
    server
}

/// The page as somebody finds it who has the address of the server.
fn page(server: &Server) -> String {
    let address = server.address.clone();
    let request = format!("GET /reference HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut connection = server.connect();
    connection.write(request.as_bytes()).expect("the server takes it");
    let answer = connection.read().expect("the server answers");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    answer.text()
}

/// What stands between a text and the next end after it, for each time that it stands there.
fn between<'t>(text: &'t str, begin: &str, end: &str) -> Vec<&'t str> {
    text.split(begin).skip(1).map(|rest| rest.split(end).next().unwrap_or(rest)).collect()
}

/// What a browser shows of a piece of HTML.
fn shown(html: &str) -> String {
    let mut text = String::new();
    for (at, piece) in html.split('<').enumerate() {
        text += if at == 0 { piece } else { piece.split_once('>').map_or("", |(_, text)| text) };
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&amp;", "&")
}

/// The examples of a language in the order of the page, each with the id of its operation.
fn examples(page: &str, language: &str) -> Vec<(String, String)> {
    let mut examples = Vec::new();
    for operation in between(page, "<article class=\"operation\" aria-labelledby=\"", "</article>")
    {
        let id = operation.split('"').next().expect("an id").to_owned();
        let figure =
            between(operation, &format!("<figure data-language=\"{language}\">"), "</figure>");
        let code = figure.first().and_then(|figure| between(figure, "<code>", "</code>").pop());
        examples.push((id, shown(code.unwrap_or_default())));
    }
    examples
}

fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output();
    let is_there = found.is_ok_and(|output| output.status.success());
    assert!(
        is_there || std::env::var_os("CI").is_none(),
        "{program} is missing; .ci/test says how"
    );
    is_there
}

/// Runs an example; what it said.
fn run(program: &str, file: &Path, id: &str, code: &str) -> String {
    fs::write(file, code).expect("it can be written");
    let mut command = Command::new(program);
    for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    let output = command.arg(file).output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program}, {id}:\n{code}\n{said}\n{errors}");
    said
}

/// The example with ids that are there: the server makes them, so that the page can only show what
/// they look like.
fn with_ids<'c>(server: &Server, code: &'c str) -> Cow<'c, str> {
    const SHOWN: &str = "urn:ngsi-ld:instance:1-0-1";
    const MAP: &str = "urn:ngsi-ld:EntityMap:example";
    if code.contains(MAP) {
        let map = server.send("GET", "/ngsi-ld/v1/entityMaps?type=Building", None);
        return Cow::Owned(code.replace(MAP, map.json()["id"].as_str().expect("it has an id")));
    }
    if !code.contains(SHOWN) {
        return Cow::Borrowed(code);
    }
    let history = server.get("/ngsi-ld/v1/temporal/entities/urn:ngsi-ld:ParkingSite:example");
    let instance = history["availableSpots"][0]["instanceId"].as_str();
    Cow::Owned(code.replace(SHOWN, instance.expect("an example has written history")))
}

#[test]
fn every_example_of_the_page_runs_as_it_stands() {
    let folder = tempdir().unwrap();
    let server = demo(&folder.path().join("data"));
    let page = page(&server);
    let before = server.get("/ogc/collections");
    for (language, program, file) in LANGUAGES {
        let needed = if language == "curl" { "curl" } else { program };
        if !has(needed) {
            eprintln!("not shown: {needed} is missing");
            continue;
        }
        let examples = examples(&page, language);
        assert!(examples.len() > 60, "{} examples in {language}", examples.len());
        let mut answers = Vec::new();
        for (id, code) in &examples {
            assert!(code.contains(&server.address), "{id} in {language}: {code}");
            let code = with_ids(&server, code);
            answers.push((id.as_str(), run(program, &folder.path().join(file), id, &code)));
        }
        let said = |id: &str| &answers.iter().find(|(other, _)| *other == id).unwrap().1;
        assert!(said("ngsi-ld-query-entities").contains("urn:ngsi-ld:Building:"), "{language}");
        assert!(said("ngsi-ld-retrieve-entity").contains("availableSpots"), "{language}");
        assert!(said("ogc-getBuildingFeatures").contains("\"numberReturned\":3"), "{language}");
        assert!(said("graphql-graphql").contains("\"totalCount\""), "{language}");
        // They clean up behind themselves, and the city is as it was.
        let left = server.send("GET", "/ngsi-ld/v1/entities?type=ParkingSite", None);
        assert_eq!(left.json(), Value::Array(Vec::new()), "{language}");
    }
    let names = |collections: &Value| {
        let list = collections["collections"].as_array().unwrap();
        list.iter().map(|one| one["id"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&server.get("/ogc/collections")), names(&before));
    server.stop();
}

#[test]
fn the_page_has_every_operation_of_every_document_and_no_address_of_others() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    // An id that ends a text of a shell and means something in HTML.
    server.create("urn:x:o'clock&", "\"name\": \"n\"");
    let page = page(&server);
    let operations = |document: &Value| -> Vec<String> {
        let items = document["paths"].as_object().unwrap().values();
        let of = |item: &Value| item.as_object().unwrap().values().cloned().collect::<Vec<_>>();
        let all = items.flat_map(of).filter(Value::is_object);
        all.map(|one| one["operationId"].as_str().unwrap().to_owned()).collect()
    };
    let mut expected = 2;
    for (prefix, path) in [("ngsi-ld", "/ngsi-ld/v1/openapi.json"), ("ogc", "/ogc/api?f=json")] {
        for id in operations(&server.get(path)) {
            expected += 1;
            // Dots would mean something to style sheets.
            let heading = format!("<h4 id=\"{prefix}-{}\">", id.replace('.', "-"));
            assert_eq!(page.matches(&heading).count(), 1, "{heading}");
        }
    }
    assert_eq!(page.matches("<article class=\"operation\"").count(), expected);
    // Every link within the page leads somewhere, and no id is given twice.
    let ids = between(&page, " id=\"", "\"");
    for target in between(&page, "href=\"#", "\"") {
        assert_eq!(ids.iter().filter(|id| **id == target).count(), 1, "#{target}");
    }
    for place in ["src=\"", "href=\""] {
        for address in between(&page, place, "\"") {
            assert!(!address.contains("//"), "{address} is an address of others");
        }
    }
    let feature = examples(&page, "curl").into_iter().find(|(id, _)| id == "ogc-getSampleFeature");
    let (_, code) = feature.expect("the collection is on the page");
    assert!(code.contains("/items/urn:x:o%27clock%26'"), "{code}");
    for name in ["page.css", "page.js"] {
        let asset = server.send("GET", &format!("/reference/assets/{name}"), None);
        assert_eq!(asset.status, 200, "{name}");
        assert!(page.contains(&format!("\"reference/assets/{name}\"")), "{name}");
    }
    assert_eq!(server.send("GET", "/reference/assets/other", None).status, 404);
    server.stop();
}

#[test]
fn the_examples_lead_to_where_the_client_found_the_page() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let mut command = cardo(&["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
    command.env("CARDO_HTTP_PUBLIC_URL", "https://twin.example/city").arg("--data").arg(&data);
    let server = Server::spawn(command);
    let page = page(&server);
    let (_, code) = examples(&page, "curl").remove(0);
    assert!(code.contains("'https://twin.example/city/ngsi-ld/v1/entities'"), "{code}");
    let of_tenant = server.send("GET", "/tenants/harbour/reference", None).text();
    let (_, code) = examples(&of_tenant, "python").remove(0);
    assert!(code.contains("\"https://twin.example/city/tenants/harbour/ngsi-ld/v1/"), "{code}");
    server.stop();
}
