//! One database file: the connection that writes, and those that read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cardo_engine::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, MutexGuard};

use super::error::{Consequence, consequence, translate};

/// A write-ahead log that has grown longer gives the room back when it starts over.
const WRITE_AHEAD_LOG_BYTES: u32 = 64 << 20;

/// How a file is opened.
#[derive(Clone, Debug)]
pub(super) struct FileOptions {
    pub(super) readers: u32,
    pub(super) cache_bytes: u64,
    /// After how many pages in the write-ahead log they are moved to the file.
    pub(super) checkpoint_pages: u32,
    pub(super) max_pages: Option<u32>,
    /// Whether zeros are written over what is deleted.
    pub(super) overwrites: bool,
    pub(super) thread_name: &'static str,
}

/// One file with one writer at a time and readers beside it.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    options: FileOptions,
    writer: Mutex<Slot>,
    readers: SqlitePool,
}

/// What there is to write with.
#[derive(Debug)]
enum Slot {
    Open(SqliteConnection),
    /// A write failed so that the state of the disk is uncertain; says how.
    Failed(String),
    Closed,
}

/// The right to write to a file.
pub(super) struct Writer<'f> {
    file: &'f DatabaseFile,
    slot: MutexGuard<'f, Slot>,
}

impl DatabaseFile {
    pub(super) async fn open(path: PathBuf, options: FileOptions) -> Result<Self, StoreError> {
        let writer = connect_writer(&path, &options).await.map_err(|e| translate(&path, &e))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(options.readers)
            .min_connections(0)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(60))
            .test_before_acquire(false)
            .connect_lazy_with(reader_options(&path, &options));
        Ok(Self { path, options, writer: Mutex::new(Slot::Open(writer)), readers })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the right to write.
    pub(super) async fn writer(&self) -> Result<Writer<'_>, StoreError> {
        let slot = self.writer.lock().await;
        match &*slot {
            Slot::Open(_) => Ok(Writer { file: self, slot }),
            Slot::Closed => Err(StoreError::Closed),
            Slot::Failed(how) => Err(StoreError::Failed(format!(
                "{}: an earlier write failed ({how}), so nothing more is written before the server \
                 is started again; see that the disk is sound first",
                self.path.display()
            ))),
        }
    }

    /// Waits for a connection to read with.
    pub(super) async fn reader(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.readers.acquire().await.map_err(|e| self.error(&e))
    }

    pub(super) fn error(&self, error: &sqlx::Error) -> StoreError {
        translate(&self.path, error)
    }

    /// Waits for what is under way and closes every connection.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        let mut slot = self.writer.lock().await;
        self.readers.close().await;
        match std::mem::replace(&mut *slot, Slot::Closed) {
            Slot::Open(connection) => connection.close().await.map_err(|e| self.error(&e)),
            Slot::Failed(_) | Slot::Closed => Ok(()),
        }
    }
}

impl Writer<'_> {
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        match &mut *self.slot {
            Slot::Open(connection) => connection,
            Slot::Failed(_) | Slot::Closed => {
                unreachable!("a writer is only given where the file is open, and consumed by fail")
            }
        }
    }

    /// Says in terms of the port how a write failed, and sees to it that nothing builds on it:
    /// the connection is given up with its transaction, and unless it is certain that nothing was
    /// written there is no other one.
    pub(super) async fn fail(mut self, error: sqlx::Error) -> StoreError {
        let translated = translate(&self.file.path, &error);
        let broken = std::mem::replace(&mut *self.slot, Slot::Failed(error.to_string()));
        if let Slot::Open(connection) = broken {
            // Its transaction is rolled back with it; how that goes changes nothing.
            let _ = connection.close().await;
        }
        if consequence(&error) == Consequence::NothingWritten {
            match connect_writer(&self.file.path, &self.file.options).await {
                Ok(connection) => *self.slot = Slot::Open(connection),
                Err(e) => *self.slot = Slot::Failed(e.to_string()),
            }
        }
        translated
    }
}

async fn connect_writer(
    path: &Path,
    options: &FileOptions,
) -> Result<SqliteConnection, sqlx::Error> {
    let name = options.thread_name;
    let connect = base_options(path)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", format!("-{}", options.cache_bytes >> 10))
        .pragma("secure_delete", if options.overwrites { "ON" } else { "OFF" })
        .pragma("wal_autocheckpoint", options.checkpoint_pages.to_string())
        .pragma("journal_size_limit", WRITE_AHEAD_LOG_BYTES.to_string())
        .thread_name(move |_| name.to_owned());
    let mut connection = connect.connect().await?;
    if let Some(pages) = options.max_pages {
        // Only a number of this program stands in the text.
        let pragma = AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
        sqlx::raw_sql(pragma).execute(&mut connection).await?;
    }
    Ok(connection)
}

fn reader_options(path: &Path, options: &FileOptions) -> SqliteConnectOptions {
    let name = options.thread_name;
    base_options(path)
        .pragma("query_only", "ON")
        .pragma("cache_size", "-4096")
        .thread_name(move |number| format!("{name}-{number}"))
}

/// How every connection opens a file. The directory is locked, so no other process has to see the index
/// of the write-ahead log, and SQLite keeps it in memory: a file of it would need room at each
/// opening, and a server on a full disk could not start. A connection that is read-only for SQLite would not
/// share in that, so readers are kept from writing by a pragma.
fn base_options(path: &Path) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new();
    let options = if cfg!(unix) { options.vfs("unix-excl") } else { options };
    options
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(false)
        .busy_timeout(Duration::from_secs(20))
        .row_buffer_size(512)
        .disable_statement_logging()
}
