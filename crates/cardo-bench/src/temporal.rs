//! History: the last values of one attribute among millions of stored ones, and aggregates of a
//! month, asked over HTTP of a server that has just started.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cardo_engine::{Batch, Caller, Engine, EngineOptions, Operation};
use cardo_model::{Attribute, Entity, Instance, Iri, JsonText, Timestamp, Value};
use cardo_store::{SqliteOptions, SqliteStore};

use crate::city::full_name;
use crate::process::Server;
use crate::table::{Row, Target, number};
use crate::wire::{Connection, request};

/// The key of this part.
pub(crate) const PART: &str = "temporal";

/// The values of each of the many sensors: more than a month of minutes.
const MINUTES: u32 = 50_000;
const MONTH_MINUTES: u32 = 30 * 24 * 60;
/// The first of them: 1 October 2026.
const START: i64 = 1_790_812_800;
/// So many values are written at once.
const BATCH: u32 = 10_000;
/// So often each question is asked.
const ROUNDS: usize = 100;

/// Half of the values are of one sensor, every second; the others of many sensors, every minute.
#[derive(Clone, Copy)]
struct Stock {
    instances: u32,
}

impl Stock {
    fn of_one(self) -> u32 {
        self.instances / 2
    }

    fn sensors(self) -> u32 {
        (self.instances - self.of_one()).div_ceil(MINUTES)
    }

    fn id(sensor: u32) -> String {
        format!("urn:ngsi-ld:Logger:{sensor:05}")
    }
}

/// Stores history, starts a server on it, and measures.
pub(crate) async fn measure(program: &Path, folder: &Path, instances: u32) -> io::Result<Vec<Row>> {
    let (stock, data) = (Stock { instances }, folder.join("history"));
    let start = Instant::now();
    fill(&data, stock).await.map_err(io::Error::other)?;
    let filled = start.elapsed();
    let server = Server::cardo(program, &data, "/health").await?;
    server.settle().await;
    let mut connection = Connection::open(server.address).await?;
    let stored = format!(
        "{} instances stored, at {} a second",
        number(f64::from(instances)),
        number(f64::from(instances) / filled.as_secs_f64())
    );
    let last = "attrs=reading&lastN=100&options=temporalValues";
    let one = |_: usize| format!("/{}?{last}", Stock::id(0));
    let many = move |round: usize| {
        let sensor = 1 + u32::try_from(round * 7_919).unwrap_or(0) % stock.sensors();
        format!("/{}?{last}", Stock::id(sensor))
    };
    let hours = move |round: usize| {
        let sensor = 1 + u32::try_from(round * 7_919).unwrap_or(0) % stock.sensors();
        let (from, until) = (moment(START), moment(START + i64::from(MONTH_MINUTES) * 60));
        format!(
            "/{}?attrs=reading&timerel=between&timeAt={from}&endTimeAt={until}\
             &options=aggregatedValues&aggrMethods=avg&aggrPeriodDuration=PT1H",
            Stock::id(sensor)
        )
    };
    let mut rows = Vec::new();
    let of_one = number(f64::from(stock.of_one()));
    let questions: [(String, Asking<'_>, f64); 3] = [
        (format!("the last 100 values of an attribute with {of_one}"), &one, 5.0),
        ("the last 100 values of one of many attributes".to_owned(), &many, 5.0),
        ("hourly averages of a month of minute values".to_owned(), &hours, 50.0),
    ];
    for (work, question, most) in questions {
        let (middle, high) = ask(&mut connection, question).await?;
        rows.push(Row {
            work,
            measured: format!("{middle:.2} ms, p99 {high:.2} ms, over HTTP"),
            reference: stored.clone(),
            value: middle,
            unit: "ms",
            target: Target::AtMost(most),
        });
    }
    server.stop().await?;
    Ok(rows)
}

/// The path of a question below that of the Temporal API, for each round.
type Asking<'a> = &'a dyn Fn(usize) -> String;

/// Median and 99th percentile of a question's time in milliseconds.
async fn ask(connection: &mut Connection, question: Asking<'_>) -> io::Result<(f64, f64)> {
    let mut each = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS + 5 {
        let path = format!("/ngsi-ld/v1/temporal/entities{}", question(round));
        let text = request("GET", &path, "", "");
        let start = Instant::now();
        let answer = connection.ask(&text).await?;
        let elapsed = start.elapsed();
        if answer.status != 200 || answer.body.len() < 2_000 {
            let said = String::from_utf8_lossy(answer.body).chars().take(300).collect::<String>();
            return Err(io::Error::other(format!("{} for {path}: {said}", answer.status)));
        }
        each.push(elapsed);
    }
    let mut each = each.split_off(5);
    each.sort_unstable();
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    Ok((millis(each[each.len() / 2]), millis(each[each.len() * 99 / 100])))
}

fn moment(seconds: i64) -> String {
    Timestamp::from_seconds(seconds).to_string()
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn fill(data: &Path, stock: Stock) -> Result<(), Failure> {
    let store = SqliteStore::open(data, SqliteOptions::default()).await?;
    let engine = Engine::open(Arc::new(store), EngineOptions::default()).await?;
    // The twin that a request without a tenant asks.
    let caller = Caller::local("");
    let mut random = fastrand::Rng::with_seed(7);
    let sensors = (0..=stock.sensors()).map(|n| {
        let value = Instance::new(Value::property(JsonText::from_canonical("0"), false));
        let mut entity = Entity::new(Iri::new(Stock::id(n))?, full_name("Logger")?);
        entity.attributes.push(Attribute::new(full_name("state")?, value));
        Ok::<_, Failure>(Operation::Create(entity))
    });
    let operations = sensors.collect::<Result<_, _>>()?;
    engine.apply(&caller, Batch { operations, ..Batch::default() }).await?;
    for first in (0..stock.of_one()).step_by(BATCH as usize) {
        let numbers = first..(first + BATCH).min(stock.of_one());
        let operation = record(0, numbers, 1, &mut random)?;
        apply(&engine, &caller, vec![operation]).await?;
    }
    // As it comes from sensors: of each a few, then of each a few more.
    for first in (0..MINUTES).step_by(100) {
        let numbers = first..(first + 100).min(MINUTES);
        let mut operations = Vec::new();
        for sensor in 1..=stock.sensors() {
            operations.push(record(sensor, numbers.clone(), 60, &mut random)?);
        }
        apply(&engine, &caller, operations).await?;
    }
    engine.close().await?;
    Ok(())
}

async fn apply(
    engine: &Engine,
    caller: &Caller,
    operations: Vec<Operation>,
) -> Result<(), Failure> {
    let outcome = engine.apply(caller, Batch { operations, ..Batch::default() }).await?;
    outcome.results.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(())
}

fn record(
    sensor: u32,
    numbers: std::ops::Range<u32>,
    seconds: u32,
    random: &mut fastrand::Rng,
) -> Result<Operation, Failure> {
    let instance = |number: u32| {
        let value = f64::from(random.u32(0..40_000)) / 1_000.0;
        let text = JsonText::from_canonical(value.to_string());
        let mut instance = Instance::new(Value::property(text, false));
        let at = START + i64::from(number) * i64::from(seconds);
        instance.observed_at = Some(Timestamp::from_seconds(at));
        instance
    };
    let attribute =
        Attribute { name: full_name("reading")?, instances: numbers.map(instance).collect() };
    Ok(Operation::Record {
        id: Iri::new(Stock::id(sensor))?,
        types: Vec::new(),
        scopes: Vec::new(),
        attributes: vec![attribute],
        must_exist: true,
    })
}
