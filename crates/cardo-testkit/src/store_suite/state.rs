use std::future::Future;

use cardo_engine::{Projected, Store};
use cardo_model::{Record, Revision, Seq, SourceOffset, TwinId};

use super::build::{Collected, append_to, document, is_refused, project, record_at, twin};

async fn load<S: Store>(store: &S, twin: &TwinId) -> (Projected, Vec<Record>) {
    let mut sink = Collected::default();
    let projected = store.load(twin, &mut sink).await.expect("the state is sound");
    (projected, sink.entities)
}

fn entry(created: u64, ordinal: u32, value: u64) -> (Seq, Option<Record>) {
    (Seq::new(Revision(created), ordinal), Some(record_at(created, ordinal, value)))
}

/// More entities than fit in a chunk, projected in several steps, come back sorted and unchanged.
pub async fn what_is_projected_is_loaded_in_the_order_of_creation<S: Store, G, F>(
    make: impl Fn() -> F,
) where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    append_to(&store, &a, 0, 3).await;
    for revision in [2, 1, 3] {
        let (after, to) = match revision {
            2 => (0, 1),
            1 => (1, 2),
            _ => (2, 3),
        };
        let mut projection = project(after, to);
        projection.entities = (0..3_000).map(|n| entry(revision, n, 0)).collect();
        store.project(&a, projection).await.unwrap();
    }
    let (projected, entities) = load(&store, &a).await;
    assert_eq!(projected.revision, Revision(3));
    let expected = (1..=3).flat_map(|revision| (0..3_000).map(move |n| record_at(revision, n, 0)));
    assert!(entities.into_iter().eq(expected), "the entities differ or are out of order");
}

/// The last record of an entity is what it is; `None` removes it.
pub async fn a_projection_replaces_and_removes<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    append_to(&store, &a, 0, 9).await;
    let mut projection = project(0, 4);
    projection.entities = (0..600).map(|n| entry(1, n, 1)).collect();
    store.project(&a, projection).await.unwrap();
    let mut projection = project(4, 9);
    let change = |n: u32| match n % 3 {
        0 => entry(1, n, 2),
        1 => (Seq::new(Revision(1), n), None),
        _ => entry(1, n, 1),
    };
    projection.entities = (0..600).filter(|n| n % 3 != 2).map(change).collect();
    // One that never was is gone as well.
    projection.entities.push((Seq::new(Revision(8), 0), None));
    store.project(&a, projection).await.unwrap();
    let (projected, entities) = load(&store, &a).await;
    let expected: Vec<Record> = (0..600).filter_map(|n| change(n).1).collect();
    assert_eq!(entities, expected);
    assert_eq!(projected.revision, Revision(9));
}

/// `after` is compared with what was reached, so a projection is never applied twice or early.
pub async fn a_projection_on_another_revision_is_refused_and_changes_nothing<S: Store, G, F>(
    make: impl Fn() -> F,
) where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    append_to(&store, &a, 0, 9).await;
    store.project(&a, project(0, 5)).await.unwrap();
    for (after, to) in [(0, 5), (0, 6), (4, 6), (6, 7), (5, 4)] {
        let mut projection = project(after, to);
        projection.entities = vec![entry(1, 0, 1)];
        projection.documents = vec![document("subscription", "s", Some("{}"))];
        assert!(is_refused(&store.project(&a, projection).await), "from {after} to {to}");
    }
    let (projected, entities) = load(&store, &a).await;
    assert_eq!(projected, Projected { revision: Revision(5), ..Projected::default() });
    assert_eq!(entities, []);
    store.project(&a, project(5, 6)).await.unwrap();
}

/// Entities come sorted and once each, and each record under its own place.
pub async fn a_projection_of_unsorted_entities_is_refused<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    append_to(&store, &a, 0, 2).await;
    let misplaced = (Seq::new(Revision(2), 7), Some(record_at(2, 6, 0)));
    for entities in [
        vec![entry(2, 0, 0), entry(1, 0, 0)],
        vec![entry(1, 0, 0), entry(1, 0, 1)],
        vec![entry(1, 0, 0), misplaced],
    ] {
        let mut projection = project(0, 2);
        projection.entities = entities;
        assert!(is_refused(&store.project(&a, projection).await));
    }
    assert_eq!(load(&store, &a).await, (Projected::default(), Vec::new()));
}

/// State follows a log.
pub async fn a_projection_without_a_log_is_refused<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    assert!(is_refused(&store.project(&twin("a"), project(0, 1)).await));
    assert_eq!(load(&store, &twin("a")).await, (Projected::default(), Vec::new()));
}

/// Tenants and branches are apart.
pub async fn twins_do_not_see_one_another<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let twins = [TwinId::default(), twin("a"), twin("a").with_branch("plan").unwrap()];
    for (twin, value) in twins.iter().zip(0..) {
        append_to(&store, twin, 0, 1).await;
        let mut projection = project(0, 1);
        projection.entities = vec![entry(1, 0, value)];
        projection.documents = vec![document("subscription", "s", Some(&value.to_string()))];
        store.project(twin, projection).await.unwrap();
    }
    for (twin, value) in twins.iter().zip(0..) {
        let (projected, entities) = load(&store, twin).await;
        assert_eq!(entities, [record_at(1, 0, value)]);
        let body = value.to_string();
        assert_eq!(projected.documents, [document("subscription", "s", Some(&body))]);
    }
}

/// Documents go by kind and id, offsets by source.
pub async fn documents_and_offsets_keep_their_last_state<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    append_to(&store, &a, 0, 2).await;
    let offset =
        |source: &str, offset: &str| SourceOffset { source: source.into(), offset: offset.into() };
    let large = "x".repeat(300_000);
    let mut projection = project(0, 1);
    projection.documents = vec![
        document("context", "https://example.org/c", Some(&large)),
        document("subscription", "s1", Some("{\"a\":1}")),
        document("subscription", "s2", Some("{}")),
    ];
    projection.offsets = vec![offset("trams", "17"), offset("weather", "x")];
    store.project(&a, projection).await.unwrap();
    let mut projection = project(1, 2);
    projection.documents = vec![
        document("subscription", "s1", Some("{\"a\":2}")),
        document("subscription", "s2", None),
        document("subscription", "s3", None),
    ];
    projection.offsets = vec![offset("trams", "18")];
    store.project(&a, projection).await.unwrap();
    let (mut projected, _) = load(&store, &a).await;
    projected.documents.sort_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
    projected.offsets.sort_by(|a, b| a.source.cmp(&b.source));
    let documents = [
        document("context", "https://example.org/c", Some(&large)),
        document("subscription", "s1", Some("{\"a\":2}")),
    ];
    assert!(projected.documents == documents, "the documents differ");
    assert_eq!(projected.offsets, [offset("trams", "18"), offset("weather", "x")]);
}
