use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use cardo_engine::{Append, EncodedRecord, Store, StoreError};
use cardo_model::{Revision, TwinId};
use cardo_store::{SqliteOptions, SqliteStore};
use cardo_testkit::store_suite::{project, record_at};
use tempfile::TempDir;

use crate::support::{append_to, entities, open, revisions};

/// An append of one record of 30 kB.
fn large(head: u64) -> Append {
    let record = EncodedRecord { revision: Revision(head + 1), bytes: vec![7; 30_000] };
    Append {
        twin: TwinId::default(),
        expected_head: Revision(head),
        begins: false,
        records: vec![record],
    }
}

/// Appends until the disk is full; gives back the head.
async fn append_until_full(store: &SqliteStore, mut head: u64) -> u64 {
    loop {
        match store.append(vec![large(head)]).await {
            Ok(results) => assert_eq!(results, [Ok(())]),
            Err(StoreError::Full(message)) => {
                assert!(message.contains("log.sqlite"), "{message}");
                return head;
            }
            Err(error) => panic!("{error}"),
        }
        head += 1;
        assert!(head < 5_000, "the disk never fills");
    }
}

#[tokio::test]
async fn a_full_log_refuses_appends_and_goes_on_reading_until_there_is_room() {
    let dir = TempDir::new().unwrap();
    let options = SqliteOptions { max_log_pages: Some(200), ..SqliteOptions::default() };
    let store = SqliteStore::open(dir.path(), options).await.unwrap();
    let twin = TwinId::default();
    let head = append_until_full(&store, 0).await;
    assert!(head > 5);
    assert!(matches!(store.append(vec![large(head)]).await, Err(StoreError::Full(_))));
    assert_eq!(store.head(&twin).await.unwrap(), Some(Revision(head)));
    assert_eq!(revisions(&store, &twin, 0).await, (1..=head).collect::<Vec<_>>());
    // State is another file: it follows, and the log can be cut.
    store.project(&twin, project(0, head)).await.unwrap();
    store.cut_log(&twin, Revision(head - 1)).await.unwrap();
    let further = append_until_full(&store, head).await;
    assert!(further > head);
    drop(store);
    let store = open(dir.path()).await;
    assert_eq!(revisions(&store, &twin, head - 1).await, (head..=further).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_full_state_refuses_projections_whole_and_takes_appends() {
    let dir = TempDir::new().unwrap();
    let options = SqliteOptions { max_state_pages: Some(100), ..SqliteOptions::default() };
    let store = SqliteStore::open(dir.path(), options).await.unwrap();
    let twin = TwinId::default();
    append_to(&store, &twin, 0, 2).await;
    let entity = |n| (record_at(1, n, 1).view().seq(), Some(record_at(1, n, 1)));
    let mut projection = project(0, 1);
    projection.entities = (0..50_000).map(entity).collect();
    let refused = store.project(&twin, projection).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    assert_eq!(entities(&store, &twin).await, []);
    append_to(&store, &twin, 2, 3).await;
    let mut projection = project(0, 1);
    projection.entities = (0..50).map(entity).collect();
    store.project(&twin, projection).await.unwrap();
    assert_eq!(entities(&store, &twin).await.len(), 50);
}

/// A small file system of its own; gone when it is dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` where the system does not let this process mount one.
    fn mount(bytes: u32) -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "cardo-test"]).arg(dir.path());
        let is_mounted = command.output().is_ok_and(|output| output.status.success());
        is_mounted.then_some(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}

/// A file with which nothing more fits on the disk.
fn fill(disk: &SmallDisk) -> PathBuf {
    let path = disk.path().join("filling");
    let mut file = File::create(&path).unwrap();
    for piece in [65_536, 4_096, 1] {
        while file.write(&vec![1; piece]).is_ok_and(|written| written > 0) {}
    }
    path
}

#[tokio::test]
async fn on_a_disk_that_is_really_full_nothing_acknowledged_is_lost() {
    let Some(disk) = SmallDisk::mount(4 << 20) else {
        println!("did not run: this process may not mount a tmpfs");
        return;
    };
    let dir = disk.path().join("data");
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![1; 1 << 20]).unwrap();
    let store = open(&dir).await;
    let twin = TwinId::default();
    let head = append_until_full(&store, 0).await;
    assert!(matches!(store.append(vec![large(head)]).await, Err(StoreError::Full(_))));
    assert_eq!(revisions(&store, &twin, 0).await, (1..=head).collect::<Vec<_>>());
    fs::remove_file(&ballast).unwrap();
    let further = append_until_full(&store, head).await;
    assert!(further > head, "there was room for more than {head}");
    assert_eq!(revisions(&store, &twin, 0).await, (1..=further).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_store_opens_and_is_read_on_a_disk_that_has_no_room_at_all() {
    let Some(disk) = SmallDisk::mount(6 << 20) else {
        println!("did not run: this process may not mount a tmpfs");
        return;
    };
    let dir = disk.path().join("data");
    let ballast = disk.path().join("ballast");
    // More than twice what the store may take: closing moves its write-ahead log into the file.
    fs::write(&ballast, vec![1; 4 << 20]).unwrap();
    let twin = TwinId::default();
    let store = open(&dir).await;
    let head = append_until_full(&store, 0).await;
    store.close().await.unwrap();
    drop(store);
    // Whatever closing made free is taken.
    let filling = fill(&disk);
    // The first one was closed to its end, the others are still being closed.
    for _ in 0..3 {
        let store = open(&dir).await;
        assert_eq!(revisions(&store, &twin, 0).await, (1..=head).collect::<Vec<_>>());
        assert_eq!(entities(&store, &twin).await, []);
        assert!(matches!(store.append(vec![large(head)]).await, Err(StoreError::Full(_))));
        assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    }
    let store = open(&dir).await;
    store.close().await.unwrap();
    fs::remove_file(filling).unwrap();
    fs::remove_file(ballast).unwrap();
    let store = open(&dir).await;
    let further = append_until_full(&store, head).await;
    assert!(further > head, "there was room for more than {head}");
    assert_eq!(revisions(&store, &twin, 0).await, (1..=further).collect::<Vec<_>>());
}
