//! Sources that run inside the server.

mod config;
mod duration;
mod fetch;
mod gbfs;
mod intake;
mod listen;
mod poll;
mod push;
mod registry;
mod replay;
mod status;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cardo_egress::Gate;
use cardo_engine::{Caller, Principal, Reach, View};
use cardo_model::TwinId;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use config::{GbfsFeed, HeaderText, InvalidSource, SourceConfig, SourceKind};
pub use duration::Interval;
pub use push::{PushError, Pushed, PushedEntity, ReadEntities, Told};
pub use registry::{RunningSource, Sources};
pub use status::{SourceCounts, SourceState, SourceStatus};

use crate::error::IngestError;
use crate::run::Ingestor;
use push::Door;
use status::Gauge;

/// After a failure a source waits about this long, and twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Starts the sources of a configuration, each in a task of its own, until `shutdown`.
///
/// What reaches out passes the gate; without one, such sources are refused. A source that fails is
/// logged and tried again later; it never disturbs the others.
pub fn spawn_sources(
    ingestor: &Ingestor,
    configs: Vec<SourceConfig>,
    gate: Option<Gate>,
    shutdown: &CancellationToken,
) -> Result<JoinSet<()>, InvalidSource> {
    Sources::new(ingestor.clone()).start(configs, gate, shutdown)
}

fn caller(config: &SourceConfig, twin: TwinId) -> Caller {
    Caller {
        twin,
        principal: Principal::new("ingest"),
        view: View::all(),
        origin: format!("ingest:{}", config.name).into(),
        reach: Reach::Local,
    }
}

/// One source with what it needs.
struct Source {
    caller: Caller,
    ingestor: Ingestor,
    entities: Option<Arc<dyn ReadEntities>>,
    gate: Option<Gate>,
    config: SourceConfig,
    status: Gauge,
    door: Door,
    /// Counts the times that somebody else has changed the quarantine.
    quarantine_changes: AtomicU64,
}

impl Source {
    /// Runs until there is nothing more to come, and begins again after a failure.
    async fn keep_running(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let successes = self.status.successes();
            let begun = tokio::time::Instant::now();
            let Err(error) = self.run().await else {
                self.status.stopped();
                return;
            };
            // What connects and breaks at once has not recovered.
            if self.status.successes() > successes && begun.elapsed() > pause {
                pause = FIRST_PAUSE;
            }
            let wait = jittered(pause);
            let error = error.to_string();
            self.status.failing(&error, wait);
            tracing::warn!(
                source = %self.config.name,
                error = %error,
                retry_millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                "a source has failed and is tried again"
            );
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn run(&self) -> Result<(), IngestError> {
        let options = self.config.options()?;
        match self.config.kind() {
            Some(SourceKind::Replay) => {
                let path = self.config.replay.as_deref().unwrap_or_else(|| "".as_ref());
                self.replay(path, &options).await
            }
            Some(SourceKind::Gbfs) => self.share(&options).await,
            Some(SourceKind::Mqtt) => self.listen(&options).await,
            Some(SourceKind::Push) => self.open_door(&options).await,
            Some(SourceKind::File | SourceKind::Url) | None => self.poll(&options).await,
        }
    }

    /// The gate, where there is one; it was asked for at the start.
    fn gate(&self) -> Result<&Gate, IngestError> {
        self.gate.as_ref().ok_or_else(|| IngestError::Download {
            url: self.config.name.clone(),
            reason: "outgoing requests are not set up".to_owned(),
        })
    }

    fn quarantine_changes(&self) -> u64 {
        self.quarantine_changes.load(Ordering::Acquire)
    }
}

/// A quarter more or less, so that sources that failed together do not come back together.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.75 + fastrand::f64() / 2.0)
}
