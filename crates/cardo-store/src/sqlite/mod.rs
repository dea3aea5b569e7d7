//! The store on SQLite: a directory with one file for the log and one for what follows it.
//!
//! # What is durable when
//!
//! `log.sqlite` comes first. Its write-ahead log is synced by every commit (`synchronous=FULL`),
//! so a group of appends costs one sync, and what [`Store::append`] acknowledged survives a power
//! cut. `state.sqlite` holds what is projected, and is synced by each projection in the same way;
//! a projection that a crash cut off is rolled back with the revision it would have reached, and
//! is done again from the log. The log is cut only up to the revision that the state has reached,
//! which is durable by then, so no change is ever without a home.
//!
//! A failed sync leaves it open what is on the disk, and the next one may claim success for pages
//! that were dropped. After one, nothing more is written to that file before it is opened again,
//! and reading goes on. A full disk is no such failure: nothing was written, the transaction is
//! rolled back on a new connection, and the next write may succeed. Opening needs no room, so that a
//! store whose disk is full can be read.
//!
//! # What is damaged
//!
//! Log rows, entities, documents and pieces of history carry a checksum over their bytes and their
//! place. It is checked whenever they are read; [`SqliteStore::verify`] reads all of them. Before
//! SQLite opens a file, its header is read as it is: a file of someone else, of a newer version,
//! or cut short is refused, and nothing is written to it.

mod amended;
mod arrivals;
mod block;
mod compact;
mod compactor;
mod directory;
mod error;
mod file;
mod history;
mod log;
mod options;
mod prune;
mod settled;
mod state;
mod statement;
mod verify;
mod walk;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use cardo_engine::{
    Append, Behind, Cuts, EncodedRecord, HistoryQuery, HistoryRow, HistorySink, HistoryWalk,
    LogError, Projected, Projection, StateSink, Store, StoreError,
};
use cardo_model::{Iri, NameId, Revision, Timestamp, TwinId};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use self::compactor::Compactor;
use self::directory::Directory;
use self::file::{DatabaseFile, FileOptions};
use self::log::LogFile;
pub use self::options::SqliteOptions;
use self::prune::Pruning;
use self::state::{Loaded, StateFile};
use crate::check;

/// How many chunks of entities wait decoded while a twin is loaded.
const CHUNKS_AHEAD: usize = 4;

/// A store in a directory of the local disk; the whole of it is this directory.
///
/// Writes go on to their end once they began, also where the future that waits for them is dropped.
#[derive(Debug)]
pub struct SqliteStore {
    log: Arc<LogFile>,
    state: Arc<StateFile>,
    compactor: Arc<Compactor>,
    compaction: Option<JoinHandle<()>>,
    /// Kept open, and with it locked, as long as the files are.
    directory: Mutex<Option<Directory>>,
}

impl SqliteStore {
    /// Opens the store in a directory, which is created where it does not exist.
    ///
    /// [`StoreError::InUse`] where another process has it open, [`StoreError::Damaged`] where its
    /// files are damaged, incomplete or of a newer version; nothing is changed then.
    pub async fn open(dir: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        let directory = Directory::open(dir).await?;
        let log = DatabaseFile::open(directory.log(), log_options(&options)).await?;
        let state = DatabaseFile::open(directory.state(), state_options(&options)).await?;
        if let Err(mismatch) = directory::check_pair(&log, &state).await {
            // Closed connections leave nothing of their own behind.
            let _ = tokio::join!(log.close(), state.close());
            return Err(mismatch);
        }
        let log = Arc::new(LogFile::open(log).await?);
        let state = Arc::new(StateFile::new(state, options.compaction_bytes));
        state.complete().await?;
        let compactor = Arc::new(Compactor::default());
        let compaction =
            options.compacts.then(|| tokio::spawn(compactor.clone().run(Arc::downgrade(&state))));
        let directory = Mutex::new(Some(directory));
        Ok(Self { log, state, compactor, compaction, directory })
    }

    /// Compacts all history of a twin that has arrived, until nothing is left to do. What was taken
    /// out of it is in the file no more then.
    pub async fn compact(&self, twin: &TwinId) -> Result<(), StoreError> {
        let Some(number) = self.number(twin).await? else {
            return Ok(());
        };
        let state = self.state.clone();
        to_its_end(async move {
            while state.compact_portion(number, 1).await? {}
            state.scrub().await
        })
        .await
    }

    /// How many projections' history of a twin waits to be compacted; each makes reading history a
    /// little slower.
    pub async fn waiting_runs(&self, twin: &TwinId) -> Result<u64, StoreError> {
        match self.number(twin).await? {
            Some(number) => self.state.waiting_runs(number).await,
            None => Ok(0),
        }
    }

    async fn number(&self, twin: &TwinId) -> Result<Option<i64>, StoreError> {
        Ok(self.log.known(twin).await?.map(|known| known.number))
    }

    /// Refuses a twin whose log ends before its state does: its end was lost.
    async fn check_ends(&self, twin: &TwinId, projected: &Projected) -> Result<(), StoreError> {
        let head = self.log.known(twin).await?.map_or(Revision(0), |known| known.head);
        if projected.revision <= head {
            return Ok(());
        }
        let what = format!(
            "the log of {twin} ends at revision {head}, but its state has reached {}",
            projected.revision
        );
        Err(error::damaged(self.log.file.path(), what))
    }
}

fn log_options(options: &SqliteOptions) -> FileOptions {
    FileOptions {
        readers: options.readers,
        cache_bytes: 8 << 20,
        checkpoint_pages: options.checkpoint_pages,
        max_pages: options.max_log_pages,
        overwrites: false,
        thread_name: "cardo-log",
    }
}

fn state_options(options: &SqliteOptions) -> FileOptions {
    FileOptions {
        readers: options.readers,
        cache_bytes: options.state_cache_bytes,
        // Projections often write the same pages again, which are then moved once.
        checkpoint_pages: options.checkpoint_pages.saturating_mul(4),
        max_pages: options.max_state_pages,
        overwrites: true,
        thread_name: "cardo-state",
    }
}

/// Runs a write as a task of its own, so that nobody who stops waiting leaves it half done.
async fn to_its_end<T: Send + 'static>(
    write: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::spawn(write).await {
        Ok(result) => result,
        Err(e) => Err(StoreError::Failed(format!("a write ended early: {e}"))),
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn names(&self) -> Result<Vec<(NameId, Iri)>, StoreError> {
        self.log.names().await
    }

    async fn intern(&self, names: &[Iri]) -> Result<Vec<NameId>, StoreError> {
        let (log, names) = (self.log.clone(), names.to_vec());
        to_its_end(async move { log.intern(names).await }).await
    }

    async fn twins(&self) -> Result<Vec<TwinId>, StoreError> {
        self.log.twins().await
    }

    async fn head(&self, twin: &TwinId) -> Result<Option<Revision>, StoreError> {
        Ok(self.log.known(twin).await?.map(|known| known.head))
    }

    async fn append(&self, appends: Vec<Append>) -> Result<Vec<Result<(), Behind>>, StoreError> {
        let log = self.log.clone();
        to_its_end(async move { log.append(appends).await }).await
    }

    async fn read_log(
        &self,
        twin: &TwinId,
        after: Revision,
        max_bytes: usize,
    ) -> Result<Vec<EncodedRecord>, LogError> {
        self.log.read(twin, after, max_bytes).await
    }

    async fn cut_log(&self, twin: &TwinId, up_to: Revision) -> Result<(), StoreError> {
        let reached = match self.number(twin).await? {
            Some(number) => self.state.reached(number).await?,
            None => Revision(0),
        };
        check::cut(twin, reached, up_to)?;
        let (log, twin) = (self.log.clone(), twin.clone());
        to_its_end(async move { log.cut(&twin, up_to).await }).await
    }

    async fn reached(&self, twin: &TwinId) -> Result<Revision, StoreError> {
        match self.number(twin).await? {
            Some(number) => self.state.reached(number).await,
            None => Ok(Revision(0)),
        }
    }

    async fn drop_twin(&self, twin: &TwinId) -> Result<(), StoreError> {
        let Some(number) = self.number(twin).await? else { return Ok(()) };
        let (log, state, twin) = (self.log.clone(), self.state.clone(), twin.clone());
        to_its_end(async move {
            // The number goes last: as long as it is there, the rest can be found.
            state.drop_twin(number).await?;
            log.drop_twin(&twin, number).await
        })
        .await
    }

    async fn load(&self, twin: &TwinId, sink: &mut dyn StateSink) -> Result<Projected, StoreError> {
        let Some(number) = self.number(twin).await? else {
            return Ok(Projected::default());
        };
        let (sender, mut pieces) = mpsc::channel(CHUNKS_AHEAD);
        let state = self.state.clone();
        let reading = tokio::spawn(async move { state.load(number, &sender).await });
        let mut loaded = Projected::default();
        while let Some(piece) = pieces.recv().await {
            match piece {
                Loaded::Projected(projected) => loaded = projected,
                Loaded::Entities(records) => sink.entities(records),
            }
        }
        match reading.await {
            Ok(read) => read?,
            Err(e) => return Err(StoreError::Failed(format!("loading {twin} ended early: {e}"))),
        }
        self.check_ends(twin, &loaded).await?;
        Ok(loaded)
    }

    async fn project(&self, twin: &TwinId, projection: Projection) -> Result<(), StoreError> {
        let Some(number) = self.number(twin).await? else {
            return Err(check::never_appended(twin));
        };
        let (state, name) = (self.state.clone(), twin.clone());
        to_its_end(async move { state.project(number, &name, projection).await }).await?;
        self.compactor.note(number);
        Ok(())
    }

    async fn history(
        &self,
        twin: &TwinId,
        query: &HistoryQuery,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        match self.number(twin).await? {
            Some(number) => self.state.history(number, query).await,
            None => Ok(Vec::new()),
        }
    }

    async fn walk_history(
        &self,
        twin: &TwinId,
        walk: &HistoryWalk,
        sink: &mut dyn HistorySink,
    ) -> Result<(), StoreError> {
        match self.number(twin).await? {
            Some(number) => self.state.walk_history(number, walk, sink).await,
            None => Ok(()),
        }
    }

    async fn prune(
        &self,
        twin: &TwinId,
        now: Timestamp,
        cuts: Arc<dyn Cuts>,
    ) -> Result<(), StoreError> {
        let Some(number) = self.number(twin).await? else {
            return Ok(());
        };
        let state = self.state.clone();
        to_its_end(async move {
            // Not yet compacted rows are left alone, so as few as possible wait.
            while state.compact_portion(number, 1).await? {}
            state.prune(Pruning { twin: number, now, cuts: &*cuts }).await
        })
        .await
    }

    async fn positions(&self, twin: &TwinId) -> Result<Vec<(Box<str>, Revision)>, StoreError> {
        self.log.positions(twin).await
    }

    async fn save_positions(
        &self,
        twin: &TwinId,
        positions: &[(Box<str>, Option<Revision>)],
    ) -> Result<(), StoreError> {
        let (log, twin, positions) = (self.log.clone(), twin.clone(), positions.to_vec());
        to_its_end(async move { log.save_positions(&twin, &positions).await }).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        if let Some(compaction) = &self.compaction {
            compaction.abort();
        }
        self.state.file.close().await?;
        self.log.file.close().await?;
        self.directory.lock().take();
        Ok(())
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if let Some(compaction) = &self.compaction {
            compaction.abort();
        }
    }
}
