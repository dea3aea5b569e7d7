//! Drives a server: many connections, each with one question at a time.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::wire::Connection;

/// Writes the next request; each is another.
pub type Question = Arc<dyn Fn(&mut fastrand::Rng, &mut Vec<u8>) + Send + Sync>;

/// How a server is driven.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// How many clients ask at once.
    pub(crate) connections: u32,
    /// For how long.
    pub(crate) time: Duration,
    /// How many requests a second are sent by all together; as many as are answered where not set.
    pub(crate) rate: Option<u32>,
}

/// What a load has met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Driven {
    /// Answers that are successes.
    pub(crate) answers: u64,
    /// Answers that are not.
    pub(crate) refusals: u64,
    /// The first refusal, as it came.
    pub(crate) first_refusal: Option<String>,
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// The time from request to answer of each; with a rate, from the time at which it was due.
    pub(crate) latencies: Vec<Duration>,
}

impl Driven {
    /// The time that this part (of a hundred) of all answers did not exceed.
    pub(crate) fn percentile(&mut self, percent: usize) -> Duration {
        self.latencies.sort_unstable();
        let at = self.latencies.len() * percent / 100;
        self.latencies
            .get(at.min(self.latencies.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    }

    fn add(&mut self, other: Self) {
        self.answers += other.answers;
        self.refusals += other.refusals;
        self.first_refusal = self.first_refusal.take().or(other.first_refusal);
        self.latencies.extend(other.latencies);
    }
}

/// Puts questions to a server for a while.
pub(crate) async fn drive(load: Load, question: &Question, seed: u64) -> io::Result<Driven> {
    // While it waits for answers it does not sleep: waking a core that sleeps costs the server, and
    // more so the server that keeps the load waiting.
    let awake = load.rate.is_none().then(|| tokio::spawn(stay_awake()));
    let driven = drive_asleep(load, question, seed).await;
    if let Some(awake) = awake {
        awake.abort();
    }
    driven
}

/// The same where the load shares its core with the server, to which all time is left that it does not
/// need.
pub(crate) async fn drive_asleep(load: Load, question: &Question, seed: u64) -> io::Result<Driven> {
    let mut clients = Vec::new();
    for _ in 0..load.connections {
        clients.push(Connection::open(load.address).await?);
    }
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (number, connection) in (0_u32..).zip(clients) {
        let random = fastrand::Rng::with_seed(seed.wrapping_mul(1_000) + u64::from(number));
        let client = Client { connection, question: Arc::clone(question), random, number };
        tasks.spawn(client.run(load, start));
    }
    let mut all = Driven::default();
    while let Some(driven) = tasks.join_next().await {
        all.add(driven.map_err(io::Error::other)??);
    }
    all.elapsed = start.elapsed();
    Ok(all)
}

async fn stay_awake() {
    loop {
        tokio::task::yield_now().await;
    }
}

struct Client {
    connection: Connection,
    question: Question,
    random: fastrand::Rng,
    number: u32,
}

impl Client {
    async fn run(mut self, load: Load, start: Instant) -> io::Result<Driven> {
        let mut driven = Driven::default();
        let mut request = Vec::with_capacity(1_024);
        let every = load.rate.map(|rate| Duration::from_secs(1) * load.connections / rate);
        // Clients with a rate begin one after another, not all at once.
        let mut due = start + every.unwrap_or_default() * self.number / load.connections;
        loop {
            if every.is_some() {
                tokio::time::sleep_until(due.into()).await;
            } else {
                due = Instant::now();
            }
            if due.duration_since(start) >= load.time {
                return Ok(driven);
            }
            request.clear();
            (self.question)(&mut self.random, &mut request);
            let answer = self.connection.ask(&request).await?;
            if answer.is_success() {
                driven.answers += 1;
            } else {
                driven.refusals += 1;
                let text = || String::from_utf8_lossy(answer.body).chars().take(500).collect();
                driven.first_refusal.get_or_insert_with(text);
            }
            driven.latencies.push(due.elapsed());
            due += every.unwrap_or_default();
        }
    }
}
