//! The server is killed at random moments under write load; what it acknowledged is there.

use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::tempdir;

use crate::support::{Connection, Server, path_of};

const WRITERS: usize = 4;
/// Entities a batch.
const BATCH: usize = 3;

/// What one writer was told is written.
#[derive(Clone, Debug, Default)]
struct Acknowledged {
    /// The last value of its counter that was acknowledged, and the last that was tried.
    counter: u64,
    counter_tried: u64,
    /// Batches of new entities that were acknowledged, and how many were tried.
    batches: Vec<u64>,
    batches_tried: u64,
}

fn counter_id(writer: usize) -> String {
    format!("urn:x:counter:{writer}")
}

fn member_id(writer: usize, batch: u64, member: usize) -> String {
    format!("urn:x:member:{writer}:{batch}:{member}")
}

/// Writes until the connection breaks.
fn write(server: &Server, writer: usize, told: &mut Acknowledged) {
    let mut connection = server.connect();
    let counter = path_of(&counter_id(writer));
    loop {
        let value = told.counter_tried + 1;
        told.counter_tried = value;
        let patch = format!("{{\"a\": {{\"value\": {value}}}, \"b\": {{\"value\": {value}}}}}");
        match connection.send("PATCH", &format!("{counter}/attrs"), &[], Some(&patch)) {
            Ok(answer) if answer.status == 204 => told.counter = value,
            Ok(answer) => panic!("{}: {}", answer.status, answer.text()),
            Err(_) => return,
        }
        let batch = told.batches_tried;
        told.batches_tried += 1;
        match connection.send("POST", CREATE, &[], Some(&members(writer, batch))) {
            Ok(answer) if answer.status == 201 => told.batches.push(batch),
            Ok(answer) => panic!("{}: {}", answer.status, answer.text()),
            Err(_) => return,
        }
    }
}

const CREATE: &str = "/ngsi-ld/v1/entityOperations/create";

fn members(writer: usize, batch: u64) -> String {
    let members: Vec<String> = (0..BATCH)
        .map(|member| {
            let id = member_id(writer, batch, member);
            format!("{{\"id\": \"{id}\", \"type\": \"Member\", \"a\": {batch}, \"b\": {batch}}}")
        })
        .collect();
    format!("[{}]", members.join(","))
}

/// Reads an entity of which both attributes must hold the same value.
fn read_pair(connection: &mut Connection, id: &str) -> Option<u64> {
    let path = format!("{}?options=keyValues", path_of(id));
    let answer = connection.send("GET", &path, &[], None).expect("the server answers");
    if answer.status == 404 {
        return None;
    }
    assert_eq!(answer.status, 200, "{}", answer.text());
    let entity: Value = answer.json();
    assert_eq!(entity["a"], entity["b"], "{id} is half-written");
    Some(entity["a"].as_u64().expect("a number"))
}

/// Checks batches from `first` on, and the counter.
fn check(connection: &mut Connection, writer: usize, told: &Acknowledged, first: u64) {
    let value = read_pair(connection, &counter_id(writer)).expect("the counter exists");
    assert!(value >= told.counter, "{value} is before {}", told.counter);
    assert!(value <= told.counter_tried, "{value} was never written");
    for batch in first..told.batches_tried {
        let found = (0..BATCH)
            .filter(|member| {
                let value = read_pair(connection, &member_id(writer, batch, *member));
                assert!(value.is_none_or(|value| value == batch));
                value.is_some()
            })
            .count();
        if told.batches.contains(&batch) {
            assert_eq!(found, BATCH, "batch {batch} of {writer} was acknowledged");
        } else {
            assert!(found == 0 || found == BATCH, "batch {batch} of {writer} is half-written");
        }
    }
}

#[test]
fn every_acknowledged_write_survives_a_kill_and_none_is_half_written() {
    let rounds: u32 =
        std::env::var("CARDO_KILLS").map_or(50, |text| text.parse().expect("a number of kills"));
    let folder = tempdir().unwrap();
    let mut told = vec![Acknowledged::default(); WRITERS];
    let server = Server::start(folder.path());
    for writer in 0..WRITERS {
        server.create(&counter_id(writer), "\"a\": 0, \"b\": 0");
    }
    server.stop();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..rounds {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        round(folder.path(), &mut told, Duration::from_millis(20 + random % 180));
    }
    let server = Server::start(folder.path());
    let mut connection = server.connect();
    for (writer, told) in told.iter().enumerate() {
        check(&mut connection, writer, told, 0);
    }
    let written: usize = told.iter().map(|told| told.batches.len()).sum();
    println!("{rounds} kills; batches acknowledged: {written}");
    assert!(written > rounds as usize, "the writers have hardly written: {written}");
}

/// Checks what earlier rounds have left, then writes until the kill.
fn round(data: &Path, told: &mut [Acknowledged], until: Duration) {
    let server = Server::start(data);
    let mut connection = server.connect();
    for (writer, told) in told.iter_mut().enumerate() {
        // The newest are those that the last kill could have hurt.
        check(&mut connection, writer, told, told.batches_tried.saturating_sub(20));
        // A value that was tried and not acknowledged may be there.
        let found = read_pair(&mut connection, &counter_id(writer)).expect("the counter exists");
        told.counter = found;
    }
    thread::scope(|scope| {
        let server = &server;
        for (writer, told) in told.iter_mut().enumerate() {
            scope.spawn(move || write(server, writer, told));
        }
        thread::sleep(until);
        server.kill_now();
    });
}
