use std::io::Write;

use serde_json::{Value, json};

use super::broker::Broker;
use super::{City, seconds_from_now, until};

const MAPPING: &str = "
type = 'Tram'
id = 'urn:ngsi-ld:Tram:{oper}-{VP.veh}'
observed_at = 'VP.tst'
[geometry]
x = 'VP.long'
y = 'VP.lat'
[attributes]
speed = { from = 'VP.spd', type = 'number', unit = 'MTS' }
route = { from = 'VP.route', type = 'text' }
";

const TOPIC: &str = "/hfp/v2/journey/ongoing/vp/tram/{oper}/+/+/+/#";

fn source(broker: &Broker, more: &str) -> String {
    format!(
        "[[sources]]\nname = 'hfp'\nmqtt = 'mqtt://localhost:{}'\ntopics = ['{TOPIC}']\nmapping = 'hfp.toml'\n{more}\n",
        broker.port
    )
}

fn listening(broker: &Broker, more: &str) -> City {
    let sources = source(broker, more);
    let folder = tempfile::tempdir().unwrap();
    let config = format!("[egress]\nallow_loopback = true\n\n{sources}");
    std::fs::write(folder.path().join("cardo.toml"), config).unwrap();
    std::fs::write(folder.path().join("hfp.toml"), MAPPING).unwrap();
    let server = super::start(folder.path());
    let city = City { folder, server };
    city.until_source("hfp", "a connection", |source| source["state"] == "running");
    city
}

fn topic(operator: &str, vehicle: u64) -> String {
    format!("/hfp/v2/journey/ongoing/vp/tram/{operator}/{vehicle:05}/1008/1/Arabia/07:53/1140450/3")
}

fn position(vehicle: u64, seconds: i64, speed: &Value, latitude: &Value) -> String {
    let tst = moment(seconds);
    json!({ "VP": { "veh": vehicle, "tst": tst, "spd": speed, "lat": latitude, "long": 24.9, "route": "1008" } })
        .to_string()
}

fn moment(seconds: i64) -> String {
    cardo_model::Timestamp::from_seconds(seconds_from_now(seconds)).to_string()
}

#[test]
fn messages_become_entities_by_nested_paths_and_levels_of_their_topic() {
    let broker = Broker::start();
    let city = listening(&broker, "");
    let first = position(433, -20, &2.5.into(), &60.18.into());
    // HFP comes several times.
    for _ in 0..3 {
        broker.publish(&topic("0040", 433), &first);
    }
    let tram = "urn:ngsi-ld:Tram:0040-433";
    city.until_source("hfp", "all of them", |source| source["taken"] == 3);
    assert_eq!(city.source("hfp")["unchanged"], 2);
    assert_eq!(city.value(tram, "location")["coordinates"], json!([24.9, 60.18]));
    assert_eq!(city.value(tram, "speed"), 2.5);
    // A late one goes to the history, one without a place leaves the place as it is.
    broker.publish(&topic("0040", 433), &position(433, -40, &9.0.into(), &60.0.into()));
    broker.publish(&topic("0040", 433), &position(433, -10, &3.0.into(), &Value::Null));
    until("the newest", || city.value(tram, "speed") == 3.0, || city.source("hfp").to_string());
    city.until_source("hfp", "the late one", |source| source["late"] == 1);
    assert_eq!(city.value(tram, "location")["coordinates"], json!([24.9, 60.18]));
    // Other events of the same topic have no such parts.
    broker.publish(&topic("0040", 433), r#"{"DOO":{"veh":433}}"#);
    broker.publish(&topic("0040", 433), "no JSON at all");
    city.until_source("hfp", "two in quarantine", |source| source["quarantine"] == 2);
    let reasons: Vec<String> =
        city.quarantine("hfp").iter().map(|e| e["reason"].to_string()).collect();
    assert!(reasons[1].contains("malformed JSON") && reasons[1].contains("/hfp/v2"), "{reasons:?}");
    assert_eq!(city.source("hfp")["failures"], 0);
}

#[test]
fn the_public_sample_of_tram_positions_is_taken_in() {
    let Some(samples) = std::env::var_os("CARDO_SAMPLES") else {
        eprintln!("not run: CARDO_SAMPLES names no folder of sample files");
        return;
    };
    let file = std::path::Path::new(&samples).join("helsinki/mobility/hfp-trams.ndjson");
    let broker = Broker::start();
    let city = listening(&broker, "clock_ahead = '365d'");
    let (mut sent, mut events) = (0, 0);
    for line in std::fs::read_to_string(file).unwrap().lines() {
        let heard: Value = serde_json::from_str(line).unwrap();
        let (topic, payload) =
            (heard["topic"].as_str().unwrap(), heard["payload"].as_str().unwrap());
        let is_position = topic.starts_with("/hfp/v2/journey/ongoing/vp/tram/");
        for _ in 0..heard["copies"].as_u64().unwrap() {
            broker.publish(topic, payload);
            sent += u64::from(is_position);
            events += u64::from(!is_position);
        }
    }
    assert!(sent > 30 && events > 0, "{sent} positions and {events} other events");
    city.until_source("hfp", "every position", |source| {
        source["taken"].as_u64().unwrap() + source["quarantined"].as_u64().unwrap() == sent
    });
    let source = city.source("hfp");
    assert!(source["unchanged"].as_u64().unwrap() > 0, "{source}");
    let count = city.server.send("GET", "/ngsi-ld/v1/entities?type=Tram&count=true&limit=0", None);
    assert!(count.header("ngsild-results-count").unwrap().parse::<u64>().unwrap() > 1);
}

#[test]
fn a_message_that_is_too_large_is_put_aside_and_the_connection_goes_on() {
    let broker = Broker::start();
    let city = listening(&broker, "");
    let large = city.folder.path().join("large");
    let mut file = std::fs::File::create(&large).unwrap();
    for _ in 0..10 {
        file.write_all(&vec![b' '; 1_000_000]).unwrap();
    }
    drop(file);
    broker.publish_with(&["-t", &topic("0040", 1), "-f", large.to_str().unwrap()]);
    broker.publish(&topic("0040", 2), &position(2, -5, &1.into(), &60.1.into()));
    until(
        "the one behind",
        || !city.value("urn:ngsi-ld:Tram:0040-2", "speed").is_null(),
        || city.source("hfp").to_string(),
    );
    city.until_source("hfp", "the large one", |source| source["quarantined"] == 1);
    let entry = city.quarantine("hfp").remove(0);
    let reason = entry["reason"].as_str().unwrap();
    assert!(reason.contains("10000000 bytes") && reason.contains(&topic("0040", 1)), "{reason}");
    let source = city.source("hfp");
    assert_eq!(
        (source["failures"].as_u64(), source["quarantined"].as_u64()),
        (Some(0), Some(1)),
        "{source}"
    );
}

#[test]
fn a_broker_that_goes_away_is_listened_to_again() {
    let mut broker = Broker::start();
    let city = listening(&broker, "");
    broker.publish(&topic("1", 1), &position(1, -9, &1.into(), &60.1.into()));
    city.until_source("hfp", "the first", |source| source["taken"] == 1);
    broker.kill();
    city.until_source("hfp", "two failures", |source| source["failures"].as_u64() >= Some(2));
    let source = city.source("hfp");
    assert_eq!(source["state"], "failing");
    assert!(source["nextAttempt"].is_string() && source["lastError"]["message"].is_string());
    broker.run();
    city.until_source("hfp", "a connection", |source| source["state"] == "running");
    broker.publish(&topic("1", 1), &position(1, -3, &2.into(), &60.1.into()));
    until(
        "the second",
        || city.value("urn:ngsi-ld:Tram:1-1", "speed") == 2,
        || city.source("hfp").to_string(),
    );
}

#[test]
fn what_a_broker_keeps_while_the_server_is_away_comes_when_it_is_back() {
    let mut broker = Broker::start();
    let city = listening(&broker, "");
    let City { folder, server } = city;
    server.stop();
    broker.publish(&topic("1", 7), &position(7, -3, &2.into(), &60.1.into()));
    // The broker keeps it over a restart of its own.
    broker.stop();
    broker.run();
    let server = super::start(folder.path());
    let city = City { folder, server };
    until(
        "what was kept",
        || city.value("urn:ngsi-ld:Tram:1-7", "speed") == 2,
        || city.source("hfp").to_string(),
    );
}

/// Readings that are sent before each kill.
const READINGS: u64 = 1_000;
const KILLS: u64 = 3;

#[test]
fn a_kill_in_the_middle_of_traffic_loses_no_message_that_the_broker_has() {
    let broker = Broker::start();
    let mut city = listening(&broker, "");
    let topic = topic("k", 0);
    for kill in 0..KILLS {
        let vehicles = kill * READINGS..(kill + 1) * READINGS;
        let lines: Vec<String> =
            vehicles.map(|n| position(n, -60, &n.into(), &60.1.into())).collect();
        std::thread::scope(|scope| {
            let sending = scope.spawn(|| broker.publish_lines(&topic, &lines));
            city.until_source("hfp", "some of them", |source| {
                source["taken"].as_u64().unwrap() > READINGS / 5
            });
            city.kill_and_start_again();
            sending.join().unwrap();
        });
    }
    let count = || {
        let path = "/ngsi-ld/v1/entities?type=Tram&count=true&limit=0";
        let answer = city.server.send("GET", path, None);
        answer.header("ngsild-results-count").unwrap().parse::<u64>().unwrap()
    };
    let instead = || format!("{}: {}", count(), city.source("hfp"));
    until("every reading", || count() == READINGS * KILLS, instead);
}

#[test]
fn who_may_listen_is_asked_for_name_and_password_over_tls() {
    let broker = Broker::secured();
    let folder = broker.folder_path();
    let listen = |password: &str| {
        City::with(&format!(
            "[[sources]]\nname = 'm'\nmqtt = 'mqtts://localhost:{}'\nca = '{folder}/cert.pem'\ntopics = ['a']\ntype = 'T'\n\
             username = 'cardo'\npassword = '{password}'\n",
            broker.port
        ))
    };
    let city = listen("hush");
    city.until_source("m", "a connection", |source| source["state"] == "running");
    let stranger = listen("wrong");
    stranger.until_source("m", "a refusal", |source| source["state"] == "failing");
    let source = stranger.source("m");
    let why = source["lastError"]["message"].as_str().unwrap();
    assert!(why.contains("password") || why.contains("authorized"), "{why}");
}

#[test]
fn a_broker_on_this_machine_is_not_reached_where_that_is_not_allowed() {
    let broker = Broker::start();
    let city = City::configured(&format!(
        "[[sources]]\nname = 'm'\nmqtt = 'mqtt://localhost:{}'\ntopics = ['a']\ntype = 'T'\n",
        broker.port
    ));
    city.until_source("m", "a refusal", |source| source["state"] == "failing");
    let source = city.source("m");
    assert!(
        source["lastError"]["message"].as_str().unwrap().contains("egress.allow_loopback"),
        "{source}"
    );
}
