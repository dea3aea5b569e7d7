//! Sources taken in by a real engine over a store in memory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod fixtures;
mod gis_files;
mod listening;
mod runs;
mod sources;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cardo_engine::{Caller, Engine, EngineOptions, Snapshot};
use cardo_ingest::{FileJob, Ingestor, JobOptions, Mapping, Report, Silent};
use cardo_model::{NameId, Record, Revision};
use cardo_store::MemoryStore;
use tempfile::TempDir;

const VOCAB: &str = "https://uri.etsi.org/ngsi-ld/default-context/";
const LOCATION: &str = "https://uri.etsi.org/ngsi-ld/location";

/// A twin of its own, and a folder for files.
struct City {
    store: Arc<MemoryStore>,
    engine: Engine,
    ingestor: Ingestor,
    caller: Caller,
    folder: TempDir,
}

impl City {
    async fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        // Soon, so that what is in the log and what is projected both play their part.
        let projector_delay = Duration::from_millis(50);
        let options = EngineOptions { projector_delay, ..EngineOptions::default() };
        let engine = Engine::open(store.clone(), options).await.unwrap();
        let ingestor = Ingestor::new(engine.clone());
        let folder = TempDir::new().unwrap();
        Self { store, engine, ingestor, caller: Caller::local("test"), folder }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Writes a file and takes it in.
    async fn take(&self, name: &str, content: impl AsRef<[u8]>, options: &JobOptions) -> Report {
        let path = self.file(name, content);
        self.take_file(&path, options).await
    }

    async fn take_file(&self, path: &Path, options: &JobOptions) -> Report {
        let job = FileJob::new(path, options.clone());
        self.ingestor.run_file(&self.caller, &job, &Silent).await.unwrap()
    }

    async fn snapshot(&self) -> Snapshot {
        self.engine.snapshot(&self.caller).await.unwrap()
    }

    async fn revision(&self) -> Revision {
        self.snapshot().await.revision()
    }

    async fn entity(&self, id: &str) -> Option<Record> {
        self.snapshot().await.retrieve(id)
    }

    /// The JSON of an attribute by its short or full name.
    async fn value(&self, id: &str, attribute: &str) -> Option<String> {
        let record = self.entity(id).await?;
        let name = self.name(attribute)?;
        let value = record.view().attribute(name)?.instance(None)?.value().to_owned();
        Some(value)
    }

    fn name(&self, attribute: &str) -> Option<NameId> {
        let full = if attribute.contains(':') {
            attribute.to_owned()
        } else {
            format!("{VOCAB}{attribute}")
        };
        self.engine.names().id(&full)
    }

    async fn quarantined(&self) -> Vec<String> {
        let entries = self.ingestor.quarantined(&self.caller, None).await.unwrap();
        entries.iter().map(ToString::to_string).collect()
    }
}

fn of_type(name: &str) -> JobOptions {
    JobOptions { type_name: Some(name.to_owned()), ..JobOptions::default() }
}

fn mapped(text: &str) -> JobOptions {
    JobOptions { mapping: Some(Arc::new(Mapping::parse(text).unwrap())), ..JobOptions::default() }
}

/// The folder of public sample data, where there is one.
fn samples() -> Option<PathBuf> {
    let folder = std::env::var_os("CARDO_SAMPLES").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("CARDO_SAMPLES is not set: this test did not run");
    }
    folder
}
