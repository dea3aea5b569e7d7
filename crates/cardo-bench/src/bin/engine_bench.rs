//! Measures the engine without HTTP: what an operation and a question cost in process.
//!
//! `engine-bench [ENTITIES] [--sqlite DIR] [--open] [--load]`: with `--open` the directory is opened
//! as it is, with `--load` a load is all that is measured.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cardo_bench::{City, TEMPERATURES, TYPES, full_name};
use cardo_engine::{
    Batch, Caller, Engine, EngineOptions, EntityQuery, Operation, Order, PageRequest, PageStart,
    Store,
};
use cardo_model::{InstanceFragment, Iri, JsonText, Timestamp, Value};
use cardo_query::{Comparison, Datasets, GeoCondition, Literal, Operand, Operator, Path};
use cardo_query::{Filter, GeoTest};
use cardo_spatial::GeoRelation;
use cardo_store::MemoryStore;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (mut entities, mut directory, mut part) = (100_000, None, Part::All);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--sqlite" => directory = arguments.next().map(PathBuf::from),
            "--open" => part = Part::Open,
            "--load" => part = Part::Load,
            number => entities = number.parse()?,
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let city = City { entities };
    runtime.block_on(async {
        match (part, directory) {
            (Part::Open, Some(directory)) => open_again(&directory, city).await,
            (Part::Open, None) => Err("--open needs --sqlite".into()),
            (part, directory) => run(city, directory, part).await,
        }
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    All,
    Load,
    Open,
}

async fn open_again(directory: &PathBuf, city: City) -> Result<(), Failure> {
    let (caller, cpu, empty) = (Caller::local("bench"), cpu(), resident());
    let engine = timed("open again", open(Some(directory))).await?;
    let snapshot = timed("first snapshot", engine.snapshot(&caller)).await?;
    println!("{:40} {}", "entities", snapshot.len());
    println!("{:40} {:.2} s", "CPU", self::cpu() - cpu);
    report_memory("after the restart", city, empty);
    engine.close().await?;
    Ok(())
}

async fn open(directory: Option<&PathBuf>) -> Result<Engine, Failure> {
    let store: Arc<dyn Store> = match directory {
        Some(directory) => {
            let options = cardo_store::SqliteOptions::default();
            Arc::new(cardo_store::SqliteStore::open(directory, options).await?)
        }
        None => Arc::new(MemoryStore::new()),
    };
    Ok(Engine::open(store, EngineOptions::default()).await?)
}

async fn run(city: City, directory: Option<PathBuf>, part: Part) -> Result<(), Failure> {
    let engine = open(directory.as_ref()).await?;
    let caller = Caller::local("bench");
    let empty = resident();
    load(&engine, &caller, city).await?;
    report_memory("after loading", city, empty);
    if part == Part::Load {
        return Ok(engine.close().await?);
    }
    reads(&engine, &caller, city).await?;
    report_memory("after reading", city, empty);
    updates(&engine, &caller, city, 1).await?;
    updates(&engine, &caller, city, 64).await?;
    reads(&engine, &caller, city).await?;
    if let Some(directory) = directory {
        timed("close", engine.close()).await?;
        drop(engine);
        open_again(&directory, city).await?;
    }
    Ok(())
}

async fn timed<T, E>(name: &str, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let start = Instant::now();
    let result = work.await;
    println!("{name:40} {:?}", start.elapsed());
    result
}

async fn load(engine: &Engine, caller: &Caller, city: City) -> Result<(), Failure> {
    let (mut applied, cpu) = (Duration::ZERO, cpu());
    let mut number = 0;
    while number < city.entities {
        let until = (number + 1_000).min(city.entities);
        let operations: Result<Vec<_>, _> =
            (number..until).map(|n| city.entity(n).map(Operation::CreateOrReplace)).collect();
        let batch = Batch { operations: operations?, ..Batch::default() };
        let start = Instant::now();
        engine.apply(caller, batch).await?;
        applied += start.elapsed();
        number = until;
    }
    println!("{:40} {:?} an entity (wall)", "apply", applied / city.entities);
    engine.project_all().await?;
    let cpu = Duration::from_secs_f64(self::cpu() - cpu);
    println!("{:40} {:?} an entity (with making it, projected)", "load, CPU", cpu / city.entities);
    Ok(())
}

async fn reads(engine: &Engine, caller: &Caller, city: City) -> Result<(), Failure> {
    let mut random = fastrand::Rng::with_seed(1);
    let rounds = 20_000;
    let ids: Vec<String> = (0..rounds).map(|_| City::id(random.u32(0..city.entities))).collect();
    let start = Instant::now();
    for id in &ids {
        let snapshot = engine.loaded_snapshot(caller).ok_or("the twin is loaded")?;
        std::hint::black_box(snapshot.retrieve(id).ok_or("it is there")?);
    }
    println!("{:40} {:?}", "retrieve", start.elapsed() / rounds);
    let temperature = full_name("temperature")?;
    let location = Iri::new("https://uri.etsi.org/ngsi-ld/location")?;
    let above = |limit: f64| {
        Filter::Compare(Comparison {
            path: Path::of_attribute(temperature.clone()),
            operator: Operator::Greater,
            operand: Operand::One(Literal::Number(limit)),
        })
    };
    let near = |x: f64, y: f64, metres: f64| {
        let [lon, lat] = city.point(x, y);
        let point = geo_types::Geometry::Point(geo_types::Point::new(lon, lat));
        Filter::Geo(GeoCondition {
            property: location.clone(),
            test: Arc::new(GeoTest::new(GeoRelation::Near { min: None, max: Some(metres) }, point)),
            missing_matches: false,
            datasets: Datasets::Any,
        })
    };
    for (name, offset, count) in
        [("list", 0, false), ("list count", 0, true), ("list 9900", 9_900, false)]
    {
        ask(engine, caller, name, |_| Ok(Filter::True), offset, count).await?;
    }
    ask(engine, caller, "q 2%", |r| Ok(above(TEMPERATURES * (0.978 + r.f64() * 0.004))), 0, false)
        .await?;
    ask(
        engine,
        caller,
        "q 2% count",
        |r| Ok(above(TEMPERATURES * (0.978 + r.f64() * 0.004))),
        0,
        true,
    )
    .await?;
    ask(
        engine,
        caller,
        "q 0.02%",
        |r| Ok(above(TEMPERATURES * (0.9996 + r.f64() * 0.0004))),
        0,
        false,
    )
    .await?;
    ask(engine, caller, "near 500 m", |r| Ok(near(r.f64(), r.f64(), 500.0)), 0, false).await?;
    ask(engine, caller, "near 500 m count", |r| Ok(near(r.f64(), r.f64(), 500.0)), 0, true).await?;
    ask(engine, caller, "near 2000 m", |r| Ok(near(r.f64(), r.f64(), 2000.0)), 0, false).await?;
    ask(
        engine,
        caller,
        "near 1000 m and q 10%",
        |r| Ok(near(r.f64(), r.f64(), 1000.0).and(above(TEMPERATURES * 0.9))),
        0,
        false,
    )
    .await
}

async fn ask(
    engine: &Engine,
    caller: &Caller,
    name: &str,
    filter: impl Fn(&mut fastrand::Rng) -> Result<Filter, Failure>,
    offset: usize,
    count: bool,
) -> Result<(), Failure> {
    let mut random = fastrand::Rng::with_seed(2);
    let page = PageRequest { limit: 20, start: PageStart::Offset(offset) };
    let mut ask_of = |rounds: u32| {
        let queries: Result<Vec<EntityQuery>, Failure> = (0..rounds)
            .map(|_| {
                let of_type = Filter::Type(full_name(TYPES[random.usize(0..8)])?);
                Ok(EntityQuery {
                    filter: of_type.and(filter(&mut random)?),
                    order: Order::default(),
                    page,
                    count,
                })
            })
            .collect();
        queries
    };
    // Indexes are built where questions ask for them.
    for query in ask_of(300)? {
        engine.query(caller, &query).await?;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let queries = ask_of(2_000)?;
    let (mut found, mut each) = (0, Vec::with_capacity(queries.len()));
    for query in &queries {
        let start = Instant::now();
        found += engine.query(caller, query).await?.entities.len();
        each.push(start.elapsed());
    }
    each.sort_unstable();
    let (middle, high) = (each[each.len() / 2], each[each.len() * 99 / 100]);
    let mean = each.iter().sum::<Duration>() / 2_000;
    println!("{name:40} {mean:?} mean, {middle:?} median, {high:?} p99, {} found", found / 2_000);
    Ok(())
}

async fn updates(
    engine: &Engine,
    caller: &Caller,
    city: City,
    clients: u32,
) -> Result<(), Failure> {
    let name = full_name("temperature")?;
    let rounds = 20_000 / clients.min(20);
    let (cpu, start) = (cpu(), Instant::now());
    let mut tasks = Vec::new();
    for client in 0..clients {
        let (engine, caller, name) = (engine.clone(), caller.clone(), name.clone());
        tasks.push(tokio::spawn(async move {
            let mut random = fastrand::Rng::with_seed(u64::from(client));
            for _ in 0..rounds {
                let value = f64::from(random.u32(0..40_000)) / 1_000.0;
                let fragment = InstanceFragment {
                    value: Some(Value::property(
                        JsonText::from_canonical(value.to_string()),
                        false,
                    )),
                    observed_at: Some(Timestamp::now()),
                    ..InstanceFragment::default()
                };
                let id = Iri::new(City::id(random.u32(0..city.entities)))?;
                let operation = Operation::PartialUpdate { id, name: name.clone(), fragment };
                let batch = Batch { operations: vec![operation], ..Batch::default() };
                let outcome = engine.apply(&caller, batch).await?;
                outcome.results.into_iter().collect::<Result<Vec<_>, _>>()?;
            }
            Ok::<(), Failure>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    let elapsed = start.elapsed();
    engine.project_all().await?;
    let updates = rounds * clients;
    let cpu = Duration::from_secs_f64(self::cpu() - cpu) / updates;
    println!(
        "{:40} {:?} wall, {cpu:?} CPU with projecting",
        format!("update, {clients} clients"),
        elapsed / updates
    );
    Ok(())
}

/// CPU time of this process in seconds.
fn cpu() -> f64 {
    cardo_bench::cpu_seconds(std::process::id()).unwrap_or(0.0)
}

fn resident() -> u64 {
    cardo_bench::resident_bytes(std::process::id()).unwrap_or(0)
}

fn report_memory(when: &str, city: City, empty: u64) {
    let each = resident().saturating_sub(empty) / u64::from(city.entities.max(1));
    println!("{:40} {each} B an entity", format!("RSS {when}"));
}
