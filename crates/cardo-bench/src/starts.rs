//! Starts: after a clean stop, after a crash, and with very many tenants.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::city::City;
use crate::process::Server;
use crate::table::{Row, Target, number};
use crate::wire::{Connection, request};
use crate::writes::upsert;

fn first_question(city: City) -> String {
    format!("/ngsi-ld/v1/entities/{}", City::id(city.entities / 2))
}

/// Stops and starts a server that holds a city, then kills it while batches arrive and starts it
/// again.
pub(crate) async fn starts(
    program: &Path,
    data: &Path,
    server: Server,
    city: City,
) -> io::Result<(Server, Vec<Row>)> {
    let path = first_question(city);
    server.stop().await?;
    let server = Server::cardo(program, data, &path).await?;
    let clean = (server.first_answer, server.cpu());
    let loading = Arc::new(AtomicU32::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        tasks.spawn(batches(Connection::open(server.address).await?, city, Arc::clone(&loading)));
    }
    tokio::time::sleep(Duration::from_secs(4)).await;
    server.kill()?;
    while tasks.join_next().await.is_some() {}
    let server = Server::cardo(program, data, &path).await?;
    let killed = (server.first_answer, server.cpu());
    let row = |how: &str, (measured, cpu): (Duration, f64), remark: String| Row {
        work: format!("start with {} entities {how}", number(f64::from(city.entities))),
        measured: format!("{:.2} s to the first answer, {cpu:.2} s of CPU", measured.as_secs_f64()),
        reference: remark,
        value: measured.as_secs_f64(),
        unit: "s",
        target: Target::AtMost(5.0),
    };
    let sent = number(f64::from(loading.load(Ordering::Relaxed)));
    let rows = vec![
        row("after a clean stop", clean, String::new()),
        row("after `kill -9` in a bulk load", killed, format!("{sent} entities in the 4 s before")),
    ];
    Ok((server, rows))
}

/// Sends batches until the server is gone.
async fn batches(mut connection: Connection, city: City, sent: Arc<AtomicU32>) {
    loop {
        let from = sent.fetch_add(1_000, Ordering::Relaxed) % city.entities;
        if upsert(&mut connection, city, from).await.is_err() {
            return;
        }
    }
}

/// Creates many tenants of one entity each, starts again, and sees what they cost.
pub(crate) async fn tenants(program: &Path, folder: &Path, count: u32) -> io::Result<Vec<Row>> {
    const INDEX: &str = "/health";
    let empty = Server::cardo(program, &folder.join("no-tenants"), INDEX).await?;
    empty.settle().await;
    let (memory, start) = (empty.resident(), empty.first_answer);
    empty.stop().await?;
    let data = folder.join("tenants");
    let server = Server::cardo(program, &data, INDEX).await?;
    let next = Arc::new(AtomicU32::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        tasks.spawn(create(Connection::open(server.address).await?, count, Arc::clone(&next)));
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(io::Error::other)??;
    }
    server.settle().await;
    let all_used = server.resident();
    server.stop().await?;
    let server = Server::cardo(program, &data, INDEX).await?;
    server.settle().await;
    use_some(&server, count / 1_000).await?;
    let megabytes = |bytes: u64| bytes as f64 / f64::from(1_u32 << 20);
    let grown = megabytes(server.resident().saturating_sub(memory));
    let later = server.first_answer.as_secs_f64() - start.as_secs_f64();
    server.stop().await?;
    let count_text = number(f64::from(count));
    Ok(vec![
        Row {
            work: format!("{count_text} tenants, nearly all idle: memory"),
            measured: format!("{grown:.1} MB more than with none"),
            reference: format!(
                "{:.0} MB with all of them just used",
                megabytes(all_used.saturating_sub(memory))
            ),
            value: grown,
            unit: "MB",
            target: Target::AtMost(100.0),
        },
        Row {
            work: format!("{count_text} tenants, nearly all idle: start"),
            measured: format!("{later:.2} s later than with none"),
            reference: format!("{:.2} s with none", start.as_secs_f64()),
            value: later,
            unit: "s",
            target: Target::AtMost(0.5),
        },
    ])
}

async fn create(mut connection: Connection, count: u32, next: Arc<AtomicU32>) -> io::Result<()> {
    let city = City { entities: count };
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return Ok(());
        }
        let mut body = String::new();
        city.write_json(number, &mut body);
        let tenant = format!("NGSILD-Tenant: tenant{number}\r\n");
        let text = request("POST", "/ngsi-ld/v1/entities", &tenant, &body);
        let answer = connection.ask(&text).await?;
        if answer.status != 201 {
            let text = String::from_utf8_lossy(answer.body).into_owned();
            return Err(io::Error::other(format!("a tenant was refused: {text}")));
        }
    }
}

/// A few tenants are not idle.
async fn use_some(server: &Server, count: u32) -> io::Result<()> {
    let mut connection = Connection::open(server.address).await?;
    for number in 0..count {
        let tenant = format!("NGSILD-Tenant: tenant{number}\r\n");
        let path = format!("/ngsi-ld/v1/entities/{}", City::id(number));
        let answer = connection.ask(&request("GET", &path, &tenant, "")).await?;
        if !answer.is_success() {
            return Err(io::Error::other(format!("tenant {number} has lost its entity")));
        }
    }
    Ok(())
}
