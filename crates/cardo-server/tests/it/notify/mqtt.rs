use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use super::{set, subscribe};
use crate::feeds::broker::Broker;
use crate::feeds::{City, until};

const ID: &str = "urn:x:1";

/// Hears what is published, as `mosquitto_sub` tells it.
struct Ear {
    process: Child,
    lines: Receiver<String>,
}

impl Ear {
    /// Listens to all topics; what is published from now on is heard.
    fn of(broker: &Broker, arguments: &[&str]) -> Self {
        let ear = Self::start(broker, arguments);
        // What the broker says of itself shows that it has taken the subscription.
        assert!(ear.line().starts_with("$SYS"));
        ear
    }

    fn start(broker: &Broker, arguments: &[&str]) -> Self {
        let mut command = Command::new("mosquitto_sub");
        command.args(["-h", "localhost", "-p", &broker.port.to_string(), "-q", "2", "-t", "#"]);
        command.args(["-t", "$SYS/broker/version", "-F", "%t %q %p"]).args(arguments);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { process, lines }
    }

    /// Goes on with a session that the broker keeps.
    fn resumed(broker: &Broker) -> Self {
        Self::start(broker, &["-c", "-i", "ear"])
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(60)).expect("something is published")
    }

    /// Topic, quality of service and content of the next message.
    fn message(&self) -> (String, String, Value) {
        let mut line = self.line();
        while line.starts_with("$SYS") {
            line = self.line();
        }
        let mut parts = line.splitn(3, ' ');
        let (topic, quality) = (parts.next().unwrap().to_owned(), parts.next().unwrap().to_owned());
        (topic, quality, serde_json::from_str(parts.next().unwrap()).unwrap())
    }

    fn value(&self) -> Value {
        self.message().2["body"]["data"][0]["a"].clone()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn notifier_info(version: &str, quality: &str) -> Value {
    json!([{ "key": "MQTT-Version", "value": version }, { "key": "MQTT-QoS", "value": quality }])
}

#[test]
fn changes_are_published_in_order_in_both_versions_and_all_qualities() {
    let broker = Broker::start();
    let ear = Ear::of(&broker, &[]);
    let city = City::with("");
    city.server.create(ID, "\"a\": 0");
    for (version, quality) in [
        ("mqtt3.1.1", "0"),
        ("mqtt3.1.1", "1"),
        ("mqtt3.1.1", "2"),
        ("mqtt5.0", "0"),
        ("mqtt5.0", "1"),
        ("mqtt5.0", "2"),
    ] {
        let topic = format!("city/{version}/{quality}");
        let uri = format!("mqtt://localhost:{}/{topic}", broker.port);
        let info = notifier_info(version, quality);
        let path = subscribe(&city, &json!({ "uri": uri, "notifierInfo": info }));
        for value in 1..=20 {
            set(&city, ID, value);
        }
        for value in 1..=20 {
            let (heard_topic, heard_quality, told) = ear.message();
            assert_eq!((&heard_topic, &*heard_quality), (&topic, quality));
            assert_eq!(told["metadata"]["Content-Type"], "application/json");
            assert_eq!(told["body"]["data"][0]["a"], value, "{told}");
        }
        assert_eq!(city.server.send("DELETE", &path, None).status, 204);
        set(&city, ID, 0);
    }
}

#[test]
fn a_message_of_two_megabytes_is_published_whole() {
    let broker = Broker::start();
    let ear = Ear::of(&broker, &[]);
    let city = City::with("");
    let uri = format!("mqtt://localhost:{}/large", broker.port);
    subscribe(&city, &json!({ "uri": uri, "notifierInfo": notifier_info("mqtt5.0", "1") }));
    let text = "x".repeat(2_000_000);
    city.server.create(ID, &format!("\"a\": \"{text}\""));
    assert_eq!(ear.value(), *text);
}

#[test]
fn a_broker_that_was_away_gets_everything_in_order() {
    let mut broker = Broker::start();
    let ear = Ear::of(&broker, &["-c", "-i", "ear"]);
    let mut city = City::configured(
        "[egress]\nallow_loopback = true\n\n[notify]\nlongest_pause = \"200ms\"\n",
    );
    for version in ["mqtt3.1.1", "mqtt5.0"] {
        let uri = format!("mqtt://localhost:{}/{version}", broker.port);
        subscribe(&city, &json!({ "uri": uri, "notifierInfo": notifier_info(version, "2") }));
    }
    city.server.create(ID, "\"a\": 0");
    for _ in 0..2 {
        assert_eq!(ear.value(), 0);
    }
    drop(ear);
    super::until_metric(&city, "cardo_subscriptions_unkept", |unkept| unkept == 0.0);
    broker.stop();
    for value in 1..=10 {
        set(&city, ID, value);
    }
    super::until_metric(&city, "cardo_delivery_failures_total", |failures| failures >= 4.0);
    city.kill_and_start_again();
    for value in 11..=20 {
        set(&city, ID, value);
    }
    broker.run();
    let ear = Ear::resumed(&broker);
    let mut heard = std::collections::BTreeMap::<String, Vec<Value>>::new();
    for _ in 0..40 {
        let (topic, _, told) = ear.message();
        heard.entry(topic).or_default().push(told["body"]["data"][0]["a"].clone());
    }
    let expected: Vec<Value> = (1..=20).map(Value::from).collect();
    assert_eq!(heard.values().collect::<Vec<_>>(), [&expected, &expected]);
}

#[test]
fn who_may_publish_is_asked_for_name_and_password_over_tls() {
    let broker = Broker::secured();
    let folder = broker.folder_path();
    let ca = format!("{folder}/cert.pem");
    let ear = Ear::of(&broker, &["--cafile", &ca, "-u", "cardo", "-P", "hush"]);
    let city =
        City::configured(&format!("[egress]\nallow_loopback = true\nca = '{folder}/cert.pem'\n"));
    city.server.create(ID, "\"a\": 0");
    for version in ["mqtt3.1.1", "mqtt5.0"] {
        let to = |password: &str| {
            let uri = format!("mqtts://cardo:{password}@localhost:{}/{version}", broker.port);
            json!({ "uri": uri, "notifierInfo": notifier_info(version, "1") })
        };
        let welcome = subscribe(&city, &to("hush"));
        let stranger = subscribe(&city, &to("wrong"));
        set(&city, ID, 7);
        assert_eq!(ear.value(), 7);
        let shown = |path: &str| city.server.get(path)["notification"].clone();
        until(
            "a failure",
            || shown(&stranger)["status"] == "failed",
            || shown(&stranger).to_string(),
        );
        until("a success", || shown(&welcome)["status"] == "ok", || shown(&welcome).to_string());
        for path in [welcome, stranger] {
            assert_eq!(city.server.send("DELETE", &path, None).status, 204);
        }
        set(&city, ID, 0);
    }
}

#[test]
fn a_broker_on_this_machine_is_not_told_where_that_is_not_allowed() {
    let broker = Broker::start();
    let city = City::configured("");
    let uri = format!("mqtt://localhost:{}/t", broker.port);
    let path = subscribe(&city, &json!({ "uri": uri }));
    city.server.create(ID, "\"a\": 1");
    let shown = || city.server.get(&path)["notification"].clone();
    until("a refusal", || shown()["status"] == "failed", || shown().to_string());
}
