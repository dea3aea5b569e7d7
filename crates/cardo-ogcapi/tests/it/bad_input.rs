//! What is wrong with a request is answered with a problem document that quotes it.

use std::fmt::Write;

use axum::http::Method;

use crate::client::{Client, client_of_town};

async fn refused(client: &Client, path: &str, status: u16, says: &str) {
    let reply = client.get(path).await.expect(status);
    assert_eq!(reply.header("content-type"), "application/problem+json", "{path}");
    let problem = reply.json();
    assert_eq!(problem["status"], status);
    assert!(problem["title"].is_string() && problem["type"].is_string());
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(says), "{path}: {detail}");
}

#[tokio::test]
async fn g6_f39_an_unknown_parameter_is_refused_and_the_known_ones_are_named() {
    let client = client_of_town().await;
    let items = "/collections/Sensor/items?unknownQueryParameter=x";
    refused(&client, items, 400, "\"unknownQueryParameter\" is no parameter").await;
    refused(
        &client,
        items,
        400,
        "filter-crs, sortby, properties, skipGeometry, cursor, offset, active, name",
    )
    .await;
    for path in [
        "",
        "/api",
        "/conformance",
        "/functions",
        "/collections",
        "/collections/Sensor",
        "/collections/Sensor/queryables",
        "/collections/Sensor/schema",
        "/collections/Sensor/items/urn:ngsi-ld:Sensor:a",
    ] {
        refused(&client, &format!("{path}?limits=1"), 400, "\"limits\" is no parameter").await;
    }
}

#[tokio::test]
async fn f40_a_limit_that_is_no_whole_number_of_one_or_more_is_refused() {
    let client = client_of_town().await;
    for limit in ["0", "-1", "unlimited", "1.5", "", "00", "0x10", "+5"] {
        let path = format!("/collections/Sensor/items?limit={}", limit.replace('+', "%2B"));
        refused(&client, &path, 400, &format!("limit={limit:?}")).await;
    }
    for offset in ["-1", "many", ""] {
        let path = format!("/collections/Sensor/items?offset={offset}");
        refused(&client, &path, 400, &format!("offset={offset:?}")).await;
    }
    refused(&client, "/collections/Sensor/items?limit=1&limit=2", 400, "two values").await;
}

#[tokio::test]
async fn g7_a_box_that_cannot_be_is_refused() {
    let client = client_of_town().await;
    for (bbox, says) in [
        ("1,2,3", "has 3 numbers"),
        ("1,2,3,4,5", "has 5 numbers"),
        ("", "has 1 numbers"),
        ("1,2,3,NaN", "\"NaN\" is no number"),
        ("1,2,inf,4", "\"inf\" is no number"),
        ("a,b,c,d", "\"a\" is no number"),
        ("1,60,2,59", "the south 60 lies above the north 59"),
        ("1,2,9,3,4,8", "the bottom 9 lies above the top 8"),
        ("1,2,3,91", "91 is no latitude"),
        ("-181,2,3,4", "-181 is no longitude"),
    ] {
        refused(&client, &format!("/collections/Sensor/items?bbox={bbox}"), 400, says).await;
    }
    refused(&client, "/collections/Sensor/items?bbox=%ff", 400, "no UTF-8").await;
}

#[tokio::test]
async fn g7_a_time_that_cannot_be_is_refused() {
    let client = client_of_town().await;
    for (text, says) in [
        ("yesterday", "\"yesterday\" is neither"),
        ("2018-13-01", "\"2018-13-01\" is neither"),
        ("2018-02-30T00:00:00Z", "is neither"),
        ("../..", "open at both ends"),
        ("2026-11-02/2026-11-01", "ends before it begins"),
        ("2026-11-01/2026-11-02/2026-11-03", "more than two parts"),
        ("", "is neither"),
        ("2026-11-01/P2", "\"P2\" is no duration"),
        ("P1H/2026-11-01", "\"P1H\" is no duration"),
        ("../P2D", "no end that \"P2D\" is counted from"),
    ] {
        refused(&client, &format!("/collections/Sensor/items?datetime={text}"), 400, says).await;
    }
}

#[tokio::test]
async fn f34_a_property_with_a_value_of_another_type_is_refused() {
    let client = client_of_town().await;
    for (query, says) in [
        ("temperature=warm", "temperature=\"warm\" is no number"),
        ("temperature=NaN", "temperature=\"NaN\" is no number"),
        ("active=yes", "active=\"yes\" is no true or false"),
        ("temperature__observedAt=now", "is no date-time"),
        ("location=1", "\"location\" has values that can be looked at"),
        ("id=no+id", "id=\"no id\" is no id of a feature"),
        ("type=Sensor", "\"type\" is no parameter"),
    ] {
        refused(&client, &format!("/collections/Sensor/items?{query}"), 400, says).await;
    }
    let path = "/collections/Building/items?address=x";
    refused(&client, path, 400, "\"address\" has values that can be looked at").await;
}

#[tokio::test]
async fn a_cursor_of_another_question_version_or_state_is_refused() {
    let client = client_of_town().await;
    let page = client.json("/collections/Sensor/items?limit=1&active=true").await;
    let _ = page;
    let page = client.json("/collections/Sensor/items?limit=1").await;
    let links = page["links"].as_array().unwrap();
    let next = links.iter().find(|link| link["rel"] == "next").unwrap()["href"].as_str().unwrap();
    let cursor = next.rsplit('=').next().unwrap();
    for (path, says) in [
        (format!("Sensor/items?name=x&cursor={cursor}"), "belongs to another question"),
        (format!("Building/items?cursor={cursor}"), "belongs to another question"),
        (format!("Sensor/items?cursor=0{}", &cursor[1..]), "an older version"),
        (format!("Sensor/items?cursor={}", cursor.replacen(".1.", ".ff.", 1)), "has not reached"),
        (format!("Sensor/items?cursor={cursor}&offset=1"), "offset and cursor"),
        ("Sensor/items?cursor=".to_owned(), "none that this server made"),
        ("Sensor/items?cursor=1n.zz.1.1".to_owned(), "none that this server made"),
    ] {
        refused(&client, &format!("/collections/{path}"), 400, says).await;
    }
    client.json(&format!("/collections/Sensor/items?limit=5&cursor={cursor}")).await;
}

#[tokio::test]
async fn g8_what_is_not_there_is_not_found() {
    let client = client_of_town().await;
    for path in [
        "/collections/Nothing",
        "/collections/Nothing/items",
        "/collections/Nothing/items/a",
        "/collections/Nothing/queryables",
        "/collections/Nothing/schema",
    ] {
        refused(&client, path, 404, "there is no collection \"Nothing\"").await;
    }
    let other = "/collections/Sensor/items/urn:ngsi-ld:Building:1";
    refused(&client, other, 404, "there is no feature \"urn:ngsi-ld:Building:1\"").await;
    refused(&client, "/collections/Sensor/items/a%ff", 400, "no UTF-8").await;
    refused(&client, "/rooms", 404, "there is nothing at \"/ogc/rooms\"").await;
}

#[tokio::test]
async fn g4_an_encoding_that_is_not_offered_is_refused() {
    let client = client_of_town().await;
    refused(&client, "/collections?f=xml", 400, "f=\"xml\"").await;
    let items = "/ogc/collections/Sensor/items";
    let reply = client.send(Method::GET, items, &[("accept", "image/png")]).await.expect(406);
    assert!(reply.json()["detail"].as_str().unwrap().contains("application/geo+json, text/html"));
}

#[tokio::test]
async fn g9_g10_other_methods_are_refused_with_those_that_are_allowed() {
    let client = client_of_town().await;
    let items = "/ogc/collections/Sensor/items";
    let reply = client.send(Method::PUT, items, &[]).await.expect(405);
    assert!(reply.header("allow").contains("GET"), "{:?}", reply.headers);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    let script = client.send(Method::PUT, "/ogc/assets/pages.js", &[]).await.expect(405);
    assert_eq!(script.header("content-type"), "application/problem+json");
    let head = client.send(Method::HEAD, items, &[]).await.expect(200);
    assert!(head.text.is_empty());
    assert_eq!(head.header("content-type"), "application/geo+json");
}

#[tokio::test]
async fn revisions_that_are_none_or_do_not_come_are_refused() {
    let client = client_of_town().await;
    let get = async |value: &str| {
        client.send(Method::GET, "/ogc/collections", &[("cardo-min-revision", value)]).await
    };
    get("1").await.expect(200);
    let reply = get("soon").await.expect(400);
    assert!(reply.text.contains("\\\"soon\\\" is no revision"), "{}", reply.text);
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => out.push(byte.into()),
            b' ' => out.push('+'),
            _ => write!(out, "%{byte:02X}").unwrap(),
        }
    }
    out
}

/// What takes filters.
const FILTERED: [&str; 4] = [
    "/collections/Sensor/items?",
    "/collections/Sensor/tiles/WebMercatorQuad/0/0/0?",
    "/tiles/WebMercatorQuad/0/0/0?",
    "/aggregates?areas=Building&collections=Sensor&",
];

#[tokio::test]
async fn q7_q12_a_filter_of_ten_thousand_terms_or_levels_is_refused_wherever_there_are_filters() {
    let client = client_of_town().await;
    let texts = [
        format!("temperature IN ({})", vec!["1"; 10_000].join(",")),
        format!("{}TRUE", "NOT(".repeat(4_000)),
        format!("{}temperature=1{}", "(".repeat(5_000), ")".repeat(5_000)),
        format!("name={}'a'{}", "CASEI(".repeat(2_000), ")".repeat(2_000)),
    ];
    let json = [
        format!(
            "{{\"op\":\"in\",\"args\":[{{\"property\":\"temperature\"}},[{}]]}}",
            vec!["1"; 10_000].join(",")
        ),
        format!("{}true{}", "{\"op\":\"not\",\"args\":[".repeat(900), "]}".repeat(900)),
        format!("{}{}", "[".repeat(9_000), "]".repeat(9_000)),
    ];
    for path in FILTERED {
        for text in &texts {
            refused(&client, &format!("{path}filter={}", encoded(text)), 400, "filter: ").await;
        }
        for text in &json {
            let path = format!("{path}filter-lang=cql2-json&filter={}", encoded(text));
            refused(&client, &path, 400, "filter: ").await;
        }
        let long = vec!["temperature=1"; 900].join(" OR ");
        client.get(&format!("{path}filter={}", encoded(&long))).await.expect(200);
    }
}

#[tokio::test]
async fn c7_q9_a_system_that_is_not_listed_is_refused_wherever_one_can_be_named() {
    let client = client_of_town().await;
    let one = "/collections/Sensor/items/urn:ngsi-ld:Sensor:a?";
    for system in [
        "http://www.opengis.net/def/crs/0/unsupported",
        "http://www.opengis.net/def/crs/EPSG/0/999999",
        "http://www.opengis.net/def/crs/EPSG/0/99999999999999999999",
        "EPSG:4326",
        "",
        "nonsense",
    ] {
        let system = encoded(system);
        for path in FILTERED {
            let path = format!("{path}filter=TRUE&filter-crs={system}");
            refused(&client, &path, 400, "filter-crs=").await;
        }
        for (path, name) in [(FILTERED[0], "crs"), (one, "crs"), (FILTERED[0], "bbox-crs")] {
            let path = format!("{path}{name}={system}&limit=1");
            let path = if path.contains("Sensor:a") { path.replace("&limit=1", "") } else { path };
            refused(&client, &path, 400, &format!("{name}=")).await;
        }
    }
}
