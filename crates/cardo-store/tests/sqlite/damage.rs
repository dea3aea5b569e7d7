use std::fs;
use std::path::Path;

use cardo_engine::{LogError, Store, StoreError};
use cardo_model::Revision;
use cardo_store::{SqliteOptions, SqliteStore};
use cardo_testkit::store_suite::{Collected, project, record_at, twin};
use tempfile::TempDir;

use crate::support::{append_to, files, open};

/// A directory with a little of everything in it, closed.
async fn filled() -> TempDir {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path()).await;
    let a = twin("a");
    append_to(&store, &a, 0, 40).await;
    let mut projection = project(0, 30);
    let entity = |n| (record_at(1, n, 1).view().seq(), Some(record_at(1, n, 1)));
    projection.entities = (0..100).map(entity).collect();
    store.project(&a, projection).await.unwrap();
    store.close().await.unwrap();
    dir
}

/// Opens, expects a refusal, and expects that no byte was changed by it.
async fn refusal(dir: &Path) -> String {
    let before = files(dir);
    let refused = SqliteStore::open(dir, SqliteOptions::default()).await;
    let Err(StoreError::Damaged(message)) = refused else { panic!("{refused:?}") };
    assert!(files(dir) == before, "the refusal changed the directory");
    message
}

fn patch(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_directory_of_a_newer_version_is_refused_and_says_what_to_do() {
    for name in ["log.sqlite", "state.sqlite"] {
        let dir = filled().await;
        patch(&dir.path().join(name), |bytes| bytes[63] = 2);
        let message = refusal(dir.path()).await;
        assert!(message.contains("newer Cardo") && message.contains(name), "{message}");
        assert!(message.contains("Start that version"), "{message}");
    }
}

#[tokio::test]
async fn files_that_are_not_those_of_a_store_are_refused() {
    let dir = filled().await;
    fs::write(dir.path().join("log.sqlite"), "not a database, but long enough. ".repeat(9))
        .unwrap();
    assert!(refusal(dir.path()).await.contains("does not begin like"));
    let dir = filled().await;
    patch(&dir.path().join("state.sqlite"), |bytes| bytes[68] = 0);
    assert!(refusal(dir.path()).await.contains("not written by Cardo"));
}

#[tokio::test]
async fn files_that_were_cut_short_are_refused() {
    for (name, length) in [("log.sqlite", 0), ("state.sqlite", 50), ("log.sqlite", 4_096)] {
        let dir = filled().await;
        patch(&dir.path().join(name), |bytes| bytes.truncate(length));
        let message = refusal(dir.path()).await;
        assert!(message.contains("damaged") && message.contains("backup"), "{message}");
    }
}

#[tokio::test]
async fn a_missing_file_is_not_made_anew_beside_its_companion() {
    for name in ["log.sqlite", "state.sqlite"] {
        let dir = filled().await;
        fs::remove_file(dir.path().join(name)).unwrap();
        let message = refusal(dir.path()).await;
        assert!(message.contains("missing") && message.contains(name), "{message}");
    }
}

#[tokio::test]
async fn files_of_two_directories_are_not_taken_together() {
    let (one, other) = (filled().await, filled().await);
    fs::copy(other.path().join("state.sqlite"), one.path().join("state.sqlite")).unwrap();
    assert!(refusal(one.path()).await.contains("do not belong together"));
}

#[tokio::test]
async fn a_log_that_ends_before_its_state_is_refused_when_the_twin_is_loaded() {
    let dir = TempDir::new().unwrap();
    let (store, a) = (open(dir.path()).await, twin("a"));
    append_to(&store, &a, 0, 2).await;
    store.close().await.unwrap();
    let earlier = fs::read(dir.path().join("log.sqlite")).unwrap();
    let store = open(dir.path()).await;
    append_to(&store, &a, 2, 9).await;
    store.project(&a, project(0, 9)).await.unwrap();
    store.close().await.unwrap();
    fs::write(dir.path().join("log.sqlite"), earlier).unwrap();
    let loaded = open(dir.path()).await.load(&a, &mut Collected::default()).await;
    let Err(StoreError::Damaged(message)) = loaded else { panic!("{loaded:?}") };
    assert!(message.contains("ends at revision 2"), "{message}");
}

/// Flips a bit in the last place where a text stands in a file.
fn flip(path: &Path, text: &[u8]) {
    patch(path, |bytes| {
        let at = bytes.windows(text.len()).rposition(|window| window == text).unwrap();
        bytes[at] ^= 4;
    });
}

#[tokio::test]
async fn a_flipped_bit_in_the_log_is_noticed_where_it_is_read() {
    let dir = filled().await;
    flip(&dir.path().join("log.sqlite"), b"suite");
    let store = open(dir.path()).await;
    let read = store.read_log(&twin("a"), Revision(0), usize::MAX).await;
    assert!(matches!(read, Err(LogError::Store(StoreError::Damaged(_)))), "{read:?}");
    let found = store.verify().await.unwrap();
    assert!(found.iter().any(|finding| finding.contains("up to revision 40")), "{found:?}");
}

#[tokio::test]
async fn a_flipped_bit_in_an_entity_is_noticed_where_it_is_loaded() {
    let dir = filled().await;
    flip(&dir.path().join("state.sqlite"), b"urn:ngsi-ld:Sensor:");
    let store = open(dir.path()).await;
    let loaded = store.load(&twin("a"), &mut Collected::default()).await;
    assert!(matches!(loaded, Err(StoreError::Damaged(_))), "{loaded:?}");
    assert_eq!(store.verify().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_destroyed_page_is_an_error_and_never_a_panic() {
    for name in ["log.sqlite", "state.sqlite"] {
        let dir = filled().await;
        patch(&dir.path().join(name), |bytes| bytes[8_192..].fill(0xa5));
        let Ok(store) = SqliteStore::open(dir.path(), SqliteOptions::default()).await else {
            continue;
        };
        let loaded = store.load(&twin("a"), &mut Collected::default()).await.map(|_| ());
        let read = store.read_log(&twin("a"), Revision(0), usize::MAX).await;
        let damaged = |error: &StoreError| matches!(error, StoreError::Damaged(_));
        let noticed = loaded.as_ref().is_err_and(damaged)
            || matches!(&read, Err(LogError::Store(error)) if damaged(error));
        assert!(noticed, "{loaded:?} {read:?}");
    }
}
