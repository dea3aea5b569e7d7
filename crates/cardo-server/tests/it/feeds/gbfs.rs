use serde_json::{Value, json};

use super::web::Web;
use super::{City, seconds_from_now, until};

fn discovery_2(web: &Web) -> String {
    let url = |name: &str| json!({ "name": name, "url": format!("{}/{name}.json", web.address) });
    let feeds = ["system_information", "station_information", "station_status", "free_bike_status"];
    let feeds: Vec<Value> = feeds.into_iter().map(url).collect();
    json!({
        "last_updated": 1, "ttl": 0, "version": "2.3",
        "data": { "fi": { "feeds": [] }, "en": { "feeds": feeds } },
    })
    .to_string()
}

fn system() -> String {
    json!({ "ttl": 0, "data": { "system_id": "bikes", "name": "City Bikes" } }).to_string()
}

fn information(names: &Value) -> String {
    json!({ "last_updated": 1, "ttl": 0, "data": { "stations": [
        { "station_id": "501", "name": names, "lat": 60.16, "lon": 24.84, "capacity": 10, "address": "Hanasaarenranta 1" },
        { "station_id": "502", "lat": "north", "lon": 24.85, "name": "Nowhere" },
    ]}})
    .to_string()
}

fn status(bikes: u64, reported: &Value) -> String {
    json!({ "last_updated": 1, "ttl": 0, "data": { "stations": [
        { "station_id": "501", "num_bikes_available": bikes, "num_docks_available": 10 - bikes,
          "num_docks_disabled": 0, "is_installed": true, "is_renting": true, "is_returning": true,
          "last_reported": reported },
    ]}})
    .to_string()
}

fn source(web: &Web, more: &str) -> String {
    format!(
        "[[sources]]\nname = 'bikes'\ngbfs = '{}/gbfs.json'\nevery = '100ms'\n{more}\n",
        web.address
    )
}

const STATION: &str = "urn:ngsi-ld:BikeHireDockingStation:bikes-501";

fn serve_stations(web: &Web) {
    web.set("/gbfs.json", discovery_2(web));
    web.set("/system_information.json", system());
    web.set("/station_information.json", information(&"Hanasaari".into()));
    web.set("/station_status.json", status(4, &seconds_from_now(-60).into()));
}

#[test]
fn a_station_and_its_status_are_one_entity_that_follows_the_feed() {
    let web = Web::start();
    serve_stations(&web);
    let city = City::with(&source(&web, "language = 'en'"));
    let bikes = || city.value(STATION, "availableBikeNumber");
    until("the station", || bikes() == 4, || city.source("bikes").to_string());
    let station = city.server.get(&crate::support::path_of(STATION));
    assert_eq!(station["type"], "BikeHireDockingStation");
    assert_eq!(station["name"]["value"], "Hanasaari");
    assert_eq!(station["totalSlotNumber"]["value"], 10);
    assert_eq!(station["freeSlotNumber"]["value"], 6);
    assert_eq!(station["status"]["value"], "working");
    assert_eq!(station["address"]["value"]["streetAddress"], "Hanasaarenranta 1");
    assert_eq!(station["location"]["value"]["coordinates"], json!([24.84, 60.16]));
    assert!(
        station["location"].get("observedAt").is_none()
            && station["availableBikeNumber"].get("observedAt").is_some()
    );
    // The one that cannot be is put aside, once.
    let aside = city.quarantine("bikes");
    assert_eq!(aside.len(), 1, "{aside:?}");

    let revision = || {
        city.server
            .send("GET", "/ngsi-ld/v1/types", None)
            .header("cardo-revision")
            .map(str::to_owned)
    };
    let before = revision();
    let looks = web.count("/station_status.json", 304);
    until(
        "looks at what has not changed",
        || web.count("/station_status.json", 304) > looks + 2,
        String::new,
    );
    assert_eq!(revision(), before, "a feed that says the same was written again");

    web.set("/station_status.json", status(5, &seconds_from_now(-30).into()));
    until("the change", || bikes() == 5, || city.source("bikes").to_string());
    // A cache that gives an older version does not turn the twin back.
    web.set("/station_status.json", status(9, &seconds_from_now(-50).into()));
    city.until_source("bikes", "a late reading", |source| source["late"] == 1);
    assert_eq!(bikes(), 5);
    let path = format!(
        "/ngsi-ld/v1/temporal/entities/{STATION}?attrs=availableBikeNumber&options=temporalValues"
    );
    let history = city.server.get(&path)["availableBikeNumber"]["values"].as_array().unwrap().len();
    assert_eq!(history, 3);
    let source = city.source("bikes");
    assert_eq!((source["kind"].as_str(), source["failures"].as_u64()), (Some("gbfs"), Some(0)));
    assert!(source["nextAttempt"].is_string() || source["state"] == "running", "{source}");
}

#[test]
fn version_3_tells_times_and_texts_in_other_forms() {
    let web = Web::start();
    serve_stations(&web);
    let mut found: Value = serde_json::from_str(&discovery_2(&web)).unwrap();
    found["version"] = "3.0".into();
    found["data"] = found["data"]["en"].take();
    web.set("/gbfs.json", found.to_string());
    let names = json!([{ "language": "fi", "text": "Hanasaari" }, { "language": "sv", "text": "Hanaholmen" }]);
    web.set("/station_information.json", information(&names));
    let told = status(3, &"2026-01-02T03:04:05+02:00".into())
        .replace("num_bikes_available", "num_vehicles_available");
    web.set("/station_status.json", told);
    let city = City::with(&source(&web, "language = 'sv'"));
    until(
        "the station",
        || city.value(STATION, "name") == "Hanaholmen",
        || city.source("bikes").to_string(),
    );
    let bikes = city.attribute(STATION, "availableBikeNumber");
    assert_eq!(
        (bikes["value"].as_u64(), bikes["observedAt"].as_str()),
        (Some(3), Some("2026-01-02T01:04:05Z"))
    );
}

#[test]
fn vehicles_that_are_no_longer_listed_are_taken_away() {
    let web = Web::start();
    serve_stations(&web);
    let list = |ids: &[&str]| {
        let bike = |id: &&str| json!({ "bike_id": id, "lat": 60.1, "lon": 24.9, "is_reserved": false, "is_disabled": false });
        let bikes: Vec<Value> = ids.iter().map(bike).collect();
        json!({ "last_updated": seconds_from_now(0), "ttl": 0, "data": { "bikes": bikes } })
            .to_string()
    };
    web.set("/free_bike_status.json", list(&["a", "b"]));
    let mut city = City::with(&source(&web, "language = 'en'\nfeed = 'vehicles'"));
    until_listed(&city, &["a", "b"]);
    web.set("/free_bike_status.json", list(&["b", "c"]));
    until_listed(&city, &["b", "c"]);
    city.while_away(|| web.set("/free_bike_status.json", list(&["c"])));
    until_listed(&city, &["c"]);
}

fn until_listed(city: &City, ids: &[&str]) {
    let path = "/ngsi-ld/v1/entities?type=Vehicle&options=keyValues";
    let there = || -> Vec<String> {
        let list = city.server.get(path);
        let id = |bike: &Value| bike["id"].as_str().unwrap().rsplit_once('-').unwrap().1.to_owned();
        list.as_array().unwrap().iter().map(id).collect()
    };
    until("this list", || there() == ids, || format!("{:?} {}", there(), city.source("bikes")));
}

#[test]
fn a_system_that_fails_is_asked_again_and_keeps_what_is_known() {
    let web = Web::start();
    serve_stations(&web);
    let city = City::with(&source(&web, "language = 'en'"));
    until(
        "the station",
        || !city.value(STATION, "name").is_null(),
        || city.source("bikes").to_string(),
    );
    web.set_as("/station_status.json", 503, "text/plain", "busy");
    city.until_source("bikes", "a failure", |source| source["state"] == "failing");
    let source = city.source("bikes");
    assert!(source["lastError"]["message"].as_str().unwrap().contains("503"), "{source}");
    assert!(source["nextAttempt"].is_string());
    web.set("/station_status.json", status(7, &seconds_from_now(0).into()));
    until(
        "its return",
        || city.value(STATION, "availableBikeNumber") == 7,
        || city.source("bikes").to_string(),
    );
    city.until_source("bikes", "a good state", |source| source["state"] != "failing");
}
