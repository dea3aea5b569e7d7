use std::future::Future;

use cardo_engine::{Append, Behind, EncodedRecord, LogError, Store, StoreError};
use cardo_model::{Revision, TwinId};
use futures_util::future::join_all;

use super::build::{append, append_to, is_refused, project, revisions, twin};

/// `head` is `None` and the log is empty where the twin was never written to.
pub async fn a_new_twin_has_no_head_and_an_empty_log<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    assert_eq!(store.head(&twin("a")).await.unwrap(), None);
    assert_eq!(revisions(&store, &twin("a"), 0).await, [0_u64; 0]);
    assert_eq!(store.twins().await.unwrap(), []);
}

/// What is appended is read back as it was.
pub async fn an_append_is_read_back_in_order<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let twin = TwinId::default();
    append_to(&store, &twin, 0, 3).await;
    append_to(&store, &twin, 3, 4).await;
    let mut expected = append(&twin, 0, 3).records;
    expected.extend(append(&twin, 3, 4).records);
    assert_eq!(store.read_log(&twin, Revision(0), usize::MAX).await.unwrap(), expected);
    assert_eq!(store.head(&twin).await.unwrap(), Some(Revision(4)));
}

/// An append that expects another head learns the real one.
pub async fn an_append_on_another_head_is_behind_and_changes_nothing<S: Store, G, F>(
    make: impl Fn() -> F,
) where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let twin = twin("a");
    append_to(&store, &twin, 0, 2).await;
    for head in [0, 1, 3] {
        let results = store.append(vec![append(&twin, head, head + 1)]).await.unwrap();
        assert_eq!(results, [Err(Behind { head: Revision(2) })]);
    }
    assert_eq!(revisions(&store, &twin, 0).await, [1, 2]);
}

/// Twins of one call succeed or are behind each for itself; results come in order.
pub async fn one_call_appends_to_many_twins_and_leaves_out_those_behind<S: Store, G, F>(
    make: impl Fn() -> F,
) where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let (a, b, c) = (twin("a"), twin("b"), twin("c").with_branch("plan").unwrap());
    append_to(&store, &b, 0, 5).await;
    let group = vec![append(&a, 0, 2), append(&b, 4, 6), append(&c, 0, 1)];
    let results = store.append(group).await.unwrap();
    assert_eq!(results, [Ok(()), Err(Behind { head: Revision(5) }), Ok(())]);
    assert_eq!(revisions(&store, &a, 0).await, [1, 2]);
    assert_eq!(revisions(&store, &b, 0).await, [1, 2, 3, 4, 5]);
    assert_eq!(revisions(&store, &c, 0).await, [1]);
}

/// A call may hold several appends of one twin.
pub async fn appends_of_one_call_to_one_twin_follow_one_another<S: Store, G, F>(
    make: impl Fn() -> F,
) where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    let group = vec![append(&a, 0, 2), append(&a, 2, 3), append(&a, 2, 4)];
    let results = store.append(group).await.unwrap();
    assert_eq!(results, [Ok(()), Ok(()), Err(Behind { head: Revision(3) })]);
    assert_eq!(revisions(&store, &a, 0).await, [1, 2, 3]);
}

/// Revisions follow the expected head without gaps.
pub async fn an_append_with_a_gap_is_refused<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    let mut gap = append(&a, 0, 3);
    gap.records.remove(1);
    assert!(is_refused(&store.append(vec![append(&twin("b"), 0, 1), gap]).await));
    assert_eq!(store.twins().await.unwrap(), []);
    append_to(&store, &a, 0, 1).await;
}

/// An empty append is a question after the head.
pub async fn an_append_without_records_only_compares_the_head<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    assert_eq!(store.append(vec![append(&a, 0, 0)]).await.unwrap(), [Ok(())]);
    assert_eq!(store.head(&a).await.unwrap(), None);
    assert_eq!(store.append(Vec::new()).await.unwrap(), []);
}

/// `after` is excluded.
pub async fn reading_starts_behind_the_given_revision<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    append_to(&store, &a, 0, 10).await;
    append_to(&store, &a, 10, 12).await;
    assert_eq!(revisions(&store, &a, 4).await, [5, 6, 7, 8, 9, 10, 11, 12]);
    assert_eq!(revisions(&store, &a, 11).await, [12]);
    assert_eq!(revisions(&store, &a, 12).await, [0_u64; 0]);
}

/// `max_bytes` bounds an answer, but it makes progress.
pub async fn reading_stops_at_the_size_but_gives_one_record<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    append_to(&store, &a, 0, 20).await;
    assert_eq!(store.read_log(&a, Revision(3), 0).await.unwrap().len(), 1);
    let size = append(&a, 0, 1).records[0].bytes.len();
    let some = store.read_log(&a, Revision(3), size * 5 + size / 2).await.unwrap();
    assert!((4..=6).contains(&some.len()), "{} records came", some.len());
    assert_eq!(some[0].revision, Revision(4));
}

/// Many megabytes of one append come back whole.
pub async fn a_large_append_is_read_back_piece_by_piece<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    let bytes = |n: u64| vec![u8::try_from(n).unwrap(); 400_000];
    let record = |n| EncodedRecord { revision: Revision(n), bytes: bytes(n) };
    let records: Vec<EncodedRecord> = (1..=12).map(record).collect();
    let group = Append {
        twin: a.clone(),
        expected_head: Revision(0),
        begins: false,
        records: records.clone(),
    };
    assert_eq!(store.append(vec![group]).await.unwrap(), [Ok(())]);
    let mut read = Vec::new();
    while read.len() < records.len() {
        let after = Revision(read.len() as u64);
        read.extend(store.read_log(&a, after, 1_000_000).await.unwrap());
    }
    assert!(read == records, "the records differ");
}

/// Reading and following leave no trace in the list of twins.
pub async fn twins_are_those_that_were_written_to<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let branch = TwinId::default().with_branch("plan").unwrap();
    for twin in [&twin("b"), &twin("a"), &branch, &TwinId::default()] {
        append_to(&store, twin, 0, 1).await;
    }
    store.save_position(&twin("z"), "follower", Some(Revision(0))).await.unwrap();
    store.append(vec![append(&twin("y"), 7, 8)]).await.unwrap()[0].unwrap_err();
    let mut twins = store.twins().await.unwrap();
    twins.sort();
    let mut expected = vec![TwinId::default(), branch, twin("a"), twin("b")];
    expected.sort();
    assert_eq!(twins, expected);
}

/// Behind a cut, the log is gone and says from where on it is there.
pub async fn a_cut_log_names_its_oldest_revision<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    append_to(&store, &a, 0, 10).await;
    append_to(&store, &a, 10, 20).await;
    store.project(&a, project(0, 15)).await.unwrap();
    store.cut_log(&a, Revision(15)).await.unwrap();
    // An earlier cut takes nothing back.
    store.cut_log(&a, Revision(3)).await.unwrap();
    for after in [0, 9, 10, 14] {
        let gone = store.read_log(&a, Revision(after), usize::MAX).await;
        let Err(LogError::Gone { oldest }) = gone else { panic!("{gone:?} behind {after}") };
        assert_eq!(oldest, Revision(16));
    }
    assert_eq!(revisions(&store, &a, 15).await, [16, 17, 18, 19, 20]);
    append_to(&store, &a, 20, 21).await;
    assert_eq!(revisions(&store, &a, 19).await, [20, 21]);
}

/// What is not projected has no other home.
pub async fn a_cut_beyond_what_is_projected_is_refused<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    append_to(&store, &a, 0, 10).await;
    assert!(is_refused(&store.cut_log(&a, Revision(1)).await));
    store.project(&a, project(0, 5)).await.unwrap();
    assert!(is_refused(&store.cut_log(&a, Revision(6)).await));
    assert_eq!(revisions(&store, &a, 0).await.len(), 10);
    assert!(is_refused(&store.cut_log(&twin("b"), Revision(1)).await));
}

/// A cut does not make a twin new.
pub async fn the_head_survives_when_the_whole_log_is_cut<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    append_to(&store, &a, 0, 10).await;
    store.project(&a, project(0, 10)).await.unwrap();
    store.cut_log(&a, Revision(10)).await.unwrap();
    assert_eq!(store.head(&a).await.unwrap(), Some(Revision(10)));
    assert_eq!(revisions(&store, &a, 10).await, [0_u64; 0]);
    append_to(&store, &a, 10, 11).await;
    assert_eq!(revisions(&store, &a, 10).await, [11]);
}

/// The head is compared where the append happens.
pub async fn of_racing_appends_one_wins<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    let racing = join_all((0..8).map(|_| store.append(vec![append(&a, 0, 2)]))).await;
    let won = racing.iter().filter(|result| matches!(result.as_deref(), Ok([Ok(())]))).count();
    assert_eq!(won, 1);
    assert_eq!(revisions(&store, &a, 0).await, [1, 2]);
}

/// After `close` every call fails and says why.
pub async fn a_closed_store_refuses_every_call<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    append_to(&store, &a, 0, 1).await;
    store.close().await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(store.append(vec![append(&a, 1, 2)]).await, Err(StoreError::Closed)));
    assert!(matches!(store.project(&a, project(0, 1)).await, Err(StoreError::Closed)));
    assert!(matches!(store.names().await, Err(StoreError::Closed)));
    let read = store.read_log(&a, Revision(0), 1).await;
    assert!(matches!(read, Err(LogError::Store(StoreError::Closed))));
}
