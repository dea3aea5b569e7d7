//! Links lead back to where a client has found the server.

use tempfile::tempdir;

use crate::support::{Answer, ENTITIES, Server, cardo, entity, error_text, output};

fn start(variables: &[(&str, &str)], data: &std::path::Path) -> Server {
    let mut command = cardo(&["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
    command.arg("--data").arg(data).envs(variables.iter().copied());
    Server::spawn(command)
}

fn create(server: &Server, path: &str, id: &str, headers: &[(&str, &str)]) -> Answer {
    let body = entity(id, "\"a\": 1");
    let answer =
        server.connect().send("POST", path, headers, Some(&body)).expect("the server answers");
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer
}

/// All links of the landing page to this server begin like this.
fn assert_begins(server: &Server, path: &str, headers: &[(&str, &str)], base: &str) {
    let path = format!("{path}?f=json");
    let answer = server.connect().send("GET", &path, headers, None).expect("the server answers");
    let links: Vec<String> =
        addresses(&answer).into_iter().filter(|link| link.contains("/ogc")).collect();
    assert!(links.len() > 3 && links.iter().all(|link| link.starts_with(base)), "{links:?}");
}

#[test]
fn links_begin_with_the_host_that_a_request_names_and_the_tenant_of_its_path() {
    let folder = tempdir().unwrap();
    let server = start(&[], folder.path());
    let path = format!("/tenants/north{ENTITIES}");
    // Nobody's word is taken about how a client has come.
    let forwarded = [("Forwarded", "proto=https;host=evil.example")];
    let answer = create(&server, &path, "urn:x:1", &forwarded);
    assert_eq!(answer.header("location"), Some(format!("{path}/urn:x:1").as_str()));
    assert_begins(&server, "/tenants/north/ogc", &forwarded, "http://test/tenants/north/ogc");
    create(&server, &path, "urn:x:2", &[]);
    let page = server.send("GET", &format!("{path}?type=Sample&limit=1"), None);
    let begin = format!("<{path}?limit=1&offset=1&type=Sample>;rel=\"next\"");
    let is_next = |(name, value): &(String, String)| name == "link" && value.starts_with(&begin);
    assert!(page.headers.iter().any(is_next), "{:?}", page.headers);
    server.stop();
}

#[test]
fn a_trusted_proxy_and_a_public_url_say_where_links_lead() {
    let folder = tempdir().unwrap();
    let proxies = ("CARDO_HTTP_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1");
    let server = start(&[proxies], folder.path());
    let headers = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Prefix", "/twin")];
    let answer = create(&server, ENTITIES, "urn:x:1", &headers);
    assert_eq!(answer.header("location"), Some("/twin/ngsi-ld/v1/entities/urn:x:1"));
    assert_begins(&server, "/ogc", &headers, "https://test/twin/ogc");
    let headers = [("Forwarded", "for=192.0.2.1;proto=https;host=city.example")];
    let answer = create(&server, ENTITIES, "urn:x:2", &headers);
    assert_eq!(answer.header("location"), Some("/ngsi-ld/v1/entities/urn:x:2"));
    assert_begins(&server, "/ogc", &headers, "https://city.example/ogc");
    server.stop();

    let url = ("CARDO_HTTP_PUBLIC_URL", "https://city.example/twin");
    let server = start(&[proxies, url], folder.path());
    let answer = create(&server, ENTITIES, "urn:x:3", &headers);
    assert_eq!(answer.header("location"), Some("/twin/ngsi-ld/v1/entities/urn:x:3"));
    assert_begins(&server, "/ogc", &headers, "https://city.example/twin/ogc");
}

/// Every address of this server in an answer.
fn addresses(answer: &Answer) -> Vec<String> {
    let text = answer.text();
    let is_address = |part: &&str| {
        let is_own = part.starts_with('/') || part.contains("/ogc");
        let is_name = part.starts_with("http://www.opengis.net/");
        is_own && !is_name && !part.contains([' ', '<', '>', '\\'])
    };
    text.split('"').filter(is_address).map(str::to_owned).collect()
}

#[test]
fn features_pages_and_graphiql_lead_back_as_well() {
    let folder = tempdir().unwrap();
    let url = ("CARDO_HTTP_PUBLIC_URL", "https://city.example/twin");
    let server = start(&[url], folder.path());
    for n in 1..4 {
        create(&server, &format!("/tenants/north{ENTITIES}"), &format!("urn:x:{n}"), &[]);
    }
    let base = "https://city.example/twin/tenants/north";
    for path in [
        "/ogc",
        "/ogc/collections",
        "/ogc/collections/Sample",
        "/ogc/collections/Sample/schema",
        "/ogc/collections/Sample/items?limit=1&offset=1",
        "/ogc/collections/Sample/items/urn:x:1",
        "/ogc/nothing",
    ] {
        for accept in ["application/json", "text/html"] {
            let path = format!("/tenants/north{path}");
            let answer = server.connect().send("GET", &path, &[("Accept", accept)], None).unwrap();
            let found = addresses(&answer);
            let is_problem = answer.header("content-type") == Some("application/problem+json");
            assert!(is_problem || !found.is_empty(), "{path}: {}", answer.text());
            for address in found {
                assert!(address.starts_with(&format!("{base}/ogc")), "{path} {accept}: {address}");
            }
        }
    }
    let html = [("Accept", "text/html")];
    let page = server.connect().send("GET", "/tenants/north/graphql", &html, None).unwrap();
    let assets = addresses(&page);
    assert!(assets.len() > 4, "{}", page.text());
    for address in assets {
        assert!(address.starts_with("/twin/tenants/north/graphql/assets/"), "{address}");
    }
}

#[test]
fn a_public_url_that_is_none_is_told_at_the_start() {
    let folder = tempdir().unwrap();
    let mut command = cardo(&["serve", "--listen", "127.0.0.1:0"]);
    command.arg("--data").arg(folder.path()).env("CARDO_HTTP_PUBLIC_URL", "city.example");
    let said = output(command);
    assert_eq!(said.status.code(), Some(1));
    let text = error_text(&said);
    assert!(text.contains("\"city.example\" is no public URL"), "{text}");
}
