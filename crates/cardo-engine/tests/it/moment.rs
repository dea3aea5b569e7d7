//! Past twins: what a twin was at every moment, against what it showed then.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use cardo_engine::{
    Batch, BranchError, Caller, Engine, EngineOptions, Operation, QueryError, Retention,
    RetentionRule, Store, TypeInfo, WhichInstances, WriteError,
};
use cardo_model::{
    Attribute, AttributeFragment, Entity, Instance, InstanceFragment, NameId, Record, Revision,
    Scope, Seq, Timestamp, TwinId,
};
use cardo_query::Filter;
use cardo_store::{MemoryStore, SqliteOptions, SqliteStore};
use proptest::prelude::*;

use crate::common::{
    all, at, history_of, id, iri, name, number, one, point, retrieve, sensor, value,
};

/// A clock that tests move on.
#[derive(Clone, Default)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }

    fn move_on(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn options(&self, retention: Retention) -> EngineOptions {
        let hands = self.clone();
        let clock = Arc::new(move || hands.now());
        EngineOptions { clock, retention, moments: 4, ..EngineOptions::default() }
    }
}

fn at_moment(caller: &Caller, moment: Timestamp) -> Caller {
    Caller { twin: caller.twin.at(moment), ..caller.clone() }
}

/// An entity with its dates and its place; the order of its attributes tells nothing.
type Shown = (Seq, Revision, Timestamp, Timestamp, Entity<NameId>);

fn shown(record: &Record) -> Shown {
    let view = record.view();
    let mut entity = view.decode();
    entity.attributes.sort_by_key(|attribute| attribute.name);
    for attribute in &mut entity.attributes {
        attribute.instances.sort_by(|a, b| a.dataset_id.cmp(&b.dataset_id));
    }
    (view.seq(), view.revision(), view.created_at(), view.modified_at(), entity)
}

/// All that a twin shows: its entities in order, and what its indexes say of types.
#[derive(Debug, PartialEq)]
struct Whole {
    entities: Vec<Shown>,
    types: Vec<TypeInfo>,
}

async fn whole(engine: &Engine, caller: &Caller) -> Result<Whole, QueryError> {
    let page = engine.query(caller, &all(Filter::True)).await?;
    let types = engine.snapshot_with_times(caller).await?.types();
    Ok(Whole { entities: page.entities.iter().map(shown).collect(), types })
}

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<(u32, What)>),
    Project,
    Compact,
    Restart,
    Prune,
}

#[derive(Clone, Debug)]
enum What {
    /// Creates the entity, or gives it anew.
    Whole(Vec<Value>),
    Append(Value),
    /// A reading of a source, which may be late.
    Reading(Value),
    /// Something for the history alone.
    Record(Value),
    SubAttribute(u8),
    Type(bool),
    Scope(u8),
    DeleteAttribute(u8),
    Delete,
}

#[derive(Clone, Debug)]
struct Value {
    attribute: u8,
    dataset: bool,
    number: i32,
    observed: Option<i64>,
}

const ATTRIBUTES: [&str; 4] = ["a", "b", "c", "location"];

fn term(attribute: u8) -> &'static str {
    ATTRIBUTES[usize::from(attribute) % ATTRIBUTES.len()]
}

impl Value {
    fn instance(&self) -> Instance {
        let value = f64::from(self.number);
        let mut instance = match term(self.attribute) {
            "location" => point(value / 10.0, value / 20.0),
            _ => number(value),
        };
        instance.dataset_id = self.dataset.then(|| iri("urn:ngsi-ld:Dataset:north"));
        match self.observed {
            Some(second) => at(instance, second),
            None => instance,
        }
    }

    fn attribute(&self) -> Attribute {
        Attribute::new(name(term(self.attribute)), self.instance())
    }
}

fn entity(n: u32, values: &[Value]) -> Entity {
    let mut entity = sensor(n, Vec::new());
    for value in values {
        if entity.attributes.iter().all(|known| known.name != name(term(value.attribute))) {
            entity.attributes.push(value.attribute());
        }
    }
    entity
}

impl What {
    fn operation(&self, n: u32) -> Operation {
        let append = |types, scopes, attributes| Operation::Append {
            id: id(n),
            types,
            scopes,
            attributes,
            expires_at: None,
            no_overwrite: false,
        };
        match self {
            Self::Whole(values) => Operation::CreateOrReplace(entity(n, values)),
            Self::Append(value) => append(Vec::new(), None, vec![value.attribute()]),
            Self::Reading(value) => Operation::Ingest(entity(n, std::slice::from_ref(value))),
            Self::Record(value) => Operation::Record {
                id: id(n),
                types: vec![name("Sensor")],
                scopes: Vec::new(),
                attributes: vec![value.attribute()],
                must_exist: false,
            },
            Self::SubAttribute(attribute) => Operation::PartialUpdate {
                id: id(n),
                name: name(term(*attribute)),
                fragment: InstanceFragment {
                    unit_code: Some("MTR".into()),
                    attributes: vec![AttributeFragment {
                        name: name("quality"),
                        instances: vec![InstanceFragment {
                            value: Some(number(f64::from(*attribute)).value),
                            ..InstanceFragment::default()
                        }],
                    }],
                    ..InstanceFragment::default()
                },
            },
            Self::Type(is_tram) => {
                append(vec![name(if *is_tram { "Tram" } else { "Bus" })], None, Vec::new())
            }
            Self::Scope(n) => {
                let scope = Scope::new(&format!("/city/{n}")).unwrap();
                append(Vec::new(), Some(vec![scope]), Vec::new())
            }
            Self::DeleteAttribute(attribute) => Operation::DeleteAttribute {
                id: id(n),
                name: name(term(*attribute)),
                which: WhichInstances::All,
            },
            Self::Delete => Operation::Delete(id(n)),
        }
    }
}

fn values() -> impl Strategy<Value = Value> {
    (0..4_u8, prop::bool::weighted(0.2), 0..100_i32, prop::option::of(0..200_i64)).prop_map(
        |(attribute, dataset, number, observed)| Value { attribute, dataset, number, observed },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let what = prop_oneof![
        4 => prop::collection::vec(values(), 0..4).prop_map(What::Whole),
        6 => values().prop_map(What::Append),
        4 => values().prop_map(What::Reading),
        1 => values().prop_map(What::Record),
        2 => (0..4_u8).prop_map(What::SubAttribute),
        1 => any::<bool>().prop_map(What::Type),
        1 => (0..3_u8).prop_map(What::Scope),
        1 => (0..4_u8).prop_map(What::DeleteAttribute),
        2 => Just(What::Delete),
    ];
    let writes = prop::collection::vec((0..12_u32, what), 1..6).prop_map(Step::Write);
    let step = prop_oneof![
        12 => writes,
        2 => Just(Step::Project),
        1 => Just(Step::Compact),
        1 => Just(Step::Restart),
        1 => Just(Step::Prune),
    ];
    prop::collection::vec(step, 10..60)
}

enum Kept {
    Memory(Arc<MemoryStore>),
    Sqlite(Arc<SqliteStore>, tempfile::TempDir),
}

impl Kept {
    async fn new(is_sqlite: bool) -> Self {
        if !is_sqlite {
            return Self::Memory(Arc::new(MemoryStore::new()));
        }
        let dir = tempfile::tempdir().unwrap();
        Self::Sqlite(Self::open(&dir).await, dir)
    }

    async fn open(dir: &tempfile::TempDir) -> Arc<SqliteStore> {
        // Small portions, so that compaction often stands half done.
        let options =
            SqliteOptions { compacts: false, compaction_bytes: 2_000, ..SqliteOptions::default() };
        Arc::new(SqliteStore::open(dir.path(), options).await.unwrap())
    }

    fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => store.clone(),
            Self::Sqlite(store, _) => store.clone(),
        }
    }

    async fn compact(&self) {
        if let Self::Sqlite(store, _) = self {
            store.compact(&TwinId::default()).await.unwrap();
        }
    }

    async fn reopen(&mut self) {
        match self {
            Self::Memory(store) => store.reopen(),
            Self::Sqlite(store, dir) => *store = Self::open(dir).await,
        }
    }
}

fn kept_for(seconds: u64) -> Retention {
    let keep = Some(Duration::from_secs(seconds));
    Retention { rules: vec![RetentionRule { keep, ..RetentionRule::default() }] }
}

/// Does all steps, and then asks for what was after each of them.
async fn compare(steps: Vec<Step>, is_sqlite: bool, keep: Option<u64>) {
    let hands = Hands::default();
    hands.move_on(1_000);
    let retention = keep.map(kept_for).unwrap_or_default();
    let mut kept = Kept::new(is_sqlite).await;
    let mut engine = Engine::open(kept.store(), hands.options(retention.clone())).await.unwrap();
    let caller = Caller::local("test");
    let mut were = Vec::new();
    for step in steps {
        match step {
            Step::Write(writes) => {
                let operations = writes.iter().map(|(n, what)| what.operation(*n)).collect();
                engine.apply(&caller, Batch { operations, ..Batch::default() }).await.unwrap();
                let head = engine.snapshot(&caller).await.unwrap().revision();
                were.push((hands.now(), head, whole(&engine, &caller).await.unwrap()));
                hands.move_on(3);
            }
            Step::Project => engine.project_all().await.unwrap(),
            Step::Compact => kept.compact().await,
            Step::Prune => engine.prune_histories().await.unwrap(),
            Step::Restart => {
                engine.close().await.unwrap();
                kept.reopen().await;
                engine =
                    Engine::open(kept.store(), hands.options(retention.clone())).await.unwrap();
            }
        }
    }
    let mut known = 0;
    for (moment, head, was) in &were {
        // The second after is no other moment.
        for moment in [*moment, moment.plus_micros(1_500_000)] {
            let past = at_moment(&caller, moment);
            let cut =
                keep.map(|keep| hands.now().plus_micros(-1_000_000 * i64::try_from(keep).unwrap()));
            match whole(&engine, &past).await {
                Err(QueryError::Forgotten { since, .. }) => {
                    assert!(cut.is_some_and(|cut| moment < cut && since == cut));
                }
                shown => {
                    known += 1;
                    assert_eq!(&shown.unwrap(), was, "at {moment}");
                    let revision = engine.snapshot(&past).await.unwrap().revision();
                    assert!(revision <= *head, "{revision} of {head}");
                }
            }
        }
    }
    assert!(were.len() < 8 || known > 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_past_moment_shows_what_was(steps in steps(), is_sqlite: bool) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(compare(steps, is_sqlite, None));
    }

    #[test]
    fn what_retention_keeps_is_exact_and_what_it_drops_is_refused(
        steps in steps(),
        is_sqlite: bool,
        keep in 5..60_u64,
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(compare(steps, is_sqlite, Some(keep)));
    }
}

async fn started() -> (Engine, Hands, Caller) {
    let hands = Hands::default();
    hands.move_on(1_000);
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::open(store, hands.options(Retention::default())).await.unwrap();
    (engine, hands, Caller::local("test"))
}

async fn put(engine: &Engine, caller: &Caller, n: u32, v: f64) {
    let entity = sensor(n, vec![("v", number(v))]);
    one(engine, caller, Operation::CreateOrReplace(entity)).await.unwrap();
}

async fn v(engine: &Engine, caller: &Caller, n: u32) -> Option<String> {
    value(engine, &retrieve(engine, caller, n).await?, "v")
}

#[tokio::test]
async fn a_past_twin_takes_no_writes_and_has_neither_histories_nor_followers_nor_branches() {
    let (engine, hands, now) = started().await;
    put(&engine, &now, 1, 1.0).await;
    hands.move_on(1);
    let past = at_moment(&now, Timestamp::from_seconds(1_000));
    assert_eq!(v(&engine, &past, 1).await.as_deref(), Some("1"));
    let batch = Batch { operations: vec![Operation::Delete(id(1))], ..Batch::default() };
    assert!(matches!(engine.apply(&past, batch).await, Err(WriteError::Past(_))));
    let refused = |error: QueryError| matches!(error, QueryError::NotOfThePast(_));
    let request = history_of(1, 10);
    assert!(refused(engine.history(&past, &request).await.unwrap_err()));
    assert!(engine.follow(&past.twin, Revision(0)).await.is_err_and(refused));
    let plan = TwinId::default().with_branch("plan").unwrap();
    let branched = engine.branch(&past, &plan, None).await;
    assert!(matches!(branched, Err(BranchError::Query(QueryError::NotOfThePast(_)))));
}

#[tokio::test]
async fn a_moment_that_is_not_over_is_refused() {
    let (engine, hands, now) = started().await;
    put(&engine, &now, 1, 1.0).await;
    for ahead in [0, 10] {
        let past = at_moment(&now, hands.now().plus_micros(ahead));
        assert!(matches!(engine.snapshot(&past).await, Err(QueryError::NotOver(_))));
    }
    hands.move_on(1);
    let past = at_moment(&now, Timestamp::from_seconds(1_000));
    assert_eq!(engine.snapshot(&past).await.unwrap().revision(), Revision(1));
    let before = at_moment(&now, Timestamp::from_seconds(999));
    assert!(engine.snapshot(&before).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_past_of_a_branch_of_some_entities_is_of_these_alone() {
    let (engine, hands, main) = started().await;
    for n in 1..=3 {
        put(&engine, &main, n, f64::from(n)).await;
    }
    hands.move_on(10);
    put(&engine, &main, 1, 10.0).await;
    let mut choice = engine.choice(&main).await.unwrap();
    choice.choose_ids([id(1), id(2)].iter().map(cardo_model::Iri::as_str));
    let plan = TwinId::default().with_branch("plan").unwrap();
    engine.branch_of(&choice, &plan, None).await.unwrap();
    let (plan, copy) =
        (Caller { twin: plan, ..main.clone() }, main.twin.with_branch("copy").unwrap());
    hands.move_on(10);
    put(&engine, &plan, 3, 30.0).await;
    one(&engine, &plan, Operation::Delete(id(2))).await.unwrap();
    hands.move_on(10);
    put(&engine, &plan, 2, 20.0).await;
    engine.branch(&plan, &copy, None).await.unwrap();
    let copy = Caller { twin: copy, ..main.clone() };
    put(&engine, &copy, 3, 33.0).await;
    hands.move_on(10);
    let some = |text: &str| Some(text.to_owned());
    for branch in [&plan, &copy] {
        for (second, were) in [
            (1_005, [some("1"), some("2"), None]),
            (1_015, [some("10"), some("2"), None]),
            (1_025, [some("10"), None, some("30")]),
        ] {
            let past = at_moment(branch, Timestamp::from_seconds(second));
            let found = [
                v(&engine, &past, 1).await,
                v(&engine, &past, 2).await,
                v(&engine, &past, 3).await,
            ];
            assert_eq!(found, were, "{} at {second}", branch.twin);
        }
    }
}

#[tokio::test]
async fn the_past_of_a_branch_is_its_own_and_before_it_that_of_its_parent() {
    let (engine, hands, main) = started().await;
    put(&engine, &main, 1, 1.0).await;
    hands.move_on(10);
    put(&engine, &main, 1, 2.0).await;
    hands.move_on(10);
    let plan = TwinId::default().with_branch("plan").unwrap();
    engine.branch(&main, &plan, None).await.unwrap();
    let plan = Caller { twin: plan, ..main.clone() };
    hands.move_on(10);
    put(&engine, &plan, 1, 30.0).await;
    put(&engine, &main, 1, 3.0).await;
    hands.move_on(10);
    let mut seen = Vec::new();
    for seconds in [1_000, 1_010, 1_020, 1_030] {
        let moment = Timestamp::from_seconds(seconds);
        let of = |caller: &Caller| at_moment(caller, moment);
        seen.push((v(&engine, &of(&main), 1).await, v(&engine, &of(&plan), 1).await));
    }
    let pair = |a: &str, b: &str| (Some(a.to_owned()), Some(b.to_owned()));
    assert_eq!(seen, [pair("1", "1"), pair("2", "2"), pair("2", "2"), pair("3", "30")]);
    engine.drop_branch(&plan.twin).await.unwrap();
    let gone = engine.snapshot(&at_moment(&plan, Timestamp::from_seconds(1_030))).await;
    assert!(matches!(gone, Err(QueryError::UnknownBranch(_))));
}

#[tokio::test]
async fn what_had_expired_was_not_there() {
    let (engine, hands, now) = started().await;
    let expiring = |v, second| {
        let mut instance = number(v);
        instance.expires_at = Some(Timestamp::from_seconds(second));
        instance
    };
    let entity = sensor(1, vec![("v", expiring(1.0, 1_010)), ("w", number(5.0))]);
    one(&engine, &now, Operation::Create(entity)).await.unwrap();
    let mut mortal = sensor(2, vec![("v", number(2.0))]);
    mortal.expires_at = Some(Timestamp::from_seconds(1_020));
    one(&engine, &now, Operation::Create(mortal)).await.unwrap();
    hands.move_on(30);
    let mut seen = Vec::new();
    for seconds in [1_009, 1_010, 1_020] {
        let past = at_moment(&now, Timestamp::from_seconds(seconds));
        seen.push((v(&engine, &past, 1).await, v(&engine, &past, 2).await));
    }
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(seen, [(some("1"), some("2")), (None, some("2")), (None, None)]);
}

#[tokio::test]
async fn what_was_taken_out_of_a_history_is_in_no_past_twin() {
    let (engine, hands, now) = started().await;
    put(&engine, &now, 1, 1.0).await;
    hands.move_on(10);
    put(&engine, &now, 1, 2.0).await;
    hands.move_on(10);
    let past = |seconds| at_moment(&now, Timestamp::from_seconds(seconds));
    assert_eq!(v(&engine, &past(1_000), 1).await.as_deref(), Some("1"));
    one(&engine, &now, Operation::ForgetHistory(id(1))).await.unwrap();
    hands.move_on(10);
    assert!(retrieve(&engine, &past(1_000), 1).await.is_none());
    // What it is it has been since.
    assert_eq!(v(&engine, &past(1_010), 1).await.as_deref(), Some("2"));
    for w in [7.0, 8.0] {
        let append = Operation::Append {
            id: id(1),
            types: Vec::new(),
            scopes: None,
            attributes: vec![Attribute::new(name("w"), number(w))],
            expires_at: None,
            no_overwrite: false,
        };
        one(&engine, &now, append).await.unwrap();
        hands.move_on(10);
    }
    let seen = retrieve(&engine, &past(1_025), 1).await.unwrap();
    assert_eq!(value(&engine, &seen, "v"), None);
    let seen = retrieve(&engine, &past(1_030), 1).await.unwrap();
    let of = |term| value(&engine, &seen, term);
    assert_eq!((of("v"), of("w")), (None, Some("7".to_owned())));
}

#[tokio::test]
async fn only_so_many_past_twins_stay_in_memory() {
    let (engine, hands, now) = started().await;
    for n in 0..10_u32 {
        put(&engine, &now, 1, f64::from(n)).await;
        hands.move_on(1);
    }
    for n in 0..10_u32 {
        let past = at_moment(&now, Timestamp::from_seconds(1_000 + i64::from(n)));
        assert_eq!(v(&engine, &past, 1).await, Some(n.to_string()));
    }
    let metrics = engine.metrics();
    assert_eq!(metrics.moments, 4);
    assert!(metrics.moment_bytes > 0);
}

#[tokio::test]
async fn what_was_gone_before_or_never_there_keeps_no_moment_from_being_told() {
    let hands = Hands::default();
    hands.move_on(1_000);
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::open(store, hands.options(kept_for(10))).await.unwrap();
    let now = Caller::local("test");
    put(&engine, &now, 1, 1.0).await;
    put(&engine, &now, 2, 2.0).await;
    let value = Value { attribute: 0, dataset: false, number: 3, observed: Some(5) };
    one(&engine, &now, What::Record(value).operation(3)).await.unwrap();
    one(&engine, &now, Operation::Delete(id(2))).await.unwrap();
    hands.move_on(10);
    let past = |seconds| at_moment(&now, Timestamp::from_seconds(seconds));
    hands.move_on(90);
    engine.prune_histories().await.unwrap();
    // The first sensor has not changed since, the second was gone, the third never was in the twin.
    let page = engine.query(&past(1_005), &all(Filter::True)).await.unwrap();
    assert_eq!((page.count, v(&engine, &past(1_005), 1).await.as_deref()), (Some(1), Some("1")));
    let refused = engine.query(&past(999), &all(Filter::True)).await;
    assert!(matches!(refused, Err(QueryError::Forgotten { .. })), "{refused:?}");
    put(&engine, &now, 1, 7.0).await;
    hands.move_on(1);
    let refused = engine.query(&past(1_006), &all(Filter::True)).await;
    assert!(matches!(refused, Err(QueryError::Forgotten { .. })), "{refused:?}");
    assert_eq!(v(&engine, &past(1_095), 1).await.as_deref(), Some("1"));
}

#[tokio::test]
async fn what_is_not_known_any_more_of_one_type_is_refused_and_all_else_is_answered() {
    let hands = Hands::default();
    hands.move_on(1_000);
    let store = Arc::new(MemoryStore::new());
    let keep = Some(Duration::from_secs(10));
    let rule = RetentionRule { keep, ..RetentionRule::default() };
    let retention = Retention { rules: vec![rule.of_type(name("Tram").as_str()).unwrap()] };
    let engine = Engine::open(store, hands.options(retention)).await.unwrap();
    let now = Caller::local("test");
    let tram = |v: f64| Entity { types: vec![name("Tram")], ..sensor(7, vec![("v", number(v))]) };
    put(&engine, &now, 1, 1.0).await;
    one(&engine, &now, Operation::CreateOrReplace(tram(1.0))).await.unwrap();
    hands.move_on(10);
    put(&engine, &now, 1, 2.0).await;
    one(&engine, &now, Operation::CreateOrReplace(tram(2.0))).await.unwrap();
    hands.move_on(90);
    engine.prune_histories().await.unwrap();
    let past = at_moment(&now, Timestamp::from_seconds(1_005));
    let ask = async |filter: Filter| {
        let page = engine.query(&past, &all(filter)).await?;
        Ok::<_, QueryError>(page.count.unwrap())
    };
    let of_type = |term: &str| Filter::Type(name(term));
    let ids = |n: u32| Filter::Ids(vec![id(n)]);
    let tram_and_sensor = Filter::And(vec![of_type("Tram"), of_type("Sensor")]);
    for (filter, count) in [
        (of_type("Sensor"), 1),
        (ids(1), 1),
        (ids(9), 0),
        (of_type("Boat"), 0),
        (tram_and_sensor, 0),
    ] {
        assert_eq!(ask(filter.clone()).await.unwrap(), count, "{filter:?}");
    }
    let either = Filter::Or(vec![of_type("Sensor"), of_type("Tram")]);
    for filter in [of_type("Tram"), either, ids(7), Filter::True] {
        match ask(filter.clone()).await {
            Err(QueryError::Forgotten { type_name, since, .. }) => {
                assert_eq!(
                    (type_name, since),
                    (Some(name("Tram")), Timestamp::from_seconds(1_090))
                );
            }
            other => panic!("{filter:?}: {other:?}"),
        }
    }
    let snapshot = engine.snapshot(&past).await.unwrap();
    assert!(snapshot.look_up(id(7).as_str()).is_err());
    assert!(snapshot.look_up(id(1).as_str()).unwrap().is_some());
    assert!(snapshot.look_up(id(9).as_str()).unwrap().is_none());
    let tables = engine.tables(&past).await.unwrap();
    let known: Vec<&str> = tables.all().iter().map(|table| &*table.name).collect();
    assert_eq!(known, ["Sensor", "Tram"]);
    // What is kept is told of trams too.
    let later = at_moment(&now, Timestamp::from_seconds(1_095));
    assert_eq!(engine.query(&later, &all(Filter::True)).await.unwrap().count, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_a_moment_while_others_write_is_what_is_told_later() {
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::open(store.clone(), EngineOptions::default()).await.unwrap();
    let now = Caller::local("test");
    let writing = tokio::spawn({
        let (engine, now) = (engine.clone(), now.clone());
        async move {
            for n in 0..2_000_u32 {
                put(&engine, &now, n % 7, f64::from(n)).await;
            }
        }
    });
    let mut told = Vec::new();
    while !writing.is_finished() || told.is_empty() {
        let moment = engine.now();
        while engine.now() <= moment {
            tokio::task::yield_now().await;
        }
        told.push((moment, whole(&engine, &at_moment(&now, moment)).await.unwrap()));
    }
    writing.await.unwrap();
    engine.close().await.unwrap();
    store.reopen();
    let later = Engine::open(store, EngineOptions::default()).await.unwrap();
    for (moment, was) in told {
        assert_eq!(whole(&later, &at_moment(&now, moment)).await.unwrap(), was, "at {moment}");
    }
}
