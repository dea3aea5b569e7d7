//! Questions against the limit, at two sizes of the city, round by round.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::city::City;
use crate::limit::keep_answer;
use crate::load::{Load, Question, drive};
use crate::process::{Server, make_empty};
use crate::questions;
use crate::table::{Row, Target, median, number};
use crate::tiles;
use crate::wire::Connection;

/// How the rounds go.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// How many.
    pub count: u32,
    /// How long each drives each server.
    pub time: Duration,
}

/// A question with what it is to reach.
pub(crate) struct Yardstick {
    pub(crate) key: &'static str,
    pub(crate) work: &'static str,
    pub(crate) target: f64,
    pub(crate) question: fn(City) -> Question,
}

/// The questions of the table.
pub(crate) const READS: [Yardstick; 9] = [
    Yardstick {
        key: "retrieve",
        work: "`GET /entities/{id}`",
        target: 0.6,
        question: questions::retrieve,
    },
    Yardstick {
        key: "list",
        work: "`GET /entities?type=T&limit=20`",
        target: 0.5,
        question: |_| questions::list(""),
    },
    Yardstick {
        key: "q",
        work: "the same with `q` on a number (2 %)",
        target: 0.4,
        question: |_| questions::by_number(),
    },
    Yardstick {
        key: "near",
        work: "the same with `georel=near` (500 m)",
        target: 0.4,
        question: questions::near,
    },
    Yardstick {
        key: "count",
        work: "the same with `count=true`",
        target: 0.4,
        question: |_| questions::list("&count=true"),
    },
    Yardstick {
        key: "offset",
        work: "the same at offset 9,900",
        target: 0.4,
        question: |_| questions::list("&offset=9900"),
    },
    Yardstick {
        key: "bbox",
        work: "OGC `GET /collections/T/items?bbox` (100 features of about 120)",
        target: 0.3,
        question: questions::bbox,
    },
    Yardstick {
        key: "graphql",
        work: "GraphQL: a list of 20 with five fields",
        target: 0.08,
        question: |_| questions::graphql_list(),
    },
    Yardstick {
        key: "kept-tile",
        work: "a vector tile of about 10,000 points that was asked for before",
        target: 0.7,
        question: tiles::kept_question,
    },
];

/// The questions of the table and those for tiles by key, for a city.
pub fn reads_of(city: City) -> impl Iterator<Item = (&'static str, Question)> {
    let reads = READS.iter().map(move |read| (read.key, (read.question)(city)));
    reads.chain([(tiles::PART, tiles::question(city))])
}

/// How many clients ask at once.
const CLIENTS: u32 = 32;
/// How many of Cardo's answers the limit repeats.
const KEPT: usize = 16;
/// Of a size that is twice as large, so much is to remain.
const LARGE_TARGET: f64 = 0.8;

/// A server with the city that it holds.
pub(crate) struct Held<'a> {
    pub(crate) server: &'a Server,
    pub(crate) city: City,
}

/// Requests a second of the server's CPU time.
pub(crate) async fn rate(
    server: &Server,
    question: &Question,
    clients: u32,
    time: Duration,
    seed: u64,
) -> io::Result<f64> {
    let load = Load { address: server.address, connections: clients, time, rate: None };
    let before = server.cpu();
    let driven = drive(load, question, seed).await?;
    if let Some(refusal) = driven.first_refusal {
        let refusals = driven.refusals;
        return Err(io::Error::other(format!("{refusals} requests were refused: {refusal}")));
    }
    Ok(driven.answers as f64 / (server.cpu() - before))
}

/// Lets Cardo answer a few questions and starts a limit that repeats the answers.
pub(crate) async fn limit_of(
    server: &Server,
    question: &Question,
    folder: &Path,
) -> io::Result<Server> {
    make_empty(folder)?;
    let mut random = fastrand::Rng::with_seed(7);
    let mut connection = Connection::open(server.address).await?;
    for number in 0..KEPT {
        let mut request = Vec::new();
        question(&mut random, &mut request);
        let answer = connection.ask(&request).await?;
        if !answer.is_success() {
            let text = String::from_utf8_lossy(answer.body);
            return Err(io::Error::other(format!("{} came with {text}", answer.status)));
        }
        keep_answer(folder, number, &answer)?;
    }
    Server::limit(folder).await
}

/// Measures one question: at the small size, the limit, and at the large size, in turns.
pub(crate) async fn measure(
    yardstick: &Yardstick,
    small: &Held<'_>,
    large: Option<&Held<'_>>,
    rounds: Rounds,
    folder: &Path,
) -> io::Result<Vec<Row>> {
    let question = (yardstick.question)(small.city);
    warm_up(small.server, &question, rounds).await?;
    let at_large = large.map(|large| (large.server, (yardstick.question)(large.city)));
    if let Some((server, question)) = &at_large {
        warm_up(server, question, rounds).await?;
    }
    let limit = limit_of(small.server, &question, &folder.join("answers")).await?;
    let mut asked = vec![(small.server, &question), (&limit, &question)];
    asked.extend(at_large.iter().map(|(server, question)| (*server, question)));
    let rates = in_turns(&asked, rounds).await?;
    let mut rows = vec![Row {
        work: yardstick.work.into(),
        measured: per_second(&rates[0]),
        reference: format!("limit {}", per_second(&rates[1])),
        value: median_ratio(&rates[0], &rates[1]),
        unit: "",
        target: Target::AtLeast(yardstick.target),
    }];
    if let (Some(large), Some(at_large)) = (large, rates.get(2)) {
        rows.push(Row {
            work: format!("– at {} entities", number(f64::from(large.city.entities))),
            measured: per_second(at_large),
            reference: format!("at {}", number(f64::from(small.city.entities))),
            value: median_ratio(at_large, &rates[0]),
            unit: "",
            target: Target::AtLeast(LARGE_TARGET),
        });
    }
    Ok(rows)
}

/// Puts questions to servers, one server after the other in each round; the rates of each.
pub(crate) async fn in_turns(
    asked: &[(&Server, &Question)],
    rounds: Rounds,
) -> io::Result<Vec<Vec<f64>>> {
    let mut rates = vec![Vec::new(); asked.len()];
    for round in 0..rounds.count {
        let seed = 100 + u64::from(round);
        for ((server, question), rates) in asked.iter().zip(&mut rates) {
            rates.push(rate(server, question, CLIENTS, rounds.time, seed).await?);
        }
    }
    Ok(rates)
}

/// Questions that keep coming get their index; it is built meanwhile.
pub(crate) async fn warm_up(
    server: &Server,
    question: &Question,
    rounds: Rounds,
) -> io::Result<()> {
    for seed in 0..2 {
        rate(server, question, CLIENTS, rounds.time / 2, seed).await?;
        server.settle().await;
    }
    Ok(())
}

pub(crate) fn per_second(figures: &[f64]) -> String {
    format!("{}/s", number(median(&mut figures.to_vec())))
}

pub(crate) fn median_ratio(figures: &[f64], references: &[f64]) -> f64 {
    let mut ratios: Vec<f64> = figures.iter().zip(references).map(|(a, b)| a / b).collect();
    median(&mut ratios)
}
