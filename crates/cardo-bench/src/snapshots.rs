//! Snapshots: what it takes to freeze a city or a part of it, and what the frozen ones hold.

use std::io;
use std::time::{Duration, Instant};

use crate::city::{City, TEMPERATURES, TYPES};
use crate::reads::Held;
use crate::table::{Row, Target, number};
use crate::wire::{Connection, request};

/// The key of this part.
pub(crate) const PART: &str = "snapshots";

/// So many snapshots of each sort are made, one after another, with a write behind each.
const SNAPSHOTS: u32 = 10;

/// What is frozen.
struct Sort {
    name: &'static str,
    query: String,
    /// How many of a hundred entities it is about.
    percent: u32,
    target: Target,
}

fn sorts() -> [Sort; 3] {
    let of = |types: &[&str], more: &str| {
        format!(r#"{{"type":"Query","entities":[{{"type":"{}"}}]{more}}}"#, types.join("|"))
    };
    let hot = format!(r#","q":"temperature>{}""#, TEMPERATURES * 0.99);
    [
        Sort { name: "all", query: of(&TYPES, ""), percent: 100, target: Target::AtMost(10.0) },
        Sort {
            name: "half of the types",
            query: of(&TYPES[..TYPES.len() / 2], ""),
            percent: 50,
            target: Target::AtMost(50.0),
        },
        Sort {
            name: "one in a hundred by value",
            query: of(&TYPES, &hot),
            percent: 1,
            target: Target::None,
        },
    ]
}

/// Makes snapshots of each sort, and asks the last one.
pub(crate) async fn measure(held: &Held<'_>) -> io::Result<Vec<Row>> {
    let mut connection = Connection::open(held.server.address).await?;
    let mut rows = Vec::new();
    for sort in sorts() {
        rows.push(of_sort(held, &mut connection, &sort).await?);
    }
    Ok(rows)
}

async fn of_sort(held: &Held<'_>, connection: &mut Connection, sort: &Sort) -> io::Result<Row> {
    let before = held.server.resident();
    let mut times = Vec::new();
    for number in 0..SNAPSHOTS {
        times.push(make(connection, sort, number).await?);
        let path = format!("/ngsi-ld/v1/entities/{}/attrs/temperature", City::id(number));
        let body = format!(r#"{{"type":"Property","value":{number}.5}}"#);
        succeed(connection, &request("PATCH", &path, "", &body)).await?;
    }
    let grown = held.server.resident().saturating_sub(before) as f64 / f64::from(1_u32 << 20);
    times.sort_unstable();
    let middle = times[times.len() / 2].as_secs_f64() * 1_000.0;
    let slowest = times.last().map_or(0.0, |time| time.as_secs_f64() * 1_000.0);
    let start = Instant::now();
    let path = format!("/ngsi-ld/v1/entities?type={}&limit=20&local=true", TYPES[0]);
    let within = format!("ngsild-snapshot: {}\r\n", id(SNAPSHOTS - 1));
    succeed(connection, &request("GET", &path, &within, "")).await?;
    let asked = start.elapsed().as_secs_f64() * 1_000.0;
    for number in 0..SNAPSHOTS {
        let path = format!("/ngsi-ld/v1/snapshots/{}", id(number));
        succeed(connection, &request("DELETE", &path, "", "")).await?;
    }
    let entities = f64::from(held.city.entities) * f64::from(sort.percent) / 100.0;
    let of_all = number(held.city.entities.into());
    Ok(Row {
        work: format!(
            "making a snapshot of {} of {of_all} entities: {}",
            number(entities),
            sort.name
        ),
        measured: format!(
            "{middle:.1} ms until it is ready, the slowest of {SNAPSHOTS} {slowest:.1} ms"
        ),
        reference: format!(
            "all of them hold {grown:.1} MB; a list of 20 within one took {asked:.1} ms"
        ),
        value: middle,
        unit: "ms",
        target: sort.target,
    })
}

fn id(number: u32) -> String {
    format!("urn:ngsi-ld:Snapshot:{number}")
}

/// The time until a new snapshot is ready.
async fn make(connection: &mut Connection, sort: &Sort, number: u32) -> io::Result<Duration> {
    let start = Instant::now();
    let body = format!(
        r#"{{"id":"{}","type":"Snapshot","snapshotQueries":[{}]}}"#,
        id(number),
        sort.query
    );
    succeed(connection, &request("POST", "/ngsi-ld/v1/snapshots", "", &body)).await?;
    let look = request("GET", &format!("/ngsi-ld/v1/snapshots/{}", id(number)), "", "");
    loop {
        let body = succeed(connection, &look).await?;
        if body.contains(r#""snapshotStatus":"success""#) {
            return Ok(start.elapsed());
        }
        if !body.contains(r#""snapshotStatus":"preparing""#) {
            return Err(io::Error::other(body));
        }
    }
}

async fn succeed(connection: &mut Connection, request: &[u8]) -> io::Result<String> {
    let answer = connection.ask(request).await?;
    let body = String::from_utf8_lossy(answer.body).into_owned();
    if answer.is_success() { Ok(body) } else { Err(io::Error::other(body)) }
}
