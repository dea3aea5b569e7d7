//! Branches: what they share with their parents and what they do not, after restarts too.

use std::collections::BTreeMap;
use std::sync::Arc;

use cardo_engine::{
    BranchContent, BranchError, Caller, Engine, EngineOptions, Operation, QueryError, Store,
    WriteError,
};
use cardo_model::{Revision, Timestamp, TwinId};
use cardo_query::Filter;
use cardo_store::MemoryStore;
use proptest::prelude::*;

use crate::common::{all, engine, history_of, id, number, one, retrieve, sensor, value};

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

/// The values that the history of an entity tells.
async fn told(engine: &Engine, caller: &Caller, n: u32) -> Vec<String> {
    let request = history_of(n, 100);
    let history = engine.history(caller, &request).await.unwrap();
    let mut values: Vec<String> = history
        .iter()
        .flat_map(|history| &history.rows)
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
    let values = async |engine: &Engine, caller: &Caller| told(engine, caller, 1).await;
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

/// Makes a branch of some entities of a twin.
async fn branch_of(engine: &Engine, from: &Caller, name: &TwinId, entities: &[u32]) {
    let mut choice = engine.choice(from).await.unwrap();
    let ids = Filter::Ids(entities.iter().map(|n| id(*n)).collect());
    engine.choose(&mut choice, &ids).await.unwrap();
    engine.branch_of(&choice, name, None).await.unwrap();
}

fn ids(content: &BTreeMap<String, Vec<u8>>) -> Vec<&str> {
    content.keys().map(|id| id.rsplit(':').next().unwrap()).collect()
}

#[tokio::test]
async fn a_branch_can_begin_with_entities_that_were_chosen_of_one_revision() {
    let (engine, store, main) = engine().await;
    for n in 1..=4 {
        create(&engine, &main, n, f64::from(n)).await;
    }
    let before = content(&engine, &main).await;
    let mut choice = engine.choice(&main).await.unwrap();
    // What happens between the questions of a choice is none of it.
    create(&engine, &main, 1, 10.0).await;
    create(&engine, &main, 5, 5.0).await;
    engine.project_all().await.unwrap();
    assert_eq!(engine.choose(&mut choice, &Filter::Ids(vec![id(1), id(5)])).await.unwrap(), 1);
    choice.choose_ids([id(3), id(9)].iter().map(cardo_model::Iri::as_str));
    let plan = on("plan");
    let revision = engine.branch_of(&choice, &plan.twin, None).await.unwrap();
    drop(choice);
    assert_eq!(revision, Revision(4));
    let chosen = content(&engine, &plan).await;
    assert_eq!(ids(&chosen), ["1", "3"]);
    assert!(chosen.iter().all(|(id, bytes)| before[id] == *bytes));
    // An id that was not chosen is free.
    create(&engine, &plan, 2, 20.0).await;
    one(&engine, &plan, Operation::Delete(id(3))).await.unwrap();
    let changed = content(&engine, &plan).await;
    assert_eq!(ids(&changed), ["1", "2"]);
    // Killed before the state of the branch is written, and behind that.
    let engine = reopened(engine, &store, false).await;
    assert_eq!(content(&engine, &plan).await, changed);
    settled(&engine, &store, Revision(4)).await;
    let engine = reopened(engine, &store, true).await;
    assert_eq!(content(&engine, &plan).await, changed);
    assert_eq!(ids(&content(&engine, &main).await), ["1", "2", "3", "4", "5"]);
}

#[tokio::test]
async fn a_choice_of_all_is_the_whole_and_one_of_nothing_is_empty() {
    let (engine, _, main) = engine().await;
    create(&engine, &main, 1, 1.0).await;
    let (all_of_it, none) = (on("all"), on("none"));
    branch_of(&engine, &main, &all_of_it.twin, &[1]).await;
    branch_of(&engine, &main, &none.twin, &[7]).await;
    let (typed, mut choice) = (on("typed"), engine.choice(&main).await.unwrap());
    let types = ["Boat", "Sensor"].map(|term| Filter::Type(crate::common::name(term)));
    let either = Filter::Or(types.into());
    assert_eq!(engine.choose(&mut choice, &either).await.unwrap(), 1);
    engine.branch_of(&choice, &typed.twin, None).await.unwrap();
    assert_eq!(content(&engine, &typed).await, content(&engine, &main).await);
    assert_eq!(content(&engine, &all_of_it).await, content(&engine, &main).await);
    assert!(content(&engine, &none).await.is_empty());
    create(&engine, &none, 1, 5.0).await;
    assert_eq!(ids(&content(&engine, &none).await), ["1"]);
    assert!(engine.metrics().branch_bytes > 0);
}

#[tokio::test]
async fn a_choice_that_is_given_up_or_whose_twin_is_gone_keeps_nothing_waiting() {
    let (engine, store, main) = engine().await;
    create(&engine, &main, 1, 1.0).await;
    let choice = engine.choice(&main).await.unwrap();
    create(&engine, &main, 2, 2.0).await;
    engine.project_all().await.unwrap();
    assert_eq!(store.reached(&main.twin).await.unwrap(), Revision(1));
    drop(choice);
    engine.project_all().await.unwrap();
    assert_eq!(store.reached(&main.twin).await.unwrap(), Revision(2));
    let plan = on("plan");
    engine.branch(&main, &plan.twin, None).await.unwrap();
    let choice = engine.choice(&plan).await.unwrap();
    engine.drop_branch(&plan.twin).await.unwrap();
    let made = engine.branch_of(&choice, &on("copy").twin, None).await;
    assert!(matches!(made, Err(BranchError::Write(WriteError::UnknownBranch(_)))), "{made:?}");
}

#[tokio::test]
async fn a_branch_can_begin_with_what_is_in_no_twin() {
    let (engine, store, main) = engine().await;
    create(&engine, &main, 1, 1.0).await;
    create(&engine, &main, 2, 2.0).await;
    let record = retrieve(&engine, &main, 2).await.unwrap();
    let part = BranchContent { entities: vec![record], ..BranchContent::default() };
    let plan = on("plan");
    engine.branch_with(&plan.twin, None, part).await.unwrap();
    create(&engine, &plan, 3, 3.0).await;
    create(&engine, &main, 2, 9.0).await;
    assert_eq!(ids(&content(&engine, &plan).await), ["2", "3"]);
    let before = content(&engine, &plan).await;
    let engine = reopened(engine, &store, false).await;
    assert_eq!(content(&engine, &plan).await, before);
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize, u32),
    Delete(usize, u32),
    Branch(usize),
    /// A branch of some entities, by bits.
    Part(usize, u8),
    Drop(usize),
    Reopen(bool),
    Project,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_usize..4, 0_u32..8).prop_map(|(t, n)| Step::Put(t, n)),
        2 => (0_usize..4, 0_u32..8).prop_map(|(t, n)| Step::Delete(t, n)),
        1 => (0_usize..4).prop_map(Step::Branch),
        2 => (0_usize..4, any::<u8>()).prop_map(|(t, bits)| Step::Part(t, bits)),
        1 => (1_usize..4).prop_map(Step::Drop),
        1 => any::<bool>().prop_map(Step::Reopen),
        1 => Just(Step::Project),
    ]
}

/// What a twin is and what its histories tell, as plain copies.
#[derive(Clone, Debug, Default)]
struct Plain {
    now: BTreeMap<u32, String>,
    told: BTreeMap<u32, Vec<String>>,
}

impl Plain {
    fn put(&mut self, n: u32, v: usize) {
        self.now.insert(n, v.to_string());
        self.told.entry(n).or_default().push(v.to_string());
    }

    fn part(&self, entities: &[u32]) -> Self {
        let now: BTreeMap<u32, String> = self
            .now
            .iter()
            .filter(|(n, _)| entities.contains(n))
            .map(|(n, v)| (*n, v.clone()))
            .collect();
        // Who takes all takes what is gone as well.
        if now.len() == self.now.len() {
            return self.clone();
        }
        let told = now.keys().map(|n| (*n, self.told[n].clone())).collect();
        Self { now, told }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn opened(store: &Arc<MemoryStore>) -> Engine {
    Engine::open(store.clone(), EngineOptions::default()).await.unwrap()
}

async fn compare(engine: &Engine, caller: &Caller, plain: &Plain) {
    let snapshot = engine.snapshot(caller).await.unwrap();
    let page = snapshot.query(&all(Filter::True));
    let number = |record: &cardo_model::Record| -> u32 {
        record.view().id().rsplit(':').next().unwrap().parse().unwrap()
    };
    let found: BTreeMap<u32, String> = page
        .entities
        .iter()
        .map(|record| (number(record), value(engine, record, "v").unwrap()))
        .collect();
    assert_eq!(found, plain.now, "{}", caller.twin);
    for n in 0..8 {
        let mut expected = plain.told.get(&n).cloned().unwrap_or_default();
        expected.sort();
        assert_eq!(told(engine, caller, n).await, expected, "{} of {n}", caller.twin);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn branches_are_independent_whatever_happens_and_whenever_the_server_stops(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let store = Arc::new(MemoryStore::new());
        let mut runtime = runtime();
        let mut engine = runtime.block_on(opened(&store));
        let callers = [Caller::local("test"), on("a"), on("b"), on("c")];
        runtime.block_on(create(&engine, &callers[0], 0, 0.0));
        let mut expected: Vec<Option<Plain>> = vec![None; 4];
        expected[0].get_or_insert_default().put(0, 0);
        for (v, step) in (1..).zip(steps) {
            if let Step::Reopen(false) = step {
                // A server that is killed does nothing more, so what it has spawned ends with it.
                drop(engine);
                runtime = self::runtime();
                store.reopen();
                engine = runtime.block_on(opened(&store));
            }
            runtime.block_on(async {
                let free = (1..4).find(|at| expected[*at].is_none());
                match step {
                    Step::Put(at, n) => if let Some(known) = &mut expected[at] {
                        create(&engine, &callers[at], n, v as f64).await;
                        known.put(n, v);
                    },
                    Step::Delete(at, n) => if let Some(known) = &mut expected[at] {
                        let _ = one(&engine, &callers[at], Operation::Delete(id(n))).await;
                        known.now.remove(&n);
                    },
                    Step::Branch(from) => {
                        if let (Some(known), Some(free)) = (expected[from].clone(), free) {
                            engine.branch(&callers[from], &callers[free].twin, None).await.unwrap();
                            expected[free] = Some(known);
                        }
                    }
                    Step::Part(from, bits) => {
                        if let (Some(known), Some(free)) = (expected[from].clone(), free) {
                            let some: Vec<u32> = (0..8).filter(|n| (bits >> n) & 1 == 1).collect();
                            branch_of(&engine, &callers[from], &callers[free].twin, &some).await;
                            expected[free] = Some(known.part(&some));
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
                    if let Some(known) = known {
                        compare(&engine, caller, known).await;
                    }
                }
            });
        }
    }
}
