//! What has to hold in a directory after its writer was stopped.

use std::path::Path;

use cardo_engine::{Amendments, HistoryQuery, LogError, Projected, Store};
use cardo_model::{Revision, TwinId};
use cardo_store::SqliteStore;
use cardo_testkit::store_suite::{Collected, append, document, record_at, sensor};

use crate::writer::{
    ENTITIES, FORGOTTEN, PROJECTED_EACH, first, group, head_after, options, second,
};

/// What was acknowledged last, in steps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Acknowledged {
    pub(crate) step: u64,
    pub(crate) projected: u64,
    pub(crate) named: u64,
    /// How many names.
    pub(crate) names: usize,
}

impl Acknowledged {
    /// Takes a line of the writer.
    pub(crate) fn take(&mut self, line: &str) {
        let Some((what, number)) = line.split_once(' ') else { return };
        let Ok(number) = number.parse() else { return };
        match what {
            "step" => self.step = number,
            "projected" => self.projected = number,
            "named" => (self.named, self.names) = (number, self.names + 1),
            _ => {}
        }
    }
}

/// Opens the directory and compares it with what was acknowledged; gives back the step it is at.
pub(crate) async fn check(dir: &Path, acknowledged: Acknowledged) -> u64 {
    let store = SqliteStore::open(dir, options()).await.expect("the directory can be opened");
    let step = store.head(&second()).await.unwrap().map_or(0, |head| head.0);
    assert!(
        (acknowledged.step..=acknowledged.step + 1).contains(&step),
        "the log is at step {step}, acknowledged is {acknowledged:?}"
    );
    let head = store.head(&first()).await.unwrap().map_or(0, |head| head.0);
    assert_eq!(head, head_after(step), "a group of step {step} is there by halves");
    let reached = check_state(&store, acknowledged).await;
    check_log(&store, &first(), reached, head).await;
    check_log(&store, &second(), 0, step).await;
    check_followers(&store, step, acknowledged).await;
    let appended = store.append(group(step + 1)).await.expect("writing goes on");
    assert_eq!(appended, [Ok(()), Ok(())]);
    store.close().await.unwrap();
    step + 1
}

/// Everything behind what is projected is there, as it was written.
async fn check_log(store: &SqliteStore, twin: &TwinId, reached: u64, head: u64) {
    let from = match store.read_log(twin, Revision(0), 1).await {
        Ok(_) => 0,
        Err(LogError::Gone { oldest }) => oldest.0 - 1,
        Err(error) => panic!("{error}"),
    };
    assert!(from <= reached, "the log is cut at {from}, but the state is at {reached}");
    let records = store.read_log(twin, Revision(from), usize::MAX).await.unwrap();
    assert!(records == append(twin, from, head).records, "the log differs from what was written");
}

/// State and history are those of one projection; gives back its revision.
async fn check_state(store: &SqliteStore, acknowledged: Acknowledged) -> u64 {
    let mut loaded = Collected::default();
    let projected = store.load(&first(), &mut loaded).await.unwrap();
    let reached = projected.revision.0;
    assert!(reached >= head_after(acknowledged.projected), "{reached} for {acknowledged:?}");
    if reached == 0 {
        assert_eq!((projected, loaded.entities.len()), (Projected::default(), 0));
        return 0;
    }
    let expected: Vec<_> = (0..ENTITIES).map(|n| record_at(1, n, reached)).collect();
    assert!(loaded.entities == expected, "the entities are not those of revision {reached}");
    let body = reached.to_string();
    assert_eq!(projected.documents, [document("subscription", "s", Some(&body))]);
    assert_eq!(&*projected.offsets[0].offset, body);
    let projections =
        (1..1_000).position(|n| head_after(n * PROJECTED_EACH) == reached).unwrap() + 1;
    for (n, expected) in [(0, projections), (17, projections), (FORGOTTEN, projections % 2)] {
        let query = HistoryQuery::whole(sensor(n));
        let mut rows = store.history(&first(), &query).await.unwrap();
        let amendments = Amendments::take(&mut rows);
        assert_eq!(amendments.carry_out(rows).len(), expected, "sensor {n}");
    }
    reached
}

async fn check_followers(store: &SqliteStore, step: u64, acknowledged: Acknowledged) {
    let positions = store.positions(&second()).await.unwrap();
    let position = positions.first().map_or(0, |(_, revision)| revision.0);
    assert!((acknowledged.named..=step).contains(&position), "{position} for {acknowledged:?}");
    let names = store.names().await.unwrap();
    assert!(names.len() >= acknowledged.names, "{} names for {acknowledged:?}", names.len());
}
