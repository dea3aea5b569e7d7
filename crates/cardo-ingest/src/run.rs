//! The writing half of a run, and the operations that others call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cardo_engine::{
    Batch, Caller, Done, Engine, Operation, Outcome, QueryError, Snapshot, WriteError,
};
use cardo_formats::{Format, Record};
use cardo_model::{DocumentChange, SourceOffset};
use tokio::sync::mpsc;

use crate::clock::too_far_ahead;
use crate::contexts::{self, BuiltIn, Contexts};
use crate::error::IngestError;
use crate::feed::{Feed, Load};
use crate::identity;
use crate::input::{Input, Offset};
use crate::mapping::{Identity, Mapping, MappingError, Plan, PlanOptions};
use crate::options::{FileJob, JobOptions};
use crate::progress::Progress;
use crate::quarantine::{self, Keeper, Quarantined};
use crate::report::Report;
use crate::system;

/// So many loads wait between reading and writing; with it memory stays flat.
const PIPELINE: usize = 2;
/// How long a full queue of writes is waited for, in all.
const PATIENCE: Duration = Duration::from_secs(120);

/// Takes sources in. Cloning shares the engine.
#[derive(Clone)]
pub struct Ingestor {
    engine: Engine,
    contexts: Arc<dyn Contexts>,
}

/// How a source is treated beside its options.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    /// It is asked again and again: what is known to be unchanged is not read at all.
    pub(crate) is_polled: bool,
    /// How far readings may be ahead of the clock.
    pub(crate) clock_ahead: Option<Duration>,
}

impl Ingestor {
    /// Takes sources in with the contexts that are built in.
    pub fn new(engine: Engine) -> Self {
        Self { engine, contexts: Arc::new(BuiltIn) }
    }

    /// The same with more contexts.
    pub fn with_contexts(self, contexts: Arc<dyn Contexts>) -> Self {
        Self { contexts, ..self }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn contexts(&self) -> &dyn Contexts {
        &*self.contexts
    }

    /// The twin as it is; none where nothing was ever written to it.
    pub(crate) async fn snapshot(&self, caller: &Caller) -> Result<Option<Snapshot>, IngestError> {
        match self.engine.snapshot(caller).await {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(QueryError::UnknownTenant(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a file in. What was acknowledged stays where this fails or is dropped; the next run
    /// over the unchanged file goes on behind it.
    pub async fn run_file(
        &self,
        caller: &Caller,
        job: &FileJob,
        progress: &dyn Progress,
    ) -> Result<Report, IngestError> {
        let input = Input::File(job.path.clone());
        let manner = Manner::default();
        let report = self.run(caller, &job.source, input, &job.options, manner, progress).await?;
        Ok(report.unwrap_or_default())
    }

    /// Takes a file in, unless all of it was taken in before with the same options: then it is not
    /// read, and there is no report.
    pub async fn run_file_if_changed(
        &self,
        caller: &Caller,
        job: &FileJob,
        progress: &dyn Progress,
    ) -> Result<Option<Report>, IngestError> {
        let input = Input::File(job.path.clone());
        let manner = Manner { is_polled: true, ..Manner::default() };
        self.run(caller, &job.source, input, &job.options, manner, progress).await
    }

    /// Takes an input in; none where a polled one is known to be unchanged.
    pub(crate) async fn run(
        &self,
        caller: &Caller,
        source: &str,
        input: Input,
        options: &JobOptions,
        manner: Manner,
        progress: &dyn Progress,
    ) -> Result<Option<Report>, IngestError> {
        let begun = Instant::now();
        let snapshot = self.snapshot(caller).await?;
        let offset = snapshot.as_ref().and_then(|snapshot| snapshot.source_offset(source));
        let stored = offset.and_then(|text| Offset::parse(&text));
        let plan_digest = options.digest();
        let of = blocking(source, {
            let input = input.clone();
            move || input.fingerprint()
        })
        .await?;
        let is_complete = stored.as_ref().is_some_and(|s| s.is_complete(&of, &plan_digest));
        if manner.is_polled && is_complete {
            return Ok(None);
        }
        let resumed_at = stored.as_ref().and_then(|stored| stored.resume(&of, &plan_digest));
        let ready = self.prepare(source, &input, options).await?;
        progress.begin(source, of.bytes());
        let mut loads = feed(source, ready, resumed_at.unwrap_or_default(), manner);
        let mut run = Run {
            engine: &self.engine,
            caller,
            keeper: Keeper::new(snapshot.as_ref(), source, manner.is_polled),
            report: Report { resumed_at, ..Report::default() },
            from: resumed_at.unwrap_or_default(),
            stored,
        };
        drop(snapshot);
        let mut is_whole = false;
        while let Some(load) = loads.recv().await {
            progress.advance(load.position, run.report.records + load.read);
            is_whole = load.end.is_some();
            let done = load.end.as_ref().is_some_and(|end| end.stopped.is_none());
            let offset =
                Offset { of: of.clone(), plan: plan_digest.clone(), next: load.next, done };
            run.take(load, (!is_complete).then_some(offset)).await?;
        }
        progress.end();
        if !is_whole {
            return Err(IngestError::BrokenOff(source.to_owned()));
        }
        run.report.elapsed = begun.elapsed();
        Ok(Some(run.report))
    }

    /// Opens an input and makes the plan for it.
    async fn prepare(
        &self,
        source: &str,
        input: &Input,
        options: &JobOptions,
    ) -> Result<Ready, IngestError> {
        let named = options.context.clone();
        let of_mapping = || options.mapping.as_ref().and_then(|mapping| mapping.context());
        let context = named.or_else(of_mapping);
        let context = contexts::find(context.as_deref(), &*self.contexts).await?;
        let (source_name, input, options) = (source.to_owned(), input.clone(), options.clone());
        blocking(source, move || {
            let of_mapping = options.mapping.as_ref().and_then(|mapping| mapping.format());
            let format = match options.format.or(of_mapping) {
                Some(format) => format,
                None => input.format()?,
            };
            let read_options = options.read_options();
            let mut mapping = match &options.mapping {
                Some(mapping) => Mapping::clone(mapping),
                None => Mapping::automatic(format),
            };
            let identity = match (&options.id_column, mapping.makes_ids()) {
                (Some(column), _) => Identity::Field(column.clone()),
                (None, true) => Identity::Hash,
                (None, false) => {
                    let type_name = options.type_name.as_deref().or(mapping.type_name());
                    let mut reader = input.records(format, &read_options)?;
                    let found = identity::look(type_name.unwrap_or_default(), &mut *reader);
                    if let (None, Some(field)) = (&options.mapping, &found.observed_at) {
                        mapping.observe_by(field);
                    }
                    found.identity
                }
            };
            let mut notes = Vec::new();
            if options.crs.is_none() && !mapping.has_crs() {
                let mut reader = input.records(format, &read_options)?;
                notes.extend(system::judge(&source_name, format, &mut *reader)?);
            }
            let reader = input.records(format, &read_options)?;
            let plan =
                plan(&source_name, &options, &mapping, identity, context, format, reader.crs())?;
            Ok(Ready { format, reader, plan, notes })
        })
        .await
    }

    /// What the quarantine holds, of all sources or of one.
    pub async fn quarantined(
        &self,
        caller: &Caller,
        source: Option<&str>,
    ) -> Result<Vec<Quarantined>, IngestError> {
        let snapshot = self.snapshot(caller).await?;
        Ok(quarantine::list(snapshot.as_ref(), source))
    }

    /// Tries the quarantined records of a source again, with a mapping that was mended. Those that
    /// become entities leave the quarantine; the others stay with their new reason.
    ///
    /// Records whose bytes could not be read at all stay as they are: they are mended at their
    /// source.
    pub async fn replay_quarantine(
        &self,
        caller: &Caller,
        source: &str,
        options: &JobOptions,
        progress: &dyn Progress,
    ) -> Result<Report, IngestError> {
        self.replay_within(caller, source, options, Manner::default(), progress).await
    }

    /// The same for a source that is treated in a manner of its own.
    pub(crate) async fn replay_within(
        &self,
        caller: &Caller,
        source: &str,
        options: &JobOptions,
        manner: Manner,
        progress: &dyn Progress,
    ) -> Result<Report, IngestError> {
        let begun = Instant::now();
        let snapshot = self.snapshot(caller).await?;
        let entries = quarantine::list(snapshot.as_ref(), Some(source));
        let mut keeper = Keeper::new(snapshot.as_ref(), source, false);
        drop(snapshot);
        let mut report = Report { records: entries.len() as u64, ..Report::default() };
        progress.begin(source, entries.len() as u64);
        let mut replay = self.replayer(source, options, &entries).await?;
        replay.clock_ahead = manner.clock_ahead;
        for (at, entries) in entries.chunks(crate::feed::BATCH).enumerate() {
            let (mut tried, mut documents) = (Vec::new(), Vec::new());
            let mut batch = Batch::default();
            for entry in entries {
                if let Some(operation) =
                    replay.attempt(entry, &mut keeper, &mut report, &mut documents)
                {
                    batch.operations.push(operation);
                    tried.push(entry.clone());
                }
            }
            let outcome = apply(&self.engine, caller, batch).await?;
            for (entry, result) in tried.into_iter().zip(outcome.results) {
                match result {
                    Ok(done) => {
                        count(&mut report, &done);
                        report.released += 1;
                        documents.extend(keeper.release(entry.record));
                    }
                    Err(error) => {
                        let entry = Quarantined { reason: error.to_string(), ..entry };
                        keep(&mut keeper, &mut report, entry, &mut documents);
                    }
                }
            }
            write_documents(&self.engine, caller, documents).await?;
            progress.advance(((at + 1) * crate::feed::BATCH) as u64, report.records);
        }
        progress.end();
        report.elapsed = begun.elapsed();
        Ok(report)
    }

    async fn replayer(
        &self,
        source: &str,
        options: &JobOptions,
        entries: &[Quarantined],
    ) -> Result<Replayer, IngestError> {
        let of_mapping = || options.mapping.as_ref().and_then(|mapping| mapping.context());
        let context = options.context.clone().or_else(of_mapping);
        let context = contexts::find(context.as_deref(), &*self.contexts).await?;
        let of_mapping = options.mapping.as_ref().and_then(|mapping| mapping.format());
        let format = options.format.or(of_mapping);
        let format = format.or_else(|| Format::guess(source, b"")).unwrap_or(Format::GeoJson);
        let mapping = match &options.mapping {
            Some(mapping) => Mapping::clone(mapping),
            None => Mapping::automatic(format),
        };
        let has_own_id = |entry: &Quarantined| entry.to_record().is_none_or(|r| r.id.is_some());
        let key = options.id_column.as_ref();
        let identity = match key.or_else(|| entries.iter().find_map(|entry| entry.key.as_ref())) {
            Some(field) => Identity::Field(field.clone()),
            None if entries.iter().all(has_own_id) => Identity::Own,
            None => Identity::Hash,
        };
        let crs = entries.iter().find_map(|entry| entry.crs.as_deref());
        let plan = plan(source, options, &mapping, identity, context, format, crs)?;
        Ok(Replayer { plan, clock_ahead: None })
    }
}

struct Replayer {
    plan: Plan,
    clock_ahead: Option<Duration>,
}

impl Replayer {
    fn attempt(
        &mut self,
        entry: &Quarantined,
        keeper: &mut Keeper,
        report: &mut Report,
        documents: &mut Vec<DocumentChange>,
    ) -> Option<Operation> {
        let Some(record) = entry.to_record() else {
            report.quarantined += 1;
            report.reason(|| entry.to_string());
            return None;
        };
        let mapped = self.plan.entity(&record).map_err(|fault| fault.to_string());
        let judged = mapped.and_then(|mapped| {
            too_far_ahead(&mapped.entity, self.clock_ahead).map_or(Ok(mapped), Err)
        });
        match judged {
            Ok(mapped) => {
                report.self_crossing += u64::from(mapped.self_crossing);
                Some(Operation::Ingest(mapped.entity))
            }
            Err(reason) => {
                let entry = Quarantined { reason, ..entry.clone() };
                report.quarantined += 1;
                report.reason(|| entry.to_string());
                if let Ok(Some(document)) = keeper.put(entry) {
                    documents.push(document);
                }
                None
            }
        }
    }
}

/// An input that is open, with its plan.
struct Ready {
    format: Format,
    reader: Box<dyn cardo_formats::RecordReader + Send>,
    plan: Plan,
    /// What a user should know about the source.
    notes: Vec<String>,
}

pub(crate) fn plan(
    source: &str,
    options: &JobOptions,
    mapping: &Mapping,
    identity: Identity,
    context: Arc<cardo_jsonld::Context>,
    format: Format,
    source_crs: Option<&str>,
) -> Result<Plan, MappingError> {
    Plan::new(
        mapping,
        PlanOptions {
            source,
            type_name: options.type_name.as_deref(),
            identity,
            crs: options.crs.as_deref(),
            source_crs,
            names: mapping.names(context),
            is_text_only: format == Format::Csv,
            simulated: options.simulated,
        },
    )
}

/// Reads in a thread of its own.
fn feed(source: &str, ready: Ready, from: u64, manner: Manner) -> mpsc::Receiver<Load> {
    let (sender, receiver) = mpsc::channel(PIPELINE);
    let source = source.to_owned();
    tokio::task::spawn_blocking(move || {
        let Ready { format, reader, plan, notes } = ready;
        let clock_ahead = manner.clock_ahead;
        let feed = Feed { source: &source, format, reader, plan, from, notes, clock_ahead };
        feed.run(|load| sender.blocking_send(load).is_ok());
    });
    receiver
}

async fn blocking<T: Send + 'static>(
    source: &str,
    work: impl FnOnce() -> Result<T, IngestError> + Send + 'static,
) -> Result<T, IngestError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(IngestError::BrokenOff(source.to_owned())))
}

/// A run under way.
struct Run<'a> {
    engine: &'a Engine,
    caller: &'a Caller,
    keeper: Keeper,
    report: Report,
    /// The first record of this run.
    from: u64,
    stored: Option<Offset>,
}

impl Run<'_> {
    /// Writes a load with the offset behind it.
    async fn take(&mut self, load: Load, offset: Option<Offset>) -> Result<(), IngestError> {
        let Load { operations, records, faulty, next, end, .. } = load;
        self.report.records += load.read;
        self.report.skipped += load.skipped;
        self.report.self_crossing += load.self_crossing;
        let mut documents = Vec::new();
        for entry in faulty {
            keep(&mut self.keeper, &mut self.report, entry, &mut documents);
        }
        if let Some(end) = end {
            // Whatever stood behind the place where the source broke off is unknown.
            let to = if end.stopped.is_some() { next } else { u64::MAX };
            let gone = self.keeper.release_untouched(self.from, to);
            self.report.released += gone.len() as u64;
            documents.extend(gone);
            self.report.notes = end.notes;
            self.report.stopped = end.stopped;
        }
        let offset = offset.filter(|offset| {
            self.stored.as_ref().is_none_or(|stored| !offset.says_the_same(stored))
        });
        let mut batch = Batch { operations, ..Batch::default() };
        batch.operations.extend(documents.into_iter().map(Operation::Document));
        batch.offsets.extend(offset.as_ref().map(|offset| SourceOffset {
            source: self.keeper.source().into(),
            offset: offset.to_text().into(),
        }));
        if batch.operations.is_empty() && batch.offsets.is_empty() {
            return Ok(());
        }
        let outcome = apply(self.engine, self.caller, batch).await?;
        self.stored = offset.or(self.stored.take());
        self.tally(records, outcome).await
    }

    /// Counts what came of the entities; those that the engine refused go to the quarantine.
    async fn tally(&mut self, records: Vec<Record>, outcome: Outcome) -> Result<(), IngestError> {
        let mut documents = Vec::new();
        for (record, result) in records.iter().zip(outcome.results) {
            match result {
                Ok(done) => count(&mut self.report, &done),
                Err(error) => {
                    let source = self.keeper.source();
                    let entry = Quarantined::of_record(source, None, record, error.to_string());
                    keep(&mut self.keeper, &mut self.report, entry, &mut documents);
                }
            }
        }
        write_documents(self.engine, self.caller, documents).await
    }
}

pub(crate) fn keep(
    keeper: &mut Keeper,
    report: &mut Report,
    entry: Quarantined,
    documents: &mut Vec<DocumentChange>,
) {
    report.quarantined += 1;
    report.reason(|| entry.to_string());
    match keeper.put(entry) {
        Ok(document) => documents.extend(document),
        Err(_) => report.not_kept += 1,
    }
}

pub(crate) fn count(report: &mut Report, done: &Done) {
    match done {
        Done::Created => report.created += 1,
        Done::Updated { .. } | Done::Deleted => report.updated += 1,
        Done::Unchanged => report.unchanged += 1,
        Done::HistoryOnly => report.history_only += 1,
    }
}

async fn write_documents(
    engine: &Engine,
    caller: &Caller,
    documents: Vec<DocumentChange>,
) -> Result<(), IngestError> {
    if documents.is_empty() {
        return Ok(());
    }
    let operations = documents.into_iter().map(Operation::Document).collect();
    apply(engine, caller, Batch { operations, ..Batch::default() }).await?;
    Ok(())
}

/// Applies a batch and waits while the queue of writes is full.
pub(crate) async fn apply(
    engine: &Engine,
    caller: &Caller,
    batch: Batch,
) -> Result<Outcome, WriteError> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(20);
    loop {
        match engine.apply(caller, batch.clone()).await {
            Err(WriteError::Busy) if begun.elapsed() < PATIENCE => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            other => return other,
        }
    }
}
