//! All sources that run, for those who watch over them.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use cardo_egress::Gate;
use cardo_engine::{Batch, Operation};
use cardo_model::TwinId;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::push::{Door, PushError, Pushed, ReadEntities};
use super::status::Gauge;
use super::{InvalidSource, Source, SourceConfig, SourceStatus, caller};
use crate::error::IngestError;
use crate::progress::Silent;
use crate::quarantine::{self, Quarantined};
use crate::report::Report;
use crate::run::{Ingestor, Manner, apply};

/// The sources that run. Clones share them.
#[derive(Clone)]
pub struct Sources {
    ingestor: Ingestor,
    entities: Option<Arc<dyn ReadEntities>>,
    running: Arc<RwLock<Vec<RunningSource>>>,
}

impl Sources {
    /// None as yet.
    pub fn new(ingestor: Ingestor) -> Self {
        Self { ingestor, entities: None, running: Arc::default() }
    }

    /// The same with one who reads notifications that are pushed.
    pub fn with_entities(self, entities: Arc<dyn ReadEntities>) -> Self {
        Self { entities: Some(entities), ..self }
    }

    /// Starts sources, each in a task of its own, until `shutdown`.
    #[expect(clippy::needless_pass_by_value, reason = "the sources share it as their own")]
    pub fn start(
        &self,
        configs: Vec<SourceConfig>,
        gate: Option<Gate>,
        shutdown: &CancellationToken,
    ) -> Result<JoinSet<()>, InvalidSource> {
        let mut sources = Vec::new();
        let mut names: HashSet<(TwinId, String)> = HashSet::new();
        for config in configs {
            let twin = config.check()?;
            if config.is_outgoing() && gate.is_none() {
                return Err(InvalidSource::NoGate(config.name));
            }
            if !names.insert((twin.clone(), config.name.clone())) {
                return Err(InvalidSource::Twice(config.name));
            }
            sources.push(RunningSource(Arc::new(Source {
                caller: caller(&config, twin),
                ingestor: self.ingestor.clone(),
                entities: self.entities.clone(),
                gate: gate.clone(),
                config,
                status: Gauge::new(),
                door: Door::default(),
                quarantine_changes: AtomicU64::new(0),
            })));
        }
        let mut tasks = JoinSet::new();
        for RunningSource(source) in &sources {
            let source = Arc::clone(source);
            let shutdown = shutdown.clone();
            tasks.spawn(async move {
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = source.keep_running() => {}
                }
            });
        }
        let mut running = self.running.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        running.extend(sources);
        Ok(tasks)
    }

    /// All of them, in the order of the configuration.
    pub fn all(&self) -> Vec<RunningSource> {
        self.running.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Those of a twin.
    pub fn of(&self, twin: &TwinId) -> Vec<RunningSource> {
        self.all().into_iter().filter(|source| source.twin() == twin).collect()
    }

    /// One of a twin by its name.
    pub fn find(&self, twin: &TwinId, name: &str) -> Option<RunningSource> {
        self.of(twin).into_iter().find(|source| source.config().name == name)
    }
}

/// A source that runs.
#[derive(Clone)]
pub struct RunningSource(Arc<Source>);

impl RunningSource {
    /// Its configuration.
    pub fn config(&self) -> &SourceConfig {
        &self.0.config
    }

    /// The twin that it is of.
    pub fn twin(&self) -> &TwinId {
        &self.0.caller.twin
    }

    /// How it is.
    pub fn status(&self) -> SourceStatus {
        self.0.status.status()
    }

    /// How many records its quarantine holds.
    pub async fn quarantine_size(&self) -> Result<usize, IngestError> {
        let snapshot = self.0.ingestor.snapshot(&self.0.caller).await?;
        Ok(quarantine::count(snapshot.as_ref(), &self.0.config.name))
    }

    /// What its quarantine holds, the oldest first.
    pub async fn quarantined(&self) -> Result<Vec<Quarantined>, IngestError> {
        let name = Some(self.0.config.name.as_str());
        let mut entries = self.0.ingestor.quarantined(&self.0.caller, name).await?;
        entries.sort_by(|a, b| (&a.at, a.record).cmp(&(&b.at, b.record)));
        Ok(entries)
    }

    /// Tries what the quarantine holds again, with the mapping as it stands now.
    pub async fn replay_quarantine(&self) -> Result<Report, IngestError> {
        let source = &*self.0;
        let options = source.config.options()?;
        let manner = Manner { clock_ahead: source.config.clock_ahead(), ..Manner::default() };
        let name = &source.config.name;
        let replay = source.ingestor.replay_within(&source.caller, name, &options, manner, &Silent);
        let report = replay.await?;
        source.quarantine_changes.fetch_add(1, Ordering::AcqRel);
        Ok(report)
    }

    /// Empties the quarantine; how many records it held.
    pub async fn clear_quarantine(&self) -> Result<usize, IngestError> {
        let source = &*self.0;
        let snapshot = source.ingestor.snapshot(&source.caller).await?;
        let removals = quarantine::removals(snapshot.as_ref(), &source.config.name);
        drop(snapshot);
        let count = removals.len();
        if count > 0 {
            let operations = removals.into_iter().map(Operation::Document).collect();
            let batch = Batch { operations, ..Batch::default() };
            apply(source.ingestor.engine(), &source.caller, batch).await?;
            source.quarantine_changes.fetch_add(1, Ordering::AcqRel);
        }
        Ok(count)
    }

    /// Whether a secret is the one that may push.
    pub fn is_secret(&self, secret: &str) -> bool {
        self.0.config.is_secret(secret)
    }

    /// Takes in what was pushed; when this returns it is durable.
    pub async fn push(&self, pushed: Pushed<'_>) -> Result<Report, PushError> {
        self.0.push(pushed).await
    }
}
