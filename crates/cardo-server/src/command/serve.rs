use std::net::TcpListener;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::ServeArgs;
use crate::command::Failure;
use crate::command::say::mention;
use crate::config::{Config, Effective};
use crate::http::listen;
use crate::logging::start_logging;
use crate::parts;
use crate::supervisor::Supervisor;

pub(super) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let effective = args.settings().resolve().map_err(Failure::usage)?;
    start_logging(&effective.config.log).map_err(Failure::usage)?;
    log_settings(&effective);
    let listener = listen(&effective.config.listen).map_err(Failure::run)?;
    run_to_end(serve(listener, &effective.config))
}

/// How long work that is still under way at the end is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs a server and ends with it: work that is still under way when all is saved is waited
/// for only a moment.
pub(super) fn run_to_end(server: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = runtime()?;
    let result = runtime.block_on(server);
    runtime.shutdown_timeout(PATIENCE);
    result
}

async fn serve(listener: TcpListener, config: &Config) -> Result<(), Failure> {
    let supervisor = Supervisor::of_environment();
    let stop = stop_signal()?;
    let address = listener.local_addr().map_err(Failure::run)?;
    let parts = parts::Parts::open(config, address, None).await.map_err(Failure::run)?;
    let url = format!("{}://{address}", config.http.scheme());
    mention(format_args!("Cardo listens on {url}\n"));
    tokio::spawn(announce(parts.loaded(), supervisor.clone(), url));
    let shutdown = async move {
        stop.await;
        supervisor.stopping();
    };
    parts.serve(listener, config, shutdown).await.map_err(Failure::run)
}

/// Connections are queued from the start; who waits for readiness wants answers without a wait.
async fn announce(loaded: impl Future<Output = ()>, supervisor: Supervisor, url: String) {
    loaded.await;
    supervisor.ready(&url);
}

/// Says which settings are not at their defaults, without their values.
pub(super) fn log_settings(effective: &Effective) {
    for (key, origin) in &effective.origins {
        tracing::info!(key, %origin, "a setting is in force");
    }
}

/// Threads for each core.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::run)
}

/// Done when the process is asked to stop.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::run)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::run)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
