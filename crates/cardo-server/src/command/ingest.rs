use std::path::PathBuf;
use std::sync::Arc;

use cardo_engine::{Caller, Engine, StoreError, Terms};
use cardo_ingest::{FileJob, Ingestor, JobOptions, Mapping, terminal_progress};
use cardo_model::TwinId;

use crate::cli::{IngestArgs, QuarantineCommand};
use crate::command::Failure;
use crate::command::say::say;
use crate::command::serve::runtime;
use crate::command::try_out;
use crate::config::Config;
use crate::contexts::KnownContexts;
use crate::logging::start_logging;
use crate::parts::{RunError, open_engine, read_contexts};

pub(super) fn run(args: &IngestArgs) -> Result<(), Failure> {
    let config = args.common.settings().resolve().map_err(Failure::usage)?.config;
    start_logging(&config.log).map_err(Failure::usage)?;
    let options = job_options(args)?;
    let twin = match &args.tenant {
        None => TwinId::default(),
        Some(tenant) => TwinId::of_tenant(tenant).map_err(Failure::usage)?,
    };
    let jobs = match args.quarantine {
        None => jobs(args, &options)?,
        Some(_) => Vec::new(),
    };
    if args.suggest_mapping {
        return jobs.iter().try_for_each(try_out::suggest);
    }
    if args.dry_run {
        return runtime()?.block_on(try_out::dry_run(&config, &jobs, args.limit));
    }
    runtime()?.block_on(async {
        let engine = open_engine(&config, Terms::default()).await.map_err(not_opened)?;
        let done = in_engine(args, &config, &engine, twin, options, jobs).await;
        engine.close().await.map_err(Failure::run)?;
        done
    })
}

fn not_opened(error: RunError) -> Failure {
    match error {
        RunError::Store(StoreError::InUse(reason)) => Failure::run(format!(
            "{reason}; a server that runs takes files in as [[sources]] of its configuration"
        )),
        error => Failure::run(error),
    }
}

fn job_options(args: &IngestArgs) -> Result<JobOptions, Failure> {
    let format = args.format.as_deref().map(str::parse).transpose().map_err(Failure::usage)?;
    let mapping = args.mapping.as_deref().map(Mapping::read).transpose().map_err(Failure::usage)?;
    Ok(JobOptions {
        format,
        type_name: args.type_name.clone(),
        mapping: mapping.map(Arc::new),
        crs: args.crs.clone(),
        id_column: args.id_column.clone(),
        context: args.context.clone(),
        layer: args.layer.clone(),
        simulated: false,
    })
}

fn jobs(args: &IngestArgs, options: &JobOptions) -> Result<Vec<FileJob>, Failure> {
    if args.source.is_some() && args.files.len() > 1 {
        return Err(Failure::usage("--source names one file, and there are several"));
    }
    if args.suggest_mapping && args.files.len() > 1 {
        return Err(Failure::usage("a mapping is for one file, and there are several"));
    }
    if options.type_name.is_none() && options.mapping.is_none() && !args.suggest_mapping {
        return Err(Failure::usage(
            "what the records are is not said: give --type, or --mapping with a type in it",
        ));
    }
    let mut jobs = Vec::new();
    for file in &args.files {
        let path = PathBuf::from(file);
        if !path.is_file() {
            return Err(Failure::usage(format!("{file} is not a file")));
        }
        let mut job = FileJob::new(path, options.clone());
        if let Some(source) = &args.source {
            job.source.clone_from(source);
        }
        jobs.push(job);
    }
    Ok(jobs)
}

async fn in_engine(
    args: &IngestArgs,
    config: &Config,
    engine: &Engine,
    twin: TwinId,
    options: JobOptions,
    jobs: Vec<FileJob>,
) -> Result<(), Failure> {
    let preloaded = read_contexts(config).map_err(Failure::usage)?;
    let contexts = KnownContexts::new(engine.clone(), preloaded, None);
    let ingestor = Ingestor::new(engine.clone()).with_contexts(Arc::new(contexts));
    let caller =
        |source: &str| Caller { twin: twin.clone(), ..Caller::local(&format!("ingest:{source}")) };
    match args.quarantine {
        None => {}
        Some(QuarantineCommand::List) => {
            let source = args.files.first().map(String::as_str);
            return list(&ingestor, &caller("quarantine"), source).await;
        }
        Some(QuarantineCommand::Replay) => {
            let source = args.files.first().ok_or_else(|| {
                Failure::usage("name the source to replay; `--quarantine list` shows them")
            })?;
            let progress = terminal_progress();
            let report = ingestor
                .replay_quarantine(&caller(source), source, &options, progress.as_ref())
                .await
                .map_err(Failure::run)?;
            return say(format_args!("{source}: {report}"));
        }
    }
    for job in jobs {
        let progress = terminal_progress();
        let report = ingestor
            .run_file(&caller(&job.source), &job, progress.as_ref())
            .await
            .map_err(Failure::run)?;
        say(format_args!("{}: {report}", job.source))?;
        if report.quarantined > 0 {
            say(format_args!("  see them with `cardo ingest --quarantine list`\n"))?;
        }
        if let Some(reason) = report.stopped {
            return Err(Failure::run(format!("{} broke off: {reason}", job.path.display())));
        }
    }
    Ok(())
}

async fn list(ingestor: &Ingestor, caller: &Caller, source: Option<&str>) -> Result<(), Failure> {
    let entries = ingestor.quarantined(caller, source).await.map_err(Failure::run)?;
    for entry in &entries {
        let place = match entry.line {
            Some(line) => format!("line {line}"),
            None => format!("byte {}", entry.offset),
        };
        say(format_args!(
            "{}: record {} at {place}: {}\n",
            entry.source, entry.record, entry.reason
        ))?;
    }
    say(format_args!("records put aside: {}\n", entries.len()))
}
