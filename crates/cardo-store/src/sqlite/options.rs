/// How a [`super::SqliteStore`] is opened.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// How many connections read each of the two files at once, each on a thread of its own.
    pub readers: u32,
    /// How many bytes of the state file the projector's connection caches.
    pub state_cache_bytes: u64,
    /// Whether history is compacted in the background; else only by
    /// [`super::SqliteStore::compact`].
    pub compacts: bool,
    /// How much arrived history is compacted in one transaction, in bytes; a projection waits for
    /// no more than that.
    pub compaction_bytes: u64,
    /// After how many pages the write-ahead log of the log file is moved into the file; that of the
    /// state file after four times as many.
    pub checkpoint_pages: u32,
    /// The largest size of the log file in pages of 4 KiB; further appends find the disk full.
    pub max_log_pages: Option<u32>,
    /// The largest size of the state file in pages of 8 KiB; further projections find the disk
    /// full.
    pub max_state_pages: Option<u32>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            state_cache_bytes: 64 << 20,
            compacts: true,
            compaction_bytes: 8 << 20,
            checkpoint_pages: 4_000,
            max_log_pages: None,
            max_state_pages: None,
        }
    }
}
