//! The data directory: its lock, its two files, their format.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cardo_engine::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use super::error::{damaged, translate};
use super::file::DatabaseFile;
use crate::bytes;

/// The version of the files that this program writes; it reads no newer one.
const FORMAT: u32 = 1;
/// "Crdo", by which SQLite's `file` magic tells the owner of a database.
const APPLICATION_ID: u32 = 0x4372_646f;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER_BYTES: usize = 100;

pub(super) const LOG_PAGE_BYTES: u32 = 4_096;
pub(super) const STATE_PAGE_BYTES: u32 = 8_192;

/// A data directory that this process alone has open.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Locked for as long as it lives.
    lock: File,
}

impl Drop for Directory {
    fn drop(&mut self) {
        // A process that is being started has the file open for a moment, and with it the lock.
        let _ = self.lock.unlock();
    }
}

/// What a database file is for.
#[derive(Clone, Copy, Debug)]
struct FileKind {
    name: &'static str,
    page_bytes: u32,
    schema: &'static str,
}

const LOG: FileKind = FileKind {
    name: "log.sqlite",
    page_bytes: LOG_PAGE_BYTES,
    schema: include_str!("sql/log.sql"),
};
const STATE: FileKind = FileKind {
    name: "state.sqlite",
    page_bytes: STATE_PAGE_BYTES,
    schema: include_str!("sql/state.sql"),
};

impl Directory {
    /// Locks the directory, creates what is missing in a new one, and refuses what this program
    /// cannot read.
    pub(super) async fn open(path: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(|e| io_error(path, "be created", &e))?;
        let lock = lock(path)?;
        let directory = Self { path: path.to_owned(), lock };
        let has_log = check_header(&directory.log())?;
        let has_state = check_header(&directory.state())?;
        match (has_log, has_state) {
            (true, true) => {}
            (false, false) => directory.create().await?,
            (false, true) if directory.is_half_created() => directory.create().await?,
            (false, true) => return Err(missing(&directory.log())),
            (true, false) => return Err(missing(&directory.state())),
        }
        Ok(directory)
    }

    pub(super) fn log(&self) -> PathBuf {
        self.path.join(LOG.name)
    }

    pub(super) fn state(&self) -> PathBuf {
        self.path.join(STATE.name)
    }

    fn draft(&self, kind: FileKind) -> PathBuf {
        self.path.join(format!("{}.new", kind.name))
    }

    /// Whether a process ended after it had put the state in place and before the log: then its
    /// draft is still there and nothing was ever written.
    fn is_half_created(&self) -> bool {
        self.draft(LOG).exists()
    }

    /// Makes both files under other names and renames them when they are whole and synced, the log
    /// last: a directory with a log was created completely.
    async fn create(&self) -> Result<(), StoreError> {
        let pair = pair_name(&self.path);
        for kind in [LOG, STATE] {
            remove(&self.draft(kind))?;
            create_file(&self.draft(kind), kind, &pair).await?;
        }
        for (kind, target) in [(STATE, self.state()), (LOG, self.log())] {
            let draft = self.draft(kind);
            fs::rename(&draft, &target).map_err(|e| io_error(&draft, "be renamed", &e))?;
            sync_directory(&self.path)?;
        }
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
            _ => sync_directory(Path::new(".")),
        }
    }
}

/// Refuses files that were put together from two directories.
pub(super) async fn check_pair(log: &DatabaseFile, state: &DatabaseFile) -> Result<(), StoreError> {
    if pair_of(log).await? == pair_of(state).await? {
        return Ok(());
    }
    Err(StoreError::Damaged(format!(
        "{} and {} do not belong together; put both files of one backup in their place",
        log.path().display(),
        state.path().display()
    )))
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let name = path.join("cardo.lock");
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&name)
        .map_err(|e| io_error(&name, "be opened", &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(format!(
            "the data directory {} is in use by another process; stop that one or give this one \
             another directory",
            path.display()
        ))),
        Err(TryLockError::Error(e)) => Err(io_error(&name, "be locked", &e)),
    }
}

fn io_error(path: &Path, what: &str, error: &io::Error) -> StoreError {
    let text = format!("{} could not {what}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full(text),
        _ => StoreError::Failed(text),
    }
}

fn missing(file: &Path) -> StoreError {
    StoreError::Damaged(format!(
        "{} is missing while its companion is there; put it back from a backup, or move the \
         directory away to begin with an empty one",
        file.display()
    ))
}

/// Reads the first bytes of a file as it is, before SQLite may touch it. False where there is no
/// such file.
fn check_header(path: &Path) -> Result<bool, StoreError> {
    let mut header = [0; HEADER_BYTES];
    let read = File::open(path).and_then(|mut file| {
        file.read_exact(&mut header)?;
        file.metadata()
    });
    let length = match read {
        Ok(metadata) => metadata.len(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(damaged(path, "it ends before its header does"));
        }
        Err(e) => return Err(io_error(path, "be read", &e)),
    };
    let field = |at: usize| {
        u32::from_be_bytes(*header[at..].first_chunk().expect("fields lie within the header"))
    };
    if &header[..16] != MAGIC {
        return Err(damaged(path, "it does not begin like an SQLite database"));
    }
    if field(68) != APPLICATION_ID {
        return Err(damaged(path, "it was not written by Cardo"));
    }
    let format = field(60);
    if format > FORMAT {
        return Err(StoreError::Damaged(format!(
            "{} was written by a newer Cardo: its format is {format}, and this one reads up to \
             {FORMAT}. Start that version or a later one, or restore a backup made before",
            path.display()
        )));
    }
    let page_bytes = match u64::from(field(16) >> 16) {
        1 => 65_536,
        bytes => bytes,
    };
    if !has_write_ahead_log(path) && length < u64::from(field(28)) * page_bytes {
        return Err(damaged(path, "its end is missing"));
    }
    Ok(true)
}

/// Whether pages may still wait in the write-ahead log.
fn has_write_ahead_log(path: &Path) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    fs::metadata(PathBuf::from(name)).is_ok_and(|metadata| metadata.len() > 0)
}

async fn create_file(path: &Path, kind: FileKind, pair: &str) -> Result<(), StoreError> {
    let error = |e: sqlx::Error| translate(path, &e);
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .page_size(kind.page_bytes)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = options.connect().await.map_err(error)?;
    sqlx::raw_sql(kind.schema).execute(&mut connection).await.map_err(error)?;
    let written_by = concat!("Cardo ", env!("CARGO_PKG_VERSION"));
    let format = FORMAT.to_string();
    for (key, value) in [("format", format.as_str()), ("written_by", written_by), ("pair", pair)] {
        let insert = sqlx::query("INSERT INTO meta (key, value) VALUES (?1, ?2)");
        insert.bind(key).bind(value).execute(&mut connection).await.map_err(error)?;
    }
    let pragmas = format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; \
         PRAGMA journal_mode = WAL;"
    );
    // Only numbers of this program stand in the text.
    let pragmas = sqlx::AssertSqlSafe(pragmas);
    sqlx::raw_sql(pragmas).execute(&mut connection).await.map_err(error)?;
    connection.close().await.map_err(error)?;
    File::open(path).and_then(|file| file.sync_all()).map_err(|e| io_error(path, "be synced", &e))
}

/// To which pair of files a file belongs.
async fn pair_of(file: &DatabaseFile) -> Result<String, StoreError> {
    let mut writer = file.writer().await?;
    let query = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'pair'");
    let pair: Result<Option<String>, _> = query.fetch_optional(writer.connection()).await;
    match pair {
        Ok(Some(pair)) => Ok(pair),
        Ok(None) => Err(damaged(file.path(), "it does not say to which pair of files it belongs")),
        Err(error) => Err(writer.fail(error).await),
    }
}

/// A name that two directories hardly share.
fn pair_name(path: &Path) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    let text = format!("{} {} {now}", path.display(), std::process::id());
    format!("{:016x}", bytes::hash(text.as_bytes()))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(io_error(path, "be removed", &e)),
        _ => Ok(()),
    }
}

/// Makes the names in a directory durable.
fn sync_directory(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|e| io_error(path, "be synced", &e))
}
