use super::web::Web;
use super::{City, seconds_from_now, until};

/// A field of Protocol Buffers with a length before it.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2, u8::try_from(content.len()).unwrap()];
    out.extend_from_slice(content);
    out
}

fn varint(number: u8, mut value: u64) -> Vec<u8> {
    let mut out = vec![number << 3];
    while value > 127 {
        out.push(u8::try_from(value & 127).unwrap() | 128);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap());
    out
}

fn float(number: u8, value: f32) -> Vec<u8> {
    let mut out = vec![number << 3 | 5];
    out.extend(value.to_le_bytes());
    out
}

/// A message with a vehicle that has moved to a longitude; its own moment may be missing.
fn message(made: i64, moment: Option<i64>, longitude: f32) -> Vec<u8> {
    let seconds = |value: i64| u64::try_from(value).unwrap();
    let position = [float(1, 60.17), float(2, longitude)].concat();
    let mut vehicle = field(2, &position);
    vehicle.extend(moment.into_iter().flat_map(|moment| varint(5, seconds(moment))));
    vehicle.extend(field(8, &field(1, b"tram-1")));
    let entity = [field(1, b"1"), field(4, &vehicle)].concat();
    let header = [field(1, b"2.0"), varint(3, seconds(made))].concat();
    [field(1, &header), field(2, &entity)].concat()
}

const TRAM: &str = "urn:ngsi-ld:Vehicle:tram-1";
const FEED: &str = "application/x-protobuf";

fn city(web: &Web) -> City {
    City::with(&format!(
        "[[sources]]\nname = 'trams'\nurl = '{}/vehicles?key=hush'\nformat = 'gtfs-realtime'\nevery = '100ms'\n",
        web.address
    ))
}

fn longitude(city: &City) -> f64 {
    city.value(TRAM, "location")["coordinates"][0].as_f64().unwrap_or(0.0)
}

#[test]
fn a_position_without_a_time_is_as_old_as_its_message() {
    let web = Web::start();
    let made = seconds_from_now(-20);
    web.set_as("/vehicles?key=hush", 200, FEED, message(made, None, 24.5));
    let city = city(&web);
    until("the tram", || longitude(&city) == 24.5, || city.source("trams").to_string());
    assert!(city.attribute(TRAM, "location")["observedAt"].is_string());
    until(
        "a look at what has not changed",
        || web.count("/vehicles?key=hush", 304) > 1,
        String::new,
    );
    assert_eq!(city.source("trams")["taken"], 1);
}

#[test]
fn a_clock_that_runs_ahead_does_not_hide_what_is_true_later() {
    let web = Web::start();
    let ahead = seconds_from_now(3_600);
    web.set_as("/vehicles?key=hush", 200, FEED, message(ahead, Some(ahead), 25.0));
    let city = city(&web);
    city.until_source("trams", "the quarantine", |source| source["quarantine"] == 1);
    let reason = city.quarantine("trams")[0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("ahead of the clock") && reason.contains("clock_ahead"), "{reason}");
    assert_eq!(longitude(&city), 0.0);
    let now = seconds_from_now(0);
    web.set_as("/vehicles?key=hush", 200, FEED, message(now, Some(now), 24.0));
    until("the true one", || longitude(&city) == 24.0, || city.source("trams").to_string());
    city.until_source("trams", "an empty quarantine", |source| source["quarantine"] == 0);
}

#[test]
fn a_web_page_in_place_of_data_is_one_error_and_no_records() {
    let web = Web::start();
    web.set_as("/vehicles?key=hush", 200, "text/html", "<!DOCTYPE html><title>Log in</title>");
    let city = city(&web);
    city.until_source("trams", "the error", |source| source["state"] == "failing");
    let source = city.source("trams");
    let error = source["lastError"]["message"].as_str().unwrap();
    assert!(error.contains("web page") && error.contains("200"), "{error}");
    assert!(!error.contains("hush"), "a key was shown: {error}");
    assert_eq!((source["quarantine"].as_u64(), source["taken"].as_u64()), (Some(0), Some(0)));
    let now = seconds_from_now(0);
    web.set_as("/vehicles?key=hush", 200, FEED, message(now, Some(now), 24.0));
    until("the feed", || longitude(&city) == 24.0, || city.source("trams").to_string());
}

#[test]
fn a_feed_that_wants_a_key_in_a_header_gets_it() {
    let web = Web::start();
    web.ask_for("x-api-key: hush");
    let now = seconds_from_now(0);
    web.set_as("/vehicles", 200, FEED, message(now, Some(now), 24.0));
    let source = format!(
        "[[sources]]\nname = 'trams'\nurl = '{}/vehicles'\nformat = 'gtfs-realtime'\nevery = '100ms'\n",
        web.address
    );
    let city = City::with(&source);
    city.until_source("trams", "the refusal", |source| {
        source["lastError"]["message"].as_str().is_some_and(|error| error.contains("403"))
    });
    drop(city);
    let city = City::with(&format!("{source}headers = {{ x-api-key = 'hush' }}\n"));
    until("the tram", || longitude(&city) == 24.0, || city.source("trams").to_string());
}
