use std::future::Future;

use cardo_engine::Store;
use cardo_model::{Iri, NameId, Revision};
use futures_util::future::join_all;

use super::build::twin;

fn name(n: u32) -> Iri {
    Iri::new(format!("https://example.org/{n}")).expect("an IRI")
}

/// Ids come in the order of the names; a name that has one keeps it.
pub async fn names_get_dense_ids_that_never_change<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    assert_eq!(store.names().await.unwrap(), []);
    let ids = store.intern(&[name(0), name(1), name(0)]).await.unwrap();
    assert_eq!(ids, [0, 1, 0].map(NameId::new));
    let ids = store.intern(&[name(2), name(1)]).await.unwrap();
    assert_eq!(ids, [2, 1].map(NameId::new));
    let expected: Vec<_> = (0..3).map(|n| (NameId::new(n), name(n))).collect();
    assert_eq!(store.names().await.unwrap(), expected);
}

/// However many ask at once, a name has one id.
pub async fn racing_writers_agree_on_names<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let names: Vec<Iri> = (0..20).map(name).collect();
    let answers = join_all((0..6).map(|_| store.intern(&names))).await;
    let first = answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|ids| ids.as_ref().unwrap() == first));
    assert_eq!(store.names().await.unwrap().len(), 20);
}

/// The last position of a follower is what it has; `None` forgets it.
pub async fn positions_of_followers_are_kept_and_forgotten<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let a = twin("a");
    store.save_position(&a, "notify", Some(Revision(3))).await.unwrap();
    store.save_position(&a, "live", Some(Revision(5))).await.unwrap();
    store.save_position(&a, "notify", Some(Revision(4))).await.unwrap();
    store.save_position(&twin("b"), "notify", Some(Revision(9))).await.unwrap();
    let mut positions = store.positions(&a).await.unwrap();
    positions.sort();
    assert_eq!(positions, [("live".into(), Revision(5)), ("notify".into(), Revision(4))]);
    let both = [("live".into(), None), ("third".into(), Some(Revision(6)))];
    store.save_positions(&a, &both).await.unwrap();
    let mut positions = store.positions(&a).await.unwrap();
    positions.sort();
    assert_eq!(positions, [("notify".into(), Revision(4)), ("third".into(), Revision(6))]);
    store.save_position(&a, "third", None).await.unwrap();
    assert_eq!(store.positions(&a).await.unwrap(), [("notify".into(), Revision(4))]);
}
