use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use cardo_engine::{
    Amendments, Cuts, HistoryEvent, HistoryQuery, HistoryRow, HistorySink, HistoryWalk, Store,
    Tells,
};
use cardo_model::{Amendment, EntityId, InstanceRef, Iri, NameId, Revision, Timestamp, TwinId};

use super::build::{
    append_to, deleted, entity_event, instance_deleted, project, reading, record_at, sensor, twin,
};

use super::random::random_projections;
use crate::random::sample;

const SOUTH: Option<&str> = Some("urn:dataset:south");
const NORTH: Option<&str> = Some("urn:dataset:north");

/// Projects rows in steps of a given size, with one revision each.
async fn keep<S: Store>(store: &S, rows: &[HistoryRow], step: usize) -> TwinId {
    keep_in(store, "a", rows, step).await
}

async fn keep_in<S: Store>(store: &S, tenant: &str, rows: &[HistoryRow], step: usize) -> TwinId {
    let twin = twin(tenant);
    let steps = rows.chunks(step);
    append_to(store, &twin, 0, steps.len() as u64).await;
    for (rows, after) in steps.zip(0..) {
        let mut projection = project(after, after + 1);
        projection.history = rows.to_vec();
        store.project(&twin, projection).await.expect("it builds on what was reached");
    }
    twin
}

async fn ask<S: Store>(store: &S, twin: &TwinId, query: &HistoryQuery) -> Vec<HistoryRow> {
    store.history(twin, query).await.expect("the history is sound")
}

/// The order is (attribute, dataset, time), what is about the entity itself first.
pub async fn history_comes_by_attribute_dataset_and_time<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let sorted = [
        entity_event(1, 5, 1),
        reading(1, 2, None, 10, 1),
        reading(1, 2, None, 20, 4),
        reading(1, 2, NORTH, 15, 2),
        reading(1, 2, SOUTH, 10, 3),
        reading(1, 7, None, 1, 5),
    ];
    let mut rows = sorted.to_vec();
    rows.reverse();
    rows.insert(3, reading(2, 2, None, 12, 9));
    let twin = keep(&store, &rows, 2).await;
    assert_eq!(ask(&store, &twin, &HistoryQuery::whole(sensor(1))).await, sorted);
    assert_eq!(
        ask(&store, &twin, &HistoryQuery::whole(sensor(2))).await,
        [reading(2, 2, None, 12, 9)]
    );
    assert_eq!(ask(&store, &twin, &HistoryQuery::whole(sensor(3))).await, []);
    assert_eq!(
        ask(&store, &super::build::twin("other"), &HistoryQuery::whole(sensor(1))).await,
        []
    );
}

/// A reading that comes late stands where its time is.
pub async fn late_readings_take_their_place<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let seconds = |n: u64| i64::try_from(n * 7_919 % 2_000).unwrap();
    let rows: Vec<_> = (0..2_000).map(|n| reading(1, 1, None, seconds(n), n)).collect();
    let twin = keep(&store, &rows, 90).await;
    let mut sorted = rows;
    sorted.sort_by_key(|row| row.time);
    assert!(
        ask(&store, &twin, &HistoryQuery::whole(sensor(1))).await == sorted,
        "rows are missing or out of order"
    );
}

/// The range is half open. What is about the entity itself holds instances of other times, so it
/// answers whatever the range.
pub async fn history_starts_with_from_and_ends_before_until<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let about = entity_event(1, 5_000, 1);
    let readings = (0..1_000).map(|n| reading(1, 1, None, n, n.unsigned_abs()));
    let rows: Vec<_> = std::iter::once(about.clone()).chain(readings).collect();
    let twin = keep(&store, &rows, 100).await;
    let with_about = |readings: &[HistoryRow]| [std::slice::from_ref(&about), readings].concat();
    let query = HistoryQuery {
        from: Some(Timestamp::from_seconds(250)),
        until: Some(Timestamp::from_seconds(750)),
        ..HistoryQuery::whole(sensor(1))
    };
    let found = ask(&store, &twin, &query).await;
    assert!(found == with_about(&rows[251..751]), "the range is another one");
    let query = HistoryQuery { last: Some(3), ..query };
    assert_eq!(ask(&store, &twin, &query).await, with_about(&rows[748..751]));
}

/// An empty list of attributes means all; what is about the entity itself always answers.
pub async fn only_asked_attributes_answer<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let rows = [
        entity_event(1, 0, 1),
        reading(1, 1, None, 1, 1),
        reading(1, 2, None, 2, 2),
        instance_deleted(1, 3, None, 3, 3),
    ];
    let twin = keep(&store, &rows, 4).await;
    let only = |names: &[u32]| HistoryQuery {
        attributes: names.iter().map(|n| NameId::new(*n)).collect(),
        ..HistoryQuery::whole(sensor(1))
    };
    let entity_and = |n: usize| [rows[0].clone(), rows[n].clone()];
    assert_eq!(ask(&store, &twin, &only(&[2])).await, entity_and(2));
    assert_eq!(ask(&store, &twin, &only(&[3])).await, entity_and(3));
    assert_eq!(ask(&store, &twin, &only(&[8])).await, rows[..1]);
    assert_eq!(ask(&store, &twin, &only(&[1, 2, 3])).await, rows);
}

/// `last` counts each series for itself and leaves rows about the entity alone.
pub async fn last_counts_for_each_attribute_and_dataset<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let mut rows = vec![entity_event(1, 0, 1)];
    for second in 0..700 {
        rows.push(reading(1, 1, None, second, 1));
        rows.push(reading(1, 1, SOUTH, second, 1));
    }
    rows.push(reading(1, 2, None, 3, 1));
    let twin = keep(&store, &rows, 200).await;
    let query = HistoryQuery { last: Some(2), ..HistoryQuery::whole(sensor(1)) };
    let expected = [
        entity_event(1, 0, 1),
        reading(1, 1, None, 698, 1),
        reading(1, 1, None, 699, 1),
        reading(1, 1, SOUTH, 698, 1),
        reading(1, 1, SOUTH, 699, 1),
        reading(1, 2, None, 3, 1),
    ];
    assert_eq!(ask(&store, &twin, &query).await, expected);
    let query = HistoryQuery { last: Some(0), ..query };
    assert_eq!(ask(&store, &twin, &query).await, expected[..1]);
}

/// `limit` bounds all rows together: of those that are not about the entity itself the earliest
/// stay, or the latest where the last ones are asked for, whatever series they are of.
pub async fn a_limit_cuts_the_first_rows<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let rows: Vec<_> = (0..9_000).map(|n| reading(1, 1, None, n, n.unsigned_abs())).collect();
    let mut shuffled: Vec<_> = rows.iter().rev().cloned().collect();
    shuffled.rotate_left(4_321);
    let twin = keep(&store, &shuffled, 1_500).await;
    for limit in [0, 1, 100, 5_000] {
        let answer =
            ask(&store, &twin, &HistoryQuery { limit, ..HistoryQuery::whole(sensor(1)) }).await;
        assert!(answer == rows[..limit], "limit {limit}");
    }
    let query = HistoryQuery { limit: 10, last: Some(20), ..HistoryQuery::whole(sensor(1)) };
    assert_eq!(ask(&store, &twin, &query).await, rows[8_990..]);
    let mixed: Vec<_> = (0..600)
        .map(|n| reading(2, u32::from(n % 2 == 0), None, n, n.unsigned_abs()))
        .chain([entity_event(2, 900, 900)])
        .collect();
    let other = keep_in(&store, "b", &mixed, 100).await;
    let seconds = async |query: HistoryQuery| {
        let rows = ask(&store, &other, &query).await;
        let mut seconds: Vec<i64> =
            rows.iter().map(|row| row.time.as_micros() / 1_000_000).collect();
        seconds.sort_unstable();
        seconds
    };
    assert_eq!(
        seconds(HistoryQuery { limit: 4, ..HistoryQuery::whole(sensor(2)) }).await,
        [0, 1, 2, 900]
    );
    let last = HistoryQuery { limit: 4, last: Some(9), ..HistoryQuery::whole(sensor(2)) };
    assert_eq!(seconds(last).await, [597, 598, 599, 900]);
}

/// What is written of history alone comes back, whatever is asked for; what was amended comes with
/// the amendment, or put right already.
pub async fn amendments_and_heads_are_handed_out_always<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let mut rows: Vec<_> = (0..400).map(|n| reading(1, 1, None, n, n.unsigned_abs())).collect();
    let head = record_at(3, 0, 1);
    let event = |event, revision| HistoryRow { event, ..entity_event(1, 1_000, revision) };
    rows.push(event(HistoryEvent::Head(head), 500));
    rows.push(event(HistoryEvent::Amended(Amendment::Attribute(NameId::new(1))), 501));
    let twin = keep(&store, &rows, 40).await;
    let query = HistoryQuery {
        attributes: vec![NameId::new(9)],
        last: Some(1),
        ..HistoryQuery::whole(sensor(1))
    };
    let carried_out = |mut rows: Vec<HistoryRow>| {
        let amendments = Amendments::take(&mut rows);
        amendments.carry_out(rows)
    };
    assert_eq!(carried_out(ask(&store, &twin, &query).await), rows[400..401]);
    assert_eq!(
        carried_out(ask(&store, &twin, &HistoryQuery::whole(sensor(1))).await),
        rows[400..401]
    );
}

/// Where the histories of all sensors but one are cut off.
struct CutAt(Timestamp, EntityId);

impl Cuts for CutAt {
    fn latest(&self) -> Timestamp {
        self.0
    }

    fn of(&self, entity: &str) -> Option<Timestamp> {
        (entity != self.1.as_str()).then_some(self.0)
    }
}

type Holding = BTreeMap<(NameId, Option<String>), String>;

/// What an entity was at a moment, as its rows tell it; what it was before it was deleted for the
/// last time before the cut counts no more.
fn holding_at(rows: &[HistoryRow], cut: Timestamp, moment: Timestamp) -> Holding {
    let place = |row: &HistoryRow| (row.revision, row.ordinal);
    let is_deletion =
        |row: &&HistoryRow| matches!(row.event, HistoryEvent::Deleted) && row.time <= cut;
    let deleted = rows.iter().filter(is_deletion).map(place).max();
    let mut told = Vec::new();
    for row in rows {
        let mut tell = |name, dataset: Option<&str>, time, value: Option<&str>| {
            let series = (name, dataset.map(str::to_owned));
            told.push((time, place(row), series, value.map(str::to_owned)));
        };
        match &row.event {
            HistoryEvent::Instance { name, instance } => {
                let instance = InstanceRef::from_bytes(instance).unwrap();
                tell(*name, instance.dataset_id(), row.time, Some(instance.value()));
            }
            HistoryEvent::InstanceDeleted { name, dataset_id } => {
                tell(*name, dataset_id.as_ref().map(Iri::as_str), row.time, None);
            }
            HistoryEvent::Entity(record) => {
                for attribute in record.view().attributes() {
                    for instance in attribute.instances() {
                        let (dataset, value) = (instance.dataset_id(), instance.value());
                        tell(attribute.name(), dataset, instance.time(), Some(value));
                    }
                }
            }
            HistoryEvent::Head(_) | HistoryEvent::Amended(_) | HistoryEvent::Deleted => {}
        }
    }
    let is_void = |time: Timestamp, place| time <= cut && deleted.is_some_and(|at| place < at);
    told.retain(|(time, place, ..)| *time <= moment && !is_void(*time, *place));
    told.sort();
    let mut holding = Holding::new();
    for (_, _, series, value) in told {
        match value {
            Some(value) => holding.insert(series, value),
            None => holding.remove(&series),
        };
    }
    holding
}

/// Retention: from the cut on everything is told as before, and what another value took the place of
/// before is gone; whose history is not cut off keeps all.
pub async fn what_holds_at_a_cut_and_behind_it_stays<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (mut before_all, mut after_all) = (0, 0);
    for seed in 40_u64..46 {
        let (store, _guard) = make().await;
        let projections = sample(&random_projections(), seed);
        let twin = twin("a");
        append_to(&store, &twin, 0, projections.len() as u64).await;
        for projection in projections {
            store.project(&twin, projection).await.unwrap();
        }
        let cut = Timestamp::from_seconds(250);
        let mut before = Vec::new();
        for n in 0..6 {
            before.push(ask(&store, &twin, &HistoryQuery::whole(sensor(n))).await);
        }
        let cuts = Arc::new(CutAt(cut, sensor(5)));
        store.prune(&twin, Timestamp::from_seconds(1_000), cuts).await.unwrap();
        for (n, before) in (0..).zip(&before) {
            let after = ask(&store, &twin, &HistoryQuery::whole(sensor(n))).await;
            if n == 5 {
                assert_eq!(&after, before);
                continue;
            }
            (before_all, after_all) = (before_all + before.len(), after_all + after.len());
            for seconds in [250, 251, 300, 499, 900] {
                let moment = Timestamp::from_seconds(seconds);
                let holding = |rows: &[HistoryRow]| holding_at(rows, cut, moment);
                assert_eq!(
                    holding(&after),
                    holding(before),
                    "seed {seed}, sensor {n}, {seconds} s"
                );
            }
            let late = |rows: &[HistoryRow]| {
                let is_late = |row: &&HistoryRow| {
                    row.time > cut && matches!(row.event, HistoryEvent::Instance { .. })
                };
                rows.iter().filter(is_late).cloned().collect::<Vec<_>>()
            };
            assert_eq!(late(&after), late(before), "seed {seed}, sensor {n}");
        }
    }
    assert!(after_all * 4 < before_all * 3, "{after_all} of {before_all} rows are left");
}

/// Rows by entity, of all but one of them.
#[derive(Default)]
struct Walked(BTreeMap<EntityId, Vec<HistoryRow>>);

impl HistorySink for Walked {
    fn wants(&self, entity: &str) -> bool {
        entity != sensor(5).as_str()
    }

    fn take(&mut self, entity: &EntityId, mut rows: Vec<HistoryRow>) {
        assert!(self.wants(entity.as_str()));
        self.0.entry(entity.clone()).or_default().append(&mut rows);
    }
}

async fn walk<S: Store>(store: &S, twin: &TwinId, walk: &HistoryWalk, n: u64) -> Vec<HistoryRow> {
    let mut walked = Walked::default();
    store.walk_history(twin, walk, &mut walked).await.expect("the history is sound");
    let mut rows = walked.0.remove(&sensor(n)).unwrap_or_default();
    rows.sort_by_key(|row| (row.revision, row.ordinal));
    rows
}

/// A walk hands each row out once: of all entities or of some, up to a revision, of attributes only
/// what was written by the moment, and nothing that is of the history alone.
pub async fn a_walk_hands_out_what_was_written_up_to_a_moment<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    for seed in 60_u64..64 {
        let (store, _guard) = make().await;
        let mut projections = sample(&random_projections(), seed);
        let twin = twin("a");
        append_to(&store, &twin, 0, projections.len() as u64).await;
        let mut all = Vec::new();
        for projection in &mut projections {
            for row in &mut projection.history {
                row.written = row.time.plus_micros(i64::from(row.ordinal % 3) * 40_000_000);
                let of_attribute = matches!(
                    row.event,
                    HistoryEvent::Instance { .. } | HistoryEvent::InstanceDeleted { .. }
                );
                row.tells = match row.ordinal % 5 {
                    3 if of_attribute => Tells::History,
                    4 if of_attribute => Tells::State,
                    _ => Tells::Both,
                };
            }
            all.extend(projection.history.iter().cloned());
            store.project(&twin, projection.clone()).await.unwrap();
        }
        let up_to = Revision(projections.len() as u64 * 2 / 3);
        let until = Timestamp::from_seconds(300);
        for n in 0..6 {
            let is_of = |row: &&HistoryRow| row.entity == sensor(n) && row.revision <= up_to;
            let is_asked = |row: &&HistoryRow| match row.event {
                HistoryEvent::Instance { .. } | HistoryEvent::InstanceDeleted { .. } => {
                    row.written <= until && row.tells != Tells::History
                }
                _ => true,
            };
            let mut wanted: Vec<HistoryRow> =
                all.iter().filter(is_of).filter(is_asked).filter(|_| n != 5).cloned().collect();
            wanted.sort_by_key(|row| (row.revision, row.ordinal));
            for entities in [None, Some(vec![sensor(n), sensor(77)])] {
                let asked = HistoryWalk { entities, up_to, until };
                assert_eq!(walk(&store, &twin, &asked, n).await, wanted, "seed {seed}, sensor {n}");
            }
            let history = ask(&store, &twin, &HistoryQuery::whole(sensor(n))).await;
            assert!(history.iter().all(|row| row.tells != Tells::State));
        }
    }
}

/// Deletions of instances and entities are history, and so is what came before them.
pub async fn creations_and_deletions_stay_in_history<S: Store, G, F>(make: impl Fn() -> F)
where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let rows = [
        entity_event(1, 1, 1),
        deleted(1, 5, 5),
        entity_event(1, 6, 6),
        reading(1, 1, None, 2, 2),
        instance_deleted(1, 1, None, 3, 3),
        reading(1, 1, SOUTH, 2, 2),
        instance_deleted(1, 1, SOUTH, 4, 4),
    ];
    let twin = keep(&store, &rows, 3).await;
    assert_eq!(ask(&store, &twin, &HistoryQuery::whole(sensor(1))).await, rows);
}

/// Where times are equal, the revision decides, then the ordinal.
pub async fn readings_of_one_moment_come_by_revision_and_ordinal<S: Store, G, F>(
    make: impl Fn() -> F,
) where
    F: Future<Output = (S, G)>,
{
    let (store, _guard) = make().await;
    let row = |revision, ordinal| HistoryRow { ordinal, ..reading(1, 1, None, 9, revision) };
    let sorted = [row(1, 0), row(1, 3), row(2, 1), row(2, 2), row(10, 0)];
    let mut rows = sorted.to_vec();
    rows.swap(0, 4);
    rows.swap(1, 3);
    let twin = keep(&store, &rows, 2).await;
    assert_eq!(ask(&store, &twin, &HistoryQuery::whole(sensor(1))).await, sorted);
}
