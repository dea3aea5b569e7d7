//! Schemas of collections (OGC 23-058r2; checklist P5-1) and what changes keep to (OGC 20-002).

use axum::http::Method;
use cardo_engine::{Caller, Operation};
use cardo_model::{Instance, JsonText, Value};
use serde_json::{Value as Json, json};

use crate::client::{Client, Reply, client, client_of_town, id, make, property, rich_entity};

const SCHEMAS: [&str; 4] = ["schema", "queryables", "sortables", "schema?type=replace"];

/// Keywords of JSON Schema that schemas use beside those of OGC.
const KEYWORDS: [&str; 10] = [
    "$schema",
    "$id",
    "type",
    "title",
    "properties",
    "additionalProperties",
    "format",
    "items",
    "readOnly",
    "enum",
];

async fn properties(client: &Client, path: &str) -> serde_json::Map<String, Json> {
    client.json(path).await["properties"].as_object().unwrap().clone()
}

#[tokio::test]
async fn p5_1_schemas_are_json_schemas_at_their_own_address() {
    let client = client_of_town().await;
    client.create(vec![rich_entity()]).await;
    for collection in ["Sensor", "Building", "Station"] {
        for schema in &SCHEMAS[..3] {
            let path = format!("/collections/{collection}/{schema}");
            let reply = client.get(&path).await.expect(200);
            assert_eq!(reply.header("content-type"), "application/schema+json");
            let document = reply.json();
            assert_eq!(document["$schema"], "https://json-schema.org/draft/2020-12/schema");
            assert_eq!(document["$id"], format!("http://city.example:8787/ogc{path}"));
            assert_eq!(document["type"], "object");
            let own = document["$id"].as_str().unwrap();
            assert_eq!(client.follow(own).await, document);
            let names = document.as_object().unwrap().keys();
            let members = document["properties"].as_object().unwrap();
            let of_properties =
                members.values().flat_map(|schema| schema.as_object().unwrap().keys());
            for keyword in names.chain(of_properties) {
                let is_known =
                    KEYWORDS.contains(&keyword.as_str()) || keyword.starts_with("x-ogc-");
                assert!(is_known, "{path}: {keyword}");
            }
        }
    }
}

#[tokio::test]
async fn p5_1_every_property_has_a_type_or_is_spatial_and_a_place() {
    let client = client_of_town().await;
    client.create(vec![rich_entity()]).await;
    for collection in ["Sensor", "Building", "Station"] {
        for schema in &SCHEMAS[..3] {
            let path = format!("/collections/{collection}/{schema}");
            let mut places = Vec::new();
            for (name, property) in properties(&client, &path).await {
                let format = property["format"].as_str().unwrap_or_default();
                let is_spatial = format.starts_with("geometry-");
                assert_eq!(property["type"].is_null(), is_spatial, "{path}: {name}");
                assert!(property["title"].is_string(), "{path}: {name}");
                places.push(property["x-ogc-propertySeq"].as_u64().unwrap());
            }
            assert_eq!(places, (1..=places.len() as u64).collect::<Vec<_>>(), "{path}");
        }
    }
}

fn with_role<'p>(properties: &'p serde_json::Map<String, Json>, role: &str) -> Vec<&'p str> {
    let has_role = properties.iter().filter(|(_, property)| property["x-ogc-role"] == role);
    has_role.map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn p5_1_roles_name_the_id_the_geometry_and_the_time_of_features() {
    let client = client_of_town().await;
    let sensor = properties(&client, "/collections/Sensor/schema").await;
    assert_eq!(with_role(&sensor, "id"), ["id"]);
    assert_eq!(sensor["id"]["readOnly"], true);
    assert_eq!(with_role(&sensor, "primary-geometry"), ["geometry"]);
    assert_eq!(with_role(&sensor, "primary-instant"), ["temperature__observedAt"]);
    assert_eq!(with_role(&sensor, "reference"), ["refDistrict"]);
    let building = properties(&client, "/collections/Building/schema").await;
    assert_eq!(with_role(&building, "primary-instant"), Vec::<&str>::new());
    // The latest of several observations is in no one column.
    let two = make("Sensor", "x").observed("pressure", "1", "2026-11-01T00:00:00Z").done();
    client.create(vec![two]).await;
    let sensor = properties(&client, "/collections/Sensor/schema").await;
    assert_eq!(with_role(&sensor, "primary-instant"), Vec::<&str>::new());
}

/// `/req/schemas/unit`.
#[tokio::test]
async fn p5_1_a_unit_that_all_numbers_of_a_property_have_is_in_the_schema() {
    let client = client().await;
    let measured = |name: &str, unit: Option<&str>| {
        let mut level = property("4.5");
        level.unit_code = unit.map(Box::from);
        make("Gauge", name).instance("level", level).done()
    };
    client.create(vec![measured("1", Some("MTR")), measured("2", Some("MTR"))]).await;
    let level = async || properties(&client, "/collections/Gauge/schema").await["level"].clone();
    assert_eq!(level().await["x-ogc-unit"], "m");
    assert_eq!(level().await["x-ogc-unitLang"], "UCUM");
    // One that has another, none, or one that the language does not know.
    for unit in [Some("FOT"), None, Some("furlong")] {
        client.create(vec![measured("3", unit)]).await;
        assert_eq!(level().await.get("x-ogc-unit"), None, "{unit:?}");
        let gone = vec![Operation::Delete(id("Gauge:3"))];
        client.apply(&Caller::local("test"), gone).await;
        assert_eq!(level().await["x-ogc-unit"], "m", "{unit:?} is gone");
    }
    let station = vec![Operation::Delete(id("Gauge:1")), Operation::Delete(id("Gauge:2"))];
    client.apply(&Caller::local("test"), station).await;
    client.create(vec![measured("4", Some("furlong"))]).await;
    assert_eq!(level().await.get("x-ogc-unit"), None);
}

fn link_of<'r>(reply: &'r Reply, rel: &str) -> &'r str {
    let mut links = reply.headers.get_all("link").iter().map(|value| value.to_str().unwrap());
    links.find(|link| link.contains(&format!("rel=\"{rel}\""))).unwrap_or_default()
}

/// `/req/profile-domains/actual-domain`, `/req/profile-domains/consistency`.
#[tokio::test]
async fn p5_4_a_schema_tells_of_all_values_or_of_those_that_there_are() {
    let client = client_of_town().await;
    client.create(vec![make("Sensor", "g").value("kind", "\"a\"").at(1.0, 2.0).done()]).await;
    let keywords = ["enum", "minimum", "maximum", "minLength", "maxLength"];
    for path in ["schema", "queryables", "sortables"] {
        for (query, profile) in [
            ("", "valid-domain"),
            ("?profile=valid-domain", "valid-domain"),
            ("?profile=actual-domain", "actual-domain"),
            ("?profile=http://www.opengis.net/def/profile/OGC/0/actual-domain", "actual-domain"),
        ] {
            let path = format!("/collections/Sensor/{path}{query}");
            let reply = client.get(&path).await.expect(200);
            let register = "http://www.opengis.net/def/profile/OGC/0";
            let link = link_of(&reply, "profile");
            assert!(link.starts_with(&format!("<{register}/{profile}>")), "{path}: {link}");
            let properties = reply.json()["properties"].as_object().unwrap().clone();
            let is_actual = profile == "actual-domain";
            let has_any = properties.values().any(|p| keywords.iter().any(|k| p.get(k).is_some()));
            assert_eq!(has_any, is_actual, "{path}");
            if is_actual {
                assert_eq!(properties["kind"]["enum"], json!(["a"]));
                let temperature = &properties["temperature"];
                assert_eq!(temperature["minimum"], -3.0);
                assert_eq!(temperature["maximum"], 28.0);
            }
            if let Some(geometry) = properties.get("geometry") {
                let format = if is_actual { "geometry-point" } else { "geometry-any" };
                assert_eq!(geometry["format"], format, "{path}");
            }
        }
        let other = client.get(&format!("/collections/Sensor/{path}?profile=jsonfg")).await;
        assert!(link_of(&other.expect(200), "profile").contains("/valid-domain>"));
        let refused = client.get(&format!("/collections/Sensor/{path}?profile=,")).await;
        assert!(refused.expect(400).text.contains("valid-domain, actual-domain"));
    }
    let many = (0..60).map(|n| {
        let text = format!("\"{}\"", "\u{e4}".repeat(n + 2));
        make("Note", &n.to_string()).value("text", &text).done()
    });
    client.create(many.collect()).await;
    let note = properties(&client, "/collections/Note/schema?profile=actual-domain").await;
    let text = &note["text"];
    assert_eq!((&text["minLength"], &text["maxLength"]), (&json!(2), &json!(61)));
    assert_eq!(text.get("enum"), None);
}

/// `/req/profile-codelists/codelist-inline`, `/req/profile-codelists/consistency`.
#[tokio::test]
async fn p5_4_names_of_vocabularies_are_listed_with_what_they_stand_for() {
    let client = client().await;
    let vocabulary = "https://voc.example/use#";
    let plot = |name: &str, used: &str, state: &str| {
        let of = |name: &str| Value::vocab(JsonText::string(&format!("{vocabulary}{name}")));
        let [used, state] = [used, state].map(|name| Instance::new(of(name)));
        make("Plot", name)
            .instance("used", used)
            .instance("state", state)
            .value("note", "\"a\"")
            .done()
    };
    client.create(vec![plot("1", "park", "open"), plot("2", "house", "open")]).await;
    let code = |name: &str| {
        let iri = format!("{vocabulary}{name}");
        json!({ "const": iri, "title": iri, "x-ogc-definition": iri })
    };
    for path in ["schema", "queryables", "sortables"] {
        let path = format!("/collections/Plot/{path}");
        let reply = client.get(&format!("{path}?profile=codelist-inline")).await.expect(200);
        let properties = &reply.json()["properties"];
        assert_eq!(properties["used"]["oneOf"], json!([code("house"), code("park")]));
        assert_eq!(properties["state"]["oneOf"], json!([code("open")]));
        assert_eq!(properties["note"].get("oneOf"), None);
        let links: Vec<&str> =
            reply.headers.get_all("link").iter().map(|link| link.to_str().unwrap()).collect();
        for profile in ["actual-domain", "codelist-inline"] {
            let link = format!("<http://www.opengis.net/def/profile/OGC/0/{profile}>");
            assert!(links.iter().any(|one| one.starts_with(&link)), "{links:?}");
        }
        // Any name is accepted, so a schema of what is accepted lists none.
        for (query, lists) in [
            ("", false),
            ("?profile=codelist-inline,valid-domain", false),
            ("?profile=actual-domain", true),
        ] {
            let reply = client.get(&format!("{path}{query}")).await.expect(200);
            let used = reply.json()["properties"]["used"].clone();
            assert_eq!((used.get("oneOf"), used.get("enum").is_some()), (None, lists), "{query}");
            assert!(!link_of(&reply, "profile").contains("codelist"), "{query}");
        }
    }
    let feature =
        client.json("/collections/Plot/schema?type=feature&profile=codelist-inline").await;
    let told = &feature["properties"]["properties"]["allOf"][0]["properties"]["state"];
    assert_eq!(told["oneOf"], json!([code("open")]));
}

#[tokio::test]
async fn p5_1_what_lists_have_in_them_is_told_where_it_is_all_alike() {
    let client = client().await;
    let note = |name: &str, lists: [&str; 4]| {
        let names = ["numbers", "words", "mixed", "none"];
        let made = names
            .iter()
            .zip(lists)
            .fold(make("Note", name), |made, (name, list)| made.value(name, list));
        made.instance(
            "listed",
            Instance::new(Value::list(JsonText::parse("[1,2]").unwrap(), false)),
        )
        .done()
    };
    client.create(vec![note("1", ["[1,2.5]", r#"["a"]"#, "[1]", "[]"])]).await;
    client.create(vec![note("2", ["[3]", "[]", r#"["a"]"#, "[]"])]).await;
    let items = async |path: &str, at: &str| {
        let schema = client.json(path).await;
        let properties = schema.pointer(at).unwrap().clone();
        ["numbers", "words", "listed", "mixed", "none"]
            .map(|name| properties[name]["items"].clone())
    };
    let known =
        [json!({ "type": "number" }), json!({ "type": "string" }), json!({ "type": "number" })];
    let actual = items("/collections/Note/schema?profile=actual-domain", "/properties").await;
    assert_eq!(actual, [known.as_slice(), &[Json::Null, Json::Null]].concat()[..]);
    let feature = "/collections/Note/schema?type=feature";
    // GDAL, which looks at this alone, would take other lists as texts.
    let told = items(feature, "/properties/properties/allOf/0/properties").await;
    assert_eq!(told.iter().filter(|items| !items.is_null()).collect::<Vec<_>>(), [&actual[1]]);
    let apart = items(feature, "/properties/properties/properties").await;
    assert_eq!([&apart[0], &apart[2]], [&actual[0], &actual[2]]);
    let valid = items("/collections/Note/schema", "/properties").await;
    assert_eq!(valid, [const { Json::Null }; 5], "any list is accepted");
}

#[tokio::test]
async fn p5_1_each_collection_links_its_schema_and_that_of_its_features_in_geojson() {
    let client = client_of_town().await;
    client.create(vec![rich_entity()]).await;
    for collection in client.json("/collections").await["collections"].as_array().unwrap() {
        let links = collection["links"].as_array().unwrap().iter();
        let to_schema = |rel: &str| {
            let mut links = links.clone().filter(|link| link["rel"] == rel);
            let link = links.find(|link| link["type"] == "application/schema+json").unwrap();
            link["href"].as_str().unwrap().to_owned()
        };
        let schema =
            client.follow(&to_schema("http://www.opengis.net/def/rel/ogc/1.0/schema")).await;
        assert_eq!(to_schema("describedBy"), to_schema("describedby"));
        let described = client.follow(&to_schema("describedby")).await;
        assert_eq!(described["$id"], to_schema("describedby"));
        let members = &described["properties"]["properties"];
        let (lists, others) = (&members["properties"], &members["allOf"][0]["properties"]);
        for (name, property) in schema["properties"].as_object().unwrap() {
            let is_member = ["id", "geometry"].contains(&name.as_str());
            let of = if is_member { &described["properties"] } else { others };
            let found = if of[name].is_null() { &lists[name] } else { &of[name] };
            assert_eq!(found["type"], property["type"], "{name}");
            assert_eq!(found["format"], property["format"], "{name}");
        }
    }
}

#[tokio::test]
async fn p5_1_texts_that_are_all_times_are_told_to_be_so_of_features_in_geojson() {
    let client = client().await;
    let note = |name: &str, day: &str, at: &str, mixed: &str| {
        make("Note", name).value("day", day).value("at", at).value("mixed", mixed).done()
    };
    let (day, at) = (r#""2026-01-31""#, r#""2026-01-31T12:00:00Z""#);
    client.create(vec![note("1", day, at, day), note("2", day, at, at)]).await;
    let formats = async || {
        let schema = client.json("/collections/Note/schema?type=feature").await;
        let told = schema["properties"]["properties"]["allOf"][0]["properties"].clone();
        ["day", "at", "mixed"].map(|name| told[name]["format"].clone())
    };
    assert_eq!(formats().await, [json!("date"), json!("date-time"), Json::Null]);
    client.create(vec![note("3", r#""soon""#, r#""2026""#, day)]).await;
    assert_eq!(formats().await, [Json::Null, Json::Null, Json::Null]);
}

#[tokio::test]
async fn w11_a_replacement_has_a_schema_of_its_own_without_what_the_server_makes() {
    let client = client_of_town().await;
    let schema = client.json("/collections/Sensor/schema?type=replace").await;
    assert_eq!(schema["required"], json!(["type", "geometry", "properties"]));
    assert_eq!(schema["properties"]["geometry"]["format"], "geometry-any");
    let inner = &schema["properties"]["properties"];
    assert_eq!(inner["additionalProperties"], true);
    let names = inner["properties"].as_object().unwrap();
    assert!(names.contains_key("temperature") && !names.contains_key("id"), "{names:?}");
    assert!(!names.contains_key("geometry"));
    for query in ["type=create", "type=", "types=replace"] {
        client.get(&format!("/collections/Sensor/schema?{query}")).await.expect(400);
    }
    client.get("/collections/Sensor/queryables?type=replace").await.expect(400);
    client.get("/collections/Sensor/sortables?type=feature").await.expect(400);
}

#[tokio::test]
async fn w11_what_keeps_to_the_schema_is_taken() {
    let client = client().await;
    client.create(vec![rich_entity()]).await;
    let schema = properties(&client, "/collections/Station/schema").await;
    let mut feature = json!({ "type": "Feature", "geometry": null, "properties": {} });
    for (name, property) in &schema {
        let value = match (property["type"].as_str(), property["format"].as_str()) {
            _ if property["readOnly"] == true => continue,
            (None, Some("geometry-any")) => {
                feature["geometry"] = json!({ "type": "Point", "coordinates": [1, 2] });
                continue;
            }
            (Some("number"), _) => json!(1.5),
            (Some("string"), Some("date")) => json!("2026-11-01"),
            (Some("string"), Some("date-time")) => json!("2026-11-01T00:00:00Z"),
            (Some("string"), None) => json!("text"),
            other => panic!("{name}: {other:?}"),
        };
        feature["properties"][name] = value;
    }
    let header = ("content-type", "application/geo+json");
    let items = "/ogc/collections/Station/items";
    let reply =
        client.write(Method::POST, items, &[header], &feature.to_string()).await.expect(201);
    let path = reply.header("location").strip_prefix("http://city.example:8787").unwrap();
    let found = client.send(Method::GET, path, &[]).await.expect(200).json();
    for (name, value) in feature["properties"].as_object().unwrap() {
        assert_eq!(found["properties"][name], *value, "{name}");
    }
    let after = properties(&client, "/collections/Station/schema").await;
    for (name, property) in &schema {
        for keyword in ["type", "format"] {
            assert_eq!(after[name][keyword], property[keyword], "{name}");
        }
    }
}
