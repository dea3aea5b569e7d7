use std::fmt::Write;

use super::City;

const SENSORS: &str = "[[sources]]\nname = 'sensors'\npush = true\nmapping = 'sensors.toml'\n";
const STRICT: &str =
    "type = 'Sensor'\nkey = 'id'\n[attributes]\nv = { from = 'v', required = true }\n";
const MILD: &str = "type = 'Sensor'\nkey = 'id'\n[attributes]\nv = ['v', 'w']\n";

fn city(config: &str) -> City {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cardo.toml"), config).unwrap();
    std::fs::write(folder.path().join("sensors.toml"), STRICT).unwrap();
    let server = super::start(folder.path());
    City { folder, server }
}

#[test]
fn a_quarantine_is_listed_replayed_with_a_mended_mapping_and_emptied() {
    let city = city(SENSORS);
    let body = r#"[{"id":"a","w":1},{"id":"b","w":2},{"id":"c","v":3},{"w":4}]"#;
    assert_eq!(city.push("sensors", &[], body).status, 200);
    let page = city.server.get("/sources/sensors/quarantine?limit=1&offset=1");
    assert_eq!((page["total"].as_u64(), page["records"].as_array().unwrap().len()), (Some(3), 1));
    let record = &page["records"][0];
    assert!(
        record["reason"].is_string() && record["at"].is_string() && record["feature"].is_string(),
        "{record}"
    );
    for bad in ["limit=x", "offset=-1", "page=2"] {
        assert_eq!(
            city.server.send("GET", &format!("/sources/sensors/quarantine?{bad}"), None).status,
            400
        );
    }
    city.file("sensors.toml", MILD);
    let replayed = city.server.send("POST", "/sources/sensors/quarantine/replay", None);
    assert_eq!(replayed.status, 200, "{}", replayed.text());
    assert_eq!(replayed.json()["released"], 2);
    assert_eq!(city.value("urn:ngsi-ld:Sensor:b", "v"), 2);
    assert_eq!(city.source("sensors")["quarantine"], 1);
    assert_eq!(
        city.server.send("DELETE", "/sources/sensors/quarantine", None).json()["removed"],
        1
    );
    assert!(city.quarantine("sensors").is_empty());
    // What was thrown away and comes again is put aside again.
    city.push("sensors", &[], r#"{"w":4}"#);
    assert_eq!(city.source("sensors")["quarantine"], 1);
}

#[test]
fn sources_are_listed_with_their_figures_and_told_to_prometheus() {
    let city = city(&format!(
        "{SENSORS}\n[[sources]]\nname = 'gone'\nfile = 'nothing.csv'\ntype = 'T'\n\n\
         [[sources]]\nname = 'elsewhere'\npush = true\ntenant = 'other'\ntype = 'T'\n"
    ));
    city.push("sensors", &[], r#"[{"id":"a","v":1},{"id":"b"}]"#);
    let list = city.server.get("/sources");
    let names: Vec<&str> =
        list.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["sensors", "gone"], "of this tenant, in the order of the configuration");
    let sensors = &list[0];
    assert_eq!(
        (sensors["kind"].as_str(), sensors["state"].as_str()),
        (Some("push"), Some("running"))
    );
    assert_eq!((sensors["taken"].as_u64(), sensors["errors"].as_u64()), (Some(1), Some(1)));
    assert!(
        sensors["rate"].as_f64().unwrap() > 0.0 && sensors["lastRecord"].is_string(),
        "{sensors}"
    );
    city.until_source("gone", "a failure", |source| source["state"] == "failing");
    let elsewhere = city.server.get("/tenants/other/sources");
    assert_eq!(elsewhere[0]["name"], "elsewhere");
    let answer = city.server.send(
        "POST",
        "/tenants/other/sources/elsewhere/push",
        Some(r#"{"id":"x","v":1}"#),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(city.server.send("GET", "/sources/elsewhere", None).status, 404);

    let metrics = city.server.send("GET", "/metrics", None).text();
    for line in [
        r#"cardo_source_state{tenant="",source="sensors",kind="push",state="running"} 1"#,
        r#"cardo_source_state{tenant="",source="gone",kind="file",state="failing"} 1"#,
        r#"cardo_source_records_total{tenant="",source="sensors",kind="push",outcome="new"} 1"#,
        r#"cardo_source_quarantine_records{tenant="",source="sensors",kind="push"} 1"#,
        r#"cardo_source_records_total{tenant="other",source="elsewhere",kind="push",outcome="new"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is missing in\n{metrics}");
    }
}

#[test]
fn a_source_that_cannot_be_is_said_at_the_start() {
    for (sources, needed) in [
        ("[[sources]]\nname = 'a'\nmqtt = 'mqtt://h'\n", "topics"),
        (
            "[[sources]]\nname = 'a'\npush = true\n\n[[sources]]\nname = 'a'\npush = true\n",
            "two sources",
        ),
        ("[[sources]]\nname = 'a'\npush = true\nurl = 'http://h'\nevery = '1s'\n", "one of"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("cardo.toml");
        std::fs::write(&config, sources).unwrap();
        let mut command = crate::support::cardo(&["serve", "--listen", "127.0.0.1:0", "--config"]);
        command.arg(&config).arg("--data").arg(folder.path().join("data"));
        let output = crate::support::output(command);
        assert!(!output.status.success());
        let said = crate::support::error_text(&output);
        assert!(said.contains(needed), "{sources}: {said}");
    }
}

#[test]
fn every_source_of_the_example_configuration_can_be() {
    let text = include_str!("../../../../../deploy/cardo.toml");
    let mut sources = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some(line) = line.strip_prefix("# ") else { continue };
        if line == "[[sources]]" {
            sources.push(String::new());
        } else if let Some(source) = sources.last_mut()
            && line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
        {
            // What it says stands beside the others in the file.
            let line = line.replace("mapping = \"sensors.toml\"", "type = \"T\"");
            writeln!(source, "{line} # line {number}").unwrap();
        }
    }
    assert_eq!(sources.len(), 4);
    for source in sources {
        let source: cardo_ingest::SourceConfig = toml::from_str(&source).unwrap();
        source.check().unwrap();
    }
}
