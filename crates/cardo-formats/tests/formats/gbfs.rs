use cardo_formats::gbfs::{System, discovery, stations, system, vehicles};
use cardo_formats::{FieldValue, Limits, Record};
use proptest::prelude::*;

const V2: &str = r#"{"last_updated":1631258451,"ttl":15,"version":"2.2","data":{
    "nb":{"feeds":[{"name":"station_status","url":"https://a/nb/status"}]},
    "en":{"feeds":[{"name":"station_status","url":"https://a/en/status"}]}}}"#;
const V3: &str = r#"{"last_updated":"2026-07-04T13:33:03.969Z","ttl":60,"version":"3.0","data":{
    "feeds":[{"name":"vehicle_status","url":"https://a/vehicles"}]}}"#;
const INFORMATION: &str = r#"{"last_updated":1631258571,"ttl":61,"version":"2.2","data":{"stations":[
    {"station_id":"1","name":"Torvgata","lat":59.9,"lon":11.0,"capacity":3},
    {"station_id":"2","name":[{"language":"fi","text":"Tori"},{"language":"sv","text":"Torget"}],"lat":60.0,"lon":11.1},
    {"station_id":"3","name":"nowhere"}]}}"#;
const STATUS: &str = r#"{"last_updated":1631258631,"ttl":10,"version":"2.2","data":{"stations":[
    {"station_id":"1","num_bikes_available":2,"num_docks_available":0,"is_installed":1,"last_reported":1631258600},
    {"station_id":"9","num_bikes_available":0,"is_installed":true},
    {"num_bikes_available":0}]}}"#;

fn of() -> System {
    System { id: "s".into(), name: Some("S".into()) }
}

fn text<'a>(record: &'a Record, field: &str) -> Option<&'a str> {
    record.field(field).and_then(FieldValue::as_str)
}

#[test]
fn feeds_are_found_in_the_wanted_language_and_without_languages() {
    let english = discovery(V2.as_bytes(), Some("en")).unwrap();
    assert_eq!(english.url(&["station_status"]), Some("https://a/en/status"));
    let first = discovery(V2.as_bytes(), Some("xx")).unwrap();
    assert_eq!(first.url(&["station_status"]), Some("https://a/nb/status"));
    assert_eq!((first.header.ttl, first.language.as_deref()), (15, Some("nb")));
    let third = discovery(V3.as_bytes(), None).unwrap();
    assert_eq!(third.url(&["free_bike_status", "vehicle_status"]), Some("https://a/vehicles"));
    assert_eq!(third.header.last_updated, Some(1_783_171_983));
}

#[test]
fn stations_and_their_status_become_one_record() {
    let limits = Limits::default();
    let (known, header, errors) = stations(INFORMATION.as_bytes(), Some("sv"), &limits).unwrap();
    assert_eq!((known.len(), header.ttl, errors.len()), (2, 61, 1));
    let (records, header) = known.with_status(STATUS.as_bytes(), &of(), &limits).unwrap();
    assert_eq!(header.ttl, 10);
    let good: Vec<&Record> = records.iter().flatten().collect();
    let ids: Vec<_> = good.iter().map(|record| record.id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["1", "9", "2"], "the one without an id is an error");
    assert_eq!(text(good[0], "name"), Some("Torvgata"));
    assert_eq!(text(good[0], "last_reported"), Some("2021-09-10T07:23:20Z"));
    assert_eq!(text(good[0], "status"), Some("full"));
    assert_eq!(good[0].field("num_vehicles_available"), Some(&FieldValue::Int(2)));
    assert!(good[0].geometry.is_some());
    // Without a moment of its own it is as of the file.
    assert_eq!(text(good[1], "last_reported"), Some("2021-09-10T07:23:51Z"));
    assert_eq!(text(good[1], "status"), Some("empty"));
    assert_eq!(text(good[2], "name"), Some("Torget"));
    let all = FieldValue::Json(r#"{"fi":"Tori","sv":"Torget"}"#.into());
    assert_eq!(good[2].field("names"), Some(&all));
    assert_eq!(text(good[2], "system_id"), Some("s"));
}

#[test]
fn vehicles_of_both_versions_have_the_same_fields() {
    let two = r#"{"last_updated":1631258631,"ttl":0,"data":{"bikes":[{"bike_id":"a","lat":1.0,"lon":2.0,"is_disabled":true}]}}"#;
    let three = r#"{"last_updated":"2021-09-10T07:23:51Z","ttl":0,"data":{"vehicles":[{"vehicle_id":"a","lat":1.0,"lon":2.0,"is_disabled":true}]}}"#;
    let read = |text: &str| vehicles(text.as_bytes(), &of(), &Limits::default()).unwrap().0;
    let (two, three) = (read(two), read(three));
    assert_eq!(two[0].as_ref().unwrap(), three[0].as_ref().unwrap());
    assert_eq!(text(two[0].as_ref().unwrap(), "status"), Some("outOfService"));
}

#[test]
fn public_feeds_are_read_whole() {
    let Some(folder) = crate::samples::samples() else { return };
    let read = |name: &str| std::fs::read(folder.join("transit/gbfs").join(name)).unwrap();
    for (version, known, told) in [("lillestrom-v2", 6, 6), ("v3.0", 1, 1), ("sf-bay", 1, 1)] {
        let information = read(&format!("{version}/station_information.json"));
        let (stations, _, errors) = stations(&information, None, &Limits::default()).unwrap();
        assert!(stations.len() >= known && errors.is_empty(), "{version}: {errors:?}");
        let status = read(&format!("{version}/station_status.json"));
        let (records, _) = stations.with_status(&status, &of(), &Limits::default()).unwrap();
        assert!(records.len() >= told, "{version}");
        assert!(
            records.iter().all(|r| r.as_ref().is_ok_and(|r| r.geometry.is_some())),
            "{version}"
        );
    }
    assert_eq!(system(&read("v3.0/system_information.json"), None).unwrap().id, "example_london");
    assert!(
        discovery(&read("tier-oslo-v2/gbfs.json"), None)
            .unwrap()
            .url(&["station_status"])
            .is_none()
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(at in 0..600_usize, byte in any::<u8>()) {
        for file in [V2, V3, INFORMATION, STATUS] {
            let mut bytes = file.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            let limits = Limits::default();
            let _ = discovery(&bytes, None);
            let _ = system(&bytes, None);
            let _ = vehicles(&bytes, &of(), &limits);
            if let Ok((known, ..)) = stations(&bytes, None, &limits) {
                let _ = known.with_status(&bytes, &of(), &limits);
            }
        }
    }
}
