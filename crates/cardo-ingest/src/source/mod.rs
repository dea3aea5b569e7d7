//! Sources that run inside the server.

mod config;
mod duration;
mod poll;
mod replay;

use std::time::Duration;

use cardo_egress::Gate;
use cardo_engine::{Caller, Principal, View};
use cardo_model::TwinId;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use config::{InvalidSource, SourceConfig};
pub use duration::Interval;

use crate::error::IngestError;
use crate::run::Ingestor;

/// After a failure a source waits this long, and twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Starts the sources of a configuration, each in a task of its own, until `shutdown`.
///
/// Downloads pass the gate; without one, sources with a `url` are refused. A source that fails is
/// logged and tried again later; it never disturbs the others.
#[expect(clippy::needless_pass_by_value, reason = "the sources share it as their own")]
pub fn spawn_sources(
    ingestor: &Ingestor,
    configs: Vec<SourceConfig>,
    gate: Option<Gate>,
    shutdown: &CancellationToken,
) -> Result<JoinSet<()>, InvalidSource> {
    let mut ready = Vec::new();
    for config in configs {
        let twin = config.check()?;
        if config.url.is_some() && gate.is_none() {
            return Err(InvalidSource::NoGate(config.name));
        }
        ready.push((config, twin));
    }
    let mut tasks = JoinSet::new();
    for (config, twin) in ready {
        let source = Source {
            caller: caller(&config, twin),
            ingestor: ingestor.clone(),
            gate: gate.clone(),
            config,
        };
        let shutdown = shutdown.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = source.keep_running() => {}
            }
        });
    }
    Ok(tasks)
}

fn caller(config: &SourceConfig, twin: TwinId) -> Caller {
    Caller {
        twin,
        principal: Principal::new("ingest"),
        view: View::all(),
        origin: format!("ingest:{}", config.name).into(),
    }
}

/// One source with what it needs.
struct Source {
    caller: Caller,
    ingestor: Ingestor,
    gate: Option<Gate>,
    config: SourceConfig,
}

impl Source {
    /// Runs until there is nothing more to come, and begins again after a failure.
    async fn keep_running(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let begun = tokio::time::Instant::now();
            match self.run().await {
                Ok(()) => return,
                Err(error) => {
                    if begun.elapsed() > LONGEST_PAUSE {
                        pause = FIRST_PAUSE;
                    }
                    tracing::warn!(
                        source = %self.config.name,
                        error = %error,
                        retry_seconds = pause.as_secs(),
                        "a source has failed and is tried again"
                    );
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn run(&self) -> Result<(), IngestError> {
        let options = self.config.options()?;
        if let Some(path) = &self.config.replay {
            return self.replay(path, &options).await;
        }
        self.poll(&options).await
    }
}
