//! The process that writes until it is stopped, and the plan that it follows.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use cardo_engine::{Append, HistoryEvent, HistoryRow, Projection, Store, StoreError};
use cardo_model::{Amendment, Iri, NameId, Revision, SourceOffset, TwinId};
use cardo_store::{SqliteOptions, SqliteStore};
use cardo_testkit::store_suite::{Collected, append, document, project, reading, record_at, twin};

const DIRECTORY: &str = "CARDO_FAULTS_DIRECTORY";
const ACKNOWLEDGED: &str = "CARDO_FAULTS_ACKNOWLEDGED";
const STEPS: &str = "CARDO_FAULTS_STEPS";

/// Every so many steps the state follows the log.
pub(crate) const PROJECTED_EACH: u64 = 12;
/// How many entities a projection writes, each with the same value.
pub(crate) const ENTITIES: u32 = 40;
/// The sensor whose history is forgotten by every other projection.
pub(crate) const FORGOTTEN: u64 = 31;
/// Every so many steps a name and a position are kept.
pub(crate) const NAMED_EACH: u64 = 10;

pub(crate) fn first() -> TwinId {
    twin("first")
}

pub(crate) fn second() -> TwinId {
    twin("second")
}

/// The head of the first twin after a step; the second one's is the step.
pub(crate) fn head_after(step: u64) -> u64 {
    (1..=step).map(|step| step % 5 + 1).sum()
}

/// What a step appends: some records to one twin and one to another, all or nothing.
pub(crate) fn group(step: u64) -> Vec<Append> {
    vec![
        append(&first(), head_after(step - 1), head_after(step)),
        append(&second(), step - 1, step),
    ]
}

/// What is projected at a step that projects: everything has the step's head as its value.
fn projection(step: u64) -> Projection {
    let to = head_after(step);
    let entity = |n| (record_at(1, n, to).view().seq(), Some(record_at(1, n, to)));
    let seconds = i64::try_from(step).unwrap();
    let mut history: Vec<HistoryRow> =
        (0..u64::from(ENTITIES)).map(|n| reading(n, 1, None, seconds, to)).collect();
    if (step / PROJECTED_EACH).is_multiple_of(2) {
        let event = HistoryEvent::Amended(Amendment::Attribute(NameId::new(1)));
        history.push(HistoryRow { event, ordinal: 1, ..reading(FORGOTTEN, 1, None, seconds, to) });
    }
    Projection {
        entities: (0..ENTITIES).map(entity).collect(),
        history,
        documents: vec![document("subscription", "s", Some(&to.to_string()))],
        offsets: vec![SourceOffset { source: "feed".into(), offset: to.to_string().into() }],
        ..project(head_after(step - PROJECTED_EACH), to)
    }
}

/// Small checkpoints, so that the write-ahead log starts over many times.
pub(crate) fn options() -> SqliteOptions {
    SqliteOptions { checkpoint_pages: 30, compaction_bytes: 4_000, ..SqliteOptions::default() }
}

/// The command that runs [`writes_until_it_is_stopped`] as a process of its own, in another
/// program's hands where one is given.
pub(crate) fn command(wrapper: Option<Command>, dir: &Path, acks: &Path, steps: u64) -> Command {
    let exe = std::env::current_exe().unwrap();
    let mut command = match wrapper {
        Some(mut wrapper) => {
            wrapper.arg(exe);
            wrapper
        }
        None => Command::new(exe),
    };
    command
        .args(["--exact", "writer::writes_until_it_is_stopped", "--ignored", "--nocapture"])
        .env(DIRECTORY, dir)
        .env(ACKNOWLEDGED, acks)
        .env(STEPS, steps.to_string());
    command
}

/// Writes lines one by one, each with one call, when what they say was acknowledged.
struct Acknowledgements(File);

impl Acknowledgements {
    fn write(&self, what: &str, number: u64) {
        (&self.0).write_all(format!("{what} {number}\n").as_bytes()).unwrap();
    }
}

#[test]
#[ignore = "the other tests run it as a process of its own"]
fn writes_until_it_is_stopped() {
    let Some(dir) = std::env::var_os(DIRECTORY).map(PathBuf::from) else {
        return;
    };
    let acks = std::env::var_os(ACKNOWLEDGED).unwrap();
    let steps: u64 = std::env::var(STEPS).unwrap().parse().unwrap();
    let acks = fs::OpenOptions::new().create(true).append(true).open(acks).unwrap();
    let acks = Arc::new(Acknowledgements(acks));
    tokio::runtime::Runtime::new().unwrap().block_on(write(&dir, acks, steps));
}

/// Opens the store as soon as whoever checked it before has let go of the directory.
async fn open(dir: &Path) -> SqliteStore {
    let started = std::time::Instant::now();
    loop {
        match SqliteStore::open(dir, options()).await {
            Err(StoreError::InUse(_)) if started.elapsed() < std::time::Duration::from_secs(20) => {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            opened => return opened.unwrap(),
        }
    }
}

async fn write(dir: &Path, acks: Arc<Acknowledgements>, steps: u64) {
    let store = Arc::new(open(dir).await);
    let done = store.head(&second()).await.unwrap().map_or(0, |head| head.0);
    let (to_project, mut projections) = tokio::sync::mpsc::channel(2);
    let projecting = tokio::spawn({
        let (store, acks) = (store.clone(), acks.clone());
        async move {
            while let Some(step) = projections.recv().await {
                store.project(&first(), projection(step)).await.unwrap();
                acks.write("projected", step);
                let cut = head_after(step - PROJECTED_EACH / 2);
                store.cut_log(&first(), Revision(cut)).await.unwrap();
                store.compact(&first()).await.unwrap();
            }
        }
    });
    let reached = store.load(&first(), &mut Collected::default()).await.unwrap().revision.0;
    for step in (PROJECTED_EACH..=done).step_by(usize::try_from(PROJECTED_EACH).unwrap()) {
        if head_after(step) > reached {
            to_project.send(step).await.unwrap();
        }
    }
    for step in done + 1..=done + steps {
        match store.append(group(step)).await {
            Ok(results) => assert_eq!(results, [Ok(()), Ok(())]),
            Err(error) => return assert_refused(&store, step, &acks, &error).await,
        }
        acks.write("step", step);
        if step % NAMED_EACH == 0 {
            store.intern(&[Iri::new(format!("urn:name:{step}")).unwrap()]).await.unwrap();
            store.save_position(&second(), "follower", Some(Revision(step))).await.unwrap();
            acks.write("named", step);
        }
        if step % PROJECTED_EACH == 0 {
            to_project.send(step).await.unwrap();
        }
    }
    drop(to_project);
    projecting.await.unwrap();
    store.close().await.unwrap();
}

/// After a failed write nothing is written any more, and reading goes on.
async fn assert_refused(
    store: &SqliteStore,
    step: u64,
    acks: &Acknowledgements,
    error: &StoreError,
) {
    assert!(matches!(error, StoreError::Failed(_)), "{error}");
    for _ in 0..3 {
        let again = store.append(group(step)).await;
        let Err(StoreError::Failed(message)) = again else { panic!("{again:?}") };
        assert!(message.contains("an earlier write failed"), "{message}");
    }
    let names = store.intern(&[Iri::new("urn:name:refused").unwrap()]).await;
    assert!(names.is_err(), "{names:?}");
    assert_eq!(store.head(&second()).await.unwrap().map_or(0, |head| head.0), step - 1);
    let records = store.read_log(&second(), Revision(0), usize::MAX).await.unwrap();
    assert_eq!(records.len() as u64, step - 1);
    acks.write("refused", step);
}
