//! Measures the faces without a network: what a question costs from its request to the last
//! byte of its answer.
//!
//! `face-bench [ENTITIES] [--land] [--only KEY] [--rounds N]`: with `--land` maps are asked of so many
//! trees and a fifth as many buildings, none of their tiles kept; with `--rounds` each question is put
//! so often, for a profiler that slows everything down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use cardo_bench::{City, Land, Question, batches_of, questions_of, reads_of};
use cardo_engine::{Batch, Caller, Engine, EngineOptions, Operation};
use cardo_ngsild::NgsildOptions;
use cardo_ogcapi::OgcOptions;
use cardo_store::MemoryStore;
use http_body_util::BodyExt as _;
use tower::Service as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (mut entities, mut only, mut rounds, mut is_land) = (100_000, None, 20_000, false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--land" => is_land = true,
            "--only" => only = arguments.next(),
            "--rounds" => rounds = arguments.next().ok_or("--rounds needs a number")?.parse()?,
            number => entities = number.parse()?,
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let engine = Engine::open(Arc::new(MemoryStore::new()), EngineOptions::default()).await?;
        let (router, _) = cardo_ngsild::router(engine.clone(), NgsildOptions::default());
        let mut options = OgcOptions::default();
        let questions: Vec<(String, Question)> = if is_land {
            options.limits.tile_bytes = 0;
            let land = Land { trees: entities, buildings: entities / 5 };
            for batch in batches_of(land) {
                ask(&router, upsert(batch)?).await?;
            }
            questions_of(land).collect()
        } else {
            let city = City { entities };
            load(&engine, city).await?;
            reads_of(city).map(|(key, question)| (key.to_owned(), question)).collect()
        };
        let router = router.merge(cardo_ogcapi::router(engine, options));
        let wanted = |key: &str| only.as_ref().is_none_or(|only| only == key);
        for (key, question) in questions.iter().filter(|(key, _)| wanted(key)) {
            measure(&router, key, question, rounds).await?;
        }
        Ok(())
    })
}

fn upsert(batch: String) -> Result<Request<Body>, Failure> {
    let request = Request::post("/ngsi-ld/v1/entityOperations/upsert");
    let request = request.header("content-length", batch.len());
    Ok(request.header("content-type", "application/json").body(batch.into())?)
}

async fn load(engine: &Engine, city: City) -> Result<(), Failure> {
    let caller = Caller::local("bench");
    for first in (0..city.entities).step_by(1_000) {
        let numbers = first..(first + 1_000).min(city.entities);
        let operations = numbers.map(|n| city.entity(n).map(Operation::CreateOrReplace));
        let batch = Batch { operations: operations.collect::<Result<_, _>>()?, ..Batch::default() };
        engine.apply(&caller, batch).await?;
    }
    Ok(())
}

async fn measure(
    router: &Router,
    key: &str,
    question: &Question,
    rounds: usize,
) -> Result<(), Failure> {
    let mut random = fastrand::Rng::with_seed(1);
    // Indexes are built where questions ask for them.
    for _ in 0..100 {
        ask(router, request(question, &mut random)?).await?;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (mut best, mut bytes) = (Duration::MAX, 0);
    for _ in 0..5 {
        let share = rounds.div_ceil(5);
        let requests: Result<Vec<_>, _> =
            (0..share).map(|_| request(question, &mut random)).collect();
        let requests = requests?;
        let start = Instant::now();
        for request in requests {
            bytes += ask(router, request).await?;
        }
        best = best.min(start.elapsed() / u32::try_from(share)?);
    }
    println!("{key:10} {best:?} a request, {} bytes", bytes / (rounds.div_ceil(5) * 5));
    Ok(())
}

/// A request from the text that the load sends.
fn request(question: &Question, random: &mut fastrand::Rng) -> Result<Request<Body>, Failure> {
    let mut text = Vec::new();
    question(random, &mut text);
    let text = String::from_utf8(text)?;
    let mut lines = text.split("\r\n");
    let target = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("no target")?;
    let mut request = Request::builder().uri(target);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        request = request.header(name, value);
    }
    Ok(request.body(Body::empty())?)
}

/// How many bytes the answer has.
async fn ask(router: &Router, request: Request<Body>) -> Result<usize, Failure> {
    let response = router.clone().call(request).await?;
    if !response.status().is_success() {
        return Err(format!("a question was refused: {}", response.status()).into());
    }
    Ok(response.into_body().collect().await?.to_bytes().len())
}
