use std::future::Future;

use cardo_engine::{Append, Behind, HistoryQuery, LogError, Projection, Store};
use cardo_model::{Revision, TwinId};

use super::build::{Collected, append, document, project, reading, record_at, revisions, sensor};

fn branch() -> TwinId {
    TwinId::default().with_branch("b7").unwrap()
}

fn begun(head: u64) -> Append {
    Append { begins: true, ..append(&branch(), head, head + 1) }
}

/// A twin may begin behind any revision, once; its state is filled in parts before it counts.
pub async fn a_twin_begins_behind_a_revision_once<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    assert_eq!(store.append(vec![begun(6)]).await.unwrap(), [Ok(())]);
    let again = store.append(vec![begun(6)]).await.unwrap();
    assert_eq!(again, [Err(Behind { head: Revision(7) })]);
    assert_eq!(store.head(&branch()).await.unwrap(), Some(Revision(7)));
    assert_eq!(revisions(&store, &branch(), 6).await, [7]);
    let before = store.read_log(&branch(), Revision(5), usize::MAX).await;
    assert!(matches!(before, Err(LogError::Gone { oldest: Revision(7) })));
    for (part, to) in [(1, 0), (2, 0), (3, 6)] {
        assert_eq!(store.reached(&branch()).await.unwrap(), Revision(0));
        let record = record_at(part, 0, part);
        let entities = vec![(record.view().seq(), Some(record))];
        store.project(&branch(), Projection { entities, ..project(0, to) }).await.unwrap();
    }
    assert_eq!(store.reached(&branch()).await.unwrap(), Revision(6));
    let mut loaded = Collected::default();
    assert_eq!(store.load(&branch(), &mut loaded).await.unwrap().revision, Revision(6));
    assert_eq!(loaded.entities.len(), 3);
}

/// Nothing of a dropped twin is left, and others stay as they are.
pub async fn a_dropped_twin_leaves_nothing<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let main = TwinId::default();
    let query = |up_to| HistoryQuery {
        up_to,
        entity: sensor(1),
        attributes: Vec::new(),
        from: None,
        until: None,
        last: None,
        limit: 10,
    };
    store.append(vec![append(&main, 0, 7), begun(6)]).await.unwrap();
    for twin in [&main, &branch()] {
        let record = record_at(1, 0, 1);
        let projection = Projection {
            entities: vec![(record.view().seq(), Some(record))],
            history: vec![reading(1, 1, None, 5, 3), reading(1, 1, None, 6, 4)],
            documents: vec![document("k", "d", Some("{}"))],
            ..project(0, 7)
        };
        store.project(twin, projection).await.unwrap();
        let rows = store.history(twin, &query(Some(Revision(3)))).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.revision).collect::<Vec<_>>(), [Revision(3)]);
    }
    store.drop_twin(&branch()).await.unwrap();
    store.drop_twin(&branch()).await.unwrap();
    assert_eq!(store.twins().await.unwrap(), std::slice::from_ref(&main));
    assert_eq!(store.head(&branch()).await.unwrap(), None);
    assert_eq!(store.reached(&branch()).await.unwrap(), Revision(0));
    assert_eq!(store.append(vec![begun(2)]).await.unwrap(), [Ok(())]);
    let mut loaded = Collected::default();
    let projected = store.load(&branch(), &mut loaded).await.unwrap();
    assert_eq!((loaded.entities.len(), projected.documents), (0, Vec::new()));
    assert_eq!(store.history(&branch(), &query(None)).await.unwrap(), []);
    assert_eq!(store.history(&main, &query(None)).await.unwrap().len(), 2);
}
