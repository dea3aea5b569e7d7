use std::path::Path;
use std::time::Duration;

use cardo_engine::{HistoryQuery, Store, StoreError};
use cardo_model::{Iri, NameId, Revision, SourceOffset, TwinId};
use cardo_store::{SqliteOptions, SqliteStore};
use cardo_testkit::store_suite::{
    Collected, append, document, project, reading, record_at, sensor, twin,
};
use tempfile::TempDir;

use crate::support::{append_to, entities, open, revisions};

async fn fill(store: &SqliteStore) {
    let a = twin("a");
    store.intern(&[Iri::new("https://example.org/type").unwrap()]).await.unwrap();
    append_to(store, &a, 0, 5).await;
    let mut projection = project(0, 3);
    let record = record_at(1, 0, 7);
    projection.entities = vec![(record.view().seq(), Some(record))];
    projection.history = vec![reading(1, 1, None, 1, 1), reading(1, 1, None, 2, 2)];
    projection.documents = vec![document("subscription", "s", Some("{}"))];
    projection.offsets = vec![SourceOffset { source: "trams".into(), offset: "9".into() }];
    store.project(&a, projection).await.unwrap();
    store.cut_log(&a, Revision(2)).await.unwrap();
    store.save_position(&a, "notify", Some(Revision(4))).await.unwrap();
}

async fn assert_filled(store: &SqliteStore) {
    let a = twin("a");
    assert_eq!(store.names().await.unwrap().len(), 1);
    assert_eq!(store.twins().await.unwrap(), std::slice::from_ref(&a));
    assert_eq!(store.head(&a).await.unwrap(), Some(Revision(5)));
    assert_eq!(revisions(store, &a, 2).await, [3, 4, 5]);
    assert!(store.read_log(&a, Revision(1), 1).await.is_err());
    assert_eq!(entities(store, &a).await, [record_at(1, 0, 7)]);
    let loaded = store.load(&a, &mut Collected::default()).await.unwrap();
    assert_eq!(loaded.revision, Revision(3));
    assert_eq!(loaded.documents, [document("subscription", "s", Some("{}"))]);
    assert_eq!(&*loaded.offsets[0].offset, "9");
    let query = HistoryQuery {
        attributes: vec![NameId::new(1)],
        limit: 10,
        ..HistoryQuery::whole(sensor(1))
    };
    assert_eq!(store.history(&a, &query).await.unwrap().len(), 2);
    assert_eq!(store.positions(&a).await.unwrap(), [("notify".into(), Revision(4))]);
    assert_eq!(store.verify().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_closed_store_opens_again_with_all_that_it_held() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path()).await;
    fill(&store).await;
    store.close().await.unwrap();
    let store = open(dir.path()).await;
    assert_filled(&store).await;
    append_to(&store, &twin("a"), 5, 6).await;
    assert_eq!(store.intern(&[Iri::new("a:b").unwrap()]).await.unwrap(), [NameId::new(1)]);
}

/// Where a sample of each format that was ever written stands.
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/format-1");

#[tokio::test]
async fn a_directory_of_format_1_is_read() {
    let dir = TempDir::new().unwrap();
    for name in ["log.sqlite", "state.sqlite"] {
        std::fs::copy(Path::new(SAMPLE).join(name), dir.path().join(name)).unwrap();
    }
    let store = open(dir.path()).await;
    assert_filled(&store).await;
    append_to(&store, &twin("a"), 5, 6).await;
}

/// Run by hand, once, when the format of the files changes.
#[tokio::test]
#[ignore = "it writes the sample"]
async fn the_sample_of_the_format_is_written() {
    let store = open(Path::new(SAMPLE)).await;
    fill(&store).await;
    store.compact(&twin("a")).await.unwrap();
    store.close().await.unwrap();
    std::fs::remove_file(Path::new(SAMPLE).join("cardo.lock")).unwrap();
}

#[tokio::test]
async fn a_store_that_was_dropped_opens_again_with_all_that_it_held() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path()).await;
    fill(&store).await;
    drop(store);
    assert_filled(&open(dir.path()).await).await;
}

#[tokio::test]
async fn a_second_server_on_a_directory_is_refused_until_the_first_has_closed() {
    let dir = TempDir::new().unwrap();
    let first = open(dir.path()).await;
    let second = SqliteStore::open(dir.path(), SqliteOptions::default()).await;
    let Err(StoreError::InUse(message)) = second else { panic!("{second:?}") };
    assert!(message.contains(&dir.path().display().to_string()), "{message}");
    assert!(message.contains("stop that one"), "{message}");
    append_to(&first, &twin("a"), 0, 1).await;
    first.close().await.unwrap();
    append_to(&open(dir.path()).await, &twin("a"), 1, 2).await;
}

#[tokio::test]
async fn a_creation_that_was_cut_off_is_done_again() {
    let dir = TempDir::new().unwrap();
    open(dir.path()).await.close().await.unwrap();
    // As if the power had gone before the log was put in its place.
    std::fs::rename(dir.path().join("log.sqlite"), dir.path().join("log.sqlite.new")).unwrap();
    append_to(&open(dir.path()).await, &twin("a"), 0, 1).await;
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("log.sqlite.new"), "half").unwrap();
    std::fs::write(dir.path().join("state.sqlite.new"), "").unwrap();
    append_to(&open(dir.path()).await, &twin("a"), 0, 1).await;
}

#[tokio::test]
async fn thousands_of_twins_are_opened_without_looking_at_them() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path()).await;
    let name = |n: usize| twin(&format!("tenant-{n}"));
    for group in 0..8 {
        let appends = (0..250).map(|n| append(&name(group * 250 + n), 0, 1)).collect();
        assert!(store.append(appends).await.unwrap().iter().all(Result::is_ok));
    }
    store.close().await.unwrap();
    let store = open(dir.path()).await;
    assert_eq!(store.twins().await.unwrap().len(), 2_000);
    assert_eq!(store.head(&name(1_234)).await.unwrap(), Some(Revision(1)));
    append_to(&store, &name(2_000), 0, 1).await;
    assert_eq!(revisions(&store, &name(1_999), 0).await, [1]);
}

#[tokio::test]
async fn an_append_that_nobody_waits_for_is_whole_or_absent() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path()).await;
    let a = TwinId::default();
    for _ in 0..20 {
        let head = store.head(&a).await.unwrap().map_or(0, |head| head.0);
        let waiting = store.append(vec![append(&a, head, head + 3)]);
        let _ = tokio::time::timeout(Duration::from_micros(50), waiting).await;
        // The next call comes after the one that was left.
        let results = store.append(vec![append(&a, head, head)]).await.unwrap();
        let now = store.head(&a).await.unwrap().map_or(0, |head| head.0);
        match results[0] {
            Ok(()) => assert_eq!(now, head),
            Err(behind) => assert_eq!((behind.head.0, now), (head + 3, head + 3)),
        }
        assert_eq!(revisions(&store, &a, 0).await, (1..=now).collect::<Vec<_>>());
    }
}
