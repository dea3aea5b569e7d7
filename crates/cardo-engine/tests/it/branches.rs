//! Branches: what they share with their parents and what they do not, after restarts too.

use std::collections::BTreeMap;
use std::sync::Arc;

use cardo_engine::{
    BranchContent, BranchError, Caller, Engine, EngineOptions, HistoryRequest, Operation,
    QueryError, Store, WriteError,
};
use cardo_model::{Revision, Timestamp, TwinId};
use cardo_query::Filter;
use cardo_store::MemoryStore;
use proptest::prelude::*;

use crate::common::{all, engine, id, number, one, retrieve, sensor, value};

fn on(branch: &str) -> Caller {
    let twin = TwinId::default().with_branch(branch).unwrap();
    Caller { twin, ..Caller::local("test") }
}

async fn create(engine: &Engine, caller: &Caller, number_of: u32, v: f64) {
    let entity = sensor(number_of, vec![("v", number(v))]);
    one(engine, caller, Operation::CreateOrReplace(entity)).await.unwrap();
}

/// Every entity with its bytes, so with its dates and its place.
async fn content(engine: &Engine, caller: &Caller) -> BTreeMap<String, Vec<u8>> {
    let page = engine.query(caller, &all(Filter::True)).await.unwrap();
    let entity =
        |record: &cardo_model::Record| (record.view().id().to_owned(), record.as_bytes().to_vec());
    page.entities.iter().map(entity).collect()
}

async fn reopened(engine: Engine, store: &Arc<MemoryStore>, is_clean: bool) -> Engine {
    if is_clean {
        engine.close().await.unwrap();
    }
    drop(engine);
    store.reopen();
    Engine::open(store.clone(), EngineOptions::default()).await.unwrap()
}

/// Waits until the state of a branch is written, however long that takes.
async fn settled(engine: &Engine, store: &MemoryStore, at: Revision) {
    let places = || async { store.twins().await.unwrap().into_iter().filter(|t| !t.is_main()) };
    loop {
        let mut is_done = true;
        for place in places().await {
            is_done &= store.reached(&place).await.unwrap() >= at;
        }
        if is_done {
            return;
        }
        engine.project_all().await.unwrap();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_branch_is_its_parent_as_it_was_and_goes_its_own_way() {
    let (engine, _, main) = engine().await;
    create(&engine, &main, 1, 1.0).await;
    create(&engine, &main, 2, 2.0).await;
    let before = content(&engine, &main).await;
    let plan = on("plan");
    let revision = engine.branch(&main, &plan.twin, None).await.unwrap();
    assert_eq!(revision, Revision(2));
    assert_eq!(content(&engine, &plan).await, before);
    create(&engine, &main, 1, 10.0).await;
    create(&engine, &plan, 2, 20.0).await;
    create(&engine, &plan, 3, 30.0).await;
    one(&engine, &main, Operation::Delete(id(2))).await.unwrap();
    let of = async |caller: &Caller, n| {
        let record = retrieve(&engine, caller, n).await?;
        value(&engine, &record, "v")
    };
    let main_now = [of(&main, 1).await, of(&main, 2).await, of(&main, 3).await];
    let plan_now = [of(&plan, 1).await, of(&plan, 2).await, of(&plan, 3).await];
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(main_now, [some("10"), None, None]);
    assert_eq!(plan_now, [some("1"), some("20"), some("30")]);
}

#[tokio::test]
async fn the_history_of_a_branch_begins_with_that_of_its_parent_and_goes_on_alone() {
    let (engine, store, main) = engine().await;
    create(&engine, &main, 1, 1.0).await;
    create(&engine, &main, 1, 2.0).await;
    let plan = on("plan");
    engine.branch(&main, &plan.twin, None).await.unwrap();
    create(&engine, &main, 1, 3.0).await;
    create(&engine, &plan, 1, 4.0).await;
    let request = HistoryRequest {
        entity: id(1),
        attributes: Vec::new(),
        datasets: None,
        property: None,
        from: None,
        until: None,
        last: None,
        limit: 100,
    };
    let values = async |engine: &Engine, caller: &Caller| {
        let history = engine.history(caller, &request).await.unwrap().unwrap();
        let mut values: Vec<String> = history
            .rows
            .iter()
            .filter_map(|row| match &row.event {
                cardo_engine::HistoryEvent::Instance { instance, .. } => {
                    let instance = cardo_model::InstanceRef::from_bytes(instance)?;
                    Some(instance.value().to_owned())
                }
                _ => None,
            })
            .collect();
        values.sort();
        values
    };
    assert_eq!(values(&engine, &main).await, ["1", "2", "3"]);
    assert_eq!(values(&engine, &plan).await, ["1", "2", "4"]);
    settled(&engine, &store, Revision(2)).await;
    engine.project_all().await.unwrap();
    assert_eq!(values(&engine, &plan).await, ["1", "2", "4"]);
    let engine = reopened(engine, &store, true).await;
    assert_eq!(values(&engine, &plan).await, ["1", "2", "4"]);
    assert_eq!(values(&engine, &main).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn a_branch_that_was_dropped_is_gone_for_all_and_for_writes_under_way() {
    let (engine, store, main) = engine().await;
    create(&engine, &main, 1, 1.0).await;
    let (plan, copy) = (on("plan"), on("copy"));
    engine.branch(&main, &plan.twin, None).await.unwrap();
    create(&engine, &plan, 2, 2.0).await;
    engine.branch(&plan, &copy.twin, None).await.unwrap();
    assert!(engine.drop_branch(&plan.twin).await.unwrap());
    assert!(!engine.drop_branch(&plan.twin).await.unwrap());
    let gone = engine.query(&plan, &all(Filter::True)).await;
    assert!(matches!(gone, Err(QueryError::UnknownBranch(name)) if name == "plan"));
    let batch = cardo_engine::Batch {
        operations: vec![Operation::Delete(id(1))],
        ..cardo_engine::Batch::default()
    };
    let refused = engine.apply(&plan, batch).await;
    assert!(matches!(refused, Err(WriteError::UnknownBranch(_))), "{refused:?}");
    // The one that leans on it stays whole, also when it is loaded again.
    assert_eq!(content(&engine, &copy).await.len(), 2);
    let engine = reopened(engine, &store, true).await;
    assert_eq!(content(&engine, &copy).await.len(), 2);
    // Its name can be given again.
    engine.branch(&main, &plan.twin, None).await.unwrap();
    assert_eq!(content(&engine, &plan).await.len(), 1);
    for branch in [&copy, &plan] {
        assert!(engine.drop_branch(&branch.twin).await.unwrap());
    }
    while store.twins().await.unwrap().len() > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn names_are_given_once_and_branches_end_at_their_time() {
    let (engine, _, main) = engine().await;
    create(&engine, &main, 1, 1.0).await;
    let plan = on("plan");
    engine.branch(&main, &plan.twin, None).await.unwrap();
    let again = engine.branch(&main, &plan.twin, None).await;
    assert!(matches!(again, Err(BranchError::AlreadyExists(_))));
    let onto_main = engine.branch(&plan, &main.twin, None).await;
    assert!(matches!(onto_main, Err(BranchError::AlreadyExists(_))));
    let names: Vec<_> =
        engine.branches(&main.twin).await.unwrap().into_iter().map(|b| b.name).collect();
    assert_eq!(names, ["plan".into()]);
    assert!(engine.renew_branch(&plan.twin, Some(Timestamp::from_seconds(1))).await.unwrap());
    let over = engine.snapshot(&plan).await;
    assert!(matches!(over, Err(QueryError::UnknownBranch(_))));
    assert_eq!(engine.branches(&main.twin).await.unwrap(), []);
    engine.branch(&main, &plan.twin, None).await.unwrap();
    assert!(engine.snapshot(&plan).await.is_ok());
}

#[tokio::test]
async fn too_many_branches_and_too_much_memory_are_refused() {
    let store = Arc::new(MemoryStore::new());
    let options = EngineOptions { branches: 2, branch_bytes: 600, ..EngineOptions::default() };
    let engine = Engine::open(store, options).await.unwrap();
    let main = Caller::local("test");
    create(&engine, &main, 1, 1.0).await;
    for name in ["a", "b"] {
        engine.branch(&main, &on(name).twin, None).await.unwrap();
    }
    let third = engine.branch(&main, &on("c").twin, None).await;
    assert!(matches!(third, Err(BranchError::TooMany(2))));
    assert_eq!((engine.metrics().branches, engine.metrics().branch_bytes), (2, 0));
    engine.drop_branch(&on("b").twin).await.unwrap();
    for n in 2..5 {
        create(&engine, &on("a"), n, 1.0).await;
    }
    assert!(engine.metrics().branch_bytes > 600);
    let full = engine.branch(&main, &on("c").twin, None).await;
    assert!(matches!(full, Err(BranchError::NoRoom { limit: 600, .. })));
}

#[tokio::test]
async fn a_branch_can_begin_with_a_part() {
    let (engine, store, main) = engine().await;
    create(&engine, &main, 1, 1.0).await;
    create(&engine, &main, 2, 2.0).await;
    let record = retrieve(&engine, &main, 2).await.unwrap();
    let part = BranchContent { entities: vec![record], ..BranchContent::default() };
    let plan = on("plan");
    engine.branch_with(&plan.twin, None, part).await.unwrap();
    create(&engine, &plan, 3, 3.0).await;
    create(&engine, &main, 2, 9.0).await;
    let expected = [id(2), id(3)].map(|id| id.as_str().to_owned());
    let ids = |content: BTreeMap<String, _>| content.into_keys().collect::<Vec<_>>();
    assert_eq!(ids(content(&engine, &plan).await), expected);
    let before = content(&engine, &plan).await;
    let engine = reopened(engine, &store, false).await;
    assert_eq!(content(&engine, &plan).await, before);
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize, u32, u8),
    Delete(usize, u32),
    Branch(usize),
    Drop(usize),
    Reopen(bool),
    Project,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_usize..4, 0_u32..8, any::<u8>()).prop_map(|(t, n, v)| Step::Put(t, n, v)),
        2 => (0_usize..4, 0_u32..8).prop_map(|(t, n)| Step::Delete(t, n)),
        2 => (0_usize..4).prop_map(Step::Branch),
        1 => (1_usize..4).prop_map(Step::Drop),
        1 => any::<bool>().prop_map(Step::Reopen),
        1 => Just(Step::Project),
    ]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn opened(store: &Arc<MemoryStore>) -> Engine {
    Engine::open(store.clone(), EngineOptions::default()).await.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn branches_are_independent_whatever_happens_and_whenever_the_server_stops(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let store = Arc::new(MemoryStore::new());
        let mut runtime = runtime();
        let mut engine = runtime.block_on(opened(&store));
        let callers = [Caller::local("test"), on("a"), on("b"), on("c")];
        runtime.block_on(create(&engine, &callers[0], 0, 0.0));
        let mut expected: Vec<Option<BTreeMap<u32, String>>> = vec![None; 4];
        expected[0] = Some(BTreeMap::from([(0, "0".to_owned())]));
        for step in steps {
            if let Step::Reopen(false) = step {
                // A server that is killed does nothing more, so what it has spawned ends with it.
                drop(engine);
                runtime = self::runtime();
                store.reopen();
                engine = runtime.block_on(opened(&store));
            }
            runtime.block_on(async {
                match step {
                    Step::Put(at, n, v) => if let Some(known) = &mut expected[at] {
                        create(&engine, &callers[at], n, f64::from(v)).await;
                        known.insert(n, v.to_string());
                    },
                    Step::Delete(at, n) => if let Some(known) = &mut expected[at] {
                        let _ = one(&engine, &callers[at], Operation::Delete(id(n))).await;
                        known.remove(&n);
                    },
                    Step::Branch(from) => {
                        let free = (1..4).find(|at| expected[*at].is_none());
                        if let (Some(known), Some(free)) = (expected[from].clone(), free) {
                            engine.branch(&callers[from], &callers[free].twin, None).await.unwrap();
                            expected[free] = Some(known);
                        }
                    }
                    Step::Drop(at) => {
                        let dropped = engine.drop_branch(&callers[at].twin).await.unwrap();
                        assert_eq!(dropped, expected[at].take().is_some());
                    }
                    Step::Reopen(true) => engine = reopened(engine.clone(), &store, true).await,
                    Step::Reopen(false) => {}
                    Step::Project => engine.project_all().await.unwrap(),
                }
                for (caller, known) in callers.iter().zip(&expected) {
                    let Some(known) = known else { continue };
                    let snapshot = engine.snapshot(caller).await.unwrap();
                    let page = snapshot.query(&all(Filter::True));
                    let found: BTreeMap<u32, String> = page.entities.iter().map(|record| {
                        let n = record.view().id().rsplit(':').next().unwrap().parse().unwrap();
                        (n, value(&engine, record, "v").unwrap())
                    }).collect();
                    assert_eq!(&found, known, "{}", caller.twin);
                }
            });
        }
    }
}
