//! GraphQL: three levels of relationships, and news over WebSocket while updates arrive.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::city::City;
use crate::load::{Load, drive};
use crate::questions;
use crate::reads::Held;
use crate::table::{Row, Target, number};
use crate::wire::{Connection, request};

/// Updates a second while news are measured, and probes among them.
const UPDATES: u32 = 1_000;
const PROBE_EVERY: Duration = Duration::from_millis(25);
/// Probes have values that no sensor has.
const PROBE: u32 = 1_000_000;

fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

/// Puts the districts of the city, their parts of town and the town into it.
async fn districts(held: &Held<'_>) -> io::Result<()> {
    let mut all = Vec::new();
    let mut put = |kind: &str, number: u32, up: &str| {
        all.push(format!(
            r#"{{"id":"urn:ngsi-ld:{kind}:{number:03}","type":"{kind}","name":{{"type":"Property","value":"{kind} {number}"}},"partOf":{{"type":"Relationship","object":"{up}"}}}}"#
        ));
    };
    for district in 0..100 {
        put("District", district, &format!("urn:ngsi-ld:Quarter:{:03}", district % 10));
    }
    for quarter in 0..10 {
        put("Quarter", quarter, "urn:ngsi-ld:Town:000");
    }
    put("Town", 0, "urn:ngsi-ld:Country:000");
    let body = format!("[{}]", all.join(","));
    let upsert = request("POST", "/ngsi-ld/v1/entityOperations/upsert", "", &body);
    let mut connection = Connection::open(held.server.address).await?;
    let answer = connection.ask(&upsert).await?;
    if answer.is_success() { Ok(()) } else { Err(failed(String::from_utf8_lossy(answer.body))) }
}

/// How long 100 rows with three levels of what they lead to take.
pub(crate) async fn three_levels(held: &Held<'_>, time: Duration) -> io::Result<Row> {
    districts(held).await?;
    let question = questions::three_levels();
    let load = Load { address: held.server.address, connections: 1, time, rate: None };
    drive(load, &question, 600).await?;
    let before = held.server.cpu();
    let mut driven = drive(load, &question, 601).await?;
    if let Some(refusal) = driven.first_refusal.take() {
        return Err(failed(refusal));
    }
    let cpu = (held.server.cpu() - before) / driven.answers.max(1) as f64 * 1e3;
    let median = driven.percentile(50).as_secs_f64() * 1e3;
    Ok(Row {
        work: "GraphQL: three levels of relationships over 100 root rows".into(),
        measured: format!(
            "median {median:.2} ms, p99 {:.2} ms",
            driven.percentile(99).as_secs_f64() * 1e3
        ),
        reference: format!("{cpu:.2} ms of the server's CPU"),
        value: median,
        unit: "ms",
        target: Target::AtMost(5.0),
    })
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<TcpStream>>;

async fn subscribe(held: &Held<'_>, query: &str) -> io::Result<Socket> {
    let url = format!("ws://{}/graphql", held.server.address);
    let mut request = url.into_client_request().map_err(failed)?;
    let protocol = "graphql-transport-ws".parse().map_err(failed)?;
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.map_err(failed)?;
    let subscribe = format!(r#"{{"type":"subscribe","id":"1","payload":{{"query":"{query}"}}}}"#);
    for text in [r#"{"type":"connection_init"}"#.to_owned(), subscribe] {
        socket.send(Message::Text(text.into())).await.map_err(failed)?;
    }
    Ok(socket)
}

/// The number of a probe in a message, where it is of one.
fn probe_in(message: &Message) -> Option<u32> {
    let Message::Text(text) = message else { return None };
    let (_, rest) = text.split_once(r#""temperature":"#)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|value| *value >= PROBE)
}

/// How long it takes from an update's being sent to its standing in the subscriber's hands.
pub(crate) async fn news(held: &Held<'_>, time: Duration) -> io::Result<Row> {
    let query = "subscription { airQualitySensorChanged { entity { id temperature } } }";
    let mut socket = subscribe(held, query).await?;
    let (address, update) = (held.server.address, questions::update(held.city));
    let load = Load { address, connections: 16, time, rate: Some(UPDATES) };
    let probing = async {
        // The subscription stands by then.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut connection = Connection::open(address).await?;
        let (start, mut sent) = (Instant::now(), Vec::new());
        while start.elapsed() + Duration::from_secs(1) < time {
            let value = PROBE + u32::try_from(sent.len()).unwrap_or(0);
            let target = format!("/ngsi-ld/v1/entities/{}/attrs/temperature", City::id(0));
            let patch = request("PATCH", &target, "", &format!(r#"{{"value":{value}}}"#));
            sent.push(Instant::now());
            connection.ask(&patch).await?;
            tokio::time::sleep(PROBE_EVERY).await;
        }
        Ok::<_, io::Error>(sent)
    };
    let receiving = async {
        let (start, mut got, mut all) = (Instant::now(), HashMap::new(), 0_u64);
        while start.elapsed() < time {
            let next = tokio::time::timeout(Duration::from_millis(200), socket.next()).await;
            if let Ok(Some(message)) = next {
                let message = message.map_err(failed)?;
                all += 1;
                if let Some(probe) = probe_in(&message) {
                    got.insert(probe, Instant::now());
                }
            }
        }
        Ok::<_, io::Error>((got, all))
    };
    let driving = drive(load, &update, 610);
    let (driven, sent, (got, all)) = tokio::try_join!(driving, probing, receiving)?;
    let arrived = driven.answers as f64 / driven.elapsed.as_secs_f64();
    let mut times: Vec<Duration> = (PROBE..)
        .zip(&sent)
        .filter_map(|(probe, sent)| Some(got.get(&probe)?.duration_since(*sent)))
        .collect();
    if times.len() < sent.len() || times.is_empty() {
        return Err(failed(format!("{} of {} updates were told", times.len(), sent.len())));
    }
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    Ok(Row {
        work: format!(
            "GraphQL: an update at a WebSocket subscriber, at {} updates/s",
            number(f64::from(UPDATES))
        ),
        measured: format!("median {:.2} ms, p99 {:.2} ms from sending it", at(50), at(99)),
        reference: format!(
            "{} probes; {all} events told; {} updates/s arrived",
            times.len(),
            number(arrived)
        ),
        value: at(99),
        unit: "ms",
        target: Target::AtMost(20.0),
    })
}

/// What the parts of this module are called.
pub(crate) const PARTS: [&str; 2] = ["levels", "news"];
