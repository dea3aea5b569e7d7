//! Writes: batches that load a city, updates of many clients, and a minute of them.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::city::City;
use crate::load::{Load, Question, drive};
use crate::process::Server;
use crate::questions;
use crate::reads::{Held, Rounds, limit_of, median_ratio, per_second, rate};
use crate::table::{Row, Target, number};
use crate::wire::{Connection, request};

/// Entities a batch.
pub(crate) const BATCH: u32 = 1_000;
/// Connections that send batches.
const LOADERS: u32 = 4;
/// Clients that update.
const CLIENTS: u32 = 64;
/// Below this many syncs a second the disk and not the server is measured.
const SYNCS_NEEDED: f64 = 500.0;

/// Loads the city through batch upsert; the entities a second of CPU time, projecting included.
pub(crate) async fn load(server: &Server, city: City) -> io::Result<(f64, Duration)> {
    load_all(server, city.entities, move |numbers| city.batch(numbers)).await
}

/// Loads so many entities, whose batches are written by their numbers.
pub(crate) async fn load_all(
    server: &Server,
    entities: u32,
    batch: impl Fn(Range<u32>) -> String + Clone + Send + 'static,
) -> io::Result<(f64, Duration)> {
    let (cpu, start) = (server.cpu(), Instant::now());
    let next = Arc::new(AtomicU32::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..LOADERS {
        let (mut connection, next) = (Connection::open(server.address).await?, Arc::clone(&next));
        let batch = batch.clone();
        tasks.spawn(async move {
            loop {
                let from = next.fetch_add(BATCH, Ordering::Relaxed);
                if from >= entities {
                    return Ok(());
                }
                let body = batch(from..(from + BATCH).min(entities));
                if let Some(refusal) = upsert_all(&mut connection, &body).await? {
                    return Err(io::Error::other(format!("a batch was refused: {refusal}")));
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(io::Error::other)??;
    }
    let elapsed = start.elapsed();
    server.settle().await;
    Ok((f64::from(entities) / (server.cpu() - cpu), elapsed))
}

/// Sends one batch of a city; the answer where it is no success.
pub(crate) async fn upsert(
    connection: &mut Connection,
    city: City,
    from: u32,
) -> io::Result<Option<String>> {
    upsert_all(connection, &city.batch(from..(from + BATCH).min(city.entities))).await
}

async fn upsert_all(connection: &mut Connection, body: &str) -> io::Result<Option<String>> {
    let text = request("POST", "/ngsi-ld/v1/entityOperations/upsert", "", body);
    let answer = connection.ask(&text).await?;
    if answer.status == 201 || answer.status == 204 {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(answer.body).chars().take(500).collect()))
}

/// The row of the batch upsert.
pub(crate) fn batch_row(city: City, rate: f64, elapsed: Duration) -> Row {
    let wall = f64::from(city.entities) / elapsed.as_secs_f64();
    Row {
        work: format!(
            "batch upsert of {}, 1,000 per request, durable",
            number(f64::from(city.entities))
        ),
        measured: format!("{} entities/s of CPU, projecting included", number(rate)),
        reference: format!("{} entities/s of the clock", number(wall)),
        value: rate,
        unit: "entities/s",
        target: Target::AtLeast(50_000.0),
    }
}

/// Updates of one attribute by many clients against the limit; what the projector does is counted.
pub(crate) async fn patch(
    held: &Held<'_>,
    rounds: Rounds,
    folder: &Path,
    syncs: f64,
) -> io::Result<Row> {
    let question = questions::update(held.city);
    rate(held.server, &question, CLIENTS, rounds.time, 1).await?;
    held.server.settle().await;
    let limit = limit_of(held.server, &question, &folder.join("answers")).await?;
    let (mut cardo, mut bare) = (Vec::new(), Vec::new());
    for round in 0..rounds.count.min(3) {
        let seed = 200 + u64::from(round);
        cardo.push(durable_rate(held.server, &question, rounds.time * 2, seed).await?);
        bare.push(rate(&limit, &question, CLIENTS, rounds.time, seed).await?);
    }
    let is_judged = syncs >= SYNCS_NEEDED;
    Ok(Row {
        work: format!(
            "`PATCH` one attribute, 64 clients, durable (disk: {} syncs/s)",
            number(syncs)
        ),
        measured: per_second(&cardo),
        reference: format!("limit {}", per_second(&bare)),
        value: median_ratio(&cardo, &bare),
        unit: "",
        target: if is_judged { Target::AtLeast(0.12) } else { Target::None },
    })
}

async fn durable_rate(
    server: &Server,
    question: &Question,
    time: Duration,
    seed: u64,
) -> io::Result<f64> {
    let before = server.cpu();
    let load = Load { address: server.address, connections: CLIENTS, time, rate: None };
    let driven = drive(load, question, seed).await?;
    if let Some(refusal) = driven.first_refusal {
        return Err(io::Error::other(format!("an update was refused: {refusal}")));
    }
    server.settle().await;
    Ok(driven.answers as f64 / (server.cpu() - before))
}

/// A minute of updates: the projector has to keep up.
pub(crate) async fn minute(held: &Held<'_>, time: Duration) -> io::Result<Vec<Row>> {
    let question = questions::update(held.city);
    let address = held.server.address;
    let load = Load { address, connections: CLIENTS, time, rate: None };
    let before = held.server.cpu();
    let driving = drive(load, &question, 300);
    let mut lags = Vec::new();
    let watching = async {
        let start = Instant::now();
        while start.elapsed() + Duration::from_millis(500) < time {
            tokio::time::sleep(Duration::from_millis(500)).await;
            lags.push(held.server.metric("cardo_unprojected_bytes").await.unwrap_or(0.0));
        }
    };
    let (driven, ()) = tokio::join!(driving, watching);
    let mut driven = driven?;
    let cpu = held.server.cpu() - before;
    let megabytes =
        |lags: &[f64]| lags.iter().copied().fold(0.0_f64, f64::max) / f64::from(1_u32 << 20);
    let third = lags.len() / 3;
    let (middle, last) = (megabytes(&lags[third..third * 2]), megabytes(&lags[third * 2..]));
    let rate = driven.answers as f64 / driven.elapsed.as_secs_f64();
    let seconds = time.as_secs();
    let p99 = driven.percentile(99).as_secs_f64() * 1e3;
    Ok(vec![Row {
        work: format!(
            "updates for {seconds} s with history: the projector's lag, last third against middle third"
        ),
        measured: format!(
            "{} updates/s, {:.0} µs of CPU each, p99 {:.1} ms, {} refused",
            number(rate),
            cpu * 1e6 / driven.answers as f64,
            p99,
            driven.refusals,
        ),
        reference: format!("lag at most {middle:.1} MB, then {last:.1} MB"),
        value: (last + 8.0) / (middle + 8.0),
        unit: "",
        target: Target::AtMost(1.25),
    }])
}
