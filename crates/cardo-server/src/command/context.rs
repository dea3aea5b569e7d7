use std::path::Path;

use cardo_engine::{Batch, Caller, Terms};
use cardo_ngsild::context_operation;

use crate::cli::ContextCommand;
use crate::command::Failure;
use crate::command::say::say;
use crate::command::serve::runtime;
use crate::config::Config;
use crate::logging::start_logging;
use crate::parts::open_engine;

pub(super) fn run(command: &ContextCommand) -> Result<(), Failure> {
    let ContextCommand::Add { url, file, common } = command;
    let config = common.settings().resolve().map_err(Failure::usage)?.config;
    start_logging(&config.log).map_err(Failure::usage)?;
    runtime()?.block_on(add(&config, url, file))
}

async fn add(config: &Config, url: &str, file: &Path) -> Result<(), Failure> {
    let unreadable =
        |reason| Failure::usage(format!("{} cannot be read: {reason}", file.display()));
    let document = std::fs::read(file).map_err(unreadable)?;
    let operation = context_operation(url, &document)
        .map_err(|reason| Failure::usage(format!("{} is no context: {reason}", file.display())))?;
    let engine = open_engine(config, Terms::default()).await.map_err(Failure::run)?;
    let batch = Batch { operations: vec![operation], ..Batch::default() };
    let outcome = engine.apply(&Caller::local("cardo-context"), batch).await.map_err(Failure::run);
    engine.close().await.map_err(Failure::run)?;
    for result in outcome?.results {
        result.map_err(Failure::run)?;
    }
    say(format_args!("kept {url} in {}\n", config.data.display()))
}
