//! What an update costs with many subscriptions of which a few match.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::city::{City, TYPES};
use crate::load::{Driven, Load, Question, drive};
use crate::reads::Held;
use crate::table::{Row, Target, number};
use crate::wire::{Connection, request, write_request};

/// The key of this part.
pub(crate) const PART: &str = "subscriptions";
/// Subscriptions in all, and of them those that match.
const SUBSCRIPTIONS: u32 = 10_000;
const MATCHING: u32 = 10;
/// Connections that subscribe.
const SUBSCRIBERS: u32 = 8;
/// Updates a second: slow enough that each finds a server with nothing else to do.
const RATE: u32 = 50;

/// Updates of one sensor without subscriptions, and with them.
pub(crate) async fn updates(held: &Held<'_>, time: Duration) -> io::Result<Vec<Row>> {
    let server = held.server;
    let question = question();
    let load = Load { address: server.address, connections: 1, time, rate: Some(RATE) };
    paced(load, &question, 1).await?;
    server.settle().await;
    let (mut without, cpu_without) = measured(held, load, &question, 2).await?;

    let (receiver, received) = receive().await?;
    let before = server.resident();
    subscribe(server.address, receiver).await?;
    server.settle().await;
    let each = server.resident().saturating_sub(before) as f64 / f64::from(SUBSCRIPTIONS);
    paced(load, &question, 3).await?;
    server.settle().await;
    let told = received.load(Ordering::Relaxed);
    let (mut with, cpu_with) = measured(held, load, &question, 4).await?;
    let told = received.load(Ordering::Relaxed) - told;
    if told != with.answers * u64::from(MATCHING) {
        let text = format!("{} updates were told {told} times", with.answers);
        return Err(io::Error::other(text));
    }
    let micros = |driven: &mut Driven| driven.percentile(50).as_secs_f64() * 1e6;
    let (slow, quick) = (micros(&mut with), micros(&mut without));
    Ok(vec![
        Row {
            work: format!(
                "`PATCH` one attribute with {} subscriptions, {MATCHING} of them told",
                number(f64::from(SUBSCRIPTIONS))
            ),
            measured: format!(
                "{} µs until it is answered (median), {} µs of CPU with {MATCHING} notifications",
                number(slow),
                number(cpu_with)
            ),
            reference: format!("without: {} µs, {} µs of CPU", number(quick), number(cpu_without)),
            value: slow / quick,
            unit: "",
            target: Target::AtMost(2.0),
        },
        Row {
            work: format!("RSS per subscription at {}", number(f64::from(SUBSCRIPTIONS))),
            measured: format!("{told} notifications arrived of {} updates", with.answers),
            reference: String::new(),
            value: each,
            unit: "B",
            target: Target::None,
        },
    ])
}

/// Paced updates, and the CPU time of each in microseconds, until everything is told.
async fn measured(
    held: &Held<'_>,
    load: Load,
    question: &Question,
    seed: u64,
) -> io::Result<(Driven, f64)> {
    let before = held.server.cpu();
    let driven = paced(load, question, seed).await?;
    held.server.settle().await;
    let cpu = (held.server.cpu() - before) * 1e6 / driven.answers as f64;
    Ok((driven, cpu))
}

async fn paced(load: Load, question: &Question, seed: u64) -> io::Result<Driven> {
    let driven = drive(load, question, seed).await?;
    match &driven.first_refusal {
        Some(refusal) => Err(io::Error::other(format!("an update was refused: {refusal}"))),
        None => Ok(driven),
    }
}

fn question() -> Question {
    let target = format!("/ngsi-ld/v1/entities/{}/attrs/temperature", City::id(0));
    let next = AtomicU64::new(0);
    Arc::new(move |_, out| {
        // Each value is another, or there would be nothing to tell.
        let value = 100 + next.fetch_add(1, Ordering::Relaxed);
        write_request(out, "PATCH", &target, "", &format!("{{\"value\":{value}}}"));
    })
}

async fn subscribe(server: SocketAddr, receiver: SocketAddr) -> io::Result<()> {
    let mut tasks = JoinSet::new();
    for first in 0..SUBSCRIBERS {
        let mut connection = Connection::open(server).await?;
        tasks.spawn(async move {
            let mut subscription = first;
            while subscription < SUBSCRIPTIONS {
                let body = body(subscription, receiver);
                let text = request("POST", "/ngsi-ld/v1/subscriptions", "", &body);
                let answer = connection.ask(&text).await?;
                if answer.status != 201 {
                    let text = String::from_utf8_lossy(answer.body).into_owned();
                    return Err(io::Error::other(format!("a subscription was refused: {text}")));
                }
                subscription += SUBSCRIBERS;
            }
            Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(io::Error::other)??;
    }
    Ok(())
}

/// The first match the sensor that is updated; of the others one in five has to be judged, and the
/// rest is about other sensors, types and attributes.
fn body(subscription: u32, receiver: SocketAddr) -> String {
    let own = City::type_of(0);
    let about = match subscription % 5 {
        _ if subscription < MATCHING => format!(
            r#""entities":[{{"type":"{own}","id":"{}"}}],"watchedAttributes":["temperature"]"#,
            City::id(0)
        ),
        0 => format!(
            r#""entities":[{{"type":"{own}"}}],"watchedAttributes":["temperature"],"q":"temperature<-{subscription}""#
        ),
        1 => format!(
            r#""entities":[{{"type":"{own}"}}],"watchedAttributes":["batteryLevel"],"q":"batteryLevel<0.1""#
        ),
        2 => format!(r#""entities":[{{"type":"{}"}}]"#, TYPES[1 + (subscription % 7) as usize]),
        _ => format!(r#""entities":[{{"type":"{own}","id":"{}"}}]"#, City::id(subscription)),
    };
    format!(
        r#"{{"type":"Subscription",{about},"notification":{{"endpoint":{{"uri":"http://{receiver}/{}"}}}}}}"#,
        subscription % MATCHING
    )
}

/// A receiver that takes everything and counts it.
async fn receive() -> io::Result<(SocketAddr, Arc<AtomicU64>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let received = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(take(stream, Arc::clone(&counter)));
        }
    });
    Ok((address, received))
}

async fn take(mut stream: TcpStream, counter: Arc<AtomicU64>) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        while buffer.len() < head + length {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        buffer.drain(..head + length);
        counter.fetch_add(1, Ordering::Relaxed);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
    }
}
