use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cardo_engine::Store;
use cardo_model::{Record, Revision, TwinId};
use cardo_store::{SqliteOptions, SqliteStore};
use cardo_testkit::store_suite::{Collected, append};

pub(crate) async fn open(dir: &Path) -> SqliteStore {
    SqliteStore::open(dir, SqliteOptions::default()).await.unwrap()
}

pub(crate) async fn append_to(store: &SqliteStore, twin: &TwinId, head: u64, to: u64) {
    assert_eq!(store.append(vec![append(twin, head, to)]).await.unwrap(), [Ok(())]);
}

pub(crate) async fn revisions(store: &SqliteStore, twin: &TwinId, after: u64) -> Vec<u64> {
    let records = store.read_log(twin, Revision(after), usize::MAX).await.unwrap();
    records.iter().map(|record| record.revision.0).collect()
}

pub(crate) async fn entities(store: &SqliteStore, twin: &TwinId) -> Vec<Record> {
    let mut sink = Collected::default();
    store.load(twin, &mut sink).await.unwrap();
    sink.entities
}

/// Every file of a directory with its bytes, the lock left out.
pub(crate) fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    named
        .filter(|(name, _)| name != "cardo.lock")
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect()
}
