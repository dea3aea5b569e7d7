//! Measures the yardsticks against a running server and prints the table.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cardo_bench::{City, Land, Maps, Martin, Rounds, Run};
use clap::{Args, Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the yardsticks: `cargo run --release -p cardo-bench`.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    mode: Option<Mode>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Subcommand)]
enum Mode {
    /// Serves the limit; started by the bench itself.
    Limit {
        /// Address and port.
        #[arg(long)]
        listen: SocketAddr,
        /// The folder of answers.
        #[arg(long)]
        answers: PathBuf,
    },
    /// Measures maps of a million trees and 200,000 buildings, and the same tiles of martin.
    Maps(MapArgs),
}

#[derive(Args)]
struct RunArgs {
    /// The server's program; built in release where not given.
    #[arg(long)]
    server: Option<PathBuf>,
    /// Where data is put, on the disk that is to be measured; emptied before and removed after.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Entities of the small and of the large city.
    #[arg(long, value_delimiter = ',', num_args = 1..=2)]
    entities: Vec<u32>,
    /// Only these parts: retrieve, list, q, near, count, offset, bbox, tile, graphql, levels, news, batch,
    /// memory, patch, minute, updates, subscriptions, scans, snapshots, start, tenants, temporal,
    /// moments, streams.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Rounds of each question.
    #[arg(long)]
    rounds: Option<u32>,
    /// Small and short: shows that everything works, not how fast it is.
    #[arg(long)]
    quick: bool,
    /// Where the table is written.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Args)]
struct MapArgs {
    /// The server's program; built in release where not given.
    #[arg(long)]
    server: Option<PathBuf>,
    /// The program of martin (<https://martin.maplibre.org>).
    #[arg(long, requires = "database")]
    martin: Option<PathBuf>,
    /// A database with PostGIS for it, whose tables `tree` and `building` are made anew.
    #[arg(long, requires = "martin")]
    database: Option<String>,
    /// How many trees; of buildings there are a fifth as many.
    #[arg(long, default_value_t = 1_000_000)]
    trees: u32,
    /// Rounds of each question.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let cli = Cli::parse();
    match cli.mode {
        Some(Mode::Limit { listen, answers }) => {
            // As many threads as cores it may run on, as Cardo has.
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            Ok(runtime.block_on(cardo_bench::serve_limit(listen, &answers))?)
        }
        Some(Mode::Maps(args)) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(maps(args))
        }
        None => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(run(&cli.run))
        }
    }
}

async fn maps(args: MapArgs) -> Result<(), Failure> {
    let program = args.server.map_or_else(cardo_bench::build_server, Ok)?;
    let folder = program.parent().unwrap_or(Path::new(".")).join("cardo-bench-maps");
    let martin = args.martin.zip(args.database);
    let maps = Maps {
        program,
        folder,
        land: Land { trees: args.trees, buildings: args.trees / 5 },
        rounds: Rounds { count: args.rounds, time: Duration::from_millis(1_500) },
        martin: martin.map(|(program, database)| Martin { program, database }),
    };
    println!("\n{}", maps.measure().await?);
    Ok(())
}

async fn run(args: &RunArgs) -> Result<(), Failure> {
    if let Some(unknown) = args.only.iter().find(|key| !cardo_bench::is_part(key)) {
        return Err(format!("there is no part {unknown:?}; see --help").into());
    }
    let program = match &args.server {
        Some(program) => program.clone(),
        None => cardo_bench::build_server()?,
    };
    let sizes = if args.quick { [10_000, 20_000] } else { [100_000, 1_000_000] };
    let size = |at: usize| City { entities: args.entities.get(at).copied().unwrap_or(sizes[at]) };
    let quick_or = |quick: u32, full: u32| if args.quick { quick } else { full };
    let folder = args
        .data
        .clone()
        .unwrap_or_else(|| program.parent().unwrap_or(Path::new(".")).join("cardo-bench-data"));
    let run = Run {
        program,
        folder,
        small: size(0),
        large: size(1),
        only: args.only.clone(),
        rounds: Rounds {
            count: args.rounds.unwrap_or(quick_or(2, 7)),
            time: Duration::from_millis(quick_or(300, 1_500).into()),
        },
        tenants: quick_or(200, 10_000),
        minute: quick_or(3, 60),
        instances: quick_or(200_000, 10_000_000),
    };
    let report = run.measure("cargo run --release -p cardo-bench").await?;
    println!("\n{report}");
    let is_whole = args.only.is_empty() && !args.quick && args.entities.is_empty();
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("RESULTS.md");
    if let Some(out) = args.out.clone().or(is_whole.then_some(results)) {
        std::fs::write(&out, report)?;
        println!("written to {}", out.display());
    }
    Ok(())
}
