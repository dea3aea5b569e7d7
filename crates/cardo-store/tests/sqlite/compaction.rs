use std::time::Duration;

use cardo_engine::{HistoryQuery, HistoryRow, Store};
use cardo_model::{NameId, Timestamp};
use cardo_store::{SqliteOptions, SqliteStore};
use cardo_testkit::random::sample;
use cardo_testkit::store_suite::{
    append, expected_history, project, random_history_query, random_projections, reading, sensor,
    twin,
};
use tempfile::TempDir;

use crate::support::append_to;

async fn open(compaction_bytes: u64) -> (SqliteStore, TempDir) {
    let dir = TempDir::new().unwrap();
    let options = SqliteOptions { compacts: false, compaction_bytes, ..SqliteOptions::default() };
    (SqliteStore::open(dir.path(), options).await.unwrap(), dir)
}

#[tokio::test]
async fn compacted_history_equals_a_plain_model_however_it_is_cut_into_portions() {
    for (seed, portion) in (20_u64..26).zip([1_500, 6_000, 1 << 20].into_iter().cycle()) {
        let (store, _dir) = open(portion).await;
        let twin = twin("a");
        let projections = sample(&random_projections(), seed);
        store.append(vec![append(&twin, 0, projections.len() as u64)]).await.unwrap();
        for (done, projection) in (1..).zip(&projections) {
            store.project(&twin, projection.clone()).await.unwrap();
            if done % 4 == 0 {
                store.compact(&twin).await.unwrap();
            }
            let queries = proptest::collection::vec(random_history_query(), 6);
            for query in sample(&queries, seed * 100 + done as u64) {
                let expected = expected_history(&projections[..done], &query);
                let answer = store.history(&twin, &query).await.unwrap();
                assert!(answer == expected, "seed {seed}, {done} projections, {query:?}");
            }
        }
    }
}

#[tokio::test]
async fn readers_beside_a_compaction_see_each_row_once() {
    let (store, _dir) = open(2_000).await;
    let a = twin("a");
    append_to(&store, &a, 0, 30).await;
    let rows_of = |step: u64| -> Vec<HistoryRow> {
        (0..400).map(|n| reading(n % 40, 1, None, 1, step * 1_000 + n)).collect()
    };
    for step in 0..15 {
        let mut projection = project(step, step + 1);
        projection.history = rows_of(step);
        store.project(&a, projection).await.unwrap();
    }
    let reading_along = async {
        for round in 0..60_u64 {
            let rows = store.history(&a, &HistoryQuery::whole(sensor(round % 40))).await.unwrap();
            let revisions: Vec<u64> = rows.iter().map(|row| row.revision.0).collect();
            let steps = u64::try_from(rows.len()).unwrap() / 10;
            let expected: Vec<u64> = (0..steps)
                .flat_map(|step| (0..10).map(move |n| step * 1_000 + n * 40 + round % 40))
                .collect();
            assert_eq!(revisions, expected);
            assert!(steps >= 15);
        }
    };
    let projecting = async {
        for step in 15..30 {
            let mut projection = project(step, step + 1);
            projection.history = rows_of(step);
            store.project(&a, projection).await.unwrap();
        }
    };
    let compacting = async {
        for _ in 0..4 {
            store.compact(&a).await.unwrap();
        }
    };
    tokio::join!(reading_along, projecting, compacting);
    for n in 0..40 {
        assert_eq!(store.history(&a, &HistoryQuery::whole(sensor(n))).await.unwrap().len(), 300);
    }
}

#[tokio::test]
async fn series_around_the_size_of_a_block_come_back_whole() {
    for length in [63_i64, 64, 256, 257, 511, 512, 513, 1_023, 1_024, 1_025, 3_000] {
        let (store, _dir) = open(1 << 20).await;
        let a = twin("a");
        append_to(&store, &a, 0, 9).await;
        // Mostly in order, with every seventh reading late.
        let seconds = |n: i64| if n % 7 == 0 { n - 100 } else { n };
        let rows: Vec<_> =
            (0..length).map(|n| reading(1, 1, None, seconds(n), n.unsigned_abs())).collect();
        let step = rows.len().div_ceil(9);
        for (rows, after) in rows.chunks(step).zip(0..) {
            let mut projection = project(after, after + 1);
            projection.history = rows.to_vec();
            store.project(&a, projection).await.unwrap();
            store.compact(&a).await.unwrap();
        }
        let mut sorted = rows;
        sorted.sort_by_key(|row| (row.time, row.revision));
        let answer = store.history(&a, &HistoryQuery::whole(sensor(1))).await.unwrap();
        assert!(answer == sorted, "{length} rows");
        let last = HistoryQuery { last: Some(10), ..HistoryQuery::whole(sensor(1)) };
        let answer = store.history(&a, &last).await.unwrap();
        assert_eq!(answer, sorted[sorted.len() - 10..], "{length} rows");
        let middle = Timestamp::from_seconds(length / 2);
        let half = HistoryQuery {
            from: Some(middle),
            attributes: vec![NameId::new(1)],
            ..HistoryQuery::whole(sensor(1))
        };
        let at = sorted.partition_point(|row| row.time < middle);
        assert!(store.history(&a, &half).await.unwrap() == sorted[at..], "{length} rows");
        assert_eq!(store.verify().await.unwrap(), [""; 0]);
    }
}

#[tokio::test]
async fn what_settled_stays_whole_while_little_and_much_is_added() {
    let (store, _dir) = open(6_000).await;
    let a = twin("a");
    append_to(&store, &a, 0, 9).await;
    // Everything, little, everything again, and so much of a few that they need blocks.
    let steps: [(u64, u64); 6] = [(600, 1), (30, 1), (600, 1), (20, 100), (650, 1), (3, 1)];
    let mut expected = vec![Vec::new(); 650];
    for (after, (entities, each)) in (0_u64..).zip(steps) {
        let mut projection = project(after, after + 1);
        for (n, own) in (0..entities).zip(&mut expected) {
            let revisions = (0..each).map(|nth| after * 1_000 + nth);
            projection.history.extend(revisions.clone().map(|r| reading(n, 1, None, 1, r)));
            own.extend(revisions);
        }
        store.project(&a, projection).await.unwrap();
        store.compact(&a).await.unwrap();
        assert_eq!(store.waiting_runs(&a).await.unwrap(), 0);
        for (n, expected) in (0..).zip(&expected) {
            let rows = store.history(&a, &HistoryQuery::whole(sensor(n))).await.unwrap();
            let revisions: Vec<u64> = rows.iter().map(|row| row.revision.0).collect();
            assert_eq!(&revisions, expected, "entity {n} after step {after}");
        }
    }
    assert_eq!(store.verify().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn history_is_compacted_in_the_background_once_a_twin_is_quiet() {
    let dir = TempDir::new().unwrap();
    let store = SqliteStore::open(dir.path(), SqliteOptions::default()).await.unwrap();
    let a = twin("a");
    append_to(&store, &a, 0, 20).await;
    for step in 0..20 {
        let mut projection = project(step, step + 1);
        projection.history = (0..50).map(|n| reading(n, 1, None, 1, step)).collect();
        store.project(&a, projection).await.unwrap();
    }
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if store.waiting_runs(&a).await.unwrap() == 0 {
            assert_eq!(store.history(&a, &HistoryQuery::whole(sensor(7))).await.unwrap().len(), 20);
            return;
        }
    }
    panic!("20 runs still wait after ten seconds");
}
