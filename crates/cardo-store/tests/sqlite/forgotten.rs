//! What was taken out of a history leaves no bytes in the files.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use cardo_engine::{Amendments, HistoryEvent, HistoryQuery, HistoryRow, Store, Tells};
use cardo_model::{
    Amendment, Instance, Iri, JsonText, NameId, Revision, Timestamp, TwinId, Value, encode_instance,
};
use cardo_store::{SqliteOptions, SqliteStore};
use cardo_testkit::store_suite::{entity_event, project, reading, sensor, twin};
use tempfile::TempDir;

use crate::support::{append_to, files};

const SOUTH: &str = "urn:dataset:south";
fn hidden() -> NameId {
    NameId::new(5)
}

/// A text that occurs nowhere else and does not become shorter.
fn secret(n: u64, number: u64) -> String {
    let mut state = n * 1_000_003 + number + 1;
    let mut text = String::from("secret");
    for _ in 0..24 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push(char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap()));
    }
    text
}

fn row(n: u64, name: NameId, dataset: Option<&str>, number: u64, text: &str) -> HistoryRow {
    let mut instance =
        Instance::new(Value::property(JsonText::from_canonical(format!("{text:?}")), false));
    let time = Timestamp::from_seconds(i64::try_from(number).unwrap());
    instance.observed_at = Some(time);
    instance.dataset_id = dataset.map(|dataset| Iri::new(dataset).unwrap());
    let event = HistoryEvent::Instance { name, instance: encode_instance(&instance) };
    line(n, event, (time, number, 1))
}

fn amended(n: u64, number: u64, amendment: Amendment) -> HistoryRow {
    let time = Timestamp::from_seconds(i64::try_from(number).unwrap());
    let event = HistoryEvent::Amended(amendment);
    line(n, event, (time, number, 0))
}

fn line(
    n: u64,
    event: HistoryEvent,
    (time, revision, ordinal): (Timestamp, u64, u32),
) -> HistoryRow {
    let (entity, revision, tells) = (sensor(n), Revision(revision), Tells::Both);
    HistoryRow { entity, event, time, revision, ordinal, written: time, tells }
}

/// Rows of sensors with ever more of them: some settle, some have blocks, some sealed ones.
const ROWS: [u64; 4] = [3, 60, 400, 1_500];
const STEPS: u64 = 6;

struct Told {
    store: SqliteStore,
    twin: TwinId,
    dir: TempDir,
    rows: BTreeMap<u64, Vec<HistoryRow>>,
    projected: u64,
}

impl Told {
    async fn new(compacts: bool, keeps: bool) -> Self {
        let dir = TempDir::new().unwrap();
        let options =
            SqliteOptions { compacts, compaction_bytes: 20_000, ..SqliteOptions::default() };
        let store = SqliteStore::open(dir.path(), options).await.unwrap();
        let twin = twin("a");
        append_to(&store, &twin, 0, 40).await;
        let mut told = Self { store, twin, dir, rows: BTreeMap::new(), projected: 0 };
        for step in 0..STEPS {
            let mut rows = Vec::new();
            for (n, count) in (0..).zip(ROWS) {
                if step == 0 {
                    rows.push(entity_event(n, 0, 1));
                }
                let each = count.div_ceil(STEPS);
                for number in step * each + 2..(step + 1) * each + 2 {
                    rows.push(row(n, hidden(), None, number, &secret(n, number)));
                    rows.push(row(n, hidden(), Some(SOUTH), number, &secret(n + 50, number)));
                    rows.push(row(n, NameId::new(6), None, number, &format!("open {n} {number}")));
                }
            }
            told.project(rows).await;
            if keeps {
                told.store.compact(&told.twin).await.unwrap();
            }
        }
        told
    }

    async fn project(&mut self, rows: Vec<HistoryRow>) {
        let mut projection = project(self.projected, self.projected + 1);
        self.projected += 1;
        projection.history.clone_from(&rows);
        self.store.project(&self.twin, projection).await.unwrap();
        for row in rows {
            let n = row.entity.as_str().rsplit(':').next().unwrap().parse().unwrap();
            self.rows.entry(n).or_default().push(row);
        }
    }

    /// The history of a sensor is that of its rows with what was amended carried out.
    async fn check(&self) {
        for (n, rows) in &self.rows {
            let mut rows = rows.clone();
            let amendments = Amendments::take(&mut rows);
            let mut expected = amendments.carry_out(rows);
            let mut answer =
                self.store.history(&self.twin, &HistoryQuery::whole(sensor(*n))).await.unwrap();
            let waiting = Amendments::take(&mut answer);
            answer = waiting.carry_out(answer);
            let place =
                |row: &HistoryRow| (row.time, row.revision, row.ordinal, format!("{row:?}"));
            answer.sort_by_key(place);
            expected.sort_by_key(place);
            assert!(answer == expected, "sensor {n}");
        }
    }

    fn holds(&self, text: &str) -> Vec<String> {
        holding(self.dir.path(), text)
    }
}

/// The files of the state that hold a text.
fn holding(dir: &Path, text: &str) -> Vec<String> {
    let files = files(dir).into_iter().filter(|(name, _)| name.starts_with("state"));
    let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    files.filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name).collect()
}

#[tokio::test]
async fn a_forgotten_attribute_is_in_no_file_of_the_state() {
    for keeps in [false, true] {
        let mut told = Told::new(false, keeps).await;
        told.check().await;
        assert!(!told.holds(&secret(0, 2)).is_empty());
        let all: Vec<_> =
            (0..4).map(|n| amended(n, 9_000, Amendment::Attribute(hidden()))).collect();
        told.project(all).await;
        told.check().await;
        told.store.compact(&told.twin).await.unwrap();
        told.check().await;
        assert_eq!(told.holds("secret"), [""; 0]);
        for n in 0..4 {
            for number in 2..40 {
                assert_eq!(told.holds(&secret(n, number)[6..]), [""; 0], "{n} {number}");
            }
        }
        assert!(!told.holds("open 0 3").is_empty());
        assert_eq!(told.store.verify().await.unwrap(), [""; 0]);
    }
}

#[tokio::test]
async fn only_what_was_forgotten_goes() {
    let mut told = Told::new(false, true).await;
    let name = hidden();
    let dataset_id = Some(Iri::new(SOUTH).unwrap());
    let instance = |revision, is| Amendment::Instance {
        name,
        dataset_id: None,
        revision: Revision(revision),
        ordinal: 1,
        is,
    };
    let by = row(2, hidden(), None, 700, "put right");
    let HistoryEvent::Instance { instance: by, .. } = by.event else { panic!() };
    told.project(vec![
        amended(0, 9_000, Amendment::Everything),
        amended(1, 9_000, Amendment::Dataset { name, dataset_id }),
        amended(2, 9_000, instance(8, None)),
        amended(2, 9_001, instance(9, Some(by))),
        amended(3, 9_000, instance(40, None)),
    ])
    .await;
    told.project(vec![row(0, hidden(), None, 9_500, "begun anew")]).await;
    told.check().await;
    told.store.compact(&told.twin).await.unwrap();
    told.check().await;
    // The compacted histories hold no amendments any more.
    for n in 0..4 {
        let rows = told.store.history(&told.twin, &HistoryQuery::whole(sensor(n))).await.unwrap();
        assert!(rows.iter().all(|row| !matches!(row.event, HistoryEvent::Amended(_))));
    }
    assert_eq!(
        told.store.history(&told.twin, &HistoryQuery::whole(sensor(0))).await.unwrap().len(),
        1
    );
    assert_eq!(told.holds(&secret(0, 2)), [""; 0]);
    // More rows, and another amendment of what was put right.
    told.project(vec![reading(2, 1, None, 9_600, 9_600), amended(2, 9_700, instance(9, None))])
        .await;
    told.store.compact(&told.twin).await.unwrap();
    told.check().await;
    assert_eq!(told.holds("put right"), [""; 0]);
    assert_eq!(told.store.verify().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn what_a_kill_left_undone_is_done_by_the_next_start() {
    let mut told = Told::new(false, true).await;
    let all: Vec<_> = (0..4).map(|n| amended(n, 9_000, Amendment::Attribute(hidden()))).collect();
    told.project(all).await;
    // Projected, and nothing of it compacted.
    told.store.close().await.unwrap();
    let store = SqliteStore::open(told.dir.path(), SqliteOptions::default()).await.unwrap();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if store.waiting_runs(&told.twin).await.unwrap() == 0 && told.holds("secret").is_empty() {
            told.store = store;
            return told.check().await;
        }
    }
    panic!("the secrets are still there after ten seconds");
}

#[tokio::test]
async fn readers_beside_an_amendment_see_all_or_nothing_of_it() {
    let mut told = Told::new(false, true).await;
    told.project(vec![amended(3, 9_000, Amendment::Attribute(hidden()))]).await;
    let query = HistoryQuery { attributes: vec![hidden()], ..HistoryQuery::whole(sensor(3)) };
    let reading_along = async {
        for _ in 0..60 {
            let mut rows = told.store.history(&told.twin, &query).await.unwrap();
            let amendments = Amendments::take(&mut rows);
            let left = amendments.carry_out(rows);
            assert!(left.iter().all(|row| !matches!(row.event, HistoryEvent::Instance { .. })));
        }
    };
    let compacting = async { told.store.compact(&told.twin).await.unwrap() };
    tokio::join!(reading_along, compacting);
}
